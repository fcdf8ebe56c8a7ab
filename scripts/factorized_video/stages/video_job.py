"""A video job from the paid call to its end: submitted, settled if the answer got lost, waited for.

What happens is on disk before the next step: the intent before the call, the id as soon as it is
known, how it ended. Fetching the clip is `delivery.py`'s.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import interrupts, models, money, receipts, sent_calls
from ..errors import (
    AuthError,
    Interrupted,
    JobFailed,
    JobForgotten,
    OutputError,
    Refused,
    Rejected,
    ToolError,
    Unknown,
)
from ..gateway import retry_policy
from ..gateway.reply_parsing import is_about_unknown_model, is_refusal, quoted
from ..gateway.types import Handle, Job, Picture, VideoRequest, shown_id
from ..media import file_types
from ..models import limits
from ..money import Cost
from ..receipts import Record
from . import lost_job
from .given_images import picture_row, sent_pictures
from .paid_call import send_seeded

if TYPE_CHECKING:
    from ..gateway.client import Gateway
    from .calls import Call
    from .context import Context

# How long after the paid call its idempotency key is relied on.
KEY_HOLDS_S = 3600.0


def handle_of(record: Record) -> Handle:
    """The handle by which the job of a receipt is looked up."""
    data = record.data
    return Handle(str(data["job"]), str(data["model"]), data.get("address"))


def vanished(gateway: Gateway, record: Record) -> bool:
    """Whether the gateway no longer knows the job that the receipt holds."""
    try:
        gateway.status(handle_of(record))
    except Rejected as error:
        return error.http_status == 404
    return False


def came_at_once(record: Record) -> Job | None:
    """The job of a paid call that was answered with the clip, or its address, and with no id."""
    came = None if record.data.get("job") else record.kept.read()
    if came is None:
        return None
    if file_types.is_address(came):
        return Job("", "succeeded", url=came.decode())
    return Job("", "succeeded", data=came)


class Frames(NamedTuple):
    """The pictures that a clip begins and ends with, as they are sent.

    None where one is not given; a direct clip has neither, but may have references.
    """

    first: Picture | None
    last: Picture | None = None
    references: tuple[Picture, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As receipts hold them."""
        named = {"first_frame": self.first, "last_frame": self.last}
        rows = {name: picture_row(sent) for name, sent in named.items() if sent}
        return rows | sent_pictures(self.references)


class VideoJob:
    """The job of one receipt, at an open gateway; `anchor` is the picture it was made from."""

    def __init__(
        self,
        context: Context,
        gateway: Gateway,
        call: Call,
        record: Record,
        frames: Frames,
        anchor: Path | None,
    ) -> None:
        self._context = context
        self._console = context.console
        self._gateway = gateway
        self._call = call
        self._record = record
        self._frames = frames
        self._anchor = anchor

    def submit(self) -> None:
        """Write down that the paid call is sent, send it, and settle what became of it."""
        record = self._record
        try:
            with interrupts.held_back(self._console.note, self._gateway.settings.time_scale):
                self._note()
                record.intend()
                self._console.progress(f"submitting to {self._call.model.id}")
                self._send()
        except Unknown as error:
            record.ended(error)
            interrupts.stop_if_pending()
            self.settle()
        except Refused as error:
            error.hint = f"{self._other_words()} {receipts.PAY_AGAIN}"
            record.ended(error)
            error.result = {**record.whereabouts, "next": self._next()}
            raise
        except ToolError as error:
            if record.data["job"] is None:
                record.withdraw()
            else:  # accepted, but its id could not be written down
                error.result = record.whereabouts
                error.hint += f" The job is {record.data['job']}; --job takes it over."
            raise

    def _note(self) -> None:
        """Let this user's runs in other folders know that the call is sent."""
        try:
            sent_calls.note(self._record.output)
        except OutputError as error:
            self._console.warn(
                f"{error.message} If the answer to this paid call is lost, a run in another folder "
                "may take its job."
            )

    def _send(self) -> None:
        """Send the paid call as the receipt says it; the job's id is on disk before anything else.

        The sent settings are the receipt's, so a lost call is sent again just as it was.
        """
        record, given = self._record, "seed" in self._call.settings
        job = send_seeded(record, lambda: self._gateway.submit(self._request()), given=given)
        cost = record.data["expected"] if job.cost is None else Cost(job.cost, "actual").as_json()
        if not job.id:  # finished at once: kept until it is in its place
            record.kept.store(job.data or str(job.url).encode(), is_address=not job.data)
        record.update(
            state="submitted" if job.id else "intent",
            job=job.id or None,
            address=job.address,
            cost=cost,
            error=None,
            request_ids=[job.request_id] if job.request_id else [],
        )
        self._console.warn(*job.warnings)

    def _request(self) -> VideoRequest:
        """What the receipt says is sent."""
        record, sent = self._record, self._record.data["sent"]
        return VideoRequest(
            record.data["model"],
            sent["prompt"],
            self._frames.first,
            int(sent["duration_s"]),
            sent["aspect_ratio"],
            str(sent["resolution"]),
            shape=sent.get("canvas") or sent.get("shape") or limits.DEFAULT_RATIO,
            settings=sent,
            idempotency_key=record.data.get("idempotency_key"),
            last_frame=self._frames.last,
            references=self._frames.references,
        )

    def _sent_once_more(self) -> bool:
        """Whether the lost call could be sent again with its idempotency key, and now has a job."""
        record, gateway = self._record, self._gateway
        since_s = time.time() - float(record.data.get("sent_at") or 0)
        sent = record.data["sent"]
        same = all(sent.get(name) == row for name, row in self._frames.as_json().items())
        key = gateway.about.idempotent and record.data.get("idempotency_key")
        # Under another account the same key would make another clip.
        if not (key and same and not self._is_of_other_key and 0 <= since_s < KEY_HOLDS_S):
            return False
        for attempt in range(1, retry_policy.MAX_TRIES):
            interrupts.rest(retry_policy.backoff(attempt) * gateway.settings.time_scale)
            self._console.progress("the answer was lost; sending the same call with the same key")
            try:
                with interrupts.held_back(self._console.note, gateway.settings.time_scale):
                    self._send()
            except Unknown:
                interrupts.stop_if_pending()
                continue
            except ToolError as error:  # it says nothing about the call before
                self._console.warn(
                    f"Sending it again with its idempotency key failed: {error.message}"
                )
                return False
            self._console.warn(
                "The answer to the paid call was lost. It was sent again with the same idempotency "
                f"key, by which {gateway.about.title} makes it once."
            )
            return True
        return False

    @property
    def _is_of_other_key(self) -> bool:
        """Whether the call was sent with another key of the gateway than the one of today."""
        then = (self._record.data.get("gateway") or {}).get("account")
        now = self._gateway.settings.in_receipt("video").get("account")
        return then is not None and then != now

    def settle(self) -> None:
        """Find out what became of a create whose answer was lost; raise Unknown if nobody can."""
        if self._sent_once_more():
            return
        record, gateway = self._record, self._gateway
        job: str | None = None
        fitting: list[str] = []
        if gateway.lists_jobs:
            try:
                job, fitting = lost_job.settle(gateway, record, self._console.progress)
            except ToolError as error:
                self._console.warn(f"The gateway's list of jobs could not be read: {error.message}")
        if job:
            cost = record.data.get("expected") or self._call.cost.as_json()
            record.take_over(job, adopted=True, cost=cost)
            self._console.warn(
                f"The answer to the paid call was lost; the job {job} was found in the gateway's "
                "list and taken over: it is the only one of that request and time."
            )
            return
        lost = record.data.get("error")
        said = lost.get("message") if isinstance(lost, dict) else None
        hint = f"{receipts.AFTER_UNKNOWN} A job that you find there is taken over with --job ID."
        if fitting:
            hint += f" These may be it: {', '.join(fitting)}."
        if self._is_of_other_key:
            hint += " It was sent with another key: with that one the same command may find it."
        unknown = Unknown(
            str(said or "A paid call was sent and its answer was lost."),
            hint,
            charged="unknown",
            **record.whereabouts,
        )
        record.ended(unknown)
        raise unknown

    def _check_key(self) -> None:
        """Raise AuthError where the gateway does not know the job by the key of today."""
        record = self._record
        if self._is_of_other_key and record.data.get("job") and vanished(self._gateway, record):
            title = self._gateway.about.title
            raise AuthError(
                f"The job {shown_id(record.data['job'])} was started with another key of {title}, "
                "and by this one it is not known.",
                "With that key the same command fetches the clip, free. To make it once more with "
                "this one, and pay once more, add --resubmit.",
                charged="unknown",
                **record.whereabouts,
            )

    def wait(self, timeout_s: float) -> Job:
        """The job, as soon as it has succeeded. Raises how it ended otherwise, written down."""
        record = self._record
        started = time.monotonic() - self._age_s()
        typical = self._call.model.typical_s
        if came := came_at_once(record):
            return came
        self._check_key()
        try:
            job = self._gateway.wait(
                handle_of(record), timeout_s, started, was_gone=record.is_forgotten, usual_s=typical
            )
        except KeyboardInterrupt:
            raise self._left() from None
        except ToolError as error:
            if isinstance(error, JobForgotten):
                record.update(error=error.as_json())
            error.result = {**record.whereabouts, **error.result}
            if error.kind == "running" and typical:
                elapsed = time.monotonic() - started
                error.result["eta_s"] = max(0, round(typical - elapsed)) or None
            raise
        self._console.warn(*job.warnings)
        if job.cost is not None:  # what it was expected to cost gives way to what it did
            record.update(cost=Cost(job.cost, "actual").as_json())
        if job.state != "succeeded":
            raise self._failure(job)
        return job

    def _age_s(self) -> float:
        """How long ago the job was sent, in seconds; 0 where a clock says nonsense."""
        age = time.time() - float(self._record.data.get("sent_at") or time.time())
        return age if 0 <= age < 86_400 else 0.0

    def _left(self) -> Interrupted:
        """The error of a wait that was interrupted: is it still paid for, and how is it fetched?"""
        record, gateway = self._record, self._call.gateway
        cost = money.from_json(record.data.get("cost") or record.data.get("expected"))
        price = "" if cost.amount is None else f", {money.shown(cost)},"
        paid = f" and is paid for{price} whether or not it is fetched"
        end = f"End it with --cancel {record.path.name}"
        if models.gateway(gateway).cancel is False:
            end = f"{gateway} has no call to cancel it"
        return Interrupted(
            f"Stopped waiting. The job {shown_id(record.data['job'])} keeps running at {gateway}"
            f"{'' if self._context.is_demo else paid}.",
            f"The same command fetches it; that costs nothing. {end}.",
            **record.whereabouts,
        )

    def _failure(self, job: Job) -> ToolError:
        """How a job ended that did not succeed, written down."""
        reason = job.error or "the gateway gave no reason"
        refused = is_refusal(reason)
        instead = limits.replacement(self._call.model, self._call.gateway)
        hint = "Try other words or another model."
        if refused:
            hint = self._other_words()
        elif instead and is_about_unknown_model(reason):
            hint = f"Use {instead} instead."
        family: type[ToolError] = Refused if refused else JobFailed
        charged = "unknown" if job.cost is None else "yes" if job.cost else "no"
        if re.search(r"not (?:be|been)? ?charged|no charge", reason, re.IGNORECASE):
            charged = "no"
        failure = family(
            f"The job {shown_id(job.id)} failed: {quoted(reason) if job.error else reason}",
            f"{hint} To send it once more, and perhaps pay once more, add --resubmit.",
            charged=charged,
            request_id=job.request_id,
        )
        self._record.ended(failure)
        failure.result = self._record.whereabouts
        if refused:
            failure.result["next"] = self._next()
        return failure

    def _other_words(self) -> str:
        """What to do about a refusal."""
        model, gateway = self._call.model, self._call.gateway
        words = "Say it in other words."
        if self._anchor is not None:
            words = "The anchor is kept: say the action in other words."
        if not model.refuses:
            return words
        other, flag = models.other_choice(model, gateway), self._context.rerun.model_flag("video")
        instead = f"; if that is it, use {flag} {other}" if other else ""
        return f"{words} {model.id} sometimes refuses {model.refuses}{instead}."

    def _next(self) -> str:
        """The command with other words; the anchor is paid for, and kept."""
        return self._context.rerun.with_other_words(str(self._anchor) if self._anchor else None)
