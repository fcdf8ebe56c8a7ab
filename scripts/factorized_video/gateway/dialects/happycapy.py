"""HappyCapy / Trickle AI Gateway.

Source of the wire facts: its public JavaScript client (videos) and public third-party clients
(chat, images), read in November 2026. Error bodies were never captured: they are read leniently.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from urllib.parse import quote

from ..types import (
    About,
    Handle,
    HttpReply,
    HttpRequest,
    ImageRequest,
    Job,
    ListedJob,
    VideoRequest,
)
from ._dialect import Dialect
from ._jobs import job_of, job_row, listed_jobs, started
from ._shared import data_uri, without_none

# The newest public chat and image clients use the first host, every public video client the second.
HAPPYCAPY = "https://ai-gateway.happycapy.ai"
TRICKLE = "https://ai-gateway.trickle-lab.tech"


class HappyCapy(Dialect):
    """Two hosts: one for chat and images, one for videos."""

    ABOUT = About(
        "HappyCapy",
        {"chat": HAPPYCAPY, "image": HAPPYCAPY, "video": TRICKLE},
        (".happycapy.ai", ".trickle-lab.tech"),
    )
    PREFIX = "/api/v1"
    # Whether it is enforced is not known; always sent.
    HEADERS: ClassVar = {"Origin": "https://trickle.so"}

    def encode_image(self, request: ImageRequest) -> HttpRequest:
        """POST /images/generations. The ratio is camelCase; a pixel `size` is reported as ignored.

        With pictures it is the same call: they are data URIs in `images`.
        """
        body: dict[str, object] = {
            "model": request.model,
            "prompt": request.prompt,
            "n": 1,
            "aspectRatio": request.aspect_ratio,
            # Bytes in the reply: an address may expire or be lost, and the picture is paid for.
            "response_format": "b64_json",
            "images": [data_uri(p) for p in request.pictures] or None,
            # This call's one documented free field: it identifies each candidate of one request in
            # the gateway's own records.
            "user": f"candidate-{request.candidate}" if request.candidate else None,
        }
        return self.post("image", "/api/v1/images/generations", without_none(body))

    def encode_submit(self, request: VideoRequest) -> HttpRequest:
        """POST /videos. The anchor goes as a real first frame, where the clip begins with one.

        No field for sound or seed is known.
        """
        body: dict[str, object] = {
            "model": request.model,
            "prompt": request.prompt,
            "duration": request.duration_s,
            "aspectRatio": request.aspect_ratio or None,
            "size": request.resolution,
            **{role: data_uri(picture) for role, picture in request.frames.items()},
        }
        return self.post("video", "/api/v1/videos", without_none(body))

    def decode_submit(self, reply: HttpReply) -> Job:
        """`{"id": ...}`."""
        return started(job_of(job_row(reply), reply), reply)

    def encode_status(self, job: Handle) -> HttpRequest:
        """GET /videos/{id}."""
        return self.get("video", f"/api/v1/videos/{quote(job.id, safe='')}")

    def decode_status(self, reply: HttpReply) -> Job:
        """The row of one job."""
        return job_of(job_row(reply), reply)

    def encode_list(self, seen: Sequence[ListedJob] = ()) -> HttpRequest:
        """GET /videos: the newest jobs of this key."""
        return self.get("video", f"/api/v1/videos?limit=50&offset={len(seen)}")

    def decode_list(self, reply: HttpReply) -> list[ListedJob]:
        """Its rows."""
        return listed_jobs(reply, duration="duration")

    def encode_check(self) -> HttpRequest:
        """GET /videos?limit=1, which reports no balance."""
        return self.get("video", "/api/v1/videos?limit=1")


DIALECT = HappyCapy()
