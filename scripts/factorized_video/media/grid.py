"""What filmstrip, contact sheet and comparison share: sizes, colours, labelled tiles, text."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

from ..fonts import OWN, drawable, wrapped

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

    from ..aspect_ratios import Size
    from ..fonts import Font

    Colour = tuple[int, int, int]

# Agents' viewers scale pictures down to about 1,568 px: wider would blur the labels.
WIDTH = 1_560
GAP = 8
LABEL_HEIGHT = 26
LABEL_TYPE = 18  # type size
GROUND, PANEL = (24, 24, 26), (38, 38, 42)
INK, FAINT = (236, 236, 236), (168, 168, 172)


def paste_tiles(
    picture: Image.Image,
    tiles: list[tuple[Image.Image, str]],
    row: int,
    *,
    at: tuple[int, int],
    place: Size,
    ink: Colour = INK,
) -> None:
    """Paste pictures in rows, each in the middle of its `place`, its label below."""
    from PIL import ImageDraw

    draw, font = ImageDraw.Draw(picture), OWN.at(LABEL_TYPE)
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


class Text(NamedTuple):
    """Words in one type, as they can be drawn."""

    words: str
    font: Font

    @classmethod
    def of(cls, words: str, size: float) -> Text:
        """In type of this size, in the face that has the letters."""
        drawn, face = drawable(words)
        return cls(drawn, face.at(size))

    @property
    def width(self) -> float:
        """In pixels, on one line."""
        return self.font.getlength(self.words)

    def lines(self, room: float, most: int = 99) -> list[Text]:
        """In lines that are at most `room` pixels wide; too long a word is broken.

        Of more than `most` lines the last one ends in an ellipsis.
        """
        found = wrapped(self.words, self.font, room, most)
        if len(found) > most:
            last = found[most - 1]
            while last and not self._fits(f"{last}...", room):
                last = last[:-1]
            found = [*found[: most - 1], f"{last}..."]
        return [Text(line, self.font) for line in found]

    def draw(
        self, on: ImageDraw.ImageDraw, at: tuple[float, float], ink: Colour, anchor: str = "lm"
    ) -> None:
        """Draw it on one line."""
        on.text(at, self.words, ink, self.font, anchor=anchor)

    def _fits(self, words: str, room: float) -> bool:
        return self.font.getlength(words) <= room
