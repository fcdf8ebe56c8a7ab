"""What a Stage 1 reply is worth: finding caption and motion in whatever a model sent. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from .replies import Unusable, object_with_text, one_line
from .texts import MAX_TEXT

_VERBS = (
    "jump|leap|run|walk|fly|danc|spin|rotat|chas|fall|mov|swim|crawl|climb|rid|driv|throw|catch|kick"
    "|roll|slid|float|drift|gallop|sprint|tast|pour|explod|melt|bloom"
)
_AFTER = (
    r"from|to|toward|towards|across|over|through|into|onto|off|up|down|along|past|around|away|after"
)
_MOTION = (
    # The participle only where a path, or nothing, follows: "a running shoe" is a still thing.
    re.compile(rf"\b(?:{_VERBS})(?:[a-z]?ing)\b(?=\s+(?:{_AFTER})\b|\s*[.,;]|\s*$)", re.IGNORECASE),
    # "A path runs through the wood" is still, so "runs" is not among these.
    re.compile(
        r"\b(?:jumps|leaps|walks|flies|dances|swims|crawls|climbs|gallops|sprints|chases|drives)"
        rf"(?=\s+(?:{_AFTER}|the|a|an)\b)",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:and then|suddenly|gradually|begins to|starts to|is about to|moments later"
        r"|over time|motion blur|the camera (?:pans|zooms|tilts|moves|follows|tracks|dollies))\b",
        re.IGNORECASE,
    ),
)


class Rewrite(NamedTuple):
    """A first-frame caption and, if the model gave one, a motion line."""

    caption: str
    motion: str | None


def read_rewrite(text: str, finish_reason: str | None = None) -> Rewrite | Unusable:
    """Caption and motion of the last JSON object that has a caption."""
    found = object_with_text(text, finish_reason, "caption", MAX_TEXT)
    if isinstance(found, Unusable):
        return found
    return Rewrite(one_line(found["caption"]), one_line(found.get("motion")) or None)


def motion_words(caption: str) -> list[str]:
    """The words by which a caption tells motion or time; empty for a still one.

    A heuristic: it only ever causes one more question and a warning, never a failure.
    """
    return [match.group(0).lower() for pattern in _MOTION for match in pattern.finditer(caption)]
