"""Gravimeters from files to noise magnitudes: units, rates, pressure, and calibrations that are wrong."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from noise_archives import DAY, Channel, flat, ingest, write_days

from pipeline.synthetic.gravity.tide import gravity_tide
from workflows.cli import main
from workflows.noise import NoiseProduct, find_product

DAYS = 8
NOISE_UGAL2_HZ = 100.0
SNM = np.log10(NOISE_UGAL2_HZ) + 2.5


@cache
def tide_each_second(days: int, latitude: float = 30.0) -> np.ndarray:
    """Return a tide that shares no code with what is tested."""
    first_s = int(DAY.timestamp)
    return gravity_tide(
        first_s, first_s + days * 86_400 + 1, latitude_deg=latitude, longitude_deg=100.0, height_m=100.0
    )


def gravity(
    rate_hz: float, *, seed: int = 1, days: int = DAYS, tide: float = 1.0, latitude: float = 30.0
) -> np.ndarray:
    """Return gravity (nm/s²) of white noise and so much of a tide."""
    time_s = np.arange(round(days * 86_400 * rate_hz)) / rate_hz
    noise = np.random.default_rng(seed).normal(0, 10 * np.sqrt(NOISE_UGAL2_HZ * rate_hz / 2), time_s.size)
    each_second = tide_each_second(days, latitude)
    return noise + tide * np.interp(time_s, np.arange(len(each_second)), each_second)


def measured(folder: Path, *channels: Channel, config: str = "", status: int = 0) -> NoiseProduct:
    ingest(folder / "sds", folder / "a.zarr", *channels)
    options = []
    if config:
        (folder / "noise.toml").write_text(config)
        options = ["--config", str(folder / "noise.toml")]
    assert main(["noise", str(folder / "a.zarr"), "--cluster", "serial", "--quiet", *options]) == status
    return find_product(str(folder / "a.zarr"))


def magnitudes(product: NoiseProduct, span: str = "all") -> dict[str, dict[str, Any]]:
    rows = product.table("noise_magnitudes").to_pylist()
    return {row["stream"].split(".")[1]: row for row in rows if row["span"] == span}


def test_a_network_of_mixed_units_and_rates(tmp_path: Path) -> None:
    """Once a second in counts, ten seconds in µGal, a minute in nm/s², and 160,000 samples a day."""
    sds = tmp_path / "sds"
    write_days(sds, "CNT", "LGZ", np.rint(gravity(1.0) * -3).astype(np.int64), 1.0)
    write_days(sds, "GAL", "VGZ", gravity(0.1) / 10, 0.1)
    write_days(sds, "MIN", "UGZ", gravity(1 / 60), 1 / 60)
    write_days(sds, "ODD", "MGZ", gravity(160_000 / 86_400), 160_000 / 86_400)
    product = measured(
        tmp_path,
        Channel(station="CNT", code="LGZ", response=flat(-3e9, "M/S**2")),
        Channel(station="GAL", code="VGZ"),
        Channel(station="MIN", code="UGZ", response=flat(1, "NM/S**2")),
        Channel(station="ODD", code="MGZ"),
        config="[[gravimeters]]\nstream = '*.GAL.*'\nunit = 'µGal'\n"
        "[[gravimeters]]\nstream = '*.ODD.*'\nunit = 'nm/s**2'\n",
    )
    found = magnitudes(product)
    assert sorted(found) == ["CNT", "GAL", "MIN", "ODD"]
    for row in found.values():
        # Five days of 288 frequencies each.
        assert row["snm"] == pytest.approx(SNM, abs=0.05)
        assert row["tide_factor"] == pytest.approx(1.0, abs=0.02)
        assert (len(row["quiet"]), row["ranked_days"]) == (5, DAYS)
        assert row["reason"] == "1 quiet runs of 5"


def test_pressure_is_taken_out(tmp_path: Path) -> None:
    sds, rate_hz = tmp_path / "sds", 0.1
    rng = np.random.default_rng(3)
    pressure = 1000 + np.cumsum(rng.normal(0, 0.05, round(DAYS * 8640)))
    loaded = gravity(rate_hz) - 3 * (pressure - 1013.25)
    for station in ("AIR", "BAR"):
        write_days(sds, station, "VGZ", loaded, rate_hz)
    write_days(sds, "BAR", "VDI", np.rint(pressure * 1000).astype(np.int64), rate_hz)
    channels = [Channel(station=name, code="VGZ", response=flat(1, "NM/S**2")) for name in ("AIR", "BAR")]
    barometer = Channel(station="BAR", code="VDI", response=flat(10, "PA"))
    product = measured(tmp_path, *channels, barometer)
    found = magnitudes(product)
    assert found["BAR"]["snm"] == pytest.approx(SNM, abs=0.05)
    assert found["BAR"]["ssnm"] == pytest.approx(SNM, abs=0.15)
    assert found["AIR"]["ssnm"] > found["BAR"]["ssnm"] + 0.2
    notes = {str(key): latest.status for key, latest in product.blocks.ledger().latest().items()}
    assert {key.split(".")[1]: str(status) for key, status in notes.items()}["AIR"] == "noted"


@pytest.mark.parametrize(
    ("factor", "reason"),
    [(-1.0, "its polarity is reversed"), (10.0, "µGal"), (1.4, "divided by 1.4")],
)
def test_a_wrong_calibration_is_left_out(
    factor: float, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_days(tmp_path / "sds", "BAD", "VGZ", factor * gravity(0.1), 0.1)
    write_days(tmp_path / "sds", "GUD", "VGZ", gravity(0.1, seed=2), 0.1)
    channels = [Channel(station=name, code="VGZ", response=flat(1, "NM/S**2")) for name in ("BAD", "GUD")]
    product = measured(tmp_path, *channels, status=1)
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("lost: XX.BAD") == 1
    assert "lost: XX.GUD" not in error
    found = magnitudes(product)
    assert found["BAD"]["snm"] is None
    assert "8 days left out for their tide" in found["BAD"]["reason"]
    assert found["GUD"]["snm"] == pytest.approx(SNM, abs=0.05)
    assert {row["stream"] for row in product.table("noise_levels").to_pylist()} == {"XX.GUD..VGZ"}


def test_a_record_without_its_tide(tmp_path: Path) -> None:
    """A corrected record has none: taking it out once more would put it in."""
    write_days(tmp_path / "sds", "COR", "VGZ", gravity(0.1, tide=0.0), 0.1)
    channel = Channel(station="COR", code="VGZ", response=flat(1, "NM/S**2"))
    config = "[[gravimeters]]\nstream = '*'\ntide = 'none'\n"
    found = magnitudes(measured(tmp_path, channel, config=config))["COR"]
    assert found["snm"] == pytest.approx(SNM, abs=0.05)
    assert found["tide_factor"] is None


def test_a_gain_that_changes_at_noon(tmp_path: Path) -> None:
    values = gravity(0.1)
    noon = "2021-03-04T12:00:00"
    values[round(3.5 * 8640) :] *= -2.5
    write_days(tmp_path / "sds", "NEW", "VGZ", values, 0.1)
    before = Channel(station="NEW", code="VGZ", response=flat(1, "NM/S**2"), end=noon)
    after = Channel(station="NEW", code="VGZ", response=flat(-2.5, "NM/S**2"), start=noon)
    product = measured(tmp_path, before, after)
    found = magnitudes(product)["NEW"]
    assert found["snm"] == pytest.approx(SNM, abs=0.05)
    assert found["tide_factor"] == pytest.approx(1.0, abs=0.02)
    days = [row for row in product.table("noise_levels").to_pylist() if row["span"] == "day"]
    levels = [row["p50"] for row in days if row["band"] == "200-600s"]
    assert len(levels) == DAYS
    assert np.ptp(levels) < 1.5


def test_pressure_that_begins_later_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pressure = np.full(DAYS * 8640, 1_000_000.0)
    pressure[: 5 * 8640] = np.nan
    write_days(tmp_path / "sds", "BAR", "VGZ", gravity(0.1), 0.1)
    write_days(tmp_path / "sds", "BAR", "VDI", pressure, 0.1)
    gravimeter = Channel(station="BAR", code="VGZ", response=flat(1, "NM/S**2"))
    barometer = Channel(station="BAR", code="VDI", response=flat(10, "PA"))
    product = measured(tmp_path, gravimeter, barometer, status=1)
    error = capsys.readouterr().err
    # A block without any pressure keeps its gravity; the next one has some, and begins on 4 March.
    assert "note: XX.BAR..VGZ/0.1Hz: 3 days from 2021-03-01 on: XX.BAR..VDI: no pressure" in error
    assert "lost: XX.BAR..VGZ/0.1Hz: 2 days from 2021-03-04 on: no pressure" in error
    assert magnitudes(product)["BAR"]["ranked_days"] == DAYS - 2


def test_fewer_quiet_days_than_asked_for(tmp_path: Path) -> None:
    values = gravity(0.1, days=4)
    values[2 * 8640 + 100 : 2 * 8640 + 600] = np.nan
    write_days(tmp_path / "sds", "FEW", "VGZ", values, 0.1)
    found = magnitudes(measured(tmp_path, Channel(station="FEW", code="VGZ", response=flat(1, "NM/S**2"))))
    assert found["FEW"]["quiet"] == ["2021-03-01", "2021-03-02", "2021-03-04"]
    assert found["FEW"]["reason"] == "3 quiet days of 5; 0 quiet runs of 5"
    assert found["FEW"]["ssnm"] is None


def test_nothing_known_of_a_gravimeter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_days(tmp_path / "sds", "UNK", "VGZ", gravity(0.1, days=2), 0.1)
    measured(tmp_path, status=1)
    assert "no metadata epoch holds, and no unit is given" in capsys.readouterr().err
    assert main(["noise", str(tmp_path / "a.zarr"), "--cluster", "serial", "--quiet", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["told"]
    assert [(each["days"], each["lost"]) for each in told] == [(2, True)]


def test_a_rise_is_found_where_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = 76
    names = [f"R{number}" for number in range(4)]
    for number, name in enumerate(names):
        values = gravity(1 / 60, seed=number, days=days)
        if name == "R2":
            louder = np.random.default_rng(99).normal(0, 10 * np.sqrt(NOISE_UGAL2_HZ / 120), 14 * 1440)
            values[60 * 1440 : 74 * 1440] += louder
        write_days(tmp_path / "sds", name, "UGZ", values, 1 / 60)
    channels = [Channel(station=name, code="UGZ", response=flat(1, "NM/S**2")) for name in names]
    measured(tmp_path, *channels)
    capsys.readouterr()
    call = ["rises", str(tmp_path / "a.zarr"), "--before", "2021-05-14", "--weeks", "2", "--json"]
    assert main([*call, "--out", str(tmp_path / "rises.parquet")]) == 0
    report = json.loads(capsys.readouterr().out)
    found = {row["stream"].split(".")[1]: row for row in report["stations"]}
    assert [name for name in names if found[name]["found"]] == ["R2"]
    assert found["R2"]["rise_db"] == pytest.approx(3.0, abs=0.5)
    assert report["chance"]["expected"] == pytest.approx(0.05 * 4)
    assert (tmp_path / "rises.parquet").exists()
    assert main([*call[:3], "2021-03-05"]) == 2
    assert "a date should lie from" in capsys.readouterr().err
    assert main([*call[:4], "--band", "1-2s"]) == 2
    assert "has 200-600s" in capsys.readouterr().err
