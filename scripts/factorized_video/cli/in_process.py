"""Running our own commands in this process: many at once, without a process for each.

A command is the same either way: the script's own options and `run`, what it is handed, what it
reads from stdin, and one result. What it would say on stderr is dropped, as that of several would
be mixed.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import importlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .. import texts, turns
from ..console import Console
from ..pipeline.command import Answer, Command
from .main import command_result

if TYPE_CHECKING:
    from ..handoff import Handoff
    from .options import Parser


_M_ARENA_MAX = -8  # of malloc.h


class _Mute(Console):
    """Keeps warnings, and says nothing."""

    def __init__(self, handoff: Handoff) -> None:
        super().__init__(quiet=True, shown=handoff.warnings)

    def _line(self, text: str) -> None:
        pass


class _Script:
    """One of the four scripts: its options, read one command at a time, and what it does."""

    def __init__(self, name: str) -> None:
        module = importlib.import_module(name.removesuffix(".py"))
        self.run = module.run
        self._parser: Parser = module.build_parser()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def parser(self) -> Iterator[Parser]:
        """Its parser, which takes longer to make than to use."""
        with self._lock:
            yield self._parser


def _settle_down() -> None:
    """Have this process stay small, however many commands it runs."""
    gc.freeze()  # what was loaded so far stays; what the commands leave behind does not
    gc.set_threshold(20_000, 20, 20)  # hundreds of runs are alive at once: seldom
    gc.enable()
    # The C library of Linux keeps what threads have freed in eight heaps for each processor.
    with contextlib.suppress(OSError, AttributeError):  # another library has one for all
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


class InThisProcess:
    """Runs commands in the thread that asks for it. `running` counts them by their script."""

    def __init__(self) -> None:
        self.running: Counter[str] = Counter()
        self._scripts: dict[str, _Script] = {}
        self._lock = threading.Lock()

    def answer(self, command: Command, handoff: Handoff, *, time_scale: float) -> Answer:
        """Run one to its end; after a signal it ends by itself, and says so in its answer."""
        given, started = handoff.replace(**command.handed), time.monotonic()
        script = self._script(command.script)
        options = argparse.Namespace(
            console=_Mute(given), handoff=given, launcher=self, learned=True
        )
        with turns.seat(), self._counted(command.script), texts.piped(command.stdin):
            words = [command.script, *command.words]
            result = command_result(script.parser, script.run, words, options, started)
        document: dict[str, Any] = json.loads(result.as_json())
        return Answer(result.code, document)

    def _script(self, name: str) -> _Script:
        with self._lock:
            if not self._scripts:  # with all that was planned
                _settle_down()
            if name not in self._scripts:
                self._scripts[name] = _Script(name)
            return self._scripts[name]

    @contextlib.contextmanager
    def _counted(self, script: str) -> Iterator[None]:
        with self._lock:
            self.running[script] += 1
        try:
            yield
        finally:
            with self._lock:
                self.running[script] -= 1
