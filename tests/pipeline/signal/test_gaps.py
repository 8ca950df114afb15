import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.signal.gaps import fill, missing, runs

MISSING = np.iinfo(np.int32).min


@given(st.lists(st.booleans(), max_size=60))
def test_runs_rebuild_the_mask(mask):
    starts, stops = runs(mask)
    again = np.zeros(len(mask), bool)
    for start, stop in zip(starts, stops, strict=True):
        assert start < stop
        assert not again[max(start - 1, 0) : stop].any()  # runs don't touch
        again[start:stop] = True
    assert again.tolist() == mask


def test_missing_in_floats_and_counts():
    assert missing([1.0, np.nan, np.inf]).tolist() == [False, True, True]
    assert missing(np.array([[1, MISSING]], np.int32), fill_value=MISSING).tolist() == [[False, True]]
    assert missing([1.0, -999.0, np.nan], fill_value=-999.0).tolist() == [False, True, True]


@given(st.lists(st.booleans(), min_size=2, max_size=60), st.integers(0, 5))
def test_a_straight_line_is_restored_in_short_gaps(mask, longest):
    mask = np.array(mask)
    mask[[0, -1]] = False
    line = 3.0 + 0.5 * np.arange(mask.size)
    filled = fill(np.where(mask, np.nan, line), mask, longest=longest, otherwise=-1.0)
    expected = line.copy()
    for start, stop in zip(*runs(mask), strict=True):
        if stop - start > longest:
            expected[start:stop] = -1.0
    np.testing.assert_allclose(filled, expected)


def test_ends_repeat_and_a_long_gap_bridges_nothing():
    data = np.array([[MISSING, 4, MISSING, 8, MISSING], [MISSING] * 5], np.int32)
    filled = fill(data, missing(data, fill_value=MISSING))
    np.testing.assert_array_equal(filled, [[4, 4, 6, 8, 8], [0, 0, 0, 0, 0]])
    assert filled.dtype == np.float64


def test_a_filled_record_filters_to_finite_numbers():
    from pipeline.signal.filters import bandpass

    data = np.random.default_rng(0).standard_normal(2000)
    absent = np.zeros(2000, bool)
    absent[500:510] = absent[1500:1700] = True
    data[absent] = np.nan
    assert np.isfinite(bandpass(fill(data, absent, longest=20), 1.0, 20.0, 100.0)).all()


def test_a_mask_must_fit():
    with pytest.raises(ConfigError, match=r"mask of shape \(3,\) does not fit data of shape \(4,\)"):
        fill(np.zeros(4), np.zeros(3, bool))
