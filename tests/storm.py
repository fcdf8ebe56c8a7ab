"""Commands that are killed, held up and run side by side, and the gateway they do it to.

`Storm` is a `Gateway` that can hold an answer back, answers late at seeded places, and serves every
job a clip of its own, so that a clip delivered twice shows. `Watched` counts the file operations
and connections of a command and of its children, and kills them all before a chosen one.
"""

from __future__ import annotations

import json
import os
import random
import shlex
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conftest import GUARD, Run, command, environment
from loopback import Gateway, Reply, Request, clip, png
from speech import Rows, Speech

PROMPT = "A cat jumping from a bookshelf to the couch"
# What a finished run leaves beside `cat.mp4`, and nothing else.
WHOLE = {
    "cat.mp4",
    "cat.mp4.receipt.json",
    "cat.filmstrip.png",
    "cat.stages/made-for.txt",
    "cat.stages/caption.txt",
    "cat.stages/caption.txt.receipt.json",
    "cat.stages/motion.txt",
    "cat.stages/anchor.png",
    "cat.stages/anchor.png.receipt.json",
}
STATES = {"intent", "submitted", "succeeded", "refused", "failed", "unknown"}


class Storm(Gateway):
    """A gateway with weather. `seed` says which answers are late, `slowest_s` by how much at most.

    Answers to paid creates may be late three times as long, as it is in life.
    """

    def __init__(
        self, seed: str = "", slowest_s: float = 0.0, speech: Speech | str = "happycapy"
    ) -> None:
        super().__init__(speech)
        self.clock_ahead_s = 0.0
        self.seed, self.slowest_s = seed, slowest_s
        self.listed_after_s = 0.0  # how long a new job is missing in the list
        self.clips: dict[str, bytes] = {}  # by the id that clients keep: what was served
        self._gates: dict[str, threading.Event] = {}

    def __enter__(self) -> Storm:
        super().__enter__()
        return self

    def hold(self, endpoint: str) -> None:
        """From now on answers of this endpoint wait until it is released; requests are taken."""
        self._gates[endpoint] = threading.Event()

    def release(self, endpoint: str) -> None:
        """Let the answers go."""
        self._gates.pop(endpoint).set()

    def answer(self, request: Request) -> Reply:
        """As the base, later."""
        gate = self._gates.get(request.endpoint)
        late = self._lateness(request.endpoint)
        self.until_closed(late[0])
        reply = super().answer(request)
        self.until_closed(late[1])
        while gate and not gate.is_set() and not self.until_closed(0.005):
            pass
        return reply

    def clip_of(self, job_id: str) -> bytes:
        """Of each job another one."""
        return self.clips.setdefault(self.speech.kept_as(job_id), clip_of(job_id))

    def _listed(self) -> Rows:
        """The jobs that are old enough."""
        since = time.time() - self.listed_after_s
        rows = super()._listed().rows
        return Rows(tuple(row for row in rows if float(str(self.jobs[row.id]["made_at"])) <= since))

    def _lateness(self, endpoint: str) -> tuple[float, float]:
        """Seconds before the request is taken and before its answer leaves: often none."""
        dice = random.Random(f"{self.seed}/{endpoint}/{len(self.of(endpoint))}")
        before, after = (dice.choice((0.0, 0.0, dice.random())) for _ in range(2))
        slowest_s = self.slowest_s * (3 if endpoint in ("image", "create") else 1)
        return before * slowest_s, after * slowest_s


def clip_of(job_id: str) -> bytes:
    """A clip like every other, with the job's id in a box that players skip."""
    text = job_id.encode()
    return clip() + struct.pack(">I4s", 8 + len(text), b"free") + text


def making(*args: str, output: str = "cat.mp4") -> list[str]:
    """The orchestrator's options, with --json."""
    return [f"--prompt={PROMPT}", f"--output={output}", "--json", *args]


def animating(*args: str, output: str = "cat.mp4") -> list[str]:
    """Stage 3's options, with --json, from `mine.png` in the folder."""
    return ["--anchor=mine.png", f"--prompt={PROMPT}", f"--output={output}", "--json", *args]


def own_picture(folder: Path | None = None) -> None:
    """Put `mine.png` there."""
    ((folder or Path.cwd()) / "mine.png").write_bytes(png((1280, 720), 9))


def files(folder: Path | None = None) -> set[str]:
    """Every file below, hidden ones too."""
    top = folder or Path.cwd()
    return {str(path.relative_to(top)) for path in top.rglob("*") if path.is_file()}


def receipt(path: Path | str = "cat.mp4") -> dict[str, Any]:
    """The receipt of an output."""
    data = json.loads(Path(f"{path}.receipt.json").read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


class Started:
    """A command that runs in a process group of its own; what it says goes to files."""

    def __init__(
        self,
        script: str,
        *args: str,
        gateway: Gateway | None = None,
        folder: Path | None = None,
        env: Mapping[str, str | None] | None = None,
        preexec: Callable[[], None] | None = None,
        words: list[str] | None = None,
    ) -> None:
        folder = folder or Path.cwd()
        said = Path(os.environ["TMPDIR"]) / "said"
        said.mkdir(exist_ok=True)
        name = f"{time.monotonic_ns()}"
        self._out, self._err = said / f"{name}.out", said / f"{name}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                words or command(script, *args, gateway=gateway),
                env=environment(gateway, env),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=preexec,
            )

    @property
    def err(self) -> str:
        """What it has said on stderr so far."""
        return self._err.read_text(encoding="utf-8")

    def send(self, number: signal.Signals, whole_group: bool = True) -> None:
        """A signal to all its processes, or to the first alone."""
        (os.killpg if whole_group else os.kill)(self.process.pid, number)

    def has_ended(self) -> bool:
        """Whether the first process is gone."""
        return self.process.poll() is not None

    def wait_until_said(self, text: str, timeout_s: float = 20) -> None:
        """Return as soon as this stands on stderr."""
        until(lambda: text in self.err or self.has_ended(), timeout_s)
        assert text in self.err, self.err

    def end(self, timeout_s: float = 40) -> Run:
        """How it ended."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            raise
        return Run(code, self._out.read_text(encoding="utf-8"), self.err)

    def group_is_gone(self, timeout_s: float = 5) -> bool:
        """Whether no process of the group is left, soon."""

        def gone() -> bool:
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return True
            return False

        return until(gone, timeout_s)


def until(condition: Callable[[], bool], timeout_s: float = 20) -> bool:
    """Wait for a condition; whether it came true in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.003)
    return True


def literal(line: str) -> list[str]:
    """A command from `next`, with the interpreter that runs the tests."""
    words = shlex.split(line)
    assert words[0] == "python3"
    return [sys.executable, *words[1:]]


# --- what a command does to files, counted, and stopped at a step ---------------------------------

_HOOK = """
import os, signal, sys, time

with open(os.environ["STORM_GUARD"]) as file:
    exec(compile(file.read(), "guard", "exec"))

log = os.open(os.environ["STORM_LOG"], os.O_WRONLY | os.O_APPEND)
count = os.open(os.environ["STORM_COUNT"], os.O_WRONLY | os.O_APPEND)
root = os.environ["STORM_ROOT"]
kill_at = int(os.environ["STORM_KILL_AT"])
began, renamed = [0.0], [""]

def seen(event, args):
    if event == "open":
        path, _, flags = args
        if not isinstance(path, (str, os.PathLike)) or not flags & (os.O_WRONLY | os.O_RDWR):
            return
        what = os.fspath(path)
        if what.endswith(".part"):
            began[0] = time.perf_counter()
    elif event == "os.rename":
        what = os.fspath(args[1])
        renamed[0] = what
    elif event in ("os.remove", "os.mkdir"):
        what = os.fspath(args[0])
    elif event == "socket.connect":
        what = root + "/connection"
    elif event == "fcntl.flock":
        what = root + "/lock"
    else:
        return
    if not what.startswith(root):
        return
    os.write(count, b".")
    number = os.fstat(count).st_size
    os.write(log, f"{number} {event} {os.path.basename(what)}\\n".encode())
    if number == kill_at:
        os.killpg(0, int(os.environ["STORM_SIGNAL"]))

def synced(handle, real=os.fsync):
    real(handle)
    if renamed[0].endswith(".receipt.json"):  # the folder's sync, which ends the write
        took = time.perf_counter() - began[0]
        os.write(log, f"0 receipt {took:.6f}\\n".encode())
    renamed[0] = ""

os.fsync = synced
sys.addaudithook(seen)
"""


class Watched:
    """Where the steps of commands are counted: file operations below `root`, and connections."""

    def __init__(self, folder: Path, root: Path) -> None:
        folder.mkdir(parents=True)
        (folder / "sitecustomize.py").write_text(_HOOK, encoding="utf-8")
        self._folder, self._root = folder, root

    def environment(
        self, kill_at: int = 0, number: signal.Signals = signal.SIGKILL
    ) -> dict[str, str]:
        """For one command: it and its children are killed before step `kill_at`, if ever."""
        for name in ("log", "count"):
            (self._folder / name).write_bytes(b"")
        return {
            "PYTHONPATH": os.pathsep.join([str(self._folder), os.environ["PYTHONPATH"]]),
            "STORM_GUARD": str(GUARD / "sitecustomize.py"),
            "STORM_LOG": str(self._folder / "log"),
            "STORM_COUNT": str(self._folder / "count"),
            "STORM_ROOT": str(self._root),
            "STORM_KILL_AT": str(kill_at),
            "STORM_SIGNAL": str(int(number)),
        }

    @property
    def steps(self) -> list[str]:
        """What the last command did, in order."""
        return [line for line in self._lines() if not line.startswith("0 ")]

    @property
    def receipt_writes(self) -> list[float]:
        """Seconds that each write of a receipt took."""
        return [float(line.split()[2]) for line in self._lines() if line.startswith("0 receipt")]

    def _lines(self) -> list[str]:
        return (self._folder / "log").read_text(encoding="utf-8").splitlines()


@dataclass
class Tally:
    """What happened in some rounds of killing and running again."""

    rounds: int = 0
    kills: int = 0
    unknown: dict[str, int] = field(default_factory=lambda: {"image": 0, "create": 0})
    billed: dict[str, int] = field(default_factory=lambda: {"image": 0, "create": 0})
    settled: int = 0
    delivered: int = 0
    whole_s: float = 60.0  # the fastest run that nothing disturbed

    def __str__(self) -> str:
        return (
            f"{self.rounds} rounds, {self.kills} kills; exit 8 reported {self.unknown['image']} "
            f"times for images, {self.unknown['create']} for videos; {self.settled} lost answers "
            f"settled; billed {self.billed['image']} images, {self.billed['create']} videos; "
            f"delivered {self.delivered}"
        )
