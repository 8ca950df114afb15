"""
Samples of records, each to its place in one array.

Steim is decoded by our own decoder, integers of 24 bits, which libmseed does not know, by numpy, and all else
by libmseed.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.pieces import Samples
from pipeline.archive.readers.protocol import Allocate, Problem
from pipeline.archive.readers.steim import STEIM1, STEIM2, decode_steim

__all__ = ["DTYPES", "KINDS", "decode_records"]

_INT24 = 2
DTYPES = {1: "int32", _INT24: "int32", 3: "int32", 4: "float32", 5: "float64", 10: "int32", 11: "int32"}
"""Sample type of each encoding that is decoded."""
DTYPES |= dict.fromkeys((16, 30, 32), "int32")  # CDSN, SRO, DWWSSN
DTYPES |= dict.fromkeys((12, 13, 14), "float32")  # GEOSCOPE
_TYPE_LETTER = {"int32": b"i", "float32": b"f", "float64": b"d"}
KINDS = np.array([sorted(_TYPE_LETTER).index(DTYPES.get(encoding, "int32")) for encoding in range(256)])
"""A number for each sample type, by encoding."""


def decode_records(
    data: bytes, rows: NDArray[Any], allocate: Allocate, problems: list[Problem]
) -> tuple[Samples, NDArray[np.bool_]]:
    """Decode records into one array, and tell which of them decoded."""
    counts = rows["samples"].astype(np.int64)
    samples: Any = allocate(int(counts.sum()), DTYPES[int(rows["encoding"][0])])
    encoding = int(rows["encoding"][0])
    if encoding in (STEIM1, STEIM2) and (rows["encoding"] == encoding).all() and rows["swap"].all():
        starts = rows["offset"] + rows["payload"]
        stops = rows["offset"] + rows["length"]
        buffer = np.frombuffer(data, dtype=np.uint8)
        good = decode_steim(buffer, starts, stops, counts, encoding, samples)
    else:
        good = np.zeros(len(rows), dtype=bool)
        _decode_24_bits(data, rows, samples, good)
    left = np.flatnonzero(~good)
    if len(left):
        _decode_by_libmseed(data, rows, left, samples, good, problems)
    samples.flags.writeable = False
    return samples, good


def _decode_24_bits(data: bytes, rows: NDArray[Any], samples: Samples, good: NDArray[np.bool_]) -> None:
    """Decode integers of three bytes, where as many are there as a record states."""
    ends = np.cumsum(rows["samples"].astype(np.int64))
    for number in np.flatnonzero(rows["encoding"] == _INT24):
        row, count = rows[number], int(rows["samples"][number])
        if row["payload"] + 3 * count > row["length"]:
            continue
        packed = np.frombuffer(data, np.uint8, 3 * count, int(row["offset"]) + int(row["payload"]))
        is_big = bool(row["swap"]) == (sys.byteorder == "little")
        # The upper three bytes of four: shifted down, they keep their sign.
        words = np.zeros((count, 4), dtype=np.uint8)
        words[:, slice(0, 3) if is_big else slice(1, 4)] = packed.reshape(count, 3)
        samples[ends[number] - count : ends[number]] = words.view(">i4" if is_big else "<i4")[:, 0] >> 8
        good[number] = True


def _decode_by_libmseed(
    data: bytes,
    rows: NDArray[Any],
    chosen: NDArray[np.int64],
    samples: Samples,
    good: NDArray[np.bool_],
    problems: list[Problem],
) -> None:
    """Decode some records, each to its place, and say what is wrong with those that can't be."""
    from pymseed import clear_error_messages, clibmseed, ffi

    letter = ffi.new("char *", _TYPE_LETTER[samples.dtype.name])
    source, target = ffi.from_buffer(data), ffi.from_buffer(samples)
    decode, null, size = clibmseed.ms_decode_data, ffi.NULL, samples.itemsize
    counts = rows["samples"].astype(np.int64)
    positions = ((np.cumsum(counts) - counts) * size)[chosen].tolist()
    columns = ("offset", "payload", "length", "encoding", "samples", "swap")
    fields = zip(*(rows[name][chosen].tolist() for name in columns), strict=True)
    for number, position, field in zip(chosen.tolist(), positions, fields, strict=True):
        offset, payload, length, encoding, count, swap = field
        decoded = decode(
            source + offset + payload, length - payload, encoding, count, target + position, count * size,
            letter, swap, null, 0,
        )  # fmt: skip
        good[number] = decoded == count
        if decoded != count:
            detail = f"record at offset {offset}: {max(0, decoded)} of {count} samples decode"
            problems.append(Problem("corrupt record", detail))
    clear_error_messages()
    _check_steim(data, rows, samples, good, problems)


def _check_steim(
    data: bytes, rows: NDArray[Any], samples: Samples, good: NDArray[np.bool_], problems: list[Problem]
) -> None:
    """Compare the last sample of each Steim record with the one that its first frame states."""
    steim = good & np.isin(rows["encoding"], (STEIM1, STEIM2))
    if not steim.any():
        return
    last = samples[np.cumsum(rows["samples"].astype(np.int64)) - 1]
    at = rows["offset"] + rows["payload"] + 8
    stated_bytes = np.frombuffer(data, np.uint8)[np.minimum(at[:, None] + np.arange(4), len(data) - 1)]
    stated = np.ascontiguousarray(stated_bytes).view(np.int32)[:, 0]
    stated = np.where(rows["swap"], stated.byteswap(), stated)
    for number in np.flatnonzero(steim & (last != stated)):
        good[number] = False
        detail = (
            f"record at offset {rows['offset'][number]}: its last sample decodes to {last[number]}, "
            f"its header states {stated[number]}"
        )
        problems.append(Problem("corrupt record", detail))
