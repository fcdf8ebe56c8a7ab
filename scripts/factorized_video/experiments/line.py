"""One line of a file of prompts: what it asks for, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import money, receipts
from ..money import FREE, Cost
from ..pipeline.run import Run
from ..receipts import spending
from ..receipts.cap import Spent
from ..stages.calls import models_of
from ..stages.request import Argv
from .evaluation import MEASURES

# The status of a line that has candidates, and none of them chosen.
AWAITS = "awaits a choice"
# What a receipt's state means for a line, where it is not the same word.
_STANDS = {"submitted": "running", "intent": "unknown"}


@dataclass
class Line:
    """One line of the file: what it asks for, and what became of it."""

    number: int  # in the file, from 1
    prompt: str
    category: str
    asks: str  # the same for every result of the same request
    argv: Argv
    output: Path
    outputs: list[Path]
    expected: Cost = FREE  # of what is left to pay
    done: bool = False
    warnings: tuple[str, ...] = ()
    calls: list[dict[str, Any]] = field(default_factory=list)  # still to be made, in a plan
    models: dict[str, list[str]] = field(default_factory=dict)  # that these name, by service
    spent: Spent = Spent()  # noqa: RUF009 - immutable
    took_s: float = 0.0
    status: str = "not begun"
    began_at: float = 0.0  # by the monotonic clock, in this command
    answer: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, number: int, category: str, asks: str, run: Run) -> Line:
        """What is there of a run, and what it should still cost; the run itself is let go."""
        left = run.left
        line = cls(
            number,
            run.request.prompt,
            category,
            asks,
            run.to_argv(),
            run.output,
            run.outputs,
            left.cost,
            run.is_done,
            tuple(run.warnings),
            [call.brief for call in left.calls],
            models_of(left.calls),
        )
        line.look()
        line.status = "succeeded" if line.done else "not begun"
        return line

    @property
    def error(self) -> dict[str, Any]:
        """The error it ended with; empty where there is none."""
        return self.answer.get("error") or {}

    @property
    def passes(self) -> dict[str, Any] | None:
        """By measure and arm, how many questions pass of those asked; None where none were."""
        measured = self.answer.get("measurement")
        if not measured:
            return None
        kept = ("state", "passed", "asked")
        return {
            what: {arm: {key: found[key] for key in kept} for arm, found in measured[what].items()}
            for what in MEASURES
        }

    @property
    def beginning(self) -> str:
        """The prompt, or as much of it as shows which it is."""
        return self.prompt if len(self.prompt) <= 300 else f"{self.prompt[:297]}..."

    def look(self) -> None:
        """Read from the receipts what it has cost and how long its calls took.

        Called where something may have changed, not for each summary: one is written whenever a
        line ends, and each would read the receipts of all lines.
        """
        self.spent = spending.spent_for(self.outputs)
        self.took_s = spending.took_s(self.outputs)

    @property
    def was_cut_off(self) -> bool:
        """Whether a killed run has left its locks; the line is begun again, and clears them away.

        A run holds the first of them from its beginning to its end.
        """
        names = (f"{self.output.name}.run", self.output.name)
        return any(self.output.with_name(f".{name}.lock").exists() for name in names)

    @property
    def cost(self) -> dict[str, object]:
        """What it has cost, as its receipts say."""
        receipt = receipts.read(self.output) or {}
        if self.done:
            cost = (receipt.get("pipeline") or {}).get("cost") or receipt.get("cost")
            return money.from_json(cost).as_json()
        return spending.account(self.outputs)["cost"]

    def stand(self) -> None:
        """Find out how it stands, by its receipts alone, whoever has made what there is of it."""
        self.answer = {"cost": self.cost}
        if self.done:
            return
        found = [receipt for output in self.outputs if (receipt := receipts.read(output))]
        self.status = "interrupted" if found else "not begun"
        for receipt in found:
            if receipt["state"] != "succeeded":
                self.status = _STANDS.get(receipt["state"], receipt["state"])
                self.answer["error"] = receipt.get("error")

    def as_json(self) -> dict[str, Any]:
        """One entry of `lines` in the summary."""
        return {
            "line": self.number,
            "category": self.category or None,
            "prompt": self.beginning,
            "status": self.status,
            "output": str(self.output),
            "cost": self.answer.get("cost"),
            "took_s": self.took_s,
            "comparison": self.answer.get("comparison"),
            "contact_sheet": self.answer.get("contact_sheet"),
            "measurement": self.passes,
            "error": self.answer.get("error"),
        }

    def planned(self) -> dict[str, Any]:
        """One entry of `lines` in a plan."""
        return {
            "line": self.number,
            "category": self.category or None,
            "prompt": self.beginning,
            "status": "succeeded" if self.done else "planned",
            "output": str(self.output),
            "cost": self.expected.as_json(),
            "stages": self.calls,
        }
