"""
Selections: a span of a stream as a lazy xarray.Dataset, and what leads on from there.

>>> import xarray as xr
>>> hasattr(xr.Dataset, "stationday")
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from pipeline.archive.chains import find_chains
from pipeline.archive.grid import DayGrid, day_of_number
from pipeline.archive.merge import ARRAY_DTYPES, Segment, fill_value, join_segments
from pipeline.archive.placement import SideRun
from pipeline.archive.reading import Archive, open_archive
from pipeline.archive.stations import ChannelEpoch
from pipeline.archive.timeindex import DayGridIndex, day_grid_coordinates
from pipeline.errors import ConfigError
from pipeline.keys import Stream, days_in_year

if TYPE_CHECKING:
    import obspy

__all__ = ["Selection", "SpanArray", "lazy_dataset"]


class SpanArray(BackendArray):
    """Samples of one array over a span that may cross days and years, read when they are used."""

    def __init__(
        self, archive: Archive, stream: Stream, grid: DayGrid, array: str, first: int, stop: int
    ) -> None:
        self._archive = archive
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
        samples = self._archive.read(
            *self._span, self._first + low, self._first + high, components=list(rows)
        )
        if isinstance(time, slice):
            forward = samples if columns.step > 0 else samples[:, ::-1]
            picked: Any = forward[:, :: abs(columns.step)]
        else:
            picked = samples[:, 0]
        return picked if isinstance(component, slice) else picked[0]


def lazy_dataset(
    archive: Archive, stream: Stream, grid: DayGrid, arrays: list[str], first: int, stop: int
) -> xr.Dataset:
    """Make the dataset of `Archive.sel`: samples since 1970 from ``first`` to before ``stop``."""
    variables = {}
    for array in arrays:
        data = indexing.LazilyIndexedArray(SpanArray(archive, stream, grid, array, first, stop))
        attributes = {"long_name": "samples as recorded", "missing": fill_value(array)}
        variables[array] = xr.Variable(("component", "time"), data, attributes)
    coordinates = day_grid_coordinates(grid, first=first, size=stop - first)
    coordinates["component"] = ("component", list(stream.components))
    attributes = {
        "archive": archive.url,
        "stream": str(stream),
        "sampling_rate_hz": grid.rate_hz,
        "samples_per_day": grid.samples_per_day,
    }
    return xr.Dataset(variables, coordinates, attributes)


@xr.register_dataset_accessor("stationday")  # type: ignore[no-untyped-call]
class Selection:
    """
    What leads on from a dataset of `Archive.sel`, also after it was cut by ``sel`` or ``isel`` along time.

    Parameters
    ----------
    dataset : Dataset
        With a `DayGridIndex` along time.
    """

    def __init__(self, dataset: xr.Dataset) -> None:
        self._dataset = dataset

    @property
    def stream(self) -> Stream:
        """The stream."""
        return Stream.parse(self._dataset.attrs["stream"])

    @property
    def _index(self) -> DayGridIndex:
        index = self._dataset.xindexes.get("time")
        if not isinstance(index, DayGridIndex) or index.stride != 1:
            raise ConfigError("this dataset's time is not a continuous part of the day grid any more")
        return index

    def to_dask(self) -> xr.Dataset:
        """Return the dataset with a Dask chunk per shard, so that each is read once and whole."""
        return self._dataset.chunk({"component": -1, "time": self._shard_sizes()})

    def _shard_sizes(self) -> tuple[int, ...]:
        index = self._index
        n, at, stop = index.grid.samples_per_day, index.first, index.first + index.size
        archive = open_archive(self._dataset.attrs["archive"])
        sizes = []
        while at < stop:
            place = archive.store.shard(self.stream, index.grid, next(iter(ARRAY_DTYPES)), at // n)
            year_end = _year_end(place.first_day)
            end = min(stop, min(place.first_day + place.days, year_end) * n)
            sizes.append(end - at)
            at = end
        return tuple(sizes)

    def segments(self) -> list[tuple[int, Segment]]:
        """
        Return the segments that touch the selection, with the day (since 1970) of each.

        The times in them are exact; those of the time axis are those of the grid, up to half a step off.
        """
        archive, index = open_archive(self._dataset.attrs["archive"]), self._index
        n = index.grid.samples_per_day
        found = []
        for day in range(index.first // n, (index.first + index.size - 1) // n + 1):
            row = archive.day(self.stream, index.grid, day)
            low, high = index.first - day * n, index.first + index.size - day * n
            segments = join_segments(row.segments) if row is not None else []
            found += [(day, s) for s in segments if s.first < high and s.stop > low]
        return found

    def epochs(self) -> list[tuple[str, int, int, ChannelEpoch | None]]:
        """
        Return which metadata hold when: component, from, until (ns since 1970), epoch or None.

        A component whose channel changes (``HH1``, later ``HHN``) follows it.
        """
        archive, index = open_archive(self._dataset.attrs["archive"]), self._index
        chains = find_chains(self.segments(), index.grid, index.first, index.first + index.size)
        found: list[tuple[str, int, int, ChannelEpoch | None]] = []
        for chain in chains:
            channel = self.stream.channel(chain.channel)
            span = (chain.start_ns, chain.time_ns(chain.stop))
            component = self.stream.components[chain.component]
            found += [(component, *held) for held in archive.stations.spans(channel, *span)]
        return found

    def side(self) -> list[SideRun]:
        """Return the side table of the days that the selection touches."""
        archive, index = open_archive(self._dataset.attrs["archive"]), self._index
        n = index.grid.samples_per_day
        days = range(index.first // n, (index.first + index.size - 1) // n + 1)
        rows = (archive.day(self.stream, index.grid, day) for day in days)
        return [run for row in rows if row is not None for run in row.side]

    def to_obspy(self) -> obspy.Stream:
        """
        Return obspy traces with exact start times and the rate of the instrument's clock.

        A trace per contiguous piece; pieces that continue each other over midnight are one. The side
        table is left out.
        """
        import obspy

        archive, index = open_archive(self._dataset.attrs["archive"]), self._index
        traces = []
        for chain in find_chains(self.segments(), index.grid, index.first, index.first + index.size):
            samples = archive.read(
                self.stream, index.grid, chain.array, chain.first, chain.stop, components=[chain.component]
            )
            header = {
                "network": self.stream.network,
                "station": self.stream.station,
                "location": self.stream.location,
                "channel": chain.channel,
                "sampling_rate": chain.rate_hz,
                "starttime": obspy.UTCDateTime(ns=chain.start_ns),
            }
            traces.append(obspy.Trace(samples[0], header))
        return obspy.Stream(traces)


def _year_end(day: int) -> int:
    """Return the first day, since 1970, of the next year."""
    date = day_of_number(day)
    return day - date.timetuple().tm_yday + 1 + days_in_year(date.year)
