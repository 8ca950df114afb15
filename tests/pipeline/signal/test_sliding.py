import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.signal.sliding import sliding_moments, sliding_sum


@settings(max_examples=60, deadline=None)
@given(length=st.integers(1, 40), extra=st.integers(0, 100), seed=st.integers(0, 9))
def test_equal_to_each_window_taken_alone(length, extra, seed):
    data = np.random.default_rng(seed).standard_normal((2, length + extra)) + 3.0
    windows = np.lib.stride_tricks.sliding_window_view(data, length, axis=-1)
    np.testing.assert_allclose(sliding_sum(data, length), windows.sum(axis=-1), rtol=1e-12, atol=1e-12)
    mean, squares = sliding_moments(data, length)
    np.testing.assert_allclose(mean, windows.mean(axis=-1), rtol=1e-12)
    np.testing.assert_allclose(squares, windows.var(axis=-1) * length, rtol=1e-11, atol=1e-12)


def test_noise_after_an_earthquake_keeps_its_digits():
    rng = np.random.default_rng(0)
    data = np.concatenate([1e9 * rng.standard_normal(1000), rng.standard_normal(5000)])
    windows = np.lib.stride_tricks.sliding_window_view(data, 100)
    after = slice(1200, None)
    np.testing.assert_allclose(sliding_sum(data**2, 100)[after], (windows**2).sum(-1)[after], rtol=1e-13)
    _, squares = sliding_moments(data, 100)
    np.testing.assert_allclose(squares[after], 100 * windows.var(-1)[after], rtol=1e-11)
    # what a running sum makes of it
    running = np.cumsum(data**2)
    assert abs((running[5099] - running[4999]) / (data[5000:5100] ** 2).sum() - 1) > 0.01


def test_an_offset_does_not_eat_the_spread():
    noise = np.random.default_rng(0).standard_normal(3000)
    _, squares = sliding_moments(noise + 1e8, 64)
    _, expected = sliding_moments(noise, 64)
    np.testing.assert_allclose(squares, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("length", "match"), [(0, "at least 1, got 0"), (6, "6 samples is longer than .* 5")]
)
def test_refuses(length, match):
    with pytest.raises(ConfigError, match=match):
        sliding_sum(np.zeros(5), length)
