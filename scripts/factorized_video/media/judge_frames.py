"""Frames of a clip as pictures to be sent to a vision model, evenly spaced, with their times."""

from __future__ import annotations

import io
from pathlib import Path

from ..errors import OutputError
from ..gateway.types import Picture
from .clips import measure_video
from .filmstrip import frames_at, times

# Vision models are given 6 to 16 frames, the first and the last among them (method of T2V-CompBench
# and of later judges of clips); eight are those of the filmstrip, so a person sees the same.
COUNT = 8
# Of eight together a model needs no more to tell counts and places: 768 px is one tile, or two, at
# the vision models that count by tiles.
SIDE = 768
_QUALITY = 90


def over(clip: Path, count: int = COUNT, side: int = SIDE) -> list[tuple[float, Picture]]:
    """So many frames with their times in seconds, as JPEG, the longer side of `side` px at most.

    Raises OutputError where none can be decoded.
    """
    measured = measure_video(clip)
    if measured is None:
        raise OutputError(f"{clip} cannot be measured here.")
    width, height = measured["width"], measured["height"]
    scale = min(1.0, side / max(width, height))
    size = max(2, round(width * scale)), max(2, round(height * scale))
    wanted = times(measured["duration_s"], measured["fps"], count)
    shown = []
    for when, image in frames_at(clip, wanted, size):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=_QUALITY)
        shown.append((round(when, 3), Picture(file.getvalue(), "image/jpeg")))
    return shown
