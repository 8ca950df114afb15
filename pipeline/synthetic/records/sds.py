"""
Day files: traces as archives hold them, a miniSEED file of 512-byte records for each channel and UTC day.

A day's file holds what was recorded on that day, whatever its clock said: one task makes it, and no other.
Where traces come one after the other, so do their records.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import numpy as np

from pipeline.archive.packing import RECORD_BYTES, DayFile, pack_records
from pipeline.synthetic.draws import generator
from pipeline.synthetic.faults.spoiling import Trace

__all__ = ["RANKS", "day_files"]

RANKS: Final[Mapping[str, int]] = MappingProxyType({"R": 1, "D": 2, "Q": 3, "M": 4})
"""Of qualities: where two samples compete, the higher one counts."""


def day_files(traces: Iterable[Trace], day: dt.date, *, seed: int) -> list[DayFile]:
    """
    Write the traces of a day as miniSEED.

    Parameters
    ----------
    traces : iterable of Trace
        Of any channels.
    day : date
        When they were recorded.
    seed : int
        Of the archive: tells how records are shuffled where they are.

    Returns
    -------
    list of DayFile
        In order of channel.

    Examples
    --------
    >>> from pipeline.keys import Channel
    >>> trace = Trace(channel=Channel.parse("SY.A..LHZ"), samples=np.arange(900, dtype=np.int32),
    ...               start_ns=0, rate_hz=1.0)
    >>> [(str(file.channel), len(file.data)) for file in day_files([trace], dt.date(1970, 1, 1), seed=1)]
    [('SY.A..LHZ', 1024)]
    """
    found: dict[str, list[bytes]] = {}
    channels = {}
    for trace in traces:
        name = str(trace.channel)
        rank = RANKS[trace.quality]
        clock = (trace.start_ns, trace.rate_hz, rank)
        records = pack_records(trace.channel, trace.samples, *clock, leap_samples=trace.leap_samples)
        if trace.is_shuffled:
            records = _shuffle(records, seed, name, day.toordinal())
        channels[name] = trace.channel
        found.setdefault(name, []).append(records)
    return [DayFile(channels[name], day, b"".join(found[name])) for name in sorted(found)]


def _shuffle(records: bytes, seed: int, *key: str | int) -> bytes:
    whole = np.frombuffer(records, dtype=np.uint8).reshape(-1, RECORD_BYTES)
    return generator(seed, "order of records", *key).permutation(whole).tobytes()
