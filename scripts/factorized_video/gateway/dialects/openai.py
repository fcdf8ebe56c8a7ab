"""Servers in the shape of OpenAI's API: SGLang-Diffusion, vLLM-Omni, LiteLLM and their like.

OpenAI itself shut its Videos API down on 2026-09-24; the shape lives on. Source of the wire facts:
the engines' own source, read in November 2026; where they differ, what all of them accept is sent.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote

from ...aspect_ratios import pixels
from ..engine_replies import LITELLM_ROUTE, Meaning, meaning_of
from ..reply_parsing import Unreadable, as_number, as_wait, json_object
from ..types import (
    About,
    Account,
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
from ._shared import cost_in, data_uri, megapixel

# LiteLLM sends a create up to three times when its upstream fails, and each may be billed.
_ONCE = {"x-litellm-num-retries": "0"}


class OpenAI(Dialect):
    """A server of your own, wherever you run it, with or without a key."""

    ABOUT = About("an OpenAI-shaped server")
    OF_ADDRESSES = f"An engine may have answered with an address of its own. {LITELLM_ROUTE}"

    def encode_image(self, request: ImageRequest) -> HttpRequest:
        """POST /images/generations. The shape goes as pixels, about one megapixel.

        With pictures it is POST /images/edits, a form with the same fields; one picture is the file
        `image`, several are `image[]`.
        """
        body: dict[str, object] = {
            "model": request.model,
            "prompt": request.prompt,
            "n": 1,
            "size": request.size or megapixel(request.aspect_ratio),
        }
        if "gpt-image" not in request.model:  # these always send base64, and know no such field
            body["response_format"] = "b64_json"
            if request.seed is not None:
                body["seed"] = request.seed
        body |= request.fields
        # One picture is not sent as a list: versions of LiteLLM (until 1.102) fail on `image[]`.
        name = "image" if len(request.pictures) == 1 else "image[]"
        files = tuple((name, picture) for picture in request.pictures)
        path = "/v1/images/edits" if files else "/v1/images/generations"
        return self.post("image", path, body, _ONCE, files)

    def encode_submit(self, request: VideoRequest) -> HttpRequest:
        """POST /videos as multipart/form-data, with or without a file: vLLM-Omni reads no JSON.

        Its own fields for sound, and for two pictures in order, are vLLM-Omni's; other servers
        ignore the first, and callers send the second only for models that take a last frame.
        """
        fields: dict[str, object] = {
            "prompt": request.prompt,
            "model": request.model,
            "seconds": str(request.duration_s),
            "size": request.settings.get("size") or pixels(request.resolution, request.shape),
        }
        if "seed" in request.settings:
            fields["seed"] = str(request.settings["seed"])
        if request.settings.get("audio") == "wanted":
            fields["generate_sound"] = "true"
        own = request.settings.get("fields", {}).items()
        fields |= {name: one if isinstance(one, str) else json.dumps(one) for name, one in own}
        if request.last_frame:
            pictures = [{"image_url": data_uri(one)} for one in request.frames.values()]
            fields["image_reference"] = json.dumps(pictures)
            return self.post("video", "/v1/videos", fields, _ONCE)._replace(form=True)
        files = (("input_reference", request.first_frame),) if request.first_frame else ()
        return self.post("video", "/v1/videos", fields, _ONCE, files)._replace(form=True)

    def decode_submit(self, reply: HttpReply) -> Job:
        """The job. LiteLLM sends its cost here, in a header; in later replies it says 0 there."""
        row = job_row(reply)
        return started(_job(row, reply), reply)._replace(cost=cost_in(row, reply))

    def encode_status(self, job: Handle) -> HttpRequest:
        """GET /videos/{id}. Ids may be long and contain what a path must not."""
        return self.get("video", _path(job.id))

    def decode_status(self, reply: HttpReply) -> Job:
        """The job; see `result_path`."""
        return _job(job_row(reply), reply)

    def result_path(self, job: Handle) -> str:
        """/videos/{id}/content, with the key."""
        return f"{_path(job.id)}/content"

    def encode_list(self, seen: Sequence[ListedJob] = ()) -> HttpRequest:
        """GET /videos."""
        after = f"&after={quote(seen[-1].id, safe='')}" if seen else ""
        return self.get("video", f"/v1/videos?limit=50&order=desc{after}")

    def decode_list(self, reply: HttpReply) -> list[ListedJob]:
        """Its rows."""
        return listed_jobs(reply, duration="seconds")

    def encode_check(self) -> HttpRequest:
        """GET /models, of the server that will make the video."""
        return self.get("video", "/v1/models")

    def decode_check(self, reply: HttpReply) -> Account:
        """Its models, where that is a list of them."""
        json_object(reply)
        try:
            return Account(models=tuple(self.decode_models(reply)))
        except Unreadable:
            return Account()

    def meaning(self, service: str, reply: HttpReply) -> Meaning:
        """As engines and proxies say it."""
        return meaning_of(service, reply)

    def encode_cancel(self, job: Handle) -> HttpRequest:
        """DELETE /videos/{id}. What that does to a running job is up to the server."""
        return HttpRequest("video", "DELETE", _path(job.id), {})


def _path(job_id: str) -> str:
    return f"/v1/videos/{quote(job_id, safe='')}"


def _job(row: dict[str, object], reply: HttpReply) -> Job:
    after_s = (as_number(reply.headers.get("openai-poll-after-ms")) or 0.0) / 1000
    # LiteLLM says 0 for the cost of a status read.
    return job_of(row, reply)._replace(poll_after_s=as_wait(after_s), cost=None)


DIALECT = OpenAI()
