"""The clip, which the demo gateway answers a video request with: a push-in on its first frame."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from .decoding import decoded
from .lettering import capitals_width, write_capitals
from .sizes import BAR, ZOOM, Size

if TYPE_CHECKING:
    from av import VideoFrame
    from PIL import Image

BT709, LIMITED = 1, 1  # as ITU-T H.273 numbers the colours and FFmpeg the range
ENCODERS = ("libx264", "libopenh264", "h264")
AMBER = "#f0a35e"  # the growing part of the time bar: seen on light and on dark
FADE_S = 0.4  # seconds until tag and time bar are fully there; the first frame has none of them


def conform(data: bytes, size: Size) -> Image.Image:
    """Return any image as `size` pixels of RGB: upright, on white, centred and cropped to cover.

    Raises ValueError for bytes that are not an image.
    """
    from PIL import Image, ImageOps

    try:
        image = decoded(data, large=(2 * max(size), 2 * max(size)))
    except ValueError as error:
        raise ValueError(f"the anchor is {error}") from error
    return ImageOps.fit(image, size, Image.Resampling.LANCZOS)


def _bar(size: Size, full: bool) -> Image.Image:
    """Return the strip for the clip's lower edge (RGBA): the DEMO tag, and the time bar."""
    from PIL import Image, ImageDraw

    factor = 4  # small round shapes: draw large, then reduce
    unit = factor * min(size) / 720
    width, high, edge = size[0] * factor, max(factor, round(BAR * unit)), 30 * unit
    middle, dark = high / 2, (12, 14, 16, 190)
    strip = Image.new("RGBA", (width, high), (*dark[:3], 0))
    draw = ImageDraw.Draw(strip)
    tag = edge + capitals_width("DEMO", 12 * unit) + 18 * unit
    draw.rounded_rectangle((edge, middle - 10 * unit, tag, middle + 10 * unit), 4 * unit, dark)
    write_capitals(draw, (edge + 9 * unit, middle + 4.4 * unit), "DEMO", 12 * unit, "#ffffff")
    line = (tag + 12 * unit, middle - 2.5 * unit, width - edge, middle + 2.5 * unit)
    draw.rounded_rectangle(line, 2.5 * unit, AMBER if full else dark)
    return strip.resize((size[0], high // factor), Image.Resampling.LANCZOS)


def _frames(card: Image.Image, count: int, fps: int) -> Iterator[Image.Image]:
    """Yield the frames one by one: a push-in of ZOOM that starts and ends at rest."""
    from PIL import Image

    width, height = card.size
    empty, full = _bar(card.size, full=False), _bar(card.size, full=True)
    for index in range(count):
        time = index / max(1, count - 1)
        zoom = 1 + (ZOOM - 1) * (1 - math.cos(math.pi * time)) / 2
        dx, dy = width * (1 - 1 / zoom) / 2, height * (1 - 1 / zoom) / 2
        box = (dx, dy, width - dx, height - dy)  # fractions of pixels: the motion cannot jitter
        frame = card.resize(card.size, Image.Resampling.BICUBIC, box=box)
        strip = empty.copy()
        strip.paste(full.crop((0, 0, round(width * time), full.height)))
        shown = min(1.0, index / (FADE_S * fps))
        strip.putalpha(strip.getchannel("A").point([int(shown * alpha) for alpha in range(256)]))
        frame.paste(strip, (0, height - strip.height), strip)
        yield frame


def _converted(image: Image.Image) -> VideoFrame:
    """Return an RGB image as a YUV 4:2:0 frame, made with the matrix that its tags name.

    The range stays unsaid: limited is the default, and PyAV 12 takes ColorRange.MPEG for full.
    """
    from av import VideoFrame
    from av.video.reformatter import Colorspace

    frame: VideoFrame = VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
    return frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)


def _encoder() -> str:
    from av import codecs_available

    for name in ENCODERS:
        if name in codecs_available:
            return name
    raise RuntimeError("this PyAV has no H.264 encoder, and the demo needs one to make a clip")


def animate(
    anchor: bytes,
    size: Size,
    duration_s: float,
    fps: int = 24,
    progress: Callable[[float], None] | None = None,
) -> bytes:
    """Return an MP4 clip (H.264, yuv420p, BT.709, no audio) whose first frame is the anchor.

    It has round(duration_s * fps) frames; `progress` is told the share done after each, 0..1.
    Raises ValueError for an unreadable anchor and for sizes and lengths that make no clip.
    """
    import av

    if min(size) < 16 or size[0] % 2 or size[1] % 2:
        raise ValueError(f"size {size}: expected even numbers of pixels, 16 or more")
    count = round(duration_s * fps) if 0 < duration_s <= 600 and 0 < fps <= 120 else 0
    if count < 1:
        raise ValueError(f"{duration_s} s at {fps} frames a second is no clip")
    card = conform(anchor, size)
    out = io.BytesIO()
    # The index (moov) is written first, into room kept for it, so that a browser can start at
    # once; '+faststart' would need a file to read back. It takes less than 32 bytes a frame.
    room = {"moov_size": str(8192 + 32 * count)}
    quality = {"preset": "veryfast", "crf": "18", "profile": "high"}
    with av.open(out, "w", format="mp4", options=room) as clip:
        stream = clip.add_stream(_encoder(), rate=fps, options=quality)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.thread_count = 2  # fixed: the clip must not depend on the number of cores
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED
        for index, image in enumerate(_frames(card, count, fps)):
            frame = _converted(image)
            frame.pts, frame.time_base = index, Fraction(1, fps)
            clip.mux(stream.encode(frame))
            if progress:
                progress((index + 1) / count)
        clip.mux(stream.encode(None))
    return out.getvalue()
