"""
GSE 1: waveforms in text, one section for each, laid out by columns.

::

    WID1  2003323 01 16 59 990     3000 LE0083 M88-SCAL  z 124.9999924 NOTYPE CMP6 2
    16.0000001 1.0000    0.0000    0.0000    0.0000 -999.0000   -1.00   -1.00   -1.0
    DAT1
    ktGUtKAlSWIlGUSMl4W0m8VEIl6W6mIV...
    CHK1       -2455958

A channel has two letters and no network: a map names it (``.LE0083..  Z``, as obspy calls it). Of the
encodings, whole numbers (INTV) and second differences in six-bit characters (CMP6), the last column being the
order of the differences.
"""

from __future__ import annotations

import re

import numpy as np

from pipeline.archive.pieces import Span
from pipeline.archive.readers.columns import PieceFile, content_of
from pipeline.archive.readers.gse_sections import decode_cm6, decode_int, read_samples, traces_of_sections
from pipeline.archive.readers.mapping import SourceRule
from pipeline.archive.readers.protocol import Problem, SourceFile
from pipeline.archive.readers.traces import Trace, pieces_of_traces

__all__ = ["Gse1Reader"]

_SECTION = re.compile(rb"^WID1 [^\r\n]*", re.MULTILINE)
_WID1 = re.compile(
    rb"WID1 (?P<year>[ \d]{5})(?P<day>[ \d]{3}) (?P<hour>[ \d]\d) (?P<minute>[ \d]\d) (?P<second>[ \d]\d) "
    rb"(?P<ms>[ \d]{3}) (?P<samples>[ \d]{7}\d) (?P<station>.{6}) .{8} (?P<channel>.{2}) "
    rb"(?P<rate>[ \d.]{11}) .{6} (?P<encoding>\S{4}) (?P<order>\d)"
)
_DATA = re.compile(rb"^DAT1[ \t]*\r?\n", re.MULTILINE)
_CHECKSUM = re.compile(rb"^CHK1\s+[+-]?(\d+)\s*$", re.MULTILINE)
_DECODERS = {("CMP6", 2): decode_cm6, ("INTV", 0): decode_int}


class Gse1Reader:
    """Opens GSE 1."""

    name = "GSE1"

    def accepts(self, head: bytes, name: str, rule: SourceRule | None) -> bool:  # noqa: ARG002
        """See `Reader.accepts`."""
        return _SECTION.search(head) is not None

    def open(self, data: bytes, rule: SourceRule | None) -> SourceFile:
        """See `Reader.open`."""
        problems: list[Problem] = []
        traces = list(traces_of_sections(data, _SECTION, _trace, problems))
        pieces = pieces_of_traces(traces, rule, problems)
        return PieceFile(content_of(pieces, problems), pieces)

    def peek(self, head: bytes, tail: bytes, size: int) -> Span | None:  # noqa: ARG002
        """See `Reader.peek`: the ends do not tell."""
        return None


def _trace(section: bytes) -> tuple[Trace, list[tuple[str, str]]]:
    """Read one section; ValueError where it can't be told what it holds, or nothing of it can be trusted."""
    header, start = _WID1.match(section), _DATA.search(section)
    if header is None:
        raise ValueError("the line WID1 is not laid out as it should be")
    if start is None:
        raise ValueError("no line DAT1 follows")
    encoding = header["encoding"].decode("ascii", "replace"), int(header["order"])
    if encoding not in _DECODERS:
        known = ", ".join(f"{name} {order}" for name, order in _DECODERS)
        raise ValueError(f"the encoding is {encoding[0]} {encoding[1]}; readable are {known}")
    checksum = _CHECKSUM.search(section, start.end())
    samples, trouble = read_samples(
        section, start.end(), checksum, int(header["samples"]), _DECODERS[encoding]
    )
    station, channel = (header[name].decode("ascii", "replace").strip() for name in ("station", "channel"))
    # With a blank it can't be taken for a code of its own: two letters are a stream of three components.
    return Trace(
        f".{station}..{channel.upper():>3}", _start_ns(header), float(header["rate"]), samples
    ), trouble


def _start_ns(header: re.Match[bytes]) -> int:
    fields = ("year", "day", "hour", "minute", "second", "ms")
    year, day, hour, minute, second, ms = (int(header[field]) for field in fields)
    if not (1900 <= year <= 2100 and 1 <= day <= 366 and hour < 24 and minute < 60 and second <= 60):
        raise ValueError(f"no time: year {year}, day {day}, {hour}:{minute}:{second}")
    january = int(np.datetime64(year - 1970, "Y").astype("datetime64[s]").astype(np.int64))
    of_day = (hour * 60 + minute) * 60 + second
    return (january + (day - 1) * 86_400 + of_day) * 1_000_000_000 + ms * 1_000_000
