"""Histograms, selections and bands of levels: against obspy, the calendar, and sums done by hand."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from obspy import UTCDateTime
from obspy.core import Stats
from obspy.signal import PPSD

from pipeline.errors import ConfigError
from pipeline.noise.bands import band_db, band_weights
from pipeline.noise.histograms import DbBins, count_levels, mean_db, mode_db, percentile_db
from pipeline.noise.occasions import SEASONS, Occasions
from pipeline.noise.periods import period_bins

STEP_NS = 1_800_000_000_000
START_NS = UTCDateTime(2019, 11, 20, 3)._ns


def obspys(levels, times_ns, **options):
    ppsd = PPSD(Stats({"sampling_rate": 20.0}), metadata=None, period_step_octaves=1.0, **options)
    ppsd._times_processed = times_ns.tolist()
    ppsd._binned_psds = list(levels)
    return ppsd


def levels_and_times(windows=4000, seed=1):
    periods = obspys(np.zeros((1, 1)), np.zeros(1, dtype=np.int64)).period_bin_centers.size
    levels = np.random.default_rng(seed).normal(-130, 30, size=(windows, periods)).astype(np.float32)
    return levels, START_NS + np.arange(windows) * STEP_NS * 5


@pytest.mark.parametrize("db_bins", [(-200, -50, 1.0), (-180, -90, 0.5), (-200.0, -50.0, 7.0)])
def test_counts_percentiles_mean_and_mode_are_obspys(db_bins):
    levels, times_ns = levels_and_times()
    ppsd = obspys(levels, times_ns, db_bins=db_bins)
    bins = DbBins(low_db=db_bins[0], high_db=db_bins[1], width_db=db_bins[2])
    counts = count_levels(levels, bins)
    np.testing.assert_array_equal(counts, ppsd.current_histogram)
    for percentile in (0, 5, 50, 90, 100):
        np.testing.assert_array_equal(
            percentile_db(counts, percentile, bins), ppsd.get_percentile(percentile)[1]
        )
    np.testing.assert_array_equal(mode_db(counts, bins), ppsd.get_mode()[1])
    np.testing.assert_allclose(mean_db(counts, bins), ppsd.get_mean()[1], rtol=1e-12)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"months": SEASONS["DJF"]}, {"month": [12, 1, 2]}),
        ({"years": (2019,)}, {"year": [2019]}),
        ({"weeks": (1, 53, 27)}, {"isoweek": [1, 53, 27]}),
        ({"weekdays": (6, 7)}, {"time_of_weekday": [(6, 0, 24), (7, 0, 24)]}),
        ({"hours": (22, 4)}, {"time_of_weekday": [(-1, 22, 24), (-1, 0, 3.9)]}),
        ({"hours": (3, 5)}, {"time_of_weekday": [(-1, 3, 4.9)]}),
        ({"start_ns": START_NS + 7 * STEP_NS * 5}, {"starttime": UTCDateTime(ns=START_NS + 7 * STEP_NS * 5)}),
    ],
)
def test_selections_are_obspys(ours, theirs):
    levels, times_ns = levels_and_times()
    np.testing.assert_array_equal(
        Occasions(**ours).chosen(times_ns), obspys(levels, times_ns)._stack_selection(**theirs)
    )


@given(st.integers(-(10**18), 5 * 10**18))
def test_the_calendar_is_pythons(time_ns):
    time = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=time_ns // 1000)
    week = time.isocalendar()
    held = Occasions(
        years=(time.year,), months=(time.month,), weekdays=(time.isoweekday(),), weeks=(week.week,),
        hours=(time.hour, time.hour + 1), start_ns=time_ns, end_ns=time_ns + 1,
    )  # fmt: skip
    assert held.chosen([time_ns]).all()
    assert not Occasions(weekdays=(time.isoweekday() % 7 + 1,)).chosen([time_ns]).any()
    assert not Occasions(weeks=(week.week % 52 + 1,)).chosen([time_ns]).any()
    assert not Occasions(end_ns=time_ns).chosen([time_ns]).any()


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(1, 30), st.just(3)), elements=st.floats(-300, 0, width=32)),
    st.integers(0, 30),
)
def test_counts_of_parts_add_up(levels, cut):
    bins = DbBins()
    whole = count_levels(levels, bins)
    np.testing.assert_array_equal(count_levels(levels[:cut], bins) + count_levels(levels[cut:], bins), whole)
    assert whole.sum() == levels.size


def test_nothing_counted_has_no_statistics():
    bins = DbBins()
    counts = count_levels(np.full((5, 2, 3), np.nan), bins)
    assert counts.shape == (2, 3, 150)
    for statistic in (percentile_db(counts, 50, bins), mean_db(counts, bins), mode_db(counts, bins)):
        assert statistic.shape == (2, 3)
        assert np.isnan(statistic).all()


class TestBands:
    PERIODS = period_bins(np.arange(1, 32769) * 100 / 65536).centre_s

    @given(st.floats(0.02, 200), st.floats(1.01, 50), st.floats(-200, -80))
    def test_a_flat_spectrum_keeps_its_level(self, low, ratio, level):
        high = min(low * ratio, 600)
        assert band_db(np.full(self.PERIODS.size, level), self.PERIODS, low, high) == pytest.approx(level)

    @given(st.floats(0.1, 10), st.floats(2, 20), st.floats(-3, 3))
    def test_a_power_law_has_its_integral(self, low, ratio, slope):
        """Levels an eighth of an octave apart give the mean of f**slope over frequencies within 0.3 dB."""
        high = low * ratio
        periods = 2.0 ** np.arange(-6, 12, 0.125)
        got = band_db(-10 * slope * np.log10(periods), periods, low, high)
        first, last = 1 / high, 1 / low
        if abs(slope + 1) < 1e-6:
            slope = -1 + 1e-6
        expected = (last ** (slope + 1) - first ** (slope + 1)) / (slope + 1) / (last - first)
        assert got == pytest.approx(10 * np.log10(expected), abs=0.3)

    def test_an_unknown_level_makes_an_unknown_band(self):
        levels = np.full((2, self.PERIODS.size), -100.0)
        levels[1, np.searchsorted(self.PERIODS, 5.0)] = np.nan
        got = band_db(levels, self.PERIODS, 1.0, 10.0)
        assert got[0] == pytest.approx(-100)
        assert np.isnan(got[1])
        assert np.isfinite(band_db(levels, self.PERIODS, 20.0, 30.0)).all()

    @pytest.mark.parametrize("band", [(1.0, 1.0), (2.0, 1.0), (0.001, 1.0), (1.0, 5000.0)])
    def test_other_bands_are_refused(self, band):
        with pytest.raises(ConfigError, match=r"a band should rise and lie between 0\.0191\d+ and .* s, got"):
            band_weights(self.PERIODS, *band)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: DbBins(low_db=-50.0, high_db=-200.0), "high_db should be at least a width above low_db"),
        (lambda: DbBins(width_db=0.0), "width_db should be a finite number above 0"),
        (lambda: count_levels(-100.0, DbBins()), "levels need an axis of windows"),
        (lambda: percentile_db(np.ones(150), 101, DbBins()), "percentile should be from 0 to 100, got 101"),
        (lambda: mean_db(np.ones(7), DbBins()), "should have a last axis of 150 bins"),
        (lambda: Occasions(months=(1, 13)), "months should be from 1 to 12, got 13"),
        (lambda: Occasions(weekdays=(0,)), "weekdays should be from 1 to 7, got 0"),
        (lambda: Occasions(hours=(20, 25)), "hours should be from 0 to 24"),
    ],
)
def test_wrong_arguments_are_refused(call, message):
    with pytest.raises(ConfigError, match=message):
        call()
