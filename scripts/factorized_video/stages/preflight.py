"""What is asked, free, right before the first paid call: is it up, and does it accept the key?

At the host that will serve the video, so that a bad key or a dead host is found before the anchor
is paid for. In a run of the orchestrator the first stage that pays asks for all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import UsageError
from ..models import THE_ONLY_ONE
from ..money import Cost, usd

if TYPE_CHECKING:
    from ..gateway.client import Gateway
    from .context import Context


def check(context: Context, gateway: Gateway, expected: Cost) -> None:
    """Ask once. Raises AuthError or Unavailable; a balance below `expected` is a warning."""
    if context.handoff.gateway_checked:
        return
    context.console.progress(f"checking that {gateway.about.title} accepts the key")
    balance = gateway.check().balance_usd
    if balance is not None and expected.amount is not None and balance < expected.amount:
        context.console.warn(
            f"The balance at {gateway.about.title} is {usd(balance)}; this call should cost "
            f"{usd(expected.amount)}."
        )


def model(context: Context, gateway: Gateway, planned: str, kind: str) -> str | None:
    """The model that the plan had to leave open; None if it did not.

    `kind` is llm, image, video, judge or evaluator. Raises UsageError unless the gateway lists
    exactly one.
    """
    if planned != THE_ONLY_ONE:
        return None
    served = gateway.models() or []
    if len(served) == 1:
        return served[0]
    shown = ", ".join(served[:12]) + (" ..." if len(served) > 12 else "")
    raise UsageError(
        f"{gateway.about.subject} has no default model, and its list names "
        + (f"{len(served)} ({shown})." if served else "none."),
        f"Choose one with {context.rerun.model_flag(kind)}.",
    )
