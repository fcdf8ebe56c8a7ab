"""The skill as installers and validators see it: frontmatter, size, versions, evals, plugin."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import factorized_generate
import pytest
from factorized_video import VERSION

ROOT = Path(__file__).resolve().parents[1]
NAME = "factorized-video-gen"
SHIPPED = (
    "SKILL.md",
    "README.md",
    "LICENSE",
    "pyproject.toml",
    "scripts",
    "references",
    "evals",
    ".claude-plugin",
)


def skill_text() -> str:
    return (ROOT / "SKILL.md").read_text(encoding="utf-8")


def frontmatter() -> dict[str, str]:
    """The fields; a nested one as `parent.child`. Each is one plain or quoted line."""
    block = re.match(r"---\n(.*?)\n---\n", skill_text(), re.DOTALL)
    assert block
    fields, parent = {}, ""
    for line in block[1].splitlines():
        key, colon, value = line.partition(":")
        assert colon, line
        if not line.startswith(" "):
            parent = key
        name = key if key == parent else f"{parent}.{key.strip()}"
        if value.strip():
            fields[name] = value.strip()
    return fields


def loaded(path: str) -> Any:
    return json.loads((ROOT / path).read_text(encoding="utf-8"))


# -- SKILL.md --------------------------------------------------------------------------------------


def test_only_the_legal_fields() -> None:
    fields = {name.partition(".")[0] for name in frontmatter()}
    assert fields == {
        "name",
        "description",
        "license",
        "compatibility",
        "metadata",
        "allowed-tools",
    }
    assert frontmatter()["name"] == NAME
    assert frontmatter()["license"] == "MIT"
    assert len(frontmatter()["compatibility"]) <= 500
    assert re.fullmatch(r'"\d+\.\d+\.\d+"', frontmatter()["metadata.version"])


def test_description_says_when_and_when_not() -> None:
    description = frontmatter()["description"]
    assert 400 <= len(description) <= 600
    assert not re.search(r"[<>]|: | #|^[\"'&*!|>%@`]", description)
    assert "Use when" in description
    assert "Not for" in description
    # What the original skill is triggered by.
    for words in (
        "higher-quality",
        "composition",
        "spatial accuracy",
        "factorized",
        "anchor-based",
        "first frame",
        "factorized video",
        "anchor frame video",
        "better video generation",
    ):
        assert words in description


def test_only_what_is_free_is_approved_beforehand() -> None:
    allowed = frontmatter()["allowed-tools"]
    rules = re.findall(r"\w+\([^)]*\)|\S+", allowed)
    assert " ".join(rules) == allowed
    for rule in rules:
        assert re.fullmatch(
            r"Bash\((?:bash \$\{CLAUDE_SKILL_DIR\}/scripts/setup\.sh(?: --check-key)?(?: --json)?"
            r"|python3 \$\{CLAUDE_SKILL_DIR\}/scripts/\w+\.py --dry-run \*"
            r"|python3 \$\{CLAUDE_SKILL_DIR\}/scripts/\w+\.py --list-(?:runs|models) \*)\)",
            rule,
        ), rule
        named = re.search(r"\}/(scripts/[\w.]+)", rule)
        assert named
        assert (ROOT / named[1]).is_file()


def test_it_is_short() -> None:
    text = skill_text()
    assert len(text.splitlines()) < 300
    # 2,000 tokens: a tokenizer of cl100k counts one for 3.6 characters of it.
    assert len(text) < 7_100
    assert all(ord(char) < 0x2190 for char in text), "no emoji, no box drawings"


@pytest.mark.parametrize(
    "word",
    [
        "--dry-run",
        "--max-cost",
        "--allow-unknown-cost",
        "--stop-after",
        "--list-models",
        "--list-runs",
        "--no-audio",
        "--fit crop",
        "--fit pad",
        "--anchor-path",
        "--resubmit",
        "`filmstrip`",
        "`anchor_fidelity`",
        "`next`",
        "`replacement`",
        "| 7 | `budget` |",
        "| 12 | `unverified` |",
        "`contact_sheet`",
        "(references/first-frame.md)",
    ],
)
def test_it_names_what_an_agent_must_know(word: str) -> None:
    assert word in skill_text()


def test_it_has_the_clip_looked_at_by_its_filmstrip_and_never_itself() -> None:
    text = skill_text()
    assert "**Never read the video file.**" in text
    assert "Read the PNG at `filmstrip`" in text
    # A stage script by itself makes none unless it is told to.
    for command in re.findall(r"`(python3 [^`]*generate_video_from_anchor\.py [^`]*)`", text):
        assert "--filmstrip" in command


def test_it_stands_alone() -> None:
    assert "README" not in skill_text()
    for link in re.findall(r"\]\(([^)]+)\)", skill_text()):
        assert re.fullmatch(r"references/[\w-]+\.md", link), "one level of references"


def test_each_shown_command_is_one_plain_command() -> None:
    for block in re.findall(r"```bash\n(.*?)```", skill_text(), re.DOTALL):
        assert len(block.strip().splitlines()) == 1
        assert re.match(r"(?:bash|python3) \$\{CLAUDE_SKILL_DIR\}/scripts/", block)
        assert not re.search(r"[|;&<>]", block)


def test_versions_are_equal_everywhere() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (in_project,) = re.findall(r'^version = "(.*)"$', project, re.MULTILINE)
    plugin, market = (loaded(f".claude-plugin/{n}.json") for n in ("plugin", "marketplace"))
    versions = {
        in_project,
        frontmatter()["metadata.version"].strip('"'),
        plugin["version"],
        market["plugins"][0]["version"],
        VERSION,
    }
    assert versions == {VERSION}


# -- beside it -------------------------------------------------------------------------------------


def test_plugin_and_marketplace() -> None:
    assert loaded(".claude-plugin/plugin.json")["name"] == NAME
    market = loaded(".claude-plugin/marketplace.json")
    assert market["name"] == NAME
    assert market["owner"]["name"]
    (entry,) = market["plugins"]
    assert entry["name"] == NAME
    assert entry["source"] == "./"


def test_evals_have_their_shape() -> None:
    data = loaded("evals/evals.json")
    assert set(data) == {"skill_name", "evals"}
    assert data["skill_name"] == NAME
    assert len(data["evals"]) >= 4
    for number, row in enumerate(data["evals"], 1):
        assert set(row) == {"id", "prompt", "expected_output", "files", "assertions"}
        assert row["id"] == number
        assert isinstance(row["files"], list)
        assert all(isinstance(line, str) and line for line in row["assertions"])
        assert row["assertions"]


def test_trigger_queries_are_half_near_misses_and_some_chinese() -> None:
    queries = loaded("evals/trigger-queries.json")
    assert all(set(row) == {"query", "should_trigger"} for row in queries)
    wanted = [row["should_trigger"] for row in queries]
    assert 18 <= len(queries) <= 24
    assert wanted.count(True) == wanted.count(False)
    chinese = [row for row in queries if re.search(r"[\u4e00-\u9fff]", row["query"])]
    assert {row["should_trigger"] for row in chinese} == {True, False}
    assert len({row["query"] for row in queries}) == len(queries)


@pytest.mark.parametrize(
    "command",
    [
        ["agentskills", "validate", "."],
        ["skillsaw", "lint", "--strict", "."],
        ["agnix", "--strict", "."],
    ],
    ids=lambda command: str(command[0]),
)
def test_the_validators_pass(command: list[str], tmp_path: Path) -> None:
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    program = shutil.which(command[0], path=places)
    if program is None:
        pytest.skip(f"{command[0]} is not installed: see the test extra in pyproject.toml")
    copy = tmp_path / NAME
    copy.mkdir()
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
            )
        else:
            shutil.copy(ROOT / name, copy / name)
    last = command[-1] if command[0] != "agentskills" else str(copy)
    ended = subprocess.run(
        [program, *command[1:-1], last],
        cwd=copy,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_every_row_of_the_intent_table_can_be_added_to_the_command() -> None:
    table = skill_text().partition("| The user wants | Add |")[2].partition("\n\n")[0]
    rows = [line.split(" | ")[1] for line in table.splitlines() if line.startswith("| ")]
    added = [code for row in rows for code in re.findall(r"`(--[^`]+)`", row)]
    assert len(rows) >= 10 and len(added) >= 15
    for options in added:
        words = shlex.split(options)
        base = [] if "--prompt" in words else ["--prompt=A cat jumps"]
        factorized_generate.build_parser().parse_args([*base, *words])
