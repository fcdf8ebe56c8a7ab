"""What is in a picture, told from its pixels, and yes/no questions answered by that.

Nothing here knows what was asked for. The reading stands JPEG and scaling, for the client may
re-encode a picture before it shows it.
"""

from __future__ import annotations

import hashlib
import io
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import sqrt

from PIL import Image

from bed.drawing import GROUND, HEIGHT, SIDES
from bed.scenes import COLOURS, Shape, Sided, alike, parse_question

# A circle fills pi/4 of its bounding box, a square all: between them. A triangle, which stands on
# its side, has its centre of mass two thirds down instead of half: between them. (It also fills but
# half of its box, yet less surely so where JPEG has blurred a small one.)
_SQUARE_FROM, _TRIANGLE_FROM = 0.89, 0.58
_BETWEEN_SIZES = sqrt(SIDES["small"] * SIDES["large"])  # pixels of a picture of our height
# Less is what JPEG leaves around a shape: specks, and thin rings that fill little of their box.
_LEAST_SIDE, _LEAST_FILL = SIDES["small"] * 0.6, 0.4
_LETTERS = dict(zip("abcdef", COLOURS, strict=True))
_RUN = re.compile(rb"([a-f])\1*")
_STRANGER = re.compile(r"is there an? ([a-z]+) in the picture\?")
_ANYTHING = "does the picture show anything at all"
_COLUMNS = ("far left", "left", "centre", "right", "far right")
_ROWS = ("top", "middle", "bottom")


@lru_cache(1024)  # one picture is read by the judge, by the editor and by who counts
def read(data: bytes, height: int = HEIGHT) -> tuple[Shape, ...]:
    """The shapes in a picture: connected areas of one colour, those that begin higher first.

    `height` is that of the picture in which shapes have their sizes: with a margin it is more.
    """
    picture: Image.Image = Image.open(io.BytesIO(data)).convert("RGB")
    width = round(picture.width * height / picture.height)
    picture = picture.resize((width, height), Image.Resampling.NEAREST)
    palette, letters = _palette()
    indices = picture.quantize(palette=palette, dither=Image.Dither.NONE).tobytes()
    shapes = []
    for area in _areas(indices.translate(letters), width):
        wide, high = area.right - area.left, area.bottom - area.top
        fill = area.pixels / (wide * high)
        if min(wide, high) < _LEAST_SIDE or fill < _LEAST_FILL:
            continue
        down = (area.moment / area.pixels + 0.5 - area.top) / high
        kind = "square" if fill > _SQUARE_FROM else "circle"
        size = "large" if sqrt(wide * high) > _BETWEEN_SIZES else "small"
        # Of a run of pixels 3, 4, 5 the middle is 4: `right` and `bottom` are one beyond.
        x, y = (area.left + area.right - 1) / 2 / width, (area.top + area.bottom - 1) / 2 / height
        shapes.append(
            Shape(
                "triangle" if down > _TRIANGLE_FROM else kind,
                _LETTERS[area.letter],
                size,
                round(1000 * x),
                round(1000 * y),
            )
        )
    return tuple(shapes)


@cache
def _palette() -> tuple[Image.Image, bytes]:
    """A palette to quantise to, and a table from its indices to a letter for each colour.

    Where a shape meets the ground, JPEG and scaling mix the two: what is mostly the shape's colour
    is the shape's, the rest is ground.
    """
    entries, letters = [GROUND], "."
    for letter, colour in zip(_LETTERS, COLOURS.values(), strict=True):
        for share in (0.0, 0.2, 0.4, 0.6, 0.8):
            mixed = tuple(round(a + share * (b - a)) for a, b in zip(colour, GROUND, strict=True))
            entries.append((mixed[0], mixed[1], mixed[2]))
            letters += letter if share < 0.5 else "."
    filler = 256 - len(entries)  # what is left empty would be black
    palette = Image.new("P", (1, 1))
    palette.putpalette([level for entry in entries + [GROUND] * filler for level in entry])
    return palette, (letters + "." * filler).encode()


@dataclass
class _Area:
    """A connected area; `right` and `bottom` are one beyond it, `moment` is the sum of its ys."""

    letter: str
    pixels: int
    moment: int
    left: int
    top: int
    right: int
    bottom: int

    def take(self, other: _Area) -> None:
        """Be both."""
        self.pixels += other.pixels
        self.moment += other.moment
        self.left, self.top = min(self.left, other.left), min(self.top, other.top)
        self.right, self.bottom = max(self.right, other.right), max(self.bottom, other.bottom)


def _areas(pixels: bytes, width: int) -> list[_Area]:
    """The connected areas of one colour.

    Row by row as runs of one colour, each joined to those that it touches in the row above, corners
    included; a picture has a few hundred runs, where it has a quarter of a million pixels.
    """
    areas: list[_Area] = []
    parents: list[int] = []  # of an area that was taken by another: that one; else itself

    def whole(number: int) -> int:
        while parents[number] != number:
            parents[number] = number = parents[parents[number]]
        return number

    above: list[tuple[int, int, int]] = []  # start, end, number of its area
    for y in range(len(pixels) // width):
        row: list[tuple[int, int, int]] = []
        line = pixels[y * width : (y + 1) * width]
        # Most rows are ground only, and to look for runs in those would take most of the time.
        for run in _RUN.finditer(line) if line.strip(b".") else ():
            start, end = run.span()
            number = len(areas)
            parents.append(number)
            length = end - start
            areas.append(_Area(run[1].decode(), length, y * length, start, y, end, y + 1))
            for left, right, other in above:
                known = whole(other)
                touches = left <= end and start <= right
                if touches and known != number and areas[known].letter == areas[number].letter:
                    areas[known].take(areas[number])
                    parents[number] = number = known
            row.append((start, end, number))
        above = row
    return [area for number, area in enumerate(areas) if parents[number] == number]


def truth(question: str, shapes: Sequence[Shape]) -> bool | None:
    """The right answer for a picture of these shapes; None where the question is not understood."""
    known = parse_question(question)
    if known:
        return known.holds(shapes)
    asked = question.strip().lower()
    if asked.startswith(_ANYTHING):
        return bool(shapes)
    stranger = _STRANGER.fullmatch(asked)
    if stranger:
        return any(stranger[1] == kind for kind in {shape.kind for shape in shapes})
    return None


class Judge:
    """Answers by what it reads, and says the opposite with a set probability.

    Which answers are wrong hangs on the picture's bytes, the question and how often it was asked:
    the same again gives the same, and candidates err independently of each other.
    """

    def __init__(self, error: float, seed: object = 0) -> None:
        self.error = error
        self.seed = seed

    def answers(
        self, picture: bytes, asked: Sequence[tuple[int, str]], attempt: int = 0
    ) -> dict[str, object]:
        """The JSON that a check is answered by; `asked` are ids and questions."""
        shapes = read(picture)
        digest = hashlib.sha256(picture).hexdigest()
        rows = []
        for number, question in asked:
            right = truth(question, shapes)
            chance = random.Random(f"{self.seed}|{digest}|{question}|{attempt}")
            said = "unsure" if right is None else _WORDS[right != (chance.random() < self.error)]
            rows.append(
                {
                    "id": number,
                    "seen": seen(question, shapes),
                    "answer": said,
                    "reason": "what is seen",
                }
            )
        return {"answers": rows}


_WORDS = ("no", "yes")


def seen(question: str, shapes: Sequence[Shape]) -> str:
    """What the picture shows of a question: the shapes that it is about, with their places."""
    known = parse_question(question)
    about: Sequence[Shape] = shapes
    if known:
        groups = (known.first, known.second) if isinstance(known, Sided) else (known.group,)
        about = [shape for group in groups for shape in alike(shapes, group)]
    told = (
        f"{s.size} {s.colour} {s.kind} {_COLUMNS[s.x * 5 // 1001]}, {_ROWS[s.y * 3 // 1001]}"
        for s in about
    )
    return "; ".join(told) or "nothing of it"
