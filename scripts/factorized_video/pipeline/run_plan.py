"""The calls of a whole run, checked and priced. Pure.

The clip is planned first: what its model does not support is reported before anything else, and
its canvas is the shape that the anchor is made in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import STAGES
from ..errors import UsageError
from ..models import THE_ONLY_ONE, limits
from ..stages import alternatives, given_images, plan
from ..stages.calls import ANCHOR_STAGES, Call, Plan
from ..stages.plan import CAPTION_TO_COME, MOTION_TO_COME, Rules
from ..stages.request import ClipRequest
from .run_request import RunRequest

if TYPE_CHECKING:
    from ..gateway.settings import Settings

# Which model option each stage's calls have in the orchestrator.
MODEL_FLAGS = {
    "reasoning": "--llm-model",
    "questions": "--judge-model",
    "composition": "--image-model",
    "verification": "--judge-model",
    "repair": "--image-model",
    "end_frame": "--image-model",
    "motion": "--llm-model",
    "synthesis": "--video-model",
    "direct": "--video-model",
}


def stages_of(request: RunRequest) -> tuple[str, ...]:
    """Which stages there are.

    With one's own anchor Stage 1 runs only for a motion that the strategy needs and nobody gave.
    """
    strategy, own = request.settings.prompt_strategy, request.anchor is not None
    writes = not own or (strategy == "motion-only" and request.motion is None)
    asks_llm = writes and request.given_caption is None
    return (*(("reasoning",) if asks_llm else ()), *(() if own else ("composition",)), "synthesis")


def run_plan(
    request: RunRequest,
    stop_after: str | None,
    made: tuple[str, ...],
    rules: Rules,
    *,
    awaits_choice: bool = False,
) -> Plan:
    """All calls of the stages up to where the run stops, as asked or until a candidate is chosen.

    Of the stages in `made`, which will make no paid call, nothing is checked.
    """
    names = stages_of(request)
    clip = plan.clip(*_clip(request, names, made, rules))
    # The anchor is that of the final clip, whose model may support other shapes than the draft's.
    drafts = request.settings.draft
    final = plan.clip(*_clip(request.final, names, made, rules)) if drafts else clip
    rules = rules._replace(canvas=str(final.settings["canvas"] or limits.DEFAULT_RATIO))

    def of(stage: str) -> Rules:
        return rules._replace(strict=stage not in made)

    calls: list[Call] = []
    skipped = []
    asks_llm = "reasoning" in names
    if asks_llm:
        calls.append(plan.caption(request.caption_request(), of("reasoning")))
    else:
        why = "your own caption" if request.caption else "your own anchor needs no caption"
        why = "--skip-reasoning" if request.skip_reasoning else why
        skipped.append(f"{STAGES['reasoning']} ({why})")
    if request.anchor:
        skipped.append(f"{STAGES['composition']} (your own anchor)")
    else:
        anchor = request.anchor_request(request.given_caption or CAPTION_TO_COME)
        calls += plan.anchor(anchor, of("composition"))
    if request.end_state:
        edited = request.end_frame_request(request.anchor or given_images.made_by(""))
        calls.append(plan.anchor(edited, of("end_frame"))[0]._replace(stage="end_frame"))
    if request.motion_from_anchor:
        calls.append(plan.motion(request.prompt, request.llm_model, of("motion")))
    calls.append(clip)
    awaits = awaits_choice and stop_after != "caption"
    return _up_to(calls, skipped, stop_after, awaits=awaits)


def with_cheaper(whole: Plan, request: RunRequest, made: tuple[str, ...], rules: Rules) -> Plan:
    """The plan with the cheaper clips that there are."""
    clip, rules = _clip(request, stages_of(request), made, rules)
    return alternatives.with_cheaper(whole, clip, rules, in_orchestrator=True)


def _clip(
    request: RunRequest, names: tuple[str, ...], made: tuple[str, ...], rules: Rules
) -> tuple[ClipRequest, Rules]:
    """What is asked of Stage 3, its anchor and its motion perhaps yet to come; under what rules."""
    if "composition" in names and "composition" not in made:
        image_model = limits.choose_model(
            "image", request.image_model, rules.gateway, rules.allow_off
        )[0]
        rules = rules._replace(drawn_ratios=image_model.ratios)
    rules = rules._replace(strict="synthesis" not in made)
    writes_motion = "reasoning" in names or request.motion_from_anchor
    motion = request.motion or (MOTION_TO_COME if writes_motion else None)
    return request.clip(motion, request.anchor), rules


def _up_to(calls: list[Call], skipped: list[str], stop_after: str | None, *, awaits: bool) -> Plan:
    """The plan up to where the run stops."""
    until_anchor = ("reasoning", *ANCHOR_STAGES)
    # Whoever stops to look at the anchor looks at what follows from it, too.
    done = {
        "caption": ("reasoning",),
        "choice": until_anchor,
        "anchor": (*until_anchor, "end_frame", "motion"),
    }.get("choice" if awaits else stop_after or "", tuple(STAGES))
    why = "--stop-after" if stop_after else "waits until a candidate is chosen"
    left_out = tuple(call for call in calls if call.stage not in done)
    skipped += [f"{STAGES[call.stage]} ({why})" for call in left_out]
    now = tuple(call for call in calls if call.stage in done)
    return Plan(now, tuple(skipped), later=() if stop_after else left_out)


def check_models(planned: Plan, made: tuple[str, ...], gateway: Settings) -> None:
    """Raise UsageError where several calls are to be paid for and one of them names no model.

    At a gateway without default models, only a call that pays alone may look its model up; or each,
    where each service has a server of its own.
    """
    paying = [call for call in planned.calls if call.stage not in made]
    unnamed = {MODEL_FLAGS[call.stage]: 0 for call in paying if call.model.id == THE_ONLY_ONE}
    services = {call.service for call in paying}
    if unnamed and len(paying) > 1 and len(gateway.servers(services)) < max(2, len(services)):
        raise UsageError(
            f"{planned.calls[0].gateway} has no default models.",
            f"Name them: {', '.join(unnamed)} (--list-models --online shows which there are).",
        )
