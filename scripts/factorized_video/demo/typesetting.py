"""Setting a caption on a card: pure measures, in pixels; nothing is drawn here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from .lettering import font_of
from .reading import DASHES, Word, counted, read
from .sizes import BAR, CROPPED, Size

# (largest share of the card's height for the panel, smallest type in units): a short caption
# leaves the room to the picture, a long one may take it before its type becomes hard to read.
ROOMS = ((0.40, 30), (0.50, 23), (0.68, 17), (0.80, 15))
LARGEST_TYPE, TYPE_STEP = 64, 0.94
SMALL = 17  # the type of the footer
LETTER = 0.44  # mean width of a letter of this font, with its share of the spaces, in type sizes
MEASURE = (34, 70)  # letters a line, least and most
HEAD, FOOT, GAP = 76, 36, 48  # above the text, under it, between columns


class Line(NamedTuple):
    """One line of the caption: the box it fills, and its words."""

    left: float
    top: float
    right: float
    bottom: float
    words: tuple[Word, ...]


class Layout(NamedTuple):
    """Where everything on a card goes; `panel` and `text` are (left, top, right, bottom)."""

    unit: float
    panel: tuple[float, float, float, float]
    text: tuple[float, float, float, float]
    font_size: float
    lines: tuple[Line, ...]
    more: int  # words that were left out
    footer: str


class Block(NamedTuple):
    """The caption wrapped at one type size into equal columns."""

    lines: list[list[Word]]
    font_size: float
    leading: float
    columns: int
    width: float  # of one column
    room: float  # the height it may take

    @property
    def rows(self) -> int:
        """The number of lines in the longest column."""
        return math.ceil(len(self.lines) / self.columns)


@lru_cache(maxsize=1 << 14)
def width_of(word: Word, size: float) -> float:
    """Return how wide a word is in type of `size` pixels, with its box if it has one."""
    if word.boxed:
        return font_of(0.72 * size).getlength(word.text) + 0.8 * size
    return 0.9 * size if word.text in DASHES else font_of(size).getlength(word.text)


def _line_width(line: list[Word], size: float) -> float:
    return sum(width_of(word, size) for word in line) + font_of(size).getlength(" ") * (
        len(line) - 1
    )


def _broken(words: Iterable[Word], size: float, width: float) -> Iterator[Word]:
    """Yield the words, cutting those that are wider than a line by themselves."""
    for word in words:
        rest = word
        while not rest.boxed and len(rest.text) > 1:
            head = rest.text[:200]  # more than any line holds: a huge word is not measured whole
            if width_of(Word(head), size) <= width:
                break
            cut = max(1, int(len(head) * width / width_of(Word(head), size)))
            while cut > 1 and width_of(Word(rest.text[:cut]), size) > width:
                cut -= 1
            yield Word(rest.text[:cut])
            rest = Word(rest.text[cut:])
        yield rest


def _wrapped(words: Iterable[Word], size: float, width: float, most: int) -> list[list[Word]]:
    """Fill lines word by word; stops one line after `most`, which is enough to know."""
    space = font_of(size).getlength(" ")
    lines: list[list[Word]] = []
    used = math.inf
    for word in _broken(words, size, width):
        need = width_of(word, size)
        if used + space + need > width:
            if len(lines) > most:
                break
            lines.append([])
            used = -space
        lines[-1].append(word)
        used += space + need
    return lines


def _balanced(words: Iterable[Word], size: float, width: float, most: int) -> list[list[Word]]:
    """Wrap a few lines as evenly as they go, rather than leaving one word on the last."""
    lines = _wrapped(words, size, width, most)
    if not 1 < len(lines) <= min(4, most):
        return lines
    for percent in range(95, 50, -5):
        narrower = _wrapped(words, size, width * percent / 100, most)
        if len(narrower) > len(lines):
            break
        lines = narrower
    return lines


def _leading(points: float) -> float:
    """Return the line height in type sizes: small type in long lines wants more air."""
    return 1.44 - 0.24 * min(1.0, max(0.0, (points - 17) / 30))


def _below(size: Size) -> float:
    """Return the lower margin: what the push-in takes away, and the time bar of the clip."""
    return size[1] * CROPPED + (BAR + 12) * min(size) / 720


def margin_of(size: Size) -> float:
    """Return the left and the right margin: what the push-in takes away, and some air."""
    return size[0] * CROPPED + 30 * min(size) / 720


def _blocks(words: tuple[Word, ...], size: Size, room: float, foot: float) -> Iterator[Block]:
    """Yield ways to set the words across `room` pixels, the most generous first."""
    unit = min(size) / 720
    for share, smallest in ROOMS:
        free = share * size[1] - _below(size) - HEAD * unit - foot
        steps = math.ceil(math.log(smallest / LARGEST_TYPE, TYPE_STEP))
        for points in [LARGEST_TYPE * TYPE_STEP**step for step in range(steps)] + [smallest]:
            font_size, leading = points * unit, _leading(points) * points * unit
            for columns in (1, 2, 3, 4):
                width = (room - (columns - 1) * GAP * unit) / columns
                width = min(width, MEASURE[1] * LETTER * font_size)
                narrow = width < MEASURE[0] * LETTER * font_size
                if narrow and columns > 1:
                    break
                most = columns * max(1, int(free / leading))
                lines = _balanced(words, font_size, width, most)
                if narrow and len(lines) > 3 and points > smallest:
                    break  # display type may run in short lines, but only a few of them
                yield Block(lines, font_size, leading, columns, width, free)


def _cut(block: Block, words: int, foot: float) -> tuple[Block, int]:
    """Keep the lines there is room for, end with an ellipsis, and count the words left out."""
    rows = max(1, int((block.room - foot) / block.leading))
    lines = block.lines[: rows * block.columns]
    last = lines[-1]
    while len(last) > 1 and _line_width([*last, Word("…")], block.font_size) > block.width:
        last = last[:-1]
    lines = [*lines[:-1], [*last, Word("…")]]
    return block._replace(lines=lines), max(1, words - sum(map(len, lines)) + 1)


def _shortened(text: str, size: float, width: float) -> str:
    """Cut a small line at a word where it would not fit."""
    font, kept = font_of(size), text
    while kept and font.getlength(kept if kept == text else kept + "…") > width:
        kept = kept.rpartition(" ")[0]
    return kept if kept == text else kept + "…"


def lay_out(caption: str, size: Size) -> Layout:
    """Set a caption on a card of `size` pixels, in the largest type that leaves the picture room.

    Every line lies inside `text`, and `text` inside `panel`. What cannot be set even in the
    smallest type is left out, and `more` counts its words.
    """
    width, height = size
    unit = min(size) / 720
    words, _, notes = read(caption)
    left, foot, more = margin_of(size), FOOT * unit, 0
    for block in _blocks(words, size, width - 2 * left, foot if notes else 0):
        if block.rows * block.leading <= block.room:
            break
    else:
        block, more = _cut(block, len(words), 0 if notes else foot)
        notes = (f"{counted(more, 'more word')} not shown", *notes)
    bottom = height - _below(size) - (foot if notes else 0)
    top = bottom - block.rows * block.leading
    lines = []
    for index, line in enumerate(block.lines):
        column, row = divmod(index, block.rows)
        x, y = left + column * (block.width + GAP * unit), top + row * block.leading
        right = x + _line_width(line, block.font_size)
        lines.append(Line(x, y, right, y + block.leading, tuple(line)))
    return Layout(
        unit=unit,
        panel=(0, top - HEAD * unit, width, height),
        text=(left, top, width - left, bottom),
        font_size=block.font_size,
        lines=tuple(lines),
        more=more,
        footer=_shortened(" · ".join(notes), SMALL * unit, width - 2 * left),
    )
