"""Outputs on disk: written whole or not at all, and locked while they are being made."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .errors import OutputError, StillRunning, UsageError

SUFFIX = ".receipt.json"
REMEMBERED_S = 86_400.0  # lost calls are looked for within minutes, rarely hours


def check_writable(output: Path) -> None:
    """Create the folder of an output and test that it is writable. Raises UsageError if not."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
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
def exclusive(output: Path) -> Iterator[None]:
    """Lock an output, so that one process at a time makes it. Raises StillRunning for the others.

    The lock is `flock` on `.NAME.ext.lock`, which the system releases if the holder is killed. The
    previous holder may have removed that file meanwhile, so the path is compared after locking.
    """
    path = output.with_name(f".{output.name}.lock")
    while True:
        with writing(path):
            handle = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise StillRunning(
                f"Another process is making {output}.",
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
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(handle)


def sweep(output: Path) -> None:
    """Remove the temporary files that a killed process left; only the holder of the lock may.

    Includes those of receipts set aside (NAME.1.ext), unless that name is locked: then it is an
    output that is being made.
    """
    stem, ending = re.escape(output.stem), re.escape(output.suffix)
    leftover = re.compile(rf"\.({stem}(\.\d+)?{ending})({re.escape(SUFFIX)})?\.[0-9a-f]{{8}}\.part")
    for path in output.parent.iterdir():
        found = leftover.fullmatch(path.name)
        if not found:
            continue
        aside, receipt = found[2], found[3]
        if aside and (not receipt or output.with_name(f".{found[1]}.lock").exists()):
            continue
        path.unlink(missing_ok=True)


def _temporary(path: Path) -> tuple[int, Path]:
    """Create and open a private file next to `path`, with a name that `sweep` recognizes."""
    # Not tempfile.mkstemp, because importing tempfile takes longer than everything done here.
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    return os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), temporary


def write_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: temporary file, fsync, rename. Raises OutputError."""
    with temporary_beside(path) as (file, temporary):
        file.write(data)
        put_in_place(file, temporary, path)


@contextlib.contextmanager
def temporary_beside(path: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """Open a temporary file in the folder of `path`; remove it unless it was put in place."""
    with writing(path):
        handle, temporary = _temporary(path)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file, temporary
        finally:
            temporary.unlink(missing_ok=True)


def put_in_place(file: IO[bytes], temporary: Path, path: Path) -> None:
    """Flush to disk and rename, so that nobody sees half a file, not even after a power loss."""
    file.flush()
    os.fsync(file.fileno())
    temporary.chmod(0o666 & ~_umask())  # it was created private; outputs are not
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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def private_folder(name: str) -> Path:
    """Return a folder that only this user can access, in the temp directory. Raises OutputError."""
    import tempfile

    folder = Path(tempfile.gettempdir()) / f"factorized-video-{os.getuid()}" / name
    for path in (folder.parent, folder):
        with writing(path):
            path.mkdir(mode=0o700, exist_ok=True)
            found = path.lstat()
        # Another user may have created it first, to read or plant files.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise OutputError(
                f"{path} is not a private folder of yours.", "Remove it and try again."
            )
    return folder


def remember(output: Path) -> None:
    """Record that a paid call for this output is sent, for your runs in other folders."""
    name = hashlib.sha256(os.fsencode(output)).hexdigest()
    with contextlib.suppress(OutputError):
        write_file(private_folder("outputs") / name, os.fsencode(output))


def remembered() -> list[Path]:
    """Return the outputs in any folder for which a paid call was sent within the last day."""
    found = []
    with contextlib.suppress(OSError, OutputError):
        for note in private_folder("outputs").iterdir():
            if time.time() - note.stat().st_mtime > REMEMBERED_S:
                note.unlink(missing_ok=True)
            elif not note.name.startswith("."):
                found.append(Path(os.fsdecode(note.read_bytes())))
    return found


def keep(name: str, data: bytes) -> Path | None:
    """Store what was paid for but cannot be delivered yet: image bytes, or their URL.

    The same command finds it again by its name. Returns None if it could not be stored.
    """
    try:
        path = private_folder("kept") / name
        write_file(path, data)
        path.chmod(0o600)
    except OutputError:
        return None
    return path


def kept(name: str) -> bytes | None:
    """Return what was stored under this name, or None."""
    try:
        return (private_folder("kept") / name).read_bytes()
    except (OSError, OutputError):
        return None


def drop(name: str) -> None:
    """Remove what was stored under this name, once it is delivered."""
    with contextlib.suppress(OSError, OutputError):
        path = private_folder("kept") / name
        path.unlink(missing_ok=True)
        sweep(path)
