"""The circles on the demo's card: drawn by a rule, and read back from what becomes of a card."""

from __future__ import annotations

import io
import random
from functools import lru_cache

import pytest

pytest.importorskip("PIL")

from factorized_video.demo.card import STAGE, draw_anchor
from factorized_video.demo.checks import COUNT, END, RADIUS, centres_of, faults_of, mended, read_row
from factorized_video.demo.lettering import capitals_width
from factorized_video.demo.palette import PALETTES
from factorized_video.demo.scene import paint
from factorized_video.demo.sizes import SHORT_SIDES, Size, canvas
from factorized_video.demo.typesetting import margin_of
from pictures import distance, opened
from PIL import Image, ImageChops, ImageDraw

STYLES = [*PALETTES, "noir", "水彩"]
RATIOS = ["16:9", "9:16", "1:1", "4:3", "21:9", "1:4", "4:1"]
CAPTIONS = [
    "A cat on a bookshelf, crouched and ready to jump",
    "A lone red fox crosses a frozen river at first light, its breath in the air. " * 12,
    "清晨的阳光洒在结冰的河面上，一只红狐狸正在过河。",
]
SIZE = (640, 360)


@lru_cache
def card(candidate: int = 1, size: Size = SIZE, style: str = "anime") -> Image.Image:
    """A card as it is drawn; every candidate has another length of caption."""
    return opened(draw_anchor(CAPTIONS[candidate % len(CAPTIONS)], style, size, candidate))


def sent(picture: Image.Image, longest: int = 700, how: int = Image.Resampling.LANCZOS) -> bytes:
    """What becomes of a picture on its way to a judge."""
    copy, out = picture.copy(), io.BytesIO()
    copy.thumbnail((longest, longest), Image.Resampling(how))
    copy.save(out, "JPEG", quality=80)
    return out.getvalue()


def asked(candidate: int) -> tuple[bool, ...]:
    return tuple(number not in faults_of(candidate) for number in range(1, COUNT + 1))


def read(picture: Image.Image) -> tuple[bool, ...] | None:
    row = read_row(picture.convert("RGB"))
    return row.filled if row else None


# --- the rule -------------------------------------------------------------------------------------


def test_one_candidate_has_a_fault_and_the_third_has_none() -> None:
    faults = [len(faults_of(candidate)) for candidate in range(1, 9)]
    assert faults == [1, 2, 0, 1] * 2
    assert all(0 < fault <= COUNT for candidate in range(1, 5) for fault in faults_of(candidate))
    assert len({faults_of(candidate) for candidate in range(1, 5)}) == 4


# --- on the card ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("resolution", SHORT_SIDES)
def test_the_circles_are_between_the_labels(ratio: str, resolution: str) -> None:
    size = canvas(ratio, resolution)
    unit, left = min(size) / 720, margin_of(size)
    centres = centres_of(size, 0)
    stage = left + capitals_width(STAGE, 15 * unit)
    assert stage + 15 * unit < centres[0][0] - RADIUS * unit
    assert centres[-1][0] + RADIUS * unit == pytest.approx(left + END * unit)
    assert left + END * unit < size[0] / 2 + 20 * unit
    assert {y for _, y in centres} == {0}


@pytest.mark.parametrize("style", ["W" * 24, "a style that has a long name", "水彩", ""])
def test_the_name_of_no_style_runs_into_the_circles(style: str) -> None:
    size = canvas("1:1", "480p")
    picture = opened(draw_anchor("A fox", style, size, 3))
    row = read_row(picture)
    assert row
    assert row.filled == (True,) * COUNT
    unit, (x, y) = min(size) / 720, row.centres[-1]
    left, top, right, bottom = x + 10 * unit, y - 8 * unit, x + 26 * unit, y + 8 * unit
    after = picture.crop((round(left), round(top), round(right), round(bottom)))
    assert len(after.getcolors() or ()) == 1


def test_every_candidate_has_a_scene_of_its_own() -> None:
    scenes = [
        opened(draw_anchor("A fox", "anime", (320, 180), k)).crop((0, 0, 320, 60))
        for k in (1, 2, 3)
    ]
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert distance(scenes[one], scenes[other]) > 1
    assert draw_anchor("A fox", "anime", (320, 180), 2) == draw_anchor(
        "A fox", "anime", (320, 180), 2
    )
    first, plain = (paint((320, 99), "anime", "A fox", 0.25, *more) for more in ((1,), ()))
    assert distance(first, plain) == 0  # the first is the one that was drawn before there were more


# --- read back ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("candidate", "ratio", "style"),
    [(1, "16:9", "cinematic"), (2, "9:16", "watercolor"), (3, "1:1", "水彩"), (4, "21:9", "noir")],
)
def test_the_circles_are_read_on_a_card_and_on_what_is_sent_of_it(
    candidate: int, ratio: str, style: str
) -> None:
    picture = card(candidate, canvas(ratio, "480p"), style)
    assert read(picture) == read(opened(sent(picture))) == asked(candidate)


@pytest.mark.thorough
@pytest.mark.parametrize("ratio", RATIOS)
def test_the_circles_are_read_on_any_shape(ratio: str) -> None:
    is_read(RATIOS.index(ratio), ratio, STYLES[RATIOS.index(ratio)])


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("ratio", RATIOS)
def test_the_circles_are_read_on_any_shape_in_any_style(ratio: str, style: str) -> None:
    for number in range(3):  # every resolution
        is_read(number + STYLES.index(style), ratio, style)


def is_read(number: int, ratio: str, style: str) -> None:
    """Draw a card, at a resolution and with faults that go by the number, and read it back."""
    candidate, size = number % 4 + 1, canvas(ratio, [*SHORT_SIDES][number % 3])
    picture = opened(draw_anchor(CAPTIONS[number % len(CAPTIONS)], style, size, candidate))
    assert read(picture) == asked(candidate)
    for longest in (700, 1000):
        for how in (Image.Resampling.LANCZOS, Image.Resampling.BOX):
            assert read(opened(sent(picture, longest, how))) == asked(candidate), (longest, how)


def test_a_larger_copy_is_read_too() -> None:
    twice = card(2).resize((2 * SIZE[0], 2 * SIZE[1]), Image.Resampling.BICUBIC)
    assert read(twice) == asked(2)


# --- no card of the demo --------------------------------------------------------------------------


def without_circles() -> Image.Image:
    """The card as it was before there were circles."""
    return painted_over(range(COUNT))


def painted_over(gone: range) -> Image.Image:
    picture = card().copy()
    row = read_row(picture)
    assert row
    (_, y), r = row.centres[0], 2 * row.radius
    panel = picture.getpixel((2, SIZE[1] - 2))
    for x, _ in (row.centres[index] for index in gone):
        ImageDraw.Draw(picture).rectangle((x - r, y - r, x + r, y + r), fill=panel)
    return picture


def noise() -> Image.Image:
    return Image.frombytes("RGB", SIZE, random.Random(7).randbytes(3 * SIZE[0] * SIZE[1]))


def ruled(dots: int = 0) -> Image.Image:
    """A page with a line across it, and a row of dots where nobody expects them."""
    page = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 200, SIZE[0], 202), fill="black")
    for x in range(60, 60 + 30 * dots, 30):
        draw.ellipse((x, 230, x + 8, 238), fill="black")
    return page


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("RGB", SIZE, "#808080"),
        Image.new("RGB", (1, 1)),
        Image.linear_gradient("L").convert("RGB").resize(SIZE),
        paint(SIZE, "photorealistic", "A fox", 0.5),
        noise(),
        ruled(),
        ruled(6),
        without_circles(),
        painted_over(range(1)),
        card().rotate(180),
        card().transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        card().crop((40, 0, *SIZE)),
        card().resize((360, 360)),
        card().resize((160, 90)),
    ],
    ids=["grey", "one pixel", "gradient", "scene", "noise", "page", "page with dots",
         "card without circles", "card with five", "upside down", "mirrored",
         "cropped", "squeezed", "too small to tell"],
)  # fmt: skip
def test_what_is_no_card_is_known_as_none(picture: Image.Image) -> None:
    assert read(picture) is None
    assert read(opened(sent(picture))) is None


# --- mended ---------------------------------------------------------------------------------------


@pytest.mark.thorough
@pytest.mark.parametrize("candidate", [1, 2, 3, 4])
@pytest.mark.parametrize("by_jpeg", [False, True])
def test_an_edit_fills_the_circles_and_changes_nothing_else(candidate: int, by_jpeg: bool) -> None:
    picture = opened(sent(card(candidate))) if by_jpeg else card(candidate)
    row = read_row(picture)
    assert row
    result = mended(picture, row)
    assert read(result) == read(opened(sent(result))) == (True,) * COUNT
    assert result.size == picture.size
    changed = ImageChops.difference(result, picture).getbbox()
    hollow = [centre for centre, filled in zip(row.centres, row.filled, strict=True) if not filled]
    assert bool(changed) == bool(hollow)
    if changed:
        r = row.radius + 2
        (x, y), (end, _) = hollow[0], hollow[-1]
        assert x - r <= changed[0] < changed[2] <= end + r
        assert y - r <= changed[1] < changed[3] <= y + r
    assert read(picture) == asked(candidate), "the picture that was given is left as it was"


def test_a_mended_circle_looks_like_one_that_was_filled() -> None:
    picture = card(1)
    row = read_row(picture)
    assert row
    result = mended(picture, row)
    assert len({result.getpixel((round(x), round(y))) for x, y in row.centres}) == 1
    wide, (now, beside) = (
        round(2 * row.radius),
        (
            (round(x - row.radius), round(y - row.radius))
            for x, y in (row.centres[4], row.centres[3])  # the fifth was hollow
        ),
    )
    one, other = (result.crop((x, y, x + wide, y + wide)) for x, y in (now, beside))
    assert distance(one, other) < 20  # they do not lie on the pixels alike


def test_circles_are_mended_where_all_are_hollow() -> None:
    picture = card(1).copy()
    row = read_row(picture)
    assert row
    panel, accent = picture.getpixel((2, SIZE[1] - 2)), "#c92f68"
    draw, r = ImageDraw.Draw(picture), row.radius
    for x, y in row.centres:
        draw.ellipse((x - r, y - r, x + r, y + r), fill=panel, outline=accent)
    empty = read_row(picture)
    assert empty
    assert empty.filled == (False,) * COUNT
    assert read(mended(picture, empty)) == (True,) * COUNT
