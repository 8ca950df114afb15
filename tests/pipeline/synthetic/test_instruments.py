"""Instruments: the responses they should have, and sensors that see motion along their true axes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ConfigError
from pipeline.synthetic import instruments


def test_broadband_is_flat_in_its_band_and_falls_outside():
    instrument = instruments.broadband()
    response = instrument.response([1e-3, 1 / 120, 1 / 40, 1.0, 10.0, 40.0]) / instrument.sensitivity
    # The factor that goes with these poles and zeros at 50 s in published responses of an STS-2: 6.0077e7.
    assert replace(instrument, gain_hz=0.02).normalisation == pytest.approx(6.0077e7, rel=1e-3)
    assert abs(response[3]) == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(abs(response[2:5]), 1, rtol=0.02)
    assert 0.85 < abs(response[5]) < 0.95
    # A damped pendulum of 120 s with a damping of 0.707: 3 dB less at its period, then second order.
    assert abs(response[1]) == pytest.approx(2**-0.5, rel=0.002)
    assert abs(response[0]) == pytest.approx((120 * 1e-3) ** 2, rel=0.005)
    # Between its corners it is in phase with the ground.
    assert abs(np.angle(response[3])) < 0.1


def test_gravimeter_and_barometer_are_flat_from_zero():
    for instrument in (
        instruments.gravimeter(nm_s2_per_count=0.25),
        instruments.barometer(pa_per_count=0.25),
    ):
        np.testing.assert_allclose(instrument.response([0.0, 1e-4, 0.5]), instrument.sensitivity)
    assert 1e-9 * instruments.gravimeter(nm_s2_per_count=0.25).sensitivity == pytest.approx(4.0)


@given(st.floats(0, 359), st.floats(-20, 20))
def test_sensors_see_motion_along_their_true_axes(azimuth_deg, error_deg):
    sensor = instruments.Sensor(
        code="HH",
        rate_hz=100.0,
        instrument=instruments.broadband(),
        start_ns=0,
        azimuth_deg=azimuth_deg,
        orientation_error_deg=error_deg,
    )
    true = np.radians(azimuth_deg + error_deg)
    seen = sensor.rotation @ [0.0, np.cos(true), np.sin(true)]  # motion along the first horizontal
    np.testing.assert_allclose(seen, [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(sensor.rotation @ sensor.rotation.T, np.eye(3), atol=1e-12)


def test_stated_orientation_is_obspys_too():
    from obspy.signal.rotate import rotate2zne

    sensor = instruments.Sensor(
        code="HH", rate_hz=100.0, instrument=instruments.broadband(), start_ns=0, azimuth_deg=35.0
    )
    motion = np.array([[1.0, 0.0, 0.3], [0.0, 1.0, -2.0], [0.5, -1.0, 0.0]])
    seen = sensor.rotation @ motion
    angles = [value for _, azimuth, dip in sensor.channels for value in (azimuth, dip)]
    back = rotate2zne(seen[0], *angles[:2], seen[1], *angles[2:4], seen[2], *angles[4:])
    np.testing.assert_allclose(back, motion, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: replace(instruments.broadband(), sensor_gain=0.0), "gains"),
        (
            lambda: instruments.Sensor(
                code="HHZ4", rate_hz=1, instrument=instruments.barometer(), start_ns=0
            ),
            "HHZ4",
        ),
        (
            lambda: instruments.Sensor(
                code="HH", rate_hz=1, instrument=instruments.barometer(), start_ns=5, end_ns=5
            ),
            "end should come after",
        ),
    ],
)
def test_refuses(make, words):
    with pytest.raises(ConfigError, match=words):
        make()
