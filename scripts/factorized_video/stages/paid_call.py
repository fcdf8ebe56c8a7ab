"""The steps of every paid call for an output: a text, a picture, a candidate, an edit, a clip.

Look at the output's place; lock it; look again; resume what was begun, or check the key, the price
and the cap, write the intent down, send, keep the response, deliver it, release the lock. What
happens is on disk before the next step: a process may die at any moment, and nothing is paid twice.
"""

from __future__ import annotations

import contextlib
import re
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from .. import models, receipts
from ..errors import Rejected, Unfetched
from ..files import check_writable
from ..gateway import open_gateway
from ..receipts import Allowed, Decision, Intent, Record
from . import preflight
from .calls import Call, models_of
from .ledger import Ledger

if TYPE_CHECKING:
    from ..gateway.client import Gateway
    from .context import Context


T = TypeVar("T")


class Made(NamedTuple):
    """The receipt of an output that is there now; `reused` if nothing was sent for it."""

    receipt: dict[str, Any]
    reused: bool


class PaidCall(ABC):
    """One output that a paid call makes; subclasses say what differs.

    `wanted` is the digest of the request, `asked` the request by option.
    """

    settles = False  # whether the gateway can be asked what became of a lost call

    def __init__(
        self, context: Context, output: Path | None, wanted: str, asked: dict[str, object]
    ) -> None:
        self.context = context
        self.output = output
        self.wanted = wanted
        self.asked = asked
        self.ledger = Ledger(context, [output] if output else [])
        self.came_back = False  # whether it was kept aside, and is in its place again
        self.delivered = False

    @abstractmethod
    def checked(self, gateway: Gateway) -> Call:
        """The call, now that it is to be paid for: its model named, its settings checked."""

    @abstractmethod
    def intent(self, gateway: Gateway, call: Call) -> Intent:
        """What the receipt says before the call is sent."""

    @abstractmethod
    def send(self, gateway: Gateway, call: Call, record: Record) -> None:
        """Send the paid call, and write down what became of it."""

    @abstractmethod
    def deliver(self, gateway: Gateway, record: Record) -> None:
        """Put the response in its place."""

    def consult(self, *, settles: bool) -> tuple[Decision, dict[str, Any]]:
        """What to do, and the receipt that says so. Raises the error of an answer that stands."""
        assert self.output is not None
        return self.consult_with(self.context.allowed, settles=settles)

    def consult_with(self, allowed: Allowed, *, settles: bool) -> tuple[Decision, dict[str, Any]]:
        """As `consult`, with other leave."""
        assert self.output is not None
        return receipts.consult(
            self.output, self.wanted, allowed, settles=settles, asked=self.asked
        )

    def announce(self, decision: Decision, receipt: dict[str, Any]) -> None:
        """Say that the output is there already."""
        assert self.output is not None
        receipts.announce(self.output, decision, self.context.console)

    def returned(self, receipt: dict[str, Any]) -> None:  # noqa: B027 - most have nothing to do
        """Under the lock, where another process has just made the output."""

    def check_money(self, gateway: Gateway, call: Call) -> None:
        """Raise OverBudget, AuthError or Unavailable before anything is paid for."""
        self.ledger.check(call.cost)
        preflight.check(self.context, gateway, call.cost, models_of([call]))

    def begin(self, gateway: Gateway, decision: Decision, receipt: dict[str, Any]) -> Record:
        """The record whose call was sent: now, or before."""
        assert self.output is not None
        record = Record(self.output, receipt)
        if decision is Decision.MAKE or self.is_out_of_reach(gateway, record):
            return self.pay(gateway)
        return record

    def is_out_of_reach(self, gateway: Gateway, record: Record) -> bool:
        """Whether --resubmit is given for a result that could not be fetched, and still cannot."""
        if not (self.context.terms.resubmit and receipts.is_unfetched(record.data)):
            return False
        try:
            self.deliver(gateway, record)
        except Unfetched as error:
            self.context.console.warn(f"{error.message} It is made once more.")
            return True
        self.delivered = True
        return False

    def pay(self, gateway: Gateway) -> Record:
        """Check, write the intent down, send."""
        assert self.output is not None
        call = self.checked(gateway)
        self.check_money(gateway, call)
        record = Record.begin(self.output, self.intent(gateway, call))
        self.send(gateway, call, record)
        return record


def with_seed(call: Call) -> Call:
    """The call with a random seed, where a server may make the same again without one."""
    takes_one = models.gateway(call.gateway).own_engines and call.model.seed is not False
    if not takes_one or "seed" in {**call.settings, **call.settings.get("fields", {})}:
        return call
    return call._replace(settings={**call.settings, "seed": secrets.randbelow(1 << 31)})


def send_seeded(record: Record, send: Callable[[], T], *, given: bool) -> T:
    """What `send()` returns; sent again without its random seed where the server takes none.

    `send` reads what it sends from the record; a seed that was `given` is not left out.
    """
    try:
        return send()
    except Rejected as error:
        sent = record.data["sent"]
        if given or "seed" not in sent or not re.search(r"\bseed\b", error.message):
            raise
    record.update(sent={name: one for name, one in sent.items() if name != "seed"})
    return send()


def make(paid: PaidCall) -> Made:
    """The output of a paid call: returned, resumed, or paid for and delivered."""
    # Outside the lock a call without an answer may be that of the process that holds it.
    decision, receipt = paid.consult(settles=True)
    if decision.returns:
        paid.announce(decision, receipt)
        return Made(receipt, reused=True)
    with locked(paid.output):
        decision, receipt = consult_locked(paid)
        if decision.returns:
            paid.returned(receipt)
            return Made(receipt, reused=True)
        context = paid.context
        with open_gateway(context.gateway, context.console.progress) as gateway:
            return Made(settle(paid, gateway, decision, receipt), reused=False)


def consult_locked(paid: PaidCall) -> tuple[Decision, dict[str, Any]]:
    """As `PaidCall.consult`, with what was kept aside put back. The caller holds the lock."""
    decision, receipt = paid.consult(settles=paid.settles)
    if decision is not Decision.RETRIEVE:
        return decision, receipt
    assert paid.output is not None
    place = receipts.retrieve(paid.output, paid.wanted)
    paid.came_back = True
    if place and place != paid.output:
        paid.context.console.warn(
            f"{place.name} was made with these options before: it is back as {paid.output.name}, "
            "and nothing was paid for."
        )
    return paid.consult(settles=paid.settles)


def settle(
    paid: PaidCall, gateway: Gateway, decision: Decision, receipt: dict[str, Any]
) -> dict[str, Any]:
    """Pay or resume, and deliver; the receipt. The caller holds the output's lock."""
    record = paid.begin(gateway, decision, receipt)
    if not paid.delivered:
        paid.deliver(gateway, record)
    return record.data


def locked(output: Path | None) -> contextlib.AbstractContextManager[None]:
    """The lock of an output that can be written; of none there is nothing to lock."""
    if output is None:
        return contextlib.nullcontext()
    check_writable(output)
    return receipts.locked(output)
