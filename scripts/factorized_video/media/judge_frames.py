"""Frames of a clip as pictures for a vision model, evenly spaced, with their times."""

from __future__ import annotations

import io
from pathlib import Path

from ..gateway.types import Picture
from .frames import FRAMES, frames_at, moments

# Of eight together a model needs no more to see counts and places: 768 px is one tile, or two, at
# the vision models that count by tiles.
SIDE = 768
_QUALITY = 90


def over(clip: Path, count: int = FRAMES, side: int = SIDE) -> list[tuple[float, Picture]]:
    """So many frames with their times in seconds, as JPEG, the longer side of `side` px at most.

    Raises OutputError if none can be decoded.
    """
    times, (width, height), _ = moments(clip, count)
    scale = min(1.0, side / max(width, height))
    size = max(2, round(width * scale)), max(2, round(height * scale))
    shown = []
    for when, image in frames_at(clip, times, size):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=_QUALITY)
        shown.append((round(when, 3), Picture(file.getvalue(), "image/jpeg")))
    return shown
