"""The gateway as Python sees it: chat, image, submit, status, wait, fetch.

What a call means on the wire is up to the dialect, whether it may be repeated to `retry_policy.py`,
the connection to `transport.py`; here they are put together.
"""

from __future__ import annotations

import io
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from .. import interrupts, turns
from ..errors import (
    AuthError,
    JobFailed,
    JobForgotten,
    OutputError,
    Rejected,
    StillRunning,
    ToolError,
    Unavailable,
    Unfetched,
    Unknown,
)
from ..files import put_in_place, temporary_beside
from ..money import usd
from . import dialects, polling, retry_policy, token_limit, waits
from .engine_replies import Meaning
from .job_ids import is_same_job
from .lookup import KEY, key_of
from .pace import READS, paid_lane, raise_if_interrupted
from .reply_parsing import (
    ErrorInside,
    Unreadable,
    error_codes,
    error_text,
    failed_job_in,
    is_video,
    looks_like_html,
    names_unknown_model,
    quoted,
    refused,
    refused_by_status,
)
from .retry_policy import Outcome
from .settings import Settings
from .shared import shared
from .transport import Broken, Cookies, DownloadError, Fetched, Transport
from .types import (
    NO_RESULT,
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

PROXY_HINT = (
    "The proxy of this network wants a login: put it into HTTPS_PROXY "
    "(http://USER:PASSWORD@HOST:PORT), or name the gateway's host in NO_PROXY."
)
REDIRECT_HINT = "If that address is right, set AI_GATEWAY_BASE_URL to it."
WEB_PAGE_HINT = (
    "A web page answered, perhaps of a firewall or of the network's login{so}: open the address in "
    "a browser, try another network, or check AI_GATEWAY_BASE_URL."
)
# How OpenRouter says that the account's settings exclude every provider of a model.
_POLICY = r"data policy|privacy settings|guardrail"
# By call: seconds for a whole answer, and its largest size in bytes. Image calls are synchronous
# (15 to 170 s are reported) and return a 4K picture in base64.
LIMITS = {
    "chat": (120.0, 8 << 20),
    "image": (180.0, 96 << 20),
    "create": (120.0, 256 << 20),  # some servers answer with the clip itself
    "status": (60.0, 8 << 20),
    "check": (60.0, 8 << 20),
    "clip": (300.0, 256 << 20),  # a status reply that may contain a whole clip, in base64
}
LARGEST_IMAGE = 64 << 20  # bytes of a picture that is fetched from an address
DOWNLOAD_TRIES = 4
FETCH_AGAIN = (
    "Run the same command again to fetch it; that costs nothing. If it stays out of reach, "
    "--resubmit makes it once more, and pays once more."
)
AT_THE_GATEWAY = f"The clip is finished and paid for. {FETCH_AGAIN}"
# A page of the list of jobs that has fewer rows is the last one.
FULL_PAGE, MOST_PAGES = 20, 6
# How long status reads may fail in a row before the waiting ends; the job does not.
STATUS_OUTAGE_S = 180.0
# A finished job may get its address a moment later.
MOST_WITHOUT_RESULT = 3
# So long and so often a job must be unknown to count as forgotten: one of several servers behind an
# address may not know a job that another one has.
GONE_AFTER_S, FEWEST_GONE = 60.0, 5
FEWEST_FAILURES = 3  # at least; one read of a reply with a clip in it may outlast the whole time

T = TypeVar("T")


class _Failed(Exception):
    """One attempt that brought no usable reply."""

    def __init__(
        self, outcome: Outcome, error: ToolError, *, web_page: bool = False, hint: str = ""
    ) -> None:
        super().__init__(error.message)
        self.outcome = outcome
        self.error = error
        self.web_page = web_page
        self.hint = hint  # what to do about it, where the answer names its cause


class _Sending(NamedTuple):
    """How a call is sent: `call` as in `retry_policy`, its `limits`, and the lane it takes.

    `lost(again)` is called for each answer that may have been billed and did not get here;
    `is_final(error)` says whether nothing follows an error that ends it.
    """

    call: str
    limits: str
    lane: str = READS
    lost: Callable[[bool], None] = lambda again: None
    is_final: Callable[[ToolError], bool] = lambda error: True


class _Poll(NamedTuple):
    """One status read of several: the job, or the failure; and the wait that was asked for."""

    job: Job | None
    failure: Unavailable | None
    asked_s: float
    gone: bool = False  # the gateway itself says that it does not know the job


class _Gone:
    """For how long a job has been unknown without a break; `after_s` is enough."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._since = 0.0
        self._times = 0

    def lasts(self, poll: _Poll) -> bool:
        """Whether it has been so long enough, with this read."""
        now = time.monotonic()
        self._times = self._times + 1 if poll.gone else 0
        self._since = self._since if self._times > 1 else now
        often = self._times >= (FEWEST_GONE if self._after_s else 1)
        return often and now - self._since >= self._after_s


class Gateway:
    """One gateway in one dialect. Several threads may use it.

    `say(text, share)` shows what is being waited for, and how much of its usual time is over, 0 to
    1, or None. Every method raises a `ToolError`: AuthError,
    Rejected, Refused, Unavailable; a paid create also Unknown.
    """

    def __init__(self, settings: Settings, say: Callable[..., None] = lambda *shown: None) -> None:
        self.settings = settings
        self._say = say
        self._dialect = dialects.load(settings.dialect)
        self.about = self._dialect.ABOUT
        if settings.dialect != settings.name:  # the demo, which has the dialect of another
            self.about = self.about._replace(title=f"the {settings.name} gateway")
        self._status_limits = "clip" if self.about.inline_clips else "status"
        self._shared = shared(settings)
        self._cookies = Cookies()

    def close(self) -> None:
        """Close the connections that are kept for the next call."""
        self._shared.close_idle()

    def chat(
        self, request: ChatRequest, lost: Callable[[bool], None] = lambda again: None
    ) -> ChatReply:
        """Ask an LLM. Repeated after any transient failure; once with another limit on tokens.

        `lost(again)` is called for each answer that may have been billed and did not get here,
        before it is asked for again, if it is; it may raise.
        """
        try:
            return self._chat(request, lost)
        except (Rejected, AuthError) as error:
            other = token_limit.other(request, error.http_status, error.message)
            if other is None:
                raise
        return self._chat(other, lost)

    def _chat(self, request: ChatRequest, lost: Callable[[bool], None]) -> ChatReply:
        def is_final(error: ToolError) -> bool:
            return token_limit.other(request, error.http_status, error.message) is None

        http, lane = self._dialect.encode_chat(request), paid_lane("chat", request.model)
        sending = _Sending("chat", "chat", lane, lost, is_final)
        with turns.away():
            return self._call(sending, http, self._dialect.decode_chat)

    def image(self, request: ImageRequest) -> ImageReply:
        """Generate one picture; costs money. Repeated only if it cannot have been accepted."""
        http = self._dialect.encode_image(request)
        sending = _Sending("create", "image", paid_lane("image", request.model))
        with turns.away():  # some take minutes
            return self._call(sending, http, self._dialect.decode_image)

    def submit(self, request: VideoRequest) -> Job:
        """Start one clip; costs money. Repeated only if it cannot have been accepted."""
        http = self._dialect.encode_submit(request)
        sending = _Sending("create", "create", paid_lane("video", request.model))
        with turns.sending():
            return self._call(sending, http, self._decode_submit)

    def _decode_submit(self, reply: HttpReply) -> Job:
        """The job; a server that makes the clip at once may answer with it, and without an id."""
        if is_video(reply):
            return Job("", "succeeded", data=reply.body, request_id=reply.request_id)
        return self._dialect.decode_submit(reply)

    def status(self, handle: Handle) -> Job:
        """How a job stands. Free; repeated after any transient failure."""
        http = self._dialect.encode_status(handle)
        job = self._call(_Sending("read", self._status_limits), http, self._dialect.decode_status)
        return self._asked_for(handle, job)

    def _asked_for(self, handle: Handle, job: Job) -> Job:
        """The job by the id that it was asked for by: a reply may name another, or none."""
        path = self._dialect.result_path(handle)
        if job.state == "succeeded" and not job.data and path:
            job = job._replace(url=path, elsewhere=job.url)
        return job._replace(id=handle.id)

    def check(self, service: str = "video") -> Account:
        """A free read that needs the key, at the server that makes a service; that of the video.

        Raises AuthError for a key that is refused or has no credit left, Unavailable for a host
        that does not answer as a gateway does.
        """
        try:
            http = self._dialect.encode_check()._replace(service=service)
            account = self._free(http, self._dialect.decode_check)
        except Rejected as error:
            if error.http_status not in (404, 405, 501):
                raise
            return Account()  # this server does not have that call: nothing is known
        if account.balance_usd is not None and account.balance_usd <= 0:
            raise AuthError(
                f"There is no credit left at {self.about.title}: the balance is "
                f"{usd(account.balance_usd)}.",
                "Top up, then run the same command again.",
                charged="no",
            )
        return account

    def cancel(self, handle: Handle) -> bool:
        """Cancel a running job; False where the gateway has no call for that.

        Raises Rejected if the gateway declines, Unavailable if it does not answer.
        """
        http = self._dialect.encode_cancel(handle)
        if http is None:
            return False
        try:
            return self._call(_Sending("read", "status"), http, lambda reply: True)
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
            ahead_s = retry_policy.date_header(reply.headers, now) - now
            return self._dialect.decode_list(reply), ahead_s

        rows, ahead_s = self._call(_Sending("read", "status"), http, decode)
        page = rows
        for _ in range(MOST_PAGES - 1):
            known = {row.id for row in rows}
            following = self._dialect.encode_list(rows) if len(page) >= FULL_PAGE else None
            if following is None:
                break
            try:
                page, _ = self._call(_Sending("read", "status"), following, decode)
            except ToolError:  # the newest jobs are there
                break
            page = [row for row in page if row.id not in known]  # a server that knows no pages
            rows = [*rows, *page]
        return rows, ahead_s

    def models(self, service: str = "chat") -> list[str] | None:
        """The ids of the models that the gateway lists; None where it offers no list. Free.

        Of several servers of one's own, that of the service.
        """
        http = self._dialect.encode_models()
        if self.settings.keys:
            http = http._replace(service=service)
        try:
            return self._free(http, self._dialect.decode_models)
        except Rejected as error:
            if error.http_status in (404, 405):
                return None
            raise

    # -- waiting ---------------------------------------------------------------------------------

    @turns.away()
    def wait(
        self,
        handle: Handle,
        timeout_s: float,
        started: float,
        *,
        was_gone: bool = False,
        usual_s: float | None = None,
    ) -> Job:
        """Read the status until the job has ended.

        `timeout_s` limits the waiting, not the job: StillRunning when it is over. `started` is the
        monotonic time from which the progress line counts, `usual_s` what such a job usually takes.
        Status reads may fail for a while.
        Raises JobForgotten where the gateway has forgotten the job; at once if it `was_gone`.
        """
        scale = self.settings.time_scale
        gone = _Gone(0.0 if was_gone else GONE_AFTER_S * scale)
        deadline = time.monotonic() + timeout_s * scale
        failing_since, failures = 0.0, 0  # in a row
        missing = 0  # reads in a row that say it is finished, and not where it is
        for number in count(1):
            poll = self._poll(handle)
            if gone.lasts(poll) and self._has_forgotten(handle):
                raise _forgotten(handle)
            if poll.failure is None:
                assert poll.job is not None
                job, failures = poll.job, 0
                lacks_result = job.state == "succeeded" and not (job.url or job.data)
                missing = missing + 1 if lacks_result else 0
                if missing >= MOST_WITHOUT_RESULT:
                    return job._replace(state="failed", error=job.error or NO_RESULT)
                if job.state != "running" and not lacks_result:
                    return job
                word = job.word or "running"
            else:
                now = time.monotonic()
                failing_since = failing_since if failures else now
                failures, word = failures + 1, "the gateway does not answer, trying again"
                if failures >= FEWEST_FAILURES and now - failing_since > STATUS_OUTAGE_S * scale:
                    raise poll.failure
            pause = polling.pause(number, random.random(), self.about.poll_s)
            pause = max(pause, poll.asked_s) * scale
            if time.monotonic() + pause > deadline:
                raise _still_running(handle, timeout_s, word, poll)
            self._pause(pause, word, started, usual_s)
        raise AssertionError("the loop has no end")

    def _pause(self, seconds: float, word: str, started: float, usual_s: float | None) -> None:
        """Wait for the next status read, and show the time about every second."""
        steps = max(1, round(seconds))
        usual = f" (usually {usual_s:.0f} s)" if usual_s else ""
        for _ in range(steps):
            elapsed = time.monotonic() - started
            self._say(f"{word}, {elapsed:.0f} s{usual}", elapsed / usual_s if usual_s else None)
            interrupts.rest(seconds / steps)

    def _poll(self, handle: Handle) -> _Poll:
        """One status read; the next one is its retry. Raises AuthError."""
        http, gone, pace = self._dialect.encode_status(handle), False, self._shared.pace
        try:
            with pace.turn(READS) as sent_at:
                job = self._attempt(http, self._status_limits, self._dialect.decode_status)
            return _Poll(self._asked_for(handle, job), None, job.poll_after_s)
        except ErrorInside as error:
            failure: ToolError = error
            asked_s = 0.0
        except _Failed as failed:
            if retry_policy.decide("read", failed.outcome, 1).kind == "auth":
                raise self._status_denied(handle, failed.error) from None
            failure, asked_s = failed.error, failed.outcome.retry_after_s or 0.0
            if retry_policy.is_too_many(failed.outcome):
                wait_s = asked_s or retry_policy.backoff(1)
                pace.turned_away(READS, wait_s * self.settings.time_scale, sent_at)
            gone = failed.outcome.status == 404 and not failed.web_page
        # Polling outlasts anything else, 404 too: not every server behind an address knows a job
        # that is new.
        unavailable = Unavailable(
            failure.message,
            "The job continues at the gateway; run the same command again later.",
            http_status=failure.http_status,
            request_id=failure.request_id,
        )
        return _Poll(None, unavailable, asked_s, gone)

    def _has_forgotten(self, handle: Handle) -> bool:
        """Whether the gateway answers, lists its jobs, and has this one neither here nor there.

        Asked on a new connection: an old one may lead to one of several servers for ever.
        """
        self.close()
        if not (self.lists_jobs and self._poll(handle).gone):
            return False
        try:
            rows, _ = self.list_jobs()
        except ToolError:
            return False
        return not any(is_same_job(row.id, handle.id) for row in rows)

    def _status_denied(self, handle: Handle, error: ToolError) -> AuthError:
        """The error for a status read that is not allowed: it says nothing about the job."""
        return AuthError(
            f"{error.message} The job {shown_id(handle.id)} was accepted and may still be running.",
            "If the key is right, a server behind this address lacks a key of its own: ask whoever "
            "runs it. The same command continues, and pays for nothing.",
            charged="unknown",
            http_status=error.http_status,
            request_id=error.request_id,
        )

    # -- fetching --------------------------------------------------------------------------------

    def fetch_video(
        self, job: Job, handle: Handle, output: Path, check: Callable[[Path], None]
    ) -> Fetched:
        """Download a finished job's clip to `output`; from a fresh address if one fails.

        `check(path)` examines the complete temporary file and raises OutputError for what is no
        video; only then is it renamed. Raises Unfetched for what cannot be downloaded, OutputError
        for what cannot be written here.
        """

        attempts = count()

        def fetch(again: bool) -> Fetched:
            found = self._with_fresh_address(handle) if again and job.id else job
            if found.elsewhere and next(attempts) % 2:
                found = found._replace(url=found.elsewhere)
            if not found.url and not found.data:
                raise DownloadError(
                    f"The job {shown_id(found.id)} has succeeded, but the gateway gave no address "
                    f"for the video (status word {found.word!r})."
                )
            with temporary_beside(output) as (file, temporary):
                if found.data:
                    file.write(found.data)
                    fetched = Fetched(len(found.data), sha256(found.data).hexdigest())
                else:
                    near = self._dialect.encode_status(handle).path
                    with turns.away(), self._transport() as transport:
                        fetched = transport.download(str(found.url), file, near=near)
                file.flush()
                with _as_download_error():
                    check(temporary)
                put_in_place(file, temporary, output)
                return fetched

        address = job.url or ""
        try:
            return self._again_if_broken(fetch)
        except DownloadError as error:
            raise Unfetched(error.message, AT_THE_GATEWAY, address) from None

    def _with_fresh_address(self, handle: Handle) -> Job:
        """The finished job once more: signed addresses expire."""
        try:
            return self.status(handle)
        except Rejected as error:  # not known just now; the clip exists all the same
            raise DownloadError(error.message) from None
        except Unavailable as error:
            error.hint, error.charged = AT_THE_GATEWAY, "yes"
            raise

    def fetch_image(self, url: str, check: Callable[[bytes], object]) -> bytes:
        """Download a picture from an address. Raises Unfetched.

        `check(data)` raises OutputError for what is no whole picture; it is then fetched again.
        """

        def fetch(_: bool) -> bytes:
            buffer = io.BytesIO()
            with turns.away(), self._transport() as transport:
                transport.download(url, buffer, LARGEST_IMAGE, service="image")
            with _as_download_error():
                check(buffer.getvalue())
            return buffer.getvalue()

        try:
            return self._again_if_broken(fetch)
        except DownloadError as error:
            message = f"The picture was generated but could not be fetched: {error.message}"
            hint = f"{FETCH_AGAIN} {self._dialect.OF_ADDRESSES}".strip()
            raise Unfetched(message, hint, url) from None

    def _again_if_broken(self, fetch: Callable[[bool], T]) -> T:
        """What `fetch(again)` returns; after a DownloadError it is tried again. Raises the last."""
        for attempt in range(1, DOWNLOAD_TRIES):
            try:
                return fetch(attempt > 1)
            except DownloadError as error:
                self._say(f"{error.message} Fetching again.")
            pause = polling.pause(attempt, random.random(), polling.POLL_S)
            interrupts.rest(pause * self.settings.time_scale)
        return fetch(True)

    # -- sending ---------------------------------------------------------------------------------

    def _transport(self) -> AbstractContextManager[Transport]:
        """A connection for one call."""
        return self._shared.transport(self._cookies)

    def _call(self, sending: _Sending, http: HttpRequest, decode: Callable[[HttpReply], T]) -> T:
        """Send, and repeat where `retry_policy.decide` allows; else raise the error it names."""
        call, pace, tries = sending.call, self._shared.pace, 0
        while True:
            try:
                with pace.turn(sending.lane) as sent_at:
                    return self._attempt(http, sending.limits, decode)
            except ErrorInside as error:
                text = f"{error.message} {error.codes}"
                # An error that says no more may be one of what came after the paid call.
                kind = "answered" if error.status else "unreadable"
                failed = _Failed(Outcome(kind, error.status or 200, None, text), error)
            except _Failed as error:
                failed = error
            tries += 1
            decision = retry_policy.decide(call, failed.outcome, tries, random.random())
            # A web page is of somebody in between: nobody was asked.
            if failed.outcome.kind in ("lost", "unreadable") and not failed.web_page:
                sending.lost(decision.again)
            if not decision.again:
                raise self._final(sending, http, failed, decision.kind)
            self._say(f"{failed.error.message} Trying again.")
            wait_s = decision.wait_s * self.settings.time_scale
            if retry_policy.is_too_many(failed.outcome):
                # Where others of this process get through, it is a matter of one's turn.
                tries -= pace.turned_away(sending.lane, wait_s, sent_at)
                continue
            interrupts.nap(wait_s)
            raise_if_interrupted()

    def _final(self, sending: _Sending, http: HttpRequest, failed: _Failed, kind: str) -> ToolError:
        """The error that ends a call; one that would end others as well keeps them from going."""
        ended = self._ended(kind, sending.call, failed)
        if isinstance(ended, AuthError) and self.settings.keys:
            ended.hint = f"{ended.hint} {_whose_key(http.service)}"
        if sending.lane != READS and sending.is_final(ended):
            if retry_policy.ends_all(failed.outcome) and not self.settings.keys:
                self._shared.pace.close(ended)
            elif retry_policy.ends_lane(failed.outcome):
                self._shared.pace.close(ended, sending.lane)
        return ended

    def _free(self, http: HttpRequest, decode: Callable[[HttpReply], T]) -> T:
        """A read that belongs to no job: however it ends, nothing was charged."""
        try:
            return self._call(_Sending("read", "check"), http, decode)
        except ToolError as error:
            error.charged = "no"
            if isinstance(error, Rejected) and error.http_status in (404, 405, 501):
                error.hint = "It may not have that call."
            raise

    def _attempt(self, http: HttpRequest, limits: str, decode: Callable[[HttpReply], T]) -> T:
        """Send once and decode. Raises _Failed, ErrorInside or Refused."""
        of_a_job = limits in ("status", "clip")
        try:
            with self._transport() as transport:
                reply = transport.send(
                    http,
                    *LIMITS[limits],
                    paid=limits in ("create", "image"),
                    free=limits in ("status", "clip", "check"),
                    follow=of_a_job,
                )
        except Broken as broken:
            outcome = Outcome("lost" if broken.sent else "not_sent")
            if broken.declined == retry_policy.PROXY_LOGIN:  # it would say so every time
                outcome = Outcome("answered", broken.declined)
            raise _Failed(outcome, ToolError(str(broken))) from None
        well = 200 <= reply.status < 300
        if not well and of_a_job and (row := failed_job_in(reply.body)):
            reply, well = reply._replace(body=row), True
        if not well:
            target = reply.headers.get("location", "")
            meaning = self._dialect.meaning(http.service, reply)
            raise _failure_of(reply, meaning, at_home=transport.is_own(target, http.service))
        try:
            return decode(reply)
        except Unreadable as error:
            outcome = Outcome("unreadable", reply.status)
            raise _Failed(outcome, error, web_page=looks_like_html(reply.body)) from None

    def _ended(self, kind: str, call: str, failed: _Failed) -> ToolError:
        """The error that ends a call, with a hint of what to do about it."""
        error, outcome = failed.error, failed.outcome
        where: dict[str, Any] = {"http_status": error.http_status, "request_id": error.request_id}
        if kind == "auth":
            hint = failed.hint or self._key_hint(failed)
            return AuthError(error.message, hint, charged="no", **where)
        if kind == "failed":
            return JobFailed(error.message, failed.hint, charged="no", **where)
        if kind == "unknown":
            message = f"{error.message} The request may or may not have been accepted."
            return Unknown(message, charged="unknown", **where)
        if kind == "unavailable":
            charged = "no" if call == "create" else None
            hint = failed.hint or _later(outcome)
            if outcome.status == retry_policy.PROXY_LOGIN:
                hint = PROXY_HINT
            elif failed.web_page and outcome.status in (*range(200, 300), 511):
                hint = WEB_PAGE_HINT.format(so="")
            return Unavailable(error.message, hint, charged=charged, **where)
        if 300 <= outcome.status < 400:
            return Rejected(
                error.message, f"Nothing was made. {REDIRECT_HINT}", charged="no", **where
            )
        if call == "read":
            return Rejected(error.message, failed.hint or "Check the id of the job.", **where)
        hint = failed.hint or "Change what the message names, then run the command again."
        if re.search(_POLICY, outcome.text, re.IGNORECASE):
            hint = (
                "Your account's privacy settings exclude every provider of it: change them there."
            )
        elif not failed.hint and names_unknown_model(outcome.status, outcome.text):
            hint = "The gateway may not know this model: choose another one."
            where["unknown_model"] = True
        return Rejected(error.message, f"Nothing was made. {hint}", charged="no", **where)

    def _key_hint(self, failed: _Failed) -> str:
        error = failed.error
        if retry_policy.is_no_credit(failed.outcome):
            return f"There is no credit left at {self.about.title}: top up, then run it again."
        if failed.web_page:
            return WEB_PAGE_HINT.format(so=", so the key may be fine")
        if error.http_status != 401:
            return "The key is not allowed to do this: check it, or ask the gateway."
        prefix = self.about.key_prefix
        begins = f" (its keys begin with {prefix})" if prefix else ""
        return (
            f"{self.about.subject} did not accept the key: check that it is complete and for this "
            f"gateway{begins}."
        )


@contextmanager
def _as_download_error() -> Iterator[None]:
    """Around a check of what was downloaded: the wrong thing is worth another try."""
    try:
        yield
    except OutputError as error:
        raise DownloadError(error.message) from None


def _failure_of(reply: HttpReply, meaning: Meaning, *, at_home: bool) -> Exception:
    """What a reply that is no 2xx means: Refused, or _Failed with its wait and its words.

    `at_home`: it redirects to the gateway's own origin.
    """
    message = f"The gateway answered {reply.status}: {quoted(error_text(reply.body))}"
    if 300 <= reply.status < 400:
        target = reply.headers.get("location", "").split("?")[0]
        message = f"The gateway answered {reply.status}: it redirects to {target or 'nowhere'}."
    if refused_by_status(reply):
        return refused(message, reply, charged="no")
    now = time.time()
    wait = waits.retry_after(reply.headers, now)
    # Only of a 429: a 503 that names no time in its header may come from behind the gateway.
    if wait is None and reply.status == 429:
        wait = waits.of_rate_limit(reply.headers, reply.body, now)
    # 303 at the gateway itself is how a server shows what it has made of a POST.
    kind = "unreadable" if reply.status == 303 and at_home else "answered"
    text = f"{message} {error_codes(reply.body)}"
    outcome = Outcome(kind, reply.status, wait, text, meaning.kind)
    error = ToolError(message, http_status=reply.status, request_id=reply.request_id)
    return _Failed(outcome, error, web_page=looks_like_html(reply.body), hint=meaning.hint)


def _later(outcome: Outcome) -> str:
    """The hint for a gateway that is not available: when to try again."""
    wait = outcome.retry_after_s
    if wait is None or wait <= retry_policy.LONGEST_WAIT_S:
        return "Nothing was accepted; run the same command again later."
    until = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(time.time() + wait))
    return f"The gateway asks to wait until {until}. Then run the same command again."


def _whose_key(service: str) -> str:
    """Which of several servers wanted another key."""
    return f"The key for {service} calls is {key_of(service)}, or else {KEY}."


def _forgotten(handle: Handle) -> JobForgotten:
    """The error for a job that is no longer known."""
    return JobForgotten(
        f"The server answers, but no longer knows the job {shown_id(handle.id)}: it is not in its "
        "list either. Most likely the server was restarted, and the job is lost.",
        "To make the clip once more, and pay for it where that costs, add --resubmit. If another "
        "server made it, the same command looks for it again, free.",
        charged="unknown",
    )


def _still_running(handle: Handle, timeout_s: float, word: str, poll: _Poll) -> StillRunning:
    """The error for a job that is not finished when the time for waiting is over."""
    waited = f"Waited {timeout_s:g} s; the" if timeout_s else "Submitted; the"
    if poll.asked_s > timeout_s:
        until = time.strftime("%H:%M:%S UTC", time.gmtime(time.time() + poll.asked_s))
        waited = f"The gateway asks for no status read before {until}; the"
    failed = f" The last status read failed: {poll.failure.message}" if poll.failure else ""
    return StillRunning(
        f"{waited} job {shown_id(handle.id)} is not finished ({word}).{failed}",
        "It continues at the gateway. Run the same command again to keep waiting; that costs "
        "nothing.",
    )
