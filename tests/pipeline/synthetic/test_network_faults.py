"""Faults of a network: what concerns nothing is refused, and a new sensor is in records and metadata."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.archive.stations import read_stations
from pipeline.config import load
from pipeline.errors import ConfigError
from pipeline.keys import Channel
from pipeline.synthetic.config import SynthConfig
from pipeline.synthetic.instruments import INSTRUMENTS, broadband
from pipeline.synthetic.records.recording import Recording, record_span
from pipeline.synthetic.records.stationxml import stationxml
from pipeline.synthetic.scenario import Scenario, make_scenario
from pipeline.synthetic.times import to_ns

CONFIG = """
seed = 5
start = 2020-03-01T23:54:00Z
hours = 0.2

[region]
latitude = 38.0
longitude = 21.5
width_km = 40.0
height_km = 30.0

[network]
stations = 2
orientation_error_deg = 3.0

[earthquakes]
per_day = 3000.0

[gravity]
stations = 1
days = 2.0

[gravity.region]
latitude = 36.0
longitude = 104.0
width_km = 100.0
height_km = 100.0

[[faults]]
"""
CHANGE = """
kind = "sensor_change"
stream = "SY.S02..HH"
time = 2020-03-02T00:00:00Z
size = 5.0

[faults.sensor]
instrument = "compact"
azimuth_deg = 40.0
"""
GAP = 'kind = "gap"\nstream = "SY.S01..HH"\ntime = 2020-03-02T00:00:00Z\nhours = 0.01\n'
NS = 10**9


def scenario_of(faults: str) -> Scenario:
    return make_scenario(load(SynthConfig, CONFIG + faults))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GAP.replace("S01", "S41"), r"faults\[0\].stream = 'SY.S41..HH': no such stream; did you mean"),
        (GAP.replace("01..HH", "01..BH"), r"no such stream; did you mean SY.S01..HH\?"),
        (GAP.replace("SY.S01..HH", "SY.S01"), "should have four parts"),
        (GAP + 'components = "X"', "components should be of ZNE12, got X"),
        (GAP + "size = 3.0", "size = 3.0 should be left out"),
        (GAP.replace("0.01", "-1.0"), "hours = -1.0: should be above 0, or left out for all that follows"),
        (GAP.replace("0.01", "nan"), "hours = nan: should be above 0"),
        (
            GAP.replace("2020-03-02", "2020-03-04"),
            r"faults\[0\].time = 2020-03-04T00:00:00Z: should lie within",
        ),
        (
            GAP.replace("2020-03-02", "2020-03-01"),
            r"faults\[0\] is over at 2020-03-01T00:00:36Z: should reach",
        ),
        (GAP.replace("gap", "leap_second"), "hours = 0.01: should be left out of a leap_second"),
        (
            GAP.replace("gap", "missed_leap_second"),
            "should be at a midnight that a leap second stands before",
        ),
        (GAP + '[faults.sensor]\ninstrument = "compact"', r"kind gap takes no \[faults.sensor\]"),
        (CHANGE.split("[faults.sensor]", maxsplit=1)[0], r"kind sensor_change needs \[faults.sensor\]"),
        (CHANGE.replace("compact", "geophone"), "geophone"),
        (
            CHANGE.replace("SY.S02..HH", "GY.G01..LGZ"),
            "sensor_change should be of a broadband, not of GY.G01",
        ),
        (
            CHANGE.replace("5.0", "-5.0"),
            "cannot follow at 2020-03-02T00:00:00Z .in its metadata 2020-03-01T19",
        ),
        (CHANGE.replace("02T00:00", "01T23:54"), "should lie within 2020-03-01T23:54:00Z to"),
        (CHANGE.replace("02T00:00", "02T00:06"), "should lie within 2020-03-01T23:54:00Z to"),
    ],
)
def test_a_fault_of_nothing_is_one_line(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        scenario_of(text)
    assert "\n" not in str(caught.value)


def test_a_fault_without_hours_lasts_to_the_end() -> None:
    gravity = GAP.replace("SY.S01..HH", "GY.G01..LGZ").replace("hours = 0.01\n", "")
    scenario = scenario_of(GAP.replace("hours = 0.01\n", "") + "[[faults]]\n" + gravity)
    own, other = scenario.faults
    assert own.end_ns == scenario.config.stop_ns
    assert other.end_ns == scenario.config.start_ns + 2 * 86_400 * NS


@pytest.fixture(scope="module")
def changed() -> Scenario:
    return scenario_of(CHANGE)


@pytest.fixture(scope="module")
def records(changed: Scenario) -> dict[str, Recording]:
    """The record with both sensors, and those in which one of them stood all the time."""
    config, station = changed.config, changed.stations[1]
    old, new = station.sensors
    alone = {
        "old": replace(station, sensors=(replace(old, end_ns=None, stated_end_ns=None),)),
        "new": replace(station, sensors=(replace(new, start_ns=old.start_ns),)),
    }
    stations = {"both": station, **alone}
    return {
        name: record_span(changed, each, config.start_ns, config.stop_ns) for name, each in stations.items()
    }


def test_each_sensor_records_its_own_time(changed: Scenario, records: dict[str, Recording]) -> None:
    assert [str(stream) for stream in changed.stations[1].streams] == ["SY.S02..HH"]
    first, second = records["both"].traces[:3], records["both"].traces[3:]
    assert [trace.channel.code for trace in (*first, *second)] == ["HHZ", "HHN", "HHE", "HHZ", "HH1", "HH2"]
    assert {trace.start_ns for trace in second} == {changed.faults[0].start_ns}
    for part, old, new in zip(first, records["old"].traces, records["new"].traces, strict=True):
        np.testing.assert_array_equal(part.samples, old.samples[:36_000])
        assert (part.samples != new.samples[:36_000]).any()
    for part, new in zip(second, records["new"].traces, strict=True):
        np.testing.assert_array_equal(part.samples, new.samples[36_000:])
    gain = np.std(np.diff(second[0].samples)) / np.std(np.diff(records["old"].traces[0].samples[36_000:]))
    # From 1 Hz to 10 Hz, where differences of samples are large, both are flat.
    assert gain == pytest.approx(754 / 1500, rel=0.02)


def test_truth_is_measured_on_the_sensor_of_its_time(records: dict[str, Recording]) -> None:
    both, old, new = (
        {(onset.event_id, onset.phase): onset for onset in records[name].onsets}
        for name in ("both", "old", "new")
    )
    assert both.keys() == old.keys() == new.keys()
    assert len(both) > 10
    sides = [{key for key, onset in both.items() if onset == other[key]} for other in (old, new)]
    assert sides[0] | sides[1] == both.keys()
    assert min(map(len, sides)) > 2
    for (event_id, phase), onset in both.items():
        if phase == "P":  # on the vertical, which stands alike
            other = old[event_id, phase]
            assert onset.amplitude_m_s == pytest.approx(other.amplitude_m_s, rel=0.1)


def test_the_metadata_follow_when_they_are_said_to(changed: Scenario) -> None:
    stations = read_stations(stationxml(changed.stations))
    time_ns, stated_ns = changed.faults[0].start_ns, changed.faults[0].start_ns + 5 * 3600 * NS
    vertical = Channel.parse("SY.S02..HHZ")
    assert stations.find(vertical, stated_ns - 1).sensitivity == broadband().sensitivity
    assert stations.find(vertical, stated_ns).sensitivity == INSTRUMENTS["compact"]().sensitivity
    assert stations.find(vertical, time_ns).sensor == broadband().name  # which is wrong, as was asked for
    (north,) = stations.epochs_of(Channel.parse("SY.S02..HHN"))
    (one,) = stations.epochs_of(Channel.parse("SY.S02..HH1"))
    assert (north.end_ns, one.start_ns, one.azimuth_deg) == (stated_ns, stated_ns, 40.0)
    errors_deg = [sensor.orientation_error_deg for sensor in changed.stations[1].sensors]
    assert errors_deg[0] != errors_deg[1]


def test_two_changes_follow_each_other() -> None:
    again = CHANGE.replace("02T00:00", "02T00:03").replace("compact", "short period").replace("40.0", "0.0")
    scenario = scenario_of(again + "[[faults]]" + CHANGE)  # in any order
    names = [sensor.instrument.name for sensor in scenario.stations[1].sensors]
    assert names == [INSTRUMENTS[name]().name for name in ("broadband", "compact", "short period")]
    starts = [sensor.start_ns for sensor in scenario.stations[1].sensors]
    assert starts == sorted(starts)
    assert starts[0] == to_ns(scenario.config.start)
    with pytest.raises(ConfigError, match="cannot follow"):
        scenario_of(CHANGE + "[[faults]]" + CHANGE)
