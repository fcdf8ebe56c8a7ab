"""A clip at a glance: which moments the strip of a real clip shows, and when one is made."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest

av = pytest.importorskip("av")
pytest.importorskip("PIL")

from conftest import Run, run
from factorized_video.errors import OutputError
from factorized_video.media import filmstrip as strips
from factorized_video.media import frames as frames_of
from factorized_video.media.filmstrip import columns
from factorized_video.media.frames import times
from factorized_video.media.grid import GAP, GROUND, INK, LABEL_HEIGHT, LABEL_TYPE, WIDTH
from loopback import Gateway, Reply, clip, png
from PIL import Image, ImageDraw, ImageFont

pytestmark = pytest.mark.thorough  # clips and pictures by the dozen

Size = tuple[int, int]
STRIP = Path("v.filmstrip.png")


# -- which moments --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("duration_s", "fps", "frames"),
    [
        (6, 24, [0, 20, 41, 61, 82, 102, 123, 143]),
        (6, 30, [0, 26, 51, 77, 102, 128, 153, 179]),
        (8, 24, [0, 27, 55, 82, 109, 136, 164, 191]),
        (6.006, 23.976, [0, 20, 41, 61, 82, 102, 123, 143]),
        (0.333, 24, list(range(8))),  # as many tiles as frames
        (0.125, 24, [0, 1, 2]),
        (1 / 24, 24, [0]),
        (0.0, 24, [0]),  # no length is known
        (3, 1, [0, 1, 2]),
    ],
)
def test_the_first_frame_the_last_and_some_evenly_between(
    duration_s: float, fps: float, frames: list[int]
) -> None:
    wanted = [n / fps for n in frames]
    assert times(duration_s, round(duration_s * fps)) == pytest.approx(wanted, abs=0.001)


@pytest.mark.parametrize(("count", "frames"), [(1, [0]), (2, [0, 143]), (3, [0, 72, 143])])
def test_other_numbers_of_tiles(count: int, frames: list[int]) -> None:
    assert times(6, 144, count) == pytest.approx([n / 24 for n in frames])


@pytest.mark.parametrize(("count", "row"), [(8, 4), (7, 4), (5, 3), (4, 2), (3, 3), (1, 1)])
def test_how_many_tiles_stand_in_a_row(count: int, row: int) -> None:
    assert columns(count) == row


# -- clips whose frames show their number ---------------------------------------------------------


def numbered(number: int, size: Size) -> Image.Image:
    """Two greys, left and right, encode the number: twelve steps of each."""
    picture = Image.new("L", size, 60 + 15 * (number % 12))
    picture.paste(60 + 15 * (number // 12), (size[0] // 2, 0, *size))
    return picture.convert("RGB")


def number_in(tile: Image.Image) -> int:
    grey = tile.convert("L")
    values = [grey.getpixel((tile.width * part // 4, tile.height // 2)) for part in (1, 3)]
    low, high = (round((float(str(value)) - 60) / 15) for value in values)
    return high * 12 + low


@cache
def film(
    count: int,
    rate: Fraction = Fraction(24),
    size: Size = (160, 90),
    container: str = "mp4",
    codec: str = "libx264",
    at_ms: tuple[int, ...] = (),
    start_s: int = 0,
    **options: str,
) -> bytes:
    """A clip whose frame n is `numbered(n)`; with `at_ms` each at a time of its own."""
    options = options or {"preset": "veryfast"}
    out = io.BytesIO()
    with av.open(out, "w", format=container) as target:
        stream = target.add_stream(codec, rate=rate, options={} if "vp" in codec else options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        if at_ms:
            stream.codec_context.time_base = Fraction(1, 1000)
        for number in range(count):
            frame = av.VideoFrame.from_image(numbered(number, size))
            frame.pts = at_ms[number] if at_ms else number + start_s * round(rate)
            frame.time_base = Fraction(1, 1000) if at_ms else 1 / rate
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    return out.getvalue()


def tiles_of(png_data: bytes, size: Size, count: int, foot: int = 0) -> list[Image.Image]:
    """The pictures in a strip of so many; below them so many pixels of words."""
    with Image.open(io.BytesIO(png_data)) as sheet:
        assert (sheet.format, sheet.mode) == ("PNG", "RGB")
        row = columns(count)
        place = (WIDTH - GAP * (row + 1)) // row
        height = min(strips.TALLEST, round(place * size[1] / size[0]))
        width = min(place, round(height * size[0] / size[1]))
        rows = -(-count // row)
        step = width + GAP, height + LABEL_HEIGHT + GAP
        assert sheet.size == (WIDTH, GAP + rows * step[1] + foot)
        left = (WIDTH - row * step[0] + GAP) // 2
        corners = [(left + n % row * step[0], GAP + n // row * step[1]) for n in range(count)]
        whole = [sheet.crop((x, y, x + width, y + height + LABEL_HEIGHT)) for x, y in corners]
        return [tile.copy() for tile in whole]


def label_of(tile: Image.Image) -> bytes:
    box = (0, tile.height - LABEL_HEIGHT, tile.width, tile.height)
    return tile.crop(box).tobytes()


def written(text: str, width: int) -> bytes:
    """A label as it should look."""
    label = Image.new("RGB", (width, LABEL_HEIGHT), GROUND)
    middle = width // 2, LABEL_HEIGHT // 2
    font = ImageFont.load_default(LABEL_TYPE)
    ImageDraw.Draw(label).text(middle, text, fill=INK, font=font, anchor="mm")
    return label.tobytes()


def shown(data: bytes, size: Size, count: int, when: Callable[[int, int], float]) -> list[int]:
    """The numbers of the frames that a clip's strip shows, each labelled with its time.

    `when` says it by the number of the frame, and that of the tile.
    """
    path = Path("clip.mp4")
    path.write_bytes(data)
    numbers = []
    for place, tile in enumerate(tiles_of(strips.filmstrip(path), size, count)):
        number = number_in(tile.crop((0, 0, tile.width, tile.height - LABEL_HEIGHT)))
        assert label_of(tile) == written(f"{when(number, place):.1f} s", tile.width)
        numbers.append(number)
    return numbers


WIDE, TALL, SQUARE = (160, 90), (90, 160), (120, 120)
ALL_OF_6_S = [0, 20, 41, 61, 82, 102, 123, 143]
NTSC = Fraction(24_000, 1001)
CLIPS: list[Any] = [
    pytest.param(film(144), WIDE, 24, ALL_OF_6_S, id="16:9"),
    pytest.param(film(144, size=TALL), TALL, 24, ALL_OF_6_S, id="9:16"),
    pytest.param(film(144, size=SQUARE), SQUARE, 24, ALL_OF_6_S, id="1:1"),
    pytest.param(film(144, NTSC), WIDE, NTSC, ALL_OF_6_S, id="23.976 fps"),
    pytest.param(film(120, Fraction(30)), WIDE, 30, [0, 17, 34, 51, 68, 85, 102, 119], id="30 fps"),
    pytest.param(film(1), WIDE, 24, [0], id="one frame"),
    pytest.param(film(3), WIDE, 24, [0, 1, 2], id="three frames"),
    pytest.param(film(5), WIDE, 24, [0, 1, 2, 3, 4], id="five frames, two rows"),
    pytest.param(film(3, size=TALL), TALL, 24, [0, 1, 2], id="three upright frames"),
    pytest.param(film(48, container="mov"), WIDE, 24, [0, 7, 13, 20, 27, 34, 40, 47], id="mov"),
    pytest.param(
        film(48, container="webm", codec="libvpx"),
        WIDE,
        24,
        [0, 7, 13, 20, 27, 34, 40, 47],
        id="webm",
    ),
    pytest.param(film(144, bf="3", g="250"), WIDE, 24, ALL_OF_6_S, id="B-frames, one key frame"),
    pytest.param(film(144, start_s=5), WIDE, 24, ALL_OF_6_S, id="a clock that starts at 5 s"),
]


@pytest.mark.parametrize(("data", "size", "fps", "frames"), CLIPS)
def test_every_tile_shows_its_moment(
    data: bytes, size: Size, fps: Fraction, frames: list[int]
) -> None:
    assert shown(data, size, len(frames), lambda number, _: float(number / fps)) == frames


def test_that_clip_does_have_b_frames() -> None:
    with av.open(io.BytesIO(film(144, bf="3", g="250"))) as container:
        assert any(frame.pict_type == 3 for frame in container.decode(video=0))


# Two seconds of which the second has five times as many frames.
AT_MS = (*range(0, 1000, 100), *range(1000, 2000, 20))


def test_a_variable_frame_rate_is_shown_by_the_clock_and_not_by_the_count() -> None:
    """Each tile shows what is on the screen at its moment, and is labelled with that."""
    wanted = frames_of.times(2.0, len(AT_MS), 8)
    assert wanted == pytest.approx([2 * number / 7 for number in range(8)], abs=0.04)

    def moment(frame: int, tile: int) -> float:
        began = AT_MS[frame] / 1000
        assert began <= wanted[tile] + 0.002
        assert frame + 1 == len(AT_MS) or AT_MS[frame + 1] / 1000 > wanted[tile]
        return began if abs(began - wanted[tile]) < 0.002 else wanted[tile]

    frames = shown(film(len(AT_MS), at_ms=AT_MS), WIDE, 8, moment)
    assert (frames[0], frames[-1]) == (0, len(AT_MS) - 2)


def test_a_frame_that_is_held_is_shown_as_long_as_it_is() -> None:
    """Twelve frames in half a second, and the last one for five more."""
    at = (*range(0, 500, 42), 5_500)
    frames = shown(film(len(at), at_ms=at), WIDE, 8, lambda frame, tile: held(at, frame, tile))
    assert frames == [0, *[len(at) - 2] * 7] or frames[1:-1] == [len(at) - 2] * 6


def held(at: tuple[int, ...], frame: int, tile: int) -> float:
    """The label of a tile of that clip."""
    data = Path("clip.mp4")
    wanted = frames_of.moments(data).times[tile]
    return at[frame] / 1000 if abs(at[frame] / 1000 - wanted) < 0.002 else wanted


# -- clips that are not what they say -------------------------------------------------------------


def patched(data: bytes, box: bytes, offset: int, value: bytes) -> bytes:
    """The same clip with other bytes so far behind a box's name."""
    at = data.index(box) + 4 + offset
    return data[:at] + value + data[at + len(value) :]


def with_duration(data: bytes, part: float) -> bytes:
    """All three clocks of the container say another length."""
    for box, offset in ((b"mvhd", 16), (b"tkhd", 20), (b"mdhd", 16)):
        at = data.index(box) + 4 + offset
        length = int.from_bytes(data[at : at + 4], "big")
        data = patched(data, box, offset, struct.pack(">I", int(length * part)))
    return data.replace(b"elst", b"free")


@pytest.mark.parametrize("part", [0.5, 2.0, 10.0])
def test_a_container_that_lies_about_its_length_still_gives_true_moments(part: float) -> None:
    frames = shown(with_duration(film(144), part), WIDE, 8, lambda number, _: number / 24)
    assert frames == sorted(set(frames))
    assert frames[0] == 0


def test_a_turned_clip_is_shown_as_players_show_it() -> None:
    quarter = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 90 << 16, 0, 1 << 30)
    path = Path("clip.mp4")
    path.write_bytes(patched(film(144), b"tkhd", 40, quarter))
    with Image.open(io.BytesIO(strips.filmstrip(path))) as sheet:
        tall = 2 * (strips.TALLEST + LABEL_HEIGHT + GAP) + GAP
        assert sheet.size == (WIDTH, tall), "eight upright tiles stand in two rows"


def test_a_clip_cut_short_is_an_error() -> None:
    whole = film(144, movflags="faststart", preset="veryfast")
    for part in (0.05, 0.3, 0.6, 0.9):
        Path("clip.mp4").write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(OutputError, match=r"cannot be read|can be decoded|no video stream"):
            strips.filmstrip(Path("clip.mp4"))


def silent_mdat(data: bytes) -> bytes:
    """A sound container whose pictures are noise."""
    start = data.index(b"mdat") + 4
    end = start - 8 + int.from_bytes(data[start - 8 : start - 4], "big")
    return data[:start] + random.Random(9).randbytes(end - start) + data[end:]


def unknown_codec(data: bytes) -> bytes:
    return data.replace(b"avc1", b"zzzz")


def without_size(data: bytes) -> bytes:
    """Of a codec with the size of its frames in the first one, and there is none."""
    return data.replace(b"avc1", b"mp4v")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"a cat, in words" * 99, id="text"),
        pytest.param(random.Random(8).randbytes(5000), id="noise"),
        pytest.param(film(48)[:-400], id="without its index"),
        pytest.param(silent_mdat(film(48)), id="pictures that are noise"),
        pytest.param(unknown_codec(film(48)), id="a codec nobody knows"),
        pytest.param(without_size(film(48)), id="pictures without a size"),
    ],
)
def test_what_cannot_be_shown_is_one_error(data: bytes) -> None:
    Path("clip.mp4").write_bytes(data)
    with pytest.raises(OutputError):
        strips.filmstrip(Path("clip.mp4"))


# -- on the command line --------------------------------------------------------------------------


def video(gateway: Gateway, *words: str) -> Run:
    """Stage 3."""
    Path("mine.png").write_bytes(png())
    given = ["--anchor=mine.png", "--prompt=A cat.", "--output=v.mp4", "--json", *words]
    return run("generate_video_from_anchor", *given, gateway=gateway)


def pipeline(gateway: Gateway, *words: str) -> Run:
    """All that is left to do with a picture of one's own."""
    Path("mine.png").write_bytes(png())
    given = ["--anchor-path=mine.png", "--prompt=A cat.", "--output=v.mp4", "--json", *words]
    return run("factorized_generate", *given, gateway=gateway)


@pytest.mark.parametrize(
    ("script", "words", "drawn"),
    [
        (video, [], False),
        (video, ["--filmstrip"], True),
        (video, ["--no-filmstrip"], False),
        (pipeline, [], True),
        (pipeline, ["--filmstrip"], True),
        (pipeline, ["--no-filmstrip"], False),
    ],
)
def test_when_a_filmstrip_is_made(
    gateway: Gateway, script: Callable[..., Run], words: Sequence[str], drawn: bool
) -> None:
    done = script(gateway, *words)
    assert done.code == 0, done.err
    assert STRIP.exists() is drawn
    assert done.json["filmstrip"] == (str(STRIP.absolute()) if drawn else None)
    if drawn:
        tiles = tiles_of(STRIP.read_bytes(), (1280, 720), 8, foot=68)
        assert len({tile.tobytes() for tile in tiles}) == 8


@pytest.mark.parametrize("script", [video, pipeline])
def test_a_deleted_strip_is_made_again_and_nothing_is_sent(
    gateway: Gateway, script: Callable[..., Run]
) -> None:
    assert script(gateway, "--filmstrip").code == 0
    first = STRIP.read_bytes()
    STRIP.unlink()
    gateway.requests.clear()
    again = script(gateway, "--filmstrip")
    assert (again.code, again.json["reused"], gateway.requests) == (0, True, [])
    assert STRIP.read_bytes() == first
    assert again.json["filmstrip"] == str(STRIP.absolute())


def test_an_existing_strip_stays(gateway: Gateway) -> None:
    assert video(gateway, "--filmstrip").code == 0
    STRIP.write_bytes(b"one's own")
    assert video(gateway, "--filmstrip").code == 0
    assert STRIP.read_bytes() == b"one's own"


def test_the_strip_of_an_overwritten_clip_goes_aside_with_it(gateway: Gateway) -> None:
    assert video(gateway, "--filmstrip").code == 0
    first = {name: Path(name).read_bytes() for name in ("v.mp4", "v.filmstrip.png")}
    gateway.always("file", Reply(body=film(48)))
    other = video(gateway, "--filmstrip", "--overwrite", "--duration=4")
    assert other.code == 0, other.err
    assert Path("v.1.mp4").read_bytes() == first["v.mp4"]
    assert Path("v.1.filmstrip.png").read_bytes() == first["v.filmstrip.png"]
    assert tiles_of(STRIP.read_bytes(), WIDE, 8, foot=68)
    third = video(gateway, "--overwrite", "--duration=8")
    assert third.code == 0
    assert Path("v.2.filmstrip.png").exists()
    assert not STRIP.exists(), "that of another clip is not left beside the new one"
    assert third.json["filmstrip"] is None


def test_a_strip_left_behind_does_not_count_for_another_clip(gateway: Gateway) -> None:
    assert video(gateway, "--filmstrip").code == 0
    old = STRIP.read_bytes()
    for name in ("v.mp4", "v.mp4.receipt.json"):
        Path(name).unlink()
    gateway.always("file", Reply(body=film(48)))
    done = video(gateway, "--filmstrip", "--duration=4")
    assert done.code == 0
    assert STRIP.read_bytes() != old
    assert old in [path.read_bytes() for path in Path().glob("*.png")], "it may be all that is left"


def test_a_clip_that_cannot_be_decoded_is_delivered_with_a_warning(gateway: Gateway) -> None:
    noise = silent_mdat(clip())
    gateway.always("file", Reply(body=noise))
    done = video(gateway, "--filmstrip")
    assert done.code == 0, done.err
    assert Path("v.mp4").read_bytes() == noise
    assert not STRIP.exists()
    assert (done.json["filmstrip"], done.json["anchor_fidelity"]) == (None, None)
    warnings = done.json["warnings"]
    assert any("No filmstrip could be made" in warning for warning in warnings)
    assert any("could not be compared" in warning for warning in warnings)
    assert gateway.billed == {"create": 1}
    assert len(gateway.of("file")) == 1, "it was fetched again"


@pytest.mark.parametrize("spoil", [unknown_codec, without_size])
def test_a_clip_of_an_unknown_codec_is_delivered_with_a_warning(
    gateway: Gateway, spoil: Callable[[bytes], bytes]
) -> None:
    gateway.always("file", Reply(body=spoil(clip())))
    done = video(gateway, "--filmstrip")
    assert done.code == 0, done.err
    assert Path("v.mp4").read_bytes() == spoil(clip())
    assert (done.json["video"], done.json["filmstrip"]) == (None, None)
    assert any("could not be measured" in warning for warning in done.json["warnings"])
    assert not any("setup.sh" in warning for warning in done.json["warnings"]), "it would not help"


@pytest.mark.parametrize(
    ("prompt", "about", "more"),
    [
        ("", "", 0),
        ("A cat jumps.", "veo · 6.0 s", 68),
        ("A cat jumps.", "", 38),
        ("word " * 4_000, "veo " * 400, 98),  # two lines and one, however long they are
    ],
)
def test_below_the_frames_stand_the_prompt_and_the_facts(
    prompt: str, about: str, more: int
) -> None:
    path = Path("clip.mp4")
    path.write_bytes(film(48))
    bare = Image.open(io.BytesIO(strips.filmstrip(path)))
    sheet = Image.open(io.BytesIO(strips.filmstrip(path, prompt, about)))
    assert sheet.height - bare.height == more
    foot = sheet.crop((0, bare.height, WIDTH, sheet.height)).convert("L")
    assert not more or max(foot.tobytes()) > 150
