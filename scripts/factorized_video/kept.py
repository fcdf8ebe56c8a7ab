"""What was paid for and cannot be delivered yet: image bytes, a clip, or the address of one.

It lies beside its output, so that the same command finds it again whatever else has changed. Where
there is no room, and for an address, which may be signed, it is in a private folder of the user's.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from . import private_folders
from .errors import OutputError
from .files import sweep, write_file


class Kept(NamedTuple):
    """Where the result of one paid call is kept: that of this output and this digest, no other."""

    output: Path
    digest: str

    def store(self, data: bytes, *, is_address: bool = False) -> bool:
        """Write it down; False where that is possible nowhere."""
        for path in self._places(create=True):
            if is_address and path.parent == self.output.parent:
                continue
            with contextlib.suppress(OutputError):
                write_file(path, data, private=True)
                return True
        return False

    def read(self) -> bytes | None:
        """What was stored, or None."""
        for path in self._places():
            with contextlib.suppress(OSError):
                return path.read_bytes()
        return None

    def drop(self) -> None:
        """Remove it, once it is delivered."""
        for path in self._places():
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
                sweep(path)

    def _places(self, *, create: bool = False) -> Iterator[Path]:
        yield self.output.with_name(f".kept-{_sha256(self.output.name, self.digest)[:24]}")
        for folder in (private_folders.lasting, private_folders.temporary):
            with contextlib.suppress(OutputError):
                where = folder("kept", create=create)
                yield where / _sha256(str(self.output), self.digest)


def _sha256(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
