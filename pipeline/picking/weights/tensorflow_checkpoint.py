"""
TensorFlow's checkpoints (``.index`` beside ``.data-00000-of-00001``), read without TensorFlow.

The index is a sorted table in LevelDB's format: blocks of keys that share their beginnings, a footer that
says where the block of blocks lies. Its values are protocol buffers: under the empty key a header, under each
tensor's name its type, shape, shard, offset, size and checksum. Data shards hold the tensors' bytes one after
another. Checksums are CRC-32C, rotated and shifted by a constant ("masked") so that sums of sums stay apart.

::

    index  | block ... | block of handles | footer: 2 handles, padding, magic |
    block  | shared, fresh, length, key's end, value | ... | restarts | compression | crc |
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError

__all__ = ["read_checkpoint"]

_MAGIC: Final = 0xDB4775248B80FB57
_FOOTER_BYTES: Final = 48
_TRAILER_BYTES: Final = 5
_MASK_DELTA: Final = 0xA282EAD8
_LARGEST_BYTES: Final = 2**31

_DTYPES: Final[Mapping[int, np.dtype[np.generic]]] = {
    1: np.dtype("<f4"),
    2: np.dtype("<f8"),
    3: np.dtype("<i4"),
    9: np.dtype("<i8"),
    19: np.dtype("<f2"),
}
"""TensorFlow's numbers of types; tensors of others (texts, say) are left out."""


@dataclass
class _Entry:
    """What the index says of a tensor."""

    dtype: int = 0
    shape: list[int] = field(default_factory=list)
    shard: int = 0
    offset: int = 0
    size: int = 0
    crc: int = 0
    sliced: bool = False


def read_checkpoint(index: Path) -> dict[str, NDArray[np.generic]]:
    """
    Read all numeric tensors of a checkpoint.

    Parameters
    ----------
    index : Path
        The ``.index`` file; its data shards lie beside it.

    Returns
    -------
    dict of str to ndarray
        By name, in the order of the index.

    Raises
    ------
    ConfigError
        If a file is missing or truncated, a checksum is wrong, or the index is no table.
    """
    try:
        data = index.read_bytes()
    except OSError as error:
        raise ConfigError(f"{index}: {error.strerror}") from error
    try:
        table = dict(_table(data))
        shards = dict(_fields(table.pop(b""))).get(1, 1)
        entries = {name.decode(): _entry(value) for name, value in table.items()}
    except (IndexError, KeyError, struct.error, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(
            f"{index}: no index of a TensorFlow checkpoint, or a damaged one: {error}"
        ) from error
    if not isinstance(shards, int):
        raise ConfigError(f"{index}: a damaged index of a TensorFlow checkpoint: no number of shards")
    return {
        name: _tensor(index, name, entry, shards)
        for name, entry in entries.items()
        if entry.dtype in _DTYPES and not entry.sliced
    }


def _tensor(index: Path, name: str, entry: _Entry, shards: int) -> NDArray[np.generic]:
    shard = index.with_name(f"{index.name.removesuffix('.index')}.data-{entry.shard:05d}-of-{shards:05d}")
    dtype = _DTYPES[entry.dtype]
    wanted = int(np.prod(entry.shape, dtype=np.int64)) * dtype.itemsize
    if wanted != entry.size or wanted > _LARGEST_BYTES:
        raise ConfigError(
            f"{index}: {name} should have {wanted} bytes by its shape, the index says {entry.size}"
        )
    try:
        with shard.open("rb") as file:
            file.seek(entry.offset)
            data = file.read(entry.size)
    except OSError as error:
        raise ConfigError(f"{shard}: {error.strerror}; {index.name} needs it") from error
    if len(data) != entry.size:
        raise ConfigError(
            f"{shard}: truncated: {name} should have {entry.size} bytes from {entry.offset}, got {len(data)}"
        )
    if _masked(data) != entry.crc:
        raise ConfigError(f"{shard}: damaged: the checksum of {name} is not the one that {index.name} states")
    return np.frombuffer(data, dtype).reshape(entry.shape).astype(dtype.newbyteorder("="))


def _masked(data: bytes) -> int:
    crc: int = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def _table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give the keys and values of a table."""
    if len(data) < _FOOTER_BYTES or struct.unpack_from("<Q", data, len(data) - 8)[0] != _MAGIC:
        raise ValueError("it does not end as a table does")
    footer = data[-_FOOTER_BYTES:]
    at = 0
    for _ in range(2):  # offset and size of the block of metadata, which is empty
        _, at = _varint(footer, at)
    for _, handle in _block(data, *_handle(footer, at)):
        yield from _block(data, *_handle(handle, 0))


def _handle(data: bytes, at: int) -> tuple[int, int]:
    offset, at = _varint(data, at)
    size, _ = _varint(data, at)
    return offset, size


def _block(data: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Give the keys and values of a block, whose checksum is looked at first."""
    whole = data[offset : offset + size + _TRAILER_BYTES]
    if len(whole) != size + _TRAILER_BYTES:
        raise ValueError("a block reaches beyond the end")
    if whole[size] != 0:
        raise ValueError(f"a block is compressed ({whole[size]}), which checkpoints are not")
    if _masked(whole[: size + 1]) != struct.unpack_from("<I", whole, size + 1)[0]:
        raise ValueError(f"the checksum of the block at {offset} is wrong")
    restarts = struct.unpack_from("<I", whole, size - 4)[0]
    at, end, key = 0, size - 4 * (restarts + 1), b""
    while at < end:
        shared, at = _varint(whole, at)
        fresh, at = _varint(whole, at)
        length, at = _varint(whole, at)
        key = key[:shared] + whole[at : at + fresh]
        at += fresh
        yield key, whole[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Read a number of 7 bits a byte, the least significant first; return it and where the next begins."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Give the fields of a protocol buffer by number: whole numbers, or bytes for what is longer."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        value: int | bytes
        if kind == 0:
            value, at = _varint(message, at)
        elif kind == 2:
            length, at = _varint(message, at)
            value, at = message[at : at + length], at + length
        elif kind == 5:
            value, at = struct.unpack_from("<I", message, at)[0], at + 4
        elif kind == 1:
            value, at = struct.unpack_from("<Q", message, at)[0], at + 8
        else:
            raise ValueError(f"a field of the kind {kind}")
        yield number, value


def _entry(message: bytes) -> _Entry:
    """Read a BundleEntryProto."""
    entry = _Entry()
    names = {1: "dtype", 3: "shard", 4: "offset", 5: "size", 6: "crc"}
    for number, value in _fields(message):
        if number in names and isinstance(value, int):
            setattr(entry, names[number], value)
        elif number == 2 and isinstance(value, bytes):
            entry.shape = [_dimension(part) for _, part in _fields(value) if isinstance(part, bytes)]
        elif number == 7:
            entry.sliced = True
    return entry


def _dimension(message: bytes) -> int:
    size = dict(_fields(message)).get(1, 0)
    if not isinstance(size, int):
        raise ValueError("a dimension that is no number")  # noqa: TRY004 (of the file, not of the caller)
    return size
