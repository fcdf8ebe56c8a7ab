"""--list-models: rows for agents, a table for a terminal, and how a gateway's list differs."""

from __future__ import annotations

import datetime
import json
import re
from typing import Any

import pytest
from factorized_video import models
from factorized_video.cli.model_list_text import differences_as_text, model_list_text
from factorized_video.errors import UsageError
from factorized_video.models import listing

REGISTRY = models.document()
TODAY = str(REGISTRY["as_of"])
KINDS = ["llm", "image", "video"]
GATEWAYS = ["happycapy", "vercel", "openrouter", "openai", "demo"]
VEO = "google/veo-3.1-generate-preview"
SEEDANCE = "byteplus/dreamina-seedance-2-0"
SORA = "openai/sora-2"


def row(model: str, today: str = TODAY) -> dict[str, Any]:
    return next(row for row in listing.rows(None, today) if row["id"] == model)


def days_after(date: str, days: int) -> str:
    return (datetime.date.fromisoformat(date) + datetime.timedelta(days)).isoformat()


# -- rows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_rows_of_a_kind_are_the_registrys_in_its_order(kind: str) -> None:
    wanted = [model["id"] for model in REGISTRY["models"] if model["kind"] == kind]
    rows = listing.rows(kind, TODAY)
    assert [row["id"] for row in rows] == wanted
    assert {row["kind"] for row in rows} == {kind}


def test_without_a_kind_there_is_every_model_and_each_row_can_be_written_as_json() -> None:
    rows = listing.rows(None, TODAY)
    assert [row["id"] for row in rows] == [model["id"] for model in REGISTRY["models"]]
    assert len({frozenset(row) for row in rows}) == 1  # the same keys in each
    assert len(json.loads(json.dumps(rows))) == len(rows)


@pytest.mark.parametrize(
    ("model", "facts"),
    [
        (
            VEO,
            {
                "kind": "video",
                "status": "upstream-retired",
                "shutdown": {"date": "2026-10-22", "by": "Google"},
                "replacement": "google/veo-3.1-generate-001",
                "default_at": ["happycapy"],
                "gateways": {"happycapy": {"id": VEO, "status": "upstream-retired"}},
                "durations_s": (4, 6, 8),
                "aspect_ratios": ("16:9", "9:16"),
                "ratio_mode": "sent",
                "resolutions": ("720p", "1080p", "4k"),
                "audio": "always",
                "last_frame": True,
                "text_to_video": True,
                "text_sibling": None,
                "duration_locks": [
                    {"when": {"resolution": ["1080p", "4k"]}, "durations_s": (8,)},
                    {"when": {"references": True}, "durations_s": (8,)},
                ],
            },
        ),
        (
            SEEDANCE,
            {
                "status": "live",
                "shutdown": None,
                "replacement": None,
                "default_at": [],
                "gateways": {
                    "happycapy": {"id": SEEDANCE, "status": "live"},
                    "vercel": {"id": "bytedance/seedance-2.0", "status": "live"},
                    "openrouter": {
                        "id": "bytedance/seedance-2.0",
                        "status": "live",
                        "resolutions": ("480p", "720p", "1080p", "4k"),
                    },
                },
                "durations_s": tuple(range(4, 16)),
                "prompt_characters": 4000,
                "references": 9,
                "aliases": ["dreamina-seedance-2-0-260128", "dreamina-seedance-2-0"],
            },
        ),
        (SORA, {"status": "off", "default_at": [], "prices": []}),
        (
            "alibaba/wan-v2.6-i2v",
            {
                "text_to_video": False,
                "text_sibling": "alibaba/wan-v2.6-t2v",
                "first_frame": True,
                "gateways": {
                    "vercel": {"id": "alibaba/wan-v2.6-i2v", "status": "live"},
                    "openrouter": {
                        "id": "alibaba/wan-2.6",
                        "status": "live",
                        "text_to_video": True,
                    },
                },
            },
        ),
        (
            "alibaba/wan-v2.6-t2v",
            {"text_to_video": True, "text_sibling": None, "first_frame": False},
        ),
        ("demo/push-in", {"default_at": ["demo"], "durations_s": None, "resolutions": None}),
        (
            "google/gemini-3-pro-image-preview",
            {"sizes": ("1K", "2K", "4K"), "references": 14, "default_at": ["happycapy"]},
        ),
        (
            "anthropic/claude-sonnet-4.6",
            {"default_at": ["happycapy", "vercel", "openrouter"], "durations_s": None},
        ),
        (
            "google/veo-3.1-generate-001",
            {
                "status": "live",
                "default_at": ["vercel", "openrouter"],
                "gateways": {
                    "vercel": {"id": "google/veo-3.1-generate-001", "status": "live"},
                    "openrouter": {"id": "google/veo-3.1", "status": "live"},
                },
            },
        ),
    ],
)
def test_a_row_has_all_that_is_known_of_a_model(model: str, facts: dict[str, Any]) -> None:
    found = row(model)
    assert {name: found[name] for name in facts} == facts
    source = next(one for one in REGISTRY["models"] if one["id"] == model)
    for name in ("best_for", "as_of", "source", "prices", "typical_s"):
        assert found[name] == source[name]


@pytest.mark.parametrize(
    ("model", "of"),
    [
        ("google/gemini-nano-banana-2.1", "facts"),  # it has no price
        (VEO, "facts"),
        (VEO, "price"),
        ("anthropic/claude-sonnet-4.6", "price"),  # a gateway's, older than the vendor's
        ("spacexai/grok-4.3", "price"),  # the older of the two by months
    ],
)
def test_figures_are_old_after_180_days_by_the_oldest_of_their_dates(model: str, of: str) -> None:
    found = row(model)
    dates = [price["as_of"] for price in found["prices"]]
    date = found["as_of"] if of == "facts" else min(dates)
    assert date == min([found["as_of"], *dates])
    assert row(model, days_after(date, 180))["old"] is False
    assert row(model, days_after(date, 181))["old"] is True


def test_nothing_is_old_on_the_day_of_the_registry_and_everything_a_year_later() -> None:
    assert {row["old"] for row in listing.rows(None, TODAY)} == {False}
    assert {row["old"] for row in listing.rows(None, days_after(TODAY, 365))} == {True}


# -- short rows -----------------------------------------------------------------------------------


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_short_row_stands_for_each_model_of_the_gateway_by_its_id_there(gateway: str) -> None:
    rows = listing.short_rows(None, gateway, TODAY)
    assert [row["id"] for row in rows] == [
        model.ids[gateway] for model in models.rows() if gateway in model.ids
    ]
    assert len(json.dumps(rows, indent=2)) < 24_500  # with the rest of a document under 25,000


@pytest.mark.parametrize(
    ("model", "gateway", "facts"),
    [
        (VEO, "happycapy", {"usd": 2.4, "usd_for": "6 s 720p", "default": True}),
        (VEO, "happycapy", {"status": "upstream-retired", "shutdown": "2026-10-22"}),
        ("minimax/hailuo-3", "openrouter", {"usd": 0.78, "usd_for": "6 s 2k", "default": False}),
        ("klingai/kling-v2.6-i2v", "vercel", {"usd": None, "usd_for": "5 s 720p"}),
        ("google/gemini-3-pro-image", "openrouter", {"usd": 0.134, "usd_for": "one image"}),
        ("demo/push-in", "demo", {"usd": 0.0, "default": True, "audio": None}),
    ],
)
def test_a_short_row_has_the_price_of_what_is_made_where_nothing_is_set(
    model: str, gateway: str, facts: dict[str, Any]
) -> None:
    (found,) = [one for one in listing.short_rows(None, gateway, TODAY) if one["id"] == model]
    assert {name: found[name] for name in facts} == facts


@pytest.mark.parametrize("name", [VEO, "veo-3.1-generate-preview"])
def test_one_model_is_found_by_each_of_its_names(name: str) -> None:
    assert [row["id"] for row in listing.one(name, TODAY)] == [VEO]


@pytest.mark.parametrize(
    ("name", "hint"),
    [("vdeo", "Did you mean video?"), (f"{VEO}s", f"Did you mean {VEO}?"), ("\n", "--list-models")],
)
def test_a_name_of_nothing_is_a_usage_error(name: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        listing.one(name, TODAY)
    assert hint in caught.value.hint


# -- what a terminal shows ------------------------------------------------------------------------


def table(gateway: str, today: str = TODAY) -> str:
    rows = listing.short_rows(None, gateway, today)
    return model_list_text({"gateway": gateway, "models": rows})


def facts_of(model: str, gateway: str = "happycapy", today: str = TODAY) -> str:
    rows = listing.one(model, today)
    shown = model_list_text({"gateway": gateway, "models": rows, "of_one": True})
    return re.sub(r"\n {16}", " ", shown)


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_the_table_fits_80_columns_and_has_each_model_once(gateway: str) -> None:
    lines = table(gateway).splitlines()
    assert max(map(len, lines)) <= 80
    named = [line.split()[line.startswith("*")] for line in lines if re.match(r"[* ] \w\S*/", line)]
    at = [model.ids[gateway] for model in models.rows() if gateway in model.ids]
    assert sorted(named) == sorted(at)
    assert (len([line for line in lines if line.startswith("* ")]) - 1) in (0, 3)


def test_a_gateway_nothing_is_known_of_says_so() -> None:
    assert table("nobody").startswith("No models are known for nobody")


@pytest.mark.parametrize(
    ("gateway", "line"),
    [
        ("happycapy", f"* {VEO}       2.40      4, 6, 8   16:9 9:16    always"),
        ("happycapy", "      shut down since 2026-10-22; use google/veo-3.1-generate-001"),
        ("happycapy", f"      off since 2026-09-24; use {SEEDANCE}"),
        ("happycapy", f"  {SEEDANCE}        1.08      4 to 15   16:9 9:16 +4 switch"),
        (
            "openrouter",
            "  minimax/hailuo-3                      0.78 2k   4 to 15   as picture   ?",
        ),
        ("openrouter", "  openai/gpt-6-luna                     0.0004    yes"),
    ],
)
def test_a_line_shows_price_seconds_ratios_sound_and_what_replaces_it(
    gateway: str, line: str
) -> None:
    assert line in table(gateway).splitlines()


def test_old_facts_are_marked_and_the_mark_is_explained() -> None:
    late = table("happycapy", days_after(TODAY, 365))
    assert "  2.40!  " in late
    assert "! facts older than 180 days" in late


@pytest.mark.parametrize("model", models.rows(), ids=lambda model: model.id)
def test_every_price_of_one_model_is_shown_with_its_date_and_source(model: models.Model) -> None:
    shown = facts_of(model.id)
    assert ("prices        not known" in shown) == (not model.prices)
    for price in model.prices:
        known = f"{models.shown_price(price)} ({price['as_of']}, {price['source']})"
        assert " ".join(known.split()) in " ".join(shown.split())
    assert f"best for      {model.best_for}" in shown


@pytest.mark.parametrize(
    ("model", "fact"),
    [
        (VEO, "status        shut down by its vendor since 2026-10-22 (Google); use google/veo-3"),
        (VEO, "seconds       4, 6 and 8 (1080p and 4k: 8 s; references: 8 s)"),
        (VEO, "default at    happycapy"),
        (SORA, f"status        off since 2026-09-24 (OpenAI); use {SEEDANCE}"),
        ("google/gemini-omni-1.2-flash", "seconds       3 to 15 (a last frame: 3 to 10 s)"),
        ("alibaba/wan-v2.6-i2v", "from text     no, but alibaba/wan-v2.6-t2v"),
        ("alibaba/wan-v2.7-t2v", "first frame   no"),
        ("openai/gpt-image-1.5", "ratios        1:1 3:2 2:3"),
        ("openai/gpt-image-2", "edits         yes"),
        (SEEDANCE, "prompt        at most 4,000 characters"),
    ],
)
def test_the_facts_of_one_model(model: str, fact: str) -> None:
    assert fact in facts_of(model)


@pytest.mark.parametrize(
    ("model", "gateway", "words"),
    [
        ("alibaba/wan-2.6", "openrouter", "yes"),
        ("alibaba/wan-v2.6-i2v", "vercel", "no, but alibaba/wan-v2.6-t2v"),
        ("spacexai/grok-imagine-video-1.5", "vercel", "?"),
        ("x-ai/grok-imagine-video-1.5", "openrouter", "yes"),
    ],
)
def test_one_model_is_shown_as_the_gateways_own_id_is(model: str, gateway: str, words: str) -> None:
    shown = facts_of(model, gateway).splitlines()
    assert (shown[0], f"  from text     {words}" in shown) == (model, True)


# -- what a gateway says of itself ----------------------------------------------------------------

AT_HAPPYCAPY = [model.ids["happycapy"] for model in models.rows() if "happycapy" in model.ids]
GONE_VIDEOS = [
    model.ids["happycapy"]
    for model in models.rows("video")
    if "happycapy" in model.ids and model.status != "live"
]


@pytest.mark.parametrize(
    ("served", "kind", "differs"),
    [
        ([SEEDANCE], "video", {"not_served": GONE_VIDEOS}),
        ([SEEDANCE, *GONE_VIDEOS], "video", {"served_though_retired": GONE_VIDEOS}),
        (
            [SEEDANCE, "x/new", VEO],
            "video",
            {
                "not_served": [model for model in GONE_VIDEOS if model != VEO],
                "served_though_retired": [VEO],
                "not_in_the_registry": ["x/new"],
            },
        ),
        # Names that are known elsewhere, aliases, and models of other kinds are no news.
        (
            [
                SEEDANCE,
                *GONE_VIDEOS,
                "bytedance/seedance-2.0",
                "veo-3.1-generate-preview",
                "google/veo-3.1-generate-001",
                "openai/gpt-4o",
            ],
            "video",
            {"served_though_retired": GONE_VIDEOS},
        ),
        ([], None, {"not_served": AT_HAPPYCAPY}),
    ],
)
def test_a_gateways_list_is_held_against_what_is_known(
    served: list[str], kind: str | None, differs: dict[str, list[str]]
) -> None:
    none: dict[str, list[str]] = {
        "not_served": [],
        "served_though_retired": [],
        "not_in_the_registry": [],
    }
    assert listing.differences(served, "happycapy", kind) == {**none, **differs}


def test_differences_are_shown_in_words_and_agreement_too() -> None:
    differs = listing.differences([SEEDANCE, "x/new", VEO], "happycapy", "video")
    lines = differences_as_text(differs).splitlines()
    assert lines[0].startswith("known here, not in the gateway's list: google/veo-3.1-fast")
    assert lines[1].endswith(f"though their vendor shut them down: {VEO}")
    assert lines[2] == "in the gateway's list, not known here: x/new"
    agreed = listing.differences(["demo/push-in"], "demo", "video")
    assert "agree" in differences_as_text(agreed)
    assert len(differences_as_text(agreed).splitlines()) == 1
