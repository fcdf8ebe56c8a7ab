"""A server on 127.0.0.1 that keeps every request as it came and answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Part(NamedTuple):
    """One part of a form; `filename` and `mime` are None for a field."""

    name: str
    filename: str | None
    mime: str | None
    data: bytes


class Seen(NamedTuple):
    """One request as it came. Header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON; {} where there is none."""
        return json.loads(self.body) if self.body else {}

    @property
    def parts(self) -> list[Part]:
        """The body, read as multipart/form-data by the standard library, in order."""
        head = b"Content-Type: " + self.headers["content-type"].encode() + b"\r\n\r\n"
        form: Message = BytesParser(policy=HTTP).parsebytes(head + self.body)
        assert form.get_content_type() == "multipart/form-data"
        assert form.is_multipart() and not form.defects
        found = []
        for part in form.get_payload():
            assert isinstance(part, Message)
            name = part.get_param("name", header="content-disposition")
            data = part.get_payload(decode=True)
            assert isinstance(name, str) and isinstance(data, bytes)
            mime = part.get_content_type() if part["content-type"] else None
            found.append(Part(name, part.get_filename(), mime, data))
        return found


class Told(NamedTuple):
    """An answer: bytes as they are, anything else as JSON."""

    body: object = b""
    status: int = 200
    headers: Mapping[str, str] = {}


class Recorder:
    """The server. Used as a context manager. `answer` says what each request gets."""

    def __init__(self, answer: Callable[[Seen], Told] = lambda seen: Told({})) -> None:
        self.answer = answer
        self.seen: list[Seen] = []
        self._server = _Server(self)
        self.root = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Recorder:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.recorder = recorder


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        recorder = self.server.recorder
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, self.path, headers, body)
        recorder.seen.append(seen)
        told = recorder.answer(seen)
        data = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
        self.send_response(told.status)
        for name, value in {"Content-Type": "application/json", **told.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = _serve

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing: stderr is the test's."""
