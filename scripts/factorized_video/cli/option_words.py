"""Settings that stand in a file, by the names of options, as words of a command line. Pure."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import UsageError
from ..rerun import flag_of

# What belongs to the whole command, or would make something else of one of many runs.
NOT_OF_ONE = (
    "help help_all version offline prompt prompt_file prompts_file story write_story shots "
    "extend from_output no_stop transition music join concurrency output work_dir json quiet "
    "dry_run max_cost list_runs list_models cancel online gateway compare direct job "
    "stop_after allow_unknown_cost allow_off model no_wait timeout overwrite resubmit "
    "evaluator_model save_intermediate verbose open yes all report shard merge"
).split()


def flag_name(key: object) -> str:
    """ "aspect-ratio" for --aspect-ratio and aspect_ratio."""
    return str(key).removeprefix("--").replace("_", "-")


def words_of_settings(
    given: Mapping[str, Any], parser: argparse.ArgumentParser, without: Iterable[str] = NOT_OF_ONE
) -> list[str]:
    """The settings as words; those of the options in `without` are none. Raises UsageError."""
    left_out = set(without)
    supported = {
        flag.removeprefix("--")
        for action in parser._actions
        for flag in action.option_strings
        if action.dest not in left_out
    }
    words = []
    for key, value in given.items():
        name = flag_name(key)
        if name not in supported:
            raise UsageError(
                f"{key!r} is no setting of a line.",
                f"Settings are: {', '.join(sorted(supported))}. What holds for all lines is an "
                "option of the command.",
            )
        if value is True:
            words.append(f"--{name}")
        elif value is False and f"no-{name}" in supported:
            words.append(f"--no-{name}")
        elif isinstance(value, list):
            words += [f"--{name}={one}" for one in value]
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            words.append(f"--{name}={value}")
        elif value is not None and value is not False:
            raise UsageError(f"{key!r} has a value that no option has.", "A text or a number.")
    return words


def replaced(given: Iterable[str], parser: argparse.ArgumentParser) -> dict[str, Any]:
    """What settings replace of the command's options, by name, with its default.

    Also what excludes them, such as --motion-file beside a motion.
    """
    flags = {f"--{flag_name(key)}" for key in given}
    own = [action for action in parser._actions if flags & set(action.option_strings)]
    groups = [group._group_actions for group in parser._mutually_exclusive_groups]
    beside = [one for group in groups if any(action in group for action in own) for one in group]
    return {action.dest: action.default for action in (*own, *beside)}


# What every command takes, whatever it does.
_STANDS = ("json", "quiet", "verbose", "yes", "open", "offline", "gateway")


def check_effect(
    options: argparse.Namespace, parser: argparse.ArgumentParser, takes: Iterable[str], why: str
) -> None:
    """Raise UsageError for an option that was given and is none of those in `takes`.

    `why` says what it has no effect with, and why.
    """
    known = {*takes, *_STANDS}
    for action in parser._actions:
        name = action.dest
        if name in known or not hasattr(options, name):
            continue
        if getattr(options, name) != parser.get_default(name):
            raise UsageError(f"{flag_of(name)} has no effect with {why}.", "Leave it out.")


# Options that have an effect only beside one of others.
_BESIDE = {
    "all": ("list_runs",),
    "online": ("list_models",),
    "shots": ("write_story",),
    "shard": ("prompts_file",),
    "merge": ("prompts_file",),
    "no_stop": ("story", "extend"),
    "transition": ("join", "story", "extend"),
    "music": ("join", "story", "extend"),
}


def check_beside(options: argparse.Namespace) -> None:
    """Raise UsageError for an option that stands alone and has an effect only beside another."""
    for name, others in _BESIDE.items():
        if getattr(options, name) is None or any(
            getattr(options, other) is not None for other in others
        ):
            continue
        *most, last = map(flag_of, others)
        flags = f"{', '.join(most)} and {last}" if most else last
        added = "one of them" if most else last
        raise UsageError(f"{flag_of(name)} is for {flags}.", f"Leave it out, or add {added}.")
