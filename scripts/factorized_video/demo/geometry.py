"""How large cards and clips are, and where the parts of a card lie. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

Size = tuple[int, int]  # width and height in pixels

SHORT_SIDES = {"480p": 480, "720p": 720, "1080p": 1080}
SMALLEST, LARGEST = 128, 1920  # a side in pixels, where they are asked for
MARGIN = 48  # around a card and between picture and words, in units
WORDS = 0.45  # the share of the words in what the margins leave of the long side
WIDEST_COLUMN = 720  # units; longer lines are hard to read


class Layout(NamedTuple):
    """Where picture and words of a card are, in pixels; the unit is 1/720 of the short side.

    The boxes are (left, top, right, bottom); that of the picture is whole pixels.
    """

    unit: float
    picture: tuple[int, int, int, int]
    words: tuple[float, float, float, float]


def size_in_pixels(text: str) -> Size | None:
    """The size that '1280x720' is; None for a text that is not of that form."""
    found = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", text)
    return (int(found[1]), int(found[2])) if found else None


def canvas(aspect_ratio: str, resolution: str = "720p") -> Size:
    """Return (width, height) in pixels, both even; '720p' is 720 on the short side.

    A resolution in pixels is that size, whatever the ratio. Raises ValueError for one that is
    neither, and for a ratio outside 1:4 .. 4:1.
    """
    if exact := size_in_pixels(resolution):
        if any(side % 2 or not SMALLEST <= side <= LARGEST for side in exact):
            raise ValueError(
                f"size {resolution}: expected even sides from {SMALLEST} to {LARGEST} px"
            )
        return exact
    if resolution not in SHORT_SIDES:
        raise ValueError(f"resolution {resolution!r}: expected one of {', '.join(SHORT_SIDES)}")
    ratio = re.fullmatch(r"([0-9]{1,6}):([0-9]{1,6})", aspect_ratio)
    wide, high = map(int, ratio.groups()) if ratio else (0, 0)
    if not (0 < wide <= 4 * high and 0 < high <= 4 * wide):
        raise ValueError(f"aspect ratio {aspect_ratio!r}: expected W:H between 1:4 and 4:1")
    short = SHORT_SIDES[resolution]
    long = 2 * round(short * max(wide, high) / min(wide, high) / 2)
    return (long, short) if wide >= high else (short, long)


def layout_of(size: Size) -> Layout:
    """Lay out a card: the words are right of the picture on a wide card, below it on others."""
    width, height = size
    unit = min(size) / 720
    margin = MARGIN * unit
    right, bottom = width - margin, height - margin
    if width > height:
        start = right - min(WORDS * (width - 3 * margin), WIDEST_COLUMN * unit)
        picture, words = (margin, margin, start - margin, bottom), (start, margin, right, bottom)
    else:
        start = bottom - WORDS * (height - 3 * margin)
        picture, words = (margin, margin, right, start - margin), (margin, start, right, bottom)
    left, top, *end = map(round, picture)
    return Layout(unit, (left, top, end[0], end[1]), words)
