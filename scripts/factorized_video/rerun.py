"""The command to run next: the one that was given, without or with some options.

Every path in it is absolute, so it works from any folder. In a stage that the orchestrator runs it
is the orchestrator's.
"""

from __future__ import annotations

import shlex

from .texts import FROM_FILE, as_value

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .errors import ToolError

# By option, which text it stands for, and the option of the text itself ("" for none).
_TEXTS = {
    "--prompt": ("prompt", "--prompt"),
    "--prompt-file": ("prompt", "--prompt"),
    "--motion-file": ("motion", "--motion"),
    "--motion": ("motion", "--motion"),
    "--scene": ("scene", "--scene"),
    "--caption": ("own_caption", "--caption"),
    "--end-state": ("end_state", "--end-state"),
    "--write-story": ("prompt", "--write-story"),
    "--input-file": ("caption", ""),
    "--user-prompt": ("user_prompt", "--user-prompt"),
}
_PICTURES = ("--anchor", "--anchor-path", "--last-frame", "--reference", "--edit")
OTHER_WORDS = "<the action in other words>"
# Options without a value, of those that are ever left out; all others have one.
_FLAGS = (
    "--resubmit",
    "--no-wait",
    "--skip-reasoning",
    "--skip-anchor",
    "--verify",
    "--repair",
    "--overwrite",
    "--draft",
    "--no-stop",
    "--yes",
    "--merge",
)
# Options that choose among candidates, or shape the anchor: without effect on one's own anchor.
OF_ANCHOR = ("candidates", "select", "verify", "repair", "min_score", "judge_model", "reference")


def flag_of(name: str) -> str:
    """ "--min-score" for min_score."""
    return "--" + name.replace("_", "-")


def words_of(options: Mapping[str, object]) -> list[str]:
    """Options by name as words of a command line.

    None is left out, True is the flag alone, False its opposite (--no-audio); of a list or tuple
    there is one for each.
    """
    words: list[str] = []
    for name, value in options.items():
        flag = flag_of(name)
        if value is True or value is False:
            words.append(flag if value else "--no-" + flag[2:])
        elif isinstance(value, list | tuple):
            words += [f"{flag}={one}" for one in value]
        elif value is not None:
            words.append(f"{flag}={as_value(str(value)) if flag in _TEXTS else value}")
    return words


class Rerun:
    """A command that can be run again; `words` begin with the script's path.

    `in_orchestrator`: whether the script is the orchestrator, whose options name the models of all
    stages. `output` is what it makes, once that is known; `outputs` with all made on the way;
    `texts` what was read from files and stdin: "prompt", "motion", "scene", "end_state",
    "own_caption", "caption", "user_prompt".
    """

    def __init__(
        self,
        words: Sequence[str],
        output: str | None = None,
        texts: Mapping[str, str] | None = None,
        *,
        in_orchestrator: bool = False,
    ) -> None:
        self.words = tuple(words)
        self.output = output
        self.texts = dict(texts or {})
        self.in_orchestrator = in_orchestrator
        self._outputs: dict[Path, None] = {}  # a set that keeps its order

    def reads(self, **texts: str | None) -> None:
        """Say what was read; in a stage of the orchestrator that is known before."""
        for name, text in texts.items():
            if text is not None:
                self.texts.setdefault(name, text)

    def replace(self, typed: str, path: str) -> None:
        """Say where a picture is now that was piped in, as the value of whatever option."""
        words = []
        for word in self.words:
            flag, equals, value = word.partition("=")
            if equals and flag in _PICTURES and value == typed:
                words.append(f"{flag}={path}")
            elif word == typed and words and words[-1] in _PICTURES:
                words.append(path)
            else:
                words.append(word)
        self.words = tuple(words)

    def makes(self, *outputs: Path) -> None:
        """Say what it makes, the result first; in a stage of the orchestrator that is known before.

        The receipts of all `outputs` say what it has cost.
        """
        self.output = self.output or str(outputs[0])
        self._outputs.update(dict.fromkeys(outputs))

    @property
    def outputs(self) -> tuple[Path, ...]:
        """All that it makes, the result first."""
        return tuple(self._outputs)

    def named(self) -> tuple[str, ...]:
        """Its words with the output among them: a name that was chosen depends on the folder."""
        words = self._without_stdin()
        given = any(word == "--output" or word.startswith("--output=") for word in words)
        if given or self.output is None:
            return words
        return _added(words, f"--output={self.output}")

    def _without_stdin(self) -> tuple[str, ...]:
        """Its words with the texts that were piped in: they are not there again."""
        return _with_texts(self.words, self.texts, files=False)

    def kept(self) -> str:
        """The command for a receipt: with the texts themselves, so that no file need be there."""
        words = without_options(self.named(), ("--no-wait", "--resubmit"))
        return _joined(_with_texts(words, self.texts, files=True))

    def same(self, *without: str, add: str | Sequence[str] = ()) -> str:
        """The command as it was given, without some options, and perhaps with others.

        Never with --resubmit: run again it would pay again.
        """
        words = without_options(self.named(), (*without, "--resubmit"))
        return _joined(_added(words, *([add] if isinstance(add, str) else add)))

    def with_choice(self) -> str:
        """The same command with a place for the number of the candidate to use."""
        words = without_options(self.named(), ("--select", "--resubmit"))
        return _joined(_added(words, "--select=K"))

    def with_other_words(self, anchor: str | None = None) -> str:
        """The same command with a place for another prompt; `anchor` keeps the picture made."""
        drop = ["--prompt", "--prompt-file", "--stop-after", "--resubmit", "--skip-reasoning"]
        added = [f"--prompt={OTHER_WORDS}"]
        if anchor and self.in_orchestrator:
            drop += [*map(flag_of, OF_ANCHOR), "--anchor-path", "--anchor", "--skip-anchor"]
            drop += ["--image-set"]
            added.insert(0, f"--anchor-path={anchor}")
        return _joined(_added(without_options(self._without_stdin(), tuple(drop)), *added))

    def model_flag(self, kind: str) -> str:
        """The option that names the model of a kind: llm, image, video, judge or evaluator."""
        own = self.in_orchestrator or kind in ("judge", "evaluator")
        return f"--{kind}-model" if own else "--model"

    def with_model(self, kind: str, model: str) -> str:
        """The same command with another model. It names the output, so what exists is kept."""
        flag = self.model_flag(kind)
        words = without_options(self.named(), (flag, "--resubmit"))
        return _joined(_added(words, f"{flag}={model}"))


def offer_replacement(
    error: ToolError, rerun: Rerun, kind: str, replacement: str | None, why_not: str | None = None
) -> None:
    """Where the gateway does not know the model, make `next` the command with its replacement.

    `why_not` says what the replacement does not support of what was given; then there is no `next`.
    """
    if not error.result.pop("unknown_model", False) or replacement is None:
        return
    error.result["replacement"] = replacement
    if why_not:
        error.hint = f"Nothing was made. The replacement is {replacement}, but: {why_not}"
    else:
        error.hint = f"Nothing was made. Use {replacement} instead: `next` is that command."
        error.result["next"] = rerun.with_model(kind, replacement)


def on_one_line(command: str) -> str:
    """A command as it can be shown in a list: line breaks and the like are escaped for the shell.

    `$'...'` is known to bash, zsh and ksh, and to every shell of POSIX 2024.
    """
    return " ".join(map(_quoted, shlex.split(command)))


def _quoted(word: str) -> str:
    if word == "&&":
        return word
    if word.isprintable():
        return shlex.quote(word)
    inside = (
        char
        if char.isprintable() and char not in "\\'"
        else f"\\x{ord(char):02x}"
        if ord(char) < 0x80
        else f"\\U{ord(char):08x}"
        for char in word
    )
    return "$'" + "".join(inside) + "'"


def _joined(words: Sequence[str]) -> str:
    return "python3 " + shlex.join(words)


def _added(words: Sequence[str], *more: str) -> tuple[str, ...]:
    """The words with more options, before a "--" that ends them."""
    end = words.index("--") if "--" in words else len(words)
    return (*words[:end], *more, *words[end:])


def _with_texts(words: Sequence[str], texts: Mapping[str, str], *, files: bool) -> tuple[str, ...]:
    """The words with texts in place of stdin, and with `files` of their files too."""
    found: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        flag, equals, value = word.partition("=")
        if flag in _TEXTS and not equals and rest:
            value = rest.pop(0)
        alone = flag == "-" or (flag.startswith(FROM_FILE) and _stands_alone(found))
        kind, option = _positional(texts) if alone else _TEXTS.get(flag, (None, None))
        text = texts.get(kind) if kind else None
        in_file = files and (flag.endswith("-file") or f"{value or flag}".startswith(FROM_FILE))
        read = flag == "-" or value == "-" or in_file
        if text is None or not read or (option == "" and text.startswith("-")):
            found += [word] if equals or flag not in _TEXTS else [flag, value]
        else:
            found.append(f"{option}={as_value(text)}" if option else as_value(text))
    return tuple(found)


def _stands_alone(before: Sequence[str]) -> bool:
    """Whether the next word is no option's value, as far as that shows without the options."""
    last = before[-1] if before else ""
    return not last.startswith("-") or "=" in last or last in ("--", *_FLAGS)


def _positional(texts: Mapping[str, str]) -> tuple[str, str]:
    """What a single - stands for: the caption of Stage 2, the prompt of Stage 1."""
    return ("caption", "") if "caption" in texts else ("prompt", "")


def without_options(words: Sequence[str], dropped: tuple[str, ...]) -> tuple[str, ...]:
    """The words without some options and their values."""
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word in dropped:
            skip = word not in _FLAGS
        elif not word.startswith(tuple(f"{name}=" for name in dropped)):
            kept.append(word)
    return tuple(kept)
