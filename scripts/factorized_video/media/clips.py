"""Clips: judged by their container, measured, decoded, and freed of their sound."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ..errors import OutputError
from .file_types import have_media_extra, looks_like, video_kind

if TYPE_CHECKING:
    from av.container import InputContainer


def check_video(path: Path) -> str:
    """The kind of a downloaded file, by its container. Raises OutputError.

    For MP4 and MOV the boxes are walked, without any library: that finds a file that is cut short
    or has no index.
    """
    with path.open("rb") as file:
        head = file.read(64)
        kind = video_kind(head)
        if kind is None:
            raise OutputError(f"The file is not a video ({looks_like(head)}).")
        if kind == "webm":
            return kind
        size, names, offset = path.stat().st_size, set(), 0
        while offset + 8 <= size:
            file.seek(offset)
            length, name = struct.unpack(">I4s", file.read(8))
            if length == 1:
                length = int.from_bytes(file.read(8), "big")
            elif length == 0:  # to the end of the file
                length = size - offset
            if length < 8 or offset + length > size:
                raise OutputError("The file is a video that was cut short.")
            names.add(name)
            offset += length
    if not {b"moov", b"mdat"} <= names:
        raise OutputError("The file is a video without its index: it cannot be played.")
    return kind


def measure_video(path: Path) -> dict[str, Any] | None:
    """duration_s, width, height, fps, codec, audio of a clip.

    None without the media extra, or for an unknown codec. Raises OutputError without a readable
    video stream.
    """
    if not have_media_extra():
        return None
    with _opened(path) as container:
        return _measured(container)


def examine(path: Path, size: tuple[int, int]) -> tuple[dict[str, Any] | None, bytes | None]:
    """What `measure_video` returns, and the first frame's RGB bytes, squeezed into `size`.

    No frame if none can be decoded. One decoder thread: others would decode frames in vain.
    """
    if not have_media_extra():
        return None, None
    import av

    with _opened(path) as container:
        measured = _measured(container)
        if measured is None:
            return None, None
        stream = _video_stream(container)
        stream.codec_context.thread_count = 1
        try:
            frame = next(iter(container.decode(stream)), None)
            return measured, frame and _squeezed(frame, size)
        except (av.FFmpegError, ValueError):
            return measured, None


def _measured(container: InputContainer) -> dict[str, Any] | None:
    """None for an unknown codec, or unknown size: such a clip may play elsewhere."""
    stream = _video_stream(container)
    context = stream.codec_context
    if context is None or not (context.width and context.height):
        return None
    rate = stream.average_rate
    if stream.duration and stream.time_base:
        duration = float(stream.duration * stream.time_base)
    else:
        duration = (container.duration or 0) / 1_000_000
    return {
        "duration_s": round(duration, 3),
        "width": context.width,
        "height": context.height,
        "fps": round(float(rate), 3) if rate else None,
        "codec": context.name,
        "audio": any(s.type == "audio" for s in container.streams),
    }


def _squeezed(frame: Any, size: tuple[int, int]) -> bytes:
    plane = frame.reformat(*size, format="rgb24", interpolation="AREA").planes[0]
    rows, step = bytes(plane), plane.line_size
    return b"".join(rows[step * y : step * y + size[0] * 3] for y in range(size[1]))


def decoded(path: Path) -> Iterator[tuple[float, Any]]:
    """All frames in order, each with its time in seconds from the first. Raises OutputError."""
    with _opened(path) as container:
        stream = _video_stream(container)
        stream.thread_type = "AUTO"
        start: float | None = None
        for frame in container.decode(stream):
            when = float(frame.time or 0)
            start = when if start is None else start
            yield when - start, frame


def without_audio(path: Path, file: IO[bytes]) -> None:
    """Write the clip without its sound, its frames unchanged. Raises OutputError."""
    import av

    with _opened(path) as source, av.open(file, "w", format="mp4") as target:
        stream = _video_stream(source)
        copy = target.add_stream_from_template(stream)
        for packet in source.demux(stream):
            if packet.dts is not None:  # the last one is empty and only flushes
                packet.stream = copy
                target.mux(packet)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[InputContainer]:
    """PyAV's container; whatever it raises on hostile bytes becomes one error."""
    import av

    try:
        with av.open(str(path)) as container:
            yield container
    except (av.FFmpegError, ValueError, IndexError) as error:
        raise OutputError(f"The file cannot be read as a video ({error}).") from None


def _video_stream(container: InputContainer) -> Any:
    stream = next((s for s in container.streams if s.type == "video"), None)
    if stream is None:
        raise OutputError("The file has no video stream.")
    return stream
