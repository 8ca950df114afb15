"""
Quality that levels tell, in the words of MUSTANG (EarthScope's quality service).

MUSTANG works these out for a day; here they are worked out for whatever windows they are given.

- ``pct_below_nlnm``, ``pct_above_nhnm``: percentage of all levels that lie below the low, or above the high
  noise model. MUSTANG takes all periods. Superconducting gravimeters do lie below the low model at long
  periods, so that here it counts up to 1,000 s, or against the instrument's own noise where that is given.
- ``dead_channel_gsn``: the median of levels lies more than 5 dB below the low noise model in the mean over 4
  to 8 s.
- ``dead_channel_lin``: standard deviation in dB of the mean of levels from a straight line over the logarithm
  of the period, from 4 samples to 100 s. The ground's microseisms are no straight line: MUSTANG calls values
  below 3 suspect.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from pipeline.errors import ConfigError
from pipeline.noise.noise_models import nhnm_db, nlnm_db
from pipeline.signal.checks import check_positive
from pipeline.signal.precision import BoolArray, FloatArray

__all__ = ["dead_channel_gsn", "dead_channel_lin", "pct_above_nhnm", "pct_below_nlnm"]

_LONGEST_BELOW_S: Final = 1000.0
_DEAD_BAND_S: Final = (4.0, 8.0)
_DEAD_DB: Final = 5.0
_LINE_LONGEST_S: Final = 100.0
_LINE_SHORTEST_SAMPLES: Final = 4
_FEWEST_FOR_A_LINE: Final = 3


def pct_below_nlnm(
    level_db: ArrayLike, period_s: ArrayLike, *, self_noise_db: ArrayLike | None = None
) -> float:
    """
    Return the percentage of levels below the low noise model.

    Parameters
    ----------
    level_db : array_like, shape (windows, periods)
        Of one component; NaN where a window is left out.
    period_s : array_like, shape (periods,)
    self_noise_db : array_like, shape (periods,), optional
        Of the instrument, in dB of (m/s²)²/Hz, to count against instead, wherever it is known.

    Returns
    -------
    float
        NaN where there is no level to judge.

    Examples
    --------
    >>> pct_below_nlnm([[-170.0, -140.0], [-160.0, -140.0]], [1.0, 5.0])
    25.0
    """
    period = np.asarray(period_s, dtype=np.float64)
    floor = np.where(period <= _LONGEST_BELOW_S, nlnm_db(period), np.nan)
    if self_noise_db is not None:
        floor = np.broadcast_to(np.asarray(self_noise_db, dtype=np.float64), period.shape)
    levels = _two_axes(level_db, period)
    return _percentage(levels < floor, ~np.isnan(levels - floor))


def pct_above_nhnm(level_db: ArrayLike, period_s: ArrayLike) -> float:
    """
    Return the percentage of levels above the high noise model; see `pct_below_nlnm`.

    Examples
    --------
    >>> pct_above_nhnm([[-110.0, -140.0], [-160.0, np.nan]], [1.0, 5.0])
    33.33...
    """
    period = np.asarray(period_s, dtype=np.float64)
    levels, ceiling = _two_axes(level_db, period), nhnm_db(period)
    return _percentage(levels > ceiling, ~np.isnan(levels - ceiling))


def dead_channel_gsn(level_db: ArrayLike, period_s: ArrayLike) -> bool | None:
    """
    Say whether a channel does not record the microseisms that are everywhere.

    Parameters
    ----------
    level_db : array_like, shape (windows, periods)
    period_s : array_like, shape (periods,)

    Returns
    -------
    bool or None
        None where no level between 4 and 8 s is known.

    Examples
    --------
    >>> dead_channel_gsn([[-150.0], [-160.0], [-150.0]], [5.0]), dead_channel_gsn([[-140.0]], [5.0])
    (True, False)
    """
    period = np.asarray(period_s, dtype=np.float64)
    inside = (period >= _DEAD_BAND_S[0]) & (period <= _DEAD_BAND_S[1])
    median = _over_windows(np.nanmedian, _two_axes(level_db, period)[:, inside])
    below = np.subtract(nlnm_db(period[inside]), median)[~np.isnan(median)]
    return bool(below.mean() > _DEAD_DB) if below.size else None


def dead_channel_lin(level_db: ArrayLike, period_s: ArrayLike, rate_hz: float) -> float:
    """
    Return how far the mean of levels is from a straight line, in dB.

    Parameters
    ----------
    level_db : array_like, shape (windows, periods)
    period_s : array_like, shape (periods,)
    rate_hz : float
        Of the samples.

    Returns
    -------
    float
        NaN where fewer than three periods are known.

    Examples
    --------
    >>> period_s = 2.0 ** np.arange(6)
    >>> round(dead_channel_lin([-150 - 10 * np.log10(period_s)], period_s, 100.0), 9) + 0.0
    0.0
    """
    check_positive("rate_hz", rate_hz)
    period = np.asarray(period_s, dtype=np.float64)
    mean = _over_windows(np.nanmean, _two_axes(level_db, period))
    inside = (period >= _LINE_SHORTEST_SAMPLES / rate_hz) & (period <= _LINE_LONGEST_S) & ~np.isnan(mean)
    if inside.sum() < _FEWEST_FOR_A_LINE:
        return float("nan")
    logarithm = np.log10(period[inside])
    residual = mean[inside] - np.polyval(np.polyfit(logarithm, mean[inside], 1), logarithm)
    return float(np.sqrt(np.mean(residual**2)))


def _two_axes(level_db: ArrayLike, period: FloatArray) -> FloatArray:
    levels = np.asarray(level_db, dtype=np.float64)
    if levels.ndim != 2 or levels.shape[1:] != period.shape:
        raise ConfigError(
            f"levels should have the shape (windows, {period.size} periods), got {levels.shape}"
        )
    return levels


def _over_windows(reduce: Callable[..., FloatArray], levels: FloatArray) -> FloatArray:
    with warnings.catch_warnings():
        # A period that no window knows is NaN, as it should be; numpy warns of it.
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(reduce(levels, axis=0))


def _percentage(hit: BoolArray, judged: BoolArray) -> float:
    count = int(judged.sum())
    return 100.0 * int((hit & judged).sum()) / count if count else float("nan")
