"""Words on a card: wrapped, and in the largest type in which they fit."""

from __future__ import annotations

from ..fonts import OWN, Face

LEADING = 1.3  # from line to line, in type sizes
TYPE_SIZES = (56, 50, 44, 39, 34, 30, 26, 23, 20, 18, 16)  # in units
UNBROKEN = 20  # in type of this size and larger, a word stands whole on its line


def wrapped(text: str, size: float, width: float, most: int = 99, face: Face = OWN) -> list[str]:
    """Fill lines word by word, breaking words that are wider than a line.

    Stops soon after `most` lines, which is enough to know that there is no room.
    """
    font, lines = face.at(size), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
            continue
        if lines[-1]:
            lines.append("")
        for char in word:
            if lines[-1] and font.getlength(lines[-1] + char) > width:
                lines.append("")
            lines[-1] += char
            if len(lines) > most:
                return lines
    return lines


def fitted(
    text: str, width: float, height: float, unit: float, face: Face = OWN
) -> tuple[float, list[str]]:
    """Return the largest type in which a text fits into a box, and its lines.

    What does not fit even in the smallest is left out, and the last line counts it.
    """
    words = text.split()
    for points in TYPE_SIZES:
        size = points * unit
        rows = max(1, int(height / (LEADING * size)))
        lines = wrapped(text, size, width, rows, face)
        if len(lines) <= rows and (
            points < UNBROKEN or all(face.at(size).getlength(word) <= width for word in words)
        ):
            return size, lines
    kept = lines[: rows - 1]
    left_out = len("".join(words)) - len("".join(kept).replace(" ", ""))
    return size, [*kept, f"… and {left_out:,} more characters"]


def shortened(text: str, size: float, width: float, face: Face = OWN) -> str:
    """Return the words that fit on one line, with an ellipsis where there are more."""
    lines = wrapped(text, size, width - size, 1, face)
    return f"{lines[0]}…" if len(lines) > 1 else lines[0]
