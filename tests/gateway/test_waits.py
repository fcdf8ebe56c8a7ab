"""How long a gateway asks to wait, wherever it says so."""

from __future__ import annotations

import json
from email.utils import formatdate

import pytest
from factorized_video.gateway.waits import duration, of_rate_limit

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("38s", 38),
        ("38.25s", 38.25),
        ("350ms", 0.35),
        ("20 milliseconds", 0.02),
        ("1m30s", 90),
        ("6m0s", 360),
        ("1h2m3s", 3723),
        ("5 hours", 18_000),
        ("2 minutes and 5 seconds", 125),
        ("1 min", 60),
        ("2 days", 172_800),
        ("20", 20),
        ("soon", None),
        ("", None),
    ],
)
def test_a_duration_in_any_spelling(text: str, seconds: float | None) -> None:
    assert duration(text) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"error": {"details": [{"@type": "x.RetryInfo", "retryDelay": "38s"}]}}, 38),
        ({"error": {"message": "Please retry in 38.2s."}}, 38.2),
        ({"error": {"message": "Rate limit reached. Please try again in 20s. Visit x."}}, 20),
        ({"error": {"message": "try again in 1m12.5s"}}, 72.5),
        ({"error": {"message": "Please try again in 7 minutes"}}, 420),
        ({"error": {"message": "Please wait 30 seconds and try again"}}, 30),
        ({"message": "Retry after: 12"}, 12),
        ({"retry_after": 20}, 20),
        ({"retry_after_seconds": "4.5"}, 4.5),
        ({"error": {"message": "try again in 2 days"}}, 172_800),
        ({"error": {"message": "try again later, or use 20 other models"}}, None),
        ({"error": {"message": "rate limit of 20 requests reached"}}, None),
    ],
)
def test_a_wait_in_the_body_of_a_429(body: dict[str, object], seconds: float | None) -> None:
    found = of_rate_limit({}, json.dumps(body).encode(), NOW)
    assert found == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-ratelimit-reset": str(int(NOW + 30))}, 30),
        ({"x-ratelimit-reset": str(int(NOW + 30) * 1000)}, 30),
        ({"x-ratelimit-reset": str(int(NOW - 30))}, 0),
        ({"x-ratelimit-reset": "12"}, 12),
        ({"ratelimit-reset": "12.5"}, 12.5),
        ({"x-ratelimit-reset": formatdate(NOW + 9, usegmt=True)}, 9),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"}, 360),
        (
            {
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "6m0s",
                "x-ratelimit-remaining-tokens": "9000",
            },
            1,
        ),
        ({"x-ratelimit-reset": "never"}, None),
        ({}, None),
    ],
)
def test_a_wait_until_a_limit_is_reset(headers: dict[str, str], seconds: float | None) -> None:
    assert of_rate_limit(headers, b"{}", NOW) == seconds


def test_what_a_body_says_comes_before_a_limit() -> None:
    assert of_rate_limit({"x-ratelimit-reset": "50"}, b"try again in 3s", NOW) == 3
