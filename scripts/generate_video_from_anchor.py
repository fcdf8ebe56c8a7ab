# /// script
# requires-python = ">=3.10"
# dependencies = ["requests>=2.31", "python-dotenv>=1.0", "pillow>=10.1", "av>=14"]
# ///
"""Stage 3, temporal synthesis: animate the anchor into a video that begins with it.

Example:
    python3 scripts/generate_video_from_anchor.py --anchor anchor.png \
        --prompt "A cat jumping from a bookshelf to the couch" --duration 6 --output video.mp4

With --direct instead of --anchor it is plain text-to-video. Prints the path of the video. Exit
codes: see --help.
"""

import argparse
import os
import sys

import _bootstrap

_bootstrap.ensure(__file__)

from factorized_video import output_paths, rerun, texts
from factorized_video.cli import options
from factorized_video.cli.main import main
from factorized_video.errors import UsageError

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from typing import Any

    from factorized_video.gateway.client import Gateway
    from factorized_video.receipts import Record
    from factorized_video.stages.plan import Call

# The settings of the clip, as typed, that its digest covers.
ASKED = (
    "model",
    "duration",
    "aspect_ratio",
    "prompt_strategy",
    "resolution",
    "audio",
    "fit",
    "fit_duration",
    "seed",
)


def build_parser() -> options.Parser:
    """The options; the original skill's first."""
    parser = options.Parser(
        "Stage 3, temporal synthesis: animate the anchor into a video that begins with it.",
        "python3 scripts/generate_video_from_anchor.py --anchor anchor.png "
        '--prompt "The cat jumps to the couch" --output video.mp4',
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--anchor", metavar="IMAGE", help="the first frame")
    source.add_argument(
        "--direct",
        action="store_true",
        help="no first frame: text-to-video, to NAME.direct.mp4 (for comparison)",
    )
    parser.add_argument(
        "--prompt", metavar="TEXT", required=True, help="the video prompt; - reads it from stdin"
    )
    parser.add_argument("--model", metavar="ID", help="the image-to-video model")
    options.add_ratio(parser)
    options.add_video_options(parser)
    parser.add_argument(
        "--output",
        metavar="FILE.mp4",
        help="where the video goes (default: outputs/<first words>-<hash>.mp4)",
    )
    options.add_motion(parser.add_argument_group("motion"))
    options.add_job_options(parser)
    options.add_common(parser)
    return parser


def run(args: argparse.Namespace) -> "dict[str, Any]":
    """One clip, or the one that was made before for the same inputs; a begun one goes on."""
    from pathlib import Path

    from factorized_video import models, receipts
    from factorized_video.errors import Rejected
    from factorized_video.files import check_writable
    from factorized_video.gateway import open_gateway, settings
    from factorized_video.gateway.types import Handle
    from factorized_video.media import file_types, images, similarity
    from factorized_video.models import limits
    from factorized_video.receipts import digests, spending
    from factorized_video.receipts.cap import check_cap, effective_cap
    from factorized_video.stages import delivery, plan, preflight, video_job

    console = args.console
    direct: bool = args.direct
    console.stage = "direct" if direct else "synthesis"
    _check_flags(args)
    prompt = texts.read_text(args.prompt, None, "--prompt")
    motion = texts.read_motion(args.motion, args.motion_file)
    anchor = None if direct else images.read_image(Path(args.anchor).expanduser(), "--anchor")
    chosen = settings.resolve(args.gateway, needs_key=False)  # the key's turn comes after the plan
    is_demo = chosen.name == "demo"
    anchor_hash = receipts.sha256_of_bytes(anchor.data) if anchor else None
    last = images.read_last(args)
    last_hash = receipts.sha256_of_bytes(last.data) if last else None
    wanted = digests.synthesis(
        prompt,
        motion,
        anchor_hash,
        chosen.identity,
        take=args.take,
        last_frame=last_hash,
        **{name: getattr(args, name) for name in ASKED},
    )
    typed = output_paths.output_path(args.output) if args.output is not None else None
    if typed:
        output_paths.check_extension(typed, (".mp4",))
    output = typed or output_paths.default_output(prompt, wanted, ".mp4")
    output = output_paths.direct_path(output) if direct else output
    pays = not args.job and receipts.would_pay(
        output, wanted, overwrite=args.overwrite, resubmit=args.resubmit, demo=is_demo
    )

    def planned(model: "str | None", strict: bool = True) -> "Call":
        return plan.synthesis(
            prompt,
            motion,
            chosen.name,
            model=model,
            duration=args.duration,
            strategy=args.prompt_strategy,
            ratio=args.aspect_ratio,
            resolution=args.resolution,
            audio=args.audio,
            seed=args.seed,
            fit=args.fit,
            fit_duration=args.fit_duration,
            picture_size=anchor.size if anchor else None,
            last_frame=last is not None,
            last_frame_size=last.size if last else None,
            direct=direct,
            allow_off=args.allow_off,
            strict=strict,
        )

    # What was submitted or made before is waited for or returned whatever the models of today take.
    checked = pays or not plan.why_not(lambda: planned(args.model))
    call = planned(args.model, strict=checked)
    for what, picture in (("--anchor", anchor), ("--last-frame", last)):
        if picture and picture.size is None:
            images.to_send(picture, call.framing, what)  # what needs Pillow is said now
        console.warn(*(picture.warnings if picture else ()))
    console.warn(*call.warnings, *chosen.warnings)
    limit = effective_cap(args.max_cost, chosen.max_cost)
    spent = spending.spent_for([output] if limit or args.dry_run else [])
    if args.dry_run:
        if not args.job:
            receipts.check_room(output, wanted, overwrite=args.overwrite, demo=is_demo)
        whole = plan.Plan((call,), (), spent, limit, chosen.name, chosen.why)
        left = whole if pays else whole.without([call.stage])
        return plan.shown(left, args.allow_unknown_cost)
    settings.resolve(args.gateway)
    if is_demo:
        file_types.need_media_extra("The demo gateway")
    if args.filmstrip:
        file_types.need_media_extra("--filmstrip")
    if args.audio is False and call.model.audio != "never":
        file_types.need_media_extra("--no-audio")

    def consult() -> "tuple[str, dict[str, Any]]":
        return receipts.consult(
            output,
            wanted,
            overwrite=args.overwrite,
            resubmit=args.resubmit or bool(args.job),
            demo=is_demo,
            settles=True,
        )

    def begin(gateway: "Gateway") -> "Record":
        return receipts.Record.begin(
            output,
            call.stage,
            wanted,
            inputs={
                "prompt": prompt,
                "motion": motion,
                **(
                    {"anchor": {"name": Path(args.anchor).name, "sha256": anchor_hash}}
                    if anchor
                    else {}
                ),
                **(
                    {"last_frame": {"name": Path(args.last_frame).name, "sha256": last_hash}}
                    if last
                    else {}
                ),
            },
            sent={"prompt": call.text, **call.settings, **frames.as_json()},
            gateway=chosen.identity,
            model=call.model.id,
            expected=call.cost,
            idempotency_key=f"fvg_{os.urandom(16).hex()}" if gateway.about.idempotent else None,
        )

    decision, receipt = consult()
    if decision.startswith("return"):
        receipts.returned(output, decision, console)
    else:
        frames = video_job.Frames(
            images.to_send(anchor, call.framing) if anchor else None,
            images.to_send(last, call.framing) if last else None,
        )
        # What is compared with the clip is small; the pictures are let go before that comes.
        small = (
            similarity.squeezed(images.shown(frames.first, anchor))
            if anchor and anchor.size and frames.first
            else None
        )
        anchor = anchor._replace(pixels=None) if anchor else None
        last = last._replace(pixels=None) if last else None
        check_writable(output)
        with receipts.locked(output):
            decision, receipt = consult()  # another process may just have made it
            if not decision.startswith("return"):
                with open_gateway(chosen, console.progress) as gateway:
                    if args.job:
                        # One that the gateway does not know is said now.
                        gateway.status(Handle(args.job, call.model.id))
                        ours = receipt.get("digest") == wanted
                        record = receipts.Record(output, receipt) if ours else begin(gateway)
                        record.take_over(args.job, cost=call.cost.as_json())
                    elif decision == "make" or (
                        args.resubmit
                        and video_job.vanished(gateway, receipts.Record(output, receipt))
                    ):
                        only = preflight.model(gateway, call.model.id, "video")
                        call = planned(args.model or only)  # by now it is to be paid for: checked
                        check_cap(limit, spent, [call.cost], allow_unknown=args.allow_unknown_cost)
                        preflight.check(console, gateway, call.cost)
                        record = begin(gateway)
                        try:
                            video_job.submit(console, gateway, call, record, frames)
                        except Rejected as error:
                            instead = limits.replacement(call.model, call.gateway)
                            why_not = plan.why_not(lambda: planned(instead))
                            rerun.offer_replacement(error, "--model", instead, str(output), why_not)
                            raise
                    else:
                        record = receipts.Record(output, receipt)
                        if decision == "unknown":
                            video_job.settle(console, gateway, call, record, frames)
                    timeout_s = 0 if args.no_wait else args.timeout
                    job = video_job.wait(console, gateway, call, record, timeout_s)
                    console.progress("fetching the clip")
                    delivery.deliver(
                        console, gateway, record, job, small, silent=args.audio is False
                    )
                receipt = record.data
    if args.filmstrip:
        delivery.draw_filmstrip(console, output)
    filmstrip = receipts.filmstrip_path(output)
    return {
        "status": "succeeded",
        "text": str(output),
        "output": str(output),
        "gateway": chosen.name,
        "model": receipt["model"],
        "cost": receipt["cost"],
        "receipt": str(receipts.receipt_path(output)),
        "job": receipt["job"],
        "video": receipt["measured"],
        "anchor_fidelity": receipt.get("anchor_fidelity"),
        "filmstrip": str(filmstrip) if filmstrip.exists() else None,
        "reused": decision.startswith("return"),
        "gateway_cannot": list(models.gateway(chosen.name).cannot),
    }


def _check_flags(args: argparse.Namespace) -> None:
    """Raise UsageError for flags that say nothing without an anchor."""
    for name in ("fit", "last_frame") if args.direct else ():
        if getattr(args, name) is not None:
            raise UsageError(
                f"{rerun.flag_of(name)} says nothing with --direct: no picture is sent.",
                "Leave it out.",
            )


if __name__ == "__main__":
    sys.exit(main(build_parser, run))
