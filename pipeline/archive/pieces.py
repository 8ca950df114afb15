"""
Pieces: what a reader makes of a source file.

A piece is one channel, evenly sampled, with the exact time of its first sample and the rate that its own
clock kept. Record times that do not lie on one line (a clock was set, or drifted) become several pieces.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.keys import Channel

__all__ = ["Piece", "Samples", "Span", "fit_lines", "sample_times_ns"]

Samples = NDArray[np.int32] | NDArray[np.float32] | NDArray[np.float64]

_ROUNDING_NS = 3.0
_FIT_SLACK = 1.5  # least squares run beside the narrowest band around rounded times
_FIRST_REACH = 8  # records; a line through fewer says little about the clock

JITTER_LINES = 16
"""A clock that needs more lines than this, and than one per as many records, jitters: fitted coarser."""


@dataclass(frozen=True, slots=True)
class Span:
    """
    What a source file holds of one channel, known without decoding a sample.

    Parameters
    ----------
    channel : Channel
        As the source names it.
    rate_hz : float
        The rate that its header states.
    dtype : str
        ``int32``, ``float32`` or ``float64``.
    start_ns, end_ns : int
        Times of the first and the last sample.
    samples : int
        How many samples lie between, gaps not counted.
    """

    channel: Channel
    rate_hz: float
    dtype: str
    start_ns: int
    end_ns: int
    samples: int


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """
    A run of evenly spaced samples of one channel.

    Parameters
    ----------
    channel : Channel
        As the source names it.
    samples : ndarray, shape (n,)
        int32, float32 or float64; read-only.
    start_ns : int
        Time of the first sample since 1970.
    rate_hz : float
        Samples per second by the clock of the instrument: sample i lies at ``start_ns + i / rate_hz``.
    nominal_rate_hz : float
        The rate that the header states.
    rank : int
        Publication version, or quality: R 1, D 2, Q 3, M 4. The higher one wins.
    chain : int
        Pieces of one chain follow each other within half a sample.
    timing_quality : int
        Least percentage stated, -1 where none is.
    flagged_clipped : int
        Samples in records whose header says that the digitizer clipped.
    leap : bool
        Whether these samples lie inside a positive leap second, which POSIX time cannot tell from the
        first second of the next day.
    """

    channel: Channel
    samples: Samples
    start_ns: int
    rate_hz: float
    nominal_rate_hz: float
    rank: int = 2
    chain: int = 0
    timing_quality: int = -1
    flagged_clipped: int = 0
    leap: bool = False

    @property
    def end_ns(self) -> int:
        """Time of the last sample."""
        return sample_time_ns(self.start_ns, self.rate_hz, len(self.samples) - 1)


def sample_time_ns(start_ns: int, rate_hz: float, index: int) -> int:
    """
    Return the time of one sample of a run to the nearest nanosecond.

    >>> sample_time_ns(0, 100.0, 3)
    30000000
    """
    return start_ns + round(index * 1e9 / rate_hz)


def sample_times_ns(start_ns: int, rate_hz: float, count: int) -> NDArray[np.int64]:
    """
    Return the times of all samples of a run.

    >>> sample_times_ns(5, 4.0, 3)
    array([        5, 250000005, 500000005])
    """
    offsets = np.rint(np.arange(count, dtype=np.float64) * (1e9 / rate_hz)).astype(np.int64)
    return offsets + start_ns


def fit_lines(
    first_sample: NDArray[np.int64],
    time_ns: NDArray[np.int64],
    rate_hz: float,
    *,
    resolution_ns: int = 1000,
) -> list[tuple[int, int, int, float]]:
    """
    Describe the clock of contiguous records by as few lines as keep every record's time.

    Parameters
    ----------
    first_sample : ndarray of int64, shape (records,)
        Number of the first sample of each record in the run; rising.
    time_ns : ndarray of int64, shape (records,)
        The time that each record states.
    rate_hz : float
        The stated rate. It is kept where it explains the times; else a rate is fitted.
    resolution_ns : int
        How exactly the source states times. A line passes every record within this.

    Returns
    -------
    list of (first record, end record, start_ns, rate_hz)
        Half-open ranges of records, the time of the first sample of each and its rate.

    Examples
    --------
    >>> import numpy as np
    >>> samples = np.arange(0, 1000, 100)
    >>> fit_lines(samples, samples * 10_000_000, 100.0)
    [(0, 10, 0, 100.0)]
    >>> times = samples * 10_000_000
    >>> times[5:] += 3_000_000
    >>> fit_lines(samples, times, 100.0)
    [(0, 5, 0, 100.0), (5, 10, 5003000000, 100.0)]
    """
    most = max(JITTER_LINES, len(time_ns) // JITTER_LINES)
    lines = _fit_greedily(first_sample, time_ns, rate_hz, resolution_ns, most)
    if lines is not None:
        return _hand_over(lines, first_sample, time_ns, resolution_ns)
    lines = []
    steady = _steady_stretches(first_sample, time_ns, rate_hz, resolution_ns)
    kept = set(steady)
    ends = (0, *chain.from_iterable(steady), len(time_ns))
    jittering = len(time_ns) - sum(end - begin for begin, end in steady)
    for begin, end in pairwise(ends):
        if (begin, end) in kept:
            lines.append((begin, end, int(time_ns[begin]), rate_hz))
        elif begin < end:
            # So that many short stretches are not cut into as many lines each as one long one.
            share = max(1, most * (end - begin) // jittering)
            found = _fit_coarsely(first_sample[begin:end], time_ns[begin:end], rate_hz, resolution_ns, share)
            lines += [(begin + a, begin + b, start, rate) for a, b, start, rate in found]
    return lines


def _steady_stretches(
    first_sample: NDArray[np.int64], time_ns: NDArray[np.int64], rate_hz: float, tolerance: float
) -> list[tuple[int, int]]:
    """Find where many records on end keep the stated rate: a clock that jitters elsewhere is right there."""
    allowed = max(tolerance, _ROUNDING_NS)
    off = (time_ns - time_ns[0]) - (first_sample - first_sample[0]) * (1e9 / rate_hz)
    cuts = np.flatnonzero(np.abs(np.diff(off)) > allowed) + 1
    return [
        (begin, end)
        for begin, end in pairwise((0, *cuts.tolist(), len(off)))
        if end - begin >= JITTER_LINES and np.ptp(off[begin:end]) <= allowed
    ]


def _fit_coarsely(
    first_sample: NDArray[np.int64], time_ns: NDArray[np.int64], rate_hz: float, tolerance: float, most: int
) -> list[tuple[int, int, int, float]]:
    """Fit ever more coarsely until so many lines suffice, but never by more than half a sample."""
    half_sample = 0.5e9 / rate_hz
    while True:
        is_last = tolerance * 4 > half_sample
        lines = _fit_greedily(first_sample, time_ns, rate_hz, tolerance, len(time_ns) if is_last else most)
        if lines is not None:
            return _hand_over(lines, first_sample, time_ns, tolerance)
        tolerance *= 4


def _fit_greedily(
    first_sample: NDArray[np.int64], time_ns: NDArray[np.int64], rate_hz: float, tolerance: float, most: int
) -> list[tuple[int, int, int, float]] | None:
    """
    Take the longest line from the front, found by doubling and bisection, until nothing is left.

    None as soon as that takes more lines than ``most``.
    """
    lines: list[tuple[int, int, int, float]] = []
    begin, total = 0, len(time_ns)
    while begin < total:
        if len(lines) == most:
            return None
        good, line = begin + 1, (int(time_ns[begin]), rate_hz)
        bad, reach = total + 1, min(begin + _FIRST_REACH, total)
        while good < bad - 1:
            found = _line(first_sample[begin:reach], time_ns[begin:reach], rate_hz, tolerance)
            if found is None:
                bad = reach
            else:
                good, line = reach, found
            reach = min(2 * reach - begin, total) if bad > total else (good + bad) // 2
        lines.append((begin, good, *line))
        begin = good
    return lines


def _hand_over(
    lines: list[tuple[int, int, int, float]],
    first_sample: NDArray[np.int64],
    time_ns: NDArray[np.int64],
    tolerance: float,
) -> list[tuple[int, int, int, float]]:
    """
    Give the last record of a line to the next one where both pass its start.

    There the clock changed its rate, and the record after tells which rate this one kept.
    """
    for number in range(len(lines) - 1, 0, -1):
        (a, b, start, rate), (_, end, next_start, next_rate) = lines[number - 1], lines[number]
        back = next_start - round((first_sample[b] - first_sample[b - 1]) * 1e9 / next_rate)
        if b - 1 > a and abs(back - int(time_ns[b - 1])) <= max(tolerance, _ROUNDING_NS):
            lines[number - 1 : number + 1] = [(a, b - 1, start, rate), (b - 1, end, back, next_rate)]
    return lines


def _line(
    first_sample: NDArray[np.int64], time_ns: NDArray[np.int64], rate_hz: float, tolerance: float
) -> tuple[int, float] | None:
    """
    Return start and rate of a line within the tolerance of every point, if there is one.

    With the stated rate it begins where the first record says, as any reader has it; with a fitted one it
    runs through the middle of the points.
    """
    count = (first_sample - first_sample[0]).astype(np.float64)
    elapsed = (time_ns - time_ns[0]).astype(np.float64)
    allowed = max(tolerance, _ROUNDING_NS)
    off = elapsed - count * (1e9 / rate_hz)
    if off.max() - off.min() <= allowed:
        return int(time_ns[0]), rate_hz
    if len(count) < 3:
        return None
    centred = count - count.mean()
    period = float(centred @ (elapsed - elapsed.mean()) / (centred @ centred))
    off = elapsed - count * period
    if period <= 0 or off.max() - off.min() > _FIT_SLACK * allowed:
        return None
    return int(time_ns[0]) + round(float(off.min() + off.max()) / 2), 1e9 / period
