"""A draft: the clip that is asked for, as cheap as the gateway makes one. Pure.

By one of the models that the registry names for drafts, or by the clip's own at its lowest
resolution: the first that supports what was asked and costs less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .. import models
from ..aspect_ratios import short_side
from ..errors import UsageError
from ..models import Model, limits
from .calls import Call
from .request import ClipRequest

SMALL = "480p"

PlanClip = Callable[[ClipRequest], Call]


def clip(request: ClipRequest, gateway: str, plan_clip: PlanClip, *, strict: bool) -> Call:
    """The call that makes the draft; `plan_clip` plans a clip that is none.

    It has the shape and, if possible, the length of the real clip. Raises UsageError for what the
    real clip's model does not support, and where nothing cheaper is known; if not `strict`, for a
    draft that was sent before, nothing need be cheaper.
    """
    final = plan_clip(final_of(request))
    for other in _cheaper(request, final, gateway):
        try:
            call = plan_clip(other)
        except UsageError:
            continue
        if models.gateway(gateway).free or _costs_less(call, final):
            return _as_draft(call)
    if not strict:
        return _as_draft(final)
    raise UsageError(
        f"{gateway} is not known to make a cheaper draft of this clip: "
        f"{final.settings['resolution']} by {final.model.id} is the least there.",
        "Leave out --draft. --dry-run shows what costs less, --stop-after anchor shows the first "
        "frame before the clip is paid for.",
    )


def _as_draft(call: Call) -> Call:
    chosen = f"model {call.model.id}, {call.settings['resolution']}, for a draft"
    return call._replace(
        settings={**call.settings, "draft": True},
        chosen=(*(one for one in call.chosen if not one.startswith("model ")), chosen),
    )


def final_of(request: ClipRequest) -> ClipRequest:
    """The same clip, as it is made without --draft."""
    return request._replace(settings=request.settings._replace(draft=None))


def _cheaper(request: ClipRequest, final: Call, gateway: str) -> Iterator[ClipRequest]:
    """The clips that may do, in the order of preference."""
    for name in (*models.gateway(gateway).drafts, final.model.id):
        model = models.pick("video", name, gateway)
        if model.status != "live" and model.id != final.model.id:
            continue
        resolution = _lowest(model, gateway) or final.settings["resolution"]
        if models.gateway(gateway).free:
            resolution = SMALL
        seconds, _ = limits.choose_duration(
            model,
            final.settings["duration_s"],
            resolution,
            True,
            gateway,
            last_frame=request.ended_by is not None,
        )
        settings = request.settings._replace(
            draft=None,
            duration=seconds,
            resolution=resolution,
            aspect_ratio=request.settings.aspect_ratio or final.settings["canvas"],
        )
        yield request._replace(model=model.id, settings=settings)


def _lowest(model: Model, gateway: str) -> str | None:
    """The lowest resolution that the model makes there."""
    return min(limits.resolutions(model, gateway) or (), key=short_side, default=None)


def _costs_less(draft: Call, final: Call) -> bool:
    """Whether it is a draft at all: cheaper, or where a price is not known, smaller."""
    prices = draft.cost.amount, final.cost.amount
    if prices[0] is not None and prices[1] is not None:
        return prices[0] < prices[1]
    smaller = short_side(draft.settings["resolution"]) < short_side(final.settings["resolution"])
    return smaller and draft.model.id == final.model.id
