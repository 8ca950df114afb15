"""Packing: samples to miniSEED records, those of a leap second too, and where an SDS tree keeps them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pipeline.archive.pieces import Samples, sample_time_ns
from pipeline.keys import Channel

__all__ = ["RECORD_BYTES", "DayFile", "mark_leap", "pack_records", "sds_path"]

RECORD_BYTES = 512
_STEIM2_LIMIT = 1 << 29
_POSITIVE_LEAP = 0x10
_COUNT_BYTES: dict[int, tuple[slice, Literal["big", "little"]]] = {
    2: (slice(30, 32), "big"),
    3: (slice(24, 28), "little"),
}
"""Where a record of each version holds its number of samples."""
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
    leap_samples: int = 0,
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
    leap_samples : int
        How many of the last samples lie inside a positive leap second, in times that run on as if there were
        none. Records with such samples say so, and one that begins with them has 60 in its seconds
        (miniSEED 2).

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
    packed = _generate(record, samples, letter, start_ns)
    if leap_samples:
        packed = _mark_those_within(packed, len(samples) - leap_samples, version)
    return b"".join(packed)


def _generate(record: Any, samples: Samples, letter: str, start_ns: int) -> Iterator[bytes]:
    """
    Make the records of samples whose times count on as if there were no leap seconds.

    libmseed knows of those: behind a record that runs over one, it takes a second off the times of all
    others. There they begin anew.
    """
    where, order = _COUNT_BYTES[record.formatversion]
    whole: Any = np.ascontiguousarray(samples)
    record.starttime, count, begin = start_ns, len(samples), 0
    while _takes_a_second_off(record.starttime, count - begin, record.samprate):
        made = 0
        for packed in record.generate(whole[begin:], letter):
            yield packed
            made += int.from_bytes(packed[where], order)
            if _takes_a_second_off(record.starttime, made, record.samprate):
                break
        begin += made
        record.starttime = sample_time_ns(start_ns, record.samprate, begin)
    if begin < count:
        yield from record.generate(whole[begin:], letter)


def _takes_a_second_off(start_ns: int, count: int, rate_hz: float) -> bool:
    """Tell whether libmseed finds a leap second before the end of some samples."""
    from pymseed import clibmseed

    counted_on = sample_time_ns(start_ns, rate_hz, count)
    return bool(abs(clibmseed.ms_sampletime(start_ns, count, rate_hz) - counted_on) > 5e8)


def mark_leap(record: bytes, version: int, *, begins_inside: bool = False) -> bytes:
    """Say in the header of one record that a positive leap second lies in it."""
    if version == 3:
        from pymseed import MS3Record

        parsed = MS3Record.parse(record, unpack_data=True)
        parsed.set_extra_header("/FDSN/Time/LeapSecond", 1)
        return b"".join(parsed.generate())
    patched = bytearray(record)
    patched[36] |= _POSITIVE_LEAP
    if begins_inside:
        # 00:00:00.x of the next day is how POSIX time reads 23:59:60.x.
        year, day = (int.from_bytes(patched[at : at + 2], "big") for at in (20, 22))
        evening = dt.date(year, 1, 1) + dt.timedelta(days=day - 2)
        patched[20:22] = evening.year.to_bytes(2, "big")
        patched[22:24] = evening.timetuple().tm_yday.to_bytes(2, "big")
        patched[24:27] = bytes((23, 59, 60))
    return bytes(patched)


def _mark_those_within(records: Iterable[bytes], first_inside: int, version: int) -> Iterator[bytes]:
    """Mark the records that hold any sample from a given one on."""
    where, order = _COUNT_BYTES[version]
    begin = 0
    for record in records:
        end = begin + int.from_bytes(record[where], order)
        inside = end > first_inside
        yield mark_leap(record, version, begins_inside=begin >= first_inside) if inside else record
        begin = end


def _fits_steim2(samples: Samples) -> bool:
    if len(samples) < 2:
        return abs(int(samples[0])) < _STEIM2_LIMIT
    return int(np.abs(np.diff(samples.astype(np.int64))).max()) < _STEIM2_LIMIT
