"""The text of --dry-run: what each call would send, what is supported, and what it costs. Pure."""

from __future__ import annotations

import textwrap
from typing import Any

from .. import STAGES, money
from ..models import limits

_SOUND = {"never": "no sound", "always": "always with sound", "switch": "sound or none"}


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
        lines.append(f"spent before for this output: {money.usd(spent['amount'])}{more}")
    if plan["max_cost"] is not None:
        lines.append(f"cap: {money.usd(plan['max_cost'])} ({plan['max_cost_source']})")
    if roomy := plan.get("suggested_max_cost"):
        lines.append(f"a limit with room for two redraws: --max-cost {roomy:.2f}")
    for one in plan.get("cheaper", ()):
        price = money.shown(money.from_json(one["cost"]))
        lines.append(f"cheaper: {one['options']}: {price} in all")
    total = money.shown(money.from_json(plan["cost"]))
    to_come = [money.from_json(call["cost"]) for call in plan.get("to_come", ())]
    if to_come:
        total += f", of which {money.shown(money.total(to_come))} once a candidate is chosen"
    lines.append(f"total: {total}; nothing was sent")
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
    lines.append(f"  cost: {money.shown(money.from_json(call['cost']))}{basis}")
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
