"""Asking the judge: the questions for a prompt, and the answers for a picture.

A judge whose answers cannot be used is asked once more; after that the check is unknown, which is
never a pass. What was answered is paid for and written down either way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import checks, prompts
from .asking import Conversation
from .checks import Check
from .errors import OutputError, Refused
from .replies import Unusable

if TYPE_CHECKING:
    from .console import Console
    from .gateway.client import Gateway
    from .gateway.types import Picture
    from .plan import Call

JUDGE = "--judge-model"


def write_questions(
    console: Console, gateway: Gateway, call: Call, prompt: str
) -> tuple[tuple[str, ...], Conversation]:
    """The questions for a person's prompt, and the conversation in which they were written.

    Raises OutputError where none came that can be used, Refused where the model declines.
    """
    messages = prompts.question_messages(prompt)
    conversation = Conversation(console, gateway, call, JUDGE)
    console.progress(f"asking {call.model.id} for the questions")
    reply = conversation.ask(messages)
    answer = checks.read_questions(reply.text, reply.finish_reason)
    if isinstance(answer, Unusable):
        request = _asked_anew(answer, prompts.QUESTIONS_SHAPE)
        reply = conversation.ask(prompts.asked_again(messages, reply.text, request))
        answer = checks.read_questions(reply.text, reply.finish_reason)
    if not isinstance(answer, Unusable):
        return answer, conversation
    raise (Refused if answer.refused else OutputError)(
        f"The model gave no questions to check the anchor by, asked twice: {answer.problem}.",
        "Run it again, choose another --judge-model, or leave out --verify and look yourself.",
        charged="yes",
        cost=conversation.cost.as_json(),
    )


def check(
    console: Console,
    gateway: Gateway,
    call: Call,
    picture: Picture,
    questions: tuple[str, ...],
) -> tuple[Check, dict[str, Any]]:
    """What the judge finds in a picture, and what goes with it into the receipt.

    Raises a ToolError only where the judge could not be asked.
    """
    asked = checks.with_controls(questions)
    messages = prompts.check_messages([one.question for one in asked])
    conversation = Conversation(console, gateway, call, JUDGE)
    found = Check(problem="the judge was not asked")
    for _ in range(2):
        try:
            reply = conversation.ask(messages, (picture,))
        except Refused as error:
            # Without a reply nobody tells what it cost.
            found = Check(problem=f"the judge declined: {error.message}")
            conversation.count(call.cost)
            break
        answer = checks.read_answers(reply.text, reply.finish_reason, asked)
        if not isinstance(answer, Unusable):
            found = Check(answer)
            break
        found = Check(problem=f"the judge's answer could not be used: {answer.problem}")
        request = prompts.REPAIR_REQUEST.format(problem=answer.problem, shape=prompts.CHECK_SHAPE)
        messages = prompts.asked_again(messages, reply.text, request)
    about = {
        "model": call.model.id,
        "cost": conversation.cost.as_json(),
        "request_ids": conversation.request_ids,
    }
    return found, about


def _asked_anew(answer: Unusable, shape: str) -> str:
    return prompts.REPAIR_REQUEST.format(problem=answer.problem, shape=shape)
