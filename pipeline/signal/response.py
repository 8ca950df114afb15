"""
Response: apply and remove an instrument's response, between ground motion and counts.

A frequency response is a function of frequencies in Hz, or its values on the grid of `transform_grid`, in
counts per metre, metre per second or metre per second squared. Records are padded with zeros before they are
transformed; take out their mean and taper their ends first (`pipeline.signal.detrend`, `tapers`).

The division by a response is held in check in one or both of two ways. A *pre-filter* (f1, f2, f3, f4) passes
f2 to f3 and falls as a cosine to nothing at f1 and f4. A *water level* of L dB raises the amplitude of the
response, at its own phase, to L dB below its maximum.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.signal.checks import check_at_least, check_positive
from pipeline.signal.precision import ComplexArray, FloatArray, as_given, to_float64
from pipeline.signal.transfer import Analogue

__all__ = [
    "WOOD_ANDERSON",
    "FrequencyResponse",
    "Motion",
    "apply_response",
    "differentiate",
    "integrate",
    "motion_factor",
    "pre_filter",
    "remove_response",
    "stable_inverse",
    "transform_grid",
]

FrequencyResponse: TypeAlias = Callable[[FloatArray], ComplexArray] | ComplexArray

Motion: TypeAlias = Literal["displacement", "velocity", "acceleration"]

_DERIVATIVE: dict[Motion, int] = {"displacement": 0, "velocity": 1, "acceleration": 2}


def _pendulum(period_s: float, damping: float, gain: float) -> Analogue:
    omega = 2 * math.pi / period_s
    pole = omega * complex(-damping, math.sqrt(1 - damping**2))
    return Analogue(zeros=(0j, 0j), poles=(pole, pole.conjugate()), gain=gain)


WOOD_ANDERSON = _pendulum(period_s=0.8, damping=0.7, gain=2080.0)
"""Ground displacement to trace displacement of a Wood–Anderson seismometer (Uhrhammer & Collins, 1990)."""


def transform_grid(samples: int, rate_hz: float, *, padding: int | None = None) -> tuple[int, FloatArray]:
    """
    Return the length of the padded transform, and its frequencies.

    Parameters
    ----------
    samples : int
        Of the record.
    rate_hz : float
    padding : int, optional
        Zeros to add at least: the time over which a response may ring past the end without coming back at
        the beginning. As many as there are samples by default.

    Returns
    -------
    size : int
    frequencies_hz : array of float64, shape (size // 2 + 1,)

    Examples
    --------
    >>> size, frequencies_hz = transform_grid(5, 100.0, padding=5)
    >>> size, frequencies_hz.tolist()
    (10, [0.0, 10.0, 20.0, 30.0, 40.0, 50.0])
    """
    check_positive("rate_hz", rate_hz)
    check_at_least("samples", samples, 1)
    padding = samples if padding is None else padding
    check_at_least("padding", padding, 0)
    size = int(scipy.fft.next_fast_len(samples + padding, real=True))
    return size, np.arange(size // 2 + 1, dtype=np.float64) * (rate_hz / size)


def motion_factor(frequencies_hz: ArrayLike, given: Motion, wanted: Motion) -> ComplexArray:
    """
    Return what turns the spectrum of one kind of motion into another: a power of 2πif.

    Parameters
    ----------
    frequencies_hz : array_like
    given, wanted : {"displacement", "velocity", "acceleration"}

    Returns
    -------
    array of complex128
        Zero at 0 Hz where it integrates.

    Examples
    --------
    >>> motion_factor([0.0, 0.5], "velocity", "displacement").round(4) + 0.0
    array([0.+0.j    , 0.-0.3183j])
    """
    for motion in (given, wanted):
        if motion not in _DERIVATIVE:
            raise ConfigError(f"motion should be one of {', '.join(_DERIVATIVE)}, got {motion!r}")
    return _power(frequencies_hz, _DERIVATIVE[wanted] - _DERIVATIVE[given])


def _power(frequencies_hz: ArrayLike, order: int) -> ComplexArray:
    s = 2j * np.pi * np.asarray(frequencies_hz, dtype=np.float64)
    factor = np.zeros_like(s) if order < 0 else s**order
    if order < 0:
        np.divide(1.0, s**-order, out=factor, where=s != 0)
    return np.asarray(factor)


def pre_filter(frequencies_hz: ArrayLike, corners_hz: tuple[float, float, float, float]) -> FloatArray:
    """
    Return the weights of a band that opens and closes as a cosine.

    Parameters
    ----------
    frequencies_hz : array_like
    corners_hz : tuple of 4 float
        0 up to the first, 1 from the second to the third, 0 from the fourth.

    Returns
    -------
    array of float64

    Raises
    ------
    ConfigError
        Where the corners don't rise.

    Examples
    --------
    >>> pre_filter([0.5, 1.0, 1.5, 2.0, 5.0, 9.0], (1.0, 2.0, 5.0, 8.0)).round(3)
    array([0. , 0. , 0.5, 1. , 1. , 0. ])
    """
    f1, f2, f3, f4 = corners_hz
    if not 0 <= f1 < f2 <= f3 < f4:
        raise ConfigError(f"pre-filter corners should rise as 0 <= f1 < f2 <= f3 < f4, got {corners_hz} Hz")
    frequencies = np.asarray(frequencies_hz, dtype=np.float64)
    opening = np.clip((frequencies - f1) / (f2 - f1), 0.0, 1.0)
    closing = np.clip((f4 - frequencies) / (f4 - f3), 0.0, 1.0)
    return np.asarray(np.sin(np.pi / 2 * opening) ** 2 * np.sin(np.pi / 2 * closing) ** 2)


def stable_inverse(response: ComplexArray, *, water_level_db: float | None = None) -> ComplexArray:
    """
    Invert a response, raised to a water level where it is weaker.

    Parameters
    ----------
    response : array of complex
    water_level_db : float, optional
        Below the strongest value; without it, the plain inverse.

    Returns
    -------
    array of complex128
        Zero where the response is zero.

    Examples
    --------
    >>> stable_inverse([10.0, 1e-6j, 0.0], water_level_db=20.0) + 0.0
    array([0.1+0.j, 0. -1.j, 0. +0.j])
    """
    values = np.asarray(response, dtype=np.complex128)
    amplitude = np.abs(values)
    level = 0.0 if water_level_db is None else amplitude.max(initial=0.0) * 10 ** (-water_level_db / 20)
    # conj(R) / (|R| max(|R|, level)), in two steps that can't underflow
    inverse = np.zeros_like(values)
    np.divide(values.conj(), amplitude, out=inverse, where=amplitude > 0)
    np.divide(inverse, np.maximum(amplitude, level), out=inverse, where=amplitude > 0)
    return inverse


def apply_response(
    data: ArrayLike,
    rate_hz: float,
    response: FrequencyResponse,
    *,
    given: Motion = "velocity",
    response_of: Motion = "velocity",
    padding: int | None = None,
) -> NDArray[Any]:
    """
    Record ground motion with an instrument.

    Parameters
    ----------
    data : array_like, shape (..., samples)
        Ground motion in m, m/s or m/s².
    rate_hz : float
    response : callable or array of complex
        Counts per ``response_of``: a function of frequencies in Hz, or its values on `transform_grid`.
    given : {"displacement", "velocity", "acceleration"}
        What the data are.
    response_of : {"displacement", "velocity", "acceleration"}
        What the response takes in.
    padding : int, optional
        See `transform_grid`.

    Returns
    -------
    array, shape (..., samples)
        Counts.
    """

    def shape(frequencies: FloatArray) -> ComplexArray:
        return _values(response, frequencies) * motion_factor(frequencies, given, response_of)

    return _shape(data, rate_hz, shape, padding)


def remove_response(
    data: ArrayLike,
    rate_hz: float,
    response: FrequencyResponse,
    *,
    wanted: Motion = "velocity",
    response_of: Motion = "velocity",
    pre_filter_hz: tuple[float, float, float, float] | None = None,
    water_level_db: float | None = None,
    simulate: FrequencyResponse | None = None,
    padding: int | None = None,
) -> NDArray[Any]:
    """
    Turn counts into ground motion, or into what another instrument would have recorded.

    Parameters
    ----------
    data : array_like, shape (..., samples)
        Counts, without mean and tapered.
    rate_hz : float
    response : callable or array of complex
        Counts per ``response_of``: a function of frequencies in Hz, or its values on `transform_grid`.
    wanted : {"displacement", "velocity", "acceleration"}
        What comes out, in m, m/s or m/s²; and what ``simulate`` takes in.
    response_of : {"displacement", "velocity", "acceleration"}
        What the response takes in.
    pre_filter_hz : tuple of 4 float, optional
    water_level_db : float, optional
        Relative to the response in terms of ``wanted``.
    simulate : callable or array of complex, optional
        The other instrument: `WOOD_ANDERSON` with ``wanted="displacement"`` gives the metres that its trace
        would have moved.
    padding : int, optional
        See `transform_grid`.

    Returns
    -------
    array, shape (..., samples)

    Examples
    --------
    >>> import numpy as np
    >>> from pipeline.signal.tapers import cosine
    >>> motion = np.sin(2 * np.pi * 5 * np.arange(2000) / 100) * cosine(2000, 0.2)
    >>> counts = apply_response(motion, 100.0, WOOD_ANDERSON)
    >>> again = remove_response(counts, 100.0, WOOD_ANDERSON, pre_filter_hz=(0.1, 1, 30, 45))
    >>> bool(np.abs(again - motion).max() < 1e-3)
    True
    """

    def shape(frequencies: FloatArray) -> ComplexArray:
        instrument = _values(response, frequencies) * motion_factor(frequencies, wanted, response_of)
        inverse = stable_inverse(instrument, water_level_db=water_level_db)
        if pre_filter_hz is not None:
            inverse = inverse * pre_filter(frequencies, pre_filter_hz)
        return inverse if simulate is None else inverse * _values(simulate, frequencies)

    return _shape(data, rate_hz, shape, padding)


def differentiate(
    data: ArrayLike, rate_hz: float, *, times: int = 1, padding: int | None = None
) -> NDArray[Any]:
    """
    Differentiate in the frequency domain.

    Parameters
    ----------
    data : array_like, shape (..., samples)
        Without mean and tapered, or periodic with ``padding=0``.
    rate_hz : float
    times : int
    padding : int, optional
        See `transform_grid`.

    Returns
    -------
    array, shape (..., samples)

    Examples
    --------
    >>> import numpy as np
    >>> wave = 2 * np.pi * np.arange(8) / 8
    >>> np.allclose(differentiate(np.sin(wave), 8 / (2 * np.pi), padding=0), np.cos(wave))
    True
    """
    check_at_least("times", times, 0)
    return _shape(data, rate_hz, lambda frequencies: _power(frequencies, times), padding)


def integrate(data: ArrayLike, rate_hz: float, *, times: int = 1, padding: int | None = None) -> NDArray[Any]:
    """
    Integrate in the frequency domain; what is at 0 Hz is lost.

    Parameters
    ----------
    data : array_like, shape (..., samples)
        Without mean and tapered, or periodic with ``padding=0``.
    rate_hz : float
    times : int
    padding : int, optional
        See `transform_grid`.

    Returns
    -------
    array, shape (..., samples)
    """
    check_at_least("times", times, 0)
    return _shape(data, rate_hz, lambda frequencies: _power(frequencies, -times), padding)


def _values(response: FrequencyResponse, frequencies: FloatArray) -> ComplexArray:
    values = np.asarray(response(frequencies) if callable(response) else response, dtype=np.complex128)
    if values.shape[-1:] != frequencies.shape:
        raise ConfigError(
            f"a response of shape {values.shape} should have a last axis of {frequencies.size},"
            " the frequencies of transform_grid"
        )
    return values


def _shape(
    data: ArrayLike, rate_hz: float, shape: Callable[[FloatArray], ComplexArray], padding: int | None
) -> NDArray[Any]:
    samples = to_float64(data)
    count = samples.shape[-1]
    size, frequencies = transform_grid(count, rate_hz, padding=padding)
    spectrum = scipy.fft.rfft(samples, size) * shape(frequencies)
    return as_given(scipy.fft.irfft(spectrum, size)[..., :count], data)
