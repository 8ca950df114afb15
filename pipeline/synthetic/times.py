"""Times: UTC in nanoseconds since 1970, in which leap seconds are not counted, and when there was one."""

from __future__ import annotations

import datetime as dt
from functools import cache
from itertools import pairwise

__all__ = ["leap_seconds_ns", "to_ns"]


def to_ns(time: dt.datetime) -> int:
    """
    Return a time in nanoseconds since 1970.

    >>> to_ns(dt.datetime(1970, 1, 2, tzinfo=dt.UTC))
    86400000000000
    """
    return (time - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1) * 1000


@cache
def leap_seconds_ns() -> tuple[int, ...]:
    """
    Return the midnights that came one second late, because a leap second stood before them.

    Examples
    --------
    >>> len(leap_seconds_ns()), leap_seconds_ns()[-1] == to_ns(dt.datetime(2017, 1, 1, tzinfo=dt.UTC))
    (27, True)
    """
    import erfa

    table = erfa.leap_seconds.get()
    # Before 1972 UTC was steered by fractions of a second.
    return tuple(
        to_ns(dt.datetime(int(row["year"]), int(row["month"]), 1, tzinfo=dt.UTC))
        for before, row in pairwise(table)
        if row["year"] >= 1972 and row["tai_utc"] - before["tai_utc"] == 1
    )
