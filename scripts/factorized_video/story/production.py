"""A story made: the pictures of its cast, the first frame of each shot, the clips, one film.

Every picture and every clip has a name made of what it is made from, and receipts of its own. So a
changed word makes anew only what follows from it, and a killed story resumes shot by shot.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .. import errors, files, money, receipts
from ..errors import Interrupted, OutputError, OverBudget, ToolError
from ..gateway import open_gateway
from ..media.film import Part
from ..money import FREE
from ..pipeline import shared_limit
from ..pipeline.command import Answer, Command
from ..pipeline.crew import Crew
from ..pipeline.run_request import terms_words
from ..pipeline.shared_limit import BEING_MADE, ENDS_ALL
from ..receipts import cap
from ..rerun import words_of
from ..stages import preflight
from ..stages.calls import models_of
from . import joined_film, order
from .cast_picture import CastPicture
from .overview import storyboard_of
from .shot_run import AWAITS, DRAWN, ShotRun
from .story_plan import StoryPlan, Task

_KEPT = ("cost", "error")  # of a command's answer
Commands = Iterator[tuple[Task, Command]]
Following = tuple[Task, Command] | None


class Production:
    """A story being made; `plan` is how it stands."""

    def __init__(self, plan: StoryPlan) -> None:
        self.plan = plan
        self._context = plan.context
        self._console = plan.context.console
        self._film_of = self._last_summary().get("film_of")  # the clips that the film was joined of

    def make(self) -> dict[str, Any]:
        """Pictures, then clips, then the film; what is there is not made again.

        Raises the weightiest error of a picture or a clip, once all others are made.
        """
        plan = self.plan
        plan.check_place()
        plan.check_cap()
        files.check_writable(plan.summary_file)
        self._console.warn(*plan.warnings)
        with receipts.locked(plan.summary_file):
            plan.look(writes=True)
            plan.check_cap()
            self._tidy()
            crew = self._crew()
            try:
                self._run(crew, self._cast_commands(), self._drawn)
                plan.look(writes=True)
                self._run(crew, self._frame_commands(), self._framed)
                self._draw_sheet()
                if not plan.is_to_stop:
                    self._run(crew, self._clip_commands(), self._filmed)
                return self._ending()
            except (Interrupted, OutputError) as stopped:
                self._cut_off(stopped)
                raise

    def _tidy(self) -> None:
        """Clear away what a killed story left of what is made; of the rest its command will."""
        for picture in self.plan.cast:
            if picture.request and picture.is_there:
                with contextlib.suppress(ToolError), files.exclusive(picture.path):
                    pass
        for one in self.plan.shots:
            if one.is_made:
                one.run.tidy()

    def _crew(self) -> Crew:
        """Who runs the commands; gateway and key are checked here, once, if any is to pay."""
        context, calls = self._context, self.plan.calls
        if calls:
            with open_gateway(context.gateway, self._console.progress) as gateway:
                preflight.check(context, gateway, self.plan.cost, models_of(calls))
        launcher = self.plan.settings.launcher
        return Crew(launcher, context, checked=bool(calls), waiting=self._waiting)

    def _run(
        self, crew: Crew, commands: Commands, ended: Callable[[Task, Answer], Following]
    ) -> None:
        crew.run(commands, self.plan.settings.at_once, ended)

    # -- commands --------------------------------------------------------------------------------

    def _cast_commands(self) -> Commands:
        """The pictures of the cast that are yet to be drawn."""
        terms = words_of(terms_words(self._context.terms))
        gateway = f"--gateway={self._context.gateway.name}"
        for one in self.plan.cast:
            if one.request and not one.is_there and self._may_start(one):
                argv = one.request.to_argv()
                words = [*argv.words, gateway, *terms, *self._words(one, one.path)]
                yield one, Command("generate_anchor.py", words, argv.stdin)

    def _frame_commands(self) -> Commands:
        """The shots whose first frame is yet to be drawn, and whose cast is there."""
        for one in self.plan.shots:
            if lacking := self.plan.lacking(one):
                error = lacking.error or {"kind": "interrupted"}
                message = f"It waits for the picture of {lacking.person.name}."
                one.status, one.answer = "failed", {"error": {**error, "message": message}}
            elif one.needs_frame and self._may_start(one):
                yield one, self._command(one, until_anchor=True)

    def _clip_commands(self) -> Commands:
        """The first clip of each chain that is not made; what continues it follows from its end."""
        seconds = [one.seconds for one in self.plan.shots]
        for chain in order.longest_first(self.plan.chains, seconds):
            if found := self._next_of(chain):
                yield found

    def _next_of(self, chain: Sequence[int]) -> Following:
        """The first clip of a chain, or of the rest of one, that can be made now."""
        for number in chain:
            one = self.plan.shots[number]
            try:
                self.plan.look_at(number, writes=True)
            except ToolError as error:
                self._fail(one, error)
            if not one.is_made:
                return (one, self._command(one)) if one.is_ready and self._may_start(one) else None
        return None

    def _command(self, one: ShotRun, *, until_anchor: bool = False) -> Command:
        argv = one.argv(until_anchor=until_anchor)
        words = [*argv.words, *self._words(one, one.run.output)]
        return Command("factorized_generate.py", words, argv.stdin, {"earlier": one.earlier})

    def _words(self, one: Task, output: Path) -> list[str]:
        """The options of every command: where to, and what the limit leaves for it."""
        share = shared_limit.share_of(self._context.limit, self.plan.payers, one)
        return words_of({"output": output, "json": True, "quiet": True, "max_cost": share})

    def _may_start(self, one: Task) -> bool:
        """Whether the limit has room for one more, and nothing ended that would end every call."""
        if any(other.error.get("kind") == ENDS_ALL for other in self.plan.tasks):
            return False
        context = self._context
        allow = context.terms.allow_unknown_cost
        try:
            shared_limit.check_room(context.limit, self.plan.payers, one, allow_unknown=allow)
        except OverBudget as error:
            self._fail(one, error)
            return False
        one.status = BEING_MADE
        return True

    # -- what became of it -----------------------------------------------------------------------

    def _drawn(self, one: Task, answer: Answer) -> None:
        """A picture of the cast has ended."""
        assert isinstance(one, CastPicture)
        self._keep(one, answer)
        one.look(self._context)
        self._tell(one, "drawn" if one.is_there else one.status, answer)

    def _framed(self, one: Task, answer: Answer) -> None:
        """A first frame has ended, or candidates for one."""
        assert isinstance(one, ShotRun)
        self._keep(one, answer)
        self.plan.look_at(one.number - 1, writes=True)
        self._tell(one, "first frame" if one.status == DRAWN else one.status, answer)

    def _filmed(self, one: Task, answer: Answer) -> Following:
        """A clip has ended: the shot that continues it comes next."""
        assert isinstance(one, ShotRun)
        self._keep(one, answer)
        self.plan.look_at(one.number - 1, writes=True)
        self._tell(one, "clip" if one.is_made else one.status, answer)
        chain = next(chain for chain in self.plan.chains if one.number - 1 in chain)
        return self._next_of(chain[chain.index(one.number - 1) + 1 :]) if one.is_made else None

    def _keep(self, one: Task, answer: Answer) -> None:
        """What a command answered."""
        one.answer = {name: answer.result[name] for name in _KEPT if answer.result.get(name)}
        one.status = str(answer.result.get("status")) if answer.code else "not begun"
        known = self._console.warnings
        found = [text for text in answer.result.get("warnings") or () if text not in known]
        if one.error:
            found.append(one.error["message"])
        self._console.warn(*(f"{one.name}: {text}" for text in found))

    def _fail(self, one: Task, error: ToolError) -> None:
        """One that ended before its command began."""
        one.status, one.answer = "failed", {"error": error.as_json()}

    def _tell(self, one: Task, what: str, answer: Answer) -> None:
        """One line for what has ended, and the summary."""
        self._write({**self.plan.result(), "status": "running"})
        took = float(answer.result.get("elapsed_s") or 0.0)
        cost = money.from_json(answer.result.get("cost"))
        price = money.usd(cost.amount) if cost.amount and not answer.code else ""
        sign = "✗" if answer.code else "✓"
        self._console.done(
            f"{sign} {one.name[:24]:<24} {what:<12} {took:>5.0f} s  {price}".rstrip()
        )

    def _waiting(self, elapsed_s: float) -> None:
        """How it stands while nothing ends."""
        shots = self.plan.shots
        made = sum(one.is_made for one in shots)
        now = sum(one.status == BEING_MADE for one in self.plan.tasks)
        spent = f", {money.usd(self.plan.spent.usd)} spent" if self.plan.spent.usd else ""
        self._console.progress(
            f"{made} of {len(shots)} shots made, {now} running{spent}; {elapsed_s:.0f} s"
        )

    # -- how it ends -----------------------------------------------------------------------------

    def _cut_off(self, stopped: ToolError) -> None:
        """After a signal or a full disk: say how all of it stands, and how it goes on."""
        for one in self.plan.tasks:
            if one.status == BEING_MADE:
                one.status = "interrupted"
        with contextlib.suppress(ToolError):
            self.plan.look(writes=False)
        result = {**self.plan.result(), "status": "failed", "next": self._context.rerun.same()}
        with contextlib.suppress(OutputError):
            self._write(result)
        result.pop("status")
        stopped.result = result

    def _ending(self) -> dict[str, Any]:
        """The result: the storyboard to look at, or the film. Raises what something ended with."""
        plan = self.plan
        if failed := [one for one in plan.tasks if one.error]:
            raise self._failure(failed)
        waits = any(one.status == AWAITS for one in plan.shots)
        result = self._to_look_at(waits) if waits or plan.is_to_stop else self._joined()
        self._write(result)
        return result

    def _failure(self, failed: Sequence[Task]) -> ToolError:
        """The weightiest error that a picture or a clip ended with."""
        found = {str(one.error.get("kind", "interrupted")): one for one in reversed(failed)}
        kind = shared_limit.weightiest(found) or "interrupted"
        first, shots = found[kind], self.plan.shots
        made = sum(one.is_made for one in shots)
        error = errors.of_kind(
            kind,
            f"{made} of {len(shots)} shots are made. {first.name}: {first.error['message']}",
            str(first.error.get("hint") or ""),
        )
        following = self._context.rerun.same()
        error.result = {**self.plan.result(), "status": "failed", "next": following}
        self._write(error.result)
        error.result.pop("status")
        return error

    def _to_look_at(self, waits: bool) -> dict[str, Any]:
        """The result of a story that stops; `waits`: until candidates are chosen, in the file."""
        rerun, later = self._context.rerun, self.plan.to_come
        most = cap.with_room(self.plan.spent, later, FREE)
        go_on = ("--no-stop", f"--max-cost={most:.2f}") if most else ("--yes",)
        following = rerun.same("--no-stop", "--max-cost", "--yes", add=go_on)
        return {
            **self.plan.result(),
            "output": str(self.plan.sheets[0]),
            "still_to_pay": later.as_json(),
            "next": None if waits else following,
        }

    def _joined(self) -> dict[str, Any]:
        """The result with the film, which is joined anew where a clip is another one."""
        settings, output = self.plan.settings, self.plan.settings.output
        parts = [
            Part(one.run.output, 0.0 if one.shot.continues else settings.fade_s)
            for one in self.plan.shots
        ]
        clips = [[receipts.sha256_of(part.path), part.fade_s] for part in parts]
        music = receipts.sha256_of(settings.music) if settings.music else None
        film_of = str(receipts.digest("film", {"clips": clips, "music": music}))
        same = output.exists() and self._film_of == film_of
        if same:
            film = joined_film.there(parts, output, settings.music)
        else:
            names = [f"{one.number} {one.name}" for one in self.plan.shots]
            words = joined_film.Words(self.plan.story.title, names)
            film = joined_film.made(
                self._console, parts, output, settings.music, words, filmstrip=settings.filmstrip
            )
            self._draw_sheet()
        result = {**self.plan.result(), "output": str(output), **film}
        self._film_of = film_of
        return {**result, "reused": same}

    def _last_summary(self) -> dict[str, Any]:
        """The summary as it was written last; empty where there is none that can be read."""
        with contextlib.suppress(OSError, ValueError):
            found = json.loads(self.plan.summary_file.read_text(encoding="utf-8"))
            if isinstance(found, dict):
                return found
        return {}

    def _write(self, result: dict[str, Any]) -> None:
        """Write the summary. Raises OutputError."""
        document = {
            "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            **result,
            "film_of": self._film_of,
            "film_file": str(self.plan.settings.output),
            "settings": dict(self.plan.settings.told),
            "command": self._context.rerun.kept(),
        }
        text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
        files.write_again(self.plan.summary_file, text.encode("utf-8", "backslashreplace"))

    def _draw_sheet(self) -> None:
        """Write the storyboard; one that cannot be drawn is a warning."""
        try:
            for path, picture in zip(self.plan.sheets, storyboard_of(self.plan), strict=True):
                files.write_again(path, picture)
        except OutputError as error:
            self._console.warn(f"There is no storyboard: {error.message}")
