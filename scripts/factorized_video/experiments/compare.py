"""The same prompt both ways: in three stages and directly, and one picture that shows both.

Each way is a run of the orchestrator by itself, with its own receipts; what is here starts them,
splits the cap between them and lays their filmstrips side by side.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from .. import errors, files, money, receipts
from ..errors import OutputError, ToolError, UsageError
from ..media import file_types
from ..media.comparison import Side, comparison
from ..pipeline.command import Answer, Command
from ..pipeline.crew import Crew
from ..pipeline.direct import DirectRun
from ..pipeline.run import Run
from ..pipeline.run_request import RunOptions, RunRequest
from ..pipeline.three_stages import ThreeStages
from ..receipts import spending
from ..receipts.cap import check_cap
from ..rerun import words_of
from ..stages.calls import Plan
from ..stages.context import Context
from ..stages.request import Argv
from .evaluation import MEASURES, Evaluation

ARMS = {"factorized": "With first frame", "direct": "Text only"}
_KEPT = ("stage", "receipt", "job", "eta_s", "model")


class ComparedRun(Run):
    """A run with --compare. Raises UsageError where either arm does."""

    def __init__(
        self,
        request: RunRequest,
        options: RunOptions,
        context: Context,
        evaluator_model: str | None,
    ) -> None:
        if options.job.job:
            raise UsageError(
                "--job: with --compare it is not clear which of the two clips that job makes.",
                "Take it over without --compare: add --direct, or not.",
            )
        self.request = request
        self.options = options
        self.context = context
        self._console = context.console
        self._evaluator_model = evaluator_model
        self._read()
        self.output = self._factorized.output
        self._evaluation = None
        if request.wish.verifies:
            self._evaluation = Evaluation(
                context, request.prompt, self.output, evaluator_model, request.wish.judge_model
            )
        elif evaluator_model is not None:
            raise UsageError(
                "--evaluator-model has no effect without --verify: nothing is measured.",
                "Add --verify, or leave it out.",
            )

    def _read(self) -> None:
        """Plan both arms from what is on disk now."""
        self._factorized = ThreeStages(self.request, self.options, self.context)
        options = self.options._replace(
            output=self._factorized.output, work_dir=None, stop_after=None, save_intermediate=None
        )
        self._direct = DirectRun(self.request.as_direct(), options, self.context)
        if self._direct.output == self._factorized.output:
            raise UsageError(
                f"--output {self._direct.output.name} is a name for the direct clip, and with "
                "--compare there are two.",
                "Leave out .direct: both names are made of what is left.",
            )
        self._runs: dict[str, Run] = {"factorized": self._factorized, "direct": self._direct}

    def to_argv(self) -> Argv:
        """As for the run in three stages, with --compare and its model."""
        argv = super().to_argv()
        more = words_of({"compare": True, "evaluator_model": self._evaluator_model})
        return Argv([*argv.words, *more], argv.stdin)

    @property
    def picture(self) -> Path:
        """Where the picture of both lies."""
        return self.output.with_name(f"{self.output.stem}.compare.png")

    @property
    def clips(self) -> list[Path]:
        """Both ways."""
        return [one.output for one in self._runs.values()]

    @property
    def is_done(self) -> bool:
        """Whether both clips are there, and were measured if they are to be."""
        measured = self._evaluation is None or not self._evaluation.left(self._clips)
        return all(one.is_done for one in self._runs.values()) and measured

    @property
    def left(self) -> Plan:
        """The calls of both arms that are still to be made, with what was spent and the cap."""
        parts = [one.left for one in self._runs.values()]
        calls = [call for part in parts for call in part.calls]
        skipped = [words for part in parts for words in part.skipped]
        if self._evaluation:
            calls += self._evaluation.left(self._clips)
        return parts[0]._replace(
            calls=tuple(calls),
            skipped=tuple(skipped),
            spent=spending.spent_for(self.outputs),
            cap=self.context.limit,
        )

    @property
    def outputs(self) -> list[Path]:
        """All whose receipts say what this run has cost."""
        measured = [self._evaluation.path] if self._evaluation else []
        return [*self._factorized.outputs, *self._direct.outputs, *measured]

    @property
    def warnings(self) -> list[str]:
        """What is worth saying before anything is sent."""
        measured = self._evaluation.warnings if self._evaluation else ()
        return [*self._factorized.warnings, *self._direct.warnings, *measured]

    @property
    def _clips(self) -> dict[str, Path]:
        return {arm: one.output for arm, one in self._runs.items()}

    def check(self) -> None:
        """Raise UsageError where something lies in the way of what would be made."""
        for one in self._runs.values():
            one.check()

    def check_needs(self) -> None:
        """Raise UsageError where a package is missing."""
        file_types.need_media_extra("--compare")

    def make(self) -> dict[str, Any]:
        """Both clips and the picture of them; what is there is not made again.

        The anchor first: a first frame that is refused, or awaits a choice, costs no second clip.
        """
        self.check_needs()
        self.check()
        self._console.warn(*self.warnings)
        self._check_cap()
        stops = self.options.stop_after
        begins = not self._factorized.is_done and not self._factorized.owns_anchor
        if begins or stops:
            anchor = self._factorized.to_argv_until(stops or "anchor")
            answer = self._answers({"factorized": anchor})["factorized"]
            waits = answer.result.get("candidate", "") is None
            if answer.code or waits or stops:
                return self._passed_on(answer, waits)
            self._read()  # the anchor is there now, and paid for
        answers = self._answers({arm: one.to_argv() for arm, one in self._runs.items()})
        return self._measured(answers)

    def _measured(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """The result of both clips, measured where both are there."""
        measured: dict[str, Any] | None = None
        failure: ToolError | None = None
        if self._evaluation and not any(answer.code for answer in answers.values()):
            try:
                measured = self._evaluation.make(self._clips, self.outputs)
            except ToolError as error:  # both clips are there, and shown all the same
                failure = error
        result = self._result(answers, measured)
        for arm, answer in answers.items():
            if answer.code:
                raise self._failure(arm, answer, result)
        if failure:
            asked = receipts.read(self._evaluation.path) if self._evaluation else None
            rest = {key: value for key, value in result.items() if key != "status"}
            failure.result = {**failure.result, **rest, "cost": _cost(answers, asked)}
            raise failure
        return result

    def _check_cap(self) -> None:
        left = self.left
        allow = self.context.terms.allow_unknown_cost
        check_cap(self.context.limit, left.spent, left.costs, allow_unknown=allow)

    # -- running the arms ------------------------------------------------------------------------

    def _answers(self, arms: dict[str, Argv]) -> dict[str, Answer]:
        """Run these arms at once."""
        answers: dict[str, Answer] = {}
        doing = " and ".join(arms) if len(arms) > 1 else "the anchor"

        def say(elapsed_s: float) -> None:
            self._console.progress(f"making {doing}: {elapsed_s:.0f} s")

        checked = self.context.handoff.gateway_checked
        crew = Crew(self.options.launcher, self.context, checked=checked, waiting=say)
        commands = [(arm, self._command(arm, argv)) for arm, argv in arms.items()]
        crew.run(iter(commands), len(commands), answers.__setitem__)
        for answer in answers.values():
            self._console.warn(*map(str, answer.result.get("warnings") or ()))
        return {arm: answers[arm] for arm in arms}

    def _command(self, arm: str, argv: Argv) -> Command:
        more = {"output": self.output, "json": True, "quiet": True, "max_cost": self._share(arm)}
        return Command("factorized_generate.py", [*argv.words, *words_of(more)], argv.stdin)

    def _share(self, arm: str) -> float | None:
        """What the cap leaves for one arm: all but what the other has cost and will cost."""
        limit = self.context.limit
        if limit is None:
            return None
        others = [one for name, one in self._runs.items() if name != arm]
        calls = [call for one in others for call in one.left.calls]
        if self._evaluation:
            calls += self._evaluation.left(self._clips)
        ahead = sum(call.price.amount or 0.0 for call in calls)
        outputs = set(self.outputs) - set(self._runs[arm].outputs)
        return max(0.0, round(limit.usd - ahead - spending.spent_for(outputs).usd, 6))

    # -- results ---------------------------------------------------------------------------------

    def _passed_on(self, answer: Answer, waits: bool) -> dict[str, Any]:
        """The answer that ends this run before there are two clips, as its own result."""
        result = {key: value for key, value in answer.result.items() if key != "warnings"}
        if answer.code:
            raise self._failure("factorized", answer, result)
        rerun = self.context.rerun
        return {**result, "next": rerun.with_choice() if waits else rerun.same("--stop-after")}

    def _failure(self, arm: str, answer: Answer, result: dict[str, Any]) -> ToolError:
        """How an arm ended, as the error of this run."""
        error = errors.from_json(answer.result.get("error"), of=ARMS[arm])
        left_out = ("status", "next", "error")
        error.result = {key: value for key, value in result.items() if key not in left_out}
        error.result |= {key: answer.result.get(key) for key in _KEPT}
        offered = answer.result.get("replacement") or error.kind == "unverified"
        if offered and answer.result.get("next"):
            error.result["next"] = answer.result["next"]
        return error

    def _result(
        self, answers: dict[str, Answer], measured: dict[str, Any] | None
    ) -> dict[str, Any]:
        shown = self._draw(answers, measured)
        result: dict[str, Any] = {
            "status": "succeeded",
            "stage": None,
            "output": str(self.output),
            "gateway": self.context.gateway.name,
            "cost": _cost(answers, measured),
            "comparison": shown,
            "arms": {arm: self._arm(arm, answer) for arm, answer in answers.items()},
        }
        if measured:
            result["measurement"] = measured
        return result

    def _arm(self, arm: str, answer: Answer) -> dict[str, Any]:
        """What the result says of one arm."""
        result, run = answer.result, self._runs[arm]
        keys = ("status", "model", "cost", "video", "filmstrip", "receipt", "error")
        return {
            **{key: result.get(key) for key in keys},
            "output": str(run.output),
            "took_s": spending.took_s(run.outputs),
        }

    def _is_current(self, clips: list[Path]) -> bool:
        """Whether the picture is there, and of these clips and what was measured of them."""
        measured = [self._evaluation.path] if self._evaluation else []
        with contextlib.suppress(OSError):
            made_at = self.picture.stat().st_mtime_ns
            shown = [*clips, *map(receipts.receipt_path, [*clips, *measured])]
            return len(clips) == len(ARMS) and all(
                path.stat().st_mtime_ns <= made_at for path in shown
            )
        return False

    def _draw(self, answers: dict[str, Answer], measured: dict[str, Any] | None) -> str | None:
        """Write the picture of both; its path, None where neither clip is there."""
        sides = []
        for arm, answer in answers.items():
            clip = self._runs[arm].output
            there = answer.code == 0 and clip.is_file()
            row = answer.result.get("error") or {}
            lines = _lines(self._arm(arm, answer), measured, arm) if there else ()
            why = "" if there else str(row.get("message") or "it is not there")
            sides.append(Side(ARMS[arm], clip if there else None, lines, why))
        if not any(side.clip for side in sides):
            return None
        if self._is_current([side.clip for side in sides if side.clip]):
            return str(self.picture)
        self._console.progress("making the picture of both")
        try:
            files.write_again(self.picture, comparison(self.request.prompt, *sides))
        except OutputError as error:
            self._console.warn(f"There is no picture of both: {error.message}")
            return None
        return str(self.picture)


def _cost(answers: dict[str, Answer], measured: dict[str, Any] | None) -> dict[str, object]:
    """What both arms and the measurement have cost together."""
    costs = [answer.result.get("cost") for answer in answers.values()]
    costs.append((measured or {}).get("cost"))
    return money.total([money.from_json(one) for one in costs if one]).as_json()


def _lines(arm: dict[str, Any], measured: dict[str, Any] | None, name: str) -> tuple[str, ...]:
    """What stands below a clip: what it has cost, how long it took, what it passes."""
    price = money.shown(money.from_json(arm["cost"]))
    lines = [f"{price}, {_shown_time(arm['took_s'])}", str(arm["model"])]
    for what, words in MEASURES.items():
        found = ((measured or {}).get(what) or {}).get(name)
        if found:
            known = found["state"] != "unknown"
            passed = f"{found['passed']} of {found['asked']} questions pass"
            lines.append(f"{words}: {passed if known else 'unknown'}")
    return tuple(lines)


def _shown_time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
