"""The digests by which a request or a file is recognised: SHA-256, in hex."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path


def digest(stage: str, asked: Mapping[str, object]) -> str:
    """The digest of what was asked: words, file contents, options as given, gateway, take.

    Not the tool's wording or defaults of the day: an upgrade never makes anyone pay again. Entries
    that are None were not given and count for nothing, so a new option changes no old digest.
    """
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
