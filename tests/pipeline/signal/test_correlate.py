import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.signal.correlate import normalised_correlation


def pearson(data, template):
    windows = np.lib.stride_tricks.sliding_window_view(data, len(template))
    windows = windows - windows.mean(axis=-1, keepdims=True)
    pattern = template - template.mean()
    return windows @ pattern / (np.linalg.norm(windows, axis=-1) * np.linalg.norm(pattern))


@settings(max_examples=40, deadline=None)
@given(length=st.integers(2, 60), extra=st.integers(0, 300), seed=st.integers(0, 20))
def test_is_pearsons_coefficient_of_each_window(length, extra, seed):
    rng = np.random.default_rng(seed)
    data, template = rng.standard_normal(length + extra), rng.standard_normal(length)
    np.testing.assert_allclose(normalised_correlation(data, template), pearson(data, template), atol=1e-10)


def test_many_blocks_many_components():
    rng = np.random.default_rng(1)
    data, template = rng.standard_normal((2, 200_000)), rng.standard_normal((2, 300))
    found = normalised_correlation(data, template)
    assert found.shape == (2, 199_701)
    for row, single, pattern in zip(found, data, template, strict=True):
        np.testing.assert_allclose(row, pearson(single, pattern), atol=1e-10)


def test_a_copy_is_found_whatever_its_size_and_offset():
    rng = np.random.default_rng(2)
    template = rng.standard_normal(200)
    data = 1e-9 * rng.standard_normal(5000)
    data[3000:3200] = 5e-8 * template
    found = normalised_correlation(data + 1e-6, template)
    assert found.argmax() == 3000
    assert found[3000] == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(normalised_correlation(-data, template)[3000], -1.0)


def test_noise_beside_a_great_earthquake_keeps_its_coefficients():
    rng = np.random.default_rng(3)
    data, template = rng.standard_normal(20_000), rng.standard_normal(100)
    loud = data.copy()
    loud[5000:6000] *= 1e8
    away = slice(7000, None)
    found = normalised_correlation(loud, template)
    np.testing.assert_allclose(found[away], pearson(data, template)[away], atol=1e-6)
    assert np.abs(found).max() <= 1.0


def test_a_dead_channel_correlates_with_nothing():
    template = np.random.default_rng(4).standard_normal(50)
    for level in (0.0, 1.0, 12345.678):
        assert not normalised_correlation(np.full(1000, level), template).any()
    data = np.random.default_rng(4).standard_normal(1000)
    data[300:600] = 7.0
    found = normalised_correlation(data, template)
    assert not found[300:551].any()
    assert found[:250].any()


def test_agrees_with_obspy():
    from obspy.signal.cross_correlation import correlate_template

    rng = np.random.default_rng(5)
    data, template = np.cumsum(rng.standard_normal(3000)), rng.standard_normal(150)
    peer = correlate_template(data, template, mode="valid", normalize="full", demean=True, method="direct")
    np.testing.assert_allclose(normalised_correlation(data, template), peer, atol=1e-9)


@pytest.mark.parametrize(
    ("template", "match"),
    [
        (np.zeros(6), "template of 6 samples should have at least 2, and at most the record's 5"),
        (np.zeros(1), "template of 1 samples"),
        (np.ones(3), "constant correlates with nothing"),
    ],
)
def test_refuses(template, match):
    with pytest.raises(ConfigError, match=match):
        normalised_correlation(np.arange(5.0), template)
