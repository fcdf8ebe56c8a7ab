"""The orchestrator's work folder: where each intermediate file lies, and whose it is.

`caption.txt`, `motion.txt`, `motion-from-anchor.txt`, `anchor.png` and `end-frame.png` are the
stages' outputs. One that a user edited or put there is the user's own version: used as it is, never
overwritten.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import receipts
from ..errors import UsageError
from ..files import exclusive, sweep_folder, write_file
from ..models.picture_limits import Framing
from ..output_paths import WORK_FOLDER

if TYPE_CHECKING:
    from ..media.images import ImageFile


class WorkFolder(NamedTuple):
    """The paths, and what the files there are."""

    path: Path

    @classmethod
    def of(cls, clip: Path, elsewhere: Path | None = None) -> WorkFolder:
        """That of a clip: beside it, unless it was put elsewhere."""
        return cls(elsewhere or clip.with_name(clip.stem + WORK_FOLDER))

    @property
    def caption(self) -> Path:
        """Stage 1's caption."""
        return self.path / "caption.txt"

    @property
    def motion(self) -> Path:
        """Stage 1's motion line; not there if the model wrote none."""
        return self.path / "motion.txt"

    @property
    def seen_motion(self) -> Path:
        """The motion that was written with the anchor in view; not there if none was sound."""
        return self.path / "motion-from-anchor.txt"

    @property
    def anchor(self) -> Path:
        """Stage 2's image."""
        return self.path / "anchor.png"

    @property
    def end_frame(self) -> Path:
        """The last frame that --end-state asks for."""
        return self.path / "end-frame.png"

    @property
    def owner_file(self) -> Path:
        """Holds the path of the clip that all of this is for, from here."""
        return self.path / "made-for.txt"

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep other runs out. Raises StillRunning where one is using it."""
        try:
            with exclusive(self.path / "run", f"Another run is using the work folder {self.path}."):
                try:
                    sweep_folder(self.path)
                    yield
                finally:
                    if set(os.listdir(self.path)) == {self.owner_file.name, ".run.lock"}:
                        self.owner_file.unlink()
        finally:
            with contextlib.suppress(OSError):  # unless something was made
                self.path.rmdir()

    def check_owner(self, output: Path) -> None:
        """Raise UsageError where what lies here is for another clip: the two would be mixed."""
        text = _text(self.owner_file)
        owner = os.path.normpath(self.path / text) if text else str(output)
        if owner != str(output):
            raise UsageError(
                f"The work folder {self.path} belongs to {owner}.",
                "Choose another --work-dir, or add --overwrite to use it for this clip from now "
                "on. To make another clip of the same anchor: --anchor-path "
                f"{self.anchor}",
            )

    def own(self, output: Path) -> None:
        """Write down which clip it is for."""
        owner = os.path.relpath(output, self.path)
        if _text(self.owner_file) != owner:
            write_file(self.owner_file, os.fsencode(owner + "\n"))

    def users_own(self) -> set[str]:
        """Which of the files, by the names of their properties, a user made or changed."""
        own = set()
        pictures = (("anchor", self.anchor), ("end_frame", self.end_frame))
        for name, path in (("caption", self.caption), *pictures):
            if receipts.edited(receipts.look(path)):
                own.add(name)
        # A run that was cut off may have left that of an earlier caption there.
        if self.motion.exists() and _text(self.motion) not in receipts.texts(
            self.caption, "motion"
        ):
            own.add("motion")
        if receipts.edited(receipts.look(self.seen_motion)):
            own.add("seen_motion")
        return own

    def damaged(self) -> list[Path]:
        """The receipts that cannot be read, so that it is unclear what was paid for."""
        return [
            receipts.receipt_path(path)
            for path in (self.caption, self.anchor, self.end_frame, self.seen_motion)
            if receipts.look(path).damaged
        ]

    def hashes(self) -> dict[str, str]:
        """SHA-256 of each file that is there, by name."""
        paths = {
            "caption": self.caption,
            "motion": self.motion,
            "motion_from_anchor": self.seen_motion,
            "anchor": self.anchor,
            "end_frame": self.end_frame,
        }
        return {name: receipts.sha256_of(path) for name, path in paths.items() if path.is_file()}

    def changed_since(self, receipt: dict[str, Any]) -> list[str]:
        """The files that differ from those that a clip was made from, by its receipt.

        One that was deleted since changes nothing.
        """
        run = receipt.get("pipeline")
        used = run.get("files") if isinstance(run, dict) else None
        used = used if isinstance(used, dict) else {}
        return [name for name, now in self.hashes().items() if used.get(name, now) != now]

    def save_intermediate(self, video: Path, anchor: Path, framing: Framing) -> None:
        """Write what is free to remake: texts as sent, replies without bytes, the image as sent."""
        from ..media import images

        outputs = (
            ("stage1", self.caption),
            ("motion", self.seen_motion),
            ("stage2", self.anchor),
            ("stage3", video),
        )
        for name, output in outputs:
            receipt = receipts.read(output)
            if receipt is None:
                continue
            self._write(f"{name}.sent.json", receipt.get("sent"))
            self._write(f"{name}.reply.json", receipt.get("reply"))
        if anchor.is_file():
            self.write_first_frame(images.read_image(anchor, "The anchor"), framing)

    def write_first_frame(self, anchor: ImageFile, framing: Framing) -> Path:
        """Write the picture as it is sent to the video model; where."""
        from ..media import images

        frame = images.to_send(anchor, framing)
        path = self.path / f"first-frame.sent.{frame.mime.partition('/')[2].replace('jpeg', 'jpg')}"
        write_file(path, frame.data)
        return path

    def _write(self, name: str, data: object) -> None:
        if data is not None:
            text = json.dumps(data, ensure_ascii=False, indent=1) + "\n"
            write_file(self.path / name, text.encode("utf-8", "backslashreplace"))


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape").strip()
    except (OSError, ValueError):
        return None


class Standing(Enum):
    """What the clip in the output's place is to a run."""

    DONE = "made from just these inputs, and nothing was changed since"
    BEGUN = "nothing is there, or this very run, cut off"
    OTHER = "created with different options"


def standing(
    output: Path, wanted: str, prompt: str, folder: WorkFolder, anchor: Path, *, demo: bool
) -> Standing:
    """What the clip at `output` is to a run whose inputs have the digest `wanted`."""
    found = receipts.look(output)
    receipt = found.receipt
    if receipt is None:
        return Standing.OTHER if found.file_exists or found.damaged else Standing.BEGUN
    if receipts.was_demo(receipt) and not demo:
        return Standing.BEGUN  # a placeholder gives way to the real thing
    nothing_there = not found.file_exists and receipt["state"] in ("refused", "failed", "succeeded")
    otherwise = Standing.BEGUN if nothing_there else Standing.OTHER
    run = receipt.get("pipeline")
    if not isinstance(run, dict):
        # Stage 3 was run by itself: whether it was for these words it decides itself, but an anchor
        # must not be paid for only to be refused.
        same = _is_of(receipt.get("inputs"), prompt, anchor)
        return Standing.BEGUN if same else otherwise
    if not receipts.is_of(run, wanted) or folder.changed_since(receipt):
        return otherwise
    # The orchestrator writes the cost last: without it, it was cut off just before the end.
    return Standing.DONE if found.file_exists and run.get("cost") else Standing.BEGUN


def _is_of(inputs: object, prompt: str, anchor: Path) -> bool:
    """Whether a clip's inputs are this prompt and this anchor."""
    inputs = inputs if isinstance(inputs, dict) else {}
    used = inputs.get("anchor")
    same_anchor = (
        isinstance(used, dict)
        and anchor.is_file()
        and used.get("sha256") == receipts.sha256_of(anchor)
    )
    return inputs.get("prompt") == prompt and same_anchor
