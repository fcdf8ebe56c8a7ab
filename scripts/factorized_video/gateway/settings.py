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

from ..budget import MAX_COST
from ..errors import AuthError, UsageError, keep_secret

KEY = "AI_GATEWAY_API_KEY"
BASE = "AI_GATEWAY_BASE_URL"
TIME_SCALE = "FACTORIZED_VIDEO_TIME_SCALE"
SKILL = Path(__file__).resolve().parents[3]

# The newest public chat and image clients use the first host, every public video client the second.
HAPPYCAPY = "https://ai-gateway.happycapy.ai"
TRICKLE = "https://ai-gateway.trickle-lab.tech"
_HAPPYCAPY_HOSTS = (".happycapy.ai", ".trickle-lab.tech")
# Gateways that this version does not speak, and how their keys look.
_OTHER_HOSTS = ((".vercel.sh", "the Vercel AI Gateway"), (".openrouter.ai", "OpenRouter"))
_OTHER_KEYS = (
    (r"vck_", "the Vercel AI Gateway"),
    (r"sk-or-", "OpenRouter"),
    (r"sk-ant-", "Anthropic"),
    (r"sk-proj-", "OpenAI"),
    (r"eyJ[\w-]+\.[\w-]+\.", "some other service (it is a JSON Web Token)"),
)


class Settings(NamedTuple):
    """A gateway, ready to be spoken to. `bases`: root address by service (chat, image, video)."""

    name: str
    bases: dict[str, str]
    key: str | None = None
    time_scale: float = 1.0
    warnings: tuple[str, ...] = ()
    max_cost: str | None = None  # the standing cap, as it was written

    def __repr__(self) -> str:
        return f"Settings({self.name})"  # never the key

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
    found = _from_files(environ, skill, folder or Path.cwd())
    if gateway == "demo":
        bases = dict.fromkeys(("chat", "image", "video"), "http://127.0.0.1")
        return Settings("demo", bases, time_scale=scale, max_cost=found.max_cost)
    key, base = found.key, found.base
    if not key and not base and needs_key:
        raise AuthError(
            f"No gateway key was found ({KEY} is not set).",
            f"Without a key: --gateway demo makes a labelled stand-in on this machine, free.\n"
            f"With a key: put the line {KEY}=... into {skill / '.env'} (or set it in the "
            f"environment).\n"
            "To see what would be sent and what it costs: --dry-run."
            + "".join(f"\n{warning}" for warning in found.warnings),
        )
    if key:
        keep_secret(key)
    root = _root(base) if base else HAPPYCAPY
    host = urlsplit(root).hostname or ""
    ours = _ends_with(host, _HAPPYCAPY_HOSTS)
    if ours and not key and needs_key:
        raise AuthError(
            f"{host} needs a key and {KEY} is not set.",
            f"Put the line {KEY}=... into {skill / '.env'}.",
        )
    for ending, name in _OTHER_HOSTS:
        if _ends_with(host, (ending,)) and gateway == "auto":
            raise UsageError(
                f"{host} is {name}, which this version does not speak.",
                f"Unset {BASE} to use HappyCapy with a HappyCapy key.",
            )
    if key and needs_key:
        _check_key(key)
        if root.startswith("http://") and not is_loopback(host):
            raise UsageError(
                f"{root} is plain http to another machine: the key would travel readable.",
                f"Use https, or a tunnel: ssh -L 8080:localhost:PORT {host}, then "
                f"{BASE}=http://127.0.0.1:8080.",
            )
    if ours:
        bases = {"chat": HAPPYCAPY, "image": HAPPYCAPY, "video": TRICKLE}
    else:
        bases = dict.fromkeys(("chat", "image", "video"), root)
    return Settings("happycapy", bases, key, scale, found.warnings, found.max_cost)


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


class _Found(NamedTuple):
    key: str | None
    base: str | None
    max_cost: str | None
    warnings: tuple[str, ...]


def _from_files(environ: Mapping[str, str], skill: Path, folder: Path) -> _Found:
    """Key, base URL and standing cap: the environment first, then the files.

    A base URL from a file counts only with a key from that same file: the `.env` of a strange
    project in the working directory must not receive the user's own key.
    """
    key, base = environ.get(KEY, "").strip(), environ.get(BASE, "").strip()
    max_cost = environ.get(MAX_COST, "").strip()
    warnings = []
    for path in (skill / ".env", folder / ".env.local", folder / ".env"):
        if not path.is_file():
            continue
        values = _dotenv(path)
        max_cost = max_cost or values.get(MAX_COST, "")
        file_key, file_base = values.get(KEY, ""), values.get(BASE, "")
        if file_key and not key:
            key = file_key
            if file_base and not base:
                base = file_base
                continue
        if file_base and not base:
            warnings.append(
                f"{BASE} in {path} is not used: the key is not from that file. Set {BASE} in the "
                "environment if you mean it."
            )
    return _Found(key or None, base or None, max_cost or None, tuple(warnings))


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


def _root(base: str) -> str:
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
            f"{BASE} is not an http(s) address.", f"Expected something like {HAPPYCAPY}."
        )
    if parts.username or parts.password:
        raise UsageError(f"{BASE} holds a user name or password.", f"Put the key into {KEY}.")
    path = re.sub(r"/openai/v1$", "", parts.path.rstrip("/"))
    path = re.sub(r"(/api/v1|/v4/ai|/v1)$", "", path.rstrip("/"))
    return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/"), "", ""))


def _is_host(host: str | None) -> bool:
    """Whether a connection could be made to this host at all."""
    if not host or re.search(r"[^\w.:-]", host):
        return False
    try:
        return ":" in host or bool(host.encode("idna"))
    except UnicodeError:  # an empty label, or one over 63 characters
        return False


def _check_key(key: str) -> None:
    if not key.isascii() or not key.isprintable() or " " in key:
        raise AuthError(
            f"{KEY} holds a character that a key cannot have (a space, a quote from a web page?).",
            "Copy the key again.",
        )
    for pattern, whose in _OTHER_KEYS:
        if re.match(pattern, key):
            raise AuthError(
                f"{KEY} holds a key of {whose}; it is not sent to HappyCapy.",
                f"Put a HappyCapy key into {KEY}, or try --gateway demo.",
            )


def _ends_with(host: str, endings: tuple[str, ...]) -> bool:
    return any(("." + host).endswith(ending) for ending in endings)
