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
from factorized_video.again import OF_DRAWING, flag_of, with_other_words
from factorized_video.console import Console
from factorized_video.errors import Refused, StillRunning, UsageError

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from factorized_video.candidates import Wish
    from factorized_video.plan import Plan
    from factorized_video.workfolder import WorkFolder

# What was asked for, as it was typed: in the digest, and with the rest in the plan.
TYPED = (
    "style", "aspect_ratio", "duration", "llm_model", "image_model", "video_model", "resolution",
    "audio", "seed", "fit", "fit_duration",
)  # fmt: skip
ASKED = (*TYPED, "prompt_strategy", "motion_from_anchor")
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
    cli.add_references(parser.add_argument_group("the same again"))
    cli.add_candidate_options(parser)
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
    cli.add_motion(more)
    more.add_argument(
        "--motion-from-anchor", action="store_const", const=True,
        help="have the LLM look at the anchor and write the motion that follows from it",
    )  # fmt: skip
    cli.add_job_options(parser)
    cli.add_common(parser)
    return parser


def run(args: argparse.Namespace) -> "dict[str, Any]":
    """The whole pipeline, or what is left of it to do."""
    import contextlib
    from pathlib import Path

    from factorized_video import STAGES, asked, budget, pictures, plan, prompts, receipts
    from factorized_video.candidates import Wish
    from factorized_video.files import check_writable
    from factorized_video.gateway import settings
    from factorized_video.legal import Framing
    from factorized_video.pipeline import Stages, check_models
    from factorized_video.workfolder import WorkFolder, standing

    console: Console = args.console
    if args.list_models is not None:
        return _list_models(args)
    if args.online:
        raise UsageError("--online is for --list-models.", "Leave it out, or add --list-models.")
    if args.list_runs is not None:
        return _list_runs(args)
    if args.cancel is not None:
        return _cancel(args)
    prompt = inputs.read_text(args.prompt, args.prompt_file, "The prompt")
    motion = inputs.read_motion(args)
    strategy = args.prompt_strategy or prompts.DEFAULT_STRATEGY
    _check_flags(args, strategy, motion)
    wish = Wish(prompt, **{name: getattr(args, name) for name in Wish._fields if name != "prompt"})
    wish.check()
    sources = pictures.read(args.reference)
    own = None
    if args.anchor_path is not None:
        from factorized_video.media import images

        own = images.read_image(Path(args.anchor_path).expanduser(), "--anchor-path")
    last = None
    if args.last_frame is not None:
        from factorized_video.media import images

        last = images.read_last(args)
    last_hash = receipts.sha256_of_bytes(last.data) if last else None
    typed = inputs.output_path(args.output) if args.output is not None else None
    if typed:
        inputs.check_extension(typed, (".mp4",))
    chosen = settings.resolve(args.gateway, needs_key=False)  # the key's turn comes after the plan
    is_demo = chosen.name == "demo"
    first = asked.pipeline(
        prompt, motion, receipts.sha256_of_bytes(own.data) if own else None, chosen.identity,
        skip_reasoning=args.skip_reasoning, enhance=args.enhance, take=args.take,
        last_frame=last_hash, references=sources.hashes,
        **{name: getattr(args, name) for name in ASKED},
    )  # fmt: skip
    wanted = wish.digest(first)
    # The name does not depend on how many anchors are drawn, so that choosing one later goes on.
    output = typed or inputs.default_output(prompt, first, ".mp4")
    folder = WorkFolder(
        inputs.folder_path(args.work_dir)
        if args.work_dir is not None
        else output.with_name(output.stem + ".stages")
    )
    anchor = Path(args.anchor_path).expanduser().absolute() if own else folder.anchor
    state = standing(output, wanted, prompt, folder, anchor, demo=is_demo)
    names = plan.stages_of(
        strategy=args.prompt_strategy, motion=motion, skip_reasoning=args.skip_reasoning,
        own_anchor=own is not None,
    )  # fmt: skip
    stages = Stages(
        args, names, folder, output, anchor, prompt, motion, SCRIPTS, wish, last_hash,
        sources.hashes,
    )  # fmt: skip
    # What was paid for is waited for or returned whatever the models of today take.
    made = tuple(STAGES) if state == "done" else stages.made(chosen.identity)
    planned = plan.pipeline(
        prompt, motion, chosen.name, own_anchor=own is not None,
        picture_size=own.size if own else None, strategy=args.prompt_strategy, made=made,
        awaits_choice=wish.awaits_choice, motion_from_anchor=bool(args.motion_from_anchor),
        last_frame=last is not None, last_frame_size=last.size if last else None,
        references=sources.sizes, **wish.of_plan,
        **{name: getattr(args, name) for name in PLANNED},
    )  # fmt: skip
    check_models(planned, made)
    for what, picture in (("--anchor-path", own), ("--last-frame", last)):
        if picture and picture.size is None:
            images.to_send(picture, Framing(), what)  # what needs the media extra is said now
    sources.to_send()  # likewise
    if state != "done":
        stages.check_choice(chosen.identity)
    limit = budget.cap(args.max_cost, chosen.max_cost)
    if args.dry_run:
        console.warn(*planned.warnings, *chosen.warnings)
        _check_place(args, state, output, folder)
        if state != "done":
            stages.check(None, planned, chosen.identity)
        left = stages.left(planned, made, chosen.identity)._replace(
            spent=stages.spent, cap=limit, gateway=chosen.name, why=chosen.why
        )
        return plan.shown(left, args.allow_unknown_cost)
    settings.resolve(args.gateway)
    _check_packages(args, planned, wish)
    if state == "done" and not args.stop_after:
        receipts.returned(output, "return", console)
        if args.filmstrip:
            from factorized_video.delivery import draw_filmstrip

            draw_filmstrip(console, output)
        if args.save_intermediate:
            folder.save_intermediate(output, anchor, planned.call("synthesis").framing)
        return _result(receipts.read(output) or {}, output, [], reused=True)
    _check_place(args, state, output, folder)
    stages.check(limit, planned, chosen.identity)
    check_writable(output)
    check_writable(folder.caption)
    # Before the first call, not by each stage when its turn comes.
    console.warn(*chosen.warnings, *planned.warnings)
    stages.tell(console.warnings, planned)
    if planned.has("reasoning"):
        stages.reasoning()
        if args.stop_after == "caption":
            return stages.stopped(folder.caption)
        stages.check(limit, planned, chosen.identity)
    if own is None:
        stages.composition()
        if stages.awaits_choice:
            return stages.to_choose()
    if planned.has("motion"):
        if own is None:
            stages.check(limit, planned, chosen.identity)
        stages.motion()
    if args.stop_after == "anchor":
        return stages.stopped(folder.anchor)
    if own is None or planned.has("motion"):
        stages.check(limit, planned, chosen.identity)
    written = folder.motion if planned.has("reasoning") else None
    pipeline = {"digest": wanted, "files": folder.hashes()}
    try:
        stages.synthesis(written, pipeline)
    except Refused as error:
        error.result["next"] = with_other_words(str(anchor))  # the anchor is paid for: keep it
        raise
    record = receipts.Record(output, receipts.read(output) or {})
    with contextlib.suppress(StillRunning), receipts.locked(output):
        # Where another process holds the lock, it is about to write the same.
        record.update(pipeline={**pipeline, "cost": stages.children.cost()})
    if args.save_intermediate:
        folder.save_intermediate(output, anchor, planned.call("synthesis").framing)
    result = _result(record.data, output, stages.children.results, reused=False)
    return {**result, **stages.of_candidates}


def _check_place(
    args: argparse.Namespace, state: str, output: "Path", folder: "WorkFolder"
) -> None:
    """Raise UsageError where something else, or what cannot be read, lies where things would go."""
    if args.overwrite:
        return
    # To take another candidate and stop touches no clip.
    if state == "other" and not (args.select and args.stop_after == "anchor"):
        raise UsageError(
            f"{output} was made for other inputs, or what it was made from was changed since.",
            "Choose another --output, or add --overwrite: the old file is kept under another name.",
            output=str(output),
        )
    if args.anchor_path is None:
        from factorized_video.candidates import check_place

        names = [str(number) for number in range(1, inputs.MOST_CANDIDATES + 1)]
        check_place(folder.anchor, names)
    damaged = folder.damaged()
    if damaged:
        raise UsageError(
            f"{damaged[0]} cannot be read: whether what it tells of was paid for is not known.",
            "Move it away, choose another --work-dir, or add --overwrite.",
        )


def _check_packages(args: argparse.Namespace, planned: "Plan", wish: "Wish") -> None:
    """Raise UsageError where Pillow and PyAV are missing and needed; decide on the filmstrip."""
    from factorized_video.media import kinds

    if args.gateway == "demo":
        kinds.need_media_extra("The demo gateway")
    if wish.several:
        kinds.need_media_extra("--candidates, --select and --verify")
    if args.filmstrip:
        kinds.need_media_extra("--filmstrip")
    elif args.filmstrip is None:
        args.filmstrip = kinds.have_media_extra()
    makes_sound = planned.has("synthesis") and planned.call("synthesis").model.audio != "never"
    if args.audio is False and makes_sound:
        kinds.need_media_extra("--no-audio")


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


def _cancel(args: argparse.Namespace) -> "dict[str, Any]":
    """Ask the gateway to end a running job."""
    from factorized_video import cancelling, receipts
    from factorized_video.gateway import settings

    args.console.stage = "synthesis"
    record = cancelling.record_of(inputs.output_path(args.cancel))
    cancelling.check_gateway(record, settings.resolve(args.gateway, needs_key=False))
    chosen = settings.resolve(args.gateway)
    # A process that waits for the job would write over what is written here: it has to end first.
    with receipts.locked(record.output):
        return cancelling.cancel(args.console, record, chosen)


def _list_models(args: argparse.Namespace) -> "dict[str, Any]":
    """What the registry says, and with --online what the gateway says otherwise."""
    import time

    from factorized_video import catalog
    from factorized_video.gateway import open_gateway, settings

    today = time.strftime("%Y-%m-%d", time.gmtime())
    kind = None if args.list_models == "all" else args.list_models
    chosen = settings.resolve(args.gateway, needs_key=args.online)
    rows = catalog.rows(kind, today)
    result: dict[str, Any] = {
        "status": "succeeded",
        "gateway": chosen.name,
        "models": rows,
        "text": catalog.as_text(rows, chosen.name),
    }
    if args.online:
        with open_gateway(chosen, args.console.progress) as gateway:
            served = gateway.models()
        if served is None:
            args.console.warn(f"{chosen.name} offers no list of models; this is what is known.")
        else:
            result["online"] = differs = catalog.differences(served, chosen.name, kind)
            result["text"] = f"{result['text']}\n{catalog.differences_as_text(differs)}"
    return result


def _check_flags(args: argparse.Namespace, strategy: str, motion: "str | None") -> None:
    """Flags that contradict each other."""
    own = args.anchor_path is not None
    if args.skip_anchor and not own:
        raise UsageError(
            "--skip-anchor needs the image to use instead.", "Add --anchor-path IMAGE."
        )
    for name in OF_DRAWING if own else ():
        if getattr(args, name) is not None:
            raise UsageError(
                f"{flag_of(name)}: with --anchor-path no anchor is made.",
                "Leave one of them out.",
            )
    if args.motion_from_anchor and (motion is not None or strategy == "original"):
        told = "--motion" if args.motion is not None else "--motion-file"
        told = "--prompt-strategy original" if motion is None else told
        raise UsageError(
            f"--motion-from-anchor: with {told} no motion that is written is told.",
            "Leave one of them out.",
        )
    nobody = args.skip_reasoning and not args.motion_from_anchor
    if strategy == "motion-only" and motion is None and nobody:
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
    from factorized_video import models, receipts

    filmstrip = receipts.filmstrip_path(output)
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
        "anchor_fidelity": receipt.get("anchor_fidelity"),
        "filmstrip": str(filmstrip) if filmstrip.exists() else None,
        "stages": stages,
        "reused": reused,
        "gateway_cannot": list(models.gateway(receipt["gateway"]["name"]).cannot),
    }


if __name__ == "__main__":
    sys.exit(cli.main(build_parser, run))
