"""Two clips at a glance: one PNG of the frames of both, one above the other, time for time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..aspect_ratios import Size
from ..errors import OutputError
from .frames import FRAMES, frames_at, moments
from .grid import (
    FAINT,
    GAP,
    GROUND,
    INK,
    LABEL_HEIGHT,
    LABEL_TYPE,
    PANEL,
    WIDTH,
    Text,
    as_png,
    paste_tiles,
)

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

# Both have the same colours: neither should look like the better one.
EMPTY, NOTE = (28, 28, 31), (222, 184, 96)
PROMPT, TITLE, BODY = 26, 24, 20  # type sizes; agents' viewers show the picture unscaled
PROMPT_LINES = 3
PAD, LINE, HEAD = 14, 30, 38  # pixels: around words, a line of them, a heading
ROOM = WIDTH - 2 * GAP
TALLEST = 340  # pixels of a frame
LOWEST = 90  # pixels of the field with the reason why there is no clip


class Side(NamedTuple):
    """One of the two. `lines` stand at the foot; without a clip, `why` in its frames' place."""

    title: str
    clip: Path | None
    lines: tuple[str, ...] = ()
    why: str = ""


class _Frames(NamedTuple):
    """The frames of a clip with their labels, and what the clip is."""

    tiles: list[tuple[Image.Image, str]]
    tall: int  # pixels of a frame
    about: str


def columns(shape: Size) -> int:
    """How many frames stand in a row: eight upright ones, four others. Pure."""
    return FRAMES if shape[1] > shape[0] * 1.2 else FRAMES // 2


def tile_size(shape: Size, row: int) -> Size:
    """Pixels of a frame if so many stand in a row. Pure."""
    wide = (ROOM - GAP * (row - 1)) // row
    scale = min(1.0, TALLEST / (wide * shape[1] / shape[0]))
    return max(1, round(wide * scale)), max(1, round(wide * scale * shape[1] / shape[0]))


def comparison(prompt: str, first: Side, second: Side) -> bytes:
    """The PNG: the prompt, then rows of frames of the one over those of the other.

    Frames are at each clip's own times, evenly spaced, the first and last included. A clip that
    cannot be decoded leaves the reason in its place. Raises OutputError if neither can be decoded.
    """
    from PIL import Image, ImageDraw

    sides = (first, second)
    shapes = [_shape(side) for side in sides]
    row = max((columns(shape) for shape in shapes if shape), default=FRAMES // 2)
    found = [_frames(side, shape, row) for side, shape in zip(sides, shapes, strict=True)]
    drawn = [one for one in found if isinstance(one, _Frames)]
    if not drawn:
        raise OutputError("neither clip can be decoded here.")
    blocks = max(-(-len(one.tiles) // row) for one in drawn)
    talls = [one.tall + LABEL_HEIGHT if isinstance(one, _Frames) else LOWEST for one in found]
    heading = Text.of(prompt, PROMPT).lines(ROOM - 2 * PAD, PROMPT_LINES)
    foot = _foot(sides)
    block = sum(HEAD + tall + GAP for tall in talls)
    high = (
        2 * PAD + LINE * len(heading) + blocks * block + PAD * bool(foot) + LINE * len(foot) + PAD
    )
    picture = Image.new("RGB", (WIDTH, high), GROUND)
    draw = ImageDraw.Draw(picture)
    y = PAD
    for line in heading:
        line.draw(draw, (GAP + PAD, y + LINE // 2), INK)
        y += LINE
    y += PAD
    for number in range(blocks):
        for side, one, tall in zip(sides, found, talls, strict=True):
            about = one.about if isinstance(one, _Frames) and not number else ""
            _heading(draw, y, side.title, about)
            _row(picture, one, (number * row, row), y + HEAD, tall)
            y += HEAD + tall + GAP
    y += PAD * bool(foot)
    for left, right in foot:
        left.draw(draw, (GAP + PAD, y + LINE // 2), INK)
        right.draw(draw, (WIDTH // 2 + PAD, y + LINE // 2), INK)
        y += LINE
    return as_png(picture)


def _shape(side: Side) -> Size | None:
    """Width and height of a side's clip; None where it has none that can be decoded."""
    try:
        return moments(side.clip).size if side.clip else None
    except OutputError:
        return None


def _frames(side: Side, shape: Size | None, row: int) -> _Frames | str:
    """The frames of a side, or why there are none."""
    if side.clip is None:
        return side.why or "There is no clip."
    # Without the cause: it contains paths of this machine, and the picture may be passed on.
    unreadable = "There is a clip, but it cannot be decoded here."
    if shape is None:
        return unreadable
    size = tile_size(shape, row)
    try:
        times, _, duration_s = moments(side.clip)
        frames = frames_at(side.clip, times, size)
    except OutputError:
        return unreadable
    about = f"{duration_s:.1f} s, {shape[0]} x {shape[1]}"
    return _Frames([(frame, f"{when:.1f} s") for when, frame in frames], size[1], about)


def _foot(sides: tuple[Side, Side]) -> list[tuple[Text, Text]]:
    """The lines of both, side by side below their titles."""
    room = WIDTH // 2 - 2 * PAD
    both = []
    for side in sides:
        lines = [part for line in side.lines for part in Text.of(line, BODY).lines(room)]
        both.append([Text.of(side.title, BODY), *lines] if lines else [])
    empty = Text.of("", BODY)
    longest = max(map(len, both))
    left, right = ([*lines, *[empty] * (longest - len(lines))] for lines in both)
    return list(zip(left, right, strict=True))


def _heading(draw: ImageDraw.ImageDraw, y: int, title: str, about: str) -> None:
    """The title on the left and the measurements on the right."""
    small = Text.of(about, LABEL_TYPE)
    (line, *_) = Text.of(title, TITLE).lines(ROOM - small.width - 3 * PAD, 1)
    line.draw(draw, (GAP + PAD, y + HEAD // 2), INK)
    small.draw(draw, (GAP + ROOM - PAD, y + HEAD // 2), FAINT, "rm")


def _row(
    picture: Image.Image, one: _Frames | str, part: tuple[int, int], y: int, tall: int
) -> None:
    """So many frames from the first of them on, or the reason why there are none."""
    from PIL import ImageDraw

    start, count = part
    wide = (ROOM - GAP * (count - 1)) // count
    draw = ImageDraw.Draw(picture)
    draw.rectangle((GAP, y, GAP + ROOM - 1, y + tall - 1), PANEL)
    if isinstance(one, _Frames):
        tiles = one.tiles[start : start + count]
        paste_tiles(picture, tiles, count, at=(GAP, y), place=(wide, one.tall), ink=FAINT)
        return
    draw.rectangle((GAP, y, GAP + ROOM - 1, y + tall - 1), EMPTY)
    lines = Text.of(one, BODY).lines(ROOM - 8 * PAD, 3)
    top = y + tall // 2 - (len(lines) - 1) * 24 // 2
    for number, line in enumerate(lines):
        line.draw(draw, (WIDTH // 2, top + number * 24), NOTE, "mm")
