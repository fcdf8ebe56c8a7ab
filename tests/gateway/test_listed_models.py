"""How the rows of each gateway's public list are read: prices by what they are of, and facts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from factorized_video.gateway import dialects
from factorized_video.gateway.types import HttpReply
from factorized_video.models import catalog

_720P = {"resolution": "720p"}


def read(gateway: str, *lists: list[Any]) -> dict[str, catalog.Listed]:
    """The rows as they are kept."""
    replies = [HttpReply(200, {}, json.dumps({"data": rows}).encode()) for rows in lists]
    rows = dialects.load(gateway).decode_public_lists(replies)
    found = catalog.from_json(
        {"gateway": gateway, "as_of": "2026-11-27", "source": "a list", "models": rows}
    )
    return {one.id: one for one in found.models} if found else {}


def second(usd: float, **of: object) -> dict[str, object]:
    return {"unit": "second", "usd": usd, **of}


@pytest.mark.parametrize(
    ("skus", "prices"),
    [
        ({"duration_seconds": "0.13"}, [second(0.13)]),
        ({"duration_seconds_720p": 0.1, "duration_seconds_1080p": "0.2"}, None),
        (
            {"duration_seconds_with_audio": "0.4", "duration_seconds_without_audio_4k": "0.4"},
            [second(0.4, audio=True), second(0.4, resolution="4k", audio=False)],
        ),
        ({"cents_per_second_output_720p": "17"}, [second(0.17, **_720P)]),
        ({"cents_per_video_output_second_480p": "2"}, [second(0.02, resolution="480p")]),
        (
            {"cents_per_video_output_second_480p": "2", "cents_per_image_input": "1"},
            [second(0.02, resolution="480p", per_picture=0.01)],
        ),
        # By the token of a clip in 16:9: 1280 x 720 x 24 / 1024 of them a second.
        ({"video_tokens": "0.000007"}, [second(0.1512, **_720P)]),
        ({"video_tokens_without_audio": "0.000007"}, [second(0.1512, **_720P, audio=False)]),
        # That of a clip from a picture goes before that of any clip.
        (
            {"duration_seconds_720p": "0.08", "image_to_video_duration_seconds_720p": "0.1"},
            [second(0.1, **_720P), second(0.08, **_720P)],
        ),
        ({"text_to_video_duration_seconds_720p": "0.1"}, []),
        ({"cents_per_second_video_continuation_720p": "41"}, []),
        ({"cents_per_megapixel_second": "3", "reference_images": "0.04"}, []),
        ({"duration_seconds": "free", "duration_seconds_720p": None}, []),
        ([], []),
        (None, []),
    ],
)
def test_prices_of_a_video_at_openrouter(skus: object, prices: list[object] | None) -> None:
    row = {"id": "a/b", "supported_resolutions": ["720p"], "pricing_skus": skus}
    found = read("openrouter", [], [row])["a/b"]
    if prices is None:
        prices = [second(0.1, **_720P), second(0.2, resolution="1080p")]
    assert sorted(map(str, found.prices)) == sorted(map(str, prices))


def test_a_price_of_a_clip_from_a_picture_comes_first() -> None:
    skus = {"duration_seconds_720p": "0.08", "image_to_video_duration_seconds_720p": "0.1"}
    row = {"id": "a/b", "supported_resolutions": ["720p"], "pricing_skus": skus}
    assert read("openrouter", [], [row])["a/b"].prices[0]["usd"] == 0.1


@pytest.mark.parametrize(
    ("row", "facts"),
    [
        ({"supported_durations": [5, 10]}, {"durations": (5, 10)}),
        ({"supported_durations": None, "generate_audio": 1}, {}),
        ({"seed": None, "generate_audio": None}, {"seed": False, "audio_switch": False}),
        ({"supported_resolutions": ["720p", "4K"]}, {"resolutions": ("720p", "4k")}),
        ({"supported_resolutions": "720p"}, {}),
        ({"supported_aspect_ratios": ["16:9", "adaptive"]}, {"ratios": ("16:9",)}),
        ({"supported_frame_images": ["first_frame"]}, {"first_frame": True, "last_frame": False}),
        ({"supported_frame_images": None}, {}),
        ({"seed": False, "generate_audio": False}, {"seed": False, "audio": "never"}),
        ({"seed": True, "generate_audio": True}, {"seed": True, "audio": "switch"}),
    ],
)
def test_facts_of_a_video_at_openrouter(row: dict[str, object], facts: dict[str, object]) -> None:
    assert read("openrouter", [], [{"id": "a/b", **row}])["a/b"].facts == facts


def test_a_resolution_that_is_none_makes_no_price_by_the_token() -> None:
    row = {
        "id": "a/b",
        "supported_resolutions": ["auto", "", "9" * 400, None],
        "pricing_skus": {"video_tokens": "0.000007"},
    }
    assert read("openrouter", [], [row])["a/b"].prices == ()


@pytest.mark.parametrize(
    ("row", "kind", "prices"),
    [
        (
            {"pricing": {"prompt": "0.000003", "completion": "0.000015"}},
            "llm",
            [{"unit": "1M tokens", "input": 3.0, "output": 15.0}],
        ),
        ({"pricing": {"prompt": "-1", "completion": "-1"}}, "llm", []),
        ({"pricing": {"prompt": "0", "completion": "0"}}, "llm", []),
        ({"pricing": None}, "llm", []),
        (
            {
                "architecture": {"output_modalities": ["image", "text"]},
                "pricing": {"prompt": "0.000001", "completion": "0.000002"},
            },
            "image",
            [],
        ),
        ({"architecture": {"output_modalities": None}}, "llm", []),
        ({"architecture": []}, "llm", []),
    ],
)
def test_a_model_in_openrouters_list_of_all(
    row: dict[str, object], kind: str, prices: list[object]
) -> None:
    found = read("openrouter", [{"id": "a/b", **row}], [])["a/b"]
    assert (found.kind, list(found.prices)) == (kind, prices)


@pytest.mark.parametrize(
    ("kind", "pricing", "prices"),
    [
        (
            "language",
            {"input": "0.000002", "output": "0.00001"},
            [{"unit": "1M tokens", "input": 2.0, "output": 10.0}],
        ),
        ("image", {"image": "0.04"}, [{"unit": "image", "usd": 0.04}]),
        ("image", {"image_dimension_quality_pricing": [{"size": "4K", "cost": "0.24"}]}, []),
        ("image", {"input": "0", "output": "0"}, []),
        (
            "video",
            {
                "video_duration_pricing": [
                    {"resolution": "720p", "cost_per_second": "0.1", "audio": False},
                    {"resolution": "1080P", "cost_per_second": 0.2},
                    {"resolution": "720p", "cost_per_second": "0.3", "mode": "pro"},
                    {"cost_per_second": "0.4"},
                    {"resolution": "1280x720", "cost_per_second": "0.5"},
                    "0.6",
                ]
            },
            [second(0.1, **_720P, audio=False), second(0.2, resolution="1080p"), second(0.4)],
        ),
        (
            "video",
            {"video_token_pricing": {"no_video_input": {"cost_per_million_tokens": "7"}}},
            [
                second(0.0672525, resolution="480p") | {"usd": 0.06725},
                second(0.1512, **_720P),
                second(0.3402, resolution="1080p"),
            ],
        ),
        ("video", {"video_duration_pricing": {}, "video_token_pricing": []}, []),
        ("video", None, []),
        ("embedding", {"input": "0.00000002", "output": "0"}, []),
    ],
)
def test_prices_at_vercel(kind: str, pricing: object, prices: list[dict[str, Any]]) -> None:
    found = read("vercel", [{"id": "a/b", "type": kind, "pricing": pricing}])["a/b"]
    kept = [{**one, "usd": round(one["usd"], 5)} if "usd" in one else one for one in found.prices]
    assert kept == [{**one, "usd": round(one["usd"], 5)} if "usd" in one else one for one in prices]
