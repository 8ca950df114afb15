"""
Chains: segments of many days joined where they continue each other, cut to a span.

A segment ends at midnight because a station-day does; the clock of the instrument did not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pipeline.archive.grid import DayGrid
from pipeline.archive.merge import Segment
from pipeline.archive.pieces import sample_time_ns

__all__ = ["Chain", "find_chains"]

_SAME_TIME_NS = 500


@dataclass(frozen=True, slots=True)
class Chain:
    """
    Contiguous samples of one component.

    Parameters
    ----------
    array, component, channel : str, int, str
        Where the samples lie, and the channel that gave them.
    first, length : int
        First sample since 1970, and how many follow.
    start_ns, rate_hz : int, float
        Exact time of the first sample, and the rate by the instrument's clock.
    rank : int
        Publication version, or quality.
    """

    array: str
    component: int
    channel: str
    first: int
    length: int
    start_ns: int
    rate_hz: float
    rank: int

    @property
    def stop(self) -> int:
        """Sample since 1970 after the last one."""
        return self.first + self.length

    def time_ns(self, index: int) -> int:
        """Return the exact time of a sample, counted since 1970."""
        return sample_time_ns(self.start_ns, self.rate_hz, index - self.first)


def find_chains(segments: Iterable[tuple[int, Segment]], grid: DayGrid, first: int, stop: int) -> list[Chain]:
    """
    Join segments and cut them to a span.

    Parameters
    ----------
    segments : iterable of (day since 1970, Segment)
        In any order.
    grid : DayGrid
        Samples of a day.
    first, stop : int
        Samples since 1970, half-open.

    Returns
    -------
    list of Chain
        In order of array, component and time.

    Examples
    --------
    >>> grid = DayGrid.at_rate(1.0)
    >>> evening = Segment("counts", 0, "LHZ", 86_390, 10, 86_390_000_000_000, 1.0, 2, 0)
    >>> morning = Segment("counts", 0, "LHZ", 0, 5, 86_400_000_000_000, 1.0, 2, 0)
    >>> [(chain.first, chain.length) for chain in find_chains([(0, evening), (1, morning)], grid, 0, 172_800)]
    [(86390, 15)]
    """
    parts = [_chain(day, segment, grid) for day, segment in segments]
    cut = [_cut(part, first, stop) for part in parts if part.first < stop and part.stop > first]
    cut.sort(key=lambda part: (part.array, part.component, part.first))
    return _join(cut)


def _chain(day: int, segment: Segment, grid: DayGrid) -> Chain:
    return Chain(
        array=segment.array,
        component=segment.component,
        channel=segment.channel,
        first=day * grid.samples_per_day + segment.first,
        length=segment.length,
        start_ns=segment.start_ns,
        rate_hz=segment.rate_hz,
        rank=segment.rank,
    )


def _cut(chain: Chain, first: int, stop: int) -> Chain:
    begin, end = max(chain.first, first), min(chain.stop, stop)
    return replace(chain, first=begin, length=end - begin, start_ns=chain.time_ns(begin))


def _join(parts: Sequence[Chain]) -> list[Chain]:
    joined: list[Chain] = []
    for part in parts:
        last = joined[-1] if joined else None
        if last is not None and _continues(last, part):
            joined[-1] = replace(last, length=last.length + part.length)
        else:
            joined.append(part)
    return joined


def _continues(last: Chain, part: Chain) -> bool:
    same = (last.array, last.component, last.channel, last.rank, last.rate_hz, last.stop) == (
        part.array,
        part.component,
        part.channel,
        part.rank,
        part.rate_hz,
        part.first,
    )
    return same and abs(last.time_ns(part.first) - part.start_ns) <= _SAME_TIME_NS
