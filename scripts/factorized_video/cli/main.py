"""The command-line contract, once: options, streams, the JSON result, exit codes.

Imported at the top of each script and needed by `--help`, so nothing slow is imported here (no
requests, dataclasses, subprocess, dotenv): scripts import the rest inside `run`.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import sys
import time

from .. import interrupts
from ..console import Console, to_stderr
from ..errors import ToolError, clean
from ..rerun import same_command

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any
from .exit_codes import EXITS, SAME_COMMAND_RESUMES
from .options import Parser

RESULT_KEYS = (
    "status",
    "stage",
    "output",
    "gateway",
    "model",
    "cost",
    "elapsed_s",
    "warnings",
    "receipt",
    "job",
    "eta_s",
    "next",
)


def main(
    build_parser: Callable[[], Parser],
    run: Callable[[argparse.Namespace], dict[str, Any]],
    argv: list[str] | None = None,
) -> int:
    """Run one script: parse, run, print, and return its exit code.

    `run` gets the parsed options with `console` among them, and returns the result's keys, and
    `text` for what is printed without --json. Errors become a message, a result and an exit code.
    """
    # A short process whose objects nearly all live to its end: collecting while hundreds of modules
    # load, and again at exit, was a sixth of its time.
    gc.disable()
    words = sys.argv[1:] if argv is None else argv
    as_json = "--json" in words
    console = Console(quiet="--quiet" in words)
    started = time.monotonic()
    result: dict[str, Any] = {}
    code = 0
    for stream in (sys.stdout, sys.stderr):
        # What is not UTF-8 in a path stays readable, and stays valid inside JSON.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    interrupts.install()
    try:
        args = build_parser().parse_args(words)
        args.console = console
        result = run(args)
    except ToolError as error:
        code, result = _from_error(error)
        if not error.told:
            console.error(error.message, error.hint)
    except KeyboardInterrupt:
        from ..errors import Interrupted

        stop = Interrupted(
            "Interrupted.",
            "Run the same command again: it goes on, and if the answer to a paid call was lost it "
            "says so and sends nothing.",
        )
        code, result = _from_error(stop)
        console.error(stop.message, stop.hint)
    except Exception as error:  # noqa: BLE001 - a bug here: say so in the contract's words too
        import traceback

        console.error(
            f"A bug in this tool: {type(error).__name__}: {error}",
            "Receipts are whole; please report the lines below." if not as_json else "",
        )
        to_stderr(_clean_lines(traceback.format_exc()))
        bug = ToolError(f"{type(error).__name__}: {error}", "This is a bug in this tool.")
        code, result = _from_error(bug)
    console.close()
    result.setdefault("stage", console.stage)
    result["warnings"] = console.warnings
    result["elapsed_s"] = round(time.monotonic() - started, 3)
    text = result.pop("text", "")
    if as_json:
        rest = {key: value for key, value in result.items() if key not in RESULT_KEYS}
        text = json.dumps(
            {key: result.get(key) for key in RESULT_KEYS} | rest, ensure_ascii=False, indent=2
        )
    try:
        if text:
            print(text, flush=True)
    except BrokenPipeError:
        # Whoever was reading has gone; Python must not complain about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    gc.freeze()
    return code


def _from_error(error: ToolError) -> tuple[int, dict[str, Any]]:
    code, status = EXITS[error.kind]
    result: dict[str, Any] = {"status": status, **error.result, "error": error.as_json()}
    if error.kind in SAME_COMMAND_RESUMES and "next" not in result:
        result["next"] = same_command(*(["--no-wait"] if error.kind == "running" else []))
    return code, result


def _clean_lines(text: str) -> str:
    return "".join(clean(line) + "\n" for line in text.splitlines())
