"""
Source files: which there are, and what they hold.

Scanning runs over the cluster, batch by batch, each kept as soon as it is done.

Batches are joined into one table by the driver. A worker that finds more in a file than its ends showed adds
a batch of its own, with that file read through.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from pipeline.archive.assemble import STILL_HELD
from pipeline.archive.blocks import Source
from pipeline.archive.layouts import Wanted
from pipeline.archive.listing import Listings, find_files, read_listings
from pipeline.archive.patience import AT_A_TIME, PATIENCE_S
from pipeline.archive.readers import UNREADABLE, SourceMap, load_map
from pipeline.archive.scan import FileScan, read_scan_table, scan_file, write_scan_table
from pipeline.archive.store import ArchiveStore
from pipeline.errors import ConfigError
from pipeline.keys import Stream
from pipeline.objects import ObjectStore, open_objects
from workflows.execute import execute
from workflows.lease import Lease
from workflows.ledger import BlockResult, Ledger
from workflows.plan import Plan, Task, fingerprint
from workflows.progress import Progress, Summary
from workflows.runners import Runner

__all__ = [
    "LISTINGS",
    "MAP",
    "Sources",
    "changed_files",
    "check_wanted",
    "join_scans",
    "kept_listings",
    "kept_map",
    "load_scans",
    "scan_files",
    "scan_whole",
]

VERSION = 1
FILES_PER_SCAN = 256
MAP = "scan/map.toml"
LISTINGS = "scan/listings.parquet"
SCANS = "scan/files.parquet"
BATCHES = "scan/batches"


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
    patience_s : float
        How long a file in a bucket may take; see `pipeline.archive.patience`.
    """

    roots: Sequence[str]
    map_file: str | None = None
    wanted: Wanted = field(default_factory=Wanted)
    layout: str | None = None
    relist: bool = False
    patience_s: float = PATIENCE_S

    def __post_init__(self) -> None:
        if not 0 < self.patience_s < math.inf:
            raise ConfigError(f"patience_s = {self.patience_s:g}: should be more than 0 seconds")

    def given_map(self) -> SourceMap | None:
        """Read the map that is given."""
        return None if self.map_file is None else load_map(Path(self.map_file))

    def find(self, source_map: SourceMap | None, listings: Listings) -> list[Source]:
        """List the files; what is found of long past days is added to the listings."""
        return list(
            find_files(self.roots, source_map, wanted=self.wanted, layout=self.layout, listings=listings)
        )


def kept_listings(archive_url: str, *, relist: bool) -> Listings:
    """Return what an archive knows of folders of long past days."""
    today = dt.datetime.now(dt.UTC).date()
    try:
        known = open_objects(archive_url).read(LISTINGS)
    except FileNotFoundError:
        return Listings(today)
    except NotADirectoryError:
        raise ConfigError(f"{archive_url}: a file is in the way; an archive is a folder") from None
    return Listings(today) if relist else read_listings(known, today)


def kept_map(archive_url: str) -> SourceMap | None:
    """Return the map that an archive has."""
    try:
        return load_map(open_objects(archive_url).read(MAP).decode())
    except FileNotFoundError:
        return None


def scan_files(
    store: ArchiveStore,
    sources: Sequence[Source],
    runner: Runner,
    lease: Lease,
    progress: Progress,
    *,
    patience_s: float,
) -> Summary:
    """Scan files in batches; `join_scans` makes them count."""
    planned = Plan(todo=[_scan_task(store.url, batch, patience_s) for batch in _batches(sources)])
    with Ledger(store.objects.child("scan/ledger"), lease=lease) as ledger:
        return execute("scan", _scan_batch, planned, ledger, runner, progress=progress)


def check_wanted(wanted: Wanted, found: Sequence[Source], scans: Mapping[str, FileScan]) -> None:
    """Refuse patterns of streams of which the files hold none: most likely there is a typo in them."""
    unknown = any(source.url in scans and not scans[source.url].was_read for source in found)
    if not wanted.streams or unknown:
        return
    spans = (span for source in found if source.url in scans for span in scans[source.url].spans)
    streams = sorted({str(span.channel.stream) for span in spans})
    if not any(wanted.wants(Stream.parse(stream)) for stream in streams):
        held = f"{', '.join(streams[:5])}{' ...' if len(streams) > 5 else ''}" or "none"
        raise ConfigError(f"--stream {' '.join(wanted.streams)}: the files hold no such stream, but {held}")


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
        for url, scan in read_scan_table(store.objects.read(info.key)).items():
            scans[url] = _with_what_it_gave(scan, scans.get(url))
    return scans


def _with_what_it_gave(scan: FileScan, before: FileScan | None) -> FileScan:
    """Let a file that can't be read just now still claim the days of which the archive has its samples."""
    if scan.was_read or before is None or not before.spans:
        return scan
    held = (
        replace(problem, detail=f"{problem.detail}{STILL_HELD}", lost=False)
        if problem.lost and problem.reason == UNREADABLE
        else problem
        for problem in scan.problems
    )
    return replace(before, problems=tuple(held))


def _batches(sources: Sequence[Source]) -> Iterator[tuple[Source, ...]]:
    for begin in range(0, len(sources), FILES_PER_SCAN):
        yield tuple(sources[begin : begin + FILES_PER_SCAN])


def _scan_task(archive_url: str, batch: tuple[Source, ...], patience_s: float) -> Task:
    digest = fingerprint(VERSION, batch)
    return Task(f"scan/{digest}", digest, (archive_url, batch, patience_s))


def _scan_batch(task: Task) -> BlockResult:
    """Scan some files on a worker."""
    archive_url, batch, patience_s = task.payload
    _write_batch(open_objects(archive_url), batch, patience_s=patience_s)
    return task.result()


def _write_batch(
    objects: ObjectStore, batch: Sequence[Source], *, patience_s: float, whole: bool = False
) -> None:
    scan = partial(scan_file, whole=whole, patience_s=patience_s)
    scans = {found.source.url: found for found in _scan_each(batch, scan)}
    objects.write(f"{BATCHES}/{fingerprint(VERSION, batch, whole)}.parquet", write_scan_table(scans))


def _scan_each(batch: Sequence[Source], scan: Callable[[Source], FileScan]) -> Iterator[FileScan]:
    """Scan files, those in buckets side by side: a request takes long whatever it asks for."""
    there = [source for source in batch if "://" in source.url]
    yield from map(scan, (source for source in batch if "://" not in source.url))
    if there:
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            yield from pool.map(scan, there)


def scan_whole(objects: ObjectStore, patience_s: float, source: Source) -> None:
    """Read a file through that holds more than its ends showed; the driver finds it among the batches."""
    _write_batch(objects, [source], patience_s=patience_s, whole=True)
