"""One gravimeter in every format that one may come in, and the map that names its channels."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import numpy as np
import pytest
from miniseed_files import records

from pipeline.archive.reading import open_archive
from pipeline.synthetic.gravity.gravity_files import ggp_bytes, tsf_bytes
from workflows.cli import main

START_S = 1_577_836_800 + 20 * 3600  # 2020-01-01 20:00
SECOND = 1_000_000_000
COUNT = 8 * 3600  # into the next day
COUNTS = np.cumsum(np.random.default_rng(3).integers(-9, 10, COUNT)).astype(np.int32)
GRAVITY_NM_S2 = COUNTS * 0.125  # three decimals say it exactly
PRESSURE_HPA = np.round(1013 + np.cumsum(np.random.default_rng(4).normal(0, 0.01, COUNT)), 3)
MAP = """
[[sources]]
match = "*.ggp"
columns = [
    { column = "gravity", channel = "NG.GGP..LGZ", unit = "nm/s^2" },
    { column = "pressure", channel = "NG.GGP..LDI", unit = "hPa" },
]

[[sources]]
match = "*.tsf"
columns = [
    { column = "Grav-1", channel = "NG.TSF..LGZ" },
    { column = "Baro-1", channel = "NG.TSF..LDI" },
]

[[sources]]
match = "*.csv"
csv = { time = "%Y-%m-%dT%H:%M:%S", separator = ";", header_lines = 1 }
columns = [
    { column = "counts", channel = "NG.CSV..LGZ", calibration = 0.125, delay_s = 8.0 },
    { column = "hPa", channel = "NG.CSV..LDI" },
]
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "map.toml").write_text(MAP)
    ggp = ggp_bytes(
        GRAVITY_NM_S2, PRESSURE_HPA, first_s=START_S, filename="x.ggp", station="GGP", instrument="SG",
        latitude_deg=48.3, longitude_deg=8.3, height_m=589.0,
    )  # fmt: skip
    (folder / "x.ggp").write_bytes(ggp)
    channels = [("Grav-1", "nm/s^2", GRAVITY_NM_S2), ("Baro-1", "hPa", PRESSURE_HPA)]
    (folder / "x.tsf").write_bytes(tsf_bytes(channels, first_s=START_S, site="S", instrument="SG"))
    late = np.datetime64(START_S + 8, "s")  # the instrument lags by eight seconds
    rows = (f"{late + i};{c};{p}\n" for i, (c, p) in enumerate(zip(COUNTS, PRESSURE_HPA, strict=True)))
    (folder / "x.csv").write_text("time;counts;hPa\n" + "".join(rows))
    (folder / "x.mseed").write_bytes(records(COUNTS, START_S * SECOND, 1.0, channel="NG.MS..LGZ"))
    return folder


def ingest(source: Path, archive: Path, *options: str) -> tuple[int, dict[str, object]]:
    """Return the exit status, and the report."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = main(
            ["ingest", str(source), "--archive", str(archive), "--cluster", "serial", "--json", *options]
        )
    return status, json.loads(out.getvalue())


def series(archive: Path, stream: str) -> tuple[np.ndarray, np.ndarray]:
    """Return times and samples of a stream, as far as there are any."""
    found = open_archive(str(archive)).sel(stream, "2020-01-01", "2020-01-03")
    (name,) = found.data_vars
    samples = np.asarray(found[name])[0]
    there = ~np.isnan(samples) if samples.dtype.kind == "f" else samples > np.iinfo(np.int32).min
    return np.asarray(found["time"])[there].astype("datetime64[ns]").astype(np.int64), samples[there]


def test_the_same_gravity_and_pressure_from_every_format(source: Path, tmp_path: Path) -> None:
    archive = tmp_path / "a.zarr"
    status, report = ingest(source, archive, "--map", str(source / "map.toml"))
    assert (status, report["problems"]) == (0, [])
    assert report["files"] == 4
    times = np.arange(COUNT) * SECOND + START_S * SECOND
    found_times, counts = series(archive, "NG.MS..LGZ")
    np.testing.assert_array_equal(found_times, times)
    np.testing.assert_array_equal(counts * 0.125, GRAVITY_NM_S2)
    for station in ("GGP", "TSF", "CSV"):
        found_times, gravity = series(archive, f"NG.{station}..LGZ")
        np.testing.assert_array_equal(found_times, times)
        np.testing.assert_array_equal(gravity, GRAVITY_NM_S2)
        found_times, pressure = series(archive, f"NG.{station}..LDI")
        np.testing.assert_array_equal(found_times, times + (8 * SECOND if station == "CSV" else 0))
        np.testing.assert_array_equal(pressure, PRESSURE_HPA)


def test_the_archive_keeps_the_map_and_a_changed_rule_is_a_changed_file(source: Path, tmp_path: Path) -> None:
    archive = tmp_path / "a.zarr"
    first = ingest(source, archive, "--map", str(source / "map.toml"))[1]
    assert (first["scanned"], first["todo"]) == (4, 7)
    for again in ([], ["--map", str(source / "map.toml")]):
        status, report = ingest(source, archive, *again)
        assert (status, report["files"], report["scanned"], report["todo"]) == (0, 4, 0, 0)
    (source / "map.toml").write_text(MAP.replace("0.125", "0.25"))
    status, report = ingest(source, archive, "--map", str(source / "map.toml"))
    assert (status, report["scanned"], report["todo"]) == (0, 1, 2)
    np.testing.assert_array_equal(series(archive, "NG.CSV..LGZ")[1], GRAVITY_NM_S2 * 2)
    np.testing.assert_array_equal(series(archive, "NG.GGP..LGZ")[1], GRAVITY_NM_S2)


def test_without_a_map_what_it_would_name_is_lost_and_said(source: Path, tmp_path: Path) -> None:
    status, report = ingest(source, tmp_path / "a.zarr")
    assert status == 1
    assert report["files"] == 3  # a .csv is data only where a map says so
    problems = report["problems"]
    assert isinstance(problems, list)
    assert [problem["reason"] for problem in problems] == ["no channel name"] * 2
    assert "1 gravity (nm/s**2), 2 pressure (hPa)" in problems[0]["detail"]


def test_a_map_that_can_not_be_is_refused(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (source / "map.toml").write_text(MAP.replace("NG.GGP..LGZ", "GGP"))
    call = ["ingest", str(source), "--archive", str(tmp_path / "a.zarr"), "--map", str(source / "map.toml")]
    assert main(call) == 2
    assert "channel 'GGP' should have four parts" in capsys.readouterr().err
    assert main([*call[:-1], str(tmp_path / "none.toml")]) == 2
    assert not (tmp_path / "a.zarr").exists()


def test_a_dry_run_reads_the_map_and_keeps_nothing(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["ingest", str(source), "--archive", str(tmp_path / "a.zarr"), "--map", str(source / "map.toml")]
    assert main([*call, "--dry-run"]) == 0
    assert "NG.GGP..LDI/2020.01" in capsys.readouterr().out
    assert not (tmp_path / "a.zarr").exists()
