"""Pictures that come by a pipe, by stdin or from a device: read once, bounded, and kept."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from conftest import SCRIPTS, Run, command, environment, follow, run
from loopback import Gateway, png

pytestmark = pytest.mark.thorough

PICTURE = png((1280, 720), 9)
STAGE_3 = ("generate_video_from_anchor", "--prompt=x", "--output=v.mp4", "--json")
WHOLE = ("factorized_generate", "--prompt=x", "--output=v.mp4", "--json")
EDIT = ("generate_anchor", "Make it night", "--output=a.png", "--json")


def in_shell(gateway: Gateway, words: list[str]) -> Run:
    """With a process substitution, as bash makes it."""
    Path("mine.png").write_bytes(PICTURE)
    line = shlex.join(words).replace("PIPED", "<(cat mine.png)")
    line = line.replace("'--anchor-path=<(cat mine.png)'", "--anchor-path <(cat mine.png)")
    done = subprocess.run(
        ["bash", "-c", line], env=environment(gateway), capture_output=True, timeout=60, check=False
    )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize(
    ("words", "paid"),
    [
        ((*STAGE_3, "--anchor=-"), "create"),
        ((*STAGE_3, "--anchor", "/dev/stdin"), "create"),
        ((*WHOLE, "--anchor-path=-"), "create"),
        ((*WHOLE, "--anchor-path", "-"), "create"),
        ((*EDIT, "--edit=-"), "image"),
    ],
)
def test_a_picture_may_come_by_stdin(gateway: Gateway, words: tuple[str, ...], paid: str) -> None:
    gateway.ends_after = None if paid == "create" else 0
    begun = run(
        *words, *(["--no-wait"] if paid == "create" else []), stdin=PICTURE, gateway=gateway
    )
    assert begun.code == (4 if paid == "create" else 0), begun.err
    gateway.ends_after = 0
    if paid == "create":
        assert follow(begun.json["next"], gateway).code == 0, "the picture is not there again"
    assert gateway.sent == {paid: 1}


def test_a_picture_may_come_from_a_process(gateway: Gateway) -> None:
    words = command(*WHOLE, "--anchor-path=PIPED", gateway=gateway)
    done = in_shell(gateway, words)
    assert (done.code, gateway.sent) == (0, {"create": 1}), done.err
    assert sys.executable in words[0]


def test_a_picture_may_come_by_a_named_pipe(gateway: Gateway) -> None:
    os.mkfifo("pipe")

    def write() -> None:
        Path("pipe").write_bytes(PICTURE)

    threading.Thread(target=write, daemon=True).start()
    done = run(*WHOLE, "--anchor-path=pipe", gateway=gateway)
    assert (done.code, gateway.sent) == (0, {"create": 1}), done.err


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/urandom", "/dev/null", "-"])
def test_what_has_no_end_or_nothing_in_it_is_a_usage_error(gateway: Gateway, device: str) -> None:
    done = run(*STAGE_3, f"--anchor={device}", gateway=gateway, stdin=b"")
    assert (done.code, gateway.requests) == (2, []), done.err
    assert "--anchor" in done.err


def test_every_line_of_a_file_has_the_picture(gateway: Gateway) -> None:
    Path("many.jsonl").write_text('{"prompt": "A cat"}\n{"prompt": "A dog"}\n', encoding="utf-8")
    words: tuple[Any, ...] = ("--prompts-file=many.jsonl", "--output=out", "--json")
    done = run("factorized_generate", *words, "--anchor-path=-", gateway=gateway, stdin=PICTURE)
    assert (done.code, gateway.sent) == (0, {"create": 2}), done.err
    assert SCRIPTS.is_dir()
