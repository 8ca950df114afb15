"""
Trends of noise levels: their slope, and whether there is one.

::

    levels in time ─► slopes of all pairs ─► median: Theil–Sen
                  └─► signs of all pairs ─► sum S ─► Mann–Kendall
                                            variance of S, widened by autocorrelation or over seasons

Neither minds outliers. Noise remembers: with a lag-one correlation of 0.6 the plain test calls every third
series without a trend one with. So the variance of S is that of a first-order autoregression (Hamed & Rao,
1998), whose coefficient is freed of its small-sample bias; over years, seasons are compared with themselves
alone, and their variance has the covariance between them (Hirsch & Slack, 1984).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.special
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError

__all__ = ["Trend", "lag_one", "seasonal_trend", "trend"]

_FEWEST = 8
_FEWEST_YEARS = 4


class Trend(NamedTuple):
    """
    A slope and how sure it is.

    ``slope``, ``low`` and ``high`` (95 %) are per unit of time; ``p_value`` is two-sided; ``autocorrelation``
    that of lag one which was allowed for, and ``levels`` how many there were.
    """

    slope: float
    low: float
    high: float
    p_value: float
    autocorrelation: float
    levels: int


def lag_one(level: ArrayLike) -> float:
    """
    Return the correlation of each level with the next, without its small-sample bias.

    Parameters
    ----------
    level : array_like, shape (times,)
        At even steps, less its trend; NaN where missing.

    Returns
    -------
    float
        From 0 to 0.97: what is below has no cost, and above no test knows a trend from a memory.

    Examples
    --------
    >>> lag_one(np.sin(np.arange(100.0) / 5)), lag_one([1.0, -1.0] * 20)
    (0.97, 0.0)
    """
    levels = np.asarray(level, dtype=np.float64)
    centred = levels - float(np.nanmean(levels))
    pair = np.isfinite(centred[1:]) & np.isfinite(centred[:-1])
    count = int(pair.sum())
    power = float(np.nanmean(centred**2))
    if count < 3 or power <= 0:
        return 0.0
    raw = float(np.sum(centred[1:][pair] * centred[:-1][pair])) / count / power
    # Kendall's bias, with a mean and a slope taken out.
    freed = (count * raw + 2.0) / (count - 4.0) if count > 4 else raw
    return float(np.clip(freed, 0.0, 0.97))


def trend(level: ArrayLike, *, step: float = 1.0) -> Trend:
    """
    Return the trend of levels at even steps.

    Parameters
    ----------
    level : array_like, shape (times,)
        NaN where missing.
    step : float
        Time from one to the next.

    Returns
    -------
    Trend

    Raises
    ------
    ConfigError
        If fewer than 8 are there.

    Examples
    --------
    >>> found = trend(0.5 * np.arange(40) + np.sin(np.arange(40) * 2.0), step=7.0)
    >>> round(found.slope * 7, 2), found.p_value < 1e-6
    (0.5, True)
    """
    levels = np.asarray(level, dtype=np.float64)
    at = np.flatnonzero(np.isfinite(levels))
    if len(at) < _FEWEST:
        raise ConfigError(f"a trend needs at least {_FEWEST} levels, got {len(at)}")
    later, earlier = np.tril_indices(len(at), -1)
    rise = levels[at][later] - levels[at][earlier]
    slopes = np.sort(rise / (at[later] - at[earlier]))
    slope = float(np.median(slopes))
    memory = lag_one(levels - slope * np.arange(len(levels)))
    variance = _plain_variance(levels[at]) * _widening(len(at), memory)
    half = 1.96 * np.sqrt(variance) / 2
    low, high = np.clip(np.round(len(slopes) / 2 + np.array([-half, half])), 0, len(slopes) - 1).astype(int)
    return Trend(
        slope / step,
        float(slopes[low]) / step,
        float(slopes[high]) / step,
        _two_sided(float(np.sign(rise).sum()), variance),
        memory,
        len(at),
    )


def seasonal_trend(level: ArrayLike) -> Trend:
    """
    Return the trend over years of levels that have a season.

    Parameters
    ----------
    level : array_like, shape (years, seasons)
        NaN where missing.

    Returns
    -------
    Trend
        Per year; ``autocorrelation`` is NaN, for the covariance of seasons stands for it.

    Raises
    ------
    ConfigError
        If there are fewer than 4 years.

    Examples
    --------
    >>> season = 8 * np.cos(np.arange(12) / 12 * 2 * np.pi)
    >>> noise = np.random.default_rng(3).normal(0, 0.2, (10, 12))
    >>> found = seasonal_trend(season + 0.3 * np.arange(10)[:, None] + noise)
    >>> round(found.slope, 1), found.p_value < 1e-3
    (0.3, True)
    """
    levels = np.asarray(level, dtype=np.float64)
    if levels.ndim != 2 or len(levels) < _FEWEST_YEARS:
        raise ConfigError(f"a trend over seasons needs at least {_FEWEST_YEARS} years, got {levels.shape}")
    later, earlier = np.tril_indices(len(levels), -1)
    rise = levels[later] - levels[earlier]
    sign = np.nan_to_num(np.sign(rise))
    slopes = np.sort((rise / (later - earlier)[:, None])[np.isfinite(rise)])
    if len(slopes) < _FEWEST:
        raise ConfigError(f"a trend over seasons needs at least {_FEWEST} pairs of years, got {len(slopes)}")
    variance = float(_seasonal_covariance(levels, sign, later, earlier).sum())
    half = 1.96 * np.sqrt(max(variance, 0.0)) / 2
    low, high = np.clip(np.round(len(slopes) / 2 + np.array([-half, half])), 0, len(slopes) - 1).astype(int)
    return Trend(
        float(np.median(slopes)),
        float(slopes[low]),
        float(slopes[high]),
        _two_sided(float(sign.sum()), variance),
        float("nan"),
        int(np.isfinite(levels).sum()),
    )


def _plain_variance(levels: NDArray[np.float64]) -> float:
    """Return the variance of S of independent levels, of which some may be equal."""
    count = len(levels)
    ties = np.unique(levels, return_counts=True)[1]
    return float(count * (count - 1) * (2 * count + 5) - np.sum(ties * (ties - 1) * (2 * ties + 5))) / 18


def _widening(count: int, memory: float) -> float:
    """Return by how much the variance of S grows in a first-order autoregression."""
    lag = np.arange(1, count)
    ranks = 6 / np.pi * np.arcsin(memory**lag / 2)
    weight = (count - lag) * (count - lag - 1.0) * (count - lag - 2.0)
    return float(1.0 + 2.0 / (count * (count - 1) * (count - 2)) * np.sum(weight * ranks))


def _seasonal_covariance(
    levels: NDArray[np.float64],
    sign: NDArray[np.float64],
    later: NDArray[np.int64],
    earlier: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the covariance of the sums S of seasons (Dietz & Killeen, 1981), missing years and all."""
    years, seasons = levels.shape
    there = np.isfinite(levels).sum(axis=0)
    balance = np.zeros((years, seasons))
    np.add.at(balance, later, sign)
    np.add.at(balance, earlier, -sign)
    ranks = (there + 1 + balance) / 2
    shared = np.einsum("pg,ph->gh", sign, sign)
    product = np.einsum("yg,yh->gh", ranks, ranks)
    return np.asarray((shared + 4 * product - years * np.outer(there + 1, there + 1)) / 3)


def _two_sided(total: float, variance: float) -> float:
    if variance <= 0:
        return 1.0
    # Kendall's step towards zero, for S is a whole number.
    score = max(abs(total) - 1.0, 0.0) / np.sqrt(variance)
    return float(scipy.special.erfc(score / np.sqrt(2)))
