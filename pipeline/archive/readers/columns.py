"""
Columns to pieces: what all tables in text have in common.

A reader of a table says what the columns are called and parses the rows; here rows become runs that are
continuous within half a sample, runs become straight clocks (`pieces.fit_lines`), and the columns that the
map names become pieces in its units and at its times. A missing or undefined value ends a piece.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.grid import RATES_HZ, nominal_rate
from pipeline.archive.pieces import Piece, Span, fit_lines, sample_time_ns
from pipeline.archive.readers.mapping import ColumnRule, SourceRule
from pipeline.archive.readers.protocol import Allocate, Content, Problem
from pipeline.archive.readers.textrows import BAD_VALUE, LEFT_OUT, LONG, NO_TIME, ROW, SHORT, Rows
from pipeline.keys import Channel

__all__ = [
    "Column",
    "Pick",
    "PieceFile",
    "content_of",
    "drop_broken_end",
    "line_at",
    "pick_columns",
    "pieces_of",
    "report_lines",
    "true_runs",
]

_MOST_RUNS = 1000  # of a table whose every fourth row begins one: its times are not evenly spaced
_SHOWN = 60  # characters of a line in a message
_WHAT = {
    NO_TIME: ("unreadable line", "of which the time can't be read"),
    SHORT: ("unreadable line", "with fewer values than there are columns"),
    LONG: ("unreadable line", "with more values than there are columns"),
    BAD_VALUE: ("unreadable value", "with a value that is no number"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column as its file has it: its name, and its unit, "" where the file states none."""

    name: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Pick:
    """A column that is read, and the rule for it."""

    number: int
    rule: ColumnRule


@dataclass(frozen=True, slots=True)
class PieceFile:
    """A source file of which all pieces are known; see `SourceFile`."""

    content: Content
    pieces: Sequence[Piece] = field(default=())

    def read(
        self,
        start_ns: int,
        end_ns: int,
        *,
        allocate: Allocate = np.empty,  # noqa: ARG002 (they lie in memory already)
    ) -> tuple[list[Piece], list[Problem]]:
        """See `SourceFile.read`."""
        return [p for p in self.pieces if p.start_ns < end_ns and p.end_ns >= start_ns], []


def content_of(pieces: Sequence[Piece], problems: Sequence[Problem]) -> Content:
    """Sum pieces up by channel, rate and type."""
    spans: dict[tuple[Channel, float, str], Span] = {}
    for piece in pieces:
        key = (piece.channel, piece.nominal_rate_hz, piece.samples.dtype.name)
        found = spans.get(key, Span(*key, piece.start_ns, piece.end_ns, 0))
        spans[key] = replace(
            found,
            start_ns=min(found.start_ns, piece.start_ns),
            end_ns=max(found.end_ns, piece.end_ns),
            samples=found.samples + len(piece.samples),
        )
    return Content(tuple(spans[key] for key in sorted(spans)), tuple(problems))


def pick_columns(columns: Sequence[Column], rule: SourceRule | None, problems: list[Problem]) -> list[Pick]:
    """
    Choose the columns that the map names; what it can't name is a problem.

    Examples
    --------
    >>> problems = []
    >>> pick_columns([Column("gravity", "V"), Column("pressure")], None, problems)
    []
    >>> print(problems[0].reason, "|", problems[0].detail)
    no channel name | columns 1 gravity (V), 2 pressure: this format names no channels; a map does (--map)
    """
    there = ", ".join(
        f"{number} {column.name}{f' ({column.unit})' if column.unit else ''}"
        for number, column in enumerate(columns, start=1)
    )
    if rule is None:
        detail = f"columns {there}: this format names no channels; a map does (--map)"
        problems.append(Problem("no channel name", detail))
        return []
    picks = []
    for wanted in rule.columns:
        found = [i for i, column in enumerate(columns) if wanted.is_for(column.name, i + 1)]
        unit = columns[found[0]].unit if found else ""
        if len(found) != 1:
            how = "more than one column is" if found else "no column is"
            detail = f"{how} {wanted.column!r}, as the map has it for {wanted.channel}; there are {there}"
            problems.append(Problem("no such column", detail))
        elif wanted.unit is not None and unit and _plain_unit(unit) != _plain_unit(wanted.unit):
            detail = f"column {wanted.column!r} is in {unit}, and the map says {wanted.unit}: not read"
            problems.append(Problem("other unit", detail))
        else:
            picks.append(Pick(found[0], wanted))
    return picks


def _plain_unit(unit: str) -> str:
    """
    Write a unit in one way.

    >>> _plain_unit("nm/s**2") == _plain_unit("nm/s^2") == _plain_unit("NM/S²")
    True
    """
    return unit.casefold().replace("**", "").replace("^", "").replace("²", "2").replace(" ", "")


def line_at(data: bytes, at: int) -> bytes:
    """Return a line without its end."""
    end = data.find(b"\n", at)
    return data[at : end if end >= 0 else len(data)].rstrip(b"\r")


def drop_broken_end(data: bytes, rows: Rows, problems: list[Problem]) -> None:
    """Leave out a last row that breaks off: without an end of line, and shorter than the row before it."""
    if len(rows.kind) < 2 or data.endswith((b"\n", b"\0", b"\x1a")) or rows.kind[-1] == NO_TIME:
        return
    last, before = (line_at(data, int(at)).rstrip() for at in rows.offset[[-1, -2]])
    if rows.kind[-2] == ROW and len(last) < len(before):
        rows.kind[-1] = LEFT_OUT
        problems.append(Problem("truncated file", f"the last line breaks off: {last[:_SHOWN]!r}"))


def report_lines(data: bytes, rows: Rows, problems: list[Problem]) -> None:
    """Say which lines are no rows, one problem for each way of being none."""
    for kind, (reason, how) in _WHAT.items():
        bad = np.flatnonzero(rows.kind == kind)
        if len(bad):
            at = int(rows.offset[bad[0]])
            number = data.count(b"\n", 0, at) + 1
            shown = line_at(data, at)[:_SHOWN]
            count = f"{len(bad)} line{'s' if len(bad) > 1 else ''}"
            problems.append(Problem(reason, f"{count} {how}; the first is line {number}: {shown!r}"))


def pieces_of(
    rows: Rows,
    picks: Sequence[Pick],
    *,
    problems: list[Problem],
    block_starts: NDArray[np.int64] | None = None,
    step_ns: float | None = None,
    resolution_ns: int = 1000,
) -> list[Piece]:
    """
    Make pieces of rows.

    Parameters
    ----------
    rows : Rows
        Its values in the order of ``picks``; lines that are no rows count as missing.
    picks : sequence of Pick
    problems : list of Problem
        Is added to.
    block_starts : ndarray of int64, optional
        Lines at which a new block begins.
    step_ns : float, optional
        From sample to sample, where the file states it.
    resolution_ns : int
        How exactly the file states times.

    Returns
    -------
    list of Piece
        By column, in the order of the file.
    """
    usable = (rows.kind == ROW) | (rows.kind == BAD_VALUE)
    times = rows.time_ns[usable]
    if not len(times) or not picks:
        return []
    step = _step_of(times) if step_ns is None else step_ns
    rate = nominal_rate(1e9 / step) if step > 0 else 0.0
    if not RATES_HZ[0] <= rate <= RATES_HZ[1]:
        detail = f"{len(times)} rows do not tell the time from sample to sample"
        problems.append(Problem("no sampling rate", detail))
        return []
    step = 1e9 / rate
    breaks = np.abs(np.diff(times) - step) > step / 2
    if block_starts is not None:
        places = np.searchsorted(np.flatnonzero(usable), block_starts)
        breaks[places[(places > 0) & (places <= len(breaks))] - 1] = True
    cuts = np.concatenate(([0], np.flatnonzero(breaks) + 1, [len(times)]))
    if len(cuts) > max(_MOST_RUNS, len(times) // 4):
        detail = f"{len(times)} rows make {len(cuts) - 1} stretches of {step / 1e9:g} s from row to row"
        problems.append(Problem("uneven times", detail))
        return []
    _report_order(times, step, problems)
    lines = [
        (a + first, a + stop, start, fitted)
        for a, b in pairwise(cuts.tolist())
        for first, stop, start, fitted in fit_lines(
            np.arange(b - a), times[a:b], rate, resolution_ns=resolution_ns
        )
    ]
    made: list[Piece] = []
    for values, pick in zip(rows.values, picks, strict=True):
        made += _of_column(values[usable], pick.rule, lines, rate)
    return made


def true_runs(flags: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """
    Return where stretches of true values begin and end.

    >>> true_runs(np.array([True, True, False, True]))
    (array([0, 3]), array([2, 4]))
    """
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return edges[::2], edges[1::2]


def _step_of(times: NDArray[np.int64]) -> float:
    """Return the usual step: the lower median, or the mean of those near it where clocks jitter."""
    steps = np.diff(times)
    steps = steps[steps > 0]
    if not len(steps):
        return 0.0
    usual = float(np.sort(steps)[(len(steps) - 1) // 2])  # one of them: between two there may be none
    if 2 * np.count_nonzero(steps == usual) >= len(steps):
        return usual
    return float(steps[np.abs(steps - usual) < usual / 2].mean())


def _report_order(times: NDArray[np.int64], step: float, problems: list[Problem]) -> None:
    """Say where times repeat or run back; the archive merges what they hold."""
    back = np.flatnonzero(np.diff(times) < step / 2)
    if len(back):
        at = np.datetime64(int(times[back[0] + 1]), "ns")
        detail = f"{len(back)} rows lie at or before the time of the row before; the first is at {at}"
        problems.append(Problem("times out of order", detail, lost=False))


def _of_column(
    values: NDArray[np.float64], rule: ColumnRule, lines: Sequence[tuple[int, int, int, float]], rate: float
) -> list[Piece]:
    channel = Channel.parse(rule.channel)
    delay_ns = round(rule.delay_s * 1e9)
    samples: Any = values * rule.calibration if rule.calibration != 1 else values
    samples.flags.writeable = False
    begins, ends = true_runs(~np.isnan(samples))
    made = []
    for chain, (first, stop, start, fitted) in enumerate(lines):
        low, high = np.searchsorted(ends, first, side="right"), np.searchsorted(begins, stop, side="left")
        for begin, end in zip(begins[low:high].tolist(), ends[low:high].tolist(), strict=True):
            a, b = max(begin, first), min(end, stop)
            at = sample_time_ns(start, fitted, a - first) - delay_ns
            made.append(Piece(channel, samples[a:b], at, fitted, rate, chain=chain))
    return made
