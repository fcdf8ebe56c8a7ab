"""What every run of the orchestrator has in common: planned first, then made.

A run is an output and all that is made for it: in three stages, directly, or both ways. Creating a
`Run` reads and checks what was given, and finds out what exists and what is left to pay; nothing is
sent.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..rerun import words_of
from ..stages.request import Argv
from .run_request import RunOptions, RunRequest, terms_words

if TYPE_CHECKING:
    from ..stages.calls import Plan
    from ..stages.context import Context


class Run(ABC):
    """One run. Making one raises UsageError for what is not supported."""

    output: Path  # the clip; of two the one in three stages
    request: RunRequest
    options: RunOptions
    context: Context

    @property
    @abstractmethod
    def outputs(self) -> list[Path]:
        """All whose receipts say what it has cost."""

    @property
    def clips(self) -> list[Path]:
        """What it makes: one clip, or both ways."""
        return [self.output]

    @property
    @abstractmethod
    def left(self) -> Plan:
        """The calls that are still to be made, with what was spent and the cap."""

    @property
    @abstractmethod
    def is_done(self) -> bool:
        """Whether all of it is there, made from just these inputs."""

    @property
    @abstractmethod
    def warnings(self) -> list[str]:
        """What is worth saying before anything is sent."""

    def with_cheaper(self, plan: Plan) -> Plan:
        """The plan with the cheaper clips that there are."""
        return plan

    @abstractmethod
    def check(self) -> None:
        """Raise UsageError where something lies in the way of what would be made."""

    @abstractmethod
    def check_needs(self) -> None:
        """Raise UsageError where a package is missing; the key was checked before."""

    @abstractmethod
    def make(self) -> dict[str, Any]:
        """Make what is not there yet; the result. Raises a ToolError for how it ended."""

    def to_argv(self) -> Argv:
        """The options of the orchestrator that make this run, but for its output and its cap."""
        argv, terms = self.request.to_argv(), words_of(terms_words(self.context.terms))
        return Argv([*argv.words, *self.options.to_words(), *terms], argv.stdin)

    def dry_run(self) -> dict[str, Any]:
        """The result of --dry-run. Over the cap, OverBudget with the plan in its result."""
        self.context.console.warn(*self.warnings)
        self.check()
        return self.with_cheaper(self.left).shown(
            allow_unknown=self.context.terms.allow_unknown_cost
        )
