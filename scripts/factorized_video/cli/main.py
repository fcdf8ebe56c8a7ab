"""Running a script by the command-line contract: streams, the JSON result, exit codes.

Imported at the top of each script and needed by `--help`, so nothing slow is imported here (no
requests, dataclasses, subprocess, dotenv): scripts import the rest inside `run`.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import gc
import os
import sys
import time

from .. import handoff, interrupts
from ..console import Console, silence, to_stderr, trace_requests
from ..errors import Interrupted, OutputError, ToolError, clean
from ..rerun import Rerun
from .exit_codes import EXITS, SAME_COMMAND_RESUMES
from .option_types import absolute_words
from .options import Parser
from .result import Result
from .spelling import spelled_out

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

ORCHESTRATOR = "factorized_generate.py"


def main(
    build_parser: Callable[[], Parser],
    run: Callable[[argparse.Namespace], dict[str, Any]],
    argv: list[str] | None = None,
) -> int:
    """Run one script: parse, run, print, and return its exit code.

    `run` gets the parsed options with `console`, `handoff` and `rerun`, the command to run again,
    and returns the result's keys. Errors become a message, a result and an exit code.
    """
    # A short process whose objects nearly all live to its end: collecting while hundreds of modules
    # load, and again at exit, was a sixth of its time.
    gc.disable()
    words = sys.argv[1:] if argv is None else argv
    given = handoff.received()
    console = Console(quiet="--quiet" in words, shown=given.warnings)
    if "--verbose" in words:
        trace_requests()
    started = time.monotonic()
    for stream in (sys.stdout, sys.stderr):
        # What is not UTF-8 in a path stays readable, and stays valid inside JSON.
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    interrupts.install()
    options = argparse.Namespace(console=console, handoff=given, launcher=None)
    result = command_result(_making(build_parser), run, [sys.argv[0], *words], options, started)
    if given.command:
        _say_what_the_stage_made(console, result.document)
    elif not (result.code or "--json" in words):
        _say_what_was_made(console, result.document)
    console.close()
    unwritten = _print(result.as_json() if "--json" in words else result.as_text())
    if unwritten:
        console.error(unwritten.message, unwritten.hint)
    if "--open" in words and not (result.code or given.command):
        open_output(console, result.document)
    gc.freeze()
    code = result.code or (EXITS[unwritten.kind][0] if unwritten else 0)
    if interrupts.left_behind():  # Python would end under threads that are at work
        os._exit(code)
    return code


def _making(
    build_parser: Callable[[], Parser],
) -> Callable[[], contextlib.AbstractContextManager[Parser]]:
    """A parser that is made when it is asked for."""
    return lambda: contextlib.nullcontext(build_parser())


def command_result(
    parser: Callable[[], contextlib.AbstractContextManager[Parser]],
    run: Callable[[argparse.Namespace], dict[str, Any]],
    words: Sequence[str],
    options: argparse.Namespace,
    started: float,
) -> Result:
    """What one command did: parsed, run, accounted for.

    `words` begin with the script; `options` has its console, its handoff and its launcher;
    `started` is the monotonic time.
    """
    options.rerun = _rerun(words, options.handoff)
    result = _result(parser, run, words, options)
    if not ("--dry-run" in words and result.code == EXITS["usage"][0]):  # no price is known then
        _account(result.document, options.rerun)
    result.document.setdefault("stage", options.console.stage)
    result.document["warnings"] = options.console.warnings
    result.document["elapsed_s"] = round(time.monotonic() - started, 3)
    return result


def _result(
    parser: Callable[[], contextlib.AbstractContextManager[Parser]],
    run: Callable[[argparse.Namespace], dict[str, Any]],
    words: Sequence[str],
    options: argparse.Namespace,
) -> Result:
    """What the script did, or how it failed, which is shown on stderr."""
    console, given = options.console, options.handoff
    script, told = words[0], list(words[1:])
    try:
        with parser() as reader:
            if not given.command:
                told = spelled_out(told, reader._actions)
                again = [os.path.abspath(script), *absolute_words(reader, told)]
                options.rerun = _rerun(again, given)
            reader.parse_args(told, options)
        return Result(_with_standing(run(options), options))
    except ToolError as error:
        if not error.printed and error.kind == "running" and "--no-wait" in words:
            console.note(error.message)  # as it was meant
            console.note(f"  {error.hint}")
        elif not error.printed:
            console.error(error.message, error.hint)
        return _failed(error, options.rerun)
    except KeyboardInterrupt:
        stopped = Interrupted(
            "Interrupted.",
            "Run the same command again: it resumes, and if the answer to a paid call was lost it "
            "says so and sends nothing.",
        )
        console.error(stopped.message, stopped.hint)
        return _failed(stopped, options.rerun)
    except Exception as error:  # noqa: BLE001 - a bug here: report it in the contract's form too
        import traceback

        console.error(
            f"A bug in this tool: {type(error).__name__}: {error}",
            "Receipts are whole; please report the lines below." if "--json" not in told else "",
        )
        to_stderr("".join(clean(line) + "\n" for line in traceback.format_exc().splitlines()))
        bug = ToolError(f"{type(error).__name__}: {error}", "This is a bug in this tool.")
        return _failed(bug, options.rerun)


def _with_standing(result: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """A plan also shows which of its choices stand in the environment or in a file."""
    if options.dry_run and getattr(options, "standing", None):
        from . import standing_options

        result["standing"] = standing = standing_options.shown(options)
        if "gateway" in standing and "gateway_why" in result:
            result["gateway_why"] = standing_options.GATEWAY
    return result


def _rerun(words: Sequence[str], given: handoff.Handoff) -> Rerun:
    """The command to run again: the orchestrator's, in a stage that it runs."""
    words = list(given.command) or words
    in_orchestrator = os.path.basename(words[0]) == ORCHESTRATOR
    return Rerun(words, given.output, given.texts, in_orchestrator=in_orchestrator)


def _failed(error: ToolError, rerun: Rerun) -> Result:
    code, status = EXITS[error.kind]
    document: dict[str, Any] = {"status": status, **error.result, "error": error.as_json()}
    if error.kind in SAME_COMMAND_RESUMES and "next" not in document:
        without = ["--no-wait"] if error.kind == "running" else []
        document["next"] = rerun.same(*without)
    return Result(document, code)


def _account(document: dict[str, Any], rerun: Rerun) -> None:
    """Add what the files have cost that are there, and all that was spent for them, by receipts."""
    if rerun.outputs:
        from ..receipts import spending

        with contextlib.suppress(ToolError):  # a receipt of a newer version
            for name, value in spending.account(rerun.outputs).items():
                document.setdefault(name, value)
    elif document.get("cost") and document.get("status") != "planned":  # a text that is not kept
        amount = document["cost"]["amount"]
        document["spent"] = {"amount": amount or 0.0, "unknown_calls": int(amount is None)}


def _say_what_the_stage_made(console: Console, document: dict[str, Any]) -> None:
    """On stderr, in place of the stage's progress."""
    from .stage_line import stage_line

    if line := stage_line(document):
        console.done(line)


def _say_what_was_made(console: Console, document: dict[str, Any]) -> None:
    """On stderr: stdout is for the path alone."""
    planned = document.get("status") == "planned"
    if not planned and any(
        document.get(name) for name in ("receipt", "contact_sheet", "film", "shots")
    ):
        from .around_a_run import result_lines

        for line in result_lines(document):
            console.say(line)


def open_output(console: Console, document: dict[str, Any]) -> None:
    """Have the system open what was made, with the program that it has for it."""
    path = document.get("report") or document.get("comparison") or document.get("output")
    if document.get("status") != "succeeded" or not path:
        return
    from .opening import opened

    if not opened(str(path)):
        console.note(f"Nothing here can open {path}: open it yourself.")


def _print(text: str) -> ToolError | None:
    """Write the result to stdout; why that failed, unless whoever was reading it has gone."""
    try:
        if text:
            print(text, flush=True)
    except OSError as error:
        silence(1)
        if error.errno not in (errno.EPIPE, errno.EIO):
            return OutputError(
                f"The result could not be written to stdout: {error.strerror}.",
                "The receipts have it all: run the same command again, or --list-runs.",
            )
    return None
