"""Candidates at a glance: one PNG of them all, each with its number, its score and what failed."""

from __future__ import annotations

import io
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from .filmstrip import GAP, WIDTH
from .images import opened

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont, ImageFont

    Font = FreeTypeFont | ImageFont  # as Pillow's own font comes, with and without FreeType
    from ..gateway.types import Picture

_GROUND, _PANEL = (24, 24, 26), (38, 38, 42)
_INK, _FAINT = (236, 236, 236), (168, 168, 172)
_COLOURS = {"passed": (120, 200, 130), "failed": (236, 120, 96), "unknown": (222, 184, 96)}
_CHOSEN = _COLOURS["passed"]
_NUMBER, _LINE, _SMALL = 40, 22, 19  # type sizes; agents' viewers show the sheet unscaled
_PAD = 12
MOST_LINES = 6  # failed questions on a tile: more would be taller than the picture


class Tile(NamedTuple):
    """One candidate. `state` is passed, failed, unknown or unchecked; `lines` say what failed.

    A line is a word that is coloured ("no:", "unsure:", or none) and a text.
    """

    name: str
    picture: Picture  # as it is shown to the judge
    state: str
    title: str
    lines: tuple[tuple[str, str], ...] = ()
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
    room = width - 2 * _PAD
    # What does not fit beside the number goes below it.
    beside = [
        room - number.getlength(tile.name) - _PAD >= line.getlength(drawable(tile.title))
        for tile in tiles
    ]
    words = [
        ([] if fits else [("", "", text) for text in wrapped(tile.title, line, room)])
        + _body(tile.lines, body, room)
        for tile, fits in zip(tiles, beside, strict=True)
    ]
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
            box = (left, top, left + width - 1, top + height + panel - 1)
            draw.rectangle(box, _PANEL)
            picture = ImageOps.contain(opened(tile.picture), (width, height))
            at = left + (width - picture.width) // 2, top + (height - picture.height) // 2
            sheet.paste(picture, at)
            if tile.chosen:
                draw.rectangle(box, outline=_CHOSEN, width=5)
                tag = (left, top, left + line.getlength("chosen") + 2 * _PAD, top + _NUMBER)
                draw.rectangle(tag, _CHOSEN)
                draw.text((left + _PAD, top + _NUMBER // 2), "chosen", _GROUND, line, anchor="lm")
            middle = top + height + _PAD + _NUMBER // 2
            draw.text((left + _PAD, middle), tile.name, _INK, number, anchor="lm")
            if beside[index]:
                after = left + 2 * _PAD + number.getlength(tile.name)
                draw.text((after, middle), drawable(tile.title), edge, line, anchor="lm")
            y = top + height + _PAD + _NUMBER + _LINE // 2
            for word, colour, text in words[index]:
                x: float = left + _PAD
                if word:
                    draw.text((x, y), word, _COLOURS[colour], body, anchor="lm")
                    x += body.getlength(f"{word} ")
                draw.text((x, y), text, _INK if colour else edge, body, anchor="lm")
                y += _LINE
        top += height + panel + GAP
    out = io.BytesIO()
    sheet.save(out, "PNG", compress_level=4)
    return out.getvalue()


def _body(
    lines: tuple[tuple[str, str], ...], font: Font, room: float
) -> list[tuple[str, str, str]]:
    """Rows of a coloured word, its colour, and a text; what is too much is counted."""
    rows: list[tuple[str, str, str]] = []
    for word, text in lines[:MOST_LINES]:
        colour = "unknown" if word.startswith("unsure") else "failed"
        indent = font.getlength(f"{word} ") if word else 0
        for number, part in enumerate(wrapped(text, font, room - indent)):
            rows.append((word if not number else "", colour, part))
    if len(lines) > MOST_LINES:
        rows.append(("", "failed", f"and {len(lines) - MOST_LINES} more"))
    return rows


def wrapped(text: str, font: Font, room: float) -> list[str]:
    """The text in lines that are no wider than `room` pixels; too long a word is broken."""
    lines = [""]
    for word in drawable(text).split():
        if font.getlength(f"{lines[-1]} {word}".strip()) <= room:
            lines[-1] = f"{lines[-1]} {word}".strip()
            continue
        lines += [""] if lines[-1] else []
        for char in word:
            if lines[-1] and font.getlength(lines[-1] + char) > room:
                lines.append("")
            lines[-1] += char
    return lines


def drawable(text: str) -> str:
    """The text as Pillow's own font can draw it: accents left off, and "?" for what it lacks."""
    return "".join(map(_drawable, text))


@lru_cache(maxsize=4096)
def _drawable(char: str) -> str:
    if char.isascii():
        return char
    char = {
        "\u2019": "'",
        "\u2018": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2013": "-",
        "\u2014": "-",
        "\u00d7": "x",
        "\u2192": "->",
    }.get(char, char)
    plain = "".join(one for one in unicodedata.normalize("NFKD", char) if one.isascii())
    return plain or "?"
