#!/usr/bin/env python3
"""Write into the documents what the registry of models contains: facts, prices, totals.

    python3 tools/generate_docs.py            rewrite what is out of date
    python3 tools/generate_docs.py --check    only report it: exit code 1 if anything is

Run it after every change to scripts/factorized_video/models/models.json. It replaces what stands
between `<!-- generated: NAME -->` and `<!-- /generated -->`; everything else is written by hand.
Totals are those of dry runs by the real command line, so it needs what they need: the packages that
setup.sh installs, but no key and no network.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts"), str(Path(__file__).resolve().parent)]

import model_tables
from factorized_video import models

REGION = re.compile(r"(<!-- generated: ([\w-]+) -->)(.*?)(<!-- /generated -->)", re.DOTALL)
GATEWAY = "happycapy"
CHECKED = "--candidates 3 --verify"


@cache
def dry_run(*words: str) -> dict[str, Any]:
    """The plan of a run with these options."""
    script = ROOT / "scripts" / "factorized_generate.py"
    ours = ("AI_GATEWAY_", "FACTORIZED_", "OPENROUTER_")
    environ = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    with tempfile.TemporaryDirectory() as folder:
        ended = subprocess.run(
            [sys.executable, script, "--dry-run", "--json", f"--gateway={GATEWAY}", *words],
            env={**environ, "HOME": folder},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    if ended.returncode:
        raise SystemExit(f"error: the dry run with {' '.join(words)} failed:\n{ended.stderr}")
    plan: dict[str, Any] = json.loads(ended.stdout)
    return plan


def one(options: str = "") -> dict[str, Any]:
    """The plan of one clip with these options besides the prompt."""
    return dry_run("--prompt=X", *options.split())


def thirty() -> dict[str, Any]:
    """The plan of comparing both ways on our thirty prompts."""
    file = ROOT / "references" / "prompts.jsonl"
    compared = ("--output=measured", "--compare", "--verify")
    return dry_run(f"--prompts-file={file}", *compared)


def total(plan: dict[str, Any]) -> float:
    """USD of a plan."""
    return float(plan["cost"]["amount"])


def up_to_anchor(plan: dict[str, Any]) -> float:
    """USD of all calls before the clip's."""
    costs = [call["cost"]["amount"] for call in plan["stages"] if call["stage"] != "synthesis"]
    return float(sum(costs))


def call(plan: dict[str, Any], stage: str) -> dict[str, Any]:
    """The calls of one stage."""
    found: dict[str, Any] = next(call for call in plan["stages"] if call["stage"] == stage)
    return found


def each(plan: dict[str, Any], stage: str) -> str:
    """USD of one call of a stage."""
    calls = call(plan, stage)
    return f"{calls['cost']['amount'] / calls['times']:.4g}"


def dates(plan: dict[str, Any]) -> str:
    """The dates of a plan's prices."""
    return model_tables.span({call["cost"]["as_of"] for call in plan["stages"]})


def capped(plan: Callable[[], dict[str, Any]], step: float) -> Callable[[str], str]:
    """A text whose --max-cost is what the plan suggests, rounded up to a multiple of `step`.

    The plan of many prompts suggests none: there it is the total.
    """

    def text(old: str) -> str:
        shown = plan()
        suggested = shown.get("suggested_max_cost") or total(shown)
        cap = math.ceil(round(suggested / step, 6)) * step
        return re.sub(r"(?<=--max-cost )[\d.]+", f"{round(cap, 2):g}", old)

    return text


def first_frame_costs(_: str) -> str:
    """What candidates, checks and an edit add to the anchor and to the whole."""
    seconds = call(one(), "synthesis")["settings"]["duration_s"]
    lines = [
        f"With HappyCapy's defaults and list prices of {dates(one(CHECKED))}, in USD, at the most:",
        "",
        f"| options | up to the anchor | with {seconds} s of video |",
        "|---|---|---|",
    ]
    for options in ("", "--verify", "--candidates 3", CHECKED, f"{CHECKED} --repair"):
        plan, shown = one(options), f"`{options}`" if options else "none"
        anchor = up_to_anchor(plan)
        lines.append(f"| {shown} | {anchor:.2f} | {anchor + total_of_clip():.2f} |")
    plan = one(f"{CHECKED} --motion-from-anchor")
    lines += [
        "",
        f"`--motion-from-anchor` adds USD {each(plan, 'motion')}. Each further candidate is USD "
        f"{each(plan, 'composition')}, each check USD {each(plan, 'verification')}.",
    ]
    return "\n".join(lines)


def total_of_clip() -> float:
    """USD of the clip alone: a plan with several candidates ends before it."""
    return float(call(one(), "synthesis")["cost"]["amount"])


def costs(_: str) -> str:
    """What usual runs cost, with the defaults but for the options that are shown."""
    clip = total_of_clip()
    rows: list[tuple[str, float]] = [
        ("a first frame, to look at (`--stop-after anchor`)", total(one("--stop-after=anchor"))),
        ("three first frames, checked (`--candidates 3 --verify`)", up_to_anchor(one(CHECKED))),
        ("a clip of 6 s with its first frame", total(one())),
        ("the same with three checked first frames", up_to_anchor(one(CHECKED)) + clip),
        ("10 s (`--duration 10`)", total(one("--duration=10"))),
        ("with a first frame and without, compared (`--compare`)", total(one("--compare"))),
    ]
    lines = [[what, f"{usd:.2f}"] for what, usd in rows]
    return "\n" + model_tables.table(["a run", "USD"], lines) + "\n"


def thirty_prompts(_: str) -> str:
    """What comparing both ways on our thirty prompts costs."""
    return (
        "The thirty prompts below, with HappyCapy's defaults and the list prices known on "
        f"{models.document()['as_of']}: USD {total(thirty()):.2f}."
    )


REGIONS: dict[str, Callable[[str], str]] = {
    "costs": costs,
    "default-cap": capped(one, 0.01),
    "first-frame-costs": first_frame_costs,
    "first-frame-cap": capped(lambda: one(CHECKED), 0.1),
    "thirty-prompts": thirty_prompts,
    "thirty-prompts-cap": capped(thirty, 5),
    "which-model": lambda _: model_tables.which_model(GATEWAY),
    "models-llm": lambda _: model_tables.of_kind("llm"),
    "models-image": lambda _: model_tables.of_kind("image"),
    "models-video": lambda _: model_tables.of_kind("video"),
    "gateways": lambda _: model_tables.gateways(),
    "as-of": lambda _: str(models.document()["as_of"]),
}


def generated(text: str) -> str:
    """The text with every region written anew."""

    def region(match: re.Match[str]) -> str:
        start, name, old, end = match.groups()
        gap = "\n" if old.startswith("\n") else ""
        return f"{start}{gap}{REGIONS[name](old.strip())}{gap}{end}"

    return REGION.sub(region, text)


def build_parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 if stale")
    return parser


def main() -> int:
    """Write or check all documents; the exit code."""
    check = build_parser().parse_args().check
    stale = []
    for page in [ROOT / "README.md", ROOT / "SKILL.md", *sorted(ROOT.glob("references/*.md"))]:
        old = page.read_text(encoding="utf-8")
        new = generated(old)
        if new != old:
            stale.append(page.relative_to(ROOT).as_posix())
            if not check:
                page.write_text(new, encoding="utf-8")
    if stale and check:
        print(f"out of date: {', '.join(stale)}; run: python3 tools/generate_docs.py")
        return 1
    print(f"rewritten: {', '.join(stale)}" if stale else "up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main())
