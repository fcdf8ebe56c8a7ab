"""Addresses as people write them: the root of a base URL, and whether a host is this machine."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit, urlunsplit

from ..errors import UsageError

# The end of an address that was copied from an example of a call.
_ENDPOINT = (
    r"(?:/(?:chat/completions|images/(?:generations|edits)|video-model/(?:start|status)|image-model)"
    r"|(?<=/v1)/(?:completions|images|videos|models|messages|responses|embeddings|credits|key))$"
)


def host_of(address: str) -> str:
    """The host of an address; "" if it has none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def port_of(address: str) -> str:
    """The port of an address, as it is written; "" where none is."""
    try:
        port = urlsplit(address).port
    except ValueError:
        return ""
    return str(port or "")


def is_loopback(host: str) -> bool:
    """Whether a host, as written, is this machine: 0.0.0.0 too, as servers print it."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
        return address.is_loopback or address.is_unspecified
    except ValueError:
        name = host.rstrip(".").lower()
        return name == "localhost" or name.endswith(".localhost")


def root_of(
    base: str, name: str, ends: tuple[str, ...] = ("/openai/v1", "/api/v1", "/v4/ai", "/v1")
) -> str:
    """The root of an address: without query, slashes and the paths that gateways and calls add.

    People set the host, host + /api/v1, or .../api/v1/openai/v1. A path prefix of their own stays.
    Raises UsageError, naming the variable `name`, for what is no address or has a password in it.
    """
    try:
        parts = urlsplit(base)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_is_fine = urlsplit(""), False
    if parts.scheme not in ("http", "https") or not _is_host(parts.hostname) or not port_is_fine:
        raise UsageError(
            f"{name} is not an http(s) address.", "Expected something like https://host/v1."
        )
    if parts.username or parts.password:
        raise UsageError(
            f"{name} contains a user name or password.",
            "Leave it out; the key has a variable of its own.",
        )
    path = re.sub(_ENDPOINT, "", parts.path.rstrip("/"))
    if "/openai/v1" in ends:
        path = path.removesuffix("/openai/v1").rstrip("/")
    path = next((path.removesuffix(end) for end in ends if path.endswith(end)), path)
    return urlunsplit((parts.scheme, reachable(parts.netloc), path.rstrip("/"), "", ""))


def reachable(netloc: str) -> str:
    """A host and port to connect to: servers print 0.0.0.0 or [::] for all of this machine."""
    netloc = re.sub(r"^0\.0\.0\.0(?=:|$)", "127.0.0.1", netloc)
    return re.sub(r"^\[::\](?=:|$)", "[::1]", netloc)


def _is_host(host: str | None) -> bool:
    """Whether a connection could be made to this host at all."""
    if not host or re.search(r"[^\w.:-]", host):
        return False
    try:
        return ":" in host or bool(host.encode("idna"))
    except UnicodeError:  # an empty label, or one over 63 characters
        return False
