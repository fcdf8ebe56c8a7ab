"""The demo gateway: the HappyCapy dialect over real HTTP, on 127.0.0.1 only.

It exists so that the whole pipeline can be run, tested and developed against without a key. It
claims no understanding: what it returns is drawn by `card.py` and `clip.py`, and stamped DEMO; its
judge reads only the circles that `checks.py` put on the card.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from ..prompts import anchor_image, styles
from . import checks, sources, tasks
from .card import draw_anchor
from .decoding import as_png, decoded
from .jobs import LONGEST_S, Jobs
from .sizes import canvas

LARGEST_REQUEST = 64 << 20
MODELS = ("demo/stillness", "demo/storyboard-card", "demo/push-in")
_STYLE_OF_PHRASE = {phrase: style for style, (phrase, _) in styles.STYLES.items()}


class BadRequest(Exception):
    """What the demo gateway answers with 400."""


@contextlib.contextmanager
def serve(port: int = 0) -> Iterator[str]:
    """Run the gateway in this process on a port (0: any free one); yields its root address."""
    server = Server(port)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield server.root
    finally:
        server.shutdown()
        server.server_close()


class Server(ThreadingHTTPServer):
    """The gateway; a thread for each connection."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.jobs = Jobs()
        self.root = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    server: Server

    def do_POST(self) -> None:
        """Chat, image, and video creates."""
        routes = {
            "/api/v1/chat/completions": self._chat,
            "/api/v1/images/generations": self._image,
            "/api/v1/videos": self._video,
        }
        route = routes.get(urlsplit(self.path).path)
        try:
            body = self._body()
            if route is None:
                self._answer(404, {"error": {"message": f"no such path: {self.path}"}})
            else:
                self._answer(200, route(body))
        except BadRequest as error:
            self._answer(400, {"error": {"message": str(error), "type": "invalid_request_error"}})

    def do_GET(self) -> None:
        """Status, list, and the finished clips."""
        parts = urlsplit(self.path)
        words = [word for word in parts.path.split("/") if word]
        if parts.path == "/api/v1/models":
            self._answer(200, {"object": "list", "data": [{"id": name} for name in MODELS]})
            return
        if words[:3] == ["api", "v1", "videos"] and len(words) == 3:
            query = parse_qs(parts.query)
            limit, offset = (_whole(query, name, default) for name, default in
                             (("limit", 10), ("offset", 0)))  # fmt: skip
            rows, total = self.server.jobs.rows(limit, offset)
            data = [self._with_url(row) for row in rows]
            self._answer(200, {"data": data, "total": total, "limit": limit, "offset": offset})
        elif words[:3] == ["api", "v1", "videos"] and len(words) == 4:
            row = self.server.jobs.row(words[3])
            if row is None:
                self._answer(404, {"error": {"message": f"no job {words[3]}"}})
            else:
                self._answer(200, self._with_url(row))
        elif len(words) == 2 and words[0] == "clips" and self.server.jobs.row(words[1][:-4]):
            self._send(200, "video/mp4", self.server.jobs.clip(words[1][:-4]).read_bytes())
        else:
            self._answer(404, {"error": {"message": f"no such path: {self.path}"}})

    def _chat(self, body: dict[str, object]) -> dict[str, object]:
        messages = body.get("messages")
        try:
            said, note = tasks.reply_to(messages if isinstance(messages, list) else [])
        except ValueError as error:
            raise BadRequest(str(error)) from None
        content = json.dumps(said, ensure_ascii=False)
        message = {"role": "assistant", "content": content}
        return {
            "id": "demo",
            "model": body.get("model"),
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 0, "completion_tokens": 0, "cost": 0},
            "warnings": [note] if note else [],
        }

    def _image(self, body: dict[str, object]) -> dict[str, object]:
        prompt = body.get("prompt")
        if not isinstance(prompt, str) or not prompt.strip():
            raise BadRequest("prompt is missing")
        size, number = (
            _canvas(body.get("aspectRatio", "16:9"), "720p"),
            _candidate(body.get("user")),
        )
        refers = anchor_image.REFERENCES_FOR_PICTURE in prompt
        if body.get("images") and not refers:
            card = _edited(body["images"], prompt, number)
        else:
            caption, style = _caption_and_style(prompt)
            card = draw_anchor(caption, style, size, number)
            if body.get("images"):
                card = _with_references(card, body["images"])
        return {
            "data": [{"b64_json": base64.b64encode(card).decode("ascii")}],
            "usage": {"cost": 0},
        }

    def _video(self, body: dict[str, object]) -> dict[str, object]:
        frame, prompt, duration = body.get("first_frame"), body.get("prompt"), body.get("duration")
        if frame is not None and not (
            isinstance(frame, str) and re.match(r"data:image/[\w.+-]+;base64,", frame)
        ):
            raise BadRequest("first_frame must be a data URI of an image")
        if not isinstance(prompt, str) or not prompt.strip():
            raise BadRequest("prompt is missing")
        if (
            isinstance(duration, bool)
            or not isinstance(duration, int)
            or not 1 <= duration <= LONGEST_S
        ):
            raise BadRequest(f"duration must be whole seconds from 1 to {LONGEST_S}")
        ratio, size = body.get("aspectRatio", "16:9"), body.get("size", "720p")
        _canvas(ratio, size)
        row = self.server.jobs.create({
            "model": body.get("model"), "prompt": prompt, "duration": duration,
            "aspect_ratio": ratio, "size": size, "first_frame": frame,
        })  # fmt: skip
        return {"id": row["id"]}

    def _with_url(self, row: dict[str, object]) -> dict[str, object]:
        done = row["status"] == "succeeded"
        return {**row, "url": f"{self.server.root}/clips/{row['id']}.mp4" if done else None}

    def _body(self) -> dict[str, object]:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LARGEST_REQUEST:
            self.close_connection = True
            raise BadRequest("the body is missing or too large")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            raise BadRequest("the body is not JSON") from None
        if not isinstance(body, dict):
            raise BadRequest("the body is not a JSON object")
        return body

    def _answer(self, status: int, data: dict[str, object]) -> None:
        self._send(status, "application/json", json.dumps(data).encode())

    def _send(self, status: int, kind: str, data: bytes) -> None:
        # A client that has gone is no news.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing: stderr belongs to the command."""


def _with_references(card: bytes, pictures: object) -> bytes:
    """The card with small copies of the pictures that it was to be drawn from."""
    try:
        shown = tasks.all_of(pictures)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    return as_png(sources.with_copies(decoded(card), shown))


def _edited(pictures: object, prompt: str, candidate: int) -> bytes:
    """The picture with the change written on it where a person asked for one, else mended.

    Mended is a demo card, its circles filled; any other picture stays as it is.
    """
    try:
        picture = tasks.first_of(pictures)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    change = anchor_image.change_in(prompt)
    if change is not None:
        return as_png(sources.with_label(picture, change, candidate))
    row = checks.read_row(picture)
    return as_png(checks.mended(picture, row) if row else picture)


def _candidate(user: object) -> int:
    """Which of several draws of a request is asked for: 2 of "candidate-2", else 1."""
    named = re.fullmatch(r"candidate-([1-9]\d{0,5})r?", user) if isinstance(user, str) else None
    return int(named[1]) if named else 1


def _caption_and_style(prompt: str) -> tuple[str, str]:
    """Caption and style, as `prompts.image_prompt` puts them together; other prompts whole."""
    caption, marker, rest = prompt.partition("\n\nStyle: ")
    phrase = rest.split("\n")[0].rstrip(".")
    style = _STYLE_OF_PHRASE.get(phrase, phrase) if marker else ""
    return caption, style or styles.resolve_style(None, prompt)


def _canvas(ratio: object, resolution: object) -> tuple[int, int]:
    try:
        return canvas(str(ratio), str(resolution))
    except ValueError as error:
        raise BadRequest(str(error)) from None


def _whole(query: dict[str, list[str]], name: str, default: int) -> int:
    text = query.get(name, [""])[0]
    return int(text[:6]) if text.isascii() and text.isdigit() else default
