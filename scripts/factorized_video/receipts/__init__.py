"""The record beside each output, and what follows from it: what is left to do, what was spent.

record: the receipt itself · decision: what it means for the command at hand · digests: by what a
request is recognised · cap: the spending limit · spending: what an output has cost · run_list: the
runs in a folder. What `record` and `decision` offer is imported from here.
"""

from .decision import (
    Found,
    check_room,
    consult,
    decide,
    edited,
    look,
    returned,
    rewritten,
    tidy,
    would_pay,
)
from .digests import digest, sha256_of, sha256_of_bytes
from .record import (
    AFTER_UNKNOWN,
    CHECKED,
    COMMAND,
    PAY_AGAIN,
    PIPELINE,
    RATIO,
    SCHEMA_VERSION,
    STATES,
    Record,
    command_again,
    filmstrip_path,
    kept_name,
    locked,
    make_room,
    original_path,
    read,
    receipt_path,
    was_demo,
)

__all__ = [
    "AFTER_UNKNOWN",
    "CHECKED",
    "COMMAND",
    "PAY_AGAIN",
    "PIPELINE",
    "RATIO",
    "SCHEMA_VERSION",
    "STATES",
    "Found",
    "Record",
    "check_room",
    "command_again",
    "consult",
    "decide",
    "digest",
    "edited",
    "filmstrip_path",
    "kept_name",
    "locked",
    "look",
    "make_room",
    "original_path",
    "read",
    "receipt_path",
    "returned",
    "rewritten",
    "sha256_of",
    "sha256_of_bytes",
    "tidy",
    "was_demo",
    "would_pay",
]
