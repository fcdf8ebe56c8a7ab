"""Two clips at a glance: one PNG of both filmstrips side by side, each with what is said of it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import OutputError
from .clips import measure_video
from .contact_sheet import drawable, wrapped
from .filmstrip import GAP, LABEL_HEIGHT, WIDTH, frames_at, times

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

    from .contact_sheet import Font

_GROUND, _CARD, _EMPTY = (24, 24, 26), (38, 38, 42), (28, 28, 31)
# Both ways have the same colours: neither is to look like the better one.
_INK, _FAINT, _NOTE = (236, 236, 236), (168, 168, 172), (222, 184, 96)
_TITLE, _BODY, _SMALL = 30, 20, 18  # type sizes; agents' viewers show the picture unscaled
_PAD, _HEAD, _LINE = 14, 44, 26  # pixels: a card's margin, its heading, a line of text
HALF = (WIDTH - 3 * GAP) // 2
ROOM = HALF - 2 * _PAD  # for frames and words
TALLEST = 420  # pixels; frames of very tall clips are made narrower instead
LOWEST = 240  # pixels of the field that says why there is no clip


class Side(NamedTuple):
    """One of the two. `lines` are written under its frames; `why` in their place without a clip."""

    title: str
    clip: Path | None
    lines: tuple[str, ...] = ()
    why: str = ""


class _Grid(NamedTuple):
    """Frames with their labels, ready to be pasted; `about` is said beside the title."""

    tiles: list[tuple[Image.Image, str]]
    size: tuple[int, int]  # pixels of a tile
    row: int
    about: str

    @property
    def rows(self) -> int:
        return -(-len(self.tiles) // self.row)


def columns(width: int, height: int, count: int) -> int:
    """How many frames stand in a row of one half. Pure.

    Wide ones two, upright ones four, those about square three: so that a frame is as large as it
    can be while the picture is no taller than viewers show unscaled.
    """
    most = 4 if height * 5 > width * 6 else 2 if width * 5 > height * 6 else 3
    return max(1, min(most, count))


def tile_size(width: int, height: int, row: int) -> tuple[int, int]:
    """Pixels of a frame where so many stand in a row of one half. Pure."""
    wide = (ROOM - GAP * (row - 1)) // row
    tall = wide * height / width
    scale = min(1.0, TALLEST / tall)
    return max(1, round(wide * scale)), max(1, round(tall * scale))


def comparison(left: Side, right: Side) -> bytes:
    """The PNG. Frames are at each clip's own times, evenly spaced, the first and last included.

    A clip that cannot be decoded leaves its half with the reason. Raises OutputError where neither
    can be decoded.
    """
    from PIL import Image, ImageDraw, ImageFont

    sides = (left, right)
    found = [_grid(side) for side in sides]
    grids = [one for one in found if isinstance(one, _Grid)]
    if not grids:
        raise OutputError("neither clip can be decoded here.")
    body, small = ImageFont.load_default(_BODY), ImageFont.load_default(_SMALL)
    words = [[part for line in side.lines for part in wrapped(line, body, ROOM)] for side in sides]
    # By layout: rows of one layout stand at one height, though their frames may differ by a bit.
    tall = {grid.row: max(one.size[1] for one in grids if one.row == grid.row) for grid in grids}
    deep = max([LOWEST, *(_deep(grid.rows, tall[grid.row]) for grid in grids)])
    text = max(map(len, words)) * _LINE
    height = _PAD + _HEAD + deep + (_PAD + text if text else 0) + _PAD
    picture = Image.new("RGB", (WIDTH, height + 2 * GAP), _GROUND)
    draw = ImageDraw.Draw(picture)
    for place, (side, one) in enumerate(zip(sides, found, strict=True)):
        edge = GAP + place * (HALF + GAP)
        x, y = edge + _PAD, GAP + _PAD
        draw.rectangle((edge, GAP, edge + HALF - 1, GAP + height - 1), _CARD)
        about = one.about if isinstance(one, _Grid) else ""
        _heading(draw, (x, y), side.title, about)
        y += _HEAD
        if isinstance(one, _Grid):
            _paste(picture, draw, (x, y), one, tall[one.row], small)
        else:
            draw.rectangle((x, y, x + ROOM - 1, y + deep - 1), _EMPTY)
            _middle(draw, (x + ROOM // 2, y + deep // 2), wrapped(one, body, ROOM - 8 * _PAD), body)
        y += deep + _PAD + _LINE // 2
        for line in words[place]:
            draw.text((x, y), line, _INK, body, anchor="lm")
            y += _LINE
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=4)
    return out.getvalue()


def _grid(side: Side) -> _Grid | str:
    """The frames of a side, or why there are none."""
    if side.clip is None:
        return side.why or "There is no clip."
    try:
        measured = measure_video(side.clip)
        if measured is None:
            raise OutputError("the clip cannot be measured here.")
        shape = measured["width"], measured["height"]
        wanted = times(measured["duration_s"], measured["fps"])
        row = columns(*shape, len(wanted))
        size = tile_size(*shape, row)
        frames = frames_at(side.clip, wanted, size)
    except OutputError:
        # Without the cause: that names paths of this machine, and the picture may be passed on.
        return "There is a clip, but it cannot be decoded here."
    about = f"{measured['duration_s']:.2f} s, {shape[0]} x {shape[1]}"
    return _Grid([(frame, f"{when:.2f} s") for when, frame in frames], size, row, about)


def _deep(rows: int, tall: int) -> int:
    """Pixels from the first frame's top to the last label's end."""
    return rows * (tall + LABEL_HEIGHT) + (rows - 1) * GAP


def _heading(draw: ImageDraw.ImageDraw, at: tuple[int, int], title: str, about: str) -> None:
    """The title on the left and, where there is room, on the right what was measured."""
    from PIL import ImageFont

    large, small = ImageFont.load_default(_TITLE), ImageFont.load_default(_SMALL)
    base = at[1] + _TITLE - 4
    spare = ROOM - (small.getlength(about) + 2 * _PAD if about else 0)
    draw.text((at[0], base), wrapped(title, large, spare)[0], _INK, large, anchor="ls")
    draw.text((at[0] + ROOM, base), drawable(about), _FAINT, small, anchor="rs")


def _paste(
    picture: Image.Image,
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    grid: _Grid,
    tall: int,
    font: Font,
) -> None:
    """The frames in rows, each in the middle of its place, its time below."""
    wide = (ROOM - GAP * (grid.row - 1)) // grid.row
    for number, (image, label) in enumerate(grid.tiles):
        x = at[0] + number % grid.row * (wide + GAP)
        y = at[1] + number // grid.row * (tall + LABEL_HEIGHT + GAP)
        picture.paste(image, (x + (wide - image.width) // 2, y + (tall - image.height) // 2))
        middle = x + wide // 2, y + tall + LABEL_HEIGHT // 2
        draw.text(middle, label, _FAINT, font, anchor="mm")


def _middle(draw: ImageDraw.ImageDraw, at: tuple[int, int], lines: list[str], font: Font) -> None:
    """Lines of text around a point."""
    top = at[1] - (len(lines) - 1) * _LINE // 2
    for number, line in enumerate(lines):
        draw.text((at[0], top + number * _LINE), line, _NOTE, font, anchor="mm")
