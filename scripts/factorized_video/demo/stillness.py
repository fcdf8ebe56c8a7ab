"""The demo's placeholder for an LLM: a prompt without its words of motion. Pure.

It understands nothing. It knows the words that the tool itself counts as motion in a caption, and
no others: "A cat jumping to the couch" becomes "A cat ready to jump to the couch".
"""

from __future__ import annotations

import re

from ..prompts.caption import motion_words
from ..prompts.json_reply import one_line

NOTHING = "The scene before anything happens"
_LATER = re.compile(r"(?<=\w)[,;]?\s+(?:and then|then|while|as the camera)\b.*$", re.I | re.S)
_VERB = re.compile(r"\w+(?:ing|s)")
_WITHOUT_E = ("danc", "rotat", "chas", "mov", "rid", "driv", "slid", "tast", "explod")


def make_still(prompt: str) -> tuple[str, str]:
    """Return caption and motion; a caption without a word of motion is the prompt as it is."""
    asked = one_line(prompt)
    caption = _LATER.sub("", asked)
    while found := motion_words(caption):
        for words in found:
            caption = re.sub(rf"\b{re.escape(words)}\b", _still(words), caption, flags=re.I)
    caption = one_line(caption).strip(" ,;") or NOTHING
    return caption, asked


def _still(words: str) -> str:
    """Return the instant before: "is ready to jump" for "jumps"; words of time become nothing."""
    if not _VERB.fullmatch(words):
        return ""
    if words.endswith("s"):
        return f"is ready to {re.sub('ie$', 'y', words[:-1])}"
    stem = words.removesuffix("ing")
    plain = f"{stem}e" if stem in _WITHOUT_E else re.sub(r"(nn|mm)$", lambda m: m[0][0], stem)
    return f"ready to {plain}"
