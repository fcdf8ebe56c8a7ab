"""A gateway's list laid over what the registry knows, and how the two differ. Pure.

Of the two, the list is right about that gateway: it is newer, and about the very models that are
paid for. Where it is silent, the registry stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .catalog import Catalog, Listed

if TYPE_CHECKING:
    from .registry import Model

# A list that lacks more than this share of the models of a kind that are known to be live there is
# taken for broken, or for one of other models, and none of them is held to be gone.
MOST_GONE = 0.5
_SOUND = {True: "with sound", False: "silent"}


def laid_over(models: Sequence[Model], catalog: Catalog) -> tuple[Model, ...]:
    """The registry's models, with what the list says of those at its gateway."""
    gone, rows = _gone(models, catalog), _by_id(catalog)
    return tuple(_laid_over(model, catalog, rows, gone) for model in models)


def unknown(models: Sequence[Model], catalog: Catalog) -> tuple[Listed, ...]:
    """Models for pictures and clips that the list has and the registry does not."""
    known = {name for model in models for name in (model.id, *model.aliases, *model.ids.values())}
    return tuple(
        one for one in catalog.models if one.kind in ("image", "video") and one.id not in known
    )


def prices_of(one: Listed, catalog: Catalog) -> list[dict[str, Any]]:
    """The prices as the registry has them, the more special ones first; of one thing the first."""
    about = {"gateway": catalog.gateway, "as_of": catalog.as_of, "source": catalog.source}
    first: dict[tuple[Any, ...], dict[str, Any]] = {}
    for price in sorted(one.prices, key=lambda row: ("resolution" not in row, "audio" not in row)):
        first.setdefault(_thing(price), {**price, **about})
    return list(first.values())


class Difference(NamedTuple):
    """One thing that the registry and a list say otherwise; None for what one of them lacks."""

    id: str  # at the gateway
    what: str  # a fact, named as in Model, or "price ..."
    known: Any
    there: Any


def differences(models: Sequence[Model], catalog: Catalog) -> list[Difference]:
    """How a list differs from the registry, in what the list states."""
    gone, rows = _gone(models, catalog), _by_id(catalog)
    found = []
    for model in models:
        here, status = model.ids.get(catalog.gateway, ""), model.status_at(catalog.gateway)
        if here in gone:
            found.append(Difference(here, "status", status, "gone"))
        elif here in rows and status != "live":
            found.append(Difference(here, "status", status, "live"))
        if here in rows and rows[here].kind == model.kind:
            known = model.there(catalog.gateway)
            for fact, value in _facts_of(known, rows[here]).items():
                found.append(Difference(here, fact, getattr(known, fact), value))
            found += _of_prices(model, catalog, rows[here])
    return found


def _of_prices(model: Model, catalog: Catalog, one: Listed) -> list[Difference]:
    name = catalog.gateway
    usable = [price for price in model.prices if price.get("gateway") in (None, name)]
    usable.sort(key=lambda price: "gateway" not in price)  # as a price is chosen: its own first
    found = []
    for price in prices_of(one, catalog):
        resolution, audio, _ = _thing(price)
        before = next(
            (
                row
                for row in usable
                if row.get("resolution") in (None, resolution) and row.get("audio") in (None, audio)
            ),
            None,
        )
        known = _amounts(before) if before else None
        if known != _amounts(price):
            what = " ".join(filter(None, ("price", resolution, _SOUND.get(audio))))
            found.append(Difference(one.id, what, known, _amounts(price)))
    return found


def _by_id(catalog: Catalog) -> dict[str, Listed]:
    return {one.id: one for one in catalog.models}


def _gone(models: Sequence[Model], catalog: Catalog) -> set[str]:
    """The ids of models that the list lacks; none of a kind of which it lacks most."""
    listed, gateway = _by_id(catalog), catalog.gateway
    gone: set[str] = set()
    for kind in ("llm", "image", "video"):
        live = [
            model.ids[gateway]
            for model in models
            if model.kind == kind and gateway in model.ids and model.status_at(gateway) == "live"
        ]
        lacking = [one for one in live if one not in listed]
        if len(lacking) <= MOST_GONE * len(live):
            gone.update(lacking)
    return gone


def _laid_over(model: Model, catalog: Catalog, rows: Mapping[str, Listed], gone: set[str]) -> Model:
    name = catalog.gateway
    here = model.ids.get(name, "")
    if here in gone:
        facts = {"status": "off", "missing_from": f"{catalog.source} of {catalog.as_of}"}
    elif here in rows:
        facts = {"status": "live"}
        # A list may name a model for pictures as one for texts, with the price of those.
        if rows[here].kind == model.kind:
            facts |= _facts_of(model.there(name), rows[here])
            model = model._replace(prices=_prices(model, catalog, rows[here]))
    else:
        return model
    return model._replace(differs={**model.differs, name: {**model.differs[name], **facts}})


def _facts_of(known: Model, one: Listed) -> dict[str, Any]:
    """What the list says otherwise."""
    facts = dict(one.facts)
    if known.audio == "always" and facts.get("audio") == "switch":
        del facts["audio"]  # it says that there is sound; that it cannot be left out is known here
    return {fact: value for fact, value in facts.items() if value != getattr(known, fact)}


def _prices(model: Model, catalog: Catalog, one: Listed) -> tuple[dict[str, Any], ...]:
    """The list's prices first; of the registry's those for what it does not price."""
    new = prices_of(one, catalog)
    priced = {_thing(price) for price in new}
    rest = [
        price
        for price in model.prices
        if not (price.get("gateway") == catalog.gateway and _thing(price) in priced)
    ]
    return (*new, *rest)


def _thing(price: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """What a price is of."""
    return price.get("resolution"), price.get("audio"), price.get("size")


def _amounts(price: Mapping[str, Any]) -> tuple[float, ...]:
    """In USD: of a unit, or of a million tokens in and out."""
    return tuple(price[name] for name in ("input", "output", "usd") if name in price)
