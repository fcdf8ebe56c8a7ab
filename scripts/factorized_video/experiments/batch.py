"""Many prompts: each a run of its own, so many at once, under one cap.

Every line has its own output and receipts, so a killed batch resumes line by line; the summary only
repeats what they say.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import errors, files, money, receipts
from ..errors import Interrupted, OutputError, UsageError
from ..gateway import closed, open_gateway
from ..money import FREE, Cost
from ..pipeline import shared_limit
from ..pipeline.command import Answer, Command, Launcher
from ..pipeline.crew import Crew
from ..pipeline.shared_limit import BEING_MADE, ENDS_ALL
from ..receipts.cap import Spent, check_cap
from ..rerun import words_of
from ..stages import preflight
from ..stages.context import Context
from . import line_of_progress, shards, summary
from .line import AWAITS, Line
from .shards import Shard

_WRITING = 20  # to write the summary takes one part of so many of the time, at most


class Batch:
    """The runs of a file of prompts."""

    def __init__(
        self,
        context: Context,
        folder: Path,
        launcher: Launcher,
        at_once: int,
        *,
        compares: bool = False,
        shard: Shard | None = None,
    ) -> None:
        self._context = context
        self._console = context.console
        self._launcher = launcher
        self._at_once = at_once
        self._compares = compares
        self._shard = shard
        self._limit = context.limit  # of a shard its share, once all lines are there
        self._places: dict[str, int] = {}
        self._took: list[float] = []  # seconds, of the lines that this command has made
        self._writes_at = 0.0  # by the monotonic clock, when the summary may be written again
        self.folder = folder
        self._every: list[Line] = []

    def add(self, line: Line) -> None:
        """Add a line. Raises UsageError where it would write what another one writes."""
        # Compared as on a file system that ignores case.
        places = {str(place).casefold() for place in line.outputs}
        for other in sorted({self._places[place] for place in places if place in self._places}):
            raise UsageError(
                f"it would have the same output as line {other}: {line.output.name}.",
                'Give one of them another "output", or "settings": {"take": 2}.',
            )
        self._places |= dict.fromkeys(places, line.number)
        self._every.append(line)

    @property
    def lines(self) -> list[Line]:
        """Those that this command makes: all, or those of its shard."""
        return self._shard.own(self._every) if self._shard else self._every

    @property
    def summary_file(self) -> Path:
        """Where the summary lies; its table beside it, .txt."""
        return self.folder / (self._shard.summary_name if self._shard else "summary.json")

    @property
    def _warnings(self) -> list[str]:
        return list(dict.fromkeys(one for line in self.lines for one in line.warnings))

    @property
    def _costs(self) -> list[Cost]:
        return [line.expected for line in self.lines]

    @property
    def _spent(self) -> Spent:
        return shared_limit.spent_by(self.lines)

    def dry_run(self) -> dict[str, Any]:
        """The result of --dry-run: every line was read, found to be supported, and priced."""
        self._console.warn(*self._warnings)
        context = self._context
        self._check_folder()
        result: dict[str, Any] = {
            "status": "planned",
            "folder": str(self.folder),
            "lines": [line.planned() for line in self.lines],
            "cost": money.total(self._costs).as_json(),
            "spent": self._spent.as_json(),
            "gateway": context.gateway.name,
            "gateway_why": context.gateway.why,
            "shard": self._shard.shown if self._shard else None,
        }
        try:
            self._check_cap()
        except errors.OverBudget as error:
            error.result = {**result, **self._max_cost, "status": "failed"}
            error.charged = None
            raise
        return {**result, **self._max_cost}

    @property
    def _max_cost(self) -> dict[str, Any]:
        """The limit, as results hold it."""
        limit = self._limit
        return {
            "max_cost": limit.usd if limit else None,
            "max_cost_source": limit.source if limit else None,
        }

    def _check_folder(self) -> None:
        if self._shard:
            shards.check_folder(self.folder)

    def _check_cap(self) -> None:
        """Raise OverBudget where the lines do not fit into the limit: all, and those of a shard."""
        limit, allow = self._context.limit, self._context.terms.allow_unknown_cost
        costs = [line.expected for line in self._every]
        try:
            check_cap(limit, shared_limit.spent_by(self._every), costs, allow_unknown=allow)
        except errors.OverBudget as error:
            if self._shard:
                error.message = f"All {len(self._every)} lines together: {error.message}"
            raise
        if self._shard:
            self._limit = self._shard.share_of(limit, self._every)
            check_cap(self._limit, self._spent, self._costs, allow_unknown=allow)

    def make(self) -> dict[str, Any]:
        """All lines that are not made yet; the summary of all of them."""
        files.check_writable(self.summary_file)
        self._check_folder()
        self._check_cap()
        self._console.warn(*self._warnings)
        with receipts.locked(self.summary_file):
            rerun = self._context.rerun
            checked = any(not line.done for line in self.lines)
            if checked:
                self._check_gateway()
            crew = Crew(self._launcher, self._context, checked=checked, waiting=self._say)
            try:
                crew.run(self._commands(), self._at_once, self._ended)
            except (Interrupted, OutputError) as stopped:
                for line in self._being_made:  # those that had to be killed
                    line.look()
                with contextlib.suppress(OutputError):
                    self._write(ended=True, status="interrupted")
                stopped.result = {**self._result(ended=True), "next": rerun.same()}
                stopped.result.pop("status")
                if isinstance(stopped, Interrupted):
                    stopped.message = (
                        f"Interrupted. {self._made} of {len(self.lines)} lines are made."
                    )
                raise
            result = self._write(ended=True)
        self._raise_how_it_ended(result)
        return result

    def _check_gateway(self) -> None:
        """Ask once, free, whether the gateway is up and accepts the key; the lines need not."""
        with open_gateway(self._context.gateway, self._console.progress) as gateway:
            called: dict[str, list[str]] = {}
            for line in self.lines:
                for service, names in line.models.items():
                    called[service] = list(dict.fromkeys([*called.get(service, ()), *names]))
            preflight.check(self._context, gateway, money.total(self._costs), called)

    def merge(self, *, writes: bool) -> dict[str, Any]:
        """The summary of all lines, whoever made them, from their receipts alone; nothing is sent.

        Raises how the weightiest of them ended, or StillRunning where some are yet to be made.
        """
        if not self.folder.is_dir():
            raise UsageError(
                f"There is no folder {self.folder}, so there is nothing to merge.",
                "Give --merge the --output that the shards had.",
            )
        for line in self._every:
            line.stand()
        if writes:
            files.check_writable(self.summary_file)
            with receipts.locked(self.summary_file):
                result = self._write(ended=True)
        else:
            result = self._result(ended=True)
        self._raise_how_it_ended(result, "--merge")
        left = [line for line in self._every if line.status != "succeeded"]
        if left:
            error = errors.StillRunning(
                f"{self._made} of {len(self._every)} lines are made.",
                "Run the shards again that are not done, or the same command without --merge, "
                "which makes here what is missing.",
            )
            error.result = {**result, "next": self._context.rerun.same("--merge")}
            error.result.pop("status")
            raise error
        return result

    # -- the lines -------------------------------------------------------------------------------

    def _commands(self) -> Iterator[tuple[Line, Command]]:
        """The next line to start, as long as nothing ended that would end every line.

        With --compare, lines that are made are started too: their result says more than a receipt.
        So are those that were killed at their very end.
        """
        for line in self.lines:
            if line.done and not (self._compares or line.was_cut_off):
                line.answer = {"cost": line.cost}
                continue
            if any(one.error.get("kind") == ENDS_ALL for one in self.lines):
                return
            if self._is_closed(line):
                continue
            if not self._fits(line):
                return
            line.status, line.began_at = BEING_MADE, time.monotonic()
            yield line, self._command(line)

    def _is_closed(self, line: Line) -> bool:
        """Whether the gateway sends nothing more of what a line needs: a quota is used up."""
        failed = any(one.error for one in self.lines)
        return failed and closed(self._context.gateway, line.models) is not None

    @property
    def _made(self) -> int:
        return sum(line.status == "succeeded" for line in self.lines)

    @property
    def _being_made(self) -> list[Line]:
        return [line for line in self.lines if line.status == BEING_MADE]

    def _fits(self, line: Line) -> bool:
        """Whether the cap has room for one more line beside those that are being made."""
        if line.done:
            return True
        allow = self._context.terms.allow_unknown_cost
        try:
            shared_limit.check_room(self._limit, self.lines, line, allow_unknown=allow)
        except errors.OverBudget as error:
            line.answer = {"error": error.as_json(), "cost": None}
            line.status = "failed"
            return False
        return True

    def _command(self, line: Line) -> Command:
        share = shared_limit.share_of(self._limit, self.lines, line)
        more = {"output": line.output, "json": True, "quiet": True, "max_cost": share}
        return Command("factorized_generate.py", [*line.argv.words, *words_of(more)], line.prompt)

    def _ended(self, line: Line, answer: Answer) -> None:
        kept = ("cost", "error", "comparison", "contact_sheet", "measurement", "arms")
        line.answer = {name: answer.result[name] for name in kept if answer.result.get(name)}
        line.status = str(answer.result.get("status"))
        if answer.code == 0 and answer.result.get("candidate", "") is None:
            line.status = AWAITS
        line.look()
        line.expected = FREE
        known = self._console.warnings
        found = [one for one in answer.result.get("warnings") or () if one not in known]
        if line.status == "succeeded":
            self._took.append(time.monotonic() - line.began_at)
        if line.error and line.status != "interrupted":
            found.append(line.error["message"])
        self._console.warn(*(f"line {line.number}: {one}" for one in found))
        if time.monotonic() >= self._writes_at:  # of a thousand lines it is long
            began = time.monotonic()
            self._write()
            self._writes_at = began + _WRITING * (time.monotonic() - began)

    def _say(self, elapsed_s: float) -> None:
        """Show how it stands."""
        running = self._launcher.running
        shown = line_of_progress.shown(self.lines, running, self._took, self._at_once, self._limit)
        self._console.progress(shown)

    # -- the summary -----------------------------------------------------------------------------

    def _result(self, *, ended: bool) -> dict[str, Any]:
        """What became of all lines; what was measured is added at the end."""
        costs = [line.answer.get("cost") for line in self.lines]
        known = [money.from_json(cost) for cost in costs if cost and cost["kind"]]
        result: dict[str, Any] = {
            "status": "succeeded",
            "output": str(self.summary_file),
            "gateway": self._context.gateway.name,
            "shard": self._shard.shown if self._shard else None,
            "cost": money.total(known).as_json(),
            "counts": dict(Counter(line.status for line in self.lines)),
            "lines": [line.as_json() for line in self.lines],
        }
        if ended and any(line.answer.get("measurement") for line in self.lines):
            result["measured"] = summary.measured(self.lines)
        return result

    def _write(self, *, ended: bool = False, status: str = "") -> dict[str, Any]:
        """Write the summary and its table; the result. Raises OutputError, which has it too.

        `status` is that of the file, where it does not follow from the lines.
        """
        result = self._result(ended=ended)
        whole = all(line.status in ("succeeded", AWAITS) for line in self.lines)
        now = "running" if not ended else "succeeded" if whole else "failed"
        try:
            summary.write(self.summary_file, {**result, "status": status or now})
        except OutputError as error:
            error.result = {name: value for name, value in result.items() if name != "status"}
            raise
        return result

    def _raise_how_it_ended(self, result: dict[str, Any], *without: str) -> None:
        """Raise the weightiest error of a line, where not every line was made.

        `next` is the same command, `without` some options.
        """
        found = {line.error["kind"]: line.error for line in reversed(self.lines) if line.error}
        kind = shared_limit.weightiest(found)
        if kind is None:
            return
        numbers = [str(line.number) for line in self.lines if line.error.get("kind") == kind]
        more = f" and {len(numbers) - 8} more" if len(numbers) > 8 else ""
        where = f"line{'s' * (len(numbers) > 1)} {', '.join(numbers[:8])}{more}"
        error = errors.of_kind(
            kind,
            f"{self._made} of {len(self.lines)} lines are made. {where}: {found[kind]['message']}",
            str(found[kind].get("hint") or ""),
        )
        error.result = {**result, "next": self._context.rerun.same(*without)}
        error.result.pop("status")
        raise error
