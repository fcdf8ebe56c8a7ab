"""Candidates at a glance: one PNG of them all, each with its number, its score and what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .grid import FAINT, GAP, GROUND, INK, PANEL, WIDTH, Text, as_png
from .images import opened

if TYPE_CHECKING:
    from PIL import Image

    from ..aspect_ratios import Size
    from ..gateway.types import Picture
    from .grid import Colour

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

    @property
    def choice(self) -> str:
        """The option that chooses it."""
        return "" if self.chosen else f"--select {self.name}"


class _Words(NamedTuple):
    """The text of a tile. A row is a coloured word, its colour, and the rest."""

    title_beside: bool  # whether the title fits beside the number; else it is in the rows
    rows: list[tuple[Text, Colour | None, Text]]


def columns(width: int, height: int, count: int) -> int:
    """How many tiles stand in a row, so that words below can be read and no place is empty. Pure.

    Of wide ones two or three, whichever fills the rows.
    """
    wide = 3 if count == 3 or count > 4 else 2
    most = 4 if height > width else wide if width > height else 3
    return max(1, min(most, count))


def contact_sheet(tiles: list[Tile]) -> bytes:
    """The PNG. The tiles are as wide as the first one's shape allows; others are fitted in."""
    from PIL import Image

    shape = opened(tiles[0].picture).size
    row = columns(*shape, len(tiles))
    wide = min(_WIDEST, (WIDTH - GAP * (row + 1)) // row)
    size = wide, max(1, round(wide * shape[1] / shape[0]))
    words = [_words(tile, wide - 2 * _PAD) for tile in tiles]
    rows = [range(start, min(start + row, len(tiles))) for start in range(0, len(tiles), row)]
    panels = [_PAD * 2 + _NUMBER + _LINE * max(len(words[n].rows) for n in each) for each in rows]
    height = GAP + sum(size[1] + panel + GAP for panel in panels)
    sheet = Image.new("RGB", (GAP + row * (wide + GAP), height), GROUND)
    top = GAP
    for each, panel in zip(rows, panels, strict=True):
        left = GAP + (row - len(each)) * (wide + GAP) // 2  # a shorter row stands in the middle
        for place, n in enumerate(each):
            at = left + place * (wide + GAP), top
            _draw_picture(sheet, tiles[n], at, size, panel)
            _draw_words(sheet, tiles[n], words[n], (at[0] + _PAD, top + size[1] + _PAD), wide)
        top += size[1] + panel + GAP
    return as_png(sheet)


def _words(tile: Tile, room: float) -> _Words:
    """The words of a tile, in rows that are at most `room` px wide; too many lines are counted."""
    title, number = Text.of(tile.title, _LINE), Text.of(tile.name, _NUMBER)
    spare = room - number.width - Text.of(tile.choice, _SMALL).width - 2 * _PAD
    beside, nothing = spare >= title.width, Text.of("", _SMALL)
    rows: list[tuple[Text, Colour | None, Text]] = []
    if not beside:
        rows += [(nothing, None, text) for text in title.lines(room)]
    for word, text in tile.lines[:MOST_LINES]:
        colour = _COLOURS["unknown" if word.startswith("unsure") else "failed"]
        marked = Text.of(f"{word} ", _SMALL) if word else nothing
        indent = marked.font.getlength(f"{word} ") if word else 0
        for place, part in enumerate(Text.of(text, _SMALL).lines(room - indent)):
            rows.append((marked if not place else nothing, colour, part))
    if len(tile.lines) > MOST_LINES:
        more = f"and {len(tile.lines) - MOST_LINES} more"
        rows.append((nothing, _COLOURS["failed"], Text.of(more, _SMALL)))
    return _Words(beside, rows)


def _draw_picture(
    sheet: Image.Image, tile: Tile, at: tuple[int, int], size: Size, panel: int
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
        word = Text.of("chosen", _LINE)
        draw.rectangle((left, top, left + word.width + 2 * _PAD, top + _NUMBER), _CHOSEN)
        word.draw(draw, (left + _PAD, top + _NUMBER // 2), GROUND)


def _draw_words(
    sheet: Image.Image, tile: Tile, words: _Words, at: tuple[int, int], wide: int
) -> None:
    """A tile's number, title, option and lines, from `at` down."""
    from PIL import ImageDraw

    draw, (left, top) = ImageDraw.Draw(sheet), at
    tint = _COLOURS.get(tile.state, FAINT)
    number, middle = Text.of(tile.name, _NUMBER), top + _NUMBER // 2
    number.draw(draw, (left, middle), INK)
    if words.title_beside:
        Text.of(tile.title, _LINE).draw(draw, (left + _PAD + number.width, middle), tint)
    Text.of(tile.choice, _SMALL).draw(draw, (left + wide - 2 * _PAD, middle), FAINT, "rm")
    y = top + _NUMBER + _LINE // 2
    for word, colour, text in words.rows:
        word.draw(draw, (left, y), colour or tint)
        indent = word.font.getlength(f"{word.words} ") if word.words else 0
        text.draw(draw, (left + indent, y), INK if colour else tint)
        y += _LINE
