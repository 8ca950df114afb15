"""
What obspy reads for us: SEISAN, GCF, RefTek, K-NET and ASCII.

A format is known by its first bytes here, and obspy is told which of its readers to use: its own guessing
tries thirty, one of which unpickles. Those were taken that raise on a broken file, and none that ends the
process. Names, times and rates are those of the header; where a header names no station or channel, or a
wrong one, the map has the right one by the name that obspy gives (``.PB01..BHZ``).
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Callable

from pipeline.archive.pieces import Span
from pipeline.archive.readers.columns import PieceFile, content_of
from pipeline.archive.readers.mapping import SourceRule
from pipeline.archive.readers.protocol import Problem, SourceFile
from pipeline.archive.readers.traces import Trace, pieces_of_traces
from pipeline.errors import SourceError

__all__ = ["SEISMIC_READERS", "SeismicReader"]

_ASCII = re.compile(rb"TIMESERIES [^\n]*? (SLIST|TSPAIR), ")
_COUNTED = ("SLIST", "TSPAIR")
_COUNT = re.compile(rb"^TIMESERIES [^\n]*?, (\d+) samples", re.MULTILINE)
_REFTEK_PACKETS = (b"AD", b"CD", b"DS", b"DT", b"EH", b"ET", b"FD", b"OM", b"SC", b"SH")


class SeismicReader:
    """
    Opens one of obspy's formats.

    Parameters
    ----------
    name : str
        As obspy calls it.
    is_head : callable
        Tells by the first bytes and the name.
    """

    def __init__(self, name: str, is_head: Callable[[bytes, str], bool]) -> None:
        self.name = name
        self._is_head = is_head

    def accepts(self, head: bytes, name: str, rule: SourceRule | None) -> bool:  # noqa: ARG002
        """See `Reader.accepts`."""
        return self._is_head(head, name)

    def open(self, data: bytes, rule: SourceRule | None) -> SourceFile:
        """See `Reader.open`."""
        from obspy import read

        try:
            found = read(io.BytesIO(data), format=self.name)
        except Exception as error:  # a broken file makes obspy raise anything
            raise SourceError(f"corrupt file: {self.name}: {type(error).__name__}: {error}") from error
        if self.name in _COUNTED:
            _check_count(data, sum(len(t.data) for t in found))
        problems: list[Problem] = []
        traces = [Trace(t.id, t.stats.starttime.ns, float(t.stats.sampling_rate), t.data) for t in found]
        pieces = pieces_of_traces(traces, rule, problems)
        return PieceFile(content_of(pieces, problems), pieces)

    def peek(self, head: bytes, tail: bytes, size: int) -> Span | None:  # noqa: ARG002
        """See `Reader.peek`: the ends do not tell."""
        return None


def _check_count(data: bytes, there: int) -> None:
    """Refuse text that breaks off, which obspy takes as it is: its last number may have lost digits."""
    stated = sum(int(number) for number in _COUNT.findall(data))
    if there != stated or not data.endswith(b"\n"):
        raise SourceError(f"truncated file: its headers state {stated} samples, {there} are there")


def _is_seisan(head: bytes, _: str) -> bool:
    """Tell by the lengths before and after the first line, which has 80 characters."""
    marks = (struct.pack("<i", 80), struct.pack(">i", 80))
    return len(head) > 88 and head[:4] in marks and head[84:88] == head[:4]


def _is_ascii(form: bytes) -> Callable[[bytes, str], bool]:
    def is_head(head: bytes, _: str) -> bool:
        found = _ASCII.match(head)
        return found is not None and found[1] == form

    return is_head


def _is_reftek(head: bytes, _: str) -> bool:
    """Tell by the type of the first packet, and by its year and unit in decimal nibbles."""
    return head[:2] in _REFTEK_PACKETS and all(b >> 4 < 10 and b & 15 < 10 for b in head[2:4] + head[6:14])


SEISMIC_READERS = (
    SeismicReader("SEISAN", _is_seisan),
    SeismicReader("SLIST", _is_ascii(b"SLIST")),
    SeismicReader("TSPAIR", _is_ascii(b"TSPAIR")),
    SeismicReader("KNET", lambda head, _: head.startswith(b"Origin Time ")),
    SeismicReader("REFTEK130", _is_reftek),
    SeismicReader("GCF", lambda _, name: name.lower().endswith(".gcf")),
)
