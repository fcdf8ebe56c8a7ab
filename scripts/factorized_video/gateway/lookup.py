"""The key, the base URL, the standing cap and the time scale: the environment first, then `.env`.

The rules, with their reasons, are in `references/gateways.md`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ..errors import UsageError, keep_secret
from ..receipts.cap import MAX_COST
from . import dialects
from .addresses import host_of
from .types import About

KEY = "AI_GATEWAY_API_KEY"
BASE = "AI_GATEWAY_BASE_URL"
SERVICES = ("chat", "image", "video")
TIME_SCALE = "FACTORIZED_VIDEO_TIME_SCALE"
SKILL = Path(__file__).resolve().parents[3]

_Place = tuple[Path | None, Mapping[str, str]]  # a file, or None for the environment; its values


class Found(NamedTuple):
    """What the environment and the `.env` files contain for one gateway, or one service of it."""

    key: str | None = None
    key_name: str = KEY  # the variable that holds it
    where: Path | None = None  # the file with the key, or None for the environment
    base: str | None = None
    base_name: str = BASE  # the variable that holds it
    max_cost: str | None = None
    warnings: tuple[str, ...] = ()
    others: tuple[tuple[str, str], ...] = ()  # variables of single gateways that are set, and whose
    servers: Mapping[str, Found] = MappingProxyType({})  # services with an address or key of theirs


def look_up(
    gateway: str,
    environ: Mapping[str, str] | None = None,
    skill: Path = SKILL,
    folder: Path | None = None,
) -> Found:
    """Key, base URL and standing cap for `--gateway`.

    A base URL from a file counts only with a key from that same file: the `.env` of a foreign
    project in the working directory must not receive the user's own key.
    """
    places = _places(os.environ if environ is None else environ, skill, folder or Path.cwd())
    max_cost = next(filter(None, (_text(values, MAX_COST) for _, values in places)), None)
    if gateway == "demo":
        return Found(max_cost=max_cost)
    found = _find_key(places, lambda base: _names_for(gateway, base))._replace(max_cost=max_cost)
    if not found.key:
        found = found._replace(others=_other_variables(places))
    warnings = _unused_bases(found, places, BASE)
    return found._replace(warnings=warnings, servers=_servers(places))


def standing(names: Sequence[str]) -> dict[str, tuple[str, Path | None]]:
    """The variables that are set: the value, and the file it is in, None for the environment."""
    found: dict[str, tuple[str, Path | None]] = {}
    for path, values in _places(os.environ, SKILL, Path.cwd()):
        for name in names:
            if (value := _text(values, name)) and name not in found:
                found[name] = (value, path)
    return found


def _servers(places: list[_Place]) -> dict[str, Found]:
    """Key and base URL of each service that has one of its own, by the same rules.

    In each place the variable of the service goes before the one for all. A key that is plainly a
    known gateway's is passed over there: it is for that gateway.
    """
    servers = {}
    for service in SERVICES:
        base_name, key_name = base_of(service), key_of(service)
        if not any(_text(values, name) for _, values in places for name in (base_name, key_name)):
            continue
        found = _find_key(places, _always(_Names((key_name, KEY), (base_name, BASE))))
        servers[service] = found._replace(warnings=_unused_bases(found, places, base_name))
    return servers


def base_of(service: str) -> str:
    """The variable with the base URL of one service."""
    return f"AI_GATEWAY_{service.upper()}_BASE_URL"


def key_of(service: str) -> str:
    """The variable with the key of one service."""
    return f"AI_GATEWAY_{service.upper()}_API_KEY"


def time_scale(environ: Mapping[str, str]) -> float:
    """The factor on every time-out, back-off and poll interval."""
    text = _text(environ, TIME_SCALE) or "1"
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0.001 <= scale <= 10:
        raise UsageError(
            f"{TIME_SCALE} is {text!r}; it must be a number from 0.001 to 10.", "Unset it."
        )
    return scale


def _places(environ: Mapping[str, str], skill: Path, folder: Path) -> list[_Place]:
    """Where values are looked for, the nearest first."""
    files = (skill / ".env", folder / ".env.local", folder / ".env")
    return [(None, environ), *((path, _dotenv(path)) for path in files if path.is_file())]


class _Names(NamedTuple):
    """The variables of key and base URL, those that go first first; how a fitting key begins."""

    keys: tuple[str, ...] = (KEY,)
    bases: tuple[str, ...] = (BASE,)
    prefix: str = ""


def _find_key(places: list[_Place], names_at: Callable[[str], _Names]) -> Found:
    """The key, its variable, its place, and the base URL that belongs to it.

    The nearest place counts. But a gateway that has a variable of its own, and is meant, passes
    over what is plainly not its key: that may be another gateway's, and its own be in a later
    place. `names_at` tells the variables for a base URL.
    """
    found, fitting = [], []
    for path, values in places:
        names = names_at(_base(places[0][1], values, (BASE,))[0])
        base, base_name = _base(places[0][1], values, names.bases)
        for name in names.keys:
            if key := _text(values, name):
                for form in forms_of(values[name]):
                    keep_secret(form)
                other = name == KEY and base_name != BASE and _is_known_gateways(key)
                found.append(Found(None if other else key, name, path, base or None, base_name))
                if name != KEY or key.startswith(names.prefix):
                    fitting.append(found[-1])
    typed, typed_name = _base(places[0][1], {}, names_at("").bases)
    return next(iter(fitting or found), Found(base=typed or None, base_name=typed_name))


def _always(names: _Names) -> Callable[[str], _Names]:
    return lambda base: names


def _base(
    environ: Mapping[str, str], here: Mapping[str, str], names: tuple[str, ...]
) -> tuple[str, str]:
    """The base URL that goes with a key from here, and its variable: the environment's first."""
    for name in names:
        if base := _text(environ, name) or _text(here, name):
            return base, name
    return "", BASE


def _is_known_gateways(key: str) -> bool:
    """Whether a key begins as those of one of the known gateways do."""
    prefixes = (about.key_prefix for about in dialects.about_all().values())
    return any(key.startswith(prefix) for prefix in prefixes if prefix)


def _names_for(gateway: str, base: str) -> _Names:
    """The variables for the gateway of the flag or the base URL; its own, if it has one, first."""
    name = dialects.at(host_of(base)) if gateway == "auto" else gateway
    about = dialects.load(name).ABOUT if name else About("")
    if not about.own_variable:
        return _Names()
    return _Names((about.own_variable, KEY), (BASE,), about.key_prefix or "")


def _unused_bases(found: Found, places: list[_Place], name: str) -> tuple[str, ...]:
    """Warnings of base URLs in files that do not count."""
    warnings, settled = [], bool(_text(places[0][1], name))
    for path, values in places:
        if path == found.where:
            settled = bool(found.base)  # base URLs in later places never counted
        elif not settled and _text(values, name):
            warnings.append(
                f"{name} in {path} is not used: the key is not from that file. Set {name} in the "
                "environment if you mean it."
            )
    return tuple(warnings)


def _other_variables(places: list[_Place]) -> tuple[tuple[str, str], ...]:
    """The variables of single gateways that are set, each with its gateway."""
    owners = [(about.own_variable, name) for name, about in dialects.about_all().items()]
    return tuple(
        (own, name) for own, name in owners if own and any(_text(v, own) for _, v in places)
    )


def _text(values: Mapping[str, str], name: str) -> str:
    return unquoted(values.get(name, ""))


def unquoted(value: str) -> str:
    """A value without one pair of quotes around it: files for `docker --env-file` keep them."""
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip()
    return value


def forms_of(value: str) -> set[str]:
    """A key as it was set, and as it may be echoed: without what stands around it."""
    inner = re.sub(r"^(?:\s*[A-Za-z_]\w*=|\s*bearer\s)+", "", unquoted(value), flags=re.IGNORECASE)
    bare = re.sub(r"^\W+|\W+$", "", unquoted(inner))
    return {form for form in (value.strip(), unquoted(value), inner, bare) if form}


def _dotenv(path: Path) -> dict[str, str]:
    from io import StringIO

    from dotenv import dotenv_values

    try:
        text = _decoded(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}); it may set a spending limit.",
            "Make it readable, or remove it.",
        ) from None
    found = dotenv_values(stream=StringIO(text), interpolate=False)
    _check_cap_lines(path, text, found)
    return {name: (value or "").strip() for name, value in found.items()}


def _check_cap_lines(path: Path, text: str, found: Mapping[str, str | None]) -> None:
    """Raise UsageError for a spending limit that is written so that it would not be one."""
    for number, line in enumerate(text.splitlines(), 1):
        names_it = re.match(rf"\s*(?:export\s+)?{MAX_COST}\b", line, re.IGNORECASE)
        if names_it and (MAX_COST not in found or found[MAX_COST] is None):
            raise UsageError(
                f"{path}, line {number}: this does not set {MAX_COST}: there would be no limit.",
                f"Write it as {MAX_COST}=5, or remove the line.",
            )


def _decoded(data: bytes) -> str:
    """A text file of any editor: the names in it are ASCII, and a cap must not get lost."""
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("latin-1")
