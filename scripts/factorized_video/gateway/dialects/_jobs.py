"""Jobs in replies: their id, how they stand, where their result is, under whatever name. Pure.

Proxies pass on rows of many providers, so what a row holds is looked for by all names that are
known, those of the gateway's own shape first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..reply_parsing import (
    as_number,
    as_text,
    as_time,
    json_object,
    status_word,
    unreadable,
    without_bytes,
    words_of,
)
from ..status_words import standing
from ..types import HttpReply, Job, ListedJob
from ._shared import cost_in, decoded, rows_of

LONGEST_ID = 8_000  # characters; Vercel's is JSON
LONGEST_ADDRESS = 8_000
_IDS = ("id", "task_id", "taskId", "job_id", "jobId", "video_id", "generation_id")
_INSIDE = ("data", "video", "task", "job", "result", "operation", "response", "output")
_URLS = ("url", "video_url", "videoUrl", "download_url", "file_url", "output_url", "uri")
_URLS_INSIDE = (
    *("videos", "video", "urls", "unsigned_urls", "output", "outputs", "result", "results"),
    *("data", "metadata", "content", "assets", "response", "generations", "generatedVideos"),
    *("generated_videos", "generatedSamples", "generateVideoResponse", "creations", "files"),
)
_BYTES = ("b64_json", "bytesBase64Encoded", "videoBytes", "video_bytes", "base64")
_REASONS = (
    *("fail_reason", "failReason", "failure_reason", "failureReason", "failure", "error_message"),
    *("errorMessage", "task_status_msg", "status_message", "status_reason", "reason", "message"),
)
# Fields that are there where a filter has taken the result away.
_FILTERED = (
    r"raimediafiltered\w*|(?:content_?)?filter(?:ed|_?results?|_?reasons?)?"
    r"|moderation(?:_?reasons?)?|block(?:ed)?_?reasons?|refusal"
)


def job_of(row: dict[str, object], reply: HttpReply) -> Job:
    """The job in a row. Its id may be missing: the caller has it."""
    word = status_word(row) or ""
    state, why = standing(word)
    url, data = url_in(row), _bytes_in(row, reply)
    reason = reason_in(row, failed=state == "failed")
    filtered = filtered_in(row) if state == "succeeded" and not (url or data) else None
    return Job(
        id_of(row),
        "failed" if filtered else state,
        word,
        url=url,
        data=data,
        error=f"it was stopped by a content filter: {filtered}" if filtered else reason or why,
        cost=cost_in(row, reply),
        request_id=reply.request_id,
        raw=without_bytes(row),
    )


def job_row(reply: HttpReply) -> dict[str, object]:
    """The row of one job, also inside another object. Raises Unreadable for what is none."""
    data = json_object(reply, is_job=True)
    row = _row_in(data)
    if not (id_of(row) or status_word(row)):
        raise unreadable(reply, "a status reply that is of no job")
    return row


def started(job: Job, reply: HttpReply) -> Job:
    """The job that was started. Raises Unreadable where it has no id, and is not finished."""
    finished = job.state == "succeeded" and (job.url or job.data)
    if not (job.id or finished):
        raise unreadable(reply, "a video reply without the job's id")
    return job


def _row_in(data: dict[str, object]) -> dict[str, object]:
    """The row itself, or the one that is wrapped in it."""
    if id_of(data) or status_word(data):
        return data
    for value in (data.get(name) for name in _INSIDE):
        inside = value[0] if isinstance(value, list) and value else value
        if isinstance(inside, dict) and (id_of(inside) or status_word(inside)):
            return inside
    return data


def id_of(row: dict[str, object]) -> str:
    """A job's id, a text or a whole number; "" where the row has none."""
    for job_id in (row.get(name) for name in _IDS):
        known = isinstance(job_id, str | int) and not isinstance(job_id, bool)
        if known and 0 < len(text := str(job_id).strip()) <= LONGEST_ID:
            return text
    return ""


def url_in(row: dict[str, object], depth: int = 0) -> str | None:
    """Where the result is, as the row says it; None where it says nothing."""
    for name in _URLS:
        text = (as_text(row.get(name)) or "").strip()
        if 0 < len(text) <= LONGEST_ADDRESS:
            return text
    for name in _URLS_INSIDE if depth < 4 else ():
        value = row.get(name)
        for one in value if isinstance(value, list) else [value]:
            text = one.strip()[: LONGEST_ADDRESS + 1] if isinstance(one, str) else ""
            if len(text) <= LONGEST_ADDRESS and re.match(r"(https?:/)?/", text, re.IGNORECASE):
                return text
            if isinstance(one, dict) and (found := url_in(one, depth + 1)):
                return found
    return None


def _bytes_in(row: dict[str, object], reply: HttpReply) -> bytes | None:
    """The clip itself, where a row contains it in base64."""
    for one in _with_inside(row):
        of_type = as_text(one.get("data")) if one.get("type") == "base64" else None
        for text in (of_type, *(as_text(one.get(name)) for name in _BYTES)):
            if text:
                return decoded(text, reply, "video data")
    return None


def _with_inside(row: dict[str, object]) -> Iterator[dict[str, object]]:
    yield row
    for name in ("videos", "video", "data", "output", "result"):
        value = row.get(name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield one


def reason_in(row: dict[str, object], *, failed: bool = True) -> str | None:
    """Why a job failed: its error's message, code or type, or whatever else names a reason."""
    error = row.get("error")
    if isinstance(error, dict):
        names = ("message", "code", "type", "reason")
        error = next((error[name] for name in names if error.get(name)), None)
    details = row.get("incomplete_details")
    found = [error, details.get("reason") if isinstance(details, dict) else None]
    found += [row.get(name) for name in _REASONS] if failed else []
    return next((words_of(text) for one in found if (text := as_text(one))), None)


def filtered_in(value: object, depth: int = 0) -> str | None:
    """What a row says of a filter that took its result away; None where it says nothing."""
    if depth > 6 or not isinstance(value, dict | list):
        return None
    items = value.items() if isinstance(value, dict) else ((str(n), v) for n, v in enumerate(value))
    counted = None
    for name, one in items:
        if re.fullmatch(_FILTERED, str(name), re.IGNORECASE) and one:
            if words := _said(one):
                return words
            if (as_number(one) or 0) > 0 or one is True:
                counted = counted or str(name)
        elif found := filtered_in(one, depth + 1):
            return found
    return counted


def _said(value: object) -> str | None:
    """Texts as one; None where there is none, or only a number."""
    if as_number(value) is not None:
        return None
    texts = value if isinstance(value, list) else [value]
    return words_of("; ".join(text for one in texts[:20] if (text := as_text(one)))) or None


def listed_jobs(reply: HttpReply, *, duration: str) -> list[ListedJob]:
    """The rows of a list of jobs that have an id; `duration` is the name of that field in a row."""
    return [
        ListedJob(
            id=id_of(row),
            model=as_text(row.get("model")),
            prompt=as_text(row.get("prompt")),
            duration_s=_whole(row.get(duration)),
            created_at=as_time(row.get("created_at")),
            aspect_ratio=as_text(row.get("aspect_ratio")),
            size=as_text(row.get("size")),
            seed=_whole(row.get("seed")),
        )
        for row in rows_of(reply, "videos")
        if id_of(row)
    ]


def _whole(value: object) -> int | None:
    """A whole number, also written as a text; else None."""
    number = as_number(value)
    return int(number) if number is not None and number == int(number) else None
