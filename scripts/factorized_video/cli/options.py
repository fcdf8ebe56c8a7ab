"""The options that scripts share, each once."""

from __future__ import annotations

import argparse
import sys

from .. import VERSION
from ..errors import UsageError
from ..gateway import dialects
from ..prompts.strategies import DEFAULT_STRATEGY, STRATEGIES
from . import option_types, usage_hints
from .exit_codes import EXIT_CODES
from .help_text import HelpAll, usual_help

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from typing import Any

GATEWAYS = ("auto", "demo", *dialects.names())
DEFAULT_TIMEOUT_S = 1200  # queue-backed video hosts are reported to take up to 20 minutes


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are UsageErrors, so that they too follow the contract."""

    def __init__(self, description: str, *examples: str) -> None:
        self.shows_all = False
        self._words: list[str] = []
        self._examples = "\n".join(f"  {line}" for one in examples for line in one.splitlines())
        super().__init__(
            description=description,
            epilog=f"examples:\n{self._examples}\n\n{EXIT_CODES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            add_help=False,
        )
        self.add_argument("-h", "--help", action="help", help="show the options most runs use")
        self.add_argument("--help-all", action=HelpAll)

    def format_help(self) -> str:
        """What --help prints, or --help-all."""
        return super().format_help() if self.shows_all else usual_help(self)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As ever; remembers the words, for the hint of an error."""
        self._words = sys.argv[1:] if args is None else list(args)
        return super().parse_args(args, namespace)

    def error(self, message: str) -> None:  # type: ignore[override]
        """Raise a UsageError whose hint fits its cause."""
        see = f"Options: python3 {sys.argv[0]} --help"
        if not self._words:
            raise UsageError(
                "There is nothing to do without a prompt (or --prompt TEXT).",
                f"Examples:\n{self._examples}\n{see}",
            )
        known = [name for action in self._actions for name in action.option_strings]
        hints = [usage_hints.of(message, self._words, known), see]
        raise UsageError(f"{message}.", " ".join(filter(None, hints)))


def flag(parser: argparse._ActionsContainer, name: str, text: str) -> None:
    """An option without a value: True, or None where it is not given."""
    parser.add_argument(name, action="store_const", const=True, help=text)


def switch(parser: argparse._ActionsContainer, name: str, on: str, off: str) -> None:
    """A pair --NAME and --no-NAME: True, False, or None where neither is given."""
    group = parser.add_mutually_exclusive_group()
    flag(group, f"--{name}", on)
    group.add_argument(f"--no-{name}", dest=name, action="store_const", const=False, help=off)


def add_common(parser: argparse.ArgumentParser, *, resubmits: bool = True) -> None:
    """The options of every script; with `resubmits` also --resubmit and --take."""
    group = parser.add_argument_group("gateway and output")
    group.add_argument(
        "--gateway",
        choices=GATEWAYS,
        default="auto",
        help="auto (default): by your key and AI_GATEWAY_BASE_URL; openai: a server of your own "
        "that speaks OpenAI's API; demo: labelled placeholders made on this machine, free, no key",
    )
    group.add_argument(
        "--version", action="version", version=VERSION, help="print the version and end"
    )
    flag(group, "--json", "print one JSON document on stdout")
    flag(group, "--quiet", "no progress on stderr")
    flag(group, "--verbose", "show each request with its status and how long it took")
    flag(
        group,
        "--dry-run",
        "show what would be sent, what is supported, and what it should cost; send nothing",
    )
    group.add_argument(
        "--max-cost",
        type=option_types.usd,
        metavar="USD",
        help="spending limit for this output in USD, including earlier attempts (exit code 7)",
    )
    flag(group, "--open", "open what was made in the program that the system has for it")
    flag(group, "--yes", "do not ask before a run over USD 1 (only asked on a terminal)")
    flag(group, "--allow-unknown-cost", "under a limit, also make calls whose price is not known")
    flag(group, "--offline", "do not read the gateway's public list of models and prices")
    flag(group, "--allow-off", "use a model that is known to be shut down")
    flag(
        group,
        "--overwrite",
        "replace an output that was created with different options; the old file is kept as NAME.1",
    )
    if resubmits:
        flag(group, "--resubmit", "pay again: resend a call that was refused, failed or got lost")
        group.add_argument(
            "--take",
            type=option_types.take,
            default=1,
            metavar="N",
            help="another result for the same request (default: 1)",
        )


def add_candidate_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """How many anchors are generated, how they are checked, and which is used; the group."""
    group = parser.add_argument_group("candidates and checks")
    group.add_argument(
        "--candidates",
        type=option_types.candidates,
        metavar="N",
        help="generate N anchors and one picture of them all, the contact sheet; without --verify "
        "you then choose one with --select",
    )
    group.add_argument(
        "--select",
        type=option_types.candidate,
        metavar="K",
        help="use candidate K, by its number on the contact sheet (free)",
    )
    flag(
        group,
        "--verify",
        "have a vision model check each candidate against the prompt; the first that passes "
        "everything is used, else the best",
    )
    flag(
        group,
        "--repair",
        "if none passes, have the best one edited, once; kept only if better (implies --verify)",
    )
    group.add_argument(
        "--min-score",
        type=option_types.score,
        metavar="S",
        help="stop if the best one passes less than this share of the questions, 0 to 1 (exit "
        "code 12; implies --verify)",
    )
    group.add_argument("--judge-model", metavar="ID", help="the vision model that checks")
    return group


def add_references(parser: argparse._ActionsContainer) -> None:
    """--reference."""
    parser.add_argument(
        "--reference",
        action="append",
        type=option_types.path,
        metavar="IMAGE",
        help="a picture of a person, a product or a place to reuse (repeatable)",
    )


def add_scene(parser: argparse._ActionsContainer) -> None:
    """--scene."""
    parser.add_argument(
        "--scene",
        type=option_types.text,
        metavar="TEXT",
        help="who is in it and where, for the LLM: words that hold for many prompts; @FILE reads "
        "it from a file",
    )


def add_style(parser: argparse.ArgumentParser) -> None:
    """--style and --aspect-ratio."""
    parser.add_argument(
        "--style",
        type=option_types.style,
        metavar="STYLE",
        help=f"{option_types.STYLE_NAMES}, or words of your own (default: the one the text names, "
        "else photorealistic)",
    )
    add_ratio(parser)


def add_ratio(parser: argparse.ArgumentParser) -> None:
    """--aspect-ratio."""
    parser.add_argument(
        "--aspect-ratio",
        type=option_types.ratio,
        metavar="W:H",
        help="16:9, 9:16, 1:1, or what else the model supports (default: 16:9, or the one nearest "
        "to your own picture)",
    )


def add_enhance(parser: argparse.ArgumentParser) -> None:
    """--enhance."""
    flag(parser, "--enhance", "add photographic or painterly terms that fit the style")


def add_video_options(parser: argparse.ArgumentParser) -> None:
    """What the clip is to be, and how long to wait for it."""
    parser.add_argument(
        "--duration",
        type=option_types.seconds,
        metavar="S",
        help="whole seconds (default: 6, or the nearest supported)",
    )
    flag(
        parser,
        "--fit-duration",
        "if the model does not support that duration, use the nearest it does",
    )
    parser.add_argument(
        "--resolution",
        type=option_types.resolution,
        metavar="R",
        help="720p, 1080p, 4k ... (default: 720p, or the nearest supported); a server of your own "
        "also takes pixels, such as 832x480",
    )
    parser.add_argument(
        "--seed",
        type=option_types.seed,
        metavar="N",
        help="a seed for the video model, where model and gateway support one",
    )
    flag(
        parser,
        "--draft",
        "a cheap clip of the same first frame, to look at, to NAME.draft.mp4; the same command "
        "without --draft then makes the real one",
    )
    switch(
        parser,
        "audio",
        "ask for sound (default: as the model makes it)",
        "no sound; if the model adds a track anyway, it is removed after download",
    )
    _add_pictures(parser)
    parser.add_argument(
        "--prompt-strategy",
        choices=STRATEGIES,
        help=f"what the video model is sent (default: {DEFAULT_STRATEGY})",
    )
    parser.add_argument(
        "--timeout",
        type=option_types.timeout,
        default=DEFAULT_TIMEOUT_S,
        metavar="S",
        help=f"seconds to wait for the clip (default: {DEFAULT_TIMEOUT_S}); the job continues, and "
        "the same command waits again",
    )


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    """The last frame, how a picture is fitted, and the filmstrip."""
    parser.add_argument(
        "--last-frame",
        type=option_types.path,
        metavar="IMAGE",
        help="a picture for the clip to end with, where model and gateway support one",
    )
    flag(
        parser,
        "--loop",
        "the clip ends with its own first frame, where model and gateway support a last frame",
    )
    parser.add_argument(
        "--fit",
        type=option_types.fit,
        metavar="FIT",
        help="how to make a picture of another shape the first frame: crop, pad or none; crop:top, "
        "crop:left or crop:X,Y keeps that place of it; extend has the image model extend it (paid; "
        "default: crop up to 10 %% of it)",
    )
    switch(
        parser,
        "filmstrip",
        "also write NAME.filmstrip.png: frames of the clip with their times",
        "no filmstrip",
    )


def add_set(parser: argparse._ActionsContainer, flag_name: str, call: str) -> None:
    """--set or --image-set: fields of a call to a server of one's own."""
    parser.add_argument(
        flag_name,
        type=option_types.server_field,
        action="append",
        metavar="KEY=VALUE",
        help=f"a field of the {call} call to a server of your own, such as "
        "num_inference_steps=30; repeatable",
    )


def add_motion(parser: argparse._ActionsContainer, auto: str = "") -> None:
    """--motion and --motion-file; `auto` says what `--motion auto` does, where it does."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--motion",
        type=option_types.text,
        metavar="TEXT",
        help=f"what moves after the first frame{auto and '; ' + auto}",
    )
    group.add_argument(
        "--motion-file", type=option_types.path, metavar="FILE", help="the same, from a file"
    )


def add_job_options(parser: argparse.ArgumentParser) -> None:
    """--no-wait and --job."""
    group = parser.add_argument_group("the job at the gateway")
    flag(
        group,
        "--no-wait",
        "submit and end with exit code 4; the same command without it fetches the clip",
    )
    group.add_argument(
        "--job",
        type=option_types.job_id,
        metavar="ID",
        help="use a job found at the gateway instead of submitting one",
    )
