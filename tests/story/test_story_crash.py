"""A story killed at any moment, with all its processes, and the same command again until it ends.

However often that is: the film is whole, nothing is left half written, and no picture and no clip
is billed more often than once, and once more for each time that somebody was told of a lost answer
and had it sent again. The number of rounds comes from CRASH_ROUNDS, the seed from CRASH_SEED.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("av")
pytest.importorskip("PIL")

from conftest import KEY, Run
from stories import STORY, answering
from storm import STATES, Started, Storm, files, receipt

pytestmark = pytest.mark.thorough

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "2"))
SEED = os.environ.get("CRASH_SEED") or str(random.SystemRandom().randrange(10**6))
MOST_RUNS = 60  # of one round; it ends long before, or never
ENV = {"FACTORIZED_VIDEO_TIME_SCALE": "0.05", "COVERAGE_PROCESS_CONFIG": None}
PAID = {"image": 4, "create": 3}  # of a whole story: two of the cast, two first frames; three clips
WORDS = ("--story=umbrella.md", "--output=film.mp4", "--json", "--yes")


def lost(ended: Run) -> dict[str, int]:
    """How many pictures and clips a result says may have been made, and nobody knows."""
    told = ended.json
    found = {"image": 0, "create": 0}
    for one in (*told["cast"], *told["shots"]):
        if (one["error"] or {}).get("kind") == "unknown":
            found["create" if one.get("anchor") else "image"] += 1
    return found


def until_it_ends(gateway: Storm, folder: Path, dice: random.Random, whole_s: float) -> int:
    """The same command, killed as the dice say; an exit 8 is answered. How often it was killed."""
    folder.mkdir(parents=True)
    (folder / "umbrella.md").write_text(STORY, encoding="utf-8")
    allowed, kills = dict(PAID), 0
    more: list[str] = []
    for number in range(MOST_RUNS):
        dies = dice.random() < (1.0, 0.9, 0.8, 0.7, 0.6)[min(number, 4)]
        after_s = dice.uniform(0, whole_s) if dies and number < 12 else None
        began = time.monotonic()
        run = Started("factorized_generate", *WORDS, *more, gateway=gateway, folder=folder, env=ENV)
        if after_s is not None:
            while time.monotonic() < began + after_s and not run.has_ended():
                time.sleep(0.002)
            if not run.has_ended():
                run.send(signal.SIGKILL)
        ended, more = run.end(), []
        if ended.code == -signal.SIGKILL:
            kills += 1
        elif ended.code == 8:
            for what, count in lost(ended).items():
                allowed[what] += count
            more = ["--resubmit"]
        elif ended.code not in (4, 6):  # a loaded machine may miss a scaled-down time-out
            break
    assert ended.code == 0, (ended.err, ended.out)
    assert gateway.billed["create"] <= allowed["create"], (gateway.billed, allowed)
    assert gateway.billed["image"] <= allowed["image"], (gateway.billed, allowed)
    assert_whole(gateway, folder)
    return kills


def undisturbed(gateway: Storm, folder: Path) -> None:
    """A run that nobody kills."""
    folder.mkdir()
    (folder / "umbrella.md").write_text(STORY, encoding="utf-8")
    ended = Started("factorized_generate", *WORDS, gateway=gateway, folder=folder, env=ENV).end()
    assert ended.code == 0, ended.err
    assert_whole(gateway, folder)


def assert_whole(gateway: Storm, folder: Path) -> None:
    """The film is there, its clips are what the gateway served, and nothing is left lying about."""
    told = json.loads((folder / "film.story/story.json").read_text(encoding="utf-8"))
    assert told["film"]["duration_s"] == pytest.approx(18, abs=0.1)
    clips = [Path(shot["output"]) for shot in told["shots"]]
    served = set(gateway.clips.values())
    assert len({clip.read_bytes() for clip in clips}) == 3
    assert all(clip.read_bytes() in served for clip in clips)
    for name in files(folder):
        assert not name.endswith((".part", ".lock")), name
        if name.endswith(".receipt.json"):
            assert receipt(folder / name.removesuffix(".receipt.json"))["state"] in STATES
    assert told["spent"]["amount"] >= told["cost"]["amount"] > 0


def test_killed_at_any_moment_it_ends_whole_and_nothing_is_paid_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kills = 0
    began = time.monotonic()
    with answering(Storm(f"{SEED}/undisturbed", 0.1)) as gateway:
        gateway.ends_after, gateway.key = 2, KEY
        undisturbed(gateway, tmp_path / "undisturbed")
        assert gateway.billed == {**PAID, "chat": 3}
    whole_s = time.monotonic() - began
    for number in range(ROUNDS):
        with answering(Storm(f"{SEED}/{number}", 0.1)) as gateway:
            gateway.ends_after, gateway.key = 2, KEY
            dice = random.Random(f"{SEED}/{number}")
            kills += until_it_ends(gateway, tmp_path / f"round-{number}", dice, whole_s)
    with capsys.disabled():
        print(f"\nstories, CRASH_SEED={SEED}: {ROUNDS} rounds, {kills} kills", file=sys.stderr)
