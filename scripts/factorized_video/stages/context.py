"""What a stage works with beside its request: gateway, terms, and the command to run again."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NamedTuple

from .. import models
from ..gateway import public_list, settings
from ..models import catalog
from ..prompts.families import Prompting, prompting_of
from ..receipts import Allowed
from ..receipts.cap import Cap, effective_cap
from .plan import Rules

if TYPE_CHECKING:
    from ..console import Console
    from ..gateway.settings import Settings
    from ..handoff import Handoff
    from ..rerun import Rerun
    from .reasoning import Asked


class Terms(NamedTuple):
    """Under what terms calls are made: options of every script that pays, not part of a digest."""

    overwrite: bool = False
    resubmit: bool = False
    allow_off: bool = False
    allow_unknown_cost: bool = False
    max_cost: float | None = None  # USD

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Terms:
        """Stage 1 has no --resubmit: a chat is simply sent again."""
        return cls(
            bool(options.overwrite),
            bool(getattr(options, "resubmit", None)),
            bool(options.allow_off),
            bool(options.allow_unknown_cost),
            options.max_cost,
        )


class Context(NamedTuple):
    """Where and how a stage works."""

    console: Console
    gateway: Settings
    terms: Terms
    rerun: Rerun
    handoff: Handoff
    limit: Cap | None

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> Context:
        """Raises UsageError for a gateway that cannot be used; a missing key is found later."""
        gateway = settings.resolve(options.gateway, needs_key=False)
        if options.dry_run:
            wrong = settings.wrong_key(options.gateway)
            gateway = gateway._replace(warnings=(*gateway.warnings, *wrong))
        _learn(options, gateway)
        return cls(
            options.console,
            gateway,
            Terms.from_options(options),
            options.rerun,
            options.handoff,
            effective_cap(options.max_cost, gateway.max_cost),
        )

    @property
    def listed(self) -> dict[str, object] | None:
        """The gateway's list of models that counts here, to hand to a stage."""
        listed = models.learned()
        return listed.as_json() if listed else None

    @property
    def prompting(self) -> Prompting:
        """How the video model of the run is prompted; by itself Stage 1 does not know it."""
        return prompting_of(self.handoff.prompting)

    def identity_of(self, service: str) -> dict[str, str]:
        """What makes an output, as its digest names it: by service, chat, image or video."""
        return self.gateway.identity_of(service)

    @property
    def identity(self) -> dict[str, str]:
        """The same for a whole run."""
        return self.gateway.identity

    def rules(self, *, strict: bool = True) -> Rules:
        """Under what rules calls are planned here."""
        gateway, canvas = self.gateway, self.handoff.canvas
        return Rules(gateway.name, self.terms.allow_off, strict, canvas, lacking=gateway.lacking)

    def asked(self, request: Asked) -> dict[str, object]:
        """What was asked, by option: of the whole run, in a stage that the orchestrator runs."""
        return self.handoff.asked or request.asked(self.identity)

    @property
    def is_demo(self) -> bool:
        """Whether the demo gateway makes it."""
        return self.gateway.name == "demo"

    @property
    def allowed(self) -> Allowed:
        """What may be replaced and paid for again."""
        return Allowed(self.terms.overwrite, self.terms.resubmit, self.is_demo)


def _learn(options: argparse.Namespace, gateway: Settings) -> None:
    """Have the gateway's list count: that of the run in its stages, so that all go by the same.

    Once in a process: of many lines each has its options from those of the command.
    """
    if getattr(options, "learned", False):
        return
    options.learned = True
    if options.handoff.command:
        models.learn(catalog.from_json(options.handoff.listed))
    elif options.offline:
        models.learn(None)
    else:
        public_list.learn(gateway)
