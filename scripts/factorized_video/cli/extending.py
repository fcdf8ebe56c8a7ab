"""--extend: one prompt as several clips, each of which continues the one before, joined into one.

The LLM divides the prompt into parts, once; from then on it is a story of one take.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .. import money, output_paths, texts
from ..errors import UsageError
from ..models import limits
from ..rerun import flag_of
from ..stages.context import Context
from ..stages.paid_call import make
from ..story import writing
from ..story.story_plan import StoryPlan, folder_of
from ..story.writing import StoryCall, StoryRequest
from . import film_making, story_reading
from .story_reading import StoryFile

PARTS = "parts.md"  # in the folder of the film
_DRIFT = (
    "Each part begins with the last frame of the one before: the picture drifts with every link. "
    "Look at the joins; after three or four, a story with new first frames holds better."
)
_HOLDS = 3  # parts, usually
_NOT_WITH_IT = (
    "job work_dir compare direct stop_after draft evaluator_model save_intermediate motion "
    "motion_file last_frame end_state loop shots"
).split()


def check_options(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Raise UsageError for options without effect on a clip of several parts."""
    if options.prompt is None and options.prompt_file is None:
        raise UsageError("--extend is of one prompt.", "Add --prompt TEXT, or leave it out.")
    for name in _NOT_WITH_IT:
        if getattr(options, name) != parser.get_default(name):
            raise UsageError(
                f"{flag_of(name)} has no effect with --extend, which makes several clips.",
                "Leave it out.",
            )
    story_reading.check_stop(options)


def made(options: argparse.Namespace, parser: argparse.ArgumentParser) -> dict[str, Any]:
    """The plan, the first frame to look at, or the film, as far as it goes now."""
    prompt = texts.read_text(options.prompt, options.prompt_file, "The prompt")
    context = Context.from_options(options)
    context.rerun.reads(prompt=prompt)
    seconds = options.duration or limits.DEFAULT_DURATION_S
    request = StoryRequest(prompt, options.extend, options.llm_model, (), seconds, one_take=True)
    output = output_paths.given_output(options.output, (".mp4",))
    digest = request.digest(context.identity_of("chat"))
    output = output or output_paths.default_output(prompt, digest, ".mp4")
    options.output = str(output)
    context.rerun.makes(output)
    path = folder_of(output) / PARTS

    def planned(told: StoryFile) -> StoryPlan:
        return story_reading.plan_of(told, options, parser)

    if options.extend > _HOLDS:
        options.console.warn(_DRIFT)
    left, call = writing.outlook(request, path, context), StoryCall(context, path, request)
    if left.pays:
        plan = planned(StoryFile(path, writing.stand_in(prompt, options.extend)))
    else:
        make(call)  # a file that was lost comes back
        plan = planned(_read(path))
    if options.dry_run:
        return _with_call(plan.dry_run(), left.plan(context, path).cost)
    plan.check_cap()
    film_making.announce(options, plan)
    if left.pays:
        make(call)
        plan = planned(_read(path))
    result = film_making.made(options, plan)
    result["parts"] = str(path)
    return result


def _read(path: Path) -> StoryFile:
    """The parts as they stand in their file, which may have been edited."""
    return StoryFile(path, story_reading.read_file(path))


def _with_call(result: dict[str, Any], price: money.Cost) -> dict[str, Any]:
    """The plan, with the call that writes the parts."""
    cost = money.total([money.from_json(result["cost"]), price])
    return {**result, "cost": cost.as_json()}
