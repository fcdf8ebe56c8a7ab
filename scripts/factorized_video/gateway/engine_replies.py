"""What engines of one's own, and a proxy before them, mean by an error. Pure.

Source: SGLang 0.5.23, vLLM-Omni 0.30.0, FastVideo 0.2.1 and LiteLLM 1.109.3, as they answered in
November 2026.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from .reply_parsing import error_text, words_of
from .types import HttpReply

OTHER_SERVER = {
    "chat": "This server writes no texts. --skip-reasoning does without Stage 1, or "
    "AI_GATEWAY_CHAT_BASE_URL names a server for it.",
    "image": "This server makes no pictures. Use one of your own (--anchor-path), or name a server "
    "for them in AI_GATEWAY_IMAGE_BASE_URL.",
    "video": "This server makes no clips: name one for them in AI_GATEWAY_VIDEO_BASE_URL.",
}
LITELLM_ROUTE = (
    "Behind LiteLLM, hosted_vllm/MODEL in place of openai/MODEL passes response_format on to the "
    "engine."
)
_UNREACHED = (
    r"cannot connect to host|connection refused|all connection attempts failed"
    r"|name or service not known|no route to host"
)
_NO_SUCH_FIELD = (
    r"unsupported ?params?|does not support param|(?:unknown|unsupported) param"
    r"|unrecognized (?:request )?argument|extra inputs are not permitted"
    r"|unexpected keyword argument"
)
_NO_RESPONSE_FORMAT = (
    r"setting `response_format` is not supported|response_format.{0,40}unsupported"
)
_OF_THE_GPU = r"out of memory|\bcuda\b|\bnccl\b|same device|tensor|engine ?(?:dead|core)"
# Engines that make no such thing say so in many ways.
_OF_ANOTHER_KIND = r"does not support (?:image|video) output|^image generation failed"


class Meaning(NamedTuple):
    """What an error means: `kind` is auth, unavailable or failed; "" where its status says it."""

    kind: str = ""
    hint: str = ""


def meaning_of(service: str, reply: HttpReply) -> Meaning:
    """What an error of the call for a service (chat, image, video) means; nothing where unknown."""
    data = _parsed(reply.body)
    if data is None:
        return Meaning()
    text = error_text(reply.body)

    def says(pattern: str) -> re.Match[str] | None:
        return re.search(pattern, text, re.IGNORECASE)

    if reply.status == 400 and says("no connected db"):
        hint = "So a LiteLLM proxy answers a key that it does not know: check the key."
        return Meaning("auth", hint)
    if reply.status >= 500 and says(_UNREACHED):
        hint = "The proxy answers, and the engine behind it does not: start it, then run it again."
        return Meaning("unavailable", hint)
    if reply.status == 503 and says(r"exited; restart the server"):
        hint = "The engine behind this server has ended: restart it, then run the command again."
        return Meaning("unavailable", hint)
    if (reply.status, data.get("detail")) == (404, "Not Found") or says(_OF_ANOTHER_KIND):
        return Meaning("rejected", OTHER_SERVER[service])
    if says(r"requires an 'image_path'|no image is provided"):
        needs = "The model makes clips from a picture only: give it an anchor, not --direct."
        return Meaning("rejected", needs if service == "video" else OTHER_SERVER[service])
    if says(r"not supported for T2V|T2V.{0,40}(?:does not|not) (?:support|accept|take)"):
        hint = "The model makes clips from the prompt alone: use --direct, or a model with I2V."
        return Meaning("rejected", hint)
    if found := says(r"model mismatch.{0,300}running '([^']{1,200})'"):
        return Meaning("rejected", f"Name the model that the server runs: {words_of(found[1])}.")
    if reply.status in (400, 422) and service == "image" and says(_NO_RESPONSE_FORMAT):
        return Meaning("rejected", LITELLM_ROUTE)
    if reply.status in (400, 422) and says(_NO_SUCH_FIELD):
        hint = "The server does not take that field: leave out what sets it (--set, --seed)."
        return Meaning("rejected", hint)
    if service == "image" and reply.status == 500 and _is_of_engine(data, text):
        return Meaning("failed", "The engine took the request and failed at it: see its log.")
    return Meaning()


def _is_of_engine(data: dict[str, Any], text: str) -> bool:
    """Whether the engine itself says that it failed, rather than a proxy that it knows no more."""
    error = data.get("error")
    omni = isinstance(error, dict) and "error_stage_id" in error
    if re.search(_OF_THE_GPU, text, re.IGNORECASE):
        return True
    return (omni or isinstance(data.get("detail"), str)) and "litellm" not in text.lower()


def _parsed(body: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
