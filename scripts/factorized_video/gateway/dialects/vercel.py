"""Vercel AI Gateway: OpenAI's shape for chat, the AI SDK's protocol for pictures and videos.

Source of the wire facts: @ai-sdk/gateway 4 and Vercel's documentation, read in November 2026.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from ...aspect_ratios import pixels
from ..reply_parsing import (
    as_number,
    json_object,
    status_word,
    unreadable,
    warnings_in,
    without_bytes,
)
from ..types import (
    About,
    Account,
    Handle,
    HttpReply,
    HttpRequest,
    ImageReply,
    ImageRequest,
    Job,
    Picture,
    VideoRequest,
)
from ._dialect import Dialect
from ._jobs import LONGEST_ID, job_of
from ._prices import Price, by_second, by_text_token, by_video_token
from ._shared import decode_image_in_chat, encoded, picture_part, rows_of, text_part, without_none

ROOT = "https://ai-gateway.vercel.sh"
# Wan before 2.7 knows the shape of a clip from the prompt by these sizes alone: its SDK
# (@ai-sdk/alibaba 1.0.61) passes the resolution on as it is, and no ratio.
_SHAPED_BY_PIXELS = ("alibaba/wan-v2.5", "alibaba/wan-v2.6")
_PIXELS = {
    "480p": {"16:9": "832x480", "9:16": "480x832", "1:1": "624x624"},
    "720p": {"1:1": "960x960", "4:3": "1088x832", "3:4": "832x1088"},
    "1080p": {"1:1": "1440x1440", "4:3": "1632x1248", "3:4": "1248x1632"},
}


class Vercel(Dialect):
    """One host; a video may arrive inside the status reply."""

    ABOUT = About(
        "the Vercel AI Gateway",
        dict.fromkeys(("chat", "image", "video"), ROOT),
        (".vercel.sh",),
        key_prefix="vck_",
        idempotent=True,
        inline_clips=True,
    )

    def encode_image(self, request: ImageRequest) -> HttpRequest:
        """POST /image-model, pictures to start from as `files`; for Gemini a chat."""
        if "gemini" in request.model:
            return self._encode_image_in_chat(request)
        body: dict[str, object] = {
            "prompt": request.prompt,
            "n": 1,
            "aspectRatio": request.aspect_ratio,
            "providerOptions": {},
            "files": [_file(picture) for picture in request.pictures] or None,
        }
        headers = _protocol("image", request.model)
        return self.post("image", "/v4/ai/image-model", without_none(body), headers)

    def _encode_image_in_chat(self, request: ImageRequest) -> HttpRequest:
        """Gemini generates in a chat, with `modalities`; pictures to start from follow the text."""
        parts = [text_part(request.prompt), *map(picture_part, request.pictures)]
        content = parts if request.pictures else request.prompt
        # Google's own setting is read only inside imageConfig.
        google = {"imageConfig": {"aspectRatio": request.aspect_ratio}}
        body: dict[str, object] = {
            "model": request.model,
            "messages": [{"role": "user", "content": content}],
            "modalities": ["text", "image"],
            "providerOptions": {"google": google},
        }
        return self.post("image", "/v1/chat/completions", body)

    def decode_image(self, reply: HttpReply) -> ImageReply:
        """The picture of either call."""
        in_chat = "choices" in json_object(reply)
        return decode_image_in_chat(reply) if in_chat else super().decode_image(reply)

    def encode_submit(self, request: VideoRequest) -> HttpRequest:
        """POST /video-model/start. The gateway makes one clip per idempotency key.

        The first frame is the `image`; with a last one, both stand again in `frameImages`.
        """
        files = {role: _file(picture) for role, picture in request.frames.items()}
        frames = [{"image": file, "frameType": role} for role, file in files.items()]
        body: dict[str, object] = {
            "prompt": request.prompt,
            "n": 1,
            "aspectRatio": request.aspect_ratio,
            "resolution": _size(request),
            "duration": request.duration_s,
            "seed": request.settings.get("seed"),
            "generateAudio": request.settings.get("audio_switch"),
            "image": files.get("first_frame"),
            "frameImages": frames if "last_frame" in files else None,
            "inputReferences": [_file(picture) for picture in request.references] or None,
            "providerOptions": {},
        }
        headers = _protocol("video", request.model)
        if request.idempotency_key:
            headers["idempotency-key"] = request.idempotency_key
        return self.post("video", "/v4/ai/video-model/start", without_none(body), headers)

    def decode_submit(self, reply: HttpReply) -> Job:
        """`{"operation": <anything>}`; the operation is the job's id, as it is or as JSON."""
        data = json_object(reply)
        operation = data.get("operation")
        job_id = _as_id(operation) if operation else ""
        if not 0 < len(job_id) <= LONGEST_ID:
            raise unreadable(reply, "a video reply without an operation")
        return Job(
            job_id,
            "running",
            warnings=warnings_in(data),
            request_id=reply.request_id,
            raw=without_bytes(data),
        )

    def encode_status(self, job: Handle) -> HttpRequest:
        """POST /video-model/status with the operation verbatim."""
        body = {"operation": _as_operation(job.id)}
        headers = _protocol("video", job.model)
        return self.post("video", "/v4/ai/video-model/status", body, headers)

    def decode_status(self, reply: HttpReply) -> Job:
        """pending, completed with `videos`, error, or cancelled."""
        data = json_object(reply, is_job=True)
        if status_word(data) is None:
            raise unreadable(reply, "a status reply without a status")
        return job_of(data, reply)._replace(id="", warnings=warnings_in(data))

    def encode_public_lists(self) -> tuple[HttpRequest, ...]:
        """GET /models: all kinds in one list, with prices."""
        return (self.encode_models(),)

    def decode_public_lists(self, replies: Sequence[HttpReply]) -> list[dict[str, object]]:
        """Ids, kinds and prices; what a model supports is not in it."""
        return [_listed(row) for row in rows_of(replies[0], "models")]

    def encode_check(self) -> HttpRequest:
        """GET /credits."""
        return self.get("video", "/v1/credits")

    def decode_check(self, reply: HttpReply) -> Account:
        """`{"balance": "95.50", "total_used": "4.50"}`, in USD."""
        return Account(as_number(json_object(reply).get("balance")))


# `type` in the list of models. Others (embedding, speech ...) are of no use here.
_KINDS = {"language": "llm", "image": "image", "video": "video"}


def _listed(row: dict[str, object]) -> dict[str, object]:
    """A row of /models, by the list of November 2026: prices are texts, in USD."""
    kind = _KINDS.get(str(row.get("type")))
    found, pricing = [], row.get("pricing")
    pricing = pricing if isinstance(pricing, dict) else {}
    if kind == "llm":
        found = by_text_token(pricing.get("input"), pricing.get("output"))
    elif kind == "image" and (amount := as_number(pricing.get("image"))) is not None:
        found = [{"unit": "image", "usd": amount}]
    elif kind == "video":
        found = _video_prices(pricing)
    return {"id": row.get("id"), "kind": kind, "facts": {}, "prices": found}


def _video_prices(pricing: dict[str, object]) -> list[Price]:
    """By the second, or by the token; not those of a `mode`, which the video call does not set."""
    rows, tokens = pricing.get("video_duration_pricing"), pricing.get("video_token_pricing")
    found = []
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and row.get("mode") is None:
            audio = row.get("audio")
            sound = audio if isinstance(audio, bool) else None
            found += by_second(row.get("cost_per_second"), row.get("resolution"), sound)
    plain = tokens.get("no_video_input") if isinstance(tokens, dict) else None
    amount = as_number(plain.get("cost_per_million_tokens")) if isinstance(plain, dict) else None
    for resolution in ("480p", "720p", "1080p") if amount is not None else ():
        found += by_video_token((amount or 0.0) / 1e6, resolution)
    return found


def _size(request: VideoRequest) -> str:
    """The resolution as pixels of a 16:9 clip; the ratio or the picture gives the shape.

    The providers' SDKs (@ai-sdk/google-vertex, bytedance, alibaba, xai, of November 2026) know the
    resolutions by such sizes and by no others: Veo and Grok by none that is upright. But an older
    Wan without a picture needs the shape here.
    """
    resolution, shape = request.resolution, request.shape
    if request.first_frame is None and request.model.startswith(_SHAPED_BY_PIXELS):
        return _PIXELS.get(resolution, {}).get(shape) or pixels(resolution, shape)
    maker = request.model.partition("/")[0]
    wide = {"bytedance": "864x496", "alibaba": "832x480"}.get(maker, "854x480")
    return {"480p": wide, "768p": "1366x768"}.get(resolution) or pixels(resolution, "16:9")


def _file(picture: Picture) -> dict[str, object]:
    """A picture as the protocol's file: plain base64, no data URI."""
    return {"type": "file", "mediaType": picture.mime, "data": encoded(picture)}


def _protocol(kind: str, model: str) -> dict[str, str]:
    """The protocol's headers; the model's id is nowhere else."""
    return {
        "ai-gateway-protocol-version": "0.0.1",
        "ai-gateway-auth-method": "api-key",
        f"ai-{kind}-model-specification-version": "4",
        "ai-model-id": model,
    }


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


DIALECT = Vercel()
