"""Many prompts from one file: each a run of its own, so many at once, under one cap.

Every line has its own output and receipts, so a killed batch goes on line by line; the summary only
repeats what they say. Nothing is sent before every line was read, found legal, and priced.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import STAGES, errors, files, money, output_paths, receipts, texts
from ..console import Console
from ..defaults import CONCURRENCY
from ..errors import Interrupted, OutputError, ToolError, UsageError
from ..gateway import open_gateway, settings
from ..money import Cost
from ..pipeline.crew import Answer, Command, Crew, words_of
from ..pipeline.run import Run
from ..receipts import spending
from ..receipts.cap import Spent, check_cap, effective_cap
from ..rerun import flag_of, same_command
from ..stages import preflight
from . import statistics
from .evaluation import MEASURES

MOST_LINES = 5_000
LARGEST_FILE = 64 << 20  # bytes
KEYS = ("prompt", "output", "category", "settings")
# What belongs to the whole batch, or would make something else of a line.
NOT_OF_A_LINE = (
    "help",
    "prompt",
    "prompt_file",
    "prompts_file",
    "concurrency",
    "output",
    "work_dir",
    "json",
    "quiet",
    "dry_run",
    "max_cost",
    "list_runs",
    "list_models",
    "cancel",
    "online",
    "gateway",
    "compare",
    "direct",
    "job",
    "stop_after",
    "allow_unknown_cost",
    "allow_off",
    "model",
    "no_wait",
    "timeout",
    "overwrite",
    "resubmit",
    "evaluator_model",
    "save_intermediate",
)
# The status of a line that has candidates, and none of them taken.
AWAITS = "awaits a choice"
# After one of these every further line would end the same way: none is begun. Not after a line
# that was killed by itself, as when memory is short; a signal to all stops the crew.
_ENDS_ALL = ("auth", "budget")
# The exit code of a batch is that of the first of these that a line ended with.
_WEIGHT = (
    "internal",
    "interrupted",
    "auth",
    "budget",
    "usage",
    "unknown",
    "running",
    "unavailable",
    "output",
    "rejected",
    "refused",
    "failed",
    "unverified",
)
# Settings that ask for another draw of the same request.
_DRAWS = ("--take=", "--seed=")
_FREE, _NOTHING = Cost(0.0, "actual"), Spent()


@dataclass
class Line:
    """One line of the file: what it asks for, and what became of it."""

    number: int  # in the file, from 1
    prompt: str
    category: str
    args: argparse.Namespace
    asks: str  # the same for every draw of the same request
    output: Path = Path()
    outputs: list[Path] = field(default_factory=list)
    expected: Cost = _FREE  # of what is left to pay
    done: bool = False
    spent: Spent = _NOTHING
    took_s: float = 0.0
    status: str = "not begun"
    told: dict[str, Any] = field(default_factory=dict)
    calls: list[dict[str, Any]] = field(default_factory=list)  # still to be made, in a plan

    @property
    def usd_left(self) -> float:
        """What it should still cost in USD, as far as that is known."""
        return self.expected.amount or 0.0

    @property
    def passes(self) -> dict[str, Any] | None:
        """By measure and arm, how many questions pass of those asked; None where none were."""
        told = self.told.get("measurement")
        if not told:
            return None
        kept = ("state", "passed", "asked")
        return {
            what: {arm: {key: found[key] for key in kept} for arm, found in told[what].items()}
            for what in MEASURES
        }

    @property
    def beginning(self) -> str:
        """The prompt, or as much of it as tells which it is."""
        return self.prompt if len(self.prompt) <= 300 else f"{self.prompt[:297]}..."

    def look(self) -> None:
        """Read from the receipts what it has cost and how long its calls took.

        Where something may have changed, not whenever the summary is written: that is for every
        line that ends, and would read the receipts of all lines each time.
        """
        self.spent = spending.spent_for(self.outputs)
        self.took_s = spending.took_s(self.outputs)

    def as_json(self) -> dict[str, Any]:
        """One entry of `lines` in the summary."""
        return {
            "line": self.number,
            "category": self.category or None,
            "prompt": self.beginning,
            "status": self.status,
            "output": str(self.output),
            "cost": self.told.get("cost"),
            "took_s": self.took_s,
            "comparison": self.told.get("comparison"),
            "contact_sheet": self.told.get("contact_sheet"),
            "measurement": self.passes,
            "error": self.told.get("error"),
        }


class Batch:
    """A run with --prompts-file; the folder of its outputs is --output, else outputs/FILE."""

    def __init__(
        self,
        args: argparse.Namespace,
        parser: argparse.ArgumentParser,
        scripts: str,
        make: Callable[[argparse.Namespace, str, Path], Run],
    ) -> None:
        """`make(args, prompt, folder)` is the run that a line asks for.

        Raises UsageError for a file that cannot be read, and for the first line that is not legal.
        """
        self._args = args
        self._parser = parser
        self._console: Console = args.console
        self._scripts = scripts
        self.gateway = settings.resolve(args.gateway, needs_key=False)
        self.limit = effective_cap(args.max_cost, self.gateway.max_cost)
        path = Path(args.prompts_file).expanduser()
        self.folder = (
            output_paths.folder_path(args.output)
            if args.output is not None
            else Path.cwd() / "outputs" / path.stem
        )
        for name in ("job", "work_dir"):
            if getattr(args, name) is not None:
                raise UsageError(
                    f"{flag_of(name)} is of one clip, and --prompts-file makes many.",
                    "Leave it out.",
                )
        self.lines = _read(path, args, parser, self.folder)
        self._warnings: list[str] = []
        places: dict[str, int] = {}
        for line in self.lines:
            with _of_line(line.number, path.name):
                self._plan(line, make(line.args, line.prompt, self.folder))
                # All that it writes, and as a file system sees it that knows no capitals.
                taken = {str(place).casefold() for place in line.outputs}
                for other in sorted({places[place] for place in taken if place in places}):
                    raise UsageError(
                        f"it would have the same output as line {other}: {line.output.name}.",
                        'Give one of them another "output", or "settings": {"take": 2}.',
                    )
            places.update(dict.fromkeys(taken, line.number))

    def _plan(self, line: Line, run: Run) -> None:
        """What is there of a line, and what it should still cost. Raises UsageError."""
        run.check()
        line.output, line.outputs, line.done = run.output, run.outputs, run.is_done
        left = run.left
        line.expected = left.cost
        line.calls = [
            {
                "stage": call.stage,
                "model": call.model.id,
                "times": call.times,
                "settings": call.settings,
                "cost": call.price.as_json(),
            }
            for call in left.calls
        ]
        line.look()
        line.status = "succeeded" if line.done else "not begun"
        self._warnings += [one for one in run.warnings if one not in self._warnings]

    @property
    def summary(self) -> Path:
        """Where the summary lies; its table beside it, .txt."""
        return self.folder / "summary.json"

    @property
    def _costs(self) -> list[Cost]:
        return [line.expected for line in self.lines]

    @property
    def _spent(self) -> Spent:
        usd = sum(line.spent.usd for line in self.lines)
        return Spent(round(usd, 6), sum(line.spent.unknown for line in self.lines))

    def dry_run(self) -> dict[str, Any]:
        """The result of --dry-run: every line was read, found legal, and priced."""
        self._console.warn(*self._warnings)
        total, spent = money.total(self._costs), self._spent
        rows = [
            {
                "line": one.number,
                "category": one.category or None,
                "prompt": one.beginning,
                "status": "succeeded" if one.done else "planned",
                "output": str(one.output),
                "cost": one.expected.as_json(),
                "stages": one.calls,
            }
            for one in self.lines
        ]
        text = [f"in {self.folder}:"] + [
            f"line {one.number}: {money.shown(one.expected)}  {self._shown(one.output)}"
            for one in self.lines
        ]
        kinds = Counter(_words_of(call) for one in self.lines for call in one.calls)
        text += [f"{words}: {number} lines" for words, number in kinds.items()]
        text.append(f"{len(rows)} lines, {sum(one.done for one in self.lines)} of them made")
        if self.limit:
            text.append(f"cap: USD {self.limit.usd:g} ({self.limit.source})")
        text.append(f"total: {money.shown(total)}; nothing was sent")
        result: dict[str, Any] = {
            "status": "planned",
            "lines": rows,
            "cost": total.as_json(),
            "spent": spent.as_json(),
            "max_cost": self.limit.usd if self.limit else None,
            "gateway": self.gateway.name,
            "gateway_why": self.gateway.why,
            "text": "\n".join(text),
        }
        try:
            self._check_cap()
        except errors.OverBudget as error:
            error.result = {**result, "status": "failed"}
            error.charged = None
            raise
        return result

    def _shown(self, output: Path) -> str:
        """An output as seen from the folder."""
        return os.path.relpath(output, self.folder)

    def _check_cap(self) -> None:
        allow = self._args.allow_unknown_cost
        check_cap(self.limit, self._spent, self._costs, allow_unknown=allow)

    def make(self) -> dict[str, Any]:
        """All lines that are not made yet; the summary of all of them."""
        console = self._console
        chosen = settings.resolve(self._args.gateway)
        files.check_writable(self.summary)
        self._check_cap()
        console.warn(*self._warnings)
        with receipts.locked(self.summary):
            if any(not line.done for line in self.lines):
                self._check_gateway(chosen)
            at_once = self._args.concurrency or CONCURRENCY
            try:
                Crew(self._say).run(self._commands(), at_once, self._ended)
            except (Interrupted, OutputError) as stopped:
                for line in self._being_made:  # those that had to be killed
                    line.look()
                with contextlib.suppress(OutputError):
                    self._write(ended=True)
                stopped.result = {**self._result(ended=True), "next": same_command()}
                stopped.result.pop("status")
                raise
            result = self._write(ended=True)
        self._raise_how_it_ended(result)
        return result

    def _check_gateway(self, chosen: settings.Settings) -> None:
        """Ask once, free, whether the gateway is there and takes the key; the lines need not."""
        with open_gateway(chosen, self._console.progress) as gateway:
            preflight.check(self._console, gateway, money.total(self._costs))
        os.environ[receipts.CHECKED] = "1"

    # -- the lines -------------------------------------------------------------------------------

    def _commands(self) -> Iterator[tuple[Line, Command]]:
        """The next line to be begun, as long as nothing ended that would end every line.

        Lines that are made are begun too where they have more to tell than a receipt does.
        """
        for line in self.lines:
            if line.done and not self._args.compare:
                line.told = {"cost": self._cost_of(line)}
                continue
            if any(one.told.get("error", {}).get("kind") in _ENDS_ALL for one in self.lines):
                return
            if not self._fits(line):
                return
            line.status = "being made"
            yield line, self._command(line)

    @property
    def _being_made(self) -> list[Line]:
        return [line for line in self.lines if line.status == "being made"]

    def _fits(self, line: Line) -> bool:
        """Whether the cap has room for one more line beside those that are being made."""
        if self.limit is None or line.done:
            return True
        reserved = sum(one.usd_left for one in self._being_made)
        try:
            check_cap(
                self.limit,
                Spent(self._spent.usd + reserved, self._spent.unknown),
                [line.expected],
                allow_unknown=self._args.allow_unknown_cost,
            )
        except errors.OverBudget as error:
            line.told = {"error": error.as_json(), "cost": None}
            line.status = "failed"
            return False
        return True

    def _command(self, line: Line) -> Command:
        share = None
        if self.limit:
            others = [one for one in self.lines if one is not line]
            used = sum(one.spent.usd for one in others)
            used += sum(one.usd_left for one in self._being_made if one is not line)
            share = max(0.0, round(self.limit.usd - used, 6))
        words = words_of(
            self._parser,
            line.args,
            prompt=None,
            prompt_file="-",
            prompts_file=None,
            concurrency=None,
            output=str(line.output),
            json=True,
            quiet=True,
            dry_run=False,
            max_cost=share,
        )
        script = os.path.join(self._scripts, "factorized_generate.py")
        return Command([script, *words], line.prompt)

    def _ended(self, line: Line, answer: Answer) -> None:
        kept = ("cost", "error", "comparison", "contact_sheet", "measurement", "arms")
        line.told = {name: answer.result[name] for name in kept if answer.result.get(name)}
        line.status = str(answer.result.get("status"))
        if answer.code == 0 and answer.result.get("candidate", "") is None:
            line.status = AWAITS
        line.look()
        line.expected = _FREE
        self._console.warn(
            *(
                f"line {line.number}: {warning}"
                for warning in answer.result.get("warnings") or ()
                if warning not in self._console.warnings
            )
        )
        if line.told.get("error"):
            self._console.warn(f"line {line.number}: {line.told['error']['message']}")
        self._write()
        self._say()

    def _say(self, elapsed_s: float = 0.0) -> None:
        """How it stands; while nothing ends, with the seconds that have gone by."""
        count = Counter(line.status for line in self.lines)
        made = count.pop("succeeded", 0)
        rest = ", ".join(f"{number} {status}" for status, number in count.items())
        rest = f" ({rest})" if rest else ""
        spent = f"USD {self._spent.usd:.2f} spent"
        since = f"; {elapsed_s:.0f} s" if elapsed_s else ""
        self._console.progress(f"{made} of {len(self.lines)} made{rest}; {spent}{since}")

    def _cost_of(self, line: Line) -> dict[str, object]:
        """What a line that is made has cost, as its receipts tell."""
        receipt = receipts.read(line.output) or {}
        told = (receipt.get("pipeline") or {}).get("cost") or receipt.get("cost")
        return told if isinstance(told, dict) else Cost(None, "unknown").as_json()

    # -- the summary -----------------------------------------------------------------------------

    def _result(self, ended: bool) -> dict[str, Any]:
        """What became of all lines; `text` is the table. What was measured is told at the end."""
        told = [line.told.get("cost") for line in self.lines]
        known = [Cost(one["amount"], one["kind"]) for one in told if one and one["kind"]]
        counts = Counter(line.status for line in self.lines)
        result: dict[str, Any] = {
            "status": "succeeded",
            "output": str(self.summary),
            "gateway": self.gateway.name,
            "cost": money.total(known).as_json(),
            "counts": dict(counts),
            "lines": [line.as_json() for line in self.lines],
        }
        text = self._table(money.total(known))
        if ended and any(line.told.get("measurement") for line in self.lines):
            lifts = {
                words: statistics.by_category(_pairs(self.lines, what))
                for what, words in MEASURES.items()
            }
            result["measured"] = statistics.as_json(lifts)
            text = "\n".join([text, "", *statistics.table(lifts)])
        return {**result, "text": text}

    def _table(self, total: Cost) -> str:
        """The lines for a person to read."""
        rows = [f"in {self.folder}:"]
        for line in self.lines:
            told = line.told.get("cost")
            cost = money.shown(Cost(told["amount"], told["kind"])) if told else "-"
            rows.append(
                f"{line.number:>4}  {line.status:<15} {cost:<22} {line.took_s:>7.1f} s  "
                f"{self._shown(line.output)}"
            )
            for what, arms in (line.passes or {}).items():
                shares = [
                    f"{arm} {found['passed']} of {found['asked']}"
                    if found["state"] != "unknown"
                    else f"{arm} unknown"
                    for arm, found in arms.items()
                ]
                rows.append(f"      {MEASURES[what]}: {', '.join(shares)}")
            error, sheet = line.told.get("error"), line.told.get("contact_sheet")
            if error:
                rows.append(f"      {error['kind']}: {error['message']}")
            elif line.status == AWAITS and sheet:
                rows.append(f"      look at {self._shown(Path(sheet))}")
        made = sum(line.status == "succeeded" for line in self.lines)
        rows.append(f"{made} of {len(self.lines)} made; {money.shown(total)}")
        if any(line.status == AWAITS for line in self.lines):
            rows.append(
                'Put {"select": "2"}, or what you choose, into the settings of each line '
                "that awaits a choice, then run the same command again."
            )
        return "\n".join(rows)

    def _write(self, ended: bool = False) -> dict[str, Any]:
        """Write the summary and its table; the result. Raises OutputError, which tells it too."""
        whole = self._result(ended)
        result = dict(whole)
        text = result.pop("text")
        document = {"made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **result}
        data = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
        table = (text + "\n").encode("utf-8", "backslashreplace")
        try:
            files.write_file(self.summary, data.encode("utf-8", "backslashreplace"))
            files.write_file(self.summary.with_suffix(".txt"), table)
        except OutputError as error:
            error.result = {name: value for name, value in whole.items() if name != "status"}
            raise
        return whole

    def _raise_how_it_ended(self, result: dict[str, Any]) -> None:
        """Raise the weightiest error of a line, where not every line was made."""
        found = {
            line.told["error"]["kind"]: line.told["error"]
            for line in reversed(self.lines)
            if line.told.get("error")
        }
        kind = next((kind for kind in _WEIGHT if kind in found), None)
        if kind is None:
            return
        made = sum(line.status == "succeeded" for line in self.lines)
        numbers = [
            str(line.number)
            for line in self.lines
            if (line.told.get("error") or {}).get("kind") == kind
        ]
        more = f" and {len(numbers) - 8} more" if len(numbers) > 8 else ""
        where = f"line{'s' * (len(numbers) > 1)} {', '.join(numbers[:8])}{more}"
        error = errors.of_kind(
            kind,
            f"{made} of {len(self.lines)} lines are made. {where}: {found[kind]['message']}",
            str(found[kind].get("hint") or ""),
        )
        error.result = {**result, "next": same_command()}
        error.result.pop("status")
        raise error


def _read(
    path: Path, args: argparse.Namespace, parser: argparse.ArgumentParser, folder: Path
) -> list[Line]:
    """The lines of the file. Raises UsageError, which names the line."""
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
    lines = []
    for number, raw in enumerate(data.splitlines(), 1):
        if raw.strip():
            with _of_line(number, path.name):
                lines.append(_line(number, raw, args, parser, folder))
    if not lines:
        raise UsageError(f"{path} holds no prompts.", 'One JSON object a line: {"prompt": "..."}.')
    if len(lines) > MOST_LINES:
        raise UsageError(f"{path} holds {len(lines):,} prompts.", f"At most {MOST_LINES:,}.")
    return lines


def _line(
    number: int, raw: bytes, args: argparse.Namespace, parser: argparse.ArgumentParser, folder: Path
) -> Line:
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
    prompt = str(row.get("prompt", ""))
    if prompt.strip() == "-":
        raise UsageError("the prompt is a dash.", "Say what the video is to show.")
    prompt = texts.read_text(prompt, None, "the prompt")
    category = " ".join(str(row.get("category", "")).split())[:60]
    own = _settings(row.get("settings") or {}, parser)
    named = _output(row, folder)
    told = argparse.Namespace(
        **{**vars(args), "prompts_file": None, "output": None, "concurrency": None}
    )
    own_args = parser.parse_args(["--prompt=x", *own], told)
    own_args.prompt, own_args.output = prompt, named
    asks = " ".join([prompt, *(word for word in own if not word.startswith(_DRAWS))])
    return Line(number, prompt, category, own_args, asks)


def _settings(told: object, parser: argparse.ArgumentParser) -> list[str]:
    """The settings of a line as words of a command line. Raises UsageError."""
    if not isinstance(told, dict):
        raise UsageError('"settings" is no object.', 'Such as {"duration": 4, "style": "anime"}.')
    takes = {
        flag.removeprefix("--"): action
        for action in parser._actions
        for flag in action.option_strings
        if action.dest not in NOT_OF_A_LINE
    }
    words = []
    for key, value in told.items():
        name = str(key).removeprefix("--").replace("_", "-")
        if name not in takes:
            raise UsageError(
                f"{key!r} is no setting of a line.",
                f"Settings are: {', '.join(sorted(takes))}. What holds for all lines is typed.",
            )
        if value is True:
            words.append(f"--{name}")
        elif value is False and f"no-{name}" in takes:
            words.append(f"--no-{name}")
        elif isinstance(value, list):
            words += [f"--{name}={one}" for one in value]
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            words.append(f"--{name}={value}")
        elif value is not None and value is not False:
            raise UsageError(f"{key!r} has a value that no option takes.", "A text or a number.")
    return words


def _output(row: dict[str, Any], folder: Path) -> str | None:
    """A line's own output, in the folder of the batch."""
    named = row.get("output")
    if named is None:
        return None
    path = output_paths.output_path(os.path.join(str(folder), os.path.expanduser(named)))
    output_paths.check_extension(path, (".mp4",))
    return str(path)


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


def _pairs(lines: list[Line], what: str) -> list[statistics.Pair]:
    """What both arms pass, line by line; None where that is not known."""
    pairs = []
    for line in lines:
        found = (line.told.get("measurement") or {}).get(what) or {}
        arms = [
            statistics.Arm(told["passed"], told["asked"])
            if told and told["state"] != "unknown"
            else None
            for told in (found.get("factorized"), found.get("direct"))
        ]
        pairs.append(statistics.Pair(line.asks, line.category, *arms))
    return pairs


def _words_of(call: dict[str, Any]) -> str:
    """One call of a plan in a line: what would be sent to whom, in which shape."""
    told = call["settings"]
    about = [
        f"{told['duration_s']} s" if "duration_s" in told else "",
        str(told.get("resolution") or ""),
        str(told.get("aspect_ratio") or ""),
    ]
    times = f", {call['times']} times" if call["times"] > 1 else ""
    shape = " ".join(filter(None, about))
    return f"{STAGES[call['stage']]}: {call['model']}{times}{', ' * bool(shape)}{shape}"
