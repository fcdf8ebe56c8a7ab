"""The shapes of pictures: ratios, and what a crop costs. Pure. Sizes are (width, height) pixels."""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd

Size = tuple[int, int]


def value_of(ratio: str) -> float:
    """Width over height of "W:H"."""
    width, height = ratio.split(":")
    return int(width) / int(height)


def difference(size: Size, ratio: str) -> float:
    """By how much a picture's shape differs from a ratio: 0 for none, 0.1 for ten per cent."""
    shape = size[0] / size[1] / value_of(ratio)
    return max(shape, 1 / shape) - 1


def nearest(size: Size, ratios: Iterable[str]) -> str:
    """The ratio that a picture comes nearest to."""
    return min(ratios, key=lambda ratio: difference(size, ratio))


def lost_by_crop(size: Size, ratio: str) -> float:
    """The part of a picture's area that a crop to a ratio cuts off, 0 to 1."""
    return 1 - 1 / (1 + difference(size, ratio))


def largest_within(size: Size, ratio: str) -> Size:
    """The largest size of exactly this ratio inside `size`.

    Where whole pixels of the exact ratio would lose more than they are worth (a small picture, a
    ratio such as 37:20), the nearest whole pixels.
    """
    wide, high = (int(part) for part in ratio.split(":"))
    wide, high = wide // gcd(wide, high), high // gcd(wide, high)
    times = min(size[0] // wide, size[1] // high)
    if times >= 40:
        return wide * times, high * times
    share = value_of(ratio)
    width = min(size[0], round(size[1] * share))
    return max(1, width), max(1, min(size[1], round(width / share)))


def smallest_around(size: Size, ratio: str) -> Size:
    """The smallest size of this ratio that a picture fits in whole."""
    share = value_of(ratio)
    width = max(size[0], round(size[1] * share))
    return width, max(size[1], round(width / share))


def short_side(resolution: str) -> int:
    """Pixels of the shorter side of a 16:9 clip: "720p" is 720, "2k" 1440, "4k" 2160."""
    if resolution.endswith("p"):
        return int(resolution[:-1])
    return {2: 1440}.get(int(resolution[:-1]), int(resolution[:-1]) * 540)
