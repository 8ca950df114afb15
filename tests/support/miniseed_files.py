"""Write miniSEED for tests, record by record, with pymseed: nothing of the code under test."""

from __future__ import annotations

from typing import Any

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


def clocked_records(
    samples: Any, times_ns: Any, rate_hz: float, *, per_record: int = 100, **options: Any
) -> bytes:
    """Pack every so many samples into a record of their own that states the time of its first sample."""
    return b"".join(
        records(samples[at : at + per_record], int(times_ns[at]), rate_hz, record_bytes=4096, **options)
        for at in range(0, len(samples), per_record)
    )
