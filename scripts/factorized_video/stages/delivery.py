"""What is done with a finished clip: fetched, measured, sound removed if asked, looked at.

What is found goes into the receipt and, where it is not what was requested, into warnings. A clip
that is paid for is delivered whatever these looks find.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import aspect_ratios, receipts
from ..errors import OutputError, StillRunning, ToolError, Unfetched, safe_to_keep
from ..files import exclusive, put_in_place, sweep, temporary_beside, write_file, writing
from ..media import animation, clips, file_types, remux, similarity
from ..output_paths import filmstrip_path, original_path
from ..receipts import Record
from .video_job import handle_of

if TYPE_CHECKING:
    from ..console import Console
    from ..gateway.client import Gateway
    from ..gateway.types import Job

# A clip may be this much off in length and size before it counts as another one: containers round
# to frames, encoders to blocks of 16 pixels.
DURATION_TOLERANCE_S = 0.25
LONGEST_TEXT = 1 << 20  # bytes that are kept of a response that is text
SIZE_TOLERANCE = 0.03


class Looks(NamedTuple):
    """What is looked at in a clip.

    `compared` is the picture that was sent (`similarity.squeezed`), None where that is not known or
    there was none; `silent`: sound is removed; `loops`: it is to end as it begins.
    """

    compared: bytes | None
    silent: bool = False
    loops: bool = False


def deliver(console: Console, gateway: Gateway, record: Record, job: Job, looks: Looks) -> None:
    """Fetch the job's clip into place and write down what it is. Raises OutputError."""

    def check(path: Path) -> None:
        try:
            clips.check_video(path)
        except OutputError as error:
            _make_usable(console, record, path, error)
        else:
            _drop_response(record)
        record.arriving(receipts.sha256_of(path))

    try:
        gateway.fetch_video(job, handle_of(record), record.output, check)
    except ToolError as error:
        if isinstance(error, Unfetched):
            if kept := record.data.get("response"):
                error.message += f" What came is kept as {kept}."
            record.unfetched(error)
        error.result = {**record.whereabouts, **error.result}
        raise
    receipts.make_room(filmstrip_path(record.output))  # one that a lost clip left behind
    finish(console, record, looks, reply=job.raw)


def finish(
    console: Console, record: Record, looks: Looks, reply: dict[str, object] | None = None
) -> None:
    """Write down what the clip is that is in its place; without its sound if that is asked."""
    found, first = clips.examine(record.output, similarity.SIZE)
    sha256, size = record.data["arrived_sha256"], record.output.stat().st_size
    fidelity = loop = None
    if found is None:
        console.warn(
            "The clip could not be measured: its codec is not known here."
            if file_types.have_media_extra()
            else file_types.not_measured()
        )
    else:
        if looks.silent and found["audio"]:
            sha256, size = _silenced(console, record, sha256, size)
            found["audio"] = "original" not in record.data
        console.warn(*differences(record.data["sent"], found))
        if record.data["stage"] != "direct":
            fidelity = _fidelity(console, looks.compared, first)
        if looks.loops:
            loop = _loop_fidelity(console, record.output, first)
    record.succeeded(
        sha256,
        measured=found,
        anchor_fidelity=fidelity,
        loop_fidelity=loop,
        bytes=size,
        reply=reply,
    )


def _make_usable(console: Console, record: Record, path: Path, why: OutputError) -> None:
    """Make an MP4 of a downloaded file that is none, if its pictures can be decoded.

    The file as it came stays beside the output, under its true ending. Raises `why` where nothing
    can be made of it.
    """
    with path.open("rb") as file:
        head = file.read(LONGEST_TEXT)
    kind = file_types.kind_of(head)
    came = record.output.with_name(f"{record.output.stem}.response.{(kind or 'bin').lower()}")
    kept = head if kind else safe_to_keep(head)
    if kept is head:  # no text: all of it is kept
        _link(path, came)
    else:
        write_file(came, kept)
    record.update(response=came.name)
    is_broken = kind in ("mp4", "mov", "webm")  # fetched once more it may be whole
    if is_broken or not file_types.have_media_extra():
        raise why
    with temporary_beside(record.output) as (file, temporary):
        try:
            (animation.as_mp4 if kind in animation.KINDS else remux.as_mp4)(path, temporary)
            clips.check_video(temporary)
        except OutputError:
            raise why from None
        os.fsync(file.fileno())
        temporary.replace(path)
    made = "encoded" if kind in animation.KINDS else "copied"
    console.warn(
        f"The gateway sent another format ({kind or 'unknown'}) than MP4: the file is kept as "
        f"{came.name}, and the pictures of the clip are {made} from it."
    )


def _drop_response(record: Record) -> None:
    """Remove what an earlier download was kept as: the clip itself has come."""
    if kept := record.data.pop("response", None):
        record.output.with_name(Path(str(kept)).name).unlink(missing_ok=True)


def _link(path: Path, place: Path) -> None:
    """Have a file at another place too, in stead of what lies there."""
    with writing(place):
        place.unlink(missing_ok=True)
        try:
            os.link(path, place)
        except OSError:  # a file system without links
            shutil.copyfile(path, place)


def _silenced(console: Console, record: Record, sha256: str, size: int) -> tuple[str, int]:
    """SHA-256 and bytes of the clip without its sound; the receipt says where the original is.

    Where the sound cannot be removed the clip stays as it came, with a warning.
    """
    try:
        sha256, size = _remove_audio(record, sha256)
    except OutputError as error:
        console.warn(f"The clip came with sound, which could not be removed: {error.message}")
        return sha256, size
    name = record.data["original"]["name"]
    console.warn(f"The clip came with sound, which was removed; as it came it is kept as {name}.")
    return sha256, size


def differences(sent: dict[str, Any], measured: dict[str, Any]) -> list[str]:
    """In words, where a clip is not what was requested. Pure; settings that are absent match."""
    found = []
    asked_s, length = sent.get("duration_s"), measured["duration_s"]
    if asked_s and abs(length - asked_s) > DURATION_TOLERANCE_S:
        found.append(f"The clip is {length:g} s long; {asked_s} s were requested.")
    size = measured["width"], measured["height"]
    if asked := sent.get("size"):
        if asked != f"{size[0]}x{size[1]}":
            found.append(f"The clip is {size[0]}x{size[1]} px; {asked} was requested.")
        return [*found, *_missing_sound(sent, measured)]
    canvas, resolution = sent.get("canvas"), sent.get("resolution")
    if canvas and aspect_ratios.difference(size, canvas) > SIZE_TOLERANCE:
        found.append(f"The clip is {size[0]}x{size[1]} px, which is not {canvas}.")
    # Clips of 1:1 and 21:9 have other short sides at many models; larger than requested is no loss.
    usual = canvas in (None, "16:9", "9:16")
    side = aspect_ratios.short_side(resolution) if resolution and usual else 0
    if min(size) < side * (1 - SIZE_TOLERANCE):
        found.append(f"The clip is {size[0]}x{size[1]} px; {resolution} was requested.")
    return [*found, *_missing_sound(sent, measured)]


def _missing_sound(sent: dict[str, Any], measured: dict[str, Any]) -> list[str]:
    if sent.get("audio") == "wanted" and not measured["audio"]:
        return ["The clip has no sound; it was requested."]
    return []


def draw_filmstrip(console: Console, clip: Path) -> None:
    """Write the clip's filmstrip unless it is there; a clip that gives none is a warning.

    Under the clip's lock, so that what a killed run has left of one can be removed.
    """
    from ..media.filmstrip import filmstrip

    path = filmstrip_path(clip)
    if path.exists():
        return
    console.progress("making the filmstrip")
    try:
        with exclusive(clip):
            sweep(path)
            write_file(path, filmstrip(clip, *_words_of(clip)))
    except StillRunning:
        return  # another process is making it
    except OutputError as error:
        console.warn(f"No filmstrip could be made: {error.message}")


def _words_of(clip: Path) -> tuple[str, str]:
    """By its receipt, the prompt of a clip, and in a line what it is."""
    receipt = receipts.read(clip) or {}
    measured = receipt.get("measured") or {}
    facts = [str(receipt.get("model") or "")]
    if measured:
        sound = "with sound" if measured.get("audio") else "no sound"
        facts += [f"{measured['duration_s']:.1f} s", "{width}x{height}".format(**measured), sound]
    asked, inputs = receipt.get("asked") or {}, receipt.get("inputs") or {}
    return str(asked.get("prompt") or inputs.get("prompt") or ""), " · ".join(filter(None, facts))


def _remove_audio(record: Record, sha256: str) -> tuple[str, int]:
    """Put a silent copy in the clip's place; its SHA-256 and bytes. The clip as it came is kept.

    At every moment the clip's place holds a whole clip, and the receipt says which.
    """
    clip, original = record.output, original_path(record.output)
    with temporary_beside(clip) as (file, temporary):
        remux.without_audio(clip, temporary)
        if not (original.is_file() and receipts.sha256_of(original) == sha256):
            receipts.make_room(original)
            try:
                os.link(clip, original)
            except OSError:  # a file system without links
                shutil.copyfile(clip, original)
        silent = receipts.sha256_of(temporary)
        about = {"name": original.name, "sha256": sha256}
        record.arriving(silent, original=about)
        put_in_place(file, temporary, clip)
    return silent, clip.stat().st_size


def _fidelity(console: Console, sent: bytes | None, came: bytes | None) -> float | None:
    """How close the clip's frame 0 is to the anchor; a warning where it is another picture."""
    value = _alike(console, sent, came, "first frame could not be compared with the anchor")
    if value is not None and value < similarity.RESPECTED:
        console.warn(
            f"The clip does not begin with the anchor: anchor_fidelity is {value:.2f}, where "
            f"{similarity.RESPECTED:g} and more means that it does. The model took it loosely; "
            "look at the filmstrip."
        )
    return value


def _loop_fidelity(console: Console, clip: Path, first: bytes | None) -> float | None:
    """How close the clip's last frame is to its first; a warning where the ends do not meet."""
    last = None
    with contextlib.suppress(OutputError):
        last = similarity.squeezed(clips.last_frame(clip))
    value = _alike(console, first, last, "last frame could not be compared with its first")
    if value is not None and value < similarity.RESPECTED:
        console.warn(
            f"The clip does not end as it begins: loop_fidelity is {value:.2f}, where "
            f"{similarity.RESPECTED:g} and more means that the ends meet. Played again and again "
            "it jumps; --take 2 is another try, and pays."
        )
    return value


def _alike(console: Console, one: bytes | None, other: bytes | None, unknown: str) -> float | None:
    """How close two squeezed pictures are; where one is missing, a warning, `unknown`."""
    if one is None or other is None:
        console.warn(f"The clip's {unknown}.")
        return None
    return similarity.fidelity(one, other)
