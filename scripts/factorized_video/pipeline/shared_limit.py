"""One spending limit over several runs side by side: whether one more fits, and its share. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from ..money import Cost
from ..receipts.cap import Cap, Spent, check_cap

BEING_MADE = "being made"  # the status of a run whose command has not ended yet
# The exit code of many runs is that of the first of these that one of them ended with.
_WEIGHT = (
    "internal interrupted auth budget usage unknown running unavailable output rejected "
    "refused failed unverified"
).split()
# After this every further run would end the same way, so none is started. Not after "interrupted":
# one may have been killed for want of memory, and a signal stops them all. Nor after "budget": one
# may have used up its own share of the limit.
ENDS_ALL = "auth"


class Payer(Protocol):
    """One of the runs that share the limit."""

    @property
    def expected(self) -> Cost:
        """What is left to pay."""

    @property
    def spent(self) -> Spent:
        """What it has cost."""

    @property
    def status(self) -> str:
        """How it stands."""


def usd_left(payer: Payer) -> float:
    """What a run should still cost in USD, as far as that is known."""
    return payer.expected.amount or 0.0


def spent_by(payers: Iterable[Payer]) -> Spent:
    """What all of them have cost."""
    spent = [one.spent for one in payers]
    return Spent(round(sum(one.usd for one in spent), 6), sum(one.unknown for one in spent))


def check_room(
    limit: Cap | None, payers: Iterable[Payer], one: Payer, *, allow_unknown: bool
) -> None:
    """Raise OverBudget where there is no room for one more beside those that are being made."""
    payers = list(payers)
    reserved = sum(usd_left(other) for other in payers if other.status == BEING_MADE)
    spent = spent_by(payers)
    check_cap(
        limit,
        Spent(spent.usd + reserved, spent.unknown),
        [one.expected],
        allow_unknown=allow_unknown,
    )


def share_of(limit: Cap | None, payers: Iterable[Payer], one: Payer) -> float | None:
    """What the limit leaves for a run: all but what others have cost and should still cost.

    Where others have cost more than they should, it still has what it was planned to cost, as long
    as that is there.
    """
    if limit is None:
        return None
    others = [other for other in payers if other is not one]
    left = limit.usd - sum(other.spent.usd for other in others)
    now = left - sum(usd_left(other) for other in others if other.status == BEING_MADE)
    fair = left - sum(map(usd_left, others))
    planned = one.spent.usd + usd_left(one)
    return max(0.0, round(min(now, max(fair, planned)), 6))


def weightiest(kinds: Iterable[str]) -> str | None:
    """Of the kinds of errors that runs ended with, the one that all of them end with."""
    found = set(kinds)
    return next((kind for kind in _WEIGHT if kind in found), None)
