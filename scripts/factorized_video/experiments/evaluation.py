"""How well two clips of one prompt keep to it: asked of a vision model that is told no arm.

The evaluator writes its own questions from the person's prompt, once, and answers them for each
clip by itself: some of its first frame, some of frames over its whole length. It sees the clips'
own frames, made alike, and nothing tells it how a clip was made. What it says is kept beside the
output in NAME.measurement.json, answer by answer, so nothing is asked, or paid for, twice.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import files, money, receipts
from ..errors import OutputError, Refused
from ..gateway import open_gateway
from ..media import judge_frames
from ..money import Cost
from ..prompts import checklist, clip_checklist
from ..prompts.checklist import Check
from ..prompts.json_reply import Unusable
from ..receipts import digests, spending
from ..receipts.cap import Cap, check_cap
from ..stages import judge, plan, preflight
from ..stages.conversation import Conversation

if TYPE_CHECKING:
    from ..console import Console
    from ..gateway.client import Gateway
    from ..gateway.settings import Settings
    from ..stages.plan import Call

EVALUATOR = "--evaluator-model"
# What is asked of each clip, by the key in results, as people are told it.
MEASURES = {"first_frame": "first frame", "frames": "frames over the clip"}


class Questions(NamedTuple):
    """What both clips are asked."""

    first_frame: tuple[str, ...]
    frames: tuple[str, ...]


class Evaluation:
    """The measurement of one comparison: what is there, what is left, and how it is made."""

    def __init__(
        self, args: argparse.Namespace, prompt: str, output: Path, gateway: Settings
    ) -> None:
        """`output` is the clip in three stages. Raises UsageError for a model that sees nothing."""
        self._console: Console = args.console
        self._prompt = prompt
        self._gateway = gateway
        self._allow_unknown: bool = args.allow_unknown_cost
        self.path = output.with_name(f"{output.stem}.measurement.json")
        self._wanted = digests.measurement(
            prompt, gateway.identity, evaluator_model=args.evaluator_model
        )
        self._call = plan.measurement(
            prompt,
            gateway.name,
            model=args.evaluator_model,
            judge_model=args.judge_model,
            allow_off=args.allow_off,
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What should be known of the evaluator."""
        return self._call.warnings

    def left(self, clips: dict[str, Path]) -> list[Call]:
        """The calls that are still to be made, as one; none where all was answered.

        `clips` are the clips by arm; of one that is not there yet everything is left.
        """
        found = self._standing()
        questions = _questions_in(found)
        if questions is None:
            return [self._call]
        for arm, clip in clips.items():
            sha256 = receipts.sha256_of(clip) if clip.is_file() else ""
            if not all(_check_in(found, arm, what, sha256) for what in MEASURES):
                return [self._call]
        return []

    def make(
        self,
        clips: dict[str, Path],
        args: argparse.Namespace,
        limit: Cap | None,
        outputs: list[Path],
    ) -> dict[str, Any]:
        """What each clip passes, asked where it is not known yet.

        Raises OverBudget where the cap has no room for it, and what the gateway raises.
        """
        files.check_writable(self.path)
        with receipts.locked(self.path):
            left = self.left(clips)
            if left:
                with open_gateway(self._gateway, self._console.progress) as gateway:
                    only = preflight.model(gateway, self._call.model.id, "evaluator")
                    if only:
                        self._call = plan.measurement(
                            self._prompt,
                            self._gateway.name,
                            model=only,
                            judge_model=args.judge_model,
                            allow_off=args.allow_off,
                        )
                    spent = spending.spent_for(outputs)
                    costs = [self._call.price]
                    check_cap(limit, spent, costs, allow_unknown=self._allow_unknown)
                    self._measure(gateway, clips)
            found = self._standing()
            result = self._told(found, clips)
            files.write_file(
                self.path, (json.dumps(result, ensure_ascii=False, indent=1) + "\n").encode()
            )
            return result

    def _standing(self) -> dict[str, Any]:
        """What was answered before, for this prompt and this evaluator."""
        receipt = receipts.rewritten(self.path, self._wanted)
        return dict(receipt["result"]) if receipt else {}

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

    def _record(self, found: dict[str, Any]) -> receipts.Record:
        receipt = receipts.read(self.path)
        if found and receipt is not None:
            return receipts.Record(self.path, receipt)
        record = receipts.Record.begin(
            self.path,
            "measurement",
            self._wanted,
            inputs={"prompt": self._prompt},
            sent={"messages": clip_checklist.measure_messages(self._prompt)},
            gateway=self._gateway.identity,
            model=self._call.model.id,
            expected=self._call.cost,
        )
        record.data["result"] = {}
        return record

    def _write_questions(self, gateway: Gateway, record: receipts.Record) -> Questions:
        """Ask for the questions. Raises OutputError where none come that can be used."""
        self._console.progress(f"asking {self._call.model.id} what to measure by")
        conversation = Conversation(self._console, gateway, self._call, EVALUATOR)
        messages = clip_checklist.measure_messages(self._prompt)
        answer = conversation.ask_twice(messages, _read, clip_checklist.MEASURE_SHAPE)
        if isinstance(answer, Unusable):
            raise (Refused if answer.refused else OutputError)(
                f"The model gave no questions to measure by, asked twice: {answer.problem}.",
                f"Run it again, or choose another {EVALUATOR}.",
                charged="yes",
            )
        self._keep(record, conversation.cost, {"questions": answer._asdict()})
        return answer

    def _ask(
        self,
        gateway: Gateway,
        record: receipts.Record,
        place: tuple[str, str],
        clip: Path,
        questions: tuple[str, ...],
    ) -> None:
        """Have one clip looked at; what is found goes into the receipt."""
        arm, what = place
        self._console.progress(f"measuring {clip.name}: {MEASURES[what]}")
        shown = judge_frames.over(clip) if what == "frames" else judge_frames.over(clip, count=1)
        found, about = judge.check(
            self._console,
            gateway,
            self._call,
            tuple(picture for _, picture in shown),
            questions,
            frames_s=tuple(when for when, _ in shown) if what == "frames" else None,
            flag=EVALUATOR,
        )
        row = {"clip_sha256": receipts.sha256_of(clip), **about, **found.as_json()}
        made = record.data["result"].get("checks") or {}
        made = {**made, arm: {**(made.get(arm) or {}), what: row}}
        cost = Cost(about["cost"]["amount"], about["cost"]["kind"])
        self._keep(record, cost, {"checks": made})

    def _keep(self, record: receipts.Record, cost: Cost, found: dict[str, Any]) -> None:
        before = record.data.get("cost")
        costs = [Cost(before["amount"], before["kind"])] if before else []
        record.data["sent_at"] = None
        record.succeeded(
            record.data.get("sha256") or "",
            cost=money.total([*costs, cost]).as_json(),
            result={**record.data["result"], **found},
        )

    def _told(self, found: dict[str, Any], clips: dict[str, Path]) -> dict[str, Any]:
        """The measurement as results have it."""
        receipt = receipts.read(self.path) or {}
        questions = _questions_in(found) or Questions((), ())
        told: dict[str, Any] = {
            "evaluator": receipt.get("model"),
            "cost": receipt.get("cost"),
            "questions": {what: list(getattr(questions, what)) for what in MEASURES},
        }
        for what in MEASURES:
            told[what] = {}
            for arm, clip in clips.items():
                check = _check_in(found, arm, what, receipts.sha256_of(clip)) or Check()
                told[what][arm] = {
                    "state": check.state,
                    "passed": check.passed,
                    "asked": len(check.answers),
                    "failed": [one.question for one in check.failed],
                    "problem": check.problem or None,
                }
        return told


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
    told = found.get("questions")
    lists = [told.get(what) for what in MEASURES] if isinstance(told, dict) else []
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
