"""Holds every Python process of the tests: no connection leaves the machine, no price is live.

Python imports a module of this name at start-up wherever this folder is on PYTHONPATH: the tests
put it there for every subprocess, and `conftest.py` imports it for the test process itself.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

REGISTRY = "TESTS_REGISTRY"  # the file that stands in for models.json; unset: models.json
ASKS = "TESTS_ASK_FOR_LISTS"  # set: the public lists are asked for, at the tests' gateways


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


def use_tests_registry(module: Any) -> None:
    """Let the product's registry read the file that the environment names, if it names one."""
    if path := os.environ.get(REGISTRY):
        module.FILE = type(module.FILE)(path)


def ask_for_lists(module: Any) -> None:
    """Take any gateway for the gateway itself where the environment says so, else none."""
    module.is_itself = lambda settings: bool(os.environ.get(ASKS))


CHANGES = {
    "factorized_video.models.registry": use_tests_registry,
    "factorized_video.gateway.public_list": ask_for_lists,
}


class _Finder:
    """Finds these modules as usual, and changes them once they are loaded."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name not in CHANGES:
            return None
        spec = PathFinder.find_spec(name, path)  # type: ignore[arg-type]
        if spec and spec.loader:
            load = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                load(module)
                CHANGES[name](module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


# An audit hook, because no library can step around one.
sys.addaudithook(_hook)
sys.meta_path.insert(0, _Finder)
