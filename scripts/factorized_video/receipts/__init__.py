"""The record beside each output, and what follows from it: what is left to do, what was spent.

record: the receipt itself · decision: what it means for the command at hand · aside: earlier
results that come back · differences: which options were others · digests: by what a request is
recognised · cap: the spending limit · spending: what an output has cost · run_list: the runs in a
folder. What `record`, `decision` and `digests` offer is imported from here.
"""

from .aside import CANDIDATES, texts
from .decision import (
    Allowed,
    Decision,
    Found,
    announce,
    check_room,
    conflict,
    consult,
    decide,
    edited,
    look,
    retrieve,
    rewritten,
    tidy,
    to_come_back,
    would_pay,
)
from .differences import differences
from .digests import digest, is_of, sha256_of, sha256_of_bytes
from .record import (
    AFTER_UNKNOWN,
    PAY_AGAIN,
    SCHEMA_VERSION,
    STATES,
    Intent,
    Record,
    command_of,
    is_unfetched,
    kept_of,
    locked,
    make_room,
    part,
    read,
    receipt_path,
    stopped_at,
    was_demo,
)

__all__ = [
    "AFTER_UNKNOWN",
    "CANDIDATES",
    "PAY_AGAIN",
    "SCHEMA_VERSION",
    "STATES",
    "Allowed",
    "Decision",
    "Found",
    "Intent",
    "Record",
    "announce",
    "check_room",
    "command_of",
    "conflict",
    "consult",
    "decide",
    "differences",
    "digest",
    "edited",
    "is_of",
    "is_unfetched",
    "kept_of",
    "locked",
    "look",
    "make_room",
    "part",
    "read",
    "receipt_path",
    "retrieve",
    "rewritten",
    "sha256_of",
    "sha256_of_bytes",
    "stopped_at",
    "texts",
    "tidy",
    "to_come_back",
    "was_demo",
    "would_pay",
]
