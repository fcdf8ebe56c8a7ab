"""Several commands at once: each a process of its own, whose one JSON answer is handed on.

Nothing of an answer is kept here, so that a thousand commands take no more memory than one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .. import interrupts, receipts
from ..errors import Interrupted

# A command that is told to stop waits for the answers of its own stages first.
_STOPS_WITHIN_S = interrupts.LONGEST_HOLD_S + 8
_LOOKS_EVERY_S = 0.25  # how soon the main thread notices a signal


# A run takes about 0.6 s of one core (tests/benchmarks/batch.py), most of it as it begins. Begun
# all in one moment, they would wait for each other, and in step again and again: eight at once on
# two cores came to 79 % of the ideal speed, with this to 89 %. It spares the gateway a burst, too.
_GAP_S = 0.6 / (os.cpu_count() or 1)


class Command(NamedTuple):
    """One command: its words after the interpreter's, and what it reads from stdin."""

    words: list[str]
    stdin: str


class Answer(NamedTuple):
    """How a command ended: its exit code and its JSON result."""

    code: int
    result: dict[str, Any]


class Crew:
    """Runs commands, so many at once; started and ended commands are told one at a time."""

    def __init__(self, waiting: Callable[[float], None]) -> None:
        """`waiting(seconds)` is called every now and then, with the time that has gone by."""
        self._waiting = waiting
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._next_at = 0.0  # by the monotonic clock, when the next command may begin
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False
        # Receipts name the command that a person would run again: the one that was typed.
        command = receipts.command_again()
        self._environ = {**os.environ, receipts.COMMAND: command}
        self._environ.pop(receipts.PIPELINE, None)

    def run(
        self,
        commands: Iterator[tuple[Any, Command]],
        at_once: int,
        ended: Callable[[Any, Answer], None],
    ) -> None:
        """Run all commands; `ended(key, answer)` is called as each ends, never two at a time.

        The iterator is asked for the next one when there is room for it, under the same lock.
        Raises Interrupted once those that were running have ended.
        """
        failures: list[BaseException] = []
        left, over = [None] * at_once, threading.Event()

        def work() -> None:
            try:
                while not self._stopped:
                    with self._lock:
                        key, command = next(commands, (None, None))
                    if command is None:
                        return
                    self._take_turns()
                    answer = self._answer(command)
                    with self._lock:
                        ended(key, answer)
            except BaseException as error:  # noqa: BLE001 - raised by the main thread
                failures.append(error)
                self._stopped = True
            finally:
                with self._lock:
                    left.pop()
                    if not left:
                        over.set()

        began = time.monotonic()
        try:
            for _ in range(at_once):
                threading.Thread(target=work, daemon=True).start()
            # Not Thread.join: in Python 3.10 to 3.12 one that a signal interrupts takes the thread
            # for ended, and the command that it runs was then not waited for.
            while not over.wait(_LOOKS_EVERY_S):
                with self._lock:
                    self._waiting(time.monotonic() - began)
        except KeyboardInterrupt:
            self._stop(over)
            raise Interrupted("Interrupted.", "Run the same command again to go on.") from None
        if failures:
            raise failures[0]

    def _take_turns(self) -> None:
        """Wait until the command that was begun before has had its time."""
        with self._turn:
            time.sleep(max(0.0, self._next_at - time.monotonic()))
            self._next_at = time.monotonic() + _GAP_S

    def _answer(self, command: Command) -> Answer:
        # Its progress would be mixed with the others'; its warnings and errors are in its result.
        child = subprocess.Popen(
            [sys.executable, *command.words],
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._running.add(child)
        if self._stopped:  # begun while those that were running were told
            _have_end(child)
        try:
            out, err = child.communicate(command.stdin.encode())
        finally:
            self._running.discard(child)
        try:
            result = json.loads(out)
        except ValueError:
            result = None
        if isinstance(result, dict):
            return Answer(child.returncode, result)
        said = err.decode("utf-8", "replace").strip().splitlines()
        message = f"A run ended without an answer (exit status {child.returncode})."
        hint = f"Its last line: {said[-1][:300]}" if said else "Run the same command again."
        error = {"kind": "interrupted", "message": message, "hint": hint}
        return Answer(130, {"status": "interrupted", "error": error})

    def _stop(self, over: threading.Event) -> None:
        """Have what is running end, so that nothing paid is lost; what does not is killed."""
        self._stopped = True
        for child in list(self._running):
            _have_end(child)
        with contextlib.suppress(KeyboardInterrupt):  # a second one: at once
            over.wait(_STOPS_WITHIN_S)
        for child in list(self._running):
            with contextlib.suppress(OSError):
                child.kill()


def _have_end(child: subprocess.Popen[bytes]) -> None:
    """Tell a command to end. One that has only just begun ends at once: it has sent nothing."""
    with contextlib.suppress(OSError):
        child.send_signal(interrupts.PASSED_ON)


def words_of(
    parser: argparse.ArgumentParser, args: argparse.Namespace, **instead: object
) -> list[str]:
    """The options as words of a command line; `instead` are other values for some of them.

    Options at their default are left out. Raises KeyError for a name that is no option.
    """
    values = {**vars(args), **instead}
    unknown = set(instead) - {action.dest for action in parser._actions}
    if unknown:
        raise KeyError(f"no such options: {sorted(unknown)}")
    words: list[str] = []
    for action in parser._actions:
        value = values.get(action.dest)
        flag = action.option_strings[0] if action.option_strings else ""
        if not flag or value is None:
            continue
        if action.nargs == 0:  # a flag without a value
            if value == action.const and value != action.default:
                words.append(flag)
        elif isinstance(value, list):
            words += [f"{flag}={one}" for one in value]
        elif value != action.default:
            words.append(f"{flag}={value}")
    return words
