"""HappyCapy / Trickle AI Gateway.

Source of the wire facts: its public JavaScript client (videos) and public third-party clients
(chat, images), read in November 2026. Error bodies were never captured: they are read leniently.
"""

from __future__ import annotations

from urllib.parse import quote

from ..reply_parsing import as_text, as_time, json_object, unreadable, without_bytes
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
from ._shared import (
    chat_body,
    data_uri,
    decode_chat,
    decode_image,
    decode_models,
    error_of,
    rows_of,
    whole,
)

__all__ = ["decode_chat", "decode_image", "decode_models"]

# The newest public chat and image clients use the first host, every public video client the second.
HAPPYCAPY = "https://ai-gateway.happycapy.ai"
TRICKLE = "https://ai-gateway.trickle-lab.tech"
ABOUT = About(
    "HappyCapy",
    {"chat": HAPPYCAPY, "image": HAPPYCAPY, "video": TRICKLE},
    (".happycapy.ai", ".trickle-lab.tech"),
)
HEADERS = {"Origin": "https://trickle.so"}  # whether it is enforced is not known; always sent
_ENDS = {"succeeded": "succeeded", "failed": "failed"}


def encode_chat(request: ChatRequest) -> HttpRequest:
    """POST /chat/completions, the OpenAI shape."""
    return _post("chat", "/chat/completions", chat_body(request))


def encode_image(request: ImageRequest) -> HttpRequest:
    """POST /images/generations. The ratio is camelCase; a pixel `size` is reported as ignored.

    With pictures it is the same call: they are data URIs in `images`.
    """
    pictures = {"images": [data_uri(p) for p in request.pictures]} if request.pictures else {}
    # `user` is this call's one documented free field: by it the draws of one request can be told
    # apart in the gateway's own records.
    draw = {"user": f"candidate-{request.candidate}"} if request.candidate else {}
    return _post(
        "image",
        "/images/generations",
        {
            "model": request.model,
            "prompt": request.prompt,
            "n": 1,
            "aspectRatio": request.aspect_ratio,
            # Bytes in the reply: an address may expire or be lost, and the picture is paid for.
            "response_format": "b64_json",
            **pictures,
            **draw,
        },
    )


def encode_submit(request: VideoRequest) -> HttpRequest:
    """POST /videos. The anchor goes as a real first frame, where the clip begins with one.

    No field for sound or seed is known.
    """
    ratio = {"aspectRatio": request.aspect_ratio} if request.aspect_ratio else {}
    first = {"first_frame": data_uri(request.first_frame)} if request.first_frame else {}
    last = {"last_frame": data_uri(request.last_frame)} if request.last_frame else {}
    return _post(
        "video",
        "/videos",
        {
            "model": request.model,
            "prompt": request.prompt,
            "duration": request.duration_s,
            **ratio,
            "size": request.resolution,
            **first,
            **last,
        },
    )


def decode_submit(reply: HttpReply) -> Job:
    """`{"id": ...}`."""
    return _job(json_object(reply), reply)


def encode_status(job: Handle) -> HttpRequest:
    """GET /videos/{id}."""
    return _get(f"/videos/{quote(job.id, safe='')}")


def decode_status(reply: HttpReply) -> Job:
    """The row of one job."""
    return _job(json_object(reply), reply)


def encode_list() -> HttpRequest:
    """GET /videos: the newest jobs of this key."""
    return _get("/videos?limit=50&offset=0")


def decode_list(reply: HttpReply) -> list[ListedJob]:
    """The rows of the list that have an id."""
    return [
        ListedJob(
            id=str(row["id"]),
            model=as_text(row.get("model")),
            prompt=as_text(row.get("prompt")),
            duration_s=whole(row.get("duration")),
            aspect_ratio=as_text(row.get("aspect_ratio")),
            created_at=as_time(row.get("created_at")),
        )
        for row in rows_of(reply, "videos")
        if row.get("id")
    ]


def encode_models() -> HttpRequest:
    """GET /models, as OpenAI-shaped gateways offer it. Here none is documented: it may be 404."""
    return HttpRequest("chat", "GET", "/api/v1/models", HEADERS)


def encode_check() -> HttpRequest:
    """GET /videos?limit=1: of the host of the videos, which is not that of the pictures."""
    return _get("/videos?limit=1")


def decode_check(reply: HttpReply) -> Account:
    """No balance is told."""
    json_object(reply)
    return Account()


def encode_cancel(job: Handle) -> None:
    """No call for it is known."""


def _post(service: str, path: str, body: dict[str, object]) -> HttpRequest:
    return HttpRequest(service, "POST", "/api/v1" + path, HEADERS, body)


def _get(path: str) -> HttpRequest:
    return HttpRequest("video", "GET", "/api/v1" + path, HEADERS)


def _job(row: dict[str, object], reply: HttpReply) -> Job:
    job_id = row.get("id")
    if not isinstance(job_id, str | int) or isinstance(job_id, bool) or not str(job_id).strip():
        raise unreadable(reply, "a video reply without the job's id")
    word = as_text(row.get("status")) or ""
    return Job(
        id=str(job_id),
        # Any word that is not known to be an end means: still running.
        state=_ENDS.get(word.lower(), "running"),
        word=word,
        url=as_text(row.get("url")),
        error=error_of(row, "code"),
        request_id=reply.request_id,
        raw=without_bytes(row),
    )
