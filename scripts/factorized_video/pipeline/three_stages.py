"""One clip in three stages: what is asked for, checked and priced; and how what is left is made."""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path
from typing import Any

from .. import STAGES, files, models, output_paths, receipts, texts
from ..defaults import MOST_CANDIDATES
from ..errors import Refused, StillRunning, UsageError
from ..gateway import settings
from ..media import file_types, images
from ..models.limits import Framing
from ..prompts import strategies
from ..receipts import digests
from ..receipts.cap import effective_cap
from ..rerun import OF_DRAWING, flag_of, with_other_words
from ..stages import delivery, plan, reference_images
from ..stages.candidates.folder import Wish, check_place
from .run import Run
from .stage_runner import Stages, check_models
from .work_folder import WorkFolder, standing

# What was asked for, as it was typed: in the digest, and with the rest in the plan.
TYPED = (
    "style",
    "aspect_ratio",
    "duration",
    "llm_model",
    "image_model",
    "video_model",
    "resolution",
    "audio",
    "seed",
    "fit",
    "fit_duration",
)
ASKED = (*TYPED, "prompt_strategy", "motion_from_anchor")
PLANNED = (*TYPED, "enhance", "skip_reasoning", "stop_after", "allow_off")


class FactorizedRun(Run):
    """A run in three stages."""

    def __init__(
        self,
        args: argparse.Namespace,
        scripts: str,
        prompt: str | None = None,
        folder: Path | None = None,
    ) -> None:
        """`scripts` is the folder of the stage scripts.

        `prompt` is one that was read before; `folder` where an output without a name goes.
        """
        self._args = args
        self._console = args.console
        if prompt is None:
            prompt = texts.read_text(args.prompt, args.prompt_file, "The prompt")
        motion = texts.read_motion(args.motion, args.motion_file)
        _check_flags(args, args.prompt_strategy or strategies.DEFAULT_STRATEGY, motion)
        given = {name: getattr(args, name) for name in Wish._fields if name != "prompt"}
        self._wish = wish = Wish(prompt, **given)
        wish.check()
        sources = reference_images.read(args.reference)
        own = None
        if args.anchor_path is not None:
            own = images.read_image(Path(args.anchor_path).expanduser(), "--anchor-path")
        last = images.read_last(args)
        last_hash = receipts.sha256_of_bytes(last.data) if last else None
        typed = output_paths.output_path(args.output) if args.output is not None else None
        if typed:
            output_paths.check_extension(typed, (".mp4",))
        # The key's turn comes after the plan.
        self.gateway = chosen = settings.resolve(args.gateway, needs_key=False)
        first = digest(
            args,
            prompt,
            motion,
            chosen.identity,
            anchor=receipts.sha256_of_bytes(own.data) if own else None,
            last_frame=last_hash,
            references=sources.hashes,
        )
        self._wanted = wish.digest(first)
        # The name does not depend on how many anchors are drawn, so that choosing one later goes
        # on.
        self.output = typed or output_paths.default_output(prompt, first, ".mp4", folder)
        self.prompt = prompt
        self.folder = work = WorkFolder(
            output_paths.folder_path(args.work_dir)
            if args.work_dir is not None
            else self.output.with_name(self.output.stem + ".stages")
        )
        self._owns_anchor = own is not None
        self.anchor = Path(args.anchor_path).expanduser().absolute() if own else work.anchor
        self._state = standing(
            self.output, self._wanted, prompt, work, self.anchor, demo=chosen.name == "demo"
        )
        names = plan.stages_of(
            strategy=args.prompt_strategy,
            motion=motion,
            skip_reasoning=args.skip_reasoning,
            own_anchor=own is not None,
        )
        self._stages = Stages(
            args,
            names,
            work,
            self.output,
            self.anchor,
            prompt,
            motion,
            scripts,
            wish,
            last_hash,
            sources.hashes,
        )
        # What was paid for is waited for or returned whatever the models of today take.
        made = tuple(STAGES) if self.is_done else self._stages.made(chosen.identity)
        self._planned = plan.pipeline(
            prompt,
            motion,
            chosen.name,
            own_anchor=own is not None,
            picture_size=own.size if own else None,
            strategy=args.prompt_strategy,
            made=made,
            awaits_choice=wish.awaits_choice,
            motion_from_anchor=bool(args.motion_from_anchor),
            last_frame=last is not None,
            last_frame_size=last.size if last else None,
            references=sources.sizes,
            **wish.of_plan,
            **{name: getattr(args, name) for name in PLANNED},
        )
        check_models(self._planned, made)
        for what, picture in (("--anchor-path", own), ("--last-frame", last)):
            if picture and picture.size is None:
                images.to_send(picture, Framing(), what)  # what needs the media extra is said now
        sources.to_send()  # likewise
        if not self.is_done:
            self._stages.check_choice(chosen.identity)
        self._made = made
        self.limit = effective_cap(args.max_cost, chosen.max_cost)

    @property
    def is_done(self) -> bool:
        """Whether the clip is there, made from just these inputs."""
        return self._state == "done"

    @property
    def awaits_choice(self) -> bool:
        """Whether a person is to choose among the candidates before there is a clip."""
        return self._wish.awaits_choice

    @property
    def verifies(self) -> bool:
        """Whether candidates are checked."""
        return self._wish.verifies

    @property
    def owns_anchor(self) -> bool:
        """Whether the anchor is the person's own picture."""
        return self._owns_anchor

    @property
    def left(self) -> plan.Plan:
        """The calls that are still to be made, with what was spent and the cap."""
        return self._stages.left(self._planned, self._made, self.gateway.identity)._replace(
            spent=self._stages.spent,
            cap=self.limit,
            gateway=self.gateway.name,
            why=self.gateway.why,
        )

    @property
    def outputs(self) -> list[Path]:
        """All whose receipts tell what this run has cost."""
        return self._stages.outputs

    @property
    def warnings(self) -> list[str]:
        """What is worth saying before anything is sent."""
        return [*self._planned.warnings, *self.gateway.warnings]

    def check(self) -> None:
        """Raise UsageError where something lies in the way of what would be made."""
        _check_place(self._args, self._state, self.output, self.folder)
        if not self.is_done:
            self._stages.check(None, self._planned, self.gateway.identity)

    def check_needs(self) -> None:
        """Raise AuthError where there is no key, UsageError where a package is missing."""
        settings.resolve(self._args.gateway)
        self._check_packages()

    def make(self) -> dict[str, Any]:
        """The clip, or what a person asked to stop at; what is there is not made again."""
        args, console, output, folder = self._args, self._console, self.output, self.folder
        planned, identity, stages = self._planned, self.gateway.identity, self._stages
        self.check_needs()
        if self.is_done and not args.stop_after:
            receipts.returned(output, "return", console)
            if args.filmstrip:
                delivery.draw_filmstrip(console, output)
            if args.save_intermediate:
                folder.save_intermediate(output, self.anchor, planned.call("synthesis").framing)
            return _result(receipts.read(output) or {}, output, [], reused=True)
        _check_place(args, self._state, output, folder)
        stages.check(self.limit, planned, identity)
        files.check_writable(output)
        files.check_writable(folder.caption)
        # Before the first call, not by each stage when its turn comes.
        console.warn(*self.gateway.warnings, *planned.warnings)
        stages.tell(console.warnings, planned)
        if planned.has("reasoning"):
            stages.reasoning()
            if args.stop_after == "caption":
                return stages.stopped(folder.caption)
            stages.check(self.limit, planned, identity)
        if not self._owns_anchor:
            stages.composition()
            if stages.awaits_choice:
                return stages.to_choose()
        if planned.has("motion"):
            if not self._owns_anchor:
                stages.check(self.limit, planned, identity)
            stages.motion()
        if args.stop_after == "anchor":
            return stages.stopped(folder.anchor)
        if not self._owns_anchor or planned.has("motion"):
            stages.check(self.limit, planned, identity)
        written = folder.motion if planned.has("reasoning") else None
        pipeline = {"digest": self._wanted, "files": folder.hashes()}
        try:
            stages.synthesis(written, pipeline)
        except Refused as error:
            # The anchor is paid for: keep it.
            error.result["next"] = with_other_words(str(self.anchor))
            raise
        record = receipts.Record(output, receipts.read(output) or {})
        with contextlib.suppress(StillRunning), receipts.locked(output):
            # Where another process holds the lock, it is about to write the same.
            record.update(pipeline={**pipeline, "cost": stages.children.cost()})
        if args.save_intermediate:
            folder.save_intermediate(output, self.anchor, planned.call("synthesis").framing)
        result = _result(record.data, output, stages.children.results, reused=False)
        return {**result, **stages.of_candidates}

    def _check_packages(self) -> None:
        """Raise UsageError where Pillow and PyAV are missing and needed."""
        args, planned = self._args, self._planned
        if args.gateway == "demo":
            file_types.need_media_extra("The demo gateway")
        if self._wish.several:
            file_types.need_media_extra("--candidates, --select and --verify")
        check_filmstrip(args)
        makes_sound = planned.has("synthesis") and planned.call("synthesis").model.audio != "never"
        if args.audio is False and makes_sound:
            file_types.need_media_extra("--no-audio")


def digest(
    args: argparse.Namespace,
    prompt: str,
    motion: str | None,
    gateway: dict[str, str],
    *,
    anchor: str | None = None,
    last_frame: str | None = None,
    references: tuple[str, ...] = (),
) -> str:
    """Of a run with these options, candidates aside; the pictures are told by their SHA-256."""
    return digests.pipeline(
        prompt,
        motion,
        anchor,
        gateway,
        skip_reasoning=args.skip_reasoning,
        enhance=args.enhance,
        take=args.take,
        last_frame=last_frame,
        references=references,
        **{name: getattr(args, name) for name in ASKED},
    )


def check_filmstrip(args: argparse.Namespace) -> None:
    """Decide on the filmstrip where nobody did. Raises UsageError where one cannot be drawn."""
    if args.filmstrip:
        file_types.need_media_extra("--filmstrip")
    elif args.filmstrip is None:
        args.filmstrip = file_types.have_media_extra()


def _check_place(args: argparse.Namespace, state: str, output: Path, folder: WorkFolder) -> None:
    """Raise UsageError where something else, or what cannot be read, lies where things would go."""
    if args.overwrite:
        return
    # To take another candidate and stop touches no clip.
    if state == "other" and not (args.select and args.stop_after == "anchor"):
        raise UsageError(
            f"{output} was made for other inputs, or what it was made from was changed since.",
            "Choose another --output, or add --overwrite: the old file is kept under another name.",
            output=str(output),
        )
    if args.anchor_path is None:
        names = [str(number) for number in range(1, MOST_CANDIDATES + 1)]
        check_place(folder.anchor, names)
    damaged = folder.damaged()
    if damaged:
        raise UsageError(
            f"{damaged[0]} cannot be read: whether what it tells of was paid for is not known.",
            "Move it away, choose another --work-dir, or add --overwrite.",
        )


def _check_flags(args: argparse.Namespace, strategy: str, motion: str | None) -> None:
    """Flags that contradict each other."""
    own = args.anchor_path is not None
    if args.skip_anchor and not own:
        raise UsageError(
            "--skip-anchor needs the image to use instead.", "Add --anchor-path IMAGE."
        )
    for name in OF_DRAWING if own else ():
        if getattr(args, name) is not None:
            raise UsageError(
                f"{flag_of(name)}: with --anchor-path no anchor is made.", "Leave one of them out."
            )
    if args.motion_from_anchor and (motion is not None or strategy == "original"):
        told = "--motion" if args.motion is not None else "--motion-file"
        told = "--prompt-strategy original" if motion is None else told
        raise UsageError(
            f"--motion-from-anchor: with {told} no motion that is written is told.",
            "Leave one of them out.",
        )
    nobody = args.skip_reasoning and not args.motion_from_anchor
    if strategy == "motion-only" and motion is None and nobody:
        raise UsageError(
            "--prompt-strategy motion-only needs a motion, and --skip-reasoning leaves nobody to "
            "write it.",
            "Give --motion TEXT, or leave out --skip-reasoning.",
        )
    if args.stop_after == "anchor" and own:
        raise UsageError(
            "--stop-after anchor: with --anchor-path no anchor is made.", "Leave one of them out."
        )
    if args.stop_after == "caption" and (args.skip_reasoning or own):
        raise UsageError(
            "--stop-after caption: with these flags no caption is written.",
            "Leave out --stop-after.",
        )


def _result(
    receipt: dict[str, Any], output: Path, stages: list[dict[str, Any]], reused: bool
) -> dict[str, Any]:
    filmstrip = receipts.filmstrip_path(output)
    return {
        "status": "succeeded",
        "stage": "synthesis",
        "text": str(output),
        "output": str(output),
        "gateway": receipt["gateway"]["name"],
        "model": receipt["model"],
        "cost": (receipt.get("pipeline") or {}).get("cost") or receipt["cost"],
        "receipt": str(receipts.receipt_path(output)),
        "job": receipt["job"],
        "video": receipt["measured"],
        "anchor_fidelity": receipt.get("anchor_fidelity"),
        "filmstrip": str(filmstrip) if filmstrip.exists() else None,
        "stages": stages,
        "reused": reused,
        "gateway_cannot": list(models.gateway(receipt["gateway"]["name"]).cannot),
    }
