"""
GSE 2 and IMS 1: waveforms in text, one section for each.

::

    WID2 2005/08/31 02:33:49.850 RJOB  Z        CM6    12000  200.000000  1.00e+00 ...
    STA2 BW            12.795 47.737 ...
    DAT2
    MCLdLcCWGtUQ...
    CHK2  8439

Of the encodings, the two in use: whole numbers (INT), and second differences in six-bit characters (CM6), of
which one bit says that the number goes on and one of the first that it is negative. obspy's decoder, written
in C, ends the process on a file that breaks off; hence our own. A section whose checksum does not hold is
lost; of a checksum not all programs write the sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.pieces import Span
from pipeline.archive.readers.columns import PieceFile, content_of
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
_CHARACTERS = b"+-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CODES = np.full(256, 255, dtype=np.uint8)
_CODES[np.frombuffer(_CHARACTERS, dtype=np.uint8)] = np.arange(64)
_BLANKS = b" \t\r\n"
_GOES_ON, _NEGATIVE = 32, 16
_MOST_CHARACTERS = 7  # of a number of 32 bits
_MODULUS = 100_000_000
_INT32 = np.iinfo(np.int32)


class GseReader:
    """Opens GSE 2 and IMS 1."""

    name = "GSE2"

    def accepts(self, head: bytes, name: str, rule: SourceRule | None) -> bool:  # noqa: ARG002
        """See `Reader.accepts`."""
        return _SECTION.search(head) is not None

    def open(self, data: bytes, rule: SourceRule | None) -> SourceFile:
        """See `Reader.open`."""
        problems: list[Problem] = []
        traces = list(_traces(data, problems))
        pieces = pieces_of_traces(traces, rule, problems)
        return PieceFile(content_of(pieces, problems), pieces)

    def peek(self, head: bytes, tail: bytes, size: int) -> Span | None:  # noqa: ARG002
        """See `Reader.peek`: the ends do not tell."""
        return None


def _traces(data: bytes, problems: list[Problem]) -> Iterator[Trace]:
    starts = [match.start() for match in _SECTION.finditer(data)]
    for number, (begin, end) in enumerate(pairwise([*starts, len(data)]), start=1):
        section = data[begin:end]
        try:
            trace, trouble = _trace(section)
        except ValueError as error:
            line = section[:60].splitlines()[0]
            problems.append(Problem("corrupt record", f"section {number}, {line!r}: {error}"))
            continue
        problems += [Problem(reason, f"section {number}, {trace.name}: {what}") for reason, what in trouble]
        yield trace


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
    samples = _DECODERS[encoding](section[start.end() : checksum.start() if checksum else len(section)])
    trouble = []
    if len(samples) < stated or checksum is None:
        how = "and no checksum" if checksum is None else "before the checksum"
        trouble.append(("truncated file", f"{min(len(samples), stated)} of {stated} samples {how}"))
    samples = samples[:stated]
    if len(samples) and (samples.min() < _INT32.min or samples.max() > _INT32.max):
        raise ValueError("samples beyond 32 bits")
    if checksum is not None and len(samples) == stated:
        rest = int(samples.sum()) % _MODULUS
        if int(checksum[1]) not in (rest, _MODULUS - rest):
            raise ValueError(f"the file states a checksum of {int(checksum[1])}, its samples have {rest}")
    network = _NETWORK.search(section, 0, start.start())
    codes = (network[1] if network else b"", header["station"], b"", header["channel"])
    name = ".".join(code.decode("ascii", "replace").strip() for code in codes)
    day = np.datetime64(header["date"].decode().replace("/", "-"), "ns").astype(np.int64)
    hours, minutes, seconds = header["time"].split(b":")
    whole, _, fraction = seconds.partition(b".")
    of_day = (int(hours) * 60 + int(minutes)) * 60 + int(whole)
    start_ns = int(day) + of_day * 1_000_000_000 + int(fraction[:9].ljust(9, b"0"))
    return Trace(name, start_ns, float(header["rate"]), samples.astype(np.int32)), trouble


def _decode_cm6(text: bytes) -> NDArray[np.int64]:
    """
    Decode second differences, up to the first character that is none.

    >>> _decode_cm6(b"3 0F *")  # 5, 2 and −1
    array([ 5, 12, 18])
    """
    codes = _CODES[np.frombuffer(text.translate(None, _BLANKS), dtype=np.uint8)]
    bad = np.flatnonzero(codes == 255)
    codes = codes[: bad[0]] if len(bad) else codes
    ends = np.flatnonzero(codes & _GOES_ON == 0)
    begins = np.concatenate(([0], ends[:-1] + 1))[: len(ends)]
    lengths = ends - begins + 1
    long = np.flatnonzero(lengths > _MOST_CHARACTERS)
    if len(long):
        begins, lengths = begins[: long[0]], lengths[: long[0]]
    numbers = (codes[begins] & 15).astype(np.int64)
    for place in range(1, int(lengths.max(initial=1))):
        more = lengths > place
        numbers[more] = numbers[more] << 5 | codes[begins[more] + place] & 31
    numbers = np.where(codes[begins] & _NEGATIVE, -numbers, numbers)
    return np.cumsum(np.cumsum(numbers))


def _decode_int(text: bytes) -> NDArray[np.int64]:
    """
    Decode whole numbers, up to the first word that is none.

    >>> _decode_int(b"1 -2 3 power failure 4")
    array([ 1, -2,  3])
    """
    words = text.split()
    good = next((i for i, word in enumerate(words) if not re.fullmatch(rb"[+-]?\d{1,11}", word)), len(words))
    return np.array([int(word) for word in words[:good]], dtype=np.int64)


_DECODERS = {"CM6": _decode_cm6, "INT": _decode_int}
