"""
What goes wrong with real archives, done to clean records on purpose.

A fault takes the traces of one stream over a span and returns other ones; each is a row of the truth. They
are applied in the order in which they are given, so that a component can die after it was swapped.

Clocks: a sample is taken when it is taken, and only what its header says of that is wrong. Leap seconds
(`pipeline.synthetic.faults.leap_second`) and new sensors are in clean records already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.keys import Channel
from pipeline.synthetic.draws import generator
from pipeline.synthetic.faults.fault_kinds import Fault

__all__ = ["Trace", "apply_faults"]

DAY_NS = 86_400_000_000_000
_DRIFT_STEP_NS = 30_000_000_000
_INT32 = np.iinfo(np.int32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """
    Contiguous samples of one channel, as its data logger would hand them over.

    Parameters
    ----------
    channel : Channel
        As it is written.
    samples : ndarray of int32, shape (n,)
        Counts.
    start_ns : int
        Time that the header states for the first sample.
    rate_hz : float
        Rate that the header states.
    quality : str
        ``R``, ``D``, ``Q`` or ``M``.
    is_shuffled : bool
        Whether its records are out of order in their file.
    leap_samples : int
        How many of the last samples lie inside a leap second, in times that run on as if there were none.
    """

    channel: Channel
    samples: NDArray[np.int32]
    start_ns: int
    rate_hz: float
    quality: str = "D"
    is_shuffled: bool = False
    leap_samples: int = 0

    def index(self, time_ns: int) -> int:
        """Return the first sample at or after a time, at least 0 and at most n; none of a leap second is."""
        if self.leap_samples and time_ns >= self._leap_midnight_ns:
            return len(self.samples)
        behind = -(-(time_ns - self.start_ns) * round(self.rate_hz * 1e6) // 10**15)
        return int(min(max(behind, 0), len(self.samples)))

    def part(self, begin: int, end: int) -> Trace:
        """Return the samples from ``begin`` to before ``end``."""
        start = self.start_ns + round(begin * 1e9 / self.rate_hz)
        leap = max(0, end - max(begin, len(self.samples) - self.leap_samples))
        return replace(self, samples=self.samples[begin:end], start_ns=start, leap_samples=leap)

    @property
    def _leap_midnight_ns(self) -> int:
        first = len(self.samples) - self.leap_samples
        return (self.start_ns + round(first * 1e9 / self.rate_hz)) // DAY_NS * DAY_NS


def apply_faults(traces: Iterable[Trace], faults: Sequence[Fault], *, seed: int) -> list[Trace]:
    """
    Spoil some traces.

    Parameters
    ----------
    traces : iterable of Trace
        Clean; left as they are.
    faults : sequence of Fault
        Of any streams and times.
    seed : int
        Of the archive.

    Returns
    -------
    list of Trace
        In the order of the clean ones; what a fault adds follows what it was made of.

    Examples
    --------
    >>> trace = Trace(channel=Channel.parse("SY.A..BHZ"), samples=np.arange(8, dtype=np.int32),
    ...               start_ns=0, rate_hz=1.0)
    >>> gap = Fault(kind="gap", stream="SY.A..BH", start_ns=2 * 10**9, end_ns=5 * 10**9)
    >>> [each.samples.tolist() for each in apply_faults([trace], [gap], seed=1)]
    [[0, 1], [5, 6, 7]]
    """
    found = list(traces)
    for fault in faults:
        if fault.kind == "swapped":
            found = _swap(found, fault)
            continue
        spoil = _SPOIL[fault.kind]
        found = [
            part
            for trace in found
            for part in (spoil(trace, fault, seed) if fault.concerns(trace.channel) else [trace])
            if len(part.samples)
        ]
    return found


def _span(trace: Trace, fault: Fault) -> tuple[int, int]:
    return trace.index(fault.start_ns), trace.index(fault.end_ns)


def _around(trace: Trace, fault: Fault, inside: Callable[[Trace], Sequence[Trace]]) -> list[Trace]:
    """Cut a trace at the ends of a fault, and change what lies between."""
    begin, end = _span(trace, fault)
    if begin >= end:
        return [trace]
    parts = [trace.part(0, begin), *inside(trace.part(begin, end)), trace.part(end, len(trace.samples))]
    return [part for part in parts if len(part.samples)]


def _in_place(
    trace: Trace, fault: Fault, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> list[Trace]:
    """Change samples, and leave the trace in one piece."""
    begin, end = _span(trace, fault)
    changed = np.rint(change(trace.samples[begin:end].astype(np.float64)))
    samples = trace.samples.copy()
    samples[begin:end] = np.clip(changed, _INT32.min + 1, _INT32.max)
    return [replace(trace, samples=samples)]


def _remove(trace: Trace, fault: Fault, seed: int) -> list[Trace]:  # noqa: ARG001 (one signature for all)
    return _around(trace, fault, lambda _: [])


def _repeat(trace: Trace, fault: Fault, seed: int) -> list[Trace]:  # noqa: ARG001
    begin, end = _span(trace, fault)
    return [trace, trace.part(begin, end)]


def _contradict(trace: Trace, fault: Fault, seed: int) -> list[Trace]:
    begin, end = _span(trace, fault)
    again = trace.part(begin, end)
    key = ("fault", fault.kind, fault.stream, trace.channel.code, fault.start_ns)
    off = np.rint(generator(seed, *key).normal(0.0, fault.size, end - begin))
    return [trace, replace(again, samples=(again.samples + off).astype(np.int32))]


def _shift(trace: Trace, fault: Fault, seed: int) -> list[Trace]:  # noqa: ARG001
    shift_ns = round(fault.size * 1e9)
    return _around(trace, fault, lambda part: [replace(part, start_ns=part.start_ns + shift_ns)])


def _drift(trace: Trace, fault: Fault, seed: int) -> list[Trace]:  # noqa: ARG001
    """Move each half minute by what the clock is off at its start."""

    def drifting(part: Trace) -> list[Trace]:
        steps = range(fault.start_ns, fault.end_ns + _DRIFT_STEP_NS, _DRIFT_STEP_NS)
        cuts = sorted({0, len(part.samples), *(part.index(time) for time in steps)})
        pieces = [part.part(begin, end) for begin, end in pairwise(cuts)]
        return [
            replace(p, start_ns=p.start_ns + round(fault.size * 1e9 * (p.start_ns - fault.start_ns) / DAY_NS))
            for p in pieces
        ]

    return _around(trace, fault, drifting)


def _kill(trace: Trace, fault: Fault, seed: int) -> list[Trace]:  # noqa: ARG001
    return _in_place(trace, fault, lambda samples: np.full_like(samples, fault.size))


def _reverse(trace: Trace, fault: Fault, seed: int) -> list[Trace]:  # noqa: ARG001
    return _in_place(trace, fault, np.negative)


def _clip(trace: Trace, fault: Fault, seed: int) -> list[Trace]:  # noqa: ARG001
    return _in_place(trace, fault, lambda samples: np.clip(samples, -fault.size, fault.size))


def _amplify(trace: Trace, fault: Fault, seed: int) -> list[Trace]:  # noqa: ARG001
    return _in_place(trace, fault, lambda samples: samples * fault.size)


def _halve_rate(trace: Trace, fault: Fault, seed: int) -> list[Trace]:  # noqa: ARG001
    """Decimate by two, with samples at the times of every other one before."""

    def halved(part: Trace) -> list[Trace]:
        from scipy.signal import resample_poly

        slow = resample_poly(part.samples.astype(np.float64), 1, 2, window=("kaiser", 10.0))
        leap = part.leap_samples // 2
        samples = np.rint(slow).astype(np.int32)
        return [replace(part, samples=samples, rate_hz=part.rate_hz / 2, leap_samples=leap)]

    return _around(trace, fault, halved)


def _shuffle(trace: Trace, fault: Fault, seed: int) -> list[Trace]:  # noqa: ARG001
    return _around(trace, fault, lambda part: [replace(part, is_shuffled=True)])


def _give_twice(trace: Trace, fault: Fault, seed: int) -> list[Trace]:  # noqa: ARG001
    """Let the first version lack its middle third and be off by some counts, and the second be right."""

    def both(part: Trace) -> list[Trace]:
        third = len(part.samples) // 3
        first = replace(part, samples=part.samples + np.int32(fault.size))
        halves = first.part(0, third), first.part(2 * third, len(part.samples))
        return [*halves, replace(part, quality="Q")]

    return _around(trace, fault, both)


def _keep(trace: Trace, fault: Fault, seed: int) -> list[Trace]:  # noqa: ARG001
    return [trace]


def _count_on(trace: Trace, fault: Fault, seed: int) -> list[Trace]:
    """Give the leap second the first second of the day, and be late from then on until somebody notices."""
    late = replace(fault, kind="clock_shift", size=1.0)
    return [replace(part, leap_samples=0) for part in _shift(trace, late, seed)]


def _swap(traces: Sequence[Trace], fault: Fault) -> list[Trace]:
    """Exchange the samples of the two components that a fault names, epoch by epoch of their sensor."""
    pairs: dict[tuple[int, int], list[Trace]] = {}
    for trace in traces:
        if fault.concerns(trace.channel):
            pairs.setdefault((trace.start_ns, len(trace.samples)), []).append(trace)
    if sum(map(len, pairs.values())) < 2:
        return list(traces)
    changed = {}
    for pair in pairs.values():
        if len(pair) != 2:
            raise ConfigError(
                f"fault swapped of {fault.stream}: should come before those that cut its traces"
            )
        one, other = pair
        begin, end = _span(one, fault)
        samples = one.samples.copy(), other.samples.copy()
        samples[0][begin:end], samples[1][begin:end] = other.samples[begin:end], one.samples[begin:end]
        changed[id(one)] = replace(one, samples=samples[0])
        changed[id(other)] = replace(other, samples=samples[1])
    return [changed.get(id(each), each) for each in traces]


_SPOIL: Mapping[str, Callable[[Trace, Fault, int], list[Trace]]] = {
    "gap": _remove,
    "missing_day": _remove,
    "equal_overlap": _repeat,
    "disagreeing_overlap": _contradict,
    "clock_shift": _shift,
    "clock_drift": _drift,
    "dead": _kill,
    "polarity": _reverse,
    "clipped": _clip,
    "wrong_gain": _amplify,
    "half_rate": _halve_rate,
    "out_of_order": _shuffle,
    "two_versions": _give_twice,
    "leap_second": _keep,
    "missed_leap_second": _count_on,
    "sensor_change": _keep,
}
