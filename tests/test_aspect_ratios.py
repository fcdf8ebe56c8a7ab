"""Shapes of pictures: ratios, crops and bars, reckoned in whole pixels."""

from __future__ import annotations

import pytest
from factorized_video import aspect_ratios
from factorized_video.models import limits
from hypothesis import given, settings
from hypothesis import strategies as st

# Pictures as cameras, screens and models make them, and absurd ones.
SIZES = st.tuples(st.integers(1, 8192), st.integers(1, 8192))
USUAL_SIZES = st.tuples(st.integers(64, 8192), st.integers(64, 8192))
RATIOS = st.builds(lambda w, h: f"{w}:{h}", st.integers(1, 40), st.integers(1, 40))
USUAL_RATIOS = st.sampled_from(limits.COMMON_RATIOS)
NOISE = 1e-9  # of binary fractions


# -- tables ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "value"), [("16:9", 16 / 9), ("9:16", 0.5625), ("1:1", 1.0), ("21:9", 7 / 3)]
)
def test_a_ratio_is_width_over_height(ratio: str, value: float) -> None:
    assert aspect_ratios.value_of(ratio) == pytest.approx(value)


@pytest.mark.parametrize(
    ("size", "ratio", "difference", "lost"),
    [
        ((1920, 1080), "16:9", 0.0, 0.0),
        ((1080, 1920), "9:16", 0.0, 0.0),
        ((1376, 768), "16:9", 0.0078, 0.0078),  # what Gemini draws for 16:9
        ((1600, 1000), "16:9", 0.1111, 0.1),
        ((1000, 1000), "16:9", 0.7778, 0.4375),
        ((1000, 1000), "9:16", 0.7778, 0.4375),
        ((2000, 1000), "1:1", 1.0, 0.5),
        ((1000, 2000), "1:1", 1.0, 0.5),
        ((1, 1000), "1:1", 999.0, 0.999),
    ],
)
def test_what_a_crop_cuts_off_is_a_part_of_the_area(
    size: aspect_ratios.Size, ratio: str, difference: float, lost: float
) -> None:
    assert aspect_ratios.difference(size, ratio) == pytest.approx(difference, abs=1e-4)
    assert aspect_ratios.lost_by_crop(size, ratio) == pytest.approx(lost, abs=1e-4)


@pytest.mark.parametrize(
    ("size", "ratios", "nearest"),
    [
        ((1920, 1080), limits.COMMON_RATIOS, "16:9"),
        ((1376, 768), limits.COMMON_RATIOS, "16:9"),
        ((1000, 1100), limits.COMMON_RATIOS, "1:1"),
        ((1500, 1000), limits.COMMON_RATIOS, "3:2"),
        ((1000, 1500), limits.COMMON_RATIOS, "2:3"),
        ((2560, 1080), limits.COMMON_RATIOS, "21:9"),
        ((5000, 1000), limits.COMMON_RATIOS, "21:9"),
        ((1000, 1000), ("16:9", "9:16"), "16:9"),  # as near to both: the first
        ((1000, 1000), ("9:16", "16:9"), "9:16"),
        ((999, 1000), ("16:9", "9:16"), "9:16"),
    ],
)
def test_the_nearest_ratio_is_so_in_proportion(
    size: aspect_ratios.Size, ratios: tuple[str, ...], nearest: str
) -> None:
    assert aspect_ratios.nearest(size, ratios) == nearest


@pytest.mark.parametrize(
    ("size", "ratio", "left"),
    [
        ((1920, 1080), "16:9", (1920, 1080)),
        ((1376, 768), "16:9", (1360, 765)),  # exact, for the 1.6 % that 1365x768 would keep
        ((1080, 1920), "16:9", (1072, 603)),
        ((1000, 1000), "9:16", (558, 992)),
        ((4000, 3000), "1:1", (3000, 3000)),
        ((4000, 3000), "3:3", (3000, 3000)),
        ((100, 100), "16:9", (100, 56)),  # too small for exact steps of 16x9
        ((100, 100), "9:16", (56, 100)),
        ((1376, 768), "37:20", (1376, 744)),  # 20 steps of 37x20 would lose 35 px more
        ((1, 1), "21:9", (1, 1)),
        ((1, 1000), "16:9", (1, 1)),
    ],
)
def test_the_largest_crop_is_exact_where_whole_pixels_allow_it(
    size: aspect_ratios.Size, ratio: str, left: aspect_ratios.Size
) -> None:
    assert aspect_ratios.largest_within(size, ratio) == left


@pytest.mark.parametrize(
    ("size", "ratio", "around"),
    [
        ((1920, 1080), "16:9", (1920, 1080)),
        ((1000, 1000), "16:9", (1778, 1000)),
        ((1000, 1000), "9:16", (1000, 1778)),
        ((400, 200), "1:1", (400, 400)),
        ((200, 400), "1:1", (400, 400)),
        ((1, 1), "21:9", (2, 1)),
    ],
)
def test_the_canvas_with_bars_is_the_smallest_around_the_picture(
    size: aspect_ratios.Size, ratio: str, around: aspect_ratios.Size
) -> None:
    assert aspect_ratios.smallest_around(size, ratio) == around


@pytest.mark.parametrize(
    ("resolution", "pixels"),
    [
        ("360p", 360),
        ("720p", 720),
        ("768p", 768),
        ("1080p", 1080),
        ("2160p", 2160),
        ("2k", 1440),
        ("4k", 2160),
        ("8k", 4320),
    ],
)
def test_a_resolution_names_the_short_side(resolution: str, pixels: int) -> None:
    assert aspect_ratios.short_side(resolution) == pixels


# -- properties -----------------------------------------------------------------------------------


@settings(deadline=None)
@given(SIZES, RATIOS)
def test_a_crop_lies_within_the_picture_and_has_the_ratio_to_a_pixel(
    size: aspect_ratios.Size, ratio: str
) -> None:
    width, height = aspect_ratios.largest_within(size, ratio)
    assert 1 <= width <= size[0]
    assert 1 <= height <= size[1]
    share = aspect_ratios.value_of(ratio)
    off = min(abs(height - width / share), abs(width - height * share))
    assert off <= 0.5 + NOISE or 1 in (width, height)


@settings(deadline=None)
@given(USUAL_SIZES, USUAL_RATIOS)
def test_no_much_larger_crop_would_do(size: aspect_ratios.Size, ratio: str) -> None:
    width, height = aspect_ratios.largest_within(size, ratio)
    best = size[0] * size[1] * (1 - aspect_ratios.lost_by_crop(size, ratio))
    assert width * height >= 0.95 * best


@settings(deadline=None)
@given(USUAL_SIZES, USUAL_RATIOS)
def test_a_cropped_picture_needs_no_second_crop(size: aspect_ratios.Size, ratio: str) -> None:
    once = aspect_ratios.largest_within(size, ratio)
    assert aspect_ratios.lost_by_crop(once, ratio) <= limits.RATIO_TOLERANCE


@settings(deadline=None)
@given(st.tuples(st.integers(840, 8192), st.integers(840, 8192)), USUAL_RATIOS)
def test_the_crop_of_a_picture_of_some_size_is_exact(size: aspect_ratios.Size, ratio: str) -> None:
    wide, high = (int(part) for part in ratio.split(":"))
    width, height = aspect_ratios.largest_within(size, ratio)
    assert width * high == height * wide


@settings(deadline=None)
@given(SIZES, RATIOS)
def test_a_canvas_with_bars_holds_the_whole_picture_and_has_the_ratio_to_a_pixel(
    size: aspect_ratios.Size, ratio: str
) -> None:
    width, height = aspect_ratios.smallest_around(size, ratio)
    assert width >= size[0]
    assert height >= size[1]
    share = aspect_ratios.value_of(ratio)
    assert min(abs(height - width / share), abs(width - height * share)) <= 0.5 + NOISE


@settings(deadline=None)
@given(SIZES, USUAL_RATIOS)
def test_bars_are_put_on_two_sides_only(size: aspect_ratios.Size, ratio: str) -> None:
    width, height = aspect_ratios.smallest_around(size, ratio)
    assert min(width - size[0], height - size[1]) <= 1  # a pixel for rounding


@settings(deadline=None)
@given(SIZES, RATIOS)
def test_a_crop_cuts_off_nothing_to_all_and_as_much_lying_as_standing(
    size: aspect_ratios.Size, ratio: str
) -> None:
    lost = aspect_ratios.lost_by_crop(size, ratio)
    assert 0 <= lost < 1
    wide, _, high = ratio.partition(":")
    assert aspect_ratios.lost_by_crop((size[1], size[0]), f"{high}:{wide}") == pytest.approx(lost)


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 200))
def test_a_picture_of_the_very_ratio_differs_by_nothing(wide: int, high: int, times: int) -> None:
    size, ratio = (wide * times, high * times), f"{wide}:{high}"
    assert aspect_ratios.difference(size, ratio) == pytest.approx(0, abs=NOISE)
    assert aspect_ratios.nearest(size, [f"{wide + 1}:{high}", ratio, f"{wide}:{high + 1}"]) == ratio
