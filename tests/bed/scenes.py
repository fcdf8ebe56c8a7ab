"""Scenes of coloured shapes: made from a seed, said in words, read from words, spoiled. Pure.

A scene is groups of shapes and where they are to each other. Its facts are all that can be drawn
wrong; its questions are what a check asks. The truth of a question is told from shapes alone, so
that nobody who judges a picture needs to know what was asked for.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

# Far apart in RGB, from each other and from a white ground, also after JPEG.
COLOURS = {
    "red": (214, 36, 36),
    "green": (36, 160, 60),
    "blue": (36, 70, 214),
    "yellow": (242, 206, 20),
    "purple": (146, 40, 190),
    "black": (16, 16, 16),
}
KINDS = ("circle", "square", "triangle")
SIZES = ("small", "large")
NUMBERS = ("one", "two", "three", "four")
MOST = len(NUMBERS)
LEFT, RIGHT, ABOVE, BELOW = "to the left of", "to the right of", "above", "below"
OPPOSITE = {LEFT: RIGHT, RIGHT: LEFT, ABOVE: BELOW, BELOW: ABOVE}
# Below comes only of a side that is drawn wrong: one word a direction is enough for prompts.
ASKED_FOR = (LEFT, RIGHT, ABOVE)
GROUND = "on a plain white ground"
FEWEST_QUESTIONS, MOST_QUESTIONS = 5, 8

T = TypeVar("T")

_COLOUR, _KIND, _SIZE = "|".join(COLOURS), "|".join(KINDS), "|".join(SIZES)
_NUMBER, _WHERE = "|".join(NUMBERS), "|".join(OPPOSITE)
_ITEM = re.compile(rf"\b({_NUMBER}) (?:({_SIZE}) )?({_COLOUR}) ({_KIND})s?\b", re.IGNORECASE)
_PLACED = rf"the ({_COLOUR}) ({_KIND})(s?) ({_WHERE}) the ({_COLOUR}) ({_KIND})(s?)"
_RELATION = re.compile(
    rf"the ({_COLOUR}) ({_KIND})s? (?:is|are) ({_WHERE}) the ({_COLOUR}) ({_KIND})s?", re.IGNORECASE
)
_DRIFT = re.compile(rf"the ({_COLOUR}) ({_KIND})s? drifts? to the (left|right)", re.IGNORECASE)
_COUNTED = re.compile(rf"(?:is|are) there exactly ({_NUMBER}) ({_COLOUR}) ({_KIND})s?\?")
_SIZED = re.compile(rf"(?:is|are) the ({_COLOUR}) ({_KIND})(s?) ({_SIZE})\?")
_SIDED = re.compile(rf"(?:is|are) {_PLACED}\?")


class Shape(NamedTuple):
    """One shape as it is in a picture: its middle in thousandths of the picture's sides."""

    kind: str
    colour: str
    size: str
    x: int
    y: int


@dataclass(frozen=True)
class Group:
    """Shapes of one kind. `size` is "" where a prompt leaves it open."""

    count: int
    colour: str
    kind: str
    size: str = ""

    @property
    def handle(self) -> str:
        """What it is called after it was introduced: "red circles"."""
        return _plural(f"{self.colour} {self.kind}", self.count)


class Relation(NamedTuple):
    """Where the first group is, seen from the second."""

    first: int
    where: str
    second: int


@dataclass(frozen=True)
class Scene:
    """What a picture is to show. No two groups of what is asked for have the same colour."""

    groups: tuple[Group, ...]
    relations: tuple[Relation, ...] = ()
    drifts: tuple[int, str] = (0, "right")


class Fact(NamedTuple):
    """One thing that can be drawn wrong: the count, colour or size of a group, or a relation."""

    what: str  # count | colour | size | side
    of: int


@dataclass(frozen=True)
class Counted:
    """Are there so many of this kind?"""

    group: Group

    @property
    def text(self) -> str:
        """The question in words."""
        verb = _verb(self.group.count)
        return f"{verb} there exactly {NUMBERS[self.group.count - 1]} {self.group.handle}?"

    def holds(self, shapes: Sequence[Shape]) -> bool:
        """The right answer for a picture of these shapes."""
        return len(alike(shapes, self.group)) == self.group.count


@dataclass(frozen=True)
class Sized:
    """Are they all of this size? What is not there has no size."""

    group: Group

    @property
    def text(self) -> str:
        """The question in words."""
        return f"{_verb(self.group.count)} the {self.group.handle} {self.group.size}?"

    def holds(self, shapes: Sequence[Shape]) -> bool:
        """The right answer for a picture of these shapes."""
        return {shape.size for shape in alike(shapes, self.group)} == {self.group.size}


@dataclass(frozen=True)
class Sided:
    """Are all of the first on this side of all of the second? What is not there is nowhere."""

    first: Group
    where: str
    second: Group

    @property
    def text(self) -> str:
        """The question in words."""
        verb = _verb(self.first.count)
        return f"{verb} the {self.first.handle} {self.where} the {self.second.handle}?"

    def holds(self, shapes: Sequence[Shape]) -> bool:
        """The right answer for a picture of these shapes."""
        one, other = alike(shapes, self.first), alike(shapes, self.second)
        if self.where in (RIGHT, BELOW):
            one, other = other, one
        last, first = [along(s, self.where) for s in one], [along(s, self.where) for s in other]
        return bool(last and first) and max(last) < min(first)


Question = Counted | Sized | Sided


def generate(chance: random.Random) -> Scene:
    """A scene of two to four groups, about which there are five to eight questions."""
    number = chance.choice((2, 3, 4))
    told = 2 if number == 2 else number - 1  # relations at most; of two groups there is but one
    relations = min(chance.randint(1, told), number - 1)
    sizes = chance.randint(
        max(0, FEWEST_QUESTIONS - number - relations),
        min(number, MOST_QUESTIONS - number - relations),
    )
    sized = set(chance.sample(range(number), sizes))
    colours = chance.sample(list(COLOURS), number)
    groups = tuple(
        Group(
            chance.randint(1, MOST),
            colour,
            chance.choice(KINDS),
            chance.choice(SIZES) if place in sized else "",
        )
        for place, colour in enumerate(colours)
    )
    # Each group after the first is related to an earlier one: no circles, so that whatever side is
    # drawn wrong, there is a picture in which all the others are right.
    later = sorted(chance.sample(range(1, number), relations))
    related = tuple(Relation(n, chance.choice(ASKED_FOR), chance.randrange(n)) for n in later)
    return Scene(groups, related, (chance.randrange(number), chance.choice(("left", "right"))))


def still(scene: Scene) -> str:
    """The first frame in words: the caption."""
    items = [
        " ".join(filter(None, (NUMBERS[group.count - 1], group.size, group.handle)))
        for group in scene.groups
    ]
    listed = ", ".join(items[:-1]) + " and " + items[-1]
    sentences = [f"{listed[0].upper()}{listed[1:]} {GROUND}."]
    for first, where, second in scene.relations:
        one, other = scene.groups[first], scene.groups[second]
        verb = _verb(one.count).lower()
        sentences.append(f"The {one.handle} {verb} {where} the {other.handle}.")
    return " ".join(sentences)


def motion(scene: Scene) -> str:
    """What changes after it."""
    group = scene.groups[scene.drifts[0]]
    return f"The {group.handle} {'drifts' if group.count == 1 else 'drift'} to the " + (
        f"{scene.drifts[1]}."
    )


def prompt(scene: Scene) -> str:
    """What a person asks for."""
    return f"{still(scene)} {motion(scene)}"


def parse(text: str) -> Scene:
    """The scene that a prompt or a caption tells of, whatever stands after it.

    Raises ValueError where it tells of none.
    """
    listed = _ITEM.findall(text.partition(GROUND)[0].lower())
    groups = tuple(
        Group(NUMBERS.index(number) + 1, colour, kind, size)
        for number, size, colour, kind in listed
    )
    if not groups:
        raise ValueError(f"no scene is told: {text[:80]!r}")
    place = {(group.colour, group.kind): number for number, group in enumerate(groups)}
    relations = tuple(
        Relation(place[colour, kind], where, place[of_colour, of_kind])
        for colour, kind, where, of_colour, of_kind in _RELATION.findall(text.lower())
    )
    drift = drift_in(text)
    drifts = (place[drift[0], drift[1]], drift[2]) if drift else (0, "right")
    return Scene(groups, relations, drifts)


def drift_in(text: str) -> tuple[str, str, str] | None:
    """The colour and kind of what is told to drift, and to which side; None where nothing is."""
    found = _DRIFT.search(text.lower())
    return (found[1], found[2], found[3]) if found else None


def parse_question(text: str) -> Question | None:
    """The question that a text asks, None for one that is of another kind."""
    asked = text.strip().lower()
    if found := _COUNTED.fullmatch(asked):
        return Counted(Group(NUMBERS.index(found[1]) + 1, found[2], found[3]))
    if found := _SIZED.fullmatch(asked):
        return Sized(Group(2 if found[3] else 1, found[1], found[2], found[4]))
    if found := _SIDED.fullmatch(asked):
        one = Group(2 if found[3] else 1, found[1], found[2])
        return Sided(one, found[4], Group(2 if found[7] else 1, found[5], found[6]))
    return None


def facts(scene: Scene) -> list[Fact]:
    """All that can be drawn wrong. A size that nobody asked for cannot."""
    of_groups = [
        Fact(what, number)
        for number, group in enumerate(scene.groups)
        for what in ("count", "colour", *(["size"] if group.size else []))
    ]
    return of_groups + [Fact("side", number) for number in range(len(scene.relations))]


def questions(scene: Scene) -> dict[Question, tuple[Fact, ...]]:
    """The questions of a check, each with the facts that its answer hangs on.

    The colour of a group is in its name: what has another colour is not there, and every question
    about it is answered by no.
    """
    groups, asked = scene.groups, dict[Question, tuple[Fact, ...]]()
    for number, group in enumerate(groups):
        asked[Counted(group)] = (Fact("count", number), Fact("colour", number))
    for number, group in enumerate(groups):
        if group.size:
            asked[Sized(group)] = (Fact("size", number), Fact("colour", number))
    for number, (first, where, second) in enumerate(scene.relations):
        asked[Sided(groups[first], where, groups[second])] = (
            Fact("side", number),
            Fact("colour", first),
            Fact("colour", second),
        )
    return asked


def is_right(scene: Scene, shapes: Sequence[Shape]) -> bool:
    """Whether every question about the scene is rightly answered by yes."""
    return all(question.holds(shapes) for question in questions(scene))


def plant(scene: Scene, chance: random.Random) -> tuple[Scene, Fact]:
    """The scene with exactly one thing wrong, and which."""
    fact = chance.choice(facts(scene))
    return spoiled(filled(scene, chance), scene, fact, chance), fact


def misdrawn(scene: Scene, rate: float, chance: random.Random) -> Scene:
    """The scene as a model draws it that gets each fact wrong with this probability."""
    drawn = filled(scene, chance)
    for fact in facts(scene):
        if chance.random() < rate:
            drawn = spoiled(drawn, scene, fact, chance)
    return drawn


def filled(scene: Scene, chance: random.Random) -> Scene:
    """With a size for every group: what is left open must be drawn somehow."""
    groups = (
        group if group.size else replace(group, size=chance.choice(SIZES)) for group in scene.groups
    )
    return replace(scene, groups=tuple(groups))


def spoiled(drawn: Scene, scene: Scene, fact: Fact, chance: random.Random) -> Scene:
    """What is drawn, with one fact of the scene wrong."""
    if fact.what == "side":
        relation = scene.relations[fact.of]
        wrong = relation._replace(where=OPPOSITE[relation.where])
        return replace(drawn, relations=_with(drawn.relations, fact.of, wrong))
    group = scene.groups[fact.of]
    if fact.what == "count":  # never none at all: that would be wrong in other ways too
        count = chance.choice([n for n in (group.count - 1, group.count + 1) if 0 < n <= MOST])
        return _changed(drawn, fact.of, lambda old: replace(old, count=count))
    if fact.what == "size":
        other = SIZES[1 - SIZES.index(group.size)]
        return _changed(drawn, fact.of, lambda old: replace(old, size=other))
    # A colour that no question names, and if possible none that is drawn.
    unnamed = [name for name in COLOURS if name not in {one.colour for one in scene.groups}]
    free = [name for name in unnamed if name not in {one.colour for one in drawn.groups}]
    colour = chance.choice(free or unnamed)
    return _changed(drawn, fact.of, lambda old: replace(old, colour=colour))


def mended(drawn: Scene, scene: Scene, fact: Fact) -> Scene:
    """What is drawn, with one fact as the scene has it."""
    if fact.what == "side":
        right = scene.relations[fact.of]
        return replace(drawn, relations=_with(drawn.relations, fact.of, right))
    group = scene.groups[fact.of]
    if fact.what == "count":
        return _changed(drawn, fact.of, lambda old: replace(old, count=group.count))
    if fact.what == "size":
        return _changed(drawn, fact.of, lambda old: replace(old, size=group.size))
    return _changed(drawn, fact.of, lambda old: replace(old, colour=group.colour))


def is_wrong(drawn: Scene, scene: Scene, fact: Fact) -> bool:
    """Whether a fact is drawn wrong: whether it would be changed by being mended."""
    return mended(drawn, scene, fact) != drawn


def alike(shapes: Sequence[Shape], group: Group) -> list[Shape]:
    """The shapes that a question about the group is about."""
    return [s for s in shapes if (s.colour, s.kind) == (group.colour, group.kind)]


def along(shape: Shape, where: str) -> int:
    """How far to the right a shape is, or how far down, whichever a side is about."""
    return shape.x if where in (LEFT, RIGHT) else shape.y


def _changed(drawn: Scene, place: int, change: Callable[[Group], Group]) -> Scene:
    return replace(drawn, groups=_with(drawn.groups, place, change(drawn.groups[place])))


def _with(row: tuple[T, ...], place: int, value: T) -> tuple[T, ...]:
    return (*row[:place], value, *row[place + 1 :])


def _plural(name: str, count: int) -> str:
    return name if count == 1 else f"{name}s"


def _verb(count: int) -> str:
    return "Is" if count == 1 else "Are"
