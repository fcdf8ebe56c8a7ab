"""What becomes of a picture that is made fit to be a first frame, and of one that is hostile."""

from __future__ import annotations

import base64
import io
import json
import os
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PIL")
pytest.importorskip("av")

from conftest import Run, command, environment, run
from factorized_video.aspect_ratios import value_of
from factorized_video.errors import OutputError, UsageError
from factorized_video.media import file_types, images
from factorized_video.models import ImageLimits
from factorized_video.models.limits import COMMON_RATIOS
from factorized_video.models.picture_limits import Framing
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import Gateway
from PIL import Image, ImageDraw

pytestmark = pytest.mark.thorough  # clips and pictures by the dozen

Size = tuple[int, int]
BLACK = (0, 0, 0)
VIDEO = ["generate_video_from_anchor", "--anchor=mine.png", "--prompt=A cat.", "--output=v.mp4"]


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


@cache
def grid(size: Size) -> Image.Image:
    """Every pixel encodes its place: twelve bits of x and twelve of y. None is black."""
    rows = b"".join(
        bytes(byte for x in range(1, size[0] + 1) for byte in code(x, y))
        for y in range(1, size[1] + 1)
    )
    return Image.frombytes("RGB", size, rows)


def code(x: int, y: int) -> tuple[int, int, int]:
    """Neighbours differ little in the high bits, so that the picture stays small as PNG."""
    return x & 255, (x >> 8) << 4 | y >> 8, y & 255


def place(picture: Image.Image, at: Size) -> Size:
    """Where in the grid a pixel was."""
    pixel = picture.getpixel((at[0] % picture.width, at[1] % picture.height))
    assert isinstance(pixel, tuple)
    low, high, y = (int(value) for value in pixel)
    return ((high >> 4) << 8 | low) - 1, ((high & 15) << 8 | y) - 1


def sent(data: bytes, framing: Framing) -> Image.Image:
    """The picture as it goes to the model, its type checked."""
    result = images.to_send(images.check_image(data), framing)
    picture = opened(result.data)
    assert result.mime == f"image/{str(picture.format).lower()}"
    return picture


@cache
def noise(size: Size) -> bytes:
    """What compresses worst."""
    data = random.Random(7).randbytes(size[0] * size[1] * 3)
    return encoded(Image.frombytes("RGB", size, data), compress_level=0)


# -- the crop -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "ratio", "left"),
    [
        ((800, 600), "16:9", (800, 450)),
        ((600, 800), "9:16", (450, 800)),
        ((800, 600), "1:1", (600, 600)),
        ((801, 600), "1:1", (600, 600)),  # the odd pixel goes at one side
        ((600, 811), "1:1", (600, 600)),
        ((640, 480), "9:16", (270, 480)),
        ((500, 900), "21:9", (497, 213)),
        ((688, 384), "16:9", (672, 378)),  # of a model that makes 1376x768 for 16:9
        ((400, 300), "37:20", (400, 216)),  # whole pixels of the exact ratio would lose 10 %
        ((64, 64), "16:9", (64, 36)),
    ],
)
def test_a_crop_keeps_the_middle_pixel_for_pixel(size: Size, ratio: str, left: Size) -> None:
    """Whether 10 % is exceeded is not judged here, but before (`picture_limits.check_frame`)."""
    picture = sent(encoded(grid(size)), Framing(ratio))
    assert picture.size == left
    first, last = place(picture, (0, 0)), place(picture, (-1, -1))
    for side in (0, 1):
        before, after = first[side], size[side] - 1 - last[side]
        assert last[side] - first[side] == left[side] - 1
        assert 0 <= after - before <= 1


@pytest.mark.parametrize(
    ("size", "ratio", "canvas"),
    [
        ((800, 600), "16:9", (1067, 600)),
        ((600, 800), "9:16", (600, 1067)),
        ((600, 800), "16:9", (1422, 800)),
        ((640, 480), "1:1", (640, 640)),
        ((301, 500), "3:4", (375, 500)),
    ],
)
def test_a_padded_picture_is_there_whole_between_even_black_bars(
    size: Size, ratio: str, canvas: Size
) -> None:
    picture = sent(encoded(grid(size)), Framing(ratio, "pad"))
    assert picture.size == canvas
    box = picture.getbbox()  # of what is not black
    assert box is not None
    assert picture.crop(box).tobytes() == grid(size).tobytes()
    assert abs(box[0] - (canvas[0] - box[2])) <= 1
    assert abs(box[1] - (canvas[1] - box[3])) <= 1


AS_IT_IS: list[Any] = [
    pytest.param((640, 360), Framing("16:9"), id="the ratio"),
    pytest.param((360, 640), Framing("9:16", "crop"), id="upright, crop"),
    pytest.param((640, 360), Framing("16:9", "pad"), id="pad without need"),
    pytest.param((128, 72), Framing("16:9"), id="small"),
    pytest.param((640, 480), Framing(), id="no canvas"),
    pytest.param((640, 480), Framing("16:9", "none"), id="none, another shape"),
    pytest.param((480, 640), Framing("16:9", "none"), id="none, upright"),
    pytest.param((2048, 1152), Framing("16:9"), id="the longest side"),
    pytest.param(
        (640, 360),
        Framing("16:9", limits=ImageLimits(("PNG", "JPEG"), side_max=640, bytes=3_000_000)),
        id="within the model's limits",
    ),
]


@pytest.mark.parametrize(("size", "framing"), AS_IT_IS)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_fitting_picture_goes_byte_for_byte(size: Size, framing: Framing, kind: str) -> None:
    data = encoded(Image.linear_gradient("L").convert("RGB").resize(size), kind)
    result = images.to_send(images.check_image(data), framing)
    assert result.data == data
    assert result.mime == file_types.MIME[kind]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_is_cropped_as_it_is_seen(orientation: int) -> None:
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = grid((400, 300))
    if orientation in back:
        stored = stored.transpose(back[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = sent(encoded(stored, exif=exif), Framing("16:9", "crop"))
    assert picture.size == (400, 225)
    assert place(picture, (0, 0)) == (0, 37)
    assert place(picture, (-1, -1)) == (399, 261)


# -- many sizes -----------------------------------------------------------------------------------


def disc(size: Size) -> tuple[Image.Image, float]:
    """White on grey, in the middle: whatever is cut off, a part of it shows how it is scaled."""
    picture = Image.new("RGB", size, (90, 90, 90))
    across = min(size) * 0.3
    middle = size[0] / 2, size[1] / 2
    corners = [part + way * across / 2 for way in (-1, 1) for part in middle]
    ImageDraw.Draw(picture).ellipse(corners, "white")
    return picture, across


def extent(picture: Image.Image, *, upright: bool) -> float:
    """How many pixels of the middle row or column are the disc's, with parts of pixels."""
    width, height = picture.size
    box = (
        (width // 2, 0, width // 2 + 1, height)
        if upright
        else (0, height // 2, width, height // 2 + 1)
    )
    values = picture.convert("L").crop(box).tobytes()
    return sum(max(0, value - 90) for value in values) / (255 - 90)


def must_be_fit(size: Size, ratio: str, fit: str, kind: str) -> None:
    """What holds for every picture and every canvas."""
    picture, across = disc(size)
    data = encoded(picture, kind, **({"quality": 95} if kind == "JPEG" else {"compress_level": 1}))
    result = images.to_send(images.check_image(data), Framing(ratio, fit))
    assert len(result.data) <= 4_000_000
    frame = opened(result.data)
    assert result.mime in ("image/png", "image/jpeg")
    assert result.mime == f"image/{str(frame.format).lower()}"
    assert max(frame.size) <= 2048
    wanted = size[0] / size[1] if fit == "none" else value_of(ratio)
    # A side of so few pixels can come no nearer than a half of one.
    nearest = 0.5 / min(frame.size)
    assert frame.width / frame.height == pytest.approx(wanted, rel=max(0.025, nearest))
    wide, high = extent(frame, upright=False), extent(frame, upright=True)
    # A crop that leaves less than the disc's height cuts it.
    high, wide = min(high, frame.height), min(wide, frame.width)
    if across < 0.95 * min(frame.size):
        assert wide == pytest.approx(high, rel=0.03, abs=2), "distorted"
        assert wide <= across + 2.5, "enlarged"
    if fit != "pad":
        assert frame.width <= size[0]
        assert frame.height <= size[1]


SIDES, BIG_SIDES = st.integers(64, 900), st.integers(64, 3000)
FITS = st.sampled_from(["crop", "pad", "none"])


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(SIDES, SIDES),
    st.sampled_from(COMMON_RATIOS),
    FITS,
    st.sampled_from(["PNG", "JPEG", "WEBP"]),
)
def test_no_picture_is_distorted_or_enlarged(size: Size, ratio: str, fit: str, kind: str) -> None:
    must_be_fit(size, ratio, fit, kind)


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(BIG_SIDES, BIG_SIDES),
    st.sampled_from(COMMON_RATIOS),
    FITS,
    st.sampled_from(["PNG", "JPEG"]),
)
def test_no_large_picture_is_distorted_or_enlarged(
    size: Size, ratio: str, fit: str, kind: str
) -> None:
    must_be_fit(size, ratio, fit, kind)


@pytest.mark.parametrize(
    ("size", "ratio", "fit", "left"),
    [
        ((4000, 3000), "16:9", "crop", (2048, 1152)),
        ((1700, 2400), "9:16", "crop", (1152, 2048)),
        ((2500, 2500), "16:9", "pad", (2048, 1152)),
        ((3000, 1000), "16:9", "none", (2048, 683)),
        ((2049, 1153), "16:9", "crop", (2048, 1152)),
    ],
)
def test_a_large_picture_is_scaled_to_2048_pixels(
    size: Size, ratio: str, fit: str, left: Size
) -> None:
    assert sent(encoded(disc(size)[0], "JPEG"), Framing(ratio, fit)).size == left


# -- what a model takes ---------------------------------------------------------------------------


@pytest.mark.parametrize("side", [512, 1000, 4000])
def test_a_model_may_ask_for_a_shorter_side_and_never_gets_a_longer_one(side: int) -> None:
    limits = ImageLimits(side_max=side)
    picture = sent(encoded(disc((2600, 1300))[0], "JPEG"), Framing("16:9", "crop", limits))
    assert max(picture.size) == pytest.approx(min(side, 2048), abs=16)
    assert max(picture.size) <= side
    assert picture.width / picture.height == pytest.approx(16 / 9, rel=0.001)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("takes", [("PNG",), ("JPEG",), ("JPEG", "WEBP"), ("PNG", "JPEG")])
def test_a_model_gets_a_format_that_it_accepts_and_the_picture_only_converted(
    kind: str, takes: tuple[str, ...]
) -> None:
    data = encoded(disc((640, 360))[0], kind)
    result = images.to_send(images.check_image(data), Framing("16:9", limits=ImageLimits(takes)))
    picture = opened(result.data)
    assert picture.format in takes
    assert result.mime == file_types.MIME[str(picture.format)]
    assert picture.size == (640, 360)
    assert (result.data == data) is (kind in takes)


def weights(data: bytes) -> dict[int, int]:
    """The bytes of a picture as JPEG, by quality."""
    return {
        quality: len(encoded(opened(data), "JPEG", quality=quality, subsampling=way))
        for quality, way in ((95, 0), (90, 2), (80, 2))
    }


@pytest.mark.parametrize("quality", [95, 90, 80])
def test_quality_is_given_up_before_size(quality: int) -> None:
    data = noise((640, 360))
    just = Framing("16:9", limits=ImageLimits(bytes=weights(data)[quality]))
    result = images.to_send(images.check_image(data), just)
    assert opened(result.data).size == (640, 360)
    assert len(result.data) == weights(data)[quality], "no more is given up than must be"


def test_where_quality_is_not_enough_the_picture_becomes_smaller_in_its_shape() -> None:
    data = noise((640, 360))
    less = weights(data)[80] - 1
    picture = sent(data, Framing("16:9", limits=ImageLimits(bytes=less)))
    assert picture.size == (512, 288)  # a fifth at a time


def test_a_model_that_accepts_png_only_gets_a_smaller_one() -> None:
    limits = ImageLimits(("PNG",), bytes=300_000)
    result = images.to_send(images.check_image(noise((640, 360))), Framing("16:9", None, limits))
    picture = opened(result.data)
    assert (picture.format, len(result.data) <= 300_000) == ("PNG", True)
    assert picture.width / picture.height == pytest.approx(16 / 9, rel=0.025)
    assert picture.width > 300, "smaller than it must be"


@pytest.mark.parametrize(("most", "ratio"), [(300_000, "16:9"), (60_000, "1:1")])
def test_noise_of_2048_pixels_is_brought_under_a_small_limit(most: int, ratio: str) -> None:
    framing = Framing(ratio, "crop", ImageLimits(bytes=most))
    result = images.to_send(images.check_image(noise((2048, 1152))), framing)
    assert len(result.data) <= most
    picture = opened(result.data)
    assert picture.width / picture.height == pytest.approx(value_of(ratio), rel=0.025)


# -- on the command line --------------------------------------------------------------------------


def frame_of(gateway: Gateway) -> bytes:
    """The one picture that was sent, its label checked."""
    (create,) = gateway.of("create")
    label, _, data = str(create.body["first_frame"]).partition(";base64,")
    picture = base64.b64decode(data, validate=True)
    assert label == f"data:image/{str(opened(picture).format).lower()}"
    return picture


def mine(size: Size) -> bytes:
    data = encoded(grid(size))
    Path("mine.png").write_bytes(data)
    return data


@pytest.mark.parametrize(
    ("size", "words", "says"),
    [
        ((800, 600), [], ("800x600", "16:9", "25%", "800x450")),
        ((640, 640), ["--aspect-ratio=9:16"], ("640x640", "9:16", "44%", "360x640")),
        ((799, 500), [], ("799x500", "16:9", "10%", "784x441")),  # 10.1 %
    ],
)
def test_a_crop_of_more_than_a_tenth_is_refused_with_its_figures(
    gateway: Gateway, size: Size, words: list[str], says: tuple[str, ...]
) -> None:
    mine(size)
    done = run(*VIDEO, *words, "--json", gateway=gateway)
    assert (done.code, gateway.requests) == (2, []), done.err
    error = done.json["error"]
    assert all(part in error["message"] for part in says), error["message"]
    assert all(f"--fit {fit}" in error["hint"] for fit in ("crop", "pad", "none"))
    assert not Path("v.mp4.receipt.json").exists()


@pytest.mark.parametrize(
    ("size", "words", "box"),
    [
        pytest.param((800, 600), ["--fit=crop"], (0, 75, 800, 525), id="crop"),
        pytest.param((800, 600), ["--fit=none"], None, id="none"),
        pytest.param((688, 384), [], (8, 3, 680, 381), id="a little, unasked"),
        pytest.param((800, 500), [], (0, 25, 800, 475), id="a tenth, unasked"),
        pytest.param((500, 800), ["--aspect-ratio=9:16"], (25, 0, 475, 800), id="a tenth, upright"),
    ],
)
def test_what_is_sent_is_what_was_requested(
    gateway: Gateway, size: Size, words: list[str], box: tuple[int, int, int, int] | None
) -> None:
    data = mine(size)
    done = run(*VIDEO, *words, "--json", gateway=gateway)
    assert done.code == 0, done.err
    came = frame_of(gateway)
    if box is None:
        assert came == data
    else:
        assert opened(came).tobytes() == grid(size).crop(box).tobytes()
    unlike = [text for text in done.json["warnings"] if f"{size[0]}x{size[1]}" in text]
    assert bool(unlike) is (box is None), "another shape that is sent is said"


def test_a_padded_picture_is_sent_whole(gateway: Gateway) -> None:
    mine((800, 600))
    assert run(*VIDEO, "--fit=pad", gateway=gateway).code == 0
    picture = opened(frame_of(gateway))
    assert picture.size == (1067, 600)
    assert picture.crop(picture.getbbox()).tobytes() == grid((800, 600)).tobytes()


@pytest.mark.parametrize("fit", ["crop", "none"])
def test_the_receipt_names_the_file_and_what_was_sent_of_it(gateway: Gateway, fit: str) -> None:
    data = mine((800, 600))
    assert run(*VIDEO, f"--fit={fit}", gateway=gateway).code == 0
    assert Path("mine.png").read_bytes() == data
    receipt = json.loads(Path("v.mp4.receipt.json").read_text(encoding="utf-8"))
    anchor = {"name": "mine.png", "sha256": sha256(data).hexdigest()}
    assert receipt["inputs"]["anchor"] == anchor
    frame = frame_of(gateway)
    told = {"mime": "image/png", "bytes": len(frame), "sha256": sha256(frame).hexdigest()}
    assert receipt["sent"]["first_frame"] == told
    assert (told["sha256"] == anchor["sha256"]) is (fit == "none")


@pytest.mark.parametrize(
    ("size", "model", "ratio", "left"),
    [
        ((360, 640), None, "9:16", (360, 640)),
        ((600, 600), "byteplus/dreamina-seedance-2-0", "1:1", (600, 600)),
        ((800, 620), "byteplus/dreamina-seedance-2-0", "4:3", (800, 600)),
        ((700, 450), "alibaba/wan-v2.7-i2v", None, (700, 450)),  # its clip follows the picture
    ],
)
def test_without_a_typed_ratio_the_clip_has_that_of_ones_own_picture(
    gateway: Gateway, size: Size, model: str | None, ratio: str | None, left: Size
) -> None:
    mine(size)
    words = ["--prompt=A cat.", "--output=v.mp4", "--anchor-path=mine.png", "--no-filmstrip"]
    words += [f"--video-model={model}"] if model else []
    done = run("factorized_generate", *words, gateway=gateway)
    assert done.code == 0, done.err
    assert gateway.of("create")[0].body.get("aspectRatio") == ratio
    assert opened(frame_of(gateway)).size == left


def test_a_picture_that_no_ratio_of_the_model_fits_is_refused_by_the_orchestrator_too(
    gateway: Gateway,
) -> None:
    mine((600, 600))
    words = ["--prompt=A cat.", "--output=v.mp4", "--anchor-path=mine.png", "--json"]
    done = run("factorized_generate", *words, gateway=gateway)
    assert (done.code, gateway.requests) == (2, [])
    assert "600x600" in done.json["error"]["message"]


# -- broken and hostile files ---------------------------------------------------------------------


def chunk(name: bytes, content: bytes, crc: int | None = None) -> bytes:
    check = zlib.crc32(name + content) if crc is None else crc
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def png_of(width: int, height: int, data: bytes, *before: bytes, colour: int = 2) -> bytes:
    """A PNG by hand, with chunks of one's own before the pixels."""
    header = chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(before) + chunk(b"IDAT", data) + END


END = chunk(b"IEND", b"")


@cache
def sound(kind: str = "PNG", **options: Any) -> bytes:
    return encoded(Image.linear_gradient("L").convert("RGB").resize((480, 270)), kind, **options)


def cut(kind: str, part: float) -> bytes:
    return sound(kind)[: int(len(sound(kind)) * part)]


def lying_jpeg(width: int, height: int) -> bytes:
    data = sound("JPEG")
    start = data.index(b"\xff\xc0") + 5
    return data[:start] + struct.pack(">2H", height, width) + data[start + 4 :]


def lying_webp(side: int) -> bytes:
    """Its canvas is said to be so large; at most 16,777,216 can be written."""
    canvas = struct.pack("<I", 0)[:4] + struct.pack("<I", side - 1)[:3] * 2
    body = b"WEBP" + b"VP8X" + struct.pack("<I", 10) + canvas + sound("WEBP")[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def lying_gif(side: int) -> bytes:
    data = sound("GIF")
    size = struct.pack("<2H", side, side)
    frame = data.index(b"\x2c\0\0\0\0") + 5
    return data[:6] + size + data[10:frame] + size + data[frame + 4 :]


def lying_bmp(width: int, height: int) -> bytes:
    data = sound("BMP")
    return data[:18] + struct.pack("<2i", width, height) + data[26:]


def lying_tiff(side: int) -> bytes:
    """Width and height are entries of the directory: tag, type, count, value."""
    data = sound("TIFF")
    for tag, value in ((256, 480), (257, 270)):
        for kind, form in ((3, "<HHIHxx"), (4, "<HHII")):
            old = struct.pack(form, tag, kind, 1, value)
            data = data.replace(old, struct.pack("<HHII", tag, 4, 1, side))
    return data


def bomb(side: int) -> bytes:
    """A true picture of one colour, 2.7 GB of pixels at a side of 30,000.

    One deflated block of zeros, many times; of zeros the checksum is known.
    """
    rows = side // 100
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(rows * (1 + 3 * side))) + packer.flush(zlib.Z_FULL_FLUSH)
    check = struct.pack(">2H", 100 * rows * (1 + 3 * side) % 65521, 1)
    return png_of(side, side, b"\x78\xda" + block * 100 + b"\x03\x00" + check)


def text_bomb() -> bytes:
    """A compressed text chunk of 2 kB that becomes 200 MB."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    return sound()[:33] + chunk(b"zTXt", b"Comment\0\0" + packed) + sound()[33:]


def profile_bomb() -> bytes:
    packed = zlib.compress(bytes(100 << 20), 9)
    return sound()[:33] + chunk(b"iCCP", b"x\0\0" + packed) + sound()[33:]


def gif_of_many_frames() -> bytes:
    """300 kB, of which every 15 bytes are a frame."""
    data = sound("GIF")
    frame = b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return data[:-1] + frame * 20_000 + b";"


def odd_exif() -> bytes:
    """Turned by EXIF, beside an entry whose value is not of the kind that its tag has."""
    odd = struct.pack("<HHI4s", 0x011A, 2, 4, b"72\0\0")  # a resolution that is a text
    turned = struct.pack("<HHIHxx", 0x0112, 3, 1, 6)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + turned + odd + bytes(4)
    return sound("JPEG", exif=exif)


IGNORED = chunk(b"tEXt", b"Comment\0" + b"x" * 900_000)
REFUSED: dict[str, Callable[[], bytes]] = {
    "PNG, header only": lambda: sound()[:33],
    "PNG, cut in the header": lambda: sound()[:20],
    "PNG, a tenth": lambda: cut("PNG", 0.1),
    "PNG, nine tenths": lambda: cut("PNG", 0.9),
    "JPEG, a tenth": lambda: cut("JPEG", 0.1),
    "JPEG, nine tenths": lambda: cut("JPEG", 0.9),
    "WebP, half": lambda: cut("WEBP", 0.5),
    "GIF, half": lambda: cut("GIF", 0.5),
    "TIFF, half": lambda: cut("TIFF", 0.5),
    "BMP, half": lambda: cut("BMP", 0.5),
    "PNG, wrong CRC of the header": lambda: sound()[:29] + b"\0\0\0\0" + sound()[33:],
    "PNG, pixels that are no zlib stream": lambda: png_of(480, 270, os.urandom(4000)),
    "PNG, noise after the header": lambda: sound()[:33] + os.urandom(20_000),
    "JPEG, noise after the header": lambda: sound("JPEG")[:20] + os.urandom(20_000),
    "PNG, 60000x60000 said": lambda: png_of(60_000, 60_000, zlib.compress(bytes(5_000))),
    "JPEG, 60000x60000 said": lambda: lying_jpeg(60_000, 60_000),
    "WebP, 16 million px said": lambda: lying_webp(16_000_000),
    "WebP, 60000x60000 said": lambda: lying_webp(60_000),
    "GIF, 60000x60000 said": lambda: lying_gif(60_000),
    "BMP, 60000x60000 said": lambda: lying_bmp(60_000, 60_000),
    "BMP, 2 thousand million px said": lambda: lying_bmp(2**31 - 1, 2**31 - 1),
    "TIFF, 60000x60000 said": lambda: lying_tiff(60_000),
    "PNG, 30000x30000 of one colour": lambda: bomb(30_000),
    "PNG, no width": lambda: png_of(0, 270, zlib.compress(bytes(270))),
    "PNG, no height": lambda: png_of(480, 0, zlib.compress(b"")),
    "JPEG, no width": lambda: lying_jpeg(0, 270),
    "JPEG, no height": lambda: lying_jpeg(480, 0),
    "BMP, no width": lambda: lying_bmp(0, 270),
    "BMP, less than no width": lambda: lying_bmp(-480, 270),
}
TAKEN: dict[str, Callable[[], bytes]] = {
    "PNG, a long text": lambda: sound()[:33] + IGNORED + sound()[33:],
    "PNG, a text that becomes 200 MB": text_bomb,
    "PNG, bad CRC of a text": lambda: sound()[:33] + chunk(b"tEXt", b"a\0b", 1) + sound()[33:],
    "PNG, a profile that becomes 100 MB": profile_bomb,
    "PNG, wrong CRC of whole pixels": lambda: (
        sound()[:33] + chunk(b"IDAT", zlib.compress(bytes(1441 * 270)), crc=1) + END
    ),
    "PNG, noise behind its end": lambda: sound() + os.urandom(5_000),
    "GIF": lambda: sound("GIF"),
    "GIF of 20,000 frames": gif_of_many_frames,
    "BMP": lambda: sound("BMP"),
    "BMP, upside down": lambda: lying_bmp(480, -270),
    "TIFF": lambda: sound("TIFF"),
    "TIFF, LZW": lambda: sound("TIFF", compression="tiff_lzw"),
    "TIFF, Deflate": lambda: sound("TIFF", compression="tiff_adobe_deflate"),
    "TIFF, JPEG": lambda: sound("TIFF", compression="jpeg"),
    "JPEG, progressive": lambda: sound("JPEG", progressive=True),
}

# Runs a script, and prints to stderr how much memory its process had at most. Asked of the kernel
# from inside: what the parent gets to know of a child includes the parent's own memory.
MEASURED = """
import os, re, runpy, sys
sys.argv = sys.argv[1:]
sys.path[0] = os.path.dirname(sys.argv[0])
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    status = open("/proc/self/status").read()
    print("peak", re.search(r"VmHWM:\\s+(\\d+)", status)[1], file=sys.stderr)
"""


def looked_at(gateway: Gateway, data: bytes, *words: str) -> tuple[Run, float]:
    """Stage 3 with this anchor, and the MiB that it took."""
    Path("mine.png").write_bytes(data)
    script = command(VIDEO[0], *VIDEO[1:], "--json", *words, gateway=gateway)[1:]
    ended = subprocess.run(
        [sys.executable, "-c", MEASURED, *script],
        env=environment(gateway),
        timeout=20,
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    err = ended.stderr.decode()
    return Run(ended.returncode, ended.stdout.decode(), err), int(err.split()[-1]) / 1024


on_linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="Linux tells memory")


@on_linux
@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_or_hostile_picture_is_a_usage_error_and_costs_little(
    gateway: Gateway, name: str
) -> None:
    done, mebibytes = looked_at(gateway, REFUSED[name]())
    assert (done.code, gateway.requests) == (2, []), done.out + done.err
    assert "Traceback" not in done.err
    assert "mine.png" in done.json["error"]["message"]
    assert done.json["elapsed_s"] < 3
    assert mebibytes < 600


@on_linux
@pytest.mark.parametrize("name", TAKEN)
def test_an_unusual_picture_that_can_be_read_is_accepted(gateway: Gateway, name: str) -> None:
    done, mebibytes = looked_at(gateway, TAKEN[name]())
    assert done.code == 0, done.out + done.err
    assert "Traceback" not in done.err
    assert done.json["elapsed_s"] < 3
    assert mebibytes < 600


def test_a_turned_picture_with_an_odd_exif_entry_is_accepted(gateway: Gateway) -> None:
    """The entry is of no use here; that it is odd is no reason to refuse the picture."""
    done, _ = looked_at(gateway, odd_exif(), "--aspect-ratio=9:16")
    assert done.code == 0, done.out
    assert opened(frame_of(gateway)).size == (270, 480)


@on_linux
@pytest.mark.parametrize(
    ("kind", "mode", "size", "code"),
    [
        ("PNG", "RGBA", (8192, 6144), 0),
        ("JPEG", "CMYK", (8192, 6144), 0),
        ("JPEG", "RGB", (8192, 6145), 2),
        ("WEBP", "RGB", (8000, 8000), 2),  # its decoder would need 1,250 MiB
    ],
)
def test_the_largest_accepted_picture_needs_little_more_than_600_mebibytes(
    gateway: Gateway, kind: str, mode: str, size: Size, code: int
) -> None:
    """Of one colour: 34 bytes as WebP."""
    options = {"lossless": True, "method": 0} if kind == "WEBP" else {}
    data = encoded(Image.new(mode, size), kind, **options)
    done, mebibytes = looked_at(gateway, data, "--fit=crop")
    assert done.code == code, done.err
    assert mebibytes < 640


@cache
def tiny(kind: str) -> bytes:
    """Of so few bytes that changes hit what matters."""
    return encoded(Image.linear_gradient("L").convert("RGB").resize((96, 80)), kind)


CHANGES = st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 255)), min_size=1, max_size=6)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP"]), CHANGES, st.integers(0, 300))
def test_whatever_bytes_are_changed_a_picture_is_refused_or_accepted(
    kind: str, changes: list[tuple[int, int]], lost: int
) -> None:
    data = bytearray(tiny(kind))
    for where, value in changes:
        data[where % len(data)] = value
    del data[len(data) - lost if lost > 200 else len(data) :]
    try:
        image = images.check_image(bytes(data))
    except OutputError as error:
        assert error.hint
        return
    try:
        result = images.to_send(image, Framing("16:9", "crop"))
    except (OutputError, UsageError):
        return
    assert opened(result.data).format in ("PNG", "JPEG")
