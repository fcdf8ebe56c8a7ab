"""Finding a Python that has the packages, and what a script loads before it must."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
ENTRIES = ["rewrite_prompt", "generate_anchor", "generate_video_from_anchor", "factorized_generate"]
PACKAGES = ("requests", "dotenv", "PIL", "av")
HEAVY = {*PACKAGES, "dataclasses", "subprocess", "pathlib", "typing"}


@pytest.fixture
def skill(tmp_path: Path) -> Path:
    """A copy of the skill, in a folder with a space in its name."""
    folder = tmp_path / "my skills" / "video gen"
    shutil.copytree(SCRIPTS, folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def fake_venv(skill: Path) -> Path:
    """A .venv whose Python only shows what it was started with."""
    python = skill / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "started: $0"\nfor word in "$@"; do echo "<$word>"; done\n')
    python.chmod(0o755)
    return python


def start(
    script: Path | str,
    *words: str,
    lacks: tuple[str, ...] = (),
    version: tuple[int, int] | None = None,
    **environ: str,
) -> subprocess.CompletedProcess[str]:
    """Run a script in a Python that lacks packages, or claims to be of another version."""
    code = f"""
import importlib.util, runpy, sys
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name in {lacks!r} else real(name, *rest)
if {version!r}:
    sys.version_info = (*{version!r}, 0, "final", 0)
sys.argv = {[str(script), *words]!r}
sys.path.insert(0, {str(Path(script).absolute().parent)!r})
runpy.run_path(sys.argv[0], run_name="__main__")
"""
    command, env = [sys.executable, "-c", code], {**os.environ, **environ}
    return subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


# -- old Pythons ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["_bootstrap", "_setup", *ENTRIES])
def test_what_runs_before_the_check_parses_as_python_3_6(name: str) -> None:
    source = (SCRIPTS / f"{name}.py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source, feature_version=(3, 6))):
        # Python's parser accepts these whatever version it is asked for.
        assert not isinstance(node, ast.NamedExpr | ast.Match)
        if isinstance(node, ast.ImportFrom):
            assert node.module != "__future__", "annotations came with 3.7"


@pytest.mark.parametrize("version", ["3.6", "3.7", "3.8", "3.9"])
def test_an_old_python(version: str, skill: Path) -> None:
    python = shutil.which(f"python{version}")
    # A version manager's shim may be there and fail.
    if (
        not python
        or subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode
    ):
        pytest.skip(f"there is no Python {version}")
    for name in ENTRIES:
        command = [python, str(skill / "scripts" / f"{name}.py"), "--json"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 2
        error = json.loads(ran.stdout)["error"]
        assert f"3.10 or newer is needed; this is {version}" in error["message"]
    setup = [python, str(skill / "scripts" / "_setup.py"), "--help"]
    assert subprocess.run(setup, capture_output=True, check=True).stdout.startswith(b"usage:")
    inside = fake_venv(skill)
    again = subprocess.run(command, capture_output=True, text=True, check=True)
    assert again.stdout.splitlines() == [f"started: {inside}", f"<{command[1]}>", "<--json>"]


# -- starting again in .venv ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lacks", "version"),
    [(("requests",), None), (("dotenv",), None), (("PIL",), None), (("av",), None), ((), (3, 9))],
)
def test_the_venv_takes_over_with_every_word_as_it_was(
    lacks: tuple[str, ...],
    version: tuple[int, int] | None,
    skill: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    python = fake_venv(skill)
    monkeypatch.chdir(skill.parent)
    script = "video gen/scripts/generate_anchor.py"
    words = ["a cat; $(echo no) 'x' \"y\"", "--output=a b.png", "", "猫", "-"]
    ran = start(script, *words, lacks=lacks, version=version)
    shown = [f"<{word}>" for word in (script, *words)]
    first, *rest = ran.stdout.splitlines()
    assert Path(first.removeprefix("started: ")) == python
    assert rest == shown
    assert ran.stderr == ""


def test_a_python_with_all_packages_stays(skill: Path) -> None:
    fake_venv(skill)
    ran = start(skill / "scripts" / "rewrite_prompt.py", "a cat", "--dry-run")
    assert "started:" not in ran.stdout
    assert ran.returncode == 0


def test_a_script_is_started_again_only_once(skill: Path) -> None:
    """A .venv that is broken itself must not start itself for ever."""
    python = fake_venv(skill)
    script = skill / "scripts" / "generate_anchor.py"
    ran = start(script, "x", lacks=("requests",), FACTORIZED_VIDEO_BOOTSTRAPPED=str(python))
    assert ran.returncode == 2
    assert "This Python lacks requests." in ran.stderr
    # Another skill's .venv does not count.
    ran = start(script, "x", lacks=("requests",), FACTORIZED_VIDEO_BOOTSTRAPPED="/other/python")
    assert ran.stdout.startswith("started:")


@pytest.mark.parametrize(
    ("lacks", "version", "message"),
    [
        (("requests", "dotenv", "PIL"), None, "This Python lacks requests, python-dotenv."),
        ((), (3, 9), "Python 3.10 or newer is needed; this is 3.9."),
    ],
)
def test_where_nothing_helps_the_command_that_does_is_shown(
    lacks: tuple[str, ...], version: tuple[int, int] | None, message: str, skill: Path
) -> None:
    script = skill / "scripts" / "factorized_generate.py"
    ran = start(script, "--prompt=x", "--json", lacks=lacks, version=version)
    hint = f"Run: bash '{skill}/scripts/setup.sh' --install"
    assert (ran.returncode, ran.stderr) == (2, f"error: {message}\n{hint}\n")
    error = {"kind": "usage", "message": message, "hint": hint}
    assert json.loads(ran.stdout) == {"status": "failed", "error": error}
    assert start(script, "--prompt=x", lacks=lacks, version=version).stdout == ""


def test_a_venv_that_cannot_be_started(skill: Path) -> None:
    python = fake_venv(skill)
    python.chmod(0o644)
    ran = start(skill / "scripts" / "generate_anchor.py", "x", lacks=("dotenv",))
    assert ran.returncode == 2
    assert f"{python} cannot be started (Permission denied)." in ran.stderr


def test_without_the_media_extra_the_script_runs(skill: Path) -> None:
    ran = start(skill / "scripts" / "rewrite_prompt.py", "a cat", "--dry-run", lacks=("PIL", "av"))
    assert ran.returncode == 0
    assert "nothing was sent" in ran.stdout


# -- --help ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ENTRIES)
def test_help_needs_no_package_and_loads_nothing_heavy(name: str, skill: Path) -> None:
    fake_venv(skill)
    ran = start(skill / "scripts" / f"{name}.py", "-h", lacks=PACKAGES)
    assert ran.returncode == 0
    assert ran.stdout.startswith("usage:")
    assert "exit codes:" in ran.stdout
    # -E -S: neither the tests' guard nor the start-up files of site-packages count.
    command = [sys.executable, "-E", "-S", "-X", "importtime", str(SCRIPTS / f"{name}.py")]
    timed = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    loaded = {line.rpartition("|")[2].strip() for line in timed.stderr.splitlines()}
    assert "argparse" in loaded
    assert loaded & HEAVY == set()


# -- PEP 723 --------------------------------------------------------------------------------------


def listed(text: str, name: str) -> list[str]:
    """A list of strings in TOML, as plainly as pyproject.toml writes it."""
    found = re.search(rf"^{name} = (\[[^\]]*\])", text, re.MULTILINE)
    assert found, name
    values = ast.literal_eval(found[1])
    assert isinstance(values, list)
    return values


def test_the_scripts_declare_what_the_project_declares() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = listed(project, "dependencies") + listed(project, "media")
    for name in ENTRIES:
        source = (SCRIPTS / f"{name}.py").read_text(encoding="utf-8")
        block = re.match(r"# /// script\n((?:#(?: .*)?\n)+?)# ///\n", source)
        assert block, name
        text = re.sub(r"^# ?", "", block[1], flags=re.MULTILINE)
        assert listed(text, "dependencies") == wanted
        assert 'requires-python = ">=3.10"' in text
    assert 'requires-python = ">=3.10"' in project
