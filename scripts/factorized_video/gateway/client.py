"""The gateway as Python sees it: chat, image, submit, status, wait, download.

The only module that opens a connection. What a call means on the wire is the dialect's, whether it
may be repeated is `retries.py`'s; here it is sent, bounded in time and size, and read.
"""

from __future__ import annotations

import hashlib
import ipaddress
import random
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

from .. import VERSION
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
from . import retries
from .dialects import happycapy
from .reading import ErrorInside, Unreadable, error_text, looks_like_html, refused_by_status
from .settings import Settings, is_loopback
from .types import (
    ChatReply,
    ChatRequest,
    HttpReply,
    HttpRequest,
    ImageReply,
    ImageRequest,
    Job,
    VideoRequest,
)

CONNECT_S = 10.0
# Seconds for a whole answer, by call. Image calls are synchronous: 15 to 170 s are reported.
ANSWER_S = {"chat": 120.0, "image": 180.0, "create": 120.0, "status": 60.0}
DOWNLOAD_SILENCE_S = 300.0
# Bytes. An image reply carries a 4K picture in base64; everything else is small.
LARGEST_ANSWER = {"image": 96 << 20}
LARGEST_OTHER_ANSWER = 8 << 20
LARGEST_IMAGE = 64 << 20
LARGEST_VIDEO = 2 << 30
BLOCK = 1 << 18
DOWNLOAD_TRIES = 4
# How long status reads may fail in a row before the waiting is given up; the job is not.
STATUS_OUTAGE_S = 180.0

T = TypeVar("T")


@dataclass(frozen=True)
class Fetched:
    """What a download brought: its size in bytes and SHA-256."""

    size: int
    sha256: str


class DownloadError(ToolError):
    """A download that broke or brought the wrong thing; worth another try from a fresh address."""

    kind = "output"


class _Attempt(Exception):  # noqa: N818 - not an error of the tool, only how one attempt ended
    def __init__(self, outcome: retries.Outcome, error: ToolError) -> None:
        super().__init__(error.message)
        self.outcome = outcome
        self.error = error


class Gateway:
    """One gateway, spoken to over one session.

    `say(text)` is told what is being waited for. Every method raises a `ToolError`: AuthError,
    Rejected, Refused, Unavailable; a paid create also Unknown.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None] = lambda text: None) -> None:
        self.settings = settings
        self._say = say
        self._dialect = happycapy
        self._session = requests.Session()
        # urllib3's own retries sleep for hours if told to, and repeat what costs money: off.
        self._session.mount("https://", HTTPAdapter(max_retries=0))
        self._session.mount("http://", HTTPAdapter(max_retries=0))
        self._origins = {_origin(base) for base in settings.bases.values()}

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def chat(self, request: ChatRequest) -> ChatReply:
        """Ask an LLM. Sent again on anything transient."""
        http = self._dialect.encode_chat(request)
        return self._call("chat", http, "chat", self._dialect.decode_chat)

    def image(self, request: ImageRequest) -> ImageReply:
        """Have one picture drawn; costs money. Never repeated unless it cannot have been accepted."""
        http = self._dialect.encode_image(request)
        return self._call("create", http, "image", self._dialect.decode_image)

    def submit(self, request: VideoRequest) -> Job:
        """Have one clip begun; costs money. Never repeated unless it cannot have been accepted."""
        http = self._dialect.encode_submit(request)
        return self._call("create", http, "create", self._dialect.decode_submit)

    def status(self, job_id: str) -> Job:
        """How a job stands. Free; sent again on anything transient."""
        http = self._dialect.encode_status(job_id)
        return self._call("read", http, "status", self._dialect.decode_status)

    def list_jobs(self) -> list[dict[str, object]]:
        """The newest jobs of this key, as the gateway describes them. Free."""
        http = self._dialect.encode_list()
        return self._call("read", http, "status", self._dialect.decode_list)

    def wait(self, job_id: str, timeout_s: float, started: float) -> Job:
        """Read the status until the job has ended.

        `timeout_s` bounds the waiting, not the job: StillRunning when it is over. `started` is the
        monotonic time from which the progress line counts. Status reads may fail for a while.
        """
        deadline = time.monotonic() + timeout_s * self.settings.time_scale
        failing_since: float | None = None
        last_error = ""
        poll = 0
        while True:
            try:
                job = self._once_or_again(job_id)
                failing_since = None
                if job.state != "running":
                    return job
                word = job.word or "running"
            except Unavailable as error:
                now = time.monotonic()
                failing_since = failing_since or now
                if now - failing_since > STATUS_OUTAGE_S * self.settings.time_scale:
                    raise
                word = "the gateway does not answer, trying on"
                last_error = error.message
            poll += 1
            pause = retries.poll_pause(poll, random.random()) * self.settings.time_scale
            if time.monotonic() + pause > deadline:
                suffix = (
                    "" if failing_since is None else f" The last status read failed: {last_error}"
                )
                raise StillRunning(
                    f"Waited {timeout_s:g} s and the job {job_id} is not finished ({word}).{suffix}",
                    "It goes on at the gateway. Run the same command again to go on waiting; that "
                    "costs nothing.",
                )
            self._say(f"{word}, {time.monotonic() - started:.0f} s")
            time.sleep(pause)

    def _once_or_again(self, job_id: str) -> Job:
        """One status read; the polling itself is the retry."""
        http = self._dialect.encode_status(job_id)
        try:
            return self._attempt(http, "status", self._dialect.decode_status)
        except _Attempt as attempt:
            decision = retries.decide("read", attempt.outcome, 1)
            if decision.kind == "auth":
                raise _ended("auth", "read", attempt.error) from None
            # Anything else is read on, 404 too: not every server behind an address knows a new job.
            raise Unavailable(
                attempt.error.message,
                "The job goes on at the gateway; run the same command again later.",
                http_status=attempt.error.http_status,
                request_id=attempt.error.request_id,
            ) from None
        except ErrorInside as error:
            raise Unavailable(error.message, request_id=error.request_id) from None

    def download(self, url: str, file: IO[bytes], largest: int = LARGEST_VIDEO) -> Fetched:
        """Stream a result into an open file. Raises DownloadError, Rejected for a forbidden address.

        The key goes only to the gateway's own origin; redirects are followed here, each checked.
        """
        total, digest = 0, hashlib.sha256()
        for block in self._stream(url):
            total += len(block)
            if total > largest:
                raise DownloadError(f"The result is larger than {largest >> 20} MiB.")
            if total == len(block) and looks_like_html(block):
                raise DownloadError("The result's address answered with a web page.")
            digest.update(block)
            file.write(block)
        if not total:
            raise DownloadError("The result's address answered with nothing.")
        return Fetched(total, digest.hexdigest())

    def fetch_video(self, job: Job, output: Path, check: Callable[[Path], None]) -> Fetched:
        """Download a finished job's clip to `output`, from a fresh address where one does not serve.

        `check(path)` looks at the complete temporary file and raises OutputError for what is no
        video; only then is it renamed.
        """
        last: ToolError | None = None
        for attempt in range(DOWNLOAD_TRIES):
            if attempt:
                self._pause(attempt)
                job = self.status(job.id)  # a fresh address: signed ones expire
            if not job.url:
                last = DownloadError(
                    f"The job {job.id} is said to have succeeded, but there is no address of a video "
                    f"(status word {job.word!r})."
                )
                continue
            with temporary_beside(output) as (file, temporary):
                try:
                    fetched = self.download(job.url, file)
                    file.flush()
                    check(temporary)
                except (DownloadError, OutputError) as error:
                    last = error
                    self._say(f"{error.message} Fetching again.")
                    continue
                put_in_place(file, temporary, output)
                return fetched
        assert last is not None
        raise OutputError(
            last.message,
            "The clip is made and paid for; it is at the gateway. Run the same command again to "
            "fetch it; that costs nothing.",
            charged="yes",
        )

    def fetch_image(self, url: str) -> bytes:
        """Download a picture that came as an address. Raises OutputError."""
        import io

        last: ToolError | None = None
        for attempt in range(DOWNLOAD_TRIES):
            if attempt:
                self._pause(attempt)
            buffer = io.BytesIO()
            try:
                self.download(url, buffer, LARGEST_IMAGE)
            except DownloadError as error:
                last = error
                continue
            return buffer.getvalue()
        assert last is not None
        raise OutputError(f"The picture was drawn but could not be fetched: {last.message}",
                          charged="yes")  # fmt: skip

    def _pause(self, attempt: int) -> None:
        time.sleep(retries.poll_pause(attempt, random.random()) * self.settings.time_scale)

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
                outcome = retries.Outcome("answered", error.code or 400, None, error.message)
                ended = _Attempt(outcome, error)
            except _Attempt as failed:
                ended = failed
            decision = retries.decide(call, ended.outcome, attempt, random.random())
            if not decision.again:
                raise _ended(decision.kind, call, ended.error, ended.outcome)
            self._say(f"{ended.error.message} Trying again.")
            time.sleep(decision.wait_s * self.settings.time_scale)

    def _attempt(self, http: HttpRequest, limits: str, decode: Callable[[HttpReply], T]) -> T:
        reply = self._send(http, limits)
        if not 200 <= reply.status < 300:
            message = f"The gateway answered {reply.status}: {error_text(reply.body)}"
            where = {"http_status": reply.status, "request_id": reply.request_id}
            if refused_by_status(reply):
                raise Refused(message, charged="no", **where)  # type: ignore[arg-type]
            wait = retries.retry_after(reply.headers, time.time())
            outcome = retries.Outcome("answered", reply.status, wait, message)
            raise _Attempt(outcome, ToolError(message, **where))  # type: ignore[arg-type]
        try:
            return decode(reply)
        except Unreadable as error:
            raise _Attempt(retries.Outcome("unreadable", reply.status), error) from None

    def _send(self, http: HttpRequest, limits: str) -> HttpReply:
        url = self.settings.bases[http.service] + http.path
        answer_s = ANSWER_S[limits] * self.settings.time_scale
        self._session.trust_env = not is_loopback(urlsplit(url).hostname or "")
        deadline = time.monotonic() + answer_s
        try:
            response = self._session.request(
                http.method, url,
                json=http.body,
                headers=_headers(http.headers),
                auth=_bearer(self.settings.key),
                timeout=(CONNECT_S * self.settings.time_scale, answer_s),
                allow_redirects=False,
                stream=True,
            )  # fmt: skip
            with response:
                body = _bounded(
                    response, LARGEST_ANSWER.get(limits, LARGEST_OTHER_ANSWER), deadline
                )
        except (requests.RequestException, OSError, _TooLate, _TooLarge) as error:
            kind = "not_sent" if never_left(error) else "lost"
            host = urlsplit(url).hostname
            raise _Attempt(
                retries.Outcome(kind), ToolError(f"{host}: {_in_words(error)}")
            ) from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpReply(response.status_code, headers, body)

    def _stream(self, url: str) -> Iterator[bytes]:
        silence = DOWNLOAD_SILENCE_S * self.settings.time_scale
        for _ in range(5):
            self._check_address(url)
            own = _origin(url) in self._origins
            host = urlsplit(url).hostname or ""
            self._session.trust_env = not is_loopback(host)
            try:
                with self._session.get(
                    url,
                    headers=_headers({"Accept": "*/*", "Accept-Encoding": "identity"}),
                    auth=_bearer(self.settings.key if own else None),
                    timeout=(CONNECT_S * self.settings.time_scale, silence),
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    if response.is_redirect:
                        url = urljoin(url, response.headers["location"])
                        continue
                    if response.status_code != 200:
                        raise DownloadError(
                            f"The result's address at {host} answered {response.status_code}.",
                            http_status=response.status_code,
                        )
                    yield from response.iter_content(BLOCK)
                    return
            except requests.RequestException as error:
                raise DownloadError(f"The download from {host} broke: {_in_words(error)}") from None
        raise DownloadError("The result's address redirects in circles.")

    def _check_address(self, url: str) -> None:
        """A result must come from a public https address, or from the gateway's own origin.

        Otherwise a gateway, or whoever answers for it, could have this machine call its neighbours.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise DownloadError("The result's address is not a valid address.") from None
        gateway_is_local = all(is_loopback(urlsplit(o).hostname or "") for o in self._origins)
        if _origin(url) in self._origins or (gateway_is_local and is_loopback(host)):
            return
        if parts.scheme != "https" or not host:
            raise DownloadError(
                f"The result's address ({parts.scheme or '?'}://{host}) is not https."
            )
        try:
            literal = [ipaddress.ip_address(host)]
        except ValueError:
            literal = []
        if not literal and not requests.utils.select_proxy(
            url, requests.utils.get_environ_proxies(url)
        ):
            try:
                rows = socket.getaddrinfo(host, port or 443, type=socket.SOCK_STREAM)
            except OSError:
                raise DownloadError(f"The result's host {host} cannot be found.") from None
            literal = [ipaddress.ip_address(row[4][0]) for row in rows]
        if any(not address.is_global for address in literal):
            raise DownloadError(f"The result's address at {host} is inside a private network.")


class _TooLate(Exception):  # noqa: N818
    pass


class _TooLarge(Exception):  # noqa: N818
    pass


class _bearer(requests.auth.AuthBase):  # noqa: N801 - a requests auth, used like a function
    """Sets the key, or nothing. A callable, so that ~/.netrc cannot replace or add anything."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def _headers(own: dict[str, str]) -> dict[str, str]:
    # The edge of one gateway refuses the default User-Agents of HTTP libraries.
    return {"User-Agent": f"factorized-video-gen/{VERSION}", "Accept": "application/json"} | own


def _bounded(response: requests.Response, largest: int, deadline: float) -> bytes:
    """The body, unless it is too large or drips in for longer than the whole answer may take."""
    blocks, total = [], 0
    for block in response.iter_content(BLOCK):
        total += len(block)
        if total > largest:
            raise _TooLarge
        if time.monotonic() > deadline:
            raise _TooLate
        blocks.append(block)
    return b"".join(blocks)


def never_left(error: BaseException) -> bool:
    """Whether a request failed before any of it was sent: name, connection, certificate.

    Read from the exceptions of requests and urllib3; in doubt, False.
    """
    if isinstance(error, requests.ConnectTimeout):
        return True
    for cause in _causes(error):
        name = type(cause).__name__
        if name in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError"):
            return True
        if isinstance(cause, ssl.SSLCertVerificationError | ConnectionRefusedError):
            return True
        if isinstance(cause, ssl.SSLError) and "handshake" in str(cause).lower():
            return True
        if isinstance(cause, OSError) and "Tunnel connection failed" in str(cause):
            return True
    return False


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what lies behind it, through `args`, `reason` and `__cause__`."""
    seen: list[BaseException] = []
    queue = [error]
    while queue:
        this = queue.pop(0)
        if not isinstance(this, BaseException) or any(this is other for other in seen):
            continue
        seen.append(this)
        yield this
        queue += [this.__cause__, this.__context__, getattr(this, "reason", None)]
        queue += [arg for arg in this.args if isinstance(arg, BaseException)]


def _in_words(error: BaseException) -> str:
    """A network failure in a few words, without library internals."""
    if isinstance(error, _TooLarge):
        return "the answer is too large."
    if isinstance(error, requests.ConnectTimeout):
        return "no connection within the time allowed."
    if isinstance(error, _TooLate | requests.Timeout):
        return "no complete answer within the time allowed."
    for cause in _causes(error):
        if type(cause).__name__ == "NameResolutionError" or isinstance(cause, socket.gaierror):
            return "the name of the host could not be resolved (is the network up?)."
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed ({cause.reason or 'certificate'})."
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused."
        if isinstance(cause, ConnectionResetError | BrokenPipeError):
            return "the connection was closed before the answer was complete."
    return re.sub(r"(?s)[(<].*", "", str(error)).strip()[:120] or type(error).__name__


def _ended(
    kind: str, call: str, error: ToolError, outcome: retries.Outcome | None = None
) -> ToolError:
    """The error that ends a call, with what can be done about it."""
    where: dict[str, Any] = {"http_status": error.http_status, "request_id": error.request_id}
    if kind == "auth":
        hint = {
            401: "The gateway did not take the key: check it, and that it belongs to this gateway.",
            402: "There is no credit left at the gateway: top up, then run the same command again.",
        }.get(error.http_status or 0, "The key may not do this: check it, or ask the gateway.")
        return AuthError(error.message, hint, charged="no", **where)
    if kind == "rejected":
        hint = "Nothing was made. Change what the message names, then run the command again."
        if error.http_status == 404 and call == "create":
            hint = "Nothing was made. The gateway may not know this model: choose another one."
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
    if wait is not None and wait > retries.LONGEST_WAIT_S:
        until = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(time.time() + wait))
        hint = f"The gateway asks to wait until {until}. Then run the same command again."
    charged = "no" if call == "create" else None
    return Unavailable(error.message, hint, charged=charged, **where)


def _origin(url: str) -> str:
    """Scheme, host and port: what the key may be sent to."""
    parts = urlsplit(url)
    try:
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        port = None
    return f"{parts.scheme}://{parts.hostname}:{port}"
