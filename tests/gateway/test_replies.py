"""Replies as they really come: pictures, refusals and chats of any shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from answers import ENCODED, PNG, URI, reply, said
from factorized_video.errors import Refused
from factorized_video.gateway import dialects, refusals, token_limit
from factorized_video.gateway.reply_parsing import ErrorInside
from factorized_video.gateway.types import ChatRequest, HttpReply

NAMES = dialects.names()
DRAFT = "data:image/png;base64," + "AAAA" * 8
LINK = "https://cdn.example/p.png"
ANSWER = '{"caption": "A cat."}'


@pytest.mark.parametrize(
    "message",
    [
        {"images": [{"image_url": {"url": DRAFT}}, {"image_url": {"url": URI}}]},
        {"images": [None, {"image_url": URI}, None]},
        {"images": [{"b64_json": ENCODED}]},
        {"content": [{"type": "text", "text": "Here"}, {"image_url": {"url": URI}}]},
        {"content": [{"inline_data": {"mime_type": "image/png", "data": ENCODED}}]},
        {"content": [{"inlineData": {"mimeType": "image/png", "data": ENCODED}}, None]},
        {"content": [{"type": "output_image", "image_url": URI}]},
        {"content": f"Here it is: ![image]({URI})"},
        {"content": URI},
        {"images": [], "content": f"![draft]({DRAFT}) ![final]({URI})"},
    ],
)
def test_the_last_picture_of_a_chat_is_found_in_any_place(message: dict[str, Any]) -> None:
    came = dialects.load("vercel").decode_image(reply(said(message)))
    assert (came.data, came.url) == (PNG, None)


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"b64_json": DRAFT}, {"b64_json": ENCODED}]},
        {"data": [None, {"b64_json": ENCODED}]},
        {"data": {"b64_json": ENCODED}},
        {"images": [ENCODED]},
        {"images": [{"url": URI}]},
        {"data": [{"b64_json": ENCODED}, {"b64_json": "?"}]},
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_the_last_usable_picture_of_a_list_is_taken(name: str, body: dict[str, Any]) -> None:
    assert dialects.load(name).decode_image(reply(body)).data == PNG


def test_a_link_in_a_text_is_a_picture_too() -> None:
    came = dialects.load("vercel").decode_image(reply(said({"content": f"![x]({LINK})"})))
    assert (came.data, came.url) == (None, LINK)


@pytest.mark.parametrize(
    "choice",
    [
        {"finish_reason": "content_filter: PROHIBITED_CONTENT", "message": {"content": None}},
        {"finish_reason": "content_filter: PROHIBITED_CONTENT"},
        {"finish_reason": "SAFETY", "message": {"content": ""}},
        {"finish_reason": "IMAGE_SAFETY"},
        {"finish_reason": "RECITATION", "message": {}},
        {"finish_reason": "refusal", "message": {"content": "no"}},
        {"finish_reason": "stop", "native_finish_reason": "BLOCKLIST", "message": {}},
        {"finish_reason": "stop", "message": {"refusal": "I cannot."}},
        {"finish_reason": None, "error": {"code": "content_filter", "message": "blocked"}},
        {"error": {"code": 403, "message": "Flagged by moderation"}, "message": {}},
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_a_refusal_inside_a_choice(name: str, choice: dict[str, Any]) -> None:
    body = {"choices": [{"index": 0, **choice}]}
    with pytest.raises(Refused):
        dialects.load(name).decode_chat(reply(body))
    with pytest.raises(Refused):
        dialects.load("vercel").decode_image(reply(body))


@pytest.mark.parametrize("name", NAMES)
def test_a_blocked_prompt_is_a_refusal(name: str) -> None:
    body = {"choices": [], "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}
    with pytest.raises(Refused, match="PROHIBITED_CONTENT"):
        dialects.load(name).decode_chat(reply(body))


@pytest.mark.parametrize("name", NAMES)
def test_any_other_error_inside_a_choice_is_one(name: str) -> None:
    body = {"choices": [{"error": {"code": 502, "message": "upstream"}, "message": {}}]}
    with pytest.raises(ErrorInside, match="upstream") as caught:
        dialects.load(name).decode_chat(reply(body))
    assert caught.value.status == 502


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("Your request was rejected by our safety system.", True),
        ("This violates our content policy", True),
        ("The prompt was flagged by moderation", True),
        ("This request violates OpenAI's usage policies.", True),
        ("Unknown parameter: 'safety_identifier'.", False),
        ("Missing required parameter: safety_settings", False),
        ("Your organization must be verified to use this model", False),
        ("Access denied due to your organization's usage policy", False),
        ("This model is not available in your region because of policy", False),
        ("duration must be 4, 6 or 8", False),
    ],
)
def test_what_only_sounds_like_a_refusal_is_none(text: str, refusal: bool) -> None:
    assert refusals.by_words(text) is refusal


@pytest.mark.parametrize(
    ("codes", "refusal"),
    [
        ("content_policy_violation", True),
        ("moderation_blocked image_generation_user_error", True),
        ("ResponsibleAIPolicyViolation", True),
        ("InputImageSensitiveContentDetected", True),
        ("DataInspectionFailed", True),
        ("SAFETY", True),
        ("invalid_request_error unsupported_parameter", False),
        ("rate_limit_exceeded", False),
        ("safety_identifier_missing", False),
    ],
)
def test_a_refusal_by_its_code(codes: str, refusal: bool) -> None:
    assert refusals.by_code(codes) is refusal


@pytest.mark.parametrize(
    "message",
    [
        {"content": ANSWER},
        {"content": [{"type": "text", "text": ANSWER}]},
        {"content": None, "reasoning_content": f"So: {ANSWER}"},
        {"content": "", "reasoning": ANSWER},
        {"content": None, "tool_calls": [{"function": {"name": "x", "arguments": ANSWER}}]},
        {"tool_calls": [{"function": {"arguments": json.loads(ANSWER)}}]},
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_an_answer_is_read_wherever_it_stands(name: str, message: dict[str, Any]) -> None:
    assert ANSWER in dialects.load(name).decode_chat(reply(said(message))).text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_streamed_answer_is_put_together(name: str, end: str) -> None:
    rows = [
        {"id": "c-1", "choices": [{"delta": {"role": "assistant", "content": ANSWER[:9]}}]},
        {"choices": [{"delta": {"content": ANSWER[9:]}, "finish_reason": "stop"}]},
        {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4, "cost": 0.01}},
    ]
    lines = [": ping", *(f"data: {json.dumps(row)}" for row in rows), "data: [DONE]", ""]
    came = dialects.load(name).decode_chat(HttpReply(200, {}, (end * 2).join(lines).encode()))
    assert (came.text, came.finish_reason, came.cost, came.tokens) == (ANSWER, "stop", 0.01, (3, 4))


REQUEST = ChatRequest("m", [])


@pytest.mark.parametrize(
    ("status", "message", "field", "tokens"),
    [
        (400, "'max_tokens' is not supported. Use 'max_completion_tokens' instead.", 1, 8_000),
        (400, "max_tokens: 8000 > 4096, which is the maximum, at most 4096", 0, 4_096),
        (400, "max_tokens must be less than or equal to 2,048", 0, 2_048),
        (400, "This model supports at most 4096 completion tokens, and 8000 were asked", 0, 4_096),
        (402, "You requested up to 8000 tokens, but can only afford 1234.", 0, 1_234),
        (400, "Range of max_tokens should be [1, 4096]", 0, 4_096),
        (402, "You can only afford 12 tokens", None, None),
        (400, "duration must be at most 4096", None, None),
        (429, "max_tokens: at most 4096", None, None),
        (400, "max_tokens is too large", None, None),
    ],
)
def test_the_limit_that_an_error_names(
    status: int, message: str, field: int | None, tokens: int | None
) -> None:
    other = token_limit.other(REQUEST, status, message)
    if field is None:
        assert other is None
    else:
        name = ("max_tokens", "max_completion_tokens")[field]
        assert other is not None
        assert (other.limit_field, other.max_tokens) == (name, tokens)
        body = dialects.load("openai").encode_chat(other).body
        assert body is not None
        assert body[name] == tokens
        assert len({"max_tokens", "max_completion_tokens"} & set(body)) == 1
