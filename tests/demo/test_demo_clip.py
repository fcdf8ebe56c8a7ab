"""The demo's clip: what a browser gets, what moves in it, and any image as its anchor."""

from __future__ import annotations

import io
from functools import lru_cache

import pytest

av = pytest.importorskip("av")
pytest.importorskip("PIL")

from factorized_video.demo.card import draw_anchor
from factorized_video.demo.clip import animate, conform
from factorized_video.demo.sizes import CROPPED
from pictures import distance, opened
from PIL import Image, ImageStat

SMALL = (320, 180)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@lru_cache
def card_and_clip() -> tuple[bytes, bytes]:
    card = draw_anchor("A lone red fox crosses a river", "photorealistic", (640, 360))
    return card, animate(card, (640, 360), 1.5)


@lru_cache(maxsize=1)  # the tests of one clip follow each other
def frames(clip: bytes) -> list[Image.Image]:
    """Every frame as RGB, decoded as its tags say."""
    with av.open(io.BytesIO(clip)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]


def boxes(data: bytes) -> list[bytes]:
    """The names of the top-level boxes of an MP4 file, in order."""
    names, at = [], 0
    while at < len(data):
        names.append(data[at + 4 : at + 8])
        at += int.from_bytes(data[at : at + 4], "big")
    return names


def test_clip_is_what_a_browser_plays() -> None:
    clip = card_and_clip()[1]
    order = boxes(clip)
    assert order[0] == b"ftyp"
    assert order.index(b"moov") < order.index(b"mdat")
    with av.open(io.BytesIO(clip)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.codec_tag, context.profile) == ("h264", "avc1", "High")
        assert (context.pix_fmt, context.width, context.height) == ("yuv420p", 640, 360)
        assert (stream.average_rate, stream.frames) == (24, 36)
        assert stream.duration * stream.time_base == 1.5
        assert container.duration == 1_500_000
        # 1: BT.709 for primaries, transfer and matrix; limited for the range
        tags = (context.color_primaries, context.color_trc, context.colorspace)
        assert (tags, context.color_range) == ((1, 1, 1), 1)
    assert len(frames(clip)) == 36


def test_clip_starts_on_the_anchor_and_pushes_in() -> None:
    card, clip = card_and_clip()
    shown = frames(clip)
    anchor = opened(card)
    assert distance(shown[0], anchor) < 4
    assert distance(shown[0], shown[1]) < 2  # starts at rest
    dx, dy = round(640 * CROPPED), round(360 * CROPPED)
    inner = anchor.crop((dx, dy, 640 - dx, 360 - dy)).resize((640, 360))
    above = (0, 0, 640, 330)  # the time bar is under it
    assert distance(shown[-1].crop(above), inner.crop(above)) < 6
    assert distance(shown[-1].crop(above), anchor.crop(above)) > 6


def test_time_bar_grows_and_the_demo_tag_appears() -> None:
    blue = Image.new("RGB", SMALL, "#3060a0")
    shown = frames(animate(encoded(blue, "PNG"), SMALL, 1))
    assert distance(shown[0], blue) < 2  # nothing is on the first frame
    tag, bar = (12, 170, 24, 178), (40, 174, 310, 178)
    assert distance(shown[-1].crop(tag), shown[0].crop(tag)) > 20
    red = [ImageStat.Stat(shown[index].crop(bar)).mean[0] for index in (10, 16, 23)]
    assert red[0] + 10 < red[1] < red[2] - 10  # amber on blue


@pytest.mark.parametrize(
    "colour", [(220, 30, 40), (20, 200, 60), (30, 40, 220), (250, 220, 20), (255, 255, 255)]
)
def test_colours_are_converted_with_the_matrix_that_is_tagged(colour: tuple[int, int, int]) -> None:
    clip = animate(encoded(Image.new("RGB", (64, 64), colour), "PNG"), (64, 64), 0.05)
    with av.open(io.BytesIO(clip)) as container:
        planes = next(container.decode(video=0)).planes
        luma, blue, red = (bytes(plane)[plane.line_size * 9 + 9] for plane in planes)
    # ITU-R BT.709 in limited range, by its definition
    y = (0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]) / 255
    assert luma == pytest.approx(16 + 219 * y, abs=1.5)
    assert blue == pytest.approx(128 + 224 * (colour[2] / 255 - y) / 1.8556, abs=1.5)
    assert red == pytest.approx(128 + 224 * (colour[0] / 255 - y) / 1.5748, abs=1.5)


def test_progress_rises_to_one() -> None:
    told: list[float] = []
    anchor = encoded(Image.new("RGB", (64, 64)), "PNG")
    animate(anchor, (64, 64), 0.5, fps=10, progress=told.append)
    assert told == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_the_same_anchor_gives_the_same_clip() -> None:
    anchor = draw_anchor("A fox", "anime", SMALL)
    once, again = (frames(animate(anchor, SMALL, 0.5)) for _ in range(2))
    # to the eye, not to the bit: in small sizes x264 itself is not exact
    assert all(distance(one, other) < 1 for one, other in zip(once, again, strict=True))


@pytest.mark.parametrize(
    ("size", "seconds", "fps"),
    [
        ((63, 64), 1, 24),
        ((0, 0), 1, 24),
        ((64, 64), 0, 24),
        ((64, 64), 0.01, 24),
        ((64, 64), 1, 0),
        ((64, 64), float("nan"), 24),
        ((64, 64), float("inf"), 24),
    ],
)
def test_what_makes_no_clip_is_refused(size: tuple[int, int], seconds: float, fps: int) -> None:
    anchor = encoded(Image.new("RGB", (64, 64)), "PNG")
    with pytest.raises(ValueError, match=r"size|is no clip"):
        animate(anchor, size, seconds, fps)


def test_without_an_encoder_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    with pytest.raises(RuntimeError, match=r"no H\.264 encoder"):
        animate(encoded(Image.new("RGB", (64, 64)), "PNG"), (64, 64), 1)


# --- hostile anchors ------------------------------------------------------------------------------


def turned() -> bytes:
    """Red above blue for whoever heeds the EXIF orientation (6: turn clockwise)."""
    image = Image.new("RGB", (80, 40), "red")
    image.paste("blue", (40, 0, 80, 40))
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(image, "JPEG", exif=exif, quality=95)


def holed() -> bytes:
    """A palette PNG whose only colour, red, is transparent."""
    return encoded(Image.new("P", (50, 50)), "PNG", transparency=0)


def test_an_anchor_is_stood_upright() -> None:
    image = conform(turned(), (40, 80))
    red, blue = image.getpixel((20, 10)), image.getpixel((20, 70))
    assert isinstance(red, tuple)
    assert isinstance(blue, tuple)
    assert red[0] > 200 > 60 > red[2]
    assert blue[2] > 200 > 60 > blue[0]


def test_transparency_lies_on_white() -> None:
    assert conform(holed(), (32, 32)).getpixel((16, 16)) == (255, 255, 255)


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    data = encoded(Image.new("I;16", (32, 32), 32896), "PNG")
    grey = conform(data, (32, 32)).getpixel((16, 16))
    assert grey == pytest.approx((128, 128, 128), abs=1)


def test_the_crop_is_centred() -> None:
    image = Image.new("RGB", (300, 100), "blue")
    image.paste("red", (100, 0, 200, 100))
    assert conform(encoded(image, "PNG"), (64, 64)).getpixel((32, 32)) == (255, 0, 0)


@pytest.mark.parametrize(
    "anchor",
    [
        encoded(Image.new("RGB", (1, 1), "red"), "PNG"),
        encoded(Image.new("CMYK", (90, 60), (0, 255, 255, 0)), "JPEG"),
        encoded(Image.new("1", (30, 30)), "PNG"),
        encoded(Image.new("RGBA", (70, 30), (255, 0, 0, 128)), "WEBP"),
        encoded(Image.new("RGB", (8000, 8), "red"), "PNG"),
        turned(),
        holed(),
    ],
    ids=["1x1", "CMYK", "two colours", "WebP with alpha", "8000x8", "EXIF", "palette with alpha"],
)
def test_any_image_can_be_animated(anchor: bytes) -> None:
    first = frames(animate(anchor, (64, 48), 0.1))[0]
    assert first.size == (64, 48)
    assert distance(first, conform(anchor, (64, 48))) < 4


@pytest.mark.parametrize("anchor", [b"", b"{}", b"not an image at all", b"\x89PNG\r\n\x1a\n1234"])
def test_what_is_no_image_is_refused(anchor: bytes) -> None:
    with pytest.raises(ValueError, match="the anchor is not an image that can be read"):
        animate(anchor, (64, 64), 1)


def test_a_cut_image_is_refused() -> None:
    whole = draw_anchor("A fox", "anime", SMALL)
    with pytest.raises(ValueError, match="the anchor is not an image"):
        animate(whole[: len(whole) // 2], (64, 64), 1)
