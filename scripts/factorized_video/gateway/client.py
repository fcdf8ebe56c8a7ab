"""The gateway as Python sees it: chat, image, submit, status, wait, fetch.

What a call means on the wire is the dialect's, whether it may be repeated is `retries.py`'s, the
connection is `transport.py`'s; here they are put together.
"""

from __future__ import annotations

import io
import random
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from ..errors import (
    AuthError,
    OutputError,
    Refused,
    Rejected,
    StillRunning,
    ToolError,
    Unavailable,
    Unknown,
)
from ..files import put_in_place, temporary_beside
from . import dialects, retry_policy
from .reply_parsing import (
    ErrorInside,
    Unreadable,
    error_codes,
    error_text,
    failed_job_in,
    names_unknown_model,
    refused_by_status,
)
from .settings import Settings
from .transport import Broken, DownloadError, Fetched, Transport
from .types import (
    Account,
    ChatReply,
    ChatRequest,
    Handle,
    HttpReply,
    HttpRequest,
    ImageReply,
    ImageRequest,
    Job,
    ListedJob,
    VideoRequest,
    shown_id,
)

# By call: seconds for a whole answer, and its largest size in bytes. Image calls are synchronous
# (15 to 170 s are reported) and carry a 4K picture in base64.
LIMITS = {
    "chat": (120.0, 8 << 20),
    "image": (180.0, 96 << 20),
    "create": (120.0, 8 << 20),
    "status": (60.0, 8 << 20),
    "clip": (300.0, 256 << 20),  # a status reply that may carry a whole clip, in base64
}
LARGEST_IMAGE = 64 << 20  # bytes of a picture that is fetched from an address
DOWNLOAD_TRIES = 4
AT_THE_GATEWAY = (
    "The clip is made and paid for; it is at the gateway. Run the same command again to fetch it; "
    "that costs nothing."
)
# How long status reads may fail in a row before the waiting is given up; the job is not.
STATUS_OUTAGE_S = 180.0
FEWEST_FAILURES = 3  # and how many there are at least

T = TypeVar("T")


class _Attempt(Exception):
    def __init__(self, outcome: retry_policy.Outcome, error: ToolError) -> None:
        super().__init__(error.message)
        self.outcome = outcome
        self.error = error


class Gateway:
    """One gateway in one dialect.

    `say(text)` is told what is being waited for. Every method raises a `ToolError`: AuthError,
    Rejected, Refused, Unavailable; a paid create also Unknown.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None] = lambda text: None) -> None:
        self.settings = settings
        self._say = say
        self._dialect = dialects.load(settings.dialect)
        self.about = self._dialect.ABOUT
        if settings.dialect != settings.name:  # the demo is spoken to as another, and is not it
            self.about = self.about._replace(title=f"the {settings.name} gateway")
        self._status_limits = "clip" if self.about.inline_clips else "status"
        self._transport = Transport(settings)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def chat(self, request: ChatRequest) -> ChatReply:
        """Ask an LLM. Sent again on anything transient."""
        http = self._dialect.encode_chat(request)
        return self._call("chat", http, "chat", self._dialect.decode_chat)

    def image(self, request: ImageRequest) -> ImageReply:
        """Have one picture drawn; costs money. Repeated only if it cannot have been accepted."""
        http = self._dialect.encode_image(request)
        return self._call("create", http, "image", self._dialect.decode_image)

    def submit(self, request: VideoRequest) -> Job:
        """Have one clip begun; costs money. Repeated only if it cannot have been accepted."""
        http = self._dialect.encode_submit(request)
        return self._call("create", http, "create", self._dialect.decode_submit)

    def status(self, handle: Handle) -> Job:
        """How a job stands. Free; sent again on anything transient."""
        http = self._dialect.encode_status(handle)
        job = self._call("read", http, self._status_limits, self._dialect.decode_status)
        return job._replace(id=handle.id)

    def check(self) -> Account:
        """A free read that needs the key, at the host that will serve the video.

        Raises AuthError for a key that is refused or has no credit left, Unavailable for a host
        that does not answer as a gateway does.
        """
        try:
            account = self._free(self._dialect.encode_check(), self._dialect.decode_check)
        except Rejected:  # this server does not have that call: nothing is known
            return Account()
        if account.balance_usd is not None and account.balance_usd <= 0:
            raise AuthError(
                f"There is no credit left at {self.about.title}: the balance is "
                f"USD {account.balance_usd:.2f}.",
                "Top up, then run the same command again.",
                charged="no",
            )
        return account

    def cancel(self, handle: Handle) -> bool:
        """Ask that a running job be ended; False where the gateway has no call for that.

        Raises Rejected where it would not, Unavailable where it does not answer.
        """
        http = self._dialect.encode_cancel(handle)
        if http is None:
            return False
        try:
            return self._call("read", http, "status", lambda reply: True)
        except Rejected as error:
            if error.http_status in (405, 501):
                return False
            raise

    @property
    def lists_jobs(self) -> bool:
        """Whether a lost job can be looked for."""
        return self._dialect.encode_list() is not None

    def list_jobs(self) -> tuple[list[ListedJob], float]:
        """The newest jobs of this key, and the seconds by which its clock is ahead. Free."""
        http = self._dialect.encode_list()
        if http is None:
            raise Rejected(f"{self.about.subject} offers no list of jobs.")

        def decode(reply: HttpReply) -> tuple[list[ListedJob], float]:
            now = time.time()
            return self._dialect.decode_list(reply), retry_policy.date_header(
                reply.headers, now
            ) - now

        return self._call("read", http, "status", decode)

    def models(self) -> list[str] | None:
        """The ids of the models that the gateway lists; None where it offers no list. Free."""
        http = self._dialect.encode_models()
        try:
            return self._free(http, self._dialect.decode_models)
        except Rejected as error:
            if error.http_status in (404, 405):
                return None
            raise

    def wait(self, handle: Handle, timeout_s: float, started: float) -> Job:
        """Read the status until the job has ended.

        `timeout_s` bounds the waiting, not the job: StillRunning when it is over. `started` is the
        monotonic time from which the progress line counts. Status reads may fail for a while.
        """
        deadline = time.monotonic() + timeout_s * self.settings.time_scale
        failing_since: float | None = None
        failures = 0  # in a row; one read of a reply that carries a clip may outlast the whole time
        last_error = ""
        poll = 0
        while True:
            asked_s = 0.0
            try:
                job = self._once_or_again(handle)
                failing_since, failures = None, 0
                asked_s = job.poll_after_s
                if job.state != "running":
                    return job
                word = job.word or "running"
            except Unavailable as error:
                asked_s = float(str(error.result.pop("retry_after_s", 0)))
                now = time.monotonic()
                failing_since = failing_since or now
                failures += 1
                outage_s = STATUS_OUTAGE_S * self.settings.time_scale
                if failures >= FEWEST_FAILURES and now - failing_since > outage_s:
                    raise
                word = "the gateway does not answer, trying on"
                last_error = error.message
            poll += 1
            pause = max(retry_policy.poll_pause(poll, random.random(), self.about.poll_s), asked_s)
            pause *= self.settings.time_scale
            if time.monotonic() + pause > deadline:
                suffix = (
                    "" if failing_since is None else f" The last status read failed: {last_error}"
                )
                waited = f"Waited {timeout_s:g} s; the" if timeout_s else "The"
                if asked_s > timeout_s:
                    until = time.strftime("%H:%M:%S UTC", time.gmtime(time.time() + asked_s))
                    waited = f"The gateway wants to be asked again at {until}; the"
                raise StillRunning(
                    f"{waited} job {shown_id(handle.id)} is not finished ({word}).{suffix}",
                    "It goes on at the gateway. Run the same command again to go on waiting; that "
                    "costs nothing.",
                )
            self._say(f"{word}, {time.monotonic() - started:.0f} s")
            time.sleep(pause)

    def _once_or_again(self, handle: Handle) -> Job:
        """One status read; the polling itself is the retry."""
        http = self._dialect.encode_status(handle)
        try:
            job = self._attempt(http, self._status_limits, self._dialect.decode_status)
            return job._replace(id=handle.id)
        except _Attempt as attempt:
            decision = retry_policy.decide("read", attempt.outcome, 1)
            if decision.kind == "auth":
                raise self._ended("auth", "read", attempt.error) from None
            # Anything else is read on, 404 too: not every server behind an address knows a new job.
            raise Unavailable(
                attempt.error.message,
                "The job goes on at the gateway; run the same command again later.",
                http_status=attempt.error.http_status,
                request_id=attempt.error.request_id,
                retry_after_s=attempt.outcome.retry_after_s or 0,
            ) from None
        except ErrorInside as error:
            raise Unavailable(error.message, request_id=error.request_id) from None

    def fetch_video(
        self, job: Job, handle: Handle, output: Path, check: Callable[[Path], None]
    ) -> Fetched:
        """Download a finished job's clip to `output`; from a fresh address where one fails.

        `check(path)` looks at the complete temporary file and raises OutputError for what is no
        video; only then is it renamed.
        """
        last: ToolError | None = None
        for attempt in range(DOWNLOAD_TRIES):
            if attempt:
                self._pause(attempt)
                try:
                    job = self.status(handle)  # a fresh address: signed ones expire
                except Rejected as error:
                    last = error  # not known just now; the clip is made all the same
                    continue
                except Unavailable as error:
                    error.hint, error.charged = AT_THE_GATEWAY, "yes"
                    raise
            if not job.url and not job.data:
                last = DownloadError(
                    f"The job {shown_id(job.id)} is said to have succeeded, but no address of a "
                    f"video came (status word {job.word!r})."
                )
                continue
            with temporary_beside(output) as (file, temporary):
                try:
                    if job.data:
                        file.write(job.data)
                        fetched = Fetched(len(job.data), sha256(job.data).hexdigest())
                    else:
                        fetched = self._transport.download(str(job.url), file)
                    file.flush()
                    check(temporary)
                except (DownloadError, OutputError) as error:
                    last = error
                    self._say(f"{error.message} Fetching again.")
                    continue
                put_in_place(file, temporary, output)
                return fetched
        assert last is not None
        raise OutputError(last.message, AT_THE_GATEWAY, charged="yes")

    def fetch_image(self, url: str, check: Callable[[bytes], object]) -> bytes:
        """Download a picture that came as an address. Raises OutputError.

        `check(data)` raises OutputError for what is no whole picture; it is then fetched again.
        """
        last: ToolError | None = None
        for attempt in range(DOWNLOAD_TRIES):
            if attempt:
                self._pause(attempt)
            buffer = io.BytesIO()
            try:
                self._transport.download(url, buffer, LARGEST_IMAGE)
                check(buffer.getvalue())
            except (DownloadError, OutputError) as error:
                last = error
                continue
            return buffer.getvalue()
        assert last is not None
        raise OutputError(
            f"The picture was drawn but could not be fetched: {last.message}", charged="yes"
        )

    def _pause(self, attempt: int) -> None:
        time.sleep(retry_policy.poll_pause(attempt, random.random()) * self.settings.time_scale)

    # -- sending ---------------------------------------------------------------------------------

    def _call(
        self, call: str, http: HttpRequest, limits: str, decode: Callable[[HttpReply], T]
    ) -> T:
        """Send, and again where `retries.decide` allows; raise the error it settles on."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._attempt(http, limits, decode)
            except ErrorInside as error:
                text = f"{error.message} {error.codes}"
                outcome = retry_policy.Outcome("answered", error.code or 400, None, text)
                ended = _Attempt(outcome, error)
            except _Attempt as failed:
                ended = failed
            decision = retry_policy.decide(call, ended.outcome, attempt, random.random())
            if not decision.again:
                raise self._ended(decision.kind, call, ended.error, ended.outcome)
            self._say(f"{ended.error.message} Trying again.")
            time.sleep(decision.wait_s * self.settings.time_scale)

    def _free(self, http: HttpRequest, decode: Callable[[HttpReply], T]) -> T:
        """A read that is of no job: however it ends, nothing was charged for."""
        try:
            return self._call("read", http, "status", decode)
        except ToolError as error:
            error.charged = "no"
            if isinstance(error, Rejected):
                error.hint = "It may not have that call."
            raise

    def _attempt(self, http: HttpRequest, limits: str, decode: Callable[[HttpReply], T]) -> T:
        try:
            reply = self._transport.send(http, *LIMITS[limits])
        except Broken as broken:
            outcome = retry_policy.Outcome("lost" if broken.sent else "not_sent")
            raise _Attempt(outcome, ToolError(str(broken))) from None
        well = 200 <= reply.status < 300
        if not well and limits in ("status", "clip") and (row := failed_job_in(reply.body)):
            reply, well = reply._replace(body=row), True
        if not well:
            message = f"The gateway answered {reply.status}: {error_text(reply.body)}"
            where: dict[str, Any] = {"http_status": reply.status, "request_id": reply.request_id}
            if refused_by_status(reply):
                raise Refused(message, "Say it in other words.", charged="no", **where)
            wait = retry_policy.retry_after(reply.headers, time.time())
            text = f"{message} {error_codes(reply.body)}"
            outcome = retry_policy.Outcome("answered", reply.status, wait, text)
            raise _Attempt(outcome, ToolError(message, **where))
        try:
            return decode(reply)
        except Unreadable as error:
            raise _Attempt(retry_policy.Outcome("unreadable", reply.status), error) from None

    def _ended(
        self, kind: str, call: str, error: ToolError, outcome: retry_policy.Outcome | None = None
    ) -> ToolError:
        """The error that ends a call, with what can be done about it."""
        where: dict[str, Any] = {"http_status": error.http_status, "request_id": error.request_id}
        status = (outcome.status if outcome else None) or error.http_status or 0
        if kind == "auth":
            prefix = self.about.key_prefix
            hint = {
                401: f"{self.about.subject} did not take the key: check it, and whose it is"
                + (f" (its own begin with {prefix})." if prefix else "."),
                402: f"There is no credit left at {self.about.title}: top up, then run it again.",
            }.get(error.http_status or 0, "The key may not do this: check it, or ask the gateway.")
            return AuthError(error.message, hint, charged="no", **where)
        if kind == "rejected":
            hint = "Nothing was made. Change what the message names, then run the command again."
            if call != "read" and names_unknown_model(
                status, outcome.text if outcome else error.message
            ):
                hint = "Nothing was made. The gateway may not know this model: choose another one."
                where["unknown_model"] = True
            if call == "read":
                return Rejected(error.message, "Check the id of the job.", **where)
            return Rejected(error.message, hint, charged="no", **where)
        if kind == "unknown":
            return Unknown(
                error.message + " The request may or may not have been accepted.",
                "",
                charged="unknown",
                **where,
            )
        wait = outcome.retry_after_s if outcome else None
        hint = "Nothing was accepted; run the same command again later."
        if wait is not None and wait > retry_policy.LONGEST_WAIT_S:
            until = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(time.time() + wait))
            hint = f"The gateway asks to wait until {until}. Then run the same command again."
        charged = "no" if call == "create" else None
        return Unavailable(error.message, hint, charged=charged, **where)
