"""The registry for people and agents: rows, a table, a page of Markdown; and what a gateway says.

`references/model-configs.md` is made by this module:
PYTHONPATH=scripts python3 -m factorized_video.catalog > references/model-configs.md
"""

from __future__ import annotations

from typing import Any

from .. import models
from . import Model, limits

OLD_AFTER_DAYS = 180
KINDS = ("llm", "image", "video")
_NOT_KNOWN = "?"


def rows(kind: str | None, today: str) -> list[dict[str, Any]]:
    """One row for each model, with all that is known of it. `today` as YYYY-MM-DD."""
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
    lines.append("")
    lines.append("! older than 180 days: look the figures up anew. ? not known, and not checked.")
    return "\n".join(lines)


def differences(served: list[str], gateway: str, kind: str | None) -> dict[str, list[str]]:
    """How the gateway's own list differs from what is known of it. Pure."""
    known = {
        model.ids[gateway]: model.statuses.get(gateway, model.status)
        for model in models.rows(kind)
        if gateway in model.ids
    }
    everything = {i for m in models.rows() for i in (m.id, *m.aliases, *m.ids.values())}
    return {
        "not_served": [model_id for model_id in known if model_id not in served],
        "served_though_retired": [
            model_id
            for model_id, status in known.items()
            if model_id in served and status != "live"
        ],
        "not_in_the_registry": [model_id for model_id in served if model_id not in everything],
    }


def differences_as_text(differs: dict[str, list[str]]) -> str:
    """The same for a person to read."""
    titles = {
        "not_served": "known here, not in the gateway's list",
        "served_though_retired": "in the gateway's list, though their vendor shut them down",
        "not_in_the_registry": "in the gateway's list, not known here",
    }
    lines = [f"{titles[name]}: {', '.join(ids)}" for name, ids in differs.items() if ids]
    return "\n".join(lines or ["the gateway's list and what is known here agree"])


def as_markdown() -> str:
    """The page `references/model-configs.md`, whole."""
    data = models.registry()
    parts = [_TOP.format(as_of=data["as_of"])]
    for kind, (title, intro) in _TITLES.items():
        parts.append(f"## {title}\n\n{intro}\n\n{_table(kind)}")
    return "\n\n".join([*parts, _BOTTOM.format(gateways=_gateways())]) + "\n"


def _row(model: Model, today: str) -> dict[str, Any]:
    dates = [model.as_of, *(price["as_of"] for price in model.prices)]
    return {
        "id": model.id,
        "kind": model.kind,
        "gateways": {
            name: {
                "id": model_id,
                "status": model.statuses.get(name, model.status),
                **(
                    {"resolutions": model.resolutions_at[name]}
                    if name in model.resolutions_at
                    else {}
                ),
                **(
                    {"text_to_video": model.text_to_video_at[name]}
                    if name in model.text_to_video_at
                    else {}
                ),
            }
            for name, model_id in model.ids.items()
        },
        "aliases": list(model.aliases),
        "status": model.status,
        "shutdown": model.shutdown,
        "replacement": model.replacement,
        "default_at": [
            name
            for name, row in models.registry()["gateways"].items()
            if model.id == row["defaults"].get(model.kind)
        ],
        "durations_s": model.durations,
        "duration_locks": [
            {"when": when, "durations_s": seconds} for when, seconds in model.duration_locks
        ],
        "aspect_ratios": model.ratios,
        "ratio_mode": model.ratio_mode,
        "resolutions": model.resolutions,
        "sizes": model.sizes,
        "text_to_video": model.text_to_video,
        "text_sibling": model.text_sibling,
        "first_frame": model.first_frame,
        "last_frame": model.last_frame,
        "audio": model.audio,
        "sees_images": model.sees_images,
        "edits": model.edits,
        "references": model.references,
        "prompt_characters": model.prompt_characters,
        "typical_s": model.typical_s,
        "prices": list(model.prices),
        "best_for": model.best_for,
        "as_of": model.as_of,
        "source": model.source,
        "old": any(_days(date, today) > OLD_AFTER_DAYS for date in dates if date),
    }


def _days(date: str, today: str) -> int:
    from datetime import date as day

    return (day.fromisoformat(today) - day.fromisoformat(date)).days


def _text_of(row: dict[str, Any], gateway: str) -> list[str]:
    here = row["gateways"].get(gateway, {})
    status = here.get("status", row["status"])
    since = f" {row['shutdown']['date']}" if row["shutdown"] else ""
    state = "" if status == "live" else f"  [{status}{since}"
    if state and row["replacement"]:
        state += f", use {row['replacement']}"
    default = "  (default)" if gateway in row["default_at"] else ""
    lines = [f"  {here.get('id', row['id'])}{default}{state + ']' if state else ''}"]
    lines.append(f"      {row['best_for']}")
    if takes := _takes(row, gateway):
        lines.append(f"      {takes}")
    old = " !" if row["old"] else ""
    prices = "; ".join(models.shown_price(price) for price in row["prices"]) or "price not known"
    dates = sorted({price["as_of"] for price in row["prices"]})
    lines.append(f"      {prices}{' (' + ', '.join(dates) + ')' if dates else ''}{old}")
    return lines


def _takes(row: dict[str, Any], gateway: str) -> str:
    """What a model takes, in a line."""
    here = row["gateways"].get(gateway, {})
    resolutions = here.get("resolutions", row["resolutions"])
    if row["kind"] == "llm":
        return f"sees pictures {_yes(row['sees_images'])}"
    parts = []
    if row["kind"] == "video":
        parts.append(_seconds(row["durations_s"]) + " s" + _locks(row))
        parts.append(", ".join(resolutions or [_NOT_KNOWN]))
    parts.append(_ratios(row))
    if row["kind"] == "video":
        parts += ["no first frame"] if row["first_frame"] is False else []
        parts.append(f"last frame {_yes(row['last_frame'])}")
        parts.append(f"sound {row['audio'] or _NOT_KNOWN}")
        alone = here.get("text_to_video", row["text_to_video"])
        parts.append(f"from text {_from_text(alone, row['text_sibling'])}")
    else:
        parts.append(f"edits {_yes(row['edits'])}")
    return " · ".join(parts)


def _seconds(seconds: tuple[int, ...] | None) -> str:
    return limits.shown_seconds(seconds) if seconds else _NOT_KNOWN


def _locks(row: dict[str, Any]) -> str:
    said = []
    for lock in row["duration_locks"]:
        when = lock["when"]
        at = [
            *when.get("resolution", ()),
            *(["references"] if "references" in when else []),
            *(["a last frame"] if "last_frame" in when else []),
        ]
        said.append(f"{limits.listed(at)}: {_seconds(lock['durations_s'])} s")
    return f" ({'; '.join(said)})" if said else ""


def _ratios(row: dict[str, Any]) -> str:
    how = {"follows-image": "follows the picture", "adaptive": "adapts to the picture"}
    known = " ".join(row["aspect_ratios"] or ())
    return ", ".join(filter(None, (known, how.get(row["ratio_mode"] or "")))) or _NOT_KNOWN


def _yes(value: bool | None) -> str:
    return _NOT_KNOWN if value is None else "yes" if value else "no"


def _from_text(value: bool | None, sibling: str | None) -> str:
    """Whether it makes a clip from the prompt alone, and where not, which one does."""
    return f"no, but {sibling}" if value is False and sibling else _yes(value)


def _table(kind: str) -> str:
    of_kind = {
        "llm": ["sees pictures"],
        "image": ["ratios", "edits", "prompt"],
        "video": [
            "seconds",
            "ratios",
            "resolutions",
            "first frame",
            "last frame",
            "from text",
            "sound",
            "prompt",
            "typical",
        ],
    }
    heads = [
        "id",
        "best for",
        *of_kind[kind],
        "at",
        "status",
        "price",
        "price of",
        "facts of, source",
    ]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for model in models.rows(kind):
        row = _row(model, str(models.registry()["as_of"]))
        cells = [f"`{model.id}`" + (" (default)" if row["default_at"] else ""), model.best_for]
        prompt = f"{model.prompt_characters:,}" if model.prompt_characters else ""
        if kind == "llm":
            cells += [_yes(model.sees_images)]
        elif kind == "image":
            cells += [_ratios(row), _yes(model.edits), prompt]
        elif kind == "video":
            typical = f"{model.typical_s:g} s" if model.typical_s else ""
            cells += [
                _seconds(model.durations) + _locks(row),
                _ratios(row),
                " ".join(model.resolutions or [_NOT_KNOWN]),
                _yes(model.first_frame),
                _yes(model.last_frame),
                _from_text(model.text_to_video, model.text_sibling and f"`{model.text_sibling}`"),
                model.audio or _NOT_KNOWN,
                prompt,
                typical,
            ]
        at = [
            name
            + (f" `{model_id}`" if model_id != model.id else "")
            + (f" ({' '.join(model.resolutions_at[name])})" if name in model.resolutions_at else "")
            + (
                f" (from text {_yes(model.text_to_video_at[name])})"
                if name in model.text_to_video_at
                else ""
            )
            for name, model_id in model.ids.items()
        ]
        prices = [models.shown_price(price) for price in model.prices]
        sources = sorted({f"{price['as_of']}, {price['source']}" for price in model.prices})
        cells += [
            ", ".join(at),
            _status(model),
            "; ".join(prices) or "not known",
            "; ".join(sources),
            f"{model.as_of}, {model.source}",
        ]
        lines.append("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |")
    return "\n".join(lines)


def _status(model: Model) -> str:
    gone = model.shutdown
    if model.status == "live" or gone is None:
        return "live"
    instead = f"; replacement `{model.replacement}`" if model.replacement else ""
    word = "shut down" if model.status == "upstream-retired" else "off since"
    return f"{word} {gone['date']} by {gone['by']}{instead}"


def _gateways() -> str:
    lines = []
    for name, row in models.registry()["gateways"].items():
        resolutions = " ".join(row["resolutions"]) if row["resolutions"] else "any"
        defaults = ", ".join(f"`{model}`" for model in row["defaults"].values())
        cannot = ", ".join(models.gateway(name).cannot)
        lines.append(
            f"- **{name}**: {'defaults ' + defaults if defaults else 'no defaults'}; resolutions "
            f"that its video call can say: {resolutions}"
            f"{'; cannot ' + cannot if cannot else ''}. Source: {row['source']}."
        )
    return "\n".join(lines)


_TOP = """\
# Models

Made from `scripts/factorized_video/models/models.json` (as of {as_of}) by `factorized_video.catalog`; do \
not edit. The same, for a terminal or as JSON: `factorized_generate.py --list-models`.

Prices are USD list prices of the vendors; a gateway may add or remove margin. What no source \
states \
is `?` or empty, and what is not known is not checked.

## Contents

- [Stage 1: LLMs](#stage-1-llms)
- [Stage 2: image models](#stage-2-image-models)
- [Stage 3: video models](#stage-3-video-models)
- [Gateways](#gateways)
- [Status](#status)
- [How a model is chosen](#how-a-model-is-chosen)
- [What is checked](#what-is-checked)
- [How a price is reckoned](#how-a-price-is-reckoned)"""

_TITLES = {
    "llm": (
        "Stage 1: LLMs",
        "Prices per 1M tokens. Sees pictures: what `--verify` and a motion from the anchor need.",
    ),
    "image": (
        "Stage 2: image models",
        "Edits: what `--repair` needs. Prompt: the most characters that the model takes.",
    ),
    "video": (
        "Stage 3: video models",
        "From text: whether it makes a clip from the prompt alone; where not, which model does. "
        "Typical: from create to finished, where one was reported. Sound: `never`, `always`, or "
        "`switch` where a call may say.",
    ),
}

_BOTTOM = """\
## Gateways

The column "at" tells the id that a gateway knows the model by, and the resolutions that it can \
be had in there, and whether it makes a clip from text alone, where they differ.

{gateways}

## Status

- **live**: sent. At a gateway that is not known to serve it, with a warning.
- **shut down**: the vendor serves the id no more; a gateway may keep an alias. It is sent, \
with one \
warning that names the date and the replacement. Both defaults of Stages 2 and 3 at HappyCapy are \
in this state: they are the original skill's, and whether HappyCapy keeps an alias was not verified.
- **off**: served by nobody any more. Exit code 2, before anything is sent; `--allow-off` sends it \
all the same.

When a gateway answers that it does not know a model, nothing was made: exit code 10, and \
`next` is \
the same command with the replacement; what was made before, a paid anchor above all, is kept.

## How a model is chosen

- A typed id wins: `--model` in the single stages, `--llm-model`, `--image-model`, `--video-model` \
in the orchestrator. Else the gateway's default. A gateway without defaults is asked for its list, \
and a list of one is an answer: so in the single stages, and in the orchestrator where only one \
stage is left to pay for.
- An id of another gateway, or the vendor's own, is translated to the gateway's, and said.
- An id that is not in the list is sent as it is, unchecked, with a warning. One of the list \
that is \
for another stage is exit code 2.

## What is checked

Before the first call, Stage 1's included: duration, ratio, resolution, sound, and the length \
of the \
texts, against what stands above; a typed value that the model does not take is exit code 2 and \
names what it takes and who takes it. Nothing that was typed is changed, but with `--fit-duration` \
the duration. What nobody typed is chosen and shown by `--dry-run`: 6 s or the nearest at the \
resolution; 720p or the nearest; 16:9, or with your own picture the ratio nearest to it.

What was submitted or made before is waited for or returned whatever the models of today take.

## How a price is reckoned

- `actual`: the gateway said it. `listed`: this gateway's own dated price. `estimated`: another \
list \
price, mostly the vendor's. `unknown`: none is known. A sum has the weakest kind in it, and is \
unknown if one part is.
- LLM: 1,500 tokens in and 500 out for the plan of Stage 1, 800 and 400 for questions, 2,400 and \
900 for a check, 2,500 and 400 for a motion from the anchor; for the receipt the cost that the \
gateway says, else its token counts times the price.
- Image: one image, and what each picture that it is made from adds. Video: seconds times the \
price of a second at the resolution, with sound \
unless \
the model makes none or `--no-audio` is told to it. What the gateway says of a clip's cost \
(Vercel, OpenRouter, LiteLLM where it has a price) takes the place of that in the receipt."""


if __name__ == "__main__":
    print(as_markdown(), end="")
