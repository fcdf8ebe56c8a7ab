"""The joins of a film at a glance: one PNG, for each the film's frames on both sides of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .film import Film
from .frames import frames_at
from .grid import GAP, GROUND, LABEL_HEIGHT, WIDTH, as_png, paste_tiles

_TALLEST = 420  # pixels of a frame


def seam_sheet(path: Path, film: Film, names: Sequence[str]) -> bytes:
    """The PNG; `names` are those of the clips. Raises OutputError if nothing decodes.

    Of a crossfade, its first frame and the last one before it.
    """
    from PIL import Image

    pairs = 2 if len(film.seams) > 1 and film.width >= film.height else 1
    pairs = min(4, len(film.seams)) if film.width < film.height else pairs
    row = 2 * pairs
    room = (WIDTH - GAP * (row + 1)) // row
    tall = min(_TALLEST, max(1, round(room * film.height / film.width)))
    tile = max(1, min(room, round(tall * film.width / film.height))), tall
    frame_s = 1 / film.fps
    times = [one for seam in film.seams for one in (seam - frame_s, seam)]
    order = sorted(range(len(times)), key=lambda place: times[place])
    found = frames_at(path, [times[place] for place in order], tile)
    frames = {place: frame for place, (_, frame) in zip(order, found, strict=True)}
    tiles = []
    for number, seam in enumerate(film.seams):
        before, after = names[number], names[number + 1]
        tiles.append((frames[2 * number], f"{_short(before, tile[0])} ends"))
        tiles.append((frames[2 * number + 1], f"{_short(after, tile[0])} from {seam:.2f} s"))
    rows = -(-len(tiles) // row)
    across = row * (tile[0] + GAP) - GAP
    sheet = Image.new("RGB", (WIDTH, GAP + rows * (tall + LABEL_HEIGHT + GAP)), GROUND)
    paste_tiles(sheet, tiles, row, at=((WIDTH - across) // 2, GAP), place=tile)
    return as_png(sheet)


def _short(name: str, room: int) -> str:
    """As much of a name as fits beside the time."""
    most = max(6, room // 11 - 14)
    return name if len(name) <= most else f"{name[: most - 3]}..."
