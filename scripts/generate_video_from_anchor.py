# /// script
# requires-python = ">=3.10"
# dependencies = ["requests>=2.31", "python-dotenv>=1.0", "pillow>=10.1", "av>=14"]
# ///
"""Stage 3, temporal synthesis: animate the anchor into a video that begins with it.

Example:
    python3 scripts/generate_video_from_anchor.py --anchor anchor.png \
        --prompt "A cat jumping from a bookshelf to the couch" --duration 6 --output video.mp4

Prints the path of the video. Exit codes: see --help.
"""

import argparse
import os
import sys

import _bootstrap

_bootstrap.ensure(__file__)

from factorized_video import again, cli, inputs, interrupts
from factorized_video.console import Console

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from typing import Any

    from factorized_video.gateway.client import Gateway
    from factorized_video.gateway.types import Job, Picture
    from factorized_video.plan import Call
    from factorized_video.receipts import Record

# The settings of the clip, as typed, that its digest covers.
ASKED = (
    "model", "duration", "aspect_ratio", "prompt_strategy", "resolution", "audio", "fit",
    "fit_duration", "seed",
)  # fmt: skip
# How long an idempotency key is relied on (contract: an intent under one hour old).
KEY_HOLDS_S = 3600.0


def build_parser() -> cli.Parser:
    """The options; the original skill's first."""
    parser = cli.Parser(
        "Stage 3, temporal synthesis: animate the anchor into a video that begins with it.",
        "python3 scripts/generate_video_from_anchor.py --anchor anchor.png "
        '--prompt "The cat jumps to the couch" --output video.mp4',
    )
    parser.add_argument("--anchor", metavar="IMAGE", required=True, help="the first frame")
    parser.add_argument(
        "--prompt", metavar="TEXT", required=True, help="the video prompt; - reads it from stdin"
    )
    parser.add_argument("--model", metavar="ID", help="the image-to-video model")
    cli.add_ratio(parser)
    cli.add_video_options(parser)
    parser.add_argument(
        "--output", metavar="FILE.mp4",
        help="where the video goes (default: outputs/<first words>-<hash>.mp4)",
    )  # fmt: skip
    cli.add_motion(parser.add_argument_group("motion"))
    cli.add_job_options(parser)
    cli.add_common(parser)
    return parser


def run(args: argparse.Namespace) -> "dict[str, Any]":
    """One clip, or the one that was made before for the same inputs; a begun one goes on."""
    from pathlib import Path

    from factorized_video import (
        asked,
        budget,
        delivery,
        legal,
        models,
        plan,
        preflight,
        receipts,
        runs,
    )
    from factorized_video.errors import Rejected
    from factorized_video.files import check_writable
    from factorized_video.gateway import open_gateway, settings
    from factorized_video.gateway.types import Handle
    from factorized_video.media import images, kinds, likeness

    console = args.console
    console.stage = "synthesis"
    prompt = inputs.read_text(args.prompt, None, "--prompt")
    motion = inputs.read_motion(args)
    anchor = images.read_image(Path(args.anchor).expanduser(), "--anchor")
    chosen = settings.resolve(args.gateway, needs_key=False)  # the key's turn comes after the plan
    is_demo = chosen.name == "demo"
    anchor_hash = receipts.sha256_of_bytes(anchor.data)
    wanted = asked.synthesis(
        prompt, motion, anchor_hash, chosen.identity, take=args.take,
        **{name: getattr(args, name) for name in ASKED},
    )  # fmt: skip
    typed = inputs.output_path(args.output) if args.output is not None else None
    if typed:
        inputs.check_extension(typed, (".mp4",))
    output = typed or inputs.default_output(prompt, wanted, ".mp4")
    pays = not args.job and receipts.would_pay(
        output, wanted, overwrite=args.overwrite, resubmit=args.resubmit, demo=is_demo
    )

    def planned(model: "str | None", strict: bool = True) -> "Call":
        return plan.synthesis(
            prompt, motion, chosen.name, model=model, duration=args.duration,
            strategy=args.prompt_strategy, ratio=args.aspect_ratio, resolution=args.resolution,
            audio=args.audio, seed=args.seed, fit=args.fit, fit_duration=args.fit_duration,
            picture_size=anchor.size, allow_off=args.allow_off, strict=strict,
        )  # fmt: skip

    # What was submitted or made before is waited for or returned whatever the models of today take.
    checked = pays or not plan.why_not(lambda: planned(args.model))
    call = planned(args.model, strict=checked)
    if anchor.size is None:
        images.to_send(anchor, call.framing)  # what cannot be sent without Pillow is said now
    console.warn(*call.warnings, *anchor.warnings, *chosen.warnings)
    limit = budget.cap(args.max_cost, chosen.max_cost)
    spent = runs.spent_for([output] if limit or args.dry_run else [])
    if args.dry_run:
        if not args.job:
            receipts.check_room(output, wanted, overwrite=args.overwrite, demo=is_demo)
        whole = plan.Plan((call,), (), spent, limit, chosen.name, chosen.why)
        left = whole if pays else whole.without(["synthesis"])
        return plan.shown(left, args.allow_unknown_cost)
    settings.resolve(args.gateway)
    if is_demo:
        kinds.need_media_extra("The demo gateway")
    if args.filmstrip:
        kinds.need_media_extra("--filmstrip")
    if args.audio is False and call.model.audio != "never":
        kinds.need_media_extra("--no-audio")

    def consult() -> "tuple[str, dict[str, Any]]":
        return receipts.consult(
            output, wanted, overwrite=args.overwrite, resubmit=args.resubmit or bool(args.job),
            demo=is_demo, settles=True,
        )  # fmt: skip

    def begin(gateway: "Gateway") -> "Record":
        return receipts.Record.begin(
            output, "synthesis", wanted,
            inputs={"prompt": prompt, "motion": motion,
                    "anchor": {"name": Path(args.anchor).name, "sha256": anchor_hash}},
            sent={"prompt": call.text, **call.settings,
                  "first_frame": {"mime": frame.mime, "bytes": len(frame.data),
                                  "sha256": receipts.sha256_of_bytes(frame.data)}},
            gateway=chosen.identity, model=call.model.id, expected=call.cost,
            idempotency_key=f"fvg_{os.urandom(16).hex()}" if gateway.about.idempotent else None,
        )  # fmt: skip

    decision, receipt = consult()
    if decision.startswith("return"):
        receipts.returned(output, decision, console)
    else:
        frame = images.to_send(anchor, call.framing)
        # What is compared with the clip is small; the picture itself is let go before that comes.
        small = likeness.squeezed(images.shown(frame, anchor)) if anchor.size else None
        anchor = anchor._replace(pixels=None)
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
                        args.resubmit and _vanished(gateway, receipts.Record(output, receipt))
                    ):
                        only = preflight.model(gateway, call.model.id, "video")
                        call = planned(args.model or only)  # by now it is to be paid for: checked
                        budget.check(
                            limit, spent, [call.cost], allow_unknown=args.allow_unknown_cost
                        )
                        preflight.check(console, gateway, call.cost)
                        record = begin(gateway)
                        try:
                            _submit(console, gateway, call, record, frame)
                        except Rejected as error:
                            instead = legal.replacement(call.model, call.gateway)
                            why_not = plan.why_not(lambda: planned(instead))
                            again.offer_replacement(error, "--model", instead, str(output), why_not)
                            raise
                    else:
                        record = receipts.Record(output, receipt)
                        if decision == "unknown":
                            _settle(console, gateway, call, record, frame)
                    timeout_s = 0 if args.no_wait else args.timeout
                    job = _wait(console, gateway, call, record, timeout_s)
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


def _vanished(gateway: "Gateway", record: "Record") -> bool:
    """Whether the gateway no longer knows the job that the receipt holds."""
    from factorized_video.errors import Rejected

    try:
        gateway.status(record.handle)
    except Rejected as error:
        return error.http_status == 404
    return False


def _send(console: Console, gateway: "Gateway", record: "Record", frame: "Picture") -> None:
    """Send the paid call as the receipt says it; the job's id is on disk before anything else."""
    from factorized_video.gateway.types import VideoRequest
    from factorized_video.models import Cost

    sent = record.data["sent"]
    request = VideoRequest(
        record.data["model"],
        sent["prompt"],
        frame,
        int(sent["duration_s"]),
        sent["aspect_ratio"],
        str(sent["resolution"]),
        shape=sent.get("canvas") or sent.get("shape") or "16:9",
        audio=sent.get("audio_switch"),
        seed=sent.get("seed"),
        idempotency_key=record.data.get("idempotency_key"),
    )
    job = gateway.submit(request)
    cost = record.data["expected"] if job.cost is None else Cost(job.cost, "actual").as_json()
    record.update(
        state="submitted",
        job=job.id,
        address=job.address,
        cost=cost,
        error=None,
        request_ids=[job.request_id] if job.request_id else [],
    )
    console.warn(*job.warnings)


def _submit(
    console: Console, gateway: "Gateway", call: "Call", record: "Record", frame: "Picture"
) -> None:
    """Write down that the paid call is sent, send it, and settle what became of it."""
    from factorized_video import receipts
    from factorized_video.errors import Refused, ToolError, Unknown
    from factorized_video.files import remember

    try:
        with interrupts.held_back(console.note, gateway.settings.time_scale):
            remember(record.output)
            record.intend()
            console.progress(f"submitting to {call.model.id}")
            _send(console, gateway, record, frame)
    except Unknown as error:
        record.ended(error)
        _settle(console, gateway, call, record, frame)
    except Refused as error:
        error.hint = "The anchor is kept: say the action in other words. " + receipts.PAY_AGAIN
        record.ended(error)
        error.result = {**record.whereabouts, "next": again.with_other_words()}
        raise
    except ToolError as error:
        if record.data["job"] is None:
            record.withdraw()
        else:  # taken, but the disk would not take its id
            error.result = record.whereabouts
            error.hint += f" The job is {record.data['job']}; --job takes it over."
        raise


def _sent_once_more(
    console: Console, gateway: "Gateway", record: "Record", frame: "Picture"
) -> bool:
    """Whether the lost call could be sent again with its idempotency key, and now has a job."""
    import time

    from factorized_video import receipts
    from factorized_video.errors import ToolError, Unknown
    from factorized_video.gateway import retries

    first = record.data["sent"].get("first_frame") or {}
    since_s = time.time() - float(record.data.get("sent_at") or 0)
    same = first.get("sha256") == receipts.sha256_of_bytes(frame.data)
    key = gateway.about.idempotent and record.data.get("idempotency_key")
    if not (key and same and 0 <= since_s < KEY_HOLDS_S):
        return False
    for attempt in range(1, retries.MAX_TRIES):
        time.sleep(retries.backoff(attempt) * gateway.settings.time_scale)
        console.progress("the answer was lost; sending the same call with the same key")
        try:
            with interrupts.held_back(console.note, gateway.settings.time_scale):
                _send(console, gateway, record, frame)
        except Unknown:
            continue
        except ToolError as error:  # it says nothing about the call before
            console.warn(f"Sending it again with its idempotency key failed: {error.message}")
            return False
        console.warn(
            "The answer to the paid call was lost. It was sent again with the same idempotency "
            f"key, by which {gateway.about.title} makes it once."
        )
        return True
    return False


def _settle(
    console: Console, gateway: "Gateway", call: "Call", record: "Record", frame: "Picture"
) -> None:
    """Find out what became of a create whose answer was lost; raise Unknown where nobody can."""
    from factorized_video import adoption, receipts
    from factorized_video.errors import ToolError, Unknown

    if _sent_once_more(console, gateway, record, frame):
        return
    job: str | None = None
    fitting: list[str] = []
    if gateway.lists_jobs:
        try:
            job, fitting = adoption.settle(gateway, record, console.progress)
        except ToolError as error:
            console.warn(f"The gateway's list of jobs could not be read: {error.message}")
    if job:
        cost = record.data.get("expected") or call.cost.as_json()
        record.take_over(job, adopted=True, cost=cost)
        console.warn(
            f"The answer to the paid call was lost; the job {job} was found in the gateway's list "
            "and taken over: it is the only one of that request and time."
        )
        return
    lost = record.data.get("error")
    said = lost.get("message") if isinstance(lost, dict) else None
    message = str(said or "A paid call was sent and its answer was lost.")
    hint = f"{receipts.AFTER_UNKNOWN} A job that you find there is taken over with --job ID."
    if fitting:
        hint += f" These may be it: {', '.join(fitting)}."
    unknown = Unknown(message, hint, charged="unknown", **record.whereabouts)
    record.ended(unknown)
    raise unknown


def _wait(
    console: Console, gateway: "Gateway", call: "Call", record: "Record", timeout_s: float
) -> "Job":
    """The job, as soon as it has succeeded. Raises how it ended otherwise, written down."""
    import time

    from factorized_video import legal
    from factorized_video.errors import JobFailed, Refused, ToolError
    from factorized_video.gateway.client import shown_id
    from factorized_video.gateway.reading import is_refusal, tells_of_unknown_model
    from factorized_video.models import Cost

    started = time.monotonic()
    try:
        job = gateway.wait(record.handle, timeout_s, started)
    except ToolError as error:
        error.result = {**record.whereabouts, **error.result}
        typical = call.model.typical_s
        if error.kind == "running" and typical:
            elapsed = time.monotonic() - started
            error.result["eta_s"] = max(0, round(typical - elapsed)) or None
        raise
    console.warn(*job.warnings)
    if job.cost is not None:  # what it was expected to cost gives way to what it did
        record.update(cost=Cost(job.cost, "actual").as_json())
    if job.state == "succeeded":
        return job
    reason = job.error or "the gateway gave no reason"
    refused = is_refusal(reason)
    instead = legal.replacement(call.model, call.gateway)
    hint = "Try other words or another model."
    if refused:
        hint = "The anchor is kept: say the action in other words."
    elif instead and tells_of_unknown_model(reason):
        hint = f"Use {instead} instead."
    family: type[ToolError] = Refused if refused else JobFailed
    failure = family(
        f"The job {shown_id(job.id)} failed: {reason}",
        f"{hint} To send it once more, and perhaps pay once more, add --resubmit.",
        charged="unknown" if job.cost is None else "yes" if job.cost else "no",
        request_id=job.request_id,
    )  # fmt: skip
    record.ended(failure)
    failure.result = record.whereabouts
    if refused:
        failure.result["next"] = again.with_other_words()
    raise failure


if __name__ == "__main__":
    sys.exit(cli.main(build_parser, run))
