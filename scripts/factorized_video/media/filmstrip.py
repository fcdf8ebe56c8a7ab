"""A clip at a glance: one PNG of evenly spaced frames, each with its time below."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import OutputError
from .clips import decoded, measure_video

if TYPE_CHECKING:
    from PIL import Image

TILES = 8
# Agents' viewers scale pictures down to about 1,568 px: wider would blur the labels.
WIDTH = 1_560
GAP = 8
LABEL_HEIGHT = 26
# A container's clock may count milliseconds, and a rate is known to three places: 1.333 for 4/3 is
# off by one millisecond after five seconds. Frames are 4 ms apart at 240 a second.
_ROUNDED_S = 0.002
_GROUND, _INK = (24, 24, 26), (236, 236, 236)


def times(duration_s: float, fps: float | None, count: int = TILES) -> list[float]:
    """When the frames are taken: the first, the last, and evenly between. Pure; in seconds."""
    frame_s = 1 / fps if fps else 1 / 24
    frames = max(1, round(duration_s / frame_s))
    count = min(count, frames)
    last = frames - 1
    return [round(number * last / max(1, count - 1)) * frame_s for number in range(count)]


def columns(width: int, height: int, count: int) -> int:
    """How many tiles stand in a row: upright ones all, the others in two rows. Pure."""
    return count if height > width or count < 4 else (count + 1) // 2


def filmstrip(clip: Path) -> bytes:
    """The PNG. Raises OutputError where no frame can be decoded."""
    measured = measure_video(clip)
    if measured is None:
        raise OutputError("the clip cannot be measured here.")
    size = measured["width"], measured["height"]
    wanted = times(measured["duration_s"], measured["fps"])
    row = columns(*size, len(wanted))
    width = (WIDTH - GAP * (row + 1)) // row
    tile = (width, max(1, round(width * size[1] / size[0])))
    frames = frames_at(clip, wanted, tile)
    return sheet([(frame, f"{when:.2f} s") for when, frame in frames], tile, row)


def frames_at(
    clip: Path, wanted: list[float], size: tuple[int, int]
) -> list[tuple[float, Image.Image]]:
    """The frames nearest after these times, with their own times, scaled to `size`.

    `wanted` is in order. Decoded from the start: clips are seconds long, and many have one single
    key frame, to which every seek would go back.
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
        # Where frames are not evenly spaced, the end comes before it is due.
        found.append((when, _scaled(frame, size)))
    return found


def _scaled(frame: Any, size: tuple[int, int]) -> Image.Image:
    image: Image.Image = frame.to_image(width=size[0], height=size[1], interpolation="AREA")
    return image


def sheet(tiles: list[tuple[Image.Image, str]], tile: tuple[int, int], row: int) -> bytes:
    """Pictures of one size in rows, a label below each, as PNG."""
    from PIL import Image, ImageDraw, ImageFont

    rows = -(-len(tiles) // row)
    step = tile[0] + GAP, tile[1] + LABEL_HEIGHT + GAP
    picture = Image.new("RGB", (GAP + row * step[0], GAP + rows * step[1]), _GROUND)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(18)
    for number, (image, label) in enumerate(tiles):
        left = GAP + number % row * step[0]
        top = GAP + number // row * step[1]
        picture.paste(image, (left, top))
        middle = left + tile[0] // 2, top + tile[1] + LABEL_HEIGHT // 2
        draw.text(middle, label, fill=_INK, font=font, anchor="mm")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()
