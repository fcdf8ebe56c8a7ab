"""What a gateway's own list says about its models, held to the registry's form. Pure.

`gateway/public_list.py` reads the lists; `overlay.py` lays them over what the registry knows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

MOST_USD = {"second": 50.0, "image": 50.0, "1M tokens": 10_000.0}  # more is a misread unit
# What a list may say of a model, named as in Model, and how each is held to its form.
_RESOLUTION = re.compile(r"[1-9][0-9]{2,3}p|[1-9]k")
_RATIO = re.compile(r"[1-9][0-9]?:[1-9][0-9]?")
_ID = re.compile(r"[!-~]{1,200}")
LONGEST_S = 600


class Listed(NamedTuple):
    """What a list says about one model.

    `facts` are named as in `registry.Model`; a fact that the list does not state is absent. Prices
    have the form of the registry's, without date and source.
    """

    id: str
    kind: str | None  # llm | image | video; None where the list does not say
    facts: Mapping[str, Any]
    prices: tuple[dict[str, Any], ...] = ()


class Catalog(NamedTuple):
    """A gateway's list as it was on a day, YYYY-MM-DD. `source` names it for people."""

    gateway: str
    as_of: str
    source: str
    models: tuple[Listed, ...]

    def as_json(self) -> dict[str, Any]:
        """The form in which it is kept and handed on."""
        return {**self._asdict(), "models": [one._asdict() for one in self.models]}


def from_json(document: Any) -> Catalog | None:
    """The catalog in a document of any origin; None where it is not one.

    Only what has the right form is kept: prices decide whether a cap holds.
    """
    if not isinstance(document, dict) or not isinstance(document.get("models"), list):
        return None
    texts = [document.get(name) for name in ("gateway", "as_of", "source")]
    if not all(isinstance(text, str) and 0 < len(text) < 200 for text in texts):
        return None
    if not re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", str(texts[1])):
        return None
    found = (_listed(row) for row in document["models"] if isinstance(row, dict))
    models = tuple(one for one in found if one is not None)
    return Catalog(str(texts[0]), str(texts[1]), str(texts[2]), models) if models else None


def _listed(row: Mapping[str, Any]) -> Listed | None:
    model_id, kind, facts, prices = (row.get(name) for name in Listed._fields)
    if not isinstance(model_id, str) or not _ID.fullmatch(model_id):
        return None
    facts = facts if isinstance(facts, dict) else {}
    prices = prices if isinstance(prices, list | tuple) else ()
    return Listed(
        model_id,
        kind if kind in ("llm", "image", "video") else None,
        {
            name: kept
            for name, form in _FORMS.items()
            if (kept := form(facts.get(name))) is not None
        },
        tuple(kept for price in prices if (kept := _price(price)) is not None),
    )


def _price(row: Any) -> dict[str, Any] | None:
    """A price in the registry's form, or None."""
    if not isinstance(row, dict) or row.get("unit") not in MOST_USD:
        return None
    names = ("input", "output") if row["unit"] == "1M tokens" else ("usd",)
    price: dict[str, Any] = {"unit": row["unit"]}
    for name in names:
        amount = row.get(name)
        if isinstance(amount, bool) or not isinstance(amount, int | float):
            return None
        if not math.isfinite(amount) or not 0 < amount <= MOST_USD[row["unit"]]:
            return None
        price[name] = amount
    if (resolution := row.get("resolution")) is not None:
        if not isinstance(resolution, str) or not _RESOLUTION.fullmatch(resolution):
            return None
        price["resolution"] = resolution
    for name in ("per_picture", "per_reference"):
        each = row.get(name)
        if (
            isinstance(each, int | float)
            and not isinstance(each, bool)
            and 0 < each <= MOST_USD["image"]
        ):
            price[name] = each
    if (audio := row.get("audio")) is not None:
        if not isinstance(audio, bool):
            return None
        price["audio"] = audio
    return price


def _texts_of(form: re.Pattern[str]) -> Any:
    def kept(value: Any) -> tuple[str, ...] | None:
        values = value if isinstance(value, list | tuple) else ()
        fitting = [text for text in values if isinstance(text, str) and form.fullmatch(text)]
        return tuple(dict.fromkeys(fitting[:50])) or None

    return kept


def _seconds(value: Any) -> tuple[int, ...] | None:
    values = value if isinstance(value, list | tuple) else ()
    fitting = {one for one in values if type(one) is int and 0 < one <= LONGEST_S}
    return tuple(sorted(fitting)) or None


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


_FORMS = {
    "durations": _seconds,
    "ratios": _texts_of(_RATIO),
    "resolutions": _texts_of(_RESOLUTION),
    "first_frame": _truth,
    "last_frame": _truth,
    "seed": _truth,
    "audio_switch": _truth,
    "audio": lambda value: value if value in ("never", "always", "switch") else None,
}
