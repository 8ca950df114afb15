"""Quality from levels and from samples: cases made by hand, and MUSTANG's definitions worked out plainly."""

from __future__ import annotations

import numpy as np
import obspy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.noise.level_quality import dead_channel_gsn, dead_channel_lin, pct_above_nhnm, pct_below_nlnm
from pipeline.noise.noise_models import nhnm_db, nlnm_db
from pipeline.noise.record_quality import count_clipped, find_spikes, record_quality

PERIODS = 2.0 ** np.arange(-4, 14, 0.125)


class TestLevels:
    @given(st.sampled_from([-4.0, -0.01, 0.0, 0.01, 4.0]))
    def test_percentages_count_levels(self, shift):
        levels = np.tile(np.where(np.arange(PERIODS.size) % 2, nlnm_db(PERIODS), nhnm_db(PERIODS)), (4, 1))
        known = ~np.isnan(levels[0])
        levels[0] += shift
        odd = np.arange(PERIODS.size) % 2 == 1
        short = known & (PERIODS <= 1000)
        below = 100 * (odd & short).sum() * (shift < 0) / (4 * short.sum())
        above = 100 * (~odd & known).sum() * (shift > 0) / (4 * known.sum())
        assert pct_below_nlnm(levels, PERIODS) == pytest.approx(below)
        assert pct_above_nhnm(levels, PERIODS) == pytest.approx(above)

    def test_a_superconducting_gravimeter_is_not_blamed_for_being_quiet(self):
        levels = np.where(PERIODS > 1000, nlnm_db(PERIODS) - 8, nlnm_db(PERIODS) + 5)[np.newaxis]
        assert pct_below_nlnm(levels, PERIODS) == 0
        own = np.where(PERIODS > 1000, nlnm_db(PERIODS) - 10, np.nan)
        assert pct_below_nlnm(levels, PERIODS, self_noise_db=own) == 0
        assert pct_below_nlnm(levels, PERIODS, self_noise_db=own + 3) == 100

    def test_windows_left_out_do_not_count(self):
        levels = np.vstack([nlnm_db(PERIODS) - 1, np.full(PERIODS.size, np.nan)])
        assert pct_below_nlnm(levels, PERIODS) == 100
        assert np.isnan(pct_below_nlnm(levels[1:], PERIODS))
        assert np.isnan(pct_above_nhnm(levels[1:], PERIODS))

    @pytest.mark.parametrize(("below_db", "dead"), [(5.1, True), (4.9, False)])
    def test_dead_by_the_microseisms(self, below_db, dead):
        """The median decides, not the mean: one earthquake of three windows does not revive a channel."""
        levels = np.tile(nlnm_db(PERIODS) - below_db, (3, 1))
        levels[0] = -60
        assert dead_channel_gsn(levels, PERIODS) is dead

    def test_no_microseisms_within_reach(self):
        assert dead_channel_gsn([[-100.0, -100.0]], [0.1, 0.2]) is None
        assert dead_channel_gsn([[np.nan]], [5.0]) is None

    def test_dead_by_a_straight_line(self):
        dead = -120 - 15 * np.log10(PERIODS)
        bend = np.where(np.arange(PERIODS.size) % 2, 2.5, -2.5)
        assert dead_channel_lin([dead, dead + 2], PERIODS, 100.0) == pytest.approx(0, abs=1e-9)
        assert dead_channel_lin([dead + bend], PERIODS, 100.0) == pytest.approx(2.5, rel=0.01)
        assert dead_channel_lin([nlnm_db(PERIODS)], PERIODS, 100.0) > 3
        assert np.isnan(dead_channel_lin([dead], PERIODS, 0.02))

    def test_other_shapes_are_refused(self):
        with pytest.raises(
            ConfigError, match=r"should have the shape \(windows, 144 periods\), got \(144,\)"
        ):
            pct_above_nhnm(np.zeros(144), PERIODS)


def hampel(values):
    """Outliers by the rule, worked out for each sample."""
    first = np.clip(np.arange(values.size) - 20, 0, values.size - 41)
    windows = np.lib.stride_tricks.sliding_window_view(values.astype(float), 41)[first]
    middle = np.median(windows, axis=1)
    deviation = np.maximum(np.median(np.abs(windows - middle[:, np.newaxis]), axis=1), 1.0)
    return np.abs(values - middle) > 14.826 * deviation


class TestSpikes:
    @given(st.integers(0, 2**32), st.lists(st.integers(0, 399), max_size=6), st.integers(1, 4))
    def test_they_are_the_outliers_of_hampels_rule(self, seed, places, width):
        rng = np.random.default_rng(seed)
        record = np.round(rng.normal(scale=50, size=400)).astype(np.int32)
        for place in places:
            record[place : place + width] += 20_000 * (1 if place % 2 else -1)
        marked = np.zeros(record.size, dtype=bool)
        for start, stop in find_spikes(record):
            marked[start:stop] = True
        np.testing.assert_array_equal(marked, hampel(record))

    def test_each_made_spike_is_found_once(self):
        rng = np.random.default_rng(1)
        record = np.round(np.cumsum(rng.normal(size=50_000)) * 20).astype(np.int32)
        places = np.arange(500, 49_500, 700)
        for place in places:
            record[place : place + 1 + place % 3] += 30_000
        expected = [[place, place + 1 + place % 3] for place in places]
        assert find_spikes(record).tolist() == expected

    def test_earthquakes_are_none(self):
        rng = np.random.default_rng(2)
        time = np.arange(20_000)
        envelope = np.where(time > 8000, np.exp(-(time - 8000) / 3000) * (1 - np.exp(-(time - 8000) / 40)), 0)
        record = rng.normal(scale=10, size=time.size) + 1e6 * envelope * np.sin(time / 6)
        assert find_spikes(np.round(record).astype(np.int32)).shape == (0, 2)

    def test_real_noise_has_none(self, data_folder):
        folder = data_folder / "continuous" / "chile-12h" / "2014" / "CX" / "PB01"
        trace = obspy.read(folder / "HHZ.D" / "CX.PB01..HHZ.D.2014.121")[0]
        assert find_spikes(trace.data[: 100 * 3600]).shape == (0, 2)

    def test_a_quiet_digitiser_is_no_spike(self):
        record = np.zeros(5000, dtype=np.int32)
        record[::97] = 1
        assert find_spikes(record).shape == (0, 2)
        record[2500] = 100
        assert find_spikes(record).tolist() == [[2500, 2501]]

    def test_gaps_are_none(self):
        rng = np.random.default_rng(3)
        record = np.round(rng.normal(scale=50, size=3000)).astype(np.int32)
        missing = np.zeros(3000, dtype=bool)
        missing[1000:1100] = True
        record[missing] = -(2**31)
        record[990] = 30_000
        assert find_spikes(record, missing=missing).tolist() == [[990, 991]]

    def test_a_record_too_short_has_none(self):
        assert find_spikes(np.array([0] * 20 + [10**6] + [0] * 10)).shape == (0, 2)


class TestRecords:
    def test_all_that_is_counted(self):
        record = np.tile(np.array([5, -3, 8, -7, 1], dtype=np.int32), 400)
        missing = np.zeros(2000, dtype=bool)
        missing[:100] = missing[700:703] = missing[1990:] = True
        record[missing] = -(2**31)
        record[300:305] = 2**23 - 1
        record[900:912] = 4
        record[1200] = 10**6
        quality = record_quality(record, 100.0, missing=missing)
        there = record[~missing].astype(float)
        assert quality.completeness == pytest.approx((2000 - 113) / 2000)
        assert (quality.gaps, quality.longest_gap_s) == (3, 1.0)
        assert (quality.clipped, quality.spikes) == (5, 2)
        assert quality.flat_s == pytest.approx(0.11)
        assert quality.mean == pytest.approx(there.mean())
        assert quality.rms == pytest.approx(there.std())

    def test_nothing_there(self):
        quality = record_quality(np.full(100, np.nan), 10.0, missing=np.ones(100, dtype=bool))
        assert (quality.completeness, quality.gaps, quality.longest_gap_s) == (0.0, 1, 10.0)
        assert (quality.spikes, quality.clipped, quality.flat_s) == (0, 0, 0.0)
        assert quality.mean is None
        assert quality.rms is None

    def test_a_flat_run_does_not_cross_a_gap(self):
        missing = np.zeros(100, dtype=bool)
        missing[60] = True
        assert record_quality(np.zeros(100), 1.0, missing=missing).flat_s == 59

    def test_clipping_needs_a_level(self):
        low = [0, 900, 900, 900, -1000, -1000, 3]
        assert count_clipped(low) == 0
        assert count_clipped(low, level=800) == 3
        assert count_clipped(np.array(low, dtype=float)) == 0
        assert count_clipped([2**23 - 1] * 2 + [0] + [-(2**23)] * 4) == 4

    @pytest.mark.parametrize("shape", [(0,), (3, 10)])
    def test_one_component_at_a_time(self, shape):
        with pytest.raises(ConfigError, match="a record should have one axis and a sample or more"):
            record_quality(np.zeros(shape), 10.0)
