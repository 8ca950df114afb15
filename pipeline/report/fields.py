"""What a map shows beside its stations: a field on a grid, and lines such as coasts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.report.packing import Store, digits_for, rounded
from pipeline.report.projection import Projection, unwrapped

__all__ = ["Field", "Outlines", "field_at", "field_cells", "lines_payload", "visible_pieces"]

FloatArray: TypeAlias = NDArray[np.float64]
OutlineKind = Literal["coast", "border", "polygon"]

_KINDS: Final = ("coast", "border", "polygon")
_MARGIN: Final = 1.6  # of the region's radius: what a reader may drag into view


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field:
    """
    A field on a grid of longitudes and latitudes.

    Parameters
    ----------
    longitude_deg, latitude_deg : array_like, shape (columns,) and (rows,)
        Evenly spaced; may run over the antimeridian, as 170, ..., 180, −179.
    values : array_like, shape (rows, columns)
        NaN where it is masked.
    standard_error : array_like of the same shape, optional
    name : str
        How its layer is called; that of the map's quantity unless given.

    Raises
    ------
    ConfigError
        A shape is wrong, or the grid is not even.
    """

    longitude_deg: Any
    latitude_deg: Any
    values: Any
    standard_error: Any = None
    name: str = ""

    def __post_init__(self) -> None:
        longitude, latitude, values = (
            np.asarray(each, dtype=np.float64)
            for each in (self.longitude_deg, self.latitude_deg, self.values)
        )
        longitude = np.unwrap(longitude, period=360.0) if longitude.ndim == 1 else longitude
        error = None if self.standard_error is None else np.asarray(self.standard_error, dtype=np.float64)
        for what, array in (("values", values), ("standard_error", error)):
            if array is not None and array.shape != (latitude.size, longitude.size):
                raise ConfigError(
                    f"field: {what} should have the shape (latitudes, longitudes)"
                    f" = {(latitude.size, longitude.size)}, got {array.shape}"
                )
        for what, axis in (("longitude_deg", longitude), ("latitude_deg", latitude)):
            _check_even(what, axis)
        if not (np.abs(latitude) <= 90 + 1e-9).all():
            raise ConfigError(
                f"field: latitude_deg should lie between -90 and 90, got {latitude.min()} to {latitude.max()}"
            )
        for name, array in (
            ("longitude_deg", longitude),
            ("latitude_deg", latitude),
            ("values", values),
            ("standard_error", error),
        ):
            object.__setattr__(self, name, array)


def _check_even(what: str, axis: FloatArray) -> None:
    if axis.ndim != 1 or len(axis) < 2:
        raise ConfigError(
            f"field: {what} should have one axis and two values or more, got the shape {axis.shape}"
        )
    steps = np.diff(axis)
    if not (np.isfinite(axis).all() and steps[0] != 0 and np.allclose(steps, steps[0], rtol=1e-3, atol=1e-9)):
        raise ConfigError(
            f"field: {what} should be evenly spaced, got steps from {steps.min()} to {steps.max()}"
        )


def field_cells(field: Field) -> tuple[FloatArray, FloatArray]:
    """Return longitudes and latitudes of the cells that are not masked."""
    row, column = np.nonzero(np.isfinite(field.values))
    return field.longitude_deg[column], field.latitude_deg[row]


def field_at(field: Field, longitude_deg: FloatArray, latitude_deg: FloatArray) -> FloatArray:
    """Return the value of the nearest cell; NaN off the grid."""
    longitude, latitude = field.longitude_deg, field.latitude_deg
    across = _nearest(unwrapped(longitude_deg, float(longitude.mean())), longitude)
    down = _nearest(latitude_deg, latitude)
    held = (across >= 0) & (down >= 0)
    return np.where(held, field.values[np.where(held, down, 0), np.where(held, across, 0)], np.nan)


def _nearest(value: FloatArray, axis: FloatArray) -> NDArray[np.int64]:
    place = (value - axis[0]) / (axis[1] - axis[0])
    held = np.isfinite(place) & (place >= -0.5) & (place < len(axis) - 0.5)
    return np.where(held, np.rint(np.where(held, place, 0)), -1).astype(np.int64).clip(max=len(axis) - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """
    Lines on the Earth.

    Parameters
    ----------
    paths : sequence of array_like, shape (points, 2)
        Longitude and latitude in degrees; a row of NaN breaks a line.
    kind : {"coast", "border", "polygon"}

    Raises
    ------
    ConfigError
        A path has another shape.
    """

    paths: Sequence[Any]
    kind: OutlineKind = "coast"

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ConfigError(f"outlines: kind should be one of {', '.join(_KINDS)}, got {self.kind!r}")
        paths = [np.asarray(path, dtype=np.float64) for path in self.paths]
        for number, path in enumerate(paths):
            if path.ndim != 2 or path.shape[1] != 2:
                raise ConfigError(
                    f"outlines: path {number} should have the shape (points, 2), got {path.shape}"
                )
        object.__setattr__(self, "paths", tuple(paths))


def visible_pieces(outlines: Outlines, projection: Projection) -> list[FloatArray]:
    """
    Return the pieces of lines that lie in a map's reach, shape (points, 2) each.

    A piece keeps one point beyond, so that it leaves the reach and does not end at its edge.
    """
    pieces = []
    for path in outlines.paths:
        near = _is_near(path, projection).copy()
        near[1:] |= near[:-1].copy()
        near[:-1] |= near[1:].copy()
        near &= np.isfinite(path).all(axis=1)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], near, [False]]).astype(np.int8)))
        pieces += [path[start:stop] for start, stop in edges.reshape(-1, 2) if stop - start > 1]
    return pieces


def _is_near(path: FloatArray, projection: Projection) -> NDArray[np.bool_]:
    if projection.kind == "plate":
        return np.asarray(np.isfinite(path).all(axis=1))
    longitude, latitude = np.radians(path).T
    middle = np.radians([projection.longitude_deg, projection.latitude_deg])
    nearness = np.sin(middle[1]) * np.sin(latitude) + np.cos(middle[1]) * np.cos(latitude) * np.cos(
        longitude - middle[0]
    )
    reach_deg = min(projection.radius_deg * _MARGIN + 2, 140)
    return np.asarray(nearness > np.cos(np.radians(reach_deg)))


def lines_payload(outlines: Sequence[Outlines], projection: Projection, store: Store) -> list[dict[str, Any]]:
    """Return what the script needs: per kind all longitudes, all latitudes, and the lengths of the pieces."""
    digits = digits_for([0.0, 2 * projection.radius_deg], steps=4000)
    payload = []
    for each in outlines:
        pieces = [_thinned(piece, projection, digits) for piece in visible_pieces(each, projection)]
        pieces = [piece for piece in pieces if len(piece) > 1]
        if pieces:
            points = np.concatenate(pieces)
            payload.append(
                {
                    "kind": each.kind,
                    "lengths": [len(piece) for piece in pieces],
                    "longitude": store.array(points[:, 0], digits),
                    "latitude": store.array(points[:, 1], digits),
                }
            )
    return payload


def _thinned(piece: FloatArray, projection: Projection, digits: int) -> FloatArray:
    """Return a piece without points that fall on the one before."""
    longitude = unwrapped(piece[:, 0], projection.longitude_deg)
    points = np.stack([rounded(longitude, digits), rounded(piece[:, 1], digits)], axis=1)
    kept = np.ones(len(points), dtype=bool)
    kept[1:] = (np.diff(points, axis=0) != 0).any(axis=1)
    return points[kept]
