# /// script
# requires-python = ">=3.10"
# dependencies = ["requests>=2.31", "python-dotenv>=1.0", "pillow>=10.1", "av>=15"]
# ///
"""Stage 2, composition: generate the anchor, the first frame of the video, from its caption.

Example:
    python3 scripts/generate_anchor.py "A tabby cat perched on a tall wooden bookshelf" \
        --style photorealistic --enhance --output anchor.png

Prints the path of the image. Exit codes: see --help.
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
        "Stage 2, composition: generate the anchor, the first frame, from its caption.",
        'python3 scripts/generate_anchor.py "A cat on a bookshelf" --output cat.png',
    )
    parser.add_argument(
        "caption",
        type=option_types.text,
        metavar="CAPTION",
        nargs="?",
        help="what the first frame shows; with --edit what to change; @FILE reads it from a file",
    )
    parser.add_argument(
        "--input-file",
        type=option_types.path,
        metavar="FILE",
        help="read the caption from FILE, or from stdin (-)",
    )
    parser.add_argument("--model", metavar="ID", help="the image model")
    options.add_references(parser)
    parser.add_argument(
        "--edit",
        type=option_types.path,
        metavar="IMAGE",
        help="change this picture as CAPTION says, and in nothing else",
    )
    options.flag(
        parser,
        "--character",
        "a picture of this one person, animal or thing alone, to be a --reference of others",
    )
    options.add_style(parser)
    options.add_enhance(parser)
    options.add_set(parser, "--set", "image")
    parser.add_argument(
        "--output",
        type=option_types.path,
        metavar="FILE",
        help="where the image goes: .png, .jpg, .webp (default: outputs/<first words>-<hash>.png)",
    )
    options.add_candidate_options(parser).add_argument(
        "--user-prompt",
        type=option_types.text,
        metavar="TEXT",
        help="the video prompt to check against; - reads it from stdin (default: the caption)",
    )
    options.add_common(parser)
    return parser


def run(args: argparse.Namespace) -> "dict[str, Any]":
    """One anchor, or the one made before for the same inputs."""
    from factorized_video import files, output_paths, receipts
    from factorized_video.cli import around_a_run, standing_options
    from factorized_video.gateway import settings
    from factorized_video.media import file_types
    from factorized_video.stages import composition, given_images
    from factorized_video.stages.candidates import filing
    from factorized_video.stages.candidates.making import Making
    from factorized_video.stages.context import Context
    from factorized_video.stages.paid_call import make
    from factorized_video.stages.request import AnchorRequest

    standing_options.fill(args, model="image_model")
    args.console.stage = args.handoff.stage or "composition"
    request = AnchorRequest.from_options(args)
    context = Context.from_options(args)
    # The name does not depend on how many are made: the one that is chosen later lies there too.
    digest = request.digest(context.identity_of("image"))
    output = output_paths.given_output(args.output, tuple(file_types.EXTENSIONS))
    output = output or output_paths.default_output(request.caption, digest, ".png")
    given_images.check_output(request.given, output)
    context.rerun.makes(output)
    context.rerun.reads(caption=request.caption, user_prompt=request.wish.prompt)
    folder = composition.folder_of(request, output, context)
    outlook = composition.outlook(request, output, context)
    args.console.warn(*outlook.warnings, *context.gateway.warnings)
    pictures = given_images.to_send(request.given)
    filing.check_selected(folder)
    if args.dry_run:
        room = filing.check_room if folder.in_use else composition.check_room
        room(folder, context.allowed, context.asked(request))
        return outlook.shown(context, output)
    settings.resolve(args.gateway)  # the key's turn comes after the plan
    around_a_run.announce(args, context, outlook.plan(context, output))
    for needs, what in (
        (context.is_demo, "The demo gateway"),
        (folder.in_use, "--candidates, --select and --verify"),
        (request.edit, "--edit"),
        (output.suffix.lower() == ".webp", "A .webp image"),
    ):
        if needs:
            file_types.need_media_extra(what)
    if folder.in_use:
        files.check_writable(output)
        with receipts.locked(output):
            return Making(context, folder, request, pictures).run()
    paid = composition.AnchorCall(context, output, request, pictures)
    return paid.result(make(paid))


if __name__ == "__main__":
    sys.exit(main(build_parser, run))
