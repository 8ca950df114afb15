"""
Noise models: how quiet and how noisy the ground gets, by period.

From Peterson (1993), USGS Open-File Report 93-322. Each model is a row of straight lines over the logarithm
of the period, from 0.1 to 100,000 s; there is no model elsewhere.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from pipeline.signal.precision import FloatArray

__all__ = ["nhnm_db", "nlnm_db"]

_LONGEST_S: Final = 1e5

# The period from which a line holds, and A and B of A + B log10(period): tables 3 and 4 of the report.
_NLNM: Final = (
    (0.10, -162.36, 5.64),
    (0.17, -166.70, 0.00),
    (0.40, -170.00, -8.30),
    (0.80, -166.40, 28.90),
    (1.24, -168.60, 52.48),
    (2.40, -159.98, 29.81),
    (4.30, -141.10, 0.00),
    (5.00, -71.36, -99.77),
    (6.00, -97.26, -66.49),
    (10.00, -132.18, -31.57),
    (12.00, -205.27, 36.16),
    (15.60, -37.65, -104.33),
    (21.90, -114.37, -47.10),
    (31.60, -160.58, -16.28),
    (45.00, -187.50, 0.00),
    (70.00, -216.47, 15.70),
    (101.00, -185.00, 0.00),
    (154.00, -168.34, -7.61),
    (328.00, -217.43, 11.90),
    (600.00, -258.28, 26.60),
    (10000.00, -346.88, 48.75),
)
_NHNM: Final = (
    (0.10, -108.73, -17.23),
    (0.22, -150.34, -80.50),
    (0.32, -122.31, -23.87),
    (0.80, -116.85, 32.51),
    (3.80, -108.48, 18.08),
    (4.60, -74.66, -32.95),
    (6.30, 0.66, -127.18),
    (7.90, -93.37, -22.42),
    (15.40, 73.54, -162.98),
    (20.00, -151.52, 10.01),
    (354.80, -206.66, 31.63),
)


def nlnm_db(period_s: ArrayLike) -> FloatArray:
    """
    Return the New Low Noise Model.

    Parameters
    ----------
    period_s : array_like

    Returns
    -------
    array of float64
        Ground acceleration in dB of 1 (m/s²)²/Hz; NaN where there is no model.

    Examples
    --------
    >>> nlnm_db([0.05, 1.0, 10.0, 1000.0]).round(2)
    array([    nan, -166.4 , -163.75, -178.48])
    """
    return _evaluate(_NLNM, period_s)


def nhnm_db(period_s: ArrayLike) -> FloatArray:
    """
    Return the New High Noise Model; see `nlnm_db`.

    Examples
    --------
    >>> nhnm_db([1.0, 10.0, 1000.0]).round(2)
    array([-116.85, -115.79, -111.77])
    """
    return _evaluate(_NHNM, period_s)


def _evaluate(lines: tuple[tuple[float, float, float], ...], period_s: ArrayLike) -> FloatArray:
    start, level, slope = np.array(lines).T
    period = np.asarray(period_s, dtype=np.float64)
    inside = (period >= start[0]) & (period <= _LONGEST_S)
    held = np.where(inside, period, 1.0)
    line = np.searchsorted(start, held, side="right") - 1
    return np.where(inside, level[line] + slope[line] * np.log10(held), np.nan)
