"""The list of models for people and agents, and how a gateway's own list differs from it."""

from __future__ import annotations

from datetime import date
from typing import Any

from .. import models
from . import Model, limits

OLD_AFTER_DAYS = 180
KINDS = ("llm", "image", "video")
NOT_KNOWN = "?"
# Facts that a row copies from the model, and those that it names otherwise.
_COPIED = (
    "id kind status shutdown replacement ratio_mode resolutions sizes text_to_video text_sibling "
    "first_frame last_frame audio sees_images edits references prompt_characters typical_s "
    "best_for as_of source"
)


def rows(kind: str | None, today: str) -> list[dict[str, Any]]:
    """One row for each model, with all that is known about it. `today` as YYYY-MM-DD."""
    return [_row(model, today) for model in models.rows(kind)]


def as_text(listed: list[dict[str, Any]], gateway: str) -> str:
    """The rows as a table for a terminal, those of the gateway first."""
    lines: list[str] = []
    for kind in KINDS:
        of_kind = [row for row in listed if row["kind"] == kind]
        here = [row for row in of_kind if gateway in row["gateways"]]
        elsewhere = [row for row in of_kind if row not in here]
        for title, some in ((f"{kind} at {gateway}", here), (f"{kind} elsewhere", elsewhere)):
            if some:
                lines += [*([""] if lines else []), title]
                lines += [line for row in some for line in _text_of(row, gateway)]
    notes = f"! older than {OLD_AFTER_DAYS} days: check the figures. ? not known, and not checked."
    return "\n".join([*lines, "", notes])


def differences(served: list[str], gateway: str, kind: str | None) -> dict[str, list[str]]:
    """How the gateway's own list differs from what is known about it. Pure."""
    known = {
        model.ids[gateway]: model.status_at(gateway)
        for model in models.rows(kind)
        if gateway in model.ids
    }
    everything = {i for m in models.rows() for i in (m.id, *m.aliases, *m.ids.values())}
    return {
        "not_served": [model for model in known if model not in served],
        "served_though_retired": [
            model for model, status in known.items() if model in served and status != "live"
        ],
        "not_in_the_registry": [model for model in served if model not in everything],
    }


def differences_as_text(differs: dict[str, list[str]]) -> str:
    """The differences, one line for each kind of them."""
    titles = {
        "not_served": "known here, not in the gateway's list",
        "served_though_retired": "in the gateway's list, though their vendor shut them down",
        "not_in_the_registry": "in the gateway's list, not known here",
    }
    lines = [f"{titles[name]}: {', '.join(ids)}" for name, ids in differs.items() if ids]
    return "\n".join(lines or ["the gateway's list and what is known here agree"])


def _row(model: Model, today: str) -> dict[str, Any]:
    dates = [model.as_of, *(price["as_of"] for price in model.prices)]
    gateways = models.document()["gateways"].items()
    return {name: getattr(model, name) for name in _COPIED.split()} | {
        "gateways": {name: _at(model, name) for name in model.ids},
        "aliases": list(model.aliases),
        "default_at": [
            name for name, row in gateways if model.id == row["defaults"].get(model.kind)
        ],
        "durations_s": model.durations,
        "duration_locks": [
            {"when": when, "durations_s": seconds} for when, seconds in model.duration_locks
        ],
        "aspect_ratios": model.ratios,
        "prices": list(model.prices),
        "old": any(_days(known, today) > OLD_AFTER_DAYS for known in dates if known),
    }


def _at(model: Model, gateway: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": model.ids[gateway], "status": model.status_at(gateway)}
    if gateway in model.resolutions_at:
        entry["resolutions"] = model.resolutions_at[gateway]
    if gateway in model.text_to_video_at:
        entry["text_to_video"] = model.text_to_video_at[gateway]
    return entry


def _days(since: str, today: str) -> int:
    return (date.fromisoformat(today) - date.fromisoformat(since)).days


# -- words ----------------------------------------------------------------------------------------


def _text_of(row: dict[str, Any], gateway: str) -> list[str]:
    here = row["gateways"].get(gateway, {})
    status = here.get("status", row["status"])
    since = f" {row['shutdown']['date']}" if row["shutdown"] else ""
    instead = f", use {row['replacement']}" if row["replacement"] else ""
    state = "" if status == "live" else f"  [{status}{since}{instead}]"
    default = "  (default)" if gateway in row["default_at"] else ""
    prices = "; ".join(models.shown_price(price) for price in row["prices"]) or "price not known"
    dates = ", ".join(sorted({price["as_of"] for price in row["prices"]}))
    return [
        f"  {here.get('id', row['id'])}{default}{state}",
        f"      {row['best_for']}",
        f"      {_supports(row, gateway)}",
        f"      {prices}{f' ({dates})' if dates else ''}{' !' if row['old'] else ''}",
    ]


def _supports(row: dict[str, Any], gateway: str) -> str:
    """What a model supports, in a line."""
    here = row["gateways"].get(gateway, {})
    if row["kind"] == "llm":
        return f"sees pictures {yes(row['sees_images'])}"
    if row["kind"] == "image":
        return f"{ratios(row)} · edits {yes(row['edits'])}"
    alone = here.get("text_to_video", row["text_to_video"])
    parts = [
        durations(row, " s"),
        ", ".join(here.get("resolutions", row["resolutions"]) or [NOT_KNOWN]),
        ratios(row),
        "no first frame" if row["first_frame"] is False else "",
        f"last frame {yes(row['last_frame'])}",
        f"sound {row['audio'] or NOT_KNOWN}",
        f"from text {from_text(alone, row['text_sibling'])}",
    ]
    return " · ".join(filter(None, parts))


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
