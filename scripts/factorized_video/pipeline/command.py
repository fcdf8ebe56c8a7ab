"""One of our commands, what it answers, and how it is run: as a process, or in this one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from .. import errors
from ..errors import ToolError
from ..handoff import Handoff


class Command(NamedTuple):
    """One command: the name of its script, its options, and what it reads from stdin.

    `handed` is what its handoff says otherwise than that of the others.
    """

    script: str
    words: list[str]
    stdin: str
    handed: Mapping[str, Any] = {}


class Answer(NamedTuple):
    """How a command ended: its exit code and its JSON result.

    If not `answered`, it was killed before it printed a result, and this one is made up here.
    """

    code: int
    result: dict[str, Any]
    answered: bool = True

    @property
    def error(self) -> ToolError:
        """The error of one that failed."""
        return errors.from_json(self.result.get("error"))


class Launcher(Protocol):
    """Runs commands. `running` counts those of this process by their script."""

    running: Counter[str]

    def answer(self, command: Command, handoff: Handoff, *, time_scale: float) -> Answer:
        """Run one to its end. Raises Interrupted once it has ended after a signal.

        `time_scale` is that of the gateway's settings, by which what is paid for is waited for.
        """
