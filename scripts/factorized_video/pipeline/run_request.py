"""What was asked of a whole run, as one immutable value; and the requests of its stages."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

from .. import output_paths, receipts, texts
from ..defaults import EXTEND
from ..errors import UsageError
from ..prompts import strategies, styles
from ..prompts.anchor_image import END_STATE, EXTENSION
from ..rerun import OF_ANCHOR, flag_of, words_of
from ..stages import given_images
from ..stages.context import Terms
from ..stages.given_images import GivenImage
from ..stages.request import (
    AnchorRequest,
    Argv,
    CandidateWish,
    CaptionRequest,
    ClipRequest,
    ClipSettings,
    Identity,
    MotionRequest,
    ServerFields,
    asked_of,
    check_ends,
    digest_fields,
    server_fields,
)
from ..stages.synthesis import JobOptions
from .command import Launcher

# Options without effect where no anchor is made, and none is given.
_OF_ANCHORS = (
    "anchor_path",
    "skip_anchor",
    "skip_reasoning",
    "stop_after",
    "work_dir",
    "save_intermediate",
    "enhance",
    "llm_model",
    "image_model",
    "image_set",
    "motion_from_anchor",
    "last_frame",
    "loop",
    "end_state",
    "fit",
    "draft",
    "scene",
    "caption",
    *(name for name in OF_ANCHOR if name != "reference"),  # which a direct clip has
)


class RunOptions(NamedTuple):
    """Where a run's files go and how far it runs; in no digest."""

    launcher: Launcher  # runs the stages
    gateway: str  # --gateway
    output: Path | None = None
    folder: Path | None = None  # where an output without a name goes
    work_dir: Path | None = None
    stop_after: str | None = None
    save_intermediate: bool | None = None
    quiet: bool | None = None
    verbose: bool | None = None
    job: JobOptions = JobOptions(0)

    @classmethod
    def from_options(cls, options: argparse.Namespace, folder: Path | None = None) -> RunOptions:
        """Raises UsageError for a path that cannot be one."""
        return cls(
            options.launcher,
            options.gateway,
            output_paths.given_output(options.output, (".mp4",)),
            folder,
            None if options.work_dir is None else output_paths.folder_path(options.work_dir),
            options.stop_after,
            options.save_intermediate,
            options.quiet,
            options.verbose,
            JobOptions.from_options(options),
        )

    def to_words(self) -> list[str]:
        """As options of the orchestrator, but for those of the output and of what is printed."""
        return words_of(
            {
                "gateway": self.gateway,
                "work_dir": self.work_dir,
                "stop_after": self.stop_after,
                "save_intermediate": self.save_intermediate,
                **job_words(self.job),
            }
        )


def job_words(job: JobOptions) -> dict[str, object]:
    """How a job is waited for, as options."""
    return {**job._asdict(), "no_wait": job.no_wait or None}


def terms_words(terms: Terms) -> dict[str, object]:
    """The terms as options; what is not allowed is left out."""
    return {name: value or None for name, value in terms._asdict().items() if name != "max_cost"}


class RunRequest(NamedTuple):
    """One clip from a prompt; `direct`: without caption and anchor."""

    prompt: str
    motion: str | None = None
    anchor: GivenImage | None = None  # one's own
    extended: GivenImage | None = None  # one's own, which the image model extends to the ratio
    last_frame: GivenImage | None = None
    references: tuple[GivenImage, ...] = ()
    style: str | None = None
    skip_reasoning: bool | None = None
    enhance: bool | None = None
    motion_from_anchor: bool | None = None
    llm_model: str | None = None
    image_model: str | None = None
    video_model: str | None = None
    take: int = 1
    direct: bool = False
    settings: ClipSettings = ClipSettings()
    wish: CandidateWish = CandidateWish()
    image_set: ServerFields = None
    scene: str | None = None
    caption: str | None = None  # of the first frame, instead of the one that Stage 1 writes
    end_state: str | None = None  # what the last frame shows, made of the first

    @classmethod
    def from_options(cls, options: argparse.Namespace, prompt: str | None = None) -> RunRequest:
        """Reads the texts and the pictures; `prompt` is one that was read before.

        Raises UsageError for what cannot be read, and for options that contradict each other.
        """
        if options.direct:
            _check_direct(options)
        if prompt is None:
            prompt = texts.read_text(options.prompt, options.prompt_file, "The prompt")
        motion = texts.read_motion(options.motion, options.motion_file)
        if not options.direct:
            _check_flags(options, motion)
        plain = ("style", "skip_reasoning", "enhance", "motion_from_anchor", "llm_model")
        own = given_images.read("--anchor-path", options.anchor_path, options.rerun)
        settings, extends = ClipSettings.from_options(options), options.fit == EXTEND
        request = cls(
            prompt,
            motion,
            None if extends else own,
            own if extends else None,
            given_images.read("--last-frame", options.last_frame, options.rerun),
            given_images.read_all("--reference", options.reference, options.rerun),
            **{name: getattr(options, name) for name in plain},
            image_model=options.image_model,
            video_model=options.video_model,
            take=options.take,
            direct=bool(options.direct),
            settings=settings._replace(fit=None) if extends else settings,
            wish=CandidateWish.from_options(options, prompt),
            image_set=server_fields(options.image_set),
            caption=texts.read_optional(options.caption, "--caption"),
            end_state=texts.read_optional(options.end_state, "--end-state"),
        )
        return request.with_scene(texts.read_optional(options.scene, "--scene"))

    def with_scene(self, scene: str | None) -> RunRequest:
        """The same with a scene, which the checks of the first frame are written from too."""
        if scene is None:
            return self
        wish = self.wish
        if wish.verifies:
            wish = wish._replace(prompt=f"{self.prompt}\n\n{scene}")
        return self._replace(scene=scene, wish=wish)

    # -- the requests of the stages --------------------------------------------------------------

    def caption_request(self) -> CaptionRequest:
        """Stage 1."""
        ratio = self.settings.aspect_ratio
        return CaptionRequest(
            self.prompt, self.style, ratio, self.llm_model, self.references, self.scene
        )

    def motion_request(self, anchor: GivenImage) -> MotionRequest:
        """Stage 1, with the anchor in view."""
        return MotionRequest(self.prompt, anchor, self.llm_model)

    @property
    def given_caption(self) -> str | None:
        """What Stage 2 is asked for where Stage 1 does not write it."""
        if self.extended:
            return EXTENSION
        return self.prompt if self.skip_reasoning else self.caption

    def anchor_request(self, caption: str) -> AnchorRequest:
        """Stage 2. The style that the prompt names holds for the anchor too."""
        if self.extended:
            ratio = self.settings.aspect_ratio
            return AnchorRequest(
                caption,
                None,
                ratio,
                self.image_model,
                take=self.take,
                edit=self.extended,
                set=self.image_set,
            )
        return AnchorRequest(
            caption,
            self.style or styles.named_style(self.prompt),
            self.settings.aspect_ratio,
            self.image_model,
            self.enhance,
            self.take,
            self.references,
            wish=self.wish,
            set=self.image_set,
        )

    def end_frame_request(self, anchor: GivenImage) -> AnchorRequest:
        """Stage 2, for the last frame: the anchor changed as --end-state says."""
        return AnchorRequest(
            f"{END_STATE}{self.end_state}",
            None,
            self.settings.aspect_ratio,
            self.image_model,
            take=self.take,
            edit=anchor,
            set=self.image_set,
        )

    def clip(
        self, motion: str | None, anchor: GivenImage | None, end: GivenImage | None = None
    ) -> ClipRequest:
        """Stage 3; a direct clip is sent the style in words, for no anchor carries it.

        `end` is the last frame that --end-state asks for, once it is there.
        """
        if self.end_state and end is None:
            end = given_images.made_by("--end-state")
        prompt = self.prompt
        if self.direct:
            prompt = strategies.direct_prompt(self.prompt, self.style)
        return ClipRequest(
            prompt,
            motion,
            anchor,
            end or self.last_frame,
            self.video_model,
            self.take,
            self.direct,
            self.settings,
            self.references if self.direct else (),
        )

    @property
    def final(self) -> RunRequest:
        """The same without --draft."""
        return self._replace(settings=self.settings._replace(draft=None))

    def as_direct(self) -> RunRequest:
        """The same prompt as a direct clip: without what shapes an anchor, or a motion for it."""
        settings = self.settings._replace(fit=None, draft=None, loop=None)
        if self.motion is None and settings.prompt_strategy == "motion-only":
            settings = settings._replace(prompt_strategy=None)  # Stage 1 would write that motion
        return RunRequest(
            self.prompt,
            self.motion,
            style=self.style,
            video_model=self.video_model,
            take=self.take,
            direct=True,
            settings=settings,
        )

    # -- how it is recognised --------------------------------------------------------------------

    def digest(self, gateway: Identity) -> str:
        """Of the run in three stages, candidates aside."""
        fields = {**digest_fields(self._asdict()), "gateway": gateway}
        return receipts.digest("pipeline", fields)

    def chosen_digest(self, gateway: Identity) -> str:
        """Of the run with the candidate that is chosen."""
        return self.wish.digest(self.digest(gateway))

    def asked(self, gateway: Identity) -> dict[str, object]:
        """By option, as receipts hold it."""
        return asked_of("factorized_generate", self._asdict(), gateway)

    def to_argv(self) -> Argv:
        """For the orchestrator; the prompt comes by stdin."""
        plain = ("style", "skip_reasoning", "enhance", "motion_from_anchor")
        texts_of = ("motion", "scene", "caption", "end_state")
        own = self.anchor or self.extended
        options: dict[str, Any] = {
            "prompt_file": "-",
            **{name: getattr(self, name) for name in (*plain, *texts_of)},
            "llm_model": self.llm_model,
            "image_model": self.image_model,
            "video_model": self.video_model,
            "anchor_path": own.path if own else None,
            "last_frame": self.last_frame.path if self.last_frame else None,
            "reference": [str(one.path) for one in self.references],
            "take": self.take if self.take != 1 else None,
            "direct": self.direct or None,
            "image_set": self.image_set,
            **self.settings._asdict(),
            **({"fit": EXTEND} if self.extended else {}),
            **self.wish._replace(prompt=None)._asdict(),
            "prompt": None,
        }
        return Argv(words_of(options), self.prompt)


def _check_direct(options: argparse.Namespace) -> None:
    """Raise UsageError for options that have no effect on a clip without an anchor."""
    for name in _OF_ANCHORS:
        if getattr(options, name):
            raise UsageError(
                f"{flag_of(name)} has no effect with --direct: there is no anchor.",
                "Leave one of them out.",
            )


def _check_flags(options: argparse.Namespace, motion: str | None) -> None:
    """Raise UsageError for options that contradict each other."""
    own = options.anchor_path is not None
    strategy = options.prompt_strategy or strategies.DEFAULT_STRATEGY
    if options.skip_anchor and not own:
        raise UsageError(
            "--skip-anchor needs the image to use instead.", "Add --anchor-path IMAGE."
        )
    for name in OF_ANCHOR if own else ():
        if getattr(options, name) is not None:
            raise UsageError(
                f"{flag_of(name)} has no effect with --anchor-path: no anchor is made.",
                "Leave one of them out.",
            )
    edits = options.fit == EXTEND or options.end_state is not None
    if own and options.image_set and not edits:
        raise UsageError(
            "--image-set has no effect with --anchor-path: no anchor is made.",
            "Leave one of them out.",
        )
    if options.motion_from_anchor and (motion is not None or strategy == "original"):
        other = "--motion" if options.motion is not None else "--motion-file"
        other = "--prompt-strategy original" if motion is None else other
        raise UsageError(
            f"--motion-from-anchor has no effect with {other}.", "Leave one of them out."
        )
    check_ends(options)
    extends = options.fit == EXTEND
    if extends and not (own and options.aspect_ratio):
        raise UsageError(
            "--fit extend has the image model extend a picture of your own to a ratio.",
            "Add --anchor-path IMAGE and --aspect-ratio W:H, such as 16:9.",
        )
    for name in ("scene", "skip_reasoning", "anchor_path") if options.caption is not None else ():
        if getattr(options, name) is not None:
            raise UsageError(
                f"{flag_of(name)} has no effect with --caption, which is used as it is.",
                "Leave one of them out.",
            )
    writes_none = options.skip_reasoning or extends or options.caption is not None
    nobody_writes = writes_none and not options.motion_from_anchor
    if strategy == "motion-only" and motion is None and nobody_writes:
        raise UsageError(
            "--prompt-strategy motion-only needs a motion, and with --skip-reasoning or --caption "
            "none is written.",
            "Give --motion TEXT, or leave that out.",
        )
    if options.scene is not None and (options.skip_reasoning or own):
        raise UsageError(
            "--scene has no effect with these options: no caption is written.",
            "Leave it out, or say it in the prompt.",
        )
    if options.stop_after == "caption" and (options.skip_reasoning or options.caption or own):
        raise UsageError(
            "--stop-after caption has no effect with these options: no caption is written.",
            "Leave out --stop-after.",
        )
