"""
Merge: the runs of one day into one array per component.

Where runs of several sources overlap, equal samples merge; the higher publication version wins; samples that
disagree at equal rank become missing, and are counted. Nothing is interpolated. What the grid cannot hold
goes to the side table. The result does not depend on the order in which sources are given.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_128, xxh3_128_digest

from pipeline.archive.dayarray import DayArray
from pipeline.archive.grid import DayGrid
from pipeline.archive.pieces import Samples, sample_time_ns
from pipeline.archive.placement import Run, SideRun
from pipeline.keys import Stream

__all__ = ["ARRAY_DTYPES", "DayContent", "Segment", "fill_value", "join_segments", "merge_day"]

ARRAY_DTYPES = {"counts": "int32", "values": "float32", "values64": "float64"}
"""Arrays of a year's group by the type of their samples."""

_ARRAY_OF_DTYPE = {np.dtype(dtype): name for name, dtype in ARRAY_DTYPES.items()}
_PREFERRED = "ZNE"  # before 3, 1 and 2, where a source has both for one slot
_FREE = -1
_DISAGREED = -2  # and below: -2 - number, where the run of that number disagreed with another
_SAME_TIME_NS = 1000
_CLIPPING_RUN = 3
_CLIPPING_LEVEL = 1 << 21  # a quarter of the range of 24 bits


@dataclass(frozen=True, slots=True)
class Segment:
    """
    A contiguous piece of one component on one day.

    Parameters
    ----------
    array : str
        ``counts``, ``values`` or ``values64``.
    component : int
        Row in the arrays of the stream.
    channel : str
        Code of the channel that gave the samples, as ``HH1``.
    first, length : int
        First grid index in the day (in a chain of many days: since 1970), and how many samples follow on
        consecutive grid points. Every sample of a segment was recorded, also one that equals the fill value.
    start_ns : int
        Exact time of the first sample.
    rate_hz : float
        Rate by the instrument's clock: sample i lies at ``start_ns + i / rate_hz``.
    rank : int
        Publication version, or quality (R 1, D 2, Q 3, M 4).
    source : int
        Row among the sources of the day.
    """

    array: str
    component: int
    channel: str
    first: int
    length: int
    start_ns: int
    rate_hz: float
    rank: int
    source: int

    @property
    def stop(self) -> int:
        """Grid index after the last sample."""
        return self.first + self.length

    def time_ns(self, index: int) -> int:
        """Return the exact time of a grid index that lies in the segment."""
        return sample_time_ns(self.start_ns, self.rate_hz, index - self.first)


@dataclass(slots=True, eq=False)
class DayContent:
    """One station-day: arrays, segments, side table and counts."""

    day: int
    arrays: dict[str, Any] = field(default_factory=dict)  # of DayArray
    segments: list[Segment] = field(default_factory=list)
    side: list[SideRun] = field(default_factory=list)
    overlap_samples: int = 0
    disagreed_samples: int = 0
    clipped_samples: int = 0
    timing_quality: int = -1

    def samples_of(self, component: int) -> int:
        """Count the samples of one component, the side table's not included."""
        return sum(s.length for s in self.segments if s.component == component)

    def digest(self) -> str:
        """
        Return BLAKE2 of segments and the XXH3 of their samples, whichever files they came from.

        A day that was made again of the same samples at the same times has the same digest, also where
        they came in other files.
        """
        hasher = blake2b(digest_size=16)
        for segment in join_segments(self.segments):
            start = round(segment.start_ns / _SAME_TIME_NS)
            text = f"{segment.array} {segment.component} {segment.channel} {segment.first} {segment.length}"
            hasher.update(f"{text} {start} {segment.rate_hz!r} {segment.rank}\n".encode())
            row = self.arrays[segment.array].samples[segment.component]
            hasher.update(xxh3_128_digest(row[segment.first : segment.stop].data))
        beside = xxh3_128()
        last: SideRun | None = None
        for run in sorted(self.side, key=_side_order):
            if last is None or not _side_continues(last, run):
                start = round(run.start_ns / _SAME_TIME_NS)
                hasher.update(f"{run.kind} {run.channel.code} {start} {run.rate_hz!r} {run.rank}\n".encode())
            beside.update(np.ascontiguousarray(run.samples).data)
            last = run
        hasher.update(beside.digest())
        return hasher.hexdigest()


def fill_value(array: str) -> int | float:
    """
    Return what stands for a missing sample.

    >>> fill_value("counts"), fill_value("values")
    (-2147483648, nan)
    """
    return int(np.iinfo(np.int32).min) if array == "counts" else float("nan")


def merge_day(
    day: int,
    stream: Stream,
    grid: DayGrid,
    runs: Iterable[Run],
    side: Iterable[SideRun] = (),
    *,
    buffers: dict[str, Any] | None = None,
) -> DayContent:
    """
    Merge all runs of one station-day.

    Parameters
    ----------
    day : int
        Days since 1970.
    stream : Stream
        Its components are the rows of the arrays.
    grid : DayGrid
        Samples of the day.
    runs, side : iterables of Run and SideRun
        From `pipeline.archive.placement.place`, of all sources of the day.
    buffers : dict of str to ndarray, optional
        Arrays of an earlier day that are not needed any more, to be written over; new ones are added. Fresh
        memory for a day at 100 Hz takes longer than filling it.

    Returns
    -------
    DayContent
        With segments in order of array, component and time.
    """
    content = DayContent(day, side=[s for s in side if s.day == day])
    by_row: dict[tuple[str, int], list[Run]] = {}
    for run in runs:
        if run.day == day:
            by_row.setdefault((_ARRAY_OF_DTYPE[run.samples.dtype], run.channel.slot), []).append(run)
    for array, component in sorted(by_row):
        members = sorted(by_row[array, component], key=_precedence)
        samples = _day_array(content, array, stream, grid, buffers)
        _merge_row(content, array, component, samples, members)
        row, spans = samples.samples[component], samples.spans(component)
        clipped = _clipped([row[low:high] for low, high in spans], members)
        content.clipped_samples += max(clipped, sum(run.flagged_clipped for run in members))
    qualities = [run.timing_quality for row_runs in by_row.values() for run in row_runs]
    content.timing_quality = min((q for q in qualities if q >= 0), default=-1)
    # A day's side table lives until its block is written, longer than the arrays that were merged.
    copies = (replace(run, samples=run.samples.copy()) for run in content.side)
    content.side = sorted(copies, key=_side_order)
    return content


def _day_array(
    content: DayContent, array: str, stream: Stream, grid: DayGrid, buffers: dict[str, Any] | None
) -> DayArray:
    """Return an array of the day, untouched at first; its memory may be that of an earlier day."""
    if array not in content.arrays:
        shape = (len(stream.components), grid.samples_per_day)
        memory = {} if buffers is None else buffers
        if array not in memory:
            memory[array] = np.empty(shape, dtype=ARRAY_DTYPES[array])
        touched = np.zeros((shape[0], shape[1] // grid.chunk), dtype=bool)
        content.arrays[array] = DayArray(list(memory[array]), touched)
    made: DayArray = content.arrays[array]
    return made


def _merge_row(
    content: DayContent, array: str, component: int, samples: DayArray, members: Sequence[Run]
) -> None:
    """Bring the runs of one component together, given in order of precedence."""
    for run in members:
        samples.touch(component, run.first, run.stop)
    row = samples.samples[component]
    if len(members) == 1 and len(members[0].samples) == len(row):
        samples.samples[component] = members[0].samples
        content.segments.append(_segment(array, component, members[0]))
        return
    for low, high in samples.spans(component):
        inside = [run for run in members if low <= run.first < high]
        merge = _merge_contested if _overlapping(inside) else _merge_free
        merge(content, array, component, row, inside, low, high)


def _precedence(run: Run) -> tuple[Any, ...]:
    """Order runs by who holds a contested grid point; the source only where nothing else tells them apart."""
    code = run.channel.code
    return (
        code[-1] not in _PREFERRED,
        code,
        -run.rank,
        run.start_ns,
        -len(run.samples),
        run.rate_hz,
        run.source,
    )


def _side_order(run: SideRun) -> tuple[Any, ...]:
    return (run.channel.code, run.start_ns, run.kind, -run.rank, len(run.samples))


def _overlapping(runs: Sequence[Run]) -> bool:
    ordered = sorted(runs, key=lambda run: run.first)
    return any(a.stop > b.first for a, b in pairwise(ordered))


def _merge_free(
    content: DayContent, array: str, component: int, row: Samples, runs: Sequence[Run], low: int, high: int
) -> None:
    """Merge the runs of a stretch of a row, of which none overlap."""
    reached = low
    for run in sorted(runs, key=lambda run: run.first):
        row[reached : run.first] = fill_value(array)
        row[run.first : run.stop] = run.samples
        reached = run.stop
        content.segments.append(_segment(array, component, run))
    row[reached:high] = fill_value(array)


def _merge_contested(
    content: DayContent, array: str, component: int, row: Samples, runs: Sequence[Run], low: int, high: int
) -> None:
    """Merge the runs of a stretch of a row, given in order of precedence."""
    owner = np.full(high - low, _FREE, dtype=np.int32)
    for number, run in enumerate(runs):
        owned = owner[run.first - low : run.stop - low]
        free = owned == _FREE
        for other in np.unique(owned[~free]).tolist():
            contested = np.flatnonzero(owned == other)
            if other >= 0:
                disagreed = _contest(content, row, runs[other], run, contested)
                owned[disagreed] = _DISAGREED - other
            elif runs[_DISAGREED - other].channel != run.channel:
                content.side += _to_side(run, contested, "channel")
            else:
                content.overlap_samples += len(contested)
        row[run.first : run.stop][free] = run.samples[free]
        owned[free] = number
    row[low:high][owner < 0] = fill_value(array)
    edges = np.flatnonzero(np.diff(owner, prepend=_FREE, append=_FREE))
    for begin, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if owner[begin] >= 0:
            run = runs[owner[begin]]
            part = run.part(begin + low - run.first, end + low - run.first)
            content.segments.append(_segment(array, component, part))


def _contest(
    content: DayContent, row: Samples, holder: Run, run: Run, contested: NDArray[np.int64]
) -> NDArray[np.int64]:
    """
    Decide over grid points that an earlier run holds; return those at which nobody wins.

    Points are counted in the later run.
    """
    nobody = contested[:0]
    if holder.channel != run.channel:
        content.side += _to_side(run, contested, "channel")
        return nobody
    if holder.rank > run.rank:
        content.overlap_samples += len(contested)
        return nobody
    points = contested + run.first
    differ: NDArray[np.bool_] = run.samples[contested] != row[points]
    if row.dtype.kind == "f":
        differ &= ~(np.isnan(run.samples[contested]) & np.isnan(row[points]))
    both: NDArray[np.int64] = contested[differ]
    if len(both) and _collides(holder, run, both):
        content.side += _to_side(run, both, "collision")
        return nobody
    content.overlap_samples += len(contested)
    content.disagreed_samples += len(both)
    return both


def _collides(holder: Run, run: Run, points: NDArray[np.int64]) -> bool:
    """Tell whether two samples share a grid point though neither is a second version of the other."""
    if holder.source == run.source and holder.chain == run.chain:
        return True
    index = int(points[0])
    other = sample_time_ns(holder.start_ns, holder.rate_hz, run.first + index - holder.first)
    apart = abs(sample_time_ns(run.start_ns, run.rate_hz, index) - other)
    return len(points) == 1 and apart > _SAME_TIME_NS


def _to_side(run: Run, points: NDArray[np.int64], kind: str) -> list[SideRun]:
    cuts = np.flatnonzero(np.diff(points) > 1) + 1
    return [
        SideRun(
            channel=run.channel,
            day=run.day,
            kind=kind,
            samples=run.samples[part[0] : part[-1] + 1],
            start_ns=sample_time_ns(run.start_ns, run.rate_hz, int(part[0])),
            rate_hz=run.rate_hz,
            rank=run.rank,
            source=run.source,
        )
        for part in np.split(points, cuts)
    ]


def _segment(array: str, component: int, run: Run) -> Segment:
    return Segment(
        array=array,
        component=component,
        channel=run.channel.code,
        first=run.first,
        length=len(run.samples),
        start_ns=run.start_ns,
        rate_hz=run.rate_hz,
        rank=run.rank,
        source=run.source,
    )


def join_segments(segments: Sequence[Segment]) -> list[Segment]:
    """
    Join segments that continue each other, whichever files they came from.

    Parameters
    ----------
    segments : sequence of Segment
        In order of array, component and time, counted from one origin.

    Returns
    -------
    list of Segment
        Times in them are those of the first that was joined, at most a microsecond from their own.

    Examples
    --------
    >>> a = Segment("counts", 0, "HHZ", 0, 100, 0, 100.0, 2, 0)
    >>> b = Segment("counts", 0, "HHZ", 100, 50, 1_000_000_000, 100.0, 2, 1)
    >>> join_segments([a, b])[0].length
    150
    """
    joined: list[Segment] = []
    for segment in segments:
        last = joined[-1] if joined else None
        if last is not None and _continues(last, segment):
            joined[-1] = replace(last, length=last.length + segment.length)
        else:
            joined.append(segment)
    return joined


def _continues(last: Segment, segment: Segment) -> bool:
    same = (last.array, last.component, last.channel, last.rank, last.rate_hz, last.stop) == (
        segment.array,
        segment.component,
        segment.channel,
        segment.rank,
        segment.rate_hz,
        segment.first,
    )
    # Both were rounded to the microsecond in miniSEED 2: half of one each, and the nanosecond of our own.
    return same and abs(last.time_ns(segment.first) - segment.start_ns) <= _SAME_TIME_NS + 1


def _side_continues(last: SideRun, run: SideRun) -> bool:
    same = (last.kind, last.channel, last.rank, last.rate_hz, last.samples.dtype) == (
        run.kind,
        run.channel,
        run.rank,
        run.rate_hz,
        run.samples.dtype,
    )
    end_ns = sample_time_ns(last.start_ns, last.rate_hz, len(last.samples))
    return same and abs(end_ns - run.start_ns) <= _SAME_TIME_NS + 1


def _clipped(parts: Sequence[Samples], runs: Iterable[Run]) -> int:
    """Count samples in flat tops: three or more equal ones at the extreme of the day, at a large level."""
    samples = [run.samples for run in runs]
    if samples[0].dtype.kind == "f":
        return 0
    clipped = 0
    for level in (max(int(run.max()) for run in samples), min(int(run.min()) for run in samples)):
        if _CLIPPING_LEVEL <= abs(level) < -fill_value("counts"):
            for part in parts:
                edges = np.flatnonzero(np.diff((part == level).view(np.int8), prepend=0, append=0))
                lengths = edges[1::2] - edges[::2]
                clipped += int(lengths[lengths >= _CLIPPING_RUN].sum())
    return clipped
