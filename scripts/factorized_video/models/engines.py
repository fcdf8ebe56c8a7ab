"""What an engine of one's own needs of a clip: a size in pixels that it can make, and frames. Pure.

SGLang, vLLM-Omni and their like hand these on to the model as they come: a size that is not of
whole blocks fails once the model runs, and a rate of frames that is not the model's is another
speed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from .. import aspect_ratios, models
from ..aspect_ratios import Size
from ..errors import UsageError
from . import Engine, Model

# A model that is not listed is taken for one like Wan, whose cards name 832x480.
USUAL = Engine(16, {"480p": "832x480"})
# A typed size and a typed ratio may differ by this much: 832x480 is 2.5 % off 16:9.
SHAPE_TOLERANCE = 0.04
# The fields that options set, and which.
_OF_BOTH = {
    **dict.fromkeys(("model", "prompt", "user"), "Leave it out."),
    **dict.fromkeys(("n", "num_outputs_per_prompt"), "--candidates and --take ask for more."),
    **dict.fromkeys(("size", "width", "height"), "--resolution and --aspect-ratio set the size."),
}
OF_IMAGES = {**_OF_BOTH, **dict.fromkeys(("image", "url", "response_format"), "Leave it out.")}
OF_CLIPS = {
    **_OF_BOTH,
    "seconds": "Use --duration.",
    "seed": "Use --seed.",
    "generate_sound": "Use --audio or --no-audio.",
    **dict.fromkeys(("input_reference", "image_reference", "reference_url"), "Use --anchor."),
}


def size_of(model: Model, resolution: str, shape: str) -> Size:
    """The pixels for a resolution in a ratio; a resolution in pixels is that size."""
    if typed := typed_size(resolution):
        return typed
    engine = model.engine or USUAL
    named = typed_size(engine.pixels.get(resolution, ""))
    if named and _is_wide(shape):
        return named
    if named and _is_wide(":".join(reversed(shape.split(":")))):
        return named[1], named[0]
    return _in_blocks(aspect_ratios.pixels(resolution, shape), engine.multiple)


def _is_wide(shape: str) -> bool:
    return aspect_ratios.difference((16, 9), shape) < 0.01


def _in_blocks(size: str, multiple: int) -> Size:
    """The nearest sides of whole blocks."""
    wide, high = (max(1, round(int(side) / multiple)) * multiple for side in size.split("x"))
    return wide, high


def typed_size(resolution: str | None) -> Size | None:
    """The size of a resolution that is given in pixels ("832x480")."""
    wide, x, high = (resolution or "").partition("x")
    return (int(wide), int(high)) if x else None


def check_size(model: Model, size: Size) -> None:
    """Raise UsageError for a size that a listed model cannot make."""
    if model.engine is None:
        return
    nearest = _in_blocks(f"{size[0]}x{size[1]}", model.engine.multiple)
    if nearest != size:
        raise UsageError(
            f"{model.id} makes sides in multiples of {model.engine.multiple} px, not "
            f"{size[0]}x{size[1]}.",
            f"The nearest is --resolution {nearest[0]}x{nearest[1]}.",
        )


def ratio_of(size: str) -> str:
    """A size as a ratio ("832:480"), for cutting a picture to just that shape."""
    return size.replace("x", ":")


def fields_of(given: Sequence[str] | None, gateway: str, own: Mapping[str, str]) -> dict[str, Any]:
    """The given fields of a call, "KEY=VALUE" each, with numbers as such.

    `own` names the options of the fields that this tool sets itself. Raises UsageError for one of
    them, and at a gateway that is no server of one's own.
    """
    if given and not models.gateway(gateway).own_engines:
        raise UsageError(
            f"Fields are given to a server of your own, and {gateway} is none.",
            "Leave out --set and --image-set.",
        )
    fields = {}
    for one in given or ():
        name, _, value = one.partition("=")
        if name in own:
            raise UsageError(f"The field {name} is set by this tool itself.", own[name])
        fields[name] = _as_number(value)
    return fields


def _as_number(text: str) -> object:
    """A number, true or false as such, and any other text as it is."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, bool | int | float) and math.isfinite(value) else text


def frames_of(model: Model, seconds: int, fps: object = None) -> dict[str, int]:
    """The fields that make a clip so long at the model's rate; `fps` where another one is given.

    Empty for a model whose rate is not known, or is not to be set.
    """
    engine = model.engine
    if engine is None or not engine.fps or not engine.frame_step:
        return {}
    given = fps if isinstance(fps, int | float) and 0 < fps <= 1_000 else None
    steps = max(1, round((seconds * (given or engine.fps) - 1) / engine.frame_step))
    frames = {"num_frames": steps * engine.frame_step + 1}
    return frames if given else {"fps": engine.fps, **frames}
