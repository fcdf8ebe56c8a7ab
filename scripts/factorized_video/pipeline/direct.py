"""One clip from the prompt alone, for comparison: plain text-to-video with the same care.

Stage 3's script makes it; here it is checked and priced.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import output_paths, receipts
from ..media import file_types
from ..receipts import Decision, spending
from ..stages import alternatives, synthesis
from ..stages.calls import Plan
from ..stages.context import Context
from .run import Run
from .run_request import RunOptions, RunRequest, job_words, terms_words
from .stage_runner import StageRunner


class DirectRun(Run):
    """A run with --direct: its clip is NAME.direct.mp4."""

    def __init__(self, request: RunRequest, options: RunOptions, context: Context) -> None:
        # Named after the clip in three stages that the same words would give.
        named = options.output or output_paths.default_output(
            request.prompt, request.digest(context.identity), ".mp4", options.folder
        )
        self.output = output_paths.direct_path(named)
        context.rerun.makes(self.output)
        self.request = request
        self.context = context
        self.options = options
        self._clip = request.clip(request.motion, None)
        self._outlook = synthesis.outlook(self._clip, self.output, context, options.job.job)

    @property
    def is_done(self) -> bool:
        """Whether the clip is there, made from just these inputs."""
        found = receipts.look(self.output)
        wanted = self._clip.digest(self.context.identity_of("video"))
        allowed = self.context.allowed._replace(resubmit=False)
        return receipts.decide(found, wanted, allowed) is Decision.RETURN

    @property
    def left(self) -> Plan:
        """The call, if it is still to be made, with what was spent and the cap."""
        gateway, spent = self.context.gateway, spending.spent_for(self.outputs)
        calls, limit = self._outlook.calls, self.context.limit
        whole = Plan(calls, (), spent, limit, gateway.name, gateway.why)
        return whole.without((), self._outlook.left)

    def with_cheaper(self, plan: Plan) -> Plan:
        """The plan with the cheaper clips that there are."""
        rules = self.context.rules()
        return alternatives.with_cheaper(plan, self._clip, rules, in_orchestrator=True)

    @property
    def outputs(self) -> list[Path]:
        """All whose receipts say what this run has cost."""
        return [self.output]

    @property
    def warnings(self) -> list[str]:
        """What is worth saying before anything is sent."""
        return [*self._outlook.warnings, *self.context.gateway.warnings]

    def check(self) -> None:
        """Raise UsageError where something lies in the way of what would be made."""
        if not self.options.job.job:
            wanted = self._clip.digest(self.context.identity_of("video"))
            asked = self.request.asked(self.context.identity)
            receipts.check_room(self.output, wanted, self.context.allowed, asked)

    def check_needs(self) -> None:
        """Raise UsageError where a package is missing."""
        if self.context.is_demo:
            file_types.need_media_extra("The demo gateway")
        if self.options.job.filmstrip:
            file_types.need_media_extra("--filmstrip")

    def make(self) -> dict[str, Any]:
        """The clip; one that is there is not made again."""
        self.check_needs()
        self.context.console.warn(*self.warnings)
        job = self.options.job
        filmstrip = file_types.have_media_extra() if job.filmstrip is None else job.filmstrip
        terms = terms_words(self.context.terms)
        stages = StageRunner(self.context, self.options)
        asked = self.request.asked(self.context.identity)
        stages.handoff = stages.handoff.replace(asked=asked)
        stages.run(
            "generate_video_from_anchor.py",
            self._clip.to_argv(),
            output=self.output,
            overwrite=terms["overwrite"],
            resubmit=terms["resubmit"],
            **{**job_words(job), "filmstrip": filmstrip},
        )
        (result,) = stages.results
        return {**result, "stages": stages.results}
