"""Clips joined into one film: one size, one frame rate, one soundtrack. Costs nothing.

Every clip is decoded once and encoded once, frame by frame. What a clip shows at a moment is taken
by its time, so that clips of any rate keep their speed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import files
from ..aspect_ratios import Size
from ..errors import OutputError, UsageError
from . import display
from .clips import check_video, decoded, measure_video, opened, timeline
from .film_sound import RATE, Stretch, soundtrack

if TYPE_CHECKING:
    from array import array

    from av.container import OutputContainer

FADE_S = 0.5  # of a crossfade
_MARK = "joined by factorized-video-gen"  # in a film's metadata: it may be joined again
_LARGEST_SIDE = 8_192  # pixels
_FASTEST = 60  # frames a second
_LARGEST_RATE_PART = 1_001  # of a rate as a fraction: 30000/1001
_ROUNDED_S = 0.002  # a container's clock may count milliseconds
_PACKET = 1_024  # samples of a packet of AAC
# In BT.709, limited range: numbers of ITU-T H.273, as FFmpeg's.
_BT709, _LIMITED, _FULL = 1, 1, 2


class Part(NamedTuple):
    """One clip of a film, and for how many seconds it fades in over the one before; 0 is a cut."""

    path: Path
    fade_s: float = 0.0


class Film(NamedTuple):
    """What was made. `seams` are where each part after the first begins, in seconds."""

    duration_s: float
    width: int
    height: int
    fps: float
    audio: bool
    seams: tuple[float, ...]

    def as_json(self) -> dict[str, object]:
        """The `film` of a result."""
        return {**self._asdict(), "seams": list(self.seams)}


class _Clip(NamedTuple):
    """A part as it is laid out: so many frames, of which the first `fade` lie over the last ones of
    the part before."""

    path: Path
    shown: Size  # on a screen
    frames: int
    fade: int
    starts: int  # the film's frame at which it begins
    sound: bool


class Layout(NamedTuple):
    """The film before it is made."""

    clips: tuple[_Clip, ...]
    size: Size
    rate: Fraction

    @property
    def frames(self) -> int:
        """How many there are."""
        return self.clips[-1].starts + self.clips[-1].frames

    def film(self, *, music: bool) -> Film:
        """What will be made of it; `music`: whether some is laid under."""
        seconds, rate = round(float(self.frames / self.rate), 3), round(float(self.rate), 3)
        seams = tuple(round(float(clip.starts / self.rate), 3) for clip in self.clips[1:])
        sound = music or any(clip.sound for clip in self.clips)
        return Film(seconds, *self.size, rate, sound, seams)


def layout(parts: Sequence[Part]) -> Layout:
    """Look at all parts. Raises UsageError for one that cannot be joined; nothing is decoded yet.

    The film has the size and the rate that most parts have; of several the largest.
    """
    measured = [_looked_at(part.path) for part in parts]
    sizes = Counter((one["width"], one["height"]) for one in measured)
    width, height = max(sizes, key=lambda size: (sizes[size], size[0] * size[1]))
    rates = Counter(_rate(one["fps"]) for one in measured)
    rate = max(rates, key=lambda one: (rates[one], one))
    clips: list[_Clip] = []
    for part, one in zip(parts, measured, strict=True):
        count = max(1, round(timeline(part.path).duration_s * rate))
        before = clips[-1] if clips else None
        room = min(count, before.frames) // 2 if before else 0
        fade = min(room, round(part.fade_s * rate))
        starts = before.starts + before.frames - fade if before else 0
        shown = one["width"], one["height"]
        clips.append(_Clip(part.path, shown, count, fade, starts, bool(one["audio"])))
    return Layout(tuple(clips), (max(2, width // 2 * 2), max(2, height // 2 * 2)), rate)


def _looked_at(path: Path) -> dict[str, Any]:
    """What `measure_video` says of a clip. Raises UsageError."""
    hint = "Give clips that play: MP4, MOV or WebM."
    try:
        if not path.is_file():
            raise UsageError(f"{path} is not there, or is no file.", hint)
        check_video(path)
        measured = measure_video(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", hint) from None
    except OutputError as error:
        raise UsageError(f"{path}: {error.message}", hint) from None
    if measured is None or not measured["fps"]:
        raise UsageError(f"{path}: nothing here can decode it.", hint)
    if max(measured["width"], measured["height"]) > _LARGEST_SIDE:
        raise UsageError(f"{path} is wider or taller than {_LARGEST_SIDE:,} px.", "Scale it down.")
    return measured


def _rate(fps: float) -> Fraction:
    return Fraction(min(fps, _FASTEST)).limit_denominator(_LARGEST_RATE_PART)


def is_film(path: Path) -> bool:
    """Whether a file is a film that was joined here."""
    try:
        with opened(path) as container:
            return container.metadata.get("comment") == _MARK
    except OutputError:
        return False


def join(
    plan: Layout,
    target: Path,
    music: Path | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Film:
    """Write the film, an MP4 of H.264 and AAC; whole or not at all. Raises OutputError.

    `progress` is called with the share that is made, 0 to 1. The music ends with the pictures.
    """
    import av

    stretches = [
        Stretch(
            clip.path if clip.sound else None,
            float(clip.starts / plan.rate),
            float(clip.frames / plan.rate),
            float(clip.fade / plan.rate),
        )
        for clip in plan.clips
    ]
    sound = soundtrack(stretches, music)
    with files.temporary_beside(target) as (file, temporary):
        try:
            with av.open(
                str(temporary), "w", format="mp4", options={"movflags": "faststart"}
            ) as film:
                film.metadata["comment"] = _MARK
                _write(film, plan, sound, progress)
        except (av.FFmpegError, ValueError) as error:
            raise OutputError(f"The film cannot be written ({error}).") from None
        files.put_in_place(file, temporary, target)
    return plan.film(music=music is not None)._replace(audio=sound is not None)


def _write(
    film: OutputContainer, plan: Layout, sound: array[int] | None, progress: Callable[[float], None]
) -> None:
    """Encode pictures and sound, each second of sound before its pictures."""
    pictures = film.add_stream("h264", rate=plan.rate, options={"preset": "veryfast", "crf": "18"})
    pictures.width, pictures.height = plan.size
    pictures.pix_fmt = "yuv420p"
    context = pictures.codec_context
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = _LIMITED
    heard = film.add_stream("aac", rate=RATE, layout="stereo") if sound is not None else None
    packets = _packets(sound) if sound is not None else iter(())
    encoded_s = 0.0
    for number, frame in enumerate(_frames(plan)):
        while heard is not None and encoded_s * plan.rate <= number:
            block = next(packets, None)
            if block is None:
                break
            encoded_s += block.samples / RATE
            film.mux(heard.encode(block))
        frame.pts, frame.time_base = number, 1 / plan.rate
        frame.pict_type = 0  # the encoder chooses: what it was in its clip does not count
        film.mux(pictures.encode(frame))
        if not number % 24:
            progress(number / plan.frames)
    film.mux(pictures.encode(None))
    if heard is not None:
        for block in packets:
            film.mux(heard.encode(block))
        film.mux(heard.encode(None))


def _packets(sound: array[int]) -> Iterator[Any]:
    """The soundtrack in frames that an encoder of AAC takes."""
    import av

    to_floats = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
    for start in range(0, len(sound), 2 * _PACKET):
        samples = sound[start : start + 2 * _PACKET]
        block = av.AudioFrame(format="s16", layout="stereo", samples=len(samples) // 2)
        data = samples.tobytes()
        block.planes[0].update(data.ljust(block.planes[0].buffer_size, b"\0"))
        block.sample_rate, block.pts = RATE, start // 2
        block.time_base = Fraction(1, RATE)
        yield from to_floats.resample(block)


# -- pictures ------------------------------------------------------------------------------------


def _frames(plan: Layout) -> Iterator[Any]:
    """All frames of the film, in order."""
    held: list[Any] = []  # the last frames of the part before, which the next one fades in over
    for number, clip in enumerate(plan.clips):
        following = plan.clips[number + 1].fade if number + 1 < len(plan.clips) else 0
        kept: list[Any] = []
        for place, own in enumerate(_at_rate(clip, plan)):
            share = (place + 1) / (clip.fade + 1)
            frame = _blended(held[place], own, share) if place < clip.fade else own
            if place >= clip.frames - following:
                kept.append(frame)
            else:
                yield frame
        held = kept


def _at_rate(clip: _Clip, plan: Layout) -> Iterator[Any]:
    """Exactly `clip.frames` frames of a clip, at the film's rate and in its size."""
    made, held = 0, None
    for when, frame in decoded(clip.path):
        while held is not None and made < clip.frames and made / plan.rate < when - _ROUNDED_S:
            yield _fitted(held, clip.shown, plan.size)
            made += 1
        held = frame
    if held is None:
        raise OutputError(f"No frame of {clip.path} can be decoded.")
    for _ in range(clip.frames - made):
        yield _fitted(held, clip.shown, plan.size)


def _fitted(frame: Any, shown: Size, size: Size) -> Any:
    """A frame that is `shown` in that size on a screen, whole, in this one; the rest is black."""
    import av
    from av.video.reformatter import Colorspace
    from PIL import Image

    plain = frame.format.name == "yuv420p" and frame.color_range != _FULL
    upright = not display.rotation_of(frame) and shown == (frame.width, frame.height) == size
    bright = getattr(frame, "color_trc", None) in (display.PQ, display.HLG)
    if plain and upright and not bright:
        return frame.reformat(
            format="yuv420p",
            src_colorspace=display.matrix_of(frame),
            dst_colorspace=Colorspace.ITU709,
        )
    scale = min(size[0] / shown[0], size[1] / shown[1])
    inner = max(1, round(shown[0] * scale)), max(1, round(shown[1] * scale))
    picture = display.shown(frame, inner)
    if inner != size:
        canvas = Image.new("RGB", size)
        canvas.paste(picture, ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))
        picture = canvas
    made = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
    return made.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709)


def _blended(one: Any, other: Any, share: float) -> Any:
    """A frame between two, plane by plane; `share` is that of the other one, 0 to 1."""
    import av
    from PIL import Image

    frame = av.VideoFrame(one.width, one.height, "yuv420p")
    for plane, first, second in zip(frame.planes, one.planes, other.planes, strict=True):
        mixed = Image.blend(_as_picture(first), _as_picture(second), share)
        rows = Image.new("L", (plane.line_size, plane.height))
        rows.paste(mixed)
        plane.update(rows.tobytes())
    return frame


def _as_picture(plane: Any) -> Any:
    from PIL import Image

    size = plane.width, plane.height
    return Image.frombytes("L", size, bytes(plane), "raw", "L", plane.line_size)
