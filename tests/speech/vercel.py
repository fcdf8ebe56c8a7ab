"""Vercel AI Gateway: OpenAI's shape under /v1, the AI SDK's protocol under /v4/ai.

It heeds idempotency keys and has no list of jobs. What @ai-sdk/gateway 4 and `ai` 7 insist on.
"""

from __future__ import annotations

from collections.abc import Mapping
from json import dumps
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
    clip_from,
    drawing,
    drawn_in_chat,
    in_base64,
    may_be_text,
    may_be_whole,
    rows_in,
    said,
    text_in,
    within,
)

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "insufficient_funds",
    403: "forbidden",
    404: "not_found",
    424: "failed_dependency",
    429: "rate_limit_exceeded",
}
_FRAMES = {"first_frame", "last_frame"}


class Vercel(Speech):
    """The model's id is in a header only; a job is an operation, which is an object."""

    name = "vercel"
    heeds_keys = True
    tells_balance = True
    other_image_models = ("bytedance/seedream-4.5",)
    manners: ClassVar = {"clips in the reply": {"inline": True}}
    paths: ClassVar = {
        ("POST", "/v1/chat/completions"): "chat",
        ("POST", "/v4/ai/image-model"): "image",
        ("POST", "/v4/ai/video-model/start"): "create",
        ("POST", "/v4/ai/video-model/status"): "status",
        ("GET", "/v1/credits"): "check",
        ("GET", "/v1/models"): "models",
        ("GET", "/v4/ai/config"): "config",
    }
    needs_no_key = frozenset({"models"})
    words: ClassVar = {"running": "pending", "succeeded": "completed", "failed": "error"}
    image_usd = 0.04
    clip_usd = 0.9

    def endpoint(self, method: str, path: str, body: Mapping[str, object]) -> str:
        named = super().endpoint(method, path, body)
        return "image" if named == "chat" and "modalities" in body else named

    def job_in(self, request: Request) -> str:
        if request.endpoint == "file":
            return super().job_in(request)
        return str(within(request.body, "operation", "jobId"))

    def kept_as(self, job_id: str) -> str:
        return dumps({"jobId": job_id}, separators=(",", ":"))

    def asked(self, request: Request) -> Asked:
        body = request.body
        if request.path.startswith("/v1/"):
            ratio = within(body, "providerOptions", "google", "imageConfig", "aspectRatio")
            prompt, pictures = drawing(request)
            return Asked(
                text_in(body, "model"),
                prompt,
                ratio if isinstance(ratio, str) else None,
                pictures=pictures,
            )
        kind = "image" if request.endpoint == "image" else "video"
        if request.headers.get(f"ai-{kind}-model-specification-version") != "4":
            raise ValueError(f"the version of the {kind} model's specification is not told")
        model, prompt = text_in(request.headers, "ai-model-id"), text_in(body, "prompt")
        if not may_be_whole(body, "n") or not isinstance(body.get("providerOptions"), dict):
            raise ValueError("n or providerOptions is missing")
        shape = may_be_text(body, "aspectRatio")
        if kind == "image":
            pictures = tuple(_picture(row) for row in rows_in(body, "files"))
            return Asked(model, prompt, shape, pictures=pictures)
        frames = {
            row.get("frameType"): _picture(row.get("image")) for row in rows_in(body, "frameImages")
        }
        first = _picture(body["image"]) if "image" in body else None
        if frames.get("first_frame", first) != first or not frames.keys() <= _FRAMES:
            raise ValueError("frameImages begin with another image, or have another role")
        if body.get("frameImages") == []:
            raise ValueError("frameImages are none")
        return clip_from(
            Asked(
                model,
                prompt,
                shape,
                may_be_whole(body, "duration"),
                may_be_text(body, "resolution"),
                first,
                last_frame=frames.get("last_frame"),
            )
        )

    def chat(self, text: str, cost: float | None) -> Reply:
        return Reply(json=said(text, cost=None))

    def image(self, request: Request, drawn: Drawn) -> Reply:
        if request.path.startswith("/v1/"):
            return Reply(json=drawn_in_chat(drawn))
        gateway = {"generationId": "gen"}
        if drawn.cost is not None:
            gateway["cost"] = f"{drawn.cost}"
        about = {"bytedance": {"images": [{}]}, "gateway": gateway}
        return Reply(json={"images": [in_base64(drawn.data)], "providerMetadata": about})

    def created(self, job: Standing) -> Reply:
        return Reply(
            json={
                "operation": {"jobId": job.id},
                "warnings": [],
                "providerMetadata": {"gateway": {"asyncJob": {"jobId": job.id}}},
            }
        )

    def status(self, job: Standing) -> Reply:
        told = self.word(job)
        if job.state == "succeeded":
            told["videos"] = []
            if self.inline and job.clip:
                told["videos"] = [
                    {"type": "base64", "data": in_base64(job.clip), "mediaType": "video/mp4"}
                ]
            elif job.url:
                told["videos"] = [{"type": "url", "url": job.url, "mediaType": "video/mp4"}]
        if job.error is not None:
            told["error"] = job.error
        if job.cost is not None:
            about = {"cost": f"{job.cost:.2f}", "generationId": "gen_clip"}
            told["providerMetadata"] = {"gateway": about}
        return Reply(json=told)

    def checked(self, balance_usd: float, jobs: Rows) -> Reply:
        return Reply(json={"balance": f"{balance_usd:.2f}", "total_used": "4.50"})

    def other(self, request: Request) -> Reply | None:
        if request.endpoint != "config":
            return None
        model = "google/veo-3.1-generate-001"
        how = {"specificationVersion": "v4", "provider": "google", "modelId": model}
        row = {"id": model, "name": "Veo 3.1", "modelType": "video", "specification": how}
        return Reply(json={"models": [row]})

    def error(self, status: int, wrong: Wrong) -> Reply:
        kind = _TYPES.get(wrong.code or status, "internal_server_error")
        told = {"message": wrong.message, "type": kind, "param": None, "code": None}
        return Reply(status, {"error": told, "generationId": "gen_error"})


def _picture(file: object) -> bytes:
    if within(file, "type") != "file" or not within(file, "mediaType"):
        raise ValueError("a picture is no file of a media type")
    return a_picture(within(file, "data"))


SPEECH = Vercel
