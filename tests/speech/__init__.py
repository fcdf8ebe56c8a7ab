"""How each gateway speaks, from its own side: one module and one class each. `load` is their door.

A speech turns requests into what they mean and what is meant into replies; what happens in between
is the engine's, `loopback.py`. What a gateway can do stands in its class as data, and the table of
faults follows from that. The facts are those of the dialects in `scripts/`, and the replies hold
what the vendors' own clients insist on.
"""

from __future__ import annotations

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from time import monotonic
from typing import ClassVar
from urllib.parse import unquote

NAMES = ("happycapy", "vercel", "openrouter", "openai")
CHAT_USD = 0.0059  # what an answer of an LLM is said to have cost


@dataclass(frozen=True)
class Standing:
    """How a job stands, in no gateway's words.

    `state` is running, succeeded or failed; any other word is said as it is, and "" not at all.
    `clip` is what a gateway sends that puts clips into its replies, `url` what the others tell.
    """

    state: str
    id: str = "job-1"
    model: object = None
    prompt: object = None
    duration_s: object = None
    shape: object = None  # "16:9" or "1280x720"
    resolution: object = None
    created_at: float | None = None
    url: str | None = None
    clip: bytes | None = None
    error: object = None
    cost: float | None = None


@dataclass(frozen=True)
class Rows:
    """The list of jobs, the newest first."""

    rows: tuple[Standing, ...] = ()


@dataclass(frozen=True)
class Drawn:
    """A picture: its bytes, or where it is; `cost` in USD where the gateway tells it."""

    data: bytes | None = None
    url: str | None = None
    cost: float | None = None


@dataclass(frozen=True)
class Wrong:
    """An error. `code` is what it is about where the reply's status does not say so."""

    message: str
    code: int | None = None


@dataclass(frozen=True)
class Asked:
    """What a paid create means. `shape` is "16:9" or "1280x720".

    `frame` is the first frame, None of a clip from the prompt alone; `last_frame` is what a clip is
    to end with; `pictures` are those that one is to be drawn from.
    """

    model: str
    prompt: str
    shape: str | None = None
    duration_s: int | None = None
    resolution: str | None = None
    frame: bytes | None = None
    pictures: tuple[bytes, ...] = ()
    last_frame: bytes | None = None


@dataclass(frozen=True)
class Reply:
    """One answer. `fault` is what the wire does to it, a row of `loopback.WIRE`.

    `means` is said in the gateway's words, in place of `json`. `accepted`: whether the gateway did
    the work, and bills it; by default when it says 2xx, and when the fault hides what it says. A
    header "date+30" is sent as the date in 30 s. `pace_s`: how slowly it comes, where it does.
    """

    status: int = 200
    json: object = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""
    accepted: bool | None = None
    pace_s: float = 0.05
    means: Standing | Rows | Drawn | Wrong | None = None

    @property
    def data(self) -> bytes:
        return self.body if self.body is not None else json.dumps(self.json).encode()

    @property
    def says_nothing(self) -> bool:
        """Whether only the wire or the headers are out of order: the rest is the usual reply."""
        return self.json is None and self.body is None and self.means is None

    @property
    def billed(self) -> bool:
        if self.fault == "unread":
            return False
        return 200 <= self.status < 300 if self.accepted is None else self.accepted


@dataclass(frozen=True)
class Request:
    """One request as it came. Header names are in lower case.

    Files of a form are bytes; what is named as a list in it ("image[]") is a list.
    """

    endpoint: str
    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, object]
    at: float = field(default_factory=monotonic)


class Speech(ABC):
    """What all gateways say alike, in OpenAI's shape; a gateway's class says what differs."""

    name: ClassVar[str]
    # What the gateway can do; the table of faults follows from this.
    lists_jobs: ClassVar[bool] = False
    heeds_keys: ClassVar[bool] = False  # one idempotency key, one job
    tells_addresses: ClassVar[bool] = True  # a finished job tells where its clip is
    draws_addresses: ClassVar[bool] = False  # a picture may come as an address
    tells_balance: ClassVar[bool] = False
    models: ClassVar[Mapping[str, str]] = {}  # by kind, what must be named: it has no defaults
    # More models that draw: they are asked by a call of another shape.
    other_image_models: ClassVar[tuple[str, ...]] = ()
    # How servers of this kind differ from each other: what is set on the speech, by name.
    manners: ClassVar[Mapping[str, Mapping[str, object]]] = {}
    # Where things are. `check` is what is asked, free, before the first paid call.
    paths: ClassVar[Mapping[tuple[str, str], str]] = {}
    jobs_at: ClassVar[str] = ""
    check: ClassVar[str] = "check"
    needs_no_key: ClassVar[frozenset[str]] = frozenset()
    words: ClassVar[Mapping[str, str]] = {}  # of a job's states
    clock_ahead_s: ClassVar[float | None] = 0.0
    # What a picture and a clip are said to have cost; None: that is not told.
    image_usd: ClassVar[float | None] = None
    clip_usd: ClassVar[float | None] = None
    inline: bool = False  # the clip stands in the status reply

    # -- requests --------------------------------------------------------------------------------

    def endpoint(self, method: str, path: str, body: Mapping[str, object]) -> str:
        """chat, image, create, status, list, check, models, cancel, file; else "unknown"."""
        place, _, _ = path.partition("?")
        if (method, place) in self.paths:
            return self.paths[method, place]
        if method == "GET" and place.startswith("/files/"):
            return "file"
        if self.jobs_at and place.startswith(self.jobs_at):
            if method == "GET":
                return "file" if place.endswith("/content") else "status"
            return "cancel" if method == "DELETE" else "unknown"
        return "unknown"

    def job_in(self, request: Request) -> str:
        """The id of the job that a status read, a download or a cancel is about."""
        place = request.path.partition("?")[0]
        if place.startswith("/files/"):
            return unquote(place.removeprefix("/files/")).partition(".mp4")[0]
        return unquote(place.removeprefix(self.jobs_at).removesuffix("/content"))

    def kept_as(self, job_id: str) -> str:
        """The id under which a client keeps a job."""
        return job_id

    def naming(self, kind: str = "") -> list[str]:
        """The options that name models, where there are no defaults: a stage's, or all three."""
        if kind:
            return [f"--model={self.models[kind]}"] if self.models else []
        return [f"--{kind}-model={model}" for kind, model in self.models.items()]

    def new_id(self, number: int) -> str:
        """The id of the job with this number."""
        return f"job-{number}"

    def key_of(self, request: Request) -> str | None:
        """The idempotency key that the gateway heeds."""
        return request.headers.get("idempotency-key") if self.heeds_keys else None

    @abstractmethod
    def asked(self, request: Request) -> Asked:
        """What an image or create request means. Raises ValueError for what is none."""

    # -- replies ---------------------------------------------------------------------------------

    def chat(self, text: str, cost: float | None) -> Reply:
        """What an LLM said, and what that has cost where this gateway tells it with a chat."""
        return Reply(json=said(text, cost=cost))

    def image(self, request: Request, drawn: Drawn) -> Reply:
        """The picture that a request asked for."""
        row = {"b64_json": in_base64(drawn.data)} if drawn.data else {"url": drawn.url}
        return Reply(json={"created": 1, "data": [row]})

    @abstractmethod
    def created(self, job: Standing) -> Reply:
        """A clip is being made."""

    @abstractmethod
    def status(self, job: Standing) -> Reply:
        """How it stands."""

    def listed(self, jobs: Rows) -> Reply:
        """The jobs of this key."""
        return self.error(404, Wrong("there is no list of jobs"))

    def checked(self, balance_usd: float, jobs: Rows) -> Reply:
        """The reply to the free read before the first paid call, where it has one of its own."""
        return self.error(404, Wrong("there is no such read"))

    def served(self, ids: tuple[str, ...]) -> Reply:
        """The list of models."""
        rows = [{"id": id_, "object": "model", "created": 1, "owned_by": "test"} for id_ in ids]
        return Reply(json={"object": "list", "data": rows})

    def cancelled(self, job: Standing) -> Reply:
        """The reply to a request to end a job."""
        return self.error(405, Wrong("there is no such call"))

    def forgets(self) -> bool:
        """Whether a job that is cancelled is gone."""
        return False

    def other(self, request: Request) -> Reply | None:
        """The reply to a call that only the vendor's own client makes."""
        return None

    def error(self, status: int, wrong: Wrong) -> Reply:
        """An error."""
        code = {} if wrong.code is None else {"code": wrong.code}
        return Reply(status, {"error": {"message": wrong.message, **code}})

    def word(self, job: Standing) -> dict[str, object]:
        """A job's state in the gateway's word, as the field `status`."""
        return {"status": self.words.get(job.state, job.state)} if job.state else {}


def load(name: str) -> Speech:
    """The speech of that name."""
    speech = import_module(f"{__name__}.{name}").SPEECH()
    assert isinstance(speech, Speech)
    return speech


def said(
    content: object,
    finish_reason: str = "stop",
    *,
    cost: float | None = CHAT_USD,
    **message: object,
) -> dict[str, object]:
    """A chat reply, with all that the vendors' clients insist on."""
    told = {} if cost is None else {"cost": cost}
    return {
        "id": "chat-1",
        "object": "chat.completion",
        "created": 1,
        "model": "test/llm",
        "system_fingerprint": None,
        "choices": [
            {
                "index": 0,
                "finish_reason": finish_reason,
                "message": {"role": "assistant", "content": content, **message},
            }
        ],
        "usage": {"prompt_tokens": 1200, "completion_tokens": 150, "total_tokens": 1350, **told},
    }


def drawn_in_chat(drawn: Drawn) -> dict[str, object]:
    """A chat reply with a picture in it."""
    address = drawn.url or f"data:image/png;base64,{in_base64(drawn.data)}"
    images = [{"type": "image_url", "image_url": {"url": address}}]
    return said("", cost=drawn.cost, images=images)


def told_usd(reply: Reply) -> float | None:
    """What a reply says that its call has cost, in USD, wherever the gateways say so."""
    for told in (
        within(reply.json, "usage", "cost"),
        within(reply.json, "providerMetadata", "gateway", "cost"),
        reply.headers.get("x-litellm-response-cost"),
    ):
        if told is not None:
            with suppress(ValueError):  # a test may have it say anything
                return float(str(told))
    return None


def shown(request: Request) -> tuple[list[dict[str, object]], tuple[bytes, ...]]:
    """A chat request's messages, their contents as plain texts, and the pictures that it shows.

    OpenAI's content parts, as all gateways take them. Raises ValueError for any others.
    """
    messages: list[dict[str, object]] = []
    pictures: list[bytes] = []
    for message in rows_in(request.body, "messages"):
        content = message.get("content")
        if not isinstance(content, list):
            messages.append(message)
            continue
        texts = [text_in(part, "text") for part in content if within(part, "type") == "text"]
        images = [part for part in content if within(part, "type") == "image_url"]
        if len(texts) + len(images) != len(content):
            raise ValueError("a part of a message is neither a text nor a picture")
        messages.append({**message, "content": "".join(texts)})
        pictures += [a_picture(within(part, "image_url", "url")) for part in images]
    return messages, tuple(pictures)


def in_base64(data: bytes | None) -> str:
    return base64.b64encode(data or b"").decode()


def text_in(body: Mapping[str, object], name: str) -> str:
    """A field that must be a text. Raises ValueError."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} must be a text")
    return value


def may_be_text(body: Mapping[str, object], name: str) -> str | None:
    """A text, or None where the field is not sent. Raises ValueError."""
    return None if body.get(name) is None else text_in(body, name)


def may_be_whole(body: Mapping[str, object], name: str) -> int | None:
    """A whole number, written as one, or None where the field is not sent. Raises ValueError."""
    value = body.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise ValueError(f"{name} must be a whole number")
    return value


def drawing(request: Request) -> tuple[str, tuple[bytes, ...]]:
    """What is to be drawn by a chat, and from which pictures. Raises ValueError."""
    messages, pictures = shown(request)
    return text_in(next(iter(messages), {}), "content"), pictures


def rows_in(body: Mapping[str, object], name: str) -> list[dict[str, object]]:
    """A list of objects; empty where the field is not sent. Raises ValueError."""
    rows = body.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{name} must be a list of objects")
    return rows


def may_be_picture(data: object) -> bytes | None:
    """A picture as bytes, base64 or a data URI, or None where there is none. Raises ValueError."""
    return None if data is None else a_picture(data)


def picture_in(body: Mapping[str, object], name: str) -> bytes | None:
    """A picture, or None where the field is not sent. Raises ValueError, also for null."""
    return a_picture(body[name]) if name in body else None


def clip_from(asked: Asked) -> Asked:
    """What a create of a clip means. Raises ValueError for an end without a beginning."""
    if asked.last_frame and not asked.frame:
        raise ValueError("there is a last frame and no first one")
    return asked


def a_picture(data: object) -> bytes:
    """A picture as bytes, base64 or a data URI. Raises ValueError."""
    if isinstance(data, str):
        data = base64.b64decode(data.partition(",")[2] if data.startswith("data:") else data)
    if not isinstance(data, bytes) or not data.startswith((b"\x89PNG", b"\xff\xd8\xff", b"RIFF")):
        raise ValueError("what should be a picture is none")
    return data


def within(value: object, *names: object) -> object:
    """What lies below these names and numbers; None where nothing does."""
    for name in names:
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and isinstance(name, int) and name < len(value):
            value = value[name]
        else:
            return None
    return value
