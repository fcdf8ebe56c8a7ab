"""--cancel: ask the gateway to end a running job, where it has a call for that.

A finished job is never touched: at some servers the same call deletes the clip that was paid for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import receipts
from ..errors import JobFailed, Rejected, StillRunning, UsageError
from ..files import SUFFIX
from ..money import Cost
from .video_job import handle_of

if TYPE_CHECKING:
    from pathlib import Path

    from ..console import Console
    from ..gateway.settings import Settings


def record_of(path: Path) -> receipts.Record:
    """The receipt that is named by its own path or by its output's; of a job that may be running.

    Raises UsageError for what is no such receipt.
    """
    output = path.with_name(path.name.removesuffix(SUFFIX))
    receipt = receipts.read(output)
    if receipt is None:
        raise UsageError(
            f"{receipts.receipt_path(output)} is not there, or is no receipt.",
            "Name the receipt of a clip; --list-runs shows where they are.",
        )
    record = receipts.Record(output, receipt)
    if receipt["state"] != "submitted":
        raise UsageError(
            f"{record.path.name} tells of no running job: its state is {receipt['state']}.",
            "Only a job that was submitted and has not ended can be cancelled.",
            **record.whereabouts,
        )
    return record


def check_gateway(record: receipts.Record, chosen: Settings) -> None:
    """Raise UsageError where the job is at another gateway than would be asked."""
    theirs = record.data.get("gateway") or {}
    if theirs != chosen.identity:
        raise UsageError(
            f"The job is at {theirs.get('name')} ({theirs.get('host')}), and this would ask "
            f"{chosen.name} ({chosen.identity['host']}).",
            f"Add --gateway {theirs.get('name')}, with the key and base URL that made it.",
            **record.whereabouts,
        )


def cancel(console: Console, record: receipts.Record, chosen: Settings) -> dict[str, Any]:
    """Ask for it, and write down what came of it.

    Raises StillRunning where the gateway cannot cancel or would not, UsageError where the job has
    ended by itself.
    """
    from ..gateway import open_gateway
    from ..gateway.types import shown_id

    command = record.data.get("command")
    goes_on = {**record.whereabouts, "next": command}
    with open_gateway(chosen, console.progress) as gateway:
        job = gateway.status(handle_of(record))
        if job.state != "running":
            raise UsageError(
                f"The job {shown_id(job.id)} has {job.state} already: nothing was cancelled.",
                "Run the command that began it (`next`): it tells how it ended, free.",
                **goes_on,
            )
        try:
            taken = gateway.cancel(handle_of(record))
        except Rejected as error:
            raise StillRunning(
                f"{gateway.about.subject} would not cancel the job: {error.message}",
                "It goes on, and is paid for: run the command that began it (`next`) to fetch it.",
                **goes_on,
            ) from None
        if not taken:
            raise StillRunning(
                f"{gateway.about.subject} has no call that cancels a job.",
                "It goes on, and is paid for: run the command that began it (`next`) to fetch it.",
                **goes_on,
            )
        ended = JobFailed(
            f"The job {shown_id(job.id)} was cancelled with --cancel.",
            "What it has cost until then the gateway knows.",
            charged="unknown",
        )
        record.ended(ended)
        console.warn(
            "Whether a cancelled job stops at once, and what it has cost until then, is up to the "
            "server (SGLang forgets the job and finishes it all the same)."
        )
    return {
        "status": "succeeded",
        "stage": "synthesis",
        "text": f"cancelled: {job.id}",
        **record.whereabouts,
        "cost": record.data.get("cost") or Cost(None, "unknown").as_json(),
    }
