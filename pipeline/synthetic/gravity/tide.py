"""
The solid-earth gravity tide as a sum of waves, each with a frequency, an amplitude and a phase of its own.

::

    Moon and Sun ─► potential ─► gravity at a station ─► gravity that a deforming Earth shows
                    484 waves    degree, order,          times delta ≈ 1.16, with the resonance
                    of a table   latitude, height        of the core among the diurnal waves

The sign is that of gravity itself: it falls while the Moon stands overhead. Times are seconds since 1970 UTC,
and UT1 counts as UTC (0.9 s at most, which is 0.2 nm/s² at most).

Waves and their sources: `tidal_waves`; no ephemeris is used. Factors of the body tide: Dehant, Defraigne &
Wahr (1999), inelastic and not hydrostatic; Dehant (1987) for degree 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.synthetic.gravity.endless import DAY_S, between_nodes, cut_from_days
from pipeline.synthetic.gravity.tidal_waves import TT_MINUS_UTC_S, arguments_deg, wave_table

__all__ = [
    "WaveGroup",
    "body_factors",
    "constituents",
    "geodetic_factors",
    "gravity_tide",
]

_NODE_S = 900
# The table counts heights of an equipotential surface under this gravity (m/s²), on this radius (m).
_TABLE_GRAVITY = 9.79828685
_TABLE_RADIUS_M = 6_378_160.0
_MAJOR_AXIS_M = 6_378_137.0
_ECCENTRICITY_SQUARED = 6.69438002290e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveGroup:
    """
    What an instrument and the ocean make of the waves in a range of frequencies.

    Parameters
    ----------
    low_cpd, high_cpd : float
        Cycles per day; half-open.
    factor : float
        Delta, the amplitude over that on a rigid Earth; instead of the body tide's.
    lead_deg : float
        Phase lead, local: a positive one comes early.
    """

    low_cpd: float
    high_cpd: float
    factor: float
    lead_deg: float = 0.0

    def __post_init__(self) -> None:
        if not self.low_cpd < self.high_cpd:
            raise ConfigError(f"low_cpd = {self.low_cpd} must lie below high_cpd = {self.high_cpd}")


def body_factors(
    degree: NDArray[np.int64], order: NDArray[np.int64], frequency_cpd: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    Return delta, the amplitude factor of the body tide, of each wave.

    The axis of the core wobbles about that of the mantle with a period near a day, and the diurnal waves near
    K1 resonate with it. Level and strength here are those that give the published factors of O1 and K1.

    Parameters
    ----------
    degree, order, frequency_cpd : ndarray, shape (waves,)
        Frequencies in cycles per solar day.

    Returns
    -------
    ndarray, shape (waves,)

    Examples
    --------
    >>> body_factors(np.array([2, 2]), np.array([1, 2]), np.array([1.0027379, 1.9322736])).round(4)
    array([1.1349, 1.162 ])
    """
    sidereal = frequency_cpd / 1.00273791
    resonant = 1.15486 + 4.643e-5 / (sidereal - (1.0 + 1.0 / 430.0))
    second = np.where(order == 1, resonant, np.where(order == 2, 1.1620, 1.1567))
    return np.where(degree == 3, 1.0728, second)


def geodetic_factors(latitude_deg: float, height_m: float = 0.0) -> dict[tuple[int, int], float]:
    """
    Return the gravity that a metre of a wave makes on a rigid Earth, by its degree and order.

    It is the component along the normal of the ellipsoid, which leans by up to 0.19° from the radius.

    Parameters
    ----------
    latitude_deg : float
        Geodetic.
    height_m : float
        Above the ellipsoid.

    Returns
    -------
    dict of (degree, order) to float
        nm/s² per metre, positive for gravity that grows (downwards).

    Examples
    --------
    At the equator M2 takes 0.75 µm/s² off where the Moon stands overhead.

    >>> round(geodetic_factors(0.0)[2, 2] * 0.63192)
    -750
    """
    north = np.sin(np.radians(latitude_deg))
    out = np.cos(np.radians(latitude_deg))
    curvature = _MAJOR_AXIS_M / np.sqrt(1.0 - _ECCENTRICITY_SQUARED * north**2)
    axis_m = (curvature + height_m) * out
    polar_m = (curvature * (1.0 - _ECCENTRICITY_SQUARED) + height_m) * north
    radius = float(np.hypot(axis_m, polar_m))
    c, s = polar_m / radius, axis_m / radius
    # Sine and cosine of the angle between the normal and the radius.
    tilt, along = north * s - out * c, out * s + north * c
    factors = {}
    for (degree, order), (value, slope) in _harmonics(c, s).items():
        scale = _TABLE_GRAVITY * (radius / _TABLE_RADIUS_M) ** degree / radius * 1e9
        factors[degree, order] = -float(scale * (along * degree * value - tilt * slope))
    return factors


def _harmonics(c: float, s: float) -> dict[tuple[int, int], tuple[float, float]]:
    """Return each harmonic and its derivative to the colatitude (cosine c, sine s), in the table's norm."""
    pi = np.pi
    norms = {
        (2, 0): np.sqrt(5 / (4 * pi)),
        (2, 1): -np.sqrt(5 / (24 * pi)),
        (2, 2): np.sqrt(5 / (96 * pi)),
        (3, 0): np.sqrt(7 / (4 * pi)),
        (3, 1): -np.sqrt(7 / (48 * pi)),
        (3, 2): np.sqrt(7 / (480 * pi)),
        (3, 3): -np.sqrt(7 / (2880 * pi)),
    }
    shapes = {
        (2, 0): (1.5 * c * c - 0.5, -3 * c * s),
        (2, 1): (3 * s * c, 3 * (c * c - s * s)),
        (2, 2): (3 * s * s, 6 * s * c),
        (3, 0): (2.5 * c**3 - 1.5 * c, (1.5 - 7.5 * c * c) * s),
        (3, 1): (1.5 * s * (5 * c * c - 1), 1.5 * c * (5 * c * c - 1) - 15 * s * s * c),
        (3, 2): (15 * s * s * c, 30 * s * c * c - 15 * s**3),
        (3, 3): (15 * s**3, 45 * s * s * c),
    }
    return {key: (norms[key] * value, norms[key] * slope) for key, (value, slope) in shapes.items()}


def constituents(
    *,
    latitude_deg: float,
    longitude_deg: float,
    height_m: float = 0.0,
    groups: Sequence[WaveGroup] = (),
    rigid: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """
    Return what each wave of `wave_table` is at a station: ``amplitude cos(argument + phase)``.

    Parameters
    ----------
    latitude_deg, longitude_deg, height_m : float
        Geodetic; height above the ellipsoid.
    groups : sequence of WaveGroup
        Factors and leads in place of the body tide's; the last that fits a wave counts.
    rigid : bool
        Leave the Earth rigid: the theoretical amplitudes of a tidal analysis.

    Returns
    -------
    amplitude : ndarray, shape (waves,)
        nm/s², with a sign; positive for gravity that grows.
    phase : ndarray, shape (waves,)
        Degrees, to be added to the argument at Greenwich.
    """
    table = wave_table()
    order = table.multipliers[:, 0].astype(np.int64)
    factor = np.ones(len(order)) if rigid else body_factors(table.degree, order, table.frequency_cpd)
    lead = np.zeros(len(order))
    for group in groups:
        inside = (table.frequency_cpd >= group.low_cpd) & (table.frequency_cpd < group.high_cpd)
        factor = np.where(inside, group.factor, factor)
        lead = np.where(inside, group.lead_deg, lead)
    geodetic = geodetic_factors(latitude_deg, height_m)
    local = np.array([geodetic[int(n), int(m)] for n, m in zip(table.degree, order, strict=True)])
    # Harmonics that are odd in degree plus order go with the sine of the argument.
    quarter = np.where((table.degree + order) % 2 == 1, -90.0, 0.0)
    return local * factor * table.height_m, quarter + lead + order * longitude_deg


def gravity_tide(
    first_s: int,
    stop_s: int,
    *,
    latitude_deg: float,
    longitude_deg: float,
    height_m: float = 0.0,
    groups: Sequence[WaveGroup] = (),
    rigid: bool = False,
    tt_minus_utc_s: float = TT_MINUS_UTC_S,
) -> NDArray[np.float64]:
    """
    Return the gravity tide, once a second.

    The permanent tide is left out: gravity here varies about its mean.

    Parameters
    ----------
    first_s, stop_s : int
        Seconds since 1970 UTC; half-open.
    latitude_deg, longitude_deg, height_m, groups, rigid
        See `constituents`.
    tt_minus_utc_s : float
        See `arguments_deg`.

    Returns
    -------
    ndarray, shape (stop_s - first_s,)
        nm/s², positive for gravity that grows.

    Examples
    --------
    >>> tide = gravity_tide(0, 30 * 86_400, latitude_deg=45.0, longitude_deg=0.0)
    >>> bool(1000 < np.ptp(tide) < 3000)
    True
    """
    table = wave_table()
    amplitude, phase = constituents(
        latitude_deg=latitude_deg, longitude_deg=longitude_deg, height_m=height_m, groups=groups, rigid=rigid
    )
    amplitude = np.where(table.multipliers.any(axis=1), amplitude, 0.0)

    def one_day(day: int) -> NDArray[np.float64]:
        nodes = day * float(DAY_S) + _NODE_S * np.arange(-3.0, DAY_S // _NODE_S + 4)
        # einsum, for a matrix product may sum in another order on another number of threads.
        angle = np.einsum("wk,kt->wt", table.multipliers, arguments_deg(nodes, tt_minus_utc_s))
        angle += phase[:, None]
        return between_nodes(np.einsum("w,wt->t", amplitude, np.cos(np.radians(angle))), _NODE_S)

    return cut_from_days(first_s, stop_s, one_day)
