"""What was asked of a stage, as one immutable value.

Built once from the options; turned into the digest by which its output is recognised, and into the
command line of the stage's script. A field that is None was not given. To add an option of the
clip, add its field to `ClipSettings`: digest and command line follow.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

from .. import receipts, texts
from ..defaults import EXTEND
from ..errors import UsageError
from ..rerun import flag_of, words_of
from . import given_images
from .given_images import GivenImage

Identity = dict[str, str]  # of a gateway: name and host


# Fields of a call to a server of one's own, each "KEY=VALUE"; None where there are none.
ServerFields = tuple[str, ...] | None


def server_fields(given: list[str] | None) -> ServerFields:
    """Fields as they were given, in the order of their names; the last one of a name counts."""
    named = {one.partition("=")[0]: one for one in given or ()}
    return tuple(named[name] for name in sorted(named)) or None


class Argv(NamedTuple):
    """The options of a stage's script, and what it reads from stdin."""

    words: list[str]
    stdin: str


class CandidateWish(NamedTuple):
    """What is wanted beyond one plain anchor; `prompt` is what the checks are written from."""

    candidates: int | None = None
    select: str | None = None
    verify: bool | None = None
    repair: bool | None = None
    min_score: float | None = None
    judge_model: str | None = None
    prompt: str | None = None

    @classmethod
    def from_options(cls, options: argparse.Namespace, prompt: str) -> CandidateWish:
        """Raises UsageError for an option that would have no effect."""
        given = {name: getattr(options, name) for name in cls._fields if name != "prompt"}
        wish = cls(**given)
        if wish.judge_model is not None and not wish.verifies:
            raise without_checks("--judge-model")
        return wish._replace(prompt=prompt if wish.verifies else None)

    @property
    def number(self) -> int:
        """How many candidates are wanted."""
        return self.candidates or 1

    @property
    def verifies(self) -> bool:
        """Whether they are to be checked, also where that is only implied."""
        return bool(self.verify or self.repair or self.min_score is not None)

    @property
    def several(self) -> bool:
        """Whether more is wanted than one plain anchor."""
        return self.number > 1 or self.select is not None or self.verifies

    @property
    def awaits_choice(self) -> bool:
        """Whether somebody is to choose before the run continues."""
        return self.number > 1 and self.select is None and not self.verifies

    def digest(self, first: str) -> str:
        """Of the anchor that is chosen; `first` is the digest of candidate 1.

        They are the same where nothing of this was given. The lowest score is a limit, as a cap is,
        and not part of it.
        """
        given = self.given
        return receipts.digest("choice", {"first": first, **given}) if given else first

    @property
    def given(self) -> dict[str, object]:
        """What counts of it, by option."""
        given = {
            "candidates": self.candidates if self.number > 1 else None,
            "select": self.select,
            "verify": self.verifies or None,
            "repair": self.repair,
            "judge_model": self.judge_model if self.verifies else None,
            "prompt": self.prompt,
        }
        return {name: value for name, value in given.items() if value is not None}

    def options(self) -> dict[str, object]:
        """By the names of the options of Stage 2's script."""
        return {**self._replace(prompt=None)._asdict(), "prompt": None, "user_prompt": self.prompt}


class ClipSettings(NamedTuple):
    """The settings of a clip, by the names of their options and in digests."""

    duration: int | None = None  # seconds
    aspect_ratio: str | None = None  # W:H
    prompt_strategy: str | None = None
    resolution: str | None = None
    audio: bool | None = None
    fit: str | None = None
    fit_duration: bool | None = None
    seed: int | None = None
    set: ServerFields = None
    draft: bool | None = None  # as cheap as the gateway makes it, to look at
    loop: bool | None = None  # the anchor is the last frame too

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> ClipSettings:
        """As they were given."""
        given = cls(**{name: getattr(options, name) for name in cls._fields})
        return given._replace(set=server_fields(options.set))


class CaptionRequest(NamedTuple):
    """Stage 1: caption and motion from a prompt and reference pictures."""

    prompt: str
    style: str | None = None
    aspect_ratio: str | None = None
    model: str | None = None
    references: tuple[GivenImage, ...] = ()
    scene: str | None = None  # who and what it is about, in words that hold for other prompts too

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> CaptionRequest:
        """Reads the prompt and the pictures. Raises UsageError for what cannot be read."""
        return cls(
            texts.read_text(options.prompt, None, "The prompt"),
            options.style,
            options.aspect_ratio,
            options.model,
            given_images.read_all("--reference", options.reference, options.rerun),
            texts.read_optional(options.scene, "--scene"),
        )

    def digest(self, gateway: Identity) -> str:
        """By which the output is recognised."""
        return _digest("reasoning", self, gateway)

    def asked(self, gateway: Identity) -> dict[str, object]:
        """By option, as the receipt holds it."""
        return asked_of("rewrite_prompt", self._asdict(), gateway)

    def to_argv(self) -> Argv:
        """For `rewrite_prompt.py`."""
        options = {**_options(self), "prompt": None}
        return Argv(["-", *words_of(options)], self.prompt)

    @property
    def inputs(self) -> dict[str, object]:
        """As the receipt holds them."""
        scene = {"scene": self.scene} if self.scene else {}
        return {"prompt": self.prompt, **scene, **_rows(self.references)}


class MotionRequest(NamedTuple):
    """Stage 1: the motion alone, with the anchor in view."""

    prompt: str
    anchor: GivenImage
    model: str | None = None

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> MotionRequest:
        """Raises UsageError for what cannot be read, and for options without effect."""
        for name in ("style", "aspect_ratio", "motion_file", "reference", "scene"):
            if getattr(options, name) is not None:
                raise UsageError(
                    f"{flag_of(name)} has no effect with --anchor: only the motion is written.",
                    "Leave it out; the motion goes to --output.",
                )
        prompt = texts.read_text(options.prompt, None, "The prompt")
        anchor = given_images.read("--anchor", options.anchor, options.rerun)
        assert anchor is not None
        return cls(prompt, anchor, options.model)

    def digest(self, gateway: Identity) -> str:
        """By which the output is recognised."""
        return _digest("motion", self, gateway)

    def asked(self, gateway: Identity) -> dict[str, object]:
        """By option, as the receipt holds it."""
        return asked_of("rewrite_prompt", self._asdict(), gateway)

    def to_argv(self) -> Argv:
        """For `rewrite_prompt.py`."""
        return Argv(["-", *words_of({**_options(self), "prompt": None})], self.prompt)

    @property
    def inputs(self) -> dict[str, object]:
        """As the receipt holds them."""
        return {"prompt": self.prompt, "anchor": self.anchor.row}


class AnchorRequest(NamedTuple):
    """Stage 2: an anchor from a caption; with `edit` a picture changed as the caption says."""

    caption: str
    style: str | None = None
    aspect_ratio: str | None = None
    model: str | None = None
    enhance: bool | None = None
    take: int = 1
    references: tuple[GivenImage, ...] = ()
    edit: GivenImage | None = None
    wish: CandidateWish = CandidateWish()
    set: ServerFields = None
    character: bool | None = None  # a picture to make others from, of this one alone

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> AnchorRequest:
        """Reads the texts and the pictures. Raises UsageError for what cannot be used."""
        caption = _read_caption(options)
        prompt = None
        if options.user_prompt is not None:
            prompt = texts.read_text(options.user_prompt, None, "--user-prompt")
        wish = CandidateWish.from_options(options, prompt or caption)
        if prompt is not None and not wish.verifies:
            raise without_checks("--user-prompt")
        return cls(
            caption,
            options.style,
            options.aspect_ratio,
            options.model,
            options.enhance,
            options.take,
            given_images.read_all("--reference", options.reference, options.rerun),
            given_images.read("--edit", options.edit, options.rerun),
            wish,
            server_fields(options.set),
            options.character,
        )

    def digest(self, gateway: Identity) -> str:
        """By which candidate 1, the plain anchor, is recognised."""
        return _digest("composition", self._replace(wish=CandidateWish()), gateway)

    def asked(self, gateway: Identity) -> dict[str, object]:
        """By option, as the receipt holds it."""
        return asked_of("generate_anchor", self._asdict(), gateway)

    def to_argv(self) -> Argv:
        """For `generate_anchor.py`."""
        options = {**_options(self), "caption": None, "wish": None, **self.wish.options()}
        return Argv(words_of({**options, "input_file": "-"}), self.caption)

    @property
    def given(self) -> tuple[GivenImage, ...]:
        """The pictures it is generated from, the one to edit first."""
        return (*((self.edit,) if self.edit else ()), *self.references)

    @property
    def inputs(self) -> dict[str, object]:
        """As the receipt holds them."""
        edit = {"edit": self.edit.row} if self.edit else {}
        return {
            "change" if self.edit else "caption": self.caption,
            **edit,
            **_rows(self.references),
        }


class ClipRequest(NamedTuple):
    """Stage 3: a clip from an anchor and a prompt; `direct`: from the prompt alone."""

    prompt: str
    motion: str | None = None
    anchor: GivenImage | None = None
    last_frame: GivenImage | None = None
    model: str | None = None
    take: int = 1
    direct: bool = False
    settings: ClipSettings = ClipSettings()
    references: tuple[GivenImage, ...] = ()  # of a direct clip: gateways take these or a frame

    @classmethod
    def from_options(cls, options: argparse.Namespace) -> ClipRequest:
        """Reads the texts and the pictures. Raises UsageError for what cannot be used."""
        if options.fit == EXTEND:
            raise UsageError(
                "--fit extend has Stage 2 extend the picture first.",
                "Use factorized_generate.py with --anchor-path, or generate_anchor.py --edit.",
            )
        for name in ("fit", "last_frame", "draft", "loop") if options.direct else ():
            if getattr(options, name) is not None:
                raise UsageError(
                    f"{flag_of(name)} has no effect with --direct: "
                    + (
                        "a draft is of a first frame." if name == "draft" else "no picture is sent."
                    ),
                    "Leave it out.",
                )
        check_ends(options)
        if options.reference and not options.direct:
            raise UsageError(
                "--reference has no effect with --anchor: gateways take a first frame or "
                "references, not both.",
                "Use --direct without --anchor; or generate_anchor.py --reference, which puts them "
                "into the first frame.",
            )
        return cls(
            texts.read_text(options.prompt, None, "--prompt"),
            texts.read_motion(options.motion, options.motion_file),
            None
            if options.direct
            else given_images.read("--anchor", options.anchor, options.rerun),
            given_images.read("--last-frame", options.last_frame, options.rerun),
            options.model,
            options.take,
            bool(options.direct),
            ClipSettings.from_options(options),
            given_images.read_all("--reference", options.reference, options.rerun),
        )

    @property
    def ended_by(self) -> str | None:
        """The option that has the clip end with a picture; None where none does."""
        last = self.last_frame
        return "--loop" if self.settings.loop else (last.flag or "--last-frame") if last else None

    @property
    def ends_with(self) -> GivenImage | None:
        """The picture that it ends with, if there is one by now."""
        return self.anchor if self.settings.loop else self.last_frame

    def digest(self, gateway: Identity) -> str:
        """By which the clip is recognised."""
        return _digest("direct" if self.direct else "synthesis", self, gateway)

    def asked(self, gateway: Identity) -> dict[str, object]:
        """By option, as the receipt holds it."""
        return asked_of("generate_video_from_anchor", self._asdict(), gateway)

    def to_argv(self) -> Argv:
        """For `generate_video_from_anchor.py`."""
        options = {**_options(self), **self.settings._asdict(), "prompt": "-", "settings": None}
        return Argv(words_of({**options, "direct": self.direct or None}), self.prompt)

    @property
    def inputs(self) -> dict[str, object]:
        """As the receipt holds them."""
        pictures = {"anchor": self.anchor, "last_frame": self.last_frame}
        rows = {name: one.row for name, one in pictures.items() if one}
        return {"prompt": self.prompt, "motion": self.motion, **rows, **_rows(self.references)}


def check_ends(options: argparse.Namespace) -> None:
    """Raise UsageError for a clip that is to end with two pictures."""
    ends = {
        "--loop": options.loop,
        "--last-frame": options.last_frame,
        "--end-state": getattr(options, "end_state", None),  # of the orchestrator alone
    }
    given = [flag for flag, value in ends.items() if value is not None]
    if len(given) > 1:
        raise UsageError(
            f"{' and '.join(given)} end the clip with two pictures.", "Leave one of them out."
        )


def without_checks(flag: str) -> UsageError:
    """The error for an option of the checks where nothing is to be checked."""
    return UsageError(
        f"{flag} is for the checks, and nothing is to be checked.", "Add --verify, or leave it out."
    )


def _read_caption(options: argparse.Namespace) -> str:
    """The caption, or the change of an edit."""
    if (options.caption is None) == (options.input_file is None):
        raise UsageError(
            "There must be either a CAPTION or --input-file FILE.",
            "A caption that begins with a dash comes by --input-file.",
        )
    for name in ("style", "enhance", "character") if options.edit is not None else ():
        if getattr(options, name):
            raise UsageError(
                f"{flag_of(name)} has no effect with --edit: only what the words say is changed.",
                'Leave it out, or say it: "make it a watercolor painting".',
            )
    words = "The caption" if options.edit is None else "The change"
    what = words if options.input_file is None else "--input-file"
    return texts.read_text(options.caption, options.input_file, what)


def digest_fields(fields: dict[str, object]) -> dict[str, object]:
    """What goes into a digest: pictures by their SHA-256, nested settings by their own names."""
    asked: dict[str, object] = {}
    for name, value in fields.items():
        if isinstance(value, GivenImage):
            asked[name] = value.sha256
        elif isinstance(value, ClipSettings):
            asked |= value._asdict()
        elif name == "references":
            asked[name] = [one.sha256 for one in value] or None  # type: ignore[attr-defined]
        elif name == "take":
            asked[name] = value if value != 1 else None
        elif name not in ("wish", "direct"):
            asked[name] = value
    return asked


def asked_of(script: str, fields: dict[str, object], gateway: Identity) -> dict[str, object]:
    """What was asked of a script, by option: what its digest covers, and its name."""
    wish = fields.get("wish")
    given = {**(wish.given if isinstance(wish, CandidateWish) else {}), **digest_fields(fields)}
    named = {name: value for name, value in given.items() if value is not None}
    return {"script": script, **named, "gateway": gateway}


Request = CaptionRequest | MotionRequest | AnchorRequest | ClipRequest


def _digest(stage: str, request: Request, gateway: Identity) -> str:
    return receipts.digest(stage, {**digest_fields(request._asdict()), "gateway": gateway})


def _options(request: Request) -> dict[str, object]:
    """The fields as options: pictures by their paths, the first take unsaid."""
    options: dict[str, object] = {}
    for name, value in request._asdict().items():
        if name == "references":
            options["reference"] = [str(one.path) for one in value]
        elif isinstance(value, GivenImage):
            options[name] = str(value.path)
        else:
            options[name] = None if (name, value) == ("take", 1) else value
    return options


def _rows(references: tuple[GivenImage, ...]) -> dict[str, object]:
    return {"references": [one.row for one in references]} if references else {}
