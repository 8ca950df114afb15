"""
The index: what an archive holds, in one small file that opening reads.

A row per stream, rate and year with the completeness of each day. The driver of an ingest writes it after the
blocks are written; it can be rebuilt from the block tables at any time (`rebuild_index`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.archive.blocks import DayRow
from pipeline.archive.grid import DayGrid, day_of_number
from pipeline.archive.parquet import from_parquet, to_parquet
from pipeline.archive.store import ArchiveStore
from pipeline.keys import Stream, days_in_year

__all__ = ["INDEX", "DayEntry", "Index", "IndexRow", "day_entry", "rebuild_index"]

INDEX = "index.parquet"


class _Key(NamedTuple):
    stream: Stream
    grid: DayGrid
    year: int


@dataclass(frozen=True, slots=True)
class DayEntry:
    """What the index keeps of one station-day."""

    stream: Stream
    grid: DayGrid
    day: dt.date
    arrays: tuple[str, ...]
    components: tuple[int, ...]
    completeness: float


@dataclass(frozen=True, slots=True, eq=False)
class IndexRow:
    """
    One stream at one rate in one year.

    Parameters
    ----------
    stream, grid, year : Stream, DayGrid, int
        Which.
    arrays : tuple of str
        Arrays of its group that hold samples.
    components : tuple of int
        Components that hold samples.
    completeness : ndarray of float32, shape (days in the year,)
        Present part of the samples of the components that a day has; NaN where nothing was ever written.
    """

    stream: Stream
    grid: DayGrid
    year: int
    arrays: tuple[str, ...]
    components: tuple[int, ...]
    completeness: NDArray[np.float32]

    @property
    def first_day(self) -> dt.date:
        """The first day with samples; 1 January if there is none."""
        present = np.flatnonzero(self.completeness > 0)
        return dt.date(self.year, 1, 1) + dt.timedelta(days=int(present[0]) if len(present) else 0)

    @property
    def last_day(self) -> dt.date:
        """The last day with samples; 1 January if there is none."""
        present = np.flatnonzero(self.completeness > 0)
        return dt.date(self.year, 1, 1) + dt.timedelta(days=int(present[-1]) if len(present) else 0)

    @property
    def days_present(self) -> int:
        """Days with any sample."""
        return int((self.completeness > 0).sum())


_SCHEMA: pa.Schema = pa.schema(
    [
        ("stream", pa.string()),
        ("rate", pa.string()),
        ("year", pa.int16()),
        ("arrays", pa.list_(pa.string())),
        ("components", pa.list_(pa.int8())),
        ("first_day", pa.date32()),
        ("last_day", pa.date32()),
        ("days_present", pa.int16()),
        ("completeness", pa.list_(pa.float32())),
    ]
)


class Index:
    """
    All rows of an archive.

    Examples
    --------
    >>> stream, grid = Stream.parse("CI.CCC..HH"), DayGrid.at_rate(100.0)
    >>> entry = DayEntry(stream, grid, dt.date(2020, 2, 1), ("counts",), (0, 1, 2), 0.5)
    >>> index = Index().updated([entry])
    >>> [(str(row.stream), row.grid.label, row.days_present) for row in index.rows]
    [('CI.CCC..HH', '100Hz', 1)]
    >>> Index.from_bytes(index.to_bytes()).rows[0].first_day
    datetime.date(2020, 2, 1)
    """

    def __init__(self, rows: Iterable[IndexRow] = ()) -> None:
        self._rows = {_Key(row.stream, row.grid, row.year): row for row in rows}

    @property
    def rows(self) -> list[IndexRow]:
        """All rows in order of stream, rate and year."""
        return [self._rows[key] for key in sorted(self._rows)]

    def row(self, stream: Stream, grid: DayGrid, year: int) -> IndexRow | None:
        """Return the row of a stream, rate and year, if there is one."""
        return self._rows.get(_Key(stream, grid, year))

    def updated(self, entries: Iterable[DayEntry]) -> Index:
        """Return an index in which some days are as the entries say."""
        grouped: dict[_Key, list[DayEntry]] = {}
        for entry in entries:
            grouped.setdefault(_Key(entry.stream, entry.grid, entry.day.year), []).append(entry)
        new = Index()
        new._rows = dict(self._rows)
        for key, days in grouped.items():
            new._rows[key] = _with_days(self._rows.get(key), key, days)
        return new

    def to_bytes(self) -> bytes:
        """Return the index as Parquet: the same rows, the same bytes."""
        return to_parquet([_record(row) for row in self.rows], _SCHEMA)

    @classmethod
    def from_bytes(cls, data: bytes) -> Index:
        """Read the bytes of `to_bytes`."""
        table = from_parquet(data, _SCHEMA, INDEX)
        plain = table.drop_columns(["completeness", "first_day", "last_day", "days_present"]).to_pylist()
        lists = table.column("completeness").combine_chunks()
        values, offsets = lists.values.to_numpy(), lists.offsets.to_numpy()
        streams = {text: Stream.parse(text) for text in {record["stream"] for record in plain}}
        grids = {text: DayGrid.from_label(text) for text in {record["rate"] for record in plain}}
        return cls(
            IndexRow(
                streams[record["stream"]],
                grids[record["rate"]],
                record["year"],
                tuple(record["arrays"]),
                tuple(record["components"]),
                values[begin:end],
            )
            for record, begin, end in zip(plain, offsets[:-1], offsets[1:], strict=True)
        )

    @classmethod
    def load(cls, store: ArchiveStore) -> Index:
        """Read the index of an archive; an archive without one holds nothing yet."""
        try:
            return cls.from_bytes(store.objects.read(INDEX))
        except FileNotFoundError:
            return cls()

    def save(self, store: ArchiveStore) -> None:
        """Write the index of an archive."""
        store.objects.write(INDEX, self.to_bytes())


def _with_days(row: IndexRow | None, key: _Key, days: Iterable[DayEntry]) -> IndexRow:
    if row is None:
        row = IndexRow(*key, (), (), np.full(days_in_year(key.year), np.nan, dtype=np.float32))
    completeness = row.completeness.copy()
    arrays, components = set(row.arrays), set(row.components)
    for entry in days:
        completeness[entry.day.timetuple().tm_yday - 1] = entry.completeness
        arrays |= set(entry.arrays)
        components |= set(entry.components)
    return replace(
        row, arrays=tuple(sorted(arrays)), components=tuple(sorted(components)), completeness=completeness
    )


def _record(row: IndexRow) -> Mapping[str, Any]:
    return {
        "stream": str(row.stream),
        "rate": row.grid.label,
        "year": row.year,
        "arrays": list(row.arrays),
        "components": list(row.components),
        "first_day": row.first_day,
        "last_day": row.last_day,
        "days_present": row.days_present,
        "completeness": row.completeness,
    }


def day_entry(stream: Stream, grid: DayGrid, row: DayRow) -> DayEntry:
    """Sum up a row of a block table for the index."""
    components = tuple(sorted({segment.component for segment in row.segments}))
    completeness = row.completeness(grid, components) if components else 0.0
    return DayEntry(stream, grid, day_of_number(row.day), row.arrays, components, completeness)


def rebuild_index(store: ArchiveStore) -> Index:
    """Make the index from all block tables: after a driver died, or if the file was lost."""
    return Index().updated(
        day_entry(block.stream, grid, row)
        for grid, block in store.tables()
        for row in store.read_table(grid, block).values()
    )
