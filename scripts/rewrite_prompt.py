# /// script
# requires-python = ">=3.10"
# dependencies = ["requests>=2.31", "python-dotenv>=1.0", "pillow>=10.1", "av>=15"]
# ///
"""Stage 1, reasoning: rewrite a video prompt into a caption of its first frame, and a motion line.

Example:
    python3 scripts/rewrite_prompt.py "A cat jumping from a bookshelf to the couch" \
        --style photorealistic --aspect-ratio 16:9 --output first_frame.txt

Prints the caption. Exit codes: see --help.
"""

import argparse
import sys

import _bootstrap

_bootstrap.ensure(__file__)

from factorized_video.cli import option_types, options
from factorized_video.cli.main import main

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from typing import Any


def build_parser() -> options.Parser:
    """The options; the original skill's first."""
    parser = options.Parser(
        "Stage 1, reasoning: rewrite a video prompt into a caption of its first frame\n(printed) "
        "and a motion line.",
        'python3 scripts/rewrite_prompt.py "A cat jumps to a couch" --output cat.txt',
    )
    parser.add_argument(
        "prompt",
        type=option_types.text,
        metavar="PROMPT",
        help="the video prompt; @FILE reads it from a file, - from stdin",
    )
    options.add_style(parser)
    parser.add_argument("--model", metavar="ID", help="the LLM that rewrites")
    parser.add_argument(
        "--output", type=option_types.path, metavar="FILE", help="also write the caption to FILE"
    )
    parser.add_argument(
        "--motion-file",
        type=option_types.path,
        metavar="FILE",
        help="also write the motion to FILE",
    )
    options.add_references(parser)
    options.add_scene(parser)
    parser.add_argument(
        "--anchor",
        type=option_types.path,
        metavar="IMAGE",
        help="write only the motion, from this first frame; --output is where it goes",
    )
    options.add_common(parser, resubmits=False)
    return parser


def run(args: argparse.Namespace) -> "dict[str, Any]":
    """One rewrite, or the one made before for the same inputs and the same --output."""
    from factorized_video import output_paths
    from factorized_video.cli import around_a_run, standing_options
    from factorized_video.gateway import settings
    from factorized_video.stages import reasoning
    from factorized_video.stages.context import Context
    from factorized_video.stages.paid_call import make
    from factorized_video.stages.request import CaptionRequest, MotionRequest

    standing_options.fill(args, model="llm_model")
    console = args.console
    console.stage = "reasoning" if args.anchor is None else "motion"
    context = Context.from_options(args)
    output = output_paths.given_output(args.output)
    motion_file = output_paths.given_output(args.motion_file)
    if output:
        context.rerun.makes(output)
    text: reasoning.TextCall
    if args.anchor is None:
        caption = CaptionRequest.from_options(args)
        text = reasoning.CaptionCall(context, output, caption, motion_file)
    else:
        text = reasoning.MotionCall(context, output, MotionRequest.from_options(args))
        console.warn(*text.request.anchor.image.warnings)
    context.rerun.reads(prompt=text.request.prompt, scene=getattr(text.request, "scene", None))
    outlook = reasoning.outlook(text.request, output, context)
    console.warn(*outlook.warnings, *context.gateway.warnings)
    if args.dry_run:
        text.check_room()
        return outlook.shown(context, output)
    settings.resolve(args.gateway)  # the key's turn comes after the plan
    around_a_run.announce(args, context, outlook.plan(context, output))
    text.check_motion_file()
    return text.result(make(text))


if __name__ == "__main__":
    sys.exit(main(build_parser, run))
