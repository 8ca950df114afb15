"""Cells of time: of a length that a picture can show, with the median and the number of what lies in each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from pipeline.errors import ConfigError
from pipeline.signal.precision import FloatArray, IndexArray

__all__ = ["TimeCells", "cell_medians", "choose_cells", "count_in_cells", "name_span"]

_S: Final = 1_000_000_000
_DAY_NS: Final = 86_400 * _S
_LENGTHS_NS: Final = tuple(hours * 3600 * _S for hours in (1, 2, 3, 6, 12, 24, 48, 120, 240, 744, 2190, 8766))


@dataclass(frozen=True, slots=True)
class TimeCells:
    """
    Even cells of time.

    Parameters
    ----------
    first_ns : int
        Where the first begins, since 1970: a whole number of cells.
    length_ns : int
    count : int
    """

    first_ns: int
    length_ns: int
    count: int

    @property
    def edges_day(self) -> FloatArray:
        """Edges, one more than there are cells, in days since 1970."""
        return np.asarray((self.first_ns + np.arange(self.count + 1) * self.length_ns) / _DAY_NS)

    @property
    def span_ns(self) -> tuple[int, int]:
        """Beginning and end."""
        return self.first_ns, self.first_ns + self.count * self.length_ns

    def index(self, time_ns: ArrayLike) -> IndexArray:
        """Return the cell in which each time lies."""
        return np.asarray((np.asarray(time_ns, dtype=np.int64) - self.first_ns) // self.length_ns)


def choose_cells(start_ns: ArrayLike, step_ns: int, *, most: int) -> TimeCells:
    """
    Choose the shortest cells, of a window's step or of whole hours or days, of which not too many are needed.

    Parameters
    ----------
    start_ns : array_like of int, shape (windows,)
        When windows start, since 1970, in any order.
    step_ns : int
        From one window to the next.
    most : int
        Cells.

    Returns
    -------
    TimeCells

    Raises
    ------
    ConfigError
        If there is no window, or no step.

    Examples
    --------
    >>> hours = np.arange(480) * 3600 * 10**9
    >>> choose_cells(hours, 3600 * 10**9, most=500).count, choose_cells(hours, 3600 * 10**9, most=100).count
    (480, 80)
    """
    starts = np.asarray(start_ns, dtype=np.int64)
    if not starts.size or step_ns <= 0:
        raise ConfigError(
            f"cells of time need a window or more and a step above 0, got {starts.size} and {step_ns} ns"
        )
    first, last = int(starts.min()), int(starts.max())
    for length in (step_ns, *(each for each in _LENGTHS_NS if each > step_ns)):
        begin = first // length
        count = last // length - begin + 1
        if count <= most:
            break
    return TimeCells(begin * length, length, count)


def cell_medians(level_db: ArrayLike, start_ns: ArrayLike, cells: TimeCells) -> FloatArray:
    """
    Return the median of what lies in each cell.

    Parameters
    ----------
    level_db : array_like, shape (windows, ...)
        NaN does not count.
    start_ns : array_like of int, shape (windows,)
    cells : TimeCells

    Returns
    -------
    array of float64, shape (cells, ...)
        NaN where nothing lies.

    Examples
    --------
    >>> cell_medians([1.0, 3.0, np.nan, 7.0], [0, 1, 2, 25], TimeCells(0, 10, 3))
    array([ 2., nan,  7.])
    """
    levels = np.asarray(level_db, dtype=np.float64)
    index = cells.index(start_ns)
    order = np.argsort(index, kind="stable")
    at = index[order]
    bounds = np.searchsorted(at, np.arange(cells.count + 1))
    out = np.full((cells.count, *levels.shape[1:]), np.nan)
    for cell in np.unique(at[(at >= 0) & (at < cells.count)]).tolist():
        out[cell] = _median(levels[order[bounds[cell] : bounds[cell + 1]]])
    return out


def _median(rows: FloatArray) -> FloatArray:
    """Return the median over the first axis of what is there."""
    ranked = np.sort(rows, axis=0)  # what is missing goes to the end
    there = np.isfinite(ranked).sum(axis=0)
    low = np.maximum(there - 1, 0) // 2
    high = np.minimum(there // 2, len(rows) - 1)
    pair = [np.take_along_axis(ranked, place[np.newaxis], axis=0)[0] for place in (low, high)]
    return np.where(there > 0, (pair[0] + pair[1]) / 2, np.nan)


def count_in_cells(start_ns: ArrayLike, cells: TimeCells) -> IndexArray:
    """
    Return how many windows start in each cell.

    >>> count_in_cells([0, 1, 25, 99], TimeCells(0, 10, 3))
    array([2, 0, 1])
    """
    index = cells.index(start_ns)
    inside = index[(index >= 0) & (index < cells.count)]
    return np.bincount(inside, minlength=cells.count).astype(np.int64)


def name_span(length_ns: int) -> str:
    """
    Name a length of time.

    >>> name_span(1800 * 10**9), name_span(3600 * 10**9), name_span(48 * 3600 * 10**9), name_span(45 * 10**9)
    ('30 min', '1 h', '2 days', '45 s')
    """
    for unit, seconds in (("day", 86_400), ("h", 3600), ("min", 60)):
        count, rest = divmod(length_ns, seconds * _S)
        if count and not rest:
            plural = "s" if unit == "day" and count > 1 else ""
            return f"{count} {unit}{plural}"
    return f"{length_ns / _S:g} s"
