"""What a model supports: a setting that is given is checked, any other is chosen. Pure.

A supported value is chosen for a setting that is not given, and reported. A given value is never
changed: where the model does not support it, a UsageError names what the model supports and which
models support the value. A fact that the registry does not know is not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .. import aspect_ratios, models
from ..errors import UsageError
from . import Model, engines

DEFAULT_RATIO = "16:9"
DEFAULT_DURATION_S = 6
DEFAULT_RESOLUTION = "720p"
# Where the model's ratios are not known, the picture's shape is matched to one of these.
COMMON_RATIOS = ("16:9", "9:16", "1:1", "4:3", "3:4", "3:2", "2:3", "21:9")
# A 1K picture of a 16:9 model is 1376x768, 0.8 % off; more than 2 % is another shape.
RATIO_TOLERANCE = 0.02


# -- the model ------------------------------------------------------------------------------------


def choose_model(
    kind: str, wanted: str | None, gateway: str, allow_off: bool
) -> tuple[Model, tuple[str, ...]]:
    """The model, and warnings about it. Raises UsageError for one that is off."""
    model = models.pick(kind, wanted, gateway)
    any_model = models.gateway(gateway).any_model
    if model.id == models.THE_ONLY_ONE:
        return model, (f"{gateway} has no default model: the only one in its list is used.",)
    if any_model:
        return model, ()
    if not model.listed:
        unlisted = "is not in this tool's model list: its settings and price are not checked."
        return model, (f"{model.id} {unlisted}",)
    if model.status == "off" and not allow_off:
        raise _is_off(model, gateway)
    notes = []
    if wanted and wanted != model.id:
        notes.append(f"{wanted} is called {model.id} at {gateway}; that id is sent.")
    if model.status == "upstream-retired":
        notes.append(_retired(model, gateway))
    elif model.disputed:
        notes.append(f"{model.id} may be gone: {model.disputed}.")
    elif gateway not in model.ids and not models.gateway(gateway).own_engines:
        notes.append(f"{model.id} is not known to be served by {gateway}; it is sent as it is.")
    return model, tuple(notes)


def _is_off(model: Model, gateway: str) -> UsageError:
    gone, instead = model.shutdown, replacement(model, gateway)
    how = f"{gone['by']} shut it down on {gone['date']}" if gone else f"{gateway} lacks it"
    how = f"{model.missing_from} lacks it" if model.missing_from else how
    hint = f"Use {instead}" if instead else "Choose another one"
    return UsageError(
        f"{model.id} is gone: {how}.", f"{hint}; or --allow-off if your gateway still serves it."
    )


def _retired(model: Model, gateway: str) -> str:
    gone, instead = model.shutdown, replacement(model, gateway)
    how = f"{model.id} was retired at {gateway}"
    if gone:
        how = f"{gone['by']} shut {model.id} down on {gone['date']}"
    then = f"use {instead}" if instead else "choose another one"
    return f"{how}; this gateway may keep an alias. If it does not know the model, {then}."


def other_eyes(judge: Model, gateway: str) -> str | None:
    """The id of the first LLM at this gateway that sees pictures and is of another vendor."""
    vendor = judge.id.partition("/")[0]
    for model in models.rows("llm"):
        here = model.ids.get(gateway)
        live = model.status_at(gateway) == "live"
        if here and live and model.sees_images and here.partition("/")[0] != vendor:
            return here
    return None


def replacement(model: Model, gateway: str) -> str | None:
    """The id, at this gateway, of the model that replaces one that is gone."""
    return models.pick(model.kind, model.replacement, gateway).id if model.replacement else None


# -- settings -------------------------------------------------------------------------------------


def check_ratio(model: Model, ratio: str, gateway: str) -> None:
    """Raise UsageError for a ratio that the model does not support."""
    if model.ratios and ratio not in model.ratios:
        raise UsageError(
            f"{model.id} supports the aspect ratio{'s' * (len(model.ratios) > 1)} "
            f"{listed(model.ratios)}, not {ratio}.",
            supporters(model, gateway, ratio, lambda m: ratio in (m.ratios or ())),
        )


def choose_ratio(
    model: Model,
    given: str | None,
    size: aspect_ratios.Size | None,
    gateway: str,
    drawn: tuple[str, ...] | None = None,
) -> tuple[str | None, str]:
    """The canvas's ratio, and in words how it was chosen ("" where it was given).

    `size` is that of your own picture; `drawn` the ratios that the image model supports, where one
    generates it. None where the clip has the picture's shape whatever it is.
    """
    if given is not None:
        check_ratio(model, given, gateway)
        return given, ""
    if size is None:
        fitting = [r for r in model.ratios or drawn or (DEFAULT_RATIO,) if r in (drawn or (r,))]
        ratio = DEFAULT_RATIO if DEFAULT_RATIO in fitting or not fitting else fitting[0]
        return ratio, f"aspect ratio {ratio}"
    if model.ratio_mode == "follows-image":
        return None, "aspect ratio: the clip follows the picture"
    ratio = aspect_ratios.nearest(size, model.ratios or COMMON_RATIOS)
    return ratio, f"aspect ratio {ratio}, nearest to the picture"


def resolutions(model: Model, gateway: str) -> tuple[str, ...] | None:
    """What the model makes and the gateway accepts; None if neither is known."""
    accepted = models.gateway(gateway).resolutions
    if model.resolutions is None or accepted is None:
        return model.resolutions or accepted
    return tuple(value for value in model.resolutions if value in accepted)


def choose_resolution(model: Model, given: str | None, gateway: str) -> tuple[str, str]:
    """The resolution, and in words how it was chosen ("" where it was given)."""
    supported, accepted = resolutions(model, gateway), models.gateway(gateway).resolutions
    if size := engines.typed_size(given):
        if not models.gateway(gateway).own_engines:
            raise UsageError(
                f"{gateway}'s video call takes no size in pixels.",
                "Set a resolution, such as --resolution 720p; --aspect-ratio sets the shape.",
            )
        engines.check_size(model, size)
        return str(given), ""
    if supported == ():
        raise UsageError(
            f"{model.id} makes {listed(model.resolutions or ())}; {gateway} accepts "
            f"{listed(accepted or ())} only.",
            "Choose another model.",
        )
    if given is None:
        pixels = aspect_ratios.short_side(DEFAULT_RESOLUTION)
        values = supported or (DEFAULT_RESOLUTION,)
        chosen = min(values, key=lambda value: abs(aspect_ratios.short_side(value) - pixels))
        return chosen, chosen
    if supported is None or given in supported:
        return given, ""
    if accepted and given not in accepted:
        raise UsageError(
            f"{gateway} accepts {listed(accepted)} only, not {given}.",
            f"Set one that {model.id} makes there ({listed(supported)}), or leave it out.",
        )
    raise UsageError(
        f"{model.id} makes {listed(supported)}, not {given}.",
        supporters(model, gateway, given, lambda m: given in (m.resolutions or ())),
    )


def choose_duration(
    model: Model,
    given: int | None,
    resolution: str,
    fit: bool,
    gateway: str,
    *,
    last_frame: bool = False,
    references: bool = False,
) -> tuple[int, str]:
    """Whole seconds, and in words how they were chosen ("" where they are as given).

    With `fit`, a given duration may become the nearest supported one; of two as near the shorter,
    which is the cheaper. `last_frame`: whether the clip's last frame is given; `references`:
    whether reference pictures are.
    """
    supported = model.durations_at(resolution, last_frame=last_frame, references=references)
    wanted = (model.usual_s or DEFAULT_DURATION_S) if given is None else given
    best = min(supported or (wanted,), key=lambda seconds: (abs(seconds - wanted), seconds))
    if given is None:
        return best, f"{best} s" + f", the nearest to {wanted} at {resolution}" * (best != wanted)
    if best == given:
        return given, ""
    if fit:
        return best, f"--fit-duration: {best} s instead of {given}, the nearest supported duration."
    locked = supported != model.durations
    where = f" at {resolution}" if locked else ""
    where += " with a last frame" * (locked and last_frame)
    where += " with references" * (locked and references)

    def makes(other: Model) -> bool:
        made = other.durations_at(resolution, last_frame=last_frame, references=references)
        seconds = made or ()
        return given in seconds and (not locked or resolution in (other.resolutions or ()))

    longest = max(supported or (given,))
    longer = ""
    if given > longest:
        parts = -(-given // longest)
        longer = (
            f" factorized_generate.py --extend {parts} --duration {longest} joins {parts} clips."
        )
    raise UsageError(
        f"{model.id} makes clips of {shown_seconds(supported or ())} seconds{where}, not {given}.",
        supporters(model, gateway, f"{given} s{where}", makes)
        + f" --fit-duration picks the nearest supported one.{longer}",
    )


def check_audio(model: Model, given: bool | None, gateway: str) -> tuple[str, ...]:
    """Warnings about a given audio setting. Raises UsageError for sound from a silent model."""
    if given is None or not (model.listed or says_audio(model, given, gateway) is not None):
        return ()
    if given and model.audio == "never":
        makes_sound = ("always", "switch")
        raise UsageError(
            f"{model.id} makes silent clips only.",
            supporters(model, gateway, "Sound", lambda m: m.audio in makes_sound),
        )
    if given:
        return () if model.audio else (f"It is not known whether {model.id} makes sound.",)
    if says_audio(model, given, gateway) is not None or model.audio in ("never", None):
        return ()
    why = "the model always makes sound"
    if model.audio == "switch":
        why = f"{gateway} has no known way to switch it off"
    return (f"--no-audio: {why}, so the track is removed here after download.",)


def says_audio(model: Model, given: bool | None, gateway: str) -> bool | None:
    """What the video call sends about sound; None where it sends nothing.

    A model that always makes sound rejects the switch, and a silent one has no use for it.
    """
    switch = models.gateway(gateway).audio_switch and model.audio_switch is not False
    return given if switch and model.audio in ("switch", None) else None


def check_seed(model: Model, given: int | None, gateway: str) -> None:
    """Raise UsageError for a seed that cannot be sent, or would have no effect."""
    if given is None:
        return
    if models.gateway(gateway).seed is False:
        raise UsageError(f"{gateway}'s video call has no field for a seed.", "Leave --seed out.")
    if model.seed is False:
        raise UsageError(
            f"{model.id} does not support a seed.",
            supporters(model, gateway, "A seed", lambda m: m.seed is True),
        )


def check_text_to_video(model: Model, gateway: str) -> None:
    """Raise UsageError for a model that makes no clip without a first frame."""
    if model.text_to_video is not False:
        return
    hint = supporters(model, gateway, "A prompt alone", lambda m: m.text_to_video is True)
    if model.text_sibling:
        sibling = models.pick("video", model.text_sibling, gateway).id
        hint = f"Its text-to-video sibling is {sibling}, for --direct; --compare needs one model "
        hint += "that does both."
    raise UsageError(
        f"{model.id} makes clips from a picture only, so it makes none directly from a prompt.",
        hint,
    )


def pixel_size(model: Model, ratio: str) -> str | None:
    """The size that an image model makes in a ratio ("1536x1024"); None if any, or unknown."""
    for size in model.sizes or ():
        width, x, height = size.partition("x")
        if x and aspect_ratios.difference((int(width), int(height)), ratio) < RATIO_TOLERANCE:
            return size
    return None


def check_prompt(model: Model, characters: int, gateway: str, what: str) -> None:
    """Raise UsageError for a text that is longer than the model accepts."""
    most = model.prompt_characters
    if most is None or characters <= most:
        return
    over = " and silently cuts off the rest" if model.prompt_over == "cut silently" else ""
    raise UsageError(
        f"{model.id} accepts {most:,} characters{over}; {what} has {characters:,}.",
        "Shorten it. "
        + supporters(
            model,
            gateway,
            f"A text of {characters:,} characters",
            lambda m: m.prompt_characters is not None and m.prompt_characters >= characters,
        ),
    )


# -- words ----------------------------------------------------------------------------------------


def listed(values: Sequence[object]) -> str:
    """ "4, 6 and 8"."""
    words = [str(value) for value in values]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def shown_seconds(seconds: Sequence[int]) -> str:
    """ "4, 6 and 8", or "4 to 15" for a range."""
    whole = len(seconds) > 2 and list(seconds) == list(range(seconds[0], seconds[-1] + 1))
    return f"{seconds[0]} to {seconds[-1]}" if whole else listed(seconds)


def supporters(model: Model, gateway: str, what: str, supports: Callable[[Model], bool]) -> str:
    """Which models support it, in a sentence: those of this gateway, else those of others."""
    framed = model.first_frame is not False  # then a model without a first frame would not help

    def fits(other: Model) -> bool:
        usable = other.status != "off" and not (framed and other.first_frame is False)
        return usable and supports(other)

    rows = models.rows(model.kind)
    here = [m.ids[gateway] for m in rows if gateway in m.ids and fits(m.there(gateway))]
    fitting = [m for m in rows if fits(m)]
    if here:
        return f"{what} is supported by {', '.join(here)}."
    if fitting:
        names = ", ".join(m.id for m in fitting[:4])
        return f"{what} is supported by {names}, which {gateway} is not known to serve."
    return "No known model supports that."
