"""
Reading an archive: streams, tables and spans of samples.

`open_archive` reads two small objects. Samples are read shard by shard, with one request for a whole
station-day and one for each end of a neighbour; block tables are kept once they are read.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
import xarray as xr

from pipeline.archive.blocks import DayRow
from pipeline.archive.grid import DayGrid, day_number, day_of_number
from pipeline.archive.index import Index, IndexRow
from pipeline.archive.lazy import lazy_dataset
from pipeline.archive.merge import ARRAY_DTYPES
from pipeline.archive.metadata import read_stationxml
from pipeline.archive.pieces import Samples
from pipeline.archive.shard import read_span
from pipeline.archive.stations import Stations, read_stations
from pipeline.archive.store import ArchiveStore, open_store
from pipeline.archive.timeindex import time_to_ns
from pipeline.errors import ConfigError, NoSuchStreamError
from pipeline.keys import Block, Stream

__all__ = ["Archive", "open_archive"]

TABLES_KEPT = 64


def open_archive(url: str) -> Archive:
    """
    Open an archive for reading.

    Parameters
    ----------
    url : str
        A local folder or an fsspec URL.

    Raises
    ------
    NotAnArchiveError
        If there is none.
    """
    store = open_store(url)
    return Archive(store, Index.load(store))


class Archive:
    """
    An archive as it was when it was opened.

    Parameters
    ----------
    store : ArchiveStore
        Its objects.
    index : Index
        What it holds.
    """

    def __init__(self, store: ArchiveStore, index: Index) -> None:
        self.store = store
        self.index = index
        self._tables: OrderedDict[tuple[DayGrid, Block], dict[int, DayRow]] = OrderedDict()
        self._stations: Stations | None = None

    def __repr__(self) -> str:
        return f"<Archive {self.url}: {len(self.streams)} streams>"

    def __getstate__(self) -> dict[str, Any]:
        return {"store": self.store, "index": self.index, "_tables": OrderedDict(), "_stations": None}

    @property
    def url(self) -> str:
        """Where it lies."""
        return self.store.url

    @property
    def stations(self) -> Stations:
        """The archive's station metadata by epochs, empty if it has none; parsed once, when first used."""
        if self._stations is None:
            document = read_stationxml(self.store)
            self._stations = Stations(()) if document is None else read_stations(document)
        return self._stations

    @property
    def streams(self) -> list[Stream]:
        """All streams in order."""
        return [stream for stream, _ in groupby(row.stream for row in self.index.rows)]

    def rows(self, stream: Stream | str, rate: str | float | None = None) -> list[IndexRow]:
        """
        Return the years of a stream at one rate.

        Raises
        ------
        NoSuchStreamError
            If there is no such stream or rate; the message names those that there are.
        ConfigError
            If the stream has several rates and none was named.
        """
        key = Stream.parse(stream) if isinstance(stream, str) else stream
        rows = [row for row in self.index.rows if row.stream == key]
        if not rows:
            raise NoSuchStreamError(f"{self.url}: no stream {key}; {_known(self.streams)}")
        labels = sorted({row.grid.label for row in rows})
        if rate is not None:
            wanted = rate if isinstance(rate, str) else DayGrid.at_rate(rate).label
            rows = [row for row in rows if row.grid.label == wanted]
            if not rows:
                raise NoSuchStreamError(f"{self.url}: {key} has no rate {wanted}, but {', '.join(labels)}")
        elif len(labels) > 1:
            raise ConfigError(f"{self.url}: {key} has several rates: choose rate= one of {', '.join(labels)}")
        return rows

    def table(self, grid: DayGrid, block: Block) -> dict[int, DayRow]:
        """Return the days of a block by days since 1970; read once, then kept."""
        key = (grid, block)
        if key not in self._tables:
            self._tables[key] = self.store.read_table(grid, block)
            if len(self._tables) > TABLES_KEPT:
                self._tables.popitem(last=False)
        self._tables.move_to_end(key)
        return self._tables[key]

    def day(self, stream: Stream, grid: DayGrid, day: int) -> DayRow | None:
        """Return what is known of a station-day, None if nothing was written."""
        block = Block.of(stream, day_of_number(day), self.store.options.block_days)
        return self.table(grid, block).get(day)

    def read(
        self,
        stream: Stream,
        grid: DayGrid,
        array: str,
        first: int,
        stop: int,
        *,
        components: Sequence[int] | None = None,
    ) -> Samples:
        """
        Read samples.

        Parameters
        ----------
        stream, grid, array : Stream, DayGrid, str
            Which array.
        first, stop : int
            Samples since 1970, half-open.
        components : sequence of int, optional
            Rows; all of them by default.

        Returns
        -------
        ndarray, shape (components, stop - first)
            Missing samples hold the fill value.
        """
        rows = tuple(range(len(stream.components))) if components is None else tuple(components)
        out: Samples = np.empty((len(rows), stop - first), dtype=ARRAY_DTYPES[array])
        n = grid.samples_per_day
        at = first
        while at < stop:
            place = self.store.shard(stream, grid, array, at // n)
            origin = place.first_day * n
            # A shard ends with its year, though the last one of a year has room for more.
            january = day_number(dt.date(day_of_number(place.first_day).year + 1, 1, 1))
            end = min(stop, min(place.first_day + place.days, january) * n)
            target = out[:, at - first : end - first]
            edges = None
            if place.days == 1 and end - at < n:
                row = self.day(stream, grid, place.first_day)
                edges = row.edges.get(array) if row is not None else None
            read_span(
                self.store.objects, place.key, place.layout, at - origin, end - origin, target,
                rows=rows, edges=edges,
            )  # fmt: skip
            at = end
        return out

    def sel(
        self,
        stream: Stream | str,
        start: Any = None,
        end: Any = None,
        *,
        rate: str | float | None = None,
    ) -> xr.Dataset:
        """
        Select a span of a stream as one lazy dataset.

        Parameters
        ----------
        stream : Stream or str
            As ``CI.CCC..HH``.
        start, end : time, optional
            Half-open span in UTC; by default from the first day to the last one there is.
        rate : str or float, optional
            As ``100Hz``; needed where the stream has several.

        Returns
        -------
        Dataset
            Variables ``counts`` and, for sources in floating point, ``values`` or ``values64`` with
            dimensions (component, time). Nothing is read until it is used; ``ds.stationday`` leads to
            dask, to obspy and to the exact times.

        Raises
        ------
        NoSuchStreamError, ConfigError
            See `rows`; also for a span that is empty.
        """
        rows = self.rows(stream, rate)
        n = rows[0].grid.samples_per_day
        first = day_number(rows[0].first_day) * n if start is None else _index(rows[0].grid, start)
        stop = (day_number(rows[-1].last_day) + 1) * n if end is None else _index(rows[0].grid, end)
        if stop <= first:
            raise ConfigError(f"a span must end after it starts: start = {start}, end = {end}")
        arrays = sorted({array for row in rows for array in row.arrays})
        stream, grid = rows[0].stream, rows[0].grid
        return lazy_dataset(self.read, stream, grid, arrays, first, stop, attributes={"archive": self.url})


def _index(grid: DayGrid, time: Any) -> int:
    return grid.index_at_or_after(time_to_ns(time))


def _known(streams: Sequence[Stream], most: int = 5) -> str:
    if not streams:
        return "it is empty"
    names = ", ".join(str(stream) for stream in streams[:most])
    return f"it has {names}" + (f" and {len(streams) - most} more" if len(streams) > most else "")
