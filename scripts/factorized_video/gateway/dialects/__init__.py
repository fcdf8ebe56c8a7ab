"""How each gateway is spoken to: one file each, of pure translation. `load` is their door.

A file here is a gateway: its name is a value of `--gateway`, and its `DIALECT` is the `Dialect`.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from ..types import About
    from ._dialect import Dialect


def names() -> tuple[str, ...]:
    """The gateways there are."""
    files = os.listdir(os.path.dirname(__file__))
    return tuple(sorted(n[:-3] for n in files if n.endswith(".py") and not n.startswith("_")))


def load(name: str) -> Dialect:
    """The dialect of that name."""
    from importlib import import_module

    dialect: Dialect = import_module(f"{__name__}.{name}").DIALECT
    return dialect


def about_all() -> dict[str, About]:
    """The facts about each gateway."""
    return {name: load(name).ABOUT for name in names()}


def at(host: str) -> str | None:
    """The gateway whose host this is."""
    fits = (name for name, about in about_all().items() if about.is_at(host))
    return next(fits, None) if host else None
