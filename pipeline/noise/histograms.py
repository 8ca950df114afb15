"""
Histograms of levels: how often the power at a period lay where, and what follows from that.

Levels of windows are counted in bins of dB, as in obspy's PPSD: a bin takes in its upper edge, and the outer
bins take in what lies beyond them. Counts of blocks, months or streams add up; percentiles, means and modes
come from the counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pipeline.errors import ConfigError
from pipeline.signal.checks import check_positive
from pipeline.signal.precision import FloatArray, IndexArray

__all__ = ["DbBins", "count_levels", "mean_db", "mode_db", "percentile_db"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DbBins:
    """
    Bins of dB.

    Parameters
    ----------
    low_db, high_db : float
    width_db : float
        Made a little larger where it does not divide the range.

    Examples
    --------
    >>> bins = DbBins(low_db=-200.0, high_db=-190.0, width_db=5.0)
    >>> bins.edges_db, bins.centres_db
    (array([-200., -195., -190.]), array([-197.5, -192.5]))
    """

    low_db: float = -200.0
    high_db: float = -50.0
    width_db: float = 1.0

    def __post_init__(self) -> None:
        check_positive("width_db", self.width_db)
        if not self.low_db + self.width_db <= self.high_db:
            raise ConfigError(
                f"high_db should be at least a width above low_db, got {self.low_db} to {self.high_db} dB"
                f" in steps of {self.width_db}"
            )

    @property
    def edges_db(self) -> FloatArray:
        """Edges, rising, one more than there are bins."""
        return np.linspace(self.low_db, self.high_db, int((self.high_db - self.low_db) / self.width_db) + 1)

    @property
    def centres_db(self) -> FloatArray:
        """Centres, rising."""
        edges = self.edges_db
        return np.asarray((edges[:-1] + edges[1:]) / 2)


def count_levels(level_db: ArrayLike, bins: DbBins) -> IndexArray:
    """
    Count levels.

    Parameters
    ----------
    level_db : array_like, shape (windows, ...)
        NaN is not counted.
    bins : DbBins

    Returns
    -------
    array of int64, shape (..., bins)

    Examples
    --------
    >>> bins = DbBins(low_db=-200.0, high_db=-190.0, width_db=5.0)
    >>> count_levels([[-195.0, -250.0], [-194.9, np.nan]], bins).tolist()
    [[1, 1], [1, 0]]
    """
    levels = np.asarray(level_db, dtype=np.float64)
    if levels.ndim == 0:
        raise ConfigError(f"levels need an axis of windows, got the single value {levels}")
    number = bins.centres_db.size
    rows = levels.reshape(levels.shape[0], int(np.prod(levels.shape[1:])))
    place = np.clip(np.searchsorted(bins.edges_db, rows, side="left") - 1, 0, number - 1)
    place += np.arange(rows.shape[1]) * number
    counts = np.bincount(place[~np.isnan(rows)], minlength=rows.shape[1] * number)
    return np.asarray(counts.reshape(*levels.shape[1:], number), dtype=np.int64)


def percentile_db(counts: ArrayLike, percentile: float, bins: DbBins) -> FloatArray:
    """
    Return the lower edge of the bin in which a percentile lies.

    Parameters
    ----------
    counts : array_like of int, shape (..., bins)
    percentile : float
        0 to 100.
    bins : DbBins

    Returns
    -------
    array of float64, shape (...)
        NaN where nothing was counted.

    Examples
    --------
    >>> bins = DbBins(low_db=-200.0, high_db=-190.0, width_db=5.0)
    >>> percentile_db([[3, 1], [1, 3], [0, 0]], 50, bins)
    array([-200., -195.,   nan])
    """
    if not 0 <= percentile <= 100:
        raise ConfigError(f"percentile should be from 0 to 100, got {percentile}")
    number, total = _totals(counts, bins)
    below = np.cumsum(number, axis=-1) / np.maximum(total, 1)[..., np.newaxis]
    share = percentile / 100
    index = np.sum(below <= 0 if share == 0 else below < share, axis=-1)
    return np.where(total > 0, bins.edges_db[np.minimum(index, number.shape[-1] - 1)], np.nan)


def mean_db(counts: ArrayLike, bins: DbBins) -> FloatArray:
    """
    Return the mean of dB, each bin at its centre; NaN where nothing was counted.

    >>> mean_db([[3, 1], [0, 0]], DbBins(low_db=-200.0, high_db=-190.0, width_db=5.0))
    array([-196.25,     nan])
    """
    number, total = _totals(counts, bins)
    return np.where(total > 0, number @ bins.centres_db / np.maximum(total, 1), np.nan)


def mode_db(counts: ArrayLike, bins: DbBins) -> FloatArray:
    """
    Return the centre of the fullest bin, the lower one of two; NaN where nothing was counted.

    >>> mode_db([[3, 4], [2, 2]], DbBins(low_db=-200.0, high_db=-190.0, width_db=5.0))
    array([-192.5, -197.5])
    """
    number, total = _totals(counts, bins)
    return np.where(total > 0, bins.centres_db[number.argmax(axis=-1)], np.nan)


def _totals(counts: ArrayLike, bins: DbBins) -> tuple[IndexArray, IndexArray]:
    number = np.asarray(counts, dtype=np.int64)
    if number.shape[-1:] != bins.centres_db.shape:
        raise ConfigError(
            f"counts of shape {number.shape} should have a last axis of {bins.centres_db.size} bins"
        )
    return number, np.asarray(number.sum(axis=-1))
