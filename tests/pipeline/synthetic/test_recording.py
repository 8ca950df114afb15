"""A station-day: the same however it is cut, on the sensor's counts, with onsets that are where it moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.archive.grid import DAY_NS
from pipeline.synthetic.config import SynthConfig, read_config
from pipeline.synthetic.recording import Recording, record_day, record_span
from pipeline.synthetic.scenario import Scenario, make_scenario


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return make_scenario(read_config("small"))


@pytest.fixture(scope="module")
def whole(scenario: Scenario) -> Recording:
    config = scenario.config
    return record_span(scenario, scenario.stations[0], config.start_ns, config.stop_ns)


def test_midnight_leaves_no_trace(scenario: Scenario, whole: Recording) -> None:
    day = scenario.config.start_ns // DAY_NS
    cut = [record_day(scenario, scenario.stations[0], each) for each in (day, day + 1)]
    for row, trace in enumerate(whole.traces):
        parts = [each.traces[row] for each in cut]
        assert parts[0].start_ns == trace.start_ns == scenario.config.start_ns
        assert parts[1].start_ns == (day + 1) * DAY_NS
        np.testing.assert_array_equal(np.concatenate([part.samples for part in parts]), trace.samples)
    assert cut[0].onsets + cut[1].onsets == whole.onsets
    assert cut[0].amplitudes + cut[1].amplitudes == whole.amplitudes
    assert min(len(each.onsets) for each in cut) > 0


def test_samples_fill_the_span(scenario: Scenario, whole: Recording) -> None:
    assert [len(trace.samples) for trace in whole.traces] == [round(scenario.config.hours * 360_000)] * 3
    assert [trace.channel.code for trace in whole.traces] == ["HHZ", "HHN", "HHE"]


def test_each_event_has_a_p_and_an_s_in_order(scenario: Scenario, whole: Recording) -> None:
    found: dict[str, dict[str, int]] = {}
    for onset in whole.onsets:
        found.setdefault(onset.event_id, {})[onset.phase] = onset.time_ns
    complete = [times for times in found.values() if len(times) == 2]
    assert len(complete) > 0.9 * len(scenario.catalog)
    origin = dict(zip(scenario.catalog.event_id.tolist(), scenario.catalog.origin_ns.tolist(), strict=True))
    for event_id, times in found.items():
        assert all(time > origin[event_id] for time in times.values())
    assert all(times["P"] < times["S"] for times in complete)


def test_clear_onsets_are_where_the_record_rises(whole: Recording) -> None:
    """STA over LTA of the raw vertical, at clear P: nothing before, much after."""
    vertical = whole.traces[0]
    clear = [onset for onset in whole.onsets if onset.phase == "P" and onset.snr > 20]
    assert len(clear) >= 3
    samples = np.diff(vertical.samples.astype(np.float64))  # whitens the microseism away
    for onset in clear:
        at = vertical.index(onset.time_ns)
        before = np.sqrt((samples[at - 300 : at - 2] ** 2).mean())
        assert np.abs(samples[at : at + 100]).max() > 5 * before
        assert np.abs(samples[at - 102 : at - 2]).max() < 6 * before


def test_counts_are_the_sensors(scenario: Scenario, whole: Recording) -> None:
    """A gain twice as large gives counts twice as large, noise and earthquakes alike."""
    station = scenario.stations[0]
    sensor = station.sensors[0]
    louder = replace(sensor.instrument, counts_per_volt=2 * sensor.instrument.counts_per_volt)
    changed = replace(station, sensors=(replace(sensor, instrument=louder),))
    start_ns = scenario.config.start_ns
    span = (start_ns + 600 * 10**9, start_ns + 900 * 10**9)
    twice = record_span(scenario, changed, *span)
    once = whole.traces[0].samples[60_000:90_000].astype(np.float64)
    # Each is rounded to a whole count.
    np.testing.assert_allclose(twice.traces[0].samples, 2 * once, atol=1.6, rtol=1e-5)


def test_the_seed_decides(scenario: Scenario) -> None:
    config: SynthConfig = scenario.config
    span = (config.start_ns, config.start_ns + 60 * 10**9)
    other = make_scenario(replace(config, seed=config.seed + 1))
    one, two = (record_span(each, each.stations[0], *span).traces[0] for each in (scenario, other))
    assert abs(np.corrcoef(one.samples[::50], two.samples[::50])[0, 1]) < 0.5
    assert (one.samples != two.samples).any()
