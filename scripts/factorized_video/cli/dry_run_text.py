"""The text of --dry-run: each call with its price, the total, and what to set. Pure.

At most twenty lines of 80 columns for a run. The texts to be sent, what the models support and the
sources of the prices are in the JSON document.
"""

from __future__ import annotations

import textwrap
from typing import Any

from .. import STAGES, money

WIDTH = 80
_PRICE = 12  # columns at the right
_SOUND = {"never": "silent", "always": "with sound"}


def plan_text(plan: dict[str, Any]) -> str:
    """What --dry-run prints."""
    lines = [f"gateway: {plan['gateway']} ({plan['gateway_why']})"] if plan["gateway"] else []
    standing = plan.get("standing", {})
    for place in dict.fromkeys(standing.values()):
        names = [name.replace("_", " ") for name in standing if standing[name] == place]
        lines += _wrapped(f"set in {place}: {', '.join(names)}")
    total = money.from_json(plan["cost"])
    calls, later = plan["stages"], plan.get("to_come", ())
    prices = money.parts([money.from_json(call["cost"]) for call in (*calls, *later)])
    for call, price in zip((*calls, *later), prices, strict=True):
        lines += _call_lines(call, price)
    if any("reference_pictures" in c["settings"] and c["stage"] == "composition" for c in calls):
        lines += _wrapped(
            "the references go into the first frame, and the clip is sent that alone: gateways "
            "take a first frame or references"
        )
    if dates := {call["cost"]["as_of"] for call in (*calls, *later)} - {None}:
        lines.append(f"prices: list prices of {' and '.join(sorted(dates))}")
    waiting = {STAGES[call["stage"]] for call in later}
    if left_out := [what for what in plan["skipped"] if what.partition(" (")[0] not in waiting]:
        lines += _wrapped(f"left out: {'; '.join(left_out)}")
    lines += spent_and_limit(plan, "output")
    if roomy := plan.get("suggested_max_cost"):
        room = any(call["stage"] == "composition" for call in calls)
        words = "a limit with room for two more first frames" if room else "a limit for just this"
        lines.append(f"{words}: --max-cost {roomy:.2f}")
    clip = next((call for call in (*calls, *later) if "resolution" in call["settings"]), None)
    for one in plan.get("cheaper", ()):
        amount = one["cost"]["amount"]
        price = "price unknown" if amount is None else money.usd(amount)
        lines.append(f"cheaper: {price} with {_other(one, clip)}")
    for name, words in (("draft", "a draft first"), ("final", "then the real clip")):
        if one := plan.get(name):
            amount = one["cost"]["amount"]
            price = "price unknown" if amount is None else money.usd(amount)
            made = f"{one['model']}, {one['resolution']}"
            lines += _wrapped(f"{words}: {price} {one['options']} ({made})")
    if plan["gateway_cannot"]:
        *most, last = plan["gateway_cannot"]
        cannot = f"{', '.join(most)} or {last}" if most else last
        lines += _wrapped(f"this gateway cannot {cannot}")
    if calls:
        lines.append("--json shows the texts, what was chosen for you, and the sources of prices")
    words = money.shown(total)
    if later:
        to_come = money.total([money.from_json(call["cost"]) for call in later])
        words += f", of which {money.shown(to_come)} once a candidate is chosen"
    lines.append(f"total: {words}; nothing was sent")
    return "\n".join(lines)


def spent_and_limit(plan: dict[str, Any], what: str) -> list[str]:
    """What was spent before, and the limit, where there are any; `what` it was spent for."""
    lines, spent = [], plan["spent"]
    if spent["amount"] or spent["unknown_calls"]:
        unknown = spent["unknown_calls"]
        more = f", and {unknown} calls of unknown cost" if unknown else ""
        lines.append(f"spent before for this {what}: {money.usd(spent['amount'])}{more}")
    if plan["max_cost"] is not None:
        lines.append(f"limit: {money.usd(plan['max_cost'])} ({plan['max_cost_source']})")
    return lines


def _call_lines(call: dict[str, Any], price: str) -> list[str]:
    """One call: its stage, its model and its price, and below it the settings that matter."""
    several = f", {call['times']} times" if call["times"] > 1 else ""
    name = f"{STAGES[call['stage']]}: {call['model']}{several}"
    lines = [f"{name:<{WIDTH - _PRICE}} {price:>{_PRICE - 1}}"]
    if about := _about(call):
        lines += _wrapped(f"  {about}")
    if call.get("instead_of"):
        lines += _wrapped(f"  the default here, as {call['instead_of']} is gone")
    return lines


def _about(call: dict[str, Any]) -> str:
    """The settings of a picture or a clip, and a status that is a risk."""
    known = call["settings"]
    words: list[Any] = []
    if "duration_s" in known:
        sound = "no sound" if known.get("audio_switch") is False else None
        if known.get("audio") == "removed here":
            sound = "no sound (removed after download)"
        words = [
            f"{known['duration_s']} s",
            str(known.get("size") or known["resolution"]),
            known.get("canvas") or known.get("shape") or known.get("aspect_ratio") or "",
            sound or _SOUND.get(call["legal"].get("audio") or "", ""),
        ]
    elif call["stage"] == "composition":
        words = [known["aspect_ratio"], known.get("style") or ""]
    if call["status"] != "live":
        words.append(f"status {call['status']}")
    return ", ".join(filter(None, map(str, words)))


def _other(cheaper: dict[str, Any], clip: dict[str, Any] | None) -> str:
    """The options of a cheaper clip that are not those of the planned one."""
    planned: set[str] = set()
    if clip:
        settings = clip["settings"]
        planned = {clip["model"], str(settings["duration_s"]), settings["resolution"]}
    words = cheaper["options"].split()
    pairs = zip(words[::2], words[1::2], strict=True)
    return " ".join(f"{name} {one}" for name, one in pairs if one not in planned)


def _wrapped(text: str) -> list[str]:
    indent = len(text) - len(text.lstrip())
    later = " " * (indent + 2)
    return textwrap.wrap(text, WIDTH - 1, subsequent_indent=later, break_on_hyphens=False) or [""]
