"""The short spellings of a command line, spelled out before it is read. Pure."""

from __future__ import annotations

from ..texts import AUTO

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

FROM_ANCHOR = "--motion-from-anchor"


def spelled_out(words: list[str], actions: Iterable[argparse.Action]) -> list[str]:
    """The words with `--prompt` before a prompt alone, and --motion-from-anchor for --motion auto.

    Only for a script that has those options; a prompt alone is left as it is where another option
    makes it a mistake.
    """
    takes = {flag: one.nargs for one in actions for flag in one.option_strings}
    found: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        flag, equals, value = word.partition("=")
        if word == "--" and "--prompt" in takes:
            found += _as_prompt(rest, found) or [word, *rest]
            rest = []
        elif flag == "--motion" and FROM_ANCHOR in takes and (value or "".join(rest[:1])) == AUTO:
            found.append(FROM_ANCHOR)
            rest = rest[0 if equals else 1 :]
        elif flag in takes:
            found.append(word)
            if not equals and rest and _takes_next(takes[flag], rest[0]):
                found.append(rest.pop(0))
            while takes[flag] == "+" and rest and not rest[0].startswith("-"):
                found.append(rest.pop(0))
        elif word.startswith("-") and word != "-":
            found.append(word)
        else:
            found += _as_prompt([word], [*found, *rest]) if "--prompt" in takes else [word]
    return found


def _as_prompt(alone: list[str], others: list[str]) -> list[str]:
    """The one word as the prompt, unless one of the `others` says what is to be done."""
    sources = (
        "--prompt",
        "--prompt-file",
        "--prompts-file",
        "--story",
        "--write-story",
        "--cancel",
        "--join",
    )
    lists = ("--list-runs", "--list-models")
    taken = any(word.partition("=")[0] in (*sources, *lists) for word in others)
    return alone if taken or len(alone) != 1 else [f"--prompt={alone[0]}"]


def _takes_next(nargs: object, following: str) -> bool:
    """Whether the next word is the option's value."""
    if nargs == 0:
        return False
    return nargs is None or not following.startswith("-") or following == "-"
