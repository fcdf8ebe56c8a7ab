"""What is done with a clip that came: stripped of sound, measured, compared, told of."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import struct
import subprocess
import sys
from fractions import Fraction
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

av = pytest.importorskip("av")
pytest.importorskip("PIL")

from conftest import Run, command, environment, run
from factorized_video.media.similarity import RESPECTED
from loopback import Gateway, Reply, clip, png
from PIL import Image, ImageDraw

pytestmark = pytest.mark.thorough  # clips and pictures by the dozen

Size = tuple[int, int]
OUT, LOUD, RECEIPT = Path("v.mp4"), Path("v.with-audio.mp4"), Path("v.mp4.receipt.json")
VIDEO = ["--anchor=mine.png", "--prompt=A cat.", "--output=v.mp4", "--json"]
# Of these HappyCapy serves one that always makes sound (the default) and one that never does.
MUTE = "--model=byteplus/seedance-1-0-pro"


def video(gateway: Gateway, *words: str) -> Run:
    """Stage 3, from a picture that is made unless one is there."""
    if not Path("mine.png").exists():
        Path("mine.png").write_bytes(png())
    return run("generate_video_from_anchor", *VIDEO, *words, gateway=gateway)


def serve(gateway: Gateway, data: bytes) -> bytes:
    gateway.always("file", Reply(body=data, headers={"Content-Type": "video/mp4"}))
    return data


def receipt() -> dict[str, Any]:
    told = json.loads(RECEIPT.read_text(encoding="utf-8"))
    assert isinstance(told, dict)
    return told


def said(done: Run, words: str) -> list[str]:
    return [warning for warning in done.json["warnings"] if words in warning]


def scene(size: Size = (1280, 720), at: float = 0.25) -> Image.Image:
    """A sun over the sea: what is where can be told."""
    picture = Image.new("RGB", size, (250, 190, 120))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, size[1] * 0.6, *size), (20, 50, 90))
    x, y, r = size[0] * at, size[1] * 0.35, size[1] * 0.2
    draw.ellipse((x - r, y - r, x + r, y + r), (255, 250, 220))
    return picture


@cache
def film(
    size: Size = (1280, 720),
    seconds: float = 6,
    rate: int = 4,
    *,
    sound: bool = False,
    form: tuple[str, str, str] = ("mp4", "libx264", "aac"),
    bf: int = 0,
) -> bytes:
    """The scene, and then the sun moves; with `sound`, a tone."""
    container, codec, sounds = form
    out = io.BytesIO()
    options = (
        {"preset": "veryfast", "bf": str(bf)} if codec == "libx264" else {"deadline": "realtime"}
    )
    with av.open(out, "w", format=container) as target:
        stream = target.add_stream(codec, rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.colorspace = 1  # BT.709, which must not be lost
        track = target.add_stream(sounds, rate=48_000) if sound else None
        frames = round(seconds * rate)
        for number in range(frames):
            picture = scene(size, 0.25 + number / frames / 2)
            frame = av.VideoFrame.from_image(picture).reformat(format="yuv420p", dst_colorspace=1)
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
        if track is not None:
            tone = struct.pack("<960f", *(math.sin(n / 17) / 2 for n in range(960))) * 2
            for number in range(round(seconds * 50)):
                part = av.AudioFrame(format="fltp", layout="stereo", samples=960)
                for plane in part.planes:
                    plane.update(tone[: 960 * 4].ljust(plane.buffer_size, b"\0"))
                part.sample_rate, part.pts = 48_000, number * 960
                part.time_base = Fraction(1, 48_000)
                target.mux(track.encode(part))
            target.mux(track.encode())
    return out.getvalue()


def frames(data: bytes) -> list[tuple[float, bytes]]:
    """Every picture of a clip, with its time from the first."""
    with av.open(io.BytesIO(data)) as container:
        found = [(float(frame.time), frame) for frame in container.decode(video=0)]
        start = found[0][0]
        return [
            (round(when - start, 4), b"".join(bytes(plane) for plane in frame.planes))
            for when, frame in found
        ]


def tracks(data: bytes) -> list[str]:
    with av.open(io.BytesIO(data)) as container:
        return sorted(stream.type for stream in container.streams)


# -- sound ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("bf", [0, 3])
def test_sound_that_was_not_wanted_is_removed_and_the_clip_as_it_came_is_kept(
    gateway: Gateway, bf: int
) -> None:
    came = serve(gateway, film((640, 360), 6, 8, sound=True, bf=bf))
    assert tracks(came) == ["audio", "video"]
    done = video(gateway, "--no-audio")
    assert done.code == 0, done.err
    silent = OUT.read_bytes()
    assert tracks(silent) == ["video"]
    assert frames(silent) == frames(came)
    with av.open(io.BytesIO(silent)) as container:
        assert next(container.decode(video=0)).colorspace == 1
    assert LOUD.read_bytes() == came
    told = receipt()
    original = {"name": "v.with-audio.mp4", "sha256": sha256(came).hexdigest()}
    assert told["original"] == original
    assert (told["sha256"], told["bytes"]) == (sha256(silent).hexdigest(), len(silent))
    assert told["measured"]["audio"] is False
    assert done.json["video"] == told["measured"]
    assert done.json["anchor_fidelity"] == told["anchor_fidelity"]
    (warning,) = said(done, "came with sound")
    assert "v.with-audio.mp4" in warning
    assert said(done, "always makes sound"), "before it is paid for, too"


def test_removing_sound_once_is_enough(gateway: Gateway) -> None:
    serve(gateway, film((640, 360), sound=True))
    assert video(gateway, "--no-audio").code == 0
    before = {path: path.read_bytes() for path in (OUT, LOUD, RECEIPT)}
    gateway.requests.clear()
    again = video(gateway, "--no-audio")
    assert (again.code, again.json["reused"], gateway.requests) == (0, True, [])
    assert {path: path.read_bytes() for path in before} == before
    assert not said(again, "was changed")


@pytest.mark.parametrize("words", [[], ["--audio"]])
def test_otherwise_sound_stays(gateway: Gateway, words: list[str]) -> None:
    came = serve(gateway, film((640, 360), sound=True))
    done = video(gateway, *words)
    assert done.code == 0, done.err
    assert OUT.read_bytes() == came
    assert not LOUD.exists()
    assert done.json["video"]["audio"] is True
    assert "original" not in receipt()
    assert not said(done, "sound")


@pytest.mark.parametrize("words", [["--no-audio"], ["--no-audio", MUTE]])
def test_of_a_silent_clip_nothing_is_removed(gateway: Gateway, words: list[str]) -> None:
    done = video(gateway, *words)
    assert done.code == 0, done.err
    assert OUT.read_bytes() == clip()
    assert not LOUD.exists()
    assert "original" not in receipt()
    assert not said(done, "came with sound")


def test_a_silent_clip_where_sound_was_wanted_is_said(gateway: Gateway) -> None:
    done = video(gateway, "--audio")
    assert done.code == 0
    assert said(done, "The clip has no sound; it was requested.")
    assert receipt()["measured"]["audio"] is False


def test_sound_wanted_of_a_model_that_has_none_is_refused(gateway: Gateway) -> None:
    done = video(gateway, "--audio", MUTE)
    assert (done.code, gateway.requests) == (2, [])
    assert "silent clips only" in done.json["error"]["message"]


WEBM = ("webm", "libvpx", "libopus")


def test_sound_that_cannot_be_removed_costs_no_clip(gateway: Gateway) -> None:
    """VP8 has no place in an MP4."""
    came = serve(gateway, film((640, 360), sound=True, form=WEBM))
    done = video(gateway, "--no-audio")
    assert done.code == 0, done.err
    assert OUT.read_bytes() == came
    assert said(done, "could not be removed")
    assert receipt()["measured"]["audio"] is True
    assert receipt()["sha256"] == sha256(came).hexdigest()
    assert "original" not in receipt()
    assert not list(Path().glob(".*.part"))


def test_where_sound_cannot_be_removed_no_second_copy_is_left(gateway: Gateway) -> None:
    serve(gateway, film((640, 360), sound=True, form=WEBM))
    assert video(gateway, "--no-audio").code == 0
    assert not LOUD.exists()


def test_ones_own_file_of_that_name_is_kept(gateway: Gateway) -> None:
    LOUD.write_bytes(b"one's own")
    came = serve(gateway, film((640, 360), sound=True))
    assert video(gateway, "--no-audio").code == 0
    assert LOUD.read_bytes() == came
    assert Path("v.with-audio.1.mp4").read_bytes() == b"one's own"


def test_the_clip_as_it_came_goes_aside_with_an_overwritten_one(gateway: Gateway) -> None:
    first = serve(gateway, film((640, 360), sound=True))
    assert video(gateway, "--no-audio").code == 0
    second = serve(gateway, film((640, 360), 4, sound=True))
    assert video(gateway, "--no-audio", "--duration=4", "--overwrite").code == 0
    assert LOUD.read_bytes() == second
    assert Path("v.1.with-audio.mp4").read_bytes() == first
    assert tracks(Path("v.1.mp4").read_bytes()) == ["video"]


# -- what was asked for, and what came ------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words", "warning"),
    [
        pytest.param(clip(), [], None, id="right"),
        pytest.param(film((1280, 720), 6.25, 4), [], None, id="a frame too long"),
        pytest.param(film((1280, 704), 6, 2), [], None, id="cut to blocks of 16 px"),
        pytest.param(
            film((720, 1280), 6, 2), ["--aspect-ratio=9:16", "--fit=crop"], None, id="upright"
        ),
        pytest.param(
            film((480, 480)),
            [MUTE, "--aspect-ratio=1:1", "--fit=crop"],
            None,
            id="square: short sides differ",
        ),
        pytest.param(film((1280, 720), 4, 2), [], "The clip is 4 s long; 6 s were", id="short"),
        pytest.param(film((854, 480), 6, 2), [], "854x480 px; 720p was requested.", id="480p"),
        pytest.param(
            clip(), ["--resolution=1080p", "--duration=8"], "1280x720 px; 1080p was", id="720p"
        ),
        pytest.param(film((720, 1280), 6, 2), [], "720x1280 px, which is not 16:9.", id="upright?"),
        pytest.param(film((960, 720), 6, 2), [], "960x720 px, which is not 16:9.", id="4:3"),
    ],
)
def test_a_clip_that_is_not_what_was_asked_for_is_delivered_and_said(
    gateway: Gateway, data: bytes, words: list[str], warning: str | None
) -> None:
    serve(gateway, data)
    done = video(gateway, *words)
    assert done.code == 0, done.err
    assert OUT.read_bytes() == data
    unlike = said(done, "The clip is ")
    assert any(warning in text for text in unlike) if warning else unlike == []
    assert receipt()["state"] == "succeeded"
    measured = receipt()["measured"]
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        assert (measured["width"], measured["height"]) == (stream.width, stream.height)
        assert measured["fps"] == float(stream.average_rate)


# -- the first frame ------------------------------------------------------------------------------


def mine(picture: Image.Image) -> None:
    picture.save("mine.png")


@pytest.mark.parametrize("script", ["generate_video_from_anchor", "factorized_generate"])
def test_a_clip_that_begins_with_the_anchor_says_so(gateway: Gateway, script: str) -> None:
    mine(scene())
    serve(gateway, film())
    orchestrated = script == "factorized_generate"
    words = ["--anchor-path=mine.png", *VIDEO[1:]] if orchestrated else VIDEO
    done = run(script, *words, gateway=gateway)
    assert done.code == 0, done.err
    assert done.json["anchor_fidelity"] == receipt()["anchor_fidelity"] >= 0.98
    assert not said(done, "does not begin with the anchor")


def test_a_clip_that_begins_with_another_picture_is_delivered_and_said(gateway: Gateway) -> None:
    mine(scene().transpose(Image.Transpose.ROTATE_180))  # sea above, sky below
    came = serve(gateway, film())
    done = video(gateway)
    assert done.code == 0, done.err
    assert OUT.read_bytes() == came
    assert done.json["anchor_fidelity"] == receipt()["anchor_fidelity"] == 0
    (warning,) = said(done, "does not begin with the anchor")
    assert "0.00" in warning
    assert f"{RESPECTED:g}" in warning


def test_it_is_compared_with_what_was_sent_and_not_with_the_file(gateway: Gateway) -> None:
    """Squeezed into the clip's shape the whole picture would be another one."""
    tall = Image.new("RGB", (1280, 2276))
    for number, place in enumerate((0, 778, 1556)):
        shown = scene(at=(0.75, 0.25, 0.5)[number])
        tall.paste(
            shown if number == 1 else shown.transpose(Image.Transpose.ROTATE_180), (0, place)
        )
    mine(tall)
    serve(gateway, film())
    done = video(gateway, "--aspect-ratio=16:9", "--fit=crop")
    assert done.code == 0, done.err
    assert done.json["anchor_fidelity"] >= 0.98


# -- killed in between ----------------------------------------------------------------------------


def forget() -> None:
    """The receipt as it was before it said that the clip came; of the one in place it knew."""
    late = ("sha256", "measured", "finished_at", "anchor_fidelity", "bytes", "reply", "original")
    told = {key: value for key, value in receipt().items() if key not in late}
    told |= {"state": "submitted", "sha256": None, "measured": None, "finished_at": None}
    if OUT.exists():
        told["arrived_sha256"] = hashlib.sha256(OUT.read_bytes()).hexdigest()
        if LOUD.exists() and OUT.read_bytes() != LOUD.read_bytes():
            told["original"] = receipt()["original"]
    RECEIPT.write_text(json.dumps(told), encoding="utf-8")


def nothing() -> None:
    OUT.unlink()
    LOUD.unlink()


def fetched() -> None:
    OUT.write_bytes(LOUD.read_bytes())
    LOUD.unlink()


def linked() -> None:
    OUT.unlink()
    os.link(LOUD, OUT)


def half() -> None:
    linked()
    Path(".v.mp4.0123abcd.part").write_bytes(b"half")


@pytest.mark.parametrize(
    "left",
    [
        pytest.param(nothing, id="before the clip came"),
        pytest.param(fetched, id="before it was kept"),
        pytest.param(linked, id="before the silent copy"),
        pytest.param(half, id="amid the silent copy"),
        pytest.param(OUT.unlink, id="the clip deleted"),
        pytest.param(lambda: None, id="before the receipt was written"),
    ],
)
def test_a_killed_delivery_is_done_again_and_ends_as_it_would_have(
    gateway: Gateway, left: Any
) -> None:
    came = serve(gateway, film((640, 360), sound=True))
    assert video(gateway, "--no-audio").code == 0
    silent, told = OUT.read_bytes(), receipt()
    as_it_ended = RECEIPT.read_bytes()
    left()
    RECEIPT.write_bytes(as_it_ended)
    forget()
    if OUT.exists():
        gateway.jobs.clear()  # the clip is there: nobody needs to be asked
    gateway.requests.clear()
    again = video(gateway, "--no-audio")
    assert again.code == 0, again.err
    assert gateway.sent == {}, "paid again"
    assert (OUT.read_bytes(), LOUD.read_bytes()) == (silent, came)
    now = receipt()
    same = ("state", "sha256", "bytes", "measured", "anchor_fidelity", "original", "job", "cost")
    assert {key: now[key] for key in same} == {key: told[key] for key in same}
    names = {path.name for path in Path().iterdir()}
    assert names == {"mine.png", OUT.name, LOUD.name, RECEIPT.name}


def test_a_file_that_was_put_in_the_clips_place_meanwhile_is_kept_aside(gateway: Gateway) -> None:
    assert video(gateway, "--no-wait").code == 4
    OUT.write_bytes(b"mine")
    done = video(gateway)
    assert (done.code, gateway.sent) == (0, {"create": 1}), done.err
    assert OUT.read_bytes() == clip()
    assert OUT.with_name(f"{OUT.stem}.1{OUT.suffix}").read_bytes() == b"mine"


def test_a_deleted_clip_is_fetched_again_without_paying(gateway: Gateway) -> None:
    assert video(gateway).code == 0
    OUT.unlink()
    forget()
    again = video(gateway)
    assert (again.code, gateway.billed) == (0, {"create": 1}), again.err
    assert OUT.read_bytes() == clip()
    assert receipt()["state"] == "succeeded"
    assert receipt()["anchor_fidelity"] == again.json["anchor_fidelity"] == 1


# -- without Pillow and PyAV ----------------------------------------------------------------------

HIDDEN = """
import importlib.util, os, runpy, sys
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in ("PIL", "av") else real(name, *rest)

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("PIL", "av"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Hide())
sys.argv = sys.argv[1:]
sys.path[0] = os.path.dirname(sys.argv[0])
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def bare(gateway: Gateway, script: str, *words: str) -> Run:
    """A script in a Python that has neither."""
    Path("mine.png").write_bytes(png())
    ended = subprocess.run(
        [sys.executable, "-c", HIDDEN, *command(script, *words, gateway=gateway)[1:]],
        env=environment(gateway),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=30,
        check=False,
    )
    return Run(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


ALL = ["--anchor-path=mine.png", "--prompt=A cat.", "--output=v.mp4", "--json"]


@pytest.mark.parametrize("flag", ["--no-audio", "--filmstrip"])
@pytest.mark.parametrize(
    ("script", "words"), [("generate_video_from_anchor", VIDEO), ("factorized_generate", ALL)]
)
def test_what_cannot_be_done_later_is_refused_before_anything_is_paid(
    gateway: Gateway, script: str, words: list[str], flag: str
) -> None:
    done = bare(gateway, script, *words, flag)
    assert (done.code, gateway.requests) == (2, []), done.err
    error = done.json["error"]
    assert error["message"].startswith(flag)
    assert "setup.sh --install" in error["hint"]
    assert not RECEIPT.exists()


def test_of_a_mute_model_no_sound_can_be_asked_without_them(gateway: Gateway) -> None:
    done = bare(gateway, "generate_video_from_anchor", *VIDEO, "--no-audio", MUTE)
    assert done.code == 0, done.err
    assert OUT.read_bytes() == clip()


def test_without_them_a_clip_is_delivered_unmeasured_and_that_is_said_once(
    gateway: Gateway,
) -> None:
    came = serve(gateway, film((640, 360), 4, sound=True))  # wrong in all ways
    done = bare(gateway, "generate_video_from_anchor", *VIDEO)
    assert done.code == 0, done.err
    assert OUT.read_bytes() == came
    assert (done.json["video"], done.json["anchor_fidelity"]) == (None, None)
    assert len(said(done, "not measured")) == 1
    assert not said(done, "The clip")
