"""Two clips at a glance: one PNG of both filmstrips side by side, each with text below."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..aspect_ratios import Size
from ..errors import OutputError
from .frames import frames_at, moments
from .grid import (
    FAINT,
    GAP,
    GROUND,
    INK,
    LABEL_HEIGHT,
    LABEL_TYPE,
    PANEL,
    WIDTH,
    as_png,
    drawable,
    in_a_row,
    paste_tiles,
    wrapped,
)

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

    from .grid import Font

# Both halves have the same colours: neither should look like the better one.
EMPTY, NOTE = (28, 28, 31), (222, 184, 96)
_TITLE, BODY = 30, 20  # type sizes; agents' viewers show the picture unscaled
PAD, HEAD, LINE = 14, 44, 26  # pixels: a card's margin, its heading, a line of text
HALF = (WIDTH - 3 * GAP) // 2
ROOM = HALF - 2 * PAD  # for frames and words
TALLEST = 420  # pixels; frames of very tall clips are made narrower instead
LOWEST = 240  # pixels of the field with the reason why there is no clip


class Side(NamedTuple):
    """One of the two. `lines` stand under its frames; without a clip, `why` in their place."""

    title: str
    clip: Path | None
    lines: tuple[str, ...] = ()
    why: str = ""


class _Grid(NamedTuple):
    """Frames with their labels; `about` stands beside the title."""

    tiles: list[tuple[Image.Image, str]]
    tall: int  # pixels of a tile
    row: int
    about: str

    def deep(self, tall: int) -> int:
        """Pixels from the first frame's top to the last label's end, for tiles so tall."""
        rows = -(-len(self.tiles) // self.row)
        return rows * (tall + LABEL_HEIGHT) + (rows - 1) * GAP


def columns(width: int, height: int, count: int) -> int:
    """How many frames stand in a row of one half. Pure.

    Two wide ones, four upright ones, three about square: frames as large as they can be in a
    picture that viewers show unscaled.
    """
    return in_a_row((width, height), count, (2, 3, 4), square=1.2)


def tile_size(width: int, height: int, row: int) -> Size:
    """Pixels of a frame if so many stand in a row of one half. Pure."""
    wide = _wide(row)
    tall = wide * height / width
    scale = min(1.0, TALLEST / tall)
    return max(1, round(wide * scale)), max(1, round(tall * scale))


def comparison(left: Side, right: Side) -> bytes:
    """The PNG. Frames are at each clip's own times, evenly spaced, the first and last included.

    A clip that cannot be decoded leaves its half with the reason. Raises OutputError if neither can
    be decoded.
    """
    from PIL import Image, ImageDraw, ImageFont

    sides = (left, right)
    found = [_grid(side) for side in sides]
    grids = [one for one in found if isinstance(one, _Grid)]
    if not grids:
        raise OutputError("neither clip can be decoded here.")
    body = ImageFont.load_default(BODY)
    words = [[part for line in side.lines for part in wrapped(line, body, ROOM)] for side in sides]
    # By layout: rows of one layout stand at one height, though their frames may differ a little.
    tall = {grid.row: max(one.tall for one in grids if one.row == grid.row) for grid in grids}
    deep = max([LOWEST, *(grid.deep(tall[grid.row]) for grid in grids)])
    text = max(map(len, words)) * LINE
    height = PAD + HEAD + deep + (PAD + text if text else 0) + PAD
    picture = Image.new("RGB", (WIDTH, height + 2 * GAP), GROUND)
    draw = ImageDraw.Draw(picture)
    for place, (side, one) in enumerate(zip(sides, found, strict=True)):
        edge = GAP + place * (HALF + GAP)
        x, y = edge + PAD, GAP + PAD + HEAD
        draw.rectangle((edge, GAP, edge + HALF - 1, GAP + height - 1), PANEL)
        if isinstance(one, _Grid):
            _heading(draw, (x, GAP + PAD), side.title, one.about)
            size = _wide(one.row), tall[one.row]
            paste_tiles(picture, one.tiles, one.row, at=(x, y), place=size, ink=FAINT)
        else:
            _heading(draw, (x, GAP + PAD), side.title, "")
            _reason(draw, (x, y), deep, one, body)
        y += deep + PAD + LINE // 2
        for number, line in enumerate(words[place]):
            draw.text((x, y + number * LINE), line, INK, body, anchor="lm")
    return as_png(picture)


def _wide(row: int) -> int:
    """Pixels of a frame's place in a row of so many."""
    return (ROOM - GAP * (row - 1)) // row


def _grid(side: Side) -> _Grid | str:
    """The frames of a side, or why there are none."""
    if side.clip is None:
        return side.why or "There is no clip."
    try:
        times, shape, duration_s = moments(side.clip)
        row = columns(*shape, len(times))
        size = tile_size(*shape, row)
        frames = frames_at(side.clip, times, size)
    except OutputError:
        # Without the cause: it contains paths of this machine, and the picture may be passed on.
        return "There is a clip, but it cannot be decoded here."
    about = f"{duration_s:.2f} s, {shape[0]} x {shape[1]}"
    return _Grid([(frame, f"{when:.2f} s") for when, frame in frames], size[1], row, about)


def _heading(draw: ImageDraw.ImageDraw, at: tuple[int, int], title: str, about: str) -> None:
    """The title on the left and, if there is room, the measurements on the right."""
    from PIL import ImageFont

    large, small = ImageFont.load_default(_TITLE), ImageFont.load_default(LABEL_TYPE)
    base = at[1] + _TITLE - 4
    spare = ROOM - (small.getlength(about) + 2 * PAD if about else 0)
    draw.text((at[0], base), wrapped(title, large, spare)[0], INK, large, anchor="ls")
    draw.text((at[0] + ROOM, base), drawable(about), FAINT, small, anchor="rs")


def _reason(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], deep: int, why: str, font: Font
) -> None:
    """An empty field where the frames would be, with the reason in its middle."""
    x, y = at
    draw.rectangle((x, y, x + ROOM - 1, y + deep - 1), EMPTY)
    lines = wrapped(why, font, ROOM - 8 * PAD)
    top = y + deep // 2 - (len(lines) - 1) * LINE // 2
    for number, line in enumerate(lines):
        draw.text((x + ROOM // 2, top + number * LINE), line, NOTE, font, anchor="mm")
