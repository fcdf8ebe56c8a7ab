"""--cancel: ask the gateway to end a running job, where it has a call for that.

A finished job is never touched: at some servers the same call deletes the clip that was paid for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import receipts
from ..errors import JobFailed, Rejected, StillRunning, UsageError
from ..files import SUFFIX
from ..gateway import open_gateway
from ..gateway.settings import place_of
from ..gateway.types import shown_id
from ..money import UNKNOWN
from ..receipts import Record
from .video_job import handle_of

if TYPE_CHECKING:
    from pathlib import Path

    from ..console import Console
    from ..gateway.settings import Settings

_IT_CONTINUES = (
    "It continues, and is paid for: run the command that started it (`next`) to fetch it."
)


def record_of(path: Path) -> Record:
    """The receipt that is named by its own path or by its output's; of a job that may be running.

    Raises UsageError for what is no such receipt.
    """
    output = path.with_name(path.name.removesuffix(SUFFIX))
    receipt = receipts.read(output)
    if receipt is None:
        raise UsageError(
            f"{receipts.receipt_path(output)} does not exist, or is no receipt.",
            "Name the receipt of a clip; --list-runs shows where they are.",
        )
    record = Record(output, receipt)
    if receipt["state"] != "submitted":
        raise UsageError(
            f"{record.path.name} has no running job: its state is {receipt['state']}.",
            "Only a job that was submitted and has not ended can be cancelled.",
            **record.whereabouts,
        )
    return record


def check_gateway(record: Record, chosen: Settings) -> None:
    """Raise UsageError where the job is at another gateway than would be asked."""
    theirs, asked = record.data.get("gateway") or {}, chosen.identity_of("video")
    if any(theirs.get(name) != one for name, one in asked.items() if name in theirs):
        raise UsageError(
            f"The job is at {theirs.get('name')} ({place_of(theirs)}), and this would ask "
            f"{chosen.name} ({place_of(asked)}).",
            f"Add --gateway {theirs.get('name')}, with the key and base URL that made it.",
            **record.whereabouts,
        )


def cancel(console: Console, record: Record, chosen: Settings) -> dict[str, Any]:
    """Ask for it, and write down what came of it.

    Raises StillRunning where the gateway cannot cancel or would not, UsageError where the job has
    ended by itself.
    """
    resumes = {**record.whereabouts, "next": receipts.command_of(record.data)}
    with open_gateway(chosen, console.progress) as gateway:
        job = gateway.status(handle_of(record))
        if job.state != "running":
            raise UsageError(
                f"The job {shown_id(job.id)} has {job.state} already: nothing was cancelled.",
                "Run the command that started it (`next`): it reports how it ended, free.",
                **resumes,
            )
        try:
            accepted = gateway.cancel(handle_of(record))
        except Rejected as error:
            message = f"{gateway.about.subject} would not cancel the job: {error.message}"
            raise StillRunning(message, _IT_CONTINUES, **resumes) from None
        if not accepted:
            message = f"{gateway.about.subject} has no call that cancels a job."
            raise StillRunning(message, _IT_CONTINUES, **resumes)
    record.ended(
        JobFailed(
            f"The job {shown_id(job.id)} was cancelled with --cancel.",
            "Only the gateway knows what it cost until then.",
            charged="unknown",
        )
    )
    console.warn(
        "Whether a cancelled job stops at once, and what it has cost until then, is up to the "
        "server (SGLang forgets the job and finishes it all the same)."
    )
    return {
        "status": "succeeded",
        "stage": "synthesis",
        "cancelled": job.id,
        **record.whereabouts,
        "cost": record.data.get("cost") or UNKNOWN.as_json(),
    }
