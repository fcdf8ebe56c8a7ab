"""What a call costs, by the dated prices in models.json."""

from __future__ import annotations

from typing import Any

from ..money import Cost
from .registry import Model, gateway

# Tokens in and out of a Stage 1 call, for an estimate before the gateway reports them: the system
# prompt and a long prompt in, caption and motion out. Measured over the texts in prompts/ at four
# characters a token, rounded up.
REWRITE_TOKENS = (1_500, 500)


def price(
    model: Model,
    gateway_name: str,
    *,
    seconds: int = 0,
    resolution: str | None = None,
    audio: bool = True,
    tokens: tuple[int, int] = REWRITE_TOKENS,
    pictures: int = 0,
    references: int = 0,
) -> Cost:
    """What one call is expected to cost: by the gateway's own price, else by a list price.

    `seconds`, `resolution` and `audio` (whether it has sound) matter to videos, `tokens` (in and
    out) to texts, `pictures` (how many it is made from) to images and videos, `references` (how
    many of these are references) to videos. Few models have a known price per picture; for the
    others nothing is added.
    """
    if gateway(gateway_name).free:
        return Cost(0.0, "listed", "free at this gateway, whatever the model")
    row = _price_row(model, gateway_name, resolution, audio)
    if row is None:
        priced = any(row.get("gateway") in (None, gateway_name) for row in model.prices)
        at_which = f" at {resolution}" if priced and resolution else ""
        return Cost(None, "unknown", f"no published price is known for this model{at_which}")
    words, amount = "", 0.0
    if row["unit"] == "1M tokens":
        amount = _tokens(row, *tokens)
        words = f"about {tokens[0]:,} tokens in, {tokens[1]:,} out, at "
    elif row["unit"] == "second":
        more = pictures * row.get("per_picture", 0) + references * row.get("per_reference", 0)
        amount = round(row["usd"] * seconds + more, 6)
        words = f"{seconds} s at "
    else:
        amount = round(row["usd"] + pictures * row.get("per_picture", 0), 6)
    words += _rate(row) + _for_pictures(row, pictures)
    if references and "per_reference" in row:
        words += f" and USD {_usd(row['per_reference'])} a reference"
    kind = "listed" if row.get("gateway") else "estimated"
    basis = f"{words}, price of {row['as_of']}, {row['source']}"
    return Cost(amount, kind, basis, row["as_of"], row["source"])


def price_of_tokens(model: Model, gateway_name: str, tokens_in: int, tokens_out: int) -> Cost:
    """What a chat call cost by its own token counts, where the gateway reports no cost."""
    expected = price(model, gateway_name)
    row = _price_row(model, gateway_name, None, True)
    if row is None or row["unit"] != "1M tokens":
        return expected
    amount = _tokens(row, tokens_in, tokens_out)
    basis = f"{tokens_in:,} tokens in, {tokens_out:,} out, at {_rate(row)}"
    return expected._replace(amount=amount, basis=basis)


def shown_price(row: dict[str, Any]) -> str:
    """A price row in words: "USD 0.40 a second at 720p with sound"."""
    words = _rate(row)
    words += f" at {row['resolution']}" if "resolution" in row else ""
    words += f" in {row['size']}" if "size" in row else ""
    if "audio" in row:
        words += " with sound" if row["audio"] else " silent"
    if "per_picture" in row:
        words += f" and {_usd(row['per_picture'])} for each picture given"
    if "per_reference" in row:
        words += f" and {_usd(row['per_reference'])} for each reference"
    words += f" by {row['gateway']}" if "gateway" in row else ""
    return words + "".join(f" {word} {row[word]}" for word in ("from", "until") if word in row)


def _price_row(
    model: Model, gateway_name: str, resolution: str | None, audio: bool
) -> dict[str, Any] | None:
    """The price that applies: the gateway's own, else the first of the others that fits."""
    fitting = [
        row
        for row in model.prices
        if row.get("resolution") in (None, resolution)
        and row.get("audio") in (None, audio)
        and row.get("gateway") in (None, gateway_name)
    ]
    return next((row for row in fitting if row.get("gateway")), fitting[0] if fitting else None)


def _rate(row: dict[str, Any]) -> str:
    if row["unit"] == "1M tokens":
        return f"USD {_usd(row['input'])} in and {_usd(row['output'])} out per 1M tokens"
    return f"USD {_usd(row['usd'])} a{'n' if row['unit'] == 'image' else ''} {row['unit']}"


def _for_pictures(row: dict[str, Any], pictures: int) -> str:
    if not pictures or "per_picture" not in row:
        return ""
    given = "1 picture" if pictures == 1 else f"{pictures} pictures"
    return f" and {given} given at USD {_usd(row['per_picture'])}"


def _usd(amount: float) -> str:
    return f"{amount:.2f}" if round(amount, 2) == amount else f"{amount:g}"


def _tokens(row: dict[str, Any], tokens_in: int, tokens_out: int) -> float:
    amount: float = tokens_in * row["input"] + tokens_out * row["output"]
    return round(amount / 1_000_000, 6)
