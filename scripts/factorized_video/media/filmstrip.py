"""A clip at a glance: one PNG of evenly spaced frames, each with its time; below, what it is."""

from __future__ import annotations

from pathlib import Path

from .frames import frames_at, moments
from .grid import (
    FAINT,
    GAP,
    GROUND,
    INK,
    LABEL_HEIGHT,
    LABEL_TYPE,
    WIDTH,
    Text,
    as_png,
    paste_tiles,
)

TALLEST = 560  # pixels of a frame: upright ones are made narrower instead
PROMPT_LINES = 2
_LINE = 30  # pixels
_PROMPT_TYPE = 22


def columns(count: int) -> int:
    """How many frames stand in a row: eight stand in two rows of four. Pure."""
    return count if count < 4 else (count + 1) // 2


def filmstrip(clip: Path, prompt: str = "", about: str = "") -> bytes:
    """The PNG, with the prompt and a line of facts below. Raises OutputError if nothing decodes."""
    from PIL import Image, ImageDraw

    times, (width, height), _ = moments(clip)
    row = columns(len(times))
    place = (WIDTH - GAP * (row + 1)) // row
    tall = min(TALLEST, max(1, round(place * height / width)))
    tile = max(1, min(place, round(tall * width / height))), tall
    frames = frames_at(clip, times, tile)
    rows = -(-len(frames) // row)
    foot = GAP + rows * (tall + LABEL_HEIGHT + GAP)
    words = [
        (one, INK) for one in Text.of(prompt, _PROMPT_TYPE).lines(WIDTH - 4 * GAP, PROMPT_LINES)
    ]
    words += [(one, FAINT) for one in Text.of(about, LABEL_TYPE).lines(WIDTH - 4 * GAP, 1)]
    words = [(one, ink) for one, ink in words if one.words]
    picture = Image.new("RGB", (WIDTH, foot + len(words) * _LINE + GAP * bool(words)), GROUND)
    labelled = [(frame, f"{when:.1f} s") for when, frame in frames]
    across = row * (tile[0] + GAP) - GAP  # narrow ones stand together, in the middle
    paste_tiles(picture, labelled, row, at=((WIDTH - across) // 2, GAP), place=tile)
    for number, (one, ink) in enumerate(words):
        one.draw(ImageDraw.Draw(picture), (2 * GAP, foot + (number + 0.5) * _LINE), ink)
    return as_png(picture)
