"""
Transfer functions: analogue and digital filters, evaluated at any frequencies in Hz.

Each is frozen data that pickles and compares, and is called with frequencies. Phases follow the product's
convention: ``X(f) = Σ x(t) exp(-2πift)``, so that a delay of τ is a factor ``exp(-2πifτ)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pipeline.signal.precision import ComplexArray, FloatArray

__all__ = ["Analogue", "Digital", "Fir", "Recursive"]

_CHUNK = 8192


@dataclass(frozen=True, slots=True)
class Analogue:
    """
    ``gain × Π(s - zero) / Π(s - pole)`` with s = 2πif in rad/s; poles and zeros ``in_hz`` take s = if.

    Examples
    --------
    >>> abs(Analogue(zeros=(), poles=(-1 + 0j,), in_hz=True)([0.0, 1.0])).round(4)
    array([1.    , 0.7071])
    """

    zeros: tuple[complex, ...]
    poles: tuple[complex, ...]
    gain: float = 1.0
    in_hz: bool = False

    def __call__(self, frequencies_hz: ArrayLike) -> ComplexArray:
        """Evaluate."""
        s = np.asarray(frequencies_hz, dtype=np.float64) * (1j if self.in_hz else 2j * math.pi)
        return self.gain * _rational(np.asarray(s, dtype=np.complex128), self.zeros, self.poles)


@dataclass(frozen=True, slots=True)
class Digital:
    """
    ``gain × Π(z - zero) / Π(z - pole)`` with z = exp(2πif / rate).

    Examples
    --------
    >>> abs(Digital(zeros=(-1 + 0j,), poles=(0j,), rate_hz=100.0, gain=0.5)([0.0, 25.0])).round(4)
    array([1.    , 0.7071])
    """

    zeros: tuple[complex, ...]
    poles: tuple[complex, ...]
    rate_hz: float
    gain: float = 1.0

    def __call__(self, frequencies_hz: ArrayLike) -> ComplexArray:
        """Evaluate."""
        z = np.exp(2j * math.pi / self.rate_hz * np.asarray(frequencies_hz, dtype=np.float64))
        return self.gain * _rational(z, self.zeros, self.poles)


@dataclass(frozen=True, slots=True)
class Fir:
    """
    A FIR filter with all its coefficients, whose samples' times were corrected for a delay.

    Where the coefficients are symmetric, the delay is half their length and what remains has zero phase.
    Elsewhere it is ``correction_s``.

    Examples
    --------
    >>> Fir((0.25, 0.5, 0.25), rate_hz=100.0)([0.0, 25.0, 50.0]).round(4) + 0.0
    array([1. +0.j, 0.5+0.j, 0. +0.j])
    """

    coefficients: tuple[float, ...]
    rate_hz: float
    correction_s: float = 0.0

    @property
    def is_symmetric(self) -> bool:
        """Whether it reads the same from both ends."""
        return self.coefficients == self.coefficients[::-1]

    def __call__(self, frequencies_hz: ArrayLike) -> ComplexArray:
        """Evaluate."""
        frequencies = np.asarray(frequencies_hz, dtype=np.float64)
        half_s = (len(self.coefficients) - 1) / 2 / self.rate_hz
        shift_s = half_s if self.is_symmetric else self.correction_s
        value = _polynomial(self.coefficients, frequencies, self.rate_hz)
        value *= np.exp(2j * math.pi * shift_s * frequencies)
        return value.real.astype(np.complex128) if self.is_symmetric else value


@dataclass(frozen=True, slots=True)
class Recursive:
    """
    A ratio of polynomials in 1/z = exp(-2πif / rate).

    Examples
    --------
    >>> abs(Recursive((0.1,), (1.0, -0.9), rate_hz=100.0)([0.0, 50.0])).round(4)
    array([1.    , 0.0526])
    """

    numerator: tuple[float, ...]
    denominator: tuple[float, ...]
    rate_hz: float

    def __call__(self, frequencies_hz: ArrayLike) -> ComplexArray:
        """Evaluate."""
        frequencies = np.asarray(frequencies_hz, dtype=np.float64)
        above = _polynomial(self.numerator, frequencies, self.rate_hz)
        return _divide(above, _polynomial(self.denominator, frequencies, self.rate_hz))


def _rational(variable: ComplexArray, zeros: tuple[complex, ...], poles: tuple[complex, ...]) -> ComplexArray:
    above, below = np.ones_like(variable), np.ones_like(variable)
    for zero in zeros:
        above *= variable - zero
    for pole in poles:
        below *= variable - pole
    return _divide(above, below)


def _divide(above: ComplexArray, below: ComplexArray) -> ComplexArray:
    """Divide; a pole on the very frequency gives zero instead of infinity."""
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)


def _polynomial(coefficients: tuple[float, ...], frequencies_hz: FloatArray, rate_hz: float) -> ComplexArray:
    """
    Sum ``c[k] exp(-2πi f k / rate)`` over k.

    With n coefficients, √n powers are tabulated; a matrix product turns them into √n partial sums, which
    Horner's scheme joins.
    """
    step = math.isqrt(max(len(coefficients) - 1, 0)) + 1
    padded = np.zeros(-(-len(coefficients) // step) * step)
    padded[: len(coefficients)] = coefficients
    table = padded.reshape(-1, step)
    flat = frequencies_hz.ravel()
    result = np.empty(flat.size, dtype=np.complex128)
    for start in range(0, flat.size, _CHUNK):
        angle = -2 * math.pi / rate_hz * flat[start : start + _CHUNK]
        powers = np.ones((step + 1, angle.size), dtype=np.complex128)
        powers[1] = np.exp(1j * angle)
        for k in range(2, step + 1):
            np.multiply(powers[k - 1], powers[1], out=powers[k])
        total = np.zeros(angle.size, dtype=np.complex128)
        for partial in (table @ powers[:step])[::-1]:
            total = total * powers[step] + partial
        result[start : start + _CHUNK] = total
    return result.reshape(frequencies_hz.shape)
