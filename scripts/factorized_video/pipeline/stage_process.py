"""Running the stage scripts as subprocesses, one after the other, and reading their answers."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from .. import errors, interrupts
from ..console import Console
from ..money import Cost, total
from ..rerun import flag_of

# Of a stage that failed, what the orchestrator's own result says too.
_PASSED_ON = ("stage", "output", "gateway", "model", "receipt", "job", "eta_s")
OF_CANDIDATES = ("candidate", "candidates", "contact_sheet")


class Children:
    """Runs scripts with the same Python, and keeps what they answered, in order."""

    def __init__(self, console: Console, common: list[str], environ: dict[str, str]) -> None:
        self.results: list[dict[str, Any]] = []
        self.environ = environ
        self._console = console
        self._common = ["--json", *common]

    def run(self, script: str, *words: str, stdin: str | None = None, **options: object) -> None:
        """Run one script to its end; raise its failure as ours.

        `options` become `--name=value`; of a list one for each; True is the flag alone, None and
        False are left out.
        """
        command = [sys.executable, script, *words, *self._common]
        for name, value in options.items():
            flag = flag_of(name)
            if value is True:
                command.append(flag)
            elif isinstance(value, list):
                command += [f"{flag}={one}" for one in value]
            elif value is not None and value is not False:
                command.append(f"{flag}={value}")
        out, code = self._wait_for(command, stdin)
        try:
            result: dict[str, Any] = json.loads(out)
        except ValueError:
            raise errors.Interrupted(
                f"{script} ended without an answer (exit status {code}).",
                "Run the same command again to go on.",
            ) from None
        known = self._console.warnings  # told on stderr already, by the script itself
        known += [warning for warning in result.pop("warnings", []) if warning not in known]
        following = result.pop("next", None)  # its own command; here the next is the orchestrator's
        self.results.append(result)
        if code:
            raise self._failure(result, following)

    def cost(self) -> dict[str, object]:
        """What they cost together."""
        rows = [result["cost"] for result in self.results if result.get("cost")]
        return total([Cost(row["amount"], row["kind"]) for row in rows]).as_json()

    def _interrupted(self, told: bool) -> errors.Interrupted:
        error = errors.Interrupted("Interrupted.", "Run the same command again to go on.")
        error.told = told  # by the script, on the same stderr
        error.result = {"cost": self.cost(), "stages": self.results}
        return error

    def _failure(self, result: dict[str, Any], following: str | None) -> errors.ToolError:
        told = result.get("error") or {}
        error = errors.of_kind(
            str(told.get("kind")),
            str(told.get("message")),
            str(told.get("hint")),
            http_status=told.get("http_status"),
            request_id=told.get("request_id"),
            charged=told.get("charged"),
        )
        error.told = True
        error.result = {key: result.get(key) for key in _PASSED_ON}
        error.result.update({key: result[key] for key in OF_CANDIDATES if key in result})
        if "replacement" in result:  # of a model that the gateway does not know
            error.result.update(replacement=result["replacement"], next=following)
        error.result.update(cost=self.cost(), stages=self.results)
        return error

    def _wait_for(self, command: list[str], stdin: str | None) -> tuple[bytes, int]:
        """Stdout and exit status of a command that has ended. Interrupted, it is ended first."""
        child = subprocess.Popen(
            command,
            env=self.environ,
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        )
        try:
            out, _ = child.communicate(None if stdin is None else stdin.encode())
        except KeyboardInterrupt:
            child.send_signal(interrupts.PASSED_ON)
            try:
                child.communicate(timeout=interrupts.LONGEST_HOLD_S + 2)
            except (subprocess.TimeoutExpired, KeyboardInterrupt):
                child.kill()
                child.wait()
            raise self._interrupted(told=child.returncode == 130) from None
        return out, child.returncode
