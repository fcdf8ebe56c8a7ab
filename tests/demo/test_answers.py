"""What the demo says in place of a judge: by a fixed rule, and never more than it knows."""

from __future__ import annotations

import json
from typing import Any

import pytest
from factorized_video.demo.answers import MOTION, PUSH_IN, QUESTIONS, answer_to, reply_to
from factorized_video.prompts import caption, checklist, clip_checklist, json_reply, motion

FIXED = (True,) * 6
FAULTY = (True, True, True, True, False, True)
GIRAFFE = "Is there a giraffe in the picture?"
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgAB"
    "SK+kcQAAAABJRU5ErkJggg=="
)


@pytest.mark.parametrize(
    ("question", "filled", "plain", "answer"),
    [
        (QUESTIONS[0], FAULTY, False, "yes"),
        (QUESTIONS[4], FAULTY, False, "no"),
        (f" {QUESTIONS[4]}\n", FIXED, False, "yes"),
        (QUESTIONS[0], None, True, "unsure"),
        (QUESTIONS[0].replace("1", "7"), FIXED, False, "unsure"),
        (QUESTIONS[0].replace("1", "9" * 5000), FIXED, False, "unsure"),
        (GIRAFFE, FAULTY, False, "no"),
        (GIRAFFE.replace("a g", "an accordion, not a g"), None, False, "no"),
        (checklist.ANYTHING, FAULTY, False, "yes"),
        (checklist.ANYTHING, None, True, "no"),
        ("Is the cat on the shelf?", FIXED, False, "unsure"),
        ("", FIXED, False, "unsure"),
    ],
)
def test_an_answer(
    question: str, filled: tuple[bool, ...] | None, plain: bool, answer: str
) -> None:
    said = answer_to(question, filled, plain)
    assert said["answer"] == answer
    assert {*said} == {*json.loads(checklist.CHECK_SHAPE)["answers"][0]} - {"id"}
    assert said["seen"]
    assert 0 < len(said["reason"].split()) <= 20


def test_its_questions_are_taken_as_they_are() -> None:
    said, _ = reply_to([*checklist.question_messages("A cat")])
    assert checklist.read_questions(json.dumps(said)) == tuple(QUESTIONS)
    measured, _ = reply_to([*clip_checklist.measure_messages("A cat")])
    assert measured == {"first_frame": QUESTIONS, "frames": QUESTIONS[:3]}


@pytest.mark.parametrize(
    "prompt",
    [
        "A cat jumps",
        "A quiet harbour",
        "猫が飛び移る。",
        "🐈",
        "cat " * 5000,
        "猫" * 20_000,
        'a\n"b"',
    ],
)
def test_its_motion_is_accepted(prompt: str) -> None:
    system, user = motion.motion_messages(prompt)
    shown = [
        {"type": "image_url", "image_url": {"url": PIXEL}},
        {"type": "text", "text": user["content"]},
    ]
    said, _ = reply_to([system, {"role": "user", "content": shown}])
    found = motion.read_motion(json.dumps(said))
    assert isinstance(found, motion.Motion)
    assert motion.problems(found) == []
    assert found.text.endswith(PUSH_IN)
    assert len(found.text) <= MOTION[1] + len(PUSH_IN) + 2


def test_a_caption_is_of_text_or_of_parts() -> None:
    system, user = caption.rewrite_messages("A cat jumps to the couch", "anime", "16:9")
    parts: list[Any] = [
        system,
        {"role": "user", "content": [{"type": "text", "text": user["content"]}]},
    ]
    said, note = reply_to([system, user])
    assert isinstance(said, dict)
    assert (said["caption"], note) == ("A cat is ready to jump to the couch", None)
    assert reply_to(parts) == (said, None)
    again = json_reply.asked_again([system, user], "no", "Answer again.")
    assert reply_to([*again]) == (said, None)
