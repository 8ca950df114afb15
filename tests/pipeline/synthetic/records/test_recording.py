"""A station-day: the same however it is cut, on the sensor's counts, with onsets that are where it moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.signal

from pipeline.archive.grid import DAY_NS
from pipeline.errors import ConfigError
from pipeline.synthetic.config import NetworkConfig, NoiseConfig, SynthConfig, read_config
from pipeline.synthetic.ground.transients import list_transients
from pipeline.synthetic.records.neighbourhood import surroundings_at
from pipeline.synthetic.records.recording import Recording, record_day, record_span
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


@pytest.fixture(scope="module")
def slow(scenario: Scenario) -> dict[float, Scenario]:
    """The same network with slower digitizers."""
    config = scenario.config
    networks = {rate: replace(config.network, rate_hz=rate) for rate in (20.0, 50.0)}
    return {rate: make_scenario(replace(config, network=network)) for rate, network in networks.items()}


@pytest.mark.parametrize("rate_hz", [20.0, 50.0])
def test_a_slower_digitizer_records_the_same_ground(
    slow: dict[float, Scenario], whole: Recording, rate_hz: float
) -> None:
    scenario = slow[rate_hz]
    made = record_span(scenario, scenario.stations[0], scenario.config.start_ns, scenario.config.stop_ns)
    assert [(trace.rate_hz, trace.start_ns) for trace in made.traces] == [
        (rate_hz, scenario.config.start_ns)
    ] * 3
    band = scipy.signal.butter(4, (0.2, 4.0), "bandpass", fs=100, output="sos")
    slow_band = scipy.signal.butter(4, (0.2, 4.0), "bandpass", fs=rate_hz, output="sos")
    factor = round(100 / rate_hz)
    for fine, coarse in zip(whole.traces, made.traces, strict=True):
        wanted = scipy.signal.sosfiltfilt(band, fine.samples)[::factor]
        found = scipy.signal.sosfiltfilt(slow_band, coarse.samples)
        quiet = np.abs(wanted) < 20 * np.median(
            np.abs(wanted)
        )  # scattered waves are drawn for each rate anew
        inner = quiet & (np.arange(len(wanted)) > 2000) & (np.arange(len(wanted)) < len(wanted) - 2000)
        assert np.corrcoef(wanted[inner], found[inner])[0, 1] > 0.9
        assert found[inner].std() == pytest.approx(wanted[inner].std(), rel=0.1)
    assert [onset.time_ns for onset in made.onsets] == [onset.time_ns for onset in whole.onsets]


def test_no_power_is_folded_back(slow: dict[float, Scenario], whole: Recording) -> None:
    """From 6 to 8 Hz the record of 20 Hz has the power that the one of 100 Hz has."""
    scenario = slow[20.0]
    start_ns = scenario.config.start_ns
    made = record_span(scenario, scenario.stations[0], start_ns, scenario.config.stop_ns)
    powers = []
    for trace in (whole.traces[0], made.traces[0]):
        frequency_hz, power = scipy.signal.welch(
            trace.samples, trace.rate_hz, nperseg=round(20 * trace.rate_hz), average="median"
        )
        powers.append([power[(frequency_hz > a) & (frequency_hz < a + 1)].mean() for a in (1, 3, 6, 7)])
    np.testing.assert_allclose(*powers, rtol=0.1)


def test_slower_records_are_the_same_however_they_are_cut(slow: dict[float, Scenario]) -> None:
    scenario = slow[20.0]
    station, start_ns = scenario.stations[1], scenario.config.start_ns
    span = record_span(scenario, station, start_ns, start_ns + 1200 * 10**9).traces
    part = record_span(scenario, station, start_ns + 350 * 10**9, start_ns + 700 * 10**9).traces
    for one, other in zip(span, part, strict=True):
        np.testing.assert_array_equal(one.samples[7000:14_000], other.samples)


@pytest.mark.parametrize("rate_hz", [0.5, 10.0, 99.0, 200.0])
def test_rates_that_noise_does_not_reach_are_refused(rate_hz: float) -> None:
    with pytest.raises(ConfigError, match=f"rate_hz = {rate_hz}: should be one of 20, 25, 50, 100"):
        NetworkConfig(rate_hz=rate_hz)


def test_what_rings_on_in_the_sensor_is_in_every_cut(scenario: Scenario) -> None:
    noise = NoiseConfig(transients_per_day={"teleseism": 60.0})
    shaken = make_scenario(replace(scenario.config, noise=noise))
    station, span = shaken.stations[0], (shaken.config.start_ns, shaken.config.stop_ns)
    found = list_transients(surroundings_at(shaken, station), *span)
    ends = [one.end_ns for one in found if one.kind == "teleseism" and one.end_ns < span[1] - 60 * 10**9]
    assert ends
    for end_ns in ends:
        low_ns = end_ns // 10**9 * 10**9 - 20 * 10**9
        whole = record_span(shaken, station, low_ns, low_ns + 50 * 10**9).traces
        part = record_span(shaken, station, low_ns + 35 * 10**9, low_ns + 50 * 10**9).traces
        for one, other in zip(whole, part, strict=True):
            np.testing.assert_array_equal(one.samples[3500:], other.samples)
