"""
Chains: segments of many days joined where they continue each other, cut to a span.

A segment ends at midnight because a station-day does; the clock of the instrument did not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipeline.archive.grid import DayGrid
from pipeline.archive.merge import Segment, join_segments

__all__ = ["find_chains"]


def find_chains(
    segments: Iterable[tuple[int, Segment]], grid: DayGrid, first: int, stop: int
) -> list[Segment]:
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
    list of Segment
        Counted since 1970, not in their day, in order of array, component and time.

    Examples
    --------
    >>> grid = DayGrid.at_rate(1.0)
    >>> evening = Segment("counts", 0, "LHZ", 86_390, 10, 86_390_000_000_000, 1.0, 2, 0)
    >>> morning = Segment("counts", 0, "LHZ", 0, 5, 86_400_000_000_000, 1.0, 2, 0)
    >>> [(chain.first, chain.length) for chain in find_chains([(0, evening), (1, morning)], grid, 0, 172_800)]
    [(86390, 15)]
    """
    parts = (replace(each, first=day * grid.samples_per_day + each.first) for day, each in segments)
    cut = [_cut(part, first, stop) for part in parts if part.first < stop and part.stop > first]
    return join_segments(sorted(cut, key=lambda part: (part.array, part.component, part.first)))


def _cut(chain: Segment, first: int, stop: int) -> Segment:
    begin, end = max(chain.first, first), min(chain.stop, stop)
    return replace(chain, first=begin, length=end - begin, start_ns=chain.time_ns(begin))
