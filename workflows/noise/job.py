"""
Measuring: from an archive to the arrays and the daily quality of a noise product, block by block.

The arrays of a block are current: the next task of the block writes them anew. Its table is immutable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.archive.grid import day_of_number
from pipeline.archive.index import Index
from pipeline.archive.layouts import Wanted
from pipeline.archive.reading import Archive
from pipeline.blockarrays import BlockArray, make_group, write_block
from pipeline.tables import SCHEMAS, write_table
from workflows.execute import execute
from workflows.ledger import BlockResult, DayRecord, Ledger, Status
from workflows.noise.arrays import ARRAYS, StreamArrays
from workflows.noise.blocks import BlockArchive, DayLevels
from workflows.noise.config import NoiseConfig
from workflows.noise.gravity import GravityBlock, measure_gravity
from workflows.noise.ground import measure_ground
from workflows.noise.streams import is_gravimeter
from workflows.noise.tasks import Job, Skipped, block_tasks, measured_streams
from workflows.plan import Plan, Task, fingerprint, plan
from workflows.product import Product
from workflows.progress import Progress, SilentProgress, Summary
from workflows.runners import Runner

__all__ = ["Measured", "Told", "make_groups", "measure", "measure_block", "preview"]


@dataclass(frozen=True, slots=True)
class Told:
    """What is said of a stream once: since when, on how many days, and whether something was lost."""

    group: str
    first: str
    days: int
    reason: str
    lost: bool

    def __str__(self) -> str:
        days = f"{self.days} day{'' if self.days == 1 else 's'} from {self.first} on"
        return f"{'lost' if self.lost else 'note'}: {self.group}: {days}: {self.reason}"


@dataclass(slots=True)
class Measured:
    """
    What became of a measurement.

    Parameters
    ----------
    summary : Summary
    skipped : list of Skipped
        Streams that have no noise.
    told : list of Told
        What was lost or is worth a note, also in blocks that were left as they are.
    """

    summary: Summary
    skipped: list[Skipped] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)


def preview(
    archive: Archive,
    product: Product,
    config: NoiseConfig,
    *,
    wanted: Wanted,
    retry_failed: bool = False,
) -> Plan:
    """Plan a measurement, for ``--dry-run``."""
    streams, _ = measured_streams(archive, config, wanted)
    tasks = block_tasks(archive, streams, config, product, wanted=wanted)
    return plan(tasks, product.ledger(), retry_failed=retry_failed)


def measure(
    archive: Archive,
    product: Product,
    config: NoiseConfig,
    runner: Runner,
    *,
    wanted: Wanted,
    retry_failed: bool = False,
    progress: Callable[[], Progress] = SilentProgress,
) -> Measured:
    """
    Bring the arrays of a product up to date with an archive.

    Parameters
    ----------
    archive : Archive
    product : Product
    config : NoiseConfig
    runner : Runner
    wanted : Wanted
        Streams and days; whole blocks are measured.
    retry_failed : bool
        Whether to take up blocks that failed earlier.
    progress : callable
        Makes a display.

    Raises
    ------
    LeaseHeldError
        If somebody else writes this product.
    """
    streams, skipped = measured_streams(archive, config, wanted)
    with product.lease() as lease, product.ledger(lease) as ledger:
        product.store.sweep_partials()
        tasks = block_tasks(archive, streams, config, product, wanted=wanted, fence=lease.fence())
        keys: set[str] = set()
        planned = plan(_noting(tasks, keys), ledger, retry_failed=retry_failed)
        make_groups(archive, product, config, planned.todo)
        summary = execute("noise", measure_block, planned, ledger, runner, progress=progress())
        return Measured(summary, skipped, _tell(ledger, keys))


def _noting(tasks: Iterable[Task], keys: set[str]) -> Iterator[Task]:
    """Pass tasks on, and keep their keys: the tasks themselves are not held."""
    for task in tasks:
        keys.add(task.key)
        yield task


def make_groups(archive: Archive, product: Product, config: NoiseConfig, tasks: Iterable[Task]) -> None:
    """Make the groups of the years that will be written: for the driver, so that no two workers do."""
    objects = product.store.child(ARRAYS)
    wanted = {(job.stream, job.grid, job.block.year) for job in (task.payload for task in tasks)}
    for stream, grid, year in sorted(wanted):
        arrays = StreamArrays(stream, grid, config)
        said = {"stream": str(stream), "components": list(stream.components), "year": year}
        said |= {"sampling_rate_hz": grid.rate_hz, "window_s": arrays.window_config.window_s}
        said |= {"Conventions": "CF-1.11"}
        block_days = archive.store.options.block_days
        make_group(objects, arrays.group, year, arrays.all, block_days=block_days, attributes=said)


def _tell(ledger: Ledger, keys: set[str]) -> list[Told]:
    """Return what the ledger says of days that are not simply done, each reason once per stream."""
    rows = ledger.table()
    spoken = pc.not_equal(rows["status"], Status.DONE.value)
    days: dict[tuple[str, str, bool], list[str]] = {}
    for row in rows.filter(spoken).select(["block", "day", "status", "reason"]).to_pylist():
        if row["block"] in keys and row["day"] is not None:
            key = (row["block"].rpartition("/")[0], row["reason"], row["status"] != Status.NOTED)
            days.setdefault(key, []).append(row["day"].isoformat())
        elif row["block"] in keys and row["status"] == Status.FAILED:
            days.setdefault((row["block"], row["reason"], True), []).append(row["block"][-7:])
    told = [
        Told(group, min(found), len(found), reason, lost) for (group, reason, lost), found in days.items()
    ]
    return sorted(told, key=lambda each: (not each.lost, each.group, each.first))


def measure_block(task: Task) -> BlockResult:
    """Measure one block, write its arrays, then its table."""
    job: Job = task.payload
    if job.fence is not None:
        job.fence.check()
    # What workers need of an archive stands in its tables; the index is the driver's.
    archive = BlockArchive(Archive(job.store, Index()), job.grid, job.block)
    arrays = StreamArrays(job.stream, job.grid, job.config)
    writer = _Writer(job, archive, arrays)
    if is_gravimeter(job.stream):
        found = measure_gravity(archive, arrays, job.stations, job.barometer)
        writer.take_gravity(found)
        days: Iterable[DayLevels] = found.days
    else:
        days = measure_ground(archive, arrays, job.stations)
    records, quality = [], []
    for day in days:
        writer.take(day)
        records.append(_record(day))
        quality += day.quality
    if job.fence is not None:
        job.fence.check()
    nbytes = writer.write()
    table = pa.Table.from_pylist(quality, schema=SCHEMAS["quality"])
    options = fingerprint(job.config.map_options())
    data = write_table(table, "quality", fingerprint=task.fingerprint, config=options)
    return task.result(records, nbytes=nbytes + job.product.write(task, data))


def _record(day: DayLevels) -> DayRecord:
    date = day_of_number(day.row.day)
    if day.reasons:
        return DayRecord(date, Status.LOST, "; ".join(day.reasons))
    notes = [*day.notes, *([] if day.sub_windows.any() else ["no whole window"])]
    if notes:
        return DayRecord(date, Status.NOTED, "; ".join(notes))
    return DayRecord(date)


class _Writer:
    """Collects the arrays of a block, and writes them in the end, each as one object."""

    def __init__(self, job: Job, archive: BlockArchive, arrays: StreamArrays) -> None:
        self._job = job
        self._archive = archive
        self._arrays = arrays
        days = archive.count
        self._values: dict[str, np.ndarray] = {
            "level_db": np.full(arrays.level_db.shape(days), np.nan, dtype=np.float32),
            "sub_windows": np.zeros(arrays.sub_windows.shape(days), dtype=np.uint16),
        }

    def take(self, day: DayLevels) -> None:
        """Put the windows of a day into their place."""
        at = (day.row.day - self._archive.first_day) * self._arrays.level_db.per_day
        stop = at + day.sub_windows.shape[-1]
        self._values["level_db"][:, at:stop] = day.level_db
        self._values["sub_windows"][:, at:stop] = day.sub_windows

    def take_gravity(self, found: GravityBlock) -> None:
        """Take what a gravimeter has more."""
        self._values |= found.spectra._asdict()
        names = ("tide_factor", "tide_factor_std", "tide_lag_s", "tide_days")
        self._values |= dict(zip(names, np.array(found.tides, dtype=np.float32).T, strict=True))

    def write(self) -> int:
        """Write all arrays; return their size in bytes."""
        return sum(self._write(array) for array in self._arrays.all)

    def _write(self, array: BlockArray) -> int:
        job = self._job
        return write_block(
            job.product.store.child(ARRAYS),
            self._arrays.group,
            job.block,
            array,
            self._values[array.name],
            block_days=job.store.options.block_days,
        )
