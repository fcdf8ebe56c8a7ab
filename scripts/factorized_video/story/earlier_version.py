"""An earlier version of a shot, whose caption and first frame still hold.

A shot is named after all that it is made from. Where only its clip is asked for otherwise (its
length, its motion, another video model), what was drawn for the version before is taken over.
"""

from __future__ import annotations

import shutil
from glob import escape
from pathlib import Path

from .. import output_paths, receipts
from ..errors import OutputError
from ..pipeline.run_request import RunRequest
from ..pipeline.work_folder import WorkFolder
from ..stages.context import Context


def find(clip: Path, request: RunRequest, context: Context) -> Path | None:
    """The work folder of the newest earlier version that has the same caption, or motion.

    None where the clip has a folder of its own already.
    """
    own = WorkFolder.of(clip)
    if own.path.exists():
        return None
    name = clip.stem[: -output_paths.DIGEST_DIGITS]
    others = clip.parent.glob(f"{escape(name)}*{output_paths.WORK_FOLDER}")
    fitting = [path for path in others if _holds(WorkFolder(path), request, context)]
    return max(fitting, key=lambda path: path.stat().st_mtime, default=None)


def take_over(earlier: Path, clip: Path) -> None:
    """Copy what lies there to the clip's own work folder; what is not asked for is made anew.

    Raises OutputError.
    """
    own = WorkFolder.of(clip)
    half = own.path.with_name(f".{own.path.name}.part")
    shutil.rmtree(half, ignore_errors=True)  # of a copy that was killed
    try:
        shutil.copytree(earlier, half, ignore=shutil.ignore_patterns(own.owner_file.name, ".*"))
        half.rename(own.path)
    except OSError as error:
        raise OutputError(f"{own.path} cannot be written: {error.strerror}.") from None


def _holds(folder: WorkFolder, request: RunRequest, context: Context) -> bool:
    """Whether a text there was written for the very same request."""
    identity = context.identity_of("chat")
    if request.anchor:
        return _is_of(folder.seen_motion, request.motion_request(request.anchor).digest(identity))
    if request.given_caption is None:
        return _is_of(folder.caption, request.caption_request().digest(identity))
    first = request.anchor_request(request.given_caption)
    return _is_of(folder.anchor, first.digest(context.identity_of("image")))


def _is_of(path: Path, wanted: str) -> bool:
    return receipts.is_of(receipts.read(path), wanted)
