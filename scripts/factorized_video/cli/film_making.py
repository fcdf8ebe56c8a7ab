"""A story from its plan to what it makes now, around which a person reads the price."""

from __future__ import annotations

import argparse
from typing import Any

from ..gateway import settings
from ..story.production import Production
from ..story.story_plan import StoryPlan
from . import around_a_run, run_report


def announce(options: argparse.Namespace, plan: StoryPlan) -> None:
    """The key's turn, and the price. Raises UsageError where the answer is no."""
    settings.resolve(options.gateway)
    around_a_run.announce_story(options, plan)


def made(options: argparse.Namespace, plan: StoryPlan) -> dict[str, Any]:
    """The storyboard, or the film, with the report if one was asked for."""
    return run_report.add(options, Production(plan).make(), folder=plan.folder)
