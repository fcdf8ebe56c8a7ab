"""Finding a Python that has the packages, and what a script loads before it must."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
ENTRIES = ["rewrite_prompt", "generate_anchor", "generate_video_from_anchor", "factorized_generate"]
PACKAGES = ("requests", "dotenv", "PIL", "av")
FAKE = '#!/bin/sh\necho "started: $0"\nfor word in "$@"; do echo "<$word>"; done\n'


@cache
def old_python(name: str) -> str | None:
    """A real interpreter of that name: a version manager's shim may be there and fail."""
    path = shutil.which(name)
    if path is None:
        return None
    tried = subprocess.run([path, "-c", ""], capture_output=True, check=False, timeout=20)
    return path if tried.returncode == 0 else None


@pytest.fixture
def skill(tmp_path: Path) -> Path:
    """A copy of the skill, in a folder with a space in its name."""
    folder = tmp_path / "my skills" / "video gen"
    shutil.copytree(SCRIPTS, folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def fake_venv(skill: Path, text: str = FAKE) -> Path:
    python = skill / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(text)
    python.chmod(0o755)
    return python


def start(
    script: Path | str,
    *words: str,
    lacks: tuple[str, ...] = (),
    version: tuple[int, int] | None = None,
    python: str = sys.executable,
    **environ: str,
) -> subprocess.CompletedProcess[str]:
    """Run a script in a Python that lacks packages, or that says it is of another version."""
    code = f"""
import importlib.util, runpy, sys
real = importlib.util.find_spec
lacks = {lacks!r}
importlib.util.find_spec = lambda name, *rest: None if name in lacks else real(name, *rest)
version = {version!r}
if version:
    sys.version_info = version + (0, "final", 0)
sys.argv = {[str(script), *words]!r}
sys.path.insert(0, {str(Path(script).absolute().parent)!r})
runpy.run_path(sys.argv[0], run_name="__main__")
"""
    return subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=False, timeout=30,
        env={**os.environ, **environ}, stdin=subprocess.DEVNULL,
    )  # fmt: skip


# -- syntax ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["_bootstrap", *ENTRIES])
def test_what_runs_before_the_check_parses_as_python_3_6(name: str) -> None:
    source = (SCRIPTS / f"{name}.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 6))
    for node in ast.walk(tree):  # what `feature_version` lets pass
        assert not isinstance(node, ast.NamedExpr | ast.Match)
        if isinstance(node, ast.ImportFrom):
            assert node.module != "__future__", "annotations came with 3.7"


@pytest.mark.parametrize("version", ["python3.6", "python3.7", "python3.8", "python3.9"])
@pytest.mark.parametrize("name", ENTRIES)
def test_an_old_python_says_what_mends_it(version: str, name: str, skill: Path) -> None:
    python = old_python(version)
    if python is None:
        pytest.skip(f"{version} is not here")
    script = skill / "scripts" / f"{name}.py"
    ran = subprocess.run(
        [python, str(script), "--json"], capture_output=True, text=True, check=False, timeout=30
    )
    assert ran.returncode == 2
    error = json.loads(ran.stdout)["error"]
    assert f"3.10 or newer is needed; this is {version[6:]}" in error["message"]
    assert f"'{skill}/scripts/setup.sh' --install" in error["hint"]
    python_of_ours = fake_venv(skill)
    again = subprocess.run([python, str(script), "a b"], capture_output=True, text=True, check=True)
    assert again.stdout.splitlines() == [f"started: {python_of_ours}", f"<{script}>", "<a b>"]


# -- starting again in .venv ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lacks", "version"),
    [(("requests",), None), (("dotenv",), None), (("PIL",), None), (("av",), None), ((), (3, 9))],
)
def test_a_python_that_will_not_do_hands_over_to_the_venv_with_every_word_as_it_was(
    lacks: tuple[str, ...], version: tuple[int, int] | None, skill: Path
) -> None:
    python = fake_venv(skill)
    script = skill / "scripts" / "generate_anchor.py"
    words = ["a cat; $(echo no) 'x' \"y\"", "--output=a b.png", "", "猫", "-"]
    ran = start(script, *words, lacks=lacks, version=version)
    assert ran.stdout.splitlines() == [
        f"started: {python}",
        f"<{script}>",
        *(f"<{word}>" for word in words),
    ]
    assert ran.stderr == ""


def test_a_relative_path_from_another_folder_finds_the_same_venv(
    skill: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_venv(skill)
    monkeypatch.chdir(skill.parent)
    ran = start("video gen/scripts/rewrite_prompt.py", "x", lacks=("requests",))
    assert ran.stdout.splitlines()[1:] == ["<video gen/scripts/rewrite_prompt.py>", "<x>"]


def test_a_python_with_all_packages_stays(skill: Path) -> None:
    fake_venv(skill)
    pytest.importorskip("av")
    ran = start(skill / "scripts" / "rewrite_prompt.py", "a cat", "--dry-run")
    assert "started:" not in ran.stdout
    assert ran.returncode == 0


def test_it_is_started_again_once_and_no_more(skill: Path) -> None:
    """A .venv that is broken itself must not start itself for ever."""
    python = fake_venv(skill)
    script = skill / "scripts" / "generate_anchor.py"
    ran = start(script, "a cat", lacks=("requests",), FACTORIZED_VIDEO_BOOTSTRAPPED=str(python))
    assert ran.returncode == 2
    assert "This Python lacks requests." in ran.stderr
    told = fake_venv(skill.parent / "other", 'echo "$FACTORIZED_VIDEO_BOOTSTRAPPED"')
    shutil.copytree(skill / "scripts", skill.parent / "other" / "scripts")
    told.write_text('#!/bin/sh\necho "$FACTORIZED_VIDEO_BOOTSTRAPPED"\n')
    other = skill.parent / "other" / "scripts" / "generate_anchor.py"
    # The mark of another skill's .venv does not count for this one.
    ran = start(other, "x", lacks=("av",), FACTORIZED_VIDEO_BOOTSTRAPPED=str(python))
    assert ran.stdout.strip() == str(told)


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(
    ("lacks", "version", "says"),
    [
        (("requests",), None, "This Python lacks requests."),
        (("requests", "dotenv", "PIL"), None, "This Python lacks requests, python-dotenv."),
        ((), (3, 9), "Python 3.10 or newer is needed; this is 3.9."),
    ],
)
def test_where_nothing_helps_the_command_that_mends_it_is_said(
    lacks: tuple[str, ...], version: tuple[int, int] | None, says: str, as_json: bool, skill: Path
) -> None:
    script = skill / "scripts" / "factorized_generate.py"
    words = ["--json"] if as_json else []
    ran = start(script, "--prompt=x", *words, lacks=lacks, version=version)
    hint = f"Run: bash '{skill}/scripts/setup.sh' --install"
    assert ran.returncode == 2
    assert ran.stderr == f"error: {says}\n{hint}\n"
    if as_json:
        document = json.loads(ran.stdout)
        assert document["status"] == "failed"
        assert document["error"] == {"kind": "usage", "message": says, "hint": hint}
    else:
        assert ran.stdout == ""


def test_a_venv_that_cannot_be_started_is_said(skill: Path) -> None:
    python = fake_venv(skill)
    python.chmod(0o644)
    ran = start(skill / "scripts" / "generate_anchor.py", "x", lacks=("dotenv",))
    assert ran.returncode == 2
    assert f"{python} cannot be started (Permission denied)." in ran.stderr
    assert "lacks python-dotenv" in ran.stderr


def test_without_the_media_extra_the_script_runs(skill: Path) -> None:
    ran = start(skill / "scripts" / "rewrite_prompt.py", "a cat", "--dry-run", lacks=("PIL", "av"))
    assert ran.returncode == 0
    assert "nothing was sent" in ran.stdout


# -- --help ---------------------------------------------------------------------------------------

HEAVY = ("requests", "PIL", "av", "dotenv", "dataclasses", "subprocess", "pathlib", "typing")


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("name", ENTRIES)
def test_help_is_never_started_again_and_needs_no_package(
    name: str, flag: str, skill: Path
) -> None:
    fake_venv(skill)
    ran = start(skill / "scripts" / f"{name}.py", flag, lacks=PACKAGES)
    assert ran.returncode == 0
    assert ran.stdout.startswith("usage:")
    assert "exit codes:" in ran.stdout
    assert "started:" not in ran.stdout


@pytest.mark.parametrize("name", ENTRIES)
def test_help_loads_nothing_heavy(name: str) -> None:
    # -E -S: neither the tests' guard nor the start-up files of site-packages count.
    ran = subprocess.run(
        [sys.executable, "-E", "-S", "-X", "importtime", str(SCRIPTS / f"{name}.py"), "--help"],
        capture_output=True, text=True, check=True, timeout=30,
    )  # fmt: skip
    loaded = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}
    assert "argparse" in loaded
    assert loaded.isdisjoint(HEAVY)


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
    requires = re.search(r'^requires-python = "(.*)"', project, re.MULTILINE)
    assert requires
    for name in ENTRIES:
        source = (SCRIPTS / f"{name}.py").read_text(encoding="utf-8")
        block = re.match(r"# /// script\n((?:#(?: .*)?\n)+?)# ///\n", source)
        assert block, name
        text = re.sub(r"^# ?", "", block[1], flags=re.MULTILINE)
        assert listed(text, "dependencies") == wanted
        assert f'requires-python = "{requires[1]}"' in text
