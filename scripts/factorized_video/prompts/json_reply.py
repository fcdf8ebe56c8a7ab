"""What an LLM's reply holds where one JSON object was asked for: found in whatever came. Pure."""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False  # as a type checker reads it; `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Mapping
from collections.abc import Callable
from typing import Any, NamedTuple

from ..texts import MAX_TEXT

Object = dict[str, object]

_THINKING = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
# Controls, and halves of surrogate pairs: JSON can hold them, no file can.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
# Prose where JSON was asked, when it says no. Only read when no object could be found.
_REFUSAL = re.compile(
    r"^\W*(?:i(?:'|\u2019)?m (?:sorry|unable|not able)|i am (?:sorry|unable|not able)|sorry\b"
    r"|i (?:can(?:no|')t|can\u2019t|won(?:'|\u2019)t|must decline)"
    r"|(?:this|your) (?:request|prompt) (?:violates|goes against|can(?:no|')t))",
    re.IGNORECASE,
)


class Unusable(NamedTuple):
    """Why nothing could be taken from a reply, in words that the model can act on."""

    problem: str
    refused: bool = False


def last_object(
    text: str, finish_reason: str | None, wanted: Callable[[Object], bool], what: str
) -> Object | Unusable:
    """The last JSON object that is `wanted`, through prose, fences and reasoning.

    The last, because a model that thinks aloud drafts before it decides. `what` names the object
    in the words for one that is not there: 'a non-empty "caption"'.
    """
    visible = _THINKING.sub(" ", text)
    if not visible.strip():
        return Unusable("the answer was empty")
    found = None
    for candidate in _objects(visible, wanted):
        if wanted(candidate):
            found = candidate
    if found is not None:
        return found
    if finish_reason == "length" or visible.count("{") > visible.count("}"):
        return Unusable("the answer was cut off before it was complete")
    if _REFUSAL.search(visible):
        return Unusable("the model declined: " + one_line(visible)[:300], refused=True)
    return Unusable(f"there was no JSON object with {what}")


def object_with_text(
    text: str, finish_reason: str | None, name: str, most: int
) -> Object | Unusable:
    """The last JSON object whose `name` is a text, which may have `most` characters."""

    def has_it(candidate: Object) -> bool:
        return bool(one_line(candidate.get(name)))

    found = last_object(text, finish_reason, has_it, f'a non-empty "{name}"')
    if not isinstance(found, Unusable) and len(one_line(found[name])) > most:
        return Unusable(f"the {name} has {len(one_line(found[name]))} characters")
    return found


def last_list(text: str, finish_reason: str | None, name: str) -> list[Any] | Unusable:
    """What the last JSON object lists under `name`."""

    def has_it(candidate: Object) -> bool:
        return isinstance(candidate.get(name), list)

    found = last_object(text, finish_reason, has_it, f'a list of "{name}"')
    if isinstance(found, Unusable):
        return found
    rows = found[name]
    assert isinstance(rows, list)
    return rows


def one_line(value: object) -> str:
    """A model's text as one clean line; anything that is not text is nothing."""
    return " ".join(_CONTROLS.sub(" ", value).split()) if isinstance(value, str) else ""


def _objects(text: str, wanted: Callable[[Object], bool]) -> list[Object]:
    """Every JSON object that begins anywhere in the text, in order; not those in a wanted one."""
    decoder = json.JSONDecoder(strict=False)  # models leave raw newlines inside strings
    found = []
    start = text.find("{")
    tries = 0
    while start != -1 and tries < 500:  # a reply of braces only must not take quadratic time
        tries += 1
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            found.append(value)
        whole = isinstance(value, dict) and wanted(value)
        start = text.find("{", end if whole else start + 1)
    return found


REPAIR_REQUEST = (
    "That could not be used: {problem}. Answer again with exactly one complete JSON object, "
    "{shape}, and nothing before or after it."
)


def repair_request(problem: str, shape: str) -> str:
    """What is asked of a model whose answer could not be used; `shape` is one of those above."""
    return REPAIR_REQUEST.format(problem=problem, shape=shape)


def opening_messages(system: str, data: Mapping[str, object]) -> list[dict[str, str]]:
    """The conversation that opens a task: its system prompt, and the data as JSON."""
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": json.dumps(data, ensure_ascii=False)},
    ]


def asked_again(messages: list[dict[str, str]], answer: str, request: str) -> list[dict[str, str]]:
    """The conversation with the model's answer and what is asked of it now."""
    said = answer.strip()[:MAX_TEXT] or "(empty)"  # some gateways refuse an empty message
    return [*messages, {"role": "assistant", "content": said}, {"role": "user", "content": request}]
