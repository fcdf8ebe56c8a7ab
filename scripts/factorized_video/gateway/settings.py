"""Which gateway, with which key, at which address: from the flag and what `lookup.py` finds.

The rules, with their reasons, are in `references/gateways.md`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from ..errors import AuthError, UsageError
from . import dialects
from .addresses import host_of, is_loopback, port_of, root_of
from .keys import check_key, check_prefix, check_privacy
from .lookup import BASE, KEY, SERVICES, SKILL, Found, base_of, key_of, look_up, time_scale
from .types import About

DEFAULT = "happycapy"  # the gateway that the original skill was written for
ANY_HOST = "openai"  # the dialect at a host that is no known gateway's
_MADE = {"chat": "texts", "image": "pictures", "video": "clips"}


class Settings(NamedTuple):
    """A gateway, its addresses and its key. `bases`: root address by service (chat, image, video).

    `why` is how it was chosen, for people. Of several servers of your own, each has a key of its
    own in `keys`, or none; a service without a server has an empty address.
    """

    name: str
    bases: Mapping[str, str]
    why: str
    key: str | None = None
    time_scale: float = 1.0
    warnings: tuple[str, ...] = ()
    max_cost: str | None = None  # the standing cap, as it was written
    keys: Mapping[str, str | None] | None = None  # by service, where there are several servers

    def __repr__(self) -> str:
        return f"Settings({self.name})"  # never the key

    @property
    def dialect(self) -> str:
        """Its dialect: the demo has HappyCapy's."""
        return "happycapy" if self.name == "demo" else self.name

    def key_for(self, service: str) -> str | None:
        """The key that calls of a service carry."""
        return self.keys[service] if self.keys else self.key

    @property
    def is_at_home(self) -> bool:
        """Whether the addresses are the gateway's own; nothing that stands before it is."""
        return self.bases == dialects.load(self.dialect).ABOUT.bases

    @property
    def lacking(self) -> dict[str, str]:
        """The services that no server is set for, each with the variable that would."""
        return {name: base_of(name) for name, base in self.bases.items() if not base}

    def servers(self, services: Iterable[str]) -> dict[str, list[str]]:
        """The servers that make these, each by a service to ask it by; of a gateway its video's."""
        if not self.keys:
            return {"video": list(services)}
        at: dict[tuple[str, str | None], list[str]] = {}
        for service in services:
            if self.bases[service]:
                at.setdefault((self.bases[service], self.keys[service]), []).append(service)
        return {here[0]: here for here in at.values()}

    def identity_of(self, service: str) -> dict[str, str]:
        """What digests contain of the server of a service: name, and host unless on loopback.

        The port only of a server of your own, by which two of them are told apart: the demo's
        differs from run to run and means nothing.
        """
        base = self.bases[service if self.keys else "video"]
        host, port = host_of(base), port_of(base)
        whole = {"name": self.name, "host": "loopback" if is_loopback(host) else host}
        return {**whole, "port": port} if port and self.name == ANY_HOST else whole

    @property
    def identity(self) -> dict[str, str]:
        """What digests of a whole run contain: the server of the video, and others beside it."""
        own = self.identity_of("video")
        others = {name: place_of(self.identity_of(name)) for name in ("chat", "image")}
        return own | {name: at for name, at in others.items() if at not in ("", place_of(own))}

    def in_receipt(self, service: str) -> dict[str, str]:
        """What receipts contain of it: also by what the account's key is recognised.

        A server of your own may have a key that could be guessed from that.
        """
        if not self.key or self.name in (ANY_HOST, "demo"):
            return self.identity_of(service)
        account = sha256(self.key.encode()).hexdigest()[:12]
        return {**self.identity_of(service), "account": account}

    def at(self, root: str) -> Settings:
        """The same gateway at another address."""
        return self._replace(bases=dict.fromkeys(self.bases, root))


def resolve(
    gateway: str,
    environ: Mapping[str, str] | None = None,
    skill: Path = SKILL,
    folder: Path | None = None,
    *,
    needs_key: bool = True,
) -> Settings:
    """Settings for `--gateway`. Raises AuthError (no usable key) or UsageError (bad address).

    Without `needs_key` a missing or foreign key is no error: a plan depends on the gateway alone.
    """
    environ = os.environ if environ is None else environ
    scale = time_scale(environ)
    found = look_up(gateway, environ, skill, folder)
    if gateway == "demo":
        here = dict.fromkeys(SERVICES, "http://127.0.0.1")
        return Settings("demo", here, "--gateway", time_scale=scale, max_cost=found.max_cost)
    own = found.servers
    used = {service: one for service, one in own.items() if _is_own(service, one)}
    warnings = found.warnings + tuple(text for one in own.values() for text in one.warnings)
    if gateway in ("auto", ANY_HOST) and used:
        name, bases, key, why, keys = ANY_HOST, *_several(gateway, found, used, needs_key=needs_key)
    else:
        name, bases, key, why = _one(gateway, found, skill, needs_key=needs_key)
        keys = None
        warnings += tuple(
            f"{base_of(service)} is not used: it names a server of your own, and this is {name}."
            for service in used
            if used[service].base_name != BASE
        )
    return Settings(name, bases, why, key, scale, warnings, found.max_cost, keys)


def _is_own(service: str, found: Found) -> bool:
    """Whether a service has an address of its own, or a key of its own for a server of yours."""
    if found.base_name == base_of(service):
        return True
    at_yours = bool(found.base) and not dialects.at(host_of(found.base or ""))
    return found.key_name == key_of(service) and at_yours


def _one(
    gateway: str, found: Found, skill: Path, *, needs_key: bool
) -> tuple[str, Mapping[str, str], str | None, str]:
    """Name, addresses, key and reason of a gateway that does all."""
    if gateway == "auto" and not found.key and not found.base and needs_key:
        raise _no_key(skill, found)
    root = root_of(found.base, BASE) if found.base else ""
    host = host_of(root)
    name, why = (gateway, "--gateway") if gateway != "auto" else _choose(host, found)
    about = dialects.load(name).ABOUT
    _check_host(name, about, host, BASE)
    at_home = not found.base or about.is_at(host)
    if at_home and not about.bases:
        raise UsageError(
            f"--gateway {name} is wherever you run it, and {BASE} is not set.",
            f"For example: {BASE}=http://127.0.0.1:30000/v1",
        )
    if name == ANY_HOST:  # there a path before /v1 is the server's own
        root = root_of(found.base or "", BASE, ("/v1",))
    if needs_key and at_home and not found.key:
        raise _no_key(skill, found, about)
    if needs_key and found.key:
        check_key(found.key, found.key_name, name, host)
        if at_home:
            check_prefix(found.key, found.key_name, about)
        check_privacy(root, host, BASE)
    bases = about.bases if at_home else dict.fromkeys(SERVICES, root)
    return name, bases, found.key, why


def _several(
    gateway: str, found: Found, used: Mapping[str, Found], *, needs_key: bool
) -> tuple[Mapping[str, str], str | None, str, Mapping[str, str | None]]:
    """Addresses, key, reason and keys where services have servers of their own.

    A service without one is at the general base URL, if there is one.
    """
    about = dialects.load(ANY_HOST).ABOUT
    bases, keys = {}, {}
    for service in SERVICES:
        one = used.get(service, found)
        root = root_of(one.base, one.base_name, ("/v1",)) if one.base else ""
        host = host_of(root)
        _check_host(ANY_HOST, about, host, one.base_name)
        bases[service], keys[service] = root, one.key if root else None
        if needs_key and root and one.key:
            check_key(one.key, one.key_name, ANY_HOST, host)
            check_privacy(root, host, one.base_name)
    told = [f"{what} at {_at(bases[service])}" for service, what in _MADE.items() if bases[service]]
    first = next(iter(used))
    name = key_of(first) if used[first].base_name == BASE else base_of(first)
    why = "--gateway" if gateway != "auto" else f"{name} is set"
    return bases, found.key, "; ".join([why, *told]), keys


def wrong_key(gateway: str) -> tuple[str, ...]:
    """As a warning for a plan, why the key that is set could not be used; () where it could.

    No key at all is fine: a plan needs none.
    """
    try:
        resolve(gateway)
    except (AuthError, UsageError) as error:
        found = look_up(gateway)
        if found.key or any(one.key for one in found.servers.values()):
            return (f"{error.message} {error.hint}",)
    return ()


def place_of(identity: Mapping[str, str]) -> str:
    """Host and port as digests name them."""
    host, port = identity.get("host", ""), identity.get("port")
    return f"{host}:{port}" if port else host


def _at(root: str) -> str:
    """Host and port of an address, for people."""
    port = port_of(root)
    return f"{host_of(root)}:{port}" if port else host_of(root)


def _choose(host: str, found: Found) -> tuple[str, str]:
    """The gateway for `auto`, and why: by the base URL's host, else by how the key begins."""
    if at := dialects.at(host):
        return at, f"by the host of {BASE}, {host}"
    if host:
        return ANY_HOST, f"{BASE} is at {host}, which is no known gateway's"
    for name, about in dialects.about_all().items():
        if found.key and about.key_prefix and found.key.startswith(about.key_prefix):
            return name, f"{found.key_name} begins with {about.key_prefix}"
    return DEFAULT, "the default"


def _no_key(skill: Path, found: Found, about: About | None = None) -> AuthError:
    """The error for a missing key, with what is possible without one."""
    names = [KEY] if about is None or not about.own_variable else [about.own_variable, KEY]
    whose = f" for {about.title}" if about else ""
    lines = [
        "Without a key: --gateway demo makes a labelled placeholder on this machine, free.",
        f"With a key: put the line {names[0]}=... into {skill / '.env'} (or set it in the "
        "environment).",
        "To see what would be sent and what it costs: --dry-run.",
    ]
    if about is None:
        lines += [f"{own} is set: --gateway {name} uses it." for own, name in found.others]
    return AuthError(
        f"No gateway key was found{whose} ({' or '.join(names)} is not set).",
        "\n".join([*lines, *found.warnings]),
    )


def _check_host(name: str, about: About, host: str, base_name: str) -> None:
    """Raise UsageError if the base URL is that of another gateway than the one that is chosen."""
    other = dialects.at(host) or name
    if other != name:
        raise UsageError(
            f"{base_name} is at {host}, which is {dialects.load(other).ABOUT.title}, not "
            f"{about.title}.",
            f"Use --gateway {other} (or leave --gateway out), or unset {base_name}."
            if base_name == BASE
            else f"Unset {base_name}; {BASE} or --gateway {other} is how {other} is chosen.",
        )
