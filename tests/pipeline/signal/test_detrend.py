import numpy as np
import pytest

from pipeline.signal import detrend


@pytest.fixture
def absent():
    mask = np.zeros((2, 1000), bool)
    mask[0, 200:450] = mask[1, :10] = mask[1, 990:] = True
    return mask


def test_constant_ignores_what_is_missing(absent):
    data = np.random.default_rng(0).standard_normal((2, 1000)) + np.array([[5.0], [-3.0]])
    data[absent] = np.nan
    out = detrend.constant(data, missing=absent)
    assert not out[absent].any()
    np.testing.assert_allclose(out.sum(axis=-1), 0.0, atol=1e-10)
    np.testing.assert_allclose(
        out[~absent] - data[~absent], np.repeat(-np.nanmean(data, axis=-1), (~absent).sum(-1))
    )


def test_linear_takes_out_a_line_and_leaves_what_is_orthogonal(absent):
    time = np.arange(1000.0)
    line = np.array([[5.0], [-2e6]]) + np.array([[0.3], [-4e3]]) * time
    out = detrend.linear(np.where(absent, -(2.0**31), line), missing=absent)
    np.testing.assert_allclose(out, 0.0, atol=1e-8)
    even = np.cos(2 * np.pi * 8 * (time - 499.5) / 1000)  # symmetric about the middle: no slope, no mean
    np.testing.assert_allclose(detrend.linear(even + line), np.stack([even, even]), atol=1e-8)


def test_linear_is_least_squares():
    rng = np.random.default_rng(1)
    data = np.cumsum(rng.standard_normal(300))
    mask = rng.random(300) < 0.4
    fit = np.polynomial.Polynomial.fit(np.flatnonzero(~mask), data[~mask], 1)
    np.testing.assert_allclose(detrend.linear(data, missing=mask)[~mask], (data - fit(np.arange(300)))[~mask])


@pytest.mark.parametrize("present", [[], [3]])
def test_too_few_samples(present):
    mask = np.ones(6, bool)
    mask[present] = False
    assert not detrend.linear(np.full(6, 7.0), missing=mask).any()
    assert detrend.linear(np.empty((2, 0))).shape == (2, 0)
