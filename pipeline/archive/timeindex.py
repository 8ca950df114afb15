"""
The time axis of a selection: an xarray index over the day grid.

A year at 100 Hz has 3,153,600,000 times; none of them is kept. The index computes what is asked for, in
integer nanoseconds, and finds samples by time without a search.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from xarray.core.indexing import IndexSelResult
from xarray.indexes import CoordinateTransform, CoordinateTransformIndex, PandasIndex

from pipeline.archive.grid import DAY_NS, DayGrid

__all__ = ["DayGridIndex", "DayGridTransform", "day_grid_coordinates", "time_to_ns"]


def time_to_ns(time: Any, *, end: bool = False) -> int:
    """
    Return nanoseconds since 1970 of a time in UTC.

    Parameters
    ----------
    time : str, datetime, date, datetime64, Timestamp or UTCDateTime
        Without a zone it is UTC.
    end : bool
        Whether a text of lower resolution means its last nanosecond, as pandas has it for slices.

    Examples
    --------
    >>> time_to_ns("1970-01-01T00:00:01"), time_to_ns("1970-01-01", end=True) == DAY_NS - 1
    (1000000000, True)
    """
    if isinstance(time, str) and end:
        following = pd.Period(time.removesuffix("Z")) + 1
        return int(following.start_time.as_unit("ns").value) - 1
    if hasattr(time, "_ns") and hasattr(time, "datetime"):  # obspy's UTCDateTime
        return int(time._ns)  # noqa: SLF001 (obspy's exact value has no public name)
    stamp = pd.Timestamp(time)
    if stamp.tzinfo is not None:
        stamp = stamp.tz_convert("UTC").tz_localize(None)
    return int(stamp.as_unit("ns").value)


class DayGridTransform(CoordinateTransform):
    """
    Positions along a selection to times and back.

    Parameters
    ----------
    grid : DayGrid
        Samples of a day.
    first : int
        Sample since 1970 at position 0.
    size : int
        Number of positions.
    stride : int
        Samples between neighbouring positions; not 0.
    dim : str
        Dimension and coordinate.
    """

    def __init__(self, grid: DayGrid, first: int, size: int, *, stride: int = 1, dim: str = "time") -> None:
        super().__init__([dim], {dim: size}, dtype=np.dtype("datetime64[ns]"))
        self.grid = grid
        self.first = first
        self.stride = stride

    @property
    def dim(self) -> str:
        """The dimension."""
        return self.dims[0]

    @property
    def size(self) -> int:
        """Number of positions."""
        return self.dim_size[self.dim]

    def forward(self, dim_positions: dict[str, Any]) -> dict[Hashable, Any]:
        """Compute times of positions."""
        positions = np.asarray(dim_positions[self.dim]).astype(np.int64)
        times = _times_ns(self.first + positions * self.stride, self.grid.samples_per_day)
        return {self.coord_names[0]: times.view("datetime64[ns]")}

    def reverse(self, coord_labels: dict[Hashable, Any]) -> dict[str, Any]:
        """Compute the positions, not whole ones, of times."""
        times = np.asarray(coord_labels[self.coord_names[0]]).astype("datetime64[ns]").astype(np.int64)
        days, within = np.divmod(times, DAY_NS)
        n = self.grid.samples_per_day
        samples = (days * n - self.first) + within * (n / DAY_NS)
        return {self.dim: samples / self.stride}

    def equals(self, other: CoordinateTransform, *, exclude: frozenset[Hashable] | None = None) -> bool:  # noqa: ARG002
        """Tell whether two transforms give the same times."""
        return isinstance(other, DayGridTransform) and (
            (self.grid, self.first, self.size, self.stride)
            == (other.grid, other.first, other.size, other.stride)
        )

    def part(self, positions: slice) -> DayGridTransform:
        """Return the transform of a slice of the positions."""
        span = range(self.size)[positions]
        first = self.first + span.start * self.stride
        return DayGridTransform(self.grid, first, len(span), stride=self.stride * span.step, dim=self.dim)


def _times_ns(samples: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Compute the times of samples since 1970, rounded as `DayGrid.time_ns` does, without overflow."""
    days, within = np.divmod(samples, n)
    whole, rest = divmod(DAY_NS, n)
    times = days * DAY_NS + within * whole + (2 * within * rest + n) // (2 * n)
    return np.asarray(times, dtype=np.int64)


class DayGridIndex(CoordinateTransformIndex):
    """
    An index over a span of the day grid: selection by time, by slice and nearest, isel, concat.

    Examples
    --------
    >>> coordinates = day_grid_coordinates(DayGrid.at_rate(2.0), first=0, size=10)
    >>> ds = xr.Dataset({"x": ("time", np.arange(10))}, coords=coordinates)
    >>> ds.x.sel(time=slice("1970-01-01T00:00:01", "1970-01-01T00:00:02.25")).values
    array([2, 3, 4])
    >>> int(ds.x.sel(time="1970-01-01T00:00:01.2", method="nearest"))
    2
    """

    transform: DayGridTransform

    @property
    def grid(self) -> DayGrid:
        """Samples of a day."""
        return self.transform.grid

    @property
    def first(self) -> int:
        """Sample since 1970 at position 0."""
        return self.transform.first

    @property
    def size(self) -> int:
        """Number of positions."""
        return self.transform.size

    @property
    def stride(self) -> int:
        """Samples between neighbouring positions."""
        return self.transform.stride

    def isel(self, indexers: Mapping[Any, Any]) -> xr.Index | None:
        """Keep the index under slices; single positions and lists of them lose it."""
        positions = indexers.get(self.transform.dim, slice(None))
        return type(self)(self.transform.part(positions)) if isinstance(positions, slice) else None

    def sel(self, labels: dict[Any, Any], method: str | None = None, tolerance: Any = None) -> IndexSelResult:
        """Find the positions of a time, of many times, or of a slice of times with both ends."""
        ((_, label),) = labels.items()
        if isinstance(label, slice):
            return IndexSelResult({self.transform.dim: self._slice(label)})
        if method not in (None, "nearest"):
            raise ValueError(f"method = {method!r}: should be None or 'nearest'")
        values = label.values if hasattr(label, "values") else label
        times = np.vectorize(time_to_ns, otypes=[np.int64])(values)
        positions = self._nearest(times, 0 if method is None else _tolerance_ns(tolerance))
        if isinstance(label, xr.DataArray | xr.Variable):
            wrapped: Any = xr.Variable(label.dims, positions)
        else:
            wrapped = int(positions) if positions.ndim == 0 else positions
        return IndexSelResult({self.transform.dim: wrapped})

    def _nearest(self, times: NDArray[np.int64], tolerance_ns: int | None) -> NDArray[np.int64]:
        labels: dict[Hashable, Any] = {self.transform.dim: times.view("datetime64[ns]")}
        found = self.transform.reverse(labels)[self.transform.dim]
        positions = np.clip(np.rint(found).astype(np.int64), 0, max(0, self.size - 1))
        there: Any = self.transform.forward({self.transform.dim: positions})[self.transform.dim]
        apart = np.abs(there.astype(np.int64) - times)
        if not self.size or (tolerance_ns is not None and (apart > tolerance_ns).any()):
            worst = np.atleast_1d(times)[int(np.argmax(np.atleast_1d(apart)))]
            raise KeyError(f"no sample at {np.datetime64(int(worst), 'ns')}; method='nearest' takes the next")
        return np.asarray(positions, dtype=np.int64)

    def _slice(self, label: slice) -> slice:
        if self.stride < 0:
            raise ValueError("a slice of times needs an axis that rises")
        start = 0 if label.start is None else self._position(time_to_ns(label.start))
        stop = self.size if label.stop is None else self._position(time_to_ns(label.stop, end=True) + 1)
        return slice(start, max(start, stop), label.step)

    def _position(self, time_ns: int) -> int:
        """Return the first position that does not lie before a time."""
        sample = self.grid.index_at_or_after(time_ns)
        return min(max(-((self.first - sample) // self.stride), 0), self.size)

    def join(self, other: Any, how: str = "inner") -> DayGridIndex:
        """
        Return what two spans have in common, or with ``outer`` the span over both.

        Raises
        ------
        ValueError
            If they do not lie on the same samples of one grid.
        """
        apart = (other.first - self.first) % self.stride
        if (self.grid, self.stride) != (other.grid, other.stride) or apart or self.stride < 0:
            raise ValueError(f"can't align {self!r} and {other!r}: they should rise, at one rate and step")
        starts, stops = zip(*((i.first, i.first + i.size * i.stride) for i in (self, other)), strict=True)
        first, stop = (max(starts), min(stops)) if how == "inner" else (min(starts), max(stops))
        size = max(0, (stop - first) // self.stride)
        return type(self)(
            DayGridTransform(self.grid, first, size, stride=self.stride, dim=self.transform.dim)
        )

    def reindex_like(self, other: Any) -> dict[Hashable, Any]:
        """Return the positions of the samples of another span, -1 for those that are not here."""
        positions = (other.first - self.first) // self.stride + np.arange(other.size)
        return {self.transform.dim: np.where(positions < self.size, np.maximum(positions, -1), -1)}

    @classmethod
    def concat(  # type: ignore[override]  # other kinds come back where a day is left out
        cls,
        indexes: Sequence[xr.Index],
        dim: Hashable,
        positions: Iterable[Iterable[int]] | None = None,
    ) -> xr.Index:
        """Join indexes: those that follow each other to one of this kind, others to one of pandas'."""
        parts = [index for index in indexes if isinstance(index, cls) and index.size]
        follow = all(
            (a.grid, a.stride, a.first + a.size * a.stride) == (b.grid, b.stride, b.first)
            for a, b in pairwise(parts)
        )
        if positions is None and parts and follow:
            size = sum(part.size for part in parts)
            first = parts[0]
            return cls(DayGridTransform(first.grid, first.first, size, stride=first.stride, dim=str(dim)))
        times = [index.transform.generate_coords()[index.transform.dim] for index in parts]
        return PandasIndex(pd.DatetimeIndex(np.concatenate(times)), dim)

    def to_pandas_index(self) -> pd.Index:
        """Compute all times."""
        return pd.DatetimeIndex(self.transform.generate_coords()[self.transform.dim], name=self.transform.dim)

    def __repr__(self) -> str:
        return f"DayGridIndex({self.grid.label}, {self.size} samples)"

    def _repr_inline_(self, max_width: int) -> str:  # noqa: ARG002 (xarray's protocol)
        return f"DayGridIndex ({self.grid.label}, {self.size} samples)"


def _tolerance_ns(tolerance: Any) -> int | None:
    return None if tolerance is None else int(pd.Timedelta(tolerance).as_unit("ns").value)


def day_grid_coordinates(grid: DayGrid, *, first: int, size: int) -> xr.Coordinates:
    """Return the ``time`` coordinate of a span of the day grid."""
    return xr.Coordinates.from_xindex(DayGridIndex(DayGridTransform(grid, first, size)))
