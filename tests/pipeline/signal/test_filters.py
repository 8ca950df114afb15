import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.signal import filters

RATE = 100.0


def prewarped(frequency_hz):
    """The analogue frequency that the bilinear transform puts at a digital one."""
    return np.tan(np.pi * np.asarray(frequency_hz) / RATE)


def analytic(band, corners_hz, order, frequency_hz):
    """Butterworth's magnitude: 1 / sqrt(1 + x^2n), x the distance from the band in units of the prototype."""
    w, corners = prewarped(frequency_hz), prewarped(corners_hz)
    with np.errstate(divide="ignore"):
        if band == "lowpass":
            x = w / corners[0]
        elif band == "highpass":
            x = corners[0] / w
        else:
            x = (w**2 - corners[0] * corners[1]) / ((corners[1] - corners[0]) * w)
            x = x if band == "bandpass" else 1 / x
    return 1 / np.sqrt(1 + x ** (2 * order))


@pytest.mark.parametrize("order", [1, 4, 7])
@pytest.mark.parametrize(
    ("band", "corners_hz"),
    [
        ("lowpass", [8.0]),
        ("highpass", [0.01]),
        ("bandpass", [1.0, 20.0]),
        ("bandpass", [0.005, 0.05]),
        ("bandstop", [15.0, 18.0]),
    ],
)
def test_magnitude_is_butterworths(band, corners_hz, order):
    frequency_hz = np.geomspace(1e-3, 49.0, 400)
    sections = filters.design(band, corners_hz, RATE, order=order)
    _, response = scipy.signal.sosfreqz(sections, frequency_hz, fs=RATE)
    # the transfer function is evaluated where poles crowd at z = 1: that is worth some digits
    expected = analytic(band, corners_hz, order, frequency_hz)
    np.testing.assert_allclose(np.abs(response), expected, rtol=2e-6, atol=1e-9)


def test_filtered_sine_has_that_amplitude_and_zero_phase_squares_it():
    time = np.arange(60_000) / RATE
    inside = slice(20_000, 40_000)
    for frequency_hz in (0.6, 1.0, 5.0, 25.0):
        wave = np.sin(2 * np.pi * frequency_hz * time)
        quadrature = np.exp(-2j * np.pi * frequency_hz * time[inside]) * 2 / 20_000
        magnitude = analytic("bandpass", [1.0, 20.0], 4, frequency_hz)
        once = filters.bandpass(wave, 1.0, 20.0, RATE)[inside] @ quadrature
        twice = filters.bandpass(wave, 1.0, 20.0, RATE, both_ways=True)[inside] @ quadrature
        assert abs(once) == pytest.approx(magnitude, abs=1e-8)
        assert twice == pytest.approx(-1j * magnitude**2, abs=1e-8)  # a sine, in phase


def test_zero_phase_answers_an_impulse_symmetrically():
    impulse = np.zeros(4001)
    impulse[2000] = 1.0
    for sections in (filters.design("lowpass", [5.0], RATE), filters.design("bandpass", [1.0, 9.0], RATE)):
        answer = filters.zero_phase(sections, impulse)
        np.testing.assert_allclose(answer, answer[::-1], atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 500), max_size=6),
    seed=st.integers(0, 100),
    dtype=st.sampled_from([np.int32, np.float32, np.float64]),
)
def test_pieces_filter_like_the_whole_bit_by_bit(cuts, seed, dtype):
    data = (np.random.default_rng(seed).standard_normal((2, 500)) * 1000).astype(dtype)
    sections = filters.design("bandpass", [0.1, 20.0], RATE)
    whole, last = filters.causal(sections, data)
    state, pieces = None, []
    for piece in np.split(data, sorted(cuts), axis=-1):
        filtered, state = filters.causal(sections, piece, state=state)
        pieces.append(filtered)
    np.testing.assert_array_equal(np.concatenate(pieces, axis=-1), whole)
    np.testing.assert_array_equal(state, last)


def test_steady_state_starts_without_a_step():
    data = np.array([[7.0], [-3.0]]) * np.ones((2, 1000))
    sections = filters.design("lowpass", [0.5], RATE)
    steady, _ = filters.causal(sections, data, state=filters.steady_state(sections, data))
    np.testing.assert_allclose(steady, data, rtol=1e-9)
    rest, _ = filters.causal(sections, data)
    assert abs(rest[0, 0]) < 0.01


@pytest.mark.parametrize("corners_hz", [[1.0, 20.0], [0.05, 2.0]])
def test_a_halo_of_the_settling_time_makes_a_piece_equal_the_whole(corners_hz):
    data = np.random.default_rng(1).standard_normal(60_000)
    sections = filters.design("bandpass", corners_hz, RATE)
    halo = filters.settling_samples(sections, tolerance=1e-9)
    whole = filters.zero_phase(sections, data)
    piece = filters.zero_phase(sections, data[25_000 - halo : 35_000 + halo])[halo:-halo]
    np.testing.assert_allclose(piece, whole[25_000:35_000], atol=1e-6 * np.abs(whole).max())
    assert filters.settling_samples(sections, tolerance=1e-3) < halo


@pytest.mark.parametrize(
    ("band", "corners_hz", "options", "match"),
    [
        ("lowpass", [50.0], {}, r"corner 50.0 Hz should lie between 0 and the Nyquist frequency 50.0 Hz"),
        ("highpass", [0.0], {}, r"corner 0.0 Hz"),
        ("highpass", [float("nan")], {}, r"corner nan Hz"),
        ("bandpass", [5.0, 2.0], {}, r"should rise, got \[5.0, 2.0\]"),
        ("bandpass", [5.0], {}, r"bandpass needs 2 corner frequencies"),
        ("notch", [5.0], {}, r"band should be one of lowpass"),
        ("lowpass", [5.0], {"order": 0}, r"order should be an integer from 1 to 20, got 0"),
    ],
)
def test_design_refuses(band, corners_hz, options, match):
    with pytest.raises(ConfigError, match=match):
        filters.design(band, corners_hz, RATE, **options)


def test_nothing_filters_to_nothing():
    assert filters.lowpass(np.empty((3, 0)), 1.0, RATE, both_ways=True).shape == (3, 0)
    assert filters.lowpass(np.empty((3, 0), np.float32), 1.0, RATE).dtype == np.float32
