r"""
Fault planes: where on them earthquakes start and how they slip.

Vectors are (north, east, down), as in Aki & Richards (1980, chapter 4). Seen against the dip::

      along strike --->            h: a rough surface about the plane, self-affine (Hurst exponent 0.8),
    +------------------------+        the same for a fault however often it is asked
    |      .  .      h       |     x: hypocentres scatter about that surface, with a heavier tail than the
    |   x  . /\  x  _x        |        normal distribution, since fault zones have secondary faults
    |  x x  /  \__/          |
    +------------------------+     mechanisms follow the plane: its normal and its slip scatter by degrees
      |
      v  down dip
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.synthetic.draws import generator

__all__ = [
    "KM_PER_DEGREE",
    "FaultPlane",
    "draw_planes",
    "kilometres_between",
    "move",
    "plane_vectors",
    "reflect",
    "scatter_mechanisms",
    "slip_and_normal",
    "strike_dip_rake",
]

FloatArray: TypeAlias = NDArray[np.float64]

KM_PER_DEGREE = 6371.0 * np.pi / 180
"""Of latitude, on a sphere."""

_HURST = 0.8  # natural faults along slip: 0.6 to 0.8 (Candela et al. 2012)
_WAVES = 48
_CANDIDATES = 16


def move(
    latitude: ArrayLike, longitude: ArrayLike, north_km: ArrayLike, east_km: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """
    Return the latitude and longitude some kilometres from a point, on a plane that touches there.

    Examples
    --------
    >>> latitude, longitude = move(60.0, 10.0, 0.0, 100.0)
    >>> latitude.item(), round(longitude.item(), 3)
    (60.0, 11.799)
    """
    latitude = np.asarray(latitude, dtype=np.float64)
    scale = KM_PER_DEGREE * np.cos(np.radians(latitude))
    return latitude + np.asarray(north_km) / KM_PER_DEGREE, np.asarray(longitude) + np.asarray(
        east_km
    ) / scale


def kilometres_between(
    latitude: ArrayLike, longitude: ArrayLike, to_latitude: ArrayLike, to_longitude: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """
    Return how far north and east a second point lies: the inverse of `move`.

    Examples
    --------
    >>> north_km, east_km = kilometres_between(60.0, 10.0, 60.0, 11.0)
    >>> north_km.item(), round(east_km.item(), 3)
    (0.0, 55.597)
    """
    latitude = np.asarray(latitude, dtype=np.float64)
    east = (np.asarray(to_longitude, dtype=np.float64) - np.asarray(longitude) + 180) % 360 - 180
    north_km = (np.asarray(to_latitude, dtype=np.float64) - latitude) * KM_PER_DEGREE
    return north_km, east * KM_PER_DEGREE * np.cos(np.radians(latitude))


def plane_vectors(strike_deg: ArrayLike, dip_deg: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """
    Return unit vectors along strike, up dip and normal to planes, each of shape (..., 3).

    The normal points from the footwall into the hanging wall, and is ``along × up_dip``.

    Examples
    --------
    >>> [vector.round(3).tolist() for vector in plane_vectors(0.0, 90.0)]
    [[1.0, 0.0, 0.0], [0.0, -0.0, -1.0], [-0.0, 1.0, -0.0]]
    """
    strike, dip = np.broadcast_arrays(np.radians(strike_deg), np.radians(dip_deg))
    along = np.stack([np.cos(strike), np.sin(strike), np.zeros_like(strike)], axis=-1)
    up_dip = np.stack([np.cos(dip) * np.sin(strike), -np.cos(dip) * np.cos(strike), -np.sin(dip)], axis=-1)
    normal = np.stack([-np.sin(dip) * np.sin(strike), np.sin(dip) * np.cos(strike), -np.cos(dip)], axis=-1)
    return along, up_dip, normal


def slip_and_normal(
    strike_deg: ArrayLike, dip_deg: ArrayLike, rake_deg: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """
    Return the slip of the hanging wall and the plane's normal as unit vectors, each of shape (..., 3).

    The moment tensor is ``M0 (slip normalᵀ + normal slipᵀ)`` (Aki & Richards 1980, box 4.4).

    Examples
    --------
    >>> slip, _ = slip_and_normal(0.0, 45.0, 90.0)  # a thrust: the hanging wall goes up
    >>> slip.round(3).tolist()
    [0.0, -0.707, -0.707]
    """
    along, up_dip, normal = plane_vectors(strike_deg, dip_deg)
    rake = np.radians(rake_deg)[..., np.newaxis]
    return np.cos(rake) * along + np.sin(rake) * up_dip, np.broadcast_to(normal, (*np.shape(rake)[:-1], 3))


def strike_dip_rake(slip: ArrayLike, normal: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """
    Return the angles of mechanisms: the inverse of `slip_and_normal`.

    Parameters
    ----------
    slip, normal : array_like, shape (..., 3)
        Unit vectors at right angles. Both turned round are the same mechanism.

    Returns
    -------
    strike_deg, dip_deg, rake_deg : array
        0 to 360, 0 to 90, -180 to 180.

    Examples
    --------
    >>> [round(float(angle), 6) for angle in strike_dip_rake(*slip_and_normal(200.0, 30.0, -110.0))]
    [200.0, 30.0, -110.0]
    """
    slip, normal = np.asarray(slip, dtype=np.float64), np.asarray(normal, dtype=np.float64)
    turn = np.where(normal[..., 2] > 0, -1.0, 1.0)
    slip, normal = slip * turn[..., np.newaxis], normal * turn[..., np.newaxis]
    dip_deg = np.degrees(np.arctan2(np.hypot(normal[..., 0], normal[..., 1]), -normal[..., 2]))
    strike_deg = np.degrees(np.arctan2(-normal[..., 0], normal[..., 1])) % 360
    along, up_dip, _ = plane_vectors(strike_deg, dip_deg)
    rake_deg = np.degrees(np.arctan2((slip * up_dip).sum(-1), (slip * along).sum(-1)))
    return strike_deg, dip_deg, rake_deg


def scatter_mechanisms(
    strike_deg: ArrayLike,
    dip_deg: ArrayLike,
    rake_deg: ArrayLike,
    *,
    random: np.random.Generator,
    normal_scatter_deg: float,
    rake_scatter_deg: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """
    Draw mechanisms about given ones.

    Parameters
    ----------
    strike_deg, dip_deg, rake_deg : array_like, shape (n,)
    random : Generator
        Drawn from in a fixed order.
    normal_scatter_deg : float
        Standard deviation by which the normal tilts, in each of two directions.
    rake_scatter_deg : float
        Standard deviation of the slip's direction in the plane.

    Returns
    -------
    strike_deg, dip_deg, rake_deg : array, shape (n,)

    Examples
    --------
    >>> angles = scatter_mechanisms([10.0], [80.0], [5.0], random=generator(1), normal_scatter_deg=0.0,
    ...                             rake_scatter_deg=0.0)
    >>> [angle.round(6).tolist() for angle in angles]
    [[10.0], [80.0], [5.0]]
    """
    slip, normal = slip_and_normal(strike_deg, dip_deg, rake_deg)
    across = np.cross(normal, slip)
    tilt = np.tan(np.radians(normal_scatter_deg) * random.standard_normal((2, *slip.shape[:-1], 1)))
    turn = np.radians(rake_scatter_deg) * random.standard_normal((*slip.shape[:-1], 1))
    normal = _unit(normal + tilt[0] * slip + tilt[1] * across)
    slip = _unit(slip - (slip * normal).sum(-1, keepdims=True) * normal)
    slip = np.cos(turn) * slip + np.sin(turn) * np.cross(normal, slip)
    return strike_dip_rake(slip, normal)


def _unit(vectors: FloatArray) -> FloatArray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True))


def reflect(values: ArrayLike, low: float, high: float) -> FloatArray:
    """
    Fold values back into a range as mirrors at its ends would: nothing piles up there, as clipping does.

    Examples
    --------
    >>> reflect([-1.0, 4.0, 11.0, 23.0], 0.0, 10.0).tolist()
    [1.0, 4.0, 9.0, 3.0]
    """
    span = high - low
    folded = (np.asarray(values, dtype=np.float64) - low) % (2 * span)
    return low + np.minimum(folded, 2 * span - folded)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlane:
    """
    A rectangular fault.

    Parameters
    ----------
    name : str
        Its rough surface is drawn by this name.
    latitude, longitude, depth_km : float
        Of its centre.
    strike_deg, dip_deg, rake_deg : float
        Dip to the right of strike; rake as in Aki & Richards.
    length_km, width_km : float
        Along strike and down dip.
    roughness_km : float
        Root mean square of the surface about the plane.
    scatter_km : float
        Typical distance of a hypocentre from that surface.
    patchiness : float
        Standard deviation of the logarithm of the rate of events over the plane; 0 where all parts of it are
        equally active.

    Examples
    --------
    >>> fault = FaultPlane(name="a", latitude=50.0, longitude=8.0, depth_km=8.0, strike_deg=30.0,
    ...                    dip_deg=70.0, rake_deg=-20.0, length_km=12.0, width_km=8.0)
    >>> latitude, longitude, depth_km = fault.hypocentres(3, seed=1, random=generator(1, "x"))
    >>> bool((abs(depth_km - 8) < 6).all())
    True
    """

    name: str
    latitude: float
    longitude: float
    depth_km: float
    strike_deg: float
    dip_deg: float
    rake_deg: float
    length_km: float
    width_km: float
    roughness_km: float = 0.15
    scatter_km: float = 0.1
    patchiness: float = 1.2

    def __post_init__(self) -> None:
        if not 0 <= self.dip_deg <= 90:
            raise ConfigError(f"fault {self.name}: dip_deg should be from 0 to 90, got {self.dip_deg}")
        if not (self.length_km > 0 and self.width_km > 0):
            size = f"{self.length_km} x {self.width_km} km"
            raise ConfigError(f"fault {self.name}: its length and width should be above 0, got {size}")

    @property
    def area_km2(self) -> float:
        """Length times width."""
        return self.length_km * self.width_km

    def roughness(self, along_km: ArrayLike, up_dip_km: ArrayLike, *, seed: int) -> FloatArray:
        """Return the height of the rough surface over the plane, in km, at places from the centre."""
        return self.roughness_km * self._field("roughness", along_km, up_dip_km, seed)

    def _field(self, purpose: str, along_km: ArrayLike, up_dip_km: ArrayLike, seed: int) -> FloatArray:
        """
        Return a self-affine field with a root mean square of 1.

        A sum of plane waves with random directions whose lengths go down from twice the fault's; the
        amplitude goes with length to the Hurst exponent, so that each magnification looks alike.
        """
        random = generator(seed, purpose, self.name)
        lengths_km = 2 * max(self.length_km, self.width_km) * np.geomspace(1, 1 / 64, _WAVES)
        direction, phase = random.uniform(0, 2 * np.pi, (2, _WAVES))
        amplitude = lengths_km**_HURST * random.standard_normal(_WAVES)
        amplitude *= np.sqrt(2) / np.linalg.norm(amplitude)
        along = np.asarray(along_km, dtype=np.float64)[..., np.newaxis]
        up_dip = np.asarray(up_dip_km, dtype=np.float64)[..., np.newaxis]
        distance = along * np.cos(direction) + up_dip * np.sin(direction)
        # Not a matrix product: its last digit would depend on how many places are asked for.
        return np.asarray((np.cos(2 * np.pi * distance / lengths_km + phase) * amplitude).sum(axis=-1))

    def hypocentres(
        self, count: int, *, seed: int, random: np.random.Generator
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """
        Draw hypocentres.

        Parameters
        ----------
        count : int
        seed : int
            Of the archive: it shapes the surface.
        random : Generator
            For what is drawn now.

        Returns
        -------
        latitude, longitude, depth_km : array, shape (count,)
        """
        along_km, up_dip_km = self._patchy_places(count, seed, random)
        # Student's t with 4 degrees of freedom, its standard deviation taken out (sqrt 2).
        off_km = self.roughness(along_km, up_dip_km, seed=seed)
        off_km += self.scatter_km * random.standard_t(4, count) / np.sqrt(2)
        along, up_dip, normal = plane_vectors(self.strike_deg, self.dip_deg)
        place = np.outer(along_km, along) + np.outer(up_dip_km, up_dip) + np.outer(off_km, normal)
        latitude, longitude = move(self.latitude, self.longitude, place[:, 0], place[:, 1])
        return latitude, longitude, self.depth_km + place[:, 2]

    def _patchy_places(
        self, count: int, seed: int, random: np.random.Generator
    ) -> tuple[FloatArray, FloatArray]:
        """Draw places on the plane: of several candidates for each, one by their rates."""
        shape = (count, _CANDIDATES)
        along_km = self.length_km * random.uniform(-0.5, 0.5, shape)
        up_dip_km = self.width_km * random.uniform(-0.5, 0.5, shape)
        log_rate = self.patchiness * self._field("patches", along_km, up_dip_km, seed)
        chosen = np.argmax(log_rate + random.gumbel(size=shape), axis=1)
        rows = np.arange(count)
        return along_km[rows, chosen], up_dip_km[rows, chosen]


def draw_planes(
    count: int,
    *,
    seed: int,
    latitude: float,
    longitude: float,
    width_km: float,
    height_km: float,
    strike_deg: float = 130.0,
    depth_km: tuple[float, float] = (5.0, 12.0),
    length_km: tuple[float, float] = (6.0, 25.0),
    brittle_km: tuple[float, float] = (2.0, 16.0),
) -> tuple[FaultPlane, ...]:
    """
    Draw the faults of a region: about parallel, steep, mostly strike-slip, few long ones and many short.

    Parameters
    ----------
    count : int
        The first ones stay as they are when there are more.
    seed : int
    latitude, longitude : float
        Of the region's centre.
    width_km, height_km : float
        Of the region, from west to east and from south to north.
    strike_deg : float
        About which strikes scatter, by 15 degrees.
    depth_km, length_km : (float, float)
        Ranges of their centres' depths and of their lengths.
    brittle_km : (float, float)
        Depths that none of them leaves.

    Returns
    -------
    tuple of FaultPlane

    Examples
    --------
    >>> region = {"latitude": 50.0, "longitude": 8.0, "width_km": 100.0, "height_km": 80.0}
    >>> three, four = (draw_planes(count, seed=1, **region) for count in (3, 4))
    >>> three == four[:3]
    True
    """
    planes = []
    for number in range(count):
        random = generator(seed, "fault plane", number)
        east_km, north_km = 0.4 * random.uniform(-1, 1, 2) * (width_km, height_km)
        at_latitude, at_longitude = move(latitude, longitude, north_km, east_km)
        # Lengths of faults are about log-uniform over a decade of a map.
        long_km = float(np.exp(random.uniform(*np.log(length_km))))
        centre_km = float(random.uniform(*depth_km))
        dip_deg = float(90 - abs(random.normal(0, 18)))
        planes.append(
            FaultPlane(
                name=f"fault {number}",
                latitude=float(at_latitude),
                longitude=float(at_longitude),
                depth_km=centre_km,
                strike_deg=float((strike_deg + random.normal(0, 15)) % 360),
                dip_deg=max(dip_deg, 30.0),
                rake_deg=float(random.choice([180.0, 0.0], p=[0.75, 0.25]) + random.normal(0, 20)),
                length_km=long_km,
                width_km=min(long_km, 2 * (centre_km - brittle_km[0]), 2 * (brittle_km[1] - centre_km)),
            )
        )
    return tuple(planes)
