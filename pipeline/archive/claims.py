"""
Claims: from what files hold to the blocks that they touch.

Pure bookkeeping between the scan and the map. Each stream gets its grids first (rates that differ by a
clock's error share one), then every file claims the days of each block that its samples touch.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field

from pipeline.archive.assemble import BlockJob, Claim, grid_for, touched_days
from pipeline.archive.grid import DayGrid, day_of_number
from pipeline.archive.merge import ARRAY_DTYPES
from pipeline.archive.scan import FileScan
from pipeline.keys import Block, Stream, blocks_between

__all__ = ["BlockPlan", "plan_blocks"]

_ARRAY_OF_DTYPE = {dtype: array for array, dtype in ARRAY_DTYPES.items()}


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """
    Everything that an ingest would bring up to date.

    Parameters
    ----------
    jobs : list of BlockJob
        In order of stream and block.
    groups : dict of (stream, grid, year) to set of str
        The arrays that each year's group must have.
    """

    jobs: list[BlockJob] = field(default_factory=list)
    groups: dict[tuple[Stream, DayGrid, int], set[str]] = field(default_factory=dict)


def plan_blocks(
    scans: Mapping[str, FileScan],
    *,
    reachable: Container[str],
    grids: Mapping[Stream, Iterable[DayGrid]],
    block_days: int,
    first_day: int | None = None,
    last_day: int | None = None,
    wants: Callable[[Stream], bool] | None = None,
) -> BlockPlan:
    """
    Sort the files of an archive by the blocks that they touch.

    Parameters
    ----------
    scans : mapping of URL to FileScan
        Of all files that were ever ingested, and of the new ones.
    reachable : container of URL
        Files that can be read now.
    grids : mapping of Stream to grids
        Those that the archive has already.
    block_days : int
        Of the archive.
    first_day, last_day : int, optional
        Days since 1970, both included; nothing outside is claimed.
    wants : callable, optional
        Tells whether a stream is to be claimed; all are by default.

    Returns
    -------
    BlockPlan
        The same for the same files, in whatever order they were found.
    """
    known = _grids(scans, grids)
    claims: dict[Block, list[Claim]] = {}
    plan = BlockPlan()
    for url in sorted(scans):
        scan = scans[url]
        for span in scan.spans:
            stream = span.channel.stream
            if wants is not None and not wants(stream):
                continue
            grid = grid_for(span.rate_hz, known[stream])
            first, last = touched_days(span, grid)
            first = first if first_day is None else max(first, first_day)
            last = last if last_day is None else min(last, last_day)
            if last < first:
                continue
            claim = Claim(scan.source, grid, first, last, url in reachable and scan.was_read, scan.peeked)
            days = (day_of_number(first), day_of_number(last))
            for block in blocks_between(stream, *days, block_days):
                claims.setdefault(block, []).append(claim)
                group = plan.groups.setdefault((stream, grid, block.year), set())
                group.add(_ARRAY_OF_DTYPE[span.dtype])
    plan.jobs.extend(BlockJob(block, _widest(claims[block])) for block in sorted(claims))
    return plan


def _grids(
    scans: Mapping[str, FileScan], existing: Mapping[Stream, Iterable[DayGrid]]
) -> dict[Stream, list[DayGrid]]:
    """Give each stream its grids: those it has, then the rates of its files, from the lowest."""
    rates: dict[Stream, set[float]] = {}
    for scan in scans.values():
        for span in scan.spans:
            rates.setdefault(span.channel.stream, set()).add(span.rate_hz)
    known = {stream: sorted(existing.get(stream, ())) for stream in rates}
    for stream, own in rates.items():
        for rate in sorted(own):
            grid = grid_for(rate, known[stream])
            if grid not in known[stream]:
                known[stream].append(grid)
    return known


def _widest(claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """Keep one claim per file and grid: the components of a stream may lie in one file."""
    widest: dict[tuple[str, DayGrid], Claim] = {}
    for claim in claims:
        key = (claim.source.url, claim.grid)
        other = widest.get(key, claim)
        widest[key] = Claim(
            claim.source,
            claim.grid,
            min(claim.first_day, other.first_day),
            max(claim.last_day, other.last_day),
            claim.reachable,
            claim.peeked,
        )
    return tuple(sorted(widest.values()))
