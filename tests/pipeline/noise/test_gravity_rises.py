"""Rises before a date: as many by chance as is said, and the designed one at its station alone."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
import scipy.signal

from pipeline.errors import ConfigError
from pipeline.noise.magnitudes import SNM_BAND_S, noise_magnitude, spectrum
from pipeline.noise.residuals import day_residual
from pipeline.noise.rises import find_rises, rise_at_dates
from pipeline.synthetic.config import GravityConfig, RiseConfig, SynthConfig
from pipeline.synthetic.gravity.gravimeter_noise import gravimeter_noise
from pipeline.synthetic.layout import Region
from pipeline.synthetic.records.gravity_recording import design
from pipeline.synthetic.scenario import gravity_span, make_scenario


def remembering(shape: tuple[int, int], memory: float, rng: np.random.Generator) -> np.ndarray:
    steps = rng.normal(size=(shape[0], shape[1] + 100))
    return scipy.signal.lfilter([1.0], [1.0, -memory], steps, axis=1)[:, 100:]


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.8])
def test_chance_gives_no_more_than_is_said(memory):
    rng = np.random.default_rng(1)
    any_corrected, found, expected, at_others = [], [], [], []
    for _ in range(150):
        date = int(rng.integers(56, 366))
        _, chance = find_rises(remembering((8, 365), memory, rng), date, weeks_days=28)
        any_corrected.append(chance.found_corrected > 0)
        found.append(chance.found)
        expected.append(chance.expected)
        at_others.append(chance.at_other_dates)
    assert np.mean(any_corrected) < 0.09
    assert 0.3 < np.mean(found) / np.mean(expected) < 1.2
    assert np.mean(at_others) == pytest.approx(np.mean(found), abs=0.15)


def test_counted_probabilities_are_even():
    rng = np.random.default_rng(2)
    counted = []
    for _ in range(60):
        rises, _ = find_rises(remembering((8, 400), 0.5, rng), 200, weeks_days=21)
        counted += [rise.p_counted for rise in rises]
    assert np.mean(counted) == pytest.approx(0.5, abs=0.06)
    assert np.mean(np.array(counted) < 0.2) == pytest.approx(0.2, abs=0.07)


def test_weather_that_all_share_is_said():
    rng = np.random.default_rng(3)
    shared = remembering((1, 500), 0.98, rng)
    rises, chance = find_rises(shared + 0.05 * rng.normal(size=(12, 500)), 300, weeks_days=28)
    assert chance.most_at_other_dates > 6
    assert chance.found_corrected == 0
    assert len(rises) == 12


def test_a_rise_elsewhere_in_time_is_not_this_one():
    rng = np.random.default_rng(4)
    levels = rng.normal(0, 0.3, (6, 400))
    levels[1, 100:130] += 2.0
    rises, chance = find_rises(levels, 300, weeks_days=30)
    assert chance.found_corrected == 0
    assert abs(rises[1].rise_db) < 0.5
    rises, chance = find_rises(levels, 130, weeks_days=30)
    assert [rise.p_corrected < 0.01 for rise in rises] == [False, True, False, False, False, False]
    assert rises[1].rise_db == pytest.approx(2.0, abs=0.3)
    # Counting alone can't say more than there are other dates.
    assert rises[1].p_counted == pytest.approx(1 / (1 + rises[1].independent))


def test_missing_days_and_stations():
    rng = np.random.default_rng(5)
    levels = rng.normal(0, 0.3, (4, 300))
    levels[0, 180:200] = np.nan
    levels[3] = np.nan
    rises, chance = find_rises(levels, 200, weeks_days=30)
    assert np.isnan([rises[0].rise_db, rises[0].p_value, rises[0].p_corrected, rises[3].p_counted]).all()
    assert chance.expected == pytest.approx(0.1)
    assert np.isfinite(rises[1].p_corrected)


def test_medians_of_what_is_there():
    levels = np.array([[1.0, np.nan, 3.0, 8.0, np.nan, np.nan]])
    found = rise_at_dates(levels, weeks_days=2, before_days=2)
    np.testing.assert_array_equal(found, [[np.nan, np.nan, np.nan, np.nan, 4.5, 5.0, np.nan]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"date": 30, "weeks_days": 28}, "date 30 should lie from 56 to 100"),
        ({"date": 60, "weeks_days": 28}, "hold no other date whose 56 days"),
        ({"date": 60, "weeks_days": 0}, "weeks_days should be at least 1"),
        ({"date": 60, "weeks_days": 9, "significance": 0.0}, "between 0 and 1, got 0"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        find_rises(np.random.default_rng(6).normal(size=(3, 100)), **arguments)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [72])
def test_the_designed_rise_is_found_at_its_station_alone(seed):
    start = dt.datetime(2021, 1, 10, tzinfo=dt.UTC)
    region = Region(latitude=36.0, longitude=104.0, width_km=2600.0, height_km=1500.0)
    days, name = 120, "G04"
    rise = RiseConfig(station=name, time=start + dt.timedelta(days=60), days=50.0, gain_db=3.0)
    gravity = GravityConfig(stations=6, start=start, days=float(days), region=region, rises=(rise,))
    scenario = make_scenario(SynthConfig(seed=seed, start=start, hours=1.0, region=region, gravity=gravity))
    first_s = gravity_span(scenario.config)[0] // 10**9
    levels = np.empty((6, days))
    for row, station in enumerate(scenario.gravimeters):
        made = design(scenario.config, station.name)
        noise = gravimeter_noise(
            first_s,
            first_s + days * 86_400,
            seed=seed,
            station=station.name,
            noise=made.noise,
            rises=made.rises,
        )
        for day, samples in enumerate(noise.reshape(days, -1)):
            levels[row, day] = 10 * noise_magnitude(spectrum(day_residual(samples), 1.0), SNM_BAND_S)
    rises, chance = find_rises(levels, 110, weeks_days=28)
    corrected = [each.p_corrected < 0.01 for each in rises]
    assert corrected == [station.name == name for station in scenario.gravimeters], rises
    assert chance.found_corrected == 1
    # Half of it was there when the four weeks began.
    assert 0.5 < rises[3].rise_db < 3.0
