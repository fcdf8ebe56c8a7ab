"""Ctrl-C, SIGTERM and a closed terminal stop the run at once, except during a paid call.

While a paid call is out, the first signal waits up to ten seconds for its reply, so that the
receipt records what was paid for. A second signal stops at once: one that comes a second later, for
a terminal that closes and a shell that ends send the same one several times.

Python gives a signal to the main thread alone. Where several runs are at work in threads of this
process, the main thread tells them (`tell_all`): nothing new is sent, free waits and reads end, and
what is paid for is waited for.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Sent by the orchestrator to its stage when it receives a signal. A separate signal, because Ctrl-C
# reaches the whole process group: it must not count as a second one in a stage that received both.
PASSED_ON = signal.SIGUSR1
LONGEST_HOLD_S = 10.0
SAME_WITHIN_S = 1.0  # signals so close together are one

_signals: list[tuple[int, float]] = []  # received so far, with the monotonic time
_time_scale = 1.0
_waiting: Callable[[str], None] | None = None  # set during a paid call of the main thread
_pending = False
_told = threading.Event()  # set once the runs in other threads are to end
_cuts: set[Callable[[], None]] = set()  # what ends the free reads that are out in those threads
_left_behind = False


def install() -> None:
    """Make signals raise KeyboardInterrupt; one that is ignored (nohup) stays ignored."""
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _heard)
    signal.signal(PASSED_ON, _heard)
    signal.signal(signal.SIGALRM, _too_long)


def _in_main() -> bool:
    return threading.current_thread() is threading.main_thread()


@contextlib.contextmanager
def held_back(say: Callable[[str], None], time_scale: float = 1.0) -> Iterator[None]:
    """Delay the first signal until a paid call is made and its reply is recorded.

    In another thread than the main one it takes effect before the call, or after it.
    """
    if not _in_main():
        stop_if_pending()
        yield
        stop_if_pending()
        return
    global _waiting, _pending, _time_scale  # noqa: PLW0603 - signals belong to the process

    def announce(text: str) -> None:
        say(text)
        signal.setitimer(signal.ITIMER_REAL, LONGEST_HOLD_S * time_scale)

    _waiting, _pending, _time_scale = announce, False, time_scale
    try:
        yield
    finally:
        _waiting = None
        signal.setitimer(signal.ITIMER_REAL, 0)
    if _pending:
        raise KeyboardInterrupt


def pending() -> bool:
    """Whether a signal is waiting, so that nothing new may be started."""
    return _pending or _told.is_set()


def stop_if_pending() -> None:
    """End now if a signal is waiting: what it waited for is written down."""
    if pending():
        raise KeyboardInterrupt


def nap(seconds: float) -> None:
    """Sleep, but not on when a signal is waiting."""
    end = time.monotonic() + seconds
    while not pending() and (left := end - time.monotonic()) > 0:
        # The main thread is woken by a signal itself, and must not wait for what that sets.
        if _in_main() or _waiting:
            time.sleep(min(left, 0.1))
        else:
            _told.wait(left)


def rest(seconds: float) -> None:
    """Sleep; a signal ends it and the run."""
    if _in_main():
        time.sleep(seconds)
    else:
        _told.wait(seconds)
        stop_if_pending()


def tell_all() -> None:
    """Have the runs in other threads end. Called by the main thread, after a signal."""
    _told.set()
    for cut in list(_cuts):
        cut()


def leave_behind() -> None:
    """Some of those runs have not ended in time: this process ends without them."""
    global _left_behind  # noqa: PLW0603 - there is one process
    _left_behind = True


def left_behind() -> bool:
    """Whether threads are still at work that nobody waits for any more."""
    return _left_behind


@contextlib.contextmanager
def cut_by(cut: Callable[[], None]) -> Iterator[None]:
    """While a free read is out in another thread, `cut()` ends it when that is told to stop."""
    if _in_main():  # a signal ends what it waits for
        yield
        return
    _cuts.add(cut)
    try:
        stop_if_pending()
        yield
    finally:
        _cuts.discard(cut)


def _heard(number: int, frame: object) -> None:
    now = time.monotonic()
    before, _signals[:] = list(_signals), [*_signals, (number, now)]
    if not before:
        _act(first=True)
        return
    first, at = before[0]
    late = first == PASSED_ON and len(before) == 1  # the original of the one passed on
    same = late or number in (PASSED_ON, signal.SIGHUP) or now - at < SAME_WITHIN_S * _time_scale
    if not same:
        _act(first=False)


def _act(first: bool) -> None:
    global _pending  # noqa: PLW0603
    if _waiting is None or not first:
        raise KeyboardInterrupt
    _pending = True
    _waiting(
        f"waiting up to {LONGEST_HOLD_S:g} s to record the paid call; "
        "press Ctrl-C again to stop now"
    )


def _too_long(number: int, frame: object) -> None:
    raise KeyboardInterrupt
