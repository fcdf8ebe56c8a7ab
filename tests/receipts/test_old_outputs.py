"""Outputs of earlier versions: they are returned and resumed as the version that made them did.

`old_outputs/` holds work folders and receipts as version 1.0.0 left them, and beside each what that
version made of the same command next: `make_old_outputs.py` says how they came about. If a case
fails, an upgrade would make people pay again for what they have.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import run
from make_old_outputs import PROJECT, continued

pytestmark = pytest.mark.thorough

DRAWN = (".filmstrip.png", ".compare.png", "contact-sheet.png")
OLD_OUTPUTS = Path(__file__).with_name("old_outputs")
CASES = sorted(OLD_OUTPUTS.glob("*/case.json"))


@pytest.mark.parametrize("path", CASES, ids=[path.parent.name for path in CASES])
def test_old_outputs_are_continued_as_by_the_version_that_made_them(path: Path) -> None:
    shutil.copytree(path.parent / "files", Path.cwd(), dirs_exist_ok=True)
    case = json.loads(path.read_text(encoding="utf-8"))
    for now, then in zip(continued(case), case["continued"], strict=True):
        if "openai" in path.parent.name:  # what is made now has the server's port in its digest
            for one in (now, then):
                one["receipts"] = {name: row[0] for name, row in one["receipts"].items()}
        for one in (now, then):  # frames are drawn anew, in the colours that a clip really has
            one["changed"] = [name for name in one["changed"] if not name.endswith(DRAWN)]
        assert now == then


def test_a_command_with_relative_paths_is_listed_with_its_folder() -> None:
    listed = run("factorized_generate", f"--list-runs={OLD_OUTPUTS / 'all-submitted'}", "--json")
    (following,) = [row["next"] for row in listed.json["runs"] if row["next"]]
    assert following.startswith(f"cd {PROJECT} && python3 /")
    assert following.endswith(" --output=v.mp4")
