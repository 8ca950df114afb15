"""
Air pressure at a station, and what it does to gravity.

::

    weather and the gauge's noise, as coloured noise ─┐
    S1, S2 of the atmosphere, in the Sun's time ──────┴─► + ─► pressure ─► times an admittance ─► gravity

The weather of one station is one record: filtered by the admittance's spectrum it gives the gravity of the
pressure that is recorded. All is a function of absolute time and seed (see `endless`): a
record is the same however it is cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.synthetic.gravity.endless import DAY_S, coloured_noise

__all__ = [
    "Admittance",
    "Weather",
    "air_pressure",
    "pressure_and_effect",
    "pressure_effect",
    "solar_tides",
]

# Migrating tides of the air, hPa at the equator and phase: Haurwitz & Cowley (1973) for S2; S1 likewise.
_SOLAR_TIDES = ((1, 0.59, 12.0), (2, 1.16, 158.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """
    The spectrum of air pressure but for its tides.

    Flat below the corner, then as frequency^-3, down to the pressure gauge's own noise.

    Parameters
    ----------
    deviation_hpa : float
        Standard deviation of the weather.
    corner_days : float
        Period where it turns.
    gauge_hpa : float
        Standard deviation of the gauge's noise, once a second.
    """

    deviation_hpa: float = 8.0
    corner_days: float = 5.0
    gauge_hpa: float = 0.003

    def __post_init__(self) -> None:
        if min(self.deviation_hpa, self.gauge_hpa) < 0 or self.corner_days <= 0:
            raise ConfigError(f"no amount may be negative, and corner_days not 0: {self}")

    def __call__(self, frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the amplitude density, hPa/√Hz."""
        corner_hz = 1.0 / (self.corner_days * DAY_S)
        # The integral of (1 + x²)^-1.5 from 0 on is 1.
        weather = self.deviation_hpa**2 / corner_hz * (1.0 + (frequency_hz / corner_hz) ** 2) ** -1.5
        return np.asarray(np.sqrt(weather + 2.0 * self.gauge_hpa**2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Admittance:
    """
    Gravity per pressure, from a level at long periods to one at short periods.

    Air above the sensor pulls it up, and near air more than far air: what is wide and slow also presses the
    ground down, which takes some of it back.

    Parameters
    ----------
    long_nm_s2_hpa, short_nm_s2_hpa : float
        Well below and well above the corner, usually about -3.
    corner_hz : float
        Where half of the way is done.

    Examples
    --------
    >>> Admittance(long_nm_s2_hpa=-2.8, short_nm_s2_hpa=-3.4)(np.array([0.0, 2e-5, 1.0])).round(3)
    array([-2.8, -3.1, -3.4])
    """

    long_nm_s2_hpa: float = -3.0
    short_nm_s2_hpa: float = -3.0
    corner_hz: float = 2e-5

    def __call__(self, frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the admittance, nm/s²/hPa; real, so without delay."""
        square = frequency_hz**2
        share = square / (square + self.corner_hz**2)
        return np.asarray(self.long_nm_s2_hpa + (self.short_nm_s2_hpa - self.long_nm_s2_hpa) * share)


@dataclass(frozen=True, slots=True)
class _Pulled:
    """A spectrum of pressure times an admittance: one of gravity."""

    weather: Weather
    admittance: Admittance

    def __call__(self, frequency_hz: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.weather(frequency_hz) * self.admittance(frequency_hz)


def solar_tides(
    first_s: int,
    stop_s: int,
    *,
    latitude_deg: float,
    longitude_deg: float,
    admittance: Admittance | None = None,
) -> NDArray[np.float64]:
    """
    Return the tides of the air that go round with the Sun, once a second.

    Parameters
    ----------
    first_s, stop_s : int
        Seconds since 1970 UTC; half-open.
    latitude_deg, longitude_deg : float
    admittance : Admittance, optional
        Return what they do to gravity instead.

    Returns
    -------
    ndarray, shape (stop_s - first_s,)
        hPa, or nm/s².

    Examples
    --------
    The half-daily tide is highest near ten, morning and evening, in local time.

    >>> day = solar_tides(0, 86_400, latitude_deg=0.0, longitude_deg=0.0)
    >>> bool(8.5 < day.argmax() / 3600 < 10.5)
    True
    """
    angle = 360.0 * (np.arange(first_s, stop_s) % DAY_S) / DAY_S + longitude_deg
    out = np.zeros(len(angle))
    for times, amplitude_hpa, phase_deg in _SOLAR_TIDES:
        factor = 1.0 if admittance is None else admittance(np.array([times / DAY_S]))[0]
        amplitude = factor * amplitude_hpa * np.cos(np.radians(latitude_deg)) ** 3
        out += amplitude * np.sin(np.radians(times * angle + phase_deg))
    return out


def air_pressure(
    first_s: int,
    stop_s: int,
    *,
    seed: int,
    station: str,
    latitude_deg: float,
    longitude_deg: float,
    mean_hpa: float = 1013.0,
    weather: Weather | None = None,
) -> NDArray[np.float64]:
    """
    Return the air pressure that a station records, once a second.

    Parameters
    ----------
    first_s, stop_s : int
        Seconds since 1970 UTC; half-open.
    seed, station : int, str
        Name the record.
    latitude_deg, longitude_deg : float
    mean_hpa : float
    weather : Weather, optional

    Returns
    -------
    ndarray, shape (stop_s - first_s,)
        hPa.

    Examples
    --------
    >>> air = air_pressure(0, 10, seed=1, station="S1", latitude_deg=45.0, longitude_deg=8.0)
    >>> air.shape, bool(950 < air[0] < 1070)
    ((10,), True)
    """
    noise = coloured_noise(seed, ("pressure", station), first_s, stop_s, shape=weather or Weather())
    tides = solar_tides(first_s, stop_s, latitude_deg=latitude_deg, longitude_deg=longitude_deg)
    noise += tides
    noise += mean_hpa
    return noise


def pressure_effect(
    first_s: int,
    stop_s: int,
    *,
    seed: int,
    station: str,
    latitude_deg: float,
    longitude_deg: float,
    admittance: Admittance,
    weather: Weather | None = None,
) -> NDArray[np.float64]:
    """
    Return what `air_pressure` of the same arguments, less its mean, does to gravity, once a second.

    Parameters
    ----------
    first_s, stop_s, seed, station, latitude_deg, longitude_deg, weather
        See `air_pressure`.
    admittance : Admittance

    Returns
    -------
    ndarray, shape (stop_s - first_s,)
        nm/s².
    """
    shape = _Pulled(weather or Weather(), admittance)
    noise = coloured_noise(seed, ("pressure", station), first_s, stop_s, shape=shape)
    noise += solar_tides(
        first_s, stop_s, latitude_deg=latitude_deg, longitude_deg=longitude_deg, admittance=admittance
    )
    return noise


def pressure_and_effect(
    first_s: int,
    stop_s: int,
    *,
    seed: int,
    station: str,
    latitude_deg: float,
    longitude_deg: float,
    mean_hpa: float,
    admittance: Admittance,
    weather: Weather | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return `air_pressure` (hPa) and `pressure_effect` (nm/s²) of the same arguments.

    Where one admittance holds for all periods, the second costs nothing.
    """
    pressure_hpa = air_pressure(
        first_s,
        stop_s,
        seed=seed,
        station=station,
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        mean_hpa=mean_hpa,
        weather=weather,
    )
    if admittance.long_nm_s2_hpa == admittance.short_nm_s2_hpa:
        return pressure_hpa, admittance.long_nm_s2_hpa * (pressure_hpa - mean_hpa)
    effect = pressure_effect(
        first_s,
        stop_s,
        seed=seed,
        station=station,
        latitude_deg=latitude_deg,
        longitude_deg=longitude_deg,
        admittance=admittance,
        weather=weather,
    )
    return pressure_hpa, effect
