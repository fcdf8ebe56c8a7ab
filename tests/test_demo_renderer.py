"""The demo's storyboard card and clip: what they look like can be measured, so it is."""

from __future__ import annotations

import io
import time
from functools import lru_cache

import pytest

av = pytest.importorskip("av")
pytest.importorskip("PIL")

from factorized_video.demo import renderer  # noqa: E402
from PIL import Image, ImageChops, ImageStat  # noqa: E402

STYLES = [*renderer.PALETTES, "noir", "水彩"]
RATIOS = ["16:9", "9:16", "1:1", "4:3", "21:9", "1:4", "4:1"]
SMALL = (320, 180)
SENTENCE = "A lone red fox crosses a frozen river at first light, its breath hanging in the air. "


def words(count: int) -> str:
    return " ".join((SENTENCE * (count // 10 + 1)).split()[:count])


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def distance(one: Image.Image, other: Image.Image) -> float:
    """The mean absolute difference of two pictures, in levels of 255."""
    means = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean
    return sum(means) / len(means)


# --- canvas ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "resolution", "size"),
    [
        ("16:9", "720p", (1280, 720)),
        ("9:16", "720p", (720, 1280)),
        ("1:1", "720p", (720, 720)),
        ("4:3", "480p", (640, 480)),
        ("16:9", "480p", (854, 480)),
        ("21:9", "1080p", (2520, 1080)),
        ("1:4", "720p", (720, 2880)),
        ("2:1", "720p", (1440, 720)),
    ],
)
def test_canvas(ratio: str, resolution: str, size: tuple[int, int]) -> None:
    assert renderer.canvas(ratio, resolution) == size


@pytest.mark.parametrize(
    "ratio", ["", "16x9", "16:9:1", "0:1", "1:0", "5:1", "1:5", "-1:1", "a:b", "1.5:1", "٣:٢"]
)
def test_canvas_refuses_a_ratio(ratio: str) -> None:
    with pytest.raises(ValueError, match="aspect ratio"):
        renderer.canvas(ratio)


def test_canvas_refuses_a_resolution() -> None:
    with pytest.raises(ValueError, match="480p, 720p, 1080p"):
        renderer.canvas("16:9", "8k")


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("resolution", renderer.SHORT_SIDES)
def test_ratio_name_survives_rounding_to_even_pixels(ratio: str, resolution: str) -> None:
    assert renderer.ratio_name(renderer.canvas(ratio, resolution)) == ratio


# --- the card -------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", STYLES)
def test_card_of_every_style_is_an_rgb_png_and_the_same_each_time(style: str) -> None:
    data = renderer.draw_anchor("A red fox", style, SMALL, note="a note")
    card = opened(data)
    assert (card.format, card.mode, card.size) == ("PNG", "RGB", SMALL)
    assert renderer.draw_anchor("A red fox", style, SMALL, note="a note") == data


@pytest.mark.parametrize("size", [(180, 320), (200, 200), (420, 180), (90, 360), (360, 90), (1, 1)])
def test_card_of_every_shape(size: tuple[int, int]) -> None:
    assert opened(renderer.draw_anchor(words(30), "anime", size)).size == size


def test_card_refuses_a_size_without_pixels() -> None:
    with pytest.raises(ValueError, match="size"):
        renderer.draw_anchor("A red fox", "anime", (0, 9))


def test_different_captions_and_styles_give_different_pictures() -> None:
    cards = [
        opened(renderer.draw_anchor(caption, style, SMALL)).crop((0, 0, 320, 60))
        for caption, style in [("A fox", "anime"), ("A dog", "anime"), ("A fox", "illustration")]
    ]
    assert distance(cards[0], cards[1]) > 1
    assert distance(cards[0], cards[2]) > 1


def test_every_text_contrasts_with_its_ground() -> None:
    for style in [*STYLES, *(f"style {number}" for number in range(1000))]:
        for role, (text, ground) in renderer.text_colours(renderer.palette_of(style)).items():
            assert renderer.contrast(text, ground) >= 4.5, (style, role)


def test_contrast_is_that_of_wcag() -> None:
    assert renderer.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert renderer.contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


# --- setting the caption --------------------------------------------------------------------------

HOSTILE = {
    "nothing": "",
    "one word of 300 letters": "x" * 300,
    "an address": "see https://example.org/" + "a/b?c=d&" * 60,
    "boxes": "fox " + "狐 x🦊 " * 80,
    "only Chinese": "清晨的阳光洒在结冰的河面上，一只红狐狸正在过河。",
    "nine hundred words": words(900),
    "one letter": "a",
}


@pytest.mark.parametrize("ratio", ["16:9", "1:1", "1:4", "4:1"])
@pytest.mark.parametrize("caption", [*map(words, (3, 25, 60, 150, 300)), *HOSTILE.values()])
def test_every_line_lies_inside_the_panel_and_none_overlap(ratio: str, caption: str) -> None:
    size = renderer.canvas(ratio, "480p")
    layout = renderer.lay_out(caption, size, note="other languages pass through unchanged")
    left, top, right, bottom = layout.text
    assert layout.panel[0] < left < right < layout.panel[2]
    assert 0.15 * size[1] < layout.panel[1] < top < bottom < layout.panel[3]
    for line in layout.lines:
        assert left - 0.01 <= line.left < line.right <= right + 0.01
        assert top - 0.01 <= line.top < line.bottom <= bottom + 0.01
    for one, other in zip(layout.lines, layout.lines[1:], strict=False):
        assert other.top >= one.bottom - 0.01 or other.left >= one.right
    assert layout.font_size >= 15 * layout.unit - 0.01


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("count", [3, 25, 60, 150, 300])
def test_up_to_300_words_are_set_whole(ratio: str, count: int) -> None:
    layout = renderer.lay_out(words(count), renderer.canvas(ratio))
    assert layout.more == 0
    assert " ".join(word.text for line in layout.lines for word in line.words) == words(count)


def test_type_shrinks_as_captions_grow() -> None:
    sizes = [renderer.lay_out(words(n), (1280, 720)).font_size for n in (3, 25, 60, 150, 300)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 2 * sizes[-1]


def test_what_does_not_fit_is_cut_at_a_word_and_counted() -> None:
    layout = renderer.lay_out(words(900), (1280, 720))
    shown = [word.text for line in layout.lines for word in line.words]
    assert shown[-1] == "…"
    assert shown[:-1] == words(900).split()[: len(shown) - 1]
    assert layout.more == 900 - (len(shown) - 1)
    assert layout.footer == f"{layout.more} more words not shown"


def test_a_book_costs_no_more_than_a_page() -> None:
    started = time.monotonic()
    renderer.lay_out(words(20_000), (1280, 720))
    renderer.lay_out("x" * 200_000, (1280, 720))
    assert time.monotonic() - started < 8  # half a second here; it must not grow with the square


def test_layout_scales_with_the_canvas() -> None:
    small = renderer.lay_out(words(25), (1280, 720))
    large = renderer.lay_out(words(25), (2560, 1440))
    assert [line.words for line in small.lines] == [line.words for line in large.lines]


# --- scripts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caption", "missing"),
    [
        ("A red fox", {}),
        ("清晨的阳光，一只红狐狸。", {"CJK": 10}),
        ("ثعلب أحمر", {"Arabic": 8}),
        ("Рыжая лиса", {"Cyrillic": 9}),
        ("Η αλεπού", {"Greek": 7}),
        ("लोमड़ी", {"Devanagari": 3}),
        ("여우", {"Hangul": 2}),
        ("きつね", {"Kana": 3}),
        ("A fox 🦊🏽 in the snow ❄\ufe0f", {"emoji": 2}),
        ("x ≤ ∞ and more", {"symbol": 2}),
    ],
)
def test_scripts_that_the_font_lacks_are_named_and_counted(
    caption: str, missing: dict[str, int]
) -> None:
    assert renderer.read(caption).missing == missing


def test_a_caption_in_another_script_is_replaced_by_a_statement() -> None:
    reading = renderer.read("清晨的阳光洒在结冰的河面上 by Li Bai")
    text = " ".join(word.text for word in reading.words)
    assert text == f"{renderer.NO_SCRIPT} 13 characters, CJK The rest reads: by Li Bai"


def test_a_few_foreign_characters_become_a_box_in_the_line() -> None:
    reading = renderer.read("The poet 李白, drunk")
    assert [word for word in reading.words if word.boxed] == [("2 CJK", True)]
    assert reading.notes == (renderer.BOX_NOTE,)


def test_accents_are_left_off_and_it_says_so() -> None:
    reading = renderer.read("Café Ångström, Straße")
    assert [word.text for word in reading.words] == ["Cafe", "Angstrom,", "Strasse"]
    assert reading.notes == (renderer.FOLD_NOTE,)
    assert renderer.read("Cafe").notes == ()


def test_spaces_and_control_characters_collapse() -> None:
    texts = [word.text for word in renderer.read("a\n\n b\tc\x00d\u200be\u00a0f \ud800").words]
    assert texts == ["a", "b", "c", "de", "f"]


@pytest.mark.parametrize("caption", [*HOSTILE.values(), "Рыжая лиса 狐 and 🦊 — é"])
def test_no_word_that_is_set_has_a_missing_glyph(caption: str) -> None:
    for word in renderer.read(caption).words:
        drawn = "" if word.text in renderer.DASHES else word.text.replace(" ", "")
        assert all(map(renderer.drawable, drawn)), word


# --- the clip -------------------------------------------------------------------------------------


@lru_cache
def card_and_clip() -> tuple[bytes, bytes]:
    card = renderer.draw_anchor("A lone red fox crosses a river", "photorealistic", (640, 360))
    return card, renderer.animate(card, (640, 360), 1.5)


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
    dx, dy = round(640 * renderer.CROPPED), round(360 * renderer.CROPPED)
    inner = anchor.crop((dx, dy, 640 - dx, 360 - dy)).resize((640, 360))
    above = (0, 0, 640, 330)  # the time bar is under it
    assert distance(shown[-1].crop(above), inner.crop(above)) < 6
    assert distance(shown[-1].crop(above), anchor.crop(above)) > 6


def test_time_bar_grows_and_the_demo_tag_appears() -> None:
    blue = Image.new("RGB", SMALL, "#3060a0")
    shown = frames(renderer.animate(encoded(blue, "PNG"), SMALL, 1))
    assert distance(shown[0], blue) < 2  # nothing is on the first frame
    tag, bar = (12, 170, 24, 178), (40, 174, 310, 178)
    assert distance(shown[-1].crop(tag), shown[0].crop(tag)) > 20
    red = [ImageStat.Stat(shown[index].crop(bar)).mean[0] for index in (10, 16, 23)]
    assert red[0] + 10 < red[1] < red[2] - 10  # amber on blue


@pytest.mark.parametrize(
    "colour", [(220, 30, 40), (20, 200, 60), (30, 40, 220), (250, 220, 20), (255, 255, 255)]
)
def test_colours_are_converted_with_the_matrix_that_is_tagged(colour: tuple[int, int, int]) -> None:
    clip = renderer.animate(encoded(Image.new("RGB", (64, 64), colour), "PNG"), (64, 64), 0.05)
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
    renderer.animate(anchor, (64, 64), 0.5, fps=10, progress=told.append)
    assert told == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_the_same_anchor_gives_the_same_clip() -> None:
    anchor = renderer.draw_anchor("A fox", "anime", SMALL)
    once, again = (frames(renderer.animate(anchor, SMALL, 0.5)) for _ in range(2))
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
        renderer.animate(anchor, size, seconds, fps)


def test_without_an_encoder_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    with pytest.raises(RuntimeError, match=r"no H\.264 encoder"):
        renderer.animate(encoded(Image.new("RGB", (64, 64)), "PNG"), (64, 64), 1)


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
    image = renderer.conform(turned(), (40, 80))
    red, blue = image.getpixel((20, 10)), image.getpixel((20, 70))
    assert isinstance(red, tuple)
    assert isinstance(blue, tuple)
    assert red[0] > 200 > 60 > red[2]
    assert blue[2] > 200 > 60 > blue[0]


def test_transparency_lies_on_white() -> None:
    assert renderer.conform(holed(), (32, 32)).getpixel((16, 16)) == (255, 255, 255)


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    data = encoded(Image.new("I;16", (32, 32), 32896), "PNG")
    grey = renderer.conform(data, (32, 32)).getpixel((16, 16))
    assert grey == pytest.approx((128, 128, 128), abs=1)


def test_the_crop_is_centred() -> None:
    image = Image.new("RGB", (300, 100), "blue")
    image.paste("red", (100, 0, 200, 100))
    assert renderer.conform(encoded(image, "PNG"), (64, 64)).getpixel((32, 32)) == (255, 0, 0)


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
    first = frames(renderer.animate(anchor, (64, 48), 0.1))[0]
    assert first.size == (64, 48)
    assert distance(first, renderer.conform(anchor, (64, 48))) < 4


@pytest.mark.parametrize("anchor", [b"", b"{}", b"not an image at all", b"\x89PNG\r\n\x1a\n1234"])
def test_what_is_no_image_is_refused(anchor: bytes) -> None:
    with pytest.raises(ValueError, match="the anchor is not an image that can be read"):
        renderer.animate(anchor, (64, 64), 1)


def test_a_cut_image_is_refused() -> None:
    whole = renderer.draw_anchor("A fox", "anime", SMALL)
    with pytest.raises(ValueError, match="the anchor is not an image"):
        renderer.animate(whole[: len(whole) // 2], (64, 64), 1)
