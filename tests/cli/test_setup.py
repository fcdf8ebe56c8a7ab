"""scripts/setup.sh, run by bash in a skill folder of its own, with made-up Pythons on PATH.

No network and no pip: those Pythons start the interpreter that runs these tests, with another
version, other packages and a pip of their own (`FAKE`). CI tries the real installation.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from factorized_video.cli.gateway_check import report

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parents[2]
BASH = shutil.which("bash") or "bash"
PACKAGES = ("requests", "python-dotenv", "pillow", "av")
# Modules, and what they do when they are imported.
ALL = dict.fromkeys(("requests", "dotenv", "PIL", "av"), "")
NO_AV = dict.fromkeys(("requests", "dotenv", "PIL"), "")
BROKEN = "raise ImportError('libfoo.so.1: cannot open it')"
CRASHES = "import os; os._exit(139)"
KEY = "sk-not-to-be-shown-4711"

# Its settings are beside the Python that it plays; what pip and venv were asked goes to `calls`.
FAKE = r"""
import importlib.machinery, json, os, runpy, sys, time

me, option, *words = sys.argv[1:]
if option == "-B":
    sys.dont_write_bytecode = True
    option, *words = words
settings = json.load(open(me + ".json"))
sys.version_info = (*settings["version"], "final", 0)
sys.executable = sys._base_executable = me
if not settings["can_make_venv"]:
    sys.modules["ensurepip"] = None


class Packages:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in settings["packages"]:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__version__ = "9.8.7"
        if "." in module.__name__:
            exec(settings["packages"][module.__name__.partition(".")[0]])


def note():
    with open(settings["calls"], "a") as calls:
        calls.write(" ".join([os.path.basename(me), *words]) + "\n")


sys.meta_path.append(Packages())
if option == "-c":
    sys.argv, sys.path[0] = ["-c"], ""
    exec(words[0])
elif words[:1] == ["venv"]:
    note()
    if not settings["can_make_venv"]:
        sys.exit("ensurepip is not available")
    os.makedirs(words[1] + "/bin")
    os.symlink(settings["shim"], words[1] + "/bin/python")
    json.dump({**settings, "packages": {}}, open(words[1] + "/bin/python.json", "w"))
elif words[:1] == ["pip"]:
    note()
    time.sleep(settings["pip_takes"])
    if settings["pip_fails"]:
        sys.exit("looking for av\nERROR: No matching distribution found for av>=12")
    json.dump({**settings, "packages": settings["pip_brings"]}, open(me + ".json", "w"))
else:
    sys.argv, sys.path[0] = [option, *words], os.path.dirname(os.path.abspath(option))
    runpy.run_path(option, run_name="__main__")
"""


class Machine:
    """A skill folder, a PATH and a working directory, all of them made up."""

    def __init__(self, base: Path, skill: str = "skills/factorized-video-gen") -> None:
        self.base, self.skill = base, base / skill
        self.bin, self.cwd, self.calls = base / "bin", base / "elsewhere", base / "calls"
        self.venv = self.skill / ".venv"
        self.inside = self.venv / "bin" / "python"
        self.script = self.skill / "scripts" / "setup.sh"
        for folder in (self.skill, self.bin, self.cwd):
            folder.mkdir(parents=True)
        shutil.copytree(ROOT / "scripts", self.skill / "scripts")
        shutil.copy(ROOT / "pyproject.toml", self.skill)
        (base / "fake.py").write_text(FAKE)
        self.shim = self.executable(
            "shim", f'exec "{sys.executable}" -I -S "{base / "fake.py"}" "$0" "$@"'
        )

    def executable(self, name: str, text: str) -> Path:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def python(
        self, path: Path | str, packages: dict[str, str], version: str = "3.11.7", **changes: Any
    ) -> Path:
        """Put a Python there (a bare name: on PATH)."""
        path = self.bin / path
        path.parent.mkdir(parents=True, exist_ok=True)
        settings = {
            "version": [int(part) for part in version.split(".")],
            "packages": packages,
            "can_make_venv": True,
            "pip_fails": False,
            "pip_takes": 0.0,
            "pip_brings": ALL,
            "calls": str(self.calls),
            "shim": str(self.shim),
        }
        path.with_name(path.name + ".json").write_text(json.dumps(settings | changes))
        path.unlink(missing_ok=True)
        path.symlink_to(self.shim)
        return path

    def start(self, *words: str, bash: str = "-u", **env: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [BASH, bash, str(self.script), *words],
            cwd=self.cwd,
            env={"PATH": str(self.bin)} | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **options: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*words, **options)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def json(self, *words: str, code: int, **env: str) -> dict[str, Any]:
        done = self.run("--json", *words, **env)
        assert done.returncode == code, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        assert (document["status"] == "succeeded") == (code == 0)
        return document

    def called(self, what: str) -> list[str]:
        lines = self.calls.read_text().splitlines() if self.calls.exists() else []
        return [line for line in lines if what in line]

    def start_and_wait_for_pip(self) -> subprocess.Popen[str]:
        process = self.start("--install", "--json")
        until = time.monotonic() + 10
        while not self.called("pip install"):
            assert time.monotonic() < until
            time.sleep(0.02)
        return process


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def check(document: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (row for row in document["checks"] if row["name"] == name)
    return dict(found)


# ---- the checks ----


def test_all_there(machine: Machine) -> None:
    python = machine.python("python3", ALL)
    before = set(machine.base.rglob("*"))
    done = machine.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert f"  ok       Python: 3.11.7 (python3) at\n             {python}\n" in done.stdout
    assert "  ok       av: 9.8.7\n" in done.stdout
    assert f"python3 {machine.skill}/scripts/factorized_generate.py --gateway demo" in done.stdout
    document = machine.json(code=0)
    assert set(machine.base.rglob("*")) == before
    assert list(document) == ["status", "ready", "python", "checks", "next"]
    assert document["python"] == {"path": str(python), "version": "3.11.7", "source": "python3"}
    names = [row["name"] for row in document["checks"]]
    assert names == ["Python", *PACKAGES, "AI_GATEWAY_API_KEY"]
    for row in document["checks"]:
        assert list(row) == ["name", "group", "ok", "detail", "without", "mend"]
        assert (row["mend"] is None) == row["ok"]


def test_packages_that_are_missing(machine: Machine) -> None:
    machine.python("python3", {})
    for name in ("requests", "json", "venv"):  # these are not to be imported
        (machine.cwd / f"{name}.py").write_text("import os; os._exit(1)")
    done = machine.run()
    assert done.returncode == 1
    assert "  missing  requests: not installed\n           Without it: no gateway" in done.stdout
    assert done.stdout.count(": not installed") == len(PACKAGES)
    assert done.stdout.endswith(f"Next:\n  bash {machine.script} --install\n")


@pytest.mark.parametrize(
    ("broken", "name", "detail"),
    [
        ({"PIL": BROKEN}, "pillow", "broken: ImportError: libfoo.so.1: cannot open it"),
        ({"av": CRASHES}, "av", "broken: it crashes Python"),
    ],
)
def test_a_broken_package_of_python3(
    machine: Machine, broken: dict[str, str], name: str, detail: str
) -> None:
    """_bootstrap.py only looks whether it can be found, so a .venv would not be used."""
    machine.python("python3", ALL | broken)
    document = machine.json("--install", code=1)
    assert "broken package" in document["error"]["message"]
    row = check(document, name)
    assert row["detail"] == detail
    assert row["mend"] == f"python3 -m pip install --force-reinstall {name}"
    assert not machine.venv.exists()


def test_which_python_the_scripts_end_up_in(machine: Machine) -> None:
    machine.python("python3", {}, "3.9.18")
    document = machine.json(code=1)
    assert "3.9.18, but the scripts need 3.10" in check(document, "Python")["detail"]
    assert document["python"]["version"] == "3.9.18"
    assert not any(row["ok"] for row in document["checks"])
    machine.python(machine.inside, ALL, "3.12.1")
    document = machine.json(code=0)
    where = {"path": str(machine.inside), "version": "3.12.1", "source": ".venv"}
    assert document["python"] == where
    assert document["next"].startswith("python3 ")
    (machine.bin / "python3").unlink()
    document = machine.json(code=0)
    assert "there is no python3" in check(document, "Python")["detail"]
    assert document["next"].startswith(f"{machine.inside} ")
    machine.python("python3", NO_AV)
    machine.inside.unlink()
    machine.inside.symlink_to("/nowhere/python3")
    document = machine.json(code=1)
    assert document["python"]["source"] == "python3"
    assert "the .venv in the skill folder does not run" in check(document, "Python")["detail"]


def test_no_python_at_all(machine: Machine) -> None:
    document = machine.json("--install", code=1)
    assert (document["python"], document["ready"]) == (None, False)
    assert "apt-get install python3-venv" in document["error"]["hint"]
    done = machine.run()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: No Python was found on PATH.\n")


# ---- the key and the gateway ----


def test_where_the_key_is_and_never_what_it_is(machine: Machine) -> None:
    machine.executable("python3", f'exec "{sys.executable}" "$@"')  # with its real packages
    for file, place in (
        (machine.cwd / ".env.local", ".env.local in the working directory"),
        (machine.skill / ".env", ".env in the skill folder"),
    ):
        file.write_text(f"AI_GATEWAY_API_KEY={KEY}\n")
        done = machine.run()
        assert f"AI_GATEWAY_API_KEY: set in {place}\n" in done.stdout
        assert KEY not in done.stdout
    traced = machine.run(bash="-x", AI_GATEWAY_API_KEY=KEY)
    assert "AI_GATEWAY_API_KEY: set in the environment\n" in traced.stdout
    assert KEY not in traced.stdout + traced.stderr


@pytest.mark.parametrize(
    ("gateway", "env", "key", "chosen"),
    [
        ("auto", {}, "not set", None),
        ("demo", {}, "not set", "demo at loopback"),
        ("openai", {"AI_GATEWAY_BASE_URL": "http://127.0.0.1:9/v1"}, "not needed", "openai at"),
        ("openrouter", {"OPENROUTER_API_KEY": "sk-or-x"}, "not needed, OPENROUTER_", "openrouter"),
        ("auto", {"OPENROUTER_API_KEY": "sk-or-x"}, "not set", "No gateway key was found"),
        ("vercel", {"AI_GATEWAY_API_KEY": "sk-ant-x"}, "set in the env", "AI_GATEWAY_API_KEY hol"),
    ],
)
def test_which_gateway_and_why(
    gateway: str, env: dict[str, str], key: str, chosen: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AI_GATEWAY_API_KEY", "AI_GATEWAY_BASE_URL", "OPENROUTER_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    checks = report(gateway, contact=False)["checks"]
    assert checks[0][1].startswith(key)
    assert [detail for _, detail, _ in checks[1:]] == ([] if chosen is None else [checks[1][1]])
    assert chosen is None or checks[1][1].startswith(chosen)


def test_a_key_check_that_fails(machine: Machine) -> None:
    machine.python("python3", ALL)
    document = machine.json("--check-key", "--gateway=vercel", code=1)
    assert (document["ready"], document["error"]["kind"]) == (True, "key")
    assert document["error"]["message"].startswith("The key check failed: No gateway key was found")
    assert document["next"] == f"bash {machine.script} --check-key --gateway vercel"
    done = machine.run("--check-key", AI_GATEWAY_API_KEY="sk-ant-" + KEY)
    assert done.returncode == 1
    assert "failed   key check: AI_GATEWAY_API_KEY holds a key of Anthropic" in done.stdout
    assert KEY not in done.stdout + done.stderr
    machine.python("python3", {})
    assert "--install" in machine.json("--check-key", code=1)["error"]["hint"]


def test_a_crash_of_the_gateway_check_does_not_show_the_key(machine: Machine) -> None:
    machine.python("python3", ALL)
    crash = "import os; raise RuntimeError(os.environ['AI_GATEWAY_API_KEY'])\n"
    (machine.skill / "scripts/factorized_video/cli/options.py").write_text(crash)
    document = machine.json(code=0, AI_GATEWAY_API_KEY=KEY)
    assert check(document, "gateway")["detail"] == "the check crashed: RuntimeError"
    assert KEY not in str(document)


# ---- how it is called ----


def test_help(machine: Machine) -> None:
    machine.python("python3", {})
    done = machine.run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(word in done.stdout for word in ("--install", "--json", "exit codes:"))


@pytest.mark.parametrize("words", [["--instal"], [""], ["--gateway"], ["--gateway", "nope"]])
def test_usage_errors(machine: Machine, words: list[str]) -> None:
    machine.python("python3", ALL)
    document = machine.json(*words, code=2)
    assert document["error"]["kind"] == "usage"
    assert document["next"] == f"bash {machine.script} --help"


def test_a_folder_with_a_strange_name(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "x", "it's \"a\"\ttab $(exit) & 'ü' back\\slash\\")
    machine.python("python3", NO_AV)
    machine.executable("bash", f'exec {BASH} "$@"')
    # The command shown can be pasted into a shell.
    command = [BASH, "-c", machine.json(code=1)["next"]]
    subprocess.run(command, cwd="/", env={"PATH": str(machine.bin)}, check=True)
    assert machine.json(code=0)["python"]["path"] == str(machine.inside)


# ---- the installation ----


def test_install_with_the_newest_python_that_can(machine: Machine) -> None:
    machine.python("python3", {}, "3.9.18")
    machine.python("python3.14", {}, "3.14.0", can_make_venv=False)
    machine.executable("python3.13", "echo 'pyenv: not found' >&2; exit 127")
    machine.python("python3.12", {}, "3.12.1")
    machine.python("python3.11", {}, "3.11.7")
    assert machine.json("--install", code=0)["python"]["source"] == ".venv"
    assert machine.called("venv ")[0] == f"python3.12 venv {machine.venv}"
    wanted = (machine.venv / ".complete").read_text().split()
    written = (ROOT / "pyproject.toml").read_text()
    assert len(wanted) == 4
    assert all(f'"{requirement}"' in written for requirement in wanted)
    assert machine.called("pip install")[0].endswith(" ".join(wanted))
    # A second time there is nothing to do.
    assert machine.run("--install").stderr == "Everything is installed already\n"
    assert len(machine.called("pip install")) == 1


def test_nothing_is_installed_where_nothing_is_missing(machine: Machine) -> None:
    machine.python("python3", ALL)
    assert machine.run("--install").stderr == "Everything is installed already\n"
    machine.python("python3", NO_AV)
    machine.python(machine.inside, ALL)  # not made by setup.sh
    assert machine.run("--install").stderr == "Everything is installed already\n"
    assert not machine.called("")


@pytest.mark.parametrize("version", ["3.9.18", "3.11.2"])
def test_no_python_that_can_make_a_venv(machine: Machine, version: str) -> None:
    machine.python("python3", {}, version, can_make_venv=False)
    document = machine.json("--install", code=1)
    assert document["error"]["message"].startswith("No Python 3.10 or newer was found that can")
    assert "brew install python@3.12" in document["error"]["hint"]
    assert not machine.venv.exists()


def test_uv_brings_a_python_where_none_can(machine: Machine) -> None:
    machine.python("python3", {}, "3.9.18")
    fetched = machine.python(machine.base / "uv", {}, "3.12.1")
    machine.executable("uv", f'case "$*" in *find*) echo "{fetched}" ;; esac')
    assert machine.json("--install", code=0)["python"]["version"] == "3.12.1"


def test_pip_fails(machine: Machine) -> None:
    machine.python("python3", NO_AV, pip_fails=True)
    done = machine.run("--install", "--json")
    assert "\nlooking for av\nERROR: No matching distribution" in done.stderr
    assert f"then run: bash {machine.script} --install" in done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["kind"] == "install"
    assert error["message"].startswith("pip could not install the packages: ERROR: No matching")


def test_what_is_installed_must_import(machine: Machine) -> None:
    machine.python("python3", {}, pip_brings=ALL | {"PIL": BROKEN})
    error = machine.json("--install", code=1)["error"]
    assert error["message"].startswith("pillow was installed but does not work: broken: ImportErr")


@pytest.mark.parametrize("broken", ["dangling", "lacks one", "a file"])
def test_a_venv_that_will_not_do_is_replaced(machine: Machine, broken: str) -> None:
    machine.python("python3", NO_AV)
    if broken == "a file":
        machine.venv.touch()
    else:
        machine.python(machine.inside, NO_AV)
        (machine.venv / "of-the-old-one").touch()
    if broken == "dangling":
        machine.inside.unlink()
        machine.inside.symlink_to("/nowhere/python3")
    done = machine.run("--install")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("Replacing the .venv")
    assert not (machine.venv / "of-the-old-one").exists()


def test_an_unfinished_venv_is_finished(machine: Machine) -> None:
    """One that imports everything may still lack something, if pip was interrupted."""
    machine.python("python3", NO_AV)
    machine.python(machine.inside, ALL)
    (machine.venv / ".complete").touch()
    assert machine.run("--install").returncode == 0
    assert len(machine.called("pip install")) == 1
    assert (machine.venv / ".complete").read_text()


def test_other_requirements_are_installed_into_the_same_venv(machine: Machine) -> None:
    """As after an update of the skill. Without a network the old packages keep working."""
    machine.python("python3", NO_AV)
    machine.python(machine.inside, ALL, pip_fails=True)
    (machine.venv / ".complete").write_text("av>=1")
    assert machine.json("--install", code=1)["ready"] is True
    machine.python(machine.inside, ALL)
    assert machine.run("--install").returncode == 0
    assert not machine.called("venv ")


def test_an_incomplete_skill_folder(machine: Machine) -> None:
    machine.python("python3", NO_AV)
    (machine.skill / "pyproject.toml").unlink()
    error = machine.json("--install", code=1)["error"]
    assert error["message"] == f"No such file or directory: {machine.skill / 'pyproject.toml'}"


def test_two_at_once(machine: Machine) -> None:
    machine.python("python3", NO_AV, pip_takes=0.3)
    both = [machine.start("--install", "--json") for _ in range(2)]
    ends = [process.communicate(timeout=30) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert all(json.loads(out)["ready"] for out, _ in ends)
    assert len(machine.called("pip install")) == 1
    assert sum("Waiting for another --install" in err for _, err in ends) == 1


def test_interrupted(machine: Machine) -> None:
    machine.python("python3", NO_AV, pip_takes=30)
    process = machine.start_and_wait_for_pip()
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 130
    assert json.loads(out)["error"]["kind"] == "interrupted"
    machine.python("python3", NO_AV)
    assert machine.run("--install").returncode == 0


def test_killed_while_pip_continues(machine: Machine) -> None:
    """The next one waits for the pip that was left behind: it writes into the same folder."""
    machine.python("python3", NO_AV, pip_takes=1.2)
    process = machine.start_and_wait_for_pip()
    process.kill()
    process.wait(timeout=10)
    done = machine.run("--install")
    assert done.returncode == 0
    assert "Waiting for another --install" in done.stderr


def test_bash_3_2_can_read_it() -> None:
    script = ROOT / "scripts" / "setup.sh"
    subprocess.run([BASH, "-n", str(script)], check=True)
    text = script.read_text(encoding="utf-8")
    for newer in ("declare -", "local -", "mapfile", "readarray", ",,}", "^^}", "|&", "&>>"):
        assert newer not in text
