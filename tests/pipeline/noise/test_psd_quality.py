"""Quality from levels and from samples: cases made by hand, and MUSTANG's definitions worked out plainly."""

from __future__ import annotations

import numpy as np
import obspy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.noise.level_quality import dead_channel_gsn, dead_channel_lin, pct_above_nhnm, pct_below_nlnm
from pipeline.noise.noise_models import nhnm_db, nlnm_db
from pipeline.noise.record_quality import count_clipped, find_spikes, record_quality
from pipeline.signal import gaps

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

    @pytest.mark.parametrize(
        ("rough", "size", "quiet", "leap", "found"),
        [
            (90, 2000, 500, 160, False),
            (90, 2000, 501, 160, True),
            (30, 1000, 500, 160, False),
            (30, 1000, 500, 161, True),
        ],
    )
    def test_what_is_typical(self, rough, size, quiet, leap, found):
        """The 501st of a thousand steps, and of the last part the mean of that and the 500th: 10 and 30."""
        steps = np.where(np.arange(size) < 998 - quiet, rough, 10) * (-1) ** np.arange(size)
        steps[800:802] = leap, -leap
        assert ([801, 802] in find_spikes(np.append(0, np.cumsum(steps))).tolist()) is found

    def test_what_is_usual_beside_a_leap(self):
        """The 501st step is one of 12: 160 is a leap, 90 is none, though it is above eight times 10."""
        steps = np.where(np.arange(2000) < 497, 90, 10) * (-1) ** np.arange(2000)
        steps[800:802] = 160, -160
        steps[900] = 12
        assert find_spikes(np.append(0, np.cumsum(steps))).tolist() == [[801, 802]]

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


def slow_spikes(record, absent):
    """Spikes by sorting: typical steps by partitions, and Hampel's rule sample by sample around leaps."""
    values = record[~absent].astype(float)
    marked = np.zeros(values.size, dtype=bool)
    if values.size >= 41:
        step = np.abs(np.diff(values))
        parts = max(step.size // 1000, 1)
        last = (parts - 1) * 1000
        typical = [np.sort(step[1000 * part : 1000 * (part + 1)])[500] for part in range(parts - 1)]
        least = np.concatenate([np.repeat(typical, 1000), np.full(step.size - last, np.median(step[last:]))])
        leaps = np.flatnonzero(step > np.maximum(8 * least, 1))
        outliers = hampel(values)
        for leap in np.union1d(leaps, leaps + 1):
            first, stop = leap, leap
            while first > 0 and outliers[leap] and outliers[first - 1]:
                first -= 1
            while stop < values.size and outliers[stop]:
                stop += 1
            marked[first:stop] = True
    spread = np.zeros(record.size, dtype=bool)
    spread[~absent] = marked
    return np.stack(gaps.runs(spread), axis=-1)


def slow_clipped(record, absent, level):
    there = record[~absent]
    if not there.size or (level is None and record.dtype.kind == "f"):
        return 0
    clipped = 0
    for extreme in {there.max(), there.min()}:
        if abs(float(extreme)) >= (2**21 if level is None else level):
            lengths = np.subtract(*gaps.runs((record == extreme) & ~absent)[::-1])
            clipped += lengths[lengths >= 3].sum()
    return clipped


def slow_flat(record, absent):
    same = (record[1:] == record[:-1]) & ~absent[1:] & ~absent[:-1]
    return np.subtract(*gaps.runs(same)[::-1]).max(initial=0)


@st.composite
def records(draw):
    """Noise of any size, red or white, with spikes, an earthquake, clipped tops, flat spans and gaps."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    size = draw(st.sampled_from([1, 2, 40, 41, 42, 300, 999, 1001, 2000, 2001, 2002, 5000]))
    scale = draw(st.sampled_from([0.3, 2.0, 100.0, 1e5]))
    record = rng.normal(scale=scale, size=size)
    if draw(st.booleans()):
        record = np.cumsum(record)
    record += draw(st.sampled_from([0.0, 1e6]))
    if draw(st.booleans()):
        time = np.arange(size) - size // 3
        record += (time > 0) * 1e3 * scale * np.exp(-np.abs(time) / 300) * np.sin(time / 5)
    places = draw(st.lists(st.integers(0, size - 1), max_size=8)) + draw(
        st.sampled_from([[], [0], [size - 1]])
    )
    missing = np.zeros(size, dtype=bool)
    for place in places:
        kind, width = draw(st.sampled_from(["spike", "gap", "flat", "both"])), int(rng.integers(1, 60))
        if kind in ("spike", "both"):
            record[place : place + 1 + width % 3] += rng.choice([-1, 1]) * rng.choice([9, 40, 3000]) * scale
        if kind in ("gap", "both"):
            missing[place + 1 : place + 1 + width] = True
        if kind == "flat":
            record[place : place + width] = record[place]
    dtype = draw(st.sampled_from(["int32", "float32", "float64"]))
    if draw(st.booleans()):
        low, high = np.quantile(record, [0.05, 0.9])
        record = np.clip(record, low, high)
    record = (np.round(record) if draw(st.booleans()) or dtype == "int32" else record).astype(dtype)
    record[missing] = -(2**31) if dtype == "int32" else np.nan
    return record, missing


class TestAgainstSlow:
    @settings(max_examples=300)
    @given(records(), st.sampled_from([None, 30.0, 2e6]), st.booleans())
    def test_all_counts(self, made, level, frozen):
        record, missing = made
        record.flags.writeable = not frozen
        got = record_quality(
            record, 10.0, missing=missing if missing.any() or frozen else None, clipping_level=level
        )
        there = record[~missing].astype(np.float64)
        lengths = np.subtract(*gaps.runs(missing)[::-1])
        assert got.completeness == there.size / record.size
        assert (got.gaps, got.longest_gap_s) == (lengths.size, lengths.max(initial=0) / 10)
        np.testing.assert_array_equal(
            find_spikes(record, missing=missing), slow_spikes(record, missing).reshape(-1, 2)
        )
        assert got.spikes == slow_spikes(record, missing).shape[0]
        assert got.clipped == slow_clipped(record, missing, level)
        assert got.clipped == count_clipped(record, missing=missing, level=level)
        assert got.flat_s == slow_flat(record, missing) / 10
        if there.size:
            assert got.mean == pytest.approx(there.mean(), rel=1e-12, abs=1e-12 * np.abs(there).max())
            assert got.rms == pytest.approx(there.std(), rel=1e-9, abs=1e-15 * np.abs(there).max())
        else:
            assert (got.mean, got.rms) == (None, None)


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
