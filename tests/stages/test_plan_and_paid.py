"""What is paid never exceeds what the plan said and the cap allows: commands, faults and hands.

A walk plays commands with random options, answers that are lost, refused or useless, and hands that
delete, edit and restore files. Before each command its plan is taken; what the gateway then bills
must fit it, call by call, and the receipts must account for all of it.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, run
from judges import Judge, picture
from loopback import Gateway, Reply

STEPS = int(os.environ.get("PLAN_STEPS", "12"))
# Stage in a plan -> what the gateway bills.
BILLED = {
    "reasoning": "chat",
    "questions": "chat",
    "verification": "chat",
    "motion": "chat",
    "composition": "image",
    "repair": "image",
    "synthesis": "create",
    "direct": "create",
}
PROMPTS = ("A cat jumps from a shelf", "A dog chases a ball")
FAULTS: dict[str, tuple[str, Reply]] = {
    "lost": ("image", Reply(500, json={"error": {"message": "lost"}}, accepted=True)),
    "refused": ("image", Reply(400, json={"error": {"message": "x", "code": "content_policy"}})),
    "broken": ("image", Reply(json={"data": [{"b64_json": "bm90IGEgcGljdHVyZQ=="}]})),
    "lost clip": ("create", Reply(500, json={"error": {"message": "lost"}}, accepted=True)),
    "busy": ("image", Reply(503, json={"error": {"message": "busy"}}, accepted=False)),
}


class Walk:
    """One walk. `dice` decide everything."""

    def __init__(self, gateway: Gateway, seed: int) -> None:
        self.gateway = gateway
        self.dice = random.Random(seed)
        self.judge = Judge(gateway)
        self.log: list[str] = []
        self.useless = False  # whether the LLM's answers cannot be used, and are asked for twice

    def command(self) -> tuple[str, list[str]]:
        """A script and its options."""
        dice = self.dice
        words = ["--json", *dice.choice(WISHES)]
        if dice.random() < 0.25:
            words.append("--resubmit")
        if dice.random() < 0.6:
            words.append("--overwrite")
        if dice.random() < 0.4:
            caption = dice.choice(("A tabby cat on a shelf.", "A red ball on grass."))
            return "generate_anchor", [caption, "--output=a.png", *words]
        if dice.random() < 0.3:
            words.append("--stop-after=anchor")
        return "factorized_generate", [
            f"--prompt={dice.choice(PROMPTS)}",
            "--output=v.mp4",
            *(["--motion-from-anchor"] if dice.random() < 0.15 else []),
            *words,
        ]

    def hands(self) -> None:
        """Something is done to the files, now and then."""
        files = [path for path in Path().rglob("*") if path.is_file()]
        if files and self.dice.random() < 0.5:
            path = self.dice.choice(sorted(files))
            deed = self.dice.choice(DEEDS)
            self.log.append(f"{deed.__name__} {path}")
            deed(path)

    def fault(self) -> None:
        """Something goes wrong at the gateway, now and then."""
        self.gateway.mend()
        self.gateway._rows.clear()
        if self.dice.random() < 0.4:
            name = self.dice.choice(sorted(FAULTS))
            endpoint, reply = FAULTS[name]
            self.log.append(f"fault: {name}")
            self.gateway.will(endpoint, reply)
        if self.dice.random() < 0.15:
            task = self.dice.choice(("questions", "check", "rewrite", "motion"))
            self.log.append(f"useless: {task}")
            self.useless, self.judge.says = True, {task: lambda data, what: "Well."}
        else:
            self.useless, self.judge.says = False, {}
        self.judge.fails = {str(n): {1} for n in range(1, 4) if self.dice.random() < 0.5}

    def step(self) -> None:
        """A plan, the command, and what it was billed."""
        self.hands()
        self.fault()
        script, words = self.command()
        self.log.append(f"{script} {' '.join(words)}")
        planned = run(script, *words, "--dry-run", gateway=self.gateway)
        counts = calls_in(planned)
        cap = self._cap(planned)
        before = Counter(self.gateway.billed)
        done = run(script, *words, *cap, gateway=self.gateway)
        paid = Counter(self.gateway.billed)
        paid.subtract(before)
        if os.environ.get("PLAN_STATS"):
            with open(os.environ["PLAN_STATS"], "a") as file:
                file.write(f"{done.code} {planned.code} {dict(+paid)} of {dict(counts)}\n")
        told = f"{done.code} {dict(+paid)} of {dict(counts)} {done.err.splitlines()[-2:]}"
        self.log.append(told)
        shown = "\n".join(self.log)
        assert done.code not in (1, 130), shown + done.err
        for what, number in paid.items():
            most = counts[what] * (2 if what == "chat" and self.useless else 1)
            assert number <= most, f"{what}: paid {number}, planned {counts[what]}\n{shown}"
        if planned.code == 2:
            assert not +paid, shown
        spent = planned.json.get("spent") or {"amount": 0.0}
        after = done.json.get("spent") or spent
        for word in cap if +paid else ():
            assert after["amount"] <= float(word.partition("=")[2]) + 1e-6, shown
        if done.json.get("spent") and done.json["output"]:
            assert done.json["spent"]["amount"] >= spent["amount"] - 1e-6, f"it got less\n{shown}"

    def _cap(self, planned: Run) -> list[str]:
        """A cap that the plan just fits, or just does not; now and then."""
        cost, spent = planned.json.get("cost"), planned.json.get("spent")
        if (
            planned.code
            or not cost
            or not spent
            or cost["amount"] is None
            or spent["unknown_calls"]
        ):
            return []
        chance = self.dice.random()
        now = sum(stage["cost"]["amount"] or 0.0 for stage in planned.json["stages"])
        if chance < 0.3:
            return [f"--max-cost={spent['amount'] + now:.6f}"]
        if chance < 0.5 and now > 0.001:
            return [f"--max-cost={spent['amount'] + now - 0.0005:.6f}"]
        return []


WISHES: tuple[tuple[str, ...], ...] = (
    (),
    (),
    ("--candidates=2",),
    ("--candidates=3",),
    ("--candidates=2", "--verify"),
    ("--verify",),
    ("--candidates=2", "--repair"),
    ("--repair",),
    ("--select=1",),
    ("--select=2",),
)


def delete(path: Path) -> None:
    path.unlink()


def edit(path: Path) -> None:
    path.write_bytes(picture((1280, 720), 77) if path.suffix == ".png" else b"Changed by hand.\n")


def damage(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20])


def swap(path: Path) -> None:
    """Another picture of the same folder takes its place, as by a careless copy."""
    others = [one for one in path.parent.glob(f"*{path.suffix}") if one != path]
    if others and not path.name.endswith(".json"):
        shutil.copyfile(others[0], path)


# Pictures and texts are edited and lost more often than receipts are.
DEEDS: tuple[Callable[[Path], None], ...] = (delete, delete, edit, edit, swap, damage)


def calls_in(planned: Run) -> Counter[str]:
    """How many calls of each kind a plan says at most; a plan that is refused says none."""
    found: Counter[str] = Counter()
    document: dict[str, Any] = planned.json
    for stage in document.get("stages") or ():
        found[BILLED[stage["stage"]]] += stage["times"]
    return found


@pytest.mark.thorough
@pytest.mark.parametrize("seed", range(int(os.environ.get("PLAN_WALKS", "4"))))
def test_a_walk(gateway: Gateway, seed: int) -> None:
    walk = Walk(gateway, seed + int(os.environ.get("PLAN_SEED", "0")))
    for _ in range(STEPS):
        walk.step()
