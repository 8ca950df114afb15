"""
SAC: one evenly spaced trace in single precision, behind a header of 632 bytes.

Numbers of a header are in single precision, too: the shortest decimal that gives one is what was meant (a
spacing of 0.004 s, not 0.004000000189989805). Version 7 repeats those that matter in double precision
after the samples. Our own, since obspy's rounds the spacing to microseconds, and does not come back from some
broken headers.
"""

from __future__ import annotations

import datetime as dt
import math
import struct

import numpy as np

from pipeline.archive.pieces import Span
from pipeline.archive.readers.columns import PieceFile, content_of
from pipeline.archive.readers.mapping import SourceRule
from pipeline.archive.readers.protocol import Problem, SourceFile
from pipeline.archive.readers.traces import Trace, pieces_of_traces
from pipeline.errors import SourceError

__all__ = ["SacReader"]

_HEADER_BYTES = 632
_DELTA, _BEGIN = 0, 5  # words of four bytes
_TIME, _VERSION, _SAMPLES, _TYPE, _IS_EVEN = 70, 76, 79, 85, 105
_TIME_SERIES = 1
_NAMES = {"network": 608, "station": 440, "location": 464, "channel": 600}
_UNDEFINED = "-12345"
_DOUBLES_FROM = 7  # the version, and in which order: spacing, begin, …
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MOST_S = 1e9  # from the reference time to the first sample


class SacReader:
    """Opens SAC."""

    name = "SAC"

    def accepts(self, head: bytes, name: str, rule: SourceRule | None) -> bool:  # noqa: ARG002
        """See `Reader.accepts`: the version, and a count and a spacing that can be, in one order of bytes."""
        return _order(head) is not None

    def open(self, data: bytes, rule: SourceRule | None) -> SourceFile:
        """See `Reader.open`."""
        order = _order(data[:512])
        if order is None or len(data) < _HEADER_BYTES:
            raise SourceError(f"truncated file: {len(data)} bytes, a header has {_HEADER_BYTES}")
        problems: list[Problem] = []
        pieces = pieces_of_traces([_trace(data, order, problems)], rule, problems)
        return PieceFile(content_of(pieces, problems), pieces)

    def peek(self, head: bytes, tail: bytes, size: int) -> Span | None:  # noqa: ARG002
        """See `Reader.peek`: a header is as soon read."""
        return None


def _order(head: bytes) -> str | None:
    if len(head) < 4 * (_SAMPLES + 1):
        return None
    for order in "<>":
        version, samples = _whole(head, order, _VERSION), _whole(head, order, _SAMPLES)
        if version in (6, _DOUBLES_FROM) and samples > 0 and struct.unpack_from(f"{order}f", head)[0] > 0:
            return order
    return None


def _whole(data: bytes, order: str, word: int) -> int:
    return int(struct.unpack_from(f"{order}i", data, 4 * word)[0])


def _trace(data: bytes, order: str, problems: list[Problem]) -> Trace:
    kind = _whole(data, order, _TYPE)
    if kind != _TIME_SERIES or not _whole(data, order, _IS_EVEN):
        raise SourceError(f"corrupt file: SAC: its type is {kind}, not that of an evenly spaced time series")
    stated = _whole(data, order, _SAMPLES)
    there = min(stated, (len(data) - _HEADER_BYTES) // 4)
    if there < stated:
        problems.append(Problem("truncated file", f"{there} of {stated} samples"))
    samples = np.frombuffer(data, f"{order}f4", there, _HEADER_BYTES)
    delta_s, begin_s = _spacing_and_begin(data, order, _HEADER_BYTES + 4 * stated)
    if not (0 < delta_s < math.inf and abs(begin_s) < _MOST_S):
        raise SourceError(f"corrupt file: SAC: a spacing of {delta_s} s, a begin of {begin_s} s")
    name = ".".join(_name(data[at : at + 8]) for at in _NAMES.values())
    return Trace(name, _reference_ns(data, order) + round(begin_s * 1e9), 1 / delta_s, samples)


def _spacing_and_begin(data: bytes, order: str, footer: int) -> tuple[float, float]:
    if _whole(data, order, _VERSION) == _DOUBLES_FROM and len(data) >= footer + 16:
        delta_s, begin_s = struct.unpack_from(f"{order}2d", data, footer)
        return float(delta_s), float(begin_s)
    single = np.frombuffer(data, f"{order}f4", _BEGIN + 1)
    return float(str(single[_DELTA])), float(str(single[_BEGIN]))


def _reference_ns(data: bytes, order: str) -> int:
    """Return the time from which all others of the header are counted."""
    fields = tuple(_whole(data, order, _TIME + i) for i in range(6))
    year, day, hour, minute, second, millisecond = fields
    try:
        moment = dt.datetime(year, 1, 1, hour, minute, second, tzinfo=dt.UTC) + dt.timedelta(days=day - 1)
    except (ValueError, OverflowError) as error:
        raise SourceError(f"corrupt file: SAC: no reference time: {fields}") from error
    in_year = 1 <= day <= 366 and 1900 <= year < 2200 and 0 <= millisecond < 1000
    if not in_year:
        raise SourceError(f"corrupt file: SAC: no reference time: {fields}")
    return (moment - _EPOCH) // dt.timedelta(microseconds=1) * 1000 + millisecond * 1_000_000


def _name(field: bytes) -> str:
    text = field.split(b"\0")[0].decode("ascii", "replace").strip()
    return "" if text == _UNDEFINED else text
