"""A text from an option, a file or stdin, checked before it is used."""

from __future__ import annotations

import sys

from .errors import UsageError

MAX_TEXT = 20_000  # characters of a prompt, a caption or any other text


def read_text(value: str | None, file: str | None, what: str) -> str:
    """A text from a flag, a file, or stdin (`-`), checked. `what` names it in messages.

    Raises UsageError for a text that is empty, over 20,000 characters, not UTF-8, or has control
    characters, and for a file that cannot be read as text.
    """
    if file is not None:
        value = _stdin(what) if file == "-" else _file(file, what)
    elif value == "-":
        value = _stdin(what)
    text = (value or "").strip().lstrip("\ufeff").strip()
    if not text:
        raise UsageError(f"{what} is empty.", f"Expected 1 to {MAX_TEXT:,} characters.")
    if len(text) > MAX_TEXT:
        raise UsageError(
            f"{what} has {len(text):,} characters.", f"Expected at most {MAX_TEXT:,}: shorten it."
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
                f"{what} is not valid UTF-8 (at position {place + 1}).", "Write it as UTF-8."
            )
    return text


def _stdin(what: str) -> str:
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            f"{what} is to come from stdin, and nothing is piped there.",
            "Pipe a text into the command.",
        )
    return _decoded(sys.stdin.buffer.read(MAX_TEXT * 4 + 8), what)


def _file(name: str, what: str) -> str:
    try:
        with open(name, "rb") as file:
            return _decoded(file.read(MAX_TEXT * 4 + 8), f"{what} {name}")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{what} {name} cannot be read: {reason}.", "Give the path of a text file."
        ) from None


def _decoded(data: bytes, what: str) -> str:
    # At most MAX_TEXT characters of four bytes: cutting beyond that can only cut what is refused.
    if len(data) > MAX_TEXT * 4:
        raise UsageError(f"{what} has more than {MAX_TEXT:,} characters.", "Shorten it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{what} is not UTF-8 text.", "Expected a plain text file.") from None


def read_motion(value: str | None, file: str | None) -> str | None:
    """The motion from --motion or --motion-file, or None where neither was given."""
    if value is None and file is None:
        return None
    return read_text(value, file, "--motion" if value is not None else "--motion-file")
