"""kill -9 at any moment of Stage 2 with candidates, and the same command again until it ends.

However often it is killed: no candidate and no edit is paid for twice, what is there was drawn for
it, the anchor is one of them, and nothing is left lying about. A picture that was out when the kill
came may have been paid for and cannot be looked for: it is missed, said, and not drawn again unless
the person says so. The number of rounds comes from CRASH_ROUNDS, the seed from CRASH_SEED.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from judges import Judge
from loopback import CAPTION
from storm import Started, Storm, Watched, files, receipt
from test_crash import ENV, ROUNDS, SEED, SLOWEST_S

pytestmark = pytest.mark.thorough

NAMES = ("1", "2", "3", "4")
WORDS = (CAPTION, "--output=a.png", "--json", "--candidates=4", "--repair")
FOLDER = "a.candidates"


class Round:
    """One folder and one gateway, whose judge finds faults in all that is drawn."""

    def __init__(self, gateway: Storm, folder: Path) -> None:
        self.gateway, self.folder = gateway, folder
        self.temporary = folder.with_name(f"{folder.name}.tmp")
        folder.mkdir(parents=True)
        self.temporary.mkdir()
        self.kills = self.resubmitted = 0
        judge = Judge(gateway)
        judge.fails = {"1": {1, 2}, "2": {2}, "3": {1}, "4": {1, 2, 3}}

    def run(self, *words: str, after_s: float | None = None, env: Any = None) -> Run:
        """The command, killed after so many seconds, if it is not done by then."""
        began = time.monotonic()
        started = Started(
            "generate_anchor",
            *WORDS,
            *words,
            gateway=self.gateway,
            folder=self.folder,
            env={"TMPDIR": str(self.temporary), **ENV, **(env or {})},
        )
        if after_s is not None:
            while time.monotonic() < began + after_s and not started.has_ended():
                time.sleep(0.002)
            if not started.has_ended():
                started.send(signal.SIGKILL)
        ended = started.end()
        self.kills += ended.code == -signal.SIGKILL
        return ended

    def until_it_ends(self, ended: Run) -> Run:
        """Undisturbed, until it ends by itself; where every picture was lost, once more paid."""
        for _ in range(6):
            if ended.code == 0:
                break
            assert ended.code in (-signal.SIGKILL, 6, 8), (ended.code, ended.err)
            words = ["--resubmit"] if ended.code == 8 else []
            self.resubmitted += len(words)
            ended = self.run(*words)
        assert ended.code == 0, (ended.err, ended.out)
        return ended

    def look_closely(self, ended: Run) -> None:
        """At what was paid for, and at what is there."""
        # One that was cut off before its body had come is no request.
        sent = [one for one in self.gateway.of("image") if one.body]
        told = Counter(str(one.body.get("user")) for one in sent)
        for name, times in told.items():
            assert times <= 1 + self.resubmitted, (name, told)
        assert self.gateway.billed["image"] <= 5 + 5 * self.resubmitted
        rows = {one["candidate"]: one for one in ended.json["candidates"]}
        assert set(rows) >= set(NAMES) or self.kills
        there = {
            name: (self.folder / FOLDER / f"candidate-{name}.png").read_bytes()
            for name, row in rows.items()
            if row["state"] in ("passed", "failed")
        }
        assert len(set(there.values())) == len(there)
        taken = ended.json["candidate"]
        assert (self.folder / "a.png").read_bytes() == there[taken]
        best = max(row["score"] for row in rows.values() if row["score"] is not None)
        assert rows[taken]["score"] == best
        for row in rows.values():
            kept = receipt(self.folder / FOLDER / f"candidate-{row['candidate']}.png")
            assert kept["state"] in ("succeeded", "unknown", "intent")
            assert len(kept.get("checks", [])) <= 1 + self.resubmitted
        left = {name for name in files(self.folder) if name.endswith((".part", ".lock"))}
        kept_aside = files(self.temporary / f"factorized-video-{os.getuid()}/kept")
        assert (left, kept_aside) == (set(), set())
        before = Counter(self.gateway.billed)
        again = self.run()
        assert (again.code, again.json["reused"], again.json["candidate"]) == (0, True, taken)
        assert self.gateway.billed == before


def storm(seed: object) -> Storm:
    return Storm(f"{SEED}/candidates/{seed}", SLOWEST_S)


def test_killed_at_any_moment_no_candidate_is_paid_for_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with storm("whole") as gateway:
        whole = Round(gateway, tmp_path / "whole")
        began = time.monotonic()
        ended = whole.run()
        whole_s = time.monotonic() - began
        whole.look_closely(whole.until_it_ends(ended))
        assert ended.json["candidate"] == "2r"
        assert gateway.billed["image"] == 5
    kills = resubmitted = 0
    for number in range(ROUNDS):
        dice = random.Random(f"{SEED}/{number}")
        with storm(number) as gateway:
            one = Round(gateway, tmp_path / f"round-{number}")
            for part in (1.0, 0.9, 0.8)[: dice.randint(1, 3)]:
                ended = one.run(after_s=dice.uniform(0, part * whole_s))
                if ended.code == 0:
                    break
                if ended.code == 8:
                    ended = one.run("--resubmit", after_s=dice.uniform(0, whole_s))
                    one.resubmitted += 1
            one.look_closely(one.until_it_ends(ended))
            kills, resubmitted = kills + one.kills, resubmitted + one.resubmitted
    with capsys.disabled():
        print(
            f"\ncandidates, CRASH_SEED={SEED}: {ROUNDS} rounds, {kills} kills, {resubmitted} paid "
            "again because every picture was lost",
            file=sys.stderr,
        )


def test_killed_before_each_step_no_candidate_is_paid_for_twice(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "watch", tmp_path)
    with storm("steps") as gateway:
        whole = Round(gateway, tmp_path / "whole")
        whole.look_closely(whole.run(env=watched.environment()))
    with storm("steps again") as gateway:
        Round(gateway, tmp_path / "counted").run(env=watched.environment())
        steps = len(watched.steps)
    chosen = sorted(random.Random(SEED).sample(range(1, steps + 1), min(steps, 2 * ROUNDS)))
    for number in chosen:
        with storm(number) as gateway:
            one = Round(gateway, tmp_path / f"step-{number}")
            one.look_closely(one.until_it_ends(one.run(env=watched.environment(number))))
