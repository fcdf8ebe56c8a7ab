"""--end-state: the last frame of a clip, made of its first by the image model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, run
from factorized_video.prompts.anchor_image import END_STATE
from loopback import Gateway, Reply, png
from speech import Asked, Wrong

pytestmark = pytest.mark.thorough  # except what is marked `quick`

PROMPT = "A candle burns down"
ENDS = "the candle is a stub"
STAGES = Path("candle.stages")
TAKES_NONE = "spacexai/grok-imagine-video"


def make(gateway: Gateway | None, *words: str, ends: str = ENDS) -> Run:
    told = [f"--prompt={PROMPT}", f"--end-state={ends}", "--output=candle.mp4", "--json"]
    return run("factorized_generate", *told, *words, gateway=gateway)


def clip(gateway: Gateway) -> Asked:
    return gateway.speech.asked(gateway.of("create")[-1])


def receipt(path: Path | str) -> dict[str, Any]:
    data = json.loads(Path(f"{path}.receipt.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


@pytest.mark.quick
def test_it_is_made_of_the_anchor_and_looked_at_before_the_clip_is_paid_for(
    gateway: Gateway,
) -> None:
    stopped = make(gateway, "--stop-after=anchor")
    assert stopped.code == 0, stopped.err
    assert gateway.billed == {"chat": 1, "image": 2}
    assert stopped.json["end_frame"] == str((STAGES / "end-frame.png").absolute())
    asked = gateway.speech.asked(gateway.of("image")[1])
    assert asked.pictures == ((STAGES / "anchor.png").read_bytes(),)
    assert f"{END_STATE}{ENDS}" in asked.prompt
    done = make(gateway)
    assert done.code == 0, done.err
    assert gateway.billed == {"chat": 1, "image": 2, "create": 1}
    sent = clip(gateway)
    assert sent.frame == (STAGES / "anchor.png").read_bytes()
    assert sent.last_frame == (STAGES / "end-frame.png").read_bytes()
    assert sent.frame != sent.last_frame
    costs = [receipt(STAGES / name)["cost"]["amount"] for name in ("anchor.png", "end-frame.png")]
    texts = receipt(STAGES / "caption.txt")["cost"]["amount"]
    whole = sum(costs) + texts + receipt("candle.mp4")["cost"]["amount"]
    assert done.json["cost"]["amount"] == pytest.approx(whole)
    assert (make(gateway).json["reused"], gateway.billed.total()) == (True, 4)


def test_another_end_pays_for_itself_and_for_the_clip(gateway: Gateway) -> None:
    assert make(gateway).code == 0
    assert make(gateway, ends="the candle is gone").code == 2  # another clip lies there
    assert gateway.billed == {"chat": 1, "image": 2, "create": 1}
    assert make(gateway, "--overwrite", ends="the candle is gone").code == 0
    assert gateway.billed == {"chat": 1, "image": 3, "create": 2}


def test_a_last_frame_of_ones_own_is_used_as_it_is(gateway: Gateway) -> None:
    assert make(gateway, "--stop-after=anchor").code == 0
    (STAGES / "end-frame.png").write_bytes(png((1280, 720), 6))
    done = make(gateway)
    assert done.code == 0, done.err
    assert gateway.billed == {"chat": 1, "image": 2, "create": 1}
    assert clip(gateway).last_frame == png((1280, 720), 6)
    assert any("end-frame.png is your own version" in one for one in done.json["warnings"])
    # Changed after the clip was made, it is another clip.
    (STAGES / "end-frame.png").write_bytes(png((1280, 720), 7))
    assert make(gateway).code == 2


def test_another_anchor_has_another_end(gateway: Gateway) -> None:
    assert make(gateway, "--stop-after=anchor").code == 0
    (STAGES / "anchor.png").write_bytes(png((1280, 720), 5))
    assert make(gateway).code == 0
    assert gateway.billed == {"chat": 1, "image": 3, "create": 1}
    assert gateway.speech.asked(gateway.of("image")[-1]).pictures == (png((1280, 720), 5),)


def test_it_is_made_of_an_anchor_of_ones_own_too(gateway: Gateway) -> None:
    Path("mine.png").write_bytes(png((1280, 720), 9))
    done = make(gateway, "--anchor-path=mine.png")
    assert done.code == 0, done.err
    assert gateway.billed == {"image": 1, "create": 1}
    assert gateway.speech.asked(gateway.of("image")[0]).pictures == (png((1280, 720), 9),)
    assert make(gateway, "--anchor-path=mine.png").json["reused"]


def test_with_candidates_it_waits_for_the_choice(gateway: Gateway) -> None:
    assert make(gateway, "--candidates=2").code == 0
    assert gateway.billed == {"chat": 1, "image": 2}
    done = make(gateway, "--candidates=2", "--select=2")
    assert (done.code, done.json["candidate"]) == (0, "2")
    assert gateway.billed == {"chat": 1, "image": 3, "create": 1}


def test_a_refused_one_ends_the_run_before_the_clip(gateway: Gateway) -> None:
    gateway.answers["image"] = lambda request: (
        gateway.speech.error(400, Wrong("Blocked by the content policy"))
        if END_STATE in gateway.speech.asked(request).prompt
        else None
    )
    done = make(gateway)
    assert (done.code, done.json["stage"]) == (5, "end_frame")
    assert gateway.billed == {"chat": 1, "image": 1}
    sent = gateway.sent
    assert (make(gateway).code, gateway.sent) == (5, sent)


def test_a_lost_one_is_not_sent_again_unasked(gateway: Gateway) -> None:
    gateway.answers["image"] = lambda request: (
        Reply(fault="reset") if END_STATE in gateway.speech.asked(request).prompt else None
    )
    assert make(gateway).code == 8
    gateway.answers.pop("image")
    sent = gateway.sent
    assert (make(gateway).code, gateway.sent) == (8, sent)
    assert make(gateway, "--resubmit").code == 0
    assert gateway.billed == {"chat": 1, "image": 3, "create": 1}


def test_the_plan_has_it_and_the_limit_counts_it(gateway: Gateway) -> None:
    plan = make(gateway, "--dry-run").json
    assert [one["stage"] for one in plan["stages"]] == [
        "reasoning",
        "composition",
        "end_frame",
        "synthesis",
    ]
    assert plan["stages"][-1]["settings"]["last_frame"] == "given"
    price = plan["cost"]["amount"]
    assert make(gateway, f"--max-cost={price - 0.01:.4f}").code == 7
    assert gateway.sent == {}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--last-frame=mine.png",), "--last-frame and --end-state end the clip with two pictures"),
        (("--loop",), "--loop and --end-state end the clip with two pictures"),
        (("--direct",), "--end-state has no effect with --direct"),
        ((f"--video-model={TAKES_NONE}",), "does not support a last frame"),
    ],
)
def test_what_cannot_end_so_is_said_before_anything_is_sent(
    gateway: Gateway, words: tuple[str, ...], told: str
) -> None:
    Path("mine.png").write_bytes(png((1280, 720), 9))
    done = make(gateway, *words)
    assert (done.code, gateway.sent) == (2, {})
    assert told in done.json["error"]["message"]
