"""Clips: judged by their container, measured, decoded, and freed of their sound."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..aspect_ratios import Size
from ..errors import OutputError
from . import display
from .file_types import HEAD, have_media_extra, looks_like, video_kind

if TYPE_CHECKING:
    from av.container import InputContainer
    from PIL import Image

    SkipTo = Callable[[float], float | None]


_SQUEEZED_FROM = 320  # pixels of the longer side: enough, and small
# Boxes that a clip consists of: one of these that is not whole is one of a clip cut short.
_PARTS = {b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"sidx", b"styp", b"free", b"wide", b"skip"}


def check_video(path: Path) -> str:
    """The kind of a downloaded file, by its container. Raises OutputError.

    For MP4 and MOV the boxes are walked, without any library: that finds a file that is cut short
    or has no index. What lies behind the last box is passed over, as players do.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
        kind = video_kind(head)
        if kind is None:
            raise OutputError(f"The file is not a video ({looks_like(head)}).")
        if kind == "webm":
            return kind
        size, offset = path.stat().st_size, 0
        names: set[bytes] = set()
        while offset + 8 <= size:
            file.seek(offset)
            length, name = struct.unpack(">I4s", file.read(8))
            if length == 1:
                length = int.from_bytes(file.read(8), "big")
            elif length == 0:  # to the end of the file
                length = size - offset
            if length < 8 or offset + length > size:
                if name not in _PARTS and {b"moov", b"mdat"} <= names:
                    return kind
                raise OutputError("The file is a video that was cut short.")
            names.add(name)
            offset += length
    if not {b"moov", b"mdat"} <= names:
        raise OutputError("The file is a video without its index: it cannot be played.")
    return kind


def measure_video(path: Path) -> dict[str, Any] | None:
    """duration_s, width, height, fps, codec, audio of a clip; its size is that on a screen.

    None without the media extra, or for an unknown codec. Raises OutputError without a readable
    video stream.
    """
    return examine(path, (2, 2))[0]


def examine(path: Path, size: Size) -> tuple[dict[str, Any] | None, bytes | None]:
    """What `measure_video` returns, and the first frame's RGB bytes, squeezed into `size`.

    No frame if none can be decoded. One decoder thread: others would decode frames in vain.
    """
    if not have_media_extra():
        return None, None
    import av

    with opened(path) as container:
        stream = video_stream(container)
        context = stream.codec_context
        if context is None or not (context.width and context.height):
            return None, None  # such a clip may play elsewhere
        context.thread_count = 1
        measured = _measured(container, stream)
        try:
            frame = next(iter(container.decode(stream)), None)
        except (av.FFmpegError, ValueError):
            frame = None
        rotation = display.rotation_of(frame)
        coded = (context.width, context.height)
        shown = display.size_of(coded, stream.sample_aspect_ratio, rotation)
        first = frame and _squeezed(frame, shown, size)
    duration_s = measured["duration_s"] or round(timeline(path).duration_s, 3)
    width, height = shown
    return {**measured, "duration_s": duration_s, "width": width, "height": height}, first


def _squeezed(frame: Any, shown: Size, size: Size) -> bytes:
    """As `similarity.squeezed` does it, from a picture that is not much larger than needed."""
    from PIL import Image

    scale = min(1.0, _SQUEEZED_FROM / max(shown))
    medium = tuple(max(1, round(side * scale)) for side in shown)
    picture = display.shown(frame, (medium[0], medium[1]))
    return picture.resize(size, Image.Resampling.BOX).tobytes()


def _measured(container: InputContainer, stream: Any) -> dict[str, Any]:
    """What the container says of the stream; no `duration_s` where it says only its own."""
    rate, duration = stream.average_rate, 0.0
    if stream.duration and stream.time_base:
        duration = float(stream.duration * stream.time_base)
    return {
        "duration_s": round(duration, 3),
        "width": 0,
        "height": 0,
        "fps": round(float(rate), 3) if rate else None,
        # The format, whichever decoder reads it.
        "codec": stream.codec_context.codec.canonical_name,
        "audio": any(one.type == "audio" for one in container.streams),
    }


class Timeline(NamedTuple):
    """How long a clip is, in seconds, and how many frames it has: by its packets."""

    duration_s: float
    frames: int


def timeline(path: Path) -> Timeline:
    """By the packets, whatever the container says: from the first frame to the end of the last."""
    with opened(path) as container:
        stream = video_stream(container)
        shown = [
            (packet.pts, packet.duration or 0)
            for packet in container.demux(stream)
            if packet.size and packet.pts is not None
        ]
        if not shown or not stream.time_base:
            return Timeline(0.0, len(shown))
        first, (last, lasts) = min(shown)[0], max(shown)
        if not lasts and stream.average_rate:
            lasts = round(1 / stream.average_rate / stream.time_base)
        return Timeline(float((last + lasts - first) * stream.time_base), len(shown))


def decoded(path: Path, skip_to: SkipTo = lambda when: None) -> Iterator[tuple[float, Any]]:
    """All frames in order, each with its time in seconds from the first. Raises OutputError.

    After each, `skip_to(when)` may name a later time: what comes before the last key frame that is
    not after it is then passed over, where the container says where its key frames are.
    """
    with opened(path) as container:
        stream = video_stream(container)
        stream.thread_type = "AUTO"
        keys = _key_frames(stream)
        sought: set[float] = set()  # a container may lead to an earlier one than it names
        start: float | None = None
        frames = container.decode(stream)
        while (frame := next(frames, None)) is not None:
            when = float(frame.time or 0)
            start = when if start is None else start
            yield when - start, frame
            target = skip_to(when - start)
            if target is None:
                continue
            ahead = [key for key in keys if when < key <= target + start and key not in sought]
            if ahead:
                sought.add(ahead[-1])
                container.seek(round(ahead[-1] / stream.time_base), stream=stream)
                frames = container.decode(stream)


def last_frame(path: Path) -> Image.Image:
    """The last frame, in the size that it has on a screen. Raises OutputError if there is none."""
    measured = measure_video(path)
    end_s = timeline(path).duration_s
    held = None
    for _, frame in decoded(path, lambda when: end_s):
        held = frame
    if measured is None or held is None:
        raise OutputError(f"The last frame of {path} cannot be decoded.")
    return display.shown(held, (measured["width"], measured["height"]))


def _key_frames(stream: Any) -> list[float]:
    """When the key frames are, in seconds; none where the container does not say."""
    entries = getattr(stream, "index_entries", None) or ()
    return [float(one.timestamp * stream.time_base) for one in entries if one.is_keyframe]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """PyAV's container; whatever it raises on hostile bytes becomes one error."""
    import av

    try:
        with av.open(str(path)) as container:
            yield container
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise OutputError(f"The file cannot be read as a video ({error}).") from None


def video_stream(container: InputContainer) -> Any:
    """The stream that players show: never a cover picture, and of several the default one."""
    from av.stream import Disposition

    found = [
        stream
        for stream in container.streams
        if stream.type == "video" and not stream.disposition & Disposition.attached_pic
    ]
    if not found:
        raise OutputError("The file has no video stream.")
    return next((one for one in found if one.disposition & Disposition.default), found[0])
