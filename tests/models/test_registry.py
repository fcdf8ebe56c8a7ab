"""models.json: sound in itself, and read, matched and priced as it says."""

from __future__ import annotations

import copy
import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from factorized_video import aspect_ratios, models, money
from factorized_video.errors import UsageError
from factorized_video.models import Model, limits
from factorized_video.money import Cost
from factorized_video.prompts import styles
from factorized_video.stages.calls import Plan
from jsonschema import Draft202012Validator
from plans import pipeline

REGISTRY = models.registry()
ROWS: list[dict[str, Any]] = REGISTRY["models"]
BY_ID = {row["id"]: row for row in ROWS}
VIDEOS = [row for row in ROWS if row["kind"] == "video"]
GATEWAYS = list(REGISTRY["gateways"])
KINDS = ("llm", "image", "video")
SCHEMA = json.loads(
    Path(models.__file__).with_name("models.schema.json").read_text(encoding="utf-8")
)
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


def test_the_registry_is_as_its_schema_says() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert [f"{error.json_path}: {error.message}" for error in SOUND.iter_errors(REGISTRY)] == []


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
        (VEO, ["prices", 0, "per_picture"], 0.01),  # only of an image
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
    row = copy.deepcopy(BY_ID[model])
    assert SOUND.is_valid({**REGISTRY, "models": [row]})
    place = row
    for key in path[:-1]:
        place = place[key]
    if value is GONE:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    assert not SOUND.is_valid({**REGISTRY, "models": [row]})


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
        (["gateways", "openai", "defaults"], {"video": VEO}),  # all three, or none
        (["gateways", "happycapy", "defaults", "audio"], VEO),
        (["gateways", "happycapy", "any_model"], GONE),
        (["gateways", "happycapy", "resolutions"], []),
        (["gateways", "happycapy", "resolutions"], "720p"),
        (["gateways", "happycapy", "audio_switch"], None),
        (["gateways", "happycapy", "seed"], GONE),
        (["gateways", "happycapy", "seed"], "no"),
        (["gateways", "happycapy", "last_frame"], GONE),
        (["gateways", "happycapy", "cancel"], GONE),
        (["gateways", "happycapy", "cancel"], 0),
        (["gateways", "happycapy", "tells_cost"], GONE),
        (["gateways", "happycapy", "tells_cost"], "never"),
        (["gateways", "happycapy", "source"], ""),
        (["gateways", "happycapy", "url"], "https://example.org"),
    ],
)
def test_the_schema_rejects_a_broken_frame(path: list[str], value: object) -> None:
    broken = copy.deepcopy(REGISTRY)
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
        tuple(price.get(name) for name in ("unit", "gateway", "size", "resolution", "audio"))
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
    # A plan without typed models has a price.
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


def whole(gateway: str, style: str = "anime", **typed: Any) -> Plan:
    given: dict[str, Any] = {"duration": 6, "aspect_ratio": "16:9", "resolution": "720p", **typed}
    return pipeline(gateway=gateway, style=style, enhance=True, **given)


@pytest.mark.parametrize("gateway", GATEWAYS)
@pytest.mark.parametrize("ratio", ["16:9", "9:16"])
@pytest.mark.parametrize("style", list(styles.STYLES))
def test_what_the_original_skill_offers_is_legal_for_the_default_models(
    gateway: str, ratio: str, style: str
) -> None:
    planned = whole(gateway, style, aspect_ratio=ratio)
    sent = planned.call("synthesis").settings
    assert (sent["duration_s"], sent["aspect_ratio"], sent["resolution"]) == (6, ratio, "720p")
    assert planned.call("composition").settings == {"aspect_ratio": ratio, "style": style}


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"aspect_ratio": "1:1"}, "takes the aspect ratios 16:9 and 9:16, not 1:1"),
        ({"resolution": "1080p"}, "makes clips of 8 seconds at 1080p, not 6"),
        ({"duration": 10}, "makes clips of 4, 6 and 8 seconds, not 10"),
    ],
)
def test_veo_refuses_what_it_does_not_make(typed: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        whole("happycapy", **typed)
    assert caught.value.message.startswith(VEO)
    assert message in caught.value.message


def test_veo_makes_8_s_at_1080p() -> None:
    assert whole("happycapy", duration=8, resolution="1080p").call("synthesis").cost.amount == 3.2


# -- which model ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "typed", "gateway", "sent", "best_for_of"),
    [
        ("video", None, "happycapy", VEO, VEO),
        ("video", "", "happycapy", VEO, VEO),
        ("video", None, "demo", "demo/push-in", "demo/push-in"),
        ("llm", None, "happycapy", SONNET, SONNET),
        ("image", DRAWER, "happycapy", DRAWER, DRAWER),
        # An alias, the vendor's own id, another gateway's id: as this gateway calls it.
        ("video", "veo-3.1-generate-preview", "happycapy", VEO, VEO),
        ("llm", "claude-sonnet-4-6", "happycapy", SONNET, SONNET),
        ("video", "dreamina-seedance-2-0-260128", "happycapy", SEEDANCE, SEEDANCE),
        ("video", "bytedance/seedance-2.0", "happycapy", SEEDANCE, SEEDANCE),
        (
            "image",
            "bytedance/seedream-4.5",
            "happycapy",
            "byteplus/seedream-4-5",
            "byteplus/seedream-4-5",
        ),
        ("video", SEEDANCE, "vercel", "bytedance/seedance-2.0", SEEDANCE),
        ("video", None, "openrouter", "google/veo-3.1", VEO_GA),
        ("video", "google/veo-3.1", "vercel", VEO_GA, VEO_GA),
        ("llm", "spacexai/grok-4.3", "openrouter", "x-ai/grok-4.3", "spacexai/grok-4.3"),
        ("video", VEO_GA, "openai", VEO_GA, VEO_GA),
        # Where it is not known what the gateway calls it: as it was typed.
        (
            "video",
            "bytedance/seedance-2.5",
            "happycapy",
            "bytedance/seedance-2.5",
            "bytedance/seedance-2.5",
        ),
        ("video", "wan-v2.7", "happycapy", "wan-v2.7", "alibaba/wan-v2.7-i2v"),
        ("video", "sora-2", "demo", "sora-2", "openai/sora-2"),
    ],
)
def test_a_model_is_known_by_any_of_its_names_and_sent_by_the_gateways(
    kind: str, typed: str | None, gateway: str, sent: str, best_for_of: str
) -> None:
    model = models.pick(kind, typed, gateway)
    assert (model.id, model.kind, model.listed) == (sent, kind, True)
    assert model.best_for == BY_ID[best_for_of]["best_for"]
    assert model.prices == tuple(BY_ID[best_for_of]["prices"])


@pytest.mark.parametrize("typed", ["made-up/model", "VEO-3.1-generate-preview", VEO + " "])
def test_another_name_is_taken_as_it_is_and_nothing_is_known_of_it(typed: str) -> None:
    model = models.pick("video", typed, "happycapy")
    assert model == Model(typed, "video", listed=False)
    assert (model.durations, model.ratios, model.resolutions, model.prices) == (
        None,
        None,
        None,
        (),
    )


@pytest.mark.parametrize(
    "typed", ["bytedance/\u2603", "bytedance/\u00e9", "a/b\n", "a\x00b", "\ud83d"]
)
def test_what_no_id_can_hold_is_refused_before_it_is_sent(typed: str) -> None:
    for gateway in models.registry()["gateways"]:
        with pytest.raises(UsageError, match="not the id of a model"):
            models.pick("image", typed, gateway)


@pytest.mark.parametrize(
    ("kind", "typed", "words"),
    [
        ("image", VEO, "is a model for video, not for images"),
        ("video", DRAWER, "is a model for images, not for video"),
        ("llm", "veo-3.1-generate-preview", "is a model for video, not for text"),
        ("video", "claude-sonnet-4-6", "is a model for text, not for video"),
        ("image", "demo/push-in", "is a model for video, not for images"),
    ],
)
def test_a_model_of_another_kind_is_refused_with_those_of_the_right_one(
    kind: str, typed: str, words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        models.pick(kind, typed, "happycapy")
    assert caught.value.message == f"{typed} {words}."
    named = caught.value.hint.partition(": ")[2].rstrip(".").split(", ")
    assert named == models.at(kind, "happycapy")
    assert {BY_ID[name]["kind"] for name in named} == {kind}


@pytest.mark.parametrize(
    ("kind", "gateway", "some", "never"),
    [
        ("video", "happycapy", [VEO, SEEDANCE], ["openai/sora-2", "openai/sora-2-pro", VEO_GA]),
        ("video", "demo", ["demo/push-in"], [VEO]),
        ("video", "vercel", [VEO_GA, "bytedance/seedance-2.0"], [VEO, SEEDANCE]),
        ("video", "openrouter", ["google/veo-3.1", "bytedance/seedance-2.0"], [VEO_GA, SEEDANCE]),
        ("image", "openrouter", ["bytedance-seed/seedream-4.5"], ["byteplus/seedream-4-5"]),
        ("image", "happycapy", [DRAWER], ["google/gemini-3-pro-image"]),
        ("llm", "happycapy", [SONNET], ["openai/gpt-6-luna"]),
    ],
)
def test_what_a_gateway_serves_is_told_by_its_own_ids_without_what_is_off(
    kind: str, gateway: str, some: list[str], never: list[str]
) -> None:
    served = models.at(kind, gateway)
    assert set(some) <= set(served)
    assert set(never).isdisjoint(served)


def test_a_gateway_that_nobody_knows_serves_nothing_known() -> None:
    assert "nobody" not in REGISTRY["gateways"]
    assert [models.at(kind, "nobody") for kind in KINDS] == [[], [], []]
    gateway = models.gateway("nobody")
    assert (dict(gateway.defaults), gateway.any_model, gateway.free) == ({}, False, False)
    assert (gateway.resolutions, gateway.cannot) == (None, ())  # what is not known is not denied
    assert models.pick("video", None, "nobody").id == models.THE_ONLY_ONE
    assert models.pick("video", VEO, "nobody").id == VEO


@pytest.mark.parametrize(
    ("typed", "gateway", "resolutions"),
    [
        ("google/veo-3.1-fast-generate-001", "vercel", ("720p", "1080p")),
        ("google/veo-3.1-fast-generate-001", "openrouter", ("720p", "1080p", "4k")),
        (SEEDANCE, "happycapy", ("480p", "720p", "1080p")),
        (SEEDANCE, "openrouter", ("480p", "720p", "1080p", "4k")),
        ("minimax/minimax-h3", "vercel", ("768p", "2k")),
        ("minimax/minimax-h3", "openrouter", ("2k",)),
        ("minimax/minimax-h3", "nobody", ("768p", "2k")),
        (DRAWER, "openrouter", None),
    ],
)
def test_what_a_model_makes_may_differ_at_one_gateway(
    typed: str, gateway: str, resolutions: tuple[str, ...] | None
) -> None:
    kind = BY_ID[typed]["kind"]
    assert models.pick(kind, typed, gateway).resolutions == resolutions


@pytest.mark.parametrize(
    ("typed", "gateway", "alone", "sibling"),
    [
        (VEO_GA, "vercel", True, None),
        (VEO_GA, "nobody", True, None),
        (WAN, "vercel", False, "alibaba/wan-v2.6-t2v"),
        (WAN, "nobody", False, "alibaba/wan-v2.6-t2v"),
        (WAN, "openrouter", True, "alibaba/wan-v2.6-t2v"),
        ("alibaba/wan-2.6", "openrouter", True, "alibaba/wan-v2.6-t2v"),
        ("alibaba/wan-2.6", "vercel", False, "alibaba/wan-v2.6-t2v"),
        ("alibaba/wan-v2.6-t2v", "vercel", True, None),
        ("klingai/kling-v3.0-i2v", "vercel", False, "klingai/kling-v3.0-t2v"),
        ("kwaivgi/kling-v3.0-pro", "openrouter", True, "klingai/kling-v3.0-t2v"),
        ("spacexai/grok-imagine-video-1.5", "vercel", None, None),
        ("spacexai/grok-imagine-video-1.5", "openrouter", True, None),
        ("klingai/kling-v4.0", "vercel", None, None),
        ("made-up/model", "vercel", None, None),
    ],
)
def test_whether_the_prompt_alone_is_enough_may_differ_at_one_gateway(
    typed: str, gateway: str, alone: bool | None, sibling: str | None
) -> None:
    model = models.pick("video", typed, gateway)
    assert (model.text_to_video, model.text_sibling) == (alone, sibling)
    if sibling and alone is False:
        assert models.pick("video", sibling, gateway).text_to_video is True


@pytest.fixture
def seedance_off_at_happycapy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The data as they would be if HappyCapy alone dropped a model; no row is so by now."""
    monkeypatch.setitem(BY_ID[SEEDANCE]["gateways"]["happycapy"], "status", "off")
    models.rows.cache_clear()
    yield
    models.rows.cache_clear()


@pytest.mark.usefixtures("seedance_off_at_happycapy")
def test_a_status_may_differ_at_one_gateway() -> None:
    assert models.pick("video", SEEDANCE, "happycapy").status == "off"
    assert models.pick("video", SEEDANCE, "vercel").status == "live"
    assert models.pick("video", SEEDANCE, "demo").status == "live"
    assert SEEDANCE not in models.at("video", "happycapy")
    assert "bytedance/seedance-2.0" in models.at("video", "vercel")


@pytest.mark.parametrize(
    ("typed", "status"),
    [(VEO, "upstream-retired"), (SEEDANCE, "live"), ("openai/sora-2", "off"), ("x/y", "live")],
)
def test_elsewhere_the_status_is_that_of_the_row(typed: str, status: str) -> None:
    assert models.pick("video", typed, "happycapy").status == status


@pytest.mark.parametrize(
    ("model", "resolution", "durations"),
    [
        (VEO, "720p", (4, 6, 8)),
        (VEO, "1080p", (8,)),
        (VEO, "4k", (8,)),
        (SEEDANCE, "1080p", tuple(range(4, 16))),
        ("lightricks/ltx-2-fast", "1080p", tuple(range(6, 21))),
        ("lightricks/ltx-2-fast", "2160p", tuple(range(6, 11))),
        ("google/gemini-omni-1.2-flash", "720p", tuple(range(3, 16))),  # its lock is another
        ("byteplus/seedance-1-0-lite", "720p", None),
        ("made-up/model", "720p", None),
    ],
)
def test_the_durations_are_those_at_the_resolution(
    model: str, resolution: str, durations: tuple[int, ...] | None
) -> None:
    assert models.pick("video", model, "happycapy").durations_at(resolution) == durations


def test_unchecked_forgets_what_a_model_takes_and_keeps_what_it_is_and_costs() -> None:
    for typed in (VEO, "bytedance/seedance-2.5", "alibaba/wan-v2.7-i2v"):
        model = models.pick("video", typed, "happycapy")
        free = models.unchecked(model)
        assert free.durations_at("1080p") is None
        assert (free.ratios, free.resolutions, free.audio, free.image) == (None,) * 4
        assert (free.prompt_characters, free.first_frame, free.text_to_video) == (None,) * 3
        assert (free.id, free.status, free.prices) == (model.id, model.status, model.prices)
        assert free.ratio_mode == model.ratio_mode  # how a call is written, not what is legal


ALL_THAT_MAY_LACK = (
    "cancel a job",
    "take a seed",
    "take a last frame",
    "switch sound off",
    "tell what a clip has cost",
)


@pytest.mark.parametrize(
    ("name", "any_model", "resolutions", "has"),
    [
        ("happycapy", False, ("720p", "1080p"), ["take a last frame"]),
        ("vercel", False, None, ALL_THAT_MAY_LACK[1:]),
        (
            "openrouter",
            False,
            ("360p", "480p", "720p", "768p", "1080p", "1k", "2k", "4k"),
            ALL_THAT_MAY_LACK[1:],
        ),
        # Whether such a server tells a cost is its own affair: not known, so not denied.
        ("openai", False, None, ["cancel a job", "take a seed", "tell what a clip has cost"]),
        ("demo", True, None, ["tell what a clip has cost"]),
    ],
)
def test_a_gateway_says_what_its_video_call_can_say(
    name: str, any_model: bool, resolutions: tuple[str, ...] | None, has: list[str]
) -> None:
    gateway = models.gateway(name)
    assert (gateway.any_model, gateway.resolutions) == (any_model, resolutions)
    assert gateway.free is (name == "demo")
    assert gateway.cannot == tuple(what for what in ALL_THAT_MAY_LACK if what not in has)
    assert set(gateway.defaults) == (set() if name == "openai" else set(KINDS))
    assert limits.DEFAULT_RESOLUTION in (resolutions or (limits.DEFAULT_RESOLUTION,))


# -- what a call costs ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "model", "asked", "amount", "kind_of_cost"),
    [
        # By resolution and by sound.
        ("video", VEO_GA, {"seconds": 8, "resolution": "720p"}, 3.2, "estimated"),
        ("video", VEO_GA, {"seconds": 8, "resolution": "720p", "audio": False}, 1.6, "estimated"),
        ("video", VEO_GA, {"seconds": 8, "resolution": "4k"}, 4.8, "estimated"),
        ("video", VEO_GA, {"seconds": 8, "resolution": "4k", "audio": False}, 3.2, "estimated"),
        ("video", SEEDANCE, {"seconds": 5, "resolution": "720p"}, 0.9, "estimated"),
        ("video", SEEDANCE, {"seconds": 5, "resolution": "720p", "audio": False}, 0.9, "estimated"),
        (
            "video",
            "bytedance/seedance-2.5",
            {"seconds": 10, "resolution": "480p"},
            0.8,
            "estimated",
        ),
        (
            "video",
            "bytedance/seedance-2.5",
            {"seconds": 10, "resolution": "1080p"},
            4.5,
            "estimated",
        ),
        (
            "video",
            "spacexai/grok-imagine-video",
            {"seconds": 3, "resolution": "480p"},
            0.15,
            "estimated",
        ),
        # None at that resolution, none at all, nothing known.
        ("video", SEEDANCE, {"seconds": 5, "resolution": "1080p"}, None, "unknown"),
        ("video", VEO, {"seconds": 8, "resolution": "720p", "audio": False}, None, "unknown"),
        ("video", "minimax/minimax-h3", {"seconds": 5, "resolution": "768p"}, None, "unknown"),
        ("video", "made-up/model", {"seconds": 5, "resolution": "720p"}, None, "unknown"),
        # One picture, in the size of the first row.
        ("image", DRAWER, {}, 0.134, "estimated"),
        ("image", "google/gemini-3.1-flash-image", {}, 0.067, "estimated"),
        ("image", "bytedance/seedream-5.5", {}, 0.035, "estimated"),
        ("image", "byteplus/seedream-4-5", {}, None, "unknown"),
        # And what each picture that it is made from adds, where that is known.
        ("image", "bytedance/seedream-5.5", {"pictures": 1}, 0.043, "estimated"),
        ("image", "bytedance/seedream-5.5", {"pictures": 3}, 0.059, "estimated"),
        ("image", DRAWER, {"pictures": 3}, 0.134, "estimated"),
        ("image", "byteplus/seedream-4-5", {"pictures": 3}, None, "unknown"),
        (
            "video",
            "spacexai/grok-imagine-video",
            {"seconds": 3, "resolution": "480p", "pictures": 1},
            0.15,
            "estimated",
        ),
        # A rewrite: 1,500 tokens in, 500 out.
        ("llm", SONNET, {}, 0.012, "estimated"),
        ("llm", "openai/gpt-6-luna", {}, 0.0004, "estimated"),
        ("llm", "openai/gpt-4o", {}, None, "unknown"),
    ],
)
def test_a_call_is_priced_by_its_unit(
    kind: str, model: str, asked: dict[str, Any], amount: float | None, kind_of_cost: str
) -> None:
    cost = models.price(models.pick(kind, model, "happycapy"), "happycapy", **asked)
    assert cost.amount == pytest.approx(amount)
    assert cost.kind == kind_of_cost
    assert (cost.as_of is None) is (cost.source is None) is (amount is None)


@pytest.mark.parametrize(
    ("kind", "model", "gateway", "asked", "amount", "kind_of_cost"),
    [
        ("video", VEO_GA, "openrouter", {"seconds": 8, "resolution": "720p"}, 3.2, "listed"),
        (
            "video",
            VEO_GA,
            "vercel",
            {"seconds": 8, "resolution": "4k", "audio": False},
            3.2,
            "listed",
        ),
        (
            "video",
            "google/veo-3.1-fast-generate-001",
            "vercel",
            {"seconds": 8, "resolution": "720p"},
            1.2,
            "listed",
        ),
        (
            "video",
            "google/veo-3.1-fast-generate-001",
            "openrouter",
            {"seconds": 8, "resolution": "720p"},
            0.8,
            "listed",
        ),
        # What that gateway does not tell at this resolution: the vendor's price.
        (
            "video",
            "google/veo-3.1-fast-generate-001",
            "vercel",
            {"seconds": 8, "resolution": "1080p"},
            0.96,
            "estimated",
        ),
        ("video", SEEDANCE, "openrouter", {"seconds": 5, "resolution": "1080p"}, 1.8711, "listed"),
        ("video", SEEDANCE, "vercel", {"seconds": 5, "resolution": "1080p"}, None, "unknown"),
        ("image", "byteplus/seedream-4-5", "vercel", {}, 0.04, "listed"),
        ("image", "google/gemini-3-pro-image", "vercel", {}, 0.134, "estimated"),
        ("image", "google/gemini-3-pro-image", "openrouter", {}, 0.134, "listed"),
        ("llm", "openai/gpt-4o", "openrouter", {}, 0.00875, "listed"),
        ("llm", SONNET, "vercel", {}, 0.012, "listed"),
        ("video", VEO_GA, "openai", {"seconds": 8, "resolution": "720p"}, 3.2, "estimated"),
    ],
)
def test_the_same_call_may_cost_something_else_at_another_gateway(
    kind: str,
    model: str,
    gateway: str,
    asked: dict[str, Any],
    amount: float | None,
    kind_of_cost: str,
) -> None:
    cost = models.price(models.pick(kind, model, gateway), gateway, **asked)
    assert cost.amount == pytest.approx(amount)
    assert cost.kind == kind_of_cost


@pytest.mark.parametrize("kind", KINDS)
def test_the_demos_own_price_is_nothing_and_listed(kind: str) -> None:
    cost = models.price(models.pick(kind, None, "demo"), "demo", seconds=6, resolution="720p")
    assert (cost.amount, cost.kind) == (0.0, "listed")


def row(usd: float, **more: Any) -> dict[str, Any]:
    dated = {"as_of": "2026-01-02", "source": "somebody's page"}
    return {"unit": "second", "usd": usd, **dated, **more}


@pytest.mark.parametrize(
    ("rows", "amount", "kind"),
    [
        ([row(0.5)], 3.0, "estimated"),
        ([row(0.5, gateway="happycapy")], 3.0, "listed"),
        # The gateway's own wins wherever it stands.
        ([row(0.5), row(0.3, gateway="happycapy")], 1.8, "listed"),
        ([row(0.3, gateway="happycapy"), row(0.5)], 1.8, "listed"),
        # Another gateway's is nobody else's.
        ([row(0.3, gateway="vercel")], None, "unknown"),
        ([row(0.3, gateway="vercel"), row(0.5)], 3.0, "estimated"),
        # The gateway's own at another resolution says nothing about this one.
        ([row(0.3, gateway="happycapy", resolution="480p"), row(0.5)], 3.0, "estimated"),
        ([row(0.3, resolution="480p"), row(0.5, resolution="720p")], 3.0, "estimated"),
        ([row(0.3, audio=False), row(0.5, audio=True)], 3.0, "estimated"),
        ([row(0.3, audio=False)], None, "unknown"),
        ([], None, "unknown"),
    ],
)
def test_of_several_prices_the_gateways_own_and_the_fitting_one_counts(
    rows: list[dict[str, Any]], amount: float | None, kind: str
) -> None:
    model = Model("x/y", "video", prices=tuple(rows))
    cost = models.price(model, "happycapy", seconds=6, resolution="720p")
    assert cost.amount == pytest.approx(amount)
    assert cost.kind == kind


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        (0, "USD 0.035 an image, price of"),
        (1, "USD 0.035 an image and 1 picture given at USD 0.008, price of"),
        (2, "USD 0.035 an image and 2 pictures given at USD 0.008, price of"),
    ],
)
def test_a_cost_says_what_the_pictures_add(pictures: int, words: str) -> None:
    model = models.pick("image", "bytedance/seedream-5.5", "nobody")
    assert models.price(model, "nobody", pictures=pictures).basis.startswith(words)


@pytest.mark.parametrize(
    ("kind", "model", "words"),
    [
        ("video", VEO, ["6 s at USD 0.40 a second", "2026-11-22", "Google's price pages"]),
        ("image", DRAWER, ["USD 0.134 an image", "2026-11-22"]),
        ("llm", SONNET, ["1,500 tokens in, 500 out", "USD 3.00 in and 15.00 out per 1M tokens"]),
        ("video", "minimax/minimax-h3", ["no published price is known"]),
    ],
)
def test_a_cost_says_how_it_was_reckoned(kind: str, model: str, words: list[str]) -> None:
    asked: dict[str, Any] = {"seconds": 6, "resolution": "720p"} if kind == "video" else {}
    cost = models.price(models.pick(kind, model, "happycapy"), "happycapy", **asked)
    assert [word for word in words if word not in cost.basis] == []
    if cost.amount is not None:
        assert cost.as_of is not None
        assert cost.source is not None
        assert cost.as_of in cost.basis
        assert cost.source in cost.basis


@pytest.mark.parametrize(
    ("model", "resolution", "ending"),
    [
        (SEEDANCE, "1080p", " at 1080p"),
        ("minimax/minimax-h3", "768p", "this model"),  # its only price is another gateway's
        ("lightricks/ltx-2.5-pro", "720p", "this model"),  # it has none
    ],
)
def test_an_unknown_cost_names_the_resolution_where_another_has_a_price(
    model: str, resolution: str, ending: str
) -> None:
    picked = models.pick("video", model, "happycapy")
    cost = models.price(picked, "happycapy", seconds=5, resolution=resolution)
    assert cost.basis.endswith(ending)


def tokens(**more: Any) -> dict[str, Any]:
    return {
        "unit": "1M tokens",
        "input": 3.0,
        "output": 15.0,
        "as_of": "2026-01-02",
        "source": "a page",
        **more,
    }


def test_a_chat_call_is_priced_by_its_own_tokens() -> None:
    sonnet = models.pick("llm", SONNET, "happycapy")
    cost = models.price_of_tokens(sonnet, "happycapy", 1_000_000, 100_000)
    assert (cost.amount, cost.kind) == (4.5, "estimated")
    assert models.price_of_tokens(sonnet, "happycapy", 0, 0).amount == 0.0
    own = Model("x/y", "llm", prices=(tokens(gateway="happycapy"),))
    cost = models.price_of_tokens(own, "happycapy", 1_000_000, 0)
    assert (cost.amount, cost.kind, cost.as_of) == (3.0, "listed", "2026-01-02")
    assert "1,000,000 tokens in, 0 out" in cost.basis


@pytest.mark.parametrize(
    ("model", "gateway", "amount", "kind"),
    [
        ("made-up/model", "happycapy", None, "unknown"),
        ("openai/gpt-4o", "happycapy", None, "unknown"),
        ("demo/stillness", "demo", 0.0, "listed"),
    ],
)
def test_without_a_price_of_tokens_the_expected_cost_stands(
    model: str, gateway: str, amount: float | None, kind: str
) -> None:
    cost = models.price_of_tokens(models.pick("llm", model, gateway), gateway, 900, 100)
    assert (cost.amount, cost.kind) == (amount, kind)


@pytest.mark.parametrize(
    ("prices", "amount", "kind"),
    [
        ([tokens(), tokens(input=6.0, gateway="happycapy")], 6.0, "listed"),
        ([tokens(input=9.0, gateway="vercel"), tokens()], 3.0, "estimated"),
        ([tokens(input=9.0, gateway="vercel")], None, "unknown"),
    ],
)
def test_tokens_are_priced_by_the_row_that_the_plan_was_priced_by(
    prices: list[dict[str, Any]], amount: float | None, kind: str
) -> None:
    model = Model("x/y", "llm", prices=tuple(prices))
    cost = models.price_of_tokens(model, "happycapy", 1_000_000, 0)
    assert (cost.amount, cost.kind) == (amount, kind)


@pytest.mark.parametrize(
    ("price", "words"),
    [
        (row(0.4, resolution="720p", audio=True), "USD 0.40 a second at 720p with sound"),
        (row(0.2, resolution="4k", audio=False), "USD 0.20 a second at 4k silent"),
        (row(0.023), "USD 0.023 a second"),
        (row(0.134, unit="image", size="2K"), "USD 0.134 an image in 2K"),
        (
            row(0.045, unit="image", size="1K", per_picture=0.003, gateway="openrouter"),
            "USD 0.045 an image in 1K and 0.003 for each picture given by openrouter",
        ),
        (row(0.0, unit="call", gateway="demo"), "USD 0.00 a call by demo"),
        (tokens(input=0.1, output=1.25), "USD 0.10 in and 1.25 out per 1M tokens"),
    ],
)
def test_a_price_is_shown_in_words(price: dict[str, Any], words: str) -> None:
    assert models.shown_price(price) == words


@pytest.mark.parametrize(
    ("parts", "amount", "kind"),
    [
        ([], 0.0, "actual"),
        ([Cost(1.0, "actual")], 1.0, "actual"),
        ([Cost(1.0, "actual"), Cost(0.5, "listed")], 1.5, "listed"),
        ([Cost(1.0, "estimated"), Cost(0.5, "listed")], 1.5, "estimated"),
        ([Cost(0.1, "actual"), Cost(0.2, "actual")], 0.3, "actual"),
        ([Cost(1.0, "actual"), Cost(None, "unknown")], None, "unknown"),
        ([Cost(None, "unknown"), Cost(0.0, "listed")], None, "unknown"),
    ],
)
def test_a_sum_has_the_weakest_kind_in_it(
    parts: list[Cost], amount: float | None, kind: str
) -> None:
    assert money.total(parts) == Cost(amount, kind)
    assert money.total(parts[::-1]) == Cost(amount, kind)


def test_a_cost_in_a_result_is_in_dollars_and_says_its_kind() -> None:
    assert Cost(1.5, "listed", "because", "2026-01-02", "a page").as_json() == {
        "amount": 1.5,
        "currency": "USD",
        "kind": "listed",
    }
