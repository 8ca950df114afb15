"""
miniSEED 2 and 3: records to pieces.

Records are parsed as a table (`miniseed_headers`), strung into chains that are continuous within half a
sample, each chain is described by straight clocks (`pieces.fit_lines`), and only the records that a span
needs are decoded (`miniseed_samples`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.grid import DAY_NS, RATES_HZ, day_of_number
from pipeline.archive.pieces import Piece, Span, fit_lines, sample_time_ns
from pipeline.archive.readers.mapping import SourceRule
from pipeline.archive.readers.miniseed_headers import parse_headers
from pipeline.archive.readers.miniseed_marks import is_record
from pipeline.archive.readers.miniseed_samples import DTYPES, KINDS, decode_records
from pipeline.archive.readers.miniseed_table import HeaderTable
from pipeline.archive.readers.protocol import Allocate, Content, Problem, SourceFile
from pipeline.keys import Channel

__all__ = ["MiniSeedFile", "MiniSeedReader"]

SECOND_NS = 1_000_000_000

_TEXT = 0
_FAR_NS = 31 * DAY_NS
_LEAST_PAYLOAD = 41  # of miniSEED 3: its header, and an identifier
_SAMPLES_PER_BYTE = 2  # Steim2 packs seven into four bytes
_MAP_NOT_USED = Problem(
    "map not used", "miniSEED names its channels; gains and corrections belong into StationXML", lost=False
)


class MiniSeedReader:
    """Opens miniSEED 2 and 3."""

    name = "miniSEED"

    def accepts(self, head: bytes, name: str, rule: SourceRule | None) -> bool:  # noqa: ARG002 (the bytes tell)
        """See `Reader.accepts`."""
        return is_record(head)

    def open(self, data: bytes, rule: SourceRule | None) -> SourceFile:
        """See `Reader.open`: a header names its channel, and a map is not asked."""
        return MiniSeedFile(data, () if rule is None else (_MAP_NOT_USED,))

    def peek(self, head: bytes, tail: bytes, size: int) -> Span | None:
        """See `Reader.peek`: both ends must be whole records of one channel, rate, type and length."""
        first = parse_headers(head)
        if not len(first.rows):
            return None
        length = int(first.rows["length"][0])
        if size % length or length > len(tail):
            return None
        last = parse_headers(tail[-length:])
        if len(last.rows) != 1 or last.channels != first.channels:
            return None
        a, b = first.rows[0], last.rows[0]
        like = a["encoding"] == b["encoding"] and a["rate_hz"] == b["rate_hz"]
        usable = len(_usable(first, [])) == len(first.rows) and len(_usable(last, [])) == 1
        if not like or not usable or b["start_ns"] < a["start_ns"]:
            return None
        rate = float(a["rate_hz"])
        end_ns = sample_time_ns(int(b["start_ns"]), rate, int(b["samples"]) - 1)
        if end_ns - a["start_ns"] > _FAR_NS:
            return None
        dtype = DTYPES[int(a["encoding"])]
        return Span(Channel.parse(first.channels[0]), rate, dtype, int(a["start_ns"]), end_ns, -1)


@dataclass(frozen=True, slots=True)
class _Chain:
    """Records of one channel that follow each other within half a sample, and the line of their clock."""

    number: int
    rows: NDArray[np.int64]  # of the header table, in order of time
    start_ns: int
    rate_hz: float
    leap_ns: int | None = None
    """Midnight at which a leap second begins inside the chain; its times count on as if there were none."""


class MiniSeedFile:
    """One miniSEED file, its headers parsed."""

    def __init__(self, data: bytes, problems: tuple[Problem, ...] = ()) -> None:
        self._data = data
        table = parse_headers(data)
        self._table = table
        self._problems = [*problems, *table.problems]
        self._usable = _usable(table, self._problems)
        self._chains = self._find_chains()

    @property
    def content(self) -> Content:
        """See `SourceFile.content`."""
        rows = self._table.rows
        found: dict[tuple[str, float, str], list[tuple[int, int, int]]] = {}
        for chain in self._chains:
            first = rows[chain.rows[0]]
            key = (
                self._table.channels[first["channel"]],
                float(first["rate_hz"]),
                DTYPES[int(first["encoding"])],
            )
            count = int(rows["samples"][chain.rows].sum())
            last = sample_time_ns(chain.start_ns, chain.rate_hz, count - 1)
            last -= SECOND_NS if chain.leap_ns is not None else 0
            found.setdefault(key, []).append((chain.start_ns, last, count))
        return Content(
            tuple(
                Span(Channel.parse(c), r, d, *near)
                for c, r, d in sorted(found)
                for near in _near(found[c, r, d])
            ),
            tuple(self._problems),
        )

    def _find_chains(self) -> list[_Chain]:
        rows = self._table.rows
        chains: list[_Chain] = []
        for members in _alike(rows, self._usable):
            runs = _continuous_runs(rows, members)
            starts = {int(rows["start_ns"][run[0]]) for run in runs}
            for number, run in enumerate(runs, start=len(chains)):
                chains += self._lines(number, run, _leap_second(rows, run, starts))
        return chains

    def _lines(self, number: int, run: NDArray[np.int64], leap_ns: int | None) -> list[_Chain]:
        rows = self._table.rows
        counts = rows["samples"][run].astype(np.int64)
        resolution = int(rows["resolution_ns"][run].min())
        lines = fit_lines(
            np.cumsum(counts) - counts,
            rows["start_ns"][run],
            float(rows["rate_hz"][run[0]]),
            resolution_ns=resolution,
        )
        return [_Chain(number, run[a:b], start, rate, leap_ns) for a, b, start, rate in lines]

    def read(
        self, start_ns: int, end_ns: int, *, allocate: Allocate = np.empty
    ) -> tuple[list[Piece], list[Problem]]:
        """See `SourceFile.read`."""
        pieces: list[Piece] = []
        problems: list[Problem] = []
        for chain in self._chains:
            counts = self._table.rows["samples"][chain.rows].astype(np.int64)
            ends = np.cumsum(counts)
            per_ns = chain.rate_hz / 1e9
            until_ns = end_ns + (SECOND_NS if chain.leap_ns is not None else 0)
            first = int(np.searchsorted(ends, (start_ns - chain.start_ns) * per_ns - 1, side="right"))
            stop = int(np.searchsorted(ends - counts, (until_ns - chain.start_ns) * per_ns + 1, side="left"))
            if first < stop:
                offset = int(ends[first] - counts[first])
                self._decode(chain, first, stop, offset, allocate, pieces, problems)
        return pieces, problems

    def _decode(
        self,
        chain: _Chain,
        first: int,
        stop: int,
        offset: int,
        allocate: Allocate,
        pieces: list[Piece],
        problems: list[Problem],
    ) -> None:
        """Decode some records of a chain; those that can't be are cut out, and the chain continues after."""
        rows = self._table.rows[chain.rows[first:stop]]
        samples, good = decode_records(self._data, rows, allocate, problems)
        counts = rows["samples"].astype(np.int64)
        ends = np.cumsum(counts)
        for a, b in _true_runs(good):
            begin, end = int(ends[a] - counts[a]), int(ends[b - 1])
            whole = Piece(
                channel=Channel.parse(self._table.channels[rows["channel"][0]]),
                samples=samples[begin:end],
                start_ns=sample_time_ns(chain.start_ns, chain.rate_hz, offset + begin),
                rate_hz=chain.rate_hz,
                nominal_rate_hz=float(rows["rate_hz"][0]),
                rank=int(rows["rank"][0]),
                chain=chain.number,
                timing_quality=int(rows["timing_quality"][a:b].min()),
                flagged_clipped=int(counts[a:b][rows["clipped"][a:b]].sum()),
            )
            pieces += _split_at_leap_second(whole, chain.leap_ns)


def _near(stretches: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """
    Join stretches (first time, last time, samples) that lie near each other.

    A station without a fix writes 1970 and then 2020: nobody should look for it in between.

    >>> _near([(5, 9, 5), (0, 4, 5), (10**18, 10**18 + 1, 2)])
    [(0, 9, 10), (1000000000000000000, 1000000000000000001, 2)]
    """
    joined: list[tuple[int, int, int]] = []
    for start, last, count in sorted(stretches):
        if joined and start - joined[-1][1] <= _FAR_NS:
            begin, end, before = joined[-1]
            joined[-1] = (begin, max(end, last), before + count)
        else:
            joined.append((start, last, count))
    return joined


def _usable(table: HeaderTable, problems: list[Problem]) -> NDArray[np.int64]:
    """Choose the records that hold samples; what is left out and should not be is a problem."""
    rows = table.rows
    known = np.isin(rows["encoding"], list(DTYPES))
    slowest, fastest = RATES_HZ
    rated = (rows["rate_hz"] >= slowest) & (rows["rate_hz"] <= fastest)
    filled = rows["samples"] > 0
    text = rows["encoding"] == _TEXT
    for encoding in np.unique(rows["encoding"][filled & ~known & ~text]):
        count = int((rows["encoding"] == encoding).sum())
        problems.append(Problem("unknown encoding", f"{count} records of encoding {encoding}"))
    for rate in np.unique(rows["rate_hz"][filled & known & ~rated]):
        count = int((filled & known & (rows["rate_hz"] == rate)).sum())
        detail = f"{count} records state a rate of {rate:g} Hz, not from {slowest:.3g} to {fastest:g} Hz"
        problems.append(Problem("no sampling rate", detail))
    room = rows["length"] - rows["payload"].astype(np.int64)
    fits = (rows["payload"] >= _LEAST_PAYLOAD) & (rows["samples"] <= room * _SAMPLES_PER_BYTE)
    problems += [
        Problem(
            "corrupt record", f"record at offset {row['offset']}: {row['samples']} samples do not fit in it"
        )
        for row in rows[filled & known & rated & ~fits]
    ]
    named = np.array([_is_channel(name) for name in table.channels], dtype=bool)
    if not named.all():
        bad = ", ".join(repr(name) for name in table.channels if not _is_channel(name))
        problems.append(Problem("no channel name", f"records name the channel {bad}"))
    usable = known & rated & filled & fits & (named[rows["channel"]] if len(named) else True)
    return np.flatnonzero(usable)


def _is_channel(name: str) -> bool:
    try:
        return bool(Channel.parse(name).stream)
    except ValueError:
        return False


def _alike(rows: NDArray[Any], members: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Sort records by channel, type, version and rate; groups in the order in which they appear."""
    keys = (rows["channel"], KINDS[rows["encoding"]], rows["rank"], rows["rate_hz"].view(np.int64))
    if all((key[members] == key[members[:1]]).all() for key in keys):
        return [members] if len(members) else []
    table = np.stack(keys, axis=1)[members]
    _, first, inverse = np.unique(table, axis=0, return_index=True, return_inverse=True)
    return [members[inverse.ravel() == group] for group in np.argsort(first)]


def _continuous_runs(rows: NDArray[Any], members: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """
    String records into runs that are continuous within half a sample.

    Neighbours in the file first; then the end of each run to the start of another, in order of time, for
    files whose records are out of order.
    """
    period = 1e9 / rows["rate_hz"][members[0]]
    starts = rows["start_ns"][members]
    length_ns = np.rint(rows["samples"][members] * period).astype(np.int64)
    breaks = np.abs(np.diff(starts) - length_ns[:-1]) > period / 2
    if not breaks.any():
        return [members]
    cuts = np.concatenate(([0], np.flatnonzero(breaks) + 1, [len(members)]))
    runs = [np.arange(a, b) for a, b in pairwise(cuts)]
    runs.sort(key=lambda run: (int(starts[run[0]]), -len(run), int(run[0])))
    joined: list[list[NDArray[np.int64]]] = []
    ends: dict[int, int] = {}
    for run in runs:
        start = int(starts[run[0]])
        end = int(starts[run[-1]] + length_ns[run[-1]])
        # Starts rise, so that nothing follows any more what ended before.
        ends = {i: last for i, last in ends.items() if last >= start - period / 2}
        following = next((i for i in reversed(ends) if ends[i] <= start + period / 2), len(joined))
        if following == len(joined):
            joined.append([])
        joined[following].append(run)
        ends[following] = end
    return [members[np.concatenate(parts)] for parts in joined]


def _true_runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.view(np.int8), [0]))))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _leap_second(rows: NDArray[Any], run: NDArray[np.int64], starts: set[int]) -> int | None:
    """
    Return the midnight at which a positive leap second begins in the last records of a run.

    It is there if a record says so, or if another run begins one second before the end of this one: the
    clock gave 23:59:60 its second, and the times counted on from the record before did not.
    """
    first_ns, last = int(rows["start_ns"][run[0]]), rows[run[-2:]]
    period = 1e9 / float(last["rate_hz"][-1])
    end_ns = int(last["start_ns"][-1]) + round(float(last["samples"][-1]) * period)
    midnight = (end_ns - round(period)) // DAY_NS * DAY_NS
    day = day_of_number(midnight // DAY_NS)
    if day.day != 1 or not last["start_ns"][0] < midnight + SECOND_NS:
        return None
    if midnight <= first_ns - SECOND_NS or last["start_ns"][-1] >= midnight + SECOND_NS:
        return None
    stated = bool(last["leap"].any())
    half = period / 2
    others = starts - {first_ns}
    followed = day.month in (1, 7) and any(abs(start + SECOND_NS - end_ns) <= half for start in others)
    return midnight if stated or followed else None


def _split_at_leap_second(piece: Piece, leap_ns: int | None) -> list[Piece]:
    """Cut a piece into what lies before a leap second, in it, and after it."""
    if leap_ns is None:
        return [piece]
    first, after = _first_at(piece, leap_ns), _first_at(piece, leap_ns + SECOND_NS)
    parts = []
    for begin, end, leap in ((0, first, False), (first, after, True), (after, len(piece.samples), False)):
        if begin < end:
            start = sample_time_ns(piece.start_ns, piece.rate_hz, begin)
            shift = SECOND_NS if begin == after else 0
            parts.append(replace(piece, samples=piece.samples[begin:end], start_ns=start - shift, leap=leap))
    return parts


def _first_at(piece: Piece, time_ns: int) -> int:
    """Return the first sample that does not lie before a time, at most the number of samples."""
    guess = round((time_ns - piece.start_ns) * piece.rate_hz / 1e9)
    for index in range(guess - 1, guess + 2):
        if sample_time_ns(piece.start_ns, piece.rate_hz, index) >= time_ns:
            return min(max(index, 0), len(piece.samples))
    raise AssertionError(guess)
