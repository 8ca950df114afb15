"""Summed spectra against numpy's transforms in float64."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.noise.summed_spectra import SummedSpectra

PRECISIONS = {"float32": 3e-7, "float64": 3e-16}
"""And how far a spectrum may be off, of the root of its energy, for each factor of two in its length."""


def by_numpy(samples, places, weights, lines, origin=0.0, factor=1.0):
    """Each sub-window freed of its line, weighted, transformed; their squares, added up."""
    time = np.arange(weights.size)
    power = np.zeros(weights.size // 2)
    for place, (level, slope) in zip(places, lines, strict=True):
        freed = samples[place : place + weights.size].astype(np.float64) - origin - (level + slope * time)
        power += np.abs(np.fft.rfft(freed * factor * weights)[1:]) ** 2
    return power


def assert_close(got, expected, precision):
    # Amplitudes, since an error adds to them: of a power next to nothing it may be many times its size.
    assert got.dtype == precision
    bits = int(np.log2(2 * expected.size))
    off = np.abs(np.sqrt(got.astype(np.float64)) - np.sqrt(expected))
    assert off.max() <= bits * PRECISIONS[precision] * np.sqrt(expected.sum())


class TestAgainstNumpy:
    @given(
        st.integers(2, 13),
        st.lists(st.integers(0, 900), min_size=1, max_size=5),
        st.sampled_from(list(PRECISIONS)),
        st.integers(0, 2**32),
    )
    def test_any_length_and_number(self, bits, places, precision, seed):
        rng = np.random.default_rng(seed)
        weights = rng.uniform(0.1, 1, size=1 << bits).astype(precision)
        samples = rng.normal(size=weights.size + 900)
        lines = rng.normal(size=(len(places), 2)) * [1, 1e-3]
        options = {"lines": lines, "origin": 0.25, "factor": 0.5}
        got = SummedSpectra(weights, precision).sum(samples, np.array(places), **options)
        assert_close(got, by_numpy(samples, places, weights, **options), precision)

    @pytest.mark.parametrize("precision", list(PRECISIONS))
    @pytest.mark.parametrize("bits", [16, 17, 19])
    def test_long_ones(self, bits, precision):
        rng = np.random.default_rng(bits)
        weights = np.hanning(1 << bits).astype(precision)
        samples = np.cumsum(rng.normal(scale=100, size=weights.size + 999)).astype(np.int32)
        places = np.array([0, 500, 999])
        options = {"lines": np.zeros((3, 2)), "origin": 0.0, "factor": 2.0**-20}
        got = SummedSpectra(weights, precision).sum(samples, places, **options)
        assert_close(got, by_numpy(samples, places, weights, **options), precision)

    @pytest.mark.parametrize("precision", list(PRECISIONS))
    def test_each_frequency_is_where_it_should_be(self, precision):
        """The two of a pair hold one tone each, at adjacent frequencies: the sum holds both."""
        size = 8192
        time = np.arange(size)
        for frequency in (1, 2, 63, 64, 65, 2047, 4094):
            low, high = (np.sin(2 * np.pi * k * time / size) for k in (frequency, frequency + 1))
            samples = np.concatenate([low, 3 * high])
            got = SummedSpectra(np.ones(size), precision).sum(
                samples, np.array([0, size]), lines=np.zeros((2, 2)), origin=0.0, factor=1.0
            )
            expected = np.zeros(size // 2)
            expected[[frequency - 1, frequency]] = size**2 / 4, 9 * size**2 / 4
            np.testing.assert_allclose(got, expected, atol=1e-6 * size**2, rtol=1e-5)

    def test_an_offset_costs_no_digits(self):
        rng = np.random.default_rng(1)
        samples = rng.integers(-3, 4, size=4096)
        weights, places = np.hanning(4096), np.array([0])
        spectra = SummedSpectra(weights, "float32")
        plain = spectra.sum(samples.astype(np.int32), places, lines=np.zeros((1, 2)), origin=0.0, factor=1.0)
        offset = spectra.sum(
            (samples + 2_000_000_000).astype(np.int32), places, lines=np.zeros((1, 2)), origin=2e9, factor=1.0
        )
        np.testing.assert_array_equal(offset, plain)


class TestUse:
    def test_one_after_another_leaves_no_trace(self):
        rng = np.random.default_rng(2)
        samples = rng.normal(size=3000)
        options = {"lines": np.zeros((3, 2)), "origin": 0.0, "factor": 1.0}
        for size in (8, 32, 256, 2048):
            places = np.array([0, 400, 3000 - size])
            spectra = SummedSpectra(np.hanning(size), "float32")
            fresh = spectra.sum(samples, places, **options)
            assert np.isnan(spectra.sum(np.full(3000, np.nan), places, **options)).all()
            np.testing.assert_array_equal(spectra.sum(samples, places, **options), fresh)
            np.testing.assert_array_equal(
                SummedSpectra(np.hanning(size), "float32").sum(samples, places, **options), fresh
            )

    def test_nothing_adds_up_to_nothing(self):
        power = SummedSpectra(np.ones(16), "float32").sum(
            np.ones(20), np.empty(0, dtype=np.int64), lines=np.empty((0, 2)), origin=0.0, factor=1.0
        )
        np.testing.assert_array_equal(power, np.zeros(8))

    @pytest.mark.parametrize("size", [0, 2, 24, 65_535])
    def test_other_lengths_are_refused(self, size):
        with pytest.raises(ConfigError, match=f"should be a power of two from 4 on, got {size}"):
            SummedSpectra(np.ones(size), "float32")

    @pytest.mark.parametrize(("place", "lines"), [(-1, 1), (5, 1), (0, 2)])
    def test_what_is_not_among_the_samples_is_refused(self, place, lines):
        spectra = SummedSpectra(np.ones(16), "float32")
        message = "begin from 0 to 4 to have their 16 samples among 20" if lines == 1 else r"shape \(1, 2\)"
        with pytest.raises(ConfigError, match=message):
            spectra.sum(np.ones(20), np.array([place]), lines=np.zeros((lines, 2)), origin=0.0, factor=1.0)
