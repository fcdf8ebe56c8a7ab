"""The folder of an anchor's candidates: where each lies, and what is there.

NAME.candidates/ beside the output holds `candidate-K.ext`, each with its receipt, which also holds
the checks of that picture; `candidate-Kr.ext`, the edit of candidate K; `questions.txt`, which can
be edited; and `contact-sheet.png`. Candidate 1 is the very request of an anchor without candidates,
so one that was made before becomes the first of several, and is not paid for again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from ... import money, receipts, texts
from ...defaults import MOST_CANDIDATES
from ...errors import UsageError
from ...media import images
from ...money import Cost
from ...prompts import checklist
from ...prompts.checklist import Check
from ...receipts import spending
from ..request import CandidateWish, Identity

CONTACT_SHEET = "contact-sheet.png"


class Candidate(NamedTuple):
    """One that was tried; `check` is what is known of it by today's questions.

    `sha256` is the file's; "" where there is none that can be read. `damage` says why the file is
    no image.
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
    def is_edit(self) -> bool:
        """Whether it is the edit of another one."""
        return self.name.endswith("r")

    @property
    def changed(self) -> bool:
        """Whether the picture is another one than was made."""
        return self.is_there and self.sha256 != self.receipt.get("sha256")

    @property
    def cost(self) -> Cost:
        """What it has cost, with its checks."""
        return money.total(spending.costs_of(self.receipt))

    def in_receipt(self) -> dict[str, Any]:
        """One entry of `candidates` in the receipt of the chosen one."""
        check = self.check
        state = check.state if check else "unchecked"
        if not self.is_there:
            state = str(self.receipt["state"])
            if state == "succeeded":
                state += f", file {'damaged' if self.damage else 'gone'}"
        return {
            "candidate": self.name,
            "sha256": self.sha256 or None,
            "state": state,
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
            "questions": len(self.check.answers) if self.check else None,
            "cost": self.cost.as_json(),
        }


class Folder(NamedTuple):
    """The candidates of the anchor `output`; `first` is the digest of candidate 1."""

    output: Path
    first: str
    wish: CandidateWish
    gateway: Identity

    @property
    def path(self) -> Path:
        """Where they lie."""
        return self.output.with_name(self.output.stem + receipts.CANDIDATES)

    @property
    def questions_file(self) -> Path:
        """One question a line."""
        return self.path / "questions.txt"

    @property
    def sheet(self) -> Path:
        """All of them at a glance."""
        return self.path / CONTACT_SHEET

    @property
    def names(self) -> list[str]:
        """Those that are wanted."""
        return [str(number) for number in range(1, self.wish.number + 1)]

    def place(self, name: str) -> Path:
        """Where a candidate lies."""
        return self.path / f"candidate-{name}{self.output.suffix}"

    @property
    def places(self) -> list[Path]:
        """Where the wanted candidates lie, and then their edits."""
        return [self.place(f"{name}{edit}") for edit in ("", "r") for name in self.names]

    def wanted(self, name: str) -> str:
        """The digest of a candidate; that of the first is the plain anchor's."""
        if name == "1":
            return self.first
        return receipts.digest("candidate", {"first": self.first, "candidate": name})

    @property
    def chosen_digest(self) -> str:
        """Of the anchor that is chosen for this wish."""
        return self.wish.digest(self.first)

    @property
    def begun(self) -> bool:
        """Whether candidate 1 of these inputs lies here rather than in the output's place."""
        return receipts.is_of(receipts.read(self.place("1")), self.first)

    @property
    def in_use(self) -> bool:
        """Whether anchors are made here, rather than a plain one in the output's place."""
        return self.wish.several or self.begun

    def is_plain(self) -> bool:
        """Whether what lies in the output's place is this anchor, made without candidates."""
        receipt = receipts.read(self.output)
        return (
            receipt is not None and receipts.is_of(receipt, self.first) and not was_chosen(receipt)
        )

    @property
    def questions_digest(self) -> str:
        """Of what the questions are written from."""
        asked = {
            "prompt": self.wish.prompt,
            "gateway": self.gateway,
            "judge_model": self.wish.judge_model,
        }
        return receipts.digest("questions", asked)

    def questions(self) -> tuple[str, ...] | None:
        """Those in an edited file, else those written for this prompt; None where none are.

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
        """Whether somebody made or edited the file."""
        return receipts.edited(receipts.look(self.questions_file))

    def known_questions(self) -> tuple[str, ...] | None:
        """As `questions`, but None for a file that holds none: for what can still be said."""
        try:
            return self.questions()
        except UsageError:
            return None

    def standing(self, questions: tuple[str, ...] | None) -> list[Candidate]:
        """All that were tried for these inputs, in order; edits after what they were made from."""
        made, edits = [], []
        for number in range(1, MOST_CANDIDATES + 1):
            one = self.candidate(str(number), questions)
            if one is None or not receipts.is_of(one.receipt, self.wanted(one.name)):
                continue
            made.append(one)
            edit = self.candidate(f"{number}r", questions)
            source = (edit.receipt.get("inputs") or {}).get("source") if edit else None
            if edit and isinstance(source, dict) and source.get("sha256") == one.sha256:
                edits.append(edit)
        return made + edits

    def candidate(self, name: str, questions: tuple[str, ...] | None) -> Candidate | None:
        """One by its name; None where it has no receipt."""
        path = self.place(name)
        receipt = receipts.read(path)
        if receipt is None:
            return None
        sha256 = file_sha256(path)
        made_here = sha256 == receipt.get("sha256")
        damage = "" if made_here or not sha256 else _damage(path)
        check = self._check_in(receipt, sha256, questions) if sha256 and questions else None
        return Candidate(name, path, receipt, check, sha256, damage)

    def _check_in(
        self, receipt: dict[str, Any], sha256: str, questions: tuple[str, ...]
    ) -> Check | None:
        """The newest check of this very picture, by these questions and this judge."""
        key = self.check_key(sha256, questions)
        for row in reversed(spending.checks_in(receipt)):
            if all(row.get(name) == key[name] for name in key):
                return checklist.from_json(row)
        return None

    def check_key(self, sha256: str, questions: tuple[str, ...]) -> dict[str, str | None]:
        """By what the check of a picture is recognised."""
        return {
            "picture_sha256": sha256,
            "questions_sha256": receipts.sha256_of_bytes("\n".join(questions).encode()),
            "judge_model": self.wish.judge_model,
        }

    def cost(self, standing: list[Candidate]) -> Cost:
        """What all of it has cost, the questions too."""
        receipt = receipts.rewritten(self.questions_file, self.questions_digest)
        written = spending.costs_of(receipt) if receipt else []
        return money.total(written + [one.cost for one in standing])


def was_chosen(receipt: dict[str, Any]) -> bool:
    """Whether a receipt is of a candidate that was chosen."""
    return isinstance(receipt.get("candidate"), str)


def file_sha256(path: Path) -> str:
    """Of a file; "" where there is none that can be read."""
    try:
        return receipts.sha256_of(path)
    except OSError:
        return ""


def _damage(path: Path) -> str:
    """Why a file that somebody put there is no image; "" for one that is."""
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
