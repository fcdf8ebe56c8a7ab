"""Another limit on the tokens of an answer, where a gateway declines the first one. Pure."""

from __future__ import annotations

import re

from .types import ChatRequest

FEWEST = 512  # with fewer tokens no answer of ours would be whole
_OTHER_FIELD = "max_completion_tokens"
# Where the highest number that is accepted stands.
_ACCEPTED = (
    r"(?:can only afford|at most|up to|maximum(?: value)?(?: is| of|:)?|less than or equal to|<=|"
    r"≤|not exceed|no more than|limit(?: is| of|:)?|and|,) *(\d[\d,_]*)"
)


def other(request: ChatRequest, status: int | None, message: str) -> ChatRequest | None:
    """The request with the limit that an error names; None where it names none.

    `status` and `message` are those of the error; only 400, 402, 413 and 422 are about the request.
    """
    about = re.search(r"max_(?:completion_)?tokens|(?:output|completion) tokens|afford", message)
    if status not in (400, 402, 413, 422) or not about:
        return None
    if _OTHER_FIELD in message and request.limit_field != _OTHER_FIELD:
        return request._replace(limit_field=_OTHER_FIELD)
    numbers = [int(re.sub(r"\D", "", one)) for one in re.findall(_ACCEPTED, message)]
    lower = [one for one in numbers if FEWEST <= one < request.max_tokens]
    return request._replace(max_tokens=max(lower)) if lower else None
