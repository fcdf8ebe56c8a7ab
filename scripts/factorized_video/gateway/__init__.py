"""The only room that speaks HTTP. `open_gateway` is its door."""

from __future__ import annotations

import contextlib
import threading

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ..errors import ToolError
    from .client import Gateway
    from .settings import Settings

_lock = threading.Lock()
_demo: list[str] = []  # the address of the demo gateway, once it runs in this process


@contextlib.contextmanager
def open_gateway(settings: Settings, say: Callable[..., None]) -> Iterator[Gateway]:
    """A client for these settings; for the demo, with its server on a free port.

    `say(text)` shows what is being waited for. All clients of this process share connections, and
    how fast the gateway may be called.
    """
    from .client import Gateway

    yield Gateway(_reachable(settings), say)


def allow(settings: Settings, at_once: int) -> None:
    """From now on so many paid calls may be out at the same time."""
    from .shared import shared

    shared(_reachable(settings)).pace.allow(at_once)


def closed(settings: Settings, called: Mapping[str, list[str]]) -> ToolError | None:
    """Why one of these models, by service, is not called any more in this process; else None."""
    from .pace import paid_lane
    from .shared import shared

    pace = shared(_reachable(settings)).pace
    lanes = (paid_lane(service, model) for service, models in called.items() for model in models)
    return next(filter(None, map(pace.closed, lanes)), None)


def _reachable(settings: Settings) -> Settings:
    """The settings with an address that is there: the demo's server begins when it is needed."""
    if settings.name != "demo":
        return settings
    with _lock:
        if not _demo:
            from ..demo.server import begin

            _demo.append(begin())
        return settings.at(_demo[0])
