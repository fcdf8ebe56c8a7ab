"""OpenRouter.

Source of the wire facts: its Python SDK (`openrouter` 1.3) and its documentation, read in November
2026. No call has an idempotency key and there is no list of jobs: a lost create stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from ..reply_parsing import as_number, as_text, json_object
from ..types import About, Account, Handle, HttpReply, HttpRequest, ImageRequest, Job, VideoRequest
from ._dialect import Dialect
from ._jobs import LONGEST_ADDRESS, job_of, job_row, started
from ._prices import Price, by_second, by_text_token, by_video_token
from ._shared import picture_part, rows_of, without_none

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
            "input_references": [picture_part(p) for p in request.references] or None,
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

    def encode_public_lists(self) -> tuple[HttpRequest, ...]:
        """GET /models, for texts and pictures, and GET /videos/models."""
        return self.encode_models(), self.get("video", "/api/v1/videos/models")

    def decode_public_lists(self, replies: Sequence[HttpReply]) -> list[dict[str, object]]:
        """The models of both; of one that is in both what the list of videos says."""
        texts, videos = (rows_of(reply, "models") for reply in replies)
        rows = [_listed(row) for row in texts] + [_listed_video(row) for row in videos]
        return list({row["id"]: row for row in rows if isinstance(row["id"], str)}.values())

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


# What a price is of, by the lists of October 2026 as several public repositories have them. Prices
# by the megapixel, and of other clips than from a picture, are of no use here.
_SKU = re.compile(
    r"(?P<unit>cents_per_(?:video_output_second|second_output)|(?:image_to_video_)?duration_seconds"
    r"|video_tokens)(?P<audio>_with_audio|_without_audio)?(?:_(?P<resolution>\d{3,4}p|\dk))?"
)
_RESOLUTION = re.compile(r"[1-9]\d{2,3}p|[1-9]k")
_SOUND = {"_with_audio": True, "_without_audio": False, None: None}


def _listed(row: dict[str, object]) -> dict[str, object]:
    """A row of /models. Pictures are billed in ways that give no price of one."""
    about, pricing = row.get("architecture"), row.get("pricing")
    makes = about.get("output_modalities") if isinstance(about, dict) else None
    makes = makes if isinstance(makes, list) else []
    kind = next((kind for kind in ("video", "image") if kind in makes), "llm")
    prices: list[Price] = []
    if kind == "llm" and isinstance(pricing, dict):
        prices = by_text_token(pricing.get("prompt"), pricing.get("completion"))
    return {"id": row.get("id"), "kind": kind, "facts": {}, "prices": prices}


def _listed_video(row: dict[str, object]) -> dict[str, object]:
    """A row of /videos/models; what is null there is not known.

    But a null `seed` or `generate_audio` is a parameter that the model lacks: sent, it is a 400.
    """
    frames, sound = row.get("supported_frame_images"), row.get("generate_audio")
    given = row.get("supported_resolutions")
    named = given if isinstance(given, list) else []
    resolutions = [
        one.lower() for one in named if isinstance(one, str) and _RESOLUTION.fullmatch(one.lower())
    ]
    facts = {
        "durations": row.get("supported_durations"),
        "ratios": row.get("supported_aspect_ratios"),
        "resolutions": resolutions,
        "seed": row.get("seed") is True if "seed" in row else None,
        "audio_switch": False if row.get("generate_audio", 0) is None else None,
        "audio": {True: "switch", False: "never"}.get(sound) if isinstance(sound, bool) else None,
    }
    if isinstance(frames, list):
        facts |= {name: name in frames for name in ("first_frame", "last_frame")}
    return {"id": row.get("id"), "kind": "video", "facts": facts, "prices": _skus(row, resolutions)}


def _skus(row: dict[str, object], resolutions: list[str]) -> list[Price]:
    """The prices of a second in `pricing_skus`, whose names say what they are of."""
    skus = row.get("pricing_skus")
    found: list[Price] = []
    # Some makers have a price of its own for a clip from a picture: it goes before.
    for name, usd in sorted(skus.items() if isinstance(skus, dict) else (), key=_is_of_any_clip):
        sku = _SKU.fullmatch(name)
        if sku is None:
            continue
        audio, resolution = _SOUND[sku["audio"]], sku["resolution"]
        if sku["unit"] == "video_tokens":
            each = [resolution] if resolution else resolutions
            found += [p for one in each for p in by_video_token(usd, one, audio)]
        else:
            a_unit = 0.01 if sku["unit"].startswith("cents") else 1.0
            found += by_second(usd, resolution, audio, a_unit=a_unit)
    more: Price = {}
    if isinstance(skus, dict):
        if (cents := as_number(skus.get("cents_per_image_input"))) is not None:
            more["per_picture"] = cents / 100
        if (usd := as_number(skus.get("reference_images"))) is not None:
            more["per_reference"] = usd
    return [{**one, **more} for one in found]


def _is_of_any_clip(sku: tuple[str, object]) -> bool:
    return not sku[0].startswith("image_to_video")


DIALECT = OpenRouter()
