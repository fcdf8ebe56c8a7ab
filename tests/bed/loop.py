"""The loop once more, in a few lines and without a command line, to be compared with.

Written from its description, not from the product: questions, N candidates, all of them checked
(they are made side by side), the best taken, of equals the first; with repair one edit of one that
does not pass, kept only if strictly better; nothing taken where nothing is known of any. Both talk
to the same models, so the same seed must end in the same anchor at the same cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from factorized_video.prompts import anchor_image

from bed import scenes
from bed.judge import read
from bed.models import Models

PLAIN, VERIFY, REPAIR = MODES = ("plain", "verify", "verify + repair")
# Two questions with known answers: who gets one wrong is asked once more, then not believed.
CONTROLS = {
    "Is there a giraffe in the picture?": "no",
    "Does the picture show anything at all, other than one single plain colour?": "yes",
}


@dataclass(frozen=True)
class Outcome:
    """What one run came to. `usd` is what its calls have cost, the clip not among them.

    `goes_on`: whether an anchor was taken, so that a clip would be paid for.
    """

    goes_on: bool
    right: bool
    usd: float
    calls: int


def simulated(models: Models, scene: scenes.Scene, number: int, mode: str) -> Outcome:
    """One run of the loop for a scene, with so many candidates."""
    prompt, caption = scenes.prompt(scene), scenes.still(scene)
    asked = _questions(models, prompt) if mode != PLAIN else []
    candidates = [models.draw(caption, f"candidate-{n}" if n > 1 else "") for n in _upto(number)]
    best: bytes | None = candidates[0]
    if mode != PLAIN:
        best, answers = _best(models, candidates, asked)
        if mode == REPAIR and best and _passed(answers) < len(asked):
            wrong = [(q, seen) for q, (word, seen) in answers.items() if word == "no"]
            edited = models.edit(best, anchor_image.edit_prompt(wrong))
            if _passed(_checked(models, edited, asked)) > _passed(answers):
                best = edited
    right = best is not None and scenes.is_right(scene, read(best))
    return Outcome(best is not None, right, models.usd, sum(models.calls.values()))


Answers = dict[str, tuple[str, str]]  # question: yes or no, and what was seen


def _questions(models: Models, prompt: str) -> list[str]:
    rows: Any = models.questions(prompt)["questions"]
    return list(rows)


def _best(
    models: Models, candidates: list[bytes], asked: list[str]
) -> tuple[bytes | None, Answers]:
    """The candidate that is taken, and its answers; None where nothing is known of any."""
    best, known = None, Answers()
    for candidate in candidates:
        answers = _checked(models, candidate, asked)
        if answers and (best is None or _passed(answers) > _passed(known)):
            best, known = candidate, answers
    return best, known


def _checked(models: Models, picture: bytes, asked: list[str]) -> Answers:
    """The answers to the questions; none where the judge cannot be believed, asked twice."""
    questions = [*asked, *CONTROLS]
    for _ in range(2):
        rows: Any = models.check(picture, list(enumerate(questions, 1)))["answers"]
        answers = {
            question: (row["answer"], row["seen"])
            for question, row in zip(questions, rows, strict=True)
        }
        if all(answers[control][0] == word for control, word in CONTROLS.items()):
            return {question: answers[question] for question in asked}
    return {}


def _passed(answers: Answers) -> int:
    return sum(word == "yes" for word, _ in answers.values())


def _upto(number: int) -> range:
    return range(1, number + 1)
