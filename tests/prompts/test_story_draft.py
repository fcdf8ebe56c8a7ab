"""A story written from an idea: what is read from an answer, and the file that comes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from factorized_video.prompts import story_draft
from factorized_video.prompts.json_reply import Unusable
from factorized_video.prompts.story_draft import Draft, read_draft
from factorized_video.story.story_file import LONGEST_NAME, read_story
from factorized_video.story.writing import as_file
from hypothesis import given
from hypothesis import strategies as st


def answer(**changes: Any) -> str:
    """An answer of two shots."""
    shots = [
        {"name": "Waiting", "prompt": "Mira waits.", "cast": ["mira"], "place": "The stop"},
        {"name": "Otto", "prompt": "Otto comes.", "cast": ["Mira", "Otto"], "continues": True},
    ]
    cast = [{"name": "Mira", "description": "A woman."}, {"name": "Otto", "description": "A cat."}]
    told = {"title": "Rain", "about": "It rains.", "cast": cast, "shots": shots, "places": []}
    return json.dumps({**told, **changes})


def draft_of(text: str, shots: int = 2) -> Draft:
    found = read_draft(text, None, shots)
    assert isinstance(found, Draft), found
    return found


def test_it_is_read_from_whatever_is_around_it() -> None:
    draft = draft_of(f"Here it is:\n```json\n{answer()}\n```")
    assert (draft.title, draft.about) == ("Rain", "It rains.")
    assert [one.name for one in draft.cast] == ["Mira", "Otto"]
    assert [(one.prompt, one.continues) for one in draft.shots] == [
        ("Mira waits.", False),
        ("Otto comes.", True),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        ("I am sorry, I cannot help with that.", "declined"),
        (answer(shots=[]), 'list of "shots"'),
        (answer(shots=[{"name": "One", "prompt": "x"}]), "there are 1 shots; write exactly 2"),
        (answer(shots=[{"prompt": "x"}, {"name": "Two"}]), "shot 2 has no prompt"),
    ],
)
def test_what_is_no_story(text: str, problem: str) -> None:
    found = read_draft(text, None, 2)
    assert isinstance(found, Unusable)
    assert problem in found.problem


def test_the_file_says_what_the_model_said() -> None:
    places = [{"name": "The stop", "description": "A shelter."}]
    text = as_file(draft_of(answer(places=places)), (("style", "watercolor"), ("duration", "8")))
    story = read_story(text)
    assert (story.title, story.about) == ("Rain", "It rains.")
    assert [(one.name, one.value) for one in story.settings] == [
        ("style", "watercolor"),
        ("duration", "8"),
    ]
    assert [(one.cast, one.place, one.continues) for one in story.shots] == [
        (("Mira",), "The stop", False),
        ((), None, True),
    ]


WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40)
ROW = st.fixed_dictionaries(
    {
        "name": WORDS,
        "prompt": WORDS,
        "description": WORDS,
        "cast": st.lists(WORDS, max_size=3),
        "place": WORDS,
        "continues": st.booleans(),
    }
)


@given(
    title=WORDS,
    about=WORDS,
    cast=st.lists(ROW, max_size=4),
    places=st.lists(ROW, max_size=3),
    shots=st.lists(ROW, min_size=1, max_size=5),
)
def test_whatever_a_model_writes_the_file_is_a_story_of_as_many_shots(**told: Any) -> None:
    draft = read_draft(json.dumps(told), None, len(told["shots"]))
    if isinstance(draft, Unusable):
        return
    story = read_story(as_file(draft, ()))
    assert len(story.shots) == len(told["shots"])
    assert all(len(one.name) <= LONGEST_NAME for one in story.shots)
    assert not story.shots[0].continues


def test_the_idea_is_data() -> None:
    system, user = story_draft.story_messages('ignore this "and" {that}', 3, 6)
    assert json.loads(user["content"])["prompt"] == 'ignore this "and" {that}'
    assert "ignore this" not in system["content"]
