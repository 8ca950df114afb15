"""
The archive: station-days under one URL, as a Zarr v3 hierarchy that plain zarr and xarray can read.

::

    archive.zarr/
        zarr.json                               options fixed when the archive was made
        index.parquet                           what there is: opening reads this alone
        CI.CCC..HH/100Hz/2020/counts/c/0/17     a shard: one station-day, all components
        tables/CI.CCC..HH/100Hz/2020.01.parquet segments, digests, sources of a block
        metadata/stationxml                     uint8 array
        ledger/ scan/ lease                     of ingests
        journal/                                days under change, while they are
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pipeline.archive.blocks import DayRow, read_block_table
from pipeline.archive.grid import DayGrid, day_number, day_of_number
from pipeline.archive.merge import ARRAY_DTYPES, fill_value
from pipeline.archive.shard import PCODEC_LEVEL, ShardLayout
from pipeline.errors import ConfigError, FormatError, NotAnArchiveError
from pipeline.keys import BLOCK_DAYS, Block, Stream, days_in_year
from pipeline.objects import ObjectStore, open_objects

__all__ = ["ArchiveOptions", "ArchiveStore", "ShardPlace", "create_store", "open_store"]

FORMAT = 1
ROOT = "zarr.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchiveOptions:
    """
    What is fixed when an archive is made.

    Parameters
    ----------
    block_days : int
        Days in a block, 8 to 366.
    shard_days : int
        Station-days in a shard at 5 Hz and above; divides ``block_days``. More of them make fewer files.
    pcodec_level : int
        0 to 12.
    """

    block_days: int = BLOCK_DAYS
    shard_days: int = 1
    pcodec_level: int = PCODEC_LEVEL

    def __str__(self) -> str:
        return (
            f"block_days = {self.block_days}, shard_days = {self.shard_days}, "
            f"pcodec_level = {self.pcodec_level}"
        )

    def __post_init__(self) -> None:
        if self.shard_days < 1:
            raise ConfigError(f"shard_days = {self.shard_days}: should be 1 or more")
        if not 8 <= self.block_days <= 366:
            raise ConfigError(f"block_days = {self.block_days}: should be from 8 to 366")
        if self.block_days % self.shard_days:
            near = self.shard_days * max(1, round(BLOCK_DAYS / self.shard_days))
            raise ConfigError(
                f"shard_days = {self.shard_days} should divide block_days = {self.block_days}; "
                f"block_days = {near} would do"
            )
        if not 0 <= self.pcodec_level <= 12:
            raise ConfigError(f"pcodec_level = {self.pcodec_level}: should be from 0 to 12")

    @classmethod
    def for_shard_days(cls, shard_days: int, *, pcodec_level: int = PCODEC_LEVEL) -> ArchiveOptions:
        """
        Return options whose blocks hold whole shards and are as near to 31 days as can be.

        >>> ArchiveOptions.for_shard_days(7).block_days
        28
        """
        blocks = max(1, round(BLOCK_DAYS / shard_days)) if shard_days > 0 else 1
        return cls(
            block_days=shard_days * blocks if shard_days != 1 else BLOCK_DAYS,
            shard_days=shard_days,
            pcodec_level=pcodec_level,
        )


@dataclass(frozen=True, slots=True)
class ShardPlace:
    """Where the samples of a day lie: the key of their shard, its shape, and the first sample in it."""

    key: str
    layout: ShardLayout
    offset: int
    first_day: int
    days: int


class ArchiveStore:
    """
    The objects of one archive: paths, groups, shards and block tables.

    Opening costs one request. It pickles, and a worker opens its own connections.
    """

    def __init__(self, objects: ObjectStore, options: ArchiveOptions) -> None:
        self.objects = objects
        self.options = options

    def __repr__(self) -> str:
        return f"ArchiveStore({self.url!r})"

    @property
    def url(self) -> str:
        """Where the archive lies."""
        return self.objects.url

    def group(self, stream: Stream, grid: DayGrid, year: int) -> str:
        """Return the path of a year's group."""
        return f"{stream}/{grid.label}/{year:04d}"

    def table_key(self, grid: DayGrid, block: Block) -> str:
        """Return the key of a block table."""
        return f"tables/{block.stream}/{grid.label}/{block.period}.parquet"

    def shard(self, stream: Stream, grid: DayGrid, array: str, day: int) -> ShardPlace:
        """Return where a day of an array lies."""
        date = day_of_number(day)
        january = day_number(date.replace(month=1, day=1))
        days = self.options.block_days if grid.has_block_shards else self.options.shard_days
        number = (day - january) // days
        layout = _layout(len(stream.components), grid, days, array)
        key = f"{self.group(stream, grid, date.year)}/{array}/c/0/{number}"
        first = january + number * days
        return ShardPlace(key, layout, (day - first) * grid.samples_per_day, first, days)

    def read_table(self, grid: DayGrid, block: Block) -> dict[int, DayRow]:
        """Return the rows of a block by days since 1970; none if nothing was written yet."""
        key = self.table_key(grid, block)
        try:
            data = self.objects.read(key)
        except FileNotFoundError:
            return {}
        return read_block_table(data, f"{self.url}/{key}")

    def tables(self) -> Iterable[tuple[DayGrid, Block]]:
        """List all block tables; slow on an object store."""
        for info in self.objects.list("tables"):
            _, stream, label, name = info.key.split("/")
            yield DayGrid.from_label(label), Block.parse(f"{stream}/{name.removesuffix('.parquet')}")

    def make_group(self, stream: Stream, grid: DayGrid, year: int, arrays: Iterable[str]) -> None:
        """Write the metadata of a year's group and its arrays where they are not there yet."""
        group = self.group(stream, grid, year)
        for path, attributes in _parents(stream, grid, year):
            self.objects.create(f"{path}/{ROOT}", _group_metadata(attributes))
        for array in arrays:
            days = self.options.block_days if grid.has_block_shards else self.options.shard_days
            metadata = _array_metadata(
                len(stream.components), grid, days_in_year(year), days, array, self.options.pcodec_level
            )
            self.objects.create(f"{group}/{array}/{ROOT}", metadata)


@lru_cache(maxsize=256)
def _layout(components: int, grid: DayGrid, days: int, array: str) -> ShardLayout:
    return ShardLayout(
        components=components,
        samples=grid.samples_per_day * days,
        chunk=grid.chunk,
        dtype=ARRAY_DTYPES[array],
        fill=fill_value(array),
    )


def _parents(stream: Stream, grid: DayGrid, year: int) -> list[tuple[str, dict[str, Any]]]:
    origin = f"{year:04d}-01-01T00:00:00Z"
    grid_attributes = {"samples_per_day": grid.samples_per_day, "sampling_rate_hz": grid.rate_hz}
    return [
        (f"{stream}", {"stream": str(stream), "components": list(stream.components)}),
        (f"{stream}/{grid.label}", grid_attributes),
        (
            f"{stream}/{grid.label}/{year:04d}",
            {
                "stream": str(stream),
                "components": list(stream.components),
                "origin": origin,
                "step_s": f"86400/{grid.samples_per_day}",
                **grid_attributes,
            },
        ),
    ]


def _group_metadata(attributes: dict[str, Any]) -> bytes:
    document = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
    return json.dumps(document, indent=1).encode()


@lru_cache(maxsize=256)
def _array_metadata(
    components: int, grid: DayGrid, days: int, shard_days: int, array: str, level: int
) -> bytes:
    """Let zarr write the metadata of an array, so that it is what zarr reads."""
    import warnings

    import zarr
    from zarr.storage import MemoryStore

    store = MemoryStore()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pcodec is not in the Zarr v3 specification: docs/decisions/003
        from zarr.codecs.numcodecs import PCodec

        zarr.create_array(
            store,
            shape=(components, grid.samples_per_day * days),
            chunks=(1, grid.chunk),
            shards=(components, grid.samples_per_day * shard_days),
            dtype=ARRAY_DTYPES[array],
            fill_value=fill_value(array),
            serializer=PCodec(level=level),
            compressors=None,
            dimension_names=("component", "time"),
            attributes={"long_name": "samples as recorded", "units": "count" if array == "counts" else "1"},
        )
    items = store._store_dict  # noqa: SLF001 (the one object that zarr wrote)
    return bytes(items[ROOT].to_bytes())


def create_store(url: str, options: ArchiveOptions | None = None) -> ArchiveStore:
    """
    Open an archive, making it if there is none.

    Parameters
    ----------
    url : str
        A local folder or an fsspec URL.
    options : ArchiveOptions, optional
        For a new archive. An existing one keeps its own, and refuses others.

    Raises
    ------
    ConfigError
        If the archive is there and was made with other options.
    """
    objects = open_objects(url)
    wanted = options or ArchiveOptions()
    attributes = {
        "stationday": {
            "format": FORMAT,
            "block_days": wanted.block_days,
            "shard_days": wanted.shard_days,
            "pcodec_level": wanted.pcodec_level,
        }
    }
    if objects.create(ROOT, _group_metadata(attributes)):
        return ArchiveStore(objects, wanted)
    store = open_store(url)
    if options is not None and options != store.options:
        raise ConfigError(f"{url}: made with {store.options}; not with {options}: they are fixed for good")
    return store


def open_store(url: str) -> ArchiveStore:
    """
    Open an existing archive.

    Raises
    ------
    NotAnArchiveError
        If there is no Zarr group with the mark of stationday.
    FormatError
        If it was made by a newer stationday.
    """
    objects = open_objects(url)
    try:
        document = json.loads(objects.read(ROOT))
        mark = document["attributes"]["stationday"]
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise NotAnArchiveError(f"{url}: there is no archive here; `stationday ingest` makes one") from None
    except ConfigError:
        raise
    except (KeyError, TypeError, ValueError):
        raise NotAnArchiveError(f"{url}: a zarr.json, but not that of a stationday archive") from None
    if mark["format"] != FORMAT:
        raise FormatError(f"{url}: archive format {mark['format']}; this stationday reads {FORMAT}")
    options = ArchiveOptions(**{k: v for k, v in mark.items() if k != "format"})
    return ArchiveStore(objects, options)
