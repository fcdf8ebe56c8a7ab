"""The thirty prompts that are shipped for measuring: complete, ours, and of the shape told."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from factorized_video import checks

FILE = Path(__file__).resolve().parents[1] / "references" / "prompts.jsonl"
LINES = FILE.read_text(encoding="utf-8").splitlines()
CATEGORIES = (
    "consistent-attribute", "dynamic-attribute", "spatial", "motion", "action", "interaction",
    "numeracy",
)  # fmt: skip
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
    assert not any(name.split()[1] in prompt.lower() for name in checks.STRANGERS)
