"""
Records: a span of a stream as stages compute on it, samples of one kind and what is missing of them.

Most streams have one array. Where sources came in other number formats, samples of a span lie in several,
and one record is made of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.blocks import DayRow
from pipeline.archive.grid import DayGrid
from pipeline.archive.merge import ARRAY_DTYPES, Segment
from pipeline.archive.pieces import Samples
from pipeline.archive.reading import Archive
from pipeline.keys import Stream
from pipeline.signal.precision import BoolArray

__all__ = ["Record", "ground_times_s", "read_record"]

_COUNTS = "counts"


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """
    A span of a stream.

    Parameters
    ----------
    samples : ndarray, shape (components, samples)
        int32 where all of it is counts, else float32 or float64. What is missing holds any finite value.
    missing : ndarray of bool, shape (components, samples)
    """

    samples: Samples
    missing: BoolArray


def read_record(archive: Archive, stream: Stream, grid: DayGrid, first: int, stop: int) -> Record:
    """
    Read a span.

    Parameters
    ----------
    archive : Archive
    stream, grid : Stream, DayGrid
    first, stop : int
        Samples since 1970, half-open.

    Returns
    -------
    Record
    """
    arrays = _arrays(archive, stream, grid, first, stop) or [_COUNTS]
    found = [_read(archive, stream, grid, array, first, stop) for array in arrays]
    if len(found) == 1:
        return found[0]
    # int32 and float32 together take float64, in which both are exact.
    kind = np.result_type(*(record.samples.dtype for record in found))
    samples, missing = found[0].samples.astype(kind), found[0].missing
    for record in found[1:]:
        np.copyto(samples, record.samples, where=~record.missing)
        missing = missing & record.missing
    return Record(samples, missing)


def _read(archive: Archive, stream: Stream, grid: DayGrid, array: str, first: int, stop: int) -> Record:
    samples = archive.read(stream, grid, array, first, stop)
    missing = samples == np.iinfo(np.int32).min if array == _COUNTS else ~np.isfinite(samples)
    if missing.any():
        np.copyto(samples, 0, where=missing)
    return Record(samples, missing)


def _rows(archive: Archive, stream: Stream, grid: DayGrid, first: int, stop: int) -> list[tuple[int, DayRow]]:
    n = grid.samples_per_day
    days = range(first // n, (stop - 1) // n + 1)
    found = ((day, archive.day(stream, grid, day)) for day in days)
    return [(day, row) for day, row in found if row is not None]


def _arrays(archive: Archive, stream: Stream, grid: DayGrid, first: int, stop: int) -> list[str]:
    rows = _rows(archive, stream, grid, first, stop)
    return sorted({array for _, row in rows for array in row.arrays}, key=list(ARRAY_DTYPES).index)


def ground_times_s(
    archive: Archive, stream: Stream, grid: DayGrid, component: int, first: int, stop: int
) -> NDArray[np.float64]:
    """
    Return the exact times of the samples of a component.

    The grid holds samples within half a step; their segments say when they were.

    Parameters
    ----------
    archive, stream, grid, first, stop
        See `read_record`.
    component : int

    Returns
    -------
    ndarray, shape (samples,)
        Seconds since 1970; those of the grid where no sample is.
    """
    n = grid.samples_per_day
    times_s = np.arange(first, stop, dtype=np.float64) * (86_400 / n)
    for day, row in _rows(archive, stream, grid, first, stop):
        for segment in row.segments:
            if segment.component == component:
                _set_times(times_s, segment, day * n - first)
    return times_s


def _set_times(times_s: NDArray[np.float64], segment: Segment, offset: int) -> None:
    low, high = segment.first + offset, segment.stop + offset
    inside = np.arange(max(low, 0), min(high, len(times_s)))
    times_s[inside] = segment.start_ns / 1e9 + (inside - low) / segment.rate_hz
