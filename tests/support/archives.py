"""Make archives from files without a cluster: what the ingest stage does, in one loop."""

from __future__ import annotations

from pathlib import Path

from pipeline.archive.assemble import BlockReport, assemble_block
from pipeline.archive.claims import plan_blocks
from pipeline.archive.index import rebuild_index
from pipeline.archive.listing import find_files
from pipeline.archive.reading import Archive, open_archive
from pipeline.archive.scan import FileScan, read_scan_table, scan_file, write_scan_table
from pipeline.archive.store import ArchiveOptions, ArchiveStore, create_store

SCANS = "scan/files.parquet"


def make_archive(
    url: str, *roots: Path | str, options: ArchiveOptions | None = None
) -> tuple[Archive, list[BlockReport]]:
    store = create_store(url, options)
    found = {source.url: scan_file(source) for source in find_files([str(root) for root in roots])}
    scans = {**_known_scans(store), **found}
    store.objects.write(SCANS, write_scan_table(scans))
    plan = plan_blocks(scans, reachable=found, grids={}, block_days=store.options.block_days)
    for (stream, grid, year), arrays in plan.groups.items():
        store.make_group(stream, grid, year, arrays)
    reports = [assemble_block(store, job) for job in plan.jobs]
    rebuild_index(store).save(store)
    return open_archive(url), reports


def _known_scans(store: ArchiveStore) -> dict[str, FileScan]:
    return read_scan_table(store.objects.read(SCANS)) if store.objects.exists(SCANS) else {}
