"""Ask an LLM for one JSON object, and find that object in whatever it replies. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..texts import MAX_TEXT

REPAIR_REQUEST = (
    "That could not be used: {problem}. Answer again with exactly one complete JSON object, "
    "{shape}, and nothing before or after it."
)

# What is looked at of a reply, from its end, and how many characters at most while looking for an
# object in it: otherwise a hostile one takes the square of its length.
LONGEST_REPLY, _MOST_SEEN = 20 * MAX_TEXT, 100 * MAX_TEXT

Object = dict[str, object]

_THINKING = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_CLOSED = re.compile(r"</(?:think|thinking|reasoning)>", re.IGNORECASE)
# JSON can contain control characters and lone surrogates; a UTF-8 text file cannot.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
# A refusal in prose. Only looked for if there is no JSON object.
_REFUSAL = re.compile(
    r"^\W*(?:i(?:'|\u2019)?m (?:sorry|unable|not able)|i am (?:sorry|unable|not able)|sorry\b"
    r"|i (?:can(?:no|')t|can\u2019t|won(?:'|\u2019)t|must decline)"
    r"|(?:this|your) (?:request|prompt) (?:violates|goes against|can(?:no|')t))",
    re.IGNORECASE,
)


class Unusable(NamedTuple):
    """Why a reply cannot be used, in words that the model can act on."""

    problem: str
    refused: bool = False


def repair_request(problem: str, shape: str) -> str:
    """Return the request to answer again; `shape` is the JSON that the task expects."""
    return REPAIR_REQUEST.format(problem=problem, shape=shape)


def opening_messages(system: str, data: Mapping[str, object]) -> list[dict[str, str]]:
    """Return the messages that open a task: its system prompt, and the data as JSON."""
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": json.dumps(data, ensure_ascii=False)},
    ]


def asked_again(messages: list[dict[str, str]], answer: str, request: str) -> list[dict[str, str]]:
    """Return the messages followed by the model's answer and a new request."""
    said = answer.strip()[:MAX_TEXT] or "(empty)"  # some gateways refuse an empty message
    return [*messages, {"role": "assistant", "content": said}, {"role": "user", "content": request}]


def last_object(
    text: str, finish_reason: str | None, wanted: Callable[[Object], bool], what: str
) -> Object | Unusable:
    """Find the last JSON object that is `wanted`, ignoring prose, code fences and reasoning.

    The last one, because a model that thinks aloud writes drafts first. `what` describes the object
    in the error if there is none: 'a non-empty "caption"'.
    """
    text = text[-LONGEST_REPLY:]
    visible = _THINKING.sub(" ", text)
    if not text.strip() or (_CLOSED.search(text) and not visible.strip()):
        return Unusable("the answer was empty")
    # A thought that is never closed may have the answer in it.
    unclosed = "" if _CLOSED.search(text) else text
    # What is readable was paid for: only what is not JSON at all is asked for again.
    for version in (visible, _loosened(visible), unclosed, _loosened(unclosed)):
        fitting = [candidate for candidate in _objects(version, wanted) if wanted(candidate)]
        if fitting:
            return fitting[-1]
    if finish_reason == "length" or visible.count("{") > visible.count("}"):
        return Unusable("the answer was cut off before it was complete")
    if _REFUSAL.search(visible):
        return Unusable("the model declined: " + one_line(visible)[:300], refused=True)
    return Unusable(f"there was no JSON object with {what}")


def object_with_text(
    text: str, finish_reason: str | None, name: str, most: int
) -> Object | Unusable:
    """Find the last JSON object whose `name` is a text, of at most `most` characters."""

    def has_it(candidate: Object) -> bool:
        return bool(one_line(candidate.get(name)))

    found = last_object(text, finish_reason, has_it, f'a non-empty "{name}"')
    if not isinstance(found, Unusable) and len(one_line(found[name])) > most:
        return Unusable(f"the {name} has {len(one_line(found[name]))} characters")
    return found


def last_list(text: str, finish_reason: str | None, name: str) -> list[Any] | Unusable:
    """Return the list `name` of the last JSON object that has one."""

    def has_it(candidate: Object) -> bool:
        return isinstance(candidate.get(name), list)

    found = last_object(text, finish_reason, has_it, f'a list of "{name}"')
    if isinstance(found, Unusable):
        return found
    rows = found[name]
    assert isinstance(rows, list)
    return rows


def one_line(value: object) -> str:
    """Return a model's text as one clean line; an empty one for anything but text."""
    return " ".join(_CONTROLS.sub(" ", value).split()) if isinstance(value, str) else ""


def _loosened(text: str) -> str:
    """The text as JSON would have it: straight quotes, no comments, no comma before a bracket."""
    text = re.sub(r"(?<=[{,:\[\s])[\u201c\u201d\u201e](?=\S)", '"', text)
    text = re.sub(r"[\u201c\u201d](?=\s*[:,}\]])", '"', text)
    # The rest of a line is taken whole, comment or not: trying each length of it takes its square.
    text = re.sub(
        r"(?<=[\s,{])//[^\n\"]*(\"?)|/\*[^*\"]*\*/",
        lambda found: found[0] if found[1] else " ",
        text,
    )
    text = re.sub(r",(\s*[}\]])", r"\1", text)
    return text if '"' in text else _from_python(text)


def _from_python(text: str) -> str:
    """A Python dictionary in the text, with its single quotes, as JSON; else the text."""
    import ast

    start, end = text.find("{"), text.rfind("}")
    try:
        value = ast.literal_eval(text[start : end + 1])
        return json.dumps(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return text


def _objects(text: str, wanted: Callable[[Object], bool]) -> list[Object]:
    """Return every JSON object in the text, in order, except those inside a wanted one."""
    decoder = json.JSONDecoder(strict=False)  # models leave raw newlines inside strings
    found = []
    start = text.find("{")
    tries = seen = 0
    while start != -1 and tries < 500 and seen < _MOST_SEEN:
        tries += 1
        try:
            value, end = decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            value, end = None, error.pos
        except (ValueError, RecursionError):
            value, end = None, len(text)
        seen += end - start
        if isinstance(value, dict):
            found.append(value)
        whole = isinstance(value, dict) and wanted(value)
        start = text.find("{", end if whole else start + 1)
    return found
