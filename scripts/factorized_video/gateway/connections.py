"""Connections that say how far a request got, and that a deadline can end at any moment.

requests and urllib3 time each read of a socket, so a server that drips one header line at a time
holds a call for ever; and what they raise does not say whether anything had been sent. Both are
known here: `Watch` is told of each step by the connection, and shuts the socket down when its time
is over.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import threading
from collections.abc import Iterator
from typing import Any

import requests
import urllib3

MOST_INTERIM = 100  # answers of 1xx before the final one


class Watch:
    """What becomes of one request at a time. `connecting` while nothing can have been sent."""

    def __init__(self) -> None:
        self.connecting = False
        self.expired = False
        self._free = False
        self._socket: socket.socket | None = None
        self._left: list[socket.socket] = []  # of connections that are closed but still read from
        self._timer: threading.Timer | None = None
        self._turn = 0  # a timer that was late to be cancelled is not of this request
        self._lock = threading.Lock()
        self.seconds = 0.0  # that a request may take from its start
        self.pinned: dict[str, tuple[str, ...]] = {}  # the checked addresses of a host

    def start(self, seconds: float, *, free: bool = False) -> None:
        """A request begins, and must be over in so many seconds; a `free` one may be cut off."""
        self.stop()
        self.connecting, self.expired, self._socket = False, False, None
        self._free = free
        self.seconds = seconds
        self.allow(seconds)

    def allow(self, seconds: float) -> None:
        """The request may take so many seconds from now."""
        if self._timer:
            self._timer.cancel()
        with self._lock:
            self._turn += 1
        self._timer = threading.Timer(seconds, self._expire, (self._turn,))
        self._timer.daemon = True
        with _for_the_main_thread():
            self._timer.start()

    def stop(self) -> None:
        """The request is over."""
        if self._timer:
            self._timer.cancel()
        self._timer = None
        with self._lock:
            self._turn += 1
            for left in self._left:
                left.close()
            self._left.clear()

    def leaves(self, connected: socket.socket) -> None:
        """This connection is closed; what it has answered may still have to be read."""
        with self._lock:
            if self._timer and connected is self._socket:
                self._left.append(connected)
            else:
                connected.close()

    def uses(self, connected: socket.socket | None) -> None:
        """This is the socket in use."""
        with self._lock:
            self._socket = connected
            if self.expired:
                _shut_down(connected)

    def cut(self) -> None:
        """End the request now, as if its time were over, if it is a free one."""
        with self._lock:
            if self._free:
                self.expired = True
                _shut_down(self._socket)

    def _expire(self, turn: int) -> None:
        with self._lock:
            if turn == self._turn:
                self.expired = True
                _shut_down(self._socket)


@contextlib.contextmanager
def _for_the_main_thread() -> Iterator[None]:
    """A thread that is started now leaves signals alone.

    One that it took would not wake the main thread, which waits for an answer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # then the main thread waits for no answer
        return
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _shut_down(connected: socket.socket | None) -> None:
    if connected is not None:
        with contextlib.suppress(OSError):
            connected.shutdown(socket.SHUT_RDWR)


class _FinalResponse(http.client.HTTPResponse):
    """Reads past 102, 103 and the like, as past 100: the final answer follows (RFC 9110, 15.2)."""

    interim = 0

    def _read_status(self) -> Any:
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if status == 101 or not 100 <= status < 200:
                return version, status, reason
            self.interim += 1
            if self.interim > MOST_INTERIM:
                raise http.client.BadStatusLine(f"more than {MOST_INTERIM} interim answers")
            http.client.parse_headers(self.fp)


def _watched(base: type, watch: Watch) -> type:
    """A connection class that tells a watch what it does."""

    class Connection(base):  # type: ignore[misc]
        response_class = _FinalResponse
        _twin: socket.socket | None = None  # the same connection, whatever is wrapped around it

        def _new_conn(self) -> Any:
            connected = self._connected()
            self._twin = socket.socket(fileno=os.dup(connected.fileno()))
            watch.uses(self._twin)
            return connected

        def _connected(self) -> Any:
            """A socket to the host: to an address that was checked, where one was."""
            named: str = self._dns_host  # type: ignore[has-type]
            for number, address in enumerate(checked := watch.pinned.get(named, (named,)), 1):
                self._dns_host = address
                try:
                    return super()._new_conn()
                except urllib3.exceptions.HTTPError:
                    if number == len(checked):
                        raise
                finally:
                    self._dns_host = named
            raise AssertionError("no host is without addresses")

        def connect(self) -> None:
            watch.connecting = True
            super().connect()
            watch.connecting = False
            # urllib3 would still hold the sending of a large picture to the limit on connecting.
            if self.sock is not None:
                self.sock.settimeout(watch.seconds)

        def request(self, *args: Any, **kwargs: Any) -> Any:
            if self._twin is not None:  # a connection that is used again
                watch.uses(self._twin)
                self.timeout = watch.seconds
            return super().request(*args, **kwargs)

        def close(self) -> None:
            super().close()
            if self._twin is not None:
                watch.leaves(self._twin)
                self._twin = None

    return Connection


class WatchedAdapter(requests.adapters.HTTPAdapter):
    """An adapter of requests whose connections are watched."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """As ever, with watched connections."""
        super().init_poolmanager(*args, **kwargs)
        self._watch_pools(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        """As ever, with watched connections."""
        manager = super().proxy_manager_for(*args, **kwargs)
        self._watch_pools(manager)
        return manager

    def _watch_pools(self, manager: Any) -> None:
        """Watch the connections of a manager's own kind: those through SOCKS are of another."""
        watched = {}
        for scheme, pool in manager.pool_classes_by_scheme.items():
            known: Any = pool
            if not getattr(known, "is_watched", False):  # a manager of proxies is kept
                connection = _watched(known.ConnectionCls, self._watch)
                more = {"ConnectionCls": connection, "is_watched": True}
                known = type(known.__name__, (known,), more)
            watched[scheme] = known
        manager.pool_classes_by_scheme = watched
