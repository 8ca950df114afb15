"""Packing: samples to miniSEED records, and where an SDS tree keeps them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from pipeline.archive.pieces import Samples
from pipeline.keys import Channel

__all__ = ["RECORD_BYTES", "DayFile", "pack_records", "sds_path"]

RECORD_BYTES = 512
_STEIM2_LIMIT = 1 << 29
_TYPES = {"int32": ("i", "INT32"), "float32": ("f", "FLOAT32"), "float64": ("d", "FLOAT64")}


@dataclass(frozen=True, slots=True)
class DayFile:
    """The miniSEED records of one channel and day."""

    channel: Channel
    day: dt.date
    data: bytes


def sds_path(channel: Channel, day: dt.date) -> str:
    """
    Return the path of a channel and day in a SeisComP data structure.

    >>> sds_path(Channel.parse("CX.PB01..HHZ"), dt.date(2014, 5, 1))
    '2014/CX/PB01/HHZ.D/CX.PB01..HHZ.D.2014.121'
    """
    name = f"{channel}.D.{day.year:04d}.{day.timetuple().tm_yday:03d}"
    return f"{day.year:04d}/{channel.network}/{channel.station}/{channel.code}.D/{name}"


def pack_records(
    channel: Channel,
    samples: Samples,
    start_ns: int,
    rate_hz: float,
    rank: int,
    version: int = 2,
    *,
    record_bytes: int = RECORD_BYTES,
    plain: bool = False,
) -> bytes:
    """
    Pack contiguous samples into miniSEED records.

    Parameters
    ----------
    channel : Channel
        Named in the records.
    samples : ndarray of int32, float32 or float64, shape (n,)
        Integers become Steim2 where their differences allow it.
    start_ns, rate_hz : int, float
        Time of the first sample, and the rate that the others keep.
    rank : int
        Publication version, or quality (R 1, D 2, Q 3, M 4).
    version : int
        Of miniSEED, 2 or 3.
    record_bytes : int
        Length of a record.
    plain : bool
        Whether to leave samples uncompressed.

    Examples
    --------
    >>> data = pack_records(Channel.parse("SY.A..BHZ"), np.arange(999, dtype=np.int32), 0, 20.0, 2)
    >>> len(data), data[6:20]
    (1024, b'D A      BHZSY')
    """
    if not len(samples):
        return b""
    from pymseed import DataEncoding, MS3Record, nslc2sourceid

    letter, encoding = _TYPES[samples.dtype.name]
    if letter == "i" and not plain and _fits_steim2(samples):
        encoding = "STEIM2"
    record = MS3Record()
    record.sourceid = nslc2sourceid(channel.network, channel.station, channel.location, channel.code)
    record.formatversion = version
    record.reclen = record_bytes
    record.pubversion = rank
    record.encoding = DataEncoding[encoding]
    record.samprate = rate_hz
    record.starttime = start_ns
    return b"".join(record.generate(np.ascontiguousarray(samples), letter))


def _fits_steim2(samples: Samples) -> bool:
    if len(samples) < 2:
        return abs(int(samples[0])) < _STEIM2_LIMIT
    return int(np.abs(np.diff(samples.astype(np.int64))).max()) < _STEIM2_LIMIT
