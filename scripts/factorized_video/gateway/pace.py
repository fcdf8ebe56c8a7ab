"""How fast a gateway may be called: what it said to one run counts for all runs of this process.

Each lane is a kind of calls that a gateway limits together: status reads, or the paid calls of one
model. A lane that was turned away (429) rests as long as it was told to, and then goes on one call
at a time, slowly at first. One that is closed (no credit, a quota of the day) sends nothing more.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from .. import interrupts
from ..errors import Interrupted, ToolError

READS = "reads"  # the lane of status reads
# So many reads may be out at once, and so far apart they begin: 128 jobs that are looked at every
# four seconds are 32 reads a second. No gateway says how many it allows; one that is asked too
# often says so, and is asked less.
MOST_READS, READS_APART_S = 24, 0.02
FIRST_GAP_S, LONGEST_GAP_S = 0.5, 15.0
_NO_GAP_S = 0.2  # below that there is none


class _Lane:
    """How one kind of calls stands; times are monotonic."""

    def __init__(self, apart_s: float) -> None:
        self.apart_s = apart_s  # between calls while all goes well
        self.gap_s = apart_s  # between calls now
        self.next_at = 0.0  # when the next call may begin
        self.rests_until = 0.0
        self.slowed_at = 0.0
        self.well_at = 0.0  # when a call was accepted last
        self.closed: ToolError | None = None


class Pace:
    """Of one gateway; all threads of the process ask it. `time_scale` as in its settings."""

    def __init__(self, time_scale: float) -> None:
        self._scale = time_scale
        self._lock = threading.Lock()
        self._lanes: dict[str, _Lane] = {}
        self._reads = threading.BoundedSemaphore(MOST_READS)
        self._paid: threading.BoundedSemaphore | None = None
        self._most_paid = 0
        self._closed: ToolError | None = None  # all lanes of paid calls

    def allow(self, at_once: int) -> None:
        """So many paid calls may be out at the same time; before that, any number.

        One of many that is many itself leaves what is allowed to all.
        """
        if at_once > self._most_paid:
            self._most_paid, self._paid = at_once, threading.BoundedSemaphore(at_once)

    def _lane(self, name: str) -> _Lane:
        apart_s = READS_APART_S * self._scale if name == READS else 0.0
        return self._lanes.setdefault(name, _Lane(apart_s))

    @contextlib.contextmanager
    def turn(self, name: str) -> Iterator[float]:
        """Wait for one's turn, and have it while the call is out; yields when it is sent.

        A call that ends without an exception was accepted. Raises Interrupted where a signal comes
        meanwhile, and the error that closed the lane.
        """
        with (self._reads if name == READS else self._paid) or contextlib.nullcontext():
            while True:
                if (wait_s := self._reserved(name)) > 0:
                    interrupts.nap(wait_s)
                raise_if_interrupted()
                if wait_s <= 0 or not self._rests(name):
                    break
            yield time.monotonic()
            self._went_well(name)

    def _reserved(self, name: str) -> float:
        """Take the next place in a lane; in how many seconds that is."""
        with self._lock:
            if error := self._why_closed(name):
                raise _said_again(error)
            lane, now = self._lane(name), time.monotonic()
            begin = max(now, lane.next_at, lane.rests_until)
            lane.next_at = begin + lane.gap_s
            return begin - now

    def _rests(self, name: str) -> bool:
        """Whether a lane was told to rest, or closed, while somebody waited for his place in it."""
        with self._lock:
            rests = self._lane(name).rests_until > time.monotonic()
            return rests or self._why_closed(name) is not None

    def turned_away(self, name: str, wait_s: float, sent_at: float) -> bool:
        """A call that was sent then was turned away, and is to wait: so does the whole lane.

        Whether another call was accepted since it was sent: then it is only a matter of one's turn.
        """
        with self._lock:
            lane, now = self._lane(name), time.monotonic()
            lane.rests_until = max(lane.rests_until, now + wait_s)
            if sent_at >= lane.slowed_at:  # those that were out together count once
                first, longest = FIRST_GAP_S * self._scale, LONGEST_GAP_S * self._scale
                lane.gap_s = min(max(2 * lane.gap_s, first), longest)
                lane.slowed_at = now
            lane.next_at = max(lane.next_at, lane.rests_until)
            return lane.well_at > sent_at

    def _went_well(self, name: str) -> None:
        """A call was accepted."""
        with self._lock:
            lane = self._lane(name)
            lane.well_at = time.monotonic()
            lane.gap_s /= 2
            if lane.gap_s < max(lane.apart_s, _NO_GAP_S * self._scale):
                lane.gap_s = lane.apart_s

    def close(self, error: ToolError, name: str | None = None) -> None:
        """Send nothing more in a lane; without a name no paid call at all."""
        with self._lock:
            if name is None:
                self._closed = error
            else:
                self._lane(name).closed = error

    def closed(self, name: str) -> ToolError | None:
        """Why nothing more is sent in a lane of paid calls, or None."""
        with self._lock:
            return self._why_closed(name)

    def _why_closed(self, name: str) -> ToolError | None:
        return None if name == READS else self._closed or self._lane(name).closed


def raise_if_interrupted() -> None:
    """Raise Interrupted where a signal is waiting: nothing new is sent."""
    if interrupts.pending():
        raise Interrupted("Interrupted.", "Run the same command again to resume.", charged="no")


def paid_lane(service: str, model: str) -> str:
    """The lane of the paid calls of a model."""
    return f"{service} {model}"


def _said_again(error: ToolError) -> ToolError:
    """The error that closed a lane, for a call that was not even sent."""
    again = type(error)(error.message, error.hint, charged="no")
    again.http_status = error.http_status
    return again
