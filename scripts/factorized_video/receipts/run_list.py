"""The runs in a folder, read from their receipts, for whoever lost the output of a command."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path, PurePath
from typing import Any

from .. import money, receipts
from ..errors import UsageError
from ..files import SUFFIX
from ..money import Cost
from ..output_paths import STORY_FOLDER, WORK_FOLDER
from .aside import CANDIDATES
from .spending import checks_in

MOST_RECEIPTS = 2_000
STORY = "story.json"  # the summary of a film, in the folder with its shots
CLIPS = ("synthesis", "direct")  # the stages that make one
INSIDE = (WORK_FOLDER, CANDIDATES)  # end the names of folders with what belongs to an output
MOST_OF_A_PROMPT = 200  # characters in a row
DEEPEST = 6  # folders below the one that is asked for
_SKIPPED_FOLDERS = {".git", ".venv", "node_modules", "__pycache__"}
_SKILL = Path(__file__).resolve().parents[3]  # whose tests have receipts of no run
# States in which something may still come, so that the same command is what comes next.
_OPEN = ("intent", "submitted", "unknown")


def default_folder() -> Path:
    """outputs/ in the working directory, else the working directory."""
    outputs = Path.cwd() / "outputs"
    return outputs if outputs.is_dir() else Path.cwd()


def listed(folder: Path, now: float | None = None) -> list[dict[str, Any]]:
    """One row for each receipt below the folder, and for each check; the newest first.

    Raises UsageError.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder.", "Give the folder that the outputs are in.")
    now = time.time() if now is None else now
    rows = [row for path in _receipts(folder) for row in _rows(path, now)]
    return sorted(rows, key=lambda row: float(row["age_s"]))


def total(rows: list[dict[str, Any]]) -> tuple[Cost, int]:
    """What was spent as far as it is known, and the number of calls whose cost is not."""
    costs = [Cost(row["cost"].get("amount"), row["cost"]["kind"]) for row in rows if row["cost"]]
    known = [cost for cost in costs if cost.amount is not None]
    open_ended = sum(row["state"] in ("intent", "unknown", "unreadable") for row in rows)
    return money.total(known), len(costs) - len(known) + open_ended


def belongs_to(output: str) -> str:
    """The output, without its extension, that a file was made for."""
    path = PurePath(output)
    for folder in reversed(path.parents):
        if folder.suffix in INSIDE:
            return str(folder.with_suffix(""))
    return str(path.with_suffix(""))


def clip_of(output: str | Path) -> Path:
    """The clip that a file was made for."""
    return Path(belongs_to(str(output)) + ".mp4")


def film_of(output: str) -> str | None:
    """The film that a file is part of, None for one of no story."""
    for folder in PurePath(output).parents:
        if folder.suffix == STORY_FOLDER:
            return str(folder.with_suffix(".mp4"))
    return None


def stories(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the summaries say of the films that these rows are part of, by their order."""
    films = dict.fromkeys(film for row in rows if (film := film_of(row["output"])))
    found = []
    for film in films:
        told: Any = None
        with contextlib.suppress(OSError, ValueError, RecursionError):
            path = Path(film).with_suffix(STORY_FOLDER) / STORY
            told = json.loads(path.read_text(encoding="utf-8"))
        told = told if isinstance(told, dict) else {}
        shots = [one for one in told.get("shots") or () if isinstance(one, dict)]
        kept = ("number", "name", "status", "output")
        following = told.get("next") or (None if _is_made(told) else told.get("command"))
        found.append(
            {
                "output": film,
                "title": str(told.get("title") or ""),
                "is_made": _is_made(told) and Path(film).is_file(),
                "shots": [{name: one.get(name) for name in kept} for one in shots],
                "next": str(following) if following else None,
            }
        )
    return found


def _is_made(told: dict[str, Any]) -> bool:
    """Whether a summary is that of a finished film."""
    return told.get("status") == "succeeded" and isinstance(told.get("film"), dict)


def _receipts(folder: Path) -> list[Path]:
    found: list[Path] = []
    top = len(folder.parts)
    for where, folders, names in os.walk(folder):
        deep = len(Path(where).parts) - top >= DEEPEST
        skipped = _SKIPPED_FOLDERS | ({"tests"} if Path(where) == _SKILL else set())
        folders[:] = [] if deep else sorted(set(folders) - skipped)
        found += [Path(where) / name for name in sorted(names) if name.endswith(SUFFIX)]
        if len(found) >= MOST_RECEIPTS:
            break
    return found[:MOST_RECEIPTS]


def _rows(path: Path, now: float) -> list[dict[str, Any]]:
    """A receipt's row, and one for each check of its picture: they have prices of their own."""
    output = path.with_name(path.name[: -len(SUFFIX)])
    try:
        receipt = receipts.read(output)
    except UsageError:
        receipt = None
    if receipt is None:
        unreadable = {"output": str(output), "stage": "?", "state": "unreadable"}
        nothing = dict.fromkeys("cost created_at job next cwd prompt model gateway".split())
        return [{**unreadable, "age_s": _since(path, now), **nothing}]
    cost = receipt.get("cost")
    open_still = receipt["state"] in _OPEN and not receipt.get("replaced_by")
    gone = receipt["state"] == "succeeded" and not output.exists()
    row = {
        "output": str(output),
        "stage": str(receipt.get("stage")),
        "state": receipt["state"] + (", file gone" if gone else ""),
        "cost": cost if isinstance(cost, dict) else None,
        "age_s": _since(path, now, receipt.get("created_at")),
        "created_at": receipt.get("created_at"),
        "job": receipt.get("job"),
        "next": receipts.command_of(receipt) if open_still else _after_a_look(output, receipt),
        "cwd": receipt.get("cwd"),
        "prompt": _prompt(receipt),
        "model": receipt.get("model"),
        "gateway": receipts.part(receipt, "gateway").get("name"),
    }
    checked = {"stage": "verification", "state": "succeeded", "job": None, "next": None}
    return [row] + [
        {**row, **checked, "cost": money.from_json(check.get("cost")).as_json()}
        for check in checks_in(receipt)
    ]


def _after_a_look(output: Path, receipt: dict[str, Any]) -> str | None:
    """The command that makes the clip of an anchor at which a run stopped; None where there is one.

    The clip is the one that the work folder is named after.
    """
    if not receipt.get("stopped_at") or output.parent.suffix != WORK_FOLDER:
        return None
    if receipts.receipt_path(clip_of(output)).exists():
        return None
    return receipts.command_of(receipt, "--stop-after")


def _prompt(receipt: dict[str, Any]) -> str | None:
    """The beginning of the prompt, or of the caption of an anchor that was made by itself."""
    asked, inputs = receipts.part(receipt, "asked"), receipts.part(receipt, "inputs")
    found = asked.get("prompt") or inputs.get("prompt") or inputs.get("caption")
    return str(found)[:MOST_OF_A_PROMPT] if found else None


def _since(path: Path, now: float, created_at: object = None) -> int:
    from datetime import datetime, timezone

    try:
        made = datetime.strptime(str(created_at), "%Y-%m-%dT%H:%M:%SZ")
        moment = made.replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        moment = path.lstat().st_mtime
    return max(0, round(now - moment))
