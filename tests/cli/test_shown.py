"""--help and --help-all, --verbose, --open: what is shown where it was asked for."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest
from conftest import KEY, run
from loopback import Gateway, Reply

SCRIPTS = ("factorized_generate", "rewrite_prompt", "generate_anchor", "generate_video_from_anchor")


def options_in(text: str) -> set[str]:
    """The options that begin a line."""
    return set(re.findall(r"^  (?:-h, )?(--[\w-]+)", text, re.M))


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_shows_what_most_runs_use_and_help_all_the_rest(script: str) -> None:
    usual, everything = run(script, "--help").out, run(script, "--help-all").out
    assert options_in(usual) - {"--help-all"} < options_in(everything)
    assert len(options_in(usual) - {"--help-all"}) <= 20
    assert max(map(len, usual.splitlines())) <= 80
    for text in (usual, everything):
        assert "examples:" in text and "exit codes:" in text
        assert "--dry-run" in text and "--max-cost" in text
    assert int(re.findall(r"Another (\d+) options: --help-all", usual)[0]) > 5
    assert "--resolution" not in usual


def test_without_anything_two_examples_are_shown_in_nine_lines() -> None:
    refused = run("factorized_generate")
    assert (refused.code, refused.out) == (2, "")
    assert len(refused.err.splitlines()) <= 9
    assert refused.err.count("python3 scripts/factorized_generate.py") == 2


def test_verbose_shows_each_request_and_never_the_key(gateway: Gateway) -> None:
    words = ("--prompt=A cat", "--output=c.mp4", "--verbose")
    done = run("factorized_generate", *words, gateway=gateway)
    assert done.code == 0, done.err
    shown = re.findall(
        r"^  (GET|POST) (\S+) (\S+)  200 OK  \d+\.\d\d s  [\d,]+ bytes$", done.err, re.M
    )
    posted = [path for method, _, path in shown if method == "POST"]
    assert len(posted) == 3 and posted[0].endswith("/chat/completions")
    assert re.search(r"^  GET \S+ \(the result\)  200  ", done.err, re.M)
    assert KEY not in done.err
    quiet = run("factorized_generate", "--prompt=A dog", "--output=d.mp4", gateway=gateway)
    assert "200 OK" not in quiet.err


def test_verbose_shows_what_got_no_answer(gateway: Gateway) -> None:
    gateway.will("chat", Reply(fault="reset"))
    failed = run("rewrite_prompt", "A cat", "--verbose", gateway=gateway)
    assert re.search(r"^  (GET|POST) \S+ \S+  no answer  \d", failed.err, re.M)


def test_open_hands_the_clip_to_the_system_and_only_when_it_is_there(gateway: Gateway) -> None:
    path = opener()
    words = ("--prompt=A cat", "--output=c.mp4", "--open")
    assert run("factorized_generate", *words, "--dry-run", gateway=gateway, env=path).code == 0
    assert not Path("opened").exists()
    done = run("factorized_generate", *words, gateway=gateway, env=path)
    assert (done.code, opened()) == (0, str(Path("c.mp4").absolute()))


def test_where_nothing_can_open_it_a_line_says_so(gateway: Gateway) -> None:
    done = run(
        "rewrite_prompt", "A cat", "--output=c.txt", "--open", gateway=gateway, env=nothing()
    )
    assert (done.code, "Nothing here can open" in done.err) == (0, True)


def opener() -> dict[str, str]:
    """An environment whose `open` and `xdg-open` write down what they are given."""
    folder = Path("bin")
    folder.mkdir()
    for name in ("open", "xdg-open"):
        file = folder / name
        file.write_text(f'#!/bin/sh\necho "$1" > {Path.cwd()}/opened\n', encoding="utf-8")
        file.chmod(0o755)
    return {"PATH": f"{folder.absolute()}{os.pathsep}{os.environ['PATH']}"}


def nothing() -> dict[str, str]:
    """An environment without any program."""
    Path("empty").mkdir()
    return {"PATH": str(Path("empty").absolute())}


def opened() -> str:
    """What was opened, once it was."""
    for _ in range(100):
        if Path("opened").exists() and (text := Path("opened").read_text(encoding="utf-8")):
            return text.strip()
        time.sleep(0.05)
    return ""
