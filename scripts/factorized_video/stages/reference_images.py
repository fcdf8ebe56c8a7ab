"""Pictures that a person gave to draw from: those of --reference, and the one of --edit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import receipts
from ..errors import UsageError
from ..media import images
from ..media.images import ImageFile

if TYPE_CHECKING:
    from ..aspect_ratios import Size
    from ..gateway.types import Picture


class Given(NamedTuple):
    """One picture, read and judged; `sha256` is the file's."""

    flag: str
    path: Path
    sha256: str
    image: ImageFile

    @property
    def as_json(self) -> dict[str, str]:
        """As receipts hold it."""
        return {"name": self.path.name, "sha256": self.sha256}


class Sources(NamedTuple):
    """What a picture is drawn from besides words: the one that is edited, and references."""

    references: tuple[Given, ...] = ()
    edit: Given | None = None

    @property
    def given(self) -> tuple[Given, ...]:
        """All of them: the one that is edited first."""
        return (*((self.edit,) if self.edit else ()), *self.references)

    @property
    def hashes(self) -> tuple[str, ...]:
        """SHA-256 of the references, in order."""
        return tuple(one.sha256 for one in self.references)

    @property
    def sizes(self) -> list[Size | None]:
        """The references' sizes in pixels, None where one cannot be told here."""
        return [one.image.size for one in self.references]

    @property
    def in_receipt(self) -> dict[str, object]:
        """Entries of a receipt's `inputs`; none where there is nothing."""
        rows = [one.as_json for one in self.references]
        return {
            **({"edit": self.edit.as_json} if self.edit else {}),
            **({"references": rows} if rows else {}),
        }

    def check_output(self, output: Path) -> None:
        """Raise UsageError where the picture that is drawn would take the place of one of these.

        The same command again would then be about another picture, and pay again.
        """
        for one in self.given:
            if one.path.exists() and output.exists() and one.path.samefile(output):
                raise UsageError(
                    f"--output is the picture of {one.flag}: it would be replaced by what is made "
                    "from it.",
                    "Choose another --output.",
                )

    def to_send(self) -> tuple[Picture, ...]:
        """As a model is given them: the one that is edited first.

        Raises UsageError where one must be converted first and the media extra is missing.
        """
        return tuple(images.to_show(one.image, one.flag, len(self.given)) for one in self.given)


def read(references: list[str] | None, edit: str | None = None) -> Sources:
    """The pictures at these paths, as typed. Raises UsageError for what is no picture."""
    return Sources(
        tuple(_given("--reference", path) for path in references or ()),
        None if edit is None else _given("--edit", edit),
    )


def _given(flag: str, typed: str) -> Given:
    path = Path(typed).expanduser()
    image = images.read_image(path, flag)
    return Given(flag, path, receipts.sha256_of_bytes(image.data), image)


def picture_row(sent: Picture) -> dict[str, Any]:
    """A picture that was sent, without its bytes."""
    return {
        "mime": sent.mime,
        "bytes": len(sent.data),
        "sha256": receipts.sha256_of_bytes(sent.data),
    }


def sent_pictures(sent: tuple[Picture, ...]) -> dict[str, Any]:
    """An entry of `sent`: the pictures that a model draws from; nothing where there are none."""
    return {"pictures": [picture_row(one) for one in sent]} if sent else {}
