"""The spending limit of a run: whether what was spent and what is planned fit into it. Pure.

A run is an output and what was made for it (`spending.spent_for`); another output is another run.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from ..errors import OverBudget, UsageError
from ..money import Cost, amount, total, usd

MAX_COST = "FACTORIZED_VIDEO_MAX_COST"
# Sums of prices in binary fractions: a plan of exactly the cap is within it.
_HALF_A_MICRODOLLAR = 5e-7
REDRAWS = 2  # of the first frame, that a suggested limit leaves room for


class Cap(NamedTuple):
    """A limit in USD, and what set it: the option or the variable."""

    usd: float
    source: str

    @property
    def shown(self) -> str:
        """For people."""
        return f"{usd(self.usd)} ({self.source})"


class Spent(NamedTuple):
    """What a run has cost by its receipts, in USD, and how many calls have no known cost."""

    usd: float = 0.0
    unknown: int = 0

    def as_json(self) -> dict[str, object]:
        """The `spent` object of results."""
        return {"amount": self.usd, "unknown_calls": self.unknown}


def effective_cap(given: float | None, standing: str | None) -> Cap | None:
    """The lower of `--max-cost` and the standing cap. Raises UsageError if that is no amount."""
    caps = [Cap(given, "--max-cost")] if given is not None else []
    if standing:
        caps.append(Cap(_usd(standing), MAX_COST))
    return min(caps, key=lambda one: one.usd, default=None)


def check_cap(limit: Cap | None, spent: Spent, costs: list[Cost], *, allow_unknown: bool) -> None:
    """Raise OverBudget if the calls still to be made do not fit; no calls always fit.

    With `allow_unknown` an unknown cost counts as nothing; known costs still count.
    """
    ahead = total(costs)
    if limit is None or ahead.amount == 0:
        return
    if (ahead.amount is None or spent.unknown) and not allow_unknown:
        what = (
            "The cost of this is unknown"
            if ahead.amount is None
            else "The cost of earlier attempts at this output is unknown"
        )
        raise _over_budget(
            limit,
            spent,
            ahead,
            f"{what}, and there is a limit of {limit.shown}.",
            "Choose a model with a known price (--list-models), or add --allow-unknown-cost to "
            "count it as nothing.",
        )
    known = sum(cost.amount or 0.0 for cost in costs)
    if fits(limit, spent, Cost(known, ahead.kind)):
        return
    least = "at least " if ahead.amount is None else ""
    before = f" on top of the {usd(spent.usd)} it has cost already" if spent.usd else ""
    needed = _in_cents(spent.usd + known)
    raise _over_budget(
        limit,
        spent,
        ahead,
        f"This would cost {least}{usd(known)} ({ahead.kind}){before}, which is over the limit of "
        f"{limit.shown}.",
        "Lower --duration or --candidates, choose a cheaper model (--list-models shows prices), or "
        f"raise {limit.source} to {needed:.2f}.",
    )


def fits(limit: Cap, spent: Spent, ahead: Cost) -> bool:
    """Whether known costs fit into the limit."""
    return spent.usd + (ahead.amount or 0.0) <= limit.usd + _HALF_A_MICRODOLLAR


def with_room(spent: Spent, ahead: Cost, first_frame: Cost) -> float | None:
    """A limit in USD with room for `REDRAWS` more first frames; None where that is not known."""
    if not ahead.amount or first_frame.amount is None:
        return None
    return _in_cents(spent.usd + ahead.amount + REDRAWS * first_frame.amount)


def _in_cents(usd: float) -> float:
    return math.ceil(usd * 100 - _HALF_A_MICRODOLLAR) / 100


def _over_budget(limit: Cap, spent: Spent, ahead: Cost, message: str, hint: str) -> OverBudget:
    error = OverBudget(message, hint, charged="no", spent=spent.as_json(), max_cost=limit.usd)
    error.result["still_to_pay"] = ahead.as_json()
    return error


def _usd(text: str) -> float:
    found = amount(text)
    if found is None:
        raise UsageError(
            f"{MAX_COST} is {text!r}, which is not an amount in USD such as 5.",
            "Correct or unset it.",
        )
    return found
