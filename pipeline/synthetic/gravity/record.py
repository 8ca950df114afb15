"""
The record of a gravimeter: tide, air, great earthquakes, drift, steps and noise, each kept apart as truth.

::

    tide ──────────────────┐
    air pressure's effect ─┤
    free oscillations ─────┼─► + ─► gravity, once a second, nm/s²
    drift and steps ───────┤
    noise and its rises ───┘

All is a function of absolute time and seed: a day made alone is the same as the cut of a longer record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.synthetic.gravity.endless import DAY_S
from pipeline.synthetic.gravity.free_oscillations import GreatEarthquake, free_oscillations
from pipeline.synthetic.gravity.gravimeter_noise import GravimeterNoise, Rise, gravimeter_noise
from pipeline.synthetic.gravity.pressure import Admittance, Weather, pressure_and_effect
from pipeline.synthetic.gravity.tide import WaveGroup, gravity_tide

__all__ = [
    "Drift",
    "GravityRecord",
    "Step",
    "drift_gravity",
    "gravity_record",
    "step_gravity",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """
    Slow change of an instrument's zero.

    Parameters
    ----------
    reference_s : int
        Seconds since 1970 UTC, when it is 0.
    rates : tuple of float
        Its polynomial without a constant: nm/s² per day, per day², ...
    settling_nm_s2, settling_days : float
        What it loses exponentially after the reference, and the time constant.
    """

    reference_s: int
    rates: tuple[float, ...] = ()
    settling_nm_s2: float = 0.0
    settling_days: float = 30.0

    def __post_init__(self) -> None:
        if self.settling_days <= 0:
            raise ConfigError(f"settling_days = {self.settling_days} must be positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A jump of the record: ``offset_nm_s2`` from the second ``time_s`` (since 1970 UTC) on."""

    time_s: int
    offset_nm_s2: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GravityRecord:
    """
    A gravimeter's record and what it is made of, once a second.

    All arrays have the shape (stop_s - first_s,) and float64 nm/s², but for ``pressure_hpa``. ``gravity`` is
    the sum of what follows it; ``drift`` holds the steps too, ``noise`` the rises.
    """

    first_s: int
    gravity: NDArray[np.float64]
    tide: NDArray[np.float64]
    pressure_effect: NDArray[np.float64]
    oscillations: NDArray[np.float64]
    drift: NDArray[np.float64]
    noise: NDArray[np.float64]
    pressure_hpa: NDArray[np.float64]


def drift_gravity(first_s: int, stop_s: int, drift: Drift) -> NDArray[np.float64]:
    """
    Return a drift, once a second, in nm/s².

    Examples
    --------
    >>> drift_gravity(86_400, 86_401, Drift(reference_s=0, rates=(2.0, 0.5)))
    array([2.5])
    """
    days = (np.arange(first_s, stop_s) - drift.reference_s) / DAY_S
    out = np.polynomial.polynomial.polyval(days, [0.0, *drift.rates])
    if drift.settling_nm_s2:
        out = out - drift.settling_nm_s2 * -np.expm1(-np.maximum(days, 0.0) / drift.settling_days)
    return np.asarray(out)


def step_gravity(first_s: int, stop_s: int, steps: Sequence[Step]) -> NDArray[np.float64]:
    """
    Return steps, once a second, in nm/s².

    Examples
    --------
    >>> step_gravity(0, 4, [Step(time_s=2, offset_nm_s2=5.0), Step(time_s=-9, offset_nm_s2=1.0)])
    array([1., 1., 6., 6.])
    """
    out = np.zeros(max(0, stop_s - first_s))
    for step in steps:
        out[max(0, step.time_s - first_s) :] += step.offset_nm_s2
    return out


def gravity_record(
    first_s: int,
    stop_s: int,
    *,
    seed: int,
    station: str,
    latitude_deg: float,
    longitude_deg: float,
    height_m: float,
    noise: GravimeterNoise,
    groups: Sequence[WaveGroup] = (),
    weather: Weather | None = None,
    mean_hpa: float = 1013.0,
    admittance: Admittance | None = None,
    earthquakes: Sequence[GreatEarthquake] = (),
    drift: Drift | None = None,
    steps: Sequence[Step] = (),
    rises: Sequence[Rise] = (),
) -> GravityRecord:
    """
    Return what a gravimeter and its pressure gauge record, once a second.

    Parameters
    ----------
    first_s, stop_s : int
        Seconds since 1970 UTC; half-open.
    seed, station : int, str
        Name the record.
    latitude_deg, longitude_deg, height_m : float
        Geodetic; height above the ellipsoid.
    noise, groups, weather, mean_hpa, admittance, earthquakes, drift, steps, rises
        See their classes; an admittance is -3 nm/s²/hPa unless told otherwise.

    Returns
    -------
    GravityRecord

    Examples
    --------
    >>> noise = GravimeterNoise(snm=1.0, ssnm=2.8)
    >>> day = gravity_record(
    ...     0, 60, seed=1, station="G1", latitude_deg=48.3, longitude_deg=8.3, height_m=589.0, noise=noise
    ... )
    >>> bool(np.allclose(day.gravity, day.tide + day.pressure_effect + day.noise))
    True
    """
    pressure_hpa, effect = pressure_and_effect(
        first_s,
        stop_s,
        seed=seed,
        station=station,
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        mean_hpa=mean_hpa,
        weather=weather,
        admittance=admittance or Admittance(),
    )
    tide = gravity_tide(
        first_s,
        stop_s,
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        height_m=height_m,
        groups=groups,
    )
    oscillations = free_oscillations(
        first_s, stop_s, earthquakes, latitude_deg=latitude_deg, longitude_deg=longitude_deg
    )
    offsets = step_gravity(first_s, stop_s, steps)
    if drift:
        offsets += drift_gravity(first_s, stop_s, drift)
    hiss = gravimeter_noise(first_s, stop_s, seed=seed, station=station, noise=noise, rises=rises)
    return GravityRecord(
        first_s=first_s,
        gravity=tide + effect + oscillations + offsets + hiss,
        tide=tide,
        pressure_effect=effect,
        oscillations=oscillations,
        drift=offsets,
        noise=hiss,
        pressure_hpa=pressure_hpa,
    )
