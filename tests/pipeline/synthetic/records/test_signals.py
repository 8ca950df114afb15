"""Signals: each once, where it is in the record, and as large as it is said to be."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from pipeline.archive.grid import DAY_NS
from pipeline.synthetic.config import (
    GravityConfig,
    GreatEarthquakeConfig,
    LandslideConfig,
    read_config,
    to_ns,
)
from pipeline.synthetic.ground.landslide import ground_velocity
from pipeline.synthetic.ground.transients import list_transients, waveform
from pipeline.synthetic.layout import Region
from pipeline.synthetic.records.gravity_recording import record_gravity
from pipeline.synthetic.records.neighbourhood import landslides_at, surroundings_at
from pipeline.synthetic.records.signals import Signal, gravimeter_signals, station_signals
from pipeline.synthetic.scenario import Scenario, gravity_span, make_scenario

START = dt.datetime(2020, 3, 1, 12, tzinfo=dt.UTC)
FAILURE = START + dt.timedelta(hours=9.5)


def with_landslide(**changes: Any) -> Scenario:
    slide = LandslideConfig(
        time=FAILURE, latitude=38.1, longitude=21.4, station="S02", repeaters=80, **changes
    )
    return make_scenario(replace(read_config("small"), start=START, hours=12.0, landslides=(slide,)))


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return with_landslide()


def all_signals(scenario: Scenario, station: int) -> list[Signal]:
    config = scenario.config
    return station_signals(scenario, scenario.stations[station], config.start_ns, config.stop_ns)


def test_every_signal_belongs_to_one_span(scenario: Scenario) -> None:
    config, station = scenario.config, scenario.stations[0]
    cuts_ns = np.linspace(config.start_ns, config.stop_ns, 6).astype(np.int64).tolist()
    parts = [
        one
        for low_ns, high_ns in pairwise(cuts_ns)
        for one in station_signals(scenario, station, low_ns, high_ns)
    ]
    assert parts == all_signals(scenario, 0)
    assert Counter(one.kind for one in parts)["repeater"] == 80


def test_what_is_under_way_at_the_start_counts(scenario: Scenario) -> None:
    """A scenario that begins within a signal has it, and one of its later spans has not."""
    one = next(
        one for one in all_signals(scenario, 0) if one.kind == "vehicle" and one.end_ns - one.start_ns > 2e10
    )
    begin = dt.datetime.fromtimestamp(one.start_ns // 10**9 + 10, tz=dt.UTC)
    later = make_scenario(replace(scenario.config, start=begin, hours=1.0, landslides=()))
    low_ns = later.config.start_ns
    assert one in station_signals(later, later.stations[0], low_ns, low_ns + 60 * 10**9)
    assert one not in station_signals(scenario, scenario.stations[0], low_ns, low_ns + 60 * 10**9)


def test_transients_are_those_of_the_record(scenario: Scenario) -> None:
    config, station = scenario.config, scenario.stations[3]
    place = surroundings_at(scenario, station)
    listed = list_transients(place, config.start_ns, config.stop_ns)
    found = [one for one in all_signals(scenario, 3) if one.kind not in ("repeater", "landslide")]
    assert sorted((one.kind, one.start_ns) for one in found) == sorted(
        (one.kind, one.start_ns) for one in listed
    )
    for one in listed[:20]:
        _, motion = waveform(one)
        (signal,) = (each for each in found if (each.kind, each.start_ns) == (one.kind, one.start_ns))
        silent = [not row.any() for row in motion]
        if motion.any():
            assert [name in (signal.components or "ZNE") for name in "ZNE"] == [not each for each in silent]
            assert signal.peak_m_s == pytest.approx(float(np.abs(motion).max()), rel=1e-6)


@pytest.mark.parametrize("peak_snr", [0.5, 1.5])
def test_repeaters_stand_over_the_noise_as_stated(peak_snr: float) -> None:
    scenario = with_landslide(peak_snr=peak_snr)
    at_reference = [one.snr for one in all_signals(scenario, 1) if one.kind == "repeater"]
    assert len(at_reference) == 80
    # Amplitudes scatter by 5 %, and grow by 30 % with the fall of the night.
    assert np.mean([snr for snr in at_reference if snr is not None]) == pytest.approx(peak_snr, rel=0.05)


def test_a_landslide_is_where_and_as_large_as_it_is_said_to_be(scenario: Scenario) -> None:
    station = scenario.stations[4]
    ((slide, seen),) = landslides_at(scenario, station)
    signals = [one for one in all_signals(scenario, 4) if one.kind in ("repeater", "landslide")]
    rate = 50
    for one in (signals[0], signals[5], signals[-1]):
        first, stop = one.start_ns * rate // 10**9 - 3 * rate, one.end_ns * rate // 10**9 + 3 * rate
        motion = ground_velocity(
            slide, seen, seed=scenario.config.seed, rate_hz=rate, first_sample=first, stop=stop
        )
        inside = motion[:, 3 * rate : -3 * rate]
        # Between samples it may be a little higher than at any.
        assert np.abs(inside).max() == pytest.approx(one.peak_m_s, rel=0.05)
        assert np.abs(motion[:, -rate:]).max() < 0.01 * np.abs(inside).max()
    alone = signals[0]
    before = ground_velocity(
        slide,
        seen,
        seed=scenario.config.seed,
        rate_hz=rate,
        first_sample=alone.start_ns * rate // 10**9 - 10 * rate,
        stop=alone.start_ns * rate // 10**9,
    )
    assert not before.any()
    assert signals[-1].kind == "landslide"
    assert signals[-1].start_ns == to_ns(FAILURE) + round(seen.p_delay_s * 1e9)


@pytest.fixture(scope="module")
def gravity() -> Scenario:
    config = GravityConfig(
        stations=2,
        start=START,
        days=2.0,
        region=Region(latitude=36.0, longitude=104.0, width_km=900.0, height_km=600.0),
        earthquakes=(GreatEarthquakeConfig(time=FAILURE, latitude=-20.0, longitude=-70.5, mw=8.4),),
    )
    return make_scenario(replace(read_config("small"), gravity=config))


def test_a_great_earthquake_is_what_gravimeters_record(gravity: Scenario) -> None:
    start_ns, stop_ns = gravity_span(gravity.config)
    station = gravity.gravimeters[1]
    (one,) = gravimeter_signals(gravity, station, start_ns, stop_ns, start_ns)
    record = record_gravity(gravity, station, start_ns // 10**9, stop_ns // 10**9)
    motion = np.abs(record.oscillations)
    begin, end = ((time_ns - start_ns) // 10**9 for time_ns in (one.start_ns, one.end_ns))
    assert one.kind == "great_earthquake"
    assert one.peak_nm_s2 == pytest.approx(motion.max())
    assert not motion[: begin + 1].any()
    assert motion[end - 1] > 0.01 * motion.max() > motion[end : begin + 86_400].max()
    # Of the days that it touches, that of the origin has it, and no other.
    midnight_ns = (start_ns // DAY_NS + 1) * DAY_NS
    assert gravimeter_signals(gravity, station, start_ns, midnight_ns, start_ns) == [one]
    assert gravimeter_signals(gravity, station, midnight_ns, stop_ns, start_ns) == []
    assert gravimeter_signals(gravity, station, midnight_ns, stop_ns, midnight_ns) == [one]
