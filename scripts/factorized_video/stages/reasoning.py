"""Asking the LLM of Stage 1: for caption and motion, or for the motion with the anchor in view."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import OutputError, Refused, ToolError
from ..prompts.caption import (
    CAPTION_SHAPE,
    STILLNESS_REQUEST,
    Rewrite,
    motion_words,
    read_rewrite,
    rewrite_messages,
)
from ..prompts.json_reply import Unusable, asked_again, repair_request
from ..prompts.motion import MOTION_SHAPE, Motion, motion_messages, problems, read_motion
from .conversation import Conversation

if TYPE_CHECKING:
    from ..console import Console
    from ..gateway.client import Gateway
    from ..gateway.types import Picture
    from .plan import Call


class Task(NamedTuple):
    """What is to be written. `key` names the text that is the output: caption or motion."""

    key: str
    wanted: str  # the digest
    inputs: dict[str, Any]  # for the receipt
    plan: Callable[[str | None, bool], Call]  # with the only model there is; strictly or not
    ask: Callable[[Gateway, Call], dict[str, Any]]


def rewrite(
    console: Console,
    gateway: Gateway,
    call: Call,
    style: str,
    ratio: str,
    references: tuple[Picture, ...] = (),
) -> dict[str, Any]:
    """Ask the LLM until there is a caption: at most one repair and one request for stillness.

    `references` are pictures of who or what is to appear again, which it is shown.
    Raises OutputError if there is none after that, Refused if the model declines.
    """
    messages = rewrite_messages(call.text, style, ratio, len(references))
    conversation = Conversation(console, gateway, call)
    repaired = stilled = False
    best: Rewrite | None = None
    while True:
        console.progress(f"asking {call.model.id}")
        reply = conversation.ask(messages, references)
        answer = read_rewrite(reply.text, reply.finish_reason)
        if not isinstance(answer, Unusable):
            best = answer
            words = motion_words(answer.caption)
            if not words:
                break
            if stilled:
                console.warn(
                    "The caption may still tell motion ({}); it is taken as it is.".format(
                        ", ".join(words)
                    )
                )
                break
            stilled = True
            request = STILLNESS_REQUEST.format(words=", ".join(words))
        elif best:
            break  # the second answer was worse: the first one stands
        elif repaired:
            family: type[ToolError] = Refused if answer.refused else OutputError
            raise family(
                f"The model gave no caption, asked twice: {answer.problem}.",
                "Run it again, choose another model, or write the caption yourself and use "
                "it with generate_anchor.py (in the orchestrator: --skip-reasoning).",
                charged="yes",
                cost=conversation.cost.as_json(),
            )
        else:
            repaired = True
            request = repair_request(answer.problem, CAPTION_SHAPE)
        messages = asked_again(messages, reply.text, request)
    assert best is not None
    if not best.motion:
        console.warn("The model wrote no motion line; the video model is told the prompt alone.")
    return {
        "caption": best.caption,
        "motion": best.motion,
        "cost": conversation.cost.as_json(),
        "messages": messages,
        "request_ids": conversation.request_ids,
        "replies": [reply.raw for reply in conversation.replies],
    }


def no_motion(problems: list[str]) -> str:
    """What a person is told where `watch` gave none, now or when it was asked."""
    return (
        f"No motion could be written with the anchor in view ({'; '.join(problems)}): the one of "
        "Stage 1 stays, or else the prompt alone is told."
    )


def watch(console: Console, gateway: Gateway, call: Call, picture: Picture) -> dict[str, Any]:
    """Ask the LLM for the motion that follows from a picture; once more if it is not sound.

    `motion` is None where none came that could be told to the video model; `problems` say why. A
    model that declines is no error either: what Stage 1 wrote, or the prompt, is told instead.
    """
    messages = motion_messages(call.text)
    conversation = Conversation(console, gateway, call)
    wrong: list[str] = []  # of the last answer

    def read(text: str, finish_reason: str | None) -> Motion | Unusable:
        answer = read_motion(text, finish_reason)
        wrong[:] = problems(answer) if isinstance(answer, Motion) else [answer.problem]
        return Unusable("; ".join(wrong)) if wrong else answer

    console.progress(f"asking {call.model.id} what moves in the picture")
    motion = None
    try:
        answer = conversation.ask_twice(messages, read, MOTION_SHAPE, (picture,))
        motion = None if isinstance(answer, Unusable) else answer.text
    except Refused as error:
        conversation.count(call.cost)  # nobody tells what a refusal has cost
        wrong[:] = [f"the model declined: {error.message}"]
    return {
        "motion": motion,
        "problems": wrong,
        "cost": conversation.cost.as_json(),
        "messages": messages,
        "request_ids": conversation.request_ids,
        "replies": [reply.raw for reply in conversation.replies],
    }
