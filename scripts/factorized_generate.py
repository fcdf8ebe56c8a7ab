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

from factorized_video import cli, inputs
from factorized_video.again import same_command, with_other_words
from factorized_video.console import TOLD, Console
from factorized_video.errors import Refused, StillRunning, UsageError

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from factorized_video.workfolder import WorkFolder

# What was asked for, as it was typed: in the digest, and with the rest in the plan.
TYPED = ("style", "aspect_ratio", "duration", "llm_model", "image_model", "video_model")
DIGESTED = (*TYPED, "prompt_strategy")
PLANNED = (*TYPED, "enhance", "skip_reasoning", "stop_after", "allow_off")
SCRIPTS = os.path.dirname(os.path.abspath(__file__))


class _WrongModelFlag(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *rest: object) -> None:
        parser.error(
            "--model is a flag of the single stages; here it is --llm-model, --image-model or "
            "--video-model"
        )


def build_parser() -> cli.Parser:
    """The options; the original skill's first."""
    parser = cli.Parser(
        "Prompt -> caption of the first frame -> anchor image -> video. The same command again "
        "goes on where it was.",
        'python3 scripts/factorized_generate.py --prompt "A cat jumping from a bookshelf to the '
        'couch" --output cat.mp4',
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--prompt", metavar="TEXT", help="the video prompt; - reads it from stdin")
    source.add_argument("--prompt-file", metavar="FILE", help="the same, from a file (- is stdin)")
    source.add_argument(
        "--list-runs",
        nargs="?",
        const="",
        metavar="DIR",
        help="show the receipts in DIR (default: outputs/): state, cost, age, what comes next",
    )
    cli.add_style(parser)
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
    cli.add_video_options(parser)
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
    cli.add_motion(more)
    cli.add_job_options(parser)
    cli.add_common(parser)
    return parser


def run(args: argparse.Namespace) -> "dict[str, Any]":
    """The whole pipeline, or what is left of it to do."""
    import contextlib
    from pathlib import Path

    from factorized_video import plan, prompts, receipts
    from factorized_video.files import check_writable
    from factorized_video.gateway import settings
    from factorized_video.workfolder import WorkFolder, standing

    console: Console = args.console
    if args.list_runs is not None:
        return _list_runs(args)
    prompt = inputs.read_text(args.prompt, args.prompt_file, "The prompt")
    motion = inputs.read_motion(args)
    strategy = args.prompt_strategy or prompts.DEFAULT_STRATEGY
    _check_flags(args, strategy, motion)
    own = None
    if args.anchor_path is not None:
        from factorized_video import media

        own = media.read_image(Path(args.anchor_path).expanduser(), "--anchor-path")
        media.to_send(own)  # what cannot be sent is said now
    typed = inputs.output_path(args.output) if args.output is not None else None
    if typed:
        inputs.check_extension(typed, (".mp4",))
    planned = plan.pipeline(
        prompt,
        motion,
        settings.planned_name(args.gateway),
        own_anchor=own is not None,
        picture_size=own.size if own else None,
        strategy=strategy,
        **{name: getattr(args, name) for name in PLANNED},
    )
    if args.dry_run:
        console.warn(*planned.warnings)
        return planned.as_json()
    chosen = settings.resolve(args.gateway)
    if chosen.name == "demo":
        from factorized_video import media

        media.need_media_extra("The demo gateway")

    wanted = receipts.digest("pipeline", {
        "prompt": prompt,
        "motion": motion,
        "anchor": receipts.sha256_of_bytes(own.data) if own else None,
        "skip_reasoning": args.skip_reasoning or None,
        "enhance": args.enhance or None,
        "gateway": chosen.identity,
        "take": args.take if args.take != 1 else None,
        **{name: getattr(args, name) for name in DIGESTED},
    })  # fmt: skip
    output = typed or inputs.default_output(prompt, wanted, ".mp4")
    folder = WorkFolder(
        inputs.folder_path(args.work_dir)
        if args.work_dir is not None
        else output.with_name(output.stem + ".stages")
    )
    anchor = Path(args.anchor_path).expanduser().absolute() if own else folder.anchor
    state = standing(output, wanted, prompt, folder, anchor, demo=chosen.name == "demo")
    if state == "done" and not args.stop_after:
        receipts.returned(output, "return", console)
        if args.save_intermediate:
            folder.save_intermediate(output, anchor)
        return _result(receipts.read(output) or {}, output, [], reused=True)
    if state == "other" and not args.overwrite:
        raise UsageError(
            f"{output} was made for other inputs, or what it was made from was changed since.",
            "Choose another --output, or add --overwrite: the old file is kept under another name.",
            output=str(output),
        )
    damaged = folder.damaged()
    if damaged and not args.overwrite:
        raise UsageError(
            f"{damaged[0]} cannot be read: whether what it tells of was paid for is not known.",
            "Move it away, choose another --work-dir, or add --overwrite.",
        )
    check_writable(output)
    check_writable(folder.caption)
    # Before the first call, not by each stage when its turn comes.
    console.warn(*chosen.warnings, *planned.warnings)
    stages = _Stages(args, folder)
    if planned.has("reasoning"):
        stages.reasoning(prompt)
        if args.stop_after == "caption":
            return stages.stopped(folder.caption)
    if own is None:
        stages.composition(prompt)
        if args.stop_after == "anchor":
            return stages.stopped(folder.anchor)
    written = folder.motion if planned.has("reasoning") else None
    pipeline = {"digest": wanted, "files": folder.hashes()}
    try:
        stages.synthesis(prompt, motion, written, anchor, output, pipeline)
    except Refused as error:
        error.result["next"] = with_other_words(str(anchor))  # the anchor is paid for: keep it
        raise
    record = receipts.Record(output, receipts.read(output) or {})
    with contextlib.suppress(StillRunning), receipts.locked(output):
        # Where another process holds the lock, it is about to write the same.
        record.update(pipeline={**pipeline, "cost": stages.children.cost()})
    if args.save_intermediate:
        folder.save_intermediate(output, anchor)
    return _result(record.data, output, stages.children.results, reused=False)


def _list_runs(args: argparse.Namespace) -> "dict[str, Any]":
    """What the receipts in a folder say; nothing is sent."""
    from factorized_video import runs

    folder = inputs.folder_path(args.list_runs) if args.list_runs else runs.default_folder()
    rows = runs.listed(folder)
    spent, unknown = runs.total(rows)
    if unknown:
        args.console.warn(f"The cost of {unknown} paid calls is not known and not in the total.")
    return {
        "status": "succeeded",
        "output": str(folder),
        "cost": spent.as_json(),
        "runs": rows,
        "text": runs.as_text(rows),
    }


def _check_flags(args: argparse.Namespace, strategy: str, motion: "str | None") -> None:
    """Flags that contradict each other."""
    own = args.anchor_path is not None
    if args.skip_anchor and not own:
        raise UsageError(
            "--skip-anchor needs the image to use instead.", "Add --anchor-path IMAGE."
        )
    if strategy == "motion-only" and motion is None and args.skip_reasoning:
        raise UsageError(
            "--prompt-strategy motion-only needs a motion, and --skip-reasoning leaves nobody to "
            "write it.",
            "Give --motion TEXT, or leave out --skip-reasoning.",
        )
    if args.stop_after == "anchor" and own:
        raise UsageError(
            "--stop-after anchor: with --anchor-path no anchor is made.", "Leave one of them out."
        )
    if args.stop_after == "caption" and (args.skip_reasoning or own):
        raise UsageError(
            "--stop-after caption: with these flags no caption is written.",
            "Leave out --stop-after.",
        )


def _result(
    receipt: "dict[str, Any]", output: "Path", stages: "list[dict[str, Any]]", reused: bool
) -> "dict[str, Any]":
    from factorized_video import receipts

    return {
        "status": "succeeded",
        "stage": "synthesis",
        "text": str(output),
        "output": str(output),
        "gateway": receipt["gateway"]["name"],
        "model": receipt["model"],
        "cost": (receipt.get("pipeline") or {}).get("cost") or receipt["cost"],
        "receipt": str(receipts.receipt_path(output)),
        "job": receipt["job"],
        "video": receipt["measured"],
        "stages": stages,
        "reused": reused,
    }


class _Stages:
    """Runs the stage scripts, one after the other, and keeps what they answered."""

    def __init__(self, args: argparse.Namespace, folder: "WorkFolder") -> None:
        import json

        from factorized_video import receipts
        from factorized_video.children import Children

        common = ["--gateway=" + args.gateway] + ["--quiet"] * args.quiet
        # Receipts name the command that a person would run again: this one.
        command = same_command("--no-wait")
        told = json.dumps(args.console.warnings)
        environ = {**os.environ, receipts.COMMAND: command, TOLD: told}
        self.children = Children(args.console, common, environ)
        self._args = args
        self._folder = folder
        self._own = folder.persons_own()

    def reasoning(self, prompt: str) -> None:
        """Stage 1, unless the caption is the person's own."""
        args, folder = self._args, self._folder
        if "caption" in self._own:
            self._say_own(folder.caption)
            return
        self._run(
            "rewrite_prompt.py",
            "-",
            stdin=prompt,
            output=folder.caption,
            motion_file=None if "motion" in self._own else folder.motion,
            style=args.style,
            aspect_ratio=args.aspect_ratio,
            model=args.llm_model,
            overwrite=True,  # an older one is kept aside; the person's own never comes here
        )

    def composition(self, prompt: str) -> None:
        """Stage 2, unless the anchor is the person's own."""
        from factorized_video import prompts

        args, folder = self._args, self._folder
        if "anchor" in self._own:
            self._say_own(folder.anchor)
            return
        self._run(
            "generate_anchor.py",
            stdin=prompt if args.skip_reasoning else None,
            input_file="-" if args.skip_reasoning else folder.caption,
            output=folder.anchor,
            model=args.image_model,
            style=args.style or prompts.named_style(prompt),
            aspect_ratio=args.aspect_ratio,
            enhance=args.enhance,
            overwrite=True,
            resubmit=args.resubmit,
            take=args.take if args.take != 1 else None,
            allow_off=args.allow_off,
        )

    def synthesis(
        self,
        prompt: str,
        motion: "str | None",
        written: "Path | None",
        anchor: "Path",
        output: "Path",
        pipeline: "dict[str, Any]",
    ) -> None:
        """Stage 3, with the motion given, else the one that Stage 1 has `written`, if any.

        `pipeline` goes into the video's receipt as soon as there is one, so that other inputs are
        noticed before Stages 1 and 2 are paid for.
        """
        import json

        from factorized_video import receipts

        args = self._args
        motion_file = None
        takes_motion = motion is None and args.prompt_strategy != "original"
        if takes_motion and written is not None and written.exists():
            motion_file = written
            if "motion" in self._own:
                self._say_own(written)
        self.children.environ[receipts.PIPELINE] = json.dumps(pipeline)
        self._run(
            "generate_video_from_anchor.py",
            anchor=anchor,
            prompt=prompt,
            motion=motion,
            motion_file=motion_file,
            output=output,
            model=args.video_model,
            duration=args.duration,
            aspect_ratio=args.aspect_ratio,
            prompt_strategy=args.prompt_strategy,
            timeout=f"{args.timeout:g}",
            no_wait=args.no_wait,
            job=args.job,
            overwrite=args.overwrite,
            resubmit=args.resubmit,
            take=args.take if args.take != 1 else None,
            allow_off=args.allow_off,
        )

    def stopped(self, path: "Path") -> "dict[str, Any]":
        """The result of --stop-after; `next` is the same command without it."""
        results = self.children.results
        last = results[-1] if results else {}
        return {
            "status": "succeeded",
            "text": str(path),
            "output": str(path),
            "gateway": last.get("gateway"),
            "model": last.get("model"),
            "cost": self.children.cost(),
            "receipt": last.get("receipt"),
            "stage": last.get("stage"),
            "stages": results,
            "next": same_command("--stop-after"),
        }

    def _run(self, script: str, *words: str, **options: "Any") -> None:
        self.children.run(os.path.join(SCRIPTS, script), *words, **options)

    def _say_own(self, path: "Path") -> None:
        self._args.console.warn(f"{path} is your own version: it is used as it is.")


if __name__ == "__main__":
    sys.exit(cli.main(build_parser, run))
