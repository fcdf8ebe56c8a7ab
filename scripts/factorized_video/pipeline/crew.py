"""Several commands at once, each in a thread of this process.

Waiting for a gateway costs nothing here: no process, and between two looks at a job no time of a
processor. Nothing of an answer is kept, so that a thousand commands take no more memory than one.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from .. import gateway, interrupts, turns
from ..errors import Interrupted
from ..handoff import Handoff
from .command import Answer, Command, Launcher
from .stage_process import LOOKS_EVERY_S, stops_within_s

if TYPE_CHECKING:
    from ..stages.context import Context

Key = TypeVar("Key")


class Crew:
    """Runs commands for what `context` is about, by a launcher that runs them in this process.

    `checked`: whether gateway and key were found good, so that the commands need not ask.
    `waiting(seconds)` is called every now and then, with the time that has passed.
    """

    def __init__(
        self,
        launcher: Launcher,
        context: Context,
        *,
        checked: bool,
        waiting: Callable[[float], None],
    ) -> None:
        rerun = context.rerun
        self._handoff = Handoff(
            command=rerun.words,
            output=rerun.output,
            texts=rerun.texts,
            gateway_checked=checked,
            listed=context.listed,
        )
        self._launcher = launcher
        self._gateway = context.gateway
        self._waiting = waiting
        self._lock = threading.Lock()
        self._stopped = False

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
        scale = self._gateway.time_scale

        def work() -> None:
            try:
                following = None
                while not (self._stopped or interrupts.pending()):
                    with self._lock:
                        found = following or next(commands, None)
                    if found is None:
                        return
                    key, command = found
                    answer = self._launcher.answer(command, self._handoff, time_scale=scale)
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

        gateway.allow(self._gateway, at_once)
        began = time.monotonic()
        try:
            for _ in range(at_once):
                threading.Thread(target=work, daemon=True).start()
            # Not Thread.join: in Python 3.10 to 3.12 one that a signal interrupts takes the thread
            # for ended.
            with turns.away():
                while not over.wait(LOOKS_EVERY_S):
                    interrupts.stop_if_pending()  # of a crew in a thread of another one
                    with self._lock:
                        self._waiting(time.monotonic() - began)
        except KeyboardInterrupt:
            self._stopped = True
            interrupts.tell_all()
            with contextlib.suppress(KeyboardInterrupt):  # a second one: at once
                over.wait(stops_within_s(scale))
            if not over.is_set():
                interrupts.leave_behind()
            raise Interrupted("Interrupted.", "Run the same command again to resume.") from None
        if failures:
            raise failures[0]
