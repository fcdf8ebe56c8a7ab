"""A story as text: its plan, the storyboard to look at, or what became of its shots. Pure."""

from __future__ import annotations

import textwrap
from typing import Any

from .. import money
from ..errors import one_line
from ..output_paths import near
from .dry_run_text import spent_and_limit

# By stage, what its calls make.
_MAKES = {
    **dict.fromkeys(("reasoning", "motion"), "texts"),
    **dict.fromkeys(("questions", "verification"), "checks"),
    **dict.fromkeys(("composition", "repair", "end_frame"), "pictures"),
    "synthesis": "clips",
}
_STATES = {"succeeded": "made", "drawn": "first frame", "not begun": "to come"}


def story_text(document: dict[str, Any]) -> str:
    """What is printed of a story."""
    if "gateway_why" in document:
        return _plan(document)
    if document["status"] == "succeeded":
        return str(document["output"])
    return "\n".join([*_rows(document, "cost"), _total(document)])


def _plan(plan: dict[str, Any]) -> str:
    lines = [f"gateway: {plan['gateway']} ({plan['gateway_why']})", *_rows(plan, "to_pay")]
    lines += _models(plan)
    still, cost = (money.from_json(plan[name]) for name in ("still_to_pay", "cost"))
    if still.amount and cost.amount:
        pictures = money.usd(max(0.0, cost.amount - still.amount))
        lines.append(
            f"pictures {pictures}, then it stops for you to look; clips {money.usd(still.amount)}"
        )
    lines += spent_and_limit(plan, "story")
    if roomy := plan.get("suggested_max_cost"):
        lines.append(f"a limit with room for two more first frames: --max-cost {roomy:.2f}")
    lines.append(f"total: {money.shown(cost)}; nothing was sent")
    return "\n".join(lines)


def _models(plan: dict[str, Any]) -> list[str]:
    """Which models make what, and the shape of the clips."""
    named: dict[str, dict[str, None]] = {}
    shapes: dict[str, None] = {}
    for call in (call for one in (*plan["cast"], *plan["shots"]) for call in one["stages"]):
        named.setdefault(_MAKES[call["stage"]], {})[call["model"]] = None
        if "resolution" in call["settings"]:
            settings = call["settings"]
            shapes[f"{settings['resolution']} {settings['canvas'] or ''}".strip()] = None
    made = [f"{what} by {', '.join(models)}" for what, models in named.items()]
    about = f" ({', '.join(shapes)})" if shapes else ""
    return textwrap.wrap(f"{'; '.join(made)}{about}", 79, break_on_hyphens=False) if made else []


def _rows(document: dict[str, Any], price: str) -> list[str]:
    """A line for each of the cast, and for each shot."""
    lines = [one_line(document["title"])]
    for one in document["cast"]:
        state = "your picture" if one["own"] else _STATES.get(one["status"], one["status"])
        if one["status"] == "succeeded" and not one["own"]:
            state = "drawn"
        lines.append(_row(one["name"], state, one, price))
    for one in document["shots"]:
        state = f"{_STATES.get(one['status'], one['status'])}, {one['seconds']:g} s"
        if one["continues"]:
            state += f", continues {one['number'] - 1}"
        lines.append(_row(f"{one['number']}  {one['name']}", state, one, price))
        if price == "to_pay" and (who := _who_and_where(one)):
            lines += textwrap.wrap(who, 79, initial_indent=" " * 6, subsequent_indent=" " * 6)
        if one["contact_sheet"] and one["status"] == "awaits a choice":
            lines.append(f"      look at {near(one['contact_sheet'])}, then add `- select: K`")
    return lines


def _who_and_where(shot: dict[str, Any]) -> str:
    """Who is in a shot, and where it is set."""
    people, place = ", ".join(shot["cast"]), shot["place"]
    return one_line(" ".join(filter(None, (people and f"with {people}", place and f"at {place}"))))


def _row(name: str, state: str, one: dict[str, Any], price: str) -> str:
    cost = money.shown(money.from_json(one[price]))
    line = f"  {one_line(name)[:30]:<30}  {state:<26} {cost}"
    if one["error"]:
        line += f"\n      {one['error'].get('kind')}: {one_line(one['error']['message'])}"
    return line.rstrip()


def _total(document: dict[str, Any]) -> str:
    made = sum(one["status"] == "succeeded" for one in document["shots"])
    cost = money.shown(money.from_json(document["cost"]))
    return f"{made} of {len(document['shots'])} shots made; {cost}"


def story_lines(document: dict[str, Any]) -> list[str]:
    """What a person reads on stderr once a story has stopped, or is a film. Pure but for paths."""
    waits = [one for one in document["shots"] if one["status"] == "awaits a choice"]
    lines = [
        f"{one['name']}: look at {near(one['contact_sheet'])}, then write `- select: K` below it"
        for one in waits
        if one["contact_sheet"]
    ]
    if sheets := document.get("storyboards"):
        lines.append(f"Look at the first frames: {', '.join(map(near, sheets))}")
    for name, words in (
        ("seam_sheet", "Look at the joins"),
        ("filmstrip", "Frames"),
        ("report", "Report"),
    ):
        if document.get(name):
            lines.append(f"{words}: {near(document[name])}")
    return lines
