"""Every way in which a run can fail, as one exception with a kind.

Raised anywhere; only `cli/` turns it into an exit code and a message. A message says what happened,
a hint what to do next. Both are cleaned of secrets here, where every message passes.
"""

from __future__ import annotations

import codecs
import contextlib
import re

TYPE_CHECKING = False  # as a type checker reads it; importing `typing` would slow --help
if TYPE_CHECKING:
    from collections.abc import Iterator

_secrets: dict[str, re.Pattern[str]] = {}
# So much of a key, from its beginning or its end, is replaced too. A gateway that echoes less of it
# ("sk-o...4711") says which key it means, and gives nothing away.
_TELLING = 16
_LONGEST = 20_000  # characters of a message, which may hold a gateway's words
# The query of a URL may be its signature, and a signed URL gives access to the file.
# The query is optional in the pattern on purpose: if it were required, a text made of repeated
# "http://" would take quadratic time, a second for 50 KB and hours for 8 MB.
_URL = re.compile(r"(https?://[^\s\"'<>?#]+)([?#][^\s\"'<>]*)?")
# C0, DEL and C1, because a gateway's text must not control the terminal; and lone surrogates, which
# JSON can contain and UTF-8 cannot.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def keep_secret(secret: str) -> None:
    """Make `clean` replace this text (a gateway key) from now on, in whatever form it is echoed."""
    if len(secret) >= 4:  # a shorter one would match ordinary words and protect nothing
        _secrets[secret] = re.compile("|".join(_forms(secret)))


def _forms(secret: str) -> list[str]:
    """Patterns of a secret as it is, or escaped for JSON, an address or HTML; and its parts."""
    from html import escape  # late, with json: most processes that say anything have no key
    from json import dumps
    from urllib.parse import quote

    whole = {secret, dumps(secret)[1:-1], quote(secret, safe=""), quote(secret), escape(secret)}
    any_case = "(?i:{})" if len(secret) >= 8 else "{}"
    forms = [any_case.format(re.escape(form)) for form in sorted(whole, key=len, reverse=True)]
    # Not of what is more than a key: that may begin with ordinary words.
    if len(secret) >= 2 * _TELLING and re.fullmatch(r"[\w.:-]+", secret):
        forms += [rf"{re.escape(secret[:_TELLING])}[\w-]*", re.escape(secret[-_TELLING:])]
    return forms


def masked(text: str) -> str:
    """Return a text of ours, a receipt, without known keys that a gateway has put into it.

    Shorter ones are left: a server of your own may have "none" for a key.
    """
    for secret, pattern in _secrets.items():
        if len(secret) >= _TELLING:
            text = pattern.sub("[key]", text)
    return text


def clean(text: str) -> str:
    """Return the text without known secrets, queries of URLs and control characters."""
    for pattern in _secrets.values():
        text = pattern.sub("[key]", text)
    text = _URL.sub(lambda found: found[1] + ("?[signature]" if found[2] else ""), text)
    return _CONTROLS.sub(" ", text)


def safe_to_keep(data: bytes) -> bytes:
    """Return a response as it may be kept in a file: a text may repeat the key that it refused."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return data
    if re.search(r"[\x00-\x08\x0e-\x1f]", text):
        return data
    return "\n".join(map(clean, text.split("\n"))).encode()


def one_line(text: str) -> str:
    """Return the text, cleaned, on one line."""
    return " ".join(clean(text).split())


class ToolError(Exception):
    """Why the run ended. `kind` is a row of the exit-code table in `cli/`.

    `charged` is "yes", "no" or "unknown", or None if no paid call is concerned.
    `result` contains the result keys that are known anyway (`job`, `output`, `receipt` ...).
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
        self.message = clean(message[:_LONGEST])
        self.hint = clean(hint)
        super().__init__(self.message)
        self.http_status = http_status
        self.request_id = clean(request_id) if request_id else None
        self.charged = charged
        self.result = result
        self.printed = False  # whether it is on stderr already

    def as_json(self) -> dict[str, object]:
        """Return the `error` object of the JSON result."""
        error: dict[str, object] = {"kind": self.kind, "message": self.message, "hint": self.hint}
        for key in ("http_status", "request_id", "charged"):
            if getattr(self, key) is not None:
                error[key] = getattr(self, key)
        return error


class UsageError(ToolError):
    """Options or input cannot be used; nothing was sent."""

    kind = "usage"


class AuthError(ToolError):
    """The key is missing, was refused by the gateway, or has no credit."""

    kind = "auth"


class StillRunning(ToolError):
    """The job is still running at the gateway; only the wait has ended."""

    kind = "running"


class Refused(ToolError):
    """The model or its safety filter declined."""

    kind = "refused"


class Unavailable(ToolError):
    """Network, rate limit or gateway failed, retries included; nothing was accepted."""

    kind = "unavailable"


class OverBudget(ToolError):
    """The cost would exceed the cap; nothing was sent."""

    kind = "budget"


class Unknown(ToolError):
    """A paid call may or may not have been accepted."""

    kind = "unknown"


class OutputError(ToolError):
    """The response cannot be used, or the output cannot be written."""

    kind = "output"


class Unfetched(OutputError):
    """A result that was made and paid for, and cannot be downloaded from its `address`."""

    def __init__(self, message: str, hint: str, address: str) -> None:
        super().__init__(message, hint, charged="yes")
        self.address = clean(address)


class Rejected(ToolError):
    """The gateway rejected the request; nothing was generated."""

    kind = "rejected"


class JobFailed(ToolError):
    """The job was accepted and failed."""

    kind = "failed"


class JobForgotten(JobFailed):
    """The gateway answers, and does not know the job any more."""


class Unverified(ToolError):
    """No candidate is good enough, or none could be checked."""

    kind = "unverified"


class Interrupted(ToolError):
    """Ctrl-C or SIGTERM."""

    kind = "interrupted"


def from_json(row: object, of: str = "") -> ToolError:
    """The error in the `error` object of another process's result; `of` says of which."""
    row = row if isinstance(row, dict) else {}
    details = {key: row.get(key) for key in ("http_status", "request_id", "charged")}
    kind, message, hint = (str(row.get(key)) for key in ("kind", "message", "hint"))
    return of_kind(kind, f"{of}: {message}" if of else message, hint, **details)


@contextlib.contextmanager
def of_line(name: str, number: int) -> Iterator[None]:
    """Say of which line of a file an error is."""
    try:
        yield
    except ToolError as error:
        raised = of_kind(error.kind, f"{name}, line {number}: {error.message}", error.hint)
        raised.result = error.result
        raise raised from None


def of_kind(kind: str, message: str, hint: str = "", **details: object) -> ToolError:
    """Return an error of this kind, to report an earlier outcome again."""
    for family in ToolError.__subclasses__():
        if family.kind == kind:
            return family(message, hint, **details)  # type: ignore[arg-type]
    return ToolError(message, hint, **details)  # type: ignore[arg-type]
