"""scripts/setup.sh, run for real by bash in a made-up skill folder, with made-up Pythons on PATH.

No network and no pip: the Pythons on PATH are stubs that start the interpreter running these tests
with another version, other packages and a pip of their own (`FAKE`). The real installation is tried
by the project's CI.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parents[2]
SETUP = ROOT / "scripts" / "setup.sh"
PACKAGES = ("requests", "python-dotenv", "pillow", "av")
MODULES = {"requests": "requests", "python-dotenv": "dotenv", "pillow": "PIL", "av": "av"}
TOOLS = ["bash", "sh", "cat", "env", "grep", "mkdir", "mv", "printenv", "ps"]
TOOLS += ["rm", "rmdir", "sleep", "tail", "tee", "tr", "uname"]
KEY = "sk-not-to-be-shown-4711"

# A stub's own settings are the dict in the file beside it; what pip and venv were asked goes to
# `calls`. It imports little, because it is started some three hundred times.
FAKE = r"""
import importlib.machinery, os, sys, time, types


def load(python):
    return eval(open(python + ".settings").read())


def save(python, settings):
    open(python + ".settings", "w").write(repr(settings))


me, words = sys.argv[1], [word for word in sys.argv[2:] if word != "-B"]
settings = load(me)
sys.version_info, sys.executable = (*settings["version"], "final", 0), me


class Packages:
    def find_spec(self, name, path=None, target=None):
        if name == "ensurepip" and not settings["ensurepip"]:
            raise ModuleNotFoundError("No module named 'ensurepip'")
        root = name.split(".")[0]
        if root in ("requests", "dotenv", "PIL", "av") and root not in settings["lacks"]:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        if module.__name__ in settings["broken"]:
            raise ImportError("libfoo.so.1: cannot\n open it")
        if module.__name__ in settings["crashes"]:
            os._exit(139)


def note():
    with open(settings["calls"], "a") as calls:
        calls.write(" ".join([os.path.basename(me), *words]) + "\n")


def new_python(folder, **changes):
    os.makedirs(folder + "/bin", exist_ok=True)
    stub = folder + "/bin/python"
    with open(stub, "w") as file:
        file.write(open(settings["stub"]).read())
    os.chmod(stub, 0o755)
    save(stub, {**settings, **changes})


def install(python):
    note()
    time.sleep(settings["pip_takes"])
    if settings["pip_fails"]:
        sys.exit("ERROR: Could not find a version that satisfies the requirement av>=12")
    save(python, {**load(python), **settings["installs"]})


if words[0] == "-c":
    sys.meta_path.insert(0, Packages())
    metadata = sys.modules["importlib.metadata"] = types.ModuleType("importlib.metadata")
    metadata.PackageNotFoundError, metadata.version = KeyError, lambda name: "9.8.7"
    code, sys.argv = words[1], ["-c", *words[2:]]
    sys.path[0] = ""
    exec(code)
elif words[:2] == ["-m", "venv"] or words[0] == "venv":
    note()
    new_python(words[-1], lacks=["requests", "dotenv", "PIL", "av"], version=[3, 12, 1])
elif words[:2] == ["-m", "pip"]:
    install(me)
elif words[:2] == ["pip", "install"]:
    install(words[words.index("--python") + 1])
else:
    sys.exit("the stub does not know: " + " ".join(words))
"""


class Machine:
    """A skill folder, a PATH, a home and a working directory, all of them made up."""

    def __init__(self, base: Path, tools: Path, skill: str = "skills/factorized-video-gen") -> None:
        self.base, self.tools = base, tools
        self.skill, self.bin = base / skill, base / "bin"
        self.home, self.cwd = base / "home", base / "elsewhere"
        self.calls = base / "calls"
        for folder in (self.skill / "scripts", self.bin, self.home, self.cwd):
            folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(SETUP, self.skill / "scripts")
        shutil.copy(ROOT / "pyproject.toml", self.skill)
        (base / "fake.py").write_text(FAKE)
        self.stub = base / "stub"
        self.stub.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" -I -S "{base / "fake.py"}" "$0" "$@"\n'
        )

    @property
    def script(self) -> Path:
        return self.skill / "scripts" / "setup.sh"

    @property
    def venv(self) -> Path:
        return self.skill / ".venv"

    def python(self, path: Path | str, version: str = "3.11.7", **changes: Any) -> Path:
        """Puts a Python there (a bare name: on PATH); `lacks` and the like name packages."""
        path = self.bin / path if isinstance(path, str) else path
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.stub, path)
        path.chmod(0o755)
        settings = {
            "version": [int(part) for part in version.split(".")],
            "lacks": [],
            "broken": [],
            "crashes": [],
            "ensurepip": True,
            "pip_fails": False,
            "pip_takes": 0.0,
            "installs": {"lacks": []},
            "calls": str(self.calls),
            "stub": str(self.stub),
        }
        for name in ("lacks", "broken", "crashes"):
            if name in changes:
                changes[name] = [MODULES[package] for package in changes[name]]
        path.with_name(path.name + ".settings").write_text(repr(settings | changes))
        return path

    def start(self, *words: str, **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", str(self.script), *words],
            cwd=self.cwd,
            env={"PATH": f"{self.bin}:{self.tools}", "HOME": str(self.home)} | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        with self.start(*words, **env) as process:
            out, err = process.communicate(timeout=30)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def json(self, *words: str, **env: str) -> dict[str, Any]:
        done = self.run("--json", *words, **env)
        document: dict[str, Any] = json.loads(done.stdout)
        assert (document["status"] == "succeeded") == (done.returncode == 0)
        return document

    def called(self, what: str) -> list[str]:
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [line for line in lines if what in line]

    def files(self) -> set[Path]:
        return set(self.base.rglob("*")) - {self.calls}

    def wait_for(self, what: str) -> None:
        until = time.monotonic() + 10
        while not self.called(what):
            assert time.monotonic() < until, what
            time.sleep(0.02)


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Only what the script may use: no Python, no node, no uv."""
    folder = tmp_path_factory.mktemp("tools")
    for tool in TOOLS:
        if found := shutil.which(tool):
            (folder / tool).symlink_to(found)
    return folder


@pytest.fixture
def machine(tmp_path: Path, tools: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path, tools)
    yield machine
    leftovers = {path.name for path in machine.skill.iterdir()}
    assert leftovers <= {"scripts", "pyproject.toml", ".venv", ".env"}


def check(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [row for row in document["checks"] if row["name"] == name]
    assert len(found) == 1
    return found[0]


def line(text: str, name: str) -> str:
    (found,) = (row for row in text.splitlines() if row[9:].startswith(name))
    return found


# ---- the check ----


def test_all_there(machine: Machine) -> None:
    machine.python("python3")
    before = machine.files()
    done = machine.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert "ok       Python 3.11.7 (python3)" in done.stdout
    assert [line(done.stdout, name) for name in PACKAGES] == [
        f"ok       {name} 9.8.7" for name in PACKAGES
    ]
    assert "\033" not in done.stdout
    assert f"python3 {machine.skill}/scripts/factorized_generate.py --gateway demo" in done.stdout
    assert machine.files() == before


def test_json_has_the_same(machine: Machine) -> None:
    python = machine.python("python3")
    document = machine.json()
    assert list(document) == ["status", "ready", "python", "checks", "next"]
    assert document["ready"] is True
    assert document["python"] == {"path": str(python), "version": "3.11.7", "source": "python3"}
    assert [row["name"] for row in document["checks"]] == [
        "Python", *PACKAGES, "AI_GATEWAY_API_KEY", "Node.js", "generate-image", "generate-video"
    ]  # fmt: skip
    assert {row["group"] for row in document["checks"]} == {"needed", "some", "optional"}
    for row in document["checks"]:
        assert list(row) == ["name", "group", "ok", "detail", "without", "mend"]
        assert row["mend"] is None or not row["ok"]


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_is_missing(machine: Machine, package: str) -> None:
    machine.python("python3", lacks=[package])
    done = machine.run()
    assert done.returncode == 1
    found = line(done.stdout, package)
    assert found.startswith(f"missing  {package}: not installed. Without it: ")
    assert found.endswith(f"Mend: bash {machine.script} --install")
    assert done.stdout.endswith(f"Next:\n  bash {machine.script} --install\n")
    document = machine.json()
    assert [row["name"] for row in document["checks"][:5] if not row["ok"]] == [package]
    assert document["next"] == f"bash {machine.script} --install"


def test_a_package_that_does_not_import_is_missing(machine: Machine) -> None:
    machine.python("python3", broken=["pillow"])
    row = check(machine.json(), "pillow")
    assert row["detail"] == "broken: ImportError: libfoo.so.1: cannot open it"
    # _bootstrap.py only looks whether it can be found, so a .venv would not be used.
    assert row["mend"] == "python3 -m pip install --force-reinstall pillow"
    done = machine.run("--install")
    assert done.returncode == 1
    assert "broken package" in done.stderr
    assert not machine.venv.exists()


def test_a_package_that_crashes_python_is_missing(machine: Machine) -> None:
    machine.python("python3", crashes=["av"])
    document = machine.json()
    assert [row["name"] for row in document["checks"][:5] if not row["ok"]] == ["av"]
    assert "crashes" in check(document, "av")["detail"]


def test_python_too_old(machine: Machine) -> None:
    machine.python("python3", "3.9.18")
    done = machine.run()
    assert done.returncode == 1
    found = line(done.stdout, "Python")
    assert found.startswith("missing  Python: python3 is 3.9.18, needed is 3.10 or newer.")
    assert found.endswith("--install")
    document = machine.json()
    assert document["python"]["version"] == "3.9.18"
    assert not any(row["ok"] for row in document["checks"])


def test_python_too_old_but_a_venv(machine: Machine) -> None:
    machine.python("python3", "3.9.18")
    machine.python(machine.venv / "bin" / "python", "3.12.1")
    assert "ok       Python 3.12.1 (.venv)" in machine.run().stdout
    document = machine.json()
    assert document["python"]["source"] == ".venv"
    assert document["next"].startswith("python3 ")


def test_the_venv_is_used_when_python3_lacks_something(machine: Machine) -> None:
    machine.python("python3", lacks=["av"])
    machine.python(machine.venv / "bin" / "python", "3.10.0")
    assert machine.json()["python"]["version"] == "3.10.0"
    machine.python("python3")
    assert machine.json()["python"]["source"] == "python3"


def test_a_venv_that_does_not_run(machine: Machine) -> None:
    machine.python("python3", lacks=["av"])
    (machine.venv / "bin").mkdir(parents=True)
    (machine.venv / "bin" / "python").symlink_to("/nowhere/python3")
    document = machine.json()
    assert document["python"]["source"] == "python3"
    assert "the .venv in the skill folder does not run" in check(document, "Python")["detail"]


def test_no_python_at_all(machine: Machine) -> None:
    document = machine.json()
    assert document["python"] is None
    assert document["ready"] is False
    assert check(document, "Python")["detail"] == "no python3 that runs"
    assert check(document, "av")["detail"] == "there is no Python that can have it"
    assert machine.run().returncode == 1


def test_no_python3_but_a_venv(machine: Machine) -> None:
    machine.python(machine.venv / "bin" / "python")
    document = machine.json()
    assert "there is no python3" in check(document, "Python")["detail"]
    assert document["next"].startswith(f"{machine.venv}/bin/python ")


def test_the_working_directory_has_no_say(machine: Machine) -> None:
    """A file requests.py where the person happens to be is not what the scripts would import."""
    machine.python("python3", lacks=["requests"])
    (machine.cwd / "requests.py").write_text("")
    assert check(machine.json(), "requests")["detail"] == "not installed"


def test_what_the_original_needed(machine: Machine) -> None:
    machine.python("python3")
    assert line(machine.run().stdout, "Node.js").startswith("absent   Node.js: not found.")
    node = machine.bin / "node"
    node.write_text("#!/bin/sh\necho v20.20.2\n")
    node.chmod(0o755)
    (machine.skill.parent / "generate-image").mkdir()
    (machine.home / ".claude/skills/generate-video").mkdir(parents=True)
    document = machine.json()
    assert check(document, "Node.js")["detail"] == "v20.20.2"
    assert str(machine.skill.parent) in check(document, "generate-image")["detail"]
    assert str(machine.home) in check(document, "generate-video")["detail"]
    assert "this one does not" in check(document, "generate-video")["without"]


# ---- the key ----


@pytest.mark.parametrize(
    ("content", "there"),
    [
        (f"AI_GATEWAY_API_KEY={KEY}\n", True),
        (f"OTHER=1\r\nexport AI_GATEWAY_API_KEY = '{KEY}'\r\n", True),
        (f'  AI_GATEWAY_API_KEY="{KEY}" # mine', True),
        (f"AI_GATEWAY_API_KEY=\nAI_GATEWAY_API_KEY={KEY}\n", True),
        (f"AI_GATEWAY_API_KEY={KEY}\nAI_GATEWAY_API_KEY=\n", False),
        ("AI_GATEWAY_API_KEY=\r\n", False),
        ('AI_GATEWAY_API_KEY=""\n', False),
        ("AI_GATEWAY_API_KEY='  '\n", False),
        ("AI_GATEWAY_API_KEY=   # to come\n", False),
        (f"# AI_GATEWAY_API_KEY={KEY}\n", False),
        (f"MY_AI_GATEWAY_API_KEY={KEY}\nAI_GATEWAY_API_KEY_2={KEY}\n", False),
        ("touch run-by-mistake\n$(touch run-by-mistake)\n", False),
    ],
)
def test_key_in_a_file(machine: Machine, content: str, there: bool) -> None:
    machine.python("python3")
    (machine.skill / ".env").write_bytes(content.encode())
    done = machine.run()
    assert done.returncode == 0  # with or without
    found = line(done.stdout, "AI_GATEWAY_API_KEY")
    if there:
        assert found == "ok       AI_GATEWAY_API_KEY is in .env in the skill folder"
    else:
        assert found.startswith("missing  AI_GATEWAY_API_KEY: not set.")
        assert found.endswith(str(machine.skill / ".env"))
    assert KEY not in done.stdout + done.stderr
    assert not list(machine.base.rglob("run-by-mistake"))


def test_key_from_where(machine: Machine) -> None:
    """In the order of the contract; never shown, not even by bash -x."""
    machine.python("python3")
    script = ["bash", "-x", str(machine.script), "--json"]
    base = {"PATH": f"{machine.bin}:{machine.tools}", "HOME": str(machine.home)}
    shown = []
    steps: list[tuple[Path | None, dict[str, str]]] = [
        (machine.cwd / ".env", {}),
        (machine.cwd / ".env.local", {}),
        (machine.skill / ".env", {"AI_GATEWAY_API_KEY": ""}),
        (None, {"AI_GATEWAY_API_KEY": KEY}),
    ]
    for file, env in steps:
        if file:
            file.write_text(f"AI_GATEWAY_API_KEY={KEY}\n")
        done = subprocess.run(
            script, cwd=machine.cwd, env=base | env, capture_output=True, text=True, check=True
        )
        assert KEY not in done.stdout + done.stderr
        row = check(json.loads(done.stdout), "AI_GATEWAY_API_KEY")
        assert row["ok"] is True
        shown.append(row["detail"])
    assert shown == [
        "is in .env in the working directory",
        "is in .env.local in the working directory",
        "is in .env in the skill folder",
        "is in the environment",
    ]


# ---- how it is called ----


def test_help(machine: Machine) -> None:
    done = machine.run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(word in done.stdout for word in ("--install", "--json", "examples:", "exit codes:"))


@pytest.mark.parametrize("wrong", ["--instal", "x", ""])
def test_unknown_option(machine: Machine, wrong: str) -> None:
    done = machine.run(wrong)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: unknown option {wrong or repr('')}\n")
    document = machine.json(wrong, "--install")
    assert document["error"]["kind"] == "usage"
    assert document["next"] == f"bash {machine.script} --help"


NASTY = ["it's \"a\"\ttab $(exit) & 'ü'", "back\\slash\\"]


@pytest.mark.parametrize("name", NASTY)
def test_a_nasty_folder(tmp_path: Path, tools: Path, name: str) -> None:
    machine = Machine(tmp_path / "x", tools, name)
    machine.python("python3", lacks=["av"])
    document = machine.json()
    # The command shown is one that a shell can be given; it is what makes it ready.
    env = {"PATH": f"{machine.bin}:{machine.tools}", "HOME": str(machine.home)}
    mend = ["bash", "-c", document["next"]]
    assert subprocess.run(mend, env=env, cwd="/", capture_output=True, check=False).returncode == 0
    document = machine.json()
    assert document["python"]["path"] == str(machine.venv / "bin" / "python")
    # … and with no Python at all the JSON is still JSON.
    shutil.rmtree(machine.venv)
    (machine.bin / "python3").unlink()
    assert name in check(machine.json(), "AI_GATEWAY_API_KEY")["mend"].replace("'\\''", "'")


def test_called_by_a_relative_path(machine: Machine) -> None:
    machine.python("python3", lacks=["av"])
    machine.cwd = machine.skill
    for script in ("scripts/setup.sh", "./setup.sh", "setup.sh"):
        done = subprocess.run(
            ["bash", script, "--json"],
            cwd=machine.skill if "/s" in script[1:] and script[0] == "s" else machine.script.parent,
            env={"PATH": f"{machine.bin}:{machine.tools}"},  # no HOME either
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (1, "")
        assert json.loads(done.stdout)["next"] == f"bash {script} --install"


# ---- the installation ----


def test_nothing_to_install(machine: Machine) -> None:
    machine.python("python3")
    done = machine.run("--install")
    assert done.returncode == 0
    assert done.stderr == "everything is there: nothing to install\n"
    assert not machine.venv.exists()


def test_install_with_the_newest_that_can(machine: Machine) -> None:
    machine.python("python3", "3.9.18")
    machine.python("python3.14", "3.14.0", ensurepip=False)
    (machine.bin / "python3.13").write_text("#!/bin/sh\necho 'pyenv: not found' >&2; exit 127\n")
    (machine.bin / "python3.13").chmod(0o755)
    machine.python("python3.12", "3.12.1")
    machine.python("python3.11", "3.11.7")
    document = machine.json("--install")
    assert document["ready"] is True
    assert document["python"]["source"] == ".venv"
    assert machine.called("-m venv") == [f"python3.12 -m venv {machine.venv}"]
    assert len(machine.called("-m pip install")) == 1
    # Written once, in pyproject.toml.
    written = (ROOT / "pyproject.toml").read_text()
    wanted = (machine.venv / ".complete").read_text().split()
    assert len(wanted) == 4
    assert all(f'"{requirement}"' in written for requirement in wanted)
    # A second time there is nothing to do, and it is quick.
    started = time.monotonic()
    done = machine.run("--install")
    assert time.monotonic() - started < 2
    assert done.returncode == 0
    assert done.stderr == "everything is there: nothing to install\n"
    assert len(machine.called("-m pip install")) == 1


def test_requirements_over_several_lines(machine: Machine) -> None:
    (machine.skill / "pyproject.toml").write_text(
        "[project]\ndependencies = [\n  # why\n  \"requests[socks]>=2.31; python_version > '3'\",\n"
        '  "python-dotenv>=1.0",\n]\n[project.optional-dependencies]\ntest = ["pytest"]\n'
        'media = ["pillow>=10.1", "av>=12"] # "why"\nmore = [\n"z"\n]\n[tool.x]\ny = ["z"]\n'
    )
    machine.python("python3", lacks=PACKAGES)
    assert machine.run("--install").returncode == 0
    assert (machine.venv / ".complete").read_text().splitlines() == [
        "requests[socks]>=2.31; python_version > '3'",
        "python-dotenv>=1.0",
        "pillow>=10.1",
        "av>=12",
    ]


def test_nothing_suitable_names_the_package(machine: Machine) -> None:
    # Debian without python3-venv:
    machine.python("python3", "3.11.2", lacks=["av"], ensurepip=False)
    done = machine.run("--install")
    assert done.returncode == 1
    assert "sudo apt-get install python3-venv" in done.stderr
    assert "brew install python@3.12" in done.stderr
    assert not machine.venv.exists()
    uname = machine.bin / "uname"
    uname.write_text("#!/bin/sh\necho Darwin\n")
    uname.chmod(0o755)
    document = machine.json("--install")
    assert document["error"]["kind"] == "install"
    assert document["next"] == "brew install python@3.12"


def test_uv_when_no_python_can(machine: Machine) -> None:
    machine.python("uv")
    document = machine.json("--install")
    assert document["ready"] is True
    assert document["next"].startswith(f"{machine.venv}/bin/python ")
    assert [call.split()[1] for call in machine.called("uv ")] == ["venv", "pip"]


def test_pip_fails(machine: Machine) -> None:
    machine.python("python3", lacks=["av"], pip_fails=True)
    done = machine.run("--install", "--json")
    assert done.returncode == 1
    assert "\nERROR: Could not find a version that satisfies the requirement av" in done.stderr
    assert f"again: bash {machine.script} --install" in done.stderr
    assert not machine.venv.exists()
    document = json.loads(done.stdout)
    assert (document["status"], document["ready"]) == ("failed", False)
    assert document["error"]["message"].startswith("pip could not install the packages: ERROR:")


def test_what_is_installed_must_import(machine: Machine) -> None:
    machine.python("python3", lacks=["av"], installs={"lacks": [], "broken": ["PIL"]})
    done = machine.run("--install")
    assert done.returncode == 1
    assert "do not all import" in done.stderr
    assert "pillow bad broken: ImportError" in done.stderr
    assert not machine.venv.exists()


@pytest.mark.parametrize("broken", ["dangling", "half", "empty"])
def test_a_broken_venv_is_made_anew(machine: Machine, broken: str) -> None:
    machine.python("python3", lacks=["av"])
    python = machine.venv / "bin" / "python"
    machine.python(python, lacks=["pillow"])
    if broken != "half":
        python.unlink()
        (machine.venv / ".complete").write_text("requests>=2.31\n")
    if broken == "dangling":
        python.symlink_to("/nowhere/python3")
    (machine.venv / "of-the-old-one").touch()
    done = machine.run("--install")
    assert done.returncode == 0, done.stderr
    assert "is made anew" in done.stderr
    assert not (machine.venv / "of-the-old-one").exists()


def test_other_requirements_and_back_when_that_fails(machine: Machine) -> None:
    """A newer skill in the same folder; without a network the former .venv goes on working."""
    machine.python("python3", lacks=["av"])
    assert machine.run("--install").returncode == 0
    project = machine.skill / "pyproject.toml"
    project.write_text(re.sub(r"av>=\d+", "av>=99", project.read_text()))
    machine.python("python3", lacks=["av"], pip_fails=True)
    document = machine.json("--install")
    assert document["ready"] is True
    assert "av>=99" not in (machine.venv / ".complete").read_text()
    machine.python("python3", lacks=["av"])
    assert machine.run("--install").returncode == 0
    assert "av>=99" in (machine.venv / ".complete").read_text()


def test_a_venv_of_ones_own_is_left_alone(machine: Machine) -> None:
    machine.python("python3", lacks=["av"])
    machine.python(machine.venv / "bin" / "python")
    assert machine.run("--install").stderr == "everything is there: nothing to install\n"
    assert not machine.called("pip")


def test_not_to_be_written_in(machine: Machine) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    machine.python("python3", lacks=["av"])
    machine.skill.chmod(0o555)
    done = machine.run("--install")
    machine.skill.chmod(0o755)
    assert done.returncode == 1
    assert "cannot write in" in done.stderr


@pytest.mark.parametrize("holder", ["gone", "zombie", "unnamed"])
def test_a_stale_lock_is_taken_over(machine: Machine, holder: str) -> None:
    """The one before was killed: nobody has the lock, the former .venv is still aside."""
    machine.python("python3", lacks=["av"])
    machine.python(machine.venv / "bin" / "python", lacks=["av"])
    lock = machine.skill / ".venv.lock"
    machine.python(lock / "old" / "bin" / "python")
    (lock / "log").touch()
    with subprocess.Popen(["true"]) as process:
        if holder == "gone":
            process.wait()
        if holder != "unnamed":
            (lock / "pid").write_text(f"{process.pid}\n")
        done = machine.run("--install")
    assert done.returncode == 0
    assert done.stderr.endswith("everything is there: nothing to install\n")


def test_half_made_by_one_that_was_killed(machine: Machine) -> None:
    """It may well import everything and still not be whole."""
    machine.python("python3", lacks=["av"])
    machine.python(machine.venv / "bin" / "python")
    (machine.skill / ".venv.lock").mkdir()
    (machine.skill / ".venv.lock" / "log").touch()
    (machine.skill / ".venv.lock" / "pid").write_text("2147483000\n")
    assert machine.run("--install").returncode == 0
    assert len(machine.called("-m pip install")) == 1
    assert (machine.venv / ".complete").exists()


def test_two_at_once(machine: Machine) -> None:
    machine.python("python3", lacks=["av"], pip_takes=0.5)
    both = [machine.start("--install", "--json") for _ in range(2)]
    ends = [process.communicate(timeout=30) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert all(json.loads(out)["ready"] for out, _ in ends)
    assert len(machine.called("-m pip install")) == 1
    assert sum("waiting for another --install" in err for _, err in ends) == 1


@pytest.mark.parametrize("former", [True, False])
def test_interrupted(machine: Machine, former: bool) -> None:
    machine.python("python3", lacks=["av"], pip_takes=30)
    if former:
        machine.python(machine.venv / "bin" / "python", lacks=["av"])
        (machine.venv / "of-the-old-one").touch()
    process = machine.start("--install", "--json")
    machine.wait_for("-m pip install")
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 130
    assert json.loads(out)["error"]["kind"] == "interrupted"
    assert (machine.venv / "of-the-old-one").exists() == former
    assert machine.venv.exists() == former


def test_killed_while_pip_goes_on(machine: Machine) -> None:
    """The next one waits for the pip that was left behind: it writes into the same folder."""
    machine.python("python3", lacks=["av"], pip_takes=0.4)
    process = machine.start("--install")
    machine.wait_for("-m pip install")
    process.kill()
    process.communicate(timeout=10)
    machine.python("python3", lacks=["av"])
    done = machine.run("--install")
    assert done.returncode == 0
    assert "waiting for another --install" in done.stderr


# ---- the text of the script ----


def test_bash_reads_it() -> None:
    subprocess.run(["bash", "-n", str(SETUP)], check=True)


def test_nothing_newer_than_bash_3_2() -> None:
    text = SETUP.read_text(encoding="utf-8")
    for newer in ("declare -", "local -", "mapfile", "readarray", ",,}", "^^}", "|&", "&>>"):
        assert newer not in text


def test_shellcheck() -> None:
    if not (shellcheck := shutil.which("shellcheck")):
        pytest.skip("no shellcheck on PATH")
    subprocess.run([shellcheck, str(SETUP)], check=True)
