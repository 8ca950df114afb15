"""
Scores of picks against known arrivals.

A pick and an arrival of the same stream and phase belong together if they lie close enough; each belongs to
one other at most, the nearest first. A pick with an arrival is true, however small that arrival is; only
arrivals that are asked for can be missed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Marks", "Score", "during", "pair", "score"]

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Marks:
    """
    Picks or arrivals, as columns of one length.

    ``size`` is what each is weighed by: the probability of a pick, the SNR of an arrival.
    """

    stream: NDArray[np.str_]
    phase: NDArray[np.str_]
    time_ns: IntArray
    size: NDArray[np.float64]

    @classmethod
    def of(cls, stream: ArrayLike, phase: ArrayLike, time_ns: ArrayLike, size: ArrayLike) -> Marks:
        return cls(
            stream=np.asarray(stream, dtype=np.str_),
            phase=np.asarray(phase, dtype=np.str_),
            time_ns=np.asarray(time_ns, dtype=np.int64),
            size=np.asarray(size, dtype=np.float64),
        )


@dataclass(frozen=True, slots=True)
class Score:
    """
    How many arrivals were found, how many picks have no arrival, how many arrivals have no pick.

    >>> one = Score(true=8, false=2, missed=8)
    >>> one.precision, one.recall, round(one.f1, 3)
    (0.8, 0.5, 0.615)
    """

    true: int
    false: int
    missed: int

    @property
    def precision(self) -> float:
        return self.true / (self.true + self.false)

    @property
    def recall(self) -> float:
        return self.true / (self.true + self.missed)

    @property
    def f1(self) -> float:
        return 2 * self.true / (2 * self.true + self.false + self.missed)


def pair(picks: Marks, arrivals: Marks, within_s: float) -> IntArray:
    """
    Return the arrival of each pick, -1 for none.

    >>> picks = Marks.of(["A", "A"], ["P", "P"], [10_000_000_000, 10_300_000_000], [0.5, 0.9])
    >>> pair(picks, Marks.of(["A"], ["P"], [10_200_000_000], [7.0]), 0.5).tolist()
    [-1, 0]
    """
    found = np.full(len(picks.time_ns), -1)
    for stream, phase in sorted(set(zip(picks.stream.tolist(), picks.phase.tolist(), strict=True))):
        ours = _where(picks, stream, phase)
        theirs = _where(arrivals, stream, phase)
        _pair_times(ours, theirs, picks.time_ns, arrivals.time_ns, within_s, found)
    return found


def _where(marks: Marks, stream: str, phase: str) -> IntArray:
    """Return the indices of a stream and phase, in order of time."""
    found = np.flatnonzero((marks.stream == stream) & (marks.phase == phase))
    return found[np.argsort(marks.time_ns[found], kind="stable")]


def _pair_times(
    ours: IntArray,
    theirs: IntArray,
    pick_ns: IntArray,
    arrival_ns: IntArray,
    within_s: float,
    found: IntArray,
) -> None:
    limit = round(within_s * 1e9)
    times = arrival_ns[theirs]
    low = np.searchsorted(times, pick_ns[ours] - limit)
    high = np.searchsorted(times, pick_ns[ours] + limit, side="right")
    near = [
        (abs(int(pick_ns[k]) - int(arrival_ns[m])), int(pick_ns[k]), int(k), int(m))
        for k, begin, end in zip(ours, low, high, strict=True)
        for m in theirs[begin:end]
    ]
    taken = set()
    for _, _, k, m in sorted(near):
        if found[k] < 0 and m not in taken:
            found[k] = m
            taken.add(m)


def score(paired: IntArray, chosen: BoolArray, considered: BoolArray) -> Score:
    """
    Count.

    Parameters
    ----------
    paired : array of int
        The arrival of each pick, from `pair`.
    chosen : array of bool
        Which arrivals are asked for. A pick of another one is neither true nor false.
    considered : array of bool
        Which picks are false if they have no arrival.
    """
    hit = np.zeros(len(chosen), dtype=bool)
    hit[paired[paired >= 0]] = True
    return Score(
        true=int((hit & chosen).sum()),
        false=int((considered & (paired < 0)).sum()),
        missed=int((chosen & ~hit).sum()),
    )


def during(picks: Marks, stream: ArrayLike, start_ns: ArrayLike, end_ns: ArrayLike) -> NDArray[np.bool_]:
    """
    Return which picks fall into which spans of their streams, shape (spans, picks); ends belong to them.

    >>> picks = Marks.of(["A", "B"], ["P", "S"], [5, 5], [0.5, 0.5])
    >>> during(picks, ["A", "A"], [5, 6], [9, 9]).tolist()
    [[True, False], [False, False]]
    """
    start, end = (np.asarray(time, dtype=np.int64)[:, None] for time in (start_ns, end_ns))
    same = np.asarray(stream, dtype=np.str_)[:, None] == picks.stream
    return np.asarray(same & (start <= picks.time_ns) & (picks.time_ns <= end))
