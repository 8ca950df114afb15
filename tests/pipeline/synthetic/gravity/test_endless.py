"""Endless records: polynomials and spectra are met, and any cut is the same."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.synthetic.gravity.endless import between_nodes, coloured_noise, cut_from_days
from pipeline.synthetic.gravity.pressure import Weather

DAY = 86_400
BANDS = [(3e-5, 1e-4), (1e-4, 1e-3), (1e-3, 2e-3), (2e-3, 3e-3), (3e-3, 4e-3), (4e-3, 1e-2), (0.01, 0.4)]


def test_days_are_cut_before_1970_too():
    days = cut_from_days(-86_401, 2, lambda day: np.full(86_400, float(day)))
    np.testing.assert_array_equal(days[[0, 1, -3, -2, -1]], [-2, -1, -1, 0, 0])
    assert cut_from_days(5, 5, lambda day: np.zeros(86_400)).size == 0


@given(coefficients=st.lists(st.floats(-1, 1), min_size=8, max_size=8), step=st.integers(1, 9))
def test_polynomials_are_filled_in_exactly(coefficients, step):
    def of(x):
        return np.polynomial.polynomial.polyval(x / 10, coefficients)

    filled = between_nodes(of(np.arange(-3.0, 9)), step)
    np.testing.assert_allclose(filled, of(np.arange(5 * step) / step), atol=1e-12)


@pytest.fixture(scope="module")
def air():
    return coloured_noise(1, ["air"], -5 * DAY, 85 * DAY, shape=Weather())


@pytest.mark.parametrize(("low", "high"), BANDS)
def test_spectrum_is_as_designed(air, low, high):
    # The Blackman–Harris window keeps the weather of days out of the bands of seconds.
    frequency, psd = scipy.signal.welch(air, 1.0, nperseg=1 << 18, window="blackmanharris")
    inside = (frequency >= low) & (frequency < high)
    ratio = np.mean(psd[inside] / Weather()(frequency[inside]) ** 2)
    count = inside.sum() * 90 * DAY / (1 << 18)
    assert abs(10 * np.log10(ratio)) < (0.5 if count > 300 else 1.5)


@settings(max_examples=8, deadline=None)
@given(begin=st.integers(0, 80 * DAY), length=st.integers(0, 90_000))
def test_any_cut_is_the_same(air, begin, length):
    cut = coloured_noise(1, ["air"], begin - 5 * DAY, begin + length - 5 * DAY, shape=Weather())
    np.testing.assert_array_equal(cut, air[begin : begin + length])
