"""The picture of one of the cast: one's own, or drawn once and shown to every shot with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import money, output_paths
from ..media import file_types, images
from ..money import FREE, Cost
from ..prompts import styles
from ..receipts import spending
from ..receipts.cap import Spent
from ..stages import composition, given_images
from ..stages.calls import Call
from ..stages.context import Context
from ..stages.given_images import GivenImage
from ..stages.plan import CHARACTER_SHAPE
from ..stages.request import AnchorRequest
from .story_file import Person

_PIXELS = 256  # of a side, for each part of a ratio, of a picture that is yet to be drawn


@dataclass
class CastPicture:
    """One of the cast with a picture. `request` is None where the picture is one's own."""

    person: Person
    path: Path
    image: GivenImage
    request: AnchorRequest | None = None
    calls: tuple[Call, ...] = ()  # still to be made
    expected: Cost = FREE
    spent: Spent = Spent()  # noqa: RUF009 - immutable
    cost: Cost = FREE  # of the picture that is there
    status: str = "not begun"
    answer: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def own(cls, person: Person, path: Path, flag: str) -> CastPicture:
        """The picture that the file names. Raises UsageError for what is no image."""
        return cls(person, path, given_images.at(flag, path), status="succeeded")

    @classmethod
    def to_draw(
        cls, person: Person, like: AnchorRequest, folder: Path, context: Context
    ) -> CastPicture:
        """One that is drawn from the description; `like` has what holds for all pictures."""
        request = AnchorRequest(
            person.description,
            like.style or styles.named_style(person.description),
            None,
            like.model,
            like.enhance,
            person.take,
            set=like.set,
            character=True,
        )
        digest = request.digest(context.identity_of("image"))
        path = output_paths.default_output(person.name, digest, ".png", folder)
        found = cls(person, path, given_images.to_come(path, _coming()), request)
        found.look(context)
        return found

    @property
    def name(self) -> str:
        """As the file calls them."""
        return self.person.name

    @property
    def is_there(self) -> bool:
        """Whether shots can be made with it."""
        return self.path.is_file()

    @property
    def error(self) -> dict[str, Any]:
        """The error that drawing it ended with; empty where there is none."""
        return self.answer.get("error") or {}

    def look(self, context: Context) -> None:
        """Read from disk whether it is there, what is left to pay, and what it has cost.

        Raises UsageError for what the model does not support, and for a file that is no image.
        """
        if self.request is None:
            return
        self.spent = spending.spent_for([self.path])
        self.cost = money.from_json(spending.account([self.path])["cost"])
        if self.is_there:
            self.image = given_images.at(f"the picture of {self.person.name}", self.path)
            self.calls, self.status = (), "succeeded"
        else:
            outlook = composition.outlook(self.request, self.path, context)
            self.calls = outlook.plan(context, self.path).calls
        self.expected = money.total([call.price for call in self.calls])

    def as_json(self) -> dict[str, Any]:
        """One entry of `cast`."""
        return {
            "name": self.person.name,
            "status": self.status,
            "picture": str(self.path),
            "own": self.request is None,
            "cost": self.cost.as_json(),
            "to_pay": self.expected.as_json(),
            "stages": [call.brief for call in self.calls],
            "error": self.answer.get("error"),
        }


def _coming() -> tuple[int, int]:
    """The size of a picture that is yet to be drawn, in pixels."""
    wide, tall = CHARACTER_SHAPE
    return wide * _PIXELS, tall * _PIXELS


def picture_of_place(flag: str, path: Path) -> GivenImage:
    """A place's own picture. Raises UsageError for what is no image."""
    image = given_images.at(flag, path)
    if image.size is None:  # without the media extra
        file_types.need_media_extra("--story")
    images.to_show(image.image, flag)
    return image
