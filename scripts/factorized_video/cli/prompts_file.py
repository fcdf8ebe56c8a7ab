"""--prompts-file: many prompts, one JSON object a line, each with settings of its own.

Nothing is sent before every line was read, found to be supported, and priced.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import errors, output_paths, texts
from ..defaults import CONCURRENCY
from ..errors import ToolError, UsageError
from ..experiments.batch import Batch
from ..experiments.line import Line
from ..rerun import flag_of
from ..stages.context import Context
from .one_run import one_run
from .spelling import spelled_out

MOST_LINES = 5_000
LARGEST_FILE = 64 << 20  # bytes
KEYS = ("prompt", "output", "category", "settings")
# What belongs to the whole batch, or would make something else of a line.
NOT_OF_A_LINE = (
    "help prompt prompt_file prompts_file concurrency output work_dir json quiet dry_run "
    "max_cost list_runs list_models cancel online gateway compare direct job stop_after "
    "allow_unknown_cost allow_off model no_wait timeout overwrite resubmit evaluator_model "
    "save_intermediate verbose open yes all report"
).split()
# Settings that ask for another result of the same request.
_OTHER_RESULTS = ("--take=", "--seed=")


def read_batch(options: argparse.Namespace, parser: argparse.ArgumentParser, scripts: str) -> Batch:
    """A run for each line of the file; the folder of their outputs is --output, else outputs/FILE.

    Raises UsageError for a file that cannot be read, and for the first line that is not supported.
    """
    for name in ("job", "work_dir"):
        if getattr(options, name) is not None:
            raise UsageError(
                f"{flag_of(name)} is of one clip, and --prompts-file makes many.", "Leave it out."
            )
    path = Path(options.prompts_file).expanduser()
    folder = Path.cwd() / "outputs" / path.stem
    if options.output is not None:
        folder = output_paths.folder_path(options.output)
    context = Context.from_options(options)
    context.rerun.makes(folder)
    batch = Batch(
        context,
        folder,
        os.path.join(scripts, "factorized_generate.py"),
        options.concurrency or CONCURRENCY,
        compares=bool(options.compare),
    )
    for number, raw in _lines(path):
        with _of_line(number, path.name):
            batch.add(_line(number, raw, options, parser, (scripts, folder)))
    return batch


def _lines(path: Path) -> list[tuple[int, bytes]]:
    """The lines that hold something, with their numbers. Raises UsageError."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise UsageError(f"{path} has more than {LARGEST_FILE >> 20} MiB.", "Split it.")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"--prompts-file {path} cannot be read: {reason}.",
            'Give a file with one JSON object a line: {"prompt": "..."}.',
        ) from None
    lines = [(number, raw) for number, raw in enumerate(data.splitlines(), 1) if raw.strip()]
    if not lines:
        raise UsageError(
            f"{path} contains no prompts.", 'One JSON object a line: {"prompt": "..."}.'
        )
    if len(lines) > MOST_LINES:
        raise UsageError(f"{path} contains {len(lines):,} prompts.", f"At most {MOST_LINES:,}.")
    return lines


def _line(
    number: int,
    raw: bytes,
    options: argparse.Namespace,
    parser: argparse.ArgumentParser,
    places: tuple[str, Path],
) -> Line:
    """One line, its run planned; `places` are the folders of the scripts and of the outputs."""
    scripts, folder = places
    row = _row(raw)
    prompt = texts.checked(str(row.get("prompt", "")), "the prompt")
    category = " ".join(str(row.get("category", "")).split())[:60]
    given = row.get("settings") or {}
    own = _settings(given, parser)
    reset = {"prompts_file": None, "output": None, "concurrency": None}
    reset |= _replaced(given, parser)
    own = spelled_out(own, parser._actions)
    line = parser.parse_args(["--prompt=x", *own], argparse.Namespace(**vars(options) | reset))
    line.prompt, line.output = prompt, _output(row, folder)
    run = one_run(line, scripts, prompt, folder)
    run.check()
    asks = " ".join([prompt, *(word for word in own if not word.startswith(_OTHER_RESULTS))])
    return Line.of(number, category, asks, run)


def _row(raw: bytes) -> dict[str, Any]:
    """The JSON object of a line. Raises UsageError."""
    try:
        row = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise UsageError("it is no JSON object.", 'Expected {"prompt": "..."}, in UTF-8.')
    unknown = sorted(set(row) - set(KEYS))
    if unknown:
        raise UsageError(f"{unknown[0]!r} is no key of a line.", f"Expected: {', '.join(KEYS)}.")
    for key in ("prompt", "output", "category"):
        if not isinstance(row.get(key, ""), str):
            raise UsageError(f"{key!r} is no text.", "Put it in quotation marks.")
    if str(row.get("prompt", "")).strip() == "-":
        raise UsageError("the prompt is a dash.", "Describe what the video is to show.")
    return row


def _settings(given: object, parser: argparse.ArgumentParser) -> list[str]:
    """The settings of a line as words of a command line. Raises UsageError."""
    if not isinstance(given, dict):
        raise UsageError('"settings" is no object.', 'Such as {"duration": 4, "style": "anime"}.')
    supported = {
        flag.removeprefix("--")
        for action in parser._actions
        for flag in action.option_strings
        if action.dest not in NOT_OF_A_LINE
    }
    words = []
    for key, value in given.items():
        name = _flag_name(key)
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


def _replaced(given: dict[str, Any], parser: argparse.ArgumentParser) -> dict[str, Any]:
    """What a line's settings replace of the command's options, by name, with its default.

    Also what excludes them, such as --motion-file beside a motion.
    """
    flags = {f"--{_flag_name(key)}" for key in given}
    own = [action for action in parser._actions if flags & set(action.option_strings)]
    groups = [group._group_actions for group in parser._mutually_exclusive_groups]
    beside = [one for group in groups if any(action in group for action in own) for one in group]
    return {action.dest: action.default for action in (*own, *beside)}


def _flag_name(key: object) -> str:
    return str(key).removeprefix("--").replace("_", "-")


def _output(row: dict[str, Any], folder: Path) -> str | None:
    """A line's own output, in the folder of the batch."""
    named = row.get("output")
    if named is None:
        return None
    return os.path.join(str(folder), os.path.expanduser(named)) if named else named


@contextlib.contextmanager
def _of_line(number: int, name: str) -> Iterator[None]:
    """Say of which line an error is."""
    try:
        yield
    except ToolError as error:
        message = f"{name}, line {number}: {error.message}"
        raised = errors.of_kind(error.kind, message, error.hint)
        raised.result = error.result
        raise raised from None
