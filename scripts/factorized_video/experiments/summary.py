"""The summary of many prompts: its file, its table, and what both ways of each line pass."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

from .. import STAGES, files, money
from . import statistics
from .evaluation import MEASURES
from .line import AWAITS, Line
from .statistics import Arm, Pair


def measured(lines: list[Line]) -> dict[str, Any]:
    """What both ways pass over all lines, by measure and category."""
    lifts = {words: statistics.by_category(pairs(lines, what)) for what, words in MEASURES.items()}
    return statistics.as_json(lifts)


def pairs(lines: list[Line], what: str) -> list[Pair]:
    """What both arms pass, line by line; None where that is not known."""
    found = []
    for line in lines:
        rows = (line.answer.get("measurement") or {}).get(what) or {}
        arms = [
            Arm(row["passed"], row["asked"]) if row and row["state"] != "unknown" else None
            for row in (rows.get("factorized"), rows.get("direct"))
        ]
        found.append(Pair(line.asks, line.category, *arms))
    return found


def write(path: Path, result: dict[str, Any]) -> None:
    """Write the summary and, beside it, its table. Raises OutputError."""
    document = {"made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **result}
    for place, text in (
        (path, json.dumps(document, ensure_ascii=False, indent=1)),
        (path.with_suffix(".txt"), as_text(result)),
    ):
        files.write_again(place, (text + "\n").encode("utf-8", "backslashreplace"))


def as_text(result: dict[str, Any]) -> str:
    """The lines as text, of a plan or of what became of them."""
    return _plan_text(result) if "gateway_why" in result else _table(result)


def _plan_text(plan: dict[str, Any]) -> str:
    folder, lines = plan["folder"], plan["lines"]
    text = [f"in {folder}:"]
    text += [
        f"line {line['line']}: {_left(line)}  {os.path.relpath(line['output'], folder)}"
        for line in lines
    ]
    kinds = Counter(_words_of(call) for line in lines for call in line["stages"])
    text += [f"{words}: {number} lines" for words, number in kinds.items()]
    made = sum(line["status"] == "succeeded" for line in lines)
    text.append(f"{len(lines)} lines, {made} of them made")
    if plan["max_cost"] is not None:
        text.append(f"cap: USD {plan['max_cost']:g} ({plan['max_cost_source']})")
    text.append(f"total: {_money(plan['cost'])}; nothing was sent")
    return "\n".join(text)


def _table(result: dict[str, Any]) -> str:
    folder, lines = str(Path(result["output"]).parent), result["lines"]
    rows = [f"in {folder}:"]
    for line in lines:
        rows += _rows_of(line, folder)
    made = sum(line["status"] == "succeeded" for line in lines)
    rows.append(f"{made} of {len(lines)} made; {_money(result['cost'])}")
    if any(line["contact_sheet"] and line["status"] == AWAITS for line in lines):
        rows.append(
            'Put {"select": "2"}, or what you choose, into the settings of each line that awaits '
            "a choice, then run the same command again."
        )
    if "measured" in result:
        rows += ["", *statistics.table(result["measured"])]
    return "\n".join(rows)


def _rows_of(line: dict[str, Any], folder: str) -> list[str]:
    """What the table says of one line."""
    cost = _money(line["cost"]) if line["cost"] else "-"
    rows = [
        f"{line['line']:>4}  {line['status']:<15} {cost:<22} {line['took_s']:>7.1f} s  "
        f"{os.path.relpath(line['output'], folder)}"
    ]
    for what, arms in (line["measurement"] or {}).items():
        shares = [
            f"{arm} {found['passed']} of {found['asked']}"
            if found["state"] != "unknown"
            else f"{arm} unknown"
            for arm, found in arms.items()
        ]
        rows.append(f"      {MEASURES[what]}: {', '.join(shares)}")
    if line["error"]:
        rows.append(f"      {line['error']['kind']}: {line['error']['message']}")
    elif line["status"] == AWAITS and line["contact_sheet"]:
        rows.append(f"      look at {os.path.relpath(line['contact_sheet'], folder)}")
    return rows


def _words_of(call: dict[str, Any]) -> str:
    """One call of a line's plan: what would be sent to which model, in which shape."""
    settings = call["settings"]
    about = [
        f"{settings['duration_s']} s" if "duration_s" in settings else "",
        str(settings.get("resolution") or ""),
        str(settings.get("aspect_ratio") or ""),
    ]
    times = f", {call['times']} times" if call["times"] > 1 else ""
    shape = " ".join(filter(None, about))
    asks = f" ({settings['asks'].replace('_', ' ')})" if "asks" in settings else ""
    return f"{STAGES[call['stage']]}{asks}: {call['model']}{times}{', ' * bool(shape)}{shape}"


def _left(line: dict[str, Any]) -> str:
    """What a line of a plan should still cost."""
    return "made" if line["status"] == "succeeded" else _money(line["cost"])


def _money(cost: dict[str, Any]) -> str:
    return money.shown(money.from_json(cost))
