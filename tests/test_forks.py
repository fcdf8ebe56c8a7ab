"""A forked command is what a real process is: its code, stdout and stderr, and what it finds."""

from __future__ import annotations

import os
import re
import select
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import FORKS, TESTS, command, environment, run
from loopback import Gateway, Reply, png

pytestmark = pytest.mark.thorough

PROMPT = "A cat jumping from a bookshelf to the couch"
VIDEO = ("generate_video_from_anchor", "--anchor=mine.png", f"--prompt={PROMPT}", "--output=a.mp4")
ALL = ("factorized_generate", f"--prompt={PROMPT}", "--output=a.mp4")
LOST = Reply(fault="reset")  # the answer to a paid call

COMMANDS = {
    "all stages": (0, ALL, None),
    "all stages, as JSON": (0, (*ALL, "--json"), None),
    "from stdin": (0, ("rewrite_prompt", "--json", "-"), None),
    "usage": (2, (*VIDEO, "--duration=many"), None),
    "unknown, as JSON": (8, (*VIDEO, "--json"), LOST),
}


@pytest.mark.parametrize(("code", "words", "reply"), COMMANDS.values(), ids=COMMANDS)
def test_a_command_ends_and_says_the_same(
    code: int, words: tuple[str, ...], reply: Reply | None, home: Path
) -> None:
    said = []
    for real in (True, False):
        work = home.parent / "work"
        shutil.rmtree(work)
        work.mkdir()
        os.chdir(work)
        Path("mine.png").write_bytes(png())
        with Gateway() as gateway:
            if reply:
                gateway.will("create", reply)
            done = run(*words, stdin="Ein Hund träumt", gateway=gateway, real=real)
            assert done.code == code, done.err
            took = r"(?<=elapsed_s\": )[\d.]+|(?<=\) in )\d+ s|(?<=\w in )\d+ s"
            took += r"|(?m:^(?:✓|Stage \d).*?)\d+ s\b"
            texts = [re.sub(took, "", text) for text in (done.out, done.err)]
            said.append([text.replace(gateway.root, "") for text in texts])
    assert said[0] == said[1]


# What a script finds, and each of Python's own ways to end.
FINDS = """
import gc, locale, os, random, signal, sys, tempfile, threading
for stream in (sys.stdin, sys.stdout, sys.stderr):
    print(stream.name, stream.mode, stream.encoding, stream.errors, stream.newlines)
    print(stream.line_buffering, stream.write_through, stream.isatty(), stream.seekable())
print(sys.stdin.read(), sys.argv, sys.path, __name__, __file__, sys.executable, sys.flags)
print({**os.environ}, os.getenv("HOME"), os.getcwd(), tempfile.gettempdir(), locale.getlocale())
print(gc.isenabled(), gc.get_threshold(), threading.current_thread().name, os.getpgrp())
print({number: signal.getsignal(number) for number in signal.valid_signals()})
print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
for fd in range(64):
    try:
        print(fd, oct(os.fstat(fd).st_mode))
    except OSError:
        pass
os.close(os.open("made", os.O_CREAT))
print(oct(os.stat("made").st_mode))
"""
ENDINGS = {
    "nothing": "",
    "a number": "import sys\nprint('said', end='')\nsys.exit(3)",
    "a big number": "import sys\nsys.exit(-1)",
    "a text": "import sys\nsys.exit('what went wrong')",
    "an exception": "def deep():\n    raise ValueError('ä\\udc80')\nprint('said')\ndeep()",
    "an exception in an exception": "try:\n    1 / 0\nexcept Exception:\n    nothing",
    "an interrupt": "raise KeyboardInterrupt",
    "a signal": "import os, signal\nprint('said')\nos.kill(os.getpid(), signal.SIGTERM)",
    "an interrupting signal": "import os, signal\nos.kill(os.getpid(), signal.SIGINT)",
    "at once": "import os\nprint('not said')\nos._exit(5)",
    "a thread that goes on": "import threading, time\nthreading.Thread(target="
    "lambda: (time.sleep(0.05), print('late'))).start()\nprint('early')",
    "a hook": "import atexit\natexit.register(print, 'last')\nprint('first')",
    "a closed stdout": "import os\nprint('x')\nos.close(1)",
    "a full stdout": "import os\nos.dup2(os.open('/dev/full', os.O_WRONLY), 1)\nprint('x')",
    "much": "import sys\nprint(len(sys.stdin.read()), 'x' * 300_000, file=sys.stderr)",
}


@pytest.mark.parametrize("source", [FINDS, *ENDINGS.values()], ids=["what it finds", *ENDINGS])
def test_a_script_finds_and_ends_the_same(source: str, home: Path) -> None:
    script = home / "script.py"
    script.write_text(source, encoding="utf-8")
    words = [str(script), "a", "--b=ü"]
    given = b"x" * 200_000 if "len(" in source else b"given"
    environ = environment(env={"COVERAGE_PROCESS_CONFIG": None})  # it handles SIGTERM
    real = subprocess.run(
        [sys.executable, *words], env=environ, input=given, capture_output=True, check=False
    )
    Path("made").unlink(missing_ok=True)
    forked = FORKS.run(words, environ, given, 20)
    assert (forked.returncode, forked.stdout, forked.stderr) == (
        real.returncode,
        real.stdout,
        real.stderr,
    )


def test_each_has_its_own_randomness_and_leaves_nothing_to_the_next(home: Path) -> None:
    script = home / "script.py"
    script.write_text(
        "import json, random, os\nprint(random.random(), hasattr(json, 'mine'))\n"
        "json.mine = os.environ['LEFT'] = 'x'"
    )
    said = [FORKS.run([str(script)], environment(), b"", 20).stdout.split() for _ in range(3)]
    assert len({number for number, _ in said}) == 3
    assert {left for _, left in said} == {b"False"}


def test_what_is_settled_at_the_start_takes_a_real_process() -> None:
    assert FORKS.can_fork(environment())
    assert FORKS.can_fork(environment(env={"COLUMNS": "40", "HOME": "/"}))
    for name in ("PYTHONPATH", "PYTHONUTF8", "PYTHONHASHSEED", "LC_ALL", "LANG", "TZ"):
        assert not FORKS.can_fork(environment(env={name: "x"}))


def test_what_takes_too_long_is_killed(home: Path) -> None:
    script = home / "script.py"
    script.write_text("import time\nprint('begun', flush=True)\ntime.sleep(60)")
    with pytest.raises(subprocess.TimeoutExpired):
        FORKS.run([str(script)], environment(), b"", 0.2)
    for text in ("the next", "another"):
        script.write_text(f"print('{text}')")
        assert FORKS.run([str(script)], environment(), b"", 20).stdout.decode() == f"{text}\n"


def test_the_server_ends_with_the_tests_even_when_they_are_killed() -> None:
    ours, theirs = socket.socketpair()
    source = f"""
import os, signal, socket, sys
sys.path.insert(0, {str(TESTS)!r})
import forks
server = forks.Forks(os.environ)
server.run([{command("rewrite_prompt")[1]!r}, "--help"], os.environ, b"", 20)
told = socket.socket(fileno={theirs.fileno()})
socket.send_fds(told, [b"x"], [server._idle[0]._process.stdout.fileno()])
os.kill(os.getpid(), signal.SIGKILL)
"""
    with ours, theirs:
        killed = subprocess.run(
            [sys.executable, "-c", source],
            env=environment(),
            check=False,
            pass_fds=[theirs.fileno()],
        )
        assert killed.returncode == -9
        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
    # The server alone can write here now: once it has ended, reading comes to the end.
    assert select.select(fds, [], [], 10)[0]
    assert os.read(fds[0], 1) == b""
    os.close(fds[0])
