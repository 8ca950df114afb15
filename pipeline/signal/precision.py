"""
Precision: kernels work in float64, and give float32 back to whoever brought float32.

Integer counts of 24 bits don't fit float32, and a low corner or a running sum loses what is left of it: the
cast costs less than the doubt.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.errors import ConfigError

__all__ = ["BoolArray", "ComplexArray", "FloatArray", "IndexArray", "as_given", "as_mask", "to_float64"]

FloatArray: TypeAlias = NDArray[np.float64]
ComplexArray: TypeAlias = NDArray[np.complex128]
BoolArray: TypeAlias = NDArray[np.bool_]
IndexArray: TypeAlias = NDArray[np.int64]


def to_float64(data: ArrayLike) -> FloatArray:
    """
    Return samples as float64, without a copy where they are that already.

    Parameters
    ----------
    data : array_like, shape (..., samples)

    Raises
    ------
    ConfigError
        Where there is no time axis.

    Examples
    --------
    >>> import numpy as np
    >>> to_float64(np.array([1, 2], dtype=np.int32))
    array([1., 2.])
    """
    array = np.asarray(data, dtype=np.float64)
    if array.ndim == 0:
        raise ConfigError(f"samples need a time axis, got the single value {array!r}")
    return array


def as_given(result: FloatArray, data: ArrayLike) -> NDArray[Any]:
    """
    Return a float64 result in the precision of the data that it came from.

    Parameters
    ----------
    result : array of float64
    data : array_like
        What the kernel was given: float32 makes the result float32.

    Examples
    --------
    >>> import numpy as np
    >>> as_given(np.ones(1), np.ones(1, dtype=np.float32)).dtype, as_given(np.ones(1), [1, 2]).dtype
    (dtype('float32'), dtype('float64'))
    """
    return result.astype(np.float32) if getattr(data, "dtype", None) == np.float32 else result


def as_mask(missing: ArrayLike | None, shape: tuple[int, ...]) -> BoolArray:
    """
    Return a mask of missing samples in the shape of the data; no mask means that none is missing.

    Parameters
    ----------
    missing : array_like of bool or None
        Shape of the data, or one that broadcasts to it.
    shape : tuple of int
        Shape of the data.

    Raises
    ------
    ConfigError
        Where the mask does not fit the data.

    Examples
    --------
    >>> as_mask([False, True], (2, 2))
    array([[False,  True],
           [False,  True]])
    """
    mask = np.zeros(1, dtype=bool) if missing is None else np.asarray(missing, dtype=bool)
    try:
        return np.broadcast_to(mask, shape)
    except ValueError as error:
        raise ConfigError(f"a mask of shape {mask.shape} does not fit data of shape {shape}") from error
