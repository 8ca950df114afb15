"""
One record as libmseed understands it: miniSEED 3, and what the run of like records leaves.

A record of miniSEED 3 states a checksum. Where it does not hold, the length that the record states may be
wrong as well, and the next sound record is looked for inside it.
"""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.readers.miniseed_marks import VERSION_3, holds_another, looks_like_header
from pipeline.archive.readers.miniseed_table import HEADER, Collector
from pipeline.archive.readers.protocol import Problem
from pipeline.archive.readers.steim import STEIM1

__all__ = ["take_single"]

_MAX_RECORD = 10 * 1024 * 1024
_MAX_SAMPLES = 2**31 - 1
_MAX_EXTRA = 1000


def take_single(data: bytes, position: int, collector: Collector) -> int:
    """Append one record as libmseed understands it; return its length, 0 if it does not."""
    if not looks_like_header(data, position):
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
    if record.formatversion == 2 and holds_another(data, position, record.reclen):
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

    end = position + length + len(VERSION_3) - 1
    at = data.find(VERSION_3, position + 1, end)
    while at >= 0:
        with contextlib.suppress(pymseed.PymseedError):
            pymseed.MS3Record().parse_into(memoryview(data)[at : at + _MAX_RECORD], unpack_data=False)
            return at - position
        at = data.find(VERSION_3, at + 1, end)
    pymseed.clear_error_messages()
    return length


def _row_of(record: Any, position: int, collector: Collector) -> NDArray[Any]:
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
    row["encoding"] = record.encoding if record.encoding >= 0 else STEIM1
    row["rank"] = record.pubversion
    row["swap"] = record.swapflag_dict()["payload_swapped"]
    row["timing_quality"] = int(extra("Time/Quality"))
    row["clipped"] = extra("Flags/DigitizerClipping") > 0 or extra("Flags/AmplifierSaturation") > 0
    row["leap"] = extra("Time/LeapSecond") > 0
    row["channel"] = collector.channel(identifier.encode(), name)
    row["resolution_ns"] = 1 if record.formatversion == 3 else 1000
    return row
