"""Tables of many rows in one test: hundreds of tests of a millisecond are mostly pytest itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def for_all(rows: Iterable[T]) -> Callable[[Callable[[T], None]], Callable[[], None]]:
    """Make a check of one row a test of all rows; pytest shows the row at which it failed."""

    def decorate(check: Callable[[T], None]) -> Callable[[], None]:
        def test() -> None:
            seen = 0
            for row in rows:
                check(row)
                seen += 1
            assert seen, "an empty table checks nothing"

        test.__doc__ = check.__doc__
        return test

    return decorate
