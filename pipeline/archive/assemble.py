"""
Assembling a block: source files to station-days, day by day.

This is what one task of an ingest does. A day is made anew when the files that touch it are not those it was
made of. It is made of the files themselves; only where some of them are out of reach, or can't be read just
now, do its old samples stand in for them. Memory holds the decoded samples of one day, and the bytes of the
files that touch it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from pipeline.archive.arena import Arena
from pipeline.archive.arriving import Arriving
from pipeline.archive.blocks import DayRow, Source, day_row
from pipeline.archive.grid import DAY_NS, DayGrid, day_number, day_of_number
from pipeline.archive.index import DayEntry, day_entry
from pipeline.archive.merge import DayContent, merge_day
from pipeline.archive.patience import PATIENCE_S
from pipeline.archive.pieces import Piece, Span
from pipeline.archive.placement import Run, SideRun, place
from pipeline.archive.readers import UNREADABLE, Content, Problem, SourceFile, open_source, parse_rule
from pipeline.archive.store import ArchiveStore
from pipeline.archive.writer import BlockWriter
from pipeline.errors import SourceError
from pipeline.keys import Block, Stream

__all__ = [
    "STILL_HELD",
    "AssembledDay",
    "BlockJob",
    "BlockReport",
    "Claim",
    "assemble_block",
    "grid_for",
    "touched_days",
]

STILL_HELD = "; the archive keeps what it gave before"
"""Said of a file that can't be read just now, where that is so."""

MAX_RATE_ERROR = 1e-4
"""A rate belongs to the grid of a stream that lies within this part of it."""


@dataclass(frozen=True, order=True, slots=True)
class Claim:
    """A source file that says it holds samples of a stream, on one grid, on some days (since 1970)."""

    source: Source
    grid: DayGrid
    first_day: int
    last_day: int
    reachable: bool = True
    peeked: bool = False
    """Whether only the first and the last record were looked at."""


@dataclass(frozen=True, slots=True)
class BlockJob:
    """One block and all files that touch it, in this ingest and before."""

    block: Block
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class AssembledDay:
    """What became of one day of a block on one grid."""

    entry: DayEntry
    changed: bool
    problems: tuple[Problem, ...]


@dataclass(slots=True)
class BlockReport:
    """What an assembled block tells the driver."""

    days: list[AssembledDay] = field(default_factory=list)
    bytes_read: int = 0
    bytes_written: int = 0
    surprises: set[str] = field(default_factory=set)
    """Files that hold something else than their ends showed: to be scanned whole, and planned again."""


def grid_for(rate_hz: float, grids: Iterable[DayGrid]) -> DayGrid:
    """
    Return the grid, of those that a stream has, for a stated rate; a new one where none is near.

    >>> grid_for(100.001, [DayGrid.at_rate(100.0)]).label
    '100Hz'
    """
    own = DayGrid.at_rate(rate_hz)
    near = [grid for grid in grids if abs(grid.rate_hz - rate_hz) <= MAX_RATE_ERROR * rate_hz]
    return min(near, key=lambda grid: (abs(grid.rate_hz - rate_hz), grid), default=own)


def touched_days(span: Span, grid: DayGrid) -> tuple[int, int]:
    """Return the first and the last day since 1970 on which samples of a span lie."""
    n = grid.samples_per_day
    return grid.index(span.start_ns) // n, grid.index(span.end_ns) // n


def assemble_block(
    store: ArchiveStore,
    job: BlockJob,
    *,
    permit: Callable[[], object] | None = None,
    on_surprise: Callable[[Source], object] | None = None,
    patience_s: float = PATIENCE_S,
) -> BlockReport:
    """
    Bring a block up to date with its source files.

    Parameters
    ----------
    store : ArchiveStore
        Groups of the block's year must have been made for every grid and array that the files hold.
    job : BlockJob
        The block, and all claims on it.
    permit : callable, optional
        See `BlockWriter`.
    on_surprise : callable, optional
        Called with a file that holds more than its ends showed, before anything made of it is committed:
        once the block is done, nobody looks into the file again.
    patience_s : float
        How long a file in a bucket may take; see `pipeline.archive.patience`.

    Returns
    -------
    BlockReport
        All days of the block that any file claims, in order of grid and day.
    """
    report = BlockReport()
    first_day = day_number(job.block.first_day(store.options.block_days))
    with Arriving(patience_s) as arriving:
        files = _OpenFiles(report, arriving, first_day, on_surprise)
        for grid in sorted({claim.grid for claim in job.claims}):
            claims = [claim for claim in job.claims if claim.grid == grid]
            writer = BlockWriter(store, grid, job.block, permit=permit)
            _assemble_grid(writer, _days(job.block, store.options.block_days, claims), claims, files)
    return report


def _assemble_grid(
    writer: BlockWriter, days: Iterable[int], claims: Sequence[Claim], files: _OpenFiles
) -> None:
    report, stream, grid = files.report, writer.block.stream, writer.grid
    rows: list[DayRow] = []
    buffers: dict[str, Any] = {}
    touching = {day: sorted(c for c in claims if c.first_day <= day <= c.last_day) for day in days}
    stale = [day for day, own in touching.items() if not _is_made_of(writer.rows.get(day), own)]
    following = dict(pairwise(stale))
    for day, own in touching.items():
        files.close_before(day)
        old = writer.rows.get(day)
        if old is not None and _is_made_of(old, own):
            report.days.append(AssembledDay(day_entry(stream, grid, old), False, old.problems))
            continue
        files.expect(own)
        files.expect(touching.get(following.get(day, -1), ()))
        content, sources, problems = _make_day(writer, day, own, files, buffers)
        new = day_row(content, stream, grid, sources=sources, problems=problems)
        changed = old is None or new.digest != old.digest
        edges = writer.write(content) if old is None or changed else old.edges
        rows.append(replace(new, edges=edges))
        report.days.append(AssembledDay(day_entry(stream, grid, new), changed, new.problems))
    if rows:
        writer.commit(rows)
    report.bytes_written += writer.bytes_written


def _is_made_of(row: DayRow | None, claims: Sequence[Claim]) -> bool:
    """Tell whether an archived day is made of just these files, as they are now."""
    return row is not None and row.was_read and set(row.sources) == {claim.source for claim in claims}


def _days(block: Block, block_days: int, claims: Sequence[Claim]) -> Iterator[int]:
    first, last = day_number(block.first_day(block_days)), day_number(block.last_day(block_days))
    for day in range(first, last + 1):
        if any(claim.first_day <= day <= claim.last_day for claim in claims):
            yield day


def _make_day(
    writer: BlockWriter, day: int, claims: Sequence[Claim], files: _OpenFiles, buffers: dict[str, Any]
) -> tuple[DayContent, list[Source], list[Problem]]:
    """Read and merge everything that touches a day."""
    stream, grid = writer.block.stream, writer.grid
    runs: list[Run] = []
    side: list[SideRun] = []
    problems: list[Problem] = []
    sources: list[Source] = []
    old = writer.rows.get(day)
    kept: set[Source] = set()
    if old is not None and any(not claim.reachable for claim in claims):
        kept = {claim.source for claim in claims} & set(old.sources)
    for claim in claims:
        if claim.source in kept:
            sources.append(claim.source)
            continue
        if not claim.reachable:
            continue
        number = len(sources)
        found, trouble = files.read(claim, stream, grid, day)
        is_held = found is None and old is not None and claim.source in old.sources
        if is_held:
            kept.add(claim.source)
            trouble = [_still_held(problem) for problem in trouble]
        problems += [problem for problem in trouble if problem not in problems]
        if found is not None or is_held:
            sources.append(claim.source)
        for piece in found or ():
            piece_runs, piece_side = place(piece, grid, range(day, day + 1), source=number)
            runs += piece_runs
            side += piece_side
    if old is not None and kept:
        old_runs, old_side = _runs_of(writer, old, stream, kept, sources)
        runs += old_runs
        side += old_side
        problems += [p for p in old.problems if p not in problems and p.reason != UNREADABLE]
    content = merge_day(day, stream, grid, runs, side, buffers=buffers)
    if content.disagreed_samples:
        detail = (
            f"{day_of_number(day)}: {content.disagreed_samples:,} samples came twice and differ: now missing"
        )
        problems.append(Problem("overlap disagrees", detail))
    return content, sources, problems


def _runs_of(
    writer: BlockWriter, old: DayRow, stream: Stream, kept: set[Source], sources: Sequence[Source]
) -> tuple[list[Run], list[SideRun]]:
    """Take an archived day apart again, as far as its sources are still those it was made of."""
    number = {source: sources.index(source) for source in kept}
    arrays = writer.read(old.day)
    runs = []
    for chain, segment in enumerate(old.segments, start=1):
        source = old.sources[segment.source]
        if source in kept:
            runs.append(
                Run(
                    channel=stream.channel(segment.channel),
                    day=old.day,
                    first=segment.first,
                    samples=arrays[segment.array][segment.component, segment.first : segment.stop],
                    start_ns=segment.start_ns,
                    rate_hz=segment.rate_hz,
                    rank=segment.rank,
                    source=number[source],
                    chain=-chain,
                    timing_quality=old.timing_quality,
                )
            )
    side = [
        replace(run, source=number[old.sources[run.source]])
        for run in old.side
        if old.sources[run.source] in kept
    ]
    return runs, side


class _OpenFiles:
    """The source files of a block, each opened once and let go after its last day."""

    def __init__(
        self,
        report: BlockReport,
        arriving: Arriving,
        first_day: int,
        on_surprise: Callable[[Source], object] | None,
    ) -> None:
        self.report = report
        self._first_day = first_day
        self._on_surprise = on_surprise
        self._open: dict[str, tuple[SourceFile | None, list[Problem], int]] = {}
        self._arena = Arena()
        self._arriving = arriving

    def expect(self, claims: Iterable[Claim]) -> None:
        """Ask for files that will be read soon."""
        for claim in claims:
            if claim.reachable and claim.source.url not in self._open:
                self._arriving.expect([claim.source], keep=not claim.peeked)

    def close_before(self, day: int) -> None:
        """Let go of files that end before a day, and of all samples that were read."""
        self._open = {url: entry for url, entry in self._open.items() if entry[-1] >= day}
        self._arena.reset()

    def read(
        self, claim: Claim, stream: Stream, grid: DayGrid, day: int
    ) -> tuple[list[Piece] | None, list[Problem]]:
        """Decode what a file holds of a stream on one grid around a day; None if it can't be opened."""
        url = claim.source.url
        if url not in self._open:
            self._open[url] = (*self._open_file(claim), claim.last_day)
        file, problems, _ = self._open[url]
        if file is None:
            return None, problems
        # A problem of the file as a whole is told on its first day, also if only a later one is made now.
        is_first = day == max(claim.first_day, self._first_day)
        margin = int(grid.step_ns()) + 1
        span = (day * DAY_NS - margin, (day + 1) * DAY_NS + margin)
        pieces, trouble = file.read(*span, allocate=self._arena.take)
        own = [
            piece
            for piece in pieces
            if piece.channel.stream == stream and grid_for(piece.nominal_rate_hz, [grid]) == grid
        ]
        return own, (problems if is_first else []) + _told_of(url, trouble)

    def _open_file(self, claim: Claim) -> tuple[SourceFile | None, list[Problem]]:
        source = claim.source
        try:
            data = self._arriving.take(source, keep=not claim.peeked)
            file = open_source(data, source.url, parse_rule(source.rule))
        except OSError as error:
            if not isinstance(error, SourceError):
                return None, [Problem(UNREADABLE, f"{source.url}: {error.strerror or error}")]
            reason, _, detail = str(error).partition(":")
            return None, [Problem(reason, f"{source.url}:{detail or ' ' + reason}")]
        self.report.bytes_read += len(data)
        content = file.content
        if claim.peeked and _surprises(content, claim):
            self.report.surprises.add(source.url)
            if self._on_surprise is not None:
                self._on_surprise(source)
        return file, _told_of(source.url, content.problems)


def _still_held(problem: Problem) -> Problem:
    return replace(problem, detail=f"{problem.detail}{STILL_HELD}", lost=False)


def _told_of(url: str, problems: Iterable[Problem]) -> list[Problem]:
    """Name the file in problems of it: a block is made of many."""
    return [replace(problem, detail=f"{url}: {problem.detail}") for problem in problems]


def _surprises(content: Content, claim: Claim) -> bool:
    """Tell whether a file holds something that its first and last record did not show."""
    if len(content.spans) != 1:
        return True
    first, last = touched_days(content.spans[0], claim.grid)
    return first < claim.first_day or last > claim.last_day
