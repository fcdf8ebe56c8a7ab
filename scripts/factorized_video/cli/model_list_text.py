"""The text of --list-models: a table of the gateway's models, or all facts of one. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

from .. import models
from ..models import limits, listing

Row = dict[str, Any]
_ID_WIDTH = 38  # with the other columns, 80; a longer id has a line to itself
_WHOLE_WORDS: dict[str, Any] = {"break_long_words": False, "break_on_hyphens": False}
_TITLES = {"llm": "LLMs", "image": "Image models", "video": "Video models"}


def model_list_text(document: dict[str, Any]) -> str:
    """What --list-models prints."""
    rows, gateway = document["models"], document["gateway"]
    if document.get("of_one"):
        return "\n".join(line for row in rows for line in _facts(row, gateway))
    lines: list[str] = []
    for kind in listing.KINDS:
        of_kind = [row for row in rows if row["kind"] == kind]
        if of_kind:
            lines += [f"{_TITLES[kind]} at {gateway}", *_table(kind, of_kind), ""]
    if not rows:
        lines += [f"No models are known for {gateway}: name what the server serves.", ""]
    lines += [
        "USD: one prompt, one image, or 6 s of video at 720p unless another is named",
        "* default   ? unknown   ! facts older than 180 days",
        "All facts and prices of one model, of any gateway: --list-models ID",
    ]
    if "list" in document:
        lines += ["", *_of_list(document["list"])]
    if "online" in document:
        lines += ["", differences_as_text(document["online"])]
    return "\n".join(lines)


def differences_as_text(differs: dict[str, list[str]]) -> str:
    """The differences, one line for each kind of them."""
    titles = {
        "not_served": "known here, not in the gateway's list",
        "served_though_retired": "in the gateway's list, though their vendor shut them down",
        "not_in_the_registry": "in the gateway's list, not known here",
    }
    lines = [f"{titles[name]}: {', '.join(ids)}" for name, ids in differs.items() if ids]
    return "\n".join(lines or ["the gateway's list and what is known here agree"])


def _of_list(listed: dict[str, Any]) -> list[str]:
    """What the gateway's public list says otherwise than what this tool was shipped with."""
    lines = [f"Models and prices are by {listed['source']} of {listed['as_of']}."]
    for name in ("new", "gone"):
        if listed[name]:
            lines += _wrapped(f"{name} there: {', '.join(listed[name])}")
    for one in listed["changed"]:
        known, there = (_value(one["what"], one[name]) for name in ("known", "there"))
        lines += _wrapped(f"{one['id']}: {one['what'].replace('_', ' ')} {there}, not {known}")
    return lines


def _value(what: str, value: Any) -> str:
    if what.startswith("price"):
        return "USD " + " and ".join(f"{usd:g}" for usd in value)
    if what == "durations":
        return f"{limits.shown_seconds(value)} s"
    if isinstance(value, list | tuple):
        return " ".join(value)
    return {True: "yes", False: "no"}.get(value, str(value))


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 80, initial_indent="  ", subsequent_indent="    ", **_WHOLE_WORDS)


# -- the table ------------------------------------------------------------------------------------


def _table(kind: str, rows: list[Row]) -> list[str]:
    columns = _COLUMNS[kind]
    heads = "".join(f"{head:<{width}}" for head, width, _ in columns)
    lines = [f"  {'':<{_ID_WIDTH}}{heads}".rstrip()]
    # What can be used stands first.
    for row in sorted(rows, key=lambda row: row["status"] != "live"):
        cells = "".join(f"{shown(row):<{width}}" for _, width, shown in columns).rstrip()
        mark = "*" if row["default"] else " "
        name = [row["id"]] if len(row["id"]) < _ID_WIDTH else [row["id"], ""]
        lines += [f"{mark} {one}" for one in name[:-1]]
        start = f"{mark if len(name) == 1 else ' '} {name[-1]:<{_ID_WIDTH}}"
        lines.append((start + cells).rstrip())
        lines += _gone(row)
    return lines


def _gone(row: Row) -> list[str]:
    """When a model was shut down, and what replaces it."""
    if row["status"] == "live":
        return []
    since = f" since {row['shutdown']}" if row["shutdown"] else ""
    instead = f"; use {row['replacement']}" if row["replacement"] else ""
    gone = "off" if row["status"] == "off" else "shut down"
    return [f"      {gone}{since}{instead}"]


_STATES = {"upstream-retired": "shut down by its vendor", "off": "off"}


def _usd(row: Row) -> str:
    """The price, and beside it of what, if that is not what the table names; "?"."""
    usd: float | None = row["usd"]
    if usd is None:
        return listing.NOT_KNOWN
    digits = 2 if usd >= 0.1 or not usd else 3 if usd >= 0.001 else 4
    words = [f"{usd:.{digits}f}"]
    if row["kind"] == "video":
        seconds, _, resolution = row["usd_for"].split()
        words += [f"{seconds}s"] * (seconds != "6") + [resolution] * (resolution != "720p")
    return " ".join(words) + ("!" if row["old"] else "")


def _usual_first(ratio: str) -> int:
    return ("16:9", "9:16", ratio).index(ratio)


def _some(ratios: str) -> str:
    """At most two ratios, and how many more; or what else is known."""
    if ":" not in ratios:
        return {"follows the picture": "as picture", "adapts to the picture": "as picture"}.get(
            ratios, ratios
        )
    named = [word.rstrip(",") for word in ratios.split() if ":" in word]
    more = f" +{len(named) - 2}" if len(named) > 2 else ""
    return " ".join(sorted(named, key=_usual_first)[:2]) + more


_COLUMNS: dict[str, tuple[tuple[str, int, Callable[[Row], str]], ...]] = {
    "llm": (("USD", 10, _usd), ("sees pictures", 13, lambda row: listing.yes(row["sees_images"]))),
    "image": (
        ("USD", 10, _usd),
        ("ratios", 16, lambda row: _some(row["aspect_ratios"])),
        ("edits", 5, lambda row: listing.yes(row["edits"])),
    ),
    "video": (
        ("USD", 10, _usd),
        ("seconds", 10, lambda row: row["seconds"].replace(" and ", ", ")),
        ("ratios", 13, lambda row: _some(row["aspect_ratios"])),
        ("sound", 6, lambda row: row["audio"] or listing.NOT_KNOWN),
    ),
}


# -- one model ------------------------------------------------------------------------------------


def _facts(row: Row, gateway: str) -> list[str]:
    """Everything known about one model, a line each."""
    here = row["gateways"].get(gateway, {})
    known = {**row, **here}  # what differs there stands before what holds elsewhere
    status = known["status"]
    since = f" since {row['shutdown']['date']} ({row['shutdown']['by']})" if row["shutdown"] else ""
    instead = f"; use {row['replacement']}" if row["replacement"] else ""
    at = [f"{name} ({entry['id']})" for name, entry in row["gateways"].items()]
    facts = {
        "best for": row["best_for"],
        "status": "live" if status == "live" else f"{_STATES[status]}{since}{instead}",
        "in dispute": row["disputed"],
        "at": ", ".join(at),
        "default at": ", ".join(row["default_at"]),
        **_supports(known),
        "prompt": f"at most {row['prompt_characters']:,} characters"
        if row["prompt_characters"]
        else "",
        "other names": ", ".join(row["aliases"]),
        "facts of": f"{row['as_of']}, {row['source']}{' !' if row['old'] else ''}",
        f"at {gateway}": here.get("source", ""),
    }
    lines = [known["id"]]
    prices = [
        f"{models.shown_price(price)} ({price['as_of']}, {price['source']})"
        for price in row["prices"]
    ]
    pairs = [(name, value) for name, value in facts.items() if value]
    pairs += [("prices" * (number == 0), one) for number, one in enumerate(prices or ["not known"])]
    for name, value in pairs:
        start = f"  {name:<14}"
        lines += textwrap.wrap(start + value, 80, subsequent_indent=" " * 16, **_WHOLE_WORDS)
    return lines


def _last_frame(row: Row) -> str:
    """Whether it takes one, and how far its clip ended from it, where that was measured."""
    error = row["last_frame_error"]
    far = "" if error is None else f" (measured {error:g} of 255 levels off)"
    return f"{listing.yes(row['last_frame'])}{far}"


def _supports(row: Row) -> dict[str, str]:
    if row["kind"] == "llm":
        return {"sees pictures": listing.yes(row["sees_images"])}
    references = str(row["references"] or "") or listing.NOT_KNOWN
    if row["kind"] == "image":
        return {
            "ratios": listing.ratios(row),
            "sizes": ", ".join(row["sizes"] or ()),
            "edits": listing.yes(row["edits"]),
            "references": references,
        }
    return {
        "seconds": listing.durations(row),
        "resolutions": ", ".join(row["resolutions"] or ["?"]),
        "ratios": listing.ratios(row),
        "first frame": listing.yes(row["first_frame"]),
        "last frame": _last_frame(row),
        "references": references,
        "from text": listing.from_text(row["text_to_video"], row["text_sibling"]),
        "sound": row["audio"] or listing.NOT_KNOWN,
        "typical time": f"{row['typical_s']:g} s" if row["typical_s"] else "",
    }
