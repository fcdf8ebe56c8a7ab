"""May a call be sent again, and when. The rows follow "What the reply to a paid create means"."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from factorized_video.gateway.retry_policy import (
    LONGEST_WAIT_S,
    MAX_TRIES,
    Decision,
    Outcome,
    decide,
)
from factorized_video.gateway.waits import retry_after
from hypothesis import example, given, settings
from hypothesis import strategies as st

AGAIN = "again"
REJECTED = (400, 404, 405, 413, 415, 422)
AUTH = (401, 402, 403)
TRANSIENT = (408, 409, 425)
BROKEN = (500, 502, 503, 504, 520, 529)


def answered(status: int, wait: float | None = None, text: str = "") -> Outcome:
    return Outcome("answered", status, wait, text)


def rows() -> list[tuple[Outcome, str, str, str]]:
    """Outcome, and what it means for a create, a chat and a read."""
    return [
        *((answered(status), "rejected", "rejected", "rejected") for status in REJECTED),
        *((answered(status), "auth", "auth", "auth") for status in AUTH),
        *((answered(status), "unknown", AGAIN, AGAIN) for status in (*TRANSIENT, *BROKEN)),
        (answered(429), AGAIN, AGAIN, AGAIN),
        (answered(429, 5), AGAIN, AGAIN, AGAIN),
        (answered(503, 5), AGAIN, AGAIN, AGAIN),
        (answered(503, 0), AGAIN, AGAIN, AGAIN),
        (answered(502, 5), "unknown", AGAIN, AGAIN),
        (answered(500, 0), "unknown", AGAIN, AGAIN),
        (answered(302), "rejected", "rejected", "rejected"),
        (answered(410), "unknown", "rejected", "rejected"),
        (answered(418), "unknown", "rejected", "rejected"),
        (Outcome("not_sent"), AGAIN, AGAIN, AGAIN),
        (Outcome("lost"), "unknown", AGAIN, AGAIN),
        (Outcome("unreadable", 200), "unknown", AGAIN, AGAIN),
    ]


@pytest.mark.parametrize(("outcome", "create", "chat", "read"), rows(), ids=str)
def test_the_first_attempt_follows_the_contract(
    outcome: Outcome, create: str, chat: str, read: str
) -> None:
    for call, expected in (("create", create), ("chat", chat), ("read", read)):
        decision = decide(call, outcome, 1)
        assert (AGAIN if decision.again else decision.kind) == expected, call
        assert decision.again is (decision.kind == "")


@pytest.mark.parametrize(("outcome", "create", "chat", "read"), rows(), ids=str)
def test_after_four_tries_it_ends_and_what_was_not_accepted_is_unavailable(
    outcome: Outcome, create: str, chat: str, read: str
) -> None:
    for call, first in (("create", create), ("chat", chat), ("read", read)):
        assert decide(call, outcome, MAX_TRIES - 1).again is (first == AGAIN)
        assert decide(call, outcome, MAX_TRIES) == Decision(
            False, kind="unavailable" if first == AGAIN else first
        )
    assert MAX_TRIES == 4


@pytest.mark.parametrize("call", ["create", "chat", "read"])
@pytest.mark.parametrize(
    ("outcome", "again"),
    [
        (answered(429, 60), True),
        (answered(429, 60.001), False),
        (answered(503, 61), False),
        (answered(429, 6 * 3600), False),
        (answered(429, text="Rate limit: 5 requests per minute"), True),
        (answered(429, text="Daily limit reached"), False),
        (answered(429, 1, "Quota: 100 requests per day"), False),
        (answered(429, 1, "Try again in 24 hours"), False),
    ],
)
def test_after_a_long_wait_or_a_daily_quota_nothing_is_repeated(
    call: str, outcome: Outcome, again: bool
) -> None:
    decision = decide(call, outcome, 1)
    assert decision == (
        Decision(True, wait_s=outcome.retry_after_s or 1.0)
        if again
        else Decision(False, kind="unavailable")
    )


def test_the_pauses_grow_and_jitter_lengthens_them_by_a_quarter_at_most() -> None:
    waits = [decide("chat", Outcome("lost"), attempt).wait_s for attempt in (1, 2, 3)]
    assert waits == [1.0, 3.0, 8.0]
    longest = [decide("chat", Outcome("lost"), attempt, 1.0).wait_s for attempt in (1, 2, 3)]
    assert longest == [1.25, 3.75, 10.0]


OUTCOMES = st.builds(
    Outcome,
    st.sampled_from(["not_sent", "lost", "answered", "unreadable"]),
    st.integers(100, 599),
    st.none() | st.floats(0, 1e9),
    st.text(max_size=30),
    st.sampled_from(["", "auth", "unavailable", "rejected", "failed"]),
)


@settings(deadline=None)
@given(st.sampled_from(["create", "chat", "read"]), OUTCOMES, st.integers(1, 50), st.floats(0, 1))
def test_whatever_happens_waits_and_tries_are_bounded(
    call: str, outcome: Outcome, attempt: int, jitter: float
) -> None:
    decision = decide(call, outcome, attempt, jitter)
    if decision.again:
        assert attempt < MAX_TRIES
        assert 0 <= decision.wait_s <= LONGEST_WAIT_S == 60
    else:
        assert decision.kind in {"unavailable", "unknown", "rejected", "auth", "failed"}


@settings(deadline=None)
@given(OUTCOMES, st.integers(1, 50), st.floats(0, 1))
def test_a_create_is_repeated_only_if_it_cannot_have_been_accepted(
    outcome: Outcome, attempt: int, jitter: float
) -> None:
    decision = decide("create", outcome, attempt, jitter)
    told_no = outcome.kind == "answered" and (
        outcome.status == 429 or (outcome.status == 503 and outcome.retry_after_s is not None)
    )
    if outcome.kind != "not_sent" and not told_no:
        assert not decision.again
    if outcome.kind in ("lost", "unreadable"):
        assert decision == Decision(False, kind="unknown")


# -- Retry-After ----------------------------------------------------------------------------------

NOW = 1_795_000_000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 7 "}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "21600"}, 21600.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "9"}, 9.0),
        ({"retry-after": formatdate(NOW + 30, usegmt=True)}, 30.0),
        ({"retry-after": formatdate(NOW + 6 * 3600, usegmt=True)}, 21600.0),
        ({"retry-after": formatdate(NOW - 30, usegmt=True)}, 0.0),
        # The third form of RFC 9110, 5.6.7: "Wed Nov 18 11:07:10 2026", in UTC as well.
        ({"retry-after": time.asctime(time.gmtime(NOW + 30))}, 30.0),
        ({"retry-after": ""}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "Mon, 99 Foo 2026 99:99:99 GMT"}, None),
        ({"retry-after": "Wed, 21 Oct 99999 07:28:00 GMT"}, None),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_retry_after_is_read_in_all_its_forms(
    headers: dict[str, str], seconds: float | None, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert retry_after(headers, NOW) == seconds
    finally:
        monkeypatch.undo()
        time.tzset()


@settings(deadline=None)
@given(st.text(max_size=60), st.text(max_size=20))
@example("0\x1f", "0\x1f")
def test_any_header_gives_nothing_or_a_wait_that_is_not_negative(after: str, ms: str) -> None:
    seconds = retry_after({"retry-after": after, "retry-after-ms": ms}, NOW)
    assert seconds is None or seconds >= 0
