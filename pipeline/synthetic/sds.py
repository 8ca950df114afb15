"""
Day files: traces as archives hold them, a miniSEED file of 512-byte records for each channel and UTC day.

A day goes by the header's time, as a data centre files it, so that a record of a wrong clock may lie in the
wrong file. Where traces of a day come one after the other, so do their records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from pipeline.archive.grid import DAY_NS, day_of_number
from pipeline.archive.packing import RECORD_BYTES, DayFile, pack_records
from pipeline.synthetic.draws import generator
from pipeline.synthetic.faults import Trace

__all__ = ["day_files"]

_RANKS = {"R": 1, "D": 2, "Q": 3, "M": 4}


def day_files(traces: Iterable[Trace], *, seed: int) -> list[DayFile]:
    """
    Write traces as miniSEED.

    Parameters
    ----------
    traces : iterable of Trace
        Of any channels and lengths.
    seed : int
        Of the archive: tells how records are shuffled where they are.

    Returns
    -------
    list of DayFile
        In order of day and channel.

    Examples
    --------
    >>> from pipeline.keys import Channel
    >>> trace = Trace(channel=Channel.parse("SY.A..LHZ"), samples=np.arange(86_500, dtype=np.int32),
    ...               start_ns=0, rate_hz=1.0)
    >>> [(str(file.channel), file.day.isoformat()) for file in day_files([trace], seed=1)]
    [('SY.A..LHZ', '1970-01-01'), ('SY.A..LHZ', '1970-01-02')]
    """
    found: dict[tuple[int, str], list[bytes]] = {}
    channels = {}
    for trace in traces:
        channels[str(trace.channel)] = trace.channel
        for day, part in _by_day(trace):
            rank = _RANKS[part.quality]
            records = pack_records(part.channel, part.samples, part.start_ns, part.rate_hz, rank)
            if part.is_shuffled:
                records = _shuffle(records, seed, str(part.channel), day)
            found.setdefault((day, str(trace.channel)), []).append(records)
    return [
        DayFile(channels[name], day_of_number(day), b"".join(found[day, name])) for day, name in sorted(found)
    ]


def _by_day(trace: Trace) -> Iterator[tuple[int, Trace]]:
    begin = 0
    while begin < len(trace.samples):
        rest = trace.part(begin, len(trace.samples))
        day = rest.start_ns // DAY_NS
        end = begin + rest.index((day + 1) * DAY_NS)
        yield day, trace.part(begin, end)
        begin = end


def _shuffle(records: bytes, seed: int, *key: str | int) -> bytes:
    whole = np.frombuffer(records, dtype=np.uint8).reshape(-1, RECORD_BYTES)
    return generator(seed, "order of records", *key).permutation(whole).tobytes()
