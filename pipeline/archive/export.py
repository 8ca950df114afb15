"""
Export to miniSEED: every sample at its own time, those of the side table included.

Records are cut at midnight, so that an export runs day by day in constant memory and any reader joins the
days again. Times are exact to the microsecond of miniSEED 2, or the nanosecond of miniSEED 3. Samples inside
a leap second stand in a record that begins before it and says so in its header.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pipeline.archive.blocks import DayRow
from pipeline.archive.chains import find_chains
from pipeline.archive.grid import DayGrid, day_of_number
from pipeline.archive.merge import Segment
from pipeline.archive.packing import RECORD_BYTES, DayFile, mark_leap, pack_records
from pipeline.archive.pieces import Samples
from pipeline.archive.placement import SideRun
from pipeline.archive.reading import Archive
from pipeline.archive.runs import side_within
from pipeline.keys import Channel, Stream

__all__ = ["export_days"]


def export_days(
    archive: Archive, stream: Stream, grid: DayGrid, first: int, stop: int, *, version: int = 2
) -> Iterator[DayFile]:
    """
    Iterate over the miniSEED of a stream, a file per channel and day.

    Parameters
    ----------
    archive : Archive
        Where the samples are.
    stream, grid : Stream, DayGrid
        Which, and at which rate.
    first, stop : int
        Samples since 1970, half-open.
    version : int
        Of miniSEED, 2 or 3.

    Yields
    ------
    DayFile
        In order of day and channel; days without samples yield nothing.
    """
    n = grid.samples_per_day
    for day in range(first // n, (stop - 1) // n + 1):
        row = archive.day(stream, grid, day)
        if row is not None:
            low, high = max(first, day * n), min(stop, (day + 1) * n)
            yield from _export_day(archive, stream, grid, row, low, high, version)


def _export_day(
    archive: Archive, stream: Stream, grid: DayGrid, row: DayRow, low: int, high: int, version: int
) -> Iterator[DayFile]:
    chains = find_chains(((row.day, segment) for segment in row.segments), grid, low, high)
    side = side_within(row, grid, low, high)
    arrays = {a: archive.read(stream, grid, a, low, high) for a in {chain.array for chain in chains}}
    codes = sorted({chain.channel for chain in chains} | {run.channel.code for run in side})
    for code in codes:
        channel = stream.channel(code)
        parts: list[tuple[int, bytes]] = []
        leaps = [run for run in side if run.channel.code == code and run.kind == "leap"]
        for chain in (c for c in chains if c.channel == code):
            samples = arrays[chain.array][chain.component, chain.first - low : chain.stop - low]
            leap = _take_following(chain, leaps)
            parts.append((chain.start_ns, _pack_chain(channel, chain, samples, leap, version)))
        for run in (r for r in side if r.channel.code == code and (r.kind != "leap" or r in leaps)):
            records = pack_records(channel, run.samples, run.start_ns, run.rate_hz, run.rank, version)
            if run.kind == "leap":
                records = mark_leap(records, version, begins_inside=True)
            parts.append((run.start_ns, records))
        yield DayFile(channel, day_of_number(row.day), b"".join(data for _, data in sorted(parts)))


def _take_following(chain: Segment, leaps: list[SideRun]) -> SideRun | None:
    """Take the leap second that follows a chain off the list of those left."""
    half = 0.5e9 / chain.rate_hz
    for number, run in enumerate(leaps):
        if abs(chain.time_ns(chain.stop) - run.start_ns) < half:
            return leaps.pop(number)
    return None


def _pack_chain(
    channel: Channel, chain: Segment, samples: Samples, leap: SideRun | None, version: int
) -> bytes:
    if leap is None:
        return pack_records(channel, samples, chain.start_ns, chain.rate_hz, chain.rank, version)
    last_ns = chain.time_ns(chain.stop - 1)
    before = pack_records(channel, samples[:-1], chain.start_ns, chain.rate_hz, chain.rank, version)
    both: Any = np.concatenate([samples[-1:], leap.samples])
    size = max(RECORD_BYTES, 1 << int(np.ceil(np.log2(128 + both.nbytes))))
    clock = (last_ns, chain.rate_hz, chain.rank, version)
    within = pack_records(channel, both, *clock, record_bytes=size, plain=True)
    return before + mark_leap(within, version)
