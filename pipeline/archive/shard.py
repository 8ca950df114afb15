"""
Shards: arrays to the bytes of one Zarr v3 shard, and back.

The bytes are those that zarr's ``sharding_indexed`` codec reads, with pcodec inside and the index at the end,
but the chunks lie in order of time, all components of one half hour side by side::

    | Z0 N0 E0 | Z1 N1 E1 | Z2 N2 E2 | … | index, crc32c |

so that any span of time is one range of bytes. The index at the end makes a shard's last minutes and its
index one request; its first minutes are one for whoever knows the sizes of the first chunks (`blocks` keeps
them). zarr's own writer lays chunks out along a space-filling curve, where the same spans are scattered
(docs/decisions/003).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from pipeline.archive.dayarray import DayArray
from pipeline.archive.pieces import Samples
from pipeline.archive.threads import spread
from pipeline.errors import FormatError
from pipeline.objects import ObjectStore

__all__ = [
    "PCODEC_LEVEL",
    "Edges",
    "ShardLayout",
    "decode_chunks",
    "encode_span",
    "pack",
    "read_span",
    "unpack",
]

PCODEC_LEVEL = 7
"""
Keeps chile-12h in 0.805 of its Steim bytes, coded in 0.19 s.

Level 4 takes 0.880 in 0.175 s, 6 takes 0.814 in 0.186 s, 8 takes 0.800 in 0.197 s, 12 takes 0.797 in 0.214 s.
"""

_PROBES, _PROBE_SAMPLES = 8, 128
_ORDER_COSTS = (1.0, 1.0, 1.1, 1.2)
"""How much smaller the differences of an order must be: each roughens the noise, which costs bits."""
_ABSENT = np.uint64(2**64 - 1)
_CRC_BYTES = 4
_CHUNKS_PER_THREAD = 4
"""At 100 Hz a chunk is decoded in 0.3 ms, and a thread wakes in 0.05."""


@dataclass(frozen=True, slots=True)
class ShardLayout:
    """
    Shape of one shard.

    Parameters
    ----------
    components : int
        Rows.
    samples : int
        Columns; a multiple of ``chunk``.
    chunk : int
        Samples in a chunk of one component.
    dtype : str
        ``int32``, ``float32`` or ``float64``.
    fill : int or float
        Stands for missing samples.
    """

    components: int
    samples: int
    chunk: int
    dtype: str
    fill: int | float

    @property
    def chunks(self) -> int:
        """Chunks along time."""
        return self.samples // self.chunk

    @property
    def index_bytes(self) -> int:
        """Bytes of the index with its checksum."""
        return self.components * self.chunks * 16 + _CRC_BYTES


@dataclass(frozen=True, slots=True)
class Edges:
    """
    What a reader must know to get the ends of a shard in one request each.

    ``head`` are the bytes of the first chunk of each component, which lie at the start of the shard in this
    order; ``tail`` is how many bytes at the end hold the last chunk of all components and the index.
    """

    head: tuple[int, ...]
    tail: int


def encode_span(
    samples: Samples | DayArray, layout: ShardLayout, *, level: int = PCODEC_LEVEL
) -> list[list[bytes]]:
    """
    Compress whole chunks.

    Parameters
    ----------
    samples : ndarray, shape (components, k × chunk), or DayArray
        C-contiguous. Untouched chunks of a DayArray are missing, and not looked at.
    layout : ShardLayout
        Gives the chunk and the fill value.
    level : int
        Of pcodec, 0 to 12.

    Returns
    -------
    list, per chunk in time, of list, per component, of bytes
        Empty bytes for a chunk in which everything is missing.
    """
    if isinstance(samples, DayArray):
        rows, touched = samples.samples, samples.touched
    else:
        rows = list(samples)
        touched = np.ones((len(rows), samples.shape[1] // layout.chunk), dtype=bool)
    return [
        [
            _compress(row[number * layout.chunk : (number + 1) * layout.chunk], level) if is_touched else b""
            for row, is_touched in zip(rows, column, strict=True)
        ]
        for number, column in enumerate(touched.T)
    ]


def _compress(chunk: Samples, level: int) -> bytes:
    """Compress a chunk; any setting decodes alike, so that the choice is only one of size and time."""
    from pcodec import ChunkConfig, DeltaSpec, ModeSpec, standalone

    if _all_missing(chunk):
        return b""
    order = None if chunk.dtype.kind == "f" else _delta_order(chunk)
    if order is None:
        config = ChunkConfig(compression_level=level)
    else:
        delta = DeltaSpec.try_consecutive(order) if order else DeltaSpec.no_op()
        config = ChunkConfig(compression_level=level, mode_spec=ModeSpec.classic(), delta_spec=delta)
    compressed: bytes = standalone.simple_compress(chunk, config)
    return compressed


def _delta_order(chunk: Samples) -> int | None:
    """
    Choose how often to difference, by the size of the differences in some places.

    pcodec would try all of it on all of the chunk, which takes a third more time and gains a thousandth.
    None leaves the choice to it: where all samples are multiples of some number.
    """
    length = len(chunk) // _PROBES
    steps = chunk[: length * _PROBES].reshape(_PROBES, length)[:, :_PROBE_SAMPLES].astype(np.int64)
    if steps.size < _PROBES * 8 or np.gcd.reduce(steps, axis=None) != 1:
        return None
    costs = []
    for cost in _ORDER_COSTS:
        costs.append(cost * float(np.abs(steps[:, len(_ORDER_COSTS) :]).sum()))
        steps = steps[:, 1:] - steps[:, :-1]
    return int(np.argmin(costs))


def _all_missing(chunk: Samples) -> bool:
    if chunk.dtype.kind == "f":
        return bool(np.isnan(chunk[0])) and bool(np.isnan(chunk).all())
    missing = np.iinfo(np.int32).min
    return bool(chunk[0] == missing) and bool((chunk == missing).all())


def pack(chunks: Sequence[Sequence[bytes]], layout: ShardLayout) -> tuple[bytes, Edges]:
    """
    Put compressed chunks and their index together.

    Parameters
    ----------
    chunks : sequence, per chunk in time, of sequence, per component, of bytes
        As from `encode_span`.
    layout : ShardLayout
        Must have as many chunks.

    Returns
    -------
    data, edges : bytes, Edges
        The shard, and what a reader of its ends must know.
    """
    index = np.full((layout.components, layout.chunks, 2), _ABSENT, dtype="<u8")
    parts: list[bytes] = []
    offset = 0
    for number, time_slice in enumerate(chunks):
        for component, chunk in enumerate(time_slice):
            if chunk:
                index[component, number] = offset, len(chunk)
                parts.append(chunk)
                offset += len(chunk)
    body = index.tobytes()
    parts += [body, google_crc32c.value(body).to_bytes(_CRC_BYTES, "little")]
    tail = sum(len(chunk) for chunk in chunks[-1]) + layout.index_bytes
    return b"".join(parts), Edges(tuple(len(chunk) for chunk in chunks[0]), tail)


def parse_index(data: bytes, layout: ShardLayout, where: str) -> NDArray[np.uint64]:
    """
    Read the index from the last bytes of a shard.

    Returns
    -------
    ndarray of uint64, shape (components, chunks, 2)
        Offset and size; the largest number where a chunk is missing altogether.

    Raises
    ------
    FormatError
        If the checksum does not match.
    """
    body = data[-layout.index_bytes : -_CRC_BYTES]
    stated = int.from_bytes(data[-_CRC_BYTES:], "little")
    if len(body) != layout.index_bytes - _CRC_BYTES or google_crc32c.value(body) != stated:
        raise FormatError(f"{where}: the index of this shard does not match its checksum")
    return np.frombuffer(body, dtype="<u8").reshape(layout.components, layout.chunks, 2)


def unpack(data: bytes, layout: ShardLayout, where: str) -> list[list[bytes]]:
    """Take a shard apart into its compressed chunks, the inverse of `pack`."""
    index = parse_index(data, layout, where)
    return [
        [_chunk(data, index[component, number], 0) for component in range(layout.components)]
        for number in range(layout.chunks)
    ]


def _chunk(data: bytes, entry: NDArray[np.uint64], base: int) -> bytes:
    offset, size = entry
    return b"" if offset == _ABSENT else data[int(offset) - base : int(offset) - base + int(size)]


def decode_chunks(
    chunks: Sequence[Sequence[bytes]],
    first: int,
    start: int,
    stop: int,
    layout: ShardLayout,
    out: Samples,
    where: str,
) -> None:
    """
    Decompress chunks into the part of an array that they cover.

    Parameters
    ----------
    chunks : per chunk in time from number ``first``, per row of ``out``, bytes
        Empty for a chunk in which everything is missing.
    first : int
        Number of the first chunk in the shard.
    start, stop : int
        Samples of the shard that ``out`` holds.
    layout : ShardLayout
        Shape of the shard.
    out : ndarray, shape (rows, stop - start)
        Written; rows must be contiguous.
    where : str
        Named in errors.
    """
    parts = []
    for number, time_slice in enumerate(chunks, start=first):
        begin, end = number * layout.chunk, (number + 1) * layout.chunk
        low, high = max(begin, start), min(end, stop)
        for row, chunk in zip(out, time_slice, strict=True):
            target = row[low - start : high - start]
            if chunk:
                parts.append((chunk, low - begin, target))
            else:
                target[...] = layout.fill
    spread(lambda part: _decode(*part, layout, where), parts, least=_CHUNKS_PER_THREAD)


def _decode(chunk: bytes, skipped: int, target: Samples, layout: ShardLayout, where: str) -> None:
    """Decompress a chunk into an array that begins some samples after it, and may end before it."""
    if len(target) == layout.chunk:
        _decompress(chunk, target, where)
    else:
        whole = np.empty(layout.chunk, layout.dtype)
        _decompress(chunk, whole, where)
        target[...] = whole[skipped : skipped + len(target)]


def _decompress(chunk: bytes, target: Samples, where: str) -> None:
    from pcodec import standalone

    try:
        progress = standalone.simple_decompress_into(chunk, target)
    except RuntimeError as error:
        raise FormatError(f"{where}: a chunk of {len(chunk)} bytes does not decompress: {error}") from error
    if progress.n_processed != len(target) or not progress.finished:
        raise FormatError(f"{where}: a chunk holds {progress.n_processed} samples, not {len(target)}")


def read_span(
    store: ObjectStore,
    key: str,
    layout: ShardLayout,
    start: int,
    stop: int,
    out: Samples,
    *,
    rows: Sequence[int],
    edges: Edges | None = None,
) -> None:
    """
    Read some samples of a shard with as few requests as can be; a missing shard is all missing.

    A whole shard is one request, and so are its first or its last chunks where ``edges`` are known; any
    other span takes one for the index and one for the chunks.

    Parameters
    ----------
    store, key : ObjectStore, str
        Where the shard lies.
    layout : ShardLayout
        Its shape.
    start, stop : int
        Samples of the shard to read.
    out : ndarray, shape (rows, stop - start)
        Written.
    rows : sequence of int
        Components to read.
    edges : Edges, optional
        If known. Wrong ones (the shard was written again meanwhile) are noticed, and cost a request.
    """
    first, last = start // layout.chunk, (stop - 1) // layout.chunk
    try:
        if edges is not None and last == 0 < layout.chunks - 1:
            chunks = _read_head(store, key, edges, rows)
            try:
                decode_chunks([chunks], 0, start, stop, layout, out, key)
            except FormatError:
                edges = None
            else:
                return
        fetched = _read_chunks(store, key, layout, first, last, rows, edges)
    except FileNotFoundError:
        out[...] = layout.fill
        return
    decode_chunks(fetched, first, start, stop, layout, out, key)


def _read_head(store: ObjectStore, key: str, edges: Edges, rows: Sequence[int]) -> list[bytes]:
    ends = np.cumsum((0, *edges.head)).tolist()
    data = store.read_range(key, 0, ends[max(rows) + 1])
    return [data[ends[row] : ends[row + 1]] for row in rows]


def _read_chunks(
    store: ObjectStore,
    key: str,
    layout: ShardLayout,
    first: int,
    last: int,
    rows: Sequence[int],
    edges: Edges | None,
) -> list[list[bytes]]:
    """Fetch the compressed chunks of a range of time: whole, by the tail, or after reading the index."""
    base: int | None = 0
    if first == 0 and last == layout.chunks - 1:
        data = store.read(key)
    elif edges is not None and first == last == layout.chunks - 1:
        data = store.read_tail(key, edges.tail)
        base = None
    else:
        data = store.read_tail(key, layout.index_bytes)
        base = None
    index = parse_index(data, layout, key)
    wanted = index[list(rows), first : last + 1]
    present = wanted[..., 0] != _ABSENT
    if not present.any():
        return [[b""] * len(rows) for _ in range(first, last + 1)]
    begin = int(wanted[..., 0][present].min())
    end = int((wanted[..., 0] + wanted[..., 1])[present].max())
    if base is None:
        base = _end_of_chunks(index) + layout.index_bytes - len(data)
        if begin < base:
            data, base = store.read_range(key, begin, end - begin), begin
    return [
        [_chunk(data, wanted[row, number], base) for row in range(len(rows))]
        for number in range(last - first + 1)
    ]


def _end_of_chunks(index: NDArray[np.uint64]) -> int:
    present = index[..., 0] != _ABSENT
    return int((index[..., 0] + index[..., 1])[present].max())
