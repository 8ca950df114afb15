"""
Arrays of a product: Zarr arrays of which each block of a stream is one chunk, and one object.

A group is one stream at one rate and in one year, as in the archive. Time runs along one axis with the same
number of steps each day, so that a block is a whole number of chunks and its task alone writes them::

    noise.zarr/CI.CCC..HH/100Hz/2020/zarr.json            what the group is
                                     level_db/zarr.json   the whole year
                                     level_db/c/0/2/0     the block 2020.03
                                     time/c/0             the times of the year's steps

Plain zarr and xarray read all of it: levels have scales, and times units, as CF has them. A chunk is encoded
by zarr and written as one object, whole or not at all.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import FormatError
from pipeline.keys import BLOCK_DAYS, Block, blocks_between, days_in_year
from pipeline.objects import ObjectStore

__all__ = ["Axis", "BlockArray", "make_group", "read_days", "write_block"]

_ROOT = "zarr.json"
_ZSTD_LEVEL = 3


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis other than time: its name, its values (texts or numbers), and what CF says of them."""

    name: str
    values: tuple[str, ...] | tuple[float, ...]
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockArray:
    """
    One array of a group.

    Parameters
    ----------
    name : str
    time_axis : str
        Name of its axis in time, as ``time`` or ``day``; arrays with one name share their times.
    per_day : int
        Steps a day.
    before, after : tuple of Axis
        Axes before time and after it.
    dtype : str
        As it is stored.
    fill : float
        What stands for "nothing" as it is stored; NaN for floats.
    scale : float or None
        What is stored times this is the value; None where it is the value itself.
    attributes : mapping of str to str
        ``long_name``, ``units``.
    """

    name: str
    time_axis: str
    per_day: int
    before: tuple[Axis, ...] = ()
    after: tuple[Axis, ...] = ()
    dtype: str
    fill: float
    scale: float | None = None
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the axes."""
        return (*(axis.name for axis in self.before), self.time_axis, *(axis.name for axis in self.after))

    def shape(self, days: int) -> tuple[int, ...]:
        """Return the shape of so many days."""
        sizes = [len(axis.values) for axis in self.before]
        return (*sizes, days * self.per_day, *(len(axis.values) for axis in self.after))

    def encode(self, values: ArrayLike) -> NDArray[Any]:
        """Turn values into what is stored: scaled, rounded, and within the range of the type."""
        found = np.asarray(values)
        if self.scale is None:
            return found.astype(self.dtype)
        kept = np.isfinite(found)
        limits = np.iinfo(self.dtype)
        # The fill value is the lowest one, which no value may take.
        scaled = np.clip(np.rint(np.where(kept, found, 0.0) / self.scale), limits.min + 1, limits.max)
        return np.asarray(np.where(kept, scaled, self.fill).astype(self.dtype))

    def decode(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Turn what is stored into values; ``fill`` into NaN where there is a scale."""
        if self.scale is None:
            return stored
        return np.where(stored == self.fill, np.nan, stored * self.scale).astype(np.float32)


def make_group(
    objects: ObjectStore,
    group: str,
    year: int,
    arrays: Sequence[BlockArray],
    *,
    block_days: int = BLOCK_DAYS,
    attributes: Mapping[str, Any] | None = None,
) -> None:
    """
    Write the metadata of a year's group, its arrays and their axes, where they are not there yet.

    Parameters
    ----------
    objects : ObjectStore
        Of the whole ``.zarr``.
    group : str
        As ``CI.CCC..HH/100Hz``; the year comes below.
    year : int
    arrays : sequence of BlockArray
    block_days : int
        Of the archive.
    attributes : mapping, optional
        What the group says of itself.

    Examples
    --------
    >>> from pipeline.objects import open_objects
    >>> objects = open_objects("memory://blockarrays-example")
    >>> level = BlockArray(name="db", time_axis="time", per_day=2, dtype="int16", fill=-32768, scale=0.01)
    >>> make_group(objects, "CI.CCC..HH/1Hz", 2020, [level])
    >>> block = Block.parse("CI.CCC..HH/2020.12")
    >>> write_block(objects, "CI.CCC..HH/1Hz", block, level, np.full(50, -120.004)) > 0
    True
    >>> days = dt.date(2020, 12, 31), dt.date(2021, 1, 1)
    >>> read_days(objects, "CI.CCC..HH/1Hz", level, *days)
    array([-120., -120.,   nan,   nan], dtype=float32)
    """
    path = ""
    for part in group.split("/"):
        objects.create(f"{path}{_ROOT}", _group_metadata({}))
        path = f"{path}{part}/"
    objects.create(f"{path}{_ROOT}", _group_metadata({}))
    top = f"{group}/{year:04d}"
    objects.create(f"{top}/{_ROOT}", _group_metadata(dict(attributes or {})))
    for array in arrays:
        metadata = _array_bytes(array, days_in_year(year), block_days)[_ROOT]
        objects.create(f"{top}/{array.name}/{_ROOT}", metadata)
    for name, values, said in _coordinates(arrays, year):
        for key, data in _whole_array(name, values, said).items():
            objects.create(f"{top}/{name}/{key}", data)


def write_block(
    objects: ObjectStore,
    group: str,
    block: Block,
    array: BlockArray,
    values: ArrayLike,
    *,
    block_days: int = BLOCK_DAYS,
) -> int:
    """
    Write the chunk of a block, whole.

    Parameters
    ----------
    objects, group, array, block_days
        See `make_group`, which must have made the group.
    block : Block
        Whose task owns the chunk.
    values : array_like
        Of all days that the block has; the last one of a year is shorter.

    Returns
    -------
    int
        Bytes written.
    """
    days = (block.last_day(block_days) - block.first_day(block_days)).days + 1
    encoded = array.encode(values)
    if encoded.shape != array.shape(days):
        raise FormatError(
            f"{block}: {array.name} of {days} days should have the shape {array.shape(days)},"
            f" got {encoded.shape}"
        )
    # A chunk at the end of the year is as large as all others.
    whole = np.full(array.shape(block_days), array.fill, dtype=array.dtype)
    axis = len(array.before)
    whole[(slice(None),) * axis + (slice(encoded.shape[axis]),)] = encoded
    data = _array_bytes(array, block_days, block_days, whole)[_chunk_key(array, 0)]
    objects.write(f"{group}/{block.year:04d}/{array.name}/{_chunk_key(array, block.number - 1)}", data)
    return len(data)


def read_days(
    objects: ObjectStore,
    group: str,
    array: BlockArray,
    first: dt.date,
    last: dt.date,
    *,
    block_days: int = BLOCK_DAYS,
) -> NDArray[Any]:
    """
    Read the days from ``first`` to ``last``, both included.

    Returns
    -------
    array
        Values; ``fill`` (NaN where there is a scale) in blocks that were never written.

    Raises
    ------
    FormatError
        Where a chunk can't be decoded.
    """
    pieces = []
    stream = Block.parse("X.X..X/2000.01").stream  # of blocks only their days are needed
    for block in blocks_between(stream, first, last, block_days):
        key = f"{group}/{block.year:04d}/{array.name}/{_chunk_key(array, block.number - 1)}"
        begin = block.first_day(block_days)
        low = (max(first, begin) - begin).days
        high = (min(last, block.last_day(block_days)) - begin).days + 1
        stored = _read_chunk(objects, key, array, block_days)
        axis = len(array.before)
        pieces.append(stored[(slice(None),) * axis + (slice(low * array.per_day, high * array.per_day),)])
    return array.decode(np.concatenate(pieces, axis=len(array.before)))


def _read_chunk(objects: ObjectStore, key: str, array: BlockArray, block_days: int) -> NDArray[Any]:
    try:
        data = objects.read(key)
    except FileNotFoundError:
        return np.full(array.shape(block_days), array.fill, dtype=array.dtype)
    try:
        return _decode(data, array, block_days)
    except Exception as error:  # each codec has its own
        raise FormatError(f"{objects.url}/{key}: a damaged chunk: {error}") from error


def _chunk_key(array: BlockArray, number: int) -> str:
    return "/".join(["c", *("0" for _ in array.before), str(number), *("0" for _ in array.after)])


def _group_metadata(attributes: Mapping[str, Any]) -> bytes:
    return json.dumps({"zarr_format": 3, "node_type": "group", "attributes": attributes}, indent=1).encode()


def _array_bytes(
    array: BlockArray, days: int, block_days: int, values: NDArray[Any] | None = None
) -> dict[str, bytes]:
    """Let zarr write an array into memory, so that its objects are what zarr reads."""
    import zarr
    from zarr.codecs import ZstdCodec
    from zarr.storage import MemoryStore

    store = MemoryStore()
    said: dict[str, Any] = dict(array.attributes)
    said |= {axis.name: list(axis.values) for axis in array.before if isinstance(axis.values[0], str)}
    if array.scale is not None:
        said |= {"scale_factor": array.scale, "add_offset": 0.0, "_FillValue": int(array.fill)}
    made = zarr.create_array(
        store,
        shape=array.shape(days),
        chunks=array.shape(block_days),
        dtype=array.dtype,
        fill_value=array.fill,
        compressors=ZstdCodec(level=_ZSTD_LEVEL),
        dimension_names=array.dimensions,
        attributes=said,
        config={"write_empty_chunks": True},
    )
    if values is not None:
        made[...] = values
    return {key: bytes(item.to_bytes()) for key, item in store._store_dict.items()}  # noqa: SLF001


def _decode(data: bytes, array: BlockArray, block_days: int) -> NDArray[Any]:
    import zarr
    from zarr.core.buffer import default_buffer_prototype
    from zarr.storage import MemoryStore

    metadata = _chunk_metadata(array, block_days)
    buffer = default_buffer_prototype().buffer
    store = MemoryStore({_ROOT: buffer.from_bytes(metadata), _chunk_key(array, 0): buffer.from_bytes(data)})
    return np.asarray(zarr.open_array(store, mode="r")[...])


@lru_cache(maxsize=64)
def _chunk_metadata(array: BlockArray, block_days: int) -> bytes:
    return _array_bytes(array, block_days, block_days)[_ROOT]


def _coordinates(
    arrays: Sequence[BlockArray], year: int
) -> list[tuple[str, NDArray[Any], Mapping[str, str]]]:
    """List what stands along the axes, each once."""
    found: dict[str, tuple[str, NDArray[Any], Mapping[str, str]]] = {}
    for array in arrays:
        for axis in (*array.before, *array.after):
            values = np.asarray(axis.values)
            if values.dtype.kind != "U":  # Zarr 3 has no settled form of texts: those stand in attributes
                found.setdefault(axis.name, (axis.name, values, dict(axis.attributes)))
        seconds = np.arange(days_in_year(year) * array.per_day, dtype=np.int64) * (86_400 // array.per_day)
        said = {"units": f"seconds since {year:04d}-01-01 00:00:00", "calendar": "standard"}
        said |= {"standard_name": "time", "long_name": "start, UTC"}
        found.setdefault(array.time_axis, (array.time_axis, seconds, said))
    return list(found.values())


def _whole_array(name: str, values: NDArray[Any], attributes: Mapping[str, str]) -> dict[str, bytes]:
    import zarr
    from zarr.storage import MemoryStore

    store = MemoryStore()
    zarr.create_array(
        store, data=values, chunks=values.shape, dimension_names=(name,), attributes=dict(attributes)
    )
    return {key: bytes(item.to_bytes()) for key, item in store._store_dict.items()}  # noqa: SLF001
