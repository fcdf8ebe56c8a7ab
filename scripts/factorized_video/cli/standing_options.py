"""Options that stand in the environment or in `.env`: gateway, models and style.

An option on the command line goes before them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..gateway import lookup
from . import option_types
from .options import GATEWAYS

GATEWAY = "FACTORIZED_VIDEO_GATEWAY"
STYLE = "FACTORIZED_VIDEO_STYLE"
# By option, its variable.
VARIABLES = {
    "gateway": GATEWAY,
    "style": STYLE,
    "llm_model": "FACTORIZED_VIDEO_LLM_MODEL",
    "image_model": "FACTORIZED_VIDEO_IMAGE_MODEL",
    "video_model": "FACTORIZED_VIDEO_VIDEO_MODEL",
}
Place = Path | None  # the file that it stands in, or None for the environment


def fill(options: argparse.Namespace, model: str | None = None) -> None:
    """Set what was not given, and note in `options.standing` the place of each, by option.

    `model` is the variable's option that a script's own --model stands for. A stage that the
    orchestrator runs is given all it needs. Raises UsageError for a value that no option takes.
    """
    options.standing = {}
    if options.handoff.command:
        return
    found = lookup.standing(list(VARIABLES.values()))
    for option, variable in VARIABLES.items():
        name = "model" if option == model else option
        if variable in found and _may_be_set(options, name, option):
            value, place = found[variable]
            setattr(options, name, _read(variable, value, place))
            options.standing[name] = place


def shown(options: argparse.Namespace) -> dict[str, str]:
    """By option, in which file a standing option is, or that it is in the environment."""
    return {name: _in(place) for name, place in options.standing.items()}


def _may_be_set(options: argparse.Namespace, name: str, option: str) -> bool:
    """Whether the script has the option, it was not given, and it would have an effect."""
    given = vars(options)
    if name not in given or given[name] not in (None, "auto"):
        return False
    if option == "style":  # these have it from the picture that is given
        return not (given.get("edit") or ("motion_file" in given and given.get("anchor")))
    if option in ("llm_model", "image_model") and given.get("direct"):
        return False
    return option == "gateway" or options.gateway != "demo"  # whose models are its own


def _read(variable: str, value: str, place: Place) -> str:
    """The value as the option takes it."""
    types: dict[str, Callable[[str], Any]] = {GATEWAY: _gateway, STYLE: option_types.style}
    try:
        read: str = types.get(variable, str)(value)
    except argparse.ArgumentTypeError as error:
        raise UsageError(
            f"{variable} in {_in(place)}: {error}.", "Correct the line, or remove it."
        ) from None
    return read


def _gateway(text: str) -> str:
    name = text.lower()
    if name not in GATEWAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(GATEWAYS)}")
    return name


def _in(place: Place) -> str:
    return str(place) if place else "the environment"
