"""
Summing up: from the arrays and the daily quality of a stream to its tables, without a waveform.

A task is a stream at one rate, and owns its tables::

    level_db ─► bands of each window ─► days, weeks, months, blocks, years ─► noise_levels ─► trends, rises
             └► months ─► quality_months (beside the quality of days)
    day_psd, run_psd ─► quiet days and runs of days, months, years ─► noise_magnitudes
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
import pyarrow as pa

from pipeline.archive.grid import day_number
from pipeline.noise.bands import band_db
from pipeline.noise.level_series import Span, WindowSeries, group_windows
from pipeline.signal.precision import FloatArray, IndexArray
from pipeline.tables import SCHEMAS, write_table
from workflows.execute import run_stage
from workflows.ledger import BlockResult, Status
from workflows.noise.arrays import StreamArrays
from workflows.noise.changes import rises_table, trends_table
from workflows.noise.config import Band
from workflows.noise.health import months_table
from workflows.noise.product import MeasuredStream, NoiseProduct
from workflows.noise.quiet import magnitudes_table
from workflows.noise.refusals import refuse_days
from workflows.noise.times import midnight
from workflows.plan import Task, fingerprint
from workflows.progress import Progress, SilentProgress, Summary
from workflows.runners import Runner

__all__ = ["TABLES", "VERSION", "summarise"]

VERSION = 2
"""Part of every fingerprint: raised when the same arrays would give other tables."""

TABLES = ("noise_levels", "noise_magnitudes", "quality_months", "trends", "rises")
"""What a stream's task writes; each has a file."""

SPANS: tuple[Span, ...] = get_args(Span)


@dataclass(frozen=True, slots=True)
class _Job:
    product: NoiseProduct
    stream: MeasuredStream


def summarise(
    product: NoiseProduct, runner: Runner, *, progress: Callable[[], Progress] = SilentProgress
) -> Summary:
    """
    Bring the tables of a product up to date with its arrays.

    Parameters
    ----------
    product : NoiseProduct
    runner : Runner
        A task is a stream.
    progress : callable
        Makes a display.
    """
    options = fingerprint(product.config.summary)
    tasks = [
        Task.of(
            stream.group,
            _Job(product, stream),
            stage=("noise tables", VERSION),
            options=options,
            blocks=[(str(block), digest) for block, digest in stream.blocks],
        )
        for stream in product.streams()
    ]
    return run_stage("tables", summarise_stream, tasks, product.tables, runner, progress=progress())


def summarise_stream(task: Task) -> BlockResult:
    """Make and write the tables of one stream."""
    job: _Job = task.payload
    product, stream = job.product, job.stream
    arrays = product.arrays_of(stream)
    first, last = stream.days(product.block_days)
    level_db = product.read(stream, arrays.level_db, first, last)
    day, last_day = arrays.window_days(day_number(first), level_db.shape[1])
    refusals = refuse_days(product, stream, arrays, level_db, day)
    for slot in range(len(level_db)):
        level_db[slot, refusals.windows(slot, day, last_day)] = np.nan
    levels = pa.concat_tables(list(_levels(stream, arrays, level_db, day, product.block_days)))
    tables = {
        "noise_levels": levels,
        "noise_magnitudes": magnitudes_table(product, stream, refusals),
        "quality_months": months_table(stream, arrays, level_db, refusals, day, product.quality(stream)),
        "trends": trends_table(levels),
        "rises": rises_table(levels),
    }
    nbytes = 0
    name = product.tables.name(task.key, task.fingerprint).removesuffix(product.tables.suffix)
    options = fingerprint(product.config.summary)
    for table in TABLES:
        data = write_table(tables[table], table, fingerprint=task.fingerprint, config=options)
        product.tables.store.write(f"{name}.{table}.parquet", data)
        nbytes += len(data)
    status = Status.LOST if refusals.told else Status.DONE
    return task.result(status=status, reason="; ".join(refusals.told), nbytes=nbytes)


def _levels(
    stream: MeasuredStream, arrays: StreamArrays, level_db: FloatArray, day: IndexArray, block_days: int
) -> Iterator[pa.Table]:
    """Tabulate the levels of each component, band and span."""
    yield SCHEMAS["noise_levels"].empty_table()
    for component, own in zip(stream.stream.components, level_db, strict=True):
        for band in covered_bands(arrays):
            windows = band_db(own, arrays.bins.centre_s, band.shortest_s, band.longest_s)
            for span in SPANS:
                series = group_windows(day, windows, span, block_days=block_days)
                yield _span_table(str(stream.stream), component, span, band.name, series)


def covered_bands(arrays: StreamArrays) -> list[Band]:
    """Return the bands that the periods of a stream cover."""
    centre_s = arrays.bins.centre_s
    # Levels whose octave has no frequency, at the ends, are no levels.
    known = centre_s[arrays.bins.stop > arrays.bins.first]
    step = 2 ** (arrays.window_config.step_octaves / 2)
    return [
        band
        for band in arrays.config.summary.bands
        if known[0] / step <= band.shortest_s and band.longest_s <= known[-1] * step
    ]


def _span_table(stream: str, component: str, span: Span, band: str, series: WindowSeries) -> pa.Table:
    count = len(series.first_day)
    columns: dict[str, Any] = {
        "stream": [stream] * count,
        "component": [component] * count,
        "span": [span] * count,
        "period_start": midnight(series.first_day),
        "period_days": series.length_days.astype(np.int32),
        "band": [band] * count,
        "level_db": series.mean_db,
        "p05": series.p05_db,
        "p50": series.p50_db,
        "p95": series.p95_db,
        "days": series.days.astype(np.int32),
    }
    return pa.table(columns, schema=SCHEMAS["noise_levels"])
