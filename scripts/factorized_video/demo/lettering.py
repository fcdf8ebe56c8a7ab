"""Words on a card: wrapped, and in the largest type in which they fit."""

from __future__ import annotations

from ..fonts import OWN, Face, wrapped

LEADING = 1.3  # from line to line, in type sizes
TYPE_SIZES = (56, 50, 44, 39, 34, 30, 26, 23, 20, 18, 16)  # in units
UNBROKEN = 20  # in type of this size and larger, a word stands whole on its line


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
        lines = wrapped(text, face.at(size), width, rows)
        if len(lines) <= rows and (
            points < UNBROKEN or all(face.at(size).getlength(word) <= width for word in words)
        ):
            return size, lines
    kept = lines[: rows - 1]
    left_out = len("".join(words)) - len("".join(kept).replace(" ", ""))
    return size, [*kept, f"… and {left_out:,} more characters"]


def shortened(text: str, size: float, width: float, face: Face = OWN) -> str:
    """Return the words that fit on one line, with an ellipsis where there are more."""
    lines = wrapped(text, face.at(size), width - size, 1)
    return f"{lines[0]}…" if len(lines) > 1 else lines[0]
