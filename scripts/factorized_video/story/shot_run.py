"""One shot of a story: a run in three stages of its own, named after what it is made from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import errors, files, money, output_paths
from ..media import clips, grid
from ..money import FREE, Cost
from ..pipeline.run_request import RunOptions, RunRequest
from ..pipeline.three_stages import ThreeStages
from ..receipts import CANDIDATES, sha256_of, spending
from ..receipts.cap import Spent
from ..stages import given_images
from ..stages.calls import Call
from ..stages.candidates.folder import CONTACT_SHEET
from ..stages.context import Context
from ..stages.given_images import GivenImage
from ..stages.request import Argv, CandidateWish
from . import earlier_version
from .story_file import Shot

AWAITS = "awaits a choice"
DRAWN = "drawn"  # the first frame is there, and the clip is not
MADE = "succeeded"
_PIXELS = 80  # of a side, for each part of a ratio, of a frame that is yet to come


@dataclass
class ShotRun:
    """One shot. `base` is its request without pictures of cast, place, or the shot before."""

    number: int  # from 1
    shot: Shot
    base: RunRequest
    options: RunOptions
    file: str  # the name of the story's file
    earlier: tuple[str, ...] = ()  # the prompts of the shots before
    run: ThreeStages = field(init=False)  # set by `look`
    is_named: bool = False  # whether all that it is made from is there, and so its name is final
    first_frame: tuple[Call, ...] = ()  # calls that are left until its first frame can be seen
    motion: tuple[Call, ...] = ()  # those after that
    expected: Cost = FREE
    spent: Spent = Spent()  # noqa: RUF009 - immutable
    cost: Cost = FREE  # of what is there now
    status: str = "not begun"
    answer: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """As the file calls it."""
        return self.shot.name

    @property
    def draws(self) -> bool:
        """Whether its first frame is generated."""
        return self.base.anchor is None and not self.shot.continues

    @property
    def is_made(self) -> bool:
        """Whether its clip is there, made from just these inputs."""
        return self.is_named and self.run.is_done

    @property
    def needs_frame(self) -> bool:
        """Whether its first frame is to be drawn before anything else; its cast must be there.

        Also where the paid call was refused or lost: the stage says so, and sends nothing.
        """
        to_draw = self.draws and self.is_named and not self.is_made
        return to_draw and self.status not in (DRAWN, AWAITS)

    @property
    def is_ready(self) -> bool:
        """Whether its clip can be made now."""
        return self.is_named and self.status == (DRAWN if self.draws else "not begun")

    @property
    def error(self) -> dict[str, Any]:
        """The error that it ended with; empty where there is none."""
        return self.answer.get("error") or {}

    @property
    def seconds(self) -> float:
        """How long its clip is, or is planned to be."""
        return float(self.run.planned_clip.settings["duration_s"])

    @property
    def anchor(self) -> Path | None:
        """The picture of its first frame, if it is there."""
        found = self.run.anchor
        return found if self.is_named and found.is_file() else None

    @property
    def end_frame(self) -> Path | None:
        """The picture of its last frame, if one was made."""
        found = self.run.folder.end_frame
        return found if self.base.end_state and found.is_file() else None

    @contextlib.contextmanager
    def _of_shot(self) -> Iterator[None]:
        with errors.of_line(f"{self.file}", self.shot.line):
            yield

    def look(
        self,
        context: Context,
        pictures: Sequence[GivenImage],
        before: ShotRun | None,
        *,
        writes: bool,
    ) -> None:
        """Read from disk what is there of it, what is left to pay, and what it has cost.

        `pictures` are those of cast and place, `before` is the shot that it continues. With
        `writes` the last frame of that one is written, if its clip is there. Raises UsageError,
        with the line, for what is not supported.
        """
        with self._of_shot():
            request, self.is_named = self._request(pictures, before, writes=writes)
            output = output_paths.default_output(
                self.shot.name, request.final.digest(context.identity), ".mp4", self.options.folder
            )
            options = self.options._replace(output=output)
            if self.is_named and (earlier := earlier_version.find(output, request, context)):
                if writes:
                    earlier_version.take_over(earlier, output)
                else:
                    options = options._replace(work_dir=earlier)
            # What lies in a shot's place was made for this very shot, and is kept when it changes.
            terms = context.terms._replace(overwrite=True)
            context = context._replace(terms=terms)
            self.run = ThreeStages(request, options, context)
            plan = self.run.left
            left = [*plan.calls, *plan.later]
            drawn: tuple[Call, ...] = ()
            until = self.run
            if self.draws and not self.run.is_done:
                until = ThreeStages(request, options._replace(stop_after="anchor"), context)
                drawn = until.left.calls
            if self.is_named:
                (until if drawn else self.run).check()
        stages = {call.stage for call in drawn}
        self.first_frame = drawn
        self.motion = tuple(call for call in left if call.stage not in stages)
        outputs = self.run.outputs if self.is_named else []
        self.spent = spending.spent_for(outputs)
        self.cost = money.from_json(spending.account(outputs)["cost"])
        self._stand()

    def _request(
        self, pictures: Sequence[GivenImage], before: ShotRun | None, *, writes: bool
    ) -> tuple[RunRequest, bool]:
        """What is asked for; and whether all pictures that it is made from are there."""
        if self.base.anchor is not None or self.base.extended is not None:
            return self.base, True
        if before is None:
            request = self.base._replace(references=(*pictures, *self.base.references))
            return request, all(one.path.is_file() for one in pictures)
        frame = _last_frame(before, writes=writes)
        request = self.base._replace(anchor=frame, wish=CandidateWish(), scene=None, references=())
        if not request.end_state:  # which the image model makes
            request = request._replace(image_set=None)
        sends_motion = request.settings.prompt_strategy != "original"
        if request.motion is None and sends_motion:
            request = request._replace(motion_from_anchor=True)
        return request, frame.path.is_file()

    def _stand(self) -> None:
        """Its status, as far as the disk tells."""
        if self.is_made:
            self.status, self.answer = MADE, {}
        elif self.status in ("not begun", MADE, DRAWN, AWAITS):
            self.status = "not begun"
            if self.draws and self.is_named and not self.first_frame:
                sheet = self.run.awaits_choice and self._candidates_sheet.is_file()
                self.status = AWAITS if sheet else DRAWN if self.anchor else "not begun"

    # -- its commands ----------------------------------------------------------------------------

    def argv(self, *, until_anchor: bool = False) -> Argv:
        """The options of the orchestrator that make it."""
        return self.run.to_argv_until("anchor") if until_anchor else self.run.to_argv()

    # -- what is shown ---------------------------------------------------------------------------

    def as_json(self) -> dict[str, Any]:
        """One entry of `shots`."""
        prompt = self.shot.prompt
        ahead = [*self.first_frame, *self.motion]
        return {
            "number": self.number,
            "name": self.shot.name,
            "prompt": prompt if len(prompt) <= 300 else f"{prompt[:297]}...",
            "status": self.status,
            "continues": self.shot.continues,
            "cast": list(self.shot.cast),
            "place": self.shot.place,
            "seconds": self.seconds,
            "anchor": str(self.anchor) if self.anchor else None,
            "end_frame": str(self.end_frame) if self.end_frame else None,
            "output": str(self.run.output) if self.is_named else None,
            "contact_sheet": self.contact_sheet,
            "cost": self.cost.as_json(),
            "to_pay": money.total([call.price for call in ahead]).as_json(),
            "stages": [call.brief for call in ahead],
            "error": self.answer.get("error"),
        }

    @property
    def contact_sheet(self) -> str | None:
        """The picture of its candidates, where one of them is to be chosen."""
        return str(self._candidates_sheet) if self.status == AWAITS else None

    @property
    def _candidates_sheet(self) -> Path:
        anchor = self.run.folder.anchor
        return anchor.with_name(anchor.stem + CANDIDATES) / CONTACT_SHEET


def _last_frame(before: ShotRun, *, writes: bool) -> GivenImage:
    """The last frame of the clip of the shot before, full size; one to come where there is none.

    It is written once and never again: its bytes are in the digest of what is made from it.
    """
    if before.is_made:
        clip = before.run.output
        path = clip.with_name(f"{clip.stem}.last-{sha256_of(clip)[:8]}.png")
        if writes and not path.is_file():
            files.write_file(path, grid.as_png(clips.last_frame(clip)))
        if path.is_file():
            return given_images.at("the last frame", path)
    ratio = str(before.run.planned_clip.settings["canvas"] or "16:9")
    wide, tall = (int(part) * _PIXELS for part in ratio.split(":"))
    path = before.run.output.with_suffix(".last.png")
    return given_images.to_come(path, (wide, tall))
