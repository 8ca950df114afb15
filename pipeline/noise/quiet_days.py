"""
Which days, and which runs of days, are the quietest.

A day is ranked by the RMS of its residual, of samples as they were recorded. That of all frequencies is
Crossley's; near a coast it is the microseism's, and neither a step of 10 nm/s² nor the Earth's modes days
after a great earthquake show in it. That below 10 mHz (`magnitudes.band_rms_microgal`) knows both. Days that
lack more than a little are left out: what is missing is often what was loud.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.signal.checks import check_at_least

__all__ = ["QuietDays", "quiet_runs", "quietest_days"]


class QuietDays(NamedTuple):
    """
    The quietest days, in the order of time, and of how many they were chosen.

    Attributes
    ----------
    days : ndarray of int64
        Into the days that were given; fewer than asked for where there are no more.
    asked, candidates, span_days : int
        How many were wanted, how many could be ranked, and how many days were looked at: a year or what there
        is.
    """

    days: NDArray[np.int64]
    asked: int
    candidates: int
    span_days: int


def quietest_days(
    rms: ArrayLike, present: ArrayLike, *, count: int = 5, least_present: float = 0.99
) -> QuietDays:
    """
    Choose the quietest days.

    Parameters
    ----------
    rms : array_like, shape (days,)
        NaN of a day without any.
    present : array_like, shape (days,)
        Share of each day's samples that are there.
    count : int
    least_present : float
        Of a day that may be chosen.

    Returns
    -------
    QuietDays

    Examples
    --------
    A day that stands still is no quiet one.

    >>> chosen = quietest_days([3.0, 1.0, 2.0, 0.5, 0.0], [1.0, 1.0, 1.0, 0.7, 1.0], count=2)
    >>> chosen.days, chosen.candidates, chosen.span_days
    (array([1, 2]), 3, 5)
    """
    check_at_least("count", count, 1)
    level, share = np.asarray(rms, dtype=np.float64), np.asarray(present, dtype=np.float64)
    if level.shape != share.shape:
        raise ConfigError(f"rms and present should be of one length, got {level.shape} and {share.shape}")
    fit = np.flatnonzero(np.isfinite(level) & (level > 0) & (share >= least_present))
    chosen = fit[np.argsort(level[fit], kind="stable")[:count]]
    return QuietDays(np.sort(chosen), count, len(fit), len(level))


def quiet_runs(rms: ArrayLike, *, length: int = 5, count: int = 5) -> NDArray[np.int64]:
    """
    Choose quiet runs of days that share no day, the quietest first.

    Parameters
    ----------
    rms : array_like, shape (starts,)
        Of the run that starts on each day; NaN where one is incomplete.
    length : int
        Days of a run.
    count : int

    Returns
    -------
    ndarray of int64
        First days, in the order of time; as many as there are, up to ``count``.

    Examples
    --------
    >>> quiet_runs([3.0, 1.0, 1.1, 4.0, 2.0, float("nan")], length=2)
    array([1, 4])
    """
    check_at_least("length", length, 1)
    check_at_least("count", count, 1)
    level = np.asarray(rms, dtype=np.float64)
    chosen: list[int] = []
    for start in np.argsort(level, kind="stable").tolist():
        if len(chosen) < count and level[start] > 0 and all(abs(start - other) >= length for other in chosen):
            chosen.append(start)
    return np.array(sorted(chosen), dtype=np.int64)
