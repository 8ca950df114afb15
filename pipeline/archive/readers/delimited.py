"""Tables in text of no format of their own (CSV), laid out as the map says: `mapping.CsvRule`."""

from __future__ import annotations

from pipeline.archive.pieces import Span
from pipeline.archive.readers.columns import (
    Column,
    PieceFile,
    content_of,
    pick_columns,
    pieces_of,
    report_lines,
)
from pipeline.archive.readers.mapping import CsvRule, SourceRule
from pipeline.archive.readers.moments import Moment
from pipeline.archive.readers.protocol import Problem, SourceFile
from pipeline.archive.readers.textrows import parse_rows

__all__ = ["CsvReader"]

_RESOLUTION_NS = 1_000_000
"""Loggers write milliseconds, or fewer digits."""

_MOST_HEADER = 1 << 20


class CsvReader:
    """Opens what the map calls a table."""

    name = "CSV (by a map)"

    def accepts(self, head: bytes, name: str, rule: SourceRule | None) -> bool:  # noqa: ARG002
        """See `Reader.accepts`."""
        return rule is not None and rule.csv is not None

    def open(self, data: bytes, rule: SourceRule | None) -> SourceFile:
        """See `Reader.open`."""
        assert rule is not None
        assert rule.csv is not None
        layout = rule.csv
        problems: list[Problem] = []
        header, begin = _part_header(data, layout.header_lines)
        if begin >= len(data):
            detail = f"the map leaves out {layout.header_lines} lines at the beginning, and there are no more"
            return PieceFile(content_of((), [Problem("truncated file", detail)]))
        columns = _columns(header, data[begin : begin + _MOST_HEADER], layout)
        picks = pick_columns(columns, rule, problems)
        if not picks:
            return PieceFile(content_of((), problems))
        rows = parse_rows(
            data,
            begin,
            Moment.of(layout.time),
            picks=[pick.number for pick in picks],
            columns=len(columns),
            separator=layout.separator,
            before_time=layout.columns_before_time,
            undefined=rule.undefined,
        )
        report_lines(data, rows, problems)
        step_ns = None if layout.step_s is None else layout.step_s * 1e9
        pieces = pieces_of(rows, picks, problems=problems, step_ns=step_ns, resolution_ns=_RESOLUTION_NS)
        return PieceFile(content_of(pieces, problems), pieces)

    def peek(self, head: bytes, tail: bytes, size: int) -> Span | None:  # noqa: ARG002
        """See `Reader.peek`: the ends do not tell where the gaps are."""
        return None


def _part_header(data: bytes, lines: int) -> tuple[bytes, int]:
    """Return the last line of the header, and where the rows begin."""
    last, begin = b"", 0
    for _ in range(lines):
        end = data.find(b"\n", begin)
        if end < 0:
            return last, len(data)
        last, begin = data[begin:end], end + 1
    return last, begin


def _columns(header: bytes, beginning: bytes, layout: CsvRule) -> list[Column]:
    """
    Return the columns after the time: as many as the first row has, with the names of the header.

    >>> rule = CsvRule(time="%Y-%m-%d,%H:%M", header_lines=1)
    >>> _columns(b"date,time,gravity,hPa", b"2020-01-01,00:00,1.5,1013.2,7", rule)
    [Column(name='gravity', unit=''), Column(name='hPa', unit=''), Column(name='column 3', unit='')]
    """
    first = next((line for line in beginning.splitlines() if line.strip()), b"")
    before = layout.columns_before_time + _columns_of_time(layout)
    count = max(0, len(_cells(first, layout.separator)) - before)
    names = _cells(header, layout.separator)[before : before + count]
    plain = [name.decode("utf-8", "replace").strip().strip("\"'") for name in names]
    return [
        Column(plain[n - 1] if n <= len(plain) and plain[n - 1] else f"column {n}")
        for n in range(1, count + 1)
    ]


def _columns_of_time(layout: CsvRule) -> int:
    if layout.separator:
        return layout.time.count(layout.separator) + 1
    return len(layout.time.split())


def _cells(line: bytes, separator: str) -> list[bytes]:
    return line.split(separator.encode()) if separator else line.split()
