"""
Which blocks noise is measured of, and what each depends on.

A block needs the days of its own, and of the one after it as many as its last windows and runs reach into.
It depends on their digests, on the responses of the epochs that touch them, and on the options.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

from pipeline.archive.digests import read_digests
from pipeline.archive.grid import DAY_NS, DayGrid, day_number
from pipeline.archive.index import IndexRow
from pipeline.archive.layouts import Wanted
from pipeline.archive.reading import Archive
from pipeline.archive.stations import ChannelEpoch, Place, Stations
from pipeline.archive.store import ArchiveStore
from pipeline.errors import ConfigError
from pipeline.keys import Block, Stream, blocks_between
from workflows.lease import Fence
from workflows.noise.arrays import StreamArrays
from workflows.noise.config import NoiseConfig
from workflows.noise.gravity import Barometer
from workflows.noise.streams import barometer_of, is_barometer, is_gravimeter, is_ground
from workflows.plan import Task, fingerprint
from workflows.product import Product

__all__ = ["VERSION", "Job", "Skipped", "block_tasks", "measured_streams"]

VERSION = 2
"""Part of every fingerprint: raised when the same samples would give other levels."""

_READERS = 16
_FASTEST_GRAVIMETER_HZ = 10.0

Rows = tuple[Stream, DayGrid]


@dataclass(frozen=True, slots=True)
class Job:
    """
    What a worker needs to know of a block.

    Parameters
    ----------
    store : ArchiveStore
    product : Product
    fence : Fence or None
        By which it sees that its driver still holds the product.
    stream, grid, block : Stream, DayGrid, Block
    stations : Stations
        What is known of this stream.
    barometer : Barometer or None
    config : NoiseConfig
    """

    store: ArchiveStore
    product: Product
    fence: Fence | None
    stream: Stream
    grid: DayGrid
    block: Block
    stations: Stations
    barometer: Barometer | None
    config: NoiseConfig


@dataclass(frozen=True, slots=True)
class Skipped:
    """A stream of which no noise is measured, and why."""

    stream: Stream
    grid: DayGrid
    reason: str


def measured_streams(
    archive: Archive, config: NoiseConfig, wanted: Wanted
) -> tuple[list[Rows], list[Skipped]]:
    """
    Part the streams of an archive into those that noise is measured of and the others.

    Raises
    ------
    ConfigError
        If a pattern of wanted streams fits none.
    """
    every = [key for key, _ in groupby((row.stream, row.grid) for row in archive.index.rows)]
    for pattern in wanted.streams:
        only = Wanted(streams=(pattern,))
        if not any(only.wants(stream) for stream, _ in every):
            known = ", ".join(str(stream) for stream in archive.streams[:5])
            raise ConfigError(f"--stream {pattern}: {archive.url} has no such stream; it has {known}")
    for gravimeter in config.gravimeters:
        if not any(fnmatch.fnmatchcase(str(stream), gravimeter.stream) for stream, _ in every):
            raise ConfigError(f"[[gravimeters]] stream = {gravimeter.stream!r}: {archive.url} has none such")
    taken: list[Rows] = []
    skipped: list[Skipped] = []
    for stream, grid in every:
        if wanted.wants(stream):
            reason = _why_not(stream, grid, config)
            if reason:
                skipped.append(Skipped(stream, grid, reason))
            else:
                taken.append((stream, grid))
    return taken, skipped


def _why_not(stream: Stream, grid: DayGrid, config: NoiseConfig) -> str:
    if is_barometer(stream):
        return "pressure, which gravimeters beside it are freed of"
    if not (is_ground(stream) or is_gravimeter(stream)):
        return "neither a seismometer nor a gravimeter, by its channel code"
    if is_gravimeter(stream) and grid.rate_hz > _FASTEST_GRAVIMETER_HZ:
        return f"a gravimeter at {grid.rate_hz:g} Hz: at most {_FASTEST_GRAVIMETER_HZ:g} Hz are taken"
    try:
        StreamArrays(stream, grid, config).bins  # noqa: B018 (says what does not fit)
    except ConfigError as error:
        return str(error)
    return ""


def block_tasks(
    archive: Archive,
    streams: Iterable[Rows],
    config: NoiseConfig,
    product: Product,
    *,
    wanted: Wanted,
    fence: Fence | None = None,
) -> Iterator[Task]:
    """
    List the tasks of all blocks that hold any sample of wanted days.

    Parameters
    ----------
    archive : Archive
    streams : iterable of (Stream, DayGrid)
    config : NoiseConfig
    product : Product
    wanted : Wanted
        Whole blocks are measured; those that hold no wanted day are left alone.
    fence : Fence, optional

    Yields
    ------
    Task
        With a `Job`.
    """
    options = fingerprint(config.map_options())
    grids = {row.stream: row.grid for row in archive.index.rows}
    known = _by_stream(archive.stations)
    rows: dict[Rows, list[IndexRow]] = {}
    for row in archive.index.rows:
        rows.setdefault((row.stream, row.grid), []).append(row)
    for stream, grid in streams:
        stations = _stations(archive.stations, known, stream)
        barometer = _barometer(archive, grids, known, stream, config)
        reach = _reach(StreamArrays(stream, grid, config))
        digests = _Digests(archive, rows[stream, grid], wanted)
        pressure = _Digests(archive, rows[barometer.stream, barometer.grid], wanted) if barometer else None
        for block in digests.blocks:
            span = _span(archive, block, reach)
            yield Task.of(
                f"{stream}/{grid.label}/{block.period}",
                Job(archive.store, product, fence, stream, grid, block, stations, barometer, config),
                stage=("noise", VERSION),
                options=options,
                days=digests.of(span),
                response=_described(stations, stream, span),
                pressure=(pressure.of(span) if pressure else [], _epochs_of(barometer, span)),
            )


def _by_stream(stations: Stations) -> dict[Stream, list[ChannelEpoch]]:
    found: dict[Stream, list[ChannelEpoch]] = {}
    for epoch in stations.epochs:
        found.setdefault(epoch.channel.stream, []).append(epoch)
    return found


def _stations(stations: Stations, known: dict[Stream, list[ChannelEpoch]], stream: Stream) -> Stations:
    """Leave all out that is not about a stream, for it travels with each task."""
    key = (stream.network, stream.station)
    places: dict[tuple[str, str], tuple[Place, ...]] = {key: stations.places.get(key, ())}
    return Stations(tuple(known.get(stream, ())), places)


def _barometer(
    archive: Archive,
    grids: dict[Stream, DayGrid],
    known: dict[Stream, list[ChannelEpoch]],
    stream: Stream,
    config: NoiseConfig,
) -> Barometer | None:
    if not is_gravimeter(stream):
        return None
    named = config.gravimeter(str(stream)).pressure
    found = Stream.parse(named) if named else barometer_of(stream, archive.streams)
    if found is None:
        return None
    if found not in grids:
        raise ConfigError(f"[[gravimeters]] {stream}: pressure = {named}: the archive has no such stream")
    return Barometer(found, grids[found], tuple(known.get(found, ())))


def _reach(arrays: StreamArrays) -> int:
    """Return how many days after a block its last windows and runs reach."""
    windows = -(-arrays.windows.length // arrays.grid.samples_per_day)
    return max(windows, arrays.config.gravity.run_days - 1) if arrays.gravity else windows


class _Digests:
    """The digests of a stream's days, and which of its blocks hold any wanted day."""

    def __init__(self, archive: Archive, rows: Sequence[IndexRow], wanted: Wanted) -> None:
        block_days, grid = archive.store.options.block_days, rows[0].grid
        every = [
            block
            for row in rows
            if row.days_present
            for block in blocks_between(row.stream, row.first_day, row.last_day, block_days)
        ]
        asked = {block for block in every if _holds_wanted(block, wanted, block_days)}
        # The block after an asked one is what its last windows reach into.
        read = [block for at, block in enumerate(every) if asked & set(every[max(at - 1, 0) : at + 1])]
        with ThreadPoolExecutor(_READERS) as pool:
            found = list(pool.map(lambda block: read_digests(archive.store, grid, block), read))
        self.blocks = [block for block, days in zip(read, found, strict=True) if days and block in asked]
        self._days = {day: digest for days in found for day, digest in days.items()}

    def of(self, span: range) -> list[tuple[int, str]]:
        """Return the digests of the days of a span that hold any sample."""
        return [(day, self._days[day]) for day in span if day in self._days]


def _holds_wanted(block: Block, wanted: Wanted, block_days: int) -> bool:
    return (wanted.last is None or block.first_day(block_days) <= wanted.last) and (
        wanted.first is None or block.last_day(block_days) >= wanted.first
    )


def _span(archive: Archive, block: Block, reach: int) -> range:
    """Return the days that a block's result depends on."""
    block_days = archive.store.options.block_days
    first, last = block.first_day(block_days), block.last_day(block_days)
    return range(day_number(first), day_number(last) + 1 + reach)


def _described(stations: Stations, stream: Stream, span: range) -> Sequence[object]:
    return [_plain(epoch) for epoch in stations.epochs if _touches(epoch, span)] + [
        (place.start_ns, place.end_ns, place.latitude_deg, place.longitude_deg, place.elevation_m)
        for place in stations.places.get((stream.network, stream.station), ())
    ]


def _epochs_of(barometer: Barometer | None, span: range) -> Sequence[object]:
    return [_plain(epoch) for epoch in barometer.epochs if _touches(epoch, span)] if barometer else []


def _touches(epoch: ChannelEpoch, span: range) -> bool:
    ends_ns = epoch.end_ns if epoch.end_ns is not None else span.stop * DAY_NS
    return epoch.start_ns < span.stop * DAY_NS and ends_ns > span.start * DAY_NS


def _plain(epoch: ChannelEpoch) -> tuple[object, ...]:
    place = (epoch.latitude_deg, epoch.longitude_deg, epoch.elevation_m)
    digest = epoch.response.digest if epoch.response else ""
    return (str(epoch.channel), epoch.start_ns, epoch.end_ns, digest, *place)
