"""What an output's receipt means for the command at hand: make it, resume it, or return it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import OutputError, ToolError, Unknown, UsageError, of_kind
from ..files import exclusive
from . import aside
from .aside import Aside
from .differences import differences
from .digests import is_of, sha256_of
from .record import (
    AFTER_UNKNOWN,
    PAY_AGAIN,
    Record,
    command_of,
    has_arrived,
    is_unfetched,
    kept_of,
    read,
    receipt_path,
    was_demo,
)

if TYPE_CHECKING:
    from ..console import Console


class Decision(Enum):
    """What to do about an output."""

    MAKE = "nothing is in the way; an old file, if any, is kept aside"
    RETURN = "already made from the same inputs"
    RETURN_CHANGED = "made from the same inputs, and changed by somebody since"
    RETRIEVE = "already made from the same inputs, and kept aside since"
    RESUME = "a job is known, or its result was kept"
    REPEAT = "it was refused or failed, and the answer stands"
    UNKNOWN = "a paid call was sent, and it is unknown what became of it"
    GONE = "made, but the file is missing and cannot be fetched again"
    CONFLICT = "something else is in its place"

    @property
    def returns(self) -> bool:
        """Whether the output is there and stays as it is."""
        return self in (Decision.RETURN, Decision.RETURN_CHANGED)


class Allowed(NamedTuple):
    """What may be replaced, and what may be paid for again.

    `demo`: the demo gateway makes the output, which then replaces nothing real.
    """

    overwrite: bool = False
    resubmit: bool = False
    demo: bool = False


class Found(NamedTuple):
    """What lies where an output is to go."""

    receipt: dict[str, Any] | None
    file_exists: bool
    file_sha256: str | None = None
    damaged: bool = False  # there is a receipt, and it cannot be read as one
    kept: bool = False  # what its paid call brought is kept elsewhere, see `kept.py`
    arrived: bool = False  # the file is in its place, and its receipt did not get to say so
    aside: Aside | None = None  # what was kept aside for the digest that is wanted


def look(output: Path, wanted: str | None = None) -> Found:
    """Read the receipt, and hash the file if there is one.

    What was kept aside is looked for only where `wanted` is given and not in place.
    """
    found = _look(output)
    receipt = found.receipt
    if wanted is None or (found.file_exists and is_of(receipt, wanted)):
        return found
    if receipt is None or not is_of(receipt, wanted):
        return found._replace(aside=aside.find(output, wanted))
    stray = aside.stray_file(output, receipt) if receipt["state"] == "succeeded" else None
    return found._replace(aside=Aside(output, receipt, stray) if stray else None)


def _look(output: Path) -> Found:
    try:
        exists = output.exists()
        if exists and not output.is_file():
            raise UsageError(f"{output} is not a file.", "Choose another --output.")
        receipt = read(output)
        damaged = receipt is None and receipt_path(output).exists()
        there = receipt is not None and kept_of(output, receipt).read() is not None
        sha256 = sha256_of(output) if exists else None
        return Found(receipt, exists, sha256, damaged, there, has_arrived(receipt, sha256))
    except OSError as error:
        raise UsageError(
            f"{output} cannot be read: {error.strerror}.", "Choose another --output."
        ) from None


def edited(found: Found) -> bool:
    """Whether a user made or changed this file: it is there, and no receipt accounts for it."""
    if not found.file_exists:
        return False
    if found.receipt is None:
        return True
    if found.arrived or (found.receipt["state"] == "intent" and found.kept):
        return False  # being put in place
    return found.receipt.get("sha256") != found.file_sha256


def decide(found: Found, wanted: str, allowed: Allowed) -> Decision:
    """What to do for the inputs with digest `wanted`. Pure."""
    receipt = found.receipt
    back = found.aside and not (found.aside.is_lost and allowed.resubmit)
    make = Decision.RETRIEVE if back else Decision.MAKE
    if receipt is None:
        # A damaged receipt may be that of a paid job: nothing is sent over it unasked.
        taken = found.file_exists or found.damaged
        return Decision.CONFLICT if taken and not allowed.overwrite else make
    state = receipt["state"]
    if not is_of(receipt, wanted):
        gives_way = was_demo(receipt) and not allowed.demo
        # Where nothing was made and nothing can come any more, there is nothing to protect.
        nothing_there = not found.file_exists and state in ("refused", "failed", "succeeded")
        free = allowed.overwrite or gives_way or nothing_there
        return make if free else Decision.CONFLICT
    if found.aside:
        return Decision.RETRIEVE
    if state == "succeeded" and found.file_exists:
        same = receipt.get("sha256") == found.file_sha256
        return Decision.RETURN if same else Decision.RETURN_CHANGED
    if state == "submitted" or (state == "succeeded" and receipt.get("job")):
        return Decision.RESUME
    if found.arrived or (state == "intent" and found.kept):
        return Decision.RESUME
    if allowed.resubmit:
        return Decision.MAKE
    if state in ("refused", "failed") or is_unfetched(receipt):
        return Decision.REPEAT
    return Decision.GONE if state == "succeeded" else Decision.UNKNOWN


def consult(
    output: Path,
    wanted: str,
    allowed: Allowed,
    *,
    settles: bool = False,
    asked: Mapping[str, object] | None = None,
) -> tuple[Decision, dict[str, Any]]:
    """Look at the place of an output; what to do (make, return or resume), and its receipt.

    With `settles` also UNKNOWN: the caller can ask the gateway what became of the call. Raises what
    the other decisions mean: UsageError for a conflict, the error of an answer that stands, Unknown
    for a paid call that nobody can account for, OutputError for a lost file.
    """
    found = look(output, wanted)
    decision = decide(found, wanted, allowed)
    receipt = found.receipt or {}
    if decision is Decision.CONFLICT:
        raise conflict(output, found, asked)
    if decision is Decision.REPEAT:
        raise _same_answer(output, receipt)
    if decision is Decision.UNKNOWN and not settles:
        raise Unknown(
            f"A paid call for {output.name} was sent at {receipt.get('created_at')}, and what "
            "became of it is not known.",
            AFTER_UNKNOWN,
            charged="unknown",
            **Record(output, receipt).whereabouts,
        )
    if decision is Decision.GONE:
        raise OutputError(
            f"{output} was made at {receipt.get('finished_at')}, but the file is missing and the "
            "gateway does not keep it.",
            f"Put the file back. {PAY_AGAIN}",
            charged="yes",
            **Record(output, receipt).whereabouts,
        )
    return decision, receipt


def _same_answer(output: Path, receipt: dict[str, Any]) -> Exception:
    """The error that the receipt of a refused or failed call holds."""
    error = receipt.get("error")
    error = error if isinstance(error, dict) else {}
    kind = str(error.get("kind"))
    return of_kind(
        kind if kind in ("refused", "failed", "output") else str(receipt["state"]),
        f"{error.get('message')} (That was the answer at {receipt.get('finished_at')}; nothing "
        "was sent now.)",
        f"Change the words. {PAY_AGAIN}",
        **{key: error.get(key) for key in ("http_status", "request_id", "charged")},
        **Record(output, receipt).whereabouts,
    )


def retrieve(output: Path, wanted: str) -> Path | None:
    """Put what was kept aside for the inputs with digest `wanted` in its place; where it lay.

    The caller holds the lock.
    """
    found = look(output, wanted).aside
    if found:
        aside.retrieve(output, found)
    return found and found.output


def rewritten(output: Path, wanted: str) -> dict[str, Any] | None:
    """The receipt of texts (Stage 1, questions) for the inputs with digest `wanted`, or None.

    It holds the texts themselves, so even a lost file costs nothing.
    """
    receipt = read(output)
    ours = receipt and is_of(receipt, wanted) and isinstance(receipt.get("result"), dict)
    return receipt if ours else None


def to_come_back(output: Path, wanted: str) -> dict[str, Any] | None:
    """The receipt of what was made for the digest `wanted` and is kept aside, or None."""
    found = look(output, wanted).aside
    return found.receipt if found and found.receipt["state"] == "succeeded" else None


def would_pay(output: Path, wanted: str, allowed: Allowed) -> bool:
    """Whether a paid call may be made for the inputs with digest `wanted`."""
    found = look(output, wanted)
    decision = decide(found, wanted, allowed)
    # A job that the gateway has forgotten, or a result that is out of reach, is made once more, if
    # --resubmit says so.
    receipt = found.receipt or {}
    may_be_gone = not found.arrived and (bool(receipt.get("job")) or is_unfetched(receipt))
    again = decision is Decision.RESUME and allowed.resubmit and may_be_gone
    return decision in (Decision.MAKE, Decision.CONFLICT) or again


def check_room(
    output: Path, wanted: str, allowed: Allowed, asked: Mapping[str, object] | None = None
) -> None:
    """Raise UsageError where something else lies in the place of an output.

    With `asked`, the request by option, the error says what differs.
    """
    found = look(output, wanted)
    if decide(found, wanted, allowed._replace(resubmit=True)) is Decision.CONFLICT:
        raise conflict(output, found, asked)


def conflict(
    output: Path, found: Found, asked: Mapping[str, object] | None, changed: Sequence[str] = ()
) -> UsageError:
    """The error for a place that something else lies in; `changed` are files that differ."""
    hint = "Choose another --output, or add --overwrite: the old file is kept under another name."
    if found.aside:
        hint = (
            f"The result of these options is kept as {found.aside.output.name}: --overwrite swaps "
            "the two and pays for nothing. Or choose another --output."
        )
    hint = "\n".join(filter(None, (hint, _about_earlier_job(found))))
    taken = _how_taken(found, asked, changed)
    return UsageError(f"{output} {taken}.", hint, output=str(output))


def _how_taken(
    found: Found, asked: Mapping[str, object] | None = None, changed: Sequence[str] = ()
) -> str:
    """What the place of an output holds, where it is not the output that is wanted: "was ..."."""
    if found.damaged:
        return "has a receipt that cannot be read, so it is unclear whether it was already paid for"
    if not found.receipt:
        return "has no receipt: it was not created by this tool"
    differ = differences(found.receipt.get("asked") or {}, asked or {})
    if differ:
        return f"was created with different options: {', '.join(differ)}"
    if changed:
        return f"was created from files that have changed since: {', '.join(changed)}"
    return "was created with different options, or from files that have changed since"


def _about_earlier_job(found: Found) -> str:
    """How what was begun with the earlier options is fetched, where it may still come."""
    receipt = found.receipt or {}
    command = command_of(receipt)
    if not command or found.file_exists:
        return ""
    if receipt["state"] in ("intent", "unknown"):
        return f"A call for the earlier options was sent. To find out what became of it:\n{command}"
    if receipt["state"] == "submitted" or (receipt["state"] == "succeeded" and receipt.get("job")):
        return f"To fetch the clip of the earlier options:\n{command}"
    return ""


def announce(output: Path, decision: Decision, console: Console) -> None:
    """Say that an output is returned as it is, and remove what a killed maker of it left behind."""
    if decision is Decision.RETURN_CHANGED:
        console.warn(f"{output} was changed since it was made; it is returned as it is.")
    else:
        console.progress("already made for the same inputs")
    tidy(output)


def tidy(output: Path) -> None:
    """Remove a lock, temporary files and a kept result that a killed maker of this left behind."""
    with contextlib.suppress(ToolError), exclusive(output):
        if receipt := read(output):
            kept_of(output, receipt).drop()
