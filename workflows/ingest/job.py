"""
Ingesting: source files to an archive.

::

    find files ── scan what is new or changed ── plan blocks ── make groups ── map ── index
                  (over Dask, batch by batch)                   (over Dask, block by block)

A file of which only the ends were scanned and that turns out to hold more is read through, and the blocks
that it touches are planned once more.

An ingest that died leaves nothing that the next one does not clear up first: scans not yet joined, days half
written, an index older than its tables, temporary files.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.archive.assemble import AssembledDay, BlockJob, assemble_block
from pipeline.archive.blocks import Source
from pipeline.archive.claims import BlockPlan, plan_blocks
from pipeline.archive.grid import DayGrid, day_number
from pipeline.archive.index import INDEX, DayEntry, Index, day_entry
from pipeline.archive.layouts import Wanted
from pipeline.archive.listing import Listings, find_files, read_listings, write_listings
from pipeline.archive.readers import UNREADABLE, Problem, SourceMap, load_map
from pipeline.archive.scan import FileScan, scan_file
from pipeline.archive.store import ROOT, ArchiveOptions, ArchiveStore, create_store, open_store
from pipeline.archive.writer import roll_back
from pipeline.config import to_toml
from pipeline.errors import ConfigError, NotAnArchiveError
from pipeline.keys import Block, Stream
from pipeline.objects import open_objects
from workflows.execute import execute
from workflows.ingest.report import IngestReport, each_once, earlier_losses
from workflows.ingest.scans import changed_files, join_scans, load_scans, scan_files, scan_whole
from workflows.ingest.stations import keep_metadata, read_stations_files
from workflows.ingest.waves import Waves
from workflows.lease import Fence, Lease
from workflows.ledger import BlockResult, DayRecord, Ledger, Status
from workflows.plan import Plan, Task, plan
from workflows.progress import Progress, SilentProgress
from workflows.runners import Runner

__all__ = ["IngestReport", "Sources", "ingest", "preview"]

VERSION = 1
"""Part of every fingerprint: raised when the same files would give other bytes."""

MAX_WAVES = 3
MAP = "scan/map.toml"
LISTINGS = "scan/listings.parquet"
STALE_INDEX = "index.stale"
"""Lists the blocks under way, with their fingerprints; there while the index is older than their tables."""


@dataclass(frozen=True, slots=True)
class Sources:
    """
    What to ingest.

    Parameters
    ----------
    roots : sequence of str
        Folders, files or glob patterns, local or URLs.
    map_file : str, optional
        Names, calibrations and delays for sources that do not state them; see
        `pipeline.archive.readers.mapping`. The archive keeps it: without one, the one that it has holds.
    wanted : Wanted
        Days and streams.
    layout : str, optional
        Of the roots; see `pipeline.archive.layouts`.
    relist : bool
        Whether to list again also what was long past when it was listed before.
    """

    roots: Sequence[str]
    map_file: str | None = None
    wanted: Wanted = field(default_factory=Wanted)
    layout: str | None = None
    relist: bool = False

    def given_map(self) -> SourceMap | None:
        """Read the map that is given."""
        return None if self.map_file is None else load_map(Path(self.map_file))

    def find(self, source_map: SourceMap | None, listings: Listings) -> list[Source]:
        """List the files; what is found of long past days is added to the listings."""
        return list(
            find_files(self.roots, source_map, wanted=self.wanted, layout=self.layout, listings=listings)
        )


def ingest(
    sources: Sources,
    archive_url: str,
    runner: Runner,
    *,
    options: ArchiveOptions | None = None,
    stations: Sequence[str] = (),
    retry_failed: bool = False,
    progress: Callable[[], Progress] = SilentProgress,
) -> IngestReport:
    """
    Bring an archive up to date with source files.

    Parameters
    ----------
    sources : Sources
    archive_url : str
        Made if it is not there.
    runner : Runner
        Where scans and blocks run.
    options : ArchiveOptions, optional
        For a new archive.
    stations : sequence of str
        Files of metadata to merge into the archive's; see `pipeline.archive.metadata_files`.
    retry_failed : bool
        Whether to take up blocks that failed earlier.
    progress : callable
        Makes the display of each step.

    Returns
    -------
    IngestReport

    Raises
    ------
    ConfigError
        If a source does not exist, the map says what can't be, or the archive was made with other options.
    LeaseHeldError
        If another ingest is writing this archive.
    """
    given = sources.given_map()
    documents = read_stations_files(stations)
    listings = _kept_listings(archive_url, relist=sources.relist)
    found = sources.find(given or _kept_map(archive_url), listings)
    store = create_store(archive_url, options)
    with Lease(store.objects) as lease:
        notes = list(keep_metadata(store, documents))
        if given is not None:
            store.objects.write(MAP, to_toml(given).encode())
        if listings.new:
            store.objects.write(LISTINGS, write_listings(listings))
        report = _Ingest(store, lease, runner, progress).run(found, sources.wanted, retry_failed=retry_failed)
    report.unreadable[:0] = notes
    return report


def _kept_listings(archive_url: str, *, relist: bool) -> Listings:
    """Return what an archive knows of folders of long past days."""
    today = dt.datetime.now(dt.UTC).date()
    try:
        known = open_objects(archive_url).read(LISTINGS)
    except FileNotFoundError:
        return Listings(today)
    except NotADirectoryError:
        raise ConfigError(f"{archive_url}: a file is in the way; an archive is a folder") from None
    return Listings(today) if relist else read_listings(known, today)


def _kept_map(archive_url: str) -> SourceMap | None:
    """Return the map that an archive has."""
    try:
        return load_map(open_objects(archive_url).read(MAP).decode())
    except FileNotFoundError:
        return None


def preview(sources: Sources, archive_url: str, *, retry_failed: bool = False) -> Plan:
    """Plan an ingest, for ``--dry-run``: new files are scanned, and nothing is written."""
    listings = _kept_listings(archive_url, relist=sources.relist)
    found = sources.find(sources.given_map() or _kept_map(archive_url), listings)
    try:
        store = open_store(archive_url)
    except NotAnArchiveError:
        store = ArchiveStore(open_objects(archive_url), ArchiveOptions())
    scans = load_scans(store)
    scans |= {source.url: scan_file(source) for source in changed_files(found, scans)}
    blocks = _plan_blocks(store, Index.load(store), scans, found, sources.wanted)
    ledger = Ledger(store.objects.child("ledger"))
    return plan(_tasks(store.url, blocks), ledger, retry_failed=retry_failed)


class _Ingest:
    """One ingest under way, on the driver."""

    def __init__(
        self, store: ArchiveStore, lease: Lease, runner: Runner, progress: Callable[[], Progress]
    ) -> None:
        self.store = store
        self.lease = lease
        self.runner = runner
        self.progress = progress
        self.report = IngestReport()
        self.scans = load_scans(store)
        self.entries: list[DayEntry] = []
        self.waves = Waves()

    def run(self, found: Sequence[Source], wanted: Wanted, *, retry_failed: bool) -> IngestReport:
        """Scan, then plan and map until no file holds anything that was not planned."""
        index = self._recover()
        changed = changed_files(found, self.scans)
        self.report.files, self.report.scanned = len(found), len(changed)
        stopped = self._scan(changed)
        with Ledger(self.store.objects.child("ledger"), lease=self.lease) as ledger:
            for wave in range(MAX_WAVES):
                if stopped:
                    break
                blocks = _plan_blocks(self.store, index, self.scans, found, wanted)
                tasks = _tasks(self.store.url, blocks, self.lease.fence())
                planned = plan(tasks, ledger, retry_failed=retry_failed and not wave)
                if not wave:
                    _check_wanted(wanted, found, self.scans, blocks)
                    self.report.problems += earlier_losses(ledger, planned, blocks.jobs)
                index = self._map(index, blocks, planned, ledger)
                stopped = self.report.summary.stopped_by is not None
                if stopped or not self._join_scans():
                    break
        new = {source.url for source in changed}
        self.report.unreadable = [
            (source.url, problem)
            for source in found
            if source.url in self.scans
            for problem in self.scans[source.url].problems
            if problem.lost or source.url in new
        ]
        self.report.problems = each_once(self.report.problems, found, self.report.unreadable)
        return self.report

    def _recover(self) -> Index:
        """Clear up after an ingest that died, and load the index, brought up to date with its tables."""
        store = self.store
        for folder in ("scan", "ledger", "metadata"):
            store.objects.sweep_partials(folder)
        store.objects.remove_partials((ROOT, INDEX, STALE_INDEX))
        self._join_scans()
        roll_back(store)
        index = Index.load(store)
        if store.objects.exists(STALE_INDEX):
            self._distrust(store.objects.read(STALE_INDEX).decode().splitlines())
            tables = ((grid, block, store.read_table(grid, block)) for grid, block in store.tables())
            index = index.updated(
                day_entry(block.stream, grid, row) for grid, block, rows in tables for row in rows.values()
            )
            self._save(index)
        return index

    def _distrust(self, under_way: Iterable[str]) -> None:
        """Strike from the ledger what a dead ingest may have done anew without getting to recording it."""
        with Ledger(self.store.objects.child("ledger"), lease=self.lease) as ledger:
            latest = ledger.latest()
            for key, digest in (line.split() for line in under_way):
                if key in latest and latest[key].fingerprint != digest:
                    ledger.record(BlockResult(key, "", Status.FAILED, reason="interrupted"))

    def _scan(self, sources: Sequence[Source]) -> bool:
        """Scan files, and tell whether a signal ended it."""
        if not sources:
            return False
        summary = scan_files(self.store, sources, self.runner, self.lease, self.progress())
        self._join_scans()
        if summary.failed or summary.stopped_by is not None:
            self.report.summary = summary
        return summary.stopped_by is not None

    def _join_scans(self) -> bool:
        joined = join_scans(self.store, self.lease)
        if joined:
            self.scans = load_scans(self.store)
        return joined

    def _map(self, index: Index, blocks: BlockPlan, planned: Plan, ledger: Ledger) -> Index:
        """Make the groups, bring every block up to date, and write the index."""
        if planned.todo:
            self.lease.check()
            under_way = (f"{task.key} {task.fingerprint}\n" for task in planned.todo)
            self.store.objects.write(STALE_INDEX, "".join(under_way).encode())
            self._make_groups(blocks, planned)
        summary = execute(
            "ingest",
            _ingest_block,
            planned,
            ledger,
            self.runner,
            on_result=self._take,
            progress=self.progress(),
        )
        self.report.summary = self.waves.end(summary)
        if planned.todo:
            index = index.updated(self.entries)
            self.entries.clear()
            self._save(index)
        return index

    def _save(self, index: Index) -> None:
        self.lease.check()
        index.save(self.store)
        self.store.objects.delete(STALE_INDEX)

    def _make_groups(self, blocks: BlockPlan, planned: Plan) -> None:
        touched = {(block.stream, block.year) for block in (task.payload[1].block for task in planned.todo)}
        for (stream, grid, year), arrays in blocks.groups.items():
            if (stream, year) in touched:
                group = self.store.group(stream, grid, year)
                folders = [str(stream), f"{stream}/{grid.label}", group, *(f"{group}/{a}" for a in arrays)]
                self.store.objects.remove_partials(f"{folder}/{ROOT}" for folder in folders)
                self.store.make_group(stream, grid, year, arrays)

    def _take(self, result: BlockResult) -> None:
        """Keep what the index and the report need of a block's result."""
        self.waves.take(result)
        if result.status is Status.FAILED:
            self.report.problems.append((result.key, Problem("failed", result.reason)))
            return
        stream = Block.parse(result.key).stream
        for record in result.days:
            details = json.loads(record.details)
            self.entries.append(_entry(stream, record.day, details))
            self.report.problems += [(result.key, Problem(**problem)) for problem in details["problems"]]


def _check_wanted(
    wanted: Wanted, found: Iterable[Source], scans: Mapping[str, FileScan], blocks: BlockPlan
) -> None:
    """Refuse patterns of streams of which the files hold none: most likely there is a typo in them."""
    if not wanted.streams or blocks.jobs:
        return
    spans = (span for source in found if source.url in scans for span in scans[source.url].spans)
    streams = sorted({str(span.channel.stream) for span in spans})
    if not any(wanted.wants(Stream.parse(stream)) for stream in streams):
        held = f"{', '.join(streams[:5])}{' ...' if len(streams) > 5 else ''}" or "none"
        raise ConfigError(f"--stream {' '.join(wanted.streams)}: the files hold no such stream, but {held}")


def _plan_blocks(
    store: ArchiveStore,
    index: Index,
    scans: Mapping[str, FileScan],
    found: Iterable[Source],
    wanted: Wanted,
) -> BlockPlan:
    grids: dict[Stream, set[DayGrid]] = {}
    for row in index.rows:
        grids.setdefault(row.stream, set()).add(row.grid)
    first, last = (None if day is None else day_number(day) for day in (wanted.first, wanted.last))
    return plan_blocks(
        scans,
        reachable={source.url for source in found},
        grids=grids,
        block_days=store.options.block_days,
        first_day=first,
        last_day=last,
        wants=wanted.wants,
    )


def _tasks(archive_url: str, blocks: BlockPlan, fence: Fence | None = None) -> Iterator[Task]:
    for job in blocks.jobs:
        files = [(claim.source, claim.grid, claim.first_day, claim.last_day) for claim in job.claims]
        yield Task.of(str(job.block), (archive_url, job, fence), stage=("ingest", VERSION), files=files)


def _ingest_block(task: Task) -> BlockResult:
    """Bring one block up to date on a worker."""
    archive_url, job, fence = task.payload
    assert isinstance(job, BlockJob)
    assert isinstance(fence, Fence)
    store = open_store(archive_url)
    on_surprise = partial(scan_whole, store.objects)
    report = assemble_block(store, job, permit=fence.check, on_surprise=on_surprise)
    return task.result([_record(day) for day in report.days], nbytes=report.bytes_written)


def _record(day: AssembledDay) -> DayRecord:
    status = Status.DONE
    if any(problem.reason == UNREADABLE for problem in day.problems):
        status = Status.DEFERRED
    elif day.problems:
        status = Status.LOST if any(problem.lost for problem in day.problems) else Status.NOTED
    details = {
        "rate": day.entry.grid.label,
        "arrays": day.entry.arrays,
        "components": day.entry.components,
        "completeness": day.entry.completeness,
        "problems": [
            {"reason": problem.reason, "detail": problem.detail, "lost": problem.lost}
            for problem in day.problems
        ],
    }
    reason = "; ".join(sorted({problem.reason for problem in day.problems}))
    return DayRecord(day.entry.day, status, reason, details=json.dumps(details))


def _entry(stream: Stream, day: dt.date, details: Mapping[str, Any]) -> DayEntry:
    return DayEntry(
        stream,
        DayGrid.from_label(details["rate"]),
        day,
        tuple(details["arrays"]),
        tuple(details["components"]),
        details["completeness"],
    )
