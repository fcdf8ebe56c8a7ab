"""A script run with somebody at the keyboard: a terminal of its own, 80 columns wide."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping
from typing import NamedTuple

from conftest import command, environment
from loopback import Gateway

COLUMNS = 80


class Shown(NamedTuple):
    """How it ended, what was written to the terminal, and the lines that remain there."""

    code: int
    raw: str
    lines: list[str]


def on_a_terminal(
    script: str,
    *words: str,
    gateway: Gateway,
    answer: str = "",
    env: Mapping[str, str | None] | None = None,
) -> Shown:
    """Run it to its end; a question is answered by `answer`, once."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    started = subprocess.Popen(
        command(script, *words, gateway=gateway),
        env=environment(gateway, {"TERM": "xterm", **(env or {})}),
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    written, answered, until = b"", False, time.monotonic() + 60
    while time.monotonic() < until:
        if select.select([ours], [], [], 0.1)[0]:
            try:
                written += os.read(ours, 4096)
            except OSError:  # it has ended
                break
        if b"[Y/n]" in written and not answered:
            os.write(ours, answer.encode())
            answered = True
    os.close(ours)
    raw = written.decode()
    # An emptied line leaves what was written after it.
    lines = [line.rpartition("\r\x1b[K")[2] for line in re.split(r"\r?\n", raw)]
    return Shown(started.wait(timeout=30), raw, lines)
