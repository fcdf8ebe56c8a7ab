"""All dialects alike: any reply is decoded or is a known error, and chat is read one way."""

from __future__ import annotations

import json
import time

import pytest
import speech
from answers import ENCODED, FRAME, MESSAGES, NO_REPLY, OTHER, PARTS, SHOWN, URI, clip, reply, said
from factorized_video.errors import Refused, ToolError, clean
from factorized_video.gateway import dialects
from factorized_video.gateway.reply_parsing import ErrorInside, Unreadable
from factorized_video.gateway.types import (
    ChatRequest,
    Handle,
    HttpReply,
    HttpRequest,
    ImageRequest,
    Job,
    Picture,
    VideoRequest,
)
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = dialects.names()
DECODERS = ("chat", "image", "submit", "status", "list", "models", "check")
ALL = [(name, call) for name in NAMES for call in DECODERS]
KNOWN = (Unreadable, ErrorInside, Refused)
FILE = {"type": "file", "mediaType": "image/png", "data": ENCODED}
# Calls that a dialect has not: they are never made, so nothing is ever decoded.
NEVER = {("vercel", "list"), ("openrouter", "list")}
ASKED = [pair for pair in ALL if pair not in NEVER]


def decode(name: str, call: str, came: HttpReply) -> object:
    """One decoder of one dialect; anything but a known error fails the test."""
    try:
        return getattr(dialects.load(name), f"decode_{call}")(came)
    except KNOWN as error:
        assert error.message
        error.message.encode()  # it can be printed
        return None


def test_there_are_four() -> None:
    assert NAMES == ("happycapy", "openai", "openrouter", "vercel")


# -- anything at all ------------------------------------------------------------------------------

# The names of fields that some dialect reads, so that generated bodies get somewhere.
FIELDS = [
    "balance",
    "b64_json",
    "choices",
    "code",
    "content",
    "cost",
    "created_at",
    "data",
    "detail",
    "duration",
    "error",
    "finish_reason",
    "gateway",
    "id",
    "image_url",
    "images",
    "limit_remaining",
    "message",
    "model",
    "operation",
    "polling_url",
    "prompt",
    "providerMetadata",
    "refusal",
    "seconds",
    "size",
    "status",
    "text",
    "type",
    "unsigned_urls",
    "url",
    "urls",
    "usage",
    "videos",
    "warnings",
]
WORDS = st.sampled_from(
    [
        "completed",
        "succeeded",
        "failed",
        "error",
        "cancelled",
        "expired",
        "base64",
        "url",
        "content_filter",
        "AAAA",
        "1e400",
        "-1",
        "data:image/png;base64,AAAA",
        "data:,",
        "https://a.b/c?d",
    ]
)
# With halves of surrogate pairs, which JSON can hold and UTF-8 cannot.
TEXTS = st.text(st.characters(), max_size=8) | WORDS
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(FIELDS) | TEXTS, inner, max_size=6)
    ),
    max_leaves=25,
)
OBJECTS = st.dictionaries(st.sampled_from(FIELDS), JSON, min_size=1, max_size=8)
HEADERS = st.dictionaries(
    st.sampled_from(["openai-poll-after-ms", "x-litellm-response-cost", "x-request-id"]),
    st.text(max_size=8) | WORDS,
)


@settings(deadline=None, max_examples=300)
@given(OBJECTS | JSON, HEADERS, st.booleans())
def test_any_json_is_decoded_or_a_known_error(
    data: object, headers: dict[str, str], escaped: bool
) -> None:
    body = json.dumps(data, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    for name, call in ALL:
        came = decode(name, call, HttpReply(200, headers, body))
        if isinstance(came, Job):
            assert came.state in ("running", "succeeded", "failed")
            assert came.poll_after_s < float("inf")
            # What is kept of it can be written, and the job asked for.
            json.dumps([came.raw, came.url, came.id], ensure_ascii=False).encode()
            json.dumps(dialects.load(name).encode_status(Handle(came.id, "m")).body)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_decoded_or_a_known_error(body: bytes) -> None:
    for name, call in ALL:
        decode(name, call, HttpReply(200, {}, body))


# -- one field at a time of the wrong type --------------------------------------------------------

STRANGE: list[object] = [
    None,
    True,
    False,
    0,
    -1,
    10**30,
    1.5,
    float("nan"),
    float("inf"),
    "",
    " ",
    "text",
    "\ud83d",
    [],
    [None],
    [[]],
    [{}],
    ["text"],
    [17],
    {},
    {"a": 1},
    {"": None},
    "x" * 3_000,
    [["x"]] * 60,
]


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "call"), ALL, ids=lambda value: str(value))
def test_every_field_may_be_of_any_type(name: str, call: str) -> None:
    """At the top, in the first row of a list, in a message, in a usage, beside a good status."""
    for field in FIELDS:
        for strange in STRANGE:
            bodies: list[object] = [
                {field: strange},
                {"id": "v-1", "status": "completed", field: strange},
                {"status": "failed", "id": "v-1", "error": {field: strange}},
                {"error": {field: strange}},
                {"data": [{"id": "a", field: strange}], "images": [{field: strange}]},
                {"status": "completed", "videos": [{"type": "base64", field: strange}]},
                said({"content": "x", field: strange}, usage={field: strange}),
                {"choices": [{"message": {"images": [{field: strange}]}, field: strange}]},
                {"providerMetadata": {"gateway": {field: strange}}, "data": {field: strange}},
            ]
            for body in bodies:
                decode(name, call, reply(body))


# -- deep and huge --------------------------------------------------------------------------------


@pytest.mark.thorough
@pytest.mark.parametrize("field", ["id", "operation", "data", "error", "choices", "usage", "urls"])
@pytest.mark.parametrize("depth", [100, 960, 980, 990, 100_000])
def test_a_field_may_be_nested_to_any_depth(field: str, depth: int) -> None:
    for nested in (b"[" * depth + b"]" * depth, b'{"error":' * depth + b"1" + b"}" * depth):
        for body in (b'{"%s":%s}', b'{"data":[{"id":1,"%s":%s}]}', b'{"error":{"%s":%s}}'):
            came = HttpReply(200, {}, body % (field.encode(), nested))
            for name, call in ALL:
                decode(name, call, came)


# Over these a careless pattern takes the square of their length: minutes.
SLOW = [
    "http://",
    "a http://x?",
    "violat",
    "polic",
    "polic violat ",
    "content ",
    "{",
    " ",
    "<",
    "//127.",
]


@pytest.mark.thorough
@pytest.mark.parametrize("part", SLOW)
def test_a_text_made_to_be_slow_is_read_in_no_time(part: str) -> None:
    text = part * (100_000 // len(part))
    started = time.process_time()
    bodies: list[object] = [
        {"error": {"code": text, "message": "m"}},
        {"error": {"message": text}},
        {"id": text, "status": "failed", "error": text, "operation": "op"},
        said({"content": text, "refusal": text}),
        {"message": text},
        {"data": [{"b64_json": text, "url": text}], "images": [text]},
        text.encode(),
        b"<html>" + text.encode(),
    ]
    for body in bodies:
        came = reply(body)
        for name, call in ALL:
            decode(name, call, came)
    assert time.process_time() - started < 5  # measured: 0.1 to 0.4 s


# -- what is no reply -----------------------------------------------------------------------------


@pytest.mark.parametrize("body", NO_REPLY, ids=lambda body: ascii(body[:20]))
@pytest.mark.parametrize(("name", "call"), ASKED, ids=lambda value: str(value))
def test_what_is_no_json_object_is_unreadable(name: str, call: str, body: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        getattr(dialects.load(name), f"decode_{call}")(reply(body, x_request_id="r-1"))
    assert (caught.value.http_status, caught.value.request_id) == (200, "r-1")


@pytest.mark.parametrize(("name", "call"), ASKED, ids=lambda value: str(value))
@pytest.mark.parametrize(
    ("error", "family"),
    [
        ("overloaded", ErrorInside),
        ({"message": "no such model", "type": "model_not_found", "code": 404}, ErrorInside),
        ({"message": "no", "code": "content_policy_violation"}, Refused),
        ("Your prompt violates our usage policies", Refused),
    ],
)
def test_an_error_inside_a_success_is_an_error(
    name: str, call: str, error: object, family: type[ToolError]
) -> None:
    with pytest.raises(ToolError) as caught:
        getattr(dialects.load(name), f"decode_{call}")(reply({"error": error}))
    assert type(caught.value) is family


# -- halves of characters -------------------------------------------------------------------------

HALVES = [rb'"a\ud83d"', rb'"a\uDE00b"', b'"a\xed\xa0\xbd"', rb'"\ud83d\ud83d\ude00"']


@pytest.mark.parametrize("half", HALVES, ids=ascii)
@pytest.mark.parametrize("name", NAMES)
def test_half_a_surrogate_pair_becomes_the_sign_for_what_cannot_be_shown(
    name: str, half: bytes
) -> None:
    dialect = dialects.load(name)
    body = b'{"id": %s, "operation": %s, "status": "completed", "urls": [%s]}' % (half, half, half)
    job = dialect.decode_submit(HttpReply(200, {}, body))
    assert "\ufffd" in job.id
    dialect.encode_status(Handle(job.id, "m"))
    with pytest.raises(ErrorInside) as caught:
        dialect.decode_chat(HttpReply(200, {}, b'{"error": %s}' % half))
    caught.value.message.encode()


def test_whole_pairs_stay() -> None:
    body = rb'{"choices": [{"message": {"content": "a \ud83d\ude00 \u00e9"}}]}'
    for name in NAMES:
        assert dialects.load(name).decode_chat(HttpReply(200, {}, body)).text == "a 😀 é"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("see http://a.b/c?d=1#e and x", "see http://a.b/c?[signature] and x"),
        ("http://a.b#x", "http://a.b?[signature]"),
        ("http://http://a?x", "http://http://a?[signature]"),
        ("(https://a.b/c?d=1)", "(https://a.b/c?[signature]"),
        ('"https://a.b/c?d=1"', '"https://a.b/c?[signature]"'),
        ("http://? https://#", "http://? https://#"),
        ("http://a.b/c is fine", "http://a.b/c is fine"),
        ("\ud83d \x1b", "   "),
    ],
)
def test_no_signature_is_shown(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


# -- chat, which all of them speak alike ----------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("body", "text", "cost", "tokens"),
    [
        (said({"content": "hello"}), "hello", None, None),
        (said({"content": None}), "", None, None),
        (said({"content": [{"type": "text", "text": "hel"}, {"text": "lo"}]}), "hello", None, None),
        (
            said(
                {"content": "x"}, usage={"prompt_tokens": 10, "completion_tokens": 5, "cost": 0.01}
            ),
            "x",
            0.01,
            (10, 5),
        ),
        (said({"content": "x"}, usage={"cost": "0.01"}), "x", 0.01, None),
        (said({"content": "x"}, providerMetadata={"gateway": {"cost": "0.02"}}), "x", 0.02, None),
        (
            said(
                {"content": "x"},
                usage={"cost": 0.01},
                providerMetadata={"gateway": {"cost": "0.02"}},
            ),
            "x",
            0.01,
            None,
        ),
    ],
)
def test_a_chat_reply_is_read(
    name: str, body: object, text: str, cost: float | None, tokens: tuple[int, int] | None
) -> None:
    came = dialects.load(name).decode_chat(reply(body))
    assert (came.text, came.cost, came.tokens) == (text, cost, tokens)
    assert (came.finish_reason, came.request_id) == ("stop", "c-1")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("body", "family"),
    [
        ({}, Unreadable),
        ({"choices": []}, Unreadable),
        ({"choices": [{}]}, Unreadable),
        ({"choices": {"0": {}}}, Unreadable),
        (said("text"), Unreadable),
        (said({"content": None, "refusal": "I will not"}), Refused),
        ({"choices": [{"message": {"content": "x"}, "finish_reason": "content_filter"}]}, Refused),
        ({"choices": [{"message": {"content": "x"}, "finish_reason": "safety"}]}, Refused),
    ],
)
def test_what_is_no_chat_reply_is_an_error_of_its_kind(
    name: str, body: object, family: type[ToolError]
) -> None:
    with pytest.raises(ToolError) as caught:
        dialects.load(name).decode_chat(reply(body))
    assert type(caught.value) is family


@pytest.mark.parametrize("name", NAMES)
def test_the_ids_of_models_are_read_in_order(name: str) -> None:
    rows = [{"id": "a/b"}, None, {}, {"id": 7}, {"id": "with blank"}, {"id": "c", "type": "video"}]
    assert dialects.load(name).decode_models(reply({"data": rows})) == ["a/b", "c"]
    with pytest.raises(Unreadable):
        dialects.load(name).decode_models(reply({"models": []}))


# -- what every dialect's calls have in common ----------------------------------------------------


def calls(name: str) -> list[HttpRequest]:
    """One of each call that a dialect makes."""
    dialect = dialects.load(name)
    job = Handle("job-1", "m/v")
    made = [
        dialect.encode_chat(ChatRequest("m/c", MESSAGES)),
        dialect.encode_image(ImageRequest("m/gemini-3-pro-image", "a fox", "16:9")),
        dialect.encode_image(ImageRequest("m/flux", "a fox", "16:9")),
        dialect.encode_chat(ChatRequest("m/c", MESSAGES, pictures=(FRAME, OTHER))),
        dialect.encode_image(ImageRequest("m/gemini", "a", "16:9", None, (FRAME,), "2r")),
        dialect.encode_image(ImageRequest("m/flux", "a", "16:9", None, (FRAME, OTHER), "2r")),
        dialect.encode_submit(clip(audio=True, seed=1, key="take-1")),
        dialect.encode_submit(clip(last=OTHER)),
        dialect.encode_submit(clip(frame=None)),
        dialect.encode_status(job),
        dialect.encode_list(),
        dialect.encode_models(),
        dialect.encode_check(),
        dialect.encode_cancel(job),
    ]
    return [request for request in made if request is not None]


@pytest.mark.parametrize("name", NAMES)
def test_a_call_names_a_service_and_an_absolute_path(name: str) -> None:
    for request in calls(name):
        assert request.service in ("chat", "image", "video")
        assert request.path.startswith("/")
        assert not request.path.startswith("//")
        assert (request.body is None) == (request.method in ("GET", "DELETE"))
        assert "authorization" not in {header.lower() for header in request.headers}
        assert json.dumps(request.body)


@pytest.mark.parametrize("name", NAMES)
def test_calls_share_nothing_that_one_of_them_could_change(name: str) -> None:
    assert calls(name) == calls(name)
    for request, other in zip(calls(name), calls(name), strict=True):
        if request.body is not None:
            request.body["x"] = 1
            assert other.body is not None
            assert "x" not in other.body


# -- chat and pictures, as they are sent ----------------------------------------------------------

CHAT_PATHS = {
    "happycapy": "/api/v1/chat/completions",
    "openai": "/v1/chat/completions",
    "openrouter": "/api/v1/chat/completions",
    "vercel": "/v1/chat/completions",
}


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (ChatRequest("m", MESSAGES), {"model": "m", "messages": MESSAGES, "max_tokens": 8_000}),
        (
            ChatRequest("m", MESSAGES, 100, (FRAME, OTHER)),
            {"model": "m", "messages": SHOWN, "max_tokens": 100},
        ),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_a_chat_has_one_body_at_every_gateway(
    name: str, request_: ChatRequest, body: dict[str, object]
) -> None:
    headers = {"Origin": "https://trickle.so"} if name == "happycapy" else {}
    expected = HttpRequest("chat", "POST", CHAT_PATHS[name], headers, body)
    assert dialects.load(name).encode_chat(request_) == expected


@pytest.mark.parametrize("name", NAMES)
def test_pictures_are_shown_once_with_the_first_words_of_the_user(name: str) -> None:
    messages = [*MESSAGES, {"role": "assistant", "content": "a"}, {"role": "user", "content": "v"}]
    encode = dialects.load(name).encode_chat
    body = encode(ChatRequest("m/c", messages, pictures=(FRAME, OTHER))).body
    assert body is not None
    parts = [*PARTS, {"type": "text", "text": "u"}]
    assert body["messages"] == [messages[0], {"role": "user", "content": parts}, *messages[2:]]
    assert messages[1] == {"role": "user", "content": "u"}, "what was given stays as it was"
    plain = encode(ChatRequest("m/c", messages)).body
    assert json.dumps(plain) == json.dumps({**body, "messages": messages})
    with pytest.raises(ValueError, match="user"):
        encode(ChatRequest("m/c", MESSAGES[:1], pictures=(FRAME,)))


def arrived(name: str, http: HttpRequest) -> speech.Request:
    """A call as its gateway reads it."""
    body: dict[str, object] = json.loads(json.dumps(http.body))
    headers = {header.lower(): text for header, text in http.headers.items()}
    if http.files or http.form:
        headers["content-type"] = "multipart/form-data"
        body = {field: str(value) for field, value in body.items()}
        for field, picture in http.files:
            listed = [row.data for named, row in http.files if named == field]
            body[field] = listed if field.endswith("[]") else picture.data
    endpoint = speech.load(name).endpoint(http.method, http.path, body)
    return speech.Request(endpoint, http.method, http.path, headers, body)


WRITTEN = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
PICTURES = st.builds(
    lambda kind, rest: Picture(kind[0] + rest, kind[1]),
    st.sampled_from([(b"\x89PNG", "image/png"), (b"\xff\xd8\xff", "image/jpeg")]),
    st.binary(max_size=40),
)
SEVERAL = st.lists(PICTURES, max_size=3).map(tuple)
TALK = st.lists(
    st.builds(
        lambda role, content: {"role": role, "content": content},
        st.sampled_from(["system", "user", "assistant"]),
        WRITTEN,
    ),
    max_size=4,
).map(lambda messages: [*messages, {"role": "user", "content": "u"}])


@settings(deadline=None)
@given(TALK, SEVERAL)
def test_a_gateway_is_shown_the_pictures_of_a_chat(
    messages: list[dict[str, str]], pictures: tuple[Picture, ...]
) -> None:
    for name in NAMES:
        http = dialects.load(name).encode_chat(ChatRequest("m/c", messages, pictures=pictures))
        request = arrived(name, http)
        assert request.endpoint == "chat"
        assert speech.shown(request) == (messages, tuple(picture.data for picture in pictures))


@settings(deadline=None)
@given(
    st.builds(
        ImageRequest,
        st.sampled_from(["m/gemini-3", "m/flux", "m/gpt-image-2"]),
        WRITTEN,
        st.sampled_from(["16:9", "1:1", "2:3"]),
        st.sampled_from([None, "1536x1024"]),
        SEVERAL,
        st.sampled_from([None, "2", "2r"]),
        seed=st.none() | st.integers(0, (1 << 31) - 1),
        fields=st.sampled_from([{}, {"num_inference_steps": 30, "negative_prompt": "blur"}]),
    )
)
def test_a_gateway_understands_what_a_picture_is_generated_from(request: ImageRequest) -> None:
    for name in NAMES:
        came = arrived(name, dialects.load(name).encode_image(request))
        assert came.endpoint == "image"
        asked = speech.load(name).asked(came)
        assert (asked.model, asked.prompt) == (request.model, request.prompt)
        assert asked.pictures == tuple(picture.data for picture in request.pictures)
        if name != "openai":
            assert asked.shape == request.aspect_ratio
        named = f"candidate-{request.candidate}" if request.candidate else None
        assert came.body.get("user") == (named if name == "happycapy" else None)


@settings(deadline=None)
@given(
    WRITTEN,
    st.just((None, None)) | st.tuples(PICTURES, st.none() | PICTURES),
    st.sampled_from([None, "16:9"]),
)
def test_a_gateway_understands_how_a_clip_begins_and_ends(
    prompt: str, frames: tuple[Picture | None, Picture | None], ratio: str | None
) -> None:
    first, last = frames
    request = VideoRequest("m/v", prompt, first, 6, ratio, "720p", last_frame=last)
    for name in NAMES:
        came = arrived(name, dialects.load(name).encode_submit(request))
        assert came.endpoint == "create"
        asked = speech.load(name).asked(came)
        assert (asked.model, asked.prompt, asked.duration_s) == ("m/v", prompt, 6)
        ends = last and last.data
        assert (asked.frame, asked.last_frame) == (first and first.data, ends)


# What a gateway has to refuse, beside a create from the prompt alone that it understands.
NONSENSE: list[tuple[str, dict[str, object]]] = [
    ("happycapy", {"first_frame": None}),
    ("happycapy", {"first_frame": ""}),
    ("happycapy", {"last_frame": URI}),
    ("vercel", {"image": None}),
    ("vercel", {"frameImages": []}),
    ("vercel", {"frameImages": [{"image": FILE, "frameType": "last_frame"}]}),
    ("vercel", {"frameImages": [{"image": FILE, "frameType": "first_frame"}]}),
    ("openrouter", {"frame_images": None}),
    ("openrouter", {"frame_images": []}),
    ("openrouter", {"frame_images": [{**PARTS[0], "frame_type": "last_frame"}]}),
    ("openai", {"input_reference": ""}),
    ("openai", {"input_reference": b"no picture"}),
]


@pytest.mark.parametrize(("name", "more"), NONSENSE)
def test_a_gateway_of_the_tests_refuses_what_is_half_a_frame(
    name: str, more: dict[str, object]
) -> None:
    came = arrived(name, dialects.load(name).encode_submit(clip(frame=None)))
    assert speech.load(name).asked(came).frame is None
    came.body.update(more)
    with pytest.raises(ValueError, match=r"frame|picture|list"):
        speech.load(name).asked(came)
