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

from factorized_video import cli, inputs
from factorized_video.console import Console
from factorized_video.errors import UsageError

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from factorized_video.gateway.client import Gateway
    from factorized_video.plan import Call


def build_parser() -> cli.Parser:
    """The options; the original skill's first."""
    parser = cli.Parser(
        "Stage 1, reasoning: rewrite a video prompt into a caption of its first frame (printed) "
        "and a motion line.",
        'python3 scripts/rewrite_prompt.py "A cat jumping from a bookshelf to the couch" '
        "--output first_frame.txt",
    )
    parser.add_argument("prompt", metavar="PROMPT", help="the video prompt; - reads it from stdin")
    cli.add_style(parser)
    parser.add_argument("--model", metavar="ID", help="the LLM that rewrites")
    parser.add_argument("--output", metavar="FILE", help="also write the caption to FILE")
    parser.add_argument("--motion-file", metavar="FILE", help="also write the motion to FILE")
    cli.add_common(parser, draws=False)
    return parser


def run(args: argparse.Namespace) -> "dict[str, Any]":
    """One rewrite, or the one that was made before for the same inputs and the same --output."""
    import contextlib

    from factorized_video import asked, budget, legal, plan, preflight, prompts, receipts, runs
    from factorized_video.files import check_writable, sweep, write_file
    from factorized_video.gateway import open_gateway, settings

    def as_file(text: str) -> bytes:
        return (text + "\n").encode()

    console = args.console
    console.stage = "reasoning"
    prompt = inputs.read_text(args.prompt, None, "The prompt")
    style = prompts.resolve_style(args.style, prompt)
    ratio = args.aspect_ratio or os.environ.get(receipts.RATIO) or legal.DEFAULT_RATIO
    chosen = settings.resolve(args.gateway, needs_key=False)  # the key's turn comes after the plan
    wanted = asked.reasoning(
        prompt, chosen.identity, style=args.style, aspect_ratio=args.aspect_ratio, model=args.model
    )
    output = inputs.output_path(args.output) if args.output is not None else None
    rewritten = output is not None and receipts.rewritten(output, wanted) is not None

    def planned(only: "str | None" = None) -> "Call":
        # What is there already is returned whatever the models of today take.
        return plan.reasoning(
            prompt, chosen.name, model=args.model or only, style=args.style, ratio=ratio,
            allow_off=args.allow_off, strict=not rewritten,
        )  # fmt: skip

    call = planned()
    console.warn(*call.warnings, *chosen.warnings)
    limit = budget.cap(args.max_cost, chosen.max_cost)
    spent = runs.spent_for([output] if output and (limit or args.dry_run) else [])
    whole = plan.Plan((call,), (), spent, limit, chosen.name, chosen.why)
    left = whole.without(["reasoning"]) if rewritten else whole
    if args.dry_run:
        if output:
            receipts.check_room(
                output, wanted, overwrite=args.overwrite, demo=chosen.name == "demo"
            )
        return plan.shown(left, args.allow_unknown_cost)
    settings.resolve(args.gateway)
    budget.check(limit, spent, left.costs, allow_unknown=args.allow_unknown_cost)
    motion_file = inputs.output_path(args.motion_file) if args.motion_file is not None else None
    if output and output == motion_file:
        raise UsageError("--output and --motion-file name the same file.", "Give them two names.")
    for path in filter(None, (output, motion_file)):
        check_writable(path)
    with receipts.locked(output) if output else contextlib.nullcontext():
        record = _made_before(output, wanted, args.overwrite, chosen.name == "demo")
        if motion_file and motion_file.exists() and not record and not args.overwrite:
            raise UsageError(
                f"{motion_file} is already there.", "Choose another name, or add --overwrite."
            )
        if record:
            result = {**record["result"], "cost": record["cost"]}
        else:
            with open_gateway(chosen, console.progress) as gateway:
                only = preflight.model(gateway, call.model.id, "llm")
                call = planned(only) if only else call
                preflight.check(console, gateway, call.cost)
                result = _rewrite(console, gateway, call, style, ratio)
        caption, motion = result["caption"], result["motion"]
        if output and not record:
            made = receipts.Record.begin(
                output, "reasoning", wanted, inputs={"prompt": prompt},
                sent={"messages": result["messages"], **call.settings},
                gateway=chosen.identity, model=call.model.id, expected=call.cost,
            )  # fmt: skip
            # The receipt first: it holds the texts, so the file can be written again from it.
            made.succeeded(
                receipts.sha256_of_bytes(as_file(caption)), cost=result["cost"],
                reply=result["replies"], request_ids=result["request_ids"],
                result={"caption": caption, "motion": motion},
            )  # fmt: skip
        if output and output.exists():
            ours, caption = caption, inputs.read_text(None, str(output), "The caption")
            if caption != ours:
                console.warn(f"{output} was edited; it is used as it is.")
        elif output:
            write_file(output, as_file(caption))
        if motion_file:
            sweep(motion_file)
        if motion_file and not (record and motion_file.exists()):
            receipts.make_room(motion_file)
            if motion:
                write_file(motion_file, as_file(motion))
    return {
        "status": "succeeded",
        "text": caption,
        "output": str(output) if output else None,
        "gateway": chosen.name,
        "model": call.model.id,
        "cost": result["cost"],
        "receipt": str(receipts.receipt_path(output)) if output else None,
        "caption": caption,
        "motion": motion,
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


def _rewrite(
    console: Console, gateway: "Gateway", call: "Call", style: str, ratio: str
) -> "dict[str, Any]":
    """Ask the LLM until there is a caption: at most one repair and one request for stillness.

    Raises OutputError if there is none after that, Refused if the model declines.
    """
    from factorized_video import prompts, rewriting
    from factorized_video.asking import Conversation
    from factorized_video.errors import OutputError, Refused, ToolError
    from factorized_video.replies import Unusable

    messages = prompts.rewrite_messages(call.text, style, ratio)
    conversation = Conversation(console, gateway, call)
    repaired = stilled = False
    best: rewriting.Rewrite | None = None
    while True:
        console.progress(f"asking {call.model.id}")
        reply = conversation.ask(messages)
        answer = rewriting.read_rewrite(reply.text, reply.finish_reason)
        if not isinstance(answer, Unusable):
            best = answer
            words = rewriting.motion_words(answer.caption)
            if not words:
                break
            if stilled:
                console.warn(
                    "The caption may still tell motion ({}); it is taken as it is.".format(
                        ", ".join(words)
                    )
                )
                break
            stilled = True
            request = prompts.STILLNESS_REQUEST.format(words=", ".join(words))
        elif best:
            break  # the second answer was worse: the first one stands
        elif repaired:
            family: type[ToolError] = Refused if answer.refused else OutputError
            raise family(
                f"The model gave no caption, asked twice: {answer.problem}.",
                "Run it again, choose another model, or write the caption yourself and use "
                "it with generate_anchor.py (in the orchestrator: --skip-reasoning).",
                charged="yes",
                cost=conversation.cost.as_json(),
            )
        else:
            repaired = True
            request = prompts.REPAIR_REQUEST.format(
                problem=answer.problem, shape=prompts.CAPTION_SHAPE
            )
        messages = prompts.asked_again(messages, reply.text, request)
    assert best is not None
    if not best.motion:
        console.warn("The model wrote no motion line; the video model is told the prompt alone.")
    return {
        "caption": best.caption,
        "motion": best.motion,
        "cost": conversation.cost.as_json(),
        "messages": messages,
        "request_ids": conversation.request_ids,
        "replies": [reply.raw for reply in conversation.replies],
    }


if __name__ == "__main__":
    sys.exit(cli.main(build_parser, run))
