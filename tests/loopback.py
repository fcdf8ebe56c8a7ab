"""A gateway on 127.0.0.1 that does what a test tells it, in whichever dialect.

It answers like a gateway that works, keeps every request, and counts what it would bill. What it is
to do otherwise is data, one `Reply` per answer:

    gateway.will("image", Reply(503, headers={"Retry-After": "1"}), Reply(200, body=b"<html>"))

answers the next two image requests so, and the third as by default. Endpoints: chat, image, create,
status, list, check, models, cancel, file (the finished clip, or a picture). What can be wrong with
the wire are the rows of `WIRE`; and `down` stops the listening. What it bills (accepted image and
video creates, and chat) is counted in `billed`, and what it says that this costs in `charged_usd`.
How all this is said is the speech's (`speech/`).
"""

from __future__ import annotations

import io
import json
import socket
import struct
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import formatdate
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import speech as speeches
from speech import (
    CHAT_USD,
    Drawn,
    Reply,
    Request,
    Rows,
    Speech,
    Standing,
    Wrong,
    in_base64,
    said,
    shown,
    told_usd,
)

__all__ = ["Reply", "Request"]

CAPTION = "A tabby cat on the top shelf of a tall wooden bookshelf, a grey couch at the lower left."
MOTION = "The tabby cat leaps from the shelf and lands on the couch."
PAID = {"chat", "image", "create"}
SIZES = {"16:9": (1280, 720), "9:16": (720, 1280), "1:1": (1024, 1024)}


class Gateway:
    """The scriptable gateway. Used as a context manager; every test gets its own."""

    def __init__(self, speech: Speech | str = "happycapy") -> None:
        self.speech = speeches.load(speech) if isinstance(speech, str) else speech
        self.dialect = self.speech.name  # what --gateway says; the address alone means openai
        self.key: str | None = None  # asked for in every call, where one is set
        self.balance_usd = 95.5
        # What an answer and a picture are said to have cost, where this gateway tells that; None:
        # it does not.
        self.chat_usd: float | None = CHAT_USD
        self.image_usd: float | None = self.speech.image_usd
        # The sum in USD of all that was billed and has a price told: by the reply, even where the
        # wire then loses it, and for a clip, of which only later reads tell it, as soon as begun.
        self.charged_usd = 0.0
        self.serves = tuple(self.speech.models.values()) or ("test/llm", "test/image", "test/i2v")
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
        self.clock_ahead_s = self.speech.clock_ahead_s
        # What the reply by default is made by instead; who says None leaves it as it is.
        self.answers: dict[str, Callable[[Request], Reply | None]] = {}
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
        self.balance_usd = 95.5
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
        self._add({**self.jobs[next(reversed(self.jobs))], "key": None})

    def answer(self, request: Request) -> Reply:
        """Write the request down, and say how it is answered."""
        with self._changed:
            self.requests.append(request)
            self._hooks.pop(request.endpoint, lambda: None)()
            unread = self.leaves_unread(request.endpoint)
            reply = (None if unread else self._turned_away(request)) or self._reply(request)
            self._changed.notify_all()
            return reply

    def _turned_away(self, request: Request) -> Reply | None:
        """The answer to who has no key, or asks for something that cannot be understood."""
        speech, endpoint = self.speech, request.endpoint
        # What is elsewhere in life, a signed address, is not asked for with the key.
        free = endpoint in speech.needs_no_key or request.path.startswith("/files/")
        if self.key and not free and request.headers.get("authorization") != f"Bearer {self.key}":
            return speech.error(401, Wrong("no such key"))
        if endpoint in PAID:
            try:
                asked = shown(request) if endpoint == "chat" else speech.asked(request)
            except (ValueError, TypeError) as error:
                return speech.error(400, Wrong(f"not understood: {error}"))
            job = self._made_before(request)
            if job and job["asked"] != asked:
                return speech.error(422, Wrong("this idempotency key was used for another request"))
        return None

    def _reply(self, request: Request) -> Reply:
        rows = self._rows.get(request.endpoint)
        reply = rows.pop(0) if rows else self._always.get(request.endpoint)
        is_new = self._made_before(request) is None
        default = self._default(request) if reply is None or reply.billed else None
        if reply is None:
            assert default is not None
            reply = default
        elif reply.means is not None:
            reply = over(self._said(reply, request), reply)
        elif reply.says_nothing and default:
            reply = over(default, reply)
        if request.endpoint in PAID and reply.billed and is_new:
            self.billed[request.endpoint] += 1
            later = self.speech.clip_usd if request.endpoint == "create" else None
            self.charged_usd += later or told_usd(reply) or 0.0
        return reply

    def _made_before(self, request: Request) -> dict[str, object] | None:
        """The job that was made with a create's idempotency key, where the gateway heeds it."""
        key = self.speech.key_of(request) if request.endpoint == "create" else None
        return next((job for job in self.jobs.values() if key and job.get("key") == key), None)

    def _said(self, reply: Reply, request: Request) -> Reply:
        """What a reply means, in the gateway's words."""
        means, speech = reply.means, self.speech
        if isinstance(means, Standing):
            return speech.status(means)
        if isinstance(means, Rows):
            return speech.listed(means)
        if isinstance(means, Drawn):
            return speech.image(request, replace(means, cost=means.cost or self.image_usd))
        assert means is not None
        return speech.error(reply.status, means)

    def _default(self, request: Request) -> Reply:
        speech, endpoint = self.speech, request.endpoint
        made = self.answers[endpoint](request) if endpoint in self.answers else None
        if made is not None:
            return made
        if endpoint == "chat":
            return speech.chat(json.dumps({"caption": CAPTION, "motion": MOTION}), self.chat_usd)
        if endpoint == "image":
            size = size_of(speech.asked(request).shape)
            self.draws += 1
            return speech.image(request, Drawn(png(size, self.draws - 1), cost=self.image_usd))
        if endpoint == "create":
            made_before = self._made_before(request)
            job_id = str(made_before["id"]) if made_before else self._take(request)
            return speech.created(replace(self._standing(job_id), state="running", url=None))
        if endpoint in ("status", "cancel"):
            return self._of_a_job(request, speech.job_in(request))
        if endpoint == "list":
            return speech.listed(self._listed())
        if endpoint == "check":
            return speech.checked(self.balance_usd, self._listed())
        if endpoint == "models":
            return speech.served(self.serves)
        if endpoint == "file":
            if not request.path.startswith("/files/"):
                return self._of_a_job(request, speech.job_in(request))
            if urlsplit(request.path).path.endswith(".png"):
                return Reply(body=png(), headers={"Content-Type": "image/png"})
            return self._film(speech.job_in(request))
        missing = speech.error(404, Wrong(f"no such path: {request.path}"))
        return speech.other(request) or missing

    def _of_a_job(self, request: Request, job_id: str) -> Reply:
        if job_id not in self.jobs:
            return self.speech.error(404, Wrong(f"no job {job_id}"))
        if request.endpoint == "file":
            if self._standing(job_id).state == "succeeded":
                return self._film(job_id)
            return self.speech.error(404, Wrong(f"the clip of {job_id} is not ready"))
        job = self.jobs[job_id]
        if request.endpoint == "cancel":
            reply = self.speech.cancelled(self._standing(job_id))
            if self.speech.forgets():
                del self.jobs[job_id]
            return reply
        job["reads"] = int(str(job.get("reads", 0))) + 1
        return self.speech.status(self._standing(job_id))

    def _take(self, request: Request) -> str:
        """Begin the job that a create asks for; its id."""
        asked = self.speech.asked(request)
        return self._add(
            {
                "model": asked.model,
                "prompt": asked.prompt,
                "duration": asked.duration_s,
                "aspect_ratio": asked.shape,
                "size": asked.resolution,
                "made_at": time.time(),
                "key": self.speech.key_of(request),
                "asked": asked,
            }
        )

    def _add(self, job: Mapping[str, object]) -> str:
        job_id = self.speech.new_id(len(self.jobs) + 1)
        self.jobs[job_id] = {**job, "id": job_id}
        return job_id

    def _listed(self) -> Rows:
        """The jobs that the list shows, the newest first."""
        return Rows(tuple(self._standing(job_id) for job_id in reversed(self.jobs)))

    def _standing(self, job_id: str) -> Standing:
        job = self.jobs[job_id]
        reads, made_at = int(str(job.get("reads", 0))), float(str(job.get("made_at", 0)))
        ahead_s = self.clock_ahead_s
        standing = Standing(
            "running",
            job_id,
            job.get("model"),
            job.get("prompt"),
            job.get("duration"),
            job.get("aspect_ratio"),
            job.get("size"),
            None if ahead_s is None else made_at + ahead_s,
        )
        if self.ends_after is None or reads <= self.ends_after:
            return standing
        told: dict[str, Any] = {"cost": self.speech.clip_usd, "error": None, **self.ending}
        if told["status"] == "succeeded":
            query = self.query.replace("{reads}", str(reads))
            place = f"{self.clips_at or self.root}/files/{job_id}.mp4{query}"
            inside = self.clip_of(job_id) if self.speech.inline else None
            told = {"url": place, "clip": inside, **told}
        return replace(standing, state=str(told.pop("status")), **told)

    def _film(self, job_id: str) -> Reply:
        return Reply(body=self.clip_of(job_id), headers={"Content-Type": "video/mp4"})

    def clip_of(self, job_id: str) -> bytes:
        """What a job has made."""
        return clip()

    def until_closed(self, seconds: float | None = None) -> bool:
        """Wait for the end of the test; whether it has come."""
        return self._closing.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, gateway: Gateway, address: Any) -> None:
        super().__init__(address, _Handler, bind_and_activate=False)
        self.gateway = gateway
        self.connections = 0  # that were ever made
        self.server_bind()

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own, and counted."""
        self.connections += 1
        super().process_request(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # The body is sent after the head: without this it waits for the head to be acknowledged.
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        gateway = self.server.gateway
        if gateway.is_down:  # a connection from before
            return self.reset()
        endpoint = gateway.speech.endpoint(self.command, self.path, {})
        size = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body: dict[str, object] = {}
        if not gateway.leaves_unread(endpoint):
            body = parsed(headers.get("content-type", ""), self.rfile.read(size))
            endpoint = gateway.speech.endpoint(self.command, self.path, body)
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


def over(usual: Reply, reply: Reply) -> Reply:
    """The usual reply, with what is out of order: status, headers, the wire."""
    return replace(
        reply,
        status=usual.status if reply.status == 200 else reply.status,
        json=usual.json,
        body=usual.body,
        headers={**usual.headers, **reply.headers},
        means=None,
    )


def parsed(content_type: str, data: bytes) -> dict[str, object]:
    """The body of a request: JSON, or the fields (texts) and files (bytes) of a form.

    What is named as a list in a form ("image[]") is one, of all parts of that name.
    """
    kind, _, boundary = content_type.partition("boundary=")
    if not kind.startswith("multipart/form-data"):
        body = json.loads(data or b"{}")
        return body if isinstance(body, dict) else {}
    fields: dict[str, object] = {}
    lists: defaultdict[str, list[object]] = defaultdict(list)
    for part in (b"\r\n" + data).split(b"\r\n--" + boundary.strip('"').encode())[1:-1]:
        head, _, value = part.partition(b"\r\n\r\n")
        name = head.partition(b' name="')[2].partition(b'"')[0].decode()
        entry = value if b"filename=" in head else value.decode()
        if name.endswith("[]"):
            lists[name].append(entry)
        else:
            fields[name] = entry
    return {**fields, **lists}


def size_of(shape: str | None) -> tuple[int, int]:
    """Pixels for a ratio or a size."""
    wide, x, high = (shape or "").partition("x")
    return (int(wide), int(high)) if x else SIZES.get(shape or "", SIZES["16:9"])


def chat(
    content: object,
    finish_reason: str = "stop",
    *,
    cost: float | None = CHAT_USD,
    **message: object,
) -> Reply:
    """A chat reply; `cost` in USD as most gateways tell it."""
    return Reply(json=said(content, finish_reason, cost=cost, **message))


def image(data: bytes) -> Reply:
    """An image reply with these bytes."""
    return Reply(json={"data": [{"b64_json": in_base64(data)}]})


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
