"""The file of a story: what is read from it, and what is wrong with it, line by line."""

from __future__ import annotations

import pytest
from factorized_video.errors import UsageError
from factorized_video.story import order
from factorized_video.story.story_file import Setting, read_story
from hypothesis import given
from hypothesis import strategies as st

STORY = """\
# The lost umbrella

It rains.
All evening.

- style: watercolor

## Cast

### Mira
A woman with
short red hair.

### Otto
A grey cat. <!-- a remark -->

- picture: otto.png

### 雨
A girl in white.
- picture: none

## Places

### Bus stop
A glass shelter.

## Shots

### Waiting
Mira waits at the bus stop.

* seconds: 4

### A visitor
Otto comes in from the left.

- continues: yes

### Going home
mira's umbrella is broken.

Otto laughs.

- with: otto, MIRA
- in: bus STOP

### Empty
雨天 without Mirabel.
- with: nobody
"""


def test_what_a_story_says() -> None:
    story = read_story(STORY)
    assert (story.title, story.about) == ("The lost umbrella", "It rains. All evening.")
    assert story.settings == (Setting("style", "watercolor", 6),)
    assert [(one.name, one.description) for one in story.cast] == [
        ("Mira", "A woman with short red hair."),
        ("Otto", "A grey cat."),
        ("雨", "A girl in white."),
    ]
    assert [(one.picture, one.is_drawn) for one in story.cast] == [
        (None, True),
        ("otto.png", True),
        (None, False),
    ]
    assert [(one.name, one.line) for one in story.places] == [("Bus stop", 25)]
    shots = [(one.name, one.cast, one.place, one.continues) for one in story.shots]
    assert shots == [
        ("Waiting", ("Mira",), "Bus stop", False),
        ("A visitor", (), None, True),
        ("Going home", ("Mira", "Otto"), "Bus stop", False),
        ("Empty", (), None, False),
    ]
    assert story.shots[0].settings == (Setting("seconds", "4", 33),)
    assert story.shots[2].prompt == "mira's umbrella is broken.\n\nOtto laughs."


def test_names_are_whole_words_but_where_a_script_has_none() -> None:
    head = "# T\n## Cast\n### Ann\nA.\n### 雨\nB.\n## Shots\n### One\n"
    told = {"Anna and Ann": ("Ann",), "Anna": (), "下雨了": ("雨",), "(ann)": ("Ann",)}
    for prompt, cast in told.items():
        assert read_story(f"{head}{prompt}\n").shots[0].cast == cast


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", None, "no shots"),
        ("# T\n\n## Shots\n", None, "no shots"),
        ("prose\n# T\n", 1, "without a title"),
        ("# T\n## Actors\n", 2, "'Actors' is no section"),
        ("# T\n## Shots\n## Shots\n", 3, "a second Shots"),
        ("# T\n## Cast\nMira\n", 2, "nothing stands right below"),
        ("# T\n### Mira\n", 2, "a heading ###"),
        ("# T\n# U\n", 2, "a heading #"),
        ("# T\n## Shots\n### \nA.\n", 3, "no usable name"),
        (f"# T\n## Shots\n### {'n' * 61}\nA.\n", 3, "no usable name"),
        ("# T\n## Shots\n### One\n", 3, "has no prompt"),
        ("# T\n## Shots\n### One\nA.\n- slowly\n", 5, "a list item is a setting"),
        ("# T\n## Shots\n### One\nA.\n- seconds:\n", 5, "has no value"),
        ("# T\n## Shots\n### One\nA.\n- continues: yes\n", 5, "the first shot"),
        ("# T\n## Shots\n### One\nA.\n### Two\nB.\n- continues: maybe\n", 7, "is neither"),
        ("# T\n## Shots\n### One\nA.\n### one\nB.\n", 5, "is there already, on line 3"),
        ("# T\n## Cast\n### A\nx\n### a\ny\n## Shots\n### One\nA.\n", 5, "on line 3"),
        ("# T\n## Cast\n### Mira\n## Shots\n### One\nA.\n", 3, "not described"),
        ("# T\n## Cast\n### Mira\nA.\n- age: 30\n", 5, "'age' is no setting of one of the cast"),
        ("# T\n## Cast\n### Mira\nA.\n- take: many\n", 5, "is no take"),
        ("# T\n## Cast\n### Mira\nA.\n- picture: a.png\n- take: 2\n", 6, "to be drawn"),
        ("# T\n## Cast\n### Mira\nA.\n- picture: a\n- picture: b\n", 6, "a second picture"),
        ("# T\n## Places\n### Stop\n## Shots\n### One\nA.\n", 3, "not described"),
        ("# T\n## Shots\n### One\nA.\n- with: Bob\n", 5, "'Bob' is none of the cast"),
        ("# T\n## Shots\n### One\nA.\n- in: Rome\n", 5, "'Rome' is none of the places"),
        ("# T\n## Shots\n### One\nA.\n- in: Rome\n- in: Rome\n", 6, "a second in"),
        (
            "# T\n## Cast\n### M\nx\n## Shots\n### One\nA.\n### Two\nB.\n- continues: yes\n"
            "- with: M\n",
            11,
            "no effect beside continues",
        ),
        ("# T\n## Shots\n### One\nA\x07.\n", 3, "control character"),
        ("# T\n## Shots\n### One\nA.\n###Two\nB.\n", 5, "a heading has a space"),
        ("# T\n## Shots\n" + "".join(f"### {n}\nA.\n" for n in range(61)), 123, "more than 60"),
        ("# T\n" + "x" * (1 << 20), None, "more than 1 MiB"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int | None, words: str) -> None:
    with pytest.raises(UsageError) as error:
        read_story(text)
    where = f"line {line}: " if line else ""
    assert error.value.message.startswith(where)
    assert words in error.value.message
    assert error.value.hint


@given(st.text(st.sampled_from("#- \n:abSZé雨<!->*"), max_size=200))
def test_any_text_is_a_story_or_an_error(text: str) -> None:
    try:
        story = read_story(f"# T\n## Shots\n{text}")
    except UsageError:
        return
    assert story.shots


def test_a_scene_says_who_is_in_it_and_which_picture_shows_them() -> None:
    """These words are in the digests of shots: another form would have users pay again."""
    story = read_story(STORY)
    assert [order.scene_of(story, shot) for shot in story.shots] == [
        "It rains. All evening.\n"
        "Mira (reference picture 1): A woman with short red hair.\n"
        "The place, Bus stop: A glass shelter.",
        None,
        "It rains. All evening.\n"
        "Mira (reference picture 1): A woman with short red hair.\n"
        "Otto (reference picture 2): A grey cat.\n"
        "The place, Bus stop: A glass shelter.",
        "It rains. All evening.",
    ]


def test_shots_that_continue_are_chains_and_the_longest_goes_first() -> None:
    shots = read_story(STORY).shots
    assert order.chains(shots) == [[0, 1], [2], [3]]
    assert order.earlier(shots, 2) == (shots[0].prompt, shots[1].prompt)
    assert order.longest_first(order.chains(shots), [4, 4, 9, 1]) == [[2], [0, 1], [3]]
    assert order.longest_first(order.chains(shots), [4, 4, 4, 4]) == [[0, 1], [2], [3]]
