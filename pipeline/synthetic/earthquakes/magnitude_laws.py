"""
The laws that the magnitudes of an archive follow: that of Mw is given, that of ML follows from the records.

Below Mw 2 a local magnitude grows by half as much again as Mw, so that its b is about two thirds of Mw's. It
is complete only from where even the weakest records of the smallest earthquakes reach.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MagnitudeLaw", "local_law"]

_SMALLEST = 0.1
_COMPLETE_PERCENT = 97.5


@dataclass(frozen=True, slots=True, kw_only=True)
class MagnitudeLaw:
    """
    A law of Gutenberg and Richter.

    Parameters
    ----------
    kind : str
        ``Mw`` or ``ML``.
    b, b_std : float
        Its slope, and how well it is known; 0 where it is given.
    minimum : float
        From which magnitude on it holds.
    events : int
        At or above that.
    """

    kind: str
    b: float
    b_std: float
    minimum: float
    events: int


def local_law(mw: NDArray[np.float64], ml: NDArray[np.float64], smallest_mw: float) -> MagnitudeLaw | None:
    """
    Find the law of local magnitudes by maximum likelihood, with the error of Shi & Bolt (1982).

    Parameters
    ----------
    mw, ml : ndarray, shape (events,)
        ML is NaN where there is none.
    smallest_mw : float
        Of the law of Mw.

    Returns
    -------
    MagnitudeLaw or None
        None where fewer than ten events are left.

    Examples
    --------
    >>> mw = -np.log10(np.random.default_rng(1).random(20_000))
    >>> law = local_law(mw, 1.5 * mw - 1.3, 0.0)
    >>> round(law.b, 2), round(law.minimum, 2)
    (0.66, -1.15)
    """
    known = ~np.isnan(ml)
    smallest = known & (mw < smallest_mw + _SMALLEST)
    if not smallest.any():
        return None
    minimum = float(np.percentile(ml[smallest], _COMPLETE_PERCENT))
    above = ml[known & (ml >= minimum)]
    if len(above) < 10:
        return None
    b = math.log10(math.e) / float(above.mean() - minimum)
    spread = math.sqrt(float(above.var(ddof=1)) / len(above))
    return MagnitudeLaw(
        kind="ML", b=b, b_std=math.log(10) * b**2 * spread, minimum=minimum, events=len(above)
    )
