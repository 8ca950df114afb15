"""
Ruptures: how large they are, and where aftershocks lie about them.

Seen at right angles to the plane, ``o`` the hypocentre and ``.`` aftershocks::

           .    .
    +---------------------+  .      lengths and widths grow with magnitude (Wells & Coppersmith 1994)
    |  ::.     o      .   |         half of the aftershocks start anywhere on it, half in patches
    | .:::.        .::.   | .       and lie off it by distances with a power law, flattened to the plane
    +---------------------+
        .         .

Below about magnitude 4.5 the sizes are an extrapolation: a magnitude 1 is 14 m long, which no location
resolves.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.synthetic.earthquakes.faulting import plane_vectors, reflect

__all__ = ["offsets_about_rupture", "rupture_length_km", "rupture_width_km"]

FloatArray: TypeAlias = NDArray[np.float64]

_PATCHES = 8


def rupture_length_km(mw: ArrayLike) -> FloatArray:
    """
    Return the subsurface rupture length, all slip types (Wells & Coppersmith 1994, table 2A).

    Examples
    --------
    >>> rupture_length_km([5.0, 7.0]).round(1)
    array([ 3.2, 49. ])
    """
    return np.asarray(10.0 ** (-2.44 + 0.59 * np.asarray(mw, dtype=np.float64)))


def rupture_width_km(mw: ArrayLike) -> FloatArray:
    """
    Return the down-dip rupture width, all slip types (Wells & Coppersmith 1994, table 2A).

    No more than the rupture length: their lines cross at magnitude 5.3, below which ruptures are square.

    Examples
    --------
    >>> rupture_width_km([5.0, 7.0]).round(1)
    array([ 3.2, 17. ])
    """
    width_km = 10.0 ** (-1.01 + 0.32 * np.asarray(mw, dtype=np.float64))
    return np.minimum(width_km, rupture_length_km(mw))


def offsets_about_rupture(
    count: int,
    *,
    mw: float,
    strike_deg: float,
    dip_deg: float,
    random: np.random.Generator,
    near_km: float = 0.1,
    far_km: float = 30.0,
    decay: float = 1.4,
    flattening: float = 0.2,
    up_dip_km: tuple[float, float] = (-np.inf, np.inf),
) -> FloatArray:
    """
    Draw where aftershocks lie about the hypocentre of their parent.

    Each lies some distance from a point of the rupture. The rupture is a rectangle that grows with magnitude,
    holds the hypocentre anywhere within its middle half, and is more active in some patches. The density of
    distances falls as ``(near_km + r) ** -decay`` (Felzer & Brodsky 2006 found 1.4).

    Parameters
    ----------
    count : int
    mw : float
        Of the parent.
    strike_deg, dip_deg : float
        Of its plane.
    random : Generator
    near_km, far_km : float
        Where the decay begins, and the largest distance.
    decay : float
        Exponent.
    flattening : float
        Distances normal to the plane are shorter by this factor: aftershocks trace their fault.
    up_dip_km : (float, float)
        How far down (negative) and up dip from the hypocentre a rupture can reach, before it leaves the
        brittle crust; what would lie beyond lies along strike instead.

    Returns
    -------
    array of float64, shape (count, 3)
        North, east and down, in km.

    Examples
    --------
    >>> from pipeline.synthetic.draws import generator
    >>> offsets = offsets_about_rupture(1000, mw=6.0, strike_deg=90.0, dip_deg=90.0, random=generator(1))
    >>> north, east, down = np.median(abs(offsets), axis=0)
    >>> bool(east > 2 * north and down > 2 * north)
    True
    """
    length_km, width_km = float(rupture_length_km(mw)), float(rupture_width_km(mw))
    room_km = max(up_dip_km[1] - up_dip_km[0], 0.1)
    size_km = np.array([length_km * max(1.0, width_km / room_km), min(width_km, room_km)])
    start = random.uniform(-0.25, 0.25, 2)
    bottom_km, top_km = (-0.5 - start[1]) * size_km[1], (0.5 - start[1]) * size_km[1]
    shift_km = max(0.0, up_dip_km[0] - bottom_km) + min(0.0, up_dip_km[1] - top_km)
    on_plane = (_places_on_rupture(count, random) - start) * size_km + (0.0, shift_km)
    power = 1 - decay
    reach = (1 + far_km / near_km) ** power
    distance_km = near_km * ((1 - random.random(count) * (1 - reach)) ** (1 / power) - 1)
    aside = random.standard_normal((count, 3))
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    aside *= distance_km[:, np.newaxis]
    aside *= (1.0, 1.0, flattening)
    aside[:, :2] += on_plane
    return np.asarray(aside @ np.stack(plane_vectors(strike_deg, dip_deg)))


def _places_on_rupture(count: int, random: np.random.Generator) -> FloatArray:
    """Draw places from -0.5 to 0.5 along strike and up dip: half of them anywhere, half in patches."""
    places = random.uniform(-0.5, 0.5, (count, 2))
    patches = random.uniform(-0.5, 0.5, (_PATCHES, 2))
    share = np.cumsum(random.exponential(size=_PATCHES))
    chosen = np.searchsorted(share, share[-1] * random.random(count))
    in_patch = reflect(patches[chosen] + 0.06 * random.standard_normal((count, 2)), -0.5, 0.5)
    return np.where(random.random((count, 1)) < 0.5, places, in_patch)
