"""What a comparison says: shares, lifts, intervals, and what is left out; tables of pure cases."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from factorized_video.experiments import statistics
from factorized_video.experiments.statistics import Arm, Lift, Pair, by_category, lift, table
from hypothesis import given, settings
from hypothesis import strategies as st


def pair(
    factorized: tuple[int, int] | None,
    direct: tuple[int, int] | None,
    prompt: str = "",
    category: str = "spatial",
) -> Pair:
    arms = [None if arm is None else Arm(*arm) for arm in (factorized, direct)]
    return Pair(prompt or f"{factorized} {direct}", category, *arms)


def pairs(*passed: tuple[int, int], asked: int = 5) -> list[Pair]:
    """One for each prompt, by how many both ways pass of so many questions."""
    return [
        pair((one, asked), (other, asked), f"prompt {place}")
        for place, (one, other) in enumerate(passed)
    ]


SIX = pairs((5, 3), (4, 4), (5, 1), (2, 3), (5, 5), (4, 2))


# -- shares and their difference -------------------------------------------------------------------


@pytest.mark.parametrize(
    "given, n, factorized, direct, difference",
    [
        ([], 0, None, None, None),
        (pairs((5, 0)), 1, 1.0, 0.0, 1.0),
        (pairs((5, 5), (0, 5)), 2, 0.5, 1.0, -0.5),
        (SIX, 6, 25 / 30, 18 / 30, 7 / 30),
        # A prompt counts as one, however many questions it has.
        ([pair((1, 1), (0, 1)), pair((0, 20), (10, 20))], 2, 0.5, 0.25, 0.25),
        # The arms need not have answers to equally many.
        ([pair((3, 4), (2, 8))], 1, 0.75, 0.25, 0.5),
    ],
)
def test_the_mean_over_prompts_of_shares(
    given: list[Pair],
    n: int,
    factorized: float | None,
    direct: float | None,
    difference: float | None,
) -> None:
    found = lift(given)
    assert found.n == n
    assert found[1:4] == pytest.approx((factorized, direct, difference))
    assert found.incomplete == ()


@pytest.mark.parametrize(
    "lost",
    [
        pair(None, (3, 3), "lost"),
        pair((3, 3), None, "lost"),
        pair(None, None, "lost"),
        pair((0, 0), (3, 3), "lost"),
        pair((3, 3), (0, 0), "lost"),
    ],
)
def test_what_is_incomplete_is_named_and_never_imputed(lost: Pair) -> None:
    without = lift(SIX)
    assert lift([*SIX[:3], lost, *SIX[3:]]) == without._replace(incomplete=("lost",))
    assert lift([lost, lost]) == Lift(0, None, None, None, None, None, ("lost", "lost"))


def test_takes_of_a_prompt_are_averaged_and_count_as_one() -> None:
    takes = [pair((5, 5), (0, 5), "twice"), pair((1, 5), (2, 5), "twice")]
    found = lift([*takes, pair((3, 5), (3, 5), "once")])
    assert found.n == 2
    assert found[1:4] == pytest.approx(((0.6 + 0.6) / 2, (0.2 + 0.6) / 2, 0.2))
    many = lift([one for one in SIX for _ in range(10)])
    assert many == lift(SIX), "more takes that say the same say no more of other prompts"


def test_a_take_that_is_lost_leaves_the_others() -> None:
    found = lift([pair((5, 5), (0, 5), "one"), pair((5, 5), None, "one")])
    assert (found.n, found.lift, found.incomplete) == (1, 1.0, ("one",))


# -- intervals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given, verdict",
    [
        ([], "nothing to compare"),
        (pairs((5, 3)), "too few prompts"),
        (SIX[:4], "too few prompts"),
        (pairs(*[(3, 3)] * 40), "all alike: no interval"),
        (pairs(*[(4, 3)] * 5), "all alike: no interval"),
    ],
)
def test_where_there_is_no_interval(given: list[Pair], verdict: str) -> None:
    found = lift(given)
    assert (found.low, found.high, found.verdict) == (None, None, verdict)


@pytest.mark.parametrize(
    "given, verdict",
    [
        (pairs((5, 4), (5, 3), (4, 2), (5, 4), (5, 2)), "excludes 0"),
        (pairs((4, 5), (3, 5), (2, 4), (4, 5), (2, 5)), "excludes 0"),
        (pairs((5, 4), (3, 5), (4, 2), (3, 4), (5, 2)), "includes 0"),
        # One prompt of ten that differs: some resamples miss it, and 0 is the bound itself.
        (pairs(*[(3, 3)] * 9, (5, 1)), "includes 0"),
    ],
)
def test_what_an_interval_says_of_nought(given: list[Pair], verdict: str) -> None:
    found = lift(given)
    assert found.low is not None and found.high is not None and found.lift is not None
    assert found.low < found.lift < found.high
    assert found.verdict == verdict


def test_the_interval_of_equal_gains_and_losses_is_even_and_of_known_width() -> None:
    found = lift(pairs(*[(5, 0), (0, 5)] * 20))
    # Normal here: 2.02 (Student's t of 39) standard errors of sqrt(40 / 39) / sqrt(40).
    assert found.lift == 0
    assert found.low == pytest.approx(-0.32, abs=0.03)
    assert found.high == pytest.approx(0.32, abs=0.03)


def test_the_same_pairs_and_seed_give_the_same_interval_in_any_order() -> None:
    turned = list(SIX)
    random.Random(5).shuffle(turned)
    assert lift(SIX) == lift(SIX, seed=0) == lift(turned)
    wide = pairs(*[(place % 6, place * 5 % 7) for place in range(30)], asked=7)
    bounds = {lift(wide, seed=seed)[4:6] for seed in range(4)}
    assert len(bounds) > 1, "it is the seed that draws"


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), max_size=12))
def test_bounds_stay_among_the_differences(passed: list[tuple[int, int]]) -> None:
    found = lift(pairs(*passed, asked=8), repeats=200)
    if found.low is None or found.high is None or found.lift is None:
        assert len(passed) < 5 or len({one - other for one, other in passed}) == 1
        return
    differences = [(one - other) / 8 for one, other in passed]
    assert min(differences) <= found.low <= found.high <= max(differences)
    assert found.verdict in ("includes 0", "excludes 0")


@pytest.mark.parametrize(
    "freedom, value",  # as printed in tables of Student's t, two-sided 5 %
    [
        (1, 12.706),
        (2, 4.303),
        (3, 3.182),
        (4, 2.776),
        (9, 2.262),
        (10, 2.228),
        (29, 2.045),
        (60, 2.000),
        (120, 1.980),
    ],
)
def test_students_t(freedom: int, value: float) -> None:
    assert statistics.students_t(freedom) == pytest.approx(value, abs=0.0005)


def drawn(chance: random.Random, n: int, gain: float) -> list[Pair]:
    """Prompts of 5 to 8 questions and uneven difficulty; half are ties, the others gain."""
    found = []
    for place in range(n):
        asked, hard = chance.randint(5, 8), chance.uniform(0.2, 0.8)
        other = sum(chance.random() < hard for _ in range(asked))
        better = sum(chance.random() < hard + gain for _ in range(asked))
        one = better if chance.random() < 0.5 else other
        found.append(pair((one, asked), (other, asked), f"{place}"))
    return found


@pytest.mark.thorough
def test_the_interval_covers_the_true_lift_about_as_often_as_it_says() -> None:
    chance, gain, samples, covered = random.Random(11), 0.2, 400, 0
    for _ in range(samples):
        found = lift(drawn(chance, 30, gain), repeats=500)
        assert found.low is not None and found.high is not None
        covered += found.low <= gain / 2 <= found.high
    assert 0.92 <= covered / samples <= 0.98


# -- by category ----------------------------------------------------------------------------------


def of(*categories: str) -> list[Pair]:
    return [
        pair((place % 4, 4), (2, 4), f"p{place}", name) for place, name in enumerate(categories)
    ]


@pytest.mark.parametrize(
    "categories, rows",
    [
        ((), ["overall"]),
        (("numeracy", "spatial"), ["spatial", "numeracy", "overall"]),
        (("zebra", "motion", "apple", "motion"), ["motion", "zebra", "apple", "overall"]),
        (statistics.CATEGORIES[::-1], [*statistics.CATEGORIES, "overall"]),
        (("", ""), ["overall"]),
        (("", "motion"), ["motion", "no category", "overall"]),
        # A person's own words do not hide the row of all, nor that of none.
        (("overall", "", "no category"), ['"overall"', "no category", '"no category"', "overall"]),
    ],
)
def test_the_order_of_the_rows(categories: Sequence[str], rows: list[str]) -> None:
    found = by_category(of(*categories))
    assert list(found) == rows
    assert found["overall"] == lift(of(*categories))
    if len(found) > 1:
        assert sum(one.n for one in found.values()) == 2 * len(categories)


def test_a_category_of_which_nothing_came_is_still_a_row() -> None:
    found = by_category([pair(None, None, "gone", "action"), *SIX])
    assert found["action"] == Lift(0, None, None, None, None, None, ("gone",))
    assert found["overall"].incomplete == ("gone",)


# -- as text and as JSON --------------------------------------------------------------------------

MEASURES = {
    "First frame": by_category([*SIX, *of("motion", "motion"), pair(None, (1, 1), "A lost one.")]),
    "Frames": by_category([pair(None, None, "A lost one.", "action"), *pairs(*[(2, 2)] * 5)]),
}


def test_the_table_reads_like_this() -> None:
    assert table(statistics.as_json(MEASURES)) == [
        "First frame",
        "  category     n  factorized  direct   lift  95 % interval",
        "  spatial      6        0.83    0.60  +0.23  -0.10 to +0.60    includes 0",
        "  motion       2        0.12    0.50  -0.38  -                 too few prompts",
        "  overall      8        0.66    0.57  +0.08  -0.26 to +0.44    includes 0",
        "  left out, for one way or both have no answers: 1",
        "    A lost one.",
        "",
        "Frames",
        "  category     n  factorized  direct   lift  95 % interval",
        "  spatial      5        0.40    0.40   0.00  -                 all alike: no interval",
        "  action       0           -       -      -  -                 nothing to compare",
        "  overall      5        0.40    0.40   0.00  -                 all alike: no interval",
        "  left out, for one way or both have no answers: 1",
        "    A lost one.",
    ]


def test_columns_stand_one_below_the_other() -> None:
    lines = table(
        statistics.as_json(
            {"m": by_category(of("numeracy", "a name of one's own, and a long one"))}
        )
    )
    ends = [
        line.index(word) + len(word)
        for line, word in zip(lines[1:], ["direct", "0.50", "0.50", "0.50"], strict=True)
    ]
    assert all(one == other for one, other in pairwise(ends))


def test_a_long_prompt_that_was_left_out_is_named_on_one_line() -> None:
    long = "first line\nsecond " + "word " * 60
    name = table(statistics.as_json({"m": by_category([pair(None, None, long)])}))[-1]
    assert name.startswith("    first line second word")
    assert name.endswith("...")
    assert len(name) <= 4 + statistics.LONGEST_NAME


def test_as_json_is_plain_and_rounded() -> None:
    data = json.loads(json.dumps(statistics.as_json(MEASURES)))
    assert list(data) == ["First frame", "Frames"]
    assert data["First frame"]["motion"] == {
        "n": 2,
        "factorized": 0.125,
        "direct": 0.5,
        "lift": -0.375,
        "low": None,
        "high": None,
        "incomplete": [],
        "verdict": "too few prompts",
    }
    assert data["First frame"]["spatial"]["lift"] == 0.2333
    assert data["Frames"]["action"]["incomplete"] == ["A lost one."]


def test_no_word_claims_more_than_the_interval_says() -> None:
    text = " ".join(table(statistics.as_json(MEASURES))).lower()
    assert not any(word in text for word in ("significan", "better", "worse", "proves", "wins"))
