"""
How far points lie from the sea, and which of them lie in it.

Distances go along great circles to the nearest segment of a coastline: a tree of the lines' points finds the
segments that can be nearest, which are then measured exactly. Whether a point is land is told by how often
the meridian from it to the North Pole crosses a coast.

The lines are those of a map at 1:50 million: a point may be a few kilometres off, and what lies within them
is best taken as at the coast. The Caspian Sea is no ocean: it is water, but its shore is not the coast.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from pipeline.errors import ConfigError
from pipeline.figures.coastlines import Scale, land_rings
from pipeline.maps.sphere import chord_km, unit_vectors

__all__ = ["COAST_SCALE_KM", "coast_covariate", "coast_distance_km", "on_land"]

COAST_SCALE_KM: Final = 10.0
"""Within this of the coast, the covariate hardly changes: no finer than the coastlines are."""

_SLICE: Final = 20_000
_CELLS: Final = 720
Array = NDArray[np.float64]


def coast_distance_km(longitude_deg: ArrayLike, latitude_deg: ArrayLike, *, scale: Scale = "50m") -> Array:
    """
    Return how far points are from the nearest coast of an ocean.

    Parameters
    ----------
    longitude_deg, latitude_deg : array_like, shape (...)
    scale : {"50m", "110m"}
        Of the coastlines.

    Returns
    -------
    ndarray, shape (...)
        In kilometres, above zero on land and below it at sea.

    Examples
    --------
    Lhasa, Beijing, and the point of the Pacific that is the farthest from land.

    >>> coast_distance_km([91.1, 116.4, -123.4], [29.65, 39.9, -48.9]).round(-1)
    array([  680.,   150., -2700.])
    """
    longitude, latitude = np.broadcast_arrays(*_numbers(longitude_deg, latitude_deg))
    points = unit_vectors(longitude.ravel(), latitude.ravel())
    tree, start, end, longest = _coast(scale)
    distance = np.empty(len(points))
    for low in range(0, len(points), _SLICE):
        piece = slice(low, low + _SLICE)
        distance[piece] = _to_segments(points[piece], tree, start, end, longest)
    land = on_land(longitude, latitude, scale=scale, inland=False)
    return np.where(land, 1.0, -1.0) * distance.reshape(longitude.shape)


def coast_covariate(distance_km: ArrayLike, *, scale_km: float = COAST_SCALE_KM) -> Array:
    """
    Return what a level is taken to be linear in, of a distance to the coast: log10(1 + d / scale), at sea 0.

    A microseism that comes from the coast falls in dB with the logarithm of the distance, not with the
    distance.

    Examples
    --------
    >>> coast_covariate([-300.0, 0.0, 90.0, 990.0])
    array([0., 0., 1., 2.])
    """
    return np.asarray(np.log10(1.0 + np.maximum(np.asarray(distance_km, dtype=np.float64), 0.0) / scale_km))


def on_land(
    longitude_deg: ArrayLike, latitude_deg: ArrayLike, *, scale: Scale = "50m", inland: bool = True
) -> NDArray[np.bool_]:
    """
    Tell which points lie on land.

    Parameters
    ----------
    longitude_deg, latitude_deg : array_like, shape (...)
    scale : {"50m", "110m"}
        Of the coastlines.
    inland : bool
        Take the Caspian Sea for water.

    Returns
    -------
    ndarray of bool, shape (...)

    Examples
    --------
    >>> on_land([91.1, 51.0, -150.0, 0.0], [29.65, 42.0, 0.0, -90.0]).tolist()
    [True, False, False, True]
    """
    longitude, latitude = np.broadcast_arrays(*_numbers(longitude_deg, latitude_deg))
    shape, x, y = longitude.shape, longitude.ravel() % 360, latitude.ravel()
    cells = _crossing_cells(scale, inland)
    cell = np.minimum((x * _CELLS / 360).astype(np.int64), _CELLS - 1)
    order = np.argsort(cell, kind="stable")
    bounds = np.searchsorted(cell[order], np.arange(_CELLS + 1))
    land = np.zeros(len(x), dtype=bool)
    for number in np.flatnonzero(np.diff(bounds)):
        segments = cells[number]
        members = order[bounds[number] : bounds[number + 1]]
        for low in range(0, len(members), 4096):
            at = members[low : low + 4096]
            land[at] = _crossings(segments, x[at], y[at]) % 2 == 1
    return land.reshape(shape)


def _numbers(longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> tuple[Array, Array]:
    longitude, latitude = (np.asarray(each, dtype=np.float64) for each in (longitude_deg, latitude_deg))
    if not (np.isfinite(longitude).all() and np.all(np.abs(latitude) <= 90)):
        raise ConfigError("points should have finite longitudes and latitudes within ±90")
    return longitude, latitude


@functools.lru_cache(maxsize=2)
def _coast(scale: Scale) -> tuple[cKDTree, Array, Array, float]:
    """Return a tree of the middles of all segments of coasts, their ends, and half the longest chord."""
    lines = [unit_vectors(ring[:, 0], ring[:, 1]) for ring in land_rings(scale=scale, inland=False)]
    start = np.concatenate([line[:-1] for line in lines])
    end = np.concatenate([line[1:] for line in lines])
    pieces = np.ceil(np.linalg.norm(end - start, axis=1) / 0.002).astype(np.int64)  # 13 km
    number = np.repeat(np.arange(len(start)), pieces)
    place = np.arange(len(number)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    edges = [_on_sphere(start[number], end[number], (place + shift) / pieces[number]) for shift in (0, 1)]
    middle = _on_sphere(edges[0], edges[1], np.full(len(number), 0.5))
    half = float(np.linalg.norm(edges[1] - edges[0], axis=1).max()) / 2
    return cKDTree(middle), edges[0], edges[1], half


def _on_sphere(start: Array, end: Array, share: Array) -> Array:
    points = start + share[:, None] * (end - start)
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True))


def _to_segments(points: Array, tree: cKDTree, start: Array, end: Array, half: float) -> Array:
    """
    Return the distance of points to the nearest segment.

    The nearest one has its middle no farther than the nearest middle and half a segment on each side.
    """
    nearest, _ = tree.query(points)
    best = np.full(len(points), np.inf)
    found = tree.query_ball_point(points, nearest + 2.01 * half, return_sorted=False)
    count = np.fromiter((len(each) for each in found), np.int64, len(found))
    point = np.repeat(np.arange(len(points)), count)
    segment = np.concatenate([np.asarray(each, dtype=np.int64) for each in found])
    for low in range(0, len(point), 500_000):
        at, which = point[low : low + 500_000], segment[low : low + 500_000]
        along = end[which] - start[which]
        # Segments are so short that the nearest point of the chord is, to a millimetre, that of the arc.
        share = np.einsum("ij,ij->i", points[at] - start[which], along) / np.einsum("ij,ij->i", along, along)
        closest = _on_sphere(start[which], end[which], np.clip(share, 0.0, 1.0))
        np.minimum.at(best, at, np.linalg.norm(points[at] - closest, axis=1))
    return chord_km(best)


@functools.lru_cache(maxsize=4)
def _crossing_cells(scale: Scale, inland: bool) -> tuple[Array, ...]:
    """Return the segments that touch each half degree of longitude: west and its latitude, then east."""
    lines = land_rings(scale=scale, inland=inland)
    ends = np.concatenate([np.column_stack([line[:-1], line[1:]]) for line in lines])
    ends = np.where((ends[:, 0] <= ends[:, 2])[:, None], ends, ends[:, [2, 3, 0, 1]])
    ends = ends[ends[:, 0] < ends[:, 2]]  # along a meridian, nothing crosses it
    ends[:, [0, 2]] -= (np.floor(ends[:, 0] / 360) * 360)[:, None]
    over = ends[ends[:, 2] > 360] - np.array([360.0, 0.0, 360.0, 0.0])
    ends = np.concatenate([ends, over])
    first = np.clip(np.floor(ends[:, 0] * _CELLS / 360), 0, _CELLS - 1).astype(np.int64)
    last = np.clip(np.floor(ends[:, 2] * _CELLS / 360), 0, _CELLS - 1).astype(np.int64)
    cell = np.concatenate([np.arange(low, high + 1) for low, high in zip(first, last, strict=True)])
    number = np.repeat(np.arange(len(ends)), last - first + 1)
    order = np.argsort(cell, kind="stable")
    return tuple(np.split(ends[number[order]], np.searchsorted(cell[order], np.arange(1, _CELLS))))


def _crossings(segments: Array, x: Array, y: Array) -> NDArray[np.int64]:
    """Return how many segments lie north of each point; each holds its western end, not its eastern one."""
    west, south, east, north = segments.T
    x = x[:, None]
    across = (west <= x) & (x < east)
    latitude = south + (north - south) * (x - west) / (east - west)
    return np.asarray(np.sum(across & (latitude > y[:, None]), axis=1))
