"""What goes to a gateway and what comes back, in words no gateway uses on the wire."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ChatRequest:
    """A conversation for an LLM. `messages` are {"role", "content"} in order."""

    model: str
    messages: list[dict[str, str]]
    # Reasoning models spend the cap on thought; too low a cap is the commonest empty answer.
    max_tokens: int = 8_000


@dataclass(frozen=True)
class ChatReply:
    """What the LLM said. `cost` in USD where the gateway told it."""

    text: str
    finish_reason: str | None
    cost: float | None
    tokens: tuple[int, int] | None  # in, out
    request_id: str | None
    warnings: tuple[str, ...] = ()
    raw: dict[str, object] = field(default_factory=dict, repr=False)  # without bytes, see reading


@dataclass(frozen=True)
class ImageRequest:
    """One picture to draw; `aspect_ratio` as "16:9"."""

    model: str
    prompt: str
    aspect_ratio: str


@dataclass(frozen=True)
class ImageReply:
    """A picture as bytes, or where it can be fetched."""

    data: bytes | None
    url: str | None
    cost: float | None
    request_id: str | None
    raw: dict[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Picture:
    """An image as it is sent: its bytes and what they are ("image/png", "image/jpeg")."""

    data: bytes = field(repr=False)
    mime: str


@dataclass(frozen=True)
class VideoRequest:
    """One clip to make from a first frame; `duration_s` whole seconds, `resolution` as "720p".

    `aspect_ratio` is None for a model that follows the picture.
    """

    model: str
    prompt: str
    first_frame: Picture
    duration_s: int
    aspect_ratio: str | None
    resolution: str


@dataclass(frozen=True)
class Job:
    """A video being made at the gateway."""

    id: str
    state: str  # running | succeeded | failed
    word: str = ""  # the gateway's own status word
    url: str | None = field(default=None, repr=False)
    error: str | None = None
    cost: float | None = None
    request_id: str | None = None
    raw: dict[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class ListedJob:
    """A row of the gateway's list; None where the row does not say. `created_at` is Unix time."""

    id: str
    model: str | None
    prompt: str | None
    duration_s: int | None
    aspect_ratio: str | None
    created_at: float | None


@dataclass(frozen=True)
class HttpRequest:
    """One HTTP call, as a dialect puts it. `service` chooses the base URL: chat, image or video."""

    service: str
    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, object] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class HttpReply:
    """One HTTP answer, read to its end. Header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def request_id(self) -> str | None:
        """What support will ask for."""
        for name in ("x-request-id", "request-id", "x-vercel-id", "cf-ray"):
            if name in self.headers:
                return self.headers[name][:200]
        return None
