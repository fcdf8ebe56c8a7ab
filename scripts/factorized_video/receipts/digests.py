"""The digests by which a request or a file is recognised: SHA-256, in hex."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Digest(str):
    """A digest; `older` is that of the same request as earlier versions computed it, if another."""

    older: str | None = None


def digest(stage: str, asked: Mapping[str, object]) -> Digest:
    """The digest of what was asked: words, file contents, options as given, gateway, take.

    Not the tool's wording or defaults of the day: an upgrade never makes anyone pay again. Entries
    that are None were not given and count for nothing, so a new option changes no old digest.
    """
    found = Digest(_digest(stage, asked))
    before = {name: _before(value) for name, value in asked.items()}
    if before != asked:
        found.older = _digest(stage, before)
    return found


def is_of(receipt: Mapping[str, Any] | None, wanted: str) -> bool:
    """Whether a receipt is of the request with the digest `wanted`."""
    found = (receipt or {}).get("digest")
    return found is not None and found in (wanted, getattr(wanted, "older", None))


def _before(value: object) -> object:
    """A part of a request as earlier versions had it: servers of one host without their ports."""
    if isinstance(value, Digest):
        return value.older or str(value)
    if isinstance(value, dict) and "host" in value:
        return {name: one for name, one in value.items() if name != "port"}
    return value


def _digest(stage: str, asked: Mapping[str, object]) -> str:
    given = {key: value for key, value in asked.items() if value is not None}
    text = json.dumps([stage, given], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_of(path: Path) -> str:
    """Of a file."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            total.update(block)
    return total.hexdigest()


def sha256_of_bytes(data: bytes) -> str:
    """Of bytes."""
    return hashlib.sha256(data).hexdigest()
