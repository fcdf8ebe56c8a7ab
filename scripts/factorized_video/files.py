"""Writing outputs: whole or not at all, in the folder where they are to be."""

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
REMEMBERED_S = 86_400.0  # a lost call is looked for minutes after it, seldom hours


def check_writable(output: Path) -> None:
    """Make the folder of an output and try it. Raises UsageError: nothing has been sent yet."""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        if len(os.fsencode(output.name)) + len(SUFFIX) > 240:  # most file systems hold 255 bytes
            raise UsageError("The file name of --output is too long.", "Choose a shorter one.")
        handle, trial = _temporary(output)
        os.close(handle)
        trial.unlink(missing_ok=True)  # who holds the lock may have swept it away
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{output.parent} cannot be written to: {reason}.", "Choose another --output."
        ) from None


@contextlib.contextmanager
def exclusive(output: Path) -> Iterator[None]:
    """Hold the output's lock: one process at a time makes it. Raises StillRunning for the others.

    The lock is `flock` on `.NAME.ext.lock`, so a killed holder lets go of it. Checked after taking
    to be still the file at that path: the holder before may have removed it in between.
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
                "Run the same command again to have its result; that costs nothing.",
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
    """Remove the temporary files that a killed maker of this left; for who holds its lock.

    Also those of the receipts that it kept aside (NAME.1.ext), unless an output of just that name
    is being made: then there is a lock.
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
    """A new file beside `path`, open and private, with a name that `sweep` knows."""
    # Not tempfile.mkstemp: importing tempfile takes longer than all this module does.
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.part")
    return os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), temporary


def write_file(path: Path, data: bytes) -> None:
    """Write whole or not at all: a temporary file beside it, fsync, rename. Raises OutputError."""
    with temporary_beside(path) as (file, temporary):
        file.write(data)
        put_in_place(file, temporary, path)


@contextlib.contextmanager
def temporary_beside(path: Path) -> Iterator[tuple[IO[bytes], Path]]:
    """An open temporary file in the folder of `path`, removed unless it was put in place."""
    with writing(path):
        handle, temporary = _temporary(path)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file, temporary
        finally:
            temporary.unlink(missing_ok=True)


def put_in_place(file: IO[bytes], temporary: Path, path: Path) -> None:
    """Flush to disk and rename: neither a reader nor a power loss ever sees half a file."""
    file.flush()
    os.fsync(file.fileno())
    temporary.chmod(0o666 & ~_umask())  # made private; an output is an ordinary file
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failure of the file system into an OutputError that names `path`."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{path} could not be written: {error.strerror or error}.",
            "Make room or choose another place, then run the same command again.",
        ) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def private_folder(name: str) -> Path:
    """A folder of this user alone under the system's temporary directory. Raises OutputError."""
    import tempfile

    folder = Path(tempfile.gettempdir()) / f"factorized-video-{os.getuid()}" / name
    for path in (folder.parent, folder):
        with writing(path):
            path.mkdir(mode=0o700, exist_ok=True)
            found = path.lstat()
        # Somebody else may have made it first, to read or plant files.
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise OutputError(f"{path} is not a private folder of yours.", "Remove it.")
    return folder


def remember(output: Path) -> None:
    """Note that a paid call for this output is sent, for the runs of this user in other folders."""
    name = hashlib.sha256(os.fsencode(output)).hexdigest()
    with contextlib.suppress(OutputError):
        write_file(private_folder("outputs") / name, os.fsencode(output))


def remembered() -> list[Path]:
    """The outputs for which a paid call was sent within the last day, wherever they are."""
    found = []
    with contextlib.suppress(OSError, OutputError):
        for note in private_folder("outputs").iterdir():
            if time.time() - note.stat().st_mtime > REMEMBERED_S:
                note.unlink(missing_ok=True)
            elif not note.name.startswith("."):
                found.append(Path(os.fsdecode(note.read_bytes())))
    return found


def keep(name: str, data: bytes) -> Path | None:
    """Keep what was paid for and has no place yet: image bytes, or the address they are at.

    The same command finds it again (`receipts.kept_name`). None where nothing could be kept.
    """
    try:
        path = private_folder("kept") / name
        write_file(path, data)
        path.chmod(0o600)
    except OutputError:
        return None
    return path


def kept(name: str) -> bytes | None:
    """What was kept under this name, or None."""
    try:
        return (private_folder("kept") / name).read_bytes()
    except (OSError, OutputError):
        return None


def drop(name: str) -> None:
    """Forget what was kept: it has its place now."""
    with contextlib.suppress(OSError, OutputError):
        path = private_folder("kept") / name
        path.unlink(missing_ok=True)
        sweep(path)
