"""Servers in the shape of OpenAI's API. They list jobs and serve clips themselves.

The usual manner is that of all of them together; `manners` are those of single servers.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from json import dumps, loads
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
    may_be_text,
    picture_in,
    said,
    text_in,
)


class OpenAI(Speech):
    """A create is a form. A clip is at /v1/videos/{id}/content, with the key where there is one."""

    name = "openai"
    lists_jobs = True
    tells_addresses = False
    draws_addresses = True
    models: ClassVar = {"llm": "own/llm", "image": "own/image", "video": "own/i2v"}
    manners: ClassVar = {
        "SGLang": {"seconds_are": int, "detail": True, "on_cancel": "forget"},
        "vLLM-Omni": {"failed_status": 500, "on_cancel": "abort"},
        "LiteLLM": {
            "failed_status": 500,
            "wrapped": True,
            "running": "processing",
            "long_ids": True,
            "cost_usd": 0.9,
            "on_cancel": "refuse",
        },
    }
    paths: ClassVar = {
        ("POST", "/v1/chat/completions"): "chat",
        ("POST", "/v1/images/generations"): "image",
        ("POST", "/v1/images/edits"): "image",
        ("POST", "/v1/videos"): "create",
        ("GET", "/v1/videos"): "list",
        ("GET", "/v1/models"): "models",
    }
    jobs_at = "/v1/videos/"
    check = "models"
    words: ClassVar = {"succeeded": "completed"}

    def __init__(self) -> None:
        self.failed_status = 200  # of the status of a job that failed; the body is its row
        self.wrapped = False  # that row is a text inside an error's message
        self.running = "in_progress"  # the word for it
        self.long_ids = False  # base64, with what paths and shells take for their own
        self.cost_usd: float | None = None  # told in a header of the create's reply
        self.seconds_are: type = str
        self.detail = False  # errors are a `detail`
        self.on_cancel = "abort"  # "abort" ends a job, "forget" only forgets it, "refuse": 405

    def new_id(self, number: int) -> str:
        if not self.long_ids:
            return super().new_id(number)
        whole = f"litellm:custom_llm_provider:openai;model_id:own/i2v;video_id:job-{number}"
        return "video_" + base64.b64encode(whole.encode()).decode()

    def asked(self, request: Request) -> Asked:
        body = request.body
        model, prompt = text_in(body, "model"), text_in(body, "prompt")
        size = str(body.get("size") or "1280x720")
        if request.path == "/v1/images/generations":
            return Asked(model, prompt, size)
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            raise ValueError("a video and an edit are asked for by a form")
        if request.endpoint == "image":
            images = body.get("image[]", [body.get("image")])
            assert isinstance(images, list)  # as a form is read
            pictures = tuple(a_picture(image) for image in images)
            return Asked(model, prompt, size, pictures=pictures)
        seconds = may_be_text(body, "seconds")
        both = [
            a_picture(one["image_url"]) for one in loads(str(body.get("image_reference", "[]")))
        ]
        frame = both[0] if both else picture_in(body, "input_reference")
        length = int(seconds) if seconds else None
        return Asked(
            model, prompt, size, length, frame=frame, last_frame=both[-1] if both else None
        )

    def chat(self, text: str, cost: float | None) -> Reply:
        return Reply(json=said(text, cost=None))

    def image(self, request: Request, drawn: Drawn) -> Reply:
        told = {} if drawn.cost is None else {"x-litellm-response-cost": str(drawn.cost)}
        return replace(super().image(request, drawn), headers=told)

    def created(self, job: Standing) -> Reply:
        told = {} if self.cost_usd is None else {"x-litellm-response-cost": str(self.cost_usd)}
        return Reply(json={**self._row(job), "status": "queued"}, headers=told)

    def status(self, job: Standing) -> Reply:
        row = self._row(job)
        # Of later replies it is 0: nothing more is charged.
        told = {} if self.cost_usd is None else {"x-litellm-response-cost": "0.0"}
        if job.state != "failed" or self.failed_status == 200:
            return Reply(json=row, headers=told)
        if self.wrapped:
            message = f"litellm.APIError: OpenAIException - {dumps(row)}"
            return self.error(self.failed_status, Wrong(message))
        return Reply(self.failed_status, row)

    def listed(self, jobs: Rows) -> Reply:
        names = ("id", "object", "model", "prompt", "seconds", "size", "created_at", "status")
        rows = [
            {name: value for name, value in self._row(job).items() if name in names}
            for job in jobs.rows
        ]
        ids = [job.id for job in jobs.rows]
        ends = {"first_id": ids[0], "last_id": ids[-1]} if ids else {}
        return Reply(json={"object": "list", "data": rows, "has_more": False, **ends})

    def cancelled(self, job: Standing) -> Reply:
        if self.on_cancel == "refuse":
            return self.error(405, Wrong("Method Not Allowed"))
        return Reply(json={"id": job.id, "object": "video.deleted", "deleted": True})

    def forgets(self) -> bool:
        return self.on_cancel != "refuse"

    def error(self, status: int, wrong: Wrong) -> Reply:
        if self.detail:
            return Reply(status, {"detail": wrong.message})
        kind = "invalid_request_error" if (wrong.code or status) < 500 else "server_error"
        told = {"message": wrong.message, "type": kind, "param": None, "code": None}
        return Reply(status, {"error": told})

    def word(self, job: Standing) -> dict[str, object]:
        return {"status": self.running} if job.state == "running" else super().word(job)

    def _row(self, job: Standing) -> dict[str, object]:
        error = job.error
        if isinstance(error, str):
            error = {"code": "generation_failed", "message": error}
        return {
            "id": job.id,
            "object": "video",
            "model": job.model,
            "prompt": job.prompt,
            "seconds": job.duration_s and self.seconds_are(job.duration_s),
            "size": job.shape,
            **({} if job.created_at is None else {"created_at": int(job.created_at)}),
            **self.word(job),
            "progress": 100 if job.state == "succeeded" else 50,
            "error": error,
        }


SPEECH = OpenAI
