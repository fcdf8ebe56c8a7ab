"""What is done with a finished clip: fetched, measured, stripped of sound if asked, looked at.

What is found goes into the receipt and, where it is not what was asked for, into warnings. A clip
that is paid for is delivered whatever these looks find.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import receipts
from ..errors import OutputError, StillRunning, ToolError
from ..files import exclusive, put_in_place, sweep, temporary_beside, write_file
from ..media import clips, file_types, similarity
from . import plan
from .video_job import handle_of

if TYPE_CHECKING:
    from ..console import Console
    from ..gateway.client import Gateway
    from ..gateway.types import Job


def deliver(
    console: Console,
    gateway: Gateway,
    record: receipts.Record,
    job: Job,
    sent: bytes | None,
    *,
    silent: bool,
) -> None:
    """Fetch the job's clip into place and write down what it is. Raises OutputError.

    `sent` is the picture that was sent, squeezed (`likeness.squeezed`), None where that cannot be
    told or none was; with `silent` sound is removed.
    """
    seen: list[Any] = []

    def check(path: Path) -> None:
        clips.check_video(path)
        seen[:] = clips.examine(path, similarity.SIZE)

    try:
        fetched = gateway.fetch_video(job, handle_of(record), record.output, check)
    except ToolError as error:
        error.result = {**record.whereabouts, **error.result}
        raise
    found, first = seen
    sha256, size = fetched.sha256, fetched.size
    original = None
    receipts.make_room(receipts.filmstrip_path(record.output))  # one that a lost clip left behind
    if found is None:
        console.warn(
            "The clip could not be measured: its codec is not known here."
            if file_types.have_media_extra()
            else file_types.not_measured()
        )
    elif silent and found["audio"]:
        as_it_came = {"name": receipts.original_path(record.output).name, "sha256": sha256}
        try:
            sha256, size = _remove_audio(record.output, sha256)
        except OutputError as error:
            console.warn(f"The clip came with sound, which could not be removed: {error.message}")
        else:
            original = as_it_came
            found = {**found, "audio": False}
            console.warn(
                "The clip came with sound, which was removed; as it came it is kept as "
                f"{original['name']}."
            )
    fidelity = None
    if found is not None:
        console.warn(*plan.differences(record.data["sent"], found))
        if record.data["stage"] != "direct":
            fidelity = _fidelity(console, sent, first)
    record.succeeded(
        sha256,
        measured=found,
        anchor_fidelity=fidelity,
        bytes=size,
        reply=job.raw,
        **({"original": original} if original else {}),
    )


def draw_filmstrip(console: Console, clip: Path) -> None:
    """Write the clip's filmstrip unless it is there; a clip that gives none is a warning.

    Under the clip's lock, so that what a killed run has left of one can be removed.
    """
    from ..media.filmstrip import filmstrip

    path = receipts.filmstrip_path(clip)
    if path.exists():
        return
    console.progress("drawing the filmstrip")
    try:
        with exclusive(clip):
            sweep(path)
            write_file(path, filmstrip(clip))
    except StillRunning:
        return  # another process is drawing it
    except OutputError as error:
        console.warn(f"No filmstrip could be made: {error.message}")


def _remove_audio(clip: Path, sha256: str) -> tuple[str, int]:
    """Put a silent copy in the clip's place; its SHA-256 and bytes. The clip as it came is kept.

    At every moment the clip's place holds a whole clip, so a killed run fetches and goes on.
    """
    original = receipts.original_path(clip)
    with temporary_beside(clip) as (file, temporary):
        clips.without_audio(clip, file)
        file.flush()
        if not (original.is_file() and receipts.sha256_of(original) == sha256):
            receipts.make_room(original)
            try:
                os.link(clip, original)
            except OSError:  # a file system without links
                shutil.copyfile(clip, original)
        put_in_place(file, temporary, clip)
    return receipts.sha256_of(clip), clip.stat().st_size


def _fidelity(console: Console, sent: bytes | None, came: bytes | None) -> float | None:
    """How close the clip's frame 0 is to the anchor; a warning where it is another picture."""
    if sent is None or came is None:
        console.warn("The clip's first frame could not be compared with the anchor.")
        return None
    value = similarity.fidelity(sent, came)
    if value < similarity.RESPECTED:
        console.warn(
            f"The clip does not begin with the anchor: anchor_fidelity is {value:.2f}, where "
            f"{similarity.RESPECTED:g} and more means that it does. The model took it loosely; "
            "look at the filmstrip."
        )
    return value
