"""One clip from the prompt alone, for comparison: plain text-to-video with the same care.

Stage 3's script makes it; here is what is asked for, checked and priced.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from .. import output_paths, receipts, texts
from ..console import TOLD
from ..errors import Refused, Rejected, UsageError
from ..gateway import settings
from ..media import file_types
from ..prompts import strategies
from ..receipts import digests, spending
from ..receipts.cap import effective_cap
from ..rerun import OF_DRAWING, flag_of, with_model, with_other_words
from ..stages import plan
from .run import Run
from .stage_process import Children
from .stage_runner import OF_CLIP, clip_options
from .three_stages import check_filmstrip, digest

# Options that say nothing where no anchor is drawn, and none is given: names in a namespace.
OF_ANCHORS = (
    "anchor_path",
    "skip_anchor",
    "skip_reasoning",
    "stop_after",
    "work_dir",
    "save_intermediate",
    "enhance",
    "llm_model",
    "image_model",
    "motion_from_anchor",
    "last_frame",
    "fit",
    *OF_DRAWING,
)


class DirectRun(Run):
    """A run with --direct: its clip is NAME.direct.mp4."""

    def __init__(
        self,
        args: argparse.Namespace,
        scripts: str,
        prompt: str | None = None,
        folder: Path | None = None,
    ) -> None:
        """As `FactorizedRun`. Raises UsageError for options that say nothing here."""
        self._args = args
        self._console = args.console
        self._scripts = scripts
        for name in OF_ANCHORS:
            if getattr(args, name):
                raise UsageError(
                    f"{flag_of(name)} says nothing with --direct: there is no anchor.",
                    "Leave one of them out.",
                )
        if prompt is None:
            prompt = texts.read_text(args.prompt, args.prompt_file, "The prompt")
        self.prompt = prompt
        self._told = strategies.direct_prompt(prompt, args.style)
        self._motion = texts.read_motion(args.motion, args.motion_file)
        typed = output_paths.output_path(args.output) if args.output is not None else None
        if typed:
            output_paths.check_extension(typed, (".mp4",))
        self.gateway = chosen = settings.resolve(args.gateway, needs_key=False)
        # Named after the clip in three stages that the same words would give.
        named = typed or output_paths.default_output(
            prompt, digest(args, prompt, self._motion, chosen.identity), ".mp4", folder
        )
        self.output = output_paths.direct_path(named)
        self._wanted = digests.synthesis(
            self._told,
            self._motion,
            None,
            chosen.identity,
            model=args.video_model,
            take=args.take,
            last_frame=None,
            **{name: getattr(args, name) for name in OF_CLIP},
        )
        self._allowed = {"overwrite": args.overwrite, "demo": chosen.name == "demo"}
        pays = not args.job and receipts.would_pay(
            self.output, self._wanted, resubmit=args.resubmit, **self._allowed
        )
        self._made = () if pays else ("direct",)

        def planned(strict: bool = True) -> plan.Call:
            return plan.synthesis(
                self._told,
                self._motion,
                chosen.name,
                model=args.video_model,
                strategy=args.prompt_strategy,
                ratio=args.aspect_ratio,
                direct=True,
                allow_off=args.allow_off,
                strict=strict,
                **{
                    name: getattr(args, name)
                    for name in OF_CLIP
                    if name not in ("aspect_ratio", "prompt_strategy")
                },
            )

        call = planned(strict=pays or not plan.why_not(planned))
        self._call = call
        self.limit = effective_cap(args.max_cost, chosen.max_cost)

    @property
    def is_done(self) -> bool:
        """Whether the clip is there, made from just these inputs."""
        found = receipts.look(self.output)
        return receipts.decide(found, self._wanted, resubmit=False, **self._allowed) == "return"

    @property
    def left(self) -> plan.Plan:
        """The call, if it is still to be made, with what was spent and the cap."""
        whole = plan.Plan(
            (self._call,),
            (),
            spending.spent_for([self.output]),
            self.limit,
            self.gateway.name,
            self.gateway.why,
        )
        return whole.without(self._made)

    @property
    def outputs(self) -> list[Path]:
        """All whose receipts tell what this run has cost."""
        return [self.output]

    @property
    def warnings(self) -> list[str]:
        """What is worth saying before anything is sent."""
        return [*self._call.warnings, *self.gateway.warnings]

    def check(self) -> None:
        """Raise UsageError where something lies in the way of what would be made."""
        if not self._args.job:
            receipts.check_room(self.output, self._wanted, **self._allowed)

    def check_needs(self) -> None:
        """Raise AuthError where there is no key, UsageError where a package is missing."""
        settings.resolve(self._args.gateway)
        if self._args.gateway == "demo":
            file_types.need_media_extra("The demo gateway")
        check_filmstrip(self._args)

    def make(self) -> dict[str, Any]:
        """The clip; one that is there is not made again."""
        args = self._args
        self.check_needs()
        self._console.warn(*self.warnings)
        command = receipts.command_again()
        environ = {
            **os.environ,
            receipts.COMMAND: command,
            TOLD: json.dumps(self._console.warnings),
        }
        common = ["--gateway=" + args.gateway] + ["--quiet"] * args.quiet
        children = Children(self._console, common, environ)
        try:
            children.run(
                os.path.join(self._scripts, "generate_video_from_anchor.py"),
                direct=True,
                prompt=self._told,
                motion=self._motion,
                output=self.output,
                **clip_options(args),
                allow_off=args.allow_off,
                max_cost=args.max_cost,
                allow_unknown_cost=args.allow_unknown_cost,
            )
        except Rejected as error:
            if error.result.get("next"):
                instead = str(error.result["replacement"])
                error.result["next"] = with_model("--video-model", instead, str(self.output))
            raise
        except Refused as error:
            error.result["next"] = with_other_words()
            raise
        (result,) = children.results
        return {**result, "text": str(self.output), "stages": children.results}
