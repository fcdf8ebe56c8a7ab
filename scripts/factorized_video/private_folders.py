"""Folders that only this user can access: for what lies beside no output."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .errors import OutputError
from .files import writing

NAME = "factorized-video"


def lasting(name: str, *, create: bool = True) -> Path:
    """A folder that lasts: in `$XDG_STATE_HOME`, else ~/.local/state. Raises OutputError.

    The places are those of the XDG Base Directory Specification, which ignores relative paths. A
    user without a home that can be written to has the temporary one.
    """
    base = _base("XDG_STATE_HOME", ".local", "state")
    there = next(path for path in (base, *base.parents) if path.exists())
    if not os.access(there, os.W_OK):
        return temporary(name, create=create)
    return _private(base / NAME, name, create)


def cache(name: str, *, create: bool = True) -> Path:
    """A folder for what can be had again: in `$XDG_CACHE_HOME`, else ~/.cache.

    Raises OutputError.
    """
    return _private(_base("XDG_CACHE_HOME", ".cache") / NAME, name, create)


def temporary(name: str, *, create: bool = True) -> Path:
    """A folder in the temporary directory. Raises OutputError."""
    import tempfile  # late: it takes longer to import than all that is done here

    return _private(Path(tempfile.gettempdir()) / f"{NAME}-{os.getuid()}", name, create)


def _base(variable: str, *below_home: str) -> Path:
    given, home = os.environ.get(variable, ""), os.path.expanduser("~")
    return Path(given if os.path.isabs(given) else os.path.join(home, *below_home))


def _private(top: Path, name: str, create: bool) -> Path:
    """The folder, and the one it is in, made with `create`, and checked where they are there."""
    folder = top / name
    with writing(folder):
        if create:
            top.parent.mkdir(parents=True, exist_ok=True)
            for path in (top, folder):
                path.mkdir(mode=0o700, exist_ok=True)
        found = {path: path.lstat() for path in (top, folder) if os.path.lexists(path)}
    for path, about in found.items():
        # Another user may have created it first, to read or plant files.
        if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid() or about.st_mode & 0o077:
            raise OutputError(
                f"{path} is not a private folder of yours.",
                f"Remove it, or make it yours alone: chmod 700 {path}",
            )
    return folder
