"""kill -9 to everything, at any moment, and the same command again until it ends by itself.

However often it is killed: the output is whole and is what the gateway served, nothing is left
lying about, and no more is billed than one image and one video and what the person was asked for.
Of a video nobody is asked where the gateway makes one however often it is sent with the same key.
The number of rounds comes from CRASH_ROUNDS, the seed from CRASH_SEED.
"""

from __future__ import annotations

import os
import random
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import KEY, Run
from factorized_video import files as files_of_ours
from loopback import png
from scenarios import BY_KEY, FIRST, FOUND
from speech import NAMES
from storm import WHOLE, Started, Storm, Tally, Watched, files, making, receipt

pytestmark = pytest.mark.thorough

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "3"))
SEED = os.environ.get("CRASH_SEED") or str(random.SystemRandom().randrange(10**6))
MOST_RUNS = 60  # of one round; it ends long before, or never
SLOWEST_S = 0.1  # answers come late by so much, and by more where they are paid for
# Not measured: a killed process keeps no figures, and to begin measuring is most of its time.
ENV = {"FACTORIZED_VIDEO_TIME_SCALE": "0.02", "COVERAGE_PROCESS_CONFIG": None}
# Says how to kill the next run: more environment for it, and the seconds after which it is killed.
Killer = Callable[[], tuple[dict[str, str], float | None]]


def storm(seed: object, dialect: str = "happycapy") -> Storm:
    gateway = Storm(f"{SEED}/{seed}", SLOWEST_S, dialect)
    gateway.ends_after, gateway.key = 2, KEY
    return gateway


def until_it_ends(gateway: Storm, folder: Path, tally: Tally, killer: Killer) -> None:
    """The same command, killed as `killer` says; an exit 8 is answered once. Then look closely."""
    folder.mkdir(parents=True)
    temporary = folder.with_name(f"{folder.name}.tmp")
    temporary.mkdir()
    unknown = {"image": 0, "create": 0}
    answer: tuple[str, ...] = ()
    for number in range(MOST_RUNS):
        watched, after_s = killer()
        began = time.monotonic()
        words = making(*gateway.speech.naming(), *answer)
        run = Started(
            "factorized_generate",
            *words,
            gateway=gateway,
            folder=folder,
            env={"TMPDIR": str(temporary), **ENV, **watched},
        )
        if after_s is not None:
            while time.monotonic() < began + after_s and not run.has_ended():
                time.sleep(0.002)
            if not run.has_ended():
                run.send(signal.SIGKILL)
        ended = run.end()
        answer = ()
        if ended.code == -signal.SIGKILL:
            tally.kills += 1
        elif ended.code == 8:
            unknown[{"composition": "image", "synthesis": "create"}[ended.json["stage"]]] += 1
            answer = answer_to(ended)
        elif ended.code != 6:  # a loaded machine may miss a scaled-down time-out
            if number == 0:
                tally.whole_s = min(tally.whole_s, time.monotonic() - began)
            break
        tally.settled += was_settled(ended)
    assert ended.code == 0, (ended.err, ended.out)
    tally.settled += was_settled(ended)
    tally.delivered += 1
    for what in ("image", "create"):
        tally.unknown[what] += unknown[what]
        tally.billed[what] += gateway.billed[what]
        assert gateway.billed[what] <= 1 + unknown[what], (what, ended.err)
    assert not (gateway.speech.heeds_keys and unknown["create"])
    assert_whole(gateway, folder)
    assert lying_about(folder) | files(temporary / f"factorized-video-{os.getuid()}/kept") == set()


def was_settled(ended: Run) -> bool:
    """Whether it was found out what became of a video whose answer was lost."""
    return FOUND in ended.err or BY_KEY in ended.err


def answer_to(ended: Run) -> tuple[str, ...]:
    """What a person answers an exit 8 with: the job, where one alone may be it."""
    error = ended.json["error"]
    assert error["charged"] == "unknown"
    named = re.search(r"may be it: ([^.]+)", error["hint"])
    ids = named[1].split(", ") if named else []
    return (f"--job={ids[0]}",) if len(ids) == 1 else ("--resubmit",)


def assert_whole(gateway: Storm, folder: Path) -> None:
    """The output is what the gateway served, and every receipt is valid."""
    final = receipt(folder / "cat.mp4")
    assert (folder / "cat.mp4").read_bytes() == gateway.clips[final["job"]]
    anchor = (folder / "cat.stages/anchor.png").read_bytes()
    assert anchor in [png((1280, 720), number) for number in range(gateway.draws)]
    for name in files(folder):
        if name.endswith(".receipt.json"):
            kept = receipt(folder / name.removesuffix(".receipt.json"))
            assert kept["state"] in (("unknown", "intent") if set_aside(name) else ("succeeded",))
            assert (kept["schema_version"], bool(kept["digest"])) == (1, True)


def set_aside(name: str) -> bool:
    """Whether this is the receipt that an answered exit 8 replaced."""
    return bool(re.search(r"\.\d+\.(png|mp4)\.receipt\.json$", name))


def lying_about(folder: Path) -> set[str]:
    """What is in the folder and should not be. Fails if something is missing."""
    found = {name for name in files(folder) if not set_aside(name)}
    assert found >= WHOLE
    return found - WHOLE


def killed_before(watched: Watched, number: int) -> Killer:
    """The first run, before this step; then never."""
    numbers = iter((number,))
    return lambda: (watched.environment(next(numbers, 0)), None)


@pytest.mark.parametrize("locked", [False, True])
def test_what_was_left_of_a_receipt_that_was_kept_aside_is_removed(locked: bool) -> None:
    """But not what belongs to an output of that very name, which another process makes."""
    left = Path(".cat.1.mp4.receipt.json.06cacb27.part")
    clip = Path(".cat.1.mp4.06cacb27.part")
    for path in (left, clip, *([Path(".cat.1.mp4.lock")] if locked else [])):
        path.write_bytes(b"half")
    files_of_ours.sweep(Path.cwd() / "cat.mp4")
    assert (left.exists(), clip.exists()) == (locked, True)


# --- at random moments ----------------------------------------------------------------------------


def at_random(dice: random.Random, tally: Tally) -> Killer:
    """The first run always, the later ones more often than not."""
    # How likely a run is to be killed, and in which part of the time that a whole one takes.
    runs = iter(((1.0, 1.0), (0.9, 0.8), (0.8, 0.7), (0.7, 0.7)))

    def kill() -> tuple[dict[str, str], float | None]:
        chance, part = next(runs, (0.4, 0.7))
        return {}, dice.uniform(0, part * tally.whole_s) if dice.random() < chance else None

    return kill


@pytest.mark.dialects
@pytest.mark.parametrize(
    "dialect",
    [pytest.param(name, marks=[] if name == FIRST else pytest.mark.slow) for name in NAMES],
)
def test_killed_at_any_moment_it_ends_whole_and_nothing_is_paid_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], dialect: str
) -> None:
    tally, watched = Tally(), Watched(tmp_path / "watch", tmp_path)
    with storm("undisturbed", dialect) as gateway:
        undisturbed = Tally()
        until_it_ends(gateway, tmp_path / "undisturbed", undisturbed, killed_before(watched, 0))
        tally.whole_s = undisturbed.whole_s
    writes = watched.receipt_writes
    try:
        for number in range(ROUNDS):
            with storm(number, dialect) as gateway:
                # In every third round a lost job is listed when nobody looks for it any more.
                gateway.listed_after_s = 1.0 if number % 3 == 2 else 0.0
                killer = at_random(random.Random(f"{SEED}/{number}"), tally)
                folder = tmp_path / f"round-{number}"
                until_it_ends(gateway, folder, tally, killer)
            tally.rounds += 1
    finally:
        say(
            capsys,
            f"crash test at {dialect}, CRASH_SEED={SEED}: {tally}\nreceipts of an undisturbed run: "
            f"{len(writes)} writes, {sum(writes) * 1000:.0f} ms of {undisturbed.whole_s:.1f} s",
        )


def say(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Into the normal run's output; on stderr, because of a worker nothing else is seen."""
    with capsys.disabled():
        print(f"\n{text}", file=sys.stderr)


# --- at every step --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def steps() -> list[str]:
    """The steps of an undisturbed run; filled by `watched`, which has a folder to run it in."""
    return []


@pytest.fixture
def watched(tmp_path: Path, steps: list[str]) -> Watched:
    """Counts steps; `steps` are known from now on."""
    watched = Watched(tmp_path / "watch", tmp_path)
    if not steps:
        with storm("steps") as gateway:
            killer = killed_before(watched, 0)
            until_it_ends(gateway, tmp_path / "undisturbed", Tally(), killer)
        steps += watched.steps
    return watched


def one_kill(watched: Watched, folder: Path, number: int, tally: Tally) -> None:
    with storm(number) as gateway:
        until_it_ends(gateway, folder, tally, killed_before(watched, number))
    tally.rounds += 1


# What is about to happen to which file when the kill comes; the last such step of a run.
STEPS = {
    "the trial of a folder is removed": r"os.remove \.cat\.mp4\.\w{8}\.part",
    "the work folder gets its owner": r"os.rename made-for\.txt",
    "the motion is put in place": r"os.rename motion\.txt",
    "the picture is kept": r"os.rename [0-9a-f]{64}",
    "the picture is put in place": r"os.rename anchor\.png",
    "the kept picture is dropped": r"os.remove [0-9a-f]{64}",
    "Stage 2 lets go of its lock": r"os.remove \.anchor\.png\.lock",
    "the clip is put in place": r"os.rename cat\.mp4",
    "the filmstrip is put in place": r"os.rename cat\.filmstrip\.png",
    "Stage 3 lets go of its lock": r"os.remove \.cat\.mp4\.lock",
    "the orchestrator writes the cost": r"os.rename cat\.mp4\.receipt\.json",
}
OFTEN = ("the work folder gets its owner", "the orchestrator writes the cost")


def last(steps: list[str], pattern: str) -> int:
    """The number of the last step like this."""
    return max(
        number for number, step in enumerate(steps, 1) if re.fullmatch(rf"\d+ {pattern}", step)
    )


@pytest.mark.parametrize(
    "step", [pytest.param(name, marks=[] if name in OFTEN else pytest.mark.slow) for name in STEPS]
)
def test_killed_before_a_delicate_step_it_leaves_nothing_behind(
    watched: Watched, steps: list[str], tmp_path: Path, step: str
) -> None:
    one_kill(watched, tmp_path / "round", last(steps, STEPS[step]), Tally())


def test_killed_before_each_step_it_ends_whole_and_nothing_is_paid_twice(
    watched: Watched, steps: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tally = Tally()
    everything = range(1, len(steps) + 1)
    count = min(len(steps), max(1, ROUNDS // 5) if ROUNDS < 100 else len(steps))
    chosen = sorted(random.Random(SEED).sample(everything, count))
    try:
        for number in chosen:
            one_kill(watched, tmp_path / f"step-{number}", number, tally)
    finally:
        say(capsys, f"killed before {count} of {len(steps)} steps, CRASH_SEED={SEED}: {tally}")
