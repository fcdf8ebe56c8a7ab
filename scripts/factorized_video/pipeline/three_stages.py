"""One clip in three stages: checked and priced, and how what is left of it is made."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import STAGES, files, models, money, output_paths, receipts
from ..defaults import MOST_CANDIDATES
from ..errors import OutputError, OverBudget, StillRunning, ToolError, UsageError
from ..media import file_types, images
from ..models import picture_limits
from ..models.picture_limits import Framing
from ..money import Cost
from ..prompts import strategies
from ..receipts import Record, spending
from ..receipts.cap import check_cap
from ..stages import delivery, given_images, plan, synthesis
from ..stages.calls import Call, Plan, models_of
from ..stages.candidates.filing import check_place
from ..stages.context import Context
from ..stages.plan import MOTION_TO_COME
from ..stages.request import Argv, ClipRequest
from .progress import Progress
from .run import Run
from .run_plan import check_models, run_plan, with_cheaper
from .run_request import RunOptions, RunRequest, job_words, terms_words
from .stage_runner import StageRunner, output_option
from .work_folder import Standing, WorkFolder, standing


class ThreeStages(Run):
    """A run in three stages. Raises UsageError for what is not supported."""

    def __init__(self, request: RunRequest, options: RunOptions, context: Context) -> None:
        identity = context.identity
        # The name does not depend on how many anchors are made, so that choosing one later resumes.
        named = options.output or output_paths.default_output(
            request.prompt, request.final.digest(identity), ".mp4", options.folder
        )
        is_draft = bool(request.settings.draft)
        # A draft has the work folder of the clip that it is of, and so its caption and its anchor.
        self._final = output_paths.final_path(named) if is_draft else named
        self.output = output_paths.draft_path(named) if is_draft else named
        self.context = context
        self.request = request
        self.options = options
        self._console = context.console
        self.folder = WorkFolder.of(self._final, options.work_dir)
        context.rerun.output = context.rerun.output or str(self._final)
        context.rerun.makes(self.output, *self._before_the_clip)
        self._wanted = request.chosen_digest(identity)
        self._look()
        self._check_pictures()

    def _look(self) -> None:
        """Find out what is there, and what is left to do. Raises UsageError."""
        request, context, options = self.request, self.context, self.options
        self._progress = Progress(request, context, self.folder, self.output, options.job.job)
        self.anchor = self._progress.anchor
        self._standing = standing(
            self.output,
            self._wanted,
            request.prompt,
            self.folder,
            self.anchor,
            demo=context.is_demo,
        )
        # What was paid for is fetched or returned whatever the models of today support.
        self._made = _ALL if self._returns else self._progress.made()
        self._rules = context.rules()
        awaits = self._progress.awaits_choice
        self._planned = run_plan(
            request, options.stop_after, self._made, self._rules, awaits_choice=awaits
        )
        check_models(self._planned, self._made, context.gateway)
        if not self.is_done:
            self._progress.check_selected()

    def _check_pictures(self) -> None:
        """Raise UsageError where one needs the media extra, and it is missing."""
        request = self.request
        for one in filter(None, (request.anchor, request.extended, request.last_frame)):
            if one.size is None:
                images.to_send(one.image, Framing(), one.flag)
        given_images.to_send(request.references)

    @property
    def is_done(self) -> bool:
        """Whether the clip is there, made from just these inputs."""
        return self._standing is Standing.DONE

    @property
    def _returns(self) -> bool:
        """Whether the clip is there, and it is what is asked for."""
        return self.is_done and not self.options.stop_after

    @property
    def owns_anchor(self) -> bool:
        """Whether the anchor is one's own picture."""
        return self.request.anchor is not None

    @property
    def planned_clip(self) -> Call:
        """The call that makes the clip, whether or not it is there already."""
        both = (*self._planned.calls, *self._planned.later)
        return next(call for call in both if call.stage == "synthesis")

    @property
    def awaits_choice(self) -> bool:
        """Whether somebody is to choose among candidates before there is a clip."""
        return self._progress.awaits_choice

    @property
    def left(self) -> Plan:
        """The calls that are still to be made, with what was spent and the cap."""
        gateway = self.context.gateway
        return self._left(self._made)._replace(
            spent=spending.spent_for(self.outputs),
            cap=self.context.limit,
            gateway=gateway.name,
            why=gateway.why,
        )

    def with_cheaper(self, plan: Plan) -> Plan:
        """The plan with the cheaper clips that there are."""
        return with_cheaper(plan, self.request, self._made, self._rules)

    def _left(self, made: tuple[str, ...]) -> Plan:
        if "composition" in made or "composition" not in self._progress.names:
            return self._planned.without(made)
        return self._planned.without(made, self._progress.anchors_left())

    @property
    def outputs(self) -> list[Path]:
        """All whose receipts say what this run has cost."""
        return [*self._before_the_clip, self.output]

    @property
    def _before_the_clip(self) -> list[Path]:
        folder = self.folder
        return [folder.caption, folder.anchor, folder.end_frame, folder.seen_motion]

    @property
    def warnings(self) -> list[str]:
        """What is worth saying before anything is sent."""
        planned, limit = self._planned, self.context.limit
        if planned.later and limit:
            planned = planned._replace(spent=spending.spent_for(self.outputs), cap=limit)
        return [*planned.warnings, *self.context.gateway.warnings]

    def to_argv_until(self, stage: str) -> Argv:
        """The command line that stops after `stage` to look."""
        options, self.options = self.options, self.options._replace(stop_after=stage)
        argv = self.to_argv()
        self.options = options
        return argv

    # -- checks ----------------------------------------------------------------------------------

    def check(self) -> None:
        """Raise UsageError where something lies in the way of what would be made."""
        self._check_place()
        if not self.is_done:
            self._check_ahead()

    def check_needs(self) -> None:
        """Raise UsageError where Pillow and PyAV are missing and needed."""
        planned, audio = self._planned, self.request.settings.audio
        makes_sound = planned.has("synthesis") and planned.call("synthesis").model.audio != "never"
        for needs, what in (
            (self.context.is_demo, "The demo gateway"),
            (self.request.wish.several, "--candidates, --select and --verify"),
            (self.options.job.filmstrip, "--filmstrip"),
            (audio is False and makes_sound, "--no-audio"),
        ):
            if needs:
                file_types.need_media_extra(what)

    def _check_place(self) -> None:
        """Raise UsageError where something else, or what cannot be read, lies in the places."""
        if self.context.terms.overwrite:
            return
        # To choose another candidate and stop touches no clip.
        only_chooses = self.request.wish.select and self.options.stop_after == "anchor"
        if self._standing is Standing.OTHER and not only_chooses:
            found, asked = receipts.look(self.output), self.request.asked(self.context.identity)
            raise receipts.conflict(
                self.output, found, asked, self.folder.changed_since(found.receipt or {})
            )
        self.folder.check_owner(self._final)
        self._check_anchor()
        if self.request.anchor is None:
            names = [str(number) for number in range(1, MOST_CANDIDATES + 1)]
            check_place(self.folder.anchor, names)
        damaged = self.folder.damaged()
        if damaged:
            raise UsageError(
                f"Cannot read {damaged[0]}, so it is unclear whether that output was already paid "
                "for.",
                "Move it away, choose another --work-dir, or add --overwrite.",
            )

    def _check_anchor(self) -> None:
        """Raise UsageError where a clip would be made from another anchor than the approved one."""
        wish, stop_after = self.request.wish, self.options.stop_after
        # A candidate that is named was looked at; where one is to be named, nothing is animated.
        awaits = self._progress.awaits_choice
        if self.is_done or stop_after or self.owns_anchor or wish.select or awaits:
            return
        receipt = self._progress.replaced_anchor()
        if receipt is None:
            return
        changed = ["caption.txt was edited"] if "caption" in self._progress.own else []
        differ = [*self._progress.asked_otherwise(receipt), *changed]
        chosen = receipt.get("candidate")
        keep = f"--select {chosen} keeps it. " if isinstance(chosen, str) else ""
        why = f"approved with other options: {', '.join(differ) or 'which, is not known'}"
        if differ == changed and changed:
            why = "made before caption.txt was edited"
        raise UsageError(
            f"The anchor {self.anchor} was {why}.",
            f"{keep}Add --stop-after anchor to see the anchor first, or --overwrite to continue "
            "without looking.",
            output=str(self.anchor),
            next=self.context.rerun.same("--stop-after", add="--stop-after=anchor"),
        )

    def _check_ahead(self, stages: StageRunner | None = None) -> None:
        """Before a stage is started: raise what would end a later one after it was paid for.

        UsageError where a text that is there by now is too long, or the clip's place is taken. With
        `stages`, which have run so far, also OverBudget.
        """
        made = self._progress.made()
        if stages and self.context.limit:
            made = self._check_cap(made, stages)
        if "synthesis" in made or not self._planned.has("synthesis"):
            return
        self._check_motion()
        names = self._progress.names
        if "composition" in names and "composition" not in made and not self.options.job.job:
            # The clip that lies there, if any, is of another anchor than the one to be made.
            receipts.check_room(self.output, "", self.context.allowed)

    def _check_cap(self, made: tuple[str, ...], stages: StageRunner) -> tuple[str, ...]:
        """Raise OverBudget where what was spent and what is left do not fit the cap; `made`."""
        limit, terms = self.context.limit, self.context.terms
        assert limit is not None
        if terms.resubmit and self._progress.job_is_known():
            # It is sent once more only if the gateway has forgotten the job: Stage 3 finds out.
            made = (*made, "synthesis")
        left = self._left(made)._replace(spent=spending.spent_for(self.outputs), cap=limit)
        try:
            check_cap(limit, left.spent, left.costs, allow_unknown=terms.allow_unknown_cost)
        except OverBudget as error:
            self.with_cheaper(left).offer(error)
            if stages.results:  # a stage cost more than expected
                error.charged = None
                error.result["stages"] = stages.results
            raise
        return made

    def _check_motion(self) -> None:
        """Raise UsageError where the motion of Stage 1, which is there by now, is too long."""
        from ..models import limits

        call = self._planned.call("synthesis")
        motion = self._progress.motion() if self.request.motion is None else None
        if motion and MOTION_TO_COME in call.text:
            strategy = call.settings["prompt_strategy"]
            text = strategies.video_prompt(strategy, self.request.prompt, motion)
            limits.check_prompt(call.model, len(text), call.gateway, "prompt and motion")

    # -- making ----------------------------------------------------------------------------------

    def make(self) -> dict[str, Any]:
        """The clip, or what the run was to stop at; what is there is not made again.

        Another run of the same output, or in the same work folder, is kept out meanwhile.
        """
        self.check_needs()
        if self._returns:
            return self._returned()
        self._check_place()
        for path in (self.output, self.folder.caption):
            files.check_writable(path)
        with self._held():
            self._look()  # another run may have ended since
            if self._returns:
                return self._returned()
            return self._make()

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """The locks of a whole run; each stage has that of its own output besides."""
        taken = f"Another process is making {self.output}."
        try:
            own = self.output.with_name(f"{self.output.name}.run")
            with files.exclusive(own, taken), self.folder.held():
                yield
        except StillRunning as error:
            if not error.result.get("job"):
                receipt = receipts.read(self.output)
                error.result = Record(self.output, receipt or {}).whereabouts
            raise

    def _make(self) -> dict[str, Any]:
        """What is left of it."""
        stop_after = self.options.stop_after
        stages = self._begin()
        planned = self._planned
        if planned.has("reasoning"):
            self._reasoning(stages)
            if stop_after == "caption":
                return self._stopped(stages, self.folder.caption)
            self._check_ahead(stages)
        if not self.owns_anchor:
            self._composition(stages)
            if stages.of_candidates.get("candidate", "") is None:
                sheet = Path(str(stages.results[-1]["contact_sheet"]))
                following = self.context.rerun.with_choice()
                return {**self._stopped(stages, sheet), "next": following}
        for name, make in (("end_frame", self._end_frame), ("motion", self._motion)):
            if planned.has(name):
                if stages.results:
                    self._check_ahead(stages)
                make(stages)
        if stop_after == "anchor":
            return self._to_look_at(stages)
        if stages.results or not self.owns_anchor:
            self._check_ahead(stages)
        return self._synthesis(stages)

    def _begin(self) -> StageRunner:
        """Check everything before the first call, and say what is worth saying."""
        context = self.context
        self._check_place()
        stages = StageRunner(context, self.options)
        left = self.left
        stages.handoff = stages.handoff.replace(
            asked=self.request.asked(context.identity),
            models=models_of((*left.calls, *left.later)),
            # Of the clip itself, also where a draft comes first: the motion is that of both.
            prompting=models.pick(
                "video", self.request.video_model, left.gateway or ""
            ).prompting._asdict(),
        )
        self._check_ahead(stages)
        self.folder.own(self._final)
        # Before the first call, not by each stage when its turn comes.
        self._console.warn(*context.gateway.warnings, *self.warnings)
        if self.request.settings.aspect_ratio is None and self._planned.has("composition"):
            ratio = self._planned.call("composition").settings["aspect_ratio"]
            stages.handoff = stages.handoff.replace(canvas=ratio)
        return stages

    def _reasoning(self, stages: StageRunner) -> None:
        """Stage 1, unless the caption is the user's own."""
        if self._uses_own("caption", self.folder.caption):
            return
        motion_file = None if "motion" in self._progress.own else self.folder.motion
        stages.run(
            "rewrite_prompt.py",
            self.request.caption_request().to_argv(),
            motion_file=motion_file,
            **output_option(self.folder.caption),
        )

    def _composition(self, stages: StageRunner) -> None:
        """Stage 2, unless the anchor is the user's own."""
        if self._uses_own("anchor", self.folder.anchor):
            return
        caption = self._progress.caption()
        assert caption is not None
        stages.run(
            "generate_anchor.py",
            self.request.anchor_request(caption).to_argv(),
            resubmit=self.context.terms.resubmit or None,
            **output_option(self.folder.anchor),
        )

    def _end_frame(self, stages: StageRunner) -> None:
        """The last frame that --end-state asks for, unless it is the user's own."""
        if self._uses_own("end_frame", self.folder.end_frame):
            return
        anchor = given_images.at("The anchor", self.anchor)
        stages.handoff = stages.handoff.replace(stage="end_frame")
        stages.run(
            "generate_anchor.py",
            self.request.end_frame_request(anchor).to_argv(),
            resubmit=self.context.terms.resubmit or None,
            **output_option(self.folder.end_frame),
        )
        stages.handoff = stages.handoff.replace(stage=None)

    def _motion(self, stages: StageRunner) -> None:
        """The motion, with the anchor in view; where none is sound, Stage 1's stays."""
        if self._uses_own("seen_motion", self.folder.seen_motion):
            return
        anchor = given_images.at("The anchor", self.anchor)
        stages.run(
            "rewrite_prompt.py",
            self.request.motion_request(anchor).to_argv(),
            **output_option(self.folder.seen_motion),
        )

    def _synthesis(self, stages: StageRunner) -> dict[str, Any]:
        """Stage 3; the result of the whole run."""
        if self._progress.motion_file() == self.folder.motion:
            self._uses_own("motion", self.folder.motion)
        # Into the clip's receipt as soon as there is one, so that other inputs are noticed before
        # Stages 1 and 2 are paid for.
        run = {"digest": self._wanted, "files": self.folder.hashes()}
        stages.handoff = stages.handoff.replace(run=run)
        anchor = given_images.at("The anchor", self.anchor)
        end = None
        if self.request.end_state:
            end = given_images.at("The last frame", self.folder.end_frame)
        request = self.request.clip(self._progress.motion(), anchor, end)
        self._check_shape(request)
        argv, terms = request.to_argv(), terms_words(self.context.terms)
        del anchor, end, request  # large, and a job may take minutes
        stages.run(
            "generate_video_from_anchor.py",
            argv,
            output=self.output,
            overwrite=terms["overwrite"],
            resubmit=terms["resubmit"],
            **{**job_words(self.options.job), "filmstrip": self._filmstrip},
        )
        with contextlib.suppress(StillRunning), receipts.locked(self.output):
            # Where another process holds the lock, it is about to write the same.
            record = Record(self.output, receipts.read(self.output) or {})
            record.update(pipeline={**run, "cost": stages.cost()})
        self._save_intermediate()
        receipt = receipts.read(self.output) or {}
        return {**self._result(receipt, stages.results, reused=False), **stages.of_candidates}

    def _check_shape(self, request: ClipRequest) -> None:
        """Raise OutputError where an anchor that was paid for came in a shape that does not fit."""
        made_here = not self.owns_anchor and "anchor" not in self._progress.own
        why = plan.why_not(lambda: plan.clip(request, self.context.rules()))
        if self.options.job.job or not made_here or why is None:
            return
        if not synthesis.would_pay(request, self.output, self.context, None):
            return
        cost = spending.spent_for([self.folder.anchor]).usd
        raise OutputError(
            f"The anchor that the image model made cannot be used as it is. {why}",
            f"It has cost {money.usd(cost)}, and no clip was sent. Look at {self.anchor}. Then use "
            "it with --fit crop, --fit pad or --fit none, or have another one made with --take 2, "
            "which pays for one more.",
            charged="yes",
            output=str(self.anchor),
            next=self.context.rerun.same("--fit", add="--fit=crop"),
        )

    @property
    def _filmstrip(self) -> bool:
        """Whether a filmstrip goes with the clip: unless turned off, where one can be made."""
        given = self.options.job.filmstrip
        return file_types.have_media_extra() if given is None else given

    def _uses_own(self, name: str, path: Path) -> bool:
        """Whether this file is the user's own version; then it is said."""
        own = name in self._progress.own
        if own:
            self._console.warn(f"{path} is your own version: it is used as it is.")
        return own

    def _save_intermediate(self) -> None:
        if self.options.save_intermediate:
            framing = self._planned.call("synthesis").framing
            self.folder.save_intermediate(self.output, self.anchor, framing)

    # -- results ---------------------------------------------------------------------------------

    def tidy(self) -> None:
        """Clear away what a killed run left, unless another one is at it."""
        with contextlib.suppress(ToolError), self._held():
            pass

    def _returned(self) -> dict[str, Any]:
        """The result of a run that is done; what a killed one left is cleared away."""
        receipts.announce(self.output, receipts.Decision.RETURN, self._console)
        self.tidy()
        if self._filmstrip:
            delivery.draw_filmstrip(self._console, self.output)
        self._save_intermediate()
        return self._result(receipts.read(self.output) or {}, [], reused=True)

    def _to_look_at(self, stages: StageRunner) -> dict[str, Any]:
        """The result of --stop-after anchor: the anchor; of one's own, what will be sent of it."""
        own = self.request.anchor
        if own is None:
            return self._stopped(stages, self.folder.anchor)
        whole = run_plan(self.request, None, self._made, self._rules)
        framing = whole.call("synthesis").framing
        path = self.folder.write_first_frame(own.image, framing)
        result = self._stopped(stages, path)
        if own.size:
            about = picture_limits.cut_from(own.size, framing)
            self._console.note(f"{path.name} is what will be sent: {about.shown}.")
            result["first_frame"] = about.as_json()
        return result

    def _stopped(self, stages: StageRunner, path: Path) -> dict[str, Any]:
        """The result of --stop-after; `next` is the same command without it."""
        if path == self.folder.anchor:
            receipts.stopped_at(path, self.request.asked(self.context.identity))
        results = stages.results
        of_path = [one for one in results if one.get("stage") != "motion"]
        last = of_path[-1] if of_path else {}
        return {
            "status": "succeeded",
            "output": str(path),
            **{key: last.get(key) for key in ("gateway", "model", "receipt", "stage")},
            "stages": results,
            **stages.of_candidates,
            "end_frame": str(end) if (end := self.folder.end_frame).is_file() else None,
            "still_to_pay": self._still_to_pay(stages).as_json(),
            "next": self.context.rerun.same("--stop-after"),
        }

    def _still_to_pay(self, stages: StageRunner) -> Cost:
        """What the stages after the last one that ran should cost."""
        done = {*self._made, *(one.get("stage") for one in stages.results)}
        if "composition" in done:
            done |= {"reasoning", "questions", "verification", "repair"}
        whole = run_plan(self.request, None, self._made, self._rules)
        return money.total([call.price for call in whole.calls if call.stage not in done])

    def _result(
        self, receipt: dict[str, Any], stages: list[dict[str, Any]], *, reused: bool
    ) -> dict[str, Any]:
        filmstrip = output_paths.filmstrip_path(self.output)
        gateway = receipt["gateway"]["name"]
        return {
            "status": "succeeded",
            "stage": "synthesis",
            "output": str(self.output),
            "gateway": gateway,
            "model": receipt["model"],
            "receipt": str(receipts.receipt_path(self.output)),
            "job": receipt["job"],
            "video": receipt["measured"],
            "anchor_fidelity": receipt.get("anchor_fidelity"),
            "loop_fidelity": receipt.get("loop_fidelity"),
            "filmstrip": str(filmstrip) if filmstrip.exists() else None,
            "stages": stages,
            "reused": reused,
            **({"next": self.context.rerun.same("--draft")} if self.request.settings.draft else {}),
            "gateway_cannot": list(models.gateway(gateway).cannot),
        }


_ALL = tuple(name for name in STAGES if name not in ("direct", "measurement", "story"))
