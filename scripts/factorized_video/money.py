"""Money in USD: an amount and how well it is known, sums, and how they are shown. Pure."""

from __future__ import annotations

from typing import NamedTuple

# From the best known to the least.
MOST_USD = 1e9  # that any sum could be
COST_KINDS = ("actual", "listed", "estimated", "unknown")


class Cost(NamedTuple):
    """Money in USD; `kind` says how well it is known. `amount` is None when unknown."""

    amount: float | None
    kind: str  # actual | listed | estimated | unknown
    basis: str = ""  # how it was calculated, in words
    as_of: str | None = None  # date of the price
    source: str | None = None  # where the price is published

    def as_json(self) -> dict[str, object]:
        """The `cost` object of results and receipts."""
        return {"amount": self.amount, "currency": "USD", "kind": self.kind}


FREE, UNKNOWN = Cost(0.0, "actual"), Cost(None, "unknown")


def from_json(row: object) -> Cost:
    """The cost in a `cost` object of a result or receipt; unknown where it is none."""
    if not isinstance(row, dict) or row.get("kind") not in COST_KINDS:
        return UNKNOWN
    amount = row.get("amount")
    plausible = isinstance(amount, int | float) and 0 <= amount < MOST_USD
    return Cost(amount if plausible else None, row["kind"])


def total(costs: list[Cost]) -> Cost:
    """The sum. It is of the weakest kind in it, and unknown if any part is unknown."""
    if not costs:
        return FREE
    kind = max((cost.kind for cost in costs), key=COST_KINDS.index)
    known = [cost.amount for cost in costs if cost.amount is not None]
    return Cost(round(sum(known), 6) if len(known) == len(costs) else None, kind)


def times(cost: Cost, count: int) -> Cost:
    """The cost of `count` such calls."""
    if count == 1 or cost.amount is None:
        return cost
    basis = f"{count} x ({cost.basis})" if cost.basis else ""
    return cost._replace(amount=round(cost.amount * count, 6), basis=basis)


def shown(cost: Cost) -> str:
    """A cost for people: "USD 2.40 (estimated)"."""
    return "unknown" if cost.amount is None else f"{usd(cost.amount)} ({cost.kind})"


def usd(amount: float) -> str:
    """An amount for people, in cents; one under 10 cents in their hundredths: "USD 0.0059"."""
    return f"USD {amount:.{2 if amount >= 0.1 or not amount else 4}f}"


def parts(costs: list[Cost]) -> list[str]:
    """The parts of a sum, for people, in cents: "USD 0.14". As shown they add up to the total.

    Each is rounded down, and what is missing to the rounded total goes to those that lost most. A
    part under a cent is shown as such where it gets none.
    """
    known = [cost.amount or 0.0 for cost in costs]
    cents = [int(amount * 100 + 1e-6) for amount in known]
    lost = [amount * 100 - whole for amount, whole in zip(known, cents, strict=True)]
    missing = round(sum(known) * 100) - sum(cents)
    for number in sorted(range(len(costs)), key=lambda one: -lost[one])[: max(0, missing)]:
        cents[number] += 1
    return [_part(cost, whole) for cost, whole in zip(costs, cents, strict=True)]


def _part(cost: Cost, cents: int) -> str:
    if cost.amount is None:
        return "unknown"
    return "under 0.01" if cost.amount and not cents else f"USD {cents / 100:.2f}"


def amount(text: str) -> float | None:
    """The amount in USD that a text states, 0 or more; None where it is none."""
    try:
        found = float(text)
    except ValueError:
        return None
    return found if 0 <= found < MOST_USD and "_" not in text else None
