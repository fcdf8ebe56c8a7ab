"""OpenRouter.

Source of the wire facts: its Python SDK (`openrouter` 1.3) and its documentation, read in November
2026. No call takes an idempotency key and there is no list of jobs: a lost create stays unknown.
"""

from __future__ import annotations

from urllib.parse import quote

from ..reply_parsing import as_number, as_text, json_object, without_bytes
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
    VideoRequest,
)
from . import _shared
from ._shared import (
    cost_in,
    decode_chat,
    decode_models,
    error_of,
    get,
    job_row,
    picture_part,
    post,
    with_id,
)

__all__ = ["decode_chat", "decode_models"]

ROOT = "https://openrouter.ai"
ABOUT = About(
    "OpenRouter",
    dict.fromkeys(("chat", "image", "video"), ROOT),
    (".openrouter.ai",),
    key_prefix="sk-or-",
    own_variable="OPENROUTER_API_KEY",
    poll_s=(10.0, 12.5),  # it asks for 10 s or more between two reads
)
_ENDS = {"completed": "succeeded", "failed": "failed", "cancelled": "failed", "expired": "failed"}


def encode_chat(request: ChatRequest) -> HttpRequest:
    """POST /chat/completions."""
    return _post("chat", "/chat/completions", _shared.chat_body(request))


def encode_image(request: ImageRequest) -> HttpRequest:
    """POST /images, for every model that draws; what it is to draw from are input references."""
    references = [picture_part(picture) for picture in request.pictures]
    return _post(
        "image",
        "/images",
        {
            "model": request.model,
            "prompt": request.prompt,
            "aspect_ratio": request.aspect_ratio,
            **({"input_references": references} if references else {}),
        },
    )


def decode_image(reply: HttpReply) -> ImageReply:
    """The first picture. Raises Refused where there is none."""
    return _shared.decode_image(reply)


def encode_submit(request: VideoRequest) -> HttpRequest:
    """POST /videos. The anchor is a frame image of the type first_frame, a data URI.

    A picture to end with follows as one of the type last_frame. A clip from the prompt alone has
    no list of frame images.
    """
    roles = {"first_frame": request.first_frame, "last_frame": request.last_frame}
    frames = [{**picture_part(p), "frame_type": role} for role, p in roles.items() if p]
    body: dict[str, object] = {
        "model": request.model,
        "prompt": request.prompt,
        "duration": request.duration_s,
        "resolution": request.resolution.replace("k", "K"),  # 4K, but 720p
        # A model that adapts to the picture needs no ratio; "adaptive" is no word here.
        "aspect_ratio": None if request.aspect_ratio == "adaptive" else request.aspect_ratio,
        "frame_images": frames or None,
        "generate_audio": request.audio,
        "seed": request.seed,
    }
    given = {name: value for name, value in body.items() if value is not None}
    return _post("video", "/videos", given)


def decode_submit(reply: HttpReply) -> Job:
    """202 with `{id, polling_url, status}`; where to poll is kept with the job."""
    return with_id(_job(json_object(reply), reply), reply)


def encode_status(job: Handle) -> HttpRequest:
    """GET of the polling URL that the create told, else of /videos/{id}."""
    return HttpRequest(
        "video", "GET", f"/api/v1/videos/{quote(job.id, safe='')}", {}, address=job.address
    )


def decode_status(reply: HttpReply) -> Job:
    """The job, with `urls` (signed, fetched without the key) or `unsigned_urls` (with it)."""
    return _job(job_row(reply), reply)


def encode_list() -> None:
    """No list of jobs is documented."""


def decode_list(reply: HttpReply) -> list[ListedJob]:
    """Never asked for."""
    return []


def encode_models() -> HttpRequest:
    """GET /models; it needs no key. By default it lists the models that write, and no others."""
    return get("chat", "/api/v1/models?output_modalities=all")


def encode_check() -> HttpRequest:
    """GET /key: what this key may still spend."""
    return get("video", "/api/v1/key")


def decode_check(reply: HttpReply) -> Account:
    """`data.limit_remaining` in USD; null for a key without a limit."""
    data = json_object(reply).get("data")
    return Account(as_number(data.get("limit_remaining")) if isinstance(data, dict) else None)


def encode_cancel(job: Handle) -> None:
    """There is no call for it."""


def _post(service: str, path: str, body: dict[str, object]) -> HttpRequest:
    return post(service, "/api/v1" + path, body)


def _job(data: dict[str, object], reply: HttpReply) -> Job:
    word = as_text(data.get("status")) or ""
    ended = {"cancelled": "it was cancelled", "expired": "it has expired"}.get(word.lower())
    return Job(
        as_text(data.get("id")) or "",
        _ENDS.get(word.lower(), "running"),
        word,
        url=_first(data.get("urls")) or _first(data.get("unsigned_urls")),
        address=as_text(data.get("polling_url")),
        error=error_of(data, "code") or ended,
        cost=cost_in(data, reply),
        request_id=reply.request_id,
        raw=without_bytes(data),
    )


def _first(urls: object) -> str | None:
    return as_text(urls[0]) if isinstance(urls, list) and urls else None
