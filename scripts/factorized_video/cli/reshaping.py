"""--from: a finished clip or film again in another shape.

Caption, cast and motion are kept; each first frame is drawn anew, from the one that is there.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from pathlib import Path
from typing import Any

from .. import money, output_paths, receipts, texts
from ..errors import UsageError
from ..pipeline.work_folder import WorkFolder
from ..receipts import run_list
from .story_reading import KEPT, FirstFilm


def fill(options: argparse.Namespace, parser: argparse.ArgumentParser) -> None:
    """Set the options that make it. Raises UsageError for what cannot be made again."""
    if options.aspect_ratio is None:
        raise UsageError(
            "--from makes the same in another shape, and none is named.",
            "Add --aspect-ratio, such as 9:16.",
        )
    first = Path(options.from_output).expanduser().absolute()
    if options.output is None:
        shape = options.aspect_ratio.replace(":", "x")
        options.output = str(first.with_name(f"{first.stem}-{shape}.mp4"))
    summary = first.with_suffix(output_paths.STORY_FOLDER) / run_list.STORY
    if summary.is_file():
        _fill_film(options, parser, summary)
    else:
        _fill_clip(options, parser, first)


def _fill_clip(options: argparse.Namespace, parser: argparse.ArgumentParser, first: Path) -> None:
    """Of one clip, by its receipt."""
    receipt = receipts.read(first) or {}
    asked = receipts.part(receipt, "asked")
    if receipt.get("stage") != "synthesis" or asked.get("script") != "factorized_generate":
        raise UsageError(
            f"{first} is no clip in three stages that was made here.",
            "Give the clip itself, such as outputs/cat.mp4; its receipt and its work folder lie "
            "beside it.",
        )
    if "anchor" in asked:
        raise UsageError(
            f"{first} was made from a picture of your own, not from a caption.",
            "Extend that picture instead: --anchor-path IMAGE --fit extend --aspect-ratio "
            f"{options.aspect_ratio} --prompt TEXT.",
        )
    folder = WorkFolder.of(first)
    options.prompt = texts.as_value(str(asked.get("prompt") or ""))
    _keep(options, parser, asked)
    if not options.skip_reasoning and options.caption is None:
        caption = texts.read_text(None, str(folder.caption), "The caption")
        options.caption = texts.as_value(caption)
    motion = receipts.part(receipt, "inputs").get("motion")
    typed = options.motion is not None or options.motion_file is not None
    if isinstance(motion, str) and not typed and _sends_motion(options):
        options.motion = texts.as_value(motion)
    if not folder.anchor.is_file():
        raise UsageError(
            f"{folder.anchor} is not there, and it is drawn anew from that.",
            "Bring it back, or make the clip from its prompt.",
        )
    options.reference = [str(folder.anchor), *(options.reference or ())]
    _tell(options, first, receipts.part(receipt, "pipeline").get("cost"))


def _keep(
    options: argparse.Namespace, parser: argparse.ArgumentParser, asked: dict[str, Any]
) -> None:
    """Set what the first one was asked for with, unless the command says otherwise."""
    for name in KEPT:
        if asked.get(name) is not None and getattr(options, name) == parser.get_default(name):
            value = asked[name]
            setattr(options, name, texts.as_value(value) if name == "end_state" else value)


def _sends_motion(options: argparse.Namespace) -> bool:
    """Whether a motion has an effect beside the other options."""
    return not options.motion_from_anchor and options.prompt_strategy != "original"


def _fill_film(options: argparse.Namespace, parser: argparse.ArgumentParser, summary: Path) -> None:
    """Of a film, by its summary."""
    told: Any = None
    with contextlib.suppress(OSError, ValueError, RecursionError):
        told = json.loads(summary.read_text(encoding="utf-8"))
    if not isinstance(told, dict) or not isinstance(told.get("story"), str):
        raise UsageError(
            f"{summary} cannot be read.", "Make the story anew with --story FILE --aspect-ratio."
        )
    options.story = told["story"]
    _keep(options, parser, receipts.part(told, "settings"))
    shots = {str(one.get("name")): one for one in _rows(told, "shots") if not one.get("continues")}
    anchors = {name: Path(str(one["anchor"])) for name, one in shots.items() if one.get("anchor")}
    anchors = {name: path for name, path in anchors.items() if path.is_file()}
    captions: dict[str, str] = {}
    motions: dict[str, str] = {}
    for name, path in anchors.items():
        for texts_by_name, file in ((captions, "caption.txt"), (motions, "motion.txt")):
            with contextlib.suppress(UsageError):
                text = texts.read_text(None, str(path.with_name(file)), f"The {file}")
                texts_by_name[name] = text
    pictures = {
        str(one.get("name")): Path(str(one.get("picture")))
        for one in _rows(told, "cast")
        if Path(str(one.get("picture"))).is_file()
    }
    options.first_film = FirstFilm(pictures, anchors, captions, motions)
    _tell(options, Path(options.from_output).absolute(), told.get("cost"))


def _tell(options: argparse.Namespace, first: Path, cost: object) -> None:
    """Say what the first one has cost, beside which the price of this one is seen."""
    known = money.from_json(cost if isinstance(cost, dict) else None)
    options.made_from = {"output": str(first), "cost": known.as_json()}
    options.console.say(f"{first.name} has cost {money.shown(known)}")


def _rows(told: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = told.get(name)
    return [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []
