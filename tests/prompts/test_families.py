"""What the LLM is told of the video model's family, and that a run tells it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import run
from factorized_video import models
from factorized_video.prompts.caption import CAPTION_SYSTEM_PROMPT, rewrite_messages
from factorized_video.prompts.families import PLAIN, Prompting, addition, prompting_of
from factorized_video.prompts.motion import MOTION_SYSTEM_PROMPT, Motion, motion_messages, problems
from loopback import Gateway

PROMPT = "A cat jumps from the shelf to the couch"
HOLDS = "The camera holds still."
LONG = Motion("it " * 150, (), ("cat",), (), (("jump", "it it"),))


def system_of(gateway: Gateway, number: int = 0) -> str:
    """What the LLM was told, in its call of this number."""
    messages = gateway.of("chat")[number].body["messages"]
    assert isinstance(messages, list)
    return str(messages[0]["content"])


@pytest.fixture
def openrouter(live_registry: None) -> Iterator[Gateway]:
    with Gateway("openrouter") as gateway:
        yield gateway


def test_of_a_plain_model_nothing_is_said() -> None:
    assert addition(PLAIN) == ""
    assert rewrite_messages("a", "anime", "1:1")[0]["content"] == CAPTION_SYSTEM_PROMPT
    assert motion_messages("a")[0]["content"] == MOTION_SYSTEM_PROMPT


def test_each_rule_is_numbered_and_said_to_both_that_write_a_motion() -> None:
    all_three = Prompting("paragraph", still_camera=True, speech_end=True)
    told = addition(all_three)
    assert [line[:2] for line in told.splitlines()[1:]] == ["1.", "2.", "3."]
    assert HOLDS in told
    for messages in (
        rewrite_messages("a", "anime", "1:1", 1, all_three),
        motion_messages("a", all_three),
    ):
        assert told in messages[0]["content"]


def test_a_paragraph_may_be_longer() -> None:
    assert "use at most 100" in problems(LONG)[0]
    assert not [one for one in problems(LONG, Prompting("paragraph").most_words) if "words;" in one]


@pytest.mark.parametrize(
    ("row", "read"),
    [
        (None, PLAIN),
        ({}, PLAIN),
        ({"form": "poem", "still_camera": "yes", "speech_end": 1}, PLAIN),
        ({"form": "paragraph", "source": "x"}, Prompting("paragraph")),
        (Prompting("motion", True, True)._asdict(), Prompting("motion", True, True)),
    ],
)
def test_what_has_another_form_counts_for_nothing(row: object, read: Prompting) -> None:
    assert prompting_of(row) == read  # type: ignore[arg-type]


@pytest.mark.usefixtures("live_registry")
def test_the_registry_names_its_source_for_each() -> None:
    rows = [row["prompting"] for row in models.document()["models"] if "prompting" in row]
    assert rows
    assert all(row["source"] and prompting_of(row) != PLAIN for row in rows)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), True),  # the default there, Seedance 2.0
        (("--draft",), True),  # the motion is that of the clip which the draft is of
        (("--video-model", "google/veo-3.1"), False),
    ],
)
def test_a_run_tells_stage_1_of_its_video_model(
    openrouter: Gateway, args: tuple[str, ...], said: bool
) -> None:
    done = run("factorized_generate", PROMPT, "--stop-after=anchor", *args, gateway=openrouter)
    assert done.code == 0, done.err
    assert (HOLDS in system_of(openrouter)) is said


def test_the_motion_that_is_written_from_the_anchor_is_told_too(openrouter: Gateway) -> None:
    run("factorized_generate", PROMPT, "--stop-after=anchor", "--motion=auto", gateway=openrouter)
    assert HOLDS in system_of(openrouter, 1)


def test_another_video_model_writes_no_caption_anew(openrouter: Gateway) -> None:
    words = ("factorized_generate", PROMPT, "--stop-after=anchor", "--output=cat.mp4")
    assert run(*words, gateway=openrouter).code == 0
    assert run(*words, "--video-model=google/veo-3.1", gateway=openrouter).code == 0
    assert len(openrouter.of("chat")) == 1


def test_stage_1_by_itself_knows_no_video_model(openrouter: Gateway) -> None:
    assert run("rewrite_prompt", PROMPT, gateway=openrouter).code == 0
    assert system_of(openrouter) == CAPTION_SYSTEM_PROMPT
