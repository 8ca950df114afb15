"""Make archives from files without a cluster: what the ingest stage does, in one loop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.archive.assemble import BlockReport, assemble_block
from pipeline.archive.claims import plan_blocks
from pipeline.archive.index import rebuild_index
from pipeline.archive.reading import Archive, open_archive
from pipeline.archive.scan import find_files, scan_file
from pipeline.archive.store import ArchiveOptions, create_store


def make_archive(
    url: str, *roots: Path | str, options: ArchiveOptions | None = None
) -> tuple[Archive, list[BlockReport]]:
    store = create_store(url, options)
    scans = {source.url: scan_file(source) for source in find_files([str(root) for root in roots])}
    plan = plan_blocks(scans, reachable=scans, grids={}, block_days=store.options.block_days)
    for (stream, grid, year), arrays in plan.groups.items():
        store.make_group(stream, grid, year, arrays)
    reports = [assemble_block(store, job) for job in plan.jobs]
    rebuild_index(store).save(store)
    return open_archive(url), reports


@pytest.fixture
def archive_of(tmp_path: Path) -> Callable[..., Archive]:
    """Return a function that makes an archive of some files or folders."""

    def make(*roots: Path | str, options: ArchiveOptions | None = None) -> Archive:
        return make_archive(str(tmp_path / "archive.zarr"), *roots, options=options)[0]

    return make
