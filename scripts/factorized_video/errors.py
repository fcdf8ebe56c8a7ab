"""Every way a run can end other than well, as one exception with a kind.

Raised anywhere, turned into an exit code and a message only by `cli.py`. A message says what was
wrong and what was expected; a hint says what to do next. Both are cleaned of secrets here, at the
one place that every message passes.
"""

from __future__ import annotations

import re

_secrets: set[str] = set()
# The query of an address may be its signature: a signed URL is a key to what it names.
# Every address is matched, with a query or not: to look for the query only, and not find it, would
# take a second for a text of 50 KB that is made for it ("http://http://..."), and hours for 8 MB.
_URL = re.compile(r"(https?://[^\s\"'<>?#]+)([?#][^\s\"'<>]*)?")
# C0, DEL, C1: a gateway's words are shown in a terminal and must not steer it. And halves of
# surrogate pairs, which JSON can hold and UTF-8 cannot.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def keep_secret(secret: str) -> None:
    """From now on `clean` blots out this text (a gateway key)."""
    if len(secret) >= 4:  # a shorter one would blot out ordinary words and protect nothing
        _secrets.add(secret)


def clean(text: str) -> str:
    """The text without known secrets, the queries of addresses, and control characters."""
    for secret in _secrets:
        text = text.replace(secret, "[key]")
    text = _URL.sub(lambda found: found[1] + ("?[signature]" if found[2] else ""), text)
    return _CONTROLS.sub(" ", text)


class ToolError(Exception):
    """What ended the run. `kind` is a row of the exit-code table in `cli.py`.

    `charged` is "yes", "no" or "unknown" where the question makes sense, else None.
    `result` holds result keys that are known all the same (`job`, `output`, `receipt` ...).
    """

    kind = "internal"

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        http_status: int | None = None,
        request_id: str | None = None,
        charged: str | None = None,
        **result: object,
    ) -> None:
        self.message = clean(message)
        self.hint = clean(hint)
        super().__init__(self.message)
        self.http_status = http_status
        self.request_id = clean(request_id) if request_id else None
        self.charged = charged
        self.result = result
        self.told = False  # whether the person has already read it on stderr

    def as_json(self) -> dict[str, object]:
        """The `error` object of the JSON result."""
        error: dict[str, object] = {"kind": self.kind, "message": self.message, "hint": self.hint}
        for key in ("http_status", "request_id", "charged"):
            if getattr(self, key) is not None:
                error[key] = getattr(self, key)
        return error


class UsageError(ToolError):
    """Flags or input that cannot be used; nothing was sent."""

    kind = "usage"


class AuthError(ToolError):
    """No key, a key that the gateway refused, or no credit."""

    kind = "auth"


class StillRunning(ToolError):
    """The job goes on at the gateway; only the waiting is over."""

    kind = "running"


class Refused(ToolError):
    """The model or its safety filter said no."""

    kind = "refused"


class Unavailable(ToolError):
    """Network, rate limit or gateway failure after the retries; nothing was accepted."""

    kind = "unavailable"


class OverBudget(ToolError):
    """It would cost more than the cap allows; nothing was sent."""

    kind = "budget"


class Unknown(ToolError):
    """A paid create may or may not have been accepted."""

    kind = "unknown"


class OutputError(ToolError):
    """What came is not usable, or could not be written here."""

    kind = "output"


class Rejected(ToolError):
    """The gateway would not take the request; nothing was made."""

    kind = "rejected"


class JobFailed(ToolError):
    """The job was accepted and failed."""

    kind = "failed"


class Unverified(ToolError):
    """No candidate is good enough, or nothing could be found out about any."""

    kind = "unverified"


class Interrupted(ToolError):
    """Ctrl-C or SIGTERM."""

    kind = "interrupted"


def of_kind(kind: str, message: str, hint: str = "", **details: object) -> ToolError:
    """The error of a kind, as when an earlier answer is given again."""
    for family in ToolError.__subclasses__():
        if family.kind == kind:
            return family(message, hint, **details)  # type: ignore[arg-type]
    return ToolError(message, hint, **details)  # type: ignore[arg-type]
