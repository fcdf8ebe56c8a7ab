"""What is asked, free, right before the first paid call: is it up, and does it accept the key?

At the host that will serve the video, so that a bad key or a dead host is found before the anchor
is paid for; of several servers of one's own each that the run needs. In a run of the orchestrator
the first stage that pays asks for all of them.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..models import THE_ONLY_ONE, service_of
from ..money import Cost, usd

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..gateway.client import Gateway
    from .context import Context


def check(
    context: Context, gateway: Gateway, expected: Cost, called: Mapping[str, list[str]]
) -> None:
    """Ask once. Raises AuthError or Unavailable.

    A balance below `expected` is a warning, and so is one of the models in `called`, by service,
    that a server of one's own does not list.
    """
    if context.handoff.gateway_checked:
        return
    if not context.is_demo:  # which has no key
        context.console.progress(f"checking that {gateway.about.title} accepts the key")
    called = {**called, **context.handoff.models}
    for asked, services in gateway.settings.servers(called).items():
        account = gateway.check(asked)
        for name in [name for service in services for name in called[service]]:
            _warn_of_unlisted(context, name, account.models)
        balance = account.balance_usd
        if balance is not None and expected.amount is not None and balance < expected.amount:
            context.console.warn(
                f"The balance at {gateway.about.title} is {usd(balance)}; this call should cost "
                f"{usd(expected.amount)}."
            )


def _warn_of_unlisted(context: Context, name: str, served: tuple[str, ...]) -> None:
    """Warn of a model that its server does not list: engines answer to any name with their own."""
    if served and not any(_is_meant(name, pattern) for pattern in served):
        shown = ", ".join(served[:5]) + (" ..." if len(served) > 5 else "")
        context.console.warn(
            f"The server does not list {name}; it lists {shown}. Some servers answer to any name, "
            "with the model that they have."
        )


def _is_meant(name: str, listed: str) -> bool:
    """Whether a listed name stands for a model: whole, by its last part, or as a pattern."""
    parts = name.rpartition("/")[2], listed.rstrip("/").rpartition("/")[2]
    return name == listed or parts[0] == parts[1] or fnmatchcase(name, listed)


def model(context: Context, gateway: Gateway, planned: str, kind: str) -> str | None:
    """The model that the plan had to leave open; None if it did not.

    `kind` is llm, image, video, judge or evaluator. Raises UsageError unless the gateway lists
    exactly one.
    """
    if planned != THE_ONLY_ONE:
        return None
    served = gateway.models(service_of(kind)) or []
    if len(served) == 1:
        return served[0]
    shown = ", ".join(served[:12]) + (" ..." if len(served) > 12 else "")
    raise UsageError(
        f"{gateway.about.subject} has no default model, and its list names "
        + (f"{len(served)} ({shown})." if served else "none."),
        f"Choose one with {context.rerun.model_flag(kind)}.",
    )
