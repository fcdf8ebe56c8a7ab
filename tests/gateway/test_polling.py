"""How often the status of a job is read."""

from __future__ import annotations

import pytest
from factorized_video.gateway.polling import pause
from factorized_video.gateway.types import About
from hypothesis import given, settings
from hypothesis import strategies as st

PACE_S = About("").poll_s  # of a gateway that asks for no other


@settings(deadline=None)
@given(st.integers(1, 1000), st.floats(0, 1))
def test_two_status_reads_are_never_within_two_seconds(poll: int, jitter: float) -> None:
    assert 2.0 <= pause(poll, jitter, PACE_S) <= 4.801


def test_status_is_read_at_once_then_after_two_then_every_four_seconds() -> None:
    assert pause(0, 0.5, PACE_S) == 0
    assert pause(1, 0.9, PACE_S) == 2
    pauses = [pause(poll, poll / 100, PACE_S) for poll in range(2, 101)]
    assert 3.9 <= sum(pauses) / len(pauses) <= 4.1
    assert (min(pauses), max(pauses)) == pytest.approx((3.2, 4.8), abs=0.05)
