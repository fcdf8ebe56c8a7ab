"""Requests to a gateway and its replies, in terms of none of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from .polling import POLL_S


class Picture(NamedTuple):
    """An image as it is sent: its bytes and what they are ("image/png", "image/jpeg")."""

    data: bytes
    mime: str

    def __repr__(self) -> str:
        return f"Picture({self.mime}, {len(self.data)} bytes)"


class ChatRequest(NamedTuple):
    """A conversation for an LLM. `messages` are {"role", "content"} in order.

    `pictures` go with the first user message, before its text.
    """

    model: str
    messages: list[dict[str, str]]
    # Reasoning models spend the limit on thought; too low a limit is the commonest empty answer.
    max_tokens: int = 8_000
    pictures: tuple[Picture, ...] = ()
    limit_field: str = "max_tokens"  # newer models of OpenAI know max_completion_tokens alone


class ChatReply(NamedTuple):
    """The answer of an LLM. `cost` in USD where the gateway reports it."""

    text: str
    finish_reason: str | None
    cost: float | None
    tokens: tuple[int, int] | None  # in, out
    request_id: str | None
    warnings: tuple[str, ...] = ()
    raw: dict[str, object] | None = None  # as `reply_parsing.without_bytes` leaves it
    drew: bool = False  # it is a picture, and no words


class ImageRequest(NamedTuple):
    """One picture to generate; `aspect_ratio` as "16:9".

    `size` is the size in that ratio ("1536x1024") for models that make only some. With `pictures`
    it is generated from them; from one, as the prompt says, it is an edit. `candidate` is the
    number of this picture among several of one request ("2"; for an edit "2r"), None for the first.
    `seed` and `fields` go to servers of your own; without a seed they may draw the same again.
    """

    model: str
    prompt: str
    aspect_ratio: str
    size: str | None = None
    pictures: tuple[Picture, ...] = ()
    candidate: str | None = None
    seed: int | None = None
    fields: Mapping[str, Any] = MappingProxyType({})


class ImageReply(NamedTuple):
    """A picture as bytes, or the address to fetch it from."""

    data: bytes | None
    url: str | None
    cost: float | None
    request_id: str | None
    raw: dict[str, object] | None = None
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"ImageReply({self.request_id})"  # without its bytes and address


class VideoRequest(NamedTuple):
    """One clip to make; `duration_s` whole seconds, `resolution` as "720p".

    `first_frame` is the picture that it begins with, None for a clip from the prompt alone; then
    there is no `last_frame` either, the picture to end with. `aspect_ratio` is None for a model
    that follows the picture; `shape` is the clip's "W:H" in any case, for gateways that use pixels.
    `settings` are all that the receipt holds as `sent`; a dialect takes those from it that only
    some gateways have (`seed`; `audio_switch` for sound). Where one is missing, the model decides.
    """

    model: str
    prompt: str
    first_frame: Picture | None
    duration_s: int
    aspect_ratio: str | None
    resolution: str
    shape: str = "16:9"
    settings: Mapping[str, Any] = MappingProxyType({})
    # The same for every attempt at one clip: some gateways then make it only once.
    idempotency_key: str | None = None
    last_frame: Picture | None = None
    references: tuple[Picture, ...] = ()  # of a clip without frames

    @property
    def frames(self) -> dict[str, Picture]:
        """The frames that are given, by their role: first_frame, last_frame."""
        roles = {"first_frame": self.first_frame, "last_frame": self.last_frame}
        return {role: picture for role, picture in roles.items() if picture}


# Why a job failed that is finished and has no clip.
NO_RESULT = "it is finished, and the gateway has no video for it"


class Job(NamedTuple):
    """A video being made at the gateway.

    `url` is where the clip is: an address, or a path at the gateway itself ("/v1/..."). `data` is
    the clip itself where the status reply contains it. `address` is the gateway's own address for
    status reads, if it gave one.
    """

    id: str
    state: str  # running | succeeded | failed
    word: str = ""  # the gateway's own status word
    url: str | None = None
    data: bytes | None = None
    elsewhere: str | None = None  # another place for the clip, where `url` does not have it
    address: str | None = None
    poll_after_s: float = 0.0  # the gateway asks for no read before
    warnings: tuple[str, ...] = ()
    error: str | None = None
    cost: float | None = None
    request_id: str | None = None
    raw: dict[str, object] | None = None

    def __repr__(self) -> str:
        return f"Job({self.id}, {self.state})"  # without its address, which may be signed


def shown_id(job_id: str) -> str:
    """A job's id for a message: only the beginning of a long one (Vercel's are JSON)."""
    return job_id if len(job_id) <= 60 else f"{job_id[:48]}..."


class Handle(NamedTuple):
    """What a job is asked for by: its id, its model, and the address for status reads."""

    id: str
    model: str
    address: str | None = None

    def __repr__(self) -> str:
        return f"Handle({self.id})"


class ListedJob(NamedTuple):
    """A row of a gateway's list of jobs; None for what it lacks. `created_at` is Unix time."""

    id: str
    model: str | None = None
    prompt: str | None = None
    duration_s: int | None = None
    aspect_ratio: str | None = None
    created_at: float | None = None
    size: str | None = None  # "1280x720", of gateways that use pixels; or "720p"
    seed: int | None = None


class Account(NamedTuple):
    """What the free check shows: the credit left in USD, and the models, where it tells them."""

    balance_usd: float | None = None
    models: tuple[str, ...] = ()


class About(NamedTuple):
    """Where a gateway is, what its keys look like, and its habits."""

    title: str  # "the Vercel AI Gateway"
    # Root address by service (chat, image, video); none for a server of your own.
    bases: Mapping[str, str] = MappingProxyType({})
    hosts: tuple[str, ...] = ()  # endings of its host names
    key_prefix: str | None = None  # how its keys begin, if that is known
    own_variable: str | None = None  # for its key, besides AI_GATEWAY_API_KEY
    idempotent: bool = False  # makes one clip for all requests with one idempotency key
    poll_s: tuple[float, float] = POLL_S
    inline_clips: bool = False  # a status reply may contain the whole clip

    @property
    def subject(self) -> str:
        """The title at the beginning of a sentence."""
        return self.title[:1].upper() + self.title[1:]

    def is_at(self, host: str) -> bool:
        """Whether a host is this gateway's."""
        return any(f".{host}".endswith(ending) for ending in self.hosts)


class HttpRequest(NamedTuple):
    """One HTTP call of a dialect. `service` chooses the base URL: chat, image or video.

    `body` goes as JSON; with `files`, or as a `form` without any, as multipart/form-data. `address`
    is one that the gateway gave for this call, absolute or relative: it is used instead of `path`
    if it is at the gateway's own origin.
    """

    service: str
    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, object] | None = None
    files: tuple[tuple[str, Picture], ...] = ()
    address: str | None = None
    form: bool = False

    def __repr__(self) -> str:
        return f"HttpRequest({self.method} {self.path})"


class HttpReply(NamedTuple):
    """One HTTP answer, read to its end. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"HttpReply({self.status}, {len(self.body)} bytes)"

    @property
    def request_id(self) -> str | None:
        """The id that the gateway's support will ask for."""
        for name in ("x-request-id", "request-id", "x-vercel-id", "cf-ray"):
            if name in self.headers:
                return self.headers[name][:200]
        return None
