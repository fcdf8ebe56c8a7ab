"""Which candidate is chosen, and what is left to pay for until one can be. Changes nothing."""

from __future__ import annotations

from ... import receipts
from ...prompts import checklist
from ...prompts.checklist import Answer, Check
from ...receipts import Allowed
from . import filing
from .folder import Candidate, Folder, file_sha256, was_chosen

_PASSING = Check((Answer("", "yes"),))


def contenders(folder: Folder, standing: list[Candidate]) -> list[Candidate]:
    """Those among which one is chosen: all that are there, for they cost nothing more.

    Where one plain anchor is wanted, that is candidate 1.
    """
    plain = not folder.wish.several
    return [one for one in standing if one.is_there and (one.name == "1" or not plain)]


def choose(folder: Folder, standing: list[Candidate]) -> Candidate | None:
    """The selected one, the only one, or by their checks the best.

    None where somebody is to choose, or nothing is known of any.
    """
    wish = folder.wish
    if wish.select is not None:
        return next((one for one in standing if one.name == wish.select), None)
    some = contenders(folder, standing)
    if not wish.verifies:
        return some[0] if wish.number == 1 and some else None
    return _best(some)


def to_repair(folder: Folder, standing: list[Candidate]) -> Candidate | None:
    """The one to be edited: the best that was generated, if anything in it is wrong."""
    chosen = _best([one for one in contenders(folder, standing) if not one.is_edit])
    return chosen if chosen and chosen.check and chosen.check.wrong else None


def repair_digest(source: Candidate) -> str:
    """Of the edit of a candidate, by what is wrong in it."""
    wrong = source.check.wrong if source.check else ()
    failed = [one.question for one in wrong]
    return receipts.digest("repair", {"source": source.sha256, "failed": failed})


def unchecked_edits(standing: list[Candidate]) -> list[str]:
    """The edits that are there and were not checked by today's questions."""
    return [one.name for one in standing if one.is_edit and one.is_there and one.check is None]


def chosen_before(folder: Folder) -> Check | None:
    """The check of the candidate that was chosen for just this wish, and lies in its place.

    A passing one for one that was not to be checked; None where none was chosen, or where what
    lies there, or the questions, were changed since.
    """
    found = receipts.look(folder.output)
    receipt = found.receipt or {}
    mine = receipts.is_of(receipt, folder.chosen_digest) and was_chosen(receipt)
    if not mine or not found.file_exists or found.file_sha256 != receipt.get("sha256"):
        return None
    if folder.wish.select is not None or not folder.wish.verifies:
        return _PASSING
    row = receipt.get("check")
    check = checklist.from_json(row) if isinstance(row, dict) else Check()
    same = folder.questions() == tuple(one.question for one in check.answers)
    return check if same else None


def sha256_to_use(folder: Folder) -> str | None:
    """SHA-256 of the anchor that there will be, where nothing is left to pay for."""
    if not folder.in_use:
        back = receipts.to_come_back(folder.output, folder.first)
        return back["sha256"] if back else file_sha256(folder.output) or None
    if chosen_before(folder) is not None:
        return file_sha256(folder.output)
    if not folder.begun and folder.is_plain() and folder.wish.select in (None, "1"):
        return file_sha256(folder.output) or None
    chosen = choose(folder, folder.standing(folder.questions()))
    return chosen.sha256 or None if chosen else None


def left(folder: Folder, allowed: Allowed) -> dict[str, int]:
    """How many paid calls of each kind are still to be made, at the most."""
    allowed = allowed._replace(overwrite=True)  # what lies in the way is checked elsewhere
    if not folder.in_use:
        pays = receipts.would_pay(folder.output, folder.first, allowed)
        return {"composition": int(pays)}
    counts = dict.fromkeys(("questions", "composition", "verification", "repair"), 0)
    if folder.wish.select is not None or chosen_before(folder) is not None:
        return counts
    missing = {name for name in folder.names if _is_missing(folder, name, allowed)}
    counts["composition"] = len(missing)
    if folder.wish.verifies:
        counts |= _checks_left(folder, missing, allowed)
    return counts


def _checks_left(folder: Folder, missing: set[str], allowed: Allowed) -> dict[str, int]:
    """Questions, checks and the edit that are still to be paid for."""
    questions = folder.questions()
    standing = folder.standing(questions)
    tried = {one.name: one for one in standing}
    unchecked = [
        name
        for name in folder.names
        if name not in tried
        or name in missing
        or (tried[name].is_there and tried[name].check is None)
    ]
    if "1" in unchecked and not folder.begun and len(missing) < len(folder.names):
        unchecked = folder.names  # an anchor that is about to become the first has no check yet
    counts = {
        "questions": int(questions is None),
        "verification": len(unchecked) + len(unchecked_edits(standing)),
    }
    if folder.wish.repair:
        source = None if unchecked else to_repair(folder, standing)
        if unchecked or (source and _is_unrepaired(folder, source, allowed)):
            counts["repair"] = 1
            counts["verification"] += 1
    return counts


def _is_unrepaired(folder: Folder, source: Candidate, allowed: Allowed) -> bool:
    """Whether the edit of a candidate is to be paid for."""
    place = folder.place(f"{source.name}r")
    return receipts.would_pay(place, repair_digest(source), allowed)


def _is_missing(folder: Folder, name: str, allowed: Allowed) -> bool:
    """Whether a candidate is to be paid for; the first may lie in the output's place."""
    path = folder.output if name == "1" and filing.adopts(folder) else folder.place(name)
    return receipts.would_pay(path, folder.wanted(name), allowed)


def _best(candidates: list[Candidate]) -> Candidate | None:
    place = checklist.best([one.check or Check() for one in candidates])
    return candidates[place] if place is not None else None
