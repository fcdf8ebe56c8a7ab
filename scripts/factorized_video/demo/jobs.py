"""The demo's videos: requests kept in a private folder for a day, drawn when somebody asks.

A request is a file, a finished clip is a file beside it, so a job outlives the process that took
it: the next one that is asked for it draws it anew, and draws the same.
"""

from __future__ import annotations

import base64
import json
import os
import threading
import time
import uuid
from datetime import datetime, timezone
from pathlib import Path

from ..errors import ToolError
from ..files import write_file
from ..private_folders import temporary
from ..prompts import styles
from .accepted import FRAMES
from .card import DIRECT, draw_card
from .clip import animate
from .geometry import Size, canvas

DAY_S = 86_400.0
# Each clip takes a hundred megabytes while it is encoded.
_PROCESSORS = threading.BoundedSemaphore(os.cpu_count() or 1)
PENDING_S = 0.2  # long enough for a client to see that jobs are not finished at once

Row = dict[str, object]


class Jobs:
    """All jobs of this user's demo gateways on this machine."""

    def __init__(self) -> None:
        self._folder = temporary("demo-jobs")
        self._lock = threading.Lock()
        self._drawing: set[str] = set()
        for path in self._folder.iterdir():
            if time.time() - path.stat().st_mtime > DAY_S:
                path.unlink(missing_ok=True)

    def create(self, request: Row) -> str:
        """Accept a checked request; the new job's id."""
        job_id = uuid.uuid4().hex[:16]
        row = {"id": job_id, "created_at": round(time.time(), 3), **request}
        write_file(self._folder / f"{job_id}.json", json.dumps(row).encode())
        self._draw(job_id, row)
        return job_id

    def row(self, job_id: str) -> Row | None:
        """One job as the gateway shows it, or None."""
        row = self._read(job_id)
        if row is None:
            return None
        if not self.clip(job_id).exists():
            self._draw(job_id, row)  # whoever was drawing it may be gone
        return self._shown(row)

    def rows(self, limit: int, offset: int) -> tuple[list[Row], int]:
        """Jobs from the newest on, and how many there are."""
        rows = [row for path in self._folder.glob("*.json") if (row := self._read(path.stem))]
        rows.sort(key=lambda row: float(str(row["created_at"])), reverse=True)
        return [self._shown(row) for row in rows[offset : offset + limit]], len(rows)

    def frame(self, job_id: str, name: str) -> tuple[str, bytes] | None:
        """The first or last frame that a job was sent, with its media type."""
        sent = (self._read(job_id) or {}).get(name) if name in FRAMES else None
        if sent is None:
            return None
        head, _, data = str(sent).partition(",")
        try:
            return head[len("data:") :].partition(";")[0], base64.b64decode(data)
        except ValueError:  # no base64 after all: the job has failed
            return None

    def keep_picture(self, picture: bytes) -> str:
        """Keep a picture for a day, to be fetched; its name."""
        name = uuid.uuid4().hex
        write_file(self.picture(name), picture)
        return name

    def picture(self, name: str) -> Path:
        """Where a kept picture is."""
        return self._folder / f"{name}.png"

    def clip(self, job_id: str) -> Path:
        """Where the finished clip is, once it is."""
        return self._folder / f"{job_id}.mp4"

    def _read(self, job_id: str) -> Row | None:
        if not job_id.isalnum():
            return None
        try:
            row: Row = json.loads((self._folder / f"{job_id}.json").read_bytes())
        except (OSError, ValueError):
            return None
        return row

    def _shown(self, row: Row) -> Row:
        job_id = str(row["id"])
        age = time.time() - float(str(row["created_at"]))
        failure = self._folder / f"{job_id}.failed"
        status, error = "pending" if age < PENDING_S else "running", None
        if failure.exists():
            status, error = "failed", failure.read_text(encoding="utf-8")
        elif self.clip(job_id).exists() and age >= PENDING_S:
            status = "succeeded"
        ended = failure if failure.exists() else self.clip(job_id)
        over = status in ("failed", "succeeded")
        return {
            **row,
            "upstream_id": f"demo-{job_id}",
            "created_at": _iso(float(str(row["created_at"]))),
            "completed_at": _iso(ended.stat().st_mtime) if over else None,
            "status": status,
            "error": error,
        }

    def _draw(self, job_id: str, row: Row) -> None:
        with self._lock:
            if job_id in self._drawing:
                return
            self._drawing.add(job_id)
        threading.Thread(target=self._animate, args=(job_id, row), daemon=True).start()

    def _animate(self, job_id: str, row: Row) -> None:
        try:
            size = canvas(str(row["aspect_ratio"]), str(row["size"]))
            last = row.get("last_frame")
            ends = _decoded(last) if last is not None else None
            with _PROCESSORS:
                clip = animate(_first_frame(row, size), size, float(str(row["duration"])), ends)
            write_file(self.clip(job_id), clip)
        except (ValueError, RuntimeError, MemoryError, ToolError) as error:
            write_file(self._folder / f"{job_id}.failed", str(error).encode())
        finally:
            with self._lock:
                self._drawing.discard(job_id)


def _iso(moment: float) -> str:
    """Unix time as the gateway's rows say it: 2026-11-27T08:00:00.000Z."""
    text = datetime.fromtimestamp(moment, tz=timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _first_frame(row: Row, size: Size) -> bytes:
    """The anchor that was sent; for a clip from the prompt alone, a card of that very prompt."""
    sent, prompt = row.get("first_frame"), str(row["prompt"])
    if sent is not None:
        return _decoded(sent)
    return draw_card(prompt, styles.resolve_style(None, prompt), size, kind=DIRECT)


def _decoded(sent: object) -> bytes:
    """A picture that was sent as a data URI. Raises ValueError for what is no base64."""
    return base64.b64decode(str(sent).partition(",")[2])
