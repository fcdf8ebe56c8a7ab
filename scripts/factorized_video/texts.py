"""Read and check the texts that come from an option, a file or stdin."""

from __future__ import annotations

import sys

from .errors import UsageError

MAX_TEXT = 20_000  # characters of a prompt, a caption or any other text


def read_text(value: str | None, file: str | None, what: str) -> str:
    """Return the text of an option, a file or stdin (`-`); `what` names it in messages.

    Raises UsageError if it is empty, longer than `MAX_TEXT`, not UTF-8 or has control characters,
    or if the file cannot be read.
    """
    if file is not None:
        value = _stdin(what) if file == "-" else _file(file, what)
    elif value == "-":
        value = _stdin(what)
    text = (value or "").strip().lstrip("\ufeff").strip()
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


def _stdin(what: str) -> str:
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
            f"{what} {name} cannot be read: {reason}.", "Use the path of a text file."
        ) from None


def _decoded(data: bytes, what: str) -> str:
    # More bytes than MAX_TEXT characters of four bytes each are too long in any case.
    if len(data) > MAX_TEXT * 4:
        raise UsageError(f"{what} has more than {MAX_TEXT:,} characters.", "Shorten it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{what} is not UTF-8 text.", "Save it as plain text in UTF-8.") from None


def read_motion(value: str | None, file: str | None) -> str | None:
    """Return the motion from --motion or --motion-file, or None if neither is given."""
    if value is None and file is None:
        return None
    return read_text(value, file, "--motion" if value is not None else "--motion-file")
