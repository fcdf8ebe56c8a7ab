"""The demo checks: six small circles on a card, which the demo's judge can really see.

A circle is filled where the demo did as it was asked, and hollow where it planted a fault. Nothing
is judged by this: it gives the loop that looks at anchors something to find and to mend. Everything
is told from the picture alone, which may have been made smaller and saved as a JPEG on its way.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, cast

from .sizes import Size
from .typesetting import HEAD, margin_of

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

COUNT = 6
# The circles that are hollow on candidates 1, 2, 3, 4, and over again from 5 on: one candidate
# gives --repair something to mend, of three the last is faultless.
FAULTS = ((5,), (2, 4), (), (3,))

# In units: from the margin to the first centre, past the label; from centre to centre; from the
# panel's edge down to the centres, the middle of the label's capitals; the radius; the ring's line.
FIRST, PITCH, DOWN, RADIUS, LINE = 200, 21, 36.5, 7, 1.75
END = FIRST + (COUNT - 1) * PITCH + RADIUS  # where the last circle ends
RULE = 4  # the height of the line on the panel's edge
_SMALLEST = 160  # pixels of the short side; below it a circle is under three pixels wide

# Levels of grey, of 255. Rule and circles have a contrast of 4.5 to the panel, over 80 levels;
# a JPEG adds a few.
_STEP, _NOISE = 30, 6


class Row(NamedTuple):
    """The circles on a picture: their centres and radius in pixels, and which are filled."""

    centres: tuple[tuple[float, float], ...]
    radius: float
    filled: tuple[bool, ...]


def faults_of(candidate: int) -> tuple[int, ...]:
    """Return the numbers, from 1, of the circles that are hollow on a candidate, itself from 1."""
    return FAULTS[(candidate - 1) % len(FAULTS)]


def centres_of(size: Size, y: float) -> tuple[tuple[float, float], ...]:
    """Return where the circles are on a card of this size, from left to right, in pixels."""
    left, unit = margin_of(size), min(size) / 720
    return tuple((left + (FIRST + PITCH * index) * unit, y) for index in range(COUNT))


def draw_row(
    draw: ImageDraw.ImageDraw, size: Size, edge: float, hollow: tuple[int, ...], colour: str
) -> None:
    """Draw the circles in the panel that begins at y = `edge`."""
    unit = min(size) / 720
    for number, (x, y) in enumerate(centres_of(size, edge + DOWN * unit), 1):
        r = RADIUS * unit
        box = (x - r, y - r, x + r, y + r)
        if number in hollow:
            draw.ellipse(box, outline=colour, width=max(1, round(LINE * unit)))
        else:
            draw.ellipse(box, fill=colour)


def read_row(picture: Image.Image) -> Row | None:
    """Find the circles on a picture (RGB, any size); None where it is no demo card."""
    size, unit = picture.size, min(picture.size) / 720
    if min(size) < _SMALLEST:
        return None
    grey = picture.convert("L")
    panel = _panel(grey)
    if panel is None:
        return None
    level, edge = panel
    y = _middle(grey, level, edge)
    if y is None:
        return None
    filled = []
    for centre in centres_of(size, y):
        inside, line, around = _ink(grey, level, centre, unit)
        if line < _STEP or around > 0.4 * line:
            return None  # nothing is here, or more than a circle
        filled.append(inside > 0.75 * line)
    return Row(centres_of(size, y), RADIUS * unit, tuple(filled))


def mended(picture: Image.Image, row: Row) -> Image.Image:
    """Return the picture with its hollow circles filled, and nothing else changed."""
    from PIL import Image, ImageDraw

    circles, r, factor = [*zip(row.centres, row.filled, strict=True)], row.radius, 4
    (first, y), (last, _) = row.centres[0], row.centres[-1]
    left, top = math.floor(first - 2 * r), math.floor(y - 2 * r)
    box = (left, top, math.ceil(last + 2 * r), math.ceil(y + 2 * r))
    strip = picture.crop(box)
    colours = cast("list[tuple[int, tuple[int, int, int]]]", strip.getcolors(1 << 24))
    paper = max(colours)[1]
    # That of a filled circle. Where there is none, the farthest from the panel's: a ring may be
    # too thin to show its own anywhere but in its middle.
    colour = next(
        (picture.getpixel((int(x), int(y))) for (x, y), filled in circles if filled),
        max((at for _, at in colours), key=lambda at: math.dist(at, paper)),
    )
    mask = Image.new("L", (strip.width * factor, strip.height * factor))
    draw = ImageDraw.Draw(mask)
    for x in (x for (x, _), filled in circles if not filled):
        h, v = (x - left) * factor, (y - top) * factor
        draw.ellipse((h - r * factor, v - r * factor, h + r * factor, v + r * factor), 255)
    result = picture.copy()
    result.paste(cast("tuple[int, int, int]", colour), box, mask.reduce(factor))
    return result


def _panel(grey: Image.Image) -> tuple[int, float] | None:
    """The panel's level of grey and the y of its upper edge, under the rule; None without one.

    Its margins are empty, so both are one level from the foot of the card up to the rule.
    """
    from PIL import Image

    (width, height), wide = grey.size, max(1, int(0.8 * margin_of(grey.size)))
    found = []
    for left in (0, width - wide):
        strip = grey.crop((left, 0, left + wide, height))
        rows = strip.resize((1, height), Image.Resampling.BOX).tobytes()
        edge = next((y for y in reversed(range(height)) if abs(rows[y] - rows[-1]) > _STEP), None)
        if edge is None:
            return None
        found.append((rows[-1], edge + 1))
    (level, edge), (other, beside) = found
    alike = abs(level - other) <= _NOISE and abs(edge - beside) <= 1
    return (level, edge) if alike else None


def _middle(grey: Image.Image, level: int, edge: float) -> float | None:
    """The y of the circles' centres: where the weight of what is drawn in their row lies.

    More exact than the edge, which on a picture made much smaller is the blur of a thin rule.
    """
    from PIL import Image

    unit = min(grey.size) / 720
    expected = edge + (DOWN - RULE) * unit
    centres = centres_of(grey.size, expected)
    left, right = centres[0][0] - 2 * RADIUS * unit, centres[-1][0] + 2 * RADIUS * unit
    top, bottom = math.ceil(edge + 10 * unit), math.floor(edge + (HEAD - 12) * unit)
    if bottom > grey.height or bottom - top < 2:
        return None
    strip = grey.crop((round(left), top, round(right), bottom))
    ink = strip.point([max(0, abs(value - level) - _NOISE) for value in range(256)])
    rows = ink.resize((1, ink.height), Image.Resampling.BOX).tobytes()
    if not sum(rows):
        return None
    y = top + sum((at + 0.5) * weight for at, weight in enumerate(rows)) / sum(rows)
    return y if abs(y - expected) <= 3 * unit + 1 else None


def _ink(
    grey: Image.Image, level: int, centre: tuple[float, float], unit: float
) -> tuple[float, float, float]:
    """How far a circle's inside, its line and the ground around it are from the panel's level."""
    from PIL import Image

    fine, half = 40, PITCH / 2 * unit
    x, y = centre
    box = (x - half, y - half, x + half, y + half)
    cell = grey.resize((fine, fine), Image.Resampling.BICUBIC, box=box).tobytes()
    zones: tuple[list[int], ...] = ([], [], [])
    for at, value in enumerate(cell):
        far = math.dist((at % fine + 0.5, at // fine + 0.5), (fine / 2, fine / 2))
        share = far * PITCH / fine / RADIUS  # of the radius
        zone = 0 if share < 0.35 else 1 if 0.7 < share < 1 else 2 if share > 1.5 else None
        if zone is not None:
            zones[zone].append(abs(value - level))
    inside, line, around = (sum(zone) / len(zone) for zone in zones)
    return inside, line, around
