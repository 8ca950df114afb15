"""``stationday noise`` from files to tables: what it measures, what it does again, what of bad days."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import obspy
import pytest
import xarray as xr
from noise_archives import DAY, Channel, flat, ingest, stationxml, write_days
from obspy.signal import PPSD
from s3_server import S3

from pipeline.archive.digests import read_digests
from pipeline.archive.reading import open_archive
from pipeline.errors import ConfigError, NotAnArchiveError
from pipeline.keys import Block
from workflows.cli import main
from workflows.noise import NoiseProduct, find_product, read_config

RATE = 20.0
GAIN = 1e9


def ground(days: float, seed: int = 1, level: float = 200.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, level, round(days * 86_400 * RATE)).astype(np.int32)


def noise(archive: Path, *options: str, cluster: str = "serial") -> int:
    return main(["noise", str(archive), "--cluster", cluster, "--quiet", *options])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an archive of two days at two stations, one of them with a gap, and measure it."""
    folder = tmp_path_factory.mktemp("noise")
    first, second = ground(2, 1).astype(float), ground(2, 2).astype(float)
    second[round(86_400 * RATE) :][: round(3_600 * RATE)] = np.nan
    write_days(folder / "sds", "AAA", "HHZ", ground(2, 1), RATE)
    write_days(folder / "sds", "BBB", "HHZ", second, RATE)
    del first
    channels = [Channel(station=name, response=flat(GAIN, "M/S**2")) for name in ("AAA", "BBB")]
    ingest(folder / "sds", folder / "a.zarr", *channels)
    assert noise(folder / "a.zarr") == 0
    return folder


def product_of(folder: Path) -> NoiseProduct:
    return find_product(str(folder / "a.zarr"))


def group_of(folder: Path, name: str) -> xr.Dataset:
    return xr.open_zarr(f"{product_of(folder).url}/noise.zarr", group=name, consolidated=False).load()


def test_levels_are_those_of_obspy(made: Path) -> None:
    counts = ground(2, 1)
    trace = obspy.Trace(counts, {"network": "XX", "station": "AAA", "channel": "HHZ", "sampling_rate": RATE})
    trace.stats.starttime = DAY
    inventory = obspy.read_inventory(str(made / "a.zarr.stations.xml"))
    theirs = PPSD(trace.stats, inventory)
    assert theirs.add(obspy.Stream([trace]))
    ours = group_of(made, "XX.AAA..HH/20Hz/2021").level_db.sel(component=0)
    found = ours.sel(time=slice("2021-03-01", "2021-03-02")).dropna("time", how="all").values
    assert found.shape == (95, len(theirs.period_bin_centers))
    # A hundredth of a dB is what is stored.
    np.testing.assert_allclose(found, np.array(theirs.psd_values), atol=0.0051)


def test_windows_with_gaps_are_left_out_and_told(made: Path) -> None:
    whole, holed = (group_of(made, f"XX.{name}..HH/20Hz/2021") for name in ("AAA", "BBB"))
    day = slice("2021-03-02T00:00", "2021-03-02T23:59")
    gone = whole.level_db.sel(time=day).count() - holed.level_db.sel(time=day).count()
    assert gone.item() == 2 * len(whole.period)
    before = holed.sub_windows.sel(time="2021-03-01T23:30")[0].item()
    assert before == 0
    assert whole.sub_windows.sel(time="2021-03-01T23:30")[0].item() == 14


def test_bands_and_spans(made: Path) -> None:
    levels = product_of(made).table("noise_levels", ["XX.AAA..HH"]).to_pandas()
    days = levels[levels.span == "day"]
    assert days.groupby("band").period_start.count().eq(2).all()
    assert set(levels.span) == {"day", "week", "month", "block", "year"}
    month = levels[(levels.span == "month") & (levels.band == "1-2s")].iloc[0]
    assert (month.period_days, month.days) == (31, 2)
    # White acceleration of 200 nm/s²; the mean of the dB of 14 sub-windows lies 0.4 below its power.
    truth = 10 * np.log10(2 * (200 / GAIN) ** 2 / RATE)
    assert month.level_db == pytest.approx(truth - 0.4, abs=0.1)
    assert month.p05 < month.p50 < month.p95


def test_quality_of_days_and_months(made: Path) -> None:
    product = product_of(made)
    months = product.table("quality_months", ["XX.BBB..HH"]).to_pylist()
    (month,) = [row for row in months if row["component"] == "Z"]
    assert month["percent_availability"] == pytest.approx(100 * (2 - 1 / 24) / 31)
    assert (month["num_gaps"], month["max_gap"], month["days"]) == (1, 3600, 2)


def test_nothing_is_measured_twice(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert noise(made / "a.zarr", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["todo"], report["tables"]["todo"]) == (0, 0)
    assert noise(made / "a.zarr", "--dry-run") == 0
    assert capsys.readouterr().out.startswith("2 blocks: 0 to do")


def files(product: NoiseProduct) -> dict[str, bytes]:
    """All that a product holds but times of the run, and where its archive is."""
    store = product.blocks.store
    own = ("ledger/", "lease/", "options.toml")
    keys = [info.key for info in store.list() if not any(part in info.key for part in own)]
    return {key: store.read(key) for key in keys}


def test_an_archive_has_products_of_its_own(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.zarr", "products"):
        shutil.copytree(made / name, tmp_path / name)
    # Both moved, and it is found; another archive beside it has none, and can't write into its folder.
    assert find_product(str(tmp_path / "a.zarr")).archive == str(tmp_path / "a.zarr")
    shutil.copytree(made / "a.zarr", tmp_path / "other.zarr")
    with pytest.raises(ConfigError, match="there is no noise product"):
        find_product(str(tmp_path / "other.zarr"))
    with pytest.raises(NotAnArchiveError):
        find_product(str(tmp_path / "nowhere.zarr"))
    capsys.readouterr()
    assert noise(tmp_path / "other.zarr") == 2
    assert "the product of another archive" in capsys.readouterr().err


def test_windows_that_reach_into_a_refused_day_are_left_out(tmp_path: Path) -> None:
    counts = ground(2, level=2.0)
    counts[round(86_400 * RATE) :] *= 100_000
    archive = measured(tmp_path, counts, Channel(response=flat(1e7, "M/S")))
    assert noise(archive) == 1
    rows = find_product(str(archive)).table("noise_levels", where={"span": "year"}).to_pylist()
    assert rows
    # One window of the day before, 100 dB louder, would lift the mean power by 80 dB.
    assert all(row["level_db"] - row["p95"] < 5 for row in rows)


def test_timing_quality_is_part_of_what_a_day_depends_on(made: Path) -> None:
    archive = open_archive(str(made / "a.zarr"))
    row = archive.rows("XX.AAA..HH")[0]
    block = Block.of(row.stream, row.first_day)
    found = read_digests(archive.store, row.grid, block)
    day = archive.table(row.grid, block)[min(found)]
    assert found[min(found)].split() == [day.digest, str(day.timing_quality), "0", "0"]


@pytest.mark.parametrize("cluster", ["threads:3", "processes:2"])
def test_same_bytes_wherever_it_runs(cluster: str, made: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "again")
    assert noise(made / "a.zarr", "--out", out, cluster=cluster) == 0
    assert files(find_product(out)) == files(product_of(made))


def test_on_an_object_store(made: Path, s3: S3) -> None:
    s3.make_bucket("noise")
    archive = "s3://noise/a.zarr"
    options = ["--stations", str(made / "a.zarr.stations.xml"), "--cluster", "threads:2", "--quiet"]
    assert main(["ingest", str(made / "sds"), "--archive", archive, *options]) == 0
    assert main(["noise", archive, "--cluster", "threads:2", "--quiet"]) == 0
    there, here = files(find_product(archive)), files(product_of(made))
    changed = {key for key in here if there[key] != here[key]}
    assert there.keys() == here.keys()
    assert not changed


def test_self_noise_is_what_levels_are_held_against(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "noise.toml"
    config.write_text(
        "[[summary.self_noise]]\nstream = 'XX.AAA*'\nperiod_s = [0.1, 1000.0]\nlevel_db = [-50.0, -50.0]\n"
    )
    out = tmp_path / "out"
    assert noise(made / "a.zarr", "--out", str(out)) == 0
    capsys.readouterr()
    assert noise(made / "a.zarr", "--out", str(out), "--config", str(config), "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["todo"], report["tables"]["todo"]) == (0, 2)
    product = find_product(str(out), config=read_config(str(config)))
    below = {
        row["stream"]: row["pct_below_nlnm"]
        for row in product.table("quality_months").to_pylist()
        if row["windows"]
    }
    assert below["XX.AAA..HH"] == 100
    assert below["XX.BBB..HH"] < 20


def test_only_what_changed_is_measured_again(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = tmp_path / "a.zarr"
    shutil.copytree(made / "a.zarr", archive)
    shutil.copytree(made / "products", tmp_path / "products")
    channels = [Channel(station="AAA", response=flat(2 * GAIN, "M/S**2"))]
    (tmp_path / "new.xml").write_bytes(stationxml(*channels))
    before = find_product(str(archive)).table("noise_levels").to_pandas()
    options = ["--stations", str(tmp_path / "new.xml"), "--cluster", "serial", "--quiet"]
    assert main(["ingest", str(made / "sds"), "--archive", str(archive), *options]) == 0
    capsys.readouterr()
    assert noise(archive, "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["todo"], report["tables"]["todo"]) == (1, 1)
    after = find_product(str(archive)).table("noise_levels").to_pandas()
    change = (after.level_db - before.level_db).groupby(after.stream).mean()
    assert change["XX.AAA..HH"] == pytest.approx(-20 * np.log10(2), abs=1e-3)
    assert change["XX.BBB..HH"] == 0


# What is wrong with days.


def measured(tmp_path: Path, counts: np.ndarray, *channels: Channel, rate_hz: float = RATE) -> Path:
    write_days(tmp_path / "sds", "AAA", "HHZ", counts, rate_hz)
    ingest(tmp_path / "sds", tmp_path / "a.zarr", *channels)
    return tmp_path / "a.zarr"


def told(archive: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    status = noise(archive, "--json", *options)
    return status, json.loads(capsys.readouterr().out)


def test_no_response_for_a_span(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    early = Channel(response=flat(GAIN, "M/S"), end="2021-03-02T00:00:00")
    archive = measured(tmp_path, ground(2), early)
    status, report = told(archive, capsys)
    assert status == 1
    said = {each["first"]: (each["reason"], each["lost"]) for each in report["told"]}
    assert said == {
        "2021-03-01": ("Z: its response changes within a window", True),
        "2021-03-02": ("Z: no metadata epoch holds", True),
    }
    levels = find_product(str(archive)).table("noise_levels").to_pylist()
    assert {row["period_start"].day for row in levels if row["span"] == "day"} == {1}


def test_a_response_without_stages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, report = told(measured(tmp_path, ground(1), Channel()), capsys)
    assert status == 1
    assert [each["reason"] for each in report["told"]] == ["Z: its metadata have no response"]


def test_a_response_that_is_zero_in_the_band(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # A notch that lets nothing pass at any frequency of a period leaves those periods without a level.
    units = "<InputUnits><Name>M/S</Name></InputUnits><OutputUnits><Name>COUNTS</Name></OutputUnits>"
    fir = (
        f"<Stage number='2'><FIR>{units.replace('M/S', 'COUNTS')}<Symmetry>NONE</Symmetry>"
        + "".join("<NumeratorCoefficient>0.25</NumeratorCoefficient>" for _ in range(4))
        + f"</FIR><Decimation><InputSampleRate>{RATE}</InputSampleRate><Factor>1</Factor><Offset>0</Offset>"
        "<Delay>0</Delay><Correction>0</Correction></Decimation><StageGain><Value>1</Value>"
        "<Frequency>1</Frequency></StageGain></Stage></Response>"
    )
    archive = measured(tmp_path, ground(1), Channel(response=flat(GAIN, "M/S").replace("</Response>", fir)))
    status, report = told(archive, capsys)
    assert (status, report["told"]) == (0, [])
    group = xr.open_zarr(
        f"{find_product(str(archive)).url}/noise.zarr", group="XX.AAA..HH/20Hz/2021", consolidated=False
    )
    known = group.level_db[0].notnull().any("time").values
    # Four equal coefficients are zero at 5 and 10 Hz, within the octaves of periods up to 0.28 s.
    assert 0.25 < group.period.values[~known].max() < 0.29
    assert known[group.period.values > 0.3].all()


@pytest.mark.parametrize(
    ("counts", "verdict", "reason"),
    [
        (np.full(1_728_000, 7, dtype=np.int32), "bad", "one value for 86,400 s"),
        (ground(1 / 24), "suspect", "4% of the day"),
    ],
)
def test_days_that_tell_little(
    counts: np.ndarray, verdict: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive = measured(tmp_path, counts, Channel(response=flat(GAIN, "M/S")))
    status, _ = told(archive, capsys)
    assert status == 0
    product = find_product(str(archive))
    (row,) = product.quality(product.stream("XX.AAA..HH")).to_pylist()
    assert (row["verdict"], row["reason"]) == (verdict, reason)


def test_a_day_of_nan_is_no_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counts = ground(2).astype(float)
    counts[: round(86_400 * RATE)] = np.nan
    archive = measured(tmp_path, counts, Channel(response=flat(GAIN, "M/S")))
    status, report = told(archive, capsys)
    assert (status, report["station_days"]) == (0, 1)


def test_a_wrong_gain_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = measured(tmp_path, ground(1, level=2e5), Channel(response=flat(1e3, "M/S")))
    status, report = told(archive, capsys)
    assert status == 1
    assert "above the high noise model" in report["refused"]["XX.AAA..HH/20Hz"]
    product = find_product(str(archive))
    assert product.table("noise_levels").num_rows == 0
    (row,) = [r for r in product.table("quality_months").to_pylist() if r["component"] == "Z"]
    assert (row["verdict"], row["windows_left_out"]) == ("bad", 48)


def test_a_rate_too_low_for_the_windows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = measured(tmp_path, ground(1)[:288], Channel(response=flat(GAIN, "M/S")), rate_hz=1 / 300)
    status, report = told(archive, capsys, "--stream", "XX.AAA..HH")
    assert status == 0
    (reason,) = report["skipped"].values()
    assert reason.startswith(
        "a window of 3600.0 s at 0.00333333 Hz leaves sub-windows of fewer than 4 samples"
    )
    config = tmp_path / "long.toml"
    config.write_text("[windows]\nwindow_s = 43200.0\n")
    _, report = told(archive, capsys, "--config", str(config))
    assert not report["skipped"]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (
            "[windows]\nwindow_s = 5000.0\n",
            "a step of 2500 s, which should be whole seconds that divide a day",
        ),
        ("[windws]\n", "did you mean windows"),
        ("[[summary.bands]]\nshortest_s = 5.0\nlongest_s = 2.0\n", "below longest_s"),
        ("[gravity]\nadmittance = 'guess'\n", "fixed"),
        ("[[gravimeters]]\nstream = 'X'\nunit = 'furlong'\n", "no unit of acceleration"),
    ],
)
def test_a_wrong_config_is_one_line(
    text: str, wrong: str, made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "noise.toml"
    config.write_text(text)
    capsys.readouterr()
    assert noise(made / "a.zarr", "--config", str(config)) == 2
    error = capsys.readouterr().err
    assert wrong in error
    assert error.count("\n") == 1


def test_wrong_calls_are_one_line(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert noise(made / "a.zarr", "--stream", "YY.*") == 2
    assert "has no such stream" in capsys.readouterr().err
    assert noise(tmp_path / "none.zarr") == 2
    config = tmp_path / "other.toml"
    config.write_text("[windows]\nwindow_s = 1800.0\n")
    out = str(tmp_path / "out")
    assert noise(made / "a.zarr", "--out", out, "--stream", "XX.AAA*") == 0
    assert noise(made / "a.zarr", "--out", out, "--config", str(config)) == 2
    assert "made with other windows; another --out takes these" in capsys.readouterr().err


def test_times_of_arrays_are_the_windows(made: Path) -> None:
    group = group_of(made, "XX.AAA..HH/20Hz/2021")
    assert group.level_db.attrs["units"] == "dB re 1 (m/s²)²/Hz"
    assert group.time.values[0] == np.datetime64("2021-01-01")
    assert len(group.time) == 365 * 48
    assert open_archive(str(made / "a.zarr")).url == product_of(made).archive
