"""
Runs: the samples of a day as their instrument took them, evenly spaced and whole.

A fast clock puts two samples on one grid point, a slow one leaves one empty: both cut a segment, though the
instrument missed nothing. Here such pieces are one run again, with what the side table holds between them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pipeline.archive.blocks import DayRow
from pipeline.archive.chains import find_chains
from pipeline.archive.grid import DayGrid
from pipeline.archive.pieces import Samples, sample_time_ns
from pipeline.archive.placement import SideRun
from pipeline.archive.reading import Archive
from pipeline.keys import Channel, Stream

__all__ = ["ExactRun", "exact_runs", "side_within"]

_SAME_TIME_NS = 1000
"""As `merge.join_segments` has it: what miniSEED 2 rounds."""


@dataclass(frozen=True, slots=True, eq=False)
class ExactRun:
    """
    Contiguous samples of one channel; sample i lies at ``start_ns + i / rate_hz``.

    Parameters
    ----------
    channel : Channel
    start_ns : int
        Time of the first sample.
    rate_hz : float
        By the clock of the instrument.
    samples : ndarray, shape (n,)
        int32, float32 or float64.
    is_leap : bool
        Whether they lie inside a positive leap second, with times that run on into the next day.
    """

    channel: Channel
    start_ns: int
    rate_hz: float
    samples: Samples
    is_leap: bool = False

    @property
    def stop_ns(self) -> int:
        """Where the next sample would lie."""
        return sample_time_ns(self.start_ns, self.rate_hz, len(self.samples))


def exact_runs(
    archive: Archive, stream: Stream, grid: DayGrid, row: DayRow, low: int, high: int
) -> list[ExactRun]:
    """
    Read a day's samples as runs.

    Parameters
    ----------
    archive : Archive
        Where they are.
    stream, grid, row : Stream, DayGrid, DayRow
        Which day.
    low, high : int
        Samples since 1970, half-open: within the day.

    Returns
    -------
    list of ExactRun
        In order of channel and time; every sample stands in one of them.
    """
    chains = find_chains(((row.day, segment) for segment in row.segments), grid, low, high)
    arrays = {name: archive.read(stream, grid, name, low, high) for name in {c.array for c in chains}}
    found = [
        ExactRun(
            stream.channel(chain.channel),
            chain.start_ns,
            chain.rate_hz,
            arrays[chain.array][chain.component, chain.first - low : chain.stop - low],
        )
        for chain in chains
    ]
    found += [
        ExactRun(run.channel, run.start_ns, run.rate_hz, run.samples, run.kind == "leap")
        for run in side_within(row, grid, low, high)
    ]
    found.sort(key=lambda run: (run.channel, run.samples.dtype.name, run.is_leap, run.start_ns))
    return list(_joined(found))


def side_within(row: DayRow, grid: DayGrid, low: int, high: int) -> list[SideRun]:
    """Return what the side table of a day holds of a span: all of it if that is the day."""
    if high - low == grid.samples_per_day:
        return list(row.side)
    begin_ns, end_ns = grid.time_ns(low), grid.time_ns(high)
    return [run for run in row.side if begin_ns <= run.start_ns < end_ns]


def _joined(runs: list[ExactRun]) -> Iterator[ExactRun]:
    """Join runs that continue each other."""
    together: list[ExactRun] = []
    for run in runs:
        if together and not _continues(together, run):
            yield _one(together)
            together = []
        together.append(run)
    if together:
        yield _one(together)


def _continues(together: list[ExactRun], run: ExactRun) -> bool:
    first, last = together[0], together[-1]
    same = (first.channel, first.rate_hz, first.is_leap, first.samples.dtype) == (
        run.channel,
        run.rate_hz,
        run.is_leap,
        run.samples.dtype,
    )
    return same and abs(run.start_ns - last.stop_ns) <= _SAME_TIME_NS


def _one(together: list[ExactRun]) -> ExactRun:
    if len(together) == 1:
        return together[0]
    return replace(together[0], samples=np.concatenate([run.samples for run in together]))
