"""The demo's clip: what a browser gets, what moves in it, and any image as its first frame."""

from __future__ import annotations

import io
from functools import lru_cache

import pytest

av = pytest.importorskip("av")
pytest.importorskip("PIL")

from factorized_video.demo.card import draw_card
from factorized_video.demo.clip import animate
from factorized_video.demo.geometry import layout_of
from pictures import distance, opened
from PIL import Image, ImageOps

SIZE = (640, 360)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@lru_cache
def card_and_clip() -> tuple[Image.Image, bytes]:
    card = draw_card("A lone red fox crosses a river", "photorealistic", SIZE)
    return opened(card), animate(card, SIZE, 1.5)


def frames(clip: bytes) -> list[Image.Image]:
    """Every frame as RGB, decoded as its tags say."""
    with av.open(io.BytesIO(clip)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]


def test_clip_is_what_a_browser_plays() -> None:
    clip = card_and_clip()[1]
    assert clip[4:8] == b"ftyp"
    assert 0 < clip.index(b"moov") < clip.index(b"mdat")
    with av.open(io.BytesIO(clip)) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.codec_tag, context.profile) == ("h264", "avc1", "High")
        assert (context.pix_fmt, context.width, context.height) == ("yuv420p", *SIZE)
        assert (stream.average_rate, stream.frames) == (24, 36)
        assert stream.duration * stream.time_base == 1.5
        # 1: BT.709 for primaries, transfer and matrix; limited for the range
        tags = (context.color_primaries, context.color_trc, context.colorspace)
        assert (tags, context.color_range) == ((1, 1, 1), 1)
    assert len(frames(clip)) == 36


def test_on_a_card_the_picture_moves_and_the_words_stand_still() -> None:
    card, clip = card_and_clip()
    first, second, *_, last = frames(clip)
    assert distance(first, card) < 2
    assert distance(first, second) < 1  # starts at rest
    area = layout_of(SIZE).picture
    assert distance(last.crop(area), card.crop(area)) > 4
    for frame in (card, last):
        frame.paste("black", area)
    assert distance(last, card) < 2


def test_with_a_last_frame_it_ends_there() -> None:
    card = opened(draw_card("A lone red fox crosses a river", "photorealistic", SIZE))
    end = draw_card("The fox is gone", "photorealistic", SIZE)
    first, *_, last = frames(animate(encoded(card), SIZE, 1.5, end))
    assert distance(first, card) < 2
    assert distance(last, opened(end)) < 2
    looped = frames(animate(encoded(card), SIZE, 1.5, encoded(card)))
    assert distance(looped[0], looped[-1]) < 2
    assert distance(looped[0], looped[len(looped) // 2]) > 2
    plain = Image.new("RGB", SIZE, "teal")
    *_, last = frames(animate(encoded(plain), SIZE, 1.5, encoded(plain)))
    assert distance(last, plain) < 2  # the stamp goes before the end comes


def test_another_picture_moves_as_a_whole_and_is_stamped_after_its_first_frame() -> None:
    photo = Image.radial_gradient("L").convert("RGB").resize(SIZE)
    first, *_, last = frames(animate(encoded(photo), SIZE, 1))
    corner, edge = (12, 330, 58, 346), (SIZE[0] - 20, 100, SIZE[0], 260)
    assert distance(first, photo) < 2
    assert distance(last.crop(edge), photo.crop(edge)) > 10
    assert distance(last.crop(corner), photo.crop(corner)) > 60


@pytest.mark.parametrize("colour", [(220, 30, 40), (20, 200, 60), (30, 40, 220), (255, 255, 255)])
def test_colours_are_converted_with_the_matrix_that_is_tagged(colour: tuple[int, int, int]) -> None:
    clip = animate(encoded(Image.new("RGB", (64, 64), colour)), (64, 64), 0.05)
    with av.open(io.BytesIO(clip)) as container:
        planes = next(container.decode(video=0)).planes
        luma, blue, red = (bytes(plane)[plane.line_size * 9 + 9] for plane in planes)
    # ITU-R BT.709 in limited range, by its definition
    y = (0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]) / 255
    assert luma == pytest.approx(16 + 219 * y, abs=1.5)
    assert blue == pytest.approx(128 + 224 * (colour[2] / 255 - y) / 1.8556, abs=1.5)
    assert red == pytest.approx(128 + 224 * (colour[0] / 255 - y) / 1.5748, abs=1.5)


def turned() -> bytes:
    """Red above blue for whoever heeds the EXIF orientation (6: turn clockwise)."""
    image, exif = Image.new("RGB", (80, 40), "red"), Image.Exif()
    image.paste("blue", (40, 0, 80, 40))
    exif[0x0112] = 6
    return encoded(image, "JPEG", exif=exif, quality=95)


def halves(size: tuple[int, int]) -> Image.Image:
    image = Image.new("RGB", size, "red")
    image.paste("blue", (0, size[1] // 2, *size))
    return image


WHITE, RED = (Image.new("RGB", (64, 64), name) for name in ("white", "red"))
THIRDS = ImageOps.expand(Image.new("RGB", (100, 100), "red"), (100, 0), "blue")


@pytest.mark.parametrize(
    ("anchor", "shown"),
    [
        (turned(), halves((64, 64))),
        (encoded(THIRDS), RED),
        (encoded(Image.new("P", (50, 50)), transparency=0), WHITE),
        (encoded(Image.new("RGBA", (70, 30), (255, 0, 0, 0)), "WEBP"), WHITE),
        (encoded(Image.new("RGB", (1, 1), "red")), RED),
        (encoded(Image.new("CMYK", (90, 60), (0, 255, 255, 0)), "JPEG"), RED),
        (encoded(Image.new("1", (30, 30), 1)), WHITE),
        (encoded(Image.new("RGB", (8000, 8), "red")), RED),
    ],
    ids=["EXIF", "middle", "palette with alpha", "WebP with alpha", "1x1", "CMYK", "1 bit", "8000"],
)
def test_any_image_can_be_animated(anchor: bytes, shown: Image.Image) -> None:
    assert distance(frames(animate(anchor, (64, 64), 0.1))[0], shown) < 8


@pytest.mark.parametrize("anchor", [b"", b"{}", encoded(RED)[:60], b"\x89PNG\r\n\x1a\n1234"])
def test_what_is_no_image_is_refused(anchor: bytes) -> None:
    with pytest.raises(ValueError, match="not an image that can be read"):
        animate(anchor, (64, 64), 1)
