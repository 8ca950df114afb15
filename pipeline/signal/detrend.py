"""
Detrend: take the mean or a straight line out of a record that may have gaps.

The mean and the line are those of the samples that are there. Missing samples come out as zero, ready for a
filter or a transform.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.signal.precision import as_given, as_mask, to_float64

__all__ = ["constant", "linear"]


def constant(data: ArrayLike, *, missing: ArrayLike | None = None) -> NDArray[Any]:
    """
    Subtract the mean.

    Parameters
    ----------
    data : array_like, shape (..., samples)
    missing : array_like of bool, shape (..., samples), optional
        Samples that don't count, and come out as zero.

    Returns
    -------
    array of float, shape (..., samples)

    Examples
    --------
    >>> constant([1.0, 5.0, 99.0], missing=[False, False, True])
    array([-2.,  2.,  0.])
    """
    samples = to_float64(data)
    present = ~as_mask(missing, samples.shape)
    count = np.maximum(present.sum(axis=-1, keepdims=True), 1)
    mean = np.sum(samples, axis=-1, keepdims=True, where=present) / count
    return as_given(np.where(present, samples - mean, 0.0), data)


def linear(data: ArrayLike, *, missing: ArrayLike | None = None) -> NDArray[Any]:
    """
    Subtract the straight line of least squares.

    Where a single sample is there, its value is subtracted.

    Parameters
    ----------
    data : array_like, shape (..., samples)
    missing : array_like of bool, shape (..., samples), optional
        Samples that don't count, and come out as zero.

    Returns
    -------
    array of float, shape (..., samples)

    Examples
    --------
    >>> linear([1.0, 99.0, 5.0, 7.0], missing=[False, True, False, False]).round(9) + 0.0
    array([0., 0., 0., 0.])
    """
    present = ~as_mask(missing, np.shape(data))
    level = np.asarray(constant(to_float64(data), missing=~present))
    time = np.arange(level.shape[-1], dtype=np.float64)
    time = np.asarray(constant(np.broadcast_to(time, level.shape), missing=~present))
    moment = np.sum(time * time, axis=-1, keepdims=True)
    slope = np.sum(time * level, axis=-1, keepdims=True) / np.where(moment > 0, moment, 1.0)
    return as_given(level - slope * time, data)
