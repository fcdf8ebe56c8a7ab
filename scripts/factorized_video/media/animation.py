"""An animated GIF or WebP as a clip: a gateway may send one where a video was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import OutputError

if TYPE_CHECKING:
    from PIL import Image

KINDS = ("GIF", "WEBP")
_MOST_PIXELS, _MOST_FRAMES = 8_192 * 6_144, 20_000
_MS = Fraction(1, 1000)
_BT709 = 1  # of ITU-T H.273
_SHORTEST_MS = 20  # players show shorter ones at their own pace


def as_mp4(source: Path, target: Path) -> None:
    """Encode it as H.264, each frame for its own time. Raises OutputError for a still one."""
    import av
    from av.video.reformatter import Colorspace

    frames = _frames(source)
    try:
        first, lasts = next(frames)
        size = first.width // 2 * 2, first.height // 2 * 2  # what the encoder can do
        with av.open(str(target), "w", format="mp4", options={"movflags": "faststart"}) as clip:
            stream = clip.add_stream("h264", rate=24, options={"crf": "16"})
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            context = stream.codec_context
            context.time_base = _MS
            context.color_primaries = context.color_trc = context.colorspace = _BT709
            at = count = 0
            lasting: dict[int, int] = {}  # by the time that a frame begins at
            image: Image.Image | None = first
            while image:
                frame = av.VideoFrame.from_image(image.crop((0, 0, *size)))  # type: ignore[no-untyped-call]
                frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
                frame.pts, frame.time_base, lasting[at] = at, _MS, lasts
                _mux(clip, stream.encode(frame), lasting)
                at, count = at + lasts, count + 1
                image, lasts = next(frames, (None, 0))
            _mux(clip, stream.encode(None), lasting)
    except (av.FFmpegError, ValueError, StopIteration) as error:
        raise OutputError(f"It could not be made a clip ({error}).") from None
    if count < 2:
        raise OutputError("It is a picture that does not move.")


def _mux(clip: Any, packets: list[Any], lasting: dict[int, int]) -> None:
    """Write packets, each with its length: an encoder knows only when the next one begins."""
    for packet in packets:
        packet.duration = lasting[round(packet.pts * packet.time_base / _MS)]
        clip.mux(packet)


def _frames(source: Path) -> Iterator[tuple[Image.Image, int]]:
    """Each frame on white, and for how many milliseconds it is shown."""
    from PIL import Image, ImageSequence

    try:
        with Image.open(source) as picture:
            pixels, number = picture.width * picture.height, getattr(picture, "n_frames", 1)
            if pixels > _MOST_PIXELS or number > _MOST_FRAMES:
                raise OutputError("It is too large to be made a clip.")
            for frame in ImageSequence.Iterator(picture):
                shown = frame.convert("RGBA")
                ground = Image.new("RGB", shown.size, "white")
                ground.paste(shown, mask=shown)
                yield ground, max(_SHORTEST_MS, int(picture.info.get("duration") or 100))
    except OutputError:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise anything on broken files
        raise OutputError(f"It is damaged ({str(error)[:120]}).") from None
