"""The HappyCapy dialect: exact bodies and paths out, anything back in."""

from __future__ import annotations

import base64
import json

import pytest
from answers import FRAME, OTHER, OTHER_URI, URI
from factorized_video.errors import Refused, ToolError
from factorized_video.gateway.dialects.happycapy import DIALECT as happycapy
from factorized_video.gateway.reply_parsing import ErrorInside, Unreadable
from factorized_video.gateway.types import (
    Account,
    Handle,
    HttpReply,
    HttpRequest,
    ImageRequest,
    ListedJob,
    Picture,
    VideoRequest,
)
from hypothesis import given, settings
from hypothesis import strategies as st

PNG = b"\x89PNG\r\n\x1a\n not really"
ENCODED = base64.b64encode(PNG).decode()


def reply(body: object, **headers: str) -> HttpReply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpReply(200, headers, data)


def status(job_id: str) -> HttpRequest:
    """This gateway is not known to give an address for status reads; one is ignored."""
    asked = happycapy.encode_status(Handle(job_id, "google/veo"))
    assert happycapy.encode_status(Handle(job_id, "m", "https://x.example/")) == asked
    return asked


# -- out: the bodies and paths of facts/gateways.md, section 2 ------------------------------------

MESSAGES = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]


@pytest.mark.parametrize(
    ("request_", "service", "path", "body"),
    [
        (
            happycapy.encode_image(ImageRequest("google/gemini", "a fox", "9:16")),
            "image",
            "/api/v1/images/generations",
            {
                "model": "google/gemini",
                "prompt": "a fox",
                "n": 1,
                "aspectRatio": "9:16",
                "response_format": "b64_json",
            },
        ),
        (
            # A further candidate, and an edit: the same call.
            happycapy.encode_image(
                ImageRequest("m", "a fox", "1:1", pictures=(FRAME, OTHER), candidate="2r")
            ),
            "image",
            "/api/v1/images/generations",
            {
                "model": "m",
                "prompt": "a fox",
                "n": 1,
                "aspectRatio": "1:1",
                "response_format": "b64_json",
                "images": [URI, OTHER_URI],
                "user": "candidate-2r",
            },
        ),
        (
            happycapy.encode_submit(
                VideoRequest("m", "it runs", FRAME, 6, None, "720p", last_frame=OTHER)
            ),
            "video",
            "/api/v1/videos",
            {
                "model": "m",
                "prompt": "it runs",
                "duration": 6,
                "size": "720p",
                "first_frame": URI,
                "last_frame": OTHER_URI,
            },
        ),
        (
            # From the prompt alone: no field of a first frame.
            happycapy.encode_submit(VideoRequest("m", "it runs", None, 6, "9:16", "1080p")),
            "video",
            "/api/v1/videos",
            {
                "model": "m",
                "prompt": "it runs",
                "duration": 6,
                "aspectRatio": "9:16",
                "size": "1080p",
            },
        ),
        (
            happycapy.encode_submit(
                VideoRequest("google/veo", "it runs", Picture(PNG, "image/png"), 6, "16:9", "720p")
            ),
            "video",
            "/api/v1/videos",
            {
                "model": "google/veo",
                "prompt": "it runs",
                "duration": 6,
                "aspectRatio": "16:9",
                "size": "720p",
                "first_frame": f"data:image/png;base64,{ENCODED}",
            },
        ),
    ],
)
def test_a_post_has_exactly_these_fields(
    request_: HttpRequest, service: str, path: str, body: dict[str, object]
) -> None:
    assert (request_.service, request_.method, request_.path) == (service, "POST", path)
    assert request_.headers == {"Origin": "https://trickle.so"}
    assert request_.body == body
    assert json.loads(json.dumps(request_.body)) == body


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (status("vid-1"), "/api/v1/videos/vid-1"),
        (status("a/b?c#d é"), "/api/v1/videos/a%2Fb%3Fc%23d%20%C3%A9"),
        (status("../chat"), "/api/v1/videos/..%2Fchat"),
        (happycapy.encode_list(), "/api/v1/videos?limit=50&offset=0"),
        # The free read before a paid call: of the host that will make the video.
        (happycapy.encode_check(), "/api/v1/videos?limit=1"),
    ],
)
def test_a_get_has_no_body_and_its_id_is_quoted(request_: HttpRequest, path: str) -> None:
    assert (request_.service, request_.method, request_.path) == ("video", "GET", path)
    assert request_.headers == {"Origin": "https://trickle.so"}
    assert request_.body is None
    assert (request_.files, request_.address) == ((), None)


def test_the_models_are_listed_by_the_host_of_the_chat() -> None:
    request = happycapy.encode_models()
    assert (request.service, request.method, request.path) == ("chat", "GET", "/api/v1/models")
    assert (request.headers, request.body) == ({"Origin": "https://trickle.so"}, None)


def test_where_no_field_or_call_is_known_none_is_made_up() -> None:
    request = VideoRequest("m", "p", Picture(PNG, "image/png"), 6, None, "720p")
    plain = happycapy.encode_submit(request)
    settings = {"audio_switch": False, "seed": 7}
    full = request._replace(shape="9:16", settings=settings, idempotency_key="fvg_1")
    assert happycapy.encode_submit(full) == plain
    assert set(plain.body or {}) == {"model", "prompt", "duration", "size", "first_frame"}
    assert happycapy.encode_image(ImageRequest("m", "p", "3:2", "1536x1024")) == (
        happycapy.encode_image(ImageRequest("m", "p", "3:2"))
    )
    assert happycapy.encode_cancel(Handle("vid-1", "google/veo")) is None
    assert happycapy.ABOUT.idempotent is False


# -- back: chat -----------------------------------------------------------------------------------


def chat(message: object, **more: object) -> dict[str, object]:
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "c-1", "choices": [choice], **more}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("hello", "hello"),
        (None, ""),
        ("", ""),
        ([{"type": "text", "text": "hel"}, {"type": "text", "text": "lo"}], "hello"),
        ([{"type": "reasoning", "text": None}, {"type": "text", "text": "hello"}], "hello"),
        (["hello", None, 7], "hello"),
        ([], ""),
        (7, ""),
    ],
)
def test_a_chat_text_is_read_from_a_string_or_from_parts(content: object, text: str) -> None:
    assert happycapy.decode_chat(reply(chat({"content": content}))).text == text


@pytest.mark.parametrize(
    ("usage", "cost", "tokens"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 5, "cost": 0.01}, 0.01, (10, 5)),
        ({"prompt_tokens": 10, "completion_tokens": 5, "cost": "0.01"}, 0.01, (10, 5)),
        ({"prompt_tokens": 10, "cost": -1}, None, None),
        ({"prompt_tokens": "x", "completion_tokens": 5}, None, None),
        ({}, None, None),
        (None, None, None),
        ("text", None, None),
    ],
)
def test_a_chats_cost_and_tokens_are_read_where_they_can_be_believed(
    usage: object, cost: float | None, tokens: tuple[int, int] | None
) -> None:
    came = happycapy.decode_chat(reply(chat({"content": "x"}, usage=usage)))
    assert (came.cost, came.tokens) == (cost, tokens)


def test_a_chat_reply_keeps_ids_warnings_and_finish_reason() -> None:
    body = chat({"content": "x"}, warnings=["careful"])
    assert happycapy.decode_chat(reply(body)).request_id == "c-1"
    came = happycapy.decode_chat(reply(body, **{"x-request-id": "r-1"}))
    said = "The gateway says: \u201ccareful\u201d"
    assert (came.request_id, came.warnings, came.finish_reason) == ("r-1", (said,), "stop")


@pytest.mark.parametrize(
    ("body", "family"),
    [
        ({}, Unreadable),
        ({"choices": []}, Unreadable),
        ({"choices": None}, Unreadable),
        ({"choices": ["x"]}, Unreadable),
        ({"choices": [{}]}, Unreadable),
        ({"choices": [{"message": "x"}]}, Unreadable),
        (b"", Unreadable),
        (b"<html>", Unreadable),
        ({"error": {"message": "no such model", "code": 404}}, ErrorInside),
        ({"error": "overloaded"}, ErrorInside),
        ({"error": "blocked by content policy"}, Refused),
        (chat({"content": None, "refusal": "I will not"}), Refused),
        ({"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]}, Refused),
    ],
)
def test_what_is_no_chat_reply_is_an_error_of_its_kind(
    body: object, family: type[ToolError]
) -> None:
    with pytest.raises(ToolError) as caught:
        happycapy.decode_chat(reply(body))
    assert type(caught.value) is family


# -- back: images ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "data", "url"),
    [
        ({"b64_json": ENCODED}, PNG, None),
        ({"b64_json": ENCODED, "url": None}, PNG, None),
        ({"b64_json": f"data:image/png;base64,{ENCODED}"}, PNG, None),
        ({"b64_json": "\n".join([ENCODED[:8], ENCODED[8:], ""])}, PNG, None),
        ({"url": f"data:image/png;base64,{ENCODED}"}, PNG, None),
        ({"url": "https://cdn.example/a.png?sig=1"}, None, "https://cdn.example/a.png?sig=1"),
        ({"b64_json": "", "url": "https://a.b/c"}, None, "https://a.b/c"),
        ({"b64_json": ENCODED, "url": "https://a.b/c"}, PNG, None),
    ],
)
def test_a_picture_comes_as_bytes_or_as_an_address(
    row: dict[str, object], data: bytes | None, url: str | None
) -> None:
    came = happycapy.decode_image(reply({"data": [row], "usage": {"cost": 0.04}}))
    assert (came.data, came.url, came.cost) == (data, url, 0.04)
    assert "sig=1" not in json.dumps(came.raw)


@pytest.mark.parametrize(
    ("body", "family"),
    [
        ({}, Unreadable),
        ({"data": None}, Unreadable),
        ({"data": "x"}, Unreadable),
        ({"data": [{"b64_json": "A"}]}, Unreadable),  # cannot be base64
        ({"data": [{"b64_json": "????"}]}, Unreadable),  # decodes to nothing at all
        ({"data": [{"url": "data:image/png;base64,"}]}, Unreadable),
        ({"data": []}, Refused),
        ({"data": [{}]}, Refused),
        ({"data": [None]}, Refused),
        ({"data": [{"b64_json": None, "url": ""}]}, Refused),
        ({"error": {"message": "quota", "code": 429}}, ErrorInside),
        (b"", Unreadable),
    ],
)
def test_what_is_no_picture_is_an_error_of_its_kind(body: object, family: type[ToolError]) -> None:
    with pytest.raises(ToolError) as caught:
        happycapy.decode_image(reply(body))
    assert type(caught.value) is family


# -- back: videos ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "job_id"),
    [({"id": "v-1"}, "v-1"), ({"id": 17}, "17"), ({"id": "v-1", "status": "pending"}, "v-1")],
)
def test_a_submitted_job_has_an_id_and_runs(row: dict[str, object], job_id: str) -> None:
    job = happycapy.decode_submit(reply(row, **{"x-request-id": "r"}))
    assert (job.id, job.state, job.request_id) == (job_id, "running", "r")


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
        {"data": {"name": "v-1"}},
        [{"id": "v-1"}],
        b"",
        b'{"id": "v',
    ],
)
def test_a_job_without_an_id_is_unreadable(body: object) -> None:
    with pytest.raises(Unreadable):
        happycapy.decode_submit(reply(body))


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("pending", "running"),
        ("running", "running"),
        ("succeeded", "succeeded"),
        ("SUCCEEDED", "succeeded"),
        ("failed", "failed"),
        ("upscaling", "running"),
        ("", "running"),
        (None, "running"),
        (3, "running"),
    ],
)
def test_a_status_word_not_known_as_an_end_means_still_running(word: object, state: str) -> None:
    job = happycapy.decode_status(
        reply({"id": "v", "status": word, "url": "https://a.b/v.mp4?s=1"})
    )
    assert job.state == state
    assert job.word == (word if isinstance(word, str) else "")
    assert job.url == "https://a.b/v.mp4?s=1"
    assert "s=1" not in json.dumps(job.raw)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (None, None),
        ("", None),
        ("GPU on fire", "GPU on fire"),
        ({"message": "GPU on fire", "code": "gpu"}, "GPU on fire"),
        ({"code": "gpu"}, "gpu"),
        ({}, None),
        (["x"], None),
    ],
)
def test_a_failed_jobs_reason_is_read_in_any_shape(error: object, text: str | None) -> None:
    job = happycapy.decode_status(reply({"id": "v", "status": "failed", "error": error}))
    assert (job.state, job.error) == ("failed", text)


def test_an_error_without_an_id_is_the_calls_own() -> None:
    with pytest.raises(ErrorInside, match="no such video"):
        happycapy.decode_status(reply({"error": {"message": "no such video", "code": 404}}))


WHEN = 1_795_341_600.0


@pytest.mark.parametrize(
    ("row", "listed"),
    [
        (
            {
                "id": "a",
                "model": "m",
                "prompt": "p",
                "duration": 6,
                "aspect_ratio": "16:9",
                "created_at": "2026-11-22T10:00:00Z",
                "status": "running",
            },
            ListedJob("a", "m", "p", 6, "16:9", WHEN),
        ),
        ({"id": 17, "duration": "6"}, ListedJob("17", None, None, 6, None, None)),
        ({"id": "a", "duration": 5.5}, ListedJob("a", None, None, None, None, None)),
        ({"id": "a", "created_at": WHEN}, ListedJob("a", None, None, None, None, WHEN)),
        ({"id": "a", "created_at": WHEN * 1000}, ListedJob("a", None, None, None, None, WHEN)),
        (
            {"id": "a", "created_at": "2026-11-22T11:00:00.000+01:00"},
            ListedJob("a", None, None, None, None, WHEN),
        ),
        (
            {"id": "a", "created_at": "2026-11-22 10:00:00"},
            ListedJob("a", None, None, None, None, WHEN),
        ),
        ({"id": "a", "created_at": "yesterday"}, ListedJob("a", None, None, None, None, None)),
    ],
)
def test_a_listed_row_may_lack_fields(row: dict[str, object], listed: ListedJob) -> None:
    assert happycapy.decode_list(reply({"data": [row], "total": 1})) == [listed]


def test_a_list_keeps_its_order_and_leaves_out_what_is_no_row() -> None:
    rows = happycapy.decode_list(reply({"data": [{"id": "a"}, None, "x", {}, {"id": "b"}]}))
    assert [row.id for row in rows] == ["a", "b"]
    assert happycapy.decode_list(reply({"data": []})) == []
    bodies: list[dict[str, object]] = [{}, {"data": None}, {"data": {}}]
    for body in bodies:
        with pytest.raises(Unreadable):
            happycapy.decode_list(reply(body))


def test_the_check_reports_no_balance_and_knows_an_error() -> None:
    assert happycapy.decode_check(reply({"data": [], "total": 0})) == Account(None)
    with pytest.raises(ErrorInside, match="no such key"):
        happycapy.decode_check(reply({"error": {"message": "no such key", "code": 401}}))
    with pytest.raises(Unreadable):
        happycapy.decode_check(reply(b"<html>"))


KEYS = ["choices", "message", "content", "data", "b64_json", "url", "id", "error", "usage"]
KEYS += ["status", "created_at", "duration"]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=15,
)


@settings(deadline=None)
@given(JSON)
def test_any_json_is_decoded_or_a_known_error(data: object) -> None:
    for decode in (
        happycapy.decode_chat,
        happycapy.decode_image,
        happycapy.decode_submit,
        happycapy.decode_status,
        happycapy.decode_list,
        happycapy.decode_models,
        happycapy.decode_check,
    ):
        try:
            decode(reply(data))
        except ToolError as error:
            assert error.message
