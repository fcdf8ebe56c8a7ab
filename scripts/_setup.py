"""What `setup.sh` runs: check what the scripts need, and with --install make a `.venv` that has it.

Syntax of Python 3.6 and the standard library only, because this runs in whatever Python `setup.sh`
finds. What is checked is another process: the Python that the scripts end up in, which is `python3`
if that has all packages (see `_bootstrap.py`), else the `.venv` in the skill folder.
"""

import argparse
import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import textwrap
from typing import Any, Dict, List, Optional

SCRIPTS = os.path.dirname(os.path.abspath(__file__))
SKILL = os.path.dirname(SCRIPTS)
VENV = os.path.join(SKILL, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
# Contains the requirements that the .venv was made for; empty while it is being made.
MARKER = os.path.join(VENV, ".complete")
HERE = os.path.dirname(sys.argv[0])  # as typed, for the commands shown
SETUP = "bash " + shlex.quote(os.path.join(HERE, "setup.sh"))
INSTALL = SETUP + " --install"
PACKAGES = (  # name, module to import, group, what does not work without it
    ("requests", "requests.sessions", "needed", "no gateway can be reached, not even the demo"),
    ("python-dotenv", "dotenv.main", "needed", "no script runs"),
    ("pillow", "PIL.Image", "some", "no demo gateway, image conversion or measurements"),
    ("av", "av.container", "some", "no demo gateway or video measurements"),
)

Report = Dict[str, Any]


class Failure(Exception):
    """Why the setup failed: the error in the report, and the command to run next."""

    def __init__(self, kind: str, message: str, hint: str, then: str = INSTALL) -> None:
        super().__init__(message)
        self.error = {"kind": kind, "message": message, "hint": hint}
        self.then = then


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors become part of the report."""

    def error(self, message: str) -> None:  # type: ignore[override]
        """Raise a Failure."""
        raise Failure("usage", message, f"See: {SETUP} --help", f"{SETUP} --help")


def build_parser() -> argparse.ArgumentParser:
    """The options of `setup.sh`."""
    parser = Parser(
        prog=SETUP,
        description="Check that everything the scripts need is here. Changes nothing by default.",
        epilog="exit codes: 0 ready: --gateway demo works, which needs no key\n"
        "            1 something is missing, the installation failed, or --check-key did\n"
        "            2 usage     130 interrupted",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--install", action="store_true", help="make a .venv in the skill folder with the packages")
    free = "check that the key works and how much credit is left (free)"
    add("--check-key", action="store_true", help=free)
    add("--gateway", metavar="NAME", default="auto", help="as for the scripts (default: auto)")
    add("--json", action="store_true", help="one JSON document on stdout, all else on stderr")
    return parser


# -- checks ---------------------------------------------------------------------------------------


def check(name: str, group: str, detail: str, without: str, fix: Optional[str]) -> Report:
    """One entry of `checks` in the report; with a fix it failed."""
    named = {"name": name, "group": group, "ok": fix is None, "detail": detail}
    return {**named, "without": without, "mend": fix}


def start(python: str, code: str) -> "subprocess.Popen[str]":
    """Start a line of Python as if it were a script in this folder."""
    # sys.path[0] is the working directory, whose modules must not be imported.
    command = [python, "-B", "-c", f"import sys; sys.path[0] = {SCRIPTS!r}; {code}"]
    pipe, no_input = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen(command, stdin=no_input, stdout=pipe, stderr=pipe, encoding="utf-8")


def probe(python: str, source: str) -> Optional[Report]:
    """Path and version of a Python, and whether the scripts stay in it; None if it does not run."""
    code = (
        "import json, _bootstrap; print(json.dumps([sys.executable, '%d.%d.%d' % "
        "sys.version_info[:3], _bootstrap.is_recent(), _bootstrap.suffices()]))"
    )
    try:
        found = json.loads(start(python, code).communicate()[0])
    except (OSError, ValueError):
        return None
    return dict(zip(("path", "version", "recent", "suffices"), found), source=source)


def package_checks(python: str, fix: str = "") -> List[Report]:
    """Import each package in a process of its own: a broken one may crash Python."""
    started = []
    for _, module, _, _ in PACKAGES:
        root = module.partition(".")[0]
        code = f"import {module}; print(getattr({root}, '__version__', 'installed'))"
        started.append((f"No module named '{root}'", start(python, code)))
    checks = []
    for (name, _, group, without), (absent, process) in zip(PACKAGES, started):
        out, err = process.communicate()
        if process.returncode == 0:
            checks.append(check(name, group, out.strip(), without, None))
            continue
        problem = (err.strip().splitlines() or ["it crashes Python"])[-1][:160]
        detail = "not installed" if absent in problem else f"broken: {problem}"
        checks.append(check(name, group, detail, without, f"{fix} {name}" if fix else INSTALL))
    return checks


class Setup:
    """The Python that the scripts end up in, and whether it has what they need."""

    def __init__(self) -> None:
        self.python = probe("python3", "python3")
        self.starter, note = "python3", ""  # what the scripts are started with
        self.stays = bool(self.python and self.python["suffices"])  # even if there is a .venv
        if not self.stays and os.path.lexists(VENV):
            inside = probe(PYTHON, ".venv")
            if not inside:
                note = "; the .venv in the skill folder does not run"
            elif not self.python:
                note = "; there is no python3, so start the scripts with this one"
                self.starter = shlex.quote(PYTHON)
            self.python = inside or self.python
        found = self.python
        fix: Optional[str] = INSTALL
        if not found:
            detail = "no python3 was found that runs"
        elif not found["recent"]:
            detail = "{source} is {version}, but the scripts need 3.10 or newer".format(**found)
        else:
            detail, fix = "{version} ({source}) at {path}".format(**found), None
        self.checks = [check("Python", "needed", detail + note, "no script runs", fix)]
        if found and found["recent"]:
            again = "python3 -m pip install --force-reinstall" if self.stays else ""
            self.checks += package_checks(found["path"], again)
        else:
            unknown = "not checked: there is no suitable Python"
            self.checks += [check(name, group, unknown, no, fix) for name, _, group, no in PACKAGES]
        self.ready = all(one["ok"] for one in self.checks)
        self.can_send = all(one["ok"] for one in self.checks if one["group"] == "needed")

    def is_current(self, wanted: List[str]) -> bool:
        """Whether there is nothing to install. A .venv that was not made here is left alone."""
        if not self.ready or self.stays or not os.path.exists(MARKER):
            return self.ready
        with open(MARKER, encoding="utf-8") as file:
            return file.read().splitlines() == wanted


def gateway_checks(python: str, gateway: str, contact: bool) -> List[Report]:
    """What `gateway_check.py` finds. Raises a Failure for an unknown gateway."""
    without = "only --gateway demo works"
    code = "import json; from factorized_video.cli.gateway_check import report; "
    code += f"print(json.dumps(report({gateway!r}, contact={contact})))"
    out, err = start(python, code).communicate()
    if not out:  # only the kind of error: the message of an unforeseen one might contain the key
        kind = (err.strip().splitlines() or ["no output"])[-1].partition(":")[0]
        return [check("gateway", "some", f"the check crashed: {kind}", without, SETUP)]
    found = json.loads(out)
    if gateway not in found["gateways"]:
        hint = f"Choose one of: {', '.join(found['gateways'])}."
        raise Failure("usage", f"There is no gateway {gateway!r}.", hint, f"{SETUP} --help")
    return [check(name, "some", detail, without, fix) for name, detail, fix in found["checks"]]


# -- installation ---------------------------------------------------------------------------------


def install() -> None:
    """Make or update the .venv, unless everything is there. Raises a Failure or an OSError."""
    wanted, setup, lock = requirements(), Setup(), -1
    if not setup.is_current(wanted):
        lock = lock_installation()
        setup = Setup()  # another --install may have finished just now
    if setup.is_current(wanted):
        say("Everything is installed already")
        return
    if setup.stays:
        message = "python3 has a broken package, and the scripts prefer that Python to a .venv."
        raise Failure("install", message, "Fix it as shown for that package.", SETUP)
    if not setup.ready:
        make_venv(lock)
    say(f"Installing {' '.join(wanted)}")
    # --no-cache-dir: nothing is written outside the skill folder.
    pip = "-m pip install -q --disable-pip-version-check --no-input --no-user --no-cache-dir"
    problem = run([PYTHON, *pip.split(), "--prefer-binary", *wanted], lock)
    if problem:
        hint = f"Check the network (proxy: HTTPS_PROXY; mirror: PIP_INDEX_URL), then run: {INSTALL}"
        raise Failure("install", f"pip could not install the packages: {problem}", hint)
    for one in package_checks(PYTHON):
        if not one["ok"]:
            message = "{name} was installed but does not work: {detail}".format(**one)
            raise Failure("install", message, f"Try again: {INSTALL}")
    mark("\n".join(wanted))


def requirements() -> List[str]:
    """What pyproject.toml asks for at run time, with the media extra."""
    with open(os.path.join(SKILL, "pyproject.toml"), encoding="utf-8") as file:
        text = re.sub("#.*", "", file.read())  # there is no tomllib before Python 3.11
    lists = re.findall(r"(?ms)^(?:dependencies|media)\s*=\s*\[(.*?)\]\s*$", text)
    return [name for found in lists for name in re.findall('"(.+?)"', found)]


def lock_installation() -> int:
    """Wait until no other --install is at work. The lock ends with the processes that hold it."""
    lock = os.open(os.path.join(SKILL, ".venv.lock"), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Waiting for another --install to finish")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def make_venv(lock: int) -> None:
    """Make an empty .venv, in place of an incomplete one, with the Python that runs this."""
    if os.path.lexists(VENV):
        say("Replacing the .venv, which is incomplete or does not run")
        is_folder = os.path.isdir(VENV) and not os.path.islink(VENV)
        (shutil.rmtree if is_folder else os.unlink)(VENV)
    # If this runs in the .venv that was just removed: the Python that one was made with.
    python = getattr(sys, "_base_executable", sys.executable)
    say(f"Making .venv with {python}")
    if sys.version_info < (3, 10) or run([python, "-m", "venv", VENV], lock):
        mac = "brew install python@3.12"
        linux = "sudo apt-get install python3-venv"
        raise Failure(
            "install",
            "No Python 3.10 or newer was found that can make a .venv.",
            f"Debian, Ubuntu: {linux}; macOS: {mac}; or install uv (https://docs.astral.sh/uv/). "
            f"Then run: {INSTALL}",
            mac if sys.platform == "darwin" else linux,
        )
    mark("")


def run(command: List[str], lock: int) -> str:
    """Run a step of the installation. If it fails, show its last lines and return the very last."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        pass_fds=[lock],  # if we are killed, the step keeps the lock until it ends too
    )
    if done.returncode == 0:
        return ""
    lines = done.stdout.strip().splitlines() or [f"exit code {done.returncode}"]
    say("\n".join(lines[-12:]))
    return lines[-1]


def mark(text: str) -> None:
    """Note in the .venv what it was made for."""
    with open(MARKER, "w", encoding="utf-8") as file:
        file.write(text)


# -- report ---------------------------------------------------------------------------------------


def main() -> int:
    """Install if asked to, check, print the report, and return the exit code."""
    report: Report = {"status": "failed", "ready": False, "python": None, "checks": []}
    report["next"] = INSTALL
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        work(build_parser().parse_args(), report)
    except Failure as failure:
        report["next"], report["error"] = failure.then, failure.error
    except KeyboardInterrupt:
        hint = "Run the same command again; it replaces an unfinished .venv."
        report["error"] = {"kind": "interrupted", "message": "Interrupted.", "hint": hint}
    error = report.get("error", {})
    if report["ready"] and not error:
        report["status"] = "succeeded"
    code = {"usage": 2, "interrupted": 130}.get(error.get("kind"), 1)
    if "--json" in sys.argv[1:]:
        print(json.dumps(report))
    elif code == 1:
        print_report(report)
    if error:
        say("error: {message}\n{hint}".format(**error))
    return 0 if report["status"] == "succeeded" else code


def work(options: argparse.Namespace, report: Report) -> None:
    """Install and check, as the options say, and fill in the report. Raises a Failure."""
    gateway, contact, failure = options.gateway, options.check_key, None
    if options.install:
        try:
            install()
        except Failure as error:
            failure = error
        except OSError as error:
            message = f"{error.strerror}: {error.filename or SKILL}"
            hint = "Check that the skill folder is complete and that you can write in it."
            failure = Failure("install", message, hint)
    setup = Setup()
    report["ready"] = setup.ready
    if setup.python:
        report["python"] = {key: setup.python[key] for key in ("path", "version", "source")}
    report["checks"] += setup.checks
    if setup.ready:
        script = shlex.quote(os.path.join(HERE, "factorized_generate.py"))
        demo = "--gateway demo --prompt 'A cat jumps onto a couch'"
        report["next"] = f"{setup.starter} {script} {demo}"
    if failure:
        raise failure
    if setup.python and setup.can_send:
        report["checks"] += gateway_checks(setup.python["path"], gateway, contact)
    elif contact:
        raise Failure("key", "The key check needs the packages.", f"First run: {INSTALL}")
    for one in report["checks"]:
        if one["name"].endswith("key check") and not one["ok"]:
            message = f"The key check failed: {one['detail']}"
            chosen = "" if gateway == "auto" else f" --gateway {gateway}"
            raise Failure("key", message, one["mend"], f"{SETUP} --check-key{chosen}")


def print_report(report: Report) -> None:
    """Print the report as text, in 80 columns."""
    shown_below = (report["next"], report.get("error", {}).get("hint"))
    for group, title in (("needed", "Needed"), ("some", "Needed for some features")):
        print(title)
        for one in report["checks"]:
            if one["group"] != group:
                continue
            bad = "missing" if one["detail"].startswith("not ") else "failed"
            put(f"  {'ok' if one['ok'] else bad:9}", "{name}: {detail}".format(**one))
            if not one["ok"]:
                put(" " * 11, f"Without it: {one['without']}")
                if one["mend"] not in shown_below:
                    put(" " * 11, f"Fix: {one['mend']}")
        print()
    if report["status"] != "succeeded":
        print(f"Next:\n  {report['next']}")
        return
    print("Ready.")
    print(f"Try it free:   {report['next']}")
    print(f"A real video:  {about_key(report['checks'])}")


def about_key(checks: List[Report]) -> str:
    """Where the key goes; or that it is there, works, and what is left on it."""
    by_name = {one["name"]: one for one in checks}
    asked = [one for one in checks if one["name"].endswith("key check")]
    if asked:
        return "; ".join(one["detail"] for one in asked)
    key = by_name.get("AI_GATEWAY_API_KEY")
    if key is None:
        return f"{SETUP} shows where the key goes"
    if not key["ok"]:
        return str(key["mend"])
    if key["detail"].startswith("not needed"):
        return "this gateway needs no key"
    return f"the key is {key['detail']}; check it, free: {SETUP} --check-key"


def put(indent: str, text: str) -> None:
    """Print an indented paragraph; a long path stays whole."""
    wrapper = textwrap.TextWrapper(80, indent, " " * (len(indent) + 2))
    wrapper.break_long_words = wrapper.break_on_hyphens = False
    print(wrapper.fill(text))


def say(text: str) -> None:
    """Say on stderr what is happening."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
