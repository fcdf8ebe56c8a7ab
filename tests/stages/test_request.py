"""Requests: to a command line and back is the identity, and digests cover what was asked."""

from __future__ import annotations

import argparse
import importlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from factorized_video.pipeline.run_request import RunRequest
from factorized_video.stages import given_images
from factorized_video.stages.given_images import GivenImage
from factorized_video.stages.request import (
    AnchorRequest,
    Argv,
    CandidateWish,
    CaptionRequest,
    ClipRequest,
    ClipSettings,
    MotionRequest,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GATEWAY = {"name": "happycapy", "host": "h"}
PICTURES = ("a.png", "b.png", "c.png")


@pytest.fixture(scope="module", autouse=True)
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Three pictures that requests may name."""
    from loopback import png

    place = tmp_path_factory.mktemp("requests")
    for number, name in enumerate(PICTURES, 1):
        (place / name).write_bytes(png((640, 360), number))
    yield place


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


# What texts.read_text lets through, as it leaves it: stripped, and no control characters.
TEXT = (
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
    .map(lambda text: text.strip().lstrip("\ufeff").strip())
    .filter(lambda text: text and text != "-")
)
MODEL = some(st.sampled_from(["google/veo-3.1", "a b", "-odd", "--x=y"]))
RATIO = some(st.sampled_from(["16:9", "9:16", "1:1", "21:9"]))
STYLE = some(st.sampled_from(["anime", "3d-render", "ink on rice paper", "--strange"]))
FLAG = some(st.just(True))
TAKE = st.integers(1, 9999)
SETTINGS = st.builds(
    ClipSettings,
    duration=some(st.integers(1, 60)),
    aspect_ratio=RATIO,
    prompt_strategy=some(st.sampled_from(["combined", "original", "motion-only"])),
    resolution=some(st.sampled_from(["720p", "1080p", "4k"])),
    audio=some(st.booleans()),
    fit=some(st.sampled_from(["crop", "pad", "none"])),
    fit_duration=FLAG,
    seed=some(st.integers(0, 2**31 - 1)),
    set=some(st.sampled_from([("fps=16",), ("a=--x", "negative_prompt=blur, fog=smoke")])),
    draft=FLAG,
    loop=FLAG,
)
WISH = st.builds(
    CandidateWish,
    candidates=some(st.integers(1, 12)),
    select=some(st.sampled_from(["1", "12", "3r"])),
    verify=FLAG,
    repair=FLAG,
    min_score=some(st.integers(0, 100).map(lambda n: n / 100)),
    judge_model=MODEL,
    prompt=TEXT,
).map(lambda wish: wish if wish.verifies else wish._replace(judge_model=None, prompt=None))
relaxed = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def picture(folder: Path, flag: str, name: str) -> GivenImage:
    found = given_images.read(flag, str(folder / name))
    assert found is not None
    return found


def parsed(name: str, argv: Argv, monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    """The options as the script would get them, its stdin with them."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(argv.stdin.encode()), "utf-8"))
    options: argparse.Namespace = (
        importlib.import_module(name)
        .build_parser()
        .parse_args(argv.words, argparse.Namespace(rerun=None))
    )
    return options


@pytest.fixture
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@relaxed
@given(data=st.data())
def test_a_caption_request_survives_the_command_line(
    folder: Path, patch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    names = data.draw(st.lists(st.sampled_from(PICTURES), max_size=3))
    request = CaptionRequest(
        data.draw(TEXT),
        data.draw(STYLE),
        data.draw(RATIO),
        data.draw(MODEL),
        tuple(picture(folder, "--reference", name) for name in names),
        data.draw(some(TEXT)),
    )
    again = CaptionRequest.from_options(parsed("rewrite_prompt", request.to_argv(), patch))
    assert again == request
    assert again.digest(GATEWAY) == request.digest(GATEWAY)


@relaxed
@given(prompt=TEXT, model=MODEL)
def test_a_motion_request_survives_the_command_line(
    folder: Path, patch: pytest.MonkeyPatch, prompt: str, model: str | None
) -> None:
    request = MotionRequest(prompt, picture(folder, "--anchor", "a.png"), model)
    assert MotionRequest.from_options(parsed("rewrite_prompt", request.to_argv(), patch)) == request


@relaxed
@given(data=st.data())
def test_an_anchor_request_survives_the_command_line(
    folder: Path, patch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    edits = data.draw(st.booleans())
    names = data.draw(st.lists(st.sampled_from(PICTURES), max_size=3))
    request = AnchorRequest(
        data.draw(TEXT),
        None if edits else data.draw(STYLE),
        data.draw(RATIO),
        data.draw(MODEL),
        None if edits else data.draw(FLAG),
        data.draw(TAKE),
        tuple(picture(folder, "--reference", name) for name in names),
        picture(folder, "--edit", "a.png") if edits else None,
        data.draw(WISH),
        character=None if edits else data.draw(FLAG),
    )
    again = AnchorRequest.from_options(parsed("generate_anchor", request.to_argv(), patch))
    assert again == request
    assert again.wish.digest("first") == request.wish.digest("first")


@relaxed
@given(data=st.data())
def test_a_clip_request_survives_the_command_line(
    folder: Path, patch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    direct = data.draw(st.booleans())
    clip_settings = data.draw(SETTINGS)
    last = not (direct or clip_settings.loop) and data.draw(st.booleans())
    request = ClipRequest(
        data.draw(TEXT),
        data.draw(some(TEXT)),
        None if direct else picture(folder, "--anchor", "a.png"),
        picture(folder, "--last-frame", "b.png") if last else None,
        data.draw(MODEL),
        data.draw(TAKE),
        direct,
        clip_settings._replace(fit=None, draft=None, loop=None) if direct else clip_settings,
    )
    again = ClipRequest.from_options(parsed("generate_video_from_anchor", request.to_argv(), patch))
    assert again == request


@relaxed
@given(data=st.data())
def test_a_whole_run_survives_the_command_line(
    folder: Path, patch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    prompt, wish, settings = data.draw(TEXT), data.draw(WISH), data.draw(SETTINGS)
    last = not settings.loop and data.draw(st.booleans())
    ends = None if settings.loop or last else data.draw(some(TEXT))
    caption = None if settings.prompt_strategy == "motion-only" else data.draw(some(TEXT))
    request = RunRequest(
        prompt,
        last_frame=picture(folder, "--last-frame", "c.png") if last else None,
        references=(picture(folder, "--reference", "b.png"),),
        style=data.draw(STYLE),
        enhance=data.draw(FLAG),
        llm_model=data.draw(MODEL),
        image_model=data.draw(MODEL),
        video_model=data.draw(MODEL),
        take=data.draw(TAKE),
        settings=settings,
        wish=wish._replace(prompt=prompt if wish.verifies else None),
        scene=None if caption else data.draw(some(TEXT)),
        caption=caption,
        end_state=ends,
    )
    request = request._replace(scene=None).with_scene(request.scene)
    again = RunRequest.from_options(parsed("factorized_generate", request.to_argv(), patch))
    assert again == request
    assert again.chosen_digest(GATEWAY) == request.chosen_digest(GATEWAY)
    # A run both ways: the other arm is a request of its own, and comes back the same.
    other = request.as_direct()
    assert RunRequest.from_options(parsed("factorized_generate", other.to_argv(), patch)) == other


# --- digests --------------------------------------------------------------------------------------


# Of the version before requests were values: an upgrade never makes anyone pay again.
@pytest.mark.parametrize(
    ("request_", "digest"),
    [
        (
            CaptionRequest("A cat", style="anime", aspect_ratio="9:16"),
            "549bc84d3c458ac9d00edae60116d5841133dadc81ebdcdfca244753c68ca75c",
        ),
        (
            AnchorRequest("A cat", enhance=True, take=2, model="m"),
            "637eedaf16e4044ade062546a2dbd93f0bd05c1d1e4ab5632842d76d4db4bbbc",
        ),
        (
            ClipRequest("A cat", "It leaps.", direct=True, settings=ClipSettings(6, audio=False)),
            "7540d95050535cfbfd2b1fe1de62f815649a5325b4dfa552dc5902dc93258434",
        ),
        (
            RunRequest("A cat", skip_reasoning=True, settings=ClipSettings(seed=0)),
            "29e68d8273f5bb48007d7da5a10738a498f71968e040cad5cb9192e1c0110c5e",
        ),
    ],
)
def test_a_digest_is_what_it_was_before(request_: Any, digest: str) -> None:
    assert request_.digest(GATEWAY) == digest


def test_what_is_not_given_counts_for_nothing() -> None:
    plain = RunRequest("A cat")
    assert plain.digest(GATEWAY) == plain._replace(take=1).digest(GATEWAY)
    given_otherwise = [
        plain._replace(take=2),
        plain._replace(style="anime"),
        plain._replace(settings=ClipSettings(audio=False)),
        plain._replace(settings=ClipSettings(seed=0)),
    ]
    assert len({one.digest(GATEWAY) for one in [plain, *given_otherwise]}) == 5
