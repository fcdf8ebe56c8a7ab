"""What a dialect is, and what it says where a gateway has OpenAI's shape. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from ..engine_replies import Meaning
from ..reply_parsing import as_count, as_id, json_object, unreadable, warnings_in, without_bytes
from ..types import (
    About,
    Account,
    ChatReply,
    ChatRequest,
    Handle,
    HttpReply,
    HttpRequest,
    ImageReply,
    ImageRequest,
    Job,
    ListedJob,
    Picture,
    VideoRequest,
)
from ._shared import (
    chat_object,
    cost_in,
    first_choice,
    image_reply,
    messages_of,
    pictures_in,
    rows_of,
    words_in,
)


class Dialect(ABC):
    """How one gateway is spoken to: a subclass in a file of its own. The default is OpenAI's shape.

    An `encode_*` puts a request as an HTTP call, or is None where the gateway has no such call. A
    `decode_*` reads the reply; it raises Unreadable, ErrorInside or Refused for anything else.
    """

    ABOUT: About
    PREFIX = "/v1"  # of the paths in OpenAI's shape
    HEADERS: ClassVar[dict[str, str]] = {}  # of every call
    OF_ADDRESSES = ""  # a hint for a picture that came as an address and cannot be fetched

    def post(
        self,
        service: str,
        path: str,
        body: dict[str, object],
        headers: dict[str, str] | None = None,
        files: tuple[tuple[str, Picture], ...] = (),
    ) -> HttpRequest:
        """A POST of JSON, or with `files` of a form."""
        return HttpRequest(service, "POST", path, {**self.HEADERS, **(headers or {})}, body, files)

    def get(self, service: str, path: str, address: str | None = None) -> HttpRequest:
        """A GET."""
        return HttpRequest(service, "GET", path, {**self.HEADERS}, address=address)

    def encode_chat(self, request: ChatRequest) -> HttpRequest:
        """POST /chat/completions. No temperature: newer models reject it.

        Raises ValueError for pictures without a user message to show them with.
        """
        body = {
            "model": request.model,
            "messages": messages_of(request),
            request.limit_field: request.max_tokens,
        }
        return self.post("chat", f"{self.PREFIX}/chat/completions", body)

    def decode_chat(self, reply: HttpReply) -> ChatReply:
        """The first choice."""
        data = chat_object(reply)
        message, finish = first_choice(data, reply)
        usage = data.get("usage")
        usage = usage if isinstance(usage, dict) else {}
        tokens = as_count(usage.get("prompt_tokens")), as_count(usage.get("completion_tokens"))
        text = words_in(message)
        return ChatReply(
            text=text,
            drew=not text and bool(pictures_in(message.get("content"))),
            finish_reason=finish,
            cost=cost_in(data, reply),
            tokens=None if None in tokens else (tokens[0] or 0, tokens[1] or 0),
            request_id=reply.request_id or as_id(data.get("id")),
            warnings=warnings_in(data),
            raw=without_bytes(data),
        )

    @abstractmethod
    def encode_image(self, request: ImageRequest) -> HttpRequest:
        """Generate one picture."""

    def decode_image(self, reply: HttpReply) -> ImageReply:
        """The last picture, as bytes or as an address; Refused where there is none.

        `data: [{b64_json | url}]`, or Vercel's `images: ["<base64>"]`.
        """
        data = json_object(reply)
        rows = data.get("data", data.get("images"))
        rows = [rows] if isinstance(rows, dict) else rows
        if not isinstance(rows, list):
            raise unreadable(reply, "an image reply without data")
        found = [one for row in rows for one in pictures_in(row, depth=1)]
        return image_reply(found, data, reply)

    @abstractmethod
    def encode_submit(self, request: VideoRequest) -> HttpRequest:
        """Start one clip."""

    @abstractmethod
    def decode_submit(self, reply: HttpReply) -> Job:
        """The job that was started."""

    @abstractmethod
    def encode_status(self, job: Handle) -> HttpRequest:
        """Read how a job stands."""

    @abstractmethod
    def decode_status(self, reply: HttpReply) -> Job:
        """How it stands. The id may be missing: the caller has it."""

    def result_path(self, job: Handle) -> str | None:
        """The path of a finished job's result at the gateway; None where its row names it."""
        return None

    def encode_list(self, seen: Sequence[ListedJob] = ()) -> HttpRequest | None:
        """List the newest jobs of this key, or those after the ones that were seen."""
        return None

    def decode_list(self, reply: HttpReply) -> list[ListedJob]:
        """The rows of that list that have an id."""
        return []

    def encode_models(self) -> HttpRequest:
        """GET /models."""
        return self.get("chat", f"{self.PREFIX}/models")

    def decode_models(self, reply: HttpReply) -> list[str]:
        """The ids of the models that the gateway lists."""
        ids = (as_id(row.get("id")) for row in rows_of(reply, "models"))
        return [model_id for model_id in ids if model_id]

    def encode_public_lists(self) -> tuple[HttpRequest, ...]:
        """The lists that anyone may read, with what models cost and support."""
        return ()

    def decode_public_lists(self, replies: Sequence[HttpReply]) -> list[dict[str, object]]:
        """Their rows in the form of `models.catalog.Listed`, which checks them."""
        return []

    @abstractmethod
    def encode_check(self) -> HttpRequest:
        """A free call that needs the key, to the host that will make the video."""

    def decode_check(self, reply: HttpReply) -> Account:
        """The account; most gateways report no balance."""
        json_object(reply)
        return Account()

    def meaning(self, service: str, reply: HttpReply) -> Meaning:
        """What an error of a call for a service means, beyond its status."""
        return Meaning()

    def encode_cancel(self, job: Handle) -> HttpRequest | None:
        """Cancel a running job."""
        return None
