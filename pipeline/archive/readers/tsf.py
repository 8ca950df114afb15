"""
TSoft files (``.tsf``): any number of channels in columns, under tags in square brackets.

::

    [TSF-file] v01.0
    [UNDETVAL] 9999.999                      stands for a value that there is none of
    [TIMEFORMAT] DATETIME                    DATETIMEFRAC has a seventh column: milliseconds
    [INCREMENT] 1                            seconds from row to row
    [CHANNELS]
      Membach:C021:Grav-1                    site, instrument, measurement
    [UNITS]
      V
    [COUNTINFO] 86400                        rows
    [DATA]
    2020 01 01  00 00 00      1.2345

As in the manual of TSoft (Van Camp & Vauterin 2005). After ``[DATA]`` TSoft keeps the corrections that its
user drew (``[STEP]``, ``[GAP]``, ``[LININTERPOL]``, …): told and not applied, as the samples are what was
recorded. A file may have several blocks of data.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise

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
from pipeline.archive.readers.textrows import LEFT_OUT, NO_TIME, Rows, parse_rows

__all__ = ["TsfReader"]

_MAGIC = b"[TSF-file]"
_BOM = b"\xef\xbb\xbf"
_TAG = re.compile(rb"^\s*\[([^\]\r\n]+)\][ \t]*([^\r\n]*)", re.MULTILINE)
_MOMENTS = {
    "DATETIME": (Moment.of("%Y %m %d %H %M %S"), 1000),
    "DATETIMEFRAC": (Moment.of("%Y %m %d %H %M %S %L"), 1_000_000),
}
_MOMENTS["DATETIMEFRACT"] = _MOMENTS["DATETIMEFRAC"]
"""By time format: the layout, and how exactly it states a time (ns)."""

_DEFAULT_UNDEFINED = 9999.999
_MOST_HEADER = 1 << 20


class TsfReader:
    """Opens TSoft files."""

    name = "TSF"

    def accepts(self, head: bytes, name: str, rule: SourceRule | None) -> bool:  # noqa: ARG002
        """See `Reader.accepts`."""
        return head.removeprefix(_BOM).lstrip().startswith(_MAGIC)

    def open(self, data: bytes, rule: SourceRule | None) -> SourceFile:
        """See `Reader.open`."""
        problems: list[Problem] = []
        tags, begin = _header(data)
        columns = _columns(tags)
        picks = pick_columns(columns, rule, problems)
        moment, resolution_ns = _MOMENTS.get(tags.get("TIMEFORMAT", "").strip().upper(), (None, 0))
        if begin is None:
            problems.append(Problem("truncated file", "no [DATA] follows the header"))
        elif moment is None:
            stated = tags.get("TIMEFORMAT", "").strip()
            detail = f"[TIMEFORMAT] is {stated!r}, but should be DATETIME or DATETIMEFRAC"
            problems.append(Problem("unknown time format", detail))
        if rule is None or not picks or begin is None or moment is None:
            return PieceFile(content_of((), problems))
        undefined = _number(tags.get("UNDETVAL", ""))
        rows = parse_rows(
            data,
            begin,
            moment,
            picks=[pick.number for pick in picks],
            columns=len(columns),
            undefined=(_DEFAULT_UNDEFINED if math.isnan(undefined) else undefined, *rule.undefined),
        )
        drop_broken_end(data, rows, problems)
        starts = _leave_out_corrections(data, rows, problems)
        report_lines(data, rows, problems)
        _check_count(tags, rows, problems)
        step_s = _number(tags.get("INCREMENT", ""))
        pieces = pieces_of(
            rows,
            picks,
            problems=problems,
            block_starts=starts,
            step_ns=step_s * 1e9 if step_s > 0 else None,
            resolution_ns=resolution_ns,
        )
        return PieceFile(content_of(pieces, problems), pieces)

    def peek(self, head: bytes, tail: bytes, size: int) -> Span | None:  # noqa: ARG002
        """See `Reader.peek`: the ends do not tell where the gaps are."""
        return None


def _header(data: bytes) -> tuple[dict[str, str], int | None]:
    """Return what stands under each tag, and where the rows begin."""
    tags: dict[str, str] = {}
    name, begin = "", 0
    for match in _TAG.finditer(data, 0, _MOST_HEADER):
        if name:
            tags[name] = tags.get(name, "") + data[begin : match.start()].decode("utf-8", "replace")
        name, begin = match[1].decode("ascii", "replace").strip().upper(), match.start(2)
        if name == "DATA":
            return tags, match.end()
    return tags, None


def _columns(tags: dict[str, str]) -> list[Column]:
    r"""
    Return the channels with their units.

    >>> _columns({"CHANNELS": " A:B:g\n A:B:p\n\n", "UNITS": "\nnm/s^2\n"})
    [Column(name='A:B:g', unit='nm/s^2'), Column(name='A:B:p', unit='')]
    """
    names, units = (
        [line.strip() for line in tags.get(tag, "").splitlines()] for tag in ("CHANNELS", "UNITS")
    )
    names, units = ([line for line in lines if line] for lines in (names, units))
    units = [unit if unit != "?" else "" for unit in units] + [""] * len(names)
    return [Column(name, unit) for name, unit in zip(names, units, strict=False)]


def _number(text: str) -> float:
    """Return the first word as a number, NaN where it is none."""
    try:
        return float((text.split() or [""])[0])
    except ValueError:
        return math.nan


def _leave_out_corrections(data: bytes, rows: Rows, problems: list[Problem]) -> NDArray[np.int64]:
    """Leave out what stands under other tags than ``[DATA]``; return where further blocks of data begin."""
    tags: list[tuple[int, str]] = []
    for row in np.flatnonzero(rows.kind == NO_TIME).tolist():
        tag = _TAG.match(line_at(data, int(rows.offset[row])))
        if tag is not None:
            tags.append((row, tag[1].decode("ascii", "replace").strip().upper()))
    for (row, name), (following, _) in pairwise([*tags, (len(rows.kind), "")]):
        rows.kind[row : row + 1 if name == "DATA" else following] = LEFT_OUT
    others = sorted({name for _, name in tags} - {"DATA"})
    if others:
        detail = f"{', '.join(others)} after the data: TSoft's corrections are not applied"
        problems.append(Problem("corrections stated", detail, lost=False))
    return np.array([row + 1 for row, _ in tags], dtype=np.int64)


def _check_count(tags: dict[str, str], rows: Rows, problems: list[Problem]) -> None:
    stated, there = _number(tags.get("COUNTINFO", "")), int((rows.kind != LEFT_OUT).sum())
    if stated > there:
        problems.append(Problem("truncated file", f"[COUNTINFO] states {stated:.0f} rows, {there} are there"))
