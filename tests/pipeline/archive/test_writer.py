"""The writer of a block asks before each change whether it still may; what it left half done is undone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from archives import make_archive
from miniseed_files import records

from pipeline.archive.assemble import BlockJob, assemble_block
from pipeline.archive.claims import plan_blocks
from pipeline.archive.listing import find_files
from pipeline.archive.reading import open_archive
from pipeline.archive.scan import scan_file
from pipeline.archive.writer import roll_back
from pipeline.errors import LeaseLostError

DAY = 86_400
FIRST_NS = 1_577_836_800 * 10**9
DAYS = 3


def write_days(folder: Path, seed: int) -> None:
    folder.mkdir(exist_ok=True)
    samples = np.random.default_rng(seed).integers(-999, 999, (DAYS, DAY * 20)).astype(np.int32)
    for number, day in enumerate(samples):
        data = records(day, FIRST_NS + number * DAY * 10**9, 20.0, channel="XX.A..BHZ")
        (folder / f"{number}.mseed").write_bytes(data)


def job_of(folder: Path) -> BlockJob:
    scans = {source.url: scan_file(source) for source in find_files([str(folder)])}
    (job,) = plan_blocks(scans, reachable=scans, grids={}, block_days=31).jobs
    return job


def samples_of(archive: Path) -> np.ndarray:
    return open_archive(str(archive)).sel("XX.A..BH")["counts"].values


def allowed(times: int) -> Callable[[], None]:
    """Let some calls through, and no more."""
    left = iter(range(times))

    def permit() -> None:
        if next(left, None) is None:
            raise LeaseLostError("another writer")

    return permit


def test_a_writer_that_loses_its_permit_at_any_step_can_be_undone(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "a.zarr"
    write_days(source, 1)
    archive, _ = make_archive(str(target), source)
    before = samples_of(target)
    write_days(source, 2)
    job = job_of(source)
    # Once when it begins, once for each day, once when it commits.
    for times in range(DAYS + 2):
        with pytest.raises(LeaseLostError):
            assemble_block(archive.store, job, permit=allowed(times))
        roll_back(archive.store)
        np.testing.assert_array_equal(samples_of(target), before)
    assemble_block(archive.store, job, permit=allowed(DAYS + 2))
    other, _ = make_archive(str(tmp_path / "b.zarr"), source)
    np.testing.assert_array_equal(samples_of(target), samples_of(tmp_path / "b.zarr"))
    assert not np.array_equal(samples_of(target), before)
    assert other.streams == archive.streams
