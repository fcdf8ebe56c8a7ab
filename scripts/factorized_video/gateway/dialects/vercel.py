"""Vercel AI Gateway: OpenAI's shape for chat, the AI SDK's protocol for pictures and videos.

Source of the wire facts: @ai-sdk/gateway 4 and Vercel's documentation, read in November 2026.
"""

from __future__ import annotations

import json

from ..reply_parsing import as_number, as_text, json_object, unreadable, warnings_in, without_bytes
from ..types import (
    About,
    Account,
    ChatRequest,
    Handle,
    HttpReply,
    HttpRequest,
    ImageReply,
    ImageRequest,
    Job,
    ListedJob,
    Picture,
    VideoRequest,
)
from . import _shared
from ._shared import (
    cost_in,
    decode_chat,
    decode_models,
    encoded,
    error_of,
    get,
    picture_part,
    pixels,
    post,
    text_part,
)

__all__ = ["decode_chat", "decode_models"]

ROOT = "https://ai-gateway.vercel.sh"
ABOUT = About(
    "the Vercel AI Gateway",
    dict.fromkeys(("chat", "image", "video"), ROOT),
    (".vercel.sh",),
    key_prefix="vck_",
    idempotent=True,
    inline_clips=True,
)
_PROTOCOL = {"ai-gateway-protocol-version": "0.0.1", "ai-gateway-auth-method": "api-key"}
_ENDS = {"completed": "succeeded", "error": "failed", "cancelled": "failed"}
# The sizes of Wan before 2.7, from which alone it knows the shape of a clip from the prompt: its
# SDK (@ai-sdk/alibaba 1.0.61) passes the resolution on as it is, and no ratio.
_TOLD_IN_PIXELS = ("alibaba/wan-v2.5", "alibaba/wan-v2.6")
_PIXELS = {
    "480p": {"16:9": "832x480", "9:16": "480x832", "1:1": "624x624"},
    "720p": {"1:1": "960x960", "4:3": "1088x832", "3:4": "832x1088"},
    "1080p": {"1:1": "1440x1440", "4:3": "1632x1248", "3:4": "1248x1632"},
}


def encode_chat(request: ChatRequest) -> HttpRequest:
    """POST /v1/chat/completions."""
    return post("chat", "/v1/chat/completions", _shared.chat_body(request))


def encode_image(request: ImageRequest) -> HttpRequest:
    """Gemini draws in a chat, with `modalities`; models that only draw have a call of their own.

    Pictures to draw from follow the text of the chat, or are the other call's `files`.
    """
    if "gemini" in request.model:
        parts = [text_part(request.prompt), *map(picture_part, request.pictures)]
        return post(
            "image",
            "/v1/chat/completions",
            {
                "model": request.model,
                "messages": [
                    {"role": "user", "content": parts if request.pictures else request.prompt}
                ],
                "modalities": ["text", "image"],
                # Google's own setting is read only inside imageConfig.
                "providerOptions": {
                    "google": {"imageConfig": {"aspectRatio": request.aspect_ratio}}
                },
            },
        )
    body = {
        "prompt": request.prompt,
        "n": 1,
        "aspectRatio": request.aspect_ratio,
        "providerOptions": {},
    }
    if request.pictures:
        body["files"] = [_file(picture) for picture in request.pictures]
    return post("image", "/v4/ai/image-model", body, _headers("image", request.model))


def decode_image(reply: HttpReply) -> ImageReply:
    """The picture of either call. Raises Refused where there is none."""
    if "choices" in json_object(reply):
        return _shared.decode_drawn_in_chat(reply)
    return _shared.decode_image(reply)


def encode_submit(request: VideoRequest) -> HttpRequest:
    """POST /v4/ai/video-model/start. One key, one clip: the gateway keeps them apart by it.

    The first frame is the `image`; with a last one, both are told once more, each with its role.
    A clip from the prompt alone has neither field.
    """
    roles = {"first_frame": request.first_frame, "last_frame": request.last_frame}
    files = {role: _file(picture) for role, picture in roles.items() if picture}
    frames = None
    if "last_frame" in files:
        frames = [{"image": file, "frameType": role} for role, file in files.items()]
    body: dict[str, object] = {
        "prompt": request.prompt,
        "n": 1,
        "aspectRatio": request.aspect_ratio,
        "resolution": _size(request),
        "duration": request.duration_s,
        "seed": request.seed,
        "generateAudio": request.audio,
        "image": files.get("first_frame"),
        "frameImages": frames,
        "providerOptions": {},
    }
    headers = _headers("video", request.model)
    if request.idempotency_key:
        headers["idempotency-key"] = request.idempotency_key
    given = {name: value for name, value in body.items() if value is not None}
    return post("video", "/v4/ai/video-model/start", given, headers)


def decode_submit(reply: HttpReply) -> Job:
    """`{"operation": <anything>}`; the operation is the job's id, as it is or as JSON."""
    data = json_object(reply)
    operation = data.get("operation")
    if not operation:
        raise unreadable(reply, "a video reply without an operation")
    return Job(
        _as_id(operation),
        "running",
        warnings=warnings_in(data),
        request_id=reply.request_id,
        raw=without_bytes(data),
    )


def encode_status(job: Handle) -> HttpRequest:
    """POST /v4/ai/video-model/status with the operation verbatim."""
    body = {"operation": _as_operation(job.id)}
    return post("video", "/v4/ai/video-model/status", body, _headers("video", job.model))


def decode_status(reply: HttpReply) -> Job:
    """pending, completed with `videos`, error, or cancelled."""
    data = json_object(reply, is_job=True)
    word = as_text(data.get("status"))
    if word is None:
        raise unreadable(reply, "a status reply without a status")
    rows = data.get("videos")
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    text = as_text(row.get("data")) if row.get("type") == "base64" else None
    return Job(
        "",
        _ENDS.get(word.lower(), "running"),
        word,
        url=as_text(row.get("url")),
        data=_shared.decoded(text, reply, "video data") if text else None,
        error=error_of(data, "type")
        or ("it was cancelled" if word.lower() == "cancelled" else None),
        cost=cost_in(data, reply),
        warnings=warnings_in(data),
        request_id=reply.request_id,
        raw=without_bytes(data),
    )


def encode_list() -> None:
    """There is no list of jobs; a lost start is sent again with its key."""


def decode_list(reply: HttpReply) -> list[ListedJob]:
    """Never asked for."""
    return []


def encode_models() -> HttpRequest:
    """GET /v1/models; it needs no key."""
    return get("chat", "/v1/models")


def encode_check() -> HttpRequest:
    """GET /v1/credits."""
    return get("video", "/v1/credits")


def decode_check(reply: HttpReply) -> Account:
    """`{"balance": "95.50", "total_used": "4.50"}`, in USD."""
    return Account(as_number(json_object(reply).get("balance")))


def encode_cancel(job: Handle) -> None:
    """There is no call for it."""


def _size(request: VideoRequest) -> str:
    """The resolution as pixels, lying on its side: the shape is told by the ratio or the picture.

    The providers' SDKs (@ai-sdk/google-vertex, bytedance, alibaba, xai, of November 2026) know the
    resolutions by such sizes, and by no others: Veo and Grok by none that stands upright. But an
    older Wan without a picture is told the shape so.
    """
    resolution, shape = request.resolution, request.shape
    if request.first_frame is None and request.model.startswith(_TOLD_IN_PIXELS):
        return _PIXELS.get(resolution, {}).get(shape) or pixels(resolution, shape)
    maker = request.model.partition("/")[0]
    wide = {"bytedance": "864x496", "alibaba": "832x480"}.get(maker, "854x480")
    return {"480p": wide, "768p": "1366x768"}.get(resolution) or pixels(resolution, "16:9")


def _file(picture: Picture) -> dict[str, object]:
    """A picture as the protocol's file: plain base64, no data URI."""
    return {"type": "file", "mediaType": picture.mime, "data": encoded(picture)}


def _headers(kind: str, model: str) -> dict[str, str]:
    """The protocol's; the model's id is said nowhere else."""
    return {**_PROTOCOL, f"ai-{kind}-model-specification-version": "4", "ai-model-id": model}


def _as_id(operation: object) -> str:
    """An operation as a text that `_as_operation` turns back into the very same."""
    if isinstance(operation, str) and _as_operation(operation) == operation:
        return operation
    return json.dumps(operation, ensure_ascii=True, separators=(",", ":"))


def _as_operation(job_id: str) -> object:
    try:
        return json.loads(job_id)
    except (ValueError, RecursionError):
        return job_id
