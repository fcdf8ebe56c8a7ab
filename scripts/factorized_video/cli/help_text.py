"""--help: the options that most runs use, in the order in which one meets them; --help-all."""

from __future__ import annotations

import argparse

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Sequence

# By group, the options that --help shows, of those that a script has.
_USUAL = {
    "what to make": "PROMPT CAPTION --prompt --style --aspect-ratio --duration --no-audio --output",
    "the first frame": "--anchor --anchor-path --edit --reference --candidates --verify --select",
    "the motion": "--motion",
    "before you pay": "--dry-run --stop-after --max-cost",
    "gateway and models": "--gateway --model --video-model",
    "what was made": "--list-runs --list-models --json --help-all",
}


def usual_help(parser: argparse.ArgumentParser) -> str:
    """The options that most runs use."""
    named = {
        name: action
        for action in parser._actions
        for name in (*action.option_strings, str(action.metavar))
        if action.help != argparse.SUPPRESS
    }
    formatter = parser._get_formatter()
    formatter.add_text(parser.description)
    shown = 0
    for title, names in _USUAL.items():
        actions = list(dict.fromkeys(named[name] for name in names.split() if name in named))
        formatter.start_section(title)
        formatter.add_arguments(actions)
        formatter.end_section()
        shown += len(actions)
    formatter.add_text(parser.epilog)
    more = sum(action.help != argparse.SUPPRESS for action in parser._actions) - shown
    usage = f"usage: {parser.prog} {_what(parser._actions)} [options]\n\n"
    rest = f"\nAnother {more} options: --help-all. Each in full: references/cli.md\n"
    return usage + formatter.format_help() + rest


def _what(actions: Sequence[argparse.Action]) -> str:
    """What a command needs at least: a prompt or a caption, and an anchor where it begins."""
    flags = {flag for action in actions for flag in action.option_strings}
    alone = [str(action.metavar) for action in actions if not action.option_strings]
    needs = ["--anchor IMAGE", "--prompt TEXT"] if "--direct" in flags else ["PROMPT"]
    return " ".join(alone or (["PROMPT"] if "--list-runs" in flags else needs))


class HelpAll(argparse.Action):
    """--help-all: print every option, and end."""

    def __init__(self, option_strings: Sequence[str], dest: str, **rest: object) -> None:
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, default=argparse.SUPPRESS)
        self.help = "show every option"

    def __call__(self, parser: argparse.ArgumentParser, *rest: object) -> None:
        parser.shows_all = True  # type: ignore[attr-defined]
        parser.print_help()
        parser.exit()
