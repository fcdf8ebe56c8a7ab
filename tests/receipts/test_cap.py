"""The cap on what a run may cost: which one holds, and what fits under it."""

from __future__ import annotations

import pytest
from factorized_video.errors import OverBudget, UsageError
from factorized_video.money import Cost
from factorized_video.receipts.cap import MAX_COST, Cap, Spent, check_cap, effective_cap

FLAG = "--max-cost"
FIVE = Cap(5.0, FLAG)
UNKNOWN = Cost(None, "unknown")


def estimated(usd: float) -> Cost:
    return Cost(usd, "estimated")


# -- which cap ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "standing", "cap"),
    [
        (None, None, None),
        (None, "", None),
        (2.0, None, Cap(2.0, FLAG)),
        (2.0, "", Cap(2.0, FLAG)),
        (None, "3", Cap(3.0, MAX_COST)),
        (None, " 3.5 ", Cap(3.5, MAX_COST)),
        (2.0, "3", Cap(2.0, FLAG)),
        (4.0, "3", Cap(3.0, MAX_COST)),
        (3.0, "3", Cap(3.0, FLAG)),  # the one that the person has just typed is named
        (0.0, None, Cap(0.0, FLAG)),  # nothing may be paid; not: no cap
        (None, "0", Cap(0.0, MAX_COST)),
        (0.0, "3", Cap(0.0, FLAG)),
        (4.0, "0", Cap(0.0, MAX_COST)),
    ],
)
def test_the_lower_of_two_caps_wins_and_keeps_its_name(
    typed: float | None, standing: str | None, cap: Cap | None
) -> None:
    assert effective_cap(typed, standing) == cap


@pytest.mark.parametrize("typed", [None, 1.0])
@pytest.mark.parametrize(
    "standing",
    ["five", "1_0", "-1", "-0.01", "nan", "inf", "-inf", "1e9", "$5", "5,00", " ", "5 USD"],
)
def test_a_standing_cap_that_is_no_amount_stops_the_run_and_is_quoted(
    standing: str, typed: float | None
) -> None:
    with pytest.raises(UsageError) as caught:
        effective_cap(typed, standing)
    assert MAX_COST in caught.value.message
    assert repr(standing) in caught.value.message
    assert "such as 5" in caught.value.message
    assert caught.value.hint


# -- what fits ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cap", "spent", "ahead", "allow_unknown"),
    [
        (None, Spent(), estimated(1e6), False),
        (None, Spent(7.0, 3), UNKNOWN, False),
        (FIVE, Spent(), estimated(4.99), False),
        (FIVE, Spent(), estimated(5.0), False),  # exactly the cap
        (FIVE, Spent(2.6), estimated(2.4), False),
        (Cap(0.3, FLAG), Spent(0.1), estimated(0.2), False),  # 0.30000000000000004 in binary
        (Cap(0.7, FLAG), Spent(), estimated(0.1 * 7), False),
        (Cap(0.0, FLAG), Spent(), Cost(0.0, "listed"), False),
        # Nothing ahead: what is over is over, and refusing would help nobody.
        (FIVE, Spent(9.0), Cost(0.0, "actual"), False),
        (FIVE, Spent(9.0, 2), Cost(0.0, "actual"), False),
        (Cap(0.0, FLAG), Spent(1.0), Cost(0.0, "listed"), False),
        # What is unknown counts for nothing, where the person allowed it.
        (FIVE, Spent(), UNKNOWN, True),
        (FIVE, Spent(5.0), UNKNOWN, True),
        (FIVE, Spent(1.0, 1), estimated(4.0), True),
        (FIVE, Spent(1.0), estimated(4.0), True),
    ],
)
def test_what_fits_passes(cap: Cap | None, spent: Spent, ahead: Cost, allow_unknown: bool) -> None:
    check_cap(cap, spent, [ahead], allow_unknown=allow_unknown)


@pytest.mark.parametrize(
    ("cap", "spent", "ahead", "allow_unknown", "words"),
    [
        (FIVE, Spent(), estimated(5.01), False, ("USD 5.01 (estimated)", "USD 5.00 (--max-cost)")),
        (FIVE, Spent(), estimated(5.000002), False, ("over the limit",)),
        (FIVE, Spent(2.61), estimated(2.4), False, ("USD 2.40", "on top of the USD 2.61")),
        (FIVE, Spent(5.0), Cost(0.01, "listed"), False, ("USD 0.0100 (listed)", "USD 5.00")),
        (Cap(0.0, FLAG), Spent(), estimated(0.01), False, ("USD 0.00 (--max-cost)",)),
        (Cap(1.5, MAX_COST), Spent(), estimated(2), False, (f"USD 1.50 ({MAX_COST})",)),
        # That something is allowed to be unknown lets nothing pass that is known.
        (FIVE, Spent(), estimated(6.0), True, ("USD 6.00",)),
        (FIVE, Spent(3.0, 1), estimated(2.5), True, ("USD 2.50", "on top of the USD 3.00")),
        (FIVE, Spent(5.5), UNKNOWN, True, ("over the limit",)),
    ],
)
def test_what_does_not_fit_is_refused_with_the_amounts(
    cap: Cap, spent: Spent, ahead: Cost, allow_unknown: bool, words: tuple[str, ...]
) -> None:
    with pytest.raises(OverBudget) as caught:
        check_cap(cap, spent, [ahead], allow_unknown=allow_unknown)
    assert [word for word in words if word not in caught.value.message] == []
    assert caught.value.charged == "no"
    assert caught.value.result == {
        "still_to_pay": ahead.as_json(),
        "spent": {"amount": spent.usd, "unknown_calls": spent.unknown},
        "max_cost": cap.usd,
    }
    assert ("on top of" in caught.value.message) is (spent.usd > 0)
    # Where the standing cap holds, a higher flag would not help.
    assert (MAX_COST in caught.value.hint) is (cap.source == MAX_COST)


@pytest.mark.parametrize(
    ("spent", "ahead", "words"),
    [
        (Spent(), UNKNOWN, "The cost of this"),
        (Spent(0.0, 1), estimated(0.01), "earlier attempts"),
        (Spent(4.0, 2), UNKNOWN, "The cost of this"),
        (Spent(9.0), UNKNOWN, "The cost of this"),
    ],
)
def test_under_a_cap_an_unknown_cost_needs_leave(spent: Spent, ahead: Cost, words: str) -> None:
    with pytest.raises(OverBudget) as caught:
        check_cap(FIVE, spent, [ahead], allow_unknown=False)
    assert words in caught.value.message
    assert "unknown" in caught.value.message
    assert "USD 5.00 (--max-cost)" in caught.value.message
    assert "--allow-unknown-cost" in caught.value.hint
    assert caught.value.charged == "no"
    assert caught.value.result["still_to_pay"] == ahead.as_json()
    assert caught.value.result["spent"] == spent.as_json()
