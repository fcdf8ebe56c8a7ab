"""--compare: the same prompt both ways, one picture of both, and with --verify both measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, run
from judges import FRAMES, QUESTIONS, Judge
from loopback import Gateway, Reply, png
from PIL import Image
from speech import NAMES, Request, Wrong

pytestmark = pytest.mark.thorough  # except what is marked `quick`

PROMPT = "A cat jumping from a bookshelf to the couch"
EVALUATOR = "google/gemini-3.1-pro-preview"


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes at once on few cores: time-outs of a second would be over at times."""
    monkeypatch.setenv("FACTORIZED_VIDEO_TIME_SCALE", "0.05")


@pytest.fixture(
    params=[
        pytest.param(name, marks=[] if name == "vercel" else [pytest.mark.slow]) for name in NAMES
    ]
)
def each(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """Each gateway."""
    with Gateway(request.param) as server:
        yield server


def make(gateway: Gateway | None, *words: str) -> Run:
    """Both ways with --json, to cat.mp4."""
    named = gateway.speech.naming() if gateway else []
    told = [f"--prompt={PROMPT}", "--output=cat.mp4", "--json", "--compare", *named, *words]
    return run("factorized_generate", *told, gateway=gateway)


def prompts_of(gateway: Gateway) -> list[tuple[str, bool]]:
    """What each create was told, and whether it got a first frame."""
    asked = [gateway.speech.asked(request) for request in gateway.of("create")]
    return sorted((one.prompt, one.frame is not None) for one in asked)


# --- both -----------------------------------------------------------------------------------------


def test_both_are_made_and_one_picture_shows_them(each: Gateway) -> None:
    done = make(each)
    assert done.code == 0, done.err
    told = done.json
    assert each.sent == {"chat": 1, "image": 1, "create": 2}
    plain, animated = prompts_of(each)
    assert plain == (PROMPT, False)
    assert animated[0].startswith(PROMPT)
    assert animated[1]
    assert list(told["arms"]) == ["factorized", "direct"]
    assert told["arms"]["direct"]["output"] == str(Path("cat.direct.mp4").absolute())
    parts = [arm["cost"]["amount"] for arm in told["arms"].values()]
    if None not in parts:
        assert told["cost"]["amount"] == pytest.approx(sum(parts))
    with Image.open(told["comparison"]) as picture:
        assert picture.width == 1_560
    again = make(each)
    assert again.code == 0
    assert again.json["cost"] == told["cost"]
    assert each.sent == {"chat": 1, "image": 1, "create": 2}


@pytest.mark.slow
def test_each_clip_is_the_run_that_it_is_alone(gateway: Gateway) -> None:
    assert make(gateway).code == 0
    words = [f"--prompt={PROMPT}", "--output=cat.mp4", "--json"]
    assert run("factorized_generate", *words, gateway=gateway).json["reused"] is True
    assert run("factorized_generate", *words, "--direct", gateway=gateway).json["reused"] is True
    assert gateway.sent == {"chat": 1, "image": 1, "create": 2}


@pytest.mark.slow
def test_a_clip_that_is_there_is_compared_for_the_price_of_the_other(gateway: Gateway) -> None:
    words = [f"--prompt={PROMPT}", "--output=cat.mp4", "--json"]
    assert run("factorized_generate", *words, gateway=gateway).code == 0
    told = make(gateway, "--dry-run").json
    assert [row["stage"] for row in told["stages"]] == ["direct"]
    assert make(gateway).code == 0
    assert gateway.sent == {"chat": 1, "image": 1, "create": 2}


def test_the_plan_is_of_both_and_the_cap_holds_for_both(gateway: Gateway) -> None:
    told = make(gateway, "--dry-run").json
    stages = ["reasoning", "composition", "synthesis", "direct"]
    assert [row["stage"] for row in told["stages"]] == stages
    assert make(gateway, "--max-cost=4.9").code == 7
    assert not gateway.requests
    assert make(gateway, "--max-cost=4.95").code == 0


@pytest.mark.slow
def test_options_of_the_anchor_go_to_the_factorized_clip_alone(gateway: Gateway) -> None:
    Path("mine.png").write_bytes(png())
    done = make(gateway, "--anchor-path=mine.png", "--style=anime", "--duration=4")
    assert done.code == 0, done.err
    (plain, _), (_, framed) = prompts_of(gateway)
    assert "Style: anime" in plain
    assert framed
    asked = [gateway.speech.asked(request) for request in gateway.of("create")]
    assert {one.duration_s for one in asked} == {4}
    assert "image" not in gateway.sent


@pytest.mark.slow
def test_a_motion_that_stage_1_writes_is_told_to_the_factorized_clip_alone(
    gateway: Gateway,
) -> None:
    assert make(gateway, "--prompt-strategy=motion-only").code == 0
    (plain, _), (moved, framed) = prompts_of(gateway)
    assert plain == PROMPT
    assert framed
    assert PROMPT not in moved


# --- the anchor first -----------------------------------------------------------------------------


@pytest.mark.slow
def test_an_anchor_that_is_refused_costs_no_direct_clip(gateway: Gateway) -> None:
    gateway.will("image", Reply(400, means=Wrong("blocked: content policy")))
    failed = make(gateway)
    assert failed.code in (5, 10)
    assert failed.json["error"]["message"].startswith("With first frame: ")
    assert "create" not in gateway.sent
    assert not Path("cat.compare.png").exists()


def test_candidates_await_a_choice_before_any_clip(gateway: Gateway) -> None:
    stopped = make(gateway, "--candidates=2")
    assert stopped.code == 0, stopped.err
    assert stopped.json["candidate"] is None
    assert "--compare" in stopped.json["next"]
    assert stopped.json["next"].endswith("--select=K")
    assert "create" not in gateway.sent
    assert make(gateway, "--candidates=2", "--select=2").code == 0
    assert gateway.sent == {"chat": 1, "image": 2, "create": 2}


@pytest.mark.quick
def test_stop_after_the_anchor(gateway: Gateway) -> None:
    stopped = make(gateway, "--stop-after=anchor")
    assert stopped.code == 0
    assert stopped.json["output"].endswith("anchor.png")
    assert "--compare" in stopped.json["next"]
    assert "--stop-after" not in stopped.json["next"]
    assert "create" not in gateway.sent


# --- one of them fails ----------------------------------------------------------------------------


@pytest.mark.parametrize("arm", ["factorized", pytest.param("direct", marks=pytest.mark.slow)])
def test_one_that_fails_leaves_the_other_and_the_picture(gateway: Gateway, arm: str) -> None:
    def refuse(request: Request) -> Reply | None:
        framed = gateway.speech.asked(request).frame is not None
        wrong = Wrong("no such luck")
        return gateway.speech.error(422, wrong) if framed == (arm == "factorized") else None

    gateway.answers["create"] = refuse
    failed = make(gateway)
    assert failed.code == 10
    title = {"factorized": "With first frame", "direct": "Text only"}[arm]
    assert failed.json["error"]["message"].startswith(title)
    assert failed.json["arms"][arm]["status"] == "rejected"
    other = next(name for name in failed.json["arms"] if name != arm)
    assert failed.json["arms"][other]["status"] == "succeeded"
    assert Path(failed.json["comparison"]).is_file()
    del gateway.answers["create"]
    assert make(gateway).code == 0
    assert gateway.billed["create"] == 2


def test_both_are_submitted_and_waited_for_later(gateway: Gateway) -> None:
    gateway.ends_after = None
    first = make(gateway, "--no-wait")
    assert first.code == 4
    assert gateway.billed["create"] == 2
    assert "--no-wait" not in first.json["next"]
    gateway.ends_after = 1
    assert make(gateway).code == 0
    assert gateway.billed["create"] == 2


def test_a_model_that_is_not_known_there_is_replaced_for_both(gateway: Gateway) -> None:
    gateway.always("create", Reply(404, means=Wrong("model not found")))
    failed = make(gateway)
    assert failed.code == 10
    assert "--compare" in failed.json["next"]
    assert "--video-model=google/veo-3.1-generate-001" in failed.json["next"]


@pytest.mark.quick
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--job=job-1"], "--job"),
        (["--direct"], "not allowed with"),
        (["--evaluator-model=openai/gpt-4o"], "has no effect without --verify"),
        (["--verify", "--evaluator-model=deepseek/deepseek-v4-flash"], "sees no pictures"),
        (["--duration=5"], "4, 6 and 8"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_sent(
    gateway: Gateway, words: list[str], message: str
) -> None:
    failed = make(gateway, *words)
    assert failed.code == 2
    assert message in failed.json["error"]["message"]
    assert not gateway.requests


# --- measured -------------------------------------------------------------------------------------


def measured(gateway: Gateway, *words: str) -> Run:
    return make(gateway, "--verify", *words)


def chats_to(gateway: Gateway, model: str) -> list[dict[str, Any]]:
    return [request.body for request in gateway.of("chat") if request.body["model"] == model]


def test_another_model_than_the_judge_measures_both(gateway: Gateway) -> None:
    Judge(gateway)
    done = measured(gateway)
    assert done.code == 0, done.err
    found = done.json["measurement"]
    assert found["evaluator"] == EVALUATOR
    assert found["questions"] == {"first_frame": list(QUESTIONS), "frames": list(FRAMES)}
    for what, number in (("first_frame", len(QUESTIONS)), ("frames", len(FRAMES))):
        assert {(arm["passed"], arm["asked"]) for arm in found[what].values()} == {(number, number)}
    asked = chats_to(gateway, EVALUATOR)
    assert len(asked) == 5
    shown = [
        sum(part["type"] == "image_url" for part in body["messages"][1]["content"])
        for body in asked[1:]
    ]
    assert shown == [1, 8, 1, 8]
    kept = json.loads(Path("cat.measurement.json").read_text(encoding="utf-8"))
    assert kept["first_frame"] == found["first_frame"]
    # Nothing is asked twice.
    before = dict(gateway.sent)
    assert measured(gateway).json["measurement"] == found
    assert gateway.sent == before


@pytest.mark.quick
def test_the_plan_prices_the_measurement(gateway: Gateway) -> None:
    told = measured(gateway, "--dry-run").json
    rows = [row for row in told["stages"] if row["stage"] == "measurement"]
    assert {row["model"] for row in rows} == {EVALUATOR}
    assert [row["times"] for row in rows] == [1, 2, 2]  # the questions, and two checks of each clip
    assert 0.01 < sum(row["cost"]["amount"] for row in rows) < 0.5


@pytest.mark.quick
def test_what_is_recorded_is_what_was_planned(gateway: Gateway) -> None:
    """Each answer has the price of its own call where the reply does not say what it used."""
    rows = measured(gateway, "--dry-run").json["stages"]
    planned = sum(row["cost"]["amount"] for row in rows if row["stage"] == "measurement")
    Judge(gateway).without_usage = True
    done = measured(gateway)
    assert done.code == 0, done.err
    assert done.json["measurement"]["cost"]["amount"] == pytest.approx(planned)


def test_the_evaluator_that_is_typed_is_asked(gateway: Gateway) -> None:
    Judge(gateway)
    typed = "openai/gpt-5.1"
    done = measured(gateway, f"--evaluator-model={typed}")
    assert done.code == 0, done.err
    assert done.json["measurement"]["evaluator"] == typed
    assert len(chats_to(gateway, typed)) == 5


@pytest.mark.quick
def test_the_judge_as_its_own_evaluator_is_a_warning(gateway: Gateway) -> None:
    told = measured(gateway, "--dry-run", "--evaluator-model=anthropic/claude-sonnet-4.6").json
    assert "both chooses the anchor and measures" in " ".join(told["warnings"])


def test_a_measurement_that_breaks_off_goes_on_where_it_was(gateway: Gateway) -> None:
    judge = Judge(gateway)
    checks: list[int] = []

    def breaks(data: dict[str, Any], what: str) -> Reply | None:
        checks.append(1)
        # The judge's check of the anchor is the first, then two of the evaluator's.
        return gateway.speech.error(500, Wrong("not now")) if len(checks) > 3 else None

    judge.says["check"] = breaks
    failed = measured(gateway)
    assert failed.code == 6, failed.out
    assert failed.json["error"]["kind"] == "unavailable"
    assert Path(failed.json["comparison"]).is_file()
    assert Path("cat.mp4").is_file()
    assert Path("cat.direct.mp4").is_file()
    judge.says.pop("check")
    before = len(chats_to(gateway, EVALUATOR))
    assert measured(gateway).code == 0
    assert len(chats_to(gateway, EVALUATOR)) == before + 2
    assert gateway.billed["create"] == 2


@pytest.mark.slow
def test_an_evaluator_that_says_always_yes_is_unknown(gateway: Gateway) -> None:
    judge = Judge(gateway)

    def yes(data: dict[str, Any], what: str) -> str:
        rows = [
            {"id": row["id"], "seen": "it", "answer": "yes", "reason": "so"}
            for row in data["questions"]
        ]
        return json.dumps({"answers": rows})

    judge.says["check"] = lambda data, what: yes(data, what) if "frames_s" in data else None
    found = measured(gateway).json["measurement"]
    assert {arm["state"] for arm in found["frames"].values()} == {"unknown"}
    assert {arm["state"] for arm in found["first_frame"].values()} == {"passed"}
