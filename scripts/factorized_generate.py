# /// script
# requires-python = ">=3.10"
# dependencies = ["requests>=2.31", "python-dotenv>=1.0", "pillow>=10.1", "av>=14"]
# ///
"""Run the three stages, in order: prompt -> caption -> anchor -> video.

Example:
    python3 scripts/factorized_generate.py --prompt "A cat jumping from a bookshelf to the couch" \
        --style photorealistic --output outputs/cat-jump.mp4

Prints the path of the video. The same command again goes on where it was, and pays for nothing
twice. Exit codes: see --help.
"""

import argparse
import os
import sys

import _bootstrap

_bootstrap.ensure(__file__)

from factorized_video import output_paths
from factorized_video.cli import option_types, options
from factorized_video.cli.main import main
from factorized_video.defaults import CONCURRENCY
from factorized_video.errors import UsageError

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from factorized_video.experiments.batch import Batch
    from factorized_video.experiments.compare import ComparedRun
    from factorized_video.pipeline.direct import DirectRun
    from factorized_video.pipeline.three_stages import FactorizedRun

SCRIPTS = os.path.dirname(os.path.abspath(__file__))


class _WrongModelFlag(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *rest: object) -> None:
        parser.error(
            "--model is a flag of the single stages; here it is --llm-model, --image-model or "
            "--video-model"
        )


def build_parser() -> options.Parser:
    """The options; the original skill's first."""
    parser = options.Parser(
        "Prompt -> caption of the first frame -> anchor image -> video. The same command again "
        "goes on where it was.",
        'python3 scripts/factorized_generate.py --prompt "A cat jumping from a bookshelf to the '
        'couch" --output cat.mp4',
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--prompt", metavar="TEXT", help="the video prompt; - reads it from stdin")
    source.add_argument("--prompt-file", metavar="FILE", help="the same, from a file (- is stdin)")
    source.add_argument(
        "--prompts-file",
        metavar="FILE",
        help="many prompts, one JSON object a line; --output is then the folder for all",
    )
    source.add_argument(
        "--list-runs",
        nargs="?",
        const="",
        metavar="DIR",
        help="show the receipts in DIR (default: outputs/): state, cost, age, what comes next",
    )
    source.add_argument(
        "--list-models",
        nargs="?",
        const="all",
        choices=("all", "llm", "image", "video"),
        help="show what is known of the models: status, what they take, prices with their dates",
    )
    source.add_argument(
        "--cancel",
        metavar="RECEIPT",
        help="ask the gateway to end the running job of this receipt (or of this clip)",
    )
    options.add_style(parser)
    parser.add_argument("--skip-reasoning", action="store_true", help="the prompt is the caption")
    parser.add_argument(
        "--skip-anchor", action="store_true", help="use the image of --anchor-path as the anchor"
    )
    parser.add_argument(
        "--anchor-path", "--anchor", metavar="IMAGE", help="your own anchor (implies --skip-anchor)"
    )
    parser.add_argument(
        "--save-intermediate",
        action="store_true",
        help="also keep the texts and the image as sent, and the replies, in the work folder",
    )
    parser.add_argument(
        "--work-dir",
        metavar="DIR",
        help="where caption, motion and anchor go (default: OUTPUT without extension + .stages)",
    )
    parser.add_argument(
        "--enhance", action="store_true", help="add terms of the craft that fit the style"
    )
    options.add_video_options(parser)
    options.add_references(parser.add_argument_group("the same again"))
    measured = parser.add_argument_group("without an anchor, for comparison")
    arms = measured.add_mutually_exclusive_group()
    arms.add_argument(
        "--direct",
        action="store_true",
        help="plain text-to-video: no caption, no anchor; to NAME.direct.mp4",
    )
    arms.add_argument(
        "--compare",
        action="store_true",
        help="make both, and one picture of both; with --verify both are measured too",
    )
    measured.add_argument(
        "--evaluator-model", metavar="ID", help="the vision model that measures the clips"
    )
    measured.add_argument(
        "--concurrency",
        type=option_types.concurrency,
        metavar="N",
        help=f"with --prompts-file: so many at once (default: {CONCURRENCY})",
    )
    options.add_candidate_options(parser)
    parser.add_argument(
        "--output",
        metavar="FILE.mp4",
        help="where the video goes (default: outputs/<first words>-<hash>.mp4)",
    )
    more = parser.add_argument_group("stages and models")
    more.add_argument("--llm-model", metavar="ID", help="the LLM of Stage 1")
    more.add_argument("--image-model", metavar="ID", help="the image model of Stage 2")
    more.add_argument("--video-model", metavar="ID", help="the image-to-video model of Stage 3")
    more.add_argument("--model", action=_WrongModelFlag, help=argparse.SUPPRESS)
    more.add_argument(
        "--stop-after",
        choices=("caption", "anchor"),
        help="stop to look; the same command without it goes on",
    )
    more.add_argument(
        "--online",
        action="store_true",
        help="with --list-models: also ask the gateway for its list, and show what differs",
    )
    options.add_motion(more)
    more.add_argument(
        "--motion-from-anchor",
        action="store_const",
        const=True,
        help="have the LLM look at the anchor and write the motion that follows from it",
    )
    options.add_job_options(parser)
    options.add_common(parser)
    return parser


def run(args: argparse.Namespace) -> "dict[str, Any]":
    """The whole pipeline, or what is left of it to do; or one of the lists."""
    if args.list_models is not None:
        return _list_models(args)
    if args.online:
        raise UsageError("--online is for --list-models.", "Leave it out, or add --list-models.")
    if args.list_runs is not None:
        return _list_runs(args)
    if args.cancel is not None:
        return _cancel(args)
    one = _batch(args) if args.prompts_file is not None else _one(args)
    return one.dry_run() if args.dry_run else one.make()


def _batch(args: argparse.Namespace) -> "Batch":
    """A run for each line of the file."""
    from factorized_video.experiments.batch import Batch

    return Batch(args, build_parser(), SCRIPTS, _one)


def _one(
    args: argparse.Namespace, prompt: "str | None" = None, folder: "Path | None" = None
) -> "FactorizedRun | DirectRun | ComparedRun":
    """The run that these options ask for; read, checked and priced, nothing sent.

    `prompt` is one that was read before; `folder` where an output without a name goes.
    """
    if args.concurrency is not None:
        raise UsageError("--concurrency is for --prompts-file.", "Leave it out.")
    if args.evaluator_model is not None and not args.compare:
        raise UsageError(
            "--evaluator-model is for --compare --verify.", "Leave it out, or add both."
        )
    if args.compare:
        from factorized_video.experiments.compare import ComparedRun

        return ComparedRun(args, build_parser(), SCRIPTS, prompt, folder)
    if args.direct:
        from factorized_video.pipeline.direct import DirectRun

        return DirectRun(args, SCRIPTS, prompt, folder)
    from factorized_video.pipeline.three_stages import FactorizedRun

    return FactorizedRun(args, SCRIPTS, prompt, folder)


def _list_runs(args: argparse.Namespace) -> "dict[str, Any]":
    """What the receipts in a folder say; nothing is sent."""
    from factorized_video.receipts import run_list

    folder = (
        output_paths.folder_path(args.list_runs) if args.list_runs else run_list.default_folder()
    )
    rows = run_list.listed(folder)
    spent, unknown = run_list.total(rows)
    if unknown:
        args.console.warn(f"The cost of {unknown} paid calls is not known and not in the total.")
    return {
        "status": "succeeded",
        "output": str(folder),
        "cost": spent.as_json(),
        "runs": rows,
        "text": run_list.as_text(rows),
    }


def _cancel(args: argparse.Namespace) -> "dict[str, Any]":
    """Ask the gateway to end a running job."""
    from factorized_video import receipts
    from factorized_video.gateway import settings
    from factorized_video.stages import cancel

    args.console.stage = "synthesis"
    record = cancel.record_of(output_paths.output_path(args.cancel))
    cancel.check_gateway(record, settings.resolve(args.gateway, needs_key=False))
    chosen = settings.resolve(args.gateway)
    # A process that waits for the job would write over what is written here: it has to end first.
    with receipts.locked(record.output):
        return cancel.cancel(args.console, record, chosen)


def _list_models(args: argparse.Namespace) -> "dict[str, Any]":
    """What the registry says, and with --online what the gateway says otherwise."""
    import time

    from factorized_video.gateway import open_gateway, settings
    from factorized_video.models import listing

    today = time.strftime("%Y-%m-%d", time.gmtime())
    kind = None if args.list_models == "all" else args.list_models
    chosen = settings.resolve(args.gateway, needs_key=args.online)
    rows = listing.rows(kind, today)
    result: dict[str, Any] = {
        "status": "succeeded",
        "gateway": chosen.name,
        "models": rows,
        "text": listing.as_text(rows, chosen.name),
    }
    if args.online:
        with open_gateway(chosen, args.console.progress) as gateway:
            served = gateway.models()
        if served is None:
            args.console.warn(f"{chosen.name} offers no list of models; this is what is known.")
        else:
            result["online"] = differs = listing.differences(served, chosen.name, kind)
            result["text"] = f"{result['text']}\n{listing.differences_as_text(differs)}"
    return result


if __name__ == "__main__":
    sys.exit(main(build_parser, run))
