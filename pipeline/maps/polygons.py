"""
Polygons by name from GeoJSON (RFC 7946), and which points lie in them.

As the standard has it, edges are straight in longitude and latitude, and a polygon over the antimeridian is
cut there in two. Longitudes beyond 180 are taken, too. An edge that goes over more than half of the Earth may
be meant either way round, and is refused.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError

__all__ = ["Polygon", "read_polygons"]

_NAMES = ("name", "NAME", "Name", "id")
Ring = NDArray[np.float64]


@dataclass(frozen=True)
class Polygon:
    """
    An area with a name: what lies within an odd number of its rings.

    Parameters
    ----------
    name : str
        What it is called in contrasts.
    rings : tuple of ndarray, shape (points, 2)
        Longitude and latitude in degrees, closed; of all its parts and holes.

    Examples
    --------
    >>> square = Polygon("square", (np.array([[170, 0], [190, 0], [190, 9], [170, 9], [170, 0]]),))
    >>> square.contains([175, -175, 165], [5, 5, 5]).tolist()
    [True, True, False]
    """

    name: str
    rings: tuple[Ring, ...]

    def contains(self, longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> NDArray[np.bool_]:
        """Tell which points lie inside, at whichever turn of the Earth their longitudes are given."""
        x, y = np.broadcast_arrays(np.asarray(longitude_deg, float), np.asarray(latitude_deg, float))
        found = np.zeros(x.shape, dtype=bool)
        for turn in (-360.0, 0.0, 360.0):
            inside = np.zeros(x.shape, dtype=bool)
            for ring in self.rings:
                inside ^= _in_ring(x % 360 + turn, y, ring)
            found |= inside
        return found


def read_polygons(text: str | bytes, *, where: str = "polygons") -> tuple[Polygon, ...]:
    """
    Read the polygons of a GeoJSON.

    Parameters
    ----------
    text : str or bytes
        A FeatureCollection or a Feature with polygons or multi-polygons. The name of each is its property
        ``name`` or ``id``, or the feature's own ``id``; features of one name are one polygon.
    where : str
        What errors call the text, as the path of its file.

    Raises
    ------
    ConfigError
        It is no such GeoJSON, a polygon has no name, is not closed, leaves the Earth, or has an edge over
        more than 180° of longitude.

    Examples
    --------
    >>> read_polygons('{"type": "Feature", "properties": {"name": "a"}, "geometry": {"type": "Point"}}')
    Traceback (most recent call last):
    pipeline.errors.ConfigError: polygons: 'a' should be a Polygon or a MultiPolygon, got 'Point'
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"{where}: should be GeoJSON: {error}") from None
    kind = document.get("type") if isinstance(document, dict) else None
    if kind not in ("FeatureCollection", "Feature"):
        raise ConfigError(f"{where}: should be a FeatureCollection or a Feature, got {kind!r}")
    rings: dict[str, list[Ring]] = {}
    for feature in _features(document):
        if not isinstance(feature, dict) or not isinstance(feature.get("geometry"), dict):
            raise ConfigError(f"{where}: each feature should have a geometry, got {str(feature)[:80]}")
        name = _name(feature, where)
        rings.setdefault(name, []).extend(_rings(feature["geometry"], name, where))
    if not rings:
        raise ConfigError(f"{where}: should hold a polygon, got none")
    return tuple(Polygon(name, tuple(each)) for name, each in rings.items())


def _features(document: dict[str, Any]) -> list[Any]:
    features = document.get("features", []) if document["type"] == "FeatureCollection" else [document]
    return features if isinstance(features, list) else []


def _name(feature: dict[str, Any], where: str) -> str:
    properties = feature.get("properties") or {}
    for found in (*(properties.get(key) for key in _NAMES), feature.get("id")):
        if found not in (None, ""):
            return str(found)
    raise ConfigError(f"{where}: each polygon should have a property 'name', got {sorted(properties)}")


def _rings(geometry: dict[str, Any], name: str, where: str) -> Iterator[Ring]:
    kind = geometry.get("type")
    if kind not in ("Polygon", "MultiPolygon"):
        raise ConfigError(f"{where}: {name!r} should be a Polygon or a MultiPolygon, got {kind!r}")
    try:
        parts = [geometry["coordinates"]] if kind == "Polygon" else geometry["coordinates"]
        rings = [np.array([point[:2] for point in ring], dtype=np.float64) for part in parts for ring in part]
    except (KeyError, TypeError, ValueError):
        raise ConfigError(
            f"{where}: the coordinates of {name!r} should be rings of [longitude, latitude]"
        ) from None
    for ring in rings:
        _check_ring(ring, name, where)
        yield ring


def _check_ring(ring: Ring, name: str, where: str) -> None:
    if ring.ndim != 2 or len(ring) < 4 or np.any(ring[0] != ring[-1]):
        raise ConfigError(f"{where}: a ring of {name!r} should have 4 points, the last like the first")
    if not np.all(np.abs(ring) <= (360.0, 90.0)):  # also where there are NaN
        raise ConfigError(f"{where}: {name!r} should lie within longitudes ±360 and latitudes ±90")
    leap = np.abs(np.diff(ring[:, 0])) > 180
    edge = np.all(np.abs(np.column_stack([ring[:-1, 0], ring[1:, 0]])) == 180, axis=1)
    if np.any(leap & ~edge):
        at = ring[int(np.argmax(leap & ~edge))]
        raise ConfigError(
            f"{where}: {name!r} has an edge over more than 180° of longitude, from {at[0]:g}, {at[1]:g}:"
            " cut it at the antimeridian, or add points between"
        )


def _in_ring(x: Ring, y: Ring, ring: Ring) -> NDArray[np.bool_]:
    """Tell which points see an odd number of edges to their north."""
    inside = np.zeros(x.shape, dtype=bool)
    for (x0, y0), (x1, y1) in itertools.pairwise(ring):
        if x0 != x1:
            across = (min(x0, x1) <= x) & (x < max(x0, x1))
            inside ^= across & (y0 + (y1 - y0) * (x - x0) / (x1 - x0) > y)
    return inside
