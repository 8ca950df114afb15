"""
Levels per week, month, block and year, from levels per day or per window.

Powers are averaged, not decibels; the median stands beside the mean, for one earthquake fills the mean of a
week. Days count from 1970.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError

__all__ = ["LevelSeries", "Span", "WindowSeries", "group_levels", "group_windows", "span_days", "spans_of"]

Span: TypeAlias = Literal["day", "week", "month", "block", "year"]

_BLOCK_DAYS: Final = 31


class LevelSeries(NamedTuple):
    """
    Levels of spans in the order of time.

    ``first_day`` is that of the span, ``days`` how many of its days have a level; levels in dB.
    """

    first_day: NDArray[np.int64]
    mean_db: NDArray[np.float64]
    median_db: NDArray[np.float64]
    days: NDArray[np.int64]


def _days(day: NDArray[np.int64], _: int) -> NDArray[np.int64]:
    return day


def _weeks(day: NDArray[np.int64], _: int) -> NDArray[np.int64]:
    # 1970 began on a Thursday.
    return day - (day + 3) % 7


def _months(day: NDArray[np.int64], _: int) -> NDArray[np.int64]:
    return day.astype("M8[D]").astype("M8[M]").astype("M8[D]").astype(np.int64)


def _years(day: NDArray[np.int64], _: int) -> NDArray[np.int64]:
    return day.astype("M8[D]").astype("M8[Y]").astype("M8[D]").astype(np.int64)


def _blocks(day: NDArray[np.int64], block_days: int) -> NDArray[np.int64]:
    year = _years(day, block_days)
    return year + (day - year) // block_days * block_days


_SPANS: Final = MappingProxyType[Span, Callable[[NDArray[np.int64], int], NDArray[np.int64]]](
    {"day": _days, "week": _weeks, "month": _months, "block": _blocks, "year": _years}
)


def spans_of(day: NDArray[np.int64], span: Span, *, block_days: int = _BLOCK_DAYS) -> NDArray[np.int64]:
    """
    Return the first day of the span in which each day lies.

    Parameters
    ----------
    day : ndarray of int
    span : {"day", "week", "month", "block", "year"}
        Weeks begin on Mondays; blocks are those of the archive.
    block_days : int
        Of these.

    Examples
    --------
    >>> day = np.array(["2021-05-01", "2021-05-24"], dtype="M8[D]").astype(np.int64)
    >>> [str(spans_of(day, span).astype("M8[D]")) for span in ("week", "month", "block")]
    ["['2021-04-26' '2021-05-24']", "['2021-05-01' '2021-05-01']", "['2021-04-04' '2021-05-05']"]
    """
    if span not in _SPANS:
        raise ConfigError(f"a span should be one of {', '.join(_SPANS)}, got {span!r}")
    return _SPANS[span](np.asarray(day, dtype=np.int64), block_days)


def group_levels(day: NDArray[np.int64], level_db: NDArray[np.float64], span: Span) -> LevelSeries:
    """
    Return the levels of spans from those of days.

    Parameters
    ----------
    day : ndarray of int, shape (days,)
    level_db : ndarray, shape (days,)
        NaN of a day without. A noise magnitude times 10 is one.
    span : {"day", "week", "month", "block", "year"}

    Returns
    -------
    LevelSeries
        Spans without any level are left out.

    Examples
    --------
    >>> series = group_levels(np.arange(4, 11), np.array([0.0, 0, 0, 0, 0, 10, 0]), "week")
    >>> series.first_day, series.mean_db.round(2), series.median_db, series.days
    (array([4]), array([3.59]), array([0.]), array([7]))
    """
    present = np.isfinite(level_db)
    group = spans_of(np.asarray(day)[present], span)
    level = level_db[present]
    first_day, index, count = np.unique(group, return_inverse=True, return_counts=True)
    power = np.bincount(index, weights=10 ** (level / 10), minlength=len(first_day))
    median = [float(np.median(level[index == k])) for k in range(len(first_day))]
    return LevelSeries(first_day, 10 * np.log10(power / count), np.array(median), count.astype(np.int64))


class WindowSeries(NamedTuple):
    """
    Levels of spans in the order of time, made of windows.

    ``first_day`` and ``length_days`` are those of the span, ``days`` how many days with any level there are;
    ``mean_db`` is the dB of the mean power, percentiles are those of the windows.
    """

    first_day: NDArray[np.int64]
    length_days: NDArray[np.int64]
    mean_db: NDArray[np.float64]
    p05_db: NDArray[np.float64]
    p50_db: NDArray[np.float64]
    p95_db: NDArray[np.float64]
    days: NDArray[np.int64]


def span_days(
    first_day: NDArray[np.int64], span: Span, *, block_days: int = _BLOCK_DAYS
) -> NDArray[np.int64]:
    """
    Return how many days spans have, of which the first days are given.

    >>> span_days(np.array(["2020-02-01", "2020-12-01"], dtype="M8[D]").astype(np.int64), "month")
    array([29, 31])
    """
    # The last day of a span is the one before that in which the next one begins.
    ahead = first_day[:, np.newaxis] + np.arange(367)
    own = spans_of(first_day, span, block_days=block_days)
    return np.asarray((spans_of(ahead, span, block_days=block_days) == own[:, np.newaxis]).sum(axis=1))


def group_windows(
    day: NDArray[np.int64], level_db: NDArray[np.float64], span: Span, *, block_days: int = _BLOCK_DAYS
) -> WindowSeries:
    """
    Return the levels of spans from those of windows.

    Parameters
    ----------
    day : ndarray of int, shape (windows,)
        On which each begins, since 1970.
    level_db : ndarray, shape (windows,)
        NaN of a window without.
    span : {"day", "week", "month", "block", "year"}
    block_days : int
        Of the archive.

    Returns
    -------
    WindowSeries
        Spans without any level are left out.

    Examples
    --------
    >>> series = group_windows(np.array([0, 0, 0, 1]), np.array([0.0, 10.0, 20.0, np.nan]), "day")
    >>> series.first_day, series.mean_db.round(1), series.p50_db, series.p95_db, series.days
    (array([0]), array([15.7]), array([10.]), array([19.]), array([1]))
    """
    present = np.isfinite(level_db)
    day_of, level = np.asarray(day, dtype=np.int64)[present], np.asarray(level_db, dtype=np.float64)[present]
    group = spans_of(day_of, span, block_days=block_days)
    first_day, index, count = np.unique(group, return_inverse=True, return_counts=True)
    power = np.bincount(index, weights=10 ** (level / 10), minlength=len(first_day))
    ordered = level[np.lexsort((level, index))]
    start = np.cumsum(count) - count
    return WindowSeries(
        first_day=first_day,
        length_days=span_days(first_day, span, block_days=block_days),
        mean_db=10 * np.log10(power / count),
        p05_db=_percentiles(ordered, start, count, 0.05),
        p50_db=_percentiles(ordered, start, count, 0.5),
        p95_db=_percentiles(ordered, start, count, 0.95),
        days=_different_days(day_of, index, len(first_day)),
    )


def _percentiles(
    ordered: NDArray[np.float64], start: NDArray[np.int64], count: NDArray[np.int64], share: float
) -> NDArray[np.float64]:
    """Interpolate in each group's sorted levels, as numpy does."""
    place = share * (count - 1)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, count - 1)
    low, high = ordered[start + below], ordered[start + above]
    return np.asarray(low + (high - low) * (place - below))


def _different_days(day: NDArray[np.int64], index: NDArray[np.int64], spans: int) -> NDArray[np.int64]:
    pairs = np.unique(np.stack([index, day]), axis=1)
    return np.bincount(pairs[0], minlength=spans).astype(np.int64)
