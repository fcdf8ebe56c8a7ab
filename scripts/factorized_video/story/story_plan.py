"""A story as it stands: what is there of it, what is left to make, and what that should cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .. import errors, money
from ..errors import UsageError
from ..media.storyboard import A_PAGE
from ..money import FREE, Cost
from ..output_paths import STORY_FOLDER
from ..pipeline import shared_limit
from ..pipeline.command import Launcher
from ..pipeline.shared_limit import Payer
from ..receipts import cap, run_list, spending
from ..receipts.cap import Spent, check_cap
from ..stages.calls import Call
from ..stages.context import Context
from ..stages.given_images import GivenImage
from . import joined_film, order
from .cast_picture import CastPicture
from .shot_run import MADE, ShotRun
from .story_file import Story

Task = CastPicture | ShotRun


class Settings(NamedTuple):
    """How a story is made; in no digest."""

    output: Path  # the film
    story_file: Path
    launcher: Launcher  # runs what makes the pictures and the clips
    at_once: int
    stops: bool  # once all first frames are there, before motion is paid for
    overwrite: bool
    filmstrip: bool
    fade_s: float
    music: Path | None
    told: Mapping[str, Any] = {}  # options that hold for all shots, to make it again by


class _Before(NamedTuple):
    """What was spent for versions of the story that are not those of today."""

    spent: Spent
    expected: Cost = FREE
    status: str = MADE


class StoryPlan:
    """One story. Making one reads and checks all of it; nothing is sent."""

    def __init__(
        self,
        story: Story,
        cast: Sequence[CastPicture],
        places: dict[str, GivenImage],
        shots: Sequence[ShotRun],
        context: Context,
        settings: Settings,
    ) -> None:
        """`places` are the pictures of the places that have one. Raises UsageError."""
        self.story = story
        self.cast = list(cast)
        self.shots = list(shots)
        self.context = context
        self.settings = settings
        self.folder = folder_of(settings.output)
        self.chains = order.chains(story.shots)
        self._places = places
        self.look(writes=False)
        self._check_outputs()

    @property
    def tasks(self) -> list[Task]:
        """All that is paid for by itself: the pictures of the cast, then the shots."""
        return [*self.cast, *self.shots]

    @property
    def summary_file(self) -> Path:
        """Where the summary lies."""
        return self.folder / run_list.STORY

    @property
    def sheets(self) -> list[Path]:
        """Where the storyboard lies, in one picture or in several."""
        count = -(-len(self.shots) // A_PAGE)
        names = ["", *(f"-{number}" for number in range(2, count + 1))]
        return [self.settings.output.with_suffix(f".storyboard{one}.png") for one in names]

    # -- what is there ---------------------------------------------------------------------------

    def look(self, *, writes: bool) -> None:
        """Read from disk how all of it stands; with `writes` also write last frames."""
        for picture in self.cast:
            picture.look(self.context)
        for number in range(len(self.shots)):
            self.look_at(number, writes=writes)
        # Earlier versions of a shot lie in the same folder: one limit is over them all.
        every = spending.spent_for(spending.outputs_in(self.folder))
        now = shared_limit.spent_by(self.tasks)
        usd, unknown = round(max(0.0, every.usd - now.usd), 6), every.unknown - now.unknown
        self._before = _Before(Spent(usd, max(0, unknown)))

    def look_at(self, number: int, *, writes: bool) -> None:
        """The same of one shot, by its place; those before it must have been looked at."""
        one = self.shots[number]
        before = self.shots[number - 1] if one.shot.continues else None
        one.look(self.context, self._pictures_of(one), before, writes=writes)
        ahead = one.first_frame if self.settings.stops else (*one.first_frame, *one.motion)
        one.expected = money.total([call.price for call in ahead])

    def _pictures_of(self, one: ShotRun) -> list[GivenImage]:
        """The pictures of who is in a shot, in the order in which its scene names them."""
        found = [p.image for p in self.cast if p.person.name in one.shot.cast]
        if one.shot.place in self._places:
            found.append(self._places[one.shot.place])
        return found

    def lacking(self, one: ShotRun) -> CastPicture | None:
        """One of the cast whose picture a shot still waits for."""
        return next(
            (p for p in self.cast if p.person.name in one.shot.cast and not p.is_there), None
        )

    def _check_outputs(self) -> None:
        """Raise UsageError where two shots would be the same clip."""
        seen: dict[str, ShotRun] = {}
        for one in self.shots:
            other = seen.setdefault(str(one.run.output).casefold(), one)
            if other is not one:
                with errors.of_line(one.file, one.shot.line):
                    raise UsageError(
                        f"{one.shot.name} would be the same clip as {other.shot.name}.",
                        "Word it otherwise, or give it `- take: 2`.",
                    )

    # -- what is left ----------------------------------------------------------------------------

    @property
    def _pictures(self) -> list[Call]:
        """The calls that are left until all first frames can be seen."""
        of_cast = [call for one in self.cast for call in one.calls]
        return [*of_cast, *(call for one in self.shots for call in one.first_frame)]

    @property
    def _motion(self) -> list[Call]:
        """Those after that."""
        return [call for one in self.shots for call in one.motion]

    @property
    def calls(self) -> list[Call]:
        """The calls that this command makes."""
        return self._pictures if self.settings.stops else [*self._pictures, *self._motion]

    @property
    def cost(self) -> Cost:
        """What these should cost."""
        return _price(self.calls)

    @property
    def to_come(self) -> Cost:
        """What is left to pay after the story has stopped to be looked at."""
        return _price(self._motion) if self.settings.stops else FREE

    @property
    def shown(self) -> str:
        """What this command makes, in words: "2 cast pictures + 3 first frames"."""
        counts = {
            "cast picture": sum(bool(one.calls) for one in self.cast),
            "first frame": sum(bool(one.first_frame) for one in self.shots),
            "clip": 0 if self.settings.stops else sum(not one.is_made for one in self.shots),
        }
        parts = [f"{count} {what}{'s' * (count > 1)}" for what, count in counts.items() if count]
        return " + ".join(parts)

    @property
    def is_to_stop(self) -> bool:
        """Whether the first frames are to be looked at before the clips are paid for."""
        return self.settings.stops and any(not one.is_made for one in self.shots)

    @property
    def warnings(self) -> list[str]:
        """What is worth saying before anything is sent."""
        of_cast = [one for picture in self.cast for call in picture.calls for one in call.warnings]
        found = [*of_cast, *(one for shot in self.shots for one in shot.run.warnings)]
        seen = {name for one in self.story.shots for name in one.cast}
        unseen = [one.name for one in self.story.cast if one.name not in seen]
        if unseen:
            found.append(f"{', '.join(unseen)}: in the cast, and in no shot.")
        limit, later = self.context.limit, self.to_come
        if limit and not cap.fits(limit, self.spent, money.total([self.cost, later])):
            found.append(
                f"The clips to come, {money.shown(later)}, do not fit the limit of {limit.shown}."
            )
        return list(dict.fromkeys(found))

    # -- the limit -------------------------------------------------------------------------------

    @property
    def payers(self) -> list[Payer]:
        """All that share the limit, with what earlier versions of the story have cost."""
        return [*self.tasks, self._before]

    @property
    def spent(self) -> Spent:
        """What the story has cost up to now, in all its versions."""
        return shared_limit.spent_by(self.payers)

    def check_cap(self) -> None:
        """Raise OverBudget where what this command would pay for does not fit the limit."""
        costs = [one.expected for one in self.tasks]
        allow = self.context.terms.allow_unknown_cost
        check_cap(self.context.limit, self.spent, costs, allow_unknown=allow)

    def check_place(self, *, writes: bool = True) -> None:
        """Raise UsageError where something else lies in the film's place.

        With `writes` also where nothing can be written there.
        """
        made_of = [self.settings.music] if self.settings.music else []
        output, overwrite = self.settings.output, self.settings.overwrite
        joined_film.check_place(output, made_of, overwrite=overwrite, writes=writes)

    # -- what is shown ---------------------------------------------------------------------------

    def dry_run(self) -> dict[str, Any]:
        """The result of --dry-run. Over the limit, OverBudget with the plan in its result."""
        context, whole = self.context, _price([*self._pictures, *self._motion])
        context.console.warn(*self.warnings)
        self.check_place(writes=False)
        frames = [call.cost for call in self._pictures if call.stage == "composition"]
        dearest = max(frames, key=lambda cost: cost.amount or 0.0, default=FREE)
        result = {
            **self.result(),
            "status": "planned",
            "output": str(self.settings.output),
            "cost": whole.as_json(),
            "still_to_pay": _price(self._motion).as_json(),
            "max_cost": context.limit.usd if context.limit else None,
            "max_cost_source": context.limit.source if context.limit else None,
            "suggested_max_cost": cap.with_room(self.spent, whole, dearest),
            "gateway_why": context.gateway.why,
        }
        try:
            self.check_cap()
        except errors.OverBudget as error:
            error.result = {**result, "status": "failed"}
            error.charged = None
            raise
        return result

    def result(self) -> dict[str, Any]:
        """What became of the cast and of all shots; `status` is that of a story that went well."""
        music = self.settings.music
        return {
            "status": "succeeded",
            "stage": "story",
            "output": str(self.summary_file),
            "title": self.story.title,
            "story": str(self.settings.story_file),
            "folder": str(self.folder),
            "storyboard": str(self.sheets[0]) if self.sheets[0].is_file() else None,
            "storyboards": [str(one) for one in self.sheets if one.is_file()],
            "gateway": self.context.gateway.name,
            "cost": money.total([one.cost for one in self.tasks]).as_json(),
            "spent": self.spent.as_json(),
            "cast": [one.as_json() for one in self.cast],
            "shots": [one.as_json() for one in self.shots],
            "music": str(music) if music else None,
        }


def _price(calls: Sequence[Call]) -> Cost:
    return money.total([call.price for call in calls])


def folder_of(output: Path) -> Path:
    """Where the pictures and the clips of a film lie."""
    return output.with_suffix(STORY_FOLDER)
