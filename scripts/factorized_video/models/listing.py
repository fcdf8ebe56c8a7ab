"""The list of models for people and agents, and how a gateway's own list differs from it."""

from __future__ import annotations

import difflib
from datetime import date
from typing import Any

from .. import models
from ..errors import UsageError
from . import Model, limits, overlay
from .catalog import Catalog

OLD_AFTER_DAYS = 180
KINDS = ("llm", "image", "video")
NOT_KNOWN = "?"
# Facts that a row copies from the model, and those that it names otherwise.
_COPIED = (
    "id kind status shutdown replacement ratio_mode resolutions sizes text_to_video text_sibling "
    "first_frame last_frame last_frame_error audio sees_images edits references disputed refuses "
    "prompt_characters typical_s best_for as_of source"
)
_CALLED = {"durations": "durations_s", "ratios": "aspect_ratios"}


def rows(kind: str | None, today: str) -> list[dict[str, Any]]:
    """One row for each model, with all that is known about it. `today` as YYYY-MM-DD."""
    return [row(model, today) for model in models.rows(kind)]


def short_rows(kind: str | None, gateway: str, today: str) -> list[dict[str, Any]]:
    """One short row for each model that a gateway serves, by its id there; `one` has the rest.

    `usd` is what `usd_for` costs there: a prompt rewritten, an image, or a clip as it is made
    where nothing is set. `today` as YYYY-MM-DD.
    """
    here = [model for model in models.rows(kind) if gateway in model.ids and not model.is_new]
    return [_short(model, gateway, today) for model in here]


def one(name: str, today: str) -> list[dict[str, Any]]:
    """The rows of the models called so, at any gateway. Raises UsageError where there is none."""
    found = [model for model in models.rows() if name in models.names_of(model)]
    if not found:
        known = [
            *KINDS,
            *sorted(each for model in models.rows() for each in models.names_of(model)),
        ]
        near = difflib.get_close_matches(name, known, n=1)
        raise UsageError(
            f"{name!r} is neither a kind of model (llm, image, video) nor a model known here.",
            f"Did you mean {near[0]}?" if near else "--list-models shows the ids of this gateway.",
        )
    return [row(model, today) for model in found]


def differences(served: list[str], gateway: str, kind: str | None) -> dict[str, list[str]]:
    """How the gateway's own list differs from what is known about it. Pure."""
    known = {
        model.ids[gateway]: model.status_at(gateway)
        for model in models.in_file()
        if gateway in model.ids and kind in (None, model.kind)
    }
    everything = {name for model in models.in_file() for name in models.names_of(model)}
    return {
        "not_served": [model for model in known if model not in served],
        "served_though_retired": [
            model for model, status in known.items() if model in served and status != "live"
        ],
        "not_in_the_registry": [model for model in served if model not in everything],
    }


def of_list(listed: Catalog, kind: str | None) -> dict[str, Any]:
    """What the gateway's list says otherwise than what is known without it, and what is new there.

    A fact that was not known is no change.
    """
    kinds = {model.ids.get(listed.gateway): model.kind for model in models.in_file()}
    found = [
        one
        for one in overlay.differences(models.in_file(), listed)
        if kind in (None, kinds[one.id]) and one.known is not None
    ]
    return {
        "new": [model.id for model in models.rows(kind) if model.is_new],
        "gone": [one.id for one in found if one.there == "gone"],
        "changed": [one._asdict() for one in found if one.there != "gone"],
    }


def row(model: Model, today: str) -> dict[str, Any]:
    """All that is known about a model. `today` as YYYY-MM-DD."""
    dates = [model.as_of, *(price["as_of"] for price in model.prices)]
    gateways = models.document()["gateways"]
    return {name: getattr(model, name) for name in _COPIED.split()} | {
        "gateways": {name: _at(model, name) for name in model.ids},
        "aliases": list(model.aliases),
        "default_at": [name for name in gateways if model.id == models.default(model.kind, name)],
        "durations_s": model.durations,
        "duration_locks": [
            {"when": when, "durations_s": seconds} for when, seconds in model.duration_locks
        ],
        "aspect_ratios": model.ratios,
        "prices": list(model.prices),
        "old": any(_days(known, today) > OLD_AFTER_DAYS for known in dates if known),
    }


def _at(model: Model, gateway: str) -> dict[str, Any]:
    """Its id and status there, and the facts that differ there, named as in the row."""
    differs = {_CALLED.get(fact, fact): value for fact, value in model.differs[gateway].items()}
    return {"id": model.ids[gateway], "status": model.status_at(gateway), **differs}


def _short(model: Model, gateway: str, today: str) -> dict[str, Any]:
    model = model.there(gateway)
    full, status = row(model, today), model.status
    cost, usd_for = _usual_price(model, gateway)
    short = {
        "id": model.ids[gateway],
        "kind": model.kind,
        "status": status,
        "default": gateway in full["default_at"],
        "usd": cost,
        "usd_for": usd_for,
        "best_for": model.best_for,
        "old": full["old"],
    }
    if status != "live":
        replacement = limits.replacement(model, gateway) or model.replacement
        short |= {"shutdown": (model.shutdown or {}).get("date"), "replacement": replacement}
    if model.kind == "llm":
        return short | {"sees_images": model.sees_images}
    short["aspect_ratios"] = ratios(full)
    if model.kind == "image":
        return short | {"edits": model.edits}
    return short | {
        "seconds": _seconds(model.durations),
        "resolutions": ", ".join(model.resolutions or (NOT_KNOWN,)),
        "audio": model.audio,
    }


def _usual_price(model: Model, gateway: str) -> tuple[float | None, str]:
    """The price in USD of what a run without settings makes, and what that is."""
    if model.kind != "video":
        amount = models.price(model, gateway).amount
        return amount, "one prompt" if model.kind == "llm" else "one image"
    resolution, _ = limits.choose_resolution(model, None, gateway)
    seconds, _ = limits.choose_duration(model, None, resolution, False, gateway)
    cost = models.price(
        model,
        gateway,
        seconds=seconds,
        resolution=resolution,
        audio=model.audio != "never",
        pictures=1,
    )
    return cost.amount, f"{seconds} s {resolution}"


def _days(since: str, today: str) -> int:
    return (date.fromisoformat(today) - date.fromisoformat(since)).days


# -- words ----------------------------------------------------------------------------------------


def durations(row: dict[str, Any], unit: str = "") -> str:
    """ "4, 6 and 8 (1080p: 8 s)"."""
    locks = []
    for lock in row["duration_locks"]:
        when = lock["when"]
        at = [*when.get("resolution", ())]
        at += ["references"] * ("references" in when) + ["a last frame"] * ("last_frame" in when)
        locks.append(f"{limits.listed(at)}: {_seconds(lock['durations_s'])} s")
    return _seconds(row["durations_s"]) + unit + (f" ({'; '.join(locks)})" if locks else "")


def _seconds(seconds: tuple[int, ...] | None) -> str:
    return limits.shown_seconds(seconds) if seconds else NOT_KNOWN


def ratios(row: dict[str, Any]) -> str:
    """The aspect ratios, and what happens to them with a first frame."""
    how = {"follows-image": "follows the picture", "adaptive": "adapts to the picture"}
    known = " ".join(row["aspect_ratios"] or ())
    return ", ".join(filter(None, (known, how.get(row["ratio_mode"] or "")))) or NOT_KNOWN


def yes(value: bool | None) -> str:
    """Yes, no or "?"."""
    return NOT_KNOWN if value is None else "yes" if value else "no"


def from_text(value: bool | None, sibling: str | None) -> str:
    """Whether it makes a clip from the prompt alone, and where not, which model does."""
    return f"no, but {sibling}" if value is False and sibling else yes(value)
