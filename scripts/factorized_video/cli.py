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

from . import STAGES, interrupts
from .errors import ToolError, UsageError, clean
from .prompts import DEFAULT_STRATEGY, MAX_TEXT, STRATEGIES, STYLES

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

# kind of error -> exit code and status word of the result
EXITS = {
    "internal": (1, "failed"),
    "usage": (2, "failed"),
    "auth": (3, "failed"),
    "running": (4, "running"),
    "refused": (5, "refused"),
    "unavailable": (6, "failed"),
    "unknown": (8, "unknown"),
    "output": (9, "failed"),
    "rejected": (10, "rejected"),
    "failed": (11, "failed"),
    "interrupted": (130, "interrupted"),
}
EXIT_CODES = """\
exit codes:
  0 done, or already done for the same inputs    8 unknown whether a paid call was taken
  2 bad flags or input, nothing sent             9 result not usable, or not writable here
  3 no key, key refused, or no credit           10 request not taken, nothing made
  4 still running: run the same command again   11 the job was accepted and failed
  5 refused by the model or its filter         130 interrupted: run the same command again
  6 gateway not available: try later             1 a bug in this tool"""
# After these the same command goes on, so it is what `next` says.
_SAME_COMMAND_GOES_ON = ("running", "auth", "unavailable", "unknown", "output", "interrupted")
RESULT_KEYS = (
    "status", "stage", "output", "gateway", "model", "cost", "elapsed_s", "warnings", "receipt",
    "job", "eta_s", "next",
)  # fmt: skip
STYLE_NAMES = ", ".join(STYLES)
GATEWAYS = ("auto", "demo", "happycapy")
DEFAULT_TIMEOUT_S = 1200  # queue-backed video hosts are reported to take up to 20 minutes
# On anything but a terminal a waiting line every ten seconds is plenty.
_PROGRESS_EVERY_S = 10.0


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are UsageErrors, so that they too follow the contract."""

    def __init__(self, description: str, example: str) -> None:
        super().__init__(
            description=description,
            epilog=f"example:\n  {example}\n\n{EXIT_CODES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> None:  # type: ignore[override]
        """Raise a UsageError, with what helps against the commonest mistake."""
        hint = f"See: python3 {sys.argv[0]} --help"
        if any(word in message for word in ("expected one argument", "unrecognized", "required")):
            hint = (
                "A text that begins with a dash is written --prompt=-..., or comes from a file or "
                f"from stdin (-). {hint}"
            )
        raise UsageError(f"{message}.", hint)


def add_common(parser: argparse.ArgumentParser, *, pays: bool = True) -> None:
    """The options that all scripts have."""
    group = parser.add_argument_group("gateway and output")
    group.add_argument(
        "--gateway", choices=GATEWAYS, default="auto",
        help="auto: HappyCapy, by AI_GATEWAY_API_KEY; demo: labelled stand-ins drawn on this "
        "machine, free, no key",
    )  # fmt: skip
    group.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    group.add_argument("--quiet", action="store_true", help="no progress on stderr")
    group.add_argument(
        "--dry-run", action="store_true",
        help="print what would be sent and what it is expected to cost; send nothing",
    )  # fmt: skip
    group.add_argument(
        "--overwrite", action="store_true",
        help="make it even if the output was made for other inputs; the old file is kept as NAME.1",
    )  # fmt: skip
    if pays:
        group.add_argument(
            "--resubmit", action="store_true",
            help="pays again: send once more what was refused, failed or got lost",
        )  # fmt: skip
        group.add_argument(
            "--take", type=_take, default=1, metavar="N",
            help="another draw of the same request (default: 1)",
        )  # fmt: skip
        group.add_argument(
            "--allow-off", action="store_true",
            help="use a model that is known to be shut down",
        )  # fmt: skip


def add_style(parser: argparse.ArgumentParser) -> None:
    """--style and --aspect-ratio."""
    parser.add_argument(
        "--style", type=_style, metavar="STYLE",
        help=f"{STYLE_NAMES}, or words of your own (default: the one the text names, else "
        "photorealistic)",
    )  # fmt: skip
    add_ratio(parser)


def add_ratio(parser: argparse.ArgumentParser) -> None:
    """--aspect-ratio."""
    parser.add_argument(
        "--aspect-ratio", type=_ratio, metavar="W:H",
        help="16:9, 9:16, 1:1, or what the model takes besides (default: 16:9, or what fits your "
        "own picture)",
    )  # fmt: skip


def add_video_options(parser: argparse.ArgumentParser) -> None:
    """--duration, --prompt-strategy and --timeout."""
    parser.add_argument(
        "--duration", type=_seconds, metavar="S", help="whole seconds (default: 6, or the nearest)"
    )
    parser.add_argument(
        "--prompt-strategy", choices=STRATEGIES, default=None,
        help=f"what the video model is told (default: {DEFAULT_STRATEGY})",
    )  # fmt: skip
    parser.add_argument(
        "--timeout", type=_timeout, default=DEFAULT_TIMEOUT_S, metavar="S",
        help=f"seconds to wait for the clip (default: {DEFAULT_TIMEOUT_S}); the job goes on, and "
        "the same command waits on",
    )  # fmt: skip


def add_motion(parser: argparse._ActionsContainer) -> None:
    """--motion and --motion-file."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--motion", metavar="TEXT", help="what moves after the first frame")
    group.add_argument("--motion-file", metavar="FILE", help="the same, from a file")


def add_job_options(parser: argparse.ArgumentParser) -> None:
    """--no-wait and --job."""
    group = parser.add_argument_group("the job at the gateway")
    group.add_argument(
        "--no-wait", action="store_true",
        help="submit and end with exit code 4; the same command without it fetches the clip",
    )  # fmt: skip
    group.add_argument(
        "--job", type=_job_id, metavar="ID",
        help="take over a job seen at the gateway; submits nothing",
    )  # fmt: skip


class Console:
    """Progress, warnings and errors on stderr. Warnings are kept for the result too."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.stage: str | None = None  # a key of STAGES, once a stage has begun
        self.warnings: list[str] = []
        self._terminal = sys.stderr.isatty()
        self._open_line = False
        self._last: tuple[str, float] = ("", 0.0)

    def progress(self, text: str) -> None:
        """What is happening. On a terminal one line that updates; elsewhere not too many."""
        if self.quiet:
            return
        line = (f"{STAGES[self.stage]}: " if self.stage else "") + clean(text)
        if self._terminal:
            width = max(20, os.get_terminal_size(sys.stderr.fileno()).columns - 1)
            _to_stderr(f"\r\x1b[K{line[:width]}")
            self._open_line = True
            return
        said, when = self._last
        now = time.monotonic()
        # A new kind of news at once; the same with another number in it every ten seconds.
        if _without_numbers(line) == _without_numbers(said) and now - when < _PROGRESS_EVERY_S:
            return
        self._last = (line, now)
        _to_stderr(line + "\n")

    def warn(self, *texts: str) -> None:
        """Something the person should know; once each."""
        for text in map(clean, texts):
            if text not in self.warnings:
                self.warnings.append(text)
                self._line(f"warning: {text}")

    def note(self, text: str) -> None:
        """Something that is said even when quiet, and is no warning."""
        self._line(clean(text))

    def error(self, message: str, hint: str) -> None:
        """What ended the run, and what to do next."""
        self._line(f"error: {message}")
        for line in hint.splitlines():
            self._line(f"  {line}")

    def _line(self, text: str) -> None:
        if self._open_line:
            _to_stderr("\n")
            self._open_line = False
        _to_stderr(clean(text) + "\n")

    def close(self) -> None:
        """End an open progress line."""
        if self._open_line:
            _to_stderr("\n")
            self._open_line = False


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
        from .errors import Interrupted

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
            "Receipts are whole; please report the lines above." if not as_json else "",
        )
        _to_stderr(_clean_lines(traceback.format_exc()))
        bug = ToolError(f"{type(error).__name__}: {error}", "This is a bug in this tool.")
        code, result = _from_error(bug)
    console.close()
    result.setdefault("stage", console.stage)
    result["warnings"] = [*console.warnings, *(result.get("warnings") or ())]
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


def same_command(without: str = "") -> str:
    """The literal command that this process was started with, less one option (and its value)."""
    import shlex

    words = list(sys.argv)
    if without in words:
        at = words.index(without)
        takes_value = without == "--stop-after"
        del words[at : at + 1 + takes_value]
    words = [word for word in words if not without or not word.startswith(without + "=")]
    return "python3 " + shlex.join(words)


def read_text(value: str | None, file: str | None, what: str) -> str:
    """A text from a flag, a file, or stdin (`-`), checked. `what` names it in messages.

    Raises UsageError for a text that is empty, over 20,000 characters, not UTF-8, or has control
    characters, and for a file that cannot be read as text.
    """
    if file is not None:
        value = _stdin(what) if file == "-" else _file(file, what)
    elif value == "-":
        value = _stdin(what)
    text = (value or "").strip().lstrip("\ufeff").strip()
    if not text:
        raise UsageError(f"{what} is empty.", f"Expected 1 to {MAX_TEXT:,} characters.")
    if len(text) > MAX_TEXT:
        raise UsageError(
            f"{what} has {len(text):,} characters.", f"Expected at most {MAX_TEXT:,}: shorten it."
        )
    for place, char in enumerate(text):
        number = ord(char)
        if (number < 32 and char not in "\t\n\r") or 0x7F <= number <= 0x9F:
            raise UsageError(
                f"{what} has a control character (U+{number:04X}) at position {place + 1}.",
                "Remove it; line breaks and tabs are fine.",
            )
        if 0xD800 <= number <= 0xDFFF:
            raise UsageError(
                f"{what} is not valid UTF-8 (at position {place + 1}).", "Write it as UTF-8."
            )
    return text


def read_motion(args: argparse.Namespace) -> str | None:
    """The motion from --motion or --motion-file, or None where neither was given."""
    if args.motion is None and args.motion_file is None:
        return None
    flag = "--motion" if args.motion is not None else "--motion-file"
    return read_text(args.motion, args.motion_file, flag)


def output_path(typed: str) -> Path:
    """The absolute path of a typed output. Raises UsageError for what is no file name."""
    from pathlib import Path

    if not typed or "\0" in typed or typed.endswith(("/", "/.", "/..")) or typed in (".", ".."):
        raise UsageError(f"{typed!r} is not a file name.", "Give a name, such as anchor.png.")
    return Path(os.path.abspath(os.path.expanduser(typed)))


def folder_path(typed: str) -> Path:
    """The absolute path of a typed folder. Raises UsageError for what is no folder name."""
    from pathlib import Path

    if not typed or "\0" in typed:
        raise UsageError(f"{typed!r} is not a folder name.", "Give a name, such as debug/.")
    return Path(os.path.abspath(os.path.expanduser(typed)))


def default_output(text: str, digest: str, extension: str) -> Path:
    """outputs/<first words>-<8 hex of the digest><extension> in the working directory.

    The same inputs give the same name, so running again goes on.
    """
    from pathlib import Path

    return Path.cwd() / "outputs" / f"{_slug(text)}-{digest[:8]}{extension}"


def check_extension(path: Path, allowed: tuple[str, ...]) -> None:
    """Raise UsageError unless the output's extension is one of these."""
    if path.suffix.lower() not in allowed:
        raise UsageError(
            f"--output {path.name} ends in {path.suffix or 'no extension'}.",
            f"Expected {' or '.join(allowed)}.",
        )


def _from_error(error: ToolError) -> tuple[int, dict[str, Any]]:
    code, status = EXITS[error.kind]
    result: dict[str, Any] = {"status": status, **error.result, "error": error.as_json()}
    if error.kind in _SAME_COMMAND_GOES_ON and "next" not in result:
        result["next"] = same_command(without="--no-wait" if error.kind == "running" else "")
    return code, result


def _stdin(what: str) -> str:
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            f"{what} is to come from stdin, and nothing is piped there.",
            "Pipe a text into the command.",
        )
    return _decoded(sys.stdin.buffer.read(MAX_TEXT * 4 + 8), what)


def _file(name: str, what: str) -> str:
    try:
        with open(name, "rb") as file:
            return _decoded(file.read(MAX_TEXT * 4 + 8), f"{what} {name}")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"{what} {name} cannot be read: {reason}.", "Give the path of a text file."
        ) from None


def _decoded(data: bytes, what: str) -> str:
    # At most MAX_TEXT characters of four bytes: cutting beyond that can only cut what is refused.
    if len(data) > MAX_TEXT * 4:
        raise UsageError(f"{what} has more than {MAX_TEXT:,} characters.", "Shorten it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{what} is not UTF-8 text.", "Expected a plain text file.") from None


def _slug(text: str) -> str:
    """The first words, fit for a file name in any script: at most six words and 48 bytes."""
    from unicodedata import category

    # Letters, digits, and the marks that some scripts write their vowels with.
    kept = (char if category(char)[0] in "LNM" else " " for char in text.lower())
    words = "".join(kept).split()[:6]
    slug = "-".join(words)
    while len(slug.encode("utf-8", "replace")) > 48:
        slug = slug[:-1]
    return slug.strip("-") or "video"


def _style(text: str) -> str:
    name = " ".join(text.split())
    key = name.lower().replace(" ", "-").replace("_", "-")
    if key in STYLES:
        return key
    if not name or len(name) > 200 or not name.isprintable():
        raise argparse.ArgumentTypeError(f"a style in a few words was expected ({STYLE_NAMES})")
    return name


def _ratio(text: str) -> str:
    width, colon, height = text.strip().partition(":")
    fine = colon and all(p.isascii() and p.isdigit() and 1 <= len(p) <= 2 for p in (width, height))
    if not fine or int(width) == 0 or int(height) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no aspect ratio; expected W:H, such as 16:9")
    return f"{int(width)}:{int(height)}"


def _seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 60):
        raise argparse.ArgumentTypeError(f"{text!r}: whole seconds from 1 to 60 were expected")
    return int(text)


def _take(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 9999):
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number from 1 on was expected")
    return int(text)


def _job_id(text: str) -> str:
    if not text.strip() or len(text) > 500 or not text.isprintable():
        raise argparse.ArgumentTypeError("the id of a job was expected")
    return text.strip()


def _timeout(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r}: seconds above 0, at most 86400, were expected")
    return seconds


def _without_numbers(text: str) -> str:
    return "".join(char for char in text if not char.isdigit())


def _clean_lines(text: str) -> str:
    return "".join(clean(line) + "\n" for line in text.splitlines())


def _to_stderr(text: str) -> None:
    # A closed stderr (the reader of a pipe has gone) must not end a paid run.
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()
