"""What a person reads before a run and after it: the price, the question, the result."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import Run, run
from loopback import Gateway
from on_a_terminal import on_a_terminal

PROMPT = "A tabby cat jumps down from a bookshelf."
MAKE = (f"--prompt={PROMPT}", "--output=out/cat.mp4", "--no-filmstrip")
PRICE = "happycapy · caption 0.01 + first frame 0.14 + 6 s of video 2.40 = about USD 2.55"


def made(gateway: Gateway, *words: str) -> Run:
    return run("factorized_generate", *MAKE, *words, gateway=gateway)


def test_the_price_stands_before_and_the_cost_after(gateway: Gateway) -> None:
    done = made(gateway)
    assert done.code == 0, done.err
    lines = done.err.splitlines()
    price, result = lines.index(PRICE), lines.index(next(x for x in lines if x[:5] == "Made "))
    assert price < next(n for n, line in enumerate(lines) if line.startswith("Stage 1"))
    assert result == len(lines) - 1
    assert re.fullmatch(
        r"Made out/cat\.mp4 \(\d+ s, 1280x720, (?:no|with) sound\) in \d+ s, USD [\d.]+",
        lines[result],
    )
    assert done.out == f"{Path.cwd()}/out/cat.mp4\n"  # stdout is for pipes


def test_defaults_that_give_way_are_said_in_one_line(gateway: Gateway, live_registry: None) -> None:
    line = (
        "google/gemini-3-pro-image-preview and google/veo-3.1-generate-preview are gone: by "
        "openai/gpt-image-2 and byteplus/dreamina-seedance-2-0 instead"
    )
    assert line in made(gateway).err.splitlines()
    named = ("--video-model=byteplus/dreamina-seedance-2-0", "--image-model=openai/gpt-image-2")
    assert "instead" not in made(gateway, "--overwrite", *named).err


def test_what_is_there_has_no_price(gateway: Gateway) -> None:
    assert made(gateway).code == 0
    again = made(gateway)
    assert "out/cat.mp4 was there already; nothing was sent" in again.err
    assert "USD" not in again.err


def test_a_stop_names_the_next_command(gateway: Gateway) -> None:
    done = made(gateway, "--stop-after=anchor")
    assert "happycapy · caption 0.01 + first frame 0.14 = about USD 0.15" in done.err
    assert re.search(r"^Next \(USD 2\.40\): python3 \S+factorized_generate\.py --", done.err, re.M)


@pytest.mark.parametrize("how", ["--quiet", "--json"])
def test_quiet_and_json_keep_their_streams_as_they_were(gateway: Gateway, how: str) -> None:
    done = made(gateway, how)
    assert done.code == 0
    assert "Made " not in done.err
    assert ("= about" in done.err) is (how == "--json")  # progress, as ever


def test_a_stage_alone_has_its_price_and_one_in_a_run_has_none(gateway: Gateway) -> None:
    assert made(gateway).err.count("= about") == 1
    alone = run("generate_anchor", "A cat", "--output=a.png", gateway=gateway)
    assert "happycapy · first frame, about USD 0.13" in alone.err


def test_three_pictures_are_counted(gateway: Gateway) -> None:
    done = made(gateway, "--candidates=3")
    assert "3 first frames 0.40 + 6 s of video 2.40 = about USD 2.81" in done.err


def test_a_server_of_ones_own_has_no_price() -> None:
    with Gateway("openai") as own:
        done = run("factorized_generate", *MAKE, *own.speech.naming(), gateway=own)
    assert done.code == 0, done.err
    assert "openai · caption + first frame + 6 s of video, of unknown price" in done.err


def test_a_job_that_was_cancelled_made_nothing() -> None:
    with Gateway("openai") as own:
        own.ends_after = None
        words = (*MAKE, "--no-wait", *own.speech.naming())
        assert run("factorized_generate", *words, gateway=own).code == 4
        done = run("factorized_generate", "--cancel=out/cat.mp4", gateway=own)
    assert (done.code, done.out) == (0, "cancelled: job-1\n"), done.err
    assert "Made " not in done.err and "was there already" not in done.err


# -- the question ----------------------------------------------------------------------------------


def at_a_terminal(gateway: Gateway, answer: str, *words: str) -> tuple[int, str]:
    """Exit code and screen of a run with somebody at the keyboard."""
    shown = on_a_terminal("factorized_generate", *MAKE, *words, gateway=gateway, answer=answer)
    return shown.code, shown.raw


@pytest.mark.parametrize(
    ("answer", "code"), [("\n", 0), ("y\n", 0), ("n\n", 2), ("\x04", 2), ("what\n", 2)]
)
def test_a_run_over_a_dollar_is_asked_about_once(gateway: Gateway, answer: str, code: int) -> None:
    ended, screen = at_a_terminal(gateway, answer)
    assert (ended, screen.count("[Y/n]")) == (code, 1), screen
    assert bool(gateway.billed) is (code == 0)
    if code:
        assert "nothing was sent" in screen and "--yes" in screen


@pytest.mark.parametrize("words", [("--yes",), ("--max-cost=9",), ("--stop-after=anchor",)])
def test_it_is_not_asked_where_it_was_settled_or_is_cheap(
    gateway: Gateway, words: tuple[str, ...]
) -> None:
    ended, screen = at_a_terminal(gateway, "n\n", *words)
    assert (ended, "[Y/n]" in screen) == (0, False), screen
