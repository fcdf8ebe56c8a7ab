"""A gateway on 127.0.0.1 that speaks the HappyCapy dialect and does what a test tells it.

It answers like a gateway that works, keeps every request, and counts what it would bill. What it is
to do otherwise is data, one `Reply` per answer:

    gateway.will("image", Reply(503, headers={"Retry-After": "1"}), Reply(200, body=b"<html>"))

answers the next two image requests so, and the third as by default. Endpoints: chat, image, create,
status, list, file (the finished clip, or a picture). What can be wrong with the wire are the rows
of `WIRE`; and `down` stops the listening. What it bills (accepted image and video creates, and
chat) is counted in `billed`.
"""

from __future__ import annotations

import base64
import io
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from email.utils import formatdate
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

CAPTION = "A tabby cat on the top shelf of a tall wooden bookshelf, a grey couch at the lower left."
MOTION = "The tabby cat leaps from the shelf and lands on the couch."
PAID = {"chat", "image", "create"}
SIZES = {"16:9": (1280, 720), "9:16": (720, 1280), "1:1": (1024, 1024)}


@dataclass(frozen=True)
class Reply:
    """One answer. `fault` is what the wire does to it, a row of `WIRE`; `pace_s` how slowly.

    `accepted`: whether the gateway did the work, and bills it; by default when it says 2xx, and
    when the fault hides what it says. A header "date+30" is sent as the date in 30 s.
    """

    status: int = 200
    json: object = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    accepted: bool | None = None
    pace_s: float = 0.05

    @property
    def data(self) -> bytes:
        return self.body if self.body is not None else json.dumps(self.json).encode()

    @property
    def billed(self) -> bool:
        if self.fault == "unread":
            return False
        return 200 <= self.status < 300 if self.accepted is None else self.accepted


@dataclass(frozen=True)
class Request:
    """One request as it came. Header names are in lower case."""

    endpoint: str
    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, object]
    at: float = field(default_factory=time.monotonic)


class Gateway:
    """The scriptable gateway. Used as a context manager; every test gets its own."""

    def __init__(self) -> None:
        self.dialect = "happycapy"  # what --gateway says; the address alone would mean openai
        self.requests: list[Request] = []
        self.billed: Counter[str] = Counter()
        self.jobs: dict[str, dict[str, object]] = {}
        # What a job becomes, and after how many status reads; None: it never ends.
        self.ending: dict[str, object] = {"status": "succeeded"}
        self.ends_after: int | None = 1
        self.clips_at = ""  # where finished clips are said to be; here, unless set
        self.draws = 0  # pictures drawn: each is another one
        # Appended to the address of a clip, as a signature would be; "{reads}" in it is the number
        # of the status read that told the address.
        self.query = ""
        # Rows of the list tell when they were made, by a clock so many seconds ahead; None: rows
        # tell no time, so a lost job cannot be found in the list.
        self.clock_ahead_s: float | None = None
        self._rows: dict[str, list[Reply]] = {}
        self._hooks: dict[str, Callable[[], object]] = {}
        self._always: dict[str, Reply] = {}
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._server = _Server(self, ("127.0.0.1", 0))
        self.is_down = True
        self.root = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Gateway:
        self.up()
        return self

    def __exit__(self, *exc: object) -> None:
        self._closing.set()
        self.down()
        self._server.server_close()

    def up(self) -> None:
        """Listen (again)."""
        with self._changed:
            if self.is_down:
                self.is_down = False
                self._server.server_activate()
                serve = self._server.serve_forever
                threading.Thread(target=serve, args=(0.02,), daemon=True).start()

    def down(self, seconds: float | None = None) -> None:
        """Refuse connections until `up`, or for so long; the port stays ours."""
        with self._changed:
            if self.is_down:
                return
            self.is_down = True
            self._server.shutdown()
            self._server.server_close()
            # Bound and not listening: that refuses.
            self._server = _Server(self, self._server.server_address)
        if seconds is not None:
            timer = threading.Timer(seconds, self.up)
            timer.daemon = True
            timer.start()

    def mend(self) -> None:
        """Forget all that was out of order."""
        with self._changed:
            self._rows.clear()
            self._hooks.clear()
            self._always.clear()
        self.ending, self.ends_after, self.clips_at = {"status": "succeeded"}, 1, ""
        self.up()

    def will(self, endpoint: str, *replies: Reply) -> None:
        """Answer the next requests so, in order, before the default."""
        self._rows.setdefault(endpoint, []).extend(replies)

    def always(self, endpoint: str, reply: Reply) -> None:
        """Answer so from now on instead of the default."""
        self._always[endpoint] = reply

    def on(self, endpoint: str, act: Callable[[], object]) -> None:
        """Do something, once, when the next request to an endpoint has come."""
        self._hooks[endpoint] = act

    def of(self, endpoint: str) -> list[Request]:
        """The requests to one endpoint."""
        return [request for request in self.requests if request.endpoint == endpoint]

    @property
    def sent(self) -> dict[str, int]:
        """How often each paid endpoint was asked; those that were not are absent."""
        return dict(Counter(r.endpoint for r in self.requests if r.endpoint in PAID))

    def wait_for(self, endpoint: str, count: int = 1, timeout_s: float = 20) -> None:
        """Return as soon as so many requests came to an endpoint."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.of(endpoint)) >= count, timeout_s), (
                f"{endpoint} was not asked {count} times"
            )

    def leaves_unread(self, endpoint: str) -> bool:
        """Whether the next request to an endpoint is not even read."""
        with self._changed:
            rows = self._rows.get(endpoint)
            reply = rows[0] if rows else self._always.get(endpoint)
            return reply is not None and reply.fault == "unread"

    def twin(self) -> None:
        """Somebody else with this key asked for the same as the newest job does."""
        job_id = f"job-{len(self.jobs) + 1}"
        self.jobs[job_id] = {**self.jobs[next(reversed(self.jobs))], "id": job_id}

    def answer(self, request: Request) -> Reply:
        """Write the request down, and say how it is answered."""
        with self._changed:
            self.requests.append(request)
            self._hooks.pop(request.endpoint, lambda: None)()
            rows = self._rows.get(request.endpoint)
            reply = rows.pop(0) if rows else self._always.get(request.endpoint)
            default = self._default(request) if reply is None or reply.billed else None
            if reply is None:
                assert default is not None
                reply = default
            elif reply.json is None and reply.body is None and default:
                # Only the wire or the headers are out of order.
                headers = {**default.headers, **reply.headers}
                reply = replace(reply, json=default.json, body=default.body, headers=headers)
            if request.endpoint in PAID and reply.billed:
                self.billed[request.endpoint] += 1
            self._changed.notify_all()
            return reply

    def _default(self, request: Request) -> Reply:
        body = request.body
        if request.endpoint == "chat":
            return chat(json.dumps({"caption": CAPTION, "motion": MOTION}))
        if request.endpoint == "image":
            size = SIZES.get(str(body.get("aspectRatio")), (1280, 720))
            self.draws += 1
            return image(png(size, self.draws - 1))
        if request.endpoint == "create":
            job_id = f"job-{len(self.jobs) + 1}"
            kept = {key: body.get(key) for key in ("model", "prompt", "duration", "size")}
            self.jobs[job_id] = {"id": job_id, "aspect_ratio": body.get("aspectRatio"), **kept,
                                 "made_at": time.time()}  # fmt: skip
            return Reply(json={"id": job_id})
        if request.endpoint == "status":
            return self._status(request.path.rpartition("/")[2])
        if request.endpoint in ("list", "check"):
            rows = [self._row(job_id) for job_id in reversed(self.jobs)]
            return Reply(json={"data": rows, "total": len(rows), "limit": 10, "offset": 0})
        if request.endpoint == "file":
            if urlsplit(request.path).path.endswith(".png"):
                return Reply(body=png(), headers={"Content-Type": "image/png"})
            return Reply(body=clip(), headers={"Content-Type": "video/mp4"})
        return Reply(404, {"error": {"message": f"no such path: {request.path}"}})

    def _status(self, job_id: str) -> Reply:
        if job_id not in self.jobs:
            return Reply(404, {"error": {"message": f"no job {job_id}"}})
        job = self.jobs[job_id]
        job["reads"] = int(str(job.get("reads", 0))) + 1
        return Reply(json=self._row(job_id))

    def _row(self, job_id: str) -> dict[str, object]:
        job = {"status": "running", "error": None, "url": None, **self.jobs[job_id]}
        reads, made_at = int(str(job.pop("reads", 0))), float(str(job.pop("made_at", 0)))
        if self.clock_ahead_s is not None:
            told = datetime.fromtimestamp(made_at + self.clock_ahead_s, timezone.utc)
            job["created_at"] = told.isoformat()
        if self.ends_after is not None and reads > self.ends_after:
            query = self.query.replace("{reads}", str(reads))
            url = f"{self.clips_at or self.root}/files/{job_id}.mp4{query}"
            job |= {"url": url if self.ending["status"] == "succeeded" else None, **self.ending}
        return job

    def until_closed(self, seconds: float | None = None) -> bool:
        """Wait for the end of the test; whether it has come."""
        return self._closing.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, gateway: Gateway, address: Any) -> None:
        super().__init__(address, _Handler, bind_and_activate=False)
        self.gateway = gateway
        self.server_bind()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        gateway = self.server.gateway
        if gateway.is_down:  # a connection from before
            return self.reset()
        endpoint = endpoint_of(self.command, self.path)
        size = int(self.headers.get("Content-Length") or 0)
        data = b"" if gateway.leaves_unread(endpoint) else self.rfile.read(size)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = json.loads(data) if data else {}
        reply = gateway.answer(Request(endpoint, self.command, self.path, headers, body))
        try:
            WIRE[reply.fault](self, reply)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # a client that has gone is no news
        return None

    def head(self, reply: Reply, length: int | None) -> None:
        """The status line and the headers."""
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            if value.startswith("date+"):
                value = formatdate(time.time() + float(value[5:]), usegmt=True)
            self.send_header(name, value)
        if length is None or self.server.gateway.is_down:
            self.send_header("Connection", "close")
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def body(self, data: bytes, parts: int = 1, pace_s: float = 0.0) -> None:
        """A body, in so many parts with a pause after each."""
        size = -(-len(data) // parts) or 1
        for start in range(0, len(data), size):
            self.wfile.write(data[start : start + size])
            if pace_s and self.server.gateway.until_closed(pace_s):
                break

    def reset(self) -> None:
        """Close with a reset instead of an orderly end."""
        option = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
        self.connection.close()
        self.close_connection = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        ahead_s = self.server.gateway.clock_ahead_s or 0.0
        return super().date_time_string(int((timestamp or time.time()) + ahead_s))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing: stderr is the test's."""


def _well(handler: _Handler, reply: Reply) -> None:
    handler.head(reply, len(reply.data))
    handler.body(reply.data)


def _reset(handler: _Handler, reply: Reply) -> None:
    handler.reset()


def _hang(handler: _Handler, reply: Reply) -> None:
    handler.server.gateway.until_closed()
    handler.reset()


def _babble(handler: _Handler, reply: Reply) -> None:
    handler.wfile.write(b"220 mail.example ESMTP ready\r\n\r\n")
    handler.close_connection = True


def _half(handler: _Handler, reply: Reply, end: Callable[[], object] = lambda: None) -> None:
    handler.head(reply, len(reply.data))
    handler.body(reply.data[: len(reply.data) // 2])
    end()
    handler.close_connection = True


def _snap(handler: _Handler, reply: Reply) -> None:
    _half(handler, reply, handler.reset)


def _stall(handler: _Handler, reply: Reply) -> None:
    _half(handler, reply, handler.server.gateway.until_closed)


def _unsized(handler: _Handler, reply: Reply) -> None:
    handler.head(reply, None)
    handler.body(reply.data[: len(reply.data) // 2])


def _long(handler: _Handler, reply: Reply) -> None:
    handler.head(reply, len(reply.data))
    handler.body(reply.data + b"x" * 4096)
    handler.close_connection = True


def _drip(handler: _Handler, reply: Reply) -> None:
    handler.head(reply, len(reply.data))
    handler.body(reply.data, len(reply.data), reply.pace_s)
    handler.close_connection = True


def _slow(handler: _Handler, reply: Reply) -> None:
    handler.head(reply, len(reply.data))
    handler.body(reply.data, 8, reply.pace_s)


# What the wire does to an answer. In all but "unread" the request has been taken.
WIRE: dict[str, Callable[[_Handler, Reply], None]] = {
    "": _well,
    "unread": _reset,  # reset with the body of the request unread: nothing was done
    "reset": _reset,  # reset without a byte of answer
    "hang": _hang,  # nothing comes until the gateway closes
    "babble": _babble,  # what comes is not HTTP
    "cut": _half,  # half of the body, then an orderly end of the connection
    "snap": _snap,  # half of the body, then a reset
    "stall": _stall,  # half of the body, then nothing
    "unsized": _unsized,  # half of the body, and nobody said how long it would be
    "long": _long,  # more than was said
    "drip": _drip,  # byte by byte, for longer than anybody waits
    "slow": _slow,  # in eight parts, but it comes
}


def endpoint_of(method: str, path: str) -> str:
    """The endpoint's name; "unknown" for what the dialect does not have."""
    path, _, query = path.partition("?")
    if (method, path) == ("GET", "/api/v1/videos") and query == "limit=1":
        return "check"
    exact = {
        ("POST", "/api/v1/chat/completions"): "chat",
        ("POST", "/api/v1/images/generations"): "image",
        ("POST", "/api/v1/videos"): "create",
        ("GET", "/api/v1/videos"): "list",
    }
    if (method, path) in exact:
        return exact[method, path]
    if method == "GET" and path.startswith("/api/v1/videos/"):
        return "status"
    return "file" if method == "GET" and path.startswith("/files/") else "unknown"


def chat(content: object, finish_reason: str = "stop", **message: object) -> Reply:
    """A chat reply; `cost` as the gateway tells it."""
    return Reply(json={
        "id": "chat-1",
        "choices": [{"index": 0, "finish_reason": finish_reason,
                     "message": {"role": "assistant", "content": content, **message}}],
        "usage": {"prompt_tokens": 1200, "completion_tokens": 150, "cost": 0.0059},
    })  # fmt: skip


def image(data: bytes) -> Reply:
    """An image reply with these bytes."""
    return Reply(json={"data": [{"b64_json": base64.b64encode(data).decode()}]})


def refusal(status: int, message: str, **error: object) -> Reply:
    """An error reply in the usual shape."""
    return Reply(status, {"error": {"message": message, **error}})


@cache
def png(size: tuple[int, int] = (1280, 720), number: int = 0) -> bytes:
    """A real PNG; every number gives another picture."""
    from PIL import Image

    out = io.BytesIO()
    colour = (40 + 60 * number % 200, 90, 160)
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


@cache
def clip() -> bytes:
    """A real H.264 MP4 of what is asked for by default: 1280x720, 6 s, beginning with `png()`."""
    import av
    from PIL import Image

    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=2, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        for number in range(12):
            picture = Image.open(io.BytesIO(png())).convert("RGB")
            picture.paste((220, 90, 20), (100 * number, 300, 100 * number + 90 * (number > 0), 420))
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()
