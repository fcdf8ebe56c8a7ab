"""Candidates at a glance: one PNG of them all, each with its number, its score and what failed."""

from __future__ import annotations

import io
import textwrap
from typing import TYPE_CHECKING, NamedTuple

from .filmstrip import GAP, WIDTH
from .images import opened

if TYPE_CHECKING:
    from ..gateway.types import Picture

_GROUND, _PANEL = (24, 24, 26), (38, 38, 42)
_INK, _FAINT = (236, 236, 236), (168, 168, 172)
_COLOURS = {
    "passed": (120, 200, 130), "failed": (236, 120, 96), "unknown": (222, 184, 96),
}  # fmt: skip
_NUMBER, _LINE, _SMALL = 40, 22, 19  # type sizes; agents' viewers show the sheet unscaled
_PAD = 12


class Tile(NamedTuple):
    """One candidate. `state` is passed, failed, unknown or unchecked; `lines` say what failed."""

    name: str
    picture: Picture  # as it is shown to the judge
    state: str
    title: str
    lines: tuple[str, ...] = ()
    chosen: bool = False


def columns(width: int, height: int, count: int) -> int:
    """How many tiles stand in a row, so that words below them can still be read. Pure."""
    most = 4 if height > width else 3 if count > 4 or width == height else 2
    return max(1, min(most, count))


def contact_sheet(tiles: list[Tile]) -> bytes:
    """The PNG. The tiles are as wide as the first one's shape allows; others are fitted in."""
    from PIL import Image, ImageDraw, ImageFont, ImageOps

    size = opened(tiles[0].picture).size
    row = columns(*size, len(tiles))
    width = min(780, (WIDTH - GAP * (row + 1)) // row)
    height = max(1, round(width * size[1] / size[0]))
    body, number = ImageFont.load_default(_SMALL), ImageFont.load_default(_NUMBER)
    line = ImageFont.load_default(_LINE)
    # Characters that fit into a line; the font is proportional, and this has its mean width.
    mean = body.getlength("is the large cat on the left?") / 29
    fit = max(12, int((width - 2 * _PAD) / mean))
    words = [[part for text in tile.lines for part in _wrapped(text, fit)] for tile in tiles]
    rows = [range(start, min(start + row, len(tiles))) for start in range(0, len(tiles), row)]
    panels = [_PAD * 2 + _NUMBER + _LINE * max(len(words[n]) for n in each) for each in rows]
    sheet = Image.new(
        "RGB",
        (GAP + row * (width + GAP), GAP + sum(height + panel + GAP for panel in panels)),
        _GROUND,
    )
    draw = ImageDraw.Draw(sheet)
    top = GAP
    for each, panel in zip(rows, panels, strict=True):
        for place, index in enumerate(each):
            tile, left = tiles[index], GAP + place * (width + GAP)
            edge = _COLOURS.get(tile.state, _FAINT)
            draw.rectangle((left, top, left + width - 1, top + height + panel - 1), _PANEL)
            picture = ImageOps.contain(opened(tile.picture), (width, height))
            at = left + (width - picture.width) // 2, top + (height - picture.height) // 2
            sheet.paste(picture, at)
            if tile.chosen:
                box = (left, top, left + width - 1, top + height + panel - 1)
                draw.rectangle(box, outline=_COLOURS["passed"], width=5)
            middle = top + height + _PAD + _NUMBER // 2
            draw.text((left + _PAD, middle), tile.name, _INK, number, anchor="lm")
            after = left + 2 * _PAD + number.getlength(tile.name)
            draw.text((after, middle), _drawable(tile.title), edge, line, anchor="lm")
            if tile.chosen:
                right = left + width - _PAD
                draw.text((right, middle), "chosen", _COLOURS["passed"], line, anchor="rm")
            y = top + height + _PAD + _NUMBER + _LINE // 2
            for text in words[index]:
                draw.text((left + _PAD, y), text, _INK, body, anchor="lm")
                y += _LINE
        top += height + panel + GAP
    out = io.BytesIO()
    sheet.save(out, "PNG", compress_level=4)
    return out.getvalue()


def _wrapped(text: str, characters: int) -> list[str]:
    return textwrap.wrap(_drawable(text), characters, subsequent_indent="   ") or [""]


def _drawable(text: str) -> str:
    """The text with a question mark for what Pillow's own font cannot draw."""
    return text.encode("latin-1", "replace").decode("latin-1")
