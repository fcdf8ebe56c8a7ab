"""A story at a glance: PNGs of the cast and of the first frame of each shot, in order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import OutputError
from .grid import FAINT, GAP, GROUND, INK, PANEL, WIDTH, Text, as_png

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

    from ..aspect_ratios import Size

_TITLE, _NAME, _SMALL, _LINE = 34, 24, 19, 24  # type sizes, and the height of a line
_PAD = 12
_CAST_HEIGHT = 240  # pixels of a picture of the cast
_TALLEST = 420  # of a first frame
_WORDS = 3  # lines of a prompt
A_PAGE = 12  # shots: of more, viewers would scale the words down until nobody can read them
_MISSING = (236, 120, 96)


class Frame(NamedTuple):
    """One shot, or one of the cast. Without a picture `note` says why."""

    title: str
    picture: Path | None
    facts: str = ""  # seconds, price, state
    words: str = ""  # the prompt
    note: str = ""
    ends: Path | None = None  # its last frame, where one was made; shown small


def storyboard(
    title: str, cast: Sequence[Frame], shots: Sequence[Frame], shape: Size
) -> list[bytes]:
    """The PNGs, of at most `A_PAGE` shots each; the cast is on the first.

    `shape` is that of the film's frames, where no picture shows it.
    """
    pages = [shots[start : start + A_PAGE] for start in range(0, len(shots), A_PAGE)] or [()]
    return [
        _page(f"{title} ({n} of {len(pages)})" if len(pages) > 1 else title, each, part, shape)
        for n, (each, part) in enumerate(zip([cast, *[()] * len(pages)], pages, strict=False), 1)
    ]


def _page(title: str, cast: Sequence[Frame], shots: Sequence[Frame], shape: Size) -> bytes:
    """One of them."""
    from PIL import Image, ImageDraw

    shown = {frame: _opened(frame.picture) for frame in (*cast, *shots)}
    sizes = [picture.size for frame in shots if (picture := shown[frame])]
    row, tile = _tiles(len(shots), sizes[0] if sizes else shape)
    panel = 2 * _PAD + _NAME + _LINE + _WORDS * _LINE
    lines = -(-len(shots) // row)
    top = GAP + _TITLE + 2 * _PAD
    cast_rows = _cast_rows(cast, shown)
    cast_height = _CAST_HEIGHT + _NAME + 2 * _PAD + GAP
    height = top + len(cast_rows) * cast_height + lines * (tile[1] + panel + GAP)
    sheet = Image.new("RGB", (WIDTH, height), GROUND)
    draw = ImageDraw.Draw(sheet)
    (heading,) = Text.of(title, _TITLE).lines(WIDTH - 4 * GAP, 1)
    heading.draw(draw, (2 * GAP, top // 2), INK)
    for each in cast_rows:
        left = GAP
        for frame, wide in each:
            size = (wide, _CAST_HEIGHT)
            _paste(sheet, draw, (left, top), size, size[1] + _NAME + 2 * _PAD, frame, shown[frame])
            name = Text.of(frame.title, _SMALL).lines(wide - 2 * _PAD, 1)[0]
            name.draw(draw, (left + _PAD, top + _CAST_HEIGHT + _PAD + _NAME // 2), INK)
            left += wide + GAP
        top += cast_height
    for number, frame in enumerate(shots):
        left = GAP + number % row * (tile[0] + GAP)
        at = left, top + number // row * (tile[1] + panel + GAP)
        _paste(sheet, draw, at, tile, tile[1] + panel, frame, shown[frame])
        _inset(sheet, frame, at, tile)
        _write(draw, frame, (at[0] + _PAD, at[1] + tile[1] + _PAD), tile[0] - 2 * _PAD)
    return as_png(sheet)


def _tiles(count: int, shape: Size) -> tuple[int, Size]:
    """How many shots stand in a row, and how large each is."""
    upright = shape[1] > shape[0]
    most = 4 if count > 9 or upright else 3
    row = max(1, min(most, count)) if count != 4 or upright else 2
    wide = (WIDTH - GAP * (row + 1)) // row
    tall = round(wide * shape[1] / shape[0])
    return row, (wide, max(1, min(_TALLEST, tall)))


def _cast_rows(
    cast: Sequence[Frame], shown: dict[Frame, Image.Image | None]
) -> list[list[tuple[Frame, int]]]:
    """The cast in rows, each with the width of its tile."""
    rows: list[list[tuple[Frame, int]]] = []
    left = WIDTH
    for frame in cast:
        picture = shown[frame]
        share = picture.width / picture.height if picture else 3 / 4
        wide = min(WIDTH // 2, max(140, round(_CAST_HEIGHT * share)))
        if left + wide + GAP > WIDTH:
            rows.append([])
            left = GAP
        rows[-1].append((frame, wide))
        left += wide + GAP
    return rows


def _opened(path: Path | None) -> Image.Image | None:
    """The picture as it is looked at, None where there is none, or none that can be decoded."""
    from .images import check_image, opened, to_show

    if path is None:
        return None
    try:
        return opened(to_show(check_image(path.read_bytes())))
    except (OSError, OutputError):
        return None


def _paste(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    size: Size,
    height: int,
    frame: Frame,
    picture: Image.Image | None,
) -> None:
    """A tile's background with its picture, or with why there is none."""
    from PIL import ImageOps

    draw.rectangle((*at, at[0] + size[0] - 1, at[1] + height - 1), PANEL)
    if picture:
        fitted = ImageOps.contain(picture, size)
        place = at[0] + (size[0] - fitted.width) // 2, at[1] + (size[1] - fitted.height) // 2
        sheet.paste(fitted, place)
        return
    lines = Text.of(frame.note, _SMALL).lines(size[0] - 2 * _PAD, max(1, size[1] // _LINE - 1))
    y = at[1] + size[1] // 2 - (len(lines) - 1) * _LINE // 2
    for line in lines:
        line.draw(draw, (at[0] + size[0] // 2, y), FAINT, "mm")
        y += _LINE


def _inset(sheet: Image.Image, frame: Frame, at: tuple[int, int], size: Size) -> None:
    """The last frame of a shot, small, in the lower right corner of its first."""
    from PIL import ImageOps

    picture = _opened(frame.ends)
    if picture is None:
        return
    small = ImageOps.contain(picture, (size[0] // 3, size[1] // 3))
    framed = ImageOps.expand(small, 3, GROUND)
    sheet.paste(framed, (at[0] + size[0] - framed.width, at[1] + size[1] - framed.height))


def _write(draw: ImageDraw.ImageDraw, frame: Frame, at: tuple[int, int], room: int) -> None:
    """A shot's name, facts and prompt, from `at` down; under a picture a note instead of facts."""
    left, y = at
    Text.of(frame.title, _NAME).lines(room, 1)[0].draw(draw, (left, y + _NAME // 2), INK)
    y += _NAME + _LINE // 2
    wrong = bool(frame.picture and frame.note)
    facts = Text.of(frame.note if wrong else frame.facts, _SMALL).lines(room, 1)
    if facts:
        facts[0].draw(draw, (left, y), _MISSING if wrong else FAINT)
    y += _LINE
    for line in Text.of(frame.words, _SMALL).lines(room, _WORDS):
        line.draw(draw, (left, y), INK)
        y += _LINE
