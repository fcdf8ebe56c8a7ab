"""What every run of the orchestrator has in common: planned first, then made.

A run is an output and all that is made for it. `FactorizedRun`, `DirectRun` and `ComparedRun` are
made from the parsed options: they have read and checked what the person gave, and know what is
there and what is left to pay; nothing was sent.
"""

from __future__ import annotations

import argparse
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..stages import plan

if TYPE_CHECKING:
    from ..console import Console
    from ..gateway.settings import Settings


class Run(ABC):
    """One run. Making one raises UsageError for what cannot be read, or is not legal."""

    output: Path  # the clip; of two the one in three stages
    prompt: str  # as the person gave it
    gateway: Settings
    _args: argparse.Namespace
    _console: Console

    @property
    @abstractmethod
    def outputs(self) -> list[Path]:
        """All whose receipts tell what it has cost."""

    @property
    @abstractmethod
    def left(self) -> plan.Plan:
        """The calls that are still to be made, with what was spent and the cap."""

    @property
    @abstractmethod
    def is_done(self) -> bool:
        """Whether all of it is there, made from just these inputs."""

    @property
    @abstractmethod
    def warnings(self) -> list[str]:
        """What is worth saying before anything is sent."""

    @abstractmethod
    def check(self) -> None:
        """Raise UsageError where something lies in the way of what would be made."""

    @abstractmethod
    def check_needs(self) -> None:
        """Raise AuthError where there is no key, UsageError where a package is missing."""

    @abstractmethod
    def make(self) -> dict[str, Any]:
        """Make what is not there yet; the result. Raises a ToolError that says how it ended."""

    def dry_run(self) -> dict[str, Any]:
        """The result of --dry-run. Over the cap, OverBudget with the plan in its result."""
        self._console.warn(*self.warnings)
        self.check()
        return plan.shown(self.left, self._args.allow_unknown_cost)
