"""What is there of a run by now, and which stages will make no paid call. Read from disk.

Each stage is asked by the very function that its script asks (`left_to_pay`, `written`,
`would_pay`), with the request that the script will get; nothing is worked out a second time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import receipts, texts
from ..errors import UsageError
from ..stages import composition, given_images, reasoning, synthesis
from ..stages.calls import ANCHOR_STAGES
from ..stages.candidates import choice, filing
from ..stages.candidates.folder import Folder, was_chosen
from ..stages.context import Context
from ..stages.given_images import GivenImage
from ..stages.request import ClipSettings
from .run_plan import stages_of
from .run_request import RunRequest
from .work_folder import WorkFolder

# Options that no anchor follows from.
_OF_THE_CLIP = {
    *(name for name in ClipSettings._fields if name != "aspect_ratio"),
    *("motion", "last_frame", "end_state", "video_model", "motion_from_anchor"),
}


class Progress:
    """Of one run; every answer is as the disk has it when it is asked."""

    def __init__(
        self,
        request: RunRequest,
        context: Context,
        folder: WorkFolder,
        output: Path,
        job: str | None,
    ) -> None:
        self._request = request
        self._context = context
        self._folder = folder
        self._output = output
        self._job = job
        self.names = stages_of(request)
        self.own = folder.users_own()  # which files are the user's own versions

    @property
    def awaits_choice(self) -> bool:
        """Whether somebody is to choose an anchor; not where one's own lies in its place."""
        return self._request.wish.awaits_choice and "anchor" not in self.own

    @property
    def anchor(self) -> Path:
        """Where the anchor lies, or will."""
        return self._request.anchor.path if self._request.anchor else self._folder.anchor

    def made(self) -> tuple[str, ...]:
        """The stages that will make no paid call, as far as is known by now.

        A stage whose input has yet to be remade will make one.
        """
        done = []
        if "reasoning" in self.names and self._has_caption():
            done.append("reasoning")
        anchored = self.has_anchor()
        if anchored and "composition" in self.names:
            done += ANCHOR_STAGES
        if not anchored:
            return tuple(done)
        known = self._motion_is_known()
        if self._request.end_state:
            ends = self.end_frame() is not None
            done += ["end_frame"] * ends
            known = known and ends
        if self._request.motion_from_anchor:
            seen = "seen_motion" in self.own or self._seen_receipt() is not None
            done += ["motion"] * seen
            known = known and seen
        if self._job or (known and not self._clip_would_pay()):
            done.append("synthesis")
        return tuple(done)

    # -- Stage 1 ---------------------------------------------------------------------------------

    def _has_caption(self) -> bool:
        """Whether Stage 1 has nothing left to write."""
        return "caption" in self.own or self._caption_receipt() is not None

    def _caption_receipt(self) -> dict[str, Any] | None:
        return reasoning.written(
            self._request.caption_request(), self._folder.caption, self._context
        )

    def caption(self) -> str | None:
        """The caption: the file, else what Stage 1's receipt restores; None until it is known."""
        if (given := self._request.given_caption) is not None:
            return given
        if "reasoning" in self.names and not self._has_caption():
            return None
        receipt = self._caption_receipt()
        in_place = receipts.read(self._folder.caption)
        if receipt and not receipts.is_of(in_place, receipt["digest"]):
            return _in(receipt, "caption")  # it comes back
        return _text(self._folder.caption, "The caption", receipt, "caption")

    def motion(self) -> str | None:
        """The motion that goes to the video model, as far as it is known; None where none does."""
        if self._motion_is_given:
            return self._request.motion
        if self._request.motion_from_anchor:
            path = self._folder.seen_motion
            if seen := _text(path, "The motion", receipts.read(path), "motion"):
                return seen
        if "motion" in self.own:
            return _text(self._folder.motion, "The motion", None, "motion")
        return _in(self._caption_receipt(), "motion") if "reasoning" in self.names else None

    def motion_file(self) -> Path | None:
        """The file that the motion comes from: written with the anchor in view, else by Stage 1."""
        if self._motion_is_given:
            return None
        if self._request.motion_from_anchor and self._folder.seen_motion.is_file():
            return self._folder.seen_motion
        written = "reasoning" in self.names and self._folder.motion.is_file()
        return self._folder.motion if written else None

    @property
    def _motion_is_given(self) -> bool:
        """Whether no motion is to be written: it was given, or the strategy sends none."""
        request = self._request
        return request.motion is not None or request.settings.prompt_strategy == "original"

    def _motion_is_known(self) -> bool:
        """Whether the motion is final; one that Stage 1 has yet to write is that of no clip."""
        written = "reasoning" not in self.names or self._has_caption()
        return self._motion_is_given or written or "motion" in self.own

    def _seen_receipt(self) -> dict[str, Any] | None:
        """The receipt of the motion that was written with this anchor in view."""
        anchor = self.anchor_by_hash()
        if anchor is None:
            return None
        request = self._request.motion_request(anchor)
        return reasoning.written(request, self._folder.seen_motion, self._context)

    # -- Stage 2 ---------------------------------------------------------------------------------

    def has_anchor(self) -> bool:
        """Whether Stage 2 has nothing left to pay for."""
        if "anchor" in self.own or "composition" not in self.names:
            return True
        left = self.anchors_left()
        return bool(left) and not any(left.values())

    def anchors_left(self) -> dict[str, int]:
        """How many calls of each kind Stage 2 still makes; empty as long as it has no caption."""
        caption = self.caption()
        if caption is None:
            return {}
        request = self._request.anchor_request(caption)
        return composition.left_to_pay(request, self._folder.anchor, self._context)

    def _candidates(self) -> Folder | None:
        caption = self.caption()
        if caption is None:
            return None
        request = self._request.anchor_request(caption)
        return composition.folder_of(request, self._folder.anchor, self._context)

    def check_selected(self) -> None:
        """Raise UsageError where a candidate is selected that does not exist."""
        wish = self._request.wish
        if wish.select is None or "anchor" in self.own:
            return
        folder = self._candidates()
        if folder is None:  # without a caption none can have been made
            raise UsageError(
                f"There is no candidate {wish.select} for these inputs yet.",
                "Generate some with --candidates N first.",
            )
        filing.check_selected(folder)

    def anchor_by_hash(self) -> GivenImage | None:
        """The anchor that the clip will be made from, where that is known already.

        With candidates it may be another one than the picture in the anchor's place.
        """
        sha256 = receipts.sha256_of(self.anchor) if self.anchor.is_file() else None
        if "composition" in self.names and "anchor" not in self.own:
            folder = self._candidates()
            sha256 = choice.sha256_to_use(folder) if folder else None
        return given_images.by_hash(self.anchor, sha256) if sha256 else None

    def end_frame(self) -> GivenImage | None:
        """The last frame of --end-state, made of this anchor; None where it is yet to come."""
        path, anchor = self._folder.end_frame, self.anchor_by_hash()
        if not self._request.end_state or anchor is None:
            return None
        if "end_frame" not in self.own:
            request = self._request.end_frame_request(anchor)
            if any(composition.left_to_pay(request, path, self._context).values()):
                return None
        return given_images.by_hash(path, receipts.sha256_of(path)) if path.is_file() else None

    def replaced_anchor(self) -> dict[str, Any] | None:
        """The receipt of an anchor that was stopped at, chosen or edited, and is not used now.

        One that was edited is used as it is; but it was approved for what was asked then.
        """
        found = receipts.look(self._folder.anchor)
        receipt = found.receipt
        if receipt is None or not found.file_exists:
            return None
        if "anchor" in self.own:
            return receipt if self.asked_otherwise(receipt) else None
        if not (receipt.get("stopped_at") or was_chosen(receipt)):
            return None
        coming = self.anchor_by_hash() if self.has_anchor() else None
        return None if coming and coming.sha256 == found.file_sha256 else receipt

    def asked_otherwise(self, anchor: dict[str, Any]) -> list[str]:
        """In words, the options that shape an anchor and were others, as far as that is known."""
        then = anchor.get("stopped_for") or anchor.get("asked") or {}
        now = self._request.asked(self._context.identity)
        return receipts.differences(
            {name: value for name, value in then.items() if name not in _OF_THE_CLIP},
            {name: value for name, value in now.items() if name not in _OF_THE_CLIP},
        )

    # -- Stage 3 ---------------------------------------------------------------------------------

    def _clip_would_pay(self) -> bool:
        anchor = self.anchor_by_hash()
        if anchor is None:
            return True
        request = self._request.clip(self.motion(), anchor, self.end_frame())
        return synthesis.would_pay(request, self._output, self._context, None)

    def job_is_known(self) -> bool:
        """Whether the clip's job is running, or has ended well."""
        receipt = receipts.read(self._output) or {}
        return bool(receipt.get("job")) and receipt["state"] in ("submitted", "succeeded")


def _text(path: Path, what: str, receipt: dict[str, Any] | None, key: str) -> str | None:
    """A text from its file, else from the receipt that restores it."""
    if path.is_file():
        return texts.read_text(None, str(path), what)
    return _in(receipt, key)


def _in(receipt: dict[str, Any] | None, key: str) -> str | None:
    """A text in a receipt."""
    result = (receipt or {}).get("result")
    text = result.get(key) if isinstance(result, dict) else None
    return text if isinstance(text, str) else None
