"""What a command did, as one value; JSON and text are two views of it."""

from __future__ import annotations

import json

from ..errors import masked

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from typing import Any

# The keys that every result has, in order; null where one does not apply.
RESULT_KEYS = (
    "status",
    "stage",
    "output",
    "gateway",
    "model",
    "cost",
    "spent",
    "elapsed_s",
    "warnings",
    "receipt",
    "job",
    "eta_s",
    "next",
)


class Result:
    """The document that a command returns, and its exit code."""

    def __init__(self, document: dict[str, Any], code: int = 0) -> None:
        self.document = document
        self.code = code

    def as_json(self) -> str:
        """The one JSON document of --json."""
        rest = {key: value for key, value in self.document.items() if key not in RESULT_KEYS}
        whole = {key: self.document.get(key) for key in RESULT_KEYS} | rest
        return masked(json.dumps(whole, ensure_ascii=False, indent=2))

    def as_text(self) -> str:
        """What is printed without --json.

        The error of a failed command is on stderr; what remains is the plan that is over the limit,
        or what became of many prompts or shots.
        """
        from .text_output import text_of

        kept = ("gateway_why", "lines", "shots")
        is_shown = not self.code or any(name in self.document for name in kept)
        return text_of(self.document) if is_shown else ""
