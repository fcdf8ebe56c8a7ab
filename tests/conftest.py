"""What all tests share: no network, a home of their own, and `run` for the real command line."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).resolve().parent
SCRIPTS = TESTS.parent / "scripts"
GUARD = TESTS / "guard"
REGISTRY = TESTS / "registry.json"  # what stands in for models.json: no test knows a live price
KEY = "hc-Zq9FAKEkeyForTests7w"  # of no known shape, and found nowhere by accident
# Ours, and what would lead a test astray: proxies, netrc, certificates, languages of errors.
OURS = ("AI_GATEWAY_", "FACTORIZED_", "OPENROUTER_")
# The vendors' own clients are only where clients/run.sh has put them; engines and Ray likewise.
collect_ignore = [] if importlib.util.find_spec("openai") else ["clients"]
collect_ignore += [] if "ENGINES_MADE" in os.environ else ["engines"]
collect_ignore += [] if "RAY_PYTHON" in os.environ else ["scaling"]
ASTRAY = ("PROXY", "NETRC", "CA_BUNDLE", "SSL_CERT")


# What a shell starts in the background ignores Ctrl-C, under nohup also the end of a terminal; so
# would the commands that are tested here.
for number, handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)


def guarded() -> str:
    """PYTHONPATH, with the guard first."""
    return os.pathsep.join(filter(None, [str(GUARD), os.environ.get("PYTHONPATH")]))


# Some tests share what they have built with those of another room.
for folder in (SCRIPTS, TESTS, TESTS / "pipeline"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from factorized_video import models
from factorized_video.models import registry
from forks import Forks
from loopback import Gateway
from speech import NAMES

# For this process, and for every one that it starts.
os.environ["TESTS_REGISTRY"] = str(REGISTRY)
registry.FILE = REGISTRY

# Ended with the process of the tests.
FORKS = Forks({**os.environ, "PYTHONPATH": guarded()})


def _guard_this_process() -> None:
    spec = importlib.util.spec_from_file_location("guard", GUARD / "sitecustomize.py")
    assert spec and spec.loader
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


_guard_this_process()


def pytest_addoption(parser: pytest.Parser) -> None:
    """--slow and --dialects, as `tests/run.sh` passes them on."""
    parser.addoption("--slow", action="store_true", help="run the slow tests too")
    parser.addoption(
        "--dialects", action="store_true", help="run what is tested at every gateway, and only that"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the slow tests out unless they are asked for; with --dialects, all other tests."""
    if config.getoption("--slow"):
        return

    def chosen(item: pytest.Item) -> bool:
        if config.getoption("--dialects"):
            return "dialects" in item.keywords
        return "slow" not in item.keywords

    left_out = [item for item in items if not chosen(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if chosen(item)]


@pytest.fixture
def live_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry that is shipped, here and in commands."""
    monkeypatch.delenv("TESTS_REGISTRY")
    monkeypatch.setattr(registry, "FILE", SCRIPTS / "factorized_video/models/models.json")


@pytest.fixture
def edit_model(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """`edit_model(id, status="off")`: change what this process knows about a model."""

    def edit(model: str, **facts: object) -> None:
        (row,) = [row for row in models.document()["models"] if row["id"] == model]
        for name, fact in facts.items():
            monkeypatch.setitem(row, name, fact)
        registry._models.cache_clear()

    yield edit
    registry._models.cache_clear()


@pytest.fixture(scope="session")
def unused() -> list[Path]:
    """Folders that a test was given and has left empty; the next one may have them.

    Most tests of tables write nothing, and making and removing folders was a third of their time.
    """
    return []


@pytest.fixture(autouse=True)
def home(
    unused: list[Path], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A home, a temporary folder and a foreign working folder for each test; no settings of ours.

    The coverage variables of the environment stay, so that subprocesses are followed.
    """
    for name in list(os.environ):
        if name.startswith(OURS) or any(part in name.upper() for part in ASTRAY):
            monkeypatch.delenv(name)
    top = unused.pop() if unused else tmp_path_factory.mktemp("places")
    places = {name: top / name for name in ("home", "tmp", "work")}
    for place in places.values():
        place.mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(places["home"]))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("TMPDIR", str(places["tmp"]))
    monkeypatch.setattr(tempfile, "tempdir", str(places["tmp"]))
    monkeypatch.setenv("PYTHONPATH", guarded())
    monkeypatch.setenv("FACTORIZED_VIDEO_TIME_SCALE", "0.01")  # back-offs in milliseconds
    monkeypatch.chdir(places["work"])
    yield places["home"]
    if shared := sys.modules.get("factorized_video.gateway.shared"):
        shared._all.clear()  # the next server may have the port of this one
    if not any(os.listdir(place) for place in places.values() if place.exists()):
        unused.append(top)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway that works, until the test says otherwise."""
    with Gateway() as server:
        yield server


@pytest.fixture(
    params=[
        pytest.param(name, marks=[] if name == "happycapy" else [pytest.mark.thorough])
        for name in NAMES
    ]
)
def each(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """A gateway that works, of each kind; all but one are left to the whole run."""
    with Gateway(request.param) as server:
        yield server


@dataclass(frozen=True)
class Run:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON document on stdout; anything beside it fails the test."""
        document = json.loads(self.out)
        assert isinstance(document, dict)
        return document


def environment(
    gateway: Gateway | None = None, env: Mapping[str, str | None] | None = None
) -> dict[str, str]:
    """The environment of a command: this one, a gateway with its key, and `env` (None removes)."""
    told = {"AI_GATEWAY_BASE_URL": gateway.root, "AI_GATEWAY_API_KEY": KEY} if gateway else {}
    merged = {**os.environ, **told, **(env or {})}
    return {name: value for name, value in merged.items() if value is not None}


def command(script: str, *args: str, gateway: Gateway | None = None) -> list[str]:
    """A script's command line, with the interpreter that runs the tests; it names the gateway."""
    named = gateway is None or any(word.startswith("--gateway") for word in args)
    which = [] if named or gateway is None else [f"--gateway={gateway.dialect}"]
    return [sys.executable, str(SCRIPTS / f"{script}.py"), *which, *args]


def run(
    script: str,
    *args: str,
    stdin: str | bytes | None = None,
    env: Mapping[str, str | None] | None = None,
    gateway: Gateway | None = None,
    preexec: Callable[[], None] | None = None,
    real: bool = False,
) -> Run:
    """Run a script to its end in the working folder; its output must be UTF-8.

    In a forked process, which is much faster, unless it must be a `real` one. `preexec` runs in the
    child before the script does, to take something away from it.
    """
    given = (stdin.encode() if isinstance(stdin, str) else stdin) or b""
    words, timeout = command(script, *args, gateway=gateway), 60
    environ = environment(gateway, env)
    if real or preexec or not FORKS.can_fork(environ):
        ended = subprocess.run(
            words,
            env=environ,
            input=given,
            capture_output=True,
            timeout=timeout,
            check=False,
            preexec_fn=preexec,
        )
    else:
        ended = FORKS.run(words[1:], environ, given, timeout)
    return Run(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def follow(line: str, gateway: Gateway) -> Run:
    """Run a literal `next`, in a forked process."""
    python, *words = shlex.split(line)
    assert python == "python3"
    ended = FORKS.run(words, environment(gateway), b"", 60)
    return Run(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def start(
    script: str, *args: str, gateway: Gateway, env: Mapping[str, str | None] | None = None
) -> subprocess.Popen[bytes]:
    """Start a script in a process group of its own, to be killed or interrupted."""
    return subprocess.Popen(
        command(script, *args, gateway=gateway),
        env=environment(gateway, env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def ended(process: subprocess.Popen[bytes]) -> Run:
    """How a started script ended."""
    out, err = process.communicate(timeout=30)
    return Run(process.returncode, out.decode(), err.decode())
