"""What several gateways say alike: the OpenAI shape of chat, pictures and lists of models. Pure."""

from __future__ import annotations

import base64
from math import gcd

from ...aspect_ratios import short_side, value_of
from ..reply_parsing import (
    as_id,
    as_number,
    as_text,
    costs,
    json_object,
    refusal_in,
    unreadable,
    warnings_in,
    without_bytes,
)
from ..types import ChatReply, ChatRequest, HttpReply, HttpRequest, ImageReply, Job, Picture


def post(
    service: str, path: str, body: dict[str, object], headers: dict[str, str] | None = None
) -> HttpRequest:
    """A POST of JSON."""
    return HttpRequest(service, "POST", path, headers or {}, body)


def get(service: str, path: str, headers: dict[str, str] | None = None) -> HttpRequest:
    """A GET."""
    return HttpRequest(service, "GET", path, headers or {})


def chat_body(request: ChatRequest) -> dict[str, object]:
    """The body of a chat call. No temperature: newer models reject it.

    Raises ValueError where pictures are to be shown and there is no message of the user.
    """
    return {
        "model": request.model,
        "messages": _messages(request),
        "max_tokens": request.max_tokens,
    }


def picture_part(picture: Picture) -> dict[str, object]:
    """A picture as OpenAI's content part; OpenRouter's image and video calls take the same."""
    return {"type": "image_url", "image_url": {"url": data_uri(picture)}}


def text_part(text: str) -> dict[str, object]:
    """A text as OpenAI's content part, for a message that has pictures too."""
    return {"type": "text", "text": text}


def decode_chat(reply: HttpReply) -> ChatReply:
    """The first choice. Raises Refused for a refusal, Unreadable for anything else than a reply."""
    data = json_object(reply)
    choice, message = _first_choice(data, reply)
    finish = as_text(choice.get("finish_reason"))
    refusal_in(as_text(message.get("refusal")), finish, reply)
    usage = data.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    tokens_in = as_number(usage.get("prompt_tokens"))
    tokens_out = as_number(usage.get("completion_tokens"))
    known = tokens_in is not None and tokens_out is not None
    return ChatReply(
        text=_content(message.get("content")),
        finish_reason=finish,
        cost=cost_in(data, reply),
        tokens=(int(tokens_in or 0), int(tokens_out or 0)) if known else None,
        request_id=reply.request_id or as_text(data.get("id")),
        warnings=warnings_in(data),
        raw=without_bytes(data),
    )


def decode_image(reply: HttpReply) -> ImageReply:
    """The first picture of an images call, as bytes or as an address. Refused where there is none.

    `data: [{b64_json | url}]`, or Vercel's `images: ["<base64>"]`.
    """
    data = json_object(reply)
    rows = data.get("data", data.get("images"))
    if not isinstance(rows, list):
        raise unreadable(reply, "an image reply without data")
    row = rows[0] if rows else {}
    row = {"b64_json": row} if isinstance(row, str) else row if isinstance(row, dict) else {}
    return _picture(as_text(row.get("b64_json")), as_text(row.get("url")), data, reply)


def decode_drawn_in_chat(reply: HttpReply) -> ImageReply:
    """The first picture of a chat reply: `message.images[].image_url.url`. Refused without one."""
    data = json_object(reply)
    choice, message = _first_choice(data, reply)
    finish, said = as_text(choice.get("finish_reason")), _content(message.get("content"))
    refusal_in(as_text(message.get("refusal")), finish, reply)
    rows = message.get("images")
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    place = row.get("image_url")
    url = as_text(place.get("url")) if isinstance(place, dict) else as_text(place)
    if not url and said:
        refusal_in(f"it drew nothing and said: {said[:300]}", "content_filter", reply)
    return _picture(None, url, data, reply)


def rows_of(reply: HttpReply, what: str) -> list[dict[str, object]]:
    """The objects in a list reply's `data`. Raises Unreadable where there is no list."""
    rows = json_object(reply).get("data")
    if not isinstance(rows, list):
        raise unreadable(reply, f"a list of {what} without data")
    return [row for row in rows if isinstance(row, dict)]


def error_of(row: dict[str, object], *names: str) -> str | None:
    """A job's error: a text, or an object's `message`, else what it holds under one of `names`."""
    error = row.get("error")
    if isinstance(error, dict):
        error = next((error[name] for name in ("message", *names) if error.get(name)), None)
    return as_text(error)


def with_id(job: Job, reply: HttpReply) -> Job:
    """The job that a create began. Raises Unreadable where it has no id."""
    if not job.id:
        raise unreadable(reply, "a video reply without the job's id")
    return job


def job_row(reply: HttpReply) -> dict[str, object]:
    """The row of one job. Raises Unreadable for what has neither an id nor a status."""
    data = json_object(reply, is_job=True)
    if not (data.get("id") or data.get("status")):
        raise unreadable(reply, "a status reply that is of no job")
    return data


def decode_models(reply: HttpReply) -> list[str]:
    """The ids of the models that the gateway lists."""
    ids = (as_id(row.get("id")) for row in rows_of(reply, "models"))
    return [model_id for model_id in ids if model_id]


def cost_in(data: dict[str, object], reply: HttpReply) -> float | None:
    """What a call has cost in USD, wherever the gateways say so; None where none did.

    `usage.cost` (HappyCapy, OpenRouter), `providerMetadata.gateway.cost` (Vercel), else the header
    of a LiteLLM proxy.
    """
    usage, about = data.get("usage"), data.get("providerMetadata")
    told = usage.get("cost") if isinstance(usage, dict) else None
    if told is None and isinstance(about, dict) and isinstance(about.get("gateway"), dict):
        told = about["gateway"].get("cost")
    return costs(told if told is not None else reply.headers.get("x-litellm-response-cost"))


def data_uri(picture: Picture) -> str:
    """A picture as a data URI, labelled as what it is."""
    return f"data:{picture.mime};base64,{encoded(picture)}"


def encoded(picture: Picture) -> str:
    """A picture's bytes in base64."""
    return base64.b64encode(picture.data).decode("ascii")


def pixels(resolution: str, shape: str) -> str:
    """ "1280x720" for 720p in 16:9: the shorter side is the resolution's, both are even."""
    short, share = short_side(resolution), value_of(shape)
    long = round(short * max(share, 1 / share) / 2) * 2
    return f"{long}x{short}" if share >= 1 else f"{short}x{long}"


def megapixel(ratio: str) -> str:
    """The size in this ratio, sides in multiples of 16, that comes nearest to 1024x1024 pixels."""
    wide, high = (int(part) for part in ratio.split(":"))
    divisor = gcd(wide, high)
    wide, high = 16 * wide // divisor, 16 * high // divisor
    times = min(range(1, 65), key=lambda n: abs(n * n * wide * high - (1 << 20)))
    return f"{wide * times}x{high * times}"


def whole(value: object) -> int | None:
    """A whole number, also written as a text; else None."""
    number = as_number(value)
    return int(number) if number is not None and number == int(number) else None


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


def _messages(request: ChatRequest) -> object:
    """The messages, with the pictures before the text of the first one of the user.

    Without pictures they stay as they are: some servers know no content but a plain text.
    """
    if not request.pictures:
        return request.messages
    at = [message["role"] for message in request.messages].index("user")
    shown = request.messages[at]
    parts = [*map(picture_part, request.pictures), text_part(shown["content"])]
    return [*request.messages[:at], {**shown, "content": parts}, *request.messages[at + 1 :]]


def _first_choice(
    data: dict[str, object], reply: HttpReply
) -> tuple[dict[str, object], dict[str, object]]:
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise unreadable(reply, "a chat reply without choices")
    return choice, message


def _picture(
    text: str | None, url: str | None, data: dict[str, object], reply: HttpReply
) -> ImageReply:
    if url and url.startswith("data:"):
        text, url = url, None
    if not text and not url:
        # A filter that drops the picture leaves an empty list behind.
        refusal_in("the reply holds no image", "content_filter", reply)
    return ImageReply(
        data=decoded(text, reply, "image data") if text else None,
        url=url,
        cost=cost_in(data, reply),
        request_id=reply.request_id,
        raw=without_bytes(data),
        warnings=warnings_in(data),
    )


def _content(content: object) -> str:
    """A message's text; some models send it as a list of parts."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""
