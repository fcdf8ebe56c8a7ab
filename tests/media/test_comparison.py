"""Two clips, one over the other: which moments stand where, and what is said of them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

pytest.importorskip("av")
pytest.importorskip("PIL")

from factorized_video.errors import OutputError
from factorized_video.media import comparison as both
from factorized_video.media.comparison import Side, columns, comparison, tile_size
from factorized_video.media.frames import times
from factorized_video.media.grid import FAINT, GAP, LABEL_HEIGHT, LABEL_TYPE, PANEL, WIDTH, Text
from PIL import Image, ImageDraw, ImageFont
from test_filmstrip import Size, film, number_in, silent_mdat, unknown_codec

pytestmark = pytest.mark.thorough  # clips and pictures by the dozen

WIDE, UPRIGHT, SQUARE = (160, 90), (90, 160), (128, 128)
PROMPT = "A cat jumps from a shelf."
LINES = ("cost: USD 2.55; time: 131 s", "first frame: 5 of 5 pass")


def clip(name: str, data: bytes) -> Path:
    Path(name).write_bytes(data)
    return Path(name)


def drawn(first: Side, second: Side, prompt: str = PROMPT) -> Image.Image:
    with Image.open(io.BytesIO(comparison(prompt, first, second))) as picture:
        assert (picture.format, picture.mode, picture.width) == ("PNG", "RGB", WIDTH)
        copy: Image.Image = picture.copy()
        return copy


def band(picture: Image.Image, place: int, talls: tuple[int, int], block: int = 0) -> Image.Image:
    """The row of frames of one of the two, with its labels; `talls` are the heights of both."""
    y = 2 * both.PAD + both.LINE + block * sum(both.HEAD + tall + GAP for tall in talls)
    y += both.HEAD + place * (both.HEAD + talls[0] + GAP)
    return picture.crop((GAP, y, GAP + both.ROOM, y + talls[place]))


def tall_of(size: Size, row: int) -> int:
    return tile_size(size, row)[1] + LABEL_HEIGHT


def moments(picture: Image.Image, place: int, sizes: tuple[Size, Size], frames: int) -> list[int]:
    """The numbers of the frames that are shown of one, each labelled with its time."""
    row = max(map(columns, sizes))
    talls = (tall_of(sizes[0], row), tall_of(sizes[1], row))
    tile = tile_size(sizes[place], row)
    wide = (both.ROOM - GAP * (row - 1)) // row
    numbers = []
    for number in range(len(times(frames / 24, frames))):
        card = band(picture, place, talls, number // row)
        x = number % row * (wide + GAP)
        left = x + (wide - tile[0]) // 2
        numbers.append(number_in(card.crop((left, 0, left + tile[0], tile[1]))))
        label = card.crop((x, tile[1], x + wide, tile[1] + LABEL_HEIGHT))
        assert label.tobytes() == written(f"{numbers[-1] / 24:.1f} s", wide)
    return numbers


def written(text: str, width: int) -> bytes:
    """A time as it should look."""
    label = Image.new("RGB", (width, LABEL_HEIGHT), PANEL)
    middle, font = (width // 2, LABEL_HEIGHT // 2), ImageFont.load_default(LABEL_TYPE)
    ImageDraw.Draw(label).text(middle, text, fill=FAINT, font=font, anchor="mm")
    return label.tobytes()


def expected(frames: int) -> list[int]:
    return [round(when * 24) for when in times(frames / 24, frames)]


# -- layout ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "row"),
    [
        ((1280, 720), 4),
        ((2560, 1080), 4),
        ((720, 1280), 8),
        ((1080, 2400), 8),
        ((1024, 1024), 4),
        ((1000, 1100), 4),
    ],
)
def test_how_many_frames_stand_in_a_row(shape: Size, row: int) -> None:
    assert columns(shape) == row


@pytest.mark.parametrize(
    "shape", [(1280, 720), (720, 1280), (1024, 1024), (100, 1000), (1000, 100)]
)
@pytest.mark.parametrize("row", [4, 8])
def test_frames_keep_their_shape_and_fit(shape: Size, row: int) -> None:
    wide, tall = tile_size(shape, row)
    assert wide * row + GAP * (row - 1) <= both.ROOM
    assert tall <= both.TALLEST
    assert wide / tall == pytest.approx(shape[0] / shape[1], rel=0.06)


# -- what it shows --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"), [(WIDE, WIDE), (UPRIGHT, UPRIGHT), (SQUARE, SQUARE), (WIDE, UPRIGHT)]
)
def test_the_moments_of_one_stand_over_those_of_the_other(one: Size, other: Size) -> None:
    upper, lower = clip("l.mp4", film(48, size=one)), clip("r.mp4", film(96, size=other))
    picture = drawn(Side("With first frame", upper, LINES), Side("Text only", lower, LINES[:1]))
    assert moments(picture, 0, (one, other), 48) == expected(48)
    assert moments(picture, 1, (one, other), 96) == expected(96)
    assert picture.height <= 2_000


@pytest.mark.parametrize("frames", [1, 3])
def test_a_clip_of_few_frames_shows_them_all(frames: int) -> None:
    upper, lower = clip("l.mp4", film(frames)), clip("r.mp4", film(48))
    picture = drawn(Side("With first frame", upper), Side("Text only", lower))
    assert moments(picture, 0, (WIDE, WIDE), frames) == list(range(frames))
    assert moments(picture, 1, (WIDE, WIDE), 48) == expected(48)


def test_the_lines_of_both_stand_side_by_side_at_the_foot_and_are_wrapped() -> None:
    one, long = clip("l.mp4", film(48)), "a word and another " * 20
    bare = drawn(Side("With", one), Side("Only", one))
    picture = drawn(Side("With", one, ("cost",)), Side("Only", one, (long, "cost")))
    lines = len(Text.of(long, both.BODY).lines(WIDTH // 2 - 2 * both.PAD)) + 2
    assert lines > 3
    assert picture.height - bare.height == both.PAD + lines * both.LINE
    foot = picture.crop((0, bare.height - both.PAD, WIDTH, picture.height)).convert("L")
    for left in (0, WIDTH // 2):
        part = foot.crop((left, 0, left + WIDTH // 2, foot.height))
        inked = Image.eval(part, lambda v: 255 if v > 120 else 0).getbbox()
        assert inked and inked[1] < both.PAD + both.LINE


def test_a_long_prompt_ends_in_three_lines() -> None:
    one = clip("l.mp4", film(3))
    sides = Side("With", one), Side("Only", one)
    most = drawn(*sides, prompt="word " * 4_000).height - drawn(*sides).height
    assert most == (both.PROMPT_LINES - 1) * both.LINE


def test_letters_that_the_font_lacks_break_nothing() -> None:
    one = clip("l.mp4", film(3))
    drawn(Side("Änders 猫" * 30, one, ("猫 × 2 → „so“",)), Side("", one, ("",)), prompt="猫跳")


# -- where a clip is missing ----------------------------------------------------------------------


def shows_a_reason(picture: Image.Image, place: int) -> bool:
    """Whether there is one empty field with words in its middle, where the frames would be."""
    talls = [tall_of(WIDE, 4)] * 2
    talls[place] = both.LOWEST
    field = band(picture, place, (talls[0], talls[1]))
    corners = [(2, 2), (field.width - 3, 2), (2, field.height - 3)]
    colours = {colour for _, colour in field.getcolors(1 << 20) or []}
    return {field.getpixel(at) for at in corners} == {both.EMPTY} and both.NOTE in colours


@pytest.mark.parametrize(
    "broken", [None, silent_mdat(film(48)), unknown_codec(film(48)), b"", b"no clip at all" * 99]
)
@pytest.mark.parametrize("place", [0, 1])
def test_a_side_without_a_clip_shows_the_reason(broken: bytes | None, place: int) -> None:
    good = Side("One", clip("good.mp4", film(48)))
    lost = Side("Other", None, why="It was refused.")
    if broken is not None:
        lost = Side("Other", clip("broken.mp4", broken))
    picture = drawn(*((lost, good) if place == 0 else (good, lost)))
    assert shows_a_reason(picture, place)


def test_a_file_that_is_not_there_is_a_clip_that_cannot_be_decoded() -> None:
    good = Side("One", clip("good.mp4", film(48)))
    assert shows_a_reason(drawn(good, Side("Other", Path("gone.mp4"))), 1)


def test_the_reason_names_no_path_of_this_machine() -> None:
    reason = both._frames(Side("Other", Path("gone.mp4").absolute()), WIDE, 4)
    assert isinstance(reason, str)
    assert "gone" not in reason
    assert "/" not in reason


@pytest.mark.parametrize("other", [None, Path("broken.mp4")])
def test_without_any_clip_there_is_no_picture(other: Path | None) -> None:
    clip("broken.mp4", silent_mdat(film(48)))
    with pytest.raises(OutputError):
        comparison(PROMPT, Side("One", None, why="Refused."), Side("Other", other))


def test_without_the_packages_there_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    good = clip("good.mp4", film(48))
    monkeypatch.setattr("factorized_video.media.frames.measure_video", lambda _: None)
    with pytest.raises(OutputError):
        comparison(PROMPT, Side("One", good), Side("Other", good))


def test_the_same_clips_give_the_same_bytes() -> None:
    one = clip("l.mp4", film(48))
    sides = Side("Factorized", one, LINES), Side("Direct", None, why="Refused.")
    assert comparison(PROMPT, *sides) == comparison(PROMPT, *sides)
