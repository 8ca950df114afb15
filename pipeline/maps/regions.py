"""
Regions of the Earth that are mapped, and their grids.

A region is a box of longitude and latitude, or a cap: all within a distance of a point, also of a pole. Both
have a grid in degrees, rising in longitude and latitude as the CF conventions and QGIS like it, with
longitudes that run on beyond 180° where the region crosses the antimeridian.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.figures.coastlines import Box, check_box
from pipeline.maps.sphere import EARTH_RADIUS_KM, distances_km, unit_vectors

__all__ = ["MOST_NODES", "BoxRegion", "CapRegion", "Grid", "Region", "grid_of", "region_around"]

MOST_NODES = 4_000_000
"""A grid of more is a wrong step: 0.1° over all of the Earth has 6.5 million."""

_KM_PER_DEGREE = EARTH_RADIUS_KM * math.pi / 180
_POLAR_DEG = 60.0


@dataclass(frozen=True)
class BoxRegion:
    """
    What lies between two meridians and two parallels.

    Parameters
    ----------
    west, east : float
        In degrees; with west above east the box crosses the antimeridian, −180 and 180 are all the Earth.
    south, north : float
        In degrees, up to the poles.

    Examples
    --------
    >>> BoxRegion(170, -50, -170, -30).box
    (170.0, -50.0, 190.0, -30.0)
    """

    west: float
    south: float
    east: float
    north: float

    def __post_init__(self) -> None:
        check_box((self.west, self.south, self.east, self.north))

    @property
    def box(self) -> Box:
        """West, south, east, north, with east above west."""
        return check_box((self.west, self.south, self.east, self.north))

    def contains(self, longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> NDArray[np.bool_]:
        """Tell which points lie in the box or on its edge."""
        west, south, east, north = self.box
        latitude = np.asarray(latitude_deg, dtype=np.float64)
        turned = np.round((np.asarray(longitude_deg, dtype=np.float64) - west) % 360, 9) % 360
        return np.asarray((turned <= east - west + 1e-9) & (latitude >= south) & (latitude <= north))


@dataclass(frozen=True)
class CapRegion:
    """
    All within a distance of a point.

    Parameters
    ----------
    longitude, latitude : float
        The point in degrees; a pole has any longitude.
    radius_km : float
        Distance along great circles, up to 20,000 km.

    Examples
    --------
    >>> CapRegion(0, 90, 2000).box, CapRegion(178, -40, 1111.95).box
    ((-180.0, 72.01..., 180.0, 90.0), (164.89..., -49.99..., 191.10..., -30.00...))
    """

    longitude: float
    latitude: float
    radius_km: float

    def __post_init__(self) -> None:
        if not (abs(self.latitude) <= 90 and abs(self.longitude) <= 360):
            raise ConfigError(
                f"the point of a cap should be longitude within ±360 and latitude within ±90,"
                f" got {self.longitude}, {self.latitude}"
            )
        if not 0 < self.radius_km <= 20_000:
            raise ConfigError(f"radius_km of a cap should be above 0, up to 20000, got {self.radius_km}")

    @property
    def box(self) -> Box:
        """The box around the cap: west, south, east, north, with east above west."""
        radius_deg = self.radius_km / _KM_PER_DEGREE
        south, north = self.latitude - radius_deg, self.latitude + radius_deg
        if south <= -90 or north >= 90:
            return (-180.0, max(south, -90.0), 180.0, min(north, 90.0))
        half = math.degrees(
            math.asin(min(1.0, math.sin(math.radians(radius_deg)) / math.cos(math.radians(self.latitude))))
        )
        middle = (self.longitude + 180) % 360 - 180
        return (middle - half, south, middle + half, north)

    def contains(self, longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> NDArray[np.bool_]:
        """Tell which points lie in the cap or on its edge."""
        points = unit_vectors(longitude_deg, latitude_deg)
        centre = unit_vectors([self.longitude], [self.latitude])
        distance = distances_km(points.reshape(-1, 3), centre)[:, 0]
        return np.asarray((distance <= self.radius_km * (1 + 1e-9)).reshape(points.shape[:-1]))


Region = BoxRegion | CapRegion


class Grid(NamedTuple):
    """
    Nodes of a region.

    Parameters
    ----------
    longitude_deg : ndarray, shape (columns,)
        Rising, from the west of the region, also beyond 180; around the Earth the last is not the first.
    latitude_deg : ndarray, shape (rows,)
        Rising.
    inside : ndarray of bool, shape (rows, columns)
        Nodes in the region.
    """

    longitude_deg: NDArray[np.float64]
    latitude_deg: NDArray[np.float64]
    inside: NDArray[np.bool_]

    @property
    def around(self) -> bool:
        """Whether the columns go once around the Earth."""
        return bool(len(self.longitude_deg) > 2 and _goes_around(self.longitude_deg))

    def mesh(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return longitudes and latitudes of all nodes, each of shape (rows, columns)."""
        longitude, latitude = np.meshgrid(self.longitude_deg, self.latitude_deg)
        return longitude, latitude


def grid_of(region: Region, *, step_deg: float = 0.25) -> Grid:
    """
    Return the grid of a region.

    Parameters
    ----------
    region : BoxRegion or CapRegion
        The nodes begin at its west and south, and end at its east and north or less than a step before.
    step_deg : float
        From row to row. From column to column, too, but for regions that lie wholly beyond 60° or around a
        pole: their columns are as far apart as their rows on the parallel that is nearest to the equator.

    Raises
    ------
    ConfigError
        The step is no number above 0, larger than the region, or so small that the grid would have more
        than 4 million nodes.

    Examples
    --------
    >>> grid = grid_of(BoxRegion(170, -50, -170, -30), step_deg=5)
    >>> grid.longitude_deg, grid.latitude_deg
    (array([170., 175., 180., 185., 190.]), array([-50., -45., -40., -35., -30.]))
    >>> grid_of(CapRegion(0, 90, 2000), step_deg=1).inside.shape
    (18, 112)
    """
    west, south, east, north = region.box
    if not (math.isfinite(step_deg) and 0 < step_deg <= min(east - west, north - south)):
        raise ConfigError(
            f"step_deg should be above 0 and at most the {min(east - west, north - south):g}° of the region,"
            f" got {step_deg}"
        )
    count = (north - south) / step_deg * (east - west) / _column_step(region, step_deg)
    if count > MOST_NODES:
        raise ConfigError(f"step_deg {step_deg:g} gives {count:.3g} nodes, more than {MOST_NODES:.3g}")
    latitude = _rows(south, north, step_deg)
    longitude = _columns(west, east, _column_step(region, step_deg))
    nodes = np.meshgrid(longitude, latitude)
    return Grid(longitude, latitude, region.contains(*nodes))


def region_around(longitude_deg: ArrayLike, latitude_deg: ArrayLike, *, margin_km: float = 200.0) -> Region:
    """
    Return the smallest region that holds some points with a margin around them.

    That is a box over the antimeridian where this makes it smaller, and a cap around the pole where the
    points surround one.

    Parameters
    ----------
    longitude_deg, latitude_deg : array_like, shape (points,)
    margin_km : float
        Distance from the outermost points to the edge, at least 1.

    Raises
    ------
    ConfigError
        There is no point, or the margin is too small.

    Examples
    --------
    >>> region = region_around([178, -177], [-40, -38], margin_km=111.195)
    >>> [round(edge, 2) for edge in region.box]
    [176.67, -41.0, 184.33, -37.0]
    >>> region_around([0, 90, 180, -90], [-70, -75, -80, -75], margin_km=100)
    CapRegion(longitude=0.0, latitude=-90.0, radius_km=2323.9...)
    """
    longitude = np.unique(np.asarray(longitude_deg, dtype=np.float64) % 360)
    latitude = np.asarray(latitude_deg, dtype=np.float64)
    if not len(longitude) or not math.isfinite(margin_km) or margin_km < 1:
        raise ConfigError(
            f"a region needs a point and a margin of at least 1 km, got {latitude.size}, {margin_km}"
        )
    margin_deg = margin_km / _KM_PER_DEGREE
    low, high = float(latitude.min()) - margin_deg, float(latitude.max()) + margin_deg
    gaps = np.diff(np.concatenate([longitude, longitude[:1] + 360]))
    widest = int(np.argmax(gaps))
    if low <= -90 or high >= 90 or (gaps[widest] < 180 and min(abs(low), abs(high)) > 30 and low * high > 0):
        pole = 90.0 if low + high > 0 else -90.0
        reach_deg = float(np.abs(pole - latitude).max()) + margin_deg
        return CapRegion(0.0, pole, reach_deg * _KM_PER_DEGREE)
    east = float(longitude[widest])
    west = float(longitude[(widest + 1) % len(longitude)])
    aside = margin_deg / math.cos(math.radians(max(abs(low), abs(high))))
    if gaps[widest] <= 2 * aside:
        return BoxRegion(-180.0, low, 180.0, high)
    west, width = (west - aside + 180) % 360 - 180, (east - west) % 360 + 2 * aside
    return BoxRegion(west, low, (west + width + 180) % 360 - 180, high)


def _column_step(region: Region, step_deg: float) -> float:
    """Return the step in longitude; around the Earth it divides 360."""
    west, south, east, north = region.box
    nearest = 0.0 if south * north < 0 else min(abs(south), abs(north))
    polar = nearest >= _POLAR_DEG or (east - west >= 360 and south * north >= 0)
    step = step_deg / math.cos(math.radians(nearest)) if polar and nearest < 89.9 else step_deg
    return (east - west) / max(3, math.ceil((east - west) / step - 1e-9)) if polar else step


def _rows(south: float, north: float, step_deg: float) -> NDArray[np.float64]:
    """Return latitudes; a pole that the region holds is one of them."""
    count = math.floor((north - south) / step_deg + 1e-9)
    if north == 90 and south > -90:
        return np.asarray(north - step_deg * np.arange(count, -1, -1.0))
    return np.asarray(south + step_deg * np.arange(count + 1.0))


def _columns(west: float, east: float, step_deg: float) -> NDArray[np.float64]:
    count = math.floor((east - west) / step_deg + 1e-9)
    columns = west + step_deg * np.arange(count + 1.0)
    return np.asarray(columns[:-1] if columns[-1] >= west + 360 - 1e-9 else columns)


def _goes_around(longitude: NDArray[np.float64]) -> bool:
    step = longitude[1] - longitude[0]
    return bool(longitude[-1] - longitude[0] + 1.5 * step >= 360)
