"""Trends and their series: analytic slopes, and as many false alarms as the test says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.noise.level_series import group_levels, spans_of
from pipeline.noise.trends import lag_one, seasonal_trend, trend


def remembering(count: int, memory: float, rng: np.random.Generator) -> np.ndarray:
    """A first-order autoregression, long after its beginning."""
    steps = rng.normal(size=count + 200)
    for at in range(1, len(steps)):
        steps[at] += memory * steps[at - 1]
    return steps[200:]


@given(st.floats(-5, 5), st.floats(-50, 50), st.lists(st.integers(0, 29), max_size=10, unique=True))
def test_a_line_is_found_through_gaps(slope, level, absent):
    levels = level + slope * np.arange(30.0)
    levels[absent] = np.nan
    found = trend(levels, step=7.0)
    assert found.slope * 7 == pytest.approx(slope, abs=1e-9)
    assert found.low <= found.slope <= found.high
    assert found.levels == 30 - len(absent)


def test_outliers_move_no_slope():
    rng = np.random.default_rng(1)
    levels = 0.1 * np.arange(100.0) + rng.normal(0, 0.5, 100)
    levels[[5, 40, 77]] += 300
    assert trend(levels).slope == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize(("memory", "most"), [(0.0, 0.075), (0.3, 0.08), (0.6, 0.085), (0.8, 0.12)])
def test_false_alarms_are_those_that_are_said(memory, most):
    rng = np.random.default_rng(2)
    alarms = np.mean([trend(remembering(60, memory, rng)).p_value < 0.05 for _ in range(400)])
    # 0.05 ± 0.011 by chance; memory itself has to be estimated.
    assert 0.015 < alarms < most


def test_the_plain_test_would_cry_wolf():
    rng = np.random.default_rng(3)
    plain = []
    for _ in range(200):
        levels = remembering(60, 0.6, rng)
        later, earlier = np.tril_indices(60, -1)
        total = np.sign(levels[later] - levels[earlier]).sum()
        plain.append(abs(total) / np.sqrt(60 * 59 * 125 / 18) > 1.96)
    assert np.mean(plain) > 0.2


def test_the_interval_holds_the_slope_as_often_as_it_says():
    rng = np.random.default_rng(4)
    held = []
    for _ in range(300):
        found = trend(0.05 * np.arange(80) + remembering(80, 0.5, rng))
        held.append(found.low <= 0.05 <= found.high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.04)


@pytest.mark.parametrize("memory", [0.0, 0.5])
def test_seasons_are_no_trend(memory):
    rng = np.random.default_rng(5)
    season = 6 * np.cos(np.arange(12) / 12 * 2 * np.pi)
    alarms = []
    for _ in range(300):
        levels = season + remembering(12 * 8, memory, rng).reshape(8, 12)
        levels[rng.integers(0, 8, 5), rng.integers(0, 12, 5)] = np.nan
        alarms.append(seasonal_trend(levels).p_value < 0.05)
    assert np.mean(alarms) < 0.09


def test_a_trend_below_the_season_is_found():
    rng = np.random.default_rng(6)
    season = 6 * np.cos(np.arange(12) / 12 * 2 * np.pi)
    found = seasonal_trend(season + 0.2 * np.arange(8)[:, None] + rng.normal(0, 0.4, (8, 12)))
    assert found.slope == pytest.approx(0.2, abs=0.05)
    assert found.p_value < 0.01


def test_lag_one_is_free_of_its_bias():
    rng = np.random.default_rng(7)
    found = []
    for _ in range(300):
        levels = remembering(60, 0.5, rng)
        found.append(lag_one(levels - np.polyval(np.polyfit(np.arange(60), levels, 1), np.arange(60))))
    assert np.mean(found) == pytest.approx(0.5, abs=0.06)


def test_too_few_levels_are_refused():
    with pytest.raises(ConfigError, match="at least 8 levels, got 7"):
        trend([1.0] * 7 + [np.nan])
    with pytest.raises(ConfigError, match="at least 4 years"):
        seasonal_trend(np.zeros((3, 12)))


def test_levels_that_stand_still_have_no_trend():
    found = trend(np.ones(20))
    assert (found.slope, found.p_value) == (0.0, 1.0)


@given(st.integers(0, 60_000), st.sampled_from(["week", "month", "block"]))
def test_a_day_lies_in_its_span(day, span):
    (first,) = spans_of(np.array([day]), span)
    assert 0 <= day - first < 31
    assert spans_of(np.array([first]), span)[0] == first


def test_a_year_has_twelve_blocks_and_weeks_begin_on_mondays():
    year = np.arange("2020-01-01", "2021-01-01", dtype="M8[D]").astype(np.int64)
    assert len(np.unique(spans_of(year, "block"))) == len(np.unique(spans_of(year, "month"))) == 12
    assert {int(first) % 7 for first in spans_of(year, "week")} == {4}


def test_powers_are_averaged():
    series = group_levels(np.arange(7) + 4, np.array([0, 0, 0, 20.0, np.nan, 0, 0]), "week")
    assert series.mean_db[0] == pytest.approx(10 * np.log10(105 / 6))
    assert (series.median_db[0], series.days[0]) == (0.0, 6)


def test_no_such_span():
    with pytest.raises(ConfigError, match="one of day, week, month, block, year, got 'decade'"):
        spans_of(np.zeros(1, dtype=np.int64), "decade")
