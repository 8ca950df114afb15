"""Compare two archives: every object, by key and by content, and nothing that a dead process left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pipeline.archive.blocks import read_block_table
from pipeline.archive.dayarray import DayArray
from pipeline.archive.merge import DayContent
from pipeline.archive.reading import open_archive
from pipeline.archive.scan import read_scan_table
from pipeline.objects import PARTIAL, LocalObjects
from workflows.lease import Lease
from workflows.ledger import Ledger

__all__ = ["contents", "leftovers", "torn_days"]

_OF_THE_RUN = ("sequence", "recorded", "seconds", "nbytes")
"""Columns of the ledger that tell of the run, not of the archive; bytes are those that this run wrote."""


def contents(archive: Path) -> dict[str, Any]:
    """
    Return what an archive holds, by key.

    Shards, the index and Zarr's metadata as their bytes; block tables and scans as their rows; of a ledger
    the latest record of each block and its days. Who held the lease is no content.
    """
    objects = LocalObjects(archive)
    found: dict[str, Any] = {}
    for info in objects.list():
        if info.key.rpartition("/")[0] in ("lease", "ledger", "scan/ledger"):
            continue
        data = objects.read(info.key)
        if info.key.startswith("tables/"):
            found[info.key] = [_plain(row) for row in read_block_table(data, info.key).values()]
        elif info.key.startswith("scan/"):
            found[info.key] = read_scan_table(data)
        else:
            found[info.key] = data
    found["ledger"] = _records(objects.child("ledger"))
    return found


def leftovers(archive: Path) -> list[str]:
    """List what must not outlive a run: temporary files, journals, marks, leases still held."""
    keys = [str(path.relative_to(archive)) for path in archive.rglob("*") if path.is_file()]
    left = [key for key in keys if key.endswith(PARTIAL) and not key.startswith("lease/")]
    left += [key for key in keys if key.startswith(("journal/", "scan/batches/")) or key == "index.stale"]
    lease = Lease(LocalObjects(archive))
    holders = [lease._read(generation) for generation in lease._generations()]
    return left + [str(holder) for holder in holders if holder is not None and not holder.released]


def torn_days(archive: Path) -> list[str]:
    """List days whose samples are not those that the block table digested."""
    opened = open_archive(str(archive))
    torn = []
    for grid, block in opened.store.tables():
        n = grid.samples_per_day
        for day, row in opened.store.read_table(grid, block).items():
            content = DayContent(day, segments=list(row.segments), side=list(row.side))
            for array in row.arrays:
                samples = opened.read(block.stream, grid, array, day * n, (day + 1) * n)
                content.arrays[array] = DayArray(list(samples), np.ones((len(samples), 1), dtype=bool))
            if content.digest() != row.digest:
                torn.append(f"{block} at {grid.label}, day {day}")
    return torn


def _plain(row: Any) -> dict[str, Any]:
    """Spell a row out: arrays do not compare by ``==``."""
    fields = {name: getattr(row, name) for name in row.__slots__}
    side = [{name: getattr(run, name) for name in run.__slots__} for run in row.side]
    return fields | {"side": [run | {"samples": run["samples"].tolist()} for run in side]}


def _records(folder: LocalObjects) -> list[dict[str, Any]]:
    rows = Ledger(folder).table().drop_columns(list(_OF_THE_RUN)).to_pylist()
    return sorted(rows, key=lambda row: (row["block"], str(row["day"])))
