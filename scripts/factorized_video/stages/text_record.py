"""The receipt of a text that an LLM is asked for, from the first answer on that was paid for.

A chat is simply sent again, so there is no receipt before it; but what an answer has cost that
could not be used is on disk before the next one is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .. import money, receipts
from ..errors import OutputError, ToolError
from ..money import Cost
from ..receipts import Intent, Record


class TextRecord:
    """Of one output; of none, nothing is kept. `intent` is asked for when it is needed."""

    def __init__(self, output: Path | None, intent: Callable[[], Intent]) -> None:
        self._output = output
        self._intent = intent
        self._record: Record | None = None

    def keep(self, cost: Cost) -> None:
        """Write down what the answers so far have cost: another one is asked for."""
        self.failed(
            OutputError(
                "An answer was paid for and could not be used, and the run ended before the next.",
                "Run the same command again.",
                charged="yes",
                cost=cost.as_json(),
            )
        )

    def failed(self, error: ToolError) -> None:
        """Write down how it ended, if anything was paid for; else nothing happened."""
        cost = error.result.get("cost")
        if self._output and cost:
            self._started().data["cost"] = money.from_json(cost).as_json()
            self._started().ended(error)

    def succeeded(self, text: bytes, **changes: object) -> Record:
        """Write down the text, and what goes with it, before its file is written."""
        if self._output is None:
            return Record(Path("-"), {})
        record = self._started()
        record.data["sent"] = self._intent().sent
        record.succeeded(receipts.sha256_of_bytes(text), **changes)
        return record

    def _started(self) -> Record:
        assert self._output is not None
        if self._record is None:
            self._record = Record.begin(self._output, self._intent())
        return self._record
