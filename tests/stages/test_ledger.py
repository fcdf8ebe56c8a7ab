"""Every call is held against the limit of the whole run, whatever was paid for since the plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run, run
from judges import Judge
from loopback import CAPTION, Gateway, Reply, png
from storm import receipt

pytestmark = pytest.mark.thorough

PROMPT = "A cat jumps from a bookshelf to the couch"
CHAT = 0.25  # what each answer costs here
LOST = Reply(fault="reset")  # taken and billed; no byte of the answer comes
WELL = "Well."  # an answer that cannot be used


@pytest.fixture
def dear(gateway: Gateway) -> Gateway:
    """Each chat costs a quarter of a dollar."""
    gateway.chat_usd = CHAT
    return gateway


def draw(gateway: Gateway, *args: str) -> Run:
    words = [CAPTION, "--output=a.png", "--json", *args]
    return run("generate_anchor", *words, gateway=gateway)


def film(gateway: Gateway, *args: str) -> Run:
    words = [f"--prompt={PROMPT}", "--output=v.mp4", "--json", *args]
    return run("factorized_generate", *words, gateway=gateway)


def spent(done: Run) -> float:
    return float(done.json["spent"]["amount"])


def test_questions_that_cannot_be_used_count_and_end_at_the_limit(dear: Gateway) -> None:
    """Each run asked twice, and none of it stood anywhere: six calls under a limit of two."""
    Judge(dear).says["questions"] = lambda data, what: WELL
    codes = [draw(dear, "--verify", "--max-cost=0.6").code for _ in range(3)]
    assert codes == [9, 7, 7]
    assert dear.billed["chat"] * CHAT <= 0.6
    assert receipt("a.candidates/questions.txt")["state"] == "failed"


def test_checks_that_cannot_be_used_end_at_the_limit(dear: Gateway) -> None:
    judge = Judge(dear)
    judge.says["check"] = lambda data, what: WELL
    stopped = draw(dear, "--verify", "--max-cost=0.70")  # picture 0.134, questions and one answer
    assert (stopped.code, dear.billed) == (7, {"image": 1, "chat": 2})
    assert spent(stopped) == pytest.approx(0.134 + 2 * CHAT)
    again = draw(dear, "--verify", "--max-cost=0.64")
    assert (again.code, dear.billed["chat"]) == (7, 2)


def test_a_caption_is_asked_for_again_only_within_the_limit(dear: Gateway) -> None:
    dear.always("chat", dear.speech.chat(WELL, CHAT))
    words = (PROMPT, "--output=c.txt", "--json", "--max-cost=0.3")
    stopped = run("rewrite_prompt", *words, gateway=dear)
    assert (stopped.code, dear.billed["chat"]) == (7, 1)
    assert spent(stopped) == pytest.approx(CHAT)


def test_a_caption_that_moves_is_used_where_there_is_no_room_to_ask_again(dear: Gateway) -> None:
    said = json.dumps({"caption": "A cat jumping through the air.", "motion": "It lands."})
    dear.always("chat", dear.speech.chat(said, CHAT))
    words = (PROMPT, "--output=c.txt", "--json", "--max-cost=0.3")
    done = run("rewrite_prompt", *words, gateway=dear)
    assert (done.code, dear.billed["chat"]) == (0, 1), done.err
    assert "may still describe motion" in done.err


def test_chats_whose_answers_got_lost_count(gateway: Gateway) -> None:
    gateway.will("chat", LOST, LOST)
    done = run("rewrite_prompt", PROMPT, "--output=c.txt", "--json", gateway=gateway)
    assert (done.code, gateway.billed["chat"]) == (0, 3)
    assert spent(done) == pytest.approx(0.0059 + 2 * 0.012)  # what was said, and twice as expected
    assert done.json["cost"]["kind"] == "estimated"


def test_a_lost_chat_is_sent_again_only_within_the_limit(gateway: Gateway) -> None:
    gateway.always("chat", LOST)
    words = (PROMPT, "--output=c.txt", "--json", "--max-cost=0.03")
    stopped = run("rewrite_prompt", *words, gateway=gateway)
    assert (stopped.code, gateway.billed["chat"]) == (7, 2)
    assert spent(stopped) == pytest.approx(0.024)
    assert run("rewrite_prompt", *words, gateway=gateway).code == 7
    assert gateway.billed["chat"] == 2


def test_an_edit_is_held_against_what_the_whole_run_has_cost(dear: Gateway) -> None:
    """Stage 1's cost stands in another receipt than the anchor's."""
    Judge(dear).fails["1"] = {1}
    limit = 4 * CHAT + 2 * 0.134 + 2.40 - 0.05
    words = ("--verify", "--repair", "--stop-after=anchor", f"--max-cost={limit:.4f}")
    plan = film(dear, *words, "--dry-run")
    done = film(dear, *words)
    assert plan.code == 0, plan.err
    assert spent(done) <= limit
    tight = 3 * CHAT + 0.134 + 0.05  # room for all but the edit
    other = run(
        "factorized_generate",
        f"--prompt={PROMPT}",
        "--output=w.mp4",
        "--json",
        "--repair",
        "--stop-after=anchor",
        f"--max-cost={tight:.4f}",
        gateway=dear,
    )
    assert other.code in (0, 7)
    assert spent(other) <= tight + 1e-6


def test_what_got_lost_in_a_run_is_not_counted_twice_before_its_edit(gateway: Gateway) -> None:
    judge = Judge(gateway)
    judge.fails["2"] = {1}
    assert draw(gateway, "--candidates=2").code == 0
    Path("a.candidates/candidate-1.png").unlink()
    gateway.will("image", Reply(500, json={"error": {"message": "x"}}, accepted=True))
    words = ("--candidates=2", "--repair", "--resubmit")
    plan = draw(gateway, *words, "--dry-run")
    limit = plan.json["spent"]["amount"] + plan.json["cost"]["amount"]
    done = draw(gateway, *words, f"--max-cost={limit:.4f}")
    assert done.code in (0, 12), done.err
    assert Path("a.candidates/candidate-2r.png").is_file(), done.err
    assert spent(done) <= limit


def test_a_picture_that_costs_more_than_expected_stops_the_next(gateway: Gateway) -> None:
    gateway.image_usd = 0.5
    done = draw(gateway, "--candidates=6", "--max-cost=1.0")
    assert done.code == 7, done.err
    # At most four are out at once, none is begun once a dear one is known.
    assert 2 <= gateway.billed["image"] <= 5
    assert spent(done) == pytest.approx(0.5 * gateway.billed["image"])


@pytest.mark.parametrize("deed", ["delete", "edit", "older"])
def test_a_plan_counts_the_first_candidate_that_is_made_anew(gateway: Gateway, deed: str) -> None:
    if deed == "older":  # of another caption, where the first candidate goes
        words = ["A dog.", "--output=a.png", "--json", "--candidates=2"]
        assert run("generate_anchor", *words, gateway=gateway).code == 0
    assert draw(gateway, "--overwrite").code == 0
    before = gateway.billed["image"]
    if deed == "delete":
        Path("a.png").unlink()
    elif deed == "edit":
        Path("a.png").write_bytes(png((640, 360), 5))
    words = ["--candidates=2", "--overwrite"]
    plan = draw(gateway, *words, "--dry-run")
    (call,) = plan.json["stages"]
    done = draw(gateway, *words)
    assert done.code == 0, done.err
    assert gateway.billed["image"] - before == call["times"] == (1 if deed == "older" else 2)


# --- many prompts ---------------------------------------------------------------------------------


def test_no_line_of_a_batch_has_more_than_its_share(gateway: Gateway) -> None:
    """The first one had the whole limit, and what it wasted was missing for the others."""
    rows = [{"prompt": f"A cat number {n}"} for n in range(3)]
    Path("many.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    gateway.will("chat", gateway.speech.chat(WELL, 1.5))  # it would be asked for again
    limit = 3 * (0.012 + 0.134 + 2.40) + 0.3
    words = ["--prompts-file=many.jsonl", "--output=out", "--concurrency=1", "--json"]
    done = run("factorized_generate", *words, f"--max-cost={limit:.3f}", gateway=gateway)
    assert [line["status"] for line in done.json["lines"]].count("succeeded") == 2, done.err
    assert gateway.billed["chat"] == 3  # the first line was stopped at its share


def test_the_settings_of_a_line_replace_those_of_the_command(gateway: Gateway) -> None:
    for number, name in enumerate(("one.png", "two.png")):
        Path(name).write_bytes(png((1280, 720), number))
    Path("motion.txt").write_text("It stands still.", encoding="utf-8")
    rows = [
        {"prompt": "A cat", "settings": {"reference": ["two.png"], "motion": "It leaps."}},
        {"prompt": "A dog", "settings": {"reference": None, "enhance": False}},
        {"prompt": "A cow"},
    ]
    Path("many.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    words = ["--prompts-file=many.jsonl", "--output=out", "--json", "--reference=one.png"]
    words += ["--motion-file=motion.txt", "--enhance"]
    done = run("factorized_generate", *words, gateway=gateway)
    assert done.code == 0, done.err
    asked = {
        one["asked"]["prompt"]: one["asked"]
        for one in (receipt(path) for path in map(str, Path("out").glob("*.mp4")))
    }
    assert len(asked["A cat"]["references"]) == len(asked["A cow"]["references"]) == 1
    assert asked["A cat"]["references"] != asked["A cow"]["references"]
    assert "references" not in asked["A dog"]
    assert [asked[f"A {one}"].get("enhance") for one in ("cat", "dog", "cow")] == [True, None, True]
    motions = [asked[f"A {one}"]["motion"] for one in ("cat", "dog", "cow")]
    assert motions == ["It leaps.", "It stands still.", "It stands still."]


# --- where the limit is ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "FACTORIZED_VIDEO_MAX_COST 5",
        "FACTORIZED_VIDEO_MAX_COST: 5",
        "factorized_video_max_cost=5",
        "export FACTORIZED_VIDEO_MAX_COST",
    ],
)
def test_a_limit_that_sets_nothing_is_said(gateway: Gateway, line: str) -> None:
    Path(".env").write_text(f"# mine\n{line}\n", encoding="utf-8")
    refused = draw(gateway)
    assert (refused.code, gateway.requests) == (2, [])
    assert "line 2" in refused.err


def test_a_file_that_cannot_be_read_may_hold_a_limit(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    from factorized_video.errors import UsageError
    from factorized_video.gateway import lookup

    def denied(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    Path(".env").write_text("FACTORIZED_VIDEO_MAX_COST=5\n", encoding="utf-8")
    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(UsageError, match="may set a spending limit"):
        lookup.look_up("auto", {}, Path("skill"), Path.cwd())
