"""Stage 2 with candidates: generated side by side, checked, the best one edited, and one chosen.

Every candidate is paid for, kept and checked by itself, so a killed run resumes with those that are
missing. At most `AT_ONCE` are made at the same time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ... import files, interrupts, money, receipts, turns
from ...errors import (
    Interrupted,
    JobFailed,
    OutputError,
    Refused,
    Rejected,
    ToolError,
    Unknown,
    UsageError,
)
from ...gateway import open_gateway
from ...gateway.types import Picture
from ...media import images
from ...models import limits
from ...money import Cost
from ...prompts import anchor_image, checklist
from ...prompts.checklist import Check
from ...receipts import Allowed, Decision, Intent, Record, spending
from .. import composition, judge, plan, preflight
from ..calls import Call, models_of
from ..context import Context
from ..conversation import Conversation
from ..ledger import Ledger
from ..paid_call import PaidCall, consult_locked, settle
from ..request import AnchorRequest
from ..text_record import TextRecord
from . import choice, filing
from .folder import Candidate, Folder
from .report import Report

if TYPE_CHECKING:
    from ...gateway.client import Gateway

AT_ONCE = 4
# How one candidate may end without ending the others: what became of it is in its receipt.
_OF_ITSELF = (JobFailed, Refused, Unknown, OutputError)


class CandidateCall(PaidCall):
    """One candidate, or the edit of one, in its place; the lock held is that of the output.

    `intent` is what its receipt says before the call. The caller has checked key and cap.
    """

    def __init__(
        self,
        context: Context,
        folder: Folder,
        name: str,
        call: Call,
        pictures: tuple[Picture, ...],
        intent: Intent,
        ledger: Ledger,
    ) -> None:
        self.place = folder.place(name)
        super().__init__(context, self.place, intent.digest, intent.asked or {})
        self.ledger = ledger
        self.name = name
        self.call = call
        self.pictures = pictures
        self._intent = intent
        self.came: bytes | None = None

    def checked(self, gateway: Gateway) -> Call:
        """Planned for all of them together."""
        return self.call

    def pay(self, gateway: Gateway) -> Record:
        """As ever; between asking for room and the intent no other candidate asks."""
        with self.ledger.room_for(self.call.cost):
            record = Record.begin(self.place, self._intent)
            record.intend()
        self.send(gateway, self.call, record)
        return record

    def intent(self, gateway: Gateway, call: Call) -> Intent:
        """As of a plain anchor, with the name of the candidate."""
        return self._intent

    def send(self, gateway: Gateway, call: Call, record: Record) -> None:
        """Generate it; the caller holds signals back."""
        edit = call.stage == "repair"
        doing = "editing" if edit else "generating"
        name = self.name.removesuffix("r")
        self.context.console.progress(f"{doing} candidate {name} with {call.model.id}")
        number = None if name == "1" and not edit else self.name
        self.came = composition.generate(self.context, gateway, call, record, self.pictures, number)

    def deliver(self, gateway: Gateway, record: Record) -> None:
        """As of a plain anchor."""
        kept = self.came or record.kept.read() or b""
        composition.deliver(self.context, gateway, record, kept)


class Making:
    """Makes what is missing in a folder of candidates, and chooses one."""

    def __init__(
        self,
        context: Context,
        folder: Folder,
        request: AnchorRequest,
        pictures: tuple[Picture, ...],
    ) -> None:
        self._context = context
        self._console = context.console
        self._folder = folder
        self._request = request
        self._asked = context.asked(request)
        self._pictures = pictures
        self._ledger = Ledger(context, [folder.output])
        self._report = Report(context, folder)
        self._calls: dict[str, Call] = {}
        self._errors: dict[str, BaseException] = {}

    @property
    def _compared_with(self) -> tuple[Picture, ...]:
        """The reference pictures, where the prompt says whom each of them shows."""
        named = checklist.names_references(self._folder.wish.prompt)
        return self._pictures if named and not self._request.edit else ()

    @property
    def _allowed(self) -> Allowed:
        return self._context.allowed

    def run(self) -> dict[str, Any]:
        """The result of Stage 2; the caller holds the output's lock.

        Raises Unverified where no candidate is good enough, or nothing is known of any.
        """
        try:
            return self._run()
        except KeyboardInterrupt:
            # What was paid for until then is in the receipts, and reported too.
            stopped = Interrupted("Interrupted.", "Run the same command again to resume.")
            stopped.result = self._report.so_far()
            raise stopped from None
        except ToolError as error:
            error.result = {**self._report.so_far(), **error.result}
            if "spent" in error.result:  # over the limit, while others were still being made
                error.result["spent"] = self._ledger.spent.as_json()
            raise

    def _run(self) -> dict[str, Any]:
        folder, wish = self._folder, self._folder.wish
        filing.check_selected(folder)
        filing.adopt(folder, overwrite=self._allowed.overwrite)
        before = choice.chosen_before(folder)
        if before and checklist.reaches(before, wish.min_score):
            return self._report.returned()
        filing.check_room(folder, self._allowed, self._asked)
        if wish.select is None:
            files.check_writable(folder.place("1"))
        filing.sweep(folder)
        paid = wish.select is None and any(self._left().values())
        if paid or (wish.select is None and filing.came(folder)):
            self._pay()
        questions = folder.questions() if wish.verifies else folder.known_questions()
        if questions and wish.verifies and not folder.questions_file.exists():
            files.write_file(folder.questions_file, _as_file(questions))  # it is there to be edited
        standing = folder.standing(questions)
        if wish.select is None and not choice.contenders(folder, standing):
            self._raise_how_they_ended(standing)
        self._report.warn_of(standing)
        return {**self._choose(standing), "reused": not paid}

    def _left(self) -> dict[str, int]:
        return choice.left(self._folder, self._allowed)

    # -- paying ----------------------------------------------------------------------------------

    def _pay(self) -> None:
        context, folder = self._context, self._folder
        with open_gateway(context.gateway, self._console.progress) as gateway:
            left = self._left()
            self._calls = self._checked(gateway, left)
            prices = self._prices(left)
            self._ledger.check(*prices)
            called = models_of(self._calls.values())
            preflight.check(context, gateway, money.total(prices), called)
            questions = self._questions(gateway) if folder.wish.verifies else None
            with interrupts.held_back(self._console.note, gateway.settings.time_scale):
                self._side_by_side(gateway, questions)
            self._raise_what_ends_it()
            if folder.wish.repair and questions:
                with interrupts.held_back(self._console.note, gateway.settings.time_scale):
                    self._repair(gateway, questions)

    def _checked(self, gateway: Gateway, left: dict[str, int]) -> dict[str, Call]:
        """The calls by stage, checked, with the only model there is where none was named."""
        request, rules = self._request, self._context.rules()
        calls = {call.stage: call for call in plan.anchor(request, rules)}
        named = {}
        for stage, kind in (("composition", "image"), ("verification", "judge")):
            if any(left.get(one) for one in _ASKED_WITH[stage]) and stage in calls:
                planned = calls[stage].model.id
                named[stage] = preflight.model(self._context, gateway, planned, kind)
        if not any(named.values()):
            return calls
        judge_model = request.wish.judge_model or named.get("verification")
        request = request._replace(
            model=request.model or named.get("composition"),
            wish=request.wish._replace(judge_model=judge_model),
        )
        return {call.stage: call for call in plan.anchor(request, rules)}

    def _prices(self, left: dict[str, int]) -> list[Cost]:
        return [
            money.times(self._calls[stage].cost, count)
            for stage, count in left.items()
            if count and stage in self._calls
        ]

    def _questions(self, gateway: Gateway) -> tuple[str, ...]:
        """Those that are there, else written now: the receipt first, it holds them."""
        folder, path, call = self._folder, self._folder.questions_file, self._calls["questions"]
        known = folder.questions()
        if known and folder.questions_are_own:
            self._console.warn(f"{path} is your own version: the candidates are checked by it.")
        if known is not None:
            return known
        intent = Intent(
            "questions",
            folder.questions_digest,
            {"prompt": call.text},
            {"messages": checklist.question_messages(call.text)},
            self._context.gateway.in_receipt("chat"),
            call.model.id,
            call.cost,
            self._context.rerun.kept(),
        )
        record = TextRecord(path, lambda: intent)
        conversation = self._conversation(gateway, call, record.keep)
        try:
            written = judge.write_questions(conversation)
        except ToolError as error:
            record.failed(error)
            raise
        record.succeeded(
            _as_file(written),
            result={"questions": list(written)},
            cost=conversation.cost.as_json(),
            request_ids=conversation.request_ids,
            reply=[reply.raw for reply in conversation.replies],
        )
        conversation.recorded()
        files.write_file(path, _as_file(written))
        return written

    def _conversation(
        self, gateway: Gateway, call: Call, keep: Callable[[Cost], None]
    ) -> Conversation:
        return Conversation(self._context, gateway, call, self._ledger, "judge", keep)

    def _side_by_side(self, gateway: Gateway, questions: tuple[str, ...] | None) -> None:
        """Generate and check the candidates, `AT_ONCE` at a time; how each ended is kept.

        The workers are daemons: a second signal ends the process without waiting for them, and
        their receipts say what was out. After a first one no further call is begun.
        """
        standing = self._folder.standing(questions) if questions else []
        edits = choice.unchecked_edits(standing)
        names = iter([*self._folder.names, *edits])
        turn = threading.Lock()
        ended = threading.Event()  # by what would end every other one too

        def work() -> None:
            with turns.seat():
                make_all()

        def make_all() -> None:
            while not interrupts.pending() and not ended.is_set():
                with turn:
                    name = next(names, None)
                if name is None:
                    return
                try:
                    self._make(gateway, name, questions)
                except BaseException as error:  # noqa: BLE001 - raised by the main thread
                    self._errors[name] = error
                    if not isinstance(error, _OF_ITSELF):
                        ended.set()

        left = self._left()["composition"]
        if left > 1:
            self._console.progress(f"generating {left} candidates, at most {AT_ONCE} at once")
        number = min(AT_ONCE, len(self._folder.names) + len(edits))
        workers = [threading.Thread(target=work, daemon=True) for _ in range(number)]
        for worker in workers:
            worker.start()
        with turns.away():
            for worker in workers:
                worker.join()

    def _make(self, gateway: Gateway, name: str, questions: tuple[str, ...] | None) -> None:
        """Generate one candidate unless it is there, and check it unless that was done."""
        if not name.endswith("r"):
            inputs = {**self._request.inputs, "candidate": name}
            call, pictures = self._calls["composition"], self._pictures
            paid = self._paid(name, self._folder.wanted(name), call, inputs, pictures)
            self._generate(gateway, paid)
        if questions and not interrupts.pending():
            self._check(gateway, name, questions)

    def _paid(
        self,
        name: str,
        wanted: str,
        call: Call,
        inputs: dict[str, Any],
        pictures: tuple[Picture, ...],
        context: Context | None = None,
    ) -> CandidateCall:
        """The paid call of a candidate or an edit; `context` where it has other terms."""
        context = context or self._context
        intent = composition.image_intent(context, call, wanted, inputs, self._asked, pictures)
        return CandidateCall(context, self._folder, name, call, pictures, intent, self._ledger)

    def _generate(self, gateway: Gateway, paid: CandidateCall) -> None:
        """Unless it is there."""
        decision, receipt = consult_locked(paid)
        if decision.returns:
            return
        if decision is Decision.MAKE and paid.call.stage == "repair":
            # With the check that follows it; what got lost before it is not made once more.
            self._ledger.check(paid.call.cost, self._calls["verification"].cost)
        settle(paid, gateway, decision, receipt)

    def _check(self, gateway: Gateway, name: str, questions: tuple[str, ...]) -> None:
        """Have one candidate checked, unless it was by these questions; into its receipt."""
        one = self._folder.candidate(name, questions)
        if one is None or not one.is_there or one.check is not None:
            return
        self._console.progress(f"checking candidate {name}")
        picture = images.to_show(images.read_image(one.path, f"Candidate {name}"))
        record, rows = Record(one.path, one.receipt), spending.checks_in(one.receipt)

        def keep(cost: Cost) -> None:
            """An answer was paid for, and says nothing of the picture."""
            useless = Check(problem="no answer could be used").as_json()
            about = {"model": conversation.call.model.id, "cost": cost.as_json()}
            record.update(checks=[*rows, {**about, "request_ids": [], **useless}])

        conversation = self._conversation(gateway, self._calls["verification"], keep)
        try:
            found, about = judge.check(
                conversation, (picture,), questions, references=self._compared_with
            )
        except ToolError as error:
            if error.result.get("cost"):
                keep(conversation.cost)
            raise
        finally:
            conversation.recorded()
        key = self._folder.check_key(one.sha256, questions)
        record.update(checks=[*rows, {**key, **about, **found.as_json()}])

    def _repair(self, gateway: Gateway, questions: tuple[str, ...]) -> None:
        """Have the best candidate edited, once, and the edit checked by all questions.

        An edit that is refused, or that the model does not make, costs the run nothing else: the
        unedited one stays.
        """
        folder = self._folder
        source = choice.to_repair(folder, folder.standing(questions))
        if source is None or source.check is None:
            return
        wrong, name = source.check.wrong, f"{source.name}r"
        text = anchor_image.edit_prompt([(one.question, one.seen) for one in wrong])
        call = self._calls["repair"]._replace(text=text)
        picture = images.to_show(images.read_image(source.path, f"Candidate {source.name}"))
        inputs = {
            "source": {"candidate": source.name, "sha256": source.sha256},
            "failed": [one.question for one in wrong],
        }
        wanted = choice.repair_digest(source)
        # An older edit of other faults gives way; it is kept aside.
        terms = self._context.terms._replace(overwrite=True)
        context = self._context._replace(terms=terms)
        try:
            limits.check_prompt(call.model, len(text), call.gateway, "the edit")
            edit = self._paid(name, wanted, call, inputs, (picture,), context)
            self._generate(gateway, edit)
            if not interrupts.pending():
                self._check(gateway, name, questions)
        except (*_OF_ITSELF, Rejected, UsageError) as error:
            self._console.warn(f"Candidate {source.name} could not be edited: {error.message}")

    # -- choosing --------------------------------------------------------------------------------

    def _choose(self, standing: list[Candidate]) -> dict[str, Any]:
        folder, wish = self._folder, self._folder.wish
        chosen = choice.choose(folder, standing)
        if wish.select is None and wish.verifies:
            check = chosen.check if chosen else None
            if check is None or not checklist.reaches(check, wish.min_score):
                raise self._report.unverified(chosen, standing)
        sheet = self._report.draw_sheet(standing, chosen.name if chosen else None)
        if chosen is None:
            return self._report.awaits_choice(standing, sheet)
        command = self._context.rerun.kept()
        receipt = filing.use(folder, chosen, standing, command, self._asked)
        self._report.warn_of_faults(chosen)
        return self._report.chosen(standing, chosen, sheet, receipt)

    # -- how it ended ----------------------------------------------------------------------------

    def _raise_what_ends_it(self) -> None:
        """Raise an error that ends all other calls too; else, if no picture came, their own."""
        errors = [self._errors[name] for name in sorted(self._errors, key=_number)]
        for error in errors:
            if not isinstance(error, _OF_ITSELF):
                raise error
        standing = self._folder.standing(None)
        if errors and not any(one.is_there for one in standing):
            self._raise_how_they_ended(standing)
            raise errors[0]

    def _raise_how_they_ended(self, standing: list[Candidate]) -> None:
        """Where none is there, raise how they ended: the answer stands."""
        lost = [one.name for one in standing if one.receipt["state"] in ("intent", "unknown")]
        if len(lost) > 1 and not self._allowed.resubmit:
            raise Unknown(
                f"Paid calls for the candidates {limits.listed(lost)} were sent, and what became "
                "of them is not known.",
                "They may have been made and charged: look at the gateway's own list of what was "
                "made. The same command again sends nothing. To send them once more, and pay for "
                f"{len(lost)} pictures once more, add --resubmit.",
                charged="unknown",
            )
        for name in self._folder.names:
            place, wanted = self._folder.place(name), self._folder.wanted(name)
            receipts.consult(place, wanted, self._allowed._replace(overwrite=False))


# The paid calls of each model that may have to be looked up at the gateway.
_ASKED_WITH = {
    "composition": ("composition", "repair"),
    "verification": ("questions", "verification"),
}


def _number(name: str) -> int:
    return int(name.removesuffix("r"))


def _as_file(questions: tuple[str, ...]) -> bytes:
    return ("\n".join(questions) + "\n").encode()
