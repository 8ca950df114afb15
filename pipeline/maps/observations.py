"""
Values at stations as a map takes them: what can be used, and what was left out and why.

Two stations at one place are both kept: a variogram with a nugget, or errors of their own, says how far they
may differ. What has no value or no place is left out by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from pipeline.errors import ConfigError
from pipeline.maps.sphere import unit_vectors

__all__ = ["LeftOut", "Observations", "gather", "subtract"]

Array = NDArray[np.float64]

_LINE = 0.02
_SAME_PLACE = 1e-9


class LeftOut(NamedTuple):
    """A station that a map does without, and the reason."""

    name: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Observations:
    """
    One value at each of some stations; made by `gather`.

    Parameters
    ----------
    names : tuple of str
        Of the stations, in their order.
    longitude_deg, latitude_deg : ndarray, shape (stations,)
        Longitudes from −180 up to 180.
    value, error : ndarray, shape (stations,)
        In one unit; errors are standard deviations of each value alone, 0 where not known.
    left_out : tuple of LeftOut
        Stations without a usable value or place.
    """

    names: tuple[str, ...]
    longitude_deg: Array
    latitude_deg: Array
    value: Array
    error: Array
    left_out: tuple[LeftOut, ...] = ()

    def __len__(self) -> int:
        return len(self.names)

    @property
    def vectors(self) -> Array:
        """The stations on the unit sphere, shape (stations, 3)."""
        return unit_vectors(self.longitude_deg, self.latitude_deg)

    def select(self, chosen: ArrayLike) -> Observations:
        """Return some of the stations, chosen by a mask or by their numbers."""
        at = np.arange(len(self))[np.asarray(chosen)]
        return Observations(
            names=tuple(self.names[i] for i in at),
            longitude_deg=self.longitude_deg[at],
            latitude_deg=self.latitude_deg[at],
            value=self.value[at],
            error=self.error[at],
        )

    def remarks(self) -> tuple[str, ...]:
        """Return what a reader of the map should know: shared places, stations on a line, equal values."""
        found = []
        vectors = self.vectors
        if len(self) and len(shared := _shared(vectors)):
            names = ", ".join(self.names[i] for i in shared[:6]) + (", ..." if len(shared) > 6 else "")
            found.append(f"{len(shared)} of {len(self)} stations share a place with another: {names}")
        if len(self) >= 3 and _on_a_line(vectors):
            found.append(f"the {len(self)} stations lie on a line: across it the map says little")
        if len(self) >= 2 and np.ptp(self.value) == 0:
            found.append(f"all {len(self)} values are {self.value[0]:g}: they have no variance to fit")
        return tuple(found)


def gather(
    names: Sequence[str],
    longitude_deg: ArrayLike,
    latitude_deg: ArrayLike,
    value: ArrayLike,
    *,
    error: ArrayLike | None = None,
) -> Observations:
    """
    Take what can be used of values at stations.

    Parameters
    ----------
    names : sequence of str, length (stations)
        Each once.
    longitude_deg, latitude_deg : array_like, shape (stations,)
        Longitudes from −180 to 360.
    value : array_like, shape (stations,)
        Levels in one unit; NaN where a station has none.
    error : array_like, shape (stations,), optional
        Standard deviation of each value; NaN is taken as not known, which is 0.

    Returns
    -------
    Observations

    Raises
    ------
    ConfigError
        Lengths differ, or a name comes twice.

    Examples
    --------
    >>> taken = gather(["A", "B", "C"], [100, 101, 102], [30, 31, 95], [1.5, float("nan"), 1.2])
    >>> taken.names, taken.left_out
    (('A',), (LeftOut(name='B', reason='its value is nan'), LeftOut(name='C', reason='its latitude is 95')))
    """
    columns = [np.asarray(each, dtype=np.float64) for each in (longitude_deg, latitude_deg, value)]
    columns.append(np.zeros(len(names)) if error is None else _known(error))
    if any(column.shape != (len(names),) for column in columns):
        shapes = [column.shape for column in columns]
        raise ConfigError(f"{len(names)} stations should have as many places, values, errors; got {shapes}")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ConfigError(
            f"each station should come once in a map, got {twice[0]!r} {Counter(names)[twice[0]]} times"
        )
    reasons = [_reason(*row) for row in zip(*columns, strict=True)]
    keep = np.array([not reason for reason in reasons], dtype=bool)
    longitude, latitude, level, spread = (column[keep] for column in columns)
    return Observations(
        names=tuple(name for name, good in zip(names, keep, strict=True) if good),
        longitude_deg=(longitude + 180) % 360 - 180,
        latitude_deg=latitude,
        value=level,
        error=spread,
        left_out=tuple(LeftOut(*pair) for pair in zip(names, reasons, strict=True) if pair[1]),
    )


def subtract(later: Observations, earlier: Observations) -> Observations:
    """
    Return the change from one period to another at the stations that have both.

    Errors add as those of independent values. Places are those of the later period.

    Examples
    --------
    >>> before = gather(["A", "B"], [100, 101], [30, 31], [1.0, 2.0], error=[0.3, 0.3])
    >>> after = gather(["B", "C"], [101, 102], [31, 32], [2.5, 1.0], error=[0.4, 0.4])
    >>> change = subtract(after, before)
    >>> change.names, change.value, change.error, [each.reason for each in change.left_out]
    (('B',), array([0.5]), array([0.5]), ['no value in the earlier period', 'no value in the later period'])
    """
    number = {name: i for i, name in enumerate(earlier.names)}
    both = [i for i, name in enumerate(later.names) if name in number]
    at = [number[later.names[i]] for i in both]
    missing = [LeftOut(name, "no value in the earlier period") for name in later.names if name not in number]
    known = set(later.names)
    missing += [LeftOut(name, "no value in the later period") for name in earlier.names if name not in known]
    chosen = later.select(np.array(both, dtype=np.int64))
    return Observations(
        names=chosen.names,
        longitude_deg=chosen.longitude_deg,
        latitude_deg=chosen.latitude_deg,
        value=chosen.value - earlier.value[at],
        error=np.hypot(chosen.error, earlier.error[at]),
        left_out=tuple(missing),
    )


def _known(error: ArrayLike) -> Array:
    errors = np.asarray(error, dtype=np.float64)
    return np.where(np.isnan(errors), 0.0, errors)


def _reason(longitude: float, latitude: float, value: float, error: float) -> str:
    """Return why a station can't be used; nothing where it can."""
    if not (np.isfinite(latitude) and abs(latitude) <= 90):
        return f"its latitude is {latitude:g}"
    if not -180 <= longitude <= 360:
        return f"its longitude is {longitude:g}"
    if not np.isfinite(value):
        return f"its value is {value:g}"
    if not (np.isfinite(error) and error >= 0):
        return f"its error is {error:g}"
    return ""


def _shared(vectors: Array) -> list[int]:
    """Return the stations that lie where another one lies."""
    pairs = cKDTree(vectors).query_pairs(_SAME_PLACE, output_type="ndarray")
    return sorted({int(i) for i in pairs.ravel()})


def _on_a_line(vectors: Array) -> bool:
    """Tell whether the stations lie along a great circle, fifty times as long as wide."""
    across = np.linalg.svd(vectors, compute_uv=False)[2]
    along = np.linalg.svd(vectors - vectors.mean(axis=0), compute_uv=False)[0]
    return bool(along > _SAME_PLACE and across < _LINE * along)
