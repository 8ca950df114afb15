"""Times: UTC in nanoseconds since 1970, in which leap seconds are not counted."""

from __future__ import annotations

import datetime as dt

__all__ = ["to_ns"]


def to_ns(time: dt.datetime) -> int:
    """
    Return a time in nanoseconds since 1970.

    >>> to_ns(dt.datetime(1970, 1, 2, tzinfo=dt.UTC))
    86400000000000
    """
    return (time - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1) * 1000
