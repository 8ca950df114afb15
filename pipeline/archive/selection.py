"""
Selections: what leads on from a dataset of `Archive.sel`, under ``ds.stationday``.

>>> import xarray as xr
>>> hasattr(xr.Dataset, "stationday")
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from pipeline.archive.chains import find_chains
from pipeline.archive.grid import day_of_number
from pipeline.archive.merge import ARRAY_DTYPES, Segment, join_segments
from pipeline.archive.placement import SideRun
from pipeline.archive.reading import open_archive
from pipeline.archive.stations import ChannelEpoch
from pipeline.archive.timeindex import DayGridIndex
from pipeline.errors import ConfigError
from pipeline.keys import Stream, days_in_year

if TYPE_CHECKING:
    import obspy

__all__ = ["Selection"]


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
