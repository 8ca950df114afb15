"""What goes in comes out: every sample, at its time, for any rate, clock, gap, overlap and leap second."""

from __future__ import annotations

import datetime as dt
import io
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import obspy
import pytest
from archives import make_archive
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from miniseed_files import clocked_records, records

from pipeline.archive.export import export_days
from pipeline.archive.grid import DAY_NS, DayGrid, day_number
from pipeline.archive.merge import Segment
from pipeline.archive.pieces import sample_times_ns
from pipeline.archive.reading import Archive
from pipeline.archive.store import ArchiveOptions

MIDNIGHT = day_number(dt.date(2020, 12, 31)) * DAY_NS
LEAP = day_number(dt.date(2017, 1, 1)) * DAY_NS
SECOND = 1_000_000_000


def archived_samples(archive: Archive) -> list[tuple[str, int, float]]:
    """List channel, time in ns and value of all samples, those of the side table included."""
    found = []
    for row in archive.index.rows:
        n = row.grid.samples_per_day
        first = day_number(dt.date(row.year, 1, 1))
        for day in range(first, first + len(row.completeness)):
            known = archive.day(row.stream, row.grid, day)
            if known is None:
                continue
            for array in known.arrays:
                samples = archive.read(row.stream, row.grid, array, day * n, (day + 1) * n)
                for segment in (s for s in known.segments if s.array == array):
                    found += _samples_of(segment, samples[segment.component])
            for run in known.side:
                times = sample_times_ns(run.start_ns, run.rate_hz, len(run.samples))
                found += [
                    (run.channel.code, int(t), float(v)) for t, v in zip(times, run.samples, strict=True)
                ]
    return sorted(found)


def _samples_of(segment: Segment, row: np.ndarray) -> Iterable[tuple[str, int, float]]:
    times = sample_times_ns(segment.start_ns, segment.rate_hz, segment.length)
    values = row[segment.first : segment.stop]
    return [(segment.channel, int(t), float(v)) for t, v in zip(times, values, strict=True)]


def assert_same(found: list[tuple[str, int, float]], truth: list[tuple[str, int, float]]) -> None:
    """Compare values exactly and times within a microsecond."""
    truth = sorted(truth)
    assert len(found) == len(truth)
    assert [(c, v) for c, _, v in found] == [(c, v) for c, _, v in truth]
    apart = [abs(a - b) for (_, a, _), (_, b, _) in zip(found, truth, strict=True)]
    assert max(apart, default=0) <= 1000


@dataclass(frozen=True)
class Stretch:
    """A run of samples of one clock: how long after the one before, how many, how fast, which rank."""

    gap_ns: int
    count: int
    ppm: float
    rank: int


ranks = st.sampled_from([2, 2, 2, 3])
drifts = st.one_of(st.just(0.0), st.floats(-50, 50))
# What a clock did inside a record only the records around it tell. Stretches that drift, or begin less than
# a sample after the one before, have four at least: otherwise a set clock and a drifting one look alike.
jumps = st.builds(Stretch, st.integers(0, 2_000_000), st.integers(400, 3000), drifts, ranks)
gaps = st.builds(Stretch, st.integers(2 * SECOND, 5_000 * SECOND), st.integers(400, 3000), drifts, ranks)
bits = st.builds(Stretch, st.integers(2 * SECOND, 5_000 * SECOND), st.integers(1, 300), st.just(0.0), ranks)
stretches = st.lists(st.one_of(jumps, gaps, bits), min_size=1, max_size=5)
rates = st.sampled_from([1.0, 1.851852, 5.0, 10.0, 20.0, 33.3333, 40.0, 59.5238, 100.0, 250.0])
HYPOTHESIS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def ingest_bytes(*files: bytes, options: ArchiveOptions | None = None) -> list[tuple[str, int, float]]:
    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(files):
            Path(folder, f"{number}.mseed").write_bytes(data)
        archive, _ = make_archive(
            f"{folder}/archive.zarr", *sorted(Path(folder).glob("*.mseed")), options=options
        )
        return archived_samples(archive)


@HYPOTHESIS
@given(
    rate=rates,
    start=st.integers(-3 * 3600 * SECOND, 3 * 3600 * SECOND),
    parts=stretches,
    seed=st.integers(0, 99),
    version=st.sampled_from([2, 3]),
)
def test_any_clock_and_gap(rate: float, start: int, parts: list[Stretch], seed: int, version: int) -> None:
    """Stretches of a drifting clock that jumps, with gaps down to nothing, over midnight of New Year."""
    # The header of miniSEED 2 holds a rate as the ratio of two small numbers, which is another rate.
    version = 3 if rate != round(rate) else version
    rng = np.random.default_rng(seed)
    at = (MIDNIGHT + DAY_NS + start) // 1000 * 1000
    data, truth = b"", []
    for part in parts:
        at += part.gap_ns // 1000 * 1000
        true_rate = rate * (1 + part.ppm * 1e-6)
        resolution = 1000 if version == 2 else 1
        times = (sample_times_ns(at, true_rate, part.count) + resolution // 2) // resolution * resolution
        samples = rng.integers(-(2**31), 2**31, part.count).astype(np.int32)
        data += clocked_records(samples, times, rate, version=version, rank=part.rank)
        # miniSEED 2 states microseconds: what is kept is what was stated.
        begins = np.arange(part.count) // 100 * 100
        stated = times[begins] + np.rint((np.arange(part.count) - begins) * (1e9 / true_rate)).astype(
            np.int64
        )
        truth += [("HHZ", int(t), float(v)) for t, v in zip(stated, samples, strict=True)]
        at = int(stated[-1]) + round(1e9 / rate) + 1000
    assert_same(ingest_bytes(data), truth)


@HYPOTHESIS
@given(
    rate=st.sampled_from([1.0, 20.0, 100.0, 59.5238]),
    base=st.integers(2, 3000),
    copies=st.lists(
        st.tuples(st.integers(0, 2999), st.integers(1, 3000), st.sampled_from([1, 2, 3, 4]), st.booleans()),
        max_size=4,
    ),
    order=st.randoms(use_true_random=False),
)
def test_overlaps_by_quality(
    rate: float, base: int, copies: list[tuple[int, int, int, bool]], order: object
) -> None:
    """Equal samples merge, higher ranks win, disagreement at equal rank becomes missing."""
    rng = np.random.default_rng(base)
    times = sample_times_ns(MIDNIGHT + DAY_NS - 1000 * SECOND, rate, 3000)
    true = rng.integers(-1000, 1000, 3000).astype(np.int32)
    versions = [(0, base, 2, True), *copies]
    files, claims = [], [dict[int, set[int]]() for _ in range(3000)]
    for first, count, rank, agrees in versions:
        samples = true[first : first + count] + (0 if agrees else 5000 + rank)
        for index, value in enumerate(samples, start=first):
            claims[index].setdefault(rank, set()).add(int(value))
        own = times[first : first + count]
        files.append(clocked_records(samples, own, rate, version=3, rank=rank))
    truth = []
    for time, by_rank in zip(times, claims, strict=True):
        best = by_rank[max(by_rank)] if by_rank else set()
        if len(best) == 1:
            truth.append(("HHZ", int(time), float(*best)))
    order.shuffle(files)  # type: ignore[attr-defined]
    assert_same(ingest_bytes(*files), truth)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("offset", [0, 4_000_000, 250_000_000])
@pytest.mark.parametrize("next_record", [True, False])
def test_leap_second(version: int, offset: int, next_record: bool) -> None:
    """A record runs through 23:59:60; what follows says the time that UTC has then."""
    rate = 100.0
    start = LEAP - 3 * SECOND + offset
    samples = np.arange(600, dtype=np.int32)
    data = records(samples, start, rate, version=version, record_bytes=4096)
    elapsed = sample_times_ns(start, rate, 600)
    if next_record:
        data += records(
            np.arange(600, 900, dtype=np.int32), start + 5 * SECOND, rate, version=version, record_bytes=4096
        )
    else:
        data = mark_leap(data, version)
    truth = [
        ("HHZ", t if t < LEAP + SECOND else t - SECOND, float(v)) for v, t in enumerate(elapsed.tolist())
    ]
    if next_record:
        times = sample_times_ns(start + 5 * SECOND, rate, 300).tolist()
        truth += [("HHZ", t, float(v)) for v, t in enumerate(times, start=600)]
    found = ingest_bytes(data)
    assert Counter(v for _, _, v in found) == Counter(v for _, _, v in truth)
    assert sorted((t, v) for _, t, v in found) == sorted((t, v) for _, t, v in truth)


def mark_leap(record: bytes, version: int) -> bytes:
    if version == 2:
        return record[:36] + bytes([record[36] | 0x10]) + record[37:]
    from pymseed import MS3Record

    parsed = MS3Record.parse(record, unpack_data=True)
    parsed.set_extra_header("/FDSN/Time/LeapSecond", 1)
    return b"".join(parsed.generate())


@pytest.mark.parametrize("version", [2, 3])
def test_export_keeps_a_leap_second(version: int) -> None:
    samples = np.arange(900, dtype=np.int32)
    data = records(samples[:600], LEAP - 3 * SECOND, 100.0, version=version, record_bytes=4096)
    data += records(samples[600:], LEAP + 2 * SECOND, 100.0, version=version, record_bytes=4096)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "in.mseed").write_bytes(data)
        archive, _ = make_archive(f"{folder}/a.zarr", f"{folder}/in.mseed")
        before = archived_samples(archive)
        row = archive.index.rows[0]
        n = row.grid.samples_per_day
        day = LEAP // DAY_NS
        stream = row.stream
        files = export_days(archive, stream, row.grid, (day - 1) * n, (day + 1) * n, version=version)
        Path(folder, "out.mseed").write_bytes(b"".join(file.data for file in files))
        again, _ = make_archive(f"{folder}/b.zarr", f"{folder}/out.mseed")
        assert archived_samples(again) == before
        assert len(before) == 900


FOLDERS = {
    "chile-12h": "**/*.121",
    "texas-3min": "**/*.mseed",
    "california-3min": "*.mseed",
    "iceland-icequakes": "*.m",
    "turkey-40min": "*.mseed",
    "long-period-days": "*.ms",
    "puerto-rico-hours": "*.mseed",
}


def traces(streams: Iterable[obspy.Stream]) -> list[tuple[str, int, int, float, bytes]]:
    """List what obspy sees of a stream, with contiguous traces joined."""
    whole = obspy.Stream([trace for stream in streams for trace in stream])
    whole.merge(-1)
    return sorted(
        (t.id, t.stats.starttime.ns, t.stats.npts, t.stats.sampling_rate, t.data.tobytes()) for t in whole
    )


def exported(archive: Archive) -> list[obspy.Stream]:
    files = []
    for row in archive.index.rows:
        n = row.grid.samples_per_day
        first = day_number(dt.date(row.year, 1, 1)) * n
        stop = first + len(row.completeness) * n
        files += [
            obspy.read(io.BytesIO(f.data)) for f in export_days(archive, row.stream, row.grid, first, stop)
        ]
    return files


@pytest.mark.parametrize("folder", FOLDERS)
def test_real_files_come_back(folder: str, data_folder: Path, archive_of: Callable[..., Archive]) -> None:
    """Export and `to_obspy` give what obspy reads from the source files: every sample and time."""
    source = data_folder / "continuous" / folder
    archive = archive_of(source)
    truth = traces(obspy.read(path) for path in sorted(source.glob(FOLDERS[folder])))
    assert traces(exported(archive)) == truth
    selections = (archive.sel(row.stream, rate=row.grid.label) for row in archive.index.rows)
    assert traces(selection.stationday.to_obspy() for selection in selections) == truth


@pytest.mark.parametrize("folder", FOLDERS)
def test_real_files_with_a_file_before_and_after(folder: str, data_folder: Path, tmp_path: Path) -> None:
    """Grow an archive by what lies a day before and after: what was there stays as it was."""
    source = data_folder / "continuous" / folder
    paths = sorted(source.glob(FOLDERS[folder]))
    truth = [trace for path in paths for trace in obspy.read(path)]
    for shift, name in ((-86400, "before"), (86400, "after")):
        moved = obspy.Stream([trace.copy() for trace in truth[:6]])
        for trace in moved:
            trace.stats.starttime += shift
            trace.data = trace.data[: len(trace.data) // 3]
        moved.write(str(tmp_path / f"{name}.mseed"), "MSEED")
    url = str(tmp_path / "archive.zarr")
    make_archive(url, source)
    make_archive(url, tmp_path / "before.mseed")
    archive, _ = make_archive(url, tmp_path / "after.mseed")
    added = [obspy.read(tmp_path / f"{name}.mseed") for name in ("before", "after")]
    assert traces(exported(archive)) == traces([obspy.Stream(truth), *added])


@pytest.mark.parametrize("rate", [1.0, 1.851852, 33.3333, 59.5238, 100.0])
@pytest.mark.parametrize(
    "options", [ArchiveOptions(), ArchiveOptions.for_shard_days(7)], ids=["1 day", "7 days"]
)
def test_rates_and_shards(rate: float, options: ArchiveOptions) -> None:
    """Two days around a block's end, at odd rates, in shards of a day and of a week."""
    start = day_number(dt.date(2020, 1, options.block_days)) * DAY_NS + 20 * 3600 * SECOND
    count = int(rate * 6 * 3600)
    samples = np.cumsum(np.random.default_rng(1).integers(-9, 9, count)).astype(np.int32)
    data = records(samples, start, rate, version=3, encoding="STEIM2")
    found = ingest_bytes(data, options=options)
    truth = [
        ("HHZ", int(t), float(v)) for t, v in zip(sample_times_ns(start, rate, count), samples, strict=True)
    ]
    assert_same(found, truth)


def test_grid_is_a_whole_number_of_samples() -> None:
    assert DayGrid.at_rate(59.5238).samples_per_day == 5_142_856
    assert DayGrid.at_rate(33.3333).samples_per_day == 2_879_997
    assert DayGrid.at_rate(1.851852).samples_per_day == 160_000
