"""What outputs have cost and how long their calls took, by their receipts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from .. import money, receipts
from ..files import SUFFIX, names_in, number_aside
from ..money import Cost
from .aside import CANDIDATES
from .cap import Spent


def spent_for(outputs: Iterable[Path]) -> Spent:
    """What was spent for these outputs: their receipts, and those kept aside beside them."""
    usd, unknown = 0.0, 0
    for cost in _costs(receipt for output in outputs for receipt in attempts(output)):
        usd += cost.amount or 0.0
        unknown += cost.amount is None
    return Spent(round(usd, 6), unknown)


def outputs_in(folder: Path) -> list[Path]:
    """All outputs below a folder that have a receipt."""
    return sorted(
        Path(where) / name[: -len(SUFFIX)]
        for where, _, names in os.walk(folder)
        for name in names
        if name.endswith(SUFFIX)
    )


def account(outputs: Iterable[Path]) -> dict[str, dict[str, object]]:
    """`cost` of what is there now of these outputs, and `spent`, with what was kept aside."""
    outputs = list(outputs)
    now = (receipt for output in outputs for receipt in _now(output))
    cost = money.total(list(_costs(now)))
    return {"cost": cost.as_json(), "spent": spent_for(outputs).as_json()}


def _costs(found: Iterable[dict[str, Any]]) -> Iterable[Cost]:
    """What the calls of these receipts have cost. A call that two of them hold counts once."""
    seen = set()
    for receipt in found:
        call = tuple(receipt.get(name) for name in ("digest", "sent_at", "job"))
        if any(call[1:]) and call in seen:  # cut off while one was moved
            continue
        seen.add(call)
        yield from costs_of(receipt)


def took_s(outputs: Iterable[Path]) -> float:
    """Seconds in which at least one paid call for these outputs was running, by their receipts.

    A clip counts from its submission until it was here; calls at the same time count once.
    """
    spans = []
    for receipt in (data for output in outputs for data in attempts(output)):
        began, took = receipt.get("sent_at"), receipt.get("took_s")
        if began and took:
            spans.append((float(began), float(began) + float(took)))
    total, end = 0.0, 0.0
    for start, stop in sorted(spans):
        total += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return round(total, 3)


def attempts(output: Path) -> Iterable[dict[str, Any]]:
    """The receipts of an output, of what was kept aside for it (NAME.1.ext), and its candidates."""
    yield from _in_folder(output.with_name(output.stem + CANDIDATES), "", lambda name: True)

    def is_own(name: str) -> bool:
        return name == output.name or number_aside(output, name) is not None

    for receipt in _in_folder(output.parent, output.stem, is_own):
        # NAME.1.ext may also be the name of another output.
        if receipt.get("output") in (None, output.name):
            yield receipt


def _now(output: Path) -> Iterable[dict[str, Any]]:
    """The receipt of an output as it is there now, and those that it was chosen from."""
    receipt = receipts.read(output)
    if receipt is not None:
        yield receipt
    if receipt is None or isinstance(receipt.get("candidate"), str):
        folder = output.with_name(output.stem + CANDIDATES)
        yield from _in_folder(folder, "", lambda name: name.count(".") == 1)  # none kept aside


def _in_folder(
    folder: Path, begins: str, is_wanted: Callable[[str], bool]
) -> Iterable[dict[str, Any]]:
    """The receipts of the outputs in a folder whose names begin so, and are wanted.

    Only those are read: beside an output there may be thousands of others, of the same batch.
    """
    try:
        found = names_in(folder, begins)
    except OSError:
        return
    names = [name[: -len(SUFFIX)] for name in found if name.endswith(SUFFIX)]
    for name in filter(is_wanted, names):
        data = receipts.read(folder / name)
        # One that cannot be read may be that of a paid call.
        yield data if data is not None else {"state": "unknown"}


def costs_of(receipt: dict[str, Any]) -> list[Cost]:
    """What one receipt's paid call has cost, and each check of its picture."""
    own = _cost_of_call(receipt)
    return [
        *([own] if own else []),
        *(money.from_json(row.get("cost")) for row in checks_in(receipt)),
    ]


def checks_in(receipt: dict[str, Any]) -> list[dict[str, Any]]:
    """The checks of a picture that its receipt holds, the oldest first."""
    rows = receipt.get("checks")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _cost_of_call(receipt: dict[str, Any]) -> Cost | None:
    """None where nothing was charged."""
    error = receipt.get("error")
    if isinstance(error, dict) and error.get("charged") == "no":
        return None
    # A call without an answer, or refused without a word of money, counts with its expected price.
    cost = money.from_json(receipt.get("cost") or receipt.get("expected"))
    # Jobs that were given up for another one were paid too.
    return money.times(cost, 1 + len(receipt.get("former_jobs") or ()))
