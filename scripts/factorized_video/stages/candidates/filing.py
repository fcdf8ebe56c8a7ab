"""Moving pictures between the folder of candidates and the anchor's own place.

Killed at any moment, what lies there is never mistaken for a user's own.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from ... import files, receipts
from ...errors import UsageError
from ...media import file_types
from ...models import limits
from ...money import FREE
from ...receipts import Allowed, Record
from .folder import Candidate, Folder, file_sha256, was_chosen

# Of a candidate's receipt, what is about its own paid call and not about the chosen picture.
_OF_ITS_CALL = ("checks", "reply", "request_ids", "sent_at", "took_s", "idempotency_key")


def check_place(output: Path, names: list[str]) -> None:
    """Raise UsageError where the folder's place, or a candidate's, is taken by something else.

    A picture without a receipt is somebody's own; a receipt that cannot be read may be that of a
    paid call.
    """
    folder = output.with_name(output.stem + receipts.CANDIDATES)
    if folder.exists() and not folder.is_dir():
        raise UsageError(
            f"{folder} is a file; the candidates go into a folder of that name.",
            "Move it away, or choose another --output.",
        )
    # One that is about to be adopted was moved before its receipt.
    ours = {(receipts.read(output) or {}).get("sha256")}
    for name in (*names, *(f"{name}r" for name in names)):
        path = folder / f"candidate-{name}{output.suffix}"
        found = receipts.look(path)
        if found.damaged:
            raise UsageError(
                f"Cannot read {receipts.receipt_path(path)}, so it is unclear whether its picture "
                "was already paid for.",
                "Repair it, move it and its picture away, or add --overwrite to keep both aside.",
                output=str(path),
            )
        if found.file_exists and found.receipt is None and found.file_sha256 not in ours:
            raise UsageError(
                f"{path} has no receipt: it was not created by this tool.",
                "Move it away, or add --overwrite: it is kept under another name.",
                output=str(path),
            )


def check_room(folder: Folder, allowed: Allowed, asked: dict[str, object]) -> None:
    """Before anything is paid for, raise UsageError where there is no room for the result."""
    if not is_ours(folder) and not adopts(folder):
        receipts.check_room(folder.output, folder.chosen_digest, allowed, asked)
    if not allowed.overwrite:
        check_place(folder.output, folder.names)
    for name in folder.names if folder.wish.select is None else ():
        receipts.check_room(folder.place(name), folder.wanted(name), allowed, asked)


def check_selected(folder: Folder) -> None:
    """Raise UsageError where a candidate is selected that does not exist."""
    wish = folder.wish
    if wish.select is None:
        return
    there = [one.name for one in folder.standing(None) if one.is_there]
    if "1" not in there and folder.is_plain() and folder.output.is_file():
        there.insert(0, "1")  # it becomes the first one
    if wish.select not in there:
        raise UsageError(
            f"There is no candidate {wish.select} for these inputs in {folder.path}.",
            f"Choose one of {limits.listed(there)}."
            if there
            else "Generate some with --candidates N first.",
        )


def is_ours(folder: Folder) -> bool:
    """Whether what lies in the output's place, if anything, may be replaced freely.

    It is a copy of a candidate, or the receipt of one that was chosen.
    """
    found = receipts.look(folder.output)
    receipt = found.receipt or {}
    if not found.file_exists:
        return found.receipt is not None and was_chosen(receipt)
    known = {receipt.get("sha256")} if was_chosen(receipt) else set()
    with contextlib.suppress(OSError):
        for path in folder.path.iterdir():
            if path.name.startswith("candidate-") and path.suffix == folder.output.suffix:
                known.add((receipts.read(path) or {}).get("sha256"))
    return found.file_sha256 in known


def adopts(folder: Folder) -> bool:
    """Whether what lies in the output's place becomes the first candidate.

    Not where that one is there already, or the picture was changed by somebody, or is lost.
    """
    if folder.begun or not folder.is_plain():
        return False
    found, receipt = receipts.look(folder.output), receipts.read(folder.output) or {}
    if receipt["state"] != "succeeded":
        return True
    known = receipt.get("sha256")
    return known in (found.file_sha256, file_sha256(folder.place("1")))


def adopt(folder: Folder, *, overwrite: bool) -> None:
    """Move an anchor that was made without candidates to where it is the first of them.

    Killed in between, the next call completes it: the picture moves first, then its receipt. One
    of another caption in its place is kept aside with `overwrite`, and otherwise stays.
    """
    first, receipt = folder.place("1"), receipts.read(folder.output) or {}
    is_taken = bool(receipts.read(first)) or file_sha256(first) not in ("", receipt.get("sha256"))
    if not adopts(folder) or (is_taken and not overwrite):
        return
    folder.path.mkdir(parents=True, exist_ok=True)
    if is_taken:
        receipts.make_room(first)
    if file_sha256(folder.output) == receipt.get("sha256"):
        folder.output.rename(first)
    came = receipts.kept_of(folder.output, receipt).read()
    moved = Record(first, {**receipt, "output": first.name})
    if came is not None:
        moved.kept.store(came, is_address=file_types.is_address(came))
    moved.update()
    receipts.receipt_path(folder.output).unlink(missing_ok=True)
    receipts.kept_of(folder.output, receipt).drop()


def use(
    folder: Folder,
    one: Candidate,
    standing: list[Candidate],
    command: str,
    asked: dict[str, object],
) -> dict[str, Any]:
    """Put a candidate in the output's place, with a receipt that says so; the receipt.

    The old file goes first, then the receipt is written, then the picture.
    """
    if not is_ours(folder):
        receipts.make_room(folder.output)
    data = one.path.read_bytes()
    folder.output.unlink(missing_ok=True)
    kept = {key: value for key, value in one.receipt.items() if key not in _OF_ITS_CALL}
    record = Record(
        folder.output,
        {
            **kept,
            "stage": "composition",
            "digest": folder.chosen_digest,
            "command": command,
            "asked": asked,
            "output": folder.output.name,
            "cost": FREE.as_json(),  # the candidate's own receipt says what it has cost
            "expected": FREE.as_json(),
            "candidate": one.name,
            "candidates": [other.in_receipt() for other in standing],
            "check": one.check.as_json() if one.check else None,
        },
    )
    record.succeeded(receipts.sha256_of_bytes(data))
    files.write_file(folder.output, data)
    return record.data


def came(folder: Folder) -> bool:
    """Whether a picture has come, and is kept, and is not in its place yet."""
    for output in folder.places:
        receipt = receipts.read(output)
        if receipt is None or receipt["state"] != "intent":
            continue
        if receipts.kept_of(output, receipt).read() is not None:
            return True
    return False


def sweep(folder: Folder) -> None:
    """Remove what a killed run has left half written among the candidates."""
    if not folder.path.is_dir():
        return
    for output in folder.places:
        receipt = receipts.read(output) or {}
        kept = receipts.kept_of(output, receipt)
        # A picture in its place need not be kept too; one that was kept only in part is useless.
        if receipt.get("state") == "succeeded" or kept.read() is None:
            kept.drop()
    for output in (*folder.places, folder.questions_file, folder.sheet):
        files.sweep(output)
