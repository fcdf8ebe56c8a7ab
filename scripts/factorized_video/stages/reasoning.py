"""Stage 1: what is left of it, and asking the LLM for caption and motion, or the motion alone."""

from __future__ import annotations

import time
from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from .. import files, receipts, texts
from ..errors import OutputError, OverBudget, Refused, ToolError, UsageError
from ..media import images
from ..models import limits
from ..prompts import caption as caption_prompts
from ..prompts import motion as motion_prompts
from ..prompts import styles
from ..prompts.caption import Rewrite, motion_words, read_rewrite
from ..prompts.json_reply import Unusable, asked_again, repair_request
from ..prompts.motion import Motion
from ..receipts import Decision, Intent, Record
from . import given_images, plan, preflight
from .calls import Call
from .context import Context
from .conversation import Conversation
from .outlook import Outlook
from .paid_call import Made, PaidCall, locked
from .plan import Rules
from .request import CaptionRequest, Identity, MotionRequest
from .text_record import TextRecord

if TYPE_CHECKING:
    from ..gateway.client import Gateway
    from ..gateway.types import Picture


def written(
    request: CaptionRequest | MotionRequest, output: Path | None, context: Context
) -> dict[str, Any] | None:
    """The receipt of a text that was written for this request, and may have been kept aside.

    It holds the text itself.
    """
    wanted = request.digest(context.identity_of("chat"))
    if output is None:
        return None
    return receipts.rewritten(output, wanted) or receipts.to_come_back(output, wanted)


def outlook(
    request: CaptionRequest | MotionRequest, output: Path | None, context: Context
) -> Outlook:
    """What is left to pay for a text."""
    pays = written(request, output, context) is None
    call = planned(request, context.rules(strict=pays))
    return Outlook((call,), {call.stage: int(pays)})


def planned(request: CaptionRequest | MotionRequest, rules: Rules) -> Call:
    """The call that writes it."""
    if isinstance(request, MotionRequest):
        return plan.motion(request.prompt, request.model, rules)
    return plan.caption(request, rules)


class Asked(Protocol):
    """What a text is asked for by; another room has a request of its own."""

    def digest(self, gateway: Identity) -> str:
        """By which the output is recognised."""

    def asked(self, gateway: Identity) -> dict[str, object]:
        """By option, as the receipt holds it."""

    @property
    def inputs(self) -> dict[str, object]:
        """As the receipt holds them."""


class TextCall(PaidCall):
    """A text of Stage 1. A chat is simply sent again, so no intent is written before it.

    The receipt holds the texts: a file that was lost is written again from it, free. `key` names
    the text that is the output, caption or motion; the motion goes to `motion_file` as well.
    """

    key = ""

    def __init__(
        self, context: Context, output: Path | None, request: Asked, motion_file: Path | None = None
    ) -> None:
        super().__init__(
            context, output, request.digest(context.identity_of("chat")), context.asked(request)
        )
        self.request = request
        self.motion_file = motion_file
        self.written: dict[str, Any] = {}  # what was asked for now, or lies in the receipt

    @abstractmethod
    def ask(self, conversation: Conversation, call: Call) -> dict[str, Any]:
        """Have it written: the texts, their cost, and what the receipt keeps of the exchange."""

    def consult(self, *, settles: bool) -> tuple[Decision, dict[str, Any]]:
        """Without an output nothing was kept, and nothing is."""
        if self.output is None:
            return Decision.MAKE, {}
        receipt = receipts.rewritten(self.output, self.wanted)
        if receipt:
            return Decision.RETURN, receipt
        allowed = self.context.allowed._replace(resubmit=True)
        return self.consult_with(allowed, settles=settles)

    def announce(self, decision: Decision, receipt: dict[str, Any]) -> None:
        """The texts are printed, so nothing needs to be said; a lost file is written again."""
        with locked(self.output):
            self.returned(receipt)

    def returned(self, receipt: dict[str, Any]) -> None:
        """Write the files that are missing."""
        self.written = {**receipt["result"], "model": receipt["model"], "cost": receipt["cost"]}
        self._write_files(reused=not self.came_back)

    def checked(self, gateway: Gateway) -> Call:
        """With the only model there is, where none was named."""
        assert isinstance(self.request, CaptionRequest | MotionRequest)
        call = planned(self.request, self.context.rules())
        only = preflight.model(self.context, gateway, call.model.id, "llm")
        return planned(self.request._replace(model=only), self.context.rules()) if only else call

    def intent(self, gateway: Gateway, call: Call) -> Intent:
        """What was asked, in the last exchange."""
        return Intent(
            call.stage,
            self.wanted,
            self.request.inputs,
            {"messages": self.written.get("messages"), **call.settings},
            self.context.gateway.in_receipt("chat"),
            call.model.id,
            call.cost,
            self.context.rerun.kept(),
            asked=self.asked,
        )

    def pay(self, gateway: Gateway) -> Record:
        """Ask, then write the receipt: before the files, so that they can be written again."""
        call = self.checked(gateway)
        self.check_money(gateway, call)
        sent_at = round(time.time(), 3)
        record = TextRecord(self.output, lambda: self.intent(gateway, call))
        conversation = Conversation(self.context, gateway, call, self.ledger, keep=record.keep)
        try:
            self.written = {**self.ask(conversation, call), "model": call.model.id}
        except ToolError as error:
            record.failed(error)
            raise
        return record.succeeded(
            _as_file(self.written[self.key] or ""),
            sent_at=sent_at,
            cost=self.written["cost"],
            reply=self.written["replies"],
            request_ids=self.written["request_ids"],
            result={name: one for name, one in self.written.items() if name in _TEXTS},
        )

    def begin(self, gateway: Gateway, decision: Decision, receipt: dict[str, Any]) -> Record:
        """A text is never resumed: where there is none, it is written now."""
        return self.pay(gateway)

    def send(self, gateway: Gateway, call: Call, record: Record) -> None:
        """Asked for in `pay`."""

    def deliver(self, gateway: Gateway, record: Record) -> None:
        """The receipt came first: the files can be written again from it."""
        self._write_files(reused=False)

    def check_room(self) -> None:
        """Raise UsageError where something else lies in the output's place."""
        if self.output:
            receipts.check_room(self.output, self.wanted, self.context.allowed, self.asked)

    def check_motion_file(self) -> None:
        """Raise UsageError where the motion's place is taken by something else."""
        output, place = self.output, self.motion_file
        if place is None:
            return
        if output == place:
            raise UsageError(
                "--output and --motion-file name the same file.", "Give them two names."
            )
        files.check_writable(place)
        ours = output is not None and receipts.rewritten(output, self.wanted) is not None
        if place.exists() and not ours and not self.context.terms.overwrite:
            raise UsageError(f"{place} already exists.", "Choose another name, or add --overwrite.")

    def _write_files(self, *, reused: bool) -> None:
        """Write what is missing; from then on `written` is what the files contain."""
        output, text = self.output, self.written[self.key]
        if output and output.exists():
            ours, text = text, texts.read_text(None, str(output), f"The {self.key}")
            if text != ours:
                self.context.console.warn(f"{output} was edited; it is used as it is.")
        elif output and text:
            files.write_file(output, _as_file(text))
        if text is None:
            self.context.console.warn(no_motion(self.written["problems"]))
        self._write_motion(self.written.get("motion"), reused)
        self.written[self.key] = text

    def _write_motion(self, motion: str | None, reused: bool) -> None:
        """To its file; one that is there for the same caption stays."""
        place = self.motion_file
        if place is None:
            return
        files.sweep(place)
        if reused and place.exists() and not self._is_stale(place):
            return
        receipts.make_room(place)
        if motion:
            files.write_file(place, _as_file(motion))

    def _is_stale(self, motion_file: Path) -> bool:
        """Whether the motion there is that of an earlier caption: a run was cut off before it."""
        assert self.output is not None
        there = motion_file.read_text(encoding="utf-8", errors="replace").strip()
        earlier = receipts.texts(self.output, "motion") - {self.written.get("motion")}
        return there in earlier

    def result(self, made: Made) -> dict[str, Any]:
        """The result of Stage 1."""
        output, written = self.output, self.written
        return {
            "status": "succeeded",
            "output": str(output) if output and written[self.key] else None,
            "gateway": self.context.gateway.name,
            "model": written["model"],
            "cost": written["cost"],
            "receipt": str(receipts.receipt_path(output)) if output else None,
            "caption": written.get("caption"),
            "motion": written.get("motion"),
            "reused": made.reused,
        }


class CaptionCall(TextCall):
    """Caption and motion, from the prompt and the references."""

    key = "caption"
    request: CaptionRequest

    def __init__(
        self,
        context: Context,
        output: Path | None,
        request: CaptionRequest,
        motion_file: Path | None = None,
    ) -> None:
        super().__init__(context, output, request, motion_file)
        self.references = given_images.to_send(request.references)

    def ask(self, conversation: Conversation, call: Call) -> dict[str, Any]:
        """At most one repair and one request for stillness."""
        request = self.request
        style = styles.resolve_style(request.style, request.prompt)
        ratio = request.aspect_ratio or self.context.handoff.canvas or limits.DEFAULT_RATIO
        references = self.references
        messages = caption_prompts.rewrite_messages(
            request.prompt,
            style,
            ratio,
            len(references),
            self.context.prompting,
            scene=request.scene,
            earlier=self.context.handoff.earlier,
        )
        best, messages = _rewritten(self.context, conversation, messages, references, call)
        if not best.motion:
            self.context.console.warn(
                "The model wrote no motion line; the video model gets the prompt alone."
            )
        return {"caption": best.caption, "motion": best.motion, **exchange(conversation, messages)}


def _rewritten(
    context: Context,
    conversation: Conversation,
    messages: list[dict[str, str]],
    references: tuple[Picture, ...],
    call: Call,
) -> tuple[Rewrite, list[dict[str, str]]]:
    """Ask until there is a caption: at most one repair and one request for stillness.

    Raises OutputError if there is none after that, Refused if the model declines.
    """
    repaired = stilled = False
    best: Rewrite | None = None
    while True:
        context.console.progress(f"asking {call.model.id}")
        try:
            reply = conversation.ask(messages, references)
        except OverBudget as error:
            if best is None:
                raise
            context.console.warn(f"The caption may still describe motion: {error.message}")
            return best, messages
        answer = read_rewrite(reply.text, reply.finish_reason)
        if not isinstance(answer, Unusable):
            best = answer
            moving = motion_words(answer.caption)
            if not moving:
                return best, messages
            if stilled:
                context.console.warn(
                    f"The caption may still describe motion ({', '.join(moving)}); it is used as "
                    "it is."
                )
                return best, messages
            stilled = True
            request = caption_prompts.STILLNESS_REQUEST.format(words=", ".join(moving))
        elif best:
            return best, messages  # the second answer was worse: the first one stands
        elif repaired:
            raise (Refused if answer.refused else OutputError)(
                f"The model gave no caption in {conversation.counted}: {answer.problem}.",
                "Run it again, choose another model, or write the caption yourself and use "
                "it with generate_anchor.py (in the orchestrator: --skip-reasoning).",
                charged="yes",
                cost=conversation.cost.as_json(),
            )
        else:
            repaired = True
            request = repair_request(answer.problem, caption_prompts.CAPTION_SHAPE)
        messages = asked_again(messages, reply.text, request)


class MotionCall(TextCall):
    """The motion alone, with the anchor in view.

    `motion` is None where none came that the video model could be given; `problems` say why. A
    model that declines is no error either: what Stage 1 wrote, or the prompt, is sent instead.
    """

    key = "motion"
    request: MotionRequest

    def ask(self, conversation: Conversation, call: Call) -> dict[str, Any]:
        """Once more if the first motion is not sound."""
        prompting = self.context.prompting
        messages = motion_prompts.motion_messages(
            call.text, prompting, self.context.handoff.earlier
        )
        wrong: list[str] = []  # of the last answer

        def read(text: str, finish_reason: str | None) -> Motion | Unusable:
            answer = motion_prompts.read_motion(text, finish_reason)
            if isinstance(answer, Motion):
                wrong[:] = motion_prompts.problems(answer, prompting.most_words)
            else:
                wrong[:] = [answer.problem]
            return Unusable("; ".join(wrong)) if wrong else answer

        self.context.console.progress(f"asking {call.model.id} what moves in the picture")
        picture = images.to_show(self.request.anchor.image)
        found = None
        try:
            answer = conversation.ask_twice(messages, read, motion_prompts.MOTION_SHAPE, (picture,))
            found = None if isinstance(answer, Unusable) else answer.text
        except Refused as error:
            wrong[:] = [f"the model declined: {error.message}"]
        return {"motion": found, "problems": wrong, **exchange(conversation, messages)}


def no_motion(problems: list[str]) -> str:
    """What to warn of where no motion could be written, now or when it was asked for."""
    return (
        f"No motion could be written with the anchor in view ({'; '.join(problems)}): the one of "
        "Stage 1 stays, or else the prompt alone is sent."
    )


_TEXTS = ("caption", "motion", "problems", "story")


def exchange(conversation: Conversation, messages: list[dict[str, str]]) -> dict[str, Any]:
    """What a receipt keeps of the exchange."""
    return {
        "cost": conversation.cost.as_json(),
        "messages": messages,
        "request_ids": conversation.request_ids,
        "replies": [reply.raw for reply in conversation.replies],
    }


def _as_file(text: str) -> bytes:
    return (text + "\n").encode()
