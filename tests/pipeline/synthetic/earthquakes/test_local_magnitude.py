import numpy as np
import pytest
from scipy.signal import freqs

from pipeline.synthetic.earthquakes import local_magnitude

RATE_HZ = 100.0


@pytest.mark.parametrize("frequency_hz", [0.2, 1.25, 5.0, 15.0])
def test_wood_anderson_magnifies_sines_as_a_pendulum(frequency_hz):
    turn = 2 * np.pi * frequency_hz
    time_s = np.arange(0, 60, 1 / RATE_HZ)
    velocity = 1e-6 * turn * np.cos(turn * time_s)
    own = 2 * np.pi / 0.8
    _, gain = freqs([2080.0, 0.0, 0.0], [1.0, 2 * 0.7 * own, own**2], worN=[turn])
    found = local_magnitude.wood_anderson(velocity, RATE_HZ)[3000:5900]
    assert np.sqrt(2) * found.std() == pytest.approx(1e-3 * abs(gain[0]), rel=0.01)


def test_wood_anderson_of_a_pulse_is_the_free_motion_of_the_pendulum():
    # A smooth step of 1 µm in displacement: afterwards the mass comes back as a damped oscillator does.
    time_s = np.arange(0, 20, 0.001)
    velocity = 1e-6 * np.exp(-(((time_s - 5) / 0.004) ** 2) / 2) / (0.004 * np.sqrt(2 * np.pi))
    found = local_magnitude.wood_anderson(velocity, 1000.0)
    own, damping = 2 * np.pi / 0.8, 0.7
    root = np.sqrt(1 - damping**2)
    after = time_s[time_s > 5.05] - 5
    expected = np.exp(-damping * own * after) * (
        np.cos(own * root * after) - damping / root * np.sin(own * root * after)
    )
    np.testing.assert_allclose(found[time_s > 5.05], 2.08 * expected, atol=0.005)
    assert np.abs(found[time_s < 4.9]).max() < 1e-6


def test_amplitude_is_the_geometric_mean_of_the_horizontals():
    pulse = np.zeros((3, 3000))
    pulse[:, 1000:1020] = np.hanning(20)
    one = local_magnitude.zero_to_peak_mm(pulse, RATE_HZ)
    pulse[0] *= 100
    pulse[1] *= 4
    assert local_magnitude.zero_to_peak_mm(pulse, RATE_HZ) == pytest.approx(2 * one)


def test_distance_correction_of_hutton_and_boore():
    # Hutton & Boore (1987): 3 at 100 km and, as Richter's table, near 2 at 17 km.
    assert local_magnitude.distance_correction(100.0) == 3.0
    assert local_magnitude.distance_correction(17.0) == pytest.approx(2.0, abs=0.02)
    # Richter (1958): −log A0 is 3.0 at 100 km and 3.5 at 180–200 km.
    assert local_magnitude.distance_correction(190.0) == pytest.approx(3.48, abs=0.02)


def test_event_magnitude_is_the_mean_over_stations():
    distances = np.array([20.0, 50.0, 120.0])
    amplitudes = 10 ** (2.5 + np.array([-0.3, 0.0, 0.3]) - local_magnitude.distance_correction(distances))
    found = local_magnitude.station_magnitudes(amplitudes, distances)
    np.testing.assert_allclose(found, [2.2, 2.5, 2.8])
    assert local_magnitude.local_magnitude(amplitudes, distances) == pytest.approx(2.5)
