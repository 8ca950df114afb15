"""One block of a seismometer: levels of its windows, and the quality of its days."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.grid import DAY_NS, DayGrid
from pipeline.archive.records import Record, read_record
from pipeline.archive.responses import Response
from pipeline.archive.stations import ChannelEpoch, Stations
from pipeline.errors import ResponseError
from pipeline.keys import Stream
from pipeline.noise.periods import response_db
from pipeline.noise.psd import WindowLevels, window_levels
from pipeline.signal.precision import BoolArray, FloatArray
from workflows.noise.arrays import StreamArrays
from workflows.noise.blocks import BlockArchive, DayLevels, describe_day, whole_windows
from workflows.noise.config import NoiseConfig

__all__ = ["measure_ground"]


def measure_ground(archive: BlockArchive, arrays: StreamArrays, stations: Stations) -> Iterator[DayLevels]:
    """
    Measure the days of a block that hold any sample.

    Parameters
    ----------
    archive : BlockArchive
    arrays : StreamArrays
    stations : Stations
        With the epochs of the stream.

    Yields
    ------
    DayLevels
    """
    windows, n = arrays.windows, arrays.grid.samples_per_day
    for row in archive.days():
        first, samples = windows.span(row.day * n, (row.day + 1) * n)
        stop = max(first + samples, (row.day + 1) * n)
        record = read_record(archive.archive, arrays.stream, arrays.grid, row.day * n, stop)
        levels = window_levels(
            record.samples,
            first=row.day * n,
            missing=record.missing,
            windows=windows,
            bins=arrays.bins,
            share=arrays.window_config.share,
            device=arrays.config.device,
        )
        found, reasons = _to_acceleration(levels, arrays, stations, record)
        quality = describe_day(arrays.stream, row, record, n)
        yield DayLevels(row, found, whole_windows(levels, found), quality, reasons)


def _to_acceleration(
    levels: WindowLevels, arrays: StreamArrays, stations: Stations, record: Record
) -> tuple[NDArray[np.float32], list[str]]:
    """Take the response out of each component's windows; say why where there is none."""
    found = np.array(levels.level_db, dtype=np.float32)
    reasons: list[str] = []
    for slot, name in enumerate(arrays.stream.components):
        if record.missing[slot].all():
            continue
        measured = np.isfinite(found[slot]).any(axis=-1)
        for held, epoch in _epochs(stations, arrays.stream, slot, levels.starts, arrays):
            try:
                found[slot, held] -= _response_db(_response(epoch), arrays.grid, arrays.config, arrays.stream)
            except ResponseError as error:
                if (held & measured).any():
                    reasons.append(f"{name}: {error}")
                found[slot, held] = np.nan
    return found, list(dict.fromkeys(reasons))


def _epochs(
    stations: Stations, stream: Stream, slot: int, starts: np.ndarray, arrays: StreamArrays
) -> Iterator[tuple[BoolArray, ChannelEpoch | str | None]]:
    """Part windows by the epoch that holds from their start to their end."""
    n, length = arrays.grid.samples_per_day, arrays.windows.length
    begins = [stations.find_slot(stream, slot, int(start) * DAY_NS // n) for start in starts]
    ends = [stations.find_slot(stream, slot, (int(start) + length - 1) * DAY_NS // n) for start in starts]
    held: list[ChannelEpoch | str | None] = [
        begin if _same(begin, end) else "its response changes within a window"
        for begin, end in zip(begins, ends, strict=True)
    ]
    for chosen in dict.fromkeys(held):
        yield np.array([each == chosen for each in held], dtype=bool), chosen


def _same(begin: ChannelEpoch | None, end: ChannelEpoch | None) -> bool:
    return (begin is None and end is None) or (
        begin is not None and end is not None and begin.response == end.response
    )


def _response(epoch: ChannelEpoch | str | None) -> Response:
    if isinstance(epoch, str):
        raise ResponseError(epoch)
    if epoch is None:
        raise ResponseError("no metadata epoch holds")
    if epoch.response is None:
        raise ResponseError("its metadata have no response")
    return epoch.response


@lru_cache(maxsize=64)
def _response_db(response: Response, grid: DayGrid, config: NoiseConfig, stream: Stream) -> FloatArray:
    """Return what levels of counts have more than those of acceleration; kept, for it takes a while."""
    arrays = StreamArrays(stream, grid, config)
    value = response.evaluate(arrays.windows.frequencies_hz, output="acceleration")
    return response_db(arrays.bins, value)
