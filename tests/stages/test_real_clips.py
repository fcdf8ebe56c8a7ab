"""Clips as they really come: other containers and codecs, turned, wide pixels, in HDR."""

from __future__ import annotations

import hashlib
import io
import json
import struct
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("av")
pytest.importorskip("PIL")

import av
from conftest import Run, run
from factorized_video.errors import OutputError
from factorized_video.media import clips, display, frames, remux
from loopback import Gateway, Reply
from PIL import Image, ImageDraw

pytestmark = pytest.mark.thorough

OUT = Path("v.mp4")
WIDE = (640, 360)


def scene(size: tuple[int, int]) -> Image.Image:
    """A picture that is another one when it is turned, mirrored or stretched."""
    picture = Image.new("RGB", size, (40, 80, 120))
    draw = ImageDraw.Draw(picture)
    width, height = size
    draw.rectangle((0, 0, width // 3, height // 4), (220, 60, 40))
    draw.ellipse((width // 2, height // 2, width * 3 // 4, height * 3 // 4), (240, 220, 80))
    return picture


def film(
    container: str = "mp4",
    codec: str = "libx264",
    size: tuple[int, int] = WIDE,
    sound: str | None = None,
    options: dict[str, str] | None = None,
) -> bytes:
    """Two seconds of the scene, a little darker from frame to frame."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as target:
        stream: Any = target.add_stream(codec, rate=24, options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        track: Any = target.add_stream(sound, rate=48_000) if sound else None
        for number in range(48):
            picture = scene(size).point(lambda level, number=number: max(0, level - number // 4))
            frame: Any = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            frame = frame.reformat(format="yuv420p", dst_colorspace=1)
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
        for number in range(100 if track else 0):
            part = av.AudioFrame(format=track.codec_context.format.name, samples=960)
            for plane in part.planes:
                plane.update(bytes(plane.buffer_size))
            part.sample_rate, part.pts = 48_000, number * 960
            target.mux(track.encode(part))
        if track:
            target.mux(track.encode())
    return out.getvalue()


def pictures_of(path: Path) -> tuple[str, int, int]:
    """MD5 of the elementary stream, its packets, and the frames that decode."""
    with av.open(str(path)) as container:
        stream = clips.video_stream(container)
        total, packets = hashlib.md5(usedforsecurity=False), 0
        for packet in container.demux(stream):
            if packet.size:
                total.update(bytes(packet))
                packets += 1
    with av.open(str(path)) as container:
        decoded = sum(1 for _ in container.decode(clips.video_stream(container)))
    return total.hexdigest(), packets, decoded


def made(gateway: Gateway, data: bytes, *args: str) -> Run:
    """Stage 3, whose clip is this file."""
    scene((1280, 720)).save("mine.png")
    gateway.always("file", Reply(body=data, headers={"Content-Type": "video/mp4"}))
    words = ["--anchor=mine.png", "--prompt=x", f"--output={OUT}", "--json", "--filmstrip"]
    return run("generate_video_from_anchor", *words, *args, gateway=gateway)


# --- without sound --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("container", "codec", "sound", "options"),
    [
        ("mp4", "libx264", "aac", {"bf": "3"}),
        ("matroska", "libx264", "aac", {"bf": "3"}),
        ("mov", "libx264", "aac", {}),
        ("webm", "libvpx-vp9", "libopus", {"deadline": "realtime"}),
        ("mp4", "libx265", "aac", {"x265-params": "log-level=none"}),
        ("mp4", "libsvtav1", "aac", {"preset": "12"}),
    ],
)
def test_without_sound_the_pictures_are_the_very_same(
    gateway: Gateway, container: str, codec: str, sound: str, options: dict[str, str]
) -> None:
    try:
        data = film(container, codec, sound=sound, options=options)
    except (av.FFmpegError, ValueError):
        pytest.skip(f"this PyAV has no encoder {codec}")
    Path("loud").write_bytes(data)
    done = made(gateway, data, "--no-audio")
    assert done.code == 0, done.err
    assert pictures_of(OUT) == pictures_of(Path("loud"))
    assert pictures_of(OUT)[2] == 48
    with av.open(str(OUT)) as silent:
        assert [stream.type for stream in silent.streams] == ["video"]
        if codec == "libx265":
            assert silent.streams[0].codec_context.codec_tag in ("hvc1", "hev1")
    head = OUT.read_bytes()
    assert head.find(b"moov") < head.find(b"mdat"), "the index stands in front"
    assert done.json["video"]["codec"] == {"libsvtav1": "av1", "libx265": "hevc"}.get(
        codec, {"libvpx-vp9": "vp9"}.get(codec, "h264")
    )


def test_a_copy_that_would_not_be_the_same_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("loud.mp4").write_bytes(film(sound="aac"))
    before = remux._tracks
    answers = iter([before(Path("loud.mp4"), sound=False), {}])
    monkeypatch.setattr(remux, "_tracks", lambda path, sound: next(answers))
    monkeypatch.setattr(remux, "_pictures", str)
    with pytest.raises(OutputError, match="would not have the same"):
        remux.without_audio(Path("loud.mp4"), Path("silent.mp4"))


# --- other formats --------------------------------------------------------------------------------


def trailing() -> bytes:
    return film() + b"\nThank you for using us"


def quicktime_without_type() -> bytes:
    data = film("mov")
    return data[:4] + b"wide" + data[8:]  # as QuickTime wrote files before they had types


def gif() -> bytes:
    out = io.BytesIO()
    pictures = [scene(WIDE).point(lambda level, n=n: max(0, level - n)) for n in range(16)]
    pictures[0].save(out, "GIF", save_all=True, append_images=pictures[1:], duration=125)
    return out.getvalue()


def webp() -> bytes:
    out = io.BytesIO()
    pictures = [scene(WIDE).point(lambda level, n=n: max(0, level - n)) for n in range(16)]
    pictures[0].save(out, "WEBP", save_all=True, append_images=pictures[1:], duration=125)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "kept", "said"),
    [
        pytest.param(trailing, None, None, id="MP4 with bytes behind it"),
        pytest.param(quicktime_without_type, None, None, id="MOV without a type"),
        pytest.param(lambda: film("mpegts"), "v.response.bin", "copied", id="TS"),
        pytest.param(lambda: film("avi", "mpeg4"), "v.response.bin", "copied", id="AVI"),
        pytest.param(gif, "v.response.gif", "encoded", id="GIF"),
        pytest.param(webp, "v.response.webp", "encoded", id="WebP"),
    ],
)
def test_a_paid_clip_that_is_not_quite_an_mp4_is_delivered(
    gateway: Gateway, data: Any, kept: str | None, said: str | None
) -> None:
    came = data()
    done = made(gateway, came)
    assert done.code == 0, done.err
    video = done.json["video"]
    assert (video["width"], video["height"]) == WIDE
    assert video["duration_s"] == pytest.approx(2, abs=0.1)
    assert done.json["anchor_fidelity"] > 0.9
    assert done.json["filmstrip"]
    if kept:
        assert Path(kept).read_bytes() == came
        assert any(f"are {said} from it" in one for one in done.json["warnings"])
    assert made(gateway, b"gone").json["reused"]


def test_what_does_not_decode_is_kept_and_said_until_the_clip_comes(gateway: Gateway) -> None:
    lost = made(gateway, b"\x01\x02 nothing that plays" * 100)
    assert (lost.code, "kept as v.response.bin" in lost.err) == (9, True), lost.err
    assert Path("v.response.bin").is_file()
    assert made(gateway, film()).code == 0
    assert not Path("v.response.bin").exists()
    assert gateway.billed["create"] == 1


def test_a_clip_cut_short_is_not_delivered_as_if_it_were_whole(gateway: Gateway) -> None:
    whole = film()
    lost = made(gateway, whole[: len(whole) * 2 // 3])
    assert lost.code == 9, lost.err
    assert not OUT.exists()


# --- as players show it ---------------------------------------------------------------------------


def with_matrix(data: bytes, quarter: int) -> bytes:
    """The same clip, turned by the container so many quarters clockwise."""
    one = 1 << 16
    a, b = {1: (0, one), 2: (-one, 0), 3: (0, -one)}[quarter]
    matrix = struct.pack(">9i", a, b, 0, -b, a, 0, 0, 0, 1 << 30)
    at = data.index(b"tkhd") + 4 + 40
    return data[:at] + matrix + data[at + 36 :]


@pytest.mark.parametrize("quarter", [1, 2, 3])
@pytest.mark.parametrize("silent", [False, True])
def test_a_turned_clip_is_measured_and_shown_upright(
    gateway: Gateway, quarter: int, silent: bool
) -> None:
    data = with_matrix(film(sound="aac" if silent else None), quarter)
    turn = {1: "ROTATE_270", 2: "ROTATE_180", 3: "ROTATE_90"}[quarter]
    upright = scene(WIDE).transpose(Image.Transpose[turn])
    upright.resize((upright.width * 2, upright.height * 2)).save("mine.png")
    gateway.always("file", Reply(body=data))
    ratio = "9:16" if quarter % 2 else "16:9"
    words = ["--anchor=mine.png", "--prompt=x", "--output=v.mp4", "--json"]
    words += [f"--aspect-ratio={ratio}", *(["--no-audio"] if silent else [])]
    done = run("generate_video_from_anchor", *words, gateway=gateway)
    assert done.code == 0, done.err
    assert (done.json["video"]["width"], done.json["video"]["height"]) == upright.size
    assert done.json["anchor_fidelity"] >= 0.98
    assert not any("is not" in one and "px" in one for one in done.json["warnings"])
    (_, shown), *_ = frames.frames_at(OUT, [0.0], upright.size)
    corner = shown.getpixel((10, 10))
    expected = upright.getpixel((10, 10))
    assert all(abs(one - other) < 16 for one, other in zip(corner, expected, strict=True))  # type: ignore[arg-type]


def test_wide_pixels_are_measured_and_shown_wide() -> None:
    path = Path("sar.mp4")
    path.write_bytes(film(size=(480, 360), options={"x264-params": "sar=4/3"}))
    measured = clips.measure_video(path)
    assert measured and (measured["width"], measured["height"]) == WIDE


@pytest.mark.parametrize(
    ("transfer", "signal"), [(display.PQ, (0.581, 0.581, 0.581)), (display.HLG, (0.75, 0.75, 0.75))]
)
def test_white_of_hdr_is_nearly_white_on_a_screen(
    transfer: int, signal: tuple[float, float, float]
) -> None:
    """Diffuse white of 203 cd/m2 (ITU-R BT.2408); read as it is, it would be grey."""
    level = tuple(round(one * 255) for one in signal)
    flat = Image.new("RGB", (8, 8), (level[0], level[1], level[2]))
    shown = display.as_srgb(flat, transfer).getpixel((4, 4))
    assert isinstance(shown, tuple)
    assert min(shown) > 238
    assert max(shown) - min(shown) <= 2
    dark = display.as_srgb(Image.new("RGB", (8, 8)), transfer)
    assert dark.getpixel((4, 4)) == (0, 0, 0)


def test_an_untagged_clip_of_hd_is_read_as_bt_709() -> None:
    out = io.BytesIO()
    red = Image.new("RGB", (1280, 720), (200, 40, 40))
    with av.open(out, "w", format="mp4") as target:
        stream: Any = target.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 1280, 720, "yuv420p"
        frame: Any = av.VideoFrame.from_image(red)  # type: ignore[no-untyped-call]
        frame = frame.reformat(format="yuv420p", dst_colorspace=1)
        for _ in range(2):
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    Path("hd.mp4").write_bytes(out.getvalue())
    ((_, shown),) = frames.frames_at(Path("hd.mp4"), [0.0], (64, 36))
    pixel = shown.getpixel((30, 20))
    assert isinstance(pixel, tuple)
    assert all(abs(one - other) <= 4 for one, other in zip(pixel, (200, 40, 40), strict=True))


def test_a_cover_picture_is_not_the_clip() -> None:
    cover = io.BytesIO()
    scene((300, 300)).save(cover, "PNG")
    out = io.BytesIO()
    with av.open(io.BytesIO(film(sound="aac"))) as source, av.open(out, "w", format="mp4") as to:
        picture: Any = to.add_stream("png", rate=1)
        picture.width, picture.height, picture.pix_fmt = 300, 300, "rgb24"
        picture.disposition = av.stream.Disposition.attached_pic
        streams = {
            one.index: to.add_stream_from_template(one, opaque=True) for one in source.streams
        }
        packet = av.Packet(cover.getvalue())
        packet.stream, packet.pts, packet.dts = picture, 0, 0
        to.mux(packet)
        for one in source.demux():
            if one.size:
                one.stream = streams[one.stream.index]
                to.mux(one)
    Path("cover.mp4").write_bytes(out.getvalue())
    measured = clips.measure_video(Path("cover.mp4"))
    assert measured and (measured["width"], measured["codec"]) == (WIDE[0], "h264")


def test_a_webm_without_a_length_is_measured_by_its_frames() -> None:
    data = film("webm", "libvpx-vp9", options={"deadline": "realtime"})
    at = data.find(b"\x44\x89\x88")  # Duration, 8 bytes
    assert at > 0
    Path("live.webm").write_bytes(data[:at] + b"\xec\x89" + bytes(9) + data[at + 11 :])
    measured = clips.measure_video(Path("live.webm"))
    assert measured and measured["duration_s"] == pytest.approx(2, abs=0.01)
    assert len(frames.moments(Path("live.webm")).times) == frames.FRAMES
    assert json.dumps(measured)
