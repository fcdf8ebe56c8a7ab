"""The command that was typed, as it is to be run again. Pure but for reading `sys.argv`."""

from __future__ import annotations

import shlex
import sys

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from .errors import ToolError

# Options with a value, of those that are ever taken out.
_WITH_VALUE = (
    "--stop-after",
    "--prompt",
    "--prompt-file",
    "--anchor-path",
    "--anchor",
    "--model",
    "--llm-model",
    "--image-model",
    "--video-model",
    "--output",
    "--select",
    "--candidates",
    "--min-score",
    "--judge-model",
    "--reference",
    "--evaluator-model",
)
# Options that say nothing where no anchor is drawn, and are refused there: names in a namespace.
OF_DRAWING = ("candidates", "select", "verify", "repair", "min_score", "judge_model", "reference")
OTHER_WORDS = "<the action in other words>"


def flag_of(name: str) -> str:
    """ "--min-score" for min_score."""
    return "--" + name.replace("_", "-")


def same_command(*without: str) -> str:
    """The literal command that started this process, without some options.

    Never with --resubmit: said again it would pay again.
    """
    return "python3 " + shlex.join(_words((*without, "--resubmit")))


def with_other_words(anchor: str | None = None) -> str:
    """The same command with a place for another prompt; `anchor` keeps the one that is there."""
    drop: tuple[str, ...] = (
        "--prompt",
        "--prompt-file",
        "--stop-after",
        "--resubmit",
        "--skip-reasoning",
    )
    if anchor:
        drop = (*drop, *map(flag_of, OF_DRAWING), "--anchor-path", "--anchor", "--skip-anchor")
    words = _words(drop)
    if anchor:
        words.append(f"--anchor-path={anchor}")
    return "python3 " + shlex.join([*words, f"--prompt={OTHER_WORDS}"])


def with_choice() -> str:
    """The same command with a place for the number of the candidate that is taken."""
    return "python3 " + shlex.join([*_words(("--select", "--resubmit")), "--select=K"])


def with_model(flag: str, model: str, output: str | None) -> str:
    """The same command with another model. The output is named, so that what is there is kept."""
    words = _words((flag, *(["--output"] if output else []), "--resubmit"))
    end = words.index("--") if "--" in words else len(words)
    words[end:end] = [f"{flag}={model}"] + ([f"--output={output}"] if output else [])
    return "python3 " + shlex.join(words)


def offer_replacement(
    error: ToolError, flag: str, replacement: str | None, output: str | None, why_not: str | None
) -> None:
    """If the gateway does not know the model, `next` is the same command with its replacement.

    What was made before is kept: the output is named, and no other flag changes. `why_not` says
    what the replacement does not take of what was typed; then there is no `next`.
    """
    if not error.result.pop("unknown_model", False) or replacement is None:
        return
    error.result["replacement"] = replacement
    if why_not:
        error.hint = f"Nothing was made. The replacement is {replacement}, but: {why_not}"
    else:
        error.hint = f"Nothing was made. Use {replacement} instead: `next` is that command."
        error.result["next"] = with_model(flag, replacement, output)


def _words(without: tuple[str, ...]) -> list[str]:
    kept: list[str] = []
    skip = False
    for word in sys.argv:
        if skip:
            skip = False
        elif word in without:
            skip = word in _WITH_VALUE
        elif not word.startswith(tuple(f"{name}=" for name in without)):
            kept.append(word)
    return kept
