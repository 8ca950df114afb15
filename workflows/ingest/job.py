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

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from pipeline.archive.assemble import BlockJob, assemble_block
from pipeline.archive.blocks import Source
from pipeline.archive.claims import BlockPlan, plan_blocks
from pipeline.archive.grid import DayGrid, day_number
from pipeline.archive.index import INDEX, DayEntry, Index, day_entry
from pipeline.archive.layouts import Wanted
from pipeline.archive.listing import write_listings
from pipeline.archive.metadata import read_stationxml
from pipeline.archive.patience import PATIENCE_S
from pipeline.archive.readers import Problem
from pipeline.archive.scan import FileScan, scan_file
from pipeline.archive.store import ROOT, ArchiveOptions, ArchiveStore, create_store, open_store
from pipeline.archive.writer import roll_back
from pipeline.config import to_toml
from pipeline.errors import ConfigError, NotAnArchiveError
from pipeline.keys import Block, Stream
from pipeline.objects import open_objects
from workflows.execute import execute
from workflows.ingest.report import (
    IngestReport,
    day_record,
    each_once,
    earlier_losses,
    entry_of,
    problems_of,
)
from workflows.ingest.scans import (
    LISTINGS,
    MAP,
    Sources,
    changed_files,
    check_wanted,
    join_scans,
    kept_listings,
    kept_map,
    load_scans,
    scan_files,
    scan_whole,
)
from workflows.ingest.stations import keep_metadata, read_stations_files, tell_uncovered
from workflows.ingest.waves import Waves
from workflows.lease import Fence, Lease
from workflows.ledger import BlockResult, Ledger, Status
from workflows.plan import Plan, Task, plan
from workflows.progress import Progress, SilentProgress
from workflows.runners import Runner

__all__ = ["IngestReport", "ingest", "preview"]

VERSION = 1
"""Part of every fingerprint: raised when the same files would give other bytes."""

MAX_WAVES = 3
STALE_INDEX = "index.stale"
"""Lists the blocks under way, with their fingerprints; there while the index is older than their tables."""


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
    listings = kept_listings(archive_url, relist=sources.relist)
    found = sources.find(given or kept_map(archive_url), listings)
    is_new = not any(open_objects(archive_url).children())
    store = create_store(archive_url, options)
    try:
        with Lease(store.objects) as lease:
            before = read_stationxml(store)
            notes = list(keep_metadata(store, documents))
            if given is not None:
                store.objects.write(MAP, to_toml(given).encode())
            if listings.new:
                store.objects.write(LISTINGS, write_listings(listings))
            under_way = _Ingest(store, lease, runner, progress, sources)
            under_way.run(found, retry_failed=retry_failed)
            under_way.tell_uncovered(everywhere=read_stationxml(store) != before)
    except ConfigError:
        if is_new:
            _remove(store)
        raise
    under_way.report.unreadable[:0] = notes
    return under_way.report


def preview(sources: Sources, archive_url: str, *, retry_failed: bool = False) -> Plan:
    """Plan an ingest, for ``--dry-run``: new files are scanned, and nothing is written."""
    listings = kept_listings(archive_url, relist=sources.relist)
    found = sources.find(sources.given_map() or kept_map(archive_url), listings)
    try:
        store = open_store(archive_url)
    except NotAnArchiveError:
        store = ArchiveStore(open_objects(archive_url), ArchiveOptions())
    scans = load_scans(store)
    changed = changed_files(found, scans)
    scans |= {source.url: scan_file(source, patience_s=sources.patience_s) for source in changed}
    blocks = _plan_blocks(store, Index.load(store), scans, found, sources.wanted)
    if not blocks.jobs:
        check_wanted(sources.wanted, found, scans)
    ledger = Ledger(store.objects.child("ledger"))
    return plan(_tasks(store.url, blocks), ledger, retry_failed=retry_failed)


class _Ingest:
    """One ingest under way, on the driver."""

    def __init__(
        self,
        store: ArchiveStore,
        lease: Lease,
        runner: Runner,
        progress: Callable[[], Progress],
        sources: Sources,
    ) -> None:
        self.store = store
        self.lease = lease
        self.runner = runner
        self.progress = progress
        self.wanted = sources.wanted
        self.patience_s = sources.patience_s
        self.report = IngestReport()
        self.scans = load_scans(store)
        self.entries: list[DayEntry] = []
        self.waves = Waves()
        self.tables: set[tuple[DayGrid, Block]] = set()

    def run(self, found: Sequence[Source], *, retry_failed: bool) -> None:
        """Scan, then plan and map until no file holds anything that was not planned."""
        index = self._recover()
        changed = changed_files(found, self.scans)
        self.report.files, self.report.scanned = len(found), len(changed)
        stopped = self._scan(changed)
        with Ledger(self.store.objects.child("ledger"), lease=self.lease) as ledger:
            for wave in range(MAX_WAVES):
                if stopped:
                    break
                blocks = _plan_blocks(self.store, index, self.scans, found, self.wanted)
                tasks = _tasks(self.store.url, blocks, self.lease.fence(), self.patience_s)
                planned = plan(tasks, ledger, retry_failed=retry_failed and not wave)
                if not blocks.jobs:
                    check_wanted(self.wanted, found, self.scans)
                if not wave:
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

    def tell_uncovered(self, *, everywhere: bool) -> None:
        """Say which samples of this ingest, or of the whole archive, lie in no epoch of the metadata."""
        if self.report.summary.stopped_by is None:
            tables = set(self.store.tables()) if everywhere else self.tables
            self.report.problems += tell_uncovered(self.store, sorted(tables))

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
        summary = scan_files(
            self.store, sources, self.runner, self.lease, self.progress(), patience_s=self.patience_s
        )
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
            self.tables |= {
                (claim.grid, task.payload[1].block)
                for task in planned.todo
                for claim in task.payload[1].claims
            }
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
            self.entries.append(entry_of(stream, record))
            self.report.problems += [(result.key, problem) for problem in problems_of(record)]


def _remove(store: ArchiveStore) -> None:
    """Remove an archive that this call has made, and that was not to be."""
    folders, objects = store.objects.children()
    for folder in folders:
        store.objects.delete_folder(folder)
    for info in objects:
        store.objects.delete(info.key)
    if "://" not in store.url:
        Path(store.url).rmdir()


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


def _tasks(
    archive_url: str, blocks: BlockPlan, fence: Fence | None = None, patience_s: float = PATIENCE_S
) -> Iterator[Task]:
    for job in blocks.jobs:
        files = [(claim.source, claim.grid, claim.first_day, claim.last_day) for claim in job.claims]
        yield Task.of(
            str(job.block), (archive_url, job, fence, patience_s), stage=("ingest", VERSION), files=files
        )


def _ingest_block(task: Task) -> BlockResult:
    """Bring one block up to date on a worker."""
    archive_url, job, fence, patience_s = task.payload
    assert isinstance(job, BlockJob)
    assert isinstance(fence, Fence)
    store = open_store(archive_url)
    on_surprise = partial(scan_whole, store.objects, patience_s)
    report = assemble_block(store, job, permit=fence.check, on_surprise=on_surprise, patience_s=patience_s)
    return task.result([day_record(day) for day in report.days], nbytes=report.bytes_written)
