"""The dialect of servers in OpenAI's shape: exact calls out, anything back in.

The form is the one that the `openai` package sends; tests/clients compares it with that.
"""

from __future__ import annotations

import json

import pytest
from answers import ENCODED, FRAME, OTHER, OTHER_ENCODED, PNG, clip, reply
from factorized_video.errors import Refused, ToolError
from factorized_video.gateway.dialects._shared import data_uri
from factorized_video.gateway.dialects.openai import DIALECT as openai
from factorized_video.gateway.reply_parsing import ErrorInside, Unreadable, failed_job_in
from factorized_video.gateway.types import (
    Account,
    Handle,
    HttpRequest,
    ImageRequest,
    ListedJob,
    Picture,
    VideoRequest,
)

SGLANG_PLACE = "/v1/images/a9531bcb-1442-4ab2-ab2a-9600881a5911/content"
ONCE = {"x-litellm-num-retries": "0"}

# -- out ------------------------------------------------------------------------------------------


def picture(model: str, size: str, **more: object) -> HttpRequest:
    """The call that generates a fox."""
    body: dict[str, object] = {"model": model, "prompt": "a fox", "n": 1, "size": size, **more}
    return HttpRequest("image", "POST", "/v1/images/generations", ONCE, body)


def edit(*files: tuple[str, Picture], **fields: object) -> HttpRequest:
    """The form that generates a fox from pictures."""
    body = {"prompt": "a fox", "n": 1, **fields}
    return HttpRequest("image", "POST", "/v1/images/edits", ONCE, body, files=files)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (openai.encode_models(), HttpRequest("chat", "GET", "/v1/models", {})),
        (openai.encode_check(), HttpRequest("video", "GET", "/v1/models", {})),
        (openai.encode_list(), HttpRequest("video", "GET", "/v1/videos?limit=50&order=desc", {})),
        (
            openai.encode_image(ImageRequest("gpt-image-1", "a fox", "3:2", "1536x1024")),
            picture("gpt-image-1", "1536x1024"),
        ),
        (
            openai.encode_image(ImageRequest("openai/gpt-image-2", "a fox", "16:9")),
            picture("openai/gpt-image-2", "1280x720"),
        ),
        (
            openai.encode_image(ImageRequest("flux", "a fox", "1:1")),
            picture("flux", "1024x1024", response_format="b64_json"),
        ),
        (
            openai.encode_image(ImageRequest("flux", "a fox", "9:16")),
            picture("flux", "720x1280", response_format="b64_json"),
        ),
        (
            # The candidate's name has no place here.
            openai.encode_image(ImageRequest("flux", "a fox", "1:1", None, (OTHER,), "2r")),
            edit(("image", OTHER), model="flux", size="1024x1024", response_format="b64_json"),
        ),
        (
            openai.encode_image(ImageRequest("flux", "a fox", "1:1", None, (FRAME, OTHER))),
            edit(
                ("image[]", FRAME),
                ("image[]", OTHER),
                model="flux",
                size="1024x1024",
                response_format="b64_json",
            ),
        ),
        (
            openai.encode_image(ImageRequest("gpt-image-1", "a fox", "3:2", "1536x1024", (FRAME,))),
            edit(("image", FRAME), model="gpt-image-1", size="1536x1024"),
        ),
    ],
)
def test_a_call_is_exactly_this(request_: HttpRequest, expected: HttpRequest) -> None:
    assert request_ == expected


@pytest.mark.parametrize(
    "ratio",
    ["1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3", "21:9", "9:21", "5:4", "4:5", "37:20"],
)
def test_a_pictures_size_is_of_its_ratio_and_near_a_megapixel(ratio: str) -> None:
    body = openai.encode_image(ImageRequest("flux", "x", ratio)).body
    assert body is not None
    wide, high = (int(part) for part in str(body["size"]).split("x"))
    first, second = (int(part) for part in ratio.split(":"))
    assert wide * second == high * first
    assert (wide % 16, high % 16) == (0, 0)
    assert 0.7 <= wide * high / (1 << 20) <= 1.35


def test_seed_and_fields_of_a_picture_are_numbers_in_json_and_in_a_form() -> None:
    request = ImageRequest(
        "qwen", "a fox", "1:1", seed=7, fields={"num_inference_steps": 30, "negative_prompt": "fog"}
    )
    own = {"seed": 7, "num_inference_steps": 30, "negative_prompt": "fog"}
    size: dict[str, object] = {"size": "1024x1024", "response_format": "b64_json"}
    assert openai.encode_image(request) == picture("qwen", **size, **own)  # type: ignore[arg-type]
    edited = openai.encode_image(request._replace(pictures=(OTHER,)))
    assert edited == edit(("image", OTHER), model="qwen", **size, **own)
    # OpenAI's own models know no seed.
    body = openai.encode_image(ImageRequest("gpt-image-1", "a fox", "1:1", seed=7)).body
    assert body is not None and "seed" not in body


def test_two_pictures_go_as_a_list_in_order() -> None:
    http = openai.encode_submit(clip(last=OTHER))
    assert http.files == () and http.form and http.body is not None
    rows = json.loads(str(http.body["image_reference"]))
    assert [row["image_url"] for row in rows] == [data_uri(FRAME), data_uri(OTHER)]


def sent(**settings: object) -> VideoRequest:
    """A clip with more settings."""
    return clip()._replace(settings=settings)


BARE: dict[str, object] = {"prompt": "it runs", "model": "m/v", "seconds": "6", "size": "1280x720"}


@pytest.mark.parametrize(
    ("request_", "changes"),
    [
        (clip(), {}),
        (clip(seed=7), {"seed": "7"}),
        (clip(seed=0), {"seed": "0"}),
        (clip(audio=True), {}),  # there is no field for sound
        (clip(audio=False), {}),
        (clip(key="take-1"), {}),
        (sent(audio="wanted"), {"generate_sound": "true"}),  # vLLM-Omni's
        (sent(audio="none"), {}),
        (sent(size="832x480"), {"size": "832x480"}),
        (
            sent(fields={"fps": 16, "num_frames": 81, "tiled": True, "negative_prompt": "blur"}),
            {"fps": "16", "num_frames": "81", "tiled": "true", "negative_prompt": "blur"},
        ),
        (clip(ratio=None), {}),
        (clip(ratio="adaptive"), {}),
        (clip(ratio="9:16", shape="9:16"), {"size": "720x1280"}),
        (clip(shape="9:16"), {"size": "720x1280"}),  # the clip's shape, whatever the ratio says
        (clip(shape="1:1"), {"size": "720x720"}),
        (clip(shape="21:9"), {"size": "1680x720"}),
        (clip(resolution="480p"), {"size": "854x480"}),
        (clip(resolution="480p", shape="9:16"), {"size": "480x854"}),
        (clip(resolution="768p"), {"size": "1366x768"}),
        (clip(resolution="1080p"), {"size": "1920x1080"}),
        (clip(resolution="2k"), {"size": "2560x1440"}),
        (clip(resolution="4k"), {"size": "3840x2160"}),
        (clip(resolution="4k", shape="9:16"), {"size": "2160x3840"}),
    ],
)
def test_a_create_is_a_form_of_texts_with_one_file(
    request_: VideoRequest, changes: dict[str, object]
) -> None:
    http = openai.encode_submit(request_)
    assert http == HttpRequest(
        "video",
        "POST",
        "/v1/videos",
        ONCE,
        {**BARE, **changes},
        files=(("input_reference", FRAME),),
        form=True,
    )
    assert http.body and all(isinstance(value, str) for value in http.body.values())


def test_a_create_from_the_prompt_alone_is_a_form_without_a_file() -> None:
    http = openai.encode_submit(clip(frame=None, ratio="9:16", shape="9:16", seed=7))
    fields = {**BARE, "size": "720x1280", "seed": "7"}
    assert http == HttpRequest("video", "POST", "/v1/videos", ONCE, fields, form=True)


def test_a_create_sends_the_file_as_what_it_is() -> None:
    frame = Picture(PNG, "image/webp")
    assert openai.encode_submit(clip(frame=frame)).files == (("input_reference", frame),)


IDS = [
    ("video_1", "video_1"),
    ("a/b?c#d é", "a%2Fb%3Fc%23d%20%C3%A9"),
    ("../models", "..%2Fmodels"),
    ("a%2Fb", "a%252Fb"),
    # LiteLLM's own: base64 of provider, model and id.
    ("video_" + "bGl0ZWxsbTpjdXN0b20+/=" * 40, "video_" + "bGl0ZWxsbTpjdXN0b20%2B%2F%3D" * 40),
]


@pytest.mark.parametrize(("job_id", "quoted"), IDS)
def test_an_id_is_quoted_in_every_path(job_id: str, quoted: str) -> None:
    path = f"/v1/videos/{quoted}"
    # An address that some reply named is not for this dialect.
    handle = Handle(job_id, "m", "https://elsewhere.example/status")
    assert openai.encode_status(handle) == HttpRequest("video", "GET", path, {})
    assert openai.encode_cancel(handle) == HttpRequest("video", "DELETE", path, {})
    assert openai.result_path(handle) == f"{path}/content"


# -- back: videos ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "job_id"),
    [
        ({"id": "video_1", "object": "video", "status": "queued", "progress": 0}, "video_1"),
        ({"id": "video_1"}, "video_1"),
        ({"id": " video_1\n", "status": "queued"}, "video_1"),
        ({"id": 17, "status": "queued"}, "17"),
        ({"id": 0, "status": "queued"}, "0"),
    ],
)
def test_a_submitted_job_has_an_id_and_runs(body: object, job_id: str) -> None:
    job = openai.decode_submit(reply(body, x_request_id="r-1"))
    assert (job.id, job.state, job.url, job.request_id) == (job_id, "running", None, "r-1")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": ""},
        {"id": " "},
        {"id": None},
        {"id": True},
        {"id": ["v"]},
        {"id": 1.5},
        {"status": "queued"},
        {"data": [{"url": "https://a.b/v.mp4"}]},
    ],
)
def test_a_job_without_an_id_is_unreadable(body: object) -> None:
    with pytest.raises(Unreadable):
        openai.decode_submit(reply(body))


@pytest.mark.parametrize(
    ("header", "cost"),
    [("0.42", 0.42), ("0", 0.0), ("", None), ("None", None), ("-1", None), ("nan", None)],
)
def test_only_the_create_has_its_cost_in_the_header(header: str, cost: float | None) -> None:
    created = reply({"id": "v", "status": "queued"}, x_litellm_response_cost=header)
    assert openai.decode_submit(created).cost == cost
    # Later replies say 0 there, which would hide what was paid.
    done = reply({"id": "v", "status": "completed"}, x_litellm_response_cost="0.0")
    assert openai.decode_status(done).cost is None


@pytest.mark.parametrize(
    ("header", "after_s"),
    [("2500", 2.5), ("0", 0.0), ("20", 0.02), ("", 0.0), ("soon", 0.0), ("inf", 0.0)],
)
def test_a_server_may_ask_for_a_pause_between_status_reads(header: str, after_s: float) -> None:
    running = reply({"id": "v", "status": "in_progress"}, openai_poll_after_ms=header)
    assert openai.decode_status(running).poll_after_s == after_s


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (None, None),
        ("", None),
        ("CUDA out of memory", "CUDA out of memory"),
        ({"code": "moderation", "message": "blocked"}, "blocked"),
        ({"code": "moderation", "message": None}, "moderation"),
        ({"code": 500}, None),
        ({}, None),
        (["x"], None),
    ],
)
def test_a_failed_jobs_reason_is_read_in_any_shape(error: object, text: str | None) -> None:
    job = openai.decode_status(reply({"id": "v", "status": "failed", "error": error}))
    assert (job.state, job.error) == ("failed", text)


@pytest.mark.parametrize("body", [{}, {"id": None, "status": ""}, {"detail": "Not Found"}])
def test_a_status_reply_of_no_job_is_unreadable(body: object) -> None:
    with pytest.raises(Unreadable):
        openai.decode_status(reply(body))


def test_an_error_without_a_status_is_the_calls_own() -> None:
    with pytest.raises(ErrorInside, match="No such video"):
        openai.decode_status(reply({"error": {"message": "No such video", "code": "not_found"}}))


# -- a failed job's row, answered as an error -----------------------------------------------------

ROW = {
    "id": "video_1",
    "object": "video",
    "status": "failed",
    "progress": 0,
    "model": "wan",
    "error": {"code": "generation_failed", "message": "CUDA out of memory"},
}
PROXY = "litellm.InternalServerError: OpenAIException - "


def in_message(text: str) -> dict[str, object]:
    """A LiteLLM proxy's error with this message."""
    return {"error": {"message": text, "type": None, "param": None, "code": "500"}}


@pytest.mark.parametrize(
    "body",
    [
        ROW,  # vLLM-Omni, with 500
        in_message(PROXY + json.dumps(ROW)),
        in_message(PROXY + json.dumps(ROW) + ". Received Model Group=wan\nRetries: 0"),
        {"detail": json.dumps(ROW)},
    ],
)
def test_the_row_of_a_failed_job_is_found_in_an_error_reply(body: object) -> None:
    row = failed_job_in(json.dumps(body).encode())
    assert row is not None
    job = openai.decode_status(reply(row, 500))
    assert (job.id, job.state, job.error) == ("video_1", "failed", "CUDA out of memory")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>500</html>",
        b"[]",
        b"null",
        b'{"id": "v", "status": "fai',
        {**ROW, "status": "in_progress"},
        {**ROW, "status": "completed"},
        {**ROW, "id": ""},
        {key: value for key, value in ROW.items() if key != "id"},
        {"status": "failed"},
        {"id": "v", "status": ["failed"]},
        in_message("CUDA out of memory"),
        in_message(PROXY + json.dumps(ROW)[:40]),
        in_message(PROXY + json.dumps({**ROW, "status": "queued"})),
        in_message(PROXY + "{'id': 'v', 'status': 'failed'}"),
        in_message("{} " + json.dumps(ROW)),  # only the first object is looked at
        in_message("{" * 50_000),
        b'{"error":' * 50_000,
        {"error": {"message": {"id": "v"}}},
    ],
)
def test_no_other_error_counts_as_a_failed_job(body: object) -> None:
    assert failed_job_in(body if isinstance(body, bytes) else json.dumps(body).encode()) is None


# -- back: the list -------------------------------------------------------------------------------

NOTHING = ListedJob("a", None, None, None, None, None)


@pytest.mark.parametrize(
    ("row", "listed"),
    [
        (
            {
                "id": "a",
                "object": "video",
                "created_at": 1_795_341_600,
                "status": "completed",
                "model": "wan",
                "prompt": "it runs",
                "seconds": "8",
                "size": "1280x720",
            },
            ListedJob("a", "wan", "it runs", 8, None, 1_795_341_600.0, "1280x720"),
        ),
        ({"id": "a", "seconds": 8}, NOTHING._replace(duration_s=8)),
        ({"id": "a", "seconds": "8.0"}, NOTHING._replace(duration_s=8)),
        ({"id": "a", "seconds": "8.5"}, NOTHING),
        ({"id": "a", "seconds": "long", "size": 720, "model": 1, "prompt": []}, NOTHING),
        (
            {"id": "a", "created_at": "2026-11-22T10:00:00Z"},
            NOTHING._replace(created_at=1_795_341_600.0),
        ),
        ({"id": 17}, NOTHING._replace(id="17")),
    ],
)
def test_a_listed_row_may_lack_fields(row: dict[str, object], listed: ListedJob) -> None:
    body = {"object": "list", "data": [row], "has_more": False}
    assert openai.decode_list(reply(body)) == [listed]


def test_a_list_keeps_its_order_and_leaves_out_what_is_no_row() -> None:
    rows = openai.decode_list(reply({"data": [{"id": "a"}, None, "x", {}, [], {"id": "b"}]}))
    assert [row.id for row in rows] == ["a", "b"]
    assert openai.decode_list(reply({"data": []})) == []


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": {}}, {"data": "x"}])
def test_what_is_no_list_is_unreadable(body: object) -> None:
    with pytest.raises(Unreadable):
        openai.decode_list(reply(body))


# -- back: pictures and the check -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "headers", "data", "url", "cost"),
    [
        ({"created": 1, "data": [{"b64_json": ENCODED}]}, {}, PNG, None, None),
        ({"data": [{"b64_json": ENCODED}]}, {"x_litellm_response_cost": "0.04"}, PNG, None, 0.04),
        (
            {"data": [{"b64_json": ENCODED}], "usage": {"cost": 0.05}},
            {"x_litellm_response_cost": "0.04"},
            PNG,
            None,
            0.05,
        ),
        ({"data": [{"url": "/generated-images/a.png"}]}, {}, None, "/generated-images/a.png", None),
        # As long as base64, and of no other letters.
        ({"data": [{"b64_json": None, "url": SGLANG_PLACE}]}, {}, None, SGLANG_PLACE, None),
        ({"data": [{"b64_json": OTHER_ENCODED}]}, {}, OTHER.data, None, None),
        (
            {"data": [{"url": "http://127.0.0.1:8080/a.png"}]},
            {},
            None,
            "http://127.0.0.1:8080/a.png",
            None,
        ),
    ],
)
def test_a_picture_comes_as_bytes_or_as_an_address(
    body: object, headers: dict[str, str], data: bytes | None, url: str | None, cost: float | None
) -> None:
    came = openai.decode_image(reply(body, 200, **headers))
    assert (came.data, came.url, came.cost) == (data, url, cost)


@pytest.mark.parametrize(
    ("body", "family"),
    [
        ({"data": []}, Refused),
        ({"data": [{"revised_prompt": "x"}]}, Refused),
        ({}, Unreadable),
        ({"detail": "Not Found"}, Unreadable),
        ({"error": {"message": "x", "code": "content_policy_violation"}}, Refused),
        ({"error": {"message": "x", "code": "moderation_blocked"}}, Refused),
        ({"error": {"message": "overloaded", "code": 503}}, ErrorInside),
    ],
)
def test_what_is_no_picture_is_an_error_of_its_kind(body: object, family: type[ToolError]) -> None:
    with pytest.raises(ToolError) as caught:
        openai.decode_image(reply(body))
    assert type(caught.value) is family


def test_the_check_reports_no_balance() -> None:
    assert openai.decode_check(reply({"object": "list", "data": []})) == Account()
