"""The card, which the demo gateway answers an image request with: a placeholder, and it says so.

Flat hills under a sun, which stand for nothing, beside the caption. Pure: bytes in, bytes out, no
files, no clock. Every length is a multiple of the *unit*, 1/720 of the short side.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..fonts import OWN, drawable, wrapped
from .circles import PITCH, centres_of, draw_circle, faults_of
from .decoding import as_png
from .geometry import MARGIN, Layout, Size, layout_of
from .lettering import LEADING, fitted, shortened

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

HONEST = "A placeholder from the demo gateway. With a key, an image model makes it."
# What a card is: the anchor, or the beginning of a clip that was asked for without one.
ANCHOR, DIRECT = "Anchor", "Direct from the prompt"
SMALL = 15  # the type of the small print, in units
STAMP = (92, 40)  # width and height of the DEMO stamp, in units
DARK, AMBER, WHITE = "#0c0e10", "#f0a35e", "#ffffff"
MOST_SHOWN = 4  # reference pictures; more are counted


class Palette(NamedTuple):
    """The colours of a card, '#rrggbb'. Ink and accent are read on paper, paper on accent."""

    sky: str
    sun: str
    far: str
    middle: str
    near: str
    paper: str
    ink: str
    accent: str


PALETTES = {
    "photorealistic": "#9db4c4 #fff3da #7b8f98 #516169 #27343a #f5f2ec #22282c #a3461f",
    "cinematic": "#16424f #f0a35e #47605f #2c4245 #10242a #0a0d0f #efe9df #f0a35e",
    "anime": "#7cc4f2 #fffbe4 #86cfae #589f96 #2a6f7c #ffffff #1d2b4a #c92f68",
    "illustration": "#f6cf9a #e4572e #6d9a86 #467472 #1f4e5f #fbf3e4 #23303a #b93d25",
    "3d-render": "#c3c7ea #ff9066 #b9abea #8e7ed7 #6450c4 #1f1b33 #f2effc #ffb08a",
    "oil-painting": "#6f86ab #fae8ac #75834f #525e3a #2f3a24 #2a211a #f3e7d2 #e3aa50",
    "watercolor": "#cfe4ec #f0a48a #9fc4c4 #739ea7 #47788a #fbf8f1 #2c3f4a #a8452f",
}


def palette_of(style: str) -> Palette:
    """Return the palette of a style; any other word has one of the seven, always the same."""
    word = style.strip().lower()
    chosen = hashlib.sha256(word.encode("utf-8", "replace")).digest()[0] % len(PALETTES)
    return Palette(*PALETTES.get(word, [*PALETTES.values()][chosen]).split())


def draw_card(
    caption: str,
    style: str,
    size: Size,
    candidate: int = 1,
    kind: str = ANCHOR,
    references: Sequence[Image.Image] = (),
) -> bytes:
    """Draw the card of a caption and return it as PNG bytes (RGB, `size` pixels).

    Every candidate, from 1, has a picture and faults of its own (`circles.py`). The first of the
    `references` are shown on the picture.
    """
    from PIL import Image, ImageDraw

    palette, layout = palette_of(style), layout_of(size)
    card = Image.new("RGB", size, palette.paper)
    draw, unit, (left, top, right, bottom) = ImageDraw.Draw(card), layout.unit, layout.picture
    seed = f"{style}\n{caption}\n{candidate}".encode("utf-8", "replace")
    picture = _hills((right - left, bottom - top), palette, random.Random(seed))
    _pin(picture, references[:MOST_SHOWN], unit)
    card.paste(picture, (left, top))

    draw_stamp(draw, layout.words[:2], unit, palette.accent, palette.paper)
    centres = centres_of(layout)
    for number, centre in enumerate(centres, 1):
        draw_circle(card, centre, palette.accent, number in faults_of(candidate))
    at, small = (centres[0][0] - PITCH * unit, centres[0][1] + 0.36 * SMALL * unit), SMALL * unit
    draw.text(at, "checks", palette.accent, OWN.at(small), anchor="rs")
    about = [kind, style, f"{size[0]} x {size[1]}"]
    if references:
        about.append(f"{len(references)} reference{'s' * (len(references) > 1)}")
    _write(draw, layout, palette, caption, " · ".join(filter(None, about)))
    return as_png(card)


def _hills(size: Size, palette: Palette, dice: random.Random) -> Image.Image:
    """Draw three flat hills under a sun, all of them ellipses."""
    from PIL import Image, ImageDraw

    width, height = 2 * size[0], 2 * size[1]  # and reduced below: the edges get smooth
    picture = Image.new("RGB", (width, height), palette.sky)
    draw = ImageDraw.Draw(picture)

    def disc(x: float, y: float, across: float, down: float, colour: str) -> None:
        draw.ellipse((x - across, y - down, x + across, y + down), colour)

    sun = min(width, height) * dice.uniform(0.1, 0.16)
    disc(width * dice.choice((1, 2)) / 3, height * dice.uniform(0.24, 0.36), sun, sun, palette.sun)
    side = dice.choice((0.15, 0.85))
    for number, tone in enumerate((palette.far, palette.middle, palette.near)):
        summit = height * (0.46 + 0.17 * number + dice.uniform(-0.05, 0.05))
        across = width * (0.7 + 0.2 * number) * dice.uniform(0.9, 1.1)
        disc(width * side, summit + height, across, height, tone)
        side = 1 - side  # the next hill stands on the other side
    return picture.reduce(2)


def _pin(picture: Image.Image, references: Sequence[Image.Image], unit: float) -> None:
    """Put small framed copies of the reference pictures in a row across the picture."""
    from PIL import ImageOps

    place, edge = picture.width // max(1, len(references)), round(4 * unit)
    for number, one in enumerate(references):
        copy = ImageOps.contain(one, (round(0.8 * place), round(0.4 * picture.height)))
        copy = ImageOps.expand(copy, edge, WHITE)
        left = place * number + (place - copy.width) // 2
        picture.paste(copy, (left, (picture.height - copy.height) // 2))


def draw_stamp(
    draw: ImageDraw.ImageDraw, at: Sequence[float], unit: float, ground: str, text: str
) -> None:
    """Stamp DEMO; `at` is the upper left corner."""
    (x, y), (wide, high) = at, (side * unit for side in STAMP)
    draw.rectangle((x, y, x + wide - 1, y + high - 1), ground)
    draw.text((x + wide / 2, y + 28 * unit), "DEMO", text, OWN.at(23 * unit), anchor="ms")


def _write(
    draw: ImageDraw.ImageDraw, layout: Layout, palette: Palette, caption: str, about: str
) -> None:
    """Write the caption as large as it goes, and the small print at the foot of the words."""
    unit, (left, top, right, bottom), small = layout.unit, layout.words, SMALL * layout.unit
    about, face = drawable(about)
    foot = [(shortened(about, small, right - left, face), palette.accent, face)]
    foot += [(line, palette.ink, OWN) for line in wrapped(HONEST, OWN.at(small), right - left)]
    for number, (line, colour, face) in enumerate(reversed(foot)):
        y = bottom - 1.4 * small * number
        draw.text((left, y), line, colour, face.at(small), anchor="ls")

    start = top + (STAMP[1] + 40) * unit
    room = bottom - 1.4 * small * len(foot) - 24 * unit - start
    text, face = drawable(caption or "No caption was given.")
    size, lines = fitted(text, right - left, room, unit, face)
    for number, line in enumerate(lines):
        y = start + size * (0.8 + LEADING * number)
        draw.text((left, y), line, palette.ink, face.at(size), anchor="ls")


def with_change(picture: Image.Image, change: str, candidate: int = 1) -> Image.Image:
    """Return the picture with a strip across its upper edge that names the change asked for."""
    from PIL import ImageDraw

    shown, unit = picture.copy(), min(picture.size) / 720
    draw, size, left, base = ImageDraw.Draw(shown), 20 * unit, 48 * unit, 27 * unit
    tag = "DEMO EDIT" if candidate == 1 else f"DEMO EDIT {candidate}"
    start = left + OWN.at(size).getlength(f"{tag}    ")
    text, face = drawable(change)
    text = shortened(text, size, picture.width - left - start, face)
    draw.rectangle((0, 0, picture.width, 40 * unit), DARK)
    draw.text((left, base), tag, AMBER, OWN.at(size), anchor="ls")
    draw.text((start, base), text, WHITE, face.at(size), anchor="ls")
    return shown


def extended(picture: Image.Image, size: Size) -> Image.Image:
    """Return the whole picture in the middle of a frame of this size, before a blur of itself."""
    from PIL import ImageDraw, ImageFilter, ImageOps

    around = ImageOps.fit(picture, size).filter(ImageFilter.GaussianBlur(max(size) / 40))
    inside = ImageOps.contain(picture, size)
    around.paste(inside, ((size[0] - inside.width) // 2, (size[1] - inside.height) // 2))
    unit = min(size) / 720
    corner = (MARGIN / 2 * unit, size[1] - MARGIN / 2 * unit - STAMP[1] * unit)
    draw_stamp(ImageDraw.Draw(around), corner, unit, DARK, AMBER)
    return around
