"""The stages, each its script: run with its request, and what it answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import money
from ..errors import Interrupted, ToolError
from ..handoff import Handoff
from ..rerun import words_of
from ..stages.context import Context
from ..stages.request import Argv
from .command import Answer, Command
from .run_request import RunOptions, terms_words

# Of a stage that failed, what the run's own result contains too.
_PASSED_ON = ("stage", "output", "gateway", "model", "receipt", "job", "eta_s")
OFFERED = ("suggested_max_cost", "cheaper")
OF_CANDIDATES = ("candidate", "candidates", "contact_sheet")


class StageRunner:
    """Runs the stage scripts one after the other, and keeps what they answered in `results`.

    `handoff` is what the next stage is handed.
    """

    def __init__(self, context: Context, options: RunOptions) -> None:
        rerun = context.rerun
        checked = context.handoff.gateway_checked
        self.handoff = Handoff(
            command=rerun.words,
            output=rerun.output,
            outputs=[str(one) for one in rerun.outputs],
            texts=rerun.texts,
            gateway_checked=checked,
            listed=context.listed,
            earlier=context.handoff.earlier,
        )
        self.results: list[dict[str, Any]] = []
        self._context = context
        self._options = options

    def run(self, script: str, argv: Argv, **more: object) -> None:
        """Run one script to its end; raise its failure as ours. `more` are further options."""
        options = self._options
        paid = any(not result.get("reused") for result in self.results)
        handoff = self.handoff.replace(
            warnings=self._context.console.warnings,
            # A stage that has paid has asked whether gateway and key are good: the later need not.
            gateway_checked=self.handoff.gateway_checked or paid,
        )
        terms = terms_words(self._context.terms)
        words = words_of(
            {
                "json": True,
                "gateway": options.gateway,
                "quiet": options.quiet,
                "verbose": options.verbose,
                "allow_off": terms["allow_off"],
                "allow_unknown_cost": terms["allow_unknown_cost"],
                "max_cost": self._context.terms.max_cost,
                **more,
            }
        )
        try:
            answer = options.launcher.answer(
                Command(script, [*argv.words, *words], argv.stdin),
                handoff,
                time_scale=self._context.gateway.time_scale,
            )
        except Interrupted as stopped:
            stopped.result = {"stages": self.results}
            raise
        self._keep(answer)

    def _keep(self, answer: Answer) -> None:
        result = dict(answer.result)
        known = self._context.console.warnings  # shown already, by the script itself
        known += [warning for warning in result.pop("warnings", []) if warning not in known]
        following = result.pop("next", None)
        self.results.append(result)
        if answer.code:
            raise self._failure(answer, following)

    def cost(self) -> dict[str, object]:
        """What the stages cost together."""
        rows = [result["cost"] for result in self.results if result.get("cost")]
        return money.total([money.from_json(row) for row in rows]).as_json()

    def _failure(self, answer: Answer, following: str | None) -> ToolError:
        """How a stage ended, as the error of the run."""
        error, result = answer.error, answer.result
        error.printed = answer.answered
        error.result = {key: result.get(key) for key in _PASSED_ON}
        kept = (*OF_CANDIDATES, "replacement", "still_to_pay", "max_cost", *OFFERED)
        error.result |= {key: result[key] for key in kept if key in result}
        if following:
            error.result["next"] = following
        error.result["stages"] = self.results
        return error

    @property
    def of_candidates(self) -> dict[str, Any]:
        """What Stage 2 has said of candidates; nothing where there were none."""
        anchors = [one for one in self.results if one.get("stage") == "composition"]
        return (
            {key: anchors[-1][key] for key in OF_CANDIDATES if key in anchors[-1]}
            if anchors
            else {}
        )


def output_option(path: Path) -> dict[str, object]:
    """--output, and that what was made for other inputs is kept aside there."""
    return {"output": path, "overwrite": True}
