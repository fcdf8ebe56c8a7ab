"""`models.json` read, matched, checked and priced. Pure but for reading that one file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .errors import UsageError

# The Stage 1 exchange, for an estimate before the gateway tells what it was: the system prompt and
# a longish prompt in, caption and motion out. Measured over the texts in prompts.py at four
# characters a token, rounded up.
REWRITE_TOKENS_IN = 1_500
REWRITE_TOKENS_OUT = 500


@dataclass(frozen=True)
class Cost:
    """Money in USD; `kind` says how well it is known. `amount` is None when unknown."""

    amount: float | None
    kind: str  # actual | listed | estimated | unknown
    basis: str = ""  # how it was reckoned, with date and source

    def as_json(self) -> dict[str, object]:
        """The `cost` object of results and receipts."""
        return {"amount": self.amount, "currency": "USD", "kind": self.kind}


# From the best known to the least.
COST_KINDS = ("actual", "listed", "estimated", "unknown")


def total(costs: list[Cost]) -> Cost:
    """The sum. It is of the weakest kind in it, and unknown if any part is unknown."""
    if not costs:
        return Cost(0.0, "actual")
    kind = max((cost.kind for cost in costs), key=COST_KINDS.index)
    known = [cost.amount for cost in costs if cost.amount is not None]
    return Cost(round(sum(known), 6) if len(known) == len(costs) else None, kind)


@dataclass(frozen=True)
class Model:
    """One model as the registry knows it; None where no source states the fact."""

    id: str
    kind: str  # llm | image | video | as asked for when not listed
    listed: bool
    best_for: str = ""
    durations: tuple[int, ...] | None = None  # seconds
    ratios: tuple[str, ...] | None = None
    typical_s: float | None = None  # seconds from create to finished
    price: dict[str, object] | None = None
    retired: dict[str, str] | None = None  # shut down upstream; a gateway may keep an alias
    off: dict[str, str] | None = None  # served by nobody any more


@cache
def registry() -> dict[str, object]:
    """The whole of models.json."""
    text = (Path(__file__).parent / "models.json").read_text(encoding="utf-8")
    data: dict[str, object] = json.loads(text)
    return data


def rows(kind: str | None = None) -> list[Model]:
    """All listed models, or those of one kind, in the order of the file."""
    entries = registry()["models"]
    assert isinstance(entries, list)
    return [_model(row) for row in entries if kind in (None, row["kind"])]


def pick(kind: str, typed: str | None, gateway: str) -> Model:
    """The typed model, listed or not, else the gateway's default of that kind."""
    defaults = registry()["defaults"]
    assert isinstance(defaults, dict)
    wanted = typed or defaults[gateway][kind]
    for model in rows():
        if model.id == wanted:
            if model.kind != kind:
                raise UsageError(
                    f"{wanted} is a model for {_WHAT[model.kind]}, not for {_WHAT[kind]}.",
                    f"For {_WHAT[kind]} this tool knows: {', '.join(m.id for m in rows(kind))}.",
                )
            return model
    return Model(wanted, kind, listed=False)


_WHAT = {"llm": "text", "image": "images", "video": "video"}


def price(model: Model, *, seconds: int = 0) -> Cost:
    """What one call is expected to cost, by the vendor's list price."""
    row = model.price
    if not row:
        return Cost(None, "unknown", "no published price is known for this model")
    basis = f"list price of {row['as_of']}, {row['source']}"
    if row["unit"] == "call":
        return Cost(0.0, "listed", str(row["source"]))
    if row["unit"] == "1M tokens":
        amount = _tokens(row, REWRITE_TOKENS_IN, REWRITE_TOKENS_OUT)
        return Cost(amount, "estimated", f"about {REWRITE_TOKENS_IN} tokens in, "
                    f"{REWRITE_TOKENS_OUT} out; {basis}")  # fmt: skip
    each = float(str(row["amount"]))
    return Cost(round(each * (seconds if row["unit"] == "second" else 1), 6), "estimated", basis)


def price_of_tokens(model: Model, tokens_in: int, tokens_out: int) -> Cost:
    """What a chat call cost by its own token counts, where the gateway did not say."""
    row = model.price
    if not row or row["unit"] != "1M tokens":
        return price(model)
    return Cost(_tokens(row, tokens_in, tokens_out), "estimated", f"list price of {row['as_of']}")


def _tokens(row: dict[str, object], tokens_in: int, tokens_out: int) -> float:
    rate_in, rate_out = float(str(row["input"])), float(str(row["output"]))
    return round((tokens_in * rate_in + tokens_out * rate_out) / 1_000_000, 6)


def _model(row: dict[str, object]) -> Model:
    durations, ratios = row.get("durations"), row.get("ratios")
    return Model(
        id=str(row["id"]),
        kind=str(row["kind"]),
        listed=True,
        best_for=str(row["best_for"]),
        durations=tuple(durations) if isinstance(durations, list) else None,
        ratios=tuple(ratios) if isinstance(ratios, list) else None,
        typical_s=row.get("typical_s"),  # type: ignore[arg-type]
        price=row.get("price"),  # type: ignore[arg-type]
        retired=row.get("retired"),  # type: ignore[arg-type]
        off=row.get("off"),  # type: ignore[arg-type]
    )
