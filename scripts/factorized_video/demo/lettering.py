"""The font: the one inside Pillow, so that a card is the same on every machine.

It has ASCII and a few quotes, no accents and no dashes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

TRACKING = 0.14  # air between the capitals of a label, in type sizes


@lru_cache(maxsize=256)
def font_of(size: float) -> ImageFont.FreeTypeFont:
    """Return the font at a size in pixels."""
    from PIL import ImageFont

    return cast("ImageFont.FreeTypeFont", ImageFont.load_default(size=size))


@lru_cache(maxsize=4096)
def drawable(char: str) -> bool:
    """Say whether the built-in font has a glyph of its own for this character."""

    def shape(text: str) -> tuple[object, bytes]:
        mask = font_of(24).getmask(text)
        return mask.size, bytes(mask)

    return shape(char) != shape("\U0010fffd")  # a private code point: the 'missing' glyph


def capitals_width(text: str, size: float) -> float:
    """Return how wide `write_capitals` writes a label, in pixels."""
    return sum(font_of(size).getlength(c) + TRACKING * size for c in text.upper()) - TRACKING * size


def write_capitals(
    draw: ImageDraw.ImageDraw, at: tuple[float, float], text: str, size: float, colour: str
) -> None:
    """Write a label in spaced capitals; `at` is the left end of its baseline, in pixels."""
    font, (x, base) = font_of(size), at
    for char in text.upper():
        draw.text((x, base), char, colour, font, anchor="ls")
        x += font.getlength(char) + TRACKING * size
