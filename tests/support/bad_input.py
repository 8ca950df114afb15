"""
Cases of bad input: files that are made, one ingest of them, and all that is seen of it.

A case is a function that writes source files into a folder and returns what should stand in the archive. What
it must say, its exit status, and what becomes of the samples in words stand beside it; `bad_input_page` makes
docs/bad-input.md of that, and `tests/workflows/test_bad_input.py` proves that it is so.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from miniseed_files import records

from pipeline.archive.grid import day_number
from pipeline.archive.pieces import sample_times_ns
from pipeline.archive.readers import Problem
from pipeline.archive.reading import Archive, open_archive
from pipeline.archive.store import open_store
from pipeline.errors import NotAnArchiveError
from workflows.cli import main
from workflows.ingest.scans import load_scans
from workflows.ledger import Ledger, Status

__all__ = ["Case", "Group", "Place", "Seen", "Trace", "archived", "call", "expected", "recorded", "walk"]

SECOND = 1_000_000_000
START_NS = 1_583_208_000 * SECOND  # 2020-03-03T04:00:00Z, in block 2020.03
GOOD = "XX.GOOD..LHZ"
"""A station beside each case, with which nothing is wrong."""


@dataclass(frozen=True, eq=False)
class Trace:
    """Evenly spaced samples of one channel."""

    samples: Any
    channel: str = "XX.BAD..LHZ"
    start_ns: int = START_NS
    rate_hz: float = 1.0

    def part(self, begin: int, end: int | None = None) -> Trace:
        """Return some of the samples, at their times."""
        start = self.start_ns + round(begin * 1e9 / self.rate_hz)
        return Trace(self.samples[begin:end], self.channel, start, self.rate_hz)

    def records(self, **options: Any) -> bytes:
        """Pack them as miniSEED, in Steim2 unless something else is said or needed."""
        if np.dtype(self.samples.dtype).kind == "i":
            options = {"encoding": "STEIM2"} | options
        return records(self.samples, self.start_ns, self.rate_hz, channel=self.channel, **options)


@dataclass(slots=True)
class Place:
    """
    Where a case happens.

    Parameters
    ----------
    folder : Path
        Of its source files.
    archive : str
        Not there yet.
    bucket : str
        URL of an empty bucket, for cases that ask for one.
    s3 : S3 or None
        The server of the bucket.
    """

    folder: Path
    archive: str
    bucket: str = ""
    s3: Any = None

    def write(self, name: str, data: bytes) -> Path:
        """Write a source file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def write_each(self, traces: list[Trace]) -> list[Trace]:
        """Write a file for each trace, called like its channel; return the traces."""
        for trace in traces:
            self.write(trace.channel, trace.records())
        return traces

    def fill(self, text: str) -> str:
        """Put the places into a text."""
        return text.format(sources=self.folder, archive=self.archive, bucket=self.bucket)


Disturb = Callable[[Place], AbstractContextManager[object]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """
    Something that real files do wrong.

    Parameters
    ----------
    wrong : str
        What, in words.
    make : callable
        Writes files and returns what should stand in the archive, the good station left out; and what
        should after the same command a second time, undisturbed, where that is something else.
    said : tuple of str
        Lines on stderr, in order, with ``{sources}``, ``{archive}`` and ``{bucket}`` for the places.
    becomes : str
        What becomes of the samples, in words.
    status : int
        Exit status.
    options : tuple of str
        Of the command, beside the usual ones.
    disturb : callable, optional
        Holds while the command runs.
    where : str
        What to ingest, if not the folder or the bucket.
    in_bucket : bool
        Whether the sources lie in a bucket.
    is_slow : bool
        Whether it takes more than some seconds.
    nothing : bool
        Whether the good station is not ingested either.
    again : int, optional
        Exit status of the same command a second time, undisturbed; by default that of the first.
    check : callable, optional
        Looks at the archive.
    """

    wrong: str
    make: Callable[[Place], Sequence[Trace] | tuple[Sequence[Trace], Sequence[Trace]]]
    said: tuple[str, ...]
    becomes: str
    status: int
    options: tuple[str, ...] = ()
    disturb: Disturb = lambda _: contextlib.nullcontext()
    where: str = ""
    in_bucket: bool = False
    is_slow: bool = False
    nothing: bool = False
    again: int | None = None
    check: Callable[[Archive], None] | None = None

    @property
    def name(self) -> str:
        """Name of the function that makes it."""
        return self.make.__name__


@dataclass(slots=True)
class Group:
    """The cases of one part of the page."""

    title: str
    cases: list[Case] = field(default_factory=list)

    def case(self, wrong: str, **fields: Any) -> Callable[[Any], Any]:
        """Make a case of the function that is decorated."""

        def add(make: Any) -> Any:
            self.cases.append(Case(wrong=wrong, make=make, **fields))
            return make

        return add


@dataclass(frozen=True)
class Seen:
    """What was seen of one call."""

    status: int
    out: str
    lines: tuple[str, ...]


def walk(count: int, seed: int = 0) -> Any:
    """Return a random walk, which Steim packs well."""
    return np.cumsum(np.random.default_rng(seed).integers(-50, 51, count)).astype(np.int32)


def call(place: Place, case: Case) -> Seen:
    """Run ``stationday ingest`` in this process."""
    out, err = io.StringIO(), io.StringIO()
    where = case.where or place.bucket or str(place.folder)
    command = ["ingest", where, "--archive", place.archive, "--cluster", "serial", "--quiet", *case.options]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main([place.fill(part) for part in command])
        except SystemExit as error:  # argparse
            status = int(error.code or 0)
    return Seen(status, out.getvalue(), tuple(err.getvalue().splitlines()))


def recorded(place: Place) -> set[str]:
    """Return the lines that the archive's own records make: its scans, its block tables and its ledger."""
    try:
        store = open_store(place.archive)
    except NotAnArchiveError:
        return set()
    scans = load_scans(store)
    of_files = {_line(url, problem) for url, scan in scans.items() for problem in scan.problems}
    lines = set(of_files)
    for grid, block in store.tables():
        for row in store.read_table(grid, block).values():
            for problem in row.problems:
                url, _, detail = problem.detail.partition(": ")
                # What a table says of a file that the scan has said already is one thing, and one line.
                if _line(url, Problem(problem.reason, detail, problem.lost)) not in of_files:
                    lines.add(_line(str(block), problem))
    for key, latest in Ledger(store.objects.child("ledger")).latest().items():
        if latest.status == Status.FAILED:
            lines.add(f"lost: {key}: failed: {latest.reason}")
    return {line.replace("\n", "\\n") for line in lines}


def _line(where: str, problem: Problem) -> str:
    return f"{'lost' if problem.lost else 'note'}: {where}: {problem.reason}: {problem.detail}"


def archived(url: str) -> dict[str, list[tuple[int, str]]]:
    """Return time in ns and value of all samples by channel, those of the side table included."""
    try:
        archive = open_archive(url)
    except NotAnArchiveError:
        return {}
    found: dict[str, list[tuple[int, str]]] = {}
    for row in archive.index.rows:
        n = row.grid.samples_per_day
        first = day_number(dt.date(row.year, 1, 1))
        for day in range(first, first + len(row.completeness)):
            known = archive.day(row.stream, row.grid, day)
            if known is None:
                continue
            for channel, start_ns, rate_hz, samples in _runs(archive, row, known, day * n, n):
                times = sample_times_ns(start_ns, rate_hz, len(samples)).tolist()
                found.setdefault(channel, []).extend(zip(times, _exact(samples), strict=True))
    return {channel: sorted(samples) for channel, samples in found.items()}


def _runs(
    archive: Archive, row: Any, known: Any, origin: int, n: int
) -> Iterator[tuple[str, int, float, Any]]:
    for array in known.arrays:
        samples = archive.read(row.stream, row.grid, array, origin, origin + n)
        for segment in (s for s in known.segments if s.array == array):
            part = samples[segment.component][segment.first : segment.stop]
            yield str(row.stream.channel(segment.channel)), segment.start_ns, segment.rate_hz, part
    for run in known.side:
        yield str(run.channel), run.start_ns, run.rate_hz, run.samples


def _exact(samples: Any) -> list[str]:
    """Write samples so that equal ones, NaN and negative zero among them, are equal texts."""
    return [repr(sample) for sample in samples.tolist()]


def expected(traces: Sequence[Trace]) -> dict[str, list[tuple[int, str]]]:
    """Return the same of traces."""
    found: dict[str, list[tuple[int, str]]] = {}
    for trace in traces:
        times = sample_times_ns(trace.start_ns, trace.rate_hz, len(trace.samples)).tolist()
        found.setdefault(trace.channel, []).extend(zip(times, _exact(trace.samples), strict=True))
    return {channel: sorted(samples) for channel, samples in found.items()}
