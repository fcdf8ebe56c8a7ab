"""What a model takes: typed settings are checked, the others chosen. Pure.

A setting nobody typed is not a demand: a legal one is chosen for it, and said. A typed one is never
changed; where the model does not take it that is a UsageError, which names what it takes and who
takes what was typed. A fact that the registry does not have is not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from .. import aspect_ratios, models
from ..errors import UsageError
from . import ImageLimits, Model

DEFAULT_RATIO = "16:9"
DEFAULT_DURATION_S = 6
DEFAULT_RESOLUTION = "720p"
# Where the model's ratios are not known, the picture's shape is matched to one of these.
COMMON_RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9")
# More is a cut that a person would want to be asked about. The pictures of models that draw
# 1376x768 for 16:9 lose less than 2 %.
FREE_CROP = 0.10
# A 1K picture of a 16:9 model is 1376x768, 0.8 % off; more than 2 % is another shape.
RATIO_TOLERANCE = 0.02


class Framing(NamedTuple):
    """How a picture is made fit to be a first frame."""

    ratio: str | None = None  # of the canvas; None: the clip follows the picture
    fit: str | None = None  # as typed: crop | pad | none; None: a crop that cuts off little
    limits: ImageLimits = ImageLimits()


def choose_model(
    kind: str, typed: str | None, gateway: str, allow_off: bool
) -> tuple[Model, tuple[str, ...]]:
    """The model, and what should be known of it. Raises UsageError for one that is off."""
    model = models.pick(kind, typed, gateway)
    notes = []
    if not model.listed:
        if model.id == models.THE_ONLY_ONE:
            notes.append(f"{gateway} has no default model: the server's list is asked.")
        elif not models.gateway(gateway).any_model:
            notes.append(
                f"{model.id} is not in this tool's model list: its settings and price are not "
                "checked."
            )
        return model, tuple(notes)
    if models.gateway(gateway).any_model:
        return model, ()
    if typed and typed != model.id:
        notes.append(f"{typed} is called {model.id} at {gateway}: that is what is sent.")
    gone = model.shutdown or {}
    instead = replacement(model, gateway)
    if model.status == "off" and not allow_off:
        how = f"{gone['by']} shut it down on {gone['date']}" if gone else f"{gateway} lacks it"
        hint = f"Use {instead}; or " if instead else "Choose another one; or "
        raise UsageError(
            f"{model.id} is gone: {how}.", f"{hint}--allow-off if your gateway still serves it."
        )
    if model.status == "upstream-retired":
        how = (
            f"{gone['by']} shut {model.id} down on {gone['date']}"
            if gone
            else f"{model.id} was retired at {gateway}"
        )
        then = f"use {instead}" if instead else "choose another one"
        notes.append(
            f"{how}; this gateway may keep an alias. If it does not know the model, {then}."
        )
    elif gateway not in model.ids:
        notes.append(f"{model.id} is not known to be served by {gateway}; it is sent as it is.")
    return model, tuple(notes)


def other_eyes(judge: Model, gateway: str) -> str | None:
    """The id of an LLM at this gateway that sees pictures and is of another vendor than the judge.

    The first such one of the registry; None where none is known.
    """
    vendor = judge.id.partition("/")[0]
    for model in models.rows("llm"):
        here = model.ids.get(gateway)
        live = model.statuses.get(gateway, model.status) == "live"
        if here and live and model.sees_images and here.partition("/")[0] != vendor:
            return here
    return None


def replacement(model: Model, gateway: str) -> str | None:
    """The id, at this gateway, of the model that is named in place of one that is gone."""
    return models.pick(model.kind, model.replacement, gateway).id if model.replacement else None


def check_ratio(model: Model, ratio: str, gateway: str) -> None:
    """Raise UsageError for a ratio that the model does not take."""
    if model.ratios and ratio not in model.ratios:
        raise UsageError(
            f"{model.id} takes the aspect ratio{'s' * (len(model.ratios) > 1)} "
            f"{listed(model.ratios)}, not {ratio}.",
            _takers(model, gateway, ratio, lambda m: bool(m.ratios) and ratio in (m.ratios or ())),
        )


def choose_ratio(
    model: Model,
    typed: str | None,
    size: aspect_ratios.Size | None,
    gateway: str,
    drawn: tuple[str, ...] | None = None,
) -> tuple[str | None, str]:
    """The canvas's ratio, and in words how it was chosen ("" where it was typed).

    `size` is that of one's own picture; `drawn` the ratios that the image model takes, where one
    draws it. None where the clip has the picture's shape whatever it is.
    """
    if typed is not None:
        check_ratio(model, typed, gateway)
        return typed, ""
    if size is None:
        legal = [r for r in model.ratios or drawn or (DEFAULT_RATIO,) if r in (drawn or (r,))]
        ratio = DEFAULT_RATIO if DEFAULT_RATIO in legal or not legal else legal[0]
        return ratio, f"aspect ratio {ratio}"
    if model.ratio_mode == "follows-image":
        return None, "aspect ratio: the clip follows the picture"
    ratio = aspect_ratios.nearest(size, model.ratios or COMMON_RATIOS)
    return ratio, f"aspect ratio {ratio}, nearest to the picture"


def resolutions(model: Model, gateway: str) -> tuple[str, ...] | None:
    """What the model makes and the gateway can ask it for; None if neither is known."""
    sayable = models.gateway(gateway).resolutions
    if model.resolutions is None or sayable is None:
        return model.resolutions or sayable
    return tuple(value for value in model.resolutions if value in sayable)


def choose_resolution(model: Model, typed: str | None, gateway: str) -> tuple[str, str]:
    """The resolution, and in words how it was chosen ("" where it was typed)."""
    legal = resolutions(model, gateway)
    sayable = models.gateway(gateway).resolutions
    if legal == ():
        raise UsageError(
            f"{model.id} makes {listed(model.resolutions or ())}; {gateway} can be asked for "
            f"{listed(sayable or ())} only.",
            "Choose another model.",
        )
    if typed is None:
        wanted = aspect_ratios.short_side(DEFAULT_RESOLUTION)
        chosen = min(
            legal or [DEFAULT_RESOLUTION], key=lambda v: abs(aspect_ratios.short_side(v) - wanted)
        )
        return chosen, chosen
    if legal is None or typed in legal:
        return typed, ""
    if sayable and typed not in sayable:
        raise UsageError(
            f"{gateway} can be asked for {listed(sayable)} only, not {typed}.",
            f"Type one that {model.id} makes there ({listed(legal)}), or none.",
        )
    raise UsageError(
        f"{model.id} makes {listed(legal)}, not {typed}.",
        _takers(model, gateway, typed, lambda m: typed in (m.resolutions or ())),
    )


def choose_duration(
    model: Model,
    typed: int | None,
    resolution: str,
    fit: bool,
    gateway: str,
    *,
    last_frame: bool = False,
) -> tuple[int, str]:
    """Whole seconds, and in words how they were chosen ("" where they are as typed).

    With `fit` a typed duration may become the nearest legal one; of two as near the shorter, which
    is the cheaper. `last_frame`: of a clip whose last frame is given.
    """
    legal = model.durations_at(resolution, last_frame=last_frame)
    wanted = DEFAULT_DURATION_S if typed is None else typed
    best = min(legal or (wanted,), key=lambda seconds: (abs(seconds - wanted), seconds))
    if typed is None:
        why = f", the nearest to {wanted} at {resolution}" if best != wanted else ""
        return best, f"{best} s{why}"
    if best == typed:
        return typed, ""
    if fit:
        return best, f"--fit-duration: {best} s instead of {typed}, the nearest that it makes."
    locked = legal != model.durations
    where = f" at {resolution}" if locked else ""
    where += " with a last frame" if locked and last_frame else ""
    raise UsageError(
        f"{model.id} makes clips of {shown_seconds(legal or ())} seconds{where}, not {typed}.",
        _takers(
            model,
            gateway,
            f"{typed} s{where}",
            lambda m: (
                typed in (m.durations_at(resolution, last_frame=last_frame) or ())
                and (not locked or resolution in (m.resolutions or ()))
            ),
        )
        + " --fit-duration takes the nearest legal one.",
    )


def check_audio(model: Model, typed: bool | None, gateway: str) -> tuple[str, ...]:
    """What should be known of a typed audio setting. Raises UsageError for sound from a mute."""
    if typed is None or not (model.listed or says_audio(model, typed, gateway) is not None):
        return ()
    if typed:
        if model.audio == "never":
            raise UsageError(
                f"{model.id} makes silent clips only.",
                _takers(model, gateway, "sound", lambda m: m.audio in ("always", "switch")),
            )
        if model.audio is None:
            return (f"Whether {model.id} makes sound is not known.",)
        return ()
    if says_audio(model, typed, gateway) is None and model.audio in ("always", "switch"):
        why = (
            "the model always makes sound"
            if model.audio == "always"
            else f"{gateway} has no known way to say so"
        )
        return (f"--no-audio: {why}, so the track is removed here from the clip that comes.",)
    return ()


def says_audio(model: Model, typed: bool | None, gateway: str) -> bool | None:
    """What the video call says of sound; None where it says nothing.

    A model that always makes sound rejects the switch, and one that makes none has nothing to say.
    """
    sayable = models.gateway(gateway).audio_switch
    return typed if sayable and model.audio in ("switch", None) else None


def check_seed(model: Model, typed: int | None, gateway: str) -> None:
    """Raise UsageError for a seed that could not be told, or would not be heeded."""
    if typed is None:
        return
    if models.gateway(gateway).seed is False:
        raise UsageError(f"{gateway}'s video call has no field for a seed.", "Leave --seed out.")
    if model.seed is False:
        raise UsageError(
            f"{model.id} takes no seed.",
            _takers(model, gateway, "a seed", lambda m: m.seed is True),
        )


def check_text_to_video(model: Model, gateway: str) -> None:
    """Raise UsageError for a model that makes no clip without a first frame."""
    if model.text_to_video is not False:
        return
    sibling = models.pick("video", model.text_sibling, gateway).id if model.text_sibling else None
    raise UsageError(
        f"{model.id} makes clips from a picture only, so it makes none directly from a prompt.",
        f"Its text-to-video sibling is {sibling}, for --direct; --compare needs one model that "
        "does both."
        if sibling
        else _takers(model, gateway, "A prompt alone", lambda m: m.text_to_video is True),
    )


def check_last_frame(model: Model, wanted: bool, gateway: str) -> None:
    """Raise UsageError for a last frame that could not be told, or would not be heeded."""
    if not wanted:
        return
    if models.gateway(gateway).last_frame is False:
        raise UsageError(
            f"{gateway}'s video call has no field for a last frame.", "Leave --last-frame out."
        )
    if model.last_frame is False:
        raise UsageError(
            f"{model.id} takes no last frame.",
            _takers(model, gateway, "a last frame", lambda m: m.last_frame is True),
        )


def check_last_size(
    model: Model, size: aspect_ratios.Size, first: aspect_ratios.Size | None, framing: Framing
) -> tuple[str, ...]:
    """What should be known of a picture as a last frame; UsageError as for the first.

    Where the clip follows the first picture, the last one must have its shape.
    """
    try:
        notes = check_frame(model, size, framing)
    except UsageError as error:
        raise UsageError(f"--last-frame: {error.message}", error.hint) from None
    if framing.ratio is None and first:
        shape = f"{first[0]}:{first[1]}"
        if aspect_ratios.difference(size, shape) > RATIO_TOLERANCE:
            notes += (
                f"It is {size[0]}x{size[1]} px, another shape than the first frame "
                f"({first[0]}x{first[1]}): what becomes of that is up to {model.id}.",
            )
    return tuple(f"--last-frame: {note}" for note in notes)


def check_drawn_from(
    model: Model,
    references: Sequence[aspect_ratios.Size | None],
    edit: aspect_ratios.Size | bool | None,
    gateway: str,
) -> None:
    """Raise UsageError for pictures that an image model does not draw from, or not so many.

    `references` are their sizes in pixels, None where one is not known; `edit` that of the picture
    to be changed, True where it is not known, None where there is none.
    """
    if edit is not None and model.edits is False:
        raise UsageError(
            f"{model.id} edits no pictures.",
            _takers(model, gateway, "an edit", lambda m: m.edits is True),
        )
    most, number = model.references, len(references) + (edit is not None)
    if references and most is not None and number > most:
        rest = " with the one to be edited" if edit is not None else ""
        given = f"{number}{rest} were given" if number > 1 else "one was given"
        raise UsageError(
            f"{model.id} takes {most or 'no'} reference picture{'s' * (most != 1)}; {given}.",
            f"Give {most} at most. " * bool(most)
            + _takers(
                model,
                gateway,
                f"{number} or more",
                lambda m: m.references is not None and m.references >= number,
            ),
        )
    sized = [("--reference", size) for size in references] + [("--edit", edit)]
    for flag, size in sized:
        if not isinstance(size, tuple):
            continue
        try:
            check_frame(model, size, Framing(limits=model.image or ImageLimits()))
        except UsageError as error:
            raise UsageError(f"{flag}: {error.message}", "Crop it, or use another one.") from None


def pixel_size(model: Model, ratio: str) -> str | None:
    """The size that an image model makes in a ratio ("1536x1024"); None if any, or unknown."""
    for size in model.sizes or ():
        width, x, height = size.partition("x")
        if x and aspect_ratios.difference((int(width), int(height)), ratio) < RATIO_TOLERANCE:
            return size
    return None


def check_prompt(model: Model, characters: int, gateway: str, what: str) -> None:
    """Raise UsageError for a text that is longer than the model takes."""
    most = model.prompt_characters
    if most is None or characters <= most:
        return
    over = " and silently cuts off the rest" if model.prompt_over == "cut silently" else ""
    raise UsageError(
        f"{model.id} takes {most:,} characters{over}; {what} has {characters:,}.",
        "Shorten it. "
        + _takers(
            model,
            gateway,
            f"{characters:,} characters",
            lambda m: m.prompt_characters is not None and m.prompt_characters >= characters,
        ),
    )


def check_frame(model: Model, size: aspect_ratios.Size, framing: Framing) -> tuple[str, ...]:
    """What should be known of a picture as a first frame.

    Raises UsageError where fitting it to the canvas would cut off more than 10 % unasked, and where
    the model does not take what would be left.
    """
    notes = []
    width, height = size
    ratio, limits = framing.ratio, framing.limits
    left = size
    if ratio is not None and framing.fit != "none":
        lost = aspect_ratios.lost_by_crop(size, ratio)
        left = aspect_ratios.largest_within(size, ratio)
        if framing.fit is None and lost > FREE_CROP + 1e-9:  # a tenth is a tenth
            raise UsageError(
                f"The picture is {width}x{height} px: as {ratio} it would lose {lost:.0%} of its "
                f"area ({left[0]}x{left[1]} px would be left).",
                "--fit crop cuts it, --fit pad puts black bars around it, --fit none sends it as "
                "it is; or type another --aspect-ratio.",
            )
        if framing.fit == "pad":
            left = aspect_ratios.smallest_around(size, ratio)
    elif ratio is not None and aspect_ratios.difference(size, ratio) > RATIO_TOLERANCE:
        notes.append(
            f"The picture is {width}x{height} px, not {ratio}: what becomes of that is up to "
            f"{model.id}."
        )
    if limits.side_min and min(left) < limits.side_min:
        raise UsageError(
            f"{model.id} takes pictures of {limits.side_min} px a side or more; this one has "
            f"{left[0]}x{left[1]}.",
            "Use a larger picture.",
        )
    shape = left[0] / left[1]
    least, most = limits.ratio_min or 0.0, limits.ratio_max or shape
    if not least <= shape <= most:
        legal = f"at least {least:g}" if shape < least else f"at most {most:g}"
        if limits.ratio_min and limits.ratio_max:
            legal = f"{least:g} to {most:g}"
        raise UsageError(
            f"{model.id} takes pictures whose width is {legal} times their height; this one's is "
            f"{shape:.2f}.",
            "Add --fit crop with an --aspect-ratio within that, or use another picture.",
        )
    return tuple(notes)


def listed(values: Sequence[object]) -> str:
    """ "4, 6 and 8"."""
    words = [str(value) for value in values]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def shown_seconds(seconds: Sequence[int]) -> str:
    """ "4, 6 and 8", or "4 to 15" for a range."""
    whole = len(seconds) > 2 and list(seconds) == list(range(seconds[0], seconds[-1] + 1))
    return f"{seconds[0]} to {seconds[-1]}" if whole else listed(seconds)


def _takers(model: Model, gateway: str, what: str, takes: Callable[[Model], bool]) -> str:
    """Who takes it, in a sentence: those of this gateway, else those of others."""
    # Who asked for a clip that begins with a picture is shown none that takes no picture.
    framed = model.first_frame is not False
    fitting = [
        m
        for m in models.rows(model.kind)
        if m.status != "off" and takes(m) and not (framed and m.first_frame is False)
    ]
    here = [
        m.ids[gateway] for m in fitting if gateway in m.ids and m.statuses.get(gateway) != "off"
    ]
    if here:
        return f"{what} is taken by {', '.join(here)}."
    if fitting:
        names = ", ".join(m.id for m in fitting[:4])
        return f"{what} is taken by {names}, which {gateway} is not known to serve."
    return "No model that this tool knows is known to take that."
