"""What an image or video model needs of the pictures that it is given. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import NamedTuple

from .. import aspect_ratios, models
from ..errors import UsageError
from . import ImageLimits, Model
from .limits import RATIO_TOLERANCE, supporters

# You would want to be asked about a larger cut. Models that generate 1376x768 for 16:9 lose less
# than 2 %.
FREE_CROP = 0.10


class Framing(NamedTuple):
    """How a picture is fitted to be a first frame."""

    ratio: str | None = None  # of the canvas; None: the clip follows the picture
    # As given: crop | crop:x,y | pad | none; None: a crop that cuts off little.
    fit: str | None = None
    limits: ImageLimits = ImageLimits()

    def corner(self, size: aspect_ratios.Size, canvas: aspect_ratios.Size) -> tuple[int, int]:
        """Where the canvas begins in a picture of this size; outside it where there are bars."""
        x, y = (
            min(max(0, floor(share * side - part / 2)), side - part)
            if part <= side
            else (side - part) // 2
            for share, side, part in zip(self.kept, size, canvas, strict=True)
        )
        return x, y

    @property
    def kept(self) -> tuple[float, float]:
        """The place of the picture that a crop keeps, as shares of its width and height."""
        x, comma, y = (self.fit or "").partition(":")[2].partition(",")
        return (float(x), float(y)) if comma else (0.5, 0.5)


class Cut(NamedTuple):
    """What is left of a picture as a first frame, in pixels before it is scaled, and from where."""

    size: aspect_ratios.Size
    left: aspect_ratios.Size
    at: tuple[int, int]  # of the left top corner

    @property
    def shown(self) -> str:
        """For people."""
        (width, height), (wide, high) = self.size, self.left
        if self.left == self.size:
            return f"all {width}x{height} px"
        if wide > width or high > height:
            return f"{width}x{height} px with bars around them, {wide}x{high} px together"
        share = 1 - wide * high / (width * height)
        return (
            f"{wide}x{high} of {width}x{height} px, from {self.at[0]},{self.at[1]}; {share:.0%} is "
            "cut off (--fit crop:X,Y places the cut)"
        )

    def as_json(self) -> dict[str, object]:
        """The `first_frame` object of a result."""
        return {"picture": list(self.size), "kept": list(self.left), "from": list(self.at)}


def cut_from(size: aspect_ratios.Size, framing: Framing) -> Cut:
    """What of a picture of this size is sent. Pure."""
    ratio = framing.ratio
    if ratio is None or framing.fit == "none":
        return Cut(size, size, (0, 0))
    around = aspect_ratios.smallest_around if framing.fit == "pad" else aspect_ratios.largest_within
    left = around(size, ratio)
    return Cut(size, left, framing.corner(size, left))


def check_drawn_from(
    model: Model,
    references: Sequence[aspect_ratios.Size | None],
    edit: aspect_ratios.Size | bool | None,
    gateway: str,
) -> None:
    """Raise UsageError for pictures that an image model cannot use, or not so many.

    `references` are their sizes in pixels, None where one is not known; `edit` that of the picture
    to be changed, True where it is not known, None where there is none.
    """
    if edit is not None and model.edits is False:
        raise UsageError(
            f"{model.id} cannot edit pictures.",
            supporters(model, gateway, "An edit", lambda m: m.edits is True),
        )
    if references:
        _check_number(model, len(references), edit is not None, gateway)
    for flag, size in [*(("--reference", size) for size in references), ("--edit", edit)]:
        if isinstance(size, tuple):
            try:
                check_frame(model, size, Framing(limits=model.image or ImageLimits()))
            except UsageError as error:
                hint = "Crop it, or use another one."
                raise UsageError(f"{flag}: {error.message}", hint) from None


def _check_number(model: Model, references: int, edits: bool, gateway: str) -> None:
    most, number = model.references, references + edits
    if most is None or number <= most:
        return
    given = "one was given"
    if number > 1:
        given = f"{number}{' with the one to be edited' * edits} were given"
    raise UsageError(
        f"{model.id} supports {most or 'no'} reference picture{'s' * (most != 1)}; {given}.",
        f"Give {most} at most. " * bool(most)
        + supporters(
            model, gateway, f"A set of {number} or more", lambda m: (m.references or 0) >= number
        ),
    )


def check_references(model: Model, number: int, gateway: str) -> None:
    """Raise UsageError where a clip cannot be made from so many reference pictures."""
    if not models.gateway(gateway).references:
        raise UsageError(
            f"{gateway}'s video call has no field for reference pictures.",
            "Leave out --direct: then they go into the first frame. Or choose another gateway.",
        )
    if model.references is None:
        raise UsageError(
            f"It is not known that {model.id} makes clips from reference pictures.",
            supporters(model, gateway, "A reference", lambda m: bool(m.references)),
        )
    _check_number(model, number, False, gateway)


def check_frame(model: Model, size: aspect_ratios.Size, framing: Framing) -> tuple[str, ...]:
    """Warnings about a picture as a first frame.

    Raises UsageError where fitting it to the canvas would cut off more than 10 % unasked, and where
    the model does not support what would be left.
    """
    ratio, limits = framing.ratio, framing.limits
    left = size if ratio is None else _fitted(size, ratio, framing.fit)
    if limits.side_min and min(left) < limits.side_min:
        raise UsageError(
            f"{model.id} needs pictures of {limits.side_min} px a side or more; this one has "
            f"{left[0]}x{left[1]}.",
            "Use a larger picture.",
        )
    shape = left[0] / left[1]
    least, most = limits.ratio_min or 0.0, limits.ratio_max or shape
    if not least <= shape <= most:
        needed = f"at least {least:g}" if shape < least else f"at most {most:g}"
        if limits.ratio_min and limits.ratio_max:
            needed = f"{least:g} to {most:g}"
        raise UsageError(
            f"{model.id} needs pictures whose width is {needed} times their height; this one's is "
            f"{shape:.2f}.",
            "Add --fit crop with an --aspect-ratio within that, or use another picture.",
        )
    if framing.fit == "none" and ratio and aspect_ratios.difference(size, ratio) > RATIO_TOLERANCE:
        return (
            f"The picture is {size[0]}x{size[1]} px, not {ratio}: {model.id} decides the rest.",
        )
    return ()


def _fitted(size: aspect_ratios.Size, ratio: str, fit: str | None) -> aspect_ratios.Size:
    """What is left once it is fitted. Raises UsageError for a large cut that nobody asked for."""
    if fit == "none":
        return size
    if fit == "pad":
        return aspect_ratios.smallest_around(size, ratio)
    lost, left = aspect_ratios.lost_by_crop(size, ratio), aspect_ratios.largest_within(size, ratio)
    if fit is None and lost > FREE_CROP + 1e-9:  # a tenth is a tenth
        raise UsageError(
            f"The picture is {size[0]}x{size[1]} px: as {ratio} it would lose {lost:.0%} of its "
            f"area ({left[0]}x{left[1]} px would be left).",
            "--fit crop cuts it (crop:top, crop:left or crop:X,Y keeps that place), --fit pad puts "
            "black bars around it, --fit extend has the image model extend it (paid), --fit none "
            "sends it as it is; or set another --aspect-ratio. "
            "factorized_generate.py --stop-after anchor shows what would be sent, free.",
        )
    return left


def check_last_frame(model: Model, flag: str | None, gateway: str) -> None:
    """Raise UsageError for a last frame that cannot be sent, or would have no effect.

    `flag` is the option that asks for one; None where none does.
    """
    if flag is None:
        return
    if models.gateway(gateway).last_frame is False:
        hint = f"Leave {flag} out."
        raise UsageError(f"{gateway}'s video call has no field for a last frame.", hint)
    if models.gateway(gateway).own_engines and model.last_frame is None:
        raise UsageError(
            f"{gateway}'s video call has no field for a last frame that all servers know.",
            f"Leave {flag} out. "
            + supporters(model, gateway, "A last frame", lambda m: m.last_frame is True),
        )
    if model.last_frame is False:
        raise UsageError(
            f"{model.id} does not support a last frame.",
            supporters(model, gateway, "A last frame", lambda m: m.last_frame is True),
        )


# Levels of 255 a pixel between a clip's end and the last frame that was given: above this it is
# another picture. Unrelated ones are 39 apart (dev.to, owen_fox: one clip of each model).
LOOSE, UNRELATED = 20.0, 39.0


def loosely_ended(model: Model, flag: str | None) -> tuple[str, ...]:
    """A warning where the model is known to keep to a last frame hardly at all."""
    error = model.last_frame_error
    if flag is None or error is None or error <= LOOSE:
        return ()
    return (
        f"{model.id} hardly keeps to a last frame: its clip ended {error:g} levels of 255 off it, "
        f"where unrelated pictures are {UNRELATED:g} apart. {flag} may have no effect.",
    )


def check_last_size(
    model: Model, size: aspect_ratios.Size, first: aspect_ratios.Size | None, framing: Framing
) -> tuple[str, ...]:
    """Warnings about a picture as a last frame; UsageError as for the first.

    Where the clip follows the first picture, the last one must have its shape.
    """
    try:
        notes = check_frame(model, size, framing)
    except UsageError as error:
        raise UsageError(f"--last-frame: {error.message}", error.hint) from None
    shape = f"{first[0]}:{first[1]}" if first else ""
    if framing.ratio is None and shape and aspect_ratios.difference(size, shape) > RATIO_TOLERANCE:
        notes += (
            f"It is {size[0]}x{size[1]} px, another shape than the first frame "
            f"({shape.replace(':', 'x')}): {model.id} decides the rest.",
        )
    return tuple(f"--last-frame: {note}" for note in notes)
