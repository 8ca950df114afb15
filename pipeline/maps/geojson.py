"""
Stations and contours as GeoJSON (RFC 7946), for QGIS, web maps and other programs.

Polygons have their outer rings anticlockwise and their holes clockwise; what crosses the antimeridian is cut
there, as the standard asks, since the grid is contoured in pieces that end at it.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.maps.contrasts import Contrast
from pipeline.maps.fields import FieldMap

__all__ = ["contour_bands", "contour_levels", "contour_lines", "contrast_rows", "station_points", "to_json"]

Array = NDArray[np.float64]
Feature = dict[str, Any]

_DECIMALS = 4


def to_json(features: Sequence[Feature], *, about: dict[str, Any] | None = None) -> str:
    """
    Return features as the text of a FeatureCollection, on a line each; no NaN is ever written.

    >>> print(to_json([], about={"unit": "dB"}))
    {"type": "FeatureCollection", "unit": "dB", "features": [
    ]}
    """
    head = json.dumps({"type": "FeatureCollection", **(about or {})}, allow_nan=False)
    lines = ",\n".join(json.dumps(feature, allow_nan=False) for feature in features)
    return f'{head[:-1]}, "features": [\n{lines}{chr(10) if lines else ""}]}}\n'


def station_points(made: FieldMap) -> list[Feature]:
    """
    Return the stations as points, with their values and what the others say of them.

    Parameters
    ----------
    made : FieldMap

    Returns
    -------
    list of dict
        Features with ``name``, ``value``, ``error``, ``unit``; with a cross-validation also ``predicted``
        and ``predicted_std_error``. Stations that were left out have a ``reason`` and no geometry.
    """
    given, checked = made.observations, made.validation
    features = []
    for i, name in enumerate(given.names):
        about: dict[str, Any] = {"name": name, "value": _number(given.value[i]), "unit": made.unit}
        about["error"] = _number(given.error[i])
        if checked is not None:
            about["predicted"] = _number(checked.predicted[i])
            about["predicted_std_error"] = _number(checked.std_error[i])
        place = [round(float(given.longitude_deg[i]), 6), round(float(given.latitude_deg[i]), 6)]
        features.append(_feature({"type": "Point", "coordinates": place}, about))
    features += [_feature(None, {"name": each.name, "reason": each.reason}) for each in given.left_out]
    return features


def contour_levels(value: ArrayLike, *, most: int = 10) -> Array:
    """
    Return round levels that a field crosses: steps of 1, 2, 2.5 or 5 times a power of ten.

    Parameters
    ----------
    value : array_like
        With NaN where there is nothing.
    most : int
        Levels at most.

    Returns
    -------
    ndarray, shape (levels,)
        Rising, within the least and the largest value; none where all values are equal, or there are none.

    Examples
    --------
    >>> contour_levels([-143.2, -118.9, float("nan")], most=6), contour_levels([0.87, 2.6], most=4)
    (array([-140., -135., -130., -125., -120.]), array([1. , 1.5, 2. , 2.5]))
    >>> contour_levels([3.0, 3.0])
    array([], dtype=float64)
    """
    values = np.asarray(value, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values) or most < 1:
        return np.empty(0)
    low, high = float(values.min()), float(values.max())
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-300):
        return np.empty(0)
    power = math.floor(math.log10((high - low) / most)) - 1
    for exponent in range(power, power + 4):
        for factor in (1.0, 2.0, 2.5, 5.0):
            step = factor * 10.0**exponent
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            if last - first + 1 <= most:
                return np.asarray(np.round(step * np.arange(first, last + 1.0), 1 - exponent) + 0.0)
    return np.empty(0)


def contour_lines(made: FieldMap, *, levels: ArrayLike | None = None) -> list[Feature]:
    """
    Return the contours of a map as a MultiLineString for each level.

    Parameters
    ----------
    made : FieldMap
    levels : array_like, optional
        In the units of the map; those of `contour_levels` unless given.

    Returns
    -------
    list of dict
        Features with ``level`` and ``unit``; none for levels that the map does not reach.
    """
    from contourpy import LineType, contour_generator

    value = made.masked(made.value)
    wanted = contour_levels(value) if levels is None else _levels(levels)
    pieces = [contour_generator(*piece, line_type=LineType.Separate) for piece in _pieces(made, value)]
    features = []
    for level in wanted:
        lines = [_rounded(line) for piece in pieces for line in piece.lines(float(level))]
        lines = [line for line in lines if len(line) > 1]
        if lines:
            shape = {"type": "MultiLineString", "coordinates": lines}
            features.append(_feature(shape, {"level": _number(level), "unit": made.unit}))
    return features


def contour_bands(made: FieldMap, *, levels: ArrayLike | None = None) -> list[Feature]:
    """
    Return the areas between contours as a MultiPolygon for each pair of levels.

    The lowest band begins at the least value, the highest ends at the largest. Parameters are those of
    `contour_lines`; features have ``low``, ``high`` and ``unit``.
    """
    from contourpy import FillType, contour_generator

    value = made.masked(made.value)
    wanted = contour_levels(value) if levels is None else _levels(levels)
    least, most = float(np.nanmin(value)), float(np.nanmax(value))
    edges = [least, *(float(each) for each in wanted if least < each < most), most]
    if least == most:
        edges = [least, least + max(abs(least), 1.0) * 1e-9]
    pieces = [contour_generator(*piece, fill_type=FillType.OuterOffset) for piece in _pieces(made, value)]
    features = []
    for low, high in itertools.pairwise(edges):
        # contourpy leaves out what equals the lower bound: the least value belongs to the first band.
        lower = np.nextafter(low, -np.inf) if low == least else low
        parts = [part for piece in pieces for part in _polygons(*piece.filled(lower, high))]
        if parts:
            shape = {"type": "MultiPolygon", "coordinates": parts}
            bounds = {"low": _number(low), "high": _number(high), "unit": made.unit}
            features.append(_feature(shape, bounds))
    return features


def contrast_rows(contrasts: Sequence[Contrast]) -> list[dict[str, Any]]:
    """Return contrasts as plain values for JSON: None for what is missing, the reason beside it."""
    rows = []
    for each in contrasts:
        row = {
            name: _number(value) if isinstance(value, float) else value
            for name, value in each._asdict().items()
            if name != "variogram"
        }
        rows.append(row)
    return rows


def _feature(geometry: dict[str, Any] | None, properties: dict[str, Any]) -> Feature:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _number(value: float) -> float | None:
    return float(f"{value:.9g}") if math.isfinite(value) else None


def _levels(levels: ArrayLike) -> Array:
    found = np.unique(np.asarray(levels, dtype=np.float64))
    if not np.isfinite(found).all():
        raise ConfigError(f"levels of contours should be finite numbers, got {np.asarray(levels).tolist()}")
    return np.asarray(found)


def _pieces(made: FieldMap, value: Array) -> list[tuple[Array, Array, Any]]:
    """Return the grid in pieces that lie between −180 and 180, with a column where it is cut."""
    longitude = made.grid.longitude_deg
    if made.grid.around:
        longitude = np.concatenate([longitude, longitude[:1] + 360])
        value = np.concatenate([value, value[:, :1]], axis=1)
    pieces = []
    for cut in (-180.0, 180.0, 540.0):
        west, east = max(cut - 360, longitude[0]), min(cut, longitude[-1])
        if west >= east:
            continue
        inner = (longitude > west + 1e-9) & (longitude < east - 1e-9)
        columns = np.concatenate([[west], longitude[inner], [east]])
        piece = np.column_stack([_column(longitude, value, x) for x in columns])
        pieces.append((columns - (cut - 180.0), made.grid.latitude_deg, np.ma.masked_invalid(piece)))
    return pieces


def _column(longitude: Array, value: Array, x: float) -> Array:
    """Return the field along a meridian, between two columns of the grid if need be."""
    right = int(np.clip(np.searchsorted(longitude, x - 1e-9), 0, len(longitude) - 1))
    if right == 0 or abs(longitude[right] - x) < 2e-9:
        return value[:, right]
    share = (x - longitude[right - 1]) / (longitude[right] - longitude[right - 1])
    return np.asarray((1 - share) * value[:, right - 1] + share * value[:, right])


def _rounded(line: Any) -> list[list[float]]:
    points = np.round(line, _DECIMALS) + 0.0
    moves = np.concatenate([[True], np.any(np.diff(points, axis=0) != 0, axis=1)])
    return [[float(x), float(y)] for x, y in points[moves]]


def _polygons(points: list[Array], offsets: list[NDArray[np.uint32]]) -> list[list[list[list[float]]]]:
    """Return polygons as lists of rings, the outer one first and anticlockwise."""
    polygons = []
    for whole, bounds in zip(points, offsets, strict=True):
        rings = [_rounded(whole[low:high]) for low, high in itertools.pairwise(bounds)]
        if len(rings[0]) < 4:
            continue  # thinner than the digits that are written
        kept = [ring for ring in rings if len(ring) >= 4]
        polygons.append(
            [ring if _anticlockwise(ring) == (i == 0) else ring[::-1] for i, ring in enumerate(kept)]
        )
    return polygons


def _anticlockwise(ring: list[list[float]]) -> bool:
    x, y = np.array(ring).T
    x = x - x[0]
    return bool(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) > 0)
