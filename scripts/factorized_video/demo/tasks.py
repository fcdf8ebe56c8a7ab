"""What the demo says to a chat: the task is read from the messages, as `prompts.py` writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from .answers import answer_to, motion_of, questions_of
from .checks import COUNT, read_row
from .decoding import from_uri, is_plain
from .stillness import make_still

if TYPE_CHECKING:
    from PIL import Image

Data = dict[str, object]


def reply_to(messages: list[object]) -> tuple[Data, str | None]:
    """Return the JSON that answers a conversation, and a note on it if there is one.

    Raises ValueError for a conversation without a task, and for one that lacks what its task needs.
    """
    for message in messages:
        if isinstance(message, dict) and message.get("role") == "user":
            text, pictures = _parts(message.get("content"))
            try:
                data = json.loads(text)
            except (ValueError, RecursionError):
                continue
            if isinstance(data, dict) and ("task" in data or "prompt" in data):
                return _TASKS.get(str(data.get("task", "caption")), _unknown)(data, pictures)
    raise ValueError('the demo expects a user message of JSON with "prompt" or "task"')


def first_of(pictures: object) -> Image.Image:
    """Return the first of a list of pictures as data URIs, as RGB; the demo looks at no other.

    Raises ValueError where there is none or it cannot be read.
    """
    return all_of(pictures, 1)[0]


def all_of(pictures: object, most: int | None = None) -> list[Image.Image]:
    """Return the pictures of a list of data URIs, as RGB, `most` of them. As `first_of`."""
    if not isinstance(pictures, list) or not pictures:
        raise ValueError("a picture is missing")
    try:
        return [from_uri(one) for one in pictures[:most]]
    except ValueError as error:
        raise ValueError(f"the picture is {error}") from error


def _parts(content: object) -> tuple[str, list[object]]:
    """The text of a message, and the addresses of its pictures."""
    if not isinstance(content, list):
        return str(content), []
    parts = [part for part in content if isinstance(part, dict)]
    texts = [str(part.get("text")) for part in parts if part.get("type") == "text"]
    shown = [part.get("image_url") for part in parts if part.get("type") == "image_url"]
    return "".join(texts), [one.get("url") if isinstance(one, dict) else one for one in shown]


def _caption(data: Data, _: list[object]) -> tuple[Data, str | None]:
    caption, motion, note = make_still(_prompt(data))
    return {"caption": caption, "motion": motion}, note


def _questions(data: Data, _: list[object]) -> tuple[Data, None]:
    return {"questions": questions_of(_prompt(data), COUNT)}, None


def _measure(data: Data, _: list[object]) -> tuple[Data, None]:
    # The circles on the card are in every frame: the clip is measured by a half of them.
    questions = questions_of(_prompt(data), COUNT)
    return {"first_frame": questions, "frames": questions[: COUNT // 2]}, None


def _check(data: Data, pictures: list[object]) -> tuple[Data, None]:
    rows = data.get("questions")
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and isinstance(row.get("question"), str) for row in rows
    ):
        raise ValueError("questions must be a list of objects with id and question")
    picture = first_of(pictures)
    row, plain = read_row(picture), is_plain(picture)
    filled = row.filled if row else None
    answers = [{"id": r.get("id"), **answer_to(r["question"], filled, plain)} for r in rows]
    return {"answers": answers}, None


def _motion(data: Data, pictures: list[object]) -> tuple[Data, None]:
    first_of(pictures)  # it is not looked at, but a client that forgot it should know
    return motion_of(_prompt(data)), None


def _unknown(data: Data, _: list[object]) -> tuple[Data, None]:
    raise ValueError(f"task: expected one of {', '.join(_TASKS)}, or none for a caption")


def _prompt(data: Data) -> str:
    prompt = data.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise ValueError("prompt is missing")
    return prompt


_TASKS: dict[str, Callable[[Data, list[object]], tuple[Data, str | None]]] = {
    "caption": _caption,
    "questions": _questions,
    "measure": _measure,
    "check": _check,
    "motion": _motion,
}
