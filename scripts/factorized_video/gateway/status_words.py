"""What became of a job, by the words that gateways and the servers behind them use. Pure.

One table for all dialects: proxies pass on the words of the provider, in its spelling. Collected
from the APIs of OpenAI, Google, fal, Replicate, Kling, MiniMax, Runway, Luma, BytePlus, Alibaba,
and from new-api and LiteLLM, which stand in front of them.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Standing(NamedTuple):
    """How a job stands: running, succeeded or failed; `why` it failed, if its word says so."""

    state: str
    why: str | None = None


_SUCCEEDED = "completed complete succeeded succeed success successful done finished finish ready"
_RUNNING = (
    "running queued pending processing inprogress submitted created starting started waiting "
    "preparing generating rendering dreaming throttled scheduled accepted init initializing "
    "inqueue notstart notstarted retrying uploading encoding cancelling canceling unknown"
)
_FAILED = {
    None: "failed fail failure error errored unsuccessful invalid rejected",
    "it was cancelled": "cancelled canceled cancel aborted revoked terminated stopped killed",
    "it has expired": "expired deleted gone taskexpired",
    "it took the server too long": "timeout timedout",
    "it was stopped by a content filter": (
        "filtered contentfiltered blocked moderated contentmoderated requestmoderated nsfw "
        "contentfilter moderationblocked"
    ),
}
_WORDS = {
    **dict.fromkeys(_SUCCEEDED.split(), Standing("succeeded")),
    **dict.fromkeys(_RUNNING.split(), Standing("running")),
    **{word: Standing("failed", why) for why, words in _FAILED.items() for word in words.split()},
}
# "TASK_STATUS_SUCCEED", "JOB_STATE_FAILED", "Video.Completed"
_BEFORE = r"^(?:task|job|video|generation|operation)?(?:status|state)?"


def standing(word: str) -> Standing:
    """How a job stands by its status word; running for a word that is not known."""
    letters = re.sub(r"[^a-z]", "", word.lower())
    return _WORDS.get(letters) or _WORDS.get(re.sub(_BEFORE, "", letters)) or Standing("running")
