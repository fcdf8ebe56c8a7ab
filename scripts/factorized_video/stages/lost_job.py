"""What became of a paid video create whose answer was lost: found again in the gateway's own list.

The rule: a row equal in model, prompt, duration and ratio, created around the time of
the intent by the gateway's clock, and held by no receipt here, is the lost job, if it is the only
one. Two that fit cannot be distinguished, so nobody guesses.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import aspect_ratios, interrupts, receipts, sent_calls
from ..errors import OutputError, ToolError
from ..files import SUFFIX
from ..gateway.job_ids import is_same_job
from ..models import limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..gateway.client import Gateway
    from ..gateway.types import ListedJob

BEFORE_S, AFTER_S = 60.0, 180.0  # around the intent, by the gateway's clock
LOOK_FOR_S = 15.0  # a job may take this long to appear in the list
LOOK_EVERY_S = 3.0


class Neighbours(NamedTuple):
    """What the other receipts here say: the ids they hold, and how many lost calls like ours."""

    held: frozenset[str]
    rivals: int


def fitting(
    rows: list[ListedJob], sent: dict[str, Any], model: str, sent_at: float, held: frozenset[str]
) -> list[str]:
    """The ids of the jobs that may be the lost one. Pure. `sent_at` is by the gateway's clock."""
    return [
        row.id
        for row in rows
        if not any(is_same_job(row.id, other) for other in held)
        and (row.model, row.prompt, row.duration_s)
        == (model, sent.get("prompt"), sent.get("duration_s"))
        and _same_shape(row, sent)
        and row.seed in (None, sent.get("seed", row.seed))
        and row.created_at is not None
        and -BEFORE_S <= row.created_at - sent_at <= AFTER_S
    ]


def possible(
    rows: list[ListedJob], sent: dict[str, Any], sent_at: float, held: frozenset[str]
) -> list[str]:
    """The ids of the jobs that may be it as far as their rows tell, which is not the prompt. Pure.

    SGLang's rows have the time, the size and the seconds. That is enough to name one, and not to
    take one over.
    """
    return [
        row.id
        for row in rows
        if row.prompt is None
        and not any(is_same_job(row.id, other) for other in held)
        and row.duration_s in (None, sent.get("duration_s"))
        and (row.size is None or _same_shape(row, sent))
        and row.created_at is not None
        and -BEFORE_S <= row.created_at - sent_at <= AFTER_S
    ]


def neighbours(record: receipts.Record) -> Neighbours:
    """Read the other receipts in the folder, and those of this user's calls of the last day.

    A rival is a call that says the same to the same model, is neither answered nor settled, and may
    therefore be the one that made a row that fits; and whatever cannot be read.
    """
    held: set[str] = set(map(str, record.data.get("former_jobs") or ()))
    rivals = 0
    here = record.output.parent.glob("*" + SUFFIX)
    outputs = {path.with_name(path.name[: -len(SUFFIX)]) for path in here}
    try:
        outputs |= set(sent_calls.noted())
    except OutputError:
        rivals += 1
    for output in outputs - {record.output}:
        try:
            other = receipts.read(output)
        except ToolError:  # of a newer version
            rivals += 1
            continue
        if other is None:
            rivals += receipts.receipt_path(output).exists()
            continue
        held.update(map(str, other.get("former_jobs") or ()))
        if other.get("job"):
            held.add(str(other["job"]))
        elif other["state"] in ("intent", "unknown") and not other.get("replaced_by"):
            rivals += _same_call(other, record.data)
    return Neighbours(frozenset(held), rivals)


def settle(
    gateway: Gateway, record: receipts.Record, say: Callable[[str], None]
) -> tuple[str | None, list[str]]:
    """Look for the lost job; its id, or None and the ids that might be it.

    Asks until a job is found or 15 s have gone by since the intent; once, if they already have.
    Raises what the gateway's list raises.
    """
    sent_at = float(record.data.get("sent_at") or 0)
    scale = gateway.settings.time_scale
    began = time.monotonic()
    while True:
        rows, ahead_s = gateway.list_jobs()
        others = neighbours(record)
        found = fitting(
            rows, record.data["sent"], record.data["model"], sent_at + ahead_s, others.held
        )
        if len(found) == 1 and not others.rivals:
            return found[0], found
        # The clock may have been set since; what has gone by here is certain.
        gone_by = max(time.time() - sent_at, time.monotonic() - began)
        if gone_by >= LOOK_FOR_S * scale:
            unsaid = possible(rows, record.data["sent"], sent_at + ahead_s, others.held)
            return None, found or unsaid
        say("the answer was lost; looking for the job in the gateway's list")
        interrupts.rest(LOOK_EVERY_S * scale)


def _same_shape(row: ListedJob, sent: dict[str, Any]) -> bool:
    """Whether a row is of the ratio and the resolution that were sent, or of just those pixels."""
    resolution = str(sent.get("resolution"))
    if row.size is None or row.size.lower() == resolution.lower():
        return row.aspect_ratio == sent.get("aspect_ratio")
    canvas = sent.get("canvas") or sent.get("shape") or limits.DEFAULT_RATIO
    return row.size == (sent.get("size") or aspect_ratios.pixels(resolution, canvas))


def _same_call(one: dict[str, Any], other: dict[str, Any]) -> bool:
    if one.get("model") != other.get("model"):
        return False
    if abs(float(one.get("sent_at") or 0) - float(other.get("sent_at") or 0)) > BEFORE_S + AFTER_S:
        return False  # what it made, if anything, lies outside the time that is looked at
    sent_one, sent_other = one.get("sent"), other.get("sent")
    if not isinstance(sent_one, dict) or not isinstance(sent_other, dict):
        return False
    return all(
        sent_one.get(key) == sent_other.get(key) for key in ("prompt", "duration_s", "aspect_ratio")
    )
