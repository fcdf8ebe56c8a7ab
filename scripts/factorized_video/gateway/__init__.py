"""The only room that speaks HTTP. `open_gateway` is its door."""

from __future__ import annotations

import contextlib

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .client import Gateway
    from .settings import Settings


@contextlib.contextmanager
def open_gateway(settings: Settings, say: Callable[..., None]) -> Iterator[Gateway]:
    """A client for these settings; for the demo, with its server on a free port.

    `say(text)` shows what is being waited for.
    """
    from .client import Gateway

    with contextlib.ExitStack() as stack:
        if settings.name == "demo":
            from ..demo.server import serve

            settings = settings.at(stack.enter_context(serve()))
        yield stack.enter_context(contextlib.closing(Gateway(settings, say)))
