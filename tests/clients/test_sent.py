"""What we send, field by field beside what the vendors' own clients send for the same request.

Both are asked for the same, each before a server of its own; each request is kept as it came. Where
they differ is listed below, with the reason: anything else that differs is an error, and so is a
listed difference that is none any more.
"""

from __future__ import annotations

import base64
import http.client
from collections import Counter
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, quote, unquote

import loopback
import pytest
import speech
from answers import clip_settings
from clients import official
from conftest import KEY
from factorized_video.gateway.client import Gateway
from factorized_video.gateway.lookup import SERVICES
from factorized_video.gateway.settings import Settings
from factorized_video.gateway.types import ChatRequest, Handle, ImageRequest, Job, VideoRequest
from factorized_video.gateway.types import Picture as Frame
from recorder import Recorder, Seen, Told

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "A cat — é."}]
PROMPT = "The cat leaps — é ☃ 😀."
PNG = loopback.png()
URI = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
# Another picture; to the tests' servers it is one, and the clients look no further either.
JPEG = b"\xff\xd8\xff\xe0 and more"
JPEG_URI = f"data:image/jpeg;base64,{base64.b64encode(JPEG).decode()}"
FRAME, LAST = Frame(PNG, "image/png"), Frame(JPEG, "image/jpeg")
PARTS = [{"type": "image_url", "image_url": {"url": uri}} for uri in (URI, JPEG_URI)]
# What the user of MESSAGES says, with both pictures shown.
SHOWN = [MESSAGES[0], {"role": "user", "content": [*PARTS, {"type": "text", "text": "A cat — é."}]}]
FIRST, ENDING = (
    {**part, "frame_type": role}
    for part, role in zip(PARTS, ("first_frame", "last_frame"), strict=True)
)


class Difference(NamedTuple):
    """Where we differ from a client on purpose. `only`: who sends the field; "both" do otherwise.

    `call` and `field` may have a `*`; then it must be found in one call at least.
    """

    client: str
    call: str
    field: str
    only: str  # ours | theirs | both
    reason: str


HOUSE = "each names itself; the HTTP library's default is refused by one gateway's edge"
ACCEPT = "we read JSON and nothing else; the client's library takes whatever comes"
TELEMETRY = "tells the vendor about the client's machine and its own retries"
FREE_NAME = "the name of a file is free; no server reads it"
IDENTITY = "a clip is compressed already; and its length is checked as it comes"
ANY_CLIP = "a clip's address may be anywhere and say any type; the bytes are looked at"
ONCE = "forbids a LiteLLM proxy to send a paid create again; the client does not know of it"

DIFFERENCES = [
    Difference("*", "*", "header.user-agent", "both", HOUSE),
    Difference("openai*", "*", "header.x-stainless-*", "theirs", TELEMETRY),
    Difference("openai", "image*", "header.x-litellm-num-retries", "ours", ONCE),
    Difference("openai", "create*", "header.x-litellm-num-retries", "ours", ONCE),
    Difference("openai", "create*", "part.input_reference.filename", "both", FREE_NAME),
    Difference("openai", "image*", "part.image*.filename", "both", FREE_NAME),
    Difference("openai", "content", "header.accept", "both", ANY_CLIP),
    Difference("openai", "content", "header.accept-encoding", "both", IDENTITY),
    Difference("openai", "delete", "header.content-type", "theirs", "there is no body"),
    Difference(
        "openai at happycapy",
        "chat*",
        "header.origin",
        "ours",
        "HappyCapy's own and public clients send it; whether it is enforced is not known",
    ),
    Difference(
        "openai at vercel",
        "gemini image*",
        "json.providerOptions.*",
        "ours",
        "the ratio: Vercel documents it as a field of its own, which this client does not know",
    ),
    Difference(
        "openrouter", "chat*", "json.stream", "theirs", "the client writes its defaults out: false"
    ),
    Difference(
        "openrouter",
        "models",
        "query.*",
        "theirs",
        "the client reads page by page; with neither of them the whole list is told",
    ),
    Difference("openrouter", "content", "header.accept", "both", ANY_CLIP),
    Difference("openrouter", "content", "header.accept-encoding", "both", IDENTITY),
    Difference("vercel", "*", "header.accept", "both", ACCEPT),
    Difference(
        "vercel",
        "credits",
        "header.ai-gateway-*",
        "theirs",
        "of the AI SDK's protocol; /v1/credits is documented with the key alone",
    ),
    Difference("vercel", "*", "header.accept-language", "theirs", "Node's fetch sends it always"),
    Difference("vercel", "*", "header.sec-fetch-mode", "theirs", "Node's fetch sends it always"),
]


# -- the same request, twice ----------------------------------------------------------------------


class Pair(NamedTuple):
    """One request of a client, and ours. Both are given the id of a finished job."""

    client: str
    call: str
    dialect: str
    ours: Callable[[Gateway, str], object]
    theirs: Callable[[str, str], object]  # root and id


def clip(model: str, **chosen: Any) -> VideoRequest:
    """A request for a clip of six seconds that begins with the picture."""
    return VideoRequest(model, PROMPT, FRAME, 6, "16:9", "720p", **chosen)


def direct(model: str, **chosen: Any) -> VideoRequest:
    """A request for the same clip from the prompt alone."""
    return clip(model, **chosen)._replace(first_frame=None)


def chat(model: str, *pictures: Frame) -> Callable[[Gateway, str], object]:
    """Our chat call."""
    return lambda gateway, job: gateway.chat(ChatRequest(model, MESSAGES, 100, pictures))


def their_chat(
    model: str, base: str = "", messages: Any = MESSAGES
) -> Callable[[str, str], object]:
    """The chat call of the `openai` package."""
    return lambda root, job: official.openai(root + base, KEY).chat.completions.create(
        model=model, messages=messages, max_tokens=100
    )


def edit(model: str, *pictures: Frame, **chosen: Any) -> Callable[[Gateway, str], object]:
    """Our call that has a picture drawn from others."""
    asked = ImageRequest(model, PROMPT, "16:9", pictures=pictures, **chosen)
    return lambda gateway, job: gateway.image(asked)


def status(gateway: Gateway, job: str) -> object:
    """Our status read."""
    return gateway.status(Handle(gateway_id(gateway, job), "m/v"))


def gateway_id(gateway: Gateway, job: str) -> str:
    """The id under which we keep a job."""
    return speech.load(gateway.settings.name).kept_as(job)


def content(path: str) -> Callable[[Gateway, str], object]:
    """Our download of a finished clip from the gateway itself."""

    def fetch(gateway: Gateway, job: str) -> object:
        done = Job(job, "succeeded", url=path.format(quote(job, safe="")))
        return gateway.fetch_video(done, Handle(job, "m/v"), Path("clip.mp4"), lambda path: None)

    return fetch


OPENAI: list[tuple[str, Callable[[Gateway, str], object], Callable[[Any, str], object]]] = [
    (
        "image",
        lambda gateway, job: gateway.image(ImageRequest("flux", PROMPT, "16:9")),
        lambda client, job: client.images.generate(
            model="flux", prompt=PROMPT, n=1, size="1280x720", response_format="b64_json"
        ),
    ),
    (
        "image of a GPT model",
        lambda gateway, job: gateway.image(ImageRequest("gpt-image-1", PROMPT, "3:2", "1536x1024")),
        lambda client, job: client.images.generate(
            model="gpt-image-1", prompt=PROMPT, n=1, size="1536x1024"
        ),
    ),
    (
        "image edit",
        edit("flux", FRAME),
        lambda client, job: client.images.edit(
            model="flux",
            prompt=PROMPT,
            n=1,
            size="1280x720",
            response_format="b64_json",
            image=("first.png", PNG, "image/png"),
        ),
    ),
    (
        "image edit by a GPT model",
        edit("gpt-image-2", LAST),
        lambda client, job: client.images.edit(
            model="gpt-image-2",
            prompt=PROMPT,
            n=1,
            size="1280x720",
            image=("last.jpg", JPEG, "image/jpeg"),
        ),
    ),
    (
        "image from two",
        edit("flux", FRAME, LAST),
        lambda client, job: client.images.edit(
            model="flux",
            prompt=PROMPT,
            n=1,
            size="1280x720",
            response_format="b64_json",
            image=[("first.png", PNG, "image/png"), ("last.jpg", JPEG, "image/jpeg")],
        ),
    ),
    (
        "create",
        lambda gateway, job: gateway.submit(clip("own/i2v")),
        lambda client, job: client.videos.create(
            model="own/i2v",
            prompt=PROMPT,
            seconds="6",
            size="1280x720",
            input_reference=("first.png", PNG, "image/png"),
        ),
    ),
    (
        # A seed is no field of OpenAI's own; the engines take it beside the others.
        "create with a seed, upright",
        lambda gateway, job: gateway.submit(clip("own/i2v", settings={"seed": 7}, shape="9:16")),
        lambda client, job: client.videos.create(
            model="own/i2v",
            prompt=PROMPT,
            seconds="6",
            size="720x1280",
            input_reference=("first.png", PNG, "image/png"),
            extra_body={"seed": 7},
        ),
    ),
    (
        "create from the prompt alone",
        lambda gateway, job: gateway.submit(direct("own/t2v")),
        lambda client, job: client.videos.create(
            model="own/t2v", prompt=PROMPT, seconds="6", size="1280x720"
        ),
    ),
    ("status", status, lambda client, job: client.videos.retrieve(job)),
    (
        "content",
        content("/v1/videos/{}/content"),
        lambda client, job: client.videos.download_content(job).read(),
    ),
    (
        "list",
        lambda gateway, job: gateway.list_jobs(),
        lambda client, job: client.videos.list(limit=50, order="desc"),
    ),
    (
        "delete",
        lambda gateway, job: gateway.cancel(Handle(job, "m/v")),
        lambda client, job: client.videos.delete(job),
    ),
    ("models", lambda gateway, job: gateway.models(), lambda client, job: client.models.list()),
    ("check", lambda gateway, job: gateway.check(), lambda client, job: client.models.list()),
]

OPENROUTER: list[tuple[str, Callable[[Gateway, str], object], Callable[[Any, str], object]]] = [
    (
        "chat",
        chat("anthropic/claude-sonnet-4.6"),
        lambda client, job: client.chat.send(
            model="anthropic/claude-sonnet-4.6", messages=MESSAGES, max_tokens=100
        ),
    ),
    (
        "chat with pictures",
        chat("anthropic/claude-sonnet-4.6", FRAME, LAST),
        lambda client, job: client.chat.send(
            model="anthropic/claude-sonnet-4.6", messages=SHOWN, max_tokens=100
        ),
    ),
    (
        "image edit",
        edit("google/gemini-3", FRAME, LAST),
        lambda client, job: client.images.generate(
            model="google/gemini-3", prompt=PROMPT, aspect_ratio="16:9", input_references=PARTS
        ),
    ),
    (
        "image",
        lambda gateway, job: gateway.image(ImageRequest("google/gemini-3", PROMPT, "16:9")),
        lambda client, job: client.images.generate(
            model="google/gemini-3", prompt=PROMPT, aspect_ratio="16:9"
        ),
    ),
    (
        "create",
        lambda gateway, job: gateway.submit(clip("google/veo-3.1")),
        lambda client, job: client.video_generation.generate(
            model="google/veo-3.1",
            prompt=PROMPT,
            duration=6,
            resolution="720p",
            aspect_ratio="16:9",
            frame_images=[FIRST],
        ),
    ),
    (
        "create with all settings",
        lambda gateway, job: gateway.submit(
            clip("google/veo-3.1", settings=clip_settings(audio=False, seed=7))._replace(
                resolution="4k"
            )
        ),
        lambda client, job: client.video_generation.generate(
            model="google/veo-3.1",
            prompt=PROMPT,
            duration=6,
            resolution="4K",
            aspect_ratio="16:9",
            frame_images=[FIRST],
            seed=7,
            generate_audio=False,
        ),
    ),
    (
        "create with a last frame",
        lambda gateway, job: gateway.submit(clip("google/veo-3.1", last_frame=LAST)),
        lambda client, job: client.video_generation.generate(
            model="google/veo-3.1",
            prompt=PROMPT,
            duration=6,
            resolution="720p",
            aspect_ratio="16:9",
            frame_images=[FIRST, ENDING],
        ),
    ),
    (
        "create from references",
        lambda gateway, job: gateway.submit(direct("google/veo-3.1", references=(FRAME, LAST))),
        lambda client, job: client.video_generation.generate(
            model="google/veo-3.1",
            prompt=PROMPT,
            duration=6,
            resolution="720p",
            aspect_ratio="16:9",
            input_references=PARTS,
        ),
    ),
    (
        "create from the prompt alone",
        lambda gateway, job: gateway.submit(direct("google/veo-3.1")),
        lambda client, job: client.video_generation.generate(
            model="google/veo-3.1",
            prompt=PROMPT,
            duration=6,
            resolution="720p",
            aspect_ratio="16:9",
        ),
    ),
    ("status", status, lambda client, job: client.video_generation.get_generation(job_id=job)),
    (
        "content",
        content("/api/v1/videos/{}/content?index=0"),
        lambda client, job: client.video_generation.get_video_content(job_id=job, index=0).read(),
    ),
    (
        "key",
        lambda gateway, job: gateway.check(),
        lambda client, job: client.api_keys.get_current_key_metadata(),
    ),
    (
        "models",
        lambda gateway, job: gateway.models(),
        lambda client, job: client.models.list(output_modalities="all"),
    ),
]

VEO = "google/veo-3.1-generate-001"
SEEDREAM = "bytedance/seedream-4.5"


def by_vercel(call: str, **chosen: object) -> Callable[[str, str], object]:
    """One call of Vercel's own client."""

    def act(root: str, job: str) -> object:
        here = {"operation": {"jobId": job}} if call == "status" else {}
        [told] = official.vercel(root, KEY, [call], **chosen, **here)
        assert "error" not in told, told
        return told

    return act


ENCODED, JPEG_ENCODED = (base64.b64encode(data).decode() for data in (PNG, JPEG))
UNFRAMED = {
    "model": VEO,
    "prompt": PROMPT,
    "duration": 6,
    "aspectRatio": "16:9",
    "resolution": "1280x720",
}
FRAMED = {**UNFRAMED, "frame": ENCODED}
VERCEL: list[tuple[str, Callable[[Gateway, str], object], Callable[[str, str], object]]] = [
    (
        "image",
        lambda gateway, job: gateway.image(ImageRequest(SEEDREAM, PROMPT, "16:9")),
        by_vercel("image", model=SEEDREAM, prompt=PROMPT, aspectRatio="16:9"),
    ),
    (
        "image edit",
        edit(SEEDREAM, FRAME, LAST),
        by_vercel(
            "image",
            model=SEEDREAM,
            prompt=PROMPT,
            aspectRatio="16:9",
            pictures=[ENCODED, JPEG_ENCODED],
        ),
    ),
    (
        "create",
        lambda gateway, job: gateway.submit(clip(VEO, idempotency_key="take-1")),
        by_vercel("create", **FRAMED),
    ),
    (
        "create with all settings",
        lambda gateway, job: gateway.submit(
            clip(VEO, settings=clip_settings(audio=True, seed=7), idempotency_key="take-1")
        ),
        by_vercel("create", **FRAMED, seed=7, generateAudio=True),
    ),
    (
        "create with a last frame",
        lambda gateway, job: gateway.submit(clip(VEO, last_frame=LAST, idempotency_key="take-1")),
        by_vercel("create", **FRAMED, last=JPEG_ENCODED),
    ),
    (
        "create from the prompt alone",
        lambda gateway, job: gateway.submit(direct(VEO, idempotency_key="take-1")),
        by_vercel("create", **UNFRAMED),
    ),
    (
        "create from references",
        lambda gateway, job: gateway.submit(
            direct(VEO, references=(FRAME, LAST), idempotency_key="take-1")
        ),
        by_vercel("create", **UNFRAMED, references=[ENCODED, JPEG_ENCODED]),
    ),
    (
        "status",
        lambda gateway, job: gateway.status(Handle(gateway_id(gateway, job), VEO)),
        by_vercel("status", model=VEO),
    ),
    ("credits", lambda gateway, job: gateway.check(), by_vercel("credits")),
]


def with_client(
    client: Callable[[str, str], Any], act: Callable[[Any, str], object]
) -> Callable[[str, str], object]:
    """A call of a Python client, from where the server is."""
    return lambda root, job: act(client(root, KEY), job)


GEMINI = "google/gemini-3-pro-image"
PAIRS = [
    Pair("openai", "chat", "openai", chat("qwen"), their_chat("qwen")),
    *(
        Pair("openai", call, "openai", ours, with_client(official.openai, theirs))
        for call, ours, theirs in OPENAI
    ),
    Pair(
        "openai",
        "chat with pictures",
        "openai",
        chat("qwen", FRAME, LAST),
        their_chat("qwen", messages=SHOWN),
    ),
    Pair(
        "openai at happycapy",
        "chat",
        "happycapy",
        chat("openai/gpt-5.1"),
        their_chat("openai/gpt-5.1", "/api"),
    ),
    Pair(
        "openai at happycapy",
        "chat with pictures",
        "happycapy",
        chat("openai/gpt-5.1", FRAME, LAST),
        their_chat("openai/gpt-5.1", "/api", SHOWN),
    ),
    Pair(
        "openai at vercel", "chat", "vercel", chat("openai/gpt-5.1"), their_chat("openai/gpt-5.1")
    ),
    Pair(
        "openai at vercel",
        "chat with pictures",
        "vercel",
        chat("openai/gpt-5.1", FRAME, LAST),
        their_chat("openai/gpt-5.1", messages=SHOWN),
    ),
    Pair(
        "openai at vercel",
        "gemini image",
        "vercel",
        lambda gateway, job: gateway.image(ImageRequest(GEMINI, PROMPT, "16:9")),
        lambda root, job: official.openai(root, KEY).chat.completions.create(
            model=GEMINI,
            messages=[{"role": "user", "content": PROMPT}],
            extra_body={"modalities": ["text", "image"]},
        ),
    ),
    Pair(
        "openai at vercel",
        "gemini image edit",
        "vercel",
        edit(GEMINI, FRAME, LAST),
        lambda root, job: official.openai(root, KEY).chat.completions.create(
            model=GEMINI,
            messages=[{"role": "user", "content": [{"type": "text", "text": PROMPT}, *PARTS]}],
            extra_body={"modalities": ["text", "image"]},
        ),
    ),
    Pair(
        "openai at vercel",
        "models",
        "vercel",
        lambda gateway, job: gateway.models(),
        lambda root, job: official.openai(root, KEY).models.list(),
    ),
    *(
        Pair("openrouter", call, "openrouter", ours, with_client(official.openrouter, theirs))
        for call, ours, theirs in OPENROUTER
    ),
    *(Pair("vercel", call, "vercel", ours, theirs) for call, ours, theirs in VERCEL),
]


def settings(root: str, dialect: str) -> Settings:
    """A gateway at this address."""
    return Settings(dialect, dict.fromkeys(SERVICES, root), "by the test", KEY, 0.01)


def passed_on(to: str) -> Callable[[Seen], Told]:
    """Answers as the server there does."""

    def answer(seen: Seen) -> Told:
        connection = http.client.HTTPConnection(to.removeprefix("http://"), timeout=20)
        skipped = ("host", "content-length", "connection", "accept-encoding")
        headers = {name: text for name, text in seen.headers.items() if name not in skipped}
        connection.request(seen.method, seen.path, seen.body or None, headers)
        reply = connection.getresponse()
        kept = {name: text for name, text in reply.getheaders() if name == "Content-Type"}
        return Told(reply.read(), reply.status, kept)

    return answer


def sent(dialect: str, act: Callable[[str, str], object]) -> Seen:
    """The one request that `act` makes of a server with a finished job."""
    with loopback.Gateway(dialect) as server:
        server.key = KEY
        server.ends_after = -1
        if dialect == "openai":
            # With what a path takes for its own.
            vars(server.speech)["new_id"] = lambda number: f"video_a+/b%2F?#{number}=="
        ours = Gateway(settings(server.root, dialect))
        ours.submit(clip(VEO))
        ours.close()
        with Recorder(passed_on(server.root)) as recorder:
            act(recorder.root, next(iter(server.jobs)))
        [seen] = recorder.seen
        return seen


def sent_by_us(pair: Pair) -> Seen:
    """Our request."""

    def act(root: str, job: str) -> None:
        gateway = Gateway(settings(root, pair.dialect))
        pair.ours(gateway, job)
        gateway.close()

    return sent(pair.dialect, act)


# -- field by field -------------------------------------------------------------------------------


def fields(seen: Seen) -> dict[str, object]:
    """A request as one flat table. Without what follows from the rest: the host and the length."""
    path, _, query = seen.path.partition("?")
    # What a path means: "+" and "=" may be quoted or not, "/" and "?" inside an id must be.
    segments = [unquote(segment) for segment in path.split("/")]
    found: dict[str, object] = {"method": seen.method, "path": segments}
    found |= {f"query.{name}": value for name, value in parse_qsl(query)}
    kind = seen.headers.get("content-type", "")
    for name, value in seen.headers.items():
        if name == "content-type":
            found["header.content-type"] = kind.partition(";")[0]  # the boundary is the form's own
        elif name == "idempotency-key":
            found[f"header.{name}"] = bool(value)  # each makes its own
        elif name not in ("host", "content-length"):
            found[f"header.{name}"] = value
    if kind.startswith("multipart/"):
        counted: Counter[str] = Counter()
        for part in seen.parts:
            # Of several parts of one name, each is compared with the one in its place.
            name = f"part.{part.name}" + f".{counted[part.name]}" * part.name.endswith("[]")
            counted[part.name] += 1
            found |= {name: part.data, f"{name}.filename": part.filename, f"{name}.mime": part.mime}
    elif seen.body:
        found |= flat("json", seen.json)
    return found


def flat(name: str, value: object) -> dict[str, object]:
    """The leaves of a JSON value by their places; an empty list or object is a leaf too."""
    if isinstance(value, dict) and value:
        pairs = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list) and value:
        pairs = [(str(number), item) for number, item in enumerate(value)]
    else:
        return {name: (type(value).__name__, value)}
    found: dict[str, object] = {}
    for key, item in pairs:
        found |= flat(f"{name}.{key}", item)
    return found


@cache
def differences(pair: Pair) -> dict[str, tuple[str, object, object]]:
    """Where the two requests differ: by field, who sends it, and what each sends."""
    ours, theirs = fields(sent_by_us(pair)), fields(sent(pair.dialect, pair.theirs))
    found: dict[str, tuple[str, object, object]] = {}
    for field in sorted(ours.keys() | theirs.keys()):
        if field not in theirs:
            found[field] = ("ours", ours[field], None)
        elif field not in ours:
            found[field] = ("theirs", None, theirs[field])
        elif ours[field] != theirs[field]:
            found[field] = ("both", ours[field], theirs[field])
    return found


def covers(row: Difference, pair: Pair, field: str, only: str) -> bool:
    """Whether a difference is the listed one."""
    told = ((pair.client, row.client), (pair.call, row.call), (field, row.field))
    return row.only == only and all(fnmatchcase(text, pattern) for text, pattern in told)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.client}: {pair.call}")
def test_we_send_what_the_vendors_own_client_sends(pair: Pair) -> None:
    unexplained = {
        field: told
        for field, told in differences(pair).items()
        if not any(covers(row, pair, field, told[0]) for row in DIFFERENCES)
    }
    assert unexplained == {}


@pytest.mark.parametrize(
    "row", DIFFERENCES, ids=lambda row: f"{row.client}: {row.call}: {row.field}"
)
def test_a_listed_difference_is_still_one(row: Difference) -> None:
    assert row.reason
    pairs = [pair for pair in PAIRS if fnmatchcase(pair.client, row.client)]
    assert any(
        covers(row, pair, field, told[0])
        for pair in pairs
        for field, told in differences(pair).items()
    )


def test_the_comparison_sees_every_kind_of_field() -> None:
    """That it would notice: the tables of three requests have what the others are judged by."""
    by_name = {(pair.client, pair.call): pair for pair in PAIRS}
    form = fields(sent_by_us(by_name["openai", "create with a seed, upright"]))
    assert form["part.input_reference"] == PNG
    assert form["part.input_reference.mime"] == "image/png"
    assert (form["part.seed"], form["part.seconds"]) == (b"7", b"6")
    assert form["part.prompt"] == PROMPT.encode()
    assert (form["method"], form["path"]) == ("POST", ["", "v1", "videos"])
    assert form["header.authorization"] == f"Bearer {KEY}"
    start = fields(sent_by_us(by_name["vercel", "create with all settings"]))
    assert start["header.idempotency-key"] is True
    assert start["header.ai-model-id"] == VEO
    assert start["json.duration"] == ("int", 6)
    assert start["json.providerOptions"] == ("dict", {})
    several = fields(sent_by_us(by_name["openai", "image from two"]))
    assert (several["part.image[].0"], several["part.image[].1"]) == (PNG, JPEG)
    assert several["part.image[].1.mime"] == "image/jpeg"
    bare = fields(sent_by_us(by_name["openai", "create from the prompt alone"]))
    assert bare["header.content-type"] == "multipart/form-data"
    assert "part.input_reference" not in bare
    assert bare["part.prompt"] == PROMPT.encode()
    status_read = fields(sent_by_us(by_name["openai", "status"]))
    assert status_read["path"] == ["", "v1", "videos", "video_a+/b%2F?#1=="]
