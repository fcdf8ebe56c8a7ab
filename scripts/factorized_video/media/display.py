"""How a decoded frame looks on a screen: upright, in square pixels, in the colours of sRGB.

Rotation and pixel shape stand in the container, and a decoder leaves them to whoever shows the
frame. High dynamic range is mapped to what an ordinary screen shows: a clip's pictures here are
for looking at, and for models that know nothing else.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp, log
from typing import TYPE_CHECKING, Any

from ..aspect_ratios import Size

if TYPE_CHECKING:
    from PIL import Image, ImageFilter

# Numbers of ITU-T H.273, as FFmpeg's.
_UNSPECIFIED, _BT2020_C, _SMPTE170M = 2, 10, 6
_BT709, _BT601, _BT2020 = 1, 5, 9
PQ, HLG = 16, 18  # transfer characteristics of high dynamic range
# Clips that do not say their matrix are BT.709 from this height on, as players take them.
_HD = 720
_WHITE = 203.0  # cd/m2 of diffuse white in HDR (ITU-R BT.2408)
_PEAK_HLG = 1_000.0  # cd/m2 of the screen that HLG is shown on (ITU-R BT.2100)
_KNEE = 0.75  # of white; what is brighter is compressed, what is darker stays
_STEPS = 33  # of each side of the table


def size_of(coded: Size, pixel_aspect: Any, rotation: int) -> Size:
    """Width and height on a screen. `pixel_aspect` is a fraction, or None for square pixels."""
    width, height = coded
    if pixel_aspect and pixel_aspect > 0:
        width = max(1, round(width * pixel_aspect))
    return (height, width) if turns(rotation) % 2 else (width, height)


def turns(rotation: int) -> int:
    """Quarter turns counterclockwise that put a frame upright."""
    return round(rotation / 90) % 4


def rotation_of(frame: Any) -> int:
    """Degrees counterclockwise by which the container wants the frame turned."""
    return int(getattr(frame, "rotation", 0) or 0)


def shown(frame: Any, size: Size) -> Image.Image:
    """The frame as a picture of this size, which is that on the screen, scaled."""
    from PIL import Image

    quarter = turns(rotation_of(frame))
    width, height = (size[1], size[0]) if quarter % 2 else size
    matrix = matrix_of(frame)
    colours = {} if matrix is None else {"src_colorspace": matrix}
    image: Image.Image = frame.to_image(width=width, height=height, interpolation="AREA", **colours)
    if (transfer := getattr(frame, "color_trc", None)) in (PQ, HLG):
        image = as_srgb(image, int(transfer))
    turned = (None, "ROTATE_90", "ROTATE_180", "ROTATE_270")[quarter]
    return image.transpose(Image.Transpose[turned]) if turned else image


def matrix_of(frame: Any) -> int | None:
    """Which luma and chroma make which red, green and blue; None for frames that are RGB."""
    if frame.format.is_rgb or frame.format.name.startswith(("gray", "pal")):
        return None
    named = int(frame.colorspace)
    if named in (_UNSPECIFIED, 0):
        return _BT709 if frame.height >= _HD or frame.width >= 1280 else _BT601
    return {_SMPTE170M: _BT601, _BT2020_C: _BT2020}.get(named, named)


def as_srgb(image: Image.Image, transfer: int) -> Image.Image:
    """A picture in PQ or HLG and BT.2020, as an ordinary screen shows it."""
    return image.point(_levels(transfer) * 3).filter(_primaries())


@lru_cache(maxsize=2)
def _levels(transfer: int) -> list[int]:
    """From each level of PQ or HLG to that of sRGB; the brightest are compressed."""
    light = _light_of_pq if transfer == PQ else _light_of_hlg
    return [round(255 * _gamma(_compressed(light(level / 255)))) for level in range(256)]


@lru_cache(maxsize=1)
def _primaries() -> ImageFilter.Color3DLUT:
    """From the red, green and blue of BT.2020 to those of sRGB, both with the transfer of sRGB."""
    from PIL import ImageFilter

    def mapped(red: float, green: float, blue: float) -> tuple[float, float, float]:
        red, green, blue = _linear(red), _linear(green), _linear(blue)
        # ITU-R BT.2087: the inverse of the matrix of annex 1.
        return (
            _gamma(1.6605 * red - 0.5876 * green - 0.0729 * blue),
            _gamma(-0.1246 * red + 1.1329 * green - 0.0083 * blue),
            _gamma(-0.0182 * red - 0.1006 * green + 1.1188 * blue),
        )

    return ImageFilter.Color3DLUT.generate(_STEPS, mapped)


def _light_of_pq(value: float) -> float:
    """Linear light, 1 at diffuse white (SMPTE ST 2084)."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = value ** (1 / m2)
    return float((max(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)) * 10_000 / _WHITE


def _light_of_hlg(value: float) -> float:
    """Linear light on a screen, 1 at diffuse white (ITU-R BT.2100, table 5).

    The system gamma of 1.2 is taken of each channel by itself.
    """
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * log(4 * a)
    scene = value * value / 3 if value <= 0.5 else (exp((value - c) / a) + b) / 12
    return float(scene**1.2) * _PEAK_HLG / _WHITE


def _compressed(light: float) -> float:
    if light <= _KNEE:
        return light
    return _KNEE + (1 - _KNEE) * (1 - exp(-(light - _KNEE) / (1 - _KNEE)))


def _gamma(light: float) -> float:
    """The transfer of sRGB (IEC 61966-2-1)."""
    light = min(1.0, max(0.0, light))
    return 12.92 * light if light <= 0.0031308 else float(1.055 * light ** (1 / 2.4)) - 0.055


def _linear(value: float) -> float:
    """The inverse of that."""
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
