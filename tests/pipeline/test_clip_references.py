"""--direct --reference: a clip from reference pictures, where model and gateway take some."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, run
from factorized_video import receipts
from loopback import Gateway, png

PROMPT = "The fox from the picture runs through snow"
WORDS = ("--reference", "a.png", "--reference", "b.png")

pytestmark = pytest.mark.usefixtures("live_registry")


@pytest.fixture(params=["openrouter", "vercel"])
def taking(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """A gateway whose video call takes references, and two pictures."""
    with Gateway(request.param) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def pictures() -> None:
    Path("a.png").write_bytes(png((640, 360), 1))
    Path("b.png").write_bytes(png((360, 640), 2))


def make(gateway: Gateway, *args: str, script: str = "factorized_generate") -> Run:
    prompt = ("--prompt", PROMPT)
    return run(script, *prompt, "--direct", "--output=fox.mp4", *args, gateway=gateway)


def sent_references(gateway: Gateway) -> list[Any]:
    (request,) = gateway.of("create")
    found = request.body.get("input_references", request.body.get("inputReferences"))
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("script", ["factorized_generate", "generate_video_from_anchor"])
def test_they_are_sent_in_order_without_a_frame_and_are_in_the_receipt(
    taking: Gateway, script: str
) -> None:
    done = make(taking, *WORDS, script=script)
    assert done.code == 0, done.err
    assert len(sent_references(taking)) == 2
    body = taking.of("create")[0].body
    assert not {"frame_images", "frameImages", "image"} & set(body)
    receipt = receipts.read(Path("fox.direct.mp4"))
    assert receipt
    assert [one["name"] for one in receipt["inputs"]["references"]] == ["a.png", "b.png"]
    assert len(receipt["sent"]["pictures"]) == 2
    assert make(taking, *WORDS, script=script).code == 0  # it is there: nothing is paid again
    assert len(taking.of("create")) == 1


def test_other_pictures_are_another_clip(taking: Gateway) -> None:
    assert make(taking, *WORDS).code == 0
    refused = make(taking, "--reference", "a.png")
    assert (refused.code, "--reference" in refused.err) == (2, True)
    assert len(taking.of("create")) == 1


def test_more_than_the_model_takes_is_refused_before_anything_is_sent(taking: Gateway) -> None:
    refused = make(taking, *WORDS, *WORDS, "--video-model", "google/veo-3.1-generate-001")
    assert (refused.code, "supports 3 reference pictures; 4 were given" in refused.err) == (2, True)
    assert not taking.sent


def test_a_model_that_is_not_known_to_take_any_is_refused(taking: Gateway) -> None:
    refused = make(taking, *WORDS, "--video-model", "klingai/kling-v3.0-t2v")
    assert (refused.code, taking.sent) == (2, {})


def test_a_length_that_goes_with_references_is_held_to(taking: Gateway) -> None:
    veo = ("--video-model", "google/veo-3.1-generate-001")
    refused = make(taking, *WORDS, *veo, "--duration", "6")
    assert (refused.code, "8 seconds at 720p with references" in refused.err) == (2, True)
    assert make(taking, *WORDS, *veo, "--dry-run").code == 0


def test_a_gateway_without_a_field_for_them_is_refused(gateway: Gateway) -> None:
    refused = make(gateway, *WORDS)
    assert (refused.code, gateway.sent) == (2, {})
    assert "has no field for reference pictures" in refused.err
    assert "first frame" in refused.err


def test_beside_an_anchor_they_are_refused_and_in_a_run_they_go_into_it(taking: Gateway) -> None:
    beside = run(
        "generate_video_from_anchor",
        *("--anchor", "a.png", "--prompt", PROMPT, "--reference", "b.png"),
        gateway=taking,
    )
    assert (beside.code, "a first frame or references" in beside.err) == (2, True)
    plan = run("factorized_generate", PROMPT, *WORDS, "--dry-run", gateway=taking)
    assert "the references go into the first frame" in plan.out


def test_what_a_reference_costs_is_in_the_plan() -> None:
    with Gateway("openrouter") as gateway:
        words = ("--video-model", "minimax/hailuo-3", "--dry-run", "--json")
        with_two = make(gateway, *WORDS, *words).json["cost"]["amount"]
        without = make(gateway, *words).json["cost"]["amount"]
    assert with_two - without == pytest.approx(0.08)
