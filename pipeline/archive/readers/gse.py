"""
GSE 2 and IMS 1: waveforms in text, one section for each.

::

    WID2 2005/08/31 02:33:49.850 RJOB  Z        CM6    12000  200.000000  1.00e+00 ...
    STA2 BW            12.795 47.737 ...
    DAT2
    MCLdLcCWGtUQ...
    CHK2  8439

How samples are written stands in `gse_sections`. GSE 1 has a line of its own (`gse1`).
"""

from __future__ import annotations

import re

import numpy as np

from pipeline.archive.pieces import Span
from pipeline.archive.readers.columns import PieceFile, content_of
from pipeline.archive.readers.gse_sections import (
    decode_cm6,
    decode_int,
    read_samples,
    traces_of_sections,
)
from pipeline.archive.readers.mapping import SourceRule
from pipeline.archive.readers.protocol import Problem, SourceFile
from pipeline.archive.readers.traces import Trace, pieces_of_traces

__all__ = ["GseReader"]

_SECTION = re.compile(rb"^WID2 [^\r\n]*", re.MULTILINE)
_WID2 = re.compile(
    rb"WID2 (?P<date>\d{4}/\d\d/\d\d) (?P<time>[\d ]\d:[\d ]\d:[\d ]\d(?:\.\d*)?)\s+"
    rb"(?P<station>\S+)\s+(?P<channel>.{3}) .{4} (?P<encoding>\S+)\s+"
    rb"(?P<samples>\d+)\s+(?P<rate>[\d.]+)"
)
_NETWORK = re.compile(rb"^STA2 (\S*)", re.MULTILINE)
_DATA = re.compile(rb"^DAT2[ \t]*\r?\n", re.MULTILINE)
_CHECKSUM = re.compile(rb"^CHK2\s+[+-]?(\d+)\s*$", re.MULTILINE)
_DECODERS = {"CM6": decode_cm6, "INT": decode_int}


class GseReader:
    """Opens GSE 2 and IMS 1."""

    name = "GSE2"

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
    header, start = _WID2.match(section), _DATA.search(section)
    if header is None:
        raise ValueError("the line WID2 is not laid out as it should be")
    if start is None:
        raise ValueError("no line DAT2 follows")
    encoding, stated = header["encoding"].decode("ascii", "replace"), int(header["samples"])
    if encoding not in _DECODERS:
        raise ValueError(f"the encoding is {encoding}; readable are {', '.join(_DECODERS)}")
    checksum = _CHECKSUM.search(section, start.end())
    samples, trouble = read_samples(section, start.end(), checksum, stated, _DECODERS[encoding])
    network = _NETWORK.search(section, 0, start.start())
    codes = (network[1] if network else b"", header["station"], b"", header["channel"])
    name = ".".join(code.decode("ascii", "replace").strip() for code in codes)
    day = np.datetime64(header["date"].decode().replace("/", "-"), "ns").astype(np.int64)
    hours, minutes, seconds = header["time"].split(b":")
    whole, _, fraction = seconds.partition(b".")
    of_day = (int(hours) * 60 + int(minutes)) * 60 + int(whole)
    start_ns = int(day) + of_day * 1_000_000_000 + int(fraction[:9].ljust(9, b"0"))
    return Trace(name, start_ns, float(header["rate"]), samples), trouble
