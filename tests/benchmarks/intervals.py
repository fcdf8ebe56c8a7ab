"""How often the interval of a lift covers the true lift, and how wide it is, by simulation.

    python3 tests/benchmarks/intervals.py [SAMPLES]

Prompts of 5 to 8 questions in seven shapes of spread; no video and no model is in it. Prints one
row for each shape and number of prompts. `references/measuring.md` has its figures; 2,000 samples
take a few minutes.
"""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from factorized_video.experiments.statistics import Arm, Pair, lift

Draw = Callable[[random.Random], tuple[int, int, int]]  # passed by both ways, and asked
REPEATS = 1_000  # resamples; the tool's own 10,000 would take ten times as long


def passes(chance: random.Random, asked: int, share: float) -> int:
    """How many of so many questions pass."""
    return sum(chance.random() < share for _ in range(asked))


def modest(chance: random.Random) -> tuple[int, int, int]:
    """Prompts are unlike, and the gain of each is around 0.1."""
    asked, share = chance.randint(5, 8), chance.betavariate(4, 2)
    gained = min(1.0, max(0.0, share + chance.gauss(0.1, 0.15)))
    return passes(chance, asked, gained), passes(chance, asked, share), asked


def unlike(chance: random.Random) -> tuple[int, int, int]:
    """The two ways have nothing in common, and no difference on the whole."""
    asked = chance.randint(5, 8)
    one, other = chance.betavariate(3, 2), chance.betavariate(3, 2)
    return passes(chance, asked, one), passes(chance, asked, other), asked


def ties(chance: random.Random) -> tuple[int, int, int]:
    """As `modest`, but six of ten prompts come out the same."""
    one, other, asked = modest(chance)
    return (other if chance.random() < 0.6 else one), other, asked


def full(chance: random.Random) -> tuple[int, int, int]:
    """Nearly all questions pass both ways."""
    asked = chance.randint(5, 8)
    return passes(chance, asked, 0.97), passes(chance, asked, 0.93), asked


def some(chance: random.Random) -> tuple[int, int, int]:
    """One prompt of five gains much, the others nothing."""
    asked = chance.randint(5, 8)
    return (passes(chance, asked, 0.7) if chance.random() < 0.2 else 0), 0, asked


def mixed(chance: random.Random) -> tuple[int, int, int]:
    """A few lose much, some gain a little, half come out the same."""
    asked, fate = chance.randint(5, 8), chance.random()
    lost = passes(chance, asked, 0.6) if fate < 0.15 else 0
    return (passes(chance, asked, 0.3) if 0.15 <= fate < 0.5 else 0), lost, asked


def rare(chance: random.Random) -> tuple[int, int, int]:
    """One prompt of twelve gains much, the others nothing."""
    asked = chance.randint(5, 8)
    return (passes(chance, asked, 0.6) if chance.random() < 0.08 else 0), 0, asked


SHAPES: tuple[Draw, ...] = (modest, unlike, ties, full, some, mixed, rare)


def main(samples: int) -> None:
    """Print the table."""
    print("shape   spread    n  covered  width  no spread")
    for draw in SHAPES:
        chance = random.Random(1)
        many = [
            (one - other) / asked for one, other, asked in (draw(chance) for _ in range(200_000))
        ]
        true, spread = statistics.fmean(many), statistics.pstdev(many)
        for n in (5, 10, 20, 30, 100):
            covered, widths = 0, []
            for _ in range(samples):
                rows = [draw(chance) for _ in range(n)]
                pairs = [
                    Pair(f"{place}", "", Arm(one, asked), Arm(other, asked))
                    for place, (one, other, asked) in enumerate(rows)
                ]
                found = lift(pairs, repeats=REPEATS)
                if found.low is not None and found.high is not None:
                    covered += found.low <= true <= found.high
                    widths.append(found.high - found.low)
            print(
                f"{draw.__name__:<7} {spread:6.2f} {n:>4}  {covered / len(widths):7.3f}  "
                f"{statistics.fmean(widths):5.2f}  {1 - len(widths) / samples:9.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
