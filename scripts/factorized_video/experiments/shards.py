"""A batch in several shards, on several machines: whose the lines are, and what each may spend.

Every shard reads the whole file and takes every Nth line, so nobody has to share anything out, and
a shard that is started again takes the same lines. Pure, but for `check_folder`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from .. import file_locks
from ..errors import UsageError
from ..pipeline.shared_limit import Payer, usd_left
from ..receipts.cap import Cap

T = TypeVar("T")


class Shard(NamedTuple):
    """One of `of` shards, by its number from 1."""

    number: int
    of: int

    @property
    def shown(self) -> str:
        """As it is given, "2/8"."""
        return f"{self.number}/{self.of}"

    @property
    def summary_name(self) -> str:
        """Of its summary, beside that of all of them."""
        return f"summary.{self.number}-of-{self.of}.json"

    def own(self, lines: Sequence[T]) -> list[T]:
        """Every Nth line, beginning with its own number."""
        return list(lines[self.number - 1 :: self.of])

    def share_of(self, limit: Cap | None, lines: Sequence[Payer]) -> Cap | None:
        """What it may spend: what its lines should cost, and its part of what the limit leaves.

        The shards know nothing of each other while they run, so together they must never spend more
        than the limit, whatever goes wrong in one of them.
        """
        if limit is None:
            return None

        def should_cost(payers: Sequence[Payer]) -> float:
            return sum(one.spent.usd + usd_left(one) for one in payers)

        spare = limit.usd - should_cost(lines)
        usd = max(0.0, should_cost(self.own(lines)) + spare / self.of)
        # Rounded down, so that shares never add up to more.
        return Cap(int(usd * 1e6 + 1e-3) / 1e6, f"{limit.source}, the share of shard {self.shown}")


def check_folder(folder: Path) -> None:
    """Raise UsageError where the locks of a folder hold on this machine alone.

    A scheduler starts a shard again when it has lost sight of it, while it may still be running.
    """
    why = file_locks.why_not_shared(folder)
    if why:
        raise UsageError(
            f"{folder} is on {why}: file locks hold on this machine alone there, so a shard that "
            "is started twice could pay twice.",
            "Use an --output on a file system whose locks hold for all machines: see "
            "references/scaling.md.",
        )
