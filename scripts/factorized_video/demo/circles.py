"""The demo checks: six small circles on a card, which the demo's judge can really see.

A circle is filled where the demo did as it was asked, and hollow where it planted a fault. This
judges nothing: it gives --verify something to find and --repair something to fix. The circles are
read from the picture alone, which may have been made smaller and saved as a JPEG on its way.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .geometry import Layout, layout_of

if TYPE_CHECKING:
    from PIL import Image

COUNT = 6
# The circles that are hollow on candidates 1, 2, 3, 4, and over again from 5 on: one candidate
# gives --repair something to fix, of three the last is faultless.
FAULTS = ((5,), (2, 4), (), (3,))

PITCH, RADIUS, LINE = 28, 9, 2.5  # in units: from centre to centre, the radius, the ring's line
DOWN = 20  # from the top of the words to the centres, in units
_SMALLEST = 160  # pixels of the short side; below it a circle is under four pixels wide
# Levels of grey, of 255. An accent has a contrast of 4.5 to its paper, over 80 levels.
_STEP, _NOISE = 30, 12


def faults_of(candidate: int) -> tuple[int, ...]:
    """Return the numbers, from 1, of the circles that are hollow on a candidate, itself from 1."""
    return FAULTS[(candidate - 1) % len(FAULTS)]


def centres_of(layout: Layout) -> list[tuple[float, float]]:
    """Return where the circles are, from left to right, in pixels."""
    last, y = layout.words[2] - RADIUS * layout.unit, layout.words[1] + DOWN * layout.unit
    return [(last - PITCH * layout.unit * (COUNT - number), y) for number in range(1, COUNT + 1)]


def draw_circle(
    card: Image.Image, centre: tuple[float, float], colour: object, hollow: bool = False
) -> None:
    """Draw a circle with smooth edges on a card."""
    from PIL import Image, ImageDraw

    unit, fine, (x, y) = layout_of(card.size).unit, 4, centre
    r = RADIUS * unit
    left, top, side = math.floor(x - r), math.floor(y - r), math.ceil(2 * r) + 1
    mask = Image.new("L", (fine * side, fine * side))
    box = [fine * at for at in (x - r - left, y - r - top, x + r - left, y + r - top)]
    ImageDraw.Draw(mask).ellipse(box, 0 if hollow else 255, 255, round(fine * LINE * unit))
    card.paste(colour, (left, top, left + side, top + side), mask.reduce(fine))  # type: ignore[arg-type]


def read_circles(picture: Image.Image) -> tuple[bool, ...] | None:
    """Say which circles on a picture (RGB, any size) are filled; None where it is no demo card."""
    if min(picture.size) < _SMALLEST:
        return None
    grey, layout = picture.convert("L"), layout_of(picture.size)
    filled, paper = [], None
    for centre in centres_of(layout):
        inside, line, around = _levels(grey, centre, layout.unit)
        paper = around if paper is None else paper
        if abs(around - paper) > _NOISE or abs(line - paper) < _STEP:
            return None
        filled.append(abs(inside - paper) > 0.75 * abs(line - paper))
    return tuple(filled)


def _levels(grey: Image.Image, centre: tuple[float, float], unit: float) -> tuple[float, ...]:
    """The mean levels of a circle's inside, its line, and the ground around it."""
    from PIL import Image

    fine, (x, y), half = 40, centre, PITCH / 2 * unit
    box = (x - half, y - half, x + half, y + half)
    zones: tuple[list[int], ...] = ([], [], [])
    cell = grey.resize((fine, fine), Image.Resampling.BICUBIC, box).tobytes()
    for at, value in enumerate(cell):
        far = math.dist((at % fine + 0.5, at // fine + 0.5), (fine / 2, fine / 2))
        share = far * PITCH / fine / RADIUS  # of the radius
        zone = 0 if share < 0.4 else 1 if 0.75 < share < 1 else 2 if share > 1.4 else None
        if zone is not None:
            zones[zone].append(value)
    return tuple(sum(zone) / len(zone) for zone in zones)


def filled_in(card: Image.Image, filled: tuple[bool, ...]) -> Image.Image:
    """Return a card with its hollow circles filled, and nothing else changed."""
    fixed, layout = card.copy(), layout_of(card.size)
    left, top = (round(at + 5 * layout.unit) for at in layout.words[:2])
    for centre, full in zip(centres_of(layout), filled, strict=True):
        if not full:
            draw_circle(fixed, centre, card.getpixel((left, top)))  # the colour of the stamp
    return fixed
