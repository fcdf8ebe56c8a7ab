"""What goes to a gateway and what comes back, in words no gateway uses on the wire."""

from __future__ import annotations

from typing import NamedTuple


class ChatRequest(NamedTuple):
    """A conversation for an LLM. `messages` are {"role", "content"} in order."""

    model: str
    messages: list[dict[str, str]]
    # Reasoning models spend the cap on thought; too low a cap is the commonest empty answer.
    max_tokens: int = 8_000


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
    """One picture to draw; `aspect_ratio` as "16:9"."""

    model: str
    prompt: str
    aspect_ratio: str


class ImageReply(NamedTuple):
    """A picture as bytes, or where it can be fetched."""

    data: bytes | None
    url: str | None
    cost: float | None
    request_id: str | None
    raw: dict[str, object] | None = None

    def __repr__(self) -> str:
        return f"ImageReply({self.request_id})"  # without its bytes and address


class Picture(NamedTuple):
    """An image as it is sent: its bytes and what they are ("image/png", "image/jpeg")."""

    data: bytes
    mime: str

    def __repr__(self) -> str:
        return f"Picture({self.mime}, {len(self.data)} bytes)"


class VideoRequest(NamedTuple):
    """One clip to make from a first frame; `duration_s` whole seconds, `resolution` as "720p".

    `aspect_ratio` is None for a model that follows the picture.
    """

    model: str
    prompt: str
    first_frame: Picture
    duration_s: int
    aspect_ratio: str | None
    resolution: str


class Job(NamedTuple):
    """A video being made at the gateway."""

    id: str
    state: str  # running | succeeded | failed
    word: str = ""  # the gateway's own status word
    url: str | None = None
    error: str | None = None
    cost: float | None = None
    request_id: str | None = None
    raw: dict[str, object] | None = None

    def __repr__(self) -> str:
        return f"Job({self.id}, {self.state})"  # without its address, which may be signed


class ListedJob(NamedTuple):
    """A row of the gateway's list; None where the row does not say. `created_at` is Unix time."""

    id: str
    model: str | None
    prompt: str | None
    duration_s: int | None
    aspect_ratio: str | None
    created_at: float | None


class HttpRequest(NamedTuple):
    """One HTTP call, as a dialect puts it. `service` chooses the base URL: chat, image or video."""

    service: str
    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, object] | None = None

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
