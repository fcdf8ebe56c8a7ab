"""The gateways of our tests, asked by our client: what they see of pictures, what they charge."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import loopback
import pytest
import speech
from answers import FRAME, MESSAGES, OTHER, clip
from conftest import KEY
from factorized_video.errors import ToolError
from factorized_video.gateway.client import Gateway
from factorized_video.gateway.lookup import SERVICES
from factorized_video.gateway.settings import Settings
from factorized_video.gateway.types import ChatRequest, ImageRequest, Picture

CHAT = ChatRequest("m/c", MESSAGES)
IMAGE = ImageRequest("m/flux", "a fox", "16:9")
GEMINI = ImageRequest("m/gemini", "a fox", "16:9")
BOTH = (FRAME.data, OTHER.data)
NO_PICTURE = Picture(b"GIF89a", "image/gif")
TELLS_CHAT = ("happycapy", "openrouter")


@pytest.fixture(
    params=[
        speech.NAMES[0],
        *(pytest.param(name, marks=pytest.mark.thorough) for name in speech.NAMES[1:]),
    ]
)
def server(request: pytest.FixtureRequest) -> Iterator[loopback.Gateway]:
    """The gateway's side."""
    with loopback.Gateway(request.param) as gateway:
        yield gateway


@pytest.fixture
def ours(server: loopback.Gateway) -> Iterator[Gateway]:
    """Our side."""
    place = dict.fromkeys(SERVICES, server.root)
    gateway = Gateway(Settings(server.dialect, place, "by the test", KEY, 0.01))
    yield gateway
    gateway.close()


# -- pictures -------------------------------------------------------------------------------------


def test_the_pictures_of_a_chat_are_seen(server: loopback.Gateway, ours: Gateway) -> None:
    ours.chat(CHAT)
    assert speech.shown(server.of("chat")[-1]) == (MESSAGES, ())
    ours.chat(CHAT._replace(pictures=(FRAME, OTHER)))
    assert speech.shown(server.of("chat")[-1]) == (MESSAGES, BOTH)


@pytest.mark.parametrize("request_", [IMAGE, GEMINI])
@pytest.mark.parametrize("pictures", [(), (OTHER,), (FRAME, OTHER), (OTHER, OTHER, FRAME)])
def test_the_pictures_of_a_drawing_are_understood(
    server: loopback.Gateway, ours: Gateway, request_: ImageRequest, pictures: tuple[Picture, ...]
) -> None:
    drawn = ours.image(request_._replace(pictures=pictures, candidate="2r"))
    assert drawn.data == loopback.png()
    asked = server.speech.asked(server.of("image")[0])
    assert (asked.prompt, asked.frame) == ("a fox", None)
    assert asked.pictures == tuple(picture.data for picture in pictures)


def test_a_clip_from_the_prompt_alone_is_understood(
    server: loopback.Gateway, ours: Gateway
) -> None:
    job = ours.submit(clip(frame=None, ratio="9:16", shape="9:16"))
    assert job.id
    [request] = server.of("create")
    asked = server.speech.asked(request)
    assert (asked.prompt, asked.duration_s, asked.frame) == ("it runs", 6, None)
    assert asked.shape == ("720x1280" if server.dialect == "openai" else "9:16")
    assert server.billed == {"create": 1}


def test_the_last_frame_of_a_clip_is_understood(server: loopback.Gateway, ours: Gateway) -> None:
    ours.submit(clip())
    ours.submit(clip(last=OTHER))
    plain, ended = (server.speech.asked(request) for request in server.of("create"))
    assert (plain.frame, plain.last_frame) == (FRAME.data, None)
    assert (ended.frame, ended.last_frame) == (FRAME.data, OTHER.data)


@pytest.mark.parametrize(
    "ask",
    [
        lambda ours: ours.chat(CHAT._replace(pictures=(FRAME, NO_PICTURE))),
        lambda ours: ours.image(IMAGE._replace(pictures=(NO_PICTURE,))),
        lambda ours: ours.image(IMAGE._replace(pictures=(FRAME, NO_PICTURE))),
        lambda ours: ours.image(GEMINI._replace(pictures=(FRAME, NO_PICTURE))),
        lambda ours: ours.submit(clip(frame=NO_PICTURE)),
        lambda ours: ours.submit(clip(last=NO_PICTURE)),
    ],
    ids=["chat", "edit", "image", "gemini", "first frame", "last frame"],
)
def test_what_is_no_picture_is_refused_and_not_billed(
    server: loopback.Gateway,
    ours: Gateway,
    ask: Callable[[Gateway], object],
    request: pytest.FixtureRequest,
) -> None:
    if server.dialect == "openai" and request.node.callspec.id.endswith("last frame"):
        pytest.skip("it is not sent there")
    with pytest.raises(ToolError, match="not understood") as caught:
        ask(ours)
    assert caught.value.http_status == 400
    assert (server.billed, server.charged_usd) == ({}, 0)


# -- what it costs --------------------------------------------------------------------------------


@pytest.mark.parametrize("request_", [IMAGE, GEMINI._replace(pictures=(FRAME,))])
def test_the_cost_of_a_picture_is_reported_if_a_test_sets_it(
    server: loopback.Gateway, ours: Gateway, request_: ImageRequest
) -> None:
    told = server.speech.image_usd
    assert ours.image(request_).cost == told
    server.image_usd = 0.0625
    assert ours.image(request_).cost == 0.0625
    server.will("image", speech.Reply(means=speech.Drawn(loopback.png())))
    assert ours.image(request_).cost == 0.0625
    server.image_usd = None
    assert ours.image(request_).cost is None
    assert server.billed == {"image": 4}
    assert server.charged_usd == pytest.approx((told or 0) + 0.125)


def test_the_cost_of_a_chat_is_reported_by_those_that_report_it(
    server: loopback.Gateway, ours: Gateway
) -> None:
    tells = server.dialect in TELLS_CHAT
    assert ours.chat(CHAT).cost == (0.0059 if tells else None)
    server.chat_usd = 0.25
    assert ours.chat(CHAT).cost == (0.25 if tells else None)
    server.chat_usd = None
    assert ours.chat(CHAT).cost is None
    assert server.charged_usd == pytest.approx(0.2559 if tells else 0)


def test_all_that_is_billed_and_reported_is_charged(
    server: loopback.Gateway, ours: Gateway
) -> None:
    server.chat_usd, server.image_usd = 0.5, 0.25
    ours.chat(CHAT)
    ours.image(IMAGE)
    ours.submit(clip(key="take-1"))
    chat = 0.5 if server.dialect in TELLS_CHAT else 0
    whole = chat + 0.25 + (server.speech.clip_usd or 0)
    assert server.charged_usd == pytest.approx(whole)
    # What the wire loses is charged, what is refused or never read is not.
    server.will("image", speech.Reply(fault="reset"), speech.Reply(400, means=speech.Wrong("no")))
    for _ in range(2):
        with pytest.raises(ToolError):
            ours.image(IMAGE)
    assert server.charged_usd == pytest.approx(whole + 0.25)
    server.will("chat", speech.Reply(fault="unread"))
    ours.chat(CHAT)  # sent again
    assert server.charged_usd == pytest.approx(whole + 0.25 + chat)
    # One key, one clip, where the gateway heeds keys.
    ours.submit(clip(key="take-1"))
    clips = 0 if server.speech.heeds_keys else server.speech.clip_usd or 0
    assert server.charged_usd == pytest.approx(whole + 0.25 + chat + clips)


def test_the_cost_that_a_proxy_reports_is_charged_at_once() -> None:
    with loopback.Gateway("openai") as server:
        vars(server.speech).update(server.speech.manners["LiteLLM"])
        place = dict.fromkeys(SERVICES, server.root)
        ours = Gateway(Settings("openai", place, "by the test", KEY, 0.01))
        assert ours.submit(clip()).cost == 0.9
        ours.close()
        assert server.charged_usd == 0.9


def test_a_price_that_is_none_is_not_charged(server: loopback.Gateway, ours: Gateway) -> None:
    for cost in ("a lot", None, {"usd": 1}):
        told = {**speech.said("x"), "usage": {"cost": cost}}
        server.will("chat", speech.Reply(json=told))
        ours.chat(CHAT)
    assert (server.billed, server.charged_usd) == ({"chat": 3}, 0)


# -- what is no request ---------------------------------------------------------------------------

URL = "data:image/png;base64,iVBORw=="


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "image_url", "image_url": {"url": "https://a.b/c.png"}}],
        [{"type": "image_url", "image_url": URL}],
        [{"type": "image_url"}],
        [{"type": "text"}],
        [{"type": "input_image", "image_url": URL}],
        ["text"],
    ],
)
def test_a_part_of_another_kind_is_not_understood(content: object) -> None:
    messages = [{"role": "user", "content": content}]
    asked = speech.Request("chat", "POST", "/", {}, {"messages": messages})
    with pytest.raises(ValueError, match=r"picture|text|padding"):
        speech.shown(asked)


@pytest.mark.parametrize(
    ("name", "path", "body"),
    [
        ("happycapy", "/api/v1/images/generations", {"images": "iVBORw=="}),
        ("happycapy", "/api/v1/images/generations", {"images": [None]}),
        ("happycapy", "/api/v1/images/generations", {"user": 7}),
        ("openai", "/v1/images/edits", {"image": b"\x89PNG"}),  # as JSON
        ("openrouter", "/api/v1/images", {"input_references": [URL]}),
        ("openrouter", "/api/v1/images", {"input_references": [{"image_url": {"url": URL}}]}),
        (
            "openrouter",
            "/api/v1/videos",
            {
                "frame_images": [
                    {"type": "image_url", "image_url": {"url": URL}, "frame_type": "last_frame"}
                ]
            },
        ),
        ("vercel", "/v4/ai/image-model", {"files": [{"type": "file", "data": "iVBORw=="}]}),
        ("vercel", "/v4/ai/image-model", {"files": [URL]}),
        (
            "vercel",
            "/v4/ai/video-model/start",
            {
                "frameImages": [
                    {
                        "image": {"type": "file", "mediaType": "image/png", "data": "iVBORw=="},
                        "frameType": "first_frame",
                    }
                ]
            },
        ),
    ],
)
def test_a_request_of_another_shape_is_not_understood(
    name: str, path: str, body: dict[str, object]
) -> None:
    spoken = speech.load(name)
    headers = {f"ai-{kind}-model-specification-version": "4" for kind in ("image", "video")}
    body = {"model": "m", "prompt": "p", "n": 1, "providerOptions": {}, **body}
    endpoint = spoken.endpoint("POST", path, body)
    assert endpoint in ("image", "create")
    asked = speech.Request(endpoint, "POST", path, {**headers, "ai-model-id": "m"}, body)
    with pytest.raises(ValueError, match=r"picture|list|text|form|first_frame|frameImages"):
        spoken.asked(asked)
