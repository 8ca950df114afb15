"""A real gravimeter from files to an archive: its gaps, its odd rate, its two qualities, its metadata."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import obspy
import pytest
from fault_archives import Record, days, record
from pymseed import MS3Record

from pipeline.archive.reading import Archive, open_archive
from pipeline.keys import Stream
from workflows.cli import main

CHANNELS = ("MA1", "MA2", "MDO", "MGZ", "MK1", "MK2", "MK3")


@pytest.fixture
def etna(data_folder: Path) -> Path:
    return data_folder / "gravity" / "etna-aqg"


@pytest.fixture
def archive(etna: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Archive:
    url = str(tmp_path / "etna.zarr")
    options = ["--stations", str(etna / "stations.xml"), "--cluster", "serial", "--quiet", "--json"]
    assert main(["ingest", str(etna), "--archive", url, *options]) == 0
    told = {problem["where"]: problem for problem in json.loads(capsys.readouterr().out)["problems"]}
    assert set(told) == {"NG.AQG..MDO", "NG.AQG..MGZ"}
    for problem in told.values():
        assert (problem["reason"], problem["lost"]) == ("no metadata", False)
        assert problem["detail"].startswith("samples from 2020-07-31T12:15:00.014Z to 2020-07-31T23:59:59.")
    return open_archive(url)


def kept(archive: Archive, code: str) -> Record:
    return record(archive, Stream.parse(f"NG.AQG..{code}"), 0)


def stated(path: Path) -> list[tuple[int, int]]:
    """Time of the first sample and number of samples of each record, as libmseed reads them."""
    return [(each.starttime, each.samplecnt) for each in MS3Record.from_file(str(path), unpack_data=False)]


def test_the_odd_rate_is_one_grid_of_whole_samples(archive: Archive) -> None:
    """One file states 1.85185206 Hz, the other 50/27; by the times of its records the first kept 1.851852."""
    assert [str(stream) for stream in archive.streams] == [f"NG.AQG..{code}" for code in CHANNELS]
    rows = archive.rows("NG.AQG..MGZ")
    assert {(row.grid.label, row.grid.samples_per_day) for row in rows} == {("1.851852Hz", 160_000)}
    rates = {chain.rate_hz for chain in kept(archive, "MGZ").chains if chain.length > 200}
    assert sorted(round(rate, 9) for rate in rates) == [1.851851852] + [1.851852] * (len(rates) - 1)


@pytest.mark.parametrize("code", CHANNELS)
def test_samples_and_gaps_are_the_files(code: str, archive: Archive, etna: Path) -> None:
    quality = "Q" if code == "MGZ" else "D"
    paths = [etna / f"{code}.{quality}" / f"NG.AQG..{code}.{quality}.2020.213"]
    paths += [etna / "NG.AQG..MGZ.D.2020.252"] if code == "MGZ" else []
    traces = [trace for path in paths for trace in obspy.read(str(path))]
    found = kept(archive, code)
    assert [chain.length for chain in found.chains] == [trace.stats.npts for trace in traces]
    starts_ns = [trace.stats.starttime.ns for trace in traces]
    np.testing.assert_allclose(
        [chain.start_ns - ns for chain, ns in zip(found.chains, starts_ns, strict=True)], 0, atol=1000
    )
    np.testing.assert_array_equal(found.samples, np.concatenate([trace.data for trace in traces]))
    gaps = [row.gaps for _, row in days(archive, Stream.parse(f"NG.AQG..{code}"))]
    # Six within July's file, four within September's; before and after them the day is missing.
    assert gaps == ([6 + 1, 4 + 2] if code == "MGZ" else [6 + 1])


@pytest.mark.parametrize("code", CHANNELS)
def test_every_record_keeps_its_time(code: str, archive: Archive, etna: Path) -> None:
    quality = "Q" if code == "MGZ" else "D"
    records = stated(etna / f"{code}.{quality}" / f"NG.AQG..{code}.{quality}.2020.213")
    found = kept(archive, code)
    firsts = np.cumsum([0, *(count for _, count in records)])
    off_ns = found.times_ns[firsts[:-1]] - [start for start, _ in records]
    assert np.abs(off_ns).max() <= 1000
    assert len(records) > 100


def test_of_two_qualities_the_better_one_is_kept(archive: Archive, etna: Path) -> None:
    _, row = next(days(archive, Stream.parse("NG.AQG..MGZ")))
    assert (row.overlap_samples, row.disagreed_samples) == (77_111, 0)
    assert {segment.rank for segment in row.segments} == {3}
    worse, better = (
        np.concatenate([trace.data for trace in obspy.read(str(path))])
        for path in sorted(etna.glob("MGZ.*/*"))
    )
    assert (worse != better).mean() > 0.9


def test_what_the_metadata_lack_is_seen(archive: Archive) -> None:
    """Gravity and pressure have epochs from September on, though the files begin in July; all state 2 Hz."""
    for code in CHANNELS:
        epochs = archive.sel(f"NG.AQG..{code}").stationday.epochs()
        known = {
            (np.datetime64(start, "ns").astype("M8[M]"), epoch is not None) for _, start, _, epoch in epochs
        }
        july, september = np.datetime64("2020-07"), np.datetime64("2020-09")
        late = {(july, False)} if code in ("MGZ", "MDO") else {(july, True)}
        assert known == late | ({(september, True)} if code == "MGZ" else set())
    assert {epoch.rate_hz for epoch in archive.stations.epochs} == {2.0}
