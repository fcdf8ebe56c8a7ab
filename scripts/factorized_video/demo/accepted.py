"""What of a request the demo takes. What it would pass over it refuses, and says so. Pure.

A client that is developed against it is to find out here, not at a gateway that costs money.
"""

from __future__ import annotations

import base64
import binascii
import math

from .decoding import IMAGE_URI, refuse_address
from .geometry import canvas, size_in_pixels

LONGEST_S, USUAL_S = 60, 6  # seconds of a clip
RATIO = "16:9"

FRAMES = ("first_frame", "last_frame")
_OF_IMAGES = {"model", "prompt", "n", "aspectRatio", "response_format", "images", "user"}
_OF_CLIPS = {"model", "prompt", "duration", "aspectRatio", "size", "user", *FRAMES}
_FORMATS = ("b64_json", "url")
_SHAPE_TOLERANCE = 0.04  # 832x480 is 2.5 % off 16:9
# Chat calls have these with every client; the demo's answers do not depend on them.
_OF_CHATS = {
    *("model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "user"),
    *("seed", "stop", "n", "stream", "presence_penalty", "frequency_penalty", "response_format"),
}

Data = dict[str, object]


def clip(body: Data) -> Data:
    """The fields of a job's row, from a video create. Raises ValueError for what is not taken."""
    _check_fields(body, _OF_CLIPS)
    duration = body.get("duration", USUAL_S)
    if type(duration) is not int or not 1 <= duration <= LONGEST_S:
        raise ValueError(f"duration must be whole seconds from 1 to {LONGEST_S}")
    size, ratio = body.get("size") or "720p", body.get("aspectRatio")
    pixels = size_in_pixels(size) if isinstance(size, str) else None
    if pixels and ratio is None:
        least = math.gcd(*pixels)
        ratio = f"{pixels[0] // least}:{pixels[1] // least}"
    ratio = str(ratio or RATIO)
    canvas(ratio, str(size))  # it says what is wrong
    made = canvas(ratio)
    if pixels and abs(pixels[0] * made[1] / (pixels[1] * made[0]) - 1) > _SHAPE_TOLERANCE:
        raise ValueError(f"size {size} is not {ratio}: send one of the two")
    return {
        "model": body.get("model"),
        "prompt": prompt_of(body),
        "duration": duration,
        "aspect_ratio": ratio,
        "size": size,
        **{name: _frame(name, body.get(name)) for name in FRAMES},
    }


def check_image(body: Data) -> str:
    """The format of the reply to an image call, "b64_json" or "url"; ValueError as above."""
    _check_fields(body, _OF_IMAGES)
    if body.get("n", 1) != 1:
        raise ValueError("n must be 1: ask for each picture by itself")
    form = body.get("response_format", _FORMATS[0])
    if form not in _FORMATS:
        raise ValueError(f"response_format must be {' or '.join(_FORMATS)}")
    return str(form)


def check_chat(body: Data) -> None:
    """Raise ValueError for a chat that asks for what the demo has not."""
    _check_fields(body, _OF_CHATS)
    if body.get("stream"):
        raise ValueError("the demo does not stream: leave stream out")
    if body.get("n", 1) != 1:
        raise ValueError("n must be 1")


def prompt_of(body: Data) -> str:
    """The prompt. Raises ValueError where there is none."""
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise ValueError("prompt is missing")
    return prompt


def _frame(name: str, sent: object) -> str | None:
    """A frame as a data URI, also one that was sent as bare base64."""
    if sent is None:
        return None
    text = sent if isinstance(sent, str) else ""
    if IMAGE_URI.match(text):
        return text
    refuse_address(text, name)
    try:
        is_base64 = bool(base64.b64decode(text, validate=True))
    except binascii.Error:
        is_base64 = False
    if not is_base64:
        raise ValueError(f"{name} must be a data URI of an image")
    return f"data:image/png;base64,{text}"


def _check_fields(body: Data, known: set[str]) -> None:
    extra = sorted(name for name, one in body.items() if one is not None and name not in known)
    if extra:
        raise ValueError(
            f"the demo has no use for {', '.join(extra)[:200]}, and passes over nothing: leave it "
            "out"
        )
