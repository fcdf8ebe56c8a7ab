# /// script
# requires-python = ">=3.10"
# dependencies = ["requests>=2.31", "python-dotenv>=1.0", "pillow>=10.1", "av>=15"]
# ///
"""Run the three stages, in order: prompt -> caption -> anchor -> video.

Example:
    python3 scripts/factorized_generate.py --prompt "A cat jumping from a bookshelf to the couch" \
        --style photorealistic --output outputs/cat-jump.mp4

Prints the path of the video. The same command again resumes, and pays for
nothing twice. Exit codes: see --help.
"""

import argparse
import os
import sys

import _bootstrap

_bootstrap.ensure(__file__)

from factorized_video.cli import option_types, options
from factorized_video.cli.main import main
from factorized_video.defaults import CONCURRENCY
from factorized_video.errors import UsageError

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from typing import Any

    from factorized_video.cli.story_reading import StoryFile

SCRIPTS = os.path.dirname(os.path.abspath(__file__))
_CAT = '"A cat jumping from a bookshelf to the couch" --output outputs/cat.mp4'
_RUN = "python3 scripts/factorized_generate.py"
EXAMPLES = (
    f"Free, without a key:\n  {_RUN} --gateway demo \\\n      {_CAT}",
    f"The price of a real one:\n  {_RUN} --dry-run \\\n      {_CAT}",
)


class _WrongModelFlag(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *rest: object) -> None:
        parser.error(
            "--model is an option of the single stages; here it is --llm-model, --image-model or "
            "--video-model"
        )


def build_parser() -> options.Parser:
    """The options; the original skill's first."""
    parser = options.Parser(
        "Prompt -> caption of the first frame -> anchor image -> video.\nThe same command again "
        "resumes where it stopped.",
        *EXAMPLES,
    )
    _add_sources(parser.add_mutually_exclusive_group(required=True))
    options.add_style(parser)
    options.flag(parser, "--skip-reasoning", "use the prompt as the caption")
    parser.add_argument(
        "--caption",
        type=option_types.text,
        metavar="TEXT",
        help="your own caption of the first frame; no LLM is asked for one",
    )
    options.flag(parser, "--skip-anchor", "use the image of --anchor-path as the anchor")
    parser.add_argument(
        "--anchor-path",
        "--anchor",
        type=option_types.path,
        metavar="IMAGE",
        help="your own anchor (implies --skip-anchor)",
    )
    options.flag(
        parser,
        "--save-intermediate",
        "also keep the texts and the image as sent, and the replies, in the work folder",
    )
    parser.add_argument(
        "--work-dir",
        type=option_types.path,
        metavar="DIR",
        help="where caption, motion and anchor go (default: OUTPUT without extension + .stages)",
    )
    options.add_enhance(parser)
    options.add_video_options(parser)
    parser.add_argument(
        "--end-state",
        type=option_types.text,
        metavar="TEXT",
        help="what the last frame shows; the image model makes it of the first one (paid)",
    )
    reuse = parser.add_argument_group("reuse")
    options.add_references(reuse)
    options.add_scene(reuse)
    _add_experiments(parser.add_argument_group("without an anchor, for comparison"))
    options.add_candidate_options(parser)
    _add_joining(parser.add_argument_group("joining clips"))
    parser.add_argument(
        "--output",
        type=option_types.path,
        metavar="FILE.mp4",
        help="where the video goes (default: outputs/<first words>-<hash>.mp4)",
    )
    _add_stages(parser.add_argument_group("stages and models"))
    options.add_job_options(parser)
    options.add_common(parser)
    return parser


def _add_sources(group: argparse._MutuallyExclusiveGroup) -> None:
    """The prompt, many prompts, or one of the lists."""
    group.add_argument(
        "--prompt",
        type=option_types.text,
        metavar="TEXT",
        help="the video prompt, also without --prompt; @FILE reads it from a file, - from stdin",
    )
    group.add_argument(
        "--prompt-file",
        type=option_types.path,
        metavar="FILE",
        help="the same, from a file (- is stdin)",
    )
    group.add_argument(
        "--prompts-file",
        type=option_types.path,
        metavar="FILE",
        help="many prompts, one JSON object a line; --output is then the folder for all",
    )
    _add_stories(group)
    group.add_argument(
        "--list-runs",
        nargs="?",
        const="",
        metavar="DIR",
        help="show the receipts in DIR (default: outputs/): state, cost, age, what to run next",
    )
    group.add_argument(
        "--from",
        dest="from_output",
        type=option_types.path,
        metavar="OUTPUT",
        help="make a finished clip or film again in another --aspect-ratio: same caption, cast and "
        "motion, its first frames redrawn from those that are there",
    )
    group.add_argument(
        "--list-models",
        nargs="?",
        const="all",
        metavar="KIND",
        help="show this gateway's models with their prices (llm, image, video, or all), or all "
        "facts of one, by its ID",
    )
    group.add_argument(
        "--join",
        nargs="+",
        type=option_types.path,
        metavar="CLIP",
        help="join clips into one film, free; --output is the film",
    )
    group.add_argument(
        "--cancel",
        type=option_types.path,
        metavar="RECEIPT",
        help="ask the gateway to end the running job of this receipt (or of this clip)",
    )


def _add_stories(group: argparse._MutuallyExclusiveGroup) -> None:
    """A film of several shots, and its file."""
    group.add_argument(
        "--story",
        type=option_types.path,
        metavar="FILE",
        help="a film of several shots with the same people, described in a file; --output is the "
        "film. Stops once all first frames are there",
    )
    group.add_argument(
        "--write-story",
        type=option_types.text,
        metavar="IDEA",
        help="have the LLM write the file of a story from one idea, for about a cent, to --output, "
        "a .md file; you edit it",
    )


def _add_experiments(group: argparse._ArgumentGroup) -> None:
    """Both ways, and many prompts."""
    arms = group.add_mutually_exclusive_group()
    options.flag(arms, "--direct", "plain text-to-video: no caption, no anchor; to NAME.direct.mp4")
    options.flag(
        arms, "--compare", "make both, and one picture of both; with --verify measure both too"
    )
    group.add_argument(
        "--evaluator-model", metavar="ID", help="the vision model that measures the clips"
    )
    group.add_argument(
        "--concurrency",
        type=option_types.concurrency,
        metavar="N",
        help=f"with --prompts-file and --story: how many at once (default: {CONCURRENCY})",
    )
    group.add_argument(
        "--shard",
        type=option_types.shard,
        metavar="K/N",
        help="with --prompts-file: make every Nth line, beginning with the Kth; the other shards "
        "run elsewhere, with the same folder",
    )
    options.flag(
        group, "--merge", "with --prompts-file: the summary of all shards; nothing is sent"
    )


def _add_joining(group: argparse._ArgumentGroup) -> None:
    """How clips are joined."""
    group.add_argument(
        "--transition",
        choices=("cut", "crossfade"),
        help="with --join and --story: cut or crossfade from each clip to the next (default: cut)",
    )
    group.add_argument(
        "--music",
        type=option_types.path,
        metavar="FILE",
        help="with --join and --story: music to lay under the film; it ends with the pictures",
    )


def _add_stages(group: argparse._ArgumentGroup) -> None:
    """The models, and where to stop."""
    group.add_argument("--llm-model", metavar="ID", help="the LLM of Stage 1")
    group.add_argument("--image-model", metavar="ID", help="the image model of Stage 2")
    group.add_argument("--video-model", metavar="ID", help="the image-to-video model of Stage 3")
    options.add_set(group, "--set", "video")
    options.add_set(group, "--image-set", "image")
    group.add_argument("--model", action=_WrongModelFlag, help=argparse.SUPPRESS)
    group.add_argument(
        "--stop-after",
        choices=("caption", "anchor"),
        help="stop to look; the same command without it continues",
    )
    group.add_argument(
        "--extend",
        type=option_types.links,
        metavar="N",
        help="a longer clip: N clips of one prompt, each going on from the one before, joined; "
        "stops at the first frame",
    )
    group.add_argument(
        "--shots",
        type=option_types.shots,
        metavar="N",
        help="with --write-story: how many shots, 1 to 20 (default: 4)",
    )
    options.flag(
        group,
        "--no-stop",
        "with --story, --extend and a --max-cost: do not stop at the first frames",
    )
    options.flag(group, "--all", "with --list-runs: show each receipt, not only each output")
    options.flag(
        group,
        "--report",
        "also write NAME.html beside the clip, a page with all of it; of many or both, and with "
        "--list-runs, also index.html",
    )
    options.flag(
        group,
        "--online",
        "with --list-models: also ask the gateway for its list, and show what differs",
    )
    options.add_motion(group, "auto: as the LLM writes it when it sees the anchor")
    options.flag(group, "--motion-from-anchor", "the same as --motion auto")


def run(args: argparse.Namespace) -> "dict[str, Any]":
    """The whole pipeline, or what is left of it to do; or one of the lists."""
    result = _run(args)
    if args.from_output is not None:
        result["made_from"] = args.made_from
    return result


def _run(args: argparse.Namespace) -> "dict[str, Any]":
    """The same, whatever it is made from."""
    from factorized_video.cli import option_words, standing_options

    parser = build_parser()
    if args.join is not None:
        from factorized_video.cli import joining

        return joining.joined(args, parser)
    if args.write_story is not None:
        from factorized_video.cli import story_writing

        return story_writing.written(args, parser)
    if args.from_output is not None:
        from factorized_video.cli import reshaping

        reshaping.fill(args, parser)
    option_words.check_beside(args)
    story = _story(args, parser)
    standing_options.fill(args)
    if any(one is not None for one in (args.list_models, args.list_runs, args.cancel)):
        from factorized_video.cli import lists

        return lists.shown(args)
    from factorized_video.cli import launching, run_report
    from factorized_video.gateway import settings

    args.launcher = launching.launcher_of(args, SCRIPTS)
    if args.prompts_file is not None:
        from factorized_video.cli.prompts_file import read_batch

        batch = read_batch(args, parser)
        if args.merge:
            merged = batch.merge(writes=not args.dry_run)
            return merged if args.dry_run else run_report.add(args, merged, folder=batch.folder)
        if args.dry_run:
            return batch.dry_run()
        settings.resolve(args.gateway)  # the key's turn comes after the plan
        return run_report.add(args, batch.make(), folder=batch.folder)
    if args.extend is not None:
        from factorized_video.cli import extending

        extending.check_options(args, parser)
        return extending.made(args, parser)
    if story is not None:
        return _film(args, parser, story)
    if args.concurrency is not None:
        raise UsageError("--concurrency is for --prompts-file and --story.", "Leave it out.")
    from factorized_video.cli import around_a_run
    from factorized_video.cli.one_run import one_run

    one = one_run(args)
    if args.dry_run:
        return one.dry_run()
    settings.resolve(args.gateway)  # the key's turn comes after the plan
    around_a_run.announce(args, one.context, one.left)
    made = one.make()
    clips = tuple(one.clips)
    return run_report.add(args, made, clips, one.output.parent if len(clips) > 1 else None)


def _story(args: argparse.Namespace, parser: options.Parser) -> "StoryFile | None":
    """The story that was asked for, if one was; its settings are options then."""
    if args.story is None:
        return None
    from factorized_video.cli import story_reading

    return story_reading.read(args, parser)


def _film(args: argparse.Namespace, parser: options.Parser, story: "StoryFile") -> "dict[str, Any]":
    """The pictures of a story, its clips and the film, as far as it goes now."""
    from factorized_video.cli import film_making, story_reading

    plan = story_reading.plan_of(story, args, parser)
    if args.dry_run:
        return plan.dry_run()
    film_making.announce(args, plan)
    return film_making.made(args, plan)


if __name__ == "__main__":
    sys.exit(main(build_parser, run))
