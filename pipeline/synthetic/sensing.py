"""
Sensing: what a sensor, as it stands, makes of the motion of the ground.

Each sensor of a station is thought to have stood there always: the record of one that takes over begins
without the seconds or minutes in which a real one rings in.
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from pipeline.synthetic.ambient import Transfer
from pipeline.synthetic.instruments import Sensor

__all__ = ["to_counts", "transfer_of", "turn"]

_RESPONSE_TAIL_S = 60.0


def turn(motion: NDArray[np.float32], sensor: Sensor) -> NDArray[np.float32]:
    """Return up, north and east as the sensor stands."""
    rotation = sensor.rotation.astype(np.float32)
    if rotation[1, 1] == 1:
        return motion
    # Not as a product of matrices, whose last bits depend on how many columns there are.
    turned = [motion[0], *(row[1] * motion[1] + row[2] * motion[2] for row in rotation[1:])]
    return np.stack(turned)


def transfer_of(sensor: Sensor) -> Transfer:
    """Return the function from frequencies (Hz) to counts per m/s² of ground acceleration."""

    def transfer(frequency_hz: NDArray[np.float64]) -> NDArray[np.complex128]:
        return sensor.instrument.response(frequency_hz) / (2j * np.pi * frequency_hz)

    return transfer


def to_counts(velocity_m_s: NDArray[np.float32], sensor: Sensor) -> NDArray[np.float32]:
    """Put ground velocity through the sensor; what rings on after the end is kept for a minute."""
    rate = sensor.rate_hz
    length = velocity_m_s.shape[1] + round(_RESPONSE_TAIL_S * rate)
    size = scipy.fft.next_fast_len(length, real=True)
    spectrum = scipy.fft.rfft(velocity_m_s, size, axis=1)
    spectrum *= sensor.instrument.response(scipy.fft.rfftfreq(size, 1 / rate)).astype(np.complex64)
    return turn(scipy.fft.irfft(spectrum, size, axis=1)[:, :length], sensor)
