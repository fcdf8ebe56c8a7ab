"""--list-models: rows for agents, a table for a terminal, and how a gateway's list differs."""

from __future__ import annotations

import datetime
import json
import re
from typing import Any

import pytest
from factorized_video import models
from factorized_video.models import listing

REGISTRY = models.document()
TODAY = str(REGISTRY["as_of"])
KINDS = ["llm", "image", "video"]
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


# -- the table for a terminal ---------------------------------------------------------------------


def text(kind: str | None = None, gateway: str = "happycapy", today: str = TODAY) -> str:
    return listing.as_text(listing.rows(kind, today), gateway)


def block(shown: str, model: str) -> list[str]:
    """The lines about one model."""
    lines = shown.splitlines()
    first = next(i for i, line in enumerate(lines) if re.match(rf"  {re.escape(model)}( |$)", line))
    rest = lines[first + 1 :]
    after = next(i for i, line in enumerate(rest) if not line.startswith("      "))
    return [lines[first], *rest[:after]]


@pytest.mark.parametrize(
    ("gateway", "titles"),
    [
        (
            "happycapy",
            [
                "llm at happycapy",
                "llm elsewhere",
                "image at happycapy",
                "image elsewhere",
                "video at happycapy",
                "video elsewhere",
            ],
        ),
        (
            "demo",
            [
                "llm at demo",
                "llm elsewhere",
                "image at demo",
                "image elsewhere",
                "video at demo",
                "video elsewhere",
            ],
        ),
        (
            "openrouter",
            [
                "llm at openrouter",
                "llm elsewhere",
                "image at openrouter",
                "image elsewhere",
                "video at openrouter",
                "video elsewhere",
            ],
        ),
        # What a server of one's own serves is not known, nor is that of a gateway unheard of.
        ("openai", ["llm elsewhere", "image elsewhere", "video elsewhere"]),
        ("nobody", ["llm elsewhere", "image elsewhere", "video elsewhere"]),
    ],
)
def test_the_table_shows_each_kind_and_what_the_gateway_serves_first(
    gateway: str, titles: list[str]
) -> None:
    shown = text(gateway=gateway).splitlines()
    assert [line for line in shown if re.match(r"\w+ (at \w+|elsewhere)$", line)] == titles
    assert shown[0] == titles[0]


@pytest.mark.parametrize("gateway", ["happycapy", "demo", "vercel", "openrouter", "openai"])
def test_every_model_stands_in_the_table_once_by_the_gateways_name(gateway: str) -> None:
    shown = text(gateway=gateway)
    for model in models.rows():
        lines = block(shown, model.ids.get(gateway, model.id))
        assert lines[1] == f"      {model.best_for}"
    named = [line for line in shown.splitlines() if re.match(r"  \S", line)]
    assert len(named) == len(models.rows())


def test_the_table_of_one_kind_has_no_other() -> None:
    assert "llm" not in text("video")
    assert "seedream" not in text("video")
    assert VEO in text("video")


@pytest.mark.parametrize("model", models.rows(), ids=lambda model: model.id)
def test_every_price_stands_in_the_table_with_its_date(model: models.Model) -> None:
    last = block(text(), model.ids.get("happycapy", model.id))[-1]
    if not model.prices:
        assert last == "      price not known"
    for price in model.prices:
        assert models.shown_price(price) in last
        assert price["as_of"] in last


@pytest.mark.parametrize(
    ("model", "line"),
    [
        (
            VEO,
            f"  {VEO}  (default)  [upstream-retired 2026-10-22, use google/veo-3.1-generate-001]",
        ),
        (SORA, f"  {SORA}  [off 2026-09-24, use {SEEDANCE}]"),
        (SEEDANCE, f"  {SEEDANCE}"),
        (
            VEO,
            "      4, 6 and 8 s (1080p and 4k: 8 s; references: 8 s) · 720p, 1080p, 4k · "
            "16:9 9:16 · last frame yes · sound always · from text yes",
        ),
        (
            "google/gemini-omni-1.2-flash",
            "      3 to 15 s (a last frame: 3 to 10 s) · 360p, 720p, "
            "1080p, 4k · 16:9 9:16 · last frame yes · sound ? · from text yes",
        ),
        (
            "alibaba/wan-v2.6-i2v",
            "      ? s · 720p, 1080p · follows the picture · last frame no · "
            "sound ? · from text no, but alibaba/wan-v2.6-t2v",
        ),
        (
            "bytedance/seedance-2.5",
            "      4 to 30 s · 480p, 720p, 1080p · adapts to the picture · "
            "last frame yes · sound switch · from text yes",
        ),
        (
            "alibaba/wan-v2.7-t2v",
            "      2 to 15 s · 720p, 1080p · 16:9 9:16 1:1 4:3 3:4 · no first "
            "frame · last frame no · sound always · from text yes",
        ),
        (
            "byteplus/seedance-1-0-lite-i2v",
            "      ? s · ? · ? · last frame ? · sound never · from text no",
        ),
        (
            "klingai/kling-v4.0",
            "      3 to 30 s · 720p, 1080p, 2k, 4k · ? · last frame yes · sound ? · from text ?",
        ),
        ("openai/gpt-image-1.5", "      1:1 3:2 2:3 · edits ?"),
        ("openai/gpt-image-2", "      ? · edits yes"),
    ],
)
def test_the_table_shows_status_and_what_a_model_supports(model: str, line: str) -> None:
    assert line in block(text(), model)


@pytest.mark.parametrize(
    ("model", "gateway", "words"),
    [
        ("alibaba/wan-2.6", "openrouter", "from text yes"),
        ("alibaba/wan-v2.6-i2v", "vercel", "from text no, but alibaba/wan-v2.6-t2v"),
        ("spacexai/grok-imagine-video-1.5", "vercel", "from text ?"),
        ("x-ai/grok-imagine-video-1.5", "openrouter", "from text yes"),
    ],
)
def test_the_table_shows_what_a_gateways_own_id_does(model: str, gateway: str, words: str) -> None:
    supports = block(text("video", gateway), model)[2]
    assert supports.endswith(f" · {words}")


def test_old_figures_are_marked_and_the_mark_is_explained() -> None:
    dates = sorted({price["as_of"] for price in row("spacexai/grok-4.3")["prices"]})
    late = days_after(dates[0], 181)
    line = block(text("llm", today=late), "spacexai/grok-4.3")[-1]
    assert line.endswith(f"({', '.join(dates)}) !")
    assert not block(text("llm", today=late), "openai/gpt-6-sol")[-1].endswith("!")
    assert text("llm").splitlines()[-1].startswith("! older than 180 days")
    assert "? not known, and not checked" in text("llm")


@pytest.mark.parametrize("status", ["off", "upstream-retired"])
def test_a_model_that_one_gateway_dropped_is_shown_without_a_date(status: str) -> None:
    dropped = {**row(SEEDANCE), "gateways": {"happycapy": {"id": SEEDANCE, "status": status}}}
    assert status in block(listing.as_text([dropped], "happycapy"), SEEDANCE)[0]


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
    lines = listing.differences_as_text(differs).splitlines()
    assert lines[0].startswith("known here, not in the gateway's list: google/veo-3.1-fast")
    assert lines[1].endswith(f"though their vendor shut them down: {VEO}")
    assert lines[2] == "in the gateway's list, not known here: x/new"
    agreed = listing.differences(["demo/push-in"], "demo", "video")
    assert "agree" in listing.differences_as_text(agreed)
    assert len(listing.differences_as_text(agreed).splitlines()) == 1
