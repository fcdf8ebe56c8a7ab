"""A scene as a picture. What a picture holds is told by its pixels only: `judge.read`."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from itertools import permutations

from PIL import Image, ImageDraw

from bed.scenes import ABOVE, BELOW, COLOURS, LEFT, RIGHT, Relation, Scene, Shape

WIDTH, HEIGHT = 640, 360
GROUND = (250, 250, 246)
SIDES = {"small": 18, "large": 36}  # pixels; four large ones fit a sixteenth of the picture
GAP = 3  # pixels at least between a shape and the edge of its slot: no two ever touch


def place(scene: Scene, chance: random.Random) -> list[Shape]:
    """Where the shapes are. Every group has a column and a row to itself, so any side is plain.

    Raises IndexError where the relations contradict each other.
    """
    number = len(scene.groups)
    columns = _order(scene.relations, number, LEFT, RIGHT, chance)
    rows = _order(scene.relations, number, ABOVE, BELOW, chance)
    width, height = WIDTH // number, HEIGHT // number
    shapes = []
    for group, column, row in zip(scene.groups, columns, rows, strict=True):
        across, down = (1 if group.count == 1 else 2), (1 if group.count <= 2 else 2)
        slot = (width // across, height // down)
        side = SIDES[group.size]
        free = [min((length - side) // 2 - GAP, 12) for length in slot]
        for n in range(group.count):
            x = column * width + slot[0] * (n % across) + slot[0] // 2
            y = row * height + slot[1] * (n // across) + slot[1] // 2
            x += chance.randint(-free[0], free[0])
            y += chance.randint(-free[1], free[1])
            at = (round(1000 * x / WIDTH), round(1000 * y / HEIGHT))
            shapes.append(Shape(group.kind, group.colour, group.size, *at))
    return shapes


def _order(
    relations: Sequence[Relation], number: int, before: str, after: str, chance: random.Random
) -> tuple[int, ...]:
    """The place of each group along one axis: one of all orders that the relations allow."""

    def fits(places: tuple[int, ...]) -> bool:
        return all(
            where not in (before, after) or (places[one] < places[other]) == (where == before)
            for one, where, other in relations
        )

    return chance.choice([places for places in permutations(range(number)) if fits(places)])


def painted(shapes: Sequence[Shape], size: tuple[int, int] = (WIDTH, HEIGHT)) -> Image.Image:
    """These shapes on a ground of so many pixels; they are as large on every one."""
    picture = Image.new("RGB", size, GROUND)
    pen = ImageDraw.Draw(picture)
    for kind, colour, measure, at_x, at_y in shapes:
        x, y, half = at_x * size[0] / 1000, at_y * size[1] / 1000, SIDES[measure] / 2
        box = (x - half, y - half, x + half, y + half)
        if kind == "circle":
            pen.ellipse(box, COLOURS[colour])
        elif kind == "square":
            pen.rectangle(box, COLOURS[colour])
        else:
            pen.polygon(
                [(x, y - half), (x + half, y + half), (x - half, y + half)], COLOURS[colour]
            )
    return picture


def png(shapes: Sequence[Shape], size: tuple[int, int] = (WIDTH, HEIGHT)) -> bytes:
    """The picture of these shapes."""
    out = io.BytesIO()
    painted(shapes, size).save(out, "PNG", compress_level=1)
    return out.getvalue()


def drawn(scene: Scene, chance: random.Random) -> bytes:
    """A picture of the scene, with every size settled; another one at each call."""
    return png(place(scene, chance))
