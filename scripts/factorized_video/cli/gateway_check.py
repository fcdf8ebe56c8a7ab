"""The checks of `setup.sh` that concern the gateway: the key, which gateway is chosen, the credit.

Called by `_setup.py` in the Python that the scripts use, once that has the packages.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import AuthError, ToolError
from ..gateway import lookup, open_gateway, settings
from ..money import usd
from .options import GATEWAYS

Check = tuple[str, str, str | None]  # name, what was found, how to fix it (None: it is fine)


def report(gateway: str, *, contact: bool) -> dict[str, Any]:
    """The gateways there are, and the checks of this one, if there is such a gateway.

    With `contact` the gateway is sent a free request.
    """
    checks = _checks(gateway, contact) if gateway in GATEWAYS else []
    return {"gateways": GATEWAYS, "checks": checks}


def _checks(gateway: str, contact: bool) -> list[Check]:
    found = lookup.look_up("auto" if gateway == "demo" else gateway)
    try:
        chosen = settings.resolve(gateway)
    except ToolError as error:
        checks = [_key(found, needed=True)]
        # If all that is wrong is that there is no key, that check shows it.
        if contact or found.key or found.others or not isinstance(error, AuthError):
            checks.append(("key check" if contact else "gateway", error.message, error.hint))
        return checks
    at = "" if chosen.keys else f" at {chosen.identity['host']}"
    where = f"{chosen.name}{at} ({chosen.why})"
    checks = [_key(found, needed=chosen.name == "demo"), ("gateway", where, None)]
    for service in chosen.servers(lookup.SERVICES) if contact else ():
        checks.append(_account(chosen, service))
    return checks


def _account(chosen: settings.Settings, service: str) -> Check:
    name = f"{service} key check" if chosen.keys else "key check"
    try:
        with open_gateway(chosen, lambda *shown: None) as gateway:
            balance = gateway.check(service).balance_usd
    except ToolError as error:
        return name, error.message, error.hint
    works = "the key works" if chosen.key_for(service) else "no key is needed"
    left = "balance not reported" if balance is None else f"balance {usd(balance)}"
    return name, f"{works} at {gateway.about.title}; {left}", None


def _key(found: lookup.Found, *, needed: bool) -> Check:
    if found.key:
        other = "" if found.key_name == lookup.KEY else f"not needed, {found.key_name} is "
        return lookup.KEY, f"{other}set in {_place(found.where)}", None
    if not needed:
        return lookup.KEY, "not needed by this gateway", None
    line = f"{lookup.KEY}=<your key>"
    return lookup.KEY, "not set", f"put the line {line} into {lookup.SKILL / '.env'}"


def _place(file: Path | None) -> str:
    if file is None:
        return "the environment"
    folder = "skill folder" if file.parent == lookup.SKILL else "working directory"
    return f"{file.name} in the {folder}"
