"""What helps against an error of usage: the option that was meant, quotes, a leading dash. Pure."""

from __future__ import annotations

import re

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Sequence

_OF_TEXTS = (
    "A text that begins with a dash is written --prompt=-..., or comes from a file or from stdin "
    "(-)."
)
_DASH = "A value that begins with a dash is written {name}=-..."


def of(message: str, words: Sequence[str], known: Sequence[str]) -> str:
    """The hint for argparse's message; "" where nothing more than the message helps.

    `words` are those of the command line, `known` the options that there are.
    """
    if message.startswith("unrecognized arguments: "):
        return _unrecognized(message.partition(": ")[2], words, known)
    if found := re.match(r"argument (--[\w-]+)(?:/\S+)?: expected one argument", message):
        value = _after(found[1], words)
        if "prompt" in found[1]:
            return _OF_TEXTS if value.startswith("-") else ""
        return _DASH.format(name=found[1]) if value.startswith("-") else ""
    if found := re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message):
        return _meant(found[1], re.findall(r"[\w-]+", found[2]))
    if words and ("is required" in message or "are required" in message):
        return _dash_in_a_text(words, known)
    return ""


def _unrecognized(rest: str, words: Sequence[str], known: Sequence[str]) -> str:
    first = next((word for word in words if rest.startswith(word)), rest.split(maxsplit=1)[0])
    name = first.partition("=")[0]
    if name.startswith("--") and (meant := _meant(name, known)):
        return meant
    if first.startswith("-"):
        return _dash_in_a_text(words, known)
    return 'Put quotes around a text of several words: --prompt "A cat jumps to the couch".'


def _dash_in_a_text(words: Sequence[str], known: Sequence[str]) -> str:
    """The hint for a text that begins with a dash, where one does."""
    names = {word.partition("=")[0] for word in words if word.startswith("-") and word != "-"}
    if names <= set(known):
        return ""
    return _OF_TEXTS


def _meant(word: str, known: Sequence[str]) -> str:
    """The nearest of those that there are, as a question."""
    import difflib

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"Did you mean {near[0]}?" if near else ""


def _after(name: str, words: Sequence[str]) -> str:
    """The word that follows an option."""
    words = list(words)
    return words[words.index(name) + 1] if name in words[:-1] else ""
