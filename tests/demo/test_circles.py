"""The circles on the demo's card: drawn by a rule, and read back from what becomes of a card."""

from __future__ import annotations

import io
import random
from functools import lru_cache

import pytest

pytest.importorskip("PIL")

from factorized_video.demo.card import PALETTES, draw_card
from factorized_video.demo.circles import (
    COUNT,
    RADIUS,
    centres_of,
    faults_of,
    filled_in,
    read_circles,
)
from factorized_video.demo.geometry import SHORT_SIDES, Size, canvas, layout_of
from pictures import distance, opened
from PIL import Image, ImageChops, ImageDraw

pytestmark = pytest.mark.thorough  # pictures by the dozen

RATIOS = ["16:9", "9:16", "1:1", "4:3", "21:9", "1:4", "4:1"]
SIZE = (640, 360)


@lru_cache
def card(candidate: int = 1, size: Size = SIZE, style: str = "anime") -> Image.Image:
    """A card as it is drawn; every candidate has another length of caption."""
    return opened(draw_card("A cat on a bookshelf. " * candidate**3, style, size, candidate))


def sent(picture: Image.Image, longest: int = 700, how: int = Image.Resampling.LANCZOS) -> bytes:
    """What becomes of a picture on its way to a judge."""
    copy, out = picture.copy(), io.BytesIO()
    copy.thumbnail((longest, longest), Image.Resampling(how))
    copy.save(out, "JPEG", quality=80)
    return out.getvalue()


def expected(candidate: int) -> tuple[bool, ...]:
    return tuple(number not in faults_of(candidate) for number in range(1, COUNT + 1))


def test_one_candidate_has_a_fault_and_the_third_has_none() -> None:
    assert [len(faults_of(candidate)) for candidate in range(1, 9)] == [1, 2, 0, 1] * 2
    assert len({faults_of(candidate) for candidate in range(1, 5)}) == 4


@pytest.mark.parametrize(("number", "ratio"), [*enumerate(RATIOS)])
def test_the_circles_are_read_on_any_shape_and_size(number: int, ratio: str) -> None:
    candidate, size = number % 4 + 1, canvas(ratio, [*SHORT_SIDES][number % 3])
    picture = card(candidate, size, [*PALETTES][number])
    twice = picture.resize((2 * size[0], 2 * size[1]), Image.Resampling.BICUBIC)
    copies = [sent(picture, side, how) for side in (700, 1000) for how in Image.Resampling if how]
    for copy in (picture, twice, *map(opened, copies)):
        assert read_circles(copy) == expected(candidate)


def painted_over(gone: int) -> Image.Image:
    picture, layout = card().copy(), layout_of(SIZE)
    for x, y in centres_of(layout)[:gone]:
        r = 1.4 * RADIUS * layout.unit
        ImageDraw.Draw(picture).rectangle((x - r, y - r, x + r, y + r), fill="white")
    return picture


NO_CARDS = {
    "grey": Image.new("RGB", SIZE, "#808080"),
    "one pixel": Image.new("RGB", (1, 1)),
    "gradient": Image.linear_gradient("L").convert("RGB").resize(SIZE),
    "noise": Image.frombytes("RGB", SIZE, random.Random(7).randbytes(3 * SIZE[0] * SIZE[1])),
    "card without circles": painted_over(COUNT),
    "card with five": painted_over(1),
    "upside down": card().rotate(180),
    "mirrored": card().transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "cropped": card().crop((20, 0, SIZE[0] - 20, SIZE[1])),
    "squeezed": card().resize((360, 360)),
    "too small": card().resize((160, 90)),
}


@pytest.mark.parametrize("picture", NO_CARDS.values(), ids=NO_CARDS)
def test_what_is_no_card_is_known_as_none(picture: Image.Image) -> None:
    assert read_circles(picture) is None
    assert read_circles(opened(sent(picture))) is None


@pytest.mark.parametrize("candidate", [1, 2, 3, 4])
@pytest.mark.parametrize("by_jpeg", [False, True])
def test_an_edit_fills_the_circles_and_changes_nothing_else(candidate: int, by_jpeg: bool) -> None:
    picture = opened(sent(card(candidate))) if by_jpeg else card(candidate)
    layout, whole = layout_of(picture.size), (True,) * COUNT
    result = filled_in(picture, expected(candidate))
    assert read_circles(result) == read_circles(opened(sent(result))) == whole
    assert read_circles(picture) == expected(candidate), "the given picture is left as it was"
    changed = ImageChops.difference(result, picture)
    for number in faults_of(candidate):
        (x, y), r = centres_of(layout)[number - 1], RADIUS * layout.unit + 2
        ImageDraw.Draw(changed).rectangle((x - r, y - r, x + r, y + r), fill="black")
    assert changed.getbbox() is None
    row = (SIZE[0] // 2, 0, SIZE[0], 50)
    if not by_jpeg:
        assert distance(result.crop(row), card(3).crop(row)) < 0.1, "as if it had been filled"
