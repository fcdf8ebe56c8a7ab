"""Refuses every connection of a Python process that does not stay on this machine.

Python imports a module of this name at start-up wherever this folder is on PYTHONPATH: the tests
put it there for every subprocess, and `conftest.py` imports it for the test process itself. An
audit hook, because no library can step around one.
"""

from __future__ import annotations

import sys


class LeavesTheMachine(BaseException):
    """Not an Exception: no `except` in the product may take it for an ordinary network failure."""


def _stays(host: object) -> bool:
    text = host.decode() if isinstance(host, bytes) else str(host or "")
    if text in ("", "localhost"):
        return True
    import ipaddress  # not at the top: hundreds of processes start with this module

    try:
        return ipaddress.ip_address(text.strip("[]").partition("%")[0]).is_loopback
    except ValueError:
        return False


def _hook(event: str, args: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = args[1]
        host = address[0] if isinstance(address, tuple) and address else None  # str: a Unix socket
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = args[0]
    else:
        return
    if not _stays(host):
        raise LeavesTheMachine(f"a test reached for {host!r} ({event})")


sys.addaudithook(_hook)
