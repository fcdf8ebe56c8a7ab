"""What a person asked of each stage, as the digest by which its output is known again. Pure.

Words, file contents, flags as typed, gateway, take: see `receipts.digest`. A flag that was not
typed is None and counts for nothing, so a new one changes no digest of an old command.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def digest(stage: str, asked: dict[str, Any]) -> str:
    """SHA-256 over what the person asked: words, file contents, flags as typed, gateway, take.

    Not the tool's wording or defaults of the day: an upgrade never makes anyone pay again. Entries
    that are None were not typed and count for nothing.
    """
    typed = {key: value for key, value in asked.items() if value is not None}
    text = json.dumps([stage, typed], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    total = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            total.update(block)
    return total.hexdigest()


def sha256_of_bytes(data: bytes) -> str:
    """SHA-256 of bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def _take(number: int) -> int | None:
    return number if number != 1 else None


def _pictures(hashes: tuple[str, ...]) -> list[str] | None:
    return list(hashes) or None


def reasoning(
    prompt: str,
    gateway: dict[str, str],
    *,
    style: str | None,
    aspect_ratio: str | None,
    model: str | None,
    references: tuple[str, ...] = (),
) -> str:
    """Of Stage 1. `references` are the SHA-256 of the pictures that it sees, in order."""
    return digest(
        "reasoning",
        {
            "prompt": prompt,
            "style": style,
            "aspect_ratio": aspect_ratio,
            "model": model,
            "gateway": gateway,
            "references": _pictures(references),
        },
    )


def motion(prompt: str, anchor: str, gateway: dict[str, str], *, model: str | None) -> str:
    """Of a motion that is written with the anchor in view; `anchor` is the picture's SHA-256."""
    return digest(
        "motion", {"prompt": prompt, "anchor": anchor, "model": model, "gateway": gateway}
    )


def composition(
    caption: str,
    gateway: dict[str, str],
    *,
    style: str | None,
    aspect_ratio: str | None,
    model: str | None,
    enhance: bool,
    take: int,
    references: tuple[str, ...] = (),
    edit: str | None = None,
) -> str:
    """Of Stage 2. `references` as in `reasoning`.

    `edit` is the SHA-256 of the picture that is changed; `caption` then says in what.
    """
    return digest(
        "composition",
        {
            "caption": caption,
            "style": style,
            "aspect_ratio": aspect_ratio,
            "model": model,
            "enhance": enhance or None,
            "gateway": gateway,
            "take": _take(take),
            "references": _pictures(references),
            "edit": edit,
        },
    )


def candidate(first: str, name: str) -> str:
    """Of one of several draws of the anchor that has the digest `first`; "1" is that one itself."""
    return first if name == "1" else digest("candidate", {"first": first, "candidate": name})


def repair(source: str, failed: tuple[str, ...]) -> str:
    """Of the edit of a candidate: the picture with SHA-256 `source`, and what failed in it."""
    return digest("repair", {"source": source, "failed": list(failed)})


def questions(prompt: str, gateway: dict[str, str], *, judge_model: str | None) -> str:
    """Of the questions that candidates are checked by."""
    return digest("questions", {"prompt": prompt, "gateway": gateway, "judge_model": judge_model})


def measurement(prompt: str, gateway: dict[str, str], *, evaluator_model: str | None) -> str:
    """Of what two clips of one prompt are measured by."""
    return digest(
        "measurement", {"prompt": prompt, "gateway": gateway, "evaluator_model": evaluator_model}
    )


def choice(first: str, **typed: Any) -> str:
    """Of an anchor, or a whole run, in which one of several candidates is taken.

    `first` is the digest without all that; `typed` what was typed of it. Where nothing was, they
    are the same: the plain anchor is the first candidate.
    """
    given = {name: value for name, value in typed.items() if value is not None}
    return digest("choice", {"first": first, **given}) if given else first


def synthesis(
    prompt: str,
    motion: str | None,
    anchor: str | None,
    gateway: dict[str, str],
    *,
    take: int,
    fit_duration: bool,
    **typed: Any,
) -> str:
    """Of Stage 3. `anchor` is the SHA-256 of the picture; `typed` the settings of the clip.

    Without an anchor it is a direct clip.
    """
    return digest(
        "synthesis" if anchor is not None else "direct",
        {
            "prompt": prompt,
            "motion": motion,
            "anchor": anchor,
            "gateway": gateway,
            "take": _take(take),
            "fit_duration": fit_duration or None,
            **typed,
        },
    )


def pipeline(
    prompt: str,
    motion: str | None,
    anchor: str | None,
    gateway: dict[str, str],
    *,
    take: int,
    skip_reasoning: bool,
    enhance: bool,
    fit_duration: bool,
    references: tuple[str, ...] = (),
    **typed: Any,
) -> str:
    """Of all three. `anchor` is the SHA-256 of one's own picture.

    `references` as in `reasoning`.
    """
    return digest(
        "pipeline",
        {
            "prompt": prompt,
            "motion": motion,
            "anchor": anchor,
            "gateway": gateway,
            "take": _take(take),
            "skip_reasoning": skip_reasoning or None,
            "enhance": enhance or None,
            "fit_duration": fit_duration or None,
            "references": _pictures(references),
            **typed,
        },
    )
