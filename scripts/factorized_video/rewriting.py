"""What a Stage 1 reply is worth: finding caption and motion in whatever a model sent. Pure."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from .prompts import MAX_TEXT

_THINKING = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
# Prose where JSON was asked, when it says no. Only read when no caption could be found.
_REFUSAL = re.compile(
    r"^\W*(?:i(?:'|\u2019)?m (?:sorry|unable|not able)|i am (?:sorry|unable|not able)|sorry\b"
    r"|i (?:can(?:no|')t|can\u2019t|won(?:'|\u2019)t|must decline)"
    r"|(?:this|your) (?:request|prompt) (?:violates|goes against|can(?:no|')t))",
    re.IGNORECASE,
)
_VERBS = (
    "jump|leap|run|walk|fly|danc|spin|rotat|chas|fall|mov|swim|crawl|climb|rid|driv|throw|catch|kick"
    "|roll|slid|float|drift|gallop|sprint|tast|pour|explod|melt|bloom"
)
_AFTER = (
    r"from|to|toward|towards|across|over|through|into|onto|off|up|down|along|past|around|away|after"
)
_MOTION = (
    # The participle only where a path, or nothing, follows: "a running shoe" is a still thing.
    re.compile(
        rf"\b(?:{_VERBS})(?:[a-z]?ing)\b(?=\s+(?:{_AFTER})\b|\s*[.,;]|\s*$)",
        re.IGNORECASE,
    ),
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


class Unusable(NamedTuple):
    """Why no caption could be taken, in words that the model can act on."""

    problem: str
    refused: bool = False


def read_rewrite(text: str, finish_reason: str | None = None) -> Rewrite | Unusable:
    """The last JSON object with a caption in the reply, through prose, fences and reasoning.

    The last, because a model that thinks aloud drafts before it decides.
    """
    visible = _THINKING.sub(" ", text)
    if not visible.strip():
        return Unusable("the answer was empty")
    found: Rewrite | None = None
    for candidate in _objects(visible):
        caption = _one_line(candidate.get("caption"))
        if caption:
            found = Rewrite(caption, _one_line(candidate.get("motion")) or None)
    if found and len(found.caption) > MAX_TEXT:
        return Unusable(f"the caption has {len(found.caption)} characters")
    if found:
        return found
    if finish_reason == "length" or visible.count("{") > visible.count("}"):
        return Unusable("the answer was cut off before it was complete")
    if _REFUSAL.search(visible):
        return Unusable("the model declined: " + _one_line(visible)[:300], refused=True)
    return Unusable('there was no JSON object with a non-empty "caption"')


def motion_words(caption: str) -> list[str]:
    """The words by which a caption tells motion or time; empty for a still one.

    A heuristic: it only ever causes one more question and a warning, never a failure.
    """
    return [match.group(0).lower() for pattern in _MOTION for match in pattern.finditer(caption)]


def _objects(text: str) -> list[dict[str, object]]:
    """Every JSON object that begins anywhere in the text, nested ones included, in order."""
    decoder = json.JSONDecoder(strict=False)  # models leave raw newlines inside strings
    found = []
    start = text.find("{")
    tries = 0
    while start != -1 and tries < 500:  # a reply of braces only must not take quadratic time
        tries += 1
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            found.append(value)
        whole = isinstance(value, dict) and bool(_one_line(value.get("caption")))
        start = text.find("{", end if whole else start + 1)
    return found


def _one_line(value: object) -> str:
    """A model's text as one clean line; anything that is not text is nothing."""
    return " ".join(_CONTROLS.sub(" ", value).split()) if isinstance(value, str) else ""
