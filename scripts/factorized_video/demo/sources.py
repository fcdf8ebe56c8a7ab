"""What the demo makes of pictures that it is given: a label of the change, or small copies.

Nothing is understood or changed; it can be seen that a picture and the words have arrived.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lettering import capitals_width, font_of, write_capitals
from .reading import drawable_part

if TYPE_CHECKING:
    from PIL import Image

AMBER, DARK, WHITE = "#f0a35e", (12, 14, 16), "#ffffff"
MOST_SHOWN = 4  # reference pictures; more are counted
_TALL = 120  # of a small copy, in units of 1/720 of the short side
_GAP = 16


def with_label(picture: Image.Image, words: str, candidate: int = 1) -> Image.Image:
    """Return the picture with a strip across its upper edge that tells of a change."""
    from PIL import ImageDraw

    shown = picture.copy()
    draw = ImageDraw.Draw(shown)
    unit = min(picture.size) / 720
    high, left, size = 64 * unit, 30 * unit, 26 * unit
    draw.rectangle((0, 0, picture.width, high), DARK)
    tag = "DEMO EDIT" if candidate == 1 else f"DEMO EDIT {candidate}"
    write_capitals(draw, (left, high / 2 + 0.36 * size), tag, size, AMBER)
    x = left + capitals_width(tag, size) + 24 * unit
    told, font = drawable_part(" ".join(words.split()))[:400], font_of(size)
    text = told
    while told and x + font.getlength(text) > picture.width - left:
        told = told[:-1]
        text = f"{told.rstrip()}..."
    draw.text((x, high / 2 + 0.34 * size), text, WHITE, font, anchor="ls")
    return shown


def with_copies(card: Image.Image, pictures: list[Image.Image]) -> Image.Image:
    """Return the card with small copies of the reference pictures in its upper right corner."""
    from PIL import Image, ImageDraw

    shown = card.copy()
    draw = ImageDraw.Draw(shown)
    unit = min(card.size) / 720
    gap, tall, size = round(_GAP * unit), round(_TALL * unit), 15 * unit
    right, top = card.width - 2 * gap, 2 * gap
    for picture in reversed(pictures[:MOST_SHOWN]):
        wide = min(2 * tall, max(1, round(tall * picture.width / picture.height)))
        small = picture.resize((wide, tall), Image.Resampling.LANCZOS)
        edge = max(1, round(3 * unit))
        box = (right - wide - edge, top - edge, right + edge - 1, top + tall + edge - 1)
        draw.rectangle(box, WHITE)
        shown.paste(small, (right - wide, top))
        right -= wide + gap
    number = len(pictures)
    said = f"REFERENCES: {number}" if number > 1 else "REFERENCE"
    base = top + tall + 2 * gap
    width = capitals_width(said, size)
    end = card.width - 2 * gap
    draw.rectangle((end - width - gap, base - 1.2 * size, end, base + 0.4 * size), DARK)
    write_capitals(draw, (end - width - gap / 2, base), said, size, WHITE)
    return shown
