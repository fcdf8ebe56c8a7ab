"""What an output's receipt means for the command at hand: make it, resume it, or return it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import OutputError, StillRunning, Unknown, UsageError, of_kind
from ..files import drop, exclusive, kept

if TYPE_CHECKING:
    from ..console import Console
from .digests import sha256_of
from .record import AFTER_UNKNOWN, PAY_AGAIN, Record, kept_name, read, receipt_path, was_demo


class Found(NamedTuple):
    """What lies where an output is to go."""

    receipt: dict[str, Any] | None
    file_exists: bool
    file_sha256: str | None = None
    damaged: bool = False  # there is a receipt, and it cannot be read as one
    kept: bool = False  # what its paid call brought is kept elsewhere, see `files.keep`


def look(output: Path) -> Found:
    """Read the receipt, and hash the file if there is one."""
    try:
        exists = output.exists()
        if exists and not output.is_file():
            raise UsageError(f"{output} is not a file.", "Choose another --output.")
        receipt = read(output)
        damaged = receipt is None and receipt_path(output).exists()
        there = receipt is not None and kept(kept_name(output, receipt)) is not None
        return Found(receipt, exists, sha256_of(output) if exists else None, damaged, there)
    except OSError as error:
        raise UsageError(
            f"{output} cannot be read: {error.strerror}.", "Choose another --output."
        ) from None


def edited(found: Found) -> bool:
    """Whether a person made or changed this file: it is there, and no receipt speaks for it."""
    if not found.file_exists:
        return False
    if found.receipt is None:
        return True
    if found.receipt["state"] == "intent" and found.kept:
        return False  # being put in place: the receipt cannot know the file yet
    return found.receipt.get("sha256") != found.file_sha256


def decide(found: Found, wanted: str, *, overwrite: bool, resubmit: bool, demo: bool) -> str:
    """What to do for the inputs with digest `wanted`. Pure.

    make: nothing is in the way (an old file, if any, is kept aside) · return: already made ·
    resume: a job is known, or its result was `kept`; go on with that · repeat: it was refused or
    failed, and the answer stands · unknown: a paid call went out and nobody knows what became of it
    · gone: made, but the file is no longer there and cannot be fetched again · conflict: made for
    other inputs.
    """
    receipt = found.receipt
    if receipt is None:
        # A damaged receipt may be that of a paid job: nothing is sent over it unasked.
        return "conflict" if (found.file_exists or found.damaged) and not overwrite else "make"
    state = receipt["state"]
    if receipt.get("digest") != wanted:
        gives_way = was_demo(receipt) and not demo
        # Where nothing was made and nothing can come any more, there is nothing to protect.
        nothing_there = not found.file_exists and state in ("refused", "failed", "succeeded")
        return "make" if overwrite or gives_way or nothing_there else "conflict"
    if state == "succeeded" and found.file_exists:
        return "return"
    if state == "submitted" or (state == "succeeded" and receipt.get("job")):
        return "resume"
    if state == "intent" and found.kept:
        return "resume"
    if resubmit:
        return "make"
    return {"succeeded": "gone", "refused": "repeat", "failed": "repeat"}.get(str(state), "unknown")


def consult(
    output: Path, wanted: str, *, overwrite: bool, resubmit: bool, demo: bool, settles: bool = False
) -> tuple[str, dict[str, Any]]:
    """Look at the place of an output and say what to do: make, return or resume; and its receipt.

    With `settles` also unknown: the caller can ask the gateway what became of the call. Raises what
    the other decisions mean: UsageError for a conflict, the error of an answer that
    stands, Unknown for a paid call of which nobody knows what became, OutputError for a lost file.
    """
    found = look(output)
    receipt = found.receipt or {}
    decision = decide(found, wanted, overwrite=overwrite, resubmit=resubmit, demo=demo)
    known = Record(output, receipt).whereabouts
    if decision == "conflict":
        check_room(output, wanted, overwrite=overwrite, demo=demo)
    if decision == "repeat":
        error = receipt.get("error")
        error = error if isinstance(error, dict) else {}
        details = {key: error.get(key) for key in ("http_status", "request_id", "charged")}
        kind = str(error.get("kind"))
        raise of_kind(
            kind if kind in ("refused", "failed", "output") else str(receipt["state"]),
            f"{error.get('message')} (That was the answer at {receipt.get('finished_at')}; nothing "
            "was sent now.)",
            f"Change the words. {PAY_AGAIN}",
            **details,
            **known,
        )
    if decision == "unknown" and not settles:
        raise Unknown(
            f"A paid call for {output.name} was sent at {receipt.get('created_at')}, and what "
            "became of it is not known.",
            AFTER_UNKNOWN,
            charged="unknown",
            **known,
        )
    if decision == "gone":
        raise OutputError(
            f"{output} was made at {receipt.get('finished_at')}, but the file is gone and the "
            "gateway does not keep it.",
            f"Put the file back. {PAY_AGAIN}",
            charged="yes",
            **known,
        )
    if decision == "return" and receipt.get("sha256") != found.file_sha256:
        decision = "return changed"
    return decision, receipt


def rewritten(output: Path, wanted: str) -> dict[str, Any] | None:
    """Stage 1's receipt for the inputs with digest `wanted`, or None.

    It holds the texts themselves, so even a lost file costs nothing.
    """
    receipt = read(output)
    ours = receipt and receipt.get("digest") == wanted and isinstance(receipt.get("result"), dict)
    return receipt if ours else None


def would_pay(output: Path, wanted: str, *, overwrite: bool, resubmit: bool, demo: bool) -> bool:
    """Whether a paid call may be made for the inputs with digest `wanted`."""
    found = look(output)
    decision = decide(found, wanted, overwrite=overwrite, resubmit=resubmit, demo=demo)
    # A job that the gateway has forgotten is sent once more, if --resubmit says so.
    again = decision == "resume" and resubmit and bool((found.receipt or {}).get("job"))
    return decision in ("make", "conflict") or again


def check_room(output: Path, wanted: str, *, overwrite: bool, demo: bool) -> None:
    """Raise UsageError where something else lies in the place of an output."""
    found = look(output)
    decision = decide(found, wanted, overwrite=overwrite, resubmit=True, demo=demo)
    if decision == "conflict":
        how = "was made for other inputs" if found.receipt else "has no receipt: it is not ours"
        if found.damaged:
            how = "has a receipt that cannot be read: whether it was paid for is not known"
        raise UsageError(
            f"{output} {how}.",
            "Choose another --output, or add --overwrite: the old file is kept under another name.",
            output=str(output),
        )


def returned(output: Path, decision: str, console: Console) -> None:
    """Say that an output is returned as it is, and remove what a killed maker of it left behind."""
    if decision == "return changed":
        console.warn(f"{output} was changed since it was made; it is returned as it is.")
    else:
        console.progress("already made for the same inputs")
    tidy(output)


def tidy(output: Path) -> None:
    """Remove a lock, temporary files and a kept result that a killed maker of this left behind."""
    with contextlib.suppress(StillRunning, OutputError), exclusive(output):
        if receipt := read(output):
            drop(kept_name(output, receipt))
