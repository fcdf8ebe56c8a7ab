"""The storyboard of a story as it stands: its cast, and each shot with its price or its state."""

from __future__ import annotations

from pathlib import Path

from .. import money
from ..media.storyboard import Frame, storyboard
from .cast_picture import CastPicture
from .shot_run import AWAITS, ShotRun
from .story_plan import StoryPlan, Task


def storyboard_of(plan: StoryPlan) -> list[bytes]:
    """The PNGs. Raises OutputError."""
    canvas = str(plan.shots[0].run.planned_clip.settings["canvas"] or "16:9")
    wide, tall = (int(part) for part in canvas.split(":"))
    cast = [_of_cast(one) for one in plan.cast]
    return storyboard(plan.story.title, cast, [_of_shot(one) for one in plan.shots], (wide, tall))


def _of_cast(one: CastPicture) -> Frame:
    return Frame(one.name, one.path if one.is_there else None, note=_why(one) or "not drawn yet")


def _of_shot(one: ShotRun) -> Frame:
    price = money.total([call.price for call in one.motion])
    facts = [f"{one.seconds:g} s"]
    if one.is_made or price.amount != 0:
        facts.append("made" if one.is_made else money.shown(price))
    if one.shot.continues:
        facts.append(f"continues {one.number - 1}")
    picture, note = one.anchor, _why(one)
    if one.status == AWAITS:
        picture = Path(one.contact_sheet) if one.contact_sheet else None
        note = "choose: - select: K"
    elif picture is None and not note:
        note = f"begins with the last frame of {one.number - 1}" if one.shot.continues else ""
    title, shown = f"{one.number} {one.name}", " · ".join(facts)
    return Frame(title, picture, shown, one.shot.prompt, note, one.end_frame)


def _why(one: Task) -> str:
    return f"{one.error.get('kind')}: {one.error['message']}" if one.error else ""
