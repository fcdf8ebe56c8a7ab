"""The demo's captions: a prompt without its words of motion, or as it is, and said so."""

from __future__ import annotations

import pytest
from factorized_video.demo.stillness import NOTHING, make_still
from factorized_video.prompts.caption import motion_words
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("prompt", "caption"),
    [
        (
            "A cat jumping from a bookshelf to the couch",
            "A cat ready to jump from a bookshelf to the couch",
        ),
        ("The cat  jumps\nfrom the shelf", "The cat is ready to jump from the shelf"),
        ("A bird flies over the sea", "A bird is ready to fly over the sea"),
        ("A fox is RUNNING across a river", "A fox is ready to run across a river"),
        ("She dances across the hall, while it rains", "She is ready to dance across the hall"),
        ("A rocket exploding, and then it rains", "A rocket ready to explode"),
        ("Suddenly a dog barks", "a dog barks"),
        ("suddenly", NOTHING),
    ],
)
def test_english_motion_becomes_the_instant_before(prompt: str, caption: str) -> None:
    assert make_still(prompt) == (caption, " ".join(prompt.split()))


@pytest.mark.parametrize(
    "prompt",
    ["猫が本棚からソファに飛び移る", "Un chat saute", "A pair of running shoes", "🐈", "12 : 34"],
)
def test_what_it_does_not_know_passes_through(prompt: str) -> None:
    assert make_still(prompt) == (prompt, prompt)


PROMPTS = st.one_of(
    st.text(min_size=1, max_size=300),
    st.lists(
        st.sampled_from("a cat jumping jumps flies running to, . then suddenly camera pans".split())
    ).map(" ".join),
)


@settings(deadline=None)
@given(PROMPTS)
def test_no_caption_contains_motion(prompt: str) -> None:
    caption, _ = make_still(prompt)
    assert caption.strip()
    assert motion_words(caption) == []
