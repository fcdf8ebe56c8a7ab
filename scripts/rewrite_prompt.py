# /// script
# requires-python = ">=3.10"
# dependencies = ["requests>=2.31", "python-dotenv>=1.0", "pillow>=10.1", "av>=14"]
# ///
"""Stage 1, reasoning: rewrite a video prompt into a caption of its first frame, and a motion line.

Example:
    python3 scripts/rewrite_prompt.py "A cat jumping from a bookshelf to the couch" \
        --style photorealistic --aspect-ratio 16:9 --output first_frame.txt

Prints the caption. Exit codes: see --help.
"""

import argparse
import os
import sys

import _bootstrap

_bootstrap.ensure(__file__)

from factorized_video import output_paths, texts
from factorized_video.cli import options
from factorized_video.cli.main import main
from factorized_video.errors import UsageError
from factorized_video.rerun import flag_of

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from factorized_video.gateway.settings import Settings
    from factorized_video.stages.plan import Call
    from factorized_video.stages.reasoning import Task


def build_parser() -> options.Parser:
    """The options; the original skill's first."""
    parser = options.Parser(
        "Stage 1, reasoning: rewrite a video prompt into a caption of its first frame (printed) "
        "and a motion line.",
        'python3 scripts/rewrite_prompt.py "A cat jumping from a bookshelf to the couch" '
        "--output first_frame.txt",
    )
    parser.add_argument("prompt", metavar="PROMPT", help="the video prompt; - reads it from stdin")
    options.add_style(parser)
    parser.add_argument("--model", metavar="ID", help="the LLM that rewrites")
    parser.add_argument("--output", metavar="FILE", help="also write the caption to FILE")
    parser.add_argument("--motion-file", metavar="FILE", help="also write the motion to FILE")
    options.add_references(parser)
    parser.add_argument(
        "--anchor",
        metavar="IMAGE",
        help="write the motion alone, with this first frame in view; --output is where it goes",
    )
    options.add_common(parser, draws=False)
    return parser


def run(args: argparse.Namespace) -> "dict[str, Any]":
    """One rewrite, or the one that was made before for the same inputs and the same --output."""
    import contextlib

    from factorized_video import receipts
    from factorized_video.files import check_writable
    from factorized_video.gateway import settings
    from factorized_video.receipts import spending
    from factorized_video.receipts.cap import check_cap, effective_cap
    from factorized_video.stages import plan

    console = args.console
    console.stage = "reasoning" if args.anchor is None else "motion"
    prompt = texts.read_text(args.prompt, None, "The prompt")
    chosen = settings.resolve(args.gateway, needs_key=False)  # the key's turn comes after the plan
    task = (
        _motion(args, prompt, chosen) if args.anchor is not None else _caption(args, prompt, chosen)
    )
    output = output_paths.output_path(args.output) if args.output is not None else None
    written = output is not None and receipts.rewritten(output, task.wanted) is not None
    # What is there already is returned whatever the models of today take.
    call = task.plan(None, not written)
    console.warn(*call.warnings, *chosen.warnings)
    limit = effective_cap(args.max_cost, chosen.max_cost)
    spent = spending.spent_for([output] if output and (limit or args.dry_run) else [])
    whole = plan.Plan((call,), (), spent, limit, chosen.name, chosen.why)
    left = whole.without([call.stage]) if written else whole
    if args.dry_run:
        if output:
            receipts.check_room(
                output, task.wanted, overwrite=args.overwrite, demo=chosen.name == "demo"
            )
        return plan.shown(left, args.allow_unknown_cost)
    settings.resolve(args.gateway)
    check_cap(limit, spent, left.costs, allow_unknown=args.allow_unknown_cost)
    motion_file = (
        output_paths.output_path(args.motion_file) if args.motion_file is not None else None
    )
    if output and output == motion_file:
        raise UsageError("--output and --motion-file name the same file.", "Give them two names.")
    for path in filter(None, (output, motion_file)):
        check_writable(path)
    with receipts.locked(output) if output else contextlib.nullcontext():
        return _written(args, chosen, task, call, output, motion_file)


def _caption(args: argparse.Namespace, prompt: str, chosen: "Settings") -> "Task":
    """Caption and motion, from the prompt and the reference pictures, if there are any."""
    from factorized_video import receipts
    from factorized_video.models import limits
    from factorized_video.prompts import styles
    from factorized_video.receipts import digests
    from factorized_video.stages import plan, reasoning, reference_images
    from factorized_video.stages.reasoning import Task

    sources = reference_images.read(args.reference)
    shown = sources.to_send()
    style = styles.resolve_style(args.style, prompt)
    ratio = args.aspect_ratio or os.environ.get(receipts.RATIO) or limits.DEFAULT_RATIO
    return Task(
        "caption",
        digests.reasoning(
            prompt,
            chosen.identity,
            style=args.style,
            aspect_ratio=args.aspect_ratio,
            model=args.model,
            references=sources.hashes,
        ),
        {"prompt": prompt, **sources.in_receipt},
        lambda only, strict: plan.reasoning(
            prompt,
            chosen.name,
            model=args.model or only,
            style=args.style,
            ratio=ratio,
            references=len(shown),
            allow_off=args.allow_off,
            strict=strict,
        ),
        lambda gateway, call: reasoning.rewrite(args.console, gateway, call, style, ratio, shown),
    )


def _motion(args: argparse.Namespace, prompt: str, chosen: "Settings") -> "Task":
    """The motion alone, with the anchor in view. Raises UsageError for what would do nothing."""
    from pathlib import Path

    from factorized_video import receipts
    from factorized_video.media import images
    from factorized_video.receipts import digests
    from factorized_video.stages import plan, reasoning
    from factorized_video.stages.reasoning import Task

    for name in ("style", "aspect_ratio", "motion_file", "reference"):
        if getattr(args, name) is not None:
            raise UsageError(
                f"{flag_of(name)} says nothing with --anchor: only the motion is written.",
                "Leave it out; the motion goes to --output.",
            )
    anchor = images.read_image(Path(args.anchor).expanduser(), "--anchor")
    args.console.warn(*anchor.warnings)
    sha256 = receipts.sha256_of_bytes(anchor.data)
    return Task(
        "motion",
        digests.motion(prompt, sha256, chosen.identity, model=args.model),
        {"prompt": prompt, "anchor": {"name": Path(args.anchor).name, "sha256": sha256}},
        lambda only, strict: plan.motion_call(
            prompt, chosen.name, model=args.model or only, allow_off=args.allow_off, strict=strict
        ),
        lambda gateway, call: reasoning.watch(args.console, gateway, call, images.to_show(anchor)),
    )


def _written(
    args: argparse.Namespace,
    chosen: "Settings",
    task: "Task",
    call: "Call",
    output: "Path | None",
    motion_file: "Path | None",
) -> "dict[str, Any]":
    """The result: written now or before; the caller holds the output's lock."""
    import time

    from factorized_video import receipts
    from factorized_video.files import sweep, write_file
    from factorized_video.gateway import open_gateway
    from factorized_video.stages import preflight, reasoning

    def as_file(text: str) -> bytes:
        return (text + "\n").encode()

    console = args.console
    record = _made_before(output, task.wanted, args.overwrite, chosen.name == "demo")
    if motion_file and motion_file.exists() and not record and not args.overwrite:
        raise UsageError(
            f"{motion_file} is already there.", "Choose another name, or add --overwrite."
        )
    if record:
        sent_at, result = None, {**record["result"], "cost": record["cost"]}
    else:
        with open_gateway(chosen, console.progress) as gateway:
            only = preflight.model(gateway, call.model.id, "llm")
            call = task.plan(only, True) if only else call
            preflight.check(console, gateway, call.cost)
            sent_at = round(time.time(), 3)
            result = task.ask(gateway, call)
    text = result[task.key]
    kept_texts = {key: result[key] for key in ("caption", "motion", "problems") if key in result}
    if output and not record:
        made = receipts.Record.begin(
            output,
            call.stage,
            task.wanted,
            inputs=task.inputs,
            sent={"messages": result["messages"], **call.settings},
            gateway=chosen.identity,
            model=call.model.id,
            expected=call.cost,
        )
        made.data["sent_at"] = sent_at
        # The receipt first: it holds the texts, so the file can be written again from it.
        made.succeeded(
            receipts.sha256_of_bytes(as_file(text or "")),
            cost=result["cost"],
            reply=result["replies"],
            request_ids=result["request_ids"],
            result=kept_texts,
        )
    if output and output.exists():
        ours, text = text, texts.read_text(None, str(output), f"The {task.key}")
        if text != ours:
            console.warn(f"{output} was edited; it is used as it is.")
    elif output and text:
        write_file(output, as_file(text))
    if text is None:
        console.warn(reasoning.no_motion(result["problems"]))
    if motion_file:
        sweep(motion_file)
    if motion_file and not (record and motion_file.exists()):
        receipts.make_room(motion_file)
        if result["motion"]:
            write_file(motion_file, as_file(result["motion"]))
    return {
        "status": "succeeded",
        "text": text,
        "output": str(output) if output and text else None,
        "gateway": chosen.name,
        "model": call.model.id,
        "cost": result["cost"],
        "receipt": str(receipts.receipt_path(output)) if output else None,
        "caption": result.get("caption"),
        "motion": result["motion"],
        task.key: text,
        "reused": record is not None,
    }


def _made_before(
    output: "Path | None", wanted: str, overwrite: bool, demo: bool
) -> "dict[str, Any] | None":
    """The receipt of an earlier rewrite for the same inputs, or None where one is to be made."""
    from factorized_video import receipts

    if output is None:
        return None
    receipt = receipts.rewritten(output, wanted)
    if receipt:
        return receipt
    receipts.consult(output, wanted, overwrite=overwrite, resubmit=True, demo=demo)
    return None


if __name__ == "__main__":
    sys.exit(main(build_parser, run))
