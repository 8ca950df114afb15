import pickle

import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.signal.transfer import Analogue, Digital, Fir, Recursive

FREQUENCIES = np.concatenate([[0.0], np.geomspace(1e-3, 49.0, 300)])


def test_analogue_is_scipys():
    zeros, poles, gain = scipy.signal.butter(5, [0.2, 30.0], "bandpass", analog=True, output="zpk")
    _, expected = scipy.signal.freqs_zpk(zeros, poles, gain, worN=2 * np.pi * FREQUENCIES)
    found = Analogue(tuple(zeros), tuple(poles), gain)(FREQUENCIES)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    in_hz = tuple(np.asarray(zeros) / (2 * np.pi)), tuple(poles / (2 * np.pi))
    scale = (2 * np.pi) ** (len(zeros) - len(poles))
    np.testing.assert_allclose(Analogue(*in_hz, gain * scale, in_hz=True)(FREQUENCIES), expected, rtol=1e-10)


def test_digital_and_recursive_are_scipys():
    zeros, poles, gain = scipy.signal.cheby1(4, 1.0, 20.0, fs=100.0, output="zpk")
    _, expected = scipy.signal.freqz_zpk(zeros, poles, gain, worN=FREQUENCIES, fs=100.0)
    found = Digital(tuple(zeros), tuple(poles), 100.0, gain)(FREQUENCIES)
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    above, below = scipy.signal.zpk2tf(zeros, poles, gain)
    np.testing.assert_allclose(Recursive(tuple(above), tuple(below), 100.0)(FREQUENCIES), expected, rtol=1e-8)


@settings(max_examples=40, deadline=None)
@given(number=st.integers(1, 130), seed=st.integers(0, 9))
def test_fir_is_the_plain_sum_less_its_correction(number, seed):
    coefficients = np.random.default_rng(seed).standard_normal(number)
    delay = np.exp(-2j * np.pi * FREQUENCIES[:, None] * np.arange(number) / 100.0) @ coefficients
    # a single coefficient is symmetric: what is left of it has no delay to correct
    expected = delay * np.exp(2j * np.pi * FREQUENCIES * 0.25) if number > 1 else delay
    found = Fir(tuple(coefficients), 100.0, correction_s=0.25)(FREQUENCIES)
    np.testing.assert_allclose(found, expected, atol=1e-12 * number)


@pytest.mark.parametrize("number", [2, 3, 64, 65])
def test_symmetric_fir_has_zero_phase(number):
    half = np.random.default_rng(number).standard_normal(number)
    fir = Fir((*half, *half[::-1]), 100.0, correction_s=99.0)
    assert fir.is_symmetric
    time = (np.arange(2 * number) - number + 0.5) / 100.0
    expected = np.cos(2 * np.pi * FREQUENCIES[:, None] * time) @ np.concatenate([half, half[::-1]])
    np.testing.assert_allclose(fir(FREQUENCIES), expected, atol=1e-11)
    assert not fir(FREQUENCIES).imag.any()


def test_many_frequencies_of_any_shape():
    frequencies = np.linspace(0, 50, 20_001).reshape(3, 6667)
    fir = Fir(tuple(np.hanning(101)[1:90]), 100.0)
    found = fir(frequencies)
    assert found.shape == frequencies.shape
    np.testing.assert_allclose(found[2, 4000:4003], fir(frequencies[2, 4000:4003]), rtol=1e-9)


def test_a_pole_on_the_frequency_gives_zero():
    integrator = Analogue(zeros=(), poles=(0j,))
    np.testing.assert_allclose(integrator([0.0, 1.0]), [0.0, 1 / (2j * np.pi)])


def test_all_pickle_and_compare():
    for filter_ in (Analogue((0j,), (-1 + 1j,), 2.0), Digital((), (0.5j,), 100.0), Fir((0.5, 0.5), 100.0)):
        assert pickle.loads(pickle.dumps(filter_)) == filter_
