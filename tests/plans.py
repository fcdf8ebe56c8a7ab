"""Calls and plans for tests: what was asked, by short names, as the requests that say so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from factorized_video.media.images import ImageFile
from factorized_video.pipeline.run_plan import run_plan
from factorized_video.pipeline.run_request import RunRequest
from factorized_video.stages import plan
from factorized_video.stages.calls import Call, Plan
from factorized_video.stages.given_images import GivenImage
from factorized_video.stages.plan import Rules
from factorized_video.stages.request import (
    AnchorRequest,
    CandidateWish,
    CaptionRequest,
    ClipRequest,
    ClipSettings,
)

PROMPT = "A cat jumps from a bookshelf to the couch"
MOTION = "The cat leaps."
Size = tuple[int, int]


def picture(size: Size | None) -> GivenImage:
    """A picture of that size, None where it cannot be found out."""
    return GivenImage("--anchor", Path("anchor.png"), "", ImageFile(b"", "PNG", size))


def synthesis(model: str | None = None, **typed: Any) -> Call:
    """The call of a clip: settings by their names, and what it is made from."""
    given: dict[str, Any] = {"prompt_strategy": "combined", **typed}
    for short, name in (("strategy", "prompt_strategy"), ("ratio", "aspect_ratio")):
        given[name] = given.pop(short, given.get(name))
    settings = ClipSettings(**{k: v for k, v in given.items() if k in ClipSettings._fields})
    size, last = given.get("picture_size"), given.get("last_frame_size")
    request = ClipRequest(
        given.get("prompt", PROMPT),
        given.get("motion", MOTION),
        picture(size) if size else None,
        picture(last) if last else None,
        model,
        direct=given.get("direct", False),
        settings=settings,
    )
    gateway, allow_off = given.get("gateway", "happycapy"), given.get("allow_off", False)
    drawn_ratios, strict = given.get("drawn_ratios"), given.get("strict", True)
    rules = Rules(gateway, allow_off, strict, drawn_ratios=drawn_ratios)
    return plan.clip(request, rules)


def composition(model: str | None = None, **typed: Any) -> Call:
    given: dict[str, Any] = {"style": "anime", "ratio": "16:9", "caption": "A cat.", **typed}
    request = AnchorRequest(
        given["caption"], given["style"], given["ratio"], model, given.get("enhance")
    )
    rules = Rules(given.get("gateway", "happycapy"), strict=given.get("strict", True))
    return plan.anchor(request, rules)[0]


def reasoning(model: str | None = None, **typed: Any) -> Call:
    given: dict[str, Any] = {"style": "anime", "ratio": "16:9", **typed}
    request = CaptionRequest(PROMPT, given["style"], given["ratio"], model)
    return plan.caption(request, Rules(given.get("gateway", "happycapy")))


def pipeline(**typed: Any) -> Plan:
    given: dict[str, Any] = {"prompt": PROMPT, **typed}
    given.setdefault("prompt_strategy", given.pop("strategy", "combined"))
    settings = {k: given.pop(k) for k in ClipSettings._fields if k in given}
    wish = {k: given.pop(k) for k in CandidateWish._fields if k in given and k != "prompt"}
    made, gateway = given.pop("made", ()), given.pop("gateway", "happycapy")
    stop_after, allow_off = given.pop("stop_after", None), given.pop("allow_off", False)
    size = given.pop("picture_size", None)
    anchor = picture(size or (1920, 1080)) if given.pop("own_anchor", False) else None
    request = RunRequest(
        **given, anchor=anchor, settings=ClipSettings(**settings), wish=CandidateWish(**wish)
    )
    awaits = request.wish.awaits_choice
    return run_plan(request, stop_after, made, Rules(gateway, allow_off), awaits_choice=awaits)
