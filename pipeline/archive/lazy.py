"""
Lazy datasets: a span of samples as xarray variables that read when they are used.

xarray hands down the part that is wanted; everything else stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from pipeline.archive.grid import DayGrid
from pipeline.archive.merge import ARRAY_DTYPES, fill_value
from pipeline.archive.timeindex import day_grid_coordinates
from pipeline.keys import Stream

__all__ = ["SpanArray", "lazy_dataset"]

ReadSamples = Callable[..., Any]


class SpanArray(BackendArray):
    """Samples of one array over a span that may cross days and years, read when they are used."""

    def __init__(
        self, read: ReadSamples, stream: Stream, grid: DayGrid, array: str, first: int, stop: int
    ) -> None:
        self._read_samples = read
        self._span = (stream, grid, array)
        self._first = first
        self.shape = (len(stream.components), stop - first)
        self.dtype = np.dtype(ARRAY_DTYPES[array])

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._read)

    def _read(self, key: tuple[int | slice, ...]) -> Any:
        component, time = key
        rows = range(self.shape[0])[component] if isinstance(component, slice) else [component]
        columns = range(self.shape[1])[time] if isinstance(time, slice) else range(time, time + 1)
        low, high = (min(columns), max(columns) + 1) if len(columns) else (0, 0)
        samples = self._read_samples(
            *self._span, self._first + low, self._first + high, components=list(rows)
        )
        if isinstance(time, slice):
            forward = samples if columns.step > 0 else samples[:, ::-1]
            picked: Any = forward[:, :: abs(columns.step)]
        else:
            picked = samples[:, 0]
        return picked if isinstance(component, slice) else picked[0]


def lazy_dataset(
    read: ReadSamples,
    stream: Stream,
    grid: DayGrid,
    arrays: Sequence[str],
    first: int,
    stop: int,
    *,
    attributes: Mapping[str, Any],
) -> xr.Dataset:
    """
    Make a dataset whose samples are read when they are used.

    Parameters
    ----------
    read : callable
        As `Archive.read`; it is kept, and pickles with the dataset.
    stream, grid : Stream, DayGrid
        Of the samples.
    arrays : sequence of str
        Become variables.
    first, stop : int
        Samples since 1970, half-open.
    attributes : mapping
        Of the dataset, beside stream and rate.
    """
    variables = {}
    for array in arrays:
        data = indexing.LazilyIndexedArray(SpanArray(read, stream, grid, array, first, stop))
        described = {"long_name": "samples as recorded", "missing": fill_value(array)}
        variables[array] = xr.Variable(("component", "time"), data, described)
    coordinates = day_grid_coordinates(grid, first=first, size=stop - first)
    coordinates["component"] = ("component", list(stream.components))
    own = {"stream": str(stream), "sampling_rate_hz": grid.rate_hz, "samples_per_day": grid.samples_per_day}
    return xr.Dataset(variables, coordinates, {**attributes, **own})
