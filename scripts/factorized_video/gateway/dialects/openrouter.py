"""OpenRouter.

Source of the wire facts: its Python SDK (`openrouter` 1.3) and its documentation, read in November
2026. No call has an idempotency key and there is no list of jobs: a lost create stays unknown.
"""

from __future__ import annotations

from urllib.parse import quote

from ..reply_parsing import as_number, as_text, json_object
from ..types import About, Account, Handle, HttpReply, HttpRequest, ImageRequest, Job, VideoRequest
from ._dialect import Dialect
from ._jobs import LONGEST_ADDRESS, job_of, job_row, started
from ._shared import picture_part, without_none

ROOT = "https://openrouter.ai"


class OpenRouter(Dialect):
    """One host, with calls of its own for images and videos."""

    ABOUT = About(
        "OpenRouter",
        dict.fromkeys(("chat", "image", "video"), ROOT),
        (".openrouter.ai",),
        key_prefix="sk-or-",
        own_variable="OPENROUTER_API_KEY",
        poll_s=(10.0, 12.5),  # it asks for 10 s or more between two reads
    )
    PREFIX = "/api/v1"

    def encode_image(self, request: ImageRequest) -> HttpRequest:
        """POST /images, for every image model; the pictures to start from are input references."""
        body: dict[str, object] = {
            "model": request.model,
            "prompt": request.prompt,
            "aspect_ratio": request.aspect_ratio,
            "input_references": [picture_part(p) for p in request.pictures] or None,
        }
        return self.post("image", "/api/v1/images", without_none(body))

    def encode_submit(self, request: VideoRequest) -> HttpRequest:
        """POST /videos. Frames are data URIs, each with its type: first_frame, last_frame."""
        frames = [{**picture_part(p), "frame_type": role} for role, p in request.frames.items()]
        body: dict[str, object] = {
            "model": request.model,
            "prompt": request.prompt,
            "duration": request.duration_s,
            "resolution": request.resolution.replace("k", "K"),  # 4K, but 720p
            # A model that adapts to the picture needs no ratio; "adaptive" is no word here.
            "aspect_ratio": None if request.aspect_ratio == "adaptive" else request.aspect_ratio,
            "frame_images": frames or None,
            "generate_audio": request.settings.get("audio_switch"),
            "seed": request.settings.get("seed"),
        }
        return self.post("video", "/api/v1/videos", without_none(body))

    def decode_submit(self, reply: HttpReply) -> Job:
        """202 with `{id, polling_url, status}`; where to poll is kept with the job."""
        return started(_job(job_row(reply), reply), reply)

    def encode_status(self, job: Handle) -> HttpRequest:
        """GET of the job's polling URL if it has one, else of /videos/{id}."""
        return self.get("video", f"/api/v1/videos/{quote(job.id, safe='')}", job.address)

    def decode_status(self, reply: HttpReply) -> Job:
        """The job, with `urls` (signed, fetched without the key) or `unsigned_urls` (with it)."""
        return _job(job_row(reply), reply)

    def encode_models(self) -> HttpRequest:
        """GET /models; it needs no key. By default it lists only the models that write text."""
        return self.get("chat", "/api/v1/models?output_modalities=all")

    def encode_check(self) -> HttpRequest:
        """GET /key: what this key may still spend."""
        return self.get("video", "/api/v1/key")

    def decode_check(self, reply: HttpReply) -> Account:
        """`data.limit_remaining` in USD; null for a key without a limit."""
        data = json_object(reply).get("data")
        return Account(as_number(data.get("limit_remaining")) if isinstance(data, dict) else None)


def _job(row: dict[str, object], reply: HttpReply) -> Job:
    address = as_text(row.get("polling_url"))
    if address and len(address) > LONGEST_ADDRESS:
        address = None
    return job_of(row, reply)._replace(address=address)


DIALECT = OpenRouter()
