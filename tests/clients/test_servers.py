"""The servers of our tests, judged by the vendors' own clients: all that they check, they accept.

Each walk is a function of `root`, so it would walk through a real gateway just as well.
"""

from __future__ import annotations

import base64
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import loopback
import pytest
import speech
from clients import official
from conftest import KEY
from loopback import CAPTION
from speech import Standing

PNG = loopback.png()
ENCODED = base64.b64encode(PNG).decode()
URI = f"data:image/png;base64,{ENCODED}"
ASKED = [{"role": "user", "content": "A cat."}]
STRANGER = "sk-of-somebody-else"
VEO, SEEDREAM = "google/veo-3.1-generate-001", "bytedance/seedream-4.5"
VERCEL = {"prompt": "It leaps.", "aspectRatio": "16:9"}
CLIP = {
    **VERCEL,
    "model": VEO,
    "frame": ENCODED,
    "duration": 6,
    "resolution": "1280x720",
    "seed": 7,
    "generateAudio": True,
}


@contextmanager
def served(dialect: str, manner: str = "") -> Iterator[loopback.Gateway]:
    """The server of a dialect, in a manner of its own, that asks for the key."""
    with loopback.Gateway(dialect) as server:
        server.key = KEY
        vars(server.speech).update(server.speech.manners[manner] if manner else {})
        yield server


def manners(dialect: str) -> list[str]:
    """The manners of a dialect's servers; "" is the usual one."""
    return ["", *speech.load(dialect).manners]


# -- servers in OpenAI's shape, by the `openai` package -------------------------------------------


def walk_openai(root: str, key: str) -> dict[str, Any]:
    """Chat, a picture, a clip from its first frame to its bytes, the lists."""
    client = official.openai(root, key)
    chat = client.chat.completions.create(model="own/llm", messages=ASKED)
    drawn = client.images.generate(model="own/image", prompt="A cat.", response_format="b64_json")
    job = client.videos.create(
        model="own/i2v",
        prompt="It leaps.",
        seconds="6",
        size="1280x720",
        input_reference=("first.png", PNG, "image/png"),
    )
    words = [job.status]
    while job.status not in ("completed", "failed") and len(words) < 50:
        time.sleep(0.02)
        job = client.videos.retrieve(job.id)
        words.append(job.status)
    return {
        "text": chat.choices[0].message.content,
        "picture": official.bytes_of(drawn.data[0].b64_json),
        "words": words,
        "error": job.error,
        "about": (job.model, str(job.seconds), job.size),
        "clip": client.videos.download_content(job.id).read(),
        "jobs": [row.id == job.id for row in client.videos.list(limit=10)],
        "models": [row.id for row in client.models.list()],
        "id": job.id,
    }


@pytest.mark.parametrize("manner", manners("openai"))
def test_openai_walks_through_servers_in_its_shape(manner: str) -> None:
    with served("openai", manner) as server:
        seen = walk_openai(server.root, KEY)
        assert CAPTION in seen["text"]
        assert seen["picture"] == PNG
        running = "processing" if manner == "LiteLLM" else "in_progress"
        assert seen["words"] == ["queued", running, "completed"]
        assert (seen["error"], seen["about"]) == (None, ("own/i2v", "6", "1280x720"))
        assert seen["clip"] == loopback.clip()
        assert seen["jobs"] == [True]
        assert seen["models"] == ["own/llm", "own/image", "own/i2v"]
        assert server.billed == {"chat": 1, "image": 1, "create": 1}


@pytest.mark.parametrize("manner", manners("openai"))
def test_openai_deletes_a_job(manner: str) -> None:
    import openai

    with served("openai", manner) as server:
        client = official.openai(server.root, KEY)
        job = client.videos.create(model="own/i2v", prompt="x", input_reference=("a.png", PNG))
        if manner == "LiteLLM":
            with pytest.raises(openai.APIStatusError) as caught:
                client.videos.delete(job.id)
            assert caught.value.status_code == 405
            return
        told = client.videos.delete(job.id)
        assert (told.id, told.deleted, told.object) == (job.id, True, "video.deleted")
        with pytest.raises(openai.NotFoundError):
            client.videos.retrieve(job.id)


@pytest.mark.parametrize("manner", manners("openai"))
def test_openai_tells_errors_apart(manner: str) -> None:
    import openai

    with served("openai", manner) as server:
        stranger, client = (official.openai(server.root, key) for key in (STRANGER, KEY))
        with pytest.raises(openai.AuthenticationError) as caught:
            stranger.chat.completions.create(model="own/llm", messages=ASKED)
        # SGLang's own errors have another shape, whose words this client does not show.
        assert ("no such key" in str(caught.value)) == (manner != "SGLang")
        with pytest.raises(openai.AuthenticationError):
            stranger.videos.create(model="own/i2v", prompt="x")
        with pytest.raises(openai.NotFoundError):
            client.videos.retrieve("job-none")
        server.will("create", speech.Reply(429, means=speech.Wrong("slow down")))
        with pytest.raises(openai.RateLimitError):
            client.videos.create(model="own/i2v", prompt="x")


@pytest.mark.parametrize("manner", manners("openai"))
def test_openai_reads_a_failed_job(manner: str) -> None:
    import openai

    with served("openai", manner) as server:
        server.ending, server.ends_after = {"status": "failed", "error": "GPU on fire"}, 0
        client = official.openai(server.root, KEY)
        job = client.videos.create(model="own/i2v", prompt="x", input_reference=("a.png", PNG))
        if server.speech.manners.get(manner, {}).get("failed_status"):
            with pytest.raises(openai.InternalServerError, match="GPU on fire"):
                client.videos.retrieve(job.id)
            return
        failed = client.videos.retrieve(job.id)
        assert (failed.status, failed.error.message) == ("failed", "GPU on fire")


def test_openai_speaks_to_the_gateways_that_offer_its_shape() -> None:
    """Chat at all of them, pictures of Gemini's and the list of models at Vercel's."""
    for dialect, prefix in (("happycapy", "/api"), ("vercel", ""), ("openrouter", "/api")):
        with served(dialect) as server:
            client = official.openai(server.root + prefix, KEY)
            chat = client.chat.completions.create(model="openai/gpt-5.1", messages=ASKED)
            assert CAPTION in chat.choices[0].message.content
            assert chat.usage.completion_tokens == 150
    with served("vercel") as server:
        client = official.openai(server.root, KEY)
        drawn = client.chat.completions.create(
            model="google/gemini-3-pro-image",
            messages=ASKED,
            extra_body={"modalities": ["text", "image"]},
        )
        images = drawn.choices[0].message.model_extra["images"]
        assert official.bytes_of(images[0]["image_url"]["url"]) == PNG
        assert [row.id for row in client.models.list()] == list(server.serves)


# -- OpenRouter, by the `openrouter` package ------------------------------------------------------


def walk_openrouter(root: str, key: str) -> dict[str, Any]:
    """Chat, pictures by both calls, a clip from its first frame to its bytes, the account."""
    with official.openrouter(root, key) as client:
        chat = client.chat.send(model="anthropic/claude-sonnet-4.6", messages=ASKED)
        drawn = client.images.generate(model=SEEDREAM, prompt="A cat.", aspect_ratio="16:9")
        in_chat = client.chat.send(
            model="google/gemini-3-pro-image",
            messages=ASKED,
            modalities=["image", "text"],
            image_config={"aspect_ratio": "16:9"},
        )
        job = client.video_generation.generate(
            model="google/veo-3.1",
            prompt="It leaps.",
            duration=6,
            resolution="720p",
            aspect_ratio="16:9",
            seed=7,
            generate_audio=False,
            frame_images=[
                {"type": "image_url", "image_url": {"url": URI}, "frame_type": "first_frame"}
            ],
        )
        words = [job.status]
        while job.status in ("pending", "in_progress") and len(words) < 50:
            time.sleep(0.02)
            job = client.video_generation.get_generation(job_id=job.id)
            words.append(job.status)
        behind_the_key = client.video_generation.get_video_content(job_id=job.id, index=0).read()
        account = client.api_keys.get_current_key_metadata().data
        credit = client.credits.get_credits().data
        images = in_chat.choices[0].message.images
        return {
            "text": chat.choices[0].message.content,
            "chat cost": chat.usage.cost,
            "picture": official.bytes_of(drawn.data[0].b64_json),
            "picture in chat": official.bytes_of(images[0].image_url.url),
            "words": words,
            "error": job.error,
            "cost": job.usage.cost,
            "clip": behind_the_key,
            "signed": job.urls or [],
            "unsigned": job.unsigned_urls or [],
            "left": account.limit_remaining,
            "credit": credit.total_credits - credit.total_usage,
            "models": [row.id for row in client.models.list().result.data],
            "video models": [row.id for row in client.video_generation.list_videos_models().data],
        }


@pytest.mark.parametrize("manner", manners("openrouter"))
def test_openrouter_walks_through_its_server(manner: str) -> None:
    with served("openrouter", manner) as server:
        seen = walk_openrouter(server.root, KEY)
        assert CAPTION in seen["text"]
        assert seen["chat cost"] == 0.0059
        assert (seen["picture"], seen["picture in chat"]) == (PNG, loopback.png(number=1))
        assert seen["words"] == ["pending", "in_progress", "completed"]
        assert (seen["error"], seen["cost"]) == (None, 0.9)
        assert seen["clip"] == loopback.clip()
        assert (seen["left"], seen["credit"]) == (95.5, 7.5)
        assert seen["models"] == list(server.serves)
        assert seen["video models"] == ["google/veo-3.1"]
        if manner:
            assert not seen["signed"]
            assert seen["unsigned"][0].endswith("/content?index=0")
        else:
            [signed] = seen["signed"]
            with urllib.request.urlopen(signed, timeout=20) as answer:
                assert answer.read() == loopback.clip()
        assert server.billed == {"chat": 1, "image": 2, "create": 1}


def test_openrouter_tells_errors_apart() -> None:
    from openrouter import errors

    with served("openrouter") as server:
        with official.openrouter(server.root, STRANGER) as stranger:
            with pytest.raises(errors.UnauthorizedResponseError, match="no such key"):
                stranger.chat.send(model="m", messages=ASKED)
            with pytest.raises(errors.UnauthorizedResponseError):
                stranger.video_generation.generate(model="m", prompt="x")
            with pytest.raises(errors.UnauthorizedResponseError):
                stranger.api_keys.get_current_key_metadata()
        with official.openrouter(server.root, KEY) as client:
            with pytest.raises(errors.NotFoundResponseError):
                client.video_generation.get_generation(job_id="job-none")
            for status, family in (
                (402, errors.PaymentRequiredResponseError),
                (429, errors.TooManyRequestsResponseError),
                (500, errors.InternalServerResponseError),
            ):
                server.will("create", speech.Reply(status, means=speech.Wrong("it says so")))
                with pytest.raises(family, match="it says so"):
                    client.video_generation.generate(model="m", prompt="x")


@pytest.mark.parametrize("word", ["failed", "cancelled", "expired"])
def test_openrouter_reads_a_job_that_ended_otherwise(word: str) -> None:
    with served("openrouter") as server, official.openrouter(server.root, KEY) as client:
        server.will("status", speech.Reply(means=Standing(word, error="GPU on fire")))
        job = client.video_generation.generate(model="m", prompt="x")
        ended = client.video_generation.get_generation(job_id=job.id)
        assert (ended.status, ended.error) == (word, "GPU on fire")


# -- Vercel, by `ai` and `@ai-sdk/gateway` in Node ------------------------------------------------


@pytest.mark.parametrize("manner", manners("vercel"))
def test_vercels_client_walks_through_its_server(manner: str) -> None:
    with served("vercel", manner) as server:
        [picture] = official.vercel(server.root, KEY, ["image"], **{**VERCEL, "model": SEEDREAM})
        assert official.bytes_of(picture["came"]["base64"]) == PNG
        video, credit, models = official.vercel(
            server.root, KEY, ["video", "credits", "models"], **CLIP
        )
        assert official.bytes_of(video["came"]["base64"]) == loopback.clip()
        assert (video["came"]["type"], video["came"]["cost"]) == ("video/mp4", "0.90")
        assert credit["came"] == {"balance": "95.50", "totalUsed": "4.50"}
        assert models["came"] == [VEO]
        assert server.billed == {"image": 1, "create": 1}
        [create] = server.of("create")
        assert create.headers["ai-model-id"] == VEO


def test_vercels_client_tells_errors_apart() -> None:
    with served("vercel") as server:
        strange = official.vercel(server.root, STRANGER, ["create", "credits"], **CLIP)
        assert {told["error"]["name"] for told in strange} == {"GatewayAuthenticationError"}
        assert {told["error"]["statusCode"] for told in strange} == {401}
        gone, *_ = official.vercel(
            server.root, KEY, ["status"], **CLIP, operation={"jobId": "job-none"}
        )
        assert gone["error"]["statusCode"] == 404
        names = {
            400: "GatewayInvalidRequestError",
            429: "GatewayRateLimitError",
            500: "GatewayInternalServerError",
        }
        for status in names:
            server.will("create", speech.Reply(status, means=speech.Wrong("it says so")))
        told = official.vercel(server.root, KEY, ["create"] * len(names), **CLIP)
        assert [row["error"]["name"] for row in told] == list(names.values())
        assert all("it says so" in row["error"]["message"] for row in told)


def test_vercels_client_reads_a_job_that_ended_otherwise() -> None:
    with served("vercel") as server:
        server.will("status", speech.Reply(means=Standing("failed", error="GPU on fire")))
        server.will("status", speech.Reply(means=Standing("cancelled")))
        failed, cancelled = official.vercel(
            server.root, KEY, ["status"] * 2, **CLIP, operation={"jobId": "job-1"}
        )
        assert failed["came"] == {"status": "error", "error": "GPU on fire"}
        said = "Video generation was cancelled."
        assert cancelled["came"] == {"status": "error", "error": said}


# -- nothing leaves this machine ------------------------------------------------------------------

REACHING = [
    "fetch('https://example.com').catch(() => {})",
    "fetch('http://192.0.2.1').catch(() => {})",
    "import('node:net').then((net) => net.connect(80, '192.0.2.1').on('error', () => {}))",
    "import('node:net').then((net) => net.connect({port: 80, host: 'example.com'}))",
    "import('node:https').then((https) => https.get('https://example.com'))",
    "import('node:dns').then((dns) => dns.lookup('example.com', () => {}))",
    "import('node:dns/promises').then((dns) => dns.resolve4('example.com'))",
]


@pytest.mark.parametrize("code", REACHING)
def test_a_process_of_node_cannot_leave_the_machine(code: str) -> None:
    told = official.node("-e", code)
    assert told.returncode == 97, told.stderr
    assert "a test reached for" in told.stderr
