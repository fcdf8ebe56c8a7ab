"""Reads models.json and finds models in it. Pure, apart from reading that one file.

`models.schema.json` describes the file. A fact without a source is None and is not checked. `learn`
lays a gateway's own list over it, for as long as the process lives.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from ..errors import UsageError
from ..prompts.families import Prompting, prompting_of
from . import overlay
from .catalog import Catalog, Listed

FILE = Path(__file__).with_name("models.json")
# In a plan, stands for the model of a gateway without defaults: the one its list contains, if there
# is only one.
THE_ONLY_ONE = "<the only model there>"
KINDS = {"llm": "text", "image": "images", "video": "video"}


class ImageLimits(NamedTuple):
    """What a first frame may be: bytes, sides in pixels, ratios as width over height."""

    formats: tuple[str, ...] | None = None  # of PNG, JPEG, WEBP
    bytes: int | None = None
    side_min: int | None = None
    side_max: int | None = None
    ratio_min: float | None = None
    ratio_max: float | None = None


class Engine(NamedTuple):
    """What a model needs where it runs in an engine of one's own.

    `multiple` is of the sides in pixels; `pixels` are the sizes in 16:9 that its card names, by
    resolution; the frames of a clip are a multiple of `frame_step` and one more.
    """

    multiple: int
    pixels: Mapping[str, str] = MappingProxyType({})
    fps: int | None = None
    frame_step: int | None = None


class Model(NamedTuple):
    """What the registry knows about a model; None where no source states the fact.

    Gateways serve the same model in different ways: `there` has the facts of one of them, and so
    has what comes from `pick`.
    """

    id: str  # from `pick`: the id that the gateway uses
    kind: str  # llm | image | video; if not listed, the kind that was asked for
    listed: bool = True
    best_for: str = ""
    status: str = "live"  # live | upstream-retired | off
    shutdown: dict[str, str] | None = None  # date, and by whom
    replacement: str | None = None
    ids: Mapping[str, str] = MappingProxyType({})  # by gateway
    differs: Mapping[str, Mapping[str, Any]] = MappingProxyType({})  # by gateway, its own facts
    aliases: tuple[str, ...] = ()
    prompt_characters: int | None = None
    prompt_over: str | None = None  # what the model does with more: refused | cut silently
    typical_s: float | None = None  # seconds from create to finished
    prices: tuple[dict[str, Any], ...] = ()
    as_of: str | None = None
    source: str | None = None
    ratios: tuple[str, ...] | None = None
    references: int | None = None
    sees_images: bool | None = None  # llm
    edits: bool | None = None  # image
    sizes: tuple[str, ...] | None = None  # image
    durations: tuple[int, ...] | None = None  # video, seconds
    duration_locks: tuple[tuple[dict[str, Any], tuple[int, ...]], ...] = ()  # condition, durations
    ratio_mode: str | None = None  # video: sent | adaptive | follows-image
    resolutions: tuple[str, ...] | None = None  # video
    text_to_video: bool | None = None  # makes a clip from the prompt alone
    text_sibling: str | None = None  # the id of the row that does, where this one does not
    first_frame: bool | None = None
    last_frame: bool | None = None
    last_frame_error: float | None = None  # levels of 255, as somebody measured it
    audio: str | None = None  # never | always | switch
    audio_switch: bool | None = None  # False: a call that says whether there is sound is refused
    seed: bool | None = None
    image: ImageLimits | None = None
    missing_from: str = ""  # the list of a gateway that lacks it, and the list's date
    is_new: bool = False  # known from a gateway's list alone
    disputed: str = ""  # what sources disagree about, and which they are
    refuses: str = ""  # video: what it refuses more often than others do
    usual_s: int | None = None  # video: the length that it was trained for, in seconds
    engine: Engine | None = None  # video
    prompting: Prompting = Prompting()  # video

    def there(self, gateway_name: str) -> Model:
        """The same model with the facts of one gateway."""
        return self._replace(**self.differs.get(gateway_name, {}))

    def status_at(self, gateway_name: str) -> str:
        """The status at one gateway: live, upstream-retired or off."""
        status: str = self.differs.get(gateway_name, {}).get("status", self.status)
        return status

    def durations_at(
        self, resolution: str, *, last_frame: bool = False, references: bool = False
    ) -> tuple[int, ...] | None:
        """The supported durations at a resolution, in seconds; None if not known.

        `last_frame`: whether the clip's last frame is given, `references`: reference pictures.
        """
        for when, durations in self.duration_locks:
            if resolution in when.get("resolution", ()):
                return durations
            if last_frame and when.get("last_frame"):
                return durations
            if references and when.get("references"):
                return durations
        return self.durations


class Gateway(NamedTuple):
    """What the registry knows about a gateway."""

    name: str
    choices: dict[str, tuple[str, ...]]  # model ids by kind, in the order of preference
    any_model: bool  # accepts any id
    free: bool  # nothing costs anything there
    resolutions: tuple[str, ...] | None  # that its video call can express
    # Whether it has a call or a field for this; None where that is not known.
    audio_switch: bool | None
    seed: bool | None
    last_frame: bool | None
    cancel: bool | None
    reports_cost: bool | None  # of a clip
    own_engines: bool | None  # serves models in engines of one's own, or stands before them
    references: bool | None = None  # its video call has a field for reference pictures
    drafts: tuple[str, ...] = ()  # ids of video models for drafts, in the order of preference

    @property
    def defaults(self) -> dict[str, str]:
        """Model ids by kind: of each kind the first choice that is live."""
        return {kind: default(kind, self.name) for kind in self.choices}

    @property
    def cannot(self) -> tuple[str, ...]:
        """What is known to be missing there, in words."""
        has = {
            "cancel a job": self.cancel,
            "set a seed": self.seed,
            "set a last frame": self.last_frame,
            "switch sound off": self.audio_switch,
            "report what a clip cost": self.reports_cost,
        }
        return tuple(words for words, known in has.items() if known is False)


def document() -> dict[str, Any]:
    """The whole of models.json."""
    return _read(FILE)


def service_of(kind: str) -> str:
    """The service that calls a model of a kind: chat, image or video."""
    return kind if kind in ("image", "video") else "chat"


def rows(kind: str | None = None) -> tuple[Model, ...]:
    """All listed models, or those of one kind, in the order of the file."""
    return tuple(model for model in _known() if kind in (None, model.kind))


def learn(listed: Catalog | None) -> None:
    """Lay what a gateway's own list says over the file; None: the file alone."""
    _LEARNED[:] = [(listed, _with_list(listed))] if listed else []


def in_file() -> tuple[Model, ...]:
    """All models as the file has them, whatever a list says."""
    return _models(FILE)


def learned() -> Catalog | None:
    """The list that is laid over the file."""
    return _LEARNED[0][0] if _LEARNED else None


def gateway(name: str) -> Gateway:
    """What is known about a gateway; nothing about one that the registry does not list."""
    row = document()["gateways"].get(name, {})
    choices = {kind: tuple(ids) for kind, ids in row.get("defaults", {}).items()}
    facts = ("audio_switch", "seed", "last_frame", "cancel", "reports_cost", "own_engines")
    return Gateway(
        name,
        choices,
        row.get("any_model", False),
        row.get("free", False),
        _tuple(row.get("resolutions")),
        *(row.get(fact) for fact in facts),
    )._replace(references=row.get("references"), drafts=tuple(row.get("drafts", ())))


def pick(kind: str, wanted: str | None, gateway_name: str) -> Model:
    """The model named, listed or not; else the gateway's default of that kind or `THE_ONLY_ONE`.

    Its `id` is the one this gateway uses, which may differ from the name given: the ids of other
    gateways, and a vendor's own, are translated. Not for a server of one's own: there the name goes
    as it is, and the last part of a path finds the row. Raises UsageError for a model of another
    kind, and for a text that cannot be an id, because some gateways expect it in a header.
    """
    here = gateway(gateway_name)
    name = wanted or default(kind, gateway_name)
    model = next((model for model in rows() if name in names_of(model)), None)
    if model is None and here.own_engines:
        model = next((model for model in rows(kind) if _is_called(model, gateway_name, name)), None)
    if model is None:
        if not name.isascii() or not name.isprintable():
            raise UsageError(
                f"{name!r} is not the id of a model: it contains a character that no id has.",
                "--list-models shows the ids.",
            )
        return Model(name, kind, listed=False)
    if model.kind != kind:
        raise UsageError(
            f"{name} is a model for {KINDS[model.kind]}, not for {KINDS[kind]}.",
            f"Known models for {KINDS[kind]}: {', '.join(at(kind, gateway_name))}.",
        )
    return model.there(gateway_name)._replace(
        id=name if here.own_engines else model.ids.get(gateway_name, name)
    )


def default(kind: str, gateway_name: str) -> str:
    """The first choice of a gateway that is live there, else its first; or `THE_ONLY_ONE`."""
    live = (model.id for model in _live_choices(kind, gateway_name))
    return next(live, next(iter(_choices(kind, gateway_name)), THE_ONLY_ONE))


def passed_over(model: Model, gateway_name: str) -> str | None:
    """The id of a gateway's first choice, where it is gone and `model` is the default instead."""
    chosen = default(model.kind, gateway_name)
    first = next(iter(_choices(model.kind, gateway_name)), chosen)
    return first if first != chosen and model.id in names_of(_listed(chosen)) else None


def other_choice(model: Model, gateway_name: str) -> str | None:
    """The id of another live choice of a gateway for this kind; None where there is none."""
    others = (
        other.ids.get(gateway_name, other.id)
        for other in _live_choices(model.kind, gateway_name)
        if model.id not in names_of(other)
    )
    return next(others, None)


def _choices(kind: str, gateway_name: str) -> tuple[str, ...]:
    return gateway(gateway_name).choices.get(kind, ())


def _live_choices(kind: str, gateway_name: str) -> Iterator[Model]:
    for model in map(_listed, _choices(kind, gateway_name)):
        if model.status_at(gateway_name) == "live":
            yield model


def _listed(model_id: str) -> Model:
    return next(model for model in _known() if model.id == model_id)


def unchecked(model: Model) -> Model:
    """The same model without any known limit."""
    limits: dict[str, Any] = dict.fromkeys(
        "durations ratios resolutions audio audio_switch image prompt_characters first_frame "
        "last_frame seed references edits text_to_video".split()
    )
    return model._replace(duration_locks=(), **limits)


def at(kind: str, gateway_name: str) -> list[str]:
    """The ids of one kind that a gateway serves, or may still serve.

    Not those known from its list alone: of these nobody has said what they are good for.
    """
    return [
        model.ids[gateway_name]
        for model in rows(kind)
        if gateway_name in model.ids and model.status_at(gateway_name) != "off" and not model.is_new
    ]


@cache
def _read(file: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return data


_LEARNED: list[tuple[Catalog, tuple[Model, ...]]] = []  # one at most


def _known() -> tuple[Model, ...]:
    return _LEARNED[0][1] if _LEARNED else _models(FILE)


def _with_list(listed: Catalog) -> tuple[Model, ...]:
    new = (_of_list(one, listed) for one in overlay.unknown(_models(FILE), listed))
    return (*overlay.laid_over(_models(FILE), listed), *new)


def _of_list(one: Listed, listed: Catalog) -> Model:
    return Model(
        one.id,
        str(one.kind),
        best_for=f"new in {listed.source}",
        ids={listed.gateway: one.id},
        differs={listed.gateway: {}},
        prices=tuple(overlay.prices_of(one, listed)),
        as_of=listed.as_of,
        source=listed.source,
        is_new=True,
        **one.facts,
    )


@cache
def _models(file: Path) -> tuple[Model, ...]:
    return tuple(_model(row) for row in _read(file)["models"])


def names_of(model: Model) -> set[str]:
    """Every id by which a model is known: its own, other spellings, those at the gateways."""
    return {model.id, *model.aliases, *model.ids.values()}


def _is_called(model: Model, gateway_name: str, name: str) -> bool:
    """Whether a name ends like the model's id there: "/models/Wan2.2-I2V-A14B-Diffusers"."""
    last = model.ids.get(gateway_name, "").rpartition("/")[2].lower()
    return bool(last) and name.rstrip("/").rpartition("/")[2].lower() == last


def _model(row: dict[str, Any]) -> Model:
    prompt, image = row["prompt"] or {}, row.get("image")
    fields = _facts({name: value for name, value in row.items() if name in Model._fields})
    fields |= {
        "ids": {name: entry["id"] for name, entry in row["gateways"].items()},
        "differs": {
            name: _facts({fact: value for fact, value in entry.items() if fact != "id"})
            for name, entry in row["gateways"].items()
        },
        "aliases": tuple(row["aliases"]),
        "prompt_characters": prompt.get("characters"),
        "prompt_over": prompt.get("over"),
        "prices": prices_on(time.strftime("%Y-%m-%d", time.gmtime()), row["prices"]),
        "prompting": prompting_of(row.get("prompting")),
        "engine": Engine(**row["engine"]) if row.get("engine") else None,
        "image": ImageLimits(**{**image, "formats": _tuple(image["formats"])}) if image else None,
    }
    return Model(**fields)


def prices_on(day: str, prices: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Those of a row's prices that hold on a day, YYYY-MM-DD."""
    return tuple(
        price for price in prices if price.get("from", day) <= day <= price.get("until", day)
    )


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    """The facts of a row, or those of a gateway in it, as a Model has them."""
    read: dict[str, Any] = {"durations": _seconds, "duration_locks": _locks}
    read |= dict.fromkeys(("ratios", "sizes", "resolutions"), _tuple)
    return {fact: read[fact](value) if fact in read else value for fact, value in row.items()}


def _locks(locks: list[dict[str, Any]]) -> tuple[tuple[dict[str, Any], tuple[int, ...]], ...]:
    return tuple((lock["when"], _seconds(lock["durations"]) or ()) for lock in locks)


def _tuple(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)


def _seconds(durations: Any) -> tuple[int, ...] | None:
    if isinstance(durations, dict):
        return tuple(range(durations["from"], durations["to"] + 1))
    return None if durations is None else tuple(durations)
