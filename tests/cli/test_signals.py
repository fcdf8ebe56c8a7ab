"""Ctrl-C, SIGTERM and a closed terminal, to the orchestrator alone or to the whole group.

It ends at once, with its children, one JSON document and exit code 130; but a reply that is paid
for is awaited and written down, so the same command goes on without paying again.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest
from conftest import Run
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
