"""Results as text for people to read: a path, a caption, a list; a plan by `dry_run_text`. Pure."""

from __future__ import annotations

from typing import Any

from .. import money
from ..errors import one_line
from ..models import listing
from ..receipts import run_list
from ..rerun import on_one_line
from .dry_run_text import plan_text


def text_of(document: dict[str, Any]) -> str:
    """What is printed of a result."""
    if "lines" in document:
        from ..experiments import summary

        return summary.as_text(document)
    if "gateway_why" in document:  # over the limit, the status of a plan is "failed"
        return plan_text(document)
    if "runs" in document:
        return run_list_text(document["runs"])
    if "models" in document:
        return models_text(document)
    if document.get("cancelled"):
        return f"cancelled: {one_line(document['job'])}"
    if "caption" in document:
        return str(document["caption"] or document["motion"] or "")
    return str(document.get("comparison") or document.get("output") or "")


def run_list_text(rows: list[dict[str, Any]]) -> str:
    """What --list-runs prints."""
    if not rows:
        return "no receipts here"
    lines = []
    for row in rows:
        amount = row["cost"].get("amount") if row["cost"] else None
        cost = "cost unknown" if amount is None else f"{money.usd(amount)} {row['cost']['kind']}"
        state, stage, output = (one_line(row[name]) for name in ("state", "stage", "output"))
        lines.append(f"{state:<10} {stage:<12} {_age(row['age_s']):>6}  {cost:<22} {output}")
        if row["next"]:
            lines.append(f"  next: {on_one_line(row['next'])}")
    spent, unknown = run_list.total(rows)
    more = f", and {unknown} of unknown cost" if unknown else ""
    written = sum(row["stage"] != "verification" for row in rows)
    lines.append(f"{written} receipts; spent {money.usd(spent.amount or 0)} ({spent.kind}){more}")
    return "\n".join(lines)


def models_text(document: dict[str, Any]) -> str:
    """What --list-models prints."""
    text = listing.as_text(document["models"], document["gateway"])
    if "online" in document:
        text += "\n" + listing.differences_as_text(document["online"])
    return text


def _money(cost: dict[str, Any]) -> str:
    return money.shown(money.from_json(cost))


def _age(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
