"""The checklist: questions, control questions, answers, scores and the best candidate."""

from __future__ import annotations

import json
from typing import Any

import pytest
from factorized_video.prompts import checklist
from factorized_video.prompts.checklist import Answer, Check
from factorized_video.prompts.json_reply import Unusable
from hypothesis import given
from hypothesis import strategies as st

THREE = ("Is there a cat?", "Is it black?", "Is it on the shelf?")
ASKED = checklist.with_controls(THREE)
RIGHT = ["yes", "yes", "no", "yes", "yes"]


def check(*words: str) -> Check:
    return Check(tuple(Answer(f"q{place}", word) for place, word in enumerate(words)))


UNKNOWN = Check(problem="no answer")


# -- questions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, found",
    [
        ('{"questions": ["Is there a cat?", "Is it black?"]}', ("Is there a cat?", "Is it black?")),
        ('Sure!\n```json\n{"questions": ["A?"]}\n```', ("A?",)),
        ('<think>{"questions": ["Draft?"]}</think>{"questions": ["Final?"]}', ("Final?",)),
        ('{"questions": ["A?", "A?", " B?\\n ", 7, null, ""]}', ("A?", "B?")),
        (
            json.dumps({"questions": [f"Q{n}?" for n in range(14)]}),
            tuple(f"Q{n}?" for n in range(10)),
        ),
    ],
)
def test_questions_are_found_in_a_reply(text: str, found: tuple[str, ...]) -> None:
    assert checklist.read_questions(text) == found


@pytest.mark.parametrize(
    "text, problem",
    [
        ("", "empty"),
        ("Is there a cat? Is it black?", "no JSON object"),
        ('{"questions": []}', "was empty"),
        ('{"questions": [1, {}, null]}', "contained no text"),
        ('{"questions": "Is there a cat?"}', "no JSON object"),
        ('{"questions": ["Is there', "cut off"),
        (json.dumps({"questions": ["x" * 401]}), "400 characters"),
        ("I'm sorry, I can't help with that.", "declined"),
    ],
)
def test_a_reply_without_questions_names_the_problem(text: str, problem: str) -> None:
    found = checklist.read_questions(text)
    assert isinstance(found, Unusable)
    assert problem in found.problem


@pytest.mark.parametrize(
    "text, found",
    [
        ("A?\n\n  B?  \nA?\n", ("A?", "B?")),
        ("", None),
        ("\n \n", None),
        ("\n".join(f"Q{n}" for n in range(20)), tuple(f"Q{n}" for n in range(20))),
        ("\n".join(f"Q{n}" for n in range(21)), None),
        ("x" * 401, None),
    ],
)
def test_your_own_questions_are_read_one_per_line(text: str, found: tuple[str, ...] | None) -> None:
    assert checklist.own_questions(text) == found


# -- controls --------------------------------------------------------------------------------------


def test_two_controls_are_among_the_questions() -> None:
    assert [one.question for one in ASKED if one.must_be is None] == list(THREE)
    assert [one.must_be for one in ASKED] == [None, None, "no", None, "yes"]
    assert ASKED[2].question == "Is there a giraffe in the picture?"


@pytest.mark.parametrize(
    "questions, stranger",
    [
        (["Is there a giraffe at the lake?"], "an accordion"),
        (["Does the Giraffe play the accordion?"], "a lighthouse"),
        (["Is there a bagpipe?"], "a giraffe"),
        (["A giraffe, an accordion and a lighthouse?"], "a giraffe"),
    ],
)
def test_the_control_is_about_something_not_in_the_questions(
    questions: list[str], stranger: str
) -> None:
    asked = checklist.with_controls(questions)
    assert f"Is there {stranger} in the picture?" in [one.question for one in asked]


# -- answers ---------------------------------------------------------------------------------------


def reply(words: list[str], **more: Any) -> str:
    rows = [
        {"id": number, "seen": f"seen {number}", "answer": word, "reason": "so"}
        for number, word in enumerate(words, 1)
    ]
    return json.dumps({"answers": rows, **more})


def test_the_answers_to_the_real_questions_are_read() -> None:
    found = checklist.read_answers(reply(["yes", "no", "no", "unsure", "yes"]), None, ASKED)
    assert not isinstance(found, Unusable)
    assert [(one.question, one.answer) for one in found] == [
        (THREE[0], "yes"),
        (THREE[1], "no"),
        (THREE[2], "unsure"),
    ]
    assert found[1] == Answer(THREE[1], "no", "seen 2", "so")


@pytest.mark.parametrize(
    "text",
    [
        reply(["Yes.", " YES ", "No", "yes", "yes"]),
        "Here you go: " + reply(RIGHT) + " I hope this helps.",
        reply(["no"] * 5) + reply(RIGHT),  # the last one counts
        json.dumps(
            {
                "answers": [
                    {"id": str(n), "answer": word}
                    for n, word in reversed(list(enumerate(RIGHT, 1)))
                ]
            }
        ),
    ],
)
def test_answers_in_other_forms_are_read_too(text: str) -> None:
    found = checklist.read_answers(text, None, ASKED)
    assert not isinstance(found, Unusable)
    assert [one.answer for one in found] == ["yes"] * 3


@pytest.mark.parametrize(
    "text, problem",
    [
        (reply(["yes"] * 5), "cannot be right"),  # always yes
        (reply(["no"] * 5), "cannot be right"),  # always no
        (reply(["yes", "yes", "unsure", "yes", "yes"]), "cannot be right"),
        (reply(RIGHT[:4]), "no answer to question 5"),
        (reply([*RIGHT, "yes"]), "ids 1 to 5, each once"),
        (reply(["maybe", *RIGHT[1:]]), "not yes, no or unsure"),
        (reply(["", *RIGHT[1:]]), "not yes, no or unsure"),
        (json.dumps({"answers": [{"id": 1, "answer": "yes"}] * 5}), "each once"),
        (json.dumps({"answers": [{"answer": "yes"}] * 5}), "each once"),
        (json.dumps({"answers": [{"id": True, "answer": "yes"}] * 5}), "each once"),
        (json.dumps({"answers": RIGHT}), "each once"),
        (json.dumps({"answers": []}), "no answer to question 1"),
        (json.dumps({"answers": {"1": "yes"}}), "no JSON object"),
        ("All of them look right to me.", "no JSON object"),
        ("", "empty"),
        (reply(RIGHT)[:-30], "cut off"),
        ("I cannot identify people in pictures.", "declined"),
    ],
)
def test_answers_that_cannot_be_trusted_are_not_used(text: str, problem: str) -> None:
    found = checklist.read_answers(text, None, ASKED)
    assert isinstance(found, Unusable)
    assert problem in found.problem


@given(st.text(max_size=300), st.sampled_from([None, "stop", "length"]))
def test_no_other_text_passes(text: str, finish: str | None) -> None:
    assert isinstance(checklist.read_answers(text, finish, ASKED), Unusable)
    assert isinstance(checklist.read_questions(text, finish), Unusable | tuple)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["answers", "id", "answer", "seen"]), inner, max_size=4
            )
        ),
    )
)
def test_any_json_is_read_without_raising(data: object) -> None:
    checklist.read_answers(json.dumps({"answers": data}), None, ASKED)
    checklist.read_questions(json.dumps({"questions": data}))
    checklist.from_json({"answers": data})


# -- scores ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "found, state, score, failed, wrong",
    [
        (check("yes", "yes"), "passed", 1.0, 0, 0),
        (check("yes", "no"), "failed", 0.5, 1, 1),
        (check("yes", "unsure", "no"), "failed", 0.333, 2, 1),
        (check("no"), "failed", 0.0, 1, 1),
        (Check(), "unknown", None, 0, 0),
        (UNKNOWN, "unknown", None, 0, 0),
        (check("yes")._replace(problem="odd"), "unknown", None, 0, 0),
    ],
)
def test_a_check_is_scored(
    found: Check, state: str, score: float | None, failed: int, wrong: int
) -> None:
    assert (found.state, found.score) == (state, score)
    assert (len(found.failed), len(found.wrong)) == (failed, wrong)
    assert checklist.from_json(json.loads(json.dumps(found.as_json()))) == found


@pytest.mark.parametrize(
    "data",
    [
        {"answers": [{"question": "q"}]},
        {"answers": ["yes"]},
        {"answers": [{"question": "q", "answer": "perhaps", "seen": "", "reason": ""}]},
        {"answers": "yes"},
        {},
    ],
)
def test_a_damaged_record_is_an_unknown_check(data: dict[str, Any]) -> None:
    assert checklist.from_json(data).state == "unknown"


@pytest.mark.parametrize(
    "found, index",
    [
        ([], None),
        ([UNKNOWN], None),
        ([UNKNOWN, Check()], None),
        ([check("yes")], 0),
        ([check("no"), check("yes"), check("yes")], 1),  # the first that passes all
        ([check("yes", "no"), check("no", "yes"), check("no", "no")], 0),  # ties to the earlier
        ([check("no", "no"), check("unsure", "yes"), check("yes", "no")], 1),
        ([UNKNOWN, check("no", "no")], 1),  # a known score beats an unknown one
        ([check("no"), UNKNOWN, check("no")], 0),
        ([check("yes", "no"), check("yes", "yes", "no")], 1),  # the share counts, not the number
    ],
)
def test_the_best_candidate(found: list[Check], index: int | None) -> None:
    assert checklist.best(found) == index


@pytest.mark.parametrize(
    "found, least, enough",
    [
        (check("yes", "no"), 0.5, True),
        (check("yes", "no"), 0.51, False),
        (check("no"), None, True),
        (check("no"), 0.0, True),
        (UNKNOWN, None, False),
        (UNKNOWN, 0.0, False),
        (check("yes", "yes", "no"), 0.667, True),
    ],
)
def test_the_minimum_score(found: Check, least: float | None, enough: bool) -> None:
    assert checklist.reaches(found, least) is enough
