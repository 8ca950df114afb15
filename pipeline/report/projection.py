"""
Where a place of the Earth stands on the sheet: a projection chosen by the region.

Regions up to a hemisphere get Lambert's azimuthal equal-area projection about their middle, so that neither
the antimeridian nor a pole is special; a pole in a polar region becomes its middle. Wider ones, the world,
get the plate carrée about their middle meridian. The sphere has the radius 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError

__all__ = ["Box", "Projection", "box_outline", "choose_projection", "unwrapped"]

FloatArray: TypeAlias = NDArray[np.float64]
Box = tuple[float, float, float, float]
"""West, south, east, north in degrees; west above east crosses the antimeridian."""

_WIDEST_DEG: Final = 80.0
_POLAR_DEG: Final = 66.0
_STEPS: Final = 400


@dataclass(frozen=True, slots=True)
class Projection:
    """
    A projection of the sphere.

    Parameters
    ----------
    kind : {"laea", "plate"}
        Lambert's azimuthal equal-area, or the plate carrée.
    longitude_deg, latitude_deg : float
        Its middle; the plate carrée is true to scale along that latitude's parallel.
    radius_deg : float
        Of the region around the middle.

    Examples
    --------
    >>> x, y = Projection("laea", 0.0, 90.0, 30.0).forward([0.0, 90.0], [90.0, 60.0])
    >>> x.round(4), y.round(4)
    (array([0.    , 0.5176]), array([0., 0.]))
    """

    kind: Literal["laea", "plate"]
    longitude_deg: float
    latitude_deg: float
    radius_deg: float

    def forward(self, longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return x (east) and y (north) of places; NaN near the point opposite of the middle."""
        turn = np.radians(unwrapped(longitude_deg, self.longitude_deg) - self.longitude_deg)
        latitude = np.radians(np.asarray(latitude_deg, dtype=np.float64))
        middle = np.radians(self.latitude_deg)
        if self.kind == "plate":
            return turn * np.cos(middle), latitude
        nearness = np.sin(middle) * np.sin(latitude) + np.cos(middle) * np.cos(latitude) * np.cos(turn)
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.where(nearness > -0.85, np.sqrt(2 / (1 + nearness)), np.nan)
        north = np.cos(middle) * np.sin(latitude) - np.sin(middle) * np.cos(latitude) * np.cos(turn)
        return factor * np.cos(latitude) * np.sin(turn), factor * north

    def inverse(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return longitude and latitude in degrees; NaN off the map."""
        middle = np.radians(self.latitude_deg)
        if self.kind == "plate":
            turn, latitude = x / np.cos(middle), np.asarray(y)
            off = (np.abs(turn) > np.pi) | (np.abs(latitude) > np.pi / 2)
        else:
            rho = np.hypot(x, y)
            off = rho > 1.92
            angle = 2 * np.arcsin(np.minimum(rho / 2, 1))
            share = np.where(rho > 0, np.sin(angle) / np.where(rho > 0, rho, 1), 1)
            latitude = np.arcsin(np.clip(np.cos(angle) * np.sin(middle) + y * share * np.cos(middle), -1, 1))
            turn = np.arctan2(x * share, np.cos(middle) * np.cos(angle) - y * share * np.sin(middle))
        return (
            np.where(off, np.nan, self.longitude_deg + np.degrees(turn)),
            np.where(off, np.nan, np.degrees(latitude)),
        )


def unwrapped(longitude_deg: ArrayLike, middle_deg: float) -> FloatArray:
    """
    Return longitudes within half a turn of a middle, that half to its west included.

    >>> unwrapped([-179.0, 179.0, 0.0], 175.0)
    array([181., 179.,   0.])
    """
    longitude = np.asarray(longitude_deg, dtype=np.float64)
    return np.asarray((longitude - middle_deg + 180) % 360 - 180 + middle_deg)


def box_outline(box: Box) -> tuple[FloatArray, FloatArray]:
    """
    Return points along the outline of a box, and within it: longitudes and latitudes.

    Raises
    ------
    ConfigError
        Its latitudes do not rise, or lie beyond the poles.
    """
    west, south, east, north = box
    if not (-90 <= south < north <= 90 and abs(west) <= 360 and abs(east) <= 360 and west != east):
        raise ConfigError(
            f"region {box}: should be west, south, east, north in degrees, south below north, west not east"
        )
    width = east - west if east > west else east - west + 360
    grid = np.meshgrid(west + np.linspace(0, min(width, 360), 41), np.linspace(south, north, 21))
    return grid[0].ravel(), grid[1].ravel()


def choose_projection(longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> Projection:
    """
    Return the projection for a region.

    Parameters
    ----------
    longitude_deg, latitude_deg : array_like, shape (places,)
        Of the region: stations, cells, the outline of a box. None at all is the world.

    Examples
    --------
    >>> choose_projection([75.0, 130.0], [20.0, 50.0]).kind, choose_projection([], []).kind
    ('laea', 'plate')
    >>> choose_projection([0.0, 120.0, -120.0], [-75.0, -75.0, -75.0]).latitude_deg
    -90.0
    """
    longitude, latitude = (np.asarray(each, dtype=np.float64) for each in (longitude_deg, latitude_deg))
    if not len(longitude):
        return Projection("plate", 0.0, 0.0, 180.0)
    places = _unit_vectors(longitude, latitude)
    middle = _middle(places)
    radius = _radius_deg(places, middle)
    if radius > _WIDEST_DEG:
        return Projection("plate", _middle_longitude(longitude), 0.0, 180.0)
    at_latitude = round(float(np.degrees(np.arcsin(np.clip(middle[2], -1, 1)))), 1)
    at_longitude = round(float(np.degrees(np.arctan2(middle[1], middle[0]))), 1)
    if abs(at_latitude) > _POLAR_DEG and 90 - abs(at_latitude) < radius:
        at_latitude = float(np.copysign(90, at_latitude))
        at_longitude = at_longitude if _is_sector(longitude) else 0.0
    centre = _unit_vectors(np.array([at_longitude]), np.array([at_latitude]))[0]
    return Projection("laea", at_longitude, at_latitude, _radius_deg(places, centre))


def _unit_vectors(longitude_deg: FloatArray, latitude_deg: FloatArray) -> FloatArray:
    longitude, latitude = np.radians(longitude_deg), np.radians(latitude_deg)
    return np.stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)],
        axis=-1,
    )


def _middle(places: FloatArray) -> FloatArray:
    # Bădoiu and Clarkson (2003): steps towards what is farthest end in the middle of the smallest circle.
    middle = places.mean(axis=0)
    for step in range(1, _STEPS):
        middle = middle + (places[np.argmin(places @ middle)] - middle) / (step + 1)
    length = float(np.linalg.norm(middle))
    return middle / length if length > 1e-6 else np.array([1.0, 0.0, 0.0])


def _radius_deg(places: FloatArray, middle: FloatArray) -> float:
    return float(np.degrees(np.arccos(np.clip((places @ middle).min(), -1, 1))))


def _gap(longitude_deg: FloatArray) -> tuple[float, float]:
    """Return where the widest gap between longitudes begins, and its width."""
    rising = np.unique(np.mod(longitude_deg, 360))
    gaps = np.diff(np.append(rising, rising[0] + 360))
    return float(rising[np.argmax(gaps)]), float(gaps.max())


def _middle_longitude(longitude_deg: FloatArray) -> float:
    start, width = _gap(longitude_deg)
    if width < 30:
        return 0.0
    return round(float((start + width / 2) % 360 - 180), 1)


def _is_sector(longitude_deg: FloatArray) -> bool:
    return _gap(longitude_deg)[1] > 90
