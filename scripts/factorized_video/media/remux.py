"""A clip in another container, its pictures unchanged: without sound, or as an MP4.

Every packet is copied as it is, and compared before the copy is used.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import OutputError
from .clips import decoded, opened, video_stream

if TYPE_CHECKING:
    from av.container import InputContainer


class _Track(NamedTuple):
    """What the packets of a stream are: when they are decoded, and the hash of their bytes."""

    decoded_at: list[int]
    md5: str


def without_audio(source: Path, target: Path) -> None:
    """Write an MP4 with the pictures of a clip and nothing else. Raises OutputError."""
    _copy(source, target, sound=False)


def as_mp4(source: Path, target: Path) -> None:
    """Write an MP4 with the pictures and the sound of a clip. Raises OutputError."""
    _copy(source, target, sound=True)


def _copy(source: Path, target: Path, *, sound: bool) -> None:
    import av

    wanted = _tracks(source, sound=sound)
    with (
        opened(source) as container,
        av.open(str(target), "w", format="mp4", options={"movflags": "faststart"}) as copy,
    ):
        streams = {stream.index: _added(copy, stream) for stream in _chosen(container, sound)}
        at = dict.fromkeys(streams, 0)
        for packet in container.demux(*_chosen(container, sound)):
            index = packet.stream.index
            if not packet.size:  # the last one only flushes
                continue
            packet.dts = wanted[index].decoded_at[at[index]]
            at[index] += 1
            packet.stream = streams[index]
            copy.mux(packet)
    copied = [track.md5 for track in _tracks(target, sound=sound).values()]
    # A transport stream marks its packets in another way: then what they decode to is compared.
    if copied != [track.md5 for track in wanted.values()] and _pictures(source) != _pictures(
        target
    ):
        raise OutputError("A copy of the clip would not have the same pictures.")


def _chosen(container: InputContainer, sound: bool) -> list[Any]:
    """The pictures first, then the sound."""
    audio = [stream for stream in container.streams if stream.type == "audio"]
    return [video_stream(container), *(audio[:1] if sound else [])]


def _added(copy: Any, stream: Any) -> Any:
    """A stream like this one, without a decoder or an encoder for it."""
    added = copy.add_stream_from_template(stream, opaque=True)
    context = stream.codec_context
    # Apple's players refuse the tag that FFmpeg chooses where a source has none.
    if context.codec.canonical_name == "hevc" and context.codec_tag not in ("hvc1", "hev1"):
        added.codec_context.codec_tag = "hvc1"
    return added


def _tracks(path: Path, *, sound: bool) -> dict[int, _Track]:
    """By index, what there is to copy. Raises OutputError for packets that say no time."""
    found = {}
    with opened(path) as container:
        for stream in _chosen(container, sound):
            total, shown, due = hashlib.md5(usedforsecurity=False), [], []
            container.seek(0)
            for packet in container.demux(stream):
                if packet.size:
                    total.update(bytes(packet))
                    shown.append(packet.pts)
                    due.append(packet.dts)
            found[stream.index] = _Track(_decoding_times(shown, due), total.hexdigest())
    return found


def _decoding_times(shown: list[int | None], due: list[int | None]) -> list[int]:
    """When each packet is decoded. Matroska does not say it where pictures are reordered."""
    if None not in due:
        return [time for time in due if time is not None]
    known = [time for time in shown if time is not None]
    if len(known) != len(shown):
        raise OutputError("The clip does not say when its pictures are shown.")
    in_order = sorted(known)
    early = max((late - time for late, time in zip(in_order, known, strict=True)), default=0)
    return [time - early for time in in_order]


def _pictures(path: Path) -> str:
    """MD5 of all frames, decoded."""
    total = hashlib.md5(usedforsecurity=False)
    for _, frame in decoded(path):
        for plane in frame.planes:
            total.update(bytes(plane))
    return total.hexdigest()
