"""
``stationday ingest``: source files to an archive.

::

    find files ── scan what is new or changed ── plan blocks ── make groups ── map ── index
                  (over Dask, batch by batch)                   (over Dask, block by block)

A file of which only the ends were scanned and that turns out to hold more is read through, and the blocks
that it touches are planned once more.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.archive.assemble import AssembledDay, BlockJob, assemble_block
from pipeline.archive.blocks import Source
from pipeline.archive.claims import BlockPlan, plan_blocks
from pipeline.archive.grid import DayGrid, day_number
from pipeline.archive.index import DayEntry, Index, rebuild_index
from pipeline.archive.metadata import add_stationxml
from pipeline.archive.readers import Problem
from pipeline.archive.scan import FileScan, find_files, read_scan_table, scan_file, write_scan_table
from pipeline.archive.shard import PCODEC_LEVEL
from pipeline.archive.store import ArchiveOptions, ArchiveStore, create_store, open_store
from pipeline.errors import ConfigError, NotAnArchiveError
from pipeline.keys import Block, Stream
from pipeline.objects import open_objects
from workflows.execute import execute
from workflows.lease import Lease
from workflows.ledger import BlockResult, DayRecord, Ledger, Status
from workflows.options import add_days, add_json, add_map, example, open_runner
from workflows.plan import Plan, Task, fingerprint, plan
from workflows.progress import Progress, SilentProgress, Summary
from workflows.runners import Runner

__all__ = ["Days", "IngestReport", "ingest", "preview", "register"]

VERSION = 1
"""Part of every fingerprint: raised when the same files would give other bytes."""

FILES_PER_SCAN = 256
MAX_WAVES = 3
SCANS = "scan/files.parquet"
BATCHES = "scan/batches"
STALE_INDEX = "index.stale"

Days = tuple[dt.date | None, dt.date | None]
"""First and last day, both included; None for no limit."""


@dataclass(slots=True)
class IngestReport:
    """
    What an ingest found and did.

    Parameters
    ----------
    files, scanned : int
        Files found, and those of them that were new or changed.
    unreadable : list of (url, Problem)
        What the scan of those found wrong.
    problems : list of (block, problem)
        What was wrong with a day, as its table has it.
    summary : Summary
        Of the blocks.
    """

    files: int = 0
    scanned: int = 0
    unreadable: list[tuple[str, Problem]] = field(default_factory=list)
    problems: list[tuple[str, Problem]] = field(default_factory=list)
    summary: Summary = field(default_factory=lambda: Summary("ingest"))

    @property
    def exit_status(self) -> int:
        """1 where something was lost, failed or left undone; see `Summary.exit_status`."""
        return self.summary.exit_status or int(any(problem.lost for _, problem in self.unreadable))


def ingest(
    sources: Sequence[str],
    archive_url: str,
    runner: Runner,
    *,
    options: ArchiveOptions | None = None,
    stations: Sequence[str] = (),
    days: Days = (None, None),
    retry_failed: bool = False,
    progress: Callable[[], Progress] = SilentProgress,
) -> IngestReport:
    """
    Bring an archive up to date with source files.

    Parameters
    ----------
    sources : sequence of str
        Folders, files or glob patterns.
    archive_url : str
        Made if it is not there.
    runner : Runner
        Where scans and blocks run.
    options : ArchiveOptions, optional
        For a new archive.
    stations : sequence of str
        StationXML files to merge into the archive's.
    days : (date or None, date or None)
        Only these.
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
        If a source does not exist, or the archive was made with other options.
    LeaseHeldError
        If another ingest is writing this archive.
    """
    found = list(find_files(sources))
    documents = [_read_document(path) for path in stations]
    store = create_store(archive_url, options)
    with Lease(store.objects) as lease:
        if documents:
            add_stationxml(store, documents)
        return _Ingest(store, lease, runner, progress).run(found, days, retry_failed=retry_failed)


def _read_document(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"--stations {path}: {error.strerror}") from error


def preview(
    sources: Sequence[str], archive_url: str, *, days: Days = (None, None), retry_failed: bool = False
) -> Plan:
    """Plan an ingest, for ``--dry-run``: new files are scanned, and nothing is written."""
    found = list(find_files(sources))
    try:
        store = open_store(archive_url)
    except NotAnArchiveError:
        store = ArchiveStore(open_objects(archive_url), ArchiveOptions())
    scans = _load_scans(store)
    scans |= {source.url: scan_file(source) for source in _changed(found, scans)}
    blocks = _plan_blocks(store, Index.load(store), scans, found, days)
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
        self.scans = _load_scans(store)
        self.entries: list[DayEntry] = []
        self.surprises: set[str] = set()

    def run(self, found: Sequence[Source], days: Days, *, retry_failed: bool) -> IngestReport:
        """Scan, then plan and map until no file holds anything that was not planned."""
        index = self._open_index()
        self.report.files = len(found)
        changed = _changed(found, self.scans)
        self.report.scanned = len(changed)
        stopped = self._scan(changed)
        with Ledger(self.store.objects.child("ledger"), lease=self.lease) as ledger:
            for wave in range(MAX_WAVES):
                if stopped:
                    break
                self.surprises.clear()
                blocks = _plan_blocks(self.store, index, self.scans, found, days)
                tasks = _tasks(self.store.url, blocks)
                planned = plan(tasks, ledger, retry_failed=retry_failed and not wave)
                index = self._map(index, blocks, planned, ledger)
                stopped = self.report.summary.stopped_by is not None
                if not self.surprises:
                    break
                stopped |= self._scan([self.scans[url].source for url in sorted(self.surprises)], whole=True)
        return self.report

    def _open_index(self) -> Index:
        """Load the index; make it anew if the ingest before this one did not get to writing it."""
        if not self.store.objects.exists(STALE_INDEX):
            return Index.load(self.store)
        index = rebuild_index(self.store)
        index.save(self.store)
        return index

    def _scan(self, sources: Sequence[Source], *, whole: bool = False) -> bool:
        """Scan files in batches, each kept as soon as it is done; tell whether a signal ended it."""
        if not sources:
            return False
        tasks = [_scan_task(self.store.url, batch, whole=whole) for batch in _batches(sources)]
        planned = Plan(todo=tasks)
        with Ledger(self.store.objects.child("scan/ledger"), lease=self.lease) as ledger:
            summary = execute("scan", _scan_batch, planned, ledger, self.runner, progress=self.progress())
        scans = _load_scans(self.store)
        for source in sources:
            scan = scans.get(source.url)
            if scan is not None and scan.source == source:
                self.report.unreadable += [(source.url, problem) for problem in scan.problems]
        self.scans = scans
        self.store.objects.write(SCANS, write_scan_table(scans))
        self.store.objects.delete_folder(BATCHES)
        if summary.failed or summary.stopped_by is not None:
            self.report.summary = summary
        return summary.stopped_by is not None

    def _map(self, index: Index, blocks: BlockPlan, planned: Plan, ledger: Ledger) -> Index:
        """Make the groups, bring every block up to date, and write the index."""
        self._make_groups(blocks, planned)
        if planned.todo:
            self.store.objects.write(STALE_INDEX, b"an ingest is under way, or did not get to its end\n")
        self.report.summary = execute(
            "ingest",
            _ingest_block,
            planned,
            ledger,
            self.runner,
            on_result=self._take,
            progress=self.progress(),
        )
        if planned.todo:
            index = index.updated(self.entries)
            self.entries.clear()
            self.lease.check()
            index.save(self.store)
        self.store.objects.delete(STALE_INDEX)
        return index

    def _make_groups(self, blocks: BlockPlan, planned: Plan) -> None:
        touched = {(block.stream, block.year) for block in (task.payload[1].block for task in planned.todo)}
        for (stream, grid, year), arrays in blocks.groups.items():
            if (stream, year) in touched:
                self.store.make_group(stream, grid, year, arrays)

    def _take(self, result: BlockResult) -> None:
        """Keep what the index and the report need of a block's result."""
        if result.status is Status.FAILED:
            return
        stream = Block.parse(result.key).stream
        self.surprises |= set(json.loads(result.details)["surprises"]) if result.details else set()
        for record in result.days:
            details = json.loads(record.details)
            self.entries.append(_entry(stream, record.day, details))
            self.report.problems += [(result.key, Problem(**problem)) for problem in details["problems"]]


def _changed(found: Iterable[Source], scans: Mapping[str, FileScan]) -> list[Source]:
    return [source for source in found if source.url not in scans or scans[source.url].source != source]


def _load_scans(store: ArchiveStore) -> dict[str, FileScan]:
    """Load the scans of all files, with batches that an ingest before did not get to joining."""
    scans: dict[str, FileScan] = {}
    with contextlib.suppress(FileNotFoundError):
        scans |= read_scan_table(store.objects.read(SCANS))
    for info in sorted(store.objects.list(BATCHES)):
        scans |= read_scan_table(store.objects.read(info.key))
    return scans


def _batches(sources: Sequence[Source]) -> Iterator[tuple[Source, ...]]:
    for begin in range(0, len(sources), FILES_PER_SCAN):
        yield tuple(sources[begin : begin + FILES_PER_SCAN])


def _scan_task(archive_url: str, batch: tuple[Source, ...], *, whole: bool) -> Task:
    digest = fingerprint(VERSION, batch, whole)
    return Task(f"scan/{digest}", digest, (archive_url, batch, whole))


def _scan_batch(task: Task) -> BlockResult:
    """Scan some files on a worker."""
    archive_url, batch, whole = task.payload
    scans = {source.url: scan_file(source, whole=whole) for source in batch}
    objects = open_objects(archive_url)
    objects.write(f"{BATCHES}/{task.fingerprint}.parquet", write_scan_table(scans))
    return task.result()


def _plan_blocks(
    store: ArchiveStore,
    index: Index,
    scans: Mapping[str, FileScan],
    found: Iterable[Source],
    days: Days,
) -> BlockPlan:
    grids: dict[Stream, set[DayGrid]] = {}
    for row in index.rows:
        grids.setdefault(row.stream, set()).add(row.grid)
    first, last = (None if day is None else day_number(day) for day in days)
    return plan_blocks(
        scans,
        reachable={source.url for source in found},
        grids=grids,
        block_days=store.options.block_days,
        first_day=first,
        last_day=last,
    )


def _tasks(archive_url: str, blocks: BlockPlan) -> Iterator[Task]:
    for job in blocks.jobs:
        files = [(claim.source, claim.grid, claim.first_day, claim.last_day) for claim in job.claims]
        yield Task.of(str(job.block), (archive_url, job), stage=("ingest", VERSION), files=files)


def _ingest_block(task: Task) -> BlockResult:
    """Bring one block up to date on a worker."""
    archive_url, job = task.payload
    assert isinstance(job, BlockJob)
    report = assemble_block(open_store(archive_url), job)
    details = json.dumps({"surprises": sorted(report.surprises)}) if report.surprises else ""
    days = [_record(day) for day in report.days]
    return task.result(days, details=details, nbytes=report.bytes_written)


def _record(day: AssembledDay) -> DayRecord:
    status = Status.DONE
    if day.problems:
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


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``ingest`` to the command line."""
    command = subparsers.add_parser(
        "ingest",
        help="bring source files into an archive",
        description=(
            "Bring an archive up to date with miniSEED files: new and changed files are read, everything "
            "else is left alone. The archive is made if it is not there."
        ),
        **example("stationday ingest /data/sds --archive archive.zarr --cluster processes:8"),
    )
    command.add_argument("sources", nargs="+", metavar="SOURCE", help="a folder, a file or a glob pattern")
    command.add_argument("--archive", required=True, metavar="A", help="the archive: a folder or a URL")
    command.add_argument(
        "--stations",
        action="append",
        default=[],
        metavar="XML",
        help="StationXML to keep in the archive; may be given several times",
    )
    add_days(command)
    command.add_argument(
        "--shard-days", type=int, metavar="N", help="station-days in a file, for a new archive (default: 1)"
    )
    command.add_argument(
        "--level", type=int, metavar="L", help=f"pcodec level of a new archive (default: {PCODEC_LEVEL})"
    )
    add_map(command)
    add_json(command)
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    days = (args.start, args.end)
    if args.dry_run:
        planned = preview(args.sources, args.archive, days=days, retry_failed=args.retry_failed)
        print(planned.describe())
        return 0
    with open_runner(args) as (runner, progress):
        report = ingest(
            args.sources,
            args.archive,
            runner,
            options=_options(args),
            stations=args.stations,
            days=days,
            retry_failed=args.retry_failed,
            progress=progress,
        )
    _print_report(report, as_json=args.json)
    return report.exit_status


def _options(args: argparse.Namespace) -> ArchiveOptions | None:
    if args.shard_days is None and args.level is None:
        return None
    level = PCODEC_LEVEL if args.level is None else args.level
    return ArchiveOptions.for_shard_days(args.shard_days or 1, pcodec_level=level)


def _print_report(report: IngestReport, *, as_json: bool) -> None:
    problems = [*report.unreadable, *report.problems]
    for where, problem in problems:
        kind = "lost" if problem.lost else "note"
        print(f"{kind}: {where}: {problem.reason}: {problem.detail}", file=sys.stderr)
    if as_json:
        found = {"files": report.files, "scanned": report.scanned}
        wrong = [
            {"where": where, "reason": problem.reason, "detail": problem.detail, "lost": problem.lost}
            for where, problem in problems
        ]
        print(json.dumps({**found, "problems": wrong, **report.summary.to_dict()}, indent=1))
        return
    print(f"{report.files:,} files, {report.scanned:,} new or changed")
    print(report.summary.describe())
