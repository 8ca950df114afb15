"""
The gravity tide of the solid Earth, from the positions of Sun and Moon.

::

    forcing of each degree and order ─┐
    slope of its harmonic at a place ─┼─► + ─► gravity a rigid Earth would show
    factor delta of degree and order ─┘        times delta: gravity that ours shows
    resonance of the core ─► factor of single diurnal waves, as harmonic terms on top

An ephemeris gives the sum of all waves, so that each degree and order has one factor. Only the nearly diurnal
free wobble of the core makes the factor differ from wave to wave: what O1 has is given to all diurnal waves,
and 22 of them near K1 get the difference as harmonic terms. Their strengths are fitted to the forcing itself.

Factors: Dehant, Defraigne & Wahr (1999), inelastic and not hydrostatic, of O1 and M2; Mathews (2001) of K1;
Dehant (1987) of degree 3 and of long periods. None depends on latitude here. The sign is that of gravity: it
falls while the Moon stands overhead. The permanent tide is in it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.noise.ephemeris import ORDERS, RADIUS_M, doodson_arguments, solid_harmonics, tidal_forcing

__all__ = ["DELTA", "RESONANT_WAVES", "diurnal_delta", "gravity_tide"]

DELTA: Final = {
    (2, 0): 1.1576,
    (2, 1): 1.1543,
    (2, 2): 1.1620,
    (3, 0): 1.0728,
    (3, 1): 1.0728,
    (3, 2): 1.0728,
    (3, 3): 1.0728,
}
"""Gravity of this Earth over a rigid one, by degree and order; of all diurnal waves that of O1."""

_DELTA_K1: Final = 1.1349
_O1_CPSD: Final = 0.92695
# The wobble of the core, as the Earth sees it: cycles per sidereal day (IERS 2010, 430 days in space).
_WOBBLE_CPSD: Final = 1.0 + 1.0 / 430.0

RESONANT_WAVES: Final = {
    (1, -2, 0, 1, 0, 0): -0.21928,
    (1, -2, 2, -1, 0, 0): -0.04155,
    (1, -1, 0, 0, -1, 0): -0.21634,
    (1, 0, 0, -1, 0, 0): 0.03228,
    (1, 0, 0, 1, 0, 0): 0.09013,
    (1, 0, 0, 1, 1, 0): 0.01811,
    (1, 0, 2, -1, 0, 0): 0.01718,
    (1, 1, -3, 0, 0, 1): -0.03115,
    (1, 1, -2, 0, -1, 0): 0.00597,
    (1, 1, -2, 0, 0, 0): -0.53336,
    (1, 1, -1, 0, 0, 1): 0.00861,
    (1, 1, 0, 0, -1, 0): -0.03188,
    (1, 1, 0, 0, 0, 0): 1.61125,
    (1, 1, 0, 0, 1, 0): 0.21864,
    (1, 1, 0, 0, 2, 0): -0.00470,
    (1, 1, 1, 0, 0, -1): 0.01276,
    (1, 1, 2, 0, 0, 0): 0.02268,
    (1, 2, -2, 1, 0, 0): 0.01723,
    (1, 2, 0, -1, 0, 0): 0.09013,
    (1, 2, 0, -1, 1, 0): 0.01787,
    (1, 3, 0, 0, 0, 0): 0.04936,
    (1, 3, 0, 0, 1, 0): 0.03157,
}
"""Doodson's multipliers of waves that are corrected, and their strength in the forcing (m²/s²)."""

_MAJOR_AXIS_M: Final = 6_378_137.0
_ECCENTRICITY_SQUARED: Final = 6.69438002290e-3
_NODE_S: Final = 600.0
# Lagrange's polynomial through six nodes: an error of 1e-5 nm/s².
_NEAR: Final = np.arange(-2, 4)
_STEP: Final = 1e-20


def diurnal_delta(cycles_per_sidereal_day: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return the factor of diurnal waves of degree 2, with the resonance of the core.

    Parameters
    ----------
    cycles_per_sidereal_day : ndarray

    Returns
    -------
    ndarray

    Examples
    --------
    O1, P1, K1 and psi1:

    >>> diurnal_delta(np.array([0.92695, 0.994539, 1.0, 1.0027305])).round(4)
    array([1.1543, 1.1489, 1.1349, 1.2699])
    """
    far = 1.0 / (_O1_CPSD - _WOBBLE_CPSD)
    strength = (_DELTA_K1 - DELTA[2, 1]) / (1.0 / (1.0 - _WOBBLE_CPSD) - far)
    return np.asarray(DELTA[2, 1] + strength * (1.0 / (cycles_per_sidereal_day - _WOBBLE_CPSD) - far))


def gravity_tide(
    time_s: NDArray[np.float64],
    *,
    latitude_deg: float,
    longitude_deg: float,
    height_m: float = 0.0,
    rigid: bool = False,
) -> NDArray[np.float64]:
    """
    Return the gravity tide of the solid Earth at given times.

    Parameters
    ----------
    time_s : ndarray, shape (times,)
        Seconds since 1970 UTC, of a contiguous span: nodes stand every 10 minutes from the first to the
        last. A sample is the same, in whichever span it is asked for.
    latitude_deg, longitude_deg : float
        Geodetic.
    height_m : float
        Above the ellipsoid.
    rigid : bool
        Let the Earth not give way: the theoretical tide of an analysis.

    Returns
    -------
    ndarray, shape (times,)
        nm/s², positive for gravity that grows.

    Raises
    ------
    ConfigError
        If there is no such place.

    Examples
    --------
    >>> tide = gravity_tide(np.arange(0, 86_400.0, 60.0), latitude_deg=45.0, longitude_deg=8.0)
    >>> bool(500 < np.ptp(tide) < 3000)
    True
    """
    if not (abs(latitude_deg) <= 90 and abs(longitude_deg) <= 360 and -12_000 < height_m < 1e6):
        raise ConfigError(
            "a place needs a latitude within ±90°, a longitude within ±360° and a height in metres, "
            f"got {latitude_deg}°, {longitude_deg}°, {height_m} m"
        )
    seconds = np.asarray(time_s, dtype=np.float64)
    if not len(seconds):
        return np.zeros(0)
    slopes = _slopes(latitude_deg, longitude_deg, height_m)
    first = int(np.floor(seconds.min() / _NODE_S)) + int(_NEAR[0])
    last = int(np.floor(seconds.max() / _NODE_S)) + int(_NEAR[-1])
    nodes_s = np.arange(first, last + 1, dtype=np.float64) * _NODE_S
    forcing = tidal_forcing(nodes_s)
    if not rigid:
        forcing = forcing * np.array([DELTA[order] for order in ORDERS])
        forcing[:, 1:3] += _resonance(nodes_s)
    # einsum, for a matrix product may sum in another order on another number of threads.
    return _between(seconds, np.einsum("tk,k->t", forcing, slopes), first)


def _slopes(latitude_deg: float, longitude_deg: float, height_m: float) -> NDArray[np.float64]:
    """Return the gravity (nm/s²) of each harmonic, along the normal of the ellipsoid, for a forcing of 1."""
    north, east = np.radians(latitude_deg), np.radians(longitude_deg)
    up = np.array([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])
    curvature_m = _MAJOR_AXIS_M / np.sqrt(1.0 - _ECCENTRICITY_SQUARED * up[2] ** 2)
    squeezed = np.array([1.0, 1.0, 1.0 - _ECCENTRICITY_SQUARED])
    place = (curvature_m * squeezed + height_m) * up / RADIUS_M
    # A derivative by a complex step has no error of its own.
    return np.asarray(-1e9 / RADIUS_M * solid_harmonics(place + 1j * _STEP * up).imag / _STEP)


def _resonance(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what the core adds to the diurnal forcing of degree 2, shape (times, 2)."""
    multipliers = np.array(list(RESONANT_WAVES), dtype=np.float64)
    strength = np.array(list(RESONANT_WAVES.values()))
    # Of date: months, years and turns of perigee and node in cycles per sidereal day.
    speeds = np.array([1.0 - 0.0365011, 0.0365011, 0.00273043, 0.00030864, 0.00014670, 0.0000001])
    excess = diurnal_delta(multipliers @ speeds) - DELTA[2, 1]
    angle = np.einsum("wk,kt->wt", multipliers, doodson_arguments(time_s))
    return np.stack(
        [
            np.einsum("w,wt->t", excess * strength, np.sin(angle)),
            np.einsum("w,wt->t", excess * strength, np.cos(angle)),
        ],
        axis=1,
    )


def _between(time_s: NDArray[np.float64], values: NDArray[np.float64], first: int) -> NDArray[np.float64]:
    """Interpolate values at nodes, of which ``first`` is the number of the first."""
    node = np.floor(time_s / _NODE_S)
    share = time_s / _NODE_S - node
    at = node.astype(np.int64) - first
    out = np.zeros(len(time_s))
    for near in _NEAR:
        weight = np.ones(len(time_s))
        for other in _NEAR[near != _NEAR]:
            weight *= (share - other) / (near - other)
        out += weight * values[at + near]
    return out
