"""Ctrl-C, SIGTERM and a closed terminal, to the orchestrator alone or to the whole group.

It ends at once, with its children, one JSON document and exit code 130; but a reply that is paid
for is awaited and written down, so the same command goes on without paying again.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Run, run
from factorized_video import interrupts
from factorized_video.pipeline import stage_process
from speech import Reply
from storm import Started, Storm, files, making, own_picture, receipt, until

INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
# What the orchestrator is doing -> the options that lead there at once.
OPTIONS = {
    "chat": ("--stop-after=caption",),
    "image": ("--skip-reasoning", "--stop-after=anchor"),
    "create": ("--anchor-path=mine.png",),
    "status": ("--anchor-path=mine.png",),
    "file": ("--anchor-path=mine.png",),
}
PAID = ("image", "create")
HOLDS = "waiting up to 10 s to record the paid call"
WHOM = pytest.mark.parametrize("whole_group", [False, True], ids=["alone", "group"])


pytestmark = pytest.mark.thorough


@pytest.fixture
def gateway() -> Iterator[Storm]:
    with Storm() as gateway:
        own_picture()
        yield gateway


def busy(gateway: Storm, phase: str, scale: float = 0.1) -> Started:
    """The orchestrator while it waits for an answer of this kind, which does not come."""
    if phase == "status":
        gateway.ends_after = None
    else:
        gateway.hold(phase)
    env = {"FACTORIZED_VIDEO_TIME_SCALE": str(scale)}
    started = Started("factorized_generate", *making(*OPTIONS[phase]), gateway=gateway, env=env)
    gateway.wait_for(phase)
    return started


def assert_interrupted(started: Started, *, tidily: bool = True) -> None:
    ended = started.end()
    assert ended.code == 130, ended.err
    assert "Traceback" not in ended.err
    told = ended.json
    assert (told["status"], told["error"]["kind"]) == ("interrupted", "interrupted")
    assert told["next"].startswith("python3 ")
    assert started.group_is_gone()
    assert not (tidily and [name for name in files() if name.endswith((".part", ".lock"))])


@WHOM
def test_whoever_stops_waiting_is_told_what_keeps_running(
    gateway: Storm, whole_group: bool
) -> None:
    started = busy(gateway, "status")
    started.send(INT, whole_group)
    ended = started.end()
    error = ended.json["error"]
    assert "The job job-1 keeps running at happycapy" in error["message"]
    assert "USD 2.40" in error["message"]
    assert "happycapy has no call to cancel it" in error["hint"]
    assert ended.err.count("keeps running") == 1


def test_no_wait_is_no_error(gateway: Storm) -> None:
    gateway.ends_after = None
    words = [word for word in making(*OPTIONS["status"], "--no-wait") if word != "--json"]
    done = run("factorized_generate", *words, gateway=gateway)
    assert (done.code, done.out) == (4, "")
    assert "Submitted; the job job-1 is not finished" in done.err
    assert "error:" not in done.err


def again(gateway: Storm, phase: str) -> Run:
    gateway.ends_after = 0
    return Started("factorized_generate", *making(*OPTIONS[phase]), gateway=gateway).end()


# Ctrl-C and a closed terminal go to the whole group, `kill` to one process; not always.
@pytest.mark.parametrize(
    ("number", "whole_group", "phase"),
    [
        *((INT, whole_group, phase) for phase in OPTIONS for whole_group in (False, True)),
        *((TERM, phase == "create", phase) for phase in OPTIONS),
        *((HUP, phase != "image", phase) for phase in OPTIONS),
    ],
)
def test_a_signal_ends_it_and_nothing_paid_is_lost(
    gateway: Storm, phase: str, number: signal.Signals, whole_group: bool
) -> None:
    started = busy(gateway, phase)
    began = time.monotonic()
    started.send(number, whole_group)
    if phase in PAID:
        started.wait_until_said(HOLDS)
        gateway.release(phase)
    assert_interrupted(started)
    assert time.monotonic() - began < 5
    if phase == "create":
        assert (receipt()["state"], receipt()["job"]) == ("submitted", "job-1")
    if phase in PAID or (number == INT and whole_group):
        if phase in ("chat", "file"):
            gateway.release(phase)
        done = again(gateway, phase)
        assert done.code == 0, done.err
        assert gateway.billed[phase if phase in PAID else "create"] <= 1


@WHOM
@pytest.mark.parametrize("phase", PAID)
def test_an_answer_that_never_comes_is_awaited_for_ten_seconds_at_most(
    gateway: Storm, phase: str, whole_group: bool
) -> None:
    scale = 0.05
    started = busy(gateway, phase, scale)
    started.send(INT, whole_group)
    began = time.monotonic()
    started.wait_until_said(HOLDS)
    assert_interrupted(started)
    assert 10 * scale * 0.5 < time.monotonic() - began < 10 * scale + 3
    gateway.release(phase)
    last = again(gateway, phase)
    # A picture cannot be found again, a job can.
    assert last.code == {"image": 8, "create": 0}[phase], last.err
    assert gateway.billed[phase] == 1


@WHOM
def test_a_second_signal_ends_it_at_once(gateway: Storm, whole_group: bool) -> None:
    started = busy(gateway, "image", scale=1)  # it would hold for ten seconds
    started.send(INT, whole_group)
    first = time.monotonic()
    started.wait_until_said(HOLDS)
    until(lambda: time.monotonic() - first > 1.2)  # sooner it would be the same one
    started.send(INT, whole_group)
    assert_interrupted(started, tidily=False)  # its child may have been killed
    assert time.monotonic() - first < 5


def test_one_signal_to_the_group_stays_one_on_a_busy_machine(gateway: Storm) -> None:
    started = busy(gateway, "image", scale=1)
    started.send(signal.SIGSTOP, whole_group=False)  # the orchestrator gets no processor time
    started.send(INT)
    started.wait_until_said(HOLDS)
    time.sleep(0.6)
    started.send(signal.SIGCONT, whole_group=False)
    until(lambda: started.has_ended(), 0.8)
    gateway.release("image")
    assert_interrupted(started)
    assert again(gateway, "image").code == 0


def ignore_hup() -> None:
    signal.signal(HUP, signal.SIG_IGN)


def test_a_closed_terminal_does_not_end_what_was_started_with_nohup(gateway: Storm) -> None:
    gateway.ends_after = None
    started = Started(
        "factorized_generate", *making(*OPTIONS["status"]), gateway=gateway, preexec=ignore_hup
    )
    gateway.wait_for("status")
    started.send(HUP)
    gateway.wait_for("status", len(gateway.of("status")) + 2)
    gateway.ends_after = 0
    assert started.end().code == 0


def test_a_terminal_that_closes_sends_the_signal_twice_and_means_it_once(gateway: Storm) -> None:
    started = busy(gateway, "create", scale=0.5)
    for _ in range(3):
        started.send(HUP)
        time.sleep(0.0001)
    started.wait_until_said(HOLDS)
    time.sleep(0.8)  # longer than what counts as one at this scale
    started.send(HUP)  # and it is never the second
    gateway.release("create")
    assert_interrupted(started)
    assert (receipt()["state"], receipt()["job"]) == ("submitted", "job-1")
    assert again(gateway, "create").code == 0
    assert gateway.billed["create"] == 1


@WHOM
def test_after_a_signal_a_lost_answer_ends_it_too(gateway: Storm, whole_group: bool) -> None:
    """It is not looked for then, nor sent once more: the next run does that."""
    gateway.will("create", Reply(500, json={"error": {"message": "x"}}, accepted=True))
    started = busy(gateway, "create")
    started.send(INT, whole_group)
    started.wait_until_said(HOLDS)
    listed = len(gateway.of("list"))
    gateway.release("create")
    assert_interrupted(started)
    assert len(gateway.of("list")) == listed
    assert receipt()["state"] == "unknown"
    assert again(gateway, "create").code == 0
    assert gateway.billed["create"] == 1


def test_a_signal_between_two_tries_leaves_nothing_to_account_for(gateway: Storm) -> None:
    busy_gateway = Reply(503, json={}, headers={"Retry-After": "60"}, accepted=False)
    gateway.always("image", busy_gateway)
    env = {"FACTORIZED_VIDEO_TIME_SCALE": "0.5"}
    words = making(*OPTIONS["image"])
    started = Started("factorized_generate", *words, gateway=gateway, env=env)
    gateway.wait_for("image")
    started.wait_until_said("Trying again")
    started.send(TERM)
    assert_interrupted(started)
    assert not any(name.endswith("anchor.png.receipt.json") for name in files())
    gateway.mend()
    assert again(gateway, "image").code == 0


def test_the_orchestrator_waits_as_long_as_its_stages_do() -> None:
    assert stage_process.stops_within_s(3.0) > 3 * interrupts.LONGEST_HOLD_S


# --- streams that go away -------------------------------------------------------------------------


def without(*descriptors: int) -> Callable[[], None]:
    """Close some streams before the script begins."""

    def close() -> None:
        for number in descriptors:
            os.close(number)

    return close


def onto(path: str, descriptor: int) -> Callable[[], None]:
    """Let a stream be this file."""

    def put() -> None:
        os.dup2(os.open(path, os.O_WRONLY), descriptor)

    return put


@pytest.mark.parametrize(
    "gone", [without(2), onto("/dev/full", 2), without(0, 2)], ids=["closed", "dead", "two"]
)
def test_a_stderr_that_is_gone_ends_no_paid_run(gateway: Storm, gone: Callable[[], None]) -> None:
    done = run("factorized_generate", *making(), gateway=gateway, preexec=gone)
    assert (done.code, done.json["status"]) == (0, "succeeded")
    assert gateway.billed == {"chat": 1, "image": 1, "create": 1}


def test_a_terminal_that_is_gone_ends_no_paid_run(gateway: Storm) -> None:
    """Its size can no longer be asked for, and what is written to it is an error."""
    ours, theirs = os.openpty()

    def on_terminal() -> None:
        os.dup2(theirs, 2)

    gateway.hold("status")
    started = Started(
        "factorized_generate",
        *making("--anchor-path=mine.png"),
        gateway=gateway,
        preexec=on_terminal,
    )
    os.close(theirs)
    gateway.wait_for("status")
    os.close(ours)
    gateway.release("status")
    gateway.ends_after = 0
    assert started.end().code == 0
    assert receipt()["state"] == "succeeded"


def test_a_result_that_cannot_be_written_is_said(gateway: Storm) -> None:
    done = run("factorized_generate", *making(), gateway=gateway, preexec=onto("/dev/full", 1))
    assert (done.code, "could not be written to stdout" in done.err) == (9, True)
    again_ = run("factorized_generate", *making(), gateway=gateway)
    assert (again_.code, again_.json["reused"]) == (0, True)


# --- texts as long as they may be -----------------------------------------------------------------


@pytest.mark.parametrize(
    "char", ["\U0001f63a", "'", "\u4e2d", '"'], ids=["emoji", "quote", "han", "double"]
)
def test_the_longest_prompt_travels_to_every_stage(gateway: Storm, char: str) -> None:
    prompt = (char * 19_990) + " cat leaps"
    Path("prompt.txt").write_text(prompt, encoding="utf-8")
    words = ["--prompt-file=prompt.txt", "--motion-file=prompt.txt", "--output=cat.mp4", "--json"]
    strategy = "--prompt-strategy=original"
    done = run("factorized_generate", *words, strategy, gateway=gateway)
    assert done.code == 0, done.err[:2_000]
    assert receipt("cat.stages/anchor.png")["asked"]["prompt"] == prompt
    assert len(receipt("cat.stages/anchor.png")["command"]) < 300_000
    assert run("factorized_generate", *words, strategy, gateway=gateway).json["reused"]
