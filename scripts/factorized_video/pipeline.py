"""The three stages as the orchestrator runs them: which are left to do, and each with its options.

A stage is a script of its own, run by its path; what it answers is kept in `children`.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from . import asked, budget, inputs, prompts, receipts, runs
from .again import offer_replacement, same_command
from .budget import Cap
from .children import Children
from .console import TOLD
from .errors import OverBudget, Rejected
from .legal import DEFAULT_RATIO
from .plan import Plan
from .workfolder import WorkFolder

# The settings of the clip, as typed, that Stage 3's digest covers.
OF_CLIP = (
    "duration", "aspect_ratio", "prompt_strategy", "resolution", "audio", "fit", "fit_duration",
)  # fmt: skip
_MODEL_FLAGS = {
    "reasoning": "--llm-model", "composition": "--image-model", "synthesis": "--video-model",
}  # fmt: skip


class Stages:
    """Runs the stage scripts in `scripts`, one after the other, and keeps what they answered."""

    def __init__(
        self,
        args: argparse.Namespace,
        planned: Plan,
        folder: WorkFolder,
        output: Path,
        anchor: Path,
        prompt: str,
        motion: str | None,
        scripts: str,
    ) -> None:
        common = ["--gateway=" + args.gateway] + ["--quiet"] * args.quiet
        # Receipts name the command that a person would run again: this one.
        command = same_command("--no-wait")
        environ = {**os.environ, receipts.COMMAND: command}
        self.children = Children(args.console, common, environ)
        self._args = args
        self._folder = folder
        self._output = output
        self._anchor = anchor
        self._prompt = prompt
        self._motion = motion
        self._scripts = scripts
        self._own = folder.persons_own()
        # What was typed, else what both models take where that is not the stages' own default.
        self._ratio: str | None = args.aspect_ratio
        if planned.has("composition"):
            ratio = planned.call("composition").settings["aspect_ratio"]
            self._ratio = args.aspect_ratio or (ratio if ratio != DEFAULT_RATIO else None)

    def tell(self, warnings: list[str]) -> None:
        """What the person has read by now; the stages do not say it again."""
        self.children.environ[TOLD] = json.dumps(warnings)

    @property
    def _paths(self) -> list[Path]:
        return [self._folder.caption, self._folder.anchor, self._output]

    @property
    def spent(self) -> budget.Spent:
        """What the receipts of this run say was spent."""
        return runs.spent_for(self._paths)

    def made(self, planned: Plan, gateway: dict[str, str]) -> list[str]:
        """The planned stages that will make no paid call, as far as can be told by now.

        A stage whose input is yet to be made anew will make one.
        """
        made = []
        args, folder, demo = self._args, self._folder, gateway["name"] == "demo"
        rewritten = "caption" in self._own or bool(
            receipts.rewritten(folder.caption, asked.reasoning(
                self._prompt, gateway, style=args.style, aspect_ratio=self._ratio,
                model=args.llm_model,
            ))
        ) or not planned.has("reasoning")  # fmt: skip
        if planned.has("reasoning") and rewritten:
            made.append("reasoning")
        drawn = "anchor" in self._own or not planned.has("composition")
        if not drawn and rewritten and self._caption() is not None:
            wanted = asked.composition(
                self._caption() or "", gateway, style=self._style(), model=args.image_model,
                aspect_ratio=self._ratio, enhance=args.enhance, take=args.take,
            )  # fmt: skip
            drawn = not receipts.would_pay(
                folder.anchor, wanted, overwrite=True, resubmit=args.resubmit, demo=demo
            )
        if planned.has("composition") and drawn:
            made.append("composition")
        if planned.has("synthesis") and drawn and (args.job or self._clip_is_made(gateway, demo)):
            made.append("synthesis")
        return made

    def check_budget(self, limit: Cap | None, planned: Plan, gateway: dict[str, str]) -> None:
        """Raise OverBudget where what was spent and what is left to pay do not fit the cap."""
        if limit is not None:
            left = planned.without(self.made(planned, gateway)).costs
            allow = self._args.allow_unknown_cost
            try:
                budget.check(limit, self.spent, left, allow_unknown=allow)
            except OverBudget as error:
                if done := self.children.results:  # a stage cost more than it was thought to
                    error.charged = None
                    error.result.update(cost=self.children.cost(), stages=done)
                raise

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
            aspect_ratio=self._ratio,
            model=args.llm_model,
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
            aspect_ratio=self._ratio,
            enhance=args.enhance,
            overwrite=True,
            resubmit=args.resubmit,
            take=args.take if args.take != 1 else None,
        )

    def synthesis(self, written: Path | None, pipeline: dict[str, Any]) -> None:
        """Stage 3, with the motion given, else the one that Stage 1 has `written`, if any.

        `pipeline` goes into the video's receipt as soon as there is one, so that other inputs are
        noticed before Stages 1 and 2 are paid for.
        """
        args = self._args
        motion_file = self._motion_file(written)
        if motion_file and "motion" in self._own:
            self._say_own(motion_file)
        self.children.environ[receipts.PIPELINE] = json.dumps(pipeline)
        sound = {None: {}, True: {"audio": True}, False: {"no_audio": True}}[args.audio]
        self._run(
            "generate_video_from_anchor.py",
            anchor=self._anchor,
            prompt=self._prompt,
            motion=self._motion,
            motion_file=motion_file,
            output=self._output,
            model=args.video_model,
            **{name: getattr(args, name) for name in OF_CLIP if name != "audio"},
            **sound,
            filmstrip=args.filmstrip,
            timeout=f"{args.timeout:g}",
            no_wait=args.no_wait,
            job=args.job,
            overwrite=args.overwrite,
            resubmit=args.resubmit,
            take=args.take if args.take != 1 else None,
        )

    def stopped(self, path: Path) -> dict[str, Any]:
        """The result of --stop-after; `next` is the same command without it."""
        results = self.children.results
        last = results[-1] if results else {}
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
            "next": same_command("--stop-after"),
        }

    def _clip_is_made(self, gateway: dict[str, str], demo: bool) -> bool:
        if not self._anchor.is_file():
            return False
        written = self._folder.motion if not self._args.skip_reasoning else None
        motion = self._motion
        if motion_file := self._motion_file(written):
            motion = inputs.read_text(None, str(motion_file), "The motion")
        wanted = asked.synthesis(
            self._prompt, motion, receipts.sha256_of(self._anchor), gateway,
            model=self._args.video_model, take=self._args.take,
            **{name: getattr(self._args, name) for name in OF_CLIP},
        )  # fmt: skip
        return not receipts.would_pay(
            self._output, wanted, overwrite=self._args.overwrite, resubmit=self._args.resubmit,
            demo=demo,
        )  # fmt: skip

    def _motion_file(self, written: Path | None) -> Path | None:
        """What Stage 1 wrote, where the clip is told it."""
        takes_motion = self._motion is None and self._args.prompt_strategy != "original"
        return written if takes_motion and written is not None and written.exists() else None

    def _caption(self) -> str | None:
        if self._args.skip_reasoning:
            return self._prompt
        path = self._folder.caption
        return inputs.read_text(None, str(path), "The caption") if path.is_file() else None

    def _style(self) -> str | None:
        style: str | None = self._args.style or prompts.named_style(self._prompt)
        return style

    def _run(self, script: str, *words: str, **options: Any) -> None:
        args = self._args
        try:
            self.children.run(
                os.path.join(self._scripts, script),
                *words,
                allow_off=args.allow_off,
                max_cost=args.max_cost,
                allow_unknown_cost=args.allow_unknown_cost,
                **options,
            )
        except Rejected as error:
            # The same for all three: what the stages before have made is kept.
            instead = error.result.get("replacement")
            error.result["unknown_model"] = instead is not None
            instead = str(instead) if instead else None
            flag = _MODEL_FLAGS[str(error.result.get("stage"))]
            offer_replacement(error, flag, instead, str(self._output))
            raise

    def _say_own(self, path: Path) -> None:
        self._args.console.warn(f"{path} is your own version: it is used as it is.")
