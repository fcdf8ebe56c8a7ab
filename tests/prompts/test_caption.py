"""Stage 1: reading caption and motion from a reply, and finding motion in a caption."""

from __future__ import annotations

import json
import time

import pytest
from factorized_video.prompts.caption import Rewrite, motion_words, read_rewrite
from factorized_video.prompts.json_reply import Unusable
from factorized_video.texts import MAX_TEXT
from hypothesis import given, settings
from hypothesis import strategies as st

GOOD = '{"caption": "A cat on a shelf.", "motion": "The cat leaps right."}'
REWRITE = Rewrite("A cat on a shelf.", "The cat leaps right.")


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"\n\n  {GOOD}  \n",
        f"Sure! Here it is:\n{GOOD}\nTell me if you want it shorter.",
        f"```json\n{GOOD}\n```",
        f"```\n{GOOD}\n```\nI kept {{the}} cat.",
        f'<think>Perhaps {{"caption": "A dog."}} ... no.</think>{GOOD}',
        f'<THINKING>\n{{"caption": "A dog.", "motion": "x"}}\n</THINKING>\n{GOOD}',
        f'Draft: {{"caption": "A dog.", "motion": null}}\nBetter: {GOOD}',
        f'"caption" drafts {{"caption": "A dog."}}</think>{GOOD}',
        f'{{"result": {GOOD}}}',
        f'[{{"note": 1}}, {GOOD}]',
        f'{{"caption": ""}} {GOOD}',
        f'{GOOD} {{"confidence": 0.9}}',
        f'{GOOD[:-1]}, "drafts": [{{"caption": "A dog.", "motion": "It sits."}}]}}',
        '{"caption": "A cat\non a shelf.", "motion": "The cat\n\tleaps right."}',
        '{"caption": "  A cat  on\\u0000 a shelf. ", "motion": " The cat leaps right. "}',
        '{"thoughts": {"a": [1, {"b": 2}]}, "caption": "A cat on a shelf.", '
        '"motion": "The cat leaps right."}',
    ],
)
def test_caption_and_motion_are_found_in_any_wrapping(text: str) -> None:
    assert read_rewrite(text) == REWRITE


@pytest.mark.parametrize("motion", ["null", '""', '"  "', "7", '["leaps"]', '{"a": 1}'])
def test_a_motion_that_is_not_text_is_dropped(motion: str) -> None:
    assert read_rewrite(f'{{"caption": "A cat.", "motion": {motion}}}') == Rewrite("A cat.", None)


def test_the_caption_keeps_quotes_braces_and_other_scripts() -> None:
    caption = 'A sign reads "猫 {caption}" above a door.'
    text = json.dumps({"caption": caption, "motion": None}, ensure_ascii=False)
    assert read_rewrite(text) == Rewrite(caption, None)


@pytest.mark.parametrize(
    ("text", "finish_reason", "problem"),
    [
        ("", None, "empty"),
        (" \n\t ", "stop", "empty"),
        ("<think>I wonder what a cat", "length", "cut off"),
        ("<think>hm</think>", None, "empty"),
        ('{"caption": "A cat on a sh', None, "cut off"),
        ('```json\n{"caption": "A cat", "motion": "The', "stop", "cut off"),
        ("A cat sits on a", "length", "cut off"),
        ("A cat sits on a shelf.", "stop", "no JSON object"),
        ('{"caption": ""}', None, "no JSON object"),
        ('{"caption": " \\n "}', None, "no JSON object"),
        ('{"caption": null, "motion": "x"}', None, "no JSON object"),
        ('{"caption": 7}', None, "no JSON object"),
        ('{"caption": ["A cat."]}', None, "no JSON object"),
        ('{"caption": {"text": "A cat."}}', None, "no JSON object"),
        ('{"text": "A cat."}', None, "no JSON object"),
        ('["caption", "A cat."]', None, "no JSON object"),
        (json.dumps({"answer": GOOD}), None, "no JSON object"),  # JSON inside a string
        (json.dumps({"caption": "x" * (MAX_TEXT + 1)}), None, f"{MAX_TEXT + 1} characters"),
    ],
)
def test_a_reply_without_a_caption_names_the_problem(
    text: str, finish_reason: str | None, problem: str
) -> None:
    answer = read_rewrite(text, finish_reason)
    assert isinstance(answer, Unusable)
    assert problem in answer.problem
    assert not answer.refused


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m unable to describe this scene.",
        "Sorry, this is not something I can do.",
        "I cannot write this.",
        "I can't assist with that request.",
        "**I must decline.**",
        "Your request violates our usage policies.",
    ],
)
def test_a_refusal_in_prose_is_a_refusal(text: str) -> None:
    answer = read_rewrite(text, "stop")
    assert isinstance(answer, Unusable)
    assert answer.refused
    assert text.strip("*") in answer.problem


def test_an_apology_before_a_caption_is_not_a_refusal() -> None:
    assert read_rewrite(f"Sorry for the delay! {GOOD}") == REWRITE


@pytest.mark.parametrize(
    "text",
    [
        "{" * 100_000,
        "{}" * 50_000,
        '{"a":' * 20_000,
        '{"' * 50_000,
        "[{" * 50_000,
        "<think>" * 15_000,
    ],
)
def test_a_hundred_thousand_braces_take_less_than_a_second(text: str) -> None:
    started = time.process_time()
    assert isinstance(read_rewrite(text), Unusable)
    assert time.process_time() - started < 1


FRAGMENTS = st.sampled_from([*'{}",:[]\\\n', "caption", '"caption": "x"', "<think>", "</think>"])


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(FRAGMENTS | st.text(max_size=8)).map("".join), st.none() | st.just("length"))
def test_any_reply_is_read_without_raising(text: str, finish_reason: str | None) -> None:
    answer = read_rewrite(text, finish_reason)
    assert answer.caption if isinstance(answer, Rewrite) else answer.problem


@settings(deadline=None)  # a busy machine is no failure
@given(st.dictionaries(st.text(), st.text() | st.none()), st.text(min_size=1).filter(str.strip))
def test_any_json_object_with_a_caption_gives_that_caption(
    rest: dict[str, str | None], caption: str
) -> None:
    answer = read_rewrite(json.dumps({**rest, "caption": "x" + caption}))
    assert isinstance(answer, Rewrite)
    assert answer.caption.startswith("x")
    assert answer.caption == " ".join(answer.caption.split())


@pytest.mark.parametrize(
    "caption",
    [
        "A running shoe on a wooden bench",
        "A pair of running shoes, side by side",
        "A jumping spider on a leaf",
        "A flying buttress of a cathedral at dawn",
        "A tap with running water above a sink",  # part of a name
        "Rolling hills under fog",
        "A swimming pool, empty",
        "A climbing rose against a brick wall",
        "A moving van parked at the kerb",
        "A falling leaf hangs in the air",
        "A runner crouched in the starting blocks, ready to run",
        "A path runs through the wood",  # finite forms that describe still things too
        "A waterfall, and stairs that climb up the hill",
        "A spring morning over a walled garden",
        "A king on a throne, a string of pearls in hand",
        "",
    ],
)
def test_a_still_caption_has_no_motion_words(caption: str) -> None:
    assert motion_words(caption) == []


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("A cat jumping from a shelf to a couch", ["jumping"]),
        ("A dog RUNNING across a field", ["running"]),
        ("Two children chasing, a kite above", ["chasing"]),
        ("A rocket exploding.", ["exploding"]),
        ("A horse galloping", ["galloping"]),
        ("A bird flying over the sea and a boat drifting past", ["flying", "drifting"]),
        ("A cup on a table, and then it falls", ["and then"]),
        ("The flower begins to open", ["begins to"]),
        ("The sky gradually darkens; suddenly it rains", ["gradually", "suddenly"]),
        ("A street at night while the camera pans left", ["the camera pans"]),
        ("A car with motion blur", ["motion blur"]),
        ("The cat jumps onto the couch", ["jumps"]),
        ("A bird flies over the sea", ["flies"]),
    ],
)
def test_motion_and_time_in_a_caption_are_found(caption: str, words: list[str]) -> None:
    assert motion_words(caption) == words
