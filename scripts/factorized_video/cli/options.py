"""The options that scripts share, each once."""

from __future__ import annotations

import argparse
import sys

from ..errors import UsageError
from ..gateway import dialects
from ..prompts.strategies import DEFAULT_STRATEGY, STRATEGIES
from . import option_types

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    pass
from .exit_codes import EXIT_CODES

GATEWAYS = ("auto", "demo", *dialects.names())
FITS = ("crop", "pad", "none")
DEFAULT_TIMEOUT_S = 1200  # queue-backed video hosts are reported to take up to 20 minutes


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are UsageErrors, so that they too follow the contract."""

    def __init__(self, description: str, example: str) -> None:
        super().__init__(
            description=description,
            epilog=f"example:\n  {example}\n\n{EXIT_CODES}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> None:  # type: ignore[override]
        """Raise a UsageError, with what helps against the commonest mistake."""
        hint = f"See: python3 {sys.argv[0]} --help"
        if any(word in message for word in ("expected one argument", "unrecognized", "required")):
            hint = (
                "A text that begins with a dash is written --prompt=-..., or comes from a file or "
                f"from stdin (-). {hint}"
            )
        raise UsageError(f"{message}.", hint)


def add_common(parser: argparse.ArgumentParser, *, draws: bool = True) -> None:
    """The options that all scripts have; with `draws` those of calls that are never repeated."""
    group = parser.add_argument_group("gateway and output")
    group.add_argument(
        "--gateway",
        choices=GATEWAYS,
        default="auto",
        help="auto (default): by AI_GATEWAY_BASE_URL's host, else by how AI_GATEWAY_API_KEY "
        "begins, else happycapy; openai: a server of your own in that shape; demo: labelled "
        "stand-ins drawn on this machine, free, no key",
    )
    group.add_argument("--json", action="store_true", help="print one JSON document on stdout")
    group.add_argument("--quiet", action="store_true", help="no progress on stderr")
    group.add_argument(
        "--dry-run",
        action="store_true",
        help="print what would be sent, what is legal, and what it should cost; send nothing",
    )
    group.add_argument(
        "--max-cost",
        type=option_types.usd,
        metavar="USD",
        help="the most that this output may cost, with what it has cost before (exit code 7)",
    )
    group.add_argument(
        "--allow-unknown-cost",
        action="store_true",
        help="under a cap, also make calls whose price is not known",
    )
    group.add_argument(
        "--allow-off", action="store_true", help="use a model that is known to be shut down"
    )
    group.add_argument(
        "--overwrite",
        action="store_true",
        help="make it even if the output was made for other inputs; the old file is kept as NAME.1",
    )
    if draws:
        group.add_argument(
            "--resubmit",
            action="store_true",
            help="pays again: send once more what was refused, failed or got lost",
        )
        group.add_argument(
            "--take",
            type=option_types.take,
            default=1,
            metavar="N",
            help="another draw of the same request (default: 1)",
        )


def add_candidate_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """How many anchors are drawn, how they are checked, and which is taken; the group."""
    group = parser.add_argument_group("candidates and checks")
    group.add_argument(
        "--candidates",
        type=option_types.candidates,
        metavar="N",
        help="draw N anchors and one picture of them all, the contact sheet; without --verify you "
        "then choose one with --select",
    )
    group.add_argument(
        "--select",
        type=option_types.candidate,
        metavar="K",
        help="take candidate K, as the contact sheet numbers them (free)",
    )
    group.add_argument(
        "--verify",
        action="store_const",
        const=True,
        help="have a vision model check each candidate by questions from the prompt; the first "
        "that passes all is taken, else the best",
    )
    group.add_argument(
        "--repair",
        action="store_const",
        const=True,
        help="if none passes, have the best one edited, once; kept only if better (means --verify)",
    )
    group.add_argument(
        "--min-score",
        type=option_types.score,
        metavar="S",
        help="if the best one passes less than this share of the questions, 0 to 1, stop (exit "
        "code 12; means --verify)",
    )
    group.add_argument("--judge-model", metavar="ID", help="the vision model that checks")
    return group


def add_references(parser: argparse._ActionsContainer) -> None:
    """--reference."""
    parser.add_argument(
        "--reference",
        action="append",
        metavar="IMAGE",
        help="a picture of who or what is to appear again: a person, a product, a place "
        "(repeatable)",
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
        help="16:9, 9:16, 1:1, or what the model takes besides (default: 16:9, or what fits your "
        "own picture)",
    )


def add_video_options(parser: argparse.ArgumentParser) -> None:
    """What the clip is to be, and how long to wait for it."""
    parser.add_argument(
        "--duration",
        type=option_types.seconds,
        metavar="S",
        help="whole seconds (default: 6, or the nearest)",
    )
    parser.add_argument(
        "--fit-duration",
        action="store_true",
        help="if the model does not make so many seconds, take the nearest it makes",
    )
    parser.add_argument(
        "--resolution",
        type=option_types.resolution,
        metavar="R",
        help="720p, 1080p, 4k ... (default: 720p, or the nearest)",
    )
    parser.add_argument(
        "--seed",
        type=option_types.seed,
        metavar="N",
        help="a seed for the video model, where model and gateway take one",
    )
    sound = parser.add_mutually_exclusive_group()
    sound.add_argument(
        "--audio", action="store_const", const=True, help="sound is wanted (default: as it comes)"
    )
    sound.add_argument(
        "--no-audio",
        dest="audio",
        action="store_const",
        const=False,
        help="no sound: what the model makes all the same is removed here",
    )
    parser.add_argument(
        "--last-frame",
        metavar="IMAGE",
        help="a picture that the clip ends with, where model and gateway take one",
    )
    parser.add_argument(
        "--fit",
        choices=FITS,
        help="how a picture of another shape becomes the first frame (default: a crop of up to "
        "10 %% of it)",
    )
    strip = parser.add_mutually_exclusive_group()
    strip.add_argument(
        "--filmstrip",
        action="store_const",
        const=True,
        help="also write NAME.filmstrip.png: frames of the clip with their times",
    )
    strip.add_argument(
        "--no-filmstrip", dest="filmstrip", action="store_const", const=False, help="do not"
    )
    parser.add_argument(
        "--prompt-strategy",
        choices=STRATEGIES,
        default=None,
        help=f"what the video model is told (default: {DEFAULT_STRATEGY})",
    )
    parser.add_argument(
        "--timeout",
        type=option_types.timeout,
        default=DEFAULT_TIMEOUT_S,
        metavar="S",
        help=f"seconds to wait for the clip (default: {DEFAULT_TIMEOUT_S}); the job goes on, and "
        "the same command waits on",
    )


def add_motion(parser: argparse._ActionsContainer) -> None:
    """--motion and --motion-file."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--motion", metavar="TEXT", help="what moves after the first frame")
    group.add_argument("--motion-file", metavar="FILE", help="the same, from a file")


def add_job_options(parser: argparse.ArgumentParser) -> None:
    """--no-wait and --job."""
    group = parser.add_argument_group("the job at the gateway")
    group.add_argument(
        "--no-wait",
        action="store_true",
        help="submit and end with exit code 4; the same command without it fetches the clip",
    )
    group.add_argument(
        "--job",
        type=option_types.job_id,
        metavar="ID",
        help="take over a job seen at the gateway instead of submitting one",
    )
