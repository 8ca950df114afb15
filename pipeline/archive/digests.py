"""Digests of station-days: what a plan needs of a block table, without the rest of it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.archive.grid import DayGrid, day_number
from pipeline.archive.store import ArchiveStore
from pipeline.errors import FormatError
from pipeline.keys import Block

__all__ = ["read_digests"]

_PARTS = ("digest", "timing_quality", "clipped_samples", "disagreed_samples")


def read_digests(store: ArchiveStore, grid: DayGrid, block: Block) -> dict[int, str]:
    """
    Read the digests of the days of a block that hold any sample, with what its table counts beside them.

    Parameters
    ----------
    store : ArchiveStore
    grid : DayGrid
        One rate of the stream.
    block : Block

    Returns
    -------
    dict of int to str
        By days since 1970; empty where nothing was ever written. Timing quality and what was clipped or
        disagreed are no part of a day's own digest, but of what becomes of the day.

    Raises
    ------
    FormatError
        If the block's table can't be read.
    """
    key = store.table_key(grid, block)
    try:
        data = store.objects.read(key)
    except FileNotFoundError:
        return {}
    try:
        table = pq.ParquetFile(pa.BufferReader(data)).read(
            columns=["day", "present", *_PARTS], use_threads=False
        )
    except (pa.ArrowException, OSError, KeyError) as error:
        raise FormatError(f"{store.url}/{key}: not a block table: {error}") from error
    rows = zip(*(table.column(name).to_pylist() for name in ("day", "present", *_PARTS)), strict=True)
    return {day_number(day): " ".join(map(str, parts)) for day, present, *parts in rows if any(present)}
