"""The motion written with the anchor in view: read, and checked against the model's own lists."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from factorized_video.prompts.families import PLAIN
from factorized_video.prompts.json_reply import Unusable
from factorized_video.prompts.motion import Motion, problems, read_motion

MOST_WORDS = PLAIN.most_words
from factorized_video.texts import MAX_TEXT
from hypothesis import given, settings
from hypothesis import strategies as st
from judges import MOTION_REPLY

# -- reading a reply -------------------------------------------------------------------------------

WHOLE = json.dumps(MOTION_REPLY)
SOUND = Motion(
    MOTION_REPLY["motion"],
    ("tabby cat", "bookshelf", "couch"),
    ("the tabby cat",),
    (),
    (("the cat jumps to the couch", "leaps down to the couch"),),
)


@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        f"Here is the motion:\n```json\n{WHOLE}\n```\nEnjoy.",
        f'<think>Perhaps {{"motion": "It runs."}}</think>{WHOLE}',
        f'{{"motion": "A draft."}} Better: {WHOLE}',
        f'{{"answer": {WHOLE}}}',
        f'{WHOLE} {{"confidence": 1}}',
        f'{WHOLE} {{"motion": ""}} {{"motion": null}}',
        json.dumps(
            {
                **MOTION_REPLY,
                "motion": " The tabby cat leaps\n down to the couch at the\x00 lower left. ",
            }
        ),
        json.dumps(
            {
                **MOTION_REPLY,
                "named": ["the tabby cat", "", None, 7, ["x"]],
                "visible": ["tabby cat", " bookshelf ", "couch", {}],
                "enters": ["x", None, {"subject": ""}, {"words": "from the left"}],
                "demands": [*MOTION_REPLY["demands"], "x", {"demand": None, "words": "x"}],
            }
        ),
    ],
)
def test_the_motion_is_found_in_any_wrapping(text: str) -> None:
    assert read_motion(text) == SOUND
    assert problems(SOUND) == []


@pytest.mark.parametrize(
    ("text", "finish_reason", "problem"),
    [
        ("", None, "empty"),
        ("<think>hm", "length", "cut off"),
        (WHOLE[:60], None, "cut off"),
        ("The cat leaps to the", "length", "cut off"),
        ("The tabby cat leaps down to the couch.", "stop", "no JSON object"),
        ('{"motion": ""}', None, "no JSON object"),
        ('{"motion": ["The cat leaps."]}', None, "no JSON object"),
        ('{"caption": "A cat.", "moves": "It leaps."}', None, "no JSON object"),
        (json.dumps({"motion": "x" * (MAX_TEXT + 1)}), None, f"{MAX_TEXT + 1} characters"),
    ],
)
def test_a_reply_without_a_motion_names_the_problem(
    text: str, finish_reason: str | None, problem: str
) -> None:
    answer = read_motion(text, finish_reason)
    assert isinstance(answer, Unusable)
    assert problem in answer.problem
    assert not answer.refused


def test_a_refusal_in_prose_is_a_refusal() -> None:
    answer = read_motion("I'm sorry, but I can't write that.", "stop")
    assert isinstance(answer, Unusable)
    assert answer.refused


def test_a_lone_surrogate_is_removed() -> None:
    found = read_motion('{"motion": "The cat \\ud83d leaps."}')
    assert isinstance(found, Motion)
    assert found.text == "The cat leaps."


# -- checking a motion -----------------------------------------------------------------------------


def motion(text: str = SOUND.text, **changes: Any) -> Motion:
    """A sound motion with changes; with another text, "leaps" meets its demand."""
    demands = SOUND.demands if text == SOUND.text else (("it jumps", "leaps"),)
    return SOUND._replace(text=text, **{"demands": demands, **changes})


SUBJECTS = [
    # named, visible, and whether it is there
    ("the tabby cat", "tabby cat", True),
    ("A Tabby Cat.", "the TABBY-cat", True),
    ("the cat", "a tabby cat on the top shelf", True),
    ("cats", "two tabby cats", True),
    ("the cat", "cats", True),
    ("the cat's tail", "tabby cat", True),
    ("the cat’s tail", "tabby cat", True),
    ("tail of the cat", "tabby cat", True),
    ("both children", "a child with a kite", True),
    ("the left woman", "two women", True),
    ("the wolf", "wolves", True),
    ("the leaves", "a leaf", True),
    ("puppies", "puppy", True),
    ("the box", "boxes", True),
    ("a horse", "three horses", True),
    ("ox", "an ox", True),
    ("the man holding a spoon", "a man in an apron", True),
    ("the man who waits", "an old man", True),
    ("the “red” car", '"red car"', True),
    ("猫", "猫", True),
    ("the camera", "bookshelf", True),
    ("a red dragon", "a red car", False),
    ("the dragon on the car", "a red car", False),
    ("the dog", "tabby cat", False),
    ("the dogma", "a dog", False),
    ("the cat", "a cathedral", False),
    ("it", "tabby cat", False),
    ("the", "the bookshelf", False),
    ("both", "both cats", False),
    ("?!", "?!", False),
]


@pytest.mark.parametrize(("named", "visible", "there"), SUBJECTS)
def test_a_named_subject_must_be_in_the_picture(named: str, visible: str, there: bool) -> None:
    found = problems(motion(named=(named,), visible=(visible,)))
    assert found == ([] if there else [f'"{named}" is not in the picture and does not enter'])


ENTRIES = [
    (("the dog", "a dog runs in from the left"), True),
    (("dogs", "A dog runs in, from the left!"), True),
    (("the brown dog", "runs in from the left"), True),
    (("the dog", "runs in from the right"), False),  # not in the motion
    (("the dog", "og runs in"), False),  # not whole words
    (("the dog", ""), False),
    (("the dog", "..."), False),
    (("the dog", "a"), False),
    (("the cat", "a dog runs in from the left"), False),  # another subject
]


@pytest.mark.parametrize(("entry", "enters"), ENTRIES)
def test_another_subject_must_enter_in_words_of_the_motion(
    entry: tuple[str, str], enters: bool
) -> None:
    text = "A dog runs in from the left; the tabby cat leaps."
    found = problems(motion(text, named=("the tabby cat", "the dog"), enters=(entry,)))
    assert found == ([] if enters else ['"the dog" is not in the picture and does not enter'])


DEMANDS = [
    ("leaps down to the couch", True),
    ("LEAPS down, to the couch.", True),
    ("“leaps down to the couch”", True),
    ("the tabby cat leaps", True),
    ("leaps", True),
    ("leap", False),  # whole words only
    ("jumps to the couch", False),
    ("leaps to the couch", False),
    ("down to the couch", True),
    ("to the couch", False),  # nothing but names and fillers
    ("the", False),
    (".", False),
    ("", False),
]


@pytest.mark.parametrize(("words", "met"), DEMANDS)
def test_words_of_the_motion_must_meet_each_demand(words: str, met: bool) -> None:
    found = problems(motion(demands=(("it jumps", words),)))
    assert found == ([] if met else ['the motion has no words that make "it jumps" happen'])


def test_quotes_and_apostrophes_may_be_straight_or_curly() -> None:
    text = "The man leaps up and says “Don’t go”."
    demands = (("he says it", 'says "Don\'t go"'), ("he jumps", "the man leaps up"))
    assert problems(motion(text, named=("man",), visible=("a man",), demands=demands)) == []


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"named": ()}, '"named" is empty: list every subject that the motion names'),
        ({"demands": ()}, '"demands" is empty: list everything that the prompt asks to happen'),
        ({"text": "The tabby cat, and no leaps down to the couch, sits."}, None),
        (
            {
                "text": "The tabby cat leaps" + " and leaps" * MOST_WORDS,
                "demands": (("x", "leaps"),),
            },
            f"the motion has {2 * MOST_WORDS + 4} words; use at most {MOST_WORDS}",
        ),
        (
            {"text": "The tabby cat on the couch.", "demands": (("it jumps", "on the couch"),)},
            'the motion has no words that make "it jumps" happen',
        ),
    ],
)
def test_each_problem_of_a_motion_is_named(changed: dict[str, Any], problem: str | None) -> None:
    assert problems(SOUND._replace(**changed)) == ([problem] if problem else [])


def test_all_problems_are_named_at_once() -> None:
    bad = Motion("A dragon on a hill. " * 30, (), ("the dragon",), (), (("it flies", "flies"),))
    assert len(problems(bad)) == 3


def test_a_motion_of_the_greatest_length_is_fine() -> None:
    text = "The tabby cat leaps" + " on" * (MOST_WORDS - 4)
    assert problems(motion(text)) == []


# -- arbitrary input -------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *'{}",:[]\\\n',
        '"motion": "',
        "motion",
        WHOLE,
        '{"motion": "It runs."',
        "<think>",
        "null",
        "'s",
    ]
)
TEXTS = st.text(max_size=30)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=3).map(tuple)
NAMES = st.lists(TEXTS, max_size=3).map(tuple)


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(PIECES | st.text(max_size=8)).map("".join), st.none() | st.just("length"))
def test_any_reply_is_read_without_raising(text: str, finish_reason: str | None) -> None:
    answer = read_motion(text, finish_reason)
    assert answer.text if isinstance(answer, Motion) else answer.problem
    if isinstance(answer, Motion):
        problems(answer)


@settings(deadline=None)
@given(TEXTS, NAMES, NAMES, PAIRS, PAIRS)
def test_any_motion_is_checked_without_raising(
    text: str,
    visible: tuple[str, ...],
    named: tuple[str, ...],
    enters: tuple[tuple[str, str], ...],
    demands: tuple[tuple[str, str], ...],
) -> None:
    for problem in problems(Motion(text, visible, named, enters, demands)):
        assert problem


@pytest.mark.parametrize("piece", ["leaf ", "a", "'s", "s'", ". ", "\u0301"])
def test_a_long_text_takes_less_than_a_second(piece: str) -> None:
    text = piece * (MAX_TEXT // len(piece))
    started = time.process_time()
    problems(Motion(text, (text,), (text,), ((text, text),), ((text, text),)))
    assert time.process_time() - started < 1
