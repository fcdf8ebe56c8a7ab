"""Pieces of requests and replies that several gateways have in common. Pure."""

from __future__ import annotations

import base64
from math import gcd

from ...aspect_ratios import short_side, value_of
from ..reply_parsing import (
    as_number,
    as_text,
    as_time,
    costs,
    json_object,
    refusal_in,
    unreadable,
    warnings_in,
    without_bytes,
)
from ..types import ChatRequest, HttpReply, ImageReply, Job, ListedJob, Picture


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
    """The first picture of a chat reply: `message.images[].image_url.url`. Refused without one."""
    data = json_object(reply)
    message, _ = first_choice(data, reply)
    rows = message.get("images")
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    place = row.get("image_url")
    url = as_text(place.get("url")) if isinstance(place, dict) else as_text(place)
    if not url and (text := text_of(message.get("content"))):
        refusal_in(f"it returned no image and wrote: {text[:300]}", "content_filter", reply)
    return image_reply(None, url, data, reply)


def image_reply(
    text: str | None, url: str | None, data: dict[str, object], reply: HttpReply
) -> ImageReply:
    """A picture as base64 or at an address, which may be a data URI. Refused without either."""
    if url and url.startswith("data:"):
        text, url = url, None
    if not text and not url:
        # A filter that drops the picture leaves an empty list behind.
        refusal_in("the reply contains no image", "content_filter", reply)
    return ImageReply(
        data=decoded(text, reply, "image data") if text else None,
        url=url,
        cost=cost_in(data, reply),
        request_id=reply.request_id,
        raw=without_bytes(data),
        warnings=warnings_in(data),
    )


def rows_of(reply: HttpReply, what: str) -> list[dict[str, object]]:
    """The objects in a list reply's `data`. Raises Unreadable where there is no list."""
    rows = json_object(reply).get("data")
    if not isinstance(rows, list):
        raise unreadable(reply, f"a list of {what} without data")
    return [row for row in rows if isinstance(row, dict)]


def listed_jobs(reply: HttpReply, *, duration: str, shape: str) -> list[ListedJob]:
    """The rows of a list of jobs that have an id.

    `duration` and `shape` (aspect_ratio or size) are the names of those fields in a row.
    """
    return [
        ListedJob(
            id=str(row["id"]),
            model=as_text(row.get("model")),
            prompt=as_text(row.get("prompt")),
            duration_s=_whole(row.get(duration)),
            created_at=as_time(row.get("created_at")),
            **{shape: as_text(row.get(shape))},
        )
        for row in rows_of(reply, "videos")
        if row.get("id")
    ]


def id_of(row: dict[str, object]) -> str:
    """A job's id, a text or a whole number; "" where the row has none."""
    job_id = row.get("id")
    known = isinstance(job_id, str | int) and not isinstance(job_id, bool)
    return str(job_id) if known and str(job_id).strip() else ""


def with_id(job: Job, reply: HttpReply) -> Job:
    """The job that was started. Raises Unreadable where it has no id."""
    if not job.id:
        raise unreadable(reply, "a video reply without the job's id")
    return job


def job_row(reply: HttpReply) -> dict[str, object]:
    """The row of one job. Raises Unreadable for what has neither an id nor a status."""
    data = json_object(reply, is_job=True)
    if not (data.get("id") or data.get("status")):
        raise unreadable(reply, "a status reply that is of no job")
    return data


def error_of(row: dict[str, object], *names: str) -> str | None:
    """A job's error: a text, or an object's `message`, or else its first field of `names`."""
    error = row.get("error")
    if isinstance(error, dict):
        error = next((error[name] for name in ("message", *names) if error.get(name)), None)
    return as_text(error)


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


def _whole(value: object) -> int | None:
    """A whole number, also written as a text; else None."""
    number = as_number(value)
    return int(number) if number is not None and number == int(number) else None


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
    """The message of a chat reply and its finish reason. Raises Refused or Unreadable."""
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise unreadable(reply, "a chat reply without choices")
    finish = as_text(choice.get("finish_reason"))
    refusal_in(as_text(message.get("refusal")), finish, reply)
    return message, finish


def text_of(content: object) -> str:
    """A message's text; some models send it as a list of parts."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""
