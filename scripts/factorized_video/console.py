"""Progress, warnings and errors on stderr; stdout is for the result."""

from __future__ import annotations

import contextlib
import os
import sys
import time

from . import STAGES
from .errors import clean

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Sequence

# Without a terminal, repeat a waiting line only this often.
PROGRESS_EVERY_S = 10.0
_REPLACE = "\r\x1b[K"  # back to the line's begin, and empty it


class Console:
    """Writes progress, warnings and errors to stderr; keeps the warnings for the result.

    `shown` are the warnings that have been read already, on the same stderr.
    """

    def __init__(self, quiet: bool = False, shown: Sequence[str] = ()) -> None:
        self.quiet = quiet
        self.stage: str | None = None  # a key of STAGES, once a stage has begun
        self.warnings: list[str] = []
        self._terminal = bool(sys.stderr and sys.stderr.isatty())
        # A line can be replaced where the terminal knows how.
        self._in_place = self._terminal and os.environ.get("TERM") != "dumb"
        self._shown = shown
        self._open_line = False
        self._last: tuple[str, float] = ("", 0.0)

    def progress(self, text: str, share: float | None = None) -> None:
        """Show what is happening: on a terminal in one updating line, elsewhere in a few lines.

        `share`, 0 to 1: how much of the usual time is over, drawn as a bar on a terminal.
        """
        if self.quiet:
            return
        stage = f"{STAGES[self.stage]}: " if self.stage else ""
        line = stage + clean(text)
        if self._in_place:
            if share is not None:
                line = f"{stage}{bar(share)} {clean(text)}"
            to_stderr(f"{_REPLACE}{line[: max(20, _columns() - 1)]}")
            self._open_line = True
            return
        said, when = self._last
        now = time.monotonic()
        # New text is shown at once; the same text with another number every ten seconds.
        if _without_numbers(line) == _without_numbers(said) and now - when < PROGRESS_EVERY_S:
            return
        self._last = (line, now)
        to_stderr(line + "\n")

    def warn(self, *texts: str) -> None:
        """Show and keep warnings, each of them once."""
        for text in map(clean, texts):
            if text not in self.warnings:
                self.warnings.append(text)
                if text not in self._shown:
                    self._line(f"warning: {text}")

    def note(self, text: str) -> None:
        """Show a line that is not a warning, even with --quiet."""
        self._line(clean(text))

    def say(self, text: str) -> None:
        """Show a line, unless --quiet."""
        if not self.quiet:
            self._line(text)

    def done(self, text: str) -> None:
        """Show what came of it in place of the progress line; unless --quiet."""
        if self.quiet:
            return
        self._line(text[: max(20, _columns() - 1)] if self._in_place else text)

    @property
    def can_ask(self) -> bool:
        """Whether somebody reads stderr and can answer on stdin."""
        return self._terminal and bool(sys.stdin and sys.stdin.isatty())

    def ask(self, question: str) -> str:
        """Show a question, and wait for the line that answers it; "" where none comes."""
        self.close()
        to_stderr(question)
        return sys.stdin.readline() if sys.stdin else ""

    def error(self, message: str, hint: str) -> None:
        """Show why the run ended and what to do next."""
        self._line(f"error: {message}")
        for line in hint.splitlines():
            self._line(f"  {line}")

    def _line(self, text: str) -> None:
        if self._open_line:  # what follows says more than it did
            to_stderr(_REPLACE)
            self._open_line = False
        to_stderr(clean(text) + "\n")

    def close(self) -> None:
        """End an open progress line."""
        if self._open_line:
            to_stderr("\n")
            self._open_line = False


def bar(share: float) -> str:
    """A bar of twenty signs; it is full only once it is over, which no share says."""
    full = min(19, int(max(0.0, share) * 20))
    return "█" * full + "░" * (20 - full)


_traces = False


def trace_requests() -> None:
    """From now on, show each request (--verbose)."""
    global _traces  # noqa: PLW0603 - there is one stderr
    _traces = True


def trace(text: str) -> None:
    """Show a line about a request, with --verbose: never a key or the query of an address."""
    if _traces:
        start = _REPLACE if sys.stderr and sys.stderr.isatty() else ""
        to_stderr(f"{start}  {clean(text)}\n")


def _without_numbers(text: str) -> str:
    return "".join(char for char in text if not char.isdigit())


def to_stderr(text: str) -> None:
    """Write to stderr if it is still open."""
    if sys.stderr is None:  # it was closed when this process began
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):  # a closed window, a pipe without a reader: the run continues
        silence(2)


def silence(descriptor: int) -> None:
    """Drop what is written to a stream that nobody reads any more, also when Python exits."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def _columns() -> int:
    """The width of the terminal on stderr; a usual one where it is gone."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80  # some say 0
    except (OSError, ValueError):
        return 80
