"""The three stages as the orchestrator runs them: which are left to do, and each with its options.

A stage is a script of its own, run by its path; what it answers is kept in `children`.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from .. import receipts, texts
from ..console import TOLD
from ..errors import OverBudget, Rejected, Unverified, UsageError
from ..models import THE_ONLY_ONE, limits
from ..prompts import strategies, styles
from ..receipts import digests, spending
from ..receipts.cap import Cap, Spent, check_cap
from ..rerun import same_command, with_choice, with_model
from ..stages.candidates.folder import Folder, Wish
from ..stages.plan import ANCHOR_STAGES, MOTION_TO_COME, Plan
from .stage_process import OF_CANDIDATES, Children
from .work_folder import WorkFolder

# The settings of the clip, as typed, that Stage 3's digest covers.
OF_CLIP = (
    "duration",
    "aspect_ratio",
    "prompt_strategy",
    "resolution",
    "audio",
    "fit",
    "fit_duration",
    "seed",
)
MODEL_FLAGS = {
    "reasoning": "--llm-model",
    "questions": "--judge-model",
    "composition": "--image-model",
    "verification": "--judge-model",
    "repair": "--image-model",
    "motion": "--llm-model",
    "synthesis": "--video-model",
    "direct": "--video-model",
}


def check_models(planned: Plan, made: tuple[str, ...]) -> None:
    """Raise UsageError where a model is left to be asked for when others are paid for before.

    At a gateway without default models only a stage that pays alone may ask for the list.
    """
    paying = [call for call in planned.calls if call.stage not in made]
    open_still = {MODEL_FLAGS[call.stage]: 0 for call in paying if call.model.id == THE_ONLY_ONE}
    if open_still and len(paying) > 1:
        raise UsageError(
            f"{planned.calls[0].gateway} has no default models.",
            f"Name them: {', '.join(open_still)} (--list-models --online asks which there are).",
        )


def clip_options(args: argparse.Namespace) -> dict[str, Any]:
    """The options of Stage 3 as the orchestrator hands them on, for `Children.run`."""
    return {
        "model": args.video_model,
        **{name: getattr(args, name) for name in OF_CLIP if name != "audio"},
        "audio": args.audio is True,
        "no_audio": args.audio is False,
        "filmstrip": args.filmstrip,
        "timeout": f"{args.timeout:g}",
        "no_wait": args.no_wait,
        "job": args.job,
        "overwrite": args.overwrite,
        "resubmit": args.resubmit,
        "take": args.take if args.take != 1 else None,
    }


class Stages:
    """Runs the stage scripts in `scripts`, one after the other, and keeps what they answered."""

    def __init__(
        self,
        args: argparse.Namespace,
        names: tuple[str, ...],
        folder: WorkFolder,
        output: Path,
        anchor: Path,
        prompt: str,
        motion: str | None,
        scripts: str,
        wish: Wish,
        last_frame: str | None,
        references: tuple[str, ...],
    ) -> None:
        """`names`: the stages there are, as `plan.stages_of` says; `wish` is of Stage 2.

        `last_frame` is the SHA-256 of the picture that the clip is to end with, `references` are
        those of the pictures of who or what is to appear again.
        """
        common = ["--gateway=" + args.gateway] + ["--quiet"] * args.quiet
        # Receipts name the command that a person would run again: this one.
        command = receipts.command_again()
        environ = {**os.environ, receipts.COMMAND: command}
        self.children = Children(args.console, common, environ)
        self._args = args
        self._names = names
        self._folder = folder
        self._output = output
        self._anchor = anchor
        self._prompt = prompt
        self._motion = motion
        self._scripts = scripts
        self._wish = wish
        self._last_frame = last_frame
        self._references = references
        self._own = folder.persons_own()
        self._left_usd: float | None = args.max_cost

    def tell(self, warnings: list[str], planned: Plan) -> None:
        """What the person has read by now, which the stages do not say again; and the canvas."""
        self.children.environ[TOLD] = json.dumps(warnings)
        if self._args.aspect_ratio is None and planned.has("composition"):
            ratio = planned.call("composition").settings["aspect_ratio"]
            self.children.environ[receipts.RATIO] = ratio

    @property
    def spent(self) -> Spent:
        """What the receipts of this run say was spent."""
        return spending.spent_for(self.outputs)

    @property
    def outputs(self) -> list[Path]:
        """All whose receipts tell what this run has cost."""
        return [*self._before_the_clip, self._output]

    @property
    def _before_the_clip(self) -> list[Path]:
        """What is paid for before Stage 3."""
        return [self._folder.caption, self._folder.anchor, self._folder.seen_motion]

    def check_choice(self, gateway: dict[str, str]) -> None:
        """Raise UsageError where a candidate is to be taken that is not there: nothing is sent."""
        if self._wish.select is None or "anchor" in self._own:
            return
        folder = self._candidates(gateway)
        if folder:
            folder.check_choice()
        else:  # without a caption none can have been drawn
            raise UsageError(
                f"There is no candidate {self._wish.select} for these inputs yet.",
                "Draw some with --candidates N first.",
            )

    def anchors_left(self, gateway: dict[str, str]) -> dict[str, int]:
        """How many calls of each kind Stage 2 still makes; empty as long as it has no caption."""
        folder = self._candidates(gateway)
        return folder.left(resubmit=self._args.resubmit) if folder else {}

    def _candidates(self, gateway: dict[str, str]) -> Folder | None:
        """The folder of this anchor's candidates; None as long as there is no caption."""
        written = self._rewritten(gateway)
        known = "caption" in self._own or written is not None or "reasoning" not in self._names
        caption = self._caption(written)
        if not known or caption is None:
            return None
        args, output = self._args, self._folder.anchor
        first = digests.composition(
            caption,
            gateway,
            style=self._style(),
            model=args.image_model,
            aspect_ratio=args.aspect_ratio,
            enhance=args.enhance,
            take=args.take,
            references=self._references,
        )
        return Folder(output, first, self._wish, gateway)

    def made(self, gateway: dict[str, str]) -> tuple[str, ...]:
        """The stages that will make no paid call, as far as can be told by now.

        A stage whose input is yet to be made anew will make one.
        """
        made = []
        args, demo = self._args, gateway["name"] == "demo"
        written = self._rewritten(gateway)
        if "reasoning" in self._names:
            rewritten = "caption" in self._own or written is not None
            made += ["reasoning"] * rewritten
        else:
            rewritten = True
        drawn = "anchor" in self._own or "composition" not in self._names
        if not drawn:
            left = self.anchors_left(gateway)
            drawn = bool(left) and not any(left.values())
        if drawn and "composition" in self._names:
            made += ANCHOR_STAGES
        # A motion that Stage 1 is yet to write is another one than that of any clip.
        told = self._motion is not None or args.prompt_strategy == "original"
        told = told or rewritten or "motion" in self._own
        if args.motion_from_anchor and drawn:
            seen = "seen_motion" in self._own or self._watched(gateway) is not None
            made += ["motion"] * seen
            told = told and seen
        if drawn and (args.job or (told and self._clip_is_made(gateway, written, demo))):
            made.append("synthesis")
        return tuple(made)

    def left(self, planned: Plan, made: tuple[str, ...], gateway: dict[str, str]) -> Plan:
        """The plan without what was paid for before."""
        if "composition" in made or "composition" not in self._names:
            return planned.without(made)
        return planned.without(made, self.anchors_left(gateway))

    def check(self, limit: Cap | None, planned: Plan, gateway: dict[str, str]) -> None:
        """Before a stage is begun: raise what would end a later one after it was paid for.

        OverBudget where what was spent and what is left to pay do not fit the cap; UsageError where
        a text that is there by now is too long, or the clip's place is taken.
        """
        made = self.made(gateway)
        if limit is not None:
            if self._args.resubmit and self._job_is_known():
                # It is sent once more only if the gateway has forgotten the job: Stage 3 finds out,
                # and has for it what the stages before it leave of the cap.
                made = (*made, "synthesis")
                before = spending.spent_for(self._before_the_clip)
                self._left_usd = max(0.0, limit.usd - before.usd)
            left = self.left(planned, made, gateway).costs
            allow = self._args.allow_unknown_cost
            try:
                check_cap(limit, self.spent, left, allow_unknown=allow)
            except OverBudget as error:
                if done := self.children.results:  # a stage cost more than it was thought to
                    error.charged = None
                    error.result.update(cost=self.children.cost(), stages=done)
                raise
        if "synthesis" in made or not planned.has("synthesis"):
            return
        if self._motion is None:
            self._check_motion(planned, self._rewritten(gateway))
        if "composition" in self._names and "composition" not in made and not self._args.job:
            # The clip that lies there, if any, is of another anchor than the one to be drawn.
            receipts.check_room(
                self._output, "", overwrite=self._args.overwrite, demo=gateway["name"] == "demo"
            )

    def _check_motion(self, planned: Plan, written: dict[str, Any] | None) -> None:
        """Raise UsageError where the motion of Stage 1, which is there by now, is too long."""
        call = planned.call("synthesis")
        motion = self._motion_text(written)
        strategy = call.settings["prompt_strategy"]
        if motion and MOTION_TO_COME in call.text:
            text = strategies.video_prompt(strategy, self._prompt, motion)
            limits.check_prompt(call.model, len(text), call.gateway, "prompt and motion")

    def reasoning(self) -> None:
        """Stage 1, unless the caption is the person's own."""
        args, folder = self._args, self._folder
        if "caption" in self._own:
            self._say_own(folder.caption)
            return
        self._run(
            "rewrite_prompt.py",
            "-",
            stdin=self._prompt,
            output=folder.caption,
            motion_file=None if "motion" in self._own else folder.motion,
            style=args.style,
            aspect_ratio=args.aspect_ratio,
            model=args.llm_model,
            reference=args.reference,
            overwrite=True,  # an older one is kept aside; the person's own never comes here
        )

    def composition(self) -> None:
        """Stage 2, unless the anchor is the person's own."""
        args, folder = self._args, self._folder
        if "anchor" in self._own:
            self._say_own(folder.anchor)
            return
        self._run(
            "generate_anchor.py",
            stdin=self._prompt if args.skip_reasoning else None,
            input_file="-" if args.skip_reasoning else folder.caption,
            output=folder.anchor,
            model=args.image_model,
            style=self._style(),
            aspect_ratio=args.aspect_ratio,
            enhance=args.enhance,
            reference=args.reference,
            overwrite=True,
            resubmit=args.resubmit,
            take=args.take if args.take != 1 else None,
            candidates=args.candidates,
            select=args.select,
            verify=args.verify,
            repair=args.repair,
            min_score=None if args.min_score is None else f"{args.min_score:g}",
            judge_model=args.judge_model,
            user_prompt=self._prompt if self._wish.verifies else None,
        )

    def motion(self) -> None:
        """The motion, with the anchor in view; where none is sound, Stage 1's stays."""
        if "seen_motion" in self._own:
            self._say_own(self._folder.seen_motion)
            return
        self._run(
            "rewrite_prompt.py",
            "-",
            stdin=self._prompt,
            anchor=self._anchor,
            output=self._folder.seen_motion,
            model=self._args.llm_model,
            overwrite=True,
        )

    @property
    def of_candidates(self) -> dict[str, Any]:
        """What Stage 2 has said of candidates; nothing where there were none."""
        drawn = [one for one in self.children.results if one.get("stage") == "composition"]
        return {key: drawn[-1][key] for key in OF_CANDIDATES if key in drawn[-1]} if drawn else {}

    @property
    def awaits_choice(self) -> bool:
        """Whether Stage 2 has ended with candidates, and without one that was taken."""
        return "candidate" in self.of_candidates and self.of_candidates["candidate"] is None

    def synthesis(self, written: Path | None, pipeline: dict[str, Any]) -> None:
        """Stage 3, with the motion given, else the one that Stage 1 has `written`, if any.

        `pipeline` goes into the video's receipt as soon as there is one, so that other inputs are
        noticed before Stages 1 and 2 are paid for.
        """
        args = self._args
        motion_file = self._motion_file(written)
        if motion_file == self._folder.motion and "motion" in self._own:
            self._say_own(motion_file)
        self.children.environ[receipts.PIPELINE] = json.dumps(pipeline)
        self._run(
            "generate_video_from_anchor.py",
            anchor=self._anchor,
            prompt=self._prompt,
            motion=self._motion,
            motion_file=motion_file,
            output=self._output,
            last_frame=args.last_frame,
            **clip_options(args),
        )

    def stopped(self, path: Path) -> dict[str, Any]:
        """The result of --stop-after; `next` is the same command without it."""
        results = self.children.results
        of_path = [one for one in results if one.get("stage") != "motion"]
        last = of_path[-1] if of_path else {}
        return {
            "status": "succeeded",
            "text": str(path),
            "output": str(path),
            "gateway": last.get("gateway"),
            "model": last.get("model"),
            "cost": self.children.cost(),
            "receipt": last.get("receipt"),
            "stage": last.get("stage"),
            "stages": results,
            **self.of_candidates,
            "next": same_command("--stop-after"),
        }

    def to_choose(self) -> dict[str, Any]:
        """The result where a person is to choose among the candidates."""
        sheet = str(self.children.results[-1]["contact_sheet"])
        return {**self.stopped(Path(sheet)), "next": with_choice()}

    def _clip_is_made(
        self, gateway: dict[str, str], written: dict[str, Any] | None, demo: bool
    ) -> bool:
        anchor = self._anchor_sha256(gateway)
        if anchor is None:
            return False
        motion = self._motion
        if motion is None and self._args.prompt_strategy != "original":
            motion = self._motion_text(written)
        wanted = digests.synthesis(
            self._prompt,
            motion,
            anchor,
            gateway,
            model=self._args.video_model,
            take=self._args.take,
            last_frame=self._last_frame,
            **{name: getattr(self._args, name) for name in OF_CLIP},
        )
        return not receipts.would_pay(
            self._output,
            wanted,
            overwrite=self._args.overwrite,
            resubmit=self._args.resubmit,
            demo=demo,
        )

    def _anchor_sha256(self, gateway: dict[str, str]) -> str | None:
        """SHA-256 of the anchor that the clip will be made from, where that is known by now.

        Of several candidates another one than the last may be taken.
        """
        if "composition" in self._names and "anchor" not in self._own:
            folder = self._candidates(gateway)
            if folder and folder.in_use:
                return folder.sha256_to_take()
        return receipts.sha256_of(self._anchor) if self._anchor.is_file() else None

    def _job_is_known(self) -> bool:
        receipt = receipts.read(self._output) or {}
        return bool(receipt.get("job")) and receipt["state"] in ("submitted", "succeeded")

    def _rewritten(self, gateway: dict[str, str]) -> dict[str, Any] | None:
        """Stage 1's receipt, if it is for what was asked."""
        args = self._args
        wanted = digests.reasoning(
            self._prompt,
            gateway,
            style=args.style,
            aspect_ratio=args.aspect_ratio,
            model=args.llm_model,
            references=self._references,
        )
        return receipts.rewritten(self._folder.caption, wanted)

    def _watched(self, gateway: dict[str, str]) -> dict[str, Any] | None:
        """The receipt of the motion that was written with this anchor in view."""
        anchor = self._anchor_sha256(gateway)
        if anchor is None:
            return None
        wanted = digests.motion(self._prompt, anchor, gateway, model=self._args.llm_model)
        return receipts.rewritten(self._folder.seen_motion, wanted)

    def _motion_file(self, written: Path | None) -> Path | None:
        """The motion that was written with the anchor in view, else by Stage 1, if it is told."""
        if self._args.motion_from_anchor and self._folder.seen_motion.is_file():
            return self._folder.seen_motion
        takes_motion = self._motion is None and self._args.prompt_strategy != "original"
        return written if takes_motion and written is not None and written.exists() else None

    def _motion_text(self, written: dict[str, Any] | None) -> str | None:
        """The motion that is told: the file, else what its receipt will restore."""
        path = self._folder.seen_motion
        if self._args.motion_from_anchor:
            if path.is_file():
                return texts.read_text(None, str(path), "The motion")
            seen = receipts.read(path) or {}
            if isinstance(told := (seen.get("result") or {}).get("motion"), str):
                return told
        if "reasoning" not in self._names:
            return None
        path = self._folder.motion
        if path.is_file():
            return texts.read_text(None, str(path), "The motion")
        motion = written["result"].get("motion") if written else None
        return motion if isinstance(motion, str) else None

    def _caption(self, written: dict[str, Any] | None) -> str | None:
        """The caption: the file, else what Stage 1's receipt will restore."""
        if self._args.skip_reasoning:
            return self._prompt
        path = self._folder.caption
        if path.is_file():
            return texts.read_text(None, str(path), "The caption")
        caption = written["result"].get("caption") if written else None
        return caption if isinstance(caption, str) else None

    def _style(self) -> str | None:
        style: str | None = self._args.style or styles.named_style(self._prompt)
        return style

    def _run(self, script: str, *words: str, **options: Any) -> None:
        args = self._args
        if any(not result.get("reused") for result in self.children.results):
            # A stage of this run has paid, and so has asked: the later ones need not.
            self.children.environ[receipts.CHECKED] = "1"
        try:
            self.children.run(
                os.path.join(self._scripts, script),
                *words,
                allow_off=args.allow_off,
                max_cost=self._left_usd,
                allow_unknown_cost=args.allow_unknown_cost,
                **options,
            )
        except Rejected as error:
            if error.result.get("next"):
                # The stage's own command with the replacement: here it is the orchestrator's. The
                # output is named, so that what the stages before have made is kept.
                instead = str(error.result["replacement"])
                judge = f"--judge-model={instead}" in str(error.result["next"])
                flag = "--judge-model" if judge else MODEL_FLAGS[str(error.result["stage"])]
                error.result["next"] = with_model(flag, instead, str(self._output))
            raise
        except Unverified as error:
            error.result["next"] = with_choice()
            raise

    def _say_own(self, path: Path) -> None:
        self._args.console.warn(f"{path} is your own version: it is used as it is.")
