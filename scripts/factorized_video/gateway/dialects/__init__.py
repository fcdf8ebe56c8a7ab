"""How each gateway is spoken: one module each, of pure translators. `load` is their door.

A module here is a gateway: its name is what `--gateway` takes. What it must have is `Dialect`.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from typing import Protocol

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
        VideoRequest,
    )

    class Dialect(Protocol):
        """What a dialect's module has. An `encode_*` that may be None: the gateway lacks that.

        Each `decode_*` raises Unreadable, ErrorInside or Refused for what is no such reply.
        """

        ABOUT: About

        def encode_chat(self, request: ChatRequest) -> HttpRequest:
            """Ask an LLM."""

        def decode_chat(self, reply: HttpReply) -> ChatReply:
            """What it said."""

        def encode_image(self, request: ImageRequest) -> HttpRequest:
            """Have a picture drawn."""

        def decode_image(self, reply: HttpReply) -> ImageReply:
            """The picture."""

        def encode_submit(self, request: VideoRequest) -> HttpRequest:
            """Have a clip begun."""

        def decode_submit(self, reply: HttpReply) -> Job:
            """Its job."""

        def encode_status(self, job: Handle) -> HttpRequest:
            """Ask how a job stands."""

        def decode_status(self, reply: HttpReply) -> Job:
            """How it stands; the id is the caller's."""

        def encode_list(self) -> HttpRequest | None:
            """Ask for the newest jobs of this key."""

        def decode_list(self, reply: HttpReply) -> list[ListedJob]:
            """Its rows."""

        def encode_models(self) -> HttpRequest:
            """Ask which models there are."""

        def decode_models(self, reply: HttpReply) -> list[str]:
            """Their ids."""

        def encode_check(self) -> HttpRequest:
            """Something free that needs the key, at the host that will serve the video."""

        def decode_check(self, reply: HttpReply) -> Account:
            """What it told of the account."""

        def encode_cancel(self, job: Handle) -> HttpRequest | None:
            """Ask that a running job be ended."""


def names() -> tuple[str, ...]:
    """The gateways there are."""
    files = os.listdir(os.path.dirname(__file__))
    return tuple(sorted(n[:-3] for n in files if n.endswith(".py") and not n.startswith("_")))


def load(name: str) -> Dialect:
    """The dialect of that name."""
    from importlib import import_module

    module: Dialect = import_module(f"{__name__}.{name}")
    return module
