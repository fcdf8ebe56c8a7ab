"""How similar two pictures are: whether a clip begins with its anchor."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

# Small enough to average out the noise of a codec, large enough to show what stands where.
SIZE = (64, 36)
# Below this a clip does not begin with its anchor. Over generated pictures (the benchmark
# `fidelity`) the same frame after H.264 is above 0.97, one zoomed by 3 % or moved by 2 % above 0.7,
# another picture below 0.2; a change by a tenth of the width falls on both sides.
RESPECTED = 0.6
# Levels of 255. A picture that varies less is flat: its correlation would be that of its noise.
_FLAT = 3.0
_SAME_COLOUR = 8.0


def alike(one: bytes, other: bytes) -> float:
    """The zero-mean normalised correlation of two pictures, 0 (not alike) to 1 (the same). Pure.

    `one` and `other` are RGB bytes of equal size. Each colour channel has its own mean, so that a
    common tint does not count as similarity; anti-correlated pictures are 0. Two flat pictures are
    alike if their colours are, which no correlation can show.
    """
    count = len(one) // 3
    product = power_one = power_other = 0.0
    furthest = 0.0
    for channel in range(3):
        values, others = one[channel::3], other[channel::3]
        mean, mean_other = sum(values) / count, sum(others) / count
        furthest = max(furthest, abs(mean - mean_other))
        product += sum(map(int.__mul__, values, others)) - count * mean * mean_other
        power_one += sum(v * v for v in values) - count * mean * mean
        power_other += sum(v * v for v in others) - count * mean_other * mean_other
    flat = 3 * count * _FLAT**2
    if power_one < flat and power_other < flat:
        return 1.0 if furthest <= _SAME_COLOUR else 0.0
    power = power_one * power_other
    return max(0.0, min(1.0, product / sqrt(power))) if power > 0 else 0.0


def squeezed(picture: Image.Image) -> bytes:
    """RGB bytes of a picture of any size and mode, squeezed into `SIZE`."""
    from PIL import Image

    return picture.convert("RGB").resize(SIZE, Image.Resampling.BOX).tobytes()


def fidelity(sent: bytes, came: bytes) -> float:
    """How close a clip's first frame is to the picture that was sent, 0 to 1; both squeezed."""
    return round(alike(sent, came), 3)
