"""What the demo says to a chat: placeholders for the models that write, check and see.

They understand nothing, and say so. A question asks for a circle of `circles.py`, an answer says
whether that circle is filled, and to any other question that the demo does not know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..prompts.checklist import ANYTHING
from ..prompts.json_reply import one_line
from .circles import COUNT, read_circles
from .decoding import is_plain, pictures_in
from .stillness import make_still

if TYPE_CHECKING:
    from PIL import Image

Data = dict[str, object]

TASKS = ("caption", "questions", "measure", "check", "motion", "story")
QUESTIONS = [f"Is circle {n} of {COUNT} on the demo card filled?" for n in range(1, COUNT + 1)]
PUSH_IN = "The camera slowly pushes in."  # which is what the demo's clip does
FREE = "The demo understands nothing; this is your text, its words of motion made still:"
MOST_SHOTS = 100
MOTION = (50, 500)  # words and characters of the prompt that a motion has room for

_CIRCLE = re.compile(r"Is circle (\d{1,3}) of \d{1,3} on the demo card filled\?")
# How the tool asks for what is not there, to find judges that say yes to everything.
_ABSENT = "Is there a"


def reply_to(messages: list[object]) -> tuple[Data | str, str | None]:
    """Return the JSON that answers a conversation, and a note on it if there is one.

    Words that are no task are answered in words. Raises ValueError for a conversation without any,
    and for a task that lacks what it needs.
    """
    data, pictures = _task(messages)
    if isinstance(data, str):
        return f"{FREE} {make_still(data)[0]}", FREE
    task, prompt = data.get("task", "caption"), one_line(data.get("prompt"))
    if task not in TASKS:
        raise ValueError(f"task: expected one of {', '.join(TASKS)}, or none for a caption")
    if task == "check":
        return {"answers": _answers(data.get("questions"), pictures_in(pictures, 1)[0])}, None
    if not prompt:
        raise ValueError("prompt is missing")
    if task == "caption":
        caption, motion = make_still(prompt)
        return {"caption": caption, "motion": motion}, None
    if task == "story":
        return _story(prompt, data.get("shots"), one_take=bool(data.get("one_take"))), None
    if task == "questions":
        return {"questions": QUESTIONS}, None
    if task == "measure":
        # The circles stand still, so they are in every frame: half of them measure the clip.
        return {"first_frame": QUESTIONS, "frames": QUESTIONS[: COUNT // 2]}, None
    pictures_in(pictures, 1)  # it is not looked at, but a client that forgot it should know
    return _motion(prompt), None


def _task(messages: list[object]) -> tuple[Data | str, list[object]]:
    """The task, in the JSON of a user message, and the addresses of the pictures shown with it.

    Without one, the words of the last user message.
    """
    words = ""
    for message in messages:
        if not isinstance(message, dict) or message.get("role") != "user":
            continue
        content, pictures = message.get("content"), []
        if isinstance(content, list):
            parts = [part for part in content if isinstance(part, dict)]
            shown = [part.get("image_url") for part in parts if part.get("type") == "image_url"]
            pictures = [one.get("url") if isinstance(one, dict) else one for one in shown]
            words_in = (part.get("text") for part in parts if part.get("type") == "text")
            content = "".join(text for text in words_in if isinstance(text, str))
        words = one_line(content) or words
        try:
            data = json.loads(str(content))
        except (ValueError, RecursionError):
            continue
        if isinstance(data, dict) and ("task" in data or "prompt" in data):
            return data, pictures
    if not words:
        raise ValueError("the demo expects a user message with words")
    return words, []


def _motion(prompt: str) -> Data:
    """The prompt's own words, and what the demo's clip does."""
    asked = " ".join(prompt[: MOTION[1]].split()[: MOTION[0]])
    stop = "" if asked[-1] in ".!?…。！？।؟" else "."
    seen = "what the picture shows"
    return {
        "visible": [seen],
        "motion": f"{asked}{stop} {PUSH_IN}",
        "named": [seen],
        "enters": [],
        "demands": [{"demand": "something moves", "words": PUSH_IN}],
    }


def _story(idea: str, count: object, *, one_take: bool) -> Data:
    """The idea as it is, in every shot; the second one continues the first, of one take each."""
    number = count if isinstance(count, int) and 0 < count <= MOST_SHOTS else 1
    hero, words = "The hero", idea[: MOTION[1]]
    shots = [
        {
            "name": f"Part {part}",
            "prompt": f"{words.rstrip('.')}: part {part} of {number}.",
            "cast": [hero],
            "place": "",
            "continues": part > 1 if one_take else part == 2,
        }
        for part in range(1, number + 1)
    ]
    cast = [{"name": hero, "description": f"Whoever this is about: {words}"}]
    return {
        "title": " ".join(idea.split()[:6]),
        "about": "",
        "cast": cast,
        "places": [],
        "shots": shots,
    }


def _answers(rows: object, picture: Image.Image) -> list[Data]:
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and isinstance(row.get("question"), str) for row in rows
    ):
        raise ValueError("questions must be a list of objects with id and question")
    filled, plain = read_circles(picture), is_plain(picture)
    return [{"id": row.get("id"), **answer_to(row["question"], filled, plain)} for row in rows]


def answer_to(question: str, filled: Sequence[bool] | None, plain: bool) -> dict[str, str]:
    """Answer one question about a picture: `seen`, `answer` (yes, no, unsure) and `reason`.

    `filled` are the circles on it, None where it is no demo card; `plain`: it is one colour.
    """
    named = _CIRCLE.fullmatch(question.strip())
    if named:
        said = _circle(int(named[1]), filled)
    elif question == ANYTHING and plain:
        said = "one plain colour", "no", "its pixels are all alike"
    elif question == ANYTHING:
        said = "more than one colour", "yes", "its pixels differ"
    elif question.startswith(_ABSENT):
        said = "none", "no", "the demo knows nothing but the circles on its cards"
    else:
        said = "not looked at", "unsure", "the demo understands only questions of its own"
    return dict(zip(("seen", "answer", "reason"), said, strict=True))


def _circle(number: int, filled: Sequence[bool] | None) -> tuple[str, str, str]:
    if filled is None:
        return "no card of the demo", "unsure", "the demo reads only its own cards"
    if not 1 <= number <= len(filled):
        return f"{len(filled)} circles", "unsure", f"there is no circle {number}"
    if filled[number - 1]:
        return f"circle {number} is filled", "yes", "a filled circle stands for as asked"
    return f"circle {number} is hollow", "no", "a hollow circle stands for a planted fault"
