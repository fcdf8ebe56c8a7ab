"""Models that write and judge, for the loopback gateway: what they say is set by a test.

    with Gateway() as gateway:
        judge = Judge(gateway)
        judge.fails["1"] = {2}      # candidate 1 fails the second question

The questions are always the same. A picture is known again by its bytes, and by the order in which
pictures were drawn: at HappyCapy, which is told, by the candidate's name.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

from loopback import CAPTION, MOTION, Gateway, size_of
from PIL import Image
from speech import Drawn, Reply, Request, shown

QUESTIONS = (
    "Is there a cat in the picture?",
    "Is there exactly one cat?",
    "Is the cat a tabby?",
    "Is the cat on the top shelf of a bookshelf?",
    "Is there a couch at the lower left of the bookshelf?",
)
# What clips are measured by, beside QUESTIONS of their first frame.
FRAMES = (
    "Does the cat leave the shelf?",
    "Is the cat on the couch in the last frame?",
    "Is there exactly one cat in every frame?",
)
SEEN_MOTION = "The tabby cat leaps down to the couch at the lower left."
MOTION_REPLY: dict[str, Any] = {
    "visible": ["tabby cat", "bookshelf", "couch"],
    "motion": SEEN_MOTION,
    "named": ["the tabby cat"],
    "enters": [],
    "demands": [{"demand": "the cat jumps to the couch", "words": "leaps down to the couch"}],
}
CONTROLS = {"Is there a giraffe in the picture?": "no"}


class Judge:
    """Answers chats by their task, and draws candidates that it can tell apart."""

    def __init__(self, gateway: Gateway, questions: tuple[str, ...] = QUESTIONS) -> None:
        self.questions = questions
        # By candidate: the numbers of the questions that it is said to fail, from 1.
        self.fails: dict[str, set[int]] = {}
        self.unsure: dict[str, set[int]] = {}
        self.motion: object = MOTION_REPLY
        # What is said instead, by task (questions, check, motion): in order, then as usual; who
        # says None leaves it as it is.
        self.says: dict[str, Callable[[dict[str, Any], str], Reply | str | None]] = {}
        self.without_usage = False  # replies then do not say how many tokens they took
        self.asked: list[tuple[str, str]] = []  # tasks, and what of: the prompt or the candidate
        self._names: dict[bytes, str] = {}
        self._lock = threading.Lock()
        self._gateway = gateway
        gateway.answers["chat"] = self._chat
        gateway.answers["image"] = self._image

    def of(self, task: str) -> list[str]:
        """What was asked of this task, in order."""
        return [what for kind, what in self.asked if kind == task]

    def _image(self, request: Request) -> Reply:
        asked = self._gateway.speech.asked(request)
        with self._lock:
            self._gateway.draws += 1
            number = self._gateway.draws
        told = str(request.body.get("user") or "").removeprefix("candidate-")
        source = next((self._names.get(data) for data in asked.pictures), None)
        name = told or (f"{source}r" if source else str(number))
        if self._gateway.dialect == "happycapy" and not told:
            name = "1"
        data = picture(size_of(asked.shape), number)
        self._names[data] = name
        return self._gateway.speech.image(request, Drawn(data, cost=self._gateway.image_usd))

    def _chat(self, request: Request) -> Reply | None:
        messages, pictures = shown(request)
        data = json.loads(str(messages[1]["content"]))
        task = str(data.get("task", "rewrite"))
        what = self._names.get(pictures[0], "?") if pictures else str(data.get("prompt"))
        self.asked.append((task, what))
        said = self.says[task](data, what) if task in self.says else None
        if isinstance(said, Reply):
            return said
        text = said if said is not None else json.dumps(self._usual(task, data, what))
        reply = self._gateway.speech.chat(text, self._gateway.chat_usd)
        if self.without_usage and isinstance(reply.json, dict):
            reply.json.pop("usage", None)
        return reply

    def _usual(self, task: str, data: dict[str, Any], what: str) -> object:
        if task == "measure":
            return {"first_frame": list(self.questions), "frames": list(FRAMES)}
        if task == "questions":
            return {"questions": list(self.questions)}
        if task == "check":
            return {"answers": [self.answer(row, what) for row in data["questions"]]}
        return self.motion if task == "motion" else {"caption": CAPTION, "motion": MOTION}

    def answer(self, row: dict[str, Any], name: str) -> dict[str, Any]:
        """What is said to one question about a candidate."""
        question = row["question"]
        number = self.questions.index(question) + 1 if question in self.questions else 0
        word = CONTROLS.get(question, "yes")
        if number in self.fails.get(name, ()):
            word = "no"
        if number in self.unsure.get(name, ()):
            word = "unsure"
        seen = f"candidate {name} looked at for question {number}"
        return {"id": row["id"], "seen": seen, "answer": word, "reason": "as it is told"}


@cache
def picture(size: tuple[int, int], number: int) -> bytes:
    """A real PNG; every number up to 255 gives another one."""
    out = io.BytesIO()
    Image.new("RGB", size, (number, 90, 160)).save(out, "PNG")
    return out.getvalue()
