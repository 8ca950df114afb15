"""
Sensing: what a sensor, as it stands, makes of the motion of the ground.

Each sensor of a station is thought to have stood there always: the record of one that takes over begins
without the seconds or minutes in which a real one rings in.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import NDArray

from pipeline.synthetic.ground.ambient import Transfer
from pipeline.synthetic.instruments import Sensor

__all__ = ["RESPONSE_TAIL_S", "decimate", "decimation_reach", "to_counts", "transfer_of", "turn"]

RESPONSE_TAIL_S = 60.0
"""For which a sensor rings on after the motion has ended."""


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


def to_counts(velocity_m_s: NDArray[np.float32], sensor: Sensor, *, rate_hz: float) -> NDArray[np.float32]:
    """Put ground velocity through the sensor; what rings on after the end is kept for `RESPONSE_TAIL_S`."""
    length = velocity_m_s.shape[1] + round(RESPONSE_TAIL_S * rate_hz)
    size = scipy.fft.next_fast_len(length, real=True)
    spectrum = scipy.fft.rfft(velocity_m_s, size, axis=1)
    spectrum *= sensor.instrument.response(scipy.fft.rfftfreq(size, 1 / rate_hz)).astype(np.complex64)
    return turn(scipy.fft.irfft(spectrum, size, axis=1)[:, :length], sensor)


def decimation_reach(factor: int) -> int:
    """Return how many samples `decimate` needs on either side of what it keeps."""
    return 40 * factor if factor > 1 else 0


def decimate(counts: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """
    Take one sample of a few, after a digitizer's low-pass: flat to 0.8 of the Nyquist rate, then nothing.

    Parameters
    ----------
    counts : array of float32, shape (3, samples)
        `decimation_reach` samples longer on both sides than what is kept; the first that is kept is the one
        after these.
    factor : int

    Returns
    -------
    array of float32, shape (3, samples kept / factor)
        Each sample is the same wherever the record was cut.

    Examples
    --------
    >>> reach = decimation_reach(2)
    >>> slow = np.sin(2 * np.pi * 3 * np.arange(-reach, 100 + reach) / 100).astype(np.float32)
    >>> bool(np.abs(decimate(slow[np.newaxis], 2)[0] - slow[reach:-reach:2]).max() < 1e-4)
    True
    """
    if factor == 1:
        return counts
    twice = 2 * decimation_reach(factor)
    kept = -(-(counts.shape[1] - twice) // factor)
    # Direct sums: a transform would round by where the record begins.
    rows = [scipy.signal.upfirdn(_low_pass(factor), row, 1, factor) for row in counts]
    return np.stack(rows)[:, twice // factor :][:, :kept]


@cache
def _low_pass(factor: int) -> NDArray[np.float32]:
    taps = scipy.signal.firwin(2 * decimation_reach(factor) + 1, 0.9 / factor, window=("kaiser", 10.0))
    return np.asarray(taps, dtype=np.float32)
