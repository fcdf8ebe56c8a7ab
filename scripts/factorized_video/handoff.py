"""What the orchestrator hands a stage beside its options: one document, named by one variable.

Not options, because options are in digests and on the command line that people run again. Not the
variable itself, because a system bounds what one may hold, and texts are long. A stage that was
started by hand has an empty one.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

VARIABLE = "FACTORIZED_VIDEO_HANDOFF"
# Its fields, as they are where nothing was handed over.
_EMPTY: dict[str, Any] = {
    "command": (),
    "output": None,
    "outputs": (),
    "texts": None,
    "canvas": None,
    "run": None,
    "asked": None,
    "warnings": (),
    "gateway_checked": False,
    "models": {},
    "listed": None,
    "prompting": None,
    "earlier": (),
    "stage": None,
}


class Handoff:
    """One handoff; never changed once it is made."""

    command: Sequence[str]  # the words of the command to run again, the orchestrator's
    output: str | None  # of the whole run
    outputs: Sequence[str]  # all whose receipts say what the run has cost
    texts: dict[str, str] | None  # what it read from files and stdin
    canvas: str | None  # the ratio W:H chosen for anchor and clip where none was given
    run: dict[str, Any] | None  # the run's digest and file hashes, for the clip's receipt
    asked: dict[str, Any] | None  # its options, for the receipts of all stages
    warnings: Sequence[str]  # what has been shown already
    gateway_checked: bool  # whether an earlier stage found the gateway up and the key good
    models: dict[str, list[str]]  # that the run calls, by service
    prompting: dict[str, Any] | None  # how the video model of the run is prompted
    stage: str | None  # what the picture counts as that Stage 2 makes, if it is not the anchor
    earlier: Sequence[str]  # the prompts of the shots before it in a film
    listed: dict[str, Any] | None  # the gateway's list of models, as it was read for this run

    def __init__(self, **fields: Any) -> None:
        """`fields` are those above; one that is not given is empty."""
        unknown = set(fields) - set(_EMPTY)
        if unknown:
            raise TypeError(f"no fields of a handoff: {unknown}")
        self.__dict__.update(_EMPTY | fields)

    def replace(self, **changes: Any) -> Handoff:
        """The same handoff with other values for some fields."""
        return Handoff(**self.__dict__ | changes)

    @contextlib.contextmanager
    def passed_on(self) -> Iterator[tuple[dict[str, str], tuple[int]]]:
        """Environment and open file of a process that is given this."""
        from tempfile import TemporaryFile

        with TemporaryFile() as file:  # without a name: it is gone with the processes
            file.write(json.dumps(self.__dict__).encode())
            file.flush()
            yield {**os.environ, VARIABLE: str(file.fileno())}, (file.fileno(),)


def received() -> Handoff:
    """What this process was given; empty where it was started by hand."""
    number = os.environ.pop(VARIABLE, "")
    if not number.isdecimal():
        return Handoff()
    try:
        if not stat.S_ISREG(os.fstat(int(number)).st_mode):
            return Handoff()
        # Its position is shared with the process that wrote it.
        with open(int(number), "rb") as file:
            file.seek(0)
            document = json.loads(file.read())
    except (OSError, ValueError):  # of a process that is no stage, and was not given the file
        return Handoff()
    return Handoff(**{name: document[name] for name in _EMPTY if name in document})
