"""Notes of the outputs for which a paid call was sent, in whatever folder: one file for each.

A lost call is looked for in the gateway's list; a job there may also be that of another output.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

from .errors import OutputError
from .files import write_file
from .private_folders import lasting

KEPT_S = 86_400.0  # lost calls are looked for within minutes, rarely hours


def note(output: Path) -> None:
    """Write down that a paid call for this output is sent. Raises OutputError."""
    name = hashlib.sha256(os.fsencode(output)).hexdigest()
    write_file(lasting("outputs") / name, os.fsencode(output), private=True)


def noted() -> list[Path]:
    """The outputs for which one was sent within the last day. Raises OutputError."""
    folder = lasting("outputs", create=False)
    found = []
    try:
        for path in folder.iterdir() if folder.exists() else ():
            if time.time() - path.stat().st_mtime > KEPT_S:
                path.unlink(missing_ok=True)
            elif not path.name.startswith("."):
                found.append(Path(os.fsdecode(path.read_bytes())))
    except FileNotFoundError:  # another process has just removed an old one
        return noted()
    except OSError as error:
        raise OutputError(f"{folder} could not be read: {error.strerror}.") from None
    return found
