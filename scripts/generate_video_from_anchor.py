# /// script
# requires-python = ">=3.10"
# dependencies = ["requests>=2.31", "python-dotenv>=1.0", "pillow>=10.1", "av>=15"]
# ///
"""Stage 3, temporal synthesis: animate the anchor into a video that begins with it.

Example:
    python3 scripts/generate_video_from_anchor.py --anchor anchor.png \
        --prompt "A cat jumping from a bookshelf to the couch" --duration 6 --output video.mp4

With --direct instead of --anchor it is plain text-to-video. Prints the path of the video. Exit
codes: see --help.
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
        "Stage 3, temporal synthesis: animate the anchor into a video.",
        "python3 scripts/generate_video_from_anchor.py --anchor anchor.png \\\n"
        '    --prompt "The cat jumps to the couch" --output video.mp4',
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--anchor", type=option_types.path, metavar="IMAGE", help="the first frame")
    options.flag(
        source, "--direct", "no first frame: text-to-video, to NAME.direct.mp4 (for comparison)"
    )
    parser.add_argument(
        "--prompt",
        type=option_types.text,
        metavar="TEXT",
        required=True,
        help="the video prompt; @FILE reads it from a file, - from stdin",
    )
    parser.add_argument("--model", metavar="ID", help="the image-to-video model")
    options.add_ratio(parser)
    options.add_video_options(parser)
    options.add_references(parser)
    options.add_set(parser, "--set", "video")
    parser.add_argument(
        "--output",
        type=option_types.path,
        metavar="FILE.mp4",
        help="where the video goes (default: outputs/<first words>-<hash>.mp4)",
    )
    options.add_motion(parser.add_argument_group("motion"))
    options.add_job_options(parser)
    options.add_common(parser)
    return parser


def run(args: argparse.Namespace) -> "dict[str, Any]":
    """One clip, or the one made before for the same inputs; one that was started is resumed."""
    from factorized_video import output_paths, receipts
    from factorized_video.cli import around_a_run, standing_options
    from factorized_video.gateway import settings
    from factorized_video.stages import delivery, synthesis
    from factorized_video.stages.context import Context
    from factorized_video.stages.paid_call import make
    from factorized_video.stages.request import ClipRequest

    standing_options.fill(args, model="video_model")
    console = args.console
    console.stage = "direct" if args.direct else "synthesis"
    request = ClipRequest.from_options(args)
    context = Context.from_options(args)
    digest = request.digest(context.identity_of("video"))
    output = output_paths.given_output(args.output, (".mp4",))
    output = output or output_paths.default_output(request.prompt, digest, ".mp4")
    output = output_paths.direct_path(output) if request.direct else output
    output = output_paths.draft_path(output) if request.settings.draft else output
    context.rerun.makes(output)
    context.rerun.reads(prompt=request.prompt, motion=request.motion)
    outlook = synthesis.outlook(request, output, context, args.job)
    (call,) = outlook.calls
    synthesis.check_pictures(request, call.framing, console)
    console.warn(*outlook.warnings, *context.gateway.warnings)
    if args.dry_run:
        if not args.job:
            receipts.check_room(output, digest, context.allowed, context.asked(request))
        return outlook.shown(context, output)
    settings.resolve(args.gateway)  # the key's turn comes after the plan
    around_a_run.announce(args, context, outlook.plan(context, output))
    synthesis.check_packages(context, call, args.filmstrip, args.audio)
    job = synthesis.JobOptions.from_options(args)
    paid = synthesis.ClipCall(context, output, request, call, job)
    del request, outlook  # large: its decoded pictures are needed only until they are sent
    made = make(paid)
    if args.filmstrip:
        delivery.draw_filmstrip(console, output)
    return paid.result(made)


if __name__ == "__main__":
    sys.exit(main(build_parser, run))
