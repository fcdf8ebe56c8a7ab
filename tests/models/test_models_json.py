"""models.json as it is shipped: as its schema says, and sound in itself. No amount is asserted."""

from __future__ import annotations

import copy
import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from factorized_video import aspect_ratios, models
from factorized_video.cli.model_list_text import model_list_text
from factorized_video.models import listing
from factorized_video.prompts import styles
from jsonschema import Draft202012Validator
from plans import pipeline

pytestmark = pytest.mark.usefixtures("live_registry")

FOLDER = Path(models.__file__).parent
REGISTRY: dict[str, Any] = json.loads((FOLDER / "models.json").read_text(encoding="utf-8"))
SCHEMA = json.loads((FOLDER / "models.schema.json").read_text(encoding="utf-8"))
OF_THE_TESTS: dict[str, Any] = models.document()
ROWS: list[dict[str, Any]] = REGISTRY["models"]
BY_ID = {row["id"]: row for row in ROWS}
TESTS_ROWS = {row["id"]: row for row in OF_THE_TESTS["models"]}
VIDEOS = [row for row in ROWS if row["kind"] == "video"]
GATEWAYS = list(REGISTRY["gateways"])
KINDS = ("llm", "image", "video")
SOUND = Draft202012Validator(SCHEMA)

VEO = "google/veo-3.1-generate-preview"
VEO_GA = "google/veo-3.1-generate-001"
SEEDANCE = "byteplus/dreamina-seedance-2-0"
DRAWER = "google/gemini-3-pro-image-preview"
SONNET = "anthropic/claude-sonnet-4.6"
WAN = "alibaba/wan-v2.6-i2v"


def ids_of(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


# -- the schema -----------------------------------------------------------------------------------


@pytest.mark.parametrize("registry", [REGISTRY, OF_THE_TESTS], ids=["shipped", "of the tests"])
def test_a_registry_is_as_its_schema_says(registry: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert [f"{error.json_path}: {error.message}" for error in SOUND.iter_errors(registry)] == []


GONE = object()  # the key is left out


@pytest.mark.parametrize(
    ("model", "path", "value"),
    [
        # What every row has.
        (SONNET, ["id"], GONE),
        (SONNET, ["id"], ""),
        (SONNET, ["id"], "with a space"),
        (SONNET, ["id"], "naïve"),
        (SONNET, ["id"], "x" * 201),
        (SONNET, ["kind"], "audio"),
        (SONNET, ["kind"], "video"),  # a video row says more
        (SONNET, ["kind"], "image"),
        (SONNET, ["best_for"], ""),
        (SONNET, ["best_for"], GONE),
        (SONNET, ["status"], "retired"),
        (SONNET, ["status"], None),
        (SONNET, ["source"], ""),
        (SONNET, ["source"], GONE),
        (SONNET, ["as_of"], GONE),
        (SONNET, ["as_of"], None),
        (SONNET, ["as_of"], "22 Nov 2026"),
        (SONNET, ["as_of"], "2026-11-22T00:00:00"),
        (SONNET, ["as_of"], "1926-11-22"),
        (SONNET, ["as_of"], "2026-41-22"),
        (SONNET, ["aliases"], GONE),
        (SONNET, ["aliases"], None),
        (SONNET, ["aliases"], ["twice", "twice"]),
        (SONNET, ["aliases"], ["with a space"]),
        (SONNET, ["gateways"], ["happycapy"]),
        (SONNET, ["gateways", "happycapy"], SONNET),
        (SONNET, ["gateways", "happycapy", "id"], GONE),
        (SONNET, ["gateways", "happycapy", "status"], "maybe"),
        (SONNET, ["gateways", "happycapy", "price"], 1),
        (SONNET, ["typical_s"], 0),
        (SONNET, ["typical_s"], "90 s"),
        (SONNET, ["typical"], 90),  # a slip of the pen is no new fact
        (SONNET, ["sees_images"], GONE),
        (SONNET, ["sees_images"], "yes"),
        # A model that is gone says since when, by whom, and what instead.
        (SONNET, ["status"], "off"),
        (SONNET, ["status"], "upstream-retired"),
        (VEO, ["shutdown"], None),
        (VEO, ["replacement"], None),
        (VEO, ["replacement"], GONE),
        (VEO, ["shutdown", "by"], GONE),
        (VEO, ["shutdown", "by"], ""),
        (VEO, ["shutdown", "date"], "soon"),
        (VEO, ["shutdown", "why"], "age"),
        # Prices.
        (VEO, ["prices"], GONE),
        (VEO, ["prices"], None),
        (VEO, ["prices", 0, "as_of"], GONE),
        (VEO, ["prices", 0, "as_of"], "today"),
        (VEO, ["prices", 0, "source"], GONE),
        (VEO, ["prices", 0, "source"], ""),
        (VEO, ["prices", 0, "unit"], GONE),
        (VEO, ["prices", 0, "unit"], "minute"),
        (VEO, ["prices", 0, "usd"], GONE),
        (VEO, ["prices", 0, "usd"], -0.4),
        (VEO, ["prices", 0, "usd"], "0.40"),
        (VEO, ["prices", 0, "eur"], 0.4),
        (VEO, ["prices", 0, "resolution"], "HD"),
        (VEO, ["prices", 0, "audio"], "yes"),
        (SONNET, ["prices", 0, "input"], GONE),
        (SONNET, ["prices", 0, "output"], GONE),
        (SONNET, ["prices", 0, "output"], -1),
        # Text.
        (SEEDANCE, ["prompt"], 4000),
        (SEEDANCE, ["prompt", "characters"], 0),
        (SEEDANCE, ["prompt", "characters"], None),
        (SEEDANCE, ["prompt", "over"], GONE),
        (SEEDANCE, ["prompt", "over"], "cut"),
        # Pictures.
        (DRAWER, ["ratios"], GONE),
        (DRAWER, ["ratios"], []),
        (DRAWER, ["ratios"], ["16:9", "16:9"]),
        (DRAWER, ["ratios"], ["16x9"]),
        (DRAWER, ["ratios"], ["0:9"]),
        (DRAWER, ["ratios"], ["adaptive"]),
        (DRAWER, ["sizes"], GONE),
        (DRAWER, ["sizes"], []),
        (DRAWER, ["references"], -1),
        (DRAWER, ["references"], 1.5),
        (DRAWER, ["edits"], "yes"),
        (DRAWER, ["edits"], GONE),
        (DRAWER, ["prices", 0, "per_picture"], 0),
        (DRAWER, ["prices", 0, "per_picture"], "0.008"),
        (SONNET, ["prices", 0, "per_picture"], 0.01),
        # Videos.
        (VEO, ["durations"], GONE),
        (VEO, ["durations"], []),
        (VEO, ["durations"], [4, 4]),
        (VEO, ["durations"], [0, 4]),
        (VEO, ["durations"], [4.5]),
        (VEO, ["durations"], "4-8"),
        (VEO, ["durations"], {"from": 4}),
        (VEO, ["durations"], {"from": 0, "to": 4}),
        (VEO, ["durations"], {"from": 4, "to": 8, "step": 2}),
        (VEO, ["duration_locks"], GONE),
        (VEO, ["duration_locks"], None),
        (VEO, ["duration_locks", 0, "durations"], GONE),
        (VEO, ["duration_locks", 0, "when"], {}),
        (VEO, ["duration_locks", 0, "when"], {"fps": [25]}),
        (VEO, ["duration_locks", 0, "when", "resolution"], "1080p"),
        (VEO, ["duration_locks", 1, "when", "references"], False),
        (VEO, ["ratio_mode"], GONE),
        (VEO, ["ratio_mode"], "ignored"),
        (VEO, ["resolutions"], []),
        (VEO, ["resolutions"], ["1280x720"]),
        (VEO, ["resolutions"], ["720P"]),
        (VEO, ["text_to_video"], GONE),
        (VEO, ["text_to_video"], "yes"),
        (VEO, ["text_sibling"], GONE),
        (VEO, ["text_sibling"], ""),
        (VEO, ["text_sibling"], VEO_GA),  # it needs none: it does it itself
        (WAN, ["text_to_video"], None),  # then nobody can say that another one is needed
        (WAN, ["gateways", "openrouter", "text_to_video"], "yes"),
        (VEO, ["first_frame"], GONE),
        (VEO, ["first_frame"], 1),
        (VEO, ["last_frame"], "pro only"),
        (VEO, ["audio"], True),
        (VEO, ["audio"], "sometimes"),
        (VEO, ["seed"], GONE),
        (VEO, ["image"], GONE),
        (VEO, ["image"], {"bytes": 10}),
        (VEO, ["gateways", "happycapy", "resolutions"], []),
        (VEO, ["gateways", "happycapy", "resolutions"], None),
        (VEO, ["gateways", "happycapy", "resolutions"], ["720P"]),
        ("bytedance/seedance-2.5", ["image", "side_min"], -1),
        ("bytedance/seedance-2.5", ["image", "side_min"], GONE),
        ("bytedance/seedance-2.5", ["image", "ratio_max"], "2.5"),
        ("bytedance/seedance-2.5", ["image", "dpi"], 72),
        ("alibaba/wan-v3.0-video", ["image", "formats"], []),
        ("alibaba/wan-v3.0-video", ["image", "formats"], ["BMP"]),
    ],
)
def test_the_schema_rejects_a_broken_row(model: str, path: list[Any], value: object) -> None:
    row = copy.deepcopy(TESTS_ROWS[model])
    assert SOUND.is_valid({**OF_THE_TESTS, "models": [row]})
    place = row
    for key in path[:-1]:
        place = place[key]
    if value is GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    assert not SOUND.is_valid({**OF_THE_TESTS, "models": [row]})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["as_of"], GONE),
        (["as_of"], "2026"),
        (["about"], GONE),
        (["models"], GONE),
        (["models"], {}),
        (["gateways"], {}),
        (["version"], 1),
        (["gateways", "happycapy", "defaults"], GONE),
        (["gateways", "happycapy", "defaults", "video"], GONE),
        (["gateways", "openai", "defaults"], {"video": [VEO]}),  # all three, or none
        (["gateways", "happycapy", "defaults", "audio"], [VEO]),
        (["gateways", "happycapy", "defaults", "video"], []),
        (["gateways", "happycapy", "any_model"], GONE),
        (["gateways", "happycapy", "resolutions"], []),
        (["gateways", "happycapy", "resolutions"], "720p"),
        (["gateways", "happycapy", "audio_switch"], None),
        (["gateways", "happycapy", "seed"], GONE),
        (["gateways", "happycapy", "seed"], "no"),
        (["gateways", "happycapy", "last_frame"], GONE),
        (["gateways", "happycapy", "cancel"], GONE),
        (["gateways", "happycapy", "cancel"], 0),
        (["gateways", "happycapy", "reports_cost"], GONE),
        (["gateways", "happycapy", "reports_cost"], "never"),
        (["gateways", "happycapy", "source"], ""),
        (["gateways", "happycapy", "url"], "https://example.org"),
    ],
)
def test_the_schema_rejects_a_broken_frame(path: list[str], value: object) -> None:
    broken = copy.deepcopy(OF_THE_TESTS)
    place = broken
    for key in path[:-1]:
        place = place[key]
    if value is GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    assert not SOUND.is_valid(broken)


# -- what a schema cannot say ---------------------------------------------------------------------


def test_every_id_alias_and_gateway_id_names_one_model_only() -> None:
    owners: dict[str, set[str]] = {}
    for row in ROWS:
        theirs = [entry["id"] for entry in row["gateways"].values()]
        for name in (row["id"], *row["aliases"], *theirs):
            owners.setdefault(name, set()).add(row["id"])
    assert {name: models for name, models in owners.items() if len(models) > 1} == {}
    assert len(BY_ID) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=ids_of(ROWS))
def test_an_alias_is_not_the_id_over_again(row: dict[str, Any]) -> None:
    assert row["id"] not in row["aliases"]


REPLACED = [row for row in ROWS if row["replacement"]]


@pytest.mark.parametrize("row", REPLACED, ids=ids_of(REPLACED))
def test_a_replacement_is_listed_of_the_same_kind_and_alive(row: dict[str, Any]) -> None:
    instead = BY_ID[row["replacement"]]
    assert instead["kind"] == row["kind"]
    assert instead["status"] == "live"  # advice to take what is gone too would be none
    assert row["status"] != "live"


SIBLINGS = [row for row in VIDEOS if row["text_sibling"]]


@pytest.mark.parametrize("row", SIBLINGS, ids=ids_of(SIBLINGS))
def test_a_sibling_is_a_video_model_that_works_from_the_prompt_alone(row: dict[str, Any]) -> None:
    sibling = BY_ID[row["text_sibling"]]
    assert (sibling["kind"], sibling["text_to_video"], sibling["status"]) == ("video", True, "live")
    assert sibling["id"] != row["id"]
    # Where the one is image-only, the other is there to take its place.
    only = {at for at, entry in row["gateways"].items() if not entry.get("text_to_video")}
    assert only <= sibling["gateways"].keys()


@pytest.mark.parametrize("row", VIDEOS, ids=ids_of(VIDEOS))
def test_a_video_model_begins_with_a_picture_or_with_the_prompt(row: dict[str, Any]) -> None:
    assert row["first_frame"] is not False or row["text_to_video"] is True
    if row["first_frame"] is False:
        assert row["last_frame"] is False
    for entry in row["gateways"].values():
        # What is said of a gateway is said because it is otherwise there.
        assert entry.get("text_to_video", "as the row") != row["text_to_video"]


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_every_default_makes_a_clip_from_the_prompt_alone(gateway: str) -> None:
    if gateway != "openai":
        assert models.pick("video", None, gateway).text_to_video is True


def dates_in(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inside in value.items():
            if key in ("as_of", "date"):
                yield inside
            else:
                yield from dates_in(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from dates_in(inside)


@pytest.mark.parametrize("row", ROWS, ids=ids_of(ROWS))
def test_every_date_is_one_of_the_calendar_and_not_after_the_registrys(row: dict[str, Any]) -> None:
    dates = list(dates_in(row))
    assert len(dates) == 1 + len(row["prices"]) + bool(row["shutdown"])
    for date in dates:
        assert datetime.date.fromisoformat(date).isoformat() == date
        assert date <= REGISTRY["as_of"]


def test_the_registry_itself_is_dated_and_not_from_the_future() -> None:
    as_of = REGISTRY["as_of"]
    assert datetime.date.fromisoformat(as_of).isoformat() == as_of
    assert as_of >= max(date for row in ROWS for date in dates_in(row))


PRICES = [(row, price) for row in ROWS for price in row["prices"]]


@pytest.mark.parametrize(
    ("row", "price"), PRICES, ids=[f"{row['id']}-{models.shown_price(p)}" for row, p in PRICES]
)
def test_every_price_has_a_date_a_source_and_a_unit_of_its_kind(
    row: dict[str, Any], price: dict[str, Any]
) -> None:
    assert price["as_of"]
    assert price["source"].strip()
    assert (
        price["unit"]
        in {"llm": ("1M tokens", "call"), "image": ("image", "call"), "video": ("second", "call")}[
            row["kind"]
        ]
    )
    # A price of zero is the demo's, else it is a fact that nobody knew.
    amounts = [price[name] for name in ("usd", "input", "output") if name in price]
    assert all(amounts) or price.get("gateway") == "demo"
    there = row["gateways"].get(price.get("gateway"), {})
    made = there.get("resolutions") or row.get("resolutions")  # at a gateway they may be others
    if "resolution" in price and made:
        assert price["resolution"] in made
    if "gateway" in price:
        assert there  # a gateway's own price is of a model that it serves
    if "audio" in price:
        assert row["audio"] == "switch" or price["audio"] is (row["audio"] == "always")
    if "size" in price and row["sizes"]:
        assert price["size"] in row["sizes"]


@pytest.mark.parametrize("row", ROWS, ids=ids_of(ROWS))
def test_no_two_prices_are_of_the_same_thing(row: dict[str, Any]) -> None:
    things = [
        tuple(
            price.get(name) for name in ("unit", "gateway", "size", "resolution", "audio", "from")
        )
        for price in row["prices"]
    ]
    assert len(set(things)) == len(things)


def seconds_of(durations: Any) -> list[int]:
    if isinstance(durations, dict):
        return list(range(durations["from"], durations["to"] + 1))
    return list(durations)


@pytest.mark.parametrize("row", VIDEOS, ids=ids_of(VIDEOS))
def test_ranges_ascend_and_locks_lie_within_them(row: dict[str, Any]) -> None:
    durations = row["durations"]
    if isinstance(durations, dict):
        assert durations["from"] < durations["to"]
    elif durations is not None:
        assert durations == sorted(set(durations))
    for lock in row["duration_locks"]:
        locked = seconds_of(lock["durations"])
        assert locked == sorted(set(locked))
        assert locked
        assert set(locked) < set(seconds_of(durations))  # else it locks nothing
        if row["resolutions"]:
            assert set(lock["when"].get("resolution", ())) <= set(row["resolutions"])
    at_gateways = [entry.get("resolutions") for entry in row["gateways"].values()]
    for resolutions in (row["resolutions"], *at_gateways):
        sides = [aspect_ratios.short_side(resolution) for resolution in resolutions or ()]
        assert sides == sorted(set(sides))
    for name, entry in row["gateways"].items():
        sayable = REGISTRY["gateways"][name]["resolutions"]
        assert not (sayable and "resolutions" in entry) or set(entry["resolutions"]) <= set(sayable)
    if image := row["image"]:
        assert (image["side_min"] or 0) < (image["side_max"] or 1)
        assert (image["ratio_min"] or 0) < (image["ratio_max"] or 1)


@pytest.mark.parametrize("row", VIDEOS, ids=ids_of(VIDEOS))
def test_a_model_that_goes_by_the_picture_lists_no_ratios(row: dict[str, Any]) -> None:
    if row["ratio_mode"] in ("adaptive", "follows-image"):
        assert row["ratios"] is None


# -- defaults, and what the issue demands ---------------------------------------------------------


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_default_is_listed_of_its_kind_and_not_off(gateway: str, kind: str) -> None:
    model = models.pick(kind, None, gateway)
    if gateway == "openai":  # a server of one's own serves what it serves: its list is asked for
        assert dict(models.gateway(gateway).defaults) == {}
        assert (model.id, model.listed, model.prices) == (models.THE_ONLY_ONE, False, ())
        return
    row = BY_ID[models.gateway(gateway).defaults[kind]]
    assert row["kind"] == kind
    assert (model.id, model.listed) == (row["gateways"][gateway]["id"], True)
    assert model.status != "off"
    # A plan without given models has a price.
    asked: dict[str, Any] = {"seconds": 6, "resolution": "720p"} if kind == "video" else {}
    assert models.price(model, gateway, **asked).amount is not None


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        # The table of the original skill.
        ("google/gemini-3-pro-image-preview", "image"),
        ("google/gemini-2.5-flash-image", "image"),
        ("byteplus/seedream-4-5", "image"),
        ("google/veo-3.1-generate-preview", "video"),
        ("google/veo-3.1-fast-generate-preview", "video"),
        ("openai/sora-2-pro", "video"),
        # What its generate-image and generate-video skills knew besides.
        ("openai/sora-2", "video"),
        ("byteplus/seedance-1-0-pro", "video"),
    ],
)
def test_every_model_of_the_original_skill_is_listed_at_happycapy(model: str, kind: str) -> None:
    assert BY_ID[model]["kind"] == kind
    assert BY_ID[model]["gateways"]["happycapy"]["id"] == model


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("ratio", ["16:9", "9:16"])
@pytest.mark.parametrize("style", list(styles.STYLES))
def test_the_default_models_support_what_the_original_skill_offers(
    gateway: str, ratio: str, style: str
) -> None:
    settings: dict[str, Any] = {"duration": 6, "aspect_ratio": ratio, "resolution": "720p"}
    planned = pipeline(gateway=gateway, style=style, enhance=True, **settings)
    sent = planned.call("synthesis").settings
    assert (sent["duration_s"], sent["aspect_ratio"], sent["resolution"]) == (6, ratio, "720p")
    assert planned.call("composition").settings == {"aspect_ratio": ratio, "style": style}


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_the_list_of_each_gateway_fits_a_terminal_and_an_agent(gateway: str) -> None:
    rows = listing.short_rows(None, gateway, "2026-11-27")
    assert len(json.dumps(rows, indent=2)) < 24_500  # with the rest of the document under 25,000
    shown = model_list_text({"gateway": gateway, "models": rows}).splitlines()
    assert max(map(len, shown)) <= 80
