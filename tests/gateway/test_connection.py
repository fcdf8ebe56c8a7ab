"""How a connection may fail: what was sent, when it ends, and where a result may be."""

from __future__ import annotations

import base64
import contextlib
import io
import re
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import KEY
from factorized_video.errors import AuthError, Rejected, ToolError, Unavailable, Unknown
from factorized_video.gateway import transport
from factorized_video.gateway.client import Gateway
from factorized_video.gateway.job_ids import is_same_job
from factorized_video.gateway.lookup import SERVICES
from factorized_video.gateway.settings import Settings
from factorized_video.gateway.transport import Broken, DownloadError, Transport
from factorized_video.gateway.types import Handle, HttpRequest, ImageRequest
from recorder import Recorder, Seen, Told

REQUEST = HttpRequest("image", "POST", "/v1/images/generations", {}, {"prompt": "x"})
BODY = b'{"data": [{"b64_json": "iVBORw0KGgoAAAANSUhEUg=="}]}'
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Wire:
    """A server whose every connection is one function; `read` are the bytes that each brought."""

    def __init__(self, serve: Callable[[socket.socket, int], None]) -> None:
        self.count = 0
        self._serve = serve
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connected, _ = self._server.accept()
                self.count += 1
                args = (connected, self.count)
                threading.Thread(target=self._one, args=args, daemon=True).start()

    def _one(self, connected: socket.socket, number: int) -> None:
        with contextlib.suppress(OSError, ValueError), connected:
            self._serve(connected, number)

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def wire() -> Iterator[Callable[[Callable[[socket.socket, int], None]], Wire]]:
    servers: list[Wire] = []

    def start(serve: Callable[[socket.socket, int], None]) -> Wire:
        servers.append(Wire(serve))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def request(connected: socket.socket) -> bytes:
    """Read one whole request."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connected.recv(65536) or b"\r\n\r\n"
    # With bytes left unread, closing would reset the connection and lose the answer.
    length = re.search(rb"(?i)content-length: *(\d+)", data)
    whole = data.index(b"\r\n\r\n") + 4 + (int(length[1]) if length else 0)
    while len(data) < whole and (more := connected.recv(65536)):
        data += more
    return data


def settings(root: str, scale: float = 0.01) -> Settings:
    return Settings("openai", dict.fromkeys(SERVICES, root), "by the test", KEY, scale)


def broken(root: str, seconds: float = 30.0) -> Broken:
    """How one call ends."""
    one = Transport(settings(root, scale=1))
    try:
        with pytest.raises(Broken) as caught:
            one.send(REQUEST, seconds, 1 << 20)
        return caught.value
    finally:
        one.close()


def image(root: str) -> ToolError | None:
    """How a paid call through the client ends."""
    gateway = Gateway(settings(root))
    try:
        gateway.image(ImageRequest("m", "x", "16:9"))
    except ToolError as error:
        return error
    finally:
        gateway.close()
    return None


# -- what fails before the request can be sent ----------------------------------------------------


def hangs_up(connected: socket.socket, _: int) -> None:
    connected.recv(10)


def resets(connected: socket.socket, _: int) -> None:
    connected.recv(10)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def speaks_http(connected: socket.socket, _: int) -> None:
    connected.recv(4096)
    connected.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def alerts(connected: socket.socket, _: int) -> None:
    connected.recv(4096)
    connected.sendall(b"\x15\x03\x03\x00\x02\x02\x28")  # handshake_failure


@pytest.mark.parametrize("serve", [hangs_up, resets, speaks_http, alerts])
def test_what_fails_in_the_handshake_was_never_sent(
    wire: Callable[..., Wire], serve: Callable[[socket.socket, int], None]
) -> None:
    server = wire(serve)
    assert broken(f"https://127.0.0.1:{server.port}").sent is False
    ended = image(f"https://127.0.0.1:{server.port}")
    assert isinstance(ended, Unavailable)
    assert (ended.charged, server.count) == ("no", 1 + 4)


def test_a_handshake_that_drips_ends_in_time(wire: Callable[..., Wire]) -> None:
    def drips(connected: socket.socket, _: int) -> None:
        connected.recv(4096)
        connected.sendall(b"\x16\x03\x03\x00\x7a")
        while True:
            connected.sendall(b"\x02")
            time.sleep(0.1)

    began = time.monotonic()
    assert broken(f"https://127.0.0.1:{wire(drips).port}", 0.5).sent is False
    assert time.monotonic() - began < 5


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1, made now."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    place = tmp_path_factory.mktemp("tls") / "both.pem"
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    keys = ("-keyout", str(place), "-out", str(place.with_suffix(".crt")))
    subprocess.run([openssl, *words, *keys], check=True, capture_output=True)
    place.write_bytes(place.read_bytes() + place.with_suffix(".crt").read_bytes())
    return place


@pytest.mark.parametrize(("fails", "sent"), [("handshake", False), ("request", True)])
def test_the_second_connection_of_a_run_may_fail_too(
    wire: Callable[..., Wire],
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    fails: str,
    sent: bool,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.with_suffix(".crt")))
    monkeypatch.setattr(transport, "is_loopback", lambda host: False)  # as for a server elsewhere
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve(connected: socket.socket, number: int) -> None:
        if number == 2 and fails == "handshake":
            return hangs_up(connected, number)
        with context.wrap_socket(connected, server_side=True) as secure:
            request(secure)
            if number != 2:
                secure.sendall(GOOD.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"))
        return None

    server = wire(serve)
    one = Transport(settings(f"https://127.0.0.1:{server.port}", scale=1))
    assert one.send(REQUEST, 30, 1 << 20).body == BODY
    with pytest.raises(Broken) as caught:
        one.send(REQUEST, 30, 1 << 20)
    assert caught.value.sent is sent
    assert one.send(REQUEST, 30, 1 << 20).body == BODY
    one.close()


# -- answers before the answer, and answers that do not end ---------------------------------------


@pytest.mark.parametrize("interim", [b"100", b"102", b"103", b"199"])
@pytest.mark.parametrize("times", [1, 3])
def test_interim_answers_are_read_past(
    wire: Callable[..., Wire], interim: bytes, times: int
) -> None:
    def serve(connected: socket.socket, _: int) -> None:
        request(connected)
        early = b"HTTP/1.1 %s Early\r\nLink: </s.css>; rel=preload\r\n\r\n" % interim
        connected.sendall(early * times + GOOD)

    assert image(f"http://127.0.0.1:{wire(serve).port}") is None


def drip(first: bytes, then: bytes) -> Callable[[socket.socket, int], None]:
    def serve(connected: socket.socket, _: int) -> None:
        request(connected)
        connected.sendall(first)
        while True:
            time.sleep(0.05)
            connected.sendall(then)

    return serve


@pytest.mark.parametrize(
    "serve",
    [
        drip(b"HTTP/1.1 200 OK\r\n", b"X-Keep: 1\r\n"),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drip(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        drip(b"", b"H"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", b" "),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", b""),
    ],
    ids=["headers", "100", "103", "status line", "body", "chunks", "silence"],
)
def test_an_answer_that_never_ends_is_cut_off_at_the_limit(
    wire: Callable[..., Wire], serve: Callable[[socket.socket, int], None]
) -> None:
    began = time.monotonic()
    ended = broken(f"http://127.0.0.1:{wire(serve).port}", 0.4)
    assert (ended.sent, time.monotonic() - began < 8) == (True, True)


def test_a_paid_call_uses_no_connection_that_has_idled(wire: Callable[..., Wire]) -> None:
    """One that the server has just closed would swallow it, and leave it unknown."""

    def serve(connected: socket.socket, number: int) -> None:
        request(connected)
        connected.sendall(GOOD)
        request(connected)  # and no answer any more

    server = wire(serve)
    assert image(f"http://127.0.0.1:{server.port}") is None
    gateway = Gateway(settings(f"http://127.0.0.1:{server.port}"))
    gateway.models()
    gateway.image(ImageRequest("m", "x", "16:9"))
    gateway.close()
    assert server.count == 3


def test_a_server_may_be_silent_before_the_first_byte_of_a_clip(
    wire: Callable[..., Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "SLOW_WINDOW_S", 5.0)  # 0.05 s by the scale

    def serve(connected: socket.socket, _: int) -> None:
        request(connected)
        connected.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
        time.sleep(0.3)
        connected.sendall(b"clip")

    one, file = Transport(settings(f"http://127.0.0.1:{wire(serve).port}")), io.BytesIO()
    one.download("/clip.mp4", file)
    one.close()
    assert file.getvalue() == b"clip"


@pytest.mark.parametrize(
    "first",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nclip\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 2",
    ],
    ids=["the size of a chunk", "that of one that closes", "the status line"],
)
def test_a_download_that_drips_where_nothing_is_read_ends(
    wire: Callable[..., Wire], monkeypatch: pytest.MonkeyPatch, first: bytes
) -> None:
    monkeypatch.setattr(transport, "SLOW_WINDOW_S", 30.0)
    monkeypatch.setattr(transport, "DOWNLOAD_SILENCE_S", 30.0)
    server = wire(drip(first, b"0"))
    one, began = Transport(settings(f"http://127.0.0.1:{server.port}")), time.monotonic()
    with pytest.raises(DownloadError, match="time allowed"):
        one.download("/clip.mp4", io.BytesIO())
    one.close()
    assert time.monotonic() - began < 8


def test_a_download_that_only_drips_ends(
    wire: Callable[..., Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "SLOW_WINDOW_S", 30.0)  # 0.3 s by the scale
    server = wire(drip(b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n", b"x" * 50))
    one = Transport(settings(f"http://127.0.0.1:{server.port}"))
    with pytest.raises(DownloadError, match="stalled"):
        one.download("/clip.mp4", io.BytesIO())
    one.close()


# -- what is no acceptance ------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_a_paid_call_is_no_acceptance(status: int) -> None:
    place = "https://gw.example.com/v1/images?token=secret"
    with Recorder(lambda seen: Told(b"", status, {"Location": place})) as server:
        ended = image(server.root)
        assert isinstance(ended, Rejected)
        assert (ended.charged, len(server.seen)) == ("no", 1)
        assert "it redirects to https://gw.example.com/v1/images" in ended.message
        assert "secret" not in ended.message
        gateway = Gateway(settings(server.root))
        with pytest.raises(Rejected, match="redirects"):
            gateway.check()
        gateway.close()


def test_a_proxy_that_wants_a_login_is_no_acceptance() -> None:
    with Recorder(lambda seen: Told(b"<html>login</html>", 407)) as server:
        ended = image(server.root)
        assert isinstance(ended, Unavailable)
        assert (ended.charged, len(server.seen), "HTTPS_PROXY" in ended.hint) == ("no", 1, True)


@pytest.mark.parametrize(
    ("location", "family", "shown"),
    [
        ("/v1/videos/vid_1", Unknown, "303"),  # what it has made of the call
        ("https://sso.example.com/login", Rejected, "https://sso.example.com/login"),
        ("//sso.example.com/login", Rejected, "http://sso.example.com/login"),
    ],
)
def test_only_a_303_at_the_gateway_itself_may_be_an_acceptance(
    location: str, family: type[ToolError], shown: str
) -> None:
    with Recorder(lambda seen: Told(b"", 303, {"Location": location})) as server:
        ended = image(server.root)
        assert type(ended) is family
        assert (shown in ended.message, len(server.seen)) == (True, 1)


@pytest.mark.parametrize("location", ["http://[", "", "http://h:99999999/", "\x00", "x" * 5_000])
def test_a_redirect_to_nowhere_is_no_acceptance(location: str) -> None:
    headers = {"Location": location.replace("\x00", "%00")}
    with Recorder(lambda seen: Told(b" " * 100_000, 302, headers)) as server:
        assert isinstance(image(server.root), Rejected)
        assert len(server.seen) == 1


def test_a_status_read_follows_a_redirect_at_home_and_no_other() -> None:
    def answer(seen: Seen) -> Told:
        if seen.path == "/v1/videos/v1":
            return Told(b"", 307, {"Location": "/v1/videos/v1/"})
        if seen.path == "/v1/models":
            return Told(b"", 307, {"Location": "/v2/models"})
        if seen.path == "/v1/videos/v2":
            return Told(b"", 302, {"Location": "https://else.example/v1/videos/v2"})
        return Told({"id": "v1", "status": "queued", "data": []})

    with Recorder(answer) as server:
        gateway = Gateway(settings(server.root))
        assert gateway.status(Handle("v1", "m")).state == "running"
        for call in (lambda: gateway.status(Handle("v2", "m")), gateway.check):
            with pytest.raises(Rejected, match="redirects to http"):
                call()
        gateway.close()
        paths = [seen.path for seen in server.seen]
        assert paths == ["/v1/videos/v1", "/v1/videos/v1/", "/v1/videos/v2", "/v1/models"]


def test_a_proxy_that_declines_to_connect_for_a_login_is_asked_once(
    wire: Callable[..., Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    def serve(connected: socket.socket, _: int) -> None:
        request(connected)
        connected.sendall(b"HTTP/1.1 407 X\r\nContent-Length: 0\r\n\r\n")

    server = wire(serve)
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{server.port}")
    ended = image("https://gw.example.test")
    assert isinstance(ended, Unavailable)
    assert (ended.charged, server.count, "NO_PROXY" in ended.hint) == ("no", 1, True)
    assert ended.message == "gw.example.test: the proxy would not connect to it (407)."


def test_a_proxy_that_cannot_be_spoken_to_was_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "gopher://127.0.0.1:9")
    assert broken("https://gw.example.test").sent is False


@pytest.mark.parametrize("status", [200, 511])
def test_a_login_page_of_the_network_is_said_to_be_one(status: int) -> None:
    page = b"<!doctype html><html><title>Welcome to our wifi</title></html>"
    with Recorder(lambda seen: Told(page, status)) as server:
        gateway = Gateway(settings(server.root))
        with pytest.raises(Unavailable) as caught:
            gateway.check()
        gateway.close()
        assert "the network's login" in caught.value.hint


# -- hints ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error", "family", "hint"),
    [
        (402, {"message": "no"}, AuthError, "no credit left"),
        (400, {"message": "Budget has been exceeded! Current cost: 2"}, AuthError, "no credit"),
        (403, {"message": "Key limit exceeded (total limit)"}, AuthError, "no credit left"),
        (429, {"message": "Please check your plan and billing details"}, AuthError, "no credit"),
        (403, {"message": "\u7528\u6237\u989d\u5ea6\u4e0d\u8db3"}, AuthError, "no credit"),
        (400, {"message": "stop uploading such files"}, Rejected, "Change what the message"),
        (429, {"message": "x", "code": "insufficient_quota"}, AuthError, "no credit left"),
        (403, {"message": "x", "code": "insufficient_user_quota"}, AuthError, "no credit left"),
        (400, {"message": "Your credit balance is too low"}, AuthError, "no credit left"),
        (400, {"message": "x", "type": "billing_hard_limit_reached"}, AuthError, "no credit left"),
        (404, {"message": "No endpoints found matching your data policy"}, Rejected, "privacy"),
        (404, {"message": "The model m does not exist"}, Rejected, "may not know this model"),
        (403, {"message": "not yours"}, AuthError, "not allowed"),
        (401, {"message": "bad key"}, AuthError, "did not accept the key"),
    ],
)
def test_the_hint_fits_the_cause(
    status: int, error: dict[str, str], family: type[ToolError], hint: str
) -> None:
    with Recorder(lambda seen: Told({"error": error}, status)) as server:
        ended = image(server.root)
        assert type(ended) is family
        assert (hint in ended.hint, ended.charged, len(server.seen)) == (True, "no", 1), ended.hint


def test_a_web_page_says_nothing_of_the_key() -> None:
    page = b"<!doctype html><html><title>Attention required! | Cloudflare</title></html>"
    with Recorder(lambda seen: Told(page, 403)) as server:
        ended = image(server.root)
        assert isinstance(ended, AuthError)
        assert "the key may be fine" in ended.hint


@pytest.mark.parametrize(
    ("body", "again"),
    [
        ({"error": {"details": [{"retryDelay": "0.02s"}]}}, True),
        ({"error": {"message": "Rate limit. Please try again in 20ms."}}, True),
        ({"error": {"message": "try again in 15m"}}, False),
        ({"error": {"details": [{"retryDelay": "38000s"}]}}, False),
        ({"error": {"message": "check your plan and billing. Please retry in 0.01s."}}, True),
    ],
)
def test_the_wait_may_stand_in_the_body(body: dict[str, object], again: bool) -> None:
    with Recorder(lambda seen: Told(body, 429)) as server:
        ended = image(server.root)
        assert isinstance(ended, Unavailable)
        assert len(server.seen) == (4 if again else 1)
        assert ("to wait until" in ended.hint) is not again


# -- where a result is ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/files/x.mp4", "/files/x.mp4"),
        ("x.mp4", "/v1/videos/x.mp4"),
        ("../x.mp4", "/v1/x.mp4"),
        ("?a=b", "/v1/videos/7?a=b"),
        (" {root}/x.mp4\n", "/x.mp4"),
        ("//{host}/x.mp4", "/x.mp4"),
        ("HTTP://{host}/x.mp4", "/x.mp4"),
        ("{root}/a b.mp4#part", "/a%20b.mp4"),
    ],
)
def test_an_address_is_read_as_a_browser_would(address: str, path: str) -> None:
    with Recorder(lambda seen: Told(b"clip")) as server:
        one, file = Transport(settings(server.root)), io.BytesIO()
        named = address.format(root=server.root, host=server.root.partition("//")[2])
        one.download(named, file, near="/v1/videos/7")
        one.close()
        assert ([seen.path for seen in server.seen], file.getvalue()) == ([path], b"clip")


@pytest.mark.parametrize(
    ("host", "resolves_to", "refused"),
    [
        ("cdn.example", "198.18.0.7", False),  # a proxy with addresses of its own
        ("198.18.0.7", "198.18.0.7", True),
        ("cdn.example", "10.0.0.1", True),
        ("cdn.example", "127.0.0.1", True),
        ("cdn.example", "100.64.0.1", True),
        ("cdn.example", "8.8.8.8", False),
        ("cdn.example", "fc00::7", False),  # such a proxy with IPv6
        ("[fc00::7]", "fc00::7", True),
        ("cdn.example", "fd00::7", True),
        ("cdn.example", "64:ff9b::8.8.8.8", False),  # NAT64: the address inside counts
        ("cdn.example", "64:ff9b::10.0.0.1", True),
        ("cdn.example", "64:ff9b:1::127.0.0.1", True),
        ("[64:ff9b::7f00:1]", "64:ff9b::7f00:1", True),
        ("cdn.example", "::ffff:192.168.1.1", True),
        ("cdn.example", "2002:7f00:1::1", True),
        ("cdn.example", "224.0.0.1", True),
    ],
)
def test_a_result_is_not_fetched_from_a_private_network(
    host: str, resolves_to: str, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = (socket.AF_INET, socket.SOCK_STREAM, 6, "", (resolves_to, 443))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: [row])
    one = Transport(settings("https://gw.example"))
    if refused:
        with pytest.raises(DownloadError, match="private network"):
            one._check_address(f"https://{host}/clip.mp4")
    else:
        one._check_address(f"https://{host}/clip.mp4")


@pytest.mark.parametrize(
    ("url", "then"),
    [
        ("http://gw.example/x.mp4?a=1", "https://gw.example/x.mp4?a=1"),
        ("http://gw.example:8080/x.mp4", "https://gw.example/x.mp4"),
        ("http://other.example/x.mp4", "http://other.example/x.mp4"),
        ("https://gw.example/x.mp4", "https://gw.example/x.mp4"),
    ],
)
def test_http_at_the_gateways_own_host_becomes_https(url: str, then: str) -> None:
    assert Transport(settings("https://gw.example"))._upgraded(url) == then


def test_so_at_an_address_of_ipv6() -> None:
    one = Transport(settings("https://[2001:db8::1]:8443"))
    assert one._upgraded("http://[2001:db8::1]/x") == "https://[2001:db8::1]:8443/x"


def test_a_path_of_a_picture_is_at_the_host_that_made_it() -> None:
    """HappyCapy's pictures and videos are at two hosts."""
    with Recorder(lambda seen: Told(b"picture")) as pictures, Recorder() as videos:
        two = {"chat": pictures.root, "image": pictures.root, "video": videos.root}
        gateway = Gateway(settings("")._replace(bases=two))
        assert gateway.fetch_image("/files/x.png", lambda data: None) == b"picture"
        gateway.close()
        assert ([seen.path for seen in pictures.seen], videos.seen) == (["/files/x.png"], [])


@pytest.mark.parametrize("named", ["0.0.0.0", "127.0.0.1"])
@pytest.mark.parametrize("base", ["0.0.0.0", "127.0.0.1"])
def test_every_address_of_this_machine_is_the_gateways_own(base: str, named: str) -> None:
    with Recorder(lambda seen: Told(b"clip")) as server:
        one = Transport(settings(f"http://{base}:{server.port}"))
        one.download(f"http://{named}:{server.port}/x.mp4", io.BytesIO())
        one.close()
        assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"


# -- the list of jobs -----------------------------------------------------------------------------


def test_the_list_of_jobs_is_read_past_its_first_page() -> None:
    rows = [{"id": f"video_{number:04}", "created_at": 1_000 - number} for number in range(130)]

    def page(seen: object) -> Told:
        path = str(seen.path)  # type: ignore[attr-defined]
        after = path.partition("after=")[2]
        start = next((n + 1 for n, row in enumerate(rows) if row["id"] == after), 0)
        return Told({"data": rows[start : start + 50], "has_more": start + 50 < len(rows)})

    with Recorder(page) as server:
        gateway = Gateway(settings(server.root))
        listed, _ = gateway.list_jobs()
        gateway.close()
        assert [row.id for row in listed] == [row["id"] for row in rows]
        assert len(server.seen) <= 4


def test_a_server_that_declines_a_second_page_still_has_its_first() -> None:
    rows = [{"id": f"v{number}"} for number in range(50)]
    with Recorder(
        lambda seen: Told({"data": rows}, 400 if "after" in seen.path else 200)
    ) as server:
        gateway = Gateway(settings(server.root))
        listed, _ = gateway.list_jobs()
        gateway.close()
        assert (len(listed), len(server.seen)) == (50, 2)


def test_a_server_without_pages_is_asked_twice_at_most() -> None:
    rows = [{"id": f"v{number}"} for number in range(60)]
    with Recorder(lambda seen: Told({"data": rows})) as server:
        gateway = Gateway(settings(server.root))
        listed, _ = gateway.list_jobs()
        gateway.close()
        assert (len(listed), len(server.seen)) == (60, 2)


def litellm(model: str) -> str:
    """An id as LiteLLM gives it."""
    text = f"litellm:custom_llm_provider:openai;model_id:{model};video_id:video_1234"
    return "video_" + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("video_1234", "video_1234", True),
        ("video_ENC_raw1", "video_raw1", True),
        ("proxy:video_1234", "video_1234", True),
        ("video_bGl0ZWxsbTpwcm92aWRlcjpvcGVuYWk7dmlkZW9faWQ6dmlkZW9fMTIzNA==", "video_1234", True),
        ("video_bGl0ZWxsbTpwcm92aWRlcjpvcGVuYWk7dmlkZW9faWQ6dmlkZW9fMTIzNA", "video_1234", True),
        ("video_1234", "video_12345", False),
        ("video_91234", "video_1234", False),
        ("video_1234_null", "video_1234", True),
        (litellm("gpt-1"), litellm(""), True),
        (litellm("gpt-1"), "video_1234", True),
        (litellm("gpt-1"), "video_1235", False),
        ("job-1", "job-11", False),
        ("job-1", "other-1", False),
        ("", "video_1234", False),
    ],
)
def test_forms_of_one_id(one: str, other: str, same: bool) -> None:
    assert is_same_job(one, other) is same
    assert is_same_job(other, one) is same


def test_an_answer_that_is_lost_after_sending_stays_unknown(wire: Callable[..., Wire]) -> None:
    server = wire(lambda connected, _: (request(connected), None)[1])
    ended = image(f"http://127.0.0.1:{server.port}")
    assert isinstance(ended, Unknown)
    assert server.count == 1
