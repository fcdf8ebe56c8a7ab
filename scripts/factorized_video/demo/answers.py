"""The demo's stand-ins for the models that check an anchor and tell its motion. Pure.

They understand nothing, and say so. A question quotes the prompt and asks for a circle of
`checks.py`; an answer says whether that circle is filled, and to what else is asked, that this is
not known here.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from ..prompts.checklist import ANYTHING
from .stillness import one_line, tells_motion

QUOTED = 100  # characters of the prompt in a question: the whole stays under 200
MOTION = (60, 600)  # words and characters, as many as a motion line should have
PUSH_IN = "The camera slowly pushes in."  # which is what the demo's clip does

_WORD = re.compile(r"\S{1,20}")  # a script without spaces, or an address, is taken in pieces
_CIRCLE = re.compile(r"\(demo check \d{1,3}: circle (\d{1,3}) of \d{1,3} on the card is filled\)$")
# How the tool asks for what is not there, to find judges that say yes to everything.
_ABSENT = "Is there a"


def questions_of(prompt: str, count: int) -> list[str]:
    """Return a question for each of `count` circles; together they quote a short prompt whole.

    Of a long one they quote passages that its digest chooses, so that other words are asked for
    where other words were given.
    """
    return [
        f'Is "{part}" as asked? (demo check {number}: circle {number} of {count} on the card is '
        "filled)"
        for number, part in enumerate(_passages(prompt, count), 1)
    ]


def _passages(prompt: str, count: int) -> list[str]:
    text = one_line(prompt).replace('"', "'")
    words = [match.span() for match in _WORD.finditer(text)]
    many = max(3, -(-len(words) // count))  # words in a passage; a shorter one tells nothing
    free = max(0, len(words) - many)
    dice = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    parts = []
    for index in range(count):
        first = round(free * index / max(1, count - 1))
        chosen = words[first : first + many]
        if chosen[-1][1] - chosen[0][0] > QUOTED:
            skip = int.from_bytes(dice[2 * index : 2 * index + 2], "big") % len(chosen)
            # Back from the end, where there is too little left to quote.
            while skip and chosen[-1][1] - chosen[skip][0] < QUOTED:
                skip -= 1
            chosen = [at for at in chosen[skip:] if at[1] - chosen[skip][0] <= QUOTED]
        parts.append(text[chosen[0][0] : chosen[-1][1]])
    return parts


def answer_to(question: str, filled: Sequence[bool] | None, plain: bool) -> dict[str, str]:
    """Answer one question about a picture: `seen`, `answer` (yes, no, unsure) and `reason`.

    `filled` are the circles on it, None where it is no demo card; `plain`: it is one colour.
    """
    question = question.strip()
    named = _CIRCLE.search(question)
    if named:
        return _circle(int(named[1]), filled)
    if question == ANYTHING:
        if plain:
            return _said("one plain colour", "no", "its pixels are all alike")
        return _said("more than one colour", "yes", "its pixels differ")
    if question.startswith(_ABSENT):
        reason = "the demo knows no such thing; it draws cards with circles and nothing else"
        return _said("none that the demo could name", "no", reason)
    return _said(
        "not looked at", "unsure", "the demo understands nothing but the questions it wrote itself"
    )


def _circle(number: int, filled: Sequence[bool] | None) -> dict[str, str]:
    if filled is None:
        return _said(
            "no card of the demo", "unsure", "the demo can read the circles of its own cards only"
        )
    if not 1 <= number <= len(filled):
        return _said(f"{len(filled)} circles", "unsure", f"there is no circle {number}")
    if filled[number - 1]:
        return _said(f"circle {number} is filled", "yes", "a filled circle stands for as asked")
    return _said(f"circle {number} is hollow", "no", "a hollow circle stands for a planted fault")


def _said(seen: str, answer: str, reason: str) -> dict[str, str]:
    return {"seen": seen, "answer": answer, "reason": reason}


def motion_of(prompt: str) -> dict[str, object]:
    """Return the motion that is told for a prompt: its own words, and what the demo's clip does.

    The push-in is told where the word table finds no motion in them.
    """
    words, characters = MOTION
    room = one_line(prompt)[: characters - len(PUSH_IN)].split()
    asked = " ".join(room[: words - len(PUSH_IN.split())])
    motion = asked
    if not tells_motion(asked):
        stop = "" if asked[-1] in ".!?…。！？।؟" else "."
        motion = f"{asked}{stop} {PUSH_IN}"
    seen = "what the picture shows"
    return {
        "visible": [seen],
        "motion": motion,
        "named": [seen],
        "enters": [],
        "demands": [{"demand": asked, "words": asked}],
    }
