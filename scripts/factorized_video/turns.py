"""Seats of many runs in one process: so few are at work at once, and the others wait for a gateway.

A run that waits for an answer needs no processor and holds no picture, so hundreds of them fit into
one small process. More at work at once would take memory, and no less time: in Python one at a time
has the interpreter. What has been begun goes before what has not, so that jobs are sent one after
the other from the start. A run that is alone in its process has a seat of its own.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Iterator

SEATS = min(8, 1 + (os.cpu_count() or 1))
MOST_SENDING = 16  # that send a picture, or a few: megabytes each


class _Seats:
    """Whoever comes back to one goes before whoever is new."""

    def __init__(self, number: int) -> None:
        self._free = number
        self._lock = threading.Lock()
        self._back: deque[threading.Lock] = deque()
        self._new: deque[threading.Lock] = deque()

    def take(self, *, again: bool) -> None:
        """Wait for a seat."""
        with self._lock:
            if self._free:
                self._free -= 1
                return
            gate = threading.Lock()
            gate.acquire()
            (self._back if again else self._new).append(gate)
        gate.acquire()  # opened by whoever leaves

    def leave(self) -> None:
        """Let the next one have it."""
        with self._lock:
            queue = self._back or self._new
            if queue:
                queue.popleft().release()
            else:
                self._free += 1


_seats = _Seats(SEATS)
_sending = threading.BoundedSemaphore(MOST_SENDING)
_own = threading.local()


@contextlib.contextmanager
def seat() -> Iterator[None]:
    """In this thread, one of many, be at work."""
    if getattr(_own, "seated", False):
        yield
        return
    _seats.take(again=False)
    _own.seated = True
    try:
        yield
    finally:
        _own.seated = False
        _seats.leave()


@contextlib.contextmanager
def away() -> Iterator[None]:
    """Leave the seat to others while this thread waits for a gateway, or for other threads."""
    if not getattr(_own, "seated", False):
        yield
        return
    _own.seated = False
    _seats.leave()
    try:
        yield
    finally:
        _seats.take(again=True)
        _own.seated = True


@contextlib.contextmanager
def sending() -> Iterator[None]:
    """Away, with a picture in memory: no more than so many at once."""
    if not getattr(_own, "seated", False):
        yield
        return
    with _sending, away():  # it keeps its seat until it may: so nobody else prepares a picture
        yield
