"""What filmstrip, contact sheet and comparison share: sizes, colours, labelled tiles, text."""

from __future__ import annotations

import io
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

    from ..aspect_ratios import Size

    Font = FreeTypeFont | ImageFont  # Pillow's own font, with and without FreeType

# Agents' viewers scale pictures down to about 1,568 px: wider would blur the labels.
WIDTH = 1_560
GAP = 8
LABEL_HEIGHT = 26
LABEL_TYPE = 18  # type size
GROUND, PANEL = (24, 24, 26), (38, 38, 42)
INK, FAINT = (236, 236, 236), (168, 168, 172)
_REPLACED = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "×": "x", "→": "->"}
)


def in_a_row(shape: Size, count: int, most: tuple[int, int, int], square: float = 1.0) -> int:
    """How many of `count` tiles of this shape stand in a row. Pure.

    `most` is how many wide, square and upright ones; a tile counts as square if its longer side is
    at most `square` times the shorter.
    """
    width, height = shape
    wide, even, upright = most
    fits = upright if height > width * square else wide if width > height * square else even
    return max(1, min(fits, count))


def paste_tiles(
    picture: Image.Image,
    tiles: list[tuple[Image.Image, str]],
    row: int,
    *,
    at: tuple[int, int],
    place: Size,
    ink: tuple[int, int, int] = INK,
) -> None:
    """Paste pictures in rows, each in the middle of its `place`, its label below."""
    from PIL import ImageDraw, ImageFont

    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(LABEL_TYPE)
    wide, tall = place
    for number, (image, label) in enumerate(tiles):
        x = at[0] + number % row * (wide + GAP)
        y = at[1] + number // row * (tall + LABEL_HEIGHT + GAP)
        picture.paste(image, (x + (wide - image.width) // 2, y + (tall - image.height) // 2))
        draw.text((x + wide // 2, y + tall + LABEL_HEIGHT // 2), label, ink, font, anchor="mm")


def as_png(picture: Image.Image) -> bytes:
    """The picture as a PNG file."""
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=4)
    return file.getvalue()


def wrapped(text: str, font: Font, room: float) -> list[str]:
    """The text in lines that are at most `room` pixels wide; too long a word is broken."""
    lines = [""]
    for word in drawable(text).split():
        if font.getlength(f"{lines[-1]} {word}".strip()) <= room:
            lines[-1] = f"{lines[-1]} {word}".strip()
            continue
        lines += [""] if lines[-1] else []
        for char in word:
            if lines[-1] and font.getlength(lines[-1] + char) > room:
                lines.append("")
            lines[-1] += char
    return lines


def drawable(text: str) -> str:
    """The text as Pillow's own font can draw it: without accents, and "?" for what it lacks."""
    return "".join(map(_drawable, text.translate(_REPLACED)))


@lru_cache(maxsize=4096)
def _drawable(char: str) -> str:
    if char.isascii():
        return char
    return "".join(one for one in unicodedata.normalize("NFKD", char) if one.isascii()) or "?"
