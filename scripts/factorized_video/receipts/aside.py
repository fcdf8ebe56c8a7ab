"""Results that were kept aside: an earlier one for the same inputs comes back instead of a new one.

`record.make_room` keeps what is replaced as NAME.1.ext, NAME.2.ext and so on.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import UsageError
from ..files import SUFFIX, names_in, number_aside, writing
from .digests import is_of, sha256_of
from .record import Record, family, make_room, read, receipt_path

CANDIDATES = ".candidates"  # the folder beside NAME.ext that holds the candidates for it


class Aside(NamedTuple):
    """An output's result that lies at another place: its receipt, and its file if there is one.

    `output` is where the receipt belongs; a move that was cut off may have left the file elsewhere.
    """

    output: Path
    receipt: dict[str, Any]
    file: Path | None

    @property
    def is_lost(self) -> bool:
        """Whether a paid call was sent, and it is unknown what became of it."""
        return self.receipt["state"] in ("intent", "unknown")


def find(output: Path, wanted: str) -> Aside | None:
    """The best that was kept aside for the digest `wanted`: made, being made, or perhaps made."""
    found = []
    for place in _places(output):
        receipt = _read(place)
        # NAME.1.ext may also be the name of another output.
        if receipt and is_of(receipt, wanted) and receipt.get("output") == output.name:
            found.append(Aside(place, receipt, _file_of(output, place, receipt)))
    best = max(found, key=_rank, default=None)  # of equals the newest
    # A lost call counts only as the only one: where there is another, it was paid for again.
    least = 2 if len(found) > 1 else 1
    return best if best and _rank(best) >= least else None


def texts(output: Path, key: str) -> set[str]:
    """What was ever written for an output of Stage 1, under this key: by its receipts."""
    found = (_read(place) for place in (output, *_places(output)))
    results = [receipt.get("result") or {} for receipt in found if receipt]
    return {one[key] for one in results if isinstance(one.get(key), str)}


def stray_file(output: Path, receipt: dict[str, Any]) -> Path | None:
    """The file of a receipt that is in place, where a move was cut off between the two."""
    return _file_of(output, output, receipt)


def retrieve(output: Path, aside: Aside) -> None:
    """Put it in its place; what lies there is kept aside in turn. The caller holds the lock.

    The receipt goes first, so that a file never lies there that no receipt accounts for.
    """
    if aside.output != output:
        make_room(output)
    with writing(output):
        for old, place in zip(family(aside.output)[1:], family(output)[1:], strict=True):
            if old != place and old.exists():
                old.rename(place)
        if aside.file:
            aside.file.rename(output)
    receipt = read(output) or {}
    if receipt.pop("replaced_by", None):
        Record(output, receipt).update()


def _rank(one: Aside) -> int:
    """How much it is worth: 3 there, 2 at the gateway, 1 perhaps made, 0 nothing."""
    state = one.receipt["state"]
    if state == "succeeded" and (one.file or isinstance(one.receipt.get("result"), dict)):
        return 3
    if state == "submitted" or (state == "succeeded" and one.receipt.get("job")):
        return 2
    return int(one.is_lost)


def _places(output: Path) -> Iterator[Path]:
    """Where something was kept aside for an output, the newest first."""
    try:
        names = {name.removesuffix(SUFFIX) for name in names_in(output.parent, output.stem)}
    except OSError:
        return
    numbers = {name: number_aside(output, name) for name in names}
    numbered = [(number, name) for name, number in numbers.items() if number is not None]
    for _, name in sorted(numbered, reverse=True):
        yield output.with_name(name)


def _read(place: Path) -> dict[str, Any] | None:
    try:
        return read(place)
    except UsageError:  # of a newer version
        return None


def _file_of(output: Path, place: Path, receipt: dict[str, Any]) -> Path | None:
    """The very file that a receipt is of: at its own place, or at one without a receipt."""
    sha256 = receipt.get("sha256")
    adopted = output.with_name(output.stem + CANDIDATES) / f"candidate-1{output.suffix}"
    others = (path for path in (*_places(output), adopted) if not receipt_path(path).exists())
    for path in (place, *others) if sha256 else ():
        if path.is_file() and sha256_of(path) == sha256:
            return path
    return None
