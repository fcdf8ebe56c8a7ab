"""What a person reads on stderr before a run and after it: the price, the question, the result."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from .. import money
from ..errors import UsageError, one_line
from ..money import Cost
from ..output_paths import near
from ..rerun import on_one_line
from .story_text import story_lines

if TYPE_CHECKING:
    from ..stages.calls import Call, Plan
    from ..stages.context import Context
    from ..story.story_plan import StoryPlan

ASK_OVER_USD = 1.0  # a dearer run without a limit is confirmed, where there is somebody to ask

# What the calls of each stage make, in the words of the price.
_MAKES = {
    "reasoning": "caption",
    "questions": "questions",
    "composition": "first frame",
    "verification": "checks",
    "repair": "edit",
    "motion": "motion",
    "end_frame": "last frame",
    "measurement": "measurement",
    "story": "story",
}


def announce(options: argparse.Namespace, context: Context, plan: Plan) -> None:
    """Show what is about to be spent, in one line; ask where it is much and nobody set a limit.

    Nothing is shown by a stage that the orchestrator runs, or where all is free or there already.
    Raises UsageError where the answer is no.
    """
    if context.handoff.command or context.is_demo or not plan.calls:
        return
    context.console.say(price_line(context.gateway.name, [*plan.calls, *plan.later]))
    if instead := instead_line([*plan.calls, *plan.later]):
        context.console.say(instead)
    confirm(options, context, plan.whole_cost)


def announce_story(options: argparse.Namespace, story: StoryPlan) -> None:
    """The same of a story: what this command pays for, and what is left after it has stopped."""
    context, now, later = story.context, story.cost, story.to_come
    if context.is_demo or now.amount == 0:
        return
    then = f"; the clips after that, {money.shown(later)}" if later.amount != 0 else ""
    context.console.say(f"{context.gateway.name} · {story.shown}, {money.shown(now)}{then}")
    confirm(options, context, now)


def confirm(options: argparse.Namespace, context: Context, cost: Cost) -> None:
    """Ask where it is much, nobody set a limit and somebody can answer. Raises UsageError."""
    asks = not (options.yes or options.json or options.quiet or context.limit)
    if asks and (cost.amount or 0.0) > ASK_OVER_USD and context.console.can_ask:
        _confirm(context)


def price_line(gateway: str, calls: list[Call]) -> str:
    """The price of calls, in one line; the parts add up to the total. Pure."""
    costs = [call.price for call in calls]
    total = money.total(costs)
    if total.amount is None:
        known = money.usd(sum(cost.amount or 0.0 for cost in costs))
        some = f"more than {known}" if any(cost.amount for cost in costs) else "of unknown price"
        return f"{gateway} · {' + '.join(map(_made_by, calls))}, {some}"
    if len(calls) == 1:
        return f"{gateway} · {_made_by(calls[0])}, about {money.usd(total.amount)}"
    shown = [price.removeprefix("USD ") for price in money.parts(costs)]
    parts = [f"{_made_by(call)} {price}" for call, price in zip(calls, shown, strict=True)]
    return f"{gateway} · {' + '.join(parts)} = about {money.usd(total.amount)}"


def instead_line(calls: list[Call]) -> str:
    """Which defaults give way to others, in one line; "" where none does. Pure."""
    pairs = {call.instead_of: call.model.id for call in calls if call.instead_of}
    if not pairs:
        return ""
    are = "are" if len(pairs) > 1 else "is"
    return f"{' and '.join(pairs)} {are} gone: by {' and '.join(pairs.values())} instead"


def _made_by(call: Call) -> str:
    """What a call makes: "6 s of video", "3 first frames"."""
    if seconds := call.settings.get("duration_s"):
        return f"{seconds} s of video"
    made = _MAKES[call.stage]
    return f"{call.times} {made}s" if call.times > 1 and made == "first frame" else made


def result_lines(document: dict[str, Any]) -> list[str]:
    """What was made, how long it took, what it cost, and what comes next. Pure but for paths."""
    if "cancelled" in document:
        return []
    if "shots" in document:
        return [*_film_line(document), *story_lines(document), *_next_line(document)]
    if "film" in document:
        made, facts = near(str(document["output"])), _facts({"video": document["film"]})
        sheet = document.get("seam_sheet")
        seams = [f"Look at the joins: {near(str(sheet))}"] if sheet else []
        return [f"Made {made} ({facts}) in {document['elapsed_s']:.0f} s, free", *seams]
    if document.get("contact_sheet") and document.get("candidate") is None:
        return [
            f"Look at {near(str(document['contact_sheet']))}, then choose one with --select K.",
            f"Next{_price_of_next(document)}: {on_one_line(one_line(document['next']))}",
        ]
    stages = document.get("stages") or [document]
    reused = all(stage.get("reused") for stage in stages)
    cost = money.from_json(document.get("cost"))
    made, facts = near(str(document["output"])), _facts(document)
    took = f"{document['elapsed_s']:.0f} s, {_cost(cost, document)}"
    lines = [
        f"{made} was there already; nothing was sent"
        if reused
        else f"Made {made}{f' ({facts})' if facts else ''} in {took}"
    ]
    if document.get("filmstrip"):
        lines.append(f"Frames: {near(str(document['filmstrip']))}")
    if document.get("report"):
        lines.append(f"Report: {near(str(document['report']))}")
    if document.get("end_frame"):
        lines.append(f"Last frame: {near(str(document['end_frame']))}")
    lines += _next_line(document)
    if made.endswith("anchor.png") and "still_to_pay" in document:
        words = made.replace("anchor.png", "caption.txt")
        lines.append(f"To change it first: edit {words}, and run the same command as now.")
    return lines


def _film_line(document: dict[str, Any]) -> list[str]:
    """What a film is, and what it has cost."""
    if "film" not in document:
        return []
    made, facts = near(str(document["output"])), _facts({"video": document["film"]})
    if document.get("reused"):
        return [f"{made} was there already; nothing was sent"]
    cost = _cost(money.from_json(document["cost"]), document)
    return [f"Made {made} ({facts}) in {document['elapsed_s']:.0f} s, {cost}"]


def _next_line(document: dict[str, Any]) -> list[str]:
    if not document.get("next"):
        return []
    return [f"Next{_price_of_next(document)}: {on_one_line(one_line(document['next']))}"]


def _price_of_next(document: dict[str, Any]) -> str:
    """What the next command should cost, where a run stopped to be looked at."""
    if "still_to_pay" not in document or document.get("gateway") == "demo":
        return ""
    amount = money.from_json(document["still_to_pay"]).amount
    return " (price unknown)" if amount is None else f" ({money.usd(amount)})"


def _facts(document: dict[str, Any]) -> str:
    video = document.get("video") or {}
    if not video:
        return ""
    sound = "with sound" if video.get("audio") else "no sound"
    return f"{video['duration_s']:g} s, {video['width']}x{video['height']}, {sound}"


def _cost(cost: Cost, document: dict[str, Any]) -> str:
    """What it cost; what earlier attempts cost besides is in brackets."""
    if document.get("gateway") == "demo":
        return "free"
    if cost.amount is None:
        return "cost unknown"
    spent = (document.get("spent") or {}).get("amount") or 0.0
    more = f" ({money.usd(spent)} with earlier attempts)" if spent > cost.amount + 0.005 else ""
    return f"{money.usd(cost.amount)}{more}"


def _confirm(context: Context) -> None:
    """Ask once; Raises UsageError unless the answer is yes, which is the default."""
    answer = context.console.ask("Continue? [Y/n] ")
    if answer.strip().lower() not in ("", "y", "yes") or not answer:
        raise UsageError(
            "Stopped; nothing was sent.",
            "--dry-run shows the whole plan, --max-cost sets a limit, --yes does not ask.",
        )
