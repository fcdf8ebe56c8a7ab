"""The demo's word table: a prompt made still, or passed through and said so."""

from __future__ import annotations

import pytest
from factorized_video.demo.stillness import POSES, UNCHANGED, make_still
from factorized_video.prompts.caption import motion_words
from hypothesis import given, settings
from hypothesis import strategies as st

README = "A cat jumping from a bookshelf to the couch"


def test_the_readmes_example_becomes_the_instant_before_the_jump() -> None:
    caption, motion, note = make_still(README)
    assert caption == "A cat on a bookshelf, crouched and ready to jump, with the couch in view"
    assert motion == README
    assert note is None


@pytest.mark.parametrize(
    ("prompt", "caption"),
    [
        (
            "The cat jumps from the shelf onto the couch",
            "The cat on the shelf, crouched and ready to jump, with the couch in view",
        ),
        (
            "A red fox is running across a frozen river",
            "A red fox standing ready to run across a frozen river",
        ),
        ("A rocket exploding, and then it rains", "A rocket still whole"),
        ("A boat drifts past the pier at dawn", "A boat hanging still past the pier at dawn"),
        ("A candle MELTING on the table", "A candle still whole on the table"),
        (
            "The car is driving down from the hill toward the sea, at night",
            "The car is on the hill, parked and ready to drive, with the sea in view, at night",
        ),
    ],
)
def test_english_motion_becomes_a_pose(prompt: str, caption: str) -> None:
    told, motion, note = make_still(prompt)
    assert told == caption
    assert motion == prompt
    assert note is None
    assert motion_words(told) == []


@pytest.mark.parametrize("word", POSES)
def test_no_pose_is_itself_in_motion(word: str) -> None:
    caption, _, note = make_still(f"A thing is {word} from the left to the right")
    assert note is None
    assert word not in caption
    assert motion_words(caption) == []
    assert motion_words(make_still(f"The thing {word}.")[0]) == []


@pytest.mark.parametrize(
    ("prompt", "kept"),
    [
        ("A pair of running shoes on the grass", "running shoes"),
        ("A boy jumping over a running shoe", "running shoe"),
        ("A swimming pool at night, in the rain", "swimming pool"),
        ("A tap with running water in the kitchen", "running water"),
        ("Running shoes on a shelf", "Running shoes"),
    ],
)
def test_a_participle_that_names_a_thing_stays(prompt: str, kept: str) -> None:
    assert kept in make_still(prompt)[0]


@pytest.mark.parametrize(
    "prompt",
    [
        "猫が本棚からソファに飛び移る",
        "一只猫从书架跳到沙发上",
        "Кошка прыгает с полки на диван",
        "قطة تقفز من الرف إلى الأريكة",
        "猫 in 本棚 から ソファ に 飛び移る",
        "Eine Katze springt vom Regal auf das Sofa",
        "Ein Hund läuft in den Wald",
        "Un gato salta a la mesa",
        "Un chat saute sur le canapé",
        "An old man sits in a chair",
        "A pair of running shoes on the grass",
        "🐈 🛋️",
        "12 : 34",
    ],
)
def test_what_the_table_does_not_know_passes_through_and_that_is_said(prompt: str) -> None:
    assert make_still(prompt) == (prompt, prompt, UNCHANGED)


@settings(deadline=None)
@given(st.text(min_size=1, max_size=300).filter(str.strip))
def test_any_text_gives_a_caption_and_keeps_the_prompt_as_the_motion(text: str) -> None:
    caption, motion, note = make_still(text)
    assert caption.strip()
    assert motion == " ".join(text.split())
    assert (note is None) is (caption != motion)
