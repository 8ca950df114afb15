"""
Bands: one level for a band of periods, from the levels at steps of an octave.

The power of a band is the mean of linear power over its frequencies: each level stands for the frequencies
halfway to its neighbours, and counts by how many of them lie in the band. Since levels are means of dB over
an octave, a band's level is that of a smoothed spectrum, and of noise lower by the bias of such means; see
`pipeline.noise.periods`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from pipeline.errors import ConfigError
from pipeline.signal.precision import FloatArray

__all__ = ["band_db", "band_weights"]


def band_weights(period_s: ArrayLike, low_s: float, high_s: float) -> FloatArray:
    """
    Say how much each period has of a band.

    Parameters
    ----------
    period_s : array_like, shape (periods,)
        Centres, rising.
    low_s, high_s : float

    Returns
    -------
    array of float64, shape (periods,)
        They sum to one.

    Raises
    ------
    ConfigError
        Where the band does not rise or reaches beyond the periods.

    Examples
    --------
    >>> band_weights([0.5, 1.0, 2.0, 4.0], 1.0, 2.0).round(3)
    array([0.   , 0.586, 0.414, 0.   ])
    """
    period = np.asarray(period_s, dtype=np.float64)
    if period.size < 2 or not (np.diff(period) > 0).all():
        raise ConfigError(f"period_s should hold two periods or more that rise, got {period.size}")
    middles = np.sqrt(period[:-1] * period[1:])
    edges = np.concatenate([[period[0] ** 2 / middles[0]], middles, [period[-1] ** 2 / middles[-1]]])
    if not edges[0] <= low_s < high_s <= edges[-1]:
        raise ConfigError(
            f"a band should rise and lie between {edges[0]:g} and {edges[-1]:g} s,"
            f" got {low_s:g} to {high_s:g} s"
        )
    inside = np.clip(edges, low_s, high_s)
    widths_hz = 1 / inside[:-1] - 1 / inside[1:]
    return np.asarray(widths_hz / widths_hz.sum())


def band_db(level_db: ArrayLike, period_s: ArrayLike, low_s: float, high_s: float) -> FloatArray:
    """
    Return the level of a band.

    Parameters
    ----------
    level_db : array_like, shape (..., periods)
    period_s : array_like, shape (periods,)
    low_s, high_s : float

    Returns
    -------
    array of float64, shape (...)
        dB of the mean power; NaN where a level of the band is unknown.

    Raises
    ------
    ConfigError
        See `band_weights`.

    Examples
    --------
    >>> band_db([[-90.0, -100.0, -100.0, -90.0]], [0.5, 1.0, 2.0, 4.0], 1.0, 2.0)
    array([-100.])
    """
    weights = band_weights(period_s, low_s, high_s)
    used = np.flatnonzero(weights)
    power = 10 ** (np.asarray(level_db, dtype=np.float64)[..., used] / 10)
    return np.asarray(10 * np.log10(power @ weights[used]))
