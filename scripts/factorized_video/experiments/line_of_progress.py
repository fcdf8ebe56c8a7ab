"""How a batch stands, in one line: what is running, what is done, how long it may take, the money.

Pure, but for the clock.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence

from .. import money
from ..pipeline import shared_limit
from ..pipeline.shared_limit import BEING_MADE
from ..receipts.cap import Cap
from .line import Line

# What the script of each stage makes.
_MAKES = {
    "rewrite_prompt.py": "caption",
    "generate_anchor.py": "frame",
    "generate_video_from_anchor.py": "clip",
}


def shown(
    lines: Sequence[Line],
    running: Mapping[str, int],
    took_s: Sequence[float],
    at_once: int,
    limit: Cap | None,
) -> str:
    """ "4 running: 1 caption, 2 frames, 1 clip · 12/64 done · about 3 min left · USD 8.20 of 20".

    `running` are the stages that are at work, by their scripts; `took_s` how long each line took
    that this command has made.
    """
    spent = money.usd(shared_limit.spent_by(lines).usd)
    spent += f" of {limit.usd:g}" if limit else " spent"
    left = time_left(lines, took_s, at_once, time.monotonic())
    parts = [_running(lines, running), *_counts(lines), left, spent]
    return " · ".join(filter(None, parts))


def _running(lines: Sequence[Line], running: Mapping[str, int]) -> str:
    """ "4 running: 1 caption, 2 frames, 1 waiting", for its turn to be at work."""
    number = sum(line.status == BEING_MADE for line in lines)
    if not number:
        return ""
    parts = [
        f"{running[script]} {what}{'s' * (running[script] != 1)}"
        for script, what in _MAKES.items()
        if running.get(script)
    ]
    waiting = number - sum(running.get(script, 0) for script in _MAKES)
    if waiting > 0:
        parts.append(f"{waiting} waiting")
    return f"{number} running: {', '.join(parts)}"


def _counts(lines: Sequence[Line]) -> list[str]:
    """ "12/64 done", and what became of others."""
    count = Counter(line.status for line in lines)
    made = count.pop("succeeded", 0)
    not_yet = (BEING_MADE, "not begun")
    others = [f"{number} {status}" for status, number in count.items() if status not in not_yet]
    return [f"{made}/{len(lines)} done", *others]


def time_left(lines: Sequence[Line], took_s: Sequence[float], at_once: int, now: float) -> str:
    """By how long the lines took until now; "" before the first of them. `now` is monotonic."""
    if not took_s:
        return ""
    usual_s = sum(took_s) / len(took_s)
    # One that takes longer than usual is about to end.
    running = [
        max(usual_s - (now - line.began_at), usual_s / 10)
        for line in lines
        if line.status == BEING_MADE
    ]
    waiting = sum(line.status == "not begun" for line in lines)
    if not running and not waiting:
        return ""
    at_once = min(at_once, len(running) + waiting)
    seconds = max((sum(running) + waiting * usual_s) / at_once, *running, 1.0)
    return f"about {f'{seconds:.0f} s' if seconds < 90 else f'{seconds / 60:.0f} min'} left"
