"""--write-story: a file of a story, written by the LLM from one idea, to be edited."""

from __future__ import annotations

import argparse
import os
from typing import Any

from .. import output_paths, texts
from ..gateway import settings
from ..models import limits
from ..rerun import flag_of
from ..stages.context import Context
from ..stages.paid_call import make
from ..story import writing
from ..story.writing import StoryCall, StoryRequest
from . import around_a_run, standing_options
from .option_words import check_effect

SHOTS = 4  # unless it is said
# What the file says for all of its shots, where the command does.
_SETTINGS = ("style", "aspect_ratio", "duration")
_TAKES = ("write_story", "shots", "output", "llm_model", *_SETTINGS)
_TERMS = ("dry_run", "max_cost", "allow_unknown_cost", "allow_off", "overwrite", "resubmit")


def written(options: argparse.Namespace, parser: argparse.ArgumentParser) -> dict[str, Any]:
    """The story in its file, or the one that was written before for the same idea.

    Raises UsageError also for options that have no effect on the writing.
    """
    why = "--write-story: only a file is written. Its settings are yours to edit"
    check_effect(options, parser, (*_TAKES, *_TERMS), why)
    standing_options.fill(options)
    options.console.stage = "story"
    idea = texts.read_text(options.write_story, None, "The idea")
    context = Context.from_options(options)
    context.rerun.reads(prompt=idea)
    told = tuple(
        (flag_of(name)[2:], str(getattr(options, name)))
        for name in _SETTINGS
        if getattr(options, name) is not None
    )
    seconds = options.duration or limits.DEFAULT_DURATION_S
    request = StoryRequest(idea, options.shots or SHOTS, options.llm_model, told, seconds)
    digest = request.digest(context.identity_of("chat"))
    output = output_paths.given_output(options.output, (".md",))
    output = output or output_paths.default_output(idea, digest, ".md")
    context.rerun.makes(output)
    outlook = writing.outlook(request, output, context)
    options.console.warn(*outlook.warnings, *context.gateway.warnings)
    call = StoryCall(context, output, request)
    if options.dry_run:
        call.check_room()
        return outlook.shown(context, output)
    settings.resolve(options.gateway)  # the key's turn comes after the plan
    around_a_run.announce(options, context, outlook.plan(context, output))
    result = call.result(make(call))
    film = os.path.splitext(str(output))[0] + ".mp4"
    without = ("--write-story", *(flag_of(name) for name in _TAKES), "--max-cost")
    added = (f"--story={output}", f"--output={film}", "--dry-run")
    return {**result, "next": context.rerun.same(*without, add=added)}
