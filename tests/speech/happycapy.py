"""HappyCapy / Trickle AI Gateway. It lists jobs; no model list, no cancel is known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import ClassVar

from . import (
    Asked,
    Drawn,
    Reply,
    Request,
    Rows,
    Speech,
    Standing,
    a_picture,
    clip_from,
    may_be_text,
    may_be_whole,
    picture_in,
    text_in,
)


class HappyCapy(Speech):
    """All under /api/v1; a clip's address is fetched without the key."""

    name = "happycapy"
    lists_jobs = True
    draws_addresses = True
    paths: ClassVar = {
        ("POST", "/api/v1/chat/completions"): "chat",
        ("POST", "/api/v1/images/generations"): "image",
        ("POST", "/api/v1/videos"): "create",
        ("GET", "/api/v1/videos"): "list",
    }
    jobs_at = "/api/v1/videos/"
    # Rows tell no time: a lost job is found only where a test says by which clock.
    clock_ahead_s = None

    def endpoint(self, method: str, path: str, body: Mapping[str, object]) -> str:
        if (method, path) == ("GET", "/api/v1/videos?limit=1"):
            return "check"
        named = super().endpoint(method, path, body)
        return "unknown" if named == "cancel" or path.endswith("/content") else named

    def asked(self, request: Request) -> Asked:
        body = request.body
        shape = may_be_text(body, "aspectRatio")
        if request.endpoint == "image":
            may_be_text(body, "user")
            images = body.get("images", [])
            if not isinstance(images, list):
                raise ValueError("images must be a list")
            pictures = tuple(a_picture(image) for image in images)
            return Asked(text_in(body, "model"), text_in(body, "prompt"), shape, pictures=pictures)
        return clip_from(
            Asked(
                text_in(body, "model"),
                text_in(body, "prompt"),
                shape,
                may_be_whole(body, "duration"),
                may_be_text(body, "size"),
                picture_in(body, "first_frame"),
                last_frame=picture_in(body, "last_frame"),
            )
        )

    def image(self, request: Request, drawn: Drawn) -> Reply:
        reply = super().image(request, drawn)
        if drawn.cost is None:
            return reply
        assert isinstance(reply.json, dict)
        return Reply(json={**reply.json, "usage": {"cost": drawn.cost}})

    def created(self, job: Standing) -> Reply:
        return Reply(json={"id": job.id})

    def status(self, job: Standing) -> Reply:
        return Reply(json=self._row(job))

    def listed(self, jobs: Rows) -> Reply:
        rows = [self._row(job) for job in jobs.rows]
        return Reply(json={"data": rows, "total": len(rows), "limit": 10, "offset": 0})

    def checked(self, balance_usd: float, jobs: Rows) -> Reply:
        return self.listed(jobs)

    def _row(self, job: Standing) -> dict[str, object]:
        told = None
        if job.created_at is not None:
            told = datetime.fromtimestamp(job.created_at, timezone.utc).isoformat()
        return {
            "id": job.id,
            "model": job.model,
            "prompt": job.prompt,
            "duration": job.duration_s,
            "aspect_ratio": job.shape,
            "size": job.resolution,
            **self.word(job),
            "error": job.error,
            "url": job.url,
            **({"created_at": told} if told else {}),
        }


SPEECH = HappyCapy
