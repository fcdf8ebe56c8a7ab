"""The models that the loop talks to, with rates at which they err; what they cost.

They know scenes only by the words and pixels that they are shown. Their errors are independent of
each other, which those of hosted models are not.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bed import drawing, scenes
from bed.judge import Judge, read
from bed.scenes import ABOVE, LEFT, OPPOSITE, Group, Scene, Shape

# USD; what a look-up of prices gives for models that are usual for each. The clip is never made
# here: it is what a wrong anchor would waste.
CHAT_USD = 0.0059
IMAGE_USD = 0.134
CLIP_USD = 2.40

_NUMBERED = re.compile(r"^\d+\. (.+?\?)", re.MULTILINE)


@dataclass(frozen=True)
class Rates:
    """Probabilities: that a fact is drawn wrong, that an answer of the judge is wrong, that an edit
    mends what it is told to, and that it breaks something else."""

    draws_wrong: float = 0.15
    judges_wrong: float = 0.0
    mends: float = 0.7
    breaks: float = 0.1


class Models:
    """An LLM, an image model that also edits, and a vision model.

    Which errors happen hangs on the seed and on what is asked, not on the order of the calls: the
    same candidates are drawn in every mode, so that modes can be compared pair by pair.
    """

    def __init__(self, rates: Rates, seed: object = 0) -> None:
        self.rates = rates
        self.calls: Counter[str] = Counter()  # chat, image
        self._seed = seed
        self._judge = Judge(rates.judges_wrong, seed)
        self._times: Counter[tuple[str, ...]] = Counter()
        self._known: list[Scene] = []  # that they were asked about

    @property
    def usd(self) -> float:
        """What all calls have cost."""
        return self.calls["chat"] * CHAT_USD + self.calls["image"] * IMAGE_USD

    def rewrite(self, prompt: str) -> dict[str, object]:
        """Stage 1: caption and motion."""
        scene = self._scene(prompt)
        self.calls["chat"] += 1
        return {"caption": scenes.still(scene), "motion": scenes.motion(scene)}

    def questions(self, prompt: str) -> dict[str, object]:
        """The questions of a check; the LLM never errs in them."""
        scene = self._scene(prompt)
        self.calls["chat"] += 1
        return {"questions": [question.text for question in scenes.questions(scene)]}

    def check(self, picture: bytes, asked: Sequence[tuple[int, str]]) -> dict[str, object]:
        """The answers of the judge; asked again, it errs anew."""
        self.calls["chat"] += 1
        return self._judge.answers(picture, asked, self._time("check", _digest(picture)))

    def draw(self, text: str, who: str = "") -> bytes:
        """A picture of what a text tells; `who` tells draws of the same text apart."""
        scene = self._scene(text)
        self.calls["image"] += 1
        chance = self._chance("draw", scenes.still(scene), who)
        return drawing.drawn(scenes.misdrawn(scene, self.rates.draws_wrong, chance), chance)

    def edit(self, picture: bytes, text: str) -> bytes:
        """The picture with what the questions in the text fail by mended, or not.

        Each fact that is wrong and that one of them hangs on is mended with one probability, and
        with another one fact that is right is broken. A question that the picture does not fail is
        no harm by itself. Everything is drawn at another place, as facts allow.

        Raises ValueError for a picture or a text that belongs to no scene it was asked about.
        """
        failed = _NUMBERED.findall(text)
        scene, behind = self._asked_by(failed)
        self.calls["image"] += 1
        seen = as_drawn(scene, read(picture))
        chance = self._chance("edit", _digest(picture), text)
        facts = scenes.facts(scene)
        right = [f for f in facts if not scenes.is_wrong(seen, scene, f) and f not in behind]
        for fact in facts:
            wrong = fact in behind and scenes.is_wrong(seen, scene, fact)
            if wrong and chance.random() < self.rates.mends:
                seen = scenes.mended(seen, scene, fact)
        if right and chance.random() < self.rates.breaks:
            seen = scenes.spoiled(seen, scene, chance.choice(right), chance)
        return drawing.drawn(seen, chance)

    def _scene(self, text: str) -> Scene:
        scene = scenes.parse(text)
        if scene not in self._known:
            self._known.append(scene)
        return scene

    def _asked_by(self, texts: Sequence[str]) -> tuple[Scene, set[scenes.Fact]]:
        """The scene that these questions are about, and the facts that they hang on."""
        for scene in self._known:
            behind = {question.text: on for question, on in scenes.questions(scene).items()}
            if texts and all(text in behind for text in texts):
                return scene, {fact for text in texts for fact in behind[text]}
        raise ValueError(f"no scene is known by these questions: {texts}")

    def _chance(self, *what: str) -> random.Random:
        """The chances of one call: of the same call for the second time, others."""
        return random.Random("|".join(map(str, (self._seed, *what, self._time(*what)))))

    def _time(self, *what: str) -> int:
        """How often this was asked before."""
        self._times[what] += 1
        return self._times[what] - 1


def as_drawn(scene: Scene, shapes: Sequence[Shape]) -> Scene:
    """What a picture shows, in terms of the scene that it was drawn for: its groups, in order.

    In our drawings every group has a column to itself. Whose it is, is told by colour and kind,
    else by kind and number, else by kind, which is never drawn wrong. Raises ValueError.
    """
    number = len(scene.groups)
    columns: dict[int, list[Shape]] = {}
    for shape in shapes:
        columns.setdefault(min(shape.x * number // 1000, number - 1), []).append(shape)
    if len(columns) != number:
        raise ValueError("this is not a picture of that scene")
    left = list(columns.values())
    found: dict[int, list[Shape]] = {}
    for likeness in (
        lambda one, group: (one[0].colour, one[0].kind) == (group.colour, group.kind),
        lambda one, group: one[0].kind == group.kind and len(one) == group.count,
        lambda one, group: one[0].kind == group.kind,
    ):
        for place, group in enumerate(scene.groups):
            cluster = next((one for one in left if likeness(one, group)), None)
            if place not in found and cluster:
                found[place] = cluster
                left.remove(cluster)
    if left:
        raise ValueError("this is not a picture of that scene")
    groups = [
        Group(len(found[n]), found[n][0].colour, found[n][0].kind, found[n][0].size)
        for n in range(number)
    ]
    relations = []
    for relation in scene.relations:
        where = relation.where
        first, second = (
            scenes.along(found[n][0], where) for n in (relation.first, relation.second)
        )
        is_before = where in (LEFT, ABOVE)
        if (first < second) != is_before:
            where = OPPOSITE[where]
        relations.append(relation._replace(where=where))
    return replace(scene, groups=tuple(groups), relations=tuple(relations))


def _digest(picture: bytes) -> str:
    return hashlib.sha256(picture).hexdigest()
