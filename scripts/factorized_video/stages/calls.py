"""The calls that would be made, with what is sent and what it should cost. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .. import STAGES, models, money
from ..errors import OverBudget
from ..models import Model, limits
from ..models.picture_limits import Framing
from ..money import Cost
from ..receipts.cap import REDRAWS, Cap, Spent, check_cap, fits, with_room

# What makes a clip.
CLIP_STAGES = ("synthesis", "direct")
# What making an anchor may consist of, in order.
ANCHOR_STAGES = ("questions", "composition", "verification", "repair")


class Call(NamedTuple):
    """One call that would be made: what is sent to which model, and what it should cost.

    `times` is how many such calls there would be; `cost` is that of one, `price` that of all.
    """

    stage: str  # a key of STAGES
    gateway: str
    model: Model
    text: str
    settings: dict[str, Any]
    cost: Cost
    chosen: tuple[str, ...] = ()  # what was chosen because it was not given, in words
    warnings: tuple[str, ...] = ()
    framing: Framing = Framing()  # of a clip: how the anchor is fitted
    times: int = 1

    @property
    def service(self) -> str:
        """What is asked: chat, image or video."""
        return models.service_of(self.model.kind)

    @property
    def price(self) -> Cost:
        """What all of them should cost."""
        return money.times(self.cost, self.times)

    @property
    def status(self) -> str:
        """The model's at this gateway: live, upstream-retired, off, or unlisted."""
        return self.model.status if self.model.listed else "unlisted"

    @property
    def instead_of(self) -> str | None:
        """Where no model was named, the one that would be used if it were not gone there."""
        named = f"model {self.model.id}" not in {one.partition(" (")[0] for one in self.chosen}
        return None if named else models.passed_over(self.model, self.gateway)

    @property
    def legal(self) -> dict[str, Any]:
        """What the model supports: None for what is not known, and so not checked."""
        model = self.model
        known: dict[str, Any] = {"prompt_characters": model.prompt_characters}
        if self.stage in ("composition", "repair", *CLIP_STAGES):
            known["aspect_ratios"] = model.ratios
        if self.stage in CLIP_STAGES:
            last_frame = bool(self.settings.get("last_frame"))
            known |= {
                "durations_s": model.durations_at(
                    self.settings["resolution"], last_frame=last_frame
                ),
                "resolutions": limits.resolutions(model, self.gateway),
                "audio": model.audio,
                "last_frame": model.last_frame,
            }
        return known

    @property
    def brief(self) -> dict[str, Any]:
        """One entry of `stages` in the plan of one of many runs."""
        return {
            "stage": self.stage,
            "model": self.model.id,
            "times": self.times,
            "settings": self.settings,
            "cost": self.price.as_json(),
        }

    def as_json(self) -> dict[str, Any]:
        """One entry of `stages` in a planned result."""
        cost = self.price
        about = {"basis": cost.basis, "as_of": cost.as_of, "source": cost.source}
        return {
            "stage": self.stage,
            "gateway": self.gateway,
            "model": self.model.id,
            "times": self.times,
            "status": self.status,
            "text": self.text,
            "settings": self.settings,
            "legal": self.legal,
            "cost": cost.as_json() | about,
            "chosen": list(self.chosen),
            "instead_of": self.instead_of,
        }


class Alternative(NamedTuple):
    """Another clip than the planned one; `cost` is that of the whole plan with it.

    Of a draft, and of the clip that a draft is of, it is that of the clip alone.
    """

    options: str  # as they are given
    model: str
    duration_s: int
    resolution: str
    cost: Cost

    @property
    def shown(self) -> str:
        """For people."""
        return f"{self.options}: {money.shown(self.cost)}"

    def as_json(self) -> dict[str, Any]:
        """One entry of `cheaper`."""
        return {**self._asdict(), "cost": self.cost.as_json()}


class Plan(NamedTuple):
    """The calls in order. `skipped` says in words which stages make none, and why.

    `spent` is what was spent for the same output before, `cap` the limit on both together. `later`
    are the calls that follow once a candidate is chosen; `cheaper` are other clips, with what the
    whole would cost.
    """

    calls: tuple[Call, ...]
    skipped: tuple[str, ...] = ()
    spent: Spent = Spent()
    cap: Cap | None = None
    gateway: str | None = None
    why: str = ""  # how the gateway was chosen, in words
    later: tuple[Call, ...] = ()
    cheaper: tuple[Alternative, ...] = ()
    draft: Alternative | None = None  # of the clip that is planned
    final: Alternative | None = None  # what the planned draft is of

    def has(self, stage: str) -> bool:
        """Whether this stage makes a call."""
        return any(call.stage == stage for call in self.calls)

    def call(self, stage: str) -> Call:
        """The call of a stage that makes one."""
        return next(call for call in self.calls if call.stage == stage)

    def without(self, made: Iterable[str], left: Mapping[str, int] | None = None) -> Plan:
        """The plan without the stages whose result exists already.

        `left` is how many calls of a stage are still to be made, where it makes several.
        """
        counts = {**dict.fromkeys(made, 0), **(left or {})}
        here = [call.stage for call in self.calls if counts.get(call.stage, call.times) < 1]
        skipped = tuple(f"{STAGES[stage]} (already made, or being made)" for stage in here)
        calls = tuple(
            call._replace(times=counts.get(call.stage, call.times))
            for call in self.calls
            if call.stage not in here
        )
        return self._replace(calls=calls, skipped=skipped + self.skipped)

    @property
    def costs(self) -> list[Cost]:
        """What the calls of each stage should cost."""
        return [call.price for call in self.calls]

    @property
    def cost(self) -> Cost:
        """The expected total of the calls."""
        return money.total(self.costs)

    @property
    def whole_cost(self) -> Cost:
        """The expected total, with the calls that follow later."""
        return money.total([*self.costs, *(call.price for call in self.later)])

    @property
    def warnings(self) -> list[str]:
        """What is worth saying before anything is sent."""
        warnings = [warning for call in self.calls for warning in call.warnings]
        if self.cap and self.later and not fits(self.cap, self.spent, self.whole_cost):
            price = money.shown(money.total([call.price for call in self.later]))
            warnings.append(
                f"The clip to come, {price}, does not fit the limit of {self.cap.shown}."
            )
        return warnings

    def shown(self, *, allow_unknown: bool) -> dict[str, Any]:
        """The result of --dry-run. Over the cap, OverBudget with the plan in its result."""
        result = self.as_json()
        try:
            check_cap(self.cap, self.spent, self.costs, allow_unknown=allow_unknown)
        except OverBudget as error:
            self.offer(error)
            error.result |= {**result, "status": "failed"}
            error.charged = None  # nothing was to be sent
            raise
        return result

    def offer(self, error: OverBudget) -> None:
        """Say in an error over the limit what would fit, and which limit leaves room."""
        if self.cheaper:
            fitting = "; ".join(one.shown for one in self.cheaper)
            error.hint = f"{error.hint} These would fit: {fitting}."
        error.result["suggested_max_cost"] = roomy = self._with_room(self.costs)
        if roomy and self.has("composition"):
            error.hint = f"{error.hint} {roomy:.2f} leaves room for {REDRAWS} more first frames."
        error.result["cheaper"] = [one.as_json() for one in self.cheaper]

    def _with_room(self, ahead: list[Cost]) -> float | None:
        """A limit for these costs that leaves room to generate the first frame again."""
        frames = [call.price for call in self.calls if call.stage == "composition"]
        return with_room(self.spent, money.total(ahead), money.total(frames))

    def as_json(self) -> dict[str, Any]:
        """The keys of a planned result."""
        return {
            "status": "planned",
            "stages": [call.as_json() for call in self.calls],
            "skipped": list(self.skipped),
            "cost": self.whole_cost.as_json(),
            "to_come": [call.as_json() for call in self.later],
            "spent": self.spent.as_json(),
            "max_cost": self.cap.usd if self.cap else None,
            "max_cost_source": self.cap.source if self.cap else None,
            "suggested_max_cost": self._with_room([self.whole_cost]),
            "cheaper": [one.as_json() for one in self.cheaper],
            "draft": self.draft.as_json() if self.draft else None,
            "final": self.final.as_json() if self.final else None,
            "gateway": self.gateway,
            "gateway_why": self.why,
            "gateway_cannot": list(models.gateway(self.gateway).cannot) if self.gateway else [],
        }


def models_of(calls: Iterable[Call]) -> dict[str, list[str]]:
    """The models that these calls name, by service: chat, image, video."""
    named: dict[str, list[str]] = {}
    for call in calls:
        ids = named.setdefault(call.service, [])
        if call.model.id not in (models.THE_ONLY_ONE, *ids):
            ids.append(call.model.id)
    return named
