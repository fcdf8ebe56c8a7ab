"""Read and check the texts that come from an option, a file (`@FILE`) or stdin (`-`)."""

from __future__ import annotations

import contextlib
import os
import sys
from contextvars import ContextVar

from .errors import UsageError

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TEXT = 20_000  # characters of a prompt, a caption or any other text
FROM_FILE = "@"  # begins the value of an option that names a file with the text
AUTO = "auto"  # of --motion: written from the anchor


def read_text(value: str | None, file: str | None, what: str) -> str:
    """Return the text of an option, a file or stdin (`-`); `what` names it in messages.

    `value` may name a file: "@FILE". Raises UsageError as `checked` does, and if the file cannot be
    read.
    """
    if file is None and value and value.startswith(FROM_FILE):
        file = os.path.expanduser(value[len(FROM_FILE) :])
        what = f"{what} in {FROM_FILE}FILE,"
    if file is not None:
        value = _stdin(what) if file == "-" else _file(file, what)
    elif value == "-":
        value = _stdin(what)
    return checked(value or "", what)


def as_value(text: str) -> str:
    """The text as the value of an option that is no file and no word of the tool's own.

    Space around a text does not count.
    """
    return f" {text}" if text.startswith(FROM_FILE) or text == AUTO else text


def checked(value: str, what: str) -> str:
    """The text without what stands around it.

    Raises UsageError if it is empty, longer than `MAX_TEXT`, not UTF-8 or has control characters.
    """
    text = value.strip().lstrip("\ufeff").strip()
    if not text:
        raise UsageError(f"{what} is empty.", f"Write 1 to {MAX_TEXT:,} characters.")
    if len(text) > MAX_TEXT:
        raise UsageError(
            f"{what} has {len(text):,} characters.", f"Shorten it to at most {MAX_TEXT:,}."
        )
    for place, char in enumerate(text):
        number = ord(char)
        if (number < 32 and char not in "\t\n\r") or 0x7F <= number <= 0x9F:
            raise UsageError(
                f"{what} has a control character (U+{number:04X}) at position {place + 1}.",
                "Remove it; line breaks and tabs are fine.",
            )
        if 0xD800 <= number <= 0xDFFF:
            raise UsageError(
                f"{what} is not valid UTF-8 (at position {place + 1}).", "Save it as UTF-8."
            )
    return text


# What stands for stdin in a command that this process runs in a thread; None: stdin itself.
_piped: ContextVar[str | None] = ContextVar("piped", default=None)


@contextlib.contextmanager
def piped(text: str) -> Iterator[None]:
    """In this thread `-` stands for this text."""
    token = _piped.set(text)
    try:
        yield
    finally:
        _piped.reset(token)


def _stdin(what: str) -> str:
    text = _piped.get()
    if text is not None:
        return text
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            f"{what} is read from stdin, but nothing is piped in.", "Pipe a text into the command."
        )
    return _decoded(sys.stdin.buffer.read(MAX_TEXT * 4 + 8), what)


def _file(name: str, what: str) -> str:
    try:
        with open(name, "rb") as file:
            return _decoded(file.read(MAX_TEXT * 4 + 8), f"{what} {name}")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{what} {name} cannot be read: {reason}.",
            "Use the path of a text file. A text that begins with @ needs a space before it."
            if FROM_FILE in what
            else "Use the path of a text file.",
        ) from None


def _decoded(data: bytes, what: str) -> str:
    # More bytes than MAX_TEXT characters of four bytes each are too long in any case.
    if len(data) > MAX_TEXT * 4:
        raise UsageError(f"{what} has more than {MAX_TEXT:,} characters.", "Shorten it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{what} is not UTF-8 text.", "Save it as plain text in UTF-8.") from None


def read_optional(value: str | None, flag: str) -> str | None:
    """Return the text of an option, None where it is not given."""
    return None if value is None else read_text(value, None, flag)


def read_motion(value: str | None, file: str | None) -> str | None:
    """Return the motion from --motion or --motion-file, or None if neither is given."""
    if value is None and file is None:
        return None
    return read_text(value, file, "--motion" if value is not None else "--motion-file")
