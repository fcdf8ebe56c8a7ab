"""Servers in the shape of OpenAI's API: SGLang-Diffusion, vLLM-Omni, LiteLLM and their like.

OpenAI itself shut its Videos API down on 2026-09-24; the shape lives on. Source of the wire facts:
the engines' own source, read in November 2026; where they differ, what all of them take is sent.
"""

from __future__ import annotations

from urllib.parse import quote

from ..reply_parsing import as_number, as_text, as_time, json_object, without_bytes
from ..types import (
    About,
    Account,
    ChatRequest,
    Handle,
    HttpReply,
    HttpRequest,
    ImageRequest,
    Job,
    ListedJob,
    VideoRequest,
)
from . import _shared
from ._shared import (
    cost_in,
    decode_chat,
    decode_image,
    decode_models,
    error_of,
    get,
    job_row,
    pixels,
    post,
    rows_of,
    whole,
    with_id,
)

__all__ = ["decode_chat", "decode_image", "decode_models"]

ABOUT = About("an OpenAI-shaped server")  # it is wherever the person runs it, key or no key
# LiteLLM sends a create on up to three times when its upstream fails, and each may be billed.
_ONCE = {"x-litellm-num-retries": "0"}
_GONE = {word: f"it is {word}" for word in ("cancelled", "canceled", "deleted", "expired")}


def encode_chat(request: ChatRequest) -> HttpRequest:
    """POST /v1/chat/completions."""
    return post("chat", "/v1/chat/completions", _shared.chat_body(request))


def encode_image(request: ImageRequest) -> HttpRequest:
    """POST /v1/images/generations. The shape is told in pixels, about one megapixel.

    With pictures it is POST /v1/images/edits, a form with the same fields; one picture is the file
    `image`, several are `image[]`.
    """
    body: dict[str, object] = {
        "model": request.model,
        "prompt": request.prompt,
        "n": 1,
        "size": request.size or _shared.megapixel(request.aspect_ratio),
    }
    if "gpt-image" not in request.model:  # these always send base64, and know no such field
        body["response_format"] = "b64_json"
    if request.pictures:
        # One picture is sent as no list: versions of LiteLLM (until 1.102) fail on `image[]`.
        name = "image" if len(request.pictures) == 1 else "image[]"
        files = tuple((name, picture) for picture in request.pictures)
        return HttpRequest("image", "POST", "/v1/images/edits", _ONCE, body, files)
    return post("image", "/v1/images/generations", body, _ONCE)


def encode_submit(request: VideoRequest) -> HttpRequest:
    """POST /v1/videos as multipart/form-data: the one form that all of them take.

    So does one without a file, of a clip from the prompt alone: vLLM-Omni reads nothing else. It
    has no field for sound, nor for a last frame: what is asked of either is left out here, and
    callers, who know that from the registry, refuse it or say so before.
    """
    fields: dict[str, object] = {
        "prompt": request.prompt,
        "model": request.model,
        "seconds": str(request.duration_s),
        "size": pixels(request.resolution, request.shape),
    }
    if request.seed is not None:
        fields["seed"] = str(request.seed)
    first = request.first_frame
    files = (("input_reference", first),) if first else ()
    return HttpRequest("video", "POST", "/v1/videos", _ONCE, fields, files, form=True)


def decode_submit(reply: HttpReply) -> Job:
    """The job. LiteLLM tells its cost here, in a header; later replies say 0 there."""
    data = json_object(reply)
    return with_id(_job(data, reply), reply)._replace(cost=cost_in(data, reply))


def encode_status(job: Handle) -> HttpRequest:
    """GET /v1/videos/{id}. Ids may be long and hold what a path must not."""
    return get("video", _path(job.id))


def decode_status(reply: HttpReply) -> Job:
    """The job; a finished clip is at /v1/videos/{id}/content, with the key."""
    return _job(job_row(reply), reply)


def encode_list() -> HttpRequest:
    """GET /v1/videos."""
    return get("video", "/v1/videos?limit=50&order=desc")


def decode_list(reply: HttpReply) -> list[ListedJob]:
    """The rows of the list that have an id."""
    return [
        ListedJob(
            id=str(row["id"]),
            model=as_text(row.get("model")),
            prompt=as_text(row.get("prompt")),
            duration_s=whole(row.get("seconds")),
            aspect_ratio=None,
            size=as_text(row.get("size")),
            created_at=as_time(row.get("created_at")),
        )
        for row in rows_of(reply, "videos")
        if row.get("id")
    ]


def encode_models() -> HttpRequest:
    """GET /v1/models."""
    return get("chat", "/v1/models")


def encode_check() -> HttpRequest:
    """GET /v1/models, of the server that will make the video."""
    return get("video", "/v1/models")


def decode_check(reply: HttpReply) -> Account:
    """No balance is told."""
    json_object(reply)
    return Account()


def encode_cancel(job: Handle) -> HttpRequest:
    """DELETE /v1/videos/{id}. What that does to a running job is the server's affair."""
    return HttpRequest("video", "DELETE", _path(job.id), {})


def _path(job_id: str) -> str:
    return f"/v1/videos/{quote(job_id, safe='')}"


def _job(data: dict[str, object], reply: HttpReply) -> Job:
    word = (as_text(data.get("status")) or "").lower()
    job_id = data.get("id")
    job_id = str(job_id) if isinstance(job_id, str | int) and not isinstance(job_id, bool) else ""
    ended = "failed" if word in ("failed", *_GONE) else "running"
    state = "succeeded" if word == "completed" else ended
    after_ms = as_number(reply.headers.get("openai-poll-after-ms"))
    return Job(
        job_id.strip(),
        state,
        word,
        url=f"{_path(job_id)}/content" if state == "succeeded" and job_id else None,
        poll_after_s=(after_ms or 0.0) / 1000,
        error=error_of(data, "code") or _GONE.get(word),
        request_id=reply.request_id,
        raw=without_bytes(data),
    )
