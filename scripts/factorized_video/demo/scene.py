"""Painting the scene of a card: a hint of a landscape on the thirds grid."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, cast

from .palette import Manner, Palette, manner_of, mix, palette_of, rgb
from .sizes import Size

if TYPE_CHECKING:
    from PIL import Image


class Brush(NamedTuple):
    """What every painting function needs; the dice are seeded, the unit is in pixels."""

    palette: Palette
    manner: Manner
    dice: random.Random
    unit: float


def _gradient(size: Size, top: str, bottom: str) -> Image.Image:
    from PIL import Image, ImageOps

    ramp = Image.linear_gradient("L").resize(size, Image.Resampling.BICUBIC)
    return ImageOps.colorize(ramp, rgb(top), rgb(bottom))


def _noise(size: Size, dice: random.Random, cell: float) -> Image.Image:
    """Return a grey cloud whose grains are about `cell` pixels wide."""
    from PIL import Image

    coarse = max(1, round(size[0] / cell)), max(1, round(size[1] / cell))
    grains = Image.frombytes("L", coarse, dice.randbytes(coarse[0] * coarse[1]))
    return grains.resize(size, Image.Resampling.BICUBIC)


def _profile(kind: str, dice: random.Random) -> Callable[[float], float]:
    """Return the height (about 0..1) of a ridge as a function of x, in typical rises."""
    one, two, three = (dice.uniform(0, math.tau) for _ in range(3))

    def hills(x: float) -> float:
        waves = math.sin(1.3 * x + one) / 1.3 + math.sin(2.9 * x + two) / 2.9
        return 0.5 + (waves + math.sin(5.3 * x + three) / 5.3) / 3

    def peaks(x: float) -> float:
        saws = ((0.9, one), (2.3, two), (5.9, three))
        return sum(abs((x * pitch + phase) % 2 - 1) / pitch for pitch, phase in saws) / 1.8

    def shore(x: float) -> float:
        return 0.04 * math.sin(x + one)

    blocks = [dice.choice((0.15, 0.3, 0.45, 0.7, 1.0)) for _ in range(61)]

    def towers(x: float) -> float:
        return blocks[int(5 * x) % len(blocks)]

    return {"hills": hills, "peaks": peaks, "shore": shore, "towers": towers}[kind]


def _ridge(size: Size, foot: float, rise: float, height: Callable[[float], float]) -> Image.Image:
    """Return the mask of a ridge that stands on y = foot and fills everything under it."""
    from PIL import Image, ImageDraw

    mask = Image.new("L", size)
    line = [(x, foot - rise * height(x / (2.2 * rise))) for x in range(size[0] + 1)]
    ImageDraw.Draw(mask).polygon([(0, size[1]), *line, size], fill=255)
    return mask


def _lay(
    picture: Image.Image, paint: Image.Image, mask: Image.Image, soft: float, b: Brush
) -> None:
    """Lay one shape on the picture in the manner of the style; `soft` is the blur of its edge."""
    from PIL import ImageChops
    from PIL.ImageFilter import GaussianBlur

    if soft:
        mask = mask.filter(GaussianBlur(soft))
    if b.manner.shadow:
        shade = mask.filter(GaussianBlur(26 * b.unit)).point(lambda v: int(v * b.manner.shadow))
        picture.paste(rgb(b.palette.near), mask=shade)
    if b.manner.finish == "wash":  # pigment pools in clouds, and dries darker at the edge
        cloud = _noise(mask.size, b.dice, 90 * b.unit).point(lambda v: 120 + v // 3)
        edge = ImageChops.subtract(mask, mask.filter(GaussianBlur(5 * b.unit)))
        mask = ImageChops.add(ImageChops.multiply(mask, cloud), edge.point(lambda v: v // 2))
    picture.paste(paint, mask=mask)


def _disc(picture: Image.Image, x: float, y: float, radius: float, b: Brush) -> None:
    from PIL import Image, ImageDraw

    colour = b.palette.disc
    if b.manner.halo:
        reach = round(radius * 5)
        # Pillow's gradient reaches 255 in the corners; 180 is its inscribed circle.
        light = Image.radial_gradient("L").point(
            lambda v: int(255 * b.manner.halo * max(0.0, 1 - v / 180) ** 2)
        )
        light = light.resize((2 * reach, 2 * reach), Image.Resampling.BICUBIC)
        picture.paste(rgb(colour), (round(x) - reach, round(y) - reach), light)
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    paint = Image.new("RGB", picture.size, colour)
    if b.manner.shadow:
        globe = _gradient((round(2 * radius),) * 2, colour, mix(colour, b.palette.near, 0.45))
        paint.paste(globe, (round(x - radius), round(y - radius)))
    _lay(picture, paint, mask, 0, b)
    for ring in range(b.manner.rings):
        r = radius * (1.35 + 0.35 * ring)
        box = (x - r, y - r, x + r, y + r)
        ImageDraw.Draw(picture).ellipse(box, outline=colour, width=round(2.5 * b.unit))


def _landscape(size: Size, b: Brush) -> Image.Image:
    """Paint sky, disc and ridges: the disc on a thirds crossing, the ground from a thirds line."""
    from PIL import Image

    (width, height), palette = size, b.palette
    span = min(width, height * 1.6)
    kind = b.dice.choice(("hills", "peaks", "shore", "towers"))
    picture = _gradient(size, palette.sky, palette.glow)
    side, radius = b.dice.choice((1, 2)), span * b.dice.uniform(0.07, 0.14)
    _disc(picture, width * side / 3, height / 3, radius, b)
    ridges = b.dice.choice((3, 4))
    for index in range(ridges):
        depth = 1 - index / (ridges - 1)  # 1 is far, 0 is near
        foot = height * (2 / 3 + 0.28 * (1 - depth))
        rise = span * (0.1 + 0.12 * depth) * b.dice.uniform(0.8, 1.2)
        mask = _ridge(size, foot, rise, _profile(kind if depth else "hills", b.dice))
        tone = mix(palette.near, palette.far, depth)
        paint = Image.new("RGB", size, tone)
        misty = mix(tone, palette.glow, b.manner.mist * depth)
        fade = _gradient((width, max(1, round(height - foot + rise))), tone, misty)
        paint.paste(fade, (0, height - fade.height))
        _lay(picture, paint, mask, b.manner.soft * depth * b.unit, b)
    return picture


def _stroked(picture: Image.Image, b: Brush) -> None:
    """Repaint a picture in short strokes with round ends, broad ones first."""
    from PIL import ImageDraw, ImageFilter

    colours = picture.filter(ImageFilter.GaussianBlur(2 * b.unit))
    draw = ImageDraw.Draw(picture)
    for breadth, cover in ((20, 1.5), (8, 1.6)):
        wide, long = breadth * b.unit, 3.5 * breadth * b.unit
        for _ in range(int(cover * picture.width * picture.height / (long * wide))):
            x, y = b.dice.randrange(picture.width), b.dice.randrange(picture.height)
            turn = 0.35 * math.sin(x / (300 * b.unit)) + b.dice.uniform(-0.18, 0.18)
            dx, dy = math.cos(turn) * long / 2, math.sin(turn) * long / 2
            light = b.dice.randint(-9, 9)
            red, green, blue = cast("tuple[int, int, int]", colours.getpixel((x, y)))
            paint, r = (red + light, green + light, blue + light), wide / 2
            draw.line((x - dx, y - dy, x + dx, y + dy), paint, round(wide))
            draw.ellipse((x - dx - r, y - dy - r, x - dx + r, y - dy + r), paint)
            draw.ellipse((x + dx - r, y + dy - r, x + dx + r, y + dy + r), paint)


def _grid(picture: Image.Image, unit: float) -> None:
    """Draw the rule of thirds, faint, with a small cross on each of its four crossings."""
    from PIL import Image, ImageDraw

    mask = Image.new("L", picture.size)
    draw = ImageDraw.Draw(mask)
    width, height = picture.size
    thick, arm = max(1, round(1.5 * unit)), 9 * unit
    for third in (1, 2):
        draw.line((width * third / 3, 0, width * third / 3, height), 56, thick)
        draw.line((0, height * third / 3, width, height * third / 3), 56, thick)
    for x, y in ((width * i / 3, height * j / 3) for i in (1, 2) for j in (1, 2)):
        draw.line((x - arm, y, x + arm, y), 200, thick)
        draw.line((x, y - arm, x, y + arm), 200, thick)
    picture.paste((255, 255, 255), mask=mask)


def paint(size: Size, style: str, caption: str, unit: float, candidate: int = 1) -> Image.Image:
    """Paint the upper part of a card, in the manner of its style, as `size` pixels of RGB.

    `unit` is the card's, in pixels. The same style, caption and candidate give the same picture.
    """
    from PIL import Image, ImageChops

    seed = f"{style}\n{caption}" + (f"\n{candidate}" if candidate > 1 else "")
    dice = random.Random(seed.encode("utf-8", "replace"))
    b = Brush(palette_of(style), manner_of(style), dice, unit)
    picture = _landscape(size, b)
    if b.manner.finish == "brush":
        _stroked(picture, b)
    _grid(picture, b.unit)
    if b.manner.grain:
        noise = _noise(size, b.dice, 2).point(lambda v: v * 2 * b.manner.grain // 255)
        picture = ImageChops.add(picture, Image.merge("RGB", [noise] * 3), offset=-b.manner.grain)
    if b.manner.finish == "bars":
        picture.paste(rgb(b.palette.panel), (0, 0, size[0], round(0.09 * size[1])))
    return picture
