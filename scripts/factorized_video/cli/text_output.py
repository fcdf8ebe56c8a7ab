"""Results as text for people to read: a path, a caption, a plan, a list. Pure."""

from __future__ import annotations

import textwrap
from typing import Any

from .. import STAGES, money
from ..models import limits, listing
from ..receipts import run_list

_SOUND = {"never": "no sound", "always": "always with sound", "switch": "sound or none"}


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
        return f"cancelled: {document['job']}"
    if "caption" in document:
        return str(document["caption"] or document["motion"] or "")
    return str(document.get("comparison") or document.get("output") or "")


def plan_text(plan: dict[str, Any]) -> str:
    """What --dry-run prints."""
    lines = [f"gateway: {plan['gateway']} ({plan['gateway_why']})"] if plan["gateway"] else []
    if plan["gateway_cannot"]:
        lines.append(f"  it cannot {', '.join(plan['gateway_cannot'])}")
    for call in plan["stages"]:
        lines += _call_lines(call)
    lines += [f"skipped: {what}" for what in plan["skipped"]]
    spent = plan["spent"]
    if spent["amount"] or spent["unknown_calls"]:
        unknown = spent["unknown_calls"]
        more = f", and {unknown} calls of unknown cost" if unknown else ""
        lines.append(f"spent before for this output: USD {spent['amount']:.3f}{more}")
    if plan["max_cost"] is not None:
        lines.append(f"cap: USD {plan['max_cost']:g} ({plan['max_cost_source']})")
    lines.append(f"total: {_money(plan['cost'])}; nothing was sent")
    return "\n".join(lines)


def _call_lines(call: dict[str, Any]) -> list[str]:
    several = f", {call['times']} times" if call["times"] > 1 else ""
    lines = [f"{STAGES[call['stage']]}: {call['model']} at {call['gateway']}{several}"]
    if call["status"] != "live":
        lines.append(f"  status: {call['status']}")
    lines += [f"  {name}: {value}" for name, value in call["settings"].items()]
    lines += [f"  chosen: {what}" for what in call["chosen"]]
    lines += [f"  supported: {words}" for words in _supported(call)]
    lines.append("  text:")
    for line in call["text"].splitlines():
        lines += [f"    {part}" for part in textwrap.wrap(line, 92) or [""]]
    basis = f" [{call['cost']['basis']}]" if call["cost"]["basis"] else ""
    lines.append(f"  cost: {_money(call['cost'])}{basis}")
    return lines


def _supported(call: dict[str, Any]) -> list[str]:
    known = call["legal"]
    words = []
    if known.get("durations_s"):
        at = f" at {call['settings']['resolution']}"
        words.append(f"{limits.shown_seconds(known['durations_s'])} s{at}")
    if known.get("aspect_ratios"):
        words.append(limits.listed(known["aspect_ratios"]))
    if known.get("resolutions"):
        words.append(limits.listed(known["resolutions"]))
    if known.get("audio"):
        words.append(_SOUND[known["audio"]])
    if known["prompt_characters"]:
        words.append(f"up to {known['prompt_characters']:,} characters")
    return words


def run_list_text(rows: list[dict[str, Any]]) -> str:
    """What --list-runs prints."""
    if not rows:
        return "no receipts here"
    lines = []
    for row in rows:
        amount = row["cost"].get("amount") if row["cost"] else None
        cost = "cost unknown" if amount is None else f"USD {amount:.2f} {row['cost']['kind']}"
        lines.append(
            f"{row['state']:<10} {row['stage']:<12} {_age(row['age_s']):>6}  {cost:<22} "
            f"{row['output']}"
        )
        if row["next"]:
            lines.append(f"  next: {row['next']}")
    spent, unknown = run_list.total(rows)
    more = f", and {unknown} of unknown cost" if unknown else ""
    written = sum(row["stage"] != "verification" for row in rows)
    lines.append(f"{written} receipts; spent USD {spent.amount or 0:.2f} ({spent.kind}){more}")
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
