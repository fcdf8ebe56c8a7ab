"""Reading replies that may be anything: half, HTML, an error with status 200, a refusal. Pure.

Everything here judges bytes; what to do about it is up to `retry_policy.py`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import datetime, timezone

from ..errors import Refused, ToolError, clean, one_line
from . import error_status, refusals
from .status_words import standing
from .types import HttpReply

LARGEST_STORED = 200_000  # characters of a reply as it is kept in a receipt
MOST_OF_A_CALL = 10_000.0  # USD
LONGEST_WORDS = 500  # characters of what a gateway says
# Patterns stay texts until they are used: compiling them here would slow the start of each process.
# How gateways say that they do not know, or no longer serve, a model.
_NOT_SERVED = (
    r"not[ _](?:found|available|supported|exist)|n[o']t exist|no[ _]longer|unknown|unsupported"
    r"|invalid[ _]model|unavailable|deprecated|retired|decommissioned|shut ?down|no endpoints"
)


class Unreadable(ToolError):
    """A 2xx that is no reply to the call. A paid create is then uncertain."""

    kind = "unavailable"


def unreadable(reply: HttpReply, what: str) -> Unreadable:
    """The error for a reply that cannot be used, with the beginning of its body."""
    return Unreadable(
        f"The gateway answered {reply.status} with {what}: {quoted(excerpt(reply.body))}",
        http_status=reply.status,
        request_id=reply.request_id,
    )


class ErrorInside(ToolError):
    """A 2xx whose body is an error. `status` is the HTTP status that it stands for, if known."""

    kind = "rejected"

    def __init__(self, message: str, code: object, codes: str, reply: HttpReply) -> None:
        super().__init__(message, http_status=reply.status, request_id=reply.request_id)
        self.status = error_status.of_error(code, codes)
        self.codes = codes


def json_object(reply: HttpReply, is_job: bool = False) -> dict[str, object]:
    """The body as a JSON object. Raises Unreadable, ErrorInside or Refused.

    With `is_job` an error beside a status is the job's, and raises nothing.
    """
    try:
        data = json.loads(reply.body)
        if re.search(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]", reply.body):
            # Half of a surrogate pair is not a character: it could not be written or sent.
            text = json.dumps(data, ensure_ascii=False)
            data = json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    except (ValueError, RecursionError):
        what = "an HTML page" if looks_like_html(reply.body) else "a body that is not JSON"
        raise unreadable(reply, what if reply.body.strip() else "an empty body") from None
    if not isinstance(data, dict):
        raise unreadable(reply, "JSON that is not an object")
    error = data.get("error")
    # The row of a failed job has an error too, but also a status: it is not an error of the call.
    if error and not (status_word(data) and (is_job or data.get("id"))):
        raise error_inside(error, reply)
    return data


def error_inside(error: object, reply: HttpReply) -> ToolError:
    """The error for one inside a 2xx: Refused, or ErrorInside."""
    words, codes = error_text(json.dumps({"error": error}).encode()), _codes(error)[:500]
    message = f"The gateway answered with an error: {quoted(words)}"
    if is_refusal(words, codes):
        return refused(message, reply, charged="unknown")
    code = error.get("code") if isinstance(error, dict) else None
    return ErrorInside(message, code, codes, reply)


def failed_job_in(body: bytes) -> bytes | None:
    """The row of a job that failed, in an error reply: the body, or JSON inside its message.

    vLLM-Omni answers the status of a failed job with 4xx or 5xx; a LiteLLM proxy in front of it
    puts that row into `error.message`.
    """
    data = _parsed(body)
    if _has_failed(data):
        return body
    words = _words(data)
    try:
        inside, _ = json.JSONDecoder().raw_decode(words, words.index("{"))
    except (ValueError, RecursionError):
        return None
    return json.dumps(inside).encode() if _has_failed(inside) else None


def _parsed(body: bytes) -> object:
    """The body as JSON; None for what is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _has_failed(data: object) -> bool:
    if not isinstance(data, dict) or not data.get("id"):
        return False
    word = status_word(data) or ""
    # Beside a status of 4xx or 5xx these may be words for the error itself.
    of_the_error = re.fullmatch(
        r"error|errored|invalid|rejected|timeout|aborted", word, re.IGNORECASE
    )
    return standing(word).state == "failed" and not of_the_error


def status_word(row: Mapping[str, object]) -> str | None:
    """The status of a job in its row, under whatever name; None where it has none."""
    for name in ("status", "state", "task_status", "taskStatus", "job_status"):
        if text := as_text(row.get(name)):
            return text.strip()[:60]
    if row.get("done") is True:  # Google's operations
        return "failed" if row.get("error") else "done"
    return None


def error_text(body: bytes) -> str:
    """The message in an error body of any shape, on one line, as it may be shown."""
    return words_of(_words(_parsed(body))) or excerpt(body)


def quoted(words: str) -> str:
    """Words of a gateway as such: nobody takes them for ours."""
    return f"\u201c{words}\u201d"


def words_of(text: str) -> str:
    """What a gateway says, on one line and bounded: nothing in it can look like words of ours."""
    # Cut last: half a key is no known secret.
    return one_line(text[: 40 * LONGEST_WORDS])[:LONGEST_WORDS]


def error_codes(body: bytes) -> str:
    """The codes, types and reasons in an error body, as one text; "" without any."""
    return _codes(_parsed(body))[:500]


def is_refusal(text: str, codes: str = "") -> bool:
    """Whether words and codes are those of a safety filter or a content policy."""
    return refusals.by_code(codes) or refusals.by_words(text)


def names_unknown_model(status: int, text: str) -> bool:
    """Whether an answer to a create means that its model is not known, or no longer served."""
    if status == 404:  # nothing else in a create could be missing
        return True
    return status in (400, 410, 422) and is_about_unknown_model(text)


def is_about_unknown_model(text: str) -> bool:
    """Whether the words are about a model that is not known, or no longer served."""
    return all(re.search(words, text, re.IGNORECASE) for words in ("model", _NOT_SERVED))


def refusal_in(refusal: str | None, finish_reason: str | None, reply: HttpReply) -> None:
    """Raise Refused if a reply has a refusal, or was finished by a filter."""
    if refusal or refusals.by_ending(finish_reason):
        stopped = f"its content filter stopped the answer ({words_of(finish_reason or '')})"
        message = "The model refused: " + (
            f"\u201c{words_of(refusal)}\u201d" if refusal else stopped
        )
        hint = "Say it in other words, or choose another model."
        raise refused(message, reply, hint, charged="unknown")


def refused(
    message: str, reply: HttpReply, hint: str = "Say it in other words.", *, charged: str
) -> Refused:
    """The error for a reply that is a refusal."""
    return Refused(
        message, hint, http_status=reply.status, request_id=reply.request_id, charged=charged
    )


def refused_by_status(reply: HttpReply) -> bool:
    """Whether a 400, 403 or 422 in JSON is really a refusal: it names safety or a policy."""
    data = _parsed(reply.body) if reply.status in (400, 403, 422) else None
    return data is not None and is_refusal(error_text(reply.body), _codes(data))


def excerpt(body: bytes) -> str:
    """The beginning of a body, on one line, without its markup."""
    text = body[:1_000_000].decode("utf-8", "replace")
    if looks_like_html(body):
        text = re.sub(r"<(script|style)\b.*?(</\1>|\Z)", " ", text, flags=re.DOTALL | re.IGNORECASE)
        text = re.sub(r"<[^>]*(>|\Z)", " ", text)
    text = one_line(text)
    return (text[:200] + ("..." if len(text) > 200 else "")) if text else "(empty)"


def is_video(reply: HttpReply) -> bool:
    """Whether a reply is a clip rather than words about one."""
    media_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    starts = reply.body[4:8] == b"ftyp" or reply.body.startswith(b"\x1aE\xdf\xa3")
    return starts or (media_type.startswith("video/") and bool(reply.body))


def looks_like_html(data: bytes) -> bool:
    """Whether bytes are the beginning of a web page."""
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype", b"<html", b"<head", b"<body", b"<?xml"))


def warnings_in(data: dict[str, object]) -> tuple[str, ...]:
    """The warnings beside a result: strings, or objects with a message.

    Vercel's name a feature that the model does not have: `{type, feature, details?}`.
    """
    found = data.get("warnings")
    texts = []
    for item in found[:20] if isinstance(found, list) else ():
        about = item if isinstance(item, dict) else {}
        parts = [about.get(key) for key in ("type", "feature", "details")]
        texts.append(_words(item) or ": ".join(part for part in parts if isinstance(part, str)))
    return tuple(f"The gateway says: {quoted(words_of(text)[:300])}" for text in texts if text)


def as_text(value: object) -> str | None:
    """A non-empty string, else None."""
    return value if isinstance(value, str) and value.strip() else None


def as_id(value: object) -> str | None:
    """An id that can be shown: printable, without spaces, at most 200 characters; else None."""
    text = as_text(value)
    fine = text is not None and text.isprintable() and " " not in text and len(text) <= 200
    return text if fine else None


def as_number(value: object) -> float | None:
    """A finite number, also written as a string, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def as_time(value: object) -> float | None:
    """Unix time from seconds, milliseconds, or an ISO 8601 text (UTC without a zone); else None."""
    number = as_number(value)
    if number is not None:
        return number / 1000 if number > 1e11 else number
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.timestamp()


def costs(value: object) -> float | None:
    """A plausible cost of a call in USD, else None: then the expected one counts."""
    number = as_number(value)
    # 0.30000000000000004 is no price: nothing costs less than a nanodollar.
    return round(number, 9) if number is not None and 0 <= number <= MOST_OF_A_CALL else None


def as_count(value: object) -> int | None:
    """A plausible number of tokens, else None."""
    number = as_number(value)
    return int(number) if number is not None and 0 <= number < 1e9 else None


def as_wait(value: object) -> float:
    """Seconds to wait, at most a day; 0 for what is none."""
    return min(max(as_number(value) or 0.0, 0.0), 86_400.0)


def without_bytes(data: dict[str, object]) -> dict[str, object]:
    """A reply as it may be stored: no image bytes, no signatures, nothing huge."""
    for longest, most in ((20_000, 50), (500, 10)):
        slim = _slim(data, longest, most)
        size = len(json.dumps(slim))
        if size <= LARGEST_STORED and isinstance(slim, dict):
            return slim
    return {"left_out": f"<{size} characters>"}


def _slim(value: object, longest: int, most: int, depth: int = 0) -> object:
    """The value with texts of at most `longest` characters, and `most` entries at each level."""
    if isinstance(value, str):
        is_bytes = value.startswith("data:") or (len(value) > 2_000 and " " not in value[:2_000])
        if is_bytes:
            return f"<{len(value)} characters>"
        # A port on loopback differs from run to run, and means nothing.
        return re.sub(r"(//(?:127\.[\d.]+|localhost|\[::1\])):\d+", r"\1", clean(value)[:longest])
    if depth > 8:
        return "..."
    if isinstance(value, dict):
        return {
            clean(str(key))[:100]: f"<{len(item)} characters>"
            if key == "b64_json" and isinstance(item, str)
            else _slim(item, longest, most, depth + 1)
            for key, item in list(value.items())[:most]
        }
    if isinstance(value, list):
        return [_slim(item, longest, most, depth + 1) for item in value[:most]]
    return value


def _words(data: object, depth: int = 0) -> str:
    """The first of `error.message`, an `error` string, `detail` (string or list), `message` ..."""
    if isinstance(data, str):
        return data.strip()
    if depth > 4:
        return ""
    if isinstance(data, list):
        return "; ".join(filter(None, (_words(item, depth + 1) for item in data[:5])))
    if isinstance(data, dict):
        for key in ("error", "message", "detail", "msg", "error_description", "title"):
            text = _words(data.get(key), depth + 1)
            if text:
                return text
    return ""


def _codes(data: object, depth: int = 0) -> str:
    """The code, type and reason of an error, at the top and one level down, as one text."""
    if not isinstance(data, dict) or depth > 4:
        return ""
    # Cut: searching a hostile text with a pattern can take the square of its length.
    here = [str(data[key])[:200] for key in ("code", "type", "status", "reason") if data.get(key)]
    return " ".join([*here, _codes(data.get("error"), depth + 1)])
