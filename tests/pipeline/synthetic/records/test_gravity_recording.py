"""A gravimeter's day: counts of what it is made of, the same however cut, and as it was designed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from pipeline.archive.grid import DAY_NS
from pipeline.synthetic.config import GravityConfig, RiseConfig, SynthConfig, read_config
from pipeline.synthetic.layout import Region
from pipeline.synthetic.records.gravity_recording import design, record_gravity, record_gravity_day
from pipeline.synthetic.scenario import Scenario, gravity_span, make_scenario

START = dt.datetime(2020, 1, 15, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    gravity = GravityConfig(
        stations=3,
        start=START,
        days=2.5,
        region=Region(latitude=36.0, longitude=104.0, width_km=900.0, height_km=600.0),
        rises=(RiseConfig(station="G02", time=START, days=2.0, gain_db=6.0),),
    )
    config: SynthConfig = replace(read_config("small"), gravity=gravity, faults=())
    return make_scenario(config)


def test_counts_are_gravity_and_pressure(scenario: Scenario) -> None:
    station = scenario.gravimeters[0]
    start_ns, stop_ns = gravity_span(scenario.config)
    whole = record_gravity(scenario, station, start_ns // 10**9, stop_ns // 10**9)
    days = range(start_ns // DAY_NS, -(-stop_ns // DAY_NS))
    for code, values, unit in (("LGZ", whole.gravity, 0.1), ("LDI", whole.pressure_hpa, 0.001)):
        traces = [trace for day in days for trace in record_gravity_day(scenario, station, {code}, day)]
        assert [len(trace.samples) for trace in traces] == [86_400, 86_400, 43_200]
        counts = np.concatenate([trace.samples for trace in traces])
        # Half a count, and the rounding of floats.
        assert np.abs(counts * unit - values).max() <= 0.5 * unit * (1 + 1e-6)
        assert str(traces[0].channel) == f"GY.G01..{code}"
        assert traces[1].start_ns == traces[0].start_ns + DAY_NS


def test_a_channel_alone_is_the_same(scenario: Scenario) -> None:
    station, day = scenario.gravimeters[1], gravity_span(scenario.config)[0] // DAY_NS
    both = record_gravity_day(scenario, station, ("LGZ", "LDI"), day)
    alone = [record_gravity_day(scenario, station, (code,), day)[0] for code in ("LGZ", "LDI")]
    for one, other in zip(both, alone, strict=True):
        assert one.channel == other.channel
        np.testing.assert_array_equal(one.samples, other.samples)


def test_tides_and_pressure_are_of_the_right_size(scenario: Scenario) -> None:
    start_ns, stop_ns = gravity_span(scenario.config)
    made = record_gravity(scenario, scenario.gravimeters[1], start_ns // 10**9, stop_ns // 10**9)
    assert 800 < np.ptp(made.tide) < 3500
    assert 850 < made.pressure_hpa.mean() < 1050
    np.testing.assert_allclose(
        made.gravity,
        made.tide + made.pressure_effect + made.oscillations + made.drift + made.noise,
        atol=1e-6,
    )


def test_designs_are_drawn_within_their_ranges(scenario: Scenario) -> None:
    gravity = scenario.config.gravity
    assert gravity is not None
    designs = [design(scenario.config, station.name) for station in scenario.gravimeters]
    for each in designs:
        assert gravity.snm[0] <= each.noise.snm <= gravity.snm[1]
        above = each.noise.ssnm - each.noise.snm
        assert gravity.reddening[0] - 0.01 <= above <= gravity.reddening[1] + 0.01
    assert len({each.noise.snm for each in designs}) == 3
    assert [len(each.rises) for each in designs] == [0, 1, 0]


def test_without_gravity_there_is_none() -> None:
    plain = make_scenario(read_config("large"))
    assert plain.gravimeters == ()
    start_ns, stop_ns = gravity_span(plain.config)
    assert start_ns == stop_ns
