"""Stage 2 with candidates: drawn side by side, checked, the best one mended, and one taken.

Every candidate is paid for, kept and checked by itself, so a killed run goes on with those that
are missing. At most four are made at once.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import files, interrupts, receipts, rerun
from ...errors import (
    Interrupted,
    OutputError,
    Refused,
    Rejected,
    ToolError,
    Unknown,
    Unverified,
    UsageError,
)
from ...gateway import open_gateway
from ...gateway.client import Gateway
from ...media import contact_sheet, images
from ...models import limits
from ...money import Cost, total
from ...prompts import anchor_image, checklist
from ...receipts import spending
from ...receipts.cap import check_cap
from .. import composition, judge, preflight
from ..reference_images import sent_pictures
from .folder import Candidate, Folder

if TYPE_CHECKING:
    from ...console import Console
    from ...gateway.settings import Settings
    from ...gateway.types import Picture
    from ...receipts.cap import Cap
    from ..plan import Call

AT_ONCE = 4
# How one candidate may end without ending the others: what it has come to is in its receipt.
_OF_ITSELF = (Refused, Unknown, OutputError)


class Terms(NamedTuple):
    """Under what the calls are made, as it was typed."""

    ratio: str
    limit: Cap | None
    allow_unknown_cost: bool
    overwrite: bool
    resubmit: bool
    inputs: dict[str, Any]  # what the person gave, for the receipts
    pictures: tuple[Picture, ...] = ()  # that each candidate is drawn from


class Selection:
    """Makes what is missing in a folder of candidates, and takes one.

    `plan(models)` gives the calls by stage, checked; `models` are those that the gateway named
    where the plan had to leave them open, by stage.
    """

    def __init__(
        self,
        console: Console,
        settings: Settings,
        folder: Folder,
        plan: Callable[[dict[str, str]], dict[str, Call]],
        terms: Terms,
    ) -> None:
        self._console = console
        self._settings = settings
        self._folder = folder
        self._plan = plan
        self._terms = terms
        self._calls: dict[str, Call] = {}
        self._errors: dict[str, BaseException] = {}

    def run(self) -> dict[str, Any]:
        """The result of Stage 2; the caller holds the output's lock.

        Raises Unverified where no candidate is good enough, or nothing is known of any.
        """
        try:
            return self._run()
        except KeyboardInterrupt:
            # What was paid for until then is in the receipts: it is told too.
            stopped = Interrupted("Interrupted.", "Run the same command again to go on.")
            stopped.result = self._told()
            raise stopped from None
        except ToolError as error:
            error.result = {**self._told(), **error.result}
            raise

    def _told(self) -> dict[str, Any]:
        """What can be said of a run that does not end well."""
        standing = self._folder.standing(self._questions_there())
        return {
            "cost": self._folder.cost(standing).as_json(),
            "candidates": [one.as_json(None) for one in standing],
        }

    def _run(self) -> dict[str, Any]:
        folder = self._folder
        folder.check_choice()
        folder.adopt()
        if (taken := folder.taken()) and checklist.reaches(taken, folder.wish.min_score):
            return self._returned()
        self._check_room()
        self._sweep()
        paid = folder.wish.select is None and any(self._left().values())
        if paid or (folder.wish.select is None and folder.came()):
            self._pay()
        questions = folder.questions() if folder.wish.verifies else self._questions_there()
        if questions and folder.wish.verifies and not folder.questions_file.exists():
            files.write_file(folder.questions_file, _as_file(questions))  # it is there to be edited
        standing = folder.standing(questions)
        if folder.wish.select is None and not folder.contenders(standing):
            self._say_how_they_ended(standing)
        for one in standing:
            self._say_lost(one)
            if one.changed:
                self._console.warn(
                    f"{one.path} was changed since it was drawn: it is used as it is."
                )
            if one.check and one.check.problem and folder.wish.verifies:
                self._console.warn(
                    f"Candidate {one.name} could not be checked: {one.check.problem}."
                )
        return {**self._choose(standing), "reused": not paid}

    def _returned(self) -> dict[str, Any]:
        """The result where one was taken before for just these inputs."""
        folder = self._folder
        receipt = receipts.read(folder.output) or {}
        standing = folder.standing(self._questions_there())
        chosen = next((one for one in standing if one.name == receipt.get("candidate")), None)
        self._console.progress("already made for the same inputs")
        self._say_what_fails(chosen)
        sheet = (
            str(folder.sheet)
            if folder.sheet.is_file()
            else self._draw_sheet(standing, chosen.name if chosen else None)
        )
        return {**self._result(standing, chosen, sheet), **self._taken(receipt), "reused": True}

    def _left(self) -> dict[str, int]:
        return self._folder.left(resubmit=self._terms.resubmit)

    def _questions_there(self) -> tuple[str, ...] | None:
        """Those of an earlier check, for what can still be said of the candidates by them."""
        try:
            return self._folder.questions()
        except UsageError:
            return None

    def _check_room(self) -> None:
        """Before anything is paid for: is there room for what would be made? UsageError if not."""
        folder, terms = self._folder, self._terms
        allowed = {"overwrite": terms.overwrite, "demo": folder.demo}
        if not folder.is_ours():
            receipts.check_room(folder.output, folder.wish.digest(folder.first), **allowed)
        if not terms.overwrite:
            folder.check_place()
        if folder.wish.select is None:
            for name in folder.names:
                receipts.check_room(folder.place(name), folder.wanted(name), **allowed)
            files.check_writable(folder.place("1"))

    def _sweep(self) -> None:
        """Remove what a killed run has left half written among the candidates."""
        if not self._folder.path.is_dir():
            return
        outputs = self._folder.places
        for output in outputs:
            receipt = receipts.read(output) or {}
            name = receipts.kept_name(output, receipt)
            # What is in its place need not be kept, and half of what was to be kept is nothing.
            if receipt.get("state") == "succeeded" or files.kept(name) is None:
                files.drop(name)
        for output in (*outputs, self._folder.questions_file, self._folder.sheet):
            files.sweep(output)

    # -- paying ----------------------------------------------------------------------------------

    def _pay(self) -> None:
        console, folder = self._console, self._folder
        with open_gateway(self._settings, console.progress) as gateway:
            left = self._left()
            self._calls = self._plan({})
            if named := self._named(gateway, left):
                self._calls = self._plan(named)
            prices = self._prices(left)
            self._check_cap(prices)
            preflight.check(console, gateway, total(prices))
            questions = self._questions(gateway) if folder.wish.verifies else None
            with interrupts.held_back(console.note, gateway.settings.time_scale):
                self._side_by_side(gateway, questions)
            self._raise_what_ends_it()
            if folder.wish.repair and questions:
                with interrupts.held_back(console.note, gateway.settings.time_scale):
                    self._repair(gateway, questions)

    def _named(self, gateway: Gateway, left: dict[str, int]) -> dict[str, str]:
        """The models that had to be left open, as the gateway names them."""
        named = {}
        for stage, kind in (("composition", "image"), ("verification", "judge")):
            call = self._calls.get(stage)
            if call and left[stage] and (only := preflight.model(gateway, call.model.id, kind)):
                named[stage] = only
        return named

    def _prices(self, left: dict[str, int]) -> list[Cost]:
        calls = [self._calls[stage] for stage, number in left.items() if number]
        return [call._replace(times=left[call.stage]).price for call in calls]

    def _check_cap(self, prices: list[Cost]) -> None:
        limit = self._terms.limit
        if limit:
            spent = spending.spent_for([self._folder.output])
            allow = self._terms.allow_unknown_cost
            check_cap(limit, spent, prices, allow_unknown=allow)

    def _questions(self, gateway: Gateway) -> tuple[str, ...]:
        """The questions: the person's own, else those that were written before, else new ones."""
        console, folder = self._console, self._folder
        path, prompt = folder.questions_file, folder.wish.prompt
        known = folder.questions()
        if known and folder.questions_are_own:
            console.warn(f"{path} is your own version: the candidates are checked by it.")
        if known is not None:
            return known
        call = self._calls["questions"]
        written, conversation = judge.write_questions(console, gateway, call, prompt)
        record = receipts.Record.begin(
            path,
            "questions",
            folder.questions_digest,
            inputs={"prompt": prompt},
            sent={"messages": checklist.question_messages(prompt)},
            gateway=folder.gateway,
            model=call.model.id,
            expected=call.cost,
        )
        record.succeeded(
            receipts.sha256_of_bytes(_as_file(written)),
            result={"questions": list(written)},
            cost=conversation.cost.as_json(),
            request_ids=conversation.request_ids,
            reply=[reply.raw for reply in conversation.replies],
        )
        files.write_file(path, _as_file(written))
        return written

    def _side_by_side(self, gateway: Gateway, questions: tuple[str, ...] | None) -> None:
        """Draw and check the candidates, at most four at once; how each ended is kept.

        The workers are daemons: a second signal ends the process without waiting for them, and
        their receipts say what was out. After a first one no further call is begun.
        """
        edits = self._folder.unchecked_edits(self._folder.standing(questions)) if questions else []
        names = iter([*self._folder.names, *edits])
        taking = threading.Lock()
        ended = threading.Event()  # by what would end every other one too

        def work() -> None:
            with contextlib.closing(Gateway(gateway.settings, self._console.progress)) as own:
                while not interrupts.pending() and not ended.is_set():
                    with taking:
                        name = next(names, None)
                    if name is None:
                        return
                    try:
                        if name.endswith("r"):
                            self._check(own, name, questions or ())
                        else:
                            self._one(own, name, questions)
                    except BaseException as error:  # noqa: BLE001 - raised by the main thread
                        self._errors[name] = error
                        if not isinstance(error, _OF_ITSELF):
                            ended.set()

        left = self._left()["composition"]
        if left > 1:
            self._console.progress(f"drawing {left} candidates, at most {AT_ONCE} at once")
        number = min(AT_ONCE, len(self._folder.names) + len(edits))
        workers = [threading.Thread(target=work, daemon=True) for _ in range(number)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()

    def _raise_what_ends_it(self) -> None:
        """The error that would have ended every call; else, where none is there, how they ended."""
        errors = [self._errors[name] for name in sorted(self._errors, key=_number)]
        for error in errors:
            if not isinstance(error, _OF_ITSELF):
                raise error
        standing = self._folder.standing(None)
        if errors and not any(one.is_there for one in standing):
            self._say_how_they_ended(standing)
            raise errors[0]

    def _one(self, gateway: Gateway, name: str, questions: tuple[str, ...] | None) -> None:
        """Draw one candidate unless it is there, and check it unless that was done."""
        terms = self._terms
        self._draw(
            gateway,
            self._calls["composition"],
            name,
            self._folder.wanted(name),
            {**terms.inputs, "candidate": name},
            terms.pictures,
            overwrite=terms.overwrite,
        )
        if questions and not interrupts.pending():
            self._check(gateway, name, questions)

    def _draw(
        self,
        gateway: Gateway,
        call: Call,
        name: str,
        wanted: str,
        inputs: dict[str, Any],
        pictures: tuple[Picture, ...],
        *,
        overwrite: bool,
    ) -> None:
        """Have a picture drawn, from `pictures` if there are any, and put in place, unless it is
        there."""
        folder, ratio, console = self._folder, self._terms.ratio, self._console
        path = folder.place(name)
        decision, receipt = self._consult(path, wanted, overwrite=overwrite)
        if decision.startswith("return"):
            return
        if decision == "resume":
            record, came = composition.resumed(path, receipt)
        else:
            mends = call.stage == "repair"
            if mends:  # what came before it may have cost more than it was thought to
                self._check_cap(self._prices(self._left()))
            doing = "mending" if mends else "drawing"
            console.progress(f"{doing} candidate {name.removesuffix('r')} with {call.model.id}")
            record = receipts.Record.begin(
                path,
                call.stage,
                wanted,
                inputs=inputs,
                sent={"prompt": call.text, **call.settings, **sent_pictures(pictures)},
                gateway=folder.gateway,
                model=call.model.id,
                expected=call.cost,
            )
            came = composition.draw(
                console,
                gateway,
                call,
                record,
                ratio,
                pictures=pictures,
                candidate=None if name == "1" else name,
            )
        composition.deliver(console, gateway, record, came, ratio)

    def _consult(self, path: Path, wanted: str, *, overwrite: bool) -> tuple[str, dict[str, Any]]:
        return receipts.consult(
            path, wanted, overwrite=overwrite, resubmit=self._terms.resubmit, demo=self._folder.demo
        )

    def _check(self, gateway: Gateway, name: str, questions: tuple[str, ...]) -> None:
        """Have one candidate checked, unless it was by these questions; into its receipt."""
        one = self._folder.candidate(name, questions)
        if one is None or not one.is_there or one.check is not None:
            return
        self._console.progress(f"checking candidate {name}")
        picture = images.to_show(images.read_image(one.path, f"Candidate {name}"))
        found, about = judge.check(
            self._console, gateway, self._calls["verification"], (picture,), questions
        )
        key = self._folder.check_key(one.sha256, questions)
        rows = spending.checks_in(one.receipt)
        record = receipts.Record(one.path, one.receipt)
        record.update(checks=[*rows, {**key, **about, **found.as_json()}])

    # -- mending ---------------------------------------------------------------------------------

    def _repair(self, gateway: Gateway, questions: tuple[str, ...]) -> None:
        """Have the best candidate edited, once, and the edit checked by all questions.

        An edit that is refused, or that the model does not make, costs the run nothing else: the
        unedited one stays.
        """
        folder = self._folder
        source = folder.to_repair(folder.standing(questions))
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
        try:
            limits.check_prompt(call.model, len(text), call.gateway, "the edit")
            wanted = folder.repair_digest(source)
            self._draw(gateway, call, name, wanted, inputs, (picture,), overwrite=True)
            if not interrupts.pending():
                self._check(gateway, name, questions)
        except (*_OF_ITSELF, Rejected, UsageError) as error:
            self._console.warn(f"Candidate {source.name} could not be mended: {error.message}")

    # -- choosing --------------------------------------------------------------------------------

    def _choose(self, standing: list[Candidate]) -> dict[str, Any]:
        folder, wish = self._folder, self._folder.wish
        chosen = folder.choice(standing)
        if wish.select is None and wish.verifies:
            check = chosen.check if chosen else None
            if check is None or not checklist.reaches(check, wish.min_score):
                raise self._unverified(chosen, standing)
        sheet = self._draw_sheet(standing, chosen.name if chosen else None)
        result = self._result(standing, chosen, sheet)
        if chosen is None:
            if not self._console.quiet:
                self._console.note("Look at it, then run the same command with --select K.")
            where = sheet or str(folder.path)
            return {**result, "text": where, "output": where, "next": rerun.with_choice()}
        receipt = folder.take(chosen, standing)
        self._say_what_fails(chosen)
        return {**result, **self._taken(receipt)}

    def _say_what_fails(self, chosen: Candidate | None) -> None:
        """Warn of one that was taken for want of a better one."""
        wish = self._folder.wish
        if wish.verifies and wish.select is None and chosen and chosen.check:
            failed = "; ".join(one.question for one in chosen.check.failed)
            if failed:
                self._console.warn(f"Candidate {chosen.name}, the best, does not pass: {failed}")

    def _taken(self, receipt: dict[str, Any]) -> dict[str, Any]:
        """What a result says of the anchor in its place."""
        output = self._folder.output
        return {
            "text": str(output),
            "output": str(output),
            "model": receipt["model"],
            "receipt": str(receipts.receipt_path(output)),
            "image": receipt["measured"],
        }

    def _result(
        self, standing: list[Candidate], chosen: Candidate | None, sheet: str | None
    ) -> dict[str, Any]:
        return {
            "status": "succeeded",
            "gateway": self._settings.name,
            "model": standing[0].receipt["model"] if standing else None,
            "cost": self._folder.cost(standing).as_json(),
            "candidate": chosen.name if chosen else None,
            "candidates": [one.as_json(chosen.name if chosen else None) for one in standing],
            "contact_sheet": sheet,
        }

    def _unverified(self, best: Candidate | None, standing: list[Candidate]) -> Unverified:
        sheet = self._draw_sheet(standing, None)
        if best is None or best.check is None:
            problems = [one.check.problem for one in standing if one.check and one.check.problem]
            what = f"No candidate could be checked: {(problems or ['no answer came'])[0]}."
        else:
            what = (
                f"The best candidate, {best.name}, passes {best.check.passed} of "
                f"{len(best.check.answers)} questions ({best.check.score:.2f}): under --min-score "
                f"{self._folder.wish.min_score:g}."
            )
        else_do = (
            "draw more with a higher --candidates, or change the words."
            if best
            else "or have another --judge-model look at them."
        )
        where = sheet or self._folder.path
        error = Unverified(what, f"Look at {where}. Take one with --select K, {else_do}")
        error.result = {
            **self._result(standing, None, sheet),
            "output": sheet,
            "next": rerun.with_choice(),
            "status": error.kind,
        }
        return error

    def _say_how_they_ended(self, standing: list[Candidate]) -> None:
        """Raise how they ended, where none is there: the answer stands."""
        lost = [one.name for one in standing if one.receipt["state"] in ("intent", "unknown")]
        if len(lost) > 1 and not self._terms.resubmit:
            raise Unknown(
                f"Paid calls for the candidates {limits.listed(lost)} were sent, and what became "
                "of them is not known.",
                "They may have been made and charged: look at the gateway's own list of what was "
                "made. The same command again sends nothing. To send them once more, and pay for "
                f"{len(lost)} pictures once more, add --resubmit.",
                charged="unknown",
            )
        for name in self._folder.names:
            self._consult(self._folder.place(name), self._folder.wanted(name), overwrite=False)

    def _say_lost(self, one: Candidate) -> None:
        """Say why a candidate is missing: once it is paid for, silence would hide it."""
        if one.is_there:
            return
        if one.damage:
            self._console.warn(
                f"Candidate {one.name} is left out: {one.damage} Delete {one.path}, or put the "
                "picture back."
            )
            return
        told = one.receipt.get("error")
        why = told.get("message") if isinstance(told, dict) else None
        lost = "what became of the paid call for it is not known."
        gone = lost if one.receipt["state"] in ("intent", "unknown") else "its file is gone."
        self._console.warn(f"Candidate {one.name} is missing: {why or gone}")

    def _draw_sheet(self, standing: list[Candidate], chosen: str | None) -> str | None:
        """Write the contact sheet; its path. One that cannot be written is a warning: it shows
        only what is there."""
        tiles = [
            contact_sheet.Tile(
                one.name,
                images.to_show(images.read_image(one.path, f"Candidate {one.name}")),
                one.check.state if one.check else "unchecked",
                _title(one),
                _lines(one),
                one.name == chosen,
            )
            for one in standing
            if one.is_there
        ]
        if not tiles:
            return None
        try:
            files.write_file(self._folder.sheet, contact_sheet.contact_sheet(tiles))
        except OutputError as error:
            self._console.warn(f"There is no contact sheet: {error.message}")
            return None
        return str(self._folder.sheet)


def _number(name: str) -> int:
    return int(name.removesuffix("r"))


def _title(one: Candidate) -> str:
    edit = f"candidate {one.name[:-1]}, edited; " if one.name.endswith("r") else ""
    check = one.check
    if check is None:
        return f"{edit}not checked"
    if check.state == "unknown":
        return f"{edit}check unknown"
    return f"{edit}{check.passed} of {len(check.answers)} pass"


def _lines(one: Candidate) -> tuple[tuple[str, str], ...]:
    check = one.check
    if check is None:
        return ()
    if check.problem:
        return (("", check.problem),)
    return tuple((f"{row.answer}:", row.question) for row in check.failed)


def _as_file(questions: tuple[str, ...]) -> bytes:
    return ("\n".join(questions) + "\n").encode()
