"""Two clips side by side: which moments of which clip stand where, and what is said of them."""

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
from factorized_video.media.grid import FAINT, GAP, LABEL_HEIGHT, LABEL_TYPE, PANEL, WIDTH, wrapped
from PIL import Image, ImageDraw, ImageFont
from test_filmstrip import Size, film, number_in, silent_mdat, unknown_codec

pytestmark = pytest.mark.thorough  # clips and pictures by the dozen

WIDE, UPRIGHT, SQUARE = (160, 90), (90, 160), (128, 128)
LINES = ("cost: USD 2.55; time: 131 s", "first frame: 5 of 5 pass")


def clip(name: str, data: bytes) -> Path:
    Path(name).write_bytes(data)
    return Path(name)


def drawn(left: Side, right: Side) -> Image.Image:
    with Image.open(io.BytesIO(comparison(left, right))) as picture:
        assert (picture.format, picture.mode, picture.width) == ("PNG", "RGB", WIDTH)
        copy: Image.Image = picture.copy()
        return copy


def half(picture: Image.Image, place: int) -> Image.Image:
    """What is within one card's margin."""
    left = GAP + place * (both.HALF + GAP) + both.PAD
    return picture.crop((left, GAP + both.PAD, left + both.ROOM, picture.height - GAP - both.PAD))


def moments(card: Image.Image, size: Size, frames: int, tall: int = 0) -> list[int]:
    """The numbers of the frames that a half shows, each labelled with its time."""
    wanted = times(frames / 24, frames)
    row = columns(*size, len(wanted))
    tile = tile_size(*size, row)
    tall = tall or tile[1]
    wide = (both.ROOM - GAP * (row - 1)) // row
    numbers = []
    for place in range(len(wanted)):
        x = place % row * (wide + GAP)
        y = both.HEAD + place // row * (tall + LABEL_HEIGHT + GAP)
        left, top = x + (wide - tile[0]) // 2, y + (tall - tile[1]) // 2
        numbers.append(number_in(card.crop((left, top, left + tile[0], top + tile[1]))))
        label = card.crop((x, y + tall, x + wide, y + tall + LABEL_HEIGHT))
        assert label.tobytes() == written(f"{numbers[-1] / 24:.2f} s", wide)
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
    ("width", "height", "count", "row"),
    [
        (1280, 720, 8, 2),
        (2560, 1080, 8, 2),
        (1024, 768, 8, 2),
        (720, 1280, 8, 4),
        (1080, 2400, 8, 4),
        (1024, 1024, 8, 3),
        (1000, 1100, 8, 3),
        (1280, 720, 1, 1),
        (720, 1280, 3, 3),
        (1024, 1024, 2, 2),
    ],
)
def test_how_many_frames_stand_in_a_row(width: int, height: int, count: int, row: int) -> None:
    assert columns(width, height, count) == row


@pytest.mark.parametrize(
    ("width", "height", "row"),
    [(1280, 720, 2), (720, 1280, 4), (1024, 1024, 3), (100, 1000, 4), (1000, 100, 2), (9, 16, 1)],
)
def test_frames_keep_their_shape_and_fit(width: int, height: int, row: int) -> None:
    wide, tall = tile_size(width, height, row)
    assert wide * row + GAP * (row - 1) <= both.ROOM
    assert tall <= both.TALLEST
    assert wide / tall == pytest.approx(width / height, rel=0.03)


# -- what it shows --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [WIDE, UPRIGHT, SQUARE])
def test_both_clips_are_shown_at_their_own_times(size: Size) -> None:
    left, right = clip("l.mp4", film(48, size=size)), clip("r.mp4", film(96, size=size))
    picture = drawn(Side("Factorized", left, LINES), Side("Direct", right, LINES[:1]))
    assert moments(half(picture, 0), size, 48) == expected(48)
    assert moments(half(picture, 1), size, 96) == expected(96)
    assert picture.height <= 1_200, "viewers would scale it down"


def test_clips_of_unlike_shape_are_laid_out_each_by_its_own() -> None:
    left, right = clip("l.mp4", film(48, size=WIDE)), clip("r.mp4", film(48, size=UPRIGHT))
    picture = drawn(Side("Factorized", left), Side("Direct", right))
    assert moments(half(picture, 0), WIDE, 48) == expected(48)
    assert moments(half(picture, 1), UPRIGHT, 48) == expected(48)


def test_rows_of_nearly_the_same_shape_stand_at_one_height() -> None:
    near = (160, 94)
    left, right = clip("l.mp4", film(48, size=WIDE)), clip("r.mp4", film(48, size=near))
    picture = drawn(Side("Factorized", left), Side("Direct", right))
    tall = tile_size(*near, 2)[1]
    assert tall > tile_size(*WIDE, 2)[1]
    assert moments(half(picture, 0), WIDE, 48, tall) == expected(48)
    assert moments(half(picture, 1), near, 48, tall) == expected(48)


@pytest.mark.parametrize("frames", [1, 3])
def test_a_clip_of_few_frames_shows_them_all(frames: int) -> None:
    left, right = clip("l.mp4", film(frames)), clip("r.mp4", film(48))
    picture = drawn(Side("Factorized", left), Side("Direct", right))
    card = half(picture, 0)
    assert moments(card, WIDE, frames) == list(range(frames))
    assert moments(half(picture, 1), WIDE, 48) == expected(48)


def test_the_lines_start_at_one_height_below_both_and_are_wrapped() -> None:
    one, long = clip("l.mp4", film(48)), "a word and another " * 20
    bare = drawn(Side("Factorized", one), Side("Direct", one))
    picture = drawn(Side("Factorized", one, ("cost",)), Side("Direct", one, (long, "cost")))
    top = bare.height - 2 * GAP - 2 * both.PAD  # of the text, below the frames
    texts = [half(picture, place).crop((0, top, both.ROOM, top + 400)) for place in (0, 1)]
    inked = [
        Image.eval(text.convert("L"), lambda v: 255 if v > 120 else 0).getbbox() for text in texts
    ]
    assert inked[0] and inked[1]
    assert abs(inked[0][1] - inked[1][1]) <= 5, "letters differ in height"
    lines = len(wrapped(long, ImageFont.load_default(both.BODY), both.ROOM)) + 1
    assert lines > 3
    assert picture.height - bare.height == both.PAD + lines * both.LINE
    assert inked[1][3] - inked[1][1] > both.LINE * (lines - 1)


def test_letters_that_the_font_lacks_break_nothing() -> None:
    one = clip("l.mp4", film(3))
    drawn(Side("Änders 猫" * 30, one, ("猫 × 2 → „so“",)), Side("", one, ("",)))


# -- where a clip is missing ----------------------------------------------------------------------


def shows_a_reason(card: Image.Image) -> bool:
    """Whether there is one empty field with words in its middle, where the frames would be."""
    deep = both.HEAD + both.LOWEST
    corners = [(2, both.HEAD + 2), (both.ROOM - 3, both.HEAD + 2), (2, deep - 3)]
    field = card.crop((0, both.HEAD, both.ROOM, card.height))
    colours = {colour for _, colour in field.getcolors(1 << 20) or []}
    return {card.getpixel(at) for at in corners} == {both.EMPTY} and both.NOTE in colours


@pytest.mark.parametrize(
    "broken", [None, silent_mdat(film(48)), unknown_codec(film(48)), b"", b"no clip at all" * 99]
)
@pytest.mark.parametrize("place", [0, 1])
def test_a_half_without_a_clip_shows_the_reason(broken: bytes | None, place: int) -> None:
    good = Side("One", clip("good.mp4", film(48)))
    lost = Side("Other", None, why="It was refused.")
    if broken is not None:
        lost = Side("Other", clip("broken.mp4", broken))
    picture = drawn(*((lost, good) if place == 0 else (good, lost)))
    assert shows_a_reason(half(picture, place))
    assert not shows_a_reason(half(picture, 1 - place))
    assert moments(half(picture, 1 - place), WIDE, 48) == expected(48)


def test_a_file_that_is_not_there_is_a_clip_that_cannot_be_decoded() -> None:
    good = Side("One", clip("good.mp4", film(48)))
    assert shows_a_reason(half(drawn(good, Side("Other", Path("gone.mp4"))), 1))


def test_the_reason_names_no_path_of_this_machine() -> None:
    reason = both._grid(Side("Other", Path("gone.mp4").absolute()))
    assert isinstance(reason, str)
    assert "gone" not in reason
    assert "/" not in reason


@pytest.mark.parametrize("other", [None, Path("broken.mp4")])
def test_without_any_clip_there_is_no_picture(other: Path | None) -> None:
    clip("broken.mp4", silent_mdat(film(48)))
    with pytest.raises(OutputError):
        comparison(Side("One", None, why="Refused."), Side("Other", other))


def test_without_the_packages_there_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    good = clip("good.mp4", film(48))
    monkeypatch.setattr("factorized_video.media.frames.measure_video", lambda _: None)
    with pytest.raises(OutputError):
        comparison(Side("One", good), Side("Other", good))


def test_the_same_clips_give_the_same_bytes() -> None:
    one = clip("l.mp4", film(48))
    sides = Side("Factorized", one, LINES), Side("Direct", None, why="Refused.")
    assert comparison(*sides) == comparison(*sides)
