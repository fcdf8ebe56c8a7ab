"""The record beside each output: what was asked, sent, received and spent.

`NAME.ext.receipt.json` makes every stage idempotent by itself: it says for which inputs the output
was made, so the same command again costs nothing and a killed one resumes. `references/receipt.md`
describes its fields.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import time
from collections.abc import Iterator
from itertools import count, pairwise
from pathlib import Path
from typing import Any, NamedTuple

from .. import SCRIPTS, VERSION
from ..errors import StillRunning, ToolError, Unfetched, UsageError, masked
from ..files import SUFFIX, exclusive, write_file, writing
from ..kept import Kept
from ..money import COST_KINDS, Cost
from ..output_paths import filmstrip_path, original_path
from ..rerun import without_options
from .digests import sha256_of

SCHEMA_VERSION = 1
STATES = ("intent", "submitted", "succeeded", "refused", "failed", "unknown")
PAY_AGAIN = "To send it once more, and pay once more, add --resubmit."
AFTER_UNKNOWN = (
    "It may have been made and charged: look at the gateway's own list of what was made. The same "
    f"command again sends nothing. {PAY_AGAIN}"
)
# Where the scripts are today: a skill may have been moved, or a receipt be somebody else's.
_SCRIPTS = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_LARGEST_RECEIPT = 4 << 20  # bytes; the texts are 20,000 characters each at most


def receipt_path(output: Path) -> Path:
    """Where the receipt of an output lies."""
    return output.with_name(output.name + SUFFIX)


def read(output: Path) -> dict[str, Any] | None:
    """The receipt of an output, or None where there is none or it cannot be read as one."""
    path = receipt_path(output)
    try:
        if path.stat().st_size > _LARGEST_RECEIPT:
            return None
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(data, dict):
        return None
    version = data.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise UsageError(
            f"{path} was written by a newer version of this tool (schema {version}).",
            "Upgrade the tool, or choose another --output.",
        )
    return data if _sound(data) else None


_TEXTS = (
    "digest job model stage sha256 arrived_sha256 command cwd created_at finished_at "
    "idempotency_key address"
)
_OF_TYPE: dict[tuple[type, ...], str] = {
    (str,): _TEXTS,
    (int, float): "sent_at took_s",
    (dict,): "asked stopped_for sent inputs gateway cost expected pipeline result",
    (list,): "former_jobs",
}
_TYPES = {name: (*types, type(None)) for types, names in _OF_TYPE.items() for name in names.split()}


def _sound(data: dict[str, Any]) -> bool:
    """Whether the fields that are relied on are of the right type; unknown fields may be any."""
    costs = [data.get("cost") or {}, data.get("expected") or {}]
    return (
        data.get("state") in STATES
        and all(isinstance(data.get(name), types) for name, types in _TYPES.items())
        and (data["state"] != "submitted" or bool(data.get("job")))
        and all(not cost or cost.get("kind") in COST_KINDS for cost in costs)
        and all(isinstance(cost.get("amount"), int | float | None) for cost in costs)
    )


def kept_of(output: Path, receipt: dict[str, Any]) -> Kept:
    """Where the result of a receipt's paid call is kept until it is delivered."""
    return Kept(output, str(receipt.get("digest")))


def command_of(receipt: dict[str, Any], *without: str) -> str | None:
    """The command that resumes, from any folder: older receipts hold one with relative paths.

    `without` are options to leave out.

    Only one of our scripts, with words that are its options: a receipt may be somebody else's, and
    hold anything. None where it is no such command.
    """
    command, folder = str(receipt.get("command") or ""), receipt.get("cwd")
    try:
        python, script, *words = shlex.split(command)
    except ValueError:  # fewer words, or quotes that do not close
        return None
    if python != "python3" or os.path.basename(script) not in SCRIPTS:
        return None
    words = list(without_options(words, without))
    if os.path.isabs(script):
        script = os.path.join(_SCRIPTS, os.path.basename(script))
    command = "python3 " + shlex.join([script, *words])
    if not folder or _works_anywhere([script, *words]):
        return command
    return f"cd {shlex.quote(folder)} && {command}"


def _works_anywhere(words: list[str]) -> bool:
    """Whether script and output are absolute, so that it cannot begin another output elsewhere."""
    output = [after for word, after in pairwise(words) if word == "--output"]
    output += [word.partition("=")[2] for word in words if word.startswith("--output=")]
    return all(map(os.path.isabs, words[:1] + output)) and bool(output)


def part(receipt: dict[str, Any] | None, name: str) -> dict[str, Any]:
    """An object in a receipt; empty where there is none, whatever became of the file."""
    found = (receipt or {}).get(name)
    return found if isinstance(found, dict) else {}


def was_demo(receipt: dict[str, Any]) -> bool:
    """Whether the demo gateway made it."""
    return part(receipt, "gateway").get("name") == "demo"


def has_arrived(receipt: dict[str, Any] | None, file_sha256: str | None) -> bool:
    """Whether a file is the result that was put in place just before the receipt could say so."""
    if receipt is None or file_sha256 is None or receipt["state"] == "succeeded":
        return False
    return receipt.get("arrived_sha256") == file_sha256


def is_unfetched(receipt: dict[str, Any]) -> bool:
    """Whether its result was made, and could not be fetched when that was tried last."""
    error = receipt.get("error")
    is_output = isinstance(error, dict) and error.get("kind") == "output"
    return is_output and receipt["state"] in ("intent", "submitted", "succeeded")


class Intent(NamedTuple):
    """What a paid call is for, as its receipt says before it is sent."""

    stage: str  # a key of STAGES
    digest: str
    inputs: dict[str, Any]  # the words and file hashes that were given
    sent: dict[str, Any]  # the texts and settings that go to the model
    gateway: dict[str, str]
    model: str
    expected: Cost  # what the call should cost
    command: str  # to run again
    idempotency_key: str | None = None  # marks every attempt, for a gateway that heeds it
    run: dict[str, Any] | None = None  # the whole run's digest and file hashes, see Handoff
    asked: dict[str, Any] | None = None  # by option, of the command that was given


class Record:
    """The receipt of one output while it is being made. Every change is on disk when it returns."""

    def __init__(self, output: Path, data: dict[str, Any], aside: Path | None = None) -> None:
        self.output = output
        self.path = receipt_path(output)
        self.data = data
        self._aside = aside  # where an older output and its receipt were moved

    @classmethod
    def begin(cls, output: Path, intent: Intent) -> Record:
        """In the state `intent`, not on disk before `update`; what is there moves aside."""
        aside = make_room(output)
        if aside and (old := read(aside)) and old["state"] in ("intent", "unknown"):
            cls(aside, old).update(replaced_by=output.name)  # nobody waits for that one any more
        pending = ("sent_at", "job", "address", "cost", "error", "measured", "sha256")
        return cls(
            output,
            {
                "schema_version": SCHEMA_VERSION,
                "tool_version": VERSION,
                "stage": intent.stage,
                "state": "intent",
                "digest": intent.digest,
                "command": intent.command,
                "asked": intent.asked,
                "cwd": str(Path.cwd()),
                "output": output.name,
                "inputs": intent.inputs,
                "sent": intent.sent,
                "gateway": intent.gateway,
                "model": intent.model,
                "created_at": _now(),
                "idempotency_key": intent.idempotency_key,
                "request_ids": [],
                "expected": intent.expected.as_json(),
                **dict.fromkeys((*pending, "finished_at", "took_s")),
                "pipeline": intent.run,
            },
            aside,
        )

    @property
    def kept(self) -> Kept:
        """See `kept_of`."""
        return kept_of(self.output, self.data)

    @property
    def whereabouts(self) -> dict[str, Any]:
        """The result keys that an error carries along."""
        gateway = self.data.get("gateway")
        return {
            "output": str(self.output),
            "receipt": str(self.path),
            "job": self.data.get("job"),
            "model": self.data.get("model"),
            "gateway": gateway.get("name") if isinstance(gateway, dict) else None,
        }

    def update(self, **changes: object) -> None:
        """Change fields and write the receipt, so that it can be read back. Raises OutputError."""
        self.data.update(changes)
        written = {**self.data}
        if set("?#") & set(str(written.get("address") or "")):
            written["address"] = None  # it may be signed; there is another way to ask for the job
        for dropped in (None, "reply", "sent", "inputs"):
            written |= {dropped: None} if dropped in written else {}
            text = masked(json.dumps(written, ensure_ascii=False, indent=1)) + "\n"
            # Surrogates (a path that is not UTF-8) go out as escapes.
            data = text.encode("utf-8", "backslashreplace")
            if len(data) <= _LARGEST_RECEIPT:
                break
        write_file(self.path, data)

    def intend(self) -> None:
        """Write down that the paid call is about to be sent."""
        self.update(state="intent", sent_at=round(time.time(), 3))

    def take_over(self, job: str, **changes: Any) -> None:
        """Write down that the output is this job's from now on; the id of another one is kept."""
        former = self.data.get("job")
        if former not in (None, job):
            changes["former_jobs"] = [*self.data.get("former_jobs", []), former]
        self.update(state="submitted", job=job, **{"address": None, "error": None, **changes})

    def ended(self, error: ToolError) -> None:
        """Write down how it ended, which stands until `--resubmit` is given."""
        state = error.kind if error.kind in STATES else "failed"
        self.update(state=state, error=error.as_json(), finished_at=_now(), took_s=self._took_s())

    @property
    def has_arrived(self) -> bool:
        """Whether the result is in its place, as `arriving` announced."""
        there = self.output.is_file() and self.data.get("arrived_sha256")
        return bool(there) and has_arrived(self.data, sha256_of(self.output))

    @property
    def is_forgotten(self) -> bool:
        """Whether the gateway did not know its job any more when it was asked last."""
        error = self.data.get("error")
        failed = isinstance(error, dict) and error.get("kind") == "failed"
        return failed and self.data["state"] == "submitted"

    def arriving(self, sha256: str, **changes: object) -> None:
        """Write down which file is put in place next; what is not ours there moves aside."""
        known = (self.data.get("sha256"), self.data.get("arrived_sha256"), sha256)
        if self.output.is_file() and sha256_of(self.output) not in known:
            aside = free_place(self.output)
            self.output.rename(aside)
        self.update(arrived_sha256=sha256, **changes)

    def unfetched(self, error: Unfetched) -> None:
        """Write down that the result was made and cannot be fetched, and where it is."""
        self.update(error=error.as_json(), result_address=error.address or None)

    def succeeded(self, sha256: str, **changes: object) -> None:
        """Write down the result."""
        for passing in ("result_address", "arrived_sha256"):
            self.data.pop(passing, None)
        self.update(
            state="succeeded",
            sha256=sha256,
            error=None,
            finished_at=_now(),
            took_s=self._took_s(),
            **changes,
        )

    def _took_s(self) -> float | None:
        """Seconds since the paid call was sent; None where that is not known."""
        sent_at = self.data.get("sent_at")
        return round(max(0.0, time.time() - float(sent_at)), 3) if sent_at else None

    def withdraw(self) -> None:
        """Remove the intent, and put back what it moved aside: the paid call was not accepted."""
        self.path.unlink(missing_ok=True)
        if self._aside:
            for old, place in zip(family(self._aside), family(self.output), strict=True):
                if old.exists():
                    old.rename(place)
            before = read(self.output) or {}
            if before.pop("replaced_by", None):  # somebody waits for that one again
                Record(self.output, before).update()


def stopped_at(output: Path, asked: dict[str, Any]) -> None:
    """Write down that a run stopped here, so that somebody could look at what was made."""
    with contextlib.suppress(StillRunning), locked(output):
        if receipt := read(output):
            Record(output, receipt).update(stopped_at=_now(), stopped_for=asked)


@contextlib.contextmanager
def locked(output: Path) -> Iterator[None]:
    """Hold the output's lock (`files.exclusive`); StillRunning names the holder's receipt."""
    try:
        with exclusive(output):
            yield
    except StillRunning as error:
        if not error.result.get("job") and (receipt := read(output)):
            error.result = Record(output, receipt).whereabouts
        raise


def family(output: Path) -> tuple[Path, ...]:
    """An output and what goes with it wherever it is kept."""
    beside = (filmstrip_path(output), original_path(output)) if output.suffix == ".mp4" else ()
    return (output, receipt_path(output), *beside)


def make_room(output: Path) -> Path | None:
    """Keep an old output and its receipt as NAME.1.ext (or .2 ...); the new place, or None."""
    receipt = receipt_path(output)
    if not (output.exists() or receipt.exists()):
        return None
    aside = free_place(output)
    with writing(output):
        for old, place in zip(family(output), family(aside), strict=True):
            if old.exists():
                old.rename(place)
    return aside


def free_place(output: Path) -> Path:
    """The first of NAME.1.ext, NAME.2.ext and so on where nothing lies."""
    for number in count(1):
        aside = output.with_name(f"{output.stem}.{number}{output.suffix}")
        if not any(path.exists() for path in family(aside)):
            return aside
    raise AssertionError("the loop has no end")


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
