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

from factorized_video import output_paths, texts
from factorized_video.cli import options
from factorized_video.cli.main import main
from factorized_video.errors import UsageError
from factorized_video.rerun import flag_of

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from factorized_video.gateway.settings import Settings
    from factorized_video.gateway.types import Picture
    from factorized_video.receipts.cap import Cap
    from factorized_video.stages.candidates.folder import Folder, Wish
    from factorized_video.stages.plan import Call


def build_parser() -> options.Parser:
    """The options; the original skill's first."""
    parser = options.Parser(
        "Stage 2, composition: draw the anchor, the first frame of the video, from its caption.",
        'python3 scripts/generate_anchor.py "A tabby cat on a tall bookshelf" --enhance '
        "--output anchor.png",
    )
    parser.add_argument(
        "caption",
        metavar="CAPTION",
        nargs="?",
        help="what the first frame shows; with --edit what is to change",
    )
    parser.add_argument(
        "--input-file", metavar="FILE", help="read the caption from FILE, or from stdin (-)"
    )
    parser.add_argument("--model", metavar="ID", help="the image model")
    options.add_references(parser)
    parser.add_argument(
        "--edit",
        metavar="IMAGE",
        help="change this picture in what CAPTION says, and in nothing else",
    )
    options.add_style(parser)
    parser.add_argument(
        "--enhance", action="store_true", help="add terms of the craft that fit the style"
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="where the image goes: .png, .jpg, .webp (default: outputs/<first words>-<hash>.png)",
    )
    options.add_candidate_options(parser).add_argument(
        "--user-prompt",
        metavar="TEXT",
        help="the video prompt that the questions are written from; - reads it from stdin "
        "(default: the caption)",
    )
    options.add_common(parser)
    return parser


def run(args: argparse.Namespace) -> "dict[str, Any]":
    """One anchor, or the one that was made before for the same inputs."""
    from factorized_video import receipts
    from factorized_video.gateway import settings
    from factorized_video.media import file_types
    from factorized_video.receipts import digests, spending
    from factorized_video.receipts.cap import effective_cap
    from factorized_video.stages import plan, reference_images
    from factorized_video.stages.candidates.folder import Folder

    console = args.console
    console.stage = "composition"
    if (args.caption is None) == (args.input_file is None):
        raise UsageError(
            "There must be either a CAPTION or --input-file FILE.",
            "A caption that begins with a dash comes by --input-file.",
        )
    words = "The caption" if args.edit is None else "The change"
    what = words if args.input_file is None else "--input-file"
    caption = texts.read_text(args.caption, args.input_file, what)
    for name in ("style", "enhance") if args.edit is not None else ():
        if getattr(args, name):
            raise UsageError(
                f"{flag_of(name)} says nothing with --edit: only what the words say is changed.",
                'Leave it out, or say it: "make it a watercolor painting".',
            )
    sources = reference_images.read(args.reference, args.edit)
    wish = _wish(args, caption)
    chosen = settings.resolve(args.gateway, needs_key=False)  # the key's turn comes after the plan
    is_demo = chosen.name == "demo"
    first = digests.composition(
        caption,
        chosen.identity,
        style=args.style,
        aspect_ratio=args.aspect_ratio,
        model=args.model,
        enhance=args.enhance,
        take=args.take,
        references=sources.hashes,
        edit=sources.edit.sha256 if sources.edit else None,
    )
    typed = output_paths.output_path(args.output) if args.output is not None else None
    if typed:
        output_paths.check_extension(typed, tuple(file_types.EXTENSIONS))
    # The name does not depend on how many are drawn: the one that is taken later lies there too.
    output = typed or output_paths.default_output(caption, first, ".png")
    sources.check_output(output)
    folder = Folder(output, first, wish, chosen.identity)
    several, left = folder.in_use, folder.left(resubmit=args.resubmit)
    pays = any(left.values())

    def calls(strict: bool = True, named: "dict[str, str] | None" = None) -> "tuple[Call, ...]":
        only = named or {}
        common = {
            "model": args.model or only.get("composition"),
            "references": sources.sizes,
            "ratio": args.aspect_ratio or os.environ.get(receipts.RATIO),
            "allow_off": args.allow_off,
            "strict": strict,
        }
        if sources.edit:
            drawn = plan.edit(caption, chosen.name, picture=sources.edit.image.size, **common)
        else:
            drawn = plan.composition(
                caption, chosen.name, style=args.style, enhance=args.enhance, **common
            )
        of_plan = wish.of_plan
        of_plan["judge_model"] = of_plan["judge_model"] or only.get("verification")
        return plan.anchors(drawn, wish.prompt, **of_plan, allow_off=args.allow_off, strict=strict)

    # What is there already is returned whatever the models of today take.
    planned = calls(strict=pays or not plan.why_not(calls))
    console.warn(*(warning for call in planned for warning in call.warnings), *chosen.warnings)
    sent = sources.to_send()  # what needs the media extra is said now
    limit = effective_cap(args.max_cost, chosen.max_cost)
    spent = spending.spent_for([output] if limit or args.dry_run else [])
    folder.check_choice()
    if args.dry_run:
        if not several or not folder.is_ours():
            wanted = wish.digest(first)
            receipts.check_room(output, wanted, overwrite=args.overwrite, demo=is_demo)
        whole = plan.Plan(planned, (), spent, limit, chosen.name, chosen.why)
        return plan.shown(whole.without((), left), args.allow_unknown_cost)
    settings.resolve(args.gateway)
    for needs, what in (
        (is_demo, "The demo gateway"),
        (several, "--candidates, --select and --verify"),
        (sources.edit, "--edit"),
        (output.suffix.lower() == ".webp", "A .webp image"),
    ):
        if needs:
            file_types.need_media_extra(what)
    given = {"change" if sources.edit else "caption": caption, **sources.in_receipt}
    if several:
        return _several(args, chosen, folder, given, sent, planned, calls, limit)
    return _one(args, chosen, output, first, given, sent, planned[0], calls, limit)


def _wish(args: argparse.Namespace, caption: str) -> "Wish":
    """What is asked for besides one anchor. Raises UsageError for flags that would do nothing."""
    from factorized_video.stages.candidates.folder import Wish

    prompt = None
    if args.user_prompt is not None:
        prompt = texts.read_text(args.user_prompt, None, "--user-prompt")
    wish = Wish(
        prompt or caption,
        args.candidates,
        args.select,
        args.verify,
        args.repair,
        args.min_score,
        args.judge_model,
    )
    wish.check(user_prompt=prompt)
    return wish


def _several(
    args: argparse.Namespace,
    chosen: "Settings",
    folder: "Folder",
    given: "dict[str, Any]",
    sent: "tuple[Picture, ...]",
    planned: "tuple[Call, ...]",
    calls: "Callable[..., tuple[Call, ...]]",
    limit: "Cap | None",
) -> "dict[str, Any]":
    """Candidates: those that are missing are made, and one is taken or waits to be."""
    from factorized_video import files, receipts
    from factorized_video.stages.candidates.choice import Selection, Terms

    drawn = next(call for call in planned if call.stage == "composition")
    terms = Terms(
        drawn.settings["aspect_ratio"],
        limit,
        args.allow_unknown_cost,
        args.overwrite,
        args.resubmit,
        given,
        sent,
    )
    selection = Selection(
        args.console,
        chosen,
        folder,
        lambda named: {call.stage: call for call in calls(named=named)},
        terms,
    )
    files.check_writable(folder.output)
    with receipts.locked(folder.output):
        return selection.run()


def _one(
    args: argparse.Namespace,
    chosen: "Settings",
    output: "Path",
    wanted: str,
    given: "dict[str, Any]",
    sent: "tuple[Picture, ...]",
    call: "Call",
    calls: "Callable[..., tuple[Call, ...]]",
    limit: "Cap | None",
) -> "dict[str, Any]":
    """One plain anchor in the output's place."""
    from factorized_video import files, interrupts, receipts
    from factorized_video.gateway import open_gateway
    from factorized_video.receipts import spending
    from factorized_video.receipts.cap import check_cap
    from factorized_video.stages import composition, preflight, reference_images

    console = args.console
    is_demo = chosen.name == "demo"
    ratio = call.settings["aspect_ratio"]
    spent = spending.spent_for([output] if limit else [])

    def consult(settles: bool = False) -> "tuple[str, dict[str, Any]]":
        return receipts.consult(
            output,
            wanted,
            overwrite=args.overwrite,
            resubmit=args.resubmit,
            demo=is_demo,
            settles=settles,
        )

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
                        record, came = composition.resumed(output, receipt)
                    else:
                        only = preflight.model(gateway, call.model.id, "image")
                        # By now it is to be paid for: checked.
                        (call,) = calls(named={"composition": only} if only else {})
                        check_cap(limit, spent, [call.cost], allow_unknown=args.allow_unknown_cost)
                        preflight.check(console, gateway, call.cost)
                        record = receipts.Record.begin(
                            output,
                            "composition",
                            wanted,
                            inputs=given,
                            sent={
                                "prompt": call.text,
                                **call.settings,
                                **reference_images.sent_pictures(sent),
                            },
                            gateway=chosen.identity,
                            model=call.model.id,
                            expected=call.cost,
                        )
                        console.progress(f"drawing with {call.model.id}")
                        with interrupts.held_back(console.note, gateway.settings.time_scale):
                            came = composition.draw(
                                console, gateway, call, record, ratio, pictures=sent
                            )
                    composition.deliver(console, gateway, record, came, ratio)
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


if __name__ == "__main__":
    sys.exit(main(build_parser, run))
