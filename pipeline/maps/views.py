"""
How a region lies on paper: its projection, its frame, and the land, lines and degrees within it.

Regions are shown by Lambert's azimuthal equal-area projection about their middle, those around a pole about
the pole in a circle; what is wider than half of the Earth by Equal Earth. All three keep areas. Coordinates
on paper are kilometres from the middle.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyproj
from numpy.typing import ArrayLike, NDArray

from pipeline.figures.coastlines import Box, Scale, borders, coastlines, land, land_rings
from pipeline.maps.regions import CapRegion, Region
from pipeline.maps.sphere import EARTH_RADIUS_KM

__all__ = ["Tick", "View", "degree_name", "view_of"]

Frame = Literal["rectangle", "circle", "oval"]
Array = NDArray[np.float64]

_STEPS_DEG = (0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0)
_MARGIN = 0.02
_FINE_KM = 4000.0


@dataclass(frozen=True)
class Tick:
    """
    A name of a meridian or a parallel at the edge of the frame, or within it.

    ``x_km`` and ``y_km`` say where, ``side`` on which side of it the name is to stand.
    """

    name: str
    x_km: float
    y_km: float
    side: Literal["left", "bottom", "around", "within"]


@dataclass(frozen=True)
class View:
    """
    A projection and a frame; made by `view_of`.

    Parameters
    ----------
    kind : {"laea", "eqearth"}
    longitude, latitude : float
        Middle, in degrees.
    frame : {"rectangle", "circle", "oval"}
    bounds_km : tuple of float
        Least and largest x, least and largest y of the frame.
    box : tuple of float
        West, south, east, north of the region.
    """

    kind: Literal["laea", "eqearth"]
    longitude: float
    latitude: float
    frame: Frame
    bounds_km: tuple[float, float, float, float]
    box: Box

    @functools.cached_property
    def _projection(self) -> Any:
        about = {"proj": self.kind, "R": EARTH_RADIUS_KM * 1000, "lon_0": 0.0}
        return pyproj.Proj(about | ({"lat_0": self.latitude} if self.kind == "laea" else {}))

    @property
    def scale(self) -> Scale:
        """Which coastlines suit the size of the frame."""
        return "50m" if self.bounds_km[1] - self.bounds_km[0] < 2 * _FINE_KM else "110m"

    def project(self, longitude_deg: ArrayLike, latitude_deg: ArrayLike) -> tuple[Array, Array]:
        """Return x and y in kilometres; what lies at the antipode of the middle is NaN."""
        longitude = np.asarray(longitude_deg, dtype=np.float64) - self.longitude
        if self.kind == "eqearth":  # the edges, half a turn away, stay on their sides
            longitude = np.where(np.abs(longitude) > 180, (longitude + 180) % 360 - 180, longitude)
        x, y = self._projection(longitude, np.asarray(latitude_deg, dtype=np.float64))
        x, y = np.asarray(x) / 1000, np.asarray(y) / 1000
        good = np.isfinite(x) & np.isfinite(y)
        return np.where(good, x, np.nan), np.where(good, y, np.nan)

    def frame_path(self) -> Array:
        """Return the edge of the frame, closed and anticlockwise, shape (points, 2)."""
        left, right, low, high = self.bounds_km
        if self.frame == "rectangle":
            return np.array([[left, low], [right, low], [right, high], [left, high], [left, low]])
        if self.frame == "circle":
            turn = np.linspace(0, 2 * np.pi, 361)
            return np.column_stack([right * np.cos(turn), right * np.sin(turn)])
        west, south, east, north = self.box
        up, along = np.linspace(south, north, 61), np.linspace(west, east, 61)
        longitude = np.concatenate([along, np.full(61, east), along[::-1], np.full(61, west)])
        latitude = np.concatenate([np.full(61, south), up, np.full(61, north), up[::-1]])
        return np.column_stack(self.project(longitude, latitude))

    def land_paths(self) -> list[Array]:
        """Return closed rings that fill all land in the frame together, by the non-zero rule."""
        if self.kind == "eqearth":
            return [np.column_stack(self.project(*ring.T)) for ring in land(self.box, scale=self.scale)]
        reach = 1.3 * float(np.hypot(*np.abs(np.array(self.bounds_km)).reshape(2, 2).max(axis=1)))
        rings = [
            pulled
            for ring in land_rings(scale=self.scale)
            if self._meets(pulled := _pulled_in(np.column_stack(self.project(*ring.T)), reach))
        ]
        if self._antipode_is_land():
            turn = np.linspace(0, 2 * np.pi, 73)
            rings.append(reach * np.column_stack([np.cos(turn), np.sin(turn)]))
        return rings

    def lines(self, kind: Literal["coastlines", "borders"]) -> list[Array]:
        """Return coastlines or borders, in pieces that do not leap over the map."""
        find = {"coastlines": coastlines, "borders": borders}[kind]
        box = self.box if self.kind == "eqearth" else None
        return [
            piece for line in find(box, scale=self.scale) for piece in self._inside(self.project(*line.T))
        ]

    def graticule(self) -> tuple[list[Array], list[Tick]]:
        """Return meridians and parallels as lines, and their names."""
        lines, ticks = [], []
        meridians, parallels = self._degrees()
        west, south, east, north = self._reach()
        for longitude in meridians:
            ends = (max(south, -85.0), min(north, 85.0)) if self.frame == "circle" else (south, north)
            line = np.column_stack(self.project(np.full(200, longitude), np.linspace(*ends, 200)))
            lines += self._inside((line[:, 0], line[:, 1]))
            ticks += self._meridian_tick(longitude, line)
        for latitude in parallels:
            along = np.linspace(west, east, 721)
            line = np.column_stack(self.project(along, np.full(721, latitude)))
            lines += self._inside((line[:, 0], line[:, 1]))
            ticks += self._parallel_tick(latitude, line)
        return lines, ticks

    def _meets(self, ring: Array) -> bool:
        """Tell whether a ring may reach into the frame, or go around it."""
        left, right, low, high = self.bounds_km
        (west, south), (east, north) = ring.min(axis=0), ring.max(axis=0)
        return bool(west <= right and east >= left and south <= high and north >= low)

    def _antipode_is_land(self) -> bool:
        from pipeline.maps.coasts import on_land

        return bool(on_land(self.longitude + 180, -self.latitude, scale=self.scale))

    def _inside(self, points: tuple[Array, Array]) -> list[Array]:
        """Return the pieces of a line that come near the frame, without leaps."""
        x, y = points
        left, right, low, high = self.bounds_km
        slack = 0.05 * max(right - left, high - low)
        near = (x > left - slack) & (x < right + slack) & (y > low - slack) & (y < high + slack)
        if self.frame == "circle":
            near &= np.hypot(x, y) < right + slack
        leap = np.hypot(np.diff(x), np.diff(y)) > 0.5 * max(right - left, high - low)
        joined = near[:-1] & near[1:] & ~leap
        ends = np.flatnonzero(np.diff(np.concatenate([[0], joined.astype(np.int8), [0]])))
        return [
            np.column_stack([x[i : j + 1], y[i : j + 1]]) for i, j in zip(ends[::2], ends[1::2], strict=True)
        ]

    def _reach(self) -> Box:
        """Return longitudes and latitudes that hold all of the frame, with some to spare."""
        west, south, east, north = self.box
        if self.kind == "eqearth" or self.frame == "circle":
            return self.box
        edge = self.frame_path()
        edge = np.concatenate([np.linspace(a, b, 50) for a, b in itertools.pairwise(edge)])
        longitude, latitude = self._projection(*(edge.T * 1000), inverse=True)
        aside = np.concatenate([np.asarray(longitude), [west - self.longitude, east - self.longitude]])
        aside = aside[np.isfinite(aside)]
        rows = np.concatenate([np.asarray(latitude)[np.isfinite(latitude)], [south, north]])
        return (
            self.longitude + float(aside.min()) - 1.0,
            max(float(rows.min()) - 1.0, -90.0),
            self.longitude + float(aside.max()) + 1.0,
            min(float(rows.max()) + 1.0, 90.0),
        )

    def _degrees(self) -> tuple[Array, Array]:
        west, south, east, north = self._reach()
        if self.frame == "circle":
            step = next(each for each in _STEPS_DEG if (north - south) / each <= 4)
            return np.arange(-150.0, 181.0, 30.0), _rounds(south, north, step)
        step = next((each for each in _STEPS_DEG if max(east - west, north - south) / each <= 7), 60.0)
        parallels = _rounds(south, north, min(step, 30.0))
        return _rounds(west, east, step), parallels[np.abs(parallels) < 90]

    def _meridian_tick(self, longitude: float, line: Array) -> list[Tick]:
        name = degree_name(longitude, "EW")
        left, right, low, _ = self.bounds_km
        if self.frame == "circle":
            outer = line[0] if self.latitude > 0 else line[-1]
            x, y = outer / np.hypot(*outer) * right
            return [Tick(name, float(x), float(y), "around")]
        if self.frame == "oval":
            return [Tick(name, float(line[0, 0]), float(line[0, 1]), "bottom")]
        x = _crossing(line[:, 1], line[:, 0], low)
        return [Tick(name, x, low, "bottom")] if x is not None and left <= x <= right else []

    def _parallel_tick(self, latitude: float, line: Array) -> list[Tick]:
        name = degree_name(latitude, "NS")
        left, right, low, high = self.bounds_km
        if self.frame == "circle":
            x, y = (float(each[0]) for each in self.project([self.longitude + 165.0], [latitude]))
            return [Tick(name, x, y, "within")] if 0.05 * right < np.hypot(x, y) < 0.95 * right else []
        if self.frame == "oval":
            return [Tick(name, float(line[0, 0]), float(line[0, 1]), "left")]
        y_edge = _crossing(line[:, 0], line[:, 1], left)
        return [Tick(name, left, y_edge, "left")] if y_edge is not None and low <= y_edge <= high else []


def view_of(region: Region) -> View:
    """
    Choose the projection and the frame of a region.

    Examples
    --------
    >>> from pipeline.maps.regions import BoxRegion
    >>> china = view_of(BoxRegion(73, 18, 135, 54))
    >>> china.kind, china.longitude, china.latitude, [round(each, -2) for each in china.bounds_km]
    ('laea', 104.0, 36.0, [-3400.0, 3400.0, -2100.0, 2500.0])
    >>> view_of(CapRegion(0, -90, 3000)).frame, view_of(BoxRegion(-180, -90, 180, 90)).kind
    ('circle', 'eqearth')
    """
    west, south, east, north = box = region.box
    middle = (west + east) / 2
    if east - west >= 360 and south * north >= 0:
        pole = 90.0 if south + north > 0 else -90.0
        reach_deg = 90 - min(abs(south), abs(north)) if not _holds_cap(region) else _cap_deg(region)
        radius = 2 * EARTH_RADIUS_KM * math.sin(math.radians(min(reach_deg, 179.0)) / 2)
        return View("laea", middle, pole, "circle", (-radius, radius, -radius, radius), box)
    if east - west > 180:
        view = View("eqearth", middle, 0.0, "oval", (0.0, 0.0, 0.0, 0.0), box)
        return _framed(view, view.frame_path(), 0.0)
    view = View("laea", middle, (south + north) / 2, "rectangle", (0.0, 0.0, 0.0, 0.0), box)
    oval = View("laea", middle, view.latitude, "oval", view.bounds_km, box)
    return _framed(view, oval.frame_path(), _MARGIN)


def degree_name(degrees: float, letters: str) -> str:
    """
    Return the name of a meridian or a parallel.

    >>> degree_name(190, "EW"), degree_name(-7.5, "NS"), degree_name(180, "EW"), degree_name(0, "NS")
    ('170°W', '7.5°S', '180°', '0°')
    """
    turned = (degrees + 180) % 360 - 180 if letters == "EW" else degrees
    if turned == 0 or abs(turned) == 180:
        return f"{abs(turned):g}°"
    return f"{abs(turned):g}°{letters[0] if turned > 0 else letters[1]}"


def _holds_cap(region: Region) -> bool:
    return isinstance(region, CapRegion) and abs(region.latitude) == 90


def _cap_deg(region: Region) -> float:
    assert isinstance(region, CapRegion)
    return math.degrees(region.radius_km / EARTH_RADIUS_KM)


def _framed(view: View, edge: Array, margin: float) -> View:
    """Return a view whose frame holds an edge."""
    (left, low), (right, high) = np.nanmin(edge, axis=0), np.nanmax(edge, axis=0)
    slack = margin * max(right - left, high - low)
    bounds = (float(left - slack), float(right + slack), float(low - slack), float(high + slack))
    return View(view.kind, view.longitude, view.latitude, view.frame, bounds, view.box)


def _pulled_in(ring: Array, reach: float) -> Array:
    """
    Move what lies beyond a circle onto it, and go along it rather than across.

    So a ring that leaves the circle, and one that goes around the antipode, are still closed. Of what lies
    on it, points are kept that are a good way apart.
    """
    ring = ring[np.isfinite(ring).all(axis=1)]
    radius = np.hypot(*ring.T)
    sector = np.where(radius >= reach, np.floor(np.arctan2(ring[:, 1], ring[:, 0]) / 0.1), np.nan)
    keep = np.ones(len(ring), dtype=bool)
    keep[1:-1] = (sector[1:-1] != sector[:-2]) | (sector[1:-1] != sector[2:])
    ring, radius = ring[keep], radius[keep]
    ring = ring * np.minimum(1.0, reach / np.maximum(radius, 1e-9))[:, None]
    angle = np.arctan2(ring[:, 1], ring[:, 0])
    turn = (np.diff(angle) + np.pi) % (2 * np.pi) - np.pi
    long = np.flatnonzero((np.abs(turn) > 0.3) & (radius[:-1] >= reach) & (radius[1:] >= reach))
    for at in long[::-1]:
        count = int(np.ceil(abs(turn[at]) / 0.3))
        between = angle[at] + turn[at] * np.arange(1, count) / count
        ring = np.insert(ring, at + 1, reach * np.column_stack([np.cos(between), np.sin(between)]), axis=0)
    return ring


def _rounds(low: float, high: float, step: float) -> Array:
    return np.asarray(step * np.arange(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1.0))


def _crossing(along: Array, across: Array, edge: float) -> float | None:
    """Return where a line first crosses an edge."""
    offset = along - edge
    at = np.flatnonzero(offset[:-1] * offset[1:] <= 0)
    if not len(at):
        return None
    i = int(at[0])
    span = offset[i] - offset[i + 1]
    share = offset[i] / span if span else 0.0
    return float(across[i] + share * (across[i + 1] - across[i]))
