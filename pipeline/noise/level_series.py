"""
Levels per week, month and block, from levels per day.

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

__all__ = ["LevelSeries", "Span", "group_levels", "spans_of"]

Span: TypeAlias = Literal["week", "month", "block"]

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


def _weeks(day: NDArray[np.int64]) -> NDArray[np.int64]:
    # 1970 began on a Thursday.
    return day - (day + 3) % 7


def _months(day: NDArray[np.int64]) -> NDArray[np.int64]:
    return day.astype("M8[D]").astype("M8[M]").astype("M8[D]").astype(np.int64)


def _blocks(day: NDArray[np.int64]) -> NDArray[np.int64]:
    year = day.astype("M8[D]").astype("M8[Y]").astype("M8[D]").astype(np.int64)
    return year + (day - year) // _BLOCK_DAYS * _BLOCK_DAYS


_SPANS: Final = MappingProxyType[Span, Callable[[NDArray[np.int64]], NDArray[np.int64]]](
    {"week": _weeks, "month": _months, "block": _blocks}
)


def spans_of(day: NDArray[np.int64], span: Span) -> NDArray[np.int64]:
    """
    Return the first day of the span in which each day lies.

    Parameters
    ----------
    day : ndarray of int
    span : {"week", "month", "block"}
        Weeks begin on Mondays; blocks are those of the archive, of 31 days.

    Examples
    --------
    >>> day = np.array(["2021-05-01", "2021-05-24"], dtype="M8[D]").astype(np.int64)
    >>> [str(spans_of(day, span).astype("M8[D]")) for span in ("week", "month", "block")]
    ["['2021-04-26' '2021-05-24']", "['2021-05-01' '2021-05-01']", "['2021-04-04' '2021-05-05']"]
    """
    if span not in _SPANS:
        raise ConfigError(f"a span should be one of {', '.join(_SPANS)}, got {span!r}")
    return _SPANS[span](np.asarray(day, dtype=np.int64))


def group_levels(day: NDArray[np.int64], level_db: NDArray[np.float64], span: Span) -> LevelSeries:
    """
    Return the levels of spans from those of days.

    Parameters
    ----------
    day : ndarray of int, shape (days,)
    level_db : ndarray, shape (days,)
        NaN of a day without. A noise magnitude times 10 is one.
    span : {"week", "month", "block"}

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
