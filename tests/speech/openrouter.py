"""OpenRouter. No list of jobs and no idempotency key: a lost create cannot be found out.

What its Python SDK (`openrouter` 1.3) insists on; it checks every field of a reply.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from . import (
    Asked,
    Drawn,
    Reply,
    Request,
    Rows,
    Speech,
    Standing,
    Wrong,
    a_picture,
    drawing,
    drawn_in_chat,
    in_base64,
    may_be_text,
    may_be_whole,
    rows_in,
    text_in,
    within,
)

_USED = {
    f"{kind}{period}": 0
    for kind in ("usage", "byok_usage")
    for period in ("_daily", "_weekly", "_monthly")
}
_NONE = ("limit_reset", "creator_user_id", "effective_budget", "organization_id", "workspace_id")
_NO = ("include_byok_in_limit", "is_free_tier", "is_management_key", "is_provisioning_key")
_MODEL = {
    "object": "model",
    "created": 1,
    "name": "A model",
    "canonical_slug": "a/model",
    "architecture": {"input_modalities": ["text"], "output_modalities": ["text"], "modality": None},
    "context_length": None,
    "default_parameters": None,
    "per_request_limits": None,
    "supported_parameters": [],
    "supported_voices": None,
    "links": {"details": "/api/v1/models/x"},
    "pricing": {"prompt": "0", "completion": "0"},
    "top_provider": {"is_moderated": False},
}
_VIDEO_MODEL = {
    "id": "google/veo-3.1",
    "canonical_slug": "google/veo-3.1",
    "name": "Veo 3.1",
    "created": 1,
    "allowed_passthrough_parameters": [],
    "creativity": None,
    "generate_audio": True,
    "seed": True,
    "supported_aspect_ratios": ["16:9", "9:16"],
    "supported_durations": [4, 6, 8],
    "supported_frame_images": ["first_frame", "last_frame"],
    "supported_resolutions": ["720p", "1080p"],
    "supported_sizes": ["1280x720"],
    "upscale_factor": None,
    "pricing_skus": {"per-video-second-1080p": "0.40"},
}


class OpenRouter(Speech):
    """All under /api/v1. A create says, relative to the host, where its job is to be asked for."""

    name = "openrouter"
    tells_balance = True
    manners: ClassVar = {"clips behind the key": {"unsigned": True}}
    paths: ClassVar = {
        ("POST", "/api/v1/chat/completions"): "chat",
        ("POST", "/api/v1/images"): "image",
        ("POST", "/api/v1/videos"): "create",
        ("GET", "/api/v1/key"): "check",
        ("GET", "/api/v1/models"): "models",
        ("GET", "/api/v1/videos/models"): "video models",
        ("GET", "/api/v1/credits"): "credits",
    }
    jobs_at = "/api/v1/videos/"
    needs_no_key = frozenset({"models", "video models"})
    words: ClassVar = {"running": "in_progress", "succeeded": "completed"}
    image_usd = 0.04
    clip_usd = 0.9

    def __init__(self) -> None:
        self.unsigned = False  # finished clips are only at the gateway itself, behind the key

    def endpoint(self, method: str, path: str, body: Mapping[str, object]) -> str:
        named = super().endpoint(method, path, body)
        if named == "chat" and "modalities" in body:
            return "image"
        return "unknown" if named == "cancel" else named

    def asked(self, request: Request) -> Asked:
        body = request.body
        model = text_in(body, "model")
        if request.path.endswith("/chat/completions"):
            ratio = within(body, "image_config", "aspect_ratio")
            prompt, pictures = drawing(request)
            return Asked(
                model, prompt, ratio if isinstance(ratio, str) else None, pictures=pictures
            )
        prompt, shape = text_in(body, "prompt"), may_be_text(body, "aspect_ratio")
        if request.endpoint == "image":
            pictures = tuple(_picture(row) for row in rows_in(body, "input_references"))
            return Asked(model, prompt, shape, pictures=pictures)
        rows = rows_in(body, "frame_images")
        roles = [row.get("frame_type") for row in rows]
        if roles != ["first_frame", "last_frame"][: len(roles)] or body.get("frame_images") == []:
            raise ValueError("frame_images is not a first_frame, with a last_frame or without")
        first, last, *_ = [*map(_picture, rows), None, None]
        return Asked(
            model,
            prompt,
            shape,
            may_be_whole(body, "duration"),
            may_be_text(body, "resolution"),
            first,
            last_frame=last,
        )

    def image(self, request: Request, drawn: Drawn) -> Reply:
        if request.path.endswith("/chat/completions"):
            return Reply(json=drawn_in_chat(drawn))
        return Reply(
            json={
                "created": 1,
                "data": [{"b64_json": in_base64(drawn.data), "media_type": "image/png"}],
                "usage": {
                    "prompt_tokens": 1,
                    "completion_tokens": 2,
                    "total_tokens": 3,
                    **({} if drawn.cost is None else {"cost": drawn.cost}),
                },
            }
        )

    def created(self, job: Standing) -> Reply:
        return Reply(202, {"id": job.id, "polling_url": self._place(job), "status": "pending"})

    def status(self, job: Standing) -> Reply:
        told = {"id": job.id, "polling_url": self._place(job), **self.word(job)}
        if job.url and self.unsigned:
            there = job.url.partition("/files/")[0]
            told["unsigned_urls"] = [f"{there}{self._place(job)}/content?index=0"]
        elif job.url:
            told |= {"urls": [job.url], "expires_at": 2_000_000_000}
        if job.state == "succeeded":
            told["generation_id"] = "gen-clip"
        if job.error is not None:
            told["error"] = job.error
        if job.cost is not None:
            told["usage"] = {"cost": job.cost, "is_byok": False}
        return Reply(json=told)

    def checked(self, balance_usd: float, jobs: Rows) -> Reply:
        about = {
            "label": "sk-or-v1-abc...123",
            "limit": balance_usd + 2.5,
            "usage": 2.5,
            "limit_remaining": balance_usd,
            "byok_usage": 0,
            "budgets": [],
            "allowed_data_regions": ["global"],
            "free_model_daily_requests": {"limit": 50, "remaining": 50, "used": 0},
            "rate_limit": {"interval": "10s", "note": "deprecated", "requests": -1},
        }
        none, no = dict.fromkeys(_NONE), dict.fromkeys(_NO, False)
        return Reply(json={"data": {**about, **_USED, **none, **no}})

    def served(self, ids: tuple[str, ...]) -> Reply:
        rows = [{"id": id_, **_MODEL} for id_ in ids]
        return Reply(json={"data": rows, "links": {"next": None}, "total_count": len(rows)})

    def other(self, request: Request) -> Reply | None:
        if request.endpoint == "video models":
            return Reply(json={"data": [_VIDEO_MODEL]})
        if request.endpoint == "credits":
            return Reply(json={"data": {"total_credits": 10, "total_usage": 2.5}})
        return None

    def error(self, status: int, wrong: Wrong) -> Reply:
        told = {"code": wrong.code or status, "message": wrong.message}
        return Reply(status, {"error": told})

    def _place(self, job: Standing) -> str:
        return f"{self.jobs_at}{job.id}"


def _picture(part: object) -> bytes:
    if within(part, "type") != "image_url":
        raise ValueError("a picture is not of the type image_url")
    return a_picture(within(part, "image_url", "url"))


SPEECH = OpenRouter
