"""Reading replies that may be anything."""

from __future__ import annotations

import contextlib
import json

import pytest
from factorized_video.errors import Refused, ToolError, keep_secret
from factorized_video.gateway import reply_parsing
from factorized_video.gateway.reply_parsing import ErrorInside, Unreadable
from factorized_video.gateway.types import HttpReply
from hypothesis import given, settings
from hypothesis import strategies as st


def reply(body: object, status: int = 200) -> HttpReply:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpReply(status, {"x-request-id": "r-1"}, data)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"error": {"message": "No such model", "type": "x", "code": 404}}, "No such model"),
        ({"error": "No such model"}, "No such model"),
        ({"error": {"error": {"message": "deep"}}}, "deep"),
        ({"detail": "Not found"}, "Not found"),
        ({"detail": [{"msg": "field required"}, {"msg": "too long"}]}, "field required; too long"),
        ({"detail": ["one", "two"]}, "one; two"),
        ({"message": "  spaced  "}, "spaced"),
        ({"error": None, "message": "second"}, "second"),
        ({"error": {"code": 17}, "message": "second"}, "second"),
        ({"error_description": "oauth"}, "oauth"),
        ({"title": "Bad Gateway"}, "Bad Gateway"),
        ([{"message": "in a list"}], "in a list"),
        ("just a string", "just a string"),
        ({"error": {"code": 17}}, '{"error": {"code": 17}}'),
        ({}, "{}"),
        (b"plain text", "plain text"),
        (b"", "(empty)"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (
            b"<!DOCTYPE html><html><head><style>p{}</style><title>502 Bad Gateway</title></head>"
            b"<body><h1>Oops</h1><script>x()</script></body></html>",
            "502 Bad Gateway Oops",
        ),
        (b"[" * 100_000, "[" * 200 + "..."),
    ],
)
def test_the_gateways_own_words_are_found_in_any_shape(body: object, text: str) -> None:
    assert reply_parsing.error_text(reply(body).body) == text


def test_long_words_are_cut() -> None:
    assert len(reply_parsing.error_text(json.dumps({"message": "x" * 10_000}).encode())) == 500


def test_an_excerpt_shows_no_secret_no_signature_and_no_control_characters() -> None:
    keep_secret("sk-very-secret-4711")
    text = reply_parsing.excerpt(
        b"key sk-very-secret-4711 at https://a.b/c?sig=XYZ \x1b[2J\x07 end"
    )
    assert text == "key [key] at https://a.b/c?[signature] [2J end"


@pytest.mark.parametrize(
    ("data", "html"),
    [
        (b"<!doctype html>", True),
        (b"\xef\xbb\xbf \n<HTML>", True),
        (b"<?xml version='1.0'?>", True),
        (b"{}", False),
        (b"a <html> b", False),
        (b"", False),
    ],
)
def test_a_web_page_is_recognised_by_its_beginning(data: bytes, html: bool) -> None:
    assert reply_parsing.looks_like_html(data) is html


# -- a body as a JSON object ----------------------------------------------------------------------


@pytest.mark.parametrize("error", [None, "", {}, 0, False])
def test_an_object_without_an_error_is_returned(error: object) -> None:
    assert reply_parsing.json_object(reply({"error": error, "x": 1})) == {"error": error, "x": 1}


def test_an_error_beside_a_status_is_the_jobs_and_not_the_calls() -> None:
    assert (
        reply_parsing.json_object(reply({"id": "j", "status": "failed", "error": "GPU on fire"}))[
            "id"
        ]
        == "j"
    )


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "an empty body"),
        (b" \n", "an empty body"),
        (b'{"id": "x', "not JSON"),
        (b"OK", "not JSON"),
        (b"<html><body>Welcome</body></html>", "an HTML page: \u201cWelcome\u201d"),
        (b"[]", "not an object"),
        (b"null", "not an object"),
        (b'"text"', "not an object"),
        (b"7", "not an object"),
        (b"\xff\xfe\x00", "not JSON"),
        (b'{"a":' * 100_000, "not JSON"),
    ],
)
def test_what_is_no_object_is_unreadable_and_shown(body: bytes, says: str) -> None:
    with pytest.raises(Unreadable) as caught:
        reply_parsing.json_object(reply(body))
    assert says in caught.value.message
    assert caught.value.http_status == 200
    assert caught.value.request_id == "r-1"


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        ("overloaded", "overloaded", None),
        ({"message": "slow down", "code": 429}, "slow down", 429),
        ({"message": "slow down", "code": "429"}, "slow down", 429),
        ({"message": "slow down", "type": "rate_limit_error"}, "slow down", 429),
        ({"message": "gone", "code": "model_not_found"}, "gone", 400),
        ({"message": "bad", "type": "invalid_request_error", "code": None}, "bad", 400),
        ({"message": "bad", "status": "INVALID_ARGUMENT"}, "bad", 400),
        (
            {"message": "key", "code": "invalid_api_key", "type": "invalid_request_error"},
            "key",
            401,
        ),
        ({"message": "broke", "code": "insufficient_user_quota", "type": "new_api"}, "broke", 402),
        ({"message": "broke", "code": "insufficient_quota", "type": "x"}, "broke", 402),
        ({"message": "no", "type": "permission_error"}, "no", 403),
        # Of what came after the picture was made.
        ({"message": "generated, not uploaded", "type": "server_error", "code": None}, None, None),
        ({"message": "upstream", "type": "upstream_error", "code": 502}, "upstream", 502),
        ({"message": "upstream", "code": "bad_response_status_code"}, "upstream", None),
        ({"message": "odd", "code": True}, "odd", None),
        ({"message": "odd", "code": 1102}, "odd", None),
        ({"message": "odd", "code": 1e300}, "odd", None),
        ({"message": "odd", "code": float("inf")}, "odd", None),
    ],
)
def test_a_success_with_an_error_inside_is_an_error_with_its_status(
    error: object, message: str | None, code: int | None
) -> None:
    with pytest.raises(ErrorInside) as caught:
        reply_parsing.json_object(reply({"error": error}))
    said = f"The gateway answered with an error: \u201c{message}\u201d"
    assert message is None or caught.value.message == said
    assert caught.value.status == code
    assert caught.value.kind == "rejected"


@pytest.mark.parametrize(
    "error",
    [
        {"message": "Blocked by content_filter", "code": 400},
        {"message": "no", "code": "content_policy_violation"},
        {"message": "no", "type": "safety"},
        {"message": "raiMediaFilteredReasons: violence"},
        "Your prompt violates our usage policies",
        "This prompt was flagged by our moderation system",
    ],
)
def test_a_refusal_inside_a_success_is_a_refusal(error: object) -> None:
    with pytest.raises(Refused):
        reply_parsing.json_object(reply({"error": error}))


@pytest.mark.parametrize(
    ("status", "body", "refused"),
    [
        (400, {"error": {"message": "x", "code": "content_policy_violation"}}, True),
        (403, {"error": {"message": "x", "type": "moderation_blocked"}}, True),
        (403, {"error": {"message": "Input was flagged: content policy"}}, True),
        (422, {"detail": [{"msg": "prohibited content"}]}, True),
        (400, {"error": {"error": {"code": "content_filter"}}}, True),
        (400, {"error": {"message": "aspectRatio is not supported"}}, False),
        (401, {"error": {"message": "key blocked for policy violation"}}, False),
        (429, {"error": {"message": "safety limit"}}, False),
        (500, {"error": {"message": "safety"}}, False),
        (400, b"<html>safety</html>", False),
        (400, b"", False),
    ],
)
def test_some_rejections_are_really_refusals(status: int, body: object, refused: bool) -> None:
    assert reply_parsing.refused_by_status(reply(body, status)) is refused


@pytest.mark.parametrize(
    "text",
    [
        "content_filter",
        "The content policy was violated",
        "blocked for safety reasons",
        "raiMediaFilteredCount: 1",
        "Responsible AI practices",
        "NSFW content detected",
        "sensitive information",
        "Prompt violates the usage policy",
    ],
)
def test_the_words_of_filters_and_policies_are_known(text: str) -> None:
    assert reply_parsing.is_refusal(text)


@pytest.mark.parametrize(
    "text", ["GPU out of memory", "Invalid aspectRatio", "no credit left", "a train on rails", ""]
)
def test_ordinary_failures_are_no_refusals(text: str) -> None:
    assert not reply_parsing.is_refusal(text)


@pytest.mark.parametrize(
    ("refusal", "finish", "refused"),
    [
        (None, "stop", False),
        (None, None, False),
        (None, "length", False),
        ("I will not", "stop", True),
        (None, "content_filter", True),
        (None, "SAFETY", True),
    ],
)
def test_a_refusal_field_or_finish_reason_is_a_refusal(
    refusal: str | None, finish: str | None, refused: bool
) -> None:
    with pytest.raises(Refused) if refused else contextlib.nullcontext():
        reply_parsing.refusal_in(refusal, finish, reply({}))


# -- numbers, texts, and what may be written down -------------------------------------------------


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1.0),
        ("0.25", 0.25),
        (" 2 ", 2.0),
        (-1, -1.0),
        (True, None),
        (None, None),
        ("x", None),
        ("nan", None),
        (float("inf"), None),
        ([1], None),
        (10**400, None),
        ("", None),
    ],
)
def test_a_number_is_finite_or_none(value: object, number: float | None) -> None:
    assert reply_parsing.as_number(value) == number


@pytest.mark.parametrize(("value", "cost"), [(0, 0.0), ("0.03", 0.03), (-1, None), ({}, None)])
def test_a_cost_is_not_negative(value: object, cost: float | None) -> None:
    assert reply_parsing.costs(value) == cost


def test_warnings_are_strings_or_objects_with_a_message() -> None:
    found = ["one", {"message": "two"}, {"x": 1}, None, 3, ""]
    said = ("The gateway says: \u201cone\u201d", "The gateway says: \u201ctwo\u201d")
    assert reply_parsing.warnings_in({"warnings": found}) == said
    assert reply_parsing.warnings_in({"warnings": "text"}) == ()
    assert len(reply_parsing.warnings_in({"warnings": ["w"] * 1000})) == 20


def test_what_is_written_down_has_no_image_bytes_and_no_signature() -> None:
    slim = reply_parsing.without_bytes(
        {
            "b64_json": "A" * 5_000,
            "frame": "data:image/png;base64,AAAA",
            "url": "https://cdn.example/v.mp4?X-Signature=abc#x",
            "text": "word " * 1_000,
            "rows": list(range(500)),
            "deep": {"deep": {"deep": {"deep": {"deep": {"deep": {"deep": {"deep": {"x": {}}}}}}}}},
            "n": 1.5,
            "none": None,
        }
    )
    assert slim["b64_json"] == "<5000 characters>"
    assert slim["frame"] == "<26 characters>"
    assert slim["url"] == "https://cdn.example/v.mp4?[signature]"
    assert str(slim["text"]).startswith("word word")
    assert len(slim["rows"]) == 50  # type: ignore[arg-type]
    assert '"..."' in json.dumps(slim["deep"])
    assert (slim["n"], slim["none"]) == (1.5, None)


def test_no_image_bytes_are_written_down_however_few() -> None:
    assert reply_parsing.without_bytes({"data": [{"b64_json": "iVBORw0KGgo" * 100}]}) == {
        "data": [{"b64_json": "<1100 characters>"}]
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["error", "message", "detail", "code", "type", "id", "msg", "x"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(JSON | st.datetimes().map(str) | st.text())
def test_any_value_is_a_time_or_none(value: object) -> None:
    moment = reply_parsing.as_time(value)
    assert moment is None or isinstance(moment, float)


BODIES = st.binary(max_size=200) | JSON.map(lambda data: json.dumps(data).encode())


@settings(deadline=None)
@given(BODIES, st.sampled_from([200, 202, 400, 403, 422, 500]))
def test_any_body_is_read_without_a_bug(body: bytes, status: int) -> None:
    came = HttpReply(status, {}, body)
    assert isinstance(reply_parsing.error_text(body), str)
    assert isinstance(reply_parsing.excerpt(body), str)
    assert reply_parsing.refused_by_status(came) in (True, False)
    with contextlib.suppress(ToolError):
        json.dumps(reply_parsing.without_bytes(reply_parsing.json_object(came)))


@pytest.mark.parametrize("depth", [100, 300, 500, 900, 3_000, 50_000])
def test_an_error_nested_to_any_depth_is_read_without_a_bug(depth: int) -> None:
    body = b'{"error":' * depth + b'"x"' + b"}" * depth
    assert isinstance(reply_parsing.error_text(body), str)
    assert reply_parsing.refused_by_status(HttpReply(400, {}, body)) is False
    with pytest.raises(ToolError):
        reply_parsing.json_object(HttpReply(200, {}, body))
