"""Candidates: several anchors, one of them taken, through the real command line."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, ended, run, start
from factorized_video.media import grid
from judges import QUESTIONS, Judge
from loopback import CAPTION, Gateway
from PIL import Image
from speech import NAMES, Reply

pytestmark = pytest.mark.thorough  # except what is marked `quick`

PROMPT = "A cat jumping from a bookshelf to the couch"


@pytest.fixture
def judge(gateway: Gateway) -> Judge:
    return Judge(gateway)


@pytest.fixture(params=[pytest.param(NAMES[0], marks=pytest.mark.quick), *NAMES[1:]])
def anywhere(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """A gateway of each kind."""
    with Gateway(request.param) as server:
        yield server


def draw(gateway: Gateway, *words: str, output: str = "a.png", **more: Any) -> Run:
    naming = gateway.speech.naming("image") if gateway.speech.models else []
    return run(
        "generate_anchor",
        CAPTION,
        "--json",
        f"--output={output}",
        *naming,
        *words,
        gateway=gateway,
        **more,
    )


def film(gateway: Gateway, *words: str, **more: Any) -> Run:
    return run(
        "factorized_generate",
        f"--prompt={PROMPT}",
        "--json",
        "--output=v.mp4",
        *gateway.speech.naming(),
        *words,
        gateway=gateway,
        **more,
    )


def receipt(path: str | Path) -> dict[str, Any]:
    data = json.loads(Path(f"{path}.receipt.json").read_text())
    assert isinstance(data, dict)
    return data


def billed(gateway: Gateway) -> tuple[int, int, int]:
    """Chats, images and clips that were paid for."""
    return tuple(gateway.billed[name] for name in ("chat", "image", "create"))  # type: ignore[return-value]


# -- drawn side by side ----------------------------------------------------------------------------


def test_candidates_are_drawn_and_the_run_stops_with_the_contact_sheet(anywhere: Gateway) -> None:
    Judge(anywhere)
    ended = film(anywhere, "--candidates=4")
    assert (ended.code, billed(anywhere)) == (0, (1, 4, 0)), ended.err
    result = ended.json
    sheet = Path("v.stages/anchor.candidates/contact-sheet.png").absolute()
    assert result["status"] == "succeeded"
    assert result["output"] == result["contact_sheet"] == str(sheet)
    assert Image.open(sheet).size[0] <= 1560
    assert result["next"].endswith("--candidates=4 --select=K")
    assert result["candidate"] is None
    assert [one["candidate"] for one in result["candidates"]] == ["1", "2", "3", "4"]
    assert {one["state"] for one in result["candidates"]} == {"unchecked"}
    assert len({one["sha256"] for one in result["candidates"]}) == 4
    assert not Path("v.stages/anchor.png").exists()
    again = film(anywhere, "--candidates=4")
    assert (again.code, billed(anywhere)) == (0, (1, 4, 0))


def test_without_json_the_sheet_is_what_is_printed(gateway: Gateway, judge: Judge) -> None:
    ended = run("generate_anchor", CAPTION, "--candidates=2", "--output=a.png", gateway=gateway)
    assert ended.out == f"{Path('a.candidates/contact-sheet.png').absolute()}\n"


def test_one_is_taken_and_later_another_free_and_without_overwrite(gateway: Gateway) -> None:
    Judge(gateway)
    draw(gateway, "--candidates=3")
    before = billed(gateway)
    for name in ("2", "3", "2"):
        ended = draw(gateway, "--candidates=3", f"--select={name}")
        assert ended.code == 0, ended.err
        assert ended.json["output"] == str(Path("a.png").absolute())
        assert ended.json["candidate"] == name
        assert ended.json["reused"] is True
        taken, place = Path("a.png"), Path(f"a.candidates/candidate-{name}.png")
        assert taken.read_bytes() == place.read_bytes()
        assert receipt("a.png")["candidate"] == name
        assert receipt("a.png")["cost"]["amount"] == 0
    assert billed(gateway) == before
    assert sorted(os.listdir()) == ["a.candidates", "a.png", "a.png.receipt.json"]


def test_the_flag_alone_chooses_too_and_the_clip_is_made_of_it(
    gateway: Gateway, judge: Judge
) -> None:
    film(gateway, "--candidates=2")
    ended = film(gateway, "--select=2")
    assert (ended.code, billed(gateway)) == (0, (1, 2, 1)), ended.err
    assert (
        Path("v.stages/anchor.png").read_bytes()
        == Path("v.stages/anchor.candidates/candidate-2.png").read_bytes()
    )
    assert film(gateway, "--select=2").json["reused"] is True
    other = film(gateway, "--select=1")
    assert (other.code, billed(gateway)) == (2, (1, 2, 1))
    assert "--overwrite" in other.json["error"]["hint"]
    looked = film(gateway, "--select=1", "--stop-after=anchor")
    assert (looked.code, looked.json["candidate"], billed(gateway)) == (0, "1", (1, 2, 1))
    more = film(gateway, "--select=1", "--overwrite")
    assert (more.code, billed(gateway)) == (0, (1, 2, 2)), more.err
    assert Path("v.1.mp4").exists()


def test_a_candidate_that_is_not_there_cannot_be_taken(gateway: Gateway, judge: Judge) -> None:
    nothing = draw(gateway, "--select=1")
    assert (nothing.code, billed(gateway)) == (2, (0, 0, 0))
    assert nothing.json["error"]["hint"] == "Generate some with --candidates N first."
    draw(gateway, "--candidates=2")
    ended = draw(gateway, "--candidates=4", "--select=3")
    assert (ended.code, billed(gateway)) == (2, (0, 2, 0))
    assert ended.json["error"]["hint"] == "Choose one of 1 and 2."
    for word in ("K", "0", "13", "1x", "r", ""):
        assert draw(gateway, f"--select={word}").code == 2


def test_no_more_than_four_are_drawn_at_once(gateway: Gateway, judge: Judge) -> None:
    gateway.always("image", Reply(fault="hang"))
    process = start("generate_anchor", CAPTION, "--output=a.png", "--candidates=9", gateway=gateway)
    wait_for(lambda: len(gateway.of("image")) == 4)
    time.sleep(0.3)
    assert len(gateway.of("image")) == 4
    os.killpg(process.pid, signal.SIGKILL)
    ended(process)


def test_more_are_drawn_for_what_they_cost_alone(gateway: Gateway, judge: Judge) -> None:
    draw(gateway, "--candidates=2")
    ended = draw(gateway, "--candidates=4")
    assert (ended.code, billed(gateway)) == (0, (0, 4, 0))
    told = [request.body.get("user") for request in gateway.of("image")]
    assert sorted(map(str, told)) == ["None", "candidate-2", "candidate-3", "candidate-4"]


def test_a_plain_anchor_becomes_the_first_candidate_and_comes_back(
    gateway: Gateway, judge: Judge
) -> None:
    assert draw(gateway).code == 0
    plain = Path("a.png").read_bytes()
    ended = draw(gateway, "--candidates=3")
    assert (ended.code, billed(gateway)) == (0, (0, 3, 0)), ended.err
    assert Path("a.candidates/candidate-1.png").read_bytes() == plain
    assert not Path("a.png").exists()
    back = draw(gateway)
    assert (back.code, back.json["candidate"], billed(gateway)) == (0, "1", (0, 3, 0))
    assert Path("a.png").read_bytes() == plain


def test_other_words_are_other_candidates_and_the_old_ones_stay(
    gateway: Gateway, judge: Judge
) -> None:
    draw(gateway, "--candidates=2")
    other = ["generate_anchor", "A dog", "--json", "--output=a.png", "--candidates=2"]
    ended = run(*other, gateway=gateway)
    assert (ended.code, billed(gateway)) == (2, (0, 2, 0))
    ended = run(*other, "--overwrite", gateway=gateway)
    assert (ended.code, billed(gateway)) == (0, (0, 4, 0)), ended.err
    names = {path.name for path in Path("a.candidates").glob("*.png")}
    assert {"candidate-1.png", "candidate-1.1.png", "candidate-2.1.png"} <= names


def test_an_anchor_of_another_is_not_written_over(gateway: Gateway, judge: Judge) -> None:
    Path("a.png").write_bytes(b"mine")
    ended = draw(gateway, "--candidates=2")
    assert (ended.code, billed(gateway)) == (2, (0, 0, 0))
    assert draw(gateway, "--candidates=1", "--verify", "--overwrite").code == 0
    assert Path("a.1.png").read_bytes() == b"mine"


def test_an_anchor_that_a_person_changed_is_theirs(gateway: Gateway, judge: Judge) -> None:
    film(gateway, "--candidates=2")
    film(gateway, "--candidates=2", "--select=2", "--stop-after=anchor")
    Image.new("RGB", (1280, 720), "green").save("v.stages/anchor.png")
    ended = film(gateway, "--candidates=2", "--select=2")
    assert (ended.code, billed(gateway)) == (0, (1, 2, 1)), ended.err
    assert any("your own version" in text for text in ended.json["warnings"])


# -- when something goes wrong ---------------------------------------------------------------------


@pytest.mark.quick
def test_one_that_is_refused_is_missed_and_the_others_go_on(gateway: Gateway, judge: Judge) -> None:
    gateway.will("image", Reply(400, {"error": {"message": "no", "code": "content_filter"}}))
    ended = draw(gateway, "--candidates=4")
    assert (ended.code, billed(gateway)) == (0, (0, 3, 0)), ended.err
    states = sorted(one["state"] for one in ended.json["candidates"])
    assert states == ["refused", "unchecked", "unchecked", "unchecked"]
    assert any("is missing" in text for text in ended.json["warnings"])
    again = draw(gateway, "--candidates=4")
    assert (again.code, billed(gateway)) == (0, (0, 3, 0))
    assert draw(gateway, "--candidates=4", "--resubmit").code == 0
    assert billed(gateway) == (0, 4, 0)


@pytest.mark.quick
def test_a_lost_one_is_not_paid_for_twice(gateway: Gateway, judge: Judge) -> None:
    gateway.will("image", Reply(fault="reset"))
    ended = draw(gateway, "--candidates=3")
    assert (ended.code, billed(gateway)) == (0, (0, 3, 0)), ended.err
    assert sorted(one["state"] for one in ended.json["candidates"])[-1] == "unknown"
    assert ended.json["cost"]["kind"] in ("estimated", "unknown")
    draw(gateway, "--candidates=3")
    assert billed(gateway) == (0, 3, 0)


@pytest.mark.parametrize(
    "fault, code",
    [
        (Reply(401, {"error": {"message": "bad key"}}), 3),
        (Reply(400, {"error": {"message": "bad ratio"}}), 10),
        (Reply(503, headers={"Retry-After": "0"}), 6),
        (Reply(400, {"error": {"message": "no", "code": "content_filter"}}), 5),
        (Reply(fault="reset"), 8),
        (Reply(json={"data": [{"b64_json": "bm8gcGljdHVyZQ=="}]}), 9),
    ],
    ids=str,
)
def test_where_none_could_be_drawn_it_says_why(
    gateway: Gateway, judge: Judge, fault: Reply, code: int
) -> None:
    gateway.always("image", fault)
    ended = draw(gateway, "--candidates=3")
    assert ended.code == code, ended.err
    assert not list(Path().rglob("*.part"))
    gateway.mend()
    later = draw(gateway, "--candidates=3")
    assert later.code == (0 if code in (3, 6, 10) else code)


def test_killed_while_they_are_drawn_the_same_command_makes_the_missing_ones(
    gateway: Gateway, judge: Judge
) -> None:
    """Two are there, and the next ones wait for the gateway: SIGTERM, then once more."""
    draw(gateway, "--candidates=2")
    gateway.always("image", Reply(503, headers={"Retry-After": "50"}))
    process = start(
        "generate_anchor", CAPTION, "--json", "--output=a.png", "--candidates=4", gateway=gateway
    )
    wait_for(lambda: len(gateway.of("image")) >= 4)
    os.killpg(process.pid, signal.SIGTERM)
    os.killpg(process.pid, signal.SIGTERM)  # at once
    assert ended(process).code == 130
    gateway.mend()
    after = draw(gateway, "--candidates=4", "--resubmit")
    assert (after.code, billed(gateway)) == (0, (0, 4, 0)), after.err


def test_a_first_signal_waits_for_the_pictures_that_are_out(gateway: Gateway, judge: Judge) -> None:
    gateway.will("image", *[Reply(fault="slow", pace_s=0.1)] * 4)
    process = start(
        "generate_anchor",
        CAPTION,
        "--json",
        "--output=a.png",
        "--candidates=6",
        "--verify",
        gateway=gateway,
        env={"FACTORIZED_VIDEO_TIME_SCALE": "1"},
    )
    wait_for(lambda: len(gateway.of("image")) == 4)
    os.killpg(process.pid, signal.SIGINT)
    stopped = ended(process)
    assert (stopped.code, gateway.billed["image"]) == (130, 4), stopped.err
    there = list(Path("a.candidates").glob("candidate-*.png"))
    assert len(there) == 4
    after = draw(gateway, "--candidates=6", "--verify")
    assert (after.code, gateway.billed["image"]) == (0, 6), after.err


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_process_at_a_time(gateway: Gateway, judge: Judge) -> None:
    gateway.always("image", Reply(fault="hang"))
    process = start(
        "generate_anchor", CAPTION, "--json", "--output=a.png", "--candidates=2", gateway=gateway
    )
    wait_for(lambda: len(gateway.of("image")) == 2)
    assert draw(gateway, "--candidates=2").code == 4
    os.killpg(process.pid, signal.SIGKILL)
    ended(process)


# -- what it costs ---------------------------------------------------------------------------------


def planned(result: dict[str, Any]) -> dict[str, int]:
    return {call["stage"]: call["times"] for call in result["stages"]}


def test_the_plan_counts_what_is_left(gateway: Gateway, judge: Judge) -> None:
    words = ["--candidates=4", "--verify", "--repair"]
    full = film(gateway, *words, "--dry-run").json
    assert planned(full) == {
        "reasoning": 1,
        "questions": 1,
        "composition": 4,
        "verification": 5,
        "repair": 1,
        "synthesis": 1,
    }
    prices = {call["stage"]: call["cost"]["amount"] for call in full["stages"]}
    assert prices["composition"] == pytest.approx(4 * 0.134)
    assert full["cost"]["amount"] == pytest.approx(sum(prices.values()))
    judge.fails = {str(number): {1} for number in range(1, 5)}
    judge.fails["1r"] = {1}
    film(gateway, "--candidates=2", "--verify", "--repair", "--stop-after=anchor")
    left = film(gateway, *words, "--dry-run", "--overwrite").json
    assert planned(left) == {"composition": 2, "verification": 3, "repair": 1, "synthesis": 1}
    film(gateway, *words, "--stop-after=anchor")
    assert planned(film(gateway, *words, "--dry-run").json) == {"synthesis": 1}
    waits = film(gateway, "--candidates=6", "--dry-run").json
    assert planned(waits) == {"composition": 2}
    assert any("waits until a candidate is chosen" in text for text in waits["skipped"])


def test_candidates_count_in_the_cap(gateway: Gateway, judge: Judge) -> None:
    words = ["--candidates=4", "--verify"]
    least = film(gateway, *words, "--dry-run").json["cost"]["amount"]
    refused = film(gateway, *words, f"--max-cost={least - 0.01}")
    assert (refused.code, billed(gateway)) == (7, (0, 0, 0))
    alone = draw(gateway, *words, "--max-cost=0.6")
    assert (alone.code, billed(gateway)) == (7, (0, 0, 0))
    assert draw(gateway, *words, "--max-cost=0.7").code == 0
    # What the candidates have cost counts for the next one too.
    more = draw(gateway, "--candidates=6", "--verify", "--max-cost=0.7")
    assert (more.code, gateway.billed["image"]) == (7, 4)
    spent = draw(gateway, "--candidates=6", "--dry-run").json["spent"]["amount"]
    assert spent == pytest.approx(4 * 0.134 + 5 * 0.0059)


def test_the_cost_is_exactly_what_was_billed(anywhere: Gateway) -> None:
    judge = Judge(anywhere)
    anywhere.image_usd = 0.0375
    judge.fails = {str(number): {2} for number in range(1, 8)}
    words = ["--candidates=3", "--verify", "--repair", "--motion-from-anchor"]
    ended = film(anywhere, *words, *(["--judge-model=judge"] if anywhere.speech.models else []))
    assert ended.code == 0, ended.err
    assert billed(anywhere) == (1 + 1 + 4 + 1, 4, 1)
    told, reckoned = 0.0, 0.0
    for path in Path().rglob("*.receipt.json"):
        data = json.loads(path.read_text())
        for cost in (data["cost"], *(check["cost"] for check in data.get("checks", []))):
            told += cost["amount"] if cost["kind"] == "actual" else 0.0
            reckoned += (cost["amount"] or 0.0) if cost["kind"] != "actual" else 0.0
    assert told == pytest.approx(anywhere.charged_usd, abs=1e-9)
    runs = run("factorized_generate", "--list-runs=.", "--json").json
    assert runs["cost"]["amount"] == pytest.approx(told + reckoned, abs=1e-9)
    if ended.json["cost"]["amount"] is not None:  # at a server of one's own nobody knows prices
        assert ended.json["cost"]["amount"] == pytest.approx(told + reckoned, abs=1e-9)
    if anywhere.dialect == "openrouter":  # it tells the cost of everything
        assert (reckoned, ended.json["cost"]["kind"]) == (0, "actual")


# -- flags -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words, named",
    [
        (["--candidates=0"], "--candidates"),
        (["--candidates=13"], "--candidates"),
        (["--candidates=two"], "--candidates"),
        (["--min-score=1.2"], "--min-score"),
        (["--min-score=-1"], "--min-score"),
        (["--min-score=nan"], "--min-score"),
        (["--judge-model=j/m"], "--judge-model"),
        (["--verify", "--judge-model=deepseek/deepseek-v4-flash"], "sees no pictures"),
        (["--verify", "--judge-model=google/veo-3.1-generate-preview"], "not for text"),
    ],
)
def test_flags_that_make_no_sense_are_refused(
    gateway: Gateway, words: list[str], named: str
) -> None:
    for refused in (draw(gateway, *words), film(gateway, *words)):
        assert (refused.code, gateway.requests) == (2, [])
        assert named in refused.json["error"]["message"]


def test_with_ones_own_anchor_there_are_no_candidates(gateway: Gateway) -> None:
    Image.new("RGB", (1280, 720)).save("own.png")
    for flag in ("--candidates=2", "--verify", "--repair", "--select=1", "--min-score=0.5"):
        ended = film(gateway, "--anchor-path=own.png", flag)
        assert (ended.code, gateway.requests) == (2, [])
        assert "--anchor-path" in ended.json["error"]["message"]


def test_the_questions_are_those_of_the_users_prompt(gateway: Gateway, judge: Judge) -> None:
    draw(gateway, "--verify")
    assert judge.of("questions") == [CAPTION]
    ended = draw(gateway, "--verify", f"--user-prompt={PROMPT}", output="b.png")
    assert ended.code == 0
    assert judge.of("questions") == [CAPTION, PROMPT]
    assert draw(gateway, f"--user-prompt={PROMPT}", output="c.png").code == 2
    assert QUESTIONS[0] in Path("b.candidates/questions.txt").read_text()


def test_the_plan_prices_the_clip_of_the_candidate_that_is_to_be_taken(
    gateway: Gateway, judge: Judge
) -> None:
    """The clip that is there was made from another one."""
    film(gateway, "--candidates=2", "--select=1", "--motion-from-anchor")
    film(gateway, "--candidates=2")
    made = film(gateway, "--candidates=2", "--select=1", "--motion-from-anchor")
    assert (made.code, billed(gateway)) == (0, (2, 2, 1)), made.err
    words = ["--candidates=2", "--motion-from-anchor", "--overwrite"]
    same = film(gateway, *words, "--select=1", "--dry-run").json
    assert planned(same) == {}
    other = film(gateway, *words, "--select=2", "--dry-run").json
    assert planned(other) == {"motion": 1, "synthesis": 1}
    refused = film(gateway, *words, "--select=2", "--max-cost=2.6")
    assert (refused.code, billed(gateway)) == (7, (2, 2, 1)), refused.err


# -- what was found in use -------------------------------------------------------------------------


def test_a_choice_that_cannot_be_made_is_refused_before_stage_1(
    gateway: Gateway, judge: Judge
) -> None:
    for words in (["--select=1"], ["--select=1", "--dry-run"], ["--candidates=3", "--select=2"]):
        for refused in (film(gateway, *words), draw(gateway, *words)):
            assert (refused.code, gateway.requests) == (2, []), refused.err
            assert "no candidate" in refused.json["error"]["message"]


def test_a_candidate_whose_file_is_gone_is_said_to_be(gateway: Gateway, judge: Judge) -> None:
    draw(gateway, "--candidates=3")
    Path("a.candidates/candidate-2.png").unlink()
    ended = draw(gateway, "--candidates=3")
    assert (ended.code, billed(gateway)) == (0, (0, 3, 0)), ended.err
    states = {one["candidate"]: one["state"] for one in ended.json["candidates"]}
    assert states == {"1": "unchecked", "2": "succeeded, file gone", "3": "unchecked"}
    assert any("its file is missing" in text for text in ended.json["warnings"])


def test_a_candidate_that_a_person_replaced_is_used_as_it_is(
    gateway: Gateway, judge: Judge
) -> None:
    draw(gateway, "--candidates=2")
    Image.new("RGB", (1280, 720), "green").save("a.candidates/candidate-2.png")
    ended = draw(gateway, "--candidates=2", "--select=2")
    assert ended.code == 0, ended.err
    assert any("was changed since it was made" in text for text in ended.json["warnings"])
    assert ended.json["candidates"][1]["sha256"] == receipt("a.png")["sha256"]


def test_the_cost_is_listed_by_call_and_receipts_are_counted(
    gateway: Gateway, judge: Judge
) -> None:
    draw(gateway, "--candidates=2", "--verify")
    listed = run("factorized_generate", "--list-runs=.", "--all")
    assert "\n4 receipts; " in listed.out  # questions, two candidates, the one that was taken
    rows = run("factorized_generate", "--list-runs=.", "--json").json["runs"]
    assert sorted(row["stage"] for row in rows) == [
        "composition",
        "composition",
        "composition",
        "questions",
        "verification",
        "verification",
    ]


def test_what_ends_all_is_said_before_what_ended_one(gateway: Gateway, judge: Judge) -> None:
    """One was refused earlier; then the key is no longer taken."""
    no = Reply(400, {"error": {"message": "no", "code": "content_filter"}})
    gateway.always("image", no)
    assert draw(gateway, "--candidates=2").code == 5
    gateway.always("image", Reply(401, {"error": {"message": "bad key"}}))
    ended = draw(gateway, "--candidates=3")
    assert (ended.code, ended.json["error"]["kind"]) == (3, "auth"), ended.err


# -- files that are not what they should be --------------------------------------------------------


@pytest.mark.parametrize("damage", ["text", "half", "gone"])
def test_a_damaged_candidate_is_left_out_and_costs_the_others_nothing(
    gateway: Gateway, judge: Judge, damage: str
) -> None:
    draw(gateway, "--candidates=3")
    place = Path("a.candidates/candidate-3.png")
    if damage == "text":
        place.write_text("nope")
    elif damage == "half":
        place.write_bytes(place.read_bytes()[:200])
    else:
        place.unlink()
    for words in (["--select=1"], ["--verify"], [], ["--select=2"]):
        ended = draw(gateway, "--candidates=3", *words)
        assert ended.code == 0, (words, ended.err)
        rows = {one["candidate"]: one["state"] for one in ended.json["candidates"]}
        assert rows["3"] in ("succeeded, file damaged", "succeeded, file gone")
        assert any("Candidate 3" in text for text in ended.json["warnings"])
    assert draw(gateway, "--select=3").code == 2
    assert gateway.billed["image"] == 3
    more = draw(gateway, "--candidates=4", "--verify")
    assert (more.code, gateway.billed["image"]) == (0, 4), more.err


def test_a_candidate_that_cannot_be_read_is_no_bug(gateway: Gateway, judge: Judge) -> None:
    draw(gateway, "--candidates=3", "--verify")
    place = Path("a.candidates/candidate-3.png")
    place.unlink()
    place.symlink_to("/proc/self/mem")  # a file that even root cannot read
    for words in (["--select=1"], ["--verify"], [], ["--dry-run"], ["--candidates=4"]):
        assert draw(gateway, "--candidates=3", *words).code in (0, 2), words
    assert gateway.billed["image"] == 3


@pytest.mark.parametrize("damage", ["half", "gone"])
def test_a_candidate_whose_receipt_is_damaged_is_never_drawn_again_unasked(
    gateway: Gateway, judge: Judge, damage: str
) -> None:
    film(gateway, "--candidates=3", "--stop-after=anchor")
    told = Path("v.stages/anchor.candidates/candidate-2.png.receipt.json")
    if damage == "half":
        told.write_bytes(told.read_bytes()[:100])
    else:
        told.unlink()
    before = billed(gateway)
    for words in ([], ["--select=1"], ["--verify"], ["--dry-run"]):
        ended = film(gateway, "--candidates=3", "--stop-after=anchor", *words)
        assert (ended.code, billed(gateway)) == (2, before), (words, ended.err)
        assert "candidate-2.png" in ended.json["error"]["message"]
    ended = film(gateway, "--candidates=3", "--stop-after=anchor", "--overwrite")
    assert (ended.code, gateway.billed["image"]) == (0, 4), ended.err


def test_what_lies_in_the_folders_place_is_found_before_stage_1(
    gateway: Gateway, judge: Judge
) -> None:
    Path("v.stages").mkdir()
    Path("v.stages/anchor.candidates").write_text("a file")
    for words in (["--candidates=2"], ["--verify", "--dry-run"]):
        ended = film(gateway, *words)
        assert (ended.code, gateway.requests) == (2, []), ended.err
        assert "is a file" in ended.json["error"]["message"]
    Path("v.stages/anchor.candidates").unlink()
    Path("v.stages/anchor.candidates/candidate-2.png").mkdir(parents=True)
    assert film(gateway, "--candidates=2").code == 2
    assert gateway.requests == []


def test_a_sheet_that_cannot_be_written_is_a_warning(gateway: Gateway, judge: Judge) -> None:
    Path("a.candidates/contact-sheet.png").mkdir(parents=True)
    ended = draw(gateway, "--candidates=2")
    assert (ended.code, ended.json["contact_sheet"]) == (0, None), ended.err
    assert any("no contact sheet" in text for text in ended.json["warnings"])
    assert ended.json["output"] == str(Path("a.candidates").absolute())
    taken = draw(gateway, "--candidates=2", "--select=2")
    assert (taken.code, taken.json["candidate"]) == (0, "2"), taken.err


def test_where_several_were_lost_all_are_named(gateway: Gateway, judge: Judge) -> None:
    gateway.always("image", Reply(fault="reset"))
    for _ in range(2):
        ended = draw(gateway, "--candidates=3")
        assert ended.code == 8, ended.err
        assert "candidates 1, 2 and 3" in ended.json["error"]["message"]
        assert "3 pictures once more" in ended.json["error"]["hint"]
        assert [one["state"] for one in ended.json["candidates"]] == ["unknown"] * 3


def test_what_was_spent_until_it_was_stopped_is_told(gateway: Gateway, judge: Judge) -> None:
    gateway.image_usd = 0.05
    gateway.will("image", *[Reply(fault="slow", pace_s=0.1)] * 2)
    process = start(
        "generate_anchor",
        CAPTION,
        "--json",
        "--output=a.png",
        "--candidates=2",
        gateway=gateway,
        env={"FACTORIZED_VIDEO_TIME_SCALE": "1"},
    )
    wait_for(lambda: len(gateway.of("image")) == 2)
    os.killpg(process.pid, signal.SIGINT)
    stopped = ended(process)
    assert stopped.code == 130
    assert stopped.json["cost"] == {"amount": 0.1, "currency": "USD", "kind": "actual"}


def test_without_json_it_says_how_to_go_on(gateway: Gateway, judge: Judge) -> None:
    ended = run("generate_anchor", CAPTION, "--candidates=2", "--output=a.png", gateway=gateway)
    assert "--select K" in ended.err
    assert "generating 2 candidates" in ended.err


# -- the contact sheet -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Is there exactly one large tabby cat on the top shelf of the bookshelf at the left?",
        "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 3,
        "一只橘猫从书架跳到沙发上" * 5,
        "½ ä ü — “quoted” → ✓ é",
        "W" * 200,
        "",
    ],
)
def test_a_line_of_the_sheet_is_no_wider_than_its_room(text: str) -> None:
    whole = grid.Text.of(text, 22)
    kept = "".join(whole.words.split())
    for room in (140, 360, 760):
        lines = whole.lines(room)
        assert all(line.width <= room for line in lines)
        assert "".join("".join(line.words for line in lines).split()) == kept
    (last,) = whole.lines(140, 1)
    assert last.width <= 140 and (last.words == whole.words or last.words.endswith("..."))
