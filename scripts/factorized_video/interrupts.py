"""Ctrl-C, SIGTERM and a closed terminal: the run ends at once, but not between paying and knowing.

While the reply to a paid call is awaited, the first signal waits for it, ten seconds at the latest,
so that what was paid for is written down. A second signal ends at once.
"""

from __future__ import annotations

import contextlib
import signal

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What the orchestrator tells its stage when it is signalled itself. A signal of its own, because
# Ctrl-C reaches the whole group: the stage has then heard, and this must not count as a second one.
PASSED_ON = signal.SIGUSR1
LONGEST_HOLD_S = 10.0

_signals: list[int] = []  # what was heard so far
_waiting: Callable[[str], None] | None = None  # set while a reply is awaited
_pending = False


def install() -> None:
    """From now on a signal raises KeyboardInterrupt. One that is ignored (nohup) stays ignored."""
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _heard)
    signal.signal(PASSED_ON, _heard)
    signal.signal(signal.SIGALRM, _too_long)


@contextlib.contextmanager
def held_back(say: Callable[[str], None], time_scale: float = 1.0) -> Iterator[None]:
    """Around a paid call and the writing down of its reply: a signal takes effect after it."""
    global _waiting, _pending  # noqa: PLW0603 - signals belong to the process

    def announce(text: str) -> None:
        say(text)
        signal.setitimer(signal.ITIMER_REAL, LONGEST_HOLD_S * time_scale)

    _waiting, _pending = announce, False
    try:
        yield
    finally:
        _waiting = None
        signal.setitimer(signal.ITIMER_REAL, 0)
    if _pending:
        raise KeyboardInterrupt


def pending() -> bool:
    """Whether a signal is held back: nothing more is to be begun."""
    return _pending


def _heard(number: int, frame: object) -> None:
    if number == PASSED_ON:
        if not _signals:
            _signals.append(number)
            _act(first=True)
    elif _signals == [PASSED_ON]:
        _signals.append(number)  # the one that was passed on, seen after it: that happens
    else:
        _signals.append(number)
        _act(first=len(_signals) == 1)


def _act(first: bool) -> None:
    global _pending  # noqa: PLW0603
    if _waiting is None or not first:
        raise KeyboardInterrupt
    _pending = True
    _waiting(
        "stopping as soon as the answer to the paid call is written down "
        f"({LONGEST_HOLD_S:g} s at most; once more to stop at once)"
    )


def _too_long(number: int, frame: object) -> None:
    raise KeyboardInterrupt
