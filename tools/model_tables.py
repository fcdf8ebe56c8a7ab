"""The registry of models as Markdown, for generate_docs.py."""

from __future__ import annotations

from collections.abc import Sequence

from factorized_video import models
from factorized_video.models import Model, listing

STAGES = {"llm": "1 `--llm-model`", "image": "2 `--image-model`", "video": "3 `--video-model`"}


def of_kind(kind: str) -> str:
    """All models of one kind, with every fact, price and source."""
    cells = [_facts(model) for model in models.rows(kind)]
    return table(list(cells[0]), [list(row.values()) for row in cells])


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; a bar in a cell would end the cell."""
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for row in rows:
        cells = " | ".join(cell.replace("|", "/") for cell in row)
        lines.append(f"| {cells} |")
    return "\n".join(lines)


def _of_its_kind(model: Model) -> dict[str, str]:
    """What only models of its kind have, by the head of a column."""
    row = listing.row(model, _today())
    prompt = f"{model.prompt_characters:,}" if model.prompt_characters else ""
    of_kind = {
        "llm": {"sees pictures": listing.yes(model.sees_images)},
        "image": {
            "ratios": listing.ratios(row),
            "edits": listing.yes(model.edits),
            "prompt": prompt,
        },
        "video": {
            "seconds": listing.durations(row),
            "ratios": listing.ratios(row),
            "resolutions": " ".join(model.resolutions or [listing.NOT_KNOWN]),
            "first frame": listing.yes(model.first_frame),
            "last frame": listing.yes(model.last_frame),
            "from text": listing.from_text(
                model.text_to_video, model.text_sibling and f"`{model.text_sibling}`"
            ),
            "sound": model.audio or listing.NOT_KNOWN,
            "prompt": prompt,
            "typical": f"{model.typical_s:g} s" if model.typical_s else "",
        },
    }
    return of_kind[model.kind]


def _facts(model: Model) -> dict[str, str]:
    # Those of every date: what is written here holds for longer than a day.
    (listed,) = [row["prices"] for row in models.document()["models"] if row["id"] == model.id]
    prices = [models.shown_price(price) for price in listed]
    sources = sorted({f"{price['as_of']}, {price['source']}" for price in listed})
    return {
        "id": f"`{model.id}`"
        + (" (default)" if listing.row(model, _today())["default_at"] else ""),
        "best for": model.best_for,
        **_of_its_kind(model),
        "at": ", ".join(_at(model, gateway) for gateway in model.ids),
        "status": _status(model),
        "price": "; ".join(prices) or "not known",
        "price of": "; ".join(sources),
        "facts of, source": f"{model.as_of}, {model.source}",
    }


def _today() -> str:
    return str(models.document()["as_of"])


def _at(model: Model, gateway: str) -> str:
    words = gateway
    if model.ids[gateway] != model.id:
        words += f" `{model.ids[gateway]}`"
    there, usual = _of_its_kind(model.there(gateway)), _of_its_kind(model)
    differs = [f"{head} {there[head] or 'none'}" for head in usual if there[head] != usual[head]]
    if model.status_at(gateway) != model.status:
        differs.append(f"status {model.status_at(gateway)}")
    source = model.differs[gateway].get("source")
    differs += [f"source: {source}"] * bool(source)
    return words + (f" ({'; '.join(differs)})" if differs else "")


def _status(model: Model) -> str:
    gone = model.shutdown
    if model.status == "live" or gone is None:
        return f"in dispute: {model.disputed}" if model.disputed else "live"
    instead = f"; replacement `{model.replacement}`" if model.replacement else ""
    word = "shut down" if model.status == "upstream-retired" else "off since"
    return f"{word} {gone['date']} by {gone['by']}{instead}"


def gateways() -> str:
    """One line for each gateway: its defaults, and what its video call can do."""
    lines = []
    for name, row in models.document()["gateways"].items():
        here = models.gateway(name)
        defaults = ", ".join(f"`{model}`" for model in here.defaults.values())
        cannot = ", ".join(here.cannot)
        lines.append(
            f"- **{name}**: {'defaults ' + defaults if defaults else 'no defaults'}; its video "
            f"call accepts the resolutions {' '.join(row['resolutions'] or ['any'])}"
            f"{'; cannot ' + cannot if cannot else ''}. Source: {row['source']}."
        )
    return "\n".join(lines)


def which_model(gateway: str) -> str:
    """The models that an agent chooses from at one gateway: with a price, or live."""
    shown, dates = [], set()
    for listed in models.rows():
        if gateway not in listed.ids:
            continue
        model = models.pick(listed.kind, listed.ids[gateway], gateway)
        prices = [row for row in model.prices if row.get("gateway") in (None, gateway)]
        live = model.kind != "llm" and model.status == "live"
        if model.status != "off" and (prices or live):
            shown.append(model)
            dates |= {price["as_of"] for price in prices}
    defaults = models.gateway(gateway).defaults
    rows = []
    for number, model in enumerate(shown):
        first = not number or shown[number - 1].kind != model.kind
        stage = STAGES[model.kind]
        name = f"`{model.id}`" + " (default)" * (model.id == defaults.get(model.kind))
        gone = model.shutdown["date"] if model.shutdown else ""
        best_for = model.best_for.replace(" (default)", "")
        rows.append([stage if first else stage[0], name, best_for, _usd(model, gateway), gone])
    heads = ["stage", "model", "best for", "USD", "shut down"]
    return f"List prices of {span(dates)}:\n\n{table(heads, rows)}"


def span(dates: set[str]) -> str:
    """The first and the last of some dates."""
    return " to ".join(sorted({min(dates), max(dates)}))


def _usd(model: Model, gateway: str) -> str:
    if model.kind == "llm":
        row = next(row for row in model.prices if row.get("gateway") in (None, gateway))
        return f"{row['input']:g} / {row['output']:g} per 1M tokens in / out"
    sound = model.audio != "never"
    cost = models.price(model, gateway, seconds=100, resolution="720p", audio=sound)
    if cost.amount is None:
        return "unknown"
    if model.kind == "image":
        return f"{cost.amount:g} an image"
    return f"{cost.amount / 100:.2f} a second"
