"""Asking the judge: the questions for a prompt, and the answers for a picture.

A judge whose answers cannot be used is asked once more; after that the check is unknown, which is
never a pass. What was answered is paid for and written down either way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import OutputError, Refused
from ..prompts import checklist, clip_checklist
from ..prompts.checklist import Answer, Check
from ..prompts.json_reply import Unusable

if TYPE_CHECKING:
    from ..gateway.types import Picture
    from .conversation import Conversation


def write_questions(conversation: Conversation) -> tuple[str, ...]:
    """The questions for the prompt that the conversation's call is about.

    Raises OutputError where none came that can be used, Refused where the model declines.
    """
    call = conversation.call
    messages = checklist.question_messages(call.text)
    conversation.context.console.progress(f"asking {call.model.id} for the questions")
    answer = conversation.ask_twice(messages, checklist.read_questions, checklist.QUESTIONS_SHAPE)
    if not isinstance(answer, Unusable):
        return answer
    raise (Refused if answer.refused else OutputError)(
        "The model gave no questions to check the anchor by in "
        f"{conversation.counted}: {answer.problem}.",
        "Run it again, choose another --judge-model, or leave out --verify and look yourself.",
        charged="yes",
        cost=conversation.cost.as_json(),
    )


def check(
    conversation: Conversation,
    pictures: tuple[Picture, ...],
    questions: tuple[str, ...],
    *,
    frames_s: tuple[float, ...] | None = None,
    references: tuple[Picture, ...] = (),
) -> tuple[Check, dict[str, Any]]:
    """What the judge finds in a picture, and what goes with it into the receipt.

    With `frames_s`, times in seconds, the pictures are the frames of a clip. `references` are shown
    beside, to be compared with. Raises a ToolError only where the judge could not be asked.
    """
    asked = checklist.with_controls(questions)
    words = [one.question for one in asked]
    messages = (
        checklist.check_messages(words, len(references))
        if frames_s is None
        else clip_checklist.clip_check_messages(words, frames_s)
    )

    def read(text: str, finish_reason: str | None) -> tuple[Answer, ...] | Unusable:
        return checklist.read_answers(text, finish_reason, asked)

    try:
        shown = (*pictures, *references)
        answer = conversation.ask_twice(messages, read, checklist.CHECK_SHAPE, shown)
    except Refused as error:
        found = Check(problem=f"the judge declined: {error.message}")
    else:
        found = (
            Check(problem=f"the judge's answer could not be used: {answer.problem}")
            if isinstance(answer, Unusable)
            else Check(answer)
        )
    return found, conversation.about
