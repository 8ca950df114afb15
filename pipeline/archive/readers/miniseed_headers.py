"""
Headers of miniSEED records as one table: whole runs of like records at once.

Files are mostly thousands of records of one length and one chain of blockettes. The first of such a run is
parsed, and numpy reads the same bytes of all that follow. What does not fit (miniSEED 3, blockettes that
lead nowhere) goes record by record through libmseed; what is no record at all, such as the control headers
of a full SEED volume, is skipped to the next header, and its bytes are counted.

The layout is that of the SEED manual 2.4, chapter 8: the fixed header of 48 bytes, then blockettes 1000
(encoding, byte order, length), 1001 (timing quality, microseconds) and 100 (actual rate). Records older than
blockette 1000 are Steim1 in the byte order of their header, and end where the next one begins.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.grid import DAY_NS
from pipeline.archive.readers.miniseed_marks import (
    CONTROL_HEADER,
    FIXED_HEADER,
    HEADER_MARK,
    NEXT_HEADER,
    NOISE_RECORD,
    byte_order,
    holds_another,
    looks_like_header,
)
from pipeline.archive.readers.miniseed_single import take_single
from pipeline.archive.readers.miniseed_table import HEADER, Collector, HeaderTable
from pipeline.archive.readers.protocol import Problem
from pipeline.archive.readers.steim import STEIM1

__all__ = ["parse_headers"]

RANKS = {ord("R"): 1, ord("D"): 2, ord("Q"): 3, ord("M"): 4}
_RANK_OF_BYTE = np.zeros(256, dtype=np.uint8)
for _quality, _rank in RANKS.items():
    _RANK_OF_BYTE[_quality] = _rank

_TENTH_MS = 100_000
_TIME_CORRECTION_APPLIED = 0x02
_POSITIVE_LEAP = 0x10
_DIGITIZER_CLIPPING = 0x02
_AMPLIFIER_SATURATION = 0x01
_MAX_POWER = 20


def parse_headers(data: bytes) -> HeaderTable:
    """
    Read the headers of all records of a file.

    Parameters
    ----------
    data : bytes
        A whole miniSEED 2 or 3 file, or what there is of it.

    Returns
    -------
    HeaderTable
        Records in file order. Bytes that belong to none are named in ``problems``.
    """
    collector = Collector()
    position, end = 0, len(data)
    buffer = np.frombuffer(data, dtype=np.uint8)
    while position < end:
        taken = _uniform_run(buffer, position, collector) or take_single(data, position, collector)
        if not taken:
            position = _torn_off(data, position, collector)
            taken = _skip(data, position, collector)
        position += taken
    rows = np.concatenate(collector.parts) if collector.parts else np.empty(0, dtype=HEADER)
    return HeaderTable(rows, collector.channels, collector.problems)


def _torn_off(data: bytes, position: int, collector: Collector) -> int:
    """
    Give the last record back if another one begins inside it, and nothing where it ends.

    So it looks when a file that was cut short is followed by another one.
    """
    last = collector.parts[-1] if collector.parts else None
    if last is None or last["offset"][-1] + last["length"][-1] != position:
        return position
    begin = int(last["offset"][-1])
    for match in NEXT_HEADER.finditer(data, begin + 1, position + HEADER_MARK):
        if match.start() < position and looks_like_header(data, match.start()):
            collector.parts[-1:] = [last[:-1]] if len(last) > 1 else []
            return begin
    return position


def _skip(data: bytes, position: int, collector: Collector) -> int:
    """Find the next header and name the bytes before it."""
    match = NEXT_HEADER.search(data, position + 1)
    while match is not None and not looks_like_header(data, match.start()):
        match = NEXT_HEADER.search(data, match.start() + 1)
    following = match.start() if match is not None else len(data)
    skipped = following - position
    if looks_like_header(data, position):
        detail = f"{skipped} bytes at offset {position} are less than the record that begins there"
        problem = Problem("truncated record", detail)
    elif CONTROL_HEADER.match(data, position):
        problem = Problem("control headers", f"{skipped} bytes skipped at offset {position}", lost=False)
    elif NOISE_RECORD.match(data, position) or not data[position:following].strip(b"\x00 "):
        problem = Problem("padding", f"{skipped} empty bytes at offset {position}", lost=False)
    else:
        problem = Problem("not miniSEED", f"{skipped} bytes skipped at offset {position}")
    collector.problems.append(problem)
    return skipped


@dataclass(frozen=True, slots=True)
class _Shape:
    """What all records of a uniform run have in common."""

    length: int
    order: str
    encoding: int
    swap: bool
    timing: int  # offset of blockette 1001, 0 if there is none
    rate: int  # offset of blockette 100, 0 if there is none
    fixed: tuple[int, ...]  # offsets of bytes that must not change

    @property
    def head(self) -> int:
        """Bytes from the start of a record that hold all of these, in whole words of eight."""
        return min(-(-max(max(self.fixed) + 1, self.timing + 8, self.rate + 8) // 8) * 8, self.length)


def _shape(buffer: NDArray[np.uint8], position: int) -> _Shape | None:
    """Read the first record of a run; None if it needs libmseed's care."""
    header = buffer[position : position + FIXED_HEADER]
    if len(header) < FIXED_HEADER or not _RANK_OF_BYTE[header[6]]:
        return None
    order = byte_order(header)
    if order is None:
        return None
    found: dict[int, int] = {}
    fixed = [39, 46, 47]
    offset = int(header[46:48].view(f"{order}u2")[0])
    for _ in range(int(header[39])):
        if offset < FIXED_HEADER or position + offset + 8 > len(buffer):
            return None
        kind, following = (int(v) for v in buffer[position + offset :][:4].view(f"{order}u2"))
        found.setdefault(kind, offset)
        fixed += range(offset, offset + 4)
        if kind == 1000:
            fixed += range(offset + 4, offset + 7)
        if following and following <= offset:
            return None
        offset = following
    if 1000 in found:
        encoding, word_order, power = (int(v) for v in buffer[position + found[1000] + 4 :][:3])
    else:
        encoding, word_order, power = STEIM1, -1, _power_to_next(buffer, position)
    if not 7 <= power <= _MAX_POWER or position + (1 << power) > len(buffer):
        return None
    if max(*fixed, *(offset + 7 for offset in found.values())) >= 1 << power:
        return None
    # 0 and 1 are all that the manual knows; with any other the data are as the header is.
    big = word_order == 1 if word_order in (0, 1) else order == ">"
    swap = big == (sys.byteorder == "little")
    return _Shape(1 << power, order, encoding, swap, found.get(1001, 0), found.get(100, 0), tuple(fixed))


def _power_to_next(buffer: NDArray[np.uint8], position: int) -> int:
    """Return the length, as a power of two, of a record that does not state it; 0 if nothing follows it."""
    data = buffer.data
    for power in range(7, _MAX_POWER + 1):
        following = position + (1 << power)
        if following >= len(data):
            return power if following == len(data) else 0
        if looks_like_header(data, following) or CONTROL_HEADER.match(data, following):
            return power
    return 0


def _uniform_run(buffer: NDArray[np.uint8], position: int, collector: Collector) -> int:
    """Append the run of like records that begins here; return its bytes, 0 if there is none."""
    shape = _shape(buffer, position)
    if shape is None:
        return 0
    count = (len(buffer) - position) // shape.length
    whole = buffer[position : position + count * shape.length].reshape(count, shape.length)
    # The headers are read many times over: side by side they fit into the processor's cache.
    records = np.ascontiguousarray(whole[:, : shape.head])
    like = _like_the_first(records, shape.fixed)
    like &= _RANK_OF_BYTE[records[:, 6]] > 0
    years = _field(records, 20, f"{shape.order}u2")
    days = _field(records, 22, f"{shape.order}u2")
    like &= (years >= 1900) & (years <= 2100) & (days >= 1) & (days <= 366)
    like &= (records[:, 24] < 24) & (records[:, 25] < 60)
    if not like.all():
        records = records[: int(np.argmin(like))]
    if len(records) == 1 and holds_another(buffer.data, position, shape.length):
        return 0
    rows = np.zeros(len(records), dtype=HEADER)
    rows["offset"] = position + np.arange(len(records), dtype=np.int64) * shape.length
    rows["length"] = shape.length
    rows["encoding"] = shape.encoding
    rows["swap"] = shape.swap
    rows["payload"] = _field(records, 44, f"{shape.order}u2")
    rows["samples"] = _field(records, 30, f"{shape.order}u2")
    rows["rank"] = _RANK_OF_BYTE[records[:, 6]]
    rows["clipped"] = (records[:, 38] & (_DIGITIZER_CLIPPING | _AMPLIFIER_SATURATION)) > 0
    rows["leap"] = ((records[:, 36] & _POSITIVE_LEAP) > 0) | (records[:, 26] >= 60)
    rows["start_ns"], rows["resolution_ns"] = _start_ns(records, shape)
    rows["rate_hz"] = _rate_hz(records, shape)
    rows["timing_quality"] = records[:, shape.timing + 4] if shape.timing else -1
    rows["channel"] = _channels(records, collector)
    collector.parts.append(rows)
    return len(records) * shape.length


def _like_the_first(records: NDArray[np.uint8], fixed: Sequence[int]) -> NDArray[np.bool_]:
    """Tell which records have some bytes in common with the first, eight bytes at a time."""
    mask = np.zeros(records.shape[1], dtype=np.uint8)
    mask[list(fixed)] = 0xFF
    words, first = records.view(np.uint64), records[:1].view(np.uint64)
    like: NDArray[np.bool_] = ((words ^ first) & mask.view(np.uint64) == 0).all(axis=1)
    return like


def _field(records: NDArray[np.uint8], offset: int, dtype: str) -> NDArray[Any]:
    width = np.dtype(dtype).itemsize
    return np.ascontiguousarray(records[:, offset : offset + width]).view(dtype)[:, 0]


def _start_ns(records: NDArray[np.uint8], shape: _Shape) -> tuple[NDArray[np.int64], int]:
    years = _field(records, 20, f"{shape.order}u2").astype(np.int64)
    days = _field(records, 22, f"{shape.order}u2").astype(np.int64)
    january = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    seconds = records[:, 24].astype(np.int64) * 3600 + records[:, 25].astype(np.int64) * 60 + records[:, 26]
    tenths_ms = _field(records, 28, f"{shape.order}u2").astype(np.int64)
    start = (january + days - 1) * DAY_NS + seconds * 1_000_000_000 + tenths_ms * _TENTH_MS
    correction = _field(records, 40, f"{shape.order}i4").astype(np.int64)
    start += np.where(records[:, 36] & _TIME_CORRECTION_APPLIED, 0, correction) * _TENTH_MS
    if not shape.timing:
        return start, _TENTH_MS
    microseconds = records[:, shape.timing + 5].view(np.int8)
    return start + microseconds.astype(np.int64) * 1000, 1000 if microseconds.any() else _TENTH_MS


def _rate_hz(records: NDArray[np.uint8], shape: _Shape) -> NDArray[np.float64]:
    factor = _field(records, 32, f"{shape.order}i2").astype(np.float64)
    multiplier = _field(records, 34, f"{shape.order}i2").astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(factor > 0, factor, -1 / factor) * np.where(
            multiplier > 0, multiplier, -1 / multiplier
        )
    rate = np.where((factor == 0) | (multiplier == 0), 0.0, rate)
    if shape.rate:
        stated = _field(records, shape.rate + 4, f"{shape.order}f4").astype(np.float64)
        rate = np.where(stated > 0, stated, rate)
    return np.asarray(rate, dtype=np.float64)


def _channels(records: NDArray[np.uint8], collector: Collector) -> NDArray[np.int32]:
    """Number the channels of a run: station, location, channel and network stand in bytes 8 to 20."""
    codes = np.ascontiguousarray(records[:, 8:20]).view("V12")[:, 0]
    if (records[:, 8:20] == records[0, 8:20]).all():
        unique, inverse = codes[:1], np.zeros(len(codes), dtype=np.int64)
    else:
        # In order of appearance, so that the numbers do not depend on the names.
        _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
        order = np.argsort(first)
        unique = codes[first[order]]
        inverse = np.argsort(order)[inverse]
    numbers = [collector.channel(bytes(code), _channel_name(bytes(code))) for code in unique]
    return np.asarray(numbers, dtype=np.int32)[inverse]


def _channel_name(code: bytes) -> str:
    station, location, channel, network = (
        part.decode("ascii", "ignore").replace("\x00", "").strip()
        for part in (code[:5], code[5:7], code[7:10], code[10:12])
    )
    return f"{network}.{station}.{location}.{channel}"
