"""
Coastlines, land and borders of the whole Earth, from one file that comes with stationday.

::

    coastlines.npz ─► land_rings   closed on the sphere, land to the left: for distances and azimuthal maps
                  ├─► land         the same, clipped to a box of longitude and latitude: to be filled
                  ├─► coastlines   lines within a box: to be drawn
                  └─► borders      likewise

The data are Natural Earth's at 1:50 million (points every few kilometres) and 1:110 million (for maps of the
world), in the public domain; `docs/coastlines.py` made the file. Of inland waters they have the Caspian Sea
alone. Borders are those that Natural Earth calls de facto; a map can be drawn without them, or with others.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError

__all__ = ["SOURCE", "Box", "Line", "Scale", "borders", "check_box", "coastlines", "land", "land_rings"]

SOURCE: Final = "Natural Earth 4.1.0 (public domain)"
"""Whose data these are, for the foot of a map."""

Scale = Literal["50m", "110m"]
Line = NDArray[np.float64]
"""Longitude and latitude in degrees, shape (points, 2)."""
Box = tuple[float, float, float, float]
"""West, south, east, north in degrees; with west above east it crosses the antimeridian."""

_FILE = Path(__file__).with_name("coastlines.npz")
_WORLD: Final[Box] = (-180.0, -90.0, 180.0, 90.0)


def check_box(box: Sequence[float]) -> Box:
    """
    Return a box with its east above its west, by up to 360°.

    Raises
    ------
    ConfigError
        It has no area, or ends beyond a pole or at no number.

    Examples
    --------
    >>> check_box((170, -50, -170, -30))
    (170.0, -50.0, 190.0, -30.0)
    >>> check_box((-180, 60, 180, 95))
    Traceback (most recent call last):
    pipeline.errors.ConfigError: box should have south below north, both within ±90, got 60.0 and 95.0
    """
    west, south, east, north = (float(each) for each in box)
    if not all(math.isfinite(each) and abs(each) <= 540 for each in (west, east)):
        raise ConfigError(f"box should have west and east within ±180, got {west} and {east}")
    if not -90 <= south < north <= 90:
        raise ConfigError(f"box should have south below north, both within ±90, got {south} and {north}")
    if west == east:
        raise ConfigError(f"box should be wider than nothing, got {west} for west and east; -180, 180 is all")
    width = east - west if 0 < east - west <= 360 else (east - west) % 360 or 360.0
    return west, south, west + width, north


def land_rings(*, scale: Scale = "50m", inland: bool = True) -> tuple[Line, ...]:
    """
    Return the edges of all land as closed rings on the sphere, with land to their left.

    Parameters
    ----------
    scale : {"50m", "110m"}
        Of the map that they are meant for.
    inland : bool
        With the shores of the Caspian Sea and its islands.

    Returns
    -------
    tuple of ndarray, shape (points, 2)
        Read-only. Longitudes run on without leaps, beyond ±180 where a ring crosses the antimeridian. The
        last point is the first one; around the South Pole it lies 360° to its west.

    Examples
    --------
    >>> rings = land_rings(scale="110m")
    >>> len(rings), max(rings, key=len).shape
    (126, (1759, 2))
    """
    rings, inner = _rings(scale)
    return tuple(ring for ring, each in zip(rings, inner, strict=True) if inland or not each)


def coastlines(box: Box | None = None, *, scale: Scale = "50m") -> list[Line]:
    """
    Return the coastlines within a box.

    Parameters
    ----------
    box : (west, south, east, north), optional
        All of the Earth, cut at the antimeridian, unless given.
    scale : {"50m", "110m"}
        See `land_rings`.

    Returns
    -------
    list of ndarray, shape (points, 2)
        Longitudes lie between the west of the box and its east, which is above 180 where it crosses the
        antimeridian.

    Examples
    --------
    >>> sicily = coastlines((12, 36.5, 16, 38.4))
    >>> all(12 <= line[:, 0].min() and line[:, 0].max() <= 16 for line in sicily)
    True
    """
    bounds = check_box(box or _WORLD)
    return [piece for ring in _rings(scale)[0] for piece in _cut(ring, bounds)]


def borders(box: Box | None = None, *, scale: Scale = "50m") -> list[Line]:
    """
    Return the borders between countries within a box, as `coastlines` does.

    >>> len(borders((5, 45, 11, 48))) > 3, borders((-170, -50, -120, 10))
    (True, [])
    """
    bounds = check_box(box or _WORLD)
    return [piece for line in _lines("borders", scale) for piece in _cut(line, bounds)]


def land(box: Box | None = None, *, scale: Scale = "50m") -> list[Line]:
    """
    Return the land within a box as closed rings, to be filled together by the non-zero rule.

    Parameters
    ----------
    box, scale
        See `coastlines`.

    Returns
    -------
    list of ndarray, shape (points, 2)
        Anticlockwise around land, clockwise around the Caspian Sea. Where the box cuts land they run along
        its edges, and through the South Pole along its parallel: fill them, and draw `coastlines`.

    Examples
    --------
    >>> [[20.0, 50.0] in ring.tolist() for ring in land((20, 50, 21, 51))]
    [True]
    """
    bounds = check_box(box or _WORLD)
    clipped = [piece for ring in _rings(scale)[0] for piece in _clip(_through_pole(ring), bounds)]
    return [ring for ring in clipped if abs(_area(ring)) > 1e-9]


@functools.lru_cache(maxsize=4)
def _rings(scale: Scale) -> tuple[tuple[Line, ...], tuple[bool, ...]]:
    with np.load(_FILE, allow_pickle=False) as stored:
        inner = tuple(bool(each) for each in stored[f"land_{_checked(scale)}_inland"])
    return _lines("land", scale), inner


@functools.lru_cache(maxsize=4)
def _lines(kind: Literal["land", "borders"], scale: Scale) -> tuple[Line, ...]:
    name = f"{kind}_{_checked(scale)}"
    with np.load(_FILE, allow_pickle=False) as stored:
        quantum_deg = float(stored["quantum_deg"])
        first, points = stored[f"{name}_first"], stored[f"{name}_points"]
        steps = stored[f"{name}_steps"].T.astype(np.int64)
    lines = []
    for start, piece in zip(first, np.split(steps, np.cumsum(points - 1)[:-1]), strict=True):
        line = np.cumsum(np.concatenate([start[None, :], piece]), axis=0) * quantum_deg
        line.flags.writeable = False
        lines.append(line)
    return tuple(lines)


def _checked(scale: str) -> str:
    if scale not in ("50m", "110m"):
        raise ConfigError(f"scale of coastlines should be '50m' or '110m', got {scale!r}")
    return scale


def _copies(line: Line, box: Box) -> list[Line]:
    """Return a line as often as it comes into a box, moved by whole turns."""
    west, south, east, north = box
    if line[:, 1].max() < south or line[:, 1].min() > north:
        return []
    low, high = float(line[:, 0].min()), float(line[:, 0].max())
    turns = range(math.ceil((west - high) / 360), math.floor((east - low) / 360) + 1)
    return [line + np.array([360.0 * turn, 0.0]) for turn in turns]


def _with_crossings(line: Line, box: Box) -> Line:
    """Add the points at which a line crosses the edges of a box, or what these are part of."""
    for axis, edge in ((0, box[0]), (0, box[2]), (1, box[1]), (1, box[3])):
        offset = line[:, axis] - edge
        at = np.flatnonzero(offset[:-1] * offset[1:] < 0)
        if len(at):
            share = (offset[at] / (offset[at] - offset[at + 1]))[:, None]
            points = line[at] + share * (line[at + 1] - line[at])
            points[:, axis] = edge
            line = np.insert(line, at + 1, points, axis=0)
    return line


def _cut(line: Line, box: Box) -> list[Line]:
    """Return the pieces of a line that lie in a box."""
    pieces = []
    for copy in _copies(line, box):
        whole = _with_crossings(copy, box)
        middle = (whole[1:] + whole[:-1]) / 2
        inside = np.all((middle >= box[:2]) & (middle <= box[2:]), axis=1)
        edges = np.flatnonzero(np.diff(np.concatenate([[0], inside.astype(np.int8), [0]])))
        pieces += [whole[start : stop + 1] for start, stop in zip(edges[::2], edges[1::2], strict=True)]
    return pieces


def _clip(ring: Line, box: Box) -> list[Line]:
    """
    Return what a box leaves of a ring.

    Points outside are moved to the nearest edge: all that lies outside becomes lines along the edges, which
    have no area.
    """
    found = []
    for copy in _copies(ring, box):
        moved = np.clip(_with_crossings(copy, box), box[:2], box[2:])
        moves = np.concatenate([[True], np.any(np.diff(moved, axis=0) != 0, axis=1)])
        found.append(moved[moves])
    return found


def _through_pole(ring: Line) -> Line:
    """Close a ring around the South Pole in longitude and latitude, by way of the pole's parallel."""
    first, last = ring[0], ring[-1]
    if abs(last[0] - first[0]) < 180:
        return ring
    return np.concatenate([ring, [[last[0], -90.0], [first[0], -90.0], first]])


def _area(ring: Line) -> float:
    """Return the area of a ring in square degrees, above zero where it runs anticlockwise."""
    x, y = ring[:, 0] - ring[0, 0], ring[:, 1]
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]) / 2)
