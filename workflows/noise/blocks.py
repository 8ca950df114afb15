"""What seismometers and gravimeters share in a block: its days, their quality, and what they leave behind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.blocks import DayRow
from pipeline.archive.grid import DayGrid, day_number, day_of_number
from pipeline.archive.reading import Archive
from pipeline.archive.records import Record
from pipeline.keys import Block, Stream
from pipeline.noise.psd import WindowLevels
from pipeline.noise.record_quality import RecordQuality, record_quality
from pipeline.noise.verdicts import judge_day

__all__ = ["BlockArchive", "DayLevels", "describe_day", "whole_windows"]


@dataclass(frozen=True, slots=True)
class BlockArchive:
    """An archive, and one block of it."""

    archive: Archive
    grid: DayGrid
    block: Block

    @property
    def first_day(self) -> int:
        """Days since 1970."""
        return day_number(self.block.first_day(self.archive.store.options.block_days))

    @property
    def count(self) -> int:
        """How many days the block has."""
        options = self.archive.store.options
        return (self.block.last_day(options.block_days) - self.block.first_day(options.block_days)).days + 1

    def days(self) -> Iterator[DayRow]:
        """Iterate over the days that hold any sample."""
        table = self.archive.table(self.grid, self.block)
        for day in sorted(table):
            if any(table[day].present):
                yield table[day]


@dataclass(frozen=True, slots=True)
class DayLevels:
    """
    What a day leaves behind.

    Parameters
    ----------
    row : DayRow
        What the archive knows of it.
    level_db : ndarray of float32, shape (components, windows, periods)
    sub_windows : ndarray of uint16, shape (components, windows)
    quality : list of dict
        Rows of the table ``quality``.
    reasons : list of str
        Why something gave no level.
    notes : list of str
        What is worth knowing, and no loss.
    """

    row: DayRow
    level_db: NDArray[np.float32]
    sub_windows: NDArray[np.uint16]
    quality: list[dict[str, Any]]
    reasons: list[str]
    notes: list[str] = field(default_factory=list)


def whole_windows(levels: WindowLevels, level_db: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Return how many sub-windows each window has; 0 where no level came out of it."""
    return np.where(np.isfinite(level_db).any(axis=-1), levels.sub_windows, 0).astype(np.uint16)


def describe_day(stream: Stream, row: DayRow, record: Record, samples: int) -> list[dict[str, Any]]:
    """Judge the samples of a day, component by component; what follows midnight is left out."""
    found = []
    for slot, component in enumerate(stream.components):
        if row.present[slot]:
            quality = record_quality(
                record.samples[slot, :samples],
                samples / 86_400,
                missing=record.missing[slot, :samples],
            )
            found.append(_quality_row(stream, component, row, quality))
    return found


def _quality_row(stream: Stream, component: str, row: DayRow, quality: RecordQuality) -> dict[str, Any]:
    timing = None if row.timing_quality < 0 else float(row.timing_quality)
    verdict, reason = judge_day(quality, timing_quality=timing)
    return {
        "stream": str(stream),
        "component": component,
        "day": day_of_number(row.day),
        "completeness": quality.completeness,
        "gaps": quality.gaps,
        "longest_gap_s": quality.longest_gap_s,
        "overlaps": min(row.disagreed_samples, 2**31 - 1),
        "clipped": max(quality.clipped, min(row.clipped_samples, 2**31 - 1)),
        "spikes": quality.spikes,
        "flat_s": quality.flat_s,
        "mean_counts": quality.mean,
        "rms_counts": quality.rms,
        "timing_quality": timing,
        "verdict": verdict,
        "reason": reason,
    }
