"""Write miniSEED for tests, record by record, with pymseed: nothing of the code under test."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pymseed import DataEncoding, MS3Record, nslc2sourceid

_LETTERS = {"int32": "i", "float32": "f", "float64": "d"}
_PLAIN = {"int32": "INT32", "float32": "FLOAT32", "float64": "FLOAT64"}


def records(
    samples: Any,
    start_ns: int,
    rate_hz: float,
    *,
    channel: str = "XX.TEST..HHZ",
    version: int = 2,
    record_bytes: int = 512,
    encoding: str | None = None,
    rank: int = 2,
) -> bytes:
    """Pack samples at one rate into records whose times libmseed counts on."""
    record = MS3Record()
    record.sourceid = nslc2sourceid(*channel.split("."))
    record.formatversion = version
    record.reclen = record_bytes
    record.pubversion = rank
    record.encoding = DataEncoding[encoding or _PLAIN[samples.dtype.name]]
    record.samprate = rate_hz
    record.starttime = start_ns
    return b"".join(record.generate(np.ascontiguousarray(samples), _LETTERS[samples.dtype.name]))


def records_of_24_bits(
    samples: Any, start_ns: int, rate_hz: float, *, channel: str, order: Literal["big", "little"]
) -> bytes:
    """
    Pack samples as integers of three bytes, which pymseed does not write.

    Records of plain integers are made, and their payloads and what says of them put in place by hand: the
    encoding in byte 52, the order of bytes in byte 53.
    """
    made = bytearray()
    for at in range(0, len(samples), 100):
        part = samples[at : at + 100]
        record = bytearray(records(part, start_ns + round(at * 1e9 / rate_hz), rate_hz, channel=channel))
        payload = int.from_bytes(record[44:46], "big")
        assert record[52:54] == b"\x03\x01"
        record[52:54] = b"\x02\x01" if order == "big" else b"\x02\x00"
        packed = b"".join(int(value).to_bytes(3, order, signed=True) for value in part)
        record[payload:] = packed.ljust(len(record) - payload, b"\0")
        made += record
    return bytes(made)


def clocked_records(
    samples: Any, times_ns: Any, rate_hz: float, *, per_record: int = 100, **options: Any
) -> bytes:
    """Pack every so many samples into a record of their own that states the time of its first sample."""
    return b"".join(
        records(samples[at : at + per_record], int(times_ns[at]), rate_hz, record_bytes=4096, **options)
        for at in range(0, len(samples), per_record)
    )
