"""Running a command as a process of its own; its JSON answer."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import Counter

from .. import interrupts
from ..errors import Interrupted
from ..handoff import Handoff
from .command import Answer, Command

# A command that is told to stop waits for the answers of its own calls first, and then ends.
_ENDS_WITHIN_S = 8.0
LOOKS_EVERY_S = 0.25  # how soon the main thread notices a signal


def stops_within_s(time_scale: float) -> float:
    """How long a command that is told to stop may take for what is paid for, in seconds."""
    return interrupts.LONGEST_HOLD_S * time_scale + _ENDS_WITHIN_S


class Processes:
    """Runs the scripts of a folder with the same Python; what they say goes to the same stderr."""

    def __init__(self, scripts: str) -> None:
        self._scripts = scripts
        self.running: Counter[str] = Counter()  # none of them is of this process

    def answer(self, command: Command, handoff: Handoff, *, time_scale: float) -> Answer:
        """Run one to its end. On a signal it is ended first; `printed` if it said so itself."""
        path = os.path.join(self._scripts, command.script)
        with handoff.replace(**command.handed).passed_on() as (environ, files):
            child = subprocess.Popen(
                [sys.executable, path, *command.words],
                env=environ,
                pass_fds=files,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        answers: list[Answer] = []
        over = threading.Event()

        def wait() -> None:
            try:
                out, _ = child.communicate(command.stdin.encode())
                answers.append(_read(child.returncode, out))
            finally:
                over.set()

        try:
            threading.Thread(target=wait, daemon=True).start()
            # Not Thread.join: in Python 3.10 to 3.12 one that a signal interrupts takes the thread
            # for ended, and the process was then not waited for.
            while not over.wait(LOOKS_EVERY_S):
                pass
        except KeyboardInterrupt:
            _end(child, over, stops_within_s(time_scale))
            stopped = Interrupted("Interrupted.", "Run the same command again to resume.")
            for said in answers:
                if said.code == 130 and said.answered:  # it knows what keeps running
                    stopped.printed = True
                    stopped.message, stopped.hint = said.error.message, said.error.hint
            raise stopped from None
        return answers[0]


def _read(code: int, out: bytes) -> Answer:
    """The answer of a process that has ended."""
    try:
        result = json.loads(out)
    except ValueError:
        result = None
    if isinstance(result, dict):
        return Answer(code, result)
    message = f"A run ended without an answer (exit status {code})."
    error = {"kind": "interrupted", "message": message, "hint": "Run the same command again."}
    return Answer(130, {"status": "interrupted", "error": error}, answered=False)


def _end(child: subprocess.Popen[bytes], over: threading.Event, within_s: float) -> None:
    """Have a process end, so that nothing paid is lost; one that does not is killed.

    One that has only just started ends at once: it has sent nothing.
    """
    with contextlib.suppress(OSError):
        child.send_signal(interrupts.PASSED_ON)
    with contextlib.suppress(KeyboardInterrupt):  # a second one: at once
        over.wait(within_s)
    with contextlib.suppress(OSError):
        child.kill()
