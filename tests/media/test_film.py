"""Clips joined into one film: through the command, with real clips of many kinds."""

from __future__ import annotations

import json
import math
from array import array
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

av = pytest.importorskip("av")
pytest.importorskip("PIL")

from conftest import Run, run
from factorized_video.media.clips import decoded
from factorized_video.media.similarity import alike, squeezed
from PIL import Image, ImageDraw

pytestmark = pytest.mark.thorough

RATE = 44_100
FLASH_S = 0.5  # when each clip flashes white and beeps
BEEP_S = 0.1


def clip_file(
    path: str,
    colour: tuple[int, int, int],
    *,
    size: tuple[int, int] = (320, 180),
    fps: int = 24,
    seconds: float = 1.0,
    sound: float | None = 0.2,
    codec: str = "h264",
) -> Path:
    """A clip of a bar that moves, with a white flash and a beep at `FLASH_S`."""
    with av.open(path, "w") as clip:
        video = clip.add_stream(codec, rate=fps)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        heard = clip.add_stream("aac", rate=RATE, layout="mono") if sound is not None else None
        count = round(seconds * fps)
        for number in range(count):
            flashes = FLASH_S <= number / fps < FLASH_S + BEEP_S
            picture = Image.new("RGB", size, (255, 255, 255) if flashes else colour)
            left = size[0] * number // count
            ImageDraw.Draw(picture).rectangle((left, 40, left + 40, 90), (20, 20, 20))
            frame = av.VideoFrame.from_image(picture).reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            clip.mux(video.encode(frame))
        clip.mux(video.encode(None))
        if heard is not None and sound is not None:
            for block in blocks(beep(seconds, sound)):
                clip.mux(heard.encode(block))
            clip.mux(heard.encode(None))
    return Path(path)


def beep(seconds: float, loud: float) -> array[int]:
    """Mono samples, silent but for the beep."""
    return array(
        "h",
        (
            int(32_767 * loud * math.sin(2 * math.pi * 880 * at / RATE))
            if FLASH_S <= at / RATE < FLASH_S + BEEP_S
            else 0
            for at in range(round(seconds * RATE))
        ),
    )


def blocks(samples: array[int]) -> Any:
    to_floats = av.AudioResampler(format="fltp", layout="mono", rate=RATE)
    for start in range(0, len(samples), 1024):
        some = samples[start : start + 1024]
        block = av.AudioFrame(format="s16", layout="mono", samples=len(some))
        block.planes[0].update(some.tobytes().ljust(block.planes[0].buffer_size, b"\0"))
        block.sample_rate, block.pts, block.time_base = RATE, start, Fraction(1, RATE)
        yield from to_floats.resample(block)


def join(*words: str) -> Run:
    return run("factorized_generate", "--join", *words, "--json")


def pictures(path: Path) -> list[Image.Image]:
    return [frame.to_image() for _, frame in decoded(path)]


def loudness(path: Path) -> tuple[list[float], float]:
    """The loudest sample of each hundredth of a second, as a player hears them; and how long."""
    found: dict[int, float] = {}
    end = 0.0
    with av.open(str(path)) as film:
        mono = av.AudioResampler(format="s16", layout="mono", rate=48_000)
        for frame in film.decode(film.streams.audio[0]):
            for block in mono.resample(frame):
                samples = array("h", bytes(block.planes[0])[: block.samples * 2])
                start = round((block.time or 0.0) * 48_000)
                for at, sample in enumerate(samples):
                    place = (start + at) // 480
                    found[place] = max(found.get(place, 0.0), abs(sample) / 32_768)
                end = (start + len(samples)) / 48_000
    return [found.get(place, 0.0) for place in range(max(found) + 1)], end


def at(picture: Image.Image, x: int, y: int) -> Any:
    return picture.getpixel((x, y))


def correlation(one: Image.Image, other: Image.Image) -> float:
    return alike(squeezed(one), squeezed(other))


def test_a_cut_keeps_each_clips_frames_and_its_sound_where_they_belong(home: Path) -> None:
    clips = [
        clip_file("a.mp4", (200, 60, 40)),
        clip_file("b.webm", (40, 160, 60), fps=30, seconds=1.2, codec="libvpx-vp9", sound=None),
        clip_file("c.mov", (50, 60, 200), size=(180, 320), sound=0.05),
        clip_file("d.mp4", (180, 160, 60), fps=25, seconds=1.1, sound=0.6),
    ]
    clips[1] = clips[1].rename("b.any")  # what a file is called does not count
    made = join(*map(str, clips), "--output", "film.mp4").json
    film = made["film"]
    assert (film["width"], film["height"], film["fps"], film["audio"]) == (320, 180, 24.0, True)
    assert film["seams"] == pytest.approx([1.0, 1.0 + 29 / 24, 2.0 + 29 / 24], abs=0.03)
    shown = pictures(Path("film.mp4"))
    for clip, seam in zip(
        clips[1:2] + clips[3:], [film["seams"][0], film["seams"][2]], strict=True
    ):
        assert correlation(shown[round(seam * 24)], pictures(clip)[0]) >= 0.98
    for clip, seam in zip(clips[:2], film["seams"], strict=False):
        assert correlation(shown[round(seam * 24) - 1], pictures(clip)[-1]) >= 0.98
    # The upright clip is shown whole, on black.
    upright = shown[round(film["seams"][1] * 24) + 1]
    assert max(at(upright, 20, 90)) < 20 < max(at(upright, 160, 170))
    loud, end = loudness(Path("film.mp4"))
    assert end == pytest.approx(film["duration_s"], abs=0.04)
    begins = [0.0, *film["seams"]]
    for place in (0, 2, 3):
        flash = begins[place] + FLASH_S
        heard = next(when for when in range(int(flash * 100) - 20, len(loud)) if loud[when] > 0.02)
        bright = next(
            number
            for number in range(round(begins[place] * 24), len(shown))
            if min(at(shown[number], 160, 10)) > 200
        )
        assert abs(heard / 100 - flash) <= 0.04
        assert abs(heard / 100 - bright / 24) <= 0.04 + 1 / 24
    assert max(loud[int(begins[1] * 100) + 5 : int(begins[2] * 100) - 5]) < 0.01  # a silent clip
    beeps = [max(loud[int((begins[one] + 0.5) * 100) :][:12]) for one in (0, 2, 3)]
    assert max(beeps) / min(beeps) < 4  # it was twelve times as loud
    for picture in ("seam_sheet", "filmstrip"):
        assert Image.open(made[picture]).width == 1_560


def test_a_crossfade_overlaps_and_music_ends_with_the_pictures(home: Path) -> None:
    clips = [clip_file("a.mp4", (200, 60, 40), sound=None)]
    clips.append(clip_file("b.mp4", (40, 160, 60), sound=None))
    clip_file("music.mp4", (0, 0, 0), seconds=5, sound=0.3)
    with av.open("long.wav", "w") as file:
        stream = file.add_stream("pcm_s16le", rate=RATE, layout="mono")
        tone = array("h", (int(9_000 * math.sin(at / 9)) for at in range(RATE * 6)))
        block = av.AudioFrame(format="s16", layout="mono", samples=len(tone))
        block.planes[0].update(tone.tobytes().ljust(block.planes[0].buffer_size, b"\0"))
        block.sample_rate, block.pts, block.time_base = RATE, 0, Fraction(1, RATE)
        file.mux(stream.encode(block))
        file.mux(stream.encode(None))
    words = (*map(str, clips), "--output", "film.mp4")
    film = join(*words, "--transition", "crossfade", "--music", "long.wav").json["film"]
    assert film["duration_s"] == pytest.approx(1.5)
    assert film["seams"] == [0.5]
    shown = pictures(Path("film.mp4"))
    middle = at(shown[18], 160, 150)  # of red and green
    assert 90 < middle[0] < 150 and 80 < middle[1] < 140
    loud, end = loudness(Path("film.mp4"))
    assert end == pytest.approx(1.5, abs=0.04)
    assert max(loud[20:60]) > 0.03 and max(loud[-3:]) < 0.03
    planned = join(*words, "--dry-run").json
    assert (planned["status"], planned["film"]["duration_s"]) == ("planned", 2.0)
    again = join(*words).json["film"]  # the same output again, without music: no sound at all
    assert again["duration_s"] == pytest.approx(2.0) and not again["audio"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["a.mp4"], "1 clip"),
        (["a.mp4", "none.mp4"], "is not there"),
        (["a.mp4", "text.mp4"], "is not a video"),
        (["a.mp4", "half.mp4"], "cut short"),
        (["a.mp4", "."], "no file"),
        (["a.mp4", "a.mp4", "--music", "text.mp4"], "--music"),
        (["a.mp4", "a.mp4", "--music", "a.mp4"], "has no sound"),
        (["a.mp4", "a.mp4", "--output", "a.mp4"], "one of the files"),
        (["a.mp4", "a.mp4", "--output", "mine.mp4"], "already exists"),
        (["a.mp4", "a.mp4", "--output", "paid.mp4"], "paid for"),
        (["a.mp4", "a.mp4", "--output", "film.png"], "Use .mp4"),
        (["a.mp4", "a.mp4", "--duration", "6"], "--duration has no effect with --join"),
        (["a.mp4", "a.mp4", "--verify"], "--verify has no effect"),
        (["a.mp4", "a.mp4", "--prompt", "a cat"], "not allowed with"),
    ],
)
def test_what_cannot_be_joined_is_said_before_anything_is_written(
    home: Path, words: list[str], said: str
) -> None:
    data = clip_file("a.mp4", (200, 60, 40), sound=None, seconds=0.5).read_bytes()
    Path("text.mp4").write_text("no clip")
    Path("half.mp4").write_bytes(data[: len(data) * 2 // 3])
    Path("mine.mp4").write_bytes(data)
    Path("paid.mp4.receipt.json").write_text(json.dumps({"schema_version": 1}))
    before = {path: path.stat().st_mtime_ns for path in Path().iterdir()}
    ended = join(*words)
    assert ended.code == 2
    assert said in f"{ended.json['error']['message']} {ended.json['error']['hint']}"
    assert {path: path.stat().st_mtime_ns for path in Path().iterdir() if path.is_file()} == {
        path: when for path, when in before.items() if path.is_file()
    }


def test_music_without_clips_to_join_is_said() -> None:
    ended = run("factorized_generate", "a cat", "--music", "a.mp3", "--json")
    assert ended.code == 2 and "--music is for --join" in ended.json["error"]["message"]
