"""
The factor of recorded gravity to a computed tide: what a gravimeter's tide says of its calibration.

::

    gravity, tide ──► means of ten minutes ──► regression on tide and drift ──► factor
                                                  │              ▲
                                     what is left └─► its memory ┘ innovations, outliers count less ──► error

An error from independent samples would be far too small: what is left of a gravimeter's record remembers for
days. And a step of its zero would weigh as much as the tide of a month.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.signal.checks import check_positive
from pipeline.signal.precision import BoolArray, FloatArray

__all__ = ["TideFactor", "tide_factor"]

_BIN_S: Final = 600.0
_LAG_BINS: Final = 18  # three hours: the tide moves, drift does not
_MOST_ORDER: Final = 6
_SAMPLES_PER_ORDER: Final = 25
_ROUNDS: Final = 5
_HUBER: Final = 1.5
_PER_MEDIAN: Final = 1.4826
_DEGREE_DAYS: Final = 5.0
_MOST_DEGREE: Final = 9
_LONGEST_LAG_S: Final = 26 * 3600.0
_LEAST_LAG_BINS: Final = 4  # the ocean, at 15 % of the tide, delays it by half an hour
_FEWEST_DAYS_FOR_A_LAG: Final = 2.5
_SHORT_DAYS: Final = 2.0
_BETTER: Final = 0.5
_IN_TIME: Final = 0.03


class TideFactor(NamedTuple):
    """
    The factor of recorded gravity to a computed tide, and its standard error.

    ``lag_s`` is 0 unless the record is like the tide of another time: positive where it comes late. The
    factor then is that of the tide moved there. ``days`` is how much record there was.
    """

    factor: float
    error: float
    lag_s: float
    days: float


def tide_factor(gravity_nm_s2: ArrayLike, tide_nm_s2: ArrayLike, rate_hz: float) -> TideFactor:
    """
    Regress recorded gravity on a computed tide.

    Both are averaged over ten minutes. A polynomial, of degree 1 and one more every five days, takes the
    drift; noise that remembers is whitened by an autoregression fitted to what is left, whose innovations
    count less the further out they are (Huber), so that steps, spikes and earthquakes cost little. The error
    is theirs, times √(1 + 2 m / days) with the memory m from 0 to 1 that one value has of those before: a day
    or less hardly tells the tide from drift. Without the root, errors of 960 records of noise were right
    from two days on, and half of the true ones at half a day, but for white noise.

    Parameters
    ----------
    gravity_nm_s2 : array_like, shape (samples,)
        Calibrated, with its tide, pressure taken out or not; NaN where missing.
    tide_nm_s2 : array_like, shape (samples,)
        At the same times, whole.
    rate_hz : float

    Returns
    -------
    TideFactor
        NaN where there is too little, or the tide does not move.

    Raises
    ------
    ConfigError
        If the arrays differ in shape.

    Examples
    --------
    >>> tide = 1000 * np.sin(2 * np.pi * np.arange(0, 3 * 86_400, 60.0) / 44_714)
    >>> found = tide_factor(-1.02 * tide + np.random.default_rng(1).normal(0, 50, tide.size), tide, 1 / 60)
    >>> round(found.factor, 2), found.error < 0.01
    (-1.02, True)
    """
    check_positive("rate_hz", rate_hz)
    gravity, tide = (np.asarray(each, dtype=np.float64) for each in (gravity_nm_s2, tide_nm_s2))
    if gravity.ndim != 1 or gravity.shape != tide.shape:
        raise ConfigError(f"gravity and tide should be of one length, got {gravity.shape} and {tide.shape}")
    values, model = _binned(gravity, tide, max(round(_BIN_S * rate_hz), 1))
    days = float(np.isfinite(values).sum()) * _BIN_S / 86_400.0
    factor, error = _whitened_fit(values, model, days)
    # A tide that comes half an hour early or late has a factor of 0.97: what is nearer to 1 is in time.
    in_time = abs(factor - 1) < _IN_TIME and error < _IN_TIME / 3
    lag = 0 if in_time or days < _FEWEST_DAYS_FOR_A_LAG else _other_lag(values, model)
    if lag:
        factor, error = _whitened_fit(values, _moved(model, lag), days)
    return TideFactor(factor, error, lag * _BIN_S, days)


def _binned(gravity: FloatArray, tide: FloatArray, length: int) -> tuple[FloatArray, FloatArray]:
    """Average over bins of which half or more is there, the tide where gravity is; NaN elsewhere."""
    whole = len(gravity) // length
    rows, model = (each[: whole * length].reshape(whole, length) for each in (gravity, tide))
    there = np.isfinite(rows)
    count = there.sum(axis=1)
    level = float(np.median(rows[there])) if there.any() else 0.0
    means = [
        np.where(there, each, 0.0).sum(axis=1) / np.maximum(count, 1)
        for each in (np.where(there, rows, 0.0) - level, model)
    ]
    kept = 2 * count >= length
    full = model.mean(axis=1) if whole else np.zeros(0)
    return np.where(kept, means[0], np.nan), np.where(kept, means[1], full)


def _whitened_fit(values: FloatArray, model: FloatArray, days: float) -> tuple[float, float]:
    """Return the factor of a model and its standard error, in noise of an autoregression and outliers."""
    at = np.flatnonzero(np.isfinite(values) & np.isfinite(model))
    degree = min(1 + int(len(at) * _BIN_S / 86_400 / _DEGREE_DAYS), _MOST_DEGREE)
    if len(at) < 12 * (degree + 2):
        return float("nan"), float("nan")
    place = 2.0 * (np.arange(len(values)) - at[0]) / (at[-1] - at[0]) - 1.0
    design = np.column_stack([model, np.polynomial.legendre.legvander(place, degree)])
    there = np.isfinite(values) & np.isfinite(model)
    filled = np.where(there, values, 0.0)
    coefficients = np.linalg.lstsq(design[there], values[there], rcond=None)[0]
    order = min(_MOST_ORDER, max(1, len(at) // _SAMPLES_PER_ORDER))
    variance = np.full((degree + 2, degree + 2), np.nan)
    for _ in range(_ROUNDS):
        left = np.where(there, filled - np.where(there[:, None], design, 0.0) @ coefficients, np.nan)
        memory = _autoregression(left, order, degree + 2)
        white, whole = _innovations(filled, there, memory)
        columns = np.column_stack([_innovations(each, there, memory)[0] for each in design.T])
        if whole.sum() <= 2 * (degree + 2):
            return float("nan"), float("nan")
        coefficients, variance = _robust_fit(columns[whole], white[whole], coefficients)
    widening = 1.0 + _SHORT_DAYS / days * float(np.clip(memory.sum(), 0.0, 1.0))
    return float(coefficients[0]), float(np.sqrt(variance[0, 0] * widening))


def _autoregression(left: FloatArray, order: int, spent: int) -> NDArray[np.float64]:
    """Fit an autoregression to what is left, freed of the bias that the fit of ``spent`` numbers leaves."""
    scale = _PER_MEDIAN * float(np.nanmedian(np.abs(left - np.nanmedian(left))))
    clipped = np.clip(left, -5 * scale, 5 * scale) if scale > 0 else left
    there = np.isfinite(clipped)
    held = np.where(there, clipped, 0.0)
    count = int(there.sum())
    sums = np.array([held[: len(held) - lag] @ held[lag:] for lag in range(order + 1)]) / count
    if sums[0] <= 0:
        return np.zeros(order)
    # A slope, a mean and the tide take of the longest periods what the noise had there: it is given back.
    sums = sums / sums[0]
    sums[1:] = np.clip(sums[1:] + spent * (1 + sums[1:]) / count, -0.999, 0.999)
    return np.asarray(scipy.linalg.solve_toeplitz(sums[:-1] + np.r_[1e-9, np.zeros(order - 1)], sums[1:]))


def _innovations(series: FloatArray, there: BoolArray, memory: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return what is new in a series, and where it and all that it remembers are there."""
    order = len(memory)
    new = series[order:].copy()
    whole = there[order:].copy()
    for lag, weight in enumerate(memory, start=1):
        new -= weight * series[order - lag : len(series) - lag]
        whole &= there[order - lag : len(there) - lag]
    return new, whole


def _robust_fit(
    columns: FloatArray, values: FloatArray, start: FloatArray
) -> tuple[FloatArray, NDArray[np.float64]]:
    """Return coefficients by Huber's weights, and their covariance."""
    coefficients = start
    scaled = np.linalg.norm(columns, axis=0)
    scaled = np.where(scaled > 0, scaled, 1.0)
    part = columns / scaled
    covariance = np.full((columns.shape[1],) * 2, np.nan)
    for _ in range(_ROUNDS):
        left = values - columns @ coefficients
        scale = max(_PER_MEDIAN * float(np.median(np.abs(left - np.median(left)))), 1e-9)
        weight = np.minimum(1.0, _HUBER * scale / np.maximum(np.abs(left), 1e-300))
        normal = part.T @ (weight[:, None] * part)
        inverse = np.linalg.pinv(normal, hermitian=True)
        coefficients = inverse @ (part.T @ (weight * values)) / scaled
        # Huber's variance: the mean square of clipped residuals over the share that is not clipped.
        share = float(np.mean(np.abs(left) <= _HUBER * scale))
        square = float(np.sum((weight * left) ** 2)) / max(len(left) - columns.shape[1], 1)
        plain = np.linalg.pinv(part.T @ part, hermitian=True)
        covariance = plain * square / max(share, 0.1) ** 2 / np.outer(scaled, scaled)
    return coefficients, covariance


def _moved(model: FloatArray, bins: int) -> FloatArray:
    """Return a model that comes later by some bins; NaN where it is not known."""
    out = np.full(len(model), np.nan)
    if bins >= 0:
        out[bins:] = model[: len(model) - bins]
    else:
        out[:bins] = model[-bins:]
    return out


def _other_lag(values: FloatArray, model: FloatArray) -> int:
    """Return by how many bins the record follows the tide, where that explains much more than none; or 0."""
    most = min(int(_LONGEST_LAG_S / _BIN_S), len(values) // 4)
    lags = np.arange(-most, most + 1)
    # The same samples for all lags, or the one that loses the loudest would win.
    inner = slice(most, len(values) - most)
    moved = values[_LAG_BINS:] - values[:-_LAG_BINS]
    moved = np.concatenate([np.full(_LAG_BINS, np.nan), moved])
    left = np.empty(len(lags))
    for number, lag in enumerate(lags):
        tide = _moved(model, int(lag))
        step = np.concatenate([np.full(_LAG_BINS, np.nan), tide[_LAG_BINS:] - tide[:-_LAG_BINS]])
        left[number] = _spread(moved[inner], step[inner])
    best = int(np.argmin(left))
    far = abs(lags[best]) >= _LEAST_LAG_BINS
    return int(lags[best]) if far and left[best] < _BETTER * left[most] else 0


def _spread(values: FloatArray, model: FloatArray) -> float:
    """Return the robust size of what a factor leaves of values."""
    there = np.isfinite(values) & np.isfinite(model)
    y, x = values[there], model[there]
    if len(y) < _LAG_BINS or not np.any(x):
        return float("inf")
    weight = np.ones(len(y))
    left = y
    for _ in range(3):
        left = y - x * float(np.sum(weight * x * y) / np.sum(weight * x * x))
        scale = max(_PER_MEDIAN * float(np.median(np.abs(left))), 1e-9)
        weight = np.minimum(1.0, _HUBER * scale / np.maximum(np.abs(left), 1e-300))
    return float(np.median(np.abs(left)))
