"""
Where the level of a station changes for good: a new sensor, a new vault, a road.

::

    levels ─► largest sum of deviations ─► against a Brownian bridge ─► a change: both sides
                                           with the noise's memory       are searched alone

A change is a step that stays; a slow trend is called one too. The sum of deviations from the mean, over what
noise with its memory would reach, has the distribution of Kolmogorov where nothing changes.
"""

from __future__ import annotations

import itertools
from typing import Final, NamedTuple

import numpy as np
import scipy.special
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.noise.trends import lag_one
from pipeline.signal.checks import check_at_least

__all__ = ["ChangePoint", "change_points"]


# Correlation of lag one that a search for the best split costs, times the number of levels.
_LOST: Final = 6.0
_MOST_MEMORY: Final = 0.97


class ChangePoint(NamedTuple):
    """
    One change: at which level the new state begins, by how much, and how likely chance does as much.

    ``at`` is the index of the first level after it; ``size`` the new median less the old; ``p_value`` that of
    the piece in which it was found.
    """

    at: int
    size: float
    p_value: float


def change_points(level: ArrayLike, *, significance: float = 0.01, shortest: int = 10) -> list[ChangePoint]:
    """
    Find the changes of a series of levels.

    Parameters
    ----------
    level : array_like, shape (times,)
        At even steps; NaN where missing.
    significance : float
        How often a piece without a change may be called to have one.
    shortest : int
        Levels between two changes, at least.

    Returns
    -------
    list of ChangePoint
        In the order of time.

    Examples
    --------
    >>> rng = np.random.default_rng(2)
    >>> levels = rng.normal(size=120) + np.repeat([0.0, 4.0, 1.0], 40)
    >>> [(each.at, round(each.size)) for each in change_points(levels)]
    [(40, 4), (80, -3)]
    """
    if not 0 < significance < 1:
        raise ConfigError(f"significance should lie between 0 and 1, got {significance}")
    check_at_least("shortest", shortest, 3)
    levels = np.asarray(level, dtype=np.float64)
    at = np.flatnonzero(np.isfinite(levels))
    found: list[tuple[int, float]] = []
    pieces = [(0, len(at))]
    while pieces:
        first, stop = pieces.pop()
        if stop - first < 2 * shortest:
            continue
        split, p_value = _split(levels[at[first:stop]], shortest)
        if p_value < significance:
            found.append((first + split, p_value))
            pieces += [(first, first + split), (first + split, stop)]
    edges = [0, *sorted(split for split, _ in found), len(at)]
    medians = [float(np.median(levels[at[a:b]])) for a, b in itertools.pairwise(edges)] if found else []
    return [
        ChangePoint(int(at[split]), medians[number + 1] - medians[number], p_value)
        for number, (split, p_value) in enumerate(sorted(found))
    ]


def _split(piece: NDArray[np.float64], shortest: int) -> tuple[int, float]:
    """Return where a piece changes most, and how likely chance does as much."""
    count = len(piece)
    sums = np.cumsum(piece - piece.mean())[shortest - 1 : count - shortest]
    split = shortest + int(np.argmax(np.abs(sums)))
    before, after = piece[:split], piece[split:]
    left = np.concatenate([before - before.mean(), after - after.mean()])
    # The best split of many takes some of the memory with it.
    memory = min(lag_one(left) + _LOST / count, _MOST_MEMORY)
    # Of a first-order autoregression, over long times.
    deviation = float(np.std(left)) * np.sqrt((1 + memory) / (1 - memory)) * np.sqrt(count / (count - 2))
    largest = float(np.max(np.abs(sums)))
    if deviation <= 0:
        return split, 0.0 if largest > 1e-9 * max(float(np.abs(piece).max()), 1e-300) * count else 1.0
    return split, float(scipy.special.kolmogorov(largest / (deviation * np.sqrt(count))))
