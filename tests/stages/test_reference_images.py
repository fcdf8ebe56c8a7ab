"""--reference and --edit: pictures that a model draws from, at every gateway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, run
from factorized_video import models
from factorized_video.errors import UsageError
from factorized_video.prompts import anchor_image
from factorized_video.prompts.caption import REFERENCES_FOR_CAPTION, rewrite_messages
from factorized_video.stages import plan
from factorized_video.stages.plan import Rules
from factorized_video.stages.request import AnchorRequest
from loopback import Gateway, png
from plans import picture
from speech import Asked, shown

PROMPT = "The same man walks into a bakery"
CHANGE = "make the cat orange"
SEES_NOTHING = "deepseek/deepseek-v4-flash"


def hat(name: str = "hat.png", number: int = 7, size: tuple[int, int] = (640, 480)) -> bytes:
    data = png(size, number)
    Path(name).write_bytes(data)
    return data


def make(gateway: Gateway | None, *words: str) -> Run:
    """The orchestrator with --json up to the anchor, to cat.mp4."""
    named = gateway.speech.naming() if gateway else []
    told = [f"--prompt={PROMPT}", "--output=cat.mp4", "--json", "--stop-after=anchor"]
    return run("factorized_generate", *told, *named, *words, gateway=gateway)


def draw(gateway: Gateway | None, *words: str) -> Run:
    """Stage 2 with --json, to anchor.png."""
    named = gateway.speech.naming("image") if gateway else []
    return run("generate_anchor", "--output=anchor.png", "--json", *named, *words, gateway=gateway)


def drawn(gateway: Gateway, number: int = -1) -> Asked:
    return gateway.speech.asked(gateway.of("image")[number])


def receipt(path: str) -> dict[str, Any]:
    data = json.loads(Path(f"{path}.receipt.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


# --- references -----------------------------------------------------------------------------------


def test_stage_1_sees_them_stage_2_draws_from_them_and_receipts_tell_of_them(each: Gateway) -> None:
    man, hats = hat("man.png", 3), hat()
    done = make(each, "--reference=man.png", "--reference=hat.png")
    assert done.code == 0, done.err
    messages, seen = shown(each.of("chat")[0])
    assert seen == (man, hats)
    assert json.loads(str(messages[1]["content"]))["reference_pictures"] == 2
    assert REFERENCES_FOR_CAPTION in str(messages[0]["content"])
    told = drawn(each)
    assert told.pictures == (man, hats)
    assert anchor_image.REFERENCES_FOR_PICTURE in told.prompt
    for path in ("cat.stages/caption.txt", "cat.stages/anchor.png"):
        given = receipt(path)["inputs"]["references"]
        assert [row["name"] for row in given] == ["man.png", "hat.png"]
        assert len({row["sha256"] for row in given}) == 2
    sent = receipt("cat.stages/anchor.png")["sent"]["pictures"]
    assert [row["bytes"] for row in sent] == [len(man), len(hats)]
    # The whole run goes on from there, and is known again with the same pictures.
    assert make(each, "--reference=man.png", "--reference=hat.png").code == 0
    assert each.sent == {"chat": 1, "image": 1}


@pytest.mark.thorough
def test_another_picture_or_order_is_another_request(gateway: Gateway) -> None:
    hat("man.png", 3)
    hat()
    assert make(gateway, "--reference=man.png", "--reference=hat.png").code == 0
    assert make(gateway, "--reference=hat.png", "--reference=man.png").code == 0
    hat("man.png", 4)
    assert make(gateway, "--reference=hat.png", "--reference=man.png").code == 0
    assert make(gateway).code == 0
    assert gateway.sent == {"chat": 4, "image": 4}


@pytest.mark.thorough
def test_every_candidate_is_drawn_from_them(gateway: Gateway) -> None:
    data = hat()
    done = draw(gateway, "A man at a counter", "--reference=hat.png", "--candidates=3")
    assert done.code == 0, done.err
    assert [drawn(gateway, number).pictures for number in range(3)] == [(data,)] * 3
    kept = receipt("anchor.candidates/candidate-2.png")
    assert kept["inputs"]["candidate"] == "2"
    assert kept["inputs"]["references"][0]["name"] == "hat.png"


def test_the_plan_tells_how_many_there_are_and_sends_nothing(gateway: Gateway) -> None:
    hat()
    told = make(gateway, "--reference=hat.png", "--dry-run").json
    assert [row["settings"].get("reference_pictures") for row in told["stages"]] == [1, 1]
    without = make(gateway, "--dry-run").json
    assert told["stages"][0]["cost"]["amount"] > without["stages"][0]["cost"]["amount"]
    assert not gateway.requests


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--reference=nobody.png"], "--reference nobody.png cannot be read"),
        (["--reference=text.png"], "this is not an image"),
        (["--reference=hat.png"] * 15, "supports 14 reference pictures; 15 were given"),
        (
            ["--reference=hat.png"] * 9 + ["--image-model=bfl/flux-2-pro"],
            "supports 8 reference pictures; 9 were given",
        ),
        (["--reference=hat.png", f"--llm-model={SEES_NOTHING}"], "sees no pictures"),
        (["--reference=hat.png", "--anchor-path=hat.png"], "has no effect with --anchor-path"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_sent(
    gateway: Gateway, words: list[str], message: str
) -> None:
    hat()
    Path("text.png").write_text("no picture", encoding="utf-8")
    own = ["--stop-after=caption"] if "--anchor-path=hat.png" in words else []
    failed = make(gateway, *words, *own)
    assert failed.code == 2, failed.err
    assert message in failed.json["error"]["message"]
    assert not gateway.requests


@pytest.mark.thorough
def test_many_are_made_small_enough_to_go_together(gateway: Gateway) -> None:
    noise = bytes(range(256)) * 4
    from PIL import Image

    picture = Image.frombytes("L", (32, 32), noise).resize((3000, 2000)).convert("RGB")
    picture.save("large.png")
    done = draw(gateway, "A man at a counter", *["--reference=large.png"] * 14)
    assert done.code == 0, done.err
    sent = drawn(gateway).pictures
    assert len(sent) == 14
    assert sum(map(len, sent)) <= 5_600_000


def test_none_of_them_changes_no_text() -> None:
    assert rewrite_messages("a", "anime", "1:1") == rewrite_messages("a", "anime", "1:1", 0)


def test_the_motion_alone_is_written_without_references(gateway: Gateway) -> None:
    hat()
    failed = run(
        "rewrite_prompt",
        PROMPT,
        "--anchor=hat.png",
        "--reference=hat.png",
        "--json",
        gateway=gateway,
    )
    assert failed.code == 2
    assert "--reference has no effect with --anchor" in failed.json["error"]["message"]


# --- one thing changed ----------------------------------------------------------------------------


def test_an_edit_sends_the_picture_and_what_is_to_change(each: Gateway) -> None:
    data = hat("cat.png", 5, (1280, 720))
    done = draw(each, "--edit=cat.png", CHANGE)
    assert done.code == 0, done.err
    told = drawn(each)
    assert told.pictures == (data,)
    assert told.prompt == anchor_image.change_prompt(CHANGE)
    assert CHANGE in told.prompt
    kept = receipt("anchor.png")
    assert kept["inputs"]["change"] == CHANGE
    assert kept["inputs"]["edit"]["name"] == "cat.png"
    assert "caption" not in kept["inputs"]
    assert (kept["stage"], kept["state"]) == ("composition", "succeeded")
    assert draw(each, "--edit=cat.png", CHANGE).json["reused"] is True
    assert each.sent == {"image": 1}
    assert Path("cat.png").read_bytes() == data


def test_an_edit_keeps_the_shape_of_its_picture(gateway: Gateway) -> None:
    hat("tall.png", 5, (720, 1280))
    assert draw(gateway, "--edit=tall.png", CHANGE).code == 0
    assert drawn(gateway).shape == "9:16"
    told = draw(gateway, "--edit=tall.png", CHANGE, "--aspect-ratio=16:9", "--dry-run")
    assert "the edit is requested in 16:9" in " ".join(told.json["warnings"])


def test_an_edit_with_a_reference_names_which_is_which(gateway: Gateway) -> None:
    cat, hats = hat("cat.png", 5), hat()
    assert draw(gateway, "--edit=cat.png", "--reference=hat.png", "put this hat on it").code == 0
    told = drawn(gateway)
    assert told.pictures == (cat, hats)
    assert anchor_image.CHANGE_WITH_REFERENCES in told.prompt


@pytest.mark.thorough
def test_an_edit_takes_candidates_and_its_result_is_an_anchor(gateway: Gateway) -> None:
    data = hat("cat.png", 5, (1280, 720))
    done = draw(gateway, "--edit=cat.png", CHANGE, "--candidates=2")
    assert done.code == 0, done.err
    assert [drawn(gateway, number).pictures for number in range(2)] == [(data,)] * 2
    assert draw(gateway, "--edit=cat.png", CHANGE, "--candidates=2", "--select=2").code == 0
    clip = run(
        "generate_video_from_anchor",
        "--anchor=anchor.png",
        "--prompt=The cat jumps",
        "--output=clip.mp4",
        "--json",
        gateway=gateway,
    )
    assert clip.code == 0, clip.err


@pytest.mark.parametrize("words", [["--style=anime"], ["--enhance"]])
def test_an_edit_takes_no_style(gateway: Gateway, words: list[str]) -> None:
    hat("cat.png", 5)
    failed = draw(gateway, "--edit=cat.png", CHANGE, *words)
    assert failed.code == 2
    assert "has no effect with --edit" in failed.json["error"]["message"]
    assert not gateway.requests


def test_a_model_that_edits_none_is_refused_with_those_that_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [
        row._replace(edits=False) if row.id == "bfl/flux-2-max" else row for row in models.rows()
    ]
    chosen = next(row for row in rows if row.id == "bfl/flux-2-max")
    monkeypatch.setattr(models, "pick", lambda kind, typed, gateway: chosen)
    with pytest.raises(UsageError, match="cannot edit pictures") as caught:
        plan.anchor(
            AnchorRequest(CHANGE, model="bfl/flux-2-max", edit=picture((1280, 720))),
            Rules("vercel"),
        )
    assert "google/gemini-3-pro-image" in caught.value.hint


@pytest.mark.parametrize("change", ["make it orange", "{x} in braces", "line\nbreak", "  spaces  "])
def test_a_change_is_found_again_in_its_text(change: str) -> None:
    for number in (0, 2):
        assert anchor_image.change_in(anchor_image.change_prompt(change, number)) == change.strip()
    assert anchor_image.change_in(anchor_image.edit_prompt([("Is it red?", "")])) is None
    assert anchor_image.change_in(change) is None


@pytest.mark.parametrize("flag", ["--edit", "--reference"])
def test_the_picture_that_is_given_is_never_the_output(gateway: Gateway, flag: str) -> None:
    """The same command again would be about what it has made, and pay again each time."""
    data = hat("anchor.png", 5, (1280, 720))
    for words in ([], ["--overwrite"]):
        failed = draw(gateway, f"{flag}=./anchor.png", CHANGE, *words)
        assert failed.code == 2
        assert f"--output is the picture of {flag}" in failed.json["error"]["message"]
    assert not gateway.requests
    assert Path("anchor.png").read_bytes() == data
