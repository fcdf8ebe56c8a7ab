"""Commands in processes that are forked from one that has loaded everything.

Most of a command's time is the start of an interpreter and the loading of requests, Pillow and
PyAV, and the tests run hundreds of commands. So a process beside the tests loads all that once, and
is forked for each command; the child takes the place of a fresh `python3 script.py`: its arguments,
environment, folder, streams and the script as `__main__`. It ends as Python itself ends.

A forked orchestrator forks its stages in the same way, from itself, with our modules loaded anew.

What is settled when an interpreter starts cannot be had this way; `can_fork` tells. All children of
one server share their seed of hashes. `test_forks.py` compares both ways. Tests that kill or
interrupt use real processes (`conftest.start`, `storm.Started`).
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import inspect
import io
import json
import os
import pkgutil
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any

import coverage

# What an interpreter and its C library read as they start.
AT_START = ("PYTHON", "LC_", "LANG", "LD_", "DYLD_", "MALLOC_", "TZ")
SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
# What they load besides our own modules, much of it late.
OTHERS = (
    "requests",
    "dotenv",
    "av",
    "PIL.PngImagePlugin",
    "PIL.JpegImagePlugin",
    "PIL.ImageChops",
    "PIL.ImageCms",
    "PIL.ImageDraw",
    "PIL.ImageFilter",
    "PIL.ImageFont",
    "PIL.ImageOps",
)
_LENGTH = struct.Struct("!I")
_NUMBER = struct.Struct("!i")


# --- in the process of the tests ------------------------------------------------------------------


class Forks:
    """Runs commands, each in a child of a server that no other command is using."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """`environ`: what the interpreters of the servers start with."""
        kept = _at_start(environ)
        self._environ = {**kept, "PATH": environ.get("PATH", os.defpath)}
        self._kept = kept
        self._idle: list[_Server] = []

    def can_fork(self, environ: Mapping[str, str]) -> bool:
        """Whether a process with this environment starts as the servers did."""
        return _at_start(environ) == self._kept

    def run(
        self, words: list[str], environ: Mapping[str, str], given: bytes, timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        """As `subprocess.run` with captured output, for a script and its arguments."""
        # Threads of a test may run commands side by side: each has a server to itself.
        server = self._idle.pop() if self._idle else _Server(self._environ)
        ended = server.run(words, environ, given, timeout)
        self._idle.append(server)  # one that failed is not used again
        return ended


def _at_start(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith(AT_START)}


class _Server:
    """A process that forks one command at a time. It ends when this side of its socket closes."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            # Pipes, as the commands have them: Python asks its streams once what they are.
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno())],
                env=dict(environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
            )
        atexit.register(self._close)

    def _close(self) -> None:
        self._socket.close()
        self._process.wait(10)

    def run(
        self, words: list[str], environ: Mapping[str, str], given: bytes, timeout: float
    ) -> subprocess.CompletedProcess[bytes]:
        deadline = time.monotonic() + timeout
        request = {"words": words, "environ": dict(environ), "cwd": os.getcwd(), "umask": _umask()}
        data = json.dumps(request).encode()
        pipes = [os.pipe() for _ in range(3)]
        theirs = [pipes[0][0], pipes[1][1], pipes[2][1]]
        socket.send_fds(self._socket, [_LENGTH.pack(len(data))], theirs)
        self._socket.sendall(data)
        for fd in theirs:
            os.close(fd)
        pid = self._number()
        try:
            out, err = _talk(pipes[0][1], pipes[1][0], pipes[2][0], given, deadline)
            self._socket.settimeout(max(0.0, deadline - time.monotonic()))
            code = self._number()
        except TimeoutError:
            os.kill(pid, 9)
            raise subprocess.TimeoutExpired(words, timeout) from None
        self._socket.settimeout(None)
        return subprocess.CompletedProcess(words, code, out, err)

    def _number(self) -> int:
        data = self._socket.recv(_NUMBER.size, socket.MSG_WAITALL)
        if not data:
            _, err = self._process.communicate(timeout=10)
            raise RuntimeError(f"the fork server has gone: {err.decode()}")
        return int(_NUMBER.unpack(data)[0])


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _talk(to: int, out: int, err: int, given: bytes, deadline: float) -> tuple[bytes, bytes]:
    """Write a command's input, read its output to the end, and close all three."""
    said: dict[int, list[bytes]] = {out: [], err: []}
    os.set_blocking(to, False)
    with selectors.DefaultSelector() as waiting:
        waiting.register(to, selectors.EVENT_WRITE)
        for fd in said:
            waiting.register(fd, selectors.EVENT_READ)
        try:
            while waiting.get_map():
                ready = waiting.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise TimeoutError
                for key, _ in ready:
                    fd = key.fd
                    if fd == to:
                        try:
                            given = given[os.write(to, given) :] if given else b""
                        except BrokenPipeError:
                            given = b""  # it does not want it
                        if given:
                            continue
                    else:
                        said[fd].append(os.read(fd, 1 << 16))
                        if said[fd][-1]:
                            continue
                    waiting.unregister(fd)
                    os.close(fd)
        finally:
            for key in list(waiting.get_map().values()):
                os.close(key.fd)
    return b"".join(said[out]), b"".join(said[err])


# --- in the server, and in its children -----------------------------------------------------------


def _load() -> None:
    """Import what commands import: nothing of it looks at the environment or at the home."""
    package = importlib.import_module("factorized_video")
    ours = [module.name for module in pkgutil.walk_packages(package.__path__, "factorized_video.")]
    for name in [*(name for name in ours if not name.endswith("__main__")), *OTHERS]:
        importlib.import_module(name)


def _serve(asked: socket.socket) -> CodeType:
    """Fork for each request, one after the other; returns in the children, with what to run."""
    while True:
        head, fds, _, _ = socket.recv_fds(asked, _LENGTH.size, 3)
        if not head:
            os._exit(0)  # the tests have ended, however they did
        request = json.loads(asked.recv(_LENGTH.unpack(head)[0], socket.MSG_WAITALL))
        path = request["words"][0]
        script = _compiled(path, Path(path).read_bytes())
        pid = os.fork()
        if not pid:
            for number, fd in enumerate(fds):
                os.dup2(fd, number)
            for fd in (*fds, asked.detach()):
                os.close(fd)
            _become(**request)
            return script
        for fd in fds:
            os.close(fd)
        asked.sendall(_NUMBER.pack(pid))
        _, status = os.waitpid(pid, 0)
        asked.sendall(_NUMBER.pack(os.waitstatus_to_exitcode(status)))


def _become(words: list[str], environ: dict[str, str], cwd: str, umask: int) -> None:
    """Make this process what a fresh one of this script is."""
    os.chdir(cwd)
    os.umask(umask)
    os.environ.clear()
    os.environ.update(environ)
    guard = sys.modules["sitecustomize"]
    for name, change in guard.CHANGES.items():
        if name in sys.modules:  # otherwise it is changed as it is loaded
            change(sys.modules[name])
    sys.argv = list(words)
    sys.path[0] = str(Path(words[0]).parent)
    sys.excepthook = _without_this_file
    subprocess.Popen = _ForkingPopen  # type: ignore[misc]
    coverage.process_startup()  # measures where the environment asks for it, as its .pth file does
    main = sys.modules["__main__"] = ModuleType("__main__")
    main.__file__ = words[0]


@cache
def _compiled(path: str, source: bytes) -> CodeType:
    return compile(source, path, "exec", dont_inherit=True)


def _without_this_file(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    sys.__excepthook__(kind, error.with_traceback(trace and trace.tb_next), None)


class _ForkingPopen(subprocess.Popen):  # type: ignore[type-arg]
    """As `subprocess.Popen`, but a script of ours is run in a fork of this process."""

    def _execute_child(self, *args: Any) -> None:
        given = inspect.signature(super()._execute_child).bind(*args).arguments  # type: ignore[misc]
        words = given["args"]
        if words[0] != sys.executable or Path(words[1]).parent != SCRIPTS:
            super()._execute_child(*args)  # type: ignore[misc]
            return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # there are other threads
            self.pid = os.fork()
        if not self.pid:
            _run_stage(words[1:], given)
        self._child_created = True
        ends = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(given[end] for end in ends))  # type: ignore[attr-defined]


_STREAMS = {name: getattr(sys, name) for name in ("stdin", "stdout", "stderr")}
_unused_streams: list[object] = []  # what they hold of the parent's text is never written


def _run_stage(words: list[str], given: Mapping[str, Any]) -> None:
    """Be a fresh process of this script, to its end."""
    for number, end in enumerate(("p2cread", "c2pwrite", "errwrite")):
        if given[end] != -1:
            os.dup2(given[end], number)
    for fd in set(range(3, 256)) - set(given["pass_fds"]):
        with contextlib.suppress(OSError):
            os.close(fd)
    for number, name in enumerate(_STREAMS):
        _unused_streams.append(getattr(sys, name))
        stream = _opened_anew(number, _STREAMS[name])
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    for signum in signal.valid_signals():
        if callable(signal.getsignal(signum)):
            signal.signal(signum, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in [
        name for name in sys.modules if name.startswith(("factorized_video", "_bootstrap"))
    ]:
        del sys.modules[name]
    try:
        _become(words, dict(given["env"]), os.getcwd(), _umask())
        exec(_compiled(words[0], Path(words[0]).read_bytes()), sys.modules["__main__"].__dict__)
        code: object = None
    except SystemExit as exit_:
        code = exit_.code
    except BaseException as error:  # noqa: BLE001 - shown as Python shows it
        sys.excepthook(type(error), error, error.__traceback__)
        code = 1
    _end(code)
    print(code, file=sys.stderr, flush=True)
    os._exit(1)


def _opened_anew(number: int, like: Any) -> io.TextIOWrapper:
    raw = io.FileIO(number, "rb" if number == 0 else "wb", closefd=False)
    buffered = io.BufferedReader(raw) if number == 0 else io.BufferedWriter(raw)
    return io.TextIOWrapper(
        buffered, like.encoding, like.errors, line_buffering=like.line_buffering
    )


def _end(code: object) -> None:
    """Exit as after `sys.exit(code)`; return if that is not as simple as usual.

    All of Python's end but the last of it: to take hundreds of modules apart would take longer than
    most commands.
    """
    if not isinstance(code, int | None):
        return
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code or 0)


if __name__ == "__main__":
    sys.path[0] = str(SCRIPTS)
    _load()
    gc.freeze()  # collecting would copy all of it in every child
    script = _serve(socket.socket(fileno=int(sys.argv[1])))
    # At the outermost level: what the short end leaves is shown and ended by Python itself.
    try:
        exec(script, sys.modules["__main__"].__dict__)
    except SystemExit as exit_:
        _end(exit_.code)
        raise
    _end(None)
