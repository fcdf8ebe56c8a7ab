"""Many prompts in one process: stopped and killed at any moment, nothing is lost or paid twice."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loopback import Reply
from speech import Request
from storm import Started, Storm, Watched, files, receipt
from test_crash import ENV, SEED

pytestmark = pytest.mark.thorough

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "3"))
NAMES = ("cat", "dog", "kite")
SCALE = {"FACTORIZED_VIDEO_TIME_SCALE": "0.1"}
WORDS = ["--prompts-file=many.jsonl", "--output=.", "--json"]


def lay(folder: Path | None = None) -> None:
    rows = [{"prompt": f"A {name} that moves", "output": f"{name}.mp4"} for name in NAMES]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    ((folder or Path.cwd()) / "many.jsonl").write_text(text, encoding="utf-8")


def begun(gateway: Storm, *words: str) -> Started:
    return Started("factorized_generate", *WORDS, *words, gateway=gateway, env=SCALE)


def children_of(pid: int) -> list[str]:
    told = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, check=True)
    rows = [row.split() for row in told.stdout.decode().splitlines()]
    return [child for child, parent in rows if int(parent) == pid]


def assert_goes_on(gateway: Storm, stopped: Started, within_s: float) -> dict[str, Any]:
    """It ends with 130 in that time, and the same command makes the rest, each once."""
    began = time.monotonic()
    ended = stopped.end()
    assert ended.code == 130, ended.err
    assert time.monotonic() - began < within_s
    assert ended.json["status"] == "interrupted"
    assert len(ended.json["lines"]) == len(NAMES)
    again = begun(gateway).end()
    assert again.code == 0, again.err
    assert (gateway.billed["image"], gateway.billed["create"]) == (len(NAMES), len(NAMES))
    return ended.json


# --- signals --------------------------------------------------------------------------------------


def test_no_other_process_is_begun_and_a_signal_ends_all_that_waits() -> None:
    lay()
    with Storm() as gateway:
        gateway.ends_after = None
        started = begun(gateway)
        gateway.wait_for("status", 3)
        assert children_of(started.process.pid) == []
        started.send(signal.SIGINT)
        gateway.ends_after = 1
        told = assert_goes_on(gateway, started, within_s=3)
        assert {line["error"]["kind"] for line in told["lines"]} == {"interrupted"}
        assert all("keeps running" in line["error"]["message"] for line in told["lines"])


@pytest.mark.parametrize("endpoint", ["chat", "image", "create"])
def test_a_paid_call_that_is_out_is_waited_for(endpoint: str) -> None:
    lay()
    with Storm() as gateway:
        gateway.hold(endpoint)
        started = begun(gateway)
        gateway.wait_for(endpoint, 3)
        started.send(signal.SIGTERM)
        time.sleep(0.3)
        assert not started.has_ended()
        gateway.release(endpoint)
        assert_goes_on(gateway, started, within_s=3)
        assert gateway.billed["chat"] == len(NAMES)


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    lay()
    with Storm() as gateway:
        gateway.hold("create")
        started = begun(gateway)
        gateway.wait_for("create", 3)
        started.send(signal.SIGINT)
        time.sleep(1.2)  # what comes sooner is the same one
        assert not started.has_ended()
        started.send(signal.SIGINT)
        ended = started.end(5)
        assert ended.code == 130, ended.err
        gateway.release("create")
        assert begun(gateway).end().code == 0, "the jobs are found in the gateway's list"
        assert gateway.billed["create"] == len(NAMES)


@pytest.mark.parametrize("endpoint", ["status", "file"])
def test_a_free_read_that_never_ends_is_cut_off(endpoint: str) -> None:
    lay()
    with Storm() as gateway:
        gateway.hold(endpoint)
        started = begun(gateway)
        gateway.wait_for(endpoint, 3)
        started.send(signal.SIGINT)
        ended = started.end(5)
        assert ended.code == 130, ended.err
        gateway.release(endpoint)
        assert begun(gateway).end().code == 0
        assert gateway.billed["create"] == len(NAMES)


def test_nothing_is_sent_by_a_line_that_begins_as_the_batch_is_stopped() -> None:
    lay()
    with Storm() as gateway:
        gateway.hold("image")
        started = begun(gateway, "--concurrency=1")
        gateway.wait_for("image")
        started.send(signal.SIGINT)
        time.sleep(0.2)
        gateway.release("image")
        assert started.end().code == 130
        assert "create" not in gateway.sent
        assert len(gateway.of("chat")) == 1


# --- kills ----------------------------------------------------------------------------------------


Kill = tuple[dict[str, str], float]  # more environment for a run, and when it is killed, in s


def until_it_ends(gateway: Storm, folder: Path, kills: list[Kill]) -> int:
    """The same command, killed as often as `kills` says, then to its end; lost answers."""
    folder.mkdir(parents=True)
    temporary = folder.with_name(f"{folder.name}.tmp")
    temporary.mkdir()
    lay(folder)
    lost, ended = 0, None
    answer: tuple[str, ...] = ()
    moments = iter(kills)
    for _ in range(30):
        watched, after_s = next(moments, ({}, 60.0))
        run = Started(
            "factorized_generate",
            *WORDS,
            *gateway.speech.naming(),
            *answer,
            gateway=gateway,
            folder=folder,
            env={"TMPDIR": str(temporary), **ENV, **watched},
        )
        deadline = time.monotonic() + after_s
        while time.monotonic() < deadline and not run.has_ended():
            time.sleep(0.002)
        if not run.has_ended():
            run.send(signal.SIGKILL)
        ended, answer = run.end(), ()
        if ended.code == 8:
            lost += ended.json["counts"]["unknown"]
            answer = ("--resubmit",)
        elif ended.code not in (6, -signal.SIGKILL):
            break
    assert ended and ended.code == 0, ended
    return lost


def assert_each_is_there_once(gateway: Storm, folder: Path, lost: int) -> None:
    jobs = []
    for name in NAMES:
        final = receipt(folder / f"{name}.mp4")
        jobs.append(final["job"])
        assert (folder / f"{name}.mp4").read_bytes() == gateway.clips[final["job"]]
        assert final["state"] == "succeeded"
    assert len(set(jobs)) == len(NAMES)
    billed = {name: gateway.billed[name] for name in ("image", "create")}
    assert all(number >= len(NAMES) for number in billed.values())
    assert sum(billed.values()) <= 2 * len(NAMES) + lost, (billed, lost)
    left = {name for name in files(folder) if name.endswith((".part", ".lock", ".kept"))}
    assert left == set(), left


def stormy(seed: object) -> Storm:
    gateway = Storm(f"{SEED}/many/{seed}", 0.1)
    gateway.ends_after = 2
    return gateway


@pytest.mark.parametrize("number", range(ROUNDS))
def test_killed_at_any_moment_each_line_is_billed_once(tmp_path: Path, number: int) -> None:
    dice = random.Random(f"{SEED}/many/{number}")
    with stormy(number) as gateway:
        kills: list[tuple[dict[str, str], float]] = [
            ({}, dice.uniform(0.3, 2.0)) for _ in range(dice.randint(1, 4))
        ]
        lost = until_it_ends(gateway, tmp_path / "round", kills)
        assert_each_is_there_once(gateway, tmp_path / "round", lost)


def test_killed_before_each_step_each_line_is_billed_once(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "watch", tmp_path)
    with stormy("steps") as gateway:
        until_it_ends(gateway, tmp_path / "undisturbed", [(watched.environment(), 60.0)])
    steps = len(watched.steps)
    count = max(2, ROUNDS // 3) if ROUNDS < 100 else steps
    for number in sorted(random.Random(SEED).sample(range(1, steps + 1), min(count, steps))):
        with stormy(number) as gateway:
            folder = tmp_path / f"step-{number}"
            lost = until_it_ends(gateway, folder, [(watched.environment(number), 60.0)])
            assert_each_is_there_once(gateway, folder, lost)


# --- a gateway that has had enough ----------------------------------------------------------------


def test_what_one_line_is_told_holds_for_all() -> None:
    """A 429 that names a time: no line calls that model before it is over."""
    lay()
    busy = Reply(429, json={}, headers={"Retry-After": "6"}, accepted=False)
    with Storm() as gateway:
        gateway.will("image", busy)
        began = time.monotonic()
        ended = begun(gateway, "--concurrency=3").end()
        assert ended.code == 0, ended.err
        assert time.monotonic() - began > 0.6
        sent = [request.at for request in gateway.of("image")]
        assert len(sent) == 4
        assert sum(moment < sent[0] + 0.6 for moment in sent) <= 3, "those that were out already"


def test_many_that_are_turned_away_get_their_turn() -> None:
    """A gateway that takes one picture in a while: no line gives up as long as others pass."""
    rows = [{"prompt": f"Scene {number}"} for number in range(12)]
    Path("many.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    class Slow(Storm):
        last = 0.0

        def answer(self, request: Any) -> Reply:
            now = time.monotonic()
            if request.endpoint == "image":
                if now - self.last < 0.15:
                    return Reply(429, json={"error": {"message": "slow down"}}, accepted=False)
                self.last = now
            return super().answer(request)

    with Slow() as gateway:
        ended = begun(gateway, "--concurrency=12").end()
        assert ended.code == 0, (ended.err, ended.json["counts"])
        assert gateway.billed["image"] == 12


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(402, json={"error": {"message": "Insufficient credits"}}, accepted=False), 3),
        (Reply(429, json={"error": {"message": "daily quota exceeded"}}, accepted=False), 6),
    ],
)
def test_an_empty_account_stops_new_calls_and_what_runs_is_fetched(reply: Reply, code: int) -> None:
    rows = [{"prompt": f"Scene {number}"} for number in range(8)]
    Path("many.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with Storm() as gateway:
        gateway.ends_after = 20
        gateway.will("create", Reply(), Reply())
        gateway.always("create", reply)
        ended = begun(gateway, "--concurrency=4").end()
        assert ended.code == code, ended.err
        assert ended.json["counts"]["succeeded"] == 2
        assert len(gateway.of("create")) <= 4, "those that were out together"
        assert len(gateway.of("image")) <= 6, "no line is begun that could not be ended"
        assert ended.json["counts"].get("not begun", 0) >= 2


# --- what the lines share -------------------------------------------------------------------------


class Sticky(Storm):
    """A balancer before two replicas: a create sets a cookie, by which its reads find the job."""

    def __init__(self) -> None:
        super().__init__()
        self.cookies: dict[str, set[str]] = {}

    def answer(self, request: Request) -> Reply:
        reply = super().answer(request)
        if request.endpoint == "create":
            engine = f"ENGINE=gpu{len(self.of('create'))}"
            cookie = {"Set-Cookie": f"{engine}; Path=/"}
            return replace(reply, headers={**reply.headers, **cookie})
        if request.endpoint == "status":
            job = self.speech.job_in(request)
            self.cookies.setdefault(job, set()).add(request.headers.get("cookie", ""))
        return reply


def test_each_job_keeps_the_cookie_of_its_own_create() -> None:
    lay()
    sticky = Sticky()
    with sticky as gateway:
        gateway.ends_after = 3
        assert begun(gateway).end().code == 0
        assert len(sticky.cookies) == len(NAMES)
        assert all(len(found) == 1 for found in sticky.cookies.values()), sticky.cookies
        told = [found.pop() for found in sticky.cookies.values()]
        assert sorted(told) == [f"ENGINE=gpu{number}" for number in (1, 2, 3)]


def test_connections_are_shared_and_not_one_for_each_line() -> None:
    rows = [{"prompt": f"Scene {number}"} for number in range(16)]
    Path("many.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with Storm() as gateway:
        gateway.ends_after = 4
        assert begun(gateway, "--concurrency=16").end().code == 0
        reads = len(gateway.of("status"))
        assert reads >= 16 * 5
        # Each paid call has one of its own, on purpose; reads and downloads use what is there.
        assert gateway._server.connections <= 3 * 16 + 20, gateway._server.connections
