"""How long a gateway asks to wait, in headers, in the fields of an error, or in its words. Pure."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_PART = (
    r"(\d{1,9}(?:\.\d{1,9})?) ?"
    r"(milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)?(?![a-z])"
)
_TIME = rf"{_PART}(?:,? ?(?:and )?{_PART})*"
# Google's RetryInfo, fields of other gateways, and sentences.
_NAMED = (
    rf"retry_?(?:delay|after)(?:_?(?:seconds|secs?))?[\"']{{0,2}}\s*[:=]\s*[\"']?(?P<field>{_TIME})",
    rf"(?:again|retry|retrying|wait|resets?)(?: for| in| after| at least)*:? (?P<words>{_TIME})",
)
_RESETS = (
    *("x-ratelimit-reset-requests", "x-ratelimit-reset-tokens", "x-ratelimit-reset"),
    *("ratelimit-reset", "x-rate-limit-reset", "x-ratelimit-reset-after"),
)


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
    moment = http_date(value)
    return None if moment is None else max(0.0, moment - now)


def of_rate_limit(headers: dict[str, str], body: bytes, now: float) -> float | None:
    """Seconds to wait by a 429 without `retry-after`: its body, else when its limit is reset."""
    text = body[:20_000].decode("utf-8", "replace")
    for pattern in _NAMED:
        if found := re.search(pattern, text, re.IGNORECASE):
            seconds = duration(next(one for one in found.groupdict().values() if one))
            if seconds is not None:
                return seconds
    return _until_reset(headers, now)


def _until_reset(headers: dict[str, str], now: float) -> float | None:
    """The longest of the times until a limit is reset that has nothing left; else None."""
    waits = []
    for name in _RESETS:
        left = _number(headers.get(name.replace("reset", "remaining")))
        if name in headers and not left:
            waits.append(_moment(headers[name], now))
    return max((wait for wait in waits if wait is not None), default=None)


def _moment(text: str, now: float) -> float | None:
    """Seconds from now: written as such ("6m0s", "38"), as Unix time in s or ms, or as a date."""
    number = _number(text)
    if number is None:
        moment = http_date(text)
        return duration(text) if moment is None else max(0.0, moment - now)
    for factor in (1.0, 0.001):
        if abs(number * factor - now) < 366 * 86_400:
            return max(0.0, number * factor - now)
    return number


def duration(text: str) -> float | None:
    """The seconds of "38s", "1m30s", "20 seconds", "350ms"; a number alone is seconds."""
    parts = re.findall(_PART, text.strip(), re.IGNORECASE)
    if not parts:
        return None
    return sum(float(number) * _UNITS[_unit(unit)] for number, unit in parts)


def _unit(word: str) -> str:
    word = word.lower() or "s"
    return "ms" if word.startswith(("ms", "milli")) else word[0]


def http_date(text: str) -> float | None:
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
    # Not \\s, which also matches characters that `float` rejects.
    if text and (found := re.fullmatch(r"[ \t]*(\d{1,13}(\.\d{1,9})?)[ \t]*", text)):
        return float(found[1])
    return None
