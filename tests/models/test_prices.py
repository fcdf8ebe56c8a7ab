"""What a call costs, by the prices of the tests' own registry."""

from __future__ import annotations

from typing import Any

import pytest
from factorized_video import models, money
from factorized_video.models import Model, registry
from factorized_video.money import Cost

KINDS = ("llm", "image", "video")

VEO = "google/veo-3.1-generate-preview"
VEO_GA = "google/veo-3.1-generate-001"
SEEDANCE = "byteplus/dreamina-seedance-2-0"
DRAWER = "google/gemini-3-pro-image-preview"
SONNET = "anthropic/claude-sonnet-4.6"


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
        ("video", VEO, ["6 s at USD 0.40 a second", "2026-11-22", "a price page"]),
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


@pytest.mark.parametrize(
    ("day", "inputs"), [("2026-12-31", [0.75]), ("2027-01-01", [1.5]), ("2026-11-01", [0.75])]
)
def test_a_price_with_an_end_gives_way_to_the_one_that_follows(
    day: str, inputs: list[float]
) -> None:
    rows = [{"input": 0.75, "until": "2026-12-31"}, {"input": 1.5, "from": "2027-01-01"}]
    assert [row["input"] for row in registry.prices_on(day, rows)] == inputs


def test_a_price_with_an_end_is_shown_with_it() -> None:
    row = {"unit": "second", "usd": 0.1, "until": "2026-12-31"}
    assert models.shown_price(row) == "USD 0.10 a second until 2026-12-31"
