"""Designed noise levels: what is measured in the noise that is made, and what they say of a rise."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import scipy.signal

from pipeline.archive.grid import DAY_NS
from pipeline.synthetic.config import read_config
from pipeline.synthetic.gravity.gravimeter_noise import GravimeterNoise, Rise, gravimeter_noise
from pipeline.synthetic.ground.ambient import ambient_noise, designed_power
from pipeline.synthetic.records.neighbourhood import ambient_at
from pipeline.synthetic.records.noise_design import (
    BANDS_S,
    NoiseLevel,
    band_name,
    gravimeter_levels,
    station_levels,
)
from pipeline.synthetic.scenario import Scenario, make_scenario

HOUR_NS = 3600 * 10**9
DAY = 18_322  # 1 March 2020
NOISE = GravimeterNoise(snm=1.2, ssnm=2.6)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return make_scenario(read_config("small"))


def by_band(levels: list[NoiseLevel], component: str, day: int) -> dict[str, NoiseLevel]:
    return {one.band: one for one in levels if (one.component, one.day) == (component, day)}


def measured_db(samples: np.ndarray, rate_hz: float, low_s: float, high_s: float) -> tuple[float, float]:
    """Return the mean power in a band, and the standard deviation of that, both in dB."""
    frequency_hz, power = scipy.signal.periodogram(samples, rate_hz, window="hann")
    inside = power[(frequency_hz >= 1 / high_s) & (frequency_hz < 1 / low_s)]
    # A Hann window ties neighbours together: two of three values tell something new.
    return float(10 * np.log10(inside.mean())), float(4.34 / np.sqrt(inside.size / 1.94))


def test_a_level_is_what_is_measured_in_the_noise(scenario: Scenario) -> None:
    station = scenario.stations[2]
    low_ns = DAY * DAY_NS + 9 * HOUR_NS
    levels = by_band(list(station_levels(scenario, station, low_ns, low_ns + HOUR_NS)), "Z", DAY)
    first = low_ns // 10**9 * 100
    steady = replace(ambient_at(scenario, station), restless_db=0.0)  # an hour's own mean wanders by a dB
    (noise,) = ambient_noise(steady, first, first + 360_000, components="Z")
    for low_s, high_s in BANDS_S[:-1]:
        found_db, std_db = measured_db(noise, 100.0, low_s, high_s)
        assert levels[band_name(low_s, high_s)].level_db == pytest.approx(found_db, abs=4 * std_db + 0.1)


def test_a_day_is_the_mean_of_its_hours(scenario: Scenario) -> None:
    station, start_ns = scenario.stations[0], DAY * DAY_NS
    whole = by_band(list(station_levels(scenario, station, start_ns, start_ns + DAY_NS)), "E", DAY)
    hours = [
        by_band(list(station_levels(scenario, station, at, at + HOUR_NS)), "E", DAY)
        for at in range(start_ns, start_ns + DAY_NS, HOUR_NS)
    ]
    for band, level in whole.items():
        of_hours = np.array([hour[band].level_db for hour in hours])
        assert level.level_db == pytest.approx(10 * np.log10((10 ** (of_hours / 10)).mean()))
        assert [level.p05, level.p50, level.p95] == pytest.approx(np.percentile(of_hours, [5, 50, 95]))
    # At night there is less of what people do.
    assert whole["0.1-0.2s"].p95 - whole["0.1-0.2s"].p05 > 3


def test_bands_join_to_wider_ones(scenario: Scenario) -> None:
    station, low_ns = scenario.stations[1], DAY * DAY_NS
    levels = by_band(list(station_levels(scenario, station, low_ns, low_ns + HOUR_NS)), "N", DAY)
    parts = [(low, high) for low, high in BANDS_S if 1 <= low < 10]
    widths = np.array([1 / low - 1 / high for low, high in parts])
    powers = np.array([10 ** (levels[band_name(*band)].level_db / 10) for band in parts])
    frequency_hz = np.linspace(0.1, 1.0, 20_001)
    direct = designed_power(
        ambient_at(scenario, station), "N", frequency_hz, time_s=low_ns / 1e9 + 1800
    ).mean()
    assert (powers * widths).sum() / widths.sum() == pytest.approx(direct, rel=0.01)
    assert all(one[1] == other[0] for one, other in pairwise(BANDS_S))


def test_a_span_has_the_days_that_it_touches(scenario: Scenario) -> None:
    config = scenario.config
    levels = list(station_levels(scenario, scenario.stations[0], config.start_ns, config.stop_ns))
    assert sorted({one.day for one in levels}) == [DAY, DAY + 1]
    assert len(levels) == 2 * 3 * len(BANDS_S)
    assert all(one.p05 == one.level_db == one.p95 for one in levels)  # an hour of each
    quieter = make_scenario(replace(config, noise=replace(config.noise, night_db=60.0)))
    night = list(station_levels(quieter, quieter.stations[0], config.start_ns, config.stop_ns))
    one, other = (by_band(each, "Z", DAY)["0.1-0.2s"].level_db for each in (night, levels))
    assert one < other - 0.5


def test_magnitudes_follow_a_rise() -> None:
    start_s = DAY * 86_400
    rise = Rise(
        start_s=start_s + 86_400,
        full_s=start_s + 2 * 86_400,
        stop_s=start_s + 3 * 86_400,
        low_hz=1 / 700,
        high_hz=1 / 180,
        gain_db=8.0,
    )
    levels = [
        one
        for one in gravimeter_levels("LGZ", NOISE, [rise], DAY * DAY_NS, (DAY + 4) * DAY_NS)
        if one.band == "200-600s"
    ]
    before, growing, full, after = levels
    assert before.snm == pytest.approx(1.2, abs=1e-4)
    assert full.level_db - before.level_db == pytest.approx(8.0)
    assert full.snm == pytest.approx(1.2 + 0.8, abs=1e-4)
    assert after == replace(before, day=DAY + 3)
    assert growing.p50 - before.p50 == pytest.approx(4.0)
    assert growing.p05 < growing.p50 < growing.level_db < growing.p95
    assert {one.ssnm for one in levels} == {before.ssnm}


def test_a_gravimeters_level_is_what_is_measured() -> None:
    days, start_s = 4, DAY * 86_400
    samples = gravimeter_noise(start_s, start_s + days * 86_400, seed=3, station="G01", noise=NOISE)
    levels = gravimeter_levels("LGZ", NOISE, [], DAY * DAY_NS, (DAY + 1) * DAY_NS)
    for level, (low_s, high_s) in zip(levels, [(200, 600), (3600, 21_600)], strict=True):
        found_db, std_db = measured_db(samples * 1e-9, 1.0, low_s, high_s)
        assert level.level_db == pytest.approx(found_db, abs=4 * std_db)
