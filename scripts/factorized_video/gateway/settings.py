"""Which gateway, with which key, at which address: from the flag, the environment and `.env`.

The rules, with their reasons, are told in `references/gateways.md`.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from ..errors import AuthError, UsageError, keep_secret
from ..receipts.cap import MAX_COST
from . import dialects
from .types import About

KEY = "AI_GATEWAY_API_KEY"
BASE = "AI_GATEWAY_BASE_URL"
TIME_SCALE = "FACTORIZED_VIDEO_TIME_SCALE"
SKILL = Path(__file__).resolve().parents[3]

# Keys of services that are not spoken, and of none of those that are.
_STRANGE_KEYS = (
    (r"sk-ant-", "Anthropic"),
    (r"sk-proj-", "OpenAI"),
    (r"eyJ[\w-]+\.[\w-]+\.", "some other service (it is a JSON Web Token)"),
)
DEFAULT = "happycapy"  # the gateway that the original skill was written for
SERVICES = ("chat", "image", "video")
ANY_HOST = "openai"  # what is spoken at a host that is no known gateway's


class Settings(NamedTuple):
    """A gateway, ready to be spoken to. `bases`: root address by service (chat, image, video).

    `why` tells in words how it was chosen.
    """

    name: str
    bases: Mapping[str, str]
    why: str
    key: str | None = None
    time_scale: float = 1.0
    warnings: tuple[str, ...] = ()
    max_cost: str | None = None  # the standing cap, as it was written

    def __repr__(self) -> str:
        return f"Settings({self.name})"  # never the key

    @property
    def dialect(self) -> str:
        """How it is spoken: the demo speaks as HappyCapy does."""
        return "happycapy" if self.name == "demo" else self.name

    @property
    def identity(self) -> dict[str, str]:
        """What receipts and digests say of it: the name, and the host unless it is on loopback.

        Never a port on loopback: the demo's changes from run to run and means nothing.
        """
        host = urlsplit(self.bases["video"]).hostname or ""
        return {"name": self.name, "host": "loopback" if is_loopback(host) else host}

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

    Without `needs_key` a missing or strange key is no error: a plan is made by its gateway alone.
    """
    environ = os.environ if environ is None else environ
    scale = time_scale(environ)
    found = look_up(gateway, environ, skill, folder)
    if gateway == "demo":
        here = dict.fromkeys(SERVICES, "http://127.0.0.1")
        return Settings("demo", here, "--gateway", time_scale=scale, max_cost=found.max_cost)
    key, base = found.key, found.base
    if gateway == "auto" and not key and not base and needs_key:
        raise _no_key(skill, found)
    if key:
        keep_secret(key)
    root = _root(base) if base else ""
    host = urlsplit(root).hostname or ""
    name, why = (gateway, "--gateway") if gateway != "auto" else _choose(host, key, found.key_name)
    about = dialects.load(name).ABOUT
    _check_host(name, about, host)
    ours = not base or _ends_with(host, about.hosts)
    if ours and not about.bases:
        raise UsageError(
            f"--gateway {name} is wherever you run it, and {BASE} is not set.",
            f"For example: {BASE}=http://127.0.0.1:30000/v1",
        )
    if name == ANY_HOST:
        root = _root(base or "", ("/v1",))  # there a path before /v1 is the server's own
    if not key and ours and needs_key:
        raise _no_key(skill, found, about)
    if key and needs_key:
        _check_key(key, found.key_name, name, about, host)
        if ours:
            _check_prefix(key, found.key_name, about)
        if root.startswith("http://") and not is_loopback(host):
            raise UsageError(
                f"{root} is plain http to another machine: the key would travel readable.",
                f"Use https, or a tunnel: ssh -L 8080:localhost:PORT {host}, then "
                f"{BASE}=http://127.0.0.1:8080.",
            )
    bases: Mapping[str, str] = about.bases
    if not ours:
        bases = dict.fromkeys(SERVICES, root)
    return Settings(name, bases, why, key, scale, found.warnings, found.max_cost)


def _choose(host: str, key: str | None, key_name: str) -> tuple[str, str]:
    """Which gateway `auto` is, and why: by the base URL's host, else by how the key begins."""
    if at := _gateway_at(host):
        return at, f"by the host of {BASE}, {host}"
    if host:
        return ANY_HOST, f"{BASE} is at {host}, which is no known gateway's"
    for name in dialects.names():
        prefix = dialects.load(name).ABOUT.key_prefix
        if key and prefix and key.startswith(prefix):
            return name, f"{key_name} begins with {prefix}"
    return DEFAULT, "the default"


def _gateway_at(host: str) -> str | None:
    """The gateway whose host this is."""
    fits = (name for name in dialects.names() if _ends_with(host, dialects.load(name).ABOUT.hosts))
    return next(fits, None) if host else None


def _no_key(skill: Path, found: Found, about: About | None = None) -> AuthError:
    """The error for a key that is missing, with what can be done without one."""
    names = [KEY] if about is None or not about.own_variable else [about.own_variable, KEY]
    whose = f" for {about.title}" if about else ""
    elsewhere = [
        f"{variable} is set: --gateway {name} uses it."
        for variable, name in found.others
        if about is None
    ]
    return AuthError(
        f"No gateway key was found{whose} ({' or '.join(names)} is not set).",
        "\n".join(
            [
                "Without a key: --gateway demo makes a labelled stand-in on this machine, free.",
                f"With a key: put the line {names[0]}=... into {skill / '.env'} (or set it in the "
                "environment).",
                "To see what would be sent and what it costs: --dry-run.",
                *elsewhere,
                *found.warnings,
            ]
        ),
    )


def _check_host(name: str, about: About, host: str) -> None:
    """Raise UsageError where the base URL is that of another gateway than is to be spoken."""
    other = _gateway_at(host) or name
    if other != name:
        raise UsageError(
            f"{BASE} is at {host}, which is {dialects.load(other).ABOUT.title}, not {about.title}.",
            f"Use --gateway {other} (or leave --gateway out), or unset {BASE}.",
        )


def time_scale(environ: Mapping[str, str]) -> float:
    """The factor on every time-out, back-off and poll interval."""
    text = environ.get(TIME_SCALE) or "1"
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0.001 <= scale <= 10:
        raise UsageError(
            f"{TIME_SCALE} is {text!r}; it takes a number from 0.001 to 10.", "Unset it."
        )
    return scale


def is_loopback(host: str) -> bool:
    """Whether a host, as written, is this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


_Place = tuple[Path | None, Mapping[str, str]]  # a file, or None for the environment; its values


class Found(NamedTuple):
    """What the environment and the `.env` files contain for one gateway."""

    key: str | None
    key_name: str  # the variable that holds it
    where: Path | None  # the file with the key, or None for the environment
    base: str | None
    max_cost: str | None
    warnings: tuple[str, ...]
    others: tuple[tuple[str, str], ...]  # variables of single gateways that are set, and whose


def look_up(
    gateway: str,
    environ: Mapping[str, str] | None = None,
    skill: Path = SKILL,
    folder: Path | None = None,
) -> Found:
    """Key, base URL and standing cap: the environment first, then the files.

    A base URL from a file counts only with a key from that same file: the `.env` of a strange
    project in the working directory must not receive the user's own key.
    """
    environ = os.environ if environ is None else environ
    folder = folder or Path.cwd()
    files = (skill / ".env", folder / ".env.local", folder / ".env")
    places: list[_Place] = [(None, environ)]
    places += [(path, _dotenv(path)) for path in files if path.is_file()]
    max_cost = next(filter(None, (_text(values, MAX_COST) for _, values in places)), None)
    if gateway == "demo":
        return Found(None, KEY, None, None, max_cost, (), ())
    typed_base = _text(environ, BASE)
    key, key_name, where, base = _find_key(gateway, typed_base, places)
    warnings, settled = [], bool(typed_base)
    for path, values in places:
        if path == where:
            settled = bool(base)  # what the later places say of it does not count, as ever
        elif not settled and _text(values, BASE):
            warnings.append(
                f"{BASE} in {path} is not used: the key is not from that file. Set {BASE} in the "
                "environment if you mean it."
            )
    others = (
        ()
        if key
        else tuple(  # told only where there is no key
            (own, name)
            for name in dialects.names()
            if (own := dialects.load(name).ABOUT.own_variable)
            and any(_text(values, own) for _, values in places)
        )
    )
    return Found(key or None, key_name, where, base or None, max_cost, tuple(warnings), others)


def _find_key(gateway: str, base: str, places: list[_Place]) -> tuple[str, str, Path | None, str]:
    """The key, its variable, where it stands, and the base URL that goes with it.

    The nearest place counts. But a gateway that has a variable of its own, and is meant, passes
    over what is plainly no key of its: that may be another gateway's, and its own stand farther.
    """
    found = []
    for path, values in places:
        here = base or _text(values, BASE)
        for name in _key_names(gateway, here):
            if key := _text(values, name):
                prefix = _about_meant(gateway, here).key_prefix or ""
                is_own = name != KEY or key.startswith(prefix)
                found.append((is_own, (key, name, path, here)))
    fitting = [one for is_own, one in found if is_own]
    return next(iter(fitting or [one for _, one in found]), ("", KEY, None, base))


def _text(values: Mapping[str, str], name: str) -> str:
    return values.get(name, "").strip()


def _key_names(gateway: str, base: str) -> tuple[str, ...]:
    """The variables that may hold the key: a gateway's own comes first, if that one is meant."""
    own = _about_meant(gateway, base).own_variable
    return (own, KEY) if own else (KEY,)


def _about_meant(gateway: str, base: str) -> About:
    """Of the gateway that the flag or the base URL names; else one of which nothing is known."""
    if gateway != "auto":
        about = dialects.load(gateway).ABOUT
    else:
        try:
            host = urlsplit(base).hostname or ""
        except ValueError:  # said where it is used
            host = ""
        at = _gateway_at(host)
        about = dialects.load(at).ABOUT if at else About("")
    return about if about.own_variable else About("")


def _dotenv(path: Path) -> dict[str, str]:
    from io import StringIO

    from dotenv import dotenv_values

    try:
        found = dotenv_values(stream=StringIO(_decoded(path.read_bytes())), interpolate=False)
    except OSError:
        return {}
    return {name: (value or "").strip() for name, value in found.items()}


def _decoded(data: bytes) -> str:
    """A text file of any editor: the names in it are ASCII, and a cap must not get lost."""
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _root(base: str, ends: tuple[str, ...] = ("/openai/v1", "/api/v1", "/v4/ai", "/v1")) -> str:
    """The root of an address: without query, slashes and the paths that gateways add.

    People set the host, host + /api/v1, or .../api/v1/openai/v1. A path prefix of their own stays.
    """
    try:
        parts = urlsplit(base)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_is_fine = urlsplit(""), False
    if parts.scheme not in ("http", "https") or not _is_host(parts.hostname) or not port_is_fine:
        raise UsageError(
            f"{BASE} is not an http(s) address.", "Expected something like https://host/v1."
        )
    if parts.username or parts.password:
        raise UsageError(f"{BASE} holds a user name or password.", f"Put the key into {KEY}.")
    path = parts.path.rstrip("/")
    if "/openai/v1" in ends:
        path = path.removesuffix("/openai/v1").rstrip("/")
    path = next((path.removesuffix(end) for end in ends if path.endswith(end)), path)
    return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/"), "", ""))


def _is_host(host: str | None) -> bool:
    """Whether a connection could be made to this host at all."""
    if not host or re.search(r"[^\w.:-]", host):
        return False
    try:
        return ":" in host or bool(host.encode("idna"))
    except UnicodeError:  # an empty label, or one over 63 characters
        return False


def _check_key(key: str, key_name: str, name: str, about: About, host: str) -> None:
    """Raise AuthError for what is no key, or the key of another service than it would go to.

    A server of the person's own may take a key of any shape, but not that of a known gateway.
    """
    if not key.isascii() or not key.isprintable() or " " in key:
        raise AuthError(
            f"{key_name} holds a character that a key cannot have (a space, a quote from a web "
            "page?).",
            "Copy the key again.",
        )
    for other in dialects.names():
        theirs = dialects.load(other).ABOUT
        if other != name and theirs.key_prefix and key.startswith(theirs.key_prefix):
            raise AuthError(
                f"{key_name} holds a key of {theirs.title}; it is not sent to "
                f"{host if name == ANY_HOST else about.title}.",
                f"Use --gateway {other}{f' and unset {BASE}' if host else ''}, or put a key of "
                f"{about.title} into {key_name}.",
            )
    for pattern, whose in _STRANGE_KEYS if about.bases else ():
        if re.match(pattern, key):
            raise AuthError(
                f"{key_name} holds a key of {whose}; it is not sent to {about.title}.",
                f"Put a key of {about.title} into {key_name}, or try --gateway demo.",
            )


def _check_prefix(key: str, key_name: str, about: About) -> None:
    """Raise AuthError where a gateway whose keys have a shape would get one of another shape."""
    if about.key_prefix and not key.startswith(about.key_prefix):
        raise AuthError(
            f"{key_name} holds a key that is none of {about.title}, whose keys begin with "
            f"{about.key_prefix}: it is not sent there.",
            f"Put a key of {about.title} into {about.own_variable or key_name}, or leave --gateway "
            "out.",
        )


def _ends_with(host: str, endings: tuple[str, ...]) -> bool:
    return any(("." + host).endswith(ending) for ending in endings)
