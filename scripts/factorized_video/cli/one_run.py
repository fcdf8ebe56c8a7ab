"""The run that options ask for: in three stages, directly, or both ways."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import UsageError
from ..pipeline.direct import DirectRun
from ..pipeline.run import Run
from ..pipeline.run_request import RunOptions, RunRequest
from ..pipeline.three_stages import ThreeStages
from ..stages.context import Context


def one_run(
    options: argparse.Namespace, prompt: str | None = None, folder: Path | None = None
) -> Run:
    """Read, checked and priced; nothing is sent.

    `prompt` is one that was read before; `folder` where an output without a name goes. Raises
    UsageError for what cannot be used.
    """
    if options.evaluator_model is not None and not options.compare:
        raise UsageError(
            "--evaluator-model is for --compare --verify.", "Leave it out, or add both."
        )
    if options.draft and options.compare:
        raise UsageError(
            "--draft has no effect with --compare: both clips are made as they are asked for.",
            "Leave one of them out.",
        )
    context = Context.from_options(options)
    run_options = RunOptions.from_options(options, folder)
    request = RunRequest.from_options(options, prompt)
    context.rerun.reads(
        prompt=request.prompt,
        motion=request.motion,
        scene=request.scene,
        own_caption=request.caption,
        end_state=request.end_state,
    )
    if options.compare:
        from ..experiments.compare import ComparedRun

        return ComparedRun(request, run_options, context, options.evaluator_model)
    return (DirectRun if options.direct else ThreeStages)(request, run_options, context)
