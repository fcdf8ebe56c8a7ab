"""What is left to do for a request: the calls, and how many of each are still to be paid for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..receipts import spending
from . import alternatives
from .calls import Call, Plan
from .context import Context
from .request import ClipRequest


class Outlook(NamedTuple):
    """Asked by a stage before it starts, and for --direct by the orchestrator before that.

    `calls` are all that the request stands for, `left` how many of each stage are still to be made;
    a stage that is missing there makes all of its calls.
    """

    calls: tuple[Call, ...]
    left: Mapping[str, int]
    clip: ClipRequest | None = None  # of the call that makes one

    @property
    def pays(self) -> bool:
        """Whether anything is left to pay for."""
        return any(self.left.get(call.stage, call.times) for call in self.calls)

    @property
    def warnings(self) -> list[str]:
        """What is worth saying before anything is sent."""
        return [warning for call in self.calls for warning in call.warnings]

    def plan(self, context: Context, output: Path | None) -> Plan:
        """The calls that are left, and what the output has cost."""
        spent = spending.spent_for([output] if output else [])
        gateway = context.gateway
        whole = Plan(self.calls, (), spent, context.limit, gateway.name, gateway.why)
        return whole.without((), self.left)

    def shown(self, context: Context, output: Path | None) -> dict[str, Any]:
        """The result of --dry-run."""
        allow = context.terms.allow_unknown_cost
        left = self.plan(context, output)
        if self.clip:
            rules = context.rules()
            left = alternatives.with_cheaper(left, self.clip, rules, in_orchestrator=False)
        return left.shown(allow_unknown=allow)
