"""The one line that says how a batch stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from factorized_video.experiments import line_of_progress
from factorized_video.experiments.line import Line
from factorized_video.receipts.cap import Cap, Spent
from factorized_video.stages.request import Argv

pytestmark = pytest.mark.quick


def line(status: str, began_at: float = 0.0, usd: float = 0.0) -> Line:
    made = Line(1, "A cat", "", "", Argv([], ""), Path("x.mp4"), [])
    made.status, made.began_at, made.spent = status, began_at, Spent(usd)
    return made


def test_it_says_what_is_running_and_what_became_of_others() -> None:
    lines = [line("being made", usd=0.5)] * 4 + [line("succeeded", usd=1.0)] * 2
    lines += [line("refused"), line("not begun")]
    running = {"rewrite_prompt.py": 1, "generate_video_from_anchor.py": 2}
    shown = line_of_progress.shown(lines, running, [], 4, Cap(20.0, "--max-cost"))
    assert shown == (
        "4 running: 1 caption, 2 clips, 1 waiting · 2/8 done · 1 refused · USD 4.00 of 20"
    )


@pytest.mark.parametrize(
    ("running", "waiting", "at_once", "left"),
    [
        ([], 0, 4, ""),
        ([90.0, 90.0], 0, 4, "about 10 s left"),  # of 20 s each, 10 s ago
        ([79.0], 0, 4, "about 2 s left"),  # longer than usual
        ([90.0, 90.0], 2, 2, "about 30 s left"),
        ([90.0, 90.0], 2, 4, "about 15 s left"),
        ([100.0] * 4, 396, 4, "about 33 min left"),
    ],
)
def test_the_time_that_is_left(running: list[float], waiting: int, at_once: int, left: str) -> None:
    lines = [line("being made", began) for began in running] + [line("not begun")] * waiting
    lines.append(line("succeeded"))
    assert line_of_progress.time_left(lines, [19.0, 21.0], at_once, 100.0) == left


def test_nothing_is_guessed_before_the_first_line_is_made() -> None:
    assert line_of_progress.time_left([line("being made")], [], 4, 100.0) == ""
