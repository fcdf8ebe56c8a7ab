"""The text of --list-runs: a row for each output, the newest last; with --all for each receipt."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from .. import money
from ..errors import one_line
from ..output_paths import near
from ..receipts import run_list
from ..receipts.run_list import CLIPS, INSIDE, belongs_to, clip_of
from ..rerun import on_one_line

# A state in words; in brackets what became of the file since.
_WORDS = {
    "submitted": "running",
    "intent": "unclear",
    "unknown": "unclear",
    "succeeded": "done",
    "succeeded, file gone": "file gone",
}


def run_list_text(
    rows: list[dict[str, Any]],
    stories: list[dict[str, Any]] | None = None,
    *,
    every_receipt: bool = False,
) -> str:
    """What --list-runs prints."""
    if not rows:
        return "no receipts here"
    spent, unknown = run_list.total(rows)
    more = f", and {unknown} of unknown cost" if unknown else ""
    total = f"spent {money.usd(spent.amount or 0)} ({spent.kind}){more}"
    if every_receipt:
        written = sum(row["stage"] != "verification" for row in rows)
        lines = [line for row in rows for line in _receipt(row)]
        return "\n".join([*lines, f"{written} receipts; {total}"])
    runs = _runs(rows)
    films = {one["output"]: one for one in stories or ()}
    lines = [line for run in reversed(runs) for line in _run(run, films)]
    return "\n".join([*lines, f"{len(runs)} run{'s' * (len(runs) > 1)}; {total}"])


def _receipt(row: dict[str, Any]) -> list[str]:
    amount = row["cost"].get("amount") if row["cost"] else None
    cost = "cost unknown" if amount is None else f"{money.usd(amount)} {row['cost']['kind']}"
    state, stage, output = (one_line(row[name]) for name in ("state", "stage", "output"))
    return [f"{state:<10} {stage:<12} {_age(row['age_s']):>6}  {cost:<22} {output}", *_next(row)]


def _runs(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The rows by the output that they belong to, the newest output first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        owner = run_list.film_of(row["output"]) or belongs_to(row["output"])
        found.setdefault(owner, []).append(row)
    return list(found.values())


def _run(rows: list[dict[str, Any]], films: dict[str, dict[str, Any]]) -> list[str]:
    """One output: its state, its age, what all of it has cost, where it is, and what comes next."""
    if story := films.get(run_list.film_of(rows[0]["output"]) or ""):
        return _film(story, rows)
    outer = [row for row in rows if not _is_inside(row["output"])]
    clips = [row for row in outer if row["stage"] in CLIPS]
    shown = (clips or outer or rows)[0]
    cost = _cost(rows)
    state = one_line(_WORDS.get(shown["state"], shown["state"]))
    what = "" if clips or outer else " (no clip yet)"
    path = one_line(near(shown["output"] if outer else str(clip_of(shown["output"]))))
    return [
        f"{state:<10} {_age(shown['age_s']):>6} ago  {cost:<14} {path}{what}",
        *next((_next(row) for row in [shown, *rows] if row["next"]), []),
    ]


def _film(story: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    """A film of several shots, in one line."""
    made = sum(one["status"] == "succeeded" for one in story["shots"])
    state = "done" if story["is_made"] else "begun"
    path = one_line(near(story["output"]))
    what = f"{made} of {len(story['shots'])} shots" if story["shots"] else "a story"
    age = _age(rows[0]["age_s"])
    return [f"{state:<10} {age:>6} ago  {_cost(rows):<14} {path} ({what})", *_next(story)]


def _cost(rows: list[dict[str, Any]]) -> str:
    """What all of it has cost, as far as that is known."""
    known = [row["cost"]["amount"] for row in rows if row["cost"] and row["cost"].get("amount")]
    unknown = any(row["cost"] is None or row["cost"].get("amount") is None for row in rows)
    cost = money.usd(sum(known)) if known or not unknown else ""
    return f"{cost} + ?".lstrip() if unknown else cost


def _is_inside(output: str) -> bool:
    return any(folder.suffix in INSIDE for folder in PurePath(output).parents)


def _next(row: dict[str, Any]) -> list[str]:
    return [f"  next: {on_one_line(row['next'])}"] if row["next"] else []


def _age(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
