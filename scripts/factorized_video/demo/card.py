"""The storyboard card, which the demo gateway answers an image request with.

No model makes these pictures, and every one says so. Cards and clips are pure: bytes in, bytes out,
no files, no clock; whatever looks random is seeded by the caption, the style and the candidate.

A card is a picture above a calm panel that holds the caption. Every length is a multiple of the
*unit*, 1/720 of the short side, so that a card looks the same at 480p and at 1080p.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

from .checks import END, RULE, draw_row, faults_of
from .lettering import capitals_width, font_of, write_capitals
from .palette import Palette, palette_of, text_colours
from .reading import DASHES, drawable_part
from .scene import paint
from .sizes import Size, ratio_name
from .typesetting import FOOT, SMALL, Layout, Line, lay_out, width_of

if TYPE_CHECKING:
    from PIL import ImageDraw

STAMP = "drawn locally, no AI model was called"
SUPERSAMPLE = 2  # Pillow draws polygons and discs with hard edges: draw large, then reduce
LABEL = 15  # the type of the labels, in units
# What a card is: the anchor, or the beginning of a clip that was asked for without one. Both end
# before the first circle.
STAGE, DIRECT = "STAGE 2 · ANCHOR", "DIRECT · PROMPT"
CHECKS = "DEMO CHECKS"


def _write(draw: ImageDraw.ImageDraw, line: Line, size: float, palette: Palette) -> None:
    """Write one line of the caption; a boxed word becomes a small frame with its text inside."""
    x, base = line.left, (line.top + line.bottom) / 2 + 0.36 * size
    for word in line.words:
        wide = width_of(word, size)
        if word.boxed:
            frame = (x, base - 0.9 * size, x + wide, base + 0.24 * size)
            thick = max(1, round(0.05 * size))
            draw.rounded_rectangle(frame, 0.2 * size, outline=palette.accent, width=thick)
            at, font = (x + 0.4 * size, base - 0.08 * size), font_of(0.72 * size)
            draw.text(at, word.text, palette.accent, font, anchor="ls")
        elif word.text in DASHES:
            y, thin = base - 0.27 * size, 0.035 * size
            draw.rectangle((x, y - thin, x + wide, y + thin), fill=palette.ink)
        else:
            draw.text((x, base), word.text, palette.ink, font_of(size), anchor="ls")
        x += wide + font_of(size).getlength(" ")


def _stamp(draw: ImageDraw.ImageDraw, layout: Layout, palette: Palette) -> None:
    """Raise the DEMO tag from the edge of the panel, like the tab of a file."""
    unit, left, foot = layout.unit, layout.text[0], layout.panel[1]
    top, base, pad, large = foot - 42 * unit, foot - 12 * unit, 18 * unit, 21 * unit
    text, ground = text_colours(palette)["stamp"]
    middle = left + capitals_width("DEMO", large) + 2 * pad
    right = middle + font_of(SMALL * unit).getlength(STAMP) + 2 * pad
    tabs = (
        ((left, top, middle, foot), ground, (True, False, False, False)),
        ((middle, top, right, foot), palette.panel, (False, True, False, False)),
    )
    for box, colour, corners in tabs:
        draw.rounded_rectangle(box, 6 * unit, fill=colour, corners=corners)
    write_capitals(draw, (left + pad, base), "DEMO", large, text)
    draw.text((middle + pad, base - unit), STAMP, palette.ink, font_of(SMALL * unit), anchor="ls")


def _labels(
    draw: ImageDraw.ImageDraw,
    layout: Layout,
    size: Size,
    style: str,
    hollow: tuple[int, ...],
    stage: str,
) -> None:
    """Write the row of labels at the head of the panel, with the demo checks in it.

    What the circles are is written beside them where the card is wide enough.
    """
    palette, unit, edge = palette_of(style), layout.unit, layout.panel[1]
    (left, _, right, _), base, label = layout.text, edge + 42 * unit, LABEL * unit
    small, gap = text_colours(palette)["small"][0], 28 * unit
    write_capitals(draw, (left, base), stage, label, palette.accent)
    draw_row(draw, size, edge, hollow, palette.accent)

    end, name = left + END * unit, drawable_part(style)[:24] or "own style"
    while True:
        about = f"{name} · {ratio_name(size)}"
        start = right - capitals_width(about, label)
        if start >= end + gap or not name:
            break
        name = name[:-1].rstrip()
    write_capitals(draw, (start, base), about, label, small)
    said = end + 0.55 * gap
    if said + capitals_width(CHECKS, label) + gap <= start:
        write_capitals(draw, (said, base), CHECKS, label, small)


def draw_anchor(
    caption: str, style: str, size: Size, candidate: int = 1, stage: str = STAGE
) -> bytes:
    """Draw the storyboard card of a caption and return it as PNG bytes (RGB, `size` pixels).

    Every candidate, from 1, has a scene and faults of its own (`checks.py`). `stage` is what the
    card says that it is: STAGE or DIRECT. Raises ValueError for a size without pixels.
    """
    from PIL import Image, ImageDraw

    if min(size) < 1:
        raise ValueError(f"size {size}: expected positive numbers of pixels")
    factor = max(SUPERSAMPLE, math.ceil(480 / min(size)))  # smaller, type would lose its shape
    large = size[0] * factor, size[1] * factor
    palette = palette_of(style)
    layout = lay_out(caption, large)
    unit, edge, (left, _, _, bottom) = layout.unit, layout.panel[1], layout.text

    card = Image.new("RGB", large, palette.panel)
    card.paste(paint((large[0], round(edge)), style, caption, unit, candidate))
    draw = ImageDraw.Draw(card)
    _stamp(draw, layout, palette)
    draw.rectangle((0, edge, large[0], edge + RULE * unit), fill=palette.accent)

    _labels(draw, layout, large, style, faults_of(candidate), stage)
    for line in layout.lines:
        _write(draw, line, layout.font_size, palette)
    foot = (left, bottom + 0.85 * FOOT * unit)
    small = text_colours(palette)["small"][0]
    draw.text(foot, layout.footer, small, font_of(SMALL * unit), anchor="ls")

    out = io.BytesIO()
    card.reduce(factor).save(out, "PNG")
    return out.getvalue()
