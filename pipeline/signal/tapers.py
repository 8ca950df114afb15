"""
Tapers: weights that bring a record smoothly to zero at its ends and at its gaps.

A ramp of ``width`` samples rises as ``sin²`` (the Hann shape) from the missing sample beside it, which counts
as zero: its weights are ``sin²(π/2 · k / (width + 1))`` for k = 1 … width.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.signal.checks import check_at_least
from pipeline.signal.precision import FloatArray, as_given, as_mask, to_float64

__all__ = ["cosine", "hann", "taper", "weights"]


def hann(length: int, *, periodic: bool = False) -> FloatArray:
    """
    Make a Hann window.

    Parameters
    ----------
    length : int
        Samples.
    periodic : bool
        For a spectrum (copies at half overlap add up to one) instead of symmetric.

    Returns
    -------
    array of float64, shape (length,)

    Examples
    --------
    >>> hann(4, periodic=True)
    array([0. , 0.5, 1. , 0.5])
    """
    check_at_least("length", length, 1)
    if length == 1:
        return np.ones(1)
    return np.sin(np.pi * np.arange(length) / (length if periodic else length - 1)) ** 2


def cosine(length: int, fraction: float = 0.05) -> FloatArray:
    """
    Make a window that is flat but for a cosine ramp at each end (Tukey's).

    Parameters
    ----------
    length : int
        Samples.
    fraction : float
        Part of the length that each ramp takes, 0 to 0.5.

    Returns
    -------
    array of float64, shape (length,)

    Examples
    --------
    >>> cosine(7, 0.2).round(3)
    array([0.5, 1. , 1. , 1. , 1. , 1. , 0.5])
    """
    check_at_least("fraction", fraction, 0)
    check_at_least("0.5 - fraction", 0.5 - fraction, 0)
    return weights(np.zeros(length, dtype=bool), int(fraction * length))


def weights(missing: ArrayLike, width: int, *, ends: bool = True) -> FloatArray:
    """
    Make weights that are 0 where a sample is missing and rise to 1 over ``width`` samples beside it.

    Parameters
    ----------
    missing : array_like of bool, shape (..., samples)
    width : int
        Samples of a ramp; 0 gives 0 and 1 alone.
    ends : bool
        Whether the record also rises and falls at its ends.

    Returns
    -------
    array of float64, shape (..., samples)

    Examples
    --------
    >>> weights([False, False, False, True, False], 1, ends=False)
    array([1. , 1. , 0.5, 0. , 0.5])
    """
    check_at_least("width", width, 0)
    mask = np.asarray(missing, dtype=bool)
    count = mask.shape[-1]
    index = np.arange(count)
    far = count + width + 1
    before = np.maximum.accumulate(np.where(mask, index, -1 if ends else -far), axis=-1)
    after = np.where(mask, index, count if ends else far + count)
    after = np.minimum.accumulate(after[..., ::-1], axis=-1)[..., ::-1]
    distance = np.minimum(np.minimum(index - before, after - index), width + 1)
    ramp = np.sin(np.pi / 2 * np.arange(width + 2) / (width + 1)) ** 2
    return ramp[distance]


def taper(
    data: ArrayLike, width: int, *, missing: ArrayLike | None = None, ends: bool = True
) -> NDArray[Any]:
    """
    Bring a record to zero at its ends and gaps.

    Parameters
    ----------
    data : array_like, shape (..., samples)
    width : int
        Samples of a ramp.
    missing : array_like of bool, shape (..., samples), optional
        Samples that come out as zero, whatever stands there.
    ends : bool
        Whether the ends are tapered too.

    Returns
    -------
    array of float, shape (..., samples)

    Examples
    --------
    >>> taper([4.0, 4.0, 4.0], 1)
    array([2., 4., 2.])
    """
    samples = to_float64(data)
    mask = as_mask(missing, samples.shape)
    return as_given(np.where(mask, 0.0, samples) * weights(mask, width, ends=ends), data)
