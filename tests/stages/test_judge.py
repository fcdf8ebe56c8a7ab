"""The check of candidates and its consequences, through the real command line: good judges, bad
judges, good edits, bad edits."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from factorized_video import models
from factorized_video.errors import UsageError
from factorized_video.stages import plan
from factorized_video.stages.plan import Rules
from factorized_video.stages.request import AnchorRequest, CandidateWish
from judges import QUESTIONS, Judge
from loopback import CAPTION, Gateway, chat
from PIL import Image
from speech import Drawn, Reply, shown
from test_candidates import PROMPT, anywhere, billed, draw, film, judge, receipt

__all__ = ["anywhere", "judge"]

pytestmark = pytest.mark.thorough  # except what is marked `quick`

FOUR = {str(number): {1} for number in range(1, 5)}


def edits(gateway: Gateway) -> list[str]:
    """The prompts of the edits that were asked for."""
    sent = gateway.of("image")
    return [
        str(request.body["prompt"]) for request in sent if gateway.speech.asked(request).pictures
    ]


def states(result: dict[str, Any]) -> dict[str, str]:
    return {one["candidate"]: one["state"] for one in result["candidates"]}


# -- a judge that works ----------------------------------------------------------------------------


def test_the_first_that_passes_all_goes_on(anywhere: Gateway) -> None:
    judge = Judge(anywhere)
    happycapy = anywhere.dialect == "happycapy"  # elsewhere nobody knows which draw is which
    if happycapy:
        judge.fails = {"1": {2}, "3": {1, 2}}
    naming = ["--judge-model=judge"] if anywhere.speech.models else []
    ended = film(anywhere, "--candidates=4", "--verify", *naming)
    assert (ended.code, billed(anywhere)) == (0, (6, 4, 1)), ended.err
    anchor = receipt("v.stages/anchor.png")
    assert anchor["candidate"] == ("2" if happycapy else "1")
    assert anchor["check"]["state"] == "passed"
    assert anchor["check"]["score"] == 1
    assert [one["question"] for one in anchor["check"]["answers"]] == list(QUESTIONS)
    assert {one["answer"] for one in anchor["check"]["answers"]} == {"yes"}
    assert all(one["seen"] and one["reason"] for one in anchor["check"]["answers"])
    assert judge.of("questions") == [PROMPT]
    assert anchor["sha256"] == receipt("v.mp4")["inputs"]["anchor"]["sha256"]
    if happycapy:
        assert states(ended.json) == {"1": "failed", "2": "passed", "3": "failed", "4": "passed"}
    again = film(anywhere, "--candidates=4", "--verify", *naming)
    assert (again.code, again.json["reused"], billed(anywhere)) == (0, True, (6, 4, 1))


def test_where_none_passes_the_best_goes_on_and_of_equals_the_earlier(
    gateway: Gateway, judge: Judge
) -> None:
    judge.fails = {"1": {1, 2}, "2": {3}, "3": {4}, "4": {1, 2, 3}}
    ended = draw(gateway, "--candidates=4", "--verify")
    assert (ended.code, ended.json["candidate"]) == (0, "2"), ended.err
    assert [one["score"] for one in ended.json["candidates"]] == [0.6, 0.8, 0.8, 0.4]
    assert ended.json["candidates"][1]["failed"] == [QUESTIONS[2]]
    assert any(QUESTIONS[2] in text for text in ended.json["warnings"])


def test_the_judge_is_shown_the_picture_and_the_questions_and_nothing_else(
    gateway: Gateway, judge: Judge
) -> None:
    draw(gateway, "--verify", f"--user-prompt={PROMPT}", "--judge-model=judge/model")
    (asked,) = [request for request in gateway.of("chat") if shown(request)[1]]
    assert asked.body["model"] == "judge/model"
    messages, pictures = shown(asked)
    assert pictures == (Path("a.png").read_bytes(),)
    data = json.loads(str(messages[1]["content"]))
    assert [row["id"] for row in data["questions"]] == list(range(1, 8))
    assert CAPTION not in json.dumps(data)
    assert PROMPT not in json.dumps(data)


def test_a_large_picture_is_shown_small(gateway: Gateway, judge: Judge) -> None:
    noise = Image.frombytes("RGB", (2400, 1350), os.urandom(2400 * 1350 * 3))
    out = io.BytesIO()
    noise.save(out, "PNG")
    gateway.will("image", Reply(means=Drawn(out.getvalue())))
    judge.says["check"] = lambda data, what: json.dumps(
        {"answers": [judge.answer(row, "1") for row in data["questions"]]}
    )
    ended = draw(gateway, "--verify", "--repair")
    assert ended.code == 0, ended.err
    (asked,) = [request for request in gateway.of("chat") if shown(request)[1]]
    (picture,) = shown(asked)[1]
    opened = Image.open(io.BytesIO(picture))
    assert max(opened.size) <= 1568
    assert len(picture) <= 700_000
    assert Path("a.png").read_bytes() == out.getvalue()


def test_questions_are_written_once_and_can_be_edited(gateway: Gateway, judge: Judge) -> None:
    draw(gateway, "--verify")
    draw(gateway, "--verify", "--candidates=2")
    assert (judge.of("questions"), judge.of("check")) == ([CAPTION], ["1", "2"])
    file = Path("a.candidates/questions.txt")
    file.write_text(f"{QUESTIONS[0]}\nIs the shelf tall?\n")
    ended = draw(gateway, "--verify", "--candidates=2", "--select=1")
    assert (ended.code, len(judge.of("check"))) == (0, 2)
    ended = draw(gateway, "--verify", "--candidates=3")
    assert (ended.code, billed(gateway)) == (0, (6, 3, 0)), ended.err
    assert any("your own version" in text for text in ended.json["warnings"])
    answers = receipt("a.png")["check"]["answers"]
    assert [one["question"] for one in answers] == [QUESTIONS[0], "Is the shelf tall?"]
    file.write_text("\n".join(f"Q{n}?" for n in range(30)))
    bad = draw(gateway, "--verify", "--candidates=4")
    assert (bad.code, billed(gateway)) == (2, (6, 3, 0))
    assert "questions.txt" in bad.json["error"]["message"]
    file.unlink()
    back = draw(gateway, "--verify", "--candidates=3")
    assert (back.code, judge.of("questions")) == (0, [CAPTION])
    assert QUESTIONS[1] in file.read_text()


def test_another_judge_is_asked_anew(gateway: Gateway, judge: Judge) -> None:
    draw(gateway, "--verify")
    ended = draw(gateway, "--verify", "--judge-model=other/judge")
    assert (ended.code, billed(gateway)) == (0, (4, 1, 0)), ended.err
    assert len(receipt("a.candidates/candidate-1.png")["checks"]) == 2


# -- the least score -------------------------------------------------------------------------------


def test_below_the_least_score_no_motion_is_paid_for(gateway: Gateway, judge: Judge) -> None:
    judge.fails = FOUR
    words = ["--candidates=4", "--min-score=0.9"]
    for _ in range(2):
        ended = film(gateway, *words)
        assert (ended.code, billed(gateway)) == (12, (6, 4, 0)), ended.err
        result = ended.json
        assert (result["status"], result["error"]["kind"]) == ("unverified", "unverified")
        assert result["output"] == result["contact_sheet"]
        assert Path(result["contact_sheet"]).is_file()
        assert "passes 4 of 5 questions (0.80)" in result["error"]["message"]
        assert result["next"].endswith("--select=K")
        assert not Path("v.stages/anchor.png").exists()
    lower = film(gateway, "--candidates=4", "--min-score=0.8")
    assert (lower.code, billed(gateway)) == (0, (6, 4, 1)), lower.err


def test_a_person_may_take_one_that_is_below(gateway: Gateway, judge: Judge) -> None:
    judge.fails = FOUR
    words = ["--candidates=2", "--min-score=1"]
    assert film(gateway, *words).code == 12
    ended = film(gateway, *words, "--select=2")
    assert (ended.code, billed(gateway)) == (0, (4, 2, 1)), ended.err
    assert receipt("v.stages/anchor.png")["check"]["score"] == 0.8


def test_a_higher_least_score_stops_also_what_was_taken_before(
    gateway: Gateway, judge: Judge
) -> None:
    judge.fails = FOUR
    assert draw(gateway, "--verify").code == 0
    assert draw(gateway, "--verify", "--min-score=0.9").code == 12
    assert draw(gateway, "--verify", "--min-score=0.8").code == 0
    assert billed(gateway) == (2, 1, 0)


# -- judges that cannot be relied on ---------------------------------------------------------------


def always(word: str) -> Callable[[dict[str, Any], str], str]:
    return lambda data, what: json.dumps(
        {
            "answers": [
                {"id": row["id"], "seen": "", "answer": word, "reason": ""}
                for row in data["questions"]
            ]
        }
    )


BAD: dict[str, tuple[Callable[[dict[str, Any], str], Reply | str], int]] = {
    # how it answers, and how many chats that takes
    "always yes": (always("yes"), 2),
    "always no": (always("no"), 2),
    "always unsure": (always("unsure"), 2),
    "prose": (lambda data, what: "Everything looks just as it should, well done!", 2),
    "empty": (lambda data, what: "", 2),
    "half of it": (lambda data, what: '{"answers": [{"id": 1, "answer": "yes"', 2),
    "declines": (lambda data, what: "I'm sorry, I can't assess images of that kind.", 2),
    "is filtered": (lambda data, what: chat("", finish_reason="content_filter"), 1),
    "another list": (lambda data, what: '{"answers": ["yes", "yes", "yes"]}', 2),
    "too few": (lambda data, what: '{"answers": [{"id": 1, "answer": "yes"}]}', 2),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_judge_never_passes_anything(gateway: Gateway, judge: Judge, name: str) -> None:
    says, chats = BAD[name]
    judge.says["check"] = says
    for _ in range(2):
        ended = draw(gateway, "--verify", "--repair")
        assert (ended.code, ended.json["status"]) == (12, "unverified"), ended.err
        assert states(ended.json) == {"1": "unknown"}
        assert billed(gateway) == (1 + chats, 1, 0)  # nothing is edited on such a word
    row = receipt("a.candidates/candidate-1.png")["checks"][0]
    assert (row["state"], row["score"], row["answers"]) == ("unknown", None, [])
    assert row["problem"]


def test_one_that_no_judge_could_check_becomes_a_clip_only_if_you_select_it(
    gateway: Gateway, judge: Judge
) -> None:
    judge.says["check"] = always("yes")
    for _ in range(2):
        ended = film(gateway, "--verify", "--repair")
        assert (ended.code, billed(gateway)) == (12, (4, 1, 0)), ended.err
    taken = film(gateway, "--verify", "--repair", "--select=1")
    assert (taken.code, billed(gateway)) == (0, (4, 1, 1)), taken.err


def test_a_judge_is_asked_once_more_and_then_believed(gateway: Gateway, judge: Judge) -> None:
    tries = iter([always("yes"), None])

    def says(data: dict[str, Any], what: str) -> str | None:
        first = next(tries, None)
        return first(data, what) if first else None

    judge.says["check"] = says
    ended = draw(gateway, "--verify")
    assert (ended.code, billed(gateway)) == (0, (3, 1, 0)), ended.err
    last = shown(gateway.of("chat")[-1])[0]
    assert [message["role"] for message in last] == ["system", "user", "assistant", "user"]
    assert "could not be used" in str(last[-1]["content"])
    assert "giraffe" not in str(last[-1]["content"])  # which answer it was is not told


def test_a_bad_judge_of_one_candidate_does_not_speak_for_the_others(
    gateway: Gateway, judge: Judge
) -> None:
    judge.says["check"] = lambda data, what: "nonsense" if what == "1" else None
    judge.fails = {"2": {1}}
    ended = draw(gateway, "--candidates=2", "--verify")
    assert (ended.code, ended.json["candidate"]) == (0, "2"), ended.err
    assert states(ended.json) == {"1": "unknown", "2": "failed"}


@pytest.mark.parametrize(
    "says, code",
    [
        ("", 9),
        ("no JSON", 9),
        ('{"questions": []}', 9),
        ('{"questions": [1, 2]}', 9),
        ("I'm sorry, I can't help with that.", 5),
    ],
)
def test_without_questions_no_picture_is_paid_for(
    gateway: Gateway, judge: Judge, says: str, code: int
) -> None:
    judge.says["questions"] = lambda data, what: says
    ended = draw(gateway, "--candidates=4", "--verify")
    assert (ended.code, billed(gateway)) == (code, (2, 0, 0)), ended.err
    del judge.says["questions"]
    assert draw(gateway, "--candidates=4", "--verify").code == 0


def test_a_judge_that_is_out_for_a_while_costs_no_picture(gateway: Gateway, judge: Judge) -> None:
    broken = Reply(503, headers={"Retry-After": "90"})
    judge.says["check"] = lambda data, what: broken
    ended = draw(gateway, "--candidates=2", "--verify")
    assert (ended.code, gateway.billed["image"]) == (6, 2), ended.err
    del judge.says["check"]
    after = draw(gateway, "--candidates=2", "--verify")
    assert (after.code, gateway.billed["image"]) == (0, 2), after.err


# -- edits -----------------------------------------------------------------------------------------


def test_the_best_is_edited_by_what_failed_and_kept_if_better(anywhere: Gateway) -> None:
    judge = Judge(anywhere)
    judge.fails = {str(number): {2, 4} for number in range(1, 4)}
    naming = ["--judge-model=judge"] if anywhere.speech.models else []
    ended = film(anywhere, "--candidates=3", "--verify", "--repair", *naming)
    assert (ended.code, billed(anywhere)) == (0, (6, 4, 1)), ended.err
    assert ended.json["candidate"] == "1r"
    assert list(states(ended.json).items())[-1] == ("1r", "passed")
    (sent,) = [one for one in anywhere.of("image") if anywhere.speech.asked(one).pictures]
    asked = anywhere.speech.asked(sent)
    assert asked.pictures == (Path("v.stages/anchor.candidates/candidate-1.png").read_bytes(),)
    assert QUESTIONS[1] in asked.prompt
    assert QUESTIONS[3] in asked.prompt
    assert QUESTIONS[0] not in asked.prompt
    assert "looked at for question 2" in asked.prompt
    made = receipt("v.stages/anchor.candidates/candidate-1r.png")
    assert made["stage"] == "repair"
    assert made["inputs"]["failed"] == [QUESTIONS[1], QUESTIONS[3]]
    assert [one["question"] for one in made["checks"][0]["answers"]] == list(QUESTIONS)
    again = film(anywhere, "--candidates=3", "--verify", "--repair", *naming)
    assert (again.code, billed(anywhere)) == (0, (6, 4, 1))


@pytest.mark.parametrize("after", [{2}, {4}, {2, 4}], ids=["same", "another", "worse"])
def test_an_edit_that_is_not_better_is_not_taken(
    gateway: Gateway, judge: Judge, after: set[int]
) -> None:
    judge.fails = {"1": {2}, "2": {2}, "1r": after}
    ended = draw(gateway, "--candidates=2", "--repair")
    assert (ended.code, ended.json["candidate"]) == (0, "1"), ended.err
    assert Path("a.candidates/candidate-1r.png").exists()
    taken = draw(gateway, "--candidates=2", "--repair", "--select=1r")
    assert (taken.json["candidate"], billed(gateway)) == ("1r", (4, 3, 0))
    assert draw(gateway, "--candidates=2", "--repair").json["candidate"] == "1"
    assert billed(gateway) == (4, 3, 0)


def test_there_is_one_round_of_edits(gateway: Gateway, judge: Judge) -> None:
    judge.fails = {"1": {1, 2}, "1r": {1}}
    for _ in range(2):
        ended = draw(gateway, "--repair")
        assert (ended.json["candidate"], billed(gateway)) == ("1r", (3, 2, 0)), ended.err
    assert len(edits(gateway)) == 1


def test_nothing_is_edited_where_one_passes_or_nothing_is_known_to_be_wrong(
    gateway: Gateway, judge: Judge
) -> None:
    judge.fails = {"1": {1}}
    draw(gateway, "--candidates=2", "--repair")
    judge.fails = {}
    judge.unsure = {"1": {1}}
    ended = draw(gateway, "--repair", output="b.png")
    assert (ended.code, ended.json["candidates"][0]["score"]) == (0, 0.8)
    assert edits(gateway) == []


BROKEN_EDITS = {
    "refused": Reply(400, {"error": {"message": "no", "code": "content_filter"}}),
    "not taken": Reply(400, {"error": {"message": "this model does not edit"}}),
    "lost": Reply(fault="reset"),
    "no picture": Reply(json={"data": [{"b64_json": "bm8gcGljdHVyZQ=="}]}),
    "empty": Reply(json={"data": []}),
    "a web page": Reply(body=b"<html>sign in</html>"),
}


@pytest.mark.parametrize("name", BROKEN_EDITS)
def test_an_edit_that_fails_leaves_the_unedited_one(
    gateway: Gateway, judge: Judge, name: str
) -> None:
    judge.fails = {"1": {2}}
    draw(gateway, "--verify")
    gateway.will("image", BROKEN_EDITS[name])
    ended = draw(gateway, "--repair")
    assert (ended.code, ended.json["candidate"]) == (0, "1"), ended.err
    assert any("could not be edited" in text for text in ended.json["warnings"])
    paid = gateway.billed["image"]
    again = draw(gateway, "--repair")
    assert again.code == 0, again.err
    assert (again.json["candidate"], gateway.billed["image"]) == ("1", paid)


def test_a_bad_judge_of_the_edit_keeps_the_unedited_one(gateway: Gateway, judge: Judge) -> None:
    judge.fails = {"1": {2}}
    judge.says["check"] = lambda data, what: "lovely!" if what == "1r" else None
    ended = draw(gateway, "--repair")
    assert (ended.code, ended.json["candidate"]) == (0, "1"), ended.err
    assert states(ended.json) == {"1": "failed", "1r": "unknown"}


def test_a_model_that_is_known_to_edit_nothing_is_refused_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stubborn = models.Model("m", "image", edits=False)
    pick = models.limits.choose_model
    monkeypatch.setattr(
        models.limits,
        "choose_model",
        lambda kind, *more: (stubborn, ()) if kind == "image" else pick(kind, *more),
    )
    with pytest.raises(UsageError, match="edits no pictures"):
        plan.anchor(
            AnchorRequest("a cat", wish=CandidateWish(verify=True, repair=True)), Rules("happycapy")
        )


# -- what was found in use -------------------------------------------------------------------------


def test_a_judge_that_the_gateway_does_not_know_is_replaced_as_the_judge(
    gateway: Gateway, judge: Judge
) -> None:
    old, new = "google/gemini-3-pro-preview", "google/gemini-3.1-pro-preview"
    unknown = Reply(404, {"error": {"message": f"The model {old} does not exist."}})
    judge.says["questions"] = lambda data, what: unknown
    for ended in (
        film(gateway, "--verify", f"--judge-model={old}"),
        draw(gateway, "--verify", f"--judge-model={old}"),
    ):
        assert (ended.code, ended.json["replacement"]) == (10, new), ended.err
        assert f"--judge-model={new}" in ended.json["next"]
        assert old not in ended.json["next"]
        assert "--image-model" not in ended.json["next"]


def test_an_edit_that_was_refused_is_drawn_anew_where_the_person_says_so(
    gateway: Gateway, judge: Judge
) -> None:
    judge.fails = {"1": {2}}
    draw(gateway, "--verify")
    gateway.will("image", BROKEN_EDITS["refused"])
    words = ["--repair", "--min-score=1"]
    assert draw(gateway, *words).code == 12
    assert draw(gateway, *words).code == 12
    assert gateway.billed["image"] == 1
    left = draw(gateway, *words, "--resubmit", "--dry-run").json
    assert {call["stage"]: call["times"] for call in left["stages"]} == {
        "repair": 1,
        "verification": 1,
    }
    ended = draw(gateway, *words, "--resubmit")
    assert (ended.code, ended.json["candidate"]) == (0, "1r"), ended.err
    assert gateway.billed["image"] == 2


def test_one_that_a_person_took_is_not_called_the_best(gateway: Gateway, judge: Judge) -> None:
    judge.fails = {"2": {1}}
    draw(gateway, "--candidates=2", "--verify")
    ended = draw(gateway, "--candidates=2", "--verify", "--select=2")
    assert (ended.code, ended.json["warnings"]) == (0, ended.json["warnings"][:1]), ended.err
    assert not any("does not pass" in text for text in ended.json["warnings"])


def test_where_nothing_could_be_checked_another_judge_is_what_helps(
    gateway: Gateway, judge: Judge
) -> None:
    judge.says["check"] = lambda data, what: "well"
    ended = draw(gateway, "--verify")
    assert "--judge-model" in ended.json["error"]["hint"]
    del judge.says["check"]
    better = draw(gateway, "--verify", "--judge-model=another/judge")
    assert (better.code, gateway.billed["image"]) == (0, 1), better.err


def test_the_best_is_the_best_of_all_that_are_there(gateway: Gateway, judge: Judge) -> None:
    """Also of those of a higher N: nothing is edited or refused while one passes."""
    judge.fails = {"1": {1}, "2": {2}, "3": {3}}
    assert draw(gateway, "--candidates=4", "--verify").json["candidate"] == "4"
    before = billed(gateway)
    for words in (["--candidates=2", "--min-score=1"], ["--candidates=3", "--repair"]):
        ended = draw(gateway, *words)
        assert (ended.code, ended.json["candidate"]) == (0, "4"), ended.err
    assert billed(gateway) == before


def test_edits_are_checked_by_edited_questions_too(gateway: Gateway, judge: Judge) -> None:
    judge.fails = {"1": {2}}
    assert draw(gateway, "--repair").json["candidate"] == "1r"
    file = Path("a.candidates/questions.txt")
    file.write_text(f"# mine\n{QUESTIONS[0]}\n{QUESTIONS[1]}\n")
    planned = draw(gateway, "--verify", "--dry-run").json
    assert [(call["stage"], call["times"]) for call in planned["stages"]] == [("verification", 2)]
    ended = draw(gateway, "--verify")
    assert (ended.code, ended.json["candidate"]) == (0, "1r"), ended.err
    assert (states(ended.json), gateway.billed["image"]) == ({"1": "failed", "1r": "passed"}, 2)


def test_what_does_not_pass_is_said_again(gateway: Gateway, judge: Judge) -> None:
    judge.fails = {"1": {2}}
    for _ in range(2):
        ended = draw(gateway, "--verify")
        assert any(QUESTIONS[1] in text for text in ended.json["warnings"])


def test_questions_that_were_deleted_come_back_to_be_edited(gateway: Gateway, judge: Judge) -> None:
    draw(gateway, "--verify")
    Path("a.candidates/questions.txt").unlink()
    Path("a.png").unlink()
    ended = draw(gateway, "--verify")
    assert (ended.code, billed(gateway)) == (0, (2, 1, 0)), ended.err
    assert QUESTIONS[1] in Path("a.candidates/questions.txt").read_text()
