"""The demo's storyboard card: what it looks like can be measured, so it is."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("PIL")

from factorized_video.demo.card import draw_anchor
from factorized_video.demo.lettering import drawable
from factorized_video.demo.palette import PALETTES, contrast, palette_of, text_colours
from factorized_video.demo.reading import BOX_NOTE, DASHES, FOLD_NOTE, NO_SCRIPT, read
from factorized_video.demo.sizes import SHORT_SIDES, canvas, ratio_name
from factorized_video.demo.typesetting import lay_out
from pictures import distance, opened

STYLES = [*PALETTES, "noir", "水彩"]
RATIOS = ["16:9", "9:16", "1:1", "4:3", "21:9", "1:4", "4:1"]
SMALL = (320, 180)
SENTENCE = "A lone red fox crosses a frozen river at first light, its breath hanging in the air. "


def words(count: int) -> str:
    return " ".join((SENTENCE * (count // 10 + 1)).split()[:count])


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
    assert canvas(ratio, resolution) == size


@pytest.mark.parametrize(
    "ratio", ["", "16x9", "16:9:1", "0:1", "1:0", "5:1", "1:5", "-1:1", "a:b", "1.5:1", "٣:٢"]
)
def test_canvas_refuses_a_ratio(ratio: str) -> None:
    with pytest.raises(ValueError, match="aspect ratio"):
        canvas(ratio)


def test_canvas_refuses_a_resolution() -> None:
    with pytest.raises(ValueError, match="480p, 720p, 1080p"):
        canvas("16:9", "8k")


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("resolution", SHORT_SIDES)
def test_ratio_name_survives_rounding_to_even_pixels(ratio: str, resolution: str) -> None:
    assert ratio_name(canvas(ratio, resolution)) == ratio


# --- the card -------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", STYLES)
def test_card_of_every_style_is_an_rgb_png_and_the_same_each_time(style: str) -> None:
    data = draw_anchor("A red fox", style, SMALL)
    card = opened(data)
    assert (card.format, card.mode, card.size) == ("PNG", "RGB", SMALL)
    assert draw_anchor("A red fox", style, SMALL) == data


@pytest.mark.parametrize("size", [(180, 320), (200, 200), (420, 180), (90, 360), (360, 90), (1, 1)])
def test_card_of_every_shape(size: tuple[int, int]) -> None:
    assert opened(draw_anchor(words(30), "anime", size)).size == size


def test_card_refuses_a_size_without_pixels() -> None:
    with pytest.raises(ValueError, match="size"):
        draw_anchor("A red fox", "anime", (0, 9))


def test_different_captions_and_styles_give_different_pictures() -> None:
    cards = [
        opened(draw_anchor(caption, style, SMALL)).crop((0, 0, 320, 60))
        for caption, style in [("A fox", "anime"), ("A dog", "anime"), ("A fox", "illustration")]
    ]
    assert distance(cards[0], cards[1]) > 1
    assert distance(cards[0], cards[2]) > 1


def test_every_text_contrasts_with_its_ground() -> None:
    for style in [*STYLES, *(f"style {number}" for number in range(1000))]:
        for role, (text, ground) in text_colours(palette_of(style)).items():
            assert contrast(text, ground) >= 4.5, (style, role)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


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
    size = canvas(ratio, "480p")
    layout = lay_out(caption, size)
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
    layout = lay_out(words(count), canvas(ratio))
    assert layout.more == 0
    assert " ".join(word.text for line in layout.lines for word in line.words) == words(count)


def test_type_shrinks_as_captions_grow() -> None:
    sizes = [lay_out(words(n), (1280, 720)).font_size for n in (3, 25, 60, 150, 300)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 2 * sizes[-1]


def test_what_does_not_fit_is_cut_at_a_word_and_counted() -> None:
    layout = lay_out(words(900), (1280, 720))
    shown = [word.text for line in layout.lines for word in line.words]
    assert shown[-1] == "…"
    assert shown[:-1] == words(900).split()[: len(shown) - 1]
    assert layout.more == 900 - (len(shown) - 1)
    assert layout.footer == f"{layout.more} more words not shown"


def test_a_book_costs_no_more_than_a_page() -> None:
    started = time.monotonic()
    lay_out(words(20_000), (1280, 720))
    lay_out("x" * 200_000, (1280, 720))
    assert time.monotonic() - started < 8  # half a second here; it must not grow with the square


def test_layout_scales_with_the_canvas() -> None:
    small = lay_out(words(25), (1280, 720))
    large = lay_out(words(25), (2560, 1440))
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
    assert read(caption).missing == missing


def test_a_caption_in_another_script_is_replaced_by_a_statement() -> None:
    reading = read("清晨的阳光洒在结冰的河面上 by Li Bai")
    text = " ".join(word.text for word in reading.words)
    assert text == f"{NO_SCRIPT} 13 characters, CJK The rest reads: by Li Bai"


def test_a_few_foreign_characters_become_a_box_in_the_line() -> None:
    reading = read("The poet 李白, drunk")
    assert [word for word in reading.words if word.boxed] == [("2 CJK", True)]
    assert reading.notes == (BOX_NOTE,)


def test_accents_are_left_off_and_it_says_so() -> None:
    reading = read("Café Ångström, Straße")
    assert [word.text for word in reading.words] == ["Cafe", "Angstrom,", "Strasse"]
    assert reading.notes == (FOLD_NOTE,)
    assert read("Cafe").notes == ()


def test_spaces_and_control_characters_collapse() -> None:
    texts = [word.text for word in read("a\n\n b\tc\x00d\u200be\u00a0f \ud800").words]
    assert texts == ["a", "b", "c", "de", "f"]


@pytest.mark.parametrize("caption", [*HOSTILE.values(), "Рыжая лиса 狐 and 🦊 — é"])
def test_no_word_that_is_set_has_a_missing_glyph(caption: str) -> None:
    for word in read(caption).words:
        drawn = "" if word.text in DASHES else word.text.replace(" ", "")
        assert all(map(drawable, drawn)), word
