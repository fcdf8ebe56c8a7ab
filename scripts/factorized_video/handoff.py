"""What the orchestrator hands a stage beside its options: one document, named by one variable.

Not options, because options are in digests and on the command line that people run again. Not the
variable itself, because a system bounds what one may hold, and texts are long. A stage that was
started by hand has an empty one.
"""

from __future__ import annotations

import contextlib
import json
import os

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

VARIABLE = "FACTORIZED_VIDEO_HANDOFF"
_FIELDS = (
    *("command", "output", "outputs", "texts", "canvas", "run", "asked", "warnings"),
    "gateway_checked",
)


class Handoff:
    """One handoff; never changed once it is made.

    `command`: the words of the command to run again, the orchestrator's · `output`: the output of
    the whole run · `outputs`: all whose receipts say what it has cost · `texts`: what it read from
    files and stdin · `canvas`: the ratio W:H chosen for anchor and clip where none was given ·
    `run`: the run's digest and the hashes of its files, for the clip's receipt · `asked`: its
    options, for the receipts of all stages · `warnings`: what has been shown already ·
    `gateway_checked`: that an earlier stage found the gateway up and the key good.
    """

    def __init__(
        self,
        command: Sequence[str] = (),
        output: str | None = None,
        outputs: Sequence[str] = (),
        texts: dict[str, str] | None = None,
        canvas: str | None = None,
        run: dict[str, Any] | None = None,
        asked: dict[str, Any] | None = None,
        warnings: Sequence[str] = (),
        gateway_checked: bool = False,
    ) -> None:
        self.command = tuple(command)
        self.output = output
        self.outputs = tuple(outputs)
        self.texts = texts
        self.canvas = canvas
        self.run = run
        self.asked = asked
        self.warnings = tuple(warnings)
        self.gateway_checked = gateway_checked

    def replace(self, **changes: Any) -> Handoff:
        """The same handoff with other values for some fields."""
        return Handoff(**{**{name: getattr(self, name) for name in _FIELDS}, **changes})

    @contextlib.contextmanager
    def passed_on(self) -> Iterator[tuple[dict[str, str], tuple[int]]]:
        """Environment and open file of a process that is given this."""
        from tempfile import TemporaryFile

        document = {name: getattr(self, name) for name in _FIELDS}
        with TemporaryFile() as file:  # without a name: it is gone with the processes
            file.write(json.dumps(document).encode())
            file.flush()
            yield {**os.environ, VARIABLE: str(file.fileno())}, (file.fileno(),)


def received() -> Handoff:
    """What this process was given; empty where it was started by hand."""
    number = os.environ.pop(VARIABLE, "")
    if not number.isdecimal():
        return Handoff()
    try:
        # Its position is shared with the process that wrote it.
        with open(int(number), "rb") as file:
            file.seek(0)
            document = json.loads(file.read())
    except (OSError, ValueError):  # of a process that is no stage, and was not given the file
        return Handoff()
    return Handoff(**{name: document[name] for name in _FIELDS if name in document})
