"""
Sliding sums and spreads, numerically safe.

A running sum subtracts what it added: after an earthquake, the noise that follows drowns in the rounding of
the earthquake. Here a window is the tail of one block and the head of the next, both summed within their own
block; nothing is ever subtracted, and the error is that of a plain sum of one window.

::

    block b              block b + 1
    . . . . [# # # # #] [# # #] . . . .
             tail of b   head of b + 1        one window, as long as a block
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError
from pipeline.signal.checks import check_at_least
from pipeline.signal.precision import FloatArray, IndexArray, to_float64

__all__ = ["sliding_moments", "sliding_sum"]


def sliding_sum(data: ArrayLike, length: int) -> FloatArray:
    """
    Sum each window of a record.

    Parameters
    ----------
    data : array_like, shape (..., samples)
    length : int
        Samples in a window.

    Returns
    -------
    array of float64, shape (..., samples - length + 1)
        Element i is the sum of ``data[i : i + length]``.

    Raises
    ------
    ConfigError
        Where the window is longer than the record.

    Examples
    --------
    >>> sliding_sum([1.0, 2.0, 3.0, 4.0], 2)
    array([3., 5., 7.])
    """
    samples = to_float64(data)
    blocks = _blocks(samples, length)
    tails, heads = _tails(blocks), _heads(blocks)
    count = samples.shape[-1] - length + 1
    return np.asarray(_flat(tails)[..., :count] + _flat(heads)[..., length : length + count])


def sliding_moments(data: ArrayLike, length: int) -> tuple[FloatArray, FloatArray]:
    """
    Take the mean of each window, and the sum of squares about it.

    Parameters
    ----------
    data : array_like, shape (..., samples)
    length : int
        Samples in a window.

    Returns
    -------
    mean, squares : arrays of float64, shape (..., samples - length + 1)
        ``squares / length`` is the variance.

    Raises
    ------
    ConfigError
        Where the window is longer than the record.

    Examples
    --------
    >>> mean, squares = sliding_moments([1e9 + 1, 1e9 + 3, 1e9 + 7], 2)
    >>> (mean - 1e9).tolist(), squares.tolist()
    ([2.0, 5.0], [2.0, 8.0])
    """
    samples = to_float64(data)
    blocks = _blocks(samples, length)
    centre = blocks.mean(axis=-1, keepdims=True)
    offsets = blocks - centre
    count = samples.shape[-1] - length + 1
    in_head = np.broadcast_to(np.arange(length), blocks.shape)
    head = _moments(_heads(offsets), _heads(offsets**2), in_head, centre)
    tail = _moments(_tails(offsets), _tails(offsets**2), length - in_head, centre)
    n_tail, mean_tail, squares_tail = (_flat(part)[..., :count] for part in tail)
    n_head, mean_head, squares_head = (_flat(part)[..., length : length + count] for part in head)
    step = mean_head - mean_tail
    squares = squares_tail + squares_head + step**2 * n_tail * n_head / length
    return np.asarray(mean_tail + step * n_head / length), np.asarray(squares)


def _moments(
    sums: FloatArray, squares: FloatArray, number: IndexArray, centre: FloatArray
) -> tuple[IndexArray, FloatArray, FloatArray]:
    """Number, mean and sum of squares about the mean of the tails or heads of blocks."""
    mean = sums / np.maximum(number, 1)
    return number, centre + mean, np.maximum(squares - sums * mean, 0.0)


def _blocks(samples: FloatArray, length: int) -> FloatArray:
    check_at_least("length", length, 1)
    count = samples.shape[-1]
    if length > count:
        raise ConfigError(f"a window of {length} samples is longer than the record of {count}")
    blocks = count // length + 1  # one beyond the last window, for its empty head
    padding = [(0, 0)] * (samples.ndim - 1) + [(0, blocks * length - count)]
    return np.pad(samples, padding, mode="edge").reshape(*samples.shape[:-1], blocks, length)


def _heads(blocks: FloatArray) -> FloatArray:
    """Sum of the elements before each one in its block."""
    heads = np.zeros_like(blocks)
    np.cumsum(blocks[..., :-1], axis=-1, out=heads[..., 1:])
    return heads


def _tails(blocks: FloatArray) -> FloatArray:
    """Sum of each element and those after it in its block."""
    tails = np.empty_like(blocks)
    np.cumsum(blocks[..., ::-1], axis=-1, out=tails[..., ::-1])
    return tails


def _flat(blocks: NDArray[Any]) -> NDArray[Any]:
    return blocks.reshape(*blocks.shape[:-2], -1)
