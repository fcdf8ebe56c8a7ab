"""The thirty prompts that are shipped for measuring: complete, ours, and of the shape told."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from factorized_video.experiments import statistics
from factorized_video.prompts import checklist

FILE = Path(__file__).resolve().parents[2] / "references" / "prompts.jsonl"
LINES = FILE.read_text(encoding="utf-8").splitlines()
CATEGORIES = (
    "consistent-attribute",
    "dynamic-attribute",
    "spatial",
    "motion",
    "action",
    "interaction",
    "numeracy",
)
ROWS: list[dict[str, Any]] = [json.loads(line) for line in LINES]


def test_there_are_thirty_in_the_seven_categories_in_order() -> None:
    counted = Counter(row["category"] for row in ROWS)
    assert tuple(counted) == CATEGORIES
    assert len(ROWS) == 30
    assert set(counted.values()) <= {4, 5}


def test_none_is_there_twice() -> None:
    texts = [" ".join(re.findall(r"\w+", row["prompt"].lower())) for row in ROWS]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["prompt"][:30])
def test_each_is_a_plain_prompt(row: dict[str, Any]) -> None:
    assert set(row) == {"category", "prompt"}
    prompt = row["prompt"]
    assert 8 <= len(prompt.split()) <= 30
    assert prompt.isascii()
    assert prompt == prompt.strip()
    assert prompt.endswith(".")
    # Such a prompt would leave the control questions one less thing that nobody asked for.
    assert not any(name.split()[1] in prompt.lower() for name in checklist.STRANGERS)


def test_the_snippet_that_brings_a_benchmarks_prompts_makes_lines_of_this_shape() -> None:
    """On files named and laid out as in that repository; their texts are ours."""
    names = [
        "1_consistent_attr",
        "2_dynamic_attr",
        "3_spatial_relationship",
        "4_motion_binding",
        "5_action_binding",
        "6_interaction",
        "7_numeracy",
    ]
    folder = Path("T2V-CompBench/prompts")
    folder.mkdir(parents=True)
    for name in names:
        texts = [f"A caf\u00e9 {number} of {name} " for number in range(12)]  # and a space
        (folder / f"{name}.txt").write_bytes("\r\n".join([*texts, ""]).encode())
    page = (FILE.parent / "measuring.md").read_text(encoding="utf-8")
    [snippet] = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    exec(compile(snippet, "snippet", "exec"), {})
    rows = [json.loads(line) for line in Path("t2v-compbench.jsonl").read_bytes().splitlines()]
    assert [row["category"] for row in rows] == [name for name in CATEGORIES for _ in range(10)]
    assert [row["prompt"] for row in rows[10:12]] == [
        "A caf\u00e9 0 of 2_dynamic_attr",
        "A caf\u00e9 1 of 2_dynamic_attr",
    ]


def test_the_categories_are_those_that_the_lift_is_told_for() -> None:
    assert statistics.CATEGORIES == CATEGORIES
