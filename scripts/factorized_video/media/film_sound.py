"""The soundtrack of a film: that of its clips, brought together in loudness, with music below.

Samples are 16-bit stereo at 48 kHz, in one array: 12 MB a minute.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from math import sqrt
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import OutputError, UsageError
from .clips import opened, video_stream

if TYPE_CHECKING:
    from av.container import InputContainer

RATE = 48_000  # samples a second, of each of two channels
_LOUDEST = 32_767
_JOIN_S = 0.02  # of a fade on both sides of a cut: shorter clicks, longer is heard
_END_S = 1.5  # of the music's fade at the end
_MOST_GAIN = 2.8  # 9 dB, up or down
_SILENT = 180.0  # root mean square: what is quieter (-45 dB) is taken for silence
_USUAL = 2_300.0  # -23 dB: where no clip has sound that says what is usual
_BLOCK = RATE // 100  # samples between two steps of the music's level
_ALONE, _BELOW = 0.9, 0.3  # the music's level without and with sound of the clips
_STEP = (_ALONE - _BELOW) / 40  # a block: 0.4 s from one to the other


class Stretch(NamedTuple):
    """Where the sound of a clip lies in the film, in seconds; without a path it is silent.

    `fade_s` is how long it fades in over what comes before.
    """

    path: Path | None
    starts_s: float
    lasts_s: float
    fade_s: float


def check_music(path: Path) -> None:
    """Raise UsageError for a file without sound."""
    try:
        with opened(path) as container:
            if not container.streams.audio:
                raise UsageError(f"--music {path} has no sound.", "Give an audio file.")
    except OutputError as error:
        raise UsageError(f"--music {path}: {error.message}", "Give an audio file.") from None


def soundtrack(stretches: Sequence[Stretch], music: Path | None = None) -> array[int] | None:
    """The whole soundtrack, as long as the pictures; None where nothing has sound.

    Raises OutputError for sound that cannot be read.
    """
    sounds = [_sound_of(one.path, one.lasts_s) if one.path else None for one in stretches]
    if music is None and not any(sounds):
        return None
    last = stretches[-1]
    total = _silence(last.starts_s + last.lasts_s)
    levels = [_level(sound) if sound else 0.0 for sound in sounds]
    heard = [level for level in levels if level > _SILENT]
    usual = median(heard) if heard else _USUAL
    fades = [one.fade_s for one in stretches[1:]] + [0.0]
    for number, (one, own, level) in enumerate(zip(stretches, sounds, levels, strict=True)):
        if not own:
            continue
        sound = _louder(own, usual / level) if level > _SILENT else own
        _fade(sound, (one.fade_s or _JOIN_S) if number else 0.0, rising=True)
        if number + 1 < len(stretches):
            _fade(sound, fades[number] or _JOIN_S, rising=False)
        _add(total, round(one.starts_s * RATE) * 2, sound, one.fade_s)
    if music is not None:
        _lay_under(total, _music(music, len(total), usual), _levels(stretches, levels))
    return total


def _silence(seconds: float) -> array[int]:
    return array("h", bytes(round(seconds * RATE) * 4))


def _sound_of(path: Path, seconds: float) -> array[int] | None:
    """The sound of a clip from its first picture on, exactly so long."""
    with opened(path) as container:
        if not container.streams.audio:
            return None
        pictures = video_stream(container)
        begins = float((pictures.start_time or 0) * pictures.time_base)
        sound = _decoded(container, begins, round(seconds * RATE) * 2)
    return _of_length(sound, round(seconds * RATE) * 2)


def _decoded(container: InputContainer, begins: float, most: int) -> array[int]:
    """Samples from a moment on, in seconds by the container's clock; at least `most`, or all."""
    import av

    resampler = av.AudioResampler(format="s16", layout="stereo", rate=RATE)
    samples: array[int] = array("h")
    ahead: int | None = None  # samples before the moment, still to be dropped
    frames: Iterator[Any] = iter(container.decode(container.streams.audio[0]))
    while len(samples) < most:
        try:
            frame = next(frames, None)
        except av.FFmpegError:  # damaged from here on: what came before is heard
            frame = None
        if frame is not None and ahead is None:
            late = round(((frame.time or 0.0) - begins) * RATE) * 2
            samples.frombytes(bytes(2 * max(0, min(late, most))))
            ahead = max(0, -late)
        for block in resampler.resample(frame):
            samples.frombytes(bytes(block.planes[0])[: block.samples * 4])
        if ahead:
            dropped = min(ahead, len(samples))
            del samples[:dropped]
            ahead -= dropped
        if frame is None:
            break
    return samples


def _of_length(sound: array[int], length: int) -> array[int]:
    """Cut, or filled up with silence."""
    if len(sound) < length:
        sound.frombytes(bytes(2 * (length - len(sound))))
    return sound[:length]


def _level(sound: array[int]) -> float:
    """The root mean square, of every seventh sample: of both channels in turn."""
    some = sound[::7]
    return sqrt(sum(map(int.__mul__, some, some)) / max(1, len(some)))


def _louder(sound: array[int], gain: float) -> array[int]:
    """Louder or quieter, by at most 9 dB, and never clipped."""
    unclipped = _LOUDEST / (max(map(abs, sound)) or 1)
    gain = min(max(gain, 1 / _MOST_GAIN), _MOST_GAIN, max(1.0, unclipped))
    return array("h", [int(sample * gain) for sample in sound])


def _fade(sound: array[int], seconds: float, *, rising: bool) -> None:
    """Fade in at the beginning, or out at the end."""
    count = min(round(seconds * RATE), len(sound) // 2)
    for step in range(count):
        place = step if rising else len(sound) // 2 - 1 - step
        share = (step + 0.5) / count
        for at in (2 * place, 2 * place + 1):
            sound[at] = int(sound[at] * share)


def _add(total: array[int], at: int, sound: array[int], over_s: float) -> None:
    """Put a sound in its place, added to what is there as long as the two overlap."""
    sound = sound[: len(total) - at]
    over = min(round(over_s * RATE) * 2, len(sound))
    for place in range(over):
        sound[place] = _clipped(sound[place] + total[at + place])
    total[at : at + len(sound)] = sound


def _clipped(sample: float) -> int:
    return max(-_LOUDEST, min(_LOUDEST, int(sample)))


# -- music ---------------------------------------------------------------------------------------


def _music(path: Path, most: int, usual: float) -> array[int]:
    """The beginning of the music, as loud as the clips are, faded out where it or the film ends."""
    with opened(path) as container:
        music = _decoded(container, 0.0, most)[:most]
    if not music:
        raise OutputError(f"--music {path}: nothing of it can be decoded.")
    level = _level(music)
    if level > _SILENT:
        music = _louder(music, usual / level)
    _fade(music, min(_END_S, len(music) / RATE / 4), rising=False)
    return music


def _levels(stretches: Sequence[Stretch], levels: Sequence[float]) -> Iterator[float]:
    """The music's level, block by block, for ever: lower where a clip is heard. Pure."""
    heard = [
        (one.starts_s, one.starts_s + one.lasts_s)
        for one, level in zip(stretches, levels, strict=True)
        if level > _SILENT
    ]
    now: float | None = None
    block = 0
    while True:
        when = block * _BLOCK / RATE
        wanted = _BELOW if any(start <= when < end for start, end in heard) else _ALONE
        now = wanted if now is None else now + max(-_STEP, min(_STEP, wanted - now))
        yield now
        block += 1


def _lay_under(total: array[int], music: array[int], levels: Iterator[float]) -> None:
    for start in range(0, len(music), 2 * _BLOCK):
        level, end = next(levels), min(start + 2 * _BLOCK, len(music))
        mixed = zip(total[start:end], music[start:end], strict=True)
        total[start:end] = array("h", [_clipped(one + level * other) for one, other in mixed])
