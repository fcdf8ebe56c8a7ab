"""Short spellings: a prompt without --prompt, @FILE, --motion auto; and what is printed of them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import factorized_generate
import generate_anchor
import pytest
from conftest import run
from factorized_video.cli.option_types import absolute_words
from factorized_video.cli.spelling import spelled_out
from loopback import Gateway

ACTIONS = factorized_generate.build_parser()._actions
OF_STAGE_2 = generate_anchor.build_parser()._actions


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("'A cat' --json", "'--prompt=A cat' --json"),
        ("--json 'A cat'", "--json '--prompt=A cat'"),
        ("--duration 6 'A cat' --no-audio", "--duration 6 '--prompt=A cat' --no-audio"),
        ("--duration=6 -", "--duration=6 --prompt=-"),
        ("@cat.txt", "--prompt=@cat.txt"),
        ("-- '-5 degrees'", "'--prompt=-5 degrees'"),
        # Where something else says what is to be done, it is a mistake, and stays one.
        ("--prompt 'A cat' jumps", "--prompt 'A cat' jumps"),
        ("jumps --prompt 'A cat'", "jumps --prompt 'A cat'"),
        ("jumps --cancel=a.mp4", "jumps --cancel=a.mp4"),
        ("A cat jumps", "--prompt=A cat jumps"),
        ("--style anime cinematic --prompt=x", "--style anime cinematic --prompt=x"),
        # The value of an option that may have one.
        ("--list-runs outputs", "--list-runs outputs"),
        ("--list-models --json", "--list-models --json"),
        ("--list-models video", "--list-models video"),
        ("x --motion auto", "--prompt=x --motion-from-anchor"),
        ("x --motion=auto --json", "--prompt=x --motion-from-anchor --json"),
        ("x --motion ' auto'", "--prompt=x --motion ' auto'"),
        ("x --motion automatic", "--prompt=x --motion automatic"),
        ("x --motion", "--prompt=x --motion"),
        ("", ""),
    ],
)
def test_the_orchestrators_words(words: str, meant: str) -> None:
    assert spelled_out(shlex.split(words), ACTIONS) == shlex.split(meant)


def test_a_stage_keeps_its_own_words() -> None:
    words = ["A cat", "--style", "anime", "-"]
    assert spelled_out(words, OF_STAGE_2) == words


@pytest.mark.parametrize(
    ("word", "absolute"),
    [
        ("--prompt=@a.txt", "--prompt=@{}/a.txt"),
        ("--motion=@a.txt", "--motion=@{}/a.txt"),
        ("--prompt= @a.txt", "--prompt= @a.txt"),
        ("--style=@a", "--style=@a"),
        ("@a.txt", "@{}/a.txt"),
        ("--output=@a.mp4", "--output={}/@a.mp4"),
    ],
)
def test_a_file_of_a_text_is_found_from_any_folder(word: str, absolute: str) -> None:
    parser = factorized_generate.build_parser()
    assert absolute_words(parser, [word]) == [absolute.format(Path.cwd())]


def kept(output: str) -> list[str]:
    """The command that a receipt keeps."""
    receipt = json.loads(Path(f"{output}.receipt.json").read_text(encoding="utf-8"))
    return shlex.split(receipt["command"])


def test_a_prompt_alone_from_a_file_makes_the_clip_and_the_receipt_has_the_text(
    gateway: Gateway,
) -> None:
    Path("cat.txt").write_text("@home, a cat jumps.\n", encoding="utf-8")
    Path("how.txt").write_text("auto", encoding="utf-8")
    words = ("@cat.txt", "--motion=@how.txt", "--output=c.mp4")
    done = run("factorized_generate", *words, "--json", gateway=gateway)
    assert done.code == 0, done.err
    (asked,) = gateway.of("chat")
    assert "@home, a cat jumps." in str(asked.body)
    # What the files said is text there, even if it reads like a file's name or a word of ours.
    command = kept("c.mp4")
    assert {"--prompt= @home, a cat jumps.", "--motion= auto"} <= set(command)
    sent = dict(gateway.sent)
    again = run("factorized_generate", *command[2:], "--json", gateway=gateway)
    assert (again.code, gateway.sent) == (0, sent), again.err


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("rewrite_prompt", ["@cat.txt"]),
        ("generate_anchor", ["@cat.txt"]),
        ("generate_video_from_anchor", ["--direct", "--prompt", "@cat.txt"]),
    ],
)
def test_each_stage_reads_a_text_from_a_file(
    gateway: Gateway, script: str, words: list[str]
) -> None:
    Path("cat.txt").write_text("A cat in a file.", encoding="utf-8")
    plan = run(script, *words, "--dry-run", "--json", gateway=gateway)
    assert plan.code == 0, plan.err
    assert "A cat in a file." in plan.json["stages"][0]["text"]


def test_a_file_that_is_not_there_is_exit_2_and_says_how_a_text_begins_with_an_at(
    gateway: Gateway,
) -> None:
    refused = run("factorized_generate", "@nothing.txt", gateway=gateway)
    assert (refused.code, gateway.requests) == (2, [])
    assert "nothing.txt cannot be read" in refused.err
    assert "needs a space before it" in refused.err
    fine = run("factorized_generate", " @nothing", "--dry-run", "--json", gateway=gateway)
    assert fine.code == 0
    assert "@nothing" in fine.json["stages"][0]["text"]


def test_a_line_of_many_prompts_is_a_text(gateway: Gateway) -> None:
    Path("many.jsonl").write_text('{"prompt": "@home with a cat"}\n', encoding="utf-8")
    plan = run(
        "factorized_generate", "--prompts-file=many.jsonl", "--dry-run", "--json", gateway=gateway
    )
    assert plan.code == 0, plan.err


def test_motion_auto_has_the_motion_written_from_the_anchor(gateway: Gateway) -> None:
    words = ("A cat", "--output=c.mp4", "--dry-run", "--json")
    stages = run("factorized_generate", *words, "--motion", "auto", gateway=gateway).json["stages"]
    assert "motion" in [stage["stage"] for stage in stages]
