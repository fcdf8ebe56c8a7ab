"""The Vercel dialect: exact calls out, anything back in.

The bodies are those that @ai-sdk/gateway 4 sends; tests/clients compares them with it.
"""

from __future__ import annotations

import json

import pytest
from answers import (
    ENCODED,
    ENCODED_MP4,
    FRAME,
    MP4,
    OTHER,
    OTHER_ENCODED,
    PARTS,
    PNG,
    URI,
    clip,
    reply,
    said,
)
from factorized_video.errors import Refused, ToolError
from factorized_video.gateway.dialects.vercel import DIALECT as vercel
from factorized_video.gateway.reply_parsing import ErrorInside, Unreadable
from factorized_video.gateway.types import (
    Account,
    Handle,
    HttpRequest,
    ImageRequest,
    Picture,
    VideoRequest,
)

PROTOCOL = {"ai-gateway-protocol-version": "0.0.1", "ai-gateway-auth-method": "api-key"}


def of(kind: str, model: str, **more: str) -> dict[str, str]:
    """The headers of a call of the AI SDK's protocol."""
    return {**PROTOCOL, f"ai-{kind}-model-specification-version": "4", "ai-model-id": model, **more}


FIRST = {"type": "file", "mediaType": "image/png", "data": ENCODED}
LAST = {"type": "file", "mediaType": "image/jpeg", "data": OTHER_ENCODED}

# -- out ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            vercel.encode_image(ImageRequest("google/gemini-3-pro-image", "a fox", "9:16")),
            HttpRequest(
                "image",
                "POST",
                "/v1/chat/completions",
                {},
                {
                    "model": "google/gemini-3-pro-image",
                    "messages": [{"role": "user", "content": "a fox"}],
                    "modalities": ["text", "image"],
                    "providerOptions": {"google": {"imageConfig": {"aspectRatio": "9:16"}}},
                },
            ),
        ),
        (
            # Pictures to start from follow the text. The candidate's name has no place.
            vercel.encode_image(
                ImageRequest("gemini", "a fox", "9:16", None, (FRAME, OTHER), candidate="2r")
            ),
            HttpRequest(
                "image",
                "POST",
                "/v1/chat/completions",
                {},
                {
                    "model": "gemini",
                    "messages": [
                        {"role": "user", "content": [{"type": "text", "text": "a fox"}, *PARTS]}
                    ],
                    "modalities": ["text", "image"],
                    "providerOptions": {"google": {"imageConfig": {"aspectRatio": "9:16"}}},
                },
            ),
        ),
        (
            vercel.encode_image(ImageRequest("bytedance/seedream-4.5", "a fox", "16:9")),
            HttpRequest(
                "image",
                "POST",
                "/v4/ai/image-model",
                of("image", "bytedance/seedream-4.5"),
                {"prompt": "a fox", "n": 1, "aspectRatio": "16:9", "providerOptions": {}},
            ),
        ),
        (
            # Not the size that the model is known to make, but the ratio.
            vercel.encode_image(ImageRequest("openai/gpt-image-1", "a fox", "3:2", "1536x1024")),
            HttpRequest(
                "image",
                "POST",
                "/v4/ai/image-model",
                of("image", "openai/gpt-image-1"),
                {"prompt": "a fox", "n": 1, "aspectRatio": "3:2", "providerOptions": {}},
            ),
        ),
        (
            vercel.encode_image(
                ImageRequest("bfl/flux", "a fox", "16:9", None, (FRAME, OTHER), candidate="2r")
            ),
            HttpRequest(
                "image",
                "POST",
                "/v4/ai/image-model",
                of("image", "bfl/flux"),
                {
                    "prompt": "a fox",
                    "n": 1,
                    "aspectRatio": "16:9",
                    "providerOptions": {},
                    "files": [FIRST, LAST],
                },
            ),
        ),
        (vercel.encode_models(), HttpRequest("chat", "GET", "/v1/models", {})),
        (vercel.encode_check(), HttpRequest("video", "GET", "/v1/credits", {})),
    ],
)
def test_a_call_is_exactly_this(request_: HttpRequest, expected: HttpRequest) -> None:
    assert request_ == expected


BARE: dict[str, object] = {
    "prompt": "it runs",
    "n": 1,
    "aspectRatio": "16:9",
    "resolution": "1280x720",
    "duration": 6,
    "image": FIRST,
    "providerOptions": {},
}


@pytest.mark.parametrize(
    ("request_", "changes"),
    [
        (clip(), {}),
        (clip(seed=7), {"seed": 7}),
        (clip(seed=0), {"seed": 0}),
        (clip(audio=True), {"generateAudio": True}),
        (clip(audio=False), {"generateAudio": False}),
        (clip(ratio="9:16", shape="9:16"), {"aspectRatio": "9:16"}),
        (clip(ratio="adaptive"), {"aspectRatio": "adaptive"}),
        (clip(ratio=None), {"aspectRatio": None}),
        (clip(resolution="1080p"), {"resolution": "1920x1080"}),
        (clip(resolution="2k"), {"resolution": "2560x1440"}),
        (clip(resolution="4k"), {"resolution": "3840x2160"}),
        (clip(resolution="768p"), {"resolution": "1366x768"}),
        (clip(resolution="480p"), {"resolution": "854x480"}),
        # The size is always that of a wide clip; an upright one is given by its ratio.
        (
            clip(resolution="1080p", ratio="9:16", shape="9:16"),
            {"resolution": "1920x1080", "aspectRatio": "9:16"},
        ),
        (
            clip(resolution="480p", ratio="1:1", shape="1:1"),
            {"resolution": "854x480", "aspectRatio": "1:1"},
        ),
        (
            clip(frame=Picture(PNG, "image/jpeg")),
            {"image": {"type": "file", "mediaType": "image/jpeg", "data": ENCODED}},
        ),
        (clip(frame=None), {"image": None}),
        (clip(frame=None, ratio="9:16", shape="9:16"), {"image": None, "aspectRatio": "9:16"}),
        (
            clip(last=OTHER),
            {
                "frameImages": [
                    {"image": FIRST, "frameType": "first_frame"},
                    {"image": LAST, "frameType": "last_frame"},
                ]
            },
        ),
    ],
)
def test_a_start_contains_what_was_requested_and_no_more(
    request_: VideoRequest, changes: dict[str, object]
) -> None:
    http = vercel.encode_submit(request_)
    expected = {name: value for name, value in {**BARE, **changes}.items() if value is not None}
    assert (http.service, http.method, http.path) == ("video", "POST", "/v4/ai/video-model/start")
    assert http.body == expected
    assert json.loads(json.dumps(http.body)) == expected
    assert (http.headers, http.files, http.address) == (of("video", "m/v"), (), None)


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("google/veo-3.1-generate-001", "854x480"),
        ("bytedance/seedance-2.0", "864x496"),
        ("alibaba/wan-v2.6-i2v", "832x480"),
        ("spacexai/grok-imagine-video", "854x480"),
    ],
)
def test_480p_is_the_size_by_which_each_maker_knows_it(model: str, size: str) -> None:
    body = vercel.encode_submit(clip(model, resolution="480p")).body
    assert body and body["resolution"] == size


@pytest.mark.parametrize(
    ("model", "resolution", "shape", "size"),
    [
        ("alibaba/wan-v2.6-t2v", "720p", "16:9", "1280x720"),
        ("alibaba/wan-v2.6-t2v", "720p", "9:16", "720x1280"),
        ("alibaba/wan-v2.6-t2v", "720p", "1:1", "960x960"),
        ("alibaba/wan-v2.6-t2v", "1080p", "3:4", "1248x1632"),
        ("alibaba/wan-v2.6-t2v", "1080p", "9:16", "1080x1920"),
        ("alibaba/wan-v2.5-t2v-preview", "480p", "9:16", "480x832"),
        # From 2.7 on, and at the others, the ratio gives the shape.
        ("alibaba/wan-v2.7-t2v", "720p", "9:16", "1280x720"),
        ("alibaba/wan-v3.0-video", "1080p", "1:1", "1920x1080"),
        ("google/veo-3.1-generate-001", "720p", "9:16", "1280x720"),
    ],
)
def test_an_older_wan_gets_the_shape_of_a_clip_from_the_prompt_as_pixels(
    model: str, resolution: str, shape: str, size: str
) -> None:
    request = clip(model, frame=None, ratio=shape, resolution=resolution, shape=shape)
    body = vercel.encode_submit(request).body
    assert body and (body["resolution"], body["aspectRatio"]) == (size, shape)
    begun = vercel.encode_submit(request._replace(first_frame=FRAME)).body
    assert begun and begun["resolution"] in ("1280x720", "1920x1080", "832x480")


def test_a_starts_key_is_a_header_and_only_there() -> None:
    http = vercel.encode_submit(clip("google/veo-3.1-generate-001", key="take-1"))
    assert http.headers == of(
        "video", "google/veo-3.1-generate-001", **{"idempotency-key": "take-1"}
    )
    assert "take-1" not in json.dumps(http.body)
    again = vercel.encode_submit(clip("google/veo-3.1-generate-001"))
    assert "idempotency-key" not in again.headers  # nothing stays from one call to the next


# -- the operation --------------------------------------------------------------------------------

OPERATIONS: list[object] = [
    "op-1",
    "operations/1234/veo?x=1#y z",
    "x" * 5_000,
    "é ☃ 😀 \u2028",
    {"jobId": "vid_1", "sc": ""},
    {"b": 1, "a": [None, True, 1.5, {"deep": "é"}], "": {}},
    ["a", 1],
    17,
    -1.5,
    10**40,
    1e-7,
    True,
    # Texts that would mean something else if they were sent as they are.
    "17",
    "1e5",
    " 17 ",
    "true",
    "null",
    "NaN",
    "Infinity",
    '"quoted"',
    '{"jobId": "vid_1"}',
    "[1, 2]",
    '"',
    "{",
    "\\",
    "\n",
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda value: ascii(value)[:30])
def test_an_operation_of_any_kind_goes_back_as_it_came(operation: object) -> None:
    job = vercel.decode_submit(reply({"operation": operation, "warnings": []}))
    assert job.state == "running"
    assert isinstance(job.id, str)
    # As it is kept in a receipt and read again by a later run.
    kept = json.loads(json.dumps(job.id))
    http = vercel.encode_status(Handle(kept, "google/veo-3.1-generate-001"))
    assert (http.service, http.method, http.path) == ("video", "POST", "/v4/ai/video-model/status")
    assert http.headers == of("video", "google/veo-3.1-generate-001")
    assert http.body is not None
    returned = http.body["operation"]
    assert (returned, type(returned)) == (operation, type(operation))
    assert list(http.body) == ["operation"]


@pytest.mark.parametrize(("operation", "job_id"), [("op-1", "op-1"), ({"a": 1}, '{"a":1}')])
def test_an_operations_id_is_the_text_itself_or_short_json(operation: object, job_id: str) -> None:
    assert vercel.decode_submit(reply({"operation": operation})).id == job_id


def test_a_starts_warnings_and_request_id_are_kept() -> None:
    body = {
        "operation": "op-1",
        "warnings": [{"type": "unsupported", "message": "no seed"}, "other", {"type": "x"}],
        "providerMetadata": {"gateway": {"asyncJob": {"jobId": "vid_1"}}},
    }
    job = vercel.decode_submit(reply(body, x_vercel_id="fra1::1"))
    said = ("no seed", "other", "x")
    assert job.warnings == tuple(f"The gateway says: \u201c{one}\u201d" for one in said)
    assert job.request_id == "fra1::1"
    assert job.raw and job.raw["operation"] == "op-1"


@pytest.mark.parametrize("body", [{}, {"operation": None}, {"operation": ""}, {"id": "vid-1"}])
def test_a_start_without_an_operation_is_unreadable(body: object) -> None:
    with pytest.raises(Unreadable):
        vercel.decode_submit(reply(body))


# -- back: videos ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("videos", "url", "data"),
    [
        (
            [{"type": "url", "url": "https://a.b/v.mp4?s=1", "mediaType": "video/mp4"}],
            "https://a.b/v.mp4?s=1",
            None,
        ),
        ([{"type": "base64", "data": ENCODED_MP4, "mediaType": "video/mp4"}], None, MP4),
        ([{"type": "base64", "data": f"data:video/mp4;base64,{ENCODED_MP4}"}], None, MP4),
        ([{"type": "base64", "data": ENCODED_MP4}, {"type": "uploaded"}], None, MP4),
        ([{"type": "uploaded"}], None, None),
        ([], None, None),
        (None, None, None),
        ("text", None, None),
        ([None], None, None),
        ([{"type": "url", "url": ""}], None, None),
        ([{"type": "url", "url": 7}], None, None),
        ([{"type": "base64", "data": ""}], None, None),
        ([{"type": "base64", "data": 7}], None, None),
    ],
)
def test_a_finished_clip_comes_as_an_address_or_as_bytes(
    videos: object, url: str | None, data: bytes | None
) -> None:
    job = vercel.decode_status(reply({"status": "completed", "videos": videos}))
    assert (job.state, job.url, job.data) == ("succeeded", url, data)
    assert "s=1" not in json.dumps(job.raw)


def test_a_clip_that_is_not_base64_is_unreadable() -> None:
    body = {"status": "completed", "videos": [{"type": "base64", "data": "A"}]}
    with pytest.raises(Unreadable, match="not base64"):
        vercel.decode_status(reply(body))


def test_a_whole_clip_is_not_written_down() -> None:
    big = {"type": "base64", "data": "AAAA" * 100_000, "mediaType": "video/mp4"}
    job = vercel.decode_status(reply({"status": "completed", "videos": [big]}))
    assert job.data is not None
    assert len(job.data) == 300_000
    assert len(json.dumps(job.raw)) < 1_000


@pytest.mark.parametrize(
    ("about", "cost"),
    [
        ({"gateway": {"cost": "0.90", "generationId": "gen_1"}}, 0.90),
        ({"gateway": {"cost": 0.9}}, 0.9),
        ({"gateway": {"cost": "0"}}, 0.0),
        ({"gateway": {"cost": "-1"}}, None),
        ({"gateway": {"cost": "free"}}, None),
        ({"gateway": {}}, None),
        ({"gateway": "x"}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_the_cost_is_a_text_in_the_providers_metadata(about: object, cost: float | None) -> None:
    body = {"status": "completed", "videos": [], "providerMetadata": about}
    assert vercel.decode_status(reply(body)).cost == cost


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("content policy violation", "content policy violation"),
        ({"message": "GPU on fire", "type": "x"}, "GPU on fire"),
        ({"type": "internal_server_error"}, "internal_server_error"),
        (None, None),
        ("", None),
        (17, None),
        ([], None),
    ],
)
def test_a_failed_jobs_reason_is_read_in_any_shape(error: object, text: str | None) -> None:
    job = vercel.decode_status(reply({"status": "error", "error": error}))
    assert (job.state, job.error) == ("failed", text)


@pytest.mark.parametrize("body", [{}, {"status": None}, {"status": 3}, {"videos": []}])
def test_a_status_reply_without_a_word_is_unreadable(body: object) -> None:
    with pytest.raises(Unreadable):
        vercel.decode_status(reply(body))


def test_an_error_without_a_status_is_the_calls_own() -> None:
    body = {"error": {"message": "job not found", "type": "not_found"}, "generationId": "gen_1"}
    with pytest.raises(ErrorInside, match="job not found"):
        vercel.decode_status(reply(body))


def test_there_is_neither_a_list_nor_a_call_that_cancels() -> None:
    assert vercel.encode_list() is None
    assert vercel.encode_cancel(Handle("op", "m")) is None
    assert vercel.decode_list(reply({"data": [{"id": "a"}]})) == []


# -- back: pictures -------------------------------------------------------------------------------

DRAWN = {"type": "image_url", "image_url": {"url": URI}}


@pytest.mark.parametrize(
    ("body", "data", "url", "cost"),
    [
        ({"images": [ENCODED], "providerMetadata": {"gateway": {"cost": "0.04"}}}, PNG, None, 0.04),
        ({"images": [URI]}, PNG, None, None),
        ({"images": [ENCODED, "other"], "warnings": []}, PNG, None, None),
        ({"data": [{"b64_json": ENCODED}]}, PNG, None, None),
        ({"data": [{"url": "https://a.b/c?s=1"}]}, None, "https://a.b/c?s=1", None),
        (said({"content": "", "images": [DRAWN]}, usage={"cost": 0.05}), PNG, None, 0.05),
        (said({"content": "Here it is.", "images": [DRAWN, DRAWN]}), PNG, None, None),
        (said({"content": None, "images": [{"image_url": URI}]}), PNG, None, None),
        (said({"images": [{"image_url": {"url": "https://a.b/c"}}]}), None, "https://a.b/c", None),
        (
            said({"images": [DRAWN]}, providerMetadata={"gateway": {"cost": "0.134"}}),
            PNG,
            None,
            0.134,
        ),
    ],
)
def test_a_picture_is_read_in_the_form_of_either_call(
    body: object, data: bytes | None, url: str | None, cost: float | None
) -> None:
    came = vercel.decode_image(reply(body))
    assert (came.data, came.url, came.cost) == (data, url, cost)
    assert "s=1" not in json.dumps(came.raw)


@pytest.mark.parametrize(
    ("body", "family"),
    [
        ({"images": []}, Refused),
        ({"images": [None]}, Refused),
        ({"images": [""]}, Refused),
        ({"images": [{}]}, Refused),
        ({"images": "text"}, Unreadable),
        ({"images": ["A"]}, Unreadable),
        ({"images": None}, Unreadable),
        ({}, Unreadable),
        ({"choices": []}, Unreadable),
        ({"choices": None}, Unreadable),
        (said("text"), Unreadable),
        (said({"content": "I cannot draw that."}), Refused),
        (said({"content": "", "images": []}), Refused),
        (said({"content": "", "images": [None]}), Refused),
        (said({"content": "", "images": [{"image_url": None}]}), Refused),
        (
            said({"content": "", "images": [{"image_url": {"url": "data:image/png;base64,"}}]}),
            Unreadable,
        ),
        (said({"refusal": "no", "images": [DRAWN]}), Refused),
        ({"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]}, Refused),
        ({"error": {"message": "slow down", "type": "rate_limit_exceeded"}}, ErrorInside),
        ({"error": {"message": "no", "type": "content_policy_violation"}}, Refused),
    ],
)
def test_what_is_no_picture_is_an_error_of_its_kind(body: object, family: type[ToolError]) -> None:
    with pytest.raises(ToolError) as caught:
        vercel.decode_image(reply(body))
    assert type(caught.value) is family


def test_a_text_instead_of_a_picture_is_shown() -> None:
    with pytest.raises(Refused, match="it returned no image and wrote: I cannot draw that"):
        vercel.decode_image(reply(said({"content": "I cannot draw that."})))


# -- back: the account ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "balance"),
    [
        ({"balance": "95.50", "total_used": "4.50"}, 95.5),
        ({"balance": 0}, 0.0),
        ({"balance": "-1.5"}, -1.5),
        ({"balance": None}, None),
        ({"balance": {"usd": 5}}, None),
        ({}, None),
    ],
)
def test_the_balance_is_a_text_in_usd(body: object, balance: float | None) -> None:
    assert vercel.decode_check(reply(body)) == Account(balance)
