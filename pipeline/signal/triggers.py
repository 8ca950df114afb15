"""Triggers: ratios of short to long averages of the energy, and the spans in which they are high."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.signal
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.signal.checks import check_at_least
from pipeline.signal.gaps import runs
from pipeline.signal.precision import FloatArray, IndexArray, as_given, to_float64
from pipeline.signal.sliding import sliding_sum

__all__ = ["classic_sta_lta", "recursive_sta_lta", "trigger_spans"]


def classic_sta_lta(data: ArrayLike, short: int, long: int) -> NDArray[Any]:
    """
    Divide the mean energy of the last ``short`` samples by that of the last ``long`` ones.

    Parameters
    ----------
    data : array_like, shape (..., samples)
        Finite, and without a mean.
    short, long : int
        Samples of the two windows; both end at the sample that they belong to.

    Returns
    -------
    array, shape (..., samples)
        At most ``long / short``; 0 in the first ``long - 1`` samples, and where nothing moves.

    Raises
    ------
    ConfigError
        Where the windows are not ``1 <= short < long``.

    Examples
    --------
    >>> classic_sta_lta([1.0, 1.0, 1.0, 3.0, 1.0], 1, 3).round(3)
    array([0.   , 0.   , 1.   , 2.455, 0.273])
    """
    _check(short, long)
    energy = to_float64(data) ** 2
    ratio = np.zeros(energy.shape)
    if energy.shape[-1] >= long:
        mean_long = sliding_sum(energy, long) / long
        mean_short = sliding_sum(energy[..., long - short :], short) / short
        ratio[..., long - 1 :] = _divide(mean_short, mean_long)
    return as_given(ratio, data)


def recursive_sta_lta(data: ArrayLike, short: int, long: int) -> NDArray[Any]:
    """
    Divide two exponentially forgetting means of the energy, with memories of ``short`` and ``long`` samples.

    Each mean follows ``m[i] = m[i-1] + (x[i]² - m[i-1]) / n`` from rest, which a single pass computes.

    Parameters
    ----------
    data : array_like, shape (..., samples)
        Finite, and without a mean.
    short, long : int
        Memories in samples.

    Returns
    -------
    array, shape (..., samples)
        0 in the first ``long`` samples, in which the long mean settles.

    Raises
    ------
    ConfigError
        Where the memories are not ``1 <= short < long``.

    Examples
    --------
    >>> import numpy as np
    >>> recursive_sta_lta(np.ones(200), 2, 20)[[5, 199]].round(2)
    array([0., 1.])
    """
    _check(short, long)
    energy = to_float64(data) ** 2
    mean_short, mean_long = (
        scipy.signal.lfilter([1.0 / n], [1.0, 1.0 / n - 1.0], energy, axis=-1) for n in (short, long)
    )
    ratio = _divide(mean_short, mean_long)
    ratio[..., :long] = 0.0
    return as_given(ratio, data)


def trigger_spans(characteristic: ArrayLike, on: float, off: float) -> IndexArray:
    """
    Find where a characteristic function rises above ``on``, and where it then falls to ``off``.

    Parameters
    ----------
    characteristic : array_like, shape (samples,)
    on, off : float
        ``off`` is at most ``on``.

    Returns
    -------
    array of int64, shape (spans, 2)
        Each span is ``characteristic[start:stop]``: from the first sample above ``on`` to the last that is
        still above ``off``.

    Raises
    ------
    ConfigError
        Where ``off`` exceeds ``on`` or the function has more than one axis.

    Examples
    --------
    >>> trigger_spans([0, 2, 5, 3, 1, 2, 0, 6], on=4, off=1.5).tolist()
    [[2, 4], [7, 8]]
    """
    values = np.asarray(characteristic, dtype=np.float64)
    if values.ndim != 1:
        raise ConfigError(f"a characteristic function has one axis, got shape {values.shape}")
    if not off <= on:
        raise ConfigError(f"off should be at most on, got on = {on} and off = {off}")
    starts, stops = runs(values > off)
    high = np.append(np.flatnonzero(values > on), values.size)
    first = high[np.searchsorted(high, starts)]
    triggered = first < stops
    return np.stack([first[triggered], stops[triggered]], axis=-1).astype(np.int64)


def _check(short: int, long: int) -> None:
    check_at_least("short", short, 1)
    if not short < long:
        raise ConfigError(f"short should be less than long, got {short} and {long} samples")


def _divide(short: FloatArray, long: FloatArray) -> FloatArray:
    return np.divide(short, long, out=np.zeros_like(short), where=long > 0)
