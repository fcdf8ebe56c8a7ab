"""--prompts-file: many prompts, one JSON object a line, each with settings of its own.

Nothing is sent before every line was read, found to be supported, and priced.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from .. import errors, output_paths, texts
from ..defaults import CONCURRENCY
from ..errors import UsageError
from ..experiments.batch import Batch
from ..experiments.line import Line
from ..experiments.shards import Shard
from ..rerun import flag_of
from ..stages.context import Context
from .one_run import one_run
from .option_words import replaced, words_of_settings
from .spelling import spelled_out

MOST_LINES = 5_000
LARGEST_FILE = 64 << 20  # bytes
KEYS = ("prompt", "output", "category", "settings")
# Settings that ask for another result of the same request.
_OTHER_RESULTS = ("--take=", "--seed=")


def read_batch(options: argparse.Namespace, parser: argparse.ArgumentParser) -> Batch:
    """A run for each line of the file; the folder of their outputs is --output, else outputs/FILE.

    Raises UsageError for a file that cannot be read, and for the first line that is not supported.
    """
    for name in ("job", "work_dir"):
        if getattr(options, name) is not None:
            raise UsageError(
                f"{flag_of(name)} is of one clip, and --prompts-file makes many.", "Leave it out."
            )
    _check_shards(options)
    path = Path(options.prompts_file).expanduser()
    folder = Path.cwd() / "outputs" / path.stem
    if options.output is not None:
        folder = output_paths.folder_path(options.output)
    context = Context.from_options(options)
    context.rerun.makes(folder)
    batch = Batch(
        context,
        folder,
        options.launcher,
        options.concurrency or CONCURRENCY,
        compares=bool(options.compare),
        shard=Shard(*options.shard) if options.shard else None,
    )
    for number, raw in _lines(path):
        with errors.of_line(path.name, number):
            batch.add(_line(number, raw, options, parser, folder))
    return batch


def _check_shards(options: argparse.Namespace) -> None:
    """Raise UsageError for options that say different things of shards."""
    if options.merge and options.shard:
        raise UsageError(
            "--merge is about all shards, and --shard about one.", "Leave one of them out."
        )
    if options.merge and (options.overwrite or options.resubmit):
        raise UsageError(
            "--merge makes nothing, so --overwrite and --resubmit have no effect.",
            "Leave them out.",
        )
    if options.merge and options.compare:
        raise UsageError(
            "--merge makes no comparisons: they are no part of a clip's receipt.",
            "Leave it out, and --shard too: the same command then compares what is there, free.",
        )


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
    folder: Path,
) -> Line:
    """One line, its run planned; `folder` is that of the outputs."""
    row = _row(raw)
    prompt = texts.checked(str(row.get("prompt", "")), "the prompt")
    category = " ".join(str(row.get("category", "")).split())[:60]
    given = row.get("settings") or {}
    if not isinstance(given, dict):
        raise UsageError('"settings" is no object.', 'Such as {"duration": 4, "style": "anime"}.')
    own = words_of_settings(given, parser)
    alone = ("prompts_file", "output", "concurrency", "shard", "merge")
    reset: dict[str, Any] = dict.fromkeys(alone)
    reset |= replaced(given, parser)
    own = spelled_out(own, parser._actions)
    line = parser.parse_args(["--prompt=x", *own], argparse.Namespace(**vars(options) | reset))
    line.prompt, line.output = prompt, _output(row, folder)
    run = one_run(line, prompt, folder)
    try:
        run.check()
    except UsageError as error:
        if options.merge:
            error.hint = "Give --merge all the options that the shards had."
        raise
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


def _output(row: dict[str, Any], folder: Path) -> str | None:
    """A line's own output, in the folder of the batch."""
    named = row.get("output")
    if named is None:
        return None
    return os.path.join(str(folder), os.path.expanduser(named)) if named else named
