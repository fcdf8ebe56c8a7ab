"""Candidates at a glance: one PNG of them all, each with its number, its score and what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .grid import FAINT, GAP, GROUND, INK, PANEL, WIDTH, as_png, drawable, in_a_row, wrapped
from .images import opened

if TYPE_CHECKING:
    from PIL import Image

    from ..aspect_ratios import Size
    from ..gateway.types import Picture
    from .grid import Font

_COLOURS = {"passed": (120, 200, 130), "failed": (236, 120, 96), "unknown": (222, 184, 96)}
_CHOSEN = _COLOURS["passed"]
_NUMBER, _LINE, _SMALL = 40, 22, 19  # type sizes; agents' viewers show the sheet unscaled
_PAD = 12
_WIDEST = 780
MOST_LINES = 6  # failed questions on a tile: more would be taller than the picture


class Tile(NamedTuple):
    """One candidate. `state` is passed, failed, unknown or unchecked; `lines` are what failed.

    A line is a word that is coloured ("no:", "unsure:", or none) and a text.
    """

    name: str
    picture: Picture  # as it is shown to the judge
    state: str
    title: str
    lines: tuple[tuple[str, str], ...] = ()
    chosen: bool = False


class _Fonts(NamedTuple):
    number: Font
    line: Font
    body: Font


class _Words(NamedTuple):
    """The text of a tile. A row is a coloured word, its colour, and the rest."""

    title_beside: bool  # whether the title fits beside the number; else it is in the rows
    rows: list[tuple[str, str, str]]


def columns(width: int, height: int, count: int) -> int:
    """How many tiles stand in a row, so that words below them can still be read. Pure."""
    return in_a_row((width, height), count, (3 if count > 4 else 2, 3, 4))


def contact_sheet(tiles: list[Tile]) -> bytes:
    """The PNG. The tiles are as wide as the first one's shape allows; others are fitted in."""
    from PIL import Image, ImageFont

    shape = opened(tiles[0].picture).size
    row = columns(*shape, len(tiles))
    wide = min(_WIDEST, (WIDTH - GAP * (row + 1)) // row)
    size = wide, max(1, round(wide * shape[1] / shape[0]))
    fonts = _Fonts(*map(ImageFont.load_default, (_NUMBER, _LINE, _SMALL)))
    words = [_words(tile, fonts, wide - 2 * _PAD) for tile in tiles]
    rows = [range(start, min(start + row, len(tiles))) for start in range(0, len(tiles), row)]
    panels = [_PAD * 2 + _NUMBER + _LINE * max(len(words[n].rows) for n in each) for each in rows]
    height = GAP + sum(size[1] + panel + GAP for panel in panels)
    sheet = Image.new("RGB", (GAP + row * (wide + GAP), height), GROUND)
    top = GAP
    for each, panel in zip(rows, panels, strict=True):
        for place, n in enumerate(each):
            at = GAP + place * (wide + GAP), top
            _draw_picture(sheet, tiles[n], at, size, panel, fonts)
            _draw_words(sheet, tiles[n], words[n], (at[0] + _PAD, top + size[1] + _PAD), fonts)
        top += size[1] + panel + GAP
    return as_png(sheet)


def _words(tile: Tile, fonts: _Fonts, room: float) -> _Words:
    """The words of a tile, in rows that are at most `room` px wide; too many lines are counted."""
    spare = room - fonts.number.getlength(tile.name) - _PAD
    beside = spare >= fonts.line.getlength(drawable(tile.title))
    rows = [] if beside else [("", "", text) for text in wrapped(tile.title, fonts.line, room)]
    for word, text in tile.lines[:MOST_LINES]:
        colour = "unknown" if word.startswith("unsure") else "failed"
        indent = fonts.body.getlength(f"{word} ") if word else 0
        for number, part in enumerate(wrapped(text, fonts.body, room - indent)):
            rows.append((word if not number else "", colour, part))
    if len(tile.lines) > MOST_LINES:
        rows.append(("", "failed", f"and {len(tile.lines) - MOST_LINES} more"))
    return _Words(beside, rows)


def _draw_picture(
    sheet: Image.Image, tile: Tile, at: tuple[int, int], size: Size, panel: int, fonts: _Fonts
) -> None:
    """A tile's background, its picture and, on the chosen one, a frame with a tag."""
    from PIL import ImageDraw, ImageOps

    draw, (left, top), (wide, tall) = ImageDraw.Draw(sheet), at, size
    box = (left, top, left + wide - 1, top + tall + panel - 1)
    draw.rectangle(box, PANEL)
    picture = ImageOps.contain(opened(tile.picture), size)
    sheet.paste(picture, (left + (wide - picture.width) // 2, top + (tall - picture.height) // 2))
    if tile.chosen:
        draw.rectangle(box, outline=_CHOSEN, width=5)
        tag = (left, top, left + fonts.line.getlength("chosen") + 2 * _PAD, top + _NUMBER)
        draw.rectangle(tag, _CHOSEN)
        draw.text((left + _PAD, top + _NUMBER // 2), "chosen", GROUND, fonts.line, anchor="lm")


def _draw_words(
    sheet: Image.Image, tile: Tile, words: _Words, at: tuple[int, int], fonts: _Fonts
) -> None:
    """A tile's number, title and lines, from `at` down."""
    from PIL import ImageDraw

    draw, (left, top) = ImageDraw.Draw(sheet), at
    tint = _COLOURS.get(tile.state, FAINT)
    middle = top + _NUMBER // 2
    draw.text((left, middle), tile.name, INK, fonts.number, anchor="lm")
    if words.title_beside:
        after = left + _PAD + fonts.number.getlength(tile.name)
        draw.text((after, middle), drawable(tile.title), tint, fonts.line, anchor="lm")
    y = top + _NUMBER + _LINE // 2
    for word, colour, text in words.rows:
        x: float = left
        if word:
            draw.text((x, y), word, _COLOURS[colour], fonts.body, anchor="lm")
            x += fonts.body.getlength(f"{word} ")
        draw.text((x, y), text, INK if colour else tint, fonts.body, anchor="lm")
        y += _LINE
