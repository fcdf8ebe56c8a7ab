# /// script
# requires-python = ">=3.10"
# dependencies = ["requests>=2.31", "python-dotenv>=1.0", "pillow>=10.1", "av>=14"]
# ///
"""Stage 2, composition: draw the anchor, the first frame of the video, from its caption.

Example:
    python3 scripts/generate_anchor.py "A tabby cat perched on a tall wooden bookshelf" \
        --style photorealistic --enhance --output anchor.png

Prints the path of the image. Exit codes: see --help.
"""

import argparse
import os
import sys

import _bootstrap

_bootstrap.ensure(__file__)

from factorized_video import cli, inputs, interrupts
from factorized_video.console import Console
from factorized_video.errors import UsageError

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from typing import Any

    from factorized_video.gateway.client import Gateway
    from factorized_video.plan import Call
    from factorized_video.receipts import Record


def build_parser() -> cli.Parser:
    """The options; the original skill's first."""
    parser = cli.Parser(
        "Stage 2, composition: draw the anchor, the first frame of the video, from its caption.",
        'python3 scripts/generate_anchor.py "A tabby cat on a tall bookshelf" --enhance '
        "--output anchor.png",
    )
    parser.add_argument("caption", metavar="CAPTION", nargs="?", help="what the first frame shows")
    parser.add_argument(
        "--input-file", metavar="FILE", help="read the caption from FILE, or from stdin (-)"
    )
    parser.add_argument("--model", metavar="ID", help="the image model")
    cli.add_style(parser)
    parser.add_argument(
        "--enhance", action="store_true", help="add terms of the craft that fit the style"
    )
    parser.add_argument(
        "--output", metavar="FILE",
        help="where the image goes: .png, .jpg, .webp (default: outputs/<first words>-<hash>.png)",
    )  # fmt: skip
    cli.add_common(parser)
    return parser


def run(args: argparse.Namespace) -> "dict[str, Any]":
    """One anchor, or the one that was made before for the same inputs."""
    from factorized_video import asked, budget, files, plan, preflight, receipts, runs
    from factorized_video.gateway import open_gateway, settings
    from factorized_video.media import kinds

    console = args.console
    console.stage = "composition"
    if (args.caption is None) == (args.input_file is None):
        raise UsageError(
            "There must be either a CAPTION or --input-file FILE.",
            "A caption that begins with a dash comes by --input-file.",
        )
    what = "The caption" if args.input_file is None else "--input-file"
    caption = inputs.read_text(args.caption, args.input_file, what)
    chosen = settings.resolve(args.gateway, needs_key=False)  # the key's turn comes after the plan
    is_demo = chosen.name == "demo"
    wanted = asked.composition(
        caption, chosen.identity, style=args.style, aspect_ratio=args.aspect_ratio,
        model=args.model, enhance=args.enhance, take=args.take,
    )  # fmt: skip
    typed = inputs.output_path(args.output) if args.output is not None else None
    if typed:
        inputs.check_extension(typed, tuple(kinds.EXTENSIONS))
    output = typed or inputs.default_output(caption, wanted, ".png")
    pays = receipts.would_pay(
        output, wanted, overwrite=args.overwrite, resubmit=args.resubmit, demo=is_demo
    )

    def drawn(strict: bool = True, only: "str | None" = None) -> "Call":
        return plan.composition(
            caption, chosen.name, model=args.model or only, style=args.style,
            ratio=args.aspect_ratio or os.environ.get(receipts.RATIO), enhance=args.enhance,
            allow_off=args.allow_off, strict=strict,
        )  # fmt: skip

    # What is there already is returned whatever the models of today take.
    call = drawn(strict=pays or not plan.why_not(drawn))
    ratio = call.settings["aspect_ratio"]
    console.warn(*call.warnings, *chosen.warnings)
    limit = budget.cap(args.max_cost, chosen.max_cost)
    spent = runs.spent_for([output] if limit or args.dry_run else [])
    planned = plan.Plan((call,), (), spent, limit, chosen.name, chosen.why)
    if args.dry_run:
        receipts.check_room(output, wanted, overwrite=args.overwrite, demo=is_demo)
        made = [] if pays else ["composition"]
        return plan.shown(planned.without(made), args.allow_unknown_cost)
    settings.resolve(args.gateway)
    if is_demo or output.suffix.lower() == ".webp":
        kinds.need_media_extra("The demo gateway" if is_demo else "A .webp image")

    def consult(settles: bool = False) -> "tuple[str, dict[str, Any]]":
        return receipts.consult(
            output, wanted, overwrite=args.overwrite, resubmit=args.resubmit,
            demo=is_demo, settles=settles,
        )  # fmt: skip

    # Outside the lock a call without an answer may be that of the process that holds it.
    decision, receipt = consult(settles=True)
    if decision.startswith("return"):
        receipts.returned(output, decision, console)
    else:
        files.check_writable(output)
        with receipts.locked(output):
            decision, receipt = consult()  # another process may just have made it
            if not decision.startswith("return"):
                with open_gateway(chosen, console.progress) as gateway:
                    if decision == "resume":
                        record = receipts.Record(output, receipt)
                        came = files.kept(record.kept_name) or b""
                    else:
                        only = preflight.model(gateway, call.model.id, "image")
                        call = drawn(only=only)  # by now it is to be paid for: checked
                        budget.check(
                            limit, spent, [call.cost], allow_unknown=args.allow_unknown_cost
                        )
                        preflight.check(console, gateway, call.cost)
                        record = receipts.Record.begin(
                            output, "composition", wanted, inputs={"caption": caption},
                            sent={"prompt": call.text, **call.settings}, gateway=chosen.identity,
                            model=call.model.id, expected=call.cost,
                        )  # fmt: skip
                        came = _draw(console, gateway, call, record, ratio)
                    _deliver(console, gateway, record, came, ratio)
                receipt = record.data
    return {
        "status": "succeeded",
        "text": str(output),
        "output": str(output),
        "gateway": chosen.name,
        "model": receipt["model"],
        "cost": receipt["cost"],
        "receipt": str(receipts.receipt_path(output)),
        "image": receipt["measured"],
        "reused": decision.startswith("return"),
    }


def _draw(
    console: Console, gateway: "Gateway", call: "Call", record: "Record", ratio: str
) -> bytes:
    """Send the paid call; the image's bytes, or the address they are at.

    The receipt tells of the call before it is sent, and of how it ended. What came is also kept
    outside the output's folder until `_deliver` has put it in place.
    """
    from factorized_video import files, legal, models, receipts
    from factorized_video.again import offer_replacement
    from factorized_video.errors import Refused, ToolError, Unknown
    from factorized_video.gateway.types import ImageRequest

    try:
        with interrupts.held_back(console.note, gateway.settings.time_scale):
            files.drop(record.kept_name)  # what an earlier draw left, if it was no picture
            record.intend()
            console.progress(f"drawing with {call.model.id}")
            size = legal.pixel_size(call.model, ratio)
            reply = gateway.image(ImageRequest(call.model.id, call.text, ratio, size))
            came = reply.data or (reply.url or "").encode()
            files.keep(record.kept_name, came)
            cost = models.Cost(reply.cost, "actual") if reply.cost is not None else call.cost
            record.update(cost=cost.as_json(), reply=reply.raw,
                          request_ids=[reply.request_id] if reply.request_id else [])  # fmt: skip
            console.warn(*reply.warnings)
    except (Refused, Unknown) as error:
        if isinstance(error, Unknown):
            error.hint = receipts.AFTER_UNKNOWN
        else:
            error.hint = "Say it in other words. " + receipts.PAY_AGAIN
        record.ended(error)
        error.result = record.whereabouts
        raise
    except ToolError as error:
        if record.data["cost"] is None:  # not accepted; with a cost it was, and is kept
            record.withdraw()
            instead = legal.replacement(call.model, call.gateway)
            offer_replacement(error, "--model", instead, str(record.output), None)
        raise
    return came


def _deliver(
    console: Console, gateway: "Gateway", record: "Record", came: bytes, ratio: str
) -> None:
    """Put the picture that came, and its receipt, where they belong."""
    from factorized_video import files, legal, receipts, shapes
    from factorized_video.errors import OutputError
    from factorized_video.media import images, kinds

    extension = record.output.suffix.lower()
    if came.startswith((b"https://", b"http://", b"/")):
        came = gateway.fetch_image(came.decode(), images.check_image)
    try:
        image = images.check_image(came)
        converted, notes = images.convert(image, extension)
    except OutputError as error:
        failure = OutputError(
            f"What came is no picture that can be used: {error.message}",
            receipts.PAY_AGAIN, charged="yes", **record.whereabouts,
        )  # fmt: skip
        record.ended(failure)
        raise failure from None
    console.warn(*image.warnings, *notes)
    width, height = image.size or (None, None)
    if image.size and shapes.difference(image.size, ratio) > legal.RATIO_TOLERANCE:
        console.warn(
            f"The image is {width}x{height} px, not {ratio}: the model chose another shape."
        )
    try:
        files.write_file(record.output, converted)
        record.succeeded(
            receipts.sha256_of(record.output),
            measured={"width": width, "height": height, "format": kinds.EXTENSIONS[extension]},
        )
    except OutputError as error:
        error.hint = (
            "The picture is paid for and kept: make room, then run the same command again."
            if files.kept(record.kept_name)
            else "The picture is paid for, and there was no room to keep it anywhere: make room. "
            + receipts.PAY_AGAIN
        )
        error.charged = "yes"
        error.result = record.whereabouts
        raise
    files.drop(record.kept_name)


if __name__ == "__main__":
    sys.exit(cli.main(build_parser, run))
