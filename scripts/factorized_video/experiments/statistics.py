"""What a comparison of both ways says: shares, their difference, and how sure it is. Pure.

Per category always, and over all: an anchor flatters attributes, places and counts, so that one
figure for everything says little (`references/measuring.md`). Nothing here claims more than what
an interval includes or excludes.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from statistics import NormalDist
from typing import Any, NamedTuple

# Those of T2V-CompBench, in its order, as `references/prompts.jsonl` writes them.
CATEGORIES = (
    "consistent-attribute",
    "dynamic-attribute",
    "spatial",
    "motion",
    "action",
    "interaction",
    "numeracy",
)
OVERALL = "overall"
NO_CATEGORY = "no category"
# The true mean of a symmetric spread lies outside all of n differences with a probability that
# falls as 2 ** (1 - n): 1/8 at four. No resampling of so few can reach 95 %.
FEWEST = 5
COVERAGE = 0.95
REPEATS = 10_000
LONGEST_NAME = 90  # characters of a prompt that is named below a table


class Arm(NamedTuple):
    """One way, one prompt: how many questions it passed, of those with answers to rely on."""

    passed: int
    asked: int


class Pair(NamedTuple):
    """Both ways of one prompt, by one measure; None where a check is unknown or there is no clip.

    Pairs with the same `prompt` are takes of one prompt.
    """

    prompt: str
    category: str
    factorized: Arm | None
    direct: Arm | None

    @property
    def complete(self) -> bool:
        """Whether both ways have answers."""
        return all(arm is not None and arm.asked > 0 for arm in (self.factorized, self.direct))


class Lift(NamedTuple):
    """What one set of pairs says. Shares and bounds are of 1; None where there is nothing to say.

    `n` counts prompts, not takes. `incomplete` names the prompt of each pair that was left out.
    """

    n: int
    factorized: float | None  # the mean over prompts of the share passed
    direct: float | None
    lift: float | None  # factorized less direct
    low: float | None
    high: float | None
    incomplete: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """What may be said of it in words, and why there is no interval where there is none."""
        if self.n == 0:
            return "nothing to compare"
        if self.n < FEWEST:
            return "too few prompts"
        if self.low is None or self.high is None:
            return "all alike: no interval"
        return f"{'includes' if self.low <= 0 <= self.high else 'excludes'} 0"

    def as_json(self) -> dict[str, Any]:
        """As the results hold it, rounded to four places."""
        found = {
            name: round(value, 4) if isinstance(value, float) else value
            for name, value in self._asdict().items()
        }
        return {**found, "incomplete": list(self.incomplete), "verdict": self.verdict}


def lift(pairs: Sequence[Pair], *, seed: int = 0, repeats: int = REPEATS) -> Lift:
    """The mean difference over prompts, with a paired 95 % bootstrap interval over prompts.

    A pair that is incomplete is named and left out, never imputed. Takes of one prompt are averaged
    first: drawing a prompt again tells no more about other prompts. The order of the pairs does not
    matter, and the same pairs and seed give the same interval.

    The interval is the percentile one with its levels widened to what Student's t asks at this n
    (T. Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician 69,
    2015: the "expanded percentile"). Simulated on differences like ours, in seven shapes of spread
    from even ones to many ties and rare jumps (`tests/benchmarks/intervals.py`), it covers the true
    mean in 88 to 99.6 % of samples at n = 10, 93 to 98 % at 20, 93 to 96 % at 30, and in as little
    as 81 % at 5. On the same shapes the plain percentile interval covers 85 to 98, 89 to 98 and 92
    to 94 %, and 75 % at 6. Where ties are many, BCa covers less than either (80, 86 and 90 %); the
    bootstrap-t covers less than this one there, with intervals three times as wide at n = 10.

    No interval where there are fewer than `FEWEST` prompts, and none where all differences are
    equal: resampling them can only return that one value, and a width of zero would say that it is
    certain.
    """
    factorized, direct = _shares(pairs)
    incomplete = tuple(pair.prompt for pair in pairs if not pair.complete)
    n = len(factorized)
    if not n:
        return Lift(0, None, None, None, None, None, incomplete)
    differences = [one - other for one, other in zip(factorized, direct, strict=True)]
    low, high = _interval(differences, seed, repeats) or (None, None)
    return Lift(n, _mean(factorized), _mean(direct), _mean(differences), low, high, incomplete)


def by_category(pairs: Sequence[Pair], *, seed: int = 0, repeats: int = REPEATS) -> dict[str, Lift]:
    """The lift of each category that occurs, the seven first, and last the lift overall.

    Those without a category are a row too, unless none has one.
    """
    occurring = list(dict.fromkeys(pair.category for pair in pairs))
    known = [name for name in CATEGORIES if name in occurring]
    others = [name for name in occurring if name not in CATEGORIES and occurring != [""]]
    found = {
        _label(name): lift([p for p in pairs if p.category == name], seed=seed, repeats=repeats)
        for name in (*known, *others)
    }
    return {**found, OVERALL: lift(pairs, seed=seed, repeats=repeats)}


def as_json(measures: Mapping[str, Mapping[str, Lift]]) -> dict[str, Any]:
    """What `by_category` found for each measure, as JSON."""
    return {
        measure: {category: found.as_json() for category, found in lifts.items()}
        for measure, lifts in measures.items()
    }


def table(measured: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """What `as_json` holds, as lines of text, in columns of one width."""
    names = [name for lifts in measured.values() for name in lifts]
    width = max(map(len, ("category", *names)))
    lines: list[str] = []
    for measure, lifts in measured.items():
        lines += ["", measure] if lines else [measure]
        lines.append(
            f"  {'category':{width}}  {'n':>4}  {'factorized':>10}  {'direct':>6}  {'lift':>5}  "
            "95 % interval"
        )
        lines += [f"  {name:{width}}  {_row(found)}" for name, found in lifts.items()]
        missing = lifts[OVERALL]["incomplete"] if OVERALL in lifts else ()
        if missing:
            lines.append(f"  left out, for one way or both have no answers: {len(missing)}")
            lines += [f"    {_shortened(prompt)}" for prompt in missing]
    return lines


def _row(found: Mapping[str, Any]) -> str:
    shares = [
        f"{'-' if share is None else f'{share:.2f}':>{room}}"
        for share, room in ((found["factorized"], 10), (found["direct"], 6))
    ]
    low, high = found["low"], found["high"]
    bounds = "-" if low is None else f"{_signed(low)} to {_signed(high)}"
    return (
        f"{found['n']:>4}  {'  '.join(shares)}  {_signed(found['lift']):>5}  {bounds:16}  "
        f"{found['verdict']}"
    )


def _shortened(prompt: str) -> str:
    """On one line that fits; two prompts that begin alike are told apart in the JSON."""
    text = " ".join(prompt.split())
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 3]}..."


def _signed(value: float | None) -> str:
    """With its sign; nought has none."""
    if value is None:
        return "-"
    text = f"{value:+.2f}"
    return text if float(text) else "0.00"


def _label(category: str) -> str:
    """What the row of a category is called; never as the row of all."""
    return f'"{category}"' if category in (OVERALL, NO_CATEGORY) else category or NO_CATEGORY


def _shares(pairs: Sequence[Pair]) -> tuple[list[Fraction], list[Fraction]]:
    """The shares passed by both ways, prompt by prompt; of several takes their mean.

    Fractions, because a sum of floats may miss 0 by a hair, and whether an interval includes 0 is
    what people read first.
    """
    takes: dict[str, list[tuple[Fraction, Fraction]]] = {}
    for pair in pairs:
        if pair.factorized and pair.direct and pair.complete:
            both = Fraction(*pair.factorized), Fraction(*pair.direct)
            takes.setdefault(pair.prompt, []).append(both)
    means = [
        [sum(way, Fraction()) / len(way) for way in zip(*each, strict=True)]
        for each in takes.values()
    ]
    return [one for one, _ in means], [other for _, other in means]


def _mean(values: Sequence[Fraction]) -> float:
    return float(sum(values, Fraction()) / len(values))


def _interval(
    differences: Sequence[Fraction], seed: int, repeats: int
) -> tuple[float, float] | None:
    n = len(differences)
    if n < FEWEST or len(set(differences)) == 1:
        return None
    # Whole numbers add up exactly, and many times faster than fractions.
    scale = math.lcm(*(one.denominator for one in differences))
    steps = sorted(int(one * scale) for one in differences)
    sums = sorted(_resampled(steps, seed, repeats))
    level = NormalDist().cdf(-math.sqrt(n / (n - 1)) * students_t(n - 1))
    place = round(level * (repeats - 1))
    return sums[place] / (scale * n), sums[repeats - 1 - place] / (scale * n)


def _resampled(steps: Sequence[int], seed: int, repeats: int) -> Iterator[int]:
    chance = random.Random(seed)
    return (sum(chance.choices(steps, k=len(steps))) for _ in range(repeats))


def students_t(freedom: int) -> float:
    """Within which distance of 0 Student's t of so many degrees of freedom lies in 95 %.

    The probability is the finite sum of Abramowitz and Stegun, 26.7.3 and 26.7.4, which rises with
    the angle: halved until it is found.
    """
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        angle = (low + high) / 2
        if _within(angle, freedom) < COVERAGE:
            low = angle
        else:
            high = angle
    return math.sqrt(freedom) * math.tan(low)


def _within(angle: float, freedom: int) -> float:
    """P(|t| < sqrt(freedom) * tan(angle))."""
    cosine = math.cos(angle)
    odd = freedom % 2
    term, total = (cosine if odd else 1.0), 0.0
    for power in range(odd, freedom - 1, 2):
        total += term
        term *= cosine * cosine * (power + 1) / (power + 2)
    total *= math.sin(angle)
    return (angle + total) * 2 / math.pi if odd else total
