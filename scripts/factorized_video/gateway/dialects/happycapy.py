"""HappyCapy / Trickle AI Gateway.

Source of the wire facts: its public JavaScript client (videos) and public third-party clients
(chat, images), read in November 2026. Error bodies were never captured: they are read leniently.
"""

from __future__ import annotations

import base64
from urllib.parse import quote

from ..reading import (
    as_id,
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
from ..types import (
    ChatReply,
    ChatRequest,
    HttpReply,
    HttpRequest,
    ImageReply,
    ImageRequest,
    Job,
    ListedJob,
    VideoRequest,
)

HEADERS = {"Origin": "https://trickle.so"}  # whether it is enforced is not known; always sent
_ENDS = {"succeeded": "succeeded", "failed": "failed"}


def encode_chat(request: ChatRequest) -> HttpRequest:
    """POST /chat/completions, the OpenAI shape. No temperature: newer models reject it."""
    return _post("chat", "/chat/completions", {
        "model": request.model,
        "messages": request.messages,
        "max_tokens": request.max_tokens,
    })  # fmt: skip


def decode_chat(reply: HttpReply) -> ChatReply:
    """The first choice. Raises Refused for a refusal, Unreadable for anything else than a reply."""
    data = json_object(reply)
    choices = data.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise unreadable(reply, "a chat reply without choices")
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
        cost=costs(usage.get("cost")),
        tokens=(int(tokens_in or 0), int(tokens_out or 0)) if known else None,
        request_id=reply.request_id or as_text(data.get("id")),
        warnings=warnings_in(data),
        raw=without_bytes(data),
    )


def encode_image(request: ImageRequest) -> HttpRequest:
    """POST /images/generations. The ratio is camelCase; a pixel `size` is reported as ignored."""
    return _post("image", "/images/generations", {
        "model": request.model,
        "prompt": request.prompt,
        "n": 1,
        "aspectRatio": request.aspect_ratio,
        # Bytes in the reply: an address may expire or be lost, and the picture is paid for.
        "response_format": "b64_json",
    })  # fmt: skip


def decode_image(reply: HttpReply) -> ImageReply:
    """The first picture, as bytes or as an address. Raises Refused where there is none."""
    data = json_object(reply)
    rows = data.get("data")
    if not isinstance(rows, list):
        raise unreadable(reply, "an image reply without data")
    row = rows[0] if rows and isinstance(rows[0], dict) else {}
    encoded, url = as_text(row.get("b64_json")), as_text(row.get("url"))
    if url and url.startswith("data:"):
        encoded, url = url, None
    if not encoded and not url:
        # A filter that drops the picture leaves an empty list behind.
        refusal_in("the reply holds no image", "content_filter", reply)
    usage = data.get("usage")
    return ImageReply(
        data=_decoded(encoded, reply) if encoded else None,
        url=url,
        cost=costs(usage.get("cost")) if isinstance(usage, dict) else None,
        request_id=reply.request_id,
        raw=without_bytes(data),
    )


def encode_submit(request: VideoRequest) -> HttpRequest:
    """POST /videos. The anchor goes as a real first frame, a data URI labelled as what it is."""
    frame = base64.b64encode(request.first_frame.data).decode("ascii")
    ratio = {"aspectRatio": request.aspect_ratio} if request.aspect_ratio else {}
    return _post("video", "/videos", {
        "model": request.model,
        "prompt": request.prompt,
        "duration": request.duration_s,
        **ratio,
        "size": request.resolution,
        "first_frame": f"data:{request.first_frame.mime};base64,{frame}",
    })  # fmt: skip


def decode_submit(reply: HttpReply) -> Job:
    """`{"id": ...}`."""
    return _job(json_object(reply), reply)


def encode_status(job_id: str) -> HttpRequest:
    """GET /videos/{id}."""
    return _get(f"/videos/{quote(job_id, safe='')}")


def decode_status(reply: HttpReply) -> Job:
    """The row of one job."""
    return _job(json_object(reply), reply)


def encode_list(limit: int = 50, offset: int = 0) -> HttpRequest:
    """GET /videos: the newest jobs of this key."""
    return _get(f"/videos?limit={limit}&offset={offset}")


def decode_list(reply: HttpReply) -> list[ListedJob]:
    """The rows of the list that have an id."""
    rows = json_object(reply).get("data")
    if not isinstance(rows, list):
        raise unreadable(reply, "a list of videos without data")
    return [
        ListedJob(
            id=str(row["id"]),
            model=as_text(row.get("model")),
            prompt=as_text(row.get("prompt")),
            duration_s=_whole(row.get("duration")),
            aspect_ratio=as_text(row.get("aspect_ratio")),
            created_at=as_time(row.get("created_at")),
        )
        for row in rows
        if isinstance(row, dict) and row.get("id")
    ]


def encode_models() -> HttpRequest:
    """GET /models, as OpenAI-shaped gateways offer it. Here none is documented: it may be 404."""
    return HttpRequest("chat", "GET", "/api/v1/models", HEADERS)


def decode_models(reply: HttpReply) -> list[str]:
    """The ids of the models that the gateway lists."""
    rows = json_object(reply).get("data")
    if not isinstance(rows, list):
        raise unreadable(reply, "a list of models without data")
    ids = (as_id(row.get("id")) for row in rows if isinstance(row, dict))
    return [model_id for model_id in ids if model_id]


def _post(service: str, path: str, body: dict[str, object]) -> HttpRequest:
    return HttpRequest(service, "POST", "/api/v1" + path, HEADERS, body)


def _get(path: str) -> HttpRequest:
    return HttpRequest("video", "GET", "/api/v1" + path, HEADERS)


def _job(row: dict[str, object], reply: HttpReply) -> Job:
    job_id = row.get("id")
    if not isinstance(job_id, str | int) or isinstance(job_id, bool) or not str(job_id).strip():
        raise unreadable(reply, "a video reply without the job's id")
    word = as_text(row.get("status")) or ""
    error = row.get("error")
    if isinstance(error, dict):
        error = error.get("message") or error.get("code")
    return Job(
        id=str(job_id),
        # Any word that is not known to be an end means: still running.
        state=_ENDS.get(word.lower(), "running"),
        word=word,
        url=as_text(row.get("url")),
        error=as_text(error),
        request_id=reply.request_id,
        raw=without_bytes(row),
    )


def _whole(value: object) -> int | None:
    number = as_number(value)
    return int(number) if number is not None and number == int(number) else None


def _content(content: object) -> str:
    """A message's text; some models send it as a list of parts."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _decoded(encoded: str, reply: HttpReply) -> bytes:
    if encoded.startswith("data:"):
        encoded = encoded.partition(",")[2]
    try:
        data = base64.b64decode(encoded)
    except ValueError:
        data = b""
    if not data:
        raise unreadable(reply, "image data that is not base64")
    return data
