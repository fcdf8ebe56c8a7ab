"""What goes to a gateway and what comes back, in words no gateway uses on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Picture(NamedTuple):
    """An image as it is sent: its bytes and what they are ("image/png", "image/jpeg")."""

    data: bytes
    mime: str

    def __repr__(self) -> str:
        return f"Picture({self.mime}, {len(self.data)} bytes)"


class ChatRequest(NamedTuple):
    """A conversation for an LLM. `messages` are {"role", "content"} in order.

    `pictures` are shown with the first message of the user, before its text.
    """

    model: str
    messages: list[dict[str, str]]
    # Reasoning models spend the cap on thought; too low a cap is the commonest empty answer.
    max_tokens: int = 8_000
    pictures: tuple[Picture, ...] = ()


class ChatReply(NamedTuple):
    """What the LLM said. `cost` in USD where the gateway told it."""

    text: str
    finish_reason: str | None
    cost: float | None
    tokens: tuple[int, int] | None  # in, out
    request_id: str | None
    warnings: tuple[str, ...] = ()
    raw: dict[str, object] | None = None  # without bytes, see reading


class ImageRequest(NamedTuple):
    """One picture to draw; `aspect_ratio` as "16:9".

    `size` is the one in that ratio that the model makes ("1536x1024"), where it makes only some.
    With `pictures` it is made from them: of one, as the prompt says, an edit. `candidate` tells
    several draws of one request apart ("2"; of an edit "2r"); None for the first.
    """

    model: str
    prompt: str
    aspect_ratio: str
    size: str | None = None
    pictures: tuple[Picture, ...] = ()
    candidate: str | None = None


class ImageReply(NamedTuple):
    """A picture as bytes, or where it can be fetched."""

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
    there is no `last_frame` either, which is the picture that it is to end with, if any.
    `aspect_ratio` is None for a model that follows the picture; `shape` is the clip's "W:H" in any
    case, for gateways that are told pixels. `audio` and `seed` are None where the model decides.
    """

    model: str
    prompt: str
    first_frame: Picture | None
    duration_s: int
    aspect_ratio: str | None
    resolution: str
    shape: str = "16:9"
    audio: bool | None = None
    seed: int | None = None
    # The same for every attempt at the same clip, for gateways that then make it once.
    idempotency_key: str | None = None
    last_frame: Picture | None = None

    @property
    def frames(self) -> dict[str, Picture]:
        """The frames that are given, by their role: first_frame, last_frame."""
        roles = {"first_frame": self.first_frame, "last_frame": self.last_frame}
        return {role: picture for role, picture in roles.items() if picture}


class Job(NamedTuple):
    """A video being made at the gateway.

    `url` is where the clip is: an address, or a path at the gateway itself ("/v1/..."). `data` is
    the clip where the status reply carries it. `address` is where the gateway wants to be asked for
    the status, where it says so.
    """

    id: str
    state: str  # running | succeeded | failed
    word: str = ""  # the gateway's own status word
    url: str | None = None
    data: bytes | None = None
    address: str | None = None
    poll_after_s: float = 0.0  # the gateway asks to be left alone for so long
    warnings: tuple[str, ...] = ()
    error: str | None = None
    cost: float | None = None
    request_id: str | None = None
    raw: dict[str, object] | None = None

    def __repr__(self) -> str:
        return f"Job({self.id}, {self.state})"  # without its address, which may be signed


def shown_id(job_id: str) -> str:
    """A job's id in a sentence: the beginning of one that is long (of Vercel it is JSON)."""
    return job_id if len(job_id) <= 60 else f"{job_id[:48]}..."


class Handle(NamedTuple):
    """By what a job is asked for: its id, the model that makes it, the address to ask at."""

    id: str
    model: str
    address: str | None = None

    def __repr__(self) -> str:
        return f"Handle({self.id})"


class ListedJob(NamedTuple):
    """A row of the gateway's list; None where the row does not say. `created_at` is Unix time."""

    id: str
    model: str | None = None
    prompt: str | None = None
    duration_s: int | None = None
    aspect_ratio: str | None = None
    created_at: float | None = None
    size: str | None = None  # "1280x720", of gateways that use pixels


class Account(NamedTuple):
    """What the free read before the first paid call told: the credit left in USD, if anything."""

    balance_usd: float | None = None


class About(NamedTuple):
    """Where a gateway is, whose keys it takes, and its habits."""

    title: str  # "the Vercel AI Gateway"
    # Root address by service (chat, image, video); none where it is wherever the person says.
    bases: Mapping[str, str] = MappingProxyType({})
    hosts: tuple[str, ...] = ()  # endings of the host names that are this gateway's
    key_prefix: str | None = None  # how its keys begin, where that is known
    own_variable: str | None = None  # where its key may stand besides AI_GATEWAY_API_KEY
    idempotent: bool = False  # makes one clip however often it is asked with the same key
    # Seconds before the second status read, and between the later ones (a fifth more or less).
    # 2 and 4: measured mean lag 2.0 s, against 2.5 s for a fixed 5 s.
    poll_s: tuple[float, float] = (2.0, 4.0)
    inline_clips: bool = False  # a status reply may carry the whole clip

    @property
    def subject(self) -> str:
        """The title at the beginning of a sentence."""
        return self.title[:1].upper() + self.title[1:]


class HttpRequest(NamedTuple):
    """One HTTP call, as a dialect puts it. `service` chooses the base URL: chat, image or video.

    With `files`, or as a `form` that has none, it is sent as multipart/form-data with `body`'s
    entries as its fields, else `body` as JSON. `address` is one that the gateway gave for this
    call, absolute or relative: it is used instead of `path` if it is at the gateway's own origin.
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
        """What support will ask for."""
        for name in ("x-request-id", "request-id", "x-vercel-id", "cf-ray"):
            if name in self.headers:
                return self.headers[name][:200]
        return None
