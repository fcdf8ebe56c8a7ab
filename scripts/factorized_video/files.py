"""Outputs on disk: written whole or not at all, and locked while they are being made."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .errors import OutputError, StillRunning, UsageError

SUFFIX = ".receipt.json"


def check_writable(output: Path) -> None:
    """Create the folder of an output and test that it is writable. Raises UsageError if not."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        if output.is_symlink() and not output.exists():
            raise UsageError(
                f"{output} is a link to {os.readlink(output)}, which is not there.",
                "Bring that back, remove the link, or use another --output.",
            )
        if len(os.fsencode(output.name)) + len(SUFFIX) > 240:  # most file systems allow 255 bytes
            raise UsageError("The file name of --output is too long.", "Use a shorter one.")
        handle, trial = _temporary(output)
        os.close(handle)
        trial.unlink(missing_ok=True)  # the holder of the lock may have swept it away
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"Cannot write to {output.parent}: {reason}.", "Use another --output."
        ) from None


@contextlib.contextmanager
def exclusive(output: Path, taken: str = "") -> Iterator[None]:
    """Lock an output, so that one process at a time makes it. Raises StillRunning for the others.

    `taken` is the message of that error, where it is no output.

    The lock is `flock` on `.NAME.ext.lock`, which the system releases if the holder is killed. The
    previous holder may have removed that file meanwhile, so the path is compared after locking.
    Raises UsageError on a file system that has no locks.
    """
    path = output.with_name(f".{output.name}.lock")
    while True:
        with writing(output):
            handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            if not isinstance(error, BlockingIOError):
                path.unlink(missing_ok=True)
                raise UsageError(
                    f"{output.parent} is on a file system without file locks ({error.strerror}), "
                    "and without one a clip could be paid for twice.",
                    "Use an --output on a local disk.",
                ) from None
            raise StillRunning(
                taken or f"Another process is making {output}.",
                "Run the same command again later to get its result; that costs nothing.",
                output=str(output),
                receipt=str(output) + SUFFIX,
            ) from None
        with contextlib.suppress(OSError):
            if os.fstat(handle).st_ino == path.stat().st_ino:
                break
        os.close(handle)
    try:
        sweep(output)
        yield
    finally:
        try:
            _release(path, handle)
        except KeyboardInterrupt:  # a second signal; the lock must not stay behind
            _release(path, handle)
            raise


def _release(path: Path, handle: int) -> None:
    """Remove a lock that is held, and let it go; done already is fine."""
    with contextlib.suppress(OSError):
        if os.fstat(handle).st_ino == path.stat().st_ino:
            path.unlink()
    with contextlib.suppress(OSError):
        os.close(handle)


def sweep(output: Path) -> None:
    """Remove the temporary files that a killed process left; only the holder of the lock may.

    Includes those of receipts set aside (NAME.1.ext), unless that name is locked: then it is an
    output that is being made.
    """
    for path, name, is_receipt in _leftovers(output.parent, output.stem):
        aside = is_receipt and number_aside(output, name) is not None
        if name == output.name or (aside and not output.with_name(f".{name}.lock").exists()):
            path.unlink(missing_ok=True)


def sweep_folder(folder: Path) -> None:
    """Remove what killed processes left half written in a folder of one's own, whatever its name.

    Not what belongs to an output that is locked: that is being made.
    """
    for path, name, _ in _leftovers(folder):
        if not path.with_name(f".{name}.lock").exists():
            path.unlink(missing_ok=True)


_LEFTOVER = re.compile(rf"\.(.+?)({re.escape(SUFFIX)})?\.[0-9a-f]{{8}}\.part", re.DOTALL)


def _leftovers(folder: Path, begins: str = "") -> Iterator[tuple[Path, str, bool]]:
    """The temporary files of outputs whose names begin so: path, name, whether of its receipt."""
    for file in names_in(folder, f".{begins}"):
        if file.endswith(".part") and (found := _LEFTOVER.fullmatch(file)):
            yield folder / file, found[1], bool(found[2])


def names_in(folder: Path, begins: str) -> list[str]:
    """The names in a folder that begin so: beside an output there may be thousands of others."""
    return [name for name in os.listdir(folder) if name.startswith(begins)]


def number_aside(output: Path, name: str) -> int | None:
    """N of "NAME.N.ext", where what `output` was before is kept aside; else None."""
    stem, ending = f"{output.stem}.", output.suffix
    if not (name.startswith(stem) and name.endswith(ending)):
        return None
    number = name[len(stem) : len(name) - len(ending)]
    return int(number) if number.isascii() and number.isdecimal() else None


def _temporary(path: Path, mode: int = 0o666) -> tuple[int, Path]:
    """Create and open a file next to `path`, with a name that `sweep` recognizes."""
    # Not tempfile.mkstemp, because importing tempfile takes longer than everything done here.
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    return os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), temporary


def write_file(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write a file whole or not at all: temporary file, fsync, rename. Raises OutputError.

    A `private` one can be read by its owner only.
    """
    with temporary_beside(path, 0o600 if private else 0o666) as (file, temporary):
        file.write(data)
        put_in_place(file, temporary, path)


def write_again(path: Path, data: bytes) -> None:
    """Write what is no output and can be made again at any time: a page, a table, a comparison.

    Like `write_file`, and removes what a killed process left of it. Raises OutputError.
    """
    try:
        with exclusive(path):
            write_file(path, data)
    except StillRunning:  # somebody writes it just now; the later one stays
        write_file(path, data)


@contextlib.contextmanager
def temporary_beside(path: Path, mode: int = 0o666) -> Iterator[tuple[IO[bytes], Path]]:
    """Open a temporary file in the folder of `path`; remove it unless it was put in place.

    `mode` as of any new file: the umask takes its bits away.
    """
    with writing(path):
        handle, temporary = _temporary(path, mode)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file, temporary
        finally:
            temporary.unlink(missing_ok=True)


def put_in_place(file: IO[bytes], temporary: Path, path: Path) -> None:
    """Flush to disk and rename, so that nobody sees half a file, not even after a power loss."""
    file.flush()
    os.fsync(file.fileno())
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError into an OutputError that names `path`."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path} could not be written: {error.strerror or error}.",
            "Free some space or use another folder, then run the same command again.",
        ) from None
