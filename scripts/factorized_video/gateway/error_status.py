"""The HTTP status that an error inside a 2xx stands for, by its code and type. Pure.

Only codes that are known say that nothing was made: behind any other the paid call may have gone
through, and the error be of what came after it.
"""

from __future__ import annotations

import re

_BY_WORD = {
    400: (
        r"invalid_?(?:request|argument|parameter|value|prompt|image|input|size|type|model)"
        r"|bad_?request|validation|unsupported|unknown_?(?:parameter|model)|missing_?required"
        r"|model_?not_?(?:found|supported|exist)|not_?found|out_of_range|failed_precondition"
    ),
    401: r"authentication|invalid_?api_?key|unauthori[sz]ed|unauthenticated|missing_?api_?key",
    402: (
        r"insufficient_?(?:quota|user_?quota|balance|credit|fund)|payment_?required|billing"
        r"|credits?_?(?:exhausted|required)|balance_?not_?enough|quota_?not_?enough|arrear"
    ),
    403: r"permission|forbidden|access_?denied|not_?allowed",
    429: r"rate_?limit|too_?many_?requests|resource_?exhausted|throttl",
}


def of_error(code: object, codes: str) -> int | None:
    """400 to 599 by a numeric `code`, else by the words in `codes`; None where neither says it."""
    number = str(code).strip() if isinstance(code, int | str) and not isinstance(code, bool) else ""
    if re.fullmatch(r"[45]\d\d", number):
        return int(number)
    # Money and rates first: their types are often "invalid_request_error" as well.
    for status in (402, 429, 401, 403, 400):
        if re.search(_BY_WORD[status], codes, re.IGNORECASE):
            return status
    return None
