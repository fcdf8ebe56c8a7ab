"""Stage 3: what is left of a clip, and the clip from the paid job to its place."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import models, receipts
from ..errors import OverBudget, Rejected, ToolError
from ..gateway.types import NO_RESULT, Handle
from ..media import file_types, images, similarity
from ..models import limits
from ..models.picture_limits import Framing
from ..output_paths import filmstrip_path
from ..receipts import Decision, Intent, Record
from ..rerun import offer_replacement
from . import alternatives, delivery, given_images, plan, preflight
from .calls import Call, Plan
from .context import Context
from .delivery import Looks
from .given_images import GivenImage
from .outlook import Outlook
from .paid_call import Made, PaidCall, with_seed
from .request import ClipRequest
from .video_job import Frames, VideoJob, handle_of, vanished

if TYPE_CHECKING:
    from ..console import Console
    from ..gateway.client import Gateway


class JobOptions(NamedTuple):
    """How the job is waited for and what goes with its clip; in no digest."""

    timeout: float  # seconds
    no_wait: bool = False
    job: str | None = None  # one to take over
    filmstrip: bool | None = None

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> JobOptions:
        """As they were given."""
        return cls(options.timeout, options.no_wait, options.job, options.filmstrip)


def would_pay(request: ClipRequest, output: Path, context: Context, job: str | None) -> bool:
    """Whether a clip is still to be paid for; not where a job is to be taken over."""
    wanted = request.digest(context.identity_of("video"))
    return job is None and receipts.would_pay(output, wanted, context.allowed)


def outlook(
    request: ClipRequest, output: Path, context: Context, job: str | None = None
) -> Outlook:
    """What is left to pay for a clip."""
    pays = would_pay(request, output, context, job)

    def call(strict: bool = True) -> Call:
        return plan.clip(request, context.rules(strict=strict))

    # What was submitted or made is fetched or returned whatever the models of today support.
    planned = call(strict=pays or not plan.why_not(call))
    return Outlook((planned,), {planned.stage: int(pays)}, request)


def check_pictures(request: ClipRequest, framing: Framing, console: Console) -> None:
    """Warn of what is odd about the pictures. Raises UsageError where a package is missing."""
    for one in filter(None, (request.anchor, request.last_frame)):
        if one.size is None:
            images.to_send(one.image, framing, one.flag)
        console.warn(*one.image.warnings)
    given_images.to_send(request.references)


def check_packages(
    context: Context, call: Call, filmstrip: bool | None, audio: bool | None
) -> None:
    """Raise UsageError where the media extra is missing and needed."""
    for needs, what in (
        (context.is_demo, "The demo gateway"),
        (filmstrip, "--filmstrip"),
        (audio is False and call.model.audio != "never", "--no-audio"),
    ):
        if needs:
            file_types.need_media_extra(what)


def _small(picture: GivenImage | None) -> GivenImage | None:
    """What is known of a picture, without the picture itself."""
    return picture and picture._replace(image=picture.image._replace(data=b""))


class ClipCall(PaidCall):
    """One clip; a job that was begun is resumed."""

    settles = True

    def __init__(
        self, context: Context, output: Path, request: ClipRequest, call: Call, job: JobOptions
    ) -> None:
        super().__init__(
            context, output, request.digest(context.identity_of("video")), context.asked(request)
        )
        self.request = request
        self.call = call
        self.options = job
        self.frames = Frames(None)
        self.compared: bytes | None = None  # the sent first frame, small, to compare the clip with

    def consult(self, *, settles: bool) -> tuple[Decision, dict[str, Any]]:
        """A job that is taken over pays for nothing, so it may replace an answer that stands."""
        allowed = self.context.allowed
        allowed = allowed._replace(resubmit=allowed.resubmit or bool(self.options.job))
        return self.consult_with(allowed, settles=settles)

    def prepare(self) -> None:
        """Fit the pictures to what is sent, and let go of them as they were given."""
        request, framing = self.request, self.call.framing
        anchor, last = request.anchor, request.ends_with
        self.frames = Frames(
            images.to_send(anchor.image, framing) if anchor else None,
            images.to_send(last.image, framing) if last else None,
            given_images.to_send(request.references),
        )
        if anchor and anchor.size and self.frames.first:
            self.compared = similarity.squeezed(images.shown(self.frames.first, anchor.image))
        self.request = request._replace(
            anchor=_small(anchor),
            last_frame=_small(request.last_frame),
            references=tuple(one for one in map(_small, request.references) if one),
        )

    def checked(self, gateway: Gateway) -> Call:
        """With the only model there is, where none was named."""
        only = preflight.model(self.context, gateway, self.call.model.id, "video")
        model = self.request.model or only
        self.call = plan.clip(self.request._replace(model=model), self.context.rules())
        return self.call

    def intent(self, gateway: Gateway, call: Call) -> Intent:
        """The words, the pictures, and what is sent."""
        key = f"fvg_{os.urandom(16).hex()}" if gateway.about.idempotent else None
        call = with_seed(call)
        return Intent(
            call.stage,
            self.wanted,
            self.request.inputs,
            {"prompt": call.text, **call.settings, **self.frames.as_json()},
            self.context.gateway.in_receipt("video"),
            call.model.id,
            call.cost,
            self.context.rerun.kept(),
            key,
            self.context.handoff.run,
            self.asked,
        )

    def check_money(self, gateway: Gateway, call: Call) -> None:
        """As ever; where the limit is too low, with the clips that would fit."""
        try:
            super().check_money(gateway, call)
        except OverBudget as error:
            context = self.context
            alternatives.with_cheaper(
                Plan((call,), spent=self.ledger.spent, cap=context.limit),
                self.request,
                context.rules(),
                in_orchestrator=context.rerun.in_orchestrator,
            ).offer(error)
            raise

    def send(self, gateway: Gateway, call: Call, record: Record) -> None:
        """Submit the job. A model that is gone names its replacement."""
        try:
            self._job(gateway, record).submit()
        except Rejected as error:
            # The option that names the model names that of the clip itself, not of its draft.
            draft = self.request.settings.draft
            instead = None if draft else limits.replacement(call.model, call.gateway)
            other = self.request._replace(model=instead)
            why_not = plan.why_not(lambda: plan.clip(other, self.context.rules()))
            offer_replacement(error, self.context.rerun, "video", instead, why_not)
            raise

    def begin(self, gateway: Gateway, decision: Decision, receipt: dict[str, Any]) -> Record:
        """Take over the job that was named; pay; or resume what was begun."""
        assert self.output is not None
        self.prepare()
        record = Record(self.output, receipt)
        if self.options.job:
            return self._take_over(gateway, self.options.job, receipt)
        if decision is Decision.MAKE:
            came = self._came_good(gateway, receipt)
            return Record(self.output, receipt) if came else self.pay(gateway)
        if record.has_arrived:
            return record
        if self.context.terms.resubmit and record.data.get("job") and vanished(gateway, record):
            return self.pay(gateway)
        if self.is_out_of_reach(gateway, record):
            return self.pay(gateway)
        if decision is Decision.UNKNOWN:
            self._job(gateway, record).settle()
        return record

    def _came_good(self, gateway: Gateway, receipt: dict[str, Any]) -> bool:
        """Whether a job that was finished without a clip, and is to be made anew, has it by now."""
        error = receipt.get("error") or {}
        same = receipts.is_of(receipt, self.wanted) and receipt.get("state") == "failed"
        if not (same and receipt.get("job") and NO_RESULT in str(error.get("message"))):
            return False
        assert self.output is not None
        record = Record(self.output, receipt)
        try:
            job = gateway.status(handle_of(record))
        except ToolError:
            return False
        if job.state != "succeeded" or not (job.url or job.data):
            return False
        record.update(state="submitted", error=None)
        return True

    def _take_over(self, gateway: Gateway, job: str, receipt: dict[str, Any]) -> Record:
        """The record, now of this job. One that the gateway does not know raises at once."""
        assert self.output is not None
        gateway.status(Handle(job, self.call.model.id))
        ours = receipts.is_of(receipt, self.wanted)
        record = Record(self.output, receipt)
        if not ours:
            record = Record.begin(self.output, self.intent(gateway, self.call))
        record.take_over(job, cost=self.call.cost.as_json())
        return record

    def deliver(self, gateway: Gateway, record: Record) -> None:
        """Wait for the job, fetch the clip and measure it."""
        self.frames = Frames(None)  # they are sent, and a job may take minutes
        given = self.request.settings
        looks = Looks(self.compared, given.audio is False, bool(given.loop))
        if record.has_arrived:
            delivery.finish(self.context.console, record, looks)
            return
        timeout_s = 0 if self.options.no_wait else self.options.timeout
        job = self._job(gateway, record).wait(timeout_s)
        self.context.console.progress("fetching the clip")
        delivery.deliver(self.context.console, gateway, record, job, looks)
        record.kept.drop()

    def _job(self, gateway: Gateway, record: Record) -> VideoJob:
        anchor = self.request.anchor.path if self.request.anchor else None
        return VideoJob(self.context, gateway, self.call, record, self.frames, anchor)

    def result(self, made: Made) -> dict[str, Any]:
        """The result of Stage 3."""
        assert self.output is not None
        receipt, filmstrip = made.receipt, filmstrip_path(self.output)
        return {
            "status": "succeeded",
            "output": str(self.output),
            "gateway": self.context.gateway.name,
            "model": receipt["model"],
            "cost": receipt["cost"],
            "receipt": str(receipts.receipt_path(self.output)),
            "job": receipt["job"],
            "video": receipt["measured"],
            "anchor_fidelity": receipt.get("anchor_fidelity"),
            "loop_fidelity": receipt.get("loop_fidelity"),
            "filmstrip": str(filmstrip) if filmstrip.exists() else None,
            "reused": made.reused,
            "gateway_cannot": list(models.gateway(self.context.gateway.name).cannot),
        }
