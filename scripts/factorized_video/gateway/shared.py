"""What all clients of a gateway share in this process: its connections, and its pace."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from .pace import Pace
from .settings import Settings
from .transport import Cookies, Transport

MOST_IDLE = 32  # connections that are kept open between calls


class Shared:
    """Of one gateway. A connection is used by one call at a time, and then kept for the next."""

    def __init__(self, settings: Settings) -> None:
        self.pace = Pace(settings.time_scale)
        self._settings = settings
        self._idle: list[Transport] = []
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def transport(self, cookies: Cookies) -> Iterator[Transport]:
        """A connection for one call. `cookies` are those of the client: some balancers lead a job
        to its server by one.
        """
        with self._lock:
            one = self._idle.pop() if self._idle else Transport(self._settings)
        one.carry(cookies)
        try:
            yield one
        finally:
            with self._lock:
                keeps = len(self._idle) < MOST_IDLE
                if keeps:
                    self._idle.append(one)
            if not keeps:
                one.close()

    def close_idle(self) -> None:
        """From now on use new connections: an old one may lead to one of several servers."""
        with self._lock:
            idle, self._idle = self._idle, []
        for one in idle:
            one.close()


_all: dict[object, Shared] = {}
_lock = threading.Lock()


def shared(settings: Settings) -> Shared:
    """What the clients of a gateway share, made for the first of them."""
    keys = tuple(sorted((settings.keys or {}).items()))
    which = (settings.name, tuple(sorted(settings.bases.items())), settings.key, keys)
    with _lock:
        return _all.setdefault(which, Shared(settings))
