"""Words in the one font that Pillow carries, so that a card is the same on every machine.

The font has ASCII and a few signs: no accents, no other script.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from PIL import ImageFont

LEADING = 1.3  # from line to line, in type sizes
TYPE_SIZES = (56, 50, 44, 39, 34, 30, 26, 23, 20, 18, 16)  # in units
UNBROKEN = 20  # in type of this size and larger, a word stands whole on its line

_LACKING = "\ufffd"
_SKIN_TONES = "🏻🏼🏽🏾🏿"
_RUN = re.compile(rf"{_LACKING}(?:[^\w{_LACKING}]*{_LACKING})*")
# What has no accent to leave off.
_PLAIN = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l"}
    | {"Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"}
    | dict.fromkeys("‐‑–−", "-")
    | {"—": " - ", "„": '"', "‚": "'"}
)


@lru_cache(maxsize=64)
def font_of(size: float) -> ImageFont.FreeTypeFont:
    """Return the font at a size in pixels."""
    from PIL import ImageFont

    return cast("ImageFont.FreeTypeFont", ImageFont.load_default(size=size))


@lru_cache(maxsize=4096)
def drawable(char: str) -> bool:
    """Say whether the font has a glyph of its own for this character."""

    def shape(text: str) -> tuple[object, bytes]:
        mask = font_of(24).getmask(text)
        return mask.size, bytes(mask)

    return shape(char) != shape("\U0010fffd")  # a private code point: the 'missing' glyph


def in_this_font(text: str) -> str:
    """Return a text as the font can write it, on one line.

    Accents are left off. Other characters that the font lacks are counted instead: "[12 characters
    not in this font]".
    """
    written = []
    for char in unicodedata.normalize("NFC", text).translate(_PLAIN):
        if char.isspace() or drawable(char):
            written.append(" " if char.isspace() else char)
        elif unicodedata.category(char)[0] not in "CM" and char not in _SKIN_TONES:
            bare = unicodedata.normalize("NFKD", char)
            bare = "".join(c for c in bare if not unicodedata.combining(c))
            written.append(bare if bare and all(map(drawable, bare)) else _LACKING)
    return " ".join(_RUN.sub(_counted, "".join(written)).split())


def _counted(run: re.Match[str]) -> str:
    number, text = run[0].count(_LACKING), run.string
    before, after = text[max(0, run.start() - 1) : run.start()], text[run.end() : run.end() + 1]
    counted = f"[{number} character{'s' * (number > 1)} not in this font]"
    return f"{' ' * before.isalnum()}{counted}{' ' * after.isalnum()}"


def wrapped(text: str, size: float, width: float, most: int = 99) -> list[str]:
    """Fill lines word by word, breaking words that are wider than a line.

    Stops soon after `most` lines, which is enough to know that there is no room.
    """
    font, lines = font_of(size), [""]
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


def fitted(text: str, width: float, height: float, unit: float) -> tuple[float, list[str]]:
    """Return the largest type in which a text fits into a box, and its lines.

    What does not fit even in the smallest is left out, and the last line counts it.
    """
    words = text.split()
    for points in TYPE_SIZES:
        size = points * unit
        rows = max(1, int(height / (LEADING * size)))
        lines = wrapped(text, size, width, rows)
        if len(lines) <= rows and (
            points < UNBROKEN or all(font_of(size).getlength(word) <= width for word in words)
        ):
            return size, lines
    kept = lines[: rows - 1]
    left_out = len("".join(words)) - len("".join(kept).replace(" ", ""))
    return size, [*kept, f"… and {left_out:,} more characters"]


def shortened(text: str, size: float, width: float) -> str:
    """Return the words that fit on one line, with an ellipsis where there are more."""
    lines = wrapped(text, size, width - size, 1)
    return f"{lines[0]}…" if len(lines) > 1 else lines[0]
