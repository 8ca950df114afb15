"""
Air pressure beside a gravimeter: mended, brought to its times, and taken out of gravity.

::

    pressure ─► impossible values and spikes out ─► steps levelled ─► short gaps bridged ─► at gravity's times
                                                        gravity less admittance times pressure ◄─┘

Only pressure is mended. Gravity keeps what it has, for its noise is what is asked.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import scipy.ndimage
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.noise.residuals import day_basis
from pipeline.signal import gaps
from pipeline.signal.checks import check_positive

__all__ = [
    "ADMITTANCE_NM_S2_HPA",
    "FittedAdmittance",
    "MendedPressure",
    "at_times",
    "fit_admittance",
    "mend_pressure",
    "without_pressure",
]

ADMITTANCE_NM_S2_HPA: Final = -3.0
"""-0.3 µGal/hPa, as Crossley's procedure has it."""

# What a barometer on the ground can read, from high mountains to the record.
_POSSIBLE_HPA: Final = (400.0, 1090.0)
# Of a squall, the fastest that weather does.
_WEATHER_HPA_S: Final = 2.0 / 60.0
_BESIDE: Final = 5


class MendedPressure(NamedTuple):
    """
    Pressure without spikes and steps.

    ``pressure_hpa`` is NaN in gaps that are too long; ``bridged`` marks what is no reading. Steps are
    levelled by their size in ``step_hpa``, from the sample ``step_index`` on.
    """

    pressure_hpa: NDArray[np.float64]
    bridged: NDArray[np.bool_]
    step_index: NDArray[np.int64]
    step_hpa: NDArray[np.float64]


def mend_pressure(
    pressure_hpa: ArrayLike, rate_hz: float, *, step_hpa: float = 1.0, longest_gap_s: float = 3600.0
) -> MendedPressure:
    """
    Take spikes and steps out of pressure, and bridge short gaps by straight lines.

    A step is a jump between two neighbours that weather can't do and that stays: its size is that of the
    medians of five samples on either side. Level is that of the first sample.

    Parameters
    ----------
    pressure_hpa : array_like, shape (samples,)
        NaN where no sample is.
    rate_hz : float
    step_hpa : float
        The smallest jump that is none of weather, beside 2 hPa a minute for the time between the neighbours.
    longest_gap_s : float
        Gaps above this stay.

    Returns
    -------
    MendedPressure

    Examples
    --------
    >>> level = np.r_[np.full(50, 1000.0), np.full(50, 1012.0)]
    >>> level[20], level[70:75] = 7.0, np.nan
    >>> mended = mend_pressure(level, 1.0)
    >>> bool((mended.pressure_hpa == 1000).all()), int(mended.bridged.sum())
    (True, 6)
    >>> mended.step_index, mended.step_hpa
    (array([50]), array([12.]))
    """
    check_positive("rate_hz", rate_hz)
    check_positive("step_hpa", step_hpa)
    samples = np.asarray(pressure_hpa, dtype=np.float64)
    low, high = _POSSIBLE_HPA
    present = (samples > low) & (samples < high)
    at = np.flatnonzero(present)
    values = samples[at]
    calm = np.abs(values - scipy.ndimage.median_filter(values, 5, mode="nearest")) <= step_hpa
    at, values = at[calm], values[calm]
    jump = np.diff(values)
    found = np.flatnonzero(np.abs(jump) > step_hpa + _WEATHER_HPA_S * np.diff(at) / rate_hz) + 1
    sizes = np.array(
        [np.median(values[k : k + _BESIDE]) - np.median(values[max(k - _BESIDE, 0) : k]) for k in found]
    )
    levelled = values.copy()
    for index, size in zip(found, sizes, strict=True):
        levelled[index:] -= size
    mended = np.full(len(samples), np.nan)
    mended[at] = levelled
    absent = np.isnan(mended)
    filled = gaps.fill(mended, absent, longest=int(longest_gap_s * rate_hz), otherwise=np.nan)
    return MendedPressure(
        pressure_hpa=filled, bridged=absent & np.isfinite(filled), step_index=at[found], step_hpa=sizes
    )


def at_times(
    time_s: NDArray[np.float64], pressure_time_s: NDArray[np.float64], pressure_hpa: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    Return pressure at other times, by straight lines.

    Parameters
    ----------
    time_s : ndarray, shape (times,)
    pressure_time_s, pressure_hpa : ndarray, shape (samples,)
        Rising times; NaN where no pressure is.

    Returns
    -------
    ndarray, shape (times,)
        NaN next to a missing sample; before the first and after the last one for one interval at most.

    Examples
    --------
    >>> at_times(np.array([-60.0, 30.0, 90.0]), np.array([0.0, 60.0, 120.0]), np.array([1.0, 3.0, np.nan]))
    array([ 1.,  2., nan])
    """
    if len(pressure_time_s) < 2:
        return np.full(len(time_s), np.nan)
    found = np.interp(time_s, pressure_time_s, pressure_hpa)
    # interp holds the end values for ever.
    interval_s = float(np.median(np.diff(pressure_time_s)))
    outside = (time_s < pressure_time_s[0] - interval_s) | (time_s > pressure_time_s[-1] + interval_s)
    return np.where(outside, np.nan, found)


def without_pressure(
    gravity_nm_s2: NDArray[np.float64],
    pressure_hpa: NDArray[np.float64],
    admittance_nm_s2_hpa: float = ADMITTANCE_NM_S2_HPA,
) -> NDArray[np.float64]:
    """
    Take what air does out of gravity; where no pressure is known, no gravity comes out.

    Parameters
    ----------
    gravity_nm_s2, pressure_hpa : ndarray, shape (samples,)
    admittance_nm_s2_hpa : float

    Returns
    -------
    ndarray, shape (samples,)
        nm/s², less its effect from 1013.25 hPa.

    Examples
    --------
    >>> without_pressure(np.array([10.0, 10.0]), np.array([1014.25, np.nan]))
    array([13., nan])
    """
    return gravity_nm_s2 - admittance_nm_s2_hpa * (pressure_hpa - 1013.25)


class FittedAdmittance(NamedTuple):
    """Gravity per pressure (nm/s²/hPa), the standard error of it, and the share of variance it explains."""

    admittance_nm_s2_hpa: float
    error_nm_s2_hpa: float
    explained: float


def fit_admittance(
    gravity_nm_s2: NDArray[np.float64], pressure_hpa: NDArray[np.float64], *, degree: int = 9
) -> FittedAdmittance:
    """
    Fit the admittance of a station over days, by what is left of both below each day's polynomial.

    Parameters
    ----------
    gravity_nm_s2, pressure_hpa : ndarray, shape (days, samples)
        Gravity less its tide; NaN where missing.
    degree : int
        Of the polynomials.

    Returns
    -------
    FittedAdmittance
        With the error from how days scatter, which noise that wanders slowly does not hide.

    Raises
    ------
    ConfigError
        If fewer than three days have both.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> pressure = 1000 + rng.normal(0, 1, (5, 1440)).cumsum(axis=1) / 10
    >>> fitted = fit_admittance(-3.5 * pressure + rng.normal(0, 0.1, (5, 1440)), pressure)
    >>> round(fitted.admittance_nm_s2_hpa, 1)
    -3.5
    """
    both, squares, totals = [], [], []
    for gravity, pressure in zip(gravity_nm_s2, pressure_hpa, strict=True):
        present = np.isfinite(gravity) & np.isfinite(pressure)
        if present.sum() <= 10 * (degree + 1):
            continue
        basis = day_basis(present, degree)
        pair = np.stack([gravity[present], pressure[present]])
        pair = pair - pair.mean(axis=1, keepdims=True)
        pair = pair - np.einsum("rk,sk->rs", np.einsum("rs,sk->rk", pair, basis), basis)
        both.append(float(np.sum(pair[0] * pair[1])))
        squares.append(float(np.sum(pair[1] ** 2)))
        totals.append(float(np.sum(pair[0] ** 2)))
    if len(both) < 3 or sum(squares) <= 0:
        raise ConfigError(
            f"an admittance needs at least 3 days with gravity and pressure that changes, got {len(both)}"
        )
    cross, square = np.array(both), np.array(squares)
    slope = cross.sum() / square.sum()
    count = len(cross)
    scatter = np.sum((cross - slope * square) ** 2) * count / (count - 1)
    explained = slope * cross.sum() / max(sum(totals), np.finfo(float).tiny)
    return FittedAdmittance(float(slope), float(np.sqrt(scatter) / square.sum()), float(explained))
