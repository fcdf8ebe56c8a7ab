"""How well two clips of one prompt follow it: asked of a vision model that is shown no arm.

The evaluator writes its own questions from the prompt, once, and answers them for each clip by
itself: some of its first frame, some of frames over its whole length. It sees the clips' own
frames, made alike, and nothing shows it how a clip was made. What it says is kept beside the output
in NAME.measurement.json, answer by answer, so nothing is asked, or paid for, twice.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import files, money, receipts
from ..errors import OutputError, Refused, ToolError
from ..gateway import open_gateway
from ..media import judge_frames
from ..models import THE_ONLY_ONE
from ..money import FREE, Cost
from ..prompts import checklist, clip_checklist
from ..prompts.checklist import Check
from ..prompts.json_reply import Unusable
from ..receipts import Intent, Record
from ..stages import judge, plan, preflight
from ..stages.calls import Call
from ..stages.conversation import Conversation
from ..stages.ledger import Ledger

if TYPE_CHECKING:
    from ..gateway.client import Gateway
    from ..stages.context import Context

# What is asked of each clip, by the key in results, in words.
MEASURES = {"first_frame": "first frame", "frames": "frames over the clip"}


class Questions(NamedTuple):
    """What both clips are asked."""

    first_frame: tuple[str, ...]
    frames: tuple[str, ...]


class Evaluation:
    """The measurement of one comparison: what is there, what is left, and how it is made."""

    def __init__(
        self,
        context: Context,
        prompt: str,
        output: Path,
        evaluator_model: str | None = None,
        judge_model: str | None = None,
    ) -> None:
        """`output` is the clip in three stages. Raises UsageError for a model that sees nothing."""
        self._context = context
        self._console = context.console
        self._prompt = prompt
        self._judge_model = judge_model
        self._ledger = Ledger(context, [])
        self.path = output.with_name(f"{output.stem}.measurement.json")
        asked = {
            "prompt": prompt,
            "gateway": context.identity_of("chat"),
            "evaluator_model": evaluator_model,
        }
        self._wanted = receipts.digest("measurement", asked)
        self._calls = self._planned(evaluator_model)
        if evaluator_model is None and (begun := self._begun_by()):
            self._calls = self._planned(begun)

    def _begun_by(self) -> str | None:
        """The model that asked before, where another one would be chosen now.

        One evaluator judges both clips, whatever is chosen by default meanwhile; but not the one
        that chooses the anchor.
        """
        receipt = receipts.rewritten(self.path, self._wanted)
        begun = str(receipt["model"]) if receipt else None
        return None if begun in (None, self._judge_model, self._model) else begun

    @property
    def _model(self) -> str:
        return self._calls["questions"].model.id

    def _planned(self, model: str | None) -> dict[str, Call]:
        """The calls, by what they ask."""
        rules = self._context.rules()
        calls = plan.measurement(self._prompt, model, self._judge_model, rules)
        return {call.settings["asks"]: call for call in calls}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What should be known of the evaluator."""
        return self._calls["questions"].warnings

    def left(self, clips: dict[str, Path]) -> list[Call]:
        """The calls that are still to be made.

        `clips` are the clips by arm; of one that is not there yet everything is left.
        """
        found = self._standing()
        counts = {"questions": int(_questions_in(found) is None)}
        hashes = {
            arm: receipts.sha256_of(clip) if clip.is_file() else "" for arm, clip in clips.items()
        }
        for what in MEASURES:
            counts[what] = sum(
                _check_in(found, arm, what, sha256) is None for arm, sha256 in hashes.items()
            )
        return [
            call._replace(times=counts[asks]) for asks, call in self._calls.items() if counts[asks]
        ]

    def make(self, clips: dict[str, Path], outputs: list[Path]) -> dict[str, Any]:
        """What each clip passes, asked where it is not known yet.

        `outputs` are those whose cost counts against the cap. Raises OverBudget where the cap has
        no room for it, and what the gateway raises.
        """
        context = self._context
        files.check_writable(self.path)
        with receipts.locked(self.path):
            if self.left(clips):
                with open_gateway(context.gateway, self._console.progress) as gateway:
                    planned = self._calls["questions"].model.id
                    only = preflight.model(context, gateway, planned, "evaluator")
                    if only:
                        self._calls = self._planned(only)
                    self._ledger = Ledger(context, outputs)
                    self._ledger.check(*(call.price for call in self.left(clips)))
                    self._measure(gateway, clips)
            result = self._result(clips)
            text = json.dumps(result, ensure_ascii=False, indent=1) + "\n"
            files.write_file(self.path, text.encode())
            return result

    def _standing(self) -> dict[str, Any]:
        """What was answered before, for this prompt and this evaluator."""
        receipt = receipts.rewritten(self.path, self._wanted)
        ours = receipt and self._model in (receipt["model"], THE_ONLY_ONE)
        return dict(receipt["result"]) if receipt and ours else {}

    def _measure(self, gateway: Gateway, clips: dict[str, Path]) -> None:
        found = self._standing()
        record = self._record(found)
        questions = _questions_in(found)
        if questions is None:
            questions = self._write_questions(gateway, record)
        for arm, clip in clips.items():
            sha256 = receipts.sha256_of(clip)
            for what in MEASURES:
                if _check_in(record.data["result"], arm, what, sha256) is None:
                    self._ask(gateway, record, (arm, what), clip, getattr(questions, what))

    def _record(self, found: dict[str, Any]) -> Record:
        receipt = receipts.read(self.path)
        if found and receipt is not None:
            return Record(self.path, receipt)
        call = self._calls["questions"]
        record = Record.begin(
            self.path,
            Intent(
                "measurement",
                self._wanted,
                {"prompt": self._prompt},
                {"messages": clip_checklist.measure_messages(self._prompt)},
                self._context.gateway.in_receipt("chat"),
                call.model.id,
                money.total([one.price for one in self._calls.values()]),
                self._context.rerun.kept(),
            ),
        )
        record.data["result"] = {}
        return record

    def _write_questions(self, gateway: Gateway, record: Record) -> Questions:
        """Ask for the questions. Raises OutputError where none come that can be used."""
        call = self._calls["questions"]
        self._console.progress(f"asking {call.model.id} what to measure by")
        conversation = self._conversation(gateway, call, record)
        messages = clip_checklist.measure_messages(self._prompt)
        with self._kept_however_it_ends(record, conversation):
            answer = conversation.ask_twice(messages, _read, clip_checklist.MEASURE_SHAPE)
        if isinstance(answer, Unusable):
            self._keep(record, conversation.cost, {})
            raise (Refused if answer.refused else OutputError)(
                "The model gave no questions to measure by in "
                f"{conversation.counted}: {answer.problem}.",
                "Run it again, or choose another --evaluator-model.",
                charged="yes",
            )
        self._keep(record, conversation.cost, {"questions": answer._asdict()})
        conversation.recorded()
        return answer

    def _conversation(self, gateway: Gateway, call: Call, record: Record) -> Conversation:
        before = money.from_json(record.data["cost"]) if record.data.get("cost") else FREE

        def keep(cost: Cost) -> None:
            record.data["cost"] = before.as_json()
            self._keep(record, cost, {})

        return Conversation(self._context, gateway, call, self._ledger, "evaluator", keep)

    @contextlib.contextmanager
    def _kept_however_it_ends(self, record: Record, asking: Conversation) -> Iterator[None]:
        """Write down what answers have cost that were paid for before an error."""
        before = record.data.get("cost")
        try:
            yield
        except ToolError:
            if asking.cost.amount != 0:
                record.data["cost"] = before
                self._keep(record, asking.cost, {})
                asking.recorded()
            raise
        record.data["cost"] = before  # the caller writes it down together with what was found

    def _ask(
        self,
        gateway: Gateway,
        record: Record,
        place: tuple[str, str],
        clip: Path,
        questions: tuple[str, ...],
    ) -> None:
        """Have one clip looked at; what is found goes into the receipt."""
        arm, what = place
        self._console.progress(f"measuring {clip.name}: {MEASURES[what]}")
        over = what == "frames"
        shown = judge_frames.over(clip) if over else judge_frames.over(clip, count=1)
        asking = self._conversation(gateway, self._calls[what], record)
        pictures = tuple(picture for _, picture in shown)
        times = tuple(when for when, _ in shown) if over else None
        with self._kept_however_it_ends(record, asking):
            found, about = judge.check(asking, pictures, questions, frames_s=times)
        row = {"clip_sha256": receipts.sha256_of(clip), **about, **found.as_json()}
        made = record.data["result"].get("checks") or {}
        made = {**made, arm: {**(made.get(arm) or {}), what: row}}
        self._keep(record, money.from_json(about["cost"]), {"checks": made})
        asking.recorded()

    def _keep(self, record: Record, cost: Cost, found: dict[str, Any]) -> None:
        before = record.data.get("cost")
        costs = [*([money.from_json(before)] if before else []), cost]
        record.data["sent_at"] = None
        record.succeeded(
            record.data.get("sha256") or "",
            cost=money.total(costs).as_json(),
            result={**record.data["result"], **found},
        )

    def _result(self, clips: dict[str, Path]) -> dict[str, Any]:
        """The measurement as results have it."""
        found, receipt = self._standing(), receipts.read(self.path) or {}
        questions = _questions_in(found) or Questions((), ())
        result: dict[str, Any] = {
            "evaluator": receipt.get("model"),
            "cost": receipt.get("cost"),
            "questions": {what: list(getattr(questions, what)) for what in MEASURES},
        }
        for what in MEASURES:
            result[what] = {}
            for arm, clip in clips.items():
                check = _check_in(found, arm, what, receipts.sha256_of(clip)) or Check()
                result[what][arm] = {
                    "state": check.state,
                    "passed": check.passed,
                    "asked": len(check.answers),
                    "failed": [one.question for one in check.failed],
                    "problem": check.problem or None,
                }
        return result


def _read(text: str, finish_reason: str | None) -> Questions | Unusable:
    """Both lists of questions in a model's reply."""
    both = []
    for name in MEASURES:
        found = checklist.read_questions(text, finish_reason, name)
        if isinstance(found, Unusable):
            return found
        both.append(found)
    return Questions(*both)


def _questions_in(found: dict[str, Any]) -> Questions | None:
    both = found.get("questions")
    lists = [both.get(what) for what in MEASURES] if isinstance(both, dict) else []
    if len(lists) == len(MEASURES) and all(isinstance(one, list) and one for one in lists):
        return Questions(*(tuple(map(str, one)) for one in lists if one))
    return None


def _check_in(found: dict[str, Any], arm: str, what: str, clip_sha256: str) -> Check | None:
    """The check of this very clip; None where there is none."""
    made = found.get("checks")
    row = (made.get(arm) or {}).get(what) if isinstance(made, dict) else None
    if not isinstance(row, dict) or row.get("clip_sha256") != clip_sha256 or not clip_sha256:
        return None
    return checklist.from_json(row)
