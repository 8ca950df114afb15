"""
GGP and IGETS files (``.ggp``), which are PRETERNA's: gravity and pressure in columns, block by block.

::

    Filename            : IGETS-SG-MIN-we030-1-20160122.ggp
    Station             : Wettzell
    yyyymmdd hhmmss gravity(nm/s**2) pressure(hPa)
    C*****************************************
    77777777            0.000     0.000         a block begins, with an offset of each column
    20160101 000000    12.345  1013.210
    20160101     1     12.345  1013.210         as Fortran writes it: blanks for leading zeros
    99999999                                    it ends

As in Voigt et al. (2016, GFZ Scientific Technical Report 16/08, section 9) and in "GGP File Format and
Structure" (2011); 88888888 ends a file of ETERNA's. Offsets are told and not applied: the archive holds what
was recorded, and a step is for whoever interprets it. So are calibrations and delays that a header states:
the map says which of them hold.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.pieces import Span
from pipeline.archive.readers.columns import (
    Column,
    PieceFile,
    content_of,
    drop_broken_end,
    line_at,
    pick_columns,
    pieces_of,
    report_lines,
)
from pipeline.archive.readers.mapping import SourceRule
from pipeline.archive.readers.moments import Moment
from pipeline.archive.readers.protocol import Problem, SourceFile
from pipeline.archive.readers.textrows import BAD_VALUE, LEFT_OUT, NO_TIME, ROW, SHORT, Rows, parse_rows

__all__ = ["GgpReader"]

_MOMENT = Moment.of("%Y%m%d %H%M%S", fixed=True)
_UNDEFINED = (99999.999, 999999.999, 999.999999)
"""Of level 2, of GGP's newsletter 6a, and of level 1 with its six decimals."""

_FIRST_LINE = re.compile(rb"\s*Filename\s*:", re.IGNORECASE)
_BLOCK = re.compile(rb"^\s*77777777", re.MULTILINE)
_HEADER_END = re.compile(rb"^\s*C\*{5,}[^\n]*\n", re.MULTILINE)
_COLUMNS = re.compile(rb"^\s*yyyymmdd\s+hhmmss\s+([^\r\n]*)", re.MULTILINE | re.IGNORECASE)
_COLUMN = re.compile(r"([^\s(]+)\s*(?:\(([^)]*)\))?")
_MARK = re.compile(rb"\s*(7{8}|8{8}|9{8})([^\r\n]*)")
_ENDS = (b"99999999", b"88888888")
_MOST_HEADER = 65_536


class GgpReader:
    """Opens GGP and IGETS files."""

    name = "GGP"

    def accepts(self, head: bytes, name: str, rule: SourceRule | None) -> bool:  # noqa: ARG002
        """See `Reader.accepts`."""
        is_ggp = _FIRST_LINE.match(head) or _BLOCK.search(head) or _COLUMNS.search(head)
        return bool(is_ggp) or name.lower().endswith(".ggp")

    def open(self, data: bytes, rule: SourceRule | None) -> SourceFile:
        """See `Reader.open`."""
        problems: list[Problem] = []
        begin = _begin_of_rows(data)
        columns = _columns(data, begin)
        picks = pick_columns(columns, rule, problems)
        if rule is None or not picks:
            return PieceFile(content_of((), problems))
        numbers, undefined = [pick.number for pick in picks], (*_UNDEFINED, *rule.undefined)
        rows = parse_rows(data, begin, _MOMENT, picks=numbers, columns=len(columns), undefined=undefined)
        drop_broken_end(data, rows, problems)
        _part_glued(data, rows, numbers, len(columns), undefined)
        starts = _leave_out_marks(data, rows, problems)
        report_lines(data, rows, problems)
        pieces = pieces_of(rows, picks, problems=problems, block_starts=starts)
        return PieceFile(content_of(pieces, problems), pieces)

    def peek(self, head: bytes, tail: bytes, size: int) -> Span | None:  # noqa: ARG002
        """See `Reader.peek`: the ends do not tell where the gaps are."""
        return None


def _begin_of_rows(data: bytes) -> int:
    """Return where the header ends: after its stars, else at the first block, else at the beginning."""
    block = _BLOCK.search(data, 0, _MOST_HEADER)
    stars = _HEADER_END.search(data, 0, block.start() if block else _MOST_HEADER)
    if stars:
        return stars.end()
    if block:
        return block.start()
    names = _COLUMNS.search(data, 0, _MOST_HEADER)
    return names.end() if names else 0


def _columns(data: bytes, begin: int) -> list[Column]:
    """
    Return the columns that the header names, else those of the first row, without names.

    >>> _columns(b"yyyymmdd hhmmss gravity(nm/s**2) pressure(hPa)", 46)
    [Column(name='gravity', unit='nm/s**2'), Column(name='pressure', unit='hPa')]
    """
    named = _COLUMNS.search(data, 0, begin)
    if named:
        return [Column(*found) for found in _COLUMN.findall(named[1].decode("ascii", "replace"))]
    for line in data[begin : begin + _MOST_HEADER].splitlines():
        if line.strip() and not _MARK.match(line):
            return [Column(f"column {n}") for n in range(1, len(line.lstrip()[15:].split()) + 1)]
    return []


def _part_glued(
    data: bytes, rows: Rows, picks: list[int], columns: int, undefined: tuple[float, ...]
) -> None:
    """
    Read rows whose numbers fill their columns and so touch: ``999999.999999999.999``.

    They are of one format, so that each has as many decimals as the last.
    """
    for row in np.flatnonzero((rows.kind == SHORT) | (rows.kind == BAD_VALUE)).tolist():
        line = line_at(data, int(rows.offset[row]))
        decimals = len(line.rstrip().rpartition(b".")[2])
        found = re.findall(rb"[+-]?\d+\.\d{%d}" % decimals, line.lstrip()[15:])
        if len(found) == columns:
            numbers = [float(found[pick]) for pick in picks]
            rows.values[:, row] = [np.nan if number in undefined else number for number in numbers]
            rows.kind[row] = ROW


def _leave_out_marks(data: bytes, rows: Rows, problems: list[Problem]) -> NDArray[np.int64]:
    """Leave out the lines that begin and end blocks; return where blocks begin."""
    starts: list[int] = []
    offsets: list[str] = []
    is_open = False
    for row in np.flatnonzero(rows.kind == NO_TIME).tolist():
        mark = _MARK.match(line_at(data, int(rows.offset[row])))
        if mark is None:
            continue
        rows.kind[row] = LEFT_OUT
        starts.append(row + 1)
        is_open = mark[1] not in _ENDS
        if any(word.strip(b"0.+-") for word in mark[2].split()):
            offsets.append(mark[2].decode("ascii", "replace").strip())
    if offsets:
        detail = f"{len(offsets)} lines state offsets, the first {offsets[0]!r}: not applied"
        problems.append(Problem("offset stated", detail, lost=False))
    if is_open:
        problems.append(Problem("truncated file", "no line 99999999 ends the last block"))
    return np.array(starts, dtype=np.int64)
