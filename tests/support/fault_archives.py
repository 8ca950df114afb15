"""An archive with every kind of fault beside its twin without, and what both hold, sample by sample."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.blocks import DayRow
from pipeline.archive.chains import find_chains
from pipeline.archive.grid import DayGrid, day_number
from pipeline.archive.merge import Segment
from pipeline.archive.pieces import sample_times_ns
from pipeline.archive.placement import SideRun
from pipeline.archive.reading import Archive, open_archive
from pipeline.config import to_toml
from pipeline.keys import Stream
from pipeline.synthetic.config import read_config
from pipeline.synthetic.faults.fault_kinds import Fault
from pipeline.tables import read_table
from workflows.cli import main

__all__ = [
    "Record",
    "Twins",
    "constant_spans",
    "days",
    "flat_tops",
    "make_twins",
    "record",
    "side_runs",
    "touched_ns",
]

CONFIG = Path(__file__).with_name("all_faults.toml")
DAY_NS = 86_400 * 10**9
_UNTOUCHED = ("equal_overlap", "out_of_order", "two_versions", "leap_second")
"""Faults behind which every sample comes back, at its time."""


@dataclass(frozen=True, eq=False)
class Record:
    """
    All that an archive's grids hold of one component, in order of time.

    Parameters
    ----------
    times_ns, samples, codes : ndarray, shape (n,)
        Exact time, count, and code of the channel of each sample.
    chains : list of Segment
        The same as contiguous pieces.
    """

    times_ns: NDArray[np.int64]
    samples: NDArray[np.int32]
    codes: NDArray[np.str_]
    chains: list[Segment]

    def inside(self, start_ns: int, end_ns: int) -> NDArray[np.bool_]:
        """Tell which samples lie in a half-open span."""
        return (self.times_ns >= start_ns) & (self.times_ns < end_ns)

    def gaps_ns(self) -> list[tuple[int, int]]:
        """List from when (a period after a sample) until when no sample comes."""
        ends = [chain.time_ns(chain.stop) for chain in self.chains]
        starts = [chain.start_ns for chain in self.chains[1:]]
        return [(end, start) for end, start in zip(ends, starts, strict=False) if start != end]


@dataclass(frozen=True)
class Twins:
    """
    Two archives of the same ground.

    Parameters
    ----------
    spoiled, clean : Archive
    folders : mapping of str to Path
        Where the files of each lie, by ``spoiled`` and ``clean``.
    faults : tuple of Fault
        The truth, read from its table.
    status : int
        Of the ingest of the spoiled one.
    told : list of (where, reason, detail, lost)
        The problems that it told.
    """

    spoiled: Archive
    clean: Archive
    folders: Mapping[str, Path]
    faults: tuple[Fault, ...]
    status: int
    told: list[tuple[str, str, str, bool]]

    def faults_of(self, stream: str) -> list[Fault]:
        """Return the faults of a stream."""
        return [fault for fault in self.faults if fault.stream == stream]

    def alone(self, kind: str) -> Fault:
        """Return the fault of a kind that is the only one of its broadband."""
        (found,) = (
            fault
            for fault in self.faults
            if fault.kind == kind
            and fault.stream.startswith("SY.")
            and len(self.faults_of(fault.stream)) == 1
        )
        return found

    def pairs(self, name: str) -> list[tuple[Record, Record]]:
        """Return (spoiled, clean) of each component of a stream."""
        stream = Stream.parse(name)
        slots = range(len(stream.components))
        return [(record(self.spoiled, stream, slot), record(self.clean, stream, slot)) for slot in slots]


def make_twins(folder: Path) -> Twins:
    """Make both archives below a folder, through the command line."""
    config = read_config(str(CONFIG))
    configs = {"spoiled": config, "clean": replace(config, faults=())}
    folders = {name: folder / name for name in configs}
    for name, each in configs.items():
        path = folder / f"{name}.toml"
        path.write_text(to_toml(each))
        assert main(["synth", str(path), str(folders[name]), "--cluster", "serial", "--quiet"]) == 0
    (status, told), (clean_status, clean_told) = (_ingest(each) for each in folders.values())
    assert (clean_status, clean_told) == (0, [])
    table = read_table((folders["spoiled"] / "truth" / "faults.parquet").read_bytes(), "faults")
    return Twins(
        spoiled=open_archive(f"{folders['spoiled']}.zarr"),
        clean=open_archive(f"{folders['clean']}.zarr"),
        folders=folders,
        faults=tuple(_fault(row) for row in table.to_pylist()),
        status=status,
        told=told,
    )


def _ingest(folder: Path) -> tuple[int, list[tuple[str, str, str, bool]]]:
    options = ["--stations", str(folder / "stations.xml"), "--cluster", "serial", "--quiet", "--json"]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = main(["ingest", str(folder / "sds"), "--archive", f"{folder}.zarr", *options])
    problems = json.loads(said.getvalue())["problems"]
    return status, [(each["where"], each["reason"], each["detail"], each["lost"]) for each in problems]


def _fault(row: Mapping[str, Any]) -> Fault:
    return Fault(
        kind=row["kind"],
        stream=row["stream"],
        components=row["components"],
        start_ns=row["start"].value,
        end_ns=row["end"].value,
        size=row["size"],
    )


def days(archive: Archive, stream: Stream) -> Iterator[tuple[DayGrid, DayRow]]:
    """Yield what the block tables know of each station-day of a stream, at each of its rates."""
    for row in (row for row in archive.index.rows if row.stream == stream):
        for number in np.flatnonzero(np.isfinite(row.completeness)).tolist():
            found = archive.day(stream, row.grid, day_number(dt.date(row.year, 1, 1)) + number)
            assert found is not None
            yield row.grid, found


def record(archive: Archive, stream: Stream, slot: int) -> Record:
    """Read a component at all its rates."""
    parts: list[tuple[Segment, NDArray[np.int64], Any]] = []
    rows = list(days(archive, stream))
    for grid in sorted({grid for grid, _ in rows}):
        n = grid.samples_per_day
        segments = [(row.day, each) for own, row in rows if own == grid for each in row.segments]
        numbers = [day for day, _ in segments]
        for chain in find_chains(segments, grid, min(numbers) * n, (max(numbers) + 1) * n):
            if chain.component == slot:
                span = (chain.first, chain.stop)
                (samples,) = archive.read(stream, grid, chain.array, *span, components=[slot])
                parts.append((chain, sample_times_ns(chain.start_ns, chain.rate_hz, chain.length), samples))
    parts.sort(key=lambda part: part[0].start_ns)
    return Record(
        times_ns=np.concatenate([times for _, times, _ in parts]),
        samples=np.concatenate([samples for _, _, samples in parts]),
        codes=np.concatenate([np.full(chain.length, chain.channel) for chain, _, _ in parts]),
        chains=[chain for chain, _, _ in parts],
    )


def side_runs(archive: Archive, stream: Stream) -> list[SideRun]:
    """Return what the grids of a stream cannot hold."""
    return [run for _, row in days(archive, stream) for run in row.side]


def touched_ns(fault: Fault) -> tuple[int, int] | None:
    """
    Return the span outside which a fault leaves every sample and every time alone; None if it is nowhere.

    A clock that is late writes over what came after it was set right.
    """
    if fault.kind in _UNTOUCHED:
        return None
    off_s = {
        "clock_shift": fault.size,
        "clock_drift": fault.size * (fault.end_ns - fault.start_ns) / DAY_NS,
        "missed_leap_second": 1.0,
    }.get(fault.kind, 0.0)
    return fault.start_ns + round(min(0.0, off_s) * 1e9), fault.end_ns + round(max(0.0, off_s) * 1e9)


def constant_spans(found: Record, *, least_s: float) -> list[tuple[int, int, int]]:
    """
    Find where a component is dead: (from, until, count) of equal samples for so many seconds or more.

    This needs the samples of one day and nothing else.
    """
    begins = np.flatnonzero(np.diff(found.samples, prepend=np.iinfo(np.int32).min))
    lasts = np.append(begins[1:], len(found.samples)) - 1
    long = found.times_ns[lasts] - found.times_ns[begins] >= least_s * 1e9
    spans = zip(
        found.times_ns[begins[long]], found.times_ns[lasts[long]], found.samples[begins[long]], strict=True
    )
    return [(int(first), int(last), int(count)) for first, last, count in spans]


def flat_tops(found: Record, *, least_samples: int) -> tuple[int, int]:
    """
    Count samples in flat tops at the extremes of a piece, and say at which level.

    Of a record that is clipped for a part of a day that part has to be given; larger motion hides it.
    """
    level = int(np.abs(found.samples).max())
    at_level = (np.abs(found.samples) == level).astype(np.int8)
    edges = np.flatnonzero(np.diff(at_level, prepend=0, append=0))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= least_samples].sum()), level
