"""
Whether stations grew louder over the weeks before a date, and how many would have by chance.

::

    levels per day ──► median of the weeks before a date less that of the weeks before them: its rise
                                    │
         at the date in question ◄──┴──► at all other dates, at all stations: what chance does
                                    └──► how likely a rise is by chance, one station and all

A rise before an earthquake that somebody looks for afterwards needs the same measure at dates without one.
Dates whose weeks touch those in question are left out of what chance does. What is near in time is alike, so
few dates are independent: as many as fit beside each other without sharing a day. The scale is the median
size of the rises of all stations at other dates, in units of what their days scatter from one to the next, so
that a station that began to rise earlier does not hide itself; or a station's own, where three dates or more
tell a larger one.

Two probabilities are told. ``p_value`` takes rises at other dates for Gaussian of that scale: Student's t,
with a third as many degrees as there are independent dates. It can be small. ``p_counted`` counts how many
of them are as large, and can't fall below one over their number. ``p_corrected`` is the former by Holm's
correction for the number of stations.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import scipy.special
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.signal.checks import check_at_least

__all__ = ["Chance", "Rise", "find_rises", "rise_at_dates"]

_LEAST_PRESENT: Final = 0.5
# A median's difference from one day to the next to a standard deviation of a day.
_PER_DEVIATION: Final = 1.0 / (0.6745 * np.sqrt(2.0))
_PER_MEDIAN: Final = 1.0 / 0.6745
_EFFICIENCY: Final = 0.37
_FEWEST_OWN: Final = 3


class Rise(NamedTuple):
    """
    What one station did before the date.

    ``rise_db`` is NaN where too few days are there. ``scale_db`` is the deviation that the measure has at
    other dates, known from ``independent`` ones of all stations.
    """

    rise_db: float
    scale_db: float
    p_value: float
    p_counted: float
    p_corrected: float
    independent: int


class Chance(NamedTuple):
    """
    What chance alone gives.

    Attributes
    ----------
    expected : float
        Stations that are below the significance before correction, were there nothing at all.
    at_other_dates : float
        Mean number of stations below it at other dates, where the same measure was taken.
    most_at_other_dates : int
    share_of_dates : float
        Of other dates at which as many stations or more are below it as at the date in question: stations
        that share their weather rise together.
    found, found_corrected : int
        Stations below the significance at the date, before and after correction.
    dates : int
        Other dates.
    """

    expected: float
    at_other_dates: float
    most_at_other_dates: int
    share_of_dates: float
    found: int
    found_corrected: int
    dates: int


def rise_at_dates(level_db: ArrayLike, *, weeks_days: int, before_days: int) -> NDArray[np.float64]:
    """
    Return the rise before each day of a series.

    Parameters
    ----------
    level_db : array_like, shape (stations, days)
        NaN where missing.
    weeks_days, before_days : int
        How long the rise is looked for, and how long the time before it that it is compared with.

    Returns
    -------
    ndarray, shape (stations, days + 1)
        Of the day after the last, too; NaN where less than half of either span is there.

    Examples
    --------
    >>> levels = np.array([[0.0, 0, 0, 0, 3, 3, 3, 3]])
    >>> rise_at_dates(levels, weeks_days=2, before_days=3)
    array([[nan, nan, nan, nan, nan, 1.5, 3. , 3. , 0. ]])
    """
    check_at_least("weeks_days", weeks_days, 1)
    check_at_least("before_days", before_days, 1)
    levels = np.asarray(level_db, dtype=np.float64)
    if levels.ndim != 2:
        raise ConfigError(f"levels should be of stations and days, got the shape {levels.shape}")
    rises = np.full((levels.shape[0], levels.shape[1] + 1), np.nan)
    span = weeks_days + before_days
    if levels.shape[1] >= span:
        late, early = _medians(levels, weeks_days), _medians(levels, before_days)
        rises[:, span:] = late[:, before_days:] - early[:, : late.shape[1] - before_days]
    return rises


def find_rises(
    level_db: ArrayLike,
    date: int,
    *,
    weeks_days: int,
    before_days: int | None = None,
    significance: float = 0.05,
) -> tuple[list[Rise], Chance]:
    """
    Judge the rise of each station before a date.

    Parameters
    ----------
    level_db : array_like, shape (stations, days)
        NaN where missing.
    date : int
        Index of the day before which the weeks end.
    weeks_days : int
    before_days : int, optional
        As long as the weeks by default.
    significance : float
        Of what counts as found.

    Returns
    -------
    rises : list of Rise
        One per station.
    chance : Chance

    Raises
    ------
    ConfigError
        If the date's weeks are not in the series, or no other date is left to compare with.

    Examples
    --------
    >>> levels = np.random.default_rng(1).normal(0, 0.3, (5, 300))
    >>> levels[2, 200:230] += 1.0
    >>> rises, chance = find_rises(levels, 230, weeks_days=30)
    >>> [round(rise.p_corrected, 3) < 0.05 for rise in rises], chance.found_corrected, chance.expected
    ([False, False, True, False, False], 1, 0.25)
    """
    if not 0 < significance < 1:
        raise ConfigError(f"significance should lie between 0 and 1, got {significance}")
    before_days = weeks_days if before_days is None else before_days
    levels = np.asarray(level_db, dtype=np.float64)
    rises = rise_at_dates(levels, weeks_days=weeks_days, before_days=before_days)
    span = weeks_days + before_days
    if not span <= date < rises.shape[1]:
        raise ConfigError(
            f"date {date} should lie from {span} to {rises.shape[1] - 1}: its weeks must be there"
        )
    units = _day_scatter(levels)
    scaled = rises / units[:, None]
    other = _other_dates(rises.shape[1], date, weeks_days, before_days)
    if not np.isfinite(scaled[:, other]).any():
        raise ConfigError(
            f"{levels.shape[1]} days hold no other date whose {span} days do not touch those of {date}"
        )
    scale, independent = _scales(scaled, other, span)
    p_values = _student(scaled / scale[:, None], independent)
    corrected = _holm(p_values[:, date])
    chance_scores = np.sort((scaled / scale[:, None])[:, other][np.isfinite(scaled[:, other])])
    found = []
    for station, score in enumerate(scaled[:, date] / scale):
        as_large = len(chance_scores) - int(np.searchsorted(chance_scores, score))
        known = bool(np.isfinite(score))
        found.append(
            Rise(
                float(rises[station, date]),
                float(scale[station] * units[station]),
                float(p_values[station, date]),
                max(as_large / len(chance_scores), 1.0 / (1 + independent)) if known else float("nan"),
                float(corrected[station]),
                independent,
            )
        )
    return found, _chance(p_values, corrected, date, other, significance)


def _medians(levels: NDArray[np.float64], days: int) -> NDArray[np.float64]:
    """Return the median of each run of days, NaN where less than half of it is there."""
    runs = np.sort(np.lib.stride_tricks.sliding_window_view(levels, days, axis=1), axis=-1)
    # What is missing is sorted to the end.
    there = np.isfinite(runs).sum(axis=-1)
    middle = np.stack([np.maximum(there - 1, 0) // 2, there // 2], axis=-1).clip(max=days - 1)
    median = np.take_along_axis(runs, middle, axis=-1).mean(axis=-1)
    return np.where(there >= _LEAST_PRESENT * days, median, np.nan)


def _day_scatter(levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard deviation of a day, from what each differs from the next."""
    difference = np.abs(np.diff(levels, axis=1))
    scatter = np.full(len(levels), np.nan)
    rows = np.isfinite(difference).any(axis=1)
    scatter[rows] = np.nanmedian(difference[rows], axis=1) * _PER_DEVIATION
    return np.where(scatter > 0, scatter, np.nan)


def _other_dates(dates: int, date: int, weeks_days: int, before_days: int) -> NDArray[np.int64]:
    """Return the dates whose spans share no day with the weeks in question."""
    every = np.arange(weeks_days + before_days, dates)
    return every[(every <= date - weeks_days) | (every - weeks_days - before_days >= date)]


def _scales(
    scaled: NDArray[np.float64], other: NDArray[np.int64], span: int
) -> tuple[NDArray[np.float64], int]:
    """Return the deviation of each station's measure by chance, and from how many independent dates."""
    values = scaled[:, other]
    there = np.isfinite(values)
    independent = np.array([_apart(other[row], span) for row in there])
    of_all = float(np.median(np.abs(values[there]))) * _PER_MEDIAN
    square = np.sum(np.where(there, values, 0.0) ** 2, axis=1) / np.maximum(there.sum(axis=1), 1)
    # One or two dates of its own are of the very season that is in question.
    own = np.where(independent >= _FEWEST_OWN, np.sqrt(square), 0.0)
    return np.maximum(own, of_all), int(independent.sum())


def _apart(dates: NDArray[np.int64], span: int) -> int:
    """Return how many of rising dates fit beside each other at a distance of their span."""
    count, last = 0, -span
    for date in dates.tolist():
        if date - last >= span:
            count, last = count + 1, date
    return count


def _student(score: NDArray[np.float64], degrees: int) -> NDArray[np.float64]:
    """Return the probability of a score as large, NaN where there is none."""
    # A median knows a deviation as well as the squares of a third as many.
    tail = scipy.special.stdtr(max(degrees * _EFFICIENCY, 1.0), -np.nan_to_num(score))
    return np.where(np.isfinite(score), tail, np.nan)


def _holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities corrected for their number, NaN where there is none."""
    corrected = np.full(len(p_values), np.nan)
    known = np.flatnonzero(np.isfinite(p_values))
    order = known[np.argsort(p_values[known], kind="stable")]
    left = len(order) - np.arange(len(order))
    corrected[order] = np.minimum(np.maximum.accumulate(p_values[order] * left), 1.0)
    return corrected


def _chance(
    p_values: NDArray[np.float64],
    corrected: NDArray[np.float64],
    date: int,
    other: NDArray[np.int64],
    significance: float,
) -> Chance:
    below = np.nan_to_num(p_values, nan=1.0) < significance
    there = np.isfinite(p_values)
    dates = other[there[:, other].any(axis=0)]
    counts = below[:, dates].sum(axis=0)
    found = int(below[:, date].sum())
    return Chance(
        expected=significance * int(there[:, date].sum()),
        at_other_dates=float(counts.mean()),
        most_at_other_dates=int(counts.max()),
        share_of_dates=float(np.mean(counts >= found)),
        found=found,
        found_corrected=int(np.sum(corrected < significance)),
        dates=len(dates),
    )
