"""The demo's card: what it looks like can be measured, so it is."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("PIL")

from factorized_video import fonts
from factorized_video.demo.card import DIRECT, PALETTES, draw_card, palette_of
from factorized_video.demo.geometry import canvas, layout_of
from factorized_video.demo.lettering import LEADING, fitted
from pictures import distance, opened
from PIL import Image

pytestmark = pytest.mark.thorough  # pictures by the dozen

RATIOS = ["16:9", "9:16", "1:1", "4:3", "21:9", "1:4", "4:1"]
SENTENCE = "A lone red fox crosses a frozen river at first light, its breath hanging in the air. "
CAPTIONS = {
    "nothing": "",
    "a letter": "a",
    "a sentence": SENTENCE,
    "nine hundred words": SENTENCE * 56,
    "wide letters": "WWWW MMMM " * 300,
    "one long word": "x" * 300,
    "an address": "see https://example.org/" + "a/b?c=d&" * 60,
    "only Chinese": "清晨的阳光洒在结冰的河面上，一只红狐狸正在过河。",
    "many scripts": "fox 狐 x🦊 Рыжая لثعلب " * 40,
}


@pytest.mark.parametrize(
    ("ratio", "resolution", "size"),
    [
        ("16:9", "720p", (1280, 720)),
        ("9:16", "720p", (720, 1280)),
        ("1:1", "720p", (720, 720)),
        ("16:9", "480p", (854, 480)),
        ("21:9", "1080p", (2520, 1080)),
        ("1:4", "720p", (720, 2880)),
    ],
)
def test_canvas(ratio: str, resolution: str, size: tuple[int, int]) -> None:
    assert canvas(ratio, resolution) == size


@pytest.mark.parametrize(
    ("ratio", "resolution"),
    [(ratio, "720p") for ratio in ("", "16x9", "1:2:1", "0:1", "1:0", "5:1", "1:5", "-1:1", "٣:٢")]
    + [("16:9", "8k")],
)
def test_canvas_refuses(ratio: str, resolution: str) -> None:
    with pytest.raises(ValueError, match=r"aspect ratio|480p, 720p, 1080p"):
        canvas(ratio, resolution)


# --- the card -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", ["16:9", "1:1", "1:4", "4:1"])
@pytest.mark.parametrize("caption", CAPTIONS.values(), ids=CAPTIONS)
def test_nothing_is_written_beyond_the_margins(ratio: str, caption: str) -> None:
    size = canvas(ratio, "480p")
    card = opened(draw_card(caption, "W" * 99, size))
    assert (card.format, card.mode, card.size) == ("PNG", "RGB", size)
    left, top, right, bottom = layout_of(size).picture
    words = layout_of(size).words
    card.paste(palette_of("W" * 99).paper, (left, top, right, bottom))
    deeper = round(words[3] + 6 * layout_of(size).unit)  # where a p or a y may reach
    box = (round(words[0]) - 1, round(words[1]) - 1, round(words[2]) + 1, deeper)
    card.paste(palette_of("W" * 99).paper, box)
    assert card.getcolors() == [(size[0] * size[1], card.getpixel((0, 0)))]


@pytest.mark.parametrize("style", [*PALETTES, "noir", "水彩", ""])
def test_every_style_has_a_card_that_is_the_same_each_time(style: str) -> None:
    once = draw_card("A red fox", style, (320, 180))
    assert draw_card("A red fox", style, (320, 180)) == once


def test_captions_styles_candidates_and_kinds_make_different_cards() -> None:
    size = (320, 180)
    cards = [
        draw_card("A fox", "anime", size),
        draw_card("A dog", "anime", size),
        draw_card("A fox", "illustration", size),
        draw_card("A fox", "anime", size, 2),
        draw_card("A fox", "anime", size, 3),
    ]
    pictures = [opened(card).crop(layout_of(size).picture) for card in cards]
    for number, one in enumerate(pictures):
        assert all(distance(one, other) > 1 for other in pictures[number + 1 :])
    assert draw_card("A fox", "anime", size, kind=DIRECT) != cards[0]


@pytest.mark.parametrize("number", [1, 4, 6])
def test_references_are_shown_on_the_picture(number: int) -> None:
    size = canvas("4:3", "480p")
    references = [Image.new("RGB", (64, 90), "red"), *[Image.new("RGB", (900, 9))] * (number - 1)]
    card = opened(draw_card("A fox", "anime", size, references=references))
    plain = opened(draw_card("A fox", "anime", size))
    colours = card.crop(layout_of(size).picture).getcolors(1 << 24) or []
    assert (255, 0, 0) in {colour for _, colour in colours}
    assert distance(card, plain) > 0.2


def test_every_text_contrasts_with_its_ground() -> None:
    def luminance(colour: str) -> float:  # WCAG 2.2
        parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for style in PALETTES:
        palette = palette_of(style)
        for text in (palette.ink, palette.accent):
            dark, light = sorted((luminance(text), luminance(palette.paper)))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, style


# --- lettering ------------------------------------------------------------------------------------


@pytest.mark.parametrize("caption", [text for text in CAPTIONS.values() if text])
def test_lines_fit_and_what_is_left_out_is_counted(caption: str) -> None:
    text, face = fonts.drawable(caption)
    assert all(map(face.has, text.replace(" ", "")))
    size, lines = fitted(text, 500, 400, 1, face)
    assert len(lines) * LEADING * size <= 400
    assert all(face.at(size).getlength(line) <= 500 for line in lines)
    shown, _, left_out = "".join(lines).replace(" ", "").partition("…and")
    more = int(left_out.removesuffix("morecharacters").replace(",", "") or 0)
    assert text.replace(" ", "")[: len(shown)] == shown
    assert len(shown) + more == len(text.replace(" ", ""))


def test_type_shrinks_as_captions_grow_and_breaks_no_word_while_it_is_large() -> None:
    sizes = [fitted(SENTENCE * count, 500, 400, 1)[0] for count in (1, 2, 5, 10, 20)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 2 * sizes[-1]
    assert fitted("incomprehensibilities", 250, 400, 1)[1] == ["incomprehensibilities"]


@pytest.mark.parametrize("caption", [SENTENCE * 200, "x" * 20_000, "狐" * 20_000])
def test_a_book_costs_no_more_than_a_page(caption: str) -> None:
    started = time.monotonic()
    draw_card(caption, "anime", (1280, 720))
    assert time.monotonic() - started < 8  # under a second here; it must not grow with the square
