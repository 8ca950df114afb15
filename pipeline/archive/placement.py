"""
Placement: pieces onto the grid of a day.

Each sample belongs to the grid point nearest to its time. A piece whose clock keeps the grid's rate is one
run a day; one that drifts is cut where it passes half a step, and there either a grid point stays empty (a
slow clock) or two samples want the same one (a fast clock): the second goes to the side table::

    grid      |     |     |     |     |     |
    slow       x     x      x      x      x      … a hole wherever the count falls behind
    fast       x    x    x    x   x   x          … a collision wherever it runs ahead
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from pipeline.archive.grid import DayGrid
from pipeline.archive.pieces import Piece, Samples, sample_time_ns
from pipeline.keys import Channel

__all__ = ["Run", "SideRun", "place"]


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """
    Consecutive samples on consecutive grid points of one day.

    Parameters
    ----------
    channel : Channel
        As the source names it.
    day : int
        Days since 1970.
    first : int
        Grid index in the day of the first sample.
    samples : ndarray, shape (n,)
        A view of the piece's samples.
    start_ns, rate_hz : int, float
        Exact time of the first sample, and the rate by the instrument's clock.
    rank, source, chain, timing_quality, flagged_clipped : int
        See `pipeline.archive.pieces.Piece`; ``source`` numbers the file among those of the day.
    """

    channel: Channel
    day: int
    first: int
    samples: Samples
    start_ns: int
    rate_hz: float
    rank: int
    source: int
    chain: int
    timing_quality: int = -1
    flagged_clipped: int = 0

    @property
    def stop(self) -> int:
        """Grid index after the last sample."""
        return self.first + len(self.samples)

    def part(self, begin: int, end: int) -> Run:
        """Return the samples from ``begin`` to before ``end``, counted in the run."""
        start = sample_time_ns(self.start_ns, self.rate_hz, begin)
        return replace(self, first=self.first + begin, samples=self.samples[begin:end], start_ns=start)


@dataclass(frozen=True, slots=True, eq=False)
class SideRun:
    """
    Samples that the grid of their day cannot hold.

    ``kind`` is ``collision`` (two samples at one grid point), ``leap`` (inside a leap second, with times
    that run on into the next day) or ``channel`` (another channel holds the slot).
    """

    channel: Channel
    day: int
    kind: str
    samples: Samples
    start_ns: int
    rate_hz: float
    rank: int
    source: int


def place(piece: Piece, grid: DayGrid, days: range, *, source: int) -> tuple[list[Run], list[SideRun]]:
    """
    Put a piece on the grid of each of some days.

    Parameters
    ----------
    piece : Piece
        Any piece; what lies outside the days is left out.
    grid : DayGrid
        The grid of its stream.
    days : range
        Days since 1970, consecutive.
    source : int
        Number of the source file.

    Returns
    -------
    runs, side : list of Run, list of SideRun
        Every sample of the piece on those days stands in exactly one of them.

    Examples
    --------
    >>> import numpy as np
    >>> samples = np.arange(4, dtype=np.int32)
    >>> piece = Piece(Channel.parse("NG.AQG..MGZ"), samples, 86_399_000_000_000, 1.0, 1.0)
    >>> runs, side = place(piece, DayGrid.at_rate(1.0), range(0, 2), source=0)
    >>> [(run.day, run.first, run.samples.tolist()) for run in runs]
    [(0, 86399, [0]), (1, 0, [1, 2, 3])]
    """
    if piece.leap:
        # A leap second belongs to the day that it ends, though its times run on into the next.
        day = grid.index(piece.start_ns) // grid.samples_per_day - 1
        return [], [_side(piece, 0, len(piece.samples), day, "leap", source)] if day in days else []
    runs: list[Run] = []
    side: list[SideRun] = []
    n = grid.samples_per_day
    for begin, end, index, collides in _straight_runs(piece, grid):
        if collides:
            if index // n in days:
                side.append(_side(piece, begin, end, index // n, "collision", source))
            continue
        low, high = max(index, days.start * n), min(index + end - begin, days.stop * n)
        while low < high:
            day = low // n
            stop = min(high, (day + 1) * n)
            runs.append(_run(piece, begin + low - index, begin + stop - index, day, low - day * n, source))
            low = stop
    return runs, side


def _straight_runs(piece: Piece, grid: DayGrid) -> Iterator[tuple[int, int, int, bool]]:
    """Yield (begin, end, grid index of begin, collides) of samples on consecutive grid points."""

    def index(sample: int) -> int:
        return grid.index(sample_time_ns(piece.start_ns, piece.rate_hz, sample))

    begin, total = 0, len(piece.samples)
    previous = None
    while begin < total:
        first = index(begin)
        if first == previous:
            yield begin, begin + 1, first, True
            begin += 1
            continue
        end = total if index(total - 1) - first == total - 1 - begin else _first_break(index, begin, total)
        yield begin, end, first, False
        previous = first + end - begin - 1
        begin = end


def _first_break(index: Callable[[int], int], begin: int, total: int) -> int:
    """Bisect for the first sample whose grid index is not one more than that of the sample before."""
    first = index(begin)
    good, bad = begin, total - 1
    while bad - good > 1:
        middle = (good + bad) // 2
        if index(middle) - first == middle - begin:
            good = middle
        else:
            bad = middle
    return bad


def _run(piece: Piece, begin: int, end: int, day: int, first: int, source: int) -> Run:
    return Run(
        channel=piece.channel,
        day=day,
        first=first,
        samples=piece.samples[begin:end],
        start_ns=sample_time_ns(piece.start_ns, piece.rate_hz, begin),
        rate_hz=piece.rate_hz,
        rank=piece.rank,
        source=source,
        chain=piece.chain,
        timing_quality=piece.timing_quality,
        flagged_clipped=piece.flagged_clipped,
    )


def _side(piece: Piece, begin: int, end: int, day: int, kind: str, source: int) -> SideRun:
    return SideRun(
        channel=piece.channel,
        day=day,
        kind=kind,
        samples=piece.samples[begin:end],
        start_ns=sample_time_ns(piece.start_ns, piece.rate_hz, begin),
        rate_hz=piece.rate_hz,
        rank=piece.rank,
        source=source,
    )
