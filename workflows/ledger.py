"""
The ledger of a product: what was done, to which blocks and days, from which inputs.

A ledger is a folder of immutable Parquet *segments*, on any store::

    ledger/
        000000041200-snapshot.parquet      the latest records of all blocks up to number 41,200
        000000043200-5f0c9a3e.parquet      records 41,201 to 43,200, as the driver wrote them
        000000043917-5f0c9a3e.parquet

Each `BlockResult` gets the next sequence number and becomes one row for the block (``day`` is null) and one
for each of its days. The latest record of a block wins. A segment is named by the last number in it and by
who wrote it, so that the names alone say what to read: everything after the newest snapshot.

One driver at a time writes a ledger (see `workflows.lease`), and only after the product itself is durable.
Whatever kills it, the ledger lacks at most the records of the last seconds; those blocks are done again,
to the same bytes.
"""

from __future__ import annotations

import datetime as dt
import io
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.errors import FormatError, LeaseLostError
from pipeline.objects import ObjectStore
from workflows.lease import Lease

__all__ = ["SCHEMA", "BlockResult", "DayRecord", "Latest", "LatestRecords", "Ledger", "Status"]

SCHEMA = pa.schema(
    [
        pa.field("sequence", pa.int64()),
        pa.field("recorded", pa.timestamp("us", "UTC")),
        pa.field("block", pa.string()),
        pa.field("day", pa.date32()),
        pa.field("status", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("details", pa.string()),
        pa.field("fingerprint", pa.string()),
        pa.field("parts", pa.string()),
        pa.field("seconds", pa.float64()),
        pa.field("nbytes", pa.int64()),
    ]
)
"""Columns of a segment. A block's own row has no ``day``; its days have no ``parts`` and no ``seconds``."""

_SNAPSHOT = "snapshot"
_SUFFIX = ".parquet"
_READERS = 16


class Status(StrEnum):
    """
    How a block or a day came out, from best to worst.

    Examples
    --------
    >>> Status.worst(["done", "lost", "noted"])
    <Status.LOST: 'lost'>
    >>> Status.worst([])
    <Status.DONE: 'done'>
    """

    DONE = "done"
    """All of it."""
    NOTED = "noted"
    """All that there was, with a remark: a day without a sample, for instance."""
    LOST = "lost"
    """Done, but something of the input gave no result: no response, corrupt records. Exit status 1."""
    DEFERRED = "deferred"
    """Done as far as could be: something could not be had just now. Exit status 1; each run tries again."""
    FAILED = "failed"
    """An unexpected exception, kept with its traceback. Exit status 1; taken up again only when asked."""

    @classmethod
    def worst(cls, statuses: Iterable[str]) -> Status:
        """Return the worst of some statuses, ``DONE`` if there is none."""
        return max(map(cls, statuses), key=_SEVERITY.__getitem__, default=cls.DONE)


_SEVERITY = {status: severity for severity, status in enumerate(Status)}


@dataclass(frozen=True, slots=True)
class DayRecord:
    """
    What became of one UTC day of a block.

    Parameters
    ----------
    day : datetime.date
    status : Status
    reason : str
        Why, in a few words, where the status is not ``done``; equal reasons are worded equally.
    nbytes : int
        Bytes read for this day.
    details : str
        Anything longer, as text or JSON.
    """

    day: dt.date
    status: Status = Status.DONE
    reason: str = ""
    nbytes: int = 0
    details: str = ""


@dataclass(frozen=True, slots=True)
class BlockResult:
    """
    What became of one block: all that a worker sends back.

    Parameters
    ----------
    key, fingerprint, parts : str
        As in the task (`workflows.plan.Task`).
    status : Status
    days : tuple of DayRecord
    reason : str
        Why, in a few words, where the status is not ``done``.
    details : str
        Anything longer: the traceback of a failed block.
    seconds : float
        Time that the worker spent on it.
    nbytes : int
        Bytes written.
    """

    key: str
    fingerprint: str
    status: Status = Status.DONE
    days: tuple[DayRecord, ...] = ()
    reason: str = ""
    details: str = ""
    seconds: float = 0.0
    nbytes: int = 0
    parts: str = ""


class Latest(NamedTuple):
    """The latest record of a block, as far as planning needs it."""

    fingerprint: str
    status: str
    reason: str
    parts: str


class LatestRecords(Mapping[str, Latest]):
    """
    The latest record of each block, by its key.

    The records stay in Arrow's columns until they are asked for: millions of small Python objects would
    cost seconds and gigabytes.

    Parameters
    ----------
    rows : pyarrow.Table
        ``block`` and the fields of `Latest`, in the order of their recording: the last row of a block wins.
    """

    def __init__(self, rows: pa.Table) -> None:
        keys = rows["block"].to_numpy().tolist()
        self._row_of = dict(zip(keys, range(len(keys)), strict=True))
        self._columns = [rows[name].combine_chunks() for name in Latest._fields]

    def __getitem__(self, key: str) -> Latest:
        row = self._row_of[key]
        return Latest._make(column[row].as_py() for column in self._columns)

    def __iter__(self) -> Iterator[str]:
        return iter(self._row_of)

    def __len__(self) -> int:
        return len(self._row_of)


class Ledger:
    """
    Append-only record of what was done.

    Parameters
    ----------
    store : ObjectStore
        The ledger's own folder. Nothing is read or written yet.
    flush_rows : int
        Rows of blocks and days to gather before a segment is written.
    flush_seconds : float
        Age at which even few rows are written, whenever `tick` or `record` is called.
    compact_segments : int
        Number of segments of its own after which a ledger compacts itself.
    lease : Lease, optional
        Checked before anything is recorded or written: who has lost the lease writes no more.

    Examples
    --------
    >>> from pipeline.objects import open_objects
    >>> with Ledger(open_objects("memory://ledger-example")) as ledger:
    ...     ledger.record(BlockResult("CI.CCC..HH/2020.03", "5f0c", Status.FAILED, reason="OSError: gone"))
    ...     ledger.record(BlockResult("CI.CCC..HH/2020.03", "5f0c"))
    >>> ledger.latest()["CI.CCC..HH/2020.03"].status
    'done'
    """

    def __init__(
        self,
        store: ObjectStore,
        *,
        flush_rows: int = 20_000,
        flush_seconds: float = 10.0,
        compact_segments: int = 200,
        lease: Lease | None = None,
    ) -> None:
        self.store = store
        self.flush_rows = flush_rows
        self.flush_seconds = flush_seconds
        self.compact_segments = compact_segments
        self._lease = lease
        self._writer = uuid.uuid4().hex[:8]
        self._last: int | None = None  # the last sequence number in use, unknown until something is recorded
        self._pending: list[tuple[int, BlockResult]] = []
        self._pending_rows = 0
        self._pending_since = 0.0
        self._written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, LeaseLostError):
            self.flush()

    def record(self, result: BlockResult) -> None:
        """
        Note a result, whose product must be durable by now. It is written with the next flush.

        Raises
        ------
        LeaseLostError
            If somebody else writes this product by now.
        """
        if self._lease is not None:
            self._lease.check()
        if not self._pending:
            self._pending_since = time.monotonic()
        if self._last is None:
            self._last = max((segment.last for segment in self._segments()), default=0)
        self._last += 1
        self._pending.append((self._last, result))
        self._pending_rows += 1 + len(result.days)
        if self._pending_rows >= self.flush_rows:
            self.flush()

    def tick(self) -> None:
        """Flush what has waited long enough. The driver calls this about once a second."""
        if self._pending and time.monotonic() - self._pending_since >= self.flush_seconds:
            self.flush()

    def flush(self) -> None:
        """Write what is pending as one segment. After an error it is still pending, to be tried again."""
        if not self._pending:
            return
        name = f"{self._pending[-1][0]:012d}-{self._writer}{_SUFFIX}"
        self._write(name, _rows(self._pending))
        self._pending, self._pending_rows = [], 0
        self._written += 1
        if self._written >= self.compact_segments:
            self.compact()

    def compact(self) -> None:
        """
        Join all segments into one snapshot, which keeps the latest record of each block.

        It may die at any point: until the snapshot is there the segments count, afterwards they don't,
        deleted or not.
        """
        self.flush()
        segments = self._segments()
        live = _live(segments)
        if len(live) > 1 or (live and not live[0].is_snapshot):
            name = f"{live[-1].last:012d}-{_SNAPSHOT}{_SUFFIX}"
            self._write(name, _latest_rows(self._read(live, SCHEMA.names)))
            live = [_Segment.parse(name)]
        for segment in segments:
            if segment not in live:
                self.store.delete(segment.name)
        self._written = 0

    def latest(self) -> LatestRecords:
        """Return the latest record of every block, without its days."""
        self.flush()
        columns = ["block", *Latest._fields]
        tables = self._read(_live(self._segments()), columns)
        return LatestRecords(pa.concat_tables([SCHEMA.empty_table().select(columns), *tables]))

    def table(self) -> pa.Table:
        """Return the latest rows of every block and of its days, in the order of their recording."""
        self.flush()
        return _latest_rows(self._read(_live(self._segments()), SCHEMA.names))

    def _write(self, name: str, rows: pa.Table) -> None:
        if self._lease is not None:
            self._lease.check()
        buffer = io.BytesIO()
        pq.write_table(rows, buffer, compression="zstd")
        self.store.write(name, buffer.getvalue())

    def _segments(self) -> list[_Segment]:
        names = (info.key for info in self.store.list())
        return sorted(_Segment.parse(name) for name in names if name.endswith(_SUFFIX))

    def _read(self, segments: Sequence[_Segment], columns: Sequence[str]) -> list[pa.Table]:
        """Read segments, each as a table: blocks only, unless ``day`` is among the columns."""

        def read(segment: _Segment) -> pa.Table:
            try:
                data = pa.BufferReader(self.store.read(segment.name))
                rows = pq.read_table(data, columns=list({*columns, "day"}))
                rows = rows if "day" in columns else rows.filter(pc.is_null(rows["day"]))
                return rows.select(columns)
            except (pa.ArrowInvalid, KeyError) as error:
                raise FormatError(
                    f"{self.store.url}/{segment.name} is no segment of a ledger: {error}"
                ) from error

        with ThreadPoolExecutor(_READERS) as readers:
            return list(readers.map(read, segments))


class _Segment(NamedTuple):
    """A segment's name, read: sorted by the last sequence number in it."""

    last: int
    name: str

    @classmethod
    def parse(cls, name: str) -> _Segment:
        number, _, _ = name.partition("-")
        if not number.isdecimal():
            raise FormatError(
                f"{name!r} is no segment of a ledger: it should look like '000000043200-5f0c9a3e.parquet'"
            )
        return cls(int(number), name)

    @property
    def is_snapshot(self) -> bool:
        return self.name.endswith(f"-{_SNAPSHOT}{_SUFFIX}")


def _live(segments: Sequence[_Segment]) -> list[_Segment]:
    """Keep the newest snapshot and what came after it, of sorted segments."""
    newest = max((segment for segment in segments if segment.is_snapshot), default=None)
    if newest is None:
        return list(segments)
    return [newest, *(segment for segment in segments if segment.last > newest.last)]


def _latest_rows(tables: Sequence[pa.Table]) -> pa.Table:
    """Join segments in the order of their names, and keep the rows of each block's latest record."""
    rows = pa.concat_tables([SCHEMA.empty_table(), *tables])
    # A record is a number within a segment: two writers share numbers if one of them had lost its lease.
    segment = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    record = segment * 2**40 + rows["sequence"].to_numpy()
    blocks = rows["block"].combine_chunks().dictionary_encode()
    block = blocks.indices.to_numpy()
    newest = np.full(len(blocks.dictionary), -1)
    np.maximum.at(newest, block, record)
    return rows.filter(pa.array(newest[block] == record))


def _rows(results: Sequence[tuple[int, BlockResult]]) -> pa.Table:
    """Lay results out as the rows of a segment: each block, then its days."""
    now = dt.datetime.now(dt.UTC)
    columns: dict[str, list[object]] = {name: [] for name in SCHEMA.names}
    for sequence, result in results:
        days = result.days
        rows = 1 + len(days)
        columns["sequence"] += [sequence] * rows
        columns["recorded"] += [now] * rows
        columns["block"] += [result.key] * rows
        columns["fingerprint"] += [result.fingerprint] * rows
        columns["day"] += [None, *[day.day for day in days]]
        columns["status"] += [result.status, *[day.status for day in days]]
        columns["reason"] += [result.reason, *[day.reason for day in days]]
        columns["details"] += [result.details, *[day.details for day in days]]
        columns["nbytes"] += [result.nbytes, *[day.nbytes for day in days]]
        columns["parts"] += [result.parts, *[None] * len(days)]
        columns["seconds"] += [result.seconds, *[None] * len(days)]
    return pa.table(columns, schema=SCHEMA)
