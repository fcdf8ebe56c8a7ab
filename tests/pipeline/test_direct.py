"""--direct: plain text-to-video with the same care, at every gateway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, run
from factorized_video import models
from loopback import Gateway, Reply, png
from speech import Asked, Wrong

PROMPT = "A cat jumping from a bookshelf to the couch"
FOLLOWS = "alibaba/wan-v3.0-video"  # its clips follow a picture; without one the ratio is told
ADAPTS = "bytedance/seedance-2.5"


def make(gateway: Gateway | None, *words: str) -> Run:
    """The orchestrator with --json and --direct, to cat.mp4."""
    named = (
        [f"--video-model={gateway.speech.models['video']}"]
        if (gateway and gateway.speech.models)
        else []
    )
    told = [f"--prompt={PROMPT}", "--output=cat.mp4", "--json", "--direct", *named, *words]
    return run("factorized_generate", *told, gateway=gateway)


def alone(gateway: Gateway | None, *words: str) -> Run:
    """Stage 3 with --json and --direct, to cat.mp4."""
    named = gateway.speech.naming("video") if gateway else []
    told = [f"--prompt={PROMPT}", "--output=cat.mp4", "--json", "--direct", *named, *words]
    return run("generate_video_from_anchor", *told, gateway=gateway)


BOTH = pytest.mark.parametrize("script", [make, alone], ids=["orchestrator", "stage 3"])


def arrived(gateway: Gateway) -> Asked:
    return gateway.speech.asked(gateway.of("create")[-1])


def receipt(path: str = "cat.direct.mp4") -> dict[str, Any]:
    data = json.loads(Path(f"{path}.receipt.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


@BOTH
def test_the_prompt_alone_is_told_and_the_clip_stands_beside(each: Gateway, script: Any) -> None:
    done = script(each)
    assert done.code == 0, done.err
    asked = arrived(each)
    assert (asked.prompt, asked.frame, asked.last_frame) == (PROMPT, None, None)
    assert each.sent == {"create": 1}
    told = done.json
    assert told["output"] == str(Path("cat.direct.mp4").absolute())
    assert told["stage"] == "direct"
    assert told["anchor_fidelity"] is None
    assert not [warning for warning in told["warnings"] if "first frame" in warning]
    kept = receipt()
    assert (kept["stage"], kept["state"]) == ("direct", "succeeded")
    assert "anchor" not in kept["inputs"]
    assert "first_frame" not in kept["sent"]
    assert kept["took_s"] > 0
    assert script(each).json["reused"] is True
    assert each.sent == {"create": 1}
    assert not Path("cat.mp4").exists()


@pytest.mark.thorough
def test_the_orchestrator_and_stage_3_know_each_others_clip(gateway: Gateway) -> None:
    assert make(gateway).code == 0
    assert alone(gateway).json["reused"] is True
    assert gateway.sent == {"create": 1}


@pytest.mark.thorough
def test_a_name_that_nobody_typed_is_that_of_the_clip_in_three_stages(gateway: Gateway) -> None:
    words = [f"--prompt={PROMPT}", "--json", "--duration=4"]
    three = run("factorized_generate", *words, gateway=gateway).json["output"]
    direct = run("factorized_generate", *words, "--direct", gateway=gateway).json["output"]
    assert direct == three.removesuffix(".mp4") + ".direct.mp4"


def test_a_name_that_says_direct_is_taken_as_it_is(gateway: Gateway) -> None:
    told = make(gateway, "--output=x.direct.mp4").json
    assert told["output"] == str(Path("x.direct.mp4").absolute())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], PROMPT),
        (["--style=anime"], f"{PROMPT}\n\nStyle: anime illustration, clean line art"),
        (["--motion=The cat leaps"], f"{PROMPT}\n\nThe cat leaps"),
        (["--motion=The cat leaps", "--prompt-strategy=original"], PROMPT),
        (["--motion=The cat leaps", "--prompt-strategy=motion-only"], "The cat leaps"),
    ],
)
def test_what_is_told_is_what_the_person_typed(
    gateway: Gateway, words: list[str], told: str
) -> None:
    assert make(gateway, *words).code == 0
    assert arrived(gateway).prompt.startswith(told)


@pytest.mark.parametrize("model", [FOLLOWS, ADAPTS])
def test_without_a_picture_the_ratio_is_told(model: str) -> None:
    with Gateway("vercel") as gateway:
        assert make(gateway, f"--video-model={model}", "--aspect-ratio=9:16").code == 0
        assert gateway.of("create")[0].body["aspectRatio"] == "9:16"


@pytest.mark.parametrize(
    "words",
    [
        ["--anchor-path=mine.png"],
        ["--draft"],
        ["--candidates=2"],
        ["--verify"],
        ["--skip-reasoning"],
        ["--stop-after=anchor"],
        ["--enhance"],
        ["--fit=pad"],
        ["--last-frame=mine.png"],
        ["--llm-model=openai/gpt-4o"],
        ["--motion-from-anchor"],
        ["--save-intermediate"],
        ["--work-dir=x"],
    ],
)
def test_what_says_nothing_without_an_anchor_is_refused(gateway: Gateway, words: list[str]) -> None:
    Path("mine.png").write_bytes(png())
    failed = make(gateway, *words)
    assert failed.code == 2
    assert f"{words[0].partition('=')[0]} has no effect with --direct" in failed.err
    assert not gateway.requests


def test_the_plan_is_one_call_and_under_the_cap(gateway: Gateway) -> None:
    told = make(gateway, "--dry-run").json
    assert [row["stage"] for row in told["stages"]] == ["direct"]
    assert told["cost"]["amount"] == pytest.approx(2.4)
    assert make(gateway, "--max-cost=2").code == 7
    assert not gateway.requests


@pytest.mark.thorough
def test_a_job_that_was_submitted_is_waited_for(gateway: Gateway) -> None:
    gateway.ends_after = None
    assert make(gateway, "--no-wait").code == 4
    gateway.ends_after = 1
    done = make(gateway)
    assert done.code == 0, done.err
    assert gateway.sent == {"create": 1}


@pytest.mark.thorough
def test_a_lost_answer_is_looked_for(gateway: Gateway) -> None:
    gateway.clock_ahead_s = 0.0
    gateway.will("create", Reply(fault="reset"))
    done = make(gateway)
    assert done.code == 0, done.err
    assert receipt()["adopted"] is True
    assert gateway.billed["create"] == 1


@pytest.mark.thorough
def test_a_refusal_asks_for_other_words_and_keeps_no_anchor(gateway: Gateway) -> None:
    gateway.ending = {"status": "failed", "error": "blocked by the safety filter"}
    failed = make(gateway)
    assert failed.code == 5
    assert "anchor" not in failed.json["error"]["hint"]
    assert "--direct" in failed.json["next"]


@pytest.mark.thorough
def test_a_model_that_is_not_known_there_is_replaced_in_the_orchestrators_words(
    gateway: Gateway,
) -> None:
    gateway.will("create", Reply(404, means=Wrong("model not found")))
    failed = make(gateway)
    assert failed.code == 10
    assert "--video-model=google/veo-3.1-generate-001" in failed.json["next"]
    assert "--direct" in failed.json["next"]


@BOTH
@pytest.mark.parametrize("row", [row for row in models.rows("video") if row.text_sibling])
def test_an_image_only_model_names_its_sibling(script: Any, row: models.Model) -> None:
    with Gateway("vercel") as gateway:
        flag = "--video-model" if script is make else "--model"
        failed = script(gateway, f"{flag}={row.id}")
        assert failed.code == 2
        assert row.text_sibling is not None
        sibling = models.pick("video", row.text_sibling, "vercel").id
        assert sibling in failed.json["error"]["hint"]
        assert not gateway.requests
        if not models.gateway("vercel").defaults or row.status != "live":
            return
        told = script(gateway, f"{flag}={sibling}", "--dry-run")
        assert told.code == 0, told.err


def test_one_without_a_sibling_names_those_that_make_a_clip_from_a_prompt(gateway: Gateway) -> None:
    failed = make(gateway, "--video-model=byteplus/seedance-1-0-lite-i2v")
    assert failed.code == 2
    assert "A prompt alone is supported by" in failed.json["error"]["hint"]


def test_a_text_to_video_model_takes_no_anchor(gateway: Gateway) -> None:
    Path("mine.png").write_bytes(png())
    sibling = next(row.text_sibling for row in models.rows("video") if row.text_sibling)
    words = [f"--prompt={PROMPT}", "--anchor=mine.png", f"--model={sibling}", "--json"]
    failed = run("generate_video_from_anchor", *words, gateway=gateway)
    assert failed.code == 2
    assert "does not support a first frame" in failed.json["error"]["message"]
