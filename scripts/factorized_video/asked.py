"""What a person asked of each stage, as the digest by which its output is known again. Pure.

Words, file contents, flags as typed, gateway, take: see `receipts.digest`. A flag that was not
typed is None and counts for nothing, so a new one changes no digest of an old command.
"""

from __future__ import annotations

from typing import Any

from .receipts import digest


def _take(number: int) -> int | None:
    return number if number != 1 else None


def reasoning(
    prompt: str,
    gateway: dict[str, str],
    *,
    style: str | None,
    aspect_ratio: str | None,
    model: str | None,
) -> str:
    """Of Stage 1."""
    return digest("reasoning", {
        "prompt": prompt, "style": style, "aspect_ratio": aspect_ratio, "model": model,
        "gateway": gateway,
    })  # fmt: skip


def composition(
    caption: str,
    gateway: dict[str, str],
    *,
    style: str | None,
    aspect_ratio: str | None,
    model: str | None,
    enhance: bool,
    take: int,
) -> str:
    """Of Stage 2."""
    return digest("composition", {
        "caption": caption, "style": style, "aspect_ratio": aspect_ratio, "model": model,
        "enhance": enhance or None, "gateway": gateway, "take": _take(take),
    })  # fmt: skip


def synthesis(
    prompt: str,
    motion: str | None,
    anchor: str,
    gateway: dict[str, str],
    *,
    take: int,
    fit_duration: bool,
    **typed: Any,
) -> str:
    """Of Stage 3. `anchor` is the SHA-256 of the picture; `typed` the settings of the clip."""
    return digest("synthesis", {
        "prompt": prompt, "motion": motion, "anchor": anchor, "gateway": gateway,
        "take": _take(take), "fit_duration": fit_duration or None, **typed,
    })  # fmt: skip


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
    **typed: Any,
) -> str:
    """Of all three. `anchor` is the SHA-256 of one's own picture."""
    return digest("pipeline", {
        "prompt": prompt, "motion": motion, "anchor": anchor, "gateway": gateway,
        "take": _take(take), "skip_reasoning": skip_reasoning or None, "enhance": enhance or None,
        "fit_duration": fit_duration or None, **typed,
    })  # fmt: skip
