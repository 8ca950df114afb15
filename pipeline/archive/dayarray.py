"""The samples of one day while it is made: a whole day of memory, of which only what is touched costs any."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.archive.pieces import Samples

__all__ = ["DayArray"]


@dataclass(frozen=True, slots=True, eq=False)
class DayArray:
    """
    One array of a station-day.

    Chunks that no sample touches hold whatever was in memory: they are neither filled nor looked at, so
    that three minutes at 500 Hz cost three minutes, and not a day.

    Parameters
    ----------
    samples : ndarray, shape (components, n)
        Defined in touched chunks, with the fill value where a sample is missing.
    touched : ndarray of bool, shape (components, chunks)
        Which chunks those are.
    """

    samples: Samples
    touched: NDArray[np.bool_]

    @property
    def chunk(self) -> int:
        """Samples in a chunk."""
        return int(self.samples.shape[1]) // int(self.touched.shape[1])

    def touch(self, component: int, first: int, stop: int) -> None:
        """Take note that the samples of a component from ``first`` to before ``stop`` are there."""
        self.touched[component, first // self.chunk : -(-stop // self.chunk)] = True

    def spans(self, component: int) -> list[tuple[int, int]]:
        """
        Return the stretches of touched chunks, half-open in samples of the day.

        >>> array = DayArray(np.empty((1, 40), np.int32), np.zeros((1, 4), bool))
        >>> array.touch(0, 5, 12), array.touch(0, 39, 40), array.spans(0)
        (None, None, [(0, 20), (30, 40)])
        """
        edges = np.flatnonzero(np.diff(self.touched[component].view(np.int8), prepend=0, append=0))
        ends = (edges * self.chunk).tolist()
        return list(zip(ends[::2], ends[1::2], strict=True))

    def filled(self, fill: int | float) -> Any:
        """Return all of the day as a new array, with the fill value in what was never touched."""
        return np.where(np.repeat(self.touched, self.chunk, axis=1), self.samples, fill).astype(
            self.samples.dtype
        )
