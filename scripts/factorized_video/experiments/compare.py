"""The same prompt both ways: in three stages and directly, and one picture that shows both.

Each way is a run of the orchestrator by itself, with its own receipts; what is here starts them,
splits the cap between them and lays their filmstrips side by side.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from pathlib import Path
from typing import Any

from .. import errors, files, money, receipts
from ..errors import OutputError, ToolError, UsageError
from ..gateway import settings
from ..media import file_types
from ..money import Cost
from ..pipeline.crew import Answer, Command, Crew, words_of
from ..pipeline.direct import OF_ANCHORS, DirectRun
from ..pipeline.run import Run
from ..pipeline.stage_runner import MODEL_FLAGS
from ..pipeline.three_stages import FactorizedRun
from ..receipts import spending
from ..receipts.cap import check_cap, effective_cap
from ..rerun import same_command, with_choice, with_model
from ..stages import plan
from . import evaluation
from .evaluation import MEASURES

ARMS = {"factorized": "Factorized: three stages", "direct": "Direct: text-to-video"}


class ComparedRun(Run):
    """A run with --compare: the same prompt both ways."""

    def __init__(
        self,
        args: argparse.Namespace,
        parser: argparse.ArgumentParser,
        scripts: str,
        prompt: str | None = None,
        folder: Path | None = None,
    ) -> None:
        """`parser` has parsed the options. Raises UsageError where either arm does."""
        self._args = args
        self._parser = parser
        self._console = args.console
        self._scripts = scripts
        if args.job:
            raise UsageError(
                "--job: with --compare it is not said which of the two clips that job makes.",
                "Take it over without --compare: add --direct, or not.",
            )
        self._folder = folder
        self._read(prompt)
        self.output = self._factorized.output
        self.gateway = self._factorized.gateway
        self._evaluation = None
        if self._factorized.verifies:
            self._evaluation = evaluation.Evaluation(
                args, self._factorized.prompt, self.output, self.gateway
            )
        elif args.evaluator_model is not None:
            raise UsageError(
                "--evaluator-model: without --verify nothing is measured.",
                "Add --verify, or leave it out.",
            )
        self.limit = effective_cap(args.max_cost, self.gateway.max_cost)

    def _read(self, prompt: str | None) -> None:
        """Both arms, as what is on disk has them by now."""
        args, scripts = self._args, self._scripts
        self._factorized = FactorizedRun(_with(args, compare=False), scripts, prompt, self._folder)
        told = {**self._of_direct(), "output": str(self._factorized.output), "compare": False}
        self._direct = DirectRun(_with(args, **told), scripts, self._factorized.prompt)
        self._runs: dict[str, FactorizedRun | DirectRun] = {
            "factorized": self._factorized,
            "direct": self._direct,
        }

    def _of_direct(self) -> dict[str, object]:
        """What the direct arm is told otherwise: nothing of an anchor, or of a motion for it."""
        told = {name: self._parser.get_default(name) for name in OF_ANCHORS}
        written = self._args.motion is None and self._args.motion_file is None
        if written and self._args.prompt_strategy == "motion-only":
            told["prompt_strategy"] = None  # Stage 1 writes that motion; here the prompt is told
        return {**told, "direct": True}

    @property
    def picture(self) -> Path:
        """Where the picture of both lies."""
        return self.output.with_name(f"{self.output.stem}.compare.png")

    @property
    def is_done(self) -> bool:
        """Whether both clips are there, and were measured if they are to be."""
        measured = self._evaluation is None or not self._evaluation.left(self._clips)
        return all(one.is_done for one in self._runs.values()) and measured

    @property
    def left(self) -> plan.Plan:
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
            cap=self.limit,
        )

    @property
    def outputs(self) -> list[Path]:
        """All whose receipts tell what this run has cost."""
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
        self._factorized.check()
        self._direct.check()

    def check_needs(self) -> None:
        """Raise AuthError where there is no key, UsageError where a package is missing."""
        file_types.need_media_extra("--compare")
        settings.resolve(self._args.gateway)

    def make(self) -> dict[str, Any]:
        """Both clips and the picture of them; what is there is not made again.

        The anchor first: a first frame that is refused, or awaits a choice, costs no second clip.
        """
        self.check_needs()
        self.check()
        self._console.warn(*self.warnings)
        self._check_cap()
        stops = self._args.stop_after
        begins = not self._factorized.is_done and not self._factorized.owns_anchor
        if begins or stops:
            answer = self._run({"factorized": {"stop_after": stops or "anchor"}})["factorized"]
            waits = answer.result.get("candidate", "") is None
            if answer.code or waits or stops:
                return self._handed_on("factorized", answer, waits)
            self._read(self._factorized.prompt)  # the anchor is there now, and paid for
        both: dict[str, dict[str, object]] = {"factorized": {}, "direct": {}}
        answers = self._run(both)
        measured, failure = None, None
        if self._evaluation and not any(answer.code for answer in answers.values()):
            try:
                measured = self._evaluation.make(self._clips, self._args, self.limit, self.outputs)
            except ToolError as error:  # both clips are there, and shown all the same
                failure = error
        shown = self._draw(answers, measured)
        result: dict[str, Any] = {
            "status": "succeeded",
            "stage": None,
            "text": shown or str(self.output),
            "output": str(self.output),
            "gateway": self.gateway.name,
            "cost": _cost(answers, measured),
            "comparison": shown,
            "arms": {arm: self._arm(arm, answer) for arm, answer in answers.items()},
        }
        if measured:
            result["measurement"] = measured
        for arm, answer in answers.items():
            if answer.code:
                raise self._failure(arm, answer, result)
        if failure:
            result.pop("status")
            result.pop("text")
            asked = receipts.read(self._evaluation.path) if self._evaluation else None
            failure.result = {**failure.result, **result, "cost": _cost(answers, asked)}
            raise failure
        return result

    def _check_cap(self) -> None:
        left = self.left
        check_cap(self.limit, left.spent, left.costs, allow_unknown=self._args.allow_unknown_cost)

    def _run(self, arms: dict[str, dict[str, object]]) -> dict[str, Answer]:
        """Run these arms at once, each with other values for some options."""
        answers: dict[str, Answer] = {}
        doing = " and ".join(arms) if len(arms) > 1 else "the anchor"

        def say(elapsed_s: float) -> None:
            self._console.progress(f"making {doing}: {elapsed_s:.0f} s")

        commands = [(arm, self._command(arm, instead)) for arm, instead in arms.items()]
        Crew(say).run(iter(commands), len(commands), answers.__setitem__)
        for answer in answers.values():
            self._console.warn(*map(str, answer.result.get("warnings") or ()))
        return {arm: answers[arm] for arm in arms}

    def _command(self, arm: str, instead: dict[str, object]) -> Command:
        told: dict[str, object] = {
            "prompt": None,
            "prompt_file": "-",
            "output": str(self.output),
            "compare": False,
            "json": True,
            "quiet": True,
            "dry_run": False,
            "max_cost": self._share(arm),
            "evaluator_model": None,
            **instead,
        }
        if arm == "direct":
            told |= self._of_direct()
        words = words_of(self._parser, self._args, **told)
        script = os.path.join(self._scripts, "factorized_generate.py")
        return Command([script, *words], self._factorized.prompt)

    def _share(self, arm: str) -> float | None:
        """What the cap leaves for one arm: all but what the other has cost and will cost."""
        if self.limit is None:
            return None
        others = [one for name, one in self._runs.items() if name != arm]
        known = [call.price.amount or 0.0 for one in others for call in one.left.calls]
        if self._evaluation:
            known += [call.price.amount or 0.0 for call in self._evaluation.left(self._clips)]
        outputs = set(self.outputs) - set(self._runs[arm].outputs)
        return max(0.0, round(self.limit.usd - sum(known) - spending.spent_for(outputs).usd, 6))

    def _handed_on(self, arm: str, answer: Answer, waits: bool) -> dict[str, Any]:
        """What ended it before there are two clips, as this run's own result."""
        result = {key: value for key, value in answer.result.items() if key != "warnings"}
        if answer.code:
            raise self._failure(arm, answer, result)
        following = with_choice() if waits else same_command("--stop-after")
        return {**result, "text": str(result.get("output")), "next": following}

    def _failure(self, arm: str, answer: Answer, result: dict[str, Any]) -> ToolError:
        """How an arm ended, as the error of this run."""
        told = answer.result.get("error") or {}
        error = errors.of_kind(
            str(told.get("kind")),
            f"{ARMS[arm]}: {told.get('message')}",
            str(told.get("hint")),
            http_status=told.get("http_status"),
            request_id=told.get("request_id"),
            charged=told.get("charged"),
        )
        kept = ("stage", "receipt", "job", "eta_s", "model")
        error.result = {**result, **{key: answer.result.get(key) for key in kept}}
        error.result.pop("text", None)
        error.result.pop("status", None)
        error.result.pop("next", None)
        instead, stage = answer.result.get("replacement"), str(answer.result.get("stage"))
        if instead and answer.result.get("next"):
            judge = f"--judge-model={instead}" in str(answer.result["next"])
            flag = "--judge-model" if judge else MODEL_FLAGS[stage]
            error.result["next"] = with_model(flag, str(instead), str(self.output))
        if error.kind == "unverified":
            error.result["next"] = with_choice()
        return error

    def _arm(self, arm: str, answer: Answer) -> dict[str, Any]:
        """What the result says of one arm."""
        told, outputs = answer.result, self._runs[arm].outputs
        return {
            "status": told.get("status"),
            "output": str(self._runs[arm].output),
            "model": told.get("model"),
            "cost": told.get("cost"),
            "took_s": spending.took_s(outputs),
            "video": told.get("video"),
            "filmstrip": told.get("filmstrip"),
            "receipt": told.get("receipt"),
            "error": told.get("error"),
        }

    def _is_drawn(self, clips: list[Path]) -> bool:
        """Whether the picture is there, and of these clips and what was measured of them."""
        measured = [self._evaluation.path] if self._evaluation else []
        with contextlib.suppress(OSError):
            drawn_at = self.picture.stat().st_mtime_ns
            shown = [*clips, *map(receipts.receipt_path, [*clips, *measured])]
            return len(clips) == len(ARMS) and all(
                path.stat().st_mtime_ns <= drawn_at for path in shown
            )
        return False

    def _draw(self, answers: dict[str, Answer], measured: dict[str, Any] | None) -> str | None:
        """Write the picture of both; its path, None where neither clip is there."""
        from ..media.comparison import Side, comparison

        sides = []
        for arm, answer in answers.items():
            clip = self._runs[arm].output
            there = answer.code == 0 and clip.is_file()
            told = answer.result.get("error") or {}
            lines = _lines(self._arm(arm, answer), measured, arm) if there else ()
            why = "" if there else str(told.get("message") or "it is not there")
            sides.append(Side(ARMS[arm], clip if there else None, lines, why))
        if not any(side.clip for side in sides):
            return None
        if self._is_drawn([side.clip for side in sides if side.clip]):
            return str(self.picture)
        self._console.progress("drawing both filmstrips")
        try:
            files.write_file(self.picture, comparison(*sides))
        except OutputError as error:
            self._console.warn(f"There is no picture of both: {error.message}")
            return None
        return str(self.picture)


def _with(args: argparse.Namespace, **instead: object) -> argparse.Namespace:
    return argparse.Namespace(**{**vars(args), **instead})


def _cost(answers: dict[str, Answer], measured: dict[str, Any] | None) -> dict[str, object]:
    """What both arms and the measurement have cost together."""
    told = [answer.result.get("cost") for answer in answers.values()]
    told.append((measured or {}).get("cost"))
    return money.total([Cost(one["amount"], one["kind"]) for one in told if one]).as_json()


def _lines(arm: dict[str, Any], measured: dict[str, Any] | None, name: str) -> tuple[str, ...]:
    """What stands below a clip: what it has cost, how long it took, what it passes."""
    cost = arm["cost"] or {}
    price = money.shown(Cost(cost.get("amount"), str(cost.get("kind", "unknown"))))
    lines = [f"{price}, {_shown_time(arm['took_s'])}", str(arm["model"])]
    for what, words in MEASURES.items():
        found = ((measured or {}).get(what) or {}).get(name)
        if found:
            known = found["state"] != "unknown"
            said = f"{found['passed']} of {found['asked']} questions pass" if known else "unknown"
            lines.append(f"{words}: {said}")
    return tuple(lines)


def _shown_time(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
