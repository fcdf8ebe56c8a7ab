"""What really goes over the connection: forms, and to whom the key is sent."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from answers import MESSAGES, MP4, clip, said
from conftest import KEY
from factorized_video.errors import ToolError
from factorized_video.gateway.client import Gateway
from factorized_video.gateway.lookup import SERVICES
from factorized_video.gateway.settings import Settings
from factorized_video.gateway.transport import DownloadError, Transport
from factorized_video.gateway.types import ChatRequest, Handle, HttpRequest, ImageRequest, Picture
from recorder import Part, Recorder, Seen, Told

BEARER = f"Bearer {KEY}"


@pytest.fixture
def server() -> Iterator[Recorder]:
    """The gateway."""
    with Recorder() as recorder:
        yield recorder


@pytest.fixture
def stranger() -> Iterator[Recorder]:
    """Somebody else: the same host, another port, so another origin."""
    with Recorder(lambda seen: Told(MP4)) as recorder:
        yield recorder


def settings(root: str, name: str = "openai") -> Settings:
    return Settings(name, dict.fromkeys(SERVICES, root), "by the test", KEY, 0.01)


def send(root: str, request: HttpRequest) -> None:
    transport = Transport(settings(root))
    transport.send(request, 60, 1 << 20)
    transport.close()


def fetch(root: str, url: str) -> bytes:
    transport, file = Transport(settings(root)), io.BytesIO()
    transport.download(url, file)
    transport.close()
    return file.getvalue()


# -- forms ----------------------------------------------------------------------------------------

HARD = bytes(range(256)) * 40 + b"\r\n--\r\n--boundary--\r\n\r\n\n\r\x00\x1a"


@pytest.mark.parametrize(
    ("mime", "filename"),
    [
        ("image/png", "input_reference.png"),
        ("image/jpeg", "input_reference.jpeg"),
        ("image/webp", "input_reference.webp"),
    ],
)
def test_a_form_has_the_fields_as_texts_and_the_file_byte_for_byte(
    server: Recorder, mime: str, filename: str
) -> None:
    server.answer = lambda seen: Told({"id": "video_1", "status": "queued"})
    gateway = Gateway(settings(server.root))
    job = gateway.submit(clip(seed=7, key="take-1", frame=Picture(HARD, mime)))
    gateway.close()
    assert job.id == "video_1"
    [seen] = server.seen
    assert (seen.method, seen.path) == ("POST", "/v1/videos")
    assert seen.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert seen.headers["content-length"] == str(len(seen.body))
    assert "transfer-encoding" not in seen.headers
    assert seen.headers["authorization"] == BEARER
    assert seen.headers["x-litellm-num-retries"] == "0"
    assert seen.parts == [
        Part("prompt", None, None, b"it runs"),
        Part("model", None, None, b"m/v"),
        Part("seconds", None, None, b"6"),
        Part("size", None, None, b"1280x720"),
        Part("seed", None, None, b"7"),
        Part("input_reference", filename, mime, HARD),
    ]


def test_a_form_may_have_no_file(server: Recorder) -> None:
    server.answer = lambda seen: Told({"id": "video_1", "status": "queued"})
    gateway = Gateway(settings(server.root))
    gateway.submit(clip(frame=None))
    gateway.close()
    [seen] = server.seen
    assert seen.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert seen.headers["content-length"] == str(len(seen.body))
    assert seen.parts == [
        Part("prompt", None, None, b"it runs"),
        Part("model", None, None, b"m/v"),
        Part("seconds", None, None, b"6"),
        Part("size", None, None, b"1280x720"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "é ☃ 😀",
        'he said "no"',
        "two\nlines\r\nand more",
        "--\r\n--x--",
        "a" * 100_000,
        "%0d%0a",
        "; filename=x",
    ],
)
def test_any_prompt_arrives_as_it_is(server: Recorder, text: str) -> None:
    server.answer = lambda seen: Told({"id": "video_1", "status": "queued"})
    gateway = Gateway(settings(server.root))
    gateway.submit(clip()._replace(prompt=text))
    gateway.close()
    assert server.seen[0].parts[0] == Part("prompt", None, None, text.encode())


def test_without_a_file_it_is_json_in_utf_8(server: Recorder) -> None:
    server.answer = lambda seen: Told(said({"content": "x"}))
    gateway = Gateway(settings(server.root))
    gateway.chat(ChatRequest("m", [{"role": "user", "content": "é 😀 \ufffd"}]))
    gateway.close()
    [seen] = server.seen
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["accept"] == "application/json"
    assert seen.json["messages"] == [{"role": "user", "content": "é 😀 \ufffd"}]


@pytest.mark.parametrize("name", ["happycapy", "openai", "openrouter", "vercel"])
def test_every_call_carries_the_key_and_our_own_user_agent(server: Recorder, name: str) -> None:
    def answer(seen: Seen) -> Told:
        if "chat" in seen.path:
            return Told(said({"content": "x"}))
        if "image" in seen.path:
            return Told({"data": [{"b64_json": "AAAA"}]})
        rows = {"data": [], "balance": "5"}
        return Told({"id": "v", "operation": "v", "status": "pending", **rows})

    server.answer = answer
    gateway = Gateway(settings(server.root, name))
    handle = Handle("v", "m/v")
    gateway.chat(ChatRequest("m", MESSAGES))
    gateway.image(ImageRequest("m/flux", "a fox", "16:9"))
    gateway.submit(clip())
    gateway.status(handle)
    gateway.check()
    gateway.models()
    gateway.cancel(handle)
    if gateway.lists_jobs:
        gateway.list_jobs()
    gateway.close()
    assert len(server.seen) in (6, 7, 8)
    for seen in server.seen:
        assert seen.headers["authorization"] == BEARER
        assert seen.headers["user-agent"].startswith("factorized-video-gen/")


# -- the address that a gateway gives for the status ----------------------------------------------


def status(root: str, told: str | None) -> None:
    """Read the status of a job of OpenRouter's, whose create gave this address."""
    gateway = Gateway(settings(root, "openrouter"))
    gateway.status(Handle("gen-1", "m", told))
    gateway.close()


RUNNING = Told({"id": "gen-1", "status": "pending"})
DEFAULT = "/api/v1/videos/gen-1"


@pytest.mark.parametrize(
    ("told", "path"),
    [
        (None, DEFAULT),
        ("/api/v2/jobs/gen-1?w=2", "/api/v2/jobs/gen-1?w=2"),
        ("{root}/api/v2/jobs/gen-1?w=2", "/api/v2/jobs/gen-1?w=2"),
        ("HTTP://127.0.0.1:{port}/x", "/x"),
        # Of no other host, port or scheme, in whatever way it is written.
        ("http://127.0.0.1:{other}/x", DEFAULT),
        ("https://127.0.0.1:{port}/x", DEFAULT),
        ("http://127.0.0.1/x", DEFAULT),
        ("http://localhost:{port}/x", DEFAULT),
        ("http://[::1]:{port}/x", DEFAULT),
        ("//127.0.0.1:{other}/x", DEFAULT),
        ("http://127.0.0.1:{port}@127.0.0.1:{other}/x", DEFAULT),
        ("http://127.0.0.1:{other}\\@127.0.0.1:{port}/x", DEFAULT),
        ("http://127.0.0.1:{other}#@127.0.0.1:{port}/x", DEFAULT),
        ("http://127.0.0.1:{other}?@127.0.0.1:{port}/x", DEFAULT),
        ("http:127.0.0.1:{other}/x", DEFAULT),
        ("file:///etc/passwd", DEFAULT),
        ("x", DEFAULT),
        ("", DEFAULT),
        ("http://127.0.0.1:99999999/x", DEFAULT),
        ("http://[", DEFAULT),
    ],
)
def test_a_polling_address_is_used_only_at_the_gateways_own_origin(
    server: Recorder, stranger: Recorder, told: str | None, path: str
) -> None:
    server.answer = lambda seen: RUNNING
    places = {"root": server.root, "port": server.port, "other": stranger.port}
    status(server.root, told.format(**places) if told else told)
    assert [(seen.path, seen.headers["authorization"]) for seen in server.seen] == [(path, BEARER)]
    assert stranger.seen == []


def test_a_polling_path_is_below_a_prefix_of_the_root(server: Recorder) -> None:
    server.answer = lambda seen: RUNNING
    status(f"{server.root}/proxy", "/api/v1/videos/gen-1?w=2")
    status(f"{server.root}/proxy", None)
    paths = [seen.path for seen in server.seen]
    assert paths == ["/proxy/api/v1/videos/gen-1?w=2", "/proxy/api/v1/videos/gen-1"]


def test_a_call_is_never_sent_on_to_where_a_redirect_points(
    server: Recorder, stranger: Recorder
) -> None:
    server.answer = lambda seen: Told(b"", 307, {"Location": f"{stranger.root}/x"})
    send(server.root, HttpRequest("chat", "POST", "/v1/chat/completions", {}, {"model": "m"}))
    with pytest.raises(ToolError, match="307"):
        status(server.root, None)
    assert stranger.seen == []


# -- where a result is fetched from ---------------------------------------------------------------


@pytest.mark.parametrize(
    "told", ["/v1/videos/v/content", "{root}/v1/videos/v/content", "/v1/videos/v/content?index=0"]
)
def test_a_result_at_the_gateway_itself_is_fetched_with_the_key(
    server: Recorder, told: str
) -> None:
    server.answer = lambda seen: Told(MP4)
    assert fetch(server.root, told.format(root=server.root)) == MP4
    [seen] = server.seen
    assert seen.path.startswith("/v1/videos/v/content")
    assert seen.headers["authorization"] == BEARER
    assert seen.headers["accept-encoding"] == "identity"


def test_a_results_path_is_below_a_prefix_of_the_root(server: Recorder) -> None:
    server.answer = lambda seen: Told(MP4)
    fetch(f"{server.root}/proxy", "/v1/videos/v/content")
    assert server.seen[0].path == "/proxy/v1/videos/v/content"


@pytest.mark.parametrize(
    "told",
    [
        "{other}/v.mp4?sig=1",
        "http://x:y@127.0.0.1:{other_port}/v.mp4",
        "http://127.0.0.1:{other_port}\\@127.0.0.1:{port}/v.mp4",
    ],
)
def test_a_result_elsewhere_is_fetched_without_any_key(
    server: Recorder, stranger: Recorder, told: str
) -> None:
    places = {"other": stranger.root, "other_port": stranger.port, "port": server.port}
    try:
        assert fetch(server.root, told.format(**places)) == MP4
    except DownloadError:
        assert stranger.seen == []
    assert [seen for seen in stranger.seen if "authorization" in seen.headers] == []
    assert server.seen == []


def test_the_key_does_not_follow_a_redirect_to_another_origin(
    server: Recorder, stranger: Recorder
) -> None:
    server.answer = lambda seen: Told(b"", 302, {"Location": f"{stranger.root}/v.mp4?sig=1"})
    assert fetch(server.root, "/v1/videos/v/content") == MP4
    assert server.seen[0].headers["authorization"] == BEARER
    assert [(seen.path, "authorization" in seen.headers) for seen in stranger.seen] == [
        ("/v.mp4?sig=1", False)
    ]


def test_a_redirect_at_home_keeps_the_key(server: Recorder) -> None:
    def answer(seen: Seen) -> Told:
        return Told(MP4) if seen.path == "/b" else Told(b"", 302, {"Location": "/b"})

    server.answer = answer
    assert fetch(server.root, "/a") == MP4
    assert [seen.headers["authorization"] for seen in server.seen] == [BEARER] * 2


def test_no_password_of_the_home_folder_is_sent_along(
    server: Recorder, stranger: Recorder, home: Path
) -> None:
    (home / ".netrc").write_text("default login me password secret\n")
    server.answer = lambda seen: Told(MP4)
    fetch(server.root, "/v1/videos/v/content")
    fetch(server.root, f"{stranger.root}/v.mp4")
    assert server.seen[0].headers["authorization"] == BEARER
    assert "authorization" not in stranger.seen[0].headers
