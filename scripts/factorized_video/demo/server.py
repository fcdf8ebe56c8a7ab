"""The demo gateway: the HappyCapy dialect over real HTTP, on 127.0.0.1 only.

It exists so that the whole pipeline can be run, tested and developed against without a key. It
claims no understanding: what it returns is drawn by `card.py` and `clip.py`, and stamped DEMO; its
judge reads only the circles that `circles.py` put on the card.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import secrets
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from ..prompts import anchor_image, styles
from . import accepted
from .answers import reply_to
from .card import draw_card, extended, with_change
from .circles import filled_in, read_circles
from .decoding import as_png, pictures_in
from .geometry import Size, canvas
from .jobs import Jobs

LARGEST_REQUEST = 64 << 20
MODELS = ("demo/stillness", "demo/storyboard-card", "demo/push-in")
_STYLE_OF_PHRASE = {phrase: style for style, (phrase, _) in styles.STYLES.items()}

Data = dict[str, object]


@contextlib.contextmanager
def serve(port: int = 0) -> Iterator[str]:
    """Run the gateway in this process on a port (0: any free one); yields its root address."""
    server = _begun(port)
    try:
        yield server.root
    finally:
        server.shutdown()
        server.server_close()


def begin() -> str:
    """Run the gateway on any free port as long as this process lives; its root address."""
    return _begun(0).root


def _begun(port: int) -> Server:
    server = Server(port)
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    return server


class Server(ThreadingHTTPServer):
    """The gateway; a thread for each connection."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.jobs = Jobs()
        # Prompts and clips are its user's: other users of this machine, and web pages that make a
        # browser call it, do not know the path.
        self.prefix = f"/{secrets.token_urlsafe(12)}"
        self.root = f"http://127.0.0.1:{self.server_address[1]}{self.prefix}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    server: Server

    def parse_request(self) -> bool:
        """As ever; turned away is who calls it by another name or without its prefix."""
        if not super().parse_request():
            return False
        name = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        prefix, path = self.server.prefix, self.path
        if name not in ("127.0.0.1", "localhost") or not path.startswith(f"{prefix}/"):
            self.close_connection = True
            self._answer(403, {"error": {"message": "not the address of this gateway"}})
            return False
        self.path = path[len(prefix) :]
        return True

    def do_POST(self) -> None:
        """Chat, image, and video creates. What a route raises as a ValueError is 400."""
        routes = {
            "/api/v1/chat/completions": _chat,
            "/api/v1/images/generations": self._image,
            "/api/v1/videos": self._video,
        }
        route = routes.get(urlsplit(self.path).path)
        try:
            body = self._body()
            if route is None:
                self._not_found(f"no such path: {self.path}")
            else:
                self._answer(200, route(body))
        except ValueError as error:
            self._answer(400, {"error": {"message": str(error), "type": "invalid_request_error"}})

    def do_GET(self) -> None:
        """Status, list, and what was sent and made: first frames, pictures, clips."""
        parts, jobs = urlsplit(self.path), self.server.jobs
        match [word for word in parts.path.split("/") if word]:
            case ["api", "v1", "models"]:
                self._answer(200, {"object": "list", "data": [{"id": name} for name in MODELS]})
            case ["api", "v1", "videos"]:
                query = parse_qs(parts.query)
                limit, offset = _whole(query, "limit", 10), _whole(query, "offset", 0)
                rows, total = jobs.rows(limit, offset)
                data = [self._with_url(row) for row in rows]
                self._answer(200, {"data": data, "total": total, "limit": limit, "offset": offset})
            case ["api", "v1", "videos", job_id] if row := jobs.row(job_id):
                self._answer(200, self._with_url(row))
            case ["frames", job_id, name] if sent := jobs.frame(job_id, name):
                self._send(200, *sent)
            case ["pictures", name] if name[:-4].isalnum() and jobs.picture(name[:-4]).exists():
                self._send(200, "image/png", jobs.picture(name[:-4]).read_bytes())
            case ["clips", name] if jobs.row(name[:-4]) and jobs.clip(name[:-4]).exists():
                self._send(200, "video/mp4", jobs.clip(name[:-4]).read_bytes())
            case _:
                self._not_found(f"no such path or job: {self.path}")

    def _video(self, body: Data) -> Data:
        return {"id": self.server.jobs.create(accepted.clip(body))}

    def _image(self, body: Data) -> Data:
        form = accepted.check_image(body)
        picture = _drawn(body)
        if form == "url":
            name = self.server.jobs.keep_picture(picture)
            row = {"url": f"{self.server.root}/pictures/{name}.png"}
        else:
            row = {"b64_json": base64.b64encode(picture).decode("ascii")}
        return {"created": int(time.time()), "data": [row], "usage": {"cost": 0}}

    def _with_url(self, row: Data) -> Data:
        root, job_id = self.server.root, row["id"]
        frames = {
            name: f"{root}/frames/{job_id}/{name}" if row.get(name) else None
            for name in accepted.FRAMES
        }
        url = f"{root}/clips/{job_id}.mp4" if row["status"] == "succeeded" else None
        return {**row, **frames, "url": url}

    def _body(self) -> Data:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > LARGEST_REQUEST:
            self.close_connection = True
            raise ValueError("the body is missing or too large")
        try:
            body = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            raise ValueError("the body is not JSON") from None
        if not isinstance(body, dict):
            raise ValueError("the body is not a JSON object")
        return body

    def _not_found(self, message: str) -> None:
        self._answer(404, {"error": {"message": message}})

    def _answer(self, status: int, data: Data) -> None:
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


def _chat(body: Data) -> Data:
    accepted.check_chat(body)
    messages = body.get("messages")
    said, note = reply_to(messages if isinstance(messages, list) else [])
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    message = {"role": "assistant", "content": text}
    return {
        "id": "demo",
        "model": body.get("model"),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "cost": 0},
        "warnings": [note] if note else [],
    }


def _drawn(body: Data) -> bytes:
    """The picture of an image call, as PNG."""
    prompt, pictures = accepted.prompt_of(body), body.get("images")
    size, candidate = canvas(str(body.get("aspectRatio", "16:9"))), _candidate(body.get("user"))
    refers = anchor_image.REFERENCES_FOR_PICTURE in prompt
    if pictures and not refers:
        return _edited(pictures, prompt, candidate, size)
    caption, style = _caption_and_style(prompt)
    references = pictures_in(pictures) if pictures else []
    return draw_card(caption, style, size, candidate, references=references)


def _edited(pictures: object, prompt: str, candidate: int, size: Size) -> bytes:
    """The picture with a requested change written on it, or a card with its faults fixed.

    One that is to be extended stands in the middle of a frame; any other picture stays as it is.
    """
    picture = pictures_in(pictures, 1)[0]
    change = anchor_image.change_in(prompt)
    if change == anchor_image.EXTENSION:
        return as_png(extended(picture, size))
    if change is not None:
        return as_png(with_change(picture, change, candidate))
    filled = read_circles(picture)
    return as_png(filled_in(picture, filled) if filled else picture)


def _candidate(user: object) -> int:
    """Which of several draws of a request is asked for: 2 of "candidate-2", else 1."""
    named = re.fullmatch(r"candidate-([1-9]\d{0,5})r?", user) if isinstance(user, str) else None
    return int(named[1]) if named else 1


def _caption_and_style(prompt: str) -> tuple[str, str]:
    """Caption and style, as `anchor_image.image_prompt` joins them; other prompts whole."""
    caption, marker, rest = prompt.partition("\n\nStyle: ")
    phrase = rest.split("\n")[0].rstrip(".")
    style = _STYLE_OF_PHRASE.get(phrase, phrase) if marker else ""
    return caption, style or styles.resolve_style(None, prompt)


def _whole(query: dict[str, list[str]], name: str, default: int) -> int:
    text = query.get(name, [""])[0]
    return int(text[:6]) if text.isascii() and text.isdigit() else default
