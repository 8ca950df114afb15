"""
Gaps: where samples are missing, and what stands there while a filter passes.

A mask is True where a sample is missing. Filling makes a record fit for filters and transforms; it makes no
data: keep the mask beside it, and throw away what came out of a gap.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.signal.precision import BoolArray, IndexArray, as_given, as_mask, to_float64

__all__ = ["fill", "missing", "runs"]


def missing(data: ArrayLike, *, fill_value: float | None = None) -> BoolArray:
    """
    Mark the samples that are missing.

    Parameters
    ----------
    data : array_like, shape (..., samples)
        Integers, or floats in which what is not finite is missing.
    fill_value : number, optional
        What also stands for a missing sample, as INT32_MIN in an archive of counts.

    Returns
    -------
    array of bool, shape (..., samples)

    Examples
    --------
    >>> import numpy as np
    >>> missing(np.array([1.0, np.nan, 3.0]))
    array([False,  True, False])
    >>> missing(np.array([1, -(2**31)], dtype=np.int32), fill_value=-(2**31))
    array([False,  True])
    """
    array = np.asarray(data)
    absent = ~np.isfinite(array) if array.dtype.kind == "f" else np.zeros(array.shape, dtype=bool)
    return absent if fill_value is None else absent | (array == fill_value)


def runs(mask: ArrayLike) -> tuple[IndexArray, IndexArray]:
    """
    Find the runs of True.

    Parameters
    ----------
    mask : array_like of bool, shape (samples,)

    Returns
    -------
    starts, stops : arrays of int64, shape (runs,)
        Each run is ``mask[start:stop]``.

    Examples
    --------
    >>> starts, stops = runs([True, False, True, True])
    >>> starts.tolist(), stops.tolist()
    ([0, 2], [1, 4])
    """
    edges = np.diff(np.asarray(mask, dtype=bool).astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def fill(
    data: ArrayLike, absent: ArrayLike, *, longest: int | None = None, otherwise: float = 0.0
) -> NDArray[Any]:
    """
    Fill gaps by straight lines between the samples on either side.

    A gap at an end of the record repeats the sample next to it.

    Parameters
    ----------
    data : array_like, shape (..., samples)
    absent : array_like of bool, shape (..., samples)
        The mask of missing samples, from `missing`.
    longest : int, optional
        Samples of the longest gap to bridge; longer ones hold ``otherwise``. All are bridged by default.
    otherwise : float
        What stands in long gaps and in a record without a sample.

    Returns
    -------
    array of float, shape (..., samples)

    Examples
    --------
    >>> import numpy as np
    >>> data = np.array([1.0, np.nan, 3.0, np.nan, np.nan, np.nan, 9.0])
    >>> fill(data, missing(data), longest=2)
    array([1., 2., 3., 0., 0., 0., 9.])
    """
    samples = to_float64(data)
    mask = as_mask(absent, samples.shape)
    filled = np.where(mask, otherwise, samples)
    if samples.shape[-1]:
        rows = filled.reshape(-1, samples.shape[-1])
        for row, gaps in zip(rows, mask.reshape(rows.shape), strict=True):
            _bridge(row, gaps, rows.shape[-1] if longest is None else longest)
    return as_given(filled, data)


def _bridge(row: NDArray[np.float64], gaps: BoolArray, longest: int) -> None:
    starts, stops = runs(gaps)
    short = stops - starts <= longest
    if gaps.all() or not short.any():
        return
    lengths = (stops - starts)[short]
    offsets = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    where = np.repeat(starts[short], lengths) + offsets
    present = np.flatnonzero(~gaps)
    row[where] = np.interp(where, present, row[present])
