"""Spans of channels: when each of a block has samples, and which of them no epoch of the metadata holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.archive.grid import DayGrid
from pipeline.archive.store import ArchiveStore
from pipeline.errors import FormatError
from pipeline.keys import Block

__all__ = ["ChannelSpans", "read_channel_spans", "spans_outside"]

ChannelSpans = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""First time in ns, number of samples and rate in Hz of each stretch of a channel, shape (stretches,)."""

_LATEST_NS = 2**63 - 1


def read_channel_spans(store: ArchiveStore, grid: DayGrid, block: Block) -> dict[str, ChannelSpans]:
    """
    Read from a block's table when its channels have samples on the grid.

    Parameters
    ----------
    store : ArchiveStore
    grid : DayGrid
    block : Block

    Returns
    -------
    dict of str to ChannelSpans
        By code, ``HHZ``; empty where nothing was ever written.

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
        table = pq.ParquetFile(pa.BufferReader(data)).read(columns=["segments"], use_threads=False)
        segments = table.column("segments").combine_chunks().flatten()
        codes = segments.field("channel").to_numpy(zero_copy_only=False).astype(str)
        starts, lengths, rates = (segments.field(n).to_numpy() for n in ("start_ns", "length", "rate_hz"))
    except (pa.ArrowException, OSError, KeyError) as error:
        raise FormatError(f"{store.url}/{key}: not a block table: {error}") from error
    found: dict[str, ChannelSpans] = {}
    for code in np.unique(codes):
        own = codes == code
        found[str(code)] = (starts[own], lengths[own].astype(np.int64), rates[own])
    return found


def spans_outside(spans: ChannelSpans, epochs: Sequence[tuple[int, int | None]]) -> list[tuple[int, int]]:
    """
    Find the samples that lie in no epoch.

    Parameters
    ----------
    spans : ChannelSpans
    epochs : sequence of (int, int or None)
        First nanosecond, and the first one after; None while it is open. They may overlap.

    Returns
    -------
    list of (int, int)
        Times in ns of the first and the last sample of each stretch outside, by time.

    Examples
    --------
    A minute of samples at 1 Hz, and an epoch of its seconds 10 to 20.

    >>> minute = (np.array([0]), np.array([60]), np.array([1.0]))
    >>> spans_outside(minute, [(10 * 10**9, 20 * 10**9)])
    [(0, 9000000000), (20000000000, 59000000000)]
    >>> spans_outside(minute, [(0, 30 * 10**9), (20 * 10**9, None)])
    []
    """
    starts, lengths, rates = spans
    found: list[tuple[int, int]] = []
    for begin, end in _between(epochs):
        first, stop = (np.minimum(_first_not_before(edge, spans), lengths) for edge in (begin, end))
        for at in np.flatnonzero(first < stop).tolist():
            step_ns = 1e9 / float(rates[at])
            a, b = (int(starts[at]) + round(int(n) * step_ns) for n in (first[at], stop[at] - 1))
            found.append((a, b))
    return sorted(found)


def _first_not_before(time_ns: int, spans: ChannelSpans) -> NDArray[np.int64]:
    """Return the index of the first sample of each stretch that does not lie before a time."""
    starts, lengths, rates = spans
    ends = starts + np.ceil(lengths * (1e9 / rates)).astype(np.int64)
    inside = np.clip(time_ns, starts, ends) - starts
    # A time that falls on a sample, but for rounding (to 50 ns at 20 Hz), is that sample's.
    return np.asarray(np.ceil(inside * (rates / 1e9) - 1e-6), dtype=np.int64)


def _between(epochs: Sequence[tuple[int, int | None]]) -> list[tuple[int, int]]:
    """
    Return what lies between epochs, before the first and after the last.

    >>> _between([(5, 9), (7, 20), (30, None)]) == [(-_LATEST_NS, 5), (20, 30)]
    True
    """
    holes: list[tuple[int, int]] = []
    reached = -_LATEST_NS
    for start, end in sorted((start, _LATEST_NS if end is None else end) for start, end in epochs):
        if end <= start:
            continue
        if start > reached:
            holes.append((reached, start))
        reached = max(reached, end)
    if reached < _LATEST_NS:
        holes.append((reached, _LATEST_NS))
    return holes
