"""The one line that remains of a stage: what it made, how long it took, the fact that matters."""

from __future__ import annotations

from typing import Any

from .. import money
from ..errors import one_line

_MADE = {
    "reasoning": "Caption",
    "composition": "First frame",
    "end_frame": "Last frame",
    "motion": "Motion",
    "synthesis": "Video",
    "direct": "Video",
}
_WIDTH = 100  # columns, where no terminal says otherwise


def stage_line(document: dict[str, Any]) -> str:
    """ "✓ First frame   8 s  USD 0.40  candidate 3 of 3 passes 6 of 6 (1: 5, 2: 4)", or ""."""
    made = _MADE.get(str(document.get("stage")))
    if made is None or document.get("status") != "succeeded":
        return ""
    took = "already" if document.get("reused") else f"{document['elapsed_s']:.0f} s"
    parts = [f"✓ {made:<12} {took:>7}", _cost(document), _fact(document)]
    return "  ".join(filter(None, parts))[:_WIDTH]


def _cost(document: dict[str, Any]) -> str:
    amount = money.from_json(document.get("cost")).amount
    free = document.get("reused") or document.get("gateway") == "demo"
    return "" if free or amount is None else money.usd(amount)


def _fact(document: dict[str, Any]) -> str:
    if document.get("candidates"):
        return _of_candidates(document)
    if image := document.get("image"):
        return f"{image['width']}x{image['height']}"
    if video := document.get("video"):
        sound = "with sound" if video.get("audio") else "no sound"
        return f"{video['width']}x{video['height']}, {video['duration_s']:g} s long, {sound}"
    return one_line(str(document.get("caption") or document.get("motion") or ""))


def _of_candidates(document: dict[str, Any]) -> str:
    """Which candidate was chosen, and what each passes where that was checked."""
    rows, chosen = document["candidates"], document.get("candidate")
    if chosen is None:
        return f"{len(rows)} candidates to choose from"
    # A score is the share of the questions.
    passed = {
        row["candidate"]: round(row["score"] * row["questions"])
        for row in rows
        if row.get("questions") and row["score"] is not None
    }
    words = f"candidate {chosen} of {len(rows)}"
    if chosen not in passed:
        return words
    of = next(row["questions"] for row in rows if row["candidate"] == chosen)
    others = ", ".join(f"{name}: {count}" for name, count in passed.items() if name != chosen)
    return f"{words} passes {passed[chosen]} of {of}{f' ({others})' if others else ''}"
