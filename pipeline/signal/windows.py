"""
Windows: cutting records into pieces that start at the same absolute times, whoever cuts them.

An index counts samples from an epoch that never moves (a record's first sample has the absolute index
``first``). Windows start at ``origin + k × step`` for every integer k, so that two pieces of one record give
the same windows where they overlap. Windows are views: nothing is copied.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from pipeline.signal.checks import check_at_least
from pipeline.signal.precision import FloatArray, IndexArray

__all__ = ["WindowGrid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowGrid:
    """
    Windows of equal length at equal steps, anchored to absolute time.

    Parameters
    ----------
    length : int
        Samples in a window.
    step : int
        Samples from one start to the next.
    origin : int
        Absolute index of any one start.

    Examples
    --------
    >>> import numpy as np
    >>> grid = WindowGrid(length=4, step=3)
    >>> record = np.arange(100, 110)
    >>> starts, windows = grid.cut(record, first=100)
    >>> starts.tolist(), windows.tolist()
    ([102, 105], [[102, 103, 104, 105], [105, 106, 107, 108]])
    """

    length: int
    step: int
    origin: int = 0

    def __post_init__(self) -> None:
        check_at_least("length", self.length, 1)
        check_at_least("step", self.step, 1)

    def starts(self, first: int, samples: int) -> IndexArray:
        """
        List the windows that lie whole within a record.

        Parameters
        ----------
        first : int
            Absolute index of the record's first sample.
        samples : int
            Length of the record.

        Returns
        -------
        array of int64, shape (windows,)
            Absolute indices of their first samples.
        """
        return self.starts_between(first, first + samples - self.length + 1)

    def starts_between(self, start: int, stop: int) -> IndexArray:
        """
        List the windows that start from ``start`` up to, not including, ``stop``: those that a span owns.

        Each window has one owner, however an archive is cut into spans.

        >>> WindowGrid(length=4, step=3).starts_between(1, 10).tolist()
        [3, 6, 9]
        """
        begin = start + (self.origin - start) % self.step
        return np.arange(begin, max(stop, begin), self.step, dtype=np.int64)

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """
        Return the samples that the windows owned by ``start`` to ``stop`` need, as ``(first, samples)``.

        >>> WindowGrid(length=4, step=3).span(1, 10)
        (3, 10)
        """
        owned = self.starts_between(start, stop)
        return (int(owned[0]), int(owned[-1] - owned[0]) + self.length) if owned.size else (start, 0)

    def cut(self, data: ArrayLike, *, first: int) -> tuple[IndexArray, NDArray[Any]]:
        """
        Cut a record.

        Parameters
        ----------
        data : array_like, shape (..., samples)
        first : int
            Absolute index of the first sample.

        Returns
        -------
        starts : array of int64, shape (windows,)
            Absolute indices.
        windows : array, shape (..., windows, length)
            A read-only view of the data.
        """
        record = np.asarray(data)
        starts = self.starts(first, record.shape[-1])
        if not starts.size:
            return starts, np.empty((*record.shape[:-1], 0, self.length), dtype=record.dtype)
        view = sliding_window_view(record, self.length, axis=-1)
        return starts, view[..., int(starts[0]) - first :: self.step, :]

    def valid_fractions(self, missing: ArrayLike, *, first: int) -> FloatArray:
        """
        Say how much of each window is there.

        Parameters
        ----------
        missing : array_like of bool, shape (..., samples)
        first : int
            Absolute index of the first sample.

        Returns
        -------
        array of float64, shape (..., windows)
            From 0 to 1.

        >>> WindowGrid(length=2, step=2).valid_fractions([True, False, False, False], first=0)
        array([0.5, 1. ])
        """
        absent = np.asarray(missing, dtype=bool)
        starts = self.starts(first, absent.shape[-1]) - first
        total = np.zeros((*absent.shape[:-1], absent.shape[-1] + 1), dtype=np.int64)
        np.cumsum(absent, axis=-1, out=total[..., 1:])
        return np.asarray(1.0 - (total[..., starts + self.length] - total[..., starts]) / self.length)
