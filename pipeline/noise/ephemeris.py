"""
Where Sun and Moon stand over the turning Earth, and what they pull there: the forcing of the tide.

::

    positions (erfa: Meeus 1998, VSOP) ─► turned with the Earth ─► GM / d^(n+1) times harmonics of degree n
    arguments of Doodson (erfa)        ─► single waves, where a factor depends on frequency

The forcing belongs to a time alone, and serves all stations at once. UT1 counts as UTC, which is 0.9 s or
0.2 nm/s² at most. The Moon's degree 4 (0.8 nm/s² at most) and the planets are left out.

Times are seconds since 1970 UTC.
"""

from __future__ import annotations

from typing import Any

import erfa
import numpy as np
from numpy.typing import NDArray

__all__ = ["ORDERS", "RADIUS_M", "doodson_arguments", "solid_harmonics", "tidal_forcing"]

RADIUS_M = 6_378_136.3
"""Unit of length of the solid harmonics at a station."""

ORDERS = ((2, 0), (2, 1), (2, 1), (2, 2), (2, 2), (3, 0), (3, 1), (3, 1), (3, 2), (3, 2), (3, 3), (3, 3))
"""Degree and order of each solid harmonic; of two, the first goes with x and the second with y."""

_DAY_S = 86_400.0
_UNIX_MJD = 40_587.0
_MJD = 2_400_000.5
_TT_MINUS_TAI_S = 32.184
_CENTURY_DAYS = 36_525.0
_J2000_MJD = 51_544.5
# Moon and Sun, m³/s².
_MOON_GM = 4.9028001e12
_SUN_GM = 1.32712440018e20


def solid_harmonics(place: NDArray[Any]) -> NDArray[Any]:
    """
    Return the solid harmonics of degrees 2 and 3 at places.

    They are so scaled that the sum of products of those at two unit vectors is the Legendre polynomial of the
    angle between them.

    Parameters
    ----------
    place : ndarray, shape (..., 3)
        Along Greenwich, 90° east and the axis; complex, where a derivative by a complex step is wanted.

    Returns
    -------
    ndarray, shape (..., 12)
        In the order of `ORDERS`.

    Examples
    --------
    >>> a, b = np.array([0.6, 0.0, 0.8]), np.array([0.0, 1.0, 0.0])
    >>> products = solid_harmonics(a) * solid_harmonics(b)
    >>> round(float(products[:5].sum()), 12), round(float(abs(products[5:].sum())), 12)
    (-0.5, 0.0)
    """
    x, y, z = np.moveaxis(np.asarray(place), -1, 0)
    axis2 = x * x + y * y
    return np.stack(
        [
            z * z - axis2 / 2,
            np.sqrt(3) * x * z,
            np.sqrt(3) * y * z,
            np.sqrt(3) / 2 * (x * x - y * y),
            np.sqrt(3) * x * y,
            z * (z * z - 1.5 * axis2),
            np.sqrt(6) / 4 * x * (4 * z * z - axis2),
            np.sqrt(6) / 4 * y * (4 * z * z - axis2),
            np.sqrt(15) / 2 * z * (x * x - y * y),
            np.sqrt(15) * x * y * z,
            np.sqrt(10) / 4 * x * (x * x - 3 * y * y),
            np.sqrt(10) / 4 * y * (3 * x * x - y * y),
        ],
        axis=-1,
    )


def tidal_forcing(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return what Moon and Sun put into each solid harmonic.

    The potential at a place, in units of `RADIUS_M`, is the sum of it times the place's `solid_harmonics`.

    Parameters
    ----------
    time_s : ndarray, shape (times,)

    Returns
    -------
    ndarray, shape (times, 12)
        m²/s².

    Examples
    --------
    The semi-diurnal forcing is a few m²/s², and that of degree 3 sixty times less.

    >>> forcing = abs(tidal_forcing(np.arange(0, 30 * 86_400.0, 3600.0))).max(axis=0)
    >>> bool(2 < forcing[3] < 6), bool(forcing[10] < 0.1)
    (True, True)
    """
    ut, tt = _mjd(time_s)
    turned = erfa.c2t00b(_MJD, tt, _MJD, ut, 0.0, 0.0)
    moon = erfa.moon98(_MJD, tt)["p"] * erfa.DAU
    sun = -erfa.epv00(_MJD, tt)[0]["p"] * erfa.DAU
    degree = np.array([degree for degree, _ in ORDERS], dtype=np.float64)
    total = np.zeros((len(time_s), len(ORDERS)))
    for position_m, strength in ((moon, _MOON_GM), (sun, _SUN_GM)):
        place = np.einsum("tij,tj->ti", turned, position_m)
        distance_m = np.linalg.norm(place, axis=1, keepdims=True)
        total += (
            strength / distance_m * (RADIUS_M / distance_m) ** degree * solid_harmonics(place / distance_m)
        )
    return total


def doodson_arguments(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return Doodson's arguments at Greenwich: tau, s, h, p, N', ps.

    Parameters
    ----------
    time_s : ndarray, shape (times,)

    Returns
    -------
    ndarray, shape (6, times)
        Radians. Tau is sidereal time less the Moon's mean longitude: half a turn from the usual, which counts
        from the Moon's lower transit.

    Examples
    --------
    >>> turned = np.diff(doodson_arguments(np.array([0.0, 3600.0])))[:, 0] % (2 * np.pi)
    >>> np.degrees(turned).round(2)
    array([14.49,  0.55,  0.04,  0.  ,  0.  ,  0.  ])
    """
    ut, tt = _mjd(time_s)
    centuries = (tt - _J2000_MJD) / _CENTURY_DAYS
    node = erfa.faom03(centuries)
    moon = erfa.faf03(centuries) + node
    sun = moon - erfa.fad03(centuries)
    perigee = moon - erfa.fal03(centuries)
    perihelion = sun - erfa.falp03(centuries)
    sidereal = erfa.gmst06(_MJD, ut, _MJD, tt)
    return np.stack([sidereal - moon, moon, sun, perigee, -node, perihelion])


def _mjd(time_s: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return UT1 (as UTC) and terrestrial time as modified Julian dates."""
    ut = np.asarray(time_s, dtype=np.float64) / _DAY_S + _UNIX_MJD
    table = erfa.leap_seconds.get()
    # erfa's own conversion warns of years that are far from its release.
    months = 12 * (table["year"] - 1970) + table["month"] - 1
    since_s = months.astype("M8[M]").astype("M8[s]").astype(np.int64)
    held = np.maximum(np.searchsorted(since_s, time_s, side="right") - 1, 0)
    return ut, ut + (table["tai_utc"][held] + _TT_MINUS_TAI_S) / _DAY_S
