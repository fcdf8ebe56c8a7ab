"""A clip at a glance: one PNG of evenly spaced frames, each with its time below."""

from __future__ import annotations

from pathlib import Path

from .frames import frames_at, moments
from .grid import GAP, GROUND, LABEL_HEIGHT, WIDTH, as_png, in_a_row, paste_tiles


def columns(width: int, height: int, count: int) -> int:
    """How many tiles stand in a row: upright ones all, the others in two rows. Pure."""
    half = count if count < 4 else (count + 1) // 2
    return in_a_row((width, height), count, (half, half, count))


def filmstrip(clip: Path) -> bytes:
    """The PNG. Raises OutputError if no frame can be decoded."""
    from PIL import Image

    times, (width, height), _ = moments(clip)
    row = columns(width, height, len(times))
    wide = (WIDTH - GAP * (row + 1)) // row
    tile = wide, max(1, round(wide * height / width))
    frames = frames_at(clip, times, tile)
    rows = -(-len(frames) // row)
    size = GAP + row * (wide + GAP), GAP + rows * (tile[1] + LABEL_HEIGHT + GAP)
    picture = Image.new("RGB", size, GROUND)
    labelled = [(frame, f"{when:.2f} s") for when, frame in frames]
    paste_tiles(picture, labelled, row, at=(GAP, GAP), place=tile)
    return as_png(picture)
