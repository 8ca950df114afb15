import numpy as np
import pytest
import scipy.signal.windows
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.signal import tapers


@given(st.integers(1, 50), st.booleans())
def test_hann(length, periodic):
    expected = scipy.signal.windows.hann(length, sym=not periodic)
    np.testing.assert_allclose(tapers.hann(length, periodic=periodic), expected, atol=1e-15)


def test_periodic_hann_adds_up_to_one_at_half_overlap():
    window = tapers.hann(64, periodic=True)
    np.testing.assert_allclose(window[:32] + window[32:], 1.0)


def test_cosine_is_flat_between_its_ramps():
    window = tapers.cosine(1000, 0.05)
    assert (window[50:950] == 1).all()
    np.testing.assert_allclose(window, window[::-1])
    np.testing.assert_allclose(window[:50], np.sin(np.pi / 2 * np.arange(1, 51) / 51) ** 2)
    assert (tapers.cosine(10, 0.0) == 1).all()


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 8), st.booleans())
def test_weights_follow_the_distance_to_what_is_missing(mask, width, ends):
    found = tapers.weights(mask, width, ends=ends)
    gone = [i for i, absent in enumerate(mask) if absent] + ([-1, len(mask)] if ends else [])
    for i, weight in enumerate(found):
        distance = min((abs(i - j) for j in gone), default=10**6)
        expected = np.sin(np.pi / 2 * min(distance, width + 1) / (width + 1)) ** 2
        assert weight == pytest.approx(expected, abs=1e-12)


def test_taper_zeroes_gaps_whatever_stands_there():
    data = np.ones((2, 100))
    data[0, 40:60] = np.nan
    out = tapers.taper(data, 10, missing=np.isnan(data))
    assert not out[0, 40:60].any()
    assert out[0, 20] == out[1, 50] == 1.0
    assert 0 < out[0, 39] < 0.05


@pytest.mark.parametrize("fraction", [-0.1, 0.6])
def test_cosine_refuses(fraction):
    with pytest.raises(ConfigError, match="fraction"):
        tapers.cosine(100, fraction)
