"""Traces to pieces: what seismic formats have in common, whose headers name channels, if not always well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.archive.grid import RATES_HZ, nominal_rate
from pipeline.archive.pieces import Piece, Samples, sample_time_ns
from pipeline.archive.readers.columns import true_runs
from pipeline.archive.readers.mapping import ColumnRule, SourceRule
from pipeline.archive.readers.protocol import Problem
from pipeline.keys import Channel, Stream

__all__ = ["Trace", "pieces_of_traces"]

_SINGLE = 1.2e-7
"""Relative: as exactly as a number in single precision states a rate."""

_INT32 = np.iinfo(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """
    Samples of one channel without a gap.

    Parameters
    ----------
    name : str
        ``NET.STA.LOC.CHA``, as far as the header has it.
    start_ns, rate_hz : int, float
        As the header states them.
    samples : ndarray, shape (n,)
        Of any type.
    """

    name: str
    start_ns: int
    rate_hz: float
    samples: Any


def pieces_of_traces(
    traces: Sequence[Trace], rule: SourceRule | None, problems: list[Problem]
) -> list[Piece]:
    """
    Make pieces of traces, named and calibrated by the map where it has a rule for one.

    Examples
    --------
    >>> problems = []
    >>> pieces_of_traces([Trace(".PB01..", 0, 100.0, np.zeros(3))], None, problems)
    []
    >>> print(problems[0].detail)
    trace 1 is called '.PB01..': a map can name its channel (--map)
    """
    made: list[Piece] = []
    for number, trace in enumerate(traces, start=1):
        if not len(trace.samples):
            continue
        rules = () if rule is None else rule.columns
        column = next((column for column in rules if column.is_for(trace.name, number)), None)
        channel = _channel(trace.name, column)
        if channel is None:
            detail = f"trace {number} is called {trace.name!r}: a map can name its channel (--map)"
            problems.append(Problem("no channel name", detail))
        elif not RATES_HZ[0] <= trace.rate_hz <= RATES_HZ[1]:
            detail = f"trace {number}, {trace.name}, states a rate of {trace.rate_hz:g} Hz"
            problems.append(Problem("no sampling rate", detail))
        else:
            made += _pieces(trace, number, channel, column, () if rule is None else rule.undefined)
    return made


def _pieces(
    trace: Trace, chain: int, channel: Channel, column: ColumnRule | None, undefined: tuple[float, ...]
) -> list[Piece]:
    near = nominal_rate(trace.rate_hz)
    rate = near if abs(near - trace.rate_hz) <= _SINGLE * trace.rate_hz else trace.rate_hz
    samples, start_ns = _as_archived(trace.samples), trace.start_ns
    if column is not None:
        start_ns -= round(column.delay_s * 1e9)
        if column.calibration != 1:
            samples = samples.astype(np.float64) * column.calibration
    samples.flags.writeable = False
    begins, ends = true_runs(~np.isin(trace.samples, undefined))
    return [
        Piece(channel, samples[a:b], sample_time_ns(start_ns, rate, a), rate, rate, chain=chain)
        for a, b in zip(begins.tolist(), ends.tolist(), strict=True)
    ]


def _channel(name: str, column: ColumnRule | None) -> Channel | None:
    try:
        channel = Channel.parse(name if column is None else column.channel)
        Stream.parse(str(channel.stream))
    except ValueError:
        return None
    return channel


def _as_archived(samples: Any) -> Samples:
    """
    Return samples as a type that the archive has; no value changes.

    >>> _as_archived(np.array([1, 2], dtype=">i2")).dtype, _as_archived(np.array([2**40])).dtype
    (dtype('int32'), dtype('float64'))
    """
    if samples.dtype.kind == "f":
        single: Samples = samples.astype(np.float32 if samples.dtype.itemsize <= 4 else np.float64)
        return single
    fits = samples.dtype.itemsize < 4 or (samples.min() >= _INT32.min and samples.max() <= _INT32.max)
    whole: Samples = samples.astype(np.int32 if fits else np.float64)
    return whole
