"""How the commands that a command needs are run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from ..pipeline.command import Launcher

# Of the options that make more than one clip, which are runs of their own.
_MANY = ("prompts_file", "story", "extend")


def launcher_of(options: argparse.Namespace, scripts: str) -> Launcher:
    """In this process where they are many, or it is one of many itself; else a process for each.

    `scripts` is the folder of the stage scripts.
    """
    if given := options.launcher:
        return cast("Launcher", given)
    if options.compare or any(getattr(options, name) is not None for name in _MANY):
        from .in_process import InThisProcess

        return InThisProcess()
    from ..pipeline.stage_process import Processes

    return Processes(scripts)
