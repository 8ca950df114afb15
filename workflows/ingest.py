"""
``stationday ingest``: source files to an archive.

::

    find files ── scan what is new or changed ── plan blocks ── make groups ── map ── index
                  (over Dask, batch by batch)                   (over Dask, block by block)

A file of which only the ends were scanned and that turns out to hold more is read through, and the blocks
that it touches are planned once more.

An ingest that died leaves nothing that the next one does not clear up first: scans not yet joined, days half
written, an index older than its tables, temporary files.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from cluster import load_profile
from pipeline.archive.assemble import AssembledDay, BlockJob, assemble_block
from pipeline.archive.blocks import Source
from pipeline.archive.claims import BlockPlan, plan_blocks
from pipeline.archive.grid import DayGrid, day_number
from pipeline.archive.index import INDEX, DayEntry, Index, day_entry
from pipeline.archive.metadata import add_stationxml
from pipeline.archive.readers import Problem, SourceMap, load_map
from pipeline.archive.scan import FileScan, find_files, scan_file
from pipeline.archive.shard import PCODEC_LEVEL
from pipeline.archive.stations import merge_stationxml
from pipeline.archive.store import ROOT, ArchiveOptions, ArchiveStore, create_store, open_store
from pipeline.archive.writer import roll_back
from pipeline.config import to_toml
from pipeline.errors import ConfigError, FormatError, NotAnArchiveError
from pipeline.keys import Block, Stream
from pipeline.objects import open_objects
from workflows.execute import execute
from workflows.lease import Fence, Lease
from workflows.ledger import BlockResult, DayRecord, Ledger, Status
from workflows.options import add_days, add_json, add_map, example, open_runner
from workflows.plan import Plan, Task, plan
from workflows.progress import Progress, SilentProgress, Summary
from workflows.runners import Runner
from workflows.scan import changed_files, join_scans, load_scans, scan_files, scan_whole

__all__ = ["Days", "IngestReport", "ingest", "preview", "register"]

VERSION = 1
"""Part of every fingerprint: raised when the same files would give other bytes."""

MAX_WAVES = 3
MAP = "scan/map.toml"
STALE_INDEX = "index.stale"
"""Lists the blocks under way, with their fingerprints; there while the index is older than their tables."""

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
        What was found wrong with those, and with all files that lost something, whenever they were scanned.
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
    map_file: str | None = None,
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
    map_file : str, optional
        Names, calibrations and delays for sources that do not state them; see
        `pipeline.archive.readers.mapping`. The archive keeps it: without one, the one that it has holds.
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
        If a source does not exist, the map says what can't be, or the archive was made with other options.
    LeaseHeldError
        If another ingest is writing this archive.
    """
    given = None if map_file is None else load_map(Path(map_file))
    documents = [_read_document(path) for path in stations]
    found = list(find_files(sources, given or _kept_map(archive_url)))
    store = create_store(archive_url, options)
    with Lease(store.objects) as lease:
        if documents:
            add_stationxml(store, documents)
        if given is not None:
            store.objects.write(MAP, to_toml(given).encode())
        return _Ingest(store, lease, runner, progress).run(found, days, retry_failed=retry_failed)


def _kept_map(archive_url: str) -> SourceMap | None:
    """Return the map that an archive has."""
    try:
        return load_map(open_objects(archive_url).read(MAP).decode())
    except FileNotFoundError:
        return None


def _read_document(path: str) -> bytes:
    try:
        document = Path(path).read_bytes()
        merge_stationxml([document])
    except OSError as error:
        raise ConfigError(f"--stations {path}: {error.strerror}") from error
    except FormatError as error:
        raise ConfigError(f"--stations {path}: {error}") from error
    return document


def preview(
    sources: Sequence[str],
    archive_url: str,
    *,
    map_file: str | None = None,
    days: Days = (None, None),
    retry_failed: bool = False,
) -> Plan:
    """Plan an ingest, for ``--dry-run``: new files are scanned, and nothing is written."""
    given = None if map_file is None else load_map(Path(map_file))
    found = list(find_files(sources, given or _kept_map(archive_url)))
    try:
        store = open_store(archive_url)
    except NotAnArchiveError:
        store = ArchiveStore(open_objects(archive_url), ArchiveOptions())
    scans = load_scans(store)
    scans |= {source.url: scan_file(source) for source in changed_files(found, scans)}
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
        self.scans = load_scans(store)
        self.entries: list[DayEntry] = []

    def run(self, found: Sequence[Source], days: Days, *, retry_failed: bool) -> IngestReport:
        """Scan, then plan and map until no file holds anything that was not planned."""
        index = self._recover()
        changed = changed_files(found, self.scans)
        self.report.files, self.report.scanned = len(found), len(changed)
        stopped = self._scan(changed)
        with Ledger(self.store.objects.child("ledger"), lease=self.lease) as ledger:
            for wave in range(MAX_WAVES):
                if stopped:
                    break
                blocks = _plan_blocks(self.store, index, self.scans, found, days)
                tasks = _tasks(self.store.url, blocks, self.lease.fence())
                planned = plan(tasks, ledger, retry_failed=retry_failed and not wave)
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
        if result.status is Status.FAILED:
            self.report.problems.append((result.key, Problem("failed", result.reason)))
            return
        stream = Block.parse(result.key).stream
        for record in result.days:
            details = json.loads(record.details)
            self.entries.append(_entry(stream, record.day, details))
            self.report.problems += [(result.key, Problem(**problem)) for problem in details["problems"]]


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
            "Bring an archive up to date with source files (miniSEED, SAC, GSE, GGP, TSoft, CSV and others): "
            "new and changed files are read, everything else is left alone. The archive is made if it is not "
            "there."
        ),
        **example(
            "stationday ingest /data/sds --archive archive.zarr --cluster processes:8",
            "stationday ingest /data/igets --archive archive.zarr --map gravimeters.toml",
        ),
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
    command.add_argument(
        "--map",
        metavar="TOML",
        help="channels, calibrations and delays of files that do not name them; kept in the archive",
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
    options = _options(args)
    if args.dry_run:
        load_profile(args.cluster)
        planned = preview(
            args.sources, args.archive, map_file=args.map, days=days, retry_failed=args.retry_failed
        )
        print(json.dumps(planned.to_dict(), indent=1) if args.json else planned.describe())
        return 0
    with open_runner(args, args.archive) as (runner, progress):
        report = ingest(
            args.sources,
            args.archive,
            runner,
            options=options,
            stations=args.stations,
            map_file=args.map,
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
    return ArchiveOptions.for_shard_days(
        1 if args.shard_days is None else args.shard_days, pcodec_level=level
    )


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
    print(f"{report.files:,} file{'' if report.files == 1 else 's'}, {report.scanned:,} new or changed")
    print(report.summary.describe())
    if report.summary.failed:
        print("--retry-failed takes up what failed")
