"""What the table tests of the dialects share: pictures, requests, and replies made by hand."""

from __future__ import annotations

import base64
import json

from factorized_video.gateway.types import HttpReply, Picture, VideoRequest

PNG = b"\x89PNG\r\n\x1a\n not really"
ENCODED = base64.b64encode(PNG).decode()
URI = f"data:image/png;base64,{ENCODED}"
FRAME = Picture(PNG, "image/png")
OTHER = Picture(b"\xff\xd8\xff not really", "image/jpeg")
OTHER_ENCODED = base64.b64encode(OTHER.data).decode()
OTHER_URI = f"data:image/jpeg;base64,{OTHER_ENCODED}"
MP4 = b"\x00\x00\x00\x18ftypmp42 not really"
ENCODED_MP4 = base64.b64encode(MP4).decode()
MESSAGES = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
# The two pictures as OpenAI's content parts; and the messages, with both shown.
PARTS = [{"type": "image_url", "image_url": {"url": uri}} for uri in (URI, OTHER_URI)]
SHOWN = [MESSAGES[0], {"role": "user", "content": [*PARTS, {"type": "text", "text": "u"}]}]

# Bodies that are no reply of any call, in any dialect.
NO_REPLY: list[bytes] = [
    b"",
    b" \r\n",
    b"<html><body>Welcome to our hotel network</body></html>",
    b"<!DOCTYPE html>",
    b'{"id": "v-1", "status": "comp',
    b"OK",
    b"null",
    b"17",
    b'"text"',
    b"[]",
    b"[{}]",
    b"\xff\xfe\x00\x01",
    b'{"a":' * 100_000,
]


def reply(body: object, status: int = 200, /, **headers: str) -> HttpReply:
    """A reply with this body, as JSON unless it is bytes; a header `x_y` is sent as "x-y"."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpReply(status, {name.replace("_", "-"): text for name, text in headers.items()}, data)


def said(message: object, **more: object) -> dict[str, object]:
    """The body of a chat reply with this message."""
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "c-1", "choices": [choice], **more}


def clip(
    model: str = "m/v",
    *,
    ratio: str | None = "16:9",
    resolution: str = "720p",
    shape: str = "16:9",
    audio: bool | None = None,
    seed: int | None = None,
    key: str | None = None,
    frame: Picture | None = FRAME,
    last: Picture | None = None,
) -> VideoRequest:
    """A request for a clip of six seconds."""
    settings = clip_settings(audio, seed)
    return VideoRequest(model, "it runs", frame, 6, ratio, resolution, shape, settings, key, last)


def clip_settings(audio: bool | None = None, seed: int | None = None) -> dict[str, object]:
    """Sound and seed as the settings of a clip's request; what is None is left out."""
    settings = {"audio_switch": audio, "seed": seed}
    return {name: value for name, value in settings.items() if value is not None}
