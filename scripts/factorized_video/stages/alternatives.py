"""Cheaper clips than the planned one: other models, shorter, at a lower resolution. Pure."""

from __future__ import annotations

import math

from .. import models, money
from ..aspect_ratios import short_side
from ..errors import UsageError
from ..models import Model, limits
from . import drafts, plan
from .calls import CLIP_STAGES, Alternative, Call, Plan
from .plan import Rules
from .request import ClipRequest

MOST = 3  # how many are shown


def with_cheaper(whole: Plan, request: ClipRequest, rules: Rules, *, in_orchestrator: bool) -> Plan:
    """The plan with the clips that cost less, and fit the limit if there is one.

    And with the draft of the clip, or of a draft the clip that it is of.
    """
    calls = [call for call in (*whole.calls, *whole.later) if call.stage in CLIP_STAGES]
    if not calls:
        return whole
    (planned,) = calls
    if request.settings.draft:
        final = plan.clip(drafts.final_of(request), rules)
        return whole._replace(final=_by_itself(final, "without --draft"))
    rest = [call.price for call in (*whole.calls, *whole.later) if call is not planned]
    known = sum(cost.amount or 0.0 for cost in rest)
    budget = whole.cap.usd - whole.spent.usd - known if whole.cap else math.inf
    flag = "--video-model" if in_orchestrator else "--model"
    found = tuple(
        Alternative(
            f"{flag} {call.model.id} --duration {call.settings['duration_s']} "
            f"--resolution {call.settings['resolution']}",
            call.model.id,
            call.settings["duration_s"],
            call.settings["resolution"],
            money.total([*rest, call.price]),
        )
        for call in _cheaper(request, rules, planned, budget)
    )
    return whole._replace(cheaper=found, draft=_draft(request, rules))


def _draft(request: ClipRequest, rules: Rules) -> Alternative | None:
    """The draft of a clip; None where there is none."""
    if request.direct:
        return None
    settings = request.settings._replace(draft=True)
    try:
        call = plan.clip(request._replace(settings=settings), rules._replace(strict=True))
    except UsageError:
        return None
    return _by_itself(call, "with --draft")


def _by_itself(call: Call, options: str) -> Alternative:
    """A clip with its own price."""
    known = call.settings
    return Alternative(options, call.model.id, known["duration_s"], known["resolution"], call.price)


def _cheaper(request: ClipRequest, rules: Rules, planned: Call, budget: float) -> list[Call]:
    """The dearest clips under the planned price and within `budget` USD; those of its model first.

    Of each model one; at most `MOST`. They keep every other option that was given.
    """
    most = planned.cost.amount
    below = budget if most is None else min(budget, most - 1e-6)
    ids = [planned.model.id, *models.at("video", rules.gateway)]
    found = []
    for model_id in dict.fromkeys(ids):
        fitting = [
            call
            for call in _variants(request._replace(model=model_id), rules, planned)
            if call.cost.amount is not None and call.cost.amount <= below
        ]
        if fitting:
            found.append(max(fitting, key=_worth))
    own = [call for call in found if call.model.id == planned.model.id]
    others = sorted((call for call in found if call not in own), key=_worth, reverse=True)
    return [*own, *others][:MOST]


def _worth(call: Call) -> tuple[float, int]:
    return call.cost.amount or 0.0, int(call.settings["duration_s"])


def _variants(request: ClipRequest, rules: Rules, planned: Call) -> list[Call]:
    """The clips of one model that are no longer and no larger than the planned one."""
    try:
        model = rules.model("video", request.model)[0]
    except UsageError:
        return []
    if model.status != "live" and model.id != planned.model.id:
        return []
    seconds = int(planned.settings["duration_s"])
    return [
        call
        for resolution in _resolutions(model, str(planned.settings["resolution"]), rules.gateway)
        for duration in _durations(model, resolution, seconds)
        if (call := _planned(request, rules, duration, resolution))
    ]


def _planned(request: ClipRequest, rules: Rules, duration: int, resolution: str) -> Call | None:
    settings = request.settings._replace(
        duration=duration, resolution=resolution, fit_duration=None
    )
    try:
        return plan.clip(request._replace(settings=settings), rules)
    except UsageError:
        return None


def _resolutions(model: Model, planned: str, gateway: str) -> list[str]:
    """Those that are no larger than the planned one."""
    known = limits.resolutions(model, gateway) or (planned,)
    return [one for one in known if short_side(one) <= short_side(planned)]


def _durations(model: Model, resolution: str, most: int) -> list[int]:
    """The longest two and the shortest that are no longer than the planned one."""
    known = sorted(one for one in model.durations_at(resolution) or (most,) if one <= most)
    return sorted({*known[-2:], *known[:1]})
