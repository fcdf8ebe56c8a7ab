"""What is asked, free, right before the first paid call: is it there, and does it take the key?

At the host that will serve the video, so that a bad key or a dead host is found before the anchor
is paid for. In a run of the orchestrator the first stage that pays asks for all of them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..models import THE_ONLY_ONE
from ..money import Cost
from ..receipts import CHECKED, COMMAND

if TYPE_CHECKING:
    from ..console import Console
    from ..gateway.client import Gateway


def check(console: Console, gateway: Gateway, expected: Cost) -> None:
    """Ask once. Raises AuthError or Unavailable; a balance below `expected` is a warning."""
    if os.environ.get(CHECKED):
        return
    console.progress(f"asking {gateway.about.title} whether it takes the key")
    balance = gateway.check().balance_usd
    if balance is not None and expected.amount is not None and balance < expected.amount:
        console.warn(
            f"The balance at {gateway.about.title} is USD {balance:.2f}; this call should cost "
            f"USD {expected.amount:.2f}."
        )


def model(gateway: Gateway, planned: str, kind: str) -> str | None:
    """The model that the plan had to leave open; None if it did not.

    `kind` is llm, image, video, judge or evaluator.

    Raises UsageError unless the gateway lists exactly one.
    """
    if planned != THE_ONLY_ONE:
        return None
    served = gateway.models() or []
    if len(served) == 1:
        return served[0]
    # Run by the orchestrator, the flag to type is the orchestrator's.
    own = kind in ("judge", "evaluator")
    flag = f"--{kind}-model" if own or os.environ.get(COMMAND) else "--model"
    shown = ", ".join(served[:12]) + (" ..." if len(served) > 12 else "")
    raise UsageError(
        f"{gateway.about.subject} has no default model, and its list names "
        + (f"{len(served)} ({shown})." if served else "none."),
        f"Choose one with {flag}.",
    )
