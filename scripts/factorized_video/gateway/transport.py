"""The wire: one HTTP call sent and read whole, one result streamed to a file, bounded both.

The only module that opens a connection. It knows no gateway by name and decides nothing about
repeating; it says how an attempt ended (`Broken`) and leaves the rest to `client.py`.
"""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Iterator
from typing import IO, Any, NamedTuple
from urllib.parse import urljoin

import requests
import urllib3
from requests.adapters import HTTPAdapter

from .. import VERSION
from ..errors import ToolError
from .addresses import is_loopback
from .reply_parsing import looks_like_html
from .settings import Settings
from .types import HttpReply, HttpRequest

CONNECT_S = 10.0
DOWNLOAD_SILENCE_S = 300.0
LARGEST_VIDEO = 2 << 30  # bytes
BLOCK = 1 << 18
MOST_REDIRECTS = 5


class Fetched(NamedTuple):
    """What a download brought: its size in bytes and SHA-256."""

    size: int
    sha256: str


class DownloadError(ToolError):
    """A download that broke or brought the wrong thing; worth another try from a fresh address."""

    kind = "output"


class Broken(Exception):
    """No answer could be read. `sent` is False only where nothing can have left this machine."""

    def __init__(self, message: str, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class Transport:
    """One session with one gateway."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._session = requests.Session()
        # urllib3's own retries sleep for hours if told to, and repeat what costs money: off.
        self._session.mount("https://", HTTPAdapter(max_retries=0))
        self._session.mount("http://", HTTPAdapter(max_retries=0))
        self._origins = {_place(base) for base in settings.bases.values()}

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def send(self, request: HttpRequest, answer_s: float, largest: int) -> HttpReply:
        """Send one call and read its answer to the end. Raises Broken.

        `answer_s` seconds bound the whole answer (before the time scale), `largest` its bytes.
        """
        url = self._address(request)
        answer_s *= self._settings.time_scale
        deadline = time.monotonic() + answer_s
        self._heed_environment(url)
        parts = _parts(request)
        try:
            response = self._session.request(
                request.method,
                url,
                json=None if parts else request.body,
                files=parts or None,
                headers=_headers(request.headers),
                auth=_Bearer(self._settings.key),
                timeout=(CONNECT_S * self._settings.time_scale, answer_s),
                allow_redirects=False,
                stream=True,
            )
            with response:
                body = _bounded(response, largest, deadline)
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            _TooLate,
            _TooLarge,
        ) as error:
            message = f"{_place(url).host}: {_in_words(error)}"
            raise Broken(message, sent=not never_left(error)) from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpReply(response.status_code, headers, body)

    def _address(self, request: HttpRequest) -> str:
        """Where a call goes: what the gateway told, if that is its own origin, else the path."""
        url = self._settings.bases[request.service] + request.path
        told = self._below_root(request.service, request.address) if request.address else url
        return told if _place(told) == _place(url) else url

    def _below_root(self, service: str, address: str) -> str:
        """An address that the gateway told: absolute, or a path below its root."""
        own_path = address.startswith("/") and not address.startswith("//")
        return self._settings.bases[service] + address if own_path else address

    def download(self, url: str, file: IO[bytes], largest: int = LARGEST_VIDEO) -> Fetched:
        """Stream a result into an open file. Raises DownloadError.

        `url` is an address, or a path below the gateway's root. The key goes only to the gateway's
        own origin; redirects are followed here, each checked.
        """
        url = self._below_root("video", url)
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

    def _stream(self, url: str) -> Iterator[bytes]:
        silence = DOWNLOAD_SILENCE_S * self._settings.time_scale
        for _ in range(MOST_REDIRECTS):
            self._check_address(url)
            own, host = _place(url) in self._origins, _place(url).host
            self._heed_environment(url)
            try:
                with self._session.get(
                    url,
                    headers=_headers({"Accept": "*/*", "Accept-Encoding": "identity"}),
                    auth=_Bearer(self._settings.key if own else None),
                    timeout=(CONNECT_S * self._settings.time_scale, silence),
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
            except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
                # ValueError: requests parses a redirect's target even where it is not to follow it.
                raise DownloadError(f"The download from {host} broke: {_in_words(error)}") from None
        raise DownloadError("The result's address redirects in circles.")

    def _check_address(self, url: str) -> None:
        """A result must come from a public https address, or from the gateway's own origin.

        Otherwise a gateway, or whoever answers for it, could have this machine call its neighbours.
        """
        scheme, host, port = place = _place(url)
        if not host:
            raise DownloadError("The result's address is not a valid address.")
        gateway_is_local = all(is_loopback(origin.host) for origin in self._origins)
        if place in self._origins or (gateway_is_local and is_loopback(host)):
            return
        if scheme != "https":
            raise DownloadError(f"The result's address ({scheme or '?'}://{host}) is not https.")
        try:
            literal = [ipaddress.ip_address(host)]
        except ValueError:
            literal = []
        if not literal and not requests.utils.select_proxy(
            url, requests.utils.get_environ_proxies(url)
        ):
            try:
                rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except OSError:
                raise DownloadError(f"The result's host {host} cannot be found.") from None
            literal = [ipaddress.ip_address(row[4][0]) for row in rows]
        if any(not address.is_global for address in literal):
            raise DownloadError(f"The result's address at {host} is inside a private network.")

    def _heed_environment(self, url: str) -> None:
        """Proxies of the environment count, except for loopback. (~/.netrc never: see _Bearer.)"""
        self._session.trust_env = not is_loopback(_place(url).host)


class _TooLate(Exception):
    pass


class _TooLarge(Exception):
    pass


class _Bearer(requests.auth.AuthBase):
    """Sets the key, or nothing. A callable, so that ~/.netrc cannot replace or add anything."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def _parts(request: HttpRequest) -> Any:
    """Fields and files of a form; a field is a part without a file's name."""
    if not (request.files or request.form):
        return []
    fields = [(name, (None, str(value), None)) for name, value in (request.body or {}).items()]
    files = [
        (name, (f"{name}.{picture.mime.rpartition('/')[2]}", picture.data, picture.mime))
        for name, picture in request.files
    ]
    return [*fields, *files]


def _headers(own: dict[str, str]) -> dict[str, str]:
    # The edge of one gateway refuses the default User-Agents of HTTP libraries.
    return {"User-Agent": f"factorized-video-gen/{VERSION}", "Accept": "application/json"} | own


def _bounded(response: requests.Response, largest: int, deadline: float) -> bytes:
    """The body, unless it is too large or drips in for longer than the whole answer may take."""
    blocks, total = [], 0
    # One read of what has come, where urllib3 has it (2.x): a whole block might take an hour.
    one_read = getattr(response.raw, "read1", response.raw.read)
    while block := one_read(BLOCK, decode_content=True):
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
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.InvalidURL):
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
    if isinstance(error, _TooLate | requests.Timeout | urllib3.exceptions.ReadTimeoutError):
        return "no complete answer within the time allowed."
    for cause in _causes(error):
        if type(cause).__name__ == "NameResolutionError" or isinstance(cause, socket.gaierror):
            return "the name of the host could not be resolved (is the network up?)."
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed ({cause.reason or 'certificate'})."
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused."
        cut_short = ConnectionResetError | BrokenPipeError | http.client.IncompleteRead
        if isinstance(cause, cut_short | urllib3.exceptions.IncompleteRead):
            return "the connection was closed before the answer was complete."
    return re.sub(r"(?s)[(<].*", "", str(error)).strip()[:120] or type(error).__name__


class _Place(NamedTuple):
    """Scheme, host and port: what the key may be sent to."""

    scheme: str
    host: str
    port: int


def _place(url: str) -> _Place:
    """Where an address leads; without a host if nowhere.

    As the library that connects reads it: in an address that is made for it, another reader finds
    another host (`http://this\\@that/`), and the key would go to the wrong one.
    """
    try:
        parts = urllib3.util.parse_url(url)
    except ValueError:
        return _Place("", "", 0)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme or "", 0)
    return _Place(parts.scheme or "", (parts.host or "").strip("[]"), port)
