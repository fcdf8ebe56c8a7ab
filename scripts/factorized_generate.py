# /// script
# requires-python = ">=3.10"
# dependencies = ["requests>=2.31", "python-dotenv>=1.0", "pillow>=10.1", "av>=12"]
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

from factorized_video import cli  # noqa: E402

SCRIPTS = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is slow to load


class _WrongModelFlag(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *rest: object) -> None:  # type: ignore[override]
        parser.error("--model is a flag of the single stages; here it is --llm-model, "
                     "--image-model or --video-model")  # fmt: skip


def build_parser() -> cli.Parser:
    """The options; the original skill's first."""
    parser = cli.Parser(
        "Prompt -> caption of the first frame -> anchor image -> video. The same command again goes "
        "on where it was.",
        'python3 scripts/factorized_generate.py --prompt "A cat jumping from a bookshelf to the '
        'couch" --output cat.mp4',
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--prompt", metavar="TEXT", help="the video prompt; - reads it from stdin")
    source.add_argument("--prompt-file", metavar="FILE", help="the same, from a file (- is stdin)")
    cli.add_style(parser)
    parser.add_argument("--skip-reasoning", action="store_true", help="the prompt is the caption")
    parser.add_argument(
        "--skip-anchor", action="store_true", help="use the image of --anchor-path as the anchor"
    )
    parser.add_argument(
        "--anchor-path", "--anchor", metavar="IMAGE", help="your own anchor (implies --skip-anchor)"
    )
    parser.add_argument(
        "--save-intermediate", action="store_true",
        help="also keep the texts and the image as sent, and the replies, in the work folder",
    )  # fmt: skip
    parser.add_argument(
        "--work-dir", metavar="DIR",
        help="where caption, motion and anchor go (default: OUTPUT without extension + .stages)",
    )  # fmt: skip
    parser.add_argument(
        "--enhance", action="store_true", help="add terms of the craft that fit the style"
    )
    cli.add_video_options(parser)
    parser.add_argument(
        "--output", metavar="FILE.mp4",
        help="where the video goes (default: outputs/<first words>-<hash>.mp4)",
    )  # fmt: skip
    more = parser.add_argument_group("stages and models")
    more.add_argument("--llm-model", metavar="ID", help="the LLM of Stage 1")
    more.add_argument("--image-model", metavar="ID", help="the image model of Stage 2")
    more.add_argument("--video-model", metavar="ID", help="the image-to-video model of Stage 3")
    more.add_argument("--model", action=_WrongModelFlag, help=argparse.SUPPRESS)
    more.add_argument(
        "--stop-after", choices=("caption", "anchor"),
        help="stop to look; the same command without it goes on",
    )  # fmt: skip
    cli.add_motion(more)
    cli.add_common(parser)
    return parser


def run(args: argparse.Namespace) -> "dict[str, object]":
    """The whole pipeline, or what is left of it to do."""
    from pathlib import Path

    from factorized_video import media, plan, prompts, receipts
    from factorized_video.files import check_writable
    from factorized_video.gateway import settings
    from factorized_video.workfolder import WorkFolder, standing

    console = args.console
    prompt = cli.read_text(args.prompt, args.prompt_file, "The prompt")
    motion = cli.read_motion(args)
    strategy = args.prompt_strategy or prompts.DEFAULT_STRATEGY
    _check_flags(args, strategy, motion)
    own_anchor = None
    if args.anchor_path is not None:
        own_anchor = media.read_image(Path(args.anchor_path).expanduser(), "--anchor-path")
        media.to_send(own_anchor)  # what cannot be sent is said now
    typed = cli.output_path(args.output) if args.output is not None else None
    if typed:
        cli.check_extension(typed, (".mp4",))
    planned = _plan(args, prompt, motion, strategy, own_anchor)
    if args.dry_run:
        return planned.as_json()
    chosen = settings.resolve(args.gateway)
    if chosen.name == "demo":
        media.need_media_extra("The demo gateway")

    wanted = receipts.digest("pipeline", {
        "prompt": prompt, "motion": motion, "style": args.style, "aspect_ratio": args.aspect_ratio,
        "duration": args.duration, "prompt_strategy": args.prompt_strategy,
        "skip_reasoning": args.skip_reasoning or None, "enhance": args.enhance or None,
        "anchor": receipts.sha256_of_bytes(own_anchor.data) if own_anchor else None,
        "llm_model": args.llm_model, "image_model": args.image_model,
        "video_model": args.video_model, "gateway": chosen.identity,
    })  # fmt: skip
    output = typed or cli.default_output(prompt, wanted, ".mp4")
    folder = WorkFolder(
        cli.output_path(args.work_dir.rstrip("/") or "/")
        if args.work_dir
        else output.with_name(output.stem + ".stages")
    )
    anchor = Path(args.anchor_path).expanduser().absolute() if own_anchor else folder.anchor
    state = standing(output, wanted, prompt, folder, anchor)
    if state == "done":
        console.progress("already made for the same inputs")
        return _result(receipts.read(output), output, [], reused=True)
    if state == "other" and not args.overwrite and not _gives_way(output, chosen.name):
        raise cli.UsageError(
            "{} was made for other inputs, or its caption, motion or anchor was changed "
            "since.".format(output),
            "Choose another --output, or add --overwrite: the old file is kept under another name.",
            output=str(output),
        )
    check_writable(output)
    check_writable(folder.caption)
    stages = Stages(args, console, folder)
    if planned.has("reasoning"):
        stages.reasoning(prompt)
        if args.stop_after == "caption":
            return stages.stopped(folder.caption)
    if own_anchor is None:
        stages.composition(prompt)
        if args.stop_after == "anchor":
            return stages.stopped(folder.anchor)
    stages.synthesis(prompt, motion, strategy, anchor, output)
    record = receipts.Record(output, receipts.read(output) or {})
    record.update(pipeline={"digest": wanted, "files": folder.hashes(), "cost": stages.cost()})
    if args.save_intermediate:
        folder.save_intermediate(output, anchor)
    return _result(record.data, output, stages.results, reused=False)


def _check_flags(args, strategy, motion):  # type: ignore[no-untyped-def]
    """Flags that contradict each other."""
    if args.skip_anchor and args.anchor_path is None:
        raise cli.UsageError(
            "--skip-anchor needs the image to use instead.", "Add --anchor-path IMAGE."
        )
    own = args.anchor_path is not None
    writes_motion = not args.skip_reasoning and (not own or strategy == "motion-only")
    if strategy == "motion-only" and motion is None and not writes_motion:
        raise cli.UsageError(
            "--prompt-strategy motion-only needs a motion, and --skip-reasoning leaves nobody to "
            "write it.",
            "Give --motion TEXT, or leave out --skip-reasoning.",
        )
    if args.stop_after == "anchor" and own:
        raise cli.UsageError("--stop-after anchor: with --anchor-path no anchor is made.")
    if args.stop_after == "caption" and (args.skip_reasoning or own):
        raise cli.UsageError("--stop-after caption: with these flags no caption is written.")


def _plan(args, prompt, motion, strategy, own_anchor):  # type: ignore[no-untyped-def]
    """All calls that would be made, checked and priced before the first one."""
    from factorized_video import plan, prompts
    from factorized_video.gateway import settings

    gateway = settings.planned_name(args.gateway)
    style = prompts.resolve_style(args.style, prompt)
    asks_llm = not args.skip_reasoning and (
        own_anchor is None or (strategy == "motion-only" and motion is None)
    )
    told = motion or (plan.MOTION_TO_COME if asks_llm else None)
    video = plan.synthesis(
        prompt, told, gateway, model=args.video_model, strategy=strategy, duration=args.duration,
        ratio=args.aspect_ratio, picture_size=own_anchor.size if own_anchor else None,
        allow_off=args.allow_off,
    )  # fmt: skip
    calls, skipped = [], []
    if asks_llm:
        calls.append(plan.reasoning(prompt, gateway, model=args.llm_model, style=style,
                                    ratio=args.aspect_ratio or plan.DEFAULT_RATIO))  # fmt: skip
    else:
        why = "--skip-reasoning" if args.skip_reasoning else "your own anchor needs no caption"
        skipped.append("Stage 1 reasoning ({})".format(why))
    if own_anchor is None:
        calls.append(plan.composition(
            plan.CAPTION_TO_COME if asks_llm else prompt, gateway, model=args.image_model,
            style=style, ratio=args.aspect_ratio or plan.DEFAULT_RATIO, enhance=args.enhance,
            allow_off=args.allow_off,
        ))  # fmt: skip
    else:
        skipped.append("Stage 2 composition (your own anchor)")
    calls.append(video)
    last = {"caption": "reasoning", "anchor": "composition"}.get(args.stop_after)
    kept = [call.stage for call in calls].index(last) + 1 if last else len(calls)
    skipped += ["{} (--stop-after)".format(cli.STAGES[call.stage]) for call in calls[kept:]]
    return plan.Plan(tuple(calls[:kept]), tuple(skipped))


def _gives_way(output, gateway):  # type: ignore[no-untyped-def]
    """Whether what lies there is the demo's and a real gateway is asked."""
    from factorized_video import receipts

    receipt = receipts.read(output)
    return receipt is not None and receipts.was_demo(receipt) and gateway != "demo"


def _result(receipt, output, stages, reused):  # type: ignore[no-untyped-def]
    from factorized_video import receipts

    return {
        "status": "succeeded",
        "stage": "synthesis",
        "text": str(output),
        "output": str(output),
        "gateway": receipt["gateway"]["name"],
        "model": receipt["model"],
        "cost": receipt["pipeline"]["cost"],
        "receipt": str(receipts.receipt_path(output)),
        "job": receipt["job"],
        "video": receipt["measured"],
        "stages": stages,
        "reused": reused,
    }


class Stages:
    """Runs the stage scripts, one after the other, and keeps what they answered."""

    def __init__(self, args, console, folder):  # type: ignore[no-untyped-def]
        self.args = args
        self.console = console
        self.folder = folder
        self.results = []  # type: list[dict[str, object]]
        self._own = folder.persons_own()

    def reasoning(self, prompt):  # type: ignore[no-untyped-def]
        """Stage 1, unless the caption is the person's own."""
        if "caption" in self._own:
            self._say_own(self.folder.caption)
            return
        motion_file = None if "motion" in self._own else self.folder.motion
        self._run(
            "rewrite_prompt.py", ["-"], prompt,
            output=self.folder.caption, motion_file=motion_file, style=self.args.style,
            aspect_ratio=self.args.aspect_ratio, model=self.args.llm_model, overwrite=True,
        )  # fmt: skip

    def composition(self, prompt):  # type: ignore[no-untyped-def]
        """Stage 2, unless the anchor is the person's own."""
        from factorized_video import prompts

        if "anchor" in self._own:
            self._say_own(self.folder.anchor)
            return
        caption = "-" if self.args.skip_reasoning else self.folder.caption
        self._run(
            "generate_anchor.py", [], prompt if caption == "-" else None,
            input_file=caption, output=self.folder.anchor, model=self.args.image_model,
            style=self.args.style or prompts.named_style(prompt),
            aspect_ratio=self.args.aspect_ratio, enhance=self.args.enhance, overwrite=True,
            resubmit=self.args.resubmit, allow_off=self.args.allow_off,
        )  # fmt: skip

    def synthesis(self, prompt, motion, strategy, anchor, output):  # type: ignore[no-untyped-def]
        """Stage 3."""
        motion_file = None
        if "motion" in self._own:
            self._say_own(self.folder.motion)
        if motion is None and strategy != "original" and self.folder.motion.exists():
            motion_file = self.folder.motion
        self._run(
            "generate_video_from_anchor.py", [], None,
            anchor=anchor, prompt=prompt, motion=motion, motion_file=motion_file, output=output,
            model=self.args.video_model, duration=self.args.duration,
            aspect_ratio=self.args.aspect_ratio, prompt_strategy=self.args.prompt_strategy,
            timeout="{:g}".format(self.args.timeout), overwrite=self.args.overwrite,
            resubmit=self.args.resubmit, allow_off=self.args.allow_off,
        )  # fmt: skip

    def stopped(self, path):  # type: ignore[no-untyped-def]
        """The result of --stop-after."""
        import shlex

        words = list(sys.argv)
        for form in ("--stop-after=" + self.args.stop_after,):
            if form in words:
                words.remove(form)
        if "--stop-after" in words:
            at = words.index("--stop-after")
            del words[at : at + 2]
        last = self.results[-1] if self.results else {}
        return {
            "status": "succeeded",
            "text": str(path),
            "output": str(path),
            "gateway": last.get("gateway"),
            "model": last.get("model"),
            "cost": self.cost(),
            "receipt": last.get("receipt"),
            "stages": self.results,
            "next": "python3 " + shlex.join(words),
        }

    def cost(self):  # type: ignore[no-untyped-def]
        """What the stages cost together."""
        from factorized_video import models

        rows = [result["cost"] for result in self.results]
        return models.total(
            [models.Cost(row["amount"], row["kind"]) for row in rows if row]
        ).as_json()

    def _say_own(self, path):  # type: ignore[no-untyped-def]
        self.console.warn(
            "{} is your own version: it is used as it is. Delete it to have it made.".format(path)
        )

    def _run(self, script, words, stdin, **options):  # type: ignore[no-untyped-def]
        """Run one stage as a subprocess; its result is kept, its failure raised as ours."""
        import json
        import subprocess

        from factorized_video import errors

        command = [sys.executable, os.path.join(SCRIPTS, script), *words, "--json"]  # noqa: PTH118
        command.append("--gateway=" + self.args.gateway)
        if self.args.quiet:
            command.append("--quiet")
        for name, value in options.items():
            flag = "--" + name.replace("_", "-")
            if value is True:
                command.append(flag)
            elif value is not None and value is not False:
                command.append("{}={}".format(flag, value))
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL
        )
        try:
            out, _ = child.communicate(stdin.encode() if stdin else None)
        except KeyboardInterrupt:
            child.terminate()
            try:
                child.communicate(timeout=10)
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                child.kill()
                child.wait()
            raise
        try:
            result = json.loads(out)
        except ValueError:
            raise errors.Interrupted(
                "{} ended without an answer (exit status {}).".format(script, child.returncode),
                "Run the same command again to go on.",
            ) from None
        self.console.warnings += [
            w for w in result.pop("warnings") if w not in self.console.warnings
        ]
        for key in ("next", "eta_s"):
            result.pop(key) if key == "next" or result.get(key) is None else None
        self.results.append(result)
        if child.returncode == 0:
            return
        told = result.get("error") or {}
        error = errors.of_kind(
            told.get("kind", "internal"), told.get("message", ""), told.get("hint", ""),
            http_status=told.get("http_status"), request_id=told.get("request_id"),
            charged=told.get("charged"),
        )  # fmt: skip
        error.told = True
        error.result = {
            "stage": result["stage"], "output": result["output"], "gateway": result["gateway"],
            "model": result["model"], "receipt": result["receipt"], "job": result["job"],
            "eta_s": result.get("eta_s"), "cost": self.cost(), "stages": self.results,
        }  # fmt: skip
        raise error


if __name__ == "__main__":
    sys.exit(cli.main(build_parser, run))
