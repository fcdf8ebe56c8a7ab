"""The OpenRouter dialect: exact calls out, anything back in.

The bodies are those that the `openrouter` package sends; tests/clients compares them with it.
"""

from __future__ import annotations

import json

import pytest
from answers import ENCODED, FRAME, OTHER, PARTS, PNG, URI, clip, reply, said
from factorized_video.errors import Refused, ToolError
from factorized_video.gateway.dialects.openrouter import DIALECT as openrouter
from factorized_video.gateway.reply_parsing import ErrorInside, Unreadable
from factorized_video.gateway.types import (
    Account,
    Handle,
    HttpRequest,
    ImageRequest,
    Picture,
    VideoRequest,
)

# -- out ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            # The candidate's name has no place here.
            openrouter.encode_image(ImageRequest("m", "a", "1:1", None, (FRAME, OTHER), "2r")),
            HttpRequest(
                "image",
                "POST",
                "/api/v1/images",
                {},
                {"model": "m", "prompt": "a", "aspect_ratio": "1:1", "input_references": PARTS},
            ),
        ),
        (
            openrouter.encode_image(ImageRequest("bytedance-seed/seedream-4.5", "a fox", "16:9")),
            HttpRequest(
                "image",
                "POST",
                "/api/v1/images",
                {},
                {"model": "bytedance-seed/seedream-4.5", "prompt": "a fox", "aspect_ratio": "16:9"},
            ),
        ),
        (
            # Gemini has the same call; a known size is not sent.
            openrouter.encode_image(ImageRequest("google/gemini-3-pro-image", "a", "2:3", "9x9")),
            HttpRequest(
                "image",
                "POST",
                "/api/v1/images",
                {},
                {"model": "google/gemini-3-pro-image", "prompt": "a", "aspect_ratio": "2:3"},
            ),
        ),
        (
            openrouter.encode_models(),
            HttpRequest("chat", "GET", "/api/v1/models?output_modalities=all", {}),
        ),
        (openrouter.encode_check(), HttpRequest("video", "GET", "/api/v1/key", {})),
    ],
)
def test_a_call_is_exactly_this(request_: HttpRequest, expected: HttpRequest) -> None:
    assert request_ == expected


FIRST = {"type": "image_url", "image_url": {"url": URI}, "frame_type": "first_frame"}
BARE: dict[str, object] = {
    "model": "m/v",
    "prompt": "it runs",
    "duration": 6,
    "resolution": "720p",
    "aspect_ratio": "16:9",
    "frame_images": [FIRST],
}
JPEG = {**FIRST, "image_url": {"url": URI.replace("png", "jpeg", 1)}}


@pytest.mark.parametrize(
    ("request_", "changes"),
    [
        (clip(), {}),
        (clip(seed=7), {"seed": 7}),
        (clip(seed=0), {"seed": 0}),
        (clip(audio=True), {"generate_audio": True}),
        (clip(audio=False), {"generate_audio": False}),
        (clip(ratio="9:16", shape="9:16"), {"aspect_ratio": "9:16"}),
        (clip(ratio=None), {"aspect_ratio": None}),
        (clip(ratio="adaptive"), {"aspect_ratio": None}),
        (clip(resolution="480p"), {"resolution": "480p"}),
        (clip(resolution="768p"), {"resolution": "768p"}),
        (clip(resolution="1080p"), {"resolution": "1080p"}),
        (clip(resolution="2k"), {"resolution": "2K"}),
        (clip(resolution="4k"), {"resolution": "4K"}),
        (clip(key="take-1"), {}),  # there is no such thing here
        (clip(frame=Picture(PNG, "image/jpeg")), {"frame_images": [JPEG]}),
        (clip(frame=None), {"frame_images": None}),
        (clip(frame=None, ratio="adaptive"), {"frame_images": None, "aspect_ratio": None}),
        (clip(last=OTHER), {"frame_images": [FIRST, {**PARTS[1], "frame_type": "last_frame"}]}),
    ],
)
def test_a_create_contains_what_was_requested_and_no_more(
    request_: VideoRequest, changes: dict[str, object]
) -> None:
    http = openrouter.encode_submit(request_)
    expected = {name: value for name, value in {**BARE, **changes}.items() if value is not None}
    assert http == HttpRequest("video", "POST", "/api/v1/videos", {}, expected)
    assert json.loads(json.dumps(http.body)) == expected


@pytest.mark.parametrize(
    ("handle", "path", "address"),
    [
        (Handle("gen-1", "m"), "/api/v1/videos/gen-1", None),
        (Handle("a/b?c#d é", "m"), "/api/v1/videos/a%2Fb%3Fc%23d%20%C3%A9", None),
        (Handle("../key", "m"), "/api/v1/videos/..%2Fkey", None),
        (Handle("x" * 3_000, "m"), "/api/v1/videos/" + "x" * 3_000, None),
        (
            Handle("gen-1", "m", "/api/v1/videos/gen-1?w=2"),
            "/api/v1/videos/gen-1",
            "/api/v1/videos/gen-1?w=2",
        ),
        (
            Handle("gen-1", "m", "https://openrouter.ai/x"),
            "/api/v1/videos/gen-1",
            "https://openrouter.ai/x",
        ),
    ],
)
def test_a_status_is_read_at_the_address_of_the_create(
    handle: Handle, path: str, address: str | None
) -> None:
    http = openrouter.encode_status(handle)
    assert http == HttpRequest("video", "GET", path, {}, address=address)


# -- back: videos ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "address"),
    [
        (
            {"id": "gen-1", "polling_url": "/api/v1/videos/gen-1", "status": "pending"},
            "/api/v1/videos/gen-1",
        ),
        (
            {"id": "gen-1", "polling_url": "https://openrouter.ai/api/v1/videos/gen-1"},
            "https://openrouter.ai/api/v1/videos/gen-1",
        ),
        ({"id": "gen-1", "polling_url": ""}, None),
        ({"id": "gen-1", "polling_url": 7}, None),
        ({"id": "gen-1"}, None),
    ],
)
def test_a_submitted_job_runs_and_keeps_its_address(body: object, address: str | None) -> None:
    job = openrouter.decode_submit(reply(body, 202, cf_ray="r-1"))
    assert (job.id, job.state, job.address) == ("gen-1", "running", address)
    assert job.request_id == "r-1"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": ""},
        {"id": " "},
        {"id": None},
        {"id": True},
        {"id": ["v"]},
        {"status": "pending"},
        {"polling_url": "/api/v1/videos/gen-1"},
        {"data": {"name": "v-1"}},
    ],
)
def test_a_job_without_an_id_is_unreadable(body: object) -> None:
    with pytest.raises(Unreadable):
        openrouter.decode_submit(reply(body, 202))


SIGNED, OWN = "https://cdn.example/v.mp4?sig=1", "/api/v1/videos/gen-1/content?index=0"


@pytest.mark.parametrize(
    ("places", "url"),
    [
        ({"urls": [SIGNED], "unsigned_urls": [OWN]}, SIGNED),
        ({"unsigned_urls": [OWN], "urls": [SIGNED, "https://other"]}, SIGNED),
        ({"unsigned_urls": [OWN]}, OWN),
        ({"urls": [], "unsigned_urls": [OWN]}, OWN),
        ({"urls": None, "unsigned_urls": [OWN]}, OWN),
        ({"urls": [None], "unsigned_urls": [OWN]}, OWN),
        ({"urls": [""], "unsigned_urls": [OWN, "x"]}, OWN),
        ({"urls": "text", "unsigned_urls": {"0": OWN}}, None),
        ({"urls": [[SIGNED]]}, None),
        ({}, None),
    ],
)
def test_a_signed_address_is_preferred_to_one_that_needs_the_key(
    places: dict[str, object], url: str | None
) -> None:
    job = openrouter.decode_status(reply({"id": "gen-1", "status": "completed", **places}))
    assert (job.state, job.url) == ("succeeded", url)
    assert "sig=1" not in json.dumps(job.raw)
    assert "sig=1" not in repr(job)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"cost": 0.9, "is_byok": False}, 0.9),
        ({"cost": "0.9"}, 0.9),
        ({"cost": 0}, 0.0),
        ({"cost": None}, None),
        ({"cost": -1}, None),
        ({"cost": True}, None),
        ({}, None),
        (None, None),
        ([0.9], None),
    ],
)
def test_the_cost_is_in_usage(usage: object, cost: float | None) -> None:
    body = {"id": "gen-1", "status": "completed", "usage": usage}
    assert openrouter.decode_status(reply(body)).cost == cost


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (None, None),
        ("", None),
        ("Content policy", "Content policy"),
        ({"message": "GPU on fire", "code": 502}, "GPU on fire"),
        ({"code": "gpu"}, "gpu"),
        ({"code": 502}, None),
        ({}, None),
        (["x"], None),
    ],
)
def test_a_failed_jobs_reason_is_read_in_any_shape(error: object, text: str | None) -> None:
    job = openrouter.decode_status(reply({"id": "gen-1", "status": "failed", "error": error}))
    assert (job.state, job.error) == ("failed", text)


@pytest.mark.parametrize("body", [{}, {"id": None, "status": ""}, {"urls": [SIGNED]}])
def test_a_status_reply_of_no_job_is_unreadable(body: object) -> None:
    with pytest.raises(Unreadable):
        openrouter.decode_status(reply(body))


def test_an_error_without_a_status_is_the_calls_own() -> None:
    body = {"error": {"code": 404, "message": "Job not found"}, "user_id": "u"}
    with pytest.raises(ErrorInside, match="Job not found") as caught:
        openrouter.decode_status(reply(body))
    assert caught.value.status == 404


def test_there_is_neither_a_list_nor_a_call_that_cancels() -> None:
    assert openrouter.encode_list() is None
    assert openrouter.encode_cancel(Handle("gen-1", "m")) is None
    assert openrouter.decode_list(reply({"data": [{"id": "a"}]})) == []


# -- back: pictures and the account ---------------------------------------------------------------


def test_a_picture_comes_with_its_cost() -> None:
    body = {
        "created": 1,
        "data": [{"b64_json": ENCODED, "media_type": "image/png"}],
        "usage": {"cost": 0.04},
    }
    came = openrouter.decode_image(reply(body))
    assert (came.data, came.url, came.cost) == (PNG, None, 0.04)


@pytest.mark.parametrize(
    ("body", "family"),
    [
        ({"data": []}, Refused),
        ({"data": [{"media_type": "image/png"}]}, Refused),
        ({"data": None}, Unreadable),
        ({"data": [{"b64_json": "A"}]}, Unreadable),
        (said({"content": "I cannot draw that."}), Unreadable),
        ({"error": {"code": 402, "message": "Insufficient credits"}}, ErrorInside),
        (
            {"error": {"code": 403, "message": "x", "metadata": {"reasons": ["violence"]}}},
            ErrorInside,
        ),
        (
            {"error": {"code": 403, "message": "Your input was flagged by moderation: moderated"}},
            Refused,
        ),
    ],
)
def test_what_is_no_picture_is_an_error_of_its_kind(body: object, family: type[ToolError]) -> None:
    with pytest.raises(ToolError) as caught:
        openrouter.decode_image(reply(body))
    assert type(caught.value) is family


@pytest.mark.parametrize(
    ("body", "balance"),
    [
        ({"data": {"label": "sk-or-v1-a...b", "limit": 10, "limit_remaining": 7.5}}, 7.5),
        ({"data": {"limit": None, "limit_remaining": None}}, None),
        ({"data": {"limit_remaining": 0}}, 0.0),
        ({"data": {"limit_remaining": -0.5}}, -0.5),
        ({"data": {}}, None),
        ({"data": [1]}, None),
        ({}, None),
    ],
)
def test_what_a_key_may_still_spend_is_read(body: object, balance: float | None) -> None:
    assert openrouter.decode_check(reply(body)) == Account(balance)
