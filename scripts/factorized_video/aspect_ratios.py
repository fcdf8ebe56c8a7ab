"""Aspect ratios, and what a crop to one cuts off. Pure. Sizes are (width, height) in pixels."""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd

Size = tuple[int, int]


def value_of(ratio: str) -> float:
    """Return width divided by height of "W:H"."""
    width, height = ratio.split(":")
    return int(width) / int(height)


def difference(size: Size, ratio: str) -> float:
    """Return how far a picture is off a ratio: 0 if it is exact, 0.1 for ten per cent."""
    shape = size[0] / size[1] / value_of(ratio)
    return max(shape, 1 / shape) - 1


def nearest(size: Size, ratios: Iterable[str]) -> str:
    """Return the ratio that is nearest to the shape of a picture."""
    return min(ratios, key=lambda ratio: difference(size, ratio))


def lost_by_crop(size: Size, ratio: str) -> float:
    """Return the share of the area that a crop to a ratio cuts off, 0 to 1."""
    return 1 - 1 / (1 + difference(size, ratio))


def largest_within(size: Size, ratio: str) -> Size:
    """Return the largest size of exactly this ratio inside `size`.

    For a small picture, or a ratio such as 37:20, an exact size would cut off too much; then the
    nearest whole pixels are returned.
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
    """Return the smallest size of this ratio that contains the whole picture."""
    share = value_of(ratio)
    width = max(size[0], round(size[1] * share))
    return width, max(size[1], round(width / share))


def short_side(resolution: str) -> int:
    """Return the height of a 16:9 clip in pixels: "720p" is 720, "2k" 1440, "4k" 2160.

    Of a resolution in pixels ("832x480") it is the shorter side.
    """
    if "x" in resolution:
        return min(int(side) for side in resolution.split("x"))
    if resolution.endswith("p"):
        return int(resolution[:-1])
    return {2: 1440}.get(int(resolution[:-1]), int(resolution[:-1]) * 540)


def pixels(resolution: str, shape: str) -> str:
    """ "1280x720" for 720p in 16:9: the shorter side is the resolution's, both are even."""
    short, share = short_side(resolution), value_of(shape)
    long = round(short * max(share, 1 / share) / 2) * 2
    return f"{long}x{short}" if share >= 1 else f"{short}x{long}"
