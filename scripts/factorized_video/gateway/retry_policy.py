"""May this call be sent again, and when: one pure function, because money depends on it.

Three kinds of calls: `create` costs money and is never repeated unless the gateway cannot have
accepted it; `chat` costs a fraction of a cent and is simply sent again; `read` is free.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_TRIES = 4
LONGEST_WAIT_S = 60.0  # whether to wait longer is your decision
_BACKOFF_S = (1.0, 3.0, 8.0)
_REJECTED = (400, 404, 405, 413, 415, 422)
_AUTH = (401, 402, 403)
_TRANSIENT = (408, 409, 425, 429)
PROXY_LOGIN = 407
# How gateways say that the account is empty, often as a bad request or a rate limit.
_NO_CREDIT = (
    r"insufficient[_ ]?(?:user[_ ]?)?(?:quota|balance|credits?|funds)|billing[_ ]?(?:hard|not)"
    r"|credit balance is too low|payment[_ ]required|not enough (?:credits?|balance|quota)"
    r"|check your plan and billing|out of credits|(?:account|user).{0,20}(?:overdue|arrear)"
    r"|(?:balance|quota)_not_enough|top up"
)
_WAIT = (
    r"retryDelay\W{1,4}(\d{1,6}(?:\.\d{1,9})?)s"
    r"|(?:try again|retry) (?:in|after) (\d{1,6}(?:\.\d{1,3})?) ?(ms|s|m)?"
)
_DAILY = r"daily|per day|requests? per day|quota exceeded for today|24 hours"


class Outcome(NamedTuple):
    """How one attempt failed.

    `not_sent`: name, connection or TLS failed before a byte of the request left. `lost`: it was
    sent, or may have been, and no answer could be read. `answered`: with an HTTP status.
    `unreadable`: a 2xx whose body is not a reply.
    """

    kind: str  # not_sent | lost | answered | unreadable
    status: int = 0
    retry_after_s: float | None = None
    text: str = ""


class Decision(NamedTuple):
    """Send again after `wait_s`, or stop with an error of `kind` (an exit-code row)."""

    again: bool
    wait_s: float = 0.0
    kind: str = ""


def decide(call: str, outcome: Outcome, attempt: int, jitter: float = 0.0) -> Decision:
    """What follows after attempt number `attempt` (from 1). `jitter` is a random number 0 to 1."""
    if kind := _stop_kind(call, outcome):
        return Decision(False, kind=kind)
    wait = outcome.retry_after_s
    if wait is None:
        wait = backoff(attempt) * (1 + 0.25 * jitter)
    by_the_day = outcome.status == 429 and re.search(_DAILY, outcome.text, re.IGNORECASE)
    if by_the_day or attempt >= MAX_TRIES or wait > LONGEST_WAIT_S:
        return Decision(False, kind="unavailable")
    return Decision(True, wait_s=wait)


def backoff(attempt: int) -> float:
    """Seconds to wait after attempt number `attempt` (from 1), if the gateway names no time."""
    return _BACKOFF_S[min(attempt, len(_BACKOFF_S)) - 1]


def _stop_kind(call: str, outcome: Outcome) -> str | None:
    """The kind of error that ends it at once, or None where it may be sent again."""
    if outcome.kind == "not_sent":
        return None
    if outcome.kind == "answered":
        if outcome.status in _AUTH or is_no_credit(outcome.status, outcome.text):
            return "auth"
        # A redirect is no acceptance: nobody followed it.
        if outcome.status in _REJECTED or 300 <= outcome.status < 400:
            return "rejected"
        if outcome.status == PROXY_LOGIN:
            return "unavailable"
        if outcome.status == 429 or (outcome.status == 503 and outcome.retry_after_s is not None):
            return None
        if call != "create" and not (outcome.status in _TRANSIENT or outcome.status >= 500):
            return "rejected"
    return "unknown" if call == "create" else None


def is_no_credit(status: int, text: str) -> bool:
    """Whether an answer means that there is no money left, whatever status it comes with."""
    declined = status == 402 or status in (400, 403, 429)
    return declined and (status == 402 or bool(re.search(_NO_CREDIT, text, re.IGNORECASE)))


def wait_in(body: str) -> float | None:
    """Seconds to wait by the words of an error: Google's RetryInfo, "try again in 20s"."""
    found = re.search(_WAIT, body, re.IGNORECASE)
    if not found:
        return None
    number, unit = found.group(1) or found.group(2), (found.group(3) or "s").lower()
    return float(number) * (0.001 if unit.startswith("ms") else 60 if unit.startswith("m") else 1)


def retry_after(headers: dict[str, str], now: float) -> float | None:
    """Seconds to wait by `retry-after-ms`, or `retry-after` in seconds or as a date; else None.

    `now` is Unix time; a date in the past is 0.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after", "")
    seconds = _number(value)
    if seconds is not None:
        return seconds
    moment = _http_date(value)
    return None if moment is None else max(0.0, moment - now)


def date_header(headers: dict[str, str], now: float) -> float:
    """The gateway's time by its `date` header, as Unix time; `now` without one."""
    moment = _http_date(headers.get("date", ""))
    return now if moment is None else moment


def _http_date(text: str) -> float | None:
    """An HTTP date in any of its three forms as Unix time; all are in UTC (RFC 9110, 5.6.7)."""
    import email.utils  # late: a dozen modules, which a process that sends nothing never needs
    from datetime import timezone

    try:
        moment = email.utils.parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        return moment.timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _number(text: str | None) -> float | None:
    # Not \s, which also matches characters that `float` rejects.
    if text and (found := re.fullmatch(r"[ \t]*(\d{1,12}(\.\d{1,9})?)[ \t]*", text)):
        return float(found[1])
    return None
