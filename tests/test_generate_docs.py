"""tools/generate_docs.py: the documents contain the registry's facts and prices, and no others."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from factorized_video import models

ROOT = Path(__file__).resolve().parents[1]
REGION = re.compile(r"<!-- generated: ([\w-]+) -->.*?<!-- /generated -->", re.DOTALL)
DOCS = [ROOT / "README.md", ROOT / "SKILL.md", *sorted(ROOT.glob("references/*.md"))]
MODELS = "scripts/factorized_video/models/models.json"

pytestmark = [pytest.mark.usefixtures("live_registry"), pytest.mark.thorough]


def generate(root: Path, *args: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(root / "tools" / "generate_docs.py"), *args],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def skill(tmp_path: Path) -> Path:
    """A copy of the skill that a test may change."""
    for name in ("scripts", "tools", "references"):
        skipped = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=skipped)
    for name in ("README.md", "SKILL.md"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_the_documents_are_up_to_date() -> None:
    assert generate(ROOT, "--check") == (0, "up to date\n")


def test_a_price_changes_in_every_document_by_one_command(skill: Path) -> None:
    path = skill / MODELS
    registry = json.loads(path.read_text(encoding="utf-8"))
    default = models.gateway("happycapy").defaults["image"]
    (row,) = [row for row in registry["models"] if row["id"] == default]
    for price in row["prices"]:
        price["usd"] = 8.75
    path.write_text(json.dumps(registry), encoding="utf-8")
    code, said = generate(skill, "--check")
    pages = ["README.md", "references/first-frame.md", "references/measuring.md"]
    assert code == 1
    assert [page for page in [*pages, "references/model-configs.md"] if page not in said] == []
    assert "8.75" not in (skill / "README.md").read_text(encoding="utf-8")  # only checked
    assert generate(skill)[0] == 0
    assert "8.75" in (skill / "references/first-frame.md").read_text(encoding="utf-8")
    assert "8.76" in (skill / "README.md").read_text(encoding="utf-8")  # with its caption
    assert generate(skill, "--check")[0] == 0


def test_what_is_written_by_hand_stays(skill: Path) -> None:
    page = skill / "README.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(REGION.sub(r"<!-- generated: \1 -->x<!-- /generated -->", text))
    assert generate(skill)[0] == 0
    assert REGION.sub("", page.read_text(encoding="utf-8")) == REGION.sub("", text)


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_no_price_is_written_by_hand(path: Path) -> None:
    text = REGION.sub("", path.read_text(encoding="utf-8"))
    # A measurement with set prices, dated.
    text = re.sub(r"## What the loop does, measured\n.*?(?=\n## |\Z)", "", text, flags=re.DOTALL)
    priced = r"USD \d+\.\d+|\d\.\d+ (?:an image|a second|USD)|--max-cost \d+\.\d+"
    assert re.findall(priced, text) == []
