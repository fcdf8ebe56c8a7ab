"""The wire: one HTTP call sent and read whole, one result streamed to a file, both bounded.

The only module that opens a connection. It knows no gateway by name and repeats nothing: it reports
how an attempt ended (`Broken`) and leaves the rest to `client.py`.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import ipaddress
import os
import re
import socket
import ssl
import time
from collections.abc import Iterator
from typing import IO, Any, NamedTuple
from urllib.parse import urljoin

import requests
import urllib3

from .. import VERSION, interrupts
from ..console import trace
from ..errors import ToolError
from .addresses import is_loopback, reachable
from .connections import Watch, WatchedAdapter
from .reply_parsing import looks_like_html
from .settings import Settings
from .types import HttpReply, HttpRequest

CONNECT_S = 10.0
DOWNLOAD_SILENCE_S = 300.0
# A download that brings less than this in such a time would never end.
SLOW_WINDOW_S, SLOWEST_BYTES = 60.0, 64 << 10
LARGEST_VIDEO = 2 << 30  # bytes
BLOCK = 1 << 18
MOST_REDIRECTS = 5
# The edge of one gateway refuses the default User-Agents of HTTP libraries.
_HEADERS = {"User-Agent": f"factorized-video-gen/{VERSION}", "Accept": "application/json"}
_FAILURES = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,  # addresses and headers that cannot be used
)
_LATE = "no complete answer within the time allowed."


Cookies = requests.cookies.RequestsCookieJar


class Fetched(NamedTuple):
    """What was downloaded: its size in bytes and its SHA-256."""

    size: int
    sha256: str


class DownloadError(ToolError):
    """A download that broke, or that is not what it should be; a fresh address may help."""

    kind = "output"


class Broken(Exception):
    """No answer could be read. `sent` is False only where nothing can have left this machine.

    `declined` is the status with which a proxy would not connect to the gateway, else 0.
    """

    def __init__(self, message: str, sent: bool, declined: int = 0) -> None:
        super().__init__(message)
        self.sent = sent
        self.declined = declined


class _Session(requests.Session):
    """A session that does not look where a redirect points: that would read its whole body."""

    def resolve_redirects(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """None: `Transport` follows them, or nobody does."""
        return iter(())


class Transport:
    """One session with one gateway."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # urllib3's own retries would repeat what costs money; requests has them off by default.
        self._session = _Session()
        self._watch = Watch()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, WatchedAdapter(self._watch))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def carry(self, cookies: Cookies) -> None:
        """From now on send these cookies, and keep there what comes."""
        self._session.cookies = cookies

    def send(
        self,
        request: HttpRequest,
        answer_s: float,
        largest: int,
        *,
        paid: bool = False,
        free: bool = False,
        follow: bool = False,
    ) -> HttpReply:
        """Send one call and read its answer to the end. Raises Broken.

        `answer_s` seconds bound the whole answer (before the time scale), `largest` its bytes. A
        `paid` call has a connection of its own; a `free` one is cut off by a signal. With `follow`
        a redirect at the gateway's own origin is followed; any other is an answer, its `location`
        an absolute address.
        """
        if paid:  # one that idled may be dead: then nobody could say whether the call arrived
            self._session.close()
        url = self._address(request)
        with interrupts.cut_by(self._watch.cut) if free else contextlib.nullcontext():
            for _ in range(MOST_REDIRECTS):
                reply = self._send_once(request, url, answer_s, largest, free=free)
                target = reply.headers.get("location", "")
                if not (follow and 300 <= reply.status < 400 and _place(target) == _place(url)):
                    break
                url = target
        return reply

    def _send_once(
        self, request: HttpRequest, url: str, answer_s: float, largest: int, *, free: bool
    ) -> HttpReply:
        began, answer_s = time.monotonic(), answer_s * self._settings.time_scale
        deadline = began + answer_s
        what = f"{request.method} {self._named(url)} {request.path[:120]}"
        body = {"files": parts} if (parts := _parts(request)) else {"json": request.body}
        headers, key = request.headers, self._settings.key_for(request.service)
        watch = self._watch
        watch.start(answer_s, free=free)
        try:
            with self._open(request.method, url, headers, key, answer_s, **body) as response:
                # What a redirect says beside its target is read by nobody.
                content = b"" if response.is_redirect else _bounded(response, largest, deadline)
        except (*_FAILURES, _Exceeded) as error:
            words = _LATE if watch.expired else _in_words(error)
            trace(f"{what}  no answer  {_took(began)}  {words}")
            sent = not (watch.connecting or never_left(error))
            raise Broken(f"{self._named(url)}: {words}", sent, declined_by_proxy(error)) from None
        finally:
            watch.stop()
        if watch.expired:  # cut off, and what came happened to look whole
            raise Broken(f"{self._named(url)}: {_LATE}", sent=True)
        status = f"{response.status_code} {response.reason or ''}".strip()
        size = f"{len(content):,} bytes"
        trace(f"{what}  {status}  {_took(began)}  {size}")
        headers = {name.lower(): value for name, value in response.headers.items()}
        if "location" in headers:
            headers["location"] = _joined(url, headers["location"])
        return HttpReply(response.status_code, headers, content)

    def _named(self, url: str) -> str:
        """The host, and of several servers the port too: they may be on one machine."""
        place = _place(url)
        return f"{place.host}:{place.port}" if self._settings.keys else place.host

    def is_own(self, url: str, service: str) -> bool:
        """Whether an address is at the gateway's own origin."""
        return _place(url) in self._origins(service)

    def _origins(self, service: str) -> set[_Place]:
        """Where the key of a service may go: of several servers of one's own to its own alone."""
        bases = self._settings.bases
        return {_place(bases[service])} if self._settings.keys else set(map(_place, bases.values()))

    def _address(self, request: HttpRequest) -> str:
        """Where a call goes: to the gateway's own address for it if that is at its origin."""
        url = self._settings.bases[request.service] + request.path
        named = (request.address or "").strip()
        rooted = named.startswith("/") or _has_scheme(named)
        given = self._below_root(request.service, named) if rooted else url
        return given if _place(given) == _place(url) else url

    def _below_root(self, service: str, address: str, near: str = "") -> str:
        """An address that the gateway gave: absolute, a path below its root, or relative to a call.

        `near` is the path of the call that named it.
        """
        base, address = self._settings.bases[service], address.strip()
        if address.startswith("//"):
            return f"{_place(base).scheme}:{address}"
        if _has_scheme(address):
            return address
        return base + address if address.startswith("/") else _joined(base + near, address)

    def download(
        self,
        url: str,
        file: IO[bytes],
        largest: int = LARGEST_VIDEO,
        near: str = "/",
        service: str = "video",
    ) -> Fetched:
        """Stream a result into an open file. Raises DownloadError.

        `url` is an address, a path below the root of the service that named it, or relative to the
        path `near`. The key goes only to the gateway's own origin; redirects are followed here,
        each checked.
        """
        url = self._below_root(service, url, near)
        began = time.monotonic()
        total, digest = 0, hashlib.sha256()
        with interrupts.cut_by(self._watch.cut):
            for block in self._stream(url, service):
                total += len(block)
                if total > largest:
                    raise DownloadError(f"The result is larger than {largest >> 20} MiB.")
                if total == len(block) and looks_like_html(block):
                    raise DownloadError("The result's address returned a web page.")
                digest.update(block)
                file.write(block)
        trace(f"GET {_place(url).host} (the result)  200  {_took(began)}  {total:,} bytes")
        if not total:
            raise DownloadError("The result's address returned nothing.")
        return Fetched(total, digest.hexdigest())

    def _stream(self, url: str, service: str) -> Iterator[bytes]:
        """The blocks of a result. Redirects are followed, each checked."""
        silence = DOWNLOAD_SILENCE_S * self._settings.time_scale
        for _ in range(MOST_REDIRECTS):
            url = self._upgraded(url, service)
            self._check_address(url, service)
            place = _place(url)
            key = self._settings.key_for(service) if self.is_own(url, service) else None
            headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
            try:
                self._watch.start(silence, free=True)
                with self._open("GET", url, headers, key, silence) as response:
                    if response.is_redirect:
                        url = _joined(url, response.headers["location"])
                        continue
                    if (status := response.status_code) != 200:
                        raise DownloadError(
                            f"The result's address at {place.host} answered {status}.",
                            http_status=status,
                        )
                    yield from self._blocks(response, silence)
                    return
            except _FAILURES as error:
                words = _LATE if self._watch.expired else _in_words(error)
                raise DownloadError(f"The download from {place.host} broke: {words}") from None
            finally:
                self._watch.stop()
        raise DownloadError("The result's address redirects in circles.")

    def _blocks(self, response: requests.Response, silence: float) -> Iterator[bytes]:
        """The content as it comes. Raises DownloadError where it comes too slowly to end.

        A server may be silent before the first byte: some make the clip only then.
        """
        window = SLOW_WINDOW_S * self._settings.time_scale
        since, came = 0.0, 0
        one_read = getattr(response.raw, "read1", response.raw.read)
        self._watch.allow(silence)
        while block := one_read(BLOCK, decode_content=True):
            now = time.monotonic()
            if not since or now - since > window:
                if since and came < SLOWEST_BYTES:
                    raise DownloadError(
                        f"The download stalled: {came} bytes in {now - since:.0f} seconds."
                    )
                since, came = now, 0
                self._watch.allow(window + silence)  # also for what drips inside one read
            came += len(block)
            yield block
        if self._watch.expired:
            raise DownloadError(f"The download broke: {_LATE}")

    def _upgraded(self, url: str, service: str = "video") -> str:
        """An address that can be fetched: a server names itself as it sees itself.

        http at the gateway's own host is https where the gateway has that, as behind a proxy that
        ends TLS.
        """
        place = _place(url)
        for origin in self._origins(service):
            if (place.scheme, place.host, origin.scheme) == ("http", origin.host, "https"):
                host = f"[{origin.host}]" if ":" in origin.host else origin.host
                port = "" if origin.port == 443 else f":{origin.port}"
                return re.sub(r"^http://[^/?#]*", f"https://{host}{port}", url, flags=re.I)
        return url

    def _check_address(self, url: str, service: str = "video") -> None:
        """A result must come from a public https address, or from the gateway's own origin.

        Otherwise a gateway, or whoever answers for it, could make this machine call its neighbours.
        """
        scheme, host, port = place = _place(url)
        self._watch.pinned.pop(host, None)
        if not host:
            raise DownloadError("The result's address is not a valid address.")
        origins = self._origins(service)
        gateway_is_local = all(is_loopback(origin.host) for origin in origins)
        if place in origins or (gateway_is_local and is_loopback(host)):
            return
        if scheme != "https":
            raise DownloadError(f"The result's address ({scheme or '?'}://{host}) is not https.")
        try:
            literal = [ipaddress.ip_address(host)]
        except ValueError:
            literal = []
        is_literal = bool(literal)
        if is_loopback(host):  # never through a proxy, so it would be this machine
            raise DownloadError(f"The result's address at {host} is on this machine.")
        if not literal and not requests.utils.select_proxy(
            url, requests.utils.get_environ_proxies(url)
        ):
            try:
                rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except OSError:
                raise DownloadError(f"The result's host {host} cannot be found.") from None
            literal = [ipaddress.ip_address(row[4][0]) for row in rows]
        if any(not _is_public(address, is_literal) for address in literal):
            raise DownloadError(f"The result's address at {host} is inside a private network.")
        if literal:  # what is connected to must be what was checked
            self._watch.pinned[host] = tuple(map(str, literal))

    def _open(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        key: str | None,
        silence_s: float,
        **body: Any,
    ) -> requests.Response:
        """The response without its content. Redirects are not followed."""
        # The environment's proxies count, except for loopback; ~/.netrc never does, see _Bearer.
        self._session.trust_env = not is_loopback(_place(url).host)
        url = re.sub(_NETLOC, lambda found: found[1] + reachable(found[2]), url)
        return self._session.request(
            method,
            url,
            headers=_HEADERS | headers,
            auth=_Bearer(key),
            timeout=(CONNECT_S * self._settings.time_scale, silence_s),
            allow_redirects=False,
            stream=True,
            # requests reads these only together with the proxies.
            verify=os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True,
            **body,
        )


# Proxies that resolve every name themselves (fake-ip) answer with addresses from here.
_FAKE = (ipaddress.ip_network("198.18.0.0/15"), ipaddress.ip_network("fc00::/18"))
# NAT64 puts an IPv4 address into the last 32 bits of these.
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


def _took(began: float) -> str:
    """How long ago a time of the monotonic clock is."""
    return f"{time.monotonic() - began:.2f} s"


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address, is_literal: bool) -> bool:
    """Whether a result may be fetched from an address; a name may resolve to a fake one.

    An IPv6 address that carries one of IPv4 leads there, so that one is judged.
    """
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour
        if any(address in network for network in _NAT64):
            inside = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inside:
            return _is_public(inside, is_literal)
    if not is_literal and any(address in network for network in _FAKE):
        return True
    return address.is_global and not address.is_multicast


class _Exceeded(Exception):
    """An answer that is too large, or takes too long; the message says which."""


class _Bearer(requests.auth.AuthBase):
    """Sets the key, or nothing. As an auth object, it keeps requests from reading ~/.netrc."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def _parts(request: HttpRequest) -> Any:
    """The parts of a form, its fields first; a field is a part without a file name."""
    if not (request.files or request.form):
        return []
    fields = [(name, (None, str(value), None)) for name, value in (request.body or {}).items()]
    files = [
        (name, (f"{name}.{picture.mime.rpartition('/')[2]}", picture.data, picture.mime))
        for name, picture in request.files
    ]
    return [*fields, *files]


def _bounded(response: requests.Response, largest: int, deadline: float) -> bytes:
    """The body. Raises _Exceeded if it is too large or still arrives after the deadline."""
    blocks, total = [], 0
    # One read of what is there, in urllib3 2.x: a whole block could take an hour.
    one_read = getattr(response.raw, "read1", response.raw.read)
    while block := one_read(BLOCK, decode_content=True):
        total += len(block)
        if total > largest:
            raise _Exceeded("the answer is too large.")
        if time.monotonic() > deadline:
            raise _Exceeded(_LATE)
        blocks.append(block)
    return b"".join(blocks)


def never_left(error: BaseException) -> bool:
    """Whether a request failed before any of it was sent: name, connection, certificate.

    Read from the exceptions of requests and urllib3; in doubt, False. (What fails while a watched
    connection is made is known without it.)
    """
    # The second and third: no such scheme, no address, or a proxy that cannot be spoken to.
    unusable = requests.exceptions.InvalidSchema | requests.exceptions.MissingSchema
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.InvalidURL | unusable):
        return True
    for cause in _causes(error):
        name = type(cause).__name__
        if name in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError"):
            return True
        if isinstance(cause, ssl.SSLCertVerificationError | ConnectionRefusedError):
            return True
        if isinstance(cause, ssl.SSLError) and "handshake" in str(cause).lower():
            return True
    return declined_by_proxy(error) > 0


def declined_by_proxy(error: BaseException) -> int:
    """The status with which a proxy would not connect, 0 where none declined."""
    texts = (str(cause) for cause in _causes(error) if isinstance(cause, OSError))
    found = (re.search(r"Tunnel connection failed: (\d{3})", text) for text in texts)
    return next((int(one[1]) for one in found if one), 0)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those behind it, through `args`, `reason` and `__cause__`."""
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
    if isinstance(error, _Exceeded):
        return str(error)
    if isinstance(error, requests.ConnectTimeout):
        return "no connection within the time allowed."
    if isinstance(error, requests.Timeout | urllib3.exceptions.ReadTimeoutError):
        return _LATE
    if status := declined_by_proxy(error):
        return f"the proxy would not connect to it ({status})."
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


def _has_scheme(address: str) -> bool:
    """Whether an address is absolute."""
    return re.match(r"[a-z][a-z0-9+.-]*:", address, re.IGNORECASE) is not None


_NETLOC = r"(?i)^(https?://)([^/?#]*)"


class _Place(NamedTuple):
    """Scheme, host and port: what the key may be sent to."""

    scheme: str
    host: str
    port: int


def _place(url: str) -> _Place:
    """Where an address leads; without a host for what is no address.

    Parsed as by the library that connects: in a hostile address another parser finds another host
    (`http://this\\@that/`), and the key would go to the wrong one.
    """
    try:
        parts = urllib3.util.parse_url(url)
    except ValueError:
        return _Place("", "", 0)
    port = parts.port or {"https": 443, "http": 80}.get(parts.scheme or "", 0)
    return _Place(parts.scheme or "", reachable(parts.host or "").strip("[]"), port)


def _joined(base: str, address: str) -> str:
    """An address as it is meant beside another; "" for what is none."""
    try:
        return urljoin(base, address.strip())
    except ValueError:
        return ""
