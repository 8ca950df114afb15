"""Correlate: how alike a template and each window of a record are, by transforms of moderate blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.signal.precision import FloatArray, as_given, to_float64
from pipeline.signal.sliding import sliding_moments

__all__ = ["normalised_correlation"]

_FLAT = 1e-20
"""A window whose energy is below this part of the loudest one in its block has no shape left to compare."""


def normalised_correlation(data: ArrayLike, template: ArrayLike) -> NDArray[Any]:
    """
    Correlate a template with each window of a record (Pearson's coefficient).

    The record is worked through in blocks of a few templates' length: the transforms stay small, and a loud
    event blurs the coefficients of its own block alone. A window without variation gives 0.

    Parameters
    ----------
    data : array_like, shape (..., samples)
        Finite: fill gaps first, and discard the windows that touch one.
    template : array_like, shape (..., length)
        Leading axes broadcast with those of the data.

    Returns
    -------
    array, shape (..., samples - length + 1)
        From -1 to 1; element i belongs to ``data[i : i + length]``.

    Raises
    ------
    ConfigError
        Where the template is longer than the record, shorter than two samples, or constant.

    Examples
    --------
    >>> normalised_correlation([0.0, 1.0, 2.0, 1.0, 0.0], [1.0, 2.0, 1.0]).round(3)
    array([0., 1., 0.])
    """
    samples, pattern = to_float64(data), to_float64(template)
    length, count = pattern.shape[-1], samples.shape[-1] - pattern.shape[-1] + 1
    if length < 2 or count < 1:
        raise ConfigError(
            f"a template of {length} samples should have at least 2, and at most the record's"
            f" {samples.shape[-1]}"
        )
    pattern = pattern - pattern.mean(axis=-1, keepdims=True)
    norm = np.sqrt(np.sum(pattern**2, axis=-1, keepdims=True))
    if not np.all(norm > 0):
        raise ConfigError("a template that is constant correlates with nothing: give one that varies")
    pattern = pattern / norm
    leading = np.broadcast_shapes(samples.shape[:-1], pattern.shape[:-1])
    size = scipy.fft.next_fast_len(max(8 * length, 65536), real=True)
    spectrum = np.conj(scipy.fft.rfft(pattern, size))
    result = np.empty((*leading, count))
    for start in range(0, count, size - length + 1):
        piece = samples[..., start : start + size]
        part = _block(piece, spectrum, length, size)
        result[..., start : start + part.shape[-1]] = part
    return as_given(result, data)


def _block(piece: FloatArray, spectrum: NDArray[np.complex128], length: int, size: int) -> FloatArray:
    """Coefficients of the windows within one block, from the transform of the unit template."""
    centred = piece - piece.mean(axis=-1, keepdims=True)
    _, squares = sliding_moments(centred, length)
    products = scipy.fft.irfft(scipy.fft.rfft(centred, size) * spectrum, size)[..., : squares.shape[-1]]
    shaped = squares > _FLAT * squares.max(axis=-1, keepdims=True)
    coefficients = products / np.sqrt(np.where(shaped, squares, 1.0))
    return np.clip(np.where(shaped, coefficients, 0.0), -1.0, 1.0)
