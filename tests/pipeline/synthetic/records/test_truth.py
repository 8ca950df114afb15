"""Tables of truth: each holds what the scenario was made of, and a record can be made of it again."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from pipeline.archive.grid import DAY_NS
from pipeline.synthetic.config import GravityConfig, RiseConfig, SynthConfig, read_config
from pipeline.synthetic.gravity.gravimeter_noise import noise_magnitude
from pipeline.synthetic.layout import Region
from pipeline.synthetic.records.gravity_recording import Gravimeter, design, record_gravity
from pipeline.synthetic.records.noise_design import gravimeter_levels
from pipeline.synthetic.records.signals import Signal
from pipeline.synthetic.records.truth import (
    drifts_table,
    noise_magnitudes_table,
    noise_table,
    rises_table,
    signals_table,
    steps_table,
)
from pipeline.synthetic.scenario import Scenario, gravity_span, make_scenario
from pipeline.tables import check, read_table, write_table

START = dt.datetime(2020, 1, 15, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    gravity = GravityConfig(
        stations=4,
        start=START,
        days=90.0,
        region=Region(latitude=36.0, longitude=104.0, width_km=900.0, height_km=600.0),
        rises=(RiseConfig(station="G02", time=START, days=20.0, gain_db=6.0),),
    )
    config: SynthConfig = replace(read_config("small"), gravity=gravity)
    return make_scenario(config)


@pytest.fixture(scope="module")
def gravimeters(scenario: Scenario) -> dict[str, Gravimeter]:
    return {
        f"GY.{station.name}..LGZ": design(scenario.config, station.name) for station in scenario.gravimeters
    }


def test_steps_and_drifts_make_the_zero_of_a_record(
    scenario: Scenario, gravimeters: dict[str, Gravimeter]
) -> None:
    steps = check(steps_table(gravimeters), "steps").to_pylist()
    drifts = {row["stream"]: row for row in check(drifts_table(gravimeters), "drifts").to_pylist()}
    assert len(steps) >= 3
    start_s = gravity_span(scenario.config)[0] // 10**9
    for station in scenario.gravimeters:
        stream = f"GY.{station.name}..LGZ"
        own = [row for row in steps if row["stream"] == stream]
        for time_s in [start_s + 40 * 86_400, *(row["time"].value // 10**9 for row in own)]:
            record = record_gravity(scenario, station, time_s - 2, time_s + 2)
            clock_s = np.arange(time_s - 2, time_s + 2)
            drift = drifts[stream]
            days = (clock_s - drift["time"].value / 1e9) / 86_400
            zero = drift["rate_nm_per_s2_per_day"] * days + drift["quadratic_nm_per_s2_per_day2"] * days**2
            for row in own:
                zero = zero + row["offset_nm_per_s2"] * (clock_s >= row["time"].value / 1e9)
            np.testing.assert_allclose(record.drift, zero, atol=1e-9)


def test_a_rise_is_that_of_the_config(gravimeters: dict[str, Gravimeter]) -> None:
    (row,) = check(rises_table(gravimeters), "rises").to_pylist()
    assert (row["stream"], row["component"], row["band"]) == ("GY.G02..LGZ", "LGZ", "200-600s")
    assert row["time"].to_pydatetime() == START
    assert row["until"].to_pydatetime() == START + dt.timedelta(days=20)
    assert (row["rise_db"], row["rise_std_db"], row["p_value"]) == (6.0, 0.0, 0.0)


def test_noise_levels_have_magnitudes_that_belong_to_them(gravimeters: dict[str, Gravimeter]) -> None:
    own = gravimeters["GY.G01..LGZ"]
    day = START.toordinal() - dt.date(1970, 1, 1).toordinal()
    levels = list(gravimeter_levels("LGZ", own.noise, own.rises, day * DAY_NS, (day + 3) * DAY_NS))
    rows = check(noise_table("GY.G01..LGZ", levels), "noise_levels").to_pylist()
    assert len(rows) == 6
    magnitudes = check(noise_magnitudes_table("GY.G01..LGZ", levels), "noise_magnitudes").to_pylist()
    assert [row["period_start"] for row in magnitudes] == [row["period_start"] for row in rows[::2]]
    for number, row in enumerate(rows):
        of_day = magnitudes[number // 2]
        magnitude = of_day["snm"] if row["band"] == "200-600s" else of_day["ssnm"]
        assert magnitude == pytest.approx(noise_magnitude(np.array([10 ** (row["level_db"] / 10) * 1e18])))
        assert magnitude == pytest.approx(
            own.noise.snm if row["band"] == "200-600s" else own.noise.ssnm, abs=1e-3
        )
        assert (row["period_days"], row["days"]) == (1, 1)
    assert rows[0]["period_start"].to_pydatetime() == START


def test_signals_of_both_kinds_of_instrument_come_back() -> None:
    signals = [
        Signal(kind="repeater", start_ns=5, end_ns=9, peak_m_s=2e-9, snr=0.75),
        Signal(kind="great_earthquake", start_ns=7, end_ns=8, peak_nm_s2=1500.0),
        Signal(kind="spike", start_ns=8, end_ns=9, components="N", peak_m_s=1e-6),
    ]
    table = signals_table("SY.S01..HH", signals)
    rows = read_table(write_table(table, "signals", fingerprint="a", config="b"), "signals").to_pylist()
    assert [(row["kind"], row["start"].value, row["end"].value) for row in rows] == [
        (one.kind, one.start_ns, one.end_ns) for one in signals
    ]
    assert [row["components"] for row in rows] == ["", "", "N"]
    assert rows[0]["snr"] == 0.75
    assert rows[1]["snr"] is rows[1]["peak_m_per_s"] is None
    assert rows[1]["peak_nm_per_s2"] == 1500.0


def test_without_gravimeters_their_tables_are_empty() -> None:
    for table, name in ((rises_table({}), "rises"), (steps_table({}), "steps"), (drifts_table({}), "drifts")):
        assert check(table, name).num_rows == 0
