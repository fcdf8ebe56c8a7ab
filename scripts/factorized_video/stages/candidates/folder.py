"""Several anchors for one caption: the folder they lie in, what is there, and what is left to pay.

NAME.candidates/ beside the output holds `candidate-K.ext`, each with its receipt, which also holds
the checks of that picture; `candidate-Kr.ext`, the edit of candidate K; `questions.txt`, which a
person may edit; and `contact-sheet.png`. Candidate 1 is the very request of an anchor without
candidates, so one that was drawn before becomes the first of several, and is not paid for again.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, NamedTuple

from ... import files, money, receipts, rerun, texts
from ...defaults import MOST_CANDIDATES
from ...errors import UsageError
from ...media import images
from ...models import limits
from ...money import Cost
from ...prompts import checklist
from ...prompts.checklist import Check
from ...receipts import digests, spending

_FREE = Cost(0.0, "actual")
_PASSING = Check((checklist.Answer("", "yes"),))


class Wish(NamedTuple):
    """What is asked for besides one anchor, as it was typed; `prompt` is the person's own."""

    prompt: str
    candidates: int | None = None
    select: str | None = None
    verify: bool | None = None
    repair: bool | None = None
    min_score: float | None = None
    judge_model: str | None = None

    @property
    def number(self) -> int:
        """How many are to be drawn."""
        return self.candidates or 1

    @property
    def verifies(self) -> bool:
        """Whether they are to be checked: also where that is only implied."""
        return bool(self.verify or self.repair or self.min_score is not None)

    @property
    def several(self) -> bool:
        """Whether more is asked for than one plain anchor."""
        return self.number > 1 or self.select is not None or self.verifies

    @property
    def awaits_choice(self) -> bool:
        """Whether a person is to choose before it goes on."""
        return self.number > 1 and self.select is None and not self.verifies

    def check(self, user_prompt: str | None = None) -> None:
        """Raise UsageError for what was typed and would do nothing."""
        for flag, value in (("--judge-model", self.judge_model), ("--user-prompt", user_prompt)):
            if value is not None and not self.verifies:
                raise UsageError(
                    f"{flag} is for the checks, and nothing is to be checked.",
                    "Add --verify, or leave it out.",
                )

    @property
    def of_plan(self) -> dict[str, Any]:
        """The options of `plan.anchors`: nothing is paid for to take one that is there."""
        chosen = self.select is not None
        return {
            "candidates": self.number,
            "verify": self.verifies and not chosen,
            "repair": bool(self.repair) and not chosen,
            "judge_model": self.judge_model,
        }

    def digest(self, first: str) -> str:
        """Of the anchor that is taken, `first` being that of candidate 1. The least score is a
        limit, as a cap is: it is no part of it."""
        verifies = self.verifies or None
        return digests.choice(
            first,
            candidates=self.candidates if self.number > 1 else None,
            select=self.select,
            verify=verifies,
            repair=self.repair,
            judge_model=self.judge_model if verifies else None,
            prompt=self.prompt if verifies else None,
        )


class Candidate(NamedTuple):
    """One that was drawn, or tried; `check` is what is known of it by today's questions.

    `sha256` is the file's; "" where there is none that can be read. `damage` says why the file is
    no picture.
    """

    name: str
    path: Path
    receipt: dict[str, Any]
    check: Check | None
    sha256: str
    damage: str = ""

    @property
    def is_there(self) -> bool:
        """Whether there is a picture."""
        return self.receipt["state"] == "succeeded" and bool(self.sha256) and not self.damage

    @property
    def missing(self) -> str:
        """Where there is no picture: the state of its receipt, and what became of its file."""
        state = str(self.receipt["state"])
        if state != "succeeded":
            return state
        return f"{state}, file {'damaged' if self.damage else 'gone'}"

    @property
    def changed(self) -> bool:
        """Whether the picture is another one than was drawn."""
        return self.is_there and self.sha256 != self.receipt.get("sha256")

    @property
    def cost(self) -> Cost:
        """What it has cost, with its checks."""
        return money.total(spending.costs_of(self.receipt))

    def in_receipt(self) -> dict[str, Any]:
        """One entry of `candidates` in the receipt of the one that was taken."""
        check = self.check
        state = check.state if check else "unchecked"
        return {
            "candidate": self.name,
            "sha256": self.sha256 or None,
            "state": state if self.is_there else self.missing,
            "score": check.score if check else None,
            "failed": [one.question for one in check.failed] if check else [],
        }

    def as_json(self, chosen: str | None) -> dict[str, Any]:
        """One entry of `candidates` in a result."""
        return {
            **self.in_receipt(),
            "output": str(self.path),
            "receipt": str(receipts.receipt_path(self.path)),
            "chosen": self.name == chosen,
            "cost": self.cost.as_json(),
        }


class Folder(NamedTuple):
    """The candidates of the anchor `output`; `first` is the digest of candidate 1."""

    output: Path
    first: str
    wish: Wish
    gateway: dict[str, str]

    @property
    def path(self) -> Path:
        """Where they lie."""
        return self.output.with_name(self.output.stem + spending.CANDIDATES)

    @property
    def questions_file(self) -> Path:
        """One question a line."""
        return self.path / "questions.txt"

    @property
    def sheet(self) -> Path:
        """All of them at a glance."""
        return self.path / "contact-sheet.png"

    @property
    def demo(self) -> bool:
        """Whether the demo gateway draws them."""
        return self.gateway["name"] == "demo"

    def place(self, name: str) -> Path:
        """Where a candidate lies."""
        return self.path / f"candidate-{name}{self.output.suffix}"

    def wanted(self, name: str) -> str:
        """The digest of a candidate that is drawn."""
        return digests.candidate(self.first, name)

    @property
    def names(self) -> list[str]:
        """Those that are asked for."""
        return [str(number) for number in range(1, self.wish.number + 1)]

    @property
    def begun(self) -> bool:
        """Whether candidate 1 of these inputs lies here rather than in the output's place."""
        receipt = receipts.read(self.place("1"))
        return receipt is not None and receipt.get("digest") == self.first

    @property
    def in_use(self) -> bool:
        """Whether anchors are drawn here, rather than a plain one in the output's place."""
        return self.wish.several or self.begun

    @property
    def places(self) -> list[Path]:
        """Where the candidates that are asked for lie, and then their edits."""
        return [self.place(f"{name}{edit}") for edit in ("", "r") for name in self.names]

    # -- the questions ---------------------------------------------------------------------------

    @property
    def questions_digest(self) -> str:
        """Of what they are written from."""
        judge = self.wish.judge_model
        return digests.questions(self.wish.prompt, self.gateway, judge_model=judge)

    def questions(self) -> tuple[str, ...] | None:
        """The person's own, else those that were written for this prompt; None where none are.

        Raises UsageError for an edited file that holds none.
        """
        receipt = receipts.rewritten(self.questions_file, self.questions_digest)
        if self.questions_are_own:
            text = texts.read_text(None, str(self.questions_file), "The file of questions,")
            return _own_questions(text, self.questions_file)
        kept = receipt["result"].get("questions") if receipt else None
        if isinstance(kept, list) and kept and all(isinstance(one, str) for one in kept):
            return tuple(kept)
        return None

    @property
    def questions_are_own(self) -> bool:
        """Whether a person made or changed the file."""
        return receipts.edited(receipts.look(self.questions_file))

    # -- what is there ---------------------------------------------------------------------------

    def standing(self, questions: tuple[str, ...] | None) -> list[Candidate]:
        """All that were tried for these inputs, in order; edits after what was drawn."""
        drawn, edits = [], []
        for number in range(1, MOST_CANDIDATES + 1):
            one = self.candidate(str(number), questions)
            if one is None or one.receipt.get("digest") != self.wanted(one.name):
                continue
            drawn.append(one)
            edit = self.candidate(f"{number}r", questions)
            source = (edit.receipt.get("inputs") or {}).get("source") if edit else None
            if edit and isinstance(source, dict) and source.get("sha256") == one.sha256:
                edits.append(edit)
        return drawn + edits

    def candidate(self, name: str, questions: tuple[str, ...] | None) -> Candidate | None:
        """One by its name; None where nothing tells of it."""
        path = self.place(name)
        receipt = receipts.read(path)
        if receipt is None:
            return None
        sha256 = _sha256(path)
        drawn = sha256 == receipt.get("sha256")
        damage = "" if drawn or not sha256 else _damage(path)
        check = self._checked(receipt, sha256, questions) if sha256 and questions else None
        return Candidate(name, path, receipt, check, sha256, damage)

    def _checked(
        self, receipt: dict[str, Any], sha256: str, questions: tuple[str, ...]
    ) -> Check | None:
        """The newest check of this very picture, by these questions and this judge."""
        key = self.check_key(sha256, questions)
        for row in reversed(spending.checks_in(receipt)):
            if all(row.get(name) == key[name] for name in key):
                return checklist.from_json(row)
        return None

    def check_key(self, sha256: str, questions: tuple[str, ...]) -> dict[str, str | None]:
        """By what the check of a picture is known again."""
        return {
            "picture_sha256": sha256,
            "questions_sha256": receipts.sha256_of_bytes("\n".join(questions).encode()),
            "judge_model": self.wish.judge_model,
        }

    def contenders(self, standing: list[Candidate]) -> list[Candidate]:
        """Those among which one is taken: all that are there, for they cost nothing more.

        Where one plain anchor is asked for, that is candidate 1.
        """
        plain = not self.wish.several
        return [one for one in standing if one.is_there and (one.name == "1" or not plain)]

    def choice(self, standing: list[Candidate]) -> Candidate | None:
        """The one that is taken: the person's, the only one, or by their checks the best.

        None where a person is to choose, or nothing is known of any.
        """
        if self.wish.select is not None:
            return next((one for one in standing if one.name == self.wish.select), None)
        contenders = self.contenders(standing)
        if not self.wish.verifies:
            return contenders[0] if self.wish.number == 1 and contenders else None
        place = checklist.best([one.check or Check() for one in contenders])
        return contenders[place] if place is not None else None

    def sha256_to_take(self) -> str | None:
        """SHA-256 of the anchor that there will be, where nothing is left to pay for."""
        if self.taken() is not None:
            return _sha256(self.output)
        if not self.begun and self._is_plain() and self.wish.select in (None, "1"):
            return _sha256(self.output) or None
        chosen = self.choice(self.standing(self.questions()))
        return chosen.sha256 or None if chosen else None

    def cost(self, standing: list[Candidate]) -> Cost:
        """What all of it has cost, the questions too."""
        receipt = receipts.rewritten(self.questions_file, self.questions_digest)
        written = spending.costs_of(receipt) if receipt else []
        return money.total(written + [one.cost for one in standing])

    # -- what is left ----------------------------------------------------------------------------

    def left(self, *, resubmit: bool) -> dict[str, int]:
        """How many paid calls of each kind are still to be made, at the most."""
        if not self.in_use:
            pays = receipts.would_pay(
                self.output, self.first, overwrite=True, resubmit=resubmit, demo=self.demo
            )
            return {"composition": int(pays)}
        left = dict.fromkeys(("questions", "composition", "verification", "repair"), 0)
        if self.wish.select is not None or self.taken() is not None:
            return left
        to_draw = {name for name in self.names if self._to_draw(name, resubmit)}
        left["composition"] = len(to_draw)
        if not self.wish.verifies:
            return left
        questions = self.questions()
        left["questions"] = int(questions is None)
        tried = {one.name: one for one in self.standing(questions)}
        unchecked = [
            name
            for name in self.names
            if name not in tried
            or name in to_draw
            or (tried[name].is_there and tried[name].check is None)
        ]
        if "1" in unchecked and not self.begun and left["composition"] < len(self.names):
            unchecked = self.names  # an anchor that is about to become the first has no check yet
        left["verification"] = len(unchecked) + len(self.unchecked_edits(list(tried.values())))
        if self.wish.repair:
            edit = None if unchecked else self.to_repair(list(tried.values()))
            if unchecked or (edit and self._to_mend(edit, resubmit)):
                left["repair"] = 1
                left["verification"] += 1
        return left

    @staticmethod
    def unchecked_edits(standing: list[Candidate]) -> list[str]:
        """The edits that are there and were not checked by today's questions."""
        return [
            one.name
            for one in standing
            if one.name.endswith("r") and one.is_there and one.check is None
        ]

    def repair_digest(self, source: Candidate) -> str:
        """Of the edit of a candidate, by what is wrong in it."""
        wrong = source.check.wrong if source.check else ()
        return digests.repair(source.sha256, tuple(one.question for one in wrong))

    def _to_mend(self, source: Candidate, resubmit: bool) -> bool:
        """Whether the edit of a candidate is to be paid for."""
        return receipts.would_pay(
            self.place(f"{source.name}r"),
            self.repair_digest(source),
            overwrite=True,
            resubmit=resubmit,
            demo=self.demo,
        )

    def check_place(self) -> None:
        """Raise UsageError where the folder's place, or a candidate's, is taken by something else.

        A picture without a receipt is a person's; a receipt that cannot be read may be that of a
        paid call.
        """
        check_place(self.output, self.names)

    def check_choice(self) -> None:
        """Raise UsageError where a candidate is to be taken that is not there."""
        if self.wish.select is None:
            return
        there = [one.name for one in self.standing(None) if one.is_there]
        if "1" not in there and self._is_plain() and self.output.is_file():
            there.insert(0, "1")  # it becomes the first one
        if self.wish.select not in there:
            raise UsageError(
                f"There is no candidate {self.wish.select} for these inputs in {self.path}.",
                f"Choose one of {limits.listed(there)}."
                if there
                else "Draw some with --candidates N first.",
            )

    def came(self) -> bool:
        """Whether a picture has come, and is kept, and is not in its place."""
        found = ((output, receipts.read(output)) for output in self.places)
        return any(
            receipt is not None
            and receipt["state"] == "intent"
            and files.kept(receipts.kept_name(output, receipt)) is not None
            for output, receipt in found
        )

    def to_repair(self, standing: list[Candidate]) -> Candidate | None:
        """The one that is to be edited: the best that was drawn, if anything in it is wrong."""
        drawn = [one for one in self.contenders(standing) if not one.name.endswith("r")]
        place = checklist.best([one.check or Check() for one in drawn])
        chosen = drawn[place] if place is not None else None
        return chosen if chosen and chosen.check and chosen.check.wrong else None

    def _to_draw(self, name: str, resubmit: bool) -> bool:
        """Whether a candidate is to be paid for."""
        path, wanted = self.place(name), self.wanted(name)
        if name == "1" and not self.begun:
            path = self.output if self._is_plain() else path
        return receipts.would_pay(path, wanted, overwrite=True, resubmit=resubmit, demo=self.demo)

    def _is_plain(self) -> bool:
        """Whether what lies in the output's place is this anchor, drawn without candidates."""
        receipt = receipts.read(self.output)
        return receipt is not None and receipt.get("digest") == self.first and not _taken(receipt)

    def taken(self) -> Check | None:
        """The check of the candidate that was taken for just this wish, and lies in its place.

        A passing one for one that was not to be checked; None where none was taken, or where what
        lies there, or the questions, were changed since.
        """
        found = receipts.look(self.output)
        receipt = found.receipt or {}
        mine = receipt.get("digest") == self.wish.digest(self.first) and _taken(receipt)
        if not mine or not found.file_exists or found.file_sha256 != receipt.get("sha256"):
            return None
        told = receipt.get("check")
        if self.wish.select is not None or not self.wish.verifies:
            return _PASSING
        check = checklist.from_json(told) if isinstance(told, dict) else Check()
        same = self.questions() == tuple(one.question for one in check.answers)
        return check if same else None

    # -- the output's place ----------------------------------------------------------------------

    def adopt(self) -> None:
        """Move an anchor that was drawn without candidates to where it is the first of them.

        Killed in between, the next call goes on: the picture moves first, then its receipt.
        """
        if not self._is_plain():
            return
        found = receipts.look(self.output)
        receipt, first = found.receipt or {}, self.place("1")
        if receipts.read(first) is not None:
            return
        self.path.mkdir(parents=True, exist_ok=True)
        if found.file_exists and found.file_sha256 == receipt.get("sha256"):
            self.output.rename(first)
        elif receipt["state"] == "succeeded" and _sha256(first) != receipt.get("sha256"):
            return  # changed by a person, or lost
        came = files.kept(receipts.kept_name(self.output, receipt))
        moved = receipts.Record(first, {**receipt, "output": first.name})
        if came is not None:
            files.keep(moved.kept_name, came)
        moved.update()
        receipts.receipt_path(self.output).unlink(missing_ok=True)
        files.drop(receipts.kept_name(self.output, receipt))

    def is_ours(self) -> bool:
        """Whether what lies in the output's place, if anything, is one of these: replaced freely.

        A copy of a candidate, or the receipt of one that was taken.
        """
        found = receipts.look(self.output)
        if not found.file_exists:
            return found.receipt is not None and _taken(found.receipt)
        known = {(found.receipt or {}).get("sha256")} if _taken(found.receipt or {}) else set()
        with contextlib.suppress(OSError):
            for path in self.path.iterdir():
                if path.name.startswith("candidate-") and path.suffix == self.output.suffix:
                    known.add((receipts.read(path) or {}).get("sha256"))
        return found.file_sha256 in known

    def take(self, one: Candidate, standing: list[Candidate]) -> dict[str, Any]:
        """Put a candidate in the output's place, with a receipt that says so; the receipt.

        The old file goes first, then the receipt is written, then the picture: killed at any
        moment, what lies there is never taken for a person's own.
        """
        if not self.is_ours():
            receipts.make_room(self.output)
        data = one.path.read_bytes()
        self.output.unlink(missing_ok=True)
        left_out = ("checks", "reply", "request_ids", "sent_at", "took_s", "idempotency_key")
        record = receipts.Record(
            self.output,
            {
                **{key: value for key, value in one.receipt.items() if key not in left_out},
                "stage": "composition",
                "digest": self.wish.digest(self.first),
                "command": os.environ.get(receipts.COMMAND) or rerun.same_command(),
                "output": self.output.name,
                "cost": _FREE.as_json(),  # the candidate's own receipt tells what it has cost
                "expected": _FREE.as_json(),
                "candidate": one.name,
                "candidates": [other.in_receipt() for other in standing],
                "check": one.check.as_json() if one.check else None,
            },
        )
        record.succeeded(receipts.sha256_of_bytes(data))
        files.write_file(self.output, data)
        return record.data


def check_place(output: Path, names: list[str]) -> None:
    """`Folder.check_place`, for those whose digest is not known yet."""
    folder = output.with_name(output.stem + spending.CANDIDATES)
    if folder.exists() and not folder.is_dir():
        raise UsageError(
            f"{folder} is a file; the candidates go into a folder of that name.",
            "Move it away, or choose another --output.",
        )
    for name in (*names, *(f"{name}r" for name in names)):
        path = folder / f"candidate-{name}{output.suffix}"
        found = receipts.look(path)
        if found.damaged:
            raise UsageError(
                f"{receipts.receipt_path(path)} cannot be read: whether its picture was paid for "
                "is not known.",
                "Mend it, move it and its picture away, or add --overwrite: they are kept aside.",
                output=str(path),
            )
        if found.file_exists and found.receipt is None:
            raise UsageError(
                f"{path} has no receipt: it is not ours.",
                "Move it away, or add --overwrite: it is kept under another name.",
                output=str(path),
            )


def _taken(receipt: dict[str, Any]) -> bool:
    """Whether a receipt is of a candidate that was taken."""
    return isinstance(receipt.get("candidate"), str)


def _sha256(path: Path) -> str:
    """Of a file; "" where there is none that can be read."""
    try:
        return receipts.sha256_of(path)
    except OSError:
        return ""


def _damage(path: Path) -> str:
    """Why a file that a person put there is no picture; "" for one that is."""
    try:
        images.read_image(path, "It")
    except UsageError as error:
        return error.message
    return ""


def _own_questions(text: str, file: Path) -> tuple[str, ...]:
    """The questions in a file that was edited, one a line. Raises UsageError."""
    found = checklist.own_questions(text)
    if found is None:
        raise UsageError(
            f"{file} must contain 1 to {checklist.MOST_OWN_QUESTIONS} questions, one a line, each "
            f"of at most {checklist.LONGEST_QUESTION} characters.",
            "Correct it, or delete it to have new ones written.",
        )
    return found
