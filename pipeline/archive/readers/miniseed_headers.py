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

import contextlib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.grid import DAY_NS
from pipeline.archive.readers.protocol import Problem

__all__ = ["HEADER", "HeaderTable", "holds_record", "is_record", "parse_headers"]

HEADER = np.dtype(
    [
        ("offset", np.int64),  # of the record in the file
        ("length", np.int32),
        ("payload", np.int32),  # offset of the data in the record
        ("samples", np.int32),
        ("start_ns", np.int64),
        ("rate_hz", np.float64),
        ("encoding", np.uint8),
        ("swap", np.bool_),  # the data are not in this machine's byte order
        ("rank", np.uint8),
        ("timing_quality", np.int16),
        ("clipped", np.bool_),
        ("leap", np.bool_),  # a positive leap second lies in this record
        ("channel", np.int32),  # row of HeaderTable.channels
        ("resolution_ns", np.int32),  # how exactly start_ns is stated
    ],
    align=True,
)

FIXED_HEADER = 48
_HEADER_MARK = 8  # bytes that tell a header
RANKS = {ord("R"): 1, ord("D"): 2, ord("Q"): 3, ord("M"): 4}
_RANK_OF_BYTE = np.zeros(256, dtype=np.uint8)
for _quality, _rank in RANKS.items():
    _RANK_OF_BYTE[_quality] = _rank

_TENTH_MS = 100_000
_TIME_CORRECTION_APPLIED = 0x02
_POSITIVE_LEAP = 0x10
_DIGITIZER_CLIPPING = 0x02
_AMPLIFIER_SATURATION = 0x01
_NEXT_HEADER = re.compile(rb"[0-9 \x00]{6}[DRQM][ \x00]|MS\x03")
_CONTROL_HEADER = re.compile(rb"\d{6}[VAST][ *]")
_NOISE_RECORD = re.compile(rb"\d{6} {42}")
_STEIM1 = 10
_MAX_RECORD = 10 * 1024 * 1024
_MAX_POWER = 20
_LEAST_RECORD = 128
_VERSION_3 = b"MS\x03"
_MAX_SAMPLES = 2**31 - 1
_MAX_EXTRA = 1000


@dataclass(slots=True)
class HeaderTable:
    """The records of a file: a row each, the channels they name, and what was wrong."""

    rows: NDArray[Any]
    channels: list[str]
    problems: list[Problem]


@dataclass(slots=True)
class _Collector:
    """Tables of runs in file order, and the names of channels in order of appearance."""

    parts: list[NDArray[Any]] = field(default_factory=list)
    number_of: dict[bytes, int] = field(default_factory=dict)
    channels: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def channel(self, key: bytes, name: str) -> int:
        if key not in self.number_of:
            if not key.isascii():
                detail = f"the codes {key!r} are read as {name}"
                self.problems.append(Problem("codes not ASCII", detail, lost=False))
            if name not in self.channels:
                self.channels.append(name)
            self.number_of[key] = self.channels.index(name)
        return self.number_of[key]


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
    collector = _Collector()
    position, end = 0, len(data)
    buffer = np.frombuffer(data, dtype=np.uint8)
    while position < end:
        taken = _uniform_run(buffer, position, collector) or _single(data, position, collector)
        if not taken:
            position = _torn_off(data, position, collector)
            taken = _skip(data, position, collector)
        position += taken
    rows = np.concatenate(collector.parts) if collector.parts else np.empty(0, dtype=HEADER)
    return HeaderTable(rows, collector.channels, collector.problems)


def _torn_off(data: bytes, position: int, collector: _Collector) -> int:
    """
    Give the last record back if another one begins inside it, and nothing where it ends.

    So it looks when a file that was cut short is followed by another one.
    """
    last = collector.parts[-1] if collector.parts else None
    if last is None or last["offset"][-1] + last["length"][-1] != position:
        return position
    begin = int(last["offset"][-1])
    for match in _NEXT_HEADER.finditer(data, begin + 1, position + _HEADER_MARK):
        if match.start() < position and _looks_like_header(data, match.start()):
            collector.parts[-1:] = [last[:-1]] if len(last) > 1 else []
            return begin
    return position


def is_record(head: bytes) -> bool:
    r"""
    Tell whether a file begins like miniSEED, or like the full SEED volume around it.

    >>> is_record(b"000001D PB01 "), is_record(b"MS\x03"), is_record(b"000001V 0100082"), is_record(b"GIF89a")
    (True, True, True, False)
    """
    return any(kind.match(head) is not None for kind in (_NEXT_HEADER, _CONTROL_HEADER, _NOISE_RECORD))


def holds_record(data: bytes) -> bool:
    """Tell whether something looks like a miniSEED header anywhere in a file."""
    return any(_looks_like_header(data, match.start()) for match in _NEXT_HEADER.finditer(data))


def _skip(data: bytes, position: int, collector: _Collector) -> int:
    """Find the next header and name the bytes before it."""
    match = _NEXT_HEADER.search(data, position + 1)
    while match is not None and not _looks_like_header(data, match.start()):
        match = _NEXT_HEADER.search(data, match.start() + 1)
    following = match.start() if match is not None else len(data)
    skipped = following - position
    if _looks_like_header(data, position):
        detail = f"{skipped} bytes at offset {position} are less than the record that begins there"
        problem = Problem("truncated record", detail)
    elif _CONTROL_HEADER.match(data, position):
        problem = Problem("control headers", f"{skipped} bytes skipped at offset {position}", lost=False)
    elif _NOISE_RECORD.match(data, position) or not data[position:following].strip(b"\x00 "):
        problem = Problem("padding", f"{skipped} empty bytes at offset {position}", lost=False)
    else:
        problem = Problem("not miniSEED", f"{skipped} bytes skipped at offset {position}")
    collector.problems.append(problem)
    return skipped


def _looks_like_header(data: Any, position: int) -> bool:
    if bytes(data[position : position + 3]) == _VERSION_3:
        return len(data) - position >= 40
    if len(data) - position < FIXED_HEADER or _NEXT_HEADER.match(data, position) is None:
        return False
    return _byte_order(np.frombuffer(data, np.uint8, FIXED_HEADER, position)) is not None


def _byte_order(header: NDArray[np.uint8]) -> str | None:
    """Tell the byte order of a fixed header by its year and day, or None where neither makes sense."""
    for order in (">", "<"):
        year, day = header[20:24].view(f"{order}u2")
        if 1900 <= year <= 2100 and 1 <= day <= 366 and header[24] < 24 and header[25] < 60:
            return order
    return None


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
    order = _byte_order(header)
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
        encoding, word_order, power = _STEIM1, -1, _power_to_next(buffer, position)
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
        if _looks_like_header(data, following) or _CONTROL_HEADER.match(data, following):
            return power
    return 0


def _uniform_run(buffer: NDArray[np.uint8], position: int, collector: _Collector) -> int:
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
    if len(records) == 1 and _holds_another(buffer.data, position, shape.length):
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


def _holds_another(data: Any, position: int, length: int) -> bool:
    """Tell whether another record begins inside one: where records can begin, or anywhere of its channel."""
    inside = range(position + _LEAST_RECORD, position + length, _LEAST_RECORD)
    codes = bytes(data[position + 8 : position + 20])
    return any(
        match[0][:2] != _VERSION_3[:2]
        and (match.start() in inside or bytes(data[match.start() + 8 : match.start() + 20]) == codes)
        and _looks_like_header(data, match.start())
        for match in _NEXT_HEADER.finditer(data, position + 1, position + length)
    )


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


def _channels(records: NDArray[np.uint8], collector: _Collector) -> NDArray[np.int32]:
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


def _single(data: bytes, position: int, collector: _Collector) -> int:
    """Append one record as libmseed understands it; return its length, 0 if it does not."""
    if not _looks_like_header(data, position):
        return 0
    import pymseed

    record = pymseed.MS3Record()
    try:
        record.parse_into(memoryview(data)[position : position + _MAX_RECORD], unpack_data=False)
    except pymseed.PymseedError as error:
        pymseed.clear_error_messages()
        if getattr(error, "status_code", None) != pymseed.clibmseed.MS_INVALIDCRC:
            return 0
        length = _length_of_version_3(data, position)
        detail = f"record of {length} bytes at offset {position} does not match its checksum"
        collector.problems.append(Problem("wrong CRC", detail))
        return _to_sound_record(data, position, length)
    if record.formatversion == 2 and _holds_another(data, position, record.reclen):
        return 0
    collector.parts.append(_row_of(record, position, collector))
    return int(record.reclen)


def _length_of_version_3(data: bytes, position: int) -> int:
    """Add up the fixed header, the identifier, the extra headers and the payload."""
    identifier = data[position + 33]
    extra = int.from_bytes(data[position + 34 : position + 36], "little")
    payload = int.from_bytes(data[position + 36 : position + 40], "little")
    return 40 + identifier + extra + payload


def _to_sound_record(data: bytes, position: int, length: int) -> int:
    """Return the way to the first sound record inside a damaged one, whose length may be wrong."""
    import pymseed

    end = position + length + len(_VERSION_3) - 1
    at = data.find(_VERSION_3, position + 1, end)
    while at >= 0:
        with contextlib.suppress(pymseed.PymseedError):
            pymseed.MS3Record().parse_into(memoryview(data)[at : at + _MAX_RECORD], unpack_data=False)
            return at - position
        at = data.find(_VERSION_3, at + 1, end)
    pymseed.clear_error_messages()
    return length


def _row_of(record: Any, position: int, collector: _Collector) -> NDArray[Any]:
    from pymseed import clibmseed, ffi, sourceid2nslc

    offset, size = ffi.new("uint32_t *"), ffi.new("uint32_t *")
    clibmseed.msr3_data_bounds(record._msr, offset, size)  # noqa: SLF001 (no other way to the payload)

    def extra(name: str) -> float:
        """Read a number of the extra headers; -1 where there is none, or none that makes sense."""
        try:
            value = record.get_extra_header(f"/FDSN/{name}") if record.extralength else None
        except ValueError:
            return -1
        return float(value) if isinstance(value, bool | int | float) and abs(value) <= _MAX_EXTRA else -1

    try:
        identifier = record.sourceid
        name = ".".join(sourceid2nslc(identifier))
    except ValueError:  # the reader names it, and leaves its records out
        identifier = name = bytes(ffi.string(record._msr.sid)).decode("ascii", "backslashreplace")  # noqa: SLF001
    row = np.zeros(1, dtype=HEADER)
    row["offset"], row["length"] = position, record.reclen
    row["payload"], row["samples"] = offset[0], min(record.samplecnt, _MAX_SAMPLES)
    row["start_ns"], row["rate_hz"] = record.starttime, record.samprate
    row["encoding"] = record.encoding if record.encoding >= 0 else _STEIM1
    row["rank"] = record.pubversion
    row["swap"] = record.swapflag_dict()["payload_swapped"]
    row["timing_quality"] = int(extra("Time/Quality"))
    row["clipped"] = extra("Flags/DigitizerClipping") > 0 or extra("Flags/AmplifierSaturation") > 0
    row["leap"] = extra("Time/LeapSecond") > 0
    row["channel"] = collector.channel(identifier.encode(), name)
    row["resolution_ns"] = 1 if record.formatversion == 3 else 1000
    return row
