"""
Richter's local magnitude of what was made: from noise-free ground velocity and a stated distance correction.

It is the truth that magnitude stages are scored by, and so shares no code with them: its Wood–Anderson is the
formula of a damped pendulum on a zero-padded spectrum.
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

__all__ = ["distance_correction", "local_magnitude", "station_magnitudes", "wood_anderson", "zero_to_peak_mm"]

FloatArray = NDArray[np.float64]

# The torsion seismometer as Uhrhammer & Collins (1990) found it.
_GAIN = 2080.0
_PERIOD_S = 0.8
_DAMPING = 0.7

# Its free motion has fallen by e^-44 after so long: nothing wraps around.
_PADDING_S = 8.0


def wood_anderson(velocity_m_s: ArrayLike, rate_hz: float) -> FloatArray:
    """
    Simulate the trace of a Wood–Anderson seismometer.

    Parameters
    ----------
    velocity_m_s : array_like, shape (..., samples)
        Of the ground, at rest before.
    rate_hz : float

    Returns
    -------
    array of float64, shape (..., samples)
        Millimetres on the paper.

    Examples
    --------
    Fast motion of the ground, here of 1 µm at 20 Hz, is drawn 2080 times as large:

    >>> turn = 2 * np.pi * 20.0
    >>> velocity = 1e-6 * turn * np.sin(turn * np.arange(0, 5, 0.001))
    >>> round(float(wood_anderson(velocity, 1000.0)[-1000:].max()), 1)
    2.1
    """
    velocity = np.asarray(velocity_m_s, dtype=np.float64)
    count = velocity.shape[-1]
    samples = int(scipy.fft.next_fast_len(count + int(_PADDING_S * rate_hz), real=True))
    s = 2j * np.pi * scipy.fft.rfftfreq(samples, 1 / rate_hz)
    own = 2 * np.pi / _PERIOD_S
    response = 1e3 * _GAIN * s / (s**2 + 2 * _DAMPING * own * s + own**2)
    spectrum = scipy.fft.rfft(velocity, samples, axis=-1) * response
    return np.asarray(scipy.fft.irfft(spectrum, samples, axis=-1)[..., :count])


def zero_to_peak_mm(velocity_m_s: ArrayLike, rate_hz: float) -> float:
    """
    Return the Wood–Anderson amplitude of one station.

    Parameters
    ----------
    velocity_m_s : array_like, shape (3, samples)
        Up, north, east, without noise.
    rate_hz : float

    Returns
    -------
    float
        Millimetres from zero to the peak: geometric mean of the two horizontals' own peaks, as Hutton & Boore
        (1987) average the magnitudes of the two.

    Examples
    --------
    >>> zero_to_peak_mm(np.zeros((3, 100)), 100.0)
    0.0
    """
    peaks = np.abs(wood_anderson(np.asarray(velocity_m_s)[1:], rate_hz)).max(axis=-1)
    return float(np.sqrt(peaks[0] * peaks[1]))


def distance_correction(hypocentral_km: ArrayLike) -> FloatArray:
    """
    Return −log A0 of southern California (Hutton & Boore 1987, equation 5).

    Parameters
    ----------
    hypocentral_km : array_like

    Examples
    --------
    Richter's definition: 1 mm at 100 km is magnitude 3.

    >>> float(distance_correction(100.0))
    3.0
    """
    r = np.asarray(hypocentral_km, dtype=np.float64)
    return np.asarray(1.110 * np.log10(r / 100) + 0.00189 * (r - 100) + 3.0)


def station_magnitudes(amplitude_mm: ArrayLike, hypocentral_km: ArrayLike) -> FloatArray:
    """
    Return the magnitude of one event at each station.

    >>> station_magnitudes([1.0, 10.0], [100.0, 100.0]).tolist()
    [3.0, 4.0]
    """
    return np.log10(np.asarray(amplitude_mm, dtype=np.float64)) + distance_correction(hypocentral_km)


def local_magnitude(amplitude_mm: ArrayLike, hypocentral_km: ArrayLike) -> float:
    """
    Return ML of one event: the mean over its stations.

    Parameters
    ----------
    amplitude_mm, hypocentral_km : array_like, shape (stations,)

    Examples
    --------
    >>> local_magnitude([1.0, 10.0], [100.0, 100.0])
    3.5
    """
    return float(station_magnitudes(amplitude_mm, hypocentral_km).mean())
