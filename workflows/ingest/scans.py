"""
Scanning over the cluster: what files hold, batch by batch, each kept as soon as it is done.

Batches are joined into one table by the driver. A worker that finds more in a file than its ends showed adds
a batch of its own, with that file read through.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from pipeline.archive.blocks import Source
from pipeline.archive.scan import FileScan, read_scan_table, scan_file, write_scan_table
from pipeline.archive.store import ArchiveStore
from pipeline.objects import ObjectStore, open_objects
from workflows.execute import execute
from workflows.lease import Lease
from workflows.ledger import BlockResult, Ledger
from workflows.plan import Plan, Task, fingerprint
from workflows.progress import Progress, Summary
from workflows.runners import Runner

__all__ = ["changed_files", "join_scans", "load_scans", "scan_files", "scan_whole"]

VERSION = 1
FILES_PER_SCAN = 256
REQUESTS_AT_A_TIME = 16
SCANS = "scan/files.parquet"
BATCHES = "scan/batches"


def scan_files(
    store: ArchiveStore, sources: Sequence[Source], runner: Runner, lease: Lease, progress: Progress
) -> Summary:
    """Scan files in batches; `join_scans` makes them count."""
    planned = Plan(todo=[_scan_task(store.url, batch) for batch in _batches(sources)])
    with Ledger(store.objects.child("scan/ledger"), lease=lease) as ledger:
        return execute("scan", _scan_batch, planned, ledger, runner, progress=progress)


def join_scans(store: ArchiveStore, lease: Lease) -> bool:
    """Join what was scanned into one table; tell whether there was anything."""
    if not any(store.objects.list(BATCHES)):
        return False
    lease.check()
    store.objects.write(SCANS, write_scan_table(load_scans(store)))
    store.objects.delete_folder(BATCHES)
    return True


def changed_files(found: Iterable[Source], scans: Mapping[str, FileScan]) -> list[Source]:
    """Choose the files that were never scanned, could not be read then, or are not as they were."""
    return [
        source
        for source in found
        if (scan := scans.get(source.url)) is None or scan.source != source or not scan.was_read
    ]


def load_scans(store: ArchiveStore) -> dict[str, FileScan]:
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


def _scan_task(archive_url: str, batch: tuple[Source, ...]) -> Task:
    digest = fingerprint(VERSION, batch)
    return Task(f"scan/{digest}", digest, (archive_url, batch))


def _scan_batch(task: Task) -> BlockResult:
    """Scan some files on a worker."""
    archive_url, batch = task.payload
    _write_batch(open_objects(archive_url), batch)
    return task.result()


def _write_batch(objects: ObjectStore, batch: Sequence[Source], *, whole: bool = False) -> None:
    scans = {scan.source.url: scan for scan in _scan_each(batch, whole=whole)}
    objects.write(f"{BATCHES}/{fingerprint(VERSION, batch, whole)}.parquet", write_scan_table(scans))


def _scan_each(batch: Sequence[Source], *, whole: bool) -> Iterator[FileScan]:
    """Scan files, those in buckets side by side: a request takes long whatever it asks for."""
    scan = partial(scan_file, whole=whole)
    there = [source for source in batch if "://" in source.url]
    yield from map(scan, (source for source in batch if "://" not in source.url))
    if there:
        with ThreadPoolExecutor(REQUESTS_AT_A_TIME) as pool:
            yield from pool.map(scan, there)


def scan_whole(objects: ObjectStore, source: Source) -> None:
    """Read a file through that holds more than its ends showed; the driver finds it among the batches."""
    _write_batch(objects, [source], whole=True)
