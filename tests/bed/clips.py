"""Clips of scenes: short MP4s in which one group drifts, and what is true of their frames. Pure.

A clip is a little larger than a picture of `drawing`, by a margin on every side: whatever stands at
the edge has room to drift, and stays whole.
"""

from __future__ import annotations

import io
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import mean

import av
from PIL import Image

from bed import drawing, judge
from bed.scenes import COLOURS, KINDS, Counted, Group, Scene, Shape, alike

MARGIN = 0.1  # of the sides of a picture, on each side
WIDTH, HEIGHT = (round(side * (1 + 2 * MARGIN)) for side in (drawing.WIDTH, drawing.HEIGHT))
SECONDS = 6  # what a command asks for unless told otherwise
DRIFT = 50  # thousandths of the width, from the first frame to the last: 38 px of 77 of margin
# Half of it counts as drifted: far more than JPEG and H.264 shift the middle of a shape.
DRIFTED = DRIFT // 2
STEPS = {"left": -1, "still": 0, "right": 1}

_DRIFTED = re.compile(
    rf"(?:is|are) the ({'|'.join(COLOURS)}) ({'|'.join(KINDS)})s? further to the (left|right) in "
    r"the last frame than in the first\?"
)
_THROUGHOUT = " in every frame?"

Frames = Sequence[Sequence[Shape]]  # of a clip: what each frame shows, in order


@dataclass(frozen=True)
class Drifted:
    """Is all of this group further to that side in the last frame than in the first?"""

    group: Group
    way: str

    @property
    def text(self) -> str:
        """The question in words."""
        verb = "Is" if self.group.count == 1 else "Are"
        return (
            f"{verb} the {self.group.handle} further to the {self.way} in the last frame than in "
            "the first?"
        )

    def holds(self, frames: Frames) -> bool:
        """The right answer; what is not there drifts nowhere."""
        first, last = (alike(frame, self.group) for frame in (frames[0], frames[-1]))
        if not first or not last:
            return False
        moved = mean(shape.x for shape in last) - mean(shape.x for shape in first)
        return moved * STEPS[self.way] >= DRIFTED


@dataclass(frozen=True)
class Throughout:
    """Are there so many of this kind in every frame?"""

    counted: Counted

    @property
    def text(self) -> str:
        """The question in words."""
        return self.counted.text.removesuffix("?") + _THROUGHOUT

    def holds(self, frames: Frames) -> bool:
        """The right answer."""
        return all(self.counted.holds(frame) for frame in frames)


def questions(scene: Scene) -> list[Drifted | Throughout]:
    """What is asked of frames over a clip: whether it moves as told, and whether it stays so."""
    number, way = scene.drifts
    counted = [Throughout(Counted(group)) for group in scene.groups]
    return [Drifted(scene.groups[number], way), *counted]


def truth(question: str, frames: Frames) -> bool | None:
    """The right answer for these frames, or for one picture; None where it is not understood."""
    asked = question.strip().lower()
    if found := _DRIFTED.fullmatch(asked):
        return Drifted(Group(2, found[1], found[2]), found[3]).holds(frames)
    if asked.endswith(_THROUGHOUT):
        answers = [judge.truth(f"{asked.removesuffix(_THROUGHOUT)}?", frame) for frame in frames]
        return None if None in answers else all(answers)
    answers = [judge.truth(question, frame) for frame in frames]
    return None if None in answers else any(answers)


def place(scene: Scene, chance: random.Random) -> list[Shape]:
    """As `drawing.place`, within the margin."""
    return [
        shape._replace(x=_inward(shape.x), y=_inward(shape.y))
        for shape in drawing.place(scene, chance)
    ]


def _inward(at: int) -> int:
    return round((at + 1000 * MARGIN) / (1 + 2 * MARGIN))


def read(picture: bytes) -> tuple[Shape, ...]:
    """The shapes in a frame of a clip, or in an anchor."""
    return judge.read(picture, HEIGHT)


def png(shapes: Sequence[Shape]) -> bytes:
    """The picture of these shapes: an anchor."""
    return drawing.png(shapes, (WIDTH, HEIGHT))


def moved(
    shapes: Sequence[Shape], what: tuple[str, str], way: str, count: int
) -> list[list[Shape]]:
    """What each of so many frames shows, of which the first shows `shapes`.

    `what` is the colour and kind that drift. Where nothing is so, nothing drifts.
    """
    return [
        [
            shape._replace(x=shape.x + round(STEPS[way] * DRIFT * number / (count - 1)))
            if (shape.colour, shape.kind) == what
            else shape
            for shape in shapes
        ]
        for number in range(count)
    ]


def film(frames: Frames, first: bytes | None = None) -> bytes:
    """The MP4 of these frames, of six seconds; with `first`, a picture, it begins with just that.

    The same frames give the same bytes.
    """
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        options = {"preset": "ultrafast", "crf": "12", "threads": "1"}
        stream = container.add_stream(
            "libx264", rate=Fraction(len(frames), SECONDS), options=options
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number, shapes in enumerate(frames):
            picture = (
                drawing.painted(shapes, (WIDTH, HEIGHT))
                if first is None or number
                else Image.open(io.BytesIO(first)).convert("RGB")
            )
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()
