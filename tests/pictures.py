"""Opening and comparing pictures, for the tests of what the demo draws."""

from __future__ import annotations

import io

from PIL import Image, ImageChops, ImageStat


def opened(data: bytes) -> Image.Image:
    """The picture, decoded to its end."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def distance(one: Image.Image, other: Image.Image) -> float:
    """The mean absolute difference of two pictures, in levels of 255."""
    means = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean
    return sum(means) / len(means)
