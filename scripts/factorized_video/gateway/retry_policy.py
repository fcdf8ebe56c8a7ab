"""May this call be sent again, and when: one pure function, because money depends on it.

Three kinds of calls: `create` costs money and is never repeated unless the gateway cannot have
accepted it; `chat` costs a fraction of a cent and is simply sent again; `read` is free.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from . import waits

MAX_TRIES = 4
LONGEST_WAIT_S = 60.0  # whether to wait longer is your decision
_BACKOFF_S = (1.0, 3.0, 8.0)
_REJECTED = (400, 404, 405, 413, 415, 422)
_AUTH = (401, 402, 403)
_TRANSIENT = (408, 409, 425, 429)
PROXY_LOGIN = 407
# A proxy or a network between here and the gateway answered: its login comes first.
_OF_THE_NETWORK = (PROXY_LOGIN, 511)
# How gateways say that the account is empty, often as a bad request or a rate limit.
_NO_CREDIT = (
    r"insufficient[_ ]?(?:user[_ ]?)?(?:quota|balance|credits?|funds)|billing[_ ]?(?:hard|not)"
    r"|credit balance is too low|payment[_ ]required|out of credits?|arrear|overdue"
    r"|not (?:have )?enough (?:credits?|balance|quota|funds)|(?:balance|quota)_not_enough"
    r"|budget(?:_| has been )exceeded|exceeded (?:\w+ ){0,3}(?:budget|spend)|spend(?:ing)? limit"
    r"|key limit exceeded|requires more credits|\b(?:top up|recharge)\b"
    r"|余额不足|额度不足|欠费|充值"
)
# Google says this of rates too, and then when to try again.
_NO_CREDIT_OR_RATE = r"check your plan and billing"
_DAILY = r"daily|per[_ ]?day|requests? per day|quota exceeded for today|24 hours"


class Outcome(NamedTuple):
    """How one attempt failed.

    `not_sent`: name, connection or TLS failed before a byte of the request left. `lost`: it was
    sent, or may have been, and no answer could be read. `answered`: with an HTTP status.
    `unreadable`: a 2xx whose body is not a reply. `meaning` is what an answer means where its
    status does not say it: auth, unavailable, rejected or failed.
    """

    kind: str  # not_sent | lost | answered | unreadable
    status: int = 0
    retry_after_s: float | None = None
    text: str = ""
    meaning: str = ""


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
    if _is_by_the_day(outcome) or attempt >= MAX_TRIES or wait > LONGEST_WAIT_S:
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
        if outcome.meaning:
            return outcome.meaning
        if outcome.status in _AUTH or is_no_credit(outcome):
            return "auth"
        # A redirect is no acceptance: nobody followed it.
        if outcome.status in _REJECTED or 300 <= outcome.status < 400:
            return "rejected"
        if outcome.status in _OF_THE_NETWORK:
            return "unavailable"
        if is_too_many(outcome):
            return None
        if call != "create" and not (outcome.status in _TRANSIENT or outcome.status >= 500):
            return "rejected"
    return "unknown" if call == "create" else None


def _is_by_the_day(outcome: Outcome) -> bool:
    return outcome.status == 429 and bool(re.search(_DAILY, outcome.text, re.IGNORECASE))


def is_too_many(outcome: Outcome) -> bool:
    """Whether the gateway turned a call away because there are too many."""
    return outcome.status == 429 or (outcome.status == 503 and outcome.retry_after_s is not None)


def ends_all(outcome: Outcome) -> bool:
    """Whether every further paid call would end the same way: the key is refused, or no credit."""
    return outcome.status == 401 or is_no_credit(outcome)


def ends_lane(outcome: Outcome) -> bool:
    """Whether every further call of the same model would: a quota of the day, or a long wait."""
    long = (outcome.retry_after_s or 0.0) > LONGEST_WAIT_S
    return is_too_many(outcome) and (long or _is_by_the_day(outcome))


def is_no_credit(outcome: Outcome) -> bool:
    """Whether an answer means that there is no money left, whatever status it comes with."""
    if outcome.status not in (400, 401, 402, 403, 404, 422, 429):
        return False
    words = _NO_CREDIT if outcome.retry_after_s else f"{_NO_CREDIT}|{_NO_CREDIT_OR_RATE}"
    return outcome.status == 402 or bool(re.search(words, outcome.text, re.IGNORECASE))


def date_header(headers: dict[str, str], now: float) -> float:
    """The gateway's time by its `date` header, as Unix time; `now` without one."""
    moment = waits.http_date(headers.get("date", ""))
    return now if moment is None else moment
