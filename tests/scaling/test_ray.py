"""The recipe for Ray, run on this machine: workers and shards are killed, and no job is paid twice.

Started by run.sh, which installs Ray into an environment of its own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import KEY, TESTS
from storm import Storm

PYTHON = Path(os.environ["RAY_PYTHON"])
EXAMPLE = TESTS.parent / "examples" / "scaling" / "ray_shards.py"
LINES = 12


def environment() -> dict[str, str]:
    """Of Ray's own processes: the guard of the tests is not for them."""
    told = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return {**told, "RAY_USAGE_STATS_ENABLED": "0", "RAY_DISABLE_IMPORT_WARNING": "1"}


def processes(begins: str) -> list[int]:
    """Those whose command line begins so."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, ValueError):
            continue
        if entry.name.isdigit() and line.startswith(begins):
            found.append(int(entry.name))
    return found


def tools(*words: str) -> list[int]:
    """The processes of the tool with these words."""
    found = []
    for pid in processes(str(PYTHON)):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if any(word.endswith("factorized_generate.py") for word in line) and set(words) <= {*line}:
            found.append(pid)
    return found


@pytest.fixture
def short() -> Iterator[dict[str, str]]:
    """A folder for Ray's sockets, whose paths may have 107 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as made:
        yield {"RAY_TMPDIR": made}


def test_a_batch_in_ray_tasks_that_are_killed_is_whole_and_paid_once(short: dict[str, str]) -> None:
    rows = [{"prompt": f"Scene number {number}"} for number in range(LINES)]
    Path("many.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ["--shards=3", "--again-after=0.5", "--"]
    words += ["--gateway=happycapy", "--prompts-file=many.jsonl", "--output=out"]
    words += ["--concurrency=2", "--max-cost=60"]
    with Storm() as gateway:
        gateway.ends_after = None
        own = {"AI_GATEWAY_BASE_URL": gateway.root, "AI_GATEWAY_API_KEY": KEY}
        scale = {"FACTORIZED_VIDEO_TIME_SCALE": "0.1"}
        state = {"XDG_STATE_HOME": str(Path.cwd() / "state")}
        began = subprocess.Popen(
            [str(PYTHON), str(EXAMPLE), *words],
            env={**environment(), **own, **scale, **state, **short},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            gateway.wait_for("create", 6, timeout_s=90)
        except AssertionError:
            began.kill()
            raise AssertionError(began.communicate()) from None
        workers = processes("ray::shard")
        assert len(workers) == 3, workers
        # One worker with its shard; one worker whose shard lives on; one shard alone.
        (one,) = tools("--shard=1/3")
        os.kill(workers[0], signal.SIGKILL)
        os.kill(workers[1], signal.SIGKILL)
        os.kill(one, signal.SIGKILL)
        time.sleep(1.0)
        gateway.ends_after = 1
        out, err = began.communicate(timeout=180)
        assert began.returncode == 0, (out.decode(), err.decode())
        assert b"12 of 12 made" in out
        merged = json.loads(Path("out/summary.json").read_text(encoding="utf-8"))
        assert merged["counts"] == {"succeeded": LINES}
        jobs = [json.loads(path.read_bytes())["job"] for path in Path("out").glob("*.mp4.rec*")]
        assert len(set(jobs)) == LINES
        assert (gateway.billed["image"], gateway.billed["create"]) == (LINES, LINES)
