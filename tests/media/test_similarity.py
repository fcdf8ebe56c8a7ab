"""Whether a clip begins with its anchor, judged on pictures and clips that are made here."""

from __future__ import annotations

import io
import math
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

av = pytest.importorskip("av")
pytest.importorskip("PIL")

from factorized_video.media import clips, similarity
from factorized_video.media.similarity import RESPECTED, SIZE, alike
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageFont

pytestmark = pytest.mark.thorough  # clips and pictures by the dozen

Size = tuple[int, int]
WIDE, TALL, SQUARE = (640, 360), (360, 640), (480, 480)

# -- two pictures ---------------------------------------------------------------------------------


def flat(*colour: int) -> bytes:
    return bytes(colour) * (SIZE[0] * SIZE[1])


def mapped(act: Callable[[int], float], data: bytes) -> bytes:
    return bytes(max(0, min(255, round(act(value)))) for value in data)


def tinted(data: bytes, *by: int) -> bytes:
    return bytes(max(0, min(255, value + by[i % 3])) for i, value in enumerate(data))


def trembling(data: bytes, most: int, seed: int = 3) -> bytes:
    chance = random.Random(seed)
    return mapped(lambda value: value + chance.randint(-most, most), data)


@cache
def texture(seed: int) -> bytes:
    """Every value by chance, from 60 to 195: room for a tint at both ends."""
    chance = random.Random(seed)
    return bytes(chance.randint(60, 195) for _ in range(3 * SIZE[0] * SIZE[1]))


@cache
def ramp() -> bytes:
    return bytes(60 + x * 2 for _ in range(SIZE[1]) for x in range(SIZE[0]) for _ in range(3))


def mirrored(data: bytes) -> bytes:
    picture = Image.frombytes("RGB", SIZE, data)
    return picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).tobytes()


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        pytest.param(ramp(), ramp(), 1, 1, id="the same"),
        pytest.param(texture(1), texture(1), 1, 1, id="the same texture"),
        pytest.param(ramp(), mapped(lambda v: 255 - v, ramp()), 0, 0, id="its negative"),
        pytest.param(ramp(), mirrored(ramp()), 0, 0, id="mirrored"),
        pytest.param(texture(1), texture(2), 0, 0.05, id="another texture"),
        pytest.param(ramp(), trembling(ramp(), 4), 0.99, 1, id="tiny noise"),
        pytest.param(ramp(), mapped(lambda v: v * 1.1 - 5, ramp()), 0.999, 1, id="more contrast"),
        pytest.param(ramp(), tinted(ramp(), 40, 0, -40), 1, 1, id="another tint"),
        pytest.param(
            tinted(texture(1), 60, 0, -60),
            tinted(texture(2), 60, 0, -60),
            0,
            0.05,
            id="a common tint is no likeness",
        ),
        pytest.param(flat(90, 90, 90), flat(90, 90, 90), 1, 1, id="flat, the same"),
        pytest.param(flat(90, 90, 90), flat(97, 84, 90), 1, 1, id="flat, as good as the same"),
        pytest.param(flat(90, 90, 90), flat(90, 90, 100), 0, 0, id="flat, another colour"),
        pytest.param(flat(0, 0, 0), flat(255, 255, 255), 0, 0, id="black and white"),
        pytest.param(
            trembling(flat(90, 90, 90), 3),
            trembling(flat(90, 90, 90), 3, 4),
            1,
            1,
            id="flat, each with its noise",
        ),
        pytest.param(flat(90, 90, 90), ramp(), 0, 0, id="flat and not flat"),
        pytest.param(ramp(), trembling(flat(120, 120, 120), 3), 0, 0.05, id="not flat and flat"),
        pytest.param(flat(0, 0, 0), trembling(flat(9, 9, 9), 6), 0, 0, id="black and noise"),
    ],
)
def test_how_alike_two_pictures_are(one: bytes, other: bytes, least: float, most: float) -> None:
    assert least - 1e-9 <= alike(one, other) <= most + 1e-9
    assert alike(one, other) == pytest.approx(alike(other, one), abs=1e-12)


# -- pictures -------------------------------------------------------------------------------------

FONT = ImageFont.load_default(22)


def painted(
    size: Size, colour: Callable[[float, float], tuple[float, float, float]]
) -> Image.Image:
    """Each pixel by its place, 0 to 1; drawn at a quarter of the size."""
    small = (size[0] // 4, size[1] // 4)
    data = bytes(
        max(0, min(255, round(value)))
        for y in range(small[1])
        for x in range(small[0])
        for value in colour(x / (small[0] - 1), y / (small[1] - 1))
    )
    return Image.frombytes("RGB", small, data).resize(size, Image.Resampling.BICUBIC)


def drawn(size: Size, ground: object, act: Callable[[ImageDraw.ImageDraw], object]) -> Image.Image:
    picture = ground if isinstance(ground, Image.Image) else Image.new("RGB", size, str(ground))
    act(ImageDraw.Draw(picture))
    return picture


def clouds(size: Size, seed: int, low: int = 20, high: int = 235) -> Image.Image:
    """Noise at four scales, in colour."""
    chance = random.Random(seed)
    total = Image.new("RGB", size)
    for part, cells in ((0.5, 4), (0.25, 9), (0.15, 20), (0.1, 60)):
        grid = (cells, max(1, cells * size[1] // size[0]))
        noise = Image.frombytes("RGB", grid, chance.randbytes(3 * grid[0] * grid[1]))
        layer = noise.resize(size, Image.Resampling.BICUBIC)
        total = ImageChops.add(total, layer.point([round(v * part) for v in range(256)] * 3))
    return total.point([low + v * (high - low) // 255 for v in range(256)] * 3)


def night(seed: int, size: Size = WIDE) -> Image.Image:
    """Nearly black, with a few lamps and lit windows."""
    chance = random.Random(seed)

    def lamps(draw: ImageDraw.ImageDraw) -> None:
        for _ in range(14):
            x, y = chance.randrange(size[0]), chance.randrange(size[1])
            r = chance.randrange(4, 22)
            draw.ellipse((x - r, y - r, x + r, y + r), (255, chance.randrange(150, 230), 90))

    picture = drawn(size, painted(size, lambda x, y: (6, 8, 14 + 8 * y)), lamps)
    return picture.filter(ImageFilter.GaussianBlur(3))


def written(seed: int, ink: str, ground: str) -> Image.Image:
    """Lines of text of unequal length."""
    chance = random.Random(seed)

    def lines(draw: ImageDraw.ImageDraw) -> None:
        for row in range(12):
            words = " ".join("anchor" for _ in range(chance.randrange(1, 9)))
            draw.text((24, 14 + 28 * row), words, ink, FONT)

    return drawn(WIDE, ground, lines)


def person(size: Size, at: float, coat: str, ground: Image.Image) -> Image.Image:
    """Head and shoulders."""
    width, height = size
    x, y, r = at * width, 0.42 * height, 0.11 * height

    def body(draw: ImageDraw.ImageDraw) -> None:
        draw.ellipse((x - 2 * r, y + 0.9 * r, x + 2 * r, y + 7 * r), coat)
        draw.ellipse((x - r, y - 1.2 * r, x + r, y + 1.2 * r), (224, 176, 140))
        draw.pieslice((x - r, y - 1.4 * r, x + r, y + r), 180, 360, "saddlebrown")

    return drawn(size, ground, body)


def scattered(seed: int, size: Size, ground: str, count: int = 12) -> Image.Image:
    """Shapes of many colours."""
    chance = random.Random(seed)

    def shapes(draw: ImageDraw.ImageDraw) -> None:
        for _ in range(count):
            x, y = chance.randrange(size[0]), chance.randrange(size[1])
            r = chance.randrange(30, 110)
            colour = tuple(chance.randrange(256) for _ in range(3))
            act = chance.choice((draw.ellipse, draw.rectangle))
            act((x - r, y - r, x + r, y + r), fill=colour)

    return drawn(size, ground, shapes)


def stars() -> Image.Image:
    chance = random.Random(11)
    points = [(chance.randrange(640), chance.randrange(360)) for _ in range(220)]

    def dots(draw: ImageDraw.ImageDraw) -> None:
        for x, y in points:
            draw.rectangle((x, y, x + 2, y + 2), "white")

    return drawn(WIDE, "#02030a", dots)


def landscape(seed: int, sky: str, ground: str, things: int) -> Image.Image:
    """A bright sky, a dark ground, and something on the horizon."""
    chance = random.Random(seed)

    def horizon(draw: ImageDraw.ImageDraw) -> None:
        draw.rectangle((0, 200, 640, 360), ground)
        for _ in range(things):
            x, r = chance.randrange(640), chance.randrange(20, 90)
            draw.polygon(((x - r, 200), (x, 200 - r), (x + r, 200)), ground)

    return drawn(WIDE, sky, horizon)


def striped(step: int, upright: bool) -> Image.Image:
    def bars(draw: ImageDraw.ImageDraw) -> None:
        for place in range(0, 640, 2 * step):
            box = (place, 0, place + step, 360) if upright else (0, place, 640, place + step)
            draw.rectangle(box, "gold")

    return drawn(WIDE, "navy", bars)


PICTURES: dict[str, Callable[[], Image.Image]] = {
    "gradient to the right": lambda: painted(WIDE, lambda x, y: (30 + 190 * x, 90, 200 - 150 * x)),
    "gradient upwards": lambda: painted(WIDE, lambda x, y: (40 + 180 * y, 50 + 150 * y, 90)),
    "gradient from the middle": lambda: painted(
        SQUARE, lambda x, y: (250 - 330 * math.hypot(x - 0.5, y - 0.5),) * 3
    ),
    "rainbow": lambda: painted(
        WIDE,
        lambda x, y: (
            128 + 120 * math.sin(9 * x + 3 * y),
            128 + 120 * math.sin(9 * x + 2),
            128 + 120 * math.sin(5 * y + 4),
        ),
    ),
    "shapes on white": lambda: scattered(1, WIDE, "white"),
    "shapes on grey": lambda: scattered(2, WIDE, "grey"),
    "shapes, upright": lambda: scattered(3, TALL, "white"),
    "shapes, square": lambda: scattered(4, SQUARE, "black"),
    "one small thing on white": lambda: drawn(
        WIDE, "white", lambda draw: draw.ellipse((430, 60, 560, 190), "firebrick")
    ),
    "dark text": lambda: written(5, "black", "white"),
    "light text": lambda: written(6, "white", "#101018"),
    "clouds": lambda: clouds(WIDE, 21),
    "other clouds": lambda: clouds(WIDE, 22),
    "clouds, upright": lambda: clouds(TALL, 23),
    "low contrast": lambda: clouds(WIDE, 24, 118, 150),
    "very low contrast": lambda: clouds(WIDE, 25, 120, 136),
    "fine noise": lambda: Image.frombytes("RGB", WIDE, random.Random(26).randbytes(640 * 360 * 3)),
    "a street at night": lambda: night(31),
    "another street at night": lambda: night(32),
    "a night, upright": lambda: night(33, TALL),
    "stars": stars,
    "a portrait": lambda: person(TALL, 0.35, "teal", clouds(TALL, 41, 150, 240)),
    "another portrait": lambda: person(TALL, 0.7, "maroon", clouds(TALL, 42, 10, 120)),
    "a person in the dark": lambda: person(WIDE, 0.25, "black", night(43)),
    "stripes": lambda: striped(40, True),
    "stripes across": lambda: striped(30, False),
    "flat red": lambda: Image.new("RGB", WIDE, (190, 40, 40)),
    "flat blue": lambda: Image.new("RGB", WIDE, (60, 100, 170)),
    "black": lambda: Image.new("RGB", WIDE, "black"),
    "white": lambda: Image.new("RGB", SQUARE, "white"),
}
# A frame is encoded in one of two ways, which a clip should name. libswscale's numbers.
BT709, BT601 = 1, 5
WAYS = {
    "untagged": (BT601, None),
    "BT.709": (BT709, BT709),
    "BT.601": (BT601, BT601),
    "BT.709 that is not said": (BT709, None),
}


@cache
def picture(name: str) -> Image.Image:
    return PICTURES[name]()


def clip_of(first: Image.Image, way: str = "untagged") -> bytes:
    """H.264 as models send it: the picture, then its negative."""
    matrix, tag = WAYS[way]
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=24, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = *first.size, "yuv420p"
        if tag:
            stream.codec_context.colorspace = tag
        for image in (first, ImageChops.invert(first), first):
            frame = av.VideoFrame.from_image(image)
            container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace=matrix)))
        container.mux(stream.encode())
    return out.getvalue()


def began(data: bytes) -> bytes:
    """How a clip begins, as it is compared."""
    path = Path("clip.mp4")
    path.write_bytes(data)
    measured, first = clips.examine(path, SIZE)
    assert measured is not None
    assert first is not None
    return first


@cache
def beginning(name: str) -> bytes:
    return began(clip_of(picture(name)))


@cache
def small(name: str) -> bytes:
    return similarity.squeezed(picture(name))


# -- the clip of a picture, and that of another one -----------------------------------------------


def fails(*row: object, value: float) -> Any:
    """A row that misses its bound today."""
    mark = pytest.mark.xfail(strict=True, raises=AssertionError, reason=f"anchor_fidelity {value}")
    return pytest.param(*row, marks=mark)


SAME = [fails(name, value=0.73) if name == "fine noise" else name for name in PICTURES]


@pytest.mark.parametrize("name", SAME)
def test_a_clip_that_begins_with_its_anchor(name: str) -> None:
    assert similarity.fidelity(small(name), beginning(name)) >= 0.95


@pytest.mark.parametrize("name", PICTURES)
def test_a_clip_that_begins_with_another_picture(name: str) -> None:
    others = [other for other in PICTURES if other != name]
    values = {other: similarity.fidelity(small(name), beginning(other)) for other in others}
    assert {other: value for other, value in values.items() if value > 0.5} == {}


ALIKE: dict[str, tuple[Callable[[], Image.Image], Callable[[], Image.Image]]] = {
    "a shore, and mountains": (
        lambda: landscape(51, "#b8d8f0", "#204060", 0),
        lambda: landscape(52, "#f0c890", "#203018", 9),
    ),
    "the same room, and who is in it elsewhere": (
        lambda: person(WIDE, 0.25, "maroon", landscape(53, "#e0d0b0", "#503828", 0)),
        lambda: person(WIDE, 0.75, "teal", landscape(53, "#e0d0b0", "#503828", 0)),
    ),
    "two people in the middle": (
        lambda: person(TALL, 0.5, "teal", clouds(TALL, 41, 150, 240)),
        lambda: person(TALL, 0.5, "maroon", clouds(TALL, 44, 150, 240)),
    ),
    "brighter above, and a portrait": (
        lambda: painted(WIDE, lambda x, y: (220 - 180 * y, 200 - 150 * y, 90)),
        PICTURES["a portrait"],
    ),
    "forms in the fog, and plain fog": (
        PICTURES["very low contrast"],
        lambda: Image.new("RGB", WIDE, (128, 128, 128)),
    ),
}


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="composed alike: up to 1.0")
@pytest.mark.parametrize("name", ALIKE)
def test_another_picture_of_the_same_composition_is_another_picture(name: str) -> None:
    one, other = (make() for make in ALIKE[name])
    assert similarity.fidelity(similarity.squeezed(one), began(clip_of(other))) <= 0.5


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["shapes on grey", "a portrait", "low contrast", "rainbow"])
def test_how_colours_are_encoded_makes_no_difference(name: str, way: str) -> None:
    assert similarity.fidelity(small(name), began(clip_of(picture(name), way))) >= 0.95


def zoomed(image: Image.Image) -> Image.Image:
    """By 2 %."""
    width, height = image.size
    box = (round(width * 0.01), round(height * 0.01), round(width * 0.99), round(height * 0.99))
    return image.resize(image.size, Image.Resampling.BICUBIC, box=box)


def shifted(image: Image.Image) -> Image.Image:
    """By 1 %; what comes in at the edge is what was there."""
    moved = image.copy()
    moved.paste(image, (round(image.width * 0.01), round(image.height * 0.01)))
    return moved


DRIFTS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "zoomed": zoomed,
    "shifted": shifted,
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.9),
}


# Grain finer than what is compared, and flat pictures, whose colour may be 8 levels off.
LOST = {
    ("fine noise", "zoomed"): 0.49,
    ("fine noise", "shifted"): 0.28,
    ("stars", "shifted"): 0.27,
    ("very low contrast", "darker"): 0.0,
    ("flat red", "brighter"): 0.0,
    ("flat red", "darker"): 0.0,
    ("flat blue", "brighter"): 0.0,
    ("flat blue", "darker"): 0.0,
    ("white", "darker"): 0.0,
}
DRIFTED = [
    fails(name, drift, value=LOST[name, drift]) if (name, drift) in LOST else (name, drift)
    for name in PICTURES
    for drift in DRIFTS
]


@pytest.mark.parametrize(("name", "drift"), DRIFTED)
def test_a_slight_drift_is_still_the_anchor(name: str, drift: str) -> None:
    first = began(clip_of(DRIFTS[drift](picture(name))))
    assert similarity.fidelity(small(name), first) > RESPECTED


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "CMYK", "RGBA"])
def test_the_picture_may_be_of_any_mode(mode: str) -> None:
    sent = picture("a portrait").convert(mode)
    grey = picture("a portrait").convert("L").convert("RGB")
    first = began(clip_of(grey)) if mode == "L" else beginning("a portrait")
    assert similarity.fidelity(similarity.squeezed(sent), first) >= 0.95
