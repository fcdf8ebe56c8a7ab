"""Pictures that were given: an anchor, a last frame, references, and the one to edit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import receipts
from ..errors import UsageError
from ..files import write_file
from ..media import images
from ..media.images import ImageFile
from ..private_folders import lasting

if TYPE_CHECKING:
    from ..aspect_ratios import Size
    from ..gateway.types import Picture
    from ..rerun import Rerun

_STORED_S = 30 * 86_400.0


class GivenImage(NamedTuple):
    """One picture, read and checked; `flag` is the option that named it, `sha256` the file's."""

    flag: str
    path: Path
    sha256: str
    image: ImageFile

    @property
    def size(self) -> Size | None:
        """Width and height in pixels, None where it cannot be found out here."""
        return self.image.size

    @property
    def row(self) -> dict[str, str]:
        """As receipts hold it."""
        return {"name": self.path.name, "sha256": self.sha256}


def read(flag: str, typed: str | None, rerun: Rerun | None = None) -> GivenImage | None:
    """The picture at a path as given, None without one. Raises UsageError for what is no image.

    One from a pipe, or from stdin (-), can be read only once: it is stored, and the command to run
    again names it there.
    """
    if typed is None:
        return None
    path = Path(typed).expanduser()
    if typed != "-" and (path.is_file() or path.is_dir() or not path.exists()):
        image = images.read_image(path, flag)
        return GivenImage(flag, path.absolute(), receipts.sha256_of_bytes(image.data), image)
    if typed not in _piped:
        _piped[typed] = _stored(images.read_piped(typed, flag))
    path, image = _piped[typed]
    if rerun is not None:
        rerun.replace(typed, str(path))
    return GivenImage(flag, path, receipts.sha256_of_bytes(image.data), image)


def at(what: str, path: Path) -> GivenImage:
    """The picture at a path; `what` names it in errors. Raises UsageError for what is no image."""
    found = read(what, str(path))
    assert found is not None
    return found


_piped: dict[str, tuple[Path, ImageFile]] = {}  # by the path, what was read from it


def _stored(image: ImageFile) -> tuple[Path, ImageFile]:
    """Where a picture is that was piped in: in a private folder, for a month after its last use."""
    folder = lasting("pictures")
    for path in folder.iterdir():
        if time.time() - path.stat().st_mtime > _STORED_S:
            path.unlink(missing_ok=True)
    name = f"{receipts.sha256_of_bytes(image.data)[:24]}.{image.kind.lower()}"
    write_file(folder / name, image.data, private=True)
    return folder / name, image


def by_hash(path: Path, sha256: str) -> GivenImage:
    """A picture of which only the hash is needed, or which is not in its place yet."""
    return GivenImage("", path, sha256, ImageFile(b"", "", None))


def to_come(path: Path, size: Size) -> GivenImage:
    """A picture that is yet to be made: what is planned with it has a digest of its own."""
    return GivenImage("", path, f"to come: {path.name}", images.blank(size))


def made_by(flag: str) -> GivenImage:
    """A picture that an option has made on the way, of which nothing is known yet."""
    return by_hash(Path(), "")._replace(flag=flag)


def read_all(
    flag: str, typed: Sequence[str] | None, rerun: Rerun | None = None
) -> tuple[GivenImage, ...]:
    """The pictures of a repeatable option, in order."""
    return tuple(one for path in typed or () if (one := read(flag, path, rerun)))


def check_output(given: Sequence[GivenImage], output: Path) -> None:
    """Raise UsageError where the output would replace one of the pictures it is made from.

    The same command again would then be about another picture, and pay again.
    """
    for one in given:
        if one.path.exists() and output.exists() and one.path.samefile(output):
            raise UsageError(
                f"--output is the picture of {one.flag}: it would be replaced by what is made "
                "from it.",
                "Choose another --output.",
            )


def to_send(given: Sequence[GivenImage]) -> tuple[Picture, ...]:
    """As a model gets them, small enough to go together.

    Raises UsageError where one must be converted first and the media extra is missing.
    """
    return tuple(images.to_show(one.image, one.flag, len(given)) for one in given)


def picture_row(sent: Picture) -> dict[str, Any]:
    """A picture that was sent, as receipts hold it: without its bytes."""
    sha256 = receipts.sha256_of_bytes(sent.data)
    return {"mime": sent.mime, "bytes": len(sent.data), "sha256": sha256}


def sent_pictures(sent: Sequence[Picture]) -> dict[str, Any]:
    """An entry of a receipt's `sent`: the pictures that a model works from, if there are any."""
    return {"pictures": [picture_row(one) for one in sent]} if sent else {}
