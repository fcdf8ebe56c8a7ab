"""Running commands as processes: one after the other, or several at once; their JSON answers.

Nothing of an answer is kept here, so that a thousand commands take no more memory than one.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from .. import errors, interrupts
from ..errors import Interrupted, ToolError
from ..handoff import Handoff

if TYPE_CHECKING:
    from ..stages.context import Context

Key = TypeVar("Key")

# A command that is told to stop waits for the answers of its own stages first, and then ends.
_ENDS_WITHIN_S = 8.0
_LOOKS_EVERY_S = 0.25  # how soon the main thread notices a signal
# A run takes about 0.6 s of one core (tests/benchmarks/batch.py), most of it as it begins. Started
# all together, they would compete for the cores, and stay in step: eight at a time on two cores
# reached 79 % of the ideal speed, with this gap 89 %. It also spares the gateway a burst.
_GAP_S = 0.6 / (os.cpu_count() or 1)


class Command(NamedTuple):
    """One command: its words after the interpreter's, and what it reads from stdin.

    `handed` is what its handoff says otherwise than that of the others.
    """

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


class Crew:
    """Runs commands with the same Python.

    With `quiet` their progress is dropped, for that of several would be mixed; else it goes to the
    same stderr. `waiting(seconds)` is called every now and then, with the time that has passed.
    `time_scale` is that of the gateway's settings, by which a command waits for what is paid for.
    """

    def __init__(
        self,
        handoff: Handoff,
        *,
        time_scale: float,
        quiet: bool = False,
        waiting: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self._handoff = handoff
        self._stops_within_s = interrupts.LONGEST_HOLD_S * time_scale + _ENDS_WITHIN_S
        self._stderr = subprocess.PIPE if quiet else None
        self._waiting = waiting
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._next_at = 0.0  # by the monotonic clock, when the next command may start
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def one(self, command: Command) -> Answer:
        """Run one command. On an interrupt it is ended first; `printed` if it said so itself."""
        answers: list[Answer] = []
        try:
            self.run(iter([(None, command)]), 1, lambda _, answer: answers.append(answer))
        except Interrupted as stopped:
            for said in answers:
                if said.code == 130 and said.answered:  # it knows what keeps running
                    stopped.printed = True
                    stopped.message, stopped.hint = said.error.message, said.error.hint
            raise
        return answers[0]

    def run(
        self,
        commands: Iterator[tuple[Key, Command]],
        at_once: int,
        ended: Callable[[Key, Answer], tuple[Key, Command] | None],
    ) -> None:
        """Run all commands; `ended(key, answer)` is called as each ends, never two at a time.

        It may return the command that follows from the one that ended, which goes first. The
        iterator is asked for the next one when there is room for it, under the same lock.
        Raises Interrupted once those that were running have ended.
        """
        failures: list[BaseException] = []
        left, over = [None] * at_once, threading.Event()

        def work() -> None:
            try:
                following = None
                while not self._stopped:
                    with self._lock:
                        found = following or next(commands, None)
                    if found is None:
                        return
                    key, command = found
                    self._take_turns()
                    answer = self._answer(command)
                    with self._lock:
                        following = ended(key, answer)
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
            raise Interrupted("Interrupted.", "Run the same command again to resume.") from None
        if failures:
            raise failures[0]

    def _take_turns(self) -> None:
        """Wait until the command that was started before has had its time."""
        with self._turn:
            time.sleep(max(0.0, self._next_at - time.monotonic()))
            self._next_at = time.monotonic() + _GAP_S

    def _answer(self, command: Command) -> Answer:
        handoff = self._handoff.replace(**command.handed)
        with handoff.passed_on() as (environ, files):
            child = subprocess.Popen(
                [sys.executable, *command.words],
                env=environ,
                pass_fds=files,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
            )
        self._running.add(child)
        if self._stopped:  # started while those that were running were told to end
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
        last = (err or b"").decode("utf-8", "replace").strip().splitlines()
        message = f"A run ended without an answer (exit status {child.returncode})."
        hint = f"Its last line: {last[-1][:300]}" if last else "Run the same command again."
        error = {"kind": "interrupted", "message": message, "hint": hint}
        return Answer(130, {"status": "interrupted", "error": error}, answered=False)

    def _stop(self, over: threading.Event) -> None:
        """Have what is running end, so that nothing paid is lost; what does not is killed."""
        self._stopped = True
        for child in list(self._running):
            _have_end(child)
        with contextlib.suppress(KeyboardInterrupt):  # a second one: at once
            over.wait(self._stops_within_s)
        for child in list(self._running):
            with contextlib.suppress(OSError):
                child.kill()


def quiet_crew(context: Context, *, checked: bool, waiting: Callable[[float], None]) -> Crew:
    """One whose commands are runs of their own, for what `context` is about.

    `checked`: whether gateway and key were found good, so that the runs need not ask.
    """
    rerun = context.rerun
    handoff = Handoff(
        command=rerun.words,
        output=rerun.output,
        texts=rerun.texts,
        gateway_checked=checked,
        listed=context.listed,
    )
    return Crew(handoff, time_scale=context.gateway.time_scale, quiet=True, waiting=waiting)


def _have_end(child: subprocess.Popen[bytes]) -> None:
    """Tell a command to end. One that has only just started ends at once: it has sent nothing."""
    with contextlib.suppress(OSError):
        child.send_signal(interrupts.PASSED_ON)
