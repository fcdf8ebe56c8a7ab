"""Whether two ids are of one job: servers and proxies write them differently. Pure."""

from __future__ import annotations

import base64
import re


def is_same_job(one: str, other: str) -> bool:
    """Whether two ids are forms of one: proxies put a job's id into one of their own.

    LiteLLM's is base64 of "...;video_id:<id>"; others put a name before or after it.
    """
    return any(
        long == short or (len(short) >= 4 and _is_in(short, long))
        for left in _forms(one)
        for right in _forms(other)
        for long, short in ((left, right), (right, left))
    )


def _is_in(short: str, long: str) -> bool:
    """Whether an id stands in another, not as a part of a longer word or number."""
    return re.search(rf"(?<![^\W_]){re.escape(short)}(?![^\W_])", long) is not None


def _forms(job_id: str) -> set[str]:
    """An id, without the kind before it, and as it was before a proxy encoded it."""
    kind = r"^(?:video|vid|task|job|gen)[_-]"
    bare = re.sub(kind, "", job_id)
    decoded = _decoded(bare)
    inner = decoded.rpartition("video_id:")[2].partition(";")[0]
    return {job_id, bare, decoded, inner, re.sub(kind, "", inner)} - {""}


def _decoded(text: str) -> str:
    """The text inside an id that is base64; "" where it is none."""
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return found.decode("ascii") if len(found) > 8 else ""
    except ValueError:
        return ""
