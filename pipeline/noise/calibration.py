"""
From what a gravimeter wrote to gravity in nm/s², and to the time at which the ground moved.

Networks mix units: nm/s², µGal, volts and counts. A calibration holds for a time, and has the delay of the
instrument's filters: what is recorded at a time is what the ground did a little before.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.signal.checks import check_positive

__all__ = ["NM_S2_PER_MICROGAL", "Calibration", "calibrate", "nm_s2_per_count", "nm_s2_per_unit"]

NM_S2_PER_MICROGAL: Final = 10.0

_UNITS: Final = {
    "m/s**2": 1e9,
    "mm/s**2": 1e6,
    "um/s**2": 1e3,
    "nm/s**2": 1.0,
    "gal": 1e7,
    "mgal": 1e4,
    "ugal": NM_S2_PER_MICROGAL,
    "ngal": NM_S2_PER_MICROGAL / 1e3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """
    What one recorded unit means, from one time up to another.

    Parameters
    ----------
    start_s, stop_s : float
        Seconds since 1970 UTC, by the recorder's clock; half-open.
    factor_nm_s2 : float
        Gravity per recorded unit; negative where the record falls as gravity grows.
    delay_s : float
        How long after the ground the record follows.
    """

    start_s: float
    stop_s: float
    factor_nm_s2: float
    delay_s: float = 0.0

    def __post_init__(self) -> None:
        if not self.start_s < self.stop_s:
            raise ConfigError(
                f"a calibration's start_s = {self.start_s} should lie before stop_s = {self.stop_s}"
            )
        if not np.isfinite(self.factor_nm_s2) or self.factor_nm_s2 == 0:
            raise ConfigError(f"factor_nm_s2 should be a finite number other than 0, got {self.factor_nm_s2}")
        if not abs(self.delay_s) < 3600:
            raise ConfigError(f"delay_s should be below an hour, got {self.delay_s}")


def nm_s2_per_unit(unit: str) -> float:
    """
    Return what one of a unit of acceleration is in nm/s².

    Parameters
    ----------
    unit : str
        As in StationXML or as people write it.

    Raises
    ------
    ConfigError
        If it is no unit of acceleration.

    Examples
    --------
    >>> nm_s2_per_unit("NM/S**2"), nm_s2_per_unit("µGal"), nm_s2_per_unit("m/s²")
    (1.0, 10.0, 1000000000.0)
    """
    name = unit.strip().lower().replace("μ", "u").replace("µ", "u").replace("²", "**2").replace("^2", "**2")
    name = name.replace("/s/s", "/s**2").replace("/s2", "/s**2")
    if name not in _UNITS:
        raise ConfigError(f"{unit!r} is no unit of acceleration; known are {', '.join(_UNITS)}")
    return _UNITS[name]


def nm_s2_per_count(sensitivity: float, unit: str) -> float:
    """
    Return what one count is in nm/s².

    Parameters
    ----------
    sensitivity : float
        Counts per unit, as StationXML states it.
    unit : str
        Of acceleration.

    Examples
    --------
    >>> nm_s2_per_count(1e10, "M/S**2")
    0.1
    """
    check_positive("sensitivity", abs(sensitivity))
    return nm_s2_per_unit(unit) / sensitivity


def calibrate(
    values: ArrayLike, time_s: NDArray[np.float64], calibrations: Sequence[Calibration]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return gravity, and the times at which the ground had it.

    Parameters
    ----------
    values : array_like, shape (samples,)
        As recorded; NaN where none is.
    time_s : ndarray, shape (samples,)
        Seconds since 1970 UTC, as recorded.
    calibrations : sequence of Calibration
        In any order.

    Returns
    -------
    gravity : ndarray, shape (samples,)
        nm/s²; NaN where no calibration holds.
    ground_time_s : ndarray, shape (samples,)

    Raises
    ------
    ConfigError
        If two calibrations hold at one time.

    Examples
    --------
    >>> old = Calibration(start_s=0, stop_s=2, factor_nm_s2=10.0, delay_s=0.5)
    >>> new = Calibration(start_s=2, stop_s=9, factor_nm_s2=-20.0)
    >>> gravity, time_s = calibrate([1, 1, 1], np.array([1.0, 2.0, 9.0]), [new, old])
    >>> gravity, time_s
    (array([ 10., -20.,  nan]), array([0.5, 2. , 9. ]))
    """
    ordered = sorted(calibrations, key=lambda each: each.start_s)
    for before, after in itertools.pairwise(ordered):
        if after.start_s < before.stop_s:
            raise ConfigError(f"two calibrations hold at {after.start_s} s since 1970: {before} and {after}")
    recorded = np.asarray(values, dtype=np.float64)
    gravity = np.full(recorded.shape, np.nan)
    ground_time_s = np.array(time_s, dtype=np.float64)
    for each in ordered:
        held = (time_s >= each.start_s) & (time_s < each.stop_s)
        gravity[held] = each.factor_nm_s2 * recorded[held]
        ground_time_s[held] -= each.delay_s
    return gravity, ground_time_s
