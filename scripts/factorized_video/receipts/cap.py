"""The cap on what a run may cost, and whether what was spent and what lies ahead fit in. Pure.

A run is an output and what was made for it (`runs.spent_for`): another output is another run.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from ..errors import OverBudget, UsageError
from ..money import Cost, amount, total

MAX_COST = "FACTORIZED_VIDEO_MAX_COST"
# Sums of prices in binary fractions: a plan of exactly the cap is within it.
_HALF_A_MICRODOLLAR = 5e-7


class Cap(NamedTuple):
    """A limit in USD, and who set it: the flag or the variable."""

    usd: float
    source: str


class Spent(NamedTuple):
    """What the receipts of a run say was spent, in USD, and how many calls did not say it."""

    usd: float = 0.0
    unknown: int = 0

    def as_json(self) -> dict[str, object]:
        """The `spent` object of results."""
        return {"amount": self.usd, "unknown_calls": self.unknown}


def effective_cap(typed: float | None, standing: str | None) -> Cap | None:
    """The lower one of `--max-cost` and the standing cap. Raises UsageError for no number."""
    caps = [Cap(typed, "--max-cost")] if typed is not None else []
    if standing:
        caps.append(Cap(_usd(standing), MAX_COST))
    return min(caps, key=lambda one: one.usd, default=None)


def check_cap(limit: Cap | None, spent: Spent, costs: list[Cost], *, allow_unknown: bool) -> None:
    """Raise OverBudget where the calls that lie ahead do not fit. Pure; none always fit.

    With `allow_unknown` what is not known counts for nothing, and what is known all the same.
    """
    ahead = total(costs)
    if limit is None or ahead.amount == 0:
        return
    told: dict[str, Any] = {
        "cost": ahead.as_json(),
        "spent": spent.as_json(),
        "max_cost": limit.usd,
    }
    if (ahead.amount is None or spent.unknown) and not allow_unknown:
        what = (
            "What this would cost is not known"
            if ahead.amount is None
            else "What earlier attempts at this output have cost is not known"
        )
        raise OverBudget(
            f"{what}, and there is a cap of {_shown(limit)}.",
            "Choose a model with a known price (--list-models), or add --allow-unknown-cost: what "
            "is not known then counts for nothing.",
            charged="no",
            **told,
        )
    known = sum(cost.amount or 0.0 for cost in costs)
    if spent.usd + known <= limit.usd + _HALF_A_MICRODOLLAR:
        return
    least = "at least " if ahead.amount is None else ""
    before = f" on top of USD {spent.usd:.3f} that this output has cost" if spent.usd else ""
    raise OverBudget(
        f"This would cost {least}USD {known:.3f} ({ahead.kind}){before}: over the cap of "
        f"{_shown(limit)}.",
        "Fewer seconds or candidates, or a cheaper model (--dry-run shows prices, --list-models "
        "the models), or a higher cap"
        f"{' in ' + limit.source if limit.source == MAX_COST else ''}, if the person agrees.",
        charged="no",
        **told,
    )


def _usd(text: str) -> float:
    found = amount(text)
    if found is None:
        raise UsageError(
            f"{MAX_COST} is {text!r}; it takes an amount in USD, such as 5.", "Mend or unset it."
        )
    return found


def _shown(limit: Cap) -> str:
    return f"USD {limit.usd:g} ({limit.source})"
