"""The miniSEED of an answer: checked, trimmed record by record, sorted into channel-days."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.grid import DAY_NS
from pipeline.archive.readers.miniseed_headers import parse_headers
from pipeline.archive.readers.miniseed_table import HeaderTable
from pipeline.errors import DamagedError
from pipeline.fdsn.selection import Window
from pipeline.keys import Channel

__all__ = ["Answer", "DayRecords", "covered_share", "read_answer", "record_spans", "sort_records"]

_SECOND_NS = 1e9
_SHOWN = 12
_CLOCK_NS = 200_000
"""Two ticks of the clock of miniSEED 2: records that lie no further apart than this touch."""


@dataclass(frozen=True, slots=True)
class Answer:
    """miniSEED, and the headers of its records."""

    data: bytes
    headers: HeaderTable


def read_answer(data: bytes) -> Answer:
    r"""
    Read the headers of miniSEED, and refuse what is something else anywhere.

    Raises
    ------
    DamagedError

    Examples
    --------
    >>> len(read_answer(b"").headers.rows)
    0
    >>> read_answer(b"<!DOCTYPE html>")
    Traceback (most recent call last):
    pipeline.errors.DamagedError: not miniSEED: it begins with b'<!DOCTYPE ht'
    """
    table = parse_headers(data)
    if data and not len(table.rows):
        raise DamagedError(f"not miniSEED: it begins with {data[:_SHOWN]!r}")
    for problem in table.problems:
        if problem.lost:
            raise DamagedError(f"damaged: {problem.reason}")
    return Answer(data, table)


@dataclass(slots=True)
class DayRecords:
    """
    What came of one channel and day.

    Parameters
    ----------
    records : set of (start_ns, bytes)
        Those that belong to the day, once each.
    spans : set of (start_ns, stop_ns)
        What these cover, and what those of the day before do that reach into this one.
    """

    records: set[tuple[int, bytes]] = field(default_factory=set)
    spans: set[tuple[int, int]] = field(default_factory=set)

    def update(self, other: DayRecords) -> None:
        """Take in what came of the same channel and day in another answer."""
        self.records |= other.records
        self.spans |= other.spans

    def data(self) -> bytes:
        """Return the records in order of time: the same bytes however they came."""
        return b"".join(record for _, record in sorted(self.records))

    def covered(self, day: int) -> float:
        """Return what share of a day since 1970 is covered."""
        return covered_share(self.spans, day)


def covered_share(spans: Iterable[tuple[int, int]], day: int) -> float:
    """
    Return what share of a day some spans cover together.

    >>> covered_share([(0, DAY_NS // 2), (DAY_NS // 4, DAY_NS // 2)], 0)
    0.5
    """
    begin, end = day * DAY_NS, (day + 1) * DAY_NS
    covered, reached = 0, begin
    for start, stop in sorted(spans):
        start, stop = max(start, reached), min(stop, end)
        if stop > start:
            covered += stop - start
            reached = stop
    return covered / DAY_NS


def record_spans(data: bytes) -> list[tuple[int, int]]:
    """Return from when to before when each record with samples lasts, in nanoseconds since 1970."""
    rows = _sampled(parse_headers(data))
    return list(zip(rows["start_ns"].tolist(), _times(rows)[1].tolist(), strict=True))


def _sampled(table: HeaderTable) -> NDArray[Any]:
    rows = table.rows
    return rows[(rows["samples"] > 0) & (rows["rate_hz"] > 0)]


def _times(rows: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the time of each record's last sample, and of the one that would follow it."""
    period_ns = _SECOND_NS / rows["rate_hz"]
    begins = rows["start_ns"]
    last_sample = begins + np.rint((rows["samples"] - 1) * period_ns).astype(np.int64)
    return last_sample, begins + np.rint(rows["samples"] * period_ns).astype(np.int64)


def sort_records(
    answer: Answer,
    windows: Sequence[Window],
    *,
    is_wanted: Callable[[Channel, int], bool],
) -> dict[tuple[Channel, int], DayRecords]:
    """
    Sort an answer into channel-days, and leave out what nobody asked for.

    A record belongs to the day on which it begins. One that leads into a window belongs to the window's
    first day where the day before is not wanted by itself: its samples would be lost otherwise.

    Parameters
    ----------
    answer : Answer
    windows : sequence of Window
        What was asked for.
    is_wanted : callable
        Tells of a channel and a day since 1970 whether it is downloaded, in whichever request.

    Returns
    -------
    dict of (Channel, day) to DayRecords
    """
    table = answer.headers
    rows = _sampled(table)
    begins = rows["start_ns"]
    last_sample, ends = _times(rows)
    found: dict[tuple[Channel, int], DayRecords] = {}
    for window in windows:
        number = _number(table, window.channel)
        is_in = (rows["channel"] == number) & (begins < window.stop_ns) & (last_sample >= window.start_ns)
        for day in window.days:
            touches = is_in & (begins < (day + 1) * DAY_NS) & (last_sample >= day * DAY_NS)
            if touches.any():
                spans = _joined(begins[touches], ends[touches])
                found.setdefault((window.channel, day), DayRecords()).spans.update(spans)
        for row in np.flatnonzero(is_in):
            begin = int(begins[row])
            day = begin // DAY_NS
            if day not in window.days:
                if is_wanted(window.channel, day):
                    continue
                day = window.days[0]
            offset, length = int(rows["offset"][row]), int(rows["length"][row])
            record = answer.data[offset : offset + length]
            found.setdefault((window.channel, day), DayRecords()).records.add((begin, record))
    return found


def _joined(begins: NDArray[np.int64], ends: NDArray[np.int64]) -> list[tuple[int, int]]:
    """
    Join spans that touch: a day is a hundred thousand records, and mostly one span.

    >>> _joined(np.array([2_000_000, 0, 100]), np.array([3_000_000, 10, 150]))
    [(0, 150), (2000000, 3000000)]
    """
    order = np.argsort(begins, kind="stable")
    begins, reached = begins[order], np.maximum.accumulate(ends[order])
    breaks = np.flatnonzero(begins[1:] > reached[:-1] + _CLOCK_NS)
    starts = begins[np.concatenate([[0], breaks + 1])]
    stops = reached[np.concatenate([breaks, [len(reached) - 1]])]
    return list(zip(starts.tolist(), stops.tolist(), strict=True))


def _number(table: HeaderTable, channel: Channel) -> int:
    name = str(channel)
    return table.channels.index(name) if name in table.channels else -1
