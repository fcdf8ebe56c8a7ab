"""Pieces of requests and replies that several gateways have in common. Pure."""

from __future__ import annotations

import base64
import json
import re
from math import gcd
from typing import Any

from .. import refusals
from ..reply_parsing import (
    as_text,
    costs,
    error_inside,
    json_object,
    refusal_in,
    unreadable,
    warnings_in,
    without_bytes,
)
from ..types import ChatRequest, HttpReply, ImageReply, Picture


def text_part(text: str) -> dict[str, object]:
    """A text as OpenAI's content part, for a message that has pictures too."""
    return {"type": "text", "text": text}


def picture_part(picture: Picture) -> dict[str, object]:
    """A picture as OpenAI's content part; OpenRouter uses the same in image and video calls."""
    return {"type": "image_url", "image_url": {"url": data_uri(picture)}}


def data_uri(picture: Picture) -> str:
    """A picture as a data URI, labelled as what it is."""
    return f"data:{picture.mime};base64,{encoded(picture)}"


def encoded(picture: Picture) -> str:
    """A picture's bytes in base64."""
    return base64.b64encode(picture.data).decode("ascii")


def decoded(text: str, reply: HttpReply, what: str) -> bytes:
    """The bytes of base64, with or without a data URI's head. Raises Unreadable."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    try:
        data = base64.b64decode(text)
    except ValueError:
        data = b""
    if not data:
        raise unreadable(reply, f"{what} that is not base64")
    return data


def without_none(fields: dict[str, object]) -> dict[str, object]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def decode_image_in_chat(reply: HttpReply) -> ImageReply:
    """The last picture of a chat reply: Gemini may send a draft before the final one.

    Raises Refused where there is none, with what was written instead.
    """
    data = json_object(reply)
    message, _ = first_choice(data, reply)
    found = [*pictures_in(message.get("images")), *pictures_in(message.get("content"))]
    text = text_of(message.get("content"))
    found = found or pictures_in_text(text)
    if not found and text:
        refusal_in(f"it returned no image and wrote: {text[:300]}", "content_filter", reply)
    return image_reply(found, data, reply)


def pictures_in(value: object, depth: int = 0) -> list[str]:
    """The pictures in a part of a reply, in order: data URIs, base64 or addresses."""
    if isinstance(value, list):
        return [one for part in value for one in pictures_in(part, depth)]
    if isinstance(value, str):
        return [value.strip()] if depth and value.strip() else []
    if not isinstance(value, dict) or depth > 4:
        return []
    mime = value.get("mimeType") or value.get("mime_type")
    if str(mime or "image/").startswith("image/") and as_text(value.get("data")):
        return pictures_in(value["data"], depth + 1)
    names = ("b64_json", "image_base64", "base64", "bytesBase64Encoded", "url", "uri")
    for name in (*names, "image_url", "inline_data", "inlineData", "image", "output_image"):
        if found := pictures_in(value.get(name), depth + 1):
            return found
    return pictures_in(value.get("result"), depth + 1) if "image" in str(value.get("type")) else []


def pictures_in_text(text: str) -> list[str]:
    """Pictures that a text contains: data URIs, else the links of Markdown images."""
    uris = re.findall(r"data:image/[\w.+-]{1,20};base64,[A-Za-z0-9+/=_-]+", text)
    return uris or re.findall(r"!\[[^\]]{0,200}\]\((https?://[^)\s]{1,2000})\)", text)


def image_reply(found: list[str], data: dict[str, object], reply: HttpReply) -> ImageReply:
    """The last of the pictures. Raises Refused where there is none."""
    if not found:
        # A filter that drops the picture leaves an empty list behind.
        refusal_in("the reply contains no image", "content_filter", reply)
    last = next((one for one in reversed(found) if _is_address(one) or _is_bytes(one)), found[-1])
    return ImageReply(
        data=None if _is_address(last) else decoded(last, reply, "image data"),
        url=last if _is_address(last) else None,
        cost=cost_in(data, reply),
        request_id=reply.request_id,
        raw=without_bytes(data),
        warnings=warnings_in(data),
    )


_BASE64_WITH_SLASH = ("/9j/", "/wo")  # JPEG, JPEG XL


def _is_address(text: str) -> bool:
    """Whether a text is where a picture is: base64 of a JPEG begins with a slash, too."""
    starts = r"(?i)https?:|/|\S{1,500}\.(?:png|jpe?g|webp|gif)(?:\?\S*)?$"
    return re.match(starts, text) is not None and not _is_bytes(text)


def _is_bytes(text: str) -> bool:
    """Whether a text is base64, with or without a data URI's head, and enough for a picture."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    elif text.startswith("/") and not text.startswith(_BASE64_WITH_SLASH):
        return False  # "/v1/images/<id>/content" has no other letters than base64 (SGLang)
    return len(text) > 16 and re.fullmatch(r"[A-Za-z0-9+/_=\s-]+", text) is not None


def rows_of(reply: HttpReply, what: str) -> list[dict[str, object]]:
    """The objects in a list reply's `data`. Raises Unreadable where there is no list."""
    rows = json_object(reply).get("data")
    if not isinstance(rows, list):
        raise unreadable(reply, f"a list of {what} without data")
    return [row for row in rows if isinstance(row, dict)]


def cost_in(data: dict[str, object], reply: HttpReply) -> float | None:
    """What a call has cost in USD, wherever gateways report it; else None.

    `usage.cost` (HappyCapy, OpenRouter), `providerMetadata.gateway.cost` (Vercel), or the header of
    a LiteLLM proxy.
    """
    usage, about = data.get("usage"), data.get("providerMetadata")
    cost = usage.get("cost") if isinstance(usage, dict) else None
    if cost is None and isinstance(about, dict) and isinstance(about.get("gateway"), dict):
        cost = about["gateway"].get("cost")
    return costs(cost if cost is not None else reply.headers.get("x-litellm-response-cost"))


def megapixel(ratio: str) -> str:
    """The size in this ratio, sides in multiples of 16, that comes nearest to 1024x1024 pixels."""
    wide, high = (int(part) for part in ratio.split(":"))
    divisor = gcd(wide, high)
    wide, high = 16 * wide // divisor, 16 * high // divisor
    times = min(range(1, 65), key=lambda n: abs(n * n * wide * high - (1 << 20)))
    return f"{wide * times}x{high * times}"


def messages_of(request: ChatRequest) -> object:
    """The messages, with the pictures before the text of the first user message.

    Without pictures they stay as they are: some servers accept plain text only.
    """
    if not request.pictures:
        return request.messages
    at = [message["role"] for message in request.messages].index("user")
    shown = request.messages[at]
    parts = [*map(picture_part, request.pictures), text_part(shown["content"])]
    return [*request.messages[:at], {**shown, "content": parts}, *request.messages[at + 1 :]]


def first_choice(data: dict[str, object], reply: HttpReply) -> tuple[dict[str, object], str | None]:
    """The message of a chat reply and its finish reason. Raises Refused, ErrorInside, Unreadable.

    A refusal may be the finish reason of a choice without a message, or stand beside no choices.
    """
    if choice := _choice_in(data):
        endings = [as_text(choice.get(name)) for name in ("finish_reason", "native_finish_reason")]
        message = choice.get("message")
        said = as_text(message.get("refusal")) if isinstance(message, dict) else None
        ending = next(filter(refusals.by_ending, endings), endings[0])
        refusal_in(said, ending, reply)
        if choice.get("error"):
            raise error_inside(choice["error"], reply)
        if isinstance(message, dict):
            return message, endings[0]
    for name in ("promptFeedback", "prompt_feedback"):
        feedback = data.get(name)
        reason = (
            feedback.get("blockReason") or feedback.get("block_reason")
            if isinstance(feedback, dict)
            else None
        )
        if reason:
            refusal_in(f"the prompt was blocked ({reason})", None, reply)
    raise unreadable(reply, "a chat reply without choices")


def _choice_in(data: dict[str, object]) -> dict[str, Any]:
    """The first choice of a chat reply or of an event; empty where there is none."""
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    return choice if isinstance(choice, dict) else {}


def chat_object(reply: HttpReply) -> dict[str, object]:
    """A chat reply as an object; one that was streamed unasked is put together from its events."""
    if not re.match(rb"\s*(?:data|event|id|:)", reply.body):
        return json_object(reply)
    events = re.findall(rb"^data:[ \t]*(\{.*\})[ \t\r]*$", reply.body, re.MULTILINE)
    whole: dict[str, object] = {}
    text, ending = "", None
    for event in events:
        data = json_object(reply._replace(body=event))
        whole = {**whole, **{name: one for name, one in data.items() if one is not None}}
        if choice := _choice_in(data):
            part = choice.get("delta") or choice.get("message") or {}
            text += text_of(part.get("content")) if isinstance(part, dict) else ""
            ending = choice.get("finish_reason") or ending
    if not events:
        return json_object(reply)
    message = {"role": "assistant", "content": text}
    return {**whole, "choices": [{"message": message, "finish_reason": ending}]}


def words_in(message: dict[str, object]) -> str:
    """What a model wrote: its content, else the arguments of a tool call, else its reasoning.

    Some models put the whole answer there; what is in it is judged by whoever asked.
    """
    if text := text_of(message.get("content")).strip():
        return text
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        arguments = function.get("arguments") if isinstance(function, dict) else None
        if isinstance(arguments, dict):
            return json.dumps(arguments, ensure_ascii=False)
        if asked := as_text(arguments):
            return asked
    return as_text(message.get("reasoning_content")) or as_text(message.get("reasoning")) or ""


def text_of(content: object) -> str:
    """A message's text; some models send it as a list of parts."""
    if isinstance(content, list):
        parts = [part.get("text") if isinstance(part, dict) else part for part in content]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""
