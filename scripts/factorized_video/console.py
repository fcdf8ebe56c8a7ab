"""Progress, warnings and errors on stderr. Stdout belongs to the result."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time

from . import STAGES
from .errors import clean

# On anything but a terminal a waiting line every ten seconds is plenty.
PROGRESS_EVERY_S = 10.0
# Set by the orchestrator for its stages: the warnings that the person has read already, as JSON.
TOLD = "FACTORIZED_VIDEO_TOLD"


class Console:
    """Progress, warnings and errors on stderr. Warnings are kept for the result too."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.stage: str | None = None  # a key of STAGES, once a stage has begun
        self.warnings: list[str] = []
        self._terminal = sys.stderr.isatty()
        self._told = json.loads(os.environ.get(TOLD, "[]"))
        self._open_line = False
        self._last: tuple[str, float] = ("", 0.0)

    def progress(self, text: str) -> None:
        """What is happening. On a terminal one line that updates; elsewhere not too many."""
        if self.quiet:
            return
        line = (f"{STAGES[self.stage]}: " if self.stage else "") + clean(text)
        if self._terminal:
            width = max(20, os.get_terminal_size(sys.stderr.fileno()).columns - 1)
            to_stderr(f"\r\x1b[K{line[:width]}")
            self._open_line = True
            return
        said, when = self._last
        now = time.monotonic()
        # A new kind of news at once; the same with another number in it every ten seconds.
        if _without_numbers(line) == _without_numbers(said) and now - when < PROGRESS_EVERY_S:
            return
        self._last = (line, now)
        to_stderr(line + "\n")

    def warn(self, *texts: str) -> None:
        """Something the person should know; once each."""
        for text in map(clean, texts):
            if text not in self.warnings:
                self.warnings.append(text)
                if text not in self._told:
                    self._line(f"warning: {text}")

    def note(self, text: str) -> None:
        """Something that is said even when quiet, and is no warning."""
        self._line(clean(text))

    def error(self, message: str, hint: str) -> None:
        """What ended the run, and what to do next."""
        self._line(f"error: {message}")
        for line in hint.splitlines():
            self._line(f"  {line}")

    def _line(self, text: str) -> None:
        if self._open_line:
            to_stderr("\n")
            self._open_line = False
        to_stderr(clean(text) + "\n")

    def close(self) -> None:
        """End an open progress line."""
        if self._open_line:
            to_stderr("\n")
            self._open_line = False


def _without_numbers(text: str) -> str:
    return "".join(char for char in text if not char.isdigit())


def to_stderr(text: str) -> None:
    """Write, if somebody still listens."""
    # A closed stderr (the reader of a pipe has gone) must not end a paid run.
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()
