"""A HappyCapy-dialect gateway on 127.0.0.1 for the benchmarks; runs in a process of its own.

    python3 tests/benchmarks/loopback.py --video-bytes 6291456

Answers at once, checks nothing and keeps nothing. Prints its address on one line, and ends when its
stdin does, so that none is left behind. The n-th video job becomes ready `--ready-after` seconds,
plus n steps of `--step`, after its create; `GET /bench/jobs` tells when, and when it was read.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import io
import json
import struct
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

SIZE = (1280, 720)
SECONDS, FPS = 6, 24
BLOCK = bytes(1 << 20)  # what padding is made of; the same object each time, so nothing is held


@dataclass
class Job:
    """One video job. Times are seconds of this process's monotonic clock."""

    id: str
    ready: float
    reads: list[tuple[float, bool]] = field(default_factory=list)  # when, and whether it was ready


class Server(ThreadingHTTPServer):
    """The gateway; a thread for each connection."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, video_bytes: int, ready_after_s: float, step_s: float) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self.server_address[1]}"
        image = draw()
        self.image_reply = json.dumps({"data": [{"b64_json": base64.b64encode(image).decode()}]})
        self.clip, self.padding = padded(encode(), video_bytes)
        self.ready_after_s, self.step_s = ready_after_s, step_s
        self.jobs: dict[str, Job] = {}
        self.lock = threading.Lock()

    def create(self) -> Job:
        """A new job, and when it will be ready."""
        with self.lock:
            number = len(self.jobs)
            ready = time.monotonic() + self.ready_after_s + number * self.step_s
            job = self.jobs[f"job-{number}"] = Job(f"job-{number}", ready)
        return job


class Handler(BaseHTTPRequestHandler):
    """The four calls, the clip, and the record of the status reads."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16  # head and body of an answer leave together
    server: Server

    def do_POST(self) -> None:
        """Chat, image, video create."""
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("/chat/completions"):
            self._json(CHAT_REPLY)
        elif self.path.endswith("/images/generations"):
            self._json(self.server.image_reply)
        else:
            self._json(json.dumps({"id": self.server.create().id}))

    def do_GET(self) -> None:
        """Status of a job, the clip, or the record."""
        if self.path == "/clip.mp4":
            self._clip()
        elif self.path == "/bench/jobs":
            jobs = self.server.jobs.values()
            self._json(json.dumps([{"ready": job.ready, "reads": job.reads} for job in jobs]))
        elif self.path == "/api/v1/videos?limit=1":  # the free read before the first paid call
            self._json(json.dumps({"data": []}))
        else:
            job = self.server.jobs[self.path.rpartition("/")[2]]
            now = time.monotonic()
            ready = now >= job.ready
            job.reads.append((now, ready))
            self._json(
                json.dumps(
                    {
                        "id": job.id,
                        "status": "succeeded" if ready else "running",
                        "url": f"{self.server.root}/clip.mp4" if ready else None,
                        "error": None,
                    }
                )
            )

    def _json(self, text: str) -> None:
        data = text.encode()
        self._head("application/json", len(data))
        self.wfile.write(data)

    def _clip(self) -> None:
        self._head("video/mp4", len(self.server.clip) + self.server.padding)
        left = self.server.padding
        # A client that has gone is no news.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.wfile.write(self.server.clip)
            while left:
                self.wfile.write(BLOCK if left >= len(BLOCK) else BLOCK[:left])
                left -= min(left, len(BLOCK))

    def _head(self, kind: str, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing."""


CHAT_REPLY = json.dumps(
    {
        "id": "bench",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {
                    "role": "assistant",
                    "content": json.dumps(
                        {
                            "caption": "A tabby cat crouches on the edge of a tall wooden "
                            "bookshelf, weight on its hind legs, eyes on a grey couch "
                            "below. Warm afternoon light from the left.",
                            "motion": "The cat leaps from the bookshelf and lands on the couch.",
                        }
                    ),
                },
            }
        ],
        "usage": {"prompt_tokens": 400, "completion_tokens": 90, "cost": 0.001},
    }
)


def draw() -> bytes:
    """A PNG of about 1 MB, as image models send them: a gradient with some grain, 1280x720."""
    from PIL import Image, ImageChops

    gradient = Image.linear_gradient("L").resize(SIZE)
    grain = Image.effect_noise(SIZE, 6)
    layers = [ImageChops.add(gradient, ImageChops.offset(grain, n * 97), 2) for n in range(3)]
    file = io.BytesIO()
    Image.merge("RGB", layers).save(file, "PNG")
    return file.getvalue()


def encode() -> bytes:
    """A real H.264 MP4, its index (moov) first."""
    import av
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
            stream.width, stream.height = SIZE
            stream.pix_fmt = "yuv420p"
            for number in range(SECONDS * FPS):
                image = Image.new("RGB", SIZE, (number, 90, 255 - number))
                frame = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path.read_bytes()


def padded(clip: bytes, size: int) -> tuple[bytes, int]:
    """The clip with the head of a `free` box that fills it up to `size`, and the bytes to come."""
    padding = size - len(clip) - 8
    if padding < 0:
        raise SystemExit(f"--video-bytes {size}: the clip alone has {len(clip)}")
    return clip + struct.pack(">I4s", padding + 8, b"free"), padding


def main() -> None:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser(description="A gateway for the benchmarks.")
    parser.add_argument("--video-bytes", type=int, default=6 << 20)
    parser.add_argument("--ready-after", type=float, default=0.0, metavar="S")
    parser.add_argument("--step", type=float, default=0.0, metavar="S")
    args = parser.parse_args()
    server = Server(args.video_bytes, args.ready_after, args.step)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.root, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
