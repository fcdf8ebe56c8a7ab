"""The clip, which the demo gateway answers a video request with: a push-in on its first frame.

With a last frame it goes back as far, and fades into that one.

On a demo card only the picture moves, and the words stand still; any other frame moves as a whole
and is stamped DEMO.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from .card import AMBER, DARK, STAMP, draw_stamp
from .circles import read_circles
from .decoding import decoded
from .geometry import MARGIN, Size, layout_of

if TYPE_CHECKING:
    from PIL import Image

FPS = 24
ZOOM = 1.2
FADE = 10  # frames until the stamp is fully there; the first frame has none of it
BT709, LIMITED = 1, 1  # as ITU-T H.273 numbers the colours and FFmpeg the range


def animate(anchor: bytes, size: Size, duration_s: float, last: bytes | None = None) -> bytes:
    """Return an MP4 clip (H.264, yuv420p, BT.709, no audio) that begins with any image.

    It ends with `last`, if there is one. The images are cropped evenly. Raises ValueError for
    bytes that are no image, and for a PyAV without an H.264 encoder.
    """
    import av
    from av.video.reformatter import Colorspace
    from PIL import Image, ImageOps

    count = max(1, round(duration_s * FPS))
    frame = ImageOps.fit(decoded(anchor), size, Image.Resampling.LANCZOS)
    end = ImageOps.fit(decoded(last), size, Image.Resampling.LANCZOS) if last else None
    out = io.BytesIO()
    # The index (moov) is written first, into room kept for it, so that a browser can start at
    # once; '+faststart' would need a file to read back. It takes less than 32 bytes a frame.
    room = {"moov_size": str(8192 + 32 * count)}
    quality = {"preset": "veryfast", "crf": "18", "profile": "high"}
    with av.open(out, "w", format="mp4", options=room) as clip:
        stream = clip.add_stream("h264", rate=FPS, options=quality)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.thread_count = 2  # fixed: the clip must not depend on the number of cores
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED
        for index, image in enumerate(_frames(frame, count, end)):
            # Made with the matrix that the tags name. The range stays unsaid: limited is the
            # default, and PyAV 12 takes ColorRange.MPEG for full.
            picture = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
            picture = picture.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)
            picture.pts, picture.time_base = index, Fraction(1, FPS)
            clip.mux(stream.encode(picture))
        clip.mux(stream.encode(None))
    return out.getvalue()


def _frames(
    first: Image.Image, count: int, end: Image.Image | None = None
) -> Iterator[Image.Image]:
    """Yield the frames one by one: a push-in of ZOOM that starts and ends at rest.

    With `end` it comes back, and that picture fades in over the last third.
    """
    from PIL import Image, ImageDraw

    layout, is_card = layout_of(first.size), read_circles(first) is not None
    area = layout.picture if is_card else (0, 0, *first.size)
    view, inset = first.crop(area), MARGIN / 2 * layout.unit
    corner = (inset, first.height - inset - STAMP[1] * layout.unit)
    width, height = view.size
    for index in range(count):
        done = index / max(1, count - 1)
        zoom = 1 + (ZOOM - 1) * (1 - math.cos(math.pi * done * (2 if end else 1))) / 2
        dx, dy = width * (1 - 1 / zoom) / 2, height * (1 - 1 / zoom) / 2
        box = (dx, dy, width - dx, height - dy)  # fractions of pixels: the motion cannot jitter
        frame = first.copy()
        frame.paste(view.resize(view.size, Image.Resampling.BICUBIC, box), area[:2])
        if not is_card:
            stamped = frame.copy()
            draw_stamp(ImageDraw.Draw(stamped), corner, layout.unit, DARK, AMBER)
            left = (count - 1 - index if end else FADE) / FADE
            frame = Image.blend(frame, stamped, min(1.0, index / FADE, left))
        yield Image.blend(frame, end, max(0.0, 3 * done - 2)) if end else frame
