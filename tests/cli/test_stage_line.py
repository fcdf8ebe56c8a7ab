"""One line a stage, with a tick; the bar while a job runs; what a terminal replaces."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from conftest import run
from factorized_video.cli.stage_line import stage_line
from factorized_video.console import bar
from loopback import CAPTION, Gateway, Reply
from on_a_terminal import on_a_terminal


def document(stage: str, **more: Any) -> dict[str, Any]:
    cost = {"amount": 0.134, "kind": "listed"}
    return {"status": "succeeded", "stage": stage, "elapsed_s": 8.4, "cost": cost, **more}


def candidates(*scores: float | None, questions: int = 6) -> list[dict[str, Any]]:
    return [
        {"candidate": str(number), "score": score, "questions": questions if score else None}
        for number, score in enumerate(scores, 1)
    ]


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (
            document("reasoning", caption="A cat\n sits."),
            "✓ Caption          8 s  USD 0.13  A cat sits.",
        ),
        (
            document("reasoning", caption="A " * 200),
            "✓ Caption          8 s  USD 0.13  " + "A " * 34,
        ),
        (
            document("composition", image={"width": 1376, "height": 768}),
            "✓ First frame      8 s  USD 0.13  1376x768",
        ),
        (
            document("composition", candidates=candidates(0.833, 0.667, 1.0), candidate="3"),
            "✓ First frame      8 s  USD 0.13  candidate 3 of 3 passes 6 of 6 (1: 5, 2: 4)",
        ),
        (
            document("composition", candidates=candidates(0.833), candidate="1"),
            "✓ First frame      8 s  USD 0.13  candidate 1 of 1 passes 5 of 6",
        ),
        (
            document("composition", candidates=candidates(None, None), candidate="2"),
            "✓ First frame      8 s  USD 0.13  candidate 2 of 2",
        ),
        (
            document("composition", candidates=candidates(None, None), candidate=None),
            "✓ First frame      8 s  USD 0.13  2 candidates to choose from",
        ),
        (
            document(
                "synthesis", video={"duration_s": 6.0, "width": 1280, "height": 720, "audio": True}
            ),
            "✓ Video            8 s  USD 0.13  1280x720, 6 s long, with sound",
        ),
        (document("motion", motion="It leaps.", reused=True), "✓ Motion       already  It leaps."),
        (document("reasoning", caption="A cat.", gateway="demo"), "✓ Caption          8 s  A cat."),
        (document("verification"), ""),
        ({"status": "failed", "stage": "synthesis", "elapsed_s": 1.0}, ""),
    ],
)
def test_a_stage_in_one_line(made: dict[str, Any], line: str) -> None:
    assert stage_line(made) == line[:100]


def test_a_bar_is_never_full_before_the_end() -> None:
    assert [bar(share).count("█") for share in (-1, 0, 0.5, 0.99, 7)] == [0, 0, 10, 19, 19]
    assert {len(bar(share)) for share in (-1, 0.3, 9)} == {20}


def test_a_run_shows_a_line_a_stage_and_the_usual_time(gateway: Gateway) -> None:
    gateway.ends_after = 3
    done = run("factorized_generate", "--prompt=A cat", "--output=c.mp4", gateway=gateway)
    assert done.code == 0, done.err
    ticks = [line for line in done.err.splitlines() if line.startswith("✓")]
    assert [tick.split()[1] for tick in ticks] == ["Caption", "First", "Video"]
    assert CAPTION[:30] in ticks[0]
    assert re.search(r"^Stage 3 synthesis: \w+, \d+ s \(usually 86 s\)$", done.err, re.M)
    again = run("factorized_generate", "--prompt=A cat", "--output=c.mp4", gateway=gateway)
    assert "✓" not in again.err
    quiet = run("factorized_generate", "--prompt=A dog", "--quiet", gateway=gateway)
    assert "✓" not in quiet.err


def test_an_anchor_says_what_comes_next_its_price_and_how_to_change_it(gateway: Gateway) -> None:
    words = ("--prompt=A cat", "--output=c.mp4", "--stop-after=anchor")
    stopped = run("factorized_generate", *words, gateway=gateway)
    assert re.search(r"^Made c.stages/anchor.png in \d+ s, USD 0\.1\d$", stopped.err, re.M)
    assert "\nNext (USD 2.40): python3 " in stopped.err
    assert "edit c.stages/caption.txt, and run the same command as now" in stopped.err
    shown = run("factorized_generate", *words, "--json", gateway=gateway).json
    assert shown["still_to_pay"]["amount"] == 2.4


def test_a_terminal_keeps_a_line_a_stage_and_none_of_a_429_that_passed(gateway: Gateway) -> None:
    gateway.will("image", Reply(429, headers={"Retry-After": "1"}))
    words = ("--prompt=A cat", "--output=c.mp4", "--yes")
    shown = on_a_terminal("factorized_generate", *words, gateway=gateway)
    kept = [line for line in shown.lines if line.startswith(("✓", "Stage"))]
    assert [line.split()[1] for line in kept] == ["Caption", "First", "Video"], shown.lines
    assert "█" in shown.raw or "░" in shown.raw
    assert "429" not in "".join(shown.lines) and max(map(len, shown.lines)) < 400


def test_a_dumb_terminal_gets_lines_and_nothing_that_moves_its_cursor(gateway: Gateway) -> None:
    words = ("--prompt=A cat", "--output=c.mp4", "--yes")
    shown = on_a_terminal("factorized_generate", *words, gateway=gateway, env={"TERM": "dumb"})
    assert "\x1b" not in shown.raw
    assert "Stage 2 composition: generating" in shown.raw and "✓ First frame" in shown.raw
    assert Path("c.mp4").exists()
