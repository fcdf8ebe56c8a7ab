"""Every scene through the command line in every mode, and the table of what came of it.

    python tests/bed [--scenes N] [--seed S] [--rates 0,0.1,0.2] [--simulated]
    python tests/bed --lift [A:B,...] [--scenes N] [--repeats R] [--frames F]

The second measures the measuring of comparisons instead: see `lift`.
Nothing but 127.0.0.1 is spoken to. See the package's docstring for what is measured, and what not.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import sqrt
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

from loopback import Gateway

from bed import scenes
from bed.judge import read
from bed.loop import MODES, PLAIN, REPAIR, VERIFY, Outcome, simulated
from bed.models import CHAT_USD, CLIP_USD, IMAGE_USD, Models, Rates
from bed.world import World

if TYPE_CHECKING:
    from conftest import Run

CANDIDATES = (1, 2, 4)
OPTIONS = {PLAIN: [], VERIFY: ["--verify"], REPAIR: ["--verify", "--repair"]}
UNVERIFIED = 12  # the exit code where no candidate is good enough, here: could be checked
NORMAL_95 = 1.959964  # standard deviations on either side that hold 95 % of a normal distribution


def build_parser() -> argparse.ArgumentParser:
    """The options."""
    default = Rates()
    parser = argparse.ArgumentParser(
        "python tests/bed", description="Measures the loop that checks anchors; no hosted model."
    )
    parser.add_argument(
        "--lift",
        nargs="?",
        const="0.1:0.3,0.2:0.2",
        metavar="A:B,...",
        help="measure comparisons whose lift is known instead: a fact is drawn wrong in an anchor "
        "with probability A, in a direct clip's first frame with B (default: 0.1:0.3,0.2:0.2)",
    )
    parser.add_argument(
        "--scenes", type=int, metavar="N", help="(default: 100; with --lift 20 in each repeat)"
    )
    parser.add_argument(
        "--repeats", type=int, default=100, metavar="R", help="of --lift (default: 100)"
    )
    parser.add_argument(
        "--frames", type=int, default=9, metavar="F", help="of a clip of --lift (default: 9)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="(default: 1)")
    parser.add_argument(
        "--rates",
        metavar="J,...",
        help="probabilities that an answer of the judge is wrong (default: 0,0.1,0.2), or with "
        "--lift one of the evaluator (default: 0,0.1)",
    )
    for name, of in (
        ("draws-wrong", "a fact is drawn wrong"),
        ("mends", "an edit mends a fact that it is to"),
        ("breaks", "an edit breaks another fact"),
    ):
        usual = getattr(default, name.replace("-", "_"))
        parser.add_argument(
            f"--{name}",
            type=float,
            default=usual,
            metavar="P",
            help=f"the probability that {of} (default: {usual:g})",
        )
    parser.add_argument(
        "--simulated",
        action="store_true",
        help="the loop in a few lines of its own instead of the command line: to compare with; "
        "with --lift no pictures, and answers by chance",
    )
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="at once (default: 2)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run it all and print the table."""
    args = build_parser().parse_args(argv)
    rates = Rates(draws_wrong=args.draws_wrong, mends=args.mends, breaks=args.breaks)
    given = args.rates or ("0,0.1" if args.lift else "0,0.1,0.2")
    errors = [float(word) for word in given.split(",")]
    number_of_scenes = args.scenes or (20 if args.lift else 100)
    if args.lift:
        from bed import lift  # it needs PyAV, which nothing else here does

        pairs = [tuple(map(float, pair.split(":"))) for pair in args.lift.split(",")]
        with tempfile.TemporaryDirectory(prefix="bed-") as made:
            alone_in(Path(made))
            lift.show(
                [(anchor, direct) for anchor, direct in pairs],
                errors,
                prompts=number_of_scenes,
                repeats=args.repeats,
                frames=args.frames,
                seed=args.seed,
                jobs=args.jobs,
                is_simulated=args.simulated,
            )
        return 0
    asked = [scenes.generate(random.Random(f"{args.seed}|{n}")) for n in range(number_of_scenes)]
    print("\n".join(heading(number_of_scenes, args.seed, rates, args.simulated)), flush=True)
    with tempfile.TemporaryDirectory(prefix="bed-") as made, ThreadPoolExecutor(args.jobs) as pool:
        if not args.simulated:
            alone_in(Path(made))
        for number in CANDIDATES:
            for mode in MODES:
                # Without a check nobody asks the judge.
                for error in errors if mode != PLAIN else [None]:
                    at = replace(rates, judges_wrong=error or 0.0)

                    def one(
                        place: int, number: int = number, mode: str = mode, at: Rates = at
                    ) -> Outcome:
                        models = Models(at, f"{args.seed}|{place}")
                        if args.simulated:
                            return simulated(models, asked[place], number, mode)
                        folder = Path(tempfile.mkdtemp(dir=made))
                        return by_command(models, asked[place], number, mode, folder)

                    outcomes = list(pool.map(one, range(number_of_scenes)))
                    print(row(number, mode, error, outcomes), flush=True)
    return 0


def heading(number: int, seed: int, rates: Rates, is_simulated: bool) -> list[str]:
    """What the table is of, in words, and its first two lines."""
    how = "a simulation of the loop's decisions" if is_simulated else "the real command line"
    return [
        "The loop that checks an anchor, on generated scenes of coloured shapes, with models whose "
        "error rates are set.",
        "It is the loop that is measured, never a hosted model: here errors are independent of "
        "each other, the questions cover all that counts, and an error is a matter of chance "
        "alone. How often a real image model draws wrong, and a real judge errs, must be "
        "measured on them.",
        "",
        f"By {how}: {number} scenes, seed {seed}. A fact is drawn wrong with probability "
        f"{rates.draws_wrong:g}; an edit mends a fact that it is asked to with {rates.mends:g} and "
        f"breaks another with {rates.breaks:g}. A call costs USD {CHAT_USD} (chat) or {IMAGE_USD} "
        f"(image), a clip {CLIP_USD:.2f}. Right: every question about the scene is answered by yes "
        "from the pixels of the anchor, without error. In brackets: the 95 % Wilson interval.",
        "",
        "| N | mode | judge errs | right anchor goes to Stage 3 | anchor, USD | "
        "clip that begins right, USD | calls |",
        "|--:|---|--:|---|--:|--:|--:|",
    ]


def row(number: int, mode: str, error: float | None, outcomes: Sequence[Outcome]) -> str:
    """One line of the table. What a clip that begins right costs holds what the others cost."""
    right = sum(one.right for one in outcomes)
    share, (low, high) = right / len(outcomes), wilson(right, len(outcomes))
    usd, calls = mean(one.usd for one in outcomes), mean(one.calls for one in outcomes)
    goes_on = mean(one.goes_on for one in outcomes)
    per_right = f"{(usd + goes_on * CLIP_USD) / share:.2f}" if right else "-"
    errs = "-" if error is None else f"{error:g}"
    return (
        f"| {number} | {mode} | {errs} | {share:.2f} ({low:.2f} to {high:.2f}) | {usd:.3f} | "
        f"{per_right} | {calls:.1f} |"
    )


def wilson(hits: int, number: int) -> tuple[float, float]:
    """The 95 % interval of a probability of which so many of a number of tries were hits."""
    share, z2 = hits / number, NORMAL_95**2
    middle = (share + z2 / (2 * number)) / (1 + z2 / number)
    half = NORMAL_95 * sqrt(share * (1 - share) / number + z2 / (4 * number**2))
    half /= 1 + z2 / number
    return max(0.0, middle - half), min(1.0, middle + half)


def by_command(
    models: Models, scene: scenes.Scene, number: int, mode: str, folder: Path
) -> Outcome:
    """One run of the real command line against these models; the anchor goes into the folder.

    Raises AssertionError where a command fails, or tells another cost than the gateway billed.
    """
    words = [
        scenes.still(scene),
        f"--output={folder / 'anchor.png'}",
        f"--candidates={number}",
        *OPTIONS[mode],
    ]
    if mode != PLAIN:
        words.append(f"--user-prompt={scenes.prompt(scene)}")
    with World(models).behind(Gateway()) as gateway:
        ran = _ran(words, gateway)
        if mode == PLAIN and number > 1:
            # Nobody looks at the contact sheet here: whoever does not check takes the first.
            ran = _ran([*words, "--select=1"], gateway)
    told, goes_on = ran.json, ran.code == 0
    spent = told["cost"]["amount"]
    assert abs(spent - models.usd) < 1e-6, f"{spent} USD told, {models.usd} billed: {words}"
    right = goes_on and scenes.is_right(scene, read(Path(told["output"]).read_bytes()))
    return Outcome(goes_on, right, models.usd, sum(models.calls.values()))


def _ran(words: Sequence[str], gateway: Gateway) -> Run:
    from conftest import run

    ran = run("generate_anchor", *words, "--json", gateway=gateway)
    assert ran.code in (0, UNVERIFIED), f"exit {ran.code} of {words}\n{ran.out}{ran.err}"
    return ran


def alone_in(folder: Path) -> None:
    """Make this process what conftest's fixture `home` makes of a test: no settings, a home."""
    from conftest import ASTRAY, OURS, guarded

    for name in list(os.environ):
        if name.startswith(OURS) or any(part in name.upper() for part in ASTRAY):
            del os.environ[name]
    for name in ("HOME", "TMPDIR"):
        (folder / name).mkdir()
        os.environ[name] = str(folder / name)
    os.environ["PYTHONPATH"] = guarded()
    os.environ["FACTORIZED_VIDEO_TIME_SCALE"] = "0.01"
    os.chdir(folder)


if __name__ == "__main__":
    sys.exit(main())
