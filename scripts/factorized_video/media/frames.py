"""Evenly spaced frames of a clip: when they are, decoded and scaled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..aspect_ratios import Size
from ..errors import OutputError
from . import display
from .clips import decoded, measure_video, timeline

if TYPE_CHECKING:
    from PIL import Image

# Vision models get 6 to 16 frames, the first and the last among them (method of T2V-CompBench and
# of later judges of clips). All pictures of a clip have as many, so that people see the same.
FRAMES = 8
# A container's clock may count milliseconds, and a rate is known to three places: 1.333 for 4/3 is
# off by one millisecond after five seconds. Frames are 4 ms apart at 240 a second.
_ROUNDED_S = 0.002
_WORTH_SKIPPING_S = 10.0  # less is decoded sooner than it is looked for


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
    size = measured["width"], measured["height"]
    duration_s, frames = timeline(clip)
    return Moments(times(duration_s, frames, count), size, duration_s)


def times(duration_s: float, frames: int, count: int = FRAMES) -> list[float]:
    """When the frames are: the first, the last, and evenly between. Pure; in seconds."""
    frames = max(1, frames)
    frame_s, last = duration_s / frames, frames - 1
    count = min(count, frames)
    return [round(number * last / max(1, count - 1)) * frame_s for number in range(count)]


def frames_at(clip: Path, wanted: list[float], size: Size) -> list[tuple[float, Image.Image]]:
    """What is on the screen at these times, in order, scaled to `size`; with the times.

    A frame stays until the next one comes. Decoded from the start, for many clips have one single
    key frame; in a long one, what lies between is passed over. Raises OutputError if there is no
    frame.
    """
    found: list[tuple[float, Image.Image]] = []

    def skip_to(when: float) -> float | None:
        ahead = wanted[len(found)] if len(found) < len(wanted) else when
        return ahead if ahead - when > _WORTH_SKIPPING_S else None

    held = None
    for when, frame in decoded(clip, skip_to):
        while held is not None and wanted[len(found)] < when - _ROUNDED_S:
            found.append((wanted[len(found)], display.shown(held, size)))
            if len(found) == len(wanted):
                return found
        if wanted[len(found)] <= when + _ROUNDED_S:
            found.append((when, display.shown(frame, size)))
            if len(found) == len(wanted):
                return found
        held = frame
    if held is None:
        raise OutputError("no frame of the clip can be decoded.")
    last = display.shown(held, size)
    return found + [(when, last) for when in wanted[len(found) :]]
