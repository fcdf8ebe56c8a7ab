"""Evenly spaced frames of a clip: when they are, decoded and scaled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..aspect_ratios import Size
from ..errors import OutputError
from .clips import decoded, measure_video

if TYPE_CHECKING:
    from PIL import Image

# Vision models get 6 to 16 frames, the first and the last among them (method of T2V-CompBench and
# of later judges of clips). All pictures of a clip have as many, so that people see the same.
FRAMES = 8
# A container's clock may count milliseconds, and a rate is known to three places: 1.333 for 4/3 is
# off by one millisecond after five seconds. Frames are 4 ms apart at 240 a second.
_ROUNDED_S = 0.002


class Moments(NamedTuple):
    """When the frames of a clip are, in seconds; and the clip's size and length."""

    times: list[float]
    size: Size
    duration_s: float


def moments(clip: Path, count: int = FRAMES) -> Moments:
    """So many moments of a clip. Raises OutputError for one that cannot be measured."""
    measured = measure_video(clip)
    if measured is None:
        raise OutputError("the clip cannot be measured here.")
    duration_s = measured["duration_s"]
    size = measured["width"], measured["height"]
    return Moments(times(duration_s, measured["fps"], count), size, duration_s)


def times(duration_s: float, fps: float | None, count: int = FRAMES) -> list[float]:
    """When the frames are: the first, the last, and evenly between. Pure; in seconds."""
    frame_s = 1 / fps if fps else 1 / 24
    frames = max(1, round(duration_s / frame_s))
    count = min(count, frames)
    last = frames - 1
    return [round(number * last / max(1, count - 1)) * frame_s for number in range(count)]


def frames_at(clip: Path, wanted: list[float], size: Size) -> list[tuple[float, Image.Image]]:
    """The frames nearest after these times, with their own times, scaled to `size`.

    `wanted` is in order. Decoded from the start: clips are seconds long, and many have one single
    key frame, to which every seek would go back. Raises OutputError if there is no frame.
    """
    found: list[tuple[float, Image.Image]] = []
    when, frame = 0.0, None
    for when, frame in decoded(clip):
        if when + _ROUNDED_S >= wanted[len(found)]:
            found.append((when, _scaled(frame, size)))
            if len(found) == len(wanted):
                return found
    if frame is None:
        raise OutputError("no frame of the clip can be decoded.")
    if not found or when > found[-1][0]:
        # If frames are not evenly spaced, the end comes before it is due.
        found.append((when, _scaled(frame, size)))
    return found


def _scaled(frame: Any, size: Size) -> Image.Image:
    image: Image.Image = frame.to_image(width=size[0], height=size[1], interpolation="AREA")
    return image
