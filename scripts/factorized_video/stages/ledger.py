"""What a run may still spend: asked before each paid call, whatever was paid for since the plan.

Receipts say what was spent; answers that no receipt holds yet are counted here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..money import Cost
from ..receipts import spending
from ..receipts.cap import Spent, check_cap

if TYPE_CHECKING:
    from .context import Context


class Ledger:
    """Of one run: its outputs are those of the stage, and in the orchestrator those of all stages.

    Several threads may ask it.
    """

    def __init__(self, context: Context, outputs: Iterable[Path]) -> None:
        self._limit = context.limit
        self._allow_unknown = context.terms.allow_unknown_cost
        handed = map(Path, context.handoff.outputs)
        self.outputs = list(dict.fromkeys([*outputs, *handed]))
        self._unrecorded: dict[object, list[Cost]] = {}
        self._lock = threading.Lock()

    @property
    def spent(self) -> Spent:
        """By the receipts, and what is not in them yet."""
        spent = spending.spent_for(self.outputs)
        more = [cost.amount for costs in self._unrecorded.values() for cost in costs]
        usd = spent.usd + sum(amount or 0.0 for amount in more)
        return Spent(round(usd, 6), spent.unknown + more.count(None))

    def check(self, *costs: Cost) -> None:
        """Raise OverBudget where there is no room for these calls."""
        if self._limit is not None:
            check_cap(self._limit, self.spent, list(costs), allow_unknown=self._allow_unknown)

    @contextmanager
    def room_for(self, cost: Cost) -> Iterator[None]:
        """Check that there is room, and let nobody else ask until a receipt holds the call."""
        with self._lock:
            self.check(cost)
            yield

    def hold(self, whose: object, costs: list[Cost], following: Cost | None = None) -> None:
        """Count what was paid for and stands in no receipt yet; a call that follows must fit."""
        with self._lock:
            self._unrecorded[whose] = costs
            if following is not None:
                self.check(following)
                self._unrecorded[whose] = [*costs, following]

    def recorded(self, whose: object) -> None:
        """A receipt holds it now."""
        with self._lock:
            self._unrecorded.pop(whose, None)
