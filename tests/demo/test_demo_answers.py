"""What the demo says in place of a judge: by the table, and never more than it knows."""

from __future__ import annotations

import json

import pytest
from factorized_video.demo.answers import PUSH_IN, answer_to, motion_of, questions_of
from factorized_video.prompts import checklist
from factorized_video.prompts.motion import MOTION_SHAPE, Motion, problems, read_motion
from hypothesis import given, settings
from hypothesis import strategies as st

CAT = "A cat jumping from a bookshelf to the couch"
MENDED = (True,) * 6
FAULTY = (True, True, True, True, False, True)
TEXT = st.text(min_size=1, max_size=400).filter(str.strip)

# --- the questions --------------------------------------------------------------------------------


def test_the_questions_quote_the_prompt_and_name_the_circles() -> None:
    assert questions_of(CAT, 6) == [
        f'Is "{part}" as asked? (demo check {n}: circle {n} of 6 on the card is filled)'
        for n, part in enumerate(
            ["A cat jumping", "cat jumping from", "jumping from a", "a bookshelf to",
             "bookshelf to the", "to the couch"], 1
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    "prompt",
    ["cat", "🐈", "a b",
     "猫が本棚からソファに飛び移る", "قطة تقفز من الرف إلى الأريكة", "x" * 20_000,
     "猫" * 20_000, "A fox runs. " * 1666, 'She says "go" and runs', "\ud800 lone", "a\n\n\tb",
     "word " * 120 + "end"],
)  # fmt: skip
def test_any_prompt_gives_six_different_questions(prompt: str) -> None:
    questions = questions_of(prompt, 6)
    assert len(set(questions)) == 6
    assert questions == questions_of(prompt, 6)
    assert all(len(question) <= 200 for question in questions)
    assert all(question.count('"') == 2 for question in questions)
    assert not any("\n" in question for question in questions)


@pytest.mark.parametrize("count", range(1, 41))
def test_a_short_prompt_is_quoted_whole(count: int) -> None:
    words = [f"w{number}" for number in range(count)]
    quoted = " ".join(question.split('"')[1] for question in questions_of(" ".join(words), 6))
    assert set(quoted.split()) == set(words)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (CAT, CAT.replace("cat", "dog")),
        ("猫が本棚から", "犬が本棚から"),
        ("the sea " * 2000 + "calm", "the sea " * 2000 + "wild"),
        (" ".join(map(str, range(3000))), " ".join(map(str, range(3001)))),
    ],
)
def test_another_prompt_is_asked_otherwise(one: str, other: str) -> None:
    assert questions_of(one, 6) != questions_of(other, 6)


# --- the answers ----------------------------------------------------------------------------------


def question(number: int, quoted: str = "a cat") -> str:
    return (
        f'Is "{quoted}" as asked? (demo check {number}: circle {number} of 6 on the card is filled)'
    )


@pytest.mark.parametrize(
    ("asked", "filled", "plain", "answer"),
    [
        (question(1), FAULTY, False, "yes"),
        (question(5), FAULTY, False, "no"),
        (question(5), MENDED, False, "yes"),
        (question(1), None, False, "unsure"),
        (question(1), None, True, "unsure"),
        (question(7), MENDED, False, "unsure"),
        (question(1, "circle 5 of 6 on the card is filled)"), FAULTY, False, "yes"),
        (f" {question(5)}\n", FAULTY, False, "no"),
        ("Is there a giraffe in the picture?", FAULTY, False, "no"),
        ("Is there an accordion in the picture?", MENDED, False, "no"),
        ("Is there a lighthouse in the picture?", None, False, "no"),
        ("Does the picture show anything at all, other than one single plain colour?",
         FAULTY, False, "yes"),
        ("Does the picture show anything at all, other than one single plain colour?",
         None, False, "yes"),
        ("Does the picture show anything at all, other than one single plain colour?",
         None, True, "no"),
        ("Is the cat on the shelf?", MENDED, False, "unsure"),
        ("circle 1 of 6", MENDED, False, "unsure"),
        ("(demo check 1: circle " + "9" * 5000 + " of 6 on the card is filled)", MENDED, False,
         "unsure"),
        ("", MENDED, False, "unsure"),
    ],
)  # fmt: skip
def test_an_answer(asked: str, filled: tuple[bool, ...] | None, plain: bool, answer: str) -> None:
    told = answer_to(asked, filled, plain)
    assert told["answer"] == answer
    assert {*told} == {*json.loads(checklist.CHECK_SHAPE)["answers"][0]} - {"id"}
    assert told["seen"].strip()
    assert 0 < len(told["reason"].split()) <= 20


@settings(deadline=None)
@given(TEXT)
def test_every_question_that_it_writes_is_one_that_it_reads(prompt: str) -> None:
    answers = [answer_to(one, FAULTY, False)["answer"] for one in questions_of(prompt, 6)]
    assert answers == ["yes", "yes", "yes", "yes", "no", "yes"]


# --- the motion -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "motion"),
    [
        (CAT, CAT),
        ("The cat jumps\nonto  the couch", f"The cat jumps onto the couch. {PUSH_IN}"),
        ("The cat jumps on the couch", "The cat jumps on the couch"),
        ("A quiet harbour at dawn", f"A quiet harbour at dawn. {PUSH_IN}"),
        ("A pair of running shoes.", f"A pair of running shoes. {PUSH_IN}"),
        ("猫が飛び移る。", f"猫が飛び移る。 {PUSH_IN}"),
    ],
)
def test_the_motion_is_the_prompt_and_what_the_clip_does(prompt: str, motion: str) -> None:
    assert motion_of(prompt)["motion"] == motion


@settings(deadline=None)
@given(st.one_of(TEXT, st.just("cat " * 5000), st.just("猫" * 20_000)))
def test_the_motion_keeps_the_words_that_it_names(prompt: str) -> None:
    told = motion_of(prompt)
    assert {*told} == {*json.loads(MOTION_SHAPE)}
    motion = str(told["motion"])
    assert len(motion.split()) <= 60
    assert len(motion) <= 610
    demands = told["demands"]
    assert isinstance(demands, list)
    assert all(one["words"] and one["words"] in motion and one["demand"] for one in demands)


@pytest.mark.parametrize(
    "prompt", [CAT, "A quiet harbour at dawn", "猫が飛び移る。", "Two red balls roll"]
)
def test_the_motion_is_one_that_is_taken(prompt: str) -> None:
    found = read_motion(json.dumps(motion_of(prompt)))
    assert isinstance(found, Motion)
    assert problems(found) == []
