"""
A leap second in a record: the second 23:59:60, in which the ground goes on moving.

::

    POSIX time, in which all is made     … 58 | 59 | 00 | 01 …
    what is recorded                     … 58 | 59 | 60 | 00 | 01 …      60: a cross-fade from 00 to 59

The generators count in POSIX time, which has no such second. Its samples are mixed from those of the seconds
around it: they set out as the second after begins and end as the second before does, so that there is no
step on either side. What travels through the ground at that moment waits for a second.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ConfigError
from pipeline.synthetic.faults.fault_kinds import LEAP_KINDS, Fault
from pipeline.synthetic.faults.spoiling import Trace

__all__ = ["insert_leap_second", "with_leap_seconds"]

_SECOND_NS = 10**9


def with_leap_seconds(trace: Trace, faults: Iterable[Fault], following: NDArray[np.int32]) -> list[Trace]:
    """Put the leap seconds of some faults into a trace; see `insert_leap_second`."""
    found = [trace]
    for fault in faults:
        if fault.kind in LEAP_KINDS and fault.concerns(trace.channel):
            found = [part for each in found for part in insert_leap_second(each, fault.start_ns, following)]
    return found


def insert_leap_second(trace: Trace, midnight_ns: int, following: NDArray[np.int32]) -> list[Trace]:
    """
    Put a leap second into a trace, if it has the midnight before which it stands.

    Parameters
    ----------
    trace : Trace
        At a whole number of samples a second.
    midnight_ns : int
        See `pipeline.synthetic.times.leap_seconds_ns`.
    following : array of int32
        Samples of the second after the trace, for one that ends at midnight.

    Returns
    -------
    list of Trace
        What lies before midnight, whose last samples are those of the leap second, and what comes after.

    Examples
    --------
    >>> from pipeline.keys import Channel
    >>> midnight_ns = 17_167 * 86_400 * 10**9
    >>> trace = Trace(channel=Channel.parse("SY.A..LHZ"), samples=np.array([0, 2, 4, 6], np.int32),
    ...               start_ns=midnight_ns - 2 * 10**9, rate_hz=1.0)
    >>> [(part.samples.tolist(), part.leap_samples) for part in
    ...  insert_leap_second(trace, midnight_ns, np.array([8], np.int32))]
    [([0, 2, 3], 1), ([4, 6], 0)]
    """
    count = round(trace.rate_hz)
    if count < 1 or abs(count - trace.rate_hz) > 1e-9:
        raise ConfigError(
            f"a leap second of {trace.channel} should have a whole number of samples, got {trace.rate_hz} Hz"
        )
    at, length = trace.index(midnight_ns), len(trace.samples)
    reach_ns = trace.start_ns + round((length + 0.5) * _SECOND_NS / count)
    if at == 0 or reach_ns < midnight_ns:
        return [trace]
    after = np.concatenate([trace.samples[at : at + count], following])[:count]
    filled = _cross_fade(trace.samples[:at][-count:], after, count)
    with_leap = np.concatenate([trace.samples[:at], filled])
    before = replace(trace, samples=with_leap, leap_samples=count)
    return [before, trace.part(at, length)] if at < length else [before]


def _cross_fade(before: NDArray[np.int32], after: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """Go over from the second after to the second before; at the ends of a record either may be short."""
    old = np.pad(before.astype(np.float64), (count - len(before), 0), mode="edge")
    new = np.pad(after.astype(np.float64), (0, count - len(after)), mode="edge") if len(after) else old
    # Weights that add up to one, so that long periods and offsets stay what they are.
    share = np.sin(np.pi / 2 * (np.arange(count) + 0.5) / count) ** 2
    return np.asarray(np.rint(new + (old - new) * share), dtype=np.int32)
