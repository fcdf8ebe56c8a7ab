"""What is taken from a list of any origin, and what comes of it laid over the registry."""

from __future__ import annotations

from typing import Any

import pytest
from factorized_video import models
from factorized_video.models import catalog, overlay
from factorized_video.models.catalog import Catalog, Listed

SECOND = {"unit": "second", "usd": 0.3}
VEO = "google/veo-3.1"


def document(**row: object) -> dict[str, Any]:
    return {
        "gateway": "openrouter",
        "as_of": "2026-11-27",
        "source": "a list",
        "models": [{"id": VEO, "kind": "video"} | row],
    }


def read(**row: object) -> Listed:
    found = catalog.from_json(document(**row))
    assert found
    return found.models[0]


@pytest.mark.parametrize(
    ("price", "kept"),
    [
        (SECOND, [SECOND]),
        ({**SECOND, "resolution": "720p", "audio": False}, None),
        ({"unit": "1M tokens", "input": 3, "output": 15}, None),
        ({"unit": "image", "usd": 0.04, "size": "1K"}, [{"unit": "image", "usd": 0.04}]),
        # Zero would let any cap hold; too much is another unit; the rest is no price.
        ({**SECOND, "usd": 0}, []),
        ({**SECOND, "usd": -1}, []),
        ({**SECOND, "usd": float("nan")}, []),
        ({**SECOND, "usd": 51}, []),
        ({**SECOND, "usd": True}, []),
        ({**SECOND, "usd": "0.3"}, []),
        ({**SECOND, "unit": "call"}, []),
        ({**SECOND, "resolution": "1280x720"}, []),
        ({**SECOND, "resolution": 720}, []),
        ({**SECOND, "audio": "yes"}, []),
        ({"unit": "1M tokens", "input": 3}, []),
        ("0.3", []),
    ],
)
def test_prices(price: object, kept: list[object] | None) -> None:
    assert list(read(prices=[price]).prices) == ([price] if kept is None else kept)


@pytest.mark.parametrize(
    ("fact", "value", "kept"),
    [
        ("durations", [8, 4, 4, 6], (4, 6, 8)),
        ("durations", [0, -1, 700, 5.5, True, "6"], None),
        ("durations", {"from": 4}, None),
        ("ratios", ["16:9", "wide", "999:1", 7], ("16:9",)),
        ("resolutions", ["720p", "4k", "auto", None], ("720p", "4k")),
        ("seed", False, False),
        ("seed", 0, None),
        ("last_frame", "yes", None),
        ("audio", "switch", "switch"),
        ("audio", "loud", None),
        ("status", "off", None),
    ],
)
def test_facts(fact: str, value: object, kept: object) -> None:
    assert read(facts={fact: value}).facts == ({} if kept is None else {fact: kept})


@pytest.mark.parametrize(
    "change",
    [
        {"models": []},
        {"models": "all"},
        {"models": [{"id": "has a space"}, {"id": "x" * 201}, 7]},
        {"as_of": "today"},
        {"as_of": None},
        {"source": ""},
        {"gateway": 7},
    ],
)
def test_what_is_no_catalog(change: dict[str, object]) -> None:
    assert catalog.from_json(document() | change) is None


@pytest.mark.parametrize("document", [None, [], "list", 7, {}])
def test_what_is_not_even_a_document(document: object) -> None:
    assert catalog.from_json(document) is None


def test_a_catalog_is_kept_and_handed_on_as_it_is() -> None:
    found = catalog.from_json(document(facts={"durations": [4, 8]}, prices=[SECOND]))
    assert found and catalog.from_json(found.as_json()) == found


# -- over the registry ----------------------------------------------------------------------------


def catalog_of(*listed: Listed, without: str = "") -> Catalog:
    """A list of what the registry knows at OpenRouter, but for these."""
    named = {one.id for one in listed} | {without}
    rest = [
        Listed(model.ids["openrouter"], None, {})
        for model in models.in_file()
        if "openrouter" in model.ids and model.ids["openrouter"] not in named
    ]
    return Catalog("openrouter", "2026-11-27", "a list", (*listed, *rest))


def veo(listed: Catalog) -> models.Model:
    (model,) = (
        one
        for one in overlay.laid_over(models.in_file(), listed)
        if one.ids.get("openrouter") == VEO
    )
    return model


def test_the_more_special_price_goes_first_and_the_registrys_stand_where_the_list_is_silent() -> (
    None
):
    silent = {"unit": "second", "usd": 0.1, "resolution": "720p", "audio": False}
    model = veo(catalog_of(Listed(VEO, "video", {}, (SECOND, silent))))
    at_720p = models.price(model, "openrouter", seconds=1, resolution="720p", audio=False)
    assert (at_720p.amount, at_720p.as_of, at_720p.source) == (0.1, "2026-11-27", "a list")
    assert models.price(model, "openrouter", seconds=1, resolution="1080p").amount == 0.3
    elsewhere = models.price(model, "vercel", seconds=1, resolution="720p")
    assert elsewhere.source != "a list"


def test_the_price_of_a_model_listed_as_one_of_another_kind_is_not_taken() -> None:
    tokens = {"unit": "1M tokens", "input": 3, "output": 15}
    model = veo(catalog_of(Listed(VEO, "llm", {"durations": (3,)}, (tokens,))))
    assert tokens not in model.prices
    assert model.there("openrouter").durations != (3,)


def test_a_switch_does_not_undo_that_sound_cannot_be_left_out() -> None:
    (always,) = (
        model._replace(differs={"openrouter": {"audio": "always"}})
        for model in models.in_file()
        if model.ids.get("openrouter") == VEO
    )
    listed = catalog_of(Listed(VEO, "video", {"audio": "switch"}))
    (over,) = overlay.laid_over([always], listed)
    assert over.there("openrouter").audio == "always"


def test_what_differs_is_told_with_both_values() -> None:
    listed = catalog_of(
        Listed(
            VEO, "video", {"durations": (4, 8)}, ({**SECOND, "resolution": "720p", "audio": True},)
        ),
        without="google/veo-3.1-fast",
    )
    found = overlay.differences(models.in_file(), listed)
    assert (VEO, "durations", (4, 6, 8), (4, 8)) in found
    assert (VEO, "price 720p with sound", (0.4,), (0.3,)) in found
    assert ("google/veo-3.1-fast", "status", "live", "gone") in found
    assert overlay.differences(models.in_file(), catalog_of()) == [
        one for one in found if one.there == "live"
    ]
